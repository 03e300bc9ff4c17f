/** WebSocketChannel2023 over a real server: who is told what, and when nobody is told anything any more. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { ask, headOf, listen, put, refusalOf, remove, share, sleep, subscribe, until } from "./support.ts";

const TYPE = "WebSocketChannel2023";

describe("notifications over WebSockets", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    ben = await server.person("Ben");
  });
  after(() => server.close());

  describe("what is told", () => {
    it("Create, Update and Delete of a document, with its ETag as state (#notification-message-data-model)", async () => {
      const url = `${ana.pod}told/note.ttl`;
      const channel = await subscribe(ana.fetch, ana.pod, TYPE, url);
      expect(channel).to.include({ type: TYPE, topic: url });
      expect(channel.id).to.match(/\.notifications\/channels\/[0-9a-f]{32}$/);
      expect(channel.receiveFrom).to.match(/^ws:\/\/.*\/[\w-]{43}$/);
      const ear = await listen(channel.receiveFrom);
      const made = await put(ana, "told/note.ttl", "<#a> <#b> 1.");
      await until("the first", () => ear.notes.length === 1);
      const changed = await put(ana, "told/note.ttl", "<#a> <#b> 2.");
      await until("the second", () => ear.notes.length === 2);
      await remove(ana, "told/note.ttl");
      await until("three messages", () => ear.notes.length === 3);
      expect(ear.notes.map(({ type }) => type)).to.deep.equal(["Create", "Update", "Delete"]);
      const [first, second, third] = ear.notes;
      expect(first).to.include({ object: url, state: made.headers.get("etag") });
      expect(second).to.include({ object: url, state: changed.headers.get("etag") });
      expect(third).to.not.have.property("state");
      expect(first).to.have.property("@context").that.includes("https://www.w3.org/ns/activitystreams");
      expect(first?.id).to.match(/^urn:uuid:/);
      expect(Date.parse(first?.published ?? "")).to.be.closeTo(Date.now(), 10_000);
      expect(new Set(ear.notes.map(({ id }) => id)).size).to.equal(3);
      expect(ear.texts.join("")).to.not.include("#b"); // No value of any document.
      await ear.close();
    });

    it("Add and Remove at the folder, folders that were made on the way included; nothing of what is deeper", async () => {
      await put(ana, "folder/first.ttl", "<#a> <#b> 1.");
      const folder = `${ana.pod}folder/`;
      const ear = await listen((await subscribe(ana.fetch, ana.pod, TYPE, folder)).receiveFrom);
      await put(ana, "folder/second.ttl", "<#a> <#b> 1.");
      await put(ana, "folder/deep/er/third.ttl", "<#a> <#b> 1.");
      await put(ana, "folder/second.ttl", "<#a> <#b> 2.");
      await remove(ana, "folder/second.ttl");
      await until("three messages", () => ear.notes.length === 3);
      await sleep(50);
      expect(
        ear.notes.map(({ type, object, target }) => [type, object.slice(folder.length), target]),
      ).to.deep.equal([
        ["Add", "second.ttl", folder],
        ["Add", "deep/", folder],
        ["Remove", "second.ttl", folder],
      ]);
      const head = await ana.fetch(folder, { method: "HEAD", headers: { accept: "text/turtle" } });
      expect(ear.notes.at(-1)?.state).to.equal(head.headers.get("etag"));
      await ear.close();
    });

    it("a topic that is not there yet, once it is made for what is put into it", async () => {
      const ear = await listen(
        (await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}later/on/`)).receiveFrom,
      );
      const above = await listen((await subscribe(ana.fetch, ana.pod, TYPE, ana.pod)).receiveFrom);
      await put(ana, "later/on/x.ttl", "<#a> <#b> 1.");
      await until("both", () => ear.notes.length === 1 && above.notes.length === 1);
      expect(ear.notes[0]).to.include({ type: "Create", object: `${ana.pod}later/on/` });
      expect(above.notes[0]).to.include({ type: "Add", object: `${ana.pod}later/`, target: ana.pod });
      await Promise.all([ear.close(), above.close()]);
    });

    it("with subtree, what is below, too", async () => {
      await put(ana, "tree/first.ttl", "<#a> <#b> 1.");
      const channel = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}tree/`, {
        "https://w3id.org/freehold/ns#subtree": true,
      });
      expect(channel).to.include({ subtree: true });
      const ear = await listen(channel.receiveFrom);
      await put(ana, "tree/a/b/c.ttl", "<#a> <#b> 1.");
      await put(ana, "tree/a/b/c.ttl", "<#a> <#b> 2.");
      await put(ana, "treeless.ttl", "<#a> <#b> 2.");
      await until("two messages", () => ear.notes.length === 2);
      await sleep(50);
      expect(ear.notes.map(({ type, object }) => [type, object.slice(ana.pod.length)])).to.deep.equal([
        ["Add", "tree/a/b/c.ttl"],
        ["Update", "tree/a/b/c.ttl"],
      ]);
      await ear.close();
    });

    it("a change of a list is told at the list, to whoever has Control", async () => {
      await put(ana, "lists/x.ttl", "<#a> <#b> 1.");
      await share(ana, "lists/x.ttl", { [ben.webid]: "acl:Read" });
      const list = `${ana.pod}lists/x.ttl.acl`;
      expect((await ask(ben.fetch, ana.pod, TYPE, list)).status).to.equal(403);
      const ear = await listen((await subscribe(ana.fetch, ana.pod, TYPE, list)).receiveFrom);
      const bens = await listen(
        (await subscribe(ben.fetch, ana.pod, TYPE, `${ana.pod}lists/x.ttl`)).receiveFrom,
      );
      await share(ana, "lists/x.ttl", { [ben.webid]: "acl:Read, acl:Append" });
      await until("a message", () => ear.notes.length === 1);
      expect(ear.notes[0]).to.include({ type: "Update", object: list });
      expect(bens.notes).to.deep.equal([]);
      await Promise.all([ear.close(), bens.close()]);
    });
  });

  describe("who is told", () => {
    it("401 to strangers and 403 to others, whether there is anything or not", async () => {
      await put(ana, "private/x.ttl", "<#a> <#b> 1.");
      for (const path of ["private/x.ttl", "private/nothing.ttl"]) {
        const stranger = await ask(fetch, ana.pod, TYPE, `${ana.pod}${path}`);
        expect(stranger.status).to.equal(401);
        expect(stranger.headers.get("www-authenticate")).to.include("DPoP");
        expect((await ask(ben.fetch, ana.pod, TYPE, `${ana.pod}${path}`)).status).to.equal(403);
      }
    });

    it("strangers, of what everybody may read", async () => {
      await put(ana, "open/x.ttl", "<#a> <#b> 1.");
      await share(ana, "open/x.ttl", { everybody: "acl:Read" });
      const channel = await subscribe(fetch, ana.pod, TYPE, `${ana.pod}open/x.ttl`);
      const ear = await listen(channel.receiveFrom);
      await put(ana, "open/x.ttl", "<#a> <#b> 2.");
      await until("a message", () => ear.notes.length === 1);
      await ear.close();
    });

    it("a folder tells of members as GET of the folder does; a subtree not of what is hidden deeper", async () => {
      await put(ana, "mixed/first.ttl", "<#a> <#b> 1.");
      await share(ana, "mixed/", { [ben.webid]: "acl:Read" });
      await put(ana, "mixed/hidden/old.ttl", "<#a> <#b> 1.");
      await share(ana, "mixed/hidden/", {});
      const folder = `${ana.pod}mixed/`;
      const ear = await listen(
        (await subscribe(ben.fetch, ana.pod, TYPE, folder, { "https://w3id.org/freehold/ns#subtree": true }))
          .receiveFrom,
      );
      await put(ana, "mixed/hidden/secret-name.ttl", "<#a> <#b> 1.");
      await put(ana, "mixed/hidden/old.ttl", "<#a> <#b> 2.");
      await remove(ana, "mixed/hidden/old.ttl");
      await put(ana, "mixed/hidden/.meta", "<> <#b> 2.");
      await put(ana, "mixed/last.ttl", "<#a> <#b> 1.");
      await until("the last", () => ear.notes.some(({ object }) => object.endsWith("last.ttl")));
      expect(ear.texts.join("")).to.not.match(/secret-name|old\.ttl|\.meta/);
      expect(await (await ben.fetch(folder)).text()).to.include("hidden/"); // The folder itself is in the listing.
      await ear.close();
    });
  });

  describe("when access is gone", () => {
    it("the channel is closed at once, and nothing is sent after", async () => {
      await put(ana, "gone/x.ttl", "<#a> <#b> 1.");
      await share(ana, "gone/x.ttl", { [ben.webid]: "acl:Read" });
      const channel = await subscribe(ben.fetch, ana.pod, TYPE, `${ana.pod}gone/x.ttl`);
      const ear = await listen(channel.receiveFrom);
      await put(ana, "gone/x.ttl", "<#a> <#b> 2.");
      await until("a message", () => ear.notes.length === 1);
      await share(ana, "gone/x.ttl", {});
      for (let round = 0; round < 5; round++) await put(ana, "gone/x.ttl", `<#a> <#b> 1${round}.`);
      await until("the end", () => ear.closed !== null);
      expect(ear.closed?.code).to.equal(1008);
      expect(ear.notes).to.have.length(1);
      expect(await refusalOf(channel.receiveFrom)).to.equal(403);
      expect(await refusalOf(`${channel.receiveFrom}?after=0`)).to.equal(403);
    });

    it("what happened while there was none is not replayed before access is there again", async () => {
      await put(ana, "again/x.ttl", "<#a> <#b> 1.");
      await share(ana, "again/x.ttl", { [ben.webid]: "acl:Read" });
      const channel = await subscribe(ben.fetch, ana.pod, TYPE, `${ana.pod}again/x.ttl`);
      await share(ana, "again/x.ttl", {});
      await put(ana, "again/x.ttl", "<#a> <#b> 2.");
      expect(await refusalOf(channel.receiveFrom)).to.equal(403);
    });

    for (const [what, act] of [
      ["the owner freezes the place", (pod: string) => `restrict ${pod}`],
      ["the pod moves", (pod: string) => `move ${pod}`],
      ["the pod is erased", (pod: string) => `erase ${pod}`],
    ] as const)
      it(`closed when ${what}`, async () => {
        const name = act("x").split(" ")[0] ?? "";
        const carla = await server.person(`Carla${name}`);
        await put(carla, "x.ttl", "<#a> <#b> 1.");
        await share(carla, "x.ttl", { [ben.webid]: "acl:Read" });
        const ear = await listen(
          (await subscribe(ben.fetch, carla.pod, TYPE, `${carla.pod}x.ttl`)).receiveFrom,
        );
        const { context } = server;
        const pod = (await context.pods.find(`carla${name}`))!;
        if (name === "restrict") await context.ldp.restrictions.restrict(pod, `/${pod.name}/`, "owner");
        else if (name === "move")
          await context.pods.change(pod.name, { movedTo: "https://elsewhere.example/" });
        else await context.store.erasePod(pod.id);
        await until("the end", () => ear.closed !== null);
        expect(ear.closed?.code).to.equal(name === "restrict" ? 1008 : 1001);
        expect(ear.notes).to.deep.equal([]);
      });
  });

  describe("going on", () => {
    it("what came between subscription and connection is told, in order, once", async () => {
      await put(ana, "go/first.ttl", "<#a> <#b> 1.");
      const channel = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}go/`);
      for (const name of ["a", "b", "c"]) await put(ana, `go/${name}.ttl`, "<#a> <#b> 1.");
      const ear = await listen(channel.receiveFrom);
      await put(ana, "go/d.ttl", "<#a> <#b> 1.");
      await until("all", () => ear.notes.filter(({ type }) => type === "Add").length === 4);
      expect(ear.notes.filter(({ type }) => type === "Add").map(({ object }) => object.at(-5))).to.deep.equal(
        ["a", "b", "c", "d"],
      );
      await ear.close();
      // Without a cursor it goes on where it was left.
      await put(ana, "go/e.ttl", "<#a> <#b> 1.");
      await sleep(50);
      const again = await listen(channel.receiveFrom);
      await until("the next", () => again.notes.length === 1);
      expect(again.notes[0]?.object).to.match(/e\.ttl$/);
      // With one it goes on there.
      const cursor = ear.notes.find(({ object }) => object.endsWith("b.ttl"))?.cursor;
      const back = await listen(`${channel.receiveFrom}?after=${cursor}`);
      await until("all after", () => back.notes.length === 3);
      expect(back.notes.map(({ object }) => object.at(-5))).to.deep.equal(["c", "d", "e"]);
      await Promise.all([again.close(), back.close()]);
    });

    it("refuses a cursor that is none of this journal", async () => {
      const channel = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}go/`);
      const head = await headOf(server, "ana");
      for (const after of ["-1", "x", "1e3", String(head + 100)])
        expect(await refusalOf(`${channel.receiveFrom}?after=${after}`), after).to.equal(400);
    });
  });

  describe("the address is the key", () => {
    it("of nothing else: guesses are 404, whoever asks", async () => {
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}go/`);
      const parts = receiveFrom.split("/");
      expect(await refusalOf(`${receiveFrom.slice(0, -1)}A`)).to.equal(404);
      expect(await refusalOf(parts.with(parts.length - 2, "0".repeat(32)).join("/"))).to.equal(404);
      expect(await refusalOf(parts.with(3, "ben").join("/"))).to.equal(404);
      expect(await refusalOf(parts.with(3, "nobody").join("/"))).to.equal(404);
    });

    it("needs no login and no origin", async () => {
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}go/`);
      const ear = await listen(receiveFrom, { origin: "https://app.example" });
      await ear.close();
    });

    it("a plain GET of it is told to upgrade (426), and another upgrade is not taken for this one", async () => {
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}go/`);
      const response = await fetch(receiveFrom.replace(/^ws/, "http"));
      expect(response.status).to.equal(426);
      expect(response.headers.get("upgrade")).to.equal("websocket");
      const { status } = await ana.raw("GET", "/healthz", { connection: "Upgrade", upgrade: "h2c" });
      expect(status).to.equal(200);
      const other = await ana.raw("GET", "/healthz", { connection: "Upgrade", upgrade: "websocket" });
      expect(other.status).to.equal(200);
    });
  });
});
