/** Whatever way it goes: no commit changes what a pod holds without an entry that says so. */
import { expect } from "chai";
import type { Pod } from "../../server/store/pods.ts";
import { SERVER_POD, type Table, type Transaction } from "../../server/store/store.ts";
import { openBrowser } from "../account/client.ts";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

/** What a pod holds, for its owner. The rest are lists made of it, and marks of work under way. */
const CONTENT: ReadonlySet<Table> = new Set([
  "resource",
  "body",
  "auxiliary",
  "blob",
  "version",
  "trash",
  "restriction",
]);
const turtle = { "content-type": "text/turtle" };

describe("no change of a pod without an entry", () => {
  let server: TestServer;
  let ana: Person;
  let pod: Pod;
  const silent: string[] = [];
  let changes = 0;

  before(async () => {
    server = await startServer();
    const { store } = server.context;
    const whole = store.write.bind(store);
    store.write = (id, work) =>
      whole(id, async (transaction) => {
        const touched = new Set<Table>();
        let recorded = 0;
        const watched: Transaction = new Proxy(transaction, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name, target);
            if (typeof value !== "function") return value;
            return (...args: unknown[]) => {
              const isIndex = args[0] === "blob" && args[2] === "index"; // Made of documents.
              if ((name === "put" || name === "delete") && !isIndex) touched.add(args[0] as Table);
              if (name === "record") recorded++;
              return (value as (...all: unknown[]) => unknown).apply(target, args);
            };
          },
        });
        const result = await work(watched);
        const content = [...touched].filter((table) => CONTENT.has(table));
        if (id !== SERVER_POD && content.length > 0) {
          changes++;
          if (recorded === 0) silent.push(`${content.join(", ")}: ${new Error("here").stack}`);
        }
        return result;
      });
    ana = await server.person("Ana");
    pod = (await server.context.pods.find("ana"))!;
  });
  after(() => server.close());
  afterEach(() => {
    expect(silent.splice(0)).to.deep.equal([]);
  });

  it("by requests", async () => {
    const before = changes;
    await write(ana, `${ana.pod}a/b.ttl`);
    await write(ana, `${ana.pod}a/b.ttl`, "<> <urn:x:is> 2 .");
    await write(ana, `${ana.pod}a/large.bin`, "x".repeat(400_000), "application/octet-stream");
    await write(ana, `${ana.pod}a/.meta`, "<./> <urn:x:is> 2 .");
    await setAccess(ana, `${ana.pod}a/`, []);
    for (const [method, path, init] of [
      ["POST", "a/", { headers: turtle, body: "" }],
      ["PUT", "c/", {}],
      [
        "PATCH",
        "a/b.ttl",
        { headers: { "content-type": "application/sparql-update" }, body: "INSERT DATA { <> <urn:x:is> 5 }" },
      ],
      [
        "POST",
        ".series/meter/",
        {
          headers: { "content-type": "application/x-ndjson" },
          body: '{"time":"2026-03-01T00:00:00Z","value":1,"sensor":"urn:x:meter","property":"urn:x:power"}',
        },
      ],
      ["DELETE", "a/.acl", {}],
      ["DELETE", "a/b.ttl", {}],
      ["DELETE", "a/large.bin", {}],
    ] as const)
      expect((await ana.fetch(`${ana.pod}${path}`, { method, ...init })).ok, `${method} ${path}`).to.equal(
        true,
      );
    expect(changes - before).to.be.at.least(12);
  });

  it("by the server and its operator", async () => {
    const before = changes;
    await server.person("Bob"); // A new pod.
    await server.context.writeDocuments(pod, [
      {
        path: "/ana/imports/x.ttl",
        contentType: "text/turtle",
        bytes: new TextEncoder().encode("<> <urn:x:is> 1 ."),
      },
    ]);
    expect(changes - before).to.be.at.least(2);
    const last = await server.context.journal.length(pod);
    const [row] = await server.context.journal.read(pod, last - 1, 1);
    expect(row?.entry).to.include({ act: "import", agent: "operator", path: "/ana/imports/x.ttl" });
  });

  it("by the owner's pages: access, history, the trash, what is frozen", async () => {
    const before = changes;
    const page = openBrowser(server);
    await page.send("POST", "/.account/login", { pod: "ana", password: "a long password of Ana" });
    const send = async (path: string, body: object): Promise<void> => {
      const { status, body: answer } = await page.send("POST", `/.account/${path}`, body);
      expect(status, `${path} ${JSON.stringify(answer)}`).to.equal(200);
    };
    await send("access/grant", { path: "/ana/imports/", who: { kind: "public" }, modes: ["read"] });
    await send("access/revoke", { path: "/ana/imports/", who: { kind: "public" } });
    const { keeping, restrictions } = server.context.ldp;
    await restrictions.restrict(pod, "/ana/imports/", "owner");
    await restrictions.release(pod, "/ana/imports/", "owner");
    await write(ana, `${ana.pod}kept.ttl`, "<> <urn:x:is> 1 .");
    await write(ana, `${ana.pod}kept.ttl`, "<> <urn:x:is> 2 .");
    const [version] = await keeping.versions(pod, "/ana/kept.ttl");
    await keeping.restoreVersion(pod, "/ana/kept.ttl", version!.number, "owner");
    await ana.fetch(`${ana.pod}kept.ttl`, { method: "DELETE" });
    const [item] = (await keeping.trash(pod, 10)).items;
    await keeping.restore(pod, item!.id, true, "owner");
    await keeping.empty(pod, "operator");
    expect(changes - before).to.be.at.least(8);
  });

  it("by an archive that is brought in", async () => {
    const before = changes;
    const { transfer } = server.context.ldp;
    const bob = (await server.context.pods.find("bob"))!;
    const { content } = transfer.exportPod(pod);
    const run = await transfer.importUpload(bob, content, { present: "keep", lists: true });
    await run(() => {});
    expect(changes - before).to.be.at.least(2);
    for (const one of [pod, bob]) expect((await server.context.journal.verify(one)).faults).to.deep.equal([]);
  });
});
