/** kill -9 under real requests: whatever the server said is done, is done. */
import { expect } from "chai";
import { killAgainAndAgain } from "./kill.ts";

const KILLS = 10;

describe("a server that is killed in the middle of requests", function () {
  this.timeout(180_000);

  it(`${KILLS} times loses no write that it acknowledged, and does none in part`, async () => {
    const { faults, acknowledged, pending } = await killAgainAndAgain({ trialsMax: KILLS, seed: 7_919 });
    expect(faults).to.deep.equal([]);
    // Each kind of write was really there, and kills really came in the middle of some.
    for (const kind of [
      "PUT",
      "PUT blob",
      "PUT acl",
      "POST",
      "PATCH",
      "PATCH by all",
      "DELETE",
      "DELETE acl",
      "DELETE blob",
    ])
      expect(acknowledged[kind], kind).to.be.greaterThan(0);
    expect(Object.values(acknowledged).reduce((sum, count) => sum + count)).to.be.greaterThan(10 * KILLS);
    expect(pending.all).to.be.greaterThan(KILLS);
  });
});
