/**
 * The words of requests and grants that a vendor, a browser and a pod's server share. Times are milliseconds since 1970
 * unless they are text on the wire. https://w3c.github.io/lws-protocol/lws10-core/#access-requests-and-grants
 */

/** How fine the values are that a view gives, from the finest to the coarsest. */
export const TIERS = Object.freeze(["raw", "reduced", "aggregate", "tag"] as const);
export type Tier = (typeof TIERS)[number];

/** What the vendor may do with what it gets, from the least to the most. */
export const CONSENT_MODES = Object.freeze(["view", "query", "stream", "store"] as const);
export type ConsentMode = (typeof CONSENT_MODES)[number];

export const ACTIONS = Object.freeze(["read", "modify", "create", "delete"] as const);
export type Action = (typeof ACTIONS)[number];

/** What a policy is about. */
export interface PolicyTarget {
  /** A document; a folder with all below it; the whole storage; a view of the owner's; things of a shape, wherever they are. */
  readonly kind: "resource" | "container" | "storage" | "view" | "shape";
  /** On the wire addresses; in the server canonical paths, names of views, or addresses of shapes. */
  readonly values: readonly string[];
}

/** At most so many reads in so long. */
export interface Frequency {
  readonly count: number;
  /** Milliseconds. */
  readonly per: number;
}

/** One thing that is asked for or granted: all of its constraints hold together. */
export interface Policy {
  readonly actions: readonly Action[];
  readonly target: PolicyTarget;
  /** Whether the vendor can do its work without this one. */
  readonly necessity: "required" | "optional";
  /** Client applications, of which any will do; null: any at all. */
  readonly clients: readonly string[] | null;
  /** Media types, of which the resource must have one; null: any. */
  readonly mediaTypes: readonly string[] | null;
  /** Classes, of which the resource must have one; null: any. */
  readonly types: readonly string[] | null;
  /** Addresses of DPV purposes, of which any will do; never empty. */
  readonly purposes: readonly string[];
  readonly notBefore: number | null;
  readonly notAfter: number;
  readonly tier: Tier;
  readonly mode: ConsentMode;
  /** DPV categories of personal data. */
  readonly categories: readonly string[];
  /** Fields (addresses of properties) that are given; null: all that the target has. */
  readonly fields: readonly string[] | null;
  /** Only what happened between these; null: open. */
  readonly dataFrom: number | null;
  readonly dataTo: number | null;
  /** How long the vendor may keep it: an `xsd:duration`. */
  readonly dataLife: string | null;
  readonly frequency: Frequency | null;
  /** Reads in all; null: not counted. */
  readonly queriesMax: number | null;
}

/** What a vendor says of itself and of what it wants, beside its policies. */
export interface Terms {
  /** WebID of whoever asks and gets: `assignee`. */
  readonly assignee: string;
  /** Who is responsible, `dpv:hasDataController`; mostly the same. */
  readonly controller: string;
  readonly legalBasis: string;
  readonly recipients: readonly string[];
  readonly locations: readonly string[];
  /** `dpv:hasAutomationLevel`; null: nobody said. */
  readonly automation: string | null;
  /** Whether decisions with effect on the person are made by machine alone. */
  readonly decidesAboutPerson: boolean;
  /** Address of the privacy notice. */
  readonly notice: string;
  /** What the person gets, by language; at most 140 characters each. */
  readonly benefit: Readonly<Record<string, string>>;
  readonly price: { readonly amount: string; readonly currency: string } | null;
  /** Address of an IEEE 7012 agreement; null: none. */
  readonly terms: string | null;
  /** Where the vendor wants to be told. */
  readonly inbox: string | null;
}

/** What is wrong with a document, and where: a JSON pointer. */
export interface Flaw {
  readonly at: string;
  readonly detail: string;
}

/** An access request or grant as it was read: `null` where the document says nothing. */
export interface Draft {
  /** Root of the pod it is about. */
  readonly storage: string;
  /** Milliseconds since 1970. */
  readonly issued: number | null;
  readonly policies: readonly DraftPolicy[];
  readonly terms: Readonly<{ [name in keyof Terms]: Terms[name] | null }>;
  /** Given to the vendor by the person, who is there and waits. */
  readonly nonce: string | null;
  /** Members beside those that are known here; nothing is made of them. */
  readonly others: readonly string[];
}

/** A policy as it was read, before what it leaves open is filled in. */
export interface DraftPolicy extends Omit<Policy, "notAfter" | "tier" | "mode" | "necessity"> {
  readonly notAfter: number | null;
  readonly tier: Tier | null;
  readonly mode: ConsentMode | null;
  readonly necessity: "required" | "optional" | null;
}

export const LWS = "https://www.w3.org/ns/lws#";
export const ODRL = "http://www.w3.org/ns/odrl/2/";
export const SHACL = "http://www.w3.org/ns/shacl#";
export const FREEHOLD = "https://w3id.org/freehold/ns#";
export const LWS_CONTEXT = "https://www.w3.org/ns/lws/v1";
export const FREEHOLD_CONTEXT = "https://w3id.org/freehold/ns";
/** Documents of ours name both. */
export const CONTEXTS: readonly string[] = Object.freeze([LWS_CONTEXT, FREEHOLD_CONTEXT]);
export const ACCESS_PROFILE = `${LWS}AccessProfile`;
export const LWS_TYPE = "application/lws+json";
/** Relation of the place where access can be asked for. */
export const REQUEST_SERVICE = `${LWS}AccessRequestService`;
export const GRANT_SERVICE = `${LWS}AccessGrantService`;
