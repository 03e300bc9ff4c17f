/**
 * What a zone says of registrars and vendors: one chain of signed records, each of which is also a leaf of the zone's log.
 * Whoever follows it can leave none out and be shown none that is older: a record names its number and the hash of the one
 * before. Nothing here is about people.
 */
import { type Bytes, decodeBase64url, encodeBase64url, jcs, sha256, tagged } from "../passport/bytes.ts";
import { isObject } from "../passport/form.ts";
import { JsonError, parseStrictJson } from "../passport/json.ts";
import { type PublicKey, type Signer, verifySignature } from "../passport/key.ts";
import { PassportError } from "../passport/verify.ts";
import type { EngagementRule } from "./engagement.ts";
import { type GovernanceOptions, type GovernanceRule, governanceRules } from "./governance-rules.ts";

/** Whom the rules are about. */
export type Party = "registrar" | "vendor";

/** Where somebody stands: a warning changes nothing but that it is there for all to see. */
export type PartyStatus = "active" | "suspended" | "delisted";

interface Numbered {
  readonly v: 1;
  readonly zone: string;
  /** 1, 2, 3, … in one zone. */
  readonly n: number;
  /** Hash of record `n - 1`; null in the first. */
  readonly prev: string | null;
  /** UTC to the second; never before that of the record before. */
  readonly at: string;
}

/** The coalition's rules, and what follows when somebody breaks them. */
export interface PolicyRecord extends Numbered {
  readonly t: "policy";
  /** 1, 2, 3, … */
  readonly version: number;
  readonly title: string;
  readonly rules: readonly EngagementRule[];
  /** Days that somebody who was warned has to put it right, before a suspension. */
  readonly remedyDays: number;
  /** Days in which an appeal may be made, and in which it is answered. */
  readonly appealDays: number;
  readonly answerDays: number;
  /** What vendors accept: a name, where the text is, and its SHA-256 (base64url). */
  readonly terms: readonly { readonly id: string; readonly url: string; readonly hash: string }[];
}

/** A host whose key is the delegate of passports: it may say that a pod is at one of these origins. */
export interface Host {
  readonly key: PublicKey;
  readonly origins: readonly string[];
}

/** Who may sponsor passports. */
export interface RegistrarRecord extends Numbered {
  readonly t: "registrar";
  /** As passports name it: `ch.alpenpod`. */
  readonly id: string;
  readonly name: string;
  /** Sponsors with one of these. */
  readonly keys: readonly PublicKey[];
  readonly hosts: readonly Host[];
  readonly createPerDay: number;
  /** Where people, and the zone, turn to: `mailto:` or https. */
  readonly contact: string;
  /** Address of what it was accredited by; null where the zone itself did. */
  readonly accreditation: string | null;
}

/** Who asks people for access, and whom the zone knows. */
export interface VendorRecord extends Numbered {
  readonly t: "vendor";
  readonly id: string;
  readonly organisation: {
    readonly name: string;
    /** ISO 3166 alpha-2, lower case. */
    readonly country: string;
    /** In which register, and under which number: what was looked up. */
    readonly register: string;
    readonly number: string;
  };
  /** By these it asks, signs and is granted. */
  readonly webids: readonly string[];
  /** Its applications, as tokens name them. */
  readonly clients: readonly string[];
  /** Addresses of DPV purposes. */
  readonly purposes: readonly string[];
  /** Where erasure is asked for: `mailto:` or https. */
  readonly erasure: string;
  /** Web page of the supervisory authority. */
  readonly authority: string;
  /** Which of the policy's terms it has accepted. */
  readonly terms: string;
}

export type SanctionStep = "warn" | "suspend" | "delist" | "reinstate";

export interface SanctionRecord extends Numbered {
  readonly t: "sanction";
  readonly of: { readonly party: Party; readonly id: string };
  readonly step: SanctionStep;
  /** A rule of the policy; null to reinstate. */
  readonly rule: string | null;
  readonly says: string;
}

export interface AppealRecord extends Numbered {
  readonly t: "appeal";
  /** Number of the sanction. */
  readonly of: number;
  readonly says: string;
}

export interface DecisionRecord extends Numbered {
  readonly t: "decision";
  /** Number of the appeal. */
  readonly of: number;
  readonly outcome: "upheld" | "overturned";
  readonly says: string;
}

export type GovernanceRecord =
  | PolicyRecord
  | RegistrarRecord
  | VendorRecord
  | SanctionRecord
  | AppealRecord
  | DecisionRecord;

