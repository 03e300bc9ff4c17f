/** Many at once: nobody keeps out the others, and who takes nothing holds nothing. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { ask, listen, put, refusalOf, remove, share, subscribe, until } from "./support.ts";

const TYPE = "WebSocketChannel2023";

describe("a crowd of subscribers", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let carla: Person;
  before(async () => {
    server = await startServer({
      FREEHOLD_LIMITS:
        "channelsPerPodMax=5,channelsPerAgentMax=3,legacyTopicsMax=3,listenersPerAgentMax=2,listenerStuckMsMax=300,socketMessageBytesMax=1000000",
    });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    carla = await server.person("Carla");
    await put(ana, "x.ttl", "<#a> <#b> 1.");
    await share(ana, "x.ttl", { everybody: "acl:Read" });
  });
  after(() => server.close());

  it("cannot fill a pod for the others: who has the most makes room", async () => {
    const topic = `${ana.pod}x.ttl`;
    const statusOf = async (person: Person, { id }: { id: string }) => (await person.fetch(id)).status;
    const bens = [];
    for (let count = 0; count < 3; count++) bens.push(await subscribe(ben.fetch, ana.pod, TYPE, topic));
    const carlas = [];
    for (let count = 0; count < 2; count++) carlas.push(await subscribe(carla.fetch, ana.pod, TYPE, topic));
    const first = await subscribe(ana.fetch, ana.pod, TYPE, topic);
    expect(await Promise.all(bens.map((one) => statusOf(ben, one)))).to.deep.equal([404, 200, 200]);
    expect(await Promise.all(carlas.map((one) => statusOf(carla, one)))).to.deep.equal([200, 200]);
    // Who is connected is left alone, and nobody is driven out by one who has as many.
    const ear = await listen(bens[1]!.receiveFrom);
    await subscribe(ana.fetch, ana.pod, TYPE, topic);
    expect(await Promise.all(bens.map((one) => statusOf(ben, one)))).to.deep.equal([404, 200, 404]);
    expect(await Promise.all(carlas.map((one) => statusOf(carla, one)))).to.deep.equal([200, 200]);
    await subscribe(ana.fetch, ana.pod, TYPE, topic);
    expect(await statusOf(ana, first)).to.equal(404);
    expect(await Promise.all(carlas.map((one) => statusOf(carla, one)))).to.deep.equal([200, 200]);
    await ear.close();
  });

  describe("of the older protocol", () => {
    const via = async (): Promise<string> =>
      (await fetch(`${ana.pod}x.ttl`)).headers.get("updates-via") ?? "";

    it("has so many topics in all its connections together, and again when they end", async () => {
      const one = await listen(await via());
      await put(ana, "open/x.ttl", "<#a> <#b> 1.");
      await share(ana, "open/", { everybody: "acl:Read" });
      for (const name of ["a", "b"]) one.socket.send(`sub ${ana.pod}open/${name}`);
      await until("both", () => one.texts.length === 3);
      const other = await listen(await via());
      for (const name of ["c", "d"]) other.socket.send(`sub ${ana.pod}open/${name}`);
      await until("both answers", () => other.texts.length === 3);
      expect(other.texts.slice(1)).to.deep.equal([
        `ack ${ana.pod}open/c`,
        `err ${ana.pod}open/d too many subscriptions`,
      ]);
      await one.close();
      other.socket.send(`sub ${ana.pod}open/d`);
      await until("room again", () => other.texts.length === 4);
      expect(other.texts.at(-1)).to.equal(`ack ${ana.pod}open/d`);
      other.socket.send(`unsub ${ana.pod}open/d`);
      other.socket.send(`sub ${ana.pod}open/e`);
      await until("and again", () => other.texts.length === 5);
      expect(other.texts.at(-1)).to.equal(`ack ${ana.pod}open/e`);
      await other.close();
    });

    it("is cut off when it takes nothing, and its place is free again", async () => {
      const address = await via();
      const stuck = await listen(address);
      const second = await listen(address);
      expect(await refusalOf(address)).to.equal(429);
      stuck.socket.pause();
      for (let round = 0; round < 30; round++) stuck.socket.send(`ping ${"x".repeat(900_000)}`);
      await until(
        "a place",
        async () => {
          try {
            await (await listen(address)).close();
            return true;
          } catch {
            return false;
          }
        },
        10_000,
      );
      // Who takes what comes is served meanwhile.
      second.socket.send("ping");
      await until("an answer", () => second.texts.includes("pong"));
      stuck.socket.terminate();
      await second.close();
    });
  });

  it("what is imported is told as what it is", async () => {
    const { receiveFrom } = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}imported/`);
    const ear = await listen(receiveFrom);
    const pod = (await server.context.pods.find("ana"))!;
    const bytes = new TextEncoder().encode("<#a> <#b> 1.");
    const document = { path: "/ana/imported/x.ttl", contentType: "text/turtle", bytes };
    await server.context.writeDocuments(pod, [document]);
    await until("folder and document", () => ear.notes.length === 2);
    expect(ear.notes.map(({ type, object }) => [type, object])).to.deep.equal([
      ["Create", `${ana.pod}imported/`],
      ["Add", `${ana.pod}imported/x.ttl`],
    ]);
    await ear.close();
    const own = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}imported/x.ttl`);
    const again = await listen(own.receiveFrom);
    await server.context.writeDocuments(pod, [document]);
    await until("the document", () => again.notes.length === 1);
    expect(again.notes[0]?.type).to.equal("Update");
    await again.close();
  });

  it("what comes back from the trash is told as what it is", async () => {
    await put(ana, "bin/x.ttl", "<#a> <#b> 1.");
    const { receiveFrom } = await subscribe(ana.fetch, ana.pod, TYPE, `${ana.pod}bin/`);
    const ear = await listen(receiveFrom);
    await remove(ana, "bin/x.ttl");
    await until("it went", () => ear.notes.length === 1);
    const pod = (await server.context.pods.find("ana"))!;
    const { keeping } = server.context.ldp;
    const [row] = (await keeping.trash(pod, 1)).items;
    await keeping.restore(pod, row!.id, false, "owner");
    await until("it came", () => ear.notes.length === 2);
    expect(ear.notes.map(({ type, object }) => [type, object])).to.deep.equal([
      ["Remove", `${ana.pod}bin/x.ttl`],
      ["Add", `${ana.pod}bin/x.ttl`],
    ]);
    expect((await ask(ana.fetch, ana.pod, TYPE, `${ana.pod}bin/x.ttl`)).status).to.equal(200);
    await ear.close();
  });
});

describe("strangers behind proxies", () => {
  async function places(trusted: string): Promise<readonly (number | "in")[]> {
    const server = await startServer({
      FREEHOLD_LIMITS: "listenersPerAgentMax=1",
      FREEHOLD_TRUST_PROXY: trusted,
    });
    try {
      const ana = await server.person("Ana");
      const via = `${ana.pod.replace("http", "ws")}.notifications/solid-0.1`;
      const found: (number | "in")[] = [];
      for (const said of [
        "203.0.113.1",
        "203.0.113.2",
        "203.0.113.1",
        "203.0.113.2, 10.1.1.1",
        "203.0.113.3, 10.1.1.1",
      ]) {
        const headers = { "x-forwarded-for": said };
        found.push(
          await listen(via, headers).then(
            () => "in" as const,
            () => refusalOf(via, headers),
          ),
        );
      }
      return found;
    } finally {
      await server.close();
    }
  }

  it("are told apart by what a proxy of ours says, and one behind another", async () => {
    expect(await places("loopback,10.0.0.0/8")).to.deep.equal(["in", "in", 429, 429, "in"]);
  });

  it("and by nobody else's word", async () => {
    expect(await places("10.0.0.0/8")).to.deep.equal(["in", 429, 429, 429, 429]);
  });
});
