import { expect } from "chai";
import fc from "fast-check";
import { createLookup } from "../../../server/query/engine/lookup.ts";
import { createScan, defaultGraphOf } from "../../../server/query/engine/scan.ts";
import { createPodIndex } from "../../../server/query/index/pod-index.ts";
import { UNBOUND, type View } from "../../../server/query/index/view.ts";
import { keyOfTriple, namedNode, type Quad, quad } from "../../../server/rdf/terms.ts";
import { EX, free, rowsOf, viewOf } from "./fixture.ts";

const term = (n: number) => namedNode(`${EX}${n}`);
const [SUBJECT, PREDICATE, OBJECT, GRAPH, TRASH] = [0, 1, 2, 3, 4];

/** Documents by their quads, how each is seen, and after how many the base is made. */
const arbitraryData = fc.record({
  documents: fc.array(
    fc.record({
      triples: fc.array(fc.tuple(fc.nat(3), fc.nat(2), fc.nat(3)), { maxLength: 12 }),
      isDefault: fc.boolean(),
      isNamed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  compactAfter: fc.nat(6),
  lookAfter: fc.nat(6),
});
const arbitraryWanted = fc.tuple(
  ...Array.from({ length: 4 }, () => fc.option(fc.nat(4), { nil: null })),
) as fc.Arbitrary<[number | null, number | null, number | null, number | null]>;

describe("a scan of a triple pattern", () => {
  it("gives each visible triple that fits once, and leaves the row as it was", () => {
    fc.assert(
      fc.property(arbitraryData, arbitraryWanted, fc.boolean(), (data, wanted, isMerged) => {
        const index = createPodIndex();
        const quads = data.documents.map(({ triples }) =>
          triples.map(([s, p, o]): Quad => quad(term(s), term(p), term(o))),
        );
        for (const [at, own] of quads.entries()) {
          index.add({ number: at + 1, graph: `${EX}g${at}`, quads: own });
          if (at === data.compactAfter) index.compact();
          if (at === data.lookAfter) index.view(Uint32Array.of(), Uint32Array.of());
        }
        const numbers = (key: "isDefault" | "isNamed") =>
          Uint32Array.from(data.documents.flatMap((each, at) => (each[key] ? [at + 1] : [])));
        const view = index.view(numbers("isDefault"), numbers("isNamed"));

        const fits = (n: number | null, { value }: { value: string }): boolean =>
          n === null || value === EX + n;
        const expected = quads.flatMap((own, at) => {
          const { isDefault, isNamed } = data.documents[at]!;
          if (isMerged ? !isDefault : !isNamed || (wanted[3] !== null && wanted[3] !== at)) return [];
          const found = own.filter(
            ({ subject, predicate, object }) =>
              fits(wanted[0], subject) && fits(wanted[1], predicate) && fits(wanted[2], object),
          );
          return found.map((each) => (isMerged ? "" : `g${at} `) + keyOfTriple(each));
        });
        const distinct = [...new Set(expected)].sort();
        expect(scanned(view, wanted, isMerged).sort()).to.deep.equal(distinct);
        if (!isMerged) return;
        expect(scanned(view, wanted, true, "lookup").sort()).to.deep.equal(distinct);
        expect(scanned(view, wanted, true, "count")).to.have.length(distinct.length);
      }),
      { numRuns: 500 },
    );
  });

  it("stops when it is told that it is enough", () => {
    const view = viewOf({ a: ":x :p 1, 2, 3, 4 ." });
    let seen = 0;
    const row = new Uint32Array(5).fill(UNBOUND);
    const places = { subject: SUBJECT, predicate: PREDICATE, object: OBJECT, graph: null };
    const scan = createScan(
      { view, control: free, begun: 0, defaults: defaultGraphOf(view) },
      places,
      row,
      TRASH,
      () => ++seen === 2,
    );
    expect(scan()).to.equal(true);
    expect(seen).to.equal(2);
    expect([...row.subarray(0, 4)]).to.deep.equal([UNBOUND, UNBOUND, UNBOUND, UNBOUND]);
  });

  it("sees nothing of a document that is not in the view, in counts neither", () => {
    const documents = { open: ":x :p 1 .", secret: ":x :p 2 ; :q :y ." };
    const view = viewOf(documents, ["secret"]);
    expect(rowsOf("SELECT ?o { :x :p ?o }", view)).to.deep.equal(["o=1"]);
    expect(rowsOf("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", view)).to.deep.equal(["n=1"]);
    expect(rowsOf("SELECT ?g { GRAPH ?g { ?s ?p ?o } }", view)).to.deep.equal(["g=:open"]);
    expect(rowsOf("SELECT ?g { GRAPH ?g {} }", view)).to.deep.equal(["g=:open"]);
    expect(rowsOf("SELECT ?o { GRAPH :secret { ?s :q ?o } }", view)).to.deep.equal([]);
    expect(rowsOf("SELECT ?y { ?x :q* ?y FILTER (?y = :y) }", view)).to.deep.equal([]);
  });

  it("counts a triple that two documents say once", () => {
    const view = viewOf({ a: ":x :p 1, 2 .", b: ":x :p 2, 3 .", c: ":x :p 1 ." });
    expect(rowsOf("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", view)).to.deep.equal(["n=3"]);
    expect(rowsOf("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }", view)).to.deep.equal(["n=5"]);
    expect(rowsOf("SELECT (SUM(?o) AS ?n) { :x :p ?o }", view)).to.deep.equal(["n=6"]);
  });

  it("of a small part of a large pod says the same the first time and ever after", () => {
    const documents: Record<string, string> = {};
    for (let n = 0; n < 300; n++)
      documents[`d${n}`] = `:s${n % 20} :p ${n % 30}, ${n % 7} ; :kind :k${n % 3} . :both :p ${n % 2} .`;
    const hidden = Object.keys(documents).filter((name) => !/^d\d?7$/.test(name));
    const few = viewOf(documents, hidden);
    const seen = Object.fromEntries(Object.entries(documents).filter(([name]) => !hidden.includes(name)));
    const alone = viewOf(seen);
    for (const text of [
      "SELECT ?s ?o { ?s :p ?o }",
      "SELECT ?s ?p ?o { ?s ?p ?o }",
      "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
      "SELECT (COUNT(*) AS ?n) { ?s :p 1 }",
      "SELECT ?s { ?s :kind :k1 ; :p ?o FILTER (?o > 3) }",
      "SELECT ?p ?o { :both ?p ?o }",
      "SELECT ?s ?p { ?s ?p 7 }",
      "SELECT ?g ?s { GRAPH ?g { ?s :p 7 } ?s :kind ?k }",
    ])
      for (let time = 0; time < 60; time++) expect(rowsOf(text, few)).to.deep.equal(rowsOf(text, alone));
  });

  it("knows when a variable stands twice", () => {
    const view = viewOf({ a: ":x :x :y . :y :p :y . :z :z :z . :a :q :b ." });
    expect(rowsOf("SELECT ?a { ?a ?p ?a }", view)).to.deep.equal(["a=:y", "a=:z"]);
    expect(rowsOf("SELECT ?a { ?a ?a ?o }", view)).to.deep.equal(["a=:x", "a=:z"]);
    expect(rowsOf("SELECT ?a { ?a ?a ?a }", view)).to.deep.equal(["a=:z"]);
    expect(rowsOf("SELECT ?a { GRAPH ?a { ?a :q ?b } }", view)).to.deep.equal(["a=:a"]);
  });
});

function scanned(
  view: View,
  wanted: readonly (number | null)[],
  isMerged: boolean,
  how: "scan" | "lookup" | "count" = "scan",
): string[] {
  const row = new Uint32Array(5).fill(UNBOUND);
  const names = [
    ...wanted.slice(0, 3).map((n) => (n === null ? null : EX + n)),
    wanted[3] === null ? null : `${EX}g${wanted[3]}`,
  ];
  for (const [at, name] of names.entries()) {
    if (name === null || (at === GRAPH && isMerged)) continue;
    const id = view.terms.find(namedNode(name));
    row[at] = id < 0 ? view.terms.size + 5 : id;
  }
  const before = [...row];
  const found: string[] = [];
  const places = { subject: SUBJECT, predicate: PREDICATE, object: OBJECT, graph: isMerged ? null : GRAPH };
  const next = (): boolean => {
    const [s, p, o] = [SUBJECT, PREDICATE, OBJECT].map((at) => view.terms.get(row[at]!));
    const name = isMerged ? "" : `${view.terms.get(row[GRAPH]!).value.slice(EX.length)} `;
    found.push(name + keyOfTriple({ subject: s!, predicate: p!, object: o! }));
    return false;
  };
  const add = (count: number): void => void found.push(...Array.from({ length: count }, () => "counted"));
  const access = { view, control: free, begun: 0, defaults: defaultGraphOf(view) };
  const isBound = (place: number): boolean => before[place] !== UNBOUND;
  const scan =
    how === "scan"
      ? createScan(access, places, row, TRASH, next)
      : createLookup(access, places, isBound, row, how === "count" ? Object.assign(next, { add }) : next);
  expect(scan()).to.equal(false);
  expect([...row].slice(0, 4)).to.deep.equal(before.slice(0, 4));
  return found;
}
