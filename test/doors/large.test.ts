/** Large files, whose bytes are freed as they go: what arrives is what was sent, whoever hangs up on the way. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { expect } from "chai";
import { spend, usedOnce } from "../../server/spent.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { setAccess } from "./people.ts";

const BYTES = 5 * 1024 * 1024 + 12_345;

describe("A large file", () => {
  const content = randomBytes(BYTES);
  let server: TestServer;
  let ana: Person;
  let file: string;

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    file = `${ana.pod}open/file.bin`;
    const headers = { "content-type": "application/octet-stream" };
    const made = await ana.fetch(file, { method: "PUT", headers, body: content });
    expect(made.status).to.equal(201);
    await setAccess(ana, `${ana.pod}open/`, [{ to: "public", modes: ["Read"] }]);
  });
  after(() => server.close());

  const get = async (headers: Record<string, string> = {}): Promise<Buffer> =>
    Buffer.from(await (await fetch(file, { headers })).arrayBuffer());

  it("comes as it was sent, to several at once and again", async () => {
    for (let round = 0; round < 3; round++) {
      const found = await Promise.all([get(), get(), get(), get()]);
      for (const bytes of found) expect(bytes.equals(content)).to.equal(true);
    }
  });

  it("comes in parts", async () => {
    for (const [first, last] of [
      [0, 0],
      [262_143, 262_144],
      [1_000_000, 3_000_000],
      [BYTES - 10, BYTES - 1],
    ] as const) {
      const part = await get({ range: `bytes=${first}-${last}` });
      expect(part.equals(content.subarray(first, last + 1))).to.equal(true);
    }
  });

  it("comes whole to others when somebody hangs up, or reads slowly", async () => {
    const { port, pathname } = new URL(file);
    const sockets = Array.from({ length: 8 }, (_, at) => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => {});
      socket.write(`GET ${pathname} HTTP/1.1\r\nhost: x\r\n\r\n`);
      let seen = 0;
      socket.on("data", (chunk) => {
        seen += chunk.length;
        if (seen < at * 300_000) return;
        if (at % 2 === 0) socket.destroy();
        else socket.pause();
      });
      return socket;
    });
    for (let round = 0; round < 3; round++) expect((await get()).equals(content)).to.equal(true);
    for (const socket of sockets) socket.destroy();
    expect((await get()).equals(content)).to.equal(true);
    expect(server.log.filter((line) => line.includes("response.broken"))).to.deep.equal([]);
  });

  it("is stored again as it was sent", async () => {
    const other = Buffer.concat([content, content]);
    const headers = { "content-type": "application/octet-stream" };
    await ana.fetch(file, { method: "PUT", headers, body: other });
    expect((await get()).equals(other)).to.equal(true);
  });

  it("frees only what was said to be used once, and never a part of something", () => {
    const [mine, theirs] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)];
    const part = usedOnce(new Uint8Array(theirs.buffer, 0, 4));
    spend(mine);
    spend(part);
    expect([mine.length, theirs.length, part.length]).to.deep.equal([8, 8, 4]);
    spend(usedOnce(mine));
    expect(mine.length).to.equal(0);
  });
});
