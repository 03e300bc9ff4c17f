import { expect } from "chai";
import fc from "fast-check";
import { addDocument, createDataset, createPodIndex } from "../../server/query/dataset.ts";
import {
  blankNode,
  defaultGraph,
  keyOf,
  keyOfQuad,
  literal,
  namedNode,
  type Quad,
  quad,
  type Term,
  type Value,
  variable,
} from "../../server/rdf/terms.ts";

const node = fc.constantFrom("http://e/a", "http://e/b", "http://e/c").map(namedNode);
const value: fc.Arbitrary<Value> = fc.oneof(
  node,
  fc.constantFrom("1", "2").map((text) => literal(text)),
  fc.constant(literal("1", "en")),
  fc.constant(blankNode("x")),
);
const triple = fc
  .tuple(fc.oneof(node, fc.constant(blankNode("x"))), node, value)
  .map(([subject, predicate, object]) => quad(subject, predicate, object));
const documents = fc.array(fc.array(triple, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
const NAMES = ["http://d/0", "http://d/1", "http://d/2", "http://d/3"];
const graph = fc.constantFrom(...NAMES, "http://d/none").map(namedNode);
const open = <T extends Term>(term: fc.Arbitrary<T>) =>
  fc.oneof(term, fc.constantFrom("s", "p", "o").map(variable));
const numbers = fc.uniqueArray(fc.nat(3), { maxLength: 4 });

/** What the documents say, the slow way: blank nodes named after their document. */
function quadsOf(
  all: readonly (readonly Quad[])[],
  chosen: readonly number[],
  inDefault: boolean,
): Map<string, Quad> {
  const own = <T extends Value>(term: T, number: number): T =>
    term.termType === "BlankNode" ? (blankNode(`d${number}.${term.value}`) as T) : term;
  const quads = chosen.flatMap((number) =>
    (all[number] ?? []).map(({ subject, predicate, object }) =>
      quad(
        own(subject, number),
        predicate,
        own(object, number),
        inDefault ? defaultGraph() : namedNode(NAMES[number]!),
      ),
    ),
  );
  return new Map(quads.map((each) => [keyOfQuad(each), each]));
}

describe("a dataset", () => {
  it("finds exactly the quads that match, in any position and with variables that come twice", () => {
    fc.assert(
      fc.property(
        documents,
        numbers,
        numbers,
        open(node),
        open(node),
        open(value),
        fc.oneof(graph, fc.constant(variable("g")), fc.constant(variable("s")), fc.constant(defaultGraph())),
        (all, defaults, named, s, p, o, g) => {
          const index = createPodIndex();
          for (const [number, quads] of all.entries()) addDocument(index, number, NAMES[number]!, quads);
          const dataset = createDataset(index, defaults, named);
          const pattern = [s, p, o, g] as const;
          const candidates = quadsOf(
            all,
            g.termType === "DefaultGraph" ? defaults : named,
            g.termType === "DefaultGraph",
          );
          const expected: string[] = [];
          let counted = 0;
          for (const each of candidates.values()) {
            const bound = new Map<string, string>();
            const terms = [each.subject, each.predicate, each.object, each.graph];
            const fits = (term: Term, at: number): boolean =>
              term.termType === "Variable" || keyOf(term) === keyOf(terms[at]!);
            if (!pattern.every(fits)) continue;
            counted++;
            const same = pattern.every((term, at) => {
              if (term.termType !== "Variable") return true;
              const key = keyOf(terms[at]!);
              const known = bound.get(term.value) ?? key;
              bound.set(term.value, key);
              return known === key;
            });
            if (same) expected.push(keyOfQuad(each));
          }
          const found = [
            ...dataset.matchBindings(
              { bindings: (entries) => new Map(entries.map(([name, term]) => [name.value, term])) },
              s,
              p,
              o,
              g,
            ),
          ].map((row) => {
            const at = (term: Term) =>
              term.termType === "Variable" ? (row as Map<string, Term>).get(term.value)! : term;
            return keyOfQuad({
              subject: at(s),
              predicate: at(p),
              object: at(o),
              graph: at(g),
            } as unknown as Quad);
          });
          expect(found.sort()).to.deep.equal(expected.sort());
          expect(dataset.countQuads(s, p, o, g)).to.equal(counted);
          const matched = [...dataset.match(s, p, o, g)].filter(
            (each) => g.termType !== "Variable" || each.graph.termType !== "DefaultGraph",
          );
          expect(matched.length).to.equal(counted);
        },
      ),
      { numRuns: 500 },
    );
  });
});
