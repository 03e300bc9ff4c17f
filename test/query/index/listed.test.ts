/** The documents of a pod as they were listed with its index: believed only while nothing at all has been written since. */
import { expect } from "chai";
import { keysRotate } from "../../../server/cli/tasks/keys.ts";
import { createDocuments, type Inventory } from "../../../server/query/documents.ts";
import { createKeptIndexes } from "../../../server/query/index/kept.ts";
import type { Pod } from "../../../server/store/pods.ts";
import { type Person, startServer, type TestServer } from "../../support/server.ts";

const OWNER = "owner" as const;

describe("the list of a pod's documents that is kept with its index", () => {
  let server: TestServer;
  let ana: Person;
  let pod: Pod;

  const kept = () => createKeptIndexes(server.context.store, server.context.log);
  const list = () => server.context.store.read(pod.id, (snapshot) => kept().list(snapshot));
  /** As a server finds it that has just started. @param isListed Whether it may believe the list. */
  async function inventoryOf(isListed: boolean): Promise<{ inventory: Inventory; generation: number }> {
    const { store, access, config } = server.context;
    const origin = config.baseUrl.slice(0, -1);
    const documents = createDocuments(origin, access, () => null, isListed ? kept() : null);
    return store.read(pod.id, async (snapshot) => ({
      inventory: await documents.inventory(snapshot, pod),
      generation: snapshot.generation,
    }));
  }
  const said = ({ inventory }: { inventory: Inventory }) =>
    inventory.all().map(({ path, kind, version, page }) => ({ path, kind, version, page }));
  async function keep(): Promise<void> {
    const { store } = server.context;
    const { inventory, generation } = await inventoryOf(false);
    const mark = await store.read(pod.id, (snapshot) => kept().mark(snapshot));
    const index = { packed: new Uint8Array([1]), documents: inventory.all(), slots: new Uint32Array() };
    expect(await kept().keep(pod.id, mark, { ...index, generation })).to.equal(true);
  }
  async function send(method: string, path: string, body?: string, type = "text/turtle"): Promise<void> {
    const response = await ana.fetch(`${ana.pod}${path}`, {
      method,
      ...(body !== undefined && { headers: { "content-type": type }, body }),
    });
    expect(response.ok, `${method} ${path}: ${response.status}`).to.equal(true);
  }
  const observe = (time: string): string =>
    JSON.stringify({
      time,
      property: "https://example.org/temperature",
      sensor: "https://example.org/s",
      value: 7,
    });
  const rules = `@prefix acl: <http://www.w3.org/ns/auth/acl#> .
    <#o> a acl:Authorization; acl:agent <https://ana.example/#me>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read .`;

  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    pod = (await server.context.pods.find("ana"))!;
    await send("PUT", "notes/a.ttl", `<> <urn:x:says> "a" .`);
    await send("PUT", "notes/b.ttl", `<> <urn:x:says> "b" .`);
    await send("PUT", "photo.png", "x", "image/png");
    await send("PUT", "notes/.meta", `<> <urn:x:is> "described" .`);
    await send("POST", ".series/home/", observe("2026-01-01T00:00:00Z"), "application/x-ndjson");
  });
  after(() => server.close());

  it("says what a look at everything finds, pages of streams and all", async () => {
    await keep();
    expect(await list()).to.have.length.above(10);
    const [listed, found] = [await inventoryOf(true), await inventoryOf(false)];
    expect(said(listed)).to.deep.equal(said(found));
    expect(said(listed).some(({ page }) => page?.count === 1)).to.equal(true);
    expect(listed.inventory.classified).to.deep.equal(found.inventory.classified);
  });

  it("stays good while documents are read and asked about", async () => {
    await keep();
    await send("GET", "notes/a.ttl");
    await send("GET", `sparql?query=${encodeURIComponent("ASK { ?s ?p ?o }")}`);
    expect(await list()).to.not.equal(null);
  });

  const context = () => server.context;
  const changes: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["a document is new", () => send("PUT", "notes/c.ttl", "<> <urn:x:says> 1 .")],
    ["a document is written over", () => send("PUT", "notes/c.ttl", "<> <urn:x:says> 2 .")],
    [
      "a version is brought back",
      () => context().ldp.keeping.restoreVersion(pod, "/ana/notes/c.ttl", 1, OWNER),
    ],
    [
      "a document is changed",
      () =>
        send(
          "PATCH",
          "notes/c.ttl",
          `@prefix solid: <http://www.w3.org/ns/solid/terms#> .
        _:p a solid:InsertDeletePatch; solid:inserts { <> <urn:x:says> 3 } .`,
          "text/n3",
        ),
    ],
    [
      "an update is asked for",
      () =>
        send(
          "POST",
          "sparql-update",
          `INSERT DATA { GRAPH <${ana.pod}notes/c.ttl> { <> <urn:x:says> 4 } }`,
          "application/sparql-update",
        ),
    ],
    ["a document is deleted", () => send("DELETE", "notes/c.ttl")],
    [
      "it comes back from the trash",
      async () => {
        const [gone] = (await context().ldp.keeping.trash(pod, 1)).items;
        await context().ldp.keeping.restore(pod, gone!.id, false, OWNER);
      },
    ],
    ["a photo is new", () => send("PUT", "other.png", "y", "image/png")],
    [
      "a photo becomes a document",
      async () => {
        await send("DELETE", "other.png");
        await send("PUT", "other.png", "<> <urn:x:says> 5 .");
      },
    ],
    ["a folder is new", () => send("PUT", "empty/", "")],
    ["a folder is deleted", () => send("DELETE", "empty/")],
    ["a folder is described", () => send("PUT", "notes/.meta", `<> <urn:x:is> "other" .`)],
    ["a description is deleted", () => send("DELETE", "notes/.meta")],
    ["rules are new", () => send("PUT", "notes/.acl", rules)],
    ["rules are others", () => send("PUT", "notes/.acl", rules.replace("acl:Read", "acl:Append"))],
    ["rules are deleted", () => send("DELETE", "notes/.acl")],
    ["a place is frozen", () => context().ldp.restrictions.restrict(pod, "/ana/notes/", OWNER)],
    ["a place is not frozen any more", () => context().ldp.restrictions.release(pod, "/ana/notes/", OWNER)],
    [
      "a page of a stream grows",
      () => send("POST", ".series/home/", observe("2026-01-02T00:00:00Z"), "application/x-ndjson"),
    ],
    [
      "documents are imported",
      () =>
        context().writeDocuments(pod, [
          { path: "/ana/in.ttl", contentType: "text/turtle", bytes: Buffer.from("<> <urn:x:says> 6 .") },
        ]),
    ],
    ["a document is erased", () => context().ldp.erasure.erase(pod, "/ana/notes/a.ttl", OWNER)],
    ["the keys are new", () => keysRotate.run(context(), { args: ["ana"], options: {} } as never, () => {})],
    [
      "the pod is put back from a copy",
      async () => {
        const { store } = context();
        const held = await store.copy([pod.id], async (copy) => ({
          storeId: copy.storeId,
          pods: copy.pods,
          rows: structuredClone(await Array.fromAsync(copy.rows())),
        }));
        await store.load({
          ...held,
          async *rows() {
            yield* held.rows;
          },
          async *blobs() {},
        });
      },
    ],
  ];
  for (const [what, change] of changes) {
    it(`is not believed once ${what}, and what is found is as if it were not there`, async () => {
      await keep();
      expect(await list()).to.not.equal(null);
      await change();
      expect(await list()).to.equal(null);
      expect(said(await inventoryOf(true))).to.deep.equal(said(await inventoryOf(false)));
    });
  }
});
