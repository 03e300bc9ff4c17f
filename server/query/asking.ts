/** What is the same whichever pods a query is asked of: its plan, its format, its ETag, and the answer as a result. */
import { createHash, randomUUID } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import type { Operation, Result } from "../operation.ts";
import { negotiate } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { DESCRIPTION_PREFIXES, describeEndpoint } from "./description.ts";
import type { PlanFacts, RunTask } from "./messages.ts";
import { PLAN_TYPE, RESULT_TYPES } from "./output.ts";
import type { QueryRequest } from "./protocol.ts";
import type { QueryThread, Streamed, Whole } from "./thread.ts";

/** The parts of a request that say how it is to be answered. */
export type Wanted = Pick<Operation, "method" | "headers">;

export const QUERY_HEADERS = {
  "cache-control": "private, no-cache",
  vary: "Accept, Authorization, Origin, Prefer",
};

/** Whether whoever asks would rather be refused than get less than it looks like. https://www.rfc-editor.org/rfc/rfc7240#section-4.4 */
export function isStrict({ headers }: Pick<Operation, "headers">): boolean {
  return /(?:^|,)\s*handling\s*=\s*"?strict"?\s*(?:[,;]|$)/i.test(headers["prefer"] ?? "");
}

/** @param isOwner Whether it may be the plan instead of the answer. @throws Problem `not-acceptable`. */
export function negotiated({ form }: PlanFacts, { headers }: Wanted, isOwner: boolean): string {
  const offered = RESULT_TYPES[form];
  const contentType = negotiate(headers["accept"], isOwner ? [...offered, PLAN_TYPE] : offered);
  if (contentType === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);
  return contentType;
}

export interface Question {
  readonly request: QueryRequest;
  readonly baseIri: string;
  readonly contentType: string;
}

export interface Asking {
  /** What is known of a query before any data is looked at. @throws Problem `query-invalid`, `query-refused`. */
  factsOf(thread: QueryThread, text: string, baseIri: string, msMax: number): Promise<PlanFacts>;
  /**
   * The same only for the same answer: it says which documents of which versions, and what is asked of them. Weak, for in
   * which order rows come is left open.
   * @param sets What is ranged over, by numbers of this process.
   * @returns null where the answer may be another each time.
   */
  etagOf(question: Question, sets: readonly (number | string)[]): string | null;
}

const PLANS_CHARS_MAX = 4 * 1024 * 1024;
/** Functions whose value is another each time, as far as a glance can tell. */
const FLEETING = /\b(NOW|RAND|UUID|STRUUID)\s*\(/i;
const hashOf = (text: string | Uint8Array): string =>
  createHash("sha256").update(text).digest("base64url").slice(0, 22);

export function createAsking(limits: Limits): Asking {
  const plans = new Lru<string, PlanFacts>(PLANS_CHARS_MAX);
  /** Numbers of documents and sets mean something else in every process. */
  const processId = randomUUID();
  return {
    async factsOf(thread, text, baseIri, msMax) {
      const key = `${baseIri}\n${text}`;
      const known = plans.get(key);
      if (known) return known;
      const answer = await thread.ask(
        { kind: "plan", text, baseIri },
        Math.min(msMax, limits.queryOwnerMsMax),
      );
      if (answer.kind !== "planned") throw new Problem("internal");
      plans.set(key, answer.facts, key.length + 200);
      return answer.facts;
    },
    etagOf({ request, contentType, baseIri }, sets) {
      if (FLEETING.test(request.text)) return null;
      return `W/"${hashOf(JSON.stringify([processId, sets, contentType, baseIri, request]))}"`;
    },
  };
}

/** Whether whoever reads has this answer already. */
export function isKnown({ method, headers }: Wanted, etag: string | null): boolean {
  if (method === "POST" || etag === null) return false;
  const plain = (tag: string): string => tag.trim().replace(/^W\//, "");
  const known = headers["if-none-match"]?.split(",").map(plain) ?? [];
  return known.includes("*") || known.includes(plain(etag));
}

/** The set's numbers are sent once; when the thread has forgotten them, again. */
export async function runOn(thread: QueryThread, task: RunTask): Promise<Whole | Streamed> {
  const { id, numbers } = task.set;
  const isNeeded = task.defaults === "set" || task.named === "set";
  const isSent = !isNeeded || thread.sets.get(id) === true;
  if (!isSent && numbers) thread.sets.set(id, true, numbers.length);
  const answered = await thread.run({ ...task, set: { id, numbers: isSent ? null : numbers } });
  const answer = answered ?? (await thread.run(task));
  if (!answer) throw new Problem("internal");
  return answer;
}

/** @param documents How many it was answered from. */
export async function resultOf(
  answered: Whole | Streamed,
  { method }: Wanted,
  contentType: string,
  headers: Result["headers"],
  documents: number,
): Promise<Result> {
  const isText = contentType.startsWith("text/c") || contentType.startsWith("text/tab");
  const type = { "content-type": isText ? `${contentType}; charset=utf-8` : contentType };
  const isHead = method === "HEAD";
  if (answered.kind === "streamed") {
    if (isHead) await answered.pieces.return?.();
    const body = isHead ? null : answered.pieces;
    return { status: 200, headers: { ...headers, ...type }, body, extent: { rows: null, documents } };
  }
  return {
    status: 200,
    headers: { ...headers, ...type, "content-length": String(answered.bytes.length) },
    body: isHead ? null : answered.bytes,
    extent: { rows: answered.rows, documents },
  };
}

/** What the endpoint says of itself. @throws Problem `not-acceptable`. */
export async function describeTo(operation: Wanted & { readonly url: string }): Promise<Result> {
  const offered = RESULT_TYPES.construct;
  const contentType = negotiate(operation.headers["accept"], offered);
  if (contentType === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);
  const bytes = await serializeRdf(describeEndpoint(operation.url), contentType, {
    prefixes: DESCRIPTION_PREFIXES,
  });
  const etag = `"${hashOf(Buffer.concat([Buffer.from(contentType), bytes]))}"`;
  const headers = { ...QUERY_HEADERS, etag };
  if (isKnown(operation, etag)) return { status: 304, headers, body: null };
  return {
    status: 200,
    headers: { ...headers, "content-type": contentType, "content-length": String(bytes.length) },
    body: operation.method === "HEAD" ? null : bytes,
  };
}
