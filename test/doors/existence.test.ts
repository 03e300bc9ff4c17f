import { expect } from "chai";
import { type Fetch } from "../support/dpop.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { N3, setAccess, write } from "./people.ts";

interface Seen {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

describe("Whoever has no access learns nothing of what exists", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const url = (path: string) => `${ana.pod}${path}`;

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
    await write(ana, url("there.ttl"));
    await write(ana, url("there.bin"), "bytes", "application/octet-stream");
    await write(ana, url("there.big"), "x".repeat(300_000), "application/octet-stream");
    await write(ana, url("there"));
    await write(ana, url("folder-there/child.ttl"));
    await write(ana, url("folder-there/.meta"), "<./> <urn:x:title> 'Folder' .");
    await write(ana, url("there.ttl.meta"), "<there.ttl> <urn:x:title> 'Note' .");
    await setAccess(ana, url("there.ttl"), []);
    await setAccess(ana, url("folder-there/"), []);
    // A mailbox: everybody may put something in, and nobody but its owner sees what is in it.
    await write(ana, url("post/there.ttl"));
    await setAccess(ana, url("post/"), [{ to: "public", modes: ["Append"] }]);
  });
  after(() => server.close());

  async function look(fetchAs: Fetch, path: string, init: RequestInit): Promise<Seen> {
    const headers = { ...(init.headers as Record<string, string>), "x-request-id": "the-same" };
    const response = await fetchAs(url(path), { ...init, headers, redirect: "manual" });
    // A page for people leads on to asking for what was asked for, and names it.
    const text = await response.text();
    const body = text.replace(/request-access\?for=[^"]*/, "request-access?for=it");
    const differing = body === text ? ["date"] : ["date", "content-length"];
    return {
      status: response.status,
      headers: [...response.headers].filter(([name]) => !differing.includes(name)),
      body,
    };
  }

  /** What there is, beside a name of the same kind that nothing has. */
  const PAIRS = [
    ["there.ttl", "other.ttl"],
    ["there.ttl.acl", "other.ttl.acl"],
    ["there.ttl.meta", "other.ttl.meta"],
    ["there.bin", "other.bin"],
    ["there.bin.acl", "other.bin.acl"],
    ["there.big", "other.big"],
    ["there/", "other/"],
    ["folder-there/", "folder-other/"],
    ["folder-there", "folder-other"],
    ["folder-there/.acl", "folder-other/.acl"],
    ["folder-there/.meta", "folder-other/.meta"],
    ["folder-there/child.ttl", "folder-there/chill.ttl"],
    ["folder-there/child.ttl", "folder-other/child.ttl"],
    ["folder-there/child.ttl/", "folder-there/chill.ttl/"],
    ["folder-there/child.ttl.acl", "folder-there/chill.ttl.acl"],
    ["there.ttl/below/it.ttl", "other.ttl/below/it.ttl"],
    [".meta", "other.meta"],
    ["settings/", "nothings/"],
    ["settings/privateTypeIndex.ttl", "settings/anotherTypeIndex.ttl"],
  ] as const;

  const turtle = { "content-type": "text/turtle" };
  const REQUESTS: readonly (readonly [string, RequestInit])[] = [
    ["GET", {}],
    ["GET as JSON-LD", { headers: { accept: "application/ld+json" } }],
    ["GET of what no resource is", { headers: { accept: "video/mp4" } }],
    ["GET in a browser", { headers: { accept: "text/html,*/*", "sec-fetch-mode": "navigate" } }],
    ["GET from another origin", { headers: { origin: "https://app.example" } }],
    ["GET if changed", { headers: { "if-none-match": "*" } }],
    ["GET of a part", { headers: { range: "bytes=0-1" } }],
    ["HEAD", { method: "HEAD" }],
    ["OPTIONS", { method: "OPTIONS" }],
    ["PUT", { method: "PUT", headers: turtle, body: "<> <urn:x:is> 2 ." }],
    ["PUT of nonsense", { method: "PUT", headers: turtle, body: "nonsense" }],
    ["PUT without a type", { method: "PUT", body: new Uint8Array([1]) }],
    ["PUT of a binary", { method: "PUT", headers: { "content-type": "image/png" }, body: "x" }],
    ["PUT of something new", { method: "PUT", headers: { ...turtle, "if-none-match": "*" }, body: "" }],
    ["PUT of a version", { method: "PUT", headers: { ...turtle, "if-match": '"1"' }, body: "" }],
    ["POST", { method: "POST", headers: { ...turtle, slug: "child.ttl" }, body: "" }],
    [
      "PATCH that inserts",
      {
        method: "PATCH",
        headers: { "content-type": "text/n3" },
        body: `${N3} solid:inserts { <> <urn:x:is> 3 } .`,
      },
    ],
    [
      "PATCH that deletes",
      {
        method: "PATCH",
        headers: { "content-type": "text/n3" },
        body: `${N3} solid:deletes { <> <urn:x:is> 1 } .`,
      },
    ],
    [
      "PATCH in SPARQL",
      {
        method: "PATCH",
        headers: { "content-type": "application/sparql-update" },
        body: "DELETE WHERE { ?s ?p ?o }",
      },
    ],
    ["PATCH of nonsense", { method: "PATCH", headers: { "content-type": "text/n3" }, body: "nonsense" }],
    ["DELETE", { method: "DELETE" }],
    ["DELETE of a version", { method: "DELETE", headers: { "if-match": '"1"' } }],
  ];

  for (const [who, agent] of [
    ["the public", () => fetch as Fetch],
    ["a stranger", () => ben.fetch],
  ] as const) {
    describe(who, () => {
      for (const [what, init] of REQUESTS) {
        it(what, async () => {
          for (const [there, missing] of PAIRS) {
            const [one, two] = [await look(agent(), there, init), await look(agent(), missing, init)];
            if (init.method === "OPTIONS") expectSameButNames(one, two, there, missing);
            else {
              expect(two, `${there} and ${missing}`).to.deep.equal(one);
              expect(one.status).to.be.oneOf(
                init.method === "POST" || there.includes("acl") ? [401, 403, 405] : [401, 403],
              );
              expect(Object.fromEntries(one.headers)["wac-allow"]).to.be.oneOf([
                undefined,
                'user="",public=""',
              ]);
              expect(JSON.stringify(one)).not.to.match(/there|child|other/);
            }
          }
        });
      }
    });
  }

  /** Links of OPTIONS name what was asked for and the folder it would be in, and nothing else may differ. */
  function expectSameButNames(one: Seen, two: Seen, there: string, missing: string): void {
    const shape = (seen: Seen, name: string) =>
      JSON.stringify(seen)
        .replaceAll(name.replace(/\.(acl|meta)$/, ""), "NAME")
        .replaceAll(`${url(name.replace(/[^/]*\/?$/, ""))}>; rel=\\"up\\"`, 'UP>; rel=\\"up\\"');
    if (there.startsWith(".")) return; // Everybody knows that the root exists.
    expect(shape(two, missing)).to.equal(shape(one, there));
    expect(one.status).to.equal(204);
  }

  it("404 for those who may read names nothing but what was asked for", async () => {
    const seen = await look(ana.fetch, "other.ttl", {});
    expect(seen.status).to.equal(404);
    expect(seen.headers.map(([name]) => name)).not.to.include("etag");
  });

  describe("who may only add to a folder", () => {
    const post = (slug: string) =>
      look(ben.fetch, "post/", { method: "POST", headers: { ...turtle, slug }, body: "" });
    const location = ({ headers }: Seen) => headers.find(([name]) => name === "location")?.[1] ?? "";

    it("learns from no address of a new member whether the name was free", async () => {
      const [taken, free] = [await post("there.ttl"), await post("where.ttl")];
      for (const [seen, name] of [
        [taken, "there"],
        [free, "where"],
      ] as const) {
        expect(seen.status).to.equal(201);
        expect(location(seen)).to.match(new RegExp(`/post/${name}-[0-9a-f]{16}\\.ttl$`));
      }
    });
    it("and cannot change, read or delete what is in it", async () => {
      for (const [method, body] of [
        ["GET", undefined],
        ["PUT", "<> <urn:x:is> 9 ."],
        ["DELETE", undefined],
      ] as const) {
        for (const name of ["there.ttl", "where.ttl"]) {
          const seen = await look(ben.fetch, `post/${name}`, {
            method,
            ...(body && { body, headers: turtle }),
          });
          expect(seen.status, `${method} ${name}`).to.equal(403);
        }
      }
      expect(await (await ana.fetch(url("post/there.ttl"))).text()).to.equal("<> <urn:x:is> 1 .");
    });
  });

  it("the slash is added to an address only for those who may read what it leads to", async () => {
    await write(ana, url("half/open/x.ttl"));
    await setAccess(ana, url("half/"), [{ to: "public", modes: ["Read"] }]);
    await setAccess(ana, url("half/open/"), []);
    for (const init of [{}, { method: "HEAD" }] as RequestInit[]) {
      expect((await look(fetch, "half/open", init)).status).to.equal(404);
      expect((await look(fetch, "half/shut", init)).status).to.equal(404);
    }
    expect((await look(ana.fetch, "half/open", {})).status).to.equal(301);
    await setAccess(ana, url("half/"), [{ to: ben.webid, modes: ["Write"] }]);
    expect((await look(ben.fetch, "half/open", { method: "DELETE" })).status).to.equal(404);
    const moved = await look(ana.fetch, "half/open", { method: "DELETE" });
    expect(moved.status).to.equal(308);
    expect(Object.fromEntries(moved.headers)["location"]).to.equal(url("half/open/"));
  });
});
