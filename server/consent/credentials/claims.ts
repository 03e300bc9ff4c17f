/**
 * Requests and grants as credentials of Inrupt's access grants: what their claims say, read and written. Nothing here
 * grants anything: the claims become the same requests and grants as on the LWS wire.
 * @see https://docs.inrupt.com/ess/latest/security/access-requests-grants/
 */
import { Problem } from "../../errors.ts";
import type { Action } from "../model.ts";
import { isIri } from "../shared.ts";

const SOLID_VC = "http://www.w3.org/ns/solid/vc#";
const GCONSENT = "https://w3id.org/GConsent#";
const ACL = "http://www.w3.org/ns/auth/acl#";

/** In this order, so that every term has its meaning; clients of this contract have all of them built in. */
const CREDENTIAL_CONTEXT = Object.freeze([
  "https://www.w3.org/2018/credentials/v1",
  "https://schema.inrupt.com/credentials/v2.jsonld",
  "https://w3id.org/security/data-integrity/v1",
]);

export type CredentialKind = "request" | "grant" | "denial";

const TYPES: Readonly<Record<CredentialKind, string>> = {
  request: "SolidAccessRequest",
  grant: "SolidAccessGrant",
  denial: "SolidAccessDenial",
};
const STATUSES: Readonly<Record<CredentialKind, string>> = {
  request: `${GCONSENT}ConsentStatusRequested`,
  grant: `${GCONSENT}ConsentStatusExplicitlyGiven`,
  denial: `${GCONSENT}ConsentStatusDenied`,
};

/** Access modes as the claims spell them, and the actions they are. */
const MODES: Readonly<Record<string, readonly Action[]>> = {
  Read: ["read"],
  Append: ["create"],
  Write: ["modify", "create", "delete"],
};

const LISTED_MAX = 64;
const CUSTOM_MAX = 32;
const CUSTOM_TEXT_MAX = 1_024;

/** What somebody adds to a request under a name of their own, which must be an address. */
export type CustomField = string | number | boolean;

