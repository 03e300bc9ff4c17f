/** The words of a request: few enough to be read, whatever a company writes; and less is always less. */
import type { DraftPolicy, Preview } from "@freehold/client/consent";
import { purposes } from "@freehold/vocab";
import { expect } from "chai";
import fc from "fast-check";
import { sayRequest, WORDS_MAX, whatWords, wordsIn } from "../../server/ui/parts/asking.ts";
import { fieldWords, thingWords, valueWords } from "../../server/ui/parts/data-words.ts";
import { purposeWords } from "../../server/ui/parts/purpose-words.ts";
import { checkNumbers } from "../../server/ui/rooms/relationships/receipts.ts";
import { ALL, fieldKey, narrowed } from "../../server/ui/rooms/requests/narrowing.ts";

const POD = "https://pods.example/ana/";
const DPV = "https://w3id.org/dpv#";
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

const POLICY: DraftPolicy = {
  actions: ["read"],
  target: { kind: "container", values: [`${POD}contacts/`] },
  necessity: "required",
  clients: null,
  mediaTypes: null,
  types: null,
  purposes: [`${DPV}DeliveryOfGoods`],
  notBefore: null,
  notAfter: Date.UTC(2027, 0, 1),
  tier: "raw",
  mode: "store",
  categories: [],
  fields: null,
  dataFrom: null,
  dataTo: null,
  dataLife: "P90D",
  frequency: null,
  queriesMax: null,
};

const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => /\S/.test(text));
const sentence = fc.array(word, { maxLength: 70 }).map((words) => words.join(" ").slice(0, 140));
const address = fc
  .array(word, { minLength: 1, maxLength: 4 })
  .map((parts) => POD + parts.map(encodeURIComponent).join("/"));
const target = fc.oneof(
  fc.constant({ kind: "storage" as const, values: [POD] }),
  fc.record({
    kind: fc.constantFrom("resource" as const, "container" as const, "view" as const, "shape" as const),
    values: fc.array(address, { minLength: 1, maxLength: 5 }),
  }),
);
const policy = fc.record({
  target,
  actions: fc.subarray(["read", "modify", "create", "delete"] as const, { minLength: 1 }),
  purposes: fc.subarray(
    purposes().map(({ iri }) => iri),
    { minLength: 1, maxLength: 6 },
  ),
  tier: fc.constantFrom("raw" as const, "reduced" as const, "aggregate" as const, "tag" as const, null),
  mode: fc.constantFrom("view" as const, "query" as const, "stream" as const, "store" as const, null),
  notAfter: fc.option(fc.integer({ min: 1e12, max: 2e12 })),
  dataLife: fc.constantFrom(null, "P90D", "P1Y6M12D", "PT5H"),
  fields: fc.option(fc.array(address, { minLength: 1, maxLength: 6 })),
});
const terms = fc.record({
  legalBasis: fc.constantFrom(`${DPV}Consent`, `${DPV}LegitimateInterest`),
  recipients: fc.array(address, { maxLength: 9 }),
  decidesAboutPerson: fc.boolean(),
  benefit: fc.array(fc.record({ "@value": sentence, "@language": fc.constantFrom("en", "de") }), {
    maxLength: 2,
  }),
  price: fc.option(fc.record({ amount: fc.constant("4.50"), currency: fc.constant("EUR") })),
});

