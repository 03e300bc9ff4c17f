/** Which sets a query thread remembers: a real thread, and one document again and again: it is the numbers that count. */
import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { runOn } from "../../server/query/asking.ts";
import { createKnownSets } from "../../server/query/known-sets.ts";
import type { RunTask } from "../../server/query/messages.ts";
import { JSON_TYPE } from "../../server/query/output.ts";
import { type QueryThread, startThread } from "../../server/query/thread.ts";

const silent = createLog(
  () => undefined,
  () => new Date(0),
);
const numbersOf = (count: number): Uint32Array => new Uint32Array(count).fill(1);
const taskFor = (id: number, count: number, isNeeded = true): RunTask => ({
  kind: "run",
  text: "ASK { FILTER(true) }",
  baseIri: "https://pod.example/",
  pod: "pod",
  set: { id, numbers: numbersOf(count) },
  defaults: isNeeded ? "set" : new Uint32Array(),
  named: new Uint32Array(),
  contentType: JSON_TYPE,
  limits: { rowsMax: 10, bytesMax: 10_000 },
  isSettled: true,
  msMax: 5_000,
});

describe("sets of documents that a thread was told of", () => {
  let thread: QueryThread;
  /** What was sent for each question: the set with its numbers, or only its name. */
  let sent: ("numbers" | "name")[];
  before(async () => {
    thread = await startThread(LIMITS, silent);
    const document = { number: 1, graph: "https://pod.example/a", parts: [] };
    await thread.ask({ kind: "load", pod: "pod", documents: [document], dropped: [] }, 5_000);
  });
  after(() => thread.end());
  beforeEach(() => {
    sent = [];
  });

  const ask = async (id: number, count: number, isNeeded = true): Promise<void> => {
    const told: Pick<QueryThread, "run" | "sets"> = {
      sets: thread.sets,
      run: (task) => {
        sent.push(task.set.numbers ? "numbers" : "name");
        return thread.run(task);
      },
    };
    const answer = await runOn({ ...thread, ...told }, taskFor(id, count, isNeeded));
    expect(answer.kind === "whole" && Buffer.from(answer.bytes).toString()).to.include("true");
  };

  it("are sent once, and then named", async () => {
    await ask(1, 100);
    await ask(1, 100);
    expect(sent).to.deep.equal(["numbers", "name"]);
  });

  it("are forgotten on both sides at once, those first that nobody asked for: none is asked for in vain", async () => {
    const [large, count] = [700_000, [11, 12, 11, 13, 11, 12, 13, 11]];
    for (const id of count) await ask(id, large);
    // Two have room. A name that the thread did not know would be asked twice.
    expect(sent).to.deep.equal([
      "numbers",
      "numbers",
      "name",
      "numbers",
      "name",
      "numbers",
      "numbers",
      "numbers",
    ]);
    expect([11, 13].map((id) => thread.sets.get(id))).to.deep.equal([true, true]);
    expect([1, 12].map((id) => thread.sets.get(id))).to.deep.equal([undefined, undefined]);
  });

  it("a question that needs no set leaves the order of both as it is", async () => {
    for (const id of [21, 22]) await ask(id, 700_000);
    await ask(21, 700_000, false);
    await ask(23, 700_000); // The first goes, though it was named after the second.
    await ask(22, 700_000);
    expect(sent).to.deep.equal(["numbers", "numbers", "name", "numbers", "name"]);
  });

  it("one that is larger than all may be is sent each time", async () => {
    await ask(31, 2_000_000);
    await ask(31, 2_000_000);
    expect(sent).to.deep.equal(["numbers", "numbers"]);
  });

  it("are no more than have room, however many there are", () => {
    const sets = createKnownSets<true>();
    for (let id = 0; id < 40_000; id++) sets.set(id, true, 0);
    const left = Array.from({ length: 40_000 }, (_, id) => id).filter((id) => sets.get(id));
    expect(left).to.have.length(20_000);
    expect(left[0]).to.equal(20_000);
  });
});
