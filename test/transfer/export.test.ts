import { execFileSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { exportTask, importTask, movedTask } from "../../server/cli/tasks/transfer.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { openFolder, podOf } from "./fixture.ts";

describe("an export", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let files: Awaited<ReturnType<typeof openFolder>>;
  const DOCUMENTS = 600;

  before(async () => {
    server = await startServer();
    files = await openFolder();
    ana = await server.person("Ana");
    await server.person("Bea");
    await writeAll("before");
  });
  after(async () => {
    await server.close();
    await files.remove();
  });

  async function writeAll(word: string): Promise<void> {
    // Incompressible, so that what nobody takes yet fills all buffers on the way.
    const noise = (index: number): string =>
      Buffer.from(
        Array.from({ length: 1_500 }, (_, at) => (at * at * 31 + index * 17 + (at >> 3) * word.length) & 255),
      ).toString("hex");
    await server.context.writeDocuments(
      await podOf(server.context, "ana"),
      Array.from({ length: DOCUMENTS }, (_, index) => ({
        path: `/ana/n/${index}.ttl`,
        contentType: "text/turtle",
        bytes: Buffer.from(`<#a> <#word> "${word}" ; <#noise> "${noise(index)}" .`),
      })),
    );
  }
  const run = (task: typeof exportTask, args: string[], flags: Record<string, string | boolean> = {}) =>
    task.run(server.context, { args, flags, secret: null }, () => {});
  const unzip = (file: string, name: string): string =>
    execFileSync("unzip", ["-p", file, name], { maxBuffer: 1e8 }).toString();

  it("is of one moment, whatever is written while it is taken", async () => {
    const { content } = server.context.ldp.transfer.exportPod(await podOf(server.context, "ana"));
    const chunks: Uint8Array[] = [];
    let isFirst = true;
    for await (const chunk of content) {
      chunks.push(chunk);
      if (!isFirst) continue;
      isFirst = false;
      await writeAll("after");
      await ana.fetch(`${ana.pod}n/5.ttl`, { method: "DELETE" });
      await ana.fetch(`${ana.pod}n/new.ttl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: "<#a> <#b> 1 .",
      });
    }
    const file = files.path("moment.zip");
    writeFileSync(file, Buffer.concat(chunks));
    const words = unzip(file, "data/n/*").match(/"(?:before|after)"/g) ?? [];
    expect(words).to.have.length(DOCUMENTS);
    expect(new Set(words)).to.deep.equal(new Set(['"before"']));
    expect(unzip(file, "manifest.json")).not.to.contain("new.ttl");
  });

  it("is taken once at a time of a pod, and by few at once; whoever goes away makes room", async () => {
    const pod = await podOf(server.context, "ana");
    const { transfer } = server.context.ldp;
    const first = transfer.exportPod(pod).content[Symbol.asyncIterator]();
    await first.next();
    expect(() => transfer.exportPod(pod)).to.throw(/under way/);
    await first.return?.();
    const again = transfer.exportPod(pod).content[Symbol.asyncIterator]();
    expect((await again.next()).done).to.equal(false);
    await again.return?.();
  });

  describe("by the operator", () => {
    it("goes into a file that nobody else can read, comes into another pod, and the journals say so", async () => {
      const file = files.path("ana.zip");
      const { lines, exit } = await run(exportTask, ["ana", file]);
      expect(exit).to.equal(0);
      expect(lines[0]).to.match(/^6\d\d documents, files and folders of ana are in /);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      expect(existsSync(`${file}.part`)).to.equal(false);
      const came = await run(importTask, [file], { pod: "bea" });
      expect(came.exit).to.equal(0);
      expect(came.lines[0]).to.contain("are in bea");
      const acts = await Promise.all(
        ["ana", "bea"].map(async (name) =>
          (await server.context.journal.read(await podOf(server.context, name), 0, 10_000)).flatMap(
            ({ entry }) =>
              entry?.agent === "operator" &&
              ["export", "import"].includes(entry.act) &&
              entry.path === `/${name}/`
                ? [entry.act]
                : [],
          ),
        ),
      );
      expect(acts).to.deep.equal([["export"], ["import"]]);
    });

    it("is refused in words: no pod, no file, a pod that is full of something, an address that is none", async () => {
      const said = (work: Promise<unknown>): Promise<string> =>
        work.then(
          () => "done",
          (error: Error) => error.message,
        );
      expect(await said(run(exportTask, ["nobody", files.path("x.zip")]))).to.contain("no pod called nobody");
      expect(await said(run(importTask, [files.path("missing.zip")], { pod: "bea" }))).to.contain(
        "cannot be read",
      );
      expect(await said(run(importTask, [files.path("moment.zip")], { pod: "bea" }))).to.contain(
        "something in this pod already",
      );
      expect(await said(run(movedTask, ["ana", "nowhere"]))).to.contain("full address");
      expect(await said(run(movedTask, ["ana"]))).to.contain("--undo");
    });

    it("sends on a pod that has moved, and takes it back", async () => {
      const there = await run(movedTask, ["ana", "https://new.example/ana/"]);
      expect(there.lines[0]).to.contain("sent to https://new.example/ana/");
      expect((await ana.raw("GET", "/ana/n/1.ttl")).status).to.equal(308);
      await run(movedTask, ["ana"], { undo: true });
      expect((await ana.raw("GET", "/ana/n/1.ttl")).status).to.equal(401);
    });
  });
});
