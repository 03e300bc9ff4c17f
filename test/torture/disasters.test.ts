/** A few of each disaster that needs an operating system's help; `npm run torture` and the deep tests have many. */
import { expect } from "chai";
import { skip } from "../support/skip.ts";
import { breakCalls } from "./broken.ts";
import { flipBits } from "./corruption.ts";
import { stopDatabase } from "./database.ts";
import { fillDisk } from "./full.ts";
import { cutPower } from "./power.ts";
import { type Order, type Outcome, onPostgres } from "./suite.ts";

const DISASTERS: readonly (readonly [
  about: string,
  run: (order: Order) => Promise<Outcome>,
  trials: number,
])[] = [
  ["a power cut loses no write that was acknowledged", cutPower, 3],
  ["a call that fails loses nothing, and no answer is wrong", breakCalls, 8],
  ["a full disk reads and deletes, and takes again when there is room", fillDisk, 1],
  ["a flipped bit is noticed, or harmless", flipBits, 40],
  ["a PostgreSQL that stops hard loses nothing, and the server mends itself", onPostgres(stopDatabase), 1],
];

describe("a disaster", function () {
  this.timeout(120_000);

  for (const [about, run, trials] of DISASTERS) {
    it(`${about} (${trials} times)`, async function () {
      const { skipped, faults, ...told } = await run({ seed: 6_007, trialsMax: trials });
      if (skipped !== null) skip(this, skipped);
      expect(faults).to.deep.equal([]);
      expect(told.trials).to.equal(trials);
    });
  }
});
