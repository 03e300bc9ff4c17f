/** From a passport to the pod it leads to. What a resolver says counts only after it has been verified here. */
import { FreeholdError, fetchOk } from "./errors.ts";
import { didOf, type PassportDid, type PassportId, readId, zoneOf } from "./passport/identifier.ts";
import type { Move, Storage } from "./passport/operation.ts";
import { type Passport, PassportError, refuseRollback, remember, seenOf } from "./passport/verify.ts";
import { type AnswerOptions, type VerifiedAnswer, verifyAnswer } from "./registry/bundle.ts";
import type { EpochFacts } from "./registry/epoch.ts";
import { isOlder, ownMemory } from "./registry/memory.ts";
import type { RootRecord } from "./registry/model.ts";
import { readBounded } from "./registry/read.ts";
import { allowedBy, baseOf, type TrustOptions, trustOf } from "./registry/trust.ts";
import { type Ported, type Whereabouts, whereaboutsOf } from "./registry/whereabouts.ts";

/** Whom to ask where a passport leads, and whom to believe in it. */
export interface ResolveOptions extends TrustOptions {
  /**
   * Base addresses of resolvers, asked in this order until one gives an answer that holds; after them those that the
   * root's record names for the passport's zone.
   */
  readonly resolvers?: readonly string[];
  /** How old the witnesses' signatures may be: a day by default; for payments, 300. */
  readonly maxAgeSeconds?: number;
}

/** Where a passport leads, as far as could be verified: all of it. */
export interface Resolution {
  readonly id: PassportId;
  readonly did: PassportDid;
  /** Root of the pod. */
  readonly pod: string;
  readonly webid: string | null;
  readonly webids: readonly string[];
  readonly storage: readonly Storage[];
  readonly oidc: string | null;
  readonly moved: readonly Move[];
  readonly passport: Passport;
  /** The zone that answered, and what of its log and its witnesses the answer was held against. */
  readonly zone: string;
  readonly epoch: EpochFacts;
  /**
   * Whether it has left the zone of its birth, by the root's index. With `unknown`, the root could not be asked: a zone that
   * the passport has left could have given this answer.
   */
  readonly ported: Ported;
}

/** An answer that holds, and whether the root's index says the same. */
export type FoundAnswer = VerifiedAnswer & {
  readonly ported: Ported;
  /** Of when the index is: milliseconds since 1970. */
  readonly portedAt: number;
  /** Who was asked first, and whom it was held against; without `trust`, the root that this resolver showed. */
  readonly asked: Pick<ResolveOptions, "trust"> & { readonly base: string };
};

const ANSWER_BYTES_MAX = 1024 * 1024; // Chain and data of a long life; more is an attack.
const PROVING = [404, 410, 451]; // A no that must be proved, too.

/** Broken because the root's record has changed since it was asked for, or because the answer is a lie. */
const OF_THE_ROOT: readonly string[] = [
  "zone-unknown",
  "zone-ended",
  "origin",
  "log-signature",
  "quorum",
  "hold",
  "signature",
];

async function fetchAnswer(
  base: string,
  id: PassportId,
  options: ResolveOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  const { fetch = globalThis.fetch, signal } = options;
  const url = new URL(`v1/passports/${id}`, base).href;
  const init = { headers: { accept: "application/json" }, ...(signal && { signal }) };
  const response = await fetchOk(fetch, url, init, PROVING);
  return { status: response.status, text: await readBounded(response, ANSWER_BYTES_MAX, "answer") };
}

/** Nobody can prove anything of a zone that there is not; that there is none, the root says. */
const noSuchZone = (id: PassportId, { version }: RootRecord): FreeholdError =>
  new FreeholdError("not-found", "There is no such passport", {
    status: 404,
    detail: `The root's record (version ${version}) names no zone ${zoneOf(id)}`,
    next: "Ask a resolver of the registry that the passport is in.",
    members: { id, zone: zoneOf(id) },
  });

/** @param zone Where the passport is, by the root's index of those that left the zone of their birth. */
async function judgedAnswer(
  base: string,
  id: PassportId,
  options: ResolveOptions = {},
  zone?: string,
): Promise<VerifiedAnswer> {
  const { memory = ownMemory, now = Date.now, maxAgeSeconds } = options;
  const allowUrl = allowedBy(base, options);
  try {
    const { status, text } = await fetchAnswer(base, id, options);
    const judged = async (since?: number): Promise<VerifiedAnswer> => {
      const { record } = await trustOf(base, options, since);
      if (!Object.hasOwn(record.zones, zone ?? zoneOf(id)) && status === 404) throw noSuchZone(id, record);
      const judging: AnswerOptions = {
        now: now(),
        maxAgeSeconds,
        allowUrl,
        ...(zone !== undefined && { zone }),
      };
      return verifyAnswer(text, id, record, judging);
    };
    const asked = now();
    const answer = await judged().catch((error: unknown) => {
      const isOfRoot = error instanceof PassportError && OF_THE_ROOT.includes(error.rule);
      if (!isOfRoot) throw error;
      return judged(asked);
    });
    if (answer.kind === "present") refuseRollback(answer.passport, await memory.get(id));
    return answer;
  } catch (error) {
    throw toError(error, id, base);
  }
}

