/** The checker is tested itself: on documents that misbehave, each in a way of its own, and on one that does not. */
import { expect } from "chai";
import { createDice, type Dice } from "../torture/model.ts";
import { type Answered, type Asked, type Call, type Document, documentModel, findFault } from "./checker.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const HISTORIES = 300;

/** One document, somewhere. */
type Register = (asked: Asked, pause: () => Promise<void>) => Promise<Answered>;

interface Whole {
  document: NonNullable<Document> | null;
  versions: number;
}

/** The rules once more, in other words than the checker's. @returns the answer, and what is there then. */
function apply(whole: Whole, asked: Asked): { answer: Answered; after: Whole["document"] } {
  const { document } = whole;
  const say = (
    status: number,
    etag: string | null = null,
    numbers: readonly number[] | null = null,
  ): Answered => ({
    status,
    etag,
    numbers,
  });
  if (asked.kind === "get")
    return { answer: document ? say(200, document.etag, document.numbers) : say(404), after: document };
  const isDeletion = asked.kind === "delete" || asked.kind === "delete-if-match";
  if (isDeletion && !document) return { answer: say(404), after: null };
  const isRefused =
    ("etag" in asked && asked.etag !== document?.etag) ||
    (asked.kind === "put-if-none-match" && document !== null);
  if (isRefused) return { answer: say(412), after: document };
  if (isDeletion) return { answer: say(205), after: null };
  let numbers = "numbers" in asked ? asked.numbers : (document?.numbers ?? []);
  if (asked.kind === "patch") {
    const { inserts, deletes } = asked;
    if (deletes !== null && !numbers.includes(deletes)) return { answer: say(409), after: document };
    numbers = [...numbers.filter((number) => number !== deletes), ...(inserts === null ? [] : [inserts])];
  }
  const etag = `"${++whole.versions}"`;
  return {
    answer: say(document ? 204 : 201, etag),
    after: { numbers: [...new Set(numbers)].sort((a, b) => a - b), etag },
  };
}

const isChange = ({ kind }: Asked): boolean => kind !== "get";

/** Everything in one step. */
function honest(): Register {
  const whole: Whole = { document: null, versions: 0 };
  return async (asked, pause) => {
    await pause();
    const { answer, after } = apply(whole, asked);
    whole.document = after;
    await pause();
    return answer;
  };
}

/** Reads, thinks, and writes what it thought, though others have written meanwhile. @param asks Who is treated so. */
function unlocked(isCareless: (asked: Asked) => boolean): Register {
  const whole: Whole = { document: null, versions: 0 };
  return async (asked, pause) => {
    await pause();
    const { answer, after } = apply(whole, asked);
    if (isCareless(asked)) await pause();
    if (isChange(asked) && answer.status < 300) whole.document = after;
    return answer;
  };
}

/** Reads are answered from a copy that is brought up to date later. */
function staleReads(): Register {
  const whole: Whole = { document: null, versions: 0 };
  let copy: Whole["document"] = null;
  return async (asked, pause) => {
    await pause();
    if (!isChange(asked)) return apply({ ...whole, document: copy }, asked).answer;
    const { answer, after } = apply(whole, asked);
    whole.document = after;
    void pause()
      .then(pause)
      .then(() => (copy = whole.document));
    return answer;
  };
}

/** The new content with the old ETag: whoever sends it back overwrites what they never saw. */
function staleEtag(): Register {
  const whole: Whole = { document: null, versions: 0 };
  return async (asked, pause) => {
    await pause();
    const before = whole.document?.etag ?? null;
    const { answer, after } = apply(whole, asked);
    whole.document = after;
    return asked.kind === "put" && before !== null ? { ...answer, etag: before } : answer;
  };
}

