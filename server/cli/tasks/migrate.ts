/** `freehold migrate --to postgres://…`: moves all pods from the data folder into a database, and proves that they are the same there. */
import { createHash } from "node:crypto";
import type { Config } from "../../config.ts";
import { openStore } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import { createLog } from "../../log.ts";
import { createPods } from "../../store/pods.ts";
import { type Copy, type PodId, SERVER_POD, type Store, type StoredRow } from "../../store/store.ts";
import { podsInWords } from "../progress.ts";
import type { Report, Task, TaskInput, TaskResult } from "../task.ts";

/** What a pod is, in one hash: its own row, every sealed row, the end of its journal, every sealed file. */
interface Digest {
  readonly hash: string;
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

const DATABASE = /^postgres(?:ql)?:\/\//;
const ADDRESS_BYTES_MAX = 8_192;

/** The address that `--to` names; `-` stands for the first line of standard input. @throws OperatorError. */
async function addressOf(to: TaskInput["flags"][string] | undefined): Promise<string> {
  if (typeof to === "string" && /^\w+:\/\/[^/@]*:[^/@]+@/.test(to))
    throw new OperatorError(
      "--to holds a password, and everybody on this machine can read the arguments of a command. Leave it to the environment variable PGPASSWORD, or send the whole address to standard input with --to -.",
    );
  let address = to;
  if (to === "-") {
    let text = "";
    for await (const part of process.stdin.setEncoding("utf8")) {
      text += part;
      if (text.length > ADDRESS_BYTES_MAX || text.includes("\n")) break;
    }
    address = text.split("\n", 1)[0]?.trim();
  }
  if (typeof address === "string" && DATABASE.test(address)) return address;
  throw new OperatorError(
    "Say where to: --to postgres://user@host/database, with the password in PGPASSWORD; or --to - and the whole address on standard input.",
  );
}

function numbersOf(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeDoubleLE(number, 8 * index);
  return bytes;
}

function partsOf(row: StoredRow): readonly Uint8Array[] {
  if (row.kind === "pod") {
    const { generation, usage, head } = row;
    return [numbersOf(1, generation, usage.bytes, usage.resources, head.number), head.hash];
  }
  if (row.kind === "record")
    return [numbersOf(2, row.table, row.version, row.sealed.length), row.groupKey, row.itemKey, row.sealed];
  return [numbersOf(3, row.number, row.sealed?.length ?? -1), row.leaf, row.sealed ?? new Uint8Array()];
}

async function digestOf(copy: Copy): Promise<Digest> {
  const hash = createHash("sha256");
  let [rows, bytes] = [0, 0];
  for await (const row of copy.rows()) {
    rows++;
    for (const part of partsOf(row)) {
      hash.update(part);
      bytes += part.length;
    }
  }
  const files: string[] = [];
  for await (const blob of copy.blobs()) {
    const content = createHash("sha256");
    for await (const part of blob.content()) {
      content.update(part);
      bytes += part.length;
    }
    files.push(`${blob.hash} ${content.digest("hex")}`);
  }
  for (const file of files.sort()) hash.update(file); // Engines list them in orders of their own.
  return { hash: hash.digest("hex"), rows, files: files.length, bytes };
}

/** Null: the store has no such pod, or only a part of it. */
async function digestIn(store: Store, pod: PodId): Promise<Digest | null> {
  return store.copy([pod], digestOf).catch((error: { code?: unknown }) => {
    if (error.code === "not-found" || error.code === "unavailable") return null;
    throw error;
  });
}

/**
 * Pod by pod, each in place of what is there of it; those that are there already, and equal, are left.
 * @throws OperatorError when a pod is not the same afterwards.
 */
async function move(
  from: Store,
  to: Store,
  now: () => Date,
  report: Report,
): Promise<{ pods: number; digest: Omit<Digest, "hash"> }> {
  const all = await from.copy(null, async ({ pods }) => pods);
  // The server's own last: until it is there, no server starts on the database.
  const pods = [...all.filter((pod) => pod !== SERVER_POD), SERVER_POD];
  const sum = { rows: 0, files: 0, bytes: 0 };
  for (const [index, pod] of pods.entries()) {
    report({ stage: "Moving pods", done: index, total: pods.length, unit: "items" });
    const wanted = await digestIn(from, pod);
    if (!wanted)
      throw new OperatorError("A pod could not be read. Run freehold scrub on the data folder first.");
    if ((await digestIn(to, pod))?.hash !== wanted.hash) {
      await from.copy([pod], (copy) => to.load(copy));
      const found = await digestIn(to, pod);
      if (found?.hash !== wanted.hash) {
        throw new OperatorError(
          `A pod is not the same in the database: ${found?.rows ?? 0} of ${wanted.rows} rows, ${found?.files ?? 0} of ${wanted.files} files. Nothing was changed in the data folder; run the command again.`,
        );
      }
    }
    sum.rows += wanted.rows;
    sum.files += wanted.files;
    sum.bytes += wanted.bytes;
  }
  report({ stage: "Moving pods", done: pods.length, total: pods.length, unit: "items" });
  const people = (await createPods(from, now).list()).filter(({ erased }) => erased === undefined);
  return { pods: people.length, digest: sum };
}

async function moveAlone(config: Config, { flags }: TaskInput, report: Report): Promise<TaskResult> {
  const target = await addressOf(flags["to"]);
  if (config.store !== "sqlite")
    throw new OperatorError(
      "The pods are in a database already (FREEHOLD_STORE). Only a data folder can be moved.",
    );
  const now = () => new Date();
  const log = createLog(() => {}, now, "error");
  const from = await openStore(config, log, now);
  try {
    const to = await openStore({ ...config, store: target }, log, now, await from.keyring());
    try {
      const { pods, digest } = await move(from, to, now, report);
      const { rows, files, bytes } = digest;
      return {
        lines: [
          `${podsInWords(pods)}, ${rows} rows and ${files} files (${bytes} bytes) are in the database, with all that the server keeps for itself, each proved to be the same.`,
          "Next:",
          `  FREEHOLD_STORE=${target.replace(/(:\/\/[^:@/]*):[^@/]*@/, "$1:…@")}`,
          `  FREEHOLD_ROOT_KEY_FILE=${config.rootKeyFile}   (the same file on every server)`,
          `Nothing was changed in ${config.dataFolder}. Keep it until a backup of the database has been proved.`,
        ],
        exit: 0,
      };
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

export const migrate: Task = {
  name: "migrate",
  usage: "",
  about: "Move all pods from the data folder into a PostgreSQL database",
  flags: {
    to: {
      about:
        "The database, empty or half moved: postgres://user@host/database, its password in PGPASSWORD; - reads the address from standard input",
      takesValue: true,
    },
  },
  async run() {
    throw new OperatorError(
      "Stop the server first: what people write while their pods are moved would be left behind.",
    );
  },
  alone: moveAlone,
};
