/** N3 Patch, read to the letter. https://solidproject.org/ED/protocol#n3-patch */

import { rdf, solid } from "@freehold/vocab";
import { DataFactory, Lexer, Parser } from "n3";
import { Problem } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { faultOfIri } from "./bounded.ts";
import { placeOf, tooDeepTurtle } from "./depth.ts";
import { placeOfFault, type SyntaxFault } from "./parse.ts";
import type { PatchStep, Pattern } from "./patch.ts";
import type { BlankNode, Literal, NamedNode, Term } from "./terms.ts";

/** One statement as n3 gives it: any term anywhere, in the graph of its formula. */
interface Statement {
  readonly subject: Term;
  readonly predicate: Term;
  readonly object: Term;
  readonly graph: Term;
}

const invalid = (detail: string, at?: string): Problem =>
  new Problem(
    "patch-invalid",
    at === undefined ? detail : `${detail} (line:column ${at})`,
    at === undefined ? {} : { errors: [{ detail, at }] },
  );

interface Document {
  readonly statements: readonly Statement[];
  /** n3 gives an empty formula as one certain literal. */
  readonly emptyFormula: Term;
}

/**
 * n3 puts a label `x` of a formula as `<label of the formula>.x`. Labels it makes itself begin with a space here, which
 * no label of a document can.
 */
function parse(text: string, baseIri: string): Document {
  const deep = tooDeepTurtle(text, LIMITS.turtleDepthMax);
  if (deep >= 0) {
    const { line, column } = placeOf(text, deep);
    throw invalid(`Brackets nest at most ${LIMITS.turtleDepthMax} deep`, `${line}:${column}`);
  }
  let labels = 0;
  let emptyFormula: Literal | null = null; // The parser makes it for itself, before it reads anything.
  const statements: Statement[] = [];
  const factory = {
    ...DataFactory,
    namedNode(iri: string): NamedNode {
      const fault = emptyFormula === null ? null : faultOfIri(iri, LIMITS.iriBytesMax);
      if (fault !== null) throw invalid(fault);
      return DataFactory.namedNode(iri);
    },
    blankNode: (label?: string): BlankNode => DataFactory.blankNode(label ?? ` ${++labels}`),
    literal(value: string, languageOrDatatype?: string | NamedNode): Literal {
      const made = DataFactory.literal(value, languageOrDatatype);
      emptyFormula ??= made;
      return made;
    },
    quad(subject: Term, predicate: Term, object: Term, graph: Term): Statement {
      if (statements.length >= LIMITS.rdfQuadsMax)
        throw invalid(`A patch has at most ${LIMITS.rdfQuadsMax} triples`);
      const statement = { subject, predicate, object, graph };
      statements.push(statement);
      return statement;
    },
  };
  const options = {
    format: "text/n3",
    baseIRI: baseIri,
    blankNodePrefix: "_:",
    formulaScopedBlankNodes: true,
    emptyFormulaAsTrue: true,
    factory,
    lexer: new Lexer(),
  };
  try {
    new Parser(options as unknown as ConstructorParameters<typeof Parser>[0]).parse(text);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw invalid(
      (error as Error).message.replace(/ on line \d+\.$/, "").slice(0, 200),
      placeOfFault(error as SyntaxFault, text),
    );
  }
  return { statements, emptyFormula: emptyFormula! };
}

const PLACES = ["subject", "predicate", "object"] as const;

/** Labels that were written, with the formula they were written in: ` 3.x` → x. */
const writtenLabel = (label: string): string | null =>
  label.startsWith(" ") ? (/^ \d+\.(.*)$/s.exec(label)?.[1] ?? null) : label;

function labelsOf(statements: readonly Statement[]): Set<string> {
  const labels = new Set<string>();
  for (const statement of statements) {
    for (const place of PLACES) {
      const term = statement[place];
      const label = term.termType === "BlankNode" ? writtenLabel(term.value) : null;
      if (label !== null) labels.add(label);
    }
  }
  return labels;
}

function variablesOf(patterns: readonly Pattern[]): Set<string> {
  const names = new Set<string>();
  for (const pattern of patterns) {
    for (const place of PLACES) if (pattern[place].termType === "Variable") names.add(pattern[place].value);
  }
  return names;
}

