/** Links of before, at real hosts: a pod's owner goes to another host, and whoever knew the old address still gets there. */
import { join } from "node:path";
import { createMemory, createPassportFetch, openPod, resolve } from "@freehold/client";
import { filePlaces, login } from "@freehold/client/node";
import { expect } from "chai";
import { type Desk, openDesk } from "../cli/passport.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

describe("a pod that has moved to another host", function () {
  this.timeout(30_000);
  let old: TestServer | null = null;
  let home: TestServer;
  let desk: Desk;
  let ana: Person;
  let made: { readonly id: string; readonly path: string };
  let former: string;

  before(async () => {
    [old, home] = [await startServer(), await startServer()];
    const allow = [old.baseUrl, home.baseUrl].map((url) => new URL(url).origin);
    desk = await openDesk({ allow, now: Date.now() });
    former = (await old.person("Ana")).pod;
    made = await desk.create("ana", former);
    ana = await home.person("Ana");
    const headers = { "content-type": "text/plain" };
    await ana.fetch(`${ana.pod}note.txt`, { method: "PUT", body: "here", headers });
  });
  after(async () => {
    await old?.close();
    await home.close();
    await desk.close();
  });

  it("is found by its old address after its owner said where it is, also when the old host is gone", async () => {
    const { credentials } = ana;
    const session = await login({
      issuer: home.baseUrl,
      clientId: credentials.id,
      clientSecret: credentials.secret,
    });
    const following = () =>
      createPassportFetch({
        fetch: session.fetch,
        resolvers: [desk.registry.baseUrl],
        memory: createMemory(),
        places: filePlaces(join(desk.folder, "places")),
      });
    const fetch = following();
    expect((await fetch.learn(made.id)).pod).to.equal(former);

    expect((await desk.run("move", [ana.pod, made.path])).out).to.match(/^done {5}data/);
    expect(await (await fetch(`${former}note.txt`)).text(), "the old host knows her no more").to.equal(
      "here",
    );

    await old?.close();
    old = null;
    const later = following();
    expect(await (await later(`${former}note.txt`)).text(), "the old host is gone").to.equal("here");
    const pod = await openPod(former, { fetch: later });
    expect(pod.url).to.equal(ana.pod);
    expect(await (await pod.readFile("note.txt")).text()).to.equal("here");
    const found = await resolve(made.id, { resolvers: [desk.registry.baseUrl] });
    expect(found.moved.map(({ from, to }) => [from, to]).at(-1)).to.deep.equal([former, ana.pod]);
    await session.logout();
  });
});
