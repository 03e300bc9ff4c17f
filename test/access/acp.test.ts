import { acp } from "@freehold/vocab";
import { expect } from "chai";
import fc from "fast-check";
import { checkAcr, readPolicyList } from "../../server/access/acr.ts";
import { withAllowed, withoutAllowed } from "../../server/access/acr-rewrite.ts";
import { MODES } from "../../server/access/decide.ts";
import { acrOf } from "../../server/access/language.ts";
import { type Context, grantedModes, type Matcher, type Policy } from "../../server/access/policies.ts";
import { parseTarget } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { acpOracle } from "./acp-oracle.ts";
import {
  ACP_AGENTS,
  ACP_STATES,
  acpDocuments,
  acpWorld,
  acr,
  contextOf,
  type Written,
} from "./acp-worlds.ts";
import { ANA, APP, BASE, BEN, DORA, ISSUER, PREFIXES, SHOP, serve, type World } from "./fixture.ts";

const NOTE = { acrUrl: `${BASE}ana/note.acr`, subjectUrl: `${BASE}ana/note` };
const quadsOf = (text: string, url = NOTE.acrUrl) =>
  parseRdf(new TextEncoder().encode(PREFIXES + text), "text/turtle", url);
const serveAcp = (world: World) =>
  serve({ ...acpDocuments, ...world }, {}, LIMITS, async () => UNNARROWED, "acp");

describe("Access Control Policy and an independent evaluator", () => {
  const PLACES = [
    "/ana/",
    "/ana/photo.jpg",
    "/ana/notes/",
    "/ana/notes/new.ttl",
    "/ana/notes/2026/",
    "/ana/notes/2026/today.ttl",
    "/ana/notes/2026/today.ttl.meta",
    "/ana/notes/.acr",
  ];

  it("agree over random trees of policies, on decisions, on what WAC-Allow says and on what a query may read", async function () {
    this.timeout(60_000);
    const containers = ["/ana/", "/ana/notes/", "/ana/notes/2026/"];
    const places = [...containers, "/ana/photo.jpg", "/ana/notes/2026/today.ttl"];
    const matcher = fc
      .tuple(
        fc.uniqueArray(
          fc.constantFrom(
            "acp:PublicAgent",
            "acp:AuthenticatedAgent",
            "acp:CreatorAgent",
            "acp:OwnerAgent",
            `<${DORA}>`,
            `<${SHOP}>`,
            `<${ANA}>`,
            `"${BEN}"`,
          ),
          { maxLength: 2 },
        ),
        fc.uniqueArray(fc.constantFrom("acp:PublicClient", "acp:AuthenticatedClient", `<${APP}>`), {
          maxLength: 1,
        }),
        fc.uniqueArray(fc.constantFrom("acp:PublicIssuer", "acp:AuthenticatedIssuer", `<${ISSUER}>`), {
          maxLength: 1,
        }),
        fc.constantFrom("", "", "", "", "; acp:vc <urn:x:Family>"),
      )
      .map(([agents, clients, issuers, vc]) => {
        const say = (word: string, values: readonly string[]) =>
          values.length === 0 ? "" : `; acp:${word} ${values.join(", ")}`;
        return `a acp:Matcher${say("agent", agents)}${say("client", clients)}${say("issuer", issuers)}${vc}`;
      });
    const mode = fc.constantFrom("acl:Read", "acl:Append", "acl:Write", "acl:Control", "<urn:x#Sell>");
    const matchers = fc.array(matcher, { maxLength: 2 });
    const one: fc.Arbitrary<Written> = fc
      .tuple(
        fc.uniqueArray(mode, { maxLength: 3 }),
        fc.uniqueArray(mode, { maxLength: 1 }),
        matchers,
        matchers,
        fc.array(matcher, { maxLength: 1 }),
      )
      .map(([allow, deny, all, any, none]) => ({
        ...(allow.length > 0 && { allow: allow.join(", ") }),
        ...(deny.length > 0 && { deny: deny.join(", ") }),
        all,
        any,
        none,
      }));
    const rules = fc.tuple(
      ...places.map((place) =>
        fc.option(
          fc
            .tuple(fc.array(one, { maxLength: 2 }), fc.array(one, { maxLength: 2 }))
            .map(([own, below]) => acr(place, own, below)),
          { nil: null, freq: 2 },
        ),
      ),
    );
    let asked = 0;
    let granted = 0;
    await fc.assert(
      fc.asyncProperty(
        rules,
        fc.subarray(Object.values(ACP_AGENTS), { minLength: 2, maxLength: 5 }),
        async (texts, agents) => {
          const world: World = Object.fromEntries(
            places.flatMap((place, index) =>
              texts[index] === null ? [] : [[`${place}.acr`, texts[index] as string]],
            ),
          );
          const server = await serveAcp(world);
          const expected = acpWorld(world);
          await server.store.read(server.ana.id, async (snapshot) => {
            for (const agent of agents) {
              const mayRead = await server.access.reader(snapshot, server.ana, agent);
              for (const place of PLACES) {
                const url = `${BASE}${place.slice(1)}`;
                // Nobody is known to have made anything here.
                const context = { ...contextOf(agent, url), creators: [] };
                for (const wanted of MODES) {
                  const decision = await server.access.authorize(
                    snapshot,
                    server.ana,
                    agent,
                    parseTarget(place),
                    [wanted],
                  );
                  const theirs = acpOracle(expected, url, wanted, context);
                  asked++;
                  if (theirs) granted++;
                  if ((decision.kind === "granted") !== theirs)
                    expect.fail(
                      `${wanted} ${place} by ${JSON.stringify(agent)}: server ${decision.kind}, specification ${theirs}`,
                    );
                }
                const read = acpOracle(expected, url, "read", context);
                expect(await mayRead(place), `reader of ${place}`).to.equal(read);
                const { user } = await server.access.permissions(
                  snapshot,
                  server.ana,
                  agent,
                  parseTarget(place),
                );
                expect(user.includes("read"), `permissions on ${place}`).to.equal(read);
              }
            }
          });
        },
      ),
      { numRuns: 200 },
    );
    expect(asked).to.be.greaterThan(10_000);
    expect(granted / asked).to.be.within(0.05, 0.8);
  });
});

