/**
 * `manifest.json`: what is in an export, one resource a line, so that it is written and read without ever being in memory
 * whole. It is the archive's last entry, for it holds the hash of everything before it.
 */
import { createHash } from "node:crypto";
import { crc32, createDeflateRaw } from "node:zlib";
import { Problem } from "../errors.ts";
import type { Deflated } from "./zip.ts";

export const FORMAT = "freehold-export/1";
/** Names in the archive: the consents, a record a line, and what their host says of them. */
export const CONSENTS = "consent/records.jsonl";
export const CONSENT_STATEMENT = "consent/statement.json";

export type RowKind = "container" | "rdf" | "binary" | "acl" | "meta";

export interface Row {
  /** Canonical and percent-encoded, from the pod's root; empty for the root. For `acl` and `meta`: of what they belong to. */
  readonly path: string;
  readonly kind: RowKind;
  /** Name in the archive. */
  readonly entry: string;
  readonly type: string;
  readonly bytes: number;
  /** Hexadecimal; of containers, that of nothing. */
  readonly sha256: string;
  /** ISO 8601. */
  readonly created: string;
  readonly modified: string;
  /** When a folder's list of members last changed. */
  readonly listed?: string;
  /** Written while the export ran, after the moment that all the rest is of. */
  readonly newer?: true;
}

export interface Manifest {
  readonly format: typeof FORMAT;
  /** Of this export. */
  readonly id: string;
  readonly server: string;
  readonly pod: string;
  /** Ends in `/`. */
  readonly base: string;
  readonly root: string;
  readonly owner: string;
  /** ISO 8601: the moment of which the copy is. */
  readonly taken: string;
  /** The journal's last number and hash at that moment. */
  readonly journal: { readonly number: number; readonly hash: string };
  readonly passport: string | null;
}

export const EMPTY_SHA256: string = createHash("sha256").digest("hex");

const BEGIN = `,"resources":[`;
const GATHERED_CHARS = 65_536;
const TYPE_CHARS_MAX = 512; // As in a request.
const LINE_CHARS_MAX = 65_536; // A path, an entry's name and a media type, all of the longest.

export interface ManifestWriter {
  add(row: Row): Promise<void>;
  end(totals: Readonly<Record<string, number>>): Promise<Deflated>;
}

/** Kept compressed until everything else is written: some 80 bytes a row. */
export function createManifestWriter(manifest: Manifest): ManifestWriter {
  const packer = createDeflateRaw({ level: 6 });
  const chunks: Uint8Array[] = [];
  packer.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  let crc = 0;
  let bytes = 0;
  let rows = 0;
  let waiting = "";
  /** Gathered, for each piece is a turn of another thread. */
  async function write(text: string): Promise<void> {
    waiting += text;
    if (waiting.length >= GATHERED_CHARS) await flush();
  }
  async function flush(): Promise<void> {
    const piece = Buffer.from(waiting);
    waiting = "";
    crc = crc32(piece, crc);
    bytes += piece.length;
    if (!packer.write(piece)) await new Promise<void>((resolve) => packer.once("drain", resolve));
  }
  waiting = `${JSON.stringify(manifest).slice(0, -1)}${BEGIN}\n`;
  return {
    async add(row) {
      await write(`${rows === 0 ? "" : ",\n"}${JSON.stringify(row)}`);
      rows += 1;
    },
    async end(totals) {
      await write(`\n],"totals":${JSON.stringify(totals)}}\n`);
      await flush();
      await new Promise<void>((resolve, reject) => {
        packer.once("error", reject);
        packer.once("end", resolve);
        packer.end();
      });
      return { chunks, crc, bytes };
    },
  };
}

const bad = (detail: string): Problem => new Problem("archive-invalid", `manifest.json: ${detail}`);

function parseLine(line: string): Record<string, unknown> {
  if (line.length > LINE_CHARS_MAX) throw bad("a line is too long");
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch (cause) {
    throw new Problem("archive-invalid", "manifest.json is not as it was written", { cause });
  }
}

const KINDS: readonly RowKind[] = ["container", "rdf", "binary", "acl", "meta"];
const isText = (value: unknown): value is string => typeof value === "string";
const isTime = (value: unknown): boolean => isText(value) && !Number.isNaN(Date.parse(value));

function toRow(value: Record<string, unknown>): Row {
  const { path, kind, entry, type, bytes, sha256, created, modified, listed } = value;
  const isRow =
    isText(path) &&
    KINDS.includes(kind as RowKind) &&
    isText(entry) &&
    isText(type) &&
    /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;[\t -~\u0080-\u00ff]*)?$/.test(type) &&
    type.length <= TYPE_CHARS_MAX &&
    Number.isSafeInteger(bytes) &&
    (bytes as number) >= 0 &&
    isText(sha256) &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    isTime(created) &&
    isTime(modified) &&
    (listed === undefined || isTime(listed));
  if (!isRow) throw bad(`a row is not understood: ${JSON.stringify(value).slice(0, 200)}`);
  return value as unknown as Row;
}

function toManifest(value: Record<string, unknown>): Manifest {
  if (value["format"] !== FORMAT)
    throw bad(
      `the format is ${JSON.stringify(value["format"])?.slice(0, 50)}, and ${FORMAT} is what is known here`,
    );
  const { id, server, pod, base, root, owner, taken } = value;
  if (![id, server, pod, base, root, owner, taken].every(isText) || !isTime(taken))
    throw bad("its first line is not understood");
  if (
    !URL.canParse(base as string) ||
    !URL.canParse(root as string) ||
    !(root as string).endsWith("/") ||
    !URL.canParse(owner as string)
  )
    throw bad("the pod's address or its owner's is none");
  return value as unknown as Manifest;
}

/** @throws Problem `archive-invalid` for a line that is longer than any can be. */
async function* linesOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of content) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARS_MAX) throw bad("a line is too long");
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Reads a manifest line by line: first what it says of the whole, then row by row. @throws Problem `archive-invalid`. */
export async function* readManifest(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly manifest: Manifest } | { readonly row: Row }> {
  let isFirst = true;
  let isOver = false;
  for await (const line of linesOf(content)) {
    if (isFirst) {
      isFirst = false;
      if (!line.endsWith(BEGIN)) throw bad("it is not written line by line");
      yield { manifest: toManifest(parseLine(`${line.slice(0, -BEGIN.length)}}`)) };
    } else if (line.startsWith("]")) {
      isOver = true;
    } else if (line !== "") {
      if (isOver) throw bad("something follows its end");
      yield { row: toRow(parseLine(line.replace(/,$/, ""))) };
    }
  }
  if (!isOver) throw bad("its end is missing");
}
