/** A pod's new key: everything stays as it is, and nothing that was copied before opens with the keyring from then on. */
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { type PodId, SERVER_POD, type Store } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const FAR = { bytes: Number.MAX_SAFE_INTEGER, resources: Number.MAX_SAFE_INTEGER };
const put = (store: Store, pod: PodId, item: string, value: string): Promise<unknown> =>
  store.write(pod, async (transaction) => {
    transaction.put("resource", "/notes/", item, Buffer.from(value));
    transaction.record(Buffer.from(`wrote ${item}`));
    transaction.use({ bytes: value.length, resources: 1 }, FAR);
  });

async function upload(store: Store, pod: PodId, text: string): Promise<string> {
  const { hash } = await store.blobs.write(
    pod,
    [Buffer.from(text)] as unknown as AsyncIterable<Uint8Array>,
    10_000_000,
  );
  await store.write(pod, async (transaction) => transaction.put("blob", hash, "/photos/x", new Uint8Array()));
  return hash;
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** All that can be seen of a pod, versions included. */
async function everything(store: Store, pod: PodId): Promise<unknown> {
  const records = await store.read(pod, async (snapshot) => {
    const found: string[] = [];
    for (const table of ["resource", "blob"] as const)
      for await (const { group, item, version, value } of snapshot.all(table))
        found.push(`${table} ${group} ${item} ${version} ${Buffer.from(value).toString()}`);
    return { generation: snapshot.generation, found: found.sort() };
  });
  const blobs: string[] = [];
  for (const line of records.found)
    if (line.startsWith("blob "))
      blobs.push(await textOf(store.blobs.read(pod, line.split(" ")[1] as string)));
  const journal = (await store.journal.read(pod, 0, 10_000)).map(
    ({ number, entry }) => `${number} ${entry && Buffer.from(entry).toString()}`,
  );
  const { faults } = await store.journal.verify(pod, []);
  const { number, hash } = await store.journal.head(pod);
  return {
    records,
    blobs,
    journal,
    faults,
    head: `${number} ${Buffer.from(hash).toString("hex")}`,
    usage: await store.usage(pod),
  };
}

const codeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(() => "answered").catch((error: Error & { code?: string }) => error.code ?? error.message);

/** The content key that sealed each row, as the rows themselves say, with how many there are. */
function versionsIn(folder: string): Record<string, number> {
  const db = new DatabaseSync(join(folder, "freehold.db"));
  const rows = db
    .prepare(
      `SELECT hex(pod_id) || ' ' || hex(substr(sealed, 2, 2)) AS name, count(*) AS count FROM
       (SELECT pod_id, sealed FROM record UNION ALL SELECT pod_id, sealed FROM journal WHERE sealed IS NOT NULL) GROUP BY 1`,
    )
    .all();
  db.close();
  return Object.fromEntries(rows.map(({ name, count }) => [name as string, count as number]));
}

describe("a pod's new key", () => {
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let folder: string;
  let store: Store;
  let ana: PodId;
  let ben: PodId;

  beforeEach(async () => {
    temporary = await temporaryFolder();
    folder = join(temporary.folder, "data");
    store = await openStoreIn(folder);
    [ana, ben] = [await store.createPod(), await store.createPod()];
    for (let number = 0; number < 700; number++)
      await put(store, ana, `note ${number}`, `value ${number} of ana`);
    await put(store, ana, "long", "long ".repeat(100_000));
    await put(store, ben, "note", "value of ben");
    await upload(store, ana, "a picture ".repeat(50_000));
    await upload(store, ana, "");
    await upload(store, ben, "ben's picture");
    await store.journal.forget(ana, [5, 6]);
  });
  afterEach(async () => {
    await store.close();
    await temporary.remove();
  });

  it("changes nothing that can be read: contents, versions, generation, usage and journal", async () => {
    const before = await everything(store, ana);
    await store.rekey(ana);
    expect(await everything(store, ana)).to.deep.equal(before);
    await store.close();
    store = await openStoreIn(folder);
    expect(await everything(store, ana)).to.deep.equal(before);
    expect((before as { faults: unknown[] }).faults).to.deep.equal([]);
  });

  it("seals every record and entry of the pod anew, and none of another's", async () => {
    await store.rekey(ana);
    await store.close();
    const versions = versionsIn(folder);
    expect(versions[`${ana.toUpperCase()} 0001`]).to.be.greaterThan(1_400);
    expect(versions[`${ana.toUpperCase()} 0000`]).to.equal(undefined);
    expect(versions[`${ben.toUpperCase()} 0001`]).to.equal(undefined);
    store = await openStoreIn(folder);
  });

  it("leaves no sealed byte of before in database or log", async () => {
    await store.close();
    const db = new DatabaseSync(join(folder, "freehold.db"));
    const before = db
      .prepare("SELECT sealed FROM record WHERE pod_id = ? ORDER BY rowid")
      .all(Buffer.from(ana, "hex"))
      .map(({ sealed }) => Buffer.from(sealed as Uint8Array).subarray(5, 40));
    db.close();
    const found = (): number => {
      const files = readdirSync(folder)
        .filter((name) => name.startsWith("freehold.db"))
        .map((name) => readFileSync(join(folder, name)));
      return before.filter((canary) => files.some((bytes) => bytes.includes(canary))).length;
    };
    expect(found(), "the search finds what is there").to.equal(before.length);
    store = await openStoreIn(folder);
    await store.rekey(ana);
    expect(found()).to.equal(0);
  });

  it("with the keyring of now, a copy of before opens nothing of the pod, and all of another's", async () => {
    const old = join(temporary.folder, "old");
    const picture = await upload(store, ana, "a picture ".repeat(50_000));
    const [anaBefore, benBefore] = [await everything(store, ana), await everything(store, ben)];
    await store.close();
    cpSync(folder, old, { recursive: true });
    store = await openStoreIn(folder);
    await store.rekey(ana);
    await store.close();

    cpSync(join(folder, "keyring"), join(old, "keyring"));
    const events: string[] = [];
    const stolen = await openStoreIn(old, {}, events);
    for (const item of ["note 0", "note 699", "long"])
      expect(
        await codeOf(stolen.read(ana, (snapshot) => snapshot.get("resource", "/notes/", item))),
      ).to.equal("unavailable");
    expect(await codeOf(stolen.journal.read(ana, 0, 1))).to.equal("unavailable");
    expect(await codeOf(textOf(stolen.blobs.read(ana, picture)))).to.equal("unavailable");
    expect(await everything(stolen, ben)).to.deep.equal(benBefore);
    await stolen.close();

    store = await openStoreIn(folder);
    expect(await everything(store, ana)).to.deep.equal(anaBefore);
  });

  it("with the keyring of before, a copy of before opens all", async () => {
    const old = join(temporary.folder, "old");
    const before = await everything(store, ana);
    await store.close();
    cpSync(folder, old, { recursive: true });
    store = await openStoreIn(folder);
    await store.rekey(ana);
    const kept = await openStoreIn(old);
    expect(await everything(kept, ana)).to.deep.equal(before);
    await kept.close();
  });

  it("is found by the same names afterwards, again and again, and of the server's own pod too", async () => {
    await put(store, SERVER_POD, "setting", "kept");
    const before = await everything(store, ana);
    for (let times = 0; times < 4; times++) await store.rekey(ana);
    await store.rekey(SERVER_POD);
    expect(await everything(store, ana)).to.deep.equal(before);
    const files = (): readonly string[] =>
      readdirSync(join(folder, "blobs", ana), { recursive: true, encoding: "utf8" }).sort();
    const kept = files();
    await upload(store, ana, "a picture ".repeat(50_000));
    expect(files(), "equal content has one file").to.deep.equal(kept);
    await store.close();
    store = await openStoreIn(folder);
    expect(await everything(store, SERVER_POD)).to.have.nested.property(
      "records.found[0]",
      "resource /notes/ setting 1 kept",
    );
    const versions = versionsIn(folder);
    expect(Object.keys(versions).filter((name) => name.startsWith(ana.toUpperCase()))).to.deep.equal([
      `${ana.toUpperCase()} 0004`,
    ]);
  });

  it("loses nothing of what is written meanwhile, and runs no optimistic transaction twice", async () => {
    const state = { isDone: false };
    let tries = 0;
    let commits = 0;
    const events: string[] = [];
    const counter = async (writer: number): Promise<number> => {
      let count = 0;
      while (!state.isDone) {
        await store.write(ana, async (transaction) => {
          tries++;
          const entry = await transaction.get("resource", "/counters/", `${writer}`);
          const next = Number(entry ? Buffer.from(entry.value).toString() : 0) + 1;
          transaction.put("resource", "/counters/", `${writer}`, Buffer.from(String(next)));
          transaction.record(Buffer.from(`counted ${writer}`));
        });
        commits++;
        count++;
      }
      return count;
    };
    const blobs = async (): Promise<string[]> => {
      const hashes: string[] = [];
      while (!state.isDone) hashes.push(await upload(store, ana, `picture ${hashes.length} `.repeat(1_000)));
      return hashes;
    };
    const listing = async (): Promise<void> => {
      while (!state.isDone) {
        const count = await store.read(ana, async (snapshot) => {
          let members = 0;
          for await (const _ of snapshot.list("resource", "/notes/")) members++;
          return members;
        });
        expect(count).to.equal(701);
        await nextTurn(); // What is cached is answered at once.
      }
    };
    const working = [Promise.all([0, 1, 2, 3].map(counter)), blobs(), listing()] as const;
    for (let times = 0; times < 5; times++) await store.rekey(ana);
    state.isDone = true;
    const [counts, hashes] = await Promise.all(working);
    await store.close();
    store = await openStoreIn(folder, {}, events);
    for (const [writer, count] of counts.entries()) {
      const entry = await store.read(ana, (snapshot) => snapshot.get("resource", "/counters/", `${writer}`));
      expect(Buffer.from(entry?.value ?? []).toString()).to.equal(String(count));
    }
    for (const [number, hash] of hashes.entries())
      expect(await textOf(store.blobs.read(ana, hash))).to.equal(`picture ${number} `.repeat(1_000));
    expect(tries, "each ran once").to.equal(commits);
    expect((await store.journal.verify(ana, [])).faults).to.deep.equal([]);
    expect(events).to.deep.equal([]);
    expect(commits).to.be.greaterThan(20);
  });

  it("goes on under those who look at an earlier state, to the end of their look", async () => {
    await store.read(ana, async (snapshot) => {
      const first = snapshot.list("resource", "/notes/")[Symbol.asyncIterator]();
      await first.next();
      await store.rekey(ana);
      let members = 1;
      for (let step = await first.next(); !step.done; step = await first.next()) members++;
      expect(members).to.equal(701);
    });
  });

  it("asked for three times at once, is done at least twice: the second begins after the deletions of the first", async () => {
    const steps: number[] = [];
    await Promise.all([
      store.rekey(ana),
      store.rekey(ana),
      store.rekey(ana, (done, total) => steps.push(done / total)),
    ]);
    await store.close();
    expect(
      Object.keys(versionsIn(folder)).filter((name) => name.startsWith(ana.toUpperCase())),
    ).to.have.length(1);
    expect(steps.at(-1)).to.equal(1);
    expect([...steps].sort((a, b) => a - b)).to.deep.equal(steps);
    store = await openStoreIn(folder);
  });

  it("lets others have their turn all along", async () => {
    const records = 10_000;
    for (let batch = 0; batch < 10; batch++)
      await store.write(ana, async (transaction) => {
        for (let number = 0; number < records / 10; number++)
          transaction.put("resource", `/many/${batch}/`, `${number}`, Buffer.alloc(400, number));
      });
    let turns = 0;
    let isDone = false;
    const watch = (): void => {
      turns++;
      if (!isDone) setImmediate(watch);
    };
    setImmediate(watch);
    await store.rekey(ana);
    isDone = true;
    expect(turns).to.be.above(records / 1_000); // A few hundred records in each, about a millisecond's work.
  });

  it("of a pod that is not there is not found; erased in the middle, the pod stays erased", async () => {
    expect(await codeOf(store.rekey("ab".repeat(16) as PodId))).to.equal("not-found");
    const [rekeyed] = await Promise.all([codeOf(store.rekey(ana)), store.erasePod(ana)]);
    expect(rekeyed).to.equal("not-found");
    await store.close();
    store = await openStoreIn(folder);
    expect(await codeOf(everything(store, ana))).to.equal("not-found");
    expect(
      Object.keys(versionsIn(folder)).filter((name) => name.startsWith(ana.toUpperCase())),
    ).to.deep.equal([]);
  });

  it("closed in the middle, it is finished when the store is opened again", async () => {
    const before = await everything(store, ana);
    const closing: Promise<void>[] = [];
    const close = (): void => void (closing.length > 0 || closing.push(store.close()));
    expect(await codeOf(store.rekey(ana, close))).to.equal("unavailable");
    await Promise.all(closing);
    expect(
      Object.keys(versionsIn(folder)).filter((name) => name.startsWith(ana.toUpperCase())),
    ).to.have.length(2);
    store = await openStoreIn(folder);
    expect(await everything(store, ana)).to.deep.equal(before);
    await store.close(); // Waits for what goes on in the background.
    store = await openStoreIn(folder);
    await store.rekey(ana);
    expect(await everything(store, ana)).to.deep.equal(before);
  });
});
