/** Following a journal, on every engine: all that is recorded, in order, once, from wherever one begins. */
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { decodeEntry, encodeEntry } from "../../server/journal/entry.ts";
import { LIMITS } from "../../server/limits.ts";
import { createFeeds, type Feeds, type PodFeed } from "../../server/notify/feed.ts";
import { type Hinting, withHints } from "../../server/notify/hints.ts";
import type { Pod } from "../../server/store/pods.ts";
import { SERVER_POD } from "../../server/store/store.ts";
import { ENGINES, listeningLog, openTestStore, type TestStore } from "../support/store.ts";
import { until } from "./support.ts";

for (const engine of ENGINES)
  describe(`the followed journal: ${engine}`, () => {
    let made: TestStore;
    let hinting: Hinting;
    let feeds: Feeds;
    let pod: Pod;
    let standing: Pod | null;
    before(async () => {
      made = await openTestStore(engine);
      hinting = withHints(made.store);
    });
    beforeEach(async () => {
      const { store } = hinting;
      pod = {
        id: await store.createPod(),
        name: "ana",
        owner: "https://ana.example/#me" as Pod["owner"],
        created: 0,
      };
      standing = pod;
      feeds = createFeeds({
        store,
        pods: { find: async () => standing },
        limits: { ...LIMITS, feedEntriesKept: 8, feedPageEntries: 3 },
        log: listeningLog([]),
        entryOf: decodeEntry,
        listEnding: ".acl",
        isShared: hinting.isShared,
      });
      hinting.onCommit((one) => feeds.hint(one));
    });
    afterEach(() => feeds.close());
    after(() => made.dispose());

    const write = (count = 1): Promise<unknown> =>
      hinting.store.write(pod.id, async (transaction) => {
        for (let one = 0; one < count; one++)
          transaction.record(encodeEntry({ act: "create", path: `/ana/${one}` }, Date.now()));
      });

    async function readFrom(feed: PodFeed, after: number, upTo: number): Promise<number[]> {
      const numbers: number[] = [];
      let at = after;
      await until(`entry ${upTo}`, async () => {
        for (const { number } of await feed.after(at)) {
          numbers.push(number);
          at = number;
        }
        return at >= upTo;
      });
      return numbers;
    }
    const range = (first: number, last: number): number[] =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index);

    it("costs nothing where nobody listens", async () => {
      await write();
      expect(feeds.size).to.equal(0);
      const { release } = await feeds.open(pod);
      expect(feeds.size).to.equal(1);
      release();
      release();
      expect(feeds.size).to.equal(0);
    });

    it("tells of every commit, and from any number on, more than is kept in memory included", async () => {
      await write(5);
      const { feed, release } = await feeds.open(pod);
      let wakes = 0;
      feed.onWake(() => (wakes += 1));
      for (let round = 0; round < 4; round++) await write(5);
      await until("all are known", () => feed.end === 25);
      expect(wakes).to.be.greaterThan(0);
      for (const after of [0, 3, 16, 17, 20, 24, 25])
        expect(await readFrom(feed, after, 25)).to.deep.equal(range(after + 1, 25));
      release();
    });

    it("misses nothing while others write, whoever begins when", async () => {
      const writing = (async () => {
        for (let round = 0; round < 30; round++) await write(1 + (round % 3));
      })();
      const total = 60;
      const readers = await Promise.all(
        range(1, 5).map(async (count) => {
          await new Promise((resolve) => setTimeout(resolve, count * 3));
          const { feed, release } = await feeds.open(pod);
          const numbers = await readFrom(feed, 0, total);
          release();
          return numbers;
        }),
      );
      await writing;
      for (const numbers of readers) expect(numbers).to.deep.equal(range(1, total));
      expect(feeds.size).to.equal(0);
    });

    it("says so when the pod is erased, has moved, or is another", async () => {
      const { feed, release } = await feeds.open(pod);
      standing = { ...pod, movedTo: "https://elsewhere.example/" };
      feeds.hint(SERVER_POD);
      await until("it is gone", () => feed.isGone);
      const error = await feed.after(0).catch((cause: unknown) => cause);
      expect(error).to.be.instanceOf(Problem).with.property("code", "not-found");
      release();
      standing = pod;
      const again = await feeds.open(pod);
      expect(again.feed.isGone).to.equal(false);
      await hinting.store.erasePod(pod.id);
      await until("it is gone", () => again.feed.isGone);
      again.release();
    });

    it("an entry that was erased is told to nobody, and stops nobody", async () => {
      await write(3);
      await hinting.store.journal.forget(pod.id, [2]);
      const { feed, release } = await feeds.open(pod);
      const changes = await feed.after(0);
      expect(changes.map(({ number, path }) => [number, path])).to.deep.equal([
        [1, "/ana/0"],
        [2, null],
        [3, "/ana/2"],
      ]);
      release();
    });
  });
