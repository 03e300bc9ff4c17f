/** One flipped bit in the data folder: noticed, or harmless, but never an answer that nobody wrote. */
import { expect } from "chai";
import { corrupt, type Outcome } from "./corruption.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const FLIPS = Number(process.env["FLIPS"] ?? 600);

describe(`After one of ${FLIPS} flipped bits (seed ${SEED})`, () => {
  it("no answer is wrong, keys and files say that they are damaged, and only the damaged record is refused", async () => {
    const { outcomes, faults } = await corrupt({ flips: FLIPS, seed: SEED });
    const kinds = (file: string): Outcome[] => [...(outcomes.get(file)?.keys() ?? [])];
    expect(faults).to.deep.equal([]);
    expect(kinds("keyring")).to.deep.equal(["refused"]);
    expect(kinds("root.key")).to.deep.equal(["refused"]);
    expect(kinds("blob")).to.deep.equal(["unavailable"]);
    // What a lookup key or a page of the tree says is not sealed: a record may be out of reach, but never another one.
    const database = outcomes.get("freehold.db closed") ?? new Map<Outcome, number>();
    const all = [...database.values()].reduce((sum, count) => sum + count, 0);
    expect(database.get("missing") ?? 0).to.be.at.most(Math.max(5, all / 4));
    for (const [file, counts] of outcomes)
      process.stdout.write(`      ${file}: ${JSON.stringify([...counts])}\n`);
  });
});
