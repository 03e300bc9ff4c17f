/**
 * A zone as small as one can be: a list of leaves, a list of passports, and every tree hashed anew, straight from the
 * definitions. What the client believes of it, it believes of no code of the server.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import {
  type Absence,
  type Bundle,
  bytesOfOperation,
  decodeKey,
  encodeBase64url,
  encodeEntries,
  encodeLeaf,
  formatCheckpoint,
  formatVerifierKey,
  generateKeyPair,
  type Head,
  headKeyOf,
  headRecordText,
  type KeyPair,
  keyPairOfSeed,
  type Leaf,
  type MapEnd,
  type NoteSigner,
  type PassportId,
  type RootRecord,
  type SignedRootRecord,
  servicesOf,
  signedMessage,
  signNote,
  signRootRecord,
  tilePath,
  tileWidth,
  timedSignature,
  verifierKeyOf,
} from "@freehold/client/registry";

type Bytes = Uint8Array<ArrayBuffer>;

const hash = (...parts: readonly (Uint8Array | string)[]): Bytes => {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part);
  return new Uint8Array(sum.digest());
};

/** RFC 6962, section 2.1: by its recursive definition. */
function treeRoot(leaves: readonly Bytes[]): Bytes {
  if (leaves.length === 0) return hash();
  if (leaves.length === 1) return leaves[0] as Bytes;
  const split = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
  return hash(Uint8Array.of(1), treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)));
}

function treePath(index: number, leaves: readonly Bytes[]): readonly Bytes[] {
  if (leaves.length === 1) return [];
  const split = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
  return index < split
    ? [...treePath(index, leaves.slice(0, split)), treeRoot(leaves.slice(split))]
    : [...treePath(index - split, leaves.slice(split)), treeRoot(leaves.slice(0, split))];
}

interface Placed {
  readonly key: Bytes;
  readonly commit: Bytes;
}

const bit = (key: Uint8Array, index: number): number => ((key[index >> 3] ?? 0) >> (7 - (index & 7))) & 1;

function mapRoot(all: readonly Placed[], depth = 0): Bytes {
  const [only] = all;
  if (!only) return new Uint8Array(32);
  if (all.length === 1) return hash(Uint8Array.of(2), only.key, only.commit);
  const side = (which: number): Bytes =>
    mapRoot(
      all.filter(({ key }) => bit(key, depth) === which),
      depth + 1,
    );
  return hash(Uint8Array.of(3), side(0), side(1));
}

function mapPath(
  key: Uint8Array,
  all: readonly Placed[],
  depth = 0,
): { readonly path: readonly Bytes[]; readonly end: Placed | null } {
  if (all.length <= 1) return { path: [], end: all[0] ?? null };
  const side = bit(key, depth);
  const below = mapPath(
    key,
    all.filter((one) => bit(one.key, depth) === side),
    depth + 1,
  );
  const sibling = mapRoot(
    all.filter((one) => bit(one.key, depth) !== side),
    depth + 1,
  );
  return { path: [sibling, ...below.path], end: below.end };
}

/** Signs a note under a name; with a time, as a witness does. */
export async function noteSigner(
  pair: KeyPair,
  name: string,
  time: (() => number) | null,
): Promise<NoteSigner> {
  const key = await verifierKeyOf(name, time ? 4 : 1, decodeKey(pair.key) as Bytes);
  return {
    key,
    async sign(body) {
      const seconds = Math.floor((time?.() ?? 0) / 1_000);
      const signature = await pair.sign(signedMessage(key, body, seconds));
      return time ? timedSignature(seconds, signature) : signature;
    },
  };
}

export interface SmallZoneOptions {
  readonly zone?: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Addresses that the root's record names. */
  readonly url?: string;
  /** All keys and openings follow from it: two zones of one seed are one operator's. Without, they are random. */
  readonly seed?: string;
}

/** A zone and the root that names it. */
export interface SmallZone {
  readonly name: string;
  readonly trust: RootRecord;
  readonly signed: SignedRootRecord;
  readonly rootKey: KeyPair;
  readonly zoneKey: KeyPair;
  readonly log: NoteSigner;
  readonly witnesses: readonly NoteSigner[];
  readonly shard: string;
  /** Takes a head, for the next epoch. */
  put(id: PassportId, head: Head): Promise<void>;
  remove(id: PassportId): Promise<void>;
  /** Ends the epoch: the root of the map is the last leaf, and all sign. */
  publish(by?: { readonly signers?: readonly NoteSigner[] }): Promise<void>;
  /** Of the last epoch. */
  answer(id: PassportId): Promise<Bundle | Absence>;
  checkpoint(): string;
  /** What a web server would serve below the log's address. */
  file(path: string): Bytes | null;
  size(): number;
  /** The root's next version, with other zones. */
  nextRoot(change: Partial<RootRecord>, by?: readonly KeyPair[]): Promise<SignedRootRecord>;
}

const WITNESSES = 3;