export interface Claims {
  readonly kind: CredentialKind;
  readonly actions: readonly Action[];
  /** Addresses. */
  readonly resources: readonly string[];
  readonly purposes: readonly string[];
  /** Whether it is about all that is in a folder, too. */
  readonly inherit: boolean;
  /** Of a request: whose data; of others: to whom it is provided. */
  readonly counterpart: string | null;
  readonly inbox: string | null;
  /** Milliseconds since 1970; null: nobody said. */
  readonly expires: number | null;
  /** Address of the request that is answered. */
  readonly request: string | null;
  readonly custom: Readonly<Record<string, CustomField>>;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textsIn = (value: unknown): readonly string[] =>
  [value].flat().filter((one): one is string => typeof one === "string");

function invalid(at: string, detail: string): Problem {
  return new Problem("input-invalid", undefined, { errors: [{ at, detail }] });
}

const isAddress = (value: unknown): boolean => isIri(value);

function address(value: unknown, at: string): string {
  if (!isIri(value)) throw invalid(at, "an absolute address");
  return value;
}

function addresses(value: unknown, at: string): readonly string[] {
  if (value === undefined) return [];
  const listed = [value].flat();
  if (listed.length > LISTED_MAX) throw invalid(at, `at most ${LISTED_MAX}`);
  return [...new Set(listed.map((one, place) => address(one, `${at}/${place}`)))];
}

const optional = (value: unknown, at: string): string | null =>
  value === undefined || value === null ? null : address(value, at);

function momentOf(value: unknown, at: string): number | null {
  if (value === undefined || value === null) return null;
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw invalid(at, "a date and time");
  return time;
}

function actionsOf(value: unknown, at: string): readonly Action[] {
  const names = [value ?? []].flat();
  if (names.length === 0) throw invalid(at, "at least one of Read, Append, Write");
  const actions = names.flatMap((name) => {
    const known = typeof name === "string" ? MODES[name.replace(ACL, "").replace(/^acl:/, "")] : undefined;
    if (!known) throw invalid(at, "Read, Append or Write"); // Control is never given.
    return known;
  });
  return [...new Set(actions)];
}

function inheritOf(value: unknown, at: string): boolean {
  if (value === undefined || value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw invalid(at, "true or false");
}

const KNOWN = new Set(
  "mode hasStatus forPersonalData forPurpose inherit isConsentForDataSubject isProvidedTo isProvidedToPerson isProvidedToController request verifiedRequest".split(
    " ",
  ),
);

function customOf(consent: Json, at: string): Readonly<Record<string, CustomField>> {
  const custom: Record<string, CustomField> = {};
  const names = Object.keys(consent).filter((name) => !KNOWN.has(name));
  if (names.length > CUSTOM_MAX) throw invalid(at, `at most ${CUSTOM_MAX} fields of one's own`);
  for (const name of names) {
    const value = consent[name];
    if (value === undefined || value === null) continue;
    if (!isAddress(name)) throw invalid(at, `unknown: ${name.slice(0, 100)}`);
    const isPlain = typeof value === "number" || typeof value === "boolean";
    if (!isPlain && (typeof value !== "string" || value.length > CUSTOM_TEXT_MAX))
      throw invalid(
        `${at}/${name.slice(0, 100)}`,
        `a number, true or false, or a text of at most ${CUSTOM_TEXT_MAX}`,
      );
    custom[name] = value;
  }
  return custom;
}

function kindOf(type: unknown): CredentialKind {
  const types = textsIn(type).map((one) => one.replace(SOLID_VC, "").replace(/^vc:/, ""));
  const kinds = (Object.keys(TYPES) as CredentialKind[]).filter((kind) => types.includes(TYPES[kind]));
  if (kinds.length !== 1) throw invalid("/credential/type", `one of ${Object.values(TYPES).join(", ")}`);
  return kinds[0]!;
}

/**
 * What a body for the issuer says.
 * @throws Problem `input-invalid` with the place of what is wrong.
 */
export function readClaims(body: unknown): Claims {
  const credential = isObject(body) ? body["credential"] : undefined;
  if (!isObject(credential)) throw invalid("/credential", "a credential");
  const kind = kindOf(credential["type"]);
  const subject = credential["credentialSubject"];
  const member = kind === "request" ? "hasConsent" : "providedConsent";
  const at = `/credential/credentialSubject/${member}`;
  const consent = isObject(subject) ? subject[member] : undefined;
  if (!isObject(subject) || !isObject(consent)) throw invalid(at, "what consent is asked for or given");
  const resources = addresses(consent["forPersonalData"], `${at}/forPersonalData`);
  if (resources.length === 0) throw invalid(`${at}/forPersonalData`, "at least one resource");
  const counterpart =
    kind === "request"
      ? consent["isConsentForDataSubject"]
      : (consent["isProvidedTo"] ?? consent["isProvidedToPerson"] ?? consent["isProvidedToController"]);
  return {
    kind,
    actions: actionsOf(consent["mode"], `${at}/mode`),
    resources,
    purposes: addresses(consent["forPurpose"], `${at}/forPurpose`),
    inherit: inheritOf(consent["inherit"], `${at}/inherit`),
    counterpart: optional(counterpart, at),
    inbox: optional(subject["inbox"], "/credential/credentialSubject/inbox"),
    expires: momentOf(credential["expirationDate"], "/credential/expirationDate"),
    request: optional(consent["request"] ?? consent["verifiedRequest"], `${at}/request`),
    custom: customOf(consent, at),
  };
}

/** Names of modes for actions; what modes there are is told by the actions. */
function modeNames(actions: readonly Action[]): readonly string[] {
  const has = (action: Action): boolean => actions.includes(action);
  const isWrite = has("modify") || has("delete");
  return [
    ...(has("read") ? ["Read"] : []),
    ...(has("create") && !isWrite ? ["Append"] : []),
    ...(isWrite ? ["Write"] : []),
  ];
}

export interface CredentialFacts {
  readonly id: string;
  readonly issuer: string;
  /** WebID: of a request who asks, of others the owner. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly issued: number;
  readonly claims: Claims;
}

const seconds = (time: number): string => new Date(time).toISOString();

/** The credential, unsigned. Every member is one that the context knows, so that it means the same as RDF. */
export function credentialOf({ id, issuer, subject, issued, claims }: CredentialFacts): Json {
  const { kind, counterpart } = claims;
  const consent = {
    ...claims.custom,
    mode: modeNames(claims.actions),
    hasStatus: STATUSES[kind],
    forPersonalData: claims.resources,
    ...(claims.purposes.length > 0 && { forPurpose: claims.purposes }),
    inherit: claims.inherit,
    ...(counterpart !== null && {
      [kind === "request" ? "isConsentForDataSubject" : "isProvidedTo"]: counterpart,
    }),
    ...(claims.request !== null && { request: claims.request }),
  };
  return {
    "@context": CREDENTIAL_CONTEXT,
    id,
    type: ["VerifiableCredential", TYPES[kind]],
    issuer,
    issuanceDate: seconds(issued),
    ...(claims.expires !== null && { expirationDate: seconds(claims.expires) }),
    credentialSubject: {
      id: subject,
      ...(claims.inbox !== null && { inbox: claims.inbox }),
      [kind === "request" ? "hasConsent" : "providedConsent"]: consent,
    },
  };
}

/** What a search by example asks for: what is left out fits everything. */
export interface Example {
  readonly kinds: readonly CredentialKind[];
  readonly resources: readonly string[];
  readonly purposes: readonly string[];
  readonly to: string | null;
  readonly owner: string | null;
  readonly modes: readonly string[];
  readonly withExpired: boolean;
}

/** @throws Problem `input-invalid`. */
export function readExample(body: unknown): Example {
  const shape = isObject(body) ? body["verifiableCredential"] : undefined;
  if (!isObject(body) || !isObject(shape))
    throw invalid("/verifiableCredential", "an example of a credential");
  const types = textsIn(shape["type"]).map((one) => one.replace(SOLID_VC, "").replace(/^vc:/, ""));
  const named = (Object.keys(TYPES) as CredentialKind[]).filter((kind) => types.includes(TYPES[kind]));
  const subject = isObject(shape["credentialSubject"]) ? shape["credentialSubject"] : {};
  const isRequest = isObject(subject["hasConsent"]);
  const consent = [subject["providedConsent"], subject["hasConsent"]].find(isObject) ?? {};
  const status = consent["hasStatus"];
  const kinds = (
    named.length > 0 ? named : isRequest ? (["request"] as const) : (["grant", "denial"] as const)
  ).filter(
    (kind) =>
      status === undefined ||
      STATUSES[kind] === status ||
      STATUSES[kind].endsWith(`#${textsIn(status).join()}`),
  );
  const options = isObject(body["options"]) ? body["options"] : {};
  const at = "/verifiableCredential/credentialSubject";
  return {
    kinds,
    resources: addresses(consent["forPersonalData"], `${at}/forPersonalData`),
    purposes: addresses(consent["forPurpose"], `${at}/forPurpose`),
    to: optional(consent["isProvidedTo"], `${at}/isProvidedTo`),
    owner: optional(consent["isConsentForDataSubject"], `${at}/isConsentForDataSubject`),
    modes: textsIn(consent["mode"]).map((mode) => mode.replace(ACL, "")),
    withExpired: options["include"] === "ExpiredVerifiableCredential",
  };
}

/** Whether the claims are as an example wants them. */
export function fits(claims: Claims, subject: string, example: Example): boolean {
  const names = modeNames(claims.actions);
  const owner = claims.kind === "request" ? claims.counterpart : subject;
  const to = claims.kind === "request" ? subject : claims.counterpart;
  return (
    example.kinds.includes(claims.kind) &&
    example.resources.every((resource) => claims.resources.includes(resource)) &&
    example.purposes.every((purpose) => claims.purposes.includes(purpose)) &&
    example.modes.every((mode) => names.includes(mode)) &&
    (example.to === null || example.to === to) &&
    (example.owner === null || example.owner === owner)
  );
}
