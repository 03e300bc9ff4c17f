/** Pods, rules and people that the matrices of this folder are made of. */
import { parentOf } from "../../server/iri.ts";
import type { Agent, Mode } from "../../server/operation.ts";
import { ANA, APP, as, BASE, BEN, DORA, ISSUER, PREFIXES, SHOP, type World } from "./fixture.ts";
import type { OracleWorld } from "./oracle.ts";

export const FRIENDS = `${BASE}ana/groups/friends.ttl#all`;
export const BENS_TEAM = `${BASE}ben/private/team.ttl#all`;
export const FOREIGN = "https://elsewhere.example/groups#all";
export const GOOD = "https://good.example";
export const EVIL = "https://evil.example";

export const documents: World = {
  "/ana/": "",
  "/ana/groups/": "",
  "/ana/groups/friends.ttl": `<#all> a vcard:Group; vcard:hasMember <${DORA}>, "${SHOP}" .`,
  "/ana/notes/": "",
  "/ana/notes/2026/": "",
  "/ana/notes/2026/today.ttl": "<> a foaf:Document .",
  "/ana/photo.jpg": "",
};
export const bens: World = {
  "/ben/private/team.ttl": `<#all> vcard:hasMember <${SHOP}> .`,
  "/ben/.acl": `[] a acl:Authorization; acl:agent <${BEN}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .`,
};

const OWNER = `[] a acl:Authorization; acl:agent <${ANA}>; acl:accessTo </ana/>; acl:default </ana/>; acl:mode acl:Read, acl:Write, acl:Control .`;
const NOTES = "acl:accessTo </ana/notes/>; acl:default </ana/notes/>";
const all = (url: string, what: string) =>
  `[] a acl:Authorization; acl:accessTo <${url}>; acl:default <${url}>; ${what} .`;

/** Each a state of the pod's access lists. */
export const STATES: Readonly<Record<string, World>> = {
  "no list at all": {},
  "the owner's at the root": { "/ana/.acl": OWNER },
  "the root is public": {
    "/ana/.acl": `${OWNER} ${all("/ana/", "acl:agentClass foaf:Agent; acl:mode acl:Read")}`,
  },
  "an empty list cuts off what is above": {
    "/ana/.acl": `${OWNER} ${all("/ana/", "acl:agentClass foaf:Agent; acl:mode acl:Read")}`,
    "/ana/notes/.acl": "",
  },
  "a list that is not Turtle": { "/ana/.acl": OWNER, "/ana/notes/.acl": "this is <not Turtle" },
  "for the folder, not for what is in it": {
    "/ana/.acl": OWNER,
    "/ana/notes/.acl": `[] a acl:Authorization; acl:agent <${DORA}>; acl:accessTo </ana/notes/>; acl:mode acl:Read, acl:Append .`,
  },
  "for what is in the folder, not for the folder": {
    "/ana/.acl": OWNER,
    "/ana/notes/.acl": `[] a acl:Authorization; acl:agent <${DORA}>; acl:default </ana/notes/>; acl:mode acl:Read, acl:Write .`,
  },
  "a document's own list": {
    "/ana/.acl": OWNER,
    "/ana/notes/2026/today.ttl.acl": `[] a acl:Authorization; acl:agentClass acl:AuthenticatedAgent; acl:accessTo <today.ttl>; acl:mode acl:Read . [] a acl:Authorization; acl:agent <${SHOP}>; acl:accessTo <today.ttl>; acl:mode acl:Append .`,
  },
  "a document's list about another document": {
    "/ana/.acl": OWNER,
    "/ana/notes/2026/today.ttl.acl": `[] a acl:Authorization; acl:agentClass foaf:Agent; acl:accessTo </ana/photo.jpg>; acl:mode acl:Read .`,
  },
  "control for others": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent <${DORA}>; acl:mode acl:Control`)}`,
  },
  "a list without the owner": {
    "/ana/.acl": all("/ana/", `acl:agent <${DORA}>; acl:mode acl:Read, acl:Write, acl:Control`),
  },
  "groups of three places": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agentGroup <${FRIENDS}>, <${FOREIGN}>, <${BASE}ana/.acl#x>, <urn:x>; acl:mode acl:Read`)} ${all("/ana/", `acl:agentGroup <${BENS_TEAM}>; acl:mode acl:Append`)}`,
  },
  "an agent from an origin": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent <${DORA}>; acl:origin <${GOOD}>; acl:mode acl:Read, acl:Write`)}`,
  },
  "an origin for everybody who is named": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent <${DORA}>, <${SHOP}>; acl:origin <https://third.example>; acl:mode acl:Read`)} ${all("/ana/", `acl:origin <${GOOD}/>; acl:mode acl:Read`)}`,
  },
  "an origin and nobody": {
    "/ana/.acl": all("/ana/", `acl:origin <${GOOD}>; acl:mode acl:Read, acl:Control`),
  },
  "a client condition": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent <${DORA}>; acl:mode acl:Read; acl:condition [ a acl:ClientCondition; acl:client <${APP}> ]`)}`,
  },
  "an issuer and a client": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agentClass acl:AuthenticatedAgent; acl:mode acl:Read; acl:condition [ a acl:Condition, acl:IssuerCondition; acl:issuer <${ISSUER}> ], [ a acl:ClientCondition; acl:clientClass foaf:Agent ]`)}`,
  },
  "conditions nobody knows": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agentClass foaf:Agent; acl:mode acl:Read; acl:condition [ a <urn:x#TimeCondition> ]`)} ${all("/ana/", `acl:agent <${DORA}>; acl:mode acl:Write; acl:condition <urn:elsewhere>`)} ${all("/ana/", `acl:agent <${SHOP}>; acl:mode acl:Append; acl:condition "text"`)}`,
  },
  "modes and classes nobody knows": {
    "/ana/.acl": `${OWNER} ${all("/ana/", "acl:agentClass foaf:Agent; acl:mode <urn:x#Sell>, acl:Access")} ${all("/ana/", "acl:agentClass <urn:x#Friends>; acl:mode acl:Read")}`,
  },
  "incomplete rules": {
    "/ana/.acl": `${OWNER} [] acl:agentClass foaf:Agent; acl:accessTo </ana/>; acl:default </ana/>; acl:mode acl:Read . ${all("/ana/", "acl:mode acl:Read")} ${all("/ana/", "acl:agentClass foaf:Agent")} [] a acl:Authorization; acl:agentClass foaf:Agent; acl:mode acl:Read .`,
  },
  "names in quotes": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent "${DORA}"; acl:mode acl:Read`)} [] a acl:Authorization; acl:agent <${DORA}>; acl:accessTo "${BASE}ana/"; acl:mode acl:Read .`,
  },
  "three lists in a row, no union": {
    "/ana/.acl": `${OWNER} ${all("/ana/", "acl:agentClass foaf:Agent; acl:mode acl:Read, acl:Write")}`,
    "/ana/notes/.acl": `[] a acl:Authorization; ${NOTES}; acl:agent <${DORA}>; acl:mode acl:Read .`,
    "/ana/notes/2026/.acl": all("/ana/notes/2026/", `acl:agent <${SHOP}>; acl:mode acl:Append`),
  },
};