/** Conditions are checked against what was there a moment ago. */
function lateConditions(): Register {
  const whole: Whole = { document: null, versions: 0 };
  return async (asked, pause) => {
    const { answer } = apply({ ...whole }, asked);
    await pause();
    if (answer.status === 412) return answer;
    const { etag: _, ...blind } = { etag: "", ...asked };
    const unconditional = (
      "numbers" in asked
        ? { ...blind, kind: "put" }
        : asked.kind === "delete-if-match"
          ? { kind: "delete" }
          : asked
    ) as Asked;
    const done = apply(whole, unconditional);
    whole.document = done.after;
    return done.answer;
  };
}

/** Shows what is then taken back. */
function dirty(): Register {
  const whole: Whole = { document: null, versions: 0 };
  let draft: Whole["document"] | undefined;
  return async (asked, pause) => {
    await pause();
    if (!isChange(asked))
      return apply({ ...whole, document: draft === undefined ? whole.document : draft }, asked).answer;
    if (asked.kind !== "put-if-match") {
      const { answer, after } = apply(whole, asked);
      whole.document = after;
      return answer;
    }
    draft = { numbers: asked.numbers, etag: `"draft ${++whole.versions}"` };
    await pause();
    draft = undefined;
    const { answer, after } = apply(whole, asked);
    whole.document = after;
    return answer;
  };
}

/** Answers before it writes. */
function hasty(): Register {
  const whole: Whole = { document: null, versions: 0 };
  return async (asked, pause) => {
    await pause();
    const { answer, after } = apply(whole, asked);
    if (isChange(asked) && answer.status < 300) void pause().then(() => (whole.document = after));
    return answer;
  };
}

/** Every so often a write is acknowledged, and not done. */
function lossy(): Register {
  const whole: Whole = { document: null, versions: 0 };
  let count = 0;
  return async (asked, pause) => {
    await pause();
    const { answer, after } = apply(whole, asked);
    if (!isChange(asked) || ++count % 9 > 0) whole.document = after;
    return answer;
  };
}

