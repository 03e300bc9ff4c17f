import { expect } from "chai";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const LDP = "http://www.w3.org/ns/ldp#";
const TURTLE = { "content-type": "text/turtle" };
const UPDATE = { "content-type": "application/sparql-update" };

/** https://www.rfc-editor.org/rfc/rfc7240 and https://www.w3.org/TR/ldp/#prefer-parameters */
describe("Preferences", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const at = (path: string) => `${ana.pod}${path}`;

  before(async () => {
    server = await startServer();
    [ana, ben] = [await server.person("ana"), await server.person("ben")];
    await write(ana, at("notes/milk.ttl"), "<#it> <urn:x:is> 1 .");
    await write(ana, at("notes/.meta"), "<./> <urn:x:title> 'Notes' .");
  });
  after(() => server.close());

  const prefer = (path: string, value: string, init: RequestInit = {}) =>
    ana.fetch(at(path), {
      ...init,
      headers: { ...(init.headers as Record<string, string>), prefer: value },
    });

  it("a container without its members, for those who want only what it says of itself (ldp prefer-parameters)", async () => {
    for (const parameters of [
      `include="${LDP}PreferMinimalContainer"`,
      `omit="${LDP}PreferContainment"`,
      `omit="${LDP}PreferMembership ${LDP}PreferContainment"`,
      `include="${LDP}PreferEmptyContainer"`,
    ]) {
      for (const accept of ["text/turtle", "application/ld+json"]) {
        const small = await prefer("notes/", `return=representation; ${parameters}`, {
          headers: { accept },
        });
        expect(small.headers.get("preference-applied"), parameters).to.equal("return=representation");
        expect(small.headers.get("vary")).to.match(/\bPrefer\b/);
        const text = await small.text();
        expect(text).to.include("urn:x:title").and.not.include("milk.ttl");
        expect(small.headers.get("etag")).not.to.equal((await ana.fetch(at("notes/"))).headers.get("etag"));
      }
    }
  });
  it("is whole for everybody else", async () => {
    for (const value of [
      "return=minimal",
      `return=representation; include="${LDP}PreferContainment ${LDP}PreferMinimalContainer"`,
      `return=representation; omit="${LDP}PreferMembership"`,
      'return=representation; include="nonsense',
      "respond-async, wait=10",
      ";;;,,,=",
    ]) {
      const whole = await prefer("notes/", value);
      expect(whole.headers.has("preference-applied"), value).to.equal(false);
      expect(await whole.text(), value).to.include("milk.ttl");
    }
  });
  it("a write answers with nothing, or with what there is now", async () => {
    const minimal = await prefer("p.ttl", "return=minimal", { method: "PUT", headers: TURTLE, body: "" });
    expect(minimal.status).to.equal(201);
    expect(minimal.headers.get("preference-applied")).to.equal("return=minimal");
    expect(await minimal.text()).to.equal("");
    for (const [method, path, headers, body, status] of [
      ["PUT", "p.ttl", TURTLE, "<> <urn:x:now> 1 .", 200],
      ["PUT", "fresh.ttl", TURTLE, "<> <urn:x:now> 1 .", 201],
      ["PATCH", "p.ttl", UPDATE, "INSERT DATA { <> <urn:x:now> 2 }", 200],
      ["POST", "notes/", { ...TURTLE, slug: "made.ttl" }, "<> <urn:x:now> 1 .", 201],
    ] as const) {
      const shown = await prefer(path, "return=representation", { method, headers, body });
      expect(shown.status, `${method} ${path}`).to.equal(status);
      expect(shown.headers.get("preference-applied")).to.equal("return=representation");
      const url = status === 201 ? (shown.headers.get("location") ?? "") : at(path);
      expect(shown.headers.get("content-location")).to.equal(url);
      expect(await shown.text()).to.include("urn:x:now");
      expect(shown.headers.get("etag")).to.equal((await ana.fetch(url)).headers.get("etag"));
    }
    const gone = await prefer("p.ttl", "return=representation", { method: "DELETE" });
    expect(await gone.text()).to.equal("");
  });
  it("shows nothing to those who may write and not read", async () => {
    await write(ana, at("drop.ttl"), "<> <urn:x:secret> 1 .");
    await setAccess(ana, at("drop.ttl"), [{ to: ben.webid, modes: ["Append"] }]);
    const added = await ben.fetch(at("drop.ttl"), {
      method: "PATCH",
      headers: { ...UPDATE, prefer: "return=representation" },
      body: "INSERT DATA { <> <urn:x:more> 1 }",
    });
    expect(added.status).to.equal(204);
    expect(added.headers.has("preference-applied")).to.equal(false);
    expect(await added.text()).to.equal("");
  });
  it("and what is shown is a look, in the owner's journal", async () => {
    await write(ana, at("shared.ttl"));
    await setAccess(ana, at("shared.ttl"), [{ to: ben.webid, modes: ["Read", "Write"] }]);
    const pod = (await server.context.pods.find("ana"))!;
    const before = await server.context.journal.length(pod);
    await ben.fetch(at("shared.ttl"), {
      method: "PATCH",
      headers: { ...UPDATE, prefer: "return=representation" },
      body: "INSERT DATA { <> <urn:x:more> 1 }",
    });
    const entries = await server.context.journal.read(pod, before, 10);
    expect(JSON.stringify(entries)).to.include('"look"');
  });
});