/** Not before it is known that it counts: what a thief and one zone have made up must not stand in the way of what is true. */
async function remembered<T extends VerifiedAnswer>(
  answer: T,
  { memory = ownMemory }: ResolveOptions,
): Promise<T> {
  if (answer.kind === "present")
    await memory.set(answer.id, remember(answer.passport, await memory.get(answer.id)));
  return answer;
}

/**
 * Asks one resolver, and verifies what it says, whatever it says. Whether the passport has left the zone that answers is not
 * asked: `findAnswer` does.
 * @param base Base address of the resolver.
 * @throws FreeholdError `passport-invalid` for an answer that does not hold or is older than one seen before,
 * `root-changed`, `unreachable`, or the server's own refusal.
 */
export const askResolver = async (
  base: string,
  id: PassportId,
  options: ResolveOptions = {},
): Promise<VerifiedAnswer> => remembered(await judgedAnswer(base, id, options), options);

function toError(error: unknown, id: PassportId, base: string): unknown {
  if (!(error instanceof PassportError)) return error;
  const { rule, detail } = error;
  return new FreeholdError("passport-invalid", "The resolver's answer does not hold", {
    detail: `${detail} (rule ${rule})`,
    next: "Ask another resolver; do not use what this one said.",
    url: base,
    members: { rule, id },
    cause: error,
  });
}

/** What counts if no resolver's answer held: a lie more than a silence, a silence more than "not here". */
const gravity = ({ code, status }: FreeholdError): number => {
  if (code === "root-changed") return 4;
  if (code === "passport-invalid") return 3;
  return status === 404 ? 1 : 2;
};

/** Those that the root's records name for the zone, beside the resolvers that were named; each with the record that does. */
async function othersFor(
  id: PassportId,
  bases: readonly string[],
  options: ResolveOptions,
): Promise<ReadonlyMap<string, RootRecord>> {
  const { trust, memory = ownMemory } = options;
  const pinned = await Promise.all(bases.map((base) => memory.root(base)));
  const others = new Map<string, RootRecord>();
  for (const record of [trust, ...pinned.map((one) => one?.record)]) {
    for (const url of record?.zones[zoneOf(id)]?.urls ?? [])
      if (record && !bases.includes(url) && !others.has(url)) others.set(url, record);
  }
  return others;
}

/** What is remembered is good enough, unless what was shown is newer. */
function isAtLeast(there: VerifiedAnswer | null, shown: VerifiedAnswer | FreeholdError): boolean {
  if (there?.kind !== "present") return false;
  if (shown instanceof FreeholdError || shown.kind === "absent") return true;
  return !isOlder(seenOf(there.passport), seenOf(shown.passport));
}

/**
 * Holds an answer against the root's index: where that says, the passport is, or it is nowhere. A zone that it has left may
 * still have keys, witnesses and a copy of what was.
 * @param shown An answer, or why there is none: where the passport has left the zone that lies or is away, nobody needs it.
 * @throws FreeholdError the gravest reason, where the zone that the index names gives no answer that holds.
 */
async function confirmed(
  base: string,
  id: PassportId,
  shown: VerifiedAnswer | FreeholdError,
  options: ResolveOptions,
): Promise<FoundAnswer> {
  const root = trustOf(base, options);
  const { record } = await (shown instanceof FreeholdError ? root.catch(() => Promise.reject(shown)) : root);
  const zoneShown = shown instanceof FreeholdError ? zoneOf(id) : shown.zone;
  const asked = { base, ...(options.trust && { trust: options.trust }) };
  const told = (found: VerifiedAnswer, { ported, at }: Whereabouts): FoundAnswer => ({
    ...found,
    ported,
    portedAt: at,
    asked,
  });
  const thoseOf = (zone: string): Promise<Said<VerifiedAnswer>> =>
    askAll(record.zones[zone]?.urls ?? [], (url) => judgedAnswer(url, id, options, zone));
  let place = await whereaboutsOf(base, id, record, options);
  const isElsewhere = place.zone !== null && place.zone !== zoneShown;
  if (place.isRemembered && isElsewhere) {
    const { present } = await thoseOf(place.zone ?? zoneShown);
    if (present && isAtLeast(present, shown)) return told(present, place);
  }
  const isShown = !(shown instanceof FreeholdError) && shown.kind === "present";
  if (place.isRemembered && (isElsewhere || !isShown))
    place = await whereaboutsOf(base, id, record, { ...options, isAnew: true }); // It may have gone on since.
  if (place.zone !== null && place.zone !== zoneShown)
    return told(settled(await thoseOf(place.zone), true), place);
  if (shown instanceof FreeholdError) throw shown;
  return told(shown, place);
}

/** What several resolvers said: the first that has the passport ends it. */
interface Said<T> {
  readonly present: T | null;
  readonly absent: T | null;
  /** The gravest reason of those that gave no answer. */
  readonly worst: FreeholdError | null;
}

