/**
 * Power cuts under real requests.
 *
 * The server's data lie on ext4 in a disk image, which is a loop device with direct I/O: what the file system has not yet
 * sent to its disk is not in the image. The image lies on btrfs, so that at any instant a reflink copy is what a disk has
 * when its power fails. The copy is the next disk: it is mounted (ext4 replays its journal), the server starts on it, and
 * everything that was acknowledged before the copy must be there. What was acknowledged while it was made counts for
 * nothing. As a control, a file that was written without a sync must be missing or empty in every copy, and one with a
 * sync must be whole: else the harness would prove nothing, and says so.
 *
 * Mounts and loop devices live in a mount namespace of their own (apart.ts), so that nothing is left behind.
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerApart, isApart, runApart } from "./apart.ts";
import { auditDatabase, auditFiles, auditStore } from "./audit.ts";
import { createLoad } from "./load.ts";
import { goesOn, type Order, type Outcome, percentile, skipped, sumOf } from "./suite.ts";

const OUTER_BYTES = 3 * 1024 ** 3; // Sparse: takes what is written.
const DISK_BYTES = 768 * 1024 ** 2;
const CUT_MS_MIN = 20;
const CUT_MS_MAX = 700;
const AUDIT_ONE_IN = 10;
const CONTROL = Buffer.alloc(100_000, "control ");

/** @throws Error with what the command said. */
function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr || String(error)}`);
  return stdout.trim();
}

interface Disk {
  /** Where it is mounted. */
  readonly mount: string;
  /** The disk's state at this instant becomes a second image. @returns milliseconds it took. */
  copy(): number;
  /** Mounts the copy in place of the first. */
  replace(): void;
  dispose(): void;
}

/** @throws Error when this system cannot. */
function makeDisk(home: string): Disk {
  const [outerImage, outer, mount] = [join(home, "outer.img"), join(home, "outer"), join(home, "disk")];
  const [image, copied] = [join(outer, "disk.img"), join(outer, "copy.img")];
  for (const folder of [outer, mount]) mkdirSync(folder);
  run("truncate", "-s", String(OUTER_BYTES), outerImage);
  run("mkfs.btrfs", "-q", outerImage);
  run("mount", "-o", "loop", outerImage, outer);
  run("truncate", "-s", String(DISK_BYTES), image);
  run("mkfs.ext4", "-q", "-F", image);
  const attach = (): void => {
    const device = run("losetup", "-f", "--show", "--direct-io=on", image);
    try {
      run("mount", device, mount);
    } finally {
      run("losetup", "-d", device); // Detached as soon as it is unmounted.
    }
  };
  attach();
  return {
    mount,
    copy() {
      const began = performance.now();
      run("cp", "--reflink=always", image, copied);
      return performance.now() - began;
    },
    replace() {
      run("umount", mount);
      renameSync(copied, image);
      attach();
    },
    dispose() {
      for (const folder of [mount, outer]) spawnSync("umount", ["-l", folder]);
    },
  };
}

function writeControls(mount: string, round: number): void {
  const synced = openSync(join(mount, `synced ${round}`), "w");
  writeSync(synced, CONTROL);
  fsyncSync(synced);
  closeSync(synced);
  const folder = openSync(mount, "r");
  fsyncSync(folder);
  closeSync(folder);
  writeFileSync(join(mount, `unsynced ${round}`), CONTROL);
}

/** @returns why this run proves nothing, or null. */
function controlFault(mount: string, round: number): string | null {
  const [synced, unsynced] = [join(mount, `synced ${round}`), join(mount, `unsynced ${round}`)];
  if (!existsSync(synced) || !readFileSync(synced).equals(CONTROL))
    return `Control ${round}: a synced file is not in the copy, so the copy is no disk after a power cut`;
  const size = statSync(unsynced, { throwIfNoEntry: false })?.size ?? 0;
  if (size > 0)
    return `Control ${round}: ${size} bytes that were never synced are in the copy, so this run proves nothing`;
  for (const file of [synced, unsynced]) rmSync(file, { force: true });
  return null;
}

async function cutAgainAndAgain(order: Order): Promise<Outcome> {
  const home = await mkdtemp(join(tmpdir(), "freehold-power-"));
  let disk: Disk;
  try {
    disk = makeDisk(home);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    return skipped(`no disk can be made here: ${(error as Error).message}`);
  }
  const folder = join(disk.mount, "data");
  const faults: string[] = [];
  const copyMs: number[] = [];
  let cuts = 0;
  try {
    const load = await createLoad({ folder, seed: order.seed, faults });
    let program = await load.start();
    for (; goesOn(order, cuts) && faults.length === 0; cuts += 1) {
      let isCut = false;
      const work = load.work({ isOver: () => isCut, lateCounts: false });
      await new Promise((done) => setTimeout(done, CUT_MS_MIN + load.dice(CUT_MS_MAX - CUT_MS_MIN)));
      writeControls(disk.mount, cuts);
      await new Promise((done) => setTimeout(done, 5)); // The clients go on after this process stood still.
      isCut = true; // What is acknowledged from here on may be in the copy, or not.
      copyMs.push(disk.copy());
      const { err } = await program.stop("SIGKILL");
      if (err !== "") faults.push(`Cut ${cuts}: ${err}`);
      await work;
      disk.replace();
      const control = controlFault(disk.mount, cuts);
      if (control !== null) faults.push(control);
      if (cuts % AUDIT_ONE_IN === AUDIT_ONE_IN - 1) {
        const aside = join(home, "aside"); // Opening it would mend it, and it is for the server to do that.
        await cp(folder, aside, { recursive: true, filter: (path) => !path.endsWith(".sock") });
        faults.push(...auditDatabase(aside), ...(await auditStore(aside, { swept: false })));
        await rm(aside, { recursive: true });
      }
      program = await load.start();
      faults.push(...auditFiles(folder));
      await load.check(cuts % AUDIT_ONE_IN === 0);
      order.progress?.(cuts + 1);
    }
    if (faults.length === 0) {
      await load.check(true);
      const { code, err } = await program.stop("SIGTERM");
      if (code !== 0 || err !== "") faults.push(`The last one ended with ${code}: ${err}`);
      faults.push(
        ...auditDatabase(folder),
        ...(await auditStore(folder, { swept: false, writes: load.writes() })),
      );
    } else await program.stop("SIGKILL");
    const { acknowledged, pending, startMs } = load;
    return {
      skipped: null,
      trials: cuts,
      faults,
      figures: {
        "acked writes": sumOf(acknowledged),
        pending: pending.all,
        "of them done": pending.done,
        "recovery ms p50": Math.round(percentile(startMs, 0.5)),
        p99: Math.round(percentile(startMs, 0.99)),
        "copy ms p50": Math.round(percentile(copyMs, 0.5)),
      },
    };
  } finally {
    disk.dispose();
    await rm(home, { recursive: true, force: true });
  }
}

/** Runs {@link cutAgainAndAgain} where nothing of it is left behind, or says why it cannot. */
export async function cutPower(order: Order): Promise<Outcome> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return skipped("making disks needs Linux and root");
  for (const tool of ["mkfs.btrfs", "mkfs.ext4", "losetup", "unshare"])
    if (spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0)
      return skipped(`${tool} is not installed (Debian: btrfs-progs, e2fsprogs, util-linux)`);
  return runApart(import.meta.url, order);
}

if (isApart(import.meta.url)) await answerApart(cutAgainAndAgain);
