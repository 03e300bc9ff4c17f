import { expect } from "chai";
import {
  type Bundle,
  deactivatePassport,
  exportRecoveryFile,
  generatePassportKeys,
  hashOfOperation,
  hashSetOf,
  importRecoveryFile,
  isDataInForce,
  joinSignatures,
  judge,
  keySetOf,
  lockPassport,
  makeErase,
  makeRecover,
  OPERATION_BYTES_MAX,
  PassportError,
  portPassport,
  type RuleOptions,
  reactivatePassport,
  readSigned,
  recoverPassport,
  rotatePassport,
  type Signed,
  signOperation,
  stateAfter,
  transferPassport,
  unlockPassport,
  verifyBundle,
} from "../../client-lib/passport/index.ts";
import { candidate, key, NOW, type Person, person } from "./people.ts";
import { sampleOf } from "./samples.ts";

const MADE = new Date(NOW);

async function ruleOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  }
  return "none";
}

/** A life: unlocked, to another registrar and back to rest, awake, to another zone. */
async function life(ana: Person): Promise<{ auth: Signed[]; data: Signed; options: RuleOptions }> {
  const today = ana.keys.authority;
  const auth: Signed[] = [ana.create];
  let { state } = ana;
  const add = async (signed: Signed): Promise<void> => {
    auth.push(signed);
    state = await stateAfter(state, signed.op);
  };
  await add(await unlockPassport(state, today));
  await add(await transferPassport(state, today, "gaining"));
  await add(await deactivatePassport(state, today));
  await add(await reactivatePassport(state, today));
  await add(await portPassport(state, today, "za"));
  await add(await lockPassport(state, today));
  const options = { zoneKeys: ana.facts.zoneKeys.bind(ana.facts) };
  return { auth, data: ana.data, options };
}

const bundleOf = (ana: Person, auth: readonly Signed[], data: Signed | null, hold?: Signed): Bundle =>
  ({ id: ana.state.id, head: { auth, data, ...(hold && { hold }) } }) as unknown as Bundle;

describe("a passport's state", () => {
  it("follows a whole life, and data that its host has once signed stays in force through it", async () => {
    const ana = await person("ana");
    const { auth, data, options } = await life(ana);
    const passport = await verifyBundle(bundleOf(ana, auth, data), ana.state.id, options);
    expect(passport.state).to.include({ zone: "za", deactivated: false, keysSince: 0, dseq: 1, hold: null });
    expect([passport.state.head.seq, passport.state.head.registrar]).to.deep.equal([6, "gaining"]);
    expect(passport.data).to.deep.equal(ana.data.op);
  });

  it("lets data end with the keys or the host that signed it", async () => {
    const ana = await person("ana");
    const open = await stateAfter(ana.state, (await unlockPassport(ana.state, ana.keys.authority)).op);
    const elsewhere = await transferPassport(open, ana.keys.authority, "gaining", (await key("other")).key);
    const recover = (await recoverPassport(ana.state, ana.keys, MADE)).recoverOp;
    expect(isDataInForce(open, ana.data.op)).to.equal(true);
    expect(isDataInForce(await stateAfter(open, elsewhere.op), ana.data.op)).to.equal(false);
    expect(isDataInForce(await stateAfter(ana.state, recover.op), ana.data.op)).to.equal(false);
    expect(isDataInForce(await stateAfter(ana.state, ana.rotate.op), ana.data.op)).to.equal(false);
  });

  it("rests through a rotation, and shows where it led before", async () => {
    const ana = await person("ana");
    const rest = await deactivatePassport(ana.state, ana.keys.authority);
    const passport = await verifyBundle(bundleOf(ana, [ana.create, rest], ana.data), ana.state.id);
    expect([passport.state.deactivated, passport.data]).to.deep.equal([true, ana.data.op]);
    const { rotateOp } = await rotatePassport(passport.state, ana.keys, MADE);
    const rotated = await verifyBundle(bundleOf(ana, [ana.create, rest, rotateOp], null), ana.state.id);
    expect(rotated.state.deactivated).to.equal(true);
  });

  it("leaves the hold of a zone behind with the zone", async () => {
    const ana = await person("ana");
    const { state, signed } = await sampleOf(ana, "port");
    const after = await stateAfter({ ...state!, hold: "A".repeat(43) }, signed.op);
    expect([after.zone, after.hold]).to.deep.equal(["za", null]);
  });

  it("is none after an erasure", async () => {
    const ana = await person("ana");
    const op = await makeErase({ id: ana.state.id, after: ana.state.head });
    const after = await stateAfter(ana.state, op).then(
      () => "something",
      (error: Error) => error.message,
    );
    expect(after).to.equal("Nothing is left of a passport that was erased");
  });
});

