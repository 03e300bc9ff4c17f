/** What a stolen disk shows, and what becomes of changed bytes. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { type PodId, SERVER_POD, type Store, TABLES } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const CANARIES = ["canary-group", "canary-item", "canary-value", "canary-blob", "canary-server"];

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** In plain, UTF-16, Base64 (its three alignments) and hex. */
function spellingsOf(canary: string): Buffer[] {
  const base64 = ["", "x", "xx"].map((before) =>
    Buffer.from(before + canary)
      .toString("base64")
      .slice(4, -4),
  );
  const hex = Buffer.from(canary).toString("hex");
  return [
    Buffer.from(canary),
    Buffer.from(canary, "utf16le"),
    ...[...base64, hex, hex.toUpperCase()].map((text) => Buffer.from(text)),
  ];
}

function findings(folder: string, canaries: readonly string[]): string[] {
  const found: string[] = [];
  for (const file of filesIn(folder)) {
    const bytes = readFileSync(file);
    for (const canary of canaries)
      for (const spelling of spellingsOf(canary))
        if (bytes.includes(spelling) || file.includes(canary)) found.push(`${canary} in ${file}`);
  }
  return found;
}

const put = (store: Store, pod: PodId, group: string, item: string, value: string): Promise<unknown> =>
  store.write(pod, async (transaction) => transaction.put("resource", group, item, Buffer.from(value)));

