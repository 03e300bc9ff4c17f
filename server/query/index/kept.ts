/**
 * Packed indexes on disk, each sealed with its pod's key: a file, and a record that says where. Only a cache: documents
 * are the truth, and an index says of each of its graphs which version of which document it was made of.
 */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { decodeRecord, encodeRecord, type StreamPage } from "../../store/record.ts";
import type { PodId, Snapshot, Store } from "../../store/store.ts";

/** What a graph was made of. The same path and version always say the same. */
export interface KeptDocument {
  readonly path: string;
  readonly version: string;
}

/** A document that is a graph, with all that is known of it without opening its record. */
export interface ListedDocument extends KeptDocument {
  readonly kind: (typeof KINDS)[number];
  readonly page?: StreamPage;
}

export interface KeptIndex {
  /** For `unpackIndex`. */
  readonly packed: Uint8Array;
  /** All documents that were graphs at this generation of the pod, whether the index has them or not. */
  readonly generation: number;
  readonly documents: readonly ListedDocument[];
  /** Places in `documents`, by slot. */
  readonly slots: Uint32Array;
}

export interface KeptIndexes {
  /** Where the pod's index stands in this snapshot: what is made of the snapshot's documents is kept with it. */
  mark(snapshot: Snapshot): Promise<number>;
  /** @returns null when there is none that can be read: then the index is made of the documents. */
  read(snapshot: Snapshot): Promise<KeptIndex | null>;
  /**
   * All documents that are graphs in this snapshot, without a look at any of them.
   * @returns null unless it is certain: nothing whatever was committed to the pod since they were listed, but the list, and
   * signed heads of its journal.
   */
  list(snapshot: Snapshot): Promise<readonly ListedDocument[] | null>;
  /**
   * Puts an index in the place of the one before.
   * @param mark Of a snapshot in which every document of the index was as it is in the index.
   * @returns false when another was kept, or all were forgotten, since: what was erased meanwhile must not come back.
   */
  keep(pod: PodId, mark: number, index: KeptIndex): Promise<boolean>;
  /** Before the pod's keys are replaced: what was deleted must not be sealed anew. Fine for a pod that is gone. */
  forget(pod: PodId): Promise<void>;
}

/** The record; null after it was forgotten, so that nobody keeps what was made before. */
interface Place {
  readonly hash: string | null;
  /** Of the pod when its documents were listed. */
  readonly generation?: number;
  /** With how many bytes the file begins that have the list, so that no more is read for it. */
  readonly listBytes?: number;
}

const KINDS = ["rdf", "container", "acl", "meta"] as const;
const FORMAT = 2;
const HEADER_BYTES = 12;
/** Who uses the file, in table `blob`: no path begins so. */
const USE = "index";
const HEADS_MAX = 100; // One a day, at most.
const KEPT_BYTES_MAX = 1024 ** 3;

function encodeList(documents: readonly ListedDocument[]): Uint8Array {
  const lines = documents.map(({ path, version, kind, page }) => {
    const line = `${path}\t${version}\t${KINDS.indexOf(kind)}`;
    return page ? `${line}\t${page.first}\t${page.last}\t${page.count}\t${page.isOpen ? 1 : 0}` : line;
  });
  return zstdCompressSync(lines.join("\n"));
}

function decodeList(bytes: Uint8Array): ListedDocument[] {
  const lines = zstdDecompressSync(bytes).toString("utf8");
  if (lines === "") return [];
  return lines.split("\n").map((line) => {
    const [path, version, kind, first, last, count, isOpen] = line.split("\t");
    const listed = { path: path!, version: version!, kind: KINDS[Number(kind)]! };
    return first === undefined
      ? listed
      : {
          ...listed,
          page: { first: Number(first), last: Number(last), count: Number(count), isOpen: isOpen === "1" },
        };
  });
}

/** Header, list of documents, their slots, index. */
function encodeKept({ packed, documents, slots }: KeptIndex): { bytes: Uint8Array; listBytes: number } {
  const list = encodeList(documents);
  const places = zstdCompressSync(new Uint8Array(slots.buffer, slots.byteOffset, slots.byteLength));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(FORMAT, 0);
  header.writeUInt32LE(list.length, 4);
  header.writeUInt32LE(places.length, 8);
  return {
    bytes: Buffer.concat([header, list, places, packed]),
    listBytes: HEADER_BYTES + list.length,
  };
}

