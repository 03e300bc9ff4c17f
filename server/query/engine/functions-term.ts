/** Functions on terms. https://www.w3.org/TR/sparql11-query/#func-rdfTerms */
import { rdf } from "@freehold/vocab";
import { createResolver, isAbsolute } from "../../rdf/resolve.ts";
import { blankNode, type Literal, literal, namedNode } from "../../rdf/terms.ts";
import { ERROR, type Id, KINDS, type Kind } from "../index/view.ts";
import { type Code, define, type Function, type Tools, termCode, textCode, truthCode } from "./code.ts";
import { isNumericKind } from "./numbers.ts";
import { FAILED, FALSE, type Text, TRUE } from "./values.ts";

const IRI_LENGTH_MAX = 8_192;
/** https://www.w3.org/TR/turtle/#grammar-production-IRIREF */
// oxlint-disable-next-line no-control-regex -- what no IRI may hold
const NOT_IN_IRI = /[\u0000-\u0020<>"{}|^`\\]/;
const LANGUAGE_TAG = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/;

const plain = (value: string): Text => ({ value, language: "" });

const kindTest = (test: (kind: Kind) => boolean) =>
  define(([operand], tools) => {
    const { terms } = tools.context;
    return truthCode(tools, (row) => {
      const id = operand!.id(row);
      return id >= ERROR ? FAILED : test(terms.kind(id)) ? TRUE : FALSE;
    });
  }, 1);
const isIri = kindTest((kind) => kind === KINDS.iri);

const str = define(([operand], tools) => {
  const { terms } = tools.context;
  const { sort, text: textOf, id: idOf, spelling } = operand!;
  if (sort === "text")
    return textCode(tools, (row) => {
      const text = textOf(row);
      return text && (text.language === "" ? text : plain(text.value));
    });
  const code = textCode(tools, (row) => {
    const id = idOf(row);
    return id >= ERROR || terms.kind(id) === KINDS.blank ? null : plain(terms.get(id).value);
  });
  return spelling ? { ...code, spelling: { ...spelling, isAny: true } } : code;
}, 1);

const lang = define(
  ([operand], tools) =>
    textCode(tools, (row) => {
      const id = operand!.id(row);
      if (id >= ERROR || tools.context.terms.kind(id) <= KINDS.blank) return null;
      return plain((tools.context.terms.get(id) as Literal).language);
    }),
  1,
);

const datatype = define(([operand], tools) => {
  const { terms } = tools.context;
  return termCode(tools, (row) => {
    const id = operand!.id(row);
    return id >= ERROR || terms.kind(id) <= KINDS.blank
      ? ERROR
      : terms.intern((terms.get(id) as Literal).datatype);
  });
}, 1);

/** https://www.w3.org/TR/sparql11-query/#func-iri */
const iri = define(([operand], tools) => {
  const { terms, baseIri } = tools.context;
  const resolve = createResolver(baseIri);
  const made = (text: Text | null): Id => {
    if (text === null || text.language !== "") return ERROR;
    if (text.value.length > IRI_LENGTH_MAX || NOT_IN_IRI.test(text.value)) return ERROR;
    const found = resolve(text.value);
    return found === null || !isAbsolute(found) ? ERROR : terms.intern(namedNode(found));
  };
  const { sort, text: textOf, id: idOf } = operand!;
  if (sort === "text") return termCode(tools, (row) => made(textOf(row)));
  return termCode(tools, (row) => {
    const id = idOf(row);
    return id < ERROR && terms.kind(id) === KINDS.iri ? id : made(textOf(row));
  });
}, 1);

/** Labels that no pod's own blank node has. */
let freshBlanks = 0;

/** https://www.w3.org/TR/sparql11-query/#func-bnode: the same label is the same node within one solution. */
function bnode([operand]: readonly Code[], tools: Tools): Code {
  const { context, labels } = tools;
  const { terms } = context;
  const fresh = (): Id => terms.intern(blankNode(`fresh-${freshBlanks++}`));
  if (!operand) return termCode(tools, fresh);
  return termCode(tools, (row) => {
    const text = operand.text(row);
    if (text === null || text.language !== "") return ERROR;
    const current = context.solution();
    if (labels.solution !== current) {
      labels.solution = current;
      labels.nodes.clear();
    }
    let id = labels.nodes.get(text.value);
    if (id === undefined) labels.nodes.set(text.value, (id = fresh()));
    return id;
  });
}

/** A string without a language, with a datatype. https://www.w3.org/TR/sparql11-query/#func-strdt */
const strdt = define(([text, type], tools) => {
  const { terms } = tools.context;
  return termCode(tools, (row) => {
    const found = text!.text(row);
    if (found === null || found.language !== "") return ERROR;
    const id = type!.id(row);
    if (id >= ERROR || terms.kind(id) !== KINDS.iri) return ERROR;
    const { value } = terms.get(id);
    return value === rdf.langString ? ERROR : terms.intern(literal(found.value, namedNode(value)));
  });
}, 2);

const strlang = define(
  ([text, tag], tools) =>
    textCode(tools, (row) => {
      const found = text!.text(row);
      const wanted = found && tag!.text(row);
      if (!found || !wanted || found.language !== "" || wanted.language !== "") return null;
      return LANGUAGE_TAG.test(wanted.value)
        ? { value: found.value, language: wanted.value.toLowerCase() }
        : null;
    }),
  2,
);

const sameTerm = define(
  ([left, right], tools) =>
    truthCode(tools, (row) => {
      const a = left!.id(row);
      if (a >= ERROR) return FAILED;
      const b = right!.id(row);
      return b >= ERROR ? FAILED : a === b ? TRUE : FALSE;
    }),
  2,
);

export const TERM_FUNCTIONS: readonly (readonly [name: string, found: Function])[] = [
  ["ISIRI", isIri],
  ["ISURI", isIri],
  ["ISBLANK", kindTest((kind) => kind === KINDS.blank)],
  ["ISLITERAL", kindTest((kind) => kind > KINDS.blank)],
  ["ISNUMERIC", kindTest(isNumericKind)],
  ["SAMETERM", sameTerm],
  ["STR", str],
  ["LANG", lang],
  ["DATATYPE", datatype],
  ["IRI", iri],
  ["URI", iri],
  ["BNODE", define(bnode, 0, 1)],
  ["STRDT", strdt],
  ["STRLANG", strlang],
];
