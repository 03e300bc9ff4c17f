/** Thousands of concurrent histories at the store's port, on all engines: each must be strictly serializable. */
import { expect } from "chai";
import { createMemoryStore } from "../../server/store/memory.ts";
import type { Entry, PodId, Store, Table } from "../../server/store/store.ts";
import { postgresMissing, testPostgres } from "../support/postgres.ts";
import { skip } from "../support/skip.ts";
import { type Engine, openPostgresIn, openTestStore, temporaryFolder } from "../support/store.ts";
import { createDice } from "../torture/model.ts";
import { type Act, checkSerial, type Dice, record, type State } from "./serial.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const MANY = Number(process.env["HISTORIES"] ?? 400);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const still = new Int32Array(new SharedArrayBuffer(4));

/** Nothing, a turn of the event loop, or this thread standing still while the writer's goes on: a commit on disk, unanswered. */
function pauses(dice: Dice, standsStill: boolean): () => Promise<void> {
  return async () => {
    const kind = dice(12);
    if (kind < 3) await turn();
    else if (kind === 3 && standsStill) {
      await turn();
      Atomics.wait(still, 0, 0, 0.2 + dice(10) / 10);
    }
  };
}

/** Histories of one pod after another, each history going on where the one before it ended. */
async function findFault(
  store: Pick<Store, "read" | "write" | "createPod">,
  { histories, seed, standsStill }: { histories: number; seed: number; standsStill: boolean },
): Promise<string | null> {
  const dice = createDice(seed);
  let pod: PodId = await store.createPod();
  let state: State = new Map();
  let generation = 0;
  for (let n = 0; n < histories; n++) {
    if (n % 50 === 49) {
      pod = await store.createPod();
      [state, generation] = [new Map(), 0];
    }
    const acts = await record({
      store,
      pod,
      clients: 2 + dice(6),
      actsEach: 1 + dice(5),
      pause: pauses(dice, standsStill),
      dice,
    });
    const found = checkSerial({ state, generation, acts });
    if (found.fault) return `history ${n} of seed ${seed}: ${found.fault}`;
    ({ state, generation } = found);
  }
  return null;
}

describe("concurrent transactions are strictly serializable", function () {
  this.timeout(600_000);
  const kinds: readonly (readonly [string, Engine, number])[] = [
    ["in memory", "memory", 0],
    ["on SQLite", "sqlite", 64 * 1024 * 1024],
    ["on SQLite with a cache of a few groups", "sqlite", 12_000],
    ["on SQLite with a cache of a few records", "sqlite", 5_500],
    ["on SQLite with a cache of next to nothing", "sqlite", 1_700],
    ["on SQLite without a cache", "sqlite", 0],
    ["on PostgreSQL", "postgres", 64 * 1024 * 1024],
    ["on PostgreSQL with a cache of a few records", "postgres", 5_500],
    ["on PostgreSQL without a cache", "postgres", 0],
  ];
  for (const [index, [name, engine, recordCacheBytesMax]] of kinds.entries()) {
    const histories = engine === "postgres" ? Math.ceil(MANY / 4) : MANY;
    it(`${name}: ${histories} histories`, async function () {
      if (engine === "postgres" && postgresMissing) skip(this, postgresMissing);
      const test = await openTestStore(engine, { limits: { recordCacheBytesMax } });
      const options = { histories, seed: SEED + index, standsStill: engine === "sqlite" };
      try {
        expect(await findFault(test.store, options)).to.equal(null);
        expect(test.events).to.deep.equal([]);
      } finally {
        await test.dispose();
      }
    });
  }

  for (const recordCacheBytesMax of [64 * 1024 * 1024, 5_500]) {
    const histories = Math.ceil(MANY / 2);
    it(`on two servers of one PostgreSQL, each with ${recordCacheBytesMax} bytes of cache: ${histories} histories`, async function () {
      if (postgresMissing) skip(this, postgresMissing);
      const [temporary, url] = [await temporaryFolder(), await testPostgres().createDatabase()];
      const events: string[] = [];
      const limits = { recordCacheBytesMax };
      const one = await openPostgresIn(url, temporary.folder, { limits }, events);
      const two = await openPostgresIn(url, temporary.folder, { limits }, events);
      const coin = createDice(SEED);
      const any = (): Store => (coin(2) === 0 ? one : two);
      const both: Pick<Store, "read" | "write" | "createPod"> = {
        read: (pod, work) => any().read(pod, work),
        write: (pod, work) => any().write(pod, work),
        createPod: () => any().createPod(),
      };
      try {
        expect(await findFault(both, { histories, seed: SEED, standsStill: false })).to.equal(null);
        expect(events).to.deep.equal([]);
      } finally {
        await Promise.all([one.close(), two.close()]);
        await testPostgres().dropDatabase(url);
        await temporary.remove();
      }
    });
  }
});

