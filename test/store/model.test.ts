/** Random histories on the reference engine and on each other side by side: every answer must be the same. */
import { expect } from "chai";
import fc from "fast-check";
import type { Entry, PodId, Snapshot, Store, Table, Transaction } from "../../server/store/store.ts";
import { ENGINES, openTestStore, type TestStore } from "../support/store.ts";

const table = fc.constantFrom<Table>("resource", "body");
const group = fc.constantFrom("/a/", "/b/", "");
const item = fc.constantFrom("", "x", "y", "z");
const place = fc.record({ table, group, item });

type Place = { table: Table; group: string; item: string };
type Step =
  | { kind: "get"; place: Place }
  | { kind: "list"; place: Place }
  | { kind: "all"; place: Place }
  | { kind: "put"; place: Place; size: number }
  | { kind: "delete"; place: Place };

const look: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("get" as const, "list" as const, "all" as const),
  place,
});
const change: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), place, size: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ kind: fc.constant("delete" as const), place }),
);
/** A transaction, and whether another one commits in its middle. */
const script = fc.record({
  steps: fc.array(fc.oneof(look, change), { minLength: 1, maxLength: 6 }),
  between: fc.option(fc.array(change, { minLength: 1, maxLength: 3 }), { nil: null }),
  at: fc.nat({ max: 5 }),
  fails: fc.boolean(),
  isRead: fc.boolean(),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

const isChange = ({ kind }: Step): boolean => kind === "put" || kind === "delete";

const show = (entry: Entry | null): string =>
  entry ? `${entry.group}|${entry.item}@${entry.version}:${Buffer.from(entry.value).toString("hex")}` : "-";

async function showAll(entries: AsyncIterable<Entry>): Promise<string> {
  const shown: string[] = [];
  for await (const entry of entries) shown.push(show(entry));
  return shown.sort().join(" ");
}

async function perform(
  step: Step,
  snapshot: Snapshot,
  transaction: Transaction | null,
  seen: string[],
): Promise<void> {
  const { table, group, item } = step.place;
  if (step.kind === "get") seen.push(show(await snapshot.get(table, group, item)));
  else if (step.kind === "list") seen.push(await showAll(snapshot.list(table, group)));
  else if (step.kind === "all") seen.push(await showAll(snapshot.all(table)));
  else if (step.kind === "put") transaction?.put(table, group, item, Buffer.alloc(step.size, step.size));
  else transaction?.delete(table, group, item);
}

/** Everything that a caller of this history could see; of work that ran again, its last run. */
async function play(
  store: Store,
  pod: PodId,
  { steps, between, at, fails, isRead }: Script,
): Promise<unknown> {
  let hasCommitted = false;
  let seen: string[] = [];
  const work = async (snapshot: Snapshot, transaction: Transaction | null): Promise<void> => {
    seen = [];
    for (const [index, step] of steps.entries()) {
      if (between && index === Math.min(at, steps.length - 1) && !hasCommitted) {
        hasCommitted = true;
        await store.write(pod, async (other) => {
          for (const step of between) await perform(step, other, other, []);
        });
      }
      await perform(step, snapshot, transaction, seen);
    }
    if (fails) throw new Error("the work failed");
  };
  try {
    if (isRead) {
      await store.read(pod, (snapshot) => work(snapshot, null));
      return { seen };
    }
    const { generation } = await store.write(pod, (transaction) => work(transaction, transaction));
    return steps.some(isChange) ? { seen, generation } : { seen };
  } catch (error) {
    return (error as Error).message;
  }
}

async function whole(store: Store, pod: PodId): Promise<unknown> {
  return store.read(pod, async (snapshot) => [
    snapshot.generation,
    await showAll(snapshot.all("resource")),
    await showAll(snapshot.all("body")),
  ]);
}

for (const engine of ENGINES.filter((one) => one !== "memory"))
  describe(`memory and ${engine} agree`, function () {
    this.timeout(60_000);
    const isRemote = engine === "postgres"; // A commit is a sync of another process there: fewer of them tell as much.
    let memory: TestStore;
    let other: TestStore;

    before(async () => {
      memory = await openTestStore("memory");
      // A cache this small forgets all the time: half of the answers must come from the database.
      other = await openTestStore(engine, { limits: { recordCacheBytesMax: 6_000 } });
    });
    after(async () => {
      await memory.dispose();
      await other.dispose();
    });

    it("on every random history of interleaved transactions", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(script, { minLength: 1, maxLength: 12 }), async (scripts) => {
          const pods = [await memory.store.createPod(), await other.store.createPod()] as const;
          for (const one of scripts) {
            const expected = await play(memory.store, pods[0], one);
            const found = await play(other.store, pods[1], one);
            if (one.between && (one.isRead || !one.steps.some(isChange))) {
              // Whoever only reads may see the state before the other's commit or the one after it, but no mixture.
              const later = await play(memory.store, pods[0], { ...one, between: null });
              expect(found).to.be.deep.oneOf([expected, later]);
            } else expect(found).to.deep.equal(expected);
            expect(await whole(other.store, pods[1])).to.deep.equal(await whole(memory.store, pods[0]));
          }
        }),
        { numRuns: isRemote ? 40 : 150 },
      );
    });

    it("and concurrent histories are serial: each commit saw the state that the one before it left", async () => {
      const addition = fc.record({
        reads: fc.array(item, { maxLength: 3 }),
        lists: fc.boolean(),
        writes: item,
      });
      await fc.assert(
        fc.asyncProperty(fc.array(addition, { minLength: 2, maxLength: 16 }), async (additions) => {
          for (const { store } of [memory, other]) {
            const pod = await store.createPod();
            const commits = await Promise.all(
              additions.map(async ({ reads, lists, writes }) => {
                const { result, generation } = await store.write(pod, async (transaction) => {
                  const seen = new Map<string, number>();
                  for (const name of reads)
                    seen.set(name, (await transaction.get("body", "g", name))?.version ?? 0);
                  if (lists) for (const name of ["", "x", "y", "z"]) seen.set(name, 0);
                  if (lists)
                    for await (const entry of transaction.list("body", "g"))
                      seen.set(entry.item, entry.version);
                  transaction.put("body", "g", writes, Buffer.from("v"));
                  return seen;
                });
                return { seen: result, generation, writes };
              }),
            );
            const state = new Map<string, number>();
            for (const { seen, generation, writes } of commits.sort((a, b) => a.generation - b.generation)) {
              for (const [name, version] of seen) expect(version, name).to.equal(state.get(name) ?? 0);
              state.set(writes, generation);
            }
            expect(new Set(commits.map(({ generation }) => generation)).size).to.equal(additions.length);
          }
        }),
        { numRuns: isRemote ? 30 : 60 },
      );
    });

    it("and readers among writers never see half a commit, nor an older state than they saw before", async () => {
      const { store } = other;
      const pod = await store.createPod();
      const write = (n: number): Promise<unknown> =>
        store.write(pod, async (transaction) => {
          for (const name of ["x", "y", "z"]) transaction.put("body", "pair", name, Buffer.from(String(n)));
          transaction.put("body", `other ${n}`, "", Buffer.from("."));
        });
      await write(0);
      const done = new AbortController();
      let reads = 0;
      const reader = async (): Promise<void> => {
        let last = -1;
        while (!done.signal.aborted) {
          const seen = await store.read(pod, async (snapshot) => {
            const values = [];
            for (const name of ["x", "y", "z"]) {
              values.push(
                Number(Buffer.from((await snapshot.get("body", "pair", name))?.value ?? []).toString()),
              );
              if (reads % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
            }
            for await (const entry of snapshot.list("body", "pair"))
              values.push(Number(Buffer.from(entry.value).toString()));
            return values;
          });
          reads++;
          expect(new Set(seen).size, String(seen)).to.equal(1);
          expect(seen[0]).to.be.at.least(last);
          last = seen[0] ?? -1;
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const readers = Array.from({ length: 8 }, reader);
      for (let n = 1; n <= 300; n++) await write(n);
      done.abort();
      await Promise.all(readers);
      expect(reads).to.be.greaterThan(100);
    });
  });
