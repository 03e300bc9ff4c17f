/** From bytes to triples: strict, bounded, and with the place of a mistake. */
import type * as RDF from "@rdfjs/types";
import { DataFactory, Lexer, Parser } from "n3";
import { Problem, type ProblemDetail } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { placeOf, tooDeepTurtle } from "./depth.ts";
import { mediaTypeOf, RDF_TYPES, type RdfType } from "./media.ts";
import type { BlankNode, Literal, NamedNode, Quad } from "./terms.ts";

type TurtleType = Exclude<RdfType, "application/ld+json">;
/** What {@link parseRdf} needs of the limits. */
export type RdfLimits = Readonly<
  Record<
    "rdfBytesMax" | "rdfQuadsMax" | "turtleDepthMax" | "jsonDepthMax" | "literalBytesMax" | "iriBytesMax",
    number
  >
>;

const FORMATS: Readonly<
  Record<TurtleType, { readonly format: string; readonly name: string; readonly lineMode: boolean }>
> = {
  "text/turtle": { format: "Turtle", name: "Turtle", lineMode: false },
  "application/n-triples": { format: "N-Triples", name: "N-Triples", lineMode: true },
  "application/n-quads": { format: "N-Quads", name: "N-Quads", lineMode: true },
  "application/trig": { format: "TriG", name: "TriG", lineMode: false },
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

/** Blank nodes that get no label from the document are called g1, g2, …; a document's own label of that form is renamed. */
const GENERATED = /^g[0-9]+$/;
// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const FORBIDDEN_IN_IRI = /[\u0000-\u0020<>"{}|\\^`]/;

export const isAbsolute = (iri: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(iri);

/** @returns what is wrong with an IRI, or null. */
export function faultOfIri(iri: string, iriBytesMax: number): string | null {
  if (iri.length > iriBytesMax || (iri.length * 3 > iriBytesMax && Buffer.byteLength(iri) > iriBytesMax)) {
    return `An IRI has at most ${iriBytesMax} bytes`;
  }
  if (!isAbsolute(iri))
    return `The IRI <${iri.slice(0, 64)}> is relative and there is nothing to resolve it against`;
  if (FORBIDDEN_IN_IRI.test(iri))
    return `The IRI <${iri.slice(0, 64)}> holds a character that IRIs do not have`;
  return iri.isWellFormed() ? null : "An IRI holds half a character";
}

/** Makes terms, and refuses those that are too large before there are many. */
export function createBoundedFactory(limits: RdfLimits, refuse: (detail: string) => never) {
  let quads = 0;
  let labels = 0;
  const renamed = new Map<string, BlankNode>();
  const sound = new Map<string, NamedNode>();
  return {
    ...DataFactory,
    namedNode(iri: string): NamedNode {
      let node = sound.get(iri);
      if (node === undefined) {
        const fault = faultOfIri(iri, limits.iriBytesMax);
        if (fault !== null) refuse(fault);
        node = DataFactory.namedNode(iri);
        sound.set(iri, node);
      }
      return node;
    },
    blankNode(label?: string): BlankNode {
      if (label === undefined) return DataFactory.blankNode(`g${++labels}`);
      if (label.length > limits.iriBytesMax)
        refuse(`A blank node's label has at most ${limits.iriBytesMax} bytes`);
      if (!GENERATED.test(label)) return DataFactory.blankNode(label);
      let node = renamed.get(label);
      if (node === undefined) {
        node = DataFactory.blankNode(`g${++labels}`);
        renamed.set(label, node);
      }
      return node;
    },
    literal(value: string, languageOrDatatype?: string | NamedNode): Literal {
      if (value.length * 3 > limits.literalBytesMax && Buffer.byteLength(value) > limits.literalBytesMax) {
        refuse(`A literal has at most ${limits.literalBytesMax} bytes`);
      }
      if (typeof languageOrDatatype === "object" && !("value" in languageOrDatatype))
        refuse("Base directions (RDF 1.2) are not supported");
      return DataFactory.literal(value, languageOrDatatype);
    },
    quad(
      subject: RDF.Quad_Subject,
      predicate: RDF.Quad_Predicate,
      object: RDF.Quad_Object,
      graph?: RDF.Quad_Graph,
    ): Quad {
      if (++quads > limits.rdfQuadsMax) refuse(`A document has at most ${limits.rdfQuadsMax} triples`);
      if (object.termType === "Quad" || subject.termType === "Quad")
        refuse("Triple terms (RDF 1.2) are not supported");
      return DataFactory.quad(subject, predicate, object, graph) as Quad;
    },
  };
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
  const { format, name, lineMode } = FORMATS[contentType];
  const deep = tooDeepTurtle(text, limits.turtleDepthMax);
  if (deep >= 0) {
    const { line, column } = placeOf(text, deep);
    throw invalidRdf(name, {
      detail: `Lists and blank nodes nest at most ${limits.turtleDepthMax} deep`,
      at: `${line}:${column}`,
    });
  }
  const lexer = new Lexer({ lineMode, n3: false }) as Lexer & { readonly previousToken?: Token };
  const refuse = (detail: string): never => {
    const last = lexer.previousToken;
    throw invalidRdf(
      name,
      last ? { detail, at: `${last.endLine ?? last.line}:${last.end + 1}` } : { detail },
    );
  };
  const factory = createBoundedFactory(limits, refuse);
  const options = { format, baseIRI: baseIri, blankNodePrefix: "_:", factory, lexer };
  try {
    const parser = new Parser(options as unknown as ConstructorParameters<typeof Parser>[0]);
    return parser.parse(text) as Quad[];
  } catch (error) {
    if (error instanceof Problem) throw error;
    const detail = (error as Error).message.replace(/ on line \d+\.$/, "").slice(0, 200);
    const at = placeOfFault(error as SyntaxFault, text);
    throw invalidRdf(name, at === undefined ? { detail } : { detail, at }, error);
  }
}

/** {@link parseText} of bytes. */
export function parseDataset(
  bytes: Uint8Array,
  contentType: TurtleType,
  baseIri: string,
  limits: RdfLimits = LIMITS,
): Quad[] {
  return parseText(decodeUtf8(bytes, FORMATS[contentType].name), contentType, baseIri, limits);
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
    throw invalidRdf(FORMATS[type].name, {
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