async function answerOf(store: Store, pod: PodId, group: string, item: string): Promise<string> {
  try {
    const entry = await store.read(pod, (snapshot) => snapshot.get("resource", group, item));
    return entry ? Buffer.from(entry.value).toString() : "nothing";
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe("at rest", () => {
  let folder: string;
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    temporary = await temporaryFolder();
    folder = join(temporary.folder, "data");
  });
  afterEach(async () => {
    await temporary.remove();
  });

  it("no file shows a name, a group, a value or a blob, whether closed or in the middle of work", async () => {
    let store = await openStoreIn(folder);
    const ana = await store.createPod();
    for (let times = 0; times < 50; times++)
      await put(
        store,
        ana,
        `/canary-group/${times}/`,
        `canary-item-${times}`,
        `canary-value ${"canary-value ".repeat(times)}`,
      );
    await put(store, SERVER_POD, "canary-server", "canary-server", "canary-server");
    await store.blobs.write(
      ana,
      [Buffer.from("canary-blob ".repeat(50_000))] as unknown as AsyncIterable<Uint8Array>,
      10_000_000,
    );
    await store.write(ana, async (transaction) =>
      transaction.delete("resource", "/canary-group/1/", "canary-item-1"),
    );
    const sizes = filesIn(folder).map((file) => statSync(file).size);
    expect(sizes.reduce((sum, size) => sum + size)).to.be.greaterThan(600_000);
    await store.close();
    expect(findings(folder, CANARIES)).to.deep.equal([]);
    store = await openStoreIn(folder);
    expect(await answerOf(store, ana, "/canary-group/3/", "canary-item-3")).to.match(/^canary-value/);
    await store.close();
    expect(findings(folder, CANARIES)).to.deep.equal([]);
  });

  it("the search for canaries finds what is there", async () => {
    const store = await openStoreIn(folder);
    await store.close();
    expect(findings(folder, ["SQLite format 3"])).not.to.deep.equal([]);
  });

  it("equal names and equal values in different folders and pods look unrelated", async () => {
    const store = await openStoreIn(folder);
    const [ana, ben] = [await store.createPod(), await store.createPod()];
    for (const pod of [ana, ben])
      for (const group of ["/one/", "/two/"]) await put(store, pod, group, "diary.ttl", "same");
    await store.close();
    const db = new DatabaseSync(join(folder, "freehold.db"));
    const rows = db
      .prepare("SELECT hex(group_key) AS g, hex(item_key) AS i, hex(sealed) AS s FROM record")
      .all();
    db.close();
    expect(rows).to.have.length(4);
    for (const column of ["g", "i", "s"])
      expect(new Set(rows.map((row) => row[column])).size, column).to.equal(4);
  });

  describe("changed bytes", () => {
    let ana: PodId;
    beforeEach(async () => {
      const store = await openStoreIn(folder);
      ana = await store.createPod();
      for (const item of ["a", "b"]) await put(store, ana, "/g/", item, `value of ${item}`);
      await store.close();
    });

    function change(work: (db: DatabaseSync) => void): void {
      const db = new DatabaseSync(join(folder, "freehold.db"));
      work(db);
      db.close();
    }

    it("any flipped bit of a record makes that record unavailable, and no other", async function () {
      this.timeout(60_000);
      let length = 0;
      change(
        (db) => (length = Number(db.prepare("SELECT length(sealed) AS n FROM record LIMIT 1").get()?.n)),
      );
      for (let place = 0; place < length; place += 5) {
        let original: Uint8Array = new Uint8Array();
        let rowid = 0;
        change((db) => {
          const row = db.prepare("SELECT rowid, sealed FROM record ORDER BY rowid LIMIT 1").get();
          original = row?.sealed as Uint8Array;
          rowid = Number(row?.rowid);
          const flipped = Uint8Array.from(original);
          flipped[place] = (flipped[place] ?? 0) ^ (1 << (place % 8));
          db.prepare("UPDATE record SET sealed = ? WHERE rowid = ?").run(flipped, rowid);
        });
        const events: string[] = [];
        const store = await openStoreIn(folder, {}, events);
        expect(
          [await answerOf(store, ana, "/g/", "a"), await answerOf(store, ana, "/g/", "b")],
          `bit at ${place}`,
        ).to.deep.equal(["unavailable", "value of b"]);
        expect(events).to.include("store.record.damaged");
        await store.close();
        change((db) => void db.prepare("UPDATE record SET sealed = ? WHERE rowid = ?").run(original, rowid));
      }
    });

    it("a group with a damaged record is not listed as if it had fewer", async () => {
      change(
        (db) =>
          void db
            .prepare("UPDATE record SET sealed = zeroblob(60) WHERE rowid = (SELECT min(rowid) FROM record)")
            .run(),
      );
      const store = await openStoreIn(folder);
      let code = "";
      await store
        .read(ana, async (snapshot) => {
          for await (const _ of snapshot.list("resource", "/g/"));
        })
        .catch((error: Problem) => (code = error.code));
      expect(code).to.equal("unavailable");
      await store.close();
    });

    it("two records that changed places do not open", async () => {
      change((db) => {
        const [a, b] = db.prepare("SELECT rowid, sealed FROM record ORDER BY rowid").all();
        const update = db.prepare("UPDATE record SET sealed = ? WHERE rowid = ?");
        update.run(b?.sealed as Uint8Array, Number(a?.rowid));
        update.run(a?.sealed as Uint8Array, Number(b?.rowid));
      });
      const store = await openStoreIn(folder);
      expect([await answerOf(store, ana, "/g/", "a"), await answerOf(store, ana, "/g/", "b")]).to.deep.equal([
        "unavailable",
        "unavailable",
      ]);
      await store.close();
    });

    it("a record moved to another table or pod does not open", async () => {
      let store = await openStoreIn(folder);
      const ben = await store.createPod();
      await store.close();
      change((db) => {
        db.prepare("UPDATE record SET table_number = ? WHERE rowid = (SELECT min(rowid) FROM record)").run(
          TABLES.body,
        );
        db.prepare("UPDATE record SET pod_id = ? WHERE rowid = (SELECT max(rowid) FROM record)").run(
          Buffer.from(ben, "hex"),
        );
      });
      store = await openStoreIn(folder);
      for (const pod of [ana, ben]) {
        for (const table of ["resource", "body"] as const) {
          const seen: string[] = [];
          await store
            .read(pod, async (snapshot) => {
              for await (const entry of snapshot.all(table)) seen.push(entry.item);
            })
            .catch((error: Problem) => seen.push(error.code));
          expect(seen.filter((item) => item !== "unavailable")).to.deep.equal([]);
        }
      }
      await store.close();
    });
  });

  describe("an erased pod", () => {
    it("leaves no rows and no files, and its key is in no file", async () => {
      const store = await openStoreIn(folder);
      const [ana, ben] = [await store.createPod(), await store.createPod()];
      for (let n = 0; n < 30; n++) await put(store, ana, "/g/", `item ${n}`, "x");
      await put(store, ben, "/g/", "stays", "x");
      await store.blobs.write(ana, [Buffer.from("photo")] as unknown as AsyncIterable<Uint8Array>, 100);
      const keyring = join(folder, "keyring");
      const wrapped = readFileSync(keyring);
      const at = wrapped.indexOf(Buffer.from(ana, "hex"));
      const key = wrapped.subarray(at + 33, at + 65);
      await store.erasePod(ana);
      await store.close();
      const db = new DatabaseSync(join(folder, "freehold.db"));
      const count = (sql: string): number => Number(db.prepare(sql).get(Buffer.from(ana, "hex"))?.n);
      expect(count("SELECT count(*) AS n FROM record WHERE pod_id = ?")).to.equal(0);
      expect(count("SELECT count(*) AS n FROM pod WHERE pod_id = ?")).to.equal(0);
      db.close();
      expect(existsSync(join(folder, "blobs", ana))).to.equal(false);
      expect(filesIn(folder).filter((file) => readFileSync(file).includes(key))).to.deep.equal([]);
    });

    it("stays erased when its records come back from a backup, but not its key", async () => {
      let store = await openStoreIn(folder);
      const ana = await store.createPod();
      await put(store, ana, "/g/", "secret", "x");
      await store.close();
      const backup = readFileSync(join(folder, "freehold.db"));
      store = await openStoreIn(folder);
      await store.erasePod(ana);
      await store.close();
      writeFileSync(join(folder, "freehold.db"), backup);
      store = await openStoreIn(folder);
      expect(await answerOf(store, ana, "/g/", "secret")).to.equal("not-found");
      await store.close(); // What the backup brought back is purged by then.
      const db = new DatabaseSync(join(folder, "freehold.db"));
      expect(
        Number(
          db.prepare("SELECT count(*) AS n FROM record WHERE pod_id = ?").get(Buffer.from(ana, "hex"))?.n,
        ),
      ).to.equal(0);
      db.close();
    });
  });
});
