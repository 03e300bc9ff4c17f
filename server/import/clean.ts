/** The closed list of things a recipe may do to a value: pure, and none of them keeps what should not be kept. */
import { createHmac } from "node:crypto";
import { cardNumbersIn, ibansIn } from "@freehold/shapes";

// oxlint-disable-next-line no-control-regex -- control characters are what this removes
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff]/g;

/** Text as people see it: composed, without control characters, without space around it. @returns null for nothing. */
export function plain(text: string | null | undefined): string | null {
  if (!text) return null;
  const clean = text.toWellFormed().replaceAll("\r\n", "\n").replaceAll(CONTROLS, "").normalize("NFC").trim();
  return clean === "" ? null : clean;
}

/** One line: for names and messages that files break at fixed widths. */
export function oneLine(text: string | null | undefined, lettersMax: number): string | null {
  const clean = plain(text)?.replaceAll(/\s+/gu, " ");
  return clean
    ? clean
        .slice(0, lettersMax)
        .replace(/[\ud800-\udbff]$/, "")
        .trim()
    : null; // Never half a letter.
}

/** Card and account numbers inside a text become their last four characters. */
export function redact<T extends string | null>(text: T): T {
  if (text === null) return text;
  let clean: string = text;
  for (const number of [...ibansIn(clean), ...cardNumbersIn(clean)]) {
    clean = clean.replaceAll(number, `…${number.replaceAll(/[ -]/g, "").slice(-4)}`);
  }
  return clean as T;
}

/**
 * Keyed, so that nobody outside can try out what an identifier was made of.
 * @param length Hexadecimal digits, at most 64.
 */
export function stableHash(secret: string, parts: readonly string[], length: number): string {
  return createHmac("sha256", secret).update(parts.join("\u0000")).digest("hex").slice(0, length);
}

/** An account as its last four characters and a keyed hash of the whole: equal accounts stay equal, the number is gone. */
export function accountRef(secret: string, account: string | null): string | null {
  const compact = account?.replaceAll(/[^0-9A-Za-z]/g, "").toUpperCase() ?? "";
  if (compact === "") return null;
  return `${compact.slice(-4).padStart(4, "0")}-${stableHash(secret, ["account", compact], 16)}`;
}

/** The day of a date or time in ISO 8601. @returns null when there is no such day. */
export function dayOf(text: string | null | undefined): string | null {
  const day = /^(\d{4}-\d{2}-\d{2})(?:$|[T+Z-])/.exec(text?.trim() ?? "")?.[1];
  return day && isDay(day) ? day : null;
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** `+27 21 555 0142` → `tel:+27215550142`. @returns null for what cannot be dialled. */
export function telephone(text: string): string | null {
  const dialled = text
    .replace(/^tel:/i, "")
    .replace(/(?:ext|x|;).*$/i, "")
    .replace("(0)", "")
    .replaceAll(/[\s()./\u00a0-]/g, "");
  return /^\+?\d{2,20}$/.test(dialled) ? `tel:${dialled}` : null;
}

/** @returns `mailto:…`, or null for what is no address. @see https://www.rfc-editor.org/rfc/rfc6068 */
export function email(text: string): string | null {
  const address = text.trim().replace(/^mailto:/i, "");
  if (address.length > 320 || !/^[^\s\p{C}@<>"{}|\\^`?%#&]+@[^\s\p{C}@<>"{}|\\^`?%#&]+$/u.test(address))
    return null;
  return `mailto:${address}`;
}

/** @returns an http or https address in canonical form, or null for anything else, scripts among it. */
export function webAddress(text: string): string | null {
  const trimmed = text.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:/i.test(trimmed) ? trimmed : `https://${trimmed}`);
  const isWeb =
    (url?.protocol === "https:" || url?.protocol === "http:") &&
    url.hostname.includes(".") &&
    !url.username &&
    !url.password;
  return isWeb && !/[<>"{}|\\^`\s]/.test(url.href) ? url.href : null;
}

const COUNTRY_LANGUAGES = ["en", "de", "fr", "it", "es", "pt", "nl", "af", "zu"];
let countries: Map<string, string> | null = null;

const nameKey = (name: string): string =>
  name
    .normalize("NFD")
    .replaceAll(/[^\p{L}]/gu, "")
    .toLowerCase();

/** A country's two letters from its name in any of nine languages, or from the letters themselves. @returns null if unknown. */
export function countryCode(text: string): string | null {
  countries ??= new Map(
    COUNTRY_LANGUAGES.flatMap((language) => {
      const names = new Intl.DisplayNames(language, { type: "region", fallback: "none" });
      const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".split("");
      return letters.flatMap((first) =>
        letters.flatMap((second): [string, string][] => {
          const code = first + second;
          const name = code === "EU" || code === "UN" || code === "ZZ" ? undefined : names.of(code);
          return name ? [[nameKey(name), code]] : [];
        }),
      );
    }),
  );
  const upper = text.trim().toUpperCase();
  if (/^[A-Z]{2}$/.test(upper) && [...countries.values()].includes(upper)) return upper;
  return countries.get(nameKey(text)) ?? null;
}
