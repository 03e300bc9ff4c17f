import { execFileSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { expect } from "chai";
import { fileSource, membersOf } from "../../server/transfer/archive.ts";
import { createZipWriter, type ZipWriter } from "../../server/transfer/zip.ts";
import { openFolder } from "./fixture.ts";

describe("a ZIP file written here", function () {
  this.timeout(60_000);
  const TIME = Date.UTC(2026, 10, 22, 10, 20, 31);
  let files: Awaited<ReturnType<typeof openFolder>>;
  before(async () => {
    files = await openFolder();
  });
  after(() => files.remove());

  async function made(name: string, fill: (zip: ZipWriter) => Promise<void>): Promise<string> {
    const out = createWriteStream(files.path(name));
    const zip = createZipWriter((bytes) => new Promise((resolve) => out.write(bytes, () => resolve())));
    await fill(zip);
    await zip.end();
    out.end();
    await finished(out);
    return files.path(name);
  }
  async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  const large = Buffer.from("the same again and again ".repeat(40_000));
  const random = Buffer.from(
    Array.from({ length: 100_000 }, (_, index) => (index * 7919 * (index >> 3)) & 255),
  );

  it("is understood by others: names, sizes, times and contents", async () => {
    const file = await made("all.zip", async (zip) => {
      await zip.folder("data/", TIME);
      await zip.add("data/small.txt", Buffer.from("small"), TIME);
      await zip.add("data/none", Buffer.alloc(0), TIME);
      await zip.add("data/日本語 ü.txt", large, TIME);
      await zip.stream("data/stream.bin", inChunks(random, 7_000), {
        modified: TIME,
        isLarge: false,
        level: 0,
      });
      await zip.stream("data/wide.txt", inChunks(large, 65_536), { modified: TIME, isLarge: true, level: 6 });
    });
    execFileSync("unzip", ["-tq", file]);
    const script = `
import zipfile, json, sys
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps([[i.filename, i.file_size, list(i.date_time), i.external_attr >> 16] for i in z.infolist()]))`;
    const seen = JSON.parse(execFileSync("python3", ["-c", script, file]).toString()) as unknown[][];
    const at = [2026, 11, 22, 10, 20, 30];
    expect(seen).to.deep.equal([
      ["data/", 0, at, 0o40755],
      ["data/small.txt", 5, at, 0o100644],
      ["data/none", 0, at, 0o100644],
      ["data/日本語 ü.txt", large.length, at, 0o100644],
      ["data/stream.bin", random.length, at, 0o100644],
      ["data/wide.txt", large.length, at, 0o100644],
    ]);
  });

  it("is read here: contents as they were, times to the second", async () => {
    const source = await fileSource(files.path("all.zip"));
    const contents = new Map<string, Buffer>();
    for await (const member of membersOf(source)) {
      if (member.isFolder) continue;
      const chunks: Buffer[] = [];
      for await (const chunk of await member.open()) chunks.push(chunk as Buffer);
      contents.set(member.name, Buffer.concat(chunks));
      expect(member.modified, member.name).to.equal(TIME);
    }
    expect(contents.get("data/stream.bin")?.equals(random)).to.equal(true);
    expect(contents.get("data/wide.txt")?.equals(large)).to.equal(true);
    expect(contents.get("data/日本語 ü.txt")?.equals(large)).to.equal(true);
    await source.close();
  });

  it("of 70,000 entries (ZIP64) takes time in proportion, and is read by others", async () => {
    const timed = async (entries: number): Promise<number> => {
      const began = performance.now();
      const file = await made(`${entries}.zip`, async (zip) => {
        for (let index = 0; index < entries; index += 1)
          await zip.add(`data/doc-${index}.ttl`, Buffer.from("x"), TIME);
      });
      execFileSync("unzip", ["-tq", file]);
      return performance.now() - began;
    };
    const [some, many] = [await timed(17_500), await timed(70_000)];
    expect(many).to.be.below(some * 12);
    const count = execFileSync("python3", [
      "-c",
      "import zipfile,sys;print(len(zipfile.ZipFile(sys.argv[1]).infolist()))",
      files.path("70000.zip"),
    ]);
    expect(count.toString().trim()).to.equal("70000");
  });

  it("that is cut short is no ZIP file", async () => {
    await writeFile(
      files.path("cut.zip"),
      (await import("node:fs")).readFileSync(files.path("all.zip")).subarray(0, 500),
    );
    const source = await fileSource(files.path("cut.zip"));
    const names: string[] = [];
    try {
      for await (const { name } of membersOf(source)) names.push(name);
      expect.fail("it was read");
    } catch (error) {
      expect((error as { code?: string }).code).to.equal("archive-invalid");
    } finally {
      await source.close();
    }
    expect(names).to.deep.equal([]);
  });
});
