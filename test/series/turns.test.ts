/** A range that is not read holds a turn, and memory, for a short while only. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import type { Problem } from "../../server/errors.ts";
import { type Agent, PUBLIC_AGENT, type Result } from "../../server/operation.ts";
import { createTurns } from "../../server/series/turns.ts";

const LIMITS = {
  seriesRangesPerAgentMax: 2,
  seriesRangesRunningMax: 3,
  queryStallMsMax: 100,
  queryReadMsMax: 400,
};
const ANA: Agent = { ...PUBLIC_AGENT, webid: "https://ana.example/#me" as NonNullable<Agent["webid"]> };
const BEN: Agent = { ...PUBLIC_AGENT, webid: "https://ben.example/#me" as NonNullable<Agent["webid"]> };

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield Buffer.from(`${at} `);
}
const range =
  (count = 3) =>
  async (): Promise<Result> => ({ status: 200, headers: {}, body: pieces(count) });
const bodyOf = ({ body }: Result) => (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
const codeOf = (asked: Promise<unknown>): Promise<string | null> =>
  asked.then(
    () => null,
    (error: Problem) => error.code,
  );

describe("turns to read ranges", () => {
  it("are held until all is read, so many for one, so many in all", async () => {
    const inTurn = createTurns(LIMITS);
    const first = await inTurn(ANA, range());
    const second = await inTurn(ANA, range());
    expect(await codeOf(inTurn(ANA, range()))).to.equal("too-many-requests");
    await inTurn(BEN, range());
    expect(await codeOf(inTurn(BEN, range()))).to.equal("unavailable");
    const text = (await Array.fromAsync(first.body as AsyncIterable<Uint8Array>)).join("");
    expect(text).to.equal("0 1 2 ");
    const third = await inTurn(ANA, range());
    await bodyOf(second).return?.();
    await bodyOf(third).return?.();
    expect(await codeOf(inTurn(ANA, range()))).to.equal(null);
  });

  it("are given back at once by what is whole, and by what fails", async () => {
    const inTurn = createTurns(LIMITS);
    for (let round = 0; round < 5; round++) {
      await inTurn(ANA, async () => ({ status: 200, headers: {}, body: "short" }));
      expect(await codeOf(inTurn(ANA, () => Promise.reject(new Error("broken"))))).to.equal(undefined);
    }
  });

  it("end when nobody reads on, be it begun or not; what was cut off does not look whole", async () => {
    const inTurn = createTurns(LIMITS);
    const begun = bodyOf(await inTurn(ANA, range()));
    await begun.next();
    const never = bodyOf(await inTurn(ANA, range()));
    await sleep(LIMITS.queryStallMsMax * 3);
    expect(await codeOf(inTurn(ANA, range()))).to.equal(null);
    for (const one of [begun, never]) expect(await codeOf(one.next())).to.equal("unavailable");
  });

  it("end for who is always just quick enough, too", async () => {
    const inTurn = createTurns(LIMITS);
    const slow = bodyOf(await inTurn(ANA, range(1_000)));
    let read = 0;
    const code = await codeOf(
      (async () => {
        for (; ; read++) {
          await sleep(LIMITS.queryStallMsMax / 4);
          await slow.next();
        }
      })(),
    );
    expect(code).to.equal("unavailable");
    expect(read).to.be.below(100);
  });
});
