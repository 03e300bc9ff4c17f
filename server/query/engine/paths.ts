/**
 * Property paths on ids. Sequences, alternatives and inverses keep duplicates; what repeats does not.
 * @see https://www.w3.org/TR/sparql11-query/#sparqlPropertyPaths
 */
import { namedNode } from "../../rdf/terms.ts";
import { type Id, UNBOUND, type View } from "../index/view.ts";
import type { Path } from "../sparql/algebra.ts";
import type { Control, QueryTerms } from "./contract.ts";
import type { PathNode } from "./plan.ts";
import { type Access, createScan, isNode, type Step } from "./scan.ts";

/** So many nodes are said to be held at once. */
const HELD_MASK = 255;

/** @returns True to stop. */
type Emit = (id: Id) => boolean;

/** One path in one graph. */
interface Walk {
  /** What the path leads to from a node. */
  readonly forward: (from: Id, emit: Emit) => boolean;
  /** Where it comes from. */
  readonly backward: (to: Id, emit: Emit) => boolean;
  /** Nodes where it may begin, each once: no pair begins elsewhere but an empty one. */
  readonly starts: () => Iterable<Id>;
}

/** Which graph is walked: the id of its name, UNBOUND for the default graph. */
interface Where {
  graph: Id;
}

interface Triples {
  /** Each is UNBOUND for any; `emit` is called with subject, predicate, object. */
  match(s: Id, p: Id, o: Id, emit: (s: Id, p: Id, o: Id) => boolean): boolean;
}

const [SUBJECT, PREDICATE, OBJECT, GRAPH, TRASH] = [0, 1, 2, 3, 4];

/** A scan with a row of its own; not while it is running. */
function createTriples(access: Access, where: Where | null): Triples {
  const row = new Uint32Array(5).fill(UNBOUND);
  let emit: (s: Id, p: Id, o: Id) => boolean = () => true;
  const places = { subject: SUBJECT, predicate: PREDICATE, object: OBJECT, graph: where ? GRAPH : null };
  const scan = createScan(access, places, row, TRASH, () =>
    emit(row[SUBJECT]!, row[PREDICATE]!, row[OBJECT]!),
  );
  return {
    match(s, p, o, found) {
      emit = found;
      row[SUBJECT] = s;
      row[PREDICATE] = p;
      row[OBJECT] = o;
      if (where) row[GRAPH] = where.graph;
      return scan();
    },
  };
}

/** Each pair at most once for each start. */
function closure(
  step: Walk["forward"],
  from: Id,
  isEmptyToo: boolean,
  control: Control,
  emit: Emit,
): boolean {
  const seen = new Set<Id>();
  const open: Id[] = [];
  const visit = (id: Id): boolean => {
    if (!seen.has(id)) {
      seen.add(id);
      open.push(id);
      if ((open.length & HELD_MASK) === 0) control.hold(HELD_MASK + 1);
    }
    return false;
  };
  if (isEmptyToo) visit(from);
  else step(from, visit);
  let isEnough = false;
  for (let at = 0; at < open.length && !isEnough; at++) {
    isEnough = emit(open[at]!);
    if (!isEnough) step(open[at]!, visit);
  }
  const held = open.length & ~HELD_MASK;
  if (held > 0) control.hold(-held);
  return isEnough;
}

function once(step: (emit: Emit) => void): Iterable<Id> {
  const seen = new Set<Id>();
  step((id) => {
    seen.add(id);
    return false;
  });
  return seen;
}

class Walks {
  readonly #access: Access;
  readonly #terms: QueryTerms;
  readonly #where: Where | null;

  constructor(access: Access, terms: QueryTerms, where: Where | null) {
    this.#access = access;
    this.#terms = terms;
    this.#where = where;
  }

