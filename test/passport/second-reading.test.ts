/** The rules as a program in another language reads them, written from the protocol's page: `vocab/registry/vectors/verify.py`. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import {
  type Candidate,
  hashOfOperation,
  judge,
  type PassportFacts,
  RULES,
} from "../../client-lib/passport/index.ts";
import { skip } from "../support/skip.ts";
import { candidate, forge, NOW, person } from "./people.ts";
import { inWriting } from "./published.ts";
import { samplesOf } from "./samples.ts";
import { VECTORS } from "./vectors.ts";

const PROGRAM = resolve(import.meta.dirname, "../../vocab/registry/vectors/verify.py");
const CASES = 2_000;
const DAY_MS = 24 * 3_600_000;
const ODD: readonly unknown[] = [
  0,
  1,
  2,
  127,
  128,
  223,
  224,
  255,
  256,
  null,
  [],
  {},
  "",
  "zz",
  "za",
  "data",
  "port",
];

function python(
  args: readonly string[],
  input = "",
): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr, error } = spawnSync("python3", ["-I", PROGRAM, ...args], {
    input,
    encoding: "utf8",
    timeout: 100_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error && (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  return { status: error ? null : status, text: `${stdout}${stderr}` };
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

describe("a second reading of the rules", function () {
  this.timeout(120_000);
  before(function () {
    if (python(["--judge"]).status !== 0) skip(this, "there is no python3 on this machine");
  });

  it("agrees about every published vector", () => {
    const { status, text } = python([]);
    expect(text).to.match(/\b0 disagreements\n$/);
    expect(status).to.equal(0);
  });

  it(`agrees about ${CASES} operations that were changed somewhere, or taken out of their place`, async () => {
    const ana = await person("ana");
    const samples = await samplesOf(ana);
    const vectors: Candidate[] = [];
    for (const { make } of VECTORS) vectors.push(await make(ana));
    const from = [...samples.map(({ signed, state }) => ({ signed, state })), ...vectors];
    const states = samples.map(({ state }) => state);
    const waiting = await Promise.all(
      samples.map(async ({ signed: { op } }) => ({ hash: await hashOfOperation(op), op, at: NOW - DAY_MS })),
    );
    const ages = fc.constantFrom(null, ...[0, 1, 8, 13, 15, 29, 31].map((days) => NOW - days * DAY_MS));
    const facts: fc.Arbitrary<PassportFacts> = fc.record({
      createdAt: ages,
      authSince: ages,
      vetoedAt: ages,
      pending: fc.constantFrom(null, null, null, ...waiting),
      data: fc.constantFrom(null, ana.data.op, { ...ana.data.op, oidc: "https://login.example/" }),
      isOrdered: fc.boolean(),
    });
    /** Values that stand elsewhere in operations are more telling than any others. */
    const telling = fc.constantFrom(
      ...[ana.create, ana.data].flatMap(({ op }) => Object.values(op) as unknown[]),
      ...ODD,
    );
    const cases = fc.sample(
      fc.record({
        base: fc.constantFrom(...from),
        elsewhere: fc.constantFrom(...states),
        steps: fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
        value: fc.oneof(telling, fc.jsonValue({ maxDepth: 2 })),
        facts,
        kind: fc.constantFrom("another time", "another time", "changed", "moved", "both"),
      }),
      { numRuns: CASES, seed: 20_261_122 },
    );
    const rows = cases.map(({ base, elsewhere, steps, value, kind, facts: some }) => ({
      signed: kind === "changed" || kind === "both" ? put(base.signed, steps, value) : base.signed,
      state: kind === "moved" || kind === "both" ? elsewhere : base.state,
      registry: { ...ana.facts, ...some },
    }));
    const lines = rows.map((row) => JSON.stringify({ ...row, registry: inWriting(row.registry, ana) }));
    const { status, text } = python(["--judge"], `${lines.join("\n")}\n`);
    expect(status, text.slice(-500)).to.equal(0);
    const theirs = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as string | null);
    const found = new Set<string | null>();
    for (const [index, line] of lines.entries()) {
      const { signed, state } = JSON.parse(line) as { signed: unknown; state: never };
      const verdict = await judge(candidate(forge(signed), state, rows[index]?.registry));
      const ours = verdict.kind === "valid" ? null : verdict.rule.id;
      expect(theirs[index], line).to.equal(ours);
      found.add(ours);
    }
    expect(found.size, `of ${RULES.length} rules`).to.be.greaterThan(50);
  });
});
