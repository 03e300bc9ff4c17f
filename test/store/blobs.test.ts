/** Large binaries on both engines: whole, in parts, shared, and gone when nothing uses them. */
import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { CHUNK_BYTES, FRONT_BYTES } from "../../server/store/sealed/blob-format.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { ENGINES, openStoreIn, openTestStore, type TestStore } from "../support/store.ts";

/** Bytes that differ at every place, so that a wrong part shows. */
function picture(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, state = seed; at < size; at++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7f_ff_ff_ff;
    bytes[at] = state >> 16;
  }
  return bytes;
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

const BIG = 10 * 1024 * 1024;
const upload = (store: Store, pod: PodId, bytes: Uint8Array): Promise<{ hash: string; bytes: number }> =>
  store.blobs.write(pod, inPieces(bytes, 60_000), BIG);
const download = (
  store: Store,
  pod: PodId,
  hash: string,
  range?: { first: number; last: number },
): Promise<Buffer> => buffer(store.blobs.read(pod, hash, range));
const use = (store: Store, pod: PodId, hash: string, path: string): Promise<unknown> =>
  store.write(pod, async (transaction) => transaction.put("blob", hash, path, new Uint8Array()));
const drop = (store: Store, pod: PodId, hash: string, path: string): Promise<unknown> =>
  store.write(pod, async (transaction) => transaction.delete("blob", hash, path));

