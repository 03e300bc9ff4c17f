/** Which backups go, and when: never one that nothing proved takes the place of. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import {
  discard,
  expired,
  expiredKeys,
  freeName,
  type Keep,
  listShelf,
  markProved,
  nameOf,
  noteErased,
  type Proof,
  readErased,
} from "../../server/backup/shelf.ts";
import type { PodId } from "../../server/store/store.ts";

const DAY = 24 * 3_600_000;
const START = Date.UTC(2026, 0, 1, 3); // A Thursday.
const KEEP: Keep = { days: 7, weeks: 4, months: 6 };
const PROOF: Proof = {
  manifest: "",
  time: "2026-01-01T00:00:00Z",
  seconds: 1,
  rows: 1,
  blobs: 0,
  documents: 1,
};

const backup = (day: number, isProved = true) => ({
  time: START + day * DAY,
  proof: isProved ? PROOF : null,
});
const daysOf = (backups: readonly { readonly time: number }[]): number[] =>
  backups.map(({ time }) => (time - START) / DAY).sort((a, b) => a - b);

describe("retention", () => {
  it("keeps the last of seven days, of four weeks and of six months", () => {
    const year = Array.from({ length: 365 }, (_, day) => backup(day));
    const gone = new Set(expired(year, KEEP));
    const kept = daysOf(year.filter((one) => !gone.has(one)));
    const dates = kept.map((day) => new Date(START + day * DAY).toISOString().slice(0, 10));
    expect(dates).to.deep.equal([
      "2026-07-31",
      "2026-08-31",
      "2026-09-30",
      "2026-10-31",
      "2026-11-30",
      "2026-12-13", // Sundays …
      "2026-12-20",
      "2026-12-25", // … and days.
      "2026-12-26",
      "2026-12-27",
      "2026-12-28",
      "2026-12-29",
      "2026-12-30",
      "2026-12-31",
    ]);
  });

  it("lets nothing go that is not older than a proved one", () => {
    const unproved = Array.from({ length: 100 }, (_, day) => backup(day, false));
    expect(expired(unproved, KEEP)).to.deep.equal([]);
    const proved = unproved.map((one, day) => (day === 40 ? backup(40) : one));
    expect(daysOf(expired(proved, { days: 1, weeks: 0, months: 0 }))).to.deep.equal([...Array(40).keys()]);
  });

  it("whatever there is: the newest stays, a proved one stays, and doing it twice changes nothing", () => {
    const backups = fc.array(fc.record({ day: fc.integer({ min: 0, max: 800 }), isProved: fc.boolean() }), {
      maxLength: 60,
    });
    const keeps = fc.record({ days: fc.nat(9), weeks: fc.nat(9), months: fc.nat(9) });
    fc.assert(
      fc.property(backups, keeps, (list, keep) => {
        const all = list.map(({ day, isProved }) => backup(day, isProved));
        const gone = new Set(expired(all, keep));
        const kept = all.filter((one) => !gone.has(one));
        const newest = Math.max(...all.map(({ time }) => time));
        if (all.length > 0) expect(kept.some(({ time }) => time === newest)).to.equal(true);
        expect(kept.some(({ proof }) => proof)).to.equal(all.some(({ proof }) => proof));
        expect(expired(kept, keep)).to.deep.equal([]);
      }),
    );
  });

  it("keys go after 30 days, but never the last ones", () => {
    const keys = [0, 10, 29, 31, 40].map((day) => backup(day));
    expect(daysOf(expiredKeys(keys, START + 61 * DAY))).to.deep.equal([0, 10, 29]);
    expect(expiredKeys([backup(0)], START + 400 * DAY)).to.deep.equal([]);
    expect(expiredKeys([], START)).to.deep.equal([]);
  });
});

describe("the folder of backups", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-shelf-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("names say what and when; whatever else lies there is nobody's backup", async () => {
    const at = new Date("2026-11-22T04:15:07.123Z");
    expect(nameOf("pod-ana", at)).to.equal("freehold-pod-ana-20261122T041507Z.backup");
    const first = await freeName(folder, "all", at);
    await writeFile(first, "1");
    const second = await freeName(folder, "all", at);
    expect(second).not.to.equal(first);
    await writeFile(second, "22");
    for (const stranger of ["notes.txt", "freehold-all-x.backup", `${nameOf("all", at)}.0123456789ab.draft`])
      await writeFile(join(folder, stranger), "");
    const found = await listShelf(folder);
    expect(found.map(({ what, bytes, time, proof }) => [what, bytes, time, proof])).to.deep.equal([
      ["all", 1, Date.parse("2026-11-22T04:15:07Z"), null],
      ["all", 2, Date.parse("2026-11-22T04:15:07.001Z"), null],
    ]);
    await markProved(first, PROOF);
    expect((await listShelf(folder)).map(({ proof }) => proof)).to.deep.equal([PROOF, null]);
    await discard(await listShelf(folder));
    expect((await readdir(folder)).filter((name) => name.endsWith(".proved"))).to.deep.equal([]);
    expect(await listShelf(join(folder, "nowhere"))).to.deep.equal([]);
  });

  it("the list of erased pods only grows", async () => {
    const [a, b] = ["a".repeat(32), "b".repeat(32)] as PodId[] as [PodId, PodId];
    expect(await readErased(folder)).to.deep.equal([]);
    await noteErased(folder, [b]);
    await noteErased(folder, [a, b]);
    await noteErased(folder, []);
    expect(await readErased(folder)).to.deep.equal([a, b]);
  });
});
