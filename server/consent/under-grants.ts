/**
 * Answers and changes under grants: counted, receipted and recorded before a byte leaves, and broken off when a grant is not
 * in force any more.
 */
import { type Authority, BY_RULES } from "../access/demand.ts";
import type { OpenAnswers } from "../open-answers.ts";
import type { Operation, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Store, Transaction } from "../store/store.ts";
import { isHoney } from "./honey.ts";
import { find } from "./records.ts";
import { mayGoOn } from "./states.ts";
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
  /** Whether it could be counted. @throws Problem as {@link UnderGrants.count}. */
  check(
    pod: Pod,
    asked: Asked,
    act: "look" | "query",
    by: Authority,
    result: Result,
    since: Since,
  ): Promise<void>;
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
  readonly now: () => Date;
}

export function createUnderGrants(deps: UnderGrantsDeps): UnderGrants {
  const { baseUrl, uses, openAnswers, store, now } = deps;
  const origin = baseUrl.slice(0, -1);

  const forPurpose = (asked: Asked, { purpose }: Authority): Asked =>
    purpose === undefined ? asked : { ...asked, agent: { ...asked.agent, purpose } };

  function extentOf(
    asked: Asked,
    act: "look" | "query",
    { purpose, policies }: Authority,
    result: Result,
    since?: Since,
  ): Extent {
    const { rows = null, documents = 1, paths, questionHash = null } = result.extent ?? {};
    return {
      act,
      paths: act === "look" ? [asked.target.subject] : (paths ?? []),
      documents,
      rows,
      bytes: bytesIn(asked, result),
      status: result.status,
      queryHash: questionHash,
      purpose,
      policies,
      decided: since,
    };
  }

  const count: UnderGrants["count"] = async (pod, asked, act, by, result, since) => {
    const extent = extentOf(asked, act, by, result, since);
    return (await uses.use(pod, forPurpose(asked, by), by.grants, extent)).headers;
  };

  /** Whether an answer may go on as far as one grant is concerned. */
  async function isStanding(
    snapshot: Snapshot,
    { agent }: Asked,
    paths: readonly string[],
    { policies }: Authority,
    id: string,
  ): Promise<boolean> {
    const grant = await find(snapshot, "grant", id);
    if (grant === null || grant.assignee !== agent.webid) return false;
    // Whoever looks at what is laid out for thieves gets it as any other document.
    const isTrapped =
      grant.state === "Paused" && grant.reason === "honey" && (await isHoney(snapshot, paths));
    const { client } = agent;
    const asItWas = isTrapped ? { ...grant, state: "Active" as const } : grant;
    return mayGoOn(asItWas, client, policies?.get(id), now().getTime());
  }

  const guard: UnderGrants["guard"] = (pod, asked, act, by, result, since) => {
    const paths = act === "look" ? [asked.target.subject] : (result.extent?.paths ?? []);
    // What a query found hangs on all of them; of a look any will do.
    const areStanding = (): Promise<boolean> =>
      store.read(pod.id, async (snapshot) => {
        for (const id of by.grants)
          if ((await isStanding(snapshot, asked, paths, by, id)) !== (act === "query"))
            return act !== "query";
        return act === "query";
      });
    return openAnswers.under(pod.id, result, areStanding, since.changes);
  };

  return {
    moment: () => ({ changes: openAnswers.moment(), time: now().getTime(), tick: performance.now() }),
    count,
    async check(pod, asked, act, by, result, since) {
      await uses.check(pod, forPurpose(asked, by), by.grants, extentOf(asked, act, by, result, since));
    },
    guard,
    async read(pod, asked, act, by, result, since) {
      const fields = await givenOnlyAfter(count(pod, asked, act, by, result, since), result);
      return guard(pod, asked, act, by, withFields(result, fields), since);
    },
    async readIn(transaction, pod, asked, by, documents, status) {
      if (by.grants.length === 0) return;
      const { purpose } = by;
      const extent = { paths: [], documents, rows: null, bytes: null, status, queryHash: null, purpose };
      await uses.useIn(transaction, pod, forPurpose(asked, by), by.grants, { ...extent, act: "query" });
    },
    async write(transaction, pod, asked, by, result, bytes) {
      if (by.grants.length === 0 || result.status >= 300) return {};
      const location = result.headers["location"];
      const path =
        typeof location === "string" && location.startsWith(`${origin}/`)
          ? location.slice(origin.length)
          : asked.target.subject;
      const { purpose, policies } = by;
      const told = { documents: 1, rows: null, status: result.status, queryHash: null };
      const common = { ...told, paths: [path], purpose, policies };
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
