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
  stamp: 4, // group = container path, item = "": when the membership last changed; group = "", item = "acl": when access lists did; item = "series": there are streams
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
  version: 15, // group = id of a history, item = place in its ring: what a document was before
  trash: 16, // group = day of the deletion, item = an id of it: what was deleted and can be brought back
  head: 17, // group = "", item = number: signed heads of the journal
  restriction: 18, // group = "", item = "": the folders and documents that are frozen for all but the owner
  channel: 19, // group = "", item = its id: who is told of changes, and how
  outbox: 20, // group = "standing", item = channel: how its receiver is doing. Of the server: group = "pods", item = pod's name: where to look; group = "lease": who sends
  index: 21, // group = "", item = "": the file that has what queries look into; made of the documents, and again when it is gone
  consent: 22, // group = kind ("request", "grant", "decision", "receipt", "usage", "view", "preference", …), item = id. group = "", item = "rules": what Active grants permit, for decisions
  registry: 23, // In a zone's own pod: group = kind ("head", "key", "map", "epoch", "leaves", "pending", …), item = id, key or number
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

/** What a pod holds, in what counts against its quota. */
export interface Usage {
  /** Bytes of content: documents, files, descriptions, access lists, earlier versions and the trash. */
  readonly bytes: number;
  /** Documents, files and folders. */
  readonly resources: number;
}

/** One entry of a pod's journal, in the order of commits. */
export interface JournalRow {
  /** 1, 2, 3, … without a gap. */
  readonly number: number;
  /** SHA-256 of salt and entry: what the chain holds, whether or not the entry is still there. */
  readonly leaf: Uint8Array;
  /** 16 random bytes: without them the leaf of a forgotten entry could be guessed. Null once it is forgotten. */
  readonly salt: Uint8Array | null;
  readonly entry: Uint8Array | null;
}

/** Where a pod's journal stands: its last number, and the keyed hash over all its leaves up to there. */
export interface JournalHead {
  /** 0: nothing was recorded yet. */
  readonly number: number;
  /** 32 bytes; zeros at number 0. */
  readonly hash: Uint8Array;
}

/** A pod's journal: what is in it can be read and forgotten, never changed. Appended to by {@link Transaction.record}. */
export interface Journal {
  head(pod: PodId): Promise<JournalHead>;
  /** Entries after number `after`, oldest first. @throws Problem `unavailable` for one that is damaged. */
  read(pod: PodId, after: number, most: number): Promise<readonly JournalRow[]>;
  /** Destroys what these entries say; their leaves stay, so the chain stays valid. Who calls this records that it did. */
  forget(pod: PodId, numbers: readonly number[]): Promise<void>;
  /**
   * Computes the chain again from its first leaf.
   * @param heads Heads that were known earlier (signed ones): the chain must pass through each.
   * @param progress Called with entries checked so far.
   */
  verify(
    pod: PodId,
    heads: readonly JournalHead[],
    progress?: (done: number, total: number) => void,
  ): Promise<JournalReport>;
}

export interface JournalReport {
  readonly entries: number;
  /** Numbers of entries whose content was forgotten: each must be accounted for by an entry that says so. */
  readonly forgotten: readonly number[];
  /** What is wrong, in words for the operator; empty when nothing is. */
  readonly faults: readonly string[];
}

/** Some records of a group. */
export interface Page {
  readonly entries: readonly Entry[];
  /** Where the next page begins; null when there is none. Says nothing, and is good for this group only. */
  readonly next: string | null;
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
  /**
   * Some records of one group, in an order that stays the same: for what is too large to be listed at once. Not for
   * transactions: what they have written is not in it, and nothing is checked at their commit.
   * What is there all the while is on exactly one of the pages, also when each is of another snapshot.
   * @param after `next` of the page before; null for the first.
   * @param most At least 1.
   * @throws Problem `input-invalid` for an `after` that no page of this group ended with.
   */
  page(table: Table, group: string, after: string | null, most: number): Promise<Page>;
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
  /**
   * Adds an entry to the pod's journal, in the order of commits and in this one. Writers do not conflict by it, and a
   * transaction that does nothing else leaves the generation as it is.
   */
  record(entry: Uint8Array): void;
  /**
   * Changes what the pod holds by these amounts. Sums of several calls count; writers do not conflict by it.
   * @param most The pod's quota, checked at the commit against the exact sum: only what grows is refused.
   * @throws Problem `quota-exceeded`, from {@link Store.write}.
   */
  use(change: Usage, most: Usage): void;
}

export interface Committed<T> {
  readonly result: T;
  /** The pod's generation after this commit: the `version` of every record it put. Unchanged if it wrote nothing. */
  readonly generation: number;
  /** What it wrote, in no order; absent where it wrote nothing. @param table Its number in {@link TABLES}. */
  readonly writes?: readonly { readonly table: number; readonly group: string; readonly item: string }[];
}

/** A record that a commit wrote or deleted. */
export interface Change {
  readonly table: Table;
  readonly group: string;
  readonly item: string;
}

/** All that was written to a pod after one generation and up to another; null where not all of it is known any more. */
export type ChangesBetween = (pod: PodId, after: number, upTo: number) => readonly Change[] | null;

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

