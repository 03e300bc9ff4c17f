/** People, companies and wishes that the tests of decisions speak of. */
import type { DecideContext } from "../../../server/consent/deciding/decide.ts";
import { NO_PREFERENCES, type Preferences } from "../../../server/consent/deciding/preferences.ts";
import type { Policy, Terms } from "../../../server/consent/model.ts";

export const DAY = 86_400_000;
export const NOW = Date.parse("2026-11-22T10:00:00Z");
export const SHOP = "https://shop.example/#org";

export const dpv = (name: string): string => `https://w3id.org/dpv#${name}`;
export const pd = (name: string): string => `https://w3id.org/dpv/pd#${name}`;

export type Wish = Terms & { readonly policies: readonly Policy[] };

export function policy(part: Partial<Policy> = {}): Policy {
  return {
    actions: ["read"],
    target: { kind: "container", values: ["/ana/orders/"] },
    necessity: "required",
    clients: null,
    mediaTypes: null,
    types: null,
    purposes: [dpv("DeliveryOfGoods")],
    notBefore: null,
    notAfter: NOW + 30 * DAY,
    tier: "raw",
    mode: "view",
    categories: [pd("Purchase")],
    fields: null,
    dataFrom: null,
    dataTo: null,
    dataLife: null,
    frequency: null,
    queriesMax: null,
    ...part,
  };
}

export function wish(policies: readonly Policy[] = [policy()], terms: Partial<Terms> = {}): Wish {
  return {
    assignee: SHOP,
    controller: SHOP,
    legalBasis: dpv("Consent"),
    recipients: [],
    locations: ["https://w3id.org/dpv/loc#DE"],
    automation: null,
    decidesAboutPerson: false,
    notice: "https://shop.example/notice/42",
    benefit: { en: "Free pick-up of your old printer" },
    price: null,
    terms: null,
    inbox: null,
    policies,
    ...terms,
  };
}

/** Ana's folders, as she has named what lies in them. */
export const HOLDS: Preferences["holds"] = {
  "/ana/orders/": [pd("Purchase")],
  "/ana/contact/": [pd("Name"), pd("Contact")],
  "/ana/things/": [pd("PersonalPossession")],
  "/ana/taste/": [pd("Preference")],
  "/ana/use/": [pd("ServiceConsumptionBehaviour")],
  "/ana/health/": [pd("MedicalHealth")],
  "/ana/bank/": [pd("Transaction"), pd("BankAccount")],
};

export function preferences(part: Partial<Preferences> = {}): Preferences {
  return {
    ...NO_PREFERENCES,
    version: 7,
    everybody: { level: 1, switches: [], confirmed: NOW - 10 * DAY },
    holds: HOLDS,
    ...part,
  };
}

export function context(part: Partial<DecideContext> = {}): DecideContext {
  return {
    now: NOW,
    preferences: preferences(),
    vendor: { categories: [], isKnown: true, hasStored: true },
    refusals: [],
    userInitiated: false,
    askedAt: null,
    ownerIsMinor: false,
    ...part,
  };
}
