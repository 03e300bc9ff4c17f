/** The first documents of a pod: private but for the card by which others know its owner. */
import { acl, acp, fh, foaf, ldp, rdf, solid, space, voidTerms } from "@freehold/vocab";
import { acrOf, type LanguageName } from "../access/language.ts";
import { cardPath, inboxPath, publicIndexPath } from "../profile.ts";

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
  /** Of the rules; Web Access Control unless another is named. */
  readonly access?: LanguageName;
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

interface Grant {
  readonly name: string;
  readonly to: "owner" | "everybody" | "signed-in";
  readonly modes: readonly string[];
  /** Whether it holds for what is in the folder, too. */
  readonly inherited: boolean;
}

/** @see https://solidproject.org/TR/wac#authorization-rule */
function authorization({ name, to, modes, inherited }: Grant, webid: string, url: string): string {
  const who = {
    owner: [acl.agent, iri(webid)],
    everybody: [acl.agentClass, iri(foaf.Agent)],
    "signed-in": [acl.agentClass, iri(acl.AuthenticatedAgent)],
  } as const;
  return about(`#${name}`, [
    [rdf.type, iri(acl.Authorization)],
    who[to],
    [acl.accessTo, iri(url)],
    ...(inherited ? ([[acl.default, iri(url)]] as const) : []),
    [acl.mode, ...modes.map(iri)],
  ]);
}

/** The same in either language. */
function rulesOf(language: LanguageName, webid: string, url: string, grants: readonly Grant[]): string {
  if (language === "wac") return grants.map((grant) => authorization(grant, webid, url)).join("\n");
  const agents = { owner: webid, everybody: acp.PublicAgent, "signed-in": acp.AuthenticatedAgent };
  return acrOf(
    url,
    grants.map(({ name, to, modes, inherited }) => ({
      name,
      allow: modes.map((mode) => `<${mode}>`).join(", "),
      matcher: `<${acp.agent}> <${agents[to]}>`,
      inherited,
    })),
  );
}

const ALL = [acl.Read, acl.Write, acl.Control];

/**
 * What is written into a new pod: rules that mean the same in either language. A stranger sees the card (name, address, where to sign in and where the pod is) and
 * the public type index, which is empty, and nothing else; everything hangs under the root's access list, which names the owner only.
 * @see https://solid.github.io/webid-profile/
 * @see https://solid.github.io/type-indexes/
 */
export function newPodDocuments({
  baseUrl,
  pod,
  webid,
  name,
  passport,
  access = "wac",
}: NewPod): readonly NewDocument[] {
  const root = `${baseUrl}${pod}/`;
  const card = `${baseUrl.slice(0, -1)}${cardPath(pod)}`;
  const rules = (url: string, ...grants: readonly Grant[]): string => rulesOf(access, webid, url, grants);
  const owner = (inherited: boolean): Grant => ({ name: "owner", to: "owner", modes: ALL, inherited });
  const everyone: Grant = { name: "public", to: "everybody", modes: [acl.Read], inherited: false };
  const senders: Grant = { name: "senders", to: "signed-in", modes: [acl.Append], inherited: false };
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
    [rdf.type, iri(foaf.Person), iri(foaf.Agent)],
    [foaf.name, { text: name }],
    [solid.oidcIssuer, iri(baseUrl)],
    [space.storage, iri(root)],
    [ldp.inbox, iri(`${baseUrl.slice(0, -1)}${inboxPath(pod)}`)],
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
  const index = `${baseUrl.slice(0, -1)}${publicIndexPath(pod)}`;
  const inbox = `${baseUrl.slice(0, -1)}${inboxPath(pod)}`;
  return [
    folder("", rules(root, owner(true))),
    folder("profile/"),
    turtle("profile/card", `${document}\n${me}`, rules(card, owner(false), everyone)),
    folder("settings/"),
    turtle("settings/prefs.ttl", `${about("", [[rdf.type, iri(space.ConfigurationFile)]])}\n${preferences}`),
    turtle(
      "settings/publicTypeIndex.ttl",
      typeIndex(solid.ListedDocument),
      rules(index, owner(false), everyone),
    ),
    turtle("settings/privateTypeIndex.ttl", typeIndex(solid.UnlistedDocument)),
    // Whoever has logged in may leave a notice, and see nothing: not the list, not even their own.
    {
      ...folder("inbox/", rules(inbox, owner(true), senders)),
      meta: about(inbox, [[ldp.constrainedBy, iri(fh.Inbox)]]),
    },
  ];
}
