/**
 * Erasing for good (GDPR article 17). First what is there, then what the journal says of it, then what threads remember, at
 * last the key: everything that stays is sealed anew and the old key is destroyed, so that copies made before cannot be
 * opened with the keys of today. Killed in the middle it can be run again, for each step finds what the last one left.
 *
 * What others wrote about the place in documents of their own, and what they took away, is not in our hands.
 * @see https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_17
 */
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { By } from "../operation.ts";
import type { Pod, Pods } from "../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import { SERVER_POD, type Snapshot, type Store } from "../store/store.ts";
import { createReceipts, type OpenedReceipt, type Receipts } from "./receipts.ts";

export interface ErasureDeps {
  readonly baseUrl: string;
  readonly store: Store;
  readonly pods: Pods;
  readonly now: () => Date;
  /** Destroys what stands at a path, its versions, and if asked what the trash holds of it. @returns how many things. */
  readonly removeForGood: (pod: Pod, path: string, by: By, ofTrash: boolean) => Promise<number>;
  /** Destroys what the journal says of some paths, and records that it did. @returns how many entries. */
  readonly forget: (pod: Pod, isOf: (path: string) => boolean) => Promise<number>;
  /** Takes a path out of what is kept beside the documents: places that are frozen. */
  readonly release: (pod: Pod, isOf: (path: string) => boolean, by: By) => Promise<void>;
  /** Query threads and indexes, and whatever else remembers content. @param pod Null when it is gone already. */
  readonly purge: (pod: Pod | null) => Promise<void>;
  readonly closeAccount: (pod: Pod) => Promise<void>;
  /** Whether the server's own records still say whose the pod was: an account, a passport that leads to it. */
  readonly isKnown: (pod: Pod) => Promise<boolean>;
  readonly withdrawPassport: (pod: Pod) => Promise<void>;
  /** Runs what destroys keys, and has backups follow. */
  readonly withNewKeys: <T>(work: () => Promise<T>) => Promise<T>;
  /** When the last copy of keys that are destroyed now is gone. */
  readonly keysGoneBy: (destroyed: Date) => Date;
}

export interface ErasureProgress {
  readonly stage: "documents" | "journal" | "keys";
  readonly done: number;
  readonly total: number;
}

export interface Erasure {
  /**
   * A document, or a folder with everything in it; also what is there no more but in versions, trash and journal.
   * @param path Canonical; not the pod's root.
   * @throws Problem `protected-triple` for the document of the owner's WebID and the folders above it.
   */
  erase(pod: Pod, path: string, by: By, report?: (progress: ErasureProgress) => void): Promise<OpenedReceipt>;
  /** The pod with everything, its account, and where its passport leads. The name stays taken. */
  erasePod(pod: Pod, report?: (progress: ErasureProgress) => void): Promise<OpenedReceipt>;
  /**
   * Finishes erasures of pods that were cut short, and erases again what an older backup has brought back of people who are
   * gone: before the server answers anybody.
   * @returns how many pods.
   */
  settle(): Promise<number>;
  readonly receipts: Receipts;
}

const ROUNDS_MAX = 10;
/** Names of pods whose erasure has begun and is not finished, among the server's own records. */
const BEGUN = "erasure begun";

/** Paths at and below a place; the deepest first, so that each folder is empty when its turn comes. */
async function pathsAt(snapshot: Snapshot, path: string): Promise<string[]> {
  const paths = [path];
  const open = path.endsWith("/") ? [path] : [];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for await (const entry of snapshot.list("resource", folder)) {
      const member = folder + entry.item;
      paths.push(member);
      if (decodeRecord<ResourceRecord>(entry).kind === "container") open.push(member);
    }
  }
  return paths.reverse();
}

/** Whether a path is at or below the place, or an access list or description of it. */
const within =
  (place: string) =>
  (path: string): boolean =>
    path === place ||
    path === `${place}.acl` ||
    path === `${place}.acr` ||
    path === `${place}.meta` ||
    (place.endsWith("/") && path.startsWith(place));

