/** Earlier versions and the trash: by the owner's doors and the operator's tasks, and by no other way. */
import { expect } from "chai";
import { TASKS } from "../../server/cli/tasks/index.ts";
import { type Browser, openBrowser } from "../account/client.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { setAccess, write } from "./people.ts";

const PATH = "/ana/notes/plan.ttl";

describe("Earlier versions and the trash", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let browser: Browser;
  let visitor: Browser;
  const url = (path: string): string => `${ana.pod}${path}`;

  async function task(name: string, args: readonly string[], flags: Record<string, string | boolean> = {}) {
    const found = TASKS.find((one) => one.name === name);
    if (!found) throw new Error(`no task ${name}`);
    const { lines, exit } = await found.run(server.context, { args, flags, secret: null }, () => {});
    expect(exit).to.equal(0);
    return lines;
  }
  async function signIn(pod: string): Promise<Browser> {
    const opened = openBrowser(server);
    await opened.send("POST", "/.account/login", { pod, password: `a long password of ${pod}` });
    return opened;
  }
  const versions = async () => (await browser.send("GET", `/.account/history?path=${PATH}`)).body.versions;
  const trash = async () => (await browser.send("GET", "/.account/trash")).body.items;

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
    browser = await signIn("ana");
    visitor = await signIn("ben");
    for (const text of ["canary-one", "canary-two", "three"])
      await write(ana, url("notes/plan.ttl"), `<> <urn:x:is> "${text}" .`);
    await setAccess(ana, url("notes/"), [{ to: ben.webid, modes: ["Read", "Write"] }]);
    await write(ana, url("notes/gone.ttl"), '<> <urn:x:is> "canary-gone" .');
    await setAccess(ana, url("notes/gone.ttl"), [{ to: "public", modes: ["Read"], on: "own" }]);
    await ana.fetch(url("notes/gone.ttl"), { method: "DELETE" });
  });
  after(() => server.close());

  it("are nothing that a request to the pod can see, not even the owner's", async () => {
    const id = (await trash())[0].id;
    const ask = encodeURIComponent("SELECT ?g ?s ?p ?o WHERE { GRAPH ?g { ?s ?p ?o } }");
    for (const who of [ana.fetch, ben.fetch, fetch]) {
      for (const path of [
        "notes/",
        "",
        "notes/gone.ttl",
        "notes/gone.ttl.acl",
        "notes/plan.ttl?version=1",
        ".trash/",
        `trash%20${id}`,
        `trash/${id}`,
        `sparql?query=${ask}`,
        `sparql?query=${ask}&default-graph-uri=${encodeURIComponent(url("notes/gone.ttl"))}`,
      ]) {
        const response = await who(url(path));
        const text = await response.text();
        expect(text, path).not.to.match(/canary/);
        if (path === "notes/" && response.ok) expect(text).not.to.include("gone");
      }
    }
    const overview = await browser.send("GET", "/.account/overview");
    expect(JSON.stringify(overview.body)).not.to.include("gone.ttl");
  });

  it("are the owner's: another account finds nothing of them, and a visitor must sign in", async () => {
    const [item] = await trash();
    expect((await visitor.send("GET", "/.account/trash")).body.items).to.deep.equal([]);
    expect((await visitor.send("GET", `/.account/history?path=${PATH}`)).status).to.equal(404);
    expect((await visitor.send("GET", `/.account/history/version?number=1&path=${PATH}`)).status).to.equal(
      404,
    );
    expect(
      (await visitor.send("POST", "/.account/history/restore", { path: PATH, number: 1 })).status,
    ).to.equal(404);
    for (const act of ["restore", "purge"])
      expect((await visitor.send("POST", `/.account/trash/${act}`, { id: item.id })).status).to.equal(404);
    expect((await visitor.send("POST", "/.account/trash/empty", {})).body).to.deep.equal({ purged: 0 });
    const nobody = openBrowser(server);
    for (const path of [
      "usage",
      `history?path=${PATH}`,
      `history/version?number=1&path=${PATH}`,
      "trash",
      "restrictions",
    ])
      expect((await nobody.send("GET", `/.account/${path}`)).status, path).to.equal(401);
    expect(await trash()).to.have.length(1);
  });

  it("show the owner what a document was, as something to save and never as a page", async () => {
    const list = await versions();
    expect(list.map(({ number }: { number: number }) => number)).to.deep.equal([1, 2]);
    const { status, headers, body } = await browser.send(
      "GET",
      `/.account/history/version?number=1&path=${PATH}`,
    );
    expect(status).to.equal(200);
    expect(body).to.include("canary-one");
    expect(headers.get("content-disposition")).to.equal("attachment");
    expect(headers.get("content-security-policy")).to.match(/sandbox/);
    expect(headers.get("x-content-type-options")).to.equal("nosniff");
    expect(headers.get("cross-origin-resource-policy")).to.equal("same-origin");
    expect((await browser.send("GET", `/.account/history/version?number=99&path=${PATH}`)).status).to.equal(
      404,
    );
    expect((await browser.send("GET", `/.account/history/version?number=x&path=${PATH}`)).status).to.equal(
      400,
    );
  });

  it("bring a version back under the rules of any write", async () => {
    expect(
      (await browser.send("POST", "/.account/history/restore", { path: PATH, number: 1 })).status,
    ).to.equal(200);
    expect(await (await ana.fetch(url("notes/plan.ttl"))).text()).to.include("canary-one");
    expect(await versions()).to.have.length(3);
    const card = "/ana/profile/card";
    const present = await (await ana.fetch(url("profile/card"))).text();
    await write(ana, url("profile/card"), `${present}\n<#me> <urn:x:likes> "tea" .`);
    const restored = await browser.send("POST", "/.account/history/restore", { path: card, number: 1 });
    expect(restored.status, "nothing protected has changed").to.equal(200);
    const list = await ana.fetch(url(".acl"));
    await ana.fetch(url(".acl"), {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: `${await list.text()}\n# changed`,
    });
    expect(
      (await browser.send("POST", "/.account/history/restore", { path: "/ana/.acl", number: 1 })).status,
    ).to.equal(200);
  });

  it("bring back what was deleted, open to whom it was open", async () => {
    await write(ana, url("notes/back.ttl"), '<> <urn:x:is> "back" .');
    await setAccess(ana, url("notes/back.ttl"), [{ to: "public", modes: ["Read"], on: "own" }]);
    await ana.fetch(url("notes/back.ttl"), { method: "DELETE" });
    expect((await fetch(url("notes/back.ttl"))).status).to.equal(401);
    const { id } = (await trash()).find(({ path }: { path: string }) => path === "/ana/notes/back.ttl");
    const { body } = await browser.send("POST", "/.account/trash/restore", { id });
    expect(body).to.deep.equal({ path: "/ana/notes/back.ttl", private: false });
    expect(await (await fetch(url("notes/back.ttl"))).text()).to.include("back");
  });

  it("bring back for the owner alone what was deleted before access was changed anywhere", async () => {
    const [item] = await trash();
    expect(item).to.include({ path: "/ana/notes/gone.ttl", kind: "document", contentType: "text/turtle" });
    expect((await fetch(url("notes/gone.ttl"))).status).to.equal(401);
    const { body } = await browser.send("POST", "/.account/trash/restore", { id: item.id });
    expect(body).to.deep.equal({ path: "/ana/notes/gone.ttl", private: true });
    expect(await (await ana.fetch(url("notes/gone.ttl"))).text()).to.include("canary-gone");
    for (const who of [fetch, ben.fetch])
      expect((await who(url("notes/gone.ttl"))).status).to.be.oneOf([401, 403]);
    expect(await trash()).to.deep.equal([]);
    expect((await browser.send("POST", "/.account/trash/restore", { id: item.id })).status).to.equal(404);
  });

  it("are the operator's to list and bring back, and the owner sees that it was done", async () => {
    await ana.fetch(url("notes/gone.ttl"), { method: "DELETE" });
    const [line = ""] = await task("trash list", ["ana"]);
    expect(line).to.match(/ {2}document {2}\/ana\/notes\/gone\.ttl {2}/);
    expect(line).not.to.include("canary");
    await write(ana, url("notes/gone.ttl"));
    const id = line.split(" ")[0] ?? "";
    expect(await task("trash restore", ["ana", id], { rename: true })).to.deep.equal([
      "It is at /ana/notes/gone-2.ttl",
    ]);
    expect(await task("history list", ["ana", "notes/plan.ttl"])).to.have.length(3);
    await task("history restore", ["ana", "notes/plan.ttl", "2"]);
    expect(await (await ana.fetch(url("notes/plan.ttl"))).text()).to.include("canary-two");
    await ana.fetch(url("notes/gone.ttl"), { method: "DELETE" });
    expect(await task("trash empty", ["ana"])).to.deep.equal(["1 deletions are gone for good"]);
    expect(await task("trash list", ["ana"])).to.deep.equal(["The trash is empty"]);
    const pod = await server.context.pods.find("ana");
    if (!pod) throw new Error("no pod");
    const head = await server.context.store.journal.head(pod.id);
    const rows = await server.context.store.journal.read(pod.id, head.number - 12, 20);
    const said = rows.map(({ entry }) => Buffer.from(entry ?? []).toString()).join("\n");
    for (const act of ["look", "restore", "erase"])
      expect(said).to.match(new RegExp(`"x":"${act}","a":"operator"`));
  });

  it("answer the operator who asks how full pods are, and who says how full they may be", async () => {
    expect((await task("quota show", [])).map((line) => line.split(":")[0])).to.have.members(["ana", "ben"]);
    expect((await task("quota show", ["ana"]))[0]).to.match(/^ana: .* of 1 GiB, .*\(the default\)$/);
    expect((await task("quota set", ["ana", "1.5GiB"]))[0]).to.include("of 1.5 GiB");
    expect((await task("quota set", ["ana", "5000"], { resources: "30" }))[0]).to.match(
      /of 4\.9 KiB, \d+ of 30 doc/,
    );
    expect((await task("quota set", ["ana", "default"]))[0]).to.match(/of 1 GiB, \d+ of 1000000 doc/);
    expect((await task("quota recount", ["ana"]))[0]).to.match(/, as counted$/);
    for (const size of ["lots", "-1", "5 parsecs", "", "1e9", "99999999999999999TiB"])
      await task("quota set", ["ana", size]).then(
        () => expect.fail(size),
        (error: Error) => expect(error.message).to.match(/is no size/),
      );
    await task("quota show", ["nobody"]).then(
      () => expect.fail(),
      (error: Error) => expect(error.message).to.match(/no pod called nobody/),
    );
  });

  it("and a restriction is the operator's to set and lift", async () => {
    expect(await task("restrict", ["ana", "notes/"])).to.include("/ana/notes/");
    expect((await ben.fetch(url("notes/plan.ttl"))).status).to.equal(403);
    expect(await task("restrict", ["ana"])).to.include.members(["/ana/", "/ana/notes/"]);
    expect(await task("unrestrict", ["ana", "/ana/notes/"])).to.deep.equal(["Still frozen:", "/ana/"]);
    expect((await ben.fetch(url("notes/plan.ttl"))).status).to.equal(403);
    expect(await task("unrestrict", ["ana"])).to.deep.equal(["Nothing is frozen"]);
    expect((await ben.fetch(url("notes/plan.ttl"))).status).to.equal(200);
  });
});
