/** Looks for words in raw bytes, however they are spelled there: what a thief of the disk would do first. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Shorter ones stand in random bytes by chance: six bytes do so once in some million searches of this size. */
export const NEEDLE_BYTES_MIN = 6;

/** What every Base64 of something with `text` in it has in common, for each of the three places it can begin at. */
function base64Of(text: string, encoding: "base64" | "base64url"): readonly string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    const [from, to] = [Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6)];
    return bytes.toString(encoding).slice(from, to);
  });
}

/** UTF-8, UTF-16 in both orders, Base64, hex, and as in an address. */
export function spellingsOf(word: string): readonly Buffer[] {
  const hex = Buffer.from(word).toString("hex");
  const texts = [
    word,
    word.toLowerCase(),
    encodeURIComponent(word),
    ...base64Of(word, "base64"),
    ...base64Of(word, "base64url"),
    hex,
    hex.toUpperCase(),
  ];
  const utf16 = Buffer.from(word, "utf16le");
  return [...texts.map((text) => Buffer.from(text)), utf16, Buffer.from(utf16).swap16()];
}

/** @returns what finds words in bytes: all in one pass, for there are hundreds of words and megabytes to search. */
export function createScan(words: readonly string[]): (bytes: Uint8Array) => ReadonlySet<string> {
  const byStart = new Map<number, { readonly spelling: Buffer; readonly word: string }[]>();
  const starts = new Uint8Array(2 ** 24); // Which three bytes can begin a spelling.
  for (const word of words) {
    for (const spelling of spellingsOf(word)) {
      if (spelling.length < NEEDLE_BYTES_MIN) throw new Error(`${word} is too short to be looked for`);
      const start = spelling.readUIntBE(0, 3);
      starts[start] = 1;
      byStart.set(start, [...(byStart.get(start) ?? []), { spelling, word }]);
    }
  }
  return (bytes) => {
    const found = new Set<string>();
    let start = 0;
    for (let end = 0; end < bytes.length; end += 1) {
      start = ((start << 8) | (bytes[end] ?? 0)) & 0xff_ff_ff;
      if (end < 2 || starts[start] === 0) continue;
      for (const { spelling, word } of byStart.get(start) ?? [])
        if (spelling.equals(bytes.subarray(end - 2, end - 2 + spelling.length))) found.add(word);
    }
    return found;
  };
}

export interface Finding {
  readonly word: string;
  /** Path in the folder; its name is searched as well. */
  readonly file: string;
}

/** Every file below `folder`. */
export function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => lstatSync(path).isFile());
}

export function scanFolder(folder: string, words: readonly string[]): readonly Finding[] {
  const scan = createScan(words);
  return filesIn(folder).flatMap((path) => {
    const file = relative(folder, path);
    return [...scan(Buffer.from(file)), ...scan(readFileSync(path))].map((word) => ({ word, file }));
  });
}
