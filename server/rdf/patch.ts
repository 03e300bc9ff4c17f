/** Patches of documents: what they need, what they do. How they are written: `n3-patch.ts`, `sparql-update.ts`. */
import { Problem } from "../errors.ts";
import type { Mode } from "../operation.ts";
import { parseN3Patch } from "./n3-patch.ts";
import { readPlainPatch } from "./plain-patch.ts";
import { parseSparqlUpdate } from "./sparql-update.ts";
import {
  type BlankNode,
  blankNode,
  defaultGraph,
  keyOf,
  keyOfTriple,
  type NamedNode,
  type Quad,
  quad,
  type Subject,
  type Term,
  type Value,
  type Variable,
} from "./terms.ts";

/** A triple in which variables may stand; in conditions, blank nodes stand for anything too. */
export interface Pattern {
  readonly subject: Subject | Variable;
  readonly predicate: NamedNode | Variable;
  readonly object: Value | Variable;
}

export interface PatchStep {
  readonly conditions: readonly Pattern[];
  readonly deletions: readonly Pattern[];
  readonly insertions: readonly Pattern[];
}

export interface Patch {
  readonly kind: "n3" | "sparql-update";
  /** One step of N3; as many of SPARQL Update as there are statements, each done to what the one before left. */
  readonly steps: readonly PatchStep[];
}

const WORK_MAX = 2_000_000; // Triples looked at for one patch: conditions that need more are a query, or an attack.
const OPEN_CONDITIONS_MAX = 200; // With variables; each may be looked at for each match of the others.
const MAPPINGS_MAX = 10_000; // Of a SPARQL Update; an N3 Patch has exactly one.

const PATCH_TYPES = ["text/n3", "application/sparql-update"] as const;

/**
 * @param contentType Without parameters.
 * @param baseIri The document's own address.
 * @throws Problem `patch-invalid`, `unsupported-media-type`.
 * @see https://solidproject.org/ED/protocol#n3-patch
 */
export function parsePatch(text: string, contentType: string, baseIri: string): Patch {
  if (contentType === "text/n3")
    return { kind: "n3", steps: [readPlainPatch(text, baseIri) ?? parseN3Patch(text, baseIri)] };
  if (contentType === "application/sparql-update")
    return { kind: "sparql-update", steps: parseSparqlUpdate(text, baseIri) };
  throw new Problem("unsupported-media-type", `Send one of ${PATCH_TYPES.join(", ")}`);
}

/**
 * What the agent must be allowed to do. Never empty: even a patch that changes nothing can create a document.
 * @see https://solidproject.org/ED/protocol#n3-patch
 */
export function modesOfPatch(patch: Patch): Mode[] {
  const conditions = patch.steps.some((step) => step.conditions.length > 0);
  const deletions = patch.steps.some((step) => step.deletions.length > 0);
  const insertions = patch.steps.some((step) => step.insertions.length > 0);
  const modes: Mode[] = [];
  // DELETE DATA answers the same whether the triples were there or not, so it needs no Read; an N3 Patch tells by a 409.
  if (conditions || (deletions && patch.kind === "n3")) modes.push("read");
  if (insertions || !(conditions || deletions)) modes.push("append");
  if (deletions) modes.push("write");
  return modes;
}

type Mapping = ReadonlyMap<string, Value>;
type Triples = Map<string, Quad>;

const isOpen = (term: Pattern["subject" | "predicate" | "object"]): term is Variable | BlankNode =>
  term.termType === "Variable" || term.termType === "BlankNode";

/** Documents as a set, with an index by each term, made when the first condition asks. */
function createMatcher(triples: Triples) {
  const bySubject = new Map<string, Quad[]>();
  const byPredicate = new Map<string, Quad[]>();
  const byObject = new Map<string, Quad[]>();
  const add = (index: Map<string, Quad[]>, term: Term, triple: Quad): void => {
    const key = keyOf(term);
    const found = index.get(key);
    if (found) found.push(triple);
    else index.set(key, [triple]);
  };
  for (const triple of triples.values()) {
    add(bySubject, triple.subject, triple);
    add(byPredicate, triple.predicate, triple);
    add(byObject, triple.object, triple);
  }
  const all = [...triples.values()];
  /** The shortest list of triples that holds all matches of a pattern whose open terms are `null`. */
  return (subject: Term | null, predicate: Term | null, object: Term | null): readonly Quad[] => {
    let shortest: readonly Quad[] = all;
    for (const [index, term] of [
      [bySubject, subject],
      [byPredicate, predicate],
      [byObject, object],
    ] as const) {
      if (term === null) continue;
      const found = index.get(keyOf(term)) ?? [];
      if (found.length < shortest.length) shortest = found;
    }
    return shortest;
  };
}

/** Counts the work of a whole patch. */
type Spend = (work: number) => void;
function createBudget(): Spend {
  let left = WORK_MAX;
  return (work) => {
    left -= work;
    if (left < 0)
      throw new Problem(
        "patch-invalid",
        "The conditions take too much work; name the subjects they are about",
      );
  };
}

