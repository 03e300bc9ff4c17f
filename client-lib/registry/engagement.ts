/** The coalition's engagement policy: rules that machines can read, and the policy that a zone begins with. */
import { type Bytes, jcs, sha256, utf8 } from "../passport/bytes.ts";
import type { GovernanceDraft, Party, PolicyRecord, SanctionStep } from "./governance.ts";

/** One rule of the policy. */
export interface EngagementRule {
  /** `purpose-limitation` */
  readonly id: string;
  readonly says: string;
  readonly on: readonly Party[];
  /** The mildest step that a breach may begin with: `delist` for what can wait for no warning. */
  readonly begins: Exclude<SanctionStep, "reinstate">;
}

const rule = (
  id: string,
  on: EngagementRule["on"],
  begins: EngagementRule["begins"],
  says: string,
): EngagementRule => ({ id, says, on, begins });

/** Rules that every zone may begin with; a zone's own policy says which are in force there. */
export const ENGAGEMENT_RULES: readonly EngagementRule[] = [
  rule("purpose-limitation", ["vendor"], "warn", "Use data for the granted purposes only."),
  rule("registered-purposes", ["vendor"], "warn", "Ask for registered purposes only."),
  rule("data-minimisation", ["vendor"], "warn", "Ask for no more than the purpose needs."),
  rule("honest-requests", ["vendor"], "suspend", "Say truly who asks, what for, and what the person gets."),
  rule("no-retaliation", ["vendor"], "warn", "Who says no, or takes a yes back, is served no worse."),
  rule("erasure-answered", ["vendor"], "warn", "Erase when asked, and answer within a month."),
  rule("receipts-kept", ["vendor"], "warn", "Countersign receipts, and keep a ledger that agrees with them."),
  rule("no-resale", ["vendor"], "suspend", "Pass data to named recipients only."),
  rule(
    "breach-told",
    ["vendor", "registrar"],
    "suspend",
    "Tell those concerned of a breach within 72 hours.",
  ),
  rule("no-abuse", ["vendor", "registrar"], "delist", "Take no data by deceit or by breaking in."),
  rule("owner-signs", ["registrar"], "delist", "Act for nobody without their signature."),
  rule("no-lock-in", ["registrar"], "warn", "Hinder nobody who moves; send requests on for 24 months."),
  rule("sponsorship", ["registrar"], "suspend", "Sponsor people, not floods: no passport without a holder."),
  rule("host-security", ["registrar"], "warn", "Keep hosts patched, backed up and sealed at rest."),
];

/** SHA-256 of the rules above, as canonical JSON: what a vendor accepts where the rules are the terms. */
export const hashOfRules = (): Promise<Bytes> => sha256(utf8(jcs(ENGAGEMENT_RULES)));

/** @param terms What vendors accept. */
export const firstPolicy = (
  terms: PolicyRecord["terms"],
): Extract<GovernanceDraft, { readonly t: "policy" }> => ({
  t: "policy",
  version: 1,
  title: "Engagement policy of the data passport coalition",
  rules: ENGAGEMENT_RULES,
  remedyDays: 14,
  appealDays: 30,
  answerDays: 30,
  terms,
});
