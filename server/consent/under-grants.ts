/**
 * Answers and changes under grants: counted, receipted and recorded before a byte leaves, and broken off when a grant is not
 * in force any more.
 */
import type { Access } from "../access/authorize.ts";
import { type Authority, BY_RULES } from "../access/demand.ts";
import type { OpenAnswers } from "../open-answers.ts";
import type { Operation, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { Store, Transaction } from "../store/store.ts";
import type { Extent, Moment } from "./usage.ts";
import type { Uses } from "./use.ts";

type Fields = Readonly<Record<string, string>>;
type Asked = Pick<Operation, "id" | "agent" | "target" | "url" | "method">;

/** Nobody gets this answer: whoever waits to tell it need wait no more. */
export async function abandon({ body }: Result): Promise<void> {
  if (body !== null && typeof body === "object" && Symbol.asyncIterator in body)
    await body[Symbol.asyncIterator]().return?.();
}

/** What cannot be recorded is not told. */
export async function givenOnlyAfter<T>(recorded: Promise<T>, result: Result): Promise<T> {
  try {
    return await recorded;
  } catch (error) {
    await abandon(result);
    throw error;
  }
}

/** The answer with further fields: links are added to those that it has. */
export function withFields(result: Result, fields: Fields): Result {
  const { link, ...rest } = fields;
  const links = [result.headers["link"] ?? [], link ?? []].flat();
  return {
    ...result,
    headers: { ...result.headers, ...rest, ...(links.length > 0 && { link: links.join(", ") }) },
  };
}

/** By which grants the content of an answer could be read, as far as whoever made it knows. */
export function authorityIn({ extent }: Result): Authority {
  const { grants = [], purpose } = extent ?? {};
  return grants.length === 0 ? BY_RULES : { grants, purpose, reads: true };
}

function bytesIn({ method }: Asked, { headers }: Result): number | null {
  const length = headers["content-length"];
  return method === "HEAD" || typeof length !== "string" ? null : Number(length);
}

/** When something was decided: what changes afterwards is noticed. */
export interface Since extends Moment {
  readonly changes: number;
}

export interface UnderGrants {
  /** To be taken before a decision. */
  moment(): Since;
  /**
   * Counts a read.
   * @param since Of its decision; absent where that is a moment ago.
   * @throws Problem `grant-spent`, `grant-paused`, `forbidden`, `unavailable`: then nothing may be sent.
   */
  count(
    pod: Pod,
    asked: Asked,
    act: "look" | "query",
    by: Authority,
    result: Result,
    since?: Since,
  ): Promise<Fields>;
  /** The answer, ended when a grant is. */
  guard(pod: Pod, asked: Asked, act: "look" | "query", by: Authority, result: Result, since: Since): Result;
  /** Both, for the answer of one pod. */
  read(
    pod: Pod,
    asked: Asked,
    act: "look" | "query",
    by: Authority,
    result: Result,
    since: Since,
  ): Promise<Result>;
  /** Counts what was read of a pod on the way to a change, in the transaction of the change. */
  readIn(
    transaction: Transaction,
    pod: Pod,
    asked: Asked,
    by: Authority,
    documents: number,
    status: number,
  ): Promise<void>;
  /**
   * Counts a write in its own transaction.
   * @param bytes Of its content; null where nobody said.
   * @returns fields of its answer.
   */
  write(
    transaction: Transaction,
    pod: Pod,
    asked: Asked,
    by: Authority,
    result: Result,
    bytes: number | null,
  ): Promise<Fields>;
}

export interface UnderGrantsDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly uses: Uses;
  readonly openAnswers: OpenAnswers;
  readonly store: Pick<Store, "read">;
  readonly access: Pick<Access, "grants">;
  readonly now: () => Date;
}

export function createUnderGrants(deps: UnderGrantsDeps): UnderGrants {
  const { baseUrl, uses, openAnswers, store, access, now } = deps;
  const origin = baseUrl.slice(0, -1);

  const forPurpose = (asked: Asked, { purpose }: Authority): Asked =>
    purpose === undefined ? asked : { ...asked, agent: { ...asked.agent, purpose } };

  async function count(
    pod: Pod,
    asked: Asked,
    act: "look" | "query",
    by: Authority,
    result: Result,
    since?: Since,
  ): Promise<Fields> {
    const { rows = null, documents = 1, paths, questionHash = null } = result.extent ?? {};
    const extent: Extent = {
      act,
      paths: act === "look" ? [asked.target.subject] : (paths ?? []),
      documents,
      rows,
      bytes: bytesIn(asked, result),
      status: result.status,
      queryHash: questionHash,
      decided: since,
    };
    const { headers } = await uses.use(pod, forPurpose(asked, by), by.grants, extent);
    return headers;
  }

  const guard: UnderGrants["guard"] = (pod, { agent }, act, by, result, since) => {
    // What a query found hangs on all of them; of a look any will do.
    const isStanding = (): Promise<boolean> =>
      store.read(pod.id, async (snapshot) => {
        const standing = await access.grants.standing(snapshot, agent, by.grants);
        return act === "query" ? standing.size === by.grants.length : standing.size > 0;
      });
    return openAnswers.under(pod.id, result, isStanding, since.changes);
  };

  return {
    moment: () => ({ changes: openAnswers.moment(), time: now().getTime(), tick: performance.now() }),
    count,
    guard,
    async read(pod, asked, act, by, result, since) {
      const fields = await givenOnlyAfter(count(pod, asked, act, by, result, since), result);
      return guard(pod, asked, act, by, withFields(result, fields), since);
    },
    async readIn(transaction, pod, asked, by, documents, status) {
      if (by.grants.length === 0) return;
      const extent = { paths: [], documents, rows: null, bytes: null, status, queryHash: null };
      await uses.useIn(transaction, pod, forPurpose(asked, by), by.grants, { ...extent, act: "query" });
    },
    async write(transaction, pod, asked, by, result, bytes) {
      if (by.grants.length === 0 || result.status >= 300) return {};
      const location = result.headers["location"];
      const path =
        typeof location === "string" && location.startsWith(`${origin}/`)
          ? location.slice(origin.length)
          : asked.target.subject;
      const common = { paths: [path], documents: 1, rows: null, status: result.status, queryHash: null };
      const whose = forPurpose(asked, by);
      // A change that says how it was before tells as much as a look.
      const look: Extent = { ...common, act: "look", bytes: null };
      const before = by.reads ? (await uses.useIn(transaction, pod, whose, by.grants, look)).headers : {};
      const extent: Extent = { ...common, act: "write", bytes };
      const { headers } = await uses.useIn(transaction, pod, whose, by.grants, extent);
      const links = [before["link"], headers["link"]].filter((link) => link !== undefined);
      return { ...before, ...headers, ...(links.length > 0 && { link: links.join(", ") }) };
    },
  };
}
