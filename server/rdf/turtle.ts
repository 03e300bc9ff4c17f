/** How terms are spelled in N-Triples and Turtle. */
import { rdf, xsd } from "@freehold/vocab";
import type { Literal, NamedNode, Term } from "./terms.ts";

// oxlint-disable-next-line no-control-regex -- control characters are what must be escaped
const TO_ESCAPE = /["\\\u0000-\u001f\u007f]/;
// oxlint-disable-next-line no-control-regex -- control characters are what must be escaped
const ALL_TO_ESCAPE = /["\\\u0000-\u001f\u007f]/g;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
};

const unicodeEscape = (char: string): string =>
  `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** With its quotes; one line, whatever is in it. */
export function quoted(text: string): string {
  return TO_ESCAPE.test(text)
    ? `"${text.replace(ALL_TO_ESCAPE, (char) => SHORT[char] ?? unicodeEscape(char))}"`
    : `"${text}"`;
}

/** What the parser refuses in an IRI is escaped all the same: no term can end the brackets it stands in. */
export function bracketed(iri: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what must be escaped
  return `<${iri.replace(/[\u0000-\u0020<>"{}|\\^`]/g, unicodeEscape)}>`;
}

export function spellLiteral(
  { value, language, datatype }: Literal,
  spellIri: (node: NamedNode) => string,
): string {
  if (language) return `${quoted(value)}@${language}`;
  return datatype.value === xsd.string ? quoted(value) : `${quoted(value)}^^${spellIri(datatype)}`;
}

/** The one spelling of N-Triples. */
export function spellTerm(term: Exclude<Term, { termType: "DefaultGraph" }>): string {
  switch (term.termType) {
    case "NamedNode":
      return bracketed(term.value);
    case "BlankNode":
      return `_:${term.value}`;
    case "Variable":
      return `?${term.value}`;
    default:
      return spellLiteral(term, (datatype) => bracketed(datatype.value));
  }
}

// A subset of PN_LOCAL that needs no escapes, and that all readers agree on.
const LOCAL = /^(?:[A-Za-z_](?:[\w-]*[\w])?)?$/;

/**
 * @param prefixes From prefix to namespace.
 * @param baseIri The document's own address: `<#it>` is written for what is in it.
 * @returns a function that spells IRIs as Turtle does, and remembers each.
 */
export function createIriSpeller(
  prefixes: Readonly<Record<string, string>>,
  baseIri?: string,
): (node: NamedNode) => string {
  const namespaces = new Map(Object.entries(prefixes).map(([prefix, namespace]) => [namespace, prefix]));
  const spelled = new Map<string, string>();
  const spell = (iri: string): string => {
    if (baseIri !== undefined && (iri === baseIri || iri.startsWith(`${baseIri}#`)))
      return bracketed(iri.slice(baseIri.length));
    const cut = Math.max(iri.lastIndexOf("#"), iri.lastIndexOf("/")) + 1;
    const prefix = namespaces.get(iri.slice(0, cut));
    const local = iri.slice(cut);
    return prefix !== undefined && LOCAL.test(local) ? `${prefix}:${local}` : bracketed(iri);
  };
  return ({ value }) => {
    let text = spelled.get(value);
    if (text === undefined) {
      text = spell(value);
      spelled.set(value, text);
    }
    return text;
  };
}

/** `a` for `rdf:type`, in the place of a predicate only. */
export const isType = (predicate: NamedNode): boolean => predicate.value === rdf.type;
