import { expect } from "chai";
import fc from "fast-check";
import { type Authorization, type Condition, decide, MODES, modesOf } from "../../server/access/decide.ts";
import { type Agent, type Mode, PUBLIC_AGENT } from "../../server/operation.ts";
import { ANA, APP, as, DORA, ISSUER, SHOP } from "./fixture.ts";

const rule = (fields: Partial<Authorization>): Authorization => ({
  modes: [],
  everyone: false,
  signedIn: false,
  agents: new Set(),
  groups: [],
  origins: new Set(),
  conditions: [],
  ...fields,
});
const people = (...iris: string[]) => new Set(iris);
const permitted = (...iris: string[]) => ({ anyone: false, iris: new Set(iris), groups: [] });
const GOOD = "https://good.example";
const EVIL = "https://evil.example";

const publicRead = rule({ modes: ["read"], everyone: true });
const shopAppends = rule({ modes: ["append"], agents: people(SHOP) });
const doraWrites = rule({ modes: ["write"], agents: people(DORA) });
const doraControls = rule({ modes: ["control"], agents: people(DORA) });
const members = rule({ modes: ["read"], groups: [{ iri: "urn:team", members: people(DORA) }] });
const nobodys = rule({ modes: ["read"], groups: [{ iri: "urn:team", members: people() }] });
const known = rule({ modes: ["read"], signedIn: true });
const fromGood = rule({ modes: ["read"], agents: people(DORA), origins: people(GOOD) });
const trustGood = rule({ modes: ["read"], origins: people(GOOD) });
const byApp = rule({
  modes: ["read"],
  agents: people(DORA),
  conditions: [{ kind: "client", permitted: permitted(APP) }],
});
const vouched = rule({
  modes: ["read"],
  agents: people(DORA),
  conditions: [{ kind: "issuer", permitted: permitted(ISSUER) }],
});
const strange = rule({ modes: ["read"], agents: people(DORA), conditions: [{ kind: "unknown" }] });
const strangePublic = rule({ modes: ["read"], everyone: true, conditions: [{ kind: "unknown" }] });

const dora = as(DORA);
const shop = as(SHOP);
const nobody = PUBLIC_AGENT;