export async function createSmallZone(options: SmallZoneOptions): Promise<SmallZone> {
  const { zone = "ch", now, url = "https://registry.example/", seed } = options;
  const secret = (name: string): Bytes => hash(`freehold-test:${seed}/${name}`);
  const pair = (name: string): Promise<KeyPair> =>
    seed === undefined ? generateKeyPair() : keyPairOfSeed(secret(name));
  const origin = `log.${zone}.example`;
  const [rootKey, rootLogKey, zoneKey, logKey] = await Promise.all([
    pair("root"),
    pair("root's log"),
    pair("zone"),
    pair("log"),
  ]);
  const shard = `${zone}/${new Date(now()).getUTCFullYear()}`; // Of its first day: no year ends here.
  const log = await noteSigner(logKey, `${origin}/${shard.slice(3)}`, null);
  const witnesses = await Promise.all(
    Array.from({ length: WITNESSES }, async (_, index) =>
      noteSigner(await pair(`witness ${index}`), `w${index}.example`, now),
    ),
  );
  const names = witnesses.map((_, index) => `w${index}`);
  const lines = witnesses.map(({ key }, index) => `witness w${index} ${formatVerifierKey(key)}`);
  const policy = `${[...lines, `group all 2 ${names.join(" ")}`, "quorum all"].join("\n")}\n`;
  const record: RootRecord = {
    v: 1,
    version: 1,
    prev: null,
    publication: "2026-01-01T00:00:00Z",
    description: "A root for tests",
    keys: { keys: [rootKey.key], threshold: 1 },
    services: servicesOf({ [zone]: { urls: [url] } } as unknown as RootRecord["zones"]),
    zones: {
      [zone]: {
        operator: "Nobody",
        kind: "country",
        urls: [url],
        log: { origin, key: logKey.key, url: `${url}log/${zone}/` },
        keys: [zoneKey.key],
        legalKeys: [],
        policy,
        status: "active",
        escrow: null,
      },
    },
    root: {
      urls: [url],
      log: { origin: "root.example", key: rootLogKey.key, url: `${url}log/root/` },
      policy,
      keys: [rootKey.key],
    },
  };
  const signed = await signRootRecord({ record, sigs: [] }, null, [rootKey]);

  const entries: Bytes[] = [];
  const heads = new Map<
    PassportId,
    { readonly head: Head; readonly opening: Bytes; readonly placed: Placed }
  >();
  let waiting: Leaf[] = [];
  let note = "";
  let shown: {
    readonly all: readonly Placed[];
    readonly heads: typeof heads;
    readonly proof: Pick<Absence["absence"], "shard" | "rootLeaf" | "log">;
  } | null = null;
  let epoch = 0;
  let openings = 0;

  async function commit(id: PassportId, head: Head, opening: Bytes): Promise<Placed> {
    const newest = head.auth.at(-1)?.op as Head["auth"][number]["op"];
    const hashed = (op: Parameters<typeof bytesOfOperation>[0]) =>
      encodeBase64url(hash(bytesOfOperation(op)));
    const text = headRecordText({
      a: hashed(newest),
      aseq: newest.seq,
      d: head.data && hashed(head.data.op),
      dseq: head.data?.op.dseq ?? 0,
      ...(head.hold && { h: hashed(head.hold.op) }),
    });
    const key = await headKeyOf(shard, id);
    const mac = createHmac("sha256", opening).update("DCANN-commit-v1\0").update(key).update(text);
    return { key, commit: new Uint8Array(mac.digest()) };
  }

  const hashes = () => entries.map((entry) => hash(Uint8Array.of(0), entry));

  return {
    name: zone,
    trust: record,
    signed,
    rootKey,
    zoneKey,
    log,
    witnesses,
    shard,
    async put(id, head) {
      openings += 1;
      const opening = seed === undefined ? new Uint8Array(randomBytes(32)) : secret(`opening ${openings}`);
      const placed = await commit(id, head, opening);
      heads.set(id, { head, opening, placed });
      waiting.push({ kind: "set", headKey: placed.key, commit: placed.commit });
    },
    async remove(id) {
      heads.delete(id);
      waiting.push({ kind: "delete", headKey: await headKeyOf(shard, id) });
    },
    async publish(by = {}) {
      const all = [...heads.values()].map(({ placed }) => placed);
      const root = mapRoot(all);
      epoch += 1;
      for (const leaf of [...waiting, { kind: "root" as const, epoch, count: all.length, root }])
        entries.push(encodeLeaf(leaf));
      waiting = [];
      const index = entries.length - 1;
      const body = formatCheckpoint({ origin: log.key.name, size: entries.length, root: treeRoot(hashes()) });
      note = await signNote(body, by.signers ?? [log, ...witnesses]);
      shown = {
        all,
        heads: new Map(heads),
        proof: {
          shard,
          rootLeaf: { epoch, count: all.length, root: encodeBase64url(root) },
          log: { index, path: treePath(index, hashes()).map(encodeBase64url) },
        },
      };
    },
    async answer(id) {
      if (!shown) throw new Error("Publish first");
      const found = shown.heads.get(id);
      const { path, end } = mapPath(await headKeyOf(shard, id), shown.all);
      const map = path.map((hash) => (hash.every((byte) => byte === 0) ? "" : encodeBase64url(hash)));
      if (found) {
        const opening = encodeBase64url(found.opening);
        return { id, head: found.head, proof: { ...shown.proof, opening, map }, checkpoint: note };
      }
      const last: MapEnd = end && { key: encodeBase64url(end.key), commit: encodeBase64url(end.commit) };
      return { id, absence: { ...shown.proof, map, end: last }, checkpoint: note };
    },
    checkpoint: () => note,
    file(path) {
      for (let index = 0; ; index += 1) {
        const width = tileWidth("entries", index, entries.length);
        if (width === 0) return null;
        if (path === tilePath("entries", index, width))
          return encodeEntries(entries.slice(index * 256, index * 256 + width));
      }
    },
    size: () => entries.length,
    async nextRoot(change, by = [rootKey]) {
      const next: RootRecord = {
        ...record,
        version: 2,
        prev: encodeBase64url(hash(`DCANN-root-v1\0`, jcsOf(record))),
        ...change,
      };
      return signRootRecord({ record: next, sigs: [] }, record.keys, by);
    },
  };
}

/** As canonical JSON: names in the order of their UTF-16 units, which in these records are all ASCII. */
const jcsOf = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
