import { expect } from "chai";
import fc from "fast-check";
import { packIndex, unpackIndex } from "../../../server/query/index/pack.ts";
import { createPodIndex, type PodIndex } from "../../../server/query/index/pod-index.ts";
import type { Order, View } from "../../../server/query/index/view.ts";
import { blankNode, keyOf, literal, namedNode, type Quad, quad } from "../../../server/rdf/terms.ts";

const iri = (name: string) => namedNode(`https://ana.example/${name}`);
const none = new Uint32Array();

/** What a view says, as lines `s p o @graph`: of each order by itself, so that none can differ. */
function linesOf(view: View, visible: Uint8Array): string[] {
  const line = (s: number, p: number, o: number, slot: number): string =>
    `${[s, p, o].map((id) => keyOf(view.terms.get(id))).join(" ")} @${view.terms.get(view.nameOf(slot)).value}`;
  const orders = view.segments.flatMap(({ spo, pos, osp }) => [
    [
      spo,
      (o: Order, row: number) => line(o.first[row]!, o.second[row]!, o.third[row]!, o.graph[row]!),
    ] as const,
    [
      pos,
      (o: Order, row: number) => line(o.third[row]!, o.first[row]!, o.second[row]!, o.graph[row]!),
    ] as const,
    [
      osp,
      (o: Order, row: number) => line(o.second[row]!, o.third[row]!, o.first[row]!, o.graph[row]!),
    ] as const,
  ]);
  const bySlot: string[] = [];
  for (const segment of view.segments)
    for (let slot = 0; slot < view.slotCount; slot++)
      if (visible[slot] === 1)
        for (let row = segment.graphStart(slot); row < segment.graphEnd(slot); row++) {
          const { subject, predicate, object } = segment.byGraph;
          bySlot.push(line(subject[row]!, predicate[row]!, object[row]!, slot));
        }
  bySlot.sort();
  for (let kind = 0; kind < 3; kind++) {
    const lines = orders
      .filter((_, at) => at % 3 === kind)
      .flatMap(([order, write]) =>
        Array.from(order.first, (_, row) => (visible[order.graph[row]!] === 1 ? write(order, row) : "")),
      )
      .filter((line) => line !== "");
    expect(lines.sort()).to.deep.equal(bySlot);
  }
  return bySlot;
}

function expectSorted(view: View): void {
  for (const { spo, pos, osp } of view.segments)
    for (const order of [spo, pos, osp]) {
      for (let row = 1; row < order.first.length; row++) {
        const columns = [order.first, order.second, order.third, order.graph];
        const differing = columns.find((column) => column[row] !== column[row - 1]);
        if (!differing) throw new Error("a quad that is there twice");
        expect(differing[row]!).to.be.above(differing[row - 1]!);
      }
      for (let id = 0; id < view.terms.size + 3; id++) {
        const rows = [...order.first.keys()].filter((row) => order.first[row] === id);
        if (rows.length > 0)
          expect([order.start(id), order.end(id)]).to.deep.equal([rows[0], rows.at(-1)! + 1]);
        else expect(order.end(id) - order.start(id)).to.equal(0);
      }
    }
}

const triples = fc.array(
  fc
    .tuple(
      fc.constantFrom("a", "b", "c", "d", "_:x", "_:y"),
      fc.constantFrom("p", "q", "type"),
      fc.constantFrom(
        iri("a"),
        iri("b"),
        blankNode("x"),
        literal("5"),
        literal("Grüße 🌍", "de-AT"),
        literal("5", iri("own")),
      ),
    )
    .map(([s, p, o]) => quad(s.startsWith("_:") ? blankNode(s.slice(2)) : iri(s), iri(p), o)),
  { maxLength: 8 },
);
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), graph: fc.nat(4), triples }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("drop" as const), at: fc.nat(20) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("view" as const), of: fc.nat(0xff), named: fc.nat(0xff) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "compact" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "share" as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("keep" as const), gone: fc.nat(20) }) },
  ),
  { maxLength: 25 },
);

