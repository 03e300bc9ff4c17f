/**
 * Backups of a running store: made by hand or by the clock, proved, and let go. One at a time, and therefore long: all that
 * takes turns is here.
 *
 * What goes when, of what lies in the settings' folder (copies elsewhere are the operator's to destroy):
 * - Backups of the data go by `FREEHOLD_BACKUP_KEEP`, and only when a younger one is proved. An erasure touches none of
 *   them: what was erased opens with the keys of then only.
 * - Backups of the keys go after {@link KEYS_MS_MAX}, but never the last. After keys were destroyed (an erasure, `freehold
 *   keys rotate`) a new whole backup with its keys is made at once; when it is there, and not before, all older backups of
 *   keys go. Until then a lost disk would take what was sealed anew with it, for no older backup opens it with newer keys.
 *   If it fails or the server stops, that is remembered and made up for; then the 30 days are the limit.
 * - The list of erased pods stays for ever. It names nobody.
 */
import { readFile } from "node:fs/promises";
import { OperatorError } from "../errors.ts";
import type { Jobs } from "../jobs.ts";
import type { Log } from "../log.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { type PodId, SERVER_POD } from "../store/store.ts";
import { removeDrafts, type Written } from "./archive-write.ts";
import { createDestroyed } from "./destroyed.ts";
import { backUp, backUpKeys, type MakeDeps, type Told } from "./make.ts";
import { newIdentity, recipientOf, type Sealing, sealingOf } from "./seal.ts";
import {
  discard,
  expired,
  expiredKeys,
  KEYS_MS_MAX,
  type Keep,
  keysFolderOf,
  listShelf,
  type Proof,
  type Shelved,
} from "./shelf.ts";
import {
  type Keys,
  noteProof,
  openKeys,
  type Scratch,
  scratchNear,
  type Verified,
  verify,
} from "./verify.ts";

export interface BackupSettings {
  /** Empty: backups are made by hand only. */
  readonly folder: string;
  readonly recipients: readonly string[];
  /** Empty: none. */
  readonly passphraseFile: string;
  /** Milliseconds; 0: never. */
  readonly everyMs: number;
  readonly proveEveryMs: number;
  readonly keep: Keep;
}

export interface BackupsDeps extends MakeDeps {
  readonly settings: BackupSettings;
  readonly dataFolder: string;
  readonly scratch: Scratch;
  readonly log: Log;
  /** Where what the clock begins can be watched. */
  readonly jobs?: Jobs;
  readonly random?: () => number;
}

/** What happened last, for `backup list`. */
export interface BackupState {
  /** Milliseconds since 1970; null: never. */
  readonly failed: number | null;
  readonly reason: string | null;
}

export interface Backups {
  readonly settings: BackupSettings;
  /**
   * A whole backup with its keys, or one of a pod.
   * @param secret What was given for this one; null: as the settings say.
   * @throws OperatorError in words: no room, nothing to seal with, another is being made.
   */
  make(
    wish: { readonly pod: Pod | null; readonly folder: string; readonly secret: string | null },
    tell: Told,
  ): Promise<readonly Written[]>;
  makeKeys(folder: string, secret: string | null): Promise<Written>;
  /**
   * Runs what destroys keys: an erasure, a rekey. Afterwards, in the background, a new whole backup is made, and the older
   * backups of keys in the settings' folder are destroyed.
   */
  withNewKeys<T>(work: () => Promise<T>): Promise<T>;
  /** The same for what has happened already; resolved when it is done. @throws what keeps it from being made. */
  renewKeys(): Promise<void>;
  /** Waits for what {@link Backups.withNewKeys} began. @returns null when nothing was to be done, else why it failed, or not. */
  renewed(tell: Told): Promise<{ readonly failed: string | null } | null>;
  /** When the last backup of the keys of now will be gone, should they be destroyed now. */
  keysGoneBy(destroyed: Date): Date;
  /** Restores a backup where nobody sees it, checks all of it, and marks it as proved. */
  prove(
    file: string,
    wish: { readonly secret: string | null; readonly keysFile: string | null },
    tell: Told,
  ): Promise<{ readonly verified: Verified; readonly proof: Proof }>;
  /** The same for one pod of it, with the keys of now: whether it may take the place of what is there. Marks nothing. */
  proveOf(file: string, pod: PodId, secret: string | null, tell: Told): Promise<Verified>;
  /** What can open a backup here, besides what was given. */
  secrets(given: string | null): Promise<readonly string[]>;
  list(folder: string): Promise<readonly Shelved[]>;
  state(): Promise<BackupState>;
  /** Begins to look at the clock. */
  begin(): void;
  /** What is due now, in one go; never throws: what fails is logged and tried again later. */
  tick(): Promise<void>;
  /** Breaks off what is under way. To be called while the store is still open. */
  close(): Promise<void>;
}

