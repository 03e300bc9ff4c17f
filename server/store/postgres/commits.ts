/**
 * Commits to PostgreSQL. What waits for one pod is committed together, in one round trip if nobody else has committed to the
 * pod: then this server knows its state, and checks what was read by what it has written itself. If another server has, the
 * pod's row is locked and what was read is looked up again. Several pods commit at the same time, on connections of their own.
 *
 * Plain statements, sent without waiting for one another: BEGIN; UPDATE pod … WHERE turn = (what is known); writes that happen
 * only if that one did; COMMIT. So no procedure is needed, and any database that speaks PostgreSQL can run them.
 */
import { randomBytes } from "node:crypto";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { placeOf } from "../pending.ts";
import type { KnownWrite, RecordCache } from "../sqlite/cache.ts";
import { type PodId, TABLES } from "../store.ts";
import type { LOST } from "../turns.ts";
import type { Connection, Database } from "./database.ts";
import { problemOf, troubleOf } from "./database.ts";
import {
  type Accepted,
  decide,
  isUnchanged,
  know,
  type PodCommits,
  type PodState,
  podStateOf,
  remember,
  tableOf,
  type Waiting,
} from "./decide.ts";
import * as sql from "./statements.ts";
import type { Proposal } from "./transaction.ts";

/** Files that a commit names must be there, and stay. */
export interface BlobUses {
  /** In the commit's own transaction, under the pod's lock. @throws Problem `unavailable` for a file that is gone. */
  claim(
    connection: Connection,
    pod: PodId,
    writes: readonly KnownWrite[],
  ): Promise<(committed: boolean) => void>;
}

export interface Commits {
  /** Resolves with the generation when it is durable; with LOST when something that it read has changed. */
  commit(proposal: Proposal): Promise<number | typeof LOST>;
  /** The pod's row as a reader found it. */
  saw(pod: PodId, state: PodState): void;
  readonly settled: (pod: PodId) => Promise<unknown> | null;
  forget(pod: PodId): void;
}

const GROUP_MAX = 512;
const GROUP_BYTES_MAX = 8 * 1024 * 1024;
const CHANGED_MAX = 20_000;
const PODS_MAX = 2_000;
const FAILURES_MAX = 40;
const AGAIN_MS = 150;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const bytesOf = ({ proposal }: Waiting): number =>
  proposal.writes.reduce((sum, { sealed }) => sum + 100 + (sealed?.length ?? 0), 0);
const namesBlobs = ({ proposal }: Waiting): boolean =>
  proposal.writes.some(({ table }) => table === TABLES.blob);

interface Plan {
  readonly before: PodState;
  readonly after: PodState;
  readonly accepted: readonly Accepted[];
  readonly ticket: Buffer;
  /** Called when it may have happened from now on. */
  readonly sending: () => void;
}

export interface CommitsOptions {
  readonly database: Database;
  readonly cache: RecordCache;
  readonly blobs: () => BlobUses;
  /** Tells the other servers, and whoever listens here. */
  readonly announce: (pod: PodId, generation: number) => void;
  readonly log: Log;
  readonly limits: Limits;
}

