/** Who is refused a WebSocket: the connection is over for this server, whatever the other side does with it. */
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { sleep, until } from "./support.ts";

describe("a refused handshake", () => {
  let server: TestServer;
  let ana: Person;
  before(async () => {
    server = await startServer({});
    ana = await server.person("Ana");
  });
  after(() => server.close());

  /** Asks for a WebSocket, or whatever is said, and never hangs up by itself. */
  async function asked(path: string, request?: string): Promise<{ socket: Socket; text: () => string }> {
    const { hostname, port, pathname } = new URL(`${ana.pod}${path}`);
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    let text = "";
    socket.on("data", (part) => (text += part.toString("latin1")));
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write(
      request ??
        `GET ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    return { socket, text: () => text };
  }
  const nowhere = `.notifications/channels/${"0".repeat(32)}/x`;

  it("stops nobody when the other side breaks off", async () => {
    for (let round = 0; round < 20; round++) {
      const { socket, text } = await asked(nowhere);
      await until("the answer", () => text().includes("\r\n\r\n"));
      expect(text()).to.match(/^HTTP\/1\.1 404 /);
      socket.resetAndDestroy();
    }
    for (let round = 0; round < 20; round++) (await asked(nowhere)).socket.resetAndDestroy();
    // Where it is let in, too: what is said first may come too late.
    for (let round = 0; round < 300; round++) {
      const { socket } = await asked(".notifications/solid-0.1");
      if (round % 3 > 0) await sleep(round % 3);
      socket.resetAndDestroy();
    }
    await sleep(50);
    expect((await fetch(`${new URL(ana.pod).origin}/.well-known/solid`)).status).to.equal(200);
  });

  for (const [what, request] of [
    ["WebSocket", undefined],
    ["tunnel", "CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n"],
  ] as const)
    it(`leaves no connection behind, though the other side keeps its end (${what})`, async () => {
      const { socket, text } = await asked(nowhere, request);
      let isClosed = false;
      socket.on("close", () => (isClosed = true));
      await until("the answer", () => text().includes("\r\n\r\n"));
      // Writing into a connection that is gone is answered by a reset.
      await until(
        "it is gone at the server",
        async () => {
          if (!isClosed) socket.write("x");
          await sleep(100);
          return isClosed;
        },
        4_000,
      ).finally(() => socket.destroy());
    });

  it("keeps no stop waiting", async () => {
    const other = await startServer({});
    const { hostname, port } = new URL(other.baseUrl);
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    socket.on("error", () => {});
    socket.write(
      "GET /nobody/.notifications/solid-0.1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    await new Promise((resolve) => socket.once("data", resolve));
    const started = performance.now();
    await other.close();
    expect(performance.now() - started).to.be.lessThan(3_000);
    socket.destroy();
  });
});
