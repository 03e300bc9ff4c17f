/**
 * Everything of a pod as one ZIP file.
 *
 * It is of one moment: a single snapshot is held from the first byte to the last. Pages read one after the other would
 * cost nobody anything, but a file that is moved meanwhile would be in the archive twice or not at all, and documents
 * would not fit each other. A held snapshot costs the room that others' writes take until it ends, so exports are few at
 * a time and bounded in time, and whoever stops taking bytes is cut off like any silent connection.
 *
 * There is no file with all statements in one (N-Quads): it would double the size, and say nothing that the documents
 * under `data/` do not.
 */
import { createHash, randomUUID } from "node:crypto";
import { Problem } from "../errors.ts";
import { nameOf, parentOf } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Pod } from "../store/pods.ts";
import { decodeDocument, decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { flowing } from "./flow.ts";
import {
  CONSENT_STATEMENT,
  CONSENTS,
  createManifestWriter,
  EMPTY_SHA256,
  FORMAT,
  type Manifest,
  type ManifestWriter,
} from "./manifest.ts";
import { readmeOf } from "./readme.ts";
import { type Visited, walkPod } from "./walk.ts";
import { createZipWriter, type ZipWriter } from "./zip.ts";

export interface ExportDeps {
  readonly baseUrl: string;
  readonly store: Store;
  readonly limits: Limits;
  readonly now: () => Date;
  /** Name and version. */
  readonly server: string;
  /** What the server knows of the owner beside the pod: the account, and what may sign in to it; no secrets. */
  readonly accountOf: (pod: Pod) => Promise<object | null>;
  /** What an entry of the journal says, in names that a person can read. */
  readonly entryOf: (bytes: Uint8Array) => object;
  /** The signed records of a pod's passport; null where there is none. */
  readonly passportOf: (pod: Pod) => Promise<{ readonly id: string; readonly operations: unknown } | null>;
  /** What vendors were given and what became of it, and this server's word for it. */
  readonly consents: {
    /** Line by line; nothing for a pod without any. */
    readonly lines: (snapshot: Snapshot, pod: Pod) => AsyncGenerator<string>;
    readonly statement: (
      pod: Pod,
      facts: {
        readonly export: string;
        readonly taken: string;
        readonly records: number;
        readonly sha256: string;
      },
    ) => Promise<object | null>;
  };
}

export interface Exported {
  /** A good name for the file: letters, digits, hyphens and dots. */
  readonly fileName: string;
  readonly content: AsyncIterable<Uint8Array>;
}

export interface ExportProgress {
  /** Documents, files and folders so far. */
  readonly done: number;
  readonly total: number;
}

/** Written again and again on the way; media that are compressed already are not compressed once more. */
const PACKED =
  /^(?:image\/(?!svg|bmp|x-)|video\/|audio\/(?!wav|x-wav)|font\/woff|application\/(?:zip|gzip|x-7z|x-xz|zstd|vnd\.openxml|vnd\.oasis|pdf|epub))/i;
const LARGE_BYTES = 0xf000_0000;
const JOURNAL_PAGE = 500;
const JOURNAL_ENTRY_BYTES = 4_096; // More than any has: by it the journal's size is judged beforehand.
const MISSING = Symbol("missing");

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const iso = (ms: number): string => new Date(ms).toISOString();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const withoutNulls = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null));

