/**
 * The journal of each pod: everything that is done to it is recorded in the commit that does it, and a look by somebody
 * else before its bytes leave. What anybody could repeat at will is counted and written once a minute (`tally.ts`).
 */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Operation, Result } from "../operation.ts";
import { createRate } from "../rates.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { Store, Transaction } from "../store/store.ts";
import {
  type Act,
  type Deed,
  decodeEntry,
  encodeEntry,
  type JournalEntry,
  OPERATOR,
  rangesOf,
  SERVER,
} from "./entry.ts";
import { createHeadKeys, type HeadKeys, listHeads, putHead, type SignedHead } from "./heads.ts";
import { createTally } from "./tally.ts";
import { type VerifyProgress, type VerifyReport, verifyJournal } from "./verify.ts";

export interface JournalDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly pods: Pick<Pods, "list">;
  readonly limits: Limits;
  readonly log: Log;
  readonly now: () => Date;
}

/** An entry as it is read: `entry` null for one that was erased. */
export interface NumberedEntry {
  readonly number: number;
  readonly entry: JournalEntry | null;
}

export interface Made {
  /** Of its content; null where nobody said. */
  readonly bytes: number | null;
  /** How many folders above it were made on the way. */
  readonly folders: number;
  /** Nothing was changed or removed. */
  readonly onlyAdds: boolean;
  /** Grants that it took, by their ids, and for which purpose; none where the rules suffice. */
  readonly grants?: readonly string[];
  readonly purpose?: string | undefined;
}

export interface PodJournal {
  /** Records what a transaction does, in its own commit. What the deed does not name is null, granted, and once. */
  record(transaction: Transaction, pod: Pod, deed: Deed): void;
  /** Records the write of a request, from its answer. */
  write(transaction: Transaction, pod: Pod, operation: Operation, result: Result, made: Made): void;
  /** Records in a commit of its own; resolved when that is on disk. */
  note(pod: Pod, deed: Deed): Promise<void>;
  /** Whoever runs the server looks into a pod, or does something to it. */
  operator(pod: Pod, act: Act, deed?: Omit<Deed, "act" | "agent">): Promise<void>;
  /**
   * To be awaited before the first byte of a read is sent.
   * @param isOpen Whether everybody may read this; then it is only counted.
   * @throws Problem `unavailable` when it cannot be recorded: then nothing may be sent.
   */
  look(pod: Pod, operation: Operation, act: "look" | "query", result: Result, isOpen: boolean): Promise<void>;
  /** Counts a request that was refused: for want of access, or by an answer that told somebody else something. */
  refused(pod: Pod, operation: Operation, error: unknown): void;
  /** Entries after number `after`, oldest first. @throws Problem `unavailable` for one that is damaged. */
  read(pod: Pod, after: number, most: number): Promise<readonly NumberedEntry[]>;
  /** How many entries there are. */
  length(pod: Pod): Promise<number>;
  /**
   * Destroys what entries say of some paths, in the store's own files, and records that it did, without their names.
   * @returns how many.
   */
  forget(pod: Pod, isOf: (path: string) => boolean): Promise<number>;
  /** Where the journal stands now, signed: for backups, and for whoever wants to be sure. */
  head(pod: Pod): Promise<SignedHead>;
  verify(pod: Pod, outside?: readonly SignedHead[], progress?: VerifyProgress): Promise<VerifyReport>;
  readonly publishedKeys: HeadKeys["published"];
  /** Writes what was counted so far. */
  flush(): Promise<void>;
  /** Signs the heads of all pods whose journal has moved since; hourly by itself. */
  signHeads(): Promise<void>;
  /** To be called while the store is still open. */
  close(): Promise<void>;
}

const MINUTE_MS = 60_000;
const SIGN_MS = 3_600_000;
const SIGNED_AT_ONCE = 16;
const FORGET_PAGE = 500;
const FORGET_NUMBERS_MAX = 5_000; // Of one entry that says so, and of one commit that does so.
/** Answers to a change that say how things stand: not there, otherwise than thought, of another shape. */
const TELLING: ReadonlySet<number> = new Set([404, 409, 412, 422]);
/** Refusals that are about a consent, whatever their status. */
const BY_CONSENT: ReadonlySet<string> = new Set(["purpose-required", "grant-spent"]);
const PURPOSE = /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]{1,256}$/i; // An address only: words could be anything.

/** What a request did, from its method and its answer. */
function actOf({ method, target }: Operation, status: number, onlyAdds: boolean): Act {
  if (target.auxiliary === "acl") return "access";
  if (method === "DELETE") return "delete";
  if (status === 201) return "create";
  return onlyAdds ? "append" : "change";
}

