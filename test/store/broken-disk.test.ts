/** A disk that is full, and one that fails: no acknowledged write is lost, and the answers say what is the matter. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { temporaryFolder } from "../support/store.ts";

interface Told {
  /** How often each answer came to 300 writes of 100 KB. */
  readonly writes: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly [step: string]: unknown;
}

const child = new URL("./broken-disk-child.ts", import.meta.url).pathname;

/** @param wrap A shell command that makes the disk small or broken, and then runs `$@`. */
function run(wrap: string, ...args: string[]): Told {
  const { stdout, stderr } = spawnSync("sh", ["-c", wrap, "sh", process.execPath, child, ...args], {
    encoding: "utf8",
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Told;
}

describe("on a broken disk", function () {
  this.timeout(60_000);
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    temporary = await temporaryFolder();
  });
  afterEach(async () => {
    await temporary.remove();
  });

  it("after an I/O error nothing more is written, and reads go on", () => {
    // No file may grow beyond this: the system answers EFBIG, which SQLite reports as an I/O error. Less than a checkpoint's worth, so that the log meets it, in a commit.
    const told = run('ulimit -f 3000; exec "$@"', join(temporary.folder, "data"), "0");
    expect(told.writes.ok).to.be.greaterThan(5);
    expect(Object.keys(told.writes).sort()).to.deep.equal(["ok", "outcome-unknown", "unavailable"]);
    expect(told.writes["outcome-unknown"], "the one under way").to.equal(1);
    expect(told.lost).to.equal(0);
    expect(told).to.include({
      check: "unavailable",
      deletions: 0,
      again: "unavailable",
      afterReopening: "ok",
    });
    expect(told.events).to.include("store.writer.stopped");
  });

  it("a full one takes no more, but still reads, deletes and erases, and then takes again", function () {
    const mount = join(temporary.folder, "disk");
    mkdirSync(mount);
    const inNamespace = 'mount -t tmpfs -o size=32m none "$0" && exec "$@"';
    const can = spawnSync("unshare", ["-rm", "sh", "-c", inNamespace, mount, "true"]).status === 0;
    if (!can) this.skip(); // Only where a user may make a small disk of his own.
    const told = run(`unshare -rm sh -c '${inNamespace}' ${mount} "$@"`, join(mount, "data"), "12000000");
    expect(told.writes.ok).to.be.greaterThan(130);
    expect(Object.keys(told.writes).sort()).to.deep.equal(["ok", "storage-full"]);
    expect(told.lost).to.equal(0);
    expect(told).to.include({
      check: "ok",
      upload: "storage-full",
      deletions: 130,
      again: "ok",
      erasure: "ok",
      afterReopening: "ok",
    });
  });
});
