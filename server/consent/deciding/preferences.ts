/**
 * What a person has said beforehand: how open to be, to everybody, to kinds of companies and to single ones; what never; and
 * how to be spoken to. Kept and sent as this JSON; `compile.ts` says the same in ODRL.
 */
import { isPersonalDataCategory, isPurpose } from "@freehold/vocab";
import { Problem } from "../../errors.ts";
import { type CampaignPreference, CHANNELS, type Channel } from "./campaign.ts";
import { type LevelNumber, SWITCHES, type Switch } from "./levels.ts";

/** How open to be to somebody. */
export interface Standing {
  readonly level: LevelNumber;
  readonly switches: readonly Switch[];
  /** "Confirmed by owner on", milliseconds since 1970. */
  readonly confirmed: number;
}

export interface Preferences {
  /** Counts up with every change; 0: the owner never said anything. */
  readonly version: number;
  /** For everybody of whom nothing else is said. */
  readonly everybody: Standing;
  /** By kind of company, such as "insurer". */
  readonly vendorCategories: Readonly<Record<string, Standing>>;
  /** What kinds of company somebody is, by WebID, in the owner's words: beside those that a register has. */
  readonly vendorKinds: Readonly<Record<string, readonly string[]>>;
  /** By WebID. */
  readonly vendors: Readonly<Record<string, Standing>>;
  /** WebIDs that are always refused. */
  readonly blocked: readonly string[];
  /** What nobody gets, for what or of what. */
  readonly never: { readonly purposes: readonly string[]; readonly categories: readonly string[] };
  /** Where data may be kept, `https://w3id.org/dpv/loc#DE`; null: anywhere. */
  readonly locations: readonly string[] | null;
  /** Marketing for less than this is asked about; null: no price. */
  readonly priceFloor: { readonly amount: string; readonly currency: string } | null;
  /** What lies where, as far as the owner has said: canonical path of a folder or document → kinds of data. */
  readonly holds: Readonly<Record<string, readonly string[]>>;
  readonly campaigns: CampaignPreference;
}

const DAY = 86_400_000;
/** What was agreed to longer ago than this grants nothing more until it is confirmed. The longest a grant may last. */
export const FRESH_MS = 396 * DAY;

export const isFresh = (confirmed: number, now: number): boolean => now - confirmed <= FRESH_MS;

/** Of a person who never said anything: nothing is given, nothing is refused, all is asked about. */
export const NO_PREFERENCES: Preferences = Object.freeze({
  version: 0,
  everybody: Object.freeze({ level: 1 as const, switches: Object.freeze([]), confirmed: 0 }),
  vendorCategories: Object.freeze({}),
  vendorKinds: Object.freeze({}),
  vendors: Object.freeze({}),
  blocked: Object.freeze([]),
  never: Object.freeze({ purposes: Object.freeze([]), categories: Object.freeze([]) }),
  locations: null,
  priceFloor: null,
  holds: Object.freeze({}),
  campaigns: Object.freeze({
    channels: Object.freeze([]),
    places: null,
    topics: null,
    quiet: Object.freeze([]),
    maxPerWeek: null,
    timeZone: "UTC",
    confirmed: 0,
  }),
});

/** @returns every kind of company that somebody is, by the register and by the owner. */
export function categoriesOf(
  { vendorKinds }: Preferences,
  vendor: string,
  registered: readonly string[],
): readonly string[] {
  return [
    ...new Set([...registered, ...(Object.hasOwn(vendorKinds, vendor) ? (vendorKinds[vendor] ?? []) : [])]),
  ];
}

/**
 * What counts for one company: what is said of itself, else of its kind (of several kinds the most closed), else of everybody.
 * @returns it, and where it stands, as a rule's name.
 */