/** What a record says, without its place in the chain. */
export type GovernanceDraft = GovernanceRecord extends infer R
  ? R extends GovernanceRecord
    ? Omit<R, "v" | "zone" | "n" | "prev" | "at">
    : never
  : never;

export interface SignedGovernance<T extends GovernanceRecord = GovernanceRecord> {
  readonly record: T;
  /** One of the zone's keys in the root's record. */
  readonly key: PublicKey;
  readonly s: string;
}

/** A sanction, and what came of it. */
export interface Sanctioned {
  readonly record: SanctionRecord;
  /** What the party's status was before. */
  readonly before: PartyStatus;
  /** False once it was overturned, or a reinstatement ended it. */
  readonly stands: boolean;
  readonly appeal: AppealRecord | null;
  readonly decision: DecisionRecord | null;
}

/** A party, and where it stands. */
export interface Listed<T extends RegistrarRecord | VendorRecord = RegistrarRecord | VendorRecord> {
  readonly record: T;
  readonly status: PartyStatus;
  /** Warnings that stand. */
  readonly warnings: number;
  /** When it was entered first, and when its status last changed. */
  readonly since: string;
  readonly changed: string;
}

/** All that a zone has said so far. Changed by {@link applyGovernance} alone. */
export interface Governance {
  readonly zone: string;
  n: number;
  hash: string | null;
  at: string | null;
  policy: PolicyRecord | null;
  readonly registrars: Map<string, Listed<RegistrarRecord>>;
  readonly vendors: Map<string, Listed<VendorRecord>>;
  /** By number. */
  readonly sanctions: Map<number, Sanctioned>;
  readonly appeals: Map<number, AppealRecord>;
}

export const createGovernance = (zone: string): Governance => ({
  zone,
  n: 0,
  hash: null,
  at: null,
  policy: null,
  registrars: new Map(),
  vendors: new Map(),
  sanctions: new Map(),
  appeals: new Map(),
});

/** The bytes that are signed and hashed. Leaves of the log hold the hash of the same bytes. */
export const bytesOfGovernance = (record: GovernanceRecord): Bytes => tagged("DCANN-gov-v1", jcs(record));

/** What `prev` of the next record names, base64url. */
export const hashOfGovernance = async (record: GovernanceRecord): Promise<string> =>
  encodeBase64url(await sha256(bytesOfGovernance(record)));

/** The record that says this next, unsigned. */
export const nextGovernance = (state: Governance, draft: GovernanceDraft, at: Date): GovernanceRecord => {
  const time = at.toISOString().replace(/\.\d+Z$/, "Z");
  // A clock that went back does not keep a zone from saying something.
  const later = state.at !== null && state.at > time ? state.at : time;
  return {
    v: 1,
    zone: state.zone,
    n: state.n + 1,
    prev: state.hash,
    at: later,
    ...draft,
  };
};

export async function signGovernance<T extends GovernanceRecord>(
  record: T,
  signer: Signer,
): Promise<SignedGovernance<T>> {
  return { record, key: signer.key, s: encodeBase64url(await signer.sign(bytesOfGovernance(record))) };
}

/** @throws PassportError `json`, `fields`. */
export function readGovernance(source: string | object, bytesMax = 65_536): SignedGovernance {
  try {
    const text = typeof source === "string" ? source : jcs(source);
    if (text.length > bytesMax)
      throw new PassportError("json", `The text has more than ${bytesMax} characters`);
    const value = parseStrictJson(text);
    const isSigned =
      isObject(value) &&
      Object.keys(value).sort().join() === "key,record,s" &&
      isObject(value["record"]) &&
      typeof value["key"] === "string" &&
      typeof value["s"] === "string";
    if (!isSigned) throw new PassportError("fields", "A signed record has record, key and s");
    return value as unknown as SignedGovernance;
  } catch (cause) {
    if (cause instanceof PassportError) throw cause;
    throw new PassportError("json", cause instanceof JsonError ? cause.message : "It is not JSON");
  }
}

/** @throws PassportError `zone-key`, `signature`. */
export async function verifyGovernance(
  { record, key, s }: SignedGovernance,
  keys: readonly PublicKey[],
): Promise<void> {
  if (!keys.includes(key)) throw new PassportError("zone-key", "It is not signed by a key of the zone");
  const signature = decodeBase64url(s, 64);
  if (!signature || !(await verifySignature(key, signature, bytesOfGovernance(record))))
    throw new PassportError("signature", "The signature is not valid");
}