describe("decide: who may do what", () => {
  const cases: readonly [
    story: string,
    rules: Authorization[],
    agent: Agent,
    wanted: Mode[],
    kind: "granted" | "denied",
  ][] = [
    ["no rules, no access", [], dora, ["read"], "denied"],
    ["everyone may read what is public", [publicRead], nobody, ["read"], "granted"],
    ["somebody who has logged in is part of everyone", [publicRead], dora, ["read"], "granted"],
    ["read does not include write", [publicRead], dora, ["write"], "denied"],
    ["write includes append", [doraWrites], dora, ["append"], "granted"],
    ["write does not include read", [doraWrites], dora, ["read"], "denied"],
    ["write does not include control", [doraWrites], dora, ["control"], "denied"],
    ["append does not include write", [shopAppends], shop, ["write"], "denied"],
    ["control includes nothing", [doraControls], dora, ["read"], "denied"],
    ["control does not include append", [doraControls], dora, ["append"], "denied"],
    ["modes of several rules add up", [doraWrites, publicRead], dora, ["read", "append"], "granted"],
    ["one missing mode is enough to deny", [doraWrites, publicRead], dora, ["read", "control"], "denied"],
    ["the public is not the shop", [shopAppends], nobody, ["append"], "denied"],
    ["another agent is not the shop", [shopAppends], dora, ["append"], "denied"],
    ["a WebID matches exactly", [shopAppends], as(`${SHOP}x`), ["append"], "denied"],
    ["whoever has logged in", [known], dora, ["read"], "granted"],
    ["the public has not logged in", [known], nobody, ["read"], "denied"],
    ["a member of the group", [members], dora, ["read"], "granted"],
    ["not a member of the group", [members], shop, ["read"], "denied"],
    ["an empty group is nobody, never everybody", [nobodys], dora, ["read"], "denied"],
    ["an empty group does not let the public in", [nobodys], nobody, ["read"], "denied"],
    ["the group itself is not a member", [members], as("https://team.example/"), ["read"], "denied"],
    ["agent and origin match", [fromGood], as(DORA, { origin: GOOD }), ["read"], "granted"],
    ["the agent from another origin", [fromGood], as(DORA, { origin: EVIL }), ["read"], "denied"],
    ["the agent from a page without an origin", [fromGood], as(DORA, { origin: "null" }), ["read"], "denied"],
    ["the origin without the agent", [fromGood], as(SHOP, { origin: GOOD }), ["read"], "denied"],
    ["no Origin header, so no browser page: the agent alone", [fromGood], dora, ["read"], "granted"],
    ["an origin alone lets nobody in", [trustGood], as(null, { origin: GOOD }), ["read"], "denied"],
    ["an origin alone lets no agent in", [trustGood], as(DORA, { origin: GOOD }), ["read"], "denied"],
    [
      "an origin that another rule trusts",
      [rule({ modes: ["read"], agents: people(DORA), origins: people("https://third.example") }), trustGood],
      as(DORA, { origin: GOOD }),
      ["read"],
      "granted",
    ],
    [
      "another agent's origin is not trusted",
      [fromGood, rule({ modes: ["read"], agents: people(SHOP), origins: people(EVIL) })],
      as(DORA, { origin: EVIL }),
      ["read"],
      "denied",
    ],
    [
      "an origin trusted for one mode is not for another",
      [rule({ modes: ["read", "write"], agents: people(DORA), origins: people(EVIL) }), trustGood],
      as(DORA, { origin: GOOD }),
      ["write"],
      "denied",
    ],
    [
      "what is public is so from every origin",
      [publicRead, fromGood],
      as(DORA, { origin: EVIL }),
      ["read"],
      "granted",
    ],
    ["the app that the condition names", [byApp], as(DORA, { client: APP }), ["read"], "granted"],
    ["another app", [byApp], as(DORA, { client: "https://other.example/id" }), ["read"], "denied"],
    ["no app named in the token", [byApp], dora, ["read"], "denied"],
    ["the right app of the wrong agent", [byApp], as(SHOP, { client: APP }), ["read"], "denied"],
    [
      "any app will do, if the condition says so",
      [{ ...byApp, conditions: [{ kind: "client", permitted: { ...permitted(), anyone: true } }] }],
      dora,
      ["read"],
      "granted",
    ],
    [
      "a condition that permits nobody",
      [{ ...byApp, conditions: [{ kind: "client", permitted: permitted() }] }],
      as(DORA, { client: APP }),
      ["read"],
      "denied",
    ],
    ["the issuer that the condition names", [vouched], as(DORA, { issuer: ISSUER }), ["read"], "granted"],
    ["another issuer", [vouched], as(DORA, { issuer: "https://login.example" }), ["read"], "denied"],
    [
      "both conditions hold",
      [{ ...byApp, conditions: [...byApp.conditions, ...vouched.conditions] }],
      as(DORA, { client: APP, issuer: ISSUER }),
      ["read"],
      "granted",
    ],
    [
      "one of two conditions fails",
      [{ ...byApp, conditions: [...byApp.conditions, ...vouched.conditions] }],
      as(DORA, { client: APP }),
      ["read"],
      "denied",
    ],
    ["a condition of an unknown type grants nothing", [strange], dora, ["read"], "denied"],
    ["not even to the public", [strangePublic], nobody, ["read"], "denied"],
    ["but takes nothing from other rules", [strange, publicRead], dora, ["read"], "granted"],
    ["wanting nothing is granted", [], nobody, [], "granted"],
  ];
  for (const [story, rules, agent, wanted, kind] of cases) {
    it(`${story}: ${kind}`, () => expect(decide(rules, agent, wanted).kind).to.equal(kind));
  }

  it("a denial names what is missing and nothing else", () => {
    expect(decide([doraWrites], dora, ["read", "append", "control"])).to.deep.equal({
      kind: "denied",
      missing: ["read", "control"],
    });
  });
});

