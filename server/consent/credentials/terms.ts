/** What a credential's claims are as policies of a grant, and the other way round. Pure. */

import type { Verdict } from "../deciding/decide.ts";
import type { AccessRequest, Action, Grant, Policy, Terms } from "../model.ts";
import { latestExpiry } from "../states.ts";
import type { Claims } from "./claims.ts";

const ANY_PURPOSE = "https://w3id.org/dpv#Purpose";
const CONSENT = "https://w3id.org/dpv#Consent";

const actionsOf = (policies: readonly Policy[]): readonly Action[] => [
  ...new Set(policies.flatMap(({ actions }) => actions)),
];

/**
 * Documents in one policy, folders in another.
 * @param paths Canonical, of the claims' resources. @param issued Milliseconds since 1970.
 */
export function policiesOf(claims: Claims, paths: readonly string[], issued: number): readonly Policy[] {
  const last = latestExpiry(issued);
  const notAfter = claims.expires ?? last;
  const plain = {
    actions: claims.actions,
    necessity: "required",
    clients: null,
    mediaTypes: null,
    types: null,
    purposes: claims.purposes.length > 0 ? claims.purposes : [ANY_PURPOSE],
    notBefore: null,
    notAfter: Math.min(notAfter, last), // Who names no end, or a later one, is told in the credential which it is.
    tier: "raw",
    mode: "store",
    categories: [],
    fields: null,
    dataFrom: null,
    dataTo: null,
    dataLife: null,
    frequency: null,
    queriesMax: null,
  } as const satisfies Omit<Policy, "target">;
  const folders = paths.filter((path) => path.endsWith("/"));
  const documents = paths.filter((path) => !path.endsWith("/"));
  return [
    ...(documents.length > 0 ? [{ ...plain, target: { kind: "resource" as const, values: documents } }] : []),
    ...(folders.length > 0 ? [{ ...plain, target: { kind: "container" as const, values: folders } }] : []),
  ];
}

/** Such a credential says nothing of all this: what it is for stands in its purposes alone. */
export const termsOf = (assignee: string, inbox: string | null): Terms => ({
  assignee,
  controller: assignee,
  legalBasis: CONSENT,
  recipients: [],
  locations: [],
  automation: null,
  decidesAboutPerson: false,
  notice: "",
  benefit: {},
  price: null,
  terms: null,
  inbox,
});

/**
 * What a grant of documents says as claims, wherever it was made; null for one that a credential cannot say: views, budgets.
 * @param origin Of this server; no slash at the end.
 */
export function claimsOf(grant: Grant, origin: string): Claims | null {
  const { policies, views } = grant;
  const isPlain = policies.every(({ clients, mediaTypes, types, queriesMax, frequency, notBefore }) =>
    [clients, mediaTypes, types, queriesMax, frequency, notBefore].every((one) => one === null),
  );
  if (!isPlain || views.some((view) => view !== null)) return null;
  return {
    kind: "grant",
    actions: actionsOf(policies),
    resources: policies.flatMap(({ target }) => target.values.map((path) => `${origin}${path}`)),
    purposes: [...new Set(policies.flatMap(({ purposes }) => purposes))].filter((one) => one !== ANY_PURPOSE),
    inherit: true,
    counterpart: grant.assignee,
    inbox: grant.inbox,
    expires: Math.min(...policies.map(({ notAfter }) => notAfter)),
    request: null,
    custom: {},
  };
}

const DOCUMENT = '{"credential":';

/** What is kept of such a request as it came. */
export const documentOf = (claims: Claims): string => `${DOCUMENT}${JSON.stringify(claims)}}`;

/** Whether a request came as a credential: then nobody signed it but this server. */
export const isCredential = ({ document }: Pick<AccessRequest, "document">): boolean =>
  document.startsWith(DOCUMENT);

export const claimsIn = ({ document }: Pick<AccessRequest, "document">): Claims =>
  (JSON.parse(document) as { readonly credential: Claims }).credential;

/** What standing preferences would give to a request that nobody signed is asked about instead. */
export function onlyAsking(verdict: Verdict, { policies }: Pick<AccessRequest, "policies">): Verdict {
  if (verdict.outcome !== "grant" && verdict.outcome !== "narrow") return verdict;
  return {
    outcome: "ask",
    policies,
    rules: ["unsigned"],
    explanation: "This was asked without a signature, so your standing preferences do not answer it.",
    undoUntil: null,
    heldUntil: null,
  };
}