function purposeOf({ headers, agent }: Operation): string | null {
  const purpose = agent.purpose ?? headers["access-purpose"];
  return purpose !== undefined && PURPOSE.test(purpose) ? purpose : null;
}

const header = ({ headers }: Result, name: string): string | null => {
  const value = headers[name];
  return typeof value === "string" ? value : null;
};

/** The content of an answer that nobody will get. */
async function abandon({ body }: Result): Promise<void> {
  if (body === null || typeof body === "string" || body instanceof Uint8Array) return;
  await body[Symbol.asyncIterator]().return?.();
}

export function createJournal(deps: JournalDeps): PodJournal {
  const { baseUrl, store, pods, limits, log, now } = deps;
  const keys = createHeadKeys(store);
  const ownPages = `${baseUrl}.ui/`;
  /** Pods that something was recorded of since their heads were signed. */
  let moved = new Map<string, Pod>();
  /** Number of the last entry that there was when a head was signed, the one that says so included. */
  const signed = new Map<string, number>();
  let isFirst = true;

  function record(transaction: Transaction, pod: Pod, deed: Deed): void {
    transaction.record(encodeEntry(deed, now().getTime()));
    moved.set(pod.id, pod);
  }

  async function writeDeeds(pod: Pod, deeds: readonly Deed[]): Promise<void> {
    await store.write(pod.id, async (transaction) => {
      for (const deed of deeds) record(transaction, pod, deed);
    });
  }

  const tally = createTally({ limits, log, now, write: writeDeeds });
  /** Looks of one agent at one pod that have an entry each: nobody uses up what others have. */
  const single = createRate(limits.journalLooksPerAgentMax, MINUTE_MS, limits.ratesRemembered, now);

  /** Apps that the owner has let in act with all of the owner's power: what they read is counted, folder by folder. */
  function countOwn(pod: Pod, operation: Operation, act: Act, bytes: number | null): void {
    const { agent, target } = operation;
    if (agent.client === null || agent.client === ownPages) return;
    const root = `/${pod.name}/`;
    const end = target.path.indexOf("/", root.length);
    tally.count(pod, {
      act,
      agent: agent.webid,
      client: agent.client,
      path: end === -1 ? root : target.path.slice(0, end + 1),
      bytes,
    });
  }

  async function head(pod: Pod): Promise<SignedHead> {
    return keys.sign(pod.name, await store.journal.head(pod.id), now());
  }

  async function signOne(pod: Pod): Promise<void> {
    const { number } = await store.journal.head(pod.id);
    const last = signed.get(pod.id) ?? (await lastSigned(pod));
    if (number <= last) return;
    const made = await head(pod);
    await store.write(pod.id, async (transaction) => {
      putHead(transaction, made); // And nothing beside it: to `query/index/kept.ts` a commit with a head changed no document.
      transaction.record(
        encodeEntry(
          { act: "sign-head", agent: SERVER, numbers: [[made.number, made.number]] },
          now().getTime(),
        ),
      );
    });
    signed.set(pod.id, made.number + 1);
    // The log may be kept elsewhere: what it says then bears witness. The pod's id says nothing about whose it is.
    log.info("journal.head", { pod: pod.id, number: made.number, hash: made.hash });
  }

  async function lastSigned(pod: Pod): Promise<number> {
    const heads = await store.read(pod.id, listHeads);
    const last = heads.at(-1)?.number;
    return last === undefined ? 0 : last + 1; // The entry that says so came after it.
  }

  async function signHeads(): Promise<void> {
    // What was recorded before this process began, and not signed any more.
    const all = isFirst ? await pods.list() : [];
    isFirst = false;
    const waiting = [...new Map([...all.map((pod) => [pod.id, pod] as const), ...moved]).values()];
    moved = new Map();
    for (let from = 0; from < waiting.length; from += SIGNED_AT_ONCE)
      await Promise.all(
        waiting.slice(from, from + SIGNED_AT_ONCE).map((pod) =>
          signOne(pod).catch((error: unknown) => {
            if ((error as { code?: unknown }).code === "not-found") return; // The pod is gone.
            moved.set(pod.id, pod);
            log.error("journal.head-not-signed", { pod: pod.id, cause: String(error) });
          }),
        ),
      );
  }

  const signing = setInterval(() => void signHeads(), SIGN_MS).unref();

  async function forgetNumbers(pod: Pod, numbers: readonly number[]): Promise<void> {
    // First that it is done, then it is done: cut off between, the journal says too much and never too little.
    await writeDeeds(pod, [
      { act: "erase", agent: SERVER, count: numbers.length, numbers: rangesOf(numbers) },
    ]);
    await store.journal.forget(pod.id, numbers);
  }

  async function read(pod: Pod, after: number, most: number): Promise<readonly NumberedEntry[]> {
    const rows = await store.journal.read(pod.id, after, most);
    return rows.map(({ number, entry }) => ({ number, entry: entry && decodeEntry(entry) }));
  }

  return {
    record,
    write(transaction, pod, operation, result, { bytes, folders, onlyAdds, grants = [], purpose }) {
      const { agent, target, id } = operation;
      if (result.status >= 300) {
        // It was sent elsewhere: nothing was done, but somebody else knows now what is there.
        const { webid, client } = agent;
        const deed: Deed = { act: "look", agent: webid, client, path: target.path, status: result.status };
        if (webid !== pod.owner) tally.count(pod, deed);
        return;
      }
      const location = header(result, "location");
      record(transaction, pod, {
        act: actOf(operation, result.status, onlyAdds),
        agent: agent.webid,
        client: agent.client,
        issuer: agent.issuer,
        origin: agent.origin,
        path: location === null ? target.path : location.slice(baseUrl.length - 1),
        purpose: purpose ?? purposeOf(operation),
        grant: grants[0] === undefined ? null : `${baseUrl}${pod.name}/.consent/grants/${grants[0]}`,
        status: result.status,
        bytes,
        folders: folders > 0 ? folders : null,
        request: id,
      });
    },
    note: (pod, deed) => writeDeeds(pod, [deed]),
    operator: (pod, act, deed = {}) => writeDeeds(pod, [{ ...deed, act, agent: OPERATOR }]),
    async look(pod, operation, act, result, isOpen) {
      const { agent, target, id, method } = operation;
      const length = header(result, "content-length");
      const bytes = method === "HEAD" || length === null ? null : Number(length);
      if (agent.webid === pod.owner) return countOwn(pod, operation, act, bytes);
      const { client, issuer, origin } = agent;
      const common = { act, agent: agent.webid, client, path: target.path, status: result.status, bytes };
      if (isOpen || agent.webid === null) return tally.count(pod, common);
      const deed: Deed = {
        ...common,
        issuer,
        origin,
        purpose: purposeOf(operation),
        rows: result.extent?.rows ?? null,
        documents: result.extent?.documents ?? null,
        request: id,
      };
      try {
        if (single(JSON.stringify([pod.id, agent.webid])) === 0) await writeDeeds(pod, [deed]);
        else await tally.look(pod, deed);
      } catch (cause) {
        log.error("journal.look-not-written", { id, cause: String(cause) });
        await abandon(result);
        throw new Problem("unavailable", "This cannot be recorded just now, so it cannot be shown", {
          cause,
          headers: { "retry-after": "5" },
        });
      }
    },
    refused(pod, { method, target, agent }, error) {
      if (!(error instanceof Problem)) return;
      const isDenied = error.status === 401 || error.status === 403 || BY_CONSENT.has(error.code);
      const isQuery = target.path === `/${pod.name}/sparql`;
      const isRead = method === "GET" || method === "HEAD";
      if (!isDenied && agent.webid === pod.owner) return;
      // A guess that fails tells as much as one that does not: by a condition, or by a query that takes too long.
      const tells = isQuery || (isRead ? error.status < 500 : TELLING.has(error.status));
      if (!isDenied && !tells) return;
      const act = isRead || !isDenied ? "look" : method === "DELETE" ? "delete" : "change";
      tally.count(pod, {
        act: isQuery ? "query" : target.auxiliary === "acl" && act !== "look" ? "access" : act,
        agent: agent.webid,
        client: agent.client,
        path: target.path,
        decision: isDenied ? "denied" : "granted",
        status: error.status,
      });
    },
    read,
    length: async (pod) => (await store.journal.head(pod.id)).number,
    async forget(pod, isOf) {
      await tally.flush(); // It may count what is to be forgotten.
      const { number: end } = await store.journal.head(pod.id);
      let numbers: number[] = [];
      let forgotten = 0;
      const done = async (): Promise<void> => {
        if (numbers.length > 0) await forgetNumbers(pod, numbers);
        forgotten += numbers.length;
        numbers = [];
      };
      for (let after = 0; after < end; after += FORGET_PAGE) {
        for (const { number, entry } of await read(pod, after, Math.min(FORGET_PAGE, end - after)))
          if (entry?.path && isOf(entry.path)) numbers.push(number);
        if (numbers.length >= FORGET_NUMBERS_MAX) await done();
      }
      await done();
      return forgotten;
    },
    head,
    verify: (pod, outside = [], progress) => verifyJournal({ store, keys, now }, pod, outside, progress),
    publishedKeys: () => keys.published(),
    flush: () => tally.flush(),
    signHeads,
    async close() {
      clearInterval(signing);
      await tally.close();
      isFirst = false; // Closing is no time to look through all pods.
      await signHeads();
    },
  };
}
