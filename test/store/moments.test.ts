/** The moment when a commit is on disk, and visible there, but its answer has not come back: what may be seen of it, and by whom. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import type { Entry, PodId, Snapshot, Store, Transaction } from "../../server/store/store.ts";
import { openTestStore, type TestStore } from "../support/store.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (entry: Entry | null): string | null => entry && new TextDecoder().decode(entry.value);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function collect(entries: AsyncIterable<Entry>): Promise<string> {
  const found: string[] = [];
  for await (const entry of entries) found.push(`${entry.item}=${text(entry)}`);
  return found.sort().join(" ");
}

describe("between the disk and the answer", () => {
  let test: TestStore;
  let store: Store;
  let ana: PodId;
  let watcher: DatabaseSync;

  beforeEach(async () => {
    test = await openTestStore("sqlite");
    ({ store } = test);
    ana = await store.createPod();
    watcher = new DatabaseSync(join(test.folder ?? "", "freehold.db"), { readOnly: true });
    await store.write(ana, async (transaction) => {
      for (const [group, item] of [
        ["g", "x"],
        ["g", "y"],
        ["h", "z"],
        ["far", "a"],
        ["far", "b"],
      ] as const)
        transaction.put("body", group, item, bytes("old"));
    });
  });
  afterEach(async () => {
    watcher.close();
    await test.dispose();
  });

  const generationOnDisk = (): number =>
    Number(
      watcher.prepare("SELECT generation FROM pod WHERE pod_id = ?").get(Buffer.from(ana, "hex"))?.[
        "generation"
      ],
    );

  /**
   * Commits, and stands still until that is on disk. Up to the next turn of the event loop the answer is not read:
   * what only awaits reads of the store runs in exactly that moment.
   */
  async function commitUnheard(
    work: (transaction: Transaction) => void,
  ): Promise<{ readonly answered: Promise<unknown> }> {
    const before = generationOnDisk();
    const answered = store.write(ana, async (transaction) => work(transaction));
    const until = Date.now() + 5_000;
    for (let n = 0; n < 100; n++) await Promise.resolve(); // Until it waits for the end of this turn …
    await turn(); // … when all is sent.
    while (generationOnDisk() === before && Date.now() < until)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return { answered };
  }

  const get = (snapshot: Snapshot, group: string, item: string): Promise<string | null> =>
    snapshot.get("body", group, item).then(text);
  const read = <T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> => store.read(ana, work);
  /** Looks into the database as it is at this moment: a page is never from the cache. */
  const lookOnDisk = (snapshot: Snapshot): Promise<unknown> => snapshot.page("body", "nowhere", null, 1);

  const changes = (transaction: Transaction): void => {
    transaction.put("body", "g", "x", bytes("new"));
    transaction.put("body", "g", "n", bytes("new"));
    transaction.delete("body", "g", "y");
    transaction.put("body", "h", "z", bytes("new"));
  };

  for (const [name, warm, look, old, fresh] of [
    [
      "a record",
      async (s: Snapshot) => get(s, "g", "x"),
      async (s: Snapshot) => get(s, "g", "x"),
      "old",
      "new",
    ],
    [
      "a deletion",
      async (s: Snapshot) => get(s, "g", "y"),
      async (s: Snapshot) => get(s, "g", "y"),
      "old",
      null,
    ],
    [
      "a record of a group that is known whole",
      async (s: Snapshot) => collect(s.list("body", "g")),
      async (s: Snapshot) => get(s, "g", "x"),
      "old",
      "new",
    ],
    [
      "a list",
      async (s: Snapshot) => collect(s.list("body", "g")),
      async (s: Snapshot) => collect(s.list("body", "g")),
      "x=old y=old",
      "n=new x=new",
    ],
    ["a table", async () => null, async (s: Snapshot) => collect(s.all("body")), null, null],
  ] as const) {
    it(`what one read has told of ${name}, later reads do not take back`, async () => {
      await read(warm);
      const { answered } = await commitUnheard(changes);
      const first = await read(async (snapshot) => {
        await lookOnDisk(snapshot);
        return look(snapshot);
      });
      const second = await read(look);
      const other = await read((snapshot) => get(snapshot, "h", "z"));
      const third = await read(look);
      if (fresh !== null || old !== null) expect(first).to.be.oneOf([old, fresh]);
      expect([second, third]).to.deep.equal([first, first]);
      if (first === fresh) expect(other, "of the same commit").to.equal("new");
      await answered;
    });
  }

  it("nor does a transaction that wrote nothing, or was refused for what it saw", async () => {
    await read((snapshot) => collect(snapshot.list("body", "g")));
    const { answered } = await commitUnheard(changes);
    const refusal = await store
      .write(ana, async (transaction) => {
        await lookOnDisk(transaction);
        throw new Error((await get(transaction, "h", "z")) ?? "");
      })
      .catch((error: unknown) => (error as Error).message);
    expect(await read((snapshot) => get(snapshot, "g", "x"))).to.equal(refusal);
    expect(await read((snapshot) => collect(snapshot.list("body", "g")))).to.equal(
      refusal === "new" ? "n=new x=new" : "x=old y=old",
    );
    await answered;
  });

  it("a read sees all of a commit or nothing, wherever the look into the database falls", async () => {
    const looks = [
      (s: Snapshot) => get(s, "g", "x"),
      (s: Snapshot) => get(s, "g", "y").then((value) => (value === null ? "new" : "old")),
      (s: Snapshot) => get(s, "g", "n").then((value) => value ?? "old"),
      (s: Snapshot) => get(s, "h", "z"),
      (s: Snapshot) => collect(s.list("body", "g")).then((all) => (all === "n=new x=new" ? "new" : all)),
    ];
    for (let place = 0; place <= looks.length; place++) {
      for (const warm of [true, false]) {
        await store.write(ana, async (transaction) => {
          transaction.put("body", "g", "x", bytes("old"));
          transaction.put("body", "g", "y", bytes("old"));
          transaction.delete("body", "g", "n");
          transaction.put("body", "h", "z", bytes("old"));
        });
        if (warm) await read((snapshot) => collect(snapshot.list("body", "g")));
        const { answered } = await commitUnheard(changes);
        const seen = await read(async (snapshot) => {
          const values: (string | null)[] = [];
          for (const [index, look] of looks.entries()) {
            if (index === place) await lookOnDisk(snapshot);
            values.push(await look(snapshot));
          }
          return values;
        });
        if (seen[0] === "new") expect(seen).to.deep.equal(["new", "new", "new", "new", "new"]);
        else expect(seen).to.deep.equal(["old", "old", "old", "old", "x=old y=old"]);
        await answered;
      }
    }
  });

  it("whoever has read the generation sees that one, for derived things are kept by it", async () => {
    await read((snapshot) => get(snapshot, "h", "z"));
    const { answered } = await commitUnheard(changes);
    const [told, value, after] = await read(async (snapshot) => {
      const { generation } = snapshot;
      await lookOnDisk(snapshot);
      return [generation, await get(snapshot, "g", "x"), snapshot.generation];
    });
    expect(after).to.equal(told);
    expect(value).to.equal(told === 1 ? "old" : "new");
    await answered;
  });

  it("a commit in the middle of a read does not disturb what it reads elsewhere", async () => {
    await read((snapshot) => get(snapshot, "far", "a"));
    let runs = 0;
    const { answered } = await commitUnheard(changes);
    const seen = await read(async (snapshot) => {
      runs++;
      const near = await get(snapshot, "far", "a");
      await lookOnDisk(snapshot);
      return [near, await get(snapshot, "far", "b"), await get(snapshot, "g", "x")];
    });
    expect(seen).to.deep.equal(["old", "old", "new"]);
    expect(runs).to.equal(1);
    await answered;
    expect(await read((snapshot) => get(snapshot, "far", "b"))).to.equal("old");
  });

  it("nothing can be written through a transaction that is over", async () => {
    let kept: Transaction | null = null;
    const { answered } = await commitUnheard((transaction) => {
      kept = transaction;
      transaction.put("body", "g", "x", bytes("new"));
    });
    expect(() => kept?.put("body", "h", "z", bytes("late"))).to.throw("after its end");
    expect(() => kept?.delete("body", "h", "z")).to.throw("after its end");
    await answered;
    expect(await read((snapshot) => get(snapshot, "h", "z"))).to.equal("old");
  });

  it("a younger read that found more does not disturb one that began before", async () => {
    for (const younger of [
      (s: Snapshot) => get(s, "g", "x"),
      (s: Snapshot) => get(s, "g", "n"),
      (s: Snapshot) => collect(s.list("body", "g")),
    ]) {
      for (const warm of [true, false]) {
        ana = await store.createPod(); // Of which the cache knows no group whole.
        await store.write(ana, async (transaction) => {
          for (const item of ["x", "y"]) transaction.put("body", "g", item, bytes("old"));
        });
        if (warm) await read((snapshot) => collect(snapshot.list("body", "g")));
        let isFirst = true;
        const pending: Promise<unknown>[] = [];
        const seen = await read(async (snapshot) => {
          const before = await get(snapshot, "g", "x");
          if (isFirst) {
            isFirst = false;
            pending.push((await commitUnheard(changes)).answered);
            await read(async (other) => [await lookOnDisk(other), await younger(other)]);
          }
          return [before, await collect(snapshot.list("body", "g"))];
        });
        await Promise.all(pending);
        expect(seen).to.be.deep.oneOf([
          ["old", "x=old y=old"],
          ["new", "n=new x=new"],
        ]);
        expect(await read((snapshot) => collect(snapshot.list("body", "g")))).to.equal("n=new x=new");
      }
    }
  });

  it("what the cache forgot after a read had seen it counts as changed", async () => {
    const small = await openTestStore("sqlite", { limits: { recordCacheBytesMax: 6_000 } });
    const pod = await small.store.createPod();
    const put = (group: string, value: string): Promise<unknown> =>
      small.store.write(pod, async (transaction) => {
        transaction.put("body", group, "", bytes(value));
        if (group === "mine") transaction.put("body", "twin", "", bytes(value));
      });
    await put("mine", "old");
    await small.store.read(pod, (snapshot) => get(snapshot, "mine", "")); // Now the cache knows it.
    let runs = 0;
    const seen = await small.store.read(pod, async (snapshot) => {
      runs++;
      const first = await get(snapshot, "mine", "");
      if (runs === 1) {
        for (let n = 0; n < 20; n++) await put(`other ${n}`, "x".repeat(200));
        await put("mine", "new");
        for (let n = 0; n < 20; n++) await put(`other ${n}`, "y".repeat(200));
      }
      return [first, await get(snapshot, "twin", "")];
    });
    await small.dispose();
    expect(seen).to.deep.equal(["new", "new"]);
    expect(runs).to.equal(2);
  });
});