describe("a bundle with a hold", () => {
  it("says so to whoever knows the zone's keys, and is refused by whoever does not", async () => {
    const ana = await person("ana");
    const { signed: hold, facts } = await sampleOf(ana, "hold");
    const bundle = bundleOf(ana, [ana.create], ana.data, hold);
    const passport = await verifyBundle(bundle, ana.state.id, { zoneKeys: facts.zoneKeys.bind(facts) });
    expect(passport.hold).to.deep.equal(hold.op);
    expect(passport.state.hold).to.equal(await hashOfOperation(hold.op));
    expect(await ruleOf(verifyBundle(bundle, ana.state.id))).to.equal("signature");
  });

  const tampered: readonly (readonly [string, (ana: Person) => Promise<Bundle>, string])[] = [
    [
      "with the end of a hold as a hold",
      async (ana) => bundleOf(ana, [ana.create], null, (await sampleOf(ana, "unhold")).signed),
      "bundle",
    ],
    ["with data as a hold", async (ana) => bundleOf(ana, [ana.create], null, ana.data), "bundle"],
    [
      "with a hold of another person",
      async (ana) => bundleOf(ana, [ana.create], null, (await sampleOf(await person("bea"), "hold")).signed),
      "same-passport",
    ],
    [
      "with a hold in its chain",
      async (ana) => bundleOf(ana, [ana.create, (await sampleOf(ana, "hold")).signed], null),
      "bundle",
    ],
    [
      "with an erasure in its chain",
      async (ana) => bundleOf(ana, [ana.create, (await sampleOf(ana, "erase")).signed], null),
      "bundle",
    ],
    [
      "with a veto in its chain",
      async (ana) => bundleOf(ana, [ana.create, (await sampleOf(ana, "veto")).signed], null),
      "bundle",
    ],
    [
      "with a hold by the zone it has left",
      async (ana) => {
        const { auth } = await life(ana);
        return bundleOf(ana, auth, null, (await sampleOf(ana, "hold")).signed);
      },
      "signature",
    ],
    [
      "in which a port to another zone was put",
      async (ana) => {
        const { auth } = await life(ana);
        const port = auth[5]!;
        return bundleOf(ana, auth.with(5, { ...port, op: { ...port.op, to: "xx" } as typeof port.op }), null);
      },
      "signature",
    ],
    [
      "from which a rest was left out",
      async (ana) => bundleOf(ana, (await life(ana)).auth.toSpliced(3, 1), null),
      "seq",
    ],
  ];
  for (const [name, make, rule] of tampered) {
    it(`is refused ${name}`, async () => {
      const ana = await person("ana");
      const options = { zoneKeys: ana.facts.zoneKeys.bind(ana.facts) };
      expect(await ruleOf(verifyBundle(await make(ana), ana.state.id, options))).to.equal(rule);
    });
  }
});

