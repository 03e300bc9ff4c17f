/** What settings look like: text becomes a value with a type, and a JSON Schema says what a settings file may hold for it. */
import { resolve } from "node:path";
import { LIMITS, type Limits } from "./limits.ts";

/** Reads a setting's text. @throws Error with what it wants, such as `wants a whole number from 0 to 65535`. */
export interface Form<T> {
  (text: string): T;
  /** Of its value in a settings file, which may be text all the same. Absent: text alone. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

const form = <T>(parse: (text: string) => T, schema: Readonly<Record<string, unknown>>): Form<T> =>
  Object.assign((text: string) => parse(text), { schema });

export const toInteger = (least: number, most: number): Form<number> =>
  form(
    (text) => {
      const value = Number(text);
      if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most)
        throw new Error(`wants a whole number from ${least} to ${most}`);
      return value;
    },
    { type: "integer", minimum: least, maximum: most },
  );

export const toChoice = <T extends string>(...choices: readonly T[]): Form<T> =>
  form(
    (text) => {
      const found = choices.find((choice) => choice === text);
      if (found === undefined) throw new Error(`wants one of ${choices.join(", ")}`);
      return found;
    },
    { type: "string", enum: choices },
  );

const onOrOff = toChoice("on", "off");

export const toSwitch: Form<boolean> = form((text) => onOrOff(text) === "on", { type: "boolean" });

export const toPath = (text: string): string => resolve(text);

export const toPathOrNone = (text: string): string => (text === "" ? "" : toPath(text));

const parts = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);

const LIST = { type: "array", items: { type: "string" } } as const;

export const toList: Form<readonly string[]> = form(parts, LIST);

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds; 0 for `off`. */
export const toDuration: Form<number> = form(
  (text) => {
    if (text === "off") return 0;
    const [, amount = "", unit = ""] = /^([1-9]\d{0,3})([mhdw])$/.exec(text) ?? [];
    if (unit === "") throw new Error("wants a time such as 30m, 12h, 7d or 2w, or off");
    return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  },
  { type: "string", pattern: "^(off|[1-9][0-9]{0,3}[mhdw])$" },
);

/** How many of the newest days, weeks and months keep their last backup. */
export function toKeep(text: string): {
  readonly days: number;
  readonly weeks: number;
  readonly months: number;
} {
  const kept = { d: 0, w: 0, m: 0 };
  for (const part of text.split("/")) {
    const [, amount = "", unit = ""] = /^(\d{1,3})([dwm])$/.exec(part) ?? [];
    if (unit === "") throw new Error("wants numbers of days, weeks and months such as 7d/4w/6m");
    kept[unit as keyof typeof kept] = Number(amount);
  }
  if (kept.d + kept.w + kept.m === 0) throw new Error("would keep nothing; the least is 1d");
  return { days: kept.d, weeks: kept.w, months: kept.m };
}

export const toOrigins: Form<readonly string[]> = form(
  (text) =>
    parts(text).map((part) => {
      const url = new URL(part);
      if (url.origin === "null" || `${url.origin}/` !== url.href)
        throw new Error(`wants origins such as http://127.0.0.1:4000, not ${part}`);
      return url.origin;
    }),
  LIST,
);

export const toBaseUrl: Form<string> = form(
  (text) => {
    if (text === "") return "";
    const url = new URL(text);
    if (!/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search || url.hash)
      throw new Error("wants an http(s) URL without path");
    return url.href;
  },
  { type: "string", format: "uri" },
);

const toCount = toInteger(1, Number.MAX_SAFE_INTEGER);

export const toLimits: Form<Limits> = form(
  (text) => {
    const limits: Record<string, number> = { ...LIMITS };
    for (const part of text.split(",").filter(Boolean)) {
      const [name = "", value = ""] = part.split("=").map((piece) => piece.trim());
      if (!Object.hasOwn(LIMITS, name)) throw new Error(`knows no limit called ${name}`);
      limits[name] = toCount(value);
    }
    return Object.freeze(limits) as Limits;
  },
  {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.keys(LIMITS).map((name) => [name, { type: "integer", minimum: 1 }]),
    ),
  },
);

export function toStore(text: string): string {
  if (text === "sqlite" || /^postgres(?:ql)?:\/\/\S+$/.test(text)) return text;
  throw new Error("wants sqlite, or postgres://user:password@host/database");
}

export const toZones: Form<readonly string[]> = form((text) => {
  if (!/^[a-z0-9]{2}(,[a-z0-9]{2})*$/.test(text))
    throw new Error("wants zones of two characters, such as zz or ch,za");
  return text.split(",");
}, LIST);

export function toRegistrar(text: string): string {
  if (!/^[a-z0-9]+(?:[.-][a-z0-9]+)*$/.test(text) || text.length > 63)
    throw new Error("wants a registrar's name, such as ch.alpenpod");
  return text;
}
