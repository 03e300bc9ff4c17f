/** What every engine promises, the reference in memory, SQLite and PostgreSQL: long, for it is one list of sentences that must hold for each. */
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { decodeRecord, encodeRecord } from "../../server/store/record.ts";
import { type Entry, type PodId, SERVER_POD, type Snapshot, type Store } from "../../server/store/store.ts";
import { ENGINES, openTestStore, type TestStore } from "../support/store.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (entry: Entry | null): string | null => entry && new TextDecoder().decode(entry.value);

async function collect(entries: AsyncIterable<Entry>): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of entries) found.push(`${entry.group}|${entry.item}=${text(entry)}`);
  return found.sort();
}

/** @returns the code of the Problem that `promise` ends with; null when it ends well. */
async function problemOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

for (const engine of ENGINES) {
  describe(`store in ${engine}`, () => {
    let test: TestStore;
    let store: Store;
    let ana: PodId;

    beforeEach(async () => {
      test = await openTestStore(engine, {
        limits: { recordBytesMax: 1_000, transactionWritesMax: 50, transactionBytesMax: 5_000 },
      });
      ({ store } = test);
      ana = await store.createPod();
    });
    afterEach(async () => {
      await test.dispose();
    });

    const put = (pod: PodId, group: string, item: string, value: string): Promise<number> =>
      store
        .write(pod, async (transaction) => transaction.put("resource", group, item, bytes(value)))
        .then(({ generation }) => generation);
    const get = (pod: PodId, group: string, item: string): Promise<string | null> =>
      store.read(pod, async (snapshot) => text(await snapshot.get("resource", group, item)));

    describe("records", () => {
      it("returns what was put, and null for what was not", async () => {
        await put(ana, "/ana/", "a.ttl", "one");
        expect(await get(ana, "/ana/", "a.ttl")).to.equal("one");
        expect(await get(ana, "/ana/", "b.ttl")).to.equal(null);
        expect(await get(ana, "/ana/a.ttl", "")).to.equal(null);
      });

      it("keeps tables, groups, items and pods apart", async () => {
        const ben = await store.createPod();
        await store.write(ana, async (transaction) => {
          transaction.put("resource", "g", "i", bytes("resource"));
          transaction.put("body", "g", "i", bytes("body"));
          transaction.put("resource", "gi", "", bytes("other group"));
          transaction.put("resource", "", "gi", bytes("no group"));
        });
        expect(
          await store.read(ana, async (snapshot) => text(await snapshot.get("body", "g", "i"))),
        ).to.equal("body");
        expect(await get(ana, "g", "i")).to.equal("resource");
        expect(await get(ana, "gi", "")).to.equal("other group");
        expect(await get(ana, "", "gi")).to.equal("no group");
        expect(await get(ben, "g", "i")).to.equal(null);
      });

      it("takes empty values, and names in any script", async () => {
        await put(ana, "/ana/Ünïcode ☂ 猫/", "naïve\n.ttl", "");
        expect(await get(ana, "/ana/Ünïcode ☂ 猫/", "naïve\n.ttl")).to.equal("");
        const listed = await store.read(ana, (snapshot) =>
          collect(snapshot.list("resource", "/ana/Ünïcode ☂ 猫/")),
        );
        expect(listed).to.deep.equal(["/ana/Ünïcode ☂ 猫/|naïve\n.ttl="]);
      });

      it("replaces and deletes; deleting what is not there is no error", async () => {
        await put(ana, "g", "i", "one");
        await put(ana, "g", "i", "two");
        expect(await get(ana, "g", "i")).to.equal("two");
        for (let times = 0; times < 2; times++)
          await store.write(ana, async (transaction) => transaction.delete("resource", "g", "i"));
        expect(await get(ana, "g", "i")).to.equal(null);
      });

      it("is not changed by what the caller later does to its bytes", async () => {
        const value = Buffer.from("mine");
        await store.write(ana, async (transaction) => {
          transaction.put("body", "g", "", value);
          value.fill(0);
        });
        expect(await store.read(ana, async (snapshot) => text(await snapshot.get("body", "g", "")))).to.equal(
          "mine",
        );
      });

      it("lists a group, and all of a table", async () => {
        await store.write(ana, async (transaction) => {
          for (const item of ["a", "b", "c"]) transaction.put("resource", "/x/", item, bytes(item));
          transaction.put("resource", "/y/", "d", bytes("d"));
          transaction.put("stamp", "/x/", "", bytes("s"));
        });
        expect(await store.read(ana, (snapshot) => collect(snapshot.list("resource", "/x/")))).to.deep.equal([
          "/x/|a=a",
          "/x/|b=b",
          "/x/|c=c",
        ]);
        expect(await store.read(ana, (snapshot) => collect(snapshot.list("resource", "/z/")))).to.deep.equal(
          [],
        );
        expect(await store.read(ana, (snapshot) => collect(snapshot.all("resource")))).to.deep.equal([
          "/x/|a=a",
          "/x/|b=b",
          "/x/|c=c",
          "/y/|d=d",
        ]);
      });

      it("lists groups larger than a page, complete and without repetition", async () => {
        const items = Array.from({ length: 200 }, (_, index) => `item ${index}`);
        for (let from = 0; from < items.length; from += 50) {
          await store.write(ana, async (transaction) => {
            for (const item of items.slice(from, from + 50))
              transaction.put("resource", "/big/", item, bytes("x"));
          });
        }
        const expected = items.map((item) => `/big/|${item}=x`).sort();
        expect(
          await store.read(ana, (snapshot) => collect(snapshot.list("resource", "/big/"))),
        ).to.deep.equal(expected);
        expect(
          await store.read(ana, (snapshot) => collect(snapshot.list("resource", "/big/"))),
        ).to.deep.equal(expected);
        expect(await store.read(ana, (snapshot) => collect(snapshot.all("resource")))).to.deep.equal(
          expected,
        );
      });

      it("gives the same object while nothing changes, so that parsed forms can hang on it", async () => {
        await store.write(ana, async (transaction) =>
          transaction.put("setting", "g", "i", encodeRecord({ colour: "blue" })),
        );
        const entry = (): Promise<Entry | null> =>
          store.read(ana, (snapshot) => snapshot.get("setting", "g", "i"));
        const [first, second] = [await entry(), await entry()];
        expect(first).to.equal(second);
        const listed = await store.read(ana, async (snapshot) => {
          for await (const member of snapshot.list("setting", "g")) return member;
          return null;
        });
        expect(listed).to.equal(first);
        expect(decodeRecord(first as Entry)).to.equal(decodeRecord(second as Entry));
      });
    });

    describe("generations", () => {
      it("counts commits from 0, one by one, per pod", async () => {
        const ben = await store.createPod();
        expect(await store.read(ana, async ({ generation }) => generation)).to.equal(0);
        expect([
          await put(ana, "g", "a", "1"),
          await put(ana, "g", "b", "1"),
          await put(ben, "g", "a", "1"),
        ]).to.deep.equal([1, 2, 1]);
        expect(await store.read(ana, async ({ generation }) => generation)).to.equal(2);
      });

      it("is the version of every record that the commit put, and of no other", async () => {
        await put(ana, "g", "a", "1");
        await store.write(ana, async (transaction) => {
          transaction.put("resource", "g", "b", bytes("2"));
          transaction.put("resource", "g", "c", bytes("2"));
        });
        const versions = await store.read(ana, async (snapshot) =>
          Promise.all(
            ["a", "b", "c"].map(async (item) => (await snapshot.get("resource", "g", item))?.version),
          ),
        );
        expect(versions).to.deep.equal([1, 2, 2]);
      });

      it("does not move for a transaction that wrote nothing", async () => {
        await put(ana, "g", "a", "1");
        const { result, generation } = await store.write(ana, async (transaction) =>
          text(await transaction.get("resource", "g", "a")),
        );
        expect([result, generation]).to.deep.equal(["1", 1]);
        expect(await put(ana, "g", "a", "2")).to.equal(2);
      });

      it("never gives a version twice to one place, even after a deletion", async () => {
        const first = await put(ana, "g", "a", "1");
        await store.write(ana, async (transaction) => transaction.delete("resource", "g", "a"));
        expect(await put(ana, "g", "a", "1")).to.be.greaterThan(first + 1);
      });
    });

    describe("transactions", () => {
      it("sees its own writes, with version 0 for not committed yet", async () => {
        await put(ana, "g", "old", "1");
        await put(ana, "g", "gone", "1");
        await store.write(ana, async (transaction) => {
          transaction.put("resource", "g", "new", bytes("2"));
          transaction.put("resource", "g", "old", bytes("2"));
          transaction.delete("resource", "g", "gone");
          expect((await transaction.get("resource", "g", "new"))?.version).to.equal(0);
          expect(text(await transaction.get("resource", "g", "old"))).to.equal("2");
          expect(await transaction.get("resource", "g", "gone")).to.equal(null);
          expect(await collect(transaction.list("resource", "g"))).to.deep.equal(["g|new=2", "g|old=2"]);
          expect(await collect(transaction.all("resource"))).to.deep.equal(["g|new=2", "g|old=2"]);
        });
      });

      it("writes nothing when the work throws, and passes the error on", async () => {
        const refused = store.write(ana, async (transaction) => {
          transaction.put("resource", "g", "a", bytes("1"));
          throw new Problem("forbidden");
        });
        expect(await problemOf(refused)).to.equal("forbidden");
        expect(await get(ana, "g", "a")).to.equal(null);
        expect(await store.read(ana, async ({ generation }) => generation)).to.equal(0);
      });

      it("keeps its snapshot while others commit", async () => {
        await put(ana, "g", "a", "1");
        await put(ana, "g", "b", "1");
        let tries = 0;
        const seen = await store.read(ana, async (snapshot) => {
          tries++;
          const before = text(await snapshot.get("resource", "g", "a"));
          if (tries === 1) {
            await store.write(ana, async (transaction) => {
              transaction.put("resource", "g", "a", bytes("2"));
              transaction.put("resource", "g", "b", bytes("2"));
              transaction.put("resource", "g", "c", bytes("2"));
            });
          }
          const listed = await collect(snapshot.list("resource", "g"));
          return [before, text(await snapshot.get("resource", "g", "b")), listed.length];
        });
        expect(seen).to.deep.equal(seen[0] === "1" ? ["1", "1", 2] : ["2", "2", 3]);
      });

      it("a read that begins after a commit sees it, though older reads are still under way", async () => {
        const done: (() => void)[] = [];
        const older: Promise<unknown>[] = [];
        let isDone = false;
        for (let n = 1; n <= 5; n++) {
          await put(ana, "g", "a", String(n));
          await new Promise<void>((begun) => {
            const read = store.read(ana, async (snapshot) => {
              await snapshot.get("resource", "g", `missing ${n}`); // Looks into the database, and stays there.
              begun();
              if (!isDone) await new Promise<void>((resolve) => done.push(resolve)); // It may run twice.
              return text(await snapshot.get("resource", "g", "a"));
            });
            older.push(read);
          });
          await put(ana, "g", `other ${n}`, String(n));
          expect(await get(ana, "g", `missing again ${n}`)).to.equal(null);
          expect(await store.read(ana, (snapshot) => collect(snapshot.all("resource")))).to.have.length(
            n + 1,
          );
          expect(await get(ana, "g", `other ${n}`)).to.equal(String(n));
        }
        isDone = true;
        for (const finish of done) finish();
        const seen = await Promise.all(older);
        expect(seen.every((value) => Number(value) >= 1)).to.equal(true);
      });

      it("loses no update of a hundred writers of one record", async () => {
        await put(ana, "g", "count", "0");
        await Promise.all(
          Array.from({ length: 100 }, () =>
            store.write(ana, async (transaction) => {
              const count = Number(text(await transaction.get("resource", "g", "count")));
              transaction.put("resource", "g", "count", bytes(String(count + 1)));
            }),
          ),
        );
        expect(await get(ana, "g", "count")).to.equal("100");
      });

      it("lets writers of different records pass without running twice", async () => {
        let runs = 0;
        const write = (item: string): Promise<unknown> =>
          store.write(ana, async (transaction) => {
            runs++;
            await transaction.get("resource", "g", item);
            transaction.put("resource", "g", item, bytes("1"));
          });
        await Promise.all(Array.from({ length: 20 }, (_, index) => write(`item ${index}`)));
        expect(runs).to.equal(20);
      });

      /** One transaction runs while another commits: must the first run again? */
      const races: readonly (readonly [
        string,
        (snapshot: Snapshot) => Promise<unknown>,
        readonly string[],
        readonly string[],
        boolean,
      ])[] = [
        ["a record that it read was changed", (s) => s.get("resource", "g", "a"), ["a"], [], true],
        ["a record that it read was deleted", (s) => s.get("resource", "g", "a"), [], ["a"], true],
        ["a record that it missed was made", (s) => s.get("resource", "g", "new"), ["new"], [], true],
        ["another record was changed", (s) => s.get("resource", "g", "a"), ["b"], [], false],
        ["it read nothing", async () => null, ["a", "b"], ["c"], false],
        [
          "a group that it listed has a new record (phantom)",
          (s) => collect(s.list("resource", "g")),
          ["new"],
          [],
          true,
        ],
        ["a group that it listed lost a record", (s) => collect(s.list("resource", "g")), [], ["c"], true],
        [
          "a group that it listed lost its oldest record",
          (s) => collect(s.list("resource", "g")),
          [],
          ["a"],
          true,
        ],
        [
          "a group that it listed lost its newest and got another",
          (s) => collect(s.list("resource", "g")),
          ["new"],
          ["c"],
          true,
        ],
        [
          "an empty group that it listed has a record",
          (s) => collect(s.list("resource", "empty")),
          ["empty/new"],
          [],
          true,
        ],
        [
          "another group than the listed one changed",
          (s) => collect(s.list("resource", "empty")),
          ["a"],
          ["b"],
          false,
        ],
        ["a table that it read has a new record", (s) => collect(s.all("resource")), ["other/new"], [], true],
        ["another table than the one it read changed", (s) => collect(s.all("stamp")), ["a"], ["b"], false],
      ];
      for (const [name, look, puts, deletes, again] of races) {
        it(`${again ? "runs again" : "does not run again"} when ${name}`, async () => {
          for (const item of ["a", "b", "c"]) await put(ana, "g", item, "1");
          const place = (path: string): [string, string] =>
            path.includes("/") ? (path.split("/") as [string, string]) : ["g", path];
          let runs = 0;
          await store.write(ana, async (transaction) => {
            runs++;
            await look(transaction);
            if (runs === 1) {
              await store.write(ana, async (other) => {
                for (const path of puts) other.put("resource", ...place(path), bytes("2"));
                for (const path of deletes) other.delete("resource", ...place(path));
              });
            }
            transaction.put("body", "mine", "", bytes("done"));
          });
          expect(runs).to.equal(again ? 2 : 1);
        });
      }

      it("gives up as write-conflict after the allowed tries", async () => {
        const impatient = await openTestStore(engine, { limits: { transactionTriesMax: 3 } });
        const pod = await impatient.store.createPod();
        let runs = 0;
        const loser = impatient.store.write(pod, async (transaction) => {
          runs++;
          await transaction.get("resource", "g", "a");
          transaction.put("resource", "g", "b", bytes("1"));
          await impatient.store.write(pod, async (other) =>
            other.put("resource", "g", "a", bytes(String(runs))),
          );
        });
        expect(await problemOf(loser)).to.equal("write-conflict");
        expect(runs).to.equal(3);
        expect(await impatient.store.read(pod, (snapshot) => snapshot.get("resource", "g", "b"))).to.equal(
          null,
        );
        await impatient.dispose();
      });

      it("decides between two that read what the other writes (write skew)", async () => {
        await put(ana, "g", "ana on call", "yes");
        await put(ana, "g", "ben on call", "yes");
        const leave = (me: string, other: string): Promise<unknown> =>
          store.write(ana, async (transaction) => {
            if (text(await transaction.get("resource", "g", other)) === "yes")
              transaction.put("resource", "g", me, bytes("no"));
          });
        await Promise.all([leave("ana on call", "ben on call"), leave("ben on call", "ana on call")]);
        const left = [await get(ana, "g", "ana on call"), await get(ana, "g", "ben on call")];
        expect(left.filter((answer) => answer === "yes")).to.have.length(1);
      });
    });

    describe("limits", () => {
      it("refuses a record over recordBytesMax, and stores nothing of the transaction", async () => {
        const refused = store.write(ana, async (transaction) => {
          transaction.put("body", "small", "", new Uint8Array(1_000));
          transaction.put("body", "large", "", new Uint8Array(1_001));
        });
        expect(await problemOf(refused)).to.equal("body-too-large");
        expect(await store.read(ana, (snapshot) => snapshot.get("body", "small", ""))).to.equal(null);
      });

      it("refuses more than transactionBytesMax at once, counting each place once", async () => {
        const writes = (count: number): Promise<unknown> =>
          store.write(ana, async (transaction) => {
            for (let n = 0; n < count; n++) {
              transaction.put("body", `${n}`, "", new Uint8Array(1_000));
              transaction.put("body", `${n}`, "", new Uint8Array(999));
            }
          });
        expect(await problemOf(writes(6))).to.equal("body-too-large");
        expect(await problemOf(writes(5))).to.equal(null);
      });

      it("refuses more than transactionWritesMax writes, counting each place once", async () => {
        const writes = (count: number): Promise<unknown> =>
          store.write(ana, async (transaction) => {
            for (let n = 0; n < count; n++) {
              transaction.put("body", `${n}`, "", bytes("a"));
              transaction.put("body", `${n}`, "", bytes("b"));
            }
          });
        expect(await problemOf(writes(51))).to.equal("body-too-large");
        expect(await problemOf(writes(50))).to.equal(null);
      });
    });

    describe("pods", () => {
      it("always has the server's own", async () => {
        await put(SERVER_POD, "g", "a", "1");
        expect(await get(SERVER_POD, "g", "a")).to.equal("1");
      });

      it("does not know a pod that never was", async () => {
        const nobody = "f".repeat(32) as PodId;
        expect(await problemOf(get(nobody, "g", "a"))).to.equal("not-found");
        expect(await problemOf(put(nobody, "g", "a", "1"))).to.equal("not-found");
      });

      it("erases one pod with all it has, twice if asked, and leaves the others", async () => {
        const ben = await store.createPod();
        await put(ana, "g", "a", "1");
        await put(ben, "g", "a", "1");
        const { hash } = await store.blobs.write(
          ana,
          [bytes("photo")] as unknown as AsyncIterable<Uint8Array>,
          100,
        );
        await store.erasePod(ana);
        await store.erasePod(ana);
        expect(await problemOf(get(ana, "g", "a"))).to.equal("not-found");
        expect(await problemOf(put(ana, "g", "a", "2"))).to.equal("not-found");
        expect(await problemOf(store.blobs.read(ana, hash).toArray())).to.be.oneOf([
          "not-found",
          "unavailable",
        ]);
        expect(await get(ben, "g", "a")).to.equal("1");
      });

      it("never erases the server's own pod", async () => {
        let failed = false;
        await store.erasePod(SERVER_POD).catch(() => (failed = true));
        expect(failed).to.equal(true);
        expect(await get(SERVER_POD, "g", "a")).to.equal(null);
      });
    });

    it("answers a check", async () => {
      await store.check();
    });
  });
}
