/** What the owner says beforehand, as the pod has it, and what each step means in plain words. */
import type { Json, PodPlace } from "@freehold/client/consent";
import { refusalOf } from "../../parts/ask.ts";

export interface Standing {
  readonly level: number;
  readonly switches: readonly string[];
  /** When the owner said so, in milliseconds since 1970: 0 is never. What is sent without it is said now. */
  readonly confirmed?: number;
}

export interface Preferences {
  readonly version: number;
  readonly everybody: Standing;
  readonly vendorCategories: Readonly<Record<string, Standing>>;
  readonly vendorKinds: Readonly<Record<string, readonly string[]>>;
  readonly vendors: Readonly<Record<string, Standing>>;
  readonly blocked: readonly string[];
  readonly never: { readonly purposes: readonly string[]; readonly categories: readonly string[] };
  readonly campaigns: {
    readonly channels: readonly string[];
    readonly quiet: readonly { readonly from: string; readonly until: string }[];
    readonly maxPerWeek: number | null;
    readonly timeZone: string;
  };
}

export interface Level {
  readonly name: string;
  readonly words: string;
  readonly example: string;
}

/** In order; the index is the number. */
export const LEVELS: readonly Level[] = [
  {
    name: "Closed",
    words: "Everybody is told no.",
    example: "Your shop asks for your order. It is told no.",
  },
  {
    name: "Just serve me",
    words: "Companies may see what they need to do what you asked for.",
    example: "The repair shop sees your order, and nothing else.",
  },
  {
    name: "Make it better",
    words: "They may also count how you use their things.",
    example: "Who built your washer sees how often it ran in all.",
  },
  {
    name: "Remember me",
    words: "They may also know what you like, in sum.",
    example: "Your shop sees that you buy more tea than coffee.",
  },
  {
    name: "Make me offers",
    words: "They may also make you offers that fit.",
    example: "A shop sees “likes tea: yes”, and sends you a price.",
  },
  {
    name: "Help them count",
    words: "Your yes and no may also go into numbers about many people.",
    example: "Somebody counts how many tea drinkers there are.",
  },
];

export const SWITCHES: readonly (readonly [name: string, words: string, about: string])[] = [
  ["intent", "When I look for something", "Sellers may see if what they have fits."],
  ["ai", "To train machines", "Only totals, never your words."],
  ["good", "For the good of all", "Schools and health care may learn from totals."],
];

export const KINDS: readonly (readonly [name: string, words: string])[] = [
  ["shop", "Shops"],
  ["bank", "Banks"],
  ["insurer", "Insurers"],
  ["energy", "Power and water"],
  ["health", "Health"],
  ["office", "State offices"],
];

const DPV = "https://w3id.org/dpv#";
const PD = "https://w3id.org/dpv/pd#";
export const NEVER: readonly (readonly [kind: "categories" | "purposes", address: string, words: string])[] =
  [
    ["categories", `${PD}Health`, "My health"],
    ["categories", `${PD}Location`, "Where I am"],
    ["categories", `${PD}Offspring`, "My children"],
    ["categories", `${PD}Religion`, "What I believe"],
    ["categories", `${PD}PoliticalAffiliation`, "How I vote"],
    ["purposes", `${DPV}Advertising`, "For ads"],
    ["purposes", `${DPV}SellDataToThirdParties`, "To sell it on"],
    ["purposes", `${DPV}CustomerSolvencyMonitoring`, "To check if I can pay"],
  ];

export const CHANNELS: readonly (readonly [name: string, words: string])[] = [
  ["email", "Email"],
  ["text", "Text message"],
  ["phone", "Phone"],
  ["app", "In an app"],
  ["post", "By post"],
  ["person", "At the door"],
];

/** What would have become of one request. */
export interface Tried {
  readonly request: string;
  readonly assignee: string;
  readonly outcome: "grant" | "narrow" | "deny" | "defer" | "ask";
  readonly explanation: string;
}

/** What would become of the last requests under these rules; nothing changes. @throws Refusal */
export async function tryOut(pod: PodPlace, preferences: Preferences): Promise<readonly Tried[]> {
  const response = await pod.fetch(`${pod.url}.consent/preferences/trial`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(preferences),
  });
  if (!response.ok) throw await refusalOf(response);
  return ((await response.json()) as { readonly items: readonly Tried[] }).items;
}

const OUTCOMES: readonly (readonly [words: string, outcomes: readonly Tried["outcome"][]])[] = [
  ["yes", ["grant"]],
  ["yes, less", ["narrow"]],
  ["no", ["deny"]],
  ["asked you", ["ask", "defer"]],
];

/** `2 yes, 1 no`; empty where there was no request. */
export function sumOf(tried: readonly Tried[]): string {
  return OUTCOMES.map(
    ([words, some]) => [tried.filter(({ outcome }) => some.includes(outcome)).length, words] as const,
  )
    .filter(([times]) => times > 0)
    .map(([times, words]) => `${times} ${words}`)
    .join(", ");
}

export const outcomeWords = (outcome: Tried["outcome"]): string =>
  OUTCOMES.find(([, some]) => some.includes(outcome))?.[0] ?? "asked you";

/** As it can be sent. */
export const asJson = (preferences: Preferences): Json => preferences as unknown as Json;
export const fromJson = (document: Json): Preferences => document as unknown as Preferences;
