import { expect } from "chai";
import {
  AUTHORITY_TYPES,
  delayMsOf,
  fateOf,
  hashOfKey,
  hashOfOperation,
  judge,
  makeErase,
  mayReplace,
  type PassportFacts,
  type PassportState,
  recoverPassport,
  rotatePassport,
  type Signed,
  signAsDelegate,
  signAsZone,
  stateAfter,
  unlockPassport,
  vetoPassport,
  waitMsOf,
} from "../../client-lib/passport/index.ts";
import { candidate, key, NOW, person } from "./people.ts";
import { type Sample, sampleOf, samplesOf } from "./samples.ts";

const DAY_MS = 24 * 3_600_000;
const MADE = new Date(NOW);

describe("what waits", () => {
  const waits: readonly (readonly [Sample["type"], number])[] = [
    ["create", 0],
    ["rotate", 0],
    ["recover", 7 * DAY_MS],
    ["lock", 0],
    ["unlock", 3 * DAY_MS],
    ["transfer", 0],
    ["port", 5 * DAY_MS],
    ["deactivate", 0],
    ["reactivate", 0],
    ["erase", 3 * DAY_MS],
    ["veto", 0],
    ["hold", 0],
    ["unhold", 0],
    ["data", 0],
  ];
  for (const [type, ms] of waits) {
    it(`is ${type} for ${ms / DAY_MS} days`, async () => {
      const { signed, state } = await sampleOf(await person("ana"), type);
      expect(waitMsOf(signed.op, state)).to.equal(ms);
    });
  }

  it("is a rotation with other guardians, or with the same under another delay, for the delay of before", async () => {
    const ana = await person("ana");
    const { recovery } = ana.state.head;
    for (const other of [
      { ...recovery, delay: "P1D" },
      { ...recovery, threshold: 1 },
      { ...recovery, hashes: [await hashOfKey((await key("friend")).key)], threshold: 1 },
    ]) {
      const { rotateOp } = await rotatePassport(ana.state, ana.keys, MADE, {
        guardians: { recovery: other, keys: [] },
      });
      expect(waitMsOf(rotateOp.op, ana.state)).to.equal(7 * DAY_MS);
    }
  });

  it("reads delays in days, and takes the longest for what it cannot read", () => {
    expect(["P1D", "P90D", "P1Y", ""].map(delayMsOf)).to.deep.equal(
      [1, 90, 90, 90].map((days) => days * DAY_MS),
    );
  });

  it("goes on through data and holds, and ends with the chain going on or with its own veto", async () => {
    const ana = await person("ana");
    const samples = await samplesOf(ana);
    const { signed: veto, facts } = await sampleOf(ana, "veto");
    const fates = samples.map(({ signed }) => [signed.op.t, fateOf(signed.op, facts.pending!)] as const);
    expect(Object.fromEntries(fates)).to.deep.equal({
      ...Object.fromEntries(AUTHORITY_TYPES.map((type) => [type, "superseded"])),
      erase: "superseded",
      veto: "vetoed",
      hold: "waits",
      unhold: "waits",
      data: "waits",
    });
    expect(fateOf({ ...veto.op, of: "A".repeat(43) } as typeof veto.op, facts.pending!)).to.equal("waits");
  });

  it("is replaced by something stronger only", async () => {
    const ana = await person("ana");
    const [recover, rotate, unlock, erase] = [
      (await sampleOf(ana, "recover")).signed.op,
      ana.rotate.op,
      (await sampleOf(ana, "unlock")).signed.op,
      (await sampleOf(ana, "erase")).signed.op,
    ];
    expect([
      mayReplace(recover, rotate),
      mayReplace(rotate, erase),
      mayReplace(recover, unlock),
    ]).to.deep.equal([true, true, true]);
    expect([
      mayReplace(recover, recover),
      mayReplace(rotate, recover),
      mayReplace(erase, unlock),
      mayReplace(unlock, rotate),
    ]).to.deep.equal([false, false, false, false]);
  });
});

