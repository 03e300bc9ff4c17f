/** Webhooks from the first request to the message: https://solid.github.io/notifications/webhook-channel-2023 */
import { expect } from "chai";
import { createWebhookSender } from "../../server/notify/webhook-sender.ts";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import {
  type Delivery,
  isSigned,
  openReceiver,
  type Receiver,
  statusOf,
  until,
  verifyTokenOf,
} from "./webhook-receiver.ts";
import { type Channel, findService, QUICK, recordedOf, subscribe } from "./webhook-subscribe.ts";

describe("A webhook", function () {
  this.timeout(20_000);
  let receiver: Receiver;
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let channel: Channel;
  let topic: string;
  let sendTo: string;
  const last = (path: string): Delivery => receiver.deliveries.findLast((one) => one.path === path)!;

  before(async () => {
    receiver = await openReceiver();
    server = await startServer({
      FREEHOLD_EGRESS_ALLOW: receiver.origin,
      FREEHOLD_LIMITS: QUICK.join(","),
    });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    topic = `${ana.pod}notes.ttl`;
    sendTo = `${receiver.origin}/hook?of=ben`;
    await write(ana, topic, "<> <urn:x:is> 'the secret of notes' .");
    await setAccess(ana, topic, [{ to: ben.webid, modes: ["Read"], on: "own" }]);
    channel = await subscribe(ben.fetch, ana.pod, topic, sendTo);
  });
  after(async () => {
    await server?.close();
    await receiver?.close();
  });

  it("is among what the storage offers", async () => {
    const { feature } = await findService(fetch, ana.pod);
    expect(JSON.stringify(feature))
      .to.match(/startAt/)
      .and.match(/endAt/)
      .and.match(/rate/)
      .and.match(/state/);
  });

  it("is described with id, type, topic and sender", () => {
    expect(channel.type).to.match(/WebhookChannel2023$/);
    expect(channel.topic).to.equal(topic);
    expect(channel.id).to.match(/^http/);
    expect(channel.sender).to.equal(`${server.baseUrl}.notifications/sender#it`);
    expect(channel).not.to.have.property("receiveFrom");
  });

  it("its target was asked first, once, and told only what it is about", () => {
    const [question, ...others] = receiver.questions("/hook?of=ben");
    expect(others).to.have.length(0);
    const { "@context": _, id, ...rest } = question as unknown as Record<string, unknown>;
    expect(id).to.match(/^urn:uuid:/);
    expect(rest).to.have.all.keys("type", "topic", "sender", "challenge");
    expect(rest).to.include({ type: "TargetVerification", topic, sender: channel.sender });
    expect(receiver.deliveries.findIndex(({ path }) => path === "/hook?of=ben")).to.equal(0);
  });

  it("tells of a change, and nothing of what it says", async () => {
    await write(ana, topic, "<> <urn:x:is> 'another secret' .");
    await until(() => receiver.messages("/hook?of=ben").length === 1, "the message");
    const [message] = receiver.messages("/hook?of=ben");
    expect(message).to.include({ type: "Update", object: topic });
    expect(message?.id).to.match(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(message).to.have.property("published");
    const head = await ben.fetch(topic, { method: "HEAD" });
    expect(head.status).to.equal(200);
    const etag = head.headers.get("etag");
    expect(message).to.have.property("state").that.is.a("string");
    expect((message as unknown as { state: string }).state.split("-")[0]).to.equal(etag?.split("-")[0]);
    expect(last("/hook?of=ben").text).not.to.match(/secret/);
    expect(last("/hook?of=ben").headers["content-type"]).to.equal("application/ld+json");
  });

  it("comes in the order of the changes", async () => {
    const from = receiver.messages("/hook?of=ben").length;
    for (let count = 0; count < 20; count += 1) await write(ana, topic, `<> <urn:x:is> ${count} .`);
    await until(() => receiver.messages("/hook?of=ben").length === from + 20, "20 messages");
    const numbers = receiver.messages("/hook?of=ben").map(({ cursor }) => cursor);
    expect(numbers).to.deep.equal(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).to.equal(numbers.length);
  });

  it("says nothing of what the subscriber may not read", async () => {
    const from = receiver.deliveries.length;
    await write(ana, `${ana.pod}private.ttl`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(receiver.deliveries).to.have.length(from);
  });

  describe("its sender", () => {
    it("has a WebID document for everybody, as Turtle and as JSON-LD", async () => {
      for (const type of ["text/turtle", "application/ld+json"]) {
        const response = await fetch(channel.sender, { headers: { accept: type } });
        expect(response.status).to.equal(200);
        expect(response.headers.get("content-type")).to.include(type);
        const text = await response.text();
        expect(text).to.include("oidcIssuer").and.to.include(server.baseUrl);
      }
      const refused = await fetch(channel.sender, { headers: { accept: "image/png" } });
      expect(refused.status).to.equal(406);
    });

    it("proves itself to any receiver: question and message", async () => {
      for (const delivery of receiver.deliveries.slice(0, 2)) {
        const { webid, token } = await verifyTokenOf(delivery, channel.sender);
        expect(webid).to.equal(channel.sender);
        expect(token.exp! * 1_000 - Date.now()).to.be.at.most(5 * 60_000);
        expect(await isSigned(delivery, channel.sender)).to.equal(true);
      }
    });

    it("proves each message by itself", async () => {
      const proofs = await Promise.all(
        receiver.deliveries
          .slice(0, 10)
          .map(async (one) => (await verifyTokenOf(one, channel.sender)).proof.jti),
      );
      expect(new Set(proofs).size).to.equal(proofs.length);
    });

    it("is not believed when anything was changed on the way", async () => {
      const good = last("/hook?of=ben");
      const { headers } = good;
      const flip = (text: unknown): string =>
        String(text).replace(/[A-Za-z](?=[^A-Za-z]*$)/, (sign) => (sign === "A" ? "B" : "A"));
      const changed: Record<string, Delivery> = {
        content: { ...good, text: good.text.replace("Update", "Delete") },
        address: { ...good, url: `${receiver.origin}/hook?of=ana` },
        method: { ...good, method: "PUT" },
        type: { ...good, headers: { ...headers, "content-type": "text/plain" } },
        digest: { ...good, headers: { ...headers, "content-digest": flip(headers["content-digest"]) } },
        signature: {
          ...good,
          headers: {
            ...headers,
            signature: String(headers["signature"]).replace(/:../, (two) => (two === ":AA" ? ":BB" : ":AA")),
          },
        },
        time: {
          ...good,
          headers: {
            ...headers,
            "signature-input": String(headers["signature-input"]).replace(/created=\d/, "created=9"),
          },
        },
      };
      expect(await isSigned(good, channel.sender)).to.equal(true);
      for (const [what, delivery] of Object.entries(changed))
        expect(await isSigned(delivery, channel.sender), what).to.equal(false);
    });

    it("is not believed elsewhere: token and proof are for one address", async () => {
      const good = last("/hook?of=ben");
      const refused = async (delivery: Delivery): Promise<string> =>
        verifyTokenOf(delivery, channel.sender).then(
          () => "believed",
          (error: unknown) => (error as Error).message,
        );
      expect(await refused(good)).to.equal("believed");
      expect(await refused({ ...good, url: "https://bank.example/transfer" })).to.match(/another request/);
      expect(await refused({ ...good, method: "DELETE" })).to.match(/another request/);
      const other = receiver.deliveries[0]!;
      const forged = String(good.headers.authorization).replace(
        /\.[^.]*$/,
        String(other.headers["dpop"]).replace(/^.*\./, "."),
      );
      expect(await refused({ ...good, headers: { ...good.headers, authorization: forged } })).to.match(
        /signature/,
      );
    });

    it("is somebody at other pods: whoever lets it in there by its WebID, gets its messages", async () => {
      const elsewhere = await startServer({ FREEHOLD_EGRESS_ALLOW: new URL(server.baseUrl).origin });
      try {
        const kim = await elsewhere.person("Kim");
        const inbox = `${kim.pod}notices/`;
        await write(kim, `${inbox}first.ttl`);
        const { config, identity, now } = server.context;
        const { signing } = identity.provider;
        const sender = createWebhookSender({ baseUrl: config.baseUrl, signing, limits: config.limits, now });
        const send = async (): Promise<number> => {
          const body = Buffer.from(`{"@id": "", "https://example.org/says": "news"}`);
          const headers = await sender.sign(inbox, body);
          return (await fetch(inbox, { method: "POST", headers, body })).status;
        };
        expect(await send()).to.equal(403); // Known, and not let in.
        await setAccess(kim, inbox, [{ to: channel.sender, modes: ["Append"] }]);
        expect(await send()).to.equal(201);
      } finally {
        await elsewhere.close();
      }
    });

    it("opens nothing here: a receiver that sends it back gets in nowhere", async () => {
      await setAccess(ana, ana.pod, [{ to: "signed-in", modes: ["Read"] }]);
      const { headers } = last("/hook?of=ben");
      const response = await fetch(ana.pod, {
        headers: { authorization: String(headers.authorization), dpop: String(headers["dpop"]) },
      });
      expect(response.status).to.equal(401);
    });
  });

  describe("features", () => {
    it("rate: what comes too often comes together", async () => {
      const path = "/rate";
      const began = Date.now();
      await subscribe(ben.fetch, ana.pod, topic, `${receiver.origin}${path}`, { rate: "PT1S" });
      for (let count = 0; count < 10; count += 1) await write(ana, topic, `<> <urn:x:is> ${count} .`);
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(receiver.messages(path).length).to.be.within(1, 1 + Math.ceil((Date.now() - began) / 1_000));
    });

    it("startAt and endAt: nothing before, nothing after", async () => {
      const path = "/times";
      const startAt = new Date(Date.now() + 1_500).toISOString();
      const endAt = new Date(Date.now() + 3_000).toISOString();
      await subscribe(ben.fetch, ana.pod, topic, `${receiver.origin}${path}`, { startAt, endAt });
      await write(ana, topic, "<> <urn:x:is> 'early' .");
      await new Promise((resolve) => setTimeout(resolve, Date.parse(startAt) + 100 - Date.now()));
      expect(receiver.messages(path)).to.have.length(0);
      await write(ana, topic, "<> <urn:x:is> 'in time' .");
      await until(() => receiver.messages(path).length === 1, "the one in time");
      await new Promise((resolve) => setTimeout(resolve, Date.parse(endAt) + 100 - Date.now()));
      await write(ana, topic, "<> <urn:x:is> 'late' .");
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(receiver.messages(path)).to.have.length(1);
    });

    it("state: who knows an older one is told at once, and once only, whatever fails", async () => {
      const path = "/state";
      receiver.onMessage(path, statusOf(500));
      await subscribe(ben.fetch, ana.pod, topic, `${receiver.origin}${path}`, { state: '"older"' });
      await until(() => receiver.messages(path).length >= 2, "the first attempts");
      const failed = receiver.messages(path).length;
      receiver.onMessage(path, statusOf(204));
      await until(() => receiver.messages(path).length > failed, "the one that is taken");
      await new Promise((resolve) => setTimeout(resolve, 300));
      const tried = receiver.messages(path).length;
      expect(new Set(receiver.messages(path).map(({ id }) => id)).size).to.equal(1);
      receiver.onMessage(path, statusOf(500));
      await write(ana, topic, "<> <urn:x:is> 'news' .");
      await until(() => receiver.messages(path).length >= tried + 2, "attempts at the news");
      expect(
        new Set(
          receiver
            .messages(path)
            .slice(tried)
            .map(({ id }) => id),
        ).size,
      ).to.equal(1);
    });
  });

  it("begins in the owner's journal", async () => {
    expect((await recordedOf(server, ana))[0]).to.deep.equal(["subscribe", "/ana/notes.ttl", null]);
  });
});
