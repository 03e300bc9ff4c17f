/** People of the tests: the same name always has the same keys. */

import { sha256, utf8 } from "../../client-lib/passport/bytes.ts";
import {
  applyOperation,
  authorityOf,
  type Candidate,
  type CreateOperation,
  type DataOperation,
  hashSetOf,
  idOfGenesis,
  type KeyPair,
  keyPairOfSeed,
  keySetOf,
  makeCreate,
  makeData,
  makeRotate,
  NO_FACTS,
  type PassportKeys,
  type PassportState,
  type RegistryFacts,
  type RotateOperation,
  type Signed,
  signAsDelegate,
  signOperation,
  sponsorOperation,
} from "../../client-lib/passport/index.ts";

export const key = async (name: string): Promise<KeyPair> =>
  keyPairOfSeed(await sha256(utf8(`freehold-test:${name}`)));

export async function keysOf(
  name: string,
  counts = { authority: 1, next: 1, recovery: 3 },
): Promise<PassportKeys> {
  const some = (role: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => key(`${name}/${role}/${index}`)));
  return {
    authority: await some("authority", counts.authority),
    next: await some("next", counts.next),
    recovery: await some("recovery", counts.recovery),
  };
}

/** The clock of the tests; every passport of theirs is a year old. */
export const NOW = Date.parse("2026-03-01T12:00:00Z");
const YEAR_MS = 365 * 24 * 3_600_000;
export const HOST = "https://pods.example.org";

export interface Person {
  readonly keys: PassportKeys;
  readonly host: KeyPair;
  readonly registrar: KeyPair;
  readonly create: Signed<CreateOperation>;
  readonly state: PassportState;
  readonly data: Signed<DataOperation>;
  readonly rotate: Signed<RotateOperation>;
  /** The keys that are promised by `rotate`. */
  readonly later: readonly KeyPair[];
  readonly facts: RegistryFacts;
}

/** A person with a passport in zone zz, a first data record, and a rotation that is ready but not yet sent. */
export async function person(name: string, counts?: Parameters<typeof keysOf>[1]): Promise<Person> {
  const keys = await keysOf(name, counts);
  const [host, registrar, later] = [
    await key(`${name}/host`),
    await key("registrar"),
    [await key(`${name}/later`)],
  ];
  const [zoneKey, legalKey, otherZone] = [await key("zone zz"), await key("legal"), await key("zone za")];
  const choice = { zone: "zz", registrar: "local", delegateKey: host.key, ...(await authorityOf(keys)) };
  const op: CreateOperation = { ...makeCreate(choice), nonce: "WxoTguv86RwyqXrWUeeNKg" };
  const create = await sponsorOperation(await signOperation(op, op.auth, keys.authority), "local", registrar);
  const state = await applyOperation(null, create);
  const id = await idOfGenesis(op);
  const url = `${HOST}/${name}/`;
  const data = makeData({
    id,
    aseq: 0,
    dseq: 1,
    webid: [`${url}profile/card#me`],
    oidc: `${HOST}/`,
    storage: [{ id: "#pod", url }],
    keys: [{ id: "#sign", key: op.auth.keys[0] ?? "", for: ["authentication", "assertionMethod"] }],
  });
  const rotate = await makeRotate({ id, after: op, auth: keySetOf(keys.next), next: await hashSetOf(later) });
  return {
    keys,
    host,
    registrar,
    create,
    state,
    data: await signAsDelegate(data, host),
    rotate: await signOperation(rotate, rotate.auth, keys.next),
    later,
    facts: {
      ...NO_FACTS,
      zones: ["zz"],
      registrarKeys: (by) => (by === "local" || by === "gaining" ? [registrar.key] : []),
      storageOrigins: (delegate) => (delegate === host.key ? [HOST] : []),
      zoneKeys: (zone) => ({ zz: [zoneKey.key], za: [otherZone.key] })[zone] ?? [],
      legalKeys: () => [legalKey.key, zoneKey.key], // One key in both lists must not count as two signers.
      now: () => NOW,
      createdAt: NOW - YEAR_MS,
      authSince: NOW - YEAR_MS,
    },
  };
}

export type Change<T> = (op: T) => T;

/** Any form at all, for operations that should never have been. */
export const forge = (signed: unknown): Signed => signed as Signed;

export const candidate = (
  signed: Signed,
  state: PassportState | null,
  registry?: RegistryFacts,
): Candidate => ({
  signed,
  state,
  options: registry ? { registry } : {},
});

/** An operation that breaks a rule, and none above it. */
export interface Vector {
  readonly rule: string;
  readonly name: string;
  readonly make: (ana: Person) => Candidate | Promise<Candidate>;
}