export function createExporter(
  deps: ExportDeps,
): (pod: Pod, report?: (p: ExportProgress) => void) => Exported {
  const { baseUrl, store, limits, now } = deps;
  const running = new Set<string>();

  async function manifestOf(pod: Pod, passport: string | null): Promise<Manifest> {
    const head = await store.journal.head(pod.id);
    return {
      format: FORMAT,
      id: randomUUID(),
      server: deps.server,
      pod: pod.name,
      base: baseUrl,
      root: `${baseUrl}${pod.name}/`,
      owner: pod.owner,
      taken: now().toISOString(),
      journal: { number: head.number, hash: hex(head.hash) },
      passport,
    };
  }

  async function writeAll(
    pod: Pod,
    write: (bytes: Uint8Array) => Promise<void>,
    report: (progress: ExportProgress) => void,
  ): Promise<void> {
    const passport = await deps.passportOf(pod);
    const total = (await store.usage(pod.id)).resources;
    let isBegun = false;
    await store.read(pod.id, async (snapshot) => {
      // The first look into the database fixes the moment; before it the work may be begun anew, afterwards never.
      for await (const _entry of snapshot.all("head")) break;
      if (isBegun) throw new Error("an export cannot be begun twice");
      isBegun = true;
      const manifest = await manifestOf(pod, passport?.id ?? null);
      const zip = createZipWriter(write);
      const rows = createManifestWriter(manifest);
      const taken = Date.parse(manifest.taken);
      await zip.add("README.txt", Buffer.from(readmeOf(manifest)), taken);
      const counts = { resources: 0, bytes: 0 };
      for await (const visited of walkPod(snapshot, pod, "data/")) {
        await writeResource(snapshot, pod, visited, zip, rows, counts);
        counts.resources += 1;
        report({ done: counts.resources, total });
      }
      await writeConsents(snapshot, pod, manifest, zip);
      await writeJournal(snapshot, pod, manifest.journal, zip, taken);
      const account = await deps.accountOf(pod);
      if (account) await zip.add("account.json", Buffer.from(JSON.stringify(account, null, 2)), taken);
      if (passport)
        await zip.add("passport/operations.json", Buffer.from(JSON.stringify(passport, null, 2)), taken);
      await zip.deflated("manifest.json", await rows.end(counts), taken);
      await zip.end();
    });
  }

  /** The resource itself, then its access list and its description beside it. */
  async function writeResource(
    snapshot: Snapshot,
    pod: Pod,
    visited: Visited,
    zip: ZipWriter,
    rows: ManifestWriter,
    counts: { resources: number; bytes: number },
  ): Promise<void> {
    const { path, record, entry } = visited;
    const own = path.slice(pod.name.length + 2);
    const common = { path: own, entry, created: iso(record.created), modified: iso(record.modified) };
    if (record.kind === "container") {
      await zip.folder(entry, record.modified);
      const stamp = await snapshot.get("stamp", path, "");
      const listed = stamp && iso(decodeRecord<{ modified: number }>(stamp).modified);
      const row = { ...common, kind: record.kind, type: record.contentType, bytes: 0, sha256: EMPTY_SHA256 };
      await rows.add(listed === null ? row : { ...row, listed });
    } else {
      const written = await writeContent(snapshot, pod, visited, zip);
      if (written === MISSING) return; // Deleted while the export ran, and not to be had any more.
      counts.bytes += written.bytes;
      await rows.add({ ...common, kind: record.kind, type: record.contentType, ...written });
    }
    for (const kind of ["acl", "meta"] as const) {
      const found = await snapshot.get("auxiliary", path, kind);
      if (!found) continue;
      const { contentType, modified, bytes } = decodeDocument(found);
      const name = `${entry}.${kind}`;
      await zip.add(name, bytes, modified);
      const at = iso(modified);
      const size = { bytes: bytes.length, sha256: sha256(bytes) };
      await rows.add({ path: own, kind, entry: name, type: contentType, ...size, created: at, modified: at });
      counts.bytes += bytes.length;
    }
  }

  type Written = { readonly bytes: number; readonly sha256: string; readonly newer?: true };

  async function writeContent(
    snapshot: Snapshot,
    pod: Pod,
    { path, record, entry }: Visited,
    zip: ZipWriter,
  ): Promise<Written | typeof MISSING> {
    if (record.blob === undefined) {
      const body = await snapshot.get("body", path, "");
      if (!body) throw new Problem("unavailable", "A document's content is missing");
      await zip.add(entry, body.value, record.modified);
      return { bytes: body.value.length, sha256: sha256(body.value) };
    }
    try {
      return await writeFile(pod, record, entry, zip);
    } catch (error) {
      // Large files are no part of the snapshot. One that was replaced or deleted meanwhile is taken as it is now.
      const present = await store.read(pod.id, (now_) =>
        now_.get("resource", parentOf(path) ?? "", nameOf(path)),
      );
      const newer = present && decodeRecord<ResourceRecord>(present);
      if (!(error instanceof FileGone) || newer?.blob === record.blob) throw error;
      if (!newer || newer.kind === "container") return MISSING;
      if (newer.blob !== undefined) return { ...(await writeFile(pod, newer, entry, zip)), newer: true };
      const body = await store.read(pod.id, (now_) => now_.get("body", path, ""));
      if (!body) return MISSING;
      await zip.add(entry, body.value, newer.modified);
      return { bytes: body.value.length, sha256: sha256(body.value), newer: true };
    }
  }

  async function writeFile(
    pod: Pod,
    record: ResourceRecord,
    entry: string,
    zip: ZipWriter,
  ): Promise<Written> {
    const digest = createHash("sha256");
    const chunks = store.blobs.read(pod.id, record.blob ?? "")[Symbol.asyncIterator]();
    // Asked for before anything of the entry is written: a file that is gone leaves no half entry.
    const first = await chunks.next().catch((cause: unknown) => {
      throw new FileGone("The file is gone", { cause });
    });
    async function* content(): AsyncGenerator<Uint8Array> {
      for (let step = first; !step.done; step = await chunks.next()) {
        digest.update(step.value as Uint8Array);
        yield step.value as Uint8Array;
      }
    }
    const level = PACKED.test(record.contentType) ? 0 : 1; // Fast: it is as large as it is.
    const isLarge = record.bytes > LARGE_BYTES;
    await zip.stream(entry, content(), { modified: record.modified, isLarge, level });
    return { bytes: record.bytes, sha256: digest.digest("hex") };
  }

  /** Before the statement about them, which holds their hash. */
  async function writeConsents(
    snapshot: Snapshot,
    pod: Pod,
    { id, taken }: Manifest,
    zip: ZipWriter,
  ): Promise<void> {
    const lines = deps.consents.lines(snapshot, pod);
    const first = await lines.next();
    if (first.done) return;
    const digest = createHash("sha256");
    let records = 0;
    async function* content(): AsyncGenerator<Uint8Array> {
      for (let step: IteratorResult<string> = first; !step.done; step = await lines.next()) {
        const bytes = Buffer.from(step.value);
        digest.update(bytes);
        records += 1;
        yield bytes;
      }
    }
    const modified = Date.parse(taken);
    await zip.stream(CONSENTS, content(), { modified, isLarge: true, level: 6 });
    const facts = { export: id, taken, records, sha256: digest.digest("hex") };
    const statement = await deps.consents.statement(pod, facts);
    if (statement) await zip.add(CONSENT_STATEMENT, Buffer.from(JSON.stringify(statement)), modified);
  }

  async function writeJournal(
    snapshot: Snapshot,
    pod: Pod,
    head: Manifest["journal"],
    zip: ZipWriter,
    modified: number,
  ): Promise<void> {
    const text = new TextDecoder("utf-8", { fatal: true });
    async function* lines(): AsyncGenerator<Uint8Array> {
      const about =
        "One line an entry. leaf is SHA-256 of salt (hexadecimal) and entry (its text in UTF-8); an entry without text was erased. says is the same in words.";
      yield Buffer.from(`${JSON.stringify({ journal: "freehold-journal/1", head, about })}\n`);
      for (let after = 0; after < head.number; ) {
        const rows = await store.journal.read(pod.id, after, Math.min(JOURNAL_PAGE, head.number - after));
        if (rows.length === 0) return;
        for (const { number, leaf, salt, entry } of rows) {
          after = number;
          const line = {
            number,
            leaf: hex(leaf),
            salt: salt && hex(salt),
            entry: entry && text.decode(entry), // Entries are text; what is not ends the export, loudly.
            ...(entry && { says: withoutNulls(deps.entryOf(entry)) }),
          };
          yield Buffer.from(`${JSON.stringify(line)}\n`);
        }
      }
      for await (const { item, value } of snapshot.all("head"))
        yield Buffer.from(`${JSON.stringify({ signedHead: item, text: text.decode(value) })}\n`);
    }
    const isLarge = head.number * JOURNAL_ENTRY_BYTES > LARGE_BYTES;
    await zip.stream("journal.jsonl", lines(), { modified, isLarge, level: 6 });
  }

  function checkFree(pod: Pod): void {
    if (running.has(pod.id))
      throw new Problem("conflict", "An export of this pod is under way; wait until it ends");
    if (running.size >= limits.exportsRunningMax)
      throw new Problem("unavailable", "Others are exporting their pods", {
        headers: { "retry-after": "60" },
      });
  }

  return (pod, report = () => {}) => {
    checkFree(pod); // While there is still a status to say so with.
    async function* content(): AsyncGenerator<Uint8Array> {
      checkFree(pod);
      running.add(pod.id);
      try {
        yield* flowing(
          (write) => writeAll(pod, write, report),
          limits.exportMsMax,
          () => new Problem("unavailable", "The export took too long"),
        );
      } finally {
        running.delete(pod.id);
      }
    }
    return { fileName: `${pod.name}-${now().toISOString().slice(0, 10)}.zip`, content: content() };
  };
}

/** A large file of the snapshot that is not there any more. */
class FileGone extends Error {
  override readonly name = "FileGone";
}
