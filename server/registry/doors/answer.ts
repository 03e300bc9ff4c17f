/** The texts of answers: what all answers of an epoch share is written once. */
import type { Finding, Present, Published } from "../port.ts";

/** A finding that proves that the passport is not in the map. */
export type Missing = Exclude<Finding, Present>;

interface EpochText {
  /** Members of a proof, to be followed by its own. */
  readonly proof: string;
  readonly checkpoint: string;
  /** Both, for answers about many. */
  readonly whole: string;
}

const texts = new WeakMap<Published, EpochText>();

export function epochText(published: Published): EpochText {
  const known = texts.get(published);
  if (known) return known;
  const { shard, rootLeaf, log } = published;
  const proof = JSON.stringify({ shard, rootLeaf, log }).slice(0, -1);
  const checkpoint = JSON.stringify(published.checkpoint);
  const made = { proof, checkpoint, whole: `${proof},"checkpoint":${checkpoint}}` };
  texts.set(published, made);
  return made;
}

/** Hashes and openings are base64url: nothing in them must be escaped. */
const listOf = (hashes: readonly string[]): string =>
  hashes.length === 0 ? "[]" : `["${hashes.join('","')}"]`;

/** How much of the proof somebody wants who has the rest of it already. */
export const DEPTHS = ["full", "head", "none"] as const;
export type Depth = (typeof DEPTHS)[number];

/** A bundle, or of it what `depth` leaves: `head` for who has the epoch's checkpoint already, `none` for who asks again later. */
export function bundleText(
  { id, head, opening, map }: Present,
  published: Published,
  depth: Depth = "full",
): string {
  const begun = `{"id":"${id}","head":${head}`;
  if (depth === "none") return `${begun}}`;
  const own = `"opening":"${opening}","map":${listOf(map)}`;
  if (depth === "head")
    return `${begun},"proof":{"shard":"${published.shard}","rootLeaf":${JSON.stringify(published.rootLeaf)},${own}}}`;
  const { proof, checkpoint } = epochText(published);
  return `${begun},"proof":${proof},${own}},"checkpoint":${checkpoint}}`;
}

/** One line of many, whose epoch stands once before them all. */
export function lineText({ id, head, opening, map }: Present, zone: string, status: number): string {
  return `{"id":"${id}","status":${status},"zone":"${zone}","head":${head},"opening":"${opening}","map":${listOf(map)}}\n`;
}
