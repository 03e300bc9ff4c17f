import {
  ancestors,
  isConsent,
  isNarrower,
  isPurpose,
  isSpecialCategory,
  labelOf,
  legalBases,
  mayBeSpecial,
  personalDataCategories,
  purposes,
  sureLabelOf,
} from "@freehold/vocab";
import { expect } from "chai";

const dpv = (name: string): string => `https://w3id.org/dpv#${name}`;
const pd = (name: string): string => `https://w3id.org/dpv/pd#${name}`;

describe("the Data Privacy Vocabulary", () => {
  it("has every purpose and every category of version 2.3", () => {
    expect(purposes()).to.have.length(121); // 123 classes, less Purpose and Sector themselves.
    expect(personalDataCategories()).to.have.length(231);
    expect(legalBases().length).to.be.greaterThan(30);
  });

  it("every purpose leads up to dpv:Purpose, every category to personal data, and none to itself", () => {
    for (const { iri } of purposes()) {
      expect(ancestors(iri).has(dpv("Purpose")), iri).to.equal(true);
      expect(ancestors(iri).has(iri), iri).to.equal(false);
    }
    for (const { iri } of personalDataCategories())
      expect(
        [dpv("PersonalData"), dpv("SensitivePersonalData")].some((top) => ancestors(iri).has(top)),
        iri,
      ).to.equal(true);
  });

  // biome-ignore format: a table
  const cases: readonly (readonly [string, string, boolean, string])[] = [
    [dpv("DeliveryOfGoods"), dpv("DeliveryOfGoods"), true, "the same"],
    [dpv("DeliveryOfGoods"), dpv("ServiceProvision"), true, "two steps down"],
    [dpv("ServiceProvision"), dpv("DeliveryOfGoods"), false, "broader is not narrower"],
    [dpv("CommunicationForCustomerCare"), dpv("CustomerCare"), true, "one parent"],
    [dpv("CommunicationForCustomerCare"), dpv("CommunicationManagement"), true, "the other parent"],
    [dpv("Marketing"), dpv("ServiceProvision"), false, "a neighbour"],
    [dpv("ServiceProvision"), dpv("Purpose"), true, "everything is a purpose"],
    ["https://shop.example/purposes#own", dpv("Purpose"), false, "what nobody knows is under nothing"],
    ["https://shop.example/purposes#own", "https://shop.example/purposes#own", true, "but is itself"],
    [dpv("deliveryofgoods"), dpv("ServiceProvision"), false, "names are exact"],
    [`${dpv("DeliveryOfGoods")} `, dpv("ServiceProvision"), false, "to the last character"],
    ["__proto__", "constructor", false, "no word of the language is a purpose"],
    [pd("EmailAddress"), pd("Contact"), true, "categories, too"],
    [pd("EmailAddress"), dpv("ServiceProvision"), false, "kinds do not mix"],
    [pd("PaymentCardNumber"), pd("Financial"), true, "by either of two ways"],
  ];
  for (const [purpose, granted, expected, why] of cases)
    it(`${why}: ${labelOf(purpose)} ${expected ? "is" : "is not"} within ${labelOf(granted)}`, () => {
      expect(isNarrower(purpose, granted)).to.equal(expected);
    });

  it("knows what article 9 of the GDPR protects, and what may hide it", () => {
    for (const name of [
      "Religion",
      "Genetic",
      "Fingerprint",
      "TradeUnionMembership",
      "SexualPreference",
      "Race",
    ])
      expect([name, isSpecialCategory(pd(name)), mayBeSpecial(pd(name))]).to.deep.equal([name, true, true]);
    for (const name of ["EmailAddress", "Age", "Purchase", "BankAccount", "Like"])
      expect([name, isSpecialCategory(pd(name)), mayBeSpecial(pd(name))]).to.deep.equal([name, false, false]);
    for (const name of ["External", "Identifying", "PublicLife", "Ethnicity"])
      expect([name, isSpecialCategory(pd(name)), mayBeSpecial(pd(name))]).to.deep.equal([name, false, true]);
    expect(mayBeSpecial("https://shop.example/categories#harmless"), "who knows?").to.equal(true);
    expect(mayBeSpecial(dpv("PersonalData"))).to.equal(true);
  });

  it("tells consent from other legal bases", () => {
    const gdpr = "https://w3id.org/dpv/legal/eu/gdpr#";
    for (const iri of [dpv("Consent"), `${gdpr}A6-1-a`, `${gdpr}A9-2-a`])
      expect(isConsent(iri), iri).to.equal(true);
    for (const iri of [dpv("LegitimateInterest"), `${gdpr}A6-1-f`, dpv("Contract"), "consent"])
      expect(isConsent(iri), iri).to.equal(false);
  });

  it("calls things by name", () => {
    expect(labelOf(dpv("RequestedServiceProvision"))).to.equal("Requested Service Provision");
    expect(labelOf(pd("DNACode"))).to.equal("DNA Code");
    expect(labelOf("https://shop.example/purposes#loyaltyCard")).to.equal("loyalty Card");
    expect(sureLabelOf(pd("DNACode"))).to.equal("DNA Code");
    expect(sureLabelOf("https://shop.example/#nothing-at-all")).to.equal(
      "https://shop.example/#nothing-at-all",
    );
    expect(isPurpose(dpv("Sector"))).to.equal(false);
  });
});
