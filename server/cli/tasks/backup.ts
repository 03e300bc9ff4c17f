/** `freehold backup`, `backup keys`, `backup list`, `verify-backup` and `restore`. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { openArchive } from "../../backup/archive-read.ts";
import type { Written } from "../../backup/archive-write.ts";
import type { Manifest } from "../../backup/manifest.ts";
import { restorePod } from "../../backup/restore.ts";
import type { Shelved } from "../../backup/shelf.ts";
import { noteProof, openKeys, scratchNear, type Verified, verify } from "../../backup/verify.ts";
import type { Config } from "../../config.ts";
import type { Context } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import type { Pod } from "../../store/pods.ts";
import { bytesInWords, podsInWords } from "../progress.ts";
import { restore as restoreHere, secretsFor, told } from "../restore.ts";
import { createScratch } from "../scratch.ts";
import type { Task, TaskInput, TaskResult } from "../task.ts";

const done = (...lines: readonly string[]): TaskResult => ({ lines, exit: 0 });

function folderFor({ backups }: Context, { flags }: TaskInput): string {
  const folder = (flags["to"] as string | undefined) ?? backups.settings.folder;
  if (folder === "")
    throw new OperatorError(
      "Nothing says where backups go. Name a folder with --to, or set FREEHOLD_BACKUP_FOLDER.",
    );
  return folder;
}

async function findPod({ pods }: Context, name: string): Promise<Pod> {
  const pod = await pods.find(name);
  if (!pod) throw new OperatorError(`There is no pod ${name} on this server.`);
  return pod;
}

const sealsByItself = ({ backup }: Config): boolean =>
  backup.recipients.length > 0 || backup.passphraseFile !== "";
const SEAL = {
  about: "Passphrase that will open this backup",
  isNew: true,
  ask: (config: Config) => !sealsByItself(config),
};
const OPEN = { about: "Passphrase of the backup", ask: (config: Config) => !sealsByItself(config) };
const TO = {
  to: { about: "Folder to write to, instead of FREEHOLD_BACKUP_FOLDER", takesValue: true, isPath: true },
};

/** Those with a name. */
const podsOf = ({ pods }: Manifest): string => podsInWords(pods.filter(({ name }) => name !== null).length);

const written = ({ file, bytes, manifest }: Written): string =>
  `${file}  ${bytesInWords(bytes)}${manifest.kind === "keys" ? "  keys" : `  ${podsOf(manifest)}, ${manifest.total.rows} records, ${manifest.total.blobs} files`}`;

export const backup: Task = {
  name: "backup",
  usage: "",
  about: "Back up everything and its keys, or one pod, while the server runs",
  flags: { ...TO, pod: { about: "Only the pod of this name", takesValue: true } },
  secret: SEAL,
  async run(context, input, report) {
    const folder = folderFor(context, input);
    const name = input.flags["pod"];
    const pod = typeof name === "string" ? await findPod(context, name) : null;
    const made = await context.backups.make({ pod, folder, secret: input.secret }, told(report));
    if (pod) await context.journal.operator(pod, "backup");
    return done(...made.map(written), "It counts once it is proved: freehold verify-backup FILE");
  },
};

export const backupKeys: Task = {
  name: "backup keys",
  usage: "",
  about:
    "Back up the keys alone. No backup opens without them; older copies open what was erased since, so destroy those",
  flags: TO,
  secret: SEAL,
  run: async (context, input) =>
    done(written(await context.backups.makeKeys(folderFor(context, input), input.secret))),
};

function row({ file, time, bytes, proof, what }: Shelved): string {
  const proved = what === "keys" ? "" : proof ? `proved ${proof.time.slice(0, 16)}Z` : "not proved";
  return `${new Date(time).toISOString().slice(0, 16)}Z  ${bytesInWords(bytes).padStart(8)}  ${proved.padEnd(24)} ${basename(file)}`;
}

export const backupList: Task = {
  name: "backup list",
  usage: "",
  about: "List backups, which of them are proved, and whether the last one failed",
  flags: TO,
  async run(context, input) {
    const shelved = await context.backups.list(folderFor(context, input));
    const { failed, reason } = await context.backups.state();
    const lines = shelved.map(row);
    if (shelved.length === 0) lines.push("No backups yet.");
    if (failed !== null) lines.push(`Failed at ${new Date(failed).toISOString().slice(0, 16)}Z: ${reason}`);
    return { lines, exit: failed === null ? 0 : 1 };
  },
};

