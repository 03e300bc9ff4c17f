/** More of the same, and Oxigraph too. Needs a package registry once. */
import { expect } from "chai";
import { skip } from "../../support/skip.ts";
import { comunica, ours } from "./engines.ts";
import { comparePair, noFindings } from "./fuzz.ts";
import { installOracles, loadOxigraph, oxigraphEngine } from "./oxigraph.ts";

describe("generated queries over generated data, at length", () => {
  it("100,000 pairs: what the definitions say", async function () {
    this.timeout(600_000);
    const findings = noFindings();
    for (let seed = 2_000_000; findings.pairs < 100_000; seed++) await comparePair(seed, ours, findings, []);
    expect(findings.unexplained.slice(0, 5).join("\n\n")).to.equal("");
  });

  it("3,000 pairs over larger data: what the definitions say", async function () {
    this.timeout(600_000);
    const findings = noFindings();
    for (let seed = 4_000_000; findings.pairs < 3_000; seed++) await comparePair(seed, ours, findings, [], 4);
    expect(findings.unexplained.slice(0, 5).join("\n\n")).to.equal("");
  });

  it("10,000 pairs: what Comunica and Oxigraph say too", async function () {
    this.timeout(600_000);
    const folder = await installOracles();
    if (folder === null)
      skip(this, "no package registry can be reached from here, and Oxigraph is not installed");
    const others = [comunica, oxigraphEngine(await loadOxigraph(folder))];
    const findings = noFindings();
    for (let seed = 3_000_000; findings.pairs < 10_000; seed++)
      await comparePair(seed, ours, findings, others);
    const explained = [...findings.explained].map(([why, times]) => `${times} × ${why}`);
    process.stdout.write(`      ${explained.join("\n      ")}\n`);
    expect(findings.unexplained.slice(0, 5).join("\n\n")).to.equal("");
  });
});
