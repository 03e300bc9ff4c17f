/** Access lists rewritten: whom it is not about loses and gains nothing. */
import { acl, foaf } from "@freehold/vocab";
import { expect } from "chai";
import fc from "fast-check";
import { readAccessList } from "../../server/access/acl.ts";
import { type Authorization, modesOf } from "../../server/access/decide.ts";
import { asOwnList, withoutNamed } from "../../server/access/rewrite.ts";
import { Problem } from "../../server/errors.ts";
import { type Agent, PUBLIC_AGENT } from "../../server/operation.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { ANA, APP, as, BASE, DORA, PREFIXES, SHOP } from "./fixture.ts";

const ROOT = `${BASE}ana/`;
const FOLDER = `${ROOT}notes/`;
const DOCUMENT = `${FOLDER}today.ttl`;
const parse = (text: string, url: string) => parseRdf(new TextEncoder().encode(text), "text/turtle", url);
const may = (rules: readonly Authorization[], who: Agent) => modesOf(rules, who).join(" ");

const ROOT_LIST = `
<#o> a acl:Authorization; acl:agent <${ANA}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .
<#here> a acl:Authorization; acl:agentClass foaf:Agent; acl:accessTo <./>; acl:mode acl:Read .
<#below> a acl:Authorization; acl:agent <${SHOP}>, <${DORA}>; acl:default <./>; acl:mode acl:Append; acl:condition [ a acl:ClientCondition; acl:client <${APP}> ], <#c> .
<#c> a acl:IssuerCondition; acl:issuerClass foaf:Agent .
<#t> a acl:Authorization; acl:origin <https://good.example>; acl:default <./>; acl:mode acl:Read .
[] a acl:Authorization; acl:agentGroup <g.ttl#g>; acl:default <./>; acl:mode acl:Read .`;

describe("a list of its own for what inherits", () => {
  for (const subjectUrl of [DOCUMENT, FOLDER]) {
    it(`${subjectUrl.slice(BASE.length)}: nobody gains or loses`, async () => {
      const quads = await parse(PREFIXES + ROOT_LIST, `${ROOT}.acl`);
      const inherited = readAccessList(quads, ROOT).inherited;
      const list = asOwnList(quads, { aclUrl: `${ROOT}.acl`, subjectUrl });
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
      expect(own.flatMap(({ groups }) => groups.map(({ iri }) => iri))).to.deep.equal([`${ROOT}g.ttl#g`]);
      expect(readAccessList(list, ROOT), "nothing about the folder above is left").to.deep.equal({
        own: [],
        inherited: [],
      });
      expect(JSON.stringify(list)).to.not.include(`${ROOT}.acl#`);
    });
  }
  it("what has a list of its own keeps it as it is", async () => {
    const quads = await parse(PREFIXES + ROOT_LIST, `${ROOT}.acl`);
    expect(asOwnList(quads, { aclUrl: `${ROOT}.acl`, subjectUrl: ROOT })).to.equal(quads);
  });
  it("a list that does not concern the resource is refused", () => {
    expect(() => asOwnList([], { aclUrl: `${BASE}ben/.acl`, subjectUrl: DOCUMENT })).to.throw(Problem);
  });
});

describe("taking somebody off a list", () => {
  it("others of the same authorization keep it", async () => {
    const quads = await parse(PREFIXES + ROOT_LIST, `${ROOT}.acl`);
    const { inherited } = readAccessList(withoutNamed(quads, acl.agent, DORA), ROOT);
    expect(may(inherited, as(DORA, { client: APP }))).to.equal("");
    expect(may(inherited, as(SHOP, { client: APP }))).to.equal("append");
  });
  it("the public goes, and people stay", async () => {
    const quads = await parse(PREFIXES + ROOT_LIST, `${ROOT}.acl`);
    const { own } = readAccessList(withoutNamed(quads, acl.agentClass, foaf.Agent), ROOT);
    expect(may(own, PUBLIC_AGENT)).to.equal("");
    expect(may(own, as(ANA))).to.equal("read write append control");
  });
  it("an authorization goes with its last agent, and its conditions with it", async () => {
    const quads = await parse(
      `${PREFIXES} <#a> a acl:Authorization; acl:agent <${DORA}>; acl:origin <https://good.example>; acl:accessTo <today.ttl>; acl:mode acl:Read; acl:condition [ a acl:ClientCondition; acl:clientClass foaf:Agent ] .`,
      `${DOCUMENT}.acl`,
    );
    expect(withoutNamed(quads, acl.agent, DORA)).to.deep.equal([]);
  });
  it("a list that does not name them is the same list", async () => {
    const quads = await parse(PREFIXES + ROOT_LIST, `${ROOT}.acl`);
    expect(withoutNamed(quads, acl.agent, "https://nobody.example/#me")).to.equal(quads);
  });

  it("law: it gives nobody anything, and takes from nobody else", async () => {
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
        const after = readAccessList(withoutNamed(quads, acl.agent, DORA), ROOT).inherited;
        for (const who of people) {
          for (const mode of modesOf(after, who)) expect(modesOf(before, who)).to.include(mode);
          if (who.webid !== DORA) expect(may(after, who)).to.equal(may(before, who));
        }
      }),
      { numRuns: 300 },
    );
  });
});
