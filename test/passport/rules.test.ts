import { expect } from "chai";
import fc from "fast-check";
import { jcs } from "../../client-lib/passport/bytes.ts";
import { judge, OPERATION_BYTES_MAX, RULES, readSigned } from "../../client-lib/passport/index.ts";
import { ALL } from "../../client-lib/passport/rule.ts";
import { LIMITS } from "../../server/limits.ts";
import { candidate, forge, person } from "./people.ts";
import { samplesOf } from "./samples.ts";
import { VECTORS } from "./vectors.ts";

describe("rules of passport operations", () => {
  it("each has an id of its own and is a sentence", () => {
    expect(new Set(RULES.map(({ id }) => id)).size).to.equal(RULES.length);
    for (const { id, says } of RULES) expect(says, id).to.match(/^\S.*\.$/);
  });

  it("each is broken by at least one test vector, and no vector names a rule that is not there", () => {
    expect(new Set(VECTORS.map(({ rule }) => rule))).to.deep.equal(new Set(RULES.map(({ id }) => id)));
  });

  it("are about operations that exist, and every operation is allowed in its place", async () => {
    const samples = await samplesOf(await person("ana"));
    expect(samples.map(({ type }) => type)).to.deep.equal(ALL);
    for (const { signed, state, facts, type } of samples)
      expect(await judge(candidate(signed, state, facts)), type).to.deep.equal({ kind: "valid" });
    for (const { on, id } of RULES) expect(ALL, id).to.include.members([...on]);
  });

  it("allow it to whoever reads only the chain, once the zones' keys are known", async () => {
    for (const { signed, state, facts, type } of await samplesOf(await person("ana"))) {
      const options = { zoneKeys: facts.zoneKeys.bind(facts) };
      expect(await judge({ signed, state, options }), type).to.deep.equal({ kind: "valid" });
    }
  });

  it("allow two signatures where two are needed", async () => {
    const bea = await person("bea", { authority: 3, next: 3, recovery: 3 });
    expect(bea.rotate.sigs).to.have.length(3);
    expect(
      await judge(candidate({ ...bea.rotate, sigs: bea.rotate.sigs.slice(1) }, bea.state)),
    ).to.deep.equal({ kind: "valid" });
  });

  for (const { rule, name, make } of VECTORS) {
    it(`${rule}: refuse ${name}`, async () => {
      const verdict = await judge(await make(await person("ana")));
      expect(verdict.kind === "broken" ? [verdict.rule.id, verdict.detail] : [verdict.kind, ""]).to.satisfy(
        ([id]: [string]) => id === rule,
        JSON.stringify(verdict),
      );
    });
  }

  it("know the same size limit as the server", () => {
    expect(OPERATION_BYTES_MAX).to.equal(LIMITS.operationBytesMax);
  });

  it("survive any JSON that is not an operation at all", async () => {
    for (const text of [
      "{}",
      '{"op":null,"sigs":null}',
      '{"op":{},"sigs":[]}',
      '{"op":{"v":1,"t":"data"},"sigs":[null]}',
      '{"op":{"v":1,"t":"create"},"sigs":{}}',
    ]) {
      expect((await judge(candidate(readSigned(text), null))).kind, text).to.equal("broken");
    }
  });

  it("survive any value in any field", async () => {
    const ana = await person("ana");
    const odd = [
      null,
      0,
      -1,
      1.5,
      "",
      "x",
      [],
      {},
      [null],
      [[]],
      [{}],
      { keys: null },
      { keys: [null], threshold: 1 },
      true,
    ];
    for (const { signed, state, facts } of await samplesOf(ana)) {
      for (const field of Object.keys(signed.op)) {
        for (const value of odd) {
          const verdict = await judge(
            candidate(forge({ ...signed, op: { ...signed.op, [field]: value } }), state, facts),
          );
          expect(verdict.kind, `${signed.op.t} ${field}: ${JSON.stringify(value)}`).to.equal(
            JSON.stringify(value) === JSON.stringify((signed.op as never)[field]) ? "valid" : "broken",
          );
        }
      }
    }
  });

  it("hold for no operation of which anything at all was changed", async () => {
    const ana = await person("ana");
    const samples = await samplesOf(ana);
    /** Puts `value` at a place in the operation that `steps` lead to. */
    const change = (node: unknown, steps: readonly number[], value: unknown): unknown => {
      const [step, ...rest] = steps;
      if (step === undefined || typeof node !== "object" || node === null) return value;
      const names = Object.keys(node);
      const name = names[step % Math.max(names.length, 1)];
      if (name === undefined) return value;
      const inner = change((node as Record<string, unknown>)[name], rest, value);
      return Array.isArray(node) ? node.with(Number(name), inner) : { ...node, [name]: inner };
    };
    const steps = fc.array(fc.nat(20), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples),
        steps,
        fc.jsonValue(),
        async ({ signed: one, state, facts }, path, value) => {
          const op = change(one.op, path, value);
          const same = jcs(op) === jcs(one.op);
          expect((await judge(candidate(forge({ ...one, op }), state, facts))).kind).to.equal(
            same ? "valid" : "broken",
          );
        },
      ),
      { numRuns: 1_000, seed: 7 },
    );
  });
});