export function createErasure(deps: ErasureDeps): Erasure {
  const { baseUrl, store, pods, now } = deps;
  const receipts = createReceipts(store);
  const origin = baseUrl.slice(0, -1);

  function checkPlace(pod: Pod, path: string): void {
    const target = parseTarget(path);
    if (target.pod !== pod.name || target.path !== path)
      throw new Problem("not-found", "There is no such place in the pod");
    if (path === `/${pod.name}/`)
      throw new Problem("input-invalid", "The pod itself is erased with its account");
    const url = origin + path;
    if (
      pod.owner === url ||
      pod.owner.startsWith(`${url}#`) ||
      (path.endsWith("/") && pod.owner.startsWith(url))
    )
      throw new Problem("protected-triple", "The public card goes with the pod only");
  }

  const moments = (begun: Date) => {
    const finished = now();
    return {
      begun: begun.toISOString(),
      finished: finished.toISOString(),
      oldKeysUntil: deps.keysGoneBy(finished).toISOString(),
    };
  };

  async function erasePod(
    pod: Pod,
    report: (progress: ErasureProgress) => void = () => {},
  ): Promise<OpenedReceipt> {
    const begun = now();
    const { resources } = await store.usage(pod.id).catch(() => ({ resources: 0 }));
    const { number: journalEntries } = await store.journal.head(pod.id).catch(() => ({ number: 0 }));
    report({ stage: "documents", done: 0, total: 1 });
    await store.write(SERVER_POD, async (transaction) =>
      transaction.put("setting", BEGUN, pod.name, new Uint8Array()),
    );
    await deps.withNewKeys(async () => {
      // From here on it answers nobody.
      await pods.change(pod.name, { erased: pod.erased ?? begun.getTime(), movedTo: undefined });
      await deps.closeAccount(pod);
      await deps.withdrawPassport(pod);
      await store.erasePod(pod.id);
      await deps.purge(null);
      // Who it was is in the server's own records: older copies of those must not tell, either.
      await store.rekey(SERVER_POD, (done, total) => report({ stage: "keys", done, total }));
    });
    await store.write(SERVER_POD, async (transaction) => transaction.delete("setting", BEGUN, pod.name));
    return receipts.make({
      server: baseUrl,
      what: "pod",
      address: `${baseUrl}${pod.name}/`,
      resources,
      journalEntries,
      ...moments(begun),
    });
  }

  return {
    receipts,
    async settle() {
      const begun = await store.read(SERVER_POD, async (snapshot) => {
        const names = new Set<string>();
        for await (const { item } of snapshot.list("setting", BEGUN)) names.add(item);
        return names;
      });
      let settled = 0;
      for (const pod of await pods.list()) {
        const isUnfinished = begun.has(pod.name) || (pod.erased !== undefined && (await deps.isKnown(pod)));
        if (!isUnfinished) continue;
        await erasePod(pod);
        settled += 1;
      }
      return settled;
    },
    async erase(pod, path, by, report = () => {}) {
      checkPlace(pod, path);
      const begun = now();
      const isOf = within(path);
      let resources = 0;
      for (let rounds = 0; rounds === 0 || (await isThere(pod, path)); rounds += 1) {
        // Again and again, if somebody writes into it meanwhile.
        if (rounds === ROUNDS_MAX) throw new Problem("write-conflict", "Somebody keeps writing there");
        const paths = await store.read(pod.id, (snapshot) => pathsAt(snapshot, path));
        for (const [done, each] of paths.entries()) {
          report({ stage: "documents", done, total: paths.length });
          try {
            // The place itself comes last, and with it all that the trash holds of what was in it.
            resources += await deps.removeForGood(pod, each, by, each === path);
          } catch (error) {
            if (!(error instanceof Problem) || error.code !== "container-not-empty") throw error;
          }
        }
      }
      await deps.release(pod, isOf, by);
      report({ stage: "journal", done: 0, total: 1 });
      const journalEntries = await deps.forget(pod, isOf);
      await deps.purge(pod);
      await deps.withNewKeys(() =>
        store.rekey(pod.id, (done, total) => report({ stage: "keys", done, total })),
      );
      return receipts.make({
        server: baseUrl,
        what: path.endsWith("/") ? "folder" : "document",
        address: origin + path,
        resources,
        journalEntries,
        ...moments(begun),
      });
    },
    erasePod,
  };

  async function isThere(pod: Pod, path: string): Promise<boolean> {
    const at = path.lastIndexOf("/", path.length - 2) + 1;
    return (
      (await store.read(pod.id, (snapshot) =>
        snapshot.get("resource", path.slice(0, at), path.slice(at)),
      )) !== null
    );
  }
}
