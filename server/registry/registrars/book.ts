/**
 * What a zone has said of registrars and vendors, kept in the zone's own records: each record is checked, signed and stored
 * in one transaction, then its hash goes into the zone's log, and only then is anybody told.
 */
import {
  applyGovernance,
  createGovernance,
  type Governance,
  type GovernanceDraft,
  type GovernanceOptions,
  hashOfGovernance,
  judgeGovernance,
  nextGovernance,
  type SignedGovernance,
  type Signer,
  signGovernance,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { PodId, Snapshot, Store } from "../../store/store.ts";

const TABLE = "registry";
const GROUP = "governance";
const LOGGED = "logged";
const PAGE_MAX = 500;
/** What is in our own records was checked when it came, by the settings of that day. */
const TAKEN: GovernanceOptions = { allowUrl: () => true };

export interface BookDeps extends GovernanceOptions {
  readonly zone: string;
  readonly store: Pick<Store, "read" | "write">;
  /** The zone's own. */
  readonly pod: PodId;
  /** One of the keys that the root's record has for the zone. */
  readonly signer: Signer;
  readonly now: () => Date;
  /** Puts the hash of a record into the zone's log; resolves when it is in a published checkpoint. */
  readonly govern: (hash: Uint8Array) => Promise<unknown>;
}

/** A zone's registrars, vendors, policy and sanctions. */
export interface Book {
  readonly zone: string;
  /** As the newest record has left it. Never changed by whoever reads it. */
  current(): Promise<Governance>;
  /**
   * Says something. Answers when it is in the log.
   * @throws Problem `input-invalid` naming the rule that it would break.
   */
  add(draft: GovernanceDraft): Promise<SignedGovernance>;
  /** Records after number `after`, as far as they are in the log, oldest first. */
  records(after: number, most?: number): Promise<readonly SignedGovernance[]>;
  /** Called when there are new records. @returns what stops it. */
  onChange(listener: () => void): () => void;
  /** Puts into the log what a crash kept from it: to be called once, when the zone answers. */
  settle(): Promise<void>;
}

/** In ten digits, so that the order of names is that of numbers. */
const itemOf = (n: number): string => String(n).padStart(10, "0");

export function createBook(deps: BookDeps): Book {
  const { zone, store, pod, signer, now } = deps;
  const options: GovernanceOptions = deps.allowUrl ? { allowUrl: deps.allowUrl } : {};
  const listeners = new Set<() => void>();
  let state = createGovernance(zone);
  let reading: Promise<unknown> = Promise.resolve();

  const stored = async (snapshot: Snapshot, n: number): Promise<SignedGovernance | null> => {
    const entry = await snapshot.get(TABLE, GROUP, itemOf(n));
    return entry && decodeRecord<SignedGovernance>(entry);
  };

  const loggedIn = async (snapshot: Snapshot): Promise<number> => {
    const entry = await snapshot.get(TABLE, GROUP, LOGGED);
    return entry ? decodeRecord<{ readonly n: number }>(entry).n : 0;
  };

  /** Brings what is known here up to what is stored: another server on the same store may have said more. */
  async function catchUp(snapshot: Snapshot): Promise<void> {
    for (let next = await stored(snapshot, state.n + 1); next; next = await stored(snapshot, state.n + 1))
      await applyGovernance(state, next, [next.key], TAKEN);
  }

  /** One at a time, for records are taken in one after the other. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = reading.then(work, work);
    reading = turn.catch(() => {});
    return turn;
  }

  const current = (): Promise<Governance> =>
    inTurn(async () => {
      await store.read(pod, catchUp);
      return state;
    });

  /** Logs all that is not logged yet, in its order. */
  async function log(): Promise<void> {
    const waiting = await store.read(pod, async (snapshot) => {
      const found: SignedGovernance[] = [];
      const after = await loggedIn(snapshot);
      for (
        let next = await stored(snapshot, after + 1);
        next;
        next = await stored(snapshot, after + found.length + 1)
      )
        found.push(next);
      return found;
    });
    for (const { record } of waiting) {
      await deps.govern(Buffer.from(await hashOfGovernance(record), "base64url"));
      await store.write(pod, async (transaction) => {
        if ((await loggedIn(transaction)) < record.n)
          transaction.put(TABLE, GROUP, LOGGED, encodeRecord({ n: record.n }));
      });
    }
    if (waiting.length > 0) for (const listener of listeners) listener();
  }

  return {
    zone,
    current,
    async add(draft) {
      const signed = await inTurn(async () => {
        const { result } = await store.write(pod, async (transaction) => {
          await catchUp(transaction);
          const record = nextGovernance(state, draft, now());
          const broken = await judgeGovernance(state, record, options);
          if (broken)
            throw new Problem("input-invalid", `${broken.detail} (rule ${broken.rule.id})`, {
              members: { rule: broken.rule.id, says: broken.rule.says },
            });
          const made = await signGovernance(record, signer);
          transaction.put(TABLE, GROUP, itemOf(record.n), encodeRecord(made));
          return made;
        });
        return result;
      });
      await log();
      return signed;
    },
    records: (after, most = PAGE_MAX) =>
      store.read(pod, async (snapshot) => {
        const last = Math.min(await loggedIn(snapshot), after + Math.min(most, PAGE_MAX));
        const found: SignedGovernance[] = [];
        for (let n = after + 1; n <= last; n++) {
          const one = await stored(snapshot, n);
          if (one) found.push(one);
        }
        return found;
      }),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    settle: log,
  };
}
