/** The same as `disasters.test.ts`, for as long as it takes: each run has another order of events. */
import { expect } from "chai";
import { skip } from "../support/skip.ts";
import { breakCalls } from "./broken.ts";
import { stopDatabase } from "./database.ts";
import { fillDisk } from "./full.ts";
import { killAgainAndAgain } from "./kill.ts";
import { cutPower } from "./power.ts";
import { type Order, type Outcome, onPostgres } from "./suite.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

const DISASTERS: readonly (readonly [
  about: string,
  run: (order: Order) => Promise<Outcome>,
  trials: number,
])[] = [
  ["power cuts", cutPower, 60],
  ["failing calls", (order) => breakCalls({ ...order, steps: (n) => n + 1 + Math.floor(n / 20) }), 100],
  ["full disks", fillDisk, 10],
  ["kills on PostgreSQL", onPostgres((order) => killAgainAndAgain(order, "postgres")), 25],
  ["hard stops of PostgreSQL", onPostgres(stopDatabase), 25],
];

describe(`Disaster after disaster (seed ${SEED})`, function () {
  this.timeout(30 * 60_000);

  for (const [about, run, trials] of DISASTERS) {
    it(`${trials} ${about} lose nothing that was acknowledged`, async function () {
      const { skipped, faults, figures } = await run({ seed: SEED, trialsMax: trials });
      if (skipped !== null) skip(this, skipped);
      process.stdout.write(`      ${JSON.stringify(figures)}\n`);
      expect(faults).to.deep.equal([]);
    });
  }
});
