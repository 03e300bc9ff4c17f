/** A frozen place: through no door does anything pass but the owner's own requests, and lifting it restores what was. */
import { expect } from "chai";
import { openBrowser } from "../account/client.ts";
import type { Fetch } from "../support/dpop.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { N3, setAccess, write } from "./people.ts";

const AGENTS = ["owner", "controller", "writer", "reader", "stranger", "public"] as const;
type AgentName = (typeof AGENTS)[number];
const OTHERS = AGENTS.filter((name) => name !== "owner");
const turtle = { "content-type": "text/turtle" };
const n3 = { "content-type": "text/n3" };

/** What each agent tries, in an order in which the owner's own attempts do not spoil the next. */
const TRIES: readonly (readonly [what: string, path: string, init: RequestInit])[] = [
  ["reads a document", "shared/a.ttl", {}],
  ["asks for its head", "shared/a.ttl", { method: "HEAD" }],
  ["reads it as JSON", "shared/a.ttl", { headers: { accept: "application/ld+json" } }],
  ["reads a part of a file", "shared/file", { headers: { range: "bytes=0-1" } }],
  ["reads what is not there", "shared/none.ttl", {}],
  ["lists the folder", "shared/", {}],
  ["lists a folder in it", "shared/deep/", {}],
  ["leaves out the slash", "shared/deep", { redirect: "manual" }],
  ["reads the access list", "shared/.acl", {}],
  ["reads the description", "shared/.meta", {}],
  ["reads an open document", "shared/open.ttl", {}],
  ["writes", "shared/a.ttl", { method: "PUT", headers: turtle, body: "<> <urn:x:is> 2 ." }],
  ["writes what is new", "shared/new.ttl", { method: "PUT", headers: turtle, body: "<> <urn:x:is> 2 ." }],
  ["adds", "shared/", { method: "POST", headers: turtle, body: "<> <urn:x:is> 3 ." }],
  [
    "patches",
    "shared/a.ttl",
    {
      method: "PATCH",
      headers: n3,
      body: `${N3} <http://www.w3.org/ns/solid/terms#inserts> { <> <urn:x:is> 4 } .`,
    },
  ],
  [
    "writes the access list",
    "shared/a.ttl.acl",
    { method: "PUT", headers: turtle, body: "<> <urn:x:is> 2 ." },
  ],
  ["deletes", "shared/gone.ttl", { method: "DELETE" }],
];
const ASK = `sparql?query=${encodeURIComponent("SELECT ?g ?s WHERE { GRAPH ?g { ?s ?p ?o } }")}`;

