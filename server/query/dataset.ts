/**
 * What a query ranges over: the quads of some documents of one pod, on small integers. Terms are interned per pod;
 * a document is a list of numbers; a dataset is some documents side by side, with a list of positions for each term.
 */
import {
  blankNode,
  defaultGraph,
  keyOf,
  namedNode,
  type Quad,
  quad,
  type Term,
  type Value,
} from "../rdf/terms.ts";

type Id = number;

/** The terms and documents of one pod that this thread has read. */
export interface PodIndex {
  readonly terms: Value[];
  readonly ids: Map<string, Id>;
  /** By document number. */
  readonly documents: Map<number, IndexedDocument>;
}

interface IndexedDocument {
  readonly graph: Id;
  /** Subject, predicate, object, again and again; each triple once. */
  readonly triples: Uint32Array;
}

/** Empty; one for each pod that a thread has read. */
export function createPodIndex(): PodIndex {
  return { terms: [], ids: new Map(), documents: new Map() };
}

function intern(index: PodIndex, key: string, term: () => Value): Id {
  let id = index.ids.get(key);
  if (id === undefined) {
    id = index.terms.length;
    index.ids.set(key, id);
    index.terms.push(term());
  }
  return id;
}

/** Blank nodes of two documents are never the same, whatever their labels. */
export function addDocument(index: PodIndex, number: number, graph: string, quads: Iterable<Quad>): void {
  const seen = new Set<string>();
  const triples: Id[] = [];
  const idOf = (term: Value): Id => {
    if (term.termType !== "BlankNode") return intern(index, keyOf(term), () => term);
    const label = `d${number}.${term.value}`;
    return intern(index, `_:${label}`, () => blankNode(label));
  };
  for (const { subject, predicate, object } of quads) {
    const [s, p, o] = [idOf(subject), idOf(predicate), idOf(object)];
    const key = `${s} ${p} ${o}`;
    if (seen.has(key)) continue;
    seen.add(key);
    triples.push(s, p, o);
  }
  const name = namedNode(graph);
  index.documents.set(number, {
    graph: intern(index, keyOf(name), () => name),
    triples: Uint32Array.from(triples),
  });
}

/** Where each term stands: positions of term `t` are `places[starts[t]]` up to `places[starts[t + 1]]`. */
interface Postings {
  readonly starts: Uint32Array;
  readonly places: Uint32Array;
}

function createPostings(column: Uint32Array, termCount: number): Postings {
  const starts = new Uint32Array(termCount + 1);
  for (const id of column) starts[id + 1]!++;
  for (let id = 0; id < termCount; id++) starts[id + 1]! += starts[id]!;
  const next = starts.slice();
  const places = new Uint32Array(column.length);
  for (let row = 0; row < column.length; row++) places[next[column[row]!]!++] = row;
  return { starts, places };
}

/** Four columns: subject, predicate, object, graph. A wanted value of -1 matches everything, -2 nothing. */
type Wanted = readonly [subject: number, predicate: number, object: number, graph: number];
const ANY = -1;
const NONE = -2;

interface Table {
  readonly columns: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  rows(wanted: Wanted): Iterable<number>;
  count(wanted: Wanted): number;
}

function createTable(columns: Table["columns"], termCount: number): Table {
  const postings: (Postings | undefined)[] = [];
  const postingsOf = (column: number): Postings =>
    (postings[column] ??= createPostings(columns[column]!, termCount));

  /** The shortest list of rows that holds all matches; null for all rows. */
  const candidates = (wanted: Wanted): Uint32Array | null => {
    let shortest: Uint32Array | null = null;
    for (let column = 0; column < 4; column++) {
      const id = wanted[column]!;
      if (id === NONE || id >= termCount) return new Uint32Array();
      if (id === ANY) continue;
      const { starts, places } = postingsOf(column);
      const length = starts[id + 1]! - starts[id]!;
      if (shortest === null || length < shortest.length)
        shortest = places.subarray(starts[id], starts[id + 1]);
    }
    return shortest;
  };
  const fits = (row: number, wanted: Wanted): boolean => {
    for (let column = 0; column < 4; column++) {
      if (wanted[column] !== ANY && columns[column]![row] !== wanted[column]) return false;
    }
    return true;
  };
  return {
    columns,
    *rows(wanted) {
      const list = candidates(wanted);
      if (list === null) for (let row = 0; row < columns[0].length; row++) yield row;
      else for (const row of list) if (fits(row, wanted)) yield row;
    },
    count(wanted) {
      const list = candidates(wanted);
      if (list === null) return columns[0].length;
      if (wanted.filter((id) => id !== ANY).length === 1) return list.length;
      let count = 0;
      for (const row of list) if (fits(row, wanted)) count++;
      return count;
    },
  };
}

