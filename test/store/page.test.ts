/** Reading a group page by page, and stopping early: what is too large to be read at once, in every engine. */
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import type { Entry, Page, PodId, Snapshot, Store } from "../../server/store/store.ts";
import { ENGINES, openTestStore, type TestStore } from "../support/store.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = ({ value }: Entry): string => new TextDecoder().decode(value);

async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

for (const engine of ENGINES) {
  describe(`pages of a group in ${engine}`, () => {
    let test: TestStore;
    let store: Store;
    let ana: PodId;

    beforeEach(async () => {
      test = await openTestStore(engine);
      ({ store } = test);
      ana = await store.createPod();
    });
    afterEach(() => test.dispose());

    const fill = (items: readonly string[], group = "/x/"): Promise<unknown> =>
      store.write(ana, async (transaction) => {
        for (const item of items) transaction.put("resource", group, item, bytes(item));
      });
    const remove = (item: string): Promise<unknown> =>
      store.write(ana, async (transaction) => transaction.delete("resource", "/x/", item));
    const pageOf = (after: string | null, most: number, group = "/x/"): Promise<Page> =>
      store.read(ana, (snapshot) => snapshot.page("resource", group, after, most));

    /** Each page in a snapshot of its own; `between` runs after each. */
    async function walk(most: number, between?: (page: number) => Promise<unknown>): Promise<string[]> {
      const items: string[] = [];
      let after: string | null = null;
      for (let number = 0; ; number++) {
        const { entries, next }: Page = await pageOf(after, most);
        expect(entries.length).to.be.at.most(most);
        items.push(...entries.map(({ item }) => item));
        if (next === null) return items;
        expect(entries.length).to.equal(most);
        after = next;
        await between?.(number);
      }
    }
    const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `naïve ${n}.ttl`);

    it("brings everything once, whatever the size of a page", async () => {
      await fill(names(150));
      await fill(["elsewhere"], "/y/");
      const expected = names(150).sort();
      for (const most of [1, 7, 63, 64, 65, 149, 150, 151, 1_000])
        expect((await walk(most)).sort(), `${most} a page`).to.deep.equal(expected);
    });

    it("ends without a further page when the last one is full", async () => {
      await fill(names(10));
      expect((await pageOf(null, 10)).next).to.equal(null);
      expect((await pageOf(null, 9)).next).to.be.a("string");
      expect((await pageOf((await pageOf(null, 9)).next, 9)).entries).to.have.length(1);
    });

    it("of an empty group is one empty page", async () => {
      expect(await pageOf(null, 5)).to.deep.equal({ entries: [], next: null });
    });

    it("keeps its order, also when what is in it was read, changed, removed and made again", async () => {
      await fill(names(100));
      const before = await walk(30);
      await store.read(ana, async (snapshot) => {
        for await (const _ of snapshot.list("resource", "/x/"));
      });
      await remove(before[3] ?? "");
      await fill([before[3] ?? "", before[50] ?? ""]);
      expect(await walk(30)).to.deep.equal(before);
      expect(await walk(77)).to.deep.equal(before);
    });

    it("brings once what is there all the while, though others come and go between the pages", async () => {
      await fill(names(120));
      const first = await pageOf(null, 20);
      const seen = await walk(20, async (page) => {
        if (page === 0) await remove(first.entries.at(-1)?.item ?? ""); // The very place at which the next page begins.
        await fill([`new ${page}`]);
        await remove(`new ${page - 1}`);
      });
      expect(new Set(seen).size).to.equal(seen.length);
      expect(seen.filter((item) => !item.startsWith("new")).sort()).to.deep.equal(names(120).sort());
    });

    it("is of the snapshot's one state, whatever is committed meanwhile", async () => {
      await fill(names(40));
      let runs = 0;
      const seen = await store.read(ana, async (snapshot) => {
        runs++;
        const one = await snapshot.page("resource", "/x/", null, 20);
        if (runs === 1) {
          await fill(["late"]);
          await remove(names(40)[0] ?? "");
          await remove(names(40)[39] ?? "");
        }
        const two = await snapshot.page("resource", "/x/", one.next, 100);
        return [...one.entries, ...two.entries].map(({ item }) => item);
      });
      const later = ["late", ...names(40).slice(1, 39)];
      expect(seen.sort()).to.deep.equal((runs === 1 ? names(40) : later).sort());
    });

    it("shows what was just committed, with its version", async () => {
      await fill(["a", "b"]);
      await store.read(ana, (snapshot) => snapshot.get("resource", "/x/", "a"));
      const { generation } = await store.write(ana, async (transaction) =>
        transaction.put("resource", "/x/", "a", bytes("changed")),
      );
      const { entries } = await pageOf(null, 10);
      const changed = entries.find(({ item }) => item === "a");
      expect(changed && [text(changed), changed.version]).to.deep.equal(["changed", generation]);
    });

    it("refuses a place that no page of this group ended with", async () => {
      await fill(names(10));
      await fill(names(10), "/y/");
      const { next } = await pageOf(null, 4, "/y/");
      const ben = await store.createPod();
      expect(next).to.be.a("string");
      for (const after of ["", "x", "naïve 1.ttl", `${next}A`, `A${next}`, "A".repeat(500), next ?? ""])
        expect(await codeOf(pageOf(after, 4)), after).to.equal("input-invalid");
      if (engine !== "memory")
        expect(
          await codeOf(store.read(ben, (snapshot) => snapshot.page("resource", "/y/", next, 4))),
        ).to.equal("input-invalid");
      expect(await codeOf(pageOf(next, 4, "/y/"))).to.equal(null);
    });
  });

  describe(`transactions in ${engine} that stop reading early`, () => {
    let test: TestStore;
    let store: Store;
    let ana: PodId;
    beforeEach(async () => {
      test = await openTestStore(engine);
      ({ store } = test);
      ana = await store.createPod();
    });
    afterEach(() => test.dispose());

    const put = (...items: readonly string[]): Promise<unknown> =>
      store.write(ana, async (transaction) => {
        for (const item of items) transaction.put("resource", "/x/", item, bytes(item));
      });
    const firstOf = async (entries: AsyncIterable<Entry>): Promise<string | null> => {
      for await (const { item } of entries) return item;
      return null;
    };
    const ways: readonly (readonly [string, (snapshot: Snapshot) => AsyncIterable<Entry>])[] = [
      ["a group", (snapshot) => snapshot.list("resource", "/x/")],
      ["a table", (snapshot) => snapshot.all("resource")],
    ];
    for (const [name, read] of ways) {
      it(`run anew when the first of ${name} goes before they commit`, async () => {
        await put("a", "b", "c");
        const seen: (string | null)[] = [];
        const { result } = await store.write(ana, async (transaction) => {
          const first = await firstOf(read(transaction));
          seen.push(first);
          if (seen.length === 1)
            await store.write(ana, async (other) => other.delete("resource", "/x/", first ?? ""));
          transaction.put("setting", "first", "", bytes(first ?? ""));
          return first;
        });
        expect(seen.length).to.be.greaterThan(1);
        expect(result).not.to.equal(seen[0]);
      });

      it(`run anew when the first of ${name} changes before they commit`, async () => {
        await put("a", "b", "c");
        let runs = 0;
        await store.write(ana, async (transaction) => {
          const first = await firstOf(read(transaction));
          if (++runs === 1) await put(first ?? "");
          transaction.put("setting", "first", "", bytes(first ?? ""));
        });
        expect(runs).to.be.greaterThan(1);
      });

      it(`run anew when ${name} was empty and is no more`, async () => {
        const seen: (string | null)[] = [];
        await store.write(ana, async (transaction) => {
          seen.push(await firstOf(read(transaction)));
          if (seen.length === 1) await put("a");
          transaction.put("setting", "first", "", bytes("x"));
        });
        expect(seen).to.deep.equal([null, "a"]);
      });
    }
  });
}
