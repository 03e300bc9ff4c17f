/** A server that stops and starts: channels and cursors are kept, and nothing falls between. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { type Running, serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { type Fetch, logIn } from "../support/dpop.ts";
import { listen, stream, subscribe, until } from "./support.ts";

describe("notifications across a restart", () => {
  let folder: string;
  let running: Running;
  const start = async (port: number): Promise<Running> =>
    serve(readConfig({ FREEHOLD_PORT: String(port), FREEHOLD_DATA: folder }), () => {});
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-test-"));
    running = await start(0);
  });
  after(async () => {
    await running.close();
    await rm(folder, { recursive: true });
  });

  it("those who listen are told that it stops, at once; then they go on where they were", async () => {
    const { baseUrl, port } = running.context.config;
    const { credentials, pod } = await createPerson(running.context, {
      name: "Ana",
      podName: "ana",
      password: "a long password of Ana",
    });
    let ownFetch: Fetch = await logIn(baseUrl, credentials.id, credentials.secret);
    const write = async (value: number): Promise<void> => {
      const headers = { "content-type": "text/turtle" };
      const response = await ownFetch(`${pod}x.ttl`, { method: "PUT", headers, body: `<#a> <#b> ${value}.` });
      expect(response.status).to.be.lessThan(300);
    };
    const socket = await subscribe(ownFetch, pod, "WebSocketChannel2023", `${pod}x.ttl`);
    const events = await subscribe(ownFetch, pod, "EventSourceChannel2023", `${pod}x.ttl`);
    const ear = await listen(socket.receiveFrom);
    const one = await stream(fetch, events.receiveFrom);
    await write(1);
    await until("both are told", () => ear.notes.length === 1 && one.text.includes("data: "));

    const started = performance.now();
    await running.close();
    expect(performance.now() - started).to.be.lessThan(3_000);
    await until("both are over", () => ear.closed !== null && one.isOver);
    expect(ear.closed?.code).to.equal(1001);

    running = await start(port);
    ownFetch = await logIn(baseUrl, credentials.id, credentials.secret);
    await write(2);
    const cursor = ear.notes[0]?.cursor ?? 0;
    const back = await listen(`${socket.receiveFrom}?after=${cursor}`);
    const left = await listen(socket.receiveFrom);
    const again = await stream(fetch, events.receiveFrom, { "last-event-id": String(cursor) });
    await write(3);
    await until("all", () => back.notes.length === 2 && left.notes.length === 2);
    await until("all", () => again.text.match(/^id: /gm)?.length === 2);
    expect(back.notes.map((note) => note.cursor)).to.deep.equal(left.notes.map((note) => note.cursor));
    expect(back.notes.every((note) => note.cursor > cursor)).to.equal(true);
    await Promise.all([back.close(), left.close(), again.leave()]);
  });
});
