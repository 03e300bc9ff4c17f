/** The evaluator, held to the public ODRL test suite (SolidLabResearch/ODRL-Test-Suite), and what no suite says. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { odrl, rdf, xsd } from "@freehold/vocab";
import { expect } from "chai";
import { Parser } from "n3";
import { daysOf } from "../../server/consent/odrl/duration.ts";
import { evaluate, isIncluded, type Premise, type RuleReport } from "../../server/consent/odrl/evaluate.ts";
import type {
  OdrlConstraint,
  OdrlPolicy,
  OdrlRule,
  OdrlValue,
  World,
} from "../../server/consent/odrl/model.ts";
import { policyQuads, readPolicies } from "../../server/consent/odrl/rdf.ts";
import type { Quad } from "../../server/rdf/terms.ts";

const VECTORS =
  process.env["FREEHOLD_VECTORS"] ?? fileURLToPath(new URL("../../../shared/vectors", import.meta.url));
const SUITE = `${VECTORS}/odrl`;
const EX = "http://example.org/";
const REPORT = "https://w3id.org/force/compliance-report#";
const CREATED = "http://purl.org/dc/terms/";

/** Cases that this evaluator does not take on, each with its reason. None of those that are here. */
const UNSUPPORTED: Readonly<Record<string, string>> = {};

/** Cases whose report names its premises by names that nothing in the file has, so that only the outcome can be held to it. */
const UNNAMED: ReadonlySet<string> = new Set(["testcase-065-alice.ttl"]);

const parse = (path: string): Quad[] =>
  new Parser({ baseIRI: EX }).parse(readFileSync(path, "utf8")) as unknown as Quad[];
const values = (quads: readonly Quad[], subject: string, predicate: string): string[] =>
  quads
    .filter((quad) => quad.subject.value === subject && quad.predicate.value === predicate)
    .map(({ object }) => object.value);
const value = (quads: readonly Quad[], subject: string, predicate: string): string =>
  values(quads, subject, predicate)[0] ?? "";
