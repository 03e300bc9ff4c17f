/** What a shapes graph must be before it is used: small, finite, and nothing in it that would be silently left out. */
import { rdf, sh } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { keyOf, type Quad } from "../rdf/terms.ts";
import { compilePattern, type Matcher } from "./pattern.ts";

const IMPORTS = "http://www.w3.org/2002/07/owl#imports";
const SH = sh.path.slice(0, -"path".length);

/** Constraints that the engine evaluates. https://www.w3.org/TR/shacl/#core-components */
const CONSTRAINTS =
  "class datatype nodeKind minCount maxCount minExclusive minInclusive maxExclusive maxInclusive minLength maxLength pattern flags languageIn uniqueLang equals disjoint lessThan lessThanOrEquals not and or xone node property qualifiedValueShape qualifiedValueShapesDisjoint qualifiedMinCount qualifiedMaxCount closed ignoredProperties hasValue in";
const OTHERS =
  "path alternativePath zeroOrMorePath oneOrMorePath zeroOrOnePath inversePath targetClass targetNode targetSubjectsOf targetObjectsOf severity message deactivated name description order group defaultValue codeIdentifier shapesGraph suggestedShapesGraph declare prefix namespace intent agentInstruction";
/** Of reports, which may stand beside the shapes. */
const REPORTS =
  "conforms result resultMessage resultPath resultSeverity focusNode value sourceShape sourceConstraint sourceConstraintComponent detail";
const KNOWN: ReadonlySet<string> = new Set(
  `${CONSTRAINTS} ${OTHERS} ${REPORTS}`.split(" ").map((name) => SH + name),
);

/** Whose subject is a shape, or a piece of machinery for shapes, whatever else is said of it. https://www.w3.org/TR/shacl/#shapes */
const OF_SHAPES: ReadonlySet<string> = new Set(
  `${CONSTRAINTS} targetClass targetNode targetSubjectsOf targetObjectsOf target parameter sparql js rule`
    .split(" ")
    .map((name) => SH + name),
);

/** Predicates whose object is what shapes are held against. */
const TO_DATA: ReadonlySet<string> = new Set([`${SH}targetNode`, sh.hasValue]);
/** Predicates whose object is a shape. */
const TO_SHAPE: ReadonlySet<string> = new Set([sh.node, sh.property, sh.not, sh.qualifiedValueShape]);
/** Predicates whose object is a list of shapes. */
const TO_SHAPES: ReadonlySet<string> = new Set([sh.and, sh.or, sh.xone]);
/** Predicates by which paths nest. */
const TO_PATH: ReadonlySet<string> = new Set(
  ["path", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath", "inversePath"].map(
    (name) => SH + name,
  ),
);

function refuse(detail: string): never {
  throw new Problem("shape-invalid", detail);
}

type Graph = ReadonlyMap<string, readonly Quad[]>;

function bySubject(quads: readonly Quad[]): Graph {
  const graph = new Map<string, Quad[]>();
  for (const quad of quads) {
    const key = keyOf(quad.subject);
    const found = graph.get(key);
    if (found) found.push(quad);
    else graph.set(key, [quad]);
  }
  return graph;
}

function isOfShape({ predicate, object }: Quad): boolean {
  if (predicate.value !== rdf.type) return OF_SHAPES.has(predicate.value);
  return object.value.startsWith(SH) && !object.value.startsWith(`${SH}Validation`); // Reports are about data.
}

/** Shapes and whatever hangs on them. What else is in the document nothing looks at. */
function usedOf(graph: Graph): Graph {
  const used = new Map<string, readonly Quad[]>();
  const waiting = [...graph].filter(([, quads]) => quads.some(isOfShape)).map(([key]) => key);
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    const quads = graph.get(key);
    if (!quads || used.has(key)) continue;
    used.set(key, quads);
    for (const { predicate, object } of quads) if (!TO_DATA.has(predicate.value)) waiting.push(keyOf(object));
  }
  return used;
}

const objectOf = (quads: readonly Quad[], predicate: string): Quad["object"] | undefined =>
  quads.find((quad) => quad.predicate.value === predicate)?.object;

/** Each list node has one first and one rest, and no list comes back to itself. */
function checkLists(graph: Graph): void {
  const ended = new Set([`<${rdf.nil}>`]);
  for (const start of graph.keys()) {
    const walked = new Set<string>();
    let key = start;
    for (let quads = graph.get(key); quads && !ended.has(key); quads = graph.get(key)) {
      const rests = quads.filter(({ predicate }) => predicate.value === rdf.rest);
      const firsts = quads.filter(({ predicate }) => predicate.value === rdf.first);
      if (rests.length === 0 && firsts.length === 0) break;
      if (rests.length !== 1 || firsts.length !== 1) refuse("A list is not well-formed");
      if (walked.has(key)) refuse("A list comes back to itself");
      walked.add(key);
      key = keyOf(rests[0]!.object);
    }
    for (const key of walked) ended.add(key);
  }
}

