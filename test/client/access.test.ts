import { type Access, grant, inspect, inspectAll, openPod, type Pod, revoke } from "@freehold/client";
import { expect } from "chai";
import { controllersOf, type Effective, materialise, withGrant, withoutGrant } from "../../client-lib/acl.ts";
import { parseTurtle } from "../../client-lib/rdf.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

/** `bea read` for each line, without the owner's. */
function lines(access: readonly Access[], names: Readonly<Record<string, string>>): readonly string[] {
  const nameOf = ({ who }: Access): string => ("iri" in who ? (names[who.iri] ?? who.iri) : who.kind);
  return access
    .filter((one) => nameOf(one) !== "ana")
    .map((one) => `${nameOf(one)} ${one.modes.join("+")}${one.inherited ? " inherited" : ""}`);
}

describe("grant, revoke, inspect", () => {
  let server: TestServer;
  let [ana, bea, cem]: Person[] = [];
  let pod: Pod;
  let names: Record<string, string>;
  const shown = async (path: string) => lines(await inspect(pod, path), names);
  const status = async (person: Person | undefined, path: string, method = "GET"): Promise<number> => {
    const response = await person!.fetch(pod.at(path), {
      method,
      ...(method === "PUT" && { body: "x", headers: { "content-type": "text/plain" } }),
    });
    await response.body?.cancel();
    return response.status;
  };

  before(async () => {
    server = await startServer();
    [ana, bea, cem] = [await server.person("Ana"), await server.person("Bea"), await server.person("Cem")];
    names = { [ana.webid]: "ana", [bea.webid]: "bea", [cem.webid]: "cem" };
    pod = await openPod(ana.pod, { fetch: ana.fetch });
    for (const path of ["health/a.txt", "health/b.txt", "health/deep/c.txt", "other.txt"])
      await pod.writeFile(path, "x", "text/plain");
  });
  after(() => server.close());

  it("gives one document to one person, and to nobody else", async () => {
    await grant(pod, "health/a.txt", { to: bea!.webid, modes: ["read"] });
    expect(await shown("health/a.txt")).to.deep.equal(["bea read"]);
    expect([
      await status(bea, "health/a.txt"),
      await status(bea, "health/b.txt"),
      await status(cem, "health/a.txt"),
    ]).to.deep.equal([200, 403, 403]);
    expect(await status(bea, "health/a.txt", "PUT")).to.equal(403);
  });

  it("keeps the owner's access when a list of the resource's own is made", async () => {
    expect([await status(ana, "health/a.txt"), await status(ana, "health/a.txt.acl")]).to.deep.equal([
      200, 200,
    ]);
    const owner = (await inspect(pod, "health/a.txt")).find(
      ({ who }) => "iri" in who && who.iri === ana!.webid,
    );
    expect(owner?.modes).to.include("control");
  });

  it("gives a folder with all in it but what has a list of its own", async () => {
    await grant(pod, "health/", { to: cem!.webid, modes: ["read", "write"] });
    expect([
      await status(cem, "health/b.txt"),
      await status(cem, "health/deep/c.txt"),
      await status(cem, "health/new.txt", "PUT"),
    ]).to.deep.equal([200, 200, 201]);
    expect([
      await status(cem, "health/a.txt"),
      await status(cem, "other.txt"),
      await status(bea, "health/b.txt"),
    ]).to.deep.equal([403, 403, 403]);
    expect(await shown("health/deep/c.txt")).to.deep.equal(["cem read+write inherited"]);
  });

  it("adds only what is missing, and writes nothing when nothing is", async () => {
    const etag = async () => (await ana!.fetch(`${pod.at("health/")}.acl`)).headers.get("etag");
    const before = await etag();
    await grant(pod, "health/", { to: cem!.webid, modes: ["read", "append"] });
    expect(await etag()).to.equal(before);
    await grant(pod, "health/deep/c.txt", { to: cem!.webid, modes: ["read"] });
    expect(await status(ana, "health/deep/c.txt.acl")).to.equal(404);
  });

  it("takes one mode and leaves the others", async () => {
    const left = await revoke(pod, "health/", { from: cem!.webid, modes: ["write"] });
    expect(lines(left, names)).to.deep.equal(["cem read"]);
    expect([await status(cem, "health/b.txt"), await status(cem, "health/b.txt", "PUT")]).to.deep.equal([
      200, 403,
    ]);
  });

  it("takes everything, from one person only", async () => {
    await grant(pod, "health/", { to: bea!.webid, modes: ["read"] });
    await revoke(pod, "health/", { from: cem!.webid });
    expect(await shown("health/")).to.deep.equal(["bea read"]);
    expect([await status(cem, "health/b.txt"), await status(bea, "health/b.txt")]).to.deep.equal([403, 200]);
  });

  it("stops what was inherited for one document, and keeps it for the rest", async () => {
    await revoke(pod, "health/b.txt", { from: bea!.webid });
    expect([
      await status(bea, "health/b.txt"),
      await status(bea, "health/deep/c.txt"),
      await status(ana, "health/b.txt"),
    ]).to.deep.equal([403, 200, 200]);
  });

  it("opens to everybody and to whoever has logged in, and closes again", async () => {
    await grant(pod, "other.txt", { to: "public", modes: ["read"] });
    expect((await fetch(pod.at("other.txt"))).status).to.equal(200);
    await revoke(pod, "other.txt", { from: "public" });
    await grant(pod, "other.txt", { to: "signed-in", modes: ["read"] });
    expect([(await fetch(pod.at("other.txt"))).status, await status(cem, "other.txt")]).to.deep.equal([
      401, 200,
    ]);
    expect(await shown("other.txt")).to.deep.equal(["signed-in read"]);
    await revoke(pod, "other.txt", { from: "signed-in" });
    expect(await shown("other.txt")).to.deep.equal([]);
  });

  it("refuses to lock the owner out, before anything is sent", async () => {
    for (const modes of [undefined, ["control"] as const]) {
      expect(await codeOf(revoke(pod, "", { from: ana!.webid, ...(modes && { modes }) }))).to.equal(
        "owner-locked-out",
      );
    }
    expect(await status(ana, ".acl")).to.equal(200);
  });

  it("lets no one of many grants at once be lost", async () => {
    await pod.writeFile("busy.txt", "x", "text/plain");
    const many = Array.from({ length: 4 }, (_, index) => `https://friend-${index}.example/card#me`);
    await Promise.all(many.map((to) => grant(pod, "busy.txt", { to, modes: ["read"] })));
    const got = (await inspect(pod, "busy.txt")).flatMap(({ who }) => ("iri" in who ? [who.iri] : []));
    expect(got).to.include.members(many);
  });

  it("shows the whole pod, list by list", async () => {
    const all = await Array.fromAsync(inspectAll(pod));
    const lists = new Set(all.map(({ via }) => via.slice(pod.url.length)));
    expect([...lists])
      .to.include.members([".acl", "profile/card.acl", "health/.acl", "health/a.txt.acl"])
      .and.not.include("health/deep/c.txt.acl");
    const open = all.filter(({ who }) => who.kind === "public").map(({ url }) => url.slice(pod.url.length));
    expect(open).to.have.members(["profile/card", "settings/publicTypeIndex.ttl"]);
  });

  it("tells why to whoever has no control, and to the public", async () => {
    const theirs = await openPod(ana!.pod, { fetch: bea!.fetch });
    expect(await codeOf(inspect(theirs, "health/a.txt"))).to.equal("forbidden");
    expect(await codeOf(grant(theirs, "health/a.txt", { to: bea!.webid, modes: ["write"] }))).to.equal(
      "forbidden",
    );
    expect(await codeOf(inspect(await openPod(ana!.pod), "health/a.txt"))).to.equal("login-required");
    expect(await codeOf(inspect(pod, "nothing.txt"))).to.equal("not-found");
    expect(await codeOf(grant(pod, "other.txt", { to: "bea", modes: ["read"] }))).to.equal("input-invalid");
  });
});

