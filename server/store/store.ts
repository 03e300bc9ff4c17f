/**
 * The store's port: what every engine offers and all that any feature may know of storage.
 *
 * A pod is a set of tables of records. A record is found by `(table, group, item)`; a group can be listed.
 * Reads see one snapshot; writes are optimistic: the transaction's reads are checked again at commit, and the
 * function is run anew if anything it read has changed. So `work` must have no effect but through its transaction.
 */
import type { Readable } from "node:stream";

/** Opaque, random, 32 hex digits; says nothing about whose pod it is. */
export type PodId = string & { readonly __brand: "PodId" };

/** The server's own records (accounts, pod directory, provider state, registry): a pod like any other, always there. */
export const SERVER_POD = "00000000000000000000000000000000" as PodId;

/** Tables have fixed numbers, for they are part of the format on disk: never renumber, never reuse. */
export const TABLES = Object.freeze({
  resource: 1, // group = container path, item = name in it: what the listing shows
  body: 2, // group = path, item = "": the client's own bytes
  auxiliary: 3, // group = subject path, item = "acl" | "meta"
  stamp: 4, // group = container path, item = "": when the membership last changed
  blob: 5, // group = blob hash, item = path that uses it
  account: 6,
  credential: 7,
  session: 8,
  oidc: 9,
  directory: 10, // group = "", item = pod name
  passport: 11,
  operation: 12,
  setting: 13,
  import: 14,
} as const);
export type Table = keyof typeof TABLES;

/** A stored record. The object's identity is stable while cached, so parsed forms may hang on it in a WeakMap. */
export interface Entry {
  readonly group: string;
  readonly item: string;
  /** The pod's generation at the commit that wrote it: grows, never repeats, so an ETag can be made of it. */
  readonly version: number;
  readonly value: Uint8Array;
}

export interface Snapshot {
  readonly pod: PodId;
  /** Number of commits to this pod so far. */
  readonly generation: number;
  /**
   * @returns the record, or null when there is none. Its value is shared with others: never change it.
   * @throws Problem `unavailable` for a record that is damaged.
   */
  get(table: Table, group: string, item: string): Promise<Entry | null>;
  /** All records of one group, in no order that a caller may rely on. */
  list(table: Table, group: string): AsyncIterable<Entry>;
  /** All records of a table. For overviews and rebuilds, not for requests on the hot path. */
  all(table: Table): AsyncIterable<Entry>;
}

/**
 * Sees its own writes, with version 0: what they will have is known only after the commit (`Committed.generation`).
 * `work` must not call `write` of the same pod, for it may have to wait for itself.
 */
export interface Transaction extends Snapshot {
  put(table: Table, group: string, item: string, value: Uint8Array): void;
  delete(table: Table, group: string, item: string): void;
}

export interface Committed<T> {
  readonly result: T;
  /** The pod's generation after this commit: the `version` of every record it put. Unchanged if it wrote nothing. */
  readonly generation: number;
}

/** Content-addressed, sealed, streamed files for large binaries. */
export interface Blobs {
  /**
   * Streams to disk; resolved only when bytes and name are synced. The hash is keyed: it says nothing outside this pod.
   * The file stays until {@link Blobs.release}, or until the sweeper finds no record of table `blob` that names it.
   * @throws Problem `body-too-large` beyond `bytesMax`, `storage-full` when the disk is.
   */
  write(
    pod: PodId,
    content: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<{ readonly hash: string; readonly bytes: number }>;
  /**
   * A stream of buffers; what cannot be read ends it with a Problem: `unavailable` for a file that is missing or damaged.
   * @param range First and last byte, both inclusive.
   */
  read(pod: PodId, hash: string, range?: { readonly first: number; readonly last: number }): Readable;
  /** After a commit that dropped a use (or a transaction that never happened): removes the file if nothing uses it. */
  release(pod: PodId, hash: string): Promise<void>;
}

export interface Store {
  /**
   * Runs `work` on one snapshot of the pod; perhaps a second time, when others commit while it begins. The snapshot ends
   * with `work`: nothing may be read from it later.
   * @throws Problem `not-found` for a pod that does not exist.
   */
  read<T>(pod: PodId, work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /**
   * Runs `work`, commits what it wrote, and resolves only after the commit is on disk. If `work` throws, nothing is written.
   * @throws Problem `body-too-large` over `recordBytesMax`, `transactionBytesMax` or `transactionWritesMax`;
   * `write-conflict` after `transactionTriesMax` lost races; `storage-full`; `unavailable` after a failed sync, or when a
   * blob that a record names is gone.
   */
  write<T>(pod: PodId, work: (transaction: Transaction) => Promise<T>): Promise<Committed<T>>;
  /** A new empty pod with a key of its own. */
  createPod(): Promise<PodId>;
  /** Destroys the pod's key first (crypto-shredding), then its records and blobs. Idempotent. */
  erasePod(pod: PodId): Promise<void>;
  readonly blobs: Blobs;
  /** Resolves when a read and the writer both answer. @throws Problem `unavailable`. */
  check(): Promise<void>;
  close(): Promise<void>;
}
