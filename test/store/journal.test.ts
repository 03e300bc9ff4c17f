/** The journal and the usage counters of the port, on every engine: nothing is lost, nothing counted twice. */
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { type PodId, SERVER_POD, type Store, type Usage } from "../../server/store/store.ts";
import { ENGINES, openTestStore, type TestStore } from "../support/store.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (entry: Uint8Array | null): string | null => entry && new TextDecoder().decode(entry);
const ROOMY: Usage = { bytes: 1_000_000, resources: 1_000_000 };

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "nothing was refused";
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
}

const record = (store: Store, pod: PodId, ...entries: string[]): Promise<unknown> =>
  store.write(pod, async (transaction) => {
    for (const entry of entries) transaction.record(bytes(entry));
  });

for (const engine of ENGINES) {
  describe(`a pod's journal (${engine})`, () => {
    let test: TestStore;
    let store: Store;
    let pod: PodId;
    beforeEach(async () => {
      test = await openTestStore(engine);
      store = test.store;
      pod = await store.createPod();
    });
    afterEach(() => test.dispose());

    it("is empty at first, and its head is zero", async () => {
      expect(await store.journal.read(pod, 0, 10)).to.deep.equal([]);
      const head = await store.journal.head(pod);
      expect(head.number).to.equal(0);
      expect(Buffer.from(head.hash).toString("hex")).to.equal("00".repeat(32));
    });

    it("keeps entries in the order of commits, and of calls within one", async () => {
      await record(store, pod, "one", "two");
      await record(store, pod, "three");
      const rows = await store.journal.read(pod, 0, 10);
      expect(rows.map(({ number, entry }) => [number, textOf(entry)])).to.deep.equal([
        [1, "one"],
        [2, "two"],
        [3, "three"],
      ]);
      expect((await store.journal.read(pod, 1, 1)).map(({ entry }) => textOf(entry))).to.deep.equal(["two"]);
      expect((await store.journal.head(pod)).number).to.equal(3);
    });

    it("gives the caller's bytes their own life", async () => {
      const entry = bytes("as it was");
      await store.write(pod, async (transaction) => {
        transaction.record(entry);
        entry.fill(0);
      });
      expect(textOf((await store.journal.read(pod, 0, 1))[0]?.entry ?? null)).to.equal("as it was");
    });

    it("records nothing of work that failed, and nothing twice of work that ran twice", async () => {
      const failed = store.write(pod, async (transaction) => {
        transaction.record(bytes("never"));
        throw new Error("changed my mind");
      });
      expect(await codeOf(failed)).to.equal("Error: changed my mind");
      const increment = store.write.bind(store);
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          increment(pod, async (transaction) => {
            const before = await transaction.get("setting", "", "counter");
            transaction.put(
              "setting",
              "",
              "counter",
              bytes(String(Number(textOf(before?.value ?? null) ?? 0) + 1)),
            );
            transaction.record(bytes(`by ${index}`));
          }),
        ),
      );
      const rows = await store.journal.read(pod, 0, 100);
      expect(rows.map(({ entry }) => textOf(entry))).to.have.members(
        Array.from({ length: 20 }, (_, index) => `by ${index}`),
      );
      const counter = await store.read(pod, (snapshot) => snapshot.get("setting", "", "counter"));
      expect(textOf(counter?.value ?? null)).to.equal("20");
    });

    it("does not move the pod's generation when nothing else is written", async () => {
      const { generation } = await store.write(pod, async (transaction) =>
        transaction.put("setting", "", "a", bytes("1")),
      );
      const recorded = await store.write(pod, async (transaction) => transaction.record(bytes("a look")));
      expect(recorded.generation).to.equal(generation);
      const entry = await store.read(pod, (snapshot) => snapshot.get("setting", "", "a"));
      expect(entry?.version).to.equal(generation);
    });

    it("is each pod's own", async () => {
      const other = await store.createPod();
      await record(store, pod, "mine");
      await record(store, SERVER_POD, "the server's");
      expect(await store.journal.read(other, 0, 10)).to.deep.equal([]);
      await store.erasePod(pod);
      expect(await codeOf(store.journal.read(pod, 0, 10))).to.equal("not-found");
    });

    it("is whole when nothing was done to it, also against heads that were known earlier", async () => {
      await record(store, pod, "one");
      const early = await store.journal.head(pod);
      await record(store, pod, "two", "three");
      const late = await store.journal.head(pod);
      expect(await store.journal.verify(pod, [early, late])).to.deep.equal({
        entries: 3,
        forgotten: [],
        faults: [],
      });
    });

    it("is at fault against a head that it never had, or has lost", async () => {
      await record(store, pod, "one", "two");
      const { hash } = await store.journal.head(pod);
      const wrong = await store.journal.verify(pod, [{ number: 1, hash }]);
      expect(wrong.faults).to.have.lengthOf(1);
      expect(wrong.faults[0]).to.match(/^Up to entry 1 /);
      const lost = await store.journal.verify(pod, [{ number: 3, hash }]);
      expect(lost.faults).to.deep.equal(["A signed head names entry 3, which is not there"]);
    });

    it("forgets what an entry said and stays whole", async () => {
      await record(store, pod, "one", "a secret", "three");
      const head = await store.journal.head(pod);
      await store.journal.forget(pod, [2]);
      const rows = await store.journal.read(pod, 0, 10);
      expect(rows.map(({ entry }) => textOf(entry))).to.deep.equal(["one", null, "three"]);
      expect(rows[1]?.salt).to.equal(null);
      expect(await store.journal.head(pod)).to.deep.equal(head);
      expect(await store.journal.verify(pod, [head])).to.deep.equal({
        entries: 3,
        forgotten: [2],
        faults: [],
      });
    });
  });

  describe(`what a pod holds (${engine})`, () => {
    let test: TestStore;
    let store: Store;
    let pod: PodId;
    beforeEach(async () => {
      test = await openTestStore(engine);
      store = test.store;
      pod = await store.createPod();
    });
    afterEach(() => test.dispose());
    const use = (change: Usage, most: Usage = ROOMY): Promise<unknown> =>
      store.write(pod, async (transaction) => transaction.use(change, most));

    it("is nothing at first, and then the sum of all changes", async () => {
      expect(await store.usage(pod)).to.deep.equal({ bytes: 0, resources: 0 });
      await use({ bytes: 100, resources: 2 });
      await store.write(pod, async (transaction) => {
        transaction.use({ bytes: 50, resources: 1 }, ROOMY);
        transaction.use({ bytes: -20, resources: -1 }, ROOMY);
      });
      expect(await store.usage(pod)).to.deep.equal({ bytes: 130, resources: 2 });
    });

    it("may reach the quota, and not pass it by a byte or a document", async () => {
      const most = { bytes: 100, resources: 2 };
      await use({ bytes: 100, resources: 2 }, most);
      expect(await codeOf(use({ bytes: 1, resources: 0 }, most))).to.equal("quota-exceeded");
      expect(await codeOf(use({ bytes: 0, resources: 1 }, most))).to.equal("quota-exceeded");
      expect(await store.usage(pod)).to.deep.equal(most);
    });

    it("can shrink even when it is over its quota", async () => {
      await use({ bytes: 500, resources: 5 });
      await use({ bytes: -10, resources: 0 }, { bytes: 100, resources: 1 });
      expect(await store.usage(pod)).to.deep.equal({ bytes: 490, resources: 5 });
    });

    it("counts nothing of a write that was refused, and writes nothing of it", async () => {
      const refused = store.write(pod, async (transaction) => {
        transaction.put("setting", "", "a", bytes("1"));
        transaction.record(bytes("never"));
        transaction.use({ bytes: 2, resources: 0 }, { bytes: 1, resources: 0 });
      });
      expect(await codeOf(refused)).to.equal("quota-exceeded");
      expect(await store.usage(pod)).to.deep.equal({ bytes: 0, resources: 0 });
      expect(await store.read(pod, (snapshot) => snapshot.get("setting", "", "a"))).to.equal(null);
      expect((await store.journal.head(pod)).number).to.equal(0);
    });

    it("is exact when many fill the last bytes at once", async () => {
      const most = { bytes: 1_000, resources: 1_000 };
      const outcomes = await Promise.all(
        Array.from({ length: 64 }, () => codeOf(use({ bytes: 30, resources: 1 }, most))),
      );
      expect(outcomes.filter((outcome) => outcome === "nothing was refused")).to.have.lengthOf(33);
      expect(outcomes.filter((outcome) => outcome === "quota-exceeded")).to.have.lengthOf(31);
      expect(await store.usage(pod)).to.deep.equal({ bytes: 990, resources: 33 });
    });
  });
}
