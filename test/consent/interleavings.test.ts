import { expect } from "chai";
import { checkInterleavings } from "./interleavings.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

describe("Grants while owners and vendors act at the same time", function () {
  this.timeout(300_000);

  it("never let out a byte that no Active grant allows (10,000 orders)", async () => {
    const { fault, served, refused } = await checkInterleavings(10_000, SEED);
    expect(fault).to.equal(null);
    expect(served, "it is no test where nothing is served").to.be.greaterThan(5_000);
    expect(refused).to.be.greaterThan(5_000);
  });

  it("nor on the disk, where commits take their time (100 orders)", async () => {
    const { fault, served } = await checkInterleavings(100, SEED, "sqlite");
    expect(fault).to.equal(null);
    expect(served).to.be.greaterThan(50);
  });
});