describe("A restriction", () => {
  let server: TestServer;
  let ana: Person;
  const agents = new Map<AgentName, Fetch>([["public", fetch]]);
  const url = (path: string): string => `${ana.pod}${path}`;
  const as = (name: AgentName): Fetch => agents.get(name) ?? fetch;

  interface Seen {
    readonly status: number;
    readonly wacAllow: string | null;
    readonly type: string;
    readonly text: string;
  }
  async function knock(name: AgentName, path: string, init: RequestInit): Promise<Seen> {
    const response = await as(name)(url(path), init);
    const text = await response.text();
    const type = /"type":"[^"]*#([a-z-]+)"/.exec(text)?.[1] ?? "";
    return { status: response.status, wacAllow: response.headers.get("wac-allow"), type, text };
  }
  async function restore(): Promise<void> {
    for (const path of ["shared/a.ttl.acl", "shared/new.ttl"])
      await ana.fetch(url(path), { method: "DELETE" });
    await write(ana, url("shared/a.ttl"), "<> <urn:x:is> 1 .");
    await write(ana, url("shared/gone.ttl"), "<> <urn:x:is> 1 .");
  }
  async function all(): Promise<Record<string, Record<string, Seen>>> {
    const seen: Record<string, Record<string, Seen>> = {};
    for (const [what, path, init] of TRIES) {
      const row: Record<string, Seen> = {};
      for (const name of AGENTS) {
        if (!["GET", "HEAD"].includes(init.method ?? "GET")) await restore();
        row[name] = await knock(name, path, init);
      }
      seen[what] = row;
    }
    return seen;
  }
  const shortly = (seen: Record<string, Record<string, Seen>>): unknown =>
    Object.entries(seen).map(([what, row]) => [
      what,
      Object.entries(row).map(
        ([name, { status, wacAllow, type }]) => `${name} ${status} ${type} ${wacAllow}`,
      ),
    ]);
  async function graphsOf(name: AgentName): Promise<readonly string[] | number> {
    const response = await as(name)(url(ASK), { headers: { accept: "application/sparql-results+json" } });
    if (!response.ok) return response.status;
    const { results } = (await response.json()) as { results: { bindings: { g: { value: string } }[] } };
    return [...new Set(results.bindings.map(({ g }) => g.value.slice(ana.pod.length)))].sort();
  }
  const freeze = async (path: string): Promise<unknown> => {
    const pod = await server.context.pods.find("ana");
    return pod && server.context.ldp.restrictions.restrict(pod, path, "owner");
  };
  const release = async (path: string): Promise<unknown> => {
    const pod = await server.context.pods.find("ana");
    return pod && server.context.ldp.restrictions.release(pod, path, "owner");
  };

  before(async function () {
    this.timeout(60_000);
    server = await startServer({ FREEHOLD_LIMITS: "queriesPerAgentMax=10" });
    ana = await server.person("ana");
    agents.set("owner", ana.fetch);
    for (const name of ["controller", "writer", "reader", "stranger"] as const)
      agents.set(name, (await server.person(name)).fetch);
    const webid = (name: string): string => `${server.baseUrl}${name}/profile/card#me`;
    await write(ana, url("shared/a.ttl"), "<> <urn:x:is> 1 .");
    await write(ana, url("shared/open.ttl"), "<> <urn:x:is> 1 .");
    await write(ana, url("shared/deep/leaf.ttl"), "<> <urn:x:is> 1 .");
    await write(ana, url("shared/file"), "secret text urn:x:", "text/plain");
    await write(ana, url("shared/.meta"), "<./> <urn:x:title> 'Shared' .");
    await write(ana, url("beside.ttl"), "<> <urn:x:is> 1 .");
    await setAccess(ana, url("shared/"), [
      { to: webid("reader"), modes: ["Read"] },
      { to: webid("writer"), modes: ["Read", "Write"] },
      { to: webid("controller"), modes: ["Read", "Control"] },
    ]);
    await setAccess(ana, url("shared/open.ttl"), [{ to: "public", modes: ["Read"], on: "own" }]);
    await setAccess(ana, url("beside.ttl"), [{ to: "public", modes: ["Read"], on: "own" }]);
  });
  after(() => server.close());
  beforeEach(restore);
  afterEach(async () => {
    const pod = await server.context.pods.find("ana");
    for (const { path } of pod ? await server.context.ldp.restrictions.list(pod) : []) await release(path);
  });

  for (const frozen of ["/ana/shared/", "/ana/"]) {
    it(`of ${frozen} lets nothing pass but the owner's requests, and lifting it restores exactly what was`, async function () {
      this.timeout(60_000);
      const before = await all();
      await freeze(frozen);
      const during = await all();
      for (const [what, row] of Object.entries(during)) {
        for (const name of OTHERS) {
          const seen = row[name];
          const was = before[what]?.[name];
          const label = `${name} ${what}`;
          expect(seen?.status, label).to.equal(name === "public" ? 401 : 403);
          expect(seen?.text ?? "", label).not.to.match(/urn:x:|leaf|Shared|secret/);
          if (was?.status === 401 || was?.status === 403) {
            // Who had no access is told the same as always.
            expect([seen?.status, seen?.type], label).to.deep.equal([was.status, was.type]);
          } else if (name !== "public" && seen?.text) expect(seen.type, label).to.equal("restricted");
          if (seen?.wacAllow) expect(seen.wacAllow, label).to.equal('user="",public=""');
        }
        const [mine, was] = [row["owner"], before[what]?.["owner"]];
        expect(mine?.status, `owner ${what}`).to.equal(was?.status);
        expect(mine?.wacAllow ?? "", `owner ${what}`).to.equal(
          (was?.wacAllow ?? "").replace(/public="[^"]*"/, 'public=""'),
        );
      }
      await release(frozen);
      await restore();
      expect(shortly(await all())).to.deep.equal(shortly(before));
    });
  }

  it("hides the place from everybody's queries but the owner's", async () => {
    const before = Object.fromEntries(
      await Promise.all(AGENTS.map(async (name) => [name, await graphsOf(name)])),
    );
    expect(before["reader"]).to.include("shared/a.ttl");
    expect(before["public"]).to.include("shared/open.ttl");
    await freeze("/ana/shared/");
    for (const name of OTHERS) {
      const graphs = await graphsOf(name);
      expect(JSON.stringify(graphs), name).not.to.include("shared/");
      if (typeof before[name] !== "number") expect(graphs, name).to.include("beside.ttl");
    }
    expect(await graphsOf("owner")).to.deep.equal(before["owner"]);
    await release("/ana/shared/");
    for (const name of AGENTS) expect(await graphsOf(name), name).to.deep.equal(before[name]);
  });

  it("of one document leaves its neighbours alone, and holds for its access list and description", async () => {
    await freeze("/ana/shared/a.ttl");
    expect((await knock("reader", "shared/a.ttl", {})).type).to.equal("restricted");
    expect((await knock("controller", "shared/a.ttl.acl", {})).type).to.equal("restricted");
    expect((await knock("reader", "shared/a.ttl.meta", {})).type).to.equal("restricted");
    expect((await knock("reader", "shared/open.ttl", {})).status).to.equal(200);
    expect((await knock("reader", "shared/a.ttl.more", {})).status).to.equal(404);
    expect((await knock("public", "shared/open.ttl", {})).wacAllow).to.equal('user="read",public="read"');
    await release("/ana/shared/a.ttl");
    expect((await knock("reader", "shared/a.ttl", {})).status).to.equal(200);
  });

  it("holds for a document that is deleted and written again, or comes back under another name", async () => {
    await write(ana, url("shared/frozen.ttl"), "<> <urn:x:is> 1 .");
    await freeze("/ana/shared/frozen.ttl");
    await ana.fetch(url("shared/frozen.ttl"), { method: "DELETE" });
    await write(ana, url("shared/frozen.ttl"), "<> <urn:x:is> 2 .");
    expect((await knock("reader", "shared/frozen.ttl", {})).type).to.equal("restricted");
    const pod = await server.context.pods.find("ana");
    if (!pod) throw new Error("no pod");
    const { items } = await server.context.ldp.keeping.trash(pod, 100);
    const id = items.find(({ path }) => path === "/ana/shared/frozen.ttl")?.id ?? "";
    const { path } = await server.context.ldp.keeping.restore(pod, id, true, "owner");
    expect(path).to.equal("/ana/shared/frozen-2.ttl");
    expect((await knock("reader", "shared/frozen-2.ttl", {})).type).to.equal("restricted");
    await release("/ana/shared/frozen.ttl");
    await release("/ana/shared/frozen-2.ttl");
    expect((await knock("reader", "shared/frozen-2.ttl", {})).status).to.equal(200);
  });

  it("is set, shown and lifted by the owner's page, for places of the own pod only", async () => {
    const browser = openBrowser(server);
    await browser.send("POST", "/.account/login", { pod: "ana", password: "a long password of ana" });
    const set = (path: string, restricted: unknown) =>
      browser.send("POST", "/.account/restrictions", { path, restricted });
    const frozen = await set("/ana/shared/", true);
    expect(frozen.status).to.equal(200);
    expect(frozen.body.restrictions).to.have.length(1);
    expect((await set("/ana/shared/", true)).body).to.deep.equal(frozen.body);
    expect((await browser.send("GET", "/.account/restrictions")).body).to.deep.equal(frozen.body);
    expect((await knock("reader", "shared/", {})).type).to.equal("restricted");
    expect((await set("/ana/shared/", false)).body.restrictions).to.deep.equal([]);
    expect((await set("/ana/shared/", false)).status).to.equal(404);
    expect((await set("/reader/", true)).status).to.equal(404);
    expect((await set("/ana/nothing", true)).status).to.equal(404);
    expect((await set("/ana/shared/", "yes")).status).to.equal(400);
    expect((await knock("reader", "shared/", {})).status).to.equal(200);
  });
});
