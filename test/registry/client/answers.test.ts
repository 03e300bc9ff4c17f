/** Published answers are what the product says of them, and a program in another language says the same, also of others. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ANSWER_RULES } from "@freehold/client/registry";
import { expect } from "chai";
import fc from "fast-check";
import { skip } from "../../support/skip.ts";
import {
  ANSWERS_FILE,
  type PublishedAnswers,
  publishedAnswers,
  verdictOf,
  writtenAnswers,
} from "./answers.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const PROGRAM = resolve(ROOT, "vocab/registry/vectors/answers.py");
const SEED = 20_261_122;
const BYTES_CHANGED = 300;
const FIELDS_CHANGED = 300;
const ODD: readonly unknown[] = [0, 1, -1, 2 ** 31, null, true, [], {}, "", "A", "A".repeat(43), "ch/2026"];

/** @returns null where there is no python3. */
function python(args: readonly string[], input = ""): string | null {
  const { stdout, stderr, error } = spawnSync("python3", ["-I", PROGRAM, ...args], {
    input,
    encoding: "utf8",
    timeout: 100_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error && "code" in error && error.code === "ENOENT") return null;
  if (error) throw error;
  return `${stdout}${stderr}`;
}

/** Puts `value` at a place that `steps` lead to. */
function put(node: unknown, steps: readonly number[], value: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof node !== "object" || node === null) return value;
  const names = Object.keys(node);
  const name = names[step % Math.max(names.length, 1)];
  if (name === undefined) return value;
  const inner = put((node as Record<string, unknown>)[name], rest, value);
  return Array.isArray(node) ? node.with(Number(name), inner) : { ...node, [name]: inner };
}

describe("published answers", function () {
  this.timeout(120_000);
  let published: PublishedAnswers;
  before(async () => {
    published = await publishedAnswers();
  });

  it("are what the product says of them, and break every rule of answers", async () => {
    const wrong: string[] = [];
    for (const { name, root, expected, ...told } of published.cases) {
      const trust = published.roots[root];
      if (!trust) throw new Error(`There is no root ${root}`);
      const found = await verdictOf({ ...told, trust });
      if (found !== expected) wrong.push(`${name}: ${found}`);
    }
    expect(wrong).to.deep.equal([]);
    const broken = new Set(published.cases.map(({ expected }) => expected));
    expect(Object.keys(ANSWER_RULES).filter((rule) => !broken.has(rule))).to.deep.equal([]);
  });

  it("stand in their file (node test/tools/registry-vectors.ts renews it)", () => {
    expect(readFileSync(resolve(ROOT, ANSWERS_FILE), "utf8")).to.equal(writtenAnswers(published));
  });

  it("are judged the same by a program in another language", function () {
    const said = python([]);
    if (said === null) skip(this, "there is no python3 on this machine");
    expect(said.trim()).to.equal(`${published.cases.length} vectors, 0 disagreements`);
  });

  it(`and so are ${BYTES_CHANGED + FIELDS_CHANGED} of them with a byte or a field changed`, async function () {
    if (python(["--judge"]) === null) skip(this, "there is no python3 on this machine");
    const sound = published.cases.filter(({ expected }) => expected === "present" || expected === "absent");
    const one = fc.constantFrom(...sound);
    const bytes = fc.sample(fc.tuple(one, fc.nat(), fc.integer({ min: 0x20, max: 0x7e })), {
      seed: SEED,
      numRuns: BYTES_CHANGED,
    });
    const fields = fc.sample(
      fc.tuple(one, fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 7 }), fc.constantFrom(...ODD)),
      { seed: SEED, numRuns: FIELDS_CHANGED },
    );
    const changed = [
      ...bytes.map(([row, place, code]) => {
        const at = place % row.answer.length;
        return {
          ...row,
          answer: row.answer.slice(0, at) + String.fromCharCode(code) + row.answer.slice(at + 1),
        };
      }),
      ...fields.map(([row, steps, value]) => ({
        ...row,
        answer: JSON.stringify(put(JSON.parse(row.answer), steps, value)),
      })),
    ].map(({ root, ...row }) => ({ ...row, root: published.roots[root] }));
    const theirs = python(["--judge"], changed.map((row) => `${JSON.stringify(row)}\n`).join("")) ?? "";
    const lines = theirs.trimEnd().split("\n");
    expect(lines.length, theirs.slice(-500)).to.equal(changed.length);
    const rules = new Set<string>();
    const apart: string[] = [];
    for (const [index, { root: trust, ...told }] of changed.entries()) {
      if (!trust) throw new Error("A case has its root");
      const ours = await verdictOf({ ...told, trust });
      if (lines[index] !== JSON.stringify(ours))
        apart.push(`${ours} here, ${lines[index]} there: ${told.answer}`);
      rules.add(ours);
    }
    expect(apart).to.deep.equal([]);
    expect(rules.size, [...rules].join(" ")).to.be.greaterThan(15);
  });
});
