/** One plain sentence for the owner: at most 30 words, none of them the machine's. */
import { isPersonalDataCategory, labelOf } from "@freehold/vocab";
import type { Policy, Tier } from "../model.ts";
import { kindsOf } from "./data-kinds.ts";
import type { Preferences } from "./preferences.ts";
import type { HardReason } from "./reasons.ts";

const WORDS_MAX = 30;

const WHY_ASK: Readonly<Record<HardReason, string>> = {
  "special-category": "it may tell of your health, beliefs or other delicate things",
  "automated-decision": "a machine alone would decide something that matters to you",
  child: "it is about a child",
  "first-time-controller": "you have never dealt with them here",
  "onward-sharing": "they would pass it on to others",
  "legal-basis": "they do not ask for your consent, but claim another right",
  "first-store": "they would keep a copy for the first time",
  location: "it would be kept where you did not allow it",
  "price-floor": "they offer less than you ask for",
};

const HOW: Readonly<Record<Tier, string>> = {
  raw: "",
  reduced: ", with details left out",
  aggregate: ", only as totals",
  tag: ", only as yes or no",
};

const SHOWN_MAX = 60;

/**
 * The host of an address is short, and nobody can write sentences in it; it is shown as the network has it, so that letters
 * of other alphabets cannot pass for it. Where many share a host, the first part of the path says which of them.
 */
export function nameOf(webid: string): string {
  const url = /^https?:/.test(webid) && URL.canParse(webid) ? new URL(webid) : null;
  if (!url || url.hostname === "") return "Somebody";
  const [pod = "", ...rest] = url.pathname.slice(1).split("/");
  const name = rest.length >= 2 && /^[a-z0-9-]{1,32}$/.test(pod) ? `/${pod}` : "";
  const host = url.hostname.slice(0, SHOWN_MAX - name.length);
  return host === url.hostname ? host + name : `${host.slice(0, -1)}…${name}`;
}

/** The first of several, in small letters, as in the middle of a sentence. */
function some(names: readonly string[], most: number): string {
  const words = [...new Set(names.map((name) => labelOf(name).toLowerCase().slice(0, 40)))];
  const shown = words.slice(0, most).join(words.length > most ? ", " : " and ");
  return words.length > most ? `${shown} and more` : shown;
}

/**
 * What it is about, in words of the vocabulary alone: those of a vendor's own could say anything. First what the pod knows by
 * itself, and where it knows nothing, that these are the vendor's words.
 */
function what(policies: readonly Policy[], holds: Preferences["holds"], most: number): string {
  const isAll = policies.some(({ target, fields }) => target.kind === "storage" && fields === null);
  if (isAll) return "everything in your pod";
  const known = policies.map((policy) => kindsOf(policy, holds));
  const called = policies.flatMap(({ categories }) => categories);
  const own = known.flatMap((kinds) => kinds ?? []).filter((kind) => !called.includes(kind));
  const words = [...own, ...called].filter(isPersonalDataCategory);
  if (words.length === 0) return "your data";
  return known.includes(null) ? `what they call ${some(words, most)}` : some(words, most);
}
const why = (policies: readonly Policy[]): string =>
  some(
    policies.flatMap(({ purposes }) => purposes),
    1,
  );
const until = (policies: readonly Policy[]): string =>
  new Date(Math.max(...policies.map(({ notAfter }) => notAfter))).toISOString().slice(0, 10);

/** Labels of the vocabulary are long: where two do not fit, one does; what still does not is cut. */
function sentence(tell: (most: number) => string): string {
  for (const most of [2, 1]) {
    const text = tell(most);
    if (text.split(" ").length <= WORDS_MAX) return `${text}.`;
  }
  return `${tell(1)
    .split(" ")
    .slice(0, WORDS_MAX)
    .join(" ")
    .replace(/[,;:]$/, "")}…`;
}

export const explainGrant = (
  vendor: string,
  policies: readonly Policy[],
  holds: Preferences["holds"],
  isLess: boolean,
): string =>
  sentence(
    (most) =>
      `${nameOf(vendor)} may see ${what(policies, holds, most)} for ${why(policies)}${HOW[policies[0]?.tier ?? "raw"]} until ${until(policies)}, as you agreed beforehand${isLess ? ", less than asked" : ""}`,
  );

export const explainAsk = (
  vendor: string,
  policies: readonly Policy[],
  holds: Preferences["holds"],
  reason: HardReason | null,
): string =>
  sentence(
    (most) =>
      `${nameOf(vendor)} asks for ${what(policies, holds, most)}: you decide, because ${reason ? WHY_ASK[reason] : "you started this yourself"}`,
  );

export const explainDefer = (
  vendor: string,
  policies: readonly Policy[],
  holds: Preferences["holds"],
): string =>
  sentence(
    (most) => `${nameOf(vendor)} asks for ${what(policies, holds, most)}: this waits for your next summary`,
  );

export const explainDeny = {
  blocked: (vendor: string): string => sentence(() => `You have blocked ${nameOf(vendor)}`),
  closed: (vendor: string): string =>
    sentence(() => `${nameOf(vendor)} was refused, because you are closed to them`),
  never: (vendor: string): string =>
    sentence(() => `${nameOf(vendor)} was refused, because they asked for something you never give`),
  coolDown: (vendor: string): string =>
    sentence(
      () => `${nameOf(vendor)} was refused again, because you said no to this less than six months ago`,
    ),
};
