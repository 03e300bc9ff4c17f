/** Terms of the pod, and above them those that a query computes: a term is computed once, and gone with the query. */
import type { Value } from "../../rdf/terms.ts";
import { kindOf, numberOf } from "../index/kinds.ts";
import { hashOf } from "../index/lexicon.ts";
import { type Id, KINDS, type Kind, type Terms } from "../index/view.ts";
import type { Control, QueryTerms } from "./contract.ts";

const KIND_OF = { NamedNode: KINDS.iri, BlankNode: KINDS.blank } as const;

// Powers of two: most queries show a few rows, and many are asked of small pods.
const HASHES_KEPT_FIRST = 64;
const HASHES_KEPT_MAX = 8_192;

/** A line break is in no IRI, in no language tag and in no label. */
function keyOf(term: Value): string {
  if (term.termType !== "Literal") return term.termType === "NamedNode" ? `<${term.value}` : `_${term.value}`;
  return term.language ? `@${term.language}\n${term.value}` : `${term.datatype.value}\n${term.value}`;
}

/** @param control Told of each term that the query computes, be it in the pod or not: that must make no difference. */
export function createQueryTerms(terms: Terms, control: Control): QueryTerms {
  const base = terms.size;
  const ids = new Map<string, Id>();
  const met = new Set<Id>();
  const values: Value[] = [];
  const kinds: Kind[] = [];
  const numbers: number[] = [];
  const hashes: number[] = [];
  let keptIds = new Uint32Array(); // One more than the id; 0 for none.
  let keptHashes = new Uint32Array();
  let misses = 0;

  /** Few terms stand in most rows, and the text of each is read for its hash. */
  function hashOfPod(id: Id): number {
    const place = id & (keptIds.length - 1);
    if (keptIds[place] === id + 1) return keptHashes[place]!;
    const hash = terms.hash(id);
    if (misses >= keptIds.length && keptIds.length < HASHES_KEPT_MAX) {
      const room = Math.max(HASHES_KEPT_FIRST, keptIds.length * 2);
      keptIds = new Uint32Array(room);
      keptHashes = new Uint32Array(room);
      misses = 0;
    }
    misses += 1;
    const now = id & (keptIds.length - 1);
    keptIds[now] = id + 1;
    keptHashes[now] = hash;
    return hash;
  }

  return {
    computedFrom: base,
    get size() {
      return base + values.length;
    },
    find(term) {
      const found = terms.find(term);
      return found >= 0 ? found : (ids.get(keyOf(term)) ?? -1);
    },
    intern(term) {
      const found = terms.find(term);
      if (found >= 0) {
        if (!met.has(found)) {
          met.add(found);
          control.hold(1);
        }
        return found;
      }
      const key = keyOf(term);
      const known = ids.get(key);
      if (known !== undefined) return known;
      control.hold(1);
      const kind =
        term.termType !== "Literal"
          ? KIND_OF[term.termType]
          : term.language
            ? KINDS.langString
            : kindOf(term.datatype.value, term.value);
      const id = base + values.length;
      ids.set(key, id);
      values.push(term);
      kinds.push(kind);
      numbers.push(numberOf(kind, term.value));
      return id;
    },
    get: (id) => (id < base ? terms.get(id) : values[id - base]!),
    kind: (id) => (id < base ? terms.kind(id) : kinds[id - base]!),
    num: (id) => (id < base ? terms.num(id) : numbers[id - base]!),
    hash: (id) => (id < base ? hashOfPod(id) : (hashes[id - base] ??= hashOf(values[id - base]!))),
    span: (id, into) => id < base && terms.span !== undefined && terms.span(id, into),
    exact: (id) => id < base && terms.exact !== undefined && terms.exact(id),
  };
}
