/** Who is told of what: the owner in the inbox, the vendor at its own; at least once, and nobody else's door is knocked at. */
import { expect } from "chai";
import type { Json } from "../../client-lib/consent/index.ts";
import { createNotices } from "../../server/consent/notices.ts";
import { openReceiver, type Receiver, statusOf } from "../notify/webhook-receiver.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { requestOf, type Vendor, vendorNamed } from "./people.ts";

interface Notification {
  readonly type: string;
  readonly storage: string;
  readonly activity: {
    readonly id: string;
    readonly type: readonly string[];
    readonly actor: string;
    readonly object: { readonly id: string; readonly type: readonly string[]; readonly state: string };
    readonly published: string;
  };
}

describe("notices of requests and grants", function () {
  this.timeout(60_000);
  let server: TestServer;
  let receiver: Receiver;
  let ana: Person;
  let bea: Person;
  let shop: Vendor;

  before(async () => {
    receiver = await openReceiver();
    server = await startServer({
      FREEHOLD_EGRESS_ALLOW: receiver.origin,
      FREEHOLD_LIMITS: "webhookRetryMsMin=50,webhookRetryMsMax=200",
    });
    ana = await server.person("Ana");
    bea = await server.person("Bea");
    shop = await vendorNamed(server, "Shop");
  });
  after(async () => {
    await server.close();
    await receiver.close();
  });

  const inboxOf = async (person: Person): Promise<readonly string[]> => {
    const listing = await (
      await person.fetch(`${person.pod}inbox/`, { headers: { accept: "application/ld+json" } })
    ).text();
    const urls = [...listing.matchAll(/inbox\/([0-9a-f-]{36})/g)].map(
      (match) => `${person.pod}inbox/${match[1]}`,
    );
    return Promise.all([...new Set(urls)].map(async (url) => (await person.fetch(url)).text()));
  };
  const until = async (isSo: () => Promise<boolean> | boolean): Promise<void> => {
    for (let tries = 0; tries < 200; tries++) {
      if (await isSo()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("It did not come to that");
  };
  const decide = (url: string, outcome: string): Promise<Response> =>
    ana.fetch(`${url}/decision`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ outcome }),
    });
  const ask = async (more: Json): Promise<string> => {
    const response = await shop.ask(ana, requestOf(shop, ana, more));
    expect(response.status, await response.clone().text()).to.equal(201);
    return response.headers.get("location") ?? "";
  };

  it("the owner finds the question in the inbox, and nobody else reads it there", async () => {
    const url = await ask({});
    const found = (await inboxOf(ana)).map((text) => JSON.parse(text) as Json);
    expect(found).to.have.length(1);
    expect(found[0]).to.include({ type: "Offer", actor: shop.webid, object: url, target: ana.pod });
    expect(found[0]?.["summary"])
      .to.be.a("string")
      .that.matches(/^\S.{10,}\.$/);
    expect((await shop.fetch(`${ana.pod}inbox/`)).status).to.equal(403);
    await shop.fetch(url, { method: "DELETE" });
  });

  it("a vendor of this server is told in its own inbox: yes, and what became of it", async () => {
    const url = await ask({ inbox: `${shop.pod}inbox/` });
    const grant = (await decide(url, "grant")).headers.get("location") ?? "";
    const news = async (): Promise<readonly Notification[]> =>
      (await inboxOf(shop)).map((text) => JSON.parse(text) as Notification);
    await until(async () => (await news()).length >= 2);
    const about = (await news()).map(({ activity }) => [activity.object.id, activity.object.state]);
    expect(about).to.have.deep.members([
      [url, "Granted"],
      [grant, "Active"],
    ]);
    expect((await news())[0]).to.include({ type: "Notification", storage: ana.pod });
    await ana.fetch(grant, { method: "DELETE" });
    await until(async () => (await news()).some(({ activity }) => activity.object.state === "Revoked"));
    expect(new Set((await news()).map(({ activity }) => activity.id)).size).to.equal(3);
  });

  it("an inbox that the WebID does not vouch for is told nothing, and not knocked at", async () => {
    for (const inbox of [
      `${receiver.origin}/inbox`,
      `${bea.pod}inbox/`, // Of the same server, and somebody else's.
      `${shop.pod}profile/../../bea/inbox/`,
      `${shop.pod}profile/%2e%2e/%2e%2e/bea/inbox/`,
      "mailto:victim@example.org",
    ]) {
      const response = await shop.ask(ana, requestOf(shop, ana, { inbox }));
      expect(response.status, inbox).to.equal(422);
    }
    expect(receiver.deliveries).to.have.length(0);
  });

  it("nor when the owner says so, who may give access to anybody", async () => {
    const { access, ...about } = requestOf(shop, ana, { inbox: `${receiver.origin}/victim` });
    const response = await ana.fetch(`${ana.pod}.consent/grants`, {
      method: "POST",
      headers: { "content-type": "application/lws+json" },
      body: JSON.stringify({ ...about, type: ["AccessGrant"], access }),
    });
    expect(response.status).to.equal(422);
    expect(await response.text()).to.include("/inbox");
    expect(receiver.deliveries).to.have.length(0);
  });

  it("nor by way of a credential, which is taken all the same", async () => {
    const credential = {
      type: ["VerifiableCredential", "SolidAccessRequest"],
      credentialSubject: {
        inbox: `${receiver.origin}/victim`,
        hasConsent: {
          mode: ["http://www.w3.org/ns/auth/acl#Read"],
          forPersonalData: [`${ana.pod}notes/today.ttl`],
          isConsentForDataSubject: ana.webid,
        },
      },
    };
    const issued = await shop.fetch(`${server.baseUrl}.vc/issue`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ credential }),
    });
    expect(issued.status, await issued.clone().text()).to.equal(201);
    const { items } = (await (await ana.fetch(`${ana.pod}.consent/requests`)).json()) as {
      readonly items: readonly { readonly id: string; readonly status: string }[];
    };
    const open = items.filter(({ status }) => status === "Pending" || status === "Deferred");
    expect(open).to.have.length(1);
    await decide(open[0]!.id, "deny");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(receiver.deliveries).to.have.length(0);
  });

  it("one that is elsewhere gets each notice at least once, signed, in spite of failures", async () => {
    const inbox = `${receiver.origin}/inbox`;
    const { notices } = await noticesOf(server);
    receiver.onMessage("/inbox", statusOf(503));
    const pod = await server.context.pods.find("ana");
    if (!pod) throw new Error("There is no pod");
    await notices.enlist(pod);
    await server.context.store.write(pod.id, async (transaction) =>
      notices.add(transaction, pod, inbox, {
        types: ["Update", "Accept"],
        object: `${ana.pod}.consent/requests/x`,
        objectType: "AccessRequest",
        state: "Granted",
      }),
    );
    await until(() => receiver.deliveries.length >= 3);
    receiver.onMessage("/inbox", statusOf(201));
    await until(async () => (await owed()) === 0);
    const ids = receiver.deliveries.map(({ text }) => (JSON.parse(text) as Notification).activity.id);
    expect(new Set(ids).size, "the same for each attempt").to.equal(1);
    expect(receiver.deliveries.at(-1)?.headers).to.include.keys(
      "signature",
      "signature-input",
      "content-digest",
      "dpop",
    );
    expect(receiver.deliveries.at(-1)?.headers["content-type"]).to.equal("application/ld+json");
    const sent = receiver.deliveries.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(receiver.deliveries.length, "and then no more").to.equal(sent);
  });

  it("what was owed before a restart is sent after it, by one of the servers on the store", async () => {
    const { store, pods, config, log, now } = server.context;
    const sent: string[] = [];
    const make = (delivery: "taken" | "failed", name: string) =>
      createNotices({
        baseUrl: server.baseUrl,
        store,
        pods,
        limits: config.limits,
        log,
        now,
        post: async (inbox) => {
          sent.push(`${name} ${inbox}`);
          return delivery;
        },
      });
    const pod = await pods.find("bea");
    if (!pod) throw new Error("There is no pod");
    const before = make("failed", "before");
    await before.enlist(pod);
    await store.write(pod.id, async (transaction) =>
      before.add(transaction, pod, "https://elsewhere.example/inbox", {
        types: ["Update"],
        object: `${bea.pod}.consent/requests/z`,
        objectType: "AccessRequest",
        state: "Denied",
      }),
    );
    before.committed(pod.id);
    await until(() => sent.length >= 2);
    await before.close();
    await new Promise((resolve) => setTimeout(resolve, 250));
    sent.length = 0;
    const after = [make("taken", "one"), make("taken", "two")];
    for (const one of after) one.begin();
    await until(() => sent.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await Promise.all(after.map((one) => one.close()));
    expect(sent).to.have.length(1);
  });

  it("what was not sent yet can be taken back", async () => {
    const { notices } = server.context.consent;
    const pod = await server.context.pods.find("bea");
    if (!pod) throw new Error("There is no pod");
    const object = `${bea.pod}.consent/grants/held`;
    const from = Date.now() + 400;
    await server.context.store.write(pod.id, async (transaction) =>
      notices.add(transaction, pod, `${receiver.origin}/held`, {
        types: ["Create"],
        object,
        objectType: "AccessGrant",
        state: "Active",
        from,
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(
      receiver.deliveries.filter(({ path }) => path === "/held"),
      "not before its time",
    ).to.have.length(0);
    await server.context.store.write(pod.id, (transaction) => notices.withdraw(transaction, object));
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(receiver.deliveries.filter(({ path }) => path === "/held")).to.have.length(0);
  });

  it("gives up where it is told no", async () => {
    const { notices } = await noticesOf(server);
    const pod = await server.context.pods.find("ana");
    if (!pod) throw new Error("There is no pod");
    receiver.onMessage("/gone", statusOf(410));
    await server.context.store.write(pod.id, async (transaction) =>
      notices.add(transaction, pod, `${receiver.origin}/gone`, {
        types: ["Update"],
        object: `${ana.pod}.consent/requests/y`,
        objectType: "AccessRequest",
        state: "Denied",
      }),
    );
    await until(() => receiver.deliveries.some(({ path }) => path === "/gone"));
    await until(async () => (await owed()) === 0);
    expect(receiver.deliveries.filter(({ path }) => path === "/gone")).to.have.length(1);
  });

  const owed = async (): Promise<number> => {
    const pod = await server.context.pods.find("ana");
    return server.context.store.read(pod!.id, async (snapshot) => {
      let count = 0;
      for await (const _ of snapshot.list("outbox", "notices")) count++;
      return count;
    });
  };
  const noticesOf = async (of: TestServer) => ({ notices: of.context.consent.notices });
});
