import { expect } from "chai";
import { checkAcr, readPolicyList, UNREADABLE } from "../../server/access/acr.ts";
import { languageOf } from "../../server/access/language.ts";
import { grantedModes } from "../../server/access/policies.ts";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { acpDocuments, acr, policy, type Written } from "./acp-worlds.ts";
import { ANA, APP, allows, as, BASE, DORA, ISSUER, modes, PREFIXES, serve, type World } from "./fixture.ts";

const NOTE = { acrUrl: `${BASE}ana/note.acr`, subjectUrl: `${BASE}ana/note` };
const quadsOf = (text: string, url = NOTE.acrUrl) =>
  parseRdf(new TextEncoder().encode(PREFIXES + text), "text/turtle", url);
const serveAcp = (world: World) =>
  serve({ ...acpDocuments, ...world }, {}, LIMITS, async () => UNNARROWED, "acp");

describe("an access control resource", () => {
  const good = acr("/ana/note", [{ allow: "acl:Read", any: [`acp:agent <${DORA}>`] }]);
  const refused: readonly (readonly [why: string, text: string, says: RegExp])[] = [
    ["is about no resource", "<#x> a acp:Policy .", /no acp:AccessControlResource/],
    ["is about another resource", acr("/ana/other", []), /no acp:AccessControlResource/],
    [
      "is an access list",
      `[] a acl:Authorization; acl:accessTo <note>; acl:mode acl:Read; acl:agent <${DORA}>.`,
      /no acp:AccessControlResource/,
    ],
    [
      "applies what it does not describe",
      "[] acp:resource <note>; acp:accessControl [ acp:apply <https://elsewhere.example/policy> ].",
      /not described/,
    ],
    [
      "has a control that it does not describe",
      "[] acp:resource <note>; acp:memberAccessControl <https://elsewhere.example/control>.",
      /not described/,
    ],
    [
      "has a policy in words",
      `[] acp:resource <note>; acp:accessControl [ acp:apply "all" ].`,
      /not described/,
    ],
    [
      "leaves out by what it does not describe",
      `[] acp:resource <note>; acp:accessControl [ acp:apply [ acp:allow acl:Read; acp:anyOf [ acp:agent acp:PublicAgent ]; acp:noneOf <other.acr#gone> ] ].`,
      /not described/,
    ],
    [
      "matches by what nobody here knows",
      acr("/ana/note", [{ deny: "acl:Read", any: ["<urn:x#tag> <urn:x#Secret>"] }]),
      /urn:x#tag/,
    ],
  ];
  for (const [why, text, says] of refused)
    it(`that ${why} is refused, and would deny everything or give nothing if it stood there`, async () => {
      const quads = await quadsOf(text);
      const check = () => checkAcr(quads, NOTE, LIMITS);
      expect(check).to.throw(Problem, says).with.property("code", "acl-invalid");
      const { own, inherited } = readPolicyList(quads, NOTE);
      for (const list of [own, inherited])
        expect(
          grantedModes(list, { agent: DORA, client: APP, issuer: ISSUER, owner: ANA, creator: DORA }),
        ).to.deep.equal([]);
    });

  it("that is too long is refused", async () => {
    const many = acr(
      "/ana/note",
      Array.from({ length: 4 }, () => ({ allow: "acl:Read", any: ["a acp:Matcher"] })),
    );
    const quads = await quadsOf(many);
    expect(() => checkAcr(quads, NOTE, { ...LIMITS, aclAuthorizationsMax: 3 })).to.throw(
      Problem,
      /at most 3/,
    );
    checkAcr(quads, NOTE, { ...LIMITS, aclAuthorizationsMax: 4 });
  });

  it("is accepted with names, remarks and modes of others", async () => {
    const quads = await quadsOf(
      `${good} <#x> a acp:Policy; <http://www.w3.org/2000/01/rdf-schema#label> "later".`,
    );
    checkAcr(quads, NOTE, LIMITS);
    expect(readPolicyList(quads, NOTE).own.map(({ allow }) => allow)).to.deep.equal([["read"]]);
    const remark = await quadsOf(
      acr("/ana/note", [
        {
          allow: "<urn:x#Sell>",
          any: [`acp:agent <${DORA}>; <http://www.w3.org/2000/01/rdf-schema#comment> "mine"`],
        },
      ]),
    );
    checkAcr(remark, NOTE, LIMITS);
  });

  it("that says nothing of a node of its own is accepted: such a matcher is never satisfied", async () => {
    const quads = await quadsOf(
      "<> acp:accessControl <#c> . <#c> acp:apply <#p> . <#p> acp:allow acl:Read; acp:anyOf <#m>; acp:noneOf <#n> .",
    );
    checkAcr(quads, NOTE, LIMITS);
    const [policy] = readPolicyList(quads, NOTE).own;
    expect(policy?.anyOf).to.deep.equal([{}]);
    checkAcr([], NOTE, LIMITS);
  });

  it("may be named by its own address alone", async () => {
    const quads = await quadsOf(
      `<> a acp:AccessControlResource; acp:accessControl [ acp:apply ${policy({ allow: "acl:Read", any: ["acp:agent acp:PublicAgent"] })} ].`,
    );
    checkAcr(quads, NOTE, LIMITS);
    expect(readPolicyList(quads, NOTE).own).to.have.length(1);
  });

  it("that cannot be read any more denies everything at and below it; the owner keeps Control", async () => {
    const everybody: Written = { allow: "acl:Read", any: ["acp:agent acp:PublicAgent"] };
    const server = await serveAcp({
      "/ana/.acr": acr("/ana/", [everybody], [everybody]),
      "/ana/notes/.acr": "this is <not Turtle",
    });
    expect(await allows(server, as(DORA), "/ana/photo.jpg", "read")).to.equal(true);
    for (const path of ["/ana/notes/", "/ana/notes/2026/today.ttl"]) {
      expect(await allows(server, as(DORA), path, "read")).to.equal(false);
      expect(await modes(server, as(ANA), path)).to.equal("control");
    }
    expect(UNREADABLE.own).to.have.length(1);
  });
});

describe("rules for the owner alone", () => {
  for (const language of ["wac", "acp"] as const)
    it(`shut a place in ${language}, whatever the folders above say`, async () => {
      const { ending, ownerOnly } = languageOf(language);
      const open =
        language === "wac"
          ? `[] a acl:Authorization; acl:agentClass foaf:Agent; acl:accessTo </ana/>; acl:default </ana/>; acl:mode acl:Read, acl:Write .`
          : acr("/ana/", [], [{ allow: "acl:Read, acl:Write", any: ["acp:agent acp:PublicAgent"] }]);
      const world = {
        ...acpDocuments,
        [`/ana/${ending}`]: open,
        [`/ana/notes/${ending}`]: ownerOnly(ANA, `${BASE}ana/notes/`),
        [`/ana/photo.jpg${ending}`]: ownerOnly(ANA, `${BASE}ana/photo.jpg`),
      };
      const server = await serve(world, {}, LIMITS, async () => UNNARROWED, language);
      for (const path of ["/ana/notes/", "/ana/notes/2026/today.ttl", "/ana/photo.jpg"]) {
        for (const who of [as(null), as(DORA), as(DORA, { client: APP, issuer: ISSUER })])
          expect(await modes(server, who, path), path).to.equal("");
        expect(await modes(server, as(ANA), path), path).to.equal("read write append control");
      }
    });
});