const local = (iri: string): string => iri.replace(/^.*[#/]/, "");

/** What a report says, without names and in no order. */
function shown(premise: Premise): string {
  const state = premise.satisfied === true ? "Satisfied" : "Unsatisfied";
  if (premise.kind !== "constraint")
    return `${premise.kind[0]?.toUpperCase()}${premise.kind.slice(1)} ${state}`;
  return `Constraint ${premise.uid} ${state} [${premise.premises.map(shown).sort().join(", ")}]`;
}

function expected(quads: readonly Quad[], premise: string): string {
  const type = local(value(quads, premise, rdf.type)).replace("Report", "");
  const state = local(value(quads, premise, `${REPORT}satisfactionState`));
  if (type !== "Constraint") return `${type} ${state}`;
  const inner = values(quads, premise, `${REPORT}premiseReport`).map((each) => expected(quads, each));
  return `Constraint ${value(quads, premise, `${REPORT}constraint`)} ${state} [${inner.sort().join(", ")}]`;
}

const files = existsSync(SUITE) ? readdirSync(SUITE).filter((name) => name.startsWith("testcase-")) : [];
const library =
  files.length > 0
    ? new Map(
        ["policies", "requests", "sotw"].flatMap((folder) =>
          readdirSync(`${SUITE}/${folder}`).flatMap((name) => {
            const quads = parse(`${SUITE}/${folder}/${name}`);
            const root = quads.find(
              ({ predicate, object }) =>
                predicate.value === rdf.type &&
                /odrl\/2\/(Set|Offer|Agreement|Request)$|Sotw$/.test(object.value),
            );
            return root ? [[root.subject.value, quads] as const] : [];
          }),
        ),
      )
    : new Map<string, Quad[]>();

describe("ODRL, by the public test suite", () => {
  if (files.length === 0)
    it("is skipped: no test data (FREEHOLD_VECTORS)", function () {
      this.skip();
    });
  for (const file of files) {
    const quads = parse(`${SUITE}/${file}`);
    const test = quads.find(({ object }) => object.value === `${EX}TestCase`)?.subject.value ?? "";
    const title = value(quads, test, `${CREATED}title`);
    const reason = UNSUPPORTED[file];
    (reason ? it.skip : it)(`${file.slice(9, 12)} ${title}${reason ? ` (${reason})` : ""}`, () => {
      const [policyQuad, requestQuads, sotw] = ["policy", "request", "sotw"].map(
        (name) => library.get(value(quads, test, EX + name)) ?? [],
      ) as [Quad[], Quad[], Quad[]];
      const [policy] = readPolicies(policyQuad);
      if (!policy) throw new Error("The case has no policy");
      const asked =
        requestQuads.find(({ predicate }) => predicate.value === odrl.permission)?.object.value ?? "";
      const request = {
        action: value(requestQuads, asked, odrl.action),
        assignee: value(requestQuads, asked, odrl.assignee),
        target: value(requestQuads, asked, odrl.target),
      };
      const duties = new Map(
        sotw
          .filter(({ predicate }) => predicate.value === `${REPORT}deonticState`)
          .map(({ subject, object }) => [value(sotw, subject.value, `${REPORT}rule`), local(object.value)]),
      );
      const report = evaluate(policy, request, {
        now: Date.parse(value(sotw, "http://example.com/request/currentTime", `${CREATED}issued`)),
        operands: new Map(),
        isA: (a, b) => a === b,
        isPartOf: (member, collection) => values(sotw, member, odrl.partOf).includes(collection),
        dutyState: (uid) => {
          const state = duties.get(uid ?? "");
          return state === "Violated" ? "violated" : state === "Fulfilled" ? "fulfilled" : "unknown";
        },
      });
      const reported = (each: RuleReport) => ({
        rule: each.rule.uid,
        kind: each.rule.kind,
        isActive: each.isActive,
        premises: UNNAMED.has(file) ? each.premises.length : each.premises.map(shown).sort(),
      });
      const ruleReports = values(quads, value(quads, test, `${EX}expectedReport`), `${REPORT}ruleReport`);
      expect(report.rules.map(reported)).to.deep.equal(
        ruleReports.map((name) => ({
          rule: value(quads, name, `${REPORT}rule`),
          kind: local(value(quads, name, rdf.type)) === "PermissionReport" ? "permission" : "prohibition",
          isActive: local(value(quads, name, `${REPORT}activationState`)) === "Active",
          premises: UNNAMED.has(file)
            ? values(quads, name, `${REPORT}premiseReport`).length
            : values(quads, name, `${REPORT}premiseReport`)
                .map((each) => expected(quads, each))
                .sort(),
        })),
      );
    });
  }
});

describe("ODRL, where the suite is silent", () => {
  const ana = "https://ana.example/#me";
  const doc = "https://pods.example/ana/notes";
  const NOW = Date.parse("2026-11-22T12:00:00Z");
  const iri = (name: string): OdrlValue => ({ value: name, datatype: null });
  const typed = (text: string, datatype: string): OdrlValue => ({ value: text, datatype });
  const rule = (part: Partial<OdrlRule>): OdrlRule => ({
    uid: null,
    kind: "permission",
    description: null,
    actions: [odrl.read],
    assignees: [],
    targets: [],
    constraints: [],
    duties: [],
    ...part,
  });
  const policy = (rules: readonly OdrlRule[], conflict: OdrlPolicy["conflict"] = "invalid"): OdrlPolicy => ({
    uid: "urn:p",
    type: "Set",
    conflict,
    rules,
  });
  const world = (operands: Readonly<Record<string, readonly OdrlValue[]>> = {}): World => ({
    now: NOW,
    operands: new Map(Object.entries(operands)),
    isA: (a, b) => a === b || a.startsWith(`${b}/`),
    isPartOf: () => false,
    dutyState: () => "unknown",
  });
  const may = (set: OdrlPolicy, at: World = world()): boolean =>
    evaluate(set, { action: odrl.read, assignee: ana, target: doc }, at).isPermitted;
  const compare = (leftOperand: string, operator: string, ...rightOperand: OdrlValue[]): OdrlConstraint =>
    ({ kind: "comparison", uid: null, leftOperand, operator, rightOperand }) as OdrlConstraint;

  it("what no rule speaks of is not permitted", () => {
    expect(may(policy([]))).to.equal(false);
    expect(may(policy([rule({ actions: [odrl.modify] })]))).to.equal(false);
  });

  it("a prohibition wins, unless the policy says that permissions do; saying nothing makes it void", () => {
    const both = [rule({}), rule({ kind: "prohibition", actions: [odrl.use] })];
    expect(may(policy(both, "prohibit"))).to.equal(false);
    expect(may(policy(both, "invalid"))).to.equal(false);
    expect(may(policy(both, "perm"))).to.equal(true);
  });

  it("what nobody knows makes no permission, and every prohibition", () => {
    const unknown = compare(odrl.purpose, "eq", iri("urn:care"));
    expect(may(policy([rule({ constraints: [unknown] })]))).to.equal(false);
    expect(may(policy([rule({}), rule({ kind: "prohibition", constraints: [unknown] })]))).to.equal(false);
    const known = world({ [odrl.purpose]: [iri("urn:other")] });
    expect(may(policy([rule({}), rule({ kind: "prohibition", constraints: [unknown] })]), known)).to.equal(
      true,
    );
  });

  it("a negation of the unknown is unknown", () => {
    const neq = compare(odrl.purpose, "neq", iri("urn:ads"));
    expect(may(policy([rule({ constraints: [neq] })]))).to.equal(false);
    const xone: OdrlConstraint = {
      kind: "logical",
      uid: null,
      logic: "xone",
      operands: [compare(odrl.dateTime, "gt", typed("2020-01-01T00:00:00Z", xsd.dateTime)), neq],
    };
    expect(may(policy([rule({ constraints: [xone] })]))).to.equal(false);
  });

  // biome-ignore format: a table
  const cases: readonly (readonly [string, OdrlValue[], string, OdrlValue[], boolean])[] = [
    ["one purpose of two is not enough", [iri("urn:care"), iri("urn:ads")], "isAnyOf", [iri("urn:care")], false],
    ["both are", [iri("urn:care"), iri("urn:ads")], "isAnyOf", [iri("urn:care"), iri("urn:ads")], true],
    ["all of them", [iri("urn:a"), iri("urn:b")], "isAllOf", [iri("urn:a")], true],
    ["not all of them", [iri("urn:a")], "isAllOf", [iri("urn:a"), iri("urn:b")], false],
    ["none of them", [iri("urn:a")], "isNoneOf", [iri("urn:b"), iri("urn:c")], true],
    ["one of those", [iri("urn:a"), iri("urn:c")], "isNoneOf", [iri("urn:b"), iri("urn:c")], false],
    ["narrower", [iri("urn:care/calls")], "isA", [iri("urn:care")], true],
    ["broader", [iri("urn:care")], "isA", [iri("urn:care/calls")], false],
    ["numbers by their value", [typed("1.0", xsd.decimal)], "eq", [typed("1", xsd.integer)], true],
    ["no numbers", [typed("1", xsd.string)], "lteq", [typed("2", xsd.integer)], false],
    ["a time without a zone is no moment", [typed("2026-01-01T00:00:00", xsd.dateTime)], "lteq", [typed("2027-01-01T00:00:00Z", xsd.dateTime)], false],
    ["ninety days are within a quarter year of the longest months", [typed("P90D", xsd.duration)], "lteq", [typed("P93D", xsd.duration)], true],
    ["a month may be longer than 28 days", [typed("P1M", xsd.duration)], "lteq", [typed("P28D", xsd.duration)], false],
    ["a month may be shorter than 31 days", [typed("P31D", xsd.duration)], "lteq", [typed("P1M", xsd.duration)], false],
    ["two values on the right of eq are no value", [iri("urn:a")], "eq", [iri("urn:a"), iri("urn:b")], false],
  ];
  for (const [why, left, operator, right, allowed] of cases)
    it(why, () => {
      const set = policy([rule({ constraints: [compare("urn:operand", operator, ...right)] })]);
      expect(may(set, world({ "urn:operand": left }))).to.equal(allowed);
    });

  it("actions are what their vocabulary says, and others only themselves", () => {
    expect(isIncluded(odrl.read, odrl.use)).to.equal(true);
    expect(isIncluded("http://www.w3.org/ns/odrl/2/sell", odrl.use)).to.equal(false);
    expect(isIncluded(odrl.use, odrl.read)).to.equal(false);
    expect(isIncluded("https://shop.example/steal", odrl.use)).to.equal(false);
  });

  it("is the same policy after having been RDF", () => {
    const set: OdrlPolicy = policy(
      [
        rule({
          description: "For care.",
          assignees: [ana],
          targets: [doc],
          constraints: [
            {
              kind: "logical",
              uid: null,
              logic: "or",
              operands: [
                compare(odrl.purpose, "isA", iri("urn:a")),
                compare(odrl.purpose, "isA", iri("urn:b")),
              ],
            },
            compare(odrl.dateTime, "lteq", typed("2027-01-01T00:00:00.000Z", xsd.dateTime)),
            compare("urn:kind", "isNoneOf", typed("insurer", xsd.string), typed("bank", xsd.string)),
          ],
          duties: [{ uid: "urn:duty", action: odrl.compensate }],
        }),
        rule({ kind: "prohibition", actions: [odrl.use] }),
      ],
      "prohibit",
    );
    expect(readPolicies(policyQuads(set))).to.deep.equal([set]);
  });

  // biome-ignore format: a table
  const strangers: readonly (readonly [string, string])[] = [
    ["a refinement", "odrl:permission [ odrl:action [ odrl:refinement [ odrl:leftOperand odrl:count ; odrl:operator odrl:lt ; odrl:rightOperand 5 ] ] ]"],
    ["an operator of its own", "odrl:permission [ odrl:action odrl:read ; odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator <urn:atLeast> ; odrl:rightOperand 5 ] ]"],
    ["a constraint without a value", "odrl:permission [ odrl:action odrl:read ; odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:lt ] ]"],
    ["a constraint by reference", "odrl:permission [ odrl:action odrl:read ; odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:lt ; odrl:rightOperandReference <urn:x> ] ]"],
    ["a unit, which would change the value", "odrl:permission [ odrl:action odrl:read ; odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:lt ; odrl:rightOperand 5 ; odrl:unit <urn:dozen> ] ]"],
    ["two operators", "odrl:permission [ odrl:action odrl:read ; odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:lt, odrl:gt ; odrl:rightOperand 5 ] ]"],
    ["an obligation", "odrl:obligation [ odrl:action odrl:compensate ]"],
    ["a parent", "odrl:inheritFrom <urn:parent> ; odrl:permission [ odrl:action odrl:read ]"],
    ["a remedy", "odrl:prohibition [ odrl:action odrl:read ; odrl:remedy [ odrl:action odrl:compensate ] ]"],
  ];
  for (const [what, body] of strangers)
    it(`refuses ${what} instead of passing it over`, () => {
      const text = `@prefix odrl: <http://www.w3.org/ns/odrl/2/> . <urn:p> a odrl:Set ; ${body} .`;
      const quads = new Parser().parse(text) as unknown as Quad[];
      expect(() => readPolicies(quads))
        .to.throw()
        .with.property("code", "rdf-invalid");
    });
});

describe("durations, in days", () => {
  // biome-ignore format: a table
  const cases: readonly (readonly [string, readonly [number, number] | null])[] = [
    ["P90D", [90, 90]], ["P1M", [28, 31]], ["P1Y", [365, 366]], ["P1Y1M1D", [394, 398]], ["PT24H", [1, 1]], ["PT36H", [1.5, 1.5]], ["P0D", [0, 0]],
    ["-P1D", null], ["P", null], ["PT", null], ["P1W", null], ["1 month", null], ["P1DT", null], ["P999999999D", null],
  ];
  for (const [text, days] of cases)
    it(`${text}: ${days ? days.join(" to ") : "none"}`, () => {
      expect(daysOf(text)).to.deep.equal(days);
    });
});
