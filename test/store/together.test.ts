/** Commits that the writer takes together are what they would be one by one: each in its turn, on what the last one left. */
import { expect } from "chai";
import fc from "fast-check";
import type { PodId, Store } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

describe("commits of one turn", () => {
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let pod: PodId;

  beforeEach(async () => {
    temporary = await temporaryFolder();
    store = await openStoreIn(temporary.folder);
    pod = await store.createPod();
  });
  afterEach(async () => {
    await store.close();
    await temporary.remove();
  });

  async function stored(): Promise<ReadonlyMap<string, readonly [number, string]>> {
    return store.read(pod, async (snapshot) => {
      const found = new Map<string, readonly [number, string]>();
      for await (const { group, version, value } of snapshot.all("stamp"))
        found.set(group, [version, Buffer.from(value).toString()]);
      return found;
    });
  }

  it("leave at each place what the last of them wrote there, with its version, and the pod counts right", async () => {
    const write = fc.record({ name: fc.constantFrom("a", "b", "c"), puts: fc.boolean() });
    const turn = fc.array(fc.array(write, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 3 }), async (turns) => {
        const expected = new Map(await stored());
        for (const commits of turns) {
          const done = await Promise.all(
            commits.map((writes, at) =>
              store.write(pod, async (transaction) => {
                for (const { name, puts } of writes)
                  if (puts) transaction.put("stamp", name, "", Buffer.from(`${at}`));
                  else transaction.delete("stamp", name, "");
              }),
            ),
          );
          const inOrder = done.map(({ generation }, at) => ({ generation, at }));
          for (const { generation, at } of inOrder.sort((a, b) => a.generation - b.generation))
            for (const { name, puts } of commits[at] ?? [])
              if (puts) expected.set(name, [generation, `${at}`]);
              else expected.delete(name);
        }
        await store.close();
        store = await openStoreIn(temporary.folder); // Nothing is remembered: it is read from disk, and counted.
        expect(await stored()).to.deep.equal(expected);
      }),
      { numRuns: 15 },
    );
  });

  it("are held against what those before them wrote, in lists as well", async () => {
    const runs = { list: 0, get: 0, beside: 0 };
    const put = (name: string): Promise<unknown> =>
      store.write(pod, async (transaction) =>
        transaction.put("resource", "/folder/", name, Buffer.from(name)),
      );
    const counted = (name: keyof typeof runs, look: "list" | "get" | "beside"): Promise<unknown> =>
      store.write(pod, async (transaction) => {
        runs[name]++;
        if (look === "list") await Array.fromAsync(transaction.list("resource", "/folder/"));
        else await transaction.get("resource", look === "get" ? "/folder/" : "/elsewhere/", "new");
        transaction.put("stamp", name, "", Buffer.from(name));
      });
    await put("old");
    await Promise.all([
      put("new"),
      counted("list", "list"),
      counted("get", "get"),
      counted("beside", "beside"),
    ]);
    expect(runs).to.deep.equal({ list: 2, get: 2, beside: 1 });
  });

  it("that find the pod full are left out whole: what was written before them stays", async () => {
    const most = { bytes: 100, resources: 10 };
    const write = (bytes: number, text: string): Promise<unknown> =>
      store.write(pod, async (transaction) => {
        transaction.put("stamp", "same", "", Buffer.from(text));
        transaction.use({ bytes, resources: 0 }, most);
      });
    const [first, second] = await Promise.allSettled([write(60, "first"), write(60, "second")]);
    expect(first.status).to.equal("fulfilled");
    expect(second.status).to.equal("rejected");
    expect((await stored()).get("same")?.[1]).to.equal("first");
    expect(await store.usage(pod)).to.deep.equal({ bytes: 60, resources: 0 });
  });
});
