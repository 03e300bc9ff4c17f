/** What a document was before: a bounded number, under the quota, for a time; and never in anybody's way. */
import { expect } from "chai";
import fc from "fast-check";
import { Problem } from "../../server/errors.ts";
import { measureKept } from "../../server/ldp/quota.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { decodeRecord, type ResourceRecord } from "../../server/store/record.ts";
import { DAY, openWorld, type World } from "./kept.ts";

const ROOM = { bytes: 100_000, resources: 100 };

const open = (bytes = ROOM.bytes, limits: Parameters<typeof openWorld>[2] = {}): Promise<World> =>
  openWorld(createMemoryStore(), { ...ROOM, bytes }, limits);

async function textsOf(world: World, path: string): Promise<readonly string[]> {
  const pod = await world.pod();
  const texts: string[] = [];
  for (const { number } of await world.keeping.versions(pod, path)) {
    const { body } = await world.keeping.readVersion(pod, path, number);
    const parts =
      body instanceof Uint8Array ? [body] : await Array.fromAsync(body as AsyncIterable<Uint8Array>);
    texts.push(Buffer.concat(parts).toString());
  }
  return texts;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "nothing was thrown";
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
}

describe("The history of a document", () => {
  it("holds what it said before, the oldest first", async () => {
    const world = await open();
    for (const text of ["one", "two", "three"]) await world.put("/ana/note", text);
    expect(await world.text("/ana/note")).to.equal("three");
    expect(await textsOf(world, "/ana/note")).to.deep.equal(["one", "two"]);
  });

  it("costs a new document nothing, and one record for each time it is overwritten", async () => {
    const world = await open();
    const count = async (): Promise<number> =>
      world.store.read((await world.pod()).id, async (snapshot) => {
        const entries = await Array.fromAsync(snapshot.all("version"));
        return entries.filter(({ group }) => !group.startsWith("due ")).length;
      });
    await world.put("/ana/note", "one");
    expect(await count()).to.equal(0);
    await world.put("/ana/note", "two");
    await world.put("/ana/note", "three");
    expect(await count()).to.equal(2);
  });

  it("is not made longer by writing the same again", async () => {
    const world = await open();
    for (const text of ["one", "one", "two", "two"]) await world.put("/ana/note", text);
    expect(await textsOf(world, "/ana/note")).to.deep.equal(["one"]);
  });

  it("is thinned out: of more than 20 the oldest and the latest stay, and no number is used again", async () => {
    const world = await open();
    for (let index = 1; index <= 25; index++) await world.put("/ana/note", `text ${index}`);
    const texts = await textsOf(world, "/ana/note");
    expect(texts).to.have.length(20);
    expect([texts[0], texts.at(-1)]).to.deep.equal(["text 1", "text 24"]);
    const versions = await world.keeping.versions(await world.pod(), "/ana/note");
    const rest = Array.from({ length: 19 }, (_, i) => i + 6);
    expect(versions.map(({ number }) => number)).to.deep.equal([1, ...rest]);
    expect(await codeOf(world.keeping.readVersion(await world.pod(), "/ana/note", 4))).to.equal("not-found");
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("becomes shorter when the limit does", async () => {
    const store = createMemoryStore();
    const world = await openWorld(store, ROOM, { versionsMax: 5 });
    for (let index = 1; index <= 7; index++) await world.put("/ana/note", `text ${index}`);
    const { putDocument } = await import("../../server/ldp/documents.ts");
    const pod = await world.pod();
    await world.edits.write(pod, (edit) =>
      putDocument({ ...edit, limits: { ...edit.limits, versionsMax: 2 } }, "/ana/note", {
        kind: "binary",
        contentType: "text/plain",
        bytes: new TextEncoder().encode("text 8"),
      }),
    );
    expect(await textsOf(world, "/ana/note")).to.deep.equal(["text 1", "text 7"]);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("brings an earlier version back as the present one, and keeps what was there instead", async () => {
    const world = await open();
    const pod = await world.pod();
    for (const text of ["one", "two", "three"]) await world.put("/ana/note", text);
    await world.keeping.restoreVersion(pod, "/ana/note", 1, "owner");
    expect(await world.text("/ana/note")).to.equal("one");
    expect(await textsOf(world, "/ana/note")).to.deep.equal(["one", "two", "three"]);
  });

  it("keeps large files as files, as long as something needs them and no longer", async () => {
    const world = await open(ROOM.bytes, { versionsMax: 2 });
    const pod = await world.pod();
    const hashOf = async (text: string): Promise<string> =>
      (
        await world.store.blobs.write(
          pod.id,
          (async function* () {
            yield new TextEncoder().encode(text);
          })(),
          100,
        )
      ).hash;
    const first = await hashOf("A");
    await world.store.blobs.release(pod.id, first);
    const isThere = async (): Promise<boolean> =>
      Array.fromAsync(world.store.blobs.read(pod.id, first)).then(
        () => true,
        () => false,
      );
    for (const text of ["A", "B", "A", "C"])
      await world.put("/ana/file", text, { reclaims: true, asFile: true });
    expect(await textsOf(world, "/ana/file")).to.deep.equal(["A", "A"]);
    await world.keeping.restoreVersion(pod, "/ana/file", 3, "owner");
    expect(await world.text("/ana/file")).to.equal("A");
    await world.put("/ana/file", "D", { reclaims: true, asFile: true });
    await world.put("/ana/file", "E", { reclaims: true, asFile: true });
    expect(await isThere(), "as a version").to.equal(true);
    world.later(31 * DAY);
    await world.put("/ana/file", "F", { reclaims: true, asFile: true });
    expect(await isThere(), "not any more").to.equal(false);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("is kept of access lists and descriptions as well", async () => {
    const world = await open();
    const pod = await world.pod();
    await world.put("/ana/note", "text");
    for (const list of ["# open", "# closed"]) await world.aux("/ana/note.acl", list);
    for (const list of ["<> <urn:x:a> 1 .", "<> <urn:x:a> 2 ."]) await world.aux("/ana/note.meta", list);
    expect(await textsOf(world, "/ana/note.acl")).to.deep.equal(["# open"]);
    expect(await textsOf(world, "/ana/note.meta")).to.deep.equal(["<> <urn:x:a> 1 ."]);
    await world.keeping.restoreVersion(pod, "/ana/note.meta", 1, "owner");
    expect(await textsOf(world, "/ana/note.meta")).to.deep.equal(["<> <urn:x:a> 1 .", "<> <urn:x:a> 2 ."]);
    expect(await textsOf(world, "/ana/note")).to.deep.equal([]);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  describe("that somebody overwrites again and again", () => {
    const MINUTE = 60_000;

    /** Overwrites the note with 1, 2, 3 … and so on, after each of these waits in ms. */
    async function overwrite(world: World, waits: readonly number[], from = 1): Promise<void> {
      for (const [index, wait] of waits.entries()) {
        world.later(wait);
        await world.put("/ana/note", `${from + index}`);
      }
    }
    async function kept(
      world: World,
    ): Promise<readonly { readonly number: number; readonly until: number }[]> {
      return world.keeping.versions(await world.pod(), "/ana/note");
    }

    it("keeps what was there before a thousand changes within a minute", async () => {
      const world = await open();
      await world.put("/ana/note", "the owner's");
      world.later(MINUTE);
      await overwrite(
        world,
        Array.from({ length: 1_000 }, () => 60),
      );
      const texts = await textsOf(world, "/ana/note");
      expect(texts).to.have.length(20);
      expect([texts[0], texts.at(-1)]).to.deep.equal(["the owner's", "999"]);
      expect(await world.counted()).to.deep.equal(await world.measured());
    });

    it("keeps it also where there were as many versions as there may be, and those as well", async () => {
      const world = await open();
      await overwrite(
        world,
        Array.from({ length: 24 }, () => DAY),
      );
      await world.put("/ana/note", "the owner's last");
      world.later(DAY);
      const before = await textsOf(world, "/ana/note");
      expect(before).to.have.length(20);
      await overwrite(
        world,
        Array.from({ length: 1_000 }, () => 60),
        1_000,
      );
      const texts = await textsOf(world, "/ana/note");
      expect(texts.at(-2)).to.equal("the owner's last");
      expect(texts.at(-1)).to.equal("1998");
      expect(texts[0]).to.equal(before[0]);
      expect(before.filter((text) => !texts.includes(text))).to.have.length(2); // For these two.
    });

    it("keeps it where the changes are large and the pod is small", async () => {
      const world = await open(200);
      await world.put("/ana/note", "the owner's");
      for (let n = 0; n < 50; n++) {
        world.later(10);
        await world.put("/ana/note", `${n}`.padEnd(80, "x"), { reclaims: false });
      }
      expect((await textsOf(world, "/ana/note"))[0]).to.equal("the owner's");
      expect(await world.counted()).to.deep.equal(await world.measured());
    });

    it("is the wider apart the older, where it changes regularly", async () => {
      for (const versionsMax of [3, 4, 7, 20]) {
        const world = await open(ROOM.bytes, { versionsMax });
        for (let n = 1; n <= 150; n++) {
          await overwrite(world, [MINUTE], n);
          const times = (await kept(world)).map(({ until }) => until / MINUTE);
          expect(times).to.have.length(Math.min(n - 1, versionsMax));
          const gaps = times.slice(1).map((until, index) => until - times[index]!);
          expect(gaps, `after ${n}`).to.deep.equal(gaps.toSorted((a, b) => b - a));
        }
      }
    });

    it("is bounded, with its oldest and its latest, and loses what stood for the shortest time", async function () {
      this.timeout(60_000);
      const wait = fc.oneof(fc.integer({ max: 50, min: 0 }), fc.integer({ max: 5 * DAY, min: 0 }));
      await fc.assert(
        fc.asyncProperty(
          fc.array(wait, { maxLength: 60 }),
          fc.integer({ max: 8, min: 2 }),
          async (waits, most) => {
            const world = await open(ROOM.bytes, { versionsMax: most });
            await world.put("/ana/note", "0");
            let before = await kept(world);
            for (const [index, ms] of waits.entries()) {
              world.later(ms);
              const unexpired = await kept(world); // Of what was there, the clock has taken some.
              await world.put("/ana/note", `${index + 1}`);
              const after = await kept(world);
              expect(after.length).to.be.at.most(most);
              expect(after.length).to.equal(Math.min(unexpired.length + 1, most));
              expect(after.at(-1)?.number).to.equal(index + 1);
              if (unexpired[0]) expect(after[0]).to.deep.equal(unexpired[0]);
              const stood = unexpired.map(({ until }, at) => until - (unexpired[at - 1]?.until ?? -Infinity));
              const isLeft = unexpired.map((one) => after.some(({ number }) => number === one.number));
              const lost = stood.filter((_, at) => !isLeft[at]);
              const left = stood.filter((_, at) => isLeft[at]);
              expect(Math.max(...lost)).to.be.at.most(Math.min(...left));
              before = after;
            }
            expect(await textsOf(world, "/ana/note")).to.deep.equal(
              before.map(({ number }) => `${number - 1}`),
            );
            expect(await world.counted()).to.deep.equal(await world.measured());
          },
        ),
        { numRuns: 60 },
      );
    });
  });

  describe("under a quota", () => {
    it("gives way to the next version of its own document, the oldest last", async () => {
      const world = await open(35);
      for (const text of ["a".repeat(10), "b".repeat(10), "c".repeat(10), "d".repeat(10), "e".repeat(10)])
        await world.put("/ana/note", text, { reclaims: false });
      expect(await textsOf(world, "/ana/note")).to.deep.equal(["a".repeat(10), "d".repeat(10)]);
    });

    it("is not kept where there is no room for it, and the write succeeds", async () => {
      const world = await open(15);
      for (const text of ["a".repeat(10), "b".repeat(12), "c".repeat(15)])
        await world.put("/ana/note", text, { reclaims: false });
      expect(await world.text("/ana/note")).to.equal("c".repeat(15));
      expect(await textsOf(world, "/ana/note")).to.deep.equal([]);
      expect(await codeOf(world.put("/ana/note", "d".repeat(16)))).to.equal("quota-exceeded");
      expect(await world.text("/ana/note")).to.equal("c".repeat(15));
    });

    it("never makes the owner's write of another document fail", async () => {
      const world = await open(45);
      for (const letter of ["a", "b", "c", "d"]) await world.put("/ana/note", letter.repeat(10));
      await world.put("/ana/other", "x".repeat(30));
      expect(await world.text("/ana/other")).to.equal("x".repeat(30));
      expect(await world.text("/ana/note")).to.equal("d".repeat(10));
      expect(await textsOf(world, "/ana/note")).to.deep.equal([]);
    });
  });

  describe("in time", () => {
    it("is over after 30 days, to the owner at once and in the store after the next sweep of that day", async () => {
      const world = await open();
      const pod = await world.pod();
      await world.put("/ana/note", "one");
      await world.put("/ana/note", "two");
      world.later(10 * DAY);
      await world.put("/ana/note", "three");
      expect(await world.sweep()).to.equal(0);
      world.later(21 * DAY);
      expect(await textsOf(world, "/ana/note")).to.deep.equal(["two"]);
      expect(await world.sweep()).to.be.above(0);
      expect((await world.store.read(pod.id, measureKept)).versions).to.equal(3);
      world.later(40 * DAY);
      await world.sweep();
      expect((await world.store.read(pod.id, measureKept)).versions).to.equal(0);
      const rows = await world.store.read(pod.id, (snapshot) => Array.fromAsync(snapshot.all("version")));
      expect(rows.filter(({ group }) => group !== "")).to.deep.equal([]);
      expect(await world.text("/ana/note")).to.equal("three");
      expect(await world.counted()).to.deep.equal(await world.measured());
    });

    it("goes without changing the document's ETag", async () => {
      const world = await open();
      const pod = await world.pod();
      const etag = (): Promise<number> =>
        world.store.read(pod.id, async (snapshot) => {
          const entry = await snapshot.get("resource", "/ana/", "note");
          return entry ? (decodeRecord<ResourceRecord>(entry).version ?? entry.version) : 0;
        });
      await world.put("/ana/note", "one");
      await world.put("/ana/note", "two");
      const before = await etag();
      world.later(40 * DAY);
      expect(await world.sweep()).to.equal(1);
      expect(await etag()).to.equal(before);
      await world.put("/ana/note", "three");
      expect(await etag()).to.be.above(before);
    });

    it("is swept in bounded portions", async () => {
      const world = await open(ROOM.bytes, { sweepItemsPerCommit: 3, sweepItemsMax: 6 });
      for (let index = 0; index < 20; index++) {
        await world.put(`/ana/${index}`, "one");
        await world.put(`/ana/${index}`, "two");
      }
      world.later(40 * DAY);
      const swept: number[] = [];
      for (let more = await world.sweep(); more > 0; more = await world.sweep()) swept.push(more);
      expect(Math.max(...swept)).to.be.at.most(8);
      expect(swept.reduce((sum, one) => sum + one, 0)).to.equal(20);
      expect(await world.counted()).to.deep.equal(await world.measured());
    });
  });
});