async function askAll<T extends VerifiedAnswer>(
  bases: readonly string[],
  ask: (base: string) => Promise<T>,
): Promise<Said<T>> {
  let worst: FreeholdError | null = null;
  let absent: T | null = null;
  for (const base of bases) {
    try {
      const answer = await ask(base);
      if (answer.kind === "present") return { present: answer, absent, worst };
      absent ??= answer;
    } catch (error) {
      if (!(error instanceof FreeholdError)) throw error;
      if (!worst || gravity(error) > gravity(worst)) worst = error;
    }
  }
  return { present: null, absent, worst };
}

/**
 * @param isOneRoot Whether an absence that one has proved is one for all. Resolvers that were believed at first sight may
 * be of registries that know nothing of each other.
 */
function settled<T>({ present, absent, worst }: Said<T>, isOneRoot: boolean): T {
  if (present) return present;
  if (absent && (isOneRoot || !worst)) return absent;
  throw worst ?? new FreeholdError("input-invalid", "No resolver was named");
}

/**
 * Asks resolvers until one gives an answer that holds: those that were named, and if none does, those that the root's
 * record names.
 * @throws FreeholdError the gravest reason, if none does.
 */
export async function findAnswer(id: PassportId, options: ResolveOptions): Promise<FoundAnswer> {
  const bases = (options.resolvers ?? []).map(baseOf);
  const ask = async (base: string, trust = options.trust): Promise<FoundAnswer> => {
    const held = { ...options, ...(trust && { trust }) };
    const shown = await judgedAnswer(base, id, held).catch((error: unknown) => {
      if (error instanceof FreeholdError && error.code !== "root-changed") return error;
      throw error;
    });
    return remembered(await confirmed(base, id, shown, held), held);
  };
  const named = await askAll(bases, (base) => ask(base));
  if (named.present || named.absent) return settled(named, options.trust !== undefined);
  const others = await othersFor(id, bases, options);
  const { present, absent, worst } = await askAll([...others.keys()], (url) => ask(url, others.get(url)));
  return settled({ present, absent, worst: named.worst ?? worst }, true);
}

/**
 * Finds out where a passport leads, and believes nobody in it: the chain of its owner's keys, the registry's map and log,
 * the signatures of the witnesses and their age are verified here. Without `trust`, the root's record that a resolver shows
 * first is believed, and held to from then on.
 * @param passport Identifier or DID, in lower or upper case.
 * @throws FreeholdError `input-invalid` for what is no identifier, `passport-invalid` when an answer does not hold or is
 * older than one seen before, `root-changed` when a resolver's root is not the one it was, `pod-unknown` while a passport
 * leads nowhere, `passport-deactivated`, `passport-held`, `not-found` when it is proved that there is none, `unreachable`.
 */
export async function resolve(passport: string, options: ResolveOptions): Promise<Resolution> {
  return resolutionOf(await findAnswer(readPassport(passport), options));
}

/** @throws FreeholdError `input-invalid` with the place of the mistake. */
export function readPassport(text: string): PassportId {
  const reading = readId(text);
  if (reading.kind === "id") return reading.id;
  throw new FreeholdError("input-invalid", "This is not a passport identifier", { detail: reading.hint });
}

/** @throws FreeholdError `not-found`, `passport-deactivated`, `passport-held`, `pod-unknown` for what leads nowhere. */
export function resolutionOf(answer: FoundAnswer): Resolution {
  const { id, zone, epoch, ported } = answer;
  if (answer.kind === "absent")
    throw new FreeholdError("not-found", "There is no such passport", {
      status: 404,
      detail: `The zone ${zone} has proved it at epoch ${epoch.epoch}`,
      next:
        ported === "unknown"
          ? "The root cannot be asked whether the passport has left that zone: try again later."
          : "Compare the identifier with its owner's: it may have been erased.",
      members: { id, zone, epoch: epoch.epoch, ported },
    });
  const { passport, hold, isDeactivated } = answer;
  if (hold)
    throw new FreeholdError("passport-held", "The zone holds this passport", {
      status: 451,
      detail: `${hold.reason}, case ${hold.case}, since ${hold.at}`,
      next: `Ask the zone ${zone} by that case. Its owner's keys and data are as they were.`,
      members: { id, zone, case: hold.case, reason: hold.reason, at: hold.at },
    });
  if (isDeactivated)
    throw new FreeholdError("passport-deactivated", "The passport is deactivated", {
      status: 410,
      detail: "Its owner has put it to rest; only its owner can wake it",
      members: { id, zone },
    });
  const { data } = passport;
  const pod = data?.storage[0]?.url;
  if (!data || pod === undefined) {
    throw new FreeholdError("pod-unknown", "The passport leads to no pod at present", {
      next: "Its owner changes hosts: try again later.",
    });
  }
  const { webid: webids, storage, oidc, moved } = data;
  const webid = webids[0] ?? null;
  return { id, did: didOf(id), pod, webid, webids, storage, oidc, moved, passport, zone, epoch, ported };
}
