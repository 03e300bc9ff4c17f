/** Records that are JSON inside: one place that turns them into bytes and back, parsed once per version. */
import type { Entry } from "./store.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const parsed = new WeakMap<Entry, unknown>();

export function encodeRecord(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** The caller names the type; only this server wrote these bytes, and the engine proved that they are unchanged. */
export function decodeRecord<T>(entry: Entry): T {
  let value = parsed.get(entry);
  if (value === undefined) {
    value = JSON.parse(decoder.decode(entry.value));
    parsed.set(entry, value);
  }
  return value as T;
}

/**
 * The same for one of very many, which is looked at once and let go. What a WeakMap has for a key that is gone stays until
 * the whole heap is gone through: of a million records that is hundreds of MiB.
 */
export function decodeOnce<T>(entry: Entry): T {
  return (parsed.get(entry) ?? JSON.parse(decoder.decode(entry.value))) as T;
}

/** One earlier version of a document, as its history counts it: nothing must be read to write the next one. */
export type Kept = readonly [
  /** 1 for the first that was ever kept. */
  number: number,
  /** Its item in table `version`. */
  slot: number,
  bytes: number,
  /** Milliseconds since 1970: until when it was what the document said. */
  until: number,
  /** Hash of the file that holds it, if it is a large binary. */
  blob?: string,
];

/** What a document was before: a bounded number of records in table `version`. */
export interface History {
  /** Their group: stays the same when the document goes into the trash and comes back. */
  readonly id: string;
  /** How many there ever were. */
  readonly count: number;
  /** Oldest first. */
  readonly kept: readonly Kept[];
}

/** A document with what must be known of it: `auxiliary` records are this. */
export interface StoredDocument {
  readonly contentType: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly bytes: Uint8Array;
  readonly history?: History;
  /** As in {@link ResourceRecord}. */
  readonly version?: number;
}

/** Further fields of the document are kept with it. */
export function encodeDocument({ bytes, ...fields }: StoredDocument): Uint8Array {
  const header = encoder.encode(JSON.stringify(fields));
  const record = new Uint8Array(4 + header.length + bytes.length);
  new DataView(record.buffer).setUint32(0, header.length);
  record.set(header, 4);
  record.set(bytes, 4 + header.length);
  return record;
}

export function decodeDocument(entry: Entry): StoredDocument {
  let document = parsed.get(entry) as StoredDocument | undefined;
  if (document === undefined) {
    const { value } = entry;
    const length = new DataView(value.buffer, value.byteOffset).getUint32(0);
    const header = JSON.parse(decoder.decode(value.subarray(4, 4 + length))) as Omit<StoredDocument, "bytes">;
    document = { ...header, bytes: value.subarray(4 + length) };
    parsed.set(entry, document);
  }
  return document;
}

/** What a container's listing shows of a member; the record of table `resource`. The member's body has the same version. */
export interface ResourceRecord {
  readonly kind: "container" | "rdf" | "binary";
  readonly contentType: string;
  /** Size of the stored representation in bytes; 0 for containers. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly modified: number;
  /** WebID of who made it, where rules may ask for that. */
  readonly creator?: string;
  /** Hash of the file that holds a large binary; then there is no `body` record. */
  readonly blob?: string;
  readonly history?: History;
  /** The version that its ETag is made of, where only its history has been shortened since. */
  readonly version?: number;
  /** What the server wrote into a page of a stream. A document that anybody else wrote is none, whatever it says. */
  readonly page?: StreamPage;
}

/** Which observations a page holds, so that it need not be opened by who looks for others. */
export interface StreamPage {
  /** Milliseconds since 1970: of the first and of the last observation. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Whether more may come. */
  readonly isOpen: boolean;
}