describe("the words of a request", () => {
  it(`are at most ${WORDS_MAX} with all headings, whatever is asked and however it is praised`, () => {
    fc.assert(
      fc.property(fc.array(policy, { minLength: 1, maxLength: 8 }), terms, sentence, (drafts, said, name) => {
        const policies = drafts.map((draft) => ({ ...POLICY, ...draft }));
        const { title, host, lines, warnings } = sayRequest(
          { name, host: "shop.example" },
          policies,
          said,
          POD,
        );
        const all = [title, host, "Not verified", ...lines.flat(), ...warnings].join(" ");
        expect(wordsIn(all), all).to.be.at.most(WORDS_MAX);
        expect(lines.map(([heading]) => heading)).to.deep.equal([
          "What",
          "Why",
          "How long",
          "They keep",
          "You get",
        ]);
        expect(lines.every(([, words]) => words.trim() !== "")).to.equal(true);
        expect(all).to.not.match(/undefined|null|NaN|\[object/);
      }),
      { numRuns: 500 },
    );
  });

  it("say each purpose that there is, and believe nobody's own", () => {
    const unsaid = purposes().filter(({ iri }) => /nobody knows/.test(purposeWords(iri)));
    expect(unsaid).to.deep.equal([]);
    expect(purposeWords(`${DPV}GiveYouMoney`)).to.equal("do something that nobody knows");
    expect(purposeWords("https://shop.example/#Help")).to.equal("do something that nobody knows");
    expect(purposeWords(`${DPV}constructor`)).to.equal("do something that nobody knows");
  });

  it("tell at once what is worse than usual", () => {
    const { warnings, lines } = sayRequest(
      { name: "Shop", host: "" },
      [{ ...POLICY, actions: ["read", "modify"] }],
      {
        decidesAboutPerson: true,
        recipients: ["https://a.example/", "https://b.example/"],
        legalBasis: `${DPV}Consent`,
      },
      POD,
    );
    expect(warnings).to.deep.equal(["A machine decides about you.", "They pass it on to 2."]);
    expect(Object.fromEntries(lines)).to.deep.equal({
      What: "Your folder “contacts”",
      Why: "To bring you what you bought",
      "How long": "Until 1 January 2027",
      "They keep": "A copy for 90 days",
      "You get": "Nothing",
    });
    const part = { ...POLICY, fields: ["https://x.example/#hasEmail", TYPE], tier: "reduced" as const };
    expect(whatWords([part], POD)).to.equal("Email in your folder “contacts”, less exact");
  });

  it("of data are those of daily life", () => {
    expect(fieldWords("https://w3id.org/freehold/ns#bookingDate")).to.equal("Booked on");
    expect(fieldWords("https://x.example/vocab#favouriteTeaSort")).to.equal("Favourite tea sort");
    expect(fieldWords("https://x.example/constructor")).to.equal("Constructor");
    expect(thingWords("https://schema.org/MoneyTransfer")).to.equal("Payment");
    expect(thingWords(null)).to.equal("Entry");
    expect(valueWords("1988-04-12")).to.equal("12 April 1988");
    expect(valueWords("04-12")).to.equal("04-12");
    expect(valueWords("2026-03")).to.equal("March 2026");
    expect(valueWords("debit")).to.equal("Out");
    expect(valueWords("MoneyTransfer")).to.equal("Payment");
  });
});

describe("less than was asked for", () => {
  const NOW = Date.UTC(2026, 10, 22);
  const preview: Preview = {
    isView: false,
    isCut: false,
    documents: 1,
    files: [],
    things: [],
    total: 1,
    fields: [
      { property: "urn:name", via: ["urn:name"] },
      { property: "urn:mail", via: ["urn:mail"] },
      { property: "urn:order", via: ["urn:order"] },
      { property: "urn:item", via: ["urn:order"] },
    ],
  };

  it("leaves out a detail with all that hangs on it, and keeps what kind of thing it is", () => {
    const [given] = narrowed(
      [POLICY],
      [preview],
      { ...ALL, hidden: new Set([fieldKey(0, "urn:order")]) },
      NOW,
    );
    expect(given?.fields).to.deep.equal(["urn:name", "urn:mail", TYPE]);
    const asked = { ...POLICY, fields: ["urn:name", "urn:order", "urn:item"] };
    const [less] = narrowed([asked], [preview], { ...ALL, hidden: new Set([fieldKey(0, "urn:order")]) }, NOW);
    expect(less?.fields, "never more than was asked for").to.deep.equal(["urn:name"]);
  });

  it("is never longer, finer or more than was asked for", () => {
    const choice = { ...ALL, days: 10_000, tier: "reduced" as const, isLookOnly: true };
    const [given] = narrowed([{ ...POLICY, tier: "tag" }], [preview], choice, NOW);
    expect([given?.until.getTime(), given?.tier, given?.mode]).to.deep.equal([
      POLICY.notAfter,
      "tag",
      "view",
    ]);
    const [week] = narrowed([POLICY], [preview], { ...ALL, days: 7 }, NOW);
    expect(week?.until.getTime()).to.equal(NOW + 7 * 86_400_000);
    expect(narrowed([POLICY], [preview], { ...ALL, without: new Set([0]) }, NOW)).to.deep.equal([]);
  });

  it("all of it is what was asked for", () => {
    const [given] = narrowed([POLICY], [preview], ALL, NOW);
    expect(given).to.deep.include({ fields: null, tier: "raw", mode: "store", dataLife: "P90D" });
  });
});

describe("the numbers of receipts", () => {
  const receipts = (...numbers: readonly number[]) =>
    numbers.map((number) => ({ "dct:identifier": `${"g".repeat(22)}.${number}` }));

  for (const [sentence, uses, numbers, missing] of [
    ["without a gap", 3, [1, 2, 3], 0],
    ["with one missing", 3, [1, 3], 1],
    ["with the last missing", 3, [1, 2], 1],
    ["of which the oldest are kept no longer", 5, [4, 5], 0],
    ["of nothing that was ever used", 0, [], 0],
  ] as const)
    it(sentence, () => {
      expect(checkNumbers(uses, receipts(...numbers)).missing).to.equal(missing);
    });
});
