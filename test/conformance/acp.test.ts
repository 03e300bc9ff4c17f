import { expect } from "chai";
import { write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const ACP = "http://www.w3.org/ns/solid/acp#";
const ACL = "http://www.w3.org/ns/auth/acl#";
const TURTLE = { "content-type": "text/turtle" };
const TYPE = `<${ACP}AccessControlResource>; rel="type"`;

/** Names are those of the list of requirements, for the clauses have no anchors. */
describe("Access Control Policy over HTTP", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const url = (path: string) => `${ana.pod}${path}`;
  const targets = async (path: string, method: string, relation: string): Promise<readonly string[]> =>
    [
      ...((await ana.fetch(url(path), { method })).headers.get("link") ?? "").matchAll(
        /<([^>]*)>;\s*rel="([^"]*)"/g,
      ),
    ].flatMap(([, target = "", rel]) => (rel === relation ? [target] : []));
  /** The policies of `note.ttl`, beside one by which Ana may do everything. */
  const rule = async (policies: string) => {
    const named = ["<#own>", ...(policies.match(/<#tried\d?>/g) ?? [])].join(", ");
    const body = `@prefix acp: <${ACP}> . @prefix acl: <${ACL}> .
      <> a acp:AccessControlResource ; acp:resource <${url("note.ttl")}> ; acp:accessControl <#c> .
      <#c> a acp:AccessControl ; acp:apply ${named} .
      <#own> a acp:Policy ; acp:allow acl:Read, acl:Write, acl:Control ; acp:anyOf [ a acp:Matcher ; acp:agent <${ana.webid}> ] .
      ${policies}`;
    const answer = await ana.fetch(url("note.ttl.acr"), { method: "PUT", headers: TURTLE, body });
    expect(answer.ok, await answer.text()).to.equal(true);
  };
  const byBen = async () => (await ben.fetch(url("note.ttl"))).status;
  const byAnybody = async () => (await fetch(url("note.ttl"))).status;
  const append = async () =>
    (
      await ben.fetch(url("note.ttl"), {
        method: "PATCH",
        headers: { "content-type": "application/sparql-update" },
        body: "INSERT DATA { <> <urn:x:is> 2 }",
      })
    ).status;

  before(async () => {
    server = await startServer({ FREEHOLD_ACCESS: "acp" });
    ana = await server.person("ana");
    ben = await server.person("ben");
    await write(ana, url("note.ttl"));
    await write(ana, url("folder/a.ttl"));
  });
  after(() => server.close());

  it("acp-link-acl: every resource leads to its own access control resource", async () => {
    for (const path of ["", "folder/", "folder/a.ttl", "note.ttl"])
      for (const method of ["GET", "HEAD"])
        expect(await targets(path, method, "acl"), `${method} ${path}`).to.deep.equal([url(`${path}.acr`)]);
  });

  it("acp-link-type: an access control resource says that it is one, and nothing else does", async () => {
    await rule("");
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      expect((await ana.fetch(url("note.ttl.acr"), { method })).headers.get("link"), method).to.include(TYPE);
      expect((await ana.fetch(url("note.ttl"), { method })).headers.get("link"), method).not.to.include(TYPE);
    }
  });

  it("acp-options: OPTIONS on it lists each mode and each attribute that counts", async () => {
    expect(await targets("note.ttl.acr", "OPTIONS", `${ACP}grant`)).to.have.members(
      ["Read", "Write", "Append", "Control"].map((mode) => ACL + mode),
    );
    expect(await targets("note.ttl.acr", "OPTIONS", `${ACP}attribute`)).to.include.members(
      ["agent", "client", "issuer", "target", "creator", "owner"].map((name) => ACP + name),
    );
  });

  it("acp-grant-graph: what policies allow, less what any denies, and nothing without one", async () => {
    await rule("");
    expect([await byBen(), await append()]).to.deep.equal([403, 403]);
    const who = `acp:anyOf [ a acp:Matcher ; acp:agent <${ben.webid}> ]`;
    await rule(`<#tried> a acp:Policy ; acp:allow acl:Read, acl:Append ; ${who} .`);
    expect([await byBen(), await append()]).to.deep.equal([200, 204]);
    await rule(
      `<#tried> a acp:Policy ; acp:allow acl:Read, acl:Append ; ${who} . <#tried2> a acp:Policy ; acp:deny acl:Append ; ${who} .`,
    );
    expect([await byBen(), await append()]).to.deep.equal([200, 403]);
    await rule("<#tried> a acp:Policy ; acp:allow acl:Read .");
    expect(await byBen(), "a policy without a matcher is never satisfied").to.equal(403);
  });

  describe("acp-matchers", () => {
    const MATCHERS: readonly (readonly [
      what: string,
      matchers: () => string,
      ben: number,
      public_: number,
    ])[] = [
      ["an agent by name", () => `acp:anyOf [ acp:agent <${ben.webid}> ]`, 200, 401],
      ["acp:PublicAgent", () => "acp:anyOf [ acp:agent acp:PublicAgent ]", 200, 200],
      ["acp:AuthenticatedAgent", () => "acp:anyOf [ acp:agent acp:AuthenticatedAgent ]", 200, 401],
      ["acp:OwnerAgent", () => "acp:anyOf [ acp:agent acp:OwnerAgent ]", 403, 401],
      ["acp:CreatorAgent", () => "acp:anyOf [ acp:agent acp:CreatorAgent ]", 403, 401],
      [
        "the issuer",
        () => `acp:anyOf [ acp:agent acp:AuthenticatedAgent ; acp:issuer <${server.baseUrl}> ]`,
        200,
        401,
      ],
      [
        "another issuer",
        () => "acp:anyOf [ acp:agent acp:AuthenticatedAgent ; acp:issuer <https://other.example/> ]",
        403,
        401,
      ],
      [
        "a client",
        () => "acp:anyOf [ acp:agent acp:PublicAgent ; acp:client <https://app.example/id> ]",
        403,
        401,
      ],
      [
        "acp:PublicClient",
        () => "acp:anyOf [ acp:agent acp:PublicAgent ; acp:client acp:PublicClient ]",
        200,
        200,
      ],
      [
        "a credential",
        () => "acp:anyOf [ acp:agent acp:PublicAgent ; acp:vc <https://example.org/Membership> ]",
        403,
        401,
      ],
      [
        "all of two",
        () => `acp:allOf [ acp:agent <${ben.webid}> ], [ acp:agent acp:AuthenticatedAgent ]`,
        200,
        401,
      ],
      [
        "all of two, one of another",
        () => `acp:allOf [ acp:agent <${ben.webid}> ], [ acp:agent <${ana.webid}> ]`,
        403,
        401,
      ],
      ["any of two", () => `acp:anyOf [ acp:agent <${ana.webid}> ], [ acp:agent <${ben.webid}> ]`, 200, 401],
      [
        "everybody but one",
        () => `acp:anyOf [ acp:agent acp:PublicAgent ] ; acp:noneOf [ acp:agent <${ben.webid}> ]`,
        403,
        200,
      ],
    ];
    for (const [what, matchers, forBen, forAnybody] of MATCHERS)
      it(what, async () => {
        await rule(`<#tried> a acp:Policy ; acp:allow acl:Read ; ${matchers()} .`);
        expect([await byBen(), await byAnybody()]).to.deep.equal([forBen, forAnybody]);
      });

    it("acp:CreatorAgent is who made it", async () => {
      expect((await ana.fetch(url("note.ttl"))).status).to.equal(200);
      await rule("<#tried> a acp:Policy ; acp:deny acl:Read ; acp:anyOf [ acp:agent acp:CreatorAgent ] .");
      expect((await ana.fetch(url("note.ttl"))).status).to.equal(403);
      await rule("");
      expect((await ana.fetch(url("note.ttl"))).status).to.equal(200);
    });
  });
});
