/** From the engine's results to what a person can act on. Values are never repeated: the reader may not be allowed to see them. */
import { rdf, SHAPES_NAMESPACE, sh, xsd } from "@freehold/vocab";
import type { ProblemDetail } from "../errors.ts";
import { blankNode, literal, namedNode, type Quad, quad, type Term } from "../rdf/terms.ts";
import type { ValidationResult } from "./engine.ts";
import type { Dataset, DatasetTerm } from "./rdfjs.ts";

/** One thing that a shape, or a check beside it, found. */
export interface Finding {
  readonly severity: "violation" | "warning";
  readonly problem: ProblemDetail;
}

const SH = sh.path.slice(0, -"path".length);

function localName(iri: string): string {
  return /[^#/:]*$/.exec(iri)?.[0] || iri;
}

/** The English text, or one without a language, or any. */
function textOf(terms: readonly DatasetTerm[]): string | undefined {
  const literals = terms.filter((term) => term.termType === "Literal");
  const english =
    literals.find(({ language }) => /^en\b/i.test(language)) ??
    literals.find(({ language }) => language === "");
  return (english ?? literals[0])?.value;
}

function objectsOf(dataset: Dataset, subject: DatasetTerm, predicate: string): DatasetTerm[] {
  return [...dataset.match(subject, namedNode(predicate))].map(({ object }) => object);
}

/** A path as SPARQL writes it; nested ones in brief. */
function spellPath(dataset: Dataset, path: DatasetTerm): string {
  if (path.termType === "NamedNode") return path.value;
  const inverse = objectsOf(dataset, path, sh.inversePath)[0];
  if (inverse?.termType === "NamedNode") return `^${inverse.value}`;
  const first = objectsOf(dataset, path, rdf.first)[0];
  return first?.termType === "NamedNode" ? `${first.value}/…` : "(a path of several steps)";
}

const count = (value: string, what: string): string => `${value} ${what}${value === "1" ? "" : "s"}`;

/** What each constraint component asks for, by the last part of its IRI and the parameter's value. */
const DEMANDS: Readonly<Record<string, (parameter: string) => string>> = {
  MinCount: (least) => `give at least ${count(least, "value")}`,
  MaxCount: (most) => `give at most ${count(most, "value")}`,
  Datatype: (type) => `give a value of the type ${localName(type)}`,
  Class: (type) => `name something that is described as ${localName(type)}`,
  NodeKind: (kind) => `give a value of the kind ${localName(kind)}`,
  MinLength: (least) => `give at least ${count(least, "character")}`,
  MaxLength: (most) => `give at most ${count(most, "character")}`,
  MinInclusive: (least) => `give at least ${least}`,
  MinExclusive: (least) => `give more than ${least}`,
  MaxInclusive: (most) => `give at most ${most}`,
  MaxExclusive: (most) => `give less than ${most}`,
  Pattern: (pattern) => `write it in the form ${pattern}`,
  In: () => "give one of the values that the shape lists",
  HasValue: () => "a value that the shape demands is missing",
  LanguageIn: () => "use one of the languages that the shape lists",
  UniqueLang: () => "give one text for each language",
  LessThan: (other) => `give a value that is less than ${localName(other)}`,
  LessThanOrEquals: (other) => `give a value that is not more than ${localName(other)}`,
  Equals: (other) => `give the same values as ${localName(other)}`,
  Disjoint: (other) => `give other values than ${localName(other)}`,
  Closed: () => "leave out this property; the shape allows only those it lists",
  Node: (shape) => `describe it as ${localName(shape)} asks`,
  Not: () => "it is what the shape excludes",
};

function kindOf(value: DatasetTerm): string {
  if (value.termType === "Literal")
    return value.language
      ? `a text in ${value.language}`
      : `a value of the type ${localName(value.datatype.value)}`;
  return value.termType === "NamedNode" ? "an address" : "a description without an address";
}

const ABOUT_THE_KIND = new Set(["Datatype", "NodeKind", "Class"]);

function detailOf(result: ValidationResult, shapes: Dataset): string {
  const { sourceShape, sourceConstraintComponent, path, value } = result;
  const own = textOf(objectsOf(shapes, sourceShape, sh.message));
  if (own !== undefined) return own;
  const component = sourceConstraintComponent.value.slice(SH.length).replace(/ConstraintComponent$/, "");
  const parameter =
    objectsOf(shapes, sourceShape, `${SH}${component[0]?.toLowerCase()}${component.slice(1)}`)[0]?.value ??
    "";
  const demand = DEMANDS[component]?.(parameter) ?? textOf(result.message) ?? "it does not fit the shape";
  const name =
    textOf(objectsOf(shapes, sourceShape, sh.name)) ??
    (path?.termType === "NamedNode" ? localName(path.value) : undefined);
  const found = value && ABOUT_THE_KIND.has(component) ? ` (found ${kindOf(value)})` : "";
  return name === undefined
    ? `${demand[0]?.toUpperCase()}${demand.slice(1)}${found}`
    : `${name}: ${demand}${found}`;
}

function placeOf({ focusNode, path, dataset }: ValidationResult): string {
  const focus = focusNode.termType === "NamedNode" ? focusNode.value : "(a node without an address)";
  return path ? `${focus} ${spellPath(dataset, path)}` : focus;
}

/** A result of `sh:node` says what is wrong inside, if the engine knows. */
function leavesOf(result: ValidationResult): readonly ValidationResult[] {
  const details = result.detail;
  return details.length === 0 ? [result] : details.flatMap(leavesOf);
}

/** Severities other than Warning and Info stop a write: also those a shape made up itself. */
export function findingsOf(results: readonly ValidationResult[], shapes: Dataset): Finding[] {
  return results.flatMap((result) => {
    const isMild = result.severity.value === sh.Warning || result.severity.value === sh.Info;
    return leavesOf(result).map(
      (leaf): Finding => ({
        severity: isMild ? "warning" : "violation",
        problem: { detail: detailOf(leaf, shapes), at: placeOf(leaf) },
      }),
    );
  });
}

/** What a check beside the shapes found. */
export interface CheckFinding {
  readonly check: string;
  readonly severity: "violation" | "warning";
  readonly focus: string;
  readonly path: string;
  readonly message: string;
}

function checkResult(
  report: Quad["subject"],
  { check, severity, focus, path, message }: CheckFinding,
): Quad[] {
  const node = blankNode();
  const term = /^[a-z][a-z0-9+.-]*:/i.test(focus) ? namedNode(focus) : blankNode(focus);
  return [
    quad(report, namedNode(sh.result), node),
    quad(node, namedNode(rdf.type), namedNode(sh.ValidationResult)),
    quad(node, namedNode(sh.focusNode), term),
    ...(path === "" ? [] : [quad(node, namedNode(sh.resultPath), namedNode(path))]),
    quad(node, namedNode(sh.resultMessage), literal(message)),
    quad(node, namedNode(sh.resultSeverity), namedNode(severity === "warning" ? sh.Warning : sh.Violation)),
    quad(node, namedNode(sh.sourceConstraintComponent), namedNode(`${SHAPES_NAMESPACE}checks#${check}`)),
  ];
}

/** The engine's report with the checks' findings in it, in the words of `sh:ValidationReport`. */
export function mergeReport(report: readonly Quad[], checks: readonly CheckFinding[]): Quad[] {
  if (checks.length === 0) return [...report];
  const root = report.find(
    ({ predicate, object }) => predicate.value === rdf.type && (object as Term).value === sh.ValidationReport,
  )?.subject;
  if (!root) return [...report];
  return [
    ...report.filter(({ predicate }) => predicate.value !== sh.conforms),
    quad(root, namedNode(sh.conforms), literal("false", namedNode(xsd.boolean))),
    ...checks.flatMap((finding) => checkResult(root, finding)),
  ];
}
