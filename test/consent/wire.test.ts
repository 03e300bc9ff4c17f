/** The words of requests and grants: what is written is read back as it was, and what could mean two things is read by nobody. */
import { expect } from "chai";
import fc from "fast-check";
import {
  ACTIONS,
  CONSENT_MODES,
  type Draft,
  isDuration,
  type Json,
  type Policy,
  readAccess,
  readMoment,
  readSpan,
  type Terms,
  TIERS,
  writeAccess,
  writeMoment,
  writeSpan,
} from "../../client-lib/consent/index.ts";
import { isWithin } from "../../server/consent/within.ts";

const STORAGE = "https://pods.example/ana/";
const VENDOR = "https://shop.example/card#us";
const word = fc.stringMatching(/^[a-z]{1,8}$/);
const iri = word.map((name) => `https://example.org/${name}`);
const iris = fc.uniqueArray(iri, { minLength: 1, maxLength: 4 });
const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null });
const moment = fc.integer({ min: 1_577_836_800, max: 4_102_444_800 }).map((seconds) => seconds * 1_000);
const place = fc.oneof(
  fc.uniqueArray(word, { minLength: 1, maxLength: 3 }).map((names) => ({
    kind: "resource" as const,
    values: names.map((name) => `${STORAGE}${name}.ttl`),
  })),
  fc.uniqueArray(word, { minLength: 1, maxLength: 3 }).map((names) => ({
    kind: "container" as const,
    values: names.map((name) => `${STORAGE}${name}/`),
  })),
  fc.constant({ kind: "storage" as const, values: [STORAGE] }),
  word.map((name) => ({ kind: "view" as const, values: [`${STORAGE}.views/${name}`] })),
  iris.map((values) => ({ kind: "shape" as const, values })),
);

const policy: fc.Arbitrary<Policy> = fc.record({
  actions: fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1 }),
  target: place,
  necessity: fc.constantFrom("required", "optional"),
  clients: maybe(iris),
  mediaTypes: maybe(fc.uniqueArray(fc.constantFrom("text/turtle", "image/png"), { minLength: 1 })),
  types: maybe(iris),
  purposes: iris,
  notBefore: maybe(moment),
  notAfter: moment,
  tier: fc.constantFrom(...TIERS),
  mode: fc.constantFrom(...CONSENT_MODES),
  categories: fc.uniqueArray(iri, { maxLength: 3 }),
  fields: maybe(iris),
  dataFrom: maybe(moment),
  dataTo: maybe(moment),
  dataLife: maybe(fc.constantFrom("P90D", "P1Y2M", "PT12H")),
  frequency: maybe(
    fc.record({
      count: fc.integer({ min: 1, max: 1_000 }),
      per: fc.integer({ min: 1, max: 10_000_000 }).map((seconds) => seconds * 1_000),
    }),
  ),
  queriesMax: maybe(fc.integer({ min: 1, max: 1_000_000 })),
});

const terms: fc.Arbitrary<Terms> = fc.record({
  assignee: fc.constant(VENDOR),
  controller: iri,
  legalBasis: iri,
  recipients: fc.uniqueArray(iri, { maxLength: 3 }),
  locations: fc.uniqueArray(iri, { maxLength: 3 }),
  automation: maybe(iri),
  decidesAboutPerson: fc.boolean(),
  notice: iri,
  benefit: fc.dictionary(fc.constantFrom("en", "de", "pt-BR"), word, { minKeys: 1 }),
  price: maybe(
    fc.record({ amount: fc.constantFrom("0", "4.50", "1000.25"), currency: fc.constantFrom("EUR", "USD") }),
  ),
  terms: maybe(iri),
  inbox: maybe(iri),
});

const RUNS = 500;

