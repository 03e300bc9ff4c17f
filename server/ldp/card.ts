/** The owner's card, changed by the server itself: what apps must not say in it, the server's own doors do. */
import { fh, foaf } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import { cardPath } from "../profile.ts";
import { parseRdf, prefixesOf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { literal, namedNode, type Quad, quad } from "../rdf/terms.ts";
import { putDocument } from "./documents.ts";
import type { Edit } from "./edit.ts";
import { findStored } from "./find.ts";

/**
 * Writes the card anew, in its own format and with its own prefixes.
 * @param baseUrl Ends in `/`.
 * @returns its size in bytes; null where nothing changes.
 * @throws Problem `not-found` where the owner's WebID is elsewhere, or the card is gone.
 */
export async function changeCard(
  edit: Edit,
  baseUrl: string,
  change: (card: readonly Quad[]) => readonly Quad[],
): Promise<number | null> {
  const { pod, transaction } = edit;
  const path = cardPath(pod.name);
  const url = `${baseUrl}${path.slice(1)}`;
  const stored = await findStored(transaction, parseTarget(path));
  if (!stored?.isRdf || !stored.bytes || !pod.owner.startsWith(`${url}#`))
    throw new Problem("not-found", "The owner has no card in this pod");
  const { bytes: former, contentType } = stored;
  const before = await parseRdf(former, contentType, url);
  const after = change(before);
  const kept = new Set(before);
  if (after.length === before.length && after.every((one) => kept.has(one))) return null;
  const prefixes = contentType.startsWith("text/turtle") ? prefixesOf(former) : {};
  const bytes = await serializeRdf(after, contentType, { baseIri: url, prefixes });
  await putDocument(edit, path, { kind: "rdf", contentType, bytes });
  return bytes.length;
}

/** The card of somebody who is called so, and not as before. */
export function withName(card: readonly Quad[], webid: string, name: string): readonly Quad[] {
  const isOf = ({ subject, predicate }: Quad): boolean =>
    subject.value === webid && predicate.value === foaf.name;
  return [...card.filter((one) => !isOf(one)), quad(namedNode(webid), namedNode(foaf.name), literal(name))];
}

/** The card of somebody with this passport, and no other. @param did `did:dcann:…` */
export function withPassport(card: readonly Quad[], webid: string, did: string): readonly Quad[] {
  const isOf = ({ subject, predicate }: Quad): boolean =>
    subject.value === webid && predicate.value === fh.passport;
  const named = card.filter(isOf);
  if (named.length === 1 && named[0]?.object.value === did) return card;
  return [
    ...card.filter((one) => !isOf(one)),
    quad(namedNode(webid), namedNode(fh.passport), namedNode(did)),
  ];
}
