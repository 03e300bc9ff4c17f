/** From bytes to triples: strict, bounded, and with the place of a mistake. */
import { Lexer, Parser } from "n3";
import { Problem, type ProblemDetail } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type BoundedFactory, createBoundedFactory, faultOfIri, type RdfLimits } from "./bounded.ts";
import { placeOf, tooDeepTurtle } from "./depth.ts";
import { scanLines } from "./lines.ts";
import { mediaTypeOf, RDF_TYPES, type RdfType } from "./media.ts";
import { scanTurtle } from "./scanner.ts";
import type { Quad } from "./terms.ts";

type TurtleType = Exclude<RdfType, "application/ld+json">;
const NAMES: Readonly<Record<TurtleType, string>> = {
  "text/turtle": "Turtle",
  "application/n-triples": "N-Triples",
  "application/n-quads": "N-Quads",
  "application/trig": "TriG",
};

/** One mistake: what, and where if known. */
export function invalidRdf(format: string, finding: ProblemDetail, cause?: unknown): Problem {
  const where = finding.at ? ` (line:column ${finding.at})` : "";
  return new Problem("rdf-invalid", `${format}: ${finding.detail}${where}`, {
    errors: [finding],
    ...(cause ? { cause } : {}),
  });
}

/** @throws Problem `rdf-invalid` for bytes that are no UTF-8. A byte order mark is left out. */
export function decodeUtf8(bytes: Uint8Array, format: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalidRdf(format, { detail: "The bytes are not UTF-8" }, cause);
  }
}

interface Token {
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly endLine?: number;
}
export interface SyntaxFault extends Error {
  readonly context?: { readonly line: number; readonly token?: Token; readonly previousToken?: Token };
}

/** Where n3 says the mistake is; the column is that of the token, or of what follows the token before. */
export function placeOfFault(fault: SyntaxFault, text: string): string | undefined {
  const { context } = fault;
  if (!context) return undefined;
  if (context.token) return `${context.token.line}:${context.token.start + 1}`;
  const line = text.split(/\r\n|\r|\n/, context.line).at(-1) ?? "";
  const before = context.previousToken;
  const from = before && (before.endLine ?? before.line) === context.line ? before.end : 0;
  return `${context.line}:${from + /^[ \t]*/.exec(line.slice(from))![0].length + 1}`;
}

/** TriG is rare, and n3 reads it. */
function parseTrig(text: string, baseIri: string, limits: RdfLimits): Quad[] {
  const mistake = (detail: string, at?: string, cause?: unknown): Problem =>
    invalidRdf(NAMES["application/trig"], at === undefined ? { detail } : { detail, at }, cause);
  const deep = tooDeepTurtle(text, limits.turtleDepthMax);
  if (deep >= 0) {
    const { line, column } = placeOf(text, deep);
    throw mistake(`Lists and blank nodes nest at most ${limits.turtleDepthMax} deep`, `${line}:${column}`);
  }
  const lexer = new Lexer({ n3: false }) as Lexer & { readonly previousToken?: Token };
  const refuse = (detail: string): never => {
    const last = lexer.previousToken;
    throw mistake(detail, last && `${last.endLine ?? last.line}:${last.end + 1}`);
  };
  const bounded = createBoundedFactory(limits, refuse);
  const factory: BoundedFactory = {
    ...bounded,
    literal(value, kind) {
      if (typeof kind === "object" && !("value" in kind))
        refuse("Base directions (RDF 1.2) are not supported");
      return bounded.literal(value, kind);
    },
    quad(subject, predicate, object, graph) {
      if ([subject, object].some(({ termType }: { termType: string }) => termType === "Quad"))
        refuse("Triple terms (RDF 1.2) are not supported");
      return bounded.quad(subject, predicate, object, graph);
    },
  };
  const options = { format: "TriG", baseIRI: baseIri, blankNodePrefix: "_:", factory, lexer };
  try {
    const parser = new Parser(options as unknown as ConstructorParameters<typeof Parser>[0]);
    return parser.parse(text) as unknown as Quad[];
  } catch (error) {
    if (error instanceof Problem) throw error;
    const detail = (error as Error).message.replace(/ on line \d+\.$/, "").slice(0, 200);
    throw mistake(detail, placeOfFault(error as SyntaxFault, text), error);
  }
}

/**
 * Parses Turtle, TriG, N-Triples or N-Quads, named graphs and all.
 * @throws Problem `rdf-invalid`.
 */
export function parseText(
  text: string,
  contentType: TurtleType,
  baseIri: string,
  limits: RdfLimits = LIMITS,
): Quad[] {
  if (contentType === "application/trig") return parseTrig(text, baseIri, limits);
  const mistake = (detail: string, offset: number): Problem => {
    const { line, column } = placeOf(text, offset);
    return invalidRdf(NAMES[contentType], { detail, at: `${line}:${column}` });
  };
  if (contentType === "text/turtle") return scanTurtle(text, baseIri, limits, mistake);
  return scanLines(text, contentType === "application/n-quads", limits, mistake);
}

/** {@link parseText} of bytes. */
export function parseDataset(
  bytes: Uint8Array,
  contentType: TurtleType,
  baseIri: string,
  limits: RdfLimits = LIMITS,
): Quad[] {
  return parseText(decodeUtf8(bytes, NAMES[contentType]), contentType, baseIri, limits);
}

/**
 * The triples of a document. Labels of blank nodes are unique in the document only: rename before merging two. A triple
 * that the document says twice may come twice. JSON-LD's inner graphs are flattened into the one graph a document is.
 * @param contentType One of {@link RDF_TYPES}; parameters are left aside.
 * @param baseIri Absolute; what relative IRIs are resolved against: the document's own address.
 * @throws Problem `rdf-invalid` with the line and column in `errors[]`, `unsupported-media-type` for other types.
 * @see https://www.w3.org/TR/turtle/ https://www.w3.org/TR/json-ld11-api/
 */
export async function parseRdf(
  bytes: Uint8Array,
  contentType: string,
  baseIri: string,
  limits: RdfLimits = LIMITS,
): Promise<Quad[]> {
  const type = mediaTypeOf(contentType) as RdfType;
  if (!RDF_TYPES.includes(type))
    throw new Problem("unsupported-media-type", `Send one of ${RDF_TYPES.join(", ")}`);
  if (bytes.length > limits.rdfBytesMax)
    throw new Problem("body-too-large", `RDF has at most ${limits.rdfBytesMax} bytes`);
  if (type === "application/ld+json") {
    const { parseJsonLd } = await import("./jsonld.ts"); // Loads jsonld.js, which most servers never need.
    return parseJsonLd(bytes, baseIri, limits);
  }
  const quads = parseDataset(bytes, type, baseIri, limits);
  const named = quads.find(({ graph }) => graph.termType !== "DefaultGraph");
  if (named) {
    throw invalidRdf(NAMES[type], {
      detail: `A document is one graph, and this one names another: ${named.graph.value.slice(0, 200)}`,
    });
  }
  return quads;
}

const PREFIX = /^[ \t]*(?:@prefix|prefix)[ \t]+([a-z][\w-]*|):[ \t]*<([^\s<>"{}|^`\\]*)>/gim;

/** The prefixes a Turtle or TriG document declares with absolute IRIs, for writing it again in its own words. */
export function prefixesOf(bytes: Uint8Array): Record<string, string> {
  const prefixes: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [, name = "", iri = ""] of new TextDecoder().decode(bytes).matchAll(PREFIX)) {
    if (faultOfIri(iri, LIMITS.iriBytesMax) === null) prefixes[name] = iri;
  }
  return prefixes;
}
