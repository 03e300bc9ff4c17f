/** The same as `histories.test.ts`, thousands of times: `HISTORIES=20000 SEED=1 npm run test:deep -- test/linear/histories.deep.ts`. */
import { expect } from "chai";
import { checkHistories } from "./histories.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const MANY = Number(process.env["HISTORIES"] ?? 2_400);

describe("Concurrent requests are linearizable, in the long run", () => {
  for (const cacheBytes of [64 * 1024 * 1024, 20_000, 9_000, 1]) {
    it(`${MANY / 4} histories with ${cacheBytes} bytes of cache`, async () => {
      const { fault, calls } = await checkHistories(MANY / 4, SEED + cacheBytes, cacheBytes);
      expect(fault).to.equal(null);
      expect(calls).to.be.greaterThan(MANY);
    });
  }
});
