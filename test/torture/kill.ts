/** Kills a real server in the middle of real requests, starts it again on the same folder, and looks at everything. */
import { askOperator } from "../../server/cli/ask-operator.ts";
import { keysRotate } from "../../server/cli/tasks/keys.ts";
import { auditDatabase, auditFiles, auditStore } from "./audit.ts";
import { createLoad, type Load } from "./load.ts";
import { type Engine, makePlace, type Place } from "./place.ts";
import { goesOn, type Order, type Outcome, percentile, sumOf } from "./suite.ts";

const KILL_MS_MIN = 20;
const KILL_MS_MAX = 500;
const STARTS_KILLED_ONE_IN = 5; // Recovery itself is cut short as well.
const START_KILL_MS_MAX = 400;
const ALL_ONE_IN = 25;
const ROTATIONS_ONE_IN = 3; // Key rotation, often cut short.
const ROTATION_MS_MAX = 2_000;
const SWEEP_MS = 1_000;

export interface KillOutcome extends Outcome {
  readonly acknowledged: Readonly<Record<string, number>>;
  readonly pending: { readonly all: number; readonly done: number };
}

/** Seals a pod with a new key meanwhile. @returns whether it was done before the kill. */
export async function rotate(folder: string, podName: string): Promise<boolean> {
  try {
    const input = { args: [podName], flags: {}, secret: null };
    const told = await askOperator(folder, keysRotate, input, () => undefined);
    return told !== null && "result" in told;
  } catch {
    return false; // Cut short, as everything else: it is finished by the next start.
  }
}

/** Starts and stops in order; sweeps what uploads left behind; then looks at what only the store itself shows. */
export async function lookClosely(load: Load, place: Place, faults: string[]): Promise<void> {
  const program = await load.start({ args: ["--limits", "orphanMsKept=1"] });
  await load.check(true);
  // It sweeps as it starts, but nobody has to wait for it; on PostgreSQL it does not end before it has swept.
  if (place.database === null) await new Promise((done) => setTimeout(done, SWEEP_MS));
  const { code, err } = await program.stop("SIGTERM");
  if (code !== 0 || err !== "") faults.push(`The last one ended with ${code}: ${err}`);
  faults.push(...auditFiles(place.folder));
  if (place.database === null) faults.push(...auditDatabase(place.folder));
  faults.push(...(await auditStore(place.folder, { swept: true, writes: load.writes() }, place.database)));
}

export async function killAgainAndAgain(order: Order, engine: Engine = "sqlite"): Promise<KillOutcome> {
  const place = await makePlace(engine);
  const { folder, database } = place;
  const faults: string[] = [];
  const load = await createLoad({ folder, database, seed: order.seed, faults });
  const { dice } = load;
  let [kills, rotated] = [0, 0];
  try {
    for (; goesOn(order, kills) && faults.length === 0; kills += 1) {
      if (kills > 0 && dice(STARTS_KILLED_ONE_IN) === 0)
        await load.killWhileStarting(dice(START_KILL_MS_MAX));
      const program = await load.start();
      faults.push(...auditFiles(folder));
      await load.check(kills % ALL_ONE_IN === ALL_ONE_IN - 1);
      let isKilled = false;
      const work = load.work({ isOver: () => isKilled, lateCounts: true });
      const rotation = dice(ROTATIONS_ONE_IN) === 0 ? rotate(folder, load.tenants[dice(2)]!.podName) : null;
      await new Promise((done) =>
        setTimeout(done, KILL_MS_MIN + dice(rotation ? ROTATION_MS_MAX : KILL_MS_MAX)),
      );
      isKilled = true;
      const { err } = await program.stop("SIGKILL");
      if (err !== "") faults.push(`Round ${kills}: ${err}`);
      await work;
      if ((await rotation) === true) rotated += 1;
      order.progress?.(kills + 1);
    }
    if (faults.length === 0) await lookClosely(load, place, faults);
  } finally {
    await place.remove();
  }
  const { acknowledged, pending, startMs } = load;
  return {
    skipped: null,
    trials: kills,
    faults,
    acknowledged,
    pending,
    figures: {
      "acked writes": sumOf(acknowledged),
      pending: pending.all,
      "keys rotated": rotated,
      "recovery ms p50": Math.round(percentile(startMs, 0.5)),
      p99: Math.round(percentile(startMs, 0.99)),
    },
  };
}
