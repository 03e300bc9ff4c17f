/** What a host says in its people's name: where their passports lead, and no more. */
import {
  type AuthorityOperation,
  type DataOperation,
  type Move,
  makeData,
  type PassportKey,
  type PassportState,
} from "@freehold/client/passport";

const MOVES_MAX = 16;
const REDIRECT_MONTHS = 24; // As long as a host that is left owes its people a redirect.

/** Where a passport shall lead. */
export interface Place {
  readonly webid: readonly string[];
  readonly storage: string;
}

/** The authority's keys as the DID document shows them. */
const keysShown = (op: AuthorityOperation): readonly PassportKey[] =>
  op.auth.keys.map((key, index) => ({
    id: index === 0 ? "#sign" : `#sign-${index + 1}`,
    key,
    for: ["authentication", "assertionMethod"],
  }));

const isoTime = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, "Z");

/** The issuer of all who are here. */
export interface Host {
  /** Ends in a slash. */
  readonly baseUrl: string;
  readonly now: () => Date;
}

const isOf = (keys: readonly PassportKey[], { head }: PassportState): boolean =>
  keys.every(({ key }) => head.auth.keys.includes(key));

/** Another place; a storage that changes is listed as moved. @param before What was said last; null for the first time. */
export function dataAt(
  state: PassportState,
  before: DataOperation | null,
  place: Place,
  { baseUrl, now }: Host,
): DataOperation {
  const from = before?.storage[0]?.url ?? place.storage;
  const until = now();
  until.setUTCMonth(until.getUTCMonth() + REDIRECT_MONTHS);
  const move: Move = { from, to: place.storage, at: isoTime(now()), redirectUntil: isoTime(until) };
  return makeData({
    id: state.id,
    aseq: state.head.seq,
    dseq: state.dseq + 1,
    webid: place.webid,
    oidc: baseUrl,
    storage: [{ id: "#pod", url: place.storage }, ...(before?.storage.slice(1) ?? [])],
    moved: [...(before?.moved ?? []), ...(from === place.storage ? [] : [move])].slice(-MOVES_MAX),
    keys: before && isOf(before.keys, state) ? before.keys : keysShown(state.head),
    ttl: before?.ttl ?? 3_600,
  });
}

/**
 * The same place under new keys.
 * @returns null where only the owner can say it: storage at others, or a name that a key now needs.
 */
export function dataAgain(
  state: PassportState,
  before: DataOperation,
  { baseUrl }: Host,
): DataOperation | null {
  const { origin } = new URL(baseUrl);
  const keys = keysShown(state.head);
  const isHere = before.storage.every(({ url }) => new URL(url).origin === origin);
  const isClear = !before.storage.some(({ id }) => keys.some((key) => key.id === id));
  return isHere && isClear ? { ...before, aseq: state.head.seq, dseq: state.dseq + 1, keys } : null;
}

/** It leads nowhere any more, and nothing tells where it led. */
export const dataWithdrawn = (state: PassportState): DataOperation =>
  makeData({ id: state.id, aseq: state.head.seq, dseq: state.dseq + 1, webid: [], storage: [] });

export const isWithdrawn = ({ storage, webid }: DataOperation): boolean =>
  storage.length === 0 && webid.length === 0;
