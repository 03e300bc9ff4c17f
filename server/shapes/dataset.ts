/** A small in-memory RDF/JS dataset for the validator: indexed by term, and every quad that is looked at is counted. */
import { keyOf, keyOfQuad, type Quad, type Term } from "../rdf/terms.ts";
import type { Meter } from "./meter.ts";
import type { Dataset, DatasetQuad, DatasetTerm } from "./rdfjs.ts";

const POSITIONS = ["subject", "predicate", "object"] as const;
type Position = (typeof POSITIONS)[number];
const NONE: ReadonlySet<DatasetQuad> = new Set();

/** @see https://rdf.js.org/dataset-spec/#datasetcore-interface */
export class MeteredDataset implements Dataset {
  readonly #meter: Meter;
  readonly #quads = new Map<string, DatasetQuad>();
  readonly #indexes: Readonly<Record<Position, Map<string, Set<DatasetQuad>>>> = {
    subject: new Map(),
    predicate: new Map(),
    object: new Map(),
  };

  constructor(quads: Iterable<DatasetQuad>, meter: Meter) {
    this.#meter = meter;
    for (const quad of quads) this.add(quad);
  }

  get size(): number {
    return this.#quads.size;
  }

  add(quad: DatasetQuad): this {
    const subject = keyOf(quad.subject as Term);
    const predicate = keyOf(quad.predicate);
    const object = keyOf(quad.object as Term);
    const key = `${subject} ${predicate} ${keyOf(quad.graph)} ${object}`;
    if (this.#quads.has(key)) return this;
    this.#meter.spend();
    this.#quads.set(key, quad);
    this.#index("subject", subject, quad);
    this.#index("predicate", predicate, quad);
    this.#index("object", object, quad);
    return this;
  }

  #index(position: Position, term: string, quad: DatasetQuad): void {
    const found = this.#indexes[position].get(term);
    if (found) found.add(quad);
    else this.#indexes[position].set(term, new Set([quad]));
  }

  delete(quad: DatasetQuad): this {
    const key = keyOfQuad(quad as Quad);
    const stored = this.#quads.get(key);
    if (!stored) return this;
    this.#quads.delete(key);
    for (const position of POSITIONS)
      this.#indexes[position].get(keyOf(stored[position] as Term))?.delete(stored);
    return this;
  }

  has(quad: DatasetQuad): boolean {
    return this.#quads.has(keyOfQuad(quad as Quad));
  }

  match(
    subject?: DatasetTerm | null,
    predicate?: DatasetTerm | null,
    object?: DatasetTerm | null,
    graph?: DatasetTerm | null,
  ): Dataset {
    const wanted = { subject, predicate, object };
    let smallest: ReadonlySet<DatasetQuad> | null = null;
    for (const position of POSITIONS) {
      const term = wanted[position];
      if (!term) continue;
      const found = this.#indexes[position].get(keyOf(term as Term)) ?? NONE;
      if (smallest === null || found.size < smallest.size) smallest = found;
    }
    this.#meter.spend();
    const matches: DatasetQuad[] = [];
    for (const quad of smallest ?? this.#quads.values()) {
      this.#meter.spend();
      const fits =
        (!subject || quad.subject.equals(subject)) &&
        (!predicate || quad.predicate.equals(predicate)) &&
        (!object || quad.object.equals(object)) &&
        (!graph || quad.graph.equals(graph));
      if (fits) matches.push(quad);
    }
    return this.#view(matches);
  }

  /** What matched: looked at once and thrown away, so it gets indexes only if somebody asks it again. */
  #view(quads: readonly DatasetQuad[]): Dataset {
    let dataset: MeteredDataset | null = null;
    const full = () => (dataset ??= new MeteredDataset(quads, this.#meter));
    return {
      size: quads.length,
      add: (quad) => full().add(quad),
      delete: (quad) => full().delete(quad),
      has: (quad) => full().has(quad),
      match: (...terms) => full().match(...terms),
      [Symbol.iterator]: () => quads[Symbol.iterator](),
    };
  }

  [Symbol.iterator](): Iterator<DatasetQuad> {
    return this.#quads.values();
  }
}