for (const engine of ENGINES) {
  describe(`blobs in ${engine}`, () => {
    let test: TestStore;
    let store: Store;
    let ana: PodId;
    beforeEach(async () => {
      test = await openTestStore(engine);
      ({ store } = test);
      ana = await store.createPod();
    });
    afterEach(async () => {
      await test.dispose();
    });

    for (const size of [
      0,
      1,
      CHUNK_BYTES - 1,
      CHUNK_BYTES,
      CHUNK_BYTES + 1,
      4 * CHUNK_BYTES,
      4 * CHUNK_BYTES + 17,
      5_000_000,
    ]) {
      it(`gives ${size} bytes back as they were`, async () => {
        const bytes = picture(size);
        const written = await upload(store, ana, bytes);
        expect(written.bytes).to.equal(size);
        expect((await download(store, ana, written.hash)).equals(bytes)).to.equal(true);
      });
    }

    it("gives any range, both ends included", async () => {
      const bytes = picture(5 * CHUNK_BYTES + 100);
      const { hash } = await upload(store, ana, bytes);
      const edges = [
        0,
        1,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        2 * CHUNK_BYTES + 5,
        4 * CHUNK_BYTES - 1,
        4 * CHUNK_BYTES,
        bytes.length - 1,
      ];
      for (const first of edges) {
        for (const last of edges.filter((edge) => edge >= first)) {
          const part = await download(store, ana, hash, { first, last });
          expect(part.equals(bytes.subarray(first, last + 1)), `${first}-${last}`).to.equal(true);
        }
      }
    });

    it("names equal content alike in a pod, and differently in another", async () => {
      const ben = await store.createPod();
      const bytes = picture(100_000);
      const [first, second, other] = [
        await upload(store, ana, bytes),
        await upload(store, ana, bytes),
        await upload(store, ben, bytes),
      ];
      expect(first.hash).to.equal(second.hash);
      expect(first.hash).not.to.equal(other.hash);
      expect(await codeOf(download(store, ben, first.hash))).to.equal("unavailable");
    });

    it("refuses more than bytesMax, and leaves nothing behind", async () => {
      expect(await codeOf(store.blobs.write(ana, inPieces(picture(1_001), 100), 1_000))).to.equal(
        "body-too-large",
      );
      expect(await codeOf(store.blobs.write(ana, inPieces(picture(1_000), 100), 1_000))).to.equal(null);
      if (test.folder) expect(readdirSync(join(test.folder, "blobs", "drafts"))).to.deep.equal([]);
    });

    it("passes on what breaks the upload, and leaves nothing behind", async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield picture(600_000);
        throw new Error("the client hung up");
      }
      let message = "";
      await store.blobs.write(ana, broken(), BIG).catch((error: Error) => (message = error.message));
      expect(message).to.equal("the client hung up");
      if (test.folder) expect(readdirSync(join(test.folder, "blobs", "drafts"))).to.deep.equal([]);
    });

    it("does not know the pod of nobody", async () => {
      expect(await codeOf(upload(store, "e".repeat(32) as PodId, picture(10)))).to.equal("not-found");
    });

    describe("release", () => {
      it("removes a file whose last use was dropped", async () => {
        const { hash } = await upload(store, ana, picture(1_000));
        await use(store, ana, hash, "/ana/a.png");
        await drop(store, ana, hash, "/ana/a.png");
        await store.blobs.release(ana, hash);
        expect(await codeOf(download(store, ana, hash))).to.equal("unavailable");
      });

      it("keeps a file that another resource uses", async () => {
        const { hash } = await upload(store, ana, picture(1_000));
        await use(store, ana, hash, "/ana/a.png");
        await upload(store, ana, picture(1_000));
        await use(store, ana, hash, "/ana/b.png");
        await drop(store, ana, hash, "/ana/a.png");
        await store.blobs.release(ana, hash);
        expect((await download(store, ana, hash)).length).to.equal(1_000);
      });

      it("removes a file whose transaction never happened", async () => {
        const { hash } = await upload(store, ana, picture(1_000));
        await store.blobs.release(ana, hash);
        expect(await codeOf(download(store, ana, hash))).to.equal("unavailable");
      });

      it("keeps a file that another upload of the same content has not committed yet, whoever releases first", async () => {
        const { hash } = await upload(store, ana, picture(1_000));
        await use(store, ana, hash, "/ana/a.png");
        await upload(store, ana, picture(1_000)); // Ben's, uncommitted.
        await drop(store, ana, hash, "/ana/a.png");
        await store.blobs.release(ana, hash);
        await use(store, ana, hash, "/ana/b.png");
        expect((await download(store, ana, hash)).length).to.equal(1_000);
        await drop(store, ana, hash, "/ana/b.png");
        await store.blobs.release(ana, hash);
        expect(await codeOf(download(store, ana, hash))).to.equal("unavailable");
      });

      it("two failed uploads of the same content leave nothing when both have released", async () => {
        const [{ hash }] = [
          await upload(store, ana, picture(1_000)),
          await upload(store, ana, picture(1_000)),
        ];
        await store.blobs.release(ana, hash);
        expect((await download(store, ana, hash)).length).to.equal(1_000);
        await store.blobs.release(ana, hash);
        expect(await codeOf(download(store, ana, hash))).to.equal("unavailable");
      });
    });

    it("no record can name a file that is gone", async () => {
      const { hash } = await upload(store, ana, picture(1_000));
      await store.blobs.release(ana, hash);
      expect(await codeOf(use(store, ana, hash, "/ana/a.png"))).to.equal("unavailable");
      expect(await store.read(ana, (snapshot) => snapshot.get("blob", hash, "/ana/a.png"))).to.equal(null);
    });

    it("a hundred uploads, uses, drops and releases of one content at once never lose a file in use", async () => {
      const bytes = picture(3_000);
      await Promise.all(
        Array.from({ length: 25 }, async (_, who) => {
          for (let times = 0; times < 4; times++) {
            const { hash } = await upload(store, ana, bytes);
            const path = `/ana/${who}.png`;
            await use(store, ana, hash, path);
            expect((await download(store, ana, hash)).equals(bytes)).to.equal(true);
            if (who === 0 && times === 3) continue;
            await drop(store, ana, hash, path);
            await store.blobs.release(ana, hash);
          }
        }),
      );
      const { hash } = await upload(store, ana, bytes);
      expect((await download(store, ana, hash)).equals(bytes)).to.equal(true);
    });
  });
}

