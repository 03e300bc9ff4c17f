/** What is owed is sent, in order, until it is taken, or until nobody may or wants to know any more. */
import { expect } from "chai";
import { accountOfPod } from "../../server/account/records.ts";
import { SERVER_POD } from "../../server/store/store.ts";
import { setAccess, write } from "../doors/people.ts";
import { logIn } from "../support/dpop.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { openReceiver, type Receiver, statusOf, until } from "./webhook-receiver.ts";
import { type Channel, QUICK, recordedOf, subscribe } from "./webhook-subscribe.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("Sending to a webhook", function () {
  this.timeout(30_000);
  let receiver: Receiver;
  let slow: Receiver;
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let cleo: Person;
  let number = 0;

  before(async () => {
    [receiver, slow] = await Promise.all([openReceiver(), openReceiver()]);
    server = await startServer({
      FREEHOLD_EGRESS_ALLOW: `${receiver.origin},${slow.origin}`,
      FREEHOLD_LIMITS: [
        ...QUICK,
        "webhookGiveUpMs=3000",
        "webhooksPerAgentMax=50",
        "listenerRecheckMs=100",
      ].join(","),
    });
    [ana, ben, cleo] = [await server.person("Ana"), await server.person("Ben"), await server.person("Cleo")];
  });
  after(async () => {
    await server?.close();
    await Promise.all([receiver?.close(), slow?.close()]);
  });

  interface Scene {
    readonly topic: string;
    readonly path: string;
    readonly channel: Channel;
    /** Changes the topic. */
    readonly change: () => Promise<void>;
  }

  /** Ben is told of a document of Ana's. */
  async function scene(where: Receiver = receiver): Promise<Scene> {
    number += 1;
    const topic = `${ana.pod}topic${number}.ttl`;
    const path = `/hook${number}`;
    await write(ana, topic);
    await setAccess(ana, topic, [{ to: ben.webid, modes: ["Read"], on: "own" }]);
    const channel = await subscribe(ben.fetch, ana.pod, topic, `${where.origin}${path}`);
    let count = 0;
    return {
      topic,
      path,
      channel,
      async change() {
        count += 1;
        await write(ana, topic, `<> <urn:x:is> ${count} .`);
      },
    };
  }

  /** Each message once, in the order in which it first came. */
  const distinct = (path: string, where = receiver): readonly number[] => [
    ...new Set(where.messages(path).map(({ cursor }) => cursor)),
  ];
  const isAscending = (numbers: readonly number[]): boolean =>
    numbers.every((one, at) => at === 0 || one > (numbers[at - 1] ?? 0));

  for (const [what, answer] of [
    ["a server's mistake", statusOf(500)],
    ["a refusal", statusOf(403)],
    ["no answer", () => {}],
    ["a connection that is cut", (_: unknown, response: { destroy(): void }) => response.destroy()],
    ["a redirect, which is not followed", statusOf(307, { location: "/elsewhere" })],
    ["too many requests", statusOf(429, { "retry-after": "0" })],
  ] as const)
    it(`tries again after ${what}: the same message, then what came meanwhile, in order`, async () => {
      const { path, change } = await scene();
      receiver.onMessage(path, answer);
      await change();
      await until(() => receiver.messages(path).length >= 2, "a second attempt");
      await change();
      await change();
      await pause(100);
      expect(distinct(path), "only the first").to.have.length(1);
      expect(new Set(receiver.messages(path).map(({ id }) => id)).size, "under one name").to.equal(1);
      receiver.onMessage(path, statusOf(204));
      await until(() => distinct(path).length === 3, "all three");
      expect(isAscending(distinct(path))).to.equal(true);
      expect(receiver.deliveries.some(({ path: to }) => to === "/elsewhere")).to.equal(false);
    });

  it("tries again while nobody listens, and loses nothing", async () => {
    const { path, change } = await scene(slow);
    await slow.close();
    await change();
    await change();
    await pause(200);
    await slow.reopen();
    await until(() => distinct(path, slow).length === 2, "both");
    expect(isAscending(distinct(path, slow))).to.equal(true);
  });

  it("waits as long as the receiver asks for", async () => {
    const { path, change } = await scene();
    receiver.onMessage(path, statusOf(503, { "retry-after": "1" }));
    await change();
    await until(() => receiver.messages(path).length === 1, "the first attempt");
    receiver.onMessage(path, statusOf(200));
    await until(() => receiver.messages(path).length === 2, "the second attempt");
    const [first, second] = receiver.deliveries.filter((one) => one.path === path).slice(1);
    expect((second?.at ?? 0) - (first?.at ?? 0)).to.be.at.least(990);
  });

  it("does not care for what a receiver says, however much", async () => {
    const { path, change } = await scene();
    receiver.onMessage(path, (_delivery, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    await change();
    await change();
    await until(() => distinct(path).length === 2, "both");
    await pause(150);
    expect(receiver.messages(path), "it was taken").to.have.length(2);
  });

  it("is never more than so many at once to one target", async () => {
    let [open, most] = [0, 0];
    const many = await Promise.all(Array.from({ length: 10 }, () => scene(slow)));
    for (const { path } of many)
      slow.onMessage(path, (_delivery, response) => {
        open += 1;
        most = Math.max(most, open);
        setTimeout(() => {
          open -= 1;
          response.writeHead(204).end();
        }, 50);
      });
    await Promise.all(many.flatMap(({ change }) => [change(), change()]));
    await until(() => many.every(({ path }) => slow.messages(path).length >= 1), "all");
    expect(most).to.be.within(2, 4);
  });

  describe("stops", () => {
    it("when access is gone: the next change is not told", async () => {
      const { topic, path, change } = await scene();
      await change();
      await until(() => receiver.messages(path).length === 1, "the first");
      await setAccess(ana, topic, []);
      await change();
      await pause(200);
      expect(receiver.messages(path)).to.have.length(1);
      expect(await recordedOf(server, ana)).to.deep.include(["unsubscribe", new URL(topic).pathname, 403]);
    });

    it("when access is gone between two attempts: not even what was true before is told", async () => {
      const { topic, path, change } = await scene();
      receiver.onMessage(path, statusOf(500));
      await change();
      await until(() => receiver.messages(path).length >= 1, "an attempt");
      await setAccess(ana, topic, []);
      await pause(150); // What was under way when it was taken away.
      const tried = receiver.messages(path).length;
      receiver.onMessage(path, statusOf(204));
      await pause(400);
      expect(receiver.messages(path)).to.have.length(tried);
      await setAccess(ana, topic, [{ to: ben.webid, modes: ["Read"], on: "own" }]);
      await change();
      await pause(200);
      expect(receiver.messages(path), "and it does not come back by itself").to.have.length(tried);
    });

    it("while the place is frozen; what happened meanwhile is told when the owner lifts it", async () => {
      const { topic, path, change } = await scene();
      const { restrictions } = server.context.ldp;
      const pod = (await server.context.pods.find("ana"))!;
      const place = new URL(topic).pathname;
      await restrictions.restrict(pod, place, "owner");
      await change();
      await pause(400);
      expect(receiver.messages(path), "nothing is told of what is frozen").to.have.length(0);
      expect(
        (await recordedOf(server, ana)).filter(([act, at]) => act === "unsubscribe" && at === place),
      ).to.deep.equal([]);
      await restrictions.release(pod, place, "owner");
      await until(() => distinct(path).length === 1, "what was owed");
    });

    it("when the person shows the program out that subscribed", async () => {
      const { topic, path, change } = await scene();
      const { accounts } = server.context.identity;
      const id = await server.context.store.read(SERVER_POD, (snapshot) => accountOfPod(snapshot, "ben"));
      const program = await accounts.credentials.create(id!, "Another program", null);
      const another = await logIn(server.baseUrl, program.id, program.secret);
      const channel = await subscribe(another, ana.pod, topic, `${receiver.origin}${path}-program`);
      await change();
      await until(() => receiver.messages(`${path}-program`).length === 1, "the first");
      await accounts.credentials.delete(id!.id, program.id);
      await change();
      await until(async () => (await ben.fetch(channel.id)).status === 404, "the end of the channel");
      expect(receiver.messages(`${path}-program`)).to.have.length(1);
      await until(() => distinct(path).length === 2, "the person's other program still is told");
    });

    it("when the receiver says that it is gone", async () => {
      const { topic, path, channel, change } = await scene();
      receiver.onMessage(path, statusOf(410));
      await change();
      await until(async () => (await ben.fetch(channel.id)).status === 404, "the end of the channel");
      receiver.onMessage(path, statusOf(204));
      await change();
      await pause(200);
      expect(receiver.messages(path)).to.have.length(1);
      expect(await recordedOf(server, ana)).to.deep.include(["unsubscribe", new URL(topic).pathname, 410]);
    });

    it("when it was tried for long enough, and tells the owner", async () => {
      const { topic, path, channel, change } = await scene();
      receiver.onMessage(path, statusOf(502));
      await change();
      await until(() => receiver.messages(path).length >= 3, "some attempts");
      expect((await ben.fetch(channel.id)).status, "some failures are not enough").to.equal(200);
      await until(async () => (await ben.fetch(channel.id)).status === 404, "the end of the channel");
      const tried = receiver.messages(path).length;
      expect(tried).to.be.above(3);
      await change();
      await pause(200);
      expect(receiver.messages(path)).to.have.length(tried);
      expect(await recordedOf(server, ana)).to.deep.include(["unsubscribe", new URL(topic).pathname, 502]);
    });

    it("and time begins anew with each message that is taken", async () => {
      const { path, channel, change } = await scene();
      for (let round = 0; round < 2; round += 1) {
        receiver.onMessage(path, statusOf(500));
        await change();
        await pause(1_700);
        receiver.onMessage(path, statusOf(204));
        await until(() => distinct(path).length === round + 1, "the message");
        await pause(150);
      }
      expect((await ben.fetch(channel.id)).status).to.equal(200);
    });

    for (const who of ["subscriber", "owner"] as const)
      it(`when the ${who} says so, in the middle of an attempt too`, async () => {
        const { topic, path, channel, change } = await scene();
        receiver.onMessage(path, () => {});
        await change();
        await until(() => receiver.messages(path).length === 1, "an attempt");
        const person = who === "owner" ? ana : ben;
        expect((await person.fetch(channel.id, { method: "DELETE" })).status).to.equal(204);
        receiver.onMessage(path, statusOf(204));
        await change();
        await pause(600);
        expect(receiver.messages(path)).to.have.length(1);
        expect((await ben.fetch(channel.id)).status).to.equal(404);
        expect(await recordedOf(server, ana)).to.deep.include(["unsubscribe", new URL(topic).pathname, null]);
      });

    it("but not because a stranger says so", async () => {
      const { path, channel, change } = await scene();
      expect((await cleo.fetch(channel.id, { method: "DELETE" })).status).to.be.oneOf([403, 404]);
      expect((await fetch(channel.id, { method: "DELETE" })).status).to.equal(401);
      expect((await cleo.fetch(channel.id)).status).to.be.oneOf([403, 404]);
      await change();
      await until(() => receiver.messages(path).length === 1, "the message");
    });
  });
});

