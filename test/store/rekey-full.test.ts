/** On a full disk a pod still gets its new key: the reserve is there for it. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { skip } from "../support/skip.ts";
import { temporaryFolder } from "../support/store.ts";

describe("a pod's new key on a full disk", function () {
  this.timeout(60_000);

  it("is given when nothing else can be stored", async function () {
    const temporary = await temporaryFolder();
    const disk = join(temporary.folder, "disk");
    mkdirSync(disk);
    // In a mount namespace of its own, so that the disk is gone with it.
    const apart = ["-m", "--propagation", "private", ...(process.getuid?.() === 0 ? [] : ["-r"])];
    const mount = `mount -t tmpfs -o size=80m none ${disk}`;
    if (spawnSync("unshare", [...apart, "sh", "-c", mount]).status !== 0) {
      await temporary.remove();
      skip(this, "no small file system can be mounted here (unshare -m and mount)");
    }
    const script = new URL("./rekey-full-child.ts", import.meta.url).pathname;
    const run = `${mount} && exec "$0" "$1" ${disk}`;
    const { stdout, stderr } = spawnSync("unshare", [...apart, "sh", "-c", run, process.execPath, script], {
      encoding: "utf8",
    });
    await temporary.remove();
    expect(stderr).to.equal("");
    const { before, refused, rekeyed, after, reopened } = JSON.parse(stdout) as Record<string, string>;
    expect(refused, "the disk is full").to.equal("storage-full");
    expect(rekeyed).to.equal("answered");
    expect(after).to.equal(before);
    expect(reopened).to.equal(before);
  });
});
