/** Section by section: what the text asks of a server, over HTTP; long, for every clause is a case. Each begins with its anchor. */
import { expect } from "chai";
import { aclOf, setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const ACL = "http://www.w3.org/ns/auth/acl#";
const TURTLE = { "content-type": "text/turtle" };
const N3 = "@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch; ";

describe("Web Access Control, clause by clause", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let folder = "";
  let count = 0;
  const put = (url: string, body: string, headers: Record<string, string> = {}) =>
    ana.fetch(url, { method: "PUT", headers: { ...TURTLE, ...headers }, body });
  const patch = (text: string): RequestInit => ({
    method: "PATCH",
    headers: { "content-type": "text/n3" },
    body: `${N3}${text} .`,
  });
  const status = async (response: Promise<Response> | undefined): Promise<number> => {
    const answer = await response;
    await answer?.arrayBuffer();
    return answer?.status ?? 0;
  };
  const links = async (url: string, init: RequestInit = {}): Promise<string[]> =>
    ((await ana.fetch(url, init)).headers.get("link") ?? "").split(/,\s*(?=<)/);
  const targets = async (url: string, relation: string, init?: RequestInit): Promise<string[]> =>
    (await links(url, init)).flatMap((link) => {
      const [, target = "", name = ""] = /^<([^>]*)>; rel="([^"]*)"/.exec(link) ?? [];
      return name === relation ? [target] : [];
    });
  /** Writes a list of the owner and of one rule. @param rule Turtle after `a acl:Authorization;`. */
  const govern = async (place: string, ...rules: readonly string[]): Promise<void> => {
    const owner = aclOf(place, [{ to: ana.webid, modes: ["Read", "Write", "Control"] }]);
    const prefixes = `@prefix acl: <${ACL}>. @prefix foaf: <http://xmlns.com/foaf/0.1/>. @prefix vcard: <http://www.w3.org/2006/vcard/ns#>.`;
    const more = rules.map((rule) => `[] a acl:Authorization; ${rule} .`);
    const answer = await put(`${place}.acl`, [prefixes, owner, ...more].join("\n"));
    expect(answer.ok, await answer.text()).to.equal(true);
  };

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
  });
  after(() => server.close());
  beforeEach(async () => {
    folder = `${ana.pod}case${++count}/`;
    await write(ana, `${folder}a.ttl`);
  });

  it("server-link-acl: every resource names its list, whatever the method", async () => {
    for (const method of ["GET", "HEAD", "OPTIONS"])
      expect(await targets(`${folder}a.ttl`, "acl", { method }), method).to.deep.equal([
        `${folder}a.ttl.acl`,
      ]);
    expect(await targets(folder, "acl")).to.deep.equal([`${folder}.acl`]);
    expect(
      await targets(`${folder}new.ttl`, "acl", { method: "PUT", headers: TURTLE, body: "" }),
    ).to.deep.equal([`${folder}new.ttl.acl`]);
  });

  it("server-resource-acl-max: there is one list, and a list has none of its own", async () => {
    for (const url of [ana.pod, folder, `${folder}a.ttl`, `${folder}.meta`])
      expect(await targets(url, "acl", { method: "OPTIONS" }), url).to.have.length(1);
    expect(await status(ana.fetch(`${folder}.acl.acl`))).to.equal(400);
  });

  it("server-link-condition: the effective list names the types of condition that count", async () => {
    await govern(folder);
    for (const method of ["GET", "HEAD", "OPTIONS"])
      expect(await targets(`${folder}.acl`, `${ACL}condition`, { method }), method).to.deep.equal([
        `${ACL}ClientCondition`,
        `${ACL}IssuerCondition`,
      ]);
    expect(await targets(`${folder}a.ttl`, `${ACL}condition`)).to.deep.equal([]);
  });

  it("server-get-acl-turtle: a list is readable as Turtle, however it was written", async () => {
    const body = JSON.stringify({
      "@id": "#owner",
      "@type": `${ACL}Authorization`,
      [`${ACL}agent`]: { "@id": ana.webid },
      [`${ACL}accessTo`]: { "@id": folder },
      [`${ACL}mode`]: { "@id": `${ACL}Read` },
    });
    expect(await status(put(`${folder}.acl`, body, { "content-type": "application/ld+json" }))).to.equal(201);
    for (const method of ["GET", "HEAD"]) {
      const answer = await ana.fetch(`${folder}.acl`, { method, headers: { accept: "text/turtle" } });
      expect(answer.status).to.equal(200);
      expect(answer.headers.get("content-type")).to.match(/^text\/turtle/);
    }
  });

  it("server-acl-without-representation, server-get-acl-without-representation: where rules are inherited there is no list: 404", async () => {
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Read"] }]);
    for (const method of ["GET", "HEAD"])
      expect(await status(ana.fetch(`${folder}a.ttl.acl`, { method }))).to.equal(404);
    expect(await status(ben.fetch(`${folder}a.ttl`))).to.equal(200);
    expect(await status(ben.fetch(`${folder}a.ttl.acl`)), "to whom it is not authorized").to.equal(403);
    await setAccess(ana, `${folder}a.ttl`, []);
    expect(await status(ben.fetch(`${folder}a.ttl`))).to.equal(403);
    expect(await status(ana.fetch(`${folder}a.ttl.acl`, { method: "DELETE" }))).to.be.oneOf([204, 205]);
    expect(await status(ben.fetch(`${folder}a.ttl`)), "inherits again").to.equal(200);
  });

  it("server-root-container-acl: the root has a list, which cannot be deleted", async () => {
    expect(await status(ana.fetch(`${ana.pod}.acl`))).to.equal(200);
    expect(await status(ana.fetch(`${ana.pod}.acl`, { method: "DELETE" }))).to.equal(405);
    expect(await status(ana.fetch(`${ana.pod}.acl`))).to.equal(200);
  });

  it("server-root-container-acl-authorization-control: the last Control of the root cannot be written away", async () => {
    const before = await (await ana.fetch(`${ana.pod}.acl`)).text();
    const root = (modes: readonly ("Read" | "Write" | "Control")[], to = ana.webid) =>
      aclOf(ana.pod, [{ to, modes }]);
    for (const body of [
      "",
      root(["Read", "Write"]),
      root(["Control"], ben.webid),
      root(["Control"], "public"),
    ])
      expect(await status(put(`${ana.pod}.acl`, body)), body).to.equal(422);
    const deletion = `solid:where { ?rule <${ACL}mode> <${ACL}Control> }; solid:deletes { ?rule <${ACL}mode> <${ACL}Control> }`;
    expect(await status(ana.fetch(`${ana.pod}.acl`, patch(deletion)))).to.equal(422);
    expect(await (await ana.fetch(`${ana.pod}.acl`)).text()).to.equal(before);
  });

  it("access-objects: accessTo is for the resource itself, default for what is below it", async () => {
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Read"], on: "own" }]);
    expect([await status(ben.fetch(folder)), await status(ben.fetch(`${folder}a.ttl`))]).to.deep.equal([
      200, 403,
    ]);
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Read"], on: "members" }]);
    expect([await status(ben.fetch(folder)), await status(ben.fetch(`${folder}a.ttl`))]).to.deep.equal([
      403, 200,
    ]);
    await govern(folder, `acl:agent <${ben.webid}>; acl:mode acl:Read; acl:accessTo <${folder}a.ttl>`);
    expect(await status(ben.fetch(`${folder}a.ttl`)), "a list is about no other resource").to.equal(403);
  });

  it("access-modes: Write includes Append, Control is for the list alone, nothing else includes anything", async () => {
    const insert = patch("solid:inserts { <> <urn:x:was> 2 }");
    const replace: RequestInit = { method: "PUT", headers: TURTLE, body: "<> <urn:x:is> 3 ." };
    const table = [
      ["Read", [200, 403, 403, 403]],
      ["Append", [403, 204, 403, 403]],
      ["Write", [403, 204, 204, 403]],
      ["Control", [403, 403, 403, 200]],
    ] as const;
    for (const [mode, expected] of table) {
      await setAccess(ana, `${folder}a.ttl`, [{ to: ben.webid, modes: [mode] }]);
      const seen = [];
      for (const init of [{}, insert, replace]) seen.push(await status(ben.fetch(`${folder}a.ttl`, init)));
      seen.push(await status(ben.fetch(`${folder}a.ttl.acl`)));
      expect(seen, mode).to.deep.equal(expected);
    }
  });

  it("acl-agentgroup: agents, groups, everybody and everybody who has logged in", async () => {
    await write(
      ana,
      `${folder}group.ttl`,
      `<#us> a <http://www.w3.org/2006/vcard/ns#Group>; <http://www.w3.org/2006/vcard/ns#hasMember> <${ben.webid}> .`,
    );
    const cleo = await server.person(`cleo${count}`);
    const table = [
      [`acl:agent <${ben.webid}>`, [401, 200, 403]],
      [`acl:agentGroup <${folder}group.ttl#us>`, [401, 200, 403]],
      [`acl:agentGroup <${folder}group.ttl#them>`, [401, 403, 403]],
      ["acl:agentClass acl:AuthenticatedAgent", [401, 200, 200]],
      ["acl:agentClass foaf:Agent", [200, 200, 200]],
      [`acl:agentClass <${ben.webid}>`, [401, 403, 403]],
    ] as const;
    for (const [who, expected] of table) {
      await govern(`${folder}a.ttl`, `${who}; acl:accessTo <${folder}a.ttl>; acl:mode acl:Read`);
      const seen = [];
      for (const ask of [fetch, ben.fetch, cleo.fetch]) seen.push(await status(ask(`${folder}a.ttl`)));
      expect(seen, who).to.deep.equal(expected);
    }
    await govern(
      `${folder}a.ttl`,
      `acl:agentGroup <${folder}group.ttl#us>; acl:accessTo <${folder}a.ttl>; acl:mode acl:Read`,
    );
    await write(ana, `${folder}group.ttl`, "<#us> a <http://www.w3.org/2006/vcard/ns#Group> .");
    expect(await status(ben.fetch(`${folder}a.ttl`)), "at the next request after leaving").to.equal(403);
  });

  it("effective-acl: the nearest list is the whole truth", async () => {
    await write(ana, `${folder}deep/leaf.ttl`);
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Read", "Write"] }]);
    expect(await status(ben.fetch(`${folder}deep/leaf.ttl`))).to.equal(200);
    await setAccess(ana, `${folder}deep/`, [{ to: ben.webid, modes: ["Append"] }]);
    expect(await status(ben.fetch(`${folder}deep/leaf.ttl`))).to.equal(403);
    expect(await status(ben.fetch(`${folder}a.ttl`))).to.equal(200);
  });

  it("authorization-conformance: what is not a whole authorization gives nothing", async () => {
    const whole = [`acl:agentClass foaf:Agent`, `acl:accessTo <${folder}a.ttl>`, "acl:mode acl:Read"];
    for (const left of whole) {
      await govern(`${folder}a.ttl`, whole.filter((part) => part !== left).join("; "));
      expect(await status(fetch(`${folder}a.ttl`)), `without ${left}`).to.equal(401);
    }
    const untyped = `[] <${ACL}agentClass> <http://xmlns.com/foaf/0.1/Agent>; <${ACL}accessTo> <${folder}a.ttl>; <${ACL}mode> <${ACL}Read> .`;
    expect((await put(`${folder}a.ttl.acl`, untyped)).ok).to.equal(true);
    expect(await status(fetch(`${folder}a.ttl`)), "without its type").to.equal(401);
    await govern(`${folder}a.ttl`, whole.join("; "));
    expect(await status(fetch(`${folder}a.ttl`))).to.equal(200);
  });

  it("server-read-operation: Read, for GET and HEAD of documents, folders and descriptions", async () => {
    await write(ana, `${folder}.meta`, "<./> <urn:x:title> 'x' .");
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Append", "Write", "Control"] }]);
    for (const place of ["", "a.ttl", ".meta"])
      for (const method of ["GET", "HEAD"])
        expect(await status(ben.fetch(folder + place, { method }))).to.equal(403);
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Read"] }]);
    for (const place of ["", "a.ttl", ".meta"])
      for (const method of ["GET", "HEAD"])
        expect(await status(ben.fetch(folder + place, { method }))).to.equal(200);
  });

  it("server-create-operation: by POST with Append on the folder; by PATCH with Append on both", async () => {
    const post: RequestInit = { method: "POST", headers: TURTLE, body: "" };
    const create = patch("solid:inserts { <> <urn:x:is> 1 }");
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Read", "Control"] }]);
    expect(await status(ben.fetch(folder, post))).to.equal(403);
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Append"] }]);
    expect(await status(ben.fetch(folder, post))).to.equal(201);
    expect(await status(ben.fetch(`${folder}p1.ttl`, create))).to.equal(201);
    for (const on of ["own", "members"] as const) {
      await setAccess(ana, folder, [{ to: ben.webid, modes: ["Append"], on }]);
      expect(await status(ben.fetch(`${folder}p2.ttl`, create)), `${on} alone`).to.equal(403);
    }
  });

  it("note PUT: creating needs Append on the folder and Write on what is new; on the way to it, too", async () => {
    const make: RequestInit = { method: "PUT", headers: TURTLE, body: "" };
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Append"] }]);
    expect(await status(ben.fetch(`${folder}new.ttl`, make))).to.equal(403);
    for (const on of ["own", "members"] as const) {
      await setAccess(ana, folder, [{ to: ben.webid, modes: ["Write"], on }]);
      expect(await status(ben.fetch(`${folder}new.ttl`, make)), `${on} alone`).to.equal(403);
      expect(await status(ben.fetch(`${folder}x/y/new.ttl`, make)), `${on} alone`).to.equal(403);
    }
    await setAccess(ana, folder, [
      { to: ben.webid, modes: ["Append"], on: "own" },
      { to: ben.webid, modes: ["Write"], on: "members" },
    ]);
    expect(await status(ben.fetch(`${folder}new.ttl`, make))).to.equal(201);
    expect(await status(ben.fetch(`${folder}x/y/new.ttl`, make))).to.equal(201);
  });

  it("server-update-operation: adding needs Append, replacing Write, on the resource alone", async () => {
    await setAccess(ana, `${folder}a.ttl`, [{ to: ben.webid, modes: ["Append"] }]);
    expect(await status(ben.fetch(`${folder}a.ttl`, patch("solid:inserts { <> <urn:x:was> 1 }")))).to.equal(
      204,
    );
    const replace: RequestInit = { method: "PUT", headers: TURTLE, body: "<> <urn:x:is> 9 ." };
    expect(await status(ben.fetch(`${folder}a.ttl`, replace))).to.equal(403);
    await setAccess(ana, `${folder}a.ttl`, [{ to: ben.webid, modes: ["Write"] }]);
    expect(await status(ben.fetch(`${folder}a.ttl`, replace))).to.equal(204);
  });

  it("server-delete-operation: Write on the resource and on its folder", async () => {
    const gone: RequestInit = { method: "DELETE" };
    for (const on of ["own", "members"] as const) {
      await setAccess(ana, folder, [{ to: ben.webid, modes: ["Write"], on }]);
      expect(await status(ben.fetch(`${folder}a.ttl`, gone)), `${on} alone`).to.equal(403);
    }
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Write"] }]);
    expect(await status(ben.fetch(`${folder}a.ttl`, gone))).to.be.oneOf([204, 205]);
  });

  it("server-control-operation: a list is read, written and deleted with Control, which gives nothing else", async () => {
    const list = aclOf(`${folder}a.ttl`, [{ to: ben.webid, modes: ["Read"] }]);
    const tries: readonly RequestInit[] = [
      { method: "PUT", headers: TURTLE, body: list },
      {},
      patch("solid:inserts { <> <urn:x:is> 1 }"),
      { method: "DELETE" },
    ];
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Read", "Append", "Write"] }]);
    for (const init of tries) expect(await status(ben.fetch(`${folder}a.ttl.acl`, init))).to.equal(403);
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Control"] }]);
    expect(await status(ben.fetch(`${folder}a.ttl`))).to.equal(403);
    expect(await status(ben.fetch(`${folder}a.ttl.acl`, tries[0]))).to.equal(201);
    expect(await status(ben.fetch(`${folder}a.ttl.acl`)), "he wrote himself no Control").to.equal(403);
    expect(await status(ben.fetch(`${folder}a.ttl`))).to.equal(200);
  });

  it("server-condition-evaluation: types that are not signalled grant nothing (stricter than the text), and signal no error", async () => {
    const rule = `acl:agentClass foaf:Agent; acl:accessTo <${folder}a.ttl>; acl:mode acl:Read`;
    for (const condition of [
      "[ a <urn:x#Moon> ]",
      "[ a acl:ClientCondition, <urn:x#Moon>; acl:clientClass foaf:Agent ]",
      "<urn:x#elsewhere>",
      '"text"',
      "[ a acl:Condition ]",
    ]) {
      await govern(`${folder}a.ttl`, `${rule}; acl:condition ${condition}`);
      expect(await status(fetch(`${folder}a.ttl`)), condition).to.equal(401);
    }
    await govern(`${folder}a.ttl`, `${rule}; acl:condition [ a <urn:x#Moon> ]`, rule);
    expect(await status(fetch(`${folder}a.ttl`)), "other rules of the list hold").to.equal(200);
  });

  it("server-condition-evaluation-conjunctive: clients and issuers, by name, by group and by class, all at once", async () => {
    const issuer = server.baseUrl;
    await write(
      ana,
      `${folder}groups.ttl`,
      `<#issuers> <http://www.w3.org/2006/vcard/ns#hasMember> <${issuer}> . <#none> a <http://www.w3.org/2006/vcard/ns#Group> .`,
    );
    const table = [
      [`[ a acl:IssuerCondition; acl:issuer <${issuer}> ]`, 200],
      ["[ a acl:IssuerCondition; acl:issuer <https://other.example/> ]", 403],
      [`[ a acl:IssuerCondition; acl:issuer <https://other.example/>, <${issuer}> ]`, 200],
      [`[ a acl:IssuerCondition; acl:issuerGroup <${folder}groups.ttl#issuers> ]`, 200],
      [`[ a acl:IssuerCondition; acl:issuerGroup <${folder}groups.ttl#none> ]`, 403],
      ["[ a acl:IssuerCondition; acl:issuerClass foaf:Agent ]", 200],
      ["[ a acl:IssuerCondition; acl:issuerClass acl:AuthenticatedAgent ]", 403],
      ["[ a acl:IssuerCondition ]", 403],
      ["[ a acl:ClientCondition; acl:clientClass foaf:Agent ]", 200],
      ["[ a acl:ClientCondition; acl:client <https://app.example/id> ]", 403],
      [`[ a acl:ClientCondition; acl:issuer <${issuer}> ]`, 403],
      [
        `[ a acl:IssuerCondition; acl:issuer <${issuer}> ], [ a acl:ClientCondition; acl:clientClass foaf:Agent ]`,
        200,
      ],
      [
        `[ a acl:IssuerCondition; acl:issuer <${issuer}> ], [ a acl:ClientCondition; acl:client <https://app.example/id> ]`,
        403,
      ],
      [
        `[ a acl:IssuerCondition, acl:ClientCondition; acl:issuer <${issuer}>; acl:client <https://app.example/id> ]`,
        403,
      ],
    ] as const;
    for (const [condition, expected] of table) {
      await govern(
        `${folder}a.ttl`,
        `acl:agent <${ben.webid}>; acl:accessTo <${folder}a.ttl>; acl:mode acl:Read; acl:condition ${condition}`,
      );
      expect(await status(ben.fetch(`${folder}a.ttl`)), condition).to.equal(expected);
    }
  });

  it("server-origin-authorization: agent and origin must match, unless the mode is public", async () => {
    const from = (origin: string): RequestInit => ({ headers: { origin } });
    const url = `${folder}a.ttl`;
    const rule = `acl:accessTo <${url}>; acl:mode acl:Read`;
    await govern(url, `acl:agent <${ben.webid}>; acl:origin <https://good.example>; ${rule}`);
    expect(await status(ben.fetch(url, from("https://good.example")))).to.equal(200);
    expect(await status(ben.fetch(url, from("https://evil.example")))).to.equal(403);
    expect(await status(ben.fetch(url, from("null")))).to.equal(403);
    expect(await status(ben.fetch(url)), "no page asks").to.equal(200);
    expect(await status(fetch(url, from("https://good.example"))), "an origin is nobody").to.equal(401);
    await govern(url, `acl:agentClass foaf:Agent; acl:origin <https://good.example>; ${rule}`);
    expect(await status(ben.fetch(url, from("https://evil.example")))).to.equal(200);
  });

  it("server-cors-acao-acah, server-cors-aceh-wac-allow: on the authorized answer itself", async () => {
    const answer = await ana.fetch(`${folder}a.ttl`, { headers: { origin: "https://app.example" } });
    expect(answer.headers.get("access-control-allow-origin")).to.equal("https://app.example");
    expect(answer.headers.get("access-control-allow-headers")).to.match(/authorization/i);
    expect(answer.headers.get("access-control-expose-headers")).to.match(/\bwac-allow\b/i);
  });

  it("server-wac-allow: GET and HEAD say what the agent and what everybody may", async () => {
    await setAccess(ana, `${folder}a.ttl`, [
      { to: ben.webid, modes: ["Append", "Control"] },
      { to: "public", modes: ["Read"] },
    ]);
    for (const method of ["GET", "HEAD"]) {
      const told = async (ask: typeof fetch | Person["fetch"]) =>
        (await ask(`${folder}a.ttl`, { method })).headers.get("wac-allow");
      expect(await told(ben.fetch)).to.equal('user="read append control",public="read"');
      expect(await told(fetch)).to.equal('user="read",public="read"');
      expect(await told(ana.fetch)).to.equal('user="read write append control",public="read"');
    }
  });

  it("extension-acl-mode: modes nobody knows are no error, and give nothing", async () => {
    const rule = `acl:agentClass foaf:Agent; acl:accessTo <${folder}a.ttl>`;
    await govern(`${folder}a.ttl`, `${rule}; acl:mode <urn:x#Sell>, acl:Access`);
    expect(await status(fetch(`${folder}a.ttl`))).to.equal(401);
    await govern(`${folder}a.ttl`, `${rule}; acl:mode <urn:x#Sell>, acl:Read`);
    expect(await status(fetch(`${folder}a.ttl`))).to.equal(200);
  });

  it("bad-acl: what is no RDF, or too much, is refused, and the old list stays", async () => {
    await setAccess(ana, folder, [{ to: ben.webid, modes: ["Read"] }]);
    const before = await (await ana.fetch(`${folder}.acl`)).text();
    expect(await status(put(`${folder}.acl`, "this is <not Turtle"))).to.equal(400);
    expect(await status(put(`${folder}.acl`, "hello", { "content-type": "text/plain" }))).to.be.oneOf([
      409, 415,
    ]);
    const many = Array.from({ length: 1_001 }, (_, n) => `<#r${n}> a <${ACL}Authorization> .`).join("\n");
    expect(await status(put(`${folder}.acl`, many))).to.equal(422);
    expect(await (await ana.fetch(`${folder}.acl`)).text()).to.equal(before);
    expect(await status(ben.fetch(`${folder}a.ttl`))).to.equal(200);
  });

  it("the rules of the other language have no address here", async () => {
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      const body = method === "PUT" ? { headers: TURTLE, body: "" } : {};
      expect(await status(ana.fetch(`${folder}.acr`, { method, ...body })), method).to.equal(404);
    }
    expect(await status(ana.fetch(`${folder}x.acr/`, { method: "PUT", headers: TURTLE }))).to.equal(400);
    const made = await ana.fetch(folder, { method: "POST", headers: { ...TURTLE, slug: "x.acr" }, body: "" });
    expect(made.headers.get("location")).to.equal(`${folder}x-acr`);
  });
});
