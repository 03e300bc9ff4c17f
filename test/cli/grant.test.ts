/** `freehold grant …`: what the operator sees of consent, may let rest and end, and answers in the owner's place. */
import { expect } from "chai";
import type { Task } from "../../server/cli/task.ts";
import { TASKS } from "../../server/cli/tasks/index.ts";
import { requestOf, type Vendor, vendorNamed } from "../consent/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

describe("freehold grant", function () {
  this.timeout(30_000);
  let server: TestServer;
  let ana: Person;
  let shop: Vendor;

  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    shop = await vendorNamed(server, "Shop");
    await ana.fetch(`${ana.pod}notes/today.ttl`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: "<#it> <https://schema.org/name> 1 .",
    });
  });
  after(() => server.close());

  const run = async (...words: readonly string[]): Promise<string> => {
    const task = TASKS.find(({ name }) => name === words.slice(0, 2).join(" ")) as Task;
    const { lines, exit } = await task.run(
      server.context,
      { args: words.slice(2), flags: {}, secret: null },
      () => {},
    );
    expect(exit).to.equal(0);
    return lines.join("\n");
  };
  const mayRead = async (): Promise<boolean> =>
    (await shop.fetch(`${ana.pod}notes/today.ttl`)).status === 200;

  it("lists, answers, lets rest, lets go on, and ends", async () => {
    expect(await run("grant", "list", "ana")).to.equal("Nothing is granted.\nNobody asks for anything.");
    const asked = await shop.ask(ana, requestOf(shop, ana));
    const request = (asked.headers.get("location") ?? "").split("/").at(-1) ?? "";
    expect(await run("grant", "list", "ana"))
      .to.include("Asked for:")
      .and.include(request)
      .and.include(shop.webid);
    expect(await run("grant", "show", "ana", request))
      .to.include("read container /ana/notes/")
      .and.include("Service Provision")
      .and.include("Free pick-up");
    const id = /\n([\w-]{22}) /.exec(await run("grant", "decide", "ana", request, "grant"))?.[1] ?? "";
    expect(await mayRead()).to.equal(true);
    expect(await run("grant", "show", "ana", id))
      .to.include("decided by delegate")
      .and.match(/used 1 times/);
    expect(await run("grant", "pause", "ana", id)).to.include("Paused");
    expect(await mayRead()).to.equal(false);
    expect(await run("grant", "resume", "ana", id)).to.include("Active");
    expect(await mayRead()).to.equal(true);
    expect(await run("grant", "revoke", "ana", id)).to.include("Revoked");
    expect(await mayRead()).to.equal(false);
    const pod = await server.context.pods.find("ana");
    const entries = await server.context.journal.read(pod!, 0, 1_000);
    const acts = entries.filter(({ entry }) => entry?.agent === "operator").map(({ entry }) => entry?.act);
    expect(acts).to.include.members(["decide", "grant", "pause", "resume", "revoke"]);
  });

  it("says what it does not know", async () => {
    for (const [words, what] of [
      [["grant", "list", "nobody"], /no pod/],
      [["grant", "show", "ana", "x"], /no grant and no request/],
      [["grant", "decide", "ana", "x", "perhaps"], /grant, deny or defer/],
      [["grant", "revoke", "ana", "x"], /not-found/],
    ] as const) {
      const failure = await run(...words).then(
        () => "",
        (error: unknown) => String(error),
      );
      expect(failure).to.match(what);
    }
  });
});