/** @throws Problem `patch-invalid` for everything that is not exactly one `solid:InsertDeletePatch`. */
export function parseN3Patch(text: string, baseIri: string): PatchStep {
  const { statements, emptyFormula } = parse(text, baseIri);
  const outer: Statement[] = [];
  const formulae = new Map<string, Statement[]>();
  for (const statement of statements) {
    if (statement.graph.termType === "DefaultGraph") outer.push(statement);
    else {
      const formula = formulae.get(statement.graph.value);
      if (formula) formula.push(statement);
      else formulae.set(statement.graph.value, [statement]);
    }
  }

  const says = ({ predicate, object }: Statement, name: string, value?: string): boolean =>
    predicate.termType === "NamedNode" &&
    predicate.value === name &&
    (value === undefined || (object.termType === "NamedNode" && object.value === value));
  const isAboutPatch = (statement: Statement): boolean =>
    [solid.inserts, solid.deletes, solid.where].some((name) => says(statement, name)) ||
    [solid.Patch, solid.InsertDeletePatch].some((name) => says(statement, rdf.type, name));
  const patches = new Map(
    outer.filter(isAboutPatch).map(({ subject }) => [`${subject.termType} ${subject.value}`, subject]),
  );
  if (patches.size !== 1)
    throw invalid(
      patches.size === 0
        ? "There is no patch resource in the document"
        : "The document has more than one patch resource",
    );
  const [patch] = patches.values();
  if (patch?.termType !== "NamedNode" && patch?.termType !== "BlankNode")
    throw invalid("A patch resource is an IRI or a blank node");
  if (!outer.some((statement) => says(statement, rdf.type, solid.InsertDeletePatch)))
    throw invalid("The patch resource is no solid:InsertDeletePatch");

  const cited = new Set<string>();
  const read = (
    property: string,
  ): { readonly patterns: readonly Pattern[]; readonly written: readonly Statement[] } => {
    const name = property.slice(property.indexOf("#") + 1);
    const objects = outer.filter((statement) => says(statement, property)).map(({ object }) => object);
    if (objects.length > 1) throw invalid(`A patch has at most one solid:${name}`);
    const [object] = objects;
    if (object === undefined || object === emptyFormula) return { patterns: [], written: [] };
    const written = object.termType === "BlankNode" ? formulae.get(object.value) : undefined;
    if (written === undefined) throw invalid(`solid:${name} is no formula`);
    cited.add(object.value);
    for (const statement of written) {
      for (const place of PLACES) {
        const term = statement[place];
        if (term === emptyFormula || (term.termType === "BlankNode" && formulae.has(term.value)))
          throw invalid(`solid:${name} holds a formula in its formula`);
      }
      const { subject, predicate } = statement;
      if (subject.termType === "Literal") throw invalid(`solid:${name} has a literal as a subject`);
      if (predicate.termType !== "NamedNode" && predicate.termType !== "Variable")
        throw invalid(`solid:${name} has a predicate that is no IRI`);
    }
    return { patterns: written as unknown as readonly Pattern[], written };
  };
  const [conditions, deletions, insertions] = [read(solid.where), read(solid.deletes), read(solid.inserts)];

  const known = variablesOf(conditions.patterns);
  for (const [name, { patterns }] of [
    ["inserts", insertions],
    ["deletes", deletions],
  ] as const) {
    const unknown = [...variablesOf(patterns)].find((variable) => !known.has(variable));
    if (unknown !== undefined)
      throw invalid(`solid:${name} uses ?${unknown}, which solid:where does not have`);
  }
  if (
    deletions.written.some((statement) => PLACES.some((place) => statement[place].termType === "BlankNode"))
  )
    throw invalid("solid:deletes has a blank node");
  const elsewhere = labelsOf(
    statements.filter(({ graph }) => graph.termType === "DefaultGraph" || !cited.has(graph.value)),
  );
  const [inConditions, inInsertions] = [labelsOf(conditions.written), labelsOf(insertions.written)];
  for (const label of [...inConditions, ...inInsertions]) {
    if ((inConditions.has(label) && inInsertions.has(label)) || elsewhere.has(label))
      throw invalid(`The blank node _:${label} is used in more than one place of the patch`);
  }
  return { conditions: conditions.patterns, deletions: deletions.patterns, insertions: insertions.patterns };
}
