/**
 * A pod's new key, and the end of its old one. While both are there, everything that is written is sealed with the new one,
 * and what the old one sealed is sealed anew, page by page between the commits of others. Only when nothing of the old one is
 * left, it is destroyed. Two keys in the keyring say that this is not finished: then it goes on when the store is opened.
 */
import { setTimeout as later, setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Keyring } from "../sealed/keyring.ts";
import { keysOfPlace, type PodKeys, resealRecord } from "../sealed/seal.ts";
import type { PodId } from "../store.ts";
import type { BlobFiles } from "./blobs.ts";
import { encodeRows, FOLD, RESEAL } from "./bulk.ts";
import type { Gate } from "./gate.ts";
import type { Readers } from "./readers.ts";
import { openScan, type Scan, type ScanPage, type StoredAt } from "./scan.ts";
import type { WriterThread } from "./writer-thread.ts";

/** A reader that holds the write-ahead log is waited for; what is in it opens with no key any more, so not for ever. */
const FOLD_TRIES = 10;
const FOLD_MS = 50;

/** The second pass finds nothing, unless the database is damaged. */
const PASSES_MAX = 5;

type Progress = (done: number, total: number) => void;

export interface RekeyGround {
  readonly file: string;
  readonly keyring: Keyring;
  readonly writer: Pick<WriterThread, "bulk" | "ping">;
  readonly readers: Pick<Readers, "renew">;
  readonly blobs: Pick<BlobFiles, "settled" | "names" | "reseal">;
  readonly gate: Gate;
  readonly log: Log;
  readonly isOpen: () => boolean;
  /** @throws Problem `not-found` for a pod that was erased, `unavailable` when the store is closed. */
  readonly keysOf: (pod: PodId) => PodKeys;
  /** @throws Problem `unavailable` for a pod of which some cannot be found. */
  readonly beSure: (pod: PodId) => Promise<void>;
  /** Runs it, and once more with the reserve if the disk is full. */
  readonly withRoom: <T>(work: () => Promise<T>) => Promise<T>;
}

export interface Rekeys {
  rekey(pod: PodId, progress?: Progress): Promise<void>;
  /** Finishes what a crash has cut short. */
  resume(): Promise<void>;
  /** Resolves when none is under way. */
  settled(): Promise<void>;
}

export function createRekeys(ground: RekeyGround): Rekeys {
  const { file, keyring, writer, readers, blobs, gate, log, isOpen, keysOf, beSure, withRoom } = ground;
  /** Of each pod one that has not begun: it serves all who ask meanwhile. */
  const next = new Map<PodId, { readonly done: Promise<void>; readonly listeners: Progress[] }>();
  const running = new Map<PodId, Promise<void>>();

  /** Seals a page anew. @returns how many rows that was. */
  async function resealPage(pod: PodId, keys: PodKeys, { rows }: ScanPage): Promise<number> {
    const fresh: StoredAt[] = [];
    for (const row of rows) {
      const [group, item] = keysOfPlace(row.place);
      const sealed = row.sealed && resealRecord(keys, row.table, group, item, row.sealed);
      if (sealed) fresh.push({ ...row, sealed });
      else log.error("store.record.damaged", { table: row.table }); // No key opens it: nothing is lost with the old one.
    }
    if (fresh.length > 0) await writer.bulk(RESEAL, keys.id, encodeRows(fresh));
    else await nextTurn();
    keysOf(pod); // Erased meanwhile, or closed.
    return fresh.length;
  }

  async function resealAll(
    pod: PodId,
    keys: PodKeys,
    scan: Scan,
    tell: (more: number) => void,
  ): Promise<number> {
    let count = 0;
    for (const kind of ["records", "entries"] as const) {
      for (let after: StoredAt | null = null; ; ) {
        const page: ScanPage = scan[kind](pod, after, keys.version);
        count += await resealPage(pod, keys, page);
        tell(page.seen);
        if (!page.last) break;
        after = page.last;
      }
    }
    return count;
  }

  async function finish(pod: PodId, tell: Progress): Promise<void> {
    const keys = keysOf(pod);
    await writer.ping(); // Commits that the old key sealed are through …
    await blobs.settled(pod); // … and so are uploads.
    const scan = openScan(file);
    try {
      const names = await blobs.names(pod);
      const total = (await scan.count(pod)) + names.length;
      let done = 0;
      const step = (more: number): void => {
        done = Math.min(done + more, total);
        tell(done, total);
      };
      await resealAll(pod, keys, scan, step);
      // Nothing is sealed with the old key any more, so a pass that finds nothing of it proves that there is nothing.
      for (let passes = 1; (await resealAll(pod, keys, scan, () => {})) > 0; passes++)
        if (passes === PASSES_MAX) throw new Problem("unavailable", "Some records cannot be sealed anew");
      for (const name of names) {
        if (!(await withRoom(() => blobs.reseal(pod, name)))) log.error("store.blob.damaged");
        keysOf(pod);
        step(1);
      }
    } finally {
      scan.close();
    }
    readers.renew(); // Who begins from now on sees none of the rows that were; who has begun holds the old key as well.
    await withRoom(() => keyring.retire(pod));
    for (let tries = 1; (await writer.bulk(FOLD, keys.id, new Uint8Array())) > 0; tries++) {
      if (tries === FOLD_TRIES) return log.warn("store.rekey.log-held");
      await later(FOLD_MS);
    }
  }

  /** @param isFresh False: only what was begun earlier. */
  async function run(pod: PodId, isFresh: boolean, tell: Progress): Promise<void> {
    const leave = await gate.enter("rekey");
    try {
      await beSure(pod); // What cannot be found is not sealed anew, and would be lost with the old key.
      if (keyring.versions(pod).length > 1) await finish(pod, tell);
      if (!isFresh) return;
      await withRoom(() => keyring.renew(pod));
      await finish(pod, tell);
    } finally {
      leave();
    }
  }

  /** One after the other. What was deleted after one began is shredded by the next. */
  function begin(pod: PodId, isFresh: boolean, started: () => void, tell: Progress): Promise<void> {
    const before = running.get(pod) ?? Promise.resolve();
    const done = before
      .catch(() => {})
      .then(() => {
        started();
        return run(pod, isFresh, tell);
      })
      .finally(() => {
        if (running.get(pod) === done) running.delete(pod);
      });
    running.set(pod, done);
    return done;
  }

  return {
    async rekey(pod, progress) {
      keysOf(pod);
      let waiting = next.get(pod);
      if (!waiting) {
        const listeners: Progress[] = [];
        const tell: Progress = (done, total) => {
          for (const listener of listeners) listener(done, total);
        };
        waiting = { listeners, done: begin(pod, true, () => void next.delete(pod), tell) };
        next.set(pod, waiting);
      }
      if (progress) waiting.listeners.push(progress);
      await waiting.done;
    },
    async resume() {
      for (const pod of keyring.unfinished()) {
        await begin(
          pod,
          false,
          () => {},
          () => {},
        ).catch((error: unknown) => {
          if (!isOpen()) return;
          if (!(error instanceof Problem)) throw error;
          log.warn("store.rekey.unfinished", { cause: error.code }); // At the next start, or the next rekey.
        });
      }
    },
    async settled() {
      while (running.size > 0) await Promise.allSettled(running.values());
    },
  };
}
