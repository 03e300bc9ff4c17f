/** Documents that come from elsewhere, written in small commits, with the dates they had. */
import { Problem } from "../errors.ts";
import { type Auxiliary, nameOf, parentOf } from "../iri.ts";
import type { Pod } from "../store/pods.ts";
import {
  decodeDocument,
  decodeRecord,
  encodeDocument,
  encodeRecord,
  type ResourceRecord,
} from "../store/record.ts";
import type { Transaction } from "../store/store.ts";

export interface Content {
  readonly kind: "rdf" | "binary";
  readonly contentType: string;
  readonly bytes: Uint8Array | { readonly hash: string; readonly bytes: number };
}

/** What LDP does to a pod's documents, inside one transaction: quotas, history and listings are its own business. */
export interface Placing {
  readonly transaction: Transaction;
  /** Makes the folder and those above it, where they are not there. */
  putFolder(path: string): Promise<void>;
  /** @throws Problem `conflict` where a folder has the name. */
  putDocument(path: string, content: Content): Promise<void>;
  putAuxiliary(
    subject: string,
    item: Auxiliary,
    document: { readonly contentType: string; readonly bytes: Uint8Array },
  ): Promise<void>;
}

/** One commit. @throws Problem `quota-exceeded`. */
export type Place = (pod: Pod, work: (placing: Placing) => Promise<void>) => Promise<void>;

export type Arrival =
  | {
      readonly kind: "folder";
      readonly path: string;
      /** Its own entry comes later, or never. */
      readonly isForNow?: true;
    }
  | {
      readonly kind: "document";
      readonly path: string;
      readonly content: Content;
      /** Milliseconds since 1970. */
      readonly created: number;
      readonly modified: number;
    }
  | {
      readonly kind: Auxiliary;
      /** Of what it belongs to. */
      readonly path: string;
      readonly contentType: string;
      readonly bytes: Uint8Array;
      readonly modified: number;
      /** Keeps others out until the list that comes later is there. */
      readonly isForNow?: true;
    };

const isForNow = (arrival: Arrival): boolean => "isForNow" in arrival;

/** The dates of a folder, set when everything in it is there. */
export interface FolderDates {
  readonly path: string;
  readonly created: number;
  readonly modified: number;
  readonly listed: number | null;
}

const BATCH_MAX = 200;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

async function redate(
  transaction: Transaction,
  path: string,
  dates: { readonly created: number; readonly modified: number },
): Promise<boolean> {
  const [group, item] = [parentOf(path) ?? "", nameOf(path)];
  const entry = await transaction.get("resource", group, item);
  if (!entry) return false;
  const { created, modified } = dates;
  transaction.put(
    "resource",
    group,
    item,
    encodeRecord({ ...decodeRecord<ResourceRecord>(entry), created, modified }),
  );
  return true;
}

async function put(placing: Placing, arrival: Arrival): Promise<void> {
  const { transaction } = placing;
  if (arrival.kind === "folder") return placing.putFolder(arrival.path);
  if (arrival.kind === "document") {
    await placing.putDocument(arrival.path, arrival.content);
    await redate(transaction, arrival.path, arrival);
    return;
  }
  const { kind, path, modified } = arrival;
  if (!(await transaction.get("resource", parentOf(path) ?? "", nameOf(path))))
    throw new Problem("conflict", "There is nothing that this would belong to");
  await placing.putAuxiliary(path, kind, arrival);
  const entry = await transaction.get("auxiliary", path, kind);
  if (entry) transaction.put("auxiliary", path, kind, encodeDocument({ ...decodeDocument(entry), modified }));
}

/** Each document with its access list and description. */
function together(batch: readonly Arrival[]): Arrival[][] {
  const parts: Arrival[][] = [];
  for (const arrival of batch) {
    const last = parts.at(-1);
    if (last && arrival.kind !== "folder" && arrival.kind !== "document") last.push(arrival);
    else parts.push([arrival]);
  }
  return parts;
}

export interface ArrivalsDeps {
  readonly pod: Pod;
  readonly place: Place;
  /** Documents that are there already stay as they are. */
  readonly keepsPresent: boolean;
  /** Whether an access list that is there is one that was written for now, by this import or one that was cut short. */
  readonly isShut: (path: string, list: Uint8Array) => boolean;
  /** Told of an arrival that has no place. */
  readonly refuse: (path: string, detail: string) => void;
  /** Told of each that was written; or left, for one of its name was there. */
  readonly placed: (arrival: Arrival, isKept: boolean) => void;
  /** After a write that did not happen: a file that nobody uses. */
  readonly discard: (hash: string) => Promise<void>;
}

