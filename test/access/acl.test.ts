import { expect } from "chai";
import { checkAcl, readAccessList } from "../../server/access/acl.ts";
import { Problem } from "../../server/errors.ts";
import { parseWebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { ANA, BASE, DORA, PREFIXES, SHOP } from "./fixture.ts";

const ROOT = `${BASE}ana/`;
const DOCUMENT = `${ROOT}notes.ttl`;
const parse = (text: string, url: string) =>
  parseRdf(new TextEncoder().encode(PREFIXES + text), "text/turtle", url);
const own = async (text: string) => readAccessList(await parse(text, `${DOCUMENT}.acl`), DOCUMENT).own;

describe("reading an access list", () => {
  it("reads what an authorization says", async () => {
    const rules =
      await own(`<#a> a acl:Authorization; acl:accessTo <notes.ttl>; acl:mode acl:Read, acl:Write, <urn:x>;
      acl:agent <${DORA}>, <${SHOP}>; acl:agentClass acl:AuthenticatedAgent; acl:agentGroup <groups#a>; acl:origin <https://app.example/> .`);
    expect(rules).to.deep.equal([
      {
        modes: ["read", "write"],
        everyone: false,
        signedIn: true,
        agents: new Set([DORA, SHOP]),
        groups: [{ iri: `${ROOT}groups#a`, members: new Set() }],
        origins: new Set(["https://app.example"]),
        conditions: [],
      },
    ]);
  });

  const nothing: readonly [story: string, text: string][] = [
    [
      "an authorization without its type",
      "[] acl:accessTo <notes.ttl>; acl:mode acl:Read; acl:agentClass foaf:Agent .",
    ],
    ["one without a mode", "[] a acl:Authorization; acl:accessTo <notes.ttl>; acl:agentClass foaf:Agent ."],
    [
      "one with unknown modes only",
      "[] a acl:Authorization; acl:accessTo <notes.ttl>; acl:mode acl:Access; acl:agentClass foaf:Agent .",
    ],
    ["one for nobody", "[] a acl:Authorization; acl:accessTo <notes.ttl>; acl:mode acl:Read ."],
    [
      "one for an unknown class",
      "[] a acl:Authorization; acl:accessTo <notes.ttl>; acl:mode acl:Read; acl:agentClass <urn:x> .",
    ],
    ["one about nothing", "[] a acl:Authorization; acl:mode acl:Read; acl:agentClass foaf:Agent ."],
    [
      "one about another document",
      "[] a acl:Authorization; acl:accessTo <other.ttl>; acl:mode acl:Read; acl:agentClass foaf:Agent .",
    ],
    [
      "one about the folder",
      "[] a acl:Authorization; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read; acl:agentClass foaf:Agent .",
    ],
    [
      "one with acl:default on a document",
      "[] a acl:Authorization; acl:default <notes.ttl>; acl:mode acl:Read; acl:agentClass foaf:Agent .",
    ],
    [
      "one about the same address with a fragment",
      "[] a acl:Authorization; acl:accessTo <notes.ttl#it>; acl:mode acl:Read; acl:agentClass foaf:Agent .",
    ],
    [
      "one whose address is text",
      `[] a acl:Authorization; acl:accessTo "${DOCUMENT}"; acl:mode acl:Read; acl:agentClass foaf:Agent .`,
    ],
    [
      "one whose mode is text",
      `[] a acl:Authorization; acl:accessTo <notes.ttl>; acl:mode "http://www.w3.org/ns/auth/acl#Read"; acl:agentClass foaf:Agent .`,
    ],
    [
      "one for a class of resources",
      "[] a acl:Authorization; acl:accessToClass foaf:Document; acl:mode acl:Read; acl:agentClass foaf:Agent .",
    ],
  ];
  for (const [story, text] of nothing)
    it(`${story} does not count`, async () => expect(await own(text)).to.deep.equal([]));

  it("a list speaks for what is below only by acl:default, and never for what is elsewhere", async () => {
    const quads = await parse(
      "<#a> a acl:Authorization; acl:default <./>; acl:mode acl:Read; acl:agentClass foaf:Agent .",
      `${ROOT}.acl`,
    );
    expect(readAccessList(quads, ROOT).inherited).to.have.length(1);
    expect(readAccessList(quads, ROOT).own, "the folder itself").to.deep.equal([]);
    expect(readAccessList(quads, `${BASE}ben/`), "another pod").to.deep.equal({ own: [], inherited: [] });
  });

  const conditions: readonly [story: string, text: string, kinds: string[]][] = [
    ["a client", "[ a acl:ClientCondition; acl:client <urn:x> ]", ["client"]],
    [
      "a condition of two types holds if both do",
      "[ a acl:ClientCondition, acl:IssuerCondition ]",
      ["client", "issuer"],
    ],
    ["the general type says nothing", "[ a acl:Condition, acl:IssuerCondition ]", ["issuer"]],
    ["an unknown type", "[ a <urn:x#Time> ]", ["unknown"]],
    ["an unknown type beside a known one", "[ a acl:ClientCondition, <urn:x#Time> ]", ["client", "unknown"]],
    ["no type", "[ acl:client <urn:x> ]", ["unknown"]],
    ["only the general type", "[ a acl:Condition ]", ["unknown"]],
    ["described elsewhere", "<https://else.example/c>", ["unknown"]],
    ["text", '"always"', ["unknown"]],
    ["text that is a condition's address", `"${DOCUMENT}.acl#c"`, ["unknown"]],
    ["that address", "<#c>", ["client"]],
  ];
  for (const [story, text, kinds] of conditions) {
    it(`conditions: ${story}`, async () => {
      const [rule] = await own(
        `[] a acl:Authorization; acl:accessTo <notes.ttl>; acl:mode acl:Read; acl:agentClass foaf:Agent; acl:condition ${text} . <#c> a acl:ClientCondition .`,
      );
      expect(rule?.conditions.map(({ kind }) => kind).sort()).to.deep.equal(kinds);
    });
  }

  for (const origin of [
    '"https://app.example"',
    "<https://app.example/path>",
    "<urn:app>",
    "<https://app.example/?q>",
    "_:x",
  ]) {
    it(`an origin that is none (${origin}) still narrows to origins`, async () => {
      const [rule] = await own(
        `[] a acl:Authorization; acl:accessTo <notes.ttl>; acl:mode acl:Read; acl:agent <${DORA}>; acl:origin ${origin} .`,
      );
      expect(rule?.origins.size).to.equal(1);
      expect(rule?.origins.has("https://app.example")).to.equal(false);
      expect(rule?.origins.has("null")).to.equal(false);
    });
  }
});

describe("writing an access list", () => {
  const owner = parseWebId(ANA);
  const check = async (text: string, url: string, limits = LIMITS) =>
    checkAcl(await parse(text, `${url}.acl`), { subjectUrl: url, owner, isPodRoot: url === ROOT }, limits);
  const refused = async (text: string, url: string, limits = LIMITS) => {
    try {
      await check(text, url, limits);
    } catch (error) {
      expect(error).to.be.instanceOf(Problem).with.property("code", "acl-invalid");
      return (error as Problem).errors.map(({ detail }) => detail).join(" ");
    }
    return expect.fail("accepted");
  };
  const control = `a acl:Authorization; acl:accessTo <./>; acl:agent <${ANA}>; acl:mode acl:Control`;

  it("the root's list with Control for the owner is accepted", () => check(`[] ${control} .`, ROOT));
  it("an empty list is accepted below the root", () => check("", DOCUMENT));

  const roots: readonly [story: string, text: string][] = [
    ["an empty one", ""],
    [
      "Control for somebody else",
      `[] a acl:Authorization; acl:accessTo <./>; acl:agent <${DORA}>; acl:mode acl:Control .`,
    ],
    [
      "every mode but Control",
      `[] a acl:Authorization; acl:accessTo <./>; acl:agent <${ANA}>; acl:mode acl:Read, acl:Write .`,
    ],
    [
      "Control below the root only",
      `[] a acl:Authorization; acl:default <./>; acl:agent <${ANA}>; acl:mode acl:Control .`,
    ],
    [
      "Control on a condition",
      `[] ${control}; acl:condition [ a acl:ClientCondition; acl:clientClass foaf:Agent ] .`,
    ],
    ["Control from one origin", `[] ${control}; acl:origin <https://app.example> .`],
    [
      "Control by a group",
      `[] a acl:Authorization; acl:accessTo <./>; acl:agentGroup <g#g>; acl:mode acl:Control .`,
    ],
    ["Control without the type", `[] acl:accessTo <./>; acl:agent <${ANA}>; acl:mode acl:Control .`],
    [
      "Control of another pod's root",
      `[] a acl:Authorization; acl:accessTo <../ben/>; acl:agent <${ANA}>; acl:mode acl:Control .`,
    ],
  ];
  for (const [story, text] of roots)
    it(`refused at the root: ${story}`, async () =>
      expect(await refused(text, ROOT)).to.include("acl:Control"));

  it("refused: too many authorizations, complete or not", async () => {
    const limits = { ...LIMITS, aclAuthorizationsMax: 2 } as unknown as typeof LIMITS;
    await check("[] a acl:Authorization . [] a acl:Authorization .", DOCUMENT, limits);
    expect(
      await refused(
        "[] a acl:Authorization . [] a acl:Authorization . [] a acl:Authorization .",
        DOCUMENT,
        limits,
      ),
    ).to.include("at most 2");
  });
  it("refused: too many groups", async () => {
    const limits = { ...LIMITS, aclGroupsMax: 1 } as unknown as typeof LIMITS;
    const list = (groups: string) =>
      `[] a acl:Authorization; acl:accessTo <notes.ttl>; acl:mode acl:Read; acl:agentGroup ${groups} .`;
    await check(list("<a#a>"), DOCUMENT, limits);
    expect(await refused(list("<a#a>, <b#b>"), DOCUMENT, limits)).to.include("at most 1 groups");
  });
});
