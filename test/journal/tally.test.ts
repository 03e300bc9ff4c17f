/** What is only counted: bounded in number, complete in sum, and written even when it could not be at first. */
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { parseWebId } from "../../server/iri.ts";
import type { JournalEntry } from "../../server/journal/entry.ts";
import { ENGINES, type Engine, openTestStore, type TestStore } from "../support/store.ts";
import { ANA, APP, agent, BASE, createTestJournal, operation, SHOP, type TestJournal } from "./fixture.ts";

const denied = new Problem("forbidden");

for (const engine of ENGINES satisfies readonly Engine[]) {
  describe(`what is only counted (${engine})`, () => {
    let store: TestStore;
    let test: TestJournal;
    let time: number;
    beforeEach(async () => {
      time = Date.parse("2026-05-01T12:00:00Z");
      store = await openTestStore(engine);
      test = await createTestJournal(store.store, { now: () => new Date(time) });
    });
    afterEach(() => store.dispose());

    const refuse = (who: Parameters<typeof agent>[0], path: string): void =>
      test.journal.refused(test.pod, operation(agent(who), path), denied);
    async function entries(): Promise<JournalEntry[]> {
      await test.journal.flush();
      return (await test.journal.read(test.pod, 0, 1_000)).map(({ entry }) => entry!);
    }
    const total = (all: readonly JournalEntry[]): number => all.reduce((sum, { count }) => sum + count, 0);

    it("is one entry for the same again and again, with its first and last time", async () => {
      for (let n = 0; n < 30; n++) {
        time += 1_000;
        refuse(SHOP, "/ana/notes/");
      }
      expect(await entries()).to.deep.include.members([]);
      const [entry, ...others] = await entries();
      expect(others).to.deep.equal([]);
      expect(entry).to.include({
        act: "look",
        agent: SHOP,
        client: APP,
        count: 30,
        decision: "denied",
        status: 403,
      });
      expect(entry!.time - entry!.since!).to.equal(29_000);
    });

    it("keeps strangers apart from each other, but not without end", async () => {
      for (let n = 0; n < 5_000; n++) refuse(null, `/ana/guess-${n}`);
      for (let n = 0; n < 500; n++)
        refuse(parseWebId(`https://troll-${n % 50}.example/#me`), `/ana/guess-${n}`);
      refuse(SHOP, "/ana/notes/");
      const all = await entries();
      expect(all.length).to.be.at.most(50);
      expect(total(all)).to.equal(5_501);
      expect(all.filter(({ agent: who }) => who === null)).to.have.lengthOf(9); // Eight, and all the others.
    });

    it("does not let strangers without a name crowd out one with a name", async () => {
      for (let n = 0; n < 1_000; n++) refuse(null, `/ana/guess-${n}`);
      refuse(SHOP, "/ana/notes/");
      expect((await entries()).find(({ agent: who }) => who === SHOP)).to.include({
        path: "/ana/notes/",
        count: 1,
      });
    });

    it("keeps no long addresses, no origins and no names of requests that strangers chose", async () => {
      const long = `/ana/${"x".repeat(200)}/${"y".repeat(200)}/${"z".repeat(200)}`;
      test.journal.refused(
        test.pod,
        { ...operation({ ...agent(null), origin: "https://evil.example" }, long), id: "chosen" },
        denied,
      );
      const [entry] = await entries();
      expect(entry).to.include({ path: "*", origin: null, request: null });
    });

    it("does not count what the owner is refused for other reasons, nor the server's own faults", async () => {
      const by = operation(agent(ANA), "/ana/none.ttl");
      test.journal.refused(test.pod, by, new Problem("not-found"));
      test.journal.refused(test.pod, operation(agent(SHOP), "/ana/x"), new Problem("unavailable"));
      test.journal.refused(test.pod, operation(agent(SHOP), "/ana/x"), new Error("ours"));
      expect(await entries()).to.deep.equal([]);
    });

    it("says that somebody who may look found nothing", async () => {
      test.journal.refused(
        test.pod,
        operation(agent(SHOP), "/ana/shared/none.ttl"),
        new Problem("not-found"),
      );
      const [entry] = await entries();
      expect(entry).to.include({ act: "look", decision: "granted", status: 404, agent: SHOP });
    });

    it("does not count the owner's own pages, and her apps folder by folder", async () => {
      const answer = { status: 200, headers: { "content-length": "10" }, body: null };
      const look = (client: string | null, path: string): Promise<void> =>
        test.journal.look(test.pod, operation(agent(ANA, client), path), "look", answer, false);
      await look(`${BASE}.ui/`, "/ana/notes/a.ttl");
      await look(null, "/ana/notes/a.ttl");
      for (let n = 0; n < 50; n++) await look(APP, `/ana/notes/deep/${n}.ttl`);
      await look(APP, "/ana/");
      expect(
        (await entries()).map(({ path, count, bytes, client }) => [path, count, bytes, client]),
      ).to.have.deep.members([
        ["/ana/notes/", 50, 500, APP],
        ["/ana/", 1, 10, APP],
      ]);
    });

    describe("of one who looks again and again", () => {
      const VENDOR = parseWebId("https://vendor.example/#it");
      const answer = { status: 200, headers: { "content-length": "10" }, body: null };
      const look = (who: Parameters<typeof agent>[0], path: string, id = "r1"): Promise<void> =>
        test.journal.look(test.pod, operation(agent(who), path, { id }), "look", answer, false);
      const of = (all: readonly JournalEntry[], who: string): JournalEntry[] =>
        all.filter((entry) => entry.agent === who);
      const length = (): Promise<number> => test.journal.length(test.pod);
      /** All there are, without writing what is counted. */
      const written = async (): Promise<JournalEntry[]> =>
        (await test.journal.read(test.pod, 0, 10_000)).map(({ entry }) => entry!);
      const sum = (all: readonly JournalEntry[]): readonly number[] => [
        total(all),
        all.reduce((bytes, entry) => bytes + (entry.bytes ?? 0), 0),
      ];
      async function begin(journalLooksPerAgentMax: number): Promise<void> {
        const limits = { journalLooksPerAgentMax };
        test = await createTestJournal(store.store, { now: () => new Date(time), limits });
      }

      it("has as many entries of their own as there is a budget for, and is counted beyond it", async () => {
        await begin(600);
        for (let n = 0; n < 5_000; n++) await look(VENDOR, "/ana/notes/a.ttl");
        await test.journal.flush();
        const all = await written();
        expect(all).to.have.lengthOf(602);
        expect(sum(all)).to.deep.equal([5_000, 50_000]);
        expect(all.at(-1)).to.include({ act: "look", agent: VENDOR, client: APP, path: "/ana/notes/a.ttl" });
        expect(all.at(-1)).to.include({ count: 4_399, issuer: "https://id.example/", decision: "granted" });
      });

      it("loses no look of many at once", async () => {
        await begin(20);
        await Promise.all(Array.from({ length: 1_000 }, (_, n) => look(VENDOR, `/ana/notes/${n % 7}.ttl`)));
        await test.journal.flush();
        const all = await written();
        expect(all.length).to.be.within(27, 20 + 2 * 7);
        expect(sum(all)).to.deep.equal([1_000, 10_000]);
      });

      it("is recorded before its bytes the first time that it is beyond the budget, each minute", async () => {
        await begin(2);
        for (let n = 0; n < 2; n++) await look(VENDOR, "/ana/notes/a.ttl");
        const write = store.store.write.bind(store.store);
        store.store.write = () => Promise.reject(new Error("The disk is gone"));
        const codes = await Promise.all(
          [1, 2].map(() => look(VENDOR, "/ana/notes/a.ttl").catch((error: Problem) => error.code)),
        );
        expect(codes).to.deep.equal(["unavailable", "unavailable"]);
        store.store.write = write;
        for (const n of [3, 4, 5]) {
          await look(VENDOR, "/ana/notes/a.ttl", `r${n}`);
          expect(await length()).to.equal(3);
        }
        expect((await written()).at(-1)).to.include({ request: "r3", count: 1 });
        await look(VENDOR, "/ana/notes/b.ttl", "r6");
        expect((await written()).at(-1)).to.include({ request: "r6", path: "/ana/notes/b.ttl" });
        await test.journal.flush();
        for (let n = 0; n < 3; n++) await look(VENDOR, "/ana/notes/a.ttl", "r7");
        expect((await written()).at(-1)).to.include({ request: "r7", count: 1 });
        await test.journal.flush();
        expect(sum(await written())).to.deep.equal([9, 90]);
      });

      it("is recorded anew where what was counted could not be written", async () => {
        await begin(1);
        for (let n = 0; n < 5; n++) await look(VENDOR, "/ana/a.ttl");
        const write = store.store.write.bind(store.store);
        store.store.write = () => Promise.reject(new Error("The disk is gone"));
        await test.journal.flush();
        expect(await look(VENDOR, "/ana/a.ttl").catch((error: Problem) => error.code)).to.equal(
          "unavailable",
        );
        store.store.write = write;
        await look(VENDOR, "/ana/a.ttl");
        expect(await length()).to.equal(3);
        await test.journal.flush();
        expect(sum(await written())).to.deep.equal([6, 60]);
      });

      it("is written in portions, and of those only what failed again", async () => {
        await begin(800);
        const all = (): Promise<unknown> =>
          Promise.all(Array.from({ length: 800 }, (_, n) => look(VENDOR, `/ana/notes/${n}.ttl`)));
        for (let round = 0; round < 3; round++) await all();
        expect(await length()).to.equal(1_600);
        const write = store.store.write.bind(store.store);
        let calls = 0;
        store.store.write = (...args) => {
          calls++;
          return calls === 2 ? Promise.reject(new Error("The disk is gone")) : write(...args);
        };
        await test.journal.flush();
        expect(await length()).to.equal(2_100);
        await test.journal.flush();
        expect(calls).to.equal(3);
        expect(sum(await written())).to.deep.equal([2_400, 24_000]);
        expect(await length()).to.equal(2_400);
      });

      it("is complete where so much is counted that it is written early", async () => {
        const limits = { journalLooksPerAgentMax: 40, journalTallyTotalMax: 10 };
        test = await createTestJournal(store.store, { now: () => new Date(time), limits });
        await Promise.all(Array.from({ length: 500 }, (_, n) => look(VENDOR, `/ana/notes/${n % 20}.ttl`)));
        for (let n = 0; n < 500; n++) await look(VENDOR, `/ana/notes/${n % 20}.ttl`);
        await test.journal.flush();
        expect(sum(await written())).to.deep.equal([1_000, 10_000]);
      });

      it("takes nothing of the budget of others, nor of the same in another pod", async () => {
        await begin(5);
        for (let n = 0; n < 50; n++) await look(VENDOR, "/ana/a.ttl");
        for (let n = 0; n < 5; n++) await look(SHOP, "/ana/a.ttl", `shop ${n}`);
        const other = await createTestJournal(store.store, { now: () => new Date(time), name: "bob" });
        for (let n = 0; n < 4; n++)
          await test.journal.look(other.pod, operation(agent(VENDOR), "/bob/a.ttl"), "look", answer, false);
        expect(of(await written(), SHOP).map(({ request }) => request)).to.deep.equal(
          [0, 1, 2, 3, 4].map((n) => `shop ${n}`),
        );
        expect(await test.journal.length(other.pod)).to.equal(4);
      });

      it("has its budget again a minute later", async () => {
        await begin(5);
        for (let n = 0; n < 20; n++) await look(VENDOR, "/ana/a.ttl");
        expect(await length()).to.equal(6);
        time += 60_000;
        for (let n = 0; n < 5; n++) await look(VENDOR, "/ana/a.ttl");
        expect(await length()).to.equal(11);
      });

      it("names as many documents as there is a budget for, twice, and always who it was", async () => {
        for (let n = 0; n < 5_000; n++) refuse(parseWebId(`https://troll-${n}.example/#me`), `/ana/${n}`);
        await test.journal.flush(); // Strangers' noise is no hiding place.
        for (let n = 0; n < 5_000; n++) refuse(parseWebId(`https://troll-${n}.example/#me`), `/ana/${n}`);
        await begin(30);
        for (let n = 0; n < 500; n++) await look(VENDOR, `/ana/notes/${n}.ttl`);
        for (let n = 0; n < 3; n++) await look(VENDOR, `/ana/notes/45.ttl`);
        await test.journal.flush();
        const all = of(await written(), VENDOR);
        expect(sum(all)).to.deep.equal([503, 5_030]);
        expect(all.map(({ path, count }) => [path, count])).to.deep.equal([
          ...Array.from({ length: 61 }, (_, n) => [`/ana/notes/${n}.ttl`, 1]),
          ["*", 439],
          ["/ana/notes/45.ttl", 3],
        ]);
      });

      it("names the documents of each, whatever others look at", async () => {
        await begin(10);
        for (let n = 0; n < 50; n++) await look(VENDOR, `/ana/notes/${n}.ttl`);
        for (let n = 0; n < 20; n++) await look(SHOP, `/ana/notes/${n}.ttl`);
        await test.journal.flush();
        expect(of(await written(), SHOP).map(({ path }) => path)).to.deep.equal(
          Array.from({ length: 20 }, (_, n) => `/ana/notes/${n}.ttl`),
        );
      });

      it("leaves room to others whose deeds are counted", async () => {
        await begin(100);
        for (let n = 0; n < 300; n++) await look(VENDOR, `/ana/notes/${n}.ttl`);
        refuse(SHOP, "/ana/notes/");
        await test.journal.flush();
        expect(of(await written(), SHOP).map(({ path }) => path)).to.deep.equal(["/ana/notes/"]);
      });

      it("adds up what its queries took", async () => {
        await begin(1);
        for (let n = 0; n < 4; n++) {
          const result = { ...answer, extent: { rows: 3, documents: 5 } };
          await test.journal.look(test.pod, operation(agent(VENDOR), "/ana/sparql"), "query", result, false);
        }
        await test.journal.flush();
        expect((await written()).at(-1)).to.include({ act: "query", count: 2, rows: 6, documents: 10 });
      });
    });

    it("is kept when it cannot be written, and written once when it can", async () => {
      const write = store.store.write.bind(store.store);
      store.store.write = () => Promise.reject(new Error("The disk is gone"));
      for (let n = 0; n < 7; n++) refuse(SHOP, "/ana/notes/");
      await test.journal.flush();
      expect(test.log.map(({ event }) => event)).to.include("journal.tally-not-written");
      store.store.write = write;
      refuse(SHOP, "/ana/notes/");
      const all = await entries();
      expect(all.map(({ count }) => count)).to.deep.equal([8]);
      expect(await entries()).to.have.lengthOf(1);
    });

    it("is written when the server stops, and the heads of what moved are signed", async () => {
      refuse(SHOP, "/ana/notes/");
      await test.journal.close();
      const all = (await test.journal.read(test.pod, 0, 10)).map(({ entry }) => entry!.act);
      expect(all).to.deep.equal(["look", "sign-head"]);
      const head = test.log.find(({ event }) => event === "journal.head");
      expect(head).to.include({ number: 1, pod: test.pod.id });
      expect(JSON.stringify(test.log)).not.to.include("ana");
      expect(await test.journal.verify(test.pod)).to.include({ heads: 1, entries: 2 });
    });

    it("signs nothing twice, and what was not signed before the server began", async () => {
      await test.journal.note(test.pod, { act: "look", agent: SHOP, path: "/x" });
      const another = await createTestJournal(store.store, { now: () => new Date(time) });
      await another.journal.signHeads();
      await another.journal.signHeads();
      const third = await createTestJournal(store.store, { now: () => new Date(time) });
      await third.journal.signHeads();
      expect(await third.journal.length(test.pod)).to.equal(2);
      expect((await third.journal.verify(test.pod)).heads).to.equal(1);
    });

    it("forgets the names of what was erased, says that it did, and stays whole", async () => {
      for (const path of ["/ana/a.ttl", "/ana/secret/x.ttl", "/ana/secret/", "/ana/b.ttl"])
        await test.journal.note(test.pod, { act: "change", agent: ANA, path });
      refuse(SHOP, "/ana/secret/y.ttl"); // Only counted so far.
      expect(await test.journal.forget(test.pod, (path) => path.startsWith("/ana/secret/"))).to.equal(3);
      const read = await test.journal.read(test.pod, 0, 10);
      expect(JSON.stringify(read)).not.to.include("secret");
      expect(read.at(-1)?.entry).to.deep.include({
        act: "erase",
        path: null,
        count: 3,
        numbers: [
          [2, 3],
          [5, 5],
        ],
      });
      expect((await test.journal.verify(test.pod)).faults).to.deep.equal([]);
      await store.store.journal.forget(test.pod.id, [1]);
      expect((await test.journal.verify(test.pod)).faults).to.deep.equal([
        "Entry 1 was emptied, and no later entry says that it was erased",
      ]);
    });
  });
}
