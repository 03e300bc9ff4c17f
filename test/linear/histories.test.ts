/** No lost update, no stale read: what concurrent clients are told over HTTP can always be put into one order. */
import { expect } from "chai";
import { postgresMissing, testPostgres } from "../support/postgres.ts";
import { skip } from "../support/skip.ts";
import { checkHistories } from "./histories.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

describe("Concurrent requests are linearizable", function () {
  this.timeout(180_000);
  for (const [name, count, cacheBytes] of [
    ["with all records in the cache", 300, 64 * 1024 * 1024],
    ["with a cache that forgets all the time", 200, 9_000],
  ] as const) {
    it(`${name}: ${count} histories`, async () => {
      const { fault, statuses } = await checkHistories(count, SEED, cacheBytes);
      expect(fault).to.equal(null);
      // All that can happen did happen; 0 are answers that were never heard.
      expect([...statuses.keys()].sort((a, b) => a - b)).to.deep.equal([
        0, 200, 201, 204, 205, 404, 409, 412,
      ]);
    });
  }

  it("on PostgreSQL: 100 histories", async function () {
    if (postgresMissing) skip(this, postgresMissing);
    const url = await testPostgres().createDatabase();
    const { fault, calls } = await checkHistories(100, SEED, 20_000, { FREEHOLD_STORE: url });
    expect(fault).to.equal(null);
    expect(calls).to.be.greaterThan(1_000);
    await testPostgres().dropDatabase(url);
  });
});
