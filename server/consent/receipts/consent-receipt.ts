/**
 * What was consented to, as a receipt: a consent record of ISO/IEC TS 27560 in the words of DPV's profile for it, wrapped in
 * a receipt. It hangs on what of a grant never changes, so it is made whenever it is asked for, and is the same each time.
 * @see https://w3id.org/dpv/guides/consent-27560
 */
import type { Action, ConsentMode, DecidedBy, Grant, Policy } from "../model.ts";
import type { Json } from "../shared.ts";
import { isEnd, targetsOf } from "../states.ts";
import { PROOF_TERM } from "./proof-term.ts";

/** Written into each receipt, so that it says by itself what its words mean. */
const CONTEXT = Object.freeze({
  dpv: "https://w3id.org/dpv#",
  dct: "http://purl.org/dc/terms/",
  "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
  fh: "https://w3id.org/freehold/ns#",
  odrl: "http://www.w3.org/ns/odrl/2/",
  schema: "https://schema.org/",
  xsd: "http://www.w3.org/2001/XMLSchema#",
  ...Object.fromEntries(
    [
      "dct:conformsTo",
      "dct:publisher",
      "dct:replaces",
      "dpv:hasAutomationLevel",
      "dpv:hasDataController",
      "dpv:hasDataSubject",
      "dpv:hasJurisdiction",
      "dpv:hasLegalBasis",
      "dpv:hasLocation",
      "dpv:hasNecessity",
      "dpv:hasPersonalData",
      "dpv:hasProcessing",
      "dpv:hasPurpose",
      "dpv:hasRecipient",
      "dpv:isExercisedAt",
      "dpv:isIndicatedBy",
      "fh:consentMode",
      "fh:grant",
      "fh:terms",
      "fh:tier",
      "odrl:target",
      "schema:recipient",
      "schema:url",
    ].map((name) => [name, { "@id": name, "@type": "@id" }]),
  ),
  ...Object.fromEntries(
    ["dct:created", "dpv:isIndicatedAtTime"].map((name) => [name, { "@id": name, "@type": "xsd:dateTime" }]),
  ),
  proof: PROOF_TERM,
});

const PROFILE = "https://w3id.org/dpv/schema/dpv-27560";
const FH = "https://w3id.org/freehold/ns#";

const PROCESSING: Readonly<Record<Exclude<Action, "read">, string>> = {
  modify: "dpv:Modify",
  create: "dpv:Record",
  delete: "dpv:Erase",
};
const READING: Readonly<Record<ConsentMode, readonly string[]>> = {
  view: ["dpv:Access"],
  query: ["dpv:Access", "dpv:Query"],
  store: ["dpv:Access", "dpv:Store"],
  stream: ["dpv:Access", "dpv:Store"],
};

const METHOD: Readonly<Record<DecidedBy, string>> = {
  person: "Decided by the person on the request",
  policy: "Decided by the person's standing preferences",
  delegate: "Decided by somebody the person put in charge",
  emergency: "Decided by the rules for emergencies",
  legal: "Required by law",
};

/** Who is on both sides, and where. */
export interface ReceiptPlace {
  /** Root of the pod, ends in `/`. */
  readonly storage: string;
  /** When the vendor asked, in milliseconds since 1970; null where nobody did. */
  readonly requested: number | null;
}

/** Suffix of the receipt that says how a consent ended. */
const END = ".end";

export type ReceiptName =
  | { readonly kind: "given" | "ended"; readonly grant: string }
  | { readonly kind: "use"; readonly grant: string };

/** @returns of which grant the receipt of this name is, and which of its receipts; null for what is no name of one. */
export function receiptNamed(id: string): ReceiptName | null {
  const [, grant, rest] = /^([\w-]{22})(\.end|\.[1-9]\d{0,9})?$/.exec(id) ?? [];
  if (grant === undefined) return null;
  return { kind: rest === undefined ? "given" : rest === END ? "ended" : "use", grant };
}

/** Names of the receipts that there are of a grant, the oldest first. */
export function consentReceiptIds({ id, state }: Pick<Grant, "id" | "state">): readonly string[] {
  return isEnd(state) ? [id, id + END] : [id];
}

const moment = (time: number): string => new Date(time).toISOString();

const one = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? (list[0] as T) : list);

function processOf(policy: Policy, at: number, grant: Grant, { storage }: ReceiptPlace): Json {
  const { actions, mode, purposes, categories, necessity, notAfter, dataLife, tier } = policy;
  const until = { "@type": "dpv:UntilTimeDuration", "schema:value": moment(notAfter) };
  // Of a view only its own name: the vendor does not learn what it was made from.
  const { origin, pathname } = new URL(storage);
  const targets = targetsOf(pathname.slice(1, -1), grant, at).map((path) => origin + path);
  const processing = actions.flatMap((action) => (action === "read" ? READING[mode] : [PROCESSING[action]]));
  return {
    "@type": "dpv:Process",
    "dpv:hasPurpose": one(purposes),
    "dpv:hasPersonalData": categories.length > 0 ? one(categories) : "dpv:PersonalData",
    "dpv:hasProcessing": one([...new Set(processing)]),
    "dpv:hasNecessity": necessity === "required" ? "dpv:Required" : "dpv:Optional",
    "dpv:hasDataController": grant.controller,
    "dpv:hasRecipient": one([...new Set([grant.assignee, ...grant.recipients])]),
    "dpv:hasDuration": until,
    "dpv:hasStorageCondition": [
      { "@type": "dpv:StorageLocation", "dpv:hasLocation": one(grant.locations) },
      {
        "@type": "dpv:StorageDuration",
        "dpv:hasDuration":
          dataLife === null ? until : { "@type": "dpv:TemporalDuration", "schema:value": dataLife },
      },
    ],
    "fh:tier": FH + tier,
    "fh:consentMode": FH + mode,
    ...(targets.length > 0 && { "odrl:target": one(targets) }),
  };
}

