/** Whoever changes a journal behind the server's back is found out: every bit, every deletion, every swap, every cut. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { encodeEntry } from "../../server/journal/entry.ts";
import type { SignedHead } from "../../server/journal/heads.ts";
import type { Store } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";
import { createTestJournal, SHOP, type TestJournal } from "./fixture.ts";

interface Row {
  readonly number: number;
  readonly leaf: Uint8Array;
  readonly sealed: Uint8Array | null;
}
interface End {
  readonly journal_number: number;
  readonly journal_hash: Uint8Array;
}

const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const changed = Uint8Array.from(bytes);
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
};

/** Twelve things done to a pod, a head signed in the middle, and one entry erased as it should be. */
async function fill({ journal, pod }: TestJournal): Promise<void> {
  for (let n = 1; n <= 5; n++)
    await journal.note(pod, { act: "create", agent: SHOP, path: `/ana/notes/${n}.ttl` });
  await journal.signHeads();
  for (let n = 1; n <= 4; n++)
    await journal.note(pod, { act: "look", agent: SHOP, path: `/ana/notes/${n}.ttl`, bytes: 100 });
  expect(await journal.forget(pod, (path) => path === "/ana/notes/3.ttl")).to.equal(2);
}

describe("whoever edits a journal is found out", () => {
  let folder: string;
  let remove: () => Promise<void>;
  let store: Store;
  let test: TestJournal;
  let raw: DatabaseSync;
  let podId: Buffer;

  const rows = (): Row[] =>
    raw
      .prepare("SELECT number, leaf, sealed FROM journal WHERE pod_id = ? ORDER BY number")
      .all(podId) as unknown as Row[];
  const put = ({ number, leaf, sealed }: Row): unknown =>
    raw
      .prepare("INSERT OR REPLACE INTO journal (pod_id, number, leaf, sealed) VALUES (?, ?, ?, ?)")
      .run(podId, number, leaf, sealed);
  const drop = (number: number): unknown =>
    raw.prepare("DELETE FROM journal WHERE pod_id = ? AND number = ?").run(podId, number);
  const faults = async (outside: readonly SignedHead[] = []): Promise<readonly string[]> =>
    (await test.journal.verify(test.pod, outside)).faults;

  /** Edits, looks whether it is found, and puts everything back. @returns the faults. */
  async function faultsAfter(edit: () => void): Promise<readonly string[]> {
    const before = rows();
    raw.exec("BEGIN");
    edit();
    raw.exec("COMMIT");
    const found = await faults();
    raw.exec("BEGIN");
    raw.prepare("DELETE FROM journal WHERE pod_id = ?").run(podId);
    for (const row of before) put(row);
    raw.exec("COMMIT");
    return found;
  }

  /** The database is closed, edited, and opened again: the end of the journal is kept in memory while it is open. */
  async function reopened(edit: () => void): Promise<void> {
    await store.close();
    edit();
    store = await openStoreIn(folder);
    test = await createTestJournal(store);
  }

  before(async () => {
    const temporary = await temporaryFolder();
    folder = temporary.folder;
    remove = () => temporary.remove();
    store = await openStoreIn(folder);
    test = await createTestJournal(store);
    await fill(test);
    raw = new DatabaseSync(join(folder, "freehold.db"));
    raw.exec("PRAGMA synchronous = OFF"); // Nobody pulls the plug on this one.
    podId = Buffer.from(test.pod.id, "hex");
  });
  after(async () => {
    raw.close();
    await store.close();
    await remove();
  });

  it("and nothing is found where nobody did", async () => {
    const report = await test.journal.verify(test.pod);
    expect(report).to.deep.include({ forgotten: 2, heads: 1, faults: [], warnings: [] });
    expect(report.entries).to.equal(rows().length).and.to.be.greaterThan(10);
  });

  it("by every single bit of an entry, of its leaf, and of its number", async function () {
    this.timeout(60_000);
    let edits = 0;
    const missed: string[] = [];
    const samples = rows().filter((_, index, all) => [0, 2, 5, all.length - 1].includes(index));
    for (const row of samples) {
      const attempt = async (name: string, edit: () => void): Promise<void> => {
        edits++;
        if ((await faultsAfter(edit)).length === 0) missed.push(`${row.number}: ${name}`);
      };
      for (let bit = 0; bit < row.leaf.length * 8; bit++)
        await attempt(`leaf ${bit}`, () => put({ ...row, leaf: flip(row.leaf, bit) }));
      for (let bit = 0; row.sealed && bit < row.sealed.length * 8; bit++)
        await attempt(`sealed ${bit}`, () =>
          put({ ...row, sealed: flip(row.sealed ?? new Uint8Array(), bit) }),
        );
      for (let bit = 0; bit < 40; bit++)
        await attempt(`number ${bit}`, () => {
          drop(row.number);
          const other = Number(BigInt(row.number) ^ (1n << BigInt(bit)));
          put({ ...row, number: other });
        });
    }
    expect(missed).to.deep.equal([]);
    expect(edits).to.be.greaterThan(3_000);
  });

  it("by every deletion, every swap, every copy over another, and every entry that was emptied", async () => {
    const all = rows();
    for (const one of all) {
      expect(await faultsAfter(() => drop(one.number)), `without ${one.number}`).not.to.deep.equal([]);
      if (one.sealed)
        expect(
          await faultsAfter(() => put({ ...one, sealed: null })),
          `${one.number} emptied`,
        ).not.to.deep.equal([]);
      for (const other of all) {
        if (other.number === one.number) continue;
        const swapped = await faultsAfter(() => {
          put({ ...other, number: one.number });
          put({ ...one, number: other.number });
        });
        expect(swapped, `${one.number} and ${other.number} swapped`).not.to.deep.equal([]);
        const copied = await faultsAfter(() => put({ ...other, number: one.number }));
        expect(copied, `${other.number} over ${one.number}`).not.to.deep.equal([]);
      }
    }
  });

  it("by every truncation, also when the end is moved to where it is cut", async () => {
    const all = rows();
    for (let kept = 0; kept < all.length; kept++)
      expect(
        await faultsAfter(() => all.slice(kept).forEach(({ number }) => drop(number))),
        `after ${kept}`,
      ).not.to.deep.equal([]);
    const { journal_number: number } = raw
      .prepare("SELECT journal_number, journal_hash FROM pod WHERE pod_id = ?")
      .get(podId) as unknown as End;
    await reopened(() => {
      raw.prepare("UPDATE pod SET journal_number = ? WHERE pod_id = ?").run(number - 1, podId);
      drop(number);
    });
    expect(await faults()).not.to.deep.equal([]);
    await reopened(() => {
      raw.prepare("UPDATE pod SET journal_number = ? WHERE pod_id = ?").run(number, podId);
      put(all.at(-1)!);
    });
    expect(await faults()).to.deep.equal([]);
  });

  it("by every single bit of where the journal ends", async function () {
    this.timeout(60_000);
    const bits = 32 * 8 + 24;
    const others: TestJournal[] = [];
    for (let bit = 0; bit < bits; bit++) {
      const other = await createTestJournal(store, { name: `pod-${bit}` });
      await other.journal.note(other.pod, { act: "look", agent: SHOP, path: "/x" });
      others.push(other);
    }
    await reopened(() => {
      const update = raw.prepare("UPDATE pod SET journal_number = ?, journal_hash = ? WHERE pod_id = ?");
      for (const [bit, { pod }] of others.entries()) {
        const id = Buffer.from(pod.id, "hex");
        const end = raw
          .prepare("SELECT journal_number, journal_hash FROM pod WHERE pod_id = ?")
          .get(id) as unknown as End;
        if (bit < 256) update.run(end.journal_number, flip(end.journal_hash, bit), id);
        else update.run(end.journal_number ^ (1 << (bit - 256)), end.journal_hash, id);
      }
    });
    const missed: number[] = [];
    for (const [bit, { pod }] of others.entries())
      if ((await test.journal.verify(pod)).faults.length === 0) missed.push(bit);
    expect(missed).to.deep.equal([]);
  });

  it("by a signed head that is gone, or was made by somebody else", async () => {
    const heads = raw.prepare("SELECT * FROM record WHERE pod_id = ? AND table_number = 17").all(podId);
    expect(heads).to.have.lengthOf(1);
    await reopened(() => raw.prepare("DELETE FROM record WHERE pod_id = ? AND table_number = 17").run(podId));
    expect(await faults()).to.include("The signed head of entry 5, made at entry 6, is gone");
    await reopened(() => {
      const { pod_id, table_number, group_key, item_key, version, sealed } = heads[0] as Record<
        string,
        Uint8Array
      >;
      raw
        .prepare(
          "INSERT INTO record (pod_id, table_number, group_key, item_key, version, sealed) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .run(pod_id!, table_number!, group_key!, item_key!, version!, sealed!);
    });
    expect(await faults()).to.deep.equal([]);
    const mine = await test.journal.head(test.pod);
    expect(await faults([mine])).to.deep.equal([]);
    for (const forged of [
      { ...mine, number: mine.number - 1 },
      { ...mine, hash: Buffer.alloc(32).toString("base64url") },
      { ...mine, time: new Date(0).toISOString() },
      { ...mine, key: "another" },
    ])
      expect(await faults([forged])).to.satisfy((found: string[]) =>
        found.some((fault) => fault.endsWith("was not signed by this server")),
      );
    expect(await faults([{ ...mine, pod: "bob" }])).to.deep.equal(["A given head is of bob, not of ana"]);
  });

  it("even when the whole pod is put back to what it was: by a head that was kept outside", async () => {
    // Whatever the database has of a pod.
    const tables = raw
      .prepare(
        "SELECT name FROM sqlite_schema s WHERE type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(s.name) WHERE name = 'pod_id')",
      )
      .all()
      .map(({ name }) => String(name));
    expect(tables).to.include.members(["pod", "record", "journal"]);
    const state = new Map(
      tables.map((table) => [table, raw.prepare(`SELECT * FROM ${table} WHERE pod_id = ?`).all(podId)]),
    );
    await test.journal.note(test.pod, { act: "look", agent: SHOP, path: "/ana/secret.ttl" });
    const outside = await test.journal.head(test.pod);
    await reopened(() => {
      for (const [table, kept] of state) {
        raw.prepare(`DELETE FROM ${table} WHERE pod_id = ?`).run(podId);
        for (const row of kept) {
          const names = Object.keys(row);
          raw
            .prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => "?").join()})`)
            .run(...(Object.values(row) as Uint8Array[]));
        }
      }
    });
    expect(await faults()).to.deep.equal([]); // From inside, it looks as it did then.
    expect(await faults([outside])).to.deep.equal([
      `A signed head names entry ${outside.number}, which is not there`,
    ]);
    // What comes in its place does not make up for it.
    await test.journal.note(test.pod, { act: "look", agent: SHOP, path: "/ana/other.ttl" });
    expect(await faults([outside])).to.deep.equal([
      `Up to entry ${outside.number} the journal is not what a signed head says it was`,
    ]);
  });

  it("warns of a clock that was set back, and of entries that nobody understands", async () => {
    let time = Date.parse("2026-05-01T12:00:00Z");
    const other = await createTestJournal(store, { name: "clock", now: () => new Date(time) });
    await other.journal.note(other.pod, { act: "look", path: "/x" });
    time -= 5_000; // Neighbours may be in the other order by as much.
    await other.journal.note(other.pod, { act: "look", path: "/x" });
    time -= 3_600_000;
    await other.journal.note(other.pod, { act: "look", path: "/x" });
    await other.journal.note(other.pod, { act: "look", path: "/x" });
    const { faults: none, warnings } = await other.journal.verify(other.pod);
    expect(none).to.deep.equal([]);
    // By the clock as it is now, what came before is from the future.
    expect(warnings).to.deep.equal([
      "Entry 1 is from the future",
      "Entry 2 is from the future",
      "At entry 3 the clock was set back by 3605 seconds",
    ]);
    await store.write(other.pod.id, async (transaction) => {
      transaction.record(new TextEncoder().encode('{"t":1}'));
      transaction.record(encodeEntry({ act: "look" }, time));
    });
    expect((await other.journal.verify(other.pod)).faults).to.deep.equal([
      "Entry 5 is not one that this server understands",
    ]);
  });
});