/** One row for each triple, however many of the documents say it: the RDF merge. */
function firstOfEach(subjects: Uint32Array, predicates: Uint32Array, objects: Uint32Array): Uint32Array {
  let size = 16;
  while (size < subjects.length * 2) size *= 2;
  const slots = new Int32Array(size).fill(-1);
  const kept: number[] = [];
  for (let row = 0; row < subjects.length; row++) {
    const [s, p, o] = [subjects[row]!, predicates[row]!, objects[row]!];
    let slot = (Math.imul(s, 0x9e3779b1) ^ Math.imul(p, 0x85ebca6b) ^ Math.imul(o, 0xc2b2ae35)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & (size - 1);
    for (;;) {
      const other = slots[slot]!;
      if (other === -1) {
        slots[slot] = row;
        kept.push(row);
        break;
      }
      if (subjects[other] === s && predicates[other] === p && objects[other] === o) break;
      slot = (slot + 1) & (size - 1);
    }
  }
  return Uint32Array.from(kept);
}

function tableOf(index: PodIndex, documents: Iterable<number>, merge: boolean): Table {
  const chosen = [...new Set(documents)].flatMap((number) => index.documents.get(number) ?? []);
  const length = chosen.reduce((sum, { triples }) => sum + triples.length / 3, 0);
  let columns: Table["columns"] = [
    new Uint32Array(length),
    new Uint32Array(length),
    new Uint32Array(length),
    new Uint32Array(length),
  ];
  let row = 0;
  for (const { graph, triples } of chosen) {
    for (let at = 0; at < triples.length; at += 3, row++) {
      columns[0][row] = triples[at]!;
      columns[1][row] = triples[at + 1]!;
      columns[2][row] = triples[at + 2]!;
      columns[3][row] = graph;
    }
  }
  if (merge) {
    const kept = firstOfEach(columns[0], columns[1], columns[2]);
    if (kept.length < length)
      columns = columns.map((column) => kept.map((from) => column[from]!)) as unknown as Table["columns"];
  }
  return createTable(columns, index.terms.length);
}

/** The parts of an RDF/JS source that Comunica asks for. */
export interface Dataset {
  match(
    subject?: Term | null,
    predicate?: Term | null,
    object?: Term | null,
    graph?: Term | null,
  ): Iterable<Quad>;
  matchBindings(
    make: BindingsFactory,
    subject: Term,
    predicate: Term,
    object: Term,
    graph: Term,
  ): Iterable<unknown>;
  countQuads(
    subject?: Term | null,
    predicate?: Term | null,
    object?: Term | null,
    graph?: Term | null,
  ): number;
}

interface BindingsFactory {
  bindings(entries: (readonly [Term, Term])[]): unknown;
}

/**
 * @param defaults Documents whose merge is the default graph: none, unless the query asks.
 * @param named Documents that are named graphs.
 */
export function createDataset(
  index: PodIndex,
  defaults: readonly number[],
  named: readonly number[],
): Dataset {
  let merged: Table | null = null;
  let apart: Table | null = null;
  const mergedTable = (): Table => (merged ??= tableOf(index, defaults, true));
  const apartTable = (): Table => (apart ??= tableOf(index, named, false));

  const idOf = (term: Term | null | undefined): number => {
    if (!term || term.termType === "Variable" || term.termType === "DefaultGraph") return ANY;
    return index.ids.get(keyOf(term)) ?? NONE;
  };
  const isDefault = (graph: Term | null | undefined): boolean => graph?.termType === "DefaultGraph";
  const wantedOf = (terms: readonly (Term | null | undefined)[]): Wanted =>
    terms.map(idOf) as unknown as Wanted;
  const quadAt = ({ columns }: Table, row: number, inDefault: boolean): Quad => {
    const [subject, predicate, object, graph] = columns.map((column) => index.terms[column[row]!]!);
    return quad(
      subject as Quad["subject"],
      predicate as Quad["predicate"],
      object!,
      inDefault ? defaultGraph() : (graph as Quad["graph"]),
    );
  };

  return {
    *match(...terms) {
      const graph = terms[3];
      const wanted = wantedOf([terms[0], terms[1], terms[2], graph]);
      if (!graph || isDefault(graph)) {
        for (const row of mergedTable().rows(wanted)) yield quadAt(mergedTable(), row, true);
      }
      if (!isDefault(graph))
        for (const row of apartTable().rows(wanted)) yield quadAt(apartTable(), row, false);
    },
    *matchBindings(make, subject, predicate, object, graph) {
      const terms = [subject, predicate, object, graph];
      const table = isDefault(graph) ? mergedTable() : apartTable();
      const places = new Map<string, { readonly variable: Term; readonly columns: Uint32Array[] }>();
      for (const [place, term] of terms.entries()) {
        if (term.termType !== "Variable") continue;
        const known = places.get(term.value);
        if (known) known.columns.push(table.columns[place]!);
        else places.set(term.value, { variable: term, columns: [table.columns[place]!] });
      }
      const variables = [...places.values()].map(({ variable, columns: [first, ...others] }) => ({
        variable,
        first: first!,
        others,
      }));
      for (const row of table.rows(wantedOf(terms))) {
        if (!variables.every(({ first, others }) => others.every((column) => column[row] === first[row])))
          continue;
        yield make.bindings(variables.map(({ variable, first }) => [variable, index.terms[first[row]!]!]));
      }
    },
    countQuads(...terms) {
      const wanted = wantedOf([terms[0], terms[1], terms[2], terms[3]]);
      // Comunica asks without a graph only for variables, which range over the named graphs.
      return (isDefault(terms[3]) ? mergedTable() : apartTable()).count(wanted);
    },
  };
}
