/** Nothing is sent to whoever has not said that it wants it, and nothing to whom this server must not talk to. */
import { expect } from "chai";
import { setAccess, write } from "../doors/people.ts";
import { quietPort } from "../support/process.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type Answer, agree, openReceiver, type Receiver, statusOf } from "./webhook-receiver.ts";
import { post, QUICK, subscribe } from "./webhook-subscribe.ts";

/** This machine and its neighbours, and what is no address for a receiver. */
const NOT_SENDABLE: readonly (readonly [what: string, sendTo: unknown])[] = [
  ["http", "http://receiver.example/hook"],
  ["another scheme", "ftp://receiver.example/hook"],
  ["no scheme of the web", "urn:uuid:5e1bd0e5-1c53-4ed1-a5ad-07f1c0ad1dd0"],
  ["a file", "file:///etc/passwd"],
  ["another port", "https://receiver.example:8443/hook"],
  ["the port of mail", "https://receiver.example:25/hook"],
  ["credentials", "https://user:password@receiver.example/hook"],
  ["words", "not an address"],
  ["nothing", ""],
  ["a number", 5],
  ["a very long address", `https://receiver.example/${"x".repeat(2_048)}`],
  ["two", ["https://receiver.example/a", "https://receiver.example/b"]],
  ["loopback", "https://127.0.0.1/hook"],
  ["loopback, short", "https://127.1/hook"],
  ["loopback, as a number", "https://2130706433/hook"],
  ["loopback, in hex", "https://0x7f000001/hook"],
  ["loopback by name", "https://localhost/hook"],
  ["loopback of IPv6", "https://[::1]/hook"],
  ["loopback, mapped", "https://[::ffff:127.0.0.1]/hook"],
  ["every address", "https://0.0.0.0/hook"],
  ["a private network", "https://10.0.0.1/hook"],
  ["another private network", "https://172.16.0.1/hook"],
  ["a home network", "https://192.168.0.1/hook"],
  ["link-local, where clouds keep secrets", "https://169.254.169.254/latest/meta-data/"],
  ["link-local of IPv6", "https://[fe80::1]/hook"],
  ["a private network of IPv6", "https://[fd00::1]/hook"],
  ["a name that does not exist", "https://receiver.invalid/hook"],
];

const answerWith =
  (text: (challenge: string, whole: string) => string, status = 200): Answer =>
  (delivery, response) => {
    const { challenge } = JSON.parse(delivery.text) as { challenge: string };
    response.writeHead(status, { "content-type": "text/plain" }).end(text(challenge, delivery.text));
  };

/** What is no yes. */
const NOT_A_YES: readonly (readonly [what: string, answer: Answer])[] = [
  ["nothing is there", statusOf(404)],
  ["a server's mistake", statusOf(500)],
  ["anything is welcome", statusOf(200, {}, "OK")],
  ["no content", statusOf(204)],
  ["another challenge", answerWith(() => "A".repeat(43))],
  ["the beginning of the challenge", answerWith((challenge) => challenge.slice(0, 42))],
  ["the challenge and more", answerWith((challenge) => `${challenge} or else`)],
  ["more than anybody reads", answerWith((challenge) => challenge + " ".repeat(2_000))],
  ["without end", (_delivery, response) => endlessly(response)],
  ["an echo", answerWith((_challenge, whole) => whole)],
  ["the challenge, refused", answerWith((challenge) => challenge, 403)],
  ["the challenge, accepted for later", answerWith((challenge) => challenge, 202)],
  ["nobody answers", () => {}],
  ["half an answer", (_delivery, response) => response.writeHead(200, { "content-length": "43" }).write("A")],
  ["cut off", (_delivery, response) => response.destroy()],
];

function endlessly(response: { write(text: string): boolean; destroyed: boolean }): void {
  const timer = setInterval(() => {
    if (response.destroyed) clearInterval(timer);
    else response.write(" ".repeat(1_000));
  }, 5);
}

