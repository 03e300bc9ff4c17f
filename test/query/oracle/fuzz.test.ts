import { expect } from "chai";
import { makeGraphs, makeQuery } from "./cases.ts";
import { createChance } from "./chance.ts";
import { difference } from "./compare.ts";
import { comunica, fallback, ours } from "./engines.ts";
import { comparePair, noFindings } from "./fuzz.ts";

/** So many pairs at once, that a failing run ends soon. */
const PAIRS_AT_ONCE = 500;

describe("generated queries over generated data", () => {
  it("10,000 pairs: our engine says what the definitions and Comunica say", async function () {
    this.timeout(600_000);
    const findings = noFindings();
    for (let seed = 0; findings.pairs < 10_000 && findings.unexplained.length === 0; ) {
      for (const end = seed + PAIRS_AT_ONCE; seed < end; seed++) await comparePair(seed, ours, findings);
    }
    expect(findings.unexplained.slice(0, 5).join("\n\n")).to.equal("");
    expect(findings.pairs, "pairs").to.be.at.least(10_000);
    expect(findings.free, "answers that are open").to.be.below(500);
    expect(findings.filled, "answers with something in them").to.be.above(4_500);
  });

  it("400 pairs: the other engine says over a view what it says over plain lists", async function () {
    this.timeout(120_000);
    for (let seed = 1_000_000; seed < 1_000_400; seed++) {
      const chance = createChance(seed);
      const graphs = makeGraphs(chance);
      const { text, whole, isReduced } = makeQuery(chance);
      const [found, expected] = [
        await fallback.open(graphs)(whole ?? text, "http://e/"),
        await comunica.open(graphs)(whole ?? text, "http://e/"),
      ];
      const isLate = [found, expected].some((said) => said.kind === "refused" && said.why === "no answer");
      if (!isLate) expect(difference(found, expected, { isReduced }), `seed ${seed}\n${text}`).to.equal(null);
    }
  });
});