describe("A slow receiver", function () {
  this.timeout(30_000);
  const STUCK = 10;
  const ATTEMPT_MS = 4_000;
  let quick: Receiver;
  let slow: Receiver;
  let server: TestServer;
  let ana: Person;

  before(async () => {
    [quick, slow] = await Promise.all([openReceiver(), openReceiver()]);
    const limits = [
      ...QUICK,
      `egressMsMax=${ATTEMPT_MS}`,
      "webhooksSendingMax=4",
      "webhooksSendingPerTargetMax=3",
    ];
    server = await startServer({
      FREEHOLD_EGRESS_ALLOW: `${quick.origin},${slow.origin}`,
      FREEHOLD_LIMITS: limits.join(","),
    });
    ana = await server.person("Ana");
  });
  after(async () => {
    await server?.close();
    await Promise.all([quick?.close(), slow?.close()]);
  });

  it("holds up nobody else, and no stop of the server", async () => {
    const topic = `${ana.pod}notes.ttl`;
    await write(ana, topic);
    for (let count = 0; count < STUCK; count += 1) {
      slow.onMessage(`/${count}`, () => {});
      await subscribe(ana.fetch, ana.pod, topic, `${slow.origin}/${count}`);
    }
    await subscribe(ana.fetch, ana.pod, topic, `${quick.origin}/hook`); // The last in the row.
    const began = Date.now();
    await write(ana, topic, "<> <urn:x:is> 2 .");
    await until(() => quick.messages("/hook").length === 1, "the quick one");
    expect(Date.now() - began).to.be.below(ATTEMPT_MS);
    const tried = Array.from({ length: STUCK }, (_, count) => slow.messages(`/${count}`).length);
    expect(tried.reduce((sum, one) => sum + one)).to.be.within(1, 3);
    const closing = Date.now();
    await server.context.notifications.close();
    expect(Date.now() - closing).to.be.below(ATTEMPT_MS / 2);
  });
});
