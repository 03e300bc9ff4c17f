/** Discovery and subscription: every requirement of the Solid Notifications Protocol on a resource and subscription server. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { ask, CONTEXT, LD, put, share, subscribe } from "./support.ts";

const TYPES = ["WebSocketChannel2023", "StreamingHTTPChannel2023", "EventSourceChannel2023"];
const NOTIFY = "http://www.w3.org/ns/solid/notifications#";
const SUBTREE = "https://w3id.org/freehold/ns#subtree";

describe("notifications: discovery and subscription", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let topic: string;
  let service: string;
  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "channelsPerAgentMax=5" });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    await put(ana, "topic.ttl", "<#a> <#b> 1.");
    topic = `${ana.pod}topic.ttl`;
    service = `${ana.pod}.notifications/WebSocketChannel2023`;
  });
  after(() => server.close());

  const linkOf = (response: Response, rel: string): string | undefined =>
    response.headers
      .get("link")
      ?.split(", ")
      .find((one) => one.endsWith(`rel="${rel}"`))
      ?.match(/<(.*?)>/)?.[1];

  describe("discovery", () => {
    it("a resource links to the storage description (#resource-server-link-storage-description-resource)", async () => {
      for (const method of ["HEAD", "GET", "OPTIONS"]) {
        const response = await ana.fetch(topic, { method });
        const link = linkOf(response, "http://www.w3.org/ns/solid/terms#storageDescription");
        expect(link, method).to.equal(`${ana.pod}.well-known/solid`);
        await response.text();
      }
    });

    it("which is JSON-LD in the protocol's data model (#resource-server-description-resource-accept, -response)", async () => {
      const url = `${ana.pod}.well-known/solid`;
      const response = await fetch(url, { headers: { accept: "application/ld+json" } });
      expect(response.headers.get("content-type")).to.equal("application/ld+json");
      const said = (await response.json()) as Record<string, unknown>;
      expect(said).to.include({ id: url });
      expect(said["@context"]).to.deep.equal([CONTEXT]);
      const services = said["subscription"] as { id: string; channelType: string; feature: string[] }[];
      expect(services.map(({ channelType }) => channelType)).to.include.members(TYPES);
      for (const { id, channelType, feature } of services.filter((one) => TYPES.includes(one.channelType))) {
        expect(id).to.equal(`${ana.pod}.notifications/${channelType}`);
        expect(feature).to.include.members(["startAt", "endAt", "rate", "accept", "state", SUBTREE]);
      }
    });

    it("and the same as Turtle, of the storage, too", async () => {
      const response = await fetch(`${ana.pod}.well-known/solid`, {
        headers: { accept: "application/n-triples" },
      });
      const text = await response.text();
      for (const subject of [ana.pod, `${ana.pod}.well-known/solid`])
        expect(text).to.include(`<${subject}> <${NOTIFY}subscription> <${service}> .`);
      expect(text).to.include(`<${service}> <${NOTIFY}channelType> <${NOTIFY}WebSocketChannel2023> .`);
      expect(text).to.include(`<${service}> <${NOTIFY}feature> <${NOTIFY}rate> .`);
      expect(text).to.include("<http://www.w3.org/ns/pim/space#Storage>");
    });
  });

  describe("the service", () => {
    it("has GET, HEAD, OPTIONS and POST (#subscription-server-subscription-request-methods, -accept)", async () => {
      const got = await fetch(service, { headers: { accept: "application/ld+json" } });
      expect(got.status).to.equal(200);
      expect(got.headers.get("content-type")).to.equal("application/ld+json");
      expect(await got.json()).to.include({ id: service, channelType: "WebSocketChannel2023" });
      const head = await fetch(service, { method: "HEAD" });
      expect(head.status).to.equal(200);
      const options = await fetch(service, { method: "OPTIONS", headers: { origin: "https://app.example" } });
      expect(options.status).to.equal(204);
      expect(options.headers.get("allow")).to.equal("GET, HEAD, OPTIONS, POST");
      expect(options.headers.get("accept-post")).to.include("application/ld+json");
      for (const method of ["PUT", "PATCH", "DELETE"])
        expect((await ana.fetch(service, { method, body: null })).status, method).to.be.oneOf([400, 405]);
      expect((await ana.fetch(`${ana.pod}.notifications/NothingChannel2023`)).status).to.equal(404);
      expect((await ask(ana.fetch, ana.pod, "NothingChannel2023", topic)).status).to.equal(404);
    });

    it("nothing can be stored among its addresses", async () => {
      const response = await ana.fetch(`${ana.pod}.notifications/mine.ttl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: "<#a> <#b> 1.",
      });
      expect(response.status).to.equal(405);
    });

    for (const type of TYPES)
      it(`answers with a channel of ${type} (#subscription-server-subscription-response)`, async () => {
        const channel = await subscribe(ana.fetch, ana.pod, type, topic);
        expect(channel).to.include({ type, topic });
        expect(channel.receiveFrom).to.match(type === "WebSocketChannel2023" ? /^ws:/ : /^http:/);
        expect(channel.id).to.match(/^http:.*\/\.notifications\/channels\/\w+$/);
        const kept = await ana.fetch(channel.id, { headers: { accept: "application/ld+json" } });
        expect(await kept.json()).to.deep.equal(channel);
        expect((await fetch(channel.id)).status).to.equal(401);
        expect((await ben.fetch(channel.id)).status).to.equal(404);
        expect((await ben.fetch(channel.id, { method: "DELETE" })).status).to.equal(404);
        expect((await ana.fetch(channel.id, { method: "DELETE" })).status).to.equal(204);
        expect((await ana.fetch(channel.id)).status).to.equal(404);
        const address = channel.receiveFrom.replace(/^ws/, "http");
        expect((await ana.fetch(address)).status).to.equal(404);
      });

    it("takes and gives other RDF, as LDO's client has it", async () => {
      const response = await ana.fetch(service, {
        method: "POST",
        headers: { "content-type": "text/turtle", accept: "text/turtle" },
        body: `[] a <${NOTIFY}WebSocketChannel2023>; <${NOTIFY}topic> <${topic}>.`,
      });
      expect(response.status).to.equal(200);
      expect(response.headers.get("content-type")).to.equal("text/turtle");
      const text = await response.text();
      expect(text).to.include(`${NOTIFY}receiveFrom`);
      expect(text).to.match(/<ws:[^>]+>/);
    });

    it("takes the contexts that clients send", async () => {
      for (const context of [CONTEXT, "https://www.w3.org/ns/solid/notification/v1"]) {
        const response = await ask(ana.fetch, ana.pod, "WebSocketChannel2023", topic, {
          "@context": [context],
        });
        expect(response.status, context).to.equal(200);
      }
    });
  });

  describe("what is refused", () => {
    const post = (body: string, headers: Record<string, string> = LD): Promise<Response> =>
      ana.fetch(service, { method: "POST", headers, body });
    const request = (members: Readonly<Record<string, unknown>>): string =>
      JSON.stringify({ "@context": [CONTEXT], type: "WebSocketChannel2023", topic, ...members });

    it("415 for a profile that is not known (#subscription-server-subscription-request-profile-unrecognised)", async () => {
      const typed = (profile: string) => ({ "content-type": `application/ld+json; profile="${profile}"` });
      expect((await post(request({}), typed("https://example.org/profile"))).status).to.equal(415);
      expect((await post(request({}), typed(`${CONTEXT} https://example.org/profile`))).status).to.equal(415);
      expect((await post(request({}), typed(CONTEXT))).status).to.equal(200);
      expect((await post(request({}), typed("http://www.w3.org/ns/json-ld#compacted"))).status).to.equal(200);
    });

    it("415 for other formats, 400 without one, 406 for an answer that is not had", async () => {
      expect((await post(request({}), { "content-type": "text/plain" })).status).to.equal(415);
      expect((await post(request({}), { ...LD, accept: "text/html;q=0, image/png" })).status).to.equal(406);
      expect((await post("{", LD)).status).to.equal(400);
    });

    // biome-ignore format: a table
    const UNPROCESSABLE: readonly (readonly [what: string, members: Readonly<Record<string, unknown>>])[] = [
      ["a context that is not known", { "@context": "https://example.org/context" }],
      ["no topic", { topic: undefined }],
      ["no type", { type: undefined }],
      ["another type", { type: "WebhookChannel2023" }],
      ["an unknown type", { type: "https://example.org/Channel" }],
      ["several topics", { topic: ["http://localhost/a", "http://localhost/b"] }],
      ["a topic elsewhere", { topic: "https://example.org/x" }],
      ["a topic that is no address", { topic: "http://[" }],
      ["an end that is over", { endAt: "2020-01-01T00:00:00Z" }],
      ["an end before the start", { startAt: "2090-01-01T00:00:00Z", endAt: "2089-01-01T00:00:00Z" }],
      ["a moment that is none", { startAt: "tomorrow" }],
      ["a moment without its time zone", { endAt: "2090-01-01T00:00:00" }],
      ["a rate that is none", { rate: "fast" }],
      ["an empty rate", { rate: "PT" }],
      ["a rate of months", { rate: "P1M" }],
      ["formats that are not sent", { accept: "text/html" }],
      ["a subtree of a document", { [SUBTREE]: true }],
      ["one feature twice", { rate: ["PT1S", "PT2S"] }],
    ];
    for (const [what, members] of UNPROCESSABLE)
      it(`422 for ${what} (#subscription-server-subscription-request-unprocessable-entity)`, async () => {
        const response = await post(request(members));
        expect(response.status, await response.clone().text()).to.equal(422);
        expect(response.headers.get("content-type")).to.include("problem+json");
      });

    it("422 for the server's own addresses, queries, fragments and other pods", async () => {
      for (const one of [
        `${ana.pod}sparql`,
        `${ana.pod}.notifications/`,
        `${topic}?x=1`,
        `${topic}#x`,
        ben.pod,
      ])
        expect((await post(request({ topic: one }))).status, one).to.equal(422);
    });

    it("413 for more than a subscription needs", async () => {
      expect((await post(request({ state: "x".repeat(20_000) }))).status).to.equal(413);
    });
  });

  describe("features", () => {
    it("are said back as they are: the end is never later than is allowed", async () => {
      const made = await subscribe(ana.fetch, ana.pod, "WebSocketChannel2023", topic, {
        startAt: "2020-01-01T00:00:00Z",
        endAt: "2099-01-01T00:00:00Z",
        rate: "PT10s",
        accept: "application/ld+json",
        state: '"k3"',
      });
      expect(made).to.include({
        startAt: "2020-01-01T00:00:00.000Z",
        rate: "PT10S",
        accept: "application/ld+json",
        state: '"k3"',
      });
      const days = (Date.parse(made.endAt) - Date.now()) / 86_400_000;
      expect(days).to.be.within(29.9, 30);
    });
  });

  describe("who subscribed to what", () => {
    it("the owner sees all, others their own, and nobody another's address", async () => {
      await share(ana, "topic.ttl", { [ben.webid]: "acl:Read" });
      const bens = await subscribe(ben.fetch, ana.pod, "WebSocketChannel2023", topic);
      const list = async (person: Person) => {
        const response = await person.fetch(`${ana.pod}.notifications/`, {
          headers: { accept: "application/ld+json" },
        });
        return response.text();
      };
      const owners = await list(ana);
      expect(owners).to.include(bens.id);
      expect(owners).to.not.include(bens.receiveFrom);
      const own = await list(ben);
      expect(own).to.include(bens.receiveFrom);
      const ownersOwn = await subscribe(ana.fetch, ana.pod, "WebSocketChannel2023", topic);
      expect(await list(ben)).to.not.include(ownersOwn.id);
      const open = (await (await fetch(`${ana.pod}.notifications/`)).json()) as Record<string, unknown>;
      expect(open).to.have.property("subscription");
      expect(open).to.not.have.property("channel");
      expect((await ana.fetch(bens.id, { method: "DELETE" })).status).to.equal(204); // The owner ends anybody's.
    });

    it("stands in the owner's journal as a look, before anything is told", async () => {
      await subscribe(ben.fetch, ana.pod, "EventSourceChannel2023", topic);
      const { context } = server;
      const pod = (await context.pods.find("ana"))!;
      const entries = await context.journal.read(pod, 0, 1_000);
      const looks = entries.filter(({ entry }) => entry?.act === "look" && entry.agent === ben.webid);
      expect(looks.at(-1)?.entry).to.include({ path: "/ana/topic.ttl", decision: "granted" });
    });

    it("the oldest that nobody listens to makes room for the sixth of five", async () => {
      const made = [];
      for (let round = 0; round < 7; round++)
        made.push(await subscribe(ben.fetch, ana.pod, "WebSocketChannel2023", topic));
      expect((await ben.fetch(made[0]!.id)).status).to.equal(404);
      expect((await ben.fetch(made[2]!.id)).status).to.equal(200);
    });
  });
});