async function record(register: Register, dice: Dice, hangsUp: boolean): Promise<Call[]> {
  const calls: Call[] = [];
  let clock = 0;
  let number = 0;
  const pause = async (): Promise<void> => {
    for (let turns = dice(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  };
  await Promise.all(
    Array.from({ length: 5 }, async (_, client) => {
      let etag = '"none"';
      let known = 0;
      for (let left = 1 + dice(12); left > 0; left--) {
        const numbers = [++number];
        const choices: readonly Asked[] = [
          { kind: "get" },
          { kind: "get" },
          { kind: "put", numbers },
          { kind: "put-if-match", etag, numbers },
          { kind: "put-if-none-match", numbers },
          { kind: "patch", inserts: number, deletes: null },
          { kind: "patch", inserts: number, deletes: known },
          { kind: "delete" },
          { kind: "delete-if-match", etag },
        ];
        const asked = choices[dice(choices.length)] ?? { kind: "get" };
        const began = ++clock;
        const answer = await register(asked, pause);
        if (answer.etag) ({ etag } = answer);
        if (answer.numbers?.[0]) [known] = answer.numbers;
        if (hangsUp && dice(10) === 0) {
          if (asked.kind !== "get") calls.push({ ...asked, client, began, ended: Infinity, answer: null });
        } else calls.push({ ...asked, client, began, ended: ++clock, answer });
        await pause();
      }
    }),
  );
  return calls;
}

/** @returns in how many histories a fault was found. */
async function count(create: () => Register, histories: number, hangsUp: boolean): Promise<number> {
  const dice = createDice(SEED);
  let faults = 0;
  for (let n = 0; n < histories; n++) {
    const calls = await record(create(), dice, hangsUp);
    if (findFault(documentModel, calls) !== null) faults++;
  }
  return faults;
}

describe("the linearizability checker", function () {
  this.timeout(60_000);

  it("accepts every history of a document that is changed in one step", async () => {
    expect(await count(honest, HISTORIES, false)).to.equal(0);
  });

  it("accepts them when some answers were never heard", async () => {
    expect(await count(honest, HISTORIES, true)).to.equal(0);
  });

  for (const [fault, create] of [
    ["writes without a lock", () => unlocked(isChange)],
    ["loses updates, but only those of patches", () => unlocked(({ kind }) => kind === "patch")],
    ["lets two create the same document", () => unlocked(({ kind }) => kind === "put-if-none-match")],
    ["reads from a stale cache", staleReads],
    ["gives a stale ETag", staleEtag],
    ["checks conditions too early", lateConditions],
    ["shows what is not written", dirty],
    ["answers before it writes", hasty],
    ["loses writes", lossy],
  ] as const) {
    it(`finds a document out that ${fault}`, async () => {
      expect(await count(create, HISTORIES, false)).to.be.greaterThan(HISTORIES / 20);
      expect(await count(create, HISTORIES, true)).to.be.greaterThan(0);
    });
  }

  describe("in the smallest histories", () => {
    const call = (
      asked: Asked,
      began: number,
      ended: number,
      status: number,
      more: Partial<Answered> = {},
    ): Call => ({
      ...asked,
      client: 0,
      began,
      ended,
      answer: { status, etag: null, numbers: null, ...more },
    });
    const put = (n: number, began: number, ended: number, status: number, etag: string): Call =>
      call({ kind: "put", numbers: [n] }, began, ended, status, { etag });
    const get = (began: number, ended: number, n: number, etag: string): Call =>
      call({ kind: "get" }, began, ended, 200, { etag, numbers: [n] });
    const unheard = (asked: Asked, began: number): Call => ({
      ...asked,
      client: 1,
      began,
      ended: Infinity,
      answer: null,
    });
    const base = put(1, 1, 2, 201, "a");
    for (const [name, history, isRight] of [
      ["a read after a write", [base, get(3, 4, 1, "a")], true],
      ["a read of what was replaced", [base, put(2, 3, 4, 204, "b"), get(5, 6, 1, "a")], false],
      ["a read during a write: before", [base, put(2, 3, 6, 204, "b"), get(4, 5, 1, "a")], true],
      ["a read during a write: after", [base, put(2, 3, 6, 204, "b"), get(4, 5, 2, "b")], true],
      ["after, then before", [base, put(2, 3, 9, 204, "b"), get(4, 5, 2, "b"), get(6, 7, 1, "a")], false],
      [
        "content of one version with the ETag of another",
        [base, put(2, 3, 6, 204, "b"), get(4, 5, 2, "a")],
        false,
      ],
      ["two that create", [base, put(2, 1, 3, 201, "b")], false],
      ["the same ETag for two", [base, put(2, 3, 4, 204, "a")], false],
      [
        "an unheard write that took effect",
        [base, unheard({ kind: "put", numbers: [2] }, 3), get(4, 5, 2, "b")],
        true,
      ],
      [
        "an unheard write that did not",
        [base, unheard({ kind: "put", numbers: [2] }, 3), get(4, 5, 1, "a")],
        true,
      ],
      [
        "an unheard write that came late",
        [base, unheard({ kind: "put", numbers: [2] }, 3), get(4, 5, 1, "a"), get(6, 7, 2, "b")],
        true,
      ],
      [
        "an unheard write that came and went",
        [base, unheard({ kind: "put", numbers: [2] }, 3), get(4, 5, 2, "b"), get(6, 7, 1, "a")],
        false,
      ],
      [
        "an unheard write whose ETag somebody uses",
        [
          base,
          unheard({ kind: "put", numbers: [2] }, 3),
          call({ kind: "put-if-match", etag: "b", numbers: [3] }, 4, 5, 204, { etag: "c" }),
          get(6, 7, 3, "c"),
        ],
        true,
      ],
      ["a deletion of nothing that worked", [call({ kind: "delete" }, 1, 2, 205)], false],
    ] as const) {
      it(`${isRight ? "accepts" : "refuses"} ${name}`, () => {
        expect(findFault(documentModel, history) === null).to.equal(isRight);
      });
    }
  });
});
