/**
 * Resolutions that are kept for as long as they are true. Everything that changes a passport stands in its zone's log under
 * a key that only who knows the passport can tell, so the log says when to ask again, and nobody learns what was asked for.
 */
import { FreeholdError, fetchOk } from "./errors.ts";
import { encodeBase64url, jcs, sameBytes } from "./passport/bytes.ts";
import type { PassportId } from "./passport/identifier.ts";
import { PassportError } from "./passport/verify.ts";
import type { VerifiedAnswer } from "./registry/bundle.ts";
import { addLeaf, type Edge, rootOfEdge } from "./registry/edge.ts";
import { AGE_SECONDS_MAX, type SignedTree, verifyCheckpoint } from "./registry/epoch.ts";
import { decodeLeaf } from "./registry/leaf.ts";
import { leafHash } from "./registry/merkle.ts";
import { readBounded, readBoundedBytes } from "./registry/read.ts";
import { readLeaves } from "./registry/tiles.ts";
import { trustOf } from "./registry/trust.ts";
import { whereaboutsOf } from "./registry/whereabouts.ts";
import {
  type FoundAnswer,
  findAnswer,
  type Resolution,
  type ResolveOptions,
  readPassport,
  resolutionOf,
} from "./resolve.ts";

export interface CacheOptions extends ResolveOptions {
  /** The log is not looked at again within this time: how much later than its zone a reader may know of a change. */
  readonly validMs?: number;
  readonly entriesMax?: number;
}

/** What a cache did so far. */
export interface CacheCounts {
  readonly entries: number;
  /** Answers given without asking for them again. */
  readonly hits: number;
  readonly misses: number;
  /** Answers that were forgotten because the log said so. */
  readonly changed: number;
}

export interface PassportCache {
  /** As `resolve`. @throws FreeholdError as `resolve`; `log-forked` when a zone's log is not the one it was. */
  resolve(passport: string): Promise<Resolution>;
  /** Forgets one passport, or everything. */
  forget(passport?: string): void;
  counts(): CacheCounts;
}

const VALID_MS = 5_000;
const ENTRIES_MAX = 100_000;
const LEAVES_MAX = 100_000; // Behind by more than this, it is cheaper to ask again.
const CHECKPOINT_BYTES_MAX = 65_536;
const TILE_BYTES_MAX = 65_536; // 256 entries of at most 65 bytes, and room.

const isSilence = (error: unknown): boolean =>
  error instanceof FreeholdError && (error.code === "unreachable" || error.status >= 500);

/** One zone's log, followed from the answer that it was first met by. */
interface Followed {
  readonly place: VerifiedAnswer["place"];
  readonly shard: string;
  edge: Edge;
  tree: SignedTree;
  /** Milliseconds since 1970. */
  lookedAt: number;
  looking: Promise<boolean> | null;
  /** By the keys that the log knows them by. */
  readonly ids: Map<string, PassportId>;
}

