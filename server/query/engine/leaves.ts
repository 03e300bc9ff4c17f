/** The parts of patterns that need no look at what stands around them: triples, paths, and how parts make a join. */
import type { Pattern, Place, TriplePattern, Variable } from "../sparql/algebra.ts";
import type { Assignment, JoinNode, Node, PlaceNumber, ScanNode } from "./plan.ts";
import { type Frame, flat, noParts, type Parts, type Places } from "./scopes.ts";

export function scanOf(
  places: Places,
  { subject, predicate, object }: TriplePattern,
  frame: Frame,
): ScanNode {
  const { graph, scope } = frame;
  const same: [PlaceNumber, PlaceNumber][] = [];
  const taken = new Set<PlaceNumber>(graph === null ? [] : [graph]);
  const [s, p, o] = [subject, predicate, object].map((each) => {
    const place = places.position(each, scope);
    if (each.termType === "Variable" && taken.has(place)) {
      const copy = places.fresh();
      same.push([copy, place]);
      return copy;
    }
    taken.add(place);
    return place;
  }) as [PlaceNumber, PlaceNumber, PlaceNumber];
  const binds = [...taken, ...same.map(([copy]) => copy)];
  return {
    kind: "scan",
    subject: s,
    predicate: p,
    object: o,
    graph,
    same,
    binds,
    always: binds,
    wants: [],
  };
}

/** What a sequence, an inverse or an alternative says is said with triples and unions. */
export function addPath(
  places: Places,
  pattern: Pattern & { kind: "path" },
  frame: Frame,
  parts: Parts,
): void {
  const { path, subject, object } = pattern;
  const { graph } = frame;
  if (path.kind === "link") {
    parts.items.push(scanOf(places, { subject, predicate: path.predicate, object }, frame));
    return;
  }
  if (path.kind === "inverse") {
    addPath(places, { kind: "path", subject: object, path: path.path, object: subject }, frame, parts);
    return;
  }
  if (path.kind === "sequence") {
    let from = subject;
    for (const [at, step] of path.paths.entries()) {
      const isLast = at === path.paths.length - 1;
      const between: Variable = { termType: "Variable", value: `.step${places.width}.${at}` };
      addPath(
        places,
        { kind: "path", subject: from, path: step, object: isLast ? object : between },
        frame,
        parts,
      );
      from = between;
    }
    return;
  }
  if (path.kind === "alternative") {
    const branches = path.paths.map((each) => {
      const branch = noParts();
      addPath(places, { kind: "path", subject, path: each, object }, frame, branch);
      return joinOf(branch);
    });
    parts.items.push(unionOf(branches));
    return;
  }
  const [s, o] = [places.position(subject, frame.scope), places.position(object, frame.scope)];
  const isTerm = (place: Place): boolean => place.termType !== "Variable" || frame.given.has(place.value);
  const binds = [...new Set([s, o, ...(graph === null ? [] : [graph])])];
  parts.items.push({
    kind: "path",
    subject: s,
    path,
    object: o,
    graph,
    isTerm: { subject: isTerm(subject), object: isTerm(object) },
    binds,
    always: binds,
    wants: [],
  });
}

export function unionOf(branches: readonly Node[]): Node {
  const [first, ...rest] = branches;
  return {
    kind: "union",
    branches,
    binds: flat(branches.map(({ binds }) => binds)),
    always: (first?.always ?? []).filter((place) => rest.every(({ always }) => always.includes(place))),
    wants: flat(branches.map(({ wants }) => wants)),
  };
}

export function joinOf(parts: Parts): Node {
  const { first, items, optionals, conditions } = parts;
  if (!first && items.length === 1 && optionals.length + conditions.length + parts.assignments.length === 0)
    return items[0]!;
  const nodes = [...(first ? [first] : []), ...items];
  const bound = new Set([...nodes, ...optionals].flatMap(({ binds }) => binds));
  const assignments: Assignment[] = parts.assignments.map(({ place, scoped }) => ({
    place,
    scoped,
    isFinal: !bound.has(place),
  }));
  const assigned = assignments.map(({ place }) => place);
  const node: JoinNode = {
    kind: "join",
    first,
    items,
    optionals,
    assignments,
    conditions,
    binds: flat([...bound, ...assigned].map((place) => [place])),
    always: flat(nodes.map(({ always }) => always)),
    wants: flat([...nodes, ...optionals].map(({ wants }) => wants)),
  };
  return node;
}
