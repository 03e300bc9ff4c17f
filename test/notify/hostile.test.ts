/** Connections that mean harm, or are too many: each is bounded, and nobody else notices. */
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { ask, type Ear, listen, put, refusalOf, share, sleep, stream, subscribe, until } from "./support.ts";

const TYPE = "WebSocketChannel2023";

describe("notifications under attack", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  before(async () => {
    server = await startServer({
      FREEHOLD_LIMITS:
        "listenersPerAgentMax=4,listenersPerPodMax=6,socketMessagesPerMinuteMax=50,socketMessageBytesMax=1024,subscriptionsPerAgentMax=20,listenerPingMs=300",
    });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    await put(ana, "x.ttl", "<#a> <#b> 1.");
    await share(ana, "x.ttl", { everybody: "acl:Read" });
  });
  after(() => server.close());

  const channel = (person: Person) => subscribe(person.fetch, ana.pod, TYPE, `${ana.pod}x.ttl`);
  /** Whoever is let in now was kept out by none of those before. */
  async function isFree(): Promise<void> {
    const { receiveFrom } = await channel(ana);
    await until("a place is free again", async () => {
      try {
        await (await listen(receiveFrom)).close();
        return true;
      } catch {
        return false;
      }
    });
  }

  /** A socket after its handshake, for frames that no library would send. */
  async function raw(url: string): Promise<{ socket: Socket; received: () => string }> {
    const { hostname, port, pathname } = new URL(url);
    const socket = connect(Number(port), hostname === "localhost" ? "localhost" : hostname);
    let text = "";
    socket.on("data", (part) => (text += part.toString("latin1")));
    socket.on("error", () => {});
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    await until("the handshake", () => text.includes("\r\n\r\n"));
    return { socket, received: () => text };
  }

  it("a folder from before that has a name like rules ends nobody's listening", async () => {
    const { receiveFrom } = await subscribe(ana.fetch, ana.pod, "StreamingHTTPChannel2023", ana.pod, {
      subtree: true,
    });
    const heard = await stream(ana.fetch, receiveFrom);
    const pod = await server.context.pods.find("ana");
    if (!pod) throw new Error("no pod");
    await server.context.writeDocuments(pod, [
      { path: "/ana/x.acl/", contentType: "text/turtle", bytes: new Uint8Array() },
    ]);
    await put(ana, "after.ttl", "<#a> <#b> 1.");
    await until("what comes after it", () => heard.text.includes("after.ttl"));
    expect(heard.text).to.not.include("x.acl");
    await heard.leave();
  });

  // biome-ignore format: a table
  const FRAMES: readonly (readonly [what: string, frame: Buffer])[] = [
    ["a frame that is not masked", Buffer.from([0x81, 0x02, 0x68, 0x69])],
    ["reserved bits", Buffer.from([0xf1, 0x80, 0, 0, 0, 0])],
    ["an unknown opcode", Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
    ["a length of 2^63", Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ["more than a message may have", Buffer.from([0x81, 0xfe, 0x10, 0x00, 0, 0, 0, 0])],
    ["a fragment of nothing", Buffer.from([0x80, 0x80, 0, 0, 0, 0])],
    ["a long control frame", Buffer.from([0x89, 0xfe, 0x00, 0xff, 0, 0, 0, 0])],
    ["text that is none", Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe])],
  ];
  for (const [what, frame] of FRAMES)
    it(`${what} ends that connection, and no other`, async () => {
      const other = await listen((await channel(ana)).receiveFrom);
      const { socket, received } = await raw((await channel(ana)).receiveFrom);
      expect(received()).to.match(/^HTTP\/1\.1 101 /);
      socket.write(frame);
      await until("it is closed", () => socket.closed);
      await put(ana, "x.ttl", "<#a> <#b> 2.");
      await until("the other is told", () => other.notes.length > 0);
      await other.close();
      await isFree();
    });

  for (const [what, flood] of [
    ["messages", (ear: Ear) => ear.socket.send("hello")],
    ["pings", (ear: Ear) => ear.socket.ping()],
  ] as const)
    it(`a flood of ${what} ends the connection`, async () => {
      const ear = await listen((await channel(ana)).receiveFrom);
      for (let round = 0; round < 60; round++) flood(ear);
      await until("it is closed", () => ear.closed !== null);
      await isFree();
    });

  it("who does not answer pings is gone", async () => {
    const { socket } = await raw((await channel(ana)).receiveFrom);
    socket.pause();
    await until(
      "it is closed",
      () => socket.destroyed || socket.closed || socket.readyState !== "open",
      3_000,
    ).catch(() => socket.resume());
    await until("it is closed", () => socket.closed, 3_000);
  });

  it("handshakes that are none are refused, and hold no place", async () => {
    const { receiveFrom } = await channel(ana);
    const { pathname } = new URL(receiveFrom);
    for (let round = 0; round < 12; round++) {
      const { status } = await ana.raw("GET", pathname, {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "1",
      });
      expect(status).to.be.oneOf([400, 426]);
    }
    await isFree();
  });

  it("so many for one subscriber, so many for one pod, the last for its owner; who goes makes room", async () => {
    const ears: Ear[] = [];
    for (const who of [ana, ana, ana, ben, ben]) ears.push(await listen((await channel(who)).receiveFrom));
    expect(await refusalOf((await channel(ben)).receiveFrom)).to.equal(429); // However many others come.
    ears.push(await listen((await channel(ana)).receiveFrom));
    const fifth = await channel(ana);
    expect(await refusalOf(fifth.receiveFrom)).to.equal(429);
    const events = await subscribe(ana.fetch, ana.pod, "EventSourceChannel2023", `${ana.pod}x.ttl`);
    expect((await fetch(events.receiveFrom)).status).to.equal(429); // They are counted together.
    await ears[0]?.close();
    const sixth = await stream(fetch, events.receiveFrom);
    expect(sixth.response.status).to.equal(200);
    await sixth.leave();
    await Promise.all(ears.slice(1).map((ear) => ear.close()));
    await isFree();
  });

  it("strangers cannot make channels without end", async () => {
    const statuses = [];
    for (let count = 0; count < 25; count++)
      statuses.push((await ask(fetch, ana.pod, TYPE, `${ana.pod}x.ttl`)).status);
    expect(statuses.slice(0, 15).every((status) => status === 200)).to.equal(true);
    expect(statuses.at(-1)).to.equal(429);
    expect((await ask(ana.fetch, ana.pod, TYPE, `${ana.pod}x.ttl`)).status).to.equal(200);
  });

  it("nor can whoever has logged in; the owner goes on", async () => {
    const cleo = await server.person("Cleo");
    const statuses: number[] = [];
    for (let count = 0; count < 21; count++)
      statuses.push((await ask(cleo.fetch, ana.pod, TYPE, `${ana.pod}x.ttl`)).status);
    expect(statuses.slice(0, 20)).to.deep.equal(Array.from({ length: 20 }, () => 200));
    expect(statuses.at(-1)).to.equal(429);
    for (let count = 0; count < 25; count++) await channel(ana);
  });

  it("a burst of changes reaches everybody, each once and in order", async () => {
    const ears = await Promise.all(
      Array.from({ length: 4 }, async () => listen((await channel(ana)).receiveFrom)),
    );
    await sleep(20);
    await Promise.all(
      Array.from({ length: 40 }, (_, count) => put(ana, `burst${count}.ttl`, "<#a> <#b> 1.")),
    );
    for (let count = 0; count < 20; count++) await put(ana, "x.ttl", `<#a> <#b> 1${count}.`);
    await until("all", () => ears.every(({ notes }) => notes.length === 20), 15_000);
    for (const { notes } of ears) {
      const cursors = notes.map(({ cursor }) => cursor);
      expect(cursors).to.deep.equal([...new Set(cursors)].sort((a, b) => a - b));
    }
    await Promise.all(ears.map((ear) => ear.close()));
  });
});