describe("access lists as data", () => {
  const BASE = "https://pod.example/";
  const ANA = "https://ana.example/#me";
  const BEA = "https://bea.example/#me";
  const list = (turtle: string, url = BASE): Effective => ({
    url,
    ofUrl: BASE,
    aclUrl: `${BASE}.acl`,
    quads: parseTurtle(`@prefix acl: <http://www.w3.org/ns/auth/acl#> . ${turtle}`, `${BASE}.acl`),
  });
  const SHARED = `<#both> a acl:Authorization ; acl:agent <${ANA}>, <${BEA}> ; acl:accessTo <./> ; acl:default <./> ; acl:mode acl:Read, acl:Write, acl:Control .`;
  const said = (one: Effective): readonly string[] =>
    one.quads.map(
      ({ subject, predicate, object }) =>
        `${subject.value.replace(/^.*#/, "#")} ${predicate.value.replace(/^.*#/, "")} ${object.value}`,
    );

  it("a rule for two goes on for one", () => {
    const after = withoutGrant(list(SHARED), { webid: BEA }, ["read", "append", "write", "control"]);
    expect(said(after).join("\n")).to.contain(`#both agent ${ANA}`).and.not.contain(BEA);
    expect(controllersOf(after, "itself")).to.deep.equal([ANA]);
  });

  it("what is left to one of two becomes a rule of its own", () => {
    const after = said(withoutGrant(list(SHARED), { webid: BEA }, ["control"]));
    expect(after).to.include.members([
      `#grant-1 agent ${BEA}`,
      "#grant-1 mode http://www.w3.org/ns/auth/acl#Read",
      `#both agent ${ANA}`,
    ]);
    expect(after)
      .to.not.include("#grant-1 mode http://www.w3.org/ns/auth/acl#Control")
      .and.not.include(`#grant-1 agent ${ANA}`);
  });

  it("rules about the contents only are taken too", () => {
    const after = withoutGrant(
      list(`<#d> a acl:Authorization ; acl:agent <${BEA}> ; acl:default <./> ; acl:mode acl:Read .`),
      { webid: BEA },
      ["read"],
    );
    expect(after.quads).to.deep.equal([]);
  });

  it("what is not about this person stays, byte for byte", () => {
    const other = `<#x> a acl:Authorization ; acl:agentGroup <https://g.example/#us> ; acl:accessTo <./> ; acl:mode acl:Read . <#note> <#is> "kept" .`;
    const before = list(other);
    expect(withoutGrant(before, { webid: BEA }, ["read"])).to.equal(before);
    expect(said(withGrant(before, { webid: BEA }, ["read"]))).to.include.members(said(before) as string[]);
  });

  it("a copy of what was inherited brings its conditions, and neither the folder nor rules that are not handed down", () => {
    const turtle = `${SHARED} <#here> a acl:Authorization ; acl:agent <${BEA}> ; acl:accessTo <./> ; acl:mode acl:Read .
      <#both> acl:condition [ a acl:ClientCondition ; acl:client <https://app.example/> ] .`;
    const copy = said(materialise(list(turtle, `${BASE}a.txt`), `${BASE}a.txt.acl`));
    expect(copy).to.include(`#both accessTo ${BASE}a.txt`).and.not.include(`#both accessTo ${BASE}`);
    expect(copy.join("\n"))
      .to.contain("https://app.example/")
      .and.not.contain("#here")
      .and.not.contain(" default ");
  });

  it("a rule that holds only for one application is not enough for a grant", () => {
    const narrow = `<#n> a acl:Authorization ; acl:agent <${BEA}> ; acl:accessTo <./> ; acl:default <./> ; acl:mode acl:Read ; acl:origin <https://app.example> .`;
    expect(said(withGrant(list(narrow), { webid: BEA }, ["read"]))).to.include(`#grant-1 agent ${BEA}`);
  });
});
