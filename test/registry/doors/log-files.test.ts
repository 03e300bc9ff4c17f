/** The log as files, its feed, and the filter of a day. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { get as httpGet, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { expect } from "chai";
import {
  decodeEntries,
  decodeLeaf,
  headKeyOf,
  mayHaveChanged,
  PassportError,
  parseCheckpoint,
  parseFilter,
  parseNote,
  verifyInclusion,
} from "../../../client-lib/registry/index.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createFeed } from "../../../server/registry/doors/feed.ts";
import { leafHash } from "../../../server/registry/log/hash.ts";
import { type Known, startRegistry, type World } from "./world.ts";

const DAY_MS = 24 * 3_600_000;
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, "base64url"));

describe("the log's doors", () => {
  let world: World;
  let ana: Known;

  before(async () => {
    world = await startRegistry();
    ana = await world.open("ana");
  });
  after(() => world.close());

  describe("GET /log/:zone/:year/…", () => {
    it("gives checkpoint and tiles, from which the map's root can be proved", async () => {
      const checkpoint = await world.ask("/log/zz/2026/checkpoint");
      expect(checkpoint.headers).to.include({
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "public, max-age=1",
      });
      const { size, root, origin } = parseCheckpoint(parseNote(checkpoint.text).body);
      expect(origin).to.match(/\/zz\/2026$/);
      const entries = await world.ask(`/log/zz/2026/tile/entries/000.p/${size}`);
      expect(entries.headers).to.include({
        "content-type": "application/octet-stream",
        "cache-control": "public, max-age=31536000, immutable",
      });
      const leaves = decodeEntries(new Uint8Array(entries.bytes));
      expect(leaves).to.have.length(size);
      const last = leaves.at(-1) ?? new Uint8Array();
      expect(decodeLeaf(last).kind).to.equal("root");
      const hashes = (await world.ask(`/log/zz/2026/tile/0/000.p/${size}`)).bytes;
      expect(hashes.subarray(-32).equals(Buffer.from(leafHash(last)))).to.equal(true);
      const { proof } = (await world.ask(`/v1/passports/${ana.id}`)).json;
      const isIn = await verifyInclusion({
        index: proof.log.index,
        size,
        leafHash: bytesOf(Buffer.from(leafHash(last)).toString("base64url")),
        path: proof.log.path.map(bytesOf),
        root,
      });
      expect(isIn).to.equal(true);
    });

    it("names its state in the checkpoint's ETag, renewed signatures included", async () => {
      const first = await world.ask("/log/zz/2026/checkpoint");
      const headers = { "if-none-match": first.headers["etag"] ?? "" };
      expect((await world.ask("/log/zz/2026/checkpoint", { headers })).status).to.equal(304);
      world.pass(20 * 60_000);
      await world.served.tick();
      const renewed = await world.ask("/log/zz/2026/checkpoint", { headers });
      expect(renewed.status).to.equal(200);
      expect(renewed.text).to.not.equal(first.text);
    });

    it("has nothing of a person in it", async () => {
      const { size } = parseCheckpoint(parseNote((await world.ask("/log/zz/2026/checkpoint")).text).body);
      const { bytes } = await world.ask(`/log/zz/2026/tile/entries/000.p/${size}`);
      for (const secret of [ana.id, "pods.example.org", "ana", "did:dcann"])
        expect(bytes.includes(secret), secret).to.equal(false);
    });

    const escapes = [
      "/log/zz/2026/../../../registry.json",
      "/log/zz/2026/tile/../../../../root.key",
      "/log/zz/2026/tile/0/../../lock",
      "/log/zz/2026/tile/%2e%2e/%2e%2e/lock",
      "/log/zz/2026/tile/0%2f000",
      "/log/zz/2026/tile/0/000%00",
      "/log/zz/2026/tile/0/..%5c..%5clock",
      "/log/zz/../zz/2026/lock",
      "/log/zz/2026/lock",
      "/log/zz/lock",
      "/log/zz/2026/days",
      "/log/zz/2026/filter/2026-06-01",
      "/log/zz/2026/tile/0/000.draft",
      "/log//2026/checkpoint",
      "/log/zz//checkpoint",
      "/log/zz/2026//checkpoint",
      "/log/zz/2026/checkpoint/",
      "/log/ZZ/2026/checkpoint",
      "/log/ch/2026/checkpoint",
      "/log/zz/2025/checkpoint",
      "/log/zz/0000/checkpoint",
      "/log/zz/../../registry/zz/2026/checkpoint",
      "/log/zz/2026/tile/64/000",
      "/log/zz/2026/tile/00/000",
      "/log/zz/2026/tile/0/000.p/0",
      "/log/zz/2026/tile/0/000.p/256",
      "/log/zz/2026/tile/0/000.p/01",
      "/log/zz/2026/tile/0/x000/x000/x000/x000/x000/x000/x000/000",
      "/log/zz/2026/tile/0/0",
      "/log/zz/2026/tile/data/000",
    ];
    for (const path of escapes) {
      it(`has no file at ${path}`, async () => {
        await mkdir(join(world.folder, "registry", "zz", "2026"), { recursive: true });
        const { status, text } = await world.ask(path);
        expect(status).to.be.oneOf([400, 404]);
        expect(text).to.not.contain("operator").and.not.contain('"size"');
      });
    }

    it("gives a tile of the same width from a wider one, and none that is wider than the log", async () => {
      const { size } = parseCheckpoint(parseNote((await world.ask("/log/zz/2026/checkpoint")).text).body);
      const narrow = await world.ask("/log/zz/2026/tile/0/000.p/1");
      expect([narrow.status, narrow.bytes.length]).to.deep.equal([200, 32]);
      expect((await world.ask(`/log/zz/2026/tile/0/000.p/${size + 1}`)).status).to.equal(404);
      expect((await world.ask("/log/zz/2026/tile/0/000")).status).to.equal(404);
    });
  });

  describe("GET /v1/feed", () => {
    interface Told {
      readonly name: string;
      readonly id: string | undefined;
      // oxlint-disable-next-line typescript/no-explicit-any -- what a test reads of it is what it expects
      readonly value: any;
    }

    /** Reads events until `isEnough`, and hangs up. */
    async function listen(
      query: string,
      isEnough: (told: readonly Told[]) => boolean,
      headers: Record<string, string> = {},
      at: World = world,
    ): Promise<readonly Told[]> {
      return new Promise((resolve, reject) => {
        const request = httpGet({
          host: "127.0.0.1",
          port: at.served.port,
          path: `/v1/feed${query}`,
          headers,
        });
        request.on("error", reject);
        request.on("response", (response: IncomingMessage) => {
          if (response.statusCode !== 200) {
            response.resume();
            reject(new Error(String(response.statusCode)));
            return;
          }
          const told: Told[] = [];
          let text = "";
          response.on("data", (chunk: Buffer) => {
            text += chunk.toString("utf8");
            const blocks = text.split("\n\n");
            text = blocks.pop() ?? "";
            for (const block of blocks) {
              const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
              const data = field("data");
              if (data !== undefined)
                told.push({ name: field("event") ?? "", id: field("id"), value: JSON.parse(data) });
            }
            if (!isEnough(told)) return;
            request.destroy();
            resolve(told);
          });
          response.on("end", () => resolve(told));
          response.on("error", () => {});
        });
      });
    }
    const hasCheckpoint = (told: readonly Told[]): boolean => told.some(({ name }) => name === "checkpoint");

    it("tells all leaves from the first, and the checkpoint that proves them", async () => {
      const told = await listen("?from=0", hasCheckpoint);
      const leaves = told
        .filter(({ name }) => name === "leaves")
        .flatMap(({ value }) => value.leaves as string[]);
      const size = told.at(-1)?.value.size as number;
      expect(leaves).to.have.length(size);
      const entries = await world.ask(`/log/zz/2026/tile/entries/000.p/${size}`);
      const all = decodeEntries(new Uint8Array(entries.bytes)).map((leaf) =>
        Buffer.from(leaf).toString("base64url"),
      );
      expect(leaves).to.deep.equal(all);
      expect(told.at(-1)?.id).to.equal(String(size));
    });

    it("tells who waits of what is published next, and of renewed signatures", async () => {
      const beginning = world.served.zone.published().size;
      const waiting = listen("", (told) => told.filter(({ name }) => name === "checkpoint").length === 4);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const bea = await world.open("bea");
      world.pass(20 * 60_000);
      await world.served.tick();
      const told = await waiting;
      const keys = told
        .filter(({ name }) => name === "leaves")
        .flatMap(({ value }) => value.leaves as string[])
        .map((leaf) => decodeLeaf(bytesOf(leaf)))
        .flatMap((leaf) => (leaf.kind === "set" ? [Buffer.from(leaf.headKey).toString("base64url")] : []));
      const headKey = Buffer.from(await headKeyOf("zz/2026", bea.id)).toString("base64url");
      expect(keys).to.include(headKey);
      expect(told.find(({ name }) => name === "leaves")?.value.from).to.equal(beginning);
      expect(JSON.stringify(told)).to.not.contain(bea.id);
    });

    it("goes on from where somebody was", async () => {
      const { size } = world.served.zone.published();
      const told = await listen("?from=0", hasCheckpoint, { "last-event-id": String(size - 2) });
      expect(told[0]?.value).to.deep.include({ from: size - 2, shard: "zz/2026" });
      expect(told[0]?.value.leaves).to.have.length(2);
    });

    const ends: readonly (readonly [string, () => string, string])[] = [
      ["future", () => `?from=${world.served.zone.published().size + 1}`, "an index that is not there yet"],
      ["outdated", () => "?from=0&shard=zz/2025", "a log of another year"],
    ];
    for (const [reason, query, what] of ends) {
      it(`ends with "${reason}" for ${what}, and says how to go on`, async () => {
        const told = await listen(query(), () => false);
        expect(told.map(({ name }) => name)).to.deep.equal(["close"]);
        expect(told[0]?.value).to.include({
          reason,
          shard: "zz/2026",
          size: world.served.zone.published().size,
        });
        expect(told[0]?.value.next).to.be.a("string");
      });
    }

    it("refuses indexes that are none, and zones that are not here", async () => {
      for (const query of ["?from=-1", "?from=1e3", "?from=9999999999999999", "?from=x"])
        expect((await world.ask(`/v1/feed${query}`)).status, query).to.equal(400);
      expect((await world.ask("/v1/feed?zone=ch")).status).to.equal(404);
      const head = await world.ask("/v1/feed", { method: "HEAD" });
      expect([head.status, head.headers["content-type"]]).to.deep.equal([200, "text/event-stream"]);
    });

    it("sends who is too far behind to the tiles, gives each network some seats and takes them back", async () => {
      const small = await startRegistry({ limits: { feedLeavesBehindMax: 2, listenersPerAgentMax: 2 } });
      try {
        await small.open("cleo");
        const told = await listen("?from=0", () => false, {}, small);
        expect(told[0]?.value.reason).to.equal("outdated");
        const hold = () =>
          new Promise<() => void>((resolve) => {
            const request = httpGet({ host: "127.0.0.1", port: small.served.port, path: "/v1/feed" });
            request.on("error", () => {});
            request.on("response", (response) => {
              response.on("data", () => resolve(() => request.destroy()));
              response.on("error", () => {});
            });
          });
        const [one, two] = [await hold(), await hold()];
        const refused = await small.ask("/v1/feed");
        expect([refused.status, refused.headers["retry-after"]]).to.deep.equal([429, "60"]);
        one();
        let status = 429;
        for (let tries = 0; status === 429 && tries < 100; tries++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          ({ status } = await small.ask("/v1/feed?from=99")); // Ends by itself.
        }
        expect(status).to.equal(200);
        two();
      } finally {
        await small.close();
      }
    });

    it("cuts off who takes nothing for too long", async () => {
      const feed = createFeed({ zones: [world.served.zone], limits: { ...LIMITS, listenerStuckMsMax: 20 } });
      const { body, whileSent } = await feed.door({
        id: "x",
        method: "GET",
        url: new URL("http://localhost/v1/feed?from=0"),
        params: {},
        headers: {},
        ip: "192.0.2.1",
        body: null,
      });
      const cut = Promise.withResolvers<void>();
      const leave = whileSent?.(() => cut.resolve());
      const parts = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
      expect((await parts.next()).done, "the first part is taken, and none after it").to.equal(false);
      await cut.promise;
      leave?.();
      while (!(await parts.next()).done);
    });

    it("lets all go when the server stops, and says so", async () => {
      const small = await startRegistry();
      const waiting = listen("", () => false, {}, small);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await small.close();
      expect((await waiting).at(-1)?.value.reason).to.equal("closing");
    });
  });

  describe("GET /v1/filter/:day", () => {
    it("is of a day that is over, and says yes of all that changed on it", async () => {
      const own = await startRegistry();
      try {
        const people = [await own.open("dora"), await own.open("emil"), await own.open("finn")];
        expect((await own.ask("/v1/filter/2026-06-01")).status, "today is not over").to.equal(404);
        own.pass(DAY_MS);
        await own.served.tick();
        const later = await own.open("gina");
        own.pass(DAY_MS);
        await own.served.tick();
        const answer = await own.ask("/v1/filter/2026-06-01");
        expect([answer.status, answer.headers["cache-control"]]).to.deep.equal([
          200,
          "public, max-age=31536000, immutable",
        ]);
        const filter = parseFilter(new Uint8Array(answer.bytes));
        expect(filter.count).to.equal(3);
        for (const { id } of people)
          expect(await mayHaveChanged(filter, await headKeyOf("zz/2026", id))).to.equal(true);
        const next = parseFilter(new Uint8Array((await own.ask("/v1/filter/2026-06-02")).bytes));
        expect(await mayHaveChanged(next, await headKeyOf("zz/2026", later.id))).to.equal(true);
        expect([next.count, next.from]).to.deep.equal([1, filter.to]);
        expect((await own.ask("/v1/filter/2026-06-01")).bytes.equals(answer.bytes)).to.equal(true);
        const kept = await readFile(join(own.folder, "registry", "zz", "2026", "filter", "2026-06-01"));
        expect(kept.equals(answer.bytes)).to.equal(true);
      } finally {
        await own.close();
      }
    });

    it("of a day on which nothing changed says no to everything", async () => {
      const own = await startRegistry();
      try {
        await own.open("dora");
        own.pass(3 * DAY_MS);
        await own.open("emil");
        const filter = parseFilter(new Uint8Array((await own.ask("/v1/filter/2026-06-02")).bytes));
        expect(filter.count).to.equal(0);
        expect(await mayHaveChanged(filter, new Uint8Array(32))).to.equal(false);
      } finally {
        await own.close();
      }
    });

    it("refuses days that are none, that are not over, and of which nothing is known", async () => {
      for (const day of ["2026-13-01", "2026-02-30", "yesterday", "..%2f..%2flock", "2026-6-1"])
        expect((await world.ask(`/v1/filter/${day}`)).status, day).to.equal(400);
      for (const day of ["2999-01-01", "2026-05-31", "2001-01-01"])
        expect((await world.ask(`/v1/filter/${day}`)).status, day).to.be.oneOf([400, 404]);
      expect((await world.ask("/v1/filter/2026-05-31?zone=ch")).status).to.equal(404);
    });

    it("is refused by readers when it is damaged", () => {
      expect(() => parseFilter(new Uint8Array(10))).to.throw(PassportError);
      expect(() =>
        parseFilter(new Uint8Array(Buffer.concat([Buffer.from("DCANNbf8"), Buffer.alloc(100)]))),
      ).to.throw(PassportError);
    });
  });

  it("serves a file that is there only in the folder of its log", async () => {
    await writeFile(join(world.folder, "registry", "zz", "2026", "secret"), "x");
    expect((await world.ask("/log/zz/2026/secret")).status).to.equal(404);
  });
});
