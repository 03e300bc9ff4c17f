/** Stops PostgreSQL itself in the middle of requests, hard, and starts it again; the server stays up, and mends itself. */
import { testPostgres } from "../support/postgres.ts";
import { lookClosely, rotate } from "./kill.ts";
import { createLoad, type Load } from "./load.ts";
import { makePlace } from "./place.ts";
import { goesOn, type Order, type Outcome, percentile, sumOf } from "./suite.ts";

const STOP_MS_MIN = 20;
const STOP_MS_MAX = 500;
const DOWN_MS_MAX = 1_200;
const WAIT_MS_MAX = 500; // Shorter than some outages, so that the server gives up asking what has become of a commit.
const AFTER_MS_MAX = 400;
const SERVES_MS_MAX = 15_000;
const LOOK_MS = 20;
const ALL_ONE_IN = 10;
const ROTATIONS_ONE_IN = 3;

/** @returns milliseconds until all pods are read again; null when they are not. */
async function servesAgain({ tenants }: Load): Promise<number | null> {
  const began = performance.now();
  for (const { shared, fetch } of tenants) {
    for (;;) {
      const { status, body } = await fetch(shared.url);
      await body?.cancel();
      if (status < 500) break;
      if (performance.now() - began > SERVES_MS_MAX) return null;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }
  return performance.now() - began;
}

export async function stopDatabase(order: Order): Promise<Outcome> {
  const place = await makePlace("postgres");
  const { folder, database } = place;
  const postgres = testPostgres();
  const faults: string[] = [];
  const load = await createLoad({ folder, database, seed: order.seed, faults, isTruthful: true });
  const { dice } = load;
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
  const servesMs: number[] = [];
  let [stops, slain, rotated] = [0, 0, 0];
  try {
    const program = await load.start({ args: ["--limits", `databaseWaitMsMax=${WAIT_MS_MAX}`] });
    try {
      for (; goesOn(order, stops) && faults.length === 0; stops += 1) {
        let isOver = false;
        const work = load.work({ isOver: () => isOver, lateCounts: true });
        const rotation = dice(ROTATIONS_ONE_IN) === 0 ? rotate(folder, load.tenants[dice(2)]!.podName) : null;
        await pause(STOP_MS_MIN + dice(STOP_MS_MAX));
        const isSlain = dice(2) === 0;
        await (isSlain ? postgres.slay() : postgres.kill());
        if (isSlain) slain += 1;
        await pause(dice(DOWN_MS_MAX));
        await postgres.restart();
        const ms = await servesAgain(load);
        if (ms === null) faults.push(`Stop ${stops}: the server does not serve again`);
        else servesMs.push(ms);
        await pause(dice(AFTER_MS_MAX));
        isOver = true;
        await work;
        if ((await rotation) === true) rotated += 1;
        await load.check(stops % ALL_ONE_IN === ALL_ONE_IN - 1);
        order.progress?.(stops + 1);
      }
    } finally {
      const { code, err } = await program.stop("SIGTERM");
      if (code !== 0 || err !== "") faults.push(`The server ended with ${code}: ${err}`);
    }
    if (faults.length === 0) await lookClosely(load, place, faults);
  } finally {
    await place.remove();
  }
  const { acknowledged, pending, refused } = load;
  return {
    skipped: null,
    trials: stops,
    faults,
    figures: {
      "acked writes": sumOf(acknowledged),
      "stopped immediate": stops - slain,
      "killed -9": slain,
      "refused with 503": refused[503] ?? 0,
      "outcome unknown": pending.all,
      "of which done": pending.done,
      "keys rotated": rotated,
      "serves again ms p50": Math.round(percentile(servesMs, 0.5)),
      p99: Math.round(percentile(servesMs, 0.99)),
    },
  };
}
