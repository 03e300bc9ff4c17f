/** The first documents of a pod: private but for the card by which others know its owner. */
import { acl, fh, foaf, ldp, rdf, solid, space, voidTerms } from "@freehold/vocab";
import { cardPath } from "../profile.ts";

/** A document to be written with its access list; containers have a path that ends in `/` and no bytes. */
export interface NewDocument {
  readonly path: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** Turtle. */
  readonly acl?: string;
  /** Turtle. */
  readonly meta?: string;
}

export interface NewPod {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly pod: string;
  readonly webid: string;
  /** What the person wants to be called. */
  readonly name: string;
  /** Passport identifier without `did:dcann:`; null where there is none. */
  readonly passport: string | null;
}

type Value = { readonly iri: string } | { readonly text: string };

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function spell(value: Value): string {
  if ("iri" in value) return `<${value.iri}>`;
  // oxlint-disable-next-line no-control-regex -- control characters are what this escapes
  return `"${value.text.replace(/["\\\u0000-\u001f\u007f]/g, (found) => ESCAPES[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
}

/** One subject with its properties, in Turtle without prefixes: nothing to get wrong. */
function about(
  subject: string,
  properties: readonly (readonly [property: string, ...values: Value[]])[],
): string {
  const lines = properties.map(
    ([property, ...values]) => `    <${property}> ${values.map(spell).join(", ")}`,
  );
  return `<${subject}>\n${lines.join(" ;\n")} .\n`;
}

const iri = (text: string): Value => ({ iri: text });

/** @see https://solidproject.org/TR/wac#authorization-rule */
function authorization(
  name: string,
  who: readonly [property: string, ...values: Value[]],
  url: string,
  modes: readonly string[],
  inherited: boolean,
): string {
  return about(`#${name}`, [
    [rdf.type, iri(acl.Authorization)],
    who,
    [acl.accessTo, iri(url)],
    ...(inherited ? ([[acl.default, iri(url)]] as const) : []),
    [acl.mode, ...modes.map(iri)],
  ]);
}

const ALL = [acl.Read, acl.Write, acl.Control];

/**
 * What is written into a new pod. A stranger sees the card (name, address, where to sign in and where the pod is)
 * and nothing else; everything hangs under the root's access list, which names the owner only.
 * @see https://solid.github.io/webid-profile/
 * @see https://solid.github.io/type-indexes/
 */
export function newPodDocuments({ baseUrl, pod, webid, name, passport }: NewPod): readonly NewDocument[] {
  const root = `${baseUrl}${pod}/`;
  const card = `${baseUrl.slice(0, -1)}${cardPath(pod)}`;
  const owner = (url: string, inherited: boolean): string =>
    authorization("owner", [acl.agent, iri(webid)], url, ALL, inherited);
  const turtle = (path: string, text: string, rules?: string): NewDocument => ({
    path: `/${pod}/${path}`,
    contentType: "text/turtle",
    bytes: new TextEncoder().encode(text),
    ...(rules === undefined ? {} : { acl: rules }),
  });
  const folder = (path: string, rules?: string): NewDocument => ({
    path: `/${pod}/${path}`,
    contentType: "text/turtle",
    bytes: new Uint8Array(),
    ...(rules === undefined ? {} : { acl: rules }),
  });
  const me = about(webid, [
    [rdf.type, iri(foaf.Person)],
    [foaf.name, { text: name }],
    [solid.oidcIssuer, iri(baseUrl)],
    [space.storage, iri(root)],
    [ldp.inbox, iri(`${root}inbox/`)],
    [space.preferencesFile, iri(`${root}settings/prefs.ttl`)],
    [solid.publicTypeIndex, iri(`${root}settings/publicTypeIndex.ttl`)],
    [voidTerms.sparqlEndpoint, iri(`${root}sparql`)],
    ...(passport === null ? [] : ([[fh.passport, iri(`did:dcann:${passport}`)]] as const)),
  ]);
  const document = about(card, [
    [rdf.type, iri(foaf.PersonalProfileDocument)],
    [foaf.maker, iri(webid)],
    [foaf.primaryTopic, iri(webid)],
  ]);
  const typeIndex = (kind: string): string => about("", [[rdf.type, iri(solid.TypeIndex), iri(kind)]]);
  const preferences = about(webid, [[solid.privateTypeIndex, iri(`${root}settings/privateTypeIndex.ttl`)]]);
  const everyone = authorization("public", [acl.agentClass, iri(foaf.Agent)], card, [acl.Read], false);
  return [
    folder("", owner(root, true)),
    folder("profile/"),
    turtle("profile/card", `${document}\n${me}`, `${owner(card, false)}\n${everyone}`),
    folder("settings/"),
    turtle("settings/prefs.ttl", `${about("", [[rdf.type, iri(space.ConfigurationFile)]])}\n${preferences}`),
    turtle("settings/publicTypeIndex.ttl", typeIndex(solid.ListedDocument)),
    turtle("settings/privateTypeIndex.ttl", typeIndex(solid.UnlistedDocument)),
    folder("inbox/"), // Nobody but the owner may post until the owner opens it.
  ];
}