/** One row as it is stored: sealed, so it tells nothing without the keyring, and any engine can hold it. */
export type StoredRow =
  | {
      readonly kind: "pod";
      readonly pod: PodId;
      readonly generation: number;
      readonly usage: Usage;
      readonly head: JournalHead;
    }
  | {
      readonly kind: "record";
      readonly pod: PodId;
      readonly table: number;
      /** 16 bytes each. */
      readonly groupKey: Uint8Array;
      readonly itemKey: Uint8Array;
      readonly version: number;
      readonly sealed: Uint8Array;
    }
  | {
      readonly kind: "journal";
      readonly pod: PodId;
      readonly number: number;
      readonly leaf: Uint8Array;
      /** Null: forgotten. */
      readonly sealed: Uint8Array | null;
    };

/** A sealed file as it is stored. */
export interface StoredBlob {
  readonly pod: PodId;
  readonly hash: string;
  /** Of the sealed file. */
  readonly bytes: number;
  content(): AsyncIterable<Uint8Array>;
}

/** Everything of some pods, or of the whole store, at one moment. Sealed. */
export interface Copy {
  /** 16 bytes that bind data and keyring to each other. */
  readonly storeId: Uint8Array;
  readonly pods: readonly PodId[];
  /** Pod by pod: the pod's own row, its records, its journal from the first entry on. */
  rows(): AsyncIterable<StoredRow>;
  blobs(): AsyncIterable<StoredBlob>;
}

export interface Loaded {
  readonly pods: number;
  readonly rows: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Pods that were left out because their keys are destroyed, or are not in this store's keyring. */
  readonly left: readonly PodId[];
  /** Those among them that have keys here, of another time: from before or after they were sealed anew. */
  readonly otherKeys: readonly PodId[];
}

export interface Store {
  /**
   * Runs `work` on one snapshot of the pod; perhaps a second time, when others commit meanwhile. The snapshot ends
   * with `work`: nothing may be read from it later.
   * @throws Problem `not-found` for a pod that does not exist.
   */
  read<T>(pod: PodId, work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /**
   * Runs `work`, commits what it wrote, and resolves only after the commit is on disk. If `work` throws, nothing is written.
   * @throws Problem `body-too-large` over `recordBytesMax`, `transactionBytesMax` or `transactionWritesMax`;
   * `write-conflict` after `transactionTriesMax` lost races; `storage-full`; `unavailable` after a failed sync, or when a
   * blob that a record names is gone; `outcome-unknown` when the disk or the database failed while it was being committed.
   */
  write<T>(pod: PodId, work: (transaction: Transaction) => Promise<T>): Promise<Committed<T>>;
  /** What the pod holds now, after every commit that was acknowledged. */
  usage(pod: PodId): Promise<Usage>;
  readonly journal: Journal;
  /** A new empty pod with a key of its own. */
  createPod(): Promise<PodId>;
  /** Destroys the pod's key first (crypto-shredding), then its records and blobs. Idempotent. */
  erasePod(pod: PodId): Promise<void>;
  /**
   * Gives the pod a new key, seals everything of it anew, and destroys the old key: what was deleted before cannot be
   * opened any more, not even in an old copy, but with an old keyring. Reads and writes go on; killed in the middle, it
   * is finished when the store is opened again.
   * @param progress Called with rows and files done, and how many there are about.
   */
  rekey(pod: PodId, progress?: (done: number, total: number) => void): Promise<void>;
  /**
   * Runs `work` on a copy of one moment. Writes go on meanwhile, and no file that the copy names is removed.
   * @param pods Null: all, the server's own included.
   */
  copy<T>(pods: readonly PodId[] | null, work: (copy: Copy) => Promise<T>): Promise<T>;
  /**
   * Puts the pods of a copy into this store, each in place of what it holds of that pod. A pod whose key is destroyed
   * stays erased. Durable when resolved; killed in the middle, it can be run again.
   * @throws StoreRefused for a copy that belongs to another keyring.
   */
  load(copy: Copy, progress?: (rows: number, bytes: number) => void): Promise<Loaded>;
  /** The wrapped keys, as they are on disk: to be kept apart from all copies, and shorter. Worth nothing without the root key. */
  keyring(): Promise<Uint8Array>;
  /**
   * Wraps the keys with a new root key, which takes the place of the old one in its file. Of the data nothing changes. Killed
   * in the middle, the store opens all the same. From then on an older root key opens older keyrings only.
   * @throws StoreRefused where the file cannot be replaced; then nothing has changed.
   */
  rotateRootKey(): Promise<void>;
  /**
   * Counts the pod's records again, as after each start: whether all that is there can be found. Mends a lookup index
   * that is damaged, where the records themselves are whole. Engines whose database proves its own pages have no need.
   * @throws Problem `unavailable` when something cannot be found.
   */
  prove?(pod: PodId): Promise<void>;
  readonly blobs: Blobs;
  /** Resolves when a read and the writer both answer. @throws Problem `unavailable`. */
  check(): Promise<void>;
  close(): Promise<void>;
}
