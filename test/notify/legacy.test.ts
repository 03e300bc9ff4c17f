/** Live updates for rdflib, SolidOS and Inrupt's clients, each by the way that it knows. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { listen, put, refusalOf, remove, share, sleep, until } from "./support.ts";

describe("live updates for older clients", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "legacyTopicsMax=3" });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    await put(ana, "open.ttl", "<#a> <#b> 1.");
    await share(ana, "open.ttl", { everybody: "acl:Read" });
    await put(ana, "own.ttl", "<#a> <#b> 1.");
    await put(ana, "bens.ttl", "<#a> <#b> 1.");
    await share(ana, "bens.ttl", { [ben.webid]: "acl:Read" });
  });
  after(() => server.close());

  const viaOf = async (fetcher: typeof fetch | Person["fetch"], url: string): Promise<string> => {
    const response = await fetcher(url);
    await response.text();
    return response.headers.get("updates-via") ?? "";
  };

  describe("Updates-Via and solid-0.1", () => {
    it("sub is acknowledged, and pub comes for each change", async () => {
      const via = await viaOf(fetch, `${ana.pod}open.ttl`);
      expect(via).to.match(/^ws:.*\/ana\/\.notifications\/solid-0\.1$/);
      const ear = await listen(via, {}, "solid-0.1");
      ear.socket.send(`sub ${ana.pod}open.ttl`);
      await until("ack", () => ear.texts.includes(`ack ${ana.pod}open.ttl`));
      await put(ana, "open.ttl", "<#a> <#b> 2.");
      await until("pub", () => ear.texts.includes(`pub ${ana.pod}open.ttl`));
      ear.socket.send(`unsub ${ana.pod}open.ttl`);
      ear.socket.send("ping x");
      await until("pong", () => ear.texts.includes("pong x"));
      await put(ana, "open.ttl", "<#a> <#b> 3.");
      await sleep(50);
      expect(ear.texts).to.deep.equal([
        "protocol solid-0.1",
        `ack ${ana.pod}open.ttl`,
        `pub ${ana.pod}open.ttl`,
        "pong x",
      ]);
      await ear.close();
    });

    it("who has logged in to read is given an address that knows it, for what is not public", async () => {
      const via = await viaOf(ben.fetch, `${ana.pod}bens.ttl`);
      expect(via).to.match(/solid-0\.1\/[\w-]{60,}$/);
      expect(Buffer.from(via.split("/").at(-1) ?? "", "base64url").toString("latin1")).to.not.include("ben");
      const ear = await listen(via);
      for (const name of ["bens.ttl", "own.ttl", "nothing.ttl"]) ear.socket.send(`sub ${ana.pod}${name} `);
      await until("three answers", () => ear.texts.length === 4);
      expect(ear.texts.slice(1)).to.deep.equal([
        `ack ${ana.pod}bens.ttl`,
        `err ${ana.pod}own.ttl forbidden`,
        `err ${ana.pod}nothing.ttl forbidden`,
      ]);
      await put(ana, "bens.ttl", "<#a> <#b> 2.");
      await put(ana, "own.ttl", "<#a> <#b> 2.");
      await until("pub", () => ear.texts.includes(`pub ${ana.pod}bens.ttl`));
      await share(ana, "bens.ttl", {});
      await put(ana, "bens.ttl", "<#a> <#b> 3.");
      await until("the end of it", () => ear.texts.includes(`err ${ana.pod}bens.ttl forbidden`));
      await sleep(50);
      expect(ear.texts.filter((text) => text.startsWith("pub"))).to.have.length(1);
      await ear.close();
      await share(ana, "bens.ttl", { [ben.webid]: "acl:Read" });
    });

    it("an address for one pod, or a damaged one, opens no other (401)", async () => {
      const via = await viaOf(ben.fetch, `${ana.pod}bens.ttl`);
      expect(await refusalOf(via.replace("/ana/", "/ben/"))).to.equal(401);
      expect(await refusalOf(`${via.slice(0, -2)}AA`)).to.equal(401);
      expect(await refusalOf(`${via.split("/").slice(0, -1).join("/")}/short`)).to.equal(401);
      expect(await refusalOf(via, { authorization: "Bearer nonsense" }).catch(() => 101)).to.equal(101);
      expect(
        await refusalOf(await viaOf(fetch, `${ana.pod}open.ttl`), { authorization: "DPoP nonsense" }),
      ).to.equal(401);
    });

    it("strangers get no more than strangers may read; and no more topics than are allowed", async () => {
      const ear = await listen(await viaOf(fetch, `${ana.pod}open.ttl`));
      for (const url of [`${ana.pod}own.ttl`, `${ben.pod}x.ttl`, `${ana.pod}../ben/x`, "nonsense", ""])
        ear.socket.send(`sub ${url}`);
      await until("five answers", () => ear.texts.length === 6);
      expect(ear.texts.slice(1).every((text) => text.startsWith("err "))).to.equal(true);
      await ear.close();
      const own = await listen(await viaOf(ana.fetch, `${ana.pod}own.ttl`));
      for (const name of ["a", "b", "c", "d"]) own.socket.send(`sub ${ana.pod}${name}.ttl`);
      await until("four answers", () => own.texts.length === 5);
      expect(own.texts.at(-1)).to.equal(`err ${ana.pod}d.ttl too many subscriptions`);
      await own.close();
    });

    it("stands in the owner's journal as a look", async () => {
      await put(ana, "followed.ttl", "<#a> <#b> 1.");
      await share(ana, "followed.ttl", { [ben.webid]: "acl:Read" });
      const ear = await listen(await viaOf(ben.fetch, `${ana.pod}bens.ttl`));
      ear.socket.send(`sub ${ana.pod}followed.ttl`);
      await until("ack", () => ear.texts.length === 2);
      const pod = (await server.context.pods.find("ana"))!;
      await server.context.journal.flush();
      const entries = await server.context.journal.read(pod, 0, 1_000);
      const looks = entries.filter(({ entry }) => entry?.act === "look" && entry.agent === ben.webid);
      expect(looks.map(({ entry }) => entry?.path)).to.include("/ana/followed.ttl");
      await ear.close();
    });

    it("a folder is told of as soon as something comes or goes", async () => {
      const ear = await listen(await viaOf(ana.fetch, ana.pod));
      ear.socket.send(`sub ${ana.pod}`);
      await until("ack", () => ear.texts.length === 2);
      await put(ana, "new.ttl", "<#a> <#b> 1.");
      await until("pub", () => ear.texts.length === 3);
      await remove(ana, "new.ttl");
      await until("pub", () => ear.texts.length === 4);
      expect(ear.texts.slice(2)).to.deep.equal([`pub ${ana.pod}`, `pub ${ana.pod}`]);
      await ear.close();
    });

    it("no address in answers that are none", async () => {
      for (const path of ["own.ttl", "nothing.ttl"])
        expect((await fetch(`${ana.pod}${path}`)).headers.get("updates-via")).to.equal(null);
    });
  });

  describe("Inrupt's negotiation", () => {
    const post = (fetcher: typeof fetch | Person["fetch"], url: string, body: unknown): Promise<Response> =>
      fetcher(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });

    async function gateway(): Promise<string> {
      const response = await fetch(`${server.baseUrl}.well-known/solid`, {
        headers: { accept: "application/n-triples" },
      });
      const text = await response.text();
      const subjects = new Set(
        text
          .trim()
          .split("\n")
          .map((line) => line.split(" ", 1)[0]),
      );
      expect(subjects.size).to.equal(1); // Its client looks at the first thing only.
      return /notificationGateway> <([^>]+)>/.exec(text)?.[1] ?? "";
    }

    it("gateway, endpoint, WebSocket: messages like any others", async () => {
      const negotiated = await post(fetch, await gateway(), { protocols: ["ws"], features: [] });
      expect(negotiated.status).to.equal(200);
      const { endpoint } = (await negotiated.json()) as { endpoint: string };
      const answer = await post(ana.fetch, endpoint, { topic: `${ana.pod}own.ttl` });
      expect(answer.status).to.equal(200);
      const made = (await answer.json()) as { endpoint: string; subprotocol: string };
      const ear = await listen(made.endpoint, {}, made.subprotocol);
      expect(ear.socket.protocol).to.equal(made.subprotocol);
      await put(ana, "own.ttl", "<#a> <#b> 5.");
      await until("a message", () => ear.notes.length === 1);
      expect(ear.notes[0]).to.include({ type: "Update", object: `${ana.pod}own.ttl` });
      await ear.close();
    });

    it("asks for Read as the other door does, and refuses what it cannot do", async () => {
      const door = await gateway();
      expect((await post(fetch, door, { protocols: ["webhook"] })).status).to.equal(422);
      expect((await post(fetch, door, [])).status).to.equal(400);
      const { endpoint } = (await (await post(fetch, door, { protocols: ["ws"] })).json()) as {
        endpoint: string;
      };
      const stranger = await post(fetch, endpoint, { topic: `${ana.pod}own.ttl` });
      expect(stranger.status).to.equal(401);
      expect(stranger.headers.get("www-authenticate")).to.include("DPoP");
      expect((await post(ben.fetch, endpoint, { topic: `${ana.pod}own.ttl` })).status).to.equal(403);
      for (const topic of ["https://example.org/x", `${server.baseUrl}nobody/x`, "", 5])
        expect((await post(ana.fetch, endpoint, { topic })).status, String(topic)).to.equal(422);
      expect((await post(ana.fetch, endpoint, { topic: `${ana.pod}own.ttl`, rate: "x" })).status).to.equal(
        422,
      );
      const preflight = await fetch(endpoint, {
        method: "OPTIONS",
        headers: { origin: "https://app.example", "access-control-request-method": "POST" },
      });
      expect(preflight.headers.get("access-control-allow-methods")).to.include("POST");
    });
  });
});
