/**
 * Documents that move to another address. What they say of the old pod's resources they shall say of the new one's, and
 * whatever does not change stays byte for byte what its author wrote.
 */
import type { Limits } from "../limits.ts";
import { mediaTypeOf } from "../rdf/media.ts";
import { parseRdf, prefixesOf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { blankNode, keyOfQuad, literal, namedNode, type Quad, quad } from "../rdf/terms.ts";

export interface Move {
  /** Root of the pod it comes from, ends in `/`. */
  readonly from: string;
  /** Root of the pod it goes to, ends in `/`. */
  readonly to: string;
  readonly formerOwner: string;
  readonly owner: string;
}

/** Where an IRI leads after the move; the same string for one that stays. */
function movedIri(iri: string, { from, to, formerOwner, owner }: Move): string {
  if (iri === formerOwner) return owner;
  return iri.startsWith(from) ? to + iri.slice(from.length) : iri;
}

type Node = Quad["subject"] | Quad["predicate"] | Quad["object"] | Quad["graph"];

/** The statements as they are after the move; each that does not change is the same object. */
function movedQuads(quads: readonly Quad[], move: Move): readonly Quad[] {
  const known = new Map<string, ReturnType<typeof namedNode>>();
  function moved<N extends Node>(node: N): N {
    if (node.termType === "Literal") {
      const { datatype } = node;
      const type = moved(datatype);
      return type === datatype ? node : (literal(node.value, type) as N);
    }
    if (node.termType !== "NamedNode") return node;
    const iri = movedIri(node.value, move);
    if (iri === node.value) return node;
    let fresh = known.get(iri);
    if (!fresh) {
      fresh = namedNode(iri);
      known.set(iri, fresh);
    }
    return fresh as N;
  }
  return quads.map((one) => {
    const { subject, predicate, object, graph } = one;
    const [s, p, o, g] = [moved(subject), moved(predicate), moved(object), moved(graph)];
    return s === subject && p === predicate && o === object && g === graph ? one : quad(s, p, o, g);
  });
}

export interface Rebased {
  readonly bytes: Uint8Array;
  /** As the document says now. */
  readonly quads: readonly Quad[];
  readonly isChanged: boolean;
}

/** The labels of blank nodes mean nothing: they are the same if they come in the same order. */
function spelling(): (one: Quad) => string {
  const labels = new Map<string, string>();
  const plain = <N extends Node>(node: N): N | ReturnType<typeof blankNode> => {
    if (node.termType !== "BlankNode") return node;
    let label = labels.get(node.value);
    if (label === undefined) {
      label = `b${labels.size}`;
      labels.set(node.value, label);
    }
    return blankNode(label);
  };
  return ({ subject, predicate, object, graph }) =>
    keyOfQuad(quad(plain(subject), predicate, plain(object), plain(graph)));
}

function isSame(some: readonly Quad[], others: readonly Quad[]): boolean {
  const [spell, spellOther] = [spelling(), spelling()];
  return (
    some.length === others.length &&
    some.every((one, index) => spell(one) === spellOther(others[index] ?? one))
  );
}

/**
 * @param urls The document's own address, before and after: what relative references are read against.
 * @throws Problem `rdf-invalid` for what is no valid document.
 */
export async function rebase(
  document: { readonly bytes: Uint8Array; readonly contentType: string },
  urls: { readonly before: string; readonly after: string },
  move: Move,
  limits: Limits,
): Promise<Rebased> {
  const { bytes, contentType } = document;
  const meant = movedQuads(await parseRdf(bytes, contentType, urls.before, limits), move);
  // Read at the new address, relative references have moved by themselves: then there is nothing to write.
  if (isSame(meant, await parseRdf(bytes, contentType, urls.after, limits)))
    return { bytes, quads: meant, isChanged: false };
  return { bytes: await write(meant, document, urls.after, move), quads: meant, isChanged: true };
}

/** In the document's own format and with its prefixes. */
export function write(
  quads: readonly Quad[],
  { bytes, contentType }: { readonly bytes: Uint8Array; readonly contentType: string },
  url: string,
  move: Move,
): Promise<Uint8Array> {
  const isTurtle = ["text/turtle", "application/trig"].includes(mediaTypeOf(contentType));
  const prefixes = Object.fromEntries(
    Object.entries(isTurtle ? prefixesOf(bytes) : {}).map(([prefix, iri]) => [prefix, movedIri(iri, move)]),
  );
  return serializeRdf(quads, contentType, { baseIri: url, prefixes });
}