interface Document {
  readonly number: number;
  readonly graph: string;
  readonly quads: readonly Quad[];
}

/** Blank nodes have no name that lasts: a document's are told apart by what is said of them, which is enough here. */
const plain = (line: string): string => line.replaceAll(/_:\S+/g, "_:");
const expectedOf = (documents: readonly Document[]): string[] =>
  documents
    .flatMap(({ graph, quads }) => [
      ...new Set(
        quads.map(
          ({ subject, predicate, object }) =>
            `${[subject, predicate, object].map(keyOf).join(" ")} @${graph}`,
        ),
      ),
    ])
    .map(plain)
    .sort();

describe("the index of a pod", () => {
  it("shows exactly the documents that a view names, whatever was added, dropped and compacted before", () => {
    fc.assert(
      fc.property(steps, (steps) => {
        let index: PodIndex = createPodIndex();
        let there: Document[] = [];
        let number = 0;
        const kept: { readonly view: View; readonly expected: string[] }[] = [];
        for (const step of steps) {
          if (step.kind === "add") {
            const graph = iri(`doc${step.graph}`).value;
            const document = { number: ++number, graph, quads: step.triples };
            index.add(document);
            there.push(document);
          } else if (step.kind === "drop") {
            const gone = there[step.at];
            index.drop(gone ? [gone.number, 999] : [999]);
            there = there.filter((document) => document !== gone);
          } else if (step.kind === "compact") index.compact();
          else if (step.kind === "share") index = createPodIndex(index.share());
          else if (step.kind === "keep") {
            const shared = index.share();
            const gone = there[step.gone];
            there = there.filter((document) => document !== gone);
            const numbers = shared.numbers.map((number) => (number === gone?.number ? 0 : number));
            index = createPodIndex(unpackIndex(packIndex(shared), numbers));
          } else {
            const onePerName = [...new Map(there.map((document) => [document.graph, document])).values()];
            const defaults = onePerName.filter((_, at) => (step.of >> at) & 1);
            const named = onePerName.filter((_, at) => (step.named >> at) & 1);
            const numbers = (list: readonly Document[]) => Uint32Array.from(list, ({ number }) => number);
            const view = index.view(numbers(defaults), numbers(named));
            expect(linesOf(view, view.defaults).map(plain).sort()).to.deep.equal(expectedOf(defaults));
            expect(linesOf(view, view.named).map(plain).sort()).to.deep.equal(expectedOf(named));
            expectSorted(view);
            expect([view.defaultCount, view.namedCount]).to.deep.equal([defaults.length, named.length]);
            const lines = linesOf(view, view.defaults).map((line) => line.split(" @https:")[0]!);
            expect(view.mayRepeat).to.equal(new Set(lines).size < lines.length);
            for (const { graph } of onePerName) {
              const slot = view.slotOf(view.terms.find(namedNode(graph)));
              if (named.some((document) => document.graph === graph))
                expect(view.terms.get(view.nameOf(slot)).value).to.equal(graph);
              else expect(slot).to.equal(-1);
            }
            kept.push({ view, expected: expectedOf(defaults) });
          }
        }
        for (const { view, expected } of kept)
          expect(linesOf(view, view.defaults).map(plain).sort()).to.deep.equal(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps blank nodes of two documents apart, and those of one together", () => {
    const index = createPodIndex();
    const quads = [
      quad(blankNode("x"), iri("p"), blankNode("x")),
      quad(blankNode("x"), iri("q"), blankNode("y")),
    ];
    index.add({ number: 1, graph: "https://ana.example/1", quads });
    index.add({ number: 2, graph: "https://ana.example/2", quads });
    const view = index.view(Uint32Array.of(1, 2), none);
    const subjects = new Set(view.segments[0]!.spo.first);
    expect(subjects.size).to.equal(2);
    const objects = new Set(view.segments[0]!.osp.first);
    expect(objects.size).to.equal(4);
    for (const id of objects) expect(view.terms.find(view.terms.get(id))).to.equal(id);
  });

  it("sorts many small changes into few segments", () => {
    const index = createPodIndex();
    const quadsOf = (n: number) =>
      Array.from({ length: 25 }, (_, at) =>
        quad(iri(`doc${n}#${at}`), iri(`p${at % 5}`), literal(`${n * at}`)),
      );
    for (let n = 1; n <= 400; n++) index.add({ number: n, graph: iri(`doc${n}`).value, quads: quadsOf(n) });
    index.compact();
    const numbers = Uint32Array.from({ length: 400 }, (_, at) => at + 1);
    for (let n = 1; n <= 300; n++) {
      index.drop([n]);
      index.add({ number: n + 1_000, graph: iri(`doc${n}`).value, quads: quadsOf(n) });
      numbers[n - 1] = n + 1_000;
      const view = index.view(numbers, none);
      expect(view.segments.length).to.be.below(4);
    }
    const view = index.view(numbers, none);
    expect(view.mayRepeat).to.equal(false);
    expect(index.quadCount).to.equal(10_000);
    expect(linesOf(view, view.defaults)).to.have.length(10_000);
    expect(index.wornShare).to.be.above(0.1);
    index.compact();
    expect(index.wornShare).to.equal(0);
    expect(linesOf(index.view(numbers, none), index.view(numbers, none).defaults)).to.have.length(10_000);
  });

  it("does not grow with what was written over", () => {
    const index = createPodIndex();
    let most = 0;
    for (let n = 1; n <= 15_000; n++) {
      index.drop([n - 1]);
      index.add({
        number: n,
        graph: iri("a").value,
        quads: [quad(iri("a"), iri("p"), literal(`value ${n}`))],
      });
      if (n % 100 === 0) most = Math.max(most, index.view(Uint32Array.of(n), none).terms.size);
    }
    expect(most).to.be.below(6_000);
    expect(index.quadCount).to.equal(1);
    expect(index.byteCount).to.be.below(2_000_000);
  });

  it("is shared without a copy, be it made of documents or opened from bytes", () => {
    const made = createPodIndex();
    const quads = Array.from({ length: 5_000 }, (_, n) => quad(iri(`s${n}`), iri("p"), literal(`${n}`)));
    made.add({ number: 1, graph: "https://ana.example/1", quads });
    const shared = made.share();
    const opened = createPodIndex(unpackIndex(packIndex(shared), shared.numbers)).share();
    for (const { terms, segment } of [shared, opened])
      for (const column of [
        terms.heap,
        terms.ends,
        terms.types,
        terms.kinds,
        terms.numbers,
        terms.table,
        ...[segment.spo, segment.pos!, segment.osp!].flatMap(({ first, second, third, graph }) => [
          first,
          second,
          third,
          graph,
        ]),
        segment.byGraph!.subject,
      ])
        expect(column.buffer).to.be.instanceOf(SharedArrayBuffer);
    const received = structuredClone(opened);
    expect(received.terms.heap.buffer).to.be.instanceOf(SharedArrayBuffer);
    const view = createPodIndex(received).view(Uint32Array.of(1), none);
    expect(linesOf(view, view.defaults)).to.have.length(5_000);
  });

  it("shares no document that was dropped, not even an empty one", () => {
    const index = createPodIndex();
    for (const number of [1, 2, 3]) index.add({ number, graph: iri(`${number}`).value, quads: [] });
    index.compact();
    index.drop([2]);
    expect([...index.share().numbers]).to.deep.equal([1, 3]);
    const shared = createPodIndex(index.share()).share();
    const opened = createPodIndex(unpackIndex(packIndex(shared), Uint32Array.of(0, 9)));
    expect([...opened.numbers()]).to.deep.equal([9]);
    expect([...opened.share().numbers]).to.deep.equal([9]);
    expect(opened.view(Uint32Array.of(9), none).defaultCount).to.equal(1);
  });

  it("refuses a view of what was never added", () => {
    expect(() => createPodIndex().view(Uint32Array.of(7), none)).to.throw("not added");
  });
});
