/** Pods whose rules are policies, for the matrices of this folder. */
import type { Agent } from "../../server/operation.ts";
import type { AcpContext, AcpWorld } from "./acp-oracle.ts";
import { ANA, APP, as, BASE, BEN, DORA, ISSUER, PREFIXES, SHOP, type World } from "./fixture.ts";

/** Who made what, where that is known. */
export const CREATORS: Readonly<Record<string, string>> = {
  "/ana/notes/2026/today.ttl": DORA,
  "/ana/photo.jpg": SHOP,
};

export const acpDocuments: World = {
  "/ana/": "",
  "/ana/notes/": "",
  "/ana/notes/2026/": "",
  "/ana/notes/2026/today.ttl": "<> a foaf:Document .",
  "/ana/photo.jpg": "",
};

export interface Written {
  readonly allow?: string;
  readonly deny?: string;
  /** Each the inside of a matcher. */
  readonly all?: readonly string[];
  readonly any?: readonly string[];
  readonly none?: readonly string[];
}

const list = (property: string, matchers: readonly string[] = []): string =>
  matchers.length === 0 ? "" : `; acp:${property} ${matchers.map((one) => `[ ${one} ]`).join(", ")} `;

export function policy({ allow, deny, all, any, none }: Written): string {
  const modes = `${allow ? `; acp:allow ${allow} ` : ""}${deny ? `; acp:deny ${deny} ` : ""}`;
  return `[ a acp:Policy ${modes}${list("allOf", all)}${list("anyOf", any)}${list("noneOf", none)}]`;
}

/** @param below What holds for the folder's members. */
export function acr(subject: string, own: readonly Written[], below: readonly Written[] = []): string {
  const control = (property: string, policies: readonly Written[]) =>
    policies.length === 0
      ? ""
      : `; acp:${property} [ a acp:AccessControl; acp:apply ${policies.map(policy).join(", ")} ] `;
  return `[] a acp:AccessControlResource; acp:resource <${BASE}${subject.slice(1)}> ${control("accessControl", own)}${control("memberAccessControl", below)}.`;
}

const RW = "acl:Read, acl:Write";
const OWNER: Written = { allow: "acl:Read, acl:Write, acl:Control", any: [`acp:agent <${ANA}>`] };
const everybody = (allow: string): Written => ({ allow, any: ["acp:agent acp:PublicAgent"] });
const dora = (allow: string): Written => ({ allow, any: [`acp:agent <${DORA}>`] });
const root = (...more: readonly Written[]) => ({
  "/ana/.acr": acr("/ana/", [OWNER, ...more], [OWNER, ...more]),
});