export interface Arrivals {
  /** An access list or description goes in with the document that was added just before, so that neither is ever alone. */
  add(arrival: Arrival): Promise<void>;
  /** Whether the path is among those that are about to be written. */
  isWaiting(path: string): boolean;
  flush(): Promise<void>;
  dateFolders(folders: readonly FolderDates[]): Promise<void>;
}

export function createArrivals({
  pod,
  place,
  keepsPresent,
  isShut,
  refuse,
  placed,
  discard,
}: ArrivalsDeps): Arrivals {
  let waiting: Arrival[] = [];
  let bytes = 0;

  const sizeOf = (arrival: Arrival): number => {
    if (arrival.kind === "folder") return 0;
    if (arrival.kind !== "document") return arrival.bytes.length;
    return arrival.content.bytes instanceof Uint8Array ? arrival.content.bytes.length : 0;
  };

  /** @returns those that were left, for something of their name is there. */
  async function write(batch: readonly Arrival[]): Promise<ReadonlySet<Arrival>> {
    let kept = new Set<Arrival>();
    await place(pod, async (placing) => {
      kept = new Set(); // The work may run again.
      const keptPaths = new Set<string>();
      for (const arrival of batch) {
        const { kind, path } = arrival;
        const { transaction } = placing;
        if (keepsPresent && kind !== "folder") {
          const isThere =
            kind === "document"
              ? (await transaction.get("resource", parentOf(path) ?? "", nameOf(path))) !== null
              : keptPaths.has(path) || (await hasOwn(transaction, path, kind));
          if (isThere) {
            kept.add(arrival);
            keptPaths.add(path);
            continue;
          }
        }
        await put(placing, arrival);
      }
    });
    return kept;
  }

  async function hasOwn(transaction: Transaction, path: string, kind: Auxiliary): Promise<boolean> {
    const entry = await transaction.get("auxiliary", path, kind);
    return entry !== null && !(kind === "acl" && isShut(path, decodeDocument(entry).bytes));
  }

  async function discardOf(arrival: Arrival): Promise<void> {
    if (arrival.kind === "document" && !(arrival.content.bytes instanceof Uint8Array))
      await discard(arrival.content.bytes.hash);
  }

  async function settle(batch: readonly Arrival[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      const kept = await write(batch);
      for (const arrival of batch) {
        if (!isForNow(arrival)) placed(arrival, kept.has(arrival));
        if (kept.has(arrival)) await discardOf(arrival);
      }
    } catch (error) {
      const parts = together(batch);
      if (error instanceof Problem && error.code === "conflict" && parts.length > 1) {
        for (const part of parts) await settle(part); // One of them has no place; the others come in.
        return;
      }
      for (const arrival of batch) await discardOf(arrival);
      if (!(error instanceof Problem) || error.code !== "conflict") throw error;
      for (const { path } of batch.filter((arrival) => !isForNow(arrival)))
        refuse(path, error.detail ?? "Something of another kind has this name");
    }
  }

  async function flush(): Promise<void> {
    const batch = waiting;
    waiting = [];
    bytes = 0;
    await settle(batch);
  }

  return {
    async add(arrival) {
      const isOwn = arrival.kind === "folder" || arrival.kind === "document";
      if (isOwn && (waiting.length >= BATCH_MAX || bytes >= BATCH_BYTES_MAX)) await flush();
      waiting.push(arrival);
      bytes += sizeOf(arrival);
    },
    isWaiting: (path) => waiting.some((arrival) => arrival.path === path),
    flush,
    async dateFolders(folders) {
      for (let from = 0; from < folders.length; from += BATCH_MAX) {
        const some = folders.slice(from, from + BATCH_MAX);
        await place(pod, async ({ transaction }) => {
          for (const folder of some) {
            const isThere = await redate(transaction, folder.path, folder); // It may have had no place.
            if (isThere && folder.listed !== null)
              transaction.put("stamp", folder.path, "", encodeRecord({ modified: folder.listed }));
          }
        });
      }
    },
  };
}
