import { expect } from "chai";
import type { Result } from "../../server/operation.ts";
import { write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { createTestPod, type TestPod, UNION } from "./fixture.ts";

const BOB = "https://bob.example/#me";
const documents = Object.fromEntries(
  Array.from({ length: 4 }, (_, at) => [
    `d${at}.ttl`,
    Array.from({ length: 200 }, (_, n) => `<#${n}> <http://e/p> "${"x".repeat(100)}${n}" .`).join("\n"),
  ]),
);
/** 800 × 800 rows of some 300 bytes; the first MiB of them is there at once. */
const LONG = `SELECT * FROM <${UNION}> { ?a <http://e/p> ?b . ?c <http://e/p> ?d }`;
const limits = {
  queryRowsMax: 1_000_000,
  queryOwnerRowsMax: 1_000_000,
  queryResultBytesMax: 1_000_000_000,
  queryOwnerResultBytesMax: 1_000_000_000,
  queryRoomBytesMax: 1024 * 1024,
};
type Pieces = AsyncIterableIterator<Uint8Array>;
const piecesOf = ({ body }: Result): Pieces => {
  expect(body).to.not.be.instanceOf(Uint8Array);
  return body as Pieces;
};

describe("a long answer", () => {
  let pod: TestPod;
  const log: string[] = [];
  const threads = (): number => log.filter((line) => line.includes("query.thread-started")).length;
  before(async () => {
    pod = await createTestPod(documents, () => true, {
      limits: { ...limits, queryStallMsMax: 1_000 },
      log,
    });
  });
  after(() => pod.close());

  it("comes piece by piece, and is whole at its end", async () => {
    const result = await pod.open(LONG);
    expect(result.headers).to.not.have.property("content-length");
    expect(result.extent).to.deep.equal({ rows: null, documents: 5 });
    let text = "";
    let pieces = 0;
    for await (const piece of piecesOf(result)) {
      text += Buffer.from(piece).toString();
      pieces++;
    }
    expect(pieces).to.be.above(100);
    const { results } = JSON.parse(text) as { results: { bindings: unknown[] } };
    expect(results.bindings.length).to.equal(640_000);
  }).timeout(30_000);

  it("… and a short one in one piece, with its length and how much it tells", async () => {
    const result = await pod.open(`${LONG} LIMIT 100`);
    expect(result.body).to.be.instanceOf(Uint8Array);
    expect(result.headers["content-length"]).to.equal(String((result.body as Uint8Array).length));
    expect(result.extent?.rows).to.equal(100);
  });

  it("is not evaluated further than its reader has come", async () => {
    const before = process.memoryUsage().arrayBuffers;
    const result = await pod.open(LONG);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(6 * 1024 * 1024);
    await piecesOf(result).return?.();
  });

  it("breaks where its reader is too slow, and the thread lives", async () => {
    const result = await pod.open(LONG);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    let bytes = 0;
    const read = async (): Promise<void> => {
      for await (const piece of piecesOf(result)) bytes += piece.length;
    };
    const error = await read().then(
      () => null,
      (thrown: { code?: string }) => thrown.code,
    );
    expect(error).to.equal("query-timeout");
    expect(bytes).to.be.within(1024 * 1024, 8 * 1024 * 1024);
    expect((await pod.ask("ASK {}")).status).to.equal(200);
    expect(threads()).to.equal(1);
  });

  it("is given up when nobody wants the rest, and the next query is answered at once", async () => {
    const pieces = piecesOf(await pod.open(LONG));
    await pieces.next();
    const started = performance.now();
    await pieces.return?.();
    expect((await pod.ask("ASK {}")).status).to.equal(200);
    expect(performance.now() - started).to.be.below(500);
    expect(threads()).to.equal(1);
  });

  it("… also when nobody ever began to read, and for HEAD", async () => {
    await piecesOf(await pod.open(LONG)).return?.();
    expect((await pod.open(LONG, { method: "HEAD" })).body).to.equal(null);
    expect((await pod.ask("ASK {}")).status).to.equal(200);
    expect(threads()).to.equal(1);
  });

  for (const [what, options] of [
    ["rows", { queryRowsMax: 20_000 }],
    ["bytes", { queryResultBytesMax: 5_000_000 }],
    ["time", { queryMsMax: 60, queryRoomBytesMax: 1_000_000_000 }],
  ] as const) {
    it(`never looks whole when there are too many ${what}`, async () => {
      const small = await createTestPod(documents, () => true, { limits: { ...limits, ...options } });
      try {
        await small.ask("ASK {}");
        await small.ask(`SELECT * FROM <${UNION}> { ?s ?p ?o } LIMIT 1`, { webid: BOB });
        let text = "";
        const read = async (): Promise<void> => {
          for await (const piece of piecesOf(await small.open(LONG, { webid: BOB })))
            text += Buffer.from(piece).toString();
        };
        const code = await read().then(
          () => null,
          (thrown: { code?: string }) => thrown.code,
        );
        expect(code).to.be.oneOf(["query-refused", "query-timeout"]);
        expect(text.endsWith("]}}")).to.equal(false);
      } finally {
        await small.close();
      }
    });
  }
});

describe("a long answer over HTTP", () => {
  let server: TestServer;
  let ana: Person;
  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "queryOwnerRowsMax=30000" });
    ana = await server.person("Ana");
    for (const [name, text] of Object.entries(documents)) await write(ana, `${ana.pod}long/${name}`, text);
  });
  after(() => server.close());
  const ask = (sparql: string): Promise<Response> =>
    ana.fetch(`${ana.pod}sparql`, {
      method: "POST",
      headers: { "content-type": "application/sparql-query" },
      body: sparql,
    });

  it("is sent in chunks", async () => {
    const response = await ask(`${LONG} LIMIT 20000`);
    expect([response.status, response.headers.get("content-length")]).to.deep.equal([200, null]);
    const { results } = (await response.json()) as { results: { bindings: unknown[] } };
    expect(results.bindings.length).to.equal(20_000);
  });
  it("breaks the connection where it fails", async () => {
    const response = await ask(LONG);
    expect(response.status).to.equal(200);
    const error = await response.text().then(
      () => null,
      (thrown: Error) => thrown.name,
    );
    expect(error).to.equal("TypeError");
  });
});
