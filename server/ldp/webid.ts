/**
 * The pod owner's WebID document and what it leads to: preferences, type indexes, inbox. The server makes them with the
 * pod and keeps them: they may be changed and moved, but no write leaves the profile without them or broken.
 * @see https://solid.github.io/webid-profile/
 * @see https://solid.github.io/type-indexes/
 */
import { ldp, rdf, rdfs, solid, space } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { parseTarget, type Target } from "../iri.ts";
import { violatesProtected } from "../profile.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import type { Entry, Snapshot } from "../store/store.ts";
import { CLAUSES, constrainedBy, refusal } from "./constraints.ts";
import { findStored, type Stored } from "./find.ts";

/** The document of the pod owner's own WebID. */
export function isProfile(pod: Pod, url: string): boolean {
  return pod.owner.startsWith(url) && (pod.owner[url.length] ?? "#") === "#";
}

/** What a document says of the WebID: addresses of other documents, by property. */
type Links = ReadonlyMap<string, readonly string[]>;

const LINKS: ReadonlySet<string> = new Set([
  space.preferencesFile,
  space.storage,
  ldp.inbox,
  solid.publicTypeIndex,
  solid.privateTypeIndex,
  rdfs.seeAlso,
  solid.oidcIssuer,
]);
const ONCE = [space.preferencesFile, ldp.inbox] as const;

function linksIn(quads: readonly Quad[], webid: string): Links {
  const links = new Map<string, string[]>();
  for (const { subject, predicate, object } of quads) {
    if (subject.value !== webid || !LINKS.has(predicate.value)) continue;
    links.set(predicate.value, [...(links.get(predicate.value) ?? []), object.value]);
  }
  return links;
}

const known = new WeakMap<Entry, Links>();

async function linksOf(stored: Stored | null, url: string, webid: string): Promise<Links> {
  if (!stored?.isRdf || !stored.bytes) return new Map();
  let links = known.get(stored.entry);
  if (!links) {
    links = linksIn(await parseRdf(stored.bytes, stored.contentType, url), webid);
    known.set(stored.entry, links);
  }
  return links;
}

/** The links of the document at an address of this pod; none where there is no such document. */
async function linksAt(snapshot: Snapshot, pod: Pod, origin: string, url: string): Promise<Links> {
  const document = url.split("#", 1)[0] ?? "";
  if (!document.startsWith(`${origin}/${pod.name}/`) || document.includes("?")) return new Map();
  let target: Target;
  try {
    target = parseTarget(document.slice(origin.length));
  } catch {
    return new Map(); // People write what they like; there is nothing at such an address.
  }
  return linksOf(await findStored(snapshot, target), document, pod.owner);
}

/**
 * Link headers of the profile: its inbox, and who may log its person in.
 * @see https://www.w3.org/TR/ldn/#discovery
 * @see https://solidproject.org/ED/oidc#oidc-issuer-discovery-link-headers
 */
export async function profileLinks(pod: Pod, url: string, stored: Stored): Promise<readonly string[]> {
  const links = await linksOf(stored, url, pod.owner);
  const anchor = pod.owner.slice(url.length);
  return [
    ...(links.get(ldp.inbox) ?? []).map((inbox) => `<${inbox}>; rel="${ldp.inbox}"`),
    ...(links.get(solid.oidcIssuer) ?? []).map(
      (issuer) => `<${issuer}>; rel="${solid.oidcIssuer}"; anchor="${anchor}"`,
    ),
  ];
}

/** @returns the property by which the owner's profile or preferences lead to an address; null when they do not. */
export async function leadsTo(
  snapshot: Snapshot,
  pod: Pod,
  origin: string,
  url: string,
): Promise<string | null> {
  const profile = await linksAt(snapshot, pod, origin, pod.owner);
  const [preferences] = profile.get(space.preferencesFile) ?? [];
  const further = preferences === undefined ? [] : [await linksAt(snapshot, pod, origin, preferences)];
  for (const links of [profile, ...further]) {
    for (const property of [
      space.preferencesFile,
      solid.publicTypeIndex,
      solid.privateTypeIndex,
      ldp.inbox,
    ]) {
      if (links.get(property)?.includes(url)) return property;
    }
  }
  return null;
}

/** Documents that must go on saying what others are found by. */
export type KeptKind = "profile" | "preferences";

/** @returns null for all other documents. */
export async function keptKind(
  snapshot: Snapshot,
  pod: Pod,
  origin: string,
  url: string,
): Promise<KeptKind | null> {
  if (isProfile(pod, url)) return "profile";
  const links = await linksAt(snapshot, pod, origin, pod.owner);
  return links.get(space.preferencesFile)?.includes(url) ? "preferences" : null;
}

const nameOf = (property: string): string => property.replace(/^.*[#/]/, "");

function faultsIn(
  before: readonly Quad[],
  after: readonly Quad[],
  webid: string,
  kept: readonly string[],
): string[] {
  const faults = after
    .filter(
      ({ subject, predicate, object }) =>
        subject.value === webid && LINKS.has(predicate.value) && object.termType !== "NamedNode",
    )
    .map(({ predicate }) => `${nameOf(predicate.value)} is no address`);
  const [had, has] = [linksIn(before, webid), linksIn(after, webid)];
  for (const property of ONCE)
    if (new Set(has.get(property)).size > 1) faults.push(`There is more than one ${nameOf(property)}`);
  for (const property of kept)
    if (had.has(property) && !has.has(property)) faults.push(`The ${nameOf(property)} is missing`);
  return faults;
}

function refuse(what: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new Problem("profile-invalid", what, {
    errors: faults.map((detail) => ({ detail })),
    headers: constrainedBy(CLAUSES.profile),
  });
}

/**
 * @throws Problem `protected-triple` (409) for what only the account pages may change, `profile-invalid` (422) for a
 * document that would not be what it is for.
 * @see https://solid.github.io/webid-profile/#server-update-protected-triples
 */
export function checkKept(pod: Pod, kind: KeptKind, before: readonly Quad[], after: readonly Quad[]): void {
  if (kind === "preferences") return checkPreferences(before, after, pod.owner);
  if (violatesProtected(before, after, pod.owner))
    throw refusal(
      "protected-triple",
      CLAUSES.protectedTriples,
      "The log-in service, the storage, the keys and the passport are changed on the account page only",
    );
  checkProfile(before, after, pod.owner);
}

/**
 * Is this still a WebID profile? Exactly one preferences document (unless there was none), a public type index, at most
 * one inbox, addresses where addresses belong, and a type.
 * @throws Problem `profile-invalid` (422).
 * @see https://solid.github.io/webid-profile/#server-unprocessable-content
 */
function checkProfile(before: readonly Quad[], after: readonly Quad[], webid: string): void {
  const isTyped = (quads: readonly Quad[]): boolean =>
    quads.some(({ subject, predicate }) => subject.value === webid && predicate.value === rdf.type);
  const faults = faultsIn(before, after, webid, [space.preferencesFile, solid.publicTypeIndex]);
  if (isTyped(before) && !isTyped(after)) faults.push("The type of the person is missing");
  refuse("This is no WebID profile any more", faults);
}

/** @throws Problem `profile-invalid` (422) for preferences that lead to no private type index any more. */
function checkPreferences(before: readonly Quad[], after: readonly Quad[], webid: string): void {
  refuse("These are no preferences any more", faultsIn(before, after, webid, [solid.privateTypeIndex]));
}