export function createCommits({ database, cache, blobs, announce, log, limits }: CommitsOptions): Commits {
  const pods = new Map<PodId, PodCommits>();
  let uses = 0;

  function podOf(pod: PodId): PodCommits {
    let known = pods.get(pod);
    if (!known) {
      if (pods.size >= PODS_MAX) forgetOldest();
      known = {
        state: null,
        floor: 0,
        changed: new Map(),
        waiting: [],
        isRunning: false,
        flight: null,
        used: 0,
      };
      pods.set(pod, known);
    }
    known.used = ++uses;
    return known;
  }
  function forgetOldest(): void {
    const idle = [...pods].filter(([, { isRunning }]) => !isRunning).sort(([, a], [, b]) => a.used - b.used);
    for (const [pod] of idle.slice(0, PODS_MAX / 2)) pods.delete(pod);
  }

  /** Sends it all; @returns whether the pod's turn was still what `before` says. */
  async function apply(
    connection: Connection,
    pod: PodId,
    { before, after, accepted, ticket, sending }: Plan,
    isBegun: boolean,
  ): Promise<boolean> {
    const id = Buffer.from(pod, "hex");
    const sent: Promise<{ count: number; command: string }>[] = [];
    const send = (...args: Parameters<Connection["run"]>): void => {
      const answer = connection.run(...args);
      answer.catch(() => {}); // Told below.
      sent.push(answer);
    };
    sending();
    if (!isBegun) send(sql.BEGIN);
    const { usage, head } = after;
    const moved = connection.run(sql.MOVE, [
      id,
      before.turn,
      after.generation,
      usage.bytes,
      usage.resources,
      head.number,
      Buffer.from(head.hash),
      ticket,
    ]);
    moved.catch(() => {});
    const statements = sql.statementsOf(id, ticket, before.head.number, accepted);
    for (const [statement, values] of statements) send(statement, values);
    send(sql.COMMIT);
    const [{ count }, ...answers] = await Promise.all([moved, ...sent]);
    if (answers.at(-1)?.command !== "COMMIT") throw new Error("the database did not commit");
    return count === 1;
  }

  /** The commit is durable: everybody here hears of it, in its order, before the next one is sent. */
  function settle(pod: PodId, known: PodCommits, after: PodState, accepted: readonly Accepted[]): void {
    known.state = after;
    if (known.changed.size > CHANGED_MAX) {
      known.changed.clear();
      known.floor = after.generation;
    }
    for (const { waiting, generation } of accepted) {
      const { writes, known: knownWrites } = waiting.proposal;
      if (writes.length === 0) continue;
      remember(known, waiting.proposal, generation);
      cache.commit(pod, generation, knownWrites);
    }
    for (const { waiting, generation } of accepted) waiting.resolve(generation);
    if (accepted.some(({ waiting }) => waiting.proposal.writes.length > 0)) announce(pod, after.generation);
  }

  /**
   * The connection was lost before the answer came. Whoever holds the pod's lock knows what has happened: the ticket is of the
   * last commit, and a commit that is still under way finds that its turn has passed.
   * @returns null when it cannot be known.
   */
  async function whatHappened(pod: PodId, before: PodState, ticket: Buffer): Promise<boolean | null> {
    const until = Date.now() + limits.databaseWaitMsMax;
    const id = Buffer.from(pod, "hex");
    for (;;) {
      try {
        return await database.hold("question", async (connection) => {
          await connection.run(sql.BEGIN);
          const { rows } = await connection.run(sql.TICKET, [id]);
          const [turn, last] = rows[0] ?? [];
          const isOurs = last !== undefined && ticket.equals(last as Buffer);
          if (!isOurs && turn === before.turn) await connection.run(sql.PASS, [id]);
          await connection.run(sql.COMMIT);
          return isOurs ? true : turn === undefined || turn === before.turn ? false : null;
        });
      } catch (error) {
        if (Date.now() > until) return null;
        if (!(error instanceof Problem) && !["lost", "again", "busy"].includes(troubleOf(error))) return null;
        await sleep(AGAIN_MS);
      }
    }
  }

  const unknown = (): Problem =>
    new Problem("outcome-unknown", "The database ended the connection, and cannot be asked", {
      headers: { "retry-after": "5" },
    });

  /** Without asking first. Whom it does not answer, is to be committed under the pod's lock. */
  async function commitAtOnce(pod: PodId, known: PodCommits, group: readonly Waiting[]): Promise<void> {
    const before = known.state;
    if (!before || group.some((one) => namesBlobs(one) || isUnchanged(known, one.proposal) === null)) return;
    const { accepted, after } = decide(group, before, (one) => isUnchanged(known, one) === true);
    if (accepted.length === 0) return;
    await send(pod, known, { before, after, accepted }, (plan) =>
      database.hold("commit", (connection) => apply(connection, pod, plan, false)),
    );
  }

  /** @returns whether it was committed; false: nothing has happened, and it may be tried under the lock. */
  async function send(
    pod: PodId,
    known: PodCommits,
    plan: { before: PodState; after: PodState; accepted: readonly Accepted[] },
    run: (plan: Plan) => Promise<boolean>,
  ): Promise<boolean> {
    const ticket = randomBytes(16);
    let outcome: boolean | null;
    let isSent = false;
    try {
      outcome = await run({ ...plan, ticket, sending: () => void (isSent = true) });
    } catch (error) {
      if (!isSent || troubleOf(error) !== "lost") throw error; // No connection, or the database said no: nothing has happened.
      outcome = await whatHappened(pod, plan.before, ticket);
      log.warn("store.commit.lost", { outcome: String(outcome) });
    }
    if (outcome === true) {
      settle(pod, known, plan.after, plan.accepted);
      return true;
    }
    know(known, null);
    if (outcome === null) {
      cache.drop(pod);
      for (const { waiting } of plan.accepted) waiting.reject(unknown());
      return true;
    }
    return false;
  }

  /** Under the pod's lock, with everything looked up again. @returns false: nothing has happened, and nobody is answered. */
  async function commitLocked(pod: PodId, known: PodCommits, group: readonly Waiting[]): Promise<boolean> {
    const id = Buffer.from(pod, "hex");
    return database.hold("commit", async (connection) => {
      const begun = connection.run(sql.BEGIN);
      begun.catch(() => {}); // The next one fails as well.
      const { rows } = await connection.run(sql.LOCK, [id]);
      await begun;
      const row = rows[0];
      if (!row) {
        await connection.run(sql.ROLLBACK);
        know(known, null);
        for (const { reject } of group) reject(new Problem("not-found"));
        return true;
      }
      const state = podStateOf(row);
      const versions = await versionsOf(connection, id, group, state.generation);
      const decided = decide(group, state, versions);
      for (const { reject } of decided.overQuota) reject(new Problem("quota-exceeded"));
      const claims: ((committed: boolean) => void)[] = [];
      const accepted: Accepted[] = [];
      try {
        for (const one of decided.accepted) {
          if (namesBlobs(one.waiting))
            claims.push(await blobs().claim(connection, pod, one.waiting.proposal.known));
          accepted.push(one);
        }
        if (accepted.length === 0) {
          await connection.run(sql.ROLLBACK);
          return true;
        }
        const plan = { before: state, after: decided.after, accepted };
        const done = await send(pod, known, plan, (sending) => apply(connection, pod, sending, true));
        for (const end of claims.splice(0)) end(done);
        if (done && known.state) known.floor = Math.max(known.floor, state.generation);
        return done;
      } finally {
        for (const end of claims) end(false);
      }
    });
  }

  /** Versions of all that the group has read, as they are under the lock. */
  async function versionsOf(
    connection: Connection,
    id: Buffer,
    group: readonly Waiting[],
    generation: number,
  ): Promise<(proposal: Proposal) => boolean> {
    const proposals = group.map(({ proposal }) => proposal).filter((one) => one.generation !== generation);
    const records = proposals.flatMap((one) => one.records);
    const ranges = proposals.flatMap((one) => one.ranges);
    const [found, states] = await Promise.all([
      sql.versionsNow(connection, id, records),
      sql.rangesNow(connection, id, ranges),
    ]);
    return (proposal) =>
      proposal.records.every(
        ({ table, groupKey, itemKey, version }) =>
          (found.get(placeOf(table, groupKey, itemKey)) ?? 0) === version,
      ) &&
      proposal.ranges.every(({ table, groupKey, count, version }) => {
        const state = states.get(tableOf(table) + (groupKey ?? ""));
        return state?.count === count && state.version === version;
      });
  }

  async function commitGroup(pod: PodId, known: PodCommits, group: readonly Waiting[]): Promise<void> {
    const until = Date.now() + limits.databaseWaitMsMax;
    const unanswered = (): readonly Waiting[] => group.filter(({ isAnswered }) => !isAnswered);
    await commitAtOnce(pod, known, group).catch(() => know(known, null)); // Nothing has happened: then under the lock.
    let failures = 0;
    for (let left = unanswered(); left.length > 0; left = unanswered()) {
      const part = left.some(namesBlobs) ? left.slice(0, 1) : left; // A file that is gone must hurt no other's commit.
      try {
        if (await commitLocked(pod, known, part)) continue;
        failures++;
      } catch (error) {
        failures++;
        know(known, null);
        const trouble = error instanceof Problem ? "other" : troubleOf(error);
        const mayTry = (trouble === "lost" || trouble === "again") && failures < FAILURES_MAX;
        if (!mayTry || Date.now() > until) {
          const isOfOne = trouble === "other" && !(error instanceof Problem);
          for (const { reject } of isOfOne ? part.slice(0, 1) : part) reject(problemOf(error, log));
        }
      }
      if (failures > 0) await sleep(AGAIN_MS * Math.random() * failures);
    }
  }

  async function runAll(pod: PodId, known: PodCommits): Promise<void> {
    known.isRunning = true;
    await new Promise((resolve) => setImmediate(resolve)); // What this turn of the event loop brings goes together.
    while (known.waiting.length > 0) {
      let bytes = 0;
      const group: Waiting[] = [];
      while (known.waiting.length > 0 && group.length < GROUP_MAX && bytes < GROUP_BYTES_MAX) {
        const next = known.waiting.shift() as Waiting;
        bytes += bytesOf(next);
        group.push(next);
      }
      known.flight = commitGroup(pod, known, group);
      await known.flight;
      known.flight = null;
    }
    known.isRunning = false;
  }

  return {
    commit(proposal) {
      const known = podOf(proposal.pod);
      return new Promise((resolve, reject) => {
        const waiting: Waiting = {
          proposal,
          isAnswered: false,
          resolve(answer) {
            waiting.isAnswered = true;
            resolve(answer);
          },
          reject(error) {
            waiting.isAnswered = true;
            reject(error);
          },
        };
        known.waiting.push(waiting);
        if (!known.isRunning) void runAll(proposal.pod, known);
      });
    },
    saw(pod, state) {
      const known = podOf(pod);
      if (known.isRunning || (known.state && known.state.turn >= state.turn)) return;
      know(known, state);
    },
    settled: (pod) => pods.get(pod)?.flight ?? null,
    forget: (pod) => {
      const known = pods.get(pod);
      if (known) know(known, null);
    },
  };
}
