/** A log as somebody serves it: its checkpoint, held against the root's record, and its tiles. */
import {
  type FetchTile,
  parseShard,
  type Shard,
  type SignedTree,
  shardOf,
  verifyCheckpoint,
  type ZoneRecord,
} from "@freehold/client/registry";
import { verifyMlDsa44 } from "../log/signer.ts";
import { type Fetch, getBytes, getText, type WireOptions } from "../root/wire.ts";

export type LogPlace = Pick<ZoneRecord, "log" | "policy">;

export interface LogSource {
  readonly shard: Shard;
  /** @throws PassportError for one that does not hold, Error when nobody answers. */
  checkpoint(
    now: number,
    maxAgeSeconds: number,
  ): Promise<{ readonly text: string; readonly tree: SignedTree }>;
  readonly fetchTile: FetchTile;
}

const CHECKPOINT_BYTES_MAX = 256 * 1024; // As many cosignatures as a policy can name, post-quantum ones.
const TILE_BYTES_MAX = 256 * 65_537;

/** Any age will do: for trees that are only compared with others. */
export const ANY_AGE = 100 * 366 * 86_400;

export async function verifyTree(
  text: string,
  shard: Shard,
  place: LogPlace,
  now: number,
  maxAgeSeconds: number,
): Promise<SignedTree> {
  return verifyCheckpoint(text, shard, place, { now, maxAgeSeconds, verifyMlDsa44 });
}

/** @param url Where the log of that year is served, instead of by its zone: a mirror. Ends in a slash. */
export function logSource(
  fetch: Fetch,
  place: LogPlace,
  shard: Shard,
  { url, ...options }: WireOptions & { readonly url?: string } = {},
): LogSource {
  const base = url ?? `${place.log.url}${parseShard(shard).year}/`;
  return {
    shard,
    async checkpoint(now, maxAgeSeconds) {
      const text = await getText(fetch, `${base}checkpoint`, { ...options, bytesMax: CHECKPOINT_BYTES_MAX });
      return { text, tree: await verifyTree(text, shard, place, now, maxAgeSeconds) };
    },
    fetchTile: (path) => getBytes(fetch, `${base}${path}`, { ...options, bytesMax: TILE_BYTES_MAX }),
  };
}

/** The log that counts now; in the first hours of a year perhaps still that of the old one. */
export async function presentLog(
  fetch: Fetch,
  zone: string,
  place: LogPlace,
  now: number,
  maxAgeSeconds: number,
  options: WireOptions & { readonly urlOf?: (year: number) => string } = {},
): Promise<{ readonly source: LogSource; readonly text: string; readonly tree: SignedTree }> {
  const { urlOf, ...wire } = options;
  const of = (shard: Shard): LogSource =>
    logSource(fetch, place, shard, { ...wire, ...(urlOf && { url: urlOf(parseShard(shard).year) }) });
  const source = of(shardOf(zone, now));
  try {
    return { source, ...(await source.checkpoint(now, maxAgeSeconds)) };
  } catch (error) {
    const { zone: name, year } = parseShard(source.shard);
    const before = of(`${name}/${year - 1}`);
    try {
      return { source: before, ...(await before.checkpoint(now, maxAgeSeconds)) };
    } catch {
      throw error;
    }
  }
}
