/** What the store knows to be absent without a look is absent: in every state, and whatever is written meanwhile. */
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { LookupKey } from "../../server/store/sealed/seal.ts";
import { createAbsences } from "../../server/store/sqlite/absences.ts";
import type { PodId, Snapshot, Store } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const key = (): LookupKey => randomBytes(16).toString("latin1") as LookupKey;
const ana = "a".repeat(32) as PodId;
const ben = "b".repeat(32) as PodId;

describe("known absences", () => {
  it("miss none of 20,000 records, and take few others for one", () => {
    const absences = createAbsences();
    const begun = absences.begin(ana);
    absences.expect(ana, 5_000); // Fewer than come.
    const places = Array.from({ length: 20_000 }, (_, at) => [1 + (at % 20), key(), key()] as const);
    for (const place of places) absences.note(ana, ...place);
    absences.complete(begun);
    expect(places.every((place) => absences.mayHave(absences.of(ana), ...place))).to.equal(true);
    const others = Array.from({ length: 20_000 }, () => [3, key(), key()] as const);
    const taken = others.filter((place) => absences.mayHave(absences.of(ana), ...place)).length;
    expect(taken).to.be.below(400);
    const none = "\0".repeat(16) as LookupKey; // The only record of its group.
    absences.note(ana, 2, places[0]![1], none);
    expect(absences.mayHave(absences.of(ana), 2, places[0]![1], none)).to.equal(true);
  });

  it("say nothing of a pod that is not counted, is being counted, or was dropped", () => {
    const absences = createAbsences();
    expect(absences.mayHave(absences.of(ana), 1, key(), key())).to.equal(true);
    const begun = absences.begin(ana);
    expect(absences.mayHave(absences.of(ana), 1, key(), key())).to.equal(true);
    absences.complete(begun);
    expect(absences.mayHave(absences.of(ana), 1, key(), key())).to.equal(false);
    expect(absences.mayHave(absences.of(ben), 1, key(), key())).to.equal(true);
    absences.drop(ana);
    expect(absences.mayHave(absences.of(ana), 1, key(), key())).to.equal(true);
  });

  it("are whole only for the count that was completed: one that began before a load completes no later one", () => {
    const absences = createAbsences();
    const before = absences.begin(ana);
    const place = [1, key(), key()] as const;
    absences.drop(ana);
    const after = absences.begin(ana);
    absences.complete(before);
    expect(absences.mayHave(absences.of(ana), ...place)).to.equal(true);
    expect(absences.mayHave(before, ...place)).to.equal(true);
    absences.complete(after);
    expect(absences.mayHave(absences.of(ana), ...place)).to.equal(false);
  });

  describe("in a store", () => {
    let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
    let store: Store;
    let pod: PodId;
    const put = (...names: string[]): Promise<unknown> =>
      store.write(pod, async (transaction) => {
        for (const name of names) transaction.put("body", name, "", Buffer.from(name));
      });
    const has = async (snapshot: Snapshot, name: string): Promise<boolean> =>
      (await snapshot.get("body", name, "")) !== null;
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await openStoreIn(temporary.folder);
    };

    beforeEach(async () => {
      temporary = await temporaryFolder();
      store = await openStoreIn(temporary.folder);
      pod = await store.createPod();
    });
    afterEach(async () => {
      await store.close();
      await temporary.remove();
    });

    it("agree with what is there: new, after a restart, proved again, deleted and written again", async () => {
      for (let round = 0; round < 3; round++) {
        for (let n = 0; n < 40; n++) await put(`${round} ${n}`);
        if (round === 1) await reopen();
        if (round === 2) await Promise.all([store.prove?.(pod), put("beside"), put("beside too")]);
        await store.write(pod, async (transaction) => transaction.delete("body", `${round} 7`, ""));
        for (let n = 0; n < 45; n++)
          expect(await store.read(pod, (snapshot) => has(snapshot, `${round} ${n}`))).to.equal(
            n < 40 && n !== 7,
          );
        await put(`${round} 7`);
        expect(await store.read(pod, (snapshot) => has(snapshot, `${round} 7`))).to.equal(true);
      }
      expect(await store.read(pod, (snapshot) => has(snapshot, "beside"))).to.equal(true);
    });

    it("never mix two states: of two that come together one is not seen without the other", async () => {
      for (let n = 0; n < 50; n++) {
        const [one, other] = [`${n} one`, `${n} other`];
        const wait = Promise.withResolvers<void>();
        let runs = 0;
        const reading = store.read(pod, async (snapshot) => {
          const first = await has(snapshot, one);
          if (runs++ === 0) await wait.promise;
          return [first, await has(snapshot, other)];
        });
        await put(one, other);
        wait.resolve();
        const [first, second] = await reading;
        expect(second).to.equal(first);
      }
    });

    it("are those of the state that is read, also while a backup takes its place", async () => {
      const names = Array.from({ length: 20 }, (_, n) => `later ${n}`);
      await put("first", "second");
      const held = await store.copy([pod], async (copy) => ({
        storeId: copy.storeId,
        pods: copy.pods,
        rows: structuredClone(await Array.fromAsync(copy.rows())),
      }));
      await put(...names);
      await reopen(); // So that nothing is cached, and the first look is into the database.
      const wait = Promise.withResolvers<void>();
      const looked = Promise.withResolvers<void>();
      const reading = store.read(pod, async (snapshot) => {
        expect(await has(snapshot, "first")).to.equal(true);
        looked.resolve();
        await wait.promise;
        return Promise.all(names.map((name) => has(snapshot, name)));
      });
      await looked.promise;
      await store.load({
        ...held,
        async *rows() {
          yield* held.rows;
        },
        async *blobs() {},
      });
      expect(await store.read(pod, (snapshot) => has(snapshot, names[0]!))).to.equal(false);
      wait.resolve();
      expect(await reading).to.deep.equal(names.map(() => true));
    });

    it("are read by a transaction like all else: what came meanwhile makes it run anew", async () => {
      let runs = 0;
      const { result } = await store.write(pod, async (transaction) => {
        const before = await has(transaction, "wanted");
        if (runs++ === 0) await put("wanted");
        transaction.put("body", "made", "", Buffer.from(String(before)));
        return before;
      });
      expect([runs, result]).to.deep.equal([2, true]);
    });
  });
});
