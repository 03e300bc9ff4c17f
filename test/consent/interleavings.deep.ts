/** The same as `interleavings.test.ts`, for longer: `INTERLEAVINGS=1000000 SEED=1 npm run test:deep -- test/consent/interleavings.deep.ts`. */
import { expect } from "chai";
import { checkInterleavings } from "./interleavings.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const MANY = Number(process.env["INTERLEAVINGS"] ?? 100_000);

describe("Grants while owners and vendors act at the same time, in the long run", () => {
  it(`never let out a byte that no Active grant allows (${MANY} orders)`, async () => {
    const { fault, served } = await checkInterleavings(MANY, SEED);
    expect(fault).to.equal(null);
    expect(served).to.be.greaterThan(MANY / 2);
  });
});
