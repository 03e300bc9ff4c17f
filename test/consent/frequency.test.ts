import { expect } from "chai";
import fc from "fast-check";
import type { Grant, Usage } from "../../server/consent/model.ts";
import { judge, noUsage } from "../../server/consent/usage.ts";
import { LIMITS } from "../../server/limits.ts";
import { ANA, DAY, draft, look, policy, START } from "./grant-fixture.ts";

const grantOf = (count: number, per: number, queriesMax: number | null): Grant => ({
  ...draft([policy({ frequency: { count, per }, queriesMax, notAfter: START + 300 * DAY })]),
  id: "g".repeat(22),
  state: "Active",
  issued: START,
  changed: START,
  assigner: ANA,
  views: [null],
  reason: null,
  supersedes: null,
});

/** @returns when each of the uses was that were let through, with waits that were told of. */
function play(grant: Grant, steps: readonly number[]) {
  let usage: Usage = noUsage(grant.id);
  let time = START;
  const uses: number[] = [];
  const waits: number[] = [];
  for (const step of steps) {
    time += step;
    const judged = {
      pod: "ana",
      grant,
      client: null,
      extent: look("/ana/notes/a.ttl"),
      spentAt: () => undefined,
    };
    const verdict = judge({ ...judged, usage, time }, LIMITS);
    if (verdict.kind === "room") {
      usage = verdict.usage;
      uses.push(time);
    } else if (verdict.kind === "spent" && verdict.waitMs !== null) waits.push(verdict.waitMs);
  }
  return { uses, waits, usage };
}

describe("a frequency", () => {
  const steps = (least: number) => fc.array(fc.integer({ min: least, max: 400 }), { maxLength: 300 });

  it("is never exceeded in any stretch of its length, and never waited for longer than that", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 20_000 }),
        steps(0),
        (count, per, all) => {
          const { uses, waits, usage } = play(grantOf(count, per, null), all);
          for (const at of uses)
            expect(uses.filter((one) => one > at - per && one <= at).length).to.be.at.most(count);
          for (const wait of waits) expect(wait).to.be.within(1, per);
          expect(usage.policies[0]?.recent.length ?? 0).to.be.at.most(65);
        },
      ),
    );
  });

  it("of few is exact: who waits as long as was said gets the next", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 20_000 }),
        steps(0),
        (count, per, all) => {
          const grant = grantOf(count, per, null);
          const { uses, waits, usage } = play(grant, all);
          if (waits.length === 0) return;
          const last = START + all.reduce((sum, step) => sum + step, 0);
          const recent = uses.filter((one) => one > last - per);
          const time = recent.length < count ? last : recent[recent.length - count]! + per;
          const judged = {
            pod: "ana",
            grant,
            client: null,
            extent: look("/ana/notes/a.ttl"),
            spentAt: () => undefined,
          };
          expect(judge({ ...judged, usage, time }, LIMITS).kind).to.equal("room");
        },
      ),
    );
  });

  it("comes free no sooner by a clock that goes back", () => {
    const { uses } = play(grantOf(2, 1_000, null), [0, 0, 1_000, -1, 1, 999]);
    expect(uses.map((at) => at - START)).to.deep.equal([0, 0, 1_000, 999]);
  });

  it("and a budget hold whatever the clock does", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 30 }),
        steps(-400),
        (count, most, all) => {
          const per = 1_000;
          const { uses } = play(grantOf(count, per, most), all);
          expect(uses.length).to.be.at.most(most);
          // By the latest moment that was shown so far: time itself never went back.
          const moments = uses.map((_, index) => Math.max(...uses.slice(0, index + 1)));
          for (const [index, at] of moments.entries()) {
            const before = moments.slice(0, index).filter((one) => one > at - per);
            expect(before.length).to.be.below(count);
          }
        },
      ),
    );
  });
});
