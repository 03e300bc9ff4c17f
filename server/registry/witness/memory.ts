/**
 * What a witness remembers, in files of its own: for each log the newest tree it cosigned, and contradictions that it saw.
 * Whoever puts an older copy of this folder back makes the witness forget, and a log may then show it another tree: a
 * witness that lost its folder needs a new key, which is why the key is in the same folder.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeBase64, encodeBase64 } from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { clearDraftsOf, makeFolder, writeDurably } from "../../store/durable.ts";
import type { SeenTree } from "./judge.ts";

/** A log as it was cosigned last. */
export interface LogMemory extends SeenTree {
  readonly origin: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** The checkpoint, signed by its log and by this witness. */
  readonly note: string;
}

/** Two checkpoints of one size, both signed by their log. */
export interface Evidence {
  readonly origin: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Cosigned here before. */
  readonly first: string;
  /** Refused. */
  readonly second: string;
}

export interface WitnessMemory {
  /** @param hash By {@link hashOfOrigin}. @throws OperatorError for a file that cannot be read: then nothing may be signed. */
  read(hash: string): Promise<LogMemory | null>;
  /** Durable when resolved; until then nothing that says so may leave. */
  write(memory: LogMemory): Promise<void>;
  addEvidence(evidence: Evidence): Promise<void>;
  evidence(): Promise<readonly Evidence[]>;
}

export const hashOfOrigin = (origin: string): string => createHash("sha256").update(origin).digest("hex");

interface LogFile {
  readonly origin: string;
  readonly size: number;
  /** Base64, as in checkpoints. */
  readonly root: string;
  readonly time: number;
  readonly note: string;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** @param folder Exists, and is used by one process. */
export async function createWitnessMemory(
  folder: string,
  { witnessEvidenceMax }: { readonly witnessEvidenceMax: number },
): Promise<WitnessMemory> {
  const [logs, contradictions] = [join(folder, "logs"), join(folder, "evidence")];
  for (const one of [logs, contradictions]) await makeFolder(one);
  const fileOf = (hash: string): string => join(logs, `${hash}.json`);
  for (const name of await readdir(logs)) if (name.endsWith(".json")) await clearDraftsOf(join(logs, name));

  function decode(value: unknown, hash: string): LogMemory {
    const { origin, size, root, time, note } = value as LogFile;
    const bytes = typeof root === "string" ? decodeBase64(root) : null;
    const isWhole =
      bytes?.length === 32 && Number.isSafeInteger(size) && size >= 0 && Number.isSafeInteger(time);
    if (!bytes || !isWhole || typeof note !== "string" || hashOfOrigin(origin) !== hash)
      throw new Error("other fields");
    return { origin, size, root: bytes, time, note };
  }

  return {
    async read(hash) {
      try {
        const value = await readJson(fileOf(hash));
        return value === null ? null : decode(value, hash);
      } catch (cause) {
        throw new OperatorError(
          `${fileOf(hash)} cannot be read: this log is not cosigned until it can. Mend the file, or make a witness with a new key; without the file two trees of one log might be cosigned.`,
          { cause },
        );
      }
    },
    async write({ origin, size, root, time, note }) {
      const file: LogFile = { origin, size, root: encodeBase64(root), time, note };
      await writeDurably(fileOf(hashOfOrigin(origin)), Buffer.from(`${JSON.stringify(file)}\n`));
    },
    async addEvidence(evidence) {
      const second = hashOfOrigin(evidence.second).slice(0, 16);
      const name = `${hashOfOrigin(evidence.origin)}-${evidence.size}-${second}.json`;
      const names = await readdir(contradictions);
      if (names.includes(name) || names.length >= witnessEvidenceMax) return;
      await writeDurably(join(contradictions, name), Buffer.from(`${JSON.stringify(evidence)}\n`));
    },
    async evidence() {
      const names = (await readdir(contradictions)).filter((name) => name.endsWith(".json")).sort();
      return Promise.all(names.map(async (name) => (await readJson(join(contradictions, name))) as Evidence));
    },
  };
}
