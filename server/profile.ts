/** What of a person's public card only the account pages may change: whoever could change it could become its owner. */
import { cert, fh, solid, space } from "@freehold/vocab";

interface Term {
  readonly termType: string;
  readonly value: string;
}

/** Any quad of RDF/JS is one. */
export interface Statement {
  readonly subject: Term;
  readonly predicate: Term;
  readonly object: Term;
}

const SECURITY = "https://w3id.org/security#";

/** Properties of the WebID itself: who may speak for it, where its storage and its keys are, which passport it has. */
const PROTECTED_PROPERTIES: ReadonlySet<string> = new Set([
  solid.oidcIssuer,
  space.storage,
  solid.account,
  cert.key,
  fh.passport,
  `${SECURITY}verificationMethod`,
  `${SECURITY}authentication`,
  `${SECURITY}assertionMethod`,
  `${SECURITY}controller`,
  `${SECURITY}publicKey`,
]);

/** Protected whatever the subject: a storage names its owner, and a key is what is said of it, and not its name. */
const PROTECTED_ANYWHERE: ReadonlySet<string> = new Set([
  solid.owner,
  `${SECURITY}controller`,
  `${SECURITY}publicKeyMultibase`,
  `${SECURITY}publicKeyJwk`,
  `${SECURITY}revoked`,
  `${SECURITY}expiration`,
]);

const DEPTH_MAX = 4; // A key that is a blank node is described near by; deeper is not a key.

function spell(term: Term, document: readonly Statement[], depth: number): string {
  if (term.termType !== "BlankNode" || depth === 0) return `${term.termType} ${term.value}`;
  const about = document
    .filter(({ subject }) => subject.termType === "BlankNode" && subject.value === term.value)
    .map(({ predicate, object }) => `${predicate.value} ${spell(object, document, depth - 1)}`);
  return `[${about.sort().join("; ")}]`;
}

/** Whether a statement is one that only the account pages may change. */
export function isProtected({ subject, predicate }: Statement, webid: string): boolean {
  return (
    (subject.value === webid && PROTECTED_PROPERTIES.has(predicate.value)) ||
    PROTECTED_ANYWHERE.has(predicate.value)
  );
}

/**
 * The statements of a WebID document that its owner's apps cannot change, spelled so that they can be compared.
 * Blank nodes are spelled by what is said of them, for their labels mean nothing.
 */
function protectedStatements(document: readonly Statement[], webid: string): ReadonlySet<string> {
  const found = document.filter((statement) => isProtected(statement, webid));
  return new Set(
    found.map(
      ({ subject, predicate, object }) =>
        `${spell(subject, document, 0)} ${predicate.value} ${spell(object, document, DEPTH_MAX)}`,
    ),
  );
}

/**
 * Does this change of a WebID document touch what only the account pages may change?
 * Deleting the document is a change to no statements at all, and so is a violation too.
 */
export function violatesProtected(
  before: readonly Statement[],
  after: readonly Statement[],
  webid: string,
): boolean {
  const had = protectedStatements(before, webid);
  const has = protectedStatements(after, webid);
  return had.size !== has.size || [...had].some((statement) => !has.has(statement));
}

/** Path of the document that a pod's WebID is in, e.g. `/ana/profile/card`. */
export function cardPath(podName: string): string {
  return `/${podName}/profile/card`;
}

/** Path of the list of what the owner shows to everybody, e.g. `/ana/settings/publicTypeIndex.ttl`. */
export function publicIndexPath(podName: string): string {
  return `/${podName}/settings/publicTypeIndex.ttl`;
}

/** Path of the folder for notices, e.g. `/ana/inbox/`. */
export function inboxPath(podName: string): string {
  return `/${podName}/inbox/`;
}

/** What everybody may read of a new pod: what is open there says nothing of whom the owner has let in. */
export function isOpenAtFirst(podName: string, path: string): boolean {
  return path === cardPath(podName) || path === publicIndexPath(podName);
}

/** @param baseUrl Ends in `/`. */
export function webIdOfPod(baseUrl: string, podName: string): string {
  return `${baseUrl}${podName}/profile/card#me`;
}