describe("operations of the largest kind", () => {
  it("fit into their size, or a passport could not be recovered with the keys it was given", async () => {
    const keys = await generatePassportKeys({ authority: 5, next: 5, recovery: 7 });
    const fresh = await generatePassportKeys({ authority: 5, next: 5, recovery: 7 });
    const ana = await person("ana");
    const most = async (pairs: typeof keys.recovery) => ({
      ...(await hashSetOf(pairs, pairs.length)),
      delay: "P90D",
    });
    const head = {
      ...ana.state.head,
      auth: keySetOf(keys.authority, 5),
      next: await hashSetOf(keys.next, 5),
      recovery: await most(keys.recovery),
      registrar: "r".repeat(63),
    };
    const state = { ...ana.state, head, headHash: await hashOfOperation(head) };
    const change = { guardians: { recovery: await most(fresh.recovery), keys: fresh.recovery } };
    const { rotateOp } = await rotatePassport(state, keys, MADE, change);
    expect(await judge({ signed: rotateOp, state, options: {} })).to.deep.equal({ kind: "valid" });
    const by = keys.recovery.map((pair) => pair.key);
    const op = await makeRecover(
      {
        id: state.id,
        after: head,
        auth: keySetOf(fresh.authority, 5),
        next: await hashSetOf(fresh.next, 5),
        recovery: change.guardians.recovery,
      },
      by,
    );
    const signed = await signOperation(op, { keys: by }, keys.recovery);
    expect(await judge({ signed, state, options: {} })).to.deep.equal({ kind: "valid" });
    const text = JSON.stringify(signed);
    expect(text.length).to.be.greaterThan(OPERATION_BYTES_MAX);
    expect(readSigned(text)).to.deep.equal(signed);
  });
});

describe("what a person's program does for them", () => {
  it("recovers with two of three guardians, and leaves the third as it was", async () => {
    const ana = await person("ana");
    const some = { authority: [], next: [], recovery: ana.keys.recovery.slice(1) };
    const { recoverOp, keys, file } = await recoverPassport(ana.state, some, MADE);
    const state = await stateAfter(ana.state, recoverOp.op);
    expect(await judge(candidate(recoverOp, ana.state, ana.facts))).to.deep.equal({ kind: "valid" });
    expect(state.head.recovery).to.deep.include({ threshold: 2, delay: "P7D" });
    expect(state.head.recovery.hashes[0]).to.equal(ana.state.head.recovery.hashes[0]);
    expect(state.head.recovery.hashes.slice(1)).to.deep.equal((await hashSetOf(keys.recovery)).hashes);
    const again = await recoverPassport(
      state,
      (await importRecoveryFile(exportRecoveryFile(file))).keys,
      MADE,
    );
    expect(await judge(candidate(again.recoverOp, state))).to.deep.equal({ kind: "valid" });
  });

  it("says how many guardians are missing", async () => {
    const ana = await person("ana");
    const few = { ...ana.keys, recovery: [ana.keys.recovery[0]!, await key("stranger")] };
    const said = await recoverPassport(ana.state, few, MADE).catch((error: Error) => error.message);
    expect(said).to.equal("2 recovery keys are needed, and 1 are here");
  });

  it("joins the signatures of guardians who sign apart, in any order, and only of the same operation", async () => {
    const ana = await person("ana");
    const { op } = (await recoverPassport(ana.state, ana.keys, MADE)).recoverOp;
    const parts = await Promise.all(
      ana.keys.recovery.slice(0, 2).map((pair) => signOperation(op, { keys: op.by }, [pair])),
    );
    const joined = joinSignatures(parts.toReversed());
    expect(joined.sigs.map(({ k }) => k)).to.deep.equal([0, 1]);
    expect(await judge(candidate(joined, ana.state))).to.deep.equal({ kind: "valid" });
    expect(() => joinSignatures([parts[0]!, { ...parts[1]!, op: { ...op, seq: 2 } }])).to.throw("different");
  });

  it("writes one file with the keys of before and after, which no program takes for less than it is", async () => {
    const ana = await person("ana");
    const { both, file, keys } = await rotatePassport(ana.state, ana.keys, MADE);
    const read = await importRecoveryFile(exportRecoveryFile(both));
    const shown = ({ authority, next, recovery }: typeof keys) =>
      [authority, next, recovery].map((pairs) => pairs.map((pair) => pair.key));
    expect([read.file.version, read.file.aseq, file.version, file.aseq]).to.deep.equal([2, 0, 1, 1]);
    expect(shown(read.keys)).to.deep.equal(shown(ana.keys));
    expect(shown(read.later!)).to.deep.equal(shown(keys));
    expect((await importRecoveryFile(exportRecoveryFile(file))).later).to.equal(null);
    const asOlder = exportRecoveryFile(both).replace('"version": 2', '"version": 1');
    expect(await ruleOf(importRecoveryFile(asOlder))).to.equal("recovery-file");
  });
});