describe("The target of a webhook", function () {
  this.timeout(20_000);
  let receiver: Receiver;
  let other: Receiver;
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let topic: string;
  const hook = (path: string): string => `${receiver.origin}${path}`;

  before(async () => {
    [receiver, other] = await Promise.all([openReceiver(), openReceiver()]);
    const port = await quietPort();
    server = await startServer({
      FREEHOLD_PORT: port,
      FREEHOLD_EGRESS_ALLOW: `${receiver.origin},${other.origin},http://localhost:${port}`,
      FREEHOLD_LIMITS: QUICK.join(","),
    });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    topic = `${ana.pod}notes.ttl`;
    await write(ana, topic);
    await setAccess(ana, topic, [
      { to: ben.webid, modes: ["Read"], on: "own" },
      { to: "public", modes: ["Read"], on: "own" },
    ]);
  });
  after(async () => {
    await server?.close();
    await Promise.all([receiver?.close(), other?.close()]);
  });

  async function standing(): Promise<number> {
    const pod = await server.context.pods.find("ana");
    const rows = await server.context.store.read(pod!.id, async (snapshot) => {
      let count = 0;
      for await (const _ of snapshot.list("channel", "")) count += 1;
      return count;
    });
    return rows;
  }

  for (const [what, sendTo] of NOT_SENDABLE)
    it(`cannot be ${what}`, async () => {
      const from = server.log.length;
      const response = await post(ben.fetch, ana.pod, { topic, sendTo });
      const text = await response.text();
      expect(response.status, text).to.equal(422);
      // Where it came as far as a connection, the gate refused it, and not only that nobody listened there.
      const lines = server.log
        .slice(from)
        .map((line) => JSON.parse(line) as { event: string; code?: string });
      const codes = lines.flatMap(({ event, code }) => (event === "egress.failed" ? [String(code)] : []));
      expect(
        codes.filter((code) => !["ERR_IP_BLOCKED", "ENOTFOUND", "EAI_AGAIN"].includes(code)),
      ).to.deep.equal([]);
      expect(text).not.to.match(/ECONN|ENOTFOUND|EAI_|private|loopback|timeout/i);
      expect(await standing()).to.equal(0);
    });

  it("cannot be left out", async () => {
    expect((await post(ben.fetch, ana.pod, { topic })).status).to.equal(422);
  });

  it("cannot be this server, in whose name it would be sent, though the operator lets it talk to itself", async () => {
    const inbox = `${ana.pod}inbox/`;
    await write(ana, `${inbox}first.ttl`);
    await setAccess(ana, inbox, [{ to: "signed-in", modes: ["Append"] }]);
    for (const sendTo of [inbox, inbox.replace("localhost", "LOCALHOST"), `${server.baseUrl}.oidc/reg`]) {
      const response = await post(ben.fetch, ana.pod, { topic, sendTo });
      expect(response.status).to.equal(422);
      expect(await response.json())
        .to.have.property("type")
        .that.matches(/subscription-invalid$/);
    }
    const listing = await (await ana.fetch(inbox)).text();
    expect(listing.match(/<[^>]*> a /g)?.length ?? 0).to.be.at.most(2); // The folder and its first.
  });

  for (const [what, answer] of NOT_A_YES)
    it(`does not want it: ${what}`, async () => {
      const path = `/no-${NOT_A_YES.findIndex(([one]) => one === what)}`;
      receiver.onQuestion(path, answer);
      const response = await post(ben.fetch, ana.pod, { topic, sendTo: hook(path) });
      expect(response.status).to.equal(422);
      expect(await response.json())
        .to.have.property("type")
        .that.matches(/target-not-verified$/);
      expect(receiver.questions(path)).to.have.length(1); // Asked once, and not again.
      expect(await standing()).to.equal(0);
    });

  it("nobody follows to where it points, though it would say yes there", async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.onQuestion(`/away-${status}`, statusOf(status, { location: `${other.origin}/` }));
      const response = await post(ben.fetch, ana.pod, { topic, sendTo: hook(`/away-${status}`) });
      expect(response.status).to.equal(422);
    }
    receiver.onQuestion("/inside", statusOf(307, { location: "http://169.254.169.254/" }));
    expect((await post(ben.fetch, ana.pod, { topic, sendTo: hook("/inside") })).status).to.equal(422);
    expect(other.deliveries).to.have.length(0);
  });

  it("gets nothing after all that, whatever changes", async () => {
    const from = receiver.deliveries.length;
    await write(ana, topic, "<> <urn:x:is> 'news' .");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(receiver.deliveries).to.have.length(from);
  });

  it("is asked by nobody who may not read the topic, or did not log in", async () => {
    const hidden = `${ana.pod}hidden.ttl`;
    await write(ana, hidden);
    expect((await post(ben.fetch, ana.pod, { topic: hidden, sendTo: hook("/never") })).status).to.equal(403);
    expect((await post(fetch, ana.pod, { topic: hidden, sendTo: hook("/never") })).status).to.equal(401);
    expect((await post(fetch, ana.pod, { topic, sendTo: hook("/never") })).status).to.equal(401);
    expect(receiver.questions("/never")).to.have.length(0);
    expect(await standing()).to.equal(0);
  });

  it("may say no later, and yes when it is asked again", async () => {
    receiver.onQuestion("/slow-starter", statusOf(503));
    expect((await post(ben.fetch, ana.pod, { topic, sendTo: hook("/slow-starter") })).status).to.equal(422);
    receiver.onQuestion("/slow-starter", agree);
    const { type } = await subscribe(ben.fetch, ana.pod, topic, hook("/slow-starter"));
    expect(type).to.match(/WebhookChannel2023$/);
  });
});