describe("the laws of Access Control Policy", () => {
  const value = (...values: readonly string[]) =>
    fc.option(
      fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }).map((all) => new Set(all)),
      { nil: undefined },
    );
  const matcher: fc.Arbitrary<Matcher> = fc
    .record({
      agent: value(DORA, ANA, acp.PublicAgent, acp.AuthenticatedAgent, acp.OwnerAgent, acp.CreatorAgent),
      client: value(APP, acp.PublicClient, acp.AuthenticatedClient),
      issuer: value(ISSUER, acp.PublicIssuer),
      vc: fc.constantFrom(undefined, undefined, new Set(["urn:x"])),
    })
    .map(
      (found) =>
        Object.fromEntries(Object.entries(found).filter(([, values]) => values !== undefined)) as Matcher,
    );
  const some = fc.uniqueArray(fc.constantFrom(...MODES), { maxLength: 4 });
  const matchers = fc.array(matcher, { maxLength: 2 });
  const one: fc.Arbitrary<Policy> = fc.record({
    name: fc.constant(""),
    allow: some,
    deny: fc.oneof(fc.constant([]), some),
    allOf: matchers,
    anyOf: matchers,
    noneOf: fc.array(matcher, { maxLength: 1 }),
  });
  const context: fc.Arbitrary<Context> = fc.record({
    agent: fc.constantFrom(null, DORA, ANA, SHOP),
    client: fc.constantFrom(null, APP, `${APP}2`),
    issuer: fc.constantFrom(null, ISSUER),
    owner: fc.constant(ANA),
    creator: fc.constantFrom(null, DORA),
  });
  const policies = fc.array(one, { maxLength: 5 });
  const isWithin = (less: readonly string[], more: readonly string[]) =>
    less.every((mode) => more.includes(mode));

  it("no rule gives nothing", () => {
    fc.assert(fc.property(context, (asker) => grantedModes([], asker).length === 0));
  });
  it("order does not matter, nor saying it twice", () => {
    fc.assert(
      fc.property(policies, context, (all, asker) => {
        const granted = grantedModes(all, asker);
        expect(grantedModes([...all].reverse(), asker)).to.deep.equal(granted);
        expect(grantedModes([...all, ...all], asker)).to.deep.equal(granted);
      }),
    );
  });
  it("a policy that denies nothing never takes a mode away", () => {
    fc.assert(
      fc.property(policies, one, context, (all, more, asker) =>
        isWithin(grantedModes(all, asker), grantedModes([...all, { ...more, deny: [] }], asker)),
      ),
    );
  });
  it("a policy that allows nothing never gives one", () => {
    fc.assert(
      fc.property(policies, one, context, (all, more, asker) =>
        isWithin(grantedModes([...all, { ...more, allow: [] }], asker), grantedModes(all, asker)),
      ),
    );
  });
  it("deny wins: what is denied to everybody nobody has, whatever else is said", () => {
    fc.assert(
      fc.property(policies, some, context, (all, deny, asker) => {
        const shut: Policy = {
          name: "",
          allow: MODES,
          deny,
          allOf: [],
          anyOf: [{ agent: new Set([acp.PublicAgent]) }],
          noneOf: [],
        };
        const granted = grantedModes([...all, shut], asker);
        expect(granted.filter((mode) => deny.includes(mode))).to.deep.equal([]);
      }),
    );
  });
  it("one more whom an allowing policy leaves out never gives a mode", () => {
    fc.assert(
      fc.property(one, matcher, context, (policy, out, asker) => {
        const narrower = { ...policy, noneOf: [...policy.noneOf, out] };
        return isWithin(grantedModes([narrower], asker), grantedModes([policy], asker));
      }),
    );
  });
  it("nothing matches because of a credential", () => {
    fc.assert(
      fc.property(one, context, (policy, asker) => {
        const only: Policy = { ...policy, deny: [], allOf: [], anyOf: [{ vc: new Set(["urn:x"]) }] };
        return grantedModes([only], asker).length === 0;
      }),
    );
  });

  it("taking what somebody has by name takes no more from others, and gives nothing to anybody", async () => {
    const askers: readonly Context[] = [null, DORA, ANA, SHOP, BEN].flatMap((agent) =>
      [null, APP].map((client) => ({ agent, client, issuer: null, owner: ANA, creator: null })),
    );
    for (const [name, state] of Object.entries(ACP_STATES)) {
      const text = state["/ana/.acr"];
      if (text === undefined) continue;
      const place = { acrUrl: `${BASE}ana/.acr`, subjectUrl: `${BASE}ana/` };
      const before = await quadsOf(text, place.acrUrl);
      const after = withoutAllowed(before, place, DORA);
      checkAcr(after, place, LIMITS);
      const [was, is] = [readPolicyList(before, place), readPolicyList(after, place)];
      for (const asker of askers) {
        const [had, has] = [grantedModes(was.inherited, asker), grantedModes(is.inherited, asker)];
        if (asker.agent !== DORA) expect(has, `${name} for ${asker.agent}`).to.deep.equal(had);
        else expect(isWithin(has, had), `${name} for ${asker.agent}`).to.equal(true);
        const alone = is.inherited.filter(({ allOf, anyOf }) =>
          [...allOf, ...anyOf].some(({ agent }) => agent?.has(DORA)),
        );
        expect(
          alone.flatMap(({ allow }) => allow),
          name,
        ).to.deep.equal([]);
      }
    }
  });

  it("giving somebody modes gives these, for a folder also in it, and changes nothing for others", async () => {
    const place = { acrUrl: `${BASE}ana/.acr`, subjectUrl: `${BASE}ana/` };
    const before = await quadsOf(acrOf(place.subjectUrl, []), place.acrUrl);
    const after = withAllowed(withAllowed(before, place, DORA, ["read"]), place, SHOP, ["append"]);
    checkAcr(after, place, LIMITS);
    const { own, inherited } = readPolicyList(after, place);
    const asker = { client: null, issuer: null, owner: ANA, creator: null };
    for (const list of [own, inherited]) {
      expect(grantedModes(list, { ...asker, agent: DORA })).to.deep.equal(["read"]);
      expect(grantedModes(list, { ...asker, agent: SHOP })).to.deep.equal(["append"]);
      expect(grantedModes(list, { ...asker, agent: BEN })).to.deep.equal([]);
    }
  });
});
