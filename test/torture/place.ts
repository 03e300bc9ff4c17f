/** Where a torture takes place: a folder, and for PostgreSQL a database that lives as long. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { PodId } from "../../server/store/store.ts";
import { testPostgres } from "../support/postgres.ts";

export type Engine = "sqlite" | "postgres";

export interface Place {
  readonly folder: string;
  /** Its URL; null where all is in the folder. */
  readonly database: string | null;
  remove(): Promise<void>;
}

export async function makePlace(engine: Engine): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-torture-"));
  const database = engine === "postgres" ? await testPostgres().createDatabase() : null;
  return {
    folder,
    database,
    async remove() {
      await rm(folder, { recursive: true, force: true });
      if (database !== null) await testPostgres().dropDatabase(database);
    },
  };
}

/** What only the database itself shows, while no server runs. `halves`: rows of files that were never whole, or are removed. */
export async function podsAndFilesIn(database: string): Promise<{
  readonly pods: readonly PodId[];
  readonly files: ReadonlyMap<string, ReadonlySet<string>>;
  readonly halves: number;
}> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  const ask = async (text: string): Promise<readonly Record<string, unknown>[]> =>
    (await client.query<Record<string, unknown>>(text)).rows;
  const hex = (value: unknown): string => (value as Buffer).toString("hex");
  try {
    const files = new Map<string, Set<string>>();
    for (const { pod_id: id, hash } of await ask("SELECT pod_id, hash FROM blob WHERE hash IS NOT NULL"))
      files.set(hex(id), (files.get(hex(id)) ?? new Set()).add(hex(hash)));
    const halves = await ask(`SELECT pod_id, content FROM blob WHERE hash IS NULL UNION ALL
      SELECT DISTINCT pod_id, content FROM blob_part p WHERE NOT EXISTS
        (SELECT 1 FROM blob b WHERE b.pod_id = p.pod_id AND b.content = p.content)`);
    const pods = (await ask("SELECT pod_id FROM pod")).map(({ pod_id: id }) => hex(id) as PodId);
    return { pods, files, halves: halves.length };
  } finally {
    await client.end();
  }
}