describe("a registry's other answers", () => {
  it("takes recover in the place of anything else that waits, and anything quick before an erasure counts", async () => {
    const ana = await person("ana");
    const { facts } = await sampleOf(ana, "veto"); // An erasure waits.
    for (const type of ["recover", "rotate", "deactivate", "data", "hold"] as const) {
      const { signed, state } = await sampleOf(ana, type);
      expect(await judge(candidate(signed, state, facts)), type).to.deep.equal({ kind: "valid" });
    }
  });

  it("lets a host keep the log-in service that the owner chose, and choose its own where there is none", async () => {
    const ana = await person("ana");
    const data = { ...ana.data.op, oidc: "https://login.example/" };
    const told = { ...ana.state, dseq: 1 };
    const kept = await signAsDelegate({ ...data, dseq: 2 }, ana.host);
    expect(await judge(candidate(kept, told, { ...ana.facts, data }))).to.deep.equal({ kind: "valid" });
    const first = await signAsDelegate({ ...ana.data.op, dseq: 2 }, ana.host);
    expect(
      await judge(candidate(first, told, { ...ana.facts, data: { ...data, oidc: null } })),
    ).to.deep.equal({ kind: "valid" });
  });

  it("lets a new host choose its log-in service, whatever the host before had named", async () => {
    const ana = await person("ana");
    const state = await stateAfter({ ...ana.state, dseq: 1 }, ana.rotate.op);
    const data = { ...ana.data.op, oidc: "https://former.example/" };
    const first = await signAsDelegate({ ...ana.data.op, aseq: 1, dseq: 2, keys: [] }, ana.host);
    expect(await judge(candidate(first, state, { ...ana.facts, data }))).to.deep.equal({ kind: "valid" });
  });

  it("brings a recovery into force that waits itself", async () => {
    const { signed, state, facts } = await sampleOf(await person("ana"), "recover");
    const pending = { hash: await hashOfOperation(signed.op), op: signed.op, at: NOW - 7 * DAY_MS };
    const ordered = { ...facts, pending, isOrdered: true };
    expect(await judge(candidate(signed, state, ordered))).to.deep.equal({ kind: "valid" });
    expect((await judge(candidate(signed, state, { ...ordered, isOrdered: false }))).kind).to.equal("broken");
  });

  it("brings into force what a registrar sponsored that is suspended since", async () => {
    const ana = await person("ana");
    const { signed, state, facts } = await sampleOf(ana, "transfer");
    const suspended = { ...facts, registrarKeys: () => [] };
    expect((await judge(candidate(signed, state, suspended))).kind).to.equal("broken");
    expect(await judge(candidate(signed, state, { ...suspended, isOrdered: true }))).to.deep.equal({
      kind: "valid",
    });
  });

  it("takes in a passport that the root has ordered to come", async () => {
    const ana = await person("ana");
    const { signed, state, facts } = await sampleOf(ana, "port");
    const there = { ...facts, zones: ["za"], isOrdered: true, createdAt: null, authSince: null };
    expect(await judge(candidate(signed, state, there))).to.deep.equal({ kind: "valid" });
  });

  it("lets a zone and its legal signer erase with a case", async () => {
    const ana = await person("ana");
    const op = await makeErase({ id: ana.state.id, after: ana.state.head }, "zz/2026/17");
    const signed = await signAsZone(op, await key("zone zz"), await key("legal"));
    expect(await judge(candidate(signed, ana.state, ana.facts))).to.deep.equal({ kind: "valid" });
  });
});

describe("the edges of time", () => {
  const verdictOf = async (type: Sample["type"], over: (sample: Sample) => Partial<PassportFacts>) => {
    const sample = await sampleOf(await person("ana"), type);
    const verdict = await judge(candidate(sample.signed, sample.state, { ...sample.facts, ...over(sample) }));
    return verdict.kind === "valid" ? "valid" : verdict.rule.id;
  };

  it("lie to the millisecond where the rules say", async () => {
    const edges: readonly (readonly [
      Sample["type"],
      number,
      (at: number) => Partial<PassportFacts>,
      string,
    ])[] = [
      ["unlock", NOW - 30 * DAY_MS, (createdAt) => ({ createdAt }), "young"],
      ["recover", NOW - 14 * DAY_MS, (vetoedAt) => ({ vetoedAt }), "recover-again"],
    ];
    for (const [type, at, facts, rule] of edges) {
      expect(await verdictOf(type, () => facts(at)), rule).to.equal("valid");
      expect(await verdictOf(type, () => facts(at + 1)), rule).to.equal(rule);
    }
  });

  it("let keys veto a recovery that were in force for longer than its delay, not for as long", async () => {
    const ana = await person("ana");
    const { signed } = await sampleOf(ana, "recover");
    const pending = { hash: await hashOfOperation(signed.op), op: signed.op, at: NOW - DAY_MS };
    const veto = await vetoPassport(ana.state, ana.keys.authority, pending.hash);
    for (const [authSince, kind] of [
      [pending.at - 7 * DAY_MS, "broken"],
      [pending.at - 7 * DAY_MS - 1, "valid"],
    ] as const)
      expect((await judge(candidate(veto, ana.state, { ...ana.facts, pending, authSince }))).kind).to.equal(
        kind,
      );
  });

  it("give a hold ten minutes on either side of the clock", async () => {
    for (const [seconds, kind] of [
      [-601, "broken"],
      [-600, "valid"],
      [600, "valid"],
      [601, "broken"],
    ] as const) {
      const { signed, state, facts } = await sampleOf(await person("ana"), "hold");
      const now = () => NOW + seconds * 1_000;
      expect((await judge(candidate(signed, state, { ...facts, now }))).kind, `${seconds} s`).to.equal(kind);
    }
  });

  it("leave room in the chain up to the last number, and none after it", async () => {
    const ana = await person("ana");
    const at = async (seq: number) => {
      const head = { ...ana.state.head, seq } as typeof ana.state.head;
      return { ...ana.state, head, headHash: await hashOfOperation(head) };
    };
    for (const [last, make] of [
      [127, async (state) => unlockPassport(state, ana.keys.authority)],
      [223, async (state) => (await rotatePassport(state, ana.keys, MADE)).rotateOp],
      [255, async (state) => (await recoverPassport(state, ana.keys, MADE)).recoverOp],
    ] as readonly [number, (state: PassportState) => Promise<Signed>][]) {
      for (const [before, rule] of [
        [last - 1, "none"],
        [last, "room"],
      ] as const) {
        const state = await at(before);
        const verdict = await judge(candidate(await make(state), state));
        expect(verdict.kind === "valid" ? "none" : verdict.rule.id, `${before + 1}`).to.equal(rule);
      }
    }
  });
});