  of(path: Path): Walk {
    switch (path.kind) {
      case "link":
        return this.#link(this.#terms.intern(path.predicate));
      case "inverse": {
        const { forward, backward } = this.of(path.path);
        return {
          forward: backward,
          backward: forward,
          starts: () => this.nodes(),
        };
      }
      case "sequence":
        return path.paths
          .map((each) => this.of(each))
          .reduce((first, second) => this.#sequence(first, second));
      case "alternative": {
        const walks = path.paths.map((each) => this.of(each));
        return {
          forward: (from, emit) => walks.some((walk) => walk.forward(from, emit)),
          backward: (to, emit) => walks.some((walk) => walk.backward(to, emit)),
          starts: () => new Set(walks.flatMap((walk) => [...walk.starts()])),
        };
      }
      case "not":
        return this.#not(path);
      case "zeroOrOne": {
        const walk = this.of(path.path);
        const orSelf = (step: Walk["forward"], from: Id, emit: Emit): boolean => {
          const found = new Set([from]);
          step(from, (id) => {
            found.add(id);
            return false;
          });
          for (const id of found) if (emit(id)) return true;
          return false;
        };
        return {
          forward: (from, emit) => orSelf(walk.forward, from, emit),
          backward: (to, emit) => orSelf(walk.backward, to, emit),
          starts: () => this.nodes(),
        };
      }
      default: {
        const walk = this.of(path.path);
        const isEmptyToo = path.kind === "zeroOrMore";
        const { control } = this.#access;
        return {
          forward: (from, emit) => closure(walk.forward, from, isEmptyToo, control, emit),
          backward: (to, emit) => closure(walk.backward, to, isEmptyToo, control, emit),
          starts: () => (isEmptyToo ? this.nodes() : walk.starts()),
        };
      }
    }
  }

  /** All subjects and objects of the graph. */
  nodes(): Iterable<Id> {
    const triples = createTriples(this.#access, this.#where);
    const seen = new Set<Id>();
    triples.match(UNBOUND, UNBOUND, UNBOUND, (s, _, o) => {
      seen.add(s);
      seen.add(o);
      return false;
    });
    this.#access.control.hold(seen.size);
    return seen;
  }

  #link(predicate: Id): Walk {
    const triples = createTriples(this.#access, this.#where);
    return {
      forward: (from, emit) => triples.match(from, predicate, UNBOUND, (_, _p, o) => emit(o)),
      backward: (to, emit) => triples.match(UNBOUND, predicate, to, (s) => emit(s)),
      starts: () => once((emit) => triples.match(UNBOUND, predicate, UNBOUND, (s) => emit(s))),
    };
  }

  #sequence(first: Walk, second: Walk): Walk {
    return {
      forward: (from, emit) => first.forward(from, (middle) => second.forward(middle, emit)),
      backward: (to, emit) => second.backward(to, (middle) => first.backward(middle, emit)),
      starts: () => first.starts(),
    };
  }

  #not({ forward, backward }: Path & { kind: "not" }): Walk {
    const triples = createTriples(this.#access, this.#where);
    const ahead = new Set(forward.map((iri) => this.#terms.intern(iri)));
    const behind = new Set(backward.map((iri) => this.#terms.intern(iri)));
    // `!(a)` has no inverse part, `!(^a)` only that.
    const [isAhead, isBehind] = [forward.length > 0 || backward.length === 0, backward.length > 0];
    return {
      forward: (from, emit) =>
        (isAhead && triples.match(from, UNBOUND, UNBOUND, (_, p, o) => !ahead.has(p) && emit(o))) ||
        (isBehind && triples.match(UNBOUND, UNBOUND, from, (s, p) => !behind.has(p) && emit(s))),
      backward: (to, emit) =>
        (isAhead && triples.match(UNBOUND, UNBOUND, to, (s, p) => !ahead.has(p) && emit(s))) ||
        (isBehind && triples.match(to, UNBOUND, UNBOUND, (_, p, o) => !behind.has(p) && emit(o))),
      starts: () => this.nodes(),
    };
  }
}

/** The slots of the named graphs, in order. */
export function* namedSlots(view: View): Generator<number> {
  for (let slot = 0; slot < view.slotCount; slot++) if (view.named[slot] !== 0) yield slot;
}

/** @returns A step that gives the pairs that a path joins; what is bound in the row restricts them. */
export function createPath(
  access: Access,
  terms: QueryTerms,
  { subject, object, graph, path, isTerm }: PathNode,
  row: Uint32Array,
  next: Step,
): Step {
  const { view } = access;
  const where: Where | null = graph === null ? null : { graph: UNBOUND };
  const walks = new Walks(access, terms, where);
  const walk = walks.of(path);
  const isSame = subject === object;
  /** Two variables match an empty path only where there is a node. */
  const isNowhere = (id: Id): boolean =>
    !isTerm.subject && !isTerm.object && !isNode(view, id, where ? view.slotOf(where.graph) : -1);

  const bind = (place: number, id: Id): boolean => {
    row[place] = id;
    return next();
  };

  const pairs = (): boolean => {
    const [s, o] = [row[subject]!, row[object]!];
    if (s !== UNBOUND && o !== UNBOUND) {
      return walk.forward(s, (id) => id === o && !(id === s && isNowhere(id)) && next());
    }
    if (s !== UNBOUND) {
      const isEnough = walk.forward(s, (id) => !(id === s && isNowhere(id)) && bind(object, id));
      row[object] = UNBOUND;
      return isEnough;
    }
    if (o !== UNBOUND) {
      const isEnough = walk.backward(o, (id) => !(id === o && isNowhere(id)) && bind(subject, id));
      row[subject] = UNBOUND;
      return isEnough;
    }
    let isEnough = false;
    for (const start of walk.starts()) {
      row[subject] = start;
      isEnough = walk.forward(start, (id) => (isSame ? id === start && next() : bind(object, id)));
      if (isEnough) break;
    }
    row[subject] = UNBOUND;
    row[object] = UNBOUND;
    return isEnough;
  };

  if (graph === null || where === null) return pairs;
  return () => {
    if (row[graph] !== UNBOUND) {
      where.graph = row[graph]!;
      return view.slotOf(where.graph) >= 0 && pairs();
    }
    let isEnough = false;
    for (const slot of namedSlots(view)) {
      row[graph] = where.graph = view.nameOf(slot);
      isEnough = pairs();
      if (isEnough) break;
    }
    row[graph] = UNBOUND;
    return isEnough;
  };
}

/** For EXPLAIN. */
export function describePath(path: Path): string {
  switch (path.kind) {
    case "link":
      return `<${path.predicate.value}>`;
    case "inverse":
      return `^${describePath(path.path)}`;
    case "sequence":
      return `(${path.paths.map(describePath).join("/")})`;
    case "alternative":
      return `(${path.paths.map(describePath).join("|")})`;
    case "not":
      return `!(${[
        ...path.forward.map(({ value }) => describePath({ kind: "link", predicate: namedNode(value) })),
        ...path.backward.map(({ value }) => `^<${value}>`),
      ].join("|")})`;
    default:
      return `${describePath(path.path)}${{ zeroOrMore: "*", oneOrMore: "+", zeroOrOne: "?" }[path.kind]}`;
  }
}