/** A cache for one program. What was not changed in the log costs one small request for all passports of a zone. */
export function createPassportCache(options: CacheOptions): PassportCache {
  const { validMs = VALID_MS, entriesMax = ENTRIES_MAX, fetch = globalThis.fetch, now = Date.now } = options;
  const { maxAgeSeconds, signal } = options;
  const answers = new Map<PassportId, FoundAnswer>();
  const zones = new Map<string, Followed>();
  let [hits, misses, changed] = [0, 0, 0];

  const nameOf = ({ epoch }: VerifiedAnswer): string => epoch.origin;

  function forgetOne(id: PassportId): void {
    const answer = answers.get(id);
    if (answer) zones.get(nameOf(answer))?.ids.delete(encodeBase64url(answer.headKey));
    answers.delete(id);
  }

  function forgetZone(origin: string): void {
    for (const id of zones.get(origin)?.ids.values() ?? []) answers.delete(id);
    zones.delete(origin);
  }

  function keep(answer: FoundAnswer): void {
    const origin = nameOf(answer);
    const { epoch, place, id } = answer;
    let zone = zones.get(origin);
    if (!zone) {
      const { edge } = epoch;
      zone = { place, shard: epoch.shard, edge, tree: epoch, lookedAt: now(), looking: null, ids: new Map() };
      zones.set(origin, zone);
    }
    // What changed between the log as far as it was read and this answer is in this answer; what comes after is read.
    if (epoch.size < zone.edge.size) return; // Older than what is known: good for now, not to be kept.
    answers.delete(id);
    answers.set(id, answer);
    zone.ids.set(encodeBase64url(answer.headKey), id);
    for (const oldest of answers.keys()) {
      if (answers.size <= entriesMax) break;
      forgetOne(oldest);
    }
  }

  async function get(
    url: string,
    bytesMax: number,
    fine: readonly number[] = [],
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const response = await fetchOk(fetch, url, { ...(signal && { signal }) }, fine);
    if (response.ok) return readBoundedBytes(response, bytesMax, "tile");
    await response.body?.cancel();
    return null;
  }

  /** Reads what came since. @returns false when the log cannot be followed any further from here. */
  async function look(zone: Followed): Promise<boolean> {
    const base = `${zone.place.log.url}${zone.shard.slice(-4)}/`;
    const response = await fetchOk(fetch, `${base}checkpoint`, { ...(signal && { signal }) });
    const text = await readBounded(response, CHECKPOINT_BYTES_MAX, "note");
    const tree = await verifyCheckpoint(text, zone.shard, zone.place, { now: now(), maxAgeSeconds });
    const { edge } = zone;
    if (tree.size < edge.size) return true; // A copy that is behind says nothing new; how old that may be, freshness tells.
    if (tree.size - edge.size > LEAVES_MAX) return false;
    const touched: string[] = [];
    let next = edge;
    for await (const entry of readLeaves(
      (path) => get(base + path, TILE_BYTES_MAX, [404]),
      edge.size,
      tree.size,
      tree.size,
    )) {
      const leaf = decodeLeaf(entry);
      if (leaf.kind === "set" || leaf.kind === "delete") touched.push(encodeBase64url(leaf.headKey));
      next = await addLeaf(next, await leafHash(entry));
    }
    if (!sameBytes(await rootOfEdge(next), tree.root))
      throw new PassportError("consistency", "What the log has now does not follow from what it had");
    for (const key of touched) {
      const id = zone.ids.get(key);
      const answer = id && answers.get(id);
      // One that was asked for meanwhile is newer than this leaf.
      if (!answer || answer.epoch.size >= next.size) continue;
      changed += 1;
      forgetOne(id);
    }
    zone.edge = next;
    zone.tree = tree;
    return true;
  }

  /** @returns whether what is kept of the zone is true. */
  async function isTrue(zone: Followed): Promise<boolean> {
    if (now() - zone.lookedAt < validMs) return true;
    zone.looking ??= look(zone)
      .then((isFollowed) => {
        zone.lookedAt = now();
        return isFollowed;
      })
      .finally(() => (zone.looking = null));
    try {
      return await zone.looking;
    } catch (error) {
      if (error instanceof PassportError && error.rule === "consistency")
        throw new FreeholdError("log-forked", "The zone's log is not the one it was", {
          detail: error.detail,
          url: zone.place.log.url,
          next: "Keep what you have of it and show it to others: nobody may rewrite a log.",
          cause: error,
        });
      if (error instanceof PassportError || error instanceof FreeholdError) return false;
      throw error;
    }
  }

  const isFresh = (at: number): boolean => now() - at <= (maxAgeSeconds ?? AGE_SECONDS_MAX) * 1_000;

  /**
   * What a zone's own log cannot say: whether the root has let the passport go elsewhere, or has given the zone to somebody
   * else. Looked at once a day, as everywhere.
   * @returns null when it must be asked for again.
   */
  async function unlessGone(answer: FoundAnswer): Promise<FoundAnswer | null> {
    const { id, zone, place, ported, portedAt, asked } = answer;
    if (ported !== "unknown" && isFresh(portedAt)) return answer;
    const { base, trust } = asked;
    const { record } = await trustOf(base, { ...options, ...(trust && { trust }) });
    const now = record.zones[zone];
    if (!now || jcs(now) !== jcs(place)) return null;
    const found = await whereaboutsOf(base, id, record, options);
    if (found.zone !== null && found.zone !== zone) return null;
    const known = { ...answer, ported: found.ported, portedAt: found.at };
    if (answers.get(id) === answer) answers.set(id, known);
    return known;
  }

  async function answerFor(id: PassportId): Promise<FoundAnswer> {
    const known = answers.get(id);
    const zone = known && zones.get(nameOf(known));
    const holds = zone !== undefined && (await isTrue(zone));
    const last = zone && answers.get(id);
    const kept = last && (await unlessGone(last));
    const asOf = kept && { ...kept, epoch: { ...kept.epoch, at: zone.tree.at } };
    if (holds && asOf) {
      hits += 1;
      return asOf;
    }
    try {
      const answer = await findAnswer(id, options);
      misses += 1;
      if (zone && !holds) forgetZone(zone.tree.origin);
      keep(answer);
      return answer;
    } catch (error) {
      // Nobody answers: what was proved lately is as good as a bundle of the same age.
      if (!asOf || !isSilence(error) || !isFresh(zone.tree.at)) throw error;
      hits += 1;
      return asOf;
    }
  }

  return {
    resolve: async (passport) => resolutionOf(await answerFor(readPassport(passport))),
    forget(passport) {
      if (passport !== undefined) return forgetOne(readPassport(passport));
      answers.clear();
      return zones.clear();
    },
    counts: () => ({ entries: answers.size, hits, misses, changed }),
  };
}
