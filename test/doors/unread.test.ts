/** An answer given before all of the content has come: it arrives, also at a client that reads only once it has sent all. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { startServer, type TestServer } from "../support/server.ts";

const CONTENT_BYTES = 16 * 1024 * 1024;

describe("content that the server does not want", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  /** Sends all, then reads. @returns what came until the other side closed. */
  async function sendAll(head: readonly string[], content: Buffer): Promise<string> {
    const { hostname, port } = new URL(server.baseUrl);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    socket.pause();
    socket.write(`${[...head, `Host: ${hostname}:${port}`].join("\r\n")}\r\n\r\n`);
    await new Promise<void>((sent, fail) => {
      socket.once("error", fail);
      socket.write(content, () => sent());
    });
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.resume();
    await once(socket, "close");
    return text;
  }

  for (let time = 1; time <= 3; time += 1) {
    it(`does not cost its sender the answer (${time})`, async () => {
      const answer = await sendAll(
        ["PUT /nobody/film.bin HTTP/1.1", "Content-Type: video/mp4", `Content-Length: ${CONTENT_BYTES}`],
        Buffer.alloc(CONTENT_BYTES),
      );
      expect(answer).to.match(/^HTTP\/1\.1 40[14] /);
      expect(answer).to.include("connection: close");
      expect(answer).to.include("requestId");
    });
  }

  it("is not waited for without end", async () => {
    const begun = performance.now();
    const answer = await sendAll(
      ["PUT /nobody/film.bin HTTP/1.1", "Content-Type: video/mp4", `Content-Length: ${CONTENT_BYTES}`],
      Buffer.alloc(1_024), // And no more comes.
    );
    expect(answer).to.match(/^HTTP\/1\.1 40[14] /);
    expect(performance.now() - begun).to.be.lessThan(10_000);
  });
});
