/** Everything that is done to a pod is in its journal, and no byte leaves before a look by somebody else is: long, for it is one server on which all of it happens. */
import { expect } from "chai";
import { decodeEntry, type JournalEntry } from "../../server/journal/entry.ts";
import type { Pod } from "../../server/store/pods.ts";
import { setAccess, write } from "../doors/people.ts";
import { type Person, sendRaw, startServer, type TestServer } from "../support/server.ts";

const turtle = { "content-type": "text/turtle" };
const CANARY = "canary-5b1f2a";

describe("the journal of a pod", () => {
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let pod: Pod;

  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    shop = await server.person("Shop");
    pod = (await server.context.pods.find("ana"))!;
    await write(ana, `${ana.pod}shared/a.ttl`, `<#a> <urn:x:is> "${CANARY}" .`);
    await write(ana, `${ana.pod}open/b.ttl`, `<#b> <urn:x:is> "${CANARY}" .`);
    await setAccess(ana, `${ana.pod}shared/`, [{ to: shop.webid, modes: ["Read", "Write"] }]);
    await setAccess(ana, `${ana.pod}open/`, [{ to: "public", modes: ["Read"] }]);
  });
  after(() => server.close());

  /** What `work` adds to the journal; with what is only counted, when asked. */
  async function added(work: () => Promise<unknown>, withCounted = false): Promise<JournalEntry[]> {
    const { journal, store } = server.context;
    await journal.flush();
    const before = await journal.length(pod);
    await work();
    if (withCounted) await journal.flush();
    const rows = await store.journal.read(pod.id, before, 1_000);
    return rows.map(({ entry }) => decodeEntry(entry!));
  }
  const seen = (entries: readonly JournalEntry[]) =>
    entries.map(({ act, agent, path, decision, status }) => ({ act, agent, path, decision, status }));
  const ok = async (response: Promise<Response>, ...expected: number[]): Promise<Response> => {
    const answered = await response;
    expect(expected, `${answered.url} ${answered.status}`).to.include(answered.status);
    return answered;
  };

  it("begins with the first documents of the pod, which the server made", async () => {
    const [first] = await server.context.journal.read(pod, 0, 1);
    expect(first?.entry).to.include({ act: "create", agent: "server", path: "/ana/" });
  });

  describe("of writes", () => {
    const doc = (): string => `${ana.pod}notes/today.ttl`;
    const cases: readonly [string, () => Promise<unknown>, string, string, number][] = [
      [
        "a new document",
        () => ana.fetch(doc(), { method: "PUT", headers: turtle, body: "<> <urn:x:is> 1 ." }),
        "create",
        "/ana/notes/today.ttl",
        201,
      ],
      [
        "another version",
        () => ana.fetch(doc(), { method: "PUT", headers: turtle, body: "<> <urn:x:is> 2 ." }),
        "change",
        "/ana/notes/today.ttl",
        204,
      ],
      [
        "something added",
        () =>
          ana.fetch(doc(), {
            method: "PATCH",
            headers: { "content-type": "application/sparql-update" },
            body: "INSERT DATA { <#a> <urn:x:is> 3 }",
          }),
        "append",
        "/ana/notes/today.ttl",
        204,
      ],
      [
        "a new document by its folder",
        () =>
          ana.fetch(`${ana.pod}notes/`, {
            method: "POST",
            headers: { ...turtle, slug: "posted.ttl" },
            body: "",
          }),
        "create",
        "/ana/notes/posted.ttl",
        201,
      ],
      [
        "a folder",
        () => ana.fetch(`${ana.pod}notes/deep/`, { method: "PUT" }),
        "create",
        "/ana/notes/deep/",
        201,
      ],
      [
        "a file",
        () =>
          ana.fetch(`${ana.pod}notes/p.png`, {
            method: "PUT",
            headers: { "content-type": "image/png" },
            body: new Uint8Array(400_000),
          }),
        "create",
        "/ana/notes/p.png",
        201,
      ],
      [
        "an access list",
        () =>
          ana.fetch(`${ana.pod}notes/.acl`, {
            method: "PUT",
            headers: turtle,
            body: `<#o> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agent> <${ana.webid}>; <http://www.w3.org/ns/auth/acl#accessTo> <./>; <http://www.w3.org/ns/auth/acl#default> <./>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Read>, <http://www.w3.org/ns/auth/acl#Write>, <http://www.w3.org/ns/auth/acl#Control> .`,
          }),
        "access",
        "/ana/notes/.acl",
        201,
      ],
      ["a deletion", () => ana.fetch(doc(), { method: "DELETE" }), "delete", "/ana/notes/today.ttl", 205],
    ];
    for (const [name, run, act, path, status] of cases)
      it(`has ${name}`, async () => {
        const entries = await added(run);
        expect(seen(entries)).to.deep.equal([{ act, agent: ana.webid, path, decision: "granted", status }]);
        expect(entries[0]?.client).to.be.a("string");
        expect(entries[0]?.request).to.match(/^[\w-]{8,}/);
      });

    it("has how many bytes came in", async () => {
      const [file] = await added(() =>
        ana.fetch(`${ana.pod}notes/p.png`, {
          method: "PUT",
          headers: { "content-type": "image/png" },
          body: new Uint8Array(300_123),
        }),
      );
      expect(file?.bytes).to.equal(300_123);
    });

    it("has those of others, with their client, issuer and purpose", async () => {
      const [entry] = await added(() =>
        shop.fetch(`${ana.pod}shared/by-shop.ttl`, {
          method: "PUT",
          headers: {
            ...turtle,
            "access-purpose": "https://w3id.org/dpv#Marketing",
            "x-request-id": "req-77",
          },
          body: "",
        }),
      );
      expect(entry).to.include({
        agent: shop.webid,
        issuer: server.baseUrl,
        purpose: "https://w3id.org/dpv#Marketing",
        request: "req-77",
      });
      const [second] = await added(() =>
        shop.fetch(`${ana.pod}shared/by-shop.ttl`, {
          method: "PUT",
          headers: { ...turtle, "access-purpose": `words of ${CANARY}` },
          body: "",
        }),
      );
      expect(second?.purpose).to.equal(null);
    });

    it("has nothing of one that was refused, or that changed nothing", async () => {
      const entries = await added(async () => {
        await ok(
          ana.fetch(`${ana.pod}notes/x.ttl`, { method: "PUT", headers: turtle, body: "no turtle" }),
          400,
        );
        await ok(
          ana.fetch(`${ana.pod}notes/posted.ttl`, {
            method: "PUT",
            headers: { ...turtle, "if-none-match": "*" },
            body: "",
          }),
          412,
        );
        await ok(ana.fetch(`${ana.pod}notes`, { method: "DELETE", redirect: "manual" }), 308);
        await ok(ana.fetch(`${ana.pod}none`, { method: "DELETE" }), 404);
      });
      expect(seen(entries)).to.deep.equal([]);
    });
  });

  describe("of looks", () => {
    it("has one by somebody else, with its bytes", async () => {
      const entries = await added(() => ok(shop.fetch(`${ana.pod}shared/a.ttl`), 200));
      expect(seen(entries)).to.deep.equal([
        { act: "look", agent: shop.webid, path: "/ana/shared/a.ttl", decision: "granted", status: 200 },
      ]);
      const { bytes } = entries[0]!;
      expect(bytes).to.equal(Buffer.byteLength(`<#a> <urn:x:is> "${CANARY}" .`));
    });

    it("has each of them: folders, parts of files, and the news that nothing is new", async () => {
      const etag = (await shop.fetch(`${ana.pod}shared/a.ttl`)).headers.get("etag") ?? "";
      const entries = await added(async () => {
        await ok(shop.fetch(`${ana.pod}shared/`), 200);
        await ok(shop.fetch(`${ana.pod}shared/a.ttl`, { method: "HEAD" }), 200);
        await ok(shop.fetch(`${ana.pod}shared/a.ttl`, { headers: { range: "bytes=0-3" } }), 206);
        await ok(shop.fetch(`${ana.pod}shared/a.ttl`, { headers: { "if-none-match": etag } }), 304);
      });
      expect(entries.map(({ status, bytes }) => [status, bytes])).to.deep.equal([
        [200, entries[0]?.bytes],
        [200, null],
        [206, 4],
        [304, null],
      ]);
      expect(entries[0]?.bytes).to.be.greaterThan(10);
    });

    it("has a query by somebody else, with its rows and documents, and not its text", async () => {
      const sparql = `SELECT ?s ?o { GRAPH ?g { ?s <urn:x:is> ?o } FILTER(?o != "not-${CANARY}") }`;
      const entries = await added(async () => {
        const answer = await ok(shop.fetch(`${ana.pod}sparql?query=${encodeURIComponent(sparql)}`), 200);
        expect(await answer.text()).to.include(CANARY);
      });
      expect(entries).to.have.lengthOf(1);
      expect(entries[0]).to.include({ act: "query", agent: shop.webid, path: "/ana/sparql", rows: 2 });
      expect(entries[0]?.documents).to.be.greaterThan(1);
      expect(entries[0]?.bytes).to.be.greaterThan(20);
    });

    it("has not what the owner reads on her own pages, and her programs folder by folder", async () => {
      const single = await added(() => ok(ana.fetch(`${ana.pod}shared/a.ttl`), 200));
      expect(seen(single)).to.deep.equal([]);
      const counted = await added(async () => {
        for (let n = 0; n < 5; n++) await ok(ana.fetch(`${ana.pod}shared/a.ttl`), 200);
      }, true);
      expect(counted.filter(({ act }) => act === "look")).to.have.lengthOf(1);
      expect(counted[0]).to.include({ agent: ana.webid, path: "/ana/shared/", count: 5 });
      expect(counted[0]?.client).to.be.a("string");
    });

    it("counts what is open to everybody", async () => {
      const entries = await added(async () => {
        for (let n = 0; n < 4; n++) await ok(shop.fetch(`${ana.pod}open/b.ttl`), 200);
        for (let n = 0; n < 6; n++) await ok(fetch(`${ana.pod}open/b.ttl`), 200);
      }, true);
      expect(entries.map(({ agent, path, count }) => [agent, path, count])).to.have.deep.members([
        [shop.webid, "/ana/open/b.ttl", 4],
        [null, "/ana/open/b.ttl", 6],
      ]);
    });

    it("tells nothing of what the endpoint and the storage say of themselves", async () => {
      const entries = await added(async () => {
        await ok(shop.fetch(`${ana.pod}sparql`), 200);
        await ok(shop.fetch(`${ana.pod}.well-known/solid`), 200);
      }, true);
      expect(entries).to.deep.equal([]);
    });

    it("says that somebody else learnt something from a change or a query that failed", async () => {
      await write(ana, `${ana.pod}shared/asked.ttl`, "<#a> <urn:x:is> 7 .");
      await write(ana, `${ana.pod}shared/deep/er.ttl`);
      const n3 = { "content-type": "text/n3" };
      const guess = (value: number): string =>
        `@prefix solid: <http://www.w3.org/ns/solid/terms#>. <> a solid:InsertDeletePatch; solid:where { <#a> <urn:x:is> ${value} }; solid:inserts { <#b> <urn:x:is> 1 } .`;
      const url = `${ana.pod}shared/asked.ttl`;
      const entries = await added(async () => {
        await ok(shop.fetch(url, { method: "PATCH", headers: n3, body: guess(5) }), 409);
        await ok(shop.fetch(url, { method: "PATCH", headers: n3, body: guess(6) }), 409);
        await ok(
          shop.fetch(url, { method: "PUT", headers: { ...turtle, "if-none-match": "*" }, body: "" }),
          412,
        );
        await ok(shop.fetch(`${ana.pod}shared`, { method: "DELETE", redirect: "manual" }), 403);
        await ok(shop.fetch(`${ana.pod}shared/deep`, { method: "DELETE", redirect: "manual" }), 308);
        const sparql = { "content-type": "application/sparql-query" };
        await ok(shop.fetch(`${ana.pod}sparql`, { method: "POST", headers: sparql, body: "no query" }), 400);
      }, true);
      expect(
        entries.map(({ act, agent, path, decision, status, count }) => [
          act,
          agent,
          path,
          decision,
          status,
          count,
        ]),
      ).to.have.deep.members([
        ["look", shop.webid, "/ana/shared/asked.ttl", "granted", 409, 2],
        ["look", shop.webid, "/ana/shared/asked.ttl", "granted", 412, 1],
        ["delete", shop.webid, "/ana/shared", "denied", 403, 1],
        ["look", shop.webid, "/ana/shared/deep", "granted", 308, 1],
        ["query", shop.webid, "/ana/sparql", "granted", 400, 1],
      ]);
    });

    it("says what was refused, counted", async () => {
      const entries = await added(async () => {
        for (let n = 0; n < 3; n++) await ok(shop.fetch(`${ana.pod}notes/`), 403);
        await ok(fetch(`${ana.pod}notes/`), 401);
        await ok(shop.fetch(`${ana.pod}notes/x`, { method: "PUT", headers: turtle, body: CANARY }), 403);
        await ok(shop.fetch(`${ana.pod}shared/.acl`), 403);
      }, true);
      expect(
        entries.map(({ act, agent, path, decision, status, count }) => [
          act,
          agent,
          path,
          decision,
          status,
          count,
        ]),
      ).to.have.deep.members([
        ["look", shop.webid, "/ana/notes/", "denied", 403, 3],
        ["look", null, "/ana/notes/", "denied", 401, 1],
        ["change", shop.webid, "/ana/notes/x", "denied", 403, 1],
        ["look", shop.webid, "/ana/shared/.acl", "denied", 403, 1],
      ]);
    });
  });

  describe("when it cannot be written", () => {
    /** The store's every commit fails from here on. */
    async function withBrokenStore(work: () => Promise<void>): Promise<void> {
      const { store } = server.context;
      const whole = store.write.bind(store);
      store.write = () => Promise.reject(new Error("The disk is gone"));
      try {
        await work();
      } finally {
        store.write = whole;
      }
    }

    it("shows nobody else anything: no byte leaves", async () => {
      await write(ana, `${ana.pod}shared/large.bin`, "x".repeat(700_000), "application/octet-stream");
      await withBrokenStore(async () => {
        for (const path of ["shared/a.ttl", "shared/", "shared/large.bin"]) {
          const answer = await ok(shop.fetch(`${ana.pod}${path}`), 503);
          expect(await answer.text())
            .not.to.include(CANARY)
            .and.not.to.include("xxxx");
          expect(answer.headers.get("etag")).to.equal(null);
        }
        const query = encodeURIComponent("SELECT ?o { GRAPH ?g { ?s <urn:x:is> ?o } }");
        const answer = await ok(shop.fetch(`${ana.pod}sparql?query=${query}`), 503);
        expect(await answer.text()).not.to.include(CANARY);
      });
      await ok(shop.fetch(`${ana.pod}shared/large.bin`), 200);
    });

    it("lets no byte go before it is written", async () => {
      const { store } = server.context;
      const whole = store.write.bind(store);
      const gate = Promise.withResolvers<void>();
      store.write = async (id, work) => {
        await gate.promise;
        return whole(id, work);
      };
      let isAnswered = false;
      const before = await server.context.journal.length(pod);
      const asked = shop.fetch(`${ana.pod}shared/a.ttl`).then((response) => {
        isAnswered = true;
        return response;
      });
      await new Promise((done) => setTimeout(done, 300));
      expect(isAnswered, "before").to.equal(false);
      store.write = whole;
      gate.resolve();
      expect((await asked).status).to.equal(200);
      expect(await server.context.journal.length(pod)).to.equal(before + 1);
    });

    it("still shows the owner her own, and everybody what is open to all", async () => {
      await withBrokenStore(async () => {
        await ok(ana.fetch(`${ana.pod}shared/a.ttl`), 200);
        await ok(fetch(`${ana.pod}open/b.ttl`), 200);
      });
    });
  });

  describe("in the end", () => {
    it("has exactly one entry for each acknowledged write of eight at once, in the order of versions", async () => {
      const etags: { readonly etag: string; readonly request: string }[] = [];
      const entries = await added(() =>
        Promise.all(
          Array.from({ length: 8 }, async (_, writer) => {
            for (let n = 0; n < 12; n++) {
              const request = `w${writer}-${n}`;
              const response = await ana.fetch(`${ana.pod}race/one.ttl`, {
                method: "PUT",
                headers: { ...turtle, "x-request-id": request },
                body: `<> <urn:x:is> ${writer * 100 + n} .`,
              });
              expect(response.status).to.be.oneOf([201, 204]);
              etags.push({ etag: response.headers.get("etag") ?? "", request });
            }
          }),
        ),
      );
      const version = (etag: string): number => Number.parseInt(etag.slice(1, -1), 36);
      const byVersion = etags
        .toSorted((a, b) => version(a.etag) - version(b.etag))
        .map(({ request }) => request);
      expect(entries.map(({ request }) => request)).to.deep.equal(byVersion);
      expect(new Set(byVersion).size).to.equal(96);
    });

    it("publishes the key that its heads are signed with", async () => {
      const { keys } = (await (await fetch(`${server.baseUrl}.well-known/freehold/journal-key`)).json()) as {
        keys: Record<string, string>[];
      };
      const head = await server.context.journal.head(pod);
      expect(keys).to.have.lengthOf(1);
      expect(keys[0]).to.include({ kty: "OKP", crv: "Ed25519", kid: head.key });
      expect(keys[0]).not.to.have.property("d");
      const { createPublicKey, verify } = await import("node:crypto");
      const key = createPublicKey({ key: keys[0]!, format: "jwk" });
      const said = `freehold-journal-head\nana\n${head.number}\n${head.hash}\n${head.time}\n`;
      expect(verify(null, Buffer.from(said), key, Buffer.from(head.signature, "base64url"))).to.equal(true);
    });

    it("makes few entries of ten thousand requests by a stranger", async function () {
      this.timeout(90_000);
      const entries = await added(async () => {
        for (let from = 0; from < 10_000; from += 200)
          await Promise.all(
            Array.from({ length: 200 }, (_, n) =>
              sendRaw(server.baseUrl, n % 2 ? "GET" : "DELETE", `/ana/guess-${from + n}`, {
                origin: `https://${from + n}.example`,
              }),
            ),
          );
      }, true);
      expect(entries.length).to.be.within(1, 60); // The flood may last longer than a minute.
      expect(entries.reduce((sum, { count }) => sum + count, 0)).to.equal(10_000);
    });

    it("never holds a value, a query's text or a token", async () => {
      await server.context.journal.flush();
      const rows = await server.context.store.journal.read(pod.id, 0, 10_000);
      const text = rows.map(({ entry }) => new TextDecoder().decode(entry!)).join("\n");
      expect(text).to.include("/ana/shared/a.ttl");
      expect(text).not.to.include(CANARY);
      expect(text).not.to.include("SELECT");
      expect(text).not.to.match(/eyJ[\w-]{10}/);
    });

    it("is whole", async () => {
      const { faults, warnings } = await server.context.journal.verify(pod);
      expect({ faults, warnings }).to.deep.equal({ faults: [], warnings: [] });
    });
  });
});
