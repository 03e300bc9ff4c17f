/** People whose passports a small zone has: their keys, their host's key, and the head as the zone would serve it. */
import {
  authorityOf,
  encodeBase64url,
  type Head,
  hashSetOf,
  idOfGenesis,
  type KeyPair,
  keyPairOfSeed,
  keySetOf,
  makeCreate,
  makeData,
  makeRotate,
  type PassportId,
  type PassportKeys,
  rotatePassport,
  sha256,
  signAsDelegate,
  signOperation,
  stateAfter,
  utf8,
} from "@freehold/client/registry";

export const HOST = "https://pods.example.org/";

export interface Holder {
  readonly id: PassportId;
  readonly keys: PassportKeys;
  readonly host: KeyPair;
  readonly head: Head;
}

const seed = (name: string): Promise<Uint8Array<ArrayBuffer>> => sha256(utf8(`freehold-client-test:${name}`));
export const key = async (name: string): Promise<KeyPair> => keyPairOfSeed(await seed(name));

/** Somebody with a passport and a first data record: the same name always has the same identifier. */
export async function holder(name: string, zone = "ch", host = HOST): Promise<Holder> {
  const delegate = await key(`${name}/host`);
  const keys: PassportKeys = {
    authority: [await key(`${name}/authority`)],
    next: [await key(`${name}/next`)],
    recovery: await Promise.all([1, 2, 3].map((index) => key(`${name}/recovery/${index}`))),
  };
  const choice = { zone, registrar: "local", delegateKey: delegate.key, ...(await authorityOf(keys)) };
  const nonce = encodeBase64url((await seed(`${name}/nonce`)).subarray(0, 16));
  const op = { ...makeCreate(choice), nonce };
  const createOp = await signOperation(op, op.auth, keys.authority);
  const id = await idOfGenesis(op);
  const one: Holder = { id, keys, host: delegate, head: { auth: [createOp], data: null } };
  return { ...one, head: await leading(one, `${host}${name}/`) };
}

/** The head with a data record that leads there, signed by the host. */
export async function leading({ id, head, host }: Holder, url: string): Promise<Head> {
  const before = head.data?.op;
  const from = before?.storage[0]?.url ?? url;
  const move = { from, to: url, at: "2026-02-01T00:00:00Z", redirectUntil: "2028-02-01T00:00:00Z" };
  const op = makeData({
    id,
    aseq: head.auth.length - 1,
    dseq: (before?.dseq ?? 0) + 1,
    webid: [`${url}profile/card#me`],
    oidc: new URL("/", url).href,
    storage: [{ id: "#pod", url }],
    moved: [...(before?.moved ?? []), ...(from === url ? [] : [move])],
    keys: [{ id: "#sign", key: head.auth.at(-1)?.op.auth.keys[0] ?? "", for: ["authentication"] }],
  });
  return { ...head, data: await signAsDelegate(op, host) };
}

/** The same, with keys that follow from a name. */
export async function rotatedAs(name: string, one: Holder): Promise<Holder> {
  const { id, head, keys } = one;
  const after = head.auth.at(-1)?.op;
  if (!after) throw new Error("A head without operations");
  const next = [await key(name)];
  const op = await makeRotate({ id, after, auth: keySetOf(keys.next), next: await hashSetOf(next) });
  const auth = [...head.auth, await signOperation(op, op.auth, keys.next)];
  const done = { ...one, keys: { ...keys, authority: keys.next, next }, head: { ...head, auth } };
  return { ...done, head: await leading(done, head.data?.op.storage[0]?.url ?? HOST) };
}

/** After the promised keys have taken over, and the host has spoken again. */
export async function rotated(one: Holder): Promise<Holder> {
  let state = null;
  for (const { op } of one.head.auth) state = await stateAfter(state, op);
  if (!state) throw new Error("A head without operations");
  const { rotateOp, keys } = await rotatePassport(state, one.keys, new Date("2026-01-02T00:00:00Z"));
  const next = { ...one, keys, head: { ...one.head, auth: [...one.head.auth, rotateOp] } };
  return { ...next, head: await leading(next, one.head.data?.op.storage[0]?.url ?? HOST) };
}