/** All mappings of the variables under which every condition is in the document, up to `mappingsMax` + 1. */
function match(
  conditions: readonly Pattern[],
  triples: Triples,
  mappingsMax: number,
  spend: Spend,
): Mapping[] {
  const closed = conditions.filter(
    ({ subject, predicate, object }) => ![subject, predicate, object].some(isOpen),
  );
  if (!closed.every((pattern) => triples.has(keyOfTriple(pattern)))) return [];
  const others = conditions.filter(({ subject, predicate, object }) =>
    [subject, predicate, object].some(isOpen),
  );
  if (others.length === 0) return [new Map()];
  if (others.length > OPEN_CONDITIONS_MAX)
    throw new Problem("patch-invalid", `At most ${OPEN_CONDITIONS_MAX} conditions with variables`);
  spend(triples.size * 5); // To make the index.
  const candidates = createMatcher(triples);
  const found = new Map<string, Mapping>();
  const bound = new Map<string, Value>();
  const valueOf = (term: Pattern["object"] | Pattern["predicate"]): Value | null =>
    isOpen(term) ? (bound.get(keyOf(term)) ?? null) : term;
  const solve = (open: readonly Pattern[]): void => {
    if (found.size > mappingsMax) return;
    if (open.length === 0) {
      // Blank nodes of a condition say that something is there, not which: they do not tell mappings apart.
      const mapping = [...bound].filter(([name]) => name.startsWith("?"));
      found.set(
        JSON.stringify(mapping.map(([name, value]) => `${name} ${keyOf(value)}`).sort()),
        new Map(mapping),
      );
      return;
    }
    let next = open[0]!;
    let list: readonly Quad[] | null = null;
    spend(open.length);
    for (const pattern of open) {
      const possible = candidates(
        valueOf(pattern.subject),
        valueOf(pattern.predicate),
        valueOf(pattern.object),
      );
      if (list === null || possible.length < list.length) [next, list] = [pattern, possible];
    }
    const rest = open.filter((pattern) => pattern !== next);
    for (const triple of list ?? []) {
      spend(1);
      const added: string[] = [];
      const fits = (["subject", "predicate", "object"] as const).every((place) => {
        const term = next[place];
        const value = valueOf(term);
        if (value !== null) return keyOf(value) === keyOf(triple[place]);
        const name = keyOf(term);
        bound.set(name, triple[place]);
        added.push(name);
        return true;
      });
      if (fits) solve(rest);
      for (const name of added) bound.delete(name);
    }
  };
  solve(others);
  return [...found.values()];
}

/** @returns the triple a pattern means under a mapping; null if that is no triple (a literal as subject). */
function instantiate(pattern: Pattern, mapping: Mapping, fresh: (label: string) => BlankNode): Quad | null {
  const valueOf = (term: Pattern["object"] | Pattern["predicate"]): Value | undefined => {
    if (term.termType === "Variable") return mapping.get(keyOf(term));
    return term.termType === "BlankNode" ? fresh(term.value) : term;
  };
  const [subject, predicate, object] = [
    valueOf(pattern.subject),
    valueOf(pattern.predicate),
    valueOf(pattern.object),
  ];
  if (!subject || subject.termType === "Literal" || predicate?.termType !== "NamedNode" || !object)
    return null;
  return quad(subject, predicate, object, defaultGraph());
}

/** Makes blank nodes whose labels the document does not have. */
function createFreshLabels(triples: Triples): () => BlankNode {
  const taken = new Set<string>();
  for (const { subject, object } of triples.values()) {
    for (const term of [subject, object]) if (term.termType === "BlankNode") taken.add(term.value);
  }
  let count = 0;
  return () => {
    let label: string;
    do label = `b${++count}`;
    while (taken.has(label));
    taken.add(label);
    return blankNode(label);
  };
}

function mappingsOf(
  patch: Patch,
  { conditions }: PatchStep,
  triples: Triples,
  spend: Spend,
): readonly Mapping[] {
  if (conditions.length === 0) return [new Map()];
  if (patch.kind === "n3") {
    const mappings = match(conditions, triples, 1, spend);
    if (mappings.length === 0)
      throw new Problem("patch-conflict", "The document does not have what solid:where asks for");
    if (mappings.length > 1)
      throw new Problem("patch-conflict", "The document has what solid:where asks for more than once");
    return mappings;
  }
  const mappings = match(conditions, triples, MAPPINGS_MAX, spend);
  if (mappings.length > MAPPINGS_MAX)
    throw new Problem("patch-invalid", `WHERE fits more than ${MAPPINGS_MAX} times`);
  return mappings;
}

/**
 * @param quads The document's triples; empty for one that does not exist yet.
 * @returns the triples of the document after the patch, each once: first those that stay, in their order.
 * @throws Problem `patch-conflict` when the document is not as the patch expects.
 */
export function applyPatch(patch: Patch, quads: readonly Quad[]): Quad[] {
  const triples: Triples = new Map(quads.map((triple) => [keyOfTriple(triple), triple]));
  const freshLabel = createFreshLabels(triples);
  const spend = createBudget();
  for (const step of patch.steps) {
    const insertions: Quad[] = [];
    const deletions = new Set<string>();
    for (const mapping of mappingsOf(patch, step, triples, spend)) {
      const labels = new Map<string, BlankNode>();
      const fresh = (label: string): BlankNode => {
        const node = labels.get(label) ?? freshLabel();
        labels.set(label, node);
        return node;
      };
      for (const pattern of step.deletions) {
        const triple = instantiate(pattern, mapping, fresh);
        if (patch.kind === "n3" && !(triple && triples.has(keyOfTriple(triple)))) {
          throw new Problem(
            "patch-conflict",
            "The document does not have all triples that solid:deletes names",
          );
        }
        if (triple) deletions.add(keyOfTriple(triple));
      }
      for (const pattern of step.insertions) {
        const triple = instantiate(pattern, mapping, fresh);
        if (triple) insertions.push(triple);
        else if (patch.kind === "n3")
          throw new Problem("patch-conflict", "What solid:inserts makes of this document is no triple");
      }
    }
    for (const key of deletions) triples.delete(key);
    for (const triple of insertions) triples.set(keyOfTriple(triple), triple);
  }
  return [...triples.values()];
}
