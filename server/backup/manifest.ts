/** What a backup says of itself: its last member, so that it can speak of all others. */
import type { PodId, Usage } from "../store/store.ts";

export const FORMAT = 1;

export interface Member {
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface PodInBackup {
  readonly id: PodId;
  /** Null: the server's own records, or a pod that is in no directory. */
  readonly name: string | null;
  readonly owner: string | null;
  readonly generation: number;
  readonly usage: Usage;
  /** Where its journal stood; `hash` in hexadecimal. */
  readonly head: { readonly number: number; readonly hash: string };
  readonly records: number;
  readonly entries: number;
  readonly blobs: number;
}

export interface Manifest {
  readonly format: typeof FORMAT;
  readonly kind: "data" | "keys";
  /** Version of the program that wrote it. */
  readonly server: string;
  /** ISO 8601: when the copy was begun. */
  readonly time: string;
  /** Hexadecimal: binds data and keys to each other. */
  readonly storeId: string;
  /** Whether it has every pod, and the server's own records. */
  readonly isWhole: boolean;
  readonly pods: readonly PodInBackup[];
  /** Heads of journals, as they were signed at that time. */
  readonly heads: readonly unknown[];
  /** Pods known to be erased at that time: a restore keeps them so, whatever its keyring says. */
  readonly erased: readonly PodId[];
  /** All members but the manifest, in order; those of `members-…` list the others, so that no list grows without bounds. */
  readonly members: readonly Member[];
  readonly total: {
    readonly members: number;
    readonly bytes: number;
    readonly rows: number;
    readonly blobs: number;
  };
}

/** Lines of members-000001.json and so on: each names what came since the one before. */
export function encodeMembers(members: readonly Member[]): Buffer {
  return Buffer.from(members.map((member) => `${JSON.stringify(member)}\n`).join(""));
}
