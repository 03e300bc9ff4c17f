/** What a start finds: what is owed goes on, and how long a receiver has been failing is not forgotten. */
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { type Running, serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { type Fetch, logIn } from "../support/dpop.ts";
import { quietPort } from "../support/process.ts";
import { temporaryFolder } from "../support/store.ts";
import { openReceiver, type Receiver, statusOf, until } from "./webhook-receiver.ts";
import { QUICK, subscribe } from "./webhook-subscribe.ts";

const GIVE_UP_MS = 2_500;

describe("Webhooks after a start", function () {
  this.timeout(60_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let receiver: Receiver;
  let port: string;
  let running: Running | null = null;
  let ana: { readonly pod: string; readonly fetch: Fetch };
  let topic: string;

  const open = async (): Promise<Running> => {
    running = await serve(
      readConfig({
        FREEHOLD_PORT: port,
        FREEHOLD_DATA: folder.folder,
        FREEHOLD_LOG_LEVEL: "error",
        FREEHOLD_EGRESS_ALLOW: receiver.origin,
        FREEHOLD_LIMITS: [...QUICK, `webhookGiveUpMs=${GIVE_UP_MS}`].join(","),
      }),
      () => undefined,
    );
    return running;
  };
  const close = async (): Promise<void> => {
    await running?.close();
    running = null;
  };
  const change = async (count: number): Promise<void> => {
    const headers = { "content-type": "text/turtle" };
    const response = await ana.fetch(topic, { method: "PUT", headers, body: `<> <urn:x:is> ${count} .` });
    expect(response.ok).to.equal(true);
  };
  const standing = async (server: Running): Promise<number> => {
    const pod = await server.context.pods.find("ana");
    return (await server.context.notifications.channels.list(pod!)).length;
  };

  before(async () => {
    [folder, receiver, port] = await Promise.all([temporaryFolder(), openReceiver(), quietPort()]);
    const { context } = await open();
    const password = "a long password of Ana";
    const person = await createPerson(context, { name: "Ana", podName: "ana", password });
    const { id, secret } = person.credentials;
    ana = { pod: person.pod, fetch: await logIn(context.config.baseUrl, id, secret) };
    topic = `${ana.pod}notes.ttl`;
    await change(0);
  });
  after(async () => {
    await close();
    await folder?.remove();
    await receiver?.close();
  });

  it("what nobody could take before is sent, though nothing is new", async () => {
    await subscribe(ana.fetch, ana.pod, topic, `${receiver.origin}/later`);
    receiver.onMessage("/later", statusOf(503));
    await change(1);
    await change(2);
    await until(() => receiver.messages("/later").length > 0, "an attempt");
    await close();
    receiver.onMessage("/later", statusOf(204));
    const from = receiver.messages("/later").length;
    await open();
    await until(() => receiver.messages("/later").length === from + 2, "both");
    const [first, second] = receiver.messages("/later").slice(from);
    expect(first?.id).to.equal(receiver.messages("/later")[0]?.id);
    expect(second?.cursor).to.be.above(first?.cursor ?? 0);
  });

  it("who is given up is given up, however often the server is started", async () => {
    await subscribe(ana.fetch, ana.pod, topic, `${receiver.origin}/never`);
    const before = await standing(running!);
    receiver.onMessage("/never", statusOf(500));
    await change(3);
    await until(() => receiver.messages("/never").length > 0, "an attempt");
    const since = Date.now();
    let starts = 0;
    while ((await standing(running!)) === before && Date.now() - since < 6 * GIVE_UP_MS) {
      await new Promise((resolve) => setTimeout(resolve, GIVE_UP_MS / 3));
      await close();
      await open();
      starts += 1;
    }
    expect(await standing(running!)).to.equal(before - 1);
    expect(starts).to.be.at.least(2);
  });
});
