/**
 * A disk that is full, again and again: reads and deletions go on, other writes are answered 507, a restart changes
 * nothing of that, everything resumes when there is room again, and nothing that was acknowledged is lost.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerApart, isApart, runApart } from "./apart.ts";
import { auditDatabase, auditFiles, auditStore } from "./audit.ts";
import { createLoad } from "./load.ts";
import { goesOn, type Order, type Outcome, percentile, skipped, sumOf } from "./suite.ts";

const DISK = "160m"; // Trial after trial adds to what is kept, earlier versions and trash included.
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

async function fillAgainAndAgain(order: Order): Promise<Outcome> {
  const home = await mkdtemp(join(tmpdir(), "freehold-full-"));
  const mount = join(home, "disk");
  mkdirSync(mount);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "none", mount]).status !== 0) {
    await rm(home, { recursive: true });
    return skipped("no small disk can be mounted here (tmpfs)");
  }
  const folder = join(mount, "data");
  const ballast = join(mount, "ballast");
  const faults: string[] = [];
  let [trials, deleted] = [0, 0];
  const noRefusals: ReadonlySet<string> = new Set();
  try {
    const load = await createLoad({ folder, seed: order.seed, faults, isBroken: true });
    const refusals = (): number => load.refused[507] ?? 0;
    let program = await load.start();
    async function workFor(ms: number): Promise<void> {
      const until = performance.now() + ms;
      await load.work({ isOver: () => performance.now() > until, lateCounts: true });
    }
    async function lookWhileFull(when: string): Promise<void> {
      await load.checkAcknowledged(noRefusals);
      const { done, all } = await load.deleteSome();
      deleted += done;
      if (done < all) faults.push(`${when} ${all - done} of ${all} deletions were refused`);
      await load.checkAcknowledged(noRefusals);
    }
    for (; goesOn(order, trials) && faults.length === 0; trials += 1) {
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
      order.progress?.(trials + 1);
    }
    const { code, err } = await program.stop("SIGTERM");
    if (code !== 0 || err !== "") faults.push(`The last one ended with ${code}: ${err}`);
    faults.push(...auditFiles(folder), ...auditDatabase(folder));
    faults.push(...(await auditStore(folder, { swept: false })));
    if ((load.refused[503] ?? 0) > 0)
      faults.push(`${load.refused[503]} answers of 503, which a full disk is no reason for`);
    return {
      skipped: null,
      trials,
      faults,
      figures: {
        "acked writes": sumOf(load.acknowledged),
        "answers of 507": refusals(),
        "deletions while full": deleted,
        "start ms p50": Math.round(percentile(load.startMs, 0.5)),
      },
    };
  } finally {
    spawnSync("umount", ["-l", mount]);
    await rm(home, { recursive: true, force: true });
  }
}

export const fillDisk = (order: Order): Promise<Outcome> =>
  process.platform === "linux"
    ? runApart(import.meta.url, order)
    : Promise.resolve(skipped("a small disk needs Linux"));

if (isApart(import.meta.url)) await answerApart(fillAgainAndAgain);