/**
 * Takes the next record. What breaks a rule changes nothing.
 * @param zoneKeys Of the zone, as the root's record has them.
 * @throws PassportError with the rule that is broken; `number` and `prev` for what is older, replayed, or of another chain.
 */
export async function applyGovernance(
  state: Governance,
  signed: SignedGovernance,
  zoneKeys: readonly PublicKey[],
  options: GovernanceOptions = {},
): Promise<void> {
  const { record } = signed;
  const broken = await judgeGovernance(state, record, options);
  if (broken) throw new PassportError(broken.rule.id, broken.detail);
  await verifyGovernance(signed, zoneKeys);
  const hash = await hashOfGovernance(record);
  put(state, record);
  state.n = record.n;
  state.hash = hash;
  state.at = record.at;
}

/** @returns the first rule that a record would break, or null. */
export async function judgeGovernance(
  state: Governance,
  record: GovernanceRecord,
  options: GovernanceOptions = {},
): Promise<{ readonly rule: GovernanceRule; readonly detail: string } | null> {
  for (const rule of governanceRules) {
    if (rule.on !== "all" && !rule.on.includes(record.t)) continue;
    const detail = rule.check(record, state, options);
    if (detail !== null) return { rule, detail };
  }
  return null;
}

type AnyParty = Listed<RegistrarRecord> | Listed<VendorRecord>;

const partyOf = (state: Governance, { party, id }: SanctionRecord["of"]): AnyParty | undefined =>
  party === "registrar" ? state.registrars.get(id) : state.vendors.get(id);

function putParty(state: Governance, { party, id }: SanctionRecord["of"], listed: AnyParty): void {
  if (party === "registrar") state.registrars.set(id, listed as Listed<RegistrarRecord>);
  else state.vendors.set(id, listed as Listed<VendorRecord>);
}

/** Sanctions of a party that stand, the oldest first. */
const standing = (state: Governance, of: SanctionRecord["of"]): readonly Sanctioned[] =>
  [...state.sanctions.values()].filter(
    ({ stands, record }) => stands && record.of.party === of.party && record.of.id === of.id,
  );

const STATUS_OF: Readonly<Record<SanctionStep, PartyStatus>> = {
  warn: "active",
  suspend: "suspended",
  delist: "delisted",
  reinstate: "active",
};

/** What a party's status is by the sanctions that stand. */
function settle(state: Governance, of: SanctionRecord["of"], at: string): void {
  const listed = partyOf(state, of);
  if (!listed) return;
  const steps = standing(state, of).map(({ record }) => record.step);
  const step = (["delist", "suspend"] as const).find((one) => steps.includes(one)) ?? "warn";
  const status = STATUS_OF[step];
  const changed = status === listed.status ? listed.changed : at;
  const warnings = steps.filter((one) => one === "warn").length;
  putParty(state, of, { ...listed, status, warnings, changed });
}

function put(state: Governance, record: GovernanceRecord): void {
  if (record.t === "policy") state.policy = record;
  else if (record.t === "registrar" || record.t === "vendor") {
    const of = { party: record.t, id: record.id };
    const before = partyOf(state, of);
    const fresh = { status: "active", warnings: 0, since: record.at, changed: record.at } as const;
    putParty(state, of, { ...(before ?? fresh), record } as AnyParty);
  } else if (record.t === "sanction") {
    const before = partyOf(state, record.of)?.status ?? "active";
    if (record.step === "reinstate")
      for (const one of standing(state, record.of))
        state.sanctions.set(one.record.n, { ...one, stands: false });
    const stands = record.step !== "reinstate";
    state.sanctions.set(record.n, { record, before, stands, appeal: null, decision: null });
    settle(state, record.of, record.at);
  } else if (record.t === "appeal") {
    state.appeals.set(record.n, record);
    const about = state.sanctions.get(record.of);
    if (about) state.sanctions.set(record.of, { ...about, appeal: record });
  } else decide(state, record);
}

function decide(state: Governance, record: DecisionRecord): void {
  const appeal = state.appeals.get(record.of);
  const about = appeal && state.sanctions.get(appeal.of);
  if (!about) return;
  const stands = record.outcome === "upheld" && about.stands;
  state.sanctions.set(about.record.n, { ...about, decision: record, stands });
  settle(state, about.record.of, record.at);
}
