/** A bundle as it would be in a registry of any size: real operations and signatures, random siblings. For its bytes alone. */
import { createHash, randomBytes } from "node:crypto";
import {
  type AuthorityOperation,
  authorityOf,
  type Bundle,
  decodeKey,
  encodeBase64url,
  formatCheckpoint,
  generateKeyPair,
  generatePassportKeys,
  hashSetOf,
  idOfGenesis,
  type KeyPair,
  keySetOf,
  makeCreate,
  makeData,
  makeRotate,
  type NoteSigner,
  type Signed,
  signAsDelegate,
  signedMessage,
  signNote,
  signOperation,
  sponsorOperation,
  timedSignature,
  verifierKeyOf,
  zoneOf,
} from "@freehold/client/registry";

/** What is counted of it, in bytes of JSON. */
export interface BundleSize {
  readonly create: number;
  readonly rotate: number;
  readonly data: number;
  readonly checkpoint: number;
  readonly total: number;
}

const random = (): string => encodeBase64url(randomBytes(32));
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

async function signer(name: string, type: 1 | 4, pair: KeyPair): Promise<NoteSigner> {
  const raw = decodeKey(pair.key);
  if (!raw) throw new Error("A key that was just made is none");
  const key = await verifierKeyOf(name, type, raw);
  const time = 1_795_000_000;
  return {
    key,
    sign: async (body) => {
      const signature = await pair.sign(signedMessage(key, body, time));
      return type === 1 ? signature : timedSignature(time, signature);
    },
  };
}

/** A checkpoint with the zone's signature and those of its witnesses (Ed25519). */
async function checkpoint(zone: string, leaves: bigint, witnesses: number): Promise<string> {
  const origin = `log.${zone}.dcann.example/${zone}/2026`;
  const root = new Uint8Array(createHash("sha256").update(origin).digest());
  const names = Array.from({ length: witnesses }, (_, at) => `witness${at + 1}.example/w1`);
  const signers = await Promise.all([
    signer(origin, 1, await generateKeyPair()),
    ...names.map(async (name) => signer(name, 4, await generateKeyPair())),
  ]);
  return signNote(formatCheckpoint({ origin, size: Number(leaves), root, extensions: [] }), signers);
}

/**
 * @param mapPath Siblings in the map.
 * @param emptySiblings Of these, how many are nothing; a part of one is none.
 * @param logPath Siblings in the log.
 * @param leaves Of the log: its number stands in the checkpoint.
 */
export async function exampleBundle(size: {
  readonly rotations: number;
  readonly mapPath: number;
  readonly emptySiblings: number;
  readonly logPath: number;
  readonly leaves: bigint;
  readonly keys: number;
  readonly witnesses: number;
}): Promise<{ readonly bundle: Bundle; readonly size: BundleSize }> {
  let keys = await generatePassportKeys();
  const [host, registrar] = [await generateKeyPair(), await generateKeyPair()];
  const named = { zone: "ch", registrar: "ch.alpenpod", delegateKey: host.key };
  const create = makeCreate({ ...named, ...(await authorityOf(keys)) });
  const id = await idOfGenesis(create);
  const auth: Signed<AuthorityOperation>[] = [
    await sponsorOperation(
      await signOperation(create, create.auth, keys.authority),
      named.registrar,
      registrar,
    ),
  ];
  for (let at = 0; at < size.rotations; at += 1) {
    const next = [await generateKeyPair()];
    const after = auth.at(-1)?.op ?? create;
    const op = await makeRotate({ id, after, auth: keySetOf(keys.next), next: await hashSetOf(next) });
    auth.push(await signOperation(op, op.auth, keys.next));
    keys = { ...keys, authority: keys.next, next };
  }
  const url = "https://alice.alpenpod.example/";
  const data = await signAsDelegate(
    makeData({
      id,
      aseq: size.rotations,
      dseq: size.rotations + 1,
      webid: [`https://id.dcann.example/${id}#me`],
      oidc: "https://login.alpenpod.example/",
      storage: [{ id: "#pod", url }],
      keys: [{ id: "#sign", key: keys.authority[0]?.key ?? "", for: ["authentication", "assertionMethod"] }],
    }),
    host,
  );
  const bundle: Bundle = {
    id,
    head: { auth, data },
    proof: {
      shard: `${zoneOf(id)}/2026`,
      opening: random(),
      map: Array.from({ length: size.mapPath }, (_, at) =>
        at >= size.mapPath - 1 - Math.floor(size.emptySiblings) && at < size.mapPath - 1 ? "" : random(),
      ),
      rootLeaf: { epoch: Number(size.leaves / 2n), count: size.keys, root: random() },
      log: { index: Number(size.leaves - 1n), path: Array.from({ length: size.logPath }, random) },
    },
    checkpoint: await checkpoint(zoneOf(id), size.leaves, size.witnesses),
  };
  return {
    bundle,
    size: {
      create: bytesOf(auth[0]),
      rotate: bytesOf(auth[1] ?? null),
      data: bytesOf(data),
      checkpoint: bytesOf(bundle.checkpoint),
      total: bytesOf(bundle),
    },
  };
}
