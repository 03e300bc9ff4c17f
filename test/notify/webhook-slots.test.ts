/** Who may send at once: nobody waits for a target that is not theirs. */
import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { retryAfterMs, waitMs } from "../../server/notify/outbox-retry.ts";
import { createSlots, type Slot } from "../../server/notify/outbox-slots.ts";

const go = new AbortController().signal;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Places to send from", () => {
  it("are so many in all, and are given in the order in which they were asked for", async () => {
    const slots = createSlots(2);
    const [a, b] = [await slots.take([], go), await slots.take([], go)];
    const order: string[] = [];
    const later = ["c", "d"].map(async (name) => {
      const slot = await slots.take([], go);
      order.push(name);
      return slot;
    });
    await soon();
    expect(order).to.deep.equal([]);
    a?.release();
    a?.release(); // Twice is once.
    await soon();
    expect(order).to.deep.equal(["c"]);
    b?.release();
    const [c, d] = await Promise.all(later);
    expect([a, b, c, d].map((slot) => slot?.isFresh)).to.deep.equal([true, true, false, false]);
  });

  it("a busy target holds up nobody else", async () => {
    const slots = createSlots(10);
    const slow: (Slot | null)[] = [];
    for (let count = 0; count < 3; count += 1)
      void slots.take([["slow", 2]], go).then((slot) => slow.push(slot));
    await soon();
    expect(slow).to.have.length(2);
    expect((await slots.take([["other", 2]], go))?.isFresh).to.equal(true);
    expect(slow).to.have.length(2);
    slow[0]?.release();
    await soon();
    expect(slow).to.have.length(3);
  });

  it("who gives up waiting takes no place", async () => {
    const slots = createSlots(1);
    const first = await slots.take([], go);
    const leaving = new AbortController();
    const left = slots.take([], leaving.signal);
    leaving.abort();
    expect(await left).to.equal(null);
    expect(await slots.take([], leaving.signal)).to.equal(null);
    first?.release();
    expect((await slots.take([], go))?.isFresh).to.equal(true);
  });
});

describe("The next attempt", () => {
  it("is later each time, up to a limit, never all at once", () => {
    for (const [failures, most] of [
      [1, LIMITS.webhookRetryMsMin],
      [2, 2 * LIMITS.webhookRetryMsMin],
      [5, 16 * LIMITS.webhookRetryMsMin],
      [100, LIMITS.webhookRetryMsMax],
      [10_000, LIMITS.webhookRetryMsMax],
    ] as const) {
      const waits = Array.from({ length: 200 }, () => waitMs(failures, 0, LIMITS));
      expect(Math.min(...waits)).to.be.at.least(most / 2);
      expect(Math.max(...waits)).to.be.at.most(most);
      expect(new Set(waits).size).to.be.above(10);
    }
  });

  it("is no earlier than the receiver asks for, within reason", () => {
    expect(waitMs(1, 60_000, LIMITS)).to.equal(60_000);
    expect(waitMs(1, 10 ** 12, LIMITS)).to.equal(LIMITS.webhookRetryAfterMsMax);
  });

  it("Retry-After is seconds or a date", () => {
    const at = Date.parse("2026-11-22T08:00:00Z");
    expect(retryAfterMs("120", at)).to.equal(120_000);
    expect(retryAfterMs("Sun, 22 Nov 2026 08:01:00 GMT", at)).to.equal(60_000);
    for (const none of [undefined, "", "soon", "-5", "Sat, 21 Nov 2026 08:00:00 GMT"])
      expect(retryAfterMs(none, at), String(none)).to.equal(0);
  });
});
