/** What a request or a grant says, in few and plain words: who, what, why, how long, what they keep, what you get. Pure. */
import type { DraftPolicy, Tier } from "@freehold/client/consent";
import { fieldWords, kindWords } from "./data-words.ts";
import { purposeWords } from "./purpose-words.ts";
import { count, dayOf, hostOf, initialOf } from "./words.ts";

const LIST = new Intl.ListFormat("en-GB", { type: "conjunction" });

/** A request is at most this long, with all its headings: nobody reads more before a yes. */
export const WORDS_MAX = 60;

export const wordsIn = (text: string): number => text.split(/\s+/).filter(Boolean).length;

/** The first words of a text; what is left out shows. */
function firstWords(text: string, most: number): string {
  const words = text.split(/\s+/).filter(Boolean);
  return words.length <= most ? words.join(" ") : `${words.slice(0, Math.max(1, most)).join(" ")}…`;
}

/** Terms as a document has them, as far as they are told here. */
export interface SaidTerms {
  readonly legalBasis?: unknown;
  readonly recipients?: unknown;
  readonly decidesAboutPerson?: unknown;
  readonly benefit?: unknown;
  readonly price?: unknown;
}

type Said = Pick<
  DraftPolicy,
  "actions" | "target" | "purposes" | "notAfter" | "tier" | "mode" | "fields" | "dataLife"
>;

/** A place in a pod. @param pod Its address, ends in `/`. */
function placeWords(address: string, pod: string): string {
  const path = address.startsWith(pod) ? address.slice(pod.length) : address;
  const parts = path.split("/").filter(Boolean);
  const name = parts.at(-1) ?? "";
  try {
    return `“${firstWords(decodeURIComponent(name), 3)}”`;
  } catch {
    return `“${firstWords(name, 3)}”`;
  }
}

/** What one part of it is about. */
export function targetWords({ target }: Pick<Said, "target">, pod: string): string {
  const { kind, values } = target;
  if (kind === "storage") return "all of your pod";
  if (kind === "shape") return LIST.format(values.map((one) => `your ${kindWords(one)}`));
  const names = values.slice(0, 2).map((one) => placeWords(one, pod));
  const more = values.length - names.length;
  const named = more > 0 ? `${names.join(", ")} and ${more} more` : LIST.format(names);
  if (kind === "view") return `your view ${named}`;
  return kind === "container" ? `your ${values.length > 1 ? "folders" : "folder"} ${named}` : named;
}

const TIER_WORDS: Readonly<Record<Tier, string>> = {
  raw: "",
  reduced: ", less exact",
  aggregate: ", only totals",
  tag: ", only yes or no",
};

const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const FIELDS_NAMED = 3;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Before what they are details of; empty where all of it is meant. */
function detailWords(fields: readonly string[]): string {
  const names = [...new Set(fields.map((field) => fieldWords(field).toLowerCase()))];
  if (names.length === 0) return "";
  return names.length <= FIELDS_NAMED ? `${LIST.format(names)} in ` : `${count(names.length, "detail")} of `;
}

/** What they want, all parts together. */
export function whatWords(policies: readonly Said[], pod: string): string {
  const targets = [...new Set(policies.map((policy) => targetWords(policy, pod)))];
  const shown = targets.slice(0, 2);
  const more = targets.length - shown.length;
  const names = more > 0 ? `${shown.join(", ")} and ${more} more` : LIST.format(shown);
  const fields = policies.every((policy) => policy.fields !== null)
    ? [...new Set(policies.flatMap((policy) => policy.fields ?? []))].filter((field) => field !== TYPE)
    : [];
  const tiers = new Set(policies.map(({ tier }) => tier ?? "raw"));
  const tier = tiers.size === 1 ? TIER_WORDS[[...tiers][0] ?? "raw"] : "";
  return capital(`${detailWords(fields)}${names}${tier}`);
}

const ACTION_WORDS: readonly (readonly [action: Said["actions"][number], words: string])[] = [
  ["modify", "change"],
  ["create", "add to"],
  ["delete", "delete"],
];

/** What they may do beside looking; empty where they only look. */
function actionWords(policies: readonly Said[]): string {
  const verbs = ACTION_WORDS.filter(([action]) => policies.some(({ actions }) => actions.includes(action)));
  return verbs.length === 0 ? "" : `They may ${LIST.format(verbs.map(([, words]) => words))} it.`;
}

export function whyWords(policies: readonly Said[]): string {
  const all = [...new Set(policies.flatMap(({ purposes }) => purposes).map(purposeWords))];
  const first = all[0] ?? "do something they do not name";
  return all.length > 1 ? `To ${first}, and ${all.length - 1} more` : `To ${first}`;
}

/** When the last part of it ends, in milliseconds since 1970; null for a request that leaves it open. */
export function endOf(policies: readonly Said[]): number | null {
  const ends = policies.map(({ notAfter }) => notAfter);
  return ends.includes(null) ? null : Math.max(...(ends as number[]));
}

