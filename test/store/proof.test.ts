/** What is out of reach is not called absent: an index that lost an entry is mended, a pod that lost a record is refused. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import type { Problem } from "../../server/errors.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const RECORDS = 300;

describe("proof of absence", () => {
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let pod: PodId;
  let other: PodId;
  let events: string[];

  const open = (): Promise<Store> => openStoreIn(temporary.folder, {}, (events = []));
  const get = (store: Store, of: PodId, name: string): Promise<string> =>
    store
      .read(of, async (snapshot) => ((await snapshot.get("body", name, "")) ? "there" : "absent"))
      .catch((error: Problem) => error.code);
  const put = (store: Store, of: PodId, name: string): Promise<unknown> =>
    store.write(of, async (transaction) => transaction.put("body", name, "", Buffer.from(name)));

  beforeEach(async () => {
    temporary = await temporaryFolder();
    const store = await open();
    [pod, other] = [await store.createPod(), await store.createPod()];
    for (let n = 0; n < RECORDS; n++) await put(store, pod, `${n}`);
    for (let n = 0; n < RECORDS; n += 3)
      await store.write(pod, async (transaction) => transaction.delete("body", `${n}`, ""));
    await put(store, other, "1");
    await store.close();
  });
  afterEach(() => temporary.remove());

  function change(sql: string, ...values: readonly Uint8Array[]): void {
    const database = new DatabaseSync(join(temporary.folder, "freehold.db"));
    // A write that goes around the store, as a flipped bit does.
    database.prepare(sql).run(...values);
    database.close();
  }
  const id = (): Buffer => Buffer.from(pod, "hex");

  it("holds after puts, overwrites and deletions, and after a restart", async () => {
    const store = await open();
    expect(await get(store, pod, "1")).to.equal("there");
    expect(await get(store, pod, "0")).to.equal("absent");
    await store.prove?.(pod);
    await put(store, pod, "1");
    await put(store, pod, "new");
    await store.prove?.(pod);
    await store.close();
    const again = await open();
    expect(await get(again, pod, "new")).to.equal("there");
    await again.close();
    expect(events).to.deep.equal([]);
  });

  const damages: readonly (readonly [string, string])[] = [
    ["a record is gone", "DELETE FROM record WHERE rowid = (SELECT max(rowid) FROM record WHERE pod_id = ?)"],
    [
      "a record has another key",
      "UPDATE record SET item_key = randomblob(16) WHERE rowid = (SELECT max(rowid) FROM record WHERE pod_id = ?)",
    ],
    ["the pod's generation is another", "UPDATE pod SET generation = generation + 1 WHERE pod_id = ?"],
    ["what the pod holds is another", "UPDATE pod SET bytes = bytes + 1 WHERE pod_id = ?"],
    ["the pod's own row is gone", "DELETE FROM pod WHERE pod_id = ?"],
  ];
  for (const [what, sql] of damages) {
    it(`when ${what}, nothing is called absent, and the other pod answers`, async () => {
      change(sql, id());
      const store = await open();
      expect(await get(store, pod, "nothing")).to.equal("unavailable");
      expect(await get(store, other, "1")).to.equal("there");
      expect(await get(store, other, "nothing")).to.equal("absent");
      await store.close();
      expect(events).to.include("store.pod.damaged");
    });
  }

  it("an index that is damaged is made anew from the records, and says so; a key in the records' own rows is not used", async () => {
    const file = join(temporary.folder, "freehold.db");
    const database = new DatabaseSync(file, { readOnly: true });
    const keys = database
      .prepare("SELECT group_key AS item FROM record WHERE pod_id = ? ORDER BY rowid DESC")
      .all(id())
      .map(({ item }) => item as Uint8Array);
    database.close();
    const whole = readFileSync(file);
    const placesOf = (key: Uint8Array): number[] => {
      const found: number[] = [];
      for (let at = 0; (at = whole.indexOf(key, at + 1)) > 0; ) found.push(at);
      return found;
    };
    // A page that was split may still have a copy of some keys where nobody looks.
    const places = keys.map(placesOf).find(({ length }) => length === 2) ?? [];
    expect(places, "in the table and in its index").to.have.length(2);
    let mended = 0;
    for (const place of places) {
      const bytes = Buffer.from(whole);
      bytes[place + 15] = (bytes[place + 15] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      const store = await open();
      expect(await get(store, pod, `${RECORDS - 1}`)).to.equal("there");
      expect(await get(store, pod, "nothing")).to.equal("absent");
      await store.prove?.(pod);
      await store.close();
      mended += events.filter((event) => event === "store.index.mended").length;
    }
    expect(mended).to.equal(1);
  });

  it("a record whose version is another is refused, and no other", async () => {
    change(
      "UPDATE record SET version = version - 1 WHERE rowid = (SELECT max(rowid) FROM record WHERE pod_id = ?)",
      id(),
    );
    const store = await open();
    expect(await get(store, pod, `${RECORDS - 1}`)).to.equal("unavailable");
    expect(await get(store, pod, "1")).to.equal("there");
    await store.close();
  });
});