describe("the checker of transactions", () => {
  const place = (item: string): string => `body|g|${item}`;
  const act = (
    began: number,
    ended: number,
    seen: Readonly<Record<string, string | null>>,
    writes: Readonly<Record<string, string | null>> = {},
    generation: number | null = null,
  ): Act => ({
    began,
    ended,
    seen: new Map(Object.entries(seen).map(([item, value]) => [place(item), value])),
    ranges: new Map(),
    writes: new Map(Object.entries(writes).map(([item, value]) => [place(item), value])),
    generation,
  });
  const faultOf = (...acts: readonly Act[]): string | null =>
    checkSerial({ state: new Map([[place("x"), "1:old"]]), generation: 1, acts }).fault;
  const put = act(2, 6, {}, { x: "new", y: "new" }, 2);

  it("lets a read during a commit see the state before it, or after it", () => {
    expect(faultOf(put, act(3, 4, { x: "1:old", y: null }))).to.equal(null);
    expect(faultOf(put, act(3, 4, { x: "2:new", y: "2:new" }))).to.equal(null);
  });

  for (const [fault, acts, says] of [
    ["half of a commit", [put, act(3, 4, { x: "2:new", y: null })], "no state at all"],
    ["a value that nobody wrote", [put, act(3, 4, { x: "2:other" })], "no state at all"],
    [
      "what was not acknowledged any more (stale read)",
      [put, act(7, 8, { x: "1:old" })],
      "a read between 2 and 2",
    ],
    ["what was sent only later", [put, act(0, 1, { x: "2:new" })], "a read between 1 and 1"],
    [
      "new, then old",
      [put, act(3, 4, { x: "2:new" }), act(5, 7, { y: null })],
      "a read between 2 and 2 is of 1",
    ],
    [
      "a lost update",
      [put, act(3, 8, { x: "1:old" }, { x: "other" }, 3)],
      "a commit did not see the state before it",
    ],
    ["the same generation twice", [put, act(3, 8, {}, { z: "z" }, 2)], "a generation is not the next"],
    ["another generation than it was told", [put, act(3, 4, { x: "1:old" }, {}, 2)], "a read between"],
    [
      "commits out of order",
      [act(5, 6, {}, { x: "b" }, 2), act(1, 2, {}, { x: "a" }, 3)],
      "came before one that was acknowledged",
    ],
  ] as const) {
    it(`catches ${fault}`, () => {
      expect(faultOf(...acts)).to.include(says);
    });
  }

  const honest = createMemoryStore();
  type Faulty = Pick<Store, "read" | "write" | "createPod">;
  /** Each read, and each look of a transaction, at the state of its moment. */
  const mixing: Faulty = {
    ...honest,
    read: (pod, work) =>
      work({
        pod,
        generation: 0,
        get: (table, group, item) => honest.read(pod, (snapshot) => snapshot.get(table, group, item)),
        page: (...place) => honest.read(pod, (snapshot) => snapshot.page(...place)),
        list: (table, group) =>
          each(honest.read(pod, (snapshot) => Array.fromAsync(snapshot.list(table, group)))),
        all: (table) => each(honest.read(pod, (snapshot) => Array.fromAsync(snapshot.all(table)))),
      }),
  };
  async function* each(entries: Promise<Entry[]>): AsyncGenerator<Entry> {
    yield* await entries;
  }
  /** Writes without looking whether what was read still is so. */
  const careless: Faulty = {
    ...honest,
    async write(pod, work) {
      const writes: [Table, string, string, Uint8Array | null][] = [];
      const result = await honest.read(pod, (snapshot) =>
        work({
          ...snapshot,
          put: (table, group, item, value) => void writes.push([table, group, item, value]),
          delete: (table, group, item) => void writes.push([table, group, item, null]),
          record: () => {},
          use: () => {},
        }),
      );
      const { generation } = await honest.write(pod, async (transaction) => {
        for (const [table, group, item, value] of writes)
          if (value) transaction.put(table, group, item, value);
          else transaction.delete(table, group, item);
      });
      return { result, generation };
    },
  };
  /** Shows some reads what it keeps, for a while. */
  function forgetful(): Faulty {
    let kept: Promise<readonly Entry[]> | null = null;
    let uses = 0;
    return {
      ...honest,
      read: (pod, work) =>
        honest.read(pod, (snapshot) => {
          if (uses++ % 4 === 0) kept = Array.fromAsync(snapshot.all("body"));
          const old = kept ?? Promise.resolve([]);
          return work({
            ...snapshot,
            async get(table, group, item) {
              if (table !== "body") return snapshot.get(table, group, item);
              return (await old).find((entry) => entry.group === group && entry.item === item) ?? null;
            },
          });
        }),
    };
  }
  /** Shows what transactions are about to write. */
  function dirty(): Faulty {
    const drafts = new Map<string, Entry>();
    return {
      ...honest,
      read: (pod, work) =>
        honest.read(pod, (snapshot) =>
          work({
            ...snapshot,
            get: async (table, group, item) =>
              drafts.get(`${table}|${group}|${item}`) ?? snapshot.get(table, group, item),
          }),
        ),
      write: (pod, work) =>
        honest
          .write(pod, (transaction) =>
            work({
              ...transaction,
              put(table, group, item, value) {
                drafts.set(`${table}|${group}|${item}`, {
                  group,
                  item,
                  version: transaction.generation + 1,
                  value,
                });
                transaction.put(table, group, item, value);
              },
            }),
          )
          .finally(() => drafts.clear()),
    };
  }

  for (const [name, store] of [
    ["mixes states in one read", mixing],
    ["writes without looking again", careless],
    ["caches for too long", forgetful()],
    ["shows what is not committed", dirty()],
  ] as const) {
    it(`finds a store out that ${name}`, async () => {
      expect(await findFault(store, { histories: 300, seed: SEED, standsStill: false })).not.to.equal(null);
    });
  }
});
