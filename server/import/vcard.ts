/**
 * Streaming vCards of all versions: cut into cards, 2.1 brought into the form of 3.0, then parsed.
 * Lines are folded between bytes, not letters, and 2.1 names the encoding at each line; so bytes are kept one a letter
 * until a whole line is known.
 * @see https://www.rfc-editor.org/rfc/rfc6350 (4.0), https://www.rfc-editor.org/rfc/rfc2426 (3.0)
 */
import type { ImportLimits, Source } from "./reading.ts";

export interface CardProperty {
  /** In lower case, without group. */
  readonly name: string;
  /** `item1` of `item1.TEL`; null without. */
  readonly group: string | null;
  /** In lower case, from TYPE. */
  readonly types: readonly string[];
  /** Parts of a structured value, each with its alternatives joined by a space; one part for plain text. */
  readonly parts: readonly string[];
}

export interface Card {
  readonly kind: "card";
  /** Of `BEGIN:VCARD`. */
  readonly line: number;
  readonly properties: readonly CardProperty[];
  /** What was left out or guessed. */
  readonly remarks: readonly string[];
}

export interface BadCard {
  readonly kind: "bad";
  readonly line: number;
  readonly detail: string;
}

/** What is looked at; everything else, photos and keys first, is left out before anything parses it. */
const WANTED: ReadonlySet<string> = new Set([
  "VERSION",
  "FN",
  "N",
  "NICKNAME",
  "BDAY",
  "TEL",
  "EMAIL",
  "ADR",
  "ORG",
  "TITLE",
  "URL",
  "NOTE",
  "CATEGORIES",
  "UID",
  "KIND",
  "X-ADDRESSBOOKSERVER-KIND",
  "X-ABLABEL",
]);
const STRUCTURED: ReadonlySet<string> = new Set(["N", "ADR", "ORG"]);
const BINARY: ReadonlySet<string> = new Set(["PHOTO", "LOGO", "SOUND", "KEY"]);

const HEAD_LETTERS_MAX = 1_000; // Name and parameters of one line, photos' aside.

interface Line {
  readonly number: number;
  text: string;
  /** Letters are no longer kept: a photo, or too much. */
  cut: "binary" | "large" | null;
}

const nameOfLine = (text: string): string =>
  /^(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)/.exec(text)?.[1]?.toUpperCase() ?? "";
const isQuotedPrintable = (text: string): boolean =>
  /^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE\b/i.test(text.slice(0, 500));

/** Physical lines, without their ends; pieces of lines that are longer than a field may be come one by one. */
async function* physicalLines(
  source: Source,
  lettersMax: number,
): AsyncGenerator<{ number: number; text: string; isWhole: boolean }> {
  let rest = "";
  let number = 1;
  for await (const chunk of source.bytes) {
    rest += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
    let from = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", from)) {
      yield { number, text: rest.slice(from, rest[end - 1] === "\r" ? end - 1 : end), isWhole: true };
      number += 1;
      from = end + 1;
    }
    rest = rest.slice(from);
    if (rest.length > lettersMax) {
      yield { number, text: rest, isWhole: false };
      rest = "";
    }
  }
  if (rest !== "") yield { number, text: rest, isWhole: true };
}

/** Lines as they were before they were folded. */
async function* unfolded(source: Source, limits: ImportLimits): AsyncGenerator<Line> {
  let line: Line | null = null;
  let goesOn = false; // The piece before had no end yet.
  for await (const { number, text, isWhole } of physicalLines(source, limits.importFieldBytesMax)) {
    const softBreak: boolean =
      line !== null && line.cut === null && line.text.endsWith("=") && isQuotedPrintable(line.text);
    const continues: boolean = line !== null && (goesOn || softBreak || /^[ \t]/.test(text));
    if (continues && line) {
      if (line.cut === null)
        line.text = softBreak ? line.text.slice(0, -1) + text : line.text + (goesOn ? text : text.slice(1));
    } else {
      if (line) yield line;
      line = { number, text, cut: BINARY.has(nameOfLine(text)) ? "binary" : null };
    }
    if (line && line.cut === null && line.text.length > limits.importFieldBytesMax) line.cut = "large";
    if (line?.cut) line.text = line.text.slice(0, 100);
    goesOn = !isWhole;
  }
  if (line) yield line;
}

/** @throws TypeError for bytes that the encoding does not have, RangeError for an encoding that is not known. */
const decodeLatin1 = (text: string, encoding: string): string =>
  new TextDecoder(encoding, { fatal: true }).decode(Buffer.from(text, "latin1"));

const unquotePrintable = (text: string): string =>
  text.replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Bare words of 2.1 (`TEL;HOME;VOICE`) become types; only what is used is kept. */
function typesOf(parameters: readonly string[]): string {
  const types = parameters.flatMap((parameter) => {
    const [name = "", ...value] = parameter.split("=");
    if (value.length === 0) return /^[A-Za-z-]{1,30}$/.test(name) ? [name] : [];
    return name.toUpperCase() === "TYPE" ? value.join("=").replaceAll('"', "").split(",") : [];
  });
  const kept = types.filter(
    (type) => /^[A-Za-z0-9-]{1,30}$/.test(type) && !/^(?:quoted-printable|base64|8bit|7bit)$/i.test(type),
  );
  return kept.length === 0 ? "" : `;TYPE=${kept.join(",")}`;
}