describe("blob files", () => {
  let test: TestStore;
  let ana: PodId;
  const bytes = picture(3 * CHUNK_BYTES + 5);
  let hash: string;
  let file: string;
  const fileOf = (folder: string, pod: string, name: string): string =>
    join(folder, "blobs", pod, name.slice(0, 2), name);

  beforeEach(async () => {
    test = await openTestStore("sqlite");
    ana = await test.store.createPod();
    ({ hash } = await upload(test.store, ana, bytes));
    await use(test.store, ana, hash, "/ana/a.png");
    file = fileOf(test.folder as string, ana, hash);
  });
  afterEach(async () => {
    await test.dispose();
  });

  it("give no wrong byte when any single bit of them has changed", async () => {
    const whole = readFileSync(file);
    const places = [
      0,
      1,
      2,
      5,
      20,
      60,
      71,
      FRONT_BYTES,
      FRONT_BYTES + 28,
      FRONT_BYTES + CHUNK_BYTES + 15,
      FRONT_BYTES + CHUNK_BYTES + 16,
      whole.length - 1,
    ];
    for (const place of places) {
      const flipped = Buffer.from(whole);
      flipped.writeUInt8(flipped.readUInt8(place) ^ 1, place);
      writeFileSync(file, flipped);
      expect(await codeOf(download(test.store, ana, hash)), `bit at ${place}`).to.equal("unavailable");
    }
    expect(test.events).to.include("store.blob.damaged");
    writeFileSync(file, whole);
    expect((await download(test.store, ana, hash)).equals(bytes)).to.equal(true);
  });

  it("give the undamaged part of a damaged file", async () => {
    const flipped = readFileSync(file);
    flipped.writeUInt8(flipped.readUInt8(flipped.length - 1) ^ 1, flipped.length - 1);
    writeFileSync(file, flipped);
    expect(
      (await download(test.store, ana, hash, { first: 10, last: 19 })).equals(bytes.subarray(10, 20)),
    ).to.equal(true);
    expect(
      await codeOf(download(test.store, ana, hash, { first: bytes.length - 5, last: bytes.length - 1 })),
    ).to.equal("unavailable");
  });

  for (const size of [
    0,
    50,
    72,
    FRONT_BYTES,
    FRONT_BYTES + 16,
    FRONT_BYTES + CHUNK_BYTES + 16,
    FRONT_BYTES + 2 * (CHUNK_BYTES + 16),
  ]) {
    it(`are refused when cut to ${size} bytes`, async () => {
      truncateSync(file, size);
      expect(await codeOf(download(test.store, ana, hash))).to.equal("unavailable");
    });
  }

  it("are refused when two chunks have changed places", async () => {
    const whole = readFileSync(file);
    const size = CHUNK_BYTES + 16;
    const parts = [0, 1, 2].map((index) =>
      whole.subarray(FRONT_BYTES + index * size, FRONT_BYTES + (index + 1) * size),
    ) as [Buffer, Buffer, Buffer];
    writeFileSync(
      file,
      Buffer.concat([
        whole.subarray(0, FRONT_BYTES),
        parts[1],
        parts[0],
        parts[2],
        whole.subarray(FRONT_BYTES + 3 * size),
      ]),
    );
    expect(await codeOf(download(test.store, ana, hash))).to.equal("unavailable");
  });

  it("are refused under another's name", async () => {
    const other = await upload(test.store, ana, picture(1_000, 7));
    await rename(fileOf(test.folder as string, ana, other.hash), file);
    expect(await codeOf(download(test.store, ana, hash))).to.equal("unavailable");
  });

  it("are whole again when the same content is sent again", async () => {
    truncateSync(file, 100);
    await upload(test.store, ana, bytes);
    expect((await download(test.store, ana, hash)).equals(bytes)).to.equal(true);
  });

  it("refuse a range beyond their end", async () => {
    expect(
      await codeOf(download(test.store, ana, hash, { first: bytes.length, last: bytes.length })),
    ).to.equal("range-not-satisfiable");
  });

  it("are closed when the reader leaves early", async () => {
    for (let times = 0; times < 20; times++) {
      const stream = test.store.blobs.read(ana, hash);
      for await (const _ of stream) break;
      expect(stream.destroyed).to.equal(true);
    }
  });

  it("that nothing uses are swept at the next start, once old enough; drafts always", async () => {
    const folder = test.folder as string;
    const orphan = await upload(test.store, ana, picture(500, 3));
    const young = await upload(test.store, ana, picture(500, 4));
    const draft = join(folder, "blobs", "drafts", "left.draft");
    await test.store.close();
    writeFileSync(draft, "half");
    const past = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(fileOf(folder, ana, orphan.hash), past, past);
    utimesSync(file, past, past);
    const again = await openStoreIn(folder);
    for (let waits = 0; waits < 200 && existsSync(fileOf(folder, ana, orphan.hash)); waits++)
      await setTimeout(10);
    await again.close();
    const left = readdirSync(join(folder, "blobs"), { recursive: true }).map(String);
    expect(left.some((name) => name.endsWith(orphan.hash))).to.equal(false);
    expect(left.some((name) => name.endsWith(young.hash))).to.equal(true);
    expect(left.some((name) => name.endsWith(hash))).to.equal(true);
    expect(left.some((name) => name.endsWith(".draft"))).to.equal(false);
  });
});
