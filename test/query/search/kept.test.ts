/** The words of a pod's texts are kept with its quads: sealed, forgotten with them, and found again by another server. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { LIMITS } from "../../../server/limits.ts";
import { createLog } from "../../../server/log.ts";
import { createKeptIndexes, type KeptIndex } from "../../../server/query/index/kept.ts";
import { unpackIndex } from "../../../server/query/index/pack.ts";
import { createTestPod, type TestPod, UNION } from "../fixture.ts";

const log = createLog(
  () => undefined,
  () => new Date(),
  "error",
);
const SEARCH = `SELECT ?text FROM <${UNION}> { ?text <https://w3id.org/freehold/ns#matches> "zeppelin" }`;

describe("search: what is kept on disk", () => {
  let pod: TestPod;
  before(async () => {
    const documents = Object.fromEntries(
      Array.from({ length: 40 }, (_, number) => [
        `notes/${number}`,
        `<#it> <https://schema.org/text> "Note ${number} of a ${number % 10 === 0 ? "zeppelin" : "balloon"}" .`,
      ]),
    );
    pod = await createTestPod(documents, () => true, { limits: { ...LIMITS, queryIndexRestMs: 1 } });
  });
  after(() => pod.close());

  const kept = (): Promise<KeptIndex | null> =>
    pod.store.read(pod.pod.id, (snapshot) => createKeptIndexes(pod.store, log).read(snapshot));
  /** Waits for what is done when nobody waits. */
  async function keptWith(isWanted: (index: KeptIndex) => boolean): Promise<KeptIndex> {
    for (let tries = 0; tries < 200; tries++) {
      const index = await kept();
      if (index && isWanted(index)) return index;
      await sleep(20);
    }
    throw new Error("never kept");
  }
  const textsIn = ({ packed, documents }: KeptIndex) =>
    unpackIndex(packed, new Uint32Array(documents.length))!.texts;

  it("no words before anybody has searched", async () => {
    await pod.values(`SELECT ?s FROM <${UNION}> { ?s ?p ?o }`, "s");
    expect(textsIn(await keptWith(() => true))).to.equal(null);
  });

  it("the words afterwards, though no document has changed", async () => {
    expect((await pod.values(SEARCH, "text")).length).to.equal(4);
    const index = await keptWith((found) => textsIn(found) !== null);
    const { heap } = textsIn(index)!;
    expect(Buffer.from(heap).toString()).to.include("zeppelin");
  });

  it("another server finds with them, and what was written since", async () => {
    await pod.restart();
    await pod.put("notes/1", `<#it> <https://schema.org/text> "Now a zeppelin too" .`);
    await pod.put("notes/0", null);
    expect(await pod.values(SEARCH, "text")).to.deep.equal([
      "Note 10 of a zeppelin",
      "Note 20 of a zeppelin",
      "Note 30 of a zeppelin",
      "Now a zeppelin too",
    ]);
  });

  it("nothing after all was forgotten", async () => {
    await pod.queries.purge(pod.pod.id);
    expect(await kept()).to.equal(null);
  });
});
