import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemory, createPassportFetch, type PassportFetchOptions } from "@freehold/client";
import { filePlaces } from "@freehold/client/node";
import { expect } from "chai";
import { codeOf } from "../../client/codes.ts";
import { type Holder, holder, leading } from "./people.ts";
import { closeServers, listening, type Serving, serveZone } from "./serving.ts";

/** A host that says who it is, or whatever it is told to say. */
interface Host {
  readonly url: string;
  readonly asked: IncomingMessage[];
  says: { readonly status: number; readonly location?: string } | null;
  close(): Promise<void>;
}

async function hostNamed(name: string): Promise<Host> {
  const server = createServer((request, response) => {
    host.asked.push(request);
    const { status = 200, location } = host.says ?? {};
    request.resume().on("end", () => {
      response
        .writeHead(status, location === undefined ? {} : { location })
        .end(`${name} ${request.url ?? ""}`);
    });
  });
  const host: Host = {
    url: await listening(server),
    asked: [],
    says: null,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return host;
}

describe("links that follow people", () => {
  let serving: Serving;
  let ana: Holder;
  let [old, home, evil]: Host[] = [];

  const hosts = (): readonly [Host, Host, Host] => [old as Host, home as Host, evil as Host];
  const link = (path = "notes/today.ttl"): string => `${hosts()[0].url}ana/${path}`;
  const following = (more: PassportFetchOptions = {}) =>
    createPassportFetch({ resolvers: [serving.baseUrl], memory: createMemory(), ...more });
  const textOf = async (response: Promise<Response>): Promise<string> => (await response).text();

  async function moveTo(url: string): Promise<void> {
    ana = { ...ana, head: await leading(ana, url) };
    await serving.zone.put(ana.id, ana.head);
    await serving.zone.publish();
  }

  beforeEach(async () => {
    serving = await serveZone(Date.now);
    [old, home, evil] = [await hostNamed("old"), await hostNamed("new"), await hostNamed("evil")];
    ana = await holder("ana", "ch", hosts()[0].url);
    await serving.zone.put(ana.id, ana.head);
    await serving.zone.publish();
  });
  afterEach(closeServers);

  it("leave everything as it is while nobody has moved", async () => {
    const get = following();
    expect(await textOf(get(link())), "before anything is known").to.equal("old /ana/notes/today.ttl");
    await get.learn(ana.id);
    expect(await textOf(get(link()))).to.equal("old /ana/notes/today.ttl");
    expect(serving.asked.filter((path) => path.startsWith("/v1/passports")).length).to.equal(1);
    hosts()[0].says = { status: 404 };
    expect((await get(link())).status, "what is not there is not there").to.equal(404);
    hosts()[0].says = { status: 303, location: `${hosts()[1].url}elsewhere` };
    expect(await textOf(get(link())), "redirects within a pod that stays").to.equal("new /elsewhere");
    expect((await get(link(), { redirect: "manual" })).status).to.equal(303);
  });

  for (const [what, spoil] of [
    ["redirects (308)", (host: Host) => (host.says = { status: 308, location: "http://localhost:1/" })],
    ["says that nothing is there (404)", (host: Host) => (host.says = { status: 404 })],
    ["does not know who asks (401)", (host: Host) => (host.says = { status: 401 })],
    ["says that it is gone (410)", (host: Host) => (host.says = { status: 410 })],
    ["is gone itself", (host: Host) => host.close()],
  ] as const)
    it(`find the new place when the old host ${what}`, async () => {
      const get = following();
      await get.learn(ana.id);
      await moveTo(`${hosts()[1].url}people/ana/`);
      await spoil(hosts()[0]);
      expect(await textOf(get(link()))).to.equal("new /people/ana/notes/today.ttl");
      const before = hosts()[0].asked.length;
      expect(await textOf(get(link("photos/?a=b")))).to.equal("new /people/ana/photos/?a=b");
      expect(hosts()[0].asked.length, "the old host is not asked again").to.equal(before);
    });

  it("send nobody's login to where an old host would like it", async () => {
    const get = following({
      fetch: (input, init) => fetch(input, { ...init, headers: { authorization: "DPoP secret" } }),
    });
    await get.learn(ana.id);
    await moveTo(`${hosts()[1].url}ana/`);
    hosts()[0].says = { status: 308, location: `${hosts()[2].url}ana/notes/today.ttl` };
    expect(await textOf(get(link()))).to.equal("new /ana/notes/today.ttl");
    expect(hosts()[2].asked.length).to.equal(0);
    expect(hosts()[1].asked[0]?.headers.authorization).to.equal("DPoP secret");
  });

  it("send what was to be written where the pod is now, method and content", async () => {
    const get = following();
    await get.learn(ana.id);
    await moveTo(`${hosts()[1].url}ana/`);
    hosts()[0].says = { status: 410 };
    const answer = await get(link(), {
      method: "PUT",
      body: "<> a <#Note> .",
      headers: { "content-type": "text/turtle" },
    });
    expect(await answer.text()).to.equal("new /ana/notes/today.ttl");
    expect(hosts()[1].asked[0]).to.include({ method: "PUT" });
    expect(hosts()[1].asked[0]?.headers["content-length"]).to.equal("14");
  });

  it("follow one move after the other, and find the way back", async () => {
    const get = following();
    await get.learn(ana.id);
    await moveTo(`${hosts()[2].url}ana/`);
    await moveTo(`${hosts()[1].url}home/`);
    hosts()[0].says = { status: 404 };
    expect(await textOf(get(link()))).to.equal("new /home/notes/today.ttl");
    expect(await get.addressOf(`${hosts()[2].url}ana/x`), "a place between").to.equal(
      `${hosts()[1].url}home/x`,
    );
    await moveTo(`${hosts()[0].url}ana/`);
    hosts()[0].says = null;
    hosts()[1].says = { status: 404 };
    expect(await textOf(get(link())), "back where it was").to.equal("old /ana/notes/today.ttl");
  });

  it("live longer than the program, when places are kept in files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "freehold-places-"));
    try {
      await following({ places: filePlaces(folder) }).learn(ana.id);
      await moveTo(`${hosts()[1].url}ana/`);
      await hosts()[0].close();
      const later = following({ places: filePlaces(folder) });
      expect(await textOf(later(link()))).to.equal("new /ana/notes/today.ttl");
      await serving.close();
      const muchLater = following({ places: filePlaces(folder) });
      expect(await textOf(muchLater(link())), "while no registry answers").to.equal(
        "new /ana/notes/today.ttl",
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("take addresses that name the passport itself, and nothing outside of its storage", async () => {
    const get = following();
    const did = `did:dcann:${ana.id}`;
    expect(await textOf(get(`${did}?service=pod&relativeRef=/notes/today.ttl`))).to.equal(
      "old /ana/notes/today.ttl",
    );
    expect(await textOf(get(`${did}?relativeRef=a%20b`))).to.equal("old /ana/a%20b");
    await moveTo(`${hosts()[1].url}ana/`);
    expect(await textOf(get(`${did}?service=pod&relativeRef=/notes/today.ttl`))).to.equal(
      "new /ana/notes/today.ttl",
    );
    for (const wrong of [
      `${did}?service=pod&relativeRef=../ben/`,
      `${did}?service=pod&relativeRef=//evil.example/`,
      `${did}?service=other`,
      `${did.slice(0, -1)}?service=pod`,
    ]) {
      const answer = await codeOf(get(wrong));
      expect(answer === "none" ? hosts()[2].asked.length : answer, wrong).to.be.oneOf(["input-invalid", 0]);
    }
    expect(hosts()[1].asked.every(({ url }) => url?.startsWith("/ana/"))).to.equal(true);
  });

  it("say what the old host said when no registry answers, and what the platform said when it is gone", async () => {
    const get = following();
    await get.learn(ana.id);
    await serving.close();
    hosts()[0].says = { status: 410 };
    expect((await get(link())).status).to.equal(410);
    await hosts()[0].close();
    const error = await get(link()).catch((cause: unknown) => cause as Error);
    expect(error).to.be.instanceOf(TypeError);
  });

  it("believe no passport that does not hold", async () => {
    const get = following();
    await get.learn(ana.id);
    await moveTo(`${hosts()[1].url}ana/`);
    hosts()[0].says = { status: 404 };
    serving.spoil = (path, answer) =>
      path.startsWith("/v1/passports")
        ? { ...answer, body: String(answer.body).replaceAll(hosts()[1].url, hosts()[2].url) }
        : answer;
    expect((await get(link())).status).to.equal(404);
    expect(hosts()[2].asked.length).to.equal(0);
  });
});
