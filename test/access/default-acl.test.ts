import { expect } from "chai";
import fc from "fast-check";
import { checkAcl, readAccessList, readAuthorizations } from "../../server/access/acl.ts";
import { type Authorization, modesOf } from "../../server/access/decide.ts";
import {
  grantInAcl,
  ownerAcl,
  publicAppendAcl,
  publicReadAcl,
  revokeInAcl,
} from "../../server/access/default-acl.ts";
import { Problem } from "../../server/errors.ts";
import { parseWebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { type Agent, PUBLIC_AGENT } from "../../server/operation.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import type { Quad } from "../../server/rdf/terms.ts";
import { ANA, APP, as, BASE, DORA, PREFIXES, SHOP } from "./fixture.ts";

const ROOT = `${BASE}ana/`;
const FOLDER = `${ROOT}notes/`;
const DOCUMENT = `${FOLDER}today.ttl`;
const owner = parseWebId(ANA);
const dora = parseWebId(DORA);
const parse = (text: string, url: string) => parseRdf(new TextEncoder().encode(text), "text/turtle", url);
const ownRules = (quads: readonly Quad[], url: string) => readAuthorizations(quads, `${url}.acl`, url);
const may = (rules: readonly Authorization[], who: Agent) => modesOf(rules, who).join(" ");

describe("lists of new pods", () => {
  it("the owner alone, here and below", async () => {
    const quads = await parse(ownerAcl({ subjectUrl: ROOT, owner }), `${ROOT}.acl`);
    const { own, inherited } = readAccessList(quads, ROOT);
    for (const rules of [own, inherited]) {
      expect(may(rules, as(ANA))).to.equal("read write append control");
      expect(may(rules, as(DORA))).to.equal("");
      expect(may(rules, PUBLIC_AGENT)).to.equal("");
    }
    checkAcl(quads, { subjectUrl: ROOT, owner, isPodRoot: true }, LIMITS);
  });
  it("everybody may read, and no more", async () => {
    const rules = ownRules(
      await parse(publicReadAcl({ subjectUrl: DOCUMENT, owner }), `${DOCUMENT}.acl`),
      DOCUMENT,
    );
    expect(may(rules, as(ANA))).to.equal("read write append control");
    expect(may(rules, PUBLIC_AGENT)).to.equal("read");
  });
  it("everybody may add, and not read", async () => {
    const rules = ownRules(
      await parse(publicAppendAcl({ subjectUrl: FOLDER, owner }), `${FOLDER}.acl`),
      FOLDER,
    );
    expect(may(rules, PUBLIC_AGENT)).to.equal("append");
  });
  it("IRIs are absolute: the same whatever base it is read with", async () => {
    const quads = await parse(publicReadAcl({ subjectUrl: FOLDER, owner }), "https://elsewhere.example/x");
    expect(readAccessList(quads, FOLDER).own).to.have.length(2);
  });
  it("an address that would end the IRI early is refused", () => {
    expect(() => ownerAcl({ subjectUrl: `${ROOT}> . <x`, owner })).to.throw(Problem);
  });
});

describe("giving access", () => {
  it("adds modes for one agent and changes nobody else", async () => {
    const before = await parse(ownerAcl({ subjectUrl: DOCUMENT, owner }), `${DOCUMENT}.acl`);
    const after = grantInAcl(before, {
      aclUrl: `${DOCUMENT}.acl`,
      subjectUrl: DOCUMENT,
      agent: dora,
      modes: ["read", "append"],
      inherit: false,
    });
    const rules = ownRules(after, DOCUMENT);
    expect(may(rules, as(DORA))).to.equal("read append");
    expect(may(rules, as(ANA))).to.equal("read write append control");
    expect(may(rules, as(SHOP))).to.equal("");
    expect(may(rules, PUBLIC_AGENT)).to.equal("");
    expect(before, "the old list is not touched").to.have.length(6);
  });
  it("the same grant twice is the same list; another one is added", async () => {
    const place = { aclUrl: `${DOCUMENT}.acl`, subjectUrl: DOCUMENT, agent: dora, inherit: false };
    const once = grantInAcl([], { ...place, modes: ["read"] });
    expect(grantInAcl(once, { ...place, modes: ["read"] })).to.deep.equal(once);
    expect(may(ownRules(grantInAcl(once, { ...place, modes: ["write"] }), DOCUMENT), as(DORA))).to.equal(
      "read write append",
    );
  });
  it("no modes, no grant", () => {
    expect(
      grantInAcl([], {
        aclUrl: `${DOCUMENT}.acl`,
        subjectUrl: DOCUMENT,
        agent: dora,
        modes: [],
        inherit: true,
      }),
    ).to.deep.equal([]);
  });
  it("a folder alone, or with all that is in it", () => {
    const place = { aclUrl: `${FOLDER}.acl`, subjectUrl: FOLDER, agent: dora, modes: ["read"] as const };
    expect(readAccessList(grantInAcl([], { ...place, inherit: false }), FOLDER).inherited).to.deep.equal([]);
    expect(
      may(readAccessList(grantInAcl([], { ...place, inherit: true }), FOLDER).inherited, as(DORA)),
    ).to.equal("read");
  });
  it("a list that does not concern the resource is refused", () => {
    expect(() =>
      grantInAcl([], {
        aclUrl: `${BASE}ben/.acl`,
        subjectUrl: DOCUMENT,
        agent: dora,
        modes: ["read"],
        inherit: false,
      }),
    ).to.throw(Problem);
  });
});

const ROOT_LIST = `
<#o> a acl:Authorization; acl:agent <${ANA}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .
<#here> a acl:Authorization; acl:agentClass foaf:Agent; acl:accessTo <./>; acl:mode acl:Read .
<#below> a acl:Authorization; acl:agent <${SHOP}>, <${DORA}>; acl:default <./>; acl:mode acl:Append; acl:condition [ a acl:ClientCondition; acl:client <${APP}> ], <#c> .
<#c> a acl:IssuerCondition; acl:issuerClass foaf:Agent .
<#t> a acl:Authorization; acl:origin <https://good.example>; acl:default <./>; acl:mode acl:Read .
[] a acl:Authorization; acl:agentGroup <g.ttl#g>; acl:default <./>; acl:mode acl:Read .`;

describe("giving access to what inherits", () => {
  for (const subjectUrl of [DOCUMENT, FOLDER]) {
    it(`${subjectUrl.slice(BASE.length)} gets a list of its own in which nobody else gains or loses`, async () => {
      const quads = await parse(PREFIXES + ROOT_LIST, `${ROOT}.acl`);
      const inherited = readAccessList(quads, ROOT).inherited;
      const agent = parseWebId("https://new.example/#me");
      const list = grantInAcl(quads, {
        aclUrl: `${ROOT}.acl`,
        subjectUrl,
        agent,
        modes: ["read"],
        inherit: true,
      });
      const { own, inherited: below } = readAccessList(list, subjectUrl);
      for (const who of [
        PUBLIC_AGENT,
        as(ANA),
        as(DORA),
        as(SHOP, { client: APP }),
        as(DORA, { client: APP, origin: "https://good.example" }),
      ]) {
        expect(may(own, who)).to.equal(may(inherited, who));
        if (subjectUrl === FOLDER) expect(may(below, who)).to.equal(may(inherited, who));
      }
      expect(may(own, as(SHOP, { client: APP })), "something was there to lose").to.equal("append");
      expect(may(own, as(agent))).to.equal("read");
      expect(own.flatMap(({ groups }) => groups.map(({ iri }) => iri))).to.deep.equal([`${ROOT}g.ttl#g`]);
      expect(readAccessList(list, ROOT), "nothing about the folder above is left").to.deep.equal({
        own: [],
        inherited: [],
      });
      expect(JSON.stringify(list)).to.not.include(`${ROOT}.acl#`);
    });
  }
});

describe("taking access away", () => {
  it("from one agent; others of the same authorization keep it", async () => {
    const quads = await parse(PREFIXES + ROOT_LIST, `${ROOT}.acl`);
    const after = revokeInAcl(quads, { agent: dora, owner });
    const { inherited } = readAccessList(after, ROOT);
    expect(may(inherited, as(DORA, { client: APP }))).to.equal("");
    expect(may(inherited, as(SHOP, { client: APP }))).to.equal("append");
  });
  it("an authorization goes with its last agent, and its conditions with it", async () => {
    const quads = await parse(
      `${PREFIXES} <#a> a acl:Authorization; acl:agent <${DORA}>; acl:origin <https://good.example>; acl:accessTo <today.ttl>; acl:mode acl:Read; acl:condition [ a acl:ClientCondition; acl:clientClass foaf:Agent ] .`,
      `${DOCUMENT}.acl`,
    );
    expect(revokeInAcl(quads, { agent: dora, owner })).to.deep.equal([]);
  });
  it("of what inherits: at the resource, not above", async () => {
    const quads = await parse(PREFIXES + ROOT_LIST, `${ROOT}.acl`);
    const after = revokeInAcl(quads, { agent: dora, owner, aclUrl: `${ROOT}.acl`, subjectUrl: DOCUMENT });
    expect(may(ownRules(after, DOCUMENT), as(DORA, { client: APP }))).to.equal("");
    expect(may(ownRules(after, DOCUMENT), as(SHOP, { client: APP }))).to.equal("append");
    expect(may(ownRules(after, DOCUMENT), as(ANA))).to.equal("read write append control");
  });
  it("never from the owner", () => {
    expect(() => revokeInAcl([], { agent: owner, owner }))
      .to.throw(Problem)
      .with.property("code", "acl-invalid");
  });

  it("law: a revocation gives nobody anything, and a grant takes nothing from anybody", async () => {
    const subjects = [
      `acl:agent <${DORA}>`,
      `acl:agent <${SHOP}>, <${DORA}>`,
      "acl:agentClass acl:AuthenticatedAgent",
      "acl:origin <https://good.example>",
      `acl:agent <${DORA}>; acl:origin <https://good.example>`,
      `acl:agent <${SHOP}>; acl:origin <https://third.example>`,
    ];
    const rule = fc
      .tuple(
        fc.constantFrom(...subjects),
        fc.constantFrom("acl:Read", "acl:Write", "acl:Control"),
        fc.constantFrom(
          "",
          "; acl:condition _:c",
          `; acl:condition [ a acl:ClientCondition; acl:client <${APP}> ]`,
        ),
      )
      .map(
        ([subject, mode, condition]) =>
          `[] a acl:Authorization; ${subject}; acl:default <./>; acl:mode ${mode}${condition} .`,
      );
    const people = [
      PUBLIC_AGENT,
      as(ANA),
      as(DORA),
      as(SHOP),
      as(SHOP, { client: APP }),
      as(SHOP, { origin: "https://good.example" }),
      as(DORA, { origin: "https://good.example", client: APP }),
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(rule, { maxLength: 5 }), async (rules) => {
        const quads = await parse(
          `${PREFIXES} _:c a acl:ClientCondition; acl:clientClass foaf:Agent . ${rules.join("\n")}`,
          `${ROOT}.acl`,
        );
        const before = readAccessList(quads, ROOT).inherited;
        const revoked = readAccessList(revokeInAcl(quads, { agent: dora, owner }), ROOT).inherited;
        const granted = ownRules(
          grantInAcl(quads, {
            aclUrl: `${ROOT}.acl`,
            subjectUrl: DOCUMENT,
            agent: dora,
            modes: ["append"],
            inherit: false,
          }),
          DOCUMENT,
        );
        for (const who of people) {
          for (const mode of modesOf(revoked, who)) expect(modesOf(before, who)).to.include(mode);
          if (who.webid !== DORA) expect(may(revoked, who)).to.equal(may(before, who));
          if (who.webid !== DORA) expect(may(granted, who)).to.equal(may(before, who));
          for (const mode of modesOf(before, who)) expect(modesOf(granted, who)).to.include(mode);
        }
      }),
      { numRuns: 300 },
    );
  });
});