/** Each a state of the pod's access control resources. */
export const ACP_STATES: Readonly<Record<string, World>> = {
  "no rule at all": {},
  "the owner's at the root": root(),
  "the owner by name of owner": {
    "/ana/.acr": acr("/ana/", [], [{ allow: RW, any: ["acp:agent acp:OwnerAgent"] }]),
  },
  "the root is public": root(everybody("acl:Read")),
  "for the folder, not for what is in it": {
    ...root(),
    "/ana/notes/.acr": acr("/ana/notes/", [dora("acl:Read, acl:Append")]),
  },
  "for what is in the folder, not for the folder": {
    ...root(),
    "/ana/notes/.acr": acr("/ana/notes/", [], [dora(RW)]),
  },
  "three in a row, all of them hold": {
    ...root(everybody("acl:Read")),
    "/ana/notes/.acr": acr("/ana/notes/", [], [dora("acl:Append")]),
    "/ana/notes/2026/.acr": acr(
      "/ana/notes/2026/",
      [dora("acl:Control")],
      [{ allow: "acl:Write", any: [`acp:agent <${SHOP}>`] }],
    ),
    "/ana/notes/2026/today.ttl.acr": acr("/ana/notes/2026/today.ttl", [
      { allow: "acl:Control", any: ["acp:agent acp:AuthenticatedAgent"] },
    ]),
  },
  "deny overrules allow, from above": {
    ...root(everybody(RW), { deny: "acl:Write", any: [`acp:agent <${DORA}>`] }),
    "/ana/notes/.acr": acr("/ana/notes/", [dora(RW)], [dora(RW)]),
  },
  "deny overrules allow, from below": {
    ...root(everybody("acl:Read, acl:Append")),
    "/ana/notes/2026/today.ttl.acr": acr("/ana/notes/2026/today.ttl", [
      { deny: "acl:Read", any: ["acp:agent acp:PublicAgent"], none: [`acp:agent <${DORA}>, acp:OwnerAgent`] },
    ]),
  },
  "append is denied, write is not": root({ ...dora("acl:Write"), deny: "acl:Append" }),
  "all clients but one are denied": {
    ...root(
      { deny: RW, any: ["acp:client acp:PublicClient"], none: [`acp:client <${APP}>`] },
      { allow: "acl:Read", any: ["acp:client acp:PublicClient"] },
    ),
  },
  "all of, any of and none of": root({
    allow: "acl:Read, acl:Control",
    all: [`acp:client <${APP}>`, "acp:agent acp:AuthenticatedAgent"],
    any: [`acp:issuer <${ISSUER}>`, `acp:agent <${SHOP}>`],
    none: [`acp:agent <${BEN}>`],
  }),
  "several attributes of one matcher": root({
    allow: RW,
    any: [`acp:agent <${DORA}>, <${SHOP}>; acp:client <${APP}>; acp:issuer <${ISSUER}>, acp:PublicIssuer`],
  }),
  "authenticated clients and issuers": root(
    { allow: "acl:Read", any: ["acp:client acp:AuthenticatedClient"] },
    { allow: "acl:Append", all: ["acp:issuer acp:AuthenticatedIssuer; acp:agent acp:AuthenticatedAgent"] },
  ),
  "who made it": {
    "/ana/.acr": acr("/ana/", [OWNER], [OWNER, { allow: RW, any: ["acp:agent acp:CreatorAgent"] }]),
    "/ana/photo.jpg.acr": acr("/ana/photo.jpg", [{ deny: "acl:Write", all: ["acp:agent acp:CreatorAgent"] }]),
  },
  "credentials that nobody presents": root(
    { allow: RW, any: ["acp:vc <urn:x:Family>"] },
    { allow: "acl:Read", any: [`acp:agent <${DORA}>`], none: ["acp:vc <urn:x:Family>"] },
    { allow: "acl:Append", any: [`acp:agent <${SHOP}>; acp:vc <urn:x:Family>`] },
  ),
  "matchers and policies that say nothing": root(
    { allow: RW, any: ["a acp:Matcher"] },
    { allow: RW },
    { allow: RW, none: [`acp:agent <${DORA}>`] },
    { allow: "acl:Read", all: ["a acp:Matcher", `acp:agent <${DORA}>`] },
    { allow: "acl:Read", any: [`acp:agent <${SHOP}>`], none: ["a acp:Matcher"] },
  ),
  "modes nobody knows": root(
    { allow: "<urn:x#Sell>, acl:Access", any: ["acp:agent acp:PublicAgent"] },
    { allow: "acl:Read", deny: "<urn:x#Sell>", any: ["acp:agent acp:PublicAgent"] },
  ),
  "names in quotes": root({ allow: RW, any: [`acp:agent "${DORA}"`] }, dora("acl:Read")),
  "about another resource": {
    ...root(),
    "/ana/notes/2026/today.ttl.acr": acr("/ana/photo.jpg", [everybody("acl:Read")]),
  },
  "nothing is left to the owner": {
    "/ana/.acr": acr(
      "/ana/",
      [{ deny: "acl:Read, acl:Write, acl:Append, acl:Control", any: ["acp:agent acp:PublicAgent"] }],
      [{ deny: RW, any: ["acp:agent acp:PublicAgent"] }, everybody(RW)],
    ),
  },
};

export const ACP_AGENTS: Readonly<Record<string, Agent>> = {
  "the public": as(null),
  "a page of another site": as(null, { origin: "https://evil.example" }),
  "an app without a person": as(null, { client: APP, issuer: ISSUER }),
  "the owner": as(ANA),
  "the owner in the app": as(ANA, { client: APP, issuer: ISSUER }),
  "the owner in a strange app": as(ANA, { client: "https://strange.example/id", issuer: BASE }),
  dora: as(DORA),
  "dora with the app": as(DORA, { client: APP, issuer: "https://other.example/" }),
  "dora with the app and the issuer": as(DORA, { client: APP, issuer: ISSUER }),
  "dora with another app": as(DORA, { client: `${APP}2`, issuer: `${ISSUER}x` }),
  "the shop": as(SHOP),
  "the shop with the issuer": as(SHOP, { issuer: ISSUER }),
  "the shop with the app": as(SHOP, { client: APP, issuer: ISSUER }),
  "ben with the app and the issuer": as(BEN, { client: APP, issuer: ISSUER }),
};

export function acpWorld(world: World): AcpWorld {
  const rules = Object.entries(world).filter(([path]) => path.endsWith(".acr"));
  return {
    documents: Object.fromEntries(rules.map(([path, text]) => [`${BASE}${path.slice(1)}`, PREFIXES + text])),
    root: `${BASE}ana/`,
  };
}

export function contextOf({ webid, client, issuer }: Agent, url: string): AcpContext {
  const path = url.slice(BASE.length - 1).replace(/\.(acr|meta)$/, "");
  const creator = CREATORS[path];
  return {
    agent: webid,
    client,
    issuer,
    owners: [ANA],
    creators: creator === undefined ? [] : [creator],
    vcs: [],
  };
}
