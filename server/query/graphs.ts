/** RDF as the answer of CONSTRUCT and DESCRIBE, from triples of ids, as they come. */
import { rdf, xsd } from "@freehold/vocab";
import { namedNode } from "../rdf/terms.ts";
import { spellTerm } from "../rdf/turtle.ts";
import type { QueryTerms } from "./engine/contract.ts";
import { createFragments, type Spell } from "./fragments.ts";
import type { Id, Terms } from "./index/view.ts";
import type { Output } from "./output.ts";

export interface GraphWriter {
  /** @throws Problem `query-refused` beyond a limit. */
  triple(subject: Id, predicate: Id, object: Id, terms: QueryTerms): void;
  end(): void;
}

const toTurtle: Spell = (term, label) =>
  term.termType === "BlankNode" ? `_:${label(term)}` : spellTerm(term);

/** As an object; a subject is the part of it that names the node. https://www.w3.org/TR/json-ld11/#expanded-document-form */
const toJsonLd: Spell = (term, label) => {
  if (term.termType === "NamedNode") return `{"@id":${JSON.stringify(term.value)}}`;
  if (term.termType === "BlankNode") return `{"@id":"_:${label(term)}"}`;
  const kind = term.language
    ? `,"@language":${JSON.stringify(term.language)}`
    : term.datatype.value === xsd.string
      ? ""
      : `,"@type":${JSON.stringify(term.datatype.value)}`;
  return `{"@value":${JSON.stringify(term.value)}${kind}}`;
};

/** Triples of one subject that come after each other are written as one. */
export function createGraphWriter(contentType: string, pod: Terms, output: Output): GraphWriter {
  if (contentType === "application/ld+json") return createJsonLdWriter(pod, output);
  let fragment: ReturnType<typeof createFragments> | null = null;
  if (contentType === "application/n-triples")
    return {
      triple(subject, predicate, object, terms) {
        output.count("triples");
        fragment ??= createFragments(pod, terms, toTurtle);
        output.write(`${fragment(subject)} ${fragment(predicate)} ${fragment(object)} .\n`);
      },
      end() {},
    };
  let lastSubject: Id = -1;
  let lastPredicate: Id = -1;
  return {
    triple(subject, predicate, object, terms) {
      output.count("triples");
      fragment ??= createFragments(pod, terms, toTurtle);
      if (subject === lastSubject && predicate === lastPredicate) output.write(`, ${fragment(object)}`);
      else if (subject === lastSubject) output.write(` ;\n    ${fragment(predicate)} ${fragment(object)}`);
      else
        output.write(
          `${lastSubject < 0 ? "" : " .\n"}${fragment(subject)} ${fragment(predicate)} ${fragment(object)}`,
        );
      lastSubject = subject;
      lastPredicate = predicate;
    },
    end() {
      if (lastSubject >= 0) output.write(" .\n");
    },
  };
}

/** One node object after another; a node whose predicate comes back is written anew, for no name may stand twice in one. */
function createJsonLdWriter(pod: Terms, output: Output): GraphWriter {
  let fragment: ReturnType<typeof createFragments> | null = null;
  let typeId: Id = -1;
  const bare = (spelled: string): string => spelled.slice('{"@id":'.length, -1);
  let lastSubject: Id = -1;
  let lastName = "";
  let names = new Set<string>();
  output.write("[");
  return {
    triple(subject, predicate, object, terms) {
      output.count("triples");
      if (!fragment) {
        fragment = createFragments(pod, terms, toJsonLd);
        typeId = terms.intern(namedNode(rdf.type));
      }
      const value = fragment(object);
      const isType = predicate === typeId && value.startsWith('{"@id":');
      const name = isType ? '"@type"' : bare(fragment(predicate));
      const said = isType ? bare(value) : value;
      if (subject === lastSubject && name === lastName) return output.write(`,${said}`);
      if (subject === lastSubject && !names.has(name)) output.write(`],${name}:[${said}`);
      else {
        names = new Set();
        output.write(`${lastSubject < 0 ? "" : "]},"}${fragment(subject).slice(0, -1)},${name}:[${said}`);
      }
      names.add(name);
      lastSubject = subject;
      lastName = name;
    },
    end: () => output.write(lastSubject < 0 ? "]" : "]}]"),
  };
}
