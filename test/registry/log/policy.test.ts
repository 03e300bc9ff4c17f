/** Policies: the grammar of the specification, and who makes a quorum at which moment. */
import { expect } from "chai";
import fc from "fast-check";
import {
  formatCheckpoint,
  formatVerifierKey,
  judgePolicy,
  PassportError,
  type Policy,
  parseNote,
  parsePolicy,
  quorumTime,
} from "../../../client-lib/registry/index.ts";
import { type CheckpointSigner, createSigner, verifyMlDsa44 } from "../../../server/registry/log/signer.ts";

const BODY = formatCheckpoint({ origin: "log.ch.example/2026", size: 8, root: new Uint8Array(32).fill(9) });
const NOW = Date.UTC(2026, 10, 22);
const SECONDS = NOW / 1_000;

const signerOf = (name: string, byte: number, type: CheckpointSigner["key"]["type"] = 4) =>
  createSigner({ name, type, seed: new Uint8Array(32).fill(byte), now: () => new Date(NOW) });

async function brokenLater(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  return error instanceof PassportError ? error.detail : String(error);
}

describe("witness policies", () => {
  let log: CheckpointSigner;
  let signers: readonly CheckpointSigner[];
  let lines: string;
  const vkey = (index: number): string => formatVerifierKey((signers[index] as CheckpointSigner).key);

  before(async () => {
    log = await signerOf("log.ch.example/2026", 100, 1);
    signers = await Promise.all([1, 2, 3, 4, 5].map((byte) => signerOf(`witness.example/w${byte}`, byte)));
    lines = signers.map((_, index) => `witness w${index + 1} ${vkey(index)}\n`).join("");
  });

  /** A checkpoint cosigned by these, each at its own time. */
  const noteBy = (...by: readonly (readonly [witness: number, time?: number])[]) =>
    parseNote(
      `${BODY}\n${log.lineAt(BODY, 0)}${by.map(([index, time = SECONDS]) => signers[index - 1]?.lineAt(BODY, time)).join("")}`,
    );

  it("the example of the specification is read, with its groups of groups", async () => {
    const policy = await parsePolicy(
      [
        `log ${formatVerifierKey(log.key)}`,
        "",
        ...[0, 1, 2].map((index) => `witness X${index + 1} ${vkey(index)}`),
        "group X-witnesses 2 X1 X2 X3",
        "  # said twice",
        `witness Y1 ${vkey(3)} https://y1.example/`,
        `\twitness\t Y2   ${vkey(4)}  `,
        "group Y-witnesses any Y1 Y2",
        "group X-and-Y all X-witnesses Y-witnesses",
        "quorum X-and-Y",
        "",
      ].join("\n"),
    );
    expect(policy.groups.map(({ name, least }) => [name, least])).to.deep.equal([
      ["X-witnesses", 2],
      ["Y-witnesses", 1],
      ["X-and-Y", 2],
    ]);
    expect(policy.witnesses.map(({ url }) => url)).to.deep.equal([
      null,
      null,
      null,
      "https://y1.example/",
      null,
    ]);
    const judge = async (...by: readonly (readonly [number])[]) =>
      (await judgePolicy(policy, noteBy(...by), { now: NOW, maxAgeSeconds: 60 })).isMet;
    expect(await judge([1], [3], [4])).to.equal(true);
    expect(await judge([1], [2], [3])).to.equal(false);
    expect(await judge([1], [4], [5])).to.equal(false);
    const unsigned = parseNote(
      `${BODY}\n${[0, 2, 3].map((at) => signers[at]?.lineAt(BODY, SECONDS)).join("")}`,
    );
    expect((await judgePolicy(policy, unsigned, { now: NOW, maxAgeSeconds: 60 })).isMet).to.equal(false);
  });

  it("a log that is named must have signed under the origin of the checkpoint", async () => {
    const other = await signerOf("log.za.example/2026", 100, 1);
    const policy = await parsePolicy(`log ${formatVerifierKey(other.key)}\nquorum none\n`);
    const note = parseNote(`${BODY}\n${other.lineAt(BODY, 0)}`);
    expect((await judgePolicy(policy, note, { now: NOW, maxAgeSeconds: 60 })).isMet).to.equal(false);
  });

  for (const [what, make, says] of [
    ["has no quorum", () => lines, "quorum"],
    ["has two quorums", () => `${lines}quorum w1\nquorum w1\n`, "one quorum"],
    ["asks for whom nobody defined", () => `${lines}quorum w9\n`, "not defined above"],
    ["defines its quorum's group too late", () => `${lines}quorum g\ngroup g any w1\n`, "not defined above"],
    [
      "has a group of a group that comes later",
      () => `${lines}group g any h\ngroup h any w1\nquorum g\n`,
      "not defined",
    ],
    ["has a group that has itself", () => `${lines}group g any g\nquorum g\n`, "not defined"],
    [
      "counts a witness in two groups",
      () => `${lines}group g any w1\ngroup h all w1 w2\nquorum h\n`,
      "in a group already",
    ],
    [
      "counts a witness twice in a group",
      () => `${lines}group g all w1 w1\nquorum g\n`,
      "in a group already",
    ],
    ["asks for none of a group", () => `${lines}group g 0 w1\nquorum g\n`, "cannot be"],
    ["asks for more than there are", () => `${lines}group g 3 w1 w2\nquorum g\n`, "cannot be"],
    ["writes a number with a zero before it", () => `${lines}group g 01 w1\nquorum g\n`, "cannot be"],
    ["has a group of nobody", () => `${lines}group g any\nquorum w1\n`, "group <name>"],
    ["names a witness none", () => `witness none ${vkey(0)}\nquorum none\n`, "taken"],
    ["gives a name twice", () => `${lines}witness w1 ${vkey(0)}\nquorum w1\n`, "twice"],
    ["names a group like a witness", () => `${lines}group w1 any w2\nquorum w1\n`, "taken"],
    ["has one key under two names", () => `${lines}witness other ${vkey(0)}\nquorum w1\n`, "twice"],
    [
      "has a log's key for a witness",
      () => `witness w ${formatVerifierKey(log.key)}\nquorum w\n`,
      "type 4 or 6",
    ],
    [
      "names a log twice",
      () => `log ${formatVerifierKey(log.key)}\nlog ${formatVerifierKey(log.key)}\nquorum none\n`,
      "twice",
    ],
    ["has a word that means nothing", () => `${lines}believe w1\nquorum w1\n`, "means nothing"],
    ["has a word of every object", () => `${lines}constructor w1\nquorum w1\n`, "means nothing"],
    ["has a carriage return", () => `${lines}quorum w1\r\n`, "character"],
    ["has a key that is none", () => "witness w1 example.com+00000000+AAAA\nquorum w1\n", ""],
  ] as const) {
    it(`a policy that ${what} is refused`, async () => {
      const detail = await brokenLater(parsePolicy(make()));
      expect(detail).not.to.equal("null");
      expect(detail).to.contain(says);
    });
  }

  it("a quorum is as old as its oldest member that is needed", async () => {
    const policy = await parsePolicy(`${lines}group g 2 w1 w2 w3\nquorum g\n`);
    const judge = (maxAgeSeconds: number, ...by: readonly (readonly [number, number])[]) =>
      judgePolicy(policy, noteBy(...by), { now: NOW, maxAgeSeconds });
    const [old, older] = [SECONDS - 3_600, SECONDS - 86_400];
    expect(await judge(60, [1, SECONDS], [2, old])).to.deep.equal({
      isMet: false,
      newest: SECONDS,
      asOf: old,
      by: ["w1", "w2"],
    });
    expect((await judge(3_600, [1, SECONDS], [2, old])).isMet).to.equal(true);
    expect((await judge(3_599, [1, SECONDS], [2, old], [3, older])).isMet).to.equal(false);
    expect((await judge(Infinity, [1, older], [2, older])).asOf).to.equal(older);
    expect((await judge(Infinity, [1, SECONDS])).asOf).to.equal(null);
  });

  it("what is signed in the future counts for nothing", async () => {
    const policy = await parsePolicy(`${lines}quorum w1\n`);
    for (const [ahead, isMet] of [
      [300, true],
      [301, false],
    ] as const) {
      const judged = await judgePolicy(policy, noteBy([1, SECONDS + ahead]), { now: NOW, maxAgeSeconds: 60 });
      expect(judged.isMet).to.equal(isMet);
    }
  });

  it("one forged line of a witness spoils the note, though the others would do", async () => {
    const policy = await parsePolicy(`${lines}group g any w1 w2\nquorum g\n`);
    const note = noteBy([1], [2]);
    const forged = note.signatures.map((one) =>
      one.name.endsWith("w2") ? { ...one, bytes: one.bytes.with(20, (one.bytes[20] ?? 0) ^ 1) } : one,
    );
    const judged = await judgePolicy(
      policy,
      { ...note, signatures: forged },
      { now: NOW, maxAgeSeconds: 60 },
    );
    expect([judged.isMet, judged.by]).to.deep.equal([false, ["w1"]]);
  });

  it("no quorum asks for nobody, and says no time", async () => {
    const judged = await judgePolicy(await parsePolicy("quorum none"), noteBy(), {
      now: NOW,
      maxAgeSeconds: 1,
    });
    expect(judged).to.deep.equal({ isMet: true, newest: null, asOf: null, by: [] });
  });

  it("a witness with keys of two kinds counts once, by whichever can be verified", async () => {
    const pq = await signerOf("witness.example/w1", 50, 6);
    const policy = await parsePolicy(
      `${lines}witness w1-pq ${formatVerifierKey(pq.key)}\ngroup one any w1 w1-pq\ngroup g 2 one w2\nquorum g\n`,
    );
    const isMet = async (text: string, verify = verifyMlDsa44) =>
      (await judgePolicy(policy, parseNote(text), { now: NOW, maxAgeSeconds: 60, verifyMlDsa44: verify }))
        .isMet;
    const [ed, post, second] = [signers[0], pq, signers[1]].map(
      (signer) => signer?.lineAt(BODY, SECONDS) ?? "",
    );
    expect(await isMet(`${BODY}\n${ed}${post}`)).to.equal(false);
    expect(await isMet(`${BODY}\n${post}${second}`)).to.equal(true);
    expect(await isMet(`${BODY}\n${post}${second}`, () => null)).to.equal(false);
    expect(await isMet(`${BODY}\n${ed}${post}${second}`, () => null)).to.equal(true);
  });

  it("the time of a quorum is the latest by which a search through all moments finds it met", () => {
    /** By the words of the specification: who has cosigned at that moment or later, and whether they suffice. */
    const isMetAt = (policy: Policy, times: ReadonlyMap<string, number>, moment: number): boolean => {
      const has = (name: string): boolean => {
        const group = policy.groups.find((one) => one.name === name);
        if (!group) return (times.get(name) ?? -1) >= moment;
        return group.members.filter(has).length >= group.least;
      };
      return has(policy.quorum);
    };
    const trees = fc.record({
      ks: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
      times: fc.array(fc.option(fc.integer({ min: 0, max: 9 })), { minLength: 6, maxLength: 6 }),
    });
    fc.assert(
      fc.property(trees, ({ ks: [a = 1, b = 1, c = 1], times: when }) => {
        const policy: Policy = {
          logs: [],
          witnesses: [],
          groups: [
            { name: "a", least: a, members: ["1", "2", "3"] },
            { name: "b", least: Math.min(b, 2), members: ["4", "5"] },
            { name: "all", least: c, members: ["a", "b", "6"] },
          ],
          quorum: "all",
        };
        const times = new Map(
          when.flatMap((time, at) => (time === null ? [] : [[String(at + 1), time] as const])),
        );
        const latest =
          [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].find((moment) => isMetAt(policy, times, moment)) ?? null;
        expect(quorumTime(policy, times)).to.equal(latest);
      }),
      { seed: 20_264, numRuns: 500 },
    );
  });
});
