/**
 * Which zone a passport is in, as the root's index of those that left says: a zone that was left may go on serving what was,
 * with keys and witnesses that are as good as ever. Asked once for each passport and day, and when it is not where it was.
 */
import { FreeholdError, fetchOk } from "../errors.ts";
import { encodeBase64url } from "../passport/bytes.ts";
import { type PassportId, zoneOf } from "../passport/identifier.ts";
import { JsonError, parseStrictJson } from "../passport/json.ts";
import { PassportError } from "../passport/verify.ts";
import { AGE_SECONDS_MAX } from "./epoch.ts";
import { isOlderPorted, type Memory, ownMemory, type SeenPorted } from "./memory.ts";
import type { RootRecord } from "./model.ts";
import { portedKeyOf, readPorted } from "./ported.ts";
import { readBounded } from "./read.ts";
import type { TrustOptions } from "./trust.ts";

/**
 * What the root's index says: `yes`, the passport has left the zone of its birth; `no`, it has not, or its registry has no
 * zone that it could leave for; `unknown`, nobody could be asked, and the answer is the word of one zone alone.
 */
export type Ported = "yes" | "no" | "unknown";

/** Where a passport is. */
export interface Whereabouts {
  readonly ported: Ported;
  /** Null where nothing is known. With `unknown`, where it was when the index was last asked. */
  readonly zone: string | null;
  /** Of when this is: milliseconds since 1970. */
  readonly at: number;
  /** Nobody was asked for it now. */
  readonly isRemembered: boolean;
}

export interface WhereaboutsOptions extends Pick<TrustOptions, "memory" | "fetch" | "now" | "signal"> {
  /** How old the root's word may be: a day by default. */
  readonly maxAgeSeconds?: number | undefined;
  /** What is remembered does not do: an answer says something else, or there is none. */
  readonly isAnew?: boolean;
}

const ANSWER_BYTES_MAX = 65_536 + 32 * 1024; // A checkpoint with its cosignatures, and two paths.
const ANSWER_MS_MAX = 5_000; // A root that hangs holds nobody up.
const SILENT_MS = 30_000; // Nor does it anybody who asks for many.

/** Until when roots are not asked again, by the keys of their logs. */
const silent = new WeakMap<Memory, Map<string, number>>();

const within = (signal: AbortSignal | undefined): AbortSignal => {
  const timeout = AbortSignal.timeout(ANSWER_MS_MAX);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
};

/** @returns null for who gives no answer that holds; `none` for a root that has no index. */
async function askRoot(
  url: string,
  id: PassportId,
  record: RootRecord,
  { fetch = globalThis.fetch, now = Date.now, maxAgeSeconds, signal }: WhereaboutsOptions,
): Promise<SeenPorted | null | "none"> {
  const key = encodeBase64url(await portedKeyOf(id)); // Who answers learns no identifier.
  try {
    const response = await fetchOk(fetch, `${url}v1/ported/${key}`, { signal: within(signal) }, [404]);
    if (response.status === 404) {
      await response.body?.cancel();
      return "none";
    }
    const text = await readBounded(response, ANSWER_BYTES_MAX, "answer");
    const freshness = { now: now(), maxAgeSeconds };
    const { zone, epoch } = await readPorted(parseStrictJson(text), id, record, freshness);
    return { zone, shard: epoch.shard, epoch: epoch.epoch, at: epoch.at };
  } catch (error) {
    signal?.throwIfAborted();
    const isRefused =
      error instanceof PassportError || error instanceof JsonError || error instanceof FreeholdError;
    // A connection that breaks off while it is read, or takes too long.
    if (isRefused || error instanceof TypeError || error instanceof DOMException) return null;
    throw error;
  }
}

/**
 * Asks the root's addresses until one proves where the passport is. Never fails: whoever cannot ask is told so.
 * @param base Who gave the answer that is held against this. A root that answers for its own zones and has no index has none.
 * @param record The root's record.
 */
export async function whereaboutsOf(
  base: string,
  id: PassportId,
  record: RootRecord,
  options: WhereaboutsOptions = {},
): Promise<Whereabouts> {
  const { memory = ownMemory, now = Date.now, maxAgeSeconds = AGE_SECONDS_MAX, isAnew = false } = options;
  const home = zoneOf(id);
  if (Object.keys(record.zones).length < 2)
    return { ported: "no", zone: home, at: now(), isRemembered: false };
  const { key } = record.root.log;
  const of = `${id} ${key}`;
  const before = await memory.ported(of);
  const said = ({ zone, at }: SeenPorted, isRemembered: boolean): Whereabouts => ({
    ported: zone === home ? "no" : "yes",
    zone,
    at,
    isRemembered,
  });
  const isFresh =
    before !== null && before.at <= now() + 300_000 && now() - before.at <= maxAgeSeconds * 1_000;
  if (isFresh && !isAnew) return said(before, true);
  const silence = silent.get(memory) ?? new Map<string, number>();
  silent.set(memory, silence);
  const unasked = (): Whereabouts =>
    isFresh
      ? said(before, false)
      : { ported: "unknown", zone: before?.zone ?? null, at: now(), isRemembered: false };
  if ((silence.get(key) ?? 0) > now()) return unasked();
  for (const url of record.root.urls) {
    const found = await askRoot(url, id, record, options);
    if (found === "none" && url === base && !before)
      return { ported: "no", zone: home, at: now(), isRemembered: false };
    if (found === null || found === "none") continue;
    if (before && isOlderPorted(found, before)) continue; // Another copy of the index may be further.
    await memory.setPorted(of, found);
    return said(found, false);
  }
  silence.set(key, now() + SILENT_MS);
  return unasked();
}
