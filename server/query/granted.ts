/** Graphs that somebody was granted beside documents: made of documents, and none of them. */
import type { PurposeQuestion } from "../purpose.ts";
import type { GraphDocument, ReadableDocuments, VirtualGraph } from "./documents.ts";

export interface GrantedGraph extends VirtualGraph {
  /** Id of the grant. */
  readonly grant: string;
}

/** Graphs that one agent was granted. */
export interface GrantedGraphs {
  /** What has the same name is one graph, and of one grant. */
  readonly graphs: readonly GrantedGraph[];
  /** For which the grants are used. */
  readonly purpose: string | null;
  /** What the agent has to be asked, for it was granted more than these, for other purposes; null: nothing. */
  readonly question: PurposeQuestion | null;
  /** Milliseconds: answers leave at multiples of it, for how long these took to make is nobody's to know. */
  readonly slotMs: number;
}

/**
 * What somebody may read, with what was granted beside documents.
 * @param granted The graphs as documents.
 * @param idOf Names all of it.
 */
export function withGranted(
  own: ReadableDocuments,
  { graphs, purpose, question, slotMs }: GrantedGraphs,
  granted: readonly GraphDocument[],
  idOf: (numbers: Uint32Array) => number,
): ReadableDocuments {
  if (granted.length === 0) return question && !own.question ? { ...own, question } : own;
  const byName = new Map(graphs.map(({ graph, grant }) => [graph, grant]));
  const grantOf = new Map(granted.map(({ number, path }) => [number, byName.get(path)!]));
  const documents = [...own.documents, ...granted];
  const numbers = Uint32Array.from(documents, ({ number }) => number);
  const grantsOf: ReadableDocuments["grantsOf"] = (some) => {
    if (some === null || some === documents)
      return [...new Set([...own.grantsOf(null), ...grantOf.values()])];
    const beside = some.flatMap(({ number }) => grantOf.get(number) ?? []);
    return [...new Set([...own.grantsOf(some.filter(({ number }) => !grantOf.has(number))), ...beside])];
  };
  return {
    ...own,
    id: idOf(numbers),
    documents,
    numbers,
    granted,
    slotMs,
    isOpened: true,
    has: (document) => grantOf.has(document.number) || own.has(document),
    grantsOf,
    purpose: own.purpose ?? purpose,
  };
}
