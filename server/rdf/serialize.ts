/** From triples to bytes: the same triples in the same order give the same bytes. */
import { rdf, xsd } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { mediaTypeOf, RDF_TYPES, type RdfType } from "./media.ts";
import type { Quad, Value } from "./terms.ts";
import { createIriSpeller, isType, spellLiteral, spellTerm } from "./turtle.ts";

export interface SerializeOptions {
  /** From prefix to namespace; all are declared, as the document's author did. */
  readonly prefixes?: Readonly<Record<string, string>>;
  /** The address the bytes will be read at: Turtle then says `<#it>`. Must be the real one, without fragment. */
  readonly baseIri?: string;
}

type Objects = Value[];
type Subjects = Map<
  string,
  {
    readonly node: Quad["subject"];
    readonly predicates: Map<string, { readonly node: Quad["predicate"]; readonly objects: Objects }>;
  }
>;

/** By subject and predicate, in the order in which they first come. */
function group(quads: Iterable<Quad>): Subjects {
  const subjects: Subjects = new Map();
  for (const { subject, predicate, object } of quads) {
    const key = subject.termType === "BlankNode" ? `_:${subject.value}` : subject.value;
    let described = subjects.get(key);
    if (described === undefined) {
      described = { node: subject, predicates: new Map() };
      subjects.set(key, described);
    }
    const stated = described.predicates.get(predicate.value);
    if (stated === undefined)
      described.predicates.set(predicate.value, { node: predicate, objects: [object] });
    else stated.objects.push(object);
  }
  return subjects;
}

// Each of these is one token of Turtle that means exactly this literal.
const BARE: Readonly<Record<string, RegExp>> = {
  [xsd.integer]: /^[+-]?[0-9]+$/,
  [xsd.boolean]: /^(?:true|false)$/,
  [xsd.decimal]: /^[+-]?[0-9]*\.[0-9]+$/,
};

function toTurtle(quads: Iterable<Quad>, { prefixes = {}, baseIri }: SerializeOptions): string {
  const spellIri = createIriSpeller(prefixes, baseIri);
  const spell = (value: Value): string => {
    if (value.termType === "NamedNode") return spellIri(value);
    if (value.termType === "BlankNode") return `_:${value.value}`;
    return BARE[value.datatype.value]?.test(value.value) ? value.value : spellLiteral(value, spellIri);
  };
  const blocks = [
    Object.entries(prefixes)
      .map(([prefix, namespace]) => `@prefix ${prefix}: <${namespace}>.\n`)
      .join(""),
  ];
  for (const { node, predicates } of group(quads).values()) {
    const lines: string[] = [];
    const type = predicates.get(rdf.type);
    if (type) predicates.delete(rdf.type); // First, as people read it.
    for (const { node: predicate, objects } of type ? [type, ...predicates.values()] : predicates.values()) {
      lines.push(`${isType(predicate) ? "a" : spellIri(predicate)} ${objects.map(spell).join(", ")}`);
    }
    blocks.push(`${spell(node)} ${lines.join(";\n    ")}.\n`);
  }
  return blocks.filter(Boolean).join("\n");
}

function toLines(quads: Iterable<Quad>): string {
  let text = "";
  for (const { subject, predicate, object, graph } of quads) {
    const name = graph.termType === "DefaultGraph" ? "" : ` ${spellTerm(graph)}`;
    text += `${spellTerm(subject)} ${spellTerm(predicate)} ${spellTerm(object)}${name} .\n`;
  }
  return text;
}

type JsonValue = Readonly<Record<string, string>>;

function toJsonValue(value: Value): JsonValue {
  if (value.termType === "NamedNode") return { "@id": value.value };
  if (value.termType === "BlankNode") return { "@id": `_:${value.value}` };
  if (value.language) return { "@value": value.value, "@language": value.language };
  return value.datatype.value === xsd.string
    ? { "@value": value.value }
    : { "@value": value.value, "@type": value.datatype.value };
}

/** Expanded and flattened: one object a subject, no context; lists stay the chains of cells they are in RDF. */
function toJsonLd(quads: Iterable<Quad>): string {
  const nodes: unknown[] = [];
  for (const { node, predicates } of group(quads).values()) {
    const members: Record<string, unknown> = {
      "@id": node.termType === "BlankNode" ? `_:${node.value}` : node.value,
    };
    for (const { node: predicate, objects } of predicates.values()) {
      if (isType(predicate) && objects.every(({ termType }) => termType !== "Literal")) {
        members["@type"] = objects.map((type) => toJsonValue(type)["@id"]);
      } else members[predicate.value] = objects.map(toJsonValue);
    }
    nodes.push(members);
  }
  return JSON.stringify(nodes);
}

const WRITERS: Readonly<Record<RdfType, (quads: Iterable<Quad>, options: SerializeOptions) => string>> = {
  "text/turtle": toTurtle,
  "application/trig": toTurtle,
  "application/ld+json": toJsonLd,
  "application/n-triples": toLines,
  "application/n-quads": toLines,
};

/**
 * @param quads Of one document: graph names are left out in all formats but N-Quads.
 * @param contentType One of {@link RDF_TYPES}; parameters are left aside.
 * @throws Problem `not-acceptable` for other types.
 */
export async function serializeRdf(
  quads: Iterable<Quad>,
  contentType: string,
  options: SerializeOptions = {},
): Promise<Uint8Array> {
  const type = mediaTypeOf(contentType) as RdfType;
  if (!RDF_TYPES.includes(type))
    throw new Problem("not-acceptable", `RDF is offered as ${RDF_TYPES.join(", ")}`);
  return new TextEncoder().encode(WRITERS[type](quads, options));
}