const TICK_MS = 60_000;
const FIRST_TICK_MS = 10_000; // A server that has just started has other things to do.
const RETRY_MS = 5 * 60_000;
const RETRY_MS_MAX = 6 * 3_600_000;
const DAY_MS = 24 * 3_600_000;
const GROUP = "backup";
const PASSPHRASE_CHARS_MIN = 15;

export function createBackups(deps: BackupsDeps): Backups {
  const { store, settings, log, now, dataFolder, rootKeyFile, scratch, jobs, random } = deps;
  const { folder, everyMs, proveEveryMs, keep } = settings;
  const destroyed = createDestroyed(deps);
  let busy: Promise<unknown> | null = null;
  let isClosing = false;
  let notBefore = 0;
  let failures = 0;
  let warned = 0;
  let renewing: Promise<{ readonly failed: string | null } | null> = Promise.resolve(null);
  const watchers = new Set<Told>();
  let timers: NodeJS.Timeout[] = [];

  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (busy)
      throw new OperatorError("A backup is being made or proved at this moment. Wait until it is done.");
    const running = work().finally(() => (busy = null));
    busy = running.catch(() => {});
    return running;
  }

  /** As soon as nothing else is being made. @returns null when the server stops before. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T | null> {
    for (let other = busy; other; other = busy) await other;
    return isClosing ? null : exclusively(work);
  }

  /** Goes on telling, until the server stops. */
  const until =
    (tell: Told): Told =>
    (...progress) => {
      if (isClosing)
        throw new OperatorError("The server stops, so the backup was broken off. Nothing of it was kept.");
      tell(...progress);
    };

  /** By this the server can prove its own backups, while the operator's identity lies where no server reaches it. */
  async function ownIdentity(): Promise<string> {
    const stored = await store.read(SERVER_POD, (snapshot) => snapshot.get("setting", GROUP, "identity"));
    if (stored) return decodeRecord<string>(stored);
    const fresh = await newIdentity();
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const other = await transaction.get("setting", GROUP, "identity");
      if (other) return decodeRecord<string>(other);
      transaction.put("setting", GROUP, "identity", encodeRecord(fresh));
      return fresh;
    });
    return result;
  }

  const savedSecret = async (): Promise<string | null> =>
    settings.passphraseFile === ""
      ? null
      : (await readFile(settings.passphraseFile, "utf8")).replace(/\r?\n$/, "");

  async function sealing(secret: string | null, isForKeys: boolean): Promise<Sealing> {
    const saved = secret ?? (settings.recipients.length > 0 ? null : await savedSecret());
    if (saved === null && settings.recipients.length === 0)
      throw new OperatorError(
        "A backup is always sealed, and nothing says for whom. Set FREEHOLD_BACKUP_RECIPIENTS (age-keygen makes a recipient and its identity) or FREEHOLD_BACKUP_PASSPHRASE_FILE, or give a passphrase with --passphrase-file.",
      );
    const chosen = saved === null ? { recipients: settings.recipients } : await sealingOf(saved);
    if ("passphrase" in chosen && chosen.passphrase.length < PASSPHRASE_CHARS_MIN)
      throw new OperatorError(
        `The passphrase has fewer than ${PASSPHRASE_CHARS_MIN} characters, and whoever finds a backup may try as many as they like. Take five words or more that nobody else would put together.`,
      );
    // Keys are not sealed for the server: who gets hold of it shall not open what it had forgotten.
    if (isForKeys || "passphrase" in chosen) return chosen;
    return { recipients: [...chosen.recipients, await recipientOf(await ownIdentity())] };
  }

  async function note(failed: unknown): Promise<void> {
    const state: BackupState =
      failed === null
        ? { failed: null, reason: null }
        : { failed: now().getTime(), reason: (failed as Error).message };
    await store.write(SERVER_POD, async (transaction) =>
      transaction.put("setting", GROUP, "state", encodeRecord(state)),
    );
  }

  async function makeBoth(
    pod: Pod | null,
    to: string,
    secret: string | null,
    tell: Told,
  ): Promise<readonly Written[]> {
    await removeDrafts(to);
    const data = await backUp(deps, { folder: to, sealing: await sealing(secret, false), pod }, until(tell));
    log.info("backup.made", { pods: data.manifest.pods.length, bytes: data.bytes });
    return pod
      ? [data]
      : [data, await backUpKeys(deps, { folder: to, sealing: await sealing(secret, true) })];
  }

  async function secrets(given: string | null): Promise<readonly string[]> {
    const saved = await savedSecret();
    return [...(given === null ? [] : [given]), await ownIdentity(), ...(saved === null ? [] : [saved])];
  }

  async function look(
    file: string,
    { secret, keysFile, only }: { secret: string | null; keysFile: string | null; only: PodId | null },
    tell: Told,
  ): Promise<Verified> {
    const opening = await secrets(secret);
    const keys: Keys = keysFile
      ? await openKeys(keysFile, opening)
      : { keyring: await store.keyring(), root: { file: rootKeyFile } };
    const near = await scratchNear(dataFolder);
    return verify(
      scratch,
      { file, secrets: opening, keys, near, only, ...(random && { random }) },
      until(tell),
    );
  }

  async function proveOne(file: string, secret: string | null, keysFile: string | null, tell: Told) {
    const verified = await look(file, { secret, keysFile, only: null }, tell);
    const proof = await noteProof(verified, now());
    log.info("backup.proved", {
      rows: proof.rows,
      blobs: proof.blobs,
      documents: proof.documents,
      seconds: proof.seconds,
    });
    return { verified, proof };
  }

  const keysOnShelf = async (): Promise<readonly Shelved[]> =>
    (await listShelf(keysFolderOf(folder))).filter(({ what }) => what === "keys");

  /** One backup for all keys that were destroyed since the last. @returns whether there were any. */
  async function makeUp(): Promise<boolean> {
    const mark = await destroyed.find();
    if (mark === null) return false;
    const before = await keysOnShelf();
    await makeBoth(null, folder, null, (...progress) => {
      for (const watcher of watchers) watcher(...progress);
    });
    await discard(before);
    await destroyed.clear(mark);
    log.info("backup.keys-renewed", { discarded: before.length });
    return true;
  }

  function makeUpSoon(): void {
    if (folder === "") return;
    const before = renewing;
    renewing = inTurn(makeUp).then(
      // Whoever waits for this waits for what one backup did for several.
      async (made) => (made === null ? null : made ? { failed: null } : before),
      async (error: unknown) => {
        if (isClosing) return null;
        await noteFailure(error);
        return { failed: (error as Error).message };
      },
    );
  }

  async function noteFailure(cause: unknown): Promise<void> {
    notBefore =
      now().getTime() + Math.min(RETRY_MS * 2 ** failures, RETRY_MS_MAX, Math.max(everyMs, RETRY_MS));
    failures += 1;
    log.error("backup.failed", { cause: String(cause) });
    await note(cause).catch(() => {});
  }

  async function retain(): Promise<void> {
    const whole = (await listShelf(folder)).filter(({ what }) => what === "all");
    const keys = await keysOnShelf();
    const gone = [...expired(whole, keep), ...expiredKeys(keys, now().getTime())];
    await discard(gone);
    if (gone.length > 0) log.info("backup.discarded", { count: gone.length });
  }

  /** Says once a day that no backup was proved for twice as long as it should be. */
  function complain(whole: readonly Shelved[]): void {
    const at = now().getTime();
    const proved = whole.findLast(({ proof }) => proof !== null);
    const since = proved?.time ?? whole[0]?.time ?? at;
    if (proveEveryMs === 0 || at - since < 2 * proveEveryMs || at - warned < DAY_MS) return;
    warned = at;
    log.warn("backup.not-proved", { days: Math.floor((at - since) / DAY_MS) });
  }

  function byClock<T>(what: string, work: (tell: Told) => Promise<T>): Promise<T> {
    if (!jobs) return work(() => {});
    return jobs.watch(what, "clock", (report) =>
      work((stage, done, total, unit) => report({ stage, done, total, unit })),
    );
  }

  async function doDue(): Promise<boolean> {
    const isMadeUp = await makeUp();
    if (everyMs === 0) {
      await discard(expiredKeys(await keysOnShelf(), now().getTime())); // Whoever makes backups by hand was promised this, too.
      return isMadeUp;
    }
    const whole = (await listShelf(folder)).filter(({ what }) => what === "all");
    complain(whole);
    const at = now().getTime();
    const newest = whole.at(-1);
    const isDue = !newest || at - newest.time >= everyMs;
    if (isDue) await byClock("backup", (tell) => makeBoth(null, folder, null, tell));
    const fresh = isDue ? (await listShelf(folder)).findLast(({ what }) => what === "all") : newest;
    const lastProof = Math.max(...whole.map(({ proof }) => (proof ? Date.parse(proof.time) : 0)), 0);
    const isProofDue =
      proveEveryMs > 0 && fresh !== undefined && fresh.proof === null && at - lastProof >= proveEveryMs;
    if (isProofDue) await byClock("verify-backup", (tell) => proveOne(fresh.file, null, null, tell));
    await retain();
    return isMadeUp || isDue || isProofDue;
  }

  async function tick(): Promise<void> {
    if (busy || isClosing || folder === "" || now().getTime() < notBefore) return;
    try {
      if (await exclusively(doDue)) await note(null);
      failures = 0;
    } catch (error) {
      if (!isClosing) await noteFailure(error);
    }
  }

  return {
    settings,
    make: ({ pod, folder, secret }, tell) => exclusively(() => makeBoth(pod, folder, secret, tell)),
    makeKeys: (to, secret) =>
      exclusively(async () => backUpKeys(deps, { folder: to, sealing: await sealing(secret, true) })),
    async withNewKeys(work) {
      await destroyed.note(); // Killed in the middle, the next start makes up for it.
      try {
        return await work();
      } finally {
        await destroyed.note(); // A backup that was made meanwhile has the old keys.
        await destroyed.listErased();
        makeUpSoon();
      }
    },
    async renewKeys() {
      await destroyed.note();
      if (folder !== "") await inTurn(makeUp);
    },
    async renewed(tell) {
      watchers.add(tell);
      try {
        return await renewing;
      } finally {
        watchers.delete(tell);
      }
    },
    keysGoneBy: (destroyed) => new Date(destroyed.getTime() + KEYS_MS_MAX),
    prove: (file, { secret, keysFile }, tell) => exclusively(() => proveOne(file, secret, keysFile, tell)),
    proveOf: (file, pod, secret, tell) =>
      exclusively(() => look(file, { secret, keysFile: null, only: pod }, tell)),
    secrets,
    list: async (folder) => [...(await listShelf(folder)), ...(await listShelf(keysFolderOf(folder)))],
    async state() {
      const stored = await store.read(SERVER_POD, (snapshot) => snapshot.get("setting", GROUP, "state"));
      return stored ? decodeRecord<BackupState>(stored) : { failed: null, reason: null };
    },
    begin() {
      if (folder === "") return;
      timers = [
        setTimeout(() => void tick(), FIRST_TICK_MS).unref(),
        setInterval(() => void tick(), TICK_MS).unref(),
      ];
    },
    tick,
    async close() {
      isClosing = true;
      for (const timer of timers) clearTimeout(timer);
      await busy;
    },
  };
}