describe("decide: laws", () => {
  const iri = fc.constantFrom(ANA, DORA, SHOP, "urn:x");
  const origin = fc.constantFrom(GOOD, EVIL);
  const set = (values: fc.Arbitrary<string>) =>
    fc.uniqueArray(values, { maxLength: 2 }).map((items) => new Set(items));
  const group = fc.record({ iri: fc.constant("urn:team"), members: set(iri) });
  const condition: fc.Arbitrary<Condition> = fc.oneof(
    fc.record({
      kind: fc.constantFrom("client" as const, "issuer" as const),
      permitted: fc.record({
        anyone: fc.boolean(),
        iris: set(fc.constantFrom(APP, ISSUER)),
        groups: fc.array(group, { maxLength: 1 }),
      }),
    }),
    fc.constant({ kind: "unknown" as const }),
  );
  const anyRule: fc.Arbitrary<Authorization> = fc.record({
    modes: fc.uniqueArray(fc.constantFrom(...MODES), { maxLength: 3 }),
    everyone: fc.boolean(),
    signedIn: fc.boolean(),
    agents: set(iri),
    groups: fc.array(group, { maxLength: 1 }),
    origins: set(origin),
    conditions: fc.array(condition, { maxLength: 2 }),
  });
  const rules = fc.array(anyRule, { maxLength: 4 });
  const anyAgent = fc
    .record({
      webid: fc.option(iri),
      client: fc.option(fc.constantFrom(APP, "urn:other")),
      issuer: fc.option(fc.constantFrom(ISSUER, "urn:other")),
      origin: fc.option(origin),
    })
    .map((fields) => fields as Agent);
  const subset = (small: readonly Mode[], large: readonly Mode[]) =>
    small.every((mode) => large.includes(mode));
  function law<T>(name: string, property: fc.IProperty<T>): void {
    it(name, () => fc.assert(property, { numRuns: 2_000 }));
  }

  law(
    "a rule more never takes a mode away",
    fc.property(rules, anyRule, anyAgent, (list, more, who) => {
      expect(subset(modesOf(list, who), modesOf([...list, more], who))).to.equal(true);
    }),
  );
  law(
    "order does not matter",
    fc.property(rules, anyAgent, (list, who) => {
      expect(modesOf([...list].reverse(), who)).to.deep.equal(modesOf(list, who));
    }),
  );
  law(
    "saying a rule twice changes nothing",
    fc.property(rules, anyAgent, (list, who) => {
      expect(modesOf([...list, ...list], who)).to.deep.equal(modesOf(list, who));
    }),
  );
  law(
    "a condition more never grants more",
    fc.property(rules, anyRule, condition, anyAgent, (list, one, more, who) => {
      const narrowed = { ...one, conditions: [...one.conditions, more] };
      expect(subset(modesOf([...list, narrowed], who), modesOf([...list, one], who))).to.equal(true);
    }),
  );
  law(
    "an unknown condition makes a rule worth nothing",
    fc.property(rules, anyRule, anyAgent, (list, one, who) => {
      const strange = { ...one, conditions: [...one.conditions, { kind: "unknown" as const }] };
      expect(modesOf([...list, strange], who)).to.deep.equal(modesOf(list, who));
    }),
  );
  law(
    "what the public may, everyone may",
    fc.property(rules, anyAgent, (list, who) => {
      expect(subset(modesOf(list, PUBLIC_AGENT), modesOf(list, who))).to.equal(true);
    }),
  );
  law(
    "logging in never takes a mode away",
    fc.property(rules, anyAgent, (list, who) => {
      expect(subset(modesOf(list, { ...who, webid: null }), modesOf(list, who))).to.equal(true);
    }),
  );
  law(
    "an Origin header never gives a mode",
    fc.property(rules, anyAgent, (list, who) => {
      expect(subset(modesOf(list, who), modesOf(list, { ...who, origin: null }))).to.equal(true);
    }),
  );
  law(
    "naming origins never grants an agent more by the same rule",
    fc.property(anyRule, set(origin), anyAgent, (one, origins, who) => {
      fc.pre(one.origins.size === 0 && origins.size > 0);
      expect(subset(modesOf([{ ...one, origins }], who), modesOf([one], who))).to.equal(true);
    }),
  );
  law(
    "a group without members is nobody",
    fc.property(rules, anyAgent, (list, who) => {
      const empty = list.map((one) => ({
        ...one,
        groups: [{ iri: "urn:empty", members: new Set<string>() }],
      }));
      const without = list.map((one) => ({ ...one, groups: [] }));
      expect(subset(modesOf(empty, who), modesOf(without, who))).to.equal(true);
    }),
  );
  law(
    "a member more never takes a mode away",
    fc.property(rules, iri, anyAgent, (list, member, who) => {
      const larger = list.map((one) => ({
        ...one,
        groups: one.groups.map((team) => ({ ...team, members: new Set([...team.members, member]) })),
      }));
      expect(subset(modesOf(list, who), modesOf(larger, who))).to.equal(true);
    }),
  );
  law(
    "write is append",
    fc.property(rules, anyAgent, (list, who) => {
      const granted = modesOf(list, who);
      expect(!granted.includes("write") || granted.includes("append")).to.equal(true);
    }),
  );
  law(
    "every mode comes from a rule that has it: nothing implies read, write or control",
    fc.property(rules, anyAgent, (list, who) => {
      for (const mode of ["read", "write", "control"] as const) {
        const without = list.map((one) => ({ ...one, modes: one.modes.filter((other) => other !== mode) }));
        expect(modesOf(without, who)).to.not.include(mode);
      }
    }),
  );
  law(
    "all together is each by itself",
    fc.property(rules, anyAgent, fc.subarray([...MODES]), (list, who, wanted) => {
      const decision = decide(list, who, wanted);
      const missing = wanted.filter((mode) => decide(list, who, [mode]).kind === "denied");
      expect(decision).to.deep.equal(
        missing.length === 0 ? { kind: "granted" } : { kind: "denied", missing },
      );
    }),
  );
});
