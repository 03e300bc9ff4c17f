/** What all answers of one epoch share: which map holds, that the log ends with it, and who has signed that. */
import { type Bytes, decodeBase64url } from "../passport/bytes.ts";
import { decodeKey } from "../passport/key.ts";
import { PassportError } from "../passport/verify.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import { type SignatureOptions, verifySignatureOf } from "./cosignature.ts";
import { type Edge, edgeOfLast } from "./edge.ts";
import { encodeLeaf } from "./leaf.ts";
import { leafHash, verifyInclusion } from "./merkle.ts";
import type { EpochProof, Shard, ZoneRecord } from "./model.ts";
import { parseNote, verifierKeyOf } from "./note.ts";
import { judgePolicy, parsePolicy } from "./policy.ts";
import { parseShard } from "./shard.ts";

/** By which clock a checkpoint is judged, and how old it may be. */
export interface Freshness extends SignatureOptions {
  /** Milliseconds since 1970; this machine's clock by default. */
  readonly now?: number | undefined;
  /** How long ago a quorum of witnesses must have signed at most: a day by default; five minutes suit payments. */
  readonly maxAgeSeconds?: number | undefined;
}

/** A checkpoint that its log and its witnesses have signed. */
export interface SignedTree extends Checkpoint {
  readonly shard: Shard;
  /** Of when it is: since then the quorum has stood by it. Milliseconds since 1970. */
  readonly at: number;
  /** Names, in the zone's policy, of the witnesses that signed. */
  readonly witnesses: readonly string[];
}

/** A tree that holds, and the map that it ends with. */
export interface EpochFacts extends SignedTree {
  readonly epoch: number;
  /** Passports in the map. */
  readonly count: number;
  readonly mapRoot: Bytes;
  /** From here the log can be followed. */
  readonly edge: Edge;
}

/** How old an answer may be where nobody asks for less. */
export const AGE_SECONDS_MAX = 86_400;
const CLOCKS_APART_MS = 300_000; // Witnesses and readers keep their clocks themselves.
const NEW_YEAR_MS = 86_400_000; // A large zone takes its time to begin the new year's log; readers go on with the old one.
const REMEMBERED_MAX = 64; // Epochs per zone; all answers of one share its proof.
const ANY_TIME = 1e15; // Later than every witness.

const fail = (rule: string, detail: string): never => {
  throw new PassportError(rule, detail);
};

export type Place = Pick<ZoneRecord, "log" | "policy">;

async function witnessed(text: string, shard: Shard, place: Place, options: Freshness): Promise<SignedTree> {
  const { year } = parseShard(shard);
  const origin = `${place.log.origin}/${year}`;
  const raw = decodeKey(place.log.key) ?? fail("log-signature", "The log's key is no Ed25519 key");
  const key = await verifierKeyOf(origin, 1, raw);
  const note = parseNote(text);
  const tree = parseCheckpoint(note.body);
  if (tree.origin !== origin)
    fail("origin", `The checkpoint is of ${tree.origin.slice(0, 100)}, not of ${origin}`);
  if (!(await verifySignatureOf(note, key, options)))
    fail("log-signature", "The zone's log has not signed this checkpoint");
  const policy = await parsePolicy(place.policy);
  const { now = Date.now() } = options;
  // Of any age: how old it is is asked by each reader, and what holds is remembered.
  const judged = await judgePolicy(policy, note, { ...options, now, maxAgeSeconds: Infinity });
  if (!judged.isMet) {
    const anyTime = await judgePolicy(policy, note, { ...options, now: ANY_TIME, maxAgeSeconds: Infinity });
    if (anyTime.isMet) fail("future", "Witnesses have signed at a time that has not come yet");
    const by = judged.by.length === 0 ? "none that is known" : judged.by.join(", ");
    fail("quorum", `Too few witnesses have signed, or a signature is forged: ${by}`);
  }
  const seconds = judged.asOf ?? judged.newest;
  if (seconds === null) return fail("freshness", "No witness says when it signed");
  const at = seconds * 1_000;
  if (at > Date.UTC(year + 1) + NEW_YEAR_MS) fail("shard-year", `The log of ${year} has ended`);
  return { ...tree, shard, at, witnesses: judged.by };
}

function requireFresh<T extends SignedTree>(
  tree: T,
  { now = Date.now(), maxAgeSeconds = AGE_SECONDS_MAX }: Freshness,
): T {
  if (tree.at > now + CLOCKS_APART_MS)
    fail("future", "Witnesses have signed at a time that has not come yet");
  const age = now - tree.at;
  if (age > maxAgeSeconds * 1_000)
    fail("freshness", `The signatures of the witnesses are ${Math.floor(age / 60_000)} minutes old`);
  return tree;
}

/**
 * Step 7 of an answer's verification, and all that there is to a checkpoint by itself.
 * @param place The zone's log and policy, as the root's record has them.
 * @throws PassportError `note`, `checkpoint`, `origin`, `log-signature`, `quorum`, `future`, `shard-year`, `freshness`.
 */
export const verifyCheckpoint = async (
  text: string,
  shard: Shard,
  place: Place,
  options: Freshness = {},
): Promise<SignedTree> => requireFresh(await witnessed(text, shard, place, options), options);

async function verifyAnew(
  { shard, rootLeaf, log }: EpochProof,
  checkpoint: string,
  place: Place,
  options: Freshness,
): Promise<EpochFacts> {
  const bytes = (text: string): Bytes =>
    decodeBase64url(text, 32) ?? fail("answer", "A hash is not 32 bytes in canonical form");
  const tree = await witnessed(checkpoint, shard, place, options);
  const { epoch, count } = rootLeaf;
  const mapRoot = bytes(rootLeaf.root);
  if (log.index !== tree.size - 1)
    fail("last-leaf", "The root of the map is not the last leaf: it may be an old one");
  const hash = await leafHash(encodeLeaf({ kind: "root", epoch, count, root: mapRoot }));
  const path = log.path.map(bytes);
  const { size, root } = tree;
  if (!(await verifyInclusion({ index: log.index, size, leafHash: hash, path, root })))
    fail("inclusion", "The root of the map is not in the log");
  return { ...tree, epoch, count, mapRoot, edge: await edgeOfLast(size, hash, path) };
}

const verified = new WeakMap<Place, Map<string, EpochFacts>>();

/**
 * Steps 7 and 8 of an answer's verification: the root of the map is the last leaf of a log that the zone and its witnesses
 * have signed, lately.
 * @throws PassportError as {@link verifyCheckpoint}, and `last-leaf`, `inclusion`.
 */
export async function verifyEpoch(
  proof: EpochProof,
  checkpoint: string,
  place: Place,
  options: Freshness = {},
): Promise<EpochFacts> {
  const { shard, rootLeaf, log } = proof;
  const { epoch, count, root } = rootLeaf;
  // No part of it can be read as another.
  const name = JSON.stringify([shard, epoch, count, root, log.index, log.path, checkpoint]);
  const known = verified.get(place) ?? new Map<string, EpochFacts>();
  verified.set(place, known);
  const facts = known.get(name) ?? (await verifyAnew(proof, checkpoint, place, options));
  known.delete(name); // The one that was not asked for longest is forgotten first.
  known.set(name, facts);
  for (const oldest of known.keys()) {
    if (known.size <= REMEMBERED_MAX) break;
    known.delete(oldest);
  }
  return requireFresh(facts, options);
}