export function standingOf(
  preferences: Preferences,
  vendor: string,
  registered: readonly string[],
): { readonly standing: Standing; readonly rule: string } {
  const own = Object.hasOwn(preferences.vendors, vendor) ? preferences.vendors[vendor] : undefined;
  if (own) return { standing: own, rule: `vendor:${vendor}` };
  const found = categoriesOf(preferences, vendor, registered)
    .filter((kind) => Object.hasOwn(preferences.vendorCategories, kind))
    .map((kind) => ({ kind, standing: preferences.vendorCategories[kind] }))
    .sort((a, b) => (a.standing?.level ?? 0) - (b.standing?.level ?? 0))[0];
  if (found?.standing) return { standing: found.standing, rule: `vendors:${found.kind}` };
  return { standing: preferences.everybody, rule: "everybody" };
}

const ENTRIES_MAX = 1_000; // Companies, folders: more than a person keeps in mind, little enough to look through each time.
const LIST_MAX = 64;
const TEXT_MAX = 2_048;

type Json = Readonly<Record<string, unknown>>;

function refuse(at: string, expected: string): never {
  const detail = `${at}: ${expected}`;
  throw new Problem("input-invalid", detail, {
    errors: [{ detail, at: at === "preferences" ? "" : `/${at}` }],
  });
}

function object(value: unknown, at: string, members: readonly string[] | null): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(at, "give an object");
  const stranger = members && Object.keys(value).find((name) => !members.includes(name));
  if (stranger !== undefined && stranger !== null) refuse(at, `"${stranger.slice(0, 64)}" is not known here`);
  return value as Json;
}

function list<T>(
  value: unknown,
  at: string,
  read: (item: unknown, at: string) => T,
  max = LIST_MAX,
): readonly T[] {
  if (!Array.isArray(value) || value.length > max) refuse(at, `give a list of at most ${max}`);
  return (value as readonly unknown[]).map((item, index) => read(item, `${at}/${index}`));
}

function text(value: unknown, at: string): string {
  if (typeof value !== "string" || value === "" || value.length > TEXT_MAX) refuse(at, "give a short text");
  return value;
}

function address(value: unknown, at: string): string {
  const iri = text(value, at);
  if (!/^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]+$/i.test(iri)) refuse(at, "give an address");
  return iri;
}

function known(test: (iri: string) => boolean, what: string) {
  return (value: unknown, at: string): string => {
    const iri = address(value, at);
    if (!test(iri)) refuse(at, `give ${what} of the Data Privacy Vocabulary`);
    return iri;
  };
}
const purpose = known(isPurpose, "a purpose");
const category = known(isPersonalDataCategory, "a category of personal data");

function oneOf<const T extends string>(choices: readonly T[]) {
  return (value: unknown, at: string): T => {
    if (!choices.includes(value as T)) refuse(at, `give one of ${choices.join(", ")}`);
    return value as T;
  };
}

function whole(value: unknown, at: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    refuse(at, `give a whole number from ${least} to ${most}`);
  return value;
}

function standing(value: unknown, at: string, now: number): Standing {
  const given = object(value, at, ["level", "switches", "confirmed"]);
  return {
    level: whole(given["level"], `${at}/level`, 0, 5) as LevelNumber,
    switches: [...new Set(list(given["switches"] ?? [], `${at}/switches`, oneOf(SWITCHES)))],
    // What is sent is confirmed by being sent; nobody can have confirmed it later than now.
    confirmed: Math.min(whole(given["confirmed"] ?? now, `${at}/confirmed`, 0, Number.MAX_SAFE_INTEGER), now),
  };
}

function byName<T>(
  value: unknown,
  at: string,
  read: (item: unknown, at: string) => T,
  readName: (name: unknown, at: string) => string = text,
): Readonly<Record<string, T>> {
  const entries = Object.entries(object(value ?? {}, at, null));
  if (entries.length > ENTRIES_MAX) refuse(at, `give at most ${ENTRIES_MAX}`);
  const read1 = entries.map(
    ([name, item]) => [readName(name, at), read(item, `${at}/${name.slice(0, 64)}`)] as const,
  );
  return Object.fromEntries(read1);
}