function* listOf(graph: Graph, head: Quad["object"]): Iterable<Quad["object"]> {
  for (let quads = graph.get(keyOf(head)); quads; ) {
    const first = objectOf(quads, rdf.first);
    const rest = objectOf(quads, rdf.rest);
    if (!first || !rest) return;
    yield first;
    quads = graph.get(keyOf(rest));
  }
}

/** What hangs on a node: shapes of a shape, paths of a path. */
function* childrenOf(
  graph: Graph,
  quads: readonly Quad[],
): Iterable<{ readonly node: Quad["object"]; readonly isShape: boolean }> {
  for (const { predicate, object } of quads) {
    if (TO_SHAPE.has(predicate.value)) yield { node: object, isShape: true };
    else if (TO_SHAPES.has(predicate.value))
      for (const node of listOf(graph, object)) yield { node, isShape: true };
    else if (TO_PATH.has(predicate.value)) {
      yield { node: object, isShape: false };
      if (object.termType === "BlankNode")
        for (const node of listOf(graph, object)) yield { node, isShape: false };
    }
  }
}

/** Shapes and paths that lead to themselves have no meaning in SHACL, and no end. https://www.w3.org/TR/shacl/#shapes-recursion */
function checkNesting(graph: Graph, depthMax: number): void {
  const depths = new Map<string, number>(); // 0 while under way.
  function depthOf(key: string, level: number): number {
    const known = depths.get(key);
    if (known === 0) refuse("A shape leads back to itself");
    if (known !== undefined) return known;
    if (level > depthMax) refuse(`Shapes nest at most ${depthMax} deep`);
    const quads = graph.get(key) ?? [];
    depths.set(key, 0);
    let depth = 1;
    for (const { node, isShape } of childrenOf(graph, quads)) {
      const child = keyOf(node);
      if (isShape && (node.termType === "Literal" || !graph.has(child))) {
        refuse(`The shape ${node.value.slice(0, 200)} is used but not described`);
      }
      if (node.termType !== "Literal" && graph.has(child))
        depth = Math.max(depth, 1 + depthOf(child, level + 1));
    }
    if (depth > depthMax) refuse(`Shapes nest at most ${depthMax} deep`);
    depths.set(key, depth);
    return depth;
  }
  for (const key of graph.keys()) depthOf(key, 1);
}

/** The patterns of a graph, ready to be used, by pattern and flags. */
export type Patterns = ReadonlyMap<string, Matcher>;

export const patternKey = (pattern: string, flags: string): string => `${flags}/${pattern}`;

function compilePatterns(graph: Graph, limits: Limits): Patterns {
  const patterns = new Map<string, Matcher>();
  for (const quads of graph.values()) {
    const values = (predicate: string) =>
      quads.filter((quad) => quad.predicate.value === predicate).map(({ object }) => object.value);
    const flags = values(sh.flags);
    for (const pattern of values(sh.pattern)) {
      for (const flag of flags.length > 0 ? flags : [""]) {
        patterns.set(patternKey(pattern, flag), compilePattern(pattern, flag, limits));
      }
    }
  }
  return patterns;
}

/**
 * Refuses what would otherwise be left out without a word, so that a shape never checks less than it says: SPARQL
 * and JavaScript constraints, words that SHACL core does not have, imports, and references to shapes that are not there.
 * @returns the patterns, compiled.
 * @throws Problem `shape-invalid`.
 */
export function guardShapes(quads: readonly Quad[], limits: Limits): Patterns {
  if (quads.length > limits.shapeQuadsMax)
    refuse(`A shapes document has at most ${limits.shapeQuadsMax} triples`);
  if (quads.some(({ predicate }) => predicate.value === IMPORTS))
    refuse("owl:imports is not followed; put the shapes into one document");
  const graph = usedOf(bySubject(quads));
  for (const { predicate } of [...graph.values()].flat()) {
    if (predicate.value.startsWith(SH) && !KNOWN.has(predicate.value)) {
      refuse(
        `sh:${predicate.value.slice(SH.length, SH.length + 80)} is not evaluated here: shapes are SHACL core`,
      );
    }
  }
  checkLists(graph);
  checkNesting(graph, limits.shapeDepthMax);
  return compilePatterns(graph, limits);
}