const isOurs = (bytes: Buffer): boolean => bytes.length >= HEADER_BYTES && bytes.readUInt32LE(0) === FORMAT;

function decodeKept(bytes: Buffer, generation: number): KeptIndex | null {
  if (!isOurs(bytes)) return null;
  const listEnd = HEADER_BYTES + bytes.readUInt32LE(4);
  const end = listEnd + bytes.readUInt32LE(8);
  const places = Uint8Array.from(zstdDecompressSync(bytes.subarray(listEnd, end)));
  return {
    packed: bytes.subarray(end),
    generation,
    documents: decodeList(bytes.subarray(HEADER_BYTES, listEnd)),
    slots: new Uint32Array(places.buffer),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function placeIn(snapshot: Snapshot): Promise<Place & { readonly mark: number }> {
  const entry = await snapshot.get("index", "", "");
  return entry ? { mark: entry.version, ...decodeRecord<Place>(entry) } : { mark: 0, hash: null };
}

/**
 * Whether each commit since was one that signed the journal's head, and such a commit writes nothing else (`signOne` in
 * server/journal/journal.ts): a generation that no head bears is somebody else's, whatever it wrote.
 */
async function isOnlySigned(snapshot: Snapshot, since: number): Promise<boolean> {
  const { generation } = snapshot;
  if (generation === since) return true;
  if (generation < since || generation - since > HEADS_MAX) return false;
  const missing = new Set(Array.from({ length: generation - since }, (_, at) => since + 1 + at));
  for await (const { version } of snapshot.list("head", "")) missing.delete(version);
  return missing.size === 0;
}

export function createKeptIndexes(store: Store, log: Log): KeptIndexes {
  async function bytesOf(
    pod: PodId,
    hash: string,
    range?: { readonly first: number; readonly last: number },
  ): Promise<Buffer | null> {
    try {
      return Buffer.concat(await Array.fromAsync(store.blobs.read(pod, hash, range)));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      log.warn("query.index-unreadable", { cause: error.code });
      return null;
    }
  }

  return {
    mark: async (snapshot) => (await placeIn(snapshot)).mark,
    async read(snapshot) {
      const { hash, generation = -1 } = await placeIn(snapshot);
      const bytes = hash === null ? null : await bytesOf(snapshot.pod, hash);
      return bytes && decodeKept(bytes, generation);
    },
    async list(snapshot) {
      const { hash, mark, generation, listBytes } = await placeIn(snapshot);
      // Each commit that writes is one generation: the one after the list was the list's own.
      const isNext = generation !== undefined && mark === generation + 1;
      if (hash === null || listBytes === undefined || !isNext || !(await isOnlySigned(snapshot, mark)))
        return null;
      const bytes = await bytesOf(snapshot.pod, hash, { first: 0, last: listBytes - 1 });
      return bytes && isOurs(bytes) ? decodeList(bytes.subarray(HEADER_BYTES)) : null;
    },
    async keep(pod, mark, index) {
      const { bytes, listBytes } = encodeKept(index);
      const { generation } = index;
      const { hash } = await store.blobs.write(pod, once(bytes), KEPT_BYTES_MAX);
      let left = hash; // A file that nobody needs after this.
      try {
        const { result } = await store.write(pod, async (transaction) => {
          const before = await placeIn(transaction);
          if (before.mark !== mark) return { isKept: false, left: hash };
          if (before.hash !== null && before.hash !== hash) transaction.delete("blob", before.hash, USE);
          if (before.hash !== hash) transaction.put("blob", hash, USE, new Uint8Array());
          transaction.put("index", "", "", encodeRecord({ hash, generation, listBytes } satisfies Place));
          return { isKept: true, left: before.hash };
        });
        left = result.left ?? "";
        return result.isKept;
      } finally {
        if (left !== "") await store.blobs.release(pod, left); // Stays all the same where it is in use.
      }
    },
    async forget(pod) {
      try {
        const { result } = await store.write(pod, async (transaction) => {
          const { hash } = await placeIn(transaction);
          if (hash !== null) transaction.delete("blob", hash, USE);
          transaction.put("index", "", "", encodeRecord({ hash: null } satisfies Place));
          return hash;
        });
        if (result !== null) await store.blobs.release(pod, result);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "not-found") throw error;
      }
    },
  };
}
