import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import {
  hashOfOperation,
  judge,
  parseStrictJson,
  RULES,
  readId,
  type Signed,
  verifyBundle,
} from "../../client-lib/passport/index.ts";
import { GOLDEN_ID } from "./golden.ts";
import {
  candidateOf,
  OPERATIONS_FILE,
  type PublishedOperations,
  publishedOperations,
  written,
} from "./published.ts";

describe("the published vectors of operations", () => {
  let text = "";
  let published: PublishedOperations;
  before(() => {
    text = readFileSync(resolve(import.meta.dirname, "../..", OPERATIONS_FILE), "utf8");
    published = JSON.parse(text) as PublishedOperations;
  });

  it("are what the tests' tables say today (node test/tools/registry-vectors.ts renews them)", async () => {
    expect(text).to.equal(written(await publishedOperations()));
  });

  it("tell for every rule an operation that breaks it", () => {
    expect(published.rules.map(({ id }) => id)).to.deep.equal(RULES.map(({ id }) => id));
    expect(new Set(published.invalid.map(({ rule }) => rule))).to.deep.equal(
      new Set(RULES.map(({ id }) => id)),
    );
  });

  it("can be judged from the file alone", async () => {
    for (const row of [...published.valid, ...published.invalid]) {
      const verdict = await judge(candidateOf(row));
      expect(verdict.kind === "valid" ? null : verdict.rule.id, row.name).to.equal(row.rule);
    }
    for (const { signed, hash } of published.valid)
      expect(await hashOfOperation((signed as Signed).op)).to.equal(hash);
    for (const { text: id, hint } of published.identifiers) {
      const reading = readId(id);
      expect(reading.kind === "broken" ? reading.hint : null).to.equal(hint);
    }
    expect((await verifyBundle(published.bundle as object, GOLDEN_ID)).id).to.equal(GOLDEN_ID);
  });

  it("are strict JSON but for the numbers that must not be there", () => {
    const strict = published.valid.map((row) => JSON.stringify(row.signed));
    for (const one of strict) expect(parseStrictJson(one)).to.deep.equal(JSON.parse(one));
  });
});