const EXPLICIT = "dpv:ExplicitlyExpressedConsent";

/** What happened to the consent until it was given. */
function beginning(grant: Grant, { requested }: ReceiptPlace): readonly Json[] {
  const { assignee, assigner, issued, decidedBy, policies } = grant;
  const until = moment(Math.max(...policies.map(({ notAfter }) => notAfter)));
  const asked = requested !== null && {
    "@type": "dpv:ConsentRequested",
    "dpv:isIndicatedAtTime": moment(requested),
    "dpv:isIndicatedBy": assignee,
  };
  const given = {
    "@type": [
      grant.supersedes === null ? "dpv:ConsentGiven" : "dpv:RenewedConsentGiven",
      decidedBy === "person" ? EXPLICIT : "dpv:ExpressedConsent",
    ],
    "dpv:isIndicatedAtTime": moment(issued),
    "dpv:isIndicatedBy": assigner,
    "dpv:hasIndicationMethod": METHOD[decidedBy],
    "dpv:hasDuration": { "@type": "dpv:UntilTimeDuration", "schema:value": until },
  };
  return asked ? [asked, given] : [given];
}

/** How a consent ends, in the words of the grant's reason. */
const ENDING: Readonly<Record<string, string>> = {
  owner: "Withdrawn by the person",
  vendor: "Given back by the vendor",
  "vendor-at-rest": "Given back by the vendor",
  preference: "Withdrawn by the person's standing preferences",
  undone: "Withdrawn by the person before anything was read",
  superseded: "Replaced by a newer consent",
  expired: "Its time is over",
  spent: "All that it allowed has been used",
};

/** What the person took back is withdrawn; what somebody else ended is revoked. */
function ending({ state, changed, assigner, assignee, reason }: Grant): Json {
  const isReturned = reason === "vendor" || reason === "vendor-at-rest";
  const isOver = state === "Expired" || state === "Exhausted";
  const withdrawn = isReturned ? "dpv:ConsentRevoked" : "dpv:ConsentWithdrawn";
  const how = ENDING[reason ?? ""];
  return {
    "@type": isOver ? "dpv:ConsentExpired" : withdrawn,
    "dpv:isIndicatedAtTime": moment(changed),
    "dpv:isIndicatedBy": isReturned ? assignee : assigner,
    ...(how !== undefined && { "dpv:hasIndicationMethod": how }),
  };
}

/** The party as far as this server knows it: by what it proved to be. What it is called at law, its notice says. */
const controllerOf = ({ controller, notice }: Grant): Json => ({
  "@id": controller,
  "@type": "dpv:DataController",
  "dpv:hasName": new URL(controller).hostname,
  "dpv:hasIdentifier": controller,
  "schema:contactPoint": { "@type": "schema:ContactPoint", "schema:url": notice || controller },
});

/**
 * The receipt as JSON-LD, unsigned.
 * @param kind "ended" only for a grant whose state is an end.
 * @returns with a time in `dct:created`: that of the event it is about.
 */
export function consentReceipt(grant: Grant, kind: "given" | "ended", place: ReceiptPlace): Json {
  const { storage } = place;
  const grantUrl = `${storage}.consent/grants/${grant.id}`;
  const id = kind === "given" ? grant.id : grant.id + END;
  const begun = beginning(grant, place);
  const languages = Object.keys(grant.benefit);
  return {
    "@context": CONTEXT,
    "@id": `${storage}.consent/receipts/${id}`,
    "@type": "dpv:ConsentReceipt",
    "dct:identifier": id,
    "dct:conformsTo": `${PROFILE}#receipt-eu-gdpr`,
    "dct:created": moment(kind === "given" ? grant.issued : grant.changed),
    "dct:publisher": storage,
    "schema:recipient": grant.assignee,
    ...(kind === "ended" && { "dct:replaces": `${storage}.consent/receipts/${grant.id}` }),
    "dpv:hasRecordOfActivity": {
      "@id": `${grantUrl}#record`,
      "@type": "dpv:ConsentRecord",
      "dct:identifier": grant.id,
      "dct:conformsTo": `${PROFILE}#record-eu-gdpr`,
      "fh:grant": grantUrl,
      "dpv:hasDataSubject": grant.assigner,
      "dpv:hasDataController": grant.controller,
      "dpv:hasEntity": controllerOf(grant),
      "dpv:hasJurisdiction": one(grant.locations),
      "dpv:hasLegalBasis": grant.legalBasis,
      "dpv:hasNotice": {
        "@id": grant.notice || grantUrl, // What was given unasked says for itself what it is for.
        "@type": "dpv:ConsentNotice",
        "dct:language": languages.length > 0 ? one(languages) : "und",
      },
      ...(grant.automation !== null && { "dpv:hasAutomationLevel": grant.automation }),
      ...(grant.terms !== null && { "fh:terms": grant.terms }),
      "dpv:hasProcess": grant.policies.map((policy, at) => processOf(policy, at, grant, place)),
      "dpv:hasConsentControl": { "@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": grantUrl },
      "dpv:hasRight": {
        "@type": ["dpv:DataSubjectRight", "eu-gdpr:A7-3"],
        "dct:title": "Right to withdraw consent",
        "dpv:isExercisedAt": grantUrl,
      },
      "dpv:hasConsentStatus": kind === "given" ? begun : [...begun, ending(grant)],
    },
  };
}
