/** StreamingHTTPChannel2023 and EventSourceChannel2023: over answers that stay open. */
import { request } from "node:http";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { headOf, notesIn, put, share, sleep, stream, subscribe, until } from "./support.ts";

const STREAM = "StreamingHTTPChannel2023";
const EVENTS = "EventSourceChannel2023";

describe("notifications over HTTP", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "listenerPingMs=200" });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    await put(ana, "x.ttl", "<#a> <#b> 1.");
    await share(ana, "x.ttl", { [ben.webid]: "acl:Read" });
  });
  after(() => server.close());

  describe(STREAM, () => {
    it("is read with the token that it was made with, line by line", async () => {
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`);
      const one = await stream(ana.fetch, receiveFrom);
      expect(one.response.status).to.equal(200);
      expect(one.response.headers.get("content-type")).to.equal("application/x-ndjson");
      expect(one.response.headers.get("cache-control")).to.equal("no-store");
      const changed = await put(ana, "x.ttl", "<#a> <#b> 2.");
      await until("a message", () => notesIn(one).length === 1);
      expect(notesIn(one)[0]).to.include({
        type: "Update",
        object: `${ana.pod}x.ttl`,
        state: changed.headers.get("etag"),
      });
      await one.leave();
    });

    it("not without one, nor with another's", async () => {
      const { receiveFrom } = await subscribe(ben.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`);
      expect((await fetch(receiveFrom)).status).to.equal(401);
      expect((await ana.fetch(receiveFrom)).status).to.equal(403);
      const one = await stream(ben.fetch, receiveFrom);
      expect(one.response.status).to.equal(200);
      await one.leave();
    });

    it("says nothing more when access is gone, and ends", async () => {
      await put(ana, "y.ttl", "<#a> <#b> 1.");
      await share(ana, "y.ttl", { [ben.webid]: "acl:Read" });
      const { receiveFrom } = await subscribe(ben.fetch, ana.pod, STREAM, `${ana.pod}y.ttl`);
      const one = await stream(ben.fetch, receiveFrom);
      await put(ana, "y.ttl", "<#a> <#b> 2.");
      await until("a message", () => notesIn(one).length === 1);
      await share(ana, "y.ttl", {});
      await put(ana, "y.ttl", "<#a> <#b> 3.");
      await until("its end", () => one.isOver);
      expect(notesIn(one)).to.have.length(1);
      expect((await ben.fetch(receiveFrom)).status).to.equal(403);
      // That he was refused is on record; the address, which is a key, is not.
      const { journal, pods } = server.context;
      await journal.flush();
      const entries = await journal.read((await pods.find("ana"))!, 0, 1_000);
      const text = JSON.stringify(entries);
      expect(text).to.include('"path":"/ana/.notifications/"');
      expect(text).to.not.include(receiveFrom.split("/").at(-1));
    });

    it("ends when the channel is deleted", async () => {
      const { receiveFrom, id } = await subscribe(ana.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`);
      const one = await stream(ana.fetch, receiveFrom);
      expect((await ana.fetch(id, { method: "DELETE" })).status).to.equal(204);
      await until("its end", () => one.isOver);
      expect((await ana.fetch(receiveFrom)).status).to.equal(404);
    });

    it("shows that it is alive", async () => {
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`);
      const one = await stream(ana.fetch, receiveFrom);
      await until("three blank lines", () => one.text.length >= 3);
      expect(one.text).to.match(/^\n+$/);
      await one.leave();
    });

    it("HEAD says what GET would, and opens nothing", async () => {
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`);
      const head = await ana.fetch(receiveFrom, { method: "HEAD" });
      expect(head.status).to.equal(200);
      expect(head.headers.get("content-type")).to.equal("application/x-ndjson");
    });
  });

  describe(EVENTS, () => {
    it("sends events whose id is the cursor, and goes on after Last-Event-ID", async () => {
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, EVENTS, `${ana.pod}x.ttl`);
      const one = await stream(fetch, receiveFrom); // EventSource can send no token: the address is the key.
      expect(one.response.headers.get("content-type")).to.equal("text/event-stream");
      await until("the head", () => one.text.startsWith("retry: "));
      await put(ana, "x.ttl", "<#a> <#b> 3.");
      await until("an event", () => one.text.includes("data: "));
      const id = /^id: (\d+)$/m.exec(one.text)?.[1];
      const note = JSON.parse(/^data: (.*)$/m.exec(one.text)?.[1] ?? "") as { cursor: number; type: string };
      expect(note).to.include({ cursor: Number(id), type: "Update" });
      expect(Number(id)).to.equal(await headOf(server, "ana"));
      await one.leave();
      await put(ana, "x.ttl", "<#a> <#b> 4.");
      const back = await stream(fetch, receiveFrom, { "last-event-id": id ?? "" });
      await until("the one that was missed", () => back.text.includes("data: "));
      expect(back.text.match(/^id: /gm)).to.have.length(1);
      await back.leave();
      const all = await stream(fetch, `${receiveFrom}?after=${Number(id) - 1}`);
      await until("both", () => all.text.match(/^id: /gm)?.length === 2);
      await all.leave();
    });

    it("can be read by pages of other origins", async () => {
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, EVENTS, `${ana.pod}x.ttl`);
      const one = await stream(fetch, receiveFrom, { origin: "https://app.example" });
      expect(one.response.headers.get("access-control-allow-origin")).to.equal("https://app.example");
      await one.leave();
    });
  });

  describe("features", () => {
    it("state: what was known is not what is there, so that is told at once; else nothing is", async () => {
      const known = (await ana.fetch(`${ana.pod}x.ttl`)).headers.get("etag");
      const stale = await subscribe(ana.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`, { state: '"0"' });
      const fresh = await subscribe(ana.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`, { state: known });
      const [one, other] = [
        await stream(ana.fetch, stale.receiveFrom),
        await stream(ana.fetch, fresh.receiveFrom),
      ];
      await until("a message", () => notesIn(one).length === 1);
      expect(notesIn(one)[0]).to.include({ type: "Update", state: known });
      await sleep(50);
      expect(notesIn(other)).to.deep.equal([]);
      await Promise.all([one.leave(), other.leave()]);
    });

    it("rate: what comes too soon is told together when it is time", async () => {
      const made = await subscribe(ana.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`, { rate: "PT0.4S" });
      const one = await stream(ana.fetch, made.receiveFrom);
      for (let round = 0; round < 4; round++) await put(ana, "x.ttl", `<#a> <#b> 5${round}.`);
      await until("two", () => notesIn(one).length === 2);
      const [first, second] = notesIn(one);
      expect(second?.cursor).to.equal(await headOf(server, "ana"));
      expect(first?.cursor).to.be.lessThan(second?.cursor ?? 0);
      await sleep(500);
      expect(notesIn(one)).to.have.length(2);
      await one.leave();
    });

    it("startAt: what was before is not told; endAt: then it is over", async () => {
      const now = Date.now();
      const made = await subscribe(ana.fetch, ana.pod, STREAM, `${ana.pod}x.ttl`, {
        startAt: new Date(now + 600).toISOString(),
        endAt: new Date(now + 1_500).toISOString(),
      });
      const one = await stream(ana.fetch, made.receiveFrom);
      await put(ana, "x.ttl", "<#a> <#b> 60.");
      await until("the start", () => Date.now() > now + 650);
      await put(ana, "x.ttl", "<#a> <#b> 61.");
      await until("its end", () => one.isOver);
      expect(Date.now()).to.be.greaterThan(now + 1_499);
      expect(notesIn(one)).to.have.length(1);
      expect((await ana.fetch(made.receiveFrom)).status).to.equal(404);
    });
  });

  it("who takes nothing holds up nobody, and misses nothing", async () => {
    const { receiveFrom } = await subscribe(ana.fetch, ana.pod, EVENTS, `${ana.pod}x.ttl`);
    const lazy = request(receiveFrom);
    lazy.on("response", (response) => void response.pause());
    lazy.on("error", () => {});
    lazy.end();
    const { receiveFrom: other } = await subscribe(ana.fetch, ana.pod, EVENTS, `${ana.pod}x.ttl`);
    const one = await stream(fetch, other);
    const before = await headOf(server, "ana");
    for (let round = 0; round < 30; round++) await put(ana, "x.ttl", `<#a> <#b> 7${round}.`);
    await until("all", () => one.text.match(/^id: /gm)?.length === 30);
    lazy.destroy();
    await one.leave();
    const back = await stream(fetch, `${receiveFrom}?after=${before}`);
    await until("all again", () => back.text.match(/^id: /gm)?.length === 30);
    await back.leave();
  });
});
