/** The same as `kill.test.ts`, for as long as it takes: three runs, each of another order of events. */
import { expect } from "chai";
import { killAgainAndAgain } from "./kill.ts";

const RUNS = 3;
const KILLS = 60;

describe("a server that is killed again and again in the middle of requests", function () {
  this.timeout(20 * 60_000);

  for (let run = 1; run <= RUNS; run += 1) {
    const seed = run * 104_729;
    it(`${KILLS} times (seed ${seed}) loses no write that it acknowledged, and does none in part`, async () => {
      const { faults, pending } = await killAgainAndAgain({ trialsMax: KILLS, seed });
      expect(faults).to.deep.equal([]);
      expect(pending.done, "writes that were done, and their answer lost").to.be.greaterThan(0);
    });
  }
});