describe("Who asks many targets", function () {
  this.timeout(20_000);
  let receiver: Receiver;
  let server: TestServer;
  let ana: Person;
  let ben: Person;

  before(async () => {
    receiver = await openReceiver();
    const limits = [
      "webhookTriesPerAgentMax=5",
      "webhookTriesPerTargetMax=8",
      "webhooksPerAgentMax=3",
      "webhooksPerPodMax=4",
    ];
    server = await startServer({
      FREEHOLD_EGRESS_ALLOW: receiver.origin,
      FREEHOLD_LIMITS: limits.join(","),
    });
    [ana, ben] = [await server.person("Ana"), await server.person("Ben")];
    await setAccess(ana, ana.pod, [{ to: ben.webid, modes: ["Read"] }]);
  });
  after(async () => {
    await server?.close();
    await receiver?.close();
  });

  it("is stopped: this server knocks on nobody's door for a stranger", async () => {
    receiver.onQuestion("/flood", statusOf(404));
    const sendTo = `${receiver.origin}/flood`;
    const flood = await Promise.all(
      Array.from({ length: 30 }, () => post(ben.fetch, ana.pod, { topic: ana.pod, sendTo })),
    );
    const statuses = flood.map(({ status }) => status);
    expect(statuses.filter((status) => status === 422)).to.have.length(5);
    expect(statuses.filter((status) => status === 429)).to.have.length(25);
    expect(Number(flood.find(({ status }) => status === 429)?.headers.get("retry-after"))).to.be.within(
      1,
      60,
    );
    expect(receiver.questions("/flood")).to.have.length(5);
  });

  it("others still may, until that target was asked often enough by all together", async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const response = await post(ana.fetch, ana.pod, {
        topic: ana.pod,
        sendTo: `${receiver.origin}/ana-${count}`,
      });
      statuses.push(response.status);
    }
    expect(statuses).to.deep.equal([200, 200, 200, 429]);
    expect(receiver.deliveries).to.have.length(8);
  });
});
