/** Terms as they are spelled in an answer: each once, and then found by its id. */
import type { Value } from "../rdf/terms.ts";
import type { QueryTerms } from "./engine/contract.ts";
import { type Id, KINDS, type Terms } from "./index/view.ts";

/** @param label Of a blank node, for this answer. */
export type Spell = (term: Value, label: (term: Value) => string) => string;

/** Of all spellings that are kept; beyond it all are forgotten. */
const KEPT_CHARS_MAX = 32 * 1024 * 1024;
let kept = new WeakMap<Terms, Map<Spell, string[]>>();
let keptChars = 0;

/**
 * Inside, a blank node's label tells which document it is of; outside, it is only the n-th of this answer. So blank nodes
 * are never kept, and nor are terms that this query computed.
 * @param pod The terms of the pod, whose ids stay what they are as long as this object is there.
 * @param terms Those, and above them the query's own.
 */
export function createFragments(pod: Terms, terms: QueryTerms, spell: Spell): (id: Id) => string {
  let bySpelling = kept.get(pod);
  if (!bySpelling) kept.set(pod, (bySpelling = new Map()));
  let fragments = bySpelling.get(spell);
  if (!fragments) bySpelling.set(spell, (fragments = []));
  const known = fragments;
  const podSize = pod.size;
  const own = new Map<Id, string>(); // Of this answer only.
  const labels = new Map<string, string>();
  const label = ({ value }: Value): string => {
    let given = labels.get(value);
    if (given === undefined) labels.set(value, (given = `b${labels.size}`));
    return given;
  };
  return (id) => {
    const before = id < podSize ? known[id] : undefined;
    if (before !== undefined) return before;
    const mine = own.get(id);
    if (mine !== undefined) return mine;
    const fragment = spell(terms.get(id), label);
    if (id >= podSize || terms.kind(id) === KINDS.blank) {
      own.set(id, fragment);
      return fragment;
    }
    // What is put together of pieces is put together here, and not in each answer again.
    if (fragment.charCodeAt(0) >= 0) known[id] = fragment;
    keptChars += fragment.length + 16;
    if (keptChars > KEPT_CHARS_MAX) {
      kept = new WeakMap();
      keptChars = 0;
    }
    return fragment;
  };
}
