import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { skip } from "../support/skip.ts";
import { declaredTests } from "./declared.ts";
import { asJson, asMarkdown } from "./print.ts";
import { ENTRIES } from "./table.ts";

const REQUIREMENTS =
  process.env["FREEHOLD_REQUIREMENTS"] ??
  resolve(import.meta.dirname, "../../../shared/specs/REQUIREMENTS.md");
const LOAD_MS_MAX = 120_000; // Loading dozens of test files takes seconds, and more where others work, too.

/** `id` and `level` of each row of the list's tables. */
function requirements(): readonly { readonly id: string; readonly level: string }[] {
  return readFileSync(REQUIREMENTS, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (id|---) /.test(line))
    .map((line) => {
      const [, id = "", level = ""] = line.split("|").map((cell) => cell.trim());
      return { id, level };
    });
}

describe("the conformance table", () => {
  const ids = ENTRIES.map(({ id }) => id);

  it("has one row for each requirement", () => {
    expect(ids).to.have.length(165);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("has the rows of the list of requirements, no more and no less, with their levels", function () {
    if (!existsSync(REQUIREMENTS)) skip(this, `no list of requirements at ${REQUIREMENTS}`);
    const listed = requirements();
    expect(listed).to.have.length(165);
    expect(ENTRIES.map(({ id, level }) => ({ id, level }))).to.have.deep.members([...listed]);
  });

  it("names a clause for each", () => {
    for (const { id, url } of ENTRIES) {
      const { protocol } = new URL(url);
      expect(protocol, id).to.equal("https:");
      expect(url, id).not.to.include(" ");
    }
  });

  it("shows by a test what is met, and gives a reason for what is not", () => {
    for (const { id, status, tests, reason } of ENTRIES) {
      if (status === "met") expect(tests, id).not.to.deep.equal([]);
      else expect(reason.length, id).to.be.greaterThan(20);
    }
  });

  it("names no test twice for one requirement", () => {
    for (const { id, tests } of ENTRIES) {
      const names = tests.map(({ file, title }) => `${file}: ${title}`);
      expect(new Set(names).size, id).to.equal(names.length);
    }
  });

  it("names tests that there are, and that do something", async function () {
    this.timeout(LOAD_MS_MAX);
    const named = ENTRIES.flatMap(({ id, tests }) => tests.map((test) => ({ id, ...test })));
    const declared = await declaredTests([...new Set(named.map(({ file }) => file))].sort());
    const isIdle = new Map(declared.map((test) => [`${test.file}: ${test.title}`, test.isIdle]));
    const missing = named.filter(({ file, title }) => isIdle.get(`${file}: ${title}`) !== false);
    expect(missing.map(({ id, file, title }) => `${id}: ${file}: ${title}`)).to.deep.equal([]);
  });

  it("is printed for readers and for programs, each requirement once", () => {
    const { counts, requirements } = JSON.parse(asJson()) as {
      counts: Readonly<Record<string, number>>;
      requirements: readonly { id: string; url: string; status: string; tests: readonly unknown[] }[];
    };
    expect(requirements.map(({ id }) => id)).to.deep.equal(ids);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).to.equal(ids.length);
    const rows = asMarkdown()
      .split("\n")
      .filter((line) => line.startsWith("| ["));
    expect(rows).to.have.length(ids.length);
    for (const row of rows) expect(row.match(/(?<!\\)\|/g), row).to.have.length(5);
  });
});
