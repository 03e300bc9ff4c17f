/** Restoring into an empty data folder: from the command line, and at a server's first start. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Told } from "../backup/make.ts";
import { lookAt, type Restored, restoreWhole } from "../backup/restore.ts";
import type { Config } from "../config.ts";
import { createContext } from "../context.ts";
import { OperatorError } from "../errors.ts";
import { createLog } from "../log.ts";
import { createScratch } from "./scratch.ts";
import type { Report } from "./task.ts";

const now = (): Date => new Date();

export const told =
  (report: Report): Told =>
  (stage, done, total, unit) =>
    report({ stage, done, total, unit });

/** @throws OperatorError when there is nothing to open it with. */
export async function secretsFor(config: Config, given: string | null): Promise<readonly string[]> {
  const { passphraseFile } = config.backup;
  const saved = passphraseFile === "" ? null : (await readFile(passphraseFile, "utf8")).replace(/\r?\n$/, "");
  const secrets = [given, saved].filter((secret) => secret !== null);
  if (secrets.length === 0)
    throw new OperatorError(
      "A backup opens with the passphrase or the age identity it was sealed for. Give it with --passphrase-file, or set FREEHOLD_BACKUP_PASSPHRASE_FILE.",
    );
  return secrets;
}

export async function restore(
  config: Config,
  {
    file,
    keysFile,
    secret,
  }: { readonly file: string; readonly keysFile: string | null; readonly secret: string | null },
  tell: Told,
): Promise<Restored> {
  const place = { folder: config.dataFolder, rootKeyFile: config.rootKeyFile };
  const secrets = await secretsFor(config, secret);
  const restored = await restoreWhole(createScratch(config), { file, secrets, keysFile, place, now }, tell);
  // The records of then know who was erased since: not for long.
  if (restored.erased.length > 0) await (await createContext(config, () => {})).close();
  return restored;
}

/** Restores the backup that the settings name, if there are no data yet: a server that has some goes on with them. */
export async function restoreAtStart(config: Config, writeLog: (line: string) => void): Promise<void> {
  const log = createLog(writeLog, now, config.logLevel);
  const { restoreFrom, restoreKeys } = config.backup;
  const { isEmpty } = await lookAt({ folder: config.dataFolder, rootKeyFile: config.rootKeyFile });
  if (!isEmpty) {
    log.info("restore.not-needed", { file: basename(restoreFrom) });
    return;
  }
  const { pods, rows, blobs, seconds } = await restore(
    config,
    { file: restoreFrom, keysFile: restoreKeys || null, secret: null },
    () => {},
  );
  log.info("restore.done", { file: basename(restoreFrom), pods, rows, blobs, seconds: Math.round(seconds) });
}