describe("the words of requests and grants", () => {
  const read = (document: Json): Draft => {
    const found = readAccess(document, "AccessRequest");
    expect(found.flaws).to.equal(null);
    return found.draft!;
  };

  it("are read back as they were written", () => {
    fc.assert(
      fc.property(
        terms,
        fc.array(policy, { minLength: 1, maxLength: 4 }),
        moment,
        (said, policies, issued) => {
          const document = writeAccess("AccessRequest", { storage: STORAGE, issued, terms: said, policies });
          const draft = read(JSON.parse(JSON.stringify(document)) as Json);
          expect(draft).to.deep.equal({
            storage: STORAGE,
            issued,
            policies,
            terms: said,
            nonce: null,
            others: [],
          });
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("are read the same by their short names and by their addresses", () => {
    const document = writeAccess("AccessRequest", {
      storage: STORAGE,
      issued: 0,
      terms: { assignee: VENDOR },
      policies: [fc.sample(policy, { numRuns: 1, seed: 7 })[0]!],
    });
    const long = JSON.parse(
      JSON.stringify(document)
        .replaceAll('"leftOperand":"purpose"', '"leftOperand":"http://www.w3.org/ns/odrl/2/purpose"')
        .replaceAll('"operator":"eq"', '"operator":"http://www.w3.org/ns/odrl/2/eq"')
        .replaceAll('"AccessPolicy"', '"https://www.w3.org/ns/lws#AccessPolicy"')
        .replaceAll('"AccessRequest"', '"https://www.w3.org/ns/lws#AccessRequest"'),
    ) as Json;
    expect(read(long).policies).to.deep.equal(read(document).policies);
  });

  it("a member of a policy or constraint that is not known is never passed over", () => {
    fc.assert(
      fc.property(policy, word, fc.boolean(), (one, name, isInConstraint) => {
        fc.pre(
          !["type", "action", "assignee", "target", "necessity", "constraint", "operator", "x"].includes(
            name,
          ),
        );
        const document = writeAccess("AccessRequest", {
          storage: STORAGE,
          issued: 0,
          terms: { assignee: VENDOR },
          policies: [one],
        });
        const [first] = document["access"] as [Record<string, unknown>];
        const place = isInConstraint ? (first["constraint"] as Record<string, unknown>[])[0]! : first;
        place[name] = "x";
        const found = readAccess(document, "AccessRequest");
        expect(found.draft).to.equal(null);
        expect(found.flaws?.some(({ at }) => at.startsWith("/access/0"))).to.equal(true);
      }),
      { numRuns: RUNS },
    );
  });

  it("two constraints about the same leave what fits both", () => {
    const both = (...constraint: readonly Json[]): Draft["policies"][number] | null => {
      const found = readAccess(
        {
          "@context": ["https://www.w3.org/ns/lws/v1"],
          type: ["AccessRequest"],
          storage: STORAGE,
          access: [{ type: ["AccessPolicy"], action: ["read"], assignee: VENDOR, constraint }],
        },
        "AccessRequest",
      );
      return found.draft?.policies[0] ?? null;
    };
    const c = (leftOperand: string, operator: string, rightOperand: unknown): Json => ({
      leftOperand,
      operator,
      rightOperand,
    });
    const [a, b, x] = ["https://a.example/", "https://b.example/", "https://x.example/"];
    expect(both(c("client", "isAnyOf", [a, b]), c("client", "isAnyOf", [b, x]))?.clients).to.deep.equal([b]);
    expect(both(c("client", "eq", a), c("client", "eq", b))).to.equal(null);
    expect(both(c("purpose", "isAnyOf", [a, b]), c("purpose", "eq", b))?.purposes).to.deep.equal([b]);
    const [soon, late] = ["2027-01-01T00:00:00Z", "2027-06-01T00:00:00Z"];
    expect(both(c("dateTime", "lteq", late), c("dateTime", "lteq", soon))?.notAfter).to.equal(
      Date.parse(soon),
    );
    expect(both(c("dateTime", "gteq", soon), c("dateTime", "gteq", late))?.notBefore).to.equal(
      Date.parse(late),
    );
    expect(both(c("tier", "eq", "raw"), c("tier", "eq", "tag"))?.tier).to.equal("tag");
    expect(both(c("consentMode", "eq", "view"), c("consentMode", "eq", "store"))).to.equal(null);
    expect(both(c("maxQueries", "lteq", 9), c("maxQueries", "lteq", 3))?.queriesMax).to.equal(3);
    expect(both()?.target, "no target is all of it").to.deep.equal({ kind: "storage", values: [STORAGE] });
  });

  it("documents and folders that are named together become two policies", () => {
    const found = read({
      "@context": ["https://www.w3.org/ns/lws/v1"],
      type: ["AccessRequest"],
      storage: STORAGE,
      access: [
        {
          type: ["AccessPolicy"],
          action: ["read"],
          assignee: VENDOR,
          target: { type: "StorageResource", value: [`${STORAGE}a.ttl`, `${STORAGE}b/`] },
        },
      ],
    });
    expect(found.policies.map(({ target }) => target)).to.deep.equal([
      { kind: "resource", values: [`${STORAGE}a.ttl`] },
      { kind: "container", values: [`${STORAGE}b/`] },
    ]);
  });

  it("whatever comes, reading answers, and names no more than it was told", () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 4 }), (value) => {
        const found = readAccess(value, "AccessRequest");
        expect(found.draft === null).to.equal(found.flaws !== null);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("moments and durations", () => {
  it("are read back as they were written", () => {
    fc.assert(
      fc.property(moment, (time) => {
        expect(readMoment(writeMoment(time))).to.equal(time);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_400 * 90_000 }), (seconds) => {
        expect(readSpan(writeSpan(seconds * 1_000))).to.equal(seconds * 1_000);
        expect(isDuration(writeSpan(seconds * 1_000))).to.equal(true);
      }),
    );
  });
  for (const text of [
    "2027-02-29T00:00:00Z",
    "2027-13-01T00:00:00Z",
    "2027-01-01",
    "2027-01-01T00:00:00",
    "2027-01-01T24:00:00Z",
    "2027-01-01T00:00:00+99:00",
    "tomorrow",
    "",
    0,
    null,
  ])
    it(`no moment: ${String(text)}`, () => {
      expect(readMoment(text)).to.equal(null);
    });
  it("a zone counts", () => {
    expect(readMoment("2027-01-01T01:00:00+01:00")).to.equal(Date.parse("2027-01-01T00:00:00Z"));
  });
  for (const text of ["P", "PT", "P0D", "PT0S", "-P1D", "P1.5D", "P1D ", "1D", "P1W", null])
    it(`no duration: ${String(text)}`, () => {
      expect(isDuration(text)).to.equal(false);
    });
  it("a month is not always as long, so nothing is counted in months", () => {
    expect(readSpan("P1M")).to.equal(null);
    expect(readSpan("P99999DT999999H"), "which could not be written again").to.equal(null);
    expect(isDuration("P1M")).to.equal(true);
  });
});

describe("yes, less", () => {
  const isNarrower = (purpose: string, of: string): boolean => purpose === of || purpose.startsWith(`${of}/`);
  it("a policy is within itself, and never within one that asks for less", () => {
    fc.assert(
      fc.property(policy, (one) => {
        expect(isWithin(one, one, isNarrower)).to.equal(true);
      }),
      { numRuns: RUNS },
    );
  });
  it("widening any one thing is seen", () => {
    const asked: Policy = {
      actions: ["read"],
      target: { kind: "container", values: ["/ana/notes/"] },
      necessity: "required",
      clients: ["https://a.example/"],
      mediaTypes: ["text/turtle"],
      types: ["https://t.example/"],
      purposes: ["https://p.example"],
      notBefore: 10,
      notAfter: 20,
      tier: "reduced",
      mode: "query",
      categories: [],
      fields: ["https://f.example/"],
      dataFrom: 1,
      dataTo: 2,
      dataLife: "P30D",
      frequency: { count: 5, per: 1_000 },
      queriesMax: 10,
    };
    const wider: readonly Partial<Policy>[] = [
      { actions: ["read", "create"] },
      { target: { kind: "container", values: ["/ana/"] } },
      { target: { kind: "container", values: ["/ana/notes2/"] } },
      { target: { kind: "resource", values: ["/ana/notes"] } },
      { target: { kind: "storage", values: ["/ana/"] } },
      { clients: null },
      { clients: ["https://a.example/", "https://b.example/"] },
      { mediaTypes: null },
      { types: null },
      { purposes: ["https://q.example"] },
      { purposes: ["https://p.example", "https://q.example"] },
      { notBefore: null },
      { notBefore: 9 },
      { notAfter: 21 },
      { tier: "raw" },
      { mode: "store" },
      { mode: "stream" },
      { fields: null },
      { dataFrom: null },
      { dataTo: 3 },
      { frequency: null },
      { frequency: { count: 6, per: 1_000 } },
      { frequency: { count: 5, per: 999 } },
      { queriesMax: null },
      { queriesMax: 11 },
      { dataLife: null },
      { dataLife: "P31D" },
      { dataLife: "P1M" },
    ];
    for (const change of wider)
      expect(isWithin({ ...asked, ...change }, asked, isNarrower), JSON.stringify(change)).to.equal(false);
    const narrower: readonly Partial<Policy>[] = [
      { target: { kind: "resource", values: ["/ana/notes/today.ttl"] } },
      { purposes: ["https://p.example/narrow"] },
      { tier: "tag" },
      { dataLife: "P7D" },
      { mode: "view" },
      { notBefore: 15, notAfter: 16 },
      { queriesMax: 1, frequency: { count: 1, per: 2_000 } },
    ];
    for (const change of narrower)
      expect(isWithin({ ...asked, ...change }, asked, isNarrower), JSON.stringify(change)).to.equal(true);
  });
});
