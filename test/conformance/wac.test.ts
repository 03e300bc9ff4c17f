import { expect } from "chai";
import { Parser } from "n3";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const ACL = "http://www.w3.org/ns/auth/acl#";
const TURTLE = { "content-type": "text/turtle" };
const ORIGIN = "https://app.example";

/** Names are the anchors of the clauses. What other tests show is not here: wac-rows.ts says which. */
describe("Web Access Control over HTTP", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const url = (path: string) => `${ana.pod}${path}`;
  const statusOf = async (who: Pick<Person, "fetch">, path: string, init: RequestInit = {}) =>
    (await who.fetch(url(path), init)).status;
  /** Ana keeps all modes; then what Ben gets, in Turtle, of `subject`. */
  const grant = async (subject: string, rules: string) => {
    const owner = `<#owner> a acl:Authorization; acl:agent <${ana.webid}>; acl:accessTo <${url(subject)}>; acl:default <${url(subject)}>; acl:mode acl:Read, acl:Write, acl:Control .`;
    const body = `@prefix acl: <${ACL}> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .\n${owner}\n${rules}`;
    const response = await ana.fetch(url(`${subject}.acl`), { method: "PUT", headers: TURTLE, body });
    expect(response.ok, await response.text()).to.equal(true);
  };
  const read = (subject: string, more: string) =>
    `<#read> a acl:Authorization; acl:accessTo <${url(subject)}>; acl:mode acl:Read; ${more} .`;

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
    await write(ana, url("a.ttl"));
    await write(ana, url("folder/a.ttl"));
    await write(ana, url("folder/deep/a.ttl"));
  });
  after(() => server.close());

  it("server-link-acl, server-resource-acl-max: one list, named on every answer about a resource", async () => {
    for (const path of ["", "folder/", "a.ttl"])
      for (const init of [{}, { method: "HEAD" }, { method: "OPTIONS" }]) {
        const links = [
          ...((await ana.fetch(url(path), init)).headers.get("link") ?? "").matchAll(
            /<([^>]*)>;\s*rel="?acl"?(?=,|$)/g,
          ),
        ];
        expect(
          links.map(([, target]) => target),
          `${JSON.stringify(init)} ${path}`,
        ).to.deep.equal([url(`${path}.acl`)]);
      }
  });

  it("server-get-acl-turtle, server-root-container-acl, server-root-container-acl-authorization-control: the root's list says in Turtle who controls it", async () => {
    for (const method of ["GET", "HEAD"]) {
      const response = await ana.fetch(url(".acl"), { method, headers: { accept: "text/turtle" } });
      expect(response.status).to.equal(200);
      expect(response.headers.get("content-type")).to.equal("text/turtle");
      if (method === "HEAD") continue;
      const quads = new Parser({ baseIRI: url(".acl") }).parse(await response.text());
      const has = (subject: string, predicate: string, object: string) =>
        quads.some(
          (quad) =>
            quad.subject.value === subject &&
            quad.predicate.value === `${ACL}${predicate}` &&
            quad.object.value === object,
        );
      const inControl = quads.filter(({ object }) => object.value === `${ACL}Control`);
      expect(inControl.some(({ subject }) => has(subject.value, "agent", ana.webid))).to.equal(true);
      expect(inControl.some(({ subject }) => has(subject.value, "accessTo", ana.pod))).to.equal(true);
    }
  });

  it("server-acl-without-representation, server-get-acl-without-representation: what inherits has no list of its own, 404", async () => {
    for (const path of ["folder/.acl", "folder/a.ttl.acl"])
      for (const method of ["GET", "HEAD"]) expect(await statusOf(ana, path, { method }), path).to.equal(404);
    await setAccess(ana, url("folder/"), [{ to: ben.webid, modes: ["Read"], on: "members" }]);
    expect(await statusOf(ana, "folder/.acl")).to.equal(200);
    expect(await statusOf(ana, "folder/a.ttl.acl"), "inherits").to.equal(404);
    expect(await statusOf(ben, "folder/a.ttl")).to.equal(200);
    await ana.fetch(url("folder/.acl"), { method: "DELETE" });
    expect(await statusOf(ana, "folder/.acl")).to.equal(404);
    expect(await statusOf(ben, "folder/a.ttl")).to.equal(403);
  });

  it("effective-acl-resource: the nearest list counts alone", async () => {
    await setAccess(ana, url("folder/"), [{ to: ben.webid, modes: ["Read"] }]);
    expect(await statusOf(ben, "folder/deep/a.ttl")).to.equal(200);
    await setAccess(ana, url("folder/deep/"), [{ to: ben.webid, modes: ["Append"] }]);
    expect(await statusOf(ben, "folder/deep/a.ttl"), "no union").to.equal(403);
    expect(await statusOf(ben, "folder/a.ttl")).to.equal(200);
    for (const path of ["folder/.acl", "folder/deep/.acl"]) await ana.fetch(url(path), { method: "DELETE" });
  });

  it("access-objects: acl:accessTo is the resource itself, acl:default what is below", async () => {
    await setAccess(ana, url("folder/"), [{ to: ben.webid, modes: ["Read"], on: "own" }]);
    expect([await statusOf(ben, "folder/"), await statusOf(ben, "folder/a.ttl")]).to.deep.equal([200, 403]);
    await setAccess(ana, url("folder/"), [{ to: ben.webid, modes: ["Read"], on: "members" }]);
    expect([
      await statusOf(ben, "folder/"),
      await statusOf(ben, "folder/a.ttl"),
      await statusOf(ben, "folder/deep/a.ttl"),
    ]).to.deep.equal([403, 200, 200]);
    await ana.fetch(url("folder/.acl"), { method: "DELETE" });
  });

  it("server-create-operation, note on PUT: a new member needs Append or Write on the folder, and PUT also Write on the member", async () => {
    const put = (name: string) =>
      statusOf(ben, `folder/${name}`, { method: "PUT", headers: TURTLE, body: "<> <urn:x:is> 1 ." });
    const post = () =>
      statusOf(ben, "folder/", { method: "POST", headers: TURTLE, body: "<> <urn:x:is> 1 ." });
    const cases = [
      ["nothing", [], 403, 403],
      ["Append on both", [{ to: ben.webid, modes: ["Append"] }], 403, 201],
      ["Append on the folder alone", [{ to: ben.webid, modes: ["Append"], on: "own" }], 403, null],
      ["Write on what is in it alone", [{ to: ben.webid, modes: ["Write"], on: "members" }], 403, 403],
      [
        "Append on the folder, Write on what is in it",
        [
          { to: ben.webid, modes: ["Append"], on: "own" },
          { to: ben.webid, modes: ["Write"], on: "members" },
        ],
        201,
        201,
      ],
      ["Write on both", [{ to: ben.webid, modes: ["Write"] }], 201, 201],
    ] as const;
    for (const [what, grants, byPut, byPost] of cases) {
      await setAccess(ana, url("folder/"), grants);
      expect(await put(`${what.replaceAll(" ", "-")}.ttl`), `PUT with ${what}`).to.equal(byPut);
      if (byPost !== null) expect(await post(), `POST with ${what}`).to.equal(byPost);
    }
    await ana.fetch(url("folder/.acl"), { method: "DELETE" });
  });

  it("server-delete-operation: an end needs Write on the resource and on its folder", async () => {
    const end = async (
      own: readonly ["Read" | "Append" | "Write"],
      folder: readonly ["Read" | "Append" | "Write"],
    ) => {
      await write(ana, url("ends/a.ttl"));
      await setAccess(ana, url("ends/"), [{ to: ben.webid, modes: folder, on: "own" }]);
      await setAccess(ana, url("ends/a.ttl"), [{ to: ben.webid, modes: own, on: "own" }]);
      return statusOf(ben, "ends/a.ttl", { method: "DELETE" });
    };
    expect(await end(["Write"], ["Append"])).to.equal(403);
    expect(await end(["Append"], ["Write"])).to.equal(403);
    expect(await end(["Write"], ["Write"])).to.be.within(200, 299);
  });

  it("server-control-operation: a list needs Control, which is nothing else", async () => {
    const tries = () =>
      Promise.all([
        statusOf(ben, "a.ttl.acl"),
        statusOf(ben, "a.ttl.acl", {
          method: "PATCH",
          headers: { "content-type": "application/sparql-update" },
          body: "INSERT DATA { <> <urn:x:is> 1 }",
        }),
        statusOf(ben, "a.ttl"),
      ]);
    await setAccess(ana, url("a.ttl"), [{ to: ben.webid, modes: ["Read", "Write"] }]);
    expect(await tries()).to.deep.equal([403, 403, 200]);
    await setAccess(ana, url("a.ttl"), [{ to: ben.webid, modes: ["Control"] }]);
    expect(await tries()).to.deep.equal([200, 204, 403]);
  });

  it("extension-acl-mode: a mode nobody knows is no error, and gives nothing", async () => {
    await grant(
      "a.ttl",
      `<#x> a acl:Authorization; acl:agent <${ben.webid}>; acl:accessTo <${url("a.ttl")}>; acl:mode <urn:x:Sell> .`,
    );
    expect([await statusOf(ana, "a.ttl"), await statusOf(ben, "a.ttl")]).to.deep.equal([200, 403]);
    await grant("a.ttl", read("a.ttl", `acl:agent <${ben.webid}>; acl:mode <urn:x:Sell>`));
    expect(await statusOf(ben, "a.ttl"), "beside one that is known").to.equal(200);
    expect(await statusOf(ben, "a.ttl", { method: "DELETE" })).to.equal(403);
  });

  it("authorization-conformance: a rule without its type, its mode, its agent or its object is no rule", async () => {
    const whole = [
      "a acl:Authorization",
      `acl:agent <${ben.webid}>`,
      `acl:accessTo <${url("a.ttl")}>`,
      "acl:mode acl:Read",
    ];
    await grant("a.ttl", `<#x> ${whole.join("; ")} .`);
    expect(await statusOf(ben, "a.ttl")).to.equal(200);
    for (const missing of whole) {
      await grant("a.ttl", `<#x> ${whole.filter((part) => part !== missing).join("; ")} .`);
      expect(await statusOf(ben, "a.ttl"), `without ${missing}`).to.equal(403);
    }
  });

  it("server-condition-evaluation-conjunctive: all conditions hold, or the rule does not", async () => {
    const issuer = (iri: string) => `[ a acl:IssuerCondition; acl:issuer <${iri}> ]`;
    const client = "[ a acl:ClientCondition; acl:client <https://app.example/id> ]";
    for (const [conditions, status] of [
      [issuer(server.baseUrl), 200],
      [issuer("https://other.example/"), 403],
      [`${issuer(server.baseUrl)}, ${issuer("https://other.example/")}`, 403],
      [`${issuer(server.baseUrl)}, ${client}`, 403],
    ] as const) {
      await grant("a.ttl", read("a.ttl", `acl:agent <${ben.webid}>; acl:condition ${conditions}`));
      expect(await statusOf(ben, "a.ttl"), conditions).to.equal(status);
    }
  });

  it("server-origin-authorization: a page needs its origin to be named beside its agent, unless everybody may", async () => {
    const from = (origin: string) => statusOf(ben, "a.ttl", { headers: { origin } });
    await grant("a.ttl", read("a.ttl", `acl:agent <${ben.webid}>; acl:origin <${ORIGIN}>`));
    expect([await from(ORIGIN), await from("https://evil.example")]).to.deep.equal([200, 403]);
    await grant("a.ttl", read("a.ttl", "acl:agentClass foaf:Agent"));
    expect(await from("https://evil.example")).to.equal(200);
  });

  it("server-cors-acao-acah, server-cors-aceh-wac-allow: the granted answer itself allows the origin and the headers, and shows WAC-Allow", async () => {
    for (const path of ["a.ttl", "folder/", ".acl"]) {
      const { status, headers } = await ana.fetch(url(path), { headers: { origin: ORIGIN } });
      expect(status).to.equal(200);
      expect(headers.get("access-control-allow-origin")).to.equal(ORIGIN);
      const allowed = (headers.get("access-control-allow-headers") ?? "").toLowerCase().split(/,\s*/);
      expect(allowed, path).to.include.members(["accept", "authorization", "content-type", "dpop"]);
      expect(headers.get("access-control-expose-headers")).to.match(/\bWAC-Allow\b/);
      expect(headers.get("wac-allow")).to.match(/^user="/);
    }
  });
});