function proved({ archive, records, blobs, entries, bytes, asked, seconds, left }: Verified): TaskResult {
  const rate = bytesInWords(bytes / Math.max(seconds, 0.001));
  return done(
    `Proved: ${basename(archive.file)} of ${archive.manifest.time}`,
    `  ${podsOf(archive.manifest)}: ${records} records, ${blobs} files and ${entries} journal entries opened, ${asked} documents asked for over HTTP`,
    `  ${bytesInWords(bytes)} in ${seconds.toFixed(1)} s (${rate}/s)`,
    ...(left.length > 0 ? [`  ${podsInWords(left.length)} erased since, and still so.`] : []),
  );
}

const KEYS = {
  keys: {
    about: "Backup of the keys, instead of those of the running server",
    takesValue: true,
    isPath: true,
  },
};

export const verifyBackup: Task = {
  name: "verify-backup",
  usage: "<file>",
  about: "Restore a backup where nobody sees it, open all of it, ask for documents, and mark it as proved",
  flags: KEYS,
  secret: OPEN,
  async run({ backups }, { args: [file = ""], flags, secret }, report) {
    const keysFile = (flags["keys"] as string | undefined) ?? null;
    return proved((await backups.prove(file, { secret, keysFile }, told(report))).verified);
  },
  async alone(config, { args: [file = ""], flags, secret }, report) {
    const keysFile = flags["keys"];
    if (typeof keysFile !== "string") {
      if ((await stat(`${config.dataFolder}/keyring`).catch(() => null)) !== null) return null;
      throw new OperatorError(
        `There are no keys in ${config.dataFolder}. Name a backup of the keys with --keys.`,
      );
    }
    const secrets = await secretsFor(config, secret);
    const keys = await openKeys(keysFile, secrets);
    const near = await scratchNear(config.dataFolder);
    const verified = await verify(createScratch(config), { file, secrets, keys, near }, told(report));
    await noteProof(verified, new Date());
    return proved(verified);
  },
};

export const restore: Task = {
  name: "restore",
  usage: "<file>",
  about: "Restore a backup into an empty data folder, or one pod of it into this store",
  flags: {
    keys: {
      about: "Backup of the keys, for a whole restore; the newest beside the backup unless named",
      takesValue: true,
      isPath: true,
    },
    pod: { about: "Put back this pod only, in place of what it holds now", takesValue: true },
  },
  secret: OPEN,
  async run(context, { args: [file = ""], flags, secret }, report) {
    const name = flags["pod"];
    if (typeof name !== "string")
      throw new OperatorError(
        `${context.config.dataFolder} is in use. Restore one pod of it with --pod, or everything into an empty folder with --data.`,
      );
    if (flags["keys"] !== undefined)
      throw new OperatorError("One pod is put back with the keys of now. Leave --keys out.");
    const pod = await findPod(context, name);
    const { backups, journal, store } = context;
    // Proved first, with the keys of now: what does not open must not take the place of what does.
    const { checkPod } = await import("../../backup/restore.ts");
    checkPod(pod, await openArchive(file, await backups.secrets(secret)));
    const { archive } = await backups.proveOf(file, pod.id, secret, told(report));
    const { rows, blobs } = await restorePod({ store, pod }, archive, told(report));
    await journal.operator(pod, "restore");
    return done(
      `The pod ${name} is as it was at ${archive.manifest.time}: ${rows} records, ${blobs} files.`,
      "Its journal begins anew from there, and says that it was restored.",
    );
  },
  async alone(config, { args: [file = ""], flags, secret }, report) {
    if (flags["pod"] !== undefined) return null;
    const keysFile = (flags["keys"] as string | undefined) ?? null;
    const { archive, pods, rows, blobs, erased, seconds } = await restoreHere(
      config,
      { file, keysFile, secret },
      told(report),
    );
    return done(
      `Restored ${podsInWords(pods)} as of were at ${archive.manifest.time}: ${rows} records, ${blobs} files, in ${seconds.toFixed(1)} s`,
      ...(erased.length > 0 ? [`Erased since, and still so: ${erased.join(", ")}`] : []),
      "Everybody signs in again. Start the server with freehold start.",
    );
  },
};
