/** Reading a backup. Every reading goes through the whole seal again: what was changed since is found then too, and so is another file. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { ReadableStream, type ReadableWritablePair } from "node:stream/web";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { OperatorError } from "../errors.ts";
import type { Copy, PodId, StoredBlob, StoredRow } from "../store/store.ts";
import { encodeMembers, FORMAT, type Manifest, type Member } from "./manifest.ts";
import { decodeRows } from "./rows.ts";
import { createOpener, type Opener } from "./seal.ts";

const READ_BYTES = 256 * 1024;
const HELD_BYTES_MAX = 64 * 1024 * 1024; // Of a member that is looked at whole.

export interface ReadMember {
  readonly name: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

export interface Archive {
  readonly file: string;
  readonly manifest: Manifest;
  /** SHA-256 of the manifest, hexadecimal: names this backup and no other. */
  readonly manifestHash: string;
  /** In order; the content of each must be read before the next is asked for, or is skipped. */
  members(this: void): AsyncGenerator<ReadMember>;
}

/** Done and size of the sealed file, in bytes. */
export type ReadProgress = (done: number, total: number) => void;

async function* membersOf(file: string, opener: Opener, progress: ReadProgress): AsyncGenerator<ReadMember> {
  const { size } = await stat(file);
  const raw = createReadStream(file, { highWaterMark: READ_BYTES });
  let done = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of raw as AsyncIterable<Buffer>) {
      done += chunk.length;
      progress(done, size);
      yield chunk;
    }
  }
  /** What goes wrong on the way, in words. */
  async function* told<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* items;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error; // The disk, not the file.
      throw error instanceof OperatorError
        ? error
        : new OperatorError(
            `${basename(file)} is damaged or cut short (${(error as Error).message}). Take another backup.`,
            { cause: error },
          );
    }
  }
  try {
    const plain = ReadableStream.from(await opener.unseal(counted(), basename(file)));
    const decoder = createTarDecoder({ strict: true }) as unknown as ReadableWritablePair<
      ParsedTarEntry,
      Uint8Array
    >;
    for await (const { header, body } of told(plain.pipeThrough(decoder) as AsyncIterable<ParsedTarEntry>)) {
      if (header.type !== "file")
        throw new OperatorError(`${basename(file)} has a member that is no file: ${header.name}.`);
      const content = told(body);
      yield { name: header.name, bytes: header.size, content };
      for await (const _ of content); // What nobody wanted.
    }
  } finally {
    raw.destroy();
  }
}

async function whole({ name, bytes, content }: ReadMember): Promise<Buffer> {
  if (bytes > HELD_BYTES_MAX) throw new OperatorError(`${name} of the backup is too large.`);
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

function parseManifest(bytes: Buffer, file: string): Manifest {
  const manifest = JSON.parse(bytes.toString()) as Omit<Manifest, "format"> & { readonly format: number };
  if (manifest.format !== FORMAT)
    throw new OperatorError(
      `${basename(file)} was written by another version of Freehold (this one knows format ${FORMAT}). Run version ${manifest.server} or a newer one.`,
    );
  return { ...manifest, format: FORMAT };
}

const equal = (a: readonly Member[], b: readonly Member[]): boolean =>
  encodeMembers(a).equals(encodeMembers(b));

/**
 * Reads the whole backup and compares every member with what the manifest says of it: nothing is believed before that.
 * @throws OperatorError that says what is wrong: the secret, a damage, a member too many or too few.
 */
export async function openArchive(
  file: string,
  secrets: readonly string[],
  progress: ReadProgress = () => {},
): Promise<Archive> {
  const opener = createOpener(secrets);
  let since: Member[] = [];
  const lists: Member[] = [];
  const total = { members: 0, bytes: 0 };
  let manifest: Manifest | null = null;
  let manifestHash = "";
  for await (const member of membersOf(file, opener, progress)) {
    const wrong = (what: string) =>
      new OperatorError(`${basename(file)}: ${member.name} ${what}. Take another backup.`);
    if (manifest) throw wrong("stands after the end");
    if (member.name === "manifest.json") {
      const bytes = await whole(member);
      manifest = parseManifest(bytes, file);
      manifestHash = createHash("sha256").update(bytes).digest("hex");
      continue;
    }
    const hash = createHash("sha256");
    const isList = member.name.startsWith("members-");
    const content = isList ? await whole(member) : null;
    if (content) hash.update(content);
    else for await (const piece of member.content) hash.update(piece);
    const found = { name: member.name, bytes: member.bytes, sha256: hash.digest("hex") };
    total.members += 1;
    total.bytes += member.bytes;
    if (!content) since.push(found);
    else {
      if (!content.equals(encodeMembers(since))) throw wrong("does not list what is there");
      since = [];
      lists.push(found);
    }
  }
  if (!manifest)
    throw new OperatorError(`${basename(file)} has no manifest, so it is no whole backup. Take another.`);
  if (
    since.length > 0 ||
    !equal(lists, manifest.members) ||
    total.members !== manifest.total.members ||
    total.bytes !== manifest.total.bytes
  )
    throw new OperatorError(`${basename(file)} does not hold what its manifest says. Take another backup.`);
  return { file, manifest, manifestHash, members: () => membersOf(file, opener, () => {}) };
}

const BLOB = /^blobs\/([0-9a-f]{32})\/([\w-]+)$/;

/**
 * A backup as a copy of the store.
 * @param only Null: all pods.
 * @param change Of each pod's own row.
 */
export function copyOf(
  { manifest, members }: Archive,
  only: PodId | null,
  change: (row: Extract<StoredRow, { kind: "pod" }>) => StoredRow = (row) => row,
): Copy {
  const isWanted = (pod: string): boolean => only === null || pod === only;
  return {
    storeId: Buffer.from(manifest.storeId, "hex"),
    pods: manifest.pods.map(({ id }) => id).filter(isWanted),
    async *rows() {
      for await (const member of members()) {
        if (!member.name.startsWith("rows-")) {
          if (member.name.startsWith("blobs/")) return; // All rows come first.
          continue;
        }
        for (const row of decodeRows(await whole(member)))
          if (isWanted(row.pod)) yield row.kind === "pod" ? change(row) : row;
      }
    },
    async *blobs(): AsyncGenerator<StoredBlob> {
      for await (const { name, bytes, content } of members()) {
        const [, pod = "", hash = ""] = BLOB.exec(name) ?? [];
        if (pod !== "" && isWanted(pod)) yield { pod: pod as PodId, hash, bytes, content: () => content };
      }
    },
  };
}

/** The keys of a keys backup. */
export async function readKeys({
  members,
}: Archive): Promise<{ readonly keyring: Buffer; readonly rootKey: Buffer }> {
  const found = new Map<string, Buffer>();
  for await (const member of members()) found.set(member.name, await whole(member));
  const [keyring, rootKey] = [found.get("keyring"), found.get("root.key")];
  if (!keyring || !rootKey) throw new OperatorError("The keys backup does not hold the keys. Take another.");
  return { keyring, rootKey };
}
