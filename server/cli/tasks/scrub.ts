/** `freehold scrub`: looks at everything that is stored, before somebody needs it and it is not there. */
import { once } from "node:events";
import type { Context } from "../../context.ts";
import { Problem } from "../../errors.ts";
import { type PodId, SERVER_POD, TABLES, type Table } from "../../store/store.ts";
import type { Report, Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

interface Found {
  records: number;
  files: number;
  readonly faults: string[];
}

const PROGRESS_EVERY = 1_000;

/** @returns false for what is damaged; anything else that goes wrong is thrown. */
async function isWhole(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look();
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === "unavailable") return false;
    throw error;
  }
}

async function scrubPod({ store }: Context, pod: PodId, found: Found, report: Report): Promise<void> {
  if (!(await isWhole(async () => store.prove?.(pod)))) {
    found.faults.push("not all of its records can be found");
    return;
  }
  const hashes = new Set<string>();
  for (const table of Object.keys(TABLES) as Table[]) {
    const isRight = await isWhole(() =>
      store.read(pod, async (snapshot) => {
        for await (const { group } of snapshot.all(table)) {
          if (table === "blob") hashes.add(group);
          found.records += 1;
          if (found.records % PROGRESS_EVERY === 0)
            report({ stage: "Records", done: found.records, total: null, unit: "items" });
        }
      }),
    );
    if (!isRight) found.faults.push(`a record of table ${table} is damaged`);
  }
  for (const hash of hashes) {
    const isRight = await isWhole(async () => {
      const content = store.blobs.read(pod, hash).resume(); // Opened to its end, and shown to nobody.
      await once(content, "end");
    });
    found.files += 1;
    report({ stage: "Files", done: found.files, total: null, unit: "items" });
    if (!isRight) found.faults.push("a large file is damaged");
  }
}

export const scrub: Task = {
  name: "scrub",
  usage: "[pod]",
  about: "Open every record and file of a pod, or of all, and say what is damaged; a lookup index is mended",
  async run(context, { args: [name] }, report) {
    const pods =
      name === undefined
        ? (await context.pods.list()).filter(({ erased }) => erased === undefined)
        : [await podNamed(context, name)];
    const all = pods.map(({ name: called, id }) => ({ called: `The pod ${called}`, id }));
    if (name === undefined) all.push({ called: "The server's own records", id: SERVER_POD });
    const lines: string[] = [];
    let faults = 0;
    for (const { called, id } of all) {
      const found: Found = { records: 0, files: 0, faults: [] };
      await scrubPod(context, id, found, report);
      faults += found.faults.length;
      lines.push(
        `${called}: ${found.records} records, ${found.files} files, ${found.faults.join("; ") || "all whole"}`,
      );
    }
    if (faults > 0)
      lines.push(
        "What is damaged answers 503, and nothing else does. Restore it from a backup, and check the disk.",
      );
    return { lines, exit: faults > 0 ? 1 : 0 };
  },
};
