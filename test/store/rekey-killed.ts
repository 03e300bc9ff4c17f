/** kill -9 while a pod gets a new key, and the server a new root key: the store opens, finishes it, and has lost nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import pg from "pg";
import type { PodId, Store } from "../../server/store/store.ts";
import { testPostgres } from "../support/postgres.ts";
import { openPostgresIn, openStoreIn, temporaryFolder } from "../support/store.ts";

interface Ack {
  readonly kind: "ready" | "rekeyed" | "record" | "blob";
  readonly name: string;
  readonly number: number;
}

interface Place {
  readonly folder: string;
  /** Null: all is in the folder. */
  readonly database: string | null;
}

const open = ({ folder, database }: Place, events: string[] = []): Promise<Store> =>
  database === null ? openStoreIn(folder, {}, events) : openPostgresIn(database, folder, {}, events);

/** @param from What the kill comes `ms` milliseconds after. */
async function workUntilKilled(
  { folder, database }: Place,
  pod: PodId,
  round: number,
  ms: number,
  from: "ready" | "blob",
): Promise<Ack[]> {
  const script = new URL("./rekey-kill-child.ts", import.meta.url).pathname;
  const child: ChildProcess = spawn(
    process.execPath,
    [script, folder, pod, String(round), ...(database === null ? [] : [database])],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const acks: Ack[] = [];
  let isTimed = false;
  if (!child.stdout) throw new Error("the child has no output");
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    const ack = JSON.parse(line) as Ack;
    if (ack.kind === from && !isTimed) {
      isTimed = true;
      setTimeout(() => child.kill("SIGKILL"), ms);
    }
    if (ack.kind !== "ready") acks.push(ack);
  });
  const [[, signal]] = await Promise.all([once(child, "exit"), once(lines, "close")]);
  expect(signal, "the child did not end by itself").to.equal("SIGKILL");
  return acks;
}

async function missing(store: Store, pod: PodId, acks: readonly Ack[]): Promise<string[]> {
  const lost: string[] = [];
  const latest = new Map(acks.filter(({ kind }) => kind === "record").map((ack) => [ack.name, ack.number]));
  for (const [name, number] of latest) {
    const entry = await store.read(pod, (snapshot) => snapshot.get("body", name, ""));
    const found = Number(
      Buffer.from(entry?.value ?? [])
        .toString()
        .split(" ")[1] ?? -1,
    );
    if (found < number) lost.push(`${name}: ${found} instead of ${number}`);
  }
  for (const { kind, name } of acks) {
    if (kind !== "blob") continue;
    if (!(await store.read(pod, (snapshot) => snapshot.get("blob", name, "/x"))))
      lost.push(`record of ${name}`);
    for await (const _ of store.blobs.read(pod, name)); // Throws if it does not open.
  }
  return lost;
}

const VERSIONS =
  "(SELECT sealed FROM record WHERE pod_id = $1 UNION ALL SELECT sealed FROM journal WHERE pod_id = $1)";

async function versionsIn({ folder, database }: Place, pod: PodId): Promise<number> {
  if (database !== null) {
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    const { rows: found } = await client.query(
      `SELECT DISTINCT substring(sealed FROM 2 FOR 2) FROM ${VERSIONS} AS rows`,
      [Buffer.from(pod, "hex")],
    );
    await client.end();
    return found.length;
  }
  const db = new DatabaseSync(join(folder, "freehold.db"));
  const rows = db
    .prepare(
      "SELECT DISTINCT substr(sealed, 2, 2) FROM (SELECT sealed FROM record UNION ALL SELECT sealed FROM journal)",
    )
    .all();
  db.close();
  return rows.length;
}

/** @param engine PostgreSQL has no root key to replace meanwhile. */
export function rekeyKilledTest(kills: number, engine: "sqlite" | "postgres" = "sqlite"): void {
  it(`${kills} times, everything opens and nothing is lost`, async () => {
    const { folder, ...temporary } = await temporaryFolder();
    const place = { folder, database: engine === "postgres" ? await testPostgres().createDatabase() : null };
    let store = await open(place);
    const pod = await store.createPod();
    await store.write(pod, async (transaction) => {
      for (let number = 0; number < 3_000; number++)
        transaction.put("body", `/first/${number}`, "", Buffer.from(`/first ${number}`));
    });
    await store.close();
    const acks: Ack[] = [];
    let unfinished = 0;
    for (let round = 0; round < kills; round++) {
      const fresh = await workUntilKilled(
        place,
        pod,
        round,
        Math.floor((400 * ((round * 7919) % kills)) / kills),
        // However slow the machine is, one file at least has been acknowledged before the last kill.
        round === kills - 1 && !acks.some(({ kind }) => kind === "blob") ? "blob" : "ready",
      );
      acks.push(...fresh);
      if ((await versionsIn(place, pod)) > 1) unfinished++;
      const events: string[] = [];
      store = await open(place, events);
      expect(await missing(store, pod, fresh), `after kill ${round}`).to.deep.equal([]);
      if (round % 2 === 0) await store.rekey(pod); // First that which was begun is finished. Else the close cuts it short again.
      await store.close();
      if (round % 2 === 0) {
        expect(events, `after kill ${round}`).to.deep.equal([]);
        expect(await versionsIn(place, pod)).to.equal(1);
      }
    }
    store = await open(place);
    await store.rekey(pod);
    expect(await missing(store, pod, acks)).to.deep.equal([]);
    for (let number = 0; number < 3_000; number++) {
      const entry = await store.read(pod, (snapshot) => snapshot.get("body", `/first/${number}`, ""));
      expect(Buffer.from(entry?.value ?? []).toString()).to.equal(`/first ${number}`);
    }
    expect((await store.journal.verify(pod, [])).faults).to.deep.equal([]);
    await store.close();
    expect(unfinished, "kills in the middle of one").to.be.at.least(Math.floor(kills / 8));
    expect(acks.filter(({ kind }) => kind === "record").length).to.be.at.least(
      kills > 20 ? 12 * kills : kills,
    );
    expect(acks.filter(({ kind }) => kind === "blob").length).to.be.at.least(kills > 20 ? kills : 1);
    if (place.database !== null) await testPostgres().dropDatabase(place.database);
    await temporary.remove();
  });
}