function campaigns(value: unknown, at: string, now: number): CampaignPreference {
  const given = object(value, at, [
    "channels",
    "places",
    "topics",
    "quiet",
    "maxPerWeek",
    "timeZone",
    "confirmed",
  ]);
  const timeOfDay = (time: unknown, where: string): string => {
    const said = text(time, where);
    if (!/^(?:[01]\d|2[0-3]):[0-5]\d$/.test(said)) refuse(where, "give a time of day such as 20:30");
    return said;
  };
  const timeZone = text(given["timeZone"] ?? "UTC", `${at}/timeZone`);
  try {
    Intl.DateTimeFormat("en", { timeZone });
  } catch (cause) {
    throw new Problem("input-invalid", `${at}/timeZone: give a time zone such as Europe/Berlin`, { cause });
  }
  return {
    channels: [...new Set(list<Channel>(given["channels"] ?? [], `${at}/channels`, oneOf(CHANNELS)))],
    places:
      given["places"] === null || given["places"] === undefined
        ? null
        : list(given["places"], `${at}/places`, (place, where) => {
            const code = text(place, where);
            if (!/^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/.test(code)) refuse(where, "give a code such as DE or DE-BY");
            return code;
          }),
    topics:
      given["topics"] === null || given["topics"] === undefined
        ? null
        : list(given["topics"], `${at}/topics`, address),
    quiet: list(
      given["quiet"] ?? [],
      `${at}/quiet`,
      (hours, where) => {
        const { from, until } = object(hours, where, ["from", "until"]);
        return { from: timeOfDay(from, `${where}/from`), until: timeOfDay(until, `${where}/until`) };
      },
      7,
    ),
    maxPerWeek:
      given["maxPerWeek"] === null || given["maxPerWeek"] === undefined
        ? null
        : whole(given["maxPerWeek"], `${at}/maxPerWeek`, 0, 1_000),
    timeZone,
    confirmed: Math.min(whole(given["confirmed"] ?? now, `${at}/confirmed`, 0, Number.MAX_SAFE_INTEGER), now),
  };
}

/**
 * Reads what an owner sends.
 * @param version The version that is kept now; the new one is one more.
 * @throws Problem `input-invalid` for what is unknown: a word that was passed over could have been a "never".
 */
export function parsePreferences(value: unknown, version: number, now: number): Preferences {
  const given = object(value, "preferences", [
    "version",
    "everybody",
    "vendorCategories",
    "vendorKinds",
    "vendors",
    "blocked",
    "never",
    "locations",
    "priceFloor",
    "holds",
    "campaigns",
  ]);
  const never = object(given["never"] ?? {}, "never", ["purposes", "categories"]);
  const floor = given["priceFloor"] ?? null;
  const read = (each: unknown, at: string): Standing => standing(each, at, now);
  return {
    version: version + 1,
    everybody: read(given["everybody"], "everybody"),
    vendorCategories: byName(given["vendorCategories"], "vendorCategories", read),
    vendorKinds: byName(given["vendorKinds"], "vendorKinds", (names, at) => list(names, at, text), address),
    vendors: byName(given["vendors"], "vendors", read, address),
    blocked: list(given["blocked"] ?? [], "blocked", address, ENTRIES_MAX),
    never: {
      purposes: list(never["purposes"] ?? [], "never/purposes", purpose),
      categories: list(never["categories"] ?? [], "never/categories", category),
    },
    locations:
      given["locations"] === null || given["locations"] === undefined
        ? null
        : list(given["locations"], "locations", address, 300),
    priceFloor: floor === null ? null : readPrice(floor),
    holds: byName(given["holds"], "holds", (kinds, at) => list(kinds, at, category)),
    campaigns: campaigns(given["campaigns"] ?? {}, "campaigns", now),
  };
}

function readPrice(value: unknown): { readonly amount: string; readonly currency: string } {
  const { amount, currency } = object(value, "priceFloor", ["amount", "currency"]);
  const said = text(amount, "priceFloor/amount");
  const money = text(currency, "priceFloor/currency");
  if (!/^\d{1,12}(?:\.\d{1,4})?$/.test(said)) refuse("priceFloor/amount", "give an amount such as 2.50");
  if (!/^[A-Z]{3}$/.test(money)) refuse("priceFloor/currency", "give a currency such as EUR");
  return { amount: said, currency: money };
}
