/** What the machine gives: versions, disk, the data folder and its keys. Nothing here opens the store. */
import { access, constants, stat, statfs } from "node:fs/promises";
import type { Config } from "../../config.ts";
import { checkSqlite, StoreRefused } from "../../store/refused.ts";
import { bytesInWords } from "../progress.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

const NODE_LEAST = 24; // What ours is tested with, and the first that reads our files as they are.
const OTHERS = 0o077;
const FREE_BYTES_WRONG = 200e6; // A backup, or a day of writes, no longer fits.
const FREE_SHARE_NOTE = 0.1;

function versions(): readonly Finding[] {
  const { node, sqlite = "0" } = process.versions;
  const found: Finding[] = [
    Number(node.split(".")[0]) < NODE_LEAST
      ? note(
          "node",
          "older",
          `This is Node ${node}; Freehold is tested with ${NODE_LEAST}.`,
          `Install Node ${NODE_LEAST} or newer.`,
        )
      : ok("node", "good", `This is Node ${node}.`),
  ];
  try {
    checkSqlite(sqlite);
    found.push(ok("sqlite", "good", `This is SQLite ${sqlite}.`));
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
    found.push(wrong("sqlite", "too-old", error.message, "Update Node: it brings its SQLite along."));
  }
  return found;
}

async function disk({ dataFolder }: Config): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(dataFolder);
  const free = bavail * bsize;
  const what = `${bytesInWords(free)} are free where the data are.`;
  const next = "Free some room, or move the data to a larger disk: when it is full, nothing more is stored.";
  if (free < FREE_BYTES_WRONG) return wrong("disk", "nearly-full", what, next);
  return bavail < blocks * FREE_SHARE_NOTE ? note("disk", "filling", what, next) : ok("disk", "room", what);
}

async function folder({ dataFolder }: Config): Promise<Finding> {
  const { mode, uid } = await stat(dataFolder);
  await access(dataFolder, constants.R_OK | constants.W_OK | constants.X_OK);
  if (process.getuid && uid !== process.getuid() && process.getuid() !== 0)
    return note(
      "folder",
      "of-another-user",
      "The data folder is another user's.",
      "Let the user that runs the server own it (chown).",
    );
  return process.platform !== "win32" && (mode & OTHERS) !== 0
    ? note(
        "folder",
        "open-to-others",
        "Other users of this machine may look into the data folder. What is in it is sealed, all but its root key.",
        "Close it to them: chmod 700.",
      )
    : ok("folder", "closed", "Only the user that runs the server may look into the data folder.");
}

async function keys({ rootKeyFile }: Config): Promise<Finding> {
  try {
    await access(rootKeyFile, constants.R_OK);
  } catch {
    return wrong(
      "keys",
      "not-readable",
      "The file with the root key cannot be read: without it, nothing opens.",
      "Bring its copy back, and see FREEHOLD_ROOT_KEY_FILE. A new one opens nothing of what is there.",
    );
  }
  const { mode } = await stat(rootKeyFile);
  return process.platform !== "win32" && (mode & OTHERS) !== 0
    ? wrong(
        "keys",
        "open-to-others",
        "Other users of this machine may read the root key, which opens everything.",
        "Close it to them: chmod 600. If you do not know them all, make a new one: freehold keys rotate-root.",
      )
    : ok("keys", "readable", "The root key can be read, and only by the user that runs the server.");
}

/** What the system refuses is a finding, too. */
async function tried(about: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    return wrong(
      about,
      `refused-${code}`,
      `The operating system lets nobody look there (${code}).`,
      "See that FREEHOLD_DATA names the right folder, and that this user may read and write it.",
    );
  }
}

export async function lookAtMachine(config: Config): Promise<readonly Finding[]> {
  return [
    ...versions(),
    await tried("disk", () => disk(config)),
    await tried("folder", () => folder(config)),
    await tried("keys", () => keys(config)),
  ];
}
