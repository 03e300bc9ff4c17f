/** Servers that share a database: one sends for all, and when it ends, another goes on where it was. */
import { join } from "node:path";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { type Running, serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { logIn } from "../support/dpop.ts";
import { describeOnPostgres } from "../support/postgres.ts";
import { quietPort } from "../support/process.ts";
import { makePlace, type Place } from "../torture/place.ts";
import { openReceiver, type Receiver, statusOf, until } from "./webhook-receiver.ts";
import { QUICK, subscribe } from "./webhook-subscribe.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeOnPostgres("Webhooks of two servers on one database", function () {
  this.timeout(60_000);
  let place: Place;
  let receiver: Receiver;
  let ports: readonly [string, string];
  const servers: (Running | null)[] = [];

  const open = async (index: 0 | 1): Promise<Running> => {
    const running = await serve(
      readConfig({
        FREEHOLD_PORT: ports[index],
        FREEHOLD_BASE_URL: `http://localhost:${ports[0]}/`,
        FREEHOLD_DATA: join(place.folder, String(index)),
        FREEHOLD_ROOT_KEY_FILE: join(place.folder, "root.key"),
        FREEHOLD_STORE: String(place.database),
        FREEHOLD_LOG_LEVEL: "error",
        FREEHOLD_EGRESS_ALLOW: receiver.origin,
        FREEHOLD_LIMITS: [...QUICK, "webhookLeaseMs=800", "feedPollMs=200"].join(","),
      }),
      () => undefined,
    );
    servers[index] = running;
    return running;
  };
  const close = async (index: 0 | 1): Promise<void> => {
    await servers[index]?.close();
    servers[index] = null;
  };

  before(async () => {
    [place, receiver] = await Promise.all([makePlace("postgres"), openReceiver()]);
    ports = [await quietPort(), await quietPort()];
  });
  after(async () => {
    await close(0);
    await close(1);
    await place?.remove();
    await receiver?.close();
  });

  it("each message is sent once, whichever was asked, and whichever ends", async () => {
    const first = await open(0);
    const second = await open(1);
    const { baseUrl } = first.context.config;
    const ana = await createPerson(first.context, {
      name: "Ana",
      podName: "ana",
      password: "a long password of Ana",
    });
    const fetchAs = await logIn(baseUrl, ana.credentials.id, ana.credentials.secret);
    const topic = `${ana.pod}notes.ttl`;
    let count = 0;
    const change = async (by: Running): Promise<void> => {
      count += 1;
      const bytes = Buffer.from(`<> <urn:x:is> ${count} .`);
      const pod = await by.context.pods.find("ana");
      await by.context.writeDocuments(pod!, [{ path: "/ana/notes.ttl", contentType: "text/turtle", bytes }]);
    };
    await change(first);
    await subscribe(fetchAs, ana.pod, topic, `${receiver.origin}/hook`);
    await change(first);
    await change(second);
    await until(() => receiver.messages("/hook").length === 2, "both");

    await close(0); // The one that was asked.
    await change(second);
    await until(() => receiver.messages("/hook").length === 3, "the third, by the other");

    receiver.onMessage("/hook", statusOf(500));
    await change(second);
    await until(() => receiver.messages("/hook").length > 3, "an attempt");
    const third = await open(0);
    await pause(300);
    receiver.onMessage("/hook", statusOf(204));
    await change(third);
    const cursors = (): readonly number[] => receiver.messages("/hook").map(({ cursor }) => cursor);
    await until(() => new Set(cursors()).size === 5, "all five");
    await pause(500);
    const numbers = cursors();
    expect(numbers).to.deep.equal(numbers.toSorted((a, b) => a - b));
    expect(numbers.filter((one) => one === numbers.at(-1))).to.have.length(1);

    // A channel that is ended through one server is ended for the one that sends.
    const pod = await third.context.pods.find("ana");
    const [channel] = await third.context.notifications.channels.list(pod!);
    await third.context.notifications.channels.remove(pod!, channel!.id);
    await change(second);
    await pause(500);
    expect(receiver.messages("/hook")).to.have.length(numbers.length);
  });
});
