import { expect } from "chai";
import { withChanges } from "../../server/store/changes.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import type { PodId } from "../../server/store/store.ts";

const VALUE = new Uint8Array([1]);

describe("what the last commits wrote", () => {
  async function open() {
    const engine = createMemoryStore();
    const { store, changes } = withChanges(engine);
    const pod = await store.createPod();
    const put = (on: typeof store, item: string): Promise<{ readonly generation: number }> =>
      on.write(pod, async (transaction) => transaction.put("body", item, "", VALUE));
    const between = (after: number, upTo: number): string[] | null =>
      changes(pod, after, upTo)?.map(({ table, group }) => `${table} ${group}`) ?? null;
    return { engine, store, pod, put, between, changes };
  }

  it("is known from any of them up to any later one", async () => {
    const { store, put, between } = await open();
    const { generation: first } = await put(store, "a");
    await put(store, "b");
    const { generation: last } = await put(store, "c");
    expect(between(first - 1, last)).to.deep.equal(["body a", "body b", "body c"]);
    expect(between(first, last)).to.deep.equal(["body b", "body c"]);
    expect(between(last, last)).to.deep.equal([]);
    expect(between(first - 1, first)).to.deep.equal(["body a"]);
  });

  it("is not claimed for what came before, for what is not there yet, and backwards", async () => {
    const { store, pod, put, between, changes } = await open();
    const { generation: first } = await put(store, "a");
    expect(between(first - 2, first)).to.equal(null);
    expect(between(first, first + 1)).to.equal(null);
    expect(between(first, first - 1)).to.equal(null);
    expect(changes("0".repeat(31).concat("1") as PodId, 0, 0)).to.equal(null);
    await store.erasePod(pod);
    expect(between(first - 1, first)).to.equal(null);
  });

  it("is not claimed over a commit that somebody else made", async () => {
    const { engine, store, put, between } = await open();
    const { generation: first } = await put(store, "a");
    await put(engine, "theirs");
    const { generation: last } = await put(store, "c");
    expect(between(first, last)).to.equal(null);
    expect(between(first - 1, last)).to.equal(null);
    expect(between(last - 1, last)).to.deep.equal(["body c"]);
  });

  it("is forgotten after very many commits, and after a very large one", async () => {
    const { store, pod, put, between } = await open();
    const { generation: first } = await put(store, "a");
    let last = first;
    for (let n = 0; n < 400; n++) last = (await put(store, `${n}`)).generation;
    expect(between(first, last)).to.equal(null);
    expect(between(last - 100, last)?.length).to.equal(100);
    await store.write(pod, async (transaction) => {
      for (let n = 0; n < 2_500; n++) transaction.put("body", `${n}`, "", VALUE);
    });
    expect(between(last, last + 1)).to.equal(null);
  });

  it("has nothing of a transaction that wrote nothing, or that failed", async () => {
    const { store, pod, put, between } = await open();
    const { generation: first } = await put(store, "a");
    await store.write(pod, async (transaction) => transaction.record(VALUE));
    await store
      .write(pod, async (transaction) => {
        transaction.put("body", "never", "", VALUE);
        throw new Error("no");
      })
      .catch(() => null);
    const { generation: last } = await put(store, "b");
    expect(between(first, last)).to.deep.equal(["body b"]);
  });
});
