/**
 * A linearizability checker: can the operations of a history be put into one order that respects their times, in which
 * each gives the answer that it gave? The search is Wing and Gong's, with Lowe's memory of configurations that failed.
 * J. M. Wing, C. Gong: Testing and verifying concurrent objects (1993). G. Lowe: Testing for linearizability (2017).
 */

/** One call by one client. */
export interface Timed {
  /** Readings of one clock that never gives the same twice. */
  readonly began: number;
  /** Infinity when the answer was never heard: it may have taken effect at any time since, or never. */
  readonly ended: number;
}

/** What a single thing does when nothing happens at the same time. */
export interface Model<State, Op extends Timed> {
  readonly initial: State;
  /** @returns the state after `op` with the answer that it got; undefined when it cannot have got that answer here. */
  step(state: State, op: Op): State | undefined;
  /** The same for states that behave alike. */
  key(state: State): string;
}

/** @returns null for a history that is linearizable; else the longest order found, and what did not fit after it. */
export function findFault<State, Op extends Timed>(
  model: Model<State, Op>,
  history: readonly Op[],
): string | null {
  const ops = [...history].sort((a, b) => a.began - b.began);
  const failed = new Set<string>();
  const order: Op[] = [];
  let longest: readonly Op[] = [];
  const isHeard = ({ ended }: Op): boolean => ended !== Number.POSITIVE_INFINITY;
  const placed = new Uint8Array(ops.length);
  let heardLeft = ops.filter(isHeard).length;

  function search(state: State): boolean {
    if (heardLeft === 0) return true;
    const configuration = `${placed.join("")} ${model.key(state)}`;
    if (failed.has(configuration)) return false;
    // Whatever began after another had ended comes after it.
    const horizon = ops.reduce(
      (least, op, index) => (placed[index] ? least : Math.min(least, op.ended)),
      Infinity,
    );
    for (const [index, op] of ops.entries()) {
      if (op.began > horizon) break;
      if (placed[index]) continue;
      const next = model.step(state, op);
      if (next === undefined) continue;
      placed[index] = 1;
      order.push(op);
      if (isHeard(op)) heardLeft--;
      if (order.length > longest.length) longest = [...order];
      if (search(next)) return true;
      if (isHeard(op)) heardLeft++;
      order.pop();
      placed[index] = 0;
    }
    failed.add(configuration);
    return false;
  }

  if (search(model.initial)) return null;
  const left = ops.filter((op) => !longest.includes(op));
  const show = (some: readonly Op[]): string => some.map((op) => JSON.stringify(op)).join("\n  ");
  return `No order explains this history. The longest begins with\n  ${show(longest)}\nand leaves\n  ${show(left)}`;
}

/** What a client asks of a document that is a set of numbers. */
export type Asked =
  | { readonly kind: "get" }
  | { readonly kind: "put"; readonly numbers: readonly number[] }
  | { readonly kind: "put-if-match"; readonly etag: string; readonly numbers: readonly number[] }
  | { readonly kind: "put-if-none-match"; readonly numbers: readonly number[] }
  | { readonly kind: "patch"; readonly inserts: number | null; readonly deletes: number | null }
  | { readonly kind: "delete" }
  | { readonly kind: "delete-if-match"; readonly etag: string };

export interface Answered {
  readonly status: number;
  readonly etag: string | null;
  /** Of a successful GET. */
  readonly numbers: readonly number[] | null;
}

export type Call = Asked &
  Timed & {
    readonly client: number;
    /** Null: none was heard. */
    readonly answer: Answered | null;
  };

/** Null: there is no document. */
export type Document = {
  readonly numbers: readonly number[];
  /** Null after a write whose answer nobody heard, until somebody reads it. */
  readonly etag: string | null;
} | null;

const sorted = (numbers: Iterable<number>): readonly number[] => [...new Set(numbers)].sort((a, b) => a - b);
const isSame = (a: readonly number[], b: readonly number[]): boolean => a.join() === sorted(b).join();

/** What is there after `asked`; a status when it is refused. */
function effect(document: Document, asked: Asked): { readonly numbers: readonly number[] | null } | number {
  switch (asked.kind) {
    case "get":
      return document ? { numbers: document.numbers } : 404;
    case "put-if-match":
    case "delete-if-match":
      if (!document || document.etag !== asked.etag)
        return asked.kind === "put-if-match" || document ? 412 : 404;
      return { numbers: asked.kind === "put-if-match" ? sorted(asked.numbers) : null };
    case "put-if-none-match":
      return document ? 412 : { numbers: sorted(asked.numbers) };
    case "put":
      return { numbers: sorted(asked.numbers) };
    case "delete":
      return document ? { numbers: null } : 404;
    case "patch":
  }
  const before = new Set(document?.numbers);
  if (asked.deletes !== null && !before.delete(asked.deletes)) return 409;
  if (asked.inserts !== null) before.add(asked.inserts);
  return { numbers: sorted(before) };
}

/** An ETag that nobody was told may be any: where it decides, the answer says what it was. */
function resolve(document: Document, call: Call): Document {
  if (!document || document.etag !== null || !("etag" in call)) return document;
  const isMatch = call.answer === null || call.answer.status < 300;
  return { ...document, etag: isMatch ? call.etag : null };
}

/** One document: RFC 9110 methods and conditions, versions that never come twice. */
export const documentModel: Model<Document, Call> = {
  initial: null,
  key: (document) => (document ? `${document.etag} ${document.numbers.join()}` : "-"),
  step(before, call) {
    const document = resolve(before, call);
    const done = effect(document, call);
    const { answer } = call;
    if (typeof done === "number") return answer?.status === done ? document : undefined;
    if (call.kind === "get") {
      if (!document || answer?.status !== 200 || !isSame(document.numbers, answer.numbers ?? []))
        return undefined;
      if (answer.etag === null || (document.etag ?? answer.etag) !== answer.etag) return undefined;
      return { ...document, etag: answer.etag };
    }
    if (answer && answer.status !== (done.numbers === null ? 205 : document ? 204 : 201)) return undefined;
    if (done.numbers === null) return null;
    if (answer && (answer.etag === null || answer.etag === document?.etag)) return undefined; // A version of its own.
    return { numbers: done.numbers, etag: answer?.etag ?? null };
  },
};
