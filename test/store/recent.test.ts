/** What the writer remembers of the last commits decides as a look into the database would. */
import { expect } from "chai";
import fc from "fast-check";
import { createRecent } from "../../server/store/sqlite/recent.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const at = (...places: number[]) => places.map((place) => ({ place: `p${place}` }));

describe("the writer's memory of what was written lately", () => {
  it("knows what was written after any generation that it has seen, and says so of no other", () => {
    const writes = fc.array(fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(writes, fc.nat(40), fc.uniqueArray(fc.nat(9), { maxLength: 4 }), (commits, since, read) => {
        const recent = createRecent();
        commits.forEach((places, index) => recent.note("pod", 10 + index, at(...places)));
        const isOld = since + 5 < 9;
        const isTouched = commits.some(
          (places, index) => 10 + index > since + 5 && places.some((place) => read.includes(place)),
        );
        expect(recent.isUntouched("pod", since + 5, at(...read))).to.equal(isOld ? null : !isTouched);
        expect(recent.isUntouched("other", since + 5, at(...read))).to.equal(null);
        recent.forget("pod");
        expect(recent.isUntouched("pod", since + 5, at(...read))).to.equal(null);
      }),
    );
  });

  it("begins anew when it is full, and then leaves older ones to the database", () => {
    const recent = createRecent();
    for (let n = 1; n <= 30_000; n++) recent.note("pod", n, at(n));
    expect(recent.isUntouched("pod", 3, at(2))).to.equal(null);
    expect(recent.isUntouched("pod", 29_999, at(2))).to.equal(true);
    expect(recent.isUntouched("pod", 29_999, at(30_000))).to.equal(false);
  });

  it("holds no more than so much of many pods: what it has given up is left to the database", () => {
    const recent = createRecent();
    for (let n = 0; n < 200_000; n++) recent.note(`pod ${n % 1_000}`, 1 + Math.floor(n / 1_000), at(n));
    expect(recent.isUntouched("pod 7", 1, at(7))).to.equal(null);
    expect(recent.isUntouched("pod 7", 199, at(199_007))).to.equal(false);
  });

  describe("in a store", () => {
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
    const count = (name: string): Promise<unknown> =>
      store.write(pod, async (transaction) => {
        const entry = await transaction.get("body", name, "");
        const before = entry ? Number(Buffer.from(entry.value).toString()) : 0;
        if (before >= 30 && before % 7 === 0) transaction.delete("body", `${name} beside`, "");
        else transaction.put("body", `${name} beside`, "", new Uint8Array(1));
        transaction.put("body", name, "", Buffer.from(String(before + 1)));
      });

    const put = (...names: string[]): Promise<unknown> =>
      store.write(pod, async (transaction) => {
        for (const name of names) transaction.put("body", name, "", Buffer.from(name));
      });
    /** A transaction that reads what is there, what is not, and a group, and commits after `meanwhile`. @returns its runs. */
    async function runsBeside(meanwhile: () => Promise<unknown>): Promise<number> {
      let runs = 0;
      await store.write(pod, async (transaction) => {
        await transaction.get("body", "there", "");
        await transaction.get("body", "absent", "");
        await Array.fromAsync(transaction.list("body", "group"));
        transaction.put("body", "made", "", new Uint8Array(1));
        if (runs++ === 0) await meanwhile();
      });
      return runs;
    }

    it("runs a transaction that is older than all that is remembered anew only where others have touched it", async () => {
      const many = async (): Promise<void> => {
        for (let n = 0; n < 10; n++) await put(...Array.from({ length: 1_000 }, (_, m) => `${n} ${m}`));
      };
      await put("there", "other");
      expect(await runsBeside(many)).to.equal(1);
      for (const name of ["there", "absent"])
        for (const when of ["before", "after"])
          expect(
            await runsBeside(async () => {
              if (when === "before") await put(name);
              await many();
              if (when === "after") await put(name);
            }),
          ).to.equal(2);
      const member = async (): Promise<unknown> => {
        await store.write(pod, async (transaction) =>
          transaction.put("body", "group", "new", new Uint8Array(1)),
        );
        return many();
      };
      expect(await runsBeside(member)).to.equal(2);
    });

    it("runs one anew that began before a backup took the pod's place", async () => {
      await put("there");
      const held = await store.copy([pod], async (copy) => ({
        storeId: copy.storeId,
        pods: copy.pods,
        rows: structuredClone(await Array.fromAsync(copy.rows())),
      }));
      for (let after = 0; after < 4; after++) {
        await put("there");
        const runs = await runsBeside(async () => {
          await store.load({
            ...held,
            async *rows() {
              yield* held.rows;
            },
            async *blobs() {},
          });
          for (let n = 0; n < after; n++) await put(`beside ${n}`);
        });
        expect(runs).to.equal(2);
      }
    });

    it("loses no update of hundreds at once, in several pods, while one is counted again", async () => {
      const other = await store.createPod();
      const names = ["a", "b", "c"];
      for (let round = 0; round < 3; round++) {
        await Promise.all([
          ...names.flatMap((name) => Array.from({ length: 20 }, () => count(name))),
          store.write(other, async (transaction) => transaction.put("body", "x", "", new Uint8Array(1))),
          store.prove?.(pod),
          ...(round === 1 ? [store.rekey(pod)] : []),
        ]);
        if (round === 1) {
          await store.close();
          store = await openStoreIn(temporary.folder);
        }
      }
      const counted = await store.read(pod, async (snapshot) =>
        Promise.all(
          names.map(async (name) => Buffer.from((await snapshot.get("body", name, ""))!.value).toString()),
        ),
      );
      expect(counted).to.deep.equal(["60", "60", "60"]);
    });
  });
});
