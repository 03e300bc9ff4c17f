/** Many who listen to one pod: a write is acknowledged no later for them, and each is told. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type Ear, listen, put, subscribe, until } from "./support.ts";

const LISTENERS = 200;
const WRITES = 10;

describe("notifications for many", () => {
  let server: TestServer;
  let ana: Person;
  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "listenersPerAgentMax=300" });
    ana = await server.person("Ana");
  });
  after(() => server.close());

  it(`${LISTENERS} listeners are told of ${WRITES} writes, each in order`, async () => {
    const { receiveFrom } = await subscribe(ana.fetch, ana.pod, "WebSocketChannel2023", ana.pod);
    const ears: Ear[] = [];
    for (let count = 0; count < LISTENERS; count += 20)
      ears.push(...(await Promise.all(Array.from({ length: 20 }, () => listen(receiveFrom)))));
    for (let count = 0; count < WRITES; count++) await put(ana, `x${count}.ttl`, "<#a> <#b> 1.");
    await until("all are told", () => ears.every(({ notes }) => notes.length === WRITES), 15_000);
    for (const { notes } of ears)
      expect(notes.map(({ object }) => object)).to.deep.equal(
        Array.from({ length: WRITES }, (_, count) => `${ana.pod}x${count}.ttl`),
      );
    await Promise.all(ears.map((ear) => ear.close()));
  });
});