export const AGENTS: Readonly<Record<string, Agent>> = {
  "the public": as(null),
  "a page of another site": as(null, { origin: EVIL }),
  "an app without a person": as(null, { client: APP, issuer: ISSUER }),
  "the owner": as(ANA),
  "the owner in a strange app": as(ANA, { origin: EVIL, client: "https://strange.example/id", issuer: BASE }),
  dora: as(DORA),
  "dora from the good origin": as(DORA, { origin: GOOD }),
  "dora from another origin": as(DORA, { origin: EVIL }),
  "dora on the server's own page": as(DORA, { origin: BASE.slice(0, -1) }),
  "dora from an origin of nothing": as(DORA, { origin: "null" }),
  "dora with the app": as(DORA, { client: APP, issuer: "https://other.example/" }),
  "dora with the app and the issuer": as(DORA, { client: APP, issuer: ISSUER }),
  "dora with another app": as(DORA, { client: `${APP}2`, issuer: `${ISSUER}x` }),
  "the shop": as(SHOP),
  "the shop from the good origin": as(SHOP, { origin: GOOD, issuer: ISSUER }),
  ben: as(BEN),
};

/** Each operation is a list of modes wanted somewhere; creating and deleting concern the folder too. */
export const OPERATIONS: Readonly<
  Record<string, (path: string) => readonly (readonly [path: string, mode: Mode])[]>
> = {
  read: (path) => [[path, "read"]],
  append: (path) => [[path, "append"]],
  write: (path) => [[path, "write"]],
  control: (path) => [[path, "control"]],
  create: (path) => [
    [parentOf(path) ?? path, "append"],
    [path, "write"],
  ],
  delete: (path) => [
    [parentOf(path) === "/" ? path : (parentOf(path) ?? path), "write"],
    [path, "write"],
  ],
};

export const PLACES = [
  "/ana/",
  "/ana/photo.jpg",
  "/ana/notes/",
  "/ana/notes/new.ttl",
  "/ana/notes/2026/",
  "/ana/notes/2026/today.ttl",
  "/ana/notes/2026/today.ttl.meta",
  "/ana/notes/2026/today.ttl.acl",
  "/ana/notes/.acl",
  "/ana/.acl",
  "/ana/.meta",
  "/ana/notes/not/there/yet/",
];

export function oracleWorld(...worlds: readonly World[]): OracleWorld {
  const entries = worlds.flatMap((world) => Object.entries(world));
  const texts = entries
    .filter(([path]) => !path.endsWith("/"))
    .map(([path, text]) => [`${BASE}${path.slice(1)}`, PREFIXES + text]);
  return {
    documents: Object.fromEntries(texts),
    root: `${BASE}ana/`,
    owner: ANA,
    ownOrigin: BASE.slice(0, -1),
  };
}
