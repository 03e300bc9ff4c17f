/** One flipped bit in the data folder: noticed, or harmless, but never an answer that nobody wrote. */
import { expect } from "chai";
import { type Effect, flipBits } from "./corruption.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const FLIPS = Number(process.env["FLIPS"] ?? 600);

describe(`After one of ${FLIPS} flipped bits (seed ${SEED})`, () => {
  it("no answer is wrong, nothing is missing in silence, and keys and files say that they are damaged", async () => {
    const { effects, faults, figures } = await flipBits({ trialsMax: FLIPS, seed: SEED });
    const kinds = (file: string): Effect[] => [...(effects.get(file)?.keys() ?? [])];
    for (const [file, counts] of effects)
      process.stdout.write(`      ${file}: ${JSON.stringify([...counts])}\n`);
    expect(faults).to.deep.equal([]);
    expect(figures["wrong"]).to.equal(0);
    expect(kinds("keyring")).to.deep.equal(["refused"]);
    expect(kinds("root.key")).to.deep.equal(["refused"]);
    expect(kinds("blob")).to.include("unavailable").and.not.include("wrong");
    expect(kinds("freehold.db-wal crashed"), "frames before the last acknowledged commit").to.deep.equal([
      "refused",
    ]);
  });
});
