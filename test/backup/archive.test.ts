/** The file of a backup: sealed in a format that others can open, whole or nothing, and every damage is found. Long, for each damage is made by hand. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { copyOf, openArchive } from "../../server/backup/archive-read.ts";
import {
  type ArchiveWriter,
  type Description,
  removeDrafts,
  writeArchive,
} from "../../server/backup/archive-write.ts";
import { decodeRows, encodeRows } from "../../server/backup/rows.ts";
import { newIdentity, recipientOf, type Sealing } from "../../server/backup/seal.ts";
import { OperatorError } from "../../server/errors.ts";
import type { PodId, StoredRow } from "../../server/store/store.ts";
import { skip } from "../support/skip.ts";

const TIME = new Date("2026-11-22T04:15:00Z");
const POD = "a".repeat(32) as PodId;
const OTHER = "b".repeat(32) as PodId;
const PASSPHRASE = "a passphrase of some length";

const pod = (id: PodId): StoredRow => ({
  kind: "pod",
  pod: id,
  generation: 2 ** 40 + 1,
  usage: { bytes: 12, resources: 3 },
  head: { number: 2, hash: randomBytes(32) },
});
const record = (id: PodId, bytes: number): StoredRow => ({
  kind: "record",
  pod: id,
  table: 1,
  groupKey: randomBytes(16),
  itemKey: randomBytes(16),
  version: 7,
  sealed: randomBytes(bytes),
});
const entry = (id: PodId, number: number, sealed: Buffer | null): StoredRow => ({
  kind: "journal",
  pod: id,
  number,
  leaf: randomBytes(32),
  sealed,
});

const ROWS: readonly StoredRow[] = [
  pod(POD),
  record(POD, 100),
  record(POD, 0),
  record(POD, 5_000_000),
  record(POD, 10),
  entry(POD, 1, randomBytes(50)),
  entry(POD, 2, null),
  pod(OTHER),
  record(OTHER, 1),
];

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const BLOB = randomBytes(700_000);

const DESCRIPTION: Description = {
  format: 1,
  kind: "data",
  server: "0.1.0",
  time: TIME.toISOString(),
  storeId: "0".repeat(32),
  isWhole: true,
  pods: [POD, OTHER].map((id) => ({
    id,
    name: null,
    owner: null,
    generation: 1,
    usage: { bytes: 0, resources: 0 },
    head: { number: 0, hash: "" },
    records: 0,
    entries: 0,
    blobs: 0,
  })),
  heads: [],
  erased: [],
  total: { rows: ROWS.length, blobs: 1 },
};

async function fill(writer: ArchiveWriter): Promise<Description> {
  let part = 0;
  for await (const rows of encodeRows(each(ROWS))) await writer.addBytes(`rows-${++part}.bin`, rows);
  await writer.add(`blobs/${POD}/hash`, BLOB.length, each([BLOB.subarray(0, 10), BLOB.subarray(10)]));
  return DESCRIPTION;
}

const hasAge = spawnSync("age", ["--version"]).status === 0;

describe("rows of a backup", () => {
  it("come out as they went in, in parts that each stand alone", async () => {
    const parts = await collect(encodeRows(each(ROWS)));
    expect(parts.length).to.equal(2);
    expect(parts.flatMap((part) => [...decodeRows(part)])).to.deep.equal(ROWS);
    expect([...decodeRows(parts[1] as Buffer)][0]).to.include({ kind: "record", pod: POD });
  });

  it("cut anywhere they are refused, never read as something else", async () => {
    const small = ROWS.filter((row) => row.kind !== "record" || row.sealed.length < 1_000);
    const [part = Buffer.alloc(0)] = await collect(encodeRows(each(small)));
    const ends: number[] = [];
    let at = 0;
    for await (const row of each(small)) {
      const [alone = Buffer.alloc(0)] = row.kind === "pod" ? await collect(encodeRows(each([row]))) : [];
      at +=
        row.kind === "pod"
          ? alone.length - 5
          : row.kind === "record"
            ? 47 + row.sealed.length
            : 45 + (row.sealed?.length ?? 0);
      ends.push(at + 5);
    }
    for (let length = 0; length < part.length; length += 1) {
      const read = () => [...decodeRows(part.subarray(0, length))].length;
      if (length === 5) expect(read()).to.equal(0);
      else if (ends.includes(length)) expect(read()).to.equal(ends.indexOf(length) + 1);
      else expect(read, `${length}`).to.throw();
    }
  });
});

describe("the file of a backup", function () {
  this.timeout(60_000);
  let folder: string;
  let identity: string;
  let sealing: Sealing;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-archive-"));
    identity = await newIdentity();
    sealing = { recipients: [await recipientOf(await newIdentity()), await recipientOf(identity)] };
  });
  after(() => rm(folder, { recursive: true }));

  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: unknown) => error,
    );
  async function expectRefused(work: Promise<unknown>, reason: RegExp, about = ""): Promise<void> {
    const error = await failure(work);
    expect(error, about).to.be.instanceOf(OperatorError);
    expect((error as Error).message, about).to.match(reason);
  }

  it("gives back rows and files, and one pod alone", async () => {
    const file = join(folder, "whole");
    const written = await writeArchive(file, sealing, TIME, fill);
    expect(
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex"),
    ).to.equal(written.sha256);
    const archive = await openArchive(file, [identity]);
    expect(archive.manifest).to.deep.equal(written.manifest);
    expect(archive.manifest.total).to.deep.include({ members: 4, rows: 9, blobs: 1 });
    const copy = copyOf(archive, null);
    expect(await collect(copy.rows())).to.deep.equal(ROWS);
    for await (const blob of copy.blobs()) {
      expect([blob.pod, blob.hash, blob.bytes]).to.deep.equal([POD, "hash", BLOB.length]);
      expect(Buffer.concat(await collect(blob.content())).equals(BLOB)).to.equal(true);
    }
    const one = copyOf(archive, OTHER);
    expect(one.pods).to.deep.equal([OTHER]);
    expect(await collect(one.rows())).to.deep.equal(ROWS.slice(-2));
    expect(await collect(one.blobs())).to.deep.equal([]);
  });

  it("that takes the place of one that was read is not taken for it, though it is whole and opens", async () => {
    const [file, other] = [join(folder, "first"), join(folder, "second")];
    await writeArchive(file, sealing, TIME, fill);
    const archive = await openArchive(file, [identity]);
    await writeArchive(other, sealing, TIME, fill);
    await rename(other, file);
    const copy = copyOf(archive, null);
    await expectRefused(collect(copy.rows()), /another file than a moment ago/);
    await expectRefused(collect(copy.blobs()), /another file than a moment ago/);
    expect(await collect(copyOf(await openArchive(file, [identity]), null).rows())).to.deep.equal(ROWS);
  });

  it("may leave files unread, and the next still comes", async () => {
    const file = join(folder, "skip");
    await writeArchive(file, sealing, TIME, async (writer) => {
      for (const name of ["1", "2", "3"]) await writer.add(`blobs/${POD}/${name}`, BLOB.length, each([BLOB]));
      return { ...DESCRIPTION, total: { rows: 0, blobs: 3 } };
    });
    const names: string[] = [];
    for await (const blob of copyOf(await openArchive(file, [identity]), null).blobs()) {
      names.push(blob.hash);
      if (blob.hash === "2") for await (const chunk of blob.content()) expect(chunk.length).to.be.above(0);
    }
    expect(names).to.deep.equal(["1", "2", "3"]);
  });

  it("opens with a passphrase, and with no other", async () => {
    const file = join(folder, "passphrase");
    await writeArchive(file, { passphrase: PASSPHRASE }, TIME, fill);
    expect((await openArchive(file, [PASSPHRASE])).manifest.total.rows).to.equal(9);
    await expectRefused(openArchive(file, ["another"]), /does not open with the passphrase or identity/);
    await expectRefused(openArchive(file, [identity]), /does not open/);
    await expectRefused(openArchive(join(folder, "whole"), [PASSPHRASE]), /does not open/);
    await expectRefused(openArchive(join(folder, "whole"), [await newIdentity()]), /does not open/);
    await expectRefused(
      openArchive(join(folder, "whole"), ["AGE-SECRET-KEY-1DAMAGED"]),
      /identity that was given is damaged/,
    );
  });

  it("is opened by age and tar alone", async function () {
    if (!hasAge) skip(this, "there is no age on this machine (Debian: apt-get install age)");
    const key = join(folder, "key.txt");
    await writeFile(key, `# made for a test\n${identity}\n`);
    const shell = (command: string) =>
      execFileSync("bash", ["-o", "pipefail", "-c", command], {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    expect(shell("age -d -i key.txt whole | tar t").trim().split("\n")).to.deep.equal([
      "rows-1.bin",
      "rows-2.bin",
      `blobs/${POD}/hash`,
      "members-000001.json",
      "manifest.json",
    ]);
    shell(`age -d -i key.txt whole | tar x blobs/${POD}/hash`);
    expect((await readFile(join(folder, "blobs", POD, "hash"))).equals(BLOB)).to.equal(true);
    expect(await openArchive(join(folder, "whole"), [await readFile(key, "utf8")])).to.have.property(
      "manifest",
    );
  });

  it("a passphrase's file is opened by age too", async function () {
    // age asks for a passphrase at a terminal only, so `script` lends it one.
    if (!hasAge || spawnSync("script", ["--version"]).status !== 0)
      skip(this, "it needs age and script (Debian: apt-get install age bsdutils)");
    const { stdout } = spawnSync("script", ["-qec", "age -d passphrase > opened.tar", "/dev/null"], {
      cwd: folder,
      input: `${PASSPHRASE}\n`,
      encoding: "utf8",
      timeout: 20_000,
    });
    expect((await readFile(join(folder, "opened.tar"))).length, stdout).to.be.above(5_000_000);
  });

  it("every byte that is changed and every cut is found", async () => {
    const file = join(folder, "small");
    await writeArchive(file, sealing, TIME, async (writer) => {
      await writer.addBytes("rows-1.bin", randomBytes(150_000));
      return { ...DESCRIPTION, total: { rows: 1, blobs: 0 } };
    });
    const bytes = await readFile(file);
    const harmless: number[] = [];
    const places = [
      ...Array(450).keys(),
      ...Array.from({ length: 150 }, () => 450 + Math.floor(Math.random() * (bytes.length - 450))),
      bytes.length - 1,
    ];
    for (const at of places) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      await writeFile(file, changed);
      const error = await failure(openArchive(file, [identity]));
      if (error === null) harmless.push(at);
      else expect(error, `byte ${at}`).to.be.instanceOf(OperatorError);
    }
    expect(harmless).to.deep.equal([]);
    for (const length of [0, 1, 20, 300, 1_000, 65_600, bytes.length - 600, bytes.length - 1]) {
      await writeFile(file, bytes.subarray(0, length));
      await expectRefused(openArchive(file, [identity]), /damaged|cut short|no backup/, `${length} bytes`);
    }
    await writeFile(file, Buffer.concat([bytes, Buffer.from("x")]));
    await expectRefused(openArchive(file, [identity]), /damaged/);
  });

  it("members that were swapped, left out, added or renamed are found, though the seal is whole", async () => {
    const part = randomBytes(1_000);
    const forge = async (
      fill: (writer: ArchiveWriter) => Promise<void>,
      change: (manifest: Buffer) => Buffer = (b) => b,
    ) => {
      // Anybody can seal to a recipient: so write an archive, and a second one around what is left of the first.
      const inner = join(folder, "inner");
      await writeArchive(inner, sealing, TIME, async (writer) => {
        await writer.addBytes("rows-1.bin", part);
        await writer.addBytes("rows-2.bin", randomBytes(1_000));
        return { ...DESCRIPTION, total: { rows: 2, blobs: 0 } };
      });
      const { members } = await openArchive(inner, [identity]);
      const outer = join(folder, "outer");
      const { createTarPacker } = await import("modern-tar");
      const { seal } = await import("../../server/backup/seal.ts");
      const { readable, controller } = createTarPacker();
      const sealed = await seal(readable, sealing);
      const packing = (async () => {
        const put = async (name: string, bytes: Uint8Array): Promise<void> => {
          const writer = controller.add({ name, size: bytes.length }).getWriter();
          await writer.write(bytes);
          await writer.close();
        };
        await fill({ add: async () => {}, addBytes: put });
        for await (const { name, content } of members()) {
          if (!name.startsWith("m")) continue;
          const bytes = Buffer.concat(await collect(content));
          await put(name, name === "manifest.json" ? change(bytes) : bytes);
        }
        controller.finalize();
      })();
      await writeFile(outer, Buffer.concat(await collect(sealed)));
      await packing;
      return openArchive(outer, [identity]);
    };
    await expectRefused(
      forge(async (w) => {
        await w.addBytes("rows-2.bin", part);
      }),
      /does not list what is there/,
    );
    await expectRefused(
      forge(async () => {}),
      /does not list what is there/,
    );
    await expectRefused(
      forge(async (w) => {
        await w.addBytes("rows-1.bin", part);
        await w.addBytes("rows-2.bin", part);
        await w.addBytes("rows-3.bin", part);
      }),
      /does not list/,
    );
    const file = join(folder, "inner");
    const archive = await openArchive(file, [identity]);
    expect(await collect(archive.members()).then((all) => all.length)).to.equal(4);
  });

  it("leaves nothing when it breaks off, and says why", async () => {
    const mistake = new Error("the store is gone");
    const broken = writeArchive(join(folder, "broken"), sealing, TIME, async (writer) => {
      await writer.addBytes("rows-1.bin", BLOB);
      throw mistake;
    });
    expect(await failure(broken)).to.equal(mistake);
    const lies = writeArchive(join(folder, "lies"), sealing, TIME, async (writer) => {
      await writer.add("blobs/x", 10, each([Buffer.alloc(9)]));
      return DESCRIPTION;
    });
    await expectRefused(lies, /9 bytes instead of 10/);
    await expectRefused(
      writeArchive(join(folder, "none"), { recipients: ["ssh-ed25519 AAAA"] }, TIME, fill),
      /no age recipient/,
    );
    expect((await readdir(folder)).filter((name) => /broken|lies|none/.test(name))).to.deep.equal([]);
    await writeFile(join(folder, "freehold-all-20260101T000000Z.backup.0123456789ab.draft"), "half");
    await removeDrafts(folder);
    expect((await readdir(folder)).filter((name) => name.includes("draft"))).to.deep.equal([]);
  });

  it("is written and read in bounded memory while others have their turn", async function () {
    const megabytes = 256;
    const piece = randomBytes(1024 * 1024);
    const file = join(folder, "large");
    const before = process.memoryUsage().rss;
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    let peak = 0;
    const look = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < megabytes; count += 1) yield piece;
    }
    await writeArchive(join(folder, "first"), sealing, TIME, fill); // What is loaded at first use is loaded once.
    turn();
    await writeArchive(file, sealing, TIME, async (writer) => {
      await writer.add(`blobs/${POD}/hash`, megabytes * piece.length, pieces());
      return DESCRIPTION;
    });
    await openArchive(file, [identity]);
    isOver = true;
    clearInterval(look);
    expect(turns, "turns for others").to.be.above(2 * megabytes);
    expect(peak - before).to.be.below(200e6);
    await rm(file);
  });
});
