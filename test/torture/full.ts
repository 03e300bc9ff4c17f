/**
 * A disk that is full, again and again: reads and deletions go on, other writes are answered 507, a restart changes
 * nothing of that, everything resumes when there is room again, and nothing that was acknowledged is lost.
 */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerApart, isApart, runApart } from "./apart.ts";
import { auditDatabase, auditFiles, auditStore } from "./audit.ts";
import { createLoad } from "./load.ts";
import { goesOn, type Order, type Outcome, percentile, skipped, sumOf } from "./suite.ts";

const DISK = "256m";
/** Each adds to what is kept, earlier versions and trash included, which must not fill the disk by itself. */
const TRIALS_PER_DISK = 4;
const FULL_MS = 600;
const ROOM_MS = 1_200; // The writer looks for room once a second.
const RESUME_MS = 400;

/** Writes until there is no room at all. */
function fill(file: string): void {
  const handle = openSync(file, "w");
  const noise = Buffer.alloc(4_096, "ballast ");
  try {
    for (;;) writeSync(handle, noise);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(handle);
  }
}

interface Tally {
  trials: number;
  acked: number;
  refused: number;
  deleted: number;
  readonly startMs: number[];
}

/** The trials of one disk, which is new. @returns what was wrong. */
async function fillOne(order: Order, mount: string, tally: Tally): Promise<string[]> {
  const folder = join(mount, "data");
  const ballast = join(mount, "ballast");
  const faults: string[] = [];
  const noRefusals: ReadonlySet<string> = new Set();
  const load = await createLoad({ folder, seed: order.seed + tally.trials, faults, isBroken: true });
  const refusals = (): number => load.refused[507] ?? 0;
  let program = await load.start();
  async function workFor(ms: number): Promise<void> {
    const until = performance.now() + ms;
    await load.work({ isOver: () => performance.now() > until, lateCounts: true });
  }
  async function lookWhileFull(when: string): Promise<void> {
    await load.checkAcknowledged(noRefusals);
    const { done, all } = await load.deleteSome();
    tally.deleted += done;
    if (done < all) faults.push(`${when} ${all - done} of ${all} deletions were refused`);
    await load.checkAcknowledged(noRefusals);
  }
  for (
    let left = TRIALS_PER_DISK;
    left > 0 && goesOn(order, tally.trials) && faults.length === 0;
    left -= 1
  ) {
    await workFor(RESUME_MS);
    const before = refusals();
    fill(ballast);
    await workFor(FULL_MS);
    if (refusals() === before) faults.push("Nothing was refused on a full disk");
    await lookWhileFull("On a full disk");
    if (load.dice(2) === 0) {
      await program.stop(load.dice(2) === 0 ? "SIGKILL" : "SIGTERM");
      program = await load.start();
      await lookWhileFull("After a restart on a full disk");
    }
    rmSync(ballast);
    await new Promise((done) => setTimeout(done, ROOM_MS));
    const [acked, refused] = [sumOf(load.acknowledged), refusals()];
    await workFor(RESUME_MS);
    if (sumOf(load.acknowledged) === acked || refusals() > refused)
      faults.push(`With room again, ${refusals() - refused} writes were refused`);
    await load.check(true);
    tally.trials += 1;
    order.progress?.(tally.trials);
  }
  const { code, err } = await program.stop("SIGTERM");
  if (code !== 0 || err !== "") faults.push(`The last one ended with ${code}: ${err}`);
  faults.push(...auditFiles(folder), ...auditDatabase(folder));
  faults.push(...(await auditStore(folder, { swept: false })));
  if ((load.refused[503] ?? 0) > 0)
    faults.push(`${load.refused[503]} answers of 503, which a full disk is no reason for`);
  tally.acked += sumOf(load.acknowledged);
  tally.refused += refusals();
  tally.startMs.push(...load.startMs);
  return faults;
}

async function fillAgainAndAgain(order: Order): Promise<Outcome> {
  const mount = await mkdtemp(join(tmpdir(), "freehold-full-"));
  const faults: string[] = [];
  const tally: Tally = { trials: 0, acked: 0, refused: 0, deleted: 0, startMs: [] };
  try {
    while (goesOn(order, tally.trials) && faults.length === 0) {
      if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "none", mount]).status !== 0)
        return skipped("no small disk can be mounted here (tmpfs)");
      try {
        faults.push(...(await fillOne(order, mount, tally)));
      } finally {
        spawnSync("umount", ["-l", mount]);
      }
    }
  } finally {
    await rm(mount, { recursive: true, force: true });
  }
  return {
    skipped: null,
    trials: tally.trials,
    faults,
    figures: {
      "acked writes": tally.acked,
      "answers of 507": tally.refused,
      "deletions while full": tally.deleted,
      "start ms p50": Math.round(percentile(tally.startMs, 0.5)),
    },
  };
}

export const fillDisk = (order: Order): Promise<Outcome> =>
  process.platform === "linux"
    ? runApart(import.meta.url, order)
    : Promise.resolve(skipped("a small disk needs Linux"));

if (isApart(import.meta.url)) await answerApart(fillAgainAndAgain);
