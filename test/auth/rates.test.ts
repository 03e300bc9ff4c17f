/** How often somebody may try, and who counts as one. */
import { expect } from "chai";
import fc from "fast-check";
import { createRate, networkOf, retryAfter } from "../../server/rates.ts";

describe("a rate", () => {
  it("never lets more pass in any window than it says, and lets some pass again in time", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }), (steps) => {
        let at = 0;
        const rate = createRate(5, 1_000, 100, () => new Date(at));
        const passed: number[] = [];
        for (const step of steps) {
          at += step;
          const wait = rate("ana");
          if (wait === 0) passed.push(at);
          else expect(wait).to.be.within(1, 1_000 / 5);
        }
        for (const start of passed)
          expect(passed.filter((time) => time >= start && time < start + 1_000).length).to.be.at.most(10);
        at += 1_000;
        for (let count = 0; count < 5; count += 1) expect(rate("ana")).to.equal(0);
        expect(rate("ana")).to.be.above(0);
      }),
    );
  });

  it("says how long to wait; whoever waits so long may go on, and asking meanwhile costs nothing", () => {
    let at = 0;
    const rate = createRate(3, 60_000, 10, () => new Date(at));
    for (let count = 0; count < 3; count += 1) rate("ana");
    const waits = [rate("ana"), rate("ana"), rate("ana")];
    expect(waits).to.deep.equal([20_000, 20_000, 20_000]);
    expect(retryAfter(19_001)).to.deep.equal({ "retry-after": "20" });
    at += 20_000;
    expect(rate("ana")).to.equal(0);
  });

  it("of one is not the rate of another, and forgets the oldest when full", () => {
    const rate = createRate(1, 1_000, 2, () => new Date(0));
    for (const key of ["ana", "ben", "cleo"]) expect(rate(key)).to.equal(0);
    expect(rate("cleo")).to.be.above(0);
    expect(rate("ana")).to.equal(0);
  });

  for (const [ip, network] of [
    ["203.0.113.9", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ] as const) {
    it(`counts ${ip} as ${network}`, () => expect(networkOf(ip)).to.equal(network));
  }
});
