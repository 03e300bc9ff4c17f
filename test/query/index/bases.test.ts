/** What a server remembers of a pod between queries, between threads, and over a restart. */
import { availableParallelism } from "node:os";
import { expect } from "chai";
import type { Limits } from "../../../server/limits.ts";
import { createLog } from "../../../server/log.ts";
import { createKeptIndexes } from "../../../server/query/index/kept.ts";
import { createTestPod, type TestPod, UNION } from "../fixture.ts";

const count = `SELECT (COUNT(*) AS ?n) FROM <${UNION}> WHERE { ?s <urn:x:says> ?o }`;
const say = `SELECT ?o FROM <${UNION}> WHERE { ?s <urn:x:says> ?o }`;
const nameOf = (n: number): string => `notes/${n}.ttl`;
const documents = Object.fromEntries(
  Array.from({ length: 60 }, (_, n) => [nameOf(n), `<> <urn:x:says> "note ${n}", "again ${n}" .`]),
);

interface Event {
  readonly event: string;
  readonly documents?: number;
}

describe("what a server remembers of a pod for the next query", () => {
  let pod: TestPod;
  let log: string[];
  const events = (name: string): Event[] =>
    log.map((line) => JSON.parse(line) as Event).filter(({ event }) => event === name);
  /** Nobody is told when an index has been kept, so we look. */
  async function untilKept(times: number): Promise<void> {
    for (let tries = 0; events("query.index-kept").length < times; tries++) {
      if (tries > 400) throw new Error("it is not kept");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  const open = async (limits: Partial<Record<keyof Limits, number>> = {}): Promise<void> => {
    log = [];
    pod = await createTestPod(
      documents,
      (webid, name) => webid !== "https://bob.example/#me" || name < "notes/3",
      {
        log,
        limits: { queryIndexRestMs: 1, ...limits },
      },
    );
  };
  const notes = async (webid?: string) => pod.values(say, "o", webid ? { webid } : {});

  afterEach(() => pod.close());

  it("comes from disk after a restart, and only what changed since is read", async () => {
    await open();
    expect(await notes()).to.have.length(120);
    await untilKept(1);
    await pod.put(nameOf(7), `<> <urn:x:says> "changed" .`);
    await pod.put(nameOf(8), null);
    await pod.restart();
    log.length = 0;
    const found = await notes();
    expect(found)
      .to.have.length(117)
      .and.to.include("changed")
      .and.not.to.include("note 7")
      .and.not.to.include("note 8");
    // All but the two notes, and the listing of their folder.
    expect(events("query.index-opened").map(({ documents: n }) => n)).to.deep.equal([59]);
  });

  it("shows nobody what others may read, and nothing less to those who may", async () => {
    await open();
    expect(await notes()).to.have.length(120);
    await untilKept(1);
    await pod.restart();
    const found = await notes("https://bob.example/#me");
    expect(found).to.include("note 17");
    expect(found).to.not.include("note 3");
    expect(await pod.values(count, "n", { webid: "https://bob.example/#me" })).to.deep.equal([
      `${found.length}`,
    ]);
    expect(await notes()).to.have.length(120);
  });

  it("is forgotten with what is erased", async () => {
    await open();
    await notes();
    await untilKept(1);
    await pod.put(nameOf(5), null);
    await pod.queries.purge(pod.pod.id);
    await pod.store.read(pod.pod.id, async (snapshot) =>
      expect(await Array.fromAsync(snapshot.all("blob"))).to.deep.equal([]),
    );
    expect(await notes()).to.have.length(118);
    await untilKept(2);
    await pod.restart();
    expect(await notes()).to.have.length(118);
  });

  it("is kept anew when much has changed, not for each little thing", async () => {
    await open();
    await notes();
    await untilKept(1);
    await pod.put(nameOf(1), `<> <urn:x:says> "one" .`);
    await notes();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(events("query.index-kept")).to.have.length(1);
    for (let n = 0; n < 30; n++) await pod.put(nameOf(n), `<> <urn:x:says> "new ${n}" .`);
    expect(await notes()).to.have.length(90);
    await untilKept(2);
    await pod.restart();
    expect(await notes()).to.have.length(90);
  });

  it("is read from the documents where what was kept cannot be opened", async () => {
    await open();
    await notes();
    await untilKept(1);
    const { store, pod: held } = pod;
    const kept = createKeptIndexes(
      store,
      createLog(
        () => {},
        () => new Date(),
      ),
    );
    for (const damage of [
      (bytes: Uint8Array) => bytes.fill(7, 40),
      (bytes: Uint8Array) => bytes.subarray(0, 100),
      (bytes: Uint8Array) => bytes.fill(9, 0, 12),
    ]) {
      const before = (await store.read(held.id, (snapshot) => kept.read(snapshot)))!;
      const mark = await store.read(held.id, (snapshot) => kept.mark(snapshot));
      const packed = damage(Uint8Array.from(before.packed));
      expect(await kept.keep(held.id, mark, { ...before, packed })).to.equal(true);
      await pod.restart();
      log.length = 0;
      expect(await notes()).to.have.length(120);
      await untilKept(1);
    }
  });

  it("comes from another thread's memory", async function () {
    if (availableParallelism() < 2) this.skip(); // One thread for all.
    await open({ queriesRunningMax: 2 });
    await notes();
    await untilKept(1);
    const both = await Promise.all([
      notes(),
      notes("https://carl.example/#me"),
      notes(),
      notes("https://carl.example/#me"),
    ]);
    for (const found of both) expect(found).to.have.length(120);
    expect(log.join("")).to.include(`"from":"shared"`).and.not.include(`"from":"packed"`);
  });

  it("answers as well where nothing can be kept in memory or on disk", async () => {
    await open({ queryIndexBytesMax: 1_000 });
    for (let round = 0; round < 3; round++) {
      expect(await notes()).to.have.length(120);
      await pod.put(nameOf(round), `<> <urn:x:says> "a", "b" .`);
    }
    await pod.restart();
    expect(await notes()).to.have.length(120);
  });
});
