/** A flipped bit in the write-ahead log hides acknowledged commits from SQLite: the store says so, and honest crashes pass. */
import { cpSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { StoreRefused } from "../../server/store/refused.ts";
import { readMark } from "../../server/store/sqlite/log-mark.ts";
import { checkLog } from "../../server/store/sqlite/wal-check.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const COMMITS = 12;
const FRAME = 24 + 4_096;
const HEADER = 32;

describe("the write-ahead log after a crash", () => {
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let pod: PodId;
  const at = (name: string): string => join(temporary.folder, name);
  const log = (): string => at("crashed/freehold.db-wal");
  const put = (store: Store, n: number): Promise<unknown> =>
    store.write(pod, async (transaction) => transaction.put("body", `${n}`, "", Buffer.alloc(900, `${n}`)));

  /** A folder as a kill leaves it after some commits. */
  beforeEach(async () => {
    temporary = await temporaryFolder();
    const store = await openStoreIn(at("data"));
    pod = await store.createPod();
    for (let n = 0; n < COMMITS; n++) await put(store, n);
    cpSync(at("data"), at("crashed"), { recursive: true });
    await store.close();
  });
  afterEach(() => temporary.remove());

  const marked = (): number => readMark(at("crashed/freehold.db"))?.frame ?? 0;
  const flip = (byte: number, bit = 0): void => {
    const bytes = readFileSync(log());
    bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit);
    writeFileSync(log(), bytes);
  };
  const verdict = (isMarked = true): ReturnType<typeof checkLog> =>
    checkLog(log(), isMarked ? readMark(at("crashed/freehold.db")) : null);
  async function found(): Promise<number> {
    const store = await openStoreIn(at("crashed"));
    try {
      return await store.read(pod, async (snapshot) => (await Array.fromAsync(snapshot.all("body"))).length);
    } finally {
      await store.close();
    }
  }

  it("is whole up to the mark, and everything is found", async () => {
    expect(marked()).to.be.greaterThan(COMMITS);
    expect(verdict()).to.deep.equal({ committed: marked(), damage: null });
    expect(await found()).to.equal(COMMITS);
  });

  it("any flipped bit in it is noticed, the header's and the last frame's too, and nothing is changed", async () => {
    const last = HEADER + (marked() - 1) * FRAME;
    const places = [0, 9, 17, 25, HEADER, HEADER + 5, HEADER + 9, HEADER + 17, HEADER + 2_000];
    for (const place of [...places, ...places.slice(4).map((one) => one - HEADER + last)]) {
      const before = readFileSync(log());
      flip(place, place % 8);
      const damaged = readFileSync(log());
      const refusal = await openStoreIn(at("crashed")).catch((error: unknown) => error);
      expect(refusal, `byte ${place}`)
        .to.be.instanceOf(StoreRefused)
        .with.property("message")
        .that.matches(/restore the latest backup/);
      expect(readFileSync(log()).equals(damaged), "left as it is").to.equal(true);
      writeFileSync(log(), before);
    }
    expect(await found()).to.equal(COMMITS);
  });

  it("without the mark, commits behind the bad frame prove it all the same", () => {
    flip(HEADER + FRAME + 500);
    expect(verdict(false).damage).to.match(/would be lost/);
  });

  it("an older mark, as a power cut may leave it, claims less and refuses nothing", async () => {
    const older = readFileSync(at("crashed/freehold.db-mark"));
    const store = await openStoreIn(at("crashed"));
    for (let n = 0; n < 3; n++) await put(store, COMMITS + n);
    cpSync(at("crashed"), at("again"), { recursive: true });
    await store.close();
    writeFileSync(at("again/freehold.db-mark"), older);
    expect(checkLog(at("again/freehold.db-wal"), readMark(at("again/freehold.db"))).damage).to.equal(null);
  });

  it("a last transaction that was torn, as only one that nobody acknowledged can be, is no damage", () => {
    const bytes = readFileSync(log());
    const frames = marked();
    // Frames of one more transaction, of which only the last has reached the disk, over what was there before.
    const torn = Buffer.concat([
      bytes.subarray(0, HEADER + frames * FRAME),
      Buffer.alloc(2 * FRAME),
      bytes.subarray(HEADER + (frames - 1) * FRAME, HEADER + frames * FRAME),
    ]);
    writeFileSync(log(), torn);
    expect(verdict()).to.deep.equal({ committed: frames, damage: null });
    expect(verdict(false)).to.deep.equal({ committed: frames, damage: null });
  });

  it("a log that ends in the middle of a frame behind the mark is no damage, but before it is", () => {
    const whole = HEADER + marked() * FRAME;
    writeFileSync(log(), Buffer.concat([readFileSync(log()).subarray(0, whole), Buffer.alloc(FRAME / 2, 1)]));
    expect(verdict().damage).to.equal(null);
    truncateSync(log(), whole - 1);
    expect(verdict().damage).to.match(/would be lost/);
  });

  it("no log, an empty one and a damaged mark are no damage", async () => {
    writeFileSync(at("crashed/freehold.db-mark"), Buffer.alloc(40, 7));
    expect(readMark(at("crashed/freehold.db"))).to.equal(null);
    expect(await found()).to.equal(COMMITS);
    rmSync(log(), { force: true });
    expect(existsSync(log())).to.equal(false);
    expect(checkLog(log(), null)).to.deep.equal({ committed: 0, damage: null });
    writeFileSync(log(), "");
    expect(checkLog(log(), null)).to.deep.equal({ committed: 0, damage: null });
  });
});
