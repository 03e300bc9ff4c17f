/** What was changed of a document, as an N3 Patch; and a new document, as Turtle. https://solidproject.org/ED/protocol#n3-patch */
import { rdf, solid, xsd } from "@freehold/vocab";
import { FreeholdError } from "../errors.ts";
import { type Graph, keyOf, type Term, type Triple } from "./graph.ts";

const keyOfTriple = ({ subject, predicate, object }: Triple): string =>
  JSON.stringify([subject, predicate, object.kind, keyOf(object)]);

/** What only the first has. */
function without(triples: readonly Triple[], others: readonly Triple[]): readonly Triple[] {
  const known = new Set(others.map(keyOfTriple));
  return [...new Map(triples.map((triple) => [keyOfTriple(triple), triple])).values()].filter(
    (triple) => !known.has(keyOfTriple(triple)),
  );
}

// oxlint-disable-next-line no-control-regex -- these stand in no address: https://www.w3.org/TR/turtle/#grammar-production-IRIREF
const NO_ADDRESS = /[\u0000-\u0020<>"{}|\\^`]/;
const LANGUAGE = /^[a-z]+(?:-[a-z0-9]+)*$/i;

/** People paste what strangers sent them: more than one address must not become more than one statement. */
const unwritable = (detail: string): FreeholdError =>
  new FreeholdError("input-invalid", "This cannot be written", {
    detail,
    next: "Look whether an address has spaces or quotation marks in it.",
  });

function spellIri(address: string): string {
  if (NO_ADDRESS.test(address)) throw unwritable("It is no address");
  return `<${address}>`;
}

const spellNode = (node: string): string =>
  node.startsWith("_:")
    ? `?b${node.slice(2).replaceAll(/\W/g, (sign) => `_${sign.charCodeAt(0)}_`)}`
    : spellIri(node);

function spellTerm(term: Term): string {
  if (term.kind !== "literal") return spellNode(term.value);
  const text = JSON.stringify(term.value.toWellFormed()).replaceAll("\u007f", "\\u007F");
  if (term.language !== "") {
    if (!LANGUAGE.test(term.language)) throw unwritable("It is in no language");
    return `${text}@${term.language}`;
  }
  return term.datatype === xsd.string || term.datatype === rdf.langString
    ? text
    : `${text}^^${spellIri(term.datatype)}`;
}

const spell = (triples: readonly Triple[]): string =>
  triples
    .map(
      ({ subject, predicate, object }) =>
        `${spellNode(subject)} ${spellIri(predicate)} ${spellTerm(object)} .`,
    )
    .join("\n");

const nodesIn = (triples: readonly Triple[]): readonly string[] =>
  triples.flatMap(({ subject, object }) => [subject, ...(object.kind === "blank" ? [object.value] : [])]);

/** All that is said of nodes without an address, and by whom they are named: so that no other can be meant. */
function describing(graph: Graph, nodes: readonly string[]): readonly Triple[] {
  const wanted = new Set(nodes.filter((node) => node.startsWith("_:")));
  const found = new Map<string, Triple>();
  for (const node of wanted) {
    for (const [subject, properties] of graph.subjects)
      for (const [predicate, objects] of properties)
        for (const object of objects) {
          if (subject !== node && !(object.kind === "blank" && object.value === node)) continue;
          const triple = { subject, predicate, object };
          found.set(keyOfTriple(triple), triple);
          for (const other of nodesIn([triple])) if (other.startsWith("_:")) wanted.add(other); // A Set's loop sees what is added.
        }
  }
  return [...found.values()];
}

/** @returns null when nothing was changed. @throws FreeholdError `input-invalid` */
export function patchOf(graph: Graph, before: readonly Triple[], after: readonly Triple[]): string | null {
  const [deletes, inserts] = [without(before, after), without(after, before)];
  if (deletes.length === 0 && inserts.length === 0) return null;
  const conditions = describing(graph, nodesIn([...deletes, ...inserts]));
  const clauses = [
    ...(conditions.length > 0 ? [`<${solid.where}> {\n${spell(conditions)}\n}`] : []),
    ...(deletes.length > 0 ? [`<${solid.deletes}> {\n${spell(deletes)}\n}`] : []),
    ...(inserts.length > 0 ? [`<${solid.inserts}> {\n${spell(inserts)}\n}`] : []),
  ];
  return `_:patch a <${solid.InsertDeletePatch}> ;\n${clauses.join(" ;\n")} .\n`;
}

/** @param triples Without nodes that have no address. @throws FreeholdError `input-invalid` */
export const turtleOf = (triples: readonly Triple[]): string => `${spell(triples)}\n`;
