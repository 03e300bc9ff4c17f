/**
 * A stream as a Linked Data Event Stream: the root leads to months, a month to its pages, and those are the documents
 * themselves. It is made for who asks, of what they may read: to others, a page that is not open is not there.
 * @see https://w3id.org/ldes/specification https://w3id.org/tree/specification
 */
import { ldes, rdf, sh, sosa, tree, xsd } from "@freehold/vocab";
import { blankNode, literal, namedNode, type Quad, quad } from "../rdf/terms.ts";
import { OBSERVATION_SHAPE } from "./observation.ts";
import { boundsOf, type Description, type Page } from "./stream.ts";

export const VIEW_PREFIXES = {
  ldes: "https://w3id.org/ldes#",
  tree: "https://w3id.org/tree#",
  sh: "http://www.w3.org/ns/shacl#",
  sosa: "http://www.w3.org/ns/sosa/",
  xsd: "http://www.w3.org/2001/XMLSchema#",
};

type Comparison = "GreaterThanOrEqualToRelation" | "LessThanRelation" | "LessThanOrEqualToRelation";

const timeLiteral = (time: number) =>
  literal(new Date(time).toISOString().replace(".000Z", "Z"), namedNode(xsd.dateTime));

/** https://w3id.org/tree/specification#relationsubclasses */
function relation(node: string, to: string, kind: Comparison, time: number, label: string): Quad[] {
  const bound = blankNode(label);
  return [
    quad(namedNode(node), namedNode(tree.relation), bound),
    quad(bound, namedNode(rdf.type), namedNode(tree[kind])),
    quad(bound, namedNode(tree.node), namedNode(to)),
    quad(bound, namedNode(tree.path), namedNode(sosa.resultTime)),
    quad(bound, namedNode(tree.value), timeLiteral(time)),
  ];
}

/** Two relations to one node: all in it is from the first time on, and up to the second. */
function between(
  node: string,
  to: string,
  [from, until]: readonly [number, number],
  upTo: Comparison,
  label: string,
): Quad[] {
  return [
    ...relation(node, to, "GreaterThanOrEqualToRelation", from, `${label}a`),
    ...relation(node, to, upTo, until, `${label}b`),
  ];
}

/**
 * What the shape asks of each member, said here too: a client then knows without another request what belongs to one.
 * https://w3id.org/tree/specification/shape-topologies
 */
function shapeQuads(): Quad[] {
  const shape = namedNode(OBSERVATION_SHAPE);
  const once = (path: string, label: string, kind: string, value: string): Quad[] => [
    quad(shape, namedNode(sh.property), blankNode(label)),
    quad(blankNode(label), namedNode(sh.path), namedNode(path)),
    quad(blankNode(label), namedNode(sh.minCount), literal("1", namedNode(xsd.integer))),
    quad(blankNode(label), namedNode(sh.maxCount), literal("1", namedNode(xsd.integer))),
    quad(blankNode(label), namedNode(kind), namedNode(value)),
  ];
  return [
    quad(shape, namedNode(rdf.type), namedNode(sh.NodeShape)),
    quad(shape, namedNode(sh.targetClass), namedNode(sosa.Observation)),
    ...once(sosa.madeBySensor, "sensor", sh.nodeKind, sh.IRI),
    ...once(sosa.observedProperty, "property", sh.nodeKind, sh.IRI),
    ...once(sosa.resultTime, "time", sh.datatype, xsd.dateTime),
    ...once(sosa.hasSimpleResult, "value", sh.nodeKind, sh.Literal),
  ];
}

/** @param view Address of the root. @param stream Its IRI. @param months Those with a page that may be read. */
export function rootQuads(
  view: string,
  stream: string,
  { keptMs, keptFrom }: Description,
  months: readonly string[],
): Quad[] {
  const [root, events] = [namedNode(view), namedNode(stream)];
  const say = (subject: Quad["subject"], predicate: string, object: Quad["object"]): Quad =>
    quad(subject, namedNode(predicate), object);
  const policy = namedNode(`${view}#retention`);
  return [
    say(events, rdf.type, namedNode(ldes.EventStream)),
    say(events, tree.view, root),
    say(events, ldes.timestampPath, namedNode(sosa.resultTime)),
    say(events, tree.shape, namedNode(OBSERVATION_SHAPE)),
    ...shapeQuads(),
    say(root, rdf.type, namedNode(tree.Node)),
    say(root, rdf.type, namedNode(ldes.EventSource)),
    ...(keptMs === null && keptFrom === null
      ? []
      : [say(root, ldes.retentionPolicy, policy), say(policy, rdf.type, namedNode(ldes.RetentionPolicy))]),
    ...(keptMs === null
      ? []
      : [say(policy, ldes.fullLogDuration, literal(`PT${keptMs / 1_000}S`, namedNode(xsd.duration)))]),
    ...(keptFrom === null ? [] : [say(policy, ldes.startingFrom, timeLiteral(keptFrom))]),
    ...months.flatMap((month, at) =>
      between(view, `${view}?month=${month.slice(0, -1)}`, boundsOf(month), "LessThanRelation", `m${at}`),
    ),
  ];
}

/** @param node Address of the month's node. @param origin Of all addresses, without a slash at the end. */
export function monthQuads(
  node: string,
  view: string,
  stream: string,
  month: string,
  pages: readonly Page[],
  origin: string,
): Quad[] {
  const [, next] = boundsOf(month);
  const [start] = boundsOf(month);
  return [
    quad(namedNode(stream), namedNode(rdf.type), namedNode(ldes.EventStream)),
    quad(namedNode(stream), namedNode(tree.view), namedNode(view)),
    quad(namedNode(node), namedNode(rdf.type), namedNode(tree.Node)),
    ...pages.flatMap(({ path, record: { page } }, at) => {
      const to = `${origin}${path}`;
      if (!page) return between(node, to, [start, next], "LessThanRelation", `p${at}`);
      return page.isOpen
        ? between(node, to, [page.first, next], "LessThanRelation", `p${at}`)
        : between(node, to, [page.first, page.last], "LessThanOrEqualToRelation", `p${at}`);
    }),
  ];
}
