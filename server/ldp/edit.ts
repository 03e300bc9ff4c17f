/** One change of what a pod holds: its transaction, with the room it takes and the files it stops using counted on the way. */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { type Pod, quotaOf } from "../store/pods.ts";
import type { Committed, Store, Transaction, Usage } from "../store/store.ts";

/** Whatever changes documents goes through one of these: so the usage of a pod is always the sum over what it holds. */
export interface Edit {
  readonly transaction: Transaction;
  readonly pod: Pod;
  readonly limits: Limits;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether what is overwritten becomes history, where there is room for it. */
  readonly keepsHistory: boolean;
  /** WebID that is noted on what is new; null where no rules ask for it, or nobody knows. */
  readonly creator: string | null;
  /** Folders that were made because something was put into them. */
  readonly made: string[];
  /** How many bytes may still come beyond those counted so far; infinite until the pod has been found full. */
  room(): number;
  /** What the pod holds more, or less, by this edit. */
  count(bytes: number, resources: number): void;
  /** A record says that `use` needs the file. */
  useFile(hash: string, use: string): void;
  /** `use` needs it no more: it is removed after the commit, unless something else does. */
  dropFile(hash: string, use: string): void;
}

/** Makes room in a pod that is full. */
export interface Reclaim {
  /** Finds what may go, before the transaction begins. */
  find(pod: Pod): Promise<readonly Reclaimable[]>;
}

export interface Reclaimable {
  /** Removes it for good, as part of the edit. */
  drop(edit: Edit): Promise<void>;
}

export interface EditOptions {
  /**
   * Whether the oldest of the trash and of other documents' histories goes when the pod is full. For the owner, and what
   * the server writes for them: whoever else may write must not thereby destroy what the owner could bring back.
   */
  readonly reclaims: boolean;
  /** As in {@link Edit}. */
  readonly creator?: string | null;
}

export interface Edits {
  /**
   * As `Store.write`; releases files that were in use before.
   * @throws Problem `quota-exceeded`: then nothing was stored.
   */
  write<T>(pod: Pod, work: (edit: Edit) => Promise<T>, options?: EditOptions): Promise<Committed<T>>;
}

export interface EditsDeps {
  readonly store: Store;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly reclaim: Reclaim;
  /** Told of a file that could not be removed: the store's sweeper finds what stays behind. */
  readonly onLeftFile: (cause: unknown) => void;
}

interface OpenEdit extends Edit {
  /** What is missing after all that was counted; nothing below zero when it fits. */
  missing(): { readonly bytes: number; readonly resources: number };
  /** Puts the sum into the transaction. @returns files to release. */
  settle(): readonly string[];
}

interface EditSetting {
  readonly pod: Pod;
  readonly limits: Limits;
  readonly now: number;
  /** What may still come, when somebody has looked. */
  readonly spare: Usage | null;
  readonly keepsHistory: boolean;
  readonly creator: string | null;
}

function openEdit(transaction: Transaction, { spare, ...setting }: EditSetting): OpenEdit {
  const counted = { bytes: 0, resources: 0 };
  const dropped = new Map<string, string>();
  return {
    ...setting,
    transaction,
    made: [],
    room: () => (spare ? spare.bytes - counted.bytes : Number.POSITIVE_INFINITY),
    count(bytes, resources) {
      counted.bytes += bytes;
      counted.resources += resources;
    },
    useFile(hash, use) {
      transaction.put("blob", hash, use, new Uint8Array());
      dropped.delete(`${hash} ${use}`);
    },
    dropFile(hash, use) {
      transaction.delete("blob", hash, use);
      dropped.set(`${hash} ${use}`, hash);
    },
    missing: () => ({
      bytes: counted.bytes > 0 && spare ? counted.bytes - spare.bytes : 0,
      resources: counted.resources > 0 && spare ? counted.resources - spare.resources : 0,
    }),
    settle() {
      if (counted.bytes !== 0 || counted.resources !== 0)
        transaction.use({ ...counted }, quotaOf(setting.pod, setting.limits));
      return [...dropped.values()];
    },
  };
}

const isFull = (error: unknown): boolean => error instanceof Problem && error.code === "quota-exceeded";

/**
 * First as if there were room, for there nearly always is. Then history gives way, and what may be reclaimed; the last
 * ones keep no history at all. Several, for others write at the same time.
 */
const ATTEMPTS = [
  { looks: false, keepsHistory: true },
  { looks: true, keepsHistory: true },
  { looks: true, keepsHistory: false },
  { looks: true, keepsHistory: false },
  { looks: true, keepsHistory: false },
] as const;

/** The way into a pod's documents for requests, doors, imports and new pods alike. */
export function createEdits({ store, limits, now, reclaim, onLeftFile }: EditsDeps): Edits {
  async function spareOf(pod: Pod): Promise<Usage> {
    const [used, quota] = [await store.usage(pod.id), quotaOf(pod, limits)];
    return { bytes: quota.bytes - used.bytes, resources: quota.resources - used.resources };
  }

  /** @throws Problem `quota-exceeded` when all that may go would not be enough: then all of it stays. */
  async function makeRoom(edit: OpenEdit, candidates: readonly Reclaimable[]): Promise<void> {
    const fits = (): boolean => {
      const { bytes, resources } = edit.missing();
      return bytes <= 0 && resources <= 0;
    };
    for (const candidate of candidates) {
      if (fits()) return;
      await candidate.drop(edit);
    }
    if (!fits()) throw new Problem("quota-exceeded");
  }

  async function attempt<T>(
    pod: Pod,
    work: (edit: Edit) => Promise<T>,
    { looks, keepsHistory }: (typeof ATTEMPTS)[number],
    { reclaims, creator = null }: EditOptions,
  ): Promise<Committed<T>> {
    const spare = looks ? await spareOf(pod) : null;
    const candidates = looks && reclaims ? await reclaim.find(pod) : [];
    let left: readonly string[] = [];
    const committed = await store.write(pod.id, async (transaction) => {
      const edit = openEdit(transaction, {
        pod,
        limits,
        now: now().getTime(),
        spare,
        keepsHistory,
        creator,
      });
      const result = await work(edit);
      if (looks && reclaims) await makeRoom(edit, candidates);
      left = edit.settle();
      return result;
    });
    // What is committed is done, whatever becomes of old files.
    for (const hash of left) await store.blobs.release(pod.id, hash).catch(onLeftFile);
    return committed;
  }

  return {
    async write(pod, work, options = { reclaims: true }) {
      let refused: unknown;
      for (const manner of ATTEMPTS) {
        try {
          return await attempt(pod, work, manner, options);
        } catch (error) {
          if (!isFull(error)) throw error;
          refused = error;
        }
      }
      throw refused;
    },
  };
}
