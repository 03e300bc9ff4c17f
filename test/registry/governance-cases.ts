/** A chain of governance with everybody in it, and for each rule what would break it. */

import { generateKeyPair, type KeyPair } from "../../client-lib/passport/key.ts";
import { firstPolicy } from "../../client-lib/registry/engagement.ts";
import {
  applyGovernance,
  createGovernance,
  type Governance,
  type GovernanceDraft,
  type GovernanceRecord,
  nextGovernance,
  type SignedGovernance,
  signGovernance,
} from "../../client-lib/registry/governance.ts";

export const HASH = "A".repeat(43);
export const TERMS = [{ id: "terms-2026", url: "https://registry.example/terms", hash: HASH }] as const;
export const DAY = 86_400_000;

export const registrarDraft = (
  key: string,
  more: Partial<Extract<GovernanceDraft, { t: "registrar" }>> = {},
): Extract<GovernanceDraft, { t: "registrar" }> => ({
  t: "registrar",
  id: "zz.alpenpod",
  name: "Alpenpod",
  keys: [key],
  hosts: [],
  createPerDay: 10,
  contact: "mailto:office@alpenpod.example",
  accreditation: null,
  ...more,
});

export const vendorDraft = (
  more: Partial<Extract<GovernanceDraft, { t: "vendor" }>> = {},
): Extract<GovernanceDraft, { t: "vendor" }> => ({
  t: "vendor",
  id: "shop",
  organisation: { name: "Shop AG", country: "ch", register: "Handelsregister", number: "CHE-123.456.789" },
  webids: ["https://shop.example/card#us"],
  clients: ["https://shop.example/app"],
  purposes: ["https://w3id.org/dpv#ServiceProvision"],
  erasure: "mailto:erase@shop.example",
  authority: "https://www.edoeb.admin.ch/",
  terms: "terms-2026",
  ...more,
});

export const sanction = (
  step: "warn" | "suspend" | "delist" | "reinstate",
  rule: string | null,
  of: { readonly party: "vendor" | "registrar"; readonly id: string } = { party: "vendor", id: "shop" },
): Extract<GovernanceDraft, { t: "sanction" }> => ({ t: "sanction", of, step, rule, says: "It was seen" });

/** A zone whose clock the test turns. */
export interface Chain {
  readonly state: Governance;
  readonly key: KeyPair;
  readonly records: SignedGovernance[];
  readonly clock: { time: number };
  sign(record: GovernanceRecord): Promise<SignedGovernance>;
  next(draft: GovernanceDraft): GovernanceRecord;
  say(draft: GovernanceDraft): Promise<SignedGovernance>;
}

export async function createChain(drafts: readonly GovernanceDraft[] = []): Promise<Chain> {
  const key = await generateKeyPair();
  const clock = { time: Date.UTC(2026, 10, 22, 12) };
  const state = createGovernance("zz");
  const records: SignedGovernance[] = [];
  const next = (draft: GovernanceDraft): GovernanceRecord =>
    nextGovernance(state, draft, new Date(clock.time));
  const sign = (record: GovernanceRecord): Promise<SignedGovernance> => signGovernance(record, key);
  const say = async (draft: GovernanceDraft): Promise<SignedGovernance> => {
    const signed = await sign(next(draft));
    await applyGovernance(state, signed, [key.key]);
    records.push(signed);
    return signed;
  };
  for (const draft of drafts) await say(draft);
  return { state, key, records, clock, sign, next, say };
}

/** With a policy, two registrars and two vendors. */
export async function peopledChain(): Promise<Chain> {
  const [one, other] = [await generateKeyPair(), await generateKeyPair()];
  return createChain([
    firstPolicy([...TERMS]),
    registrarDraft(one.key),
    registrarDraft(other.key, { id: "zz.other" }),
    vendorDraft(),
    vendorDraft({ id: "bank", webids: ["https://bank.example/#us"], clients: [] }),
  ]);
}