/** One line in the form of 3.0. @returns what is wrong with it otherwise. */
function normalize(
  text: string,
  isOld: boolean,
  remarks: string[],
): { readonly line: string } | { readonly fault: string } {
  const colon = /^(?:"[^"]*"|[^":])*:/.exec(text)?.[0].length ?? 0;
  if (colon === 0) return { fault: "a line is neither name nor continuation" };
  if (colon > HEAD_LETTERS_MAX) return { fault: "what stands before a colon is too long" };
  const [head = "", ...parameters] = text.slice(0, colon - 1).split(/;(?=(?:[^"]*"[^"]*")*[^"]*$)/);
  let value = text.slice(colon);
  const quoted = isQuotedPrintable(text);
  if (quoted) value = unquotePrintable(value);
  const charset = /^CHARSET="?([^"]+)"?$/i.exec(
    parameters.find((parameter) => /^CHARSET=/i.test(parameter)) ?? "",
  )?.[1];
  try {
    value = decodeLatin1(value, charset ?? "utf-8");
  } catch {
    if (charset || !isOld)
      return { fault: `the bytes are not ${charset ? "in the encoding that is named" : "UTF-8"}` };
    value = decodeLatin1(value, "windows-1252");
    remarks.push("letters were read as Windows-1252, for the card names no encoding");
  }
  // In 2.1 a comma is a comma, and a backslash one unless it stands before a mark.
  if (isOld) value = value.replaceAll(/\\(?![;,])/g, "\\\\").replaceAll(/\\?,/g, "\\,");
  // Outside lists a semicolon needs no backslash, and the parser would leave it there.
  if (!STRUCTURED.has(nameOfLine(head)))
    value = value.replaceAll(/\\[\\;,nN]/g, (pair) => (pair === "\\;" ? ";" : pair));
  value = value.replaceAll(/\r?\n|\r/g, "\\n");
  return { line: `${head.toUpperCase()}${typesOf(parameters)}:${value}` };
}

type JCardProperty = readonly [
  name: string,
  parameters: Readonly<Record<string, string | readonly string[]>>,
  type: string,
  ...values: unknown[],
];

const joined = (value: unknown): string =>
  Array.isArray(value) ? value.map(joined).filter(Boolean).join(" ") : typeof value === "string" ? value : "";

function toProperty([name, parameters, , ...values]: JCardProperty): CardProperty {
  const { group, type = [] } = parameters;
  const structured = Array.isArray(values[0]) ? (values[0] as unknown[]) : values;
  return {
    name,
    group: typeof group === "string" ? group : null,
    types: (typeof type === "string" ? [type] : type).flatMap((text) => text.toLowerCase().split(",")),
    parts: structured.map(joined),
  };
}

/**
 * Cards one after the other. One that cannot be read does not stop those after it.
 * Cards inside cards (agents of 2.1) are left out.
 */
export async function* readCards(source: Source, limits: ImportLimits): AsyncGenerator<Card | BadCard> {
  const { default: ICAL } = await import("ical.js");
  let lines: Line[] | null = null;
  let first = 0;
  let inner = 0;
  let size = 0;

  const toCard = (all: readonly Line[]): Card | BadCard => {
    const bad = (line: number, detail: string): BadCard => ({ kind: "bad", line, detail });
    if (size > limits.importRecordBytesMax) return bad(first, "the card is too large");
    const remarks: string[] = [];
    const version =
      all
        .find(({ text }) => /^VERSION:/i.test(text))
        ?.text.slice(8)
        .trim() ?? "3.0";
    const isOld = version === "2.1";
    const kept = [`BEGIN:VCARD`, `VERSION:${version === "4.0" ? "4.0" : "3.0"}`];
    for (const { number, text, cut } of all) {
      const name = nameOfLine(text);
      if (cut === "binary") remarks.push(`a ${name === "PHOTO" ? "photo" : "binary part"} was left out`);
      else if (WANTED.has(name) && name !== "VERSION") {
        if (cut === "large") return bad(number, "a field is too large");
        const normal = normalize(text, isOld, remarks);
        if ("fault" in normal) return bad(number, normal.fault);
        kept.push(normal.line);
      }
    }
    try {
      const [, properties] = ICAL.parse([...kept, "END:VCARD"].join("\r\n")) as [string, JCardProperty[]];
      return {
        kind: "card",
        line: first,
        properties: properties.map(toProperty),
        remarks: [...new Set(remarks)],
      };
    } catch {
      return bad(first, "the card is not well-formed");
    }
  };

  for await (const line of unfolded(source, limits)) {
    const word = line.text.trim().toUpperCase();
    if (word === "BEGIN:VCARD") {
      if (lines === null) [lines, first, size] = [[], line.number, 0];
      else inner += 1;
    } else if (word === "END:VCARD" && lines !== null) {
      if (inner > 0) inner -= 1;
      else {
        yield toCard(lines);
        lines = null;
      }
    } else if (lines !== null && inner === 0 && line.text !== "") {
      size += line.text.length;
      if (size <= limits.importRecordBytesMax) lines.push(line);
    }
  }
  if (lines !== null) yield { kind: "bad", line: first, detail: "the card does not end" };
}
