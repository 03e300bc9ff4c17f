/** What is PostgreSQL's own: several servers and their keys, moving in, what the database shows, and when it is not there. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import pg from "pg";
import { Problem } from "../../server/errors.ts";
import type { PostgresStore } from "../../server/store/postgres.ts";
import { StoreRefused } from "../../server/store/refused.ts";
import { type PodId, SERVER_POD, type Store } from "../../server/store/store.ts";
import { describeOnPostgres, testPostgres } from "../support/postgres.ts";
import { openPostgresIn, openStoreIn, temporaryFolder } from "../support/store.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const put = (store: Store, pod: PodId, group: string, value: string): Promise<unknown> =>
  store.write(pod, async (transaction) => {
    transaction.put("body", group, "", bytes(value));
    transaction.record(bytes(`put ${group}`));
    transaction.use({ bytes: value.length, resources: 1 }, { bytes: 1_000_000, resources: 1_000 });
  });
const get = (store: Store, pod: PodId, group: string): Promise<string | null> =>
  store.read(pod, async (snapshot) => {
    const entry = await snapshot.get("body", group, "");
    return entry && Buffer.from(entry.value).toString();
  });
async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}
async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "";
  } catch (error) {
    if (error instanceof StoreRefused) return error.message;
    throw error;
  }
}

describeOnPostgres("PostgreSQL", function () {
  this.timeout(60_000);
  let folder: string;
  let remove: () => Promise<void>;
  let url: string;
  let one: PostgresStore;
  let two: PostgresStore;

  beforeEach(async () => {
    const temporary = await temporaryFolder();
    folder = temporary.folder;
    remove = () => temporary.remove();
    url = await testPostgres().createDatabase();
    [one, two] = await Promise.all([openPostgresIn(url, folder), openPostgresIn(url, folder)]); // One of them makes it.
  });
  afterEach(async () => {
    await Promise.all([one.close(), two.close()]);
    await testPostgres().dropDatabase(url);
    await remove();
  });

  async function query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(text, values);
    await client.end();
    return rows as Record<string, unknown>[];
  }

  describe("several servers", () => {
    it("see at once what another has committed, in cached records, lists and absences", async () => {
      const pod = await one.createPod();
      for (let n = 0; n < 20; n++) {
        const [writer, reader] = n % 2 ? [one, two] : [two, one];
        expect(await get(reader, pod, `g${n}`)).to.equal(null);
        await put(writer, pod, `g${n}`, "new");
        await put(writer, pod, "same", String(n));
        expect(await get(reader, pod, `g${n}`)).to.equal("new");
        expect(await get(reader, pod, "same")).to.equal(String(n));
      }
    });

    it("add pods at the same time, and lose no key of any", async () => {
      const pods = await Promise.all(Array.from({ length: 30 }, (_, n) => (n % 2 ? one : two).createPod()));
      await Promise.all(pods.map((pod, n) => put(n % 2 ? two : one, pod, "g", `of ${n}`)));
      const third = await openPostgresIn(url, folder);
      for (const [n, pod] of pods.entries()) expect(await get(third, pod, "g")).to.equal(`of ${n}`);
      await third.close();
    });

    it("an erased pod is gone in the other at the next request, and no row of it is left", async () => {
      const pod = await one.createPod();
      await put(one, pod, "g", "secret");
      expect(await get(two, pod, "g")).to.equal("secret");
      await one.erasePod(pod);
      expect(await codeOf(get(two, pod, "g"))).to.equal("not-found");
      expect(await codeOf(put(two, pod, "g", "again"))).to.equal("not-found");
      for (const table of ["pod", "record", "journal", "blob", "blob_part"]) {
        const rows = await query(`SELECT count(*) AS n FROM ${table} WHERE pod_id = $1`, [
          Buffer.from(pod, "hex"),
        ]);
        expect(Number(rows[0]?.["n"]), table).to.equal(0);
      }
    });

    it("count a quota exactly, and continue one journal", async () => {
      const pod = await one.createPod();
      const results = await Promise.allSettled(
        Array.from({ length: 40 }, (_, n) =>
          (n % 2 ? one : two).write(pod, async (transaction) => {
            transaction.use({ bytes: 10, resources: 1 }, { bytes: 250, resources: 1_000 });
            transaction.record(bytes(`${n}`));
          }),
        ),
      );
      expect(results.filter(({ status }) => status === "fulfilled")).to.have.length(25);
      expect(await two.usage(pod)).to.deep.equal({ bytes: 250, resources: 25 });
      const report = await one.journal.verify(pod, [await two.journal.head(pod)]);
      expect(report).to.deep.equal({ entries: 25, forgotten: [], faults: [] });
    });

    it("hear of one another's commits", async () => {
      const pod = await one.createPod();
      const heard: (string | null)[] = [];
      const stop = two.onChange((changed) => heard.push(changed));
      await sleep(200);
      await put(one, pod, "g", "1");
      for (let tries = 0; tries < 100 && !heard.includes(pod); tries++) await sleep(20);
      expect(heard).to.include(pod);
      stop();
    });

    it("give a pod a new key while both write, and nothing of the old key is left", async () => {
      const pod = await one.createPod();
      for (let n = 0; n < 30; n++) await put(n % 2 ? one : two, pod, `g${n}`, `value ${n}`);
      const { hash } = await one.blobs.write(
        pod,
        [randomBytes(300_000)] as unknown as AsyncIterable<Uint8Array>,
        1e6,
      );
      await one.write(pod, async (transaction) => transaction.put("blob", hash, "/a", new Uint8Array()));
      const over = new AbortController();
      const writing = (async () => {
        for (let n = 0; !over.signal.aborted; n++) await put(two, pod, `during ${n % 10}`, "x");
      })();
      await one.rekey(pod);
      over.abort();
      await writing;
      for (let n = 0; n < 30; n++) {
        expect(await get(two, pod, `g${n}`)).to.equal(`value ${n}`);
        expect(await get(one, pod, `g${n}`)).to.equal(`value ${n}`);
      }
      expect((await buffer(two.blobs.read(pod, hash))).length).to.equal(300_000);
      const id = Buffer.from(pod, "hex");
      for (const table of ["record", "journal"]) {
        const rows = await query(
          `SELECT DISTINCT substring(sealed FROM 2 FOR 2) AS version FROM ${table} WHERE pod_id = $1`,
          [id],
        );
        expect(
          rows.map(({ version }) => (version as Buffer).toString("hex")),
          table,
        ).to.deep.equal(["0001"]);
      }
      expect((await one.journal.verify(pod, [])).faults).to.deep.equal([]);
    });
  });

  it("shows names and contents to nobody who has the database", async () => {
    const pod = await one.createPod();
    await put(one, pod, "/ana/canary-in-a-name.ttl", "canary-in-a-value");
    const { hash } = await one.blobs.write(
      pod,
      [bytes("canary-in-a-file")] as unknown as AsyncIterable<Uint8Array>,
      100,
    );
    await one.write(pod, async (transaction) => transaction.put("blob", hash, "/canary", new Uint8Array()));
    for (const table of ["pod", "record", "journal", "blob", "blob_part", "keyring", "setting"]) {
      for (const row of await query(`SELECT * FROM ${table}`)) {
        for (const value of Object.values(row)) {
          const text = Buffer.isBuffer(value) ? value.toString("latin1") : String(value);
          expect(text, table).not.to.include("canary");
        }
      }
    }
  });

  describe("opening", () => {
    it("refuses another root key, and a missing one", async () => {
      const other = await temporaryFolder();
      expect(await refusalOf(openPostgresIn(url, other.folder))).to.include("is missing");
      await writeFile(join(other.folder, "root.key"), randomBytes(32), { mode: 0o600 });
      expect(await refusalOf(openPostgresIn(url, other.folder))).to.include("does not fit");
      await other.remove();
    });

    it("refuses a newer schema", async () => {
      await query("INSERT INTO migration (pod_id, number, applied, about) VALUES ($1, 99, 0, 'later')", [
        Buffer.from(SERVER_POD, "hex"),
      ]);
      expect(await refusalOf(openPostgresIn(url, folder))).to.include("newer Freehold");
    });

    it("waits for a database that is not up yet, and not for ever", async () => {
      const pod = await one.createPod();
      await put(one, pod, "g", "1");
      await testPostgres().kill();
      const late = openPostgresIn(url, folder);
      const never = refusalOf(openPostgresIn(url, folder, { limits: { databaseStartMsMax: 300 } }));
      expect(await never).to.include("cannot be used");
      await testPostgres().restart();
      const third = await late;
      expect(await get(third, pod, "g")).to.equal("1");
      await third.close();
    });
  });

  describe("a database that is gone for a while", () => {
    it("answers 503 and nothing wrong, and goes on when it is back", async () => {
      const pod = await one.createPod();
      await put(one, pod, "g", "1");
      await one.close();
      one = await openPostgresIn(url, folder, { limits: { databaseWaitMsMax: 300 } });
      expect(await get(one, pod, "g")).to.equal("1");
      await testPostgres().kill();
      expect(await codeOf(get(one, pod, "g")), "though it is cached").to.equal("unavailable");
      expect(await codeOf(put(one, pod, "g", "2"))).to.equal("unavailable");
      expect(await codeOf(one.check())).to.equal("unavailable");
      await testPostgres().restart();
      expect(await get(one, pod, "g")).to.equal("1");
      await put(one, pod, "g", "3");
      expect(await get(two, pod, "g")).to.equal("3");
      await one.check();
    });

    async function whenWaiting(): Promise<number> {
      for (;;) {
        const [found] = await query(
          "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'freehold' AND wait_event_type = 'Lock'",
        );
        if (found) return Number(found["pid"]);
        await sleep(10);
      }
    }

    it("says that the outcome is unknown where it is: the commit was sent, and nobody is there to ask", async () => {
      const pod = await one.createPod();
      await one.close();
      one = await openPostgresIn(url, folder, { limits: { databaseWaitMsMax: 300 } });
      const other = new pg.Client({ connectionString: url });
      other.on("error", () => {});
      await other.connect();
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM pod FOR UPDATE");
      const answer = codeOf(put(one, pod, "g", "1"));
      await whenWaiting();
      await testPostgres().kill();
      expect(await answer).to.equal("outcome-unknown");
      await testPostgres().restart();
    });

    it("does not say so of a commit that was never sent", async () => {
      const pod = await one.createPod();
      await one.close();
      one = await openPostgresIn(url, folder, { limits: { databaseWaitMsMax: 300 } });
      const answer = one.write(pod, async (transaction) => {
        transaction.put("body", "g", "", bytes("1"));
        await testPostgres().kill();
      });
      expect(await codeOf(answer)).to.equal("unavailable");
      await testPostgres().restart();
      expect(await get(one, pod, "g")).to.equal(null);
    });

    it("finds out what became of a commit though all connections for commits are taken", async () => {
      const pod = await one.createPod();
      await one.close();
      one = await openPostgresIn(url, folder, { limits: { databaseCommitsMax: 1 } });
      const content = [bytes("a file")] as unknown as AsyncIterable<Uint8Array>;
      const { hash } = await one.blobs.write(pod, content, 100);
      const other = new pg.Client({ connectionString: url });
      await other.connect();
      await other.query("BEGIN");
      await other.query("LOCK TABLE record IN EXCLUSIVE MODE"); // What reads goes on, what writes waits.
      const writing = one.write(pod, async (transaction) =>
        transaction.put("blob", hash, "/a", new Uint8Array()),
      );
      await query(`SELECT pg_terminate_backend(${await whenWaiting()})`);
      await sleep(100);
      await other.end();
      await writing;
      expect((await buffer(one.blobs.read(pod, hash))).toString()).to.equal("a file");
    });

    it("takes back no commit that it acknowledged, and does none twice", async () => {
      const pod = await one.createPod();
      let acknowledged = 0;
      let unknown = 0;
      const over = new AbortController();
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        while (!over.signal.aborted) {
          try {
            await (writer % 2 ? one : two).write(pod, async (transaction) => {
              const entry = await transaction.get("setting", "", "count");
              const count = Number(entry ? Buffer.from(entry.value).toString() : 0);
              transaction.put("setting", "", "count", bytes(String(count + 1)));
            });
            acknowledged++;
          } catch (error) {
            if (!(error instanceof Problem)) throw error;
            unknown++;
            await sleep(20);
          }
        }
      });
      for (let times = 0; times < 3; times++) {
        await sleep(150);
        await testPostgres().restart();
      }
      await sleep(300);
      over.abort();
      await Promise.all(writers);
      const count = await one.read(
        pod,
        async (snapshot) => (await snapshot.get("setting", "", "count"))?.value,
      );
      expect(Number(Buffer.from(count ?? []).toString())).to.be.within(acknowledged, acknowledged + unknown);
      expect(acknowledged).to.be.greaterThan(20);
    });
  });

  it("takes in a data folder as it is, and gives it out again: keys, records, journals, files", async () => {
    const home = await temporaryFolder();
    const sqlite = await openStoreIn(home.folder);
    const ana = await sqlite.createPod();
    const gone = await sqlite.createPod();
    for (let n = 0; n < 600; n++) await put(sqlite, ana, `g${n}`, `value ${n}`);
    const content = randomBytes(1_200_000);
    const { hash } = await sqlite.blobs.write(
      ana,
      [content] as unknown as AsyncIterable<Uint8Array>,
      2_000_000,
    );
    await sqlite.write(ana, async (transaction) => transaction.put("blob", hash, "/a", new Uint8Array()));
    await put(sqlite, gone, "g", "1");
    await sqlite.erasePod(gone);
    const target = await testPostgres().createDatabase();
    const moved = await openPostgresIn(target, home.folder, {}, [], await sqlite.keyring());
    expect(await refusalOf(openPostgresIn(target, home.folder)), "half moved").to.include(
      "run the same command again",
    );
    const loaded = await sqlite.copy(null, (copy) => moved.load(copy));
    expect([loaded.pods, loaded.blobs, loaded.left]).to.deep.equal([2, 1, []]);
    const server = await openPostgresIn(target, home.folder);
    for (const n of [0, 1, 299, 599]) expect(await get(server, ana, `g${n}`)).to.equal(`value ${n}`);
    expect((await buffer(server.blobs.read(ana, hash))).equals(content)).to.equal(true);
    expect(await codeOf(get(server, gone, "g"))).to.equal("not-found");
    expect(await server.usage(ana)).to.deep.equal(await sqlite.usage(ana));
    expect((await server.journal.verify(ana, [await sqlite.journal.head(ana)])).faults).to.deep.equal([]);
    await put(server, ana, "later", "x");
    await server.copy([ana], (copy) => sqlite.load(copy)); // And back.
    expect(await get(sqlite, ana, "later")).to.equal("x");
    expect((await buffer(sqlite.blobs.read(ana, hash))).equals(content)).to.equal(true);
    await Promise.all([server.close(), moved.close(), sqlite.close()]);
    await testPostgres().dropDatabase(target);
    await home.remove();
  });
});