export function untilWords(policies: readonly Said[]): string {
  const end = endOf(policies);
  return end === null ? "Thirteen months" : `Until ${dayOf(end)}`;
}

/** `P90D` as "90 days". */
function lifeWords(life: string): string {
  const [, years, months, days] = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?/.exec(life) ?? [];
  const parts = [
    ...(years ? [count(Number(years), "year")] : []),
    ...(months ? [count(Number(months), "month")] : []),
    ...(days ? [count(Number(days), "day")] : []),
  ];
  return parts.length > 0 ? LIST.format(parts) : "less than a day";
}

/** What leaves the pod for good. */
export function keepWords(policies: readonly Said[]): string {
  const modes = policies.map(({ mode }) => mode ?? "view");
  const lives = [...new Set(policies.flatMap(({ dataLife }) => dataLife ?? []))];
  const life = lives.length === 1 ? ` for ${lifeWords(lives[0] ?? "")}` : "";
  if (modes.includes("store")) return life === "" ? "A copy, with no end named" : `A copy${life}`;
  if (modes.includes("stream")) return `News of each change${life}`;
  return life === "" ? "No copy: they only look" : `What they see${life}`;
}

/** What is worse than usual; one short sentence each. */
function warningsOf(terms: SaidTerms, policies: readonly Said[]): readonly string[] {
  const recipients = Array.isArray(terms.recipients) ? terms.recipients.length : 0;
  const basis = typeof terms.legalBasis === "string" ? terms.legalBasis : "";
  return [
    ...(terms.decidesAboutPerson === true ? ["A machine decides about you."] : []),
    ...(recipients > 0 ? [`They pass it on to ${recipients}.`] : []),
    ...(basis !== "" && !/[#-]consent$|A6-1-a|A9-2-a/i.test(basis) ? ["They claim a right to it."] : []),
    ...(actionWords(policies) === "" ? [] : [actionWords(policies)]),
  ];
}

/** What you get, as they say it: their words, cut. */
function getWords({ benefit, price }: SaidTerms, most: number): string {
  const texts = (Array.isArray(benefit) ? benefit : []) as readonly Record<string, unknown>[];
  const own = texts.find(({ "@language": language }) => String(language).startsWith("en")) ?? texts[0];
  const said = typeof own?.["@value"] === "string" ? own["@value"] : "";
  const money = price as { readonly amount?: unknown; readonly currency?: unknown } | null | undefined;
  const sum = money ? `${String(money.amount)} ${String(money.currency)}` : "";
  const text = [sum, said].filter(Boolean).join(" · ");
  return text === "" ? "Nothing" : firstWords(text, most);
}

/** What is asked, ready to be shown: of headings and lines together at most {@link WORDS_MAX} words. */
export interface Saying {
  readonly title: string;
  readonly host: string;
  readonly lines: readonly (readonly [heading: string, words: string])[];
  readonly warnings: readonly string[];
}

/** @param who What they are called, and what their address shows. @param pod Address of the pod. */
export function sayRequest(
  who: { readonly name: string; readonly host: string },
  policies: readonly Said[],
  terms: SaidTerms,
  pod: string,
): Saying {
  const title = `${firstWords(who.name, NAME_WORDS)} asks`;
  const warnings = warningsOf(terms, policies).slice(0, WARNINGS_MAX);
  const [until, keep] = [untilWords(policies), keepWords(policies)];
  const fixed = [title, who.host, BADGE, ...HEADINGS, until, keep, ...warnings];
  // What is left is shared: first why, for it is short, then what, and what they praise it with gets the rest.
  let left = WORDS_MAX - wordsIn(fixed.join(" "));
  const share = (text: string, most: number): string => {
    const cut = firstWords(text, most);
    left -= wordsIn(cut);
    return cut;
  };
  const why = share(whyWords(policies), Math.min(WHY_WORDS, Math.floor(left * 0.4)));
  const what = share(whatWords(policies, pod), Math.min(WHAT_WORDS, left - GET_WORDS_LEAST));
  const words = [what, why, until, keep, getWords(terms, left)];
  return {
    title,
    host: who.host,
    lines: HEADINGS.map((heading, at) => [heading, words[at] ?? ""]),
    warnings,
  };
}
const NAME_WORDS = 4;
const WHAT_WORDS = 11;
const WHY_WORDS = 9;
const GET_WORDS_LEAST = 3;
const WARNINGS_MAX = 2;
const BADGE = "Not verified";
const HEADINGS = ["What", "Why", "How long", "They keep", "You get"] as const;

/** The letter that stands for somebody: where many share a host, of the part that is their own. */
export const letterOf = (name: string): string => initialOf(name.slice(name.indexOf("/") + 1));

/** What somebody is called: as the registry has entered them, else by their address. */
export const nameOfParty = (party: {
  readonly id: string;
  readonly host: string;
  readonly entry: { readonly name: string } | null;
}): string => party.entry?.name ?? (party.host || hostOf(party.id));
