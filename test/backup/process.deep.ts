/** Backups as an operator makes them: from the command line, beside a running server; killed at any moment; on a full disk. */
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { listShelf } from "../../server/backup/shelf.ts";
import { serve } from "../../server/cli/serve.ts";
import { freehold, type Program } from "../support/process.ts";
import { skip } from "../support/skip.ts";
import { type Operator, openOperator, PASSPHRASE } from "./operator.ts";
import { differences, type Held, heldBy } from "./support.ts";

const FILES = 40;

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error("there is none");
  return item;
}

describe("backups from the command line, killed and out of room", function () {
  this.timeout(300_000);
  let operator: Operator;
  let held: Held;
  let running: Program | null = null;

  before(async () => {
    operator = await openOperator(FILES, async (context) => {
      held = await heldBy(context);
    });
    expect((await operator.run("data", "backup")).code).to.equal(0);
  });
  afterEach(async () => {
    await running?.stop("SIGKILL");
    running = null;
  });
  after(() => operator.remove());

  async function start(name = "data"): Promise<Program> {
    running = freehold(["start", ...operator.flags(name)]);
    await running.until(/ {2}data /);
    return running;
  }

  it("backs up and proves while no server runs, too", async () => {
    const made = await operator.run("data", "backup", "--to", operator.at("elsewhere"));
    expect(made.code, made.err).to.equal(0);
    const { file } = first(await listShelf(operator.at("elsewhere")));
    const { file: keys } = first(await listShelf(join(operator.at("elsewhere"), "keys")));
    expect((await operator.run("data", "verify-backup", file)).code).to.equal(0);
    await mkdir(operator.at("verify-mine"));
    const bare = await operator.run("nowhere", "verify-backup", file, "--keys", keys);
    expect((await stat(operator.at("verify-mine"))).isDirectory(), "what is somebody else's stays").to.equal(
      true,
    );
    expect([bare.code, bare.err.includes("What to do")], bare.err).to.deep.equal([0, false]);
    const without = await operator.run("nowhere", "verify-backup", file);
    expect([without.code, without.err]).to.satisfy(
      ([code, err]: [number, string]) => code === 4 && /--keys/.test(err),
    );
    expect(await stat(operator.at("nowhere")).catch(() => null), "looking makes no store").to.equal(null);
  });

  it("restores on a bare machine from the two files and the passphrase", async () => {
    const { file } = first(await operator.whole());
    const restored = await operator.run("bare", "restore", file);
    expect([restored.code, restored.out.split("\n")[0]?.slice(0, 15)], restored.err).to.deep.equal([
      0,
      "Restored 1 pod ",
    ]);
    const again = await serve(operator.config("bare"), () => {});
    const lost = differences(held, await heldBy(again.context)).filter(
      (what) => !/ (is new)$|server setting/.test(what),
    );
    await again.close();
    expect(lost).to.deep.equal([]);
  });

  it("killed while it backs up, it leaves nothing that counts, and the next one clears up", async () => {
    const before = (await operator.whole()).length;
    let drafts = 0;
    for (let trial = 0; trial < 4; trial += 1) {
      const server = await start();
      const asking = operator.run("data", "backup");
      const end = Date.now() + 5_000;
      for (;;) {
        const half = (await readdir(operator.shelf)).filter((name) => name.endsWith(".draft"));
        if (half.length > 0 || Date.now() > end) break;
      }
      await new Promise((resolve) => setTimeout(resolve, trial * 15));
      await server.stop("SIGKILL");
      const { code, err } = await asking;
      if (code !== 0) expect(err).to.match(/server ended before the task did/);
      drafts += (await readdir(operator.shelf)).filter((name) => name.endsWith(".draft")).length;
      for (const { file, proof } of (await operator.whole()).slice(before)) {
        expect(proof).to.equal(null);
        const checked = await operator.run("data", "verify-backup", file);
        expect(checked.code, `${file} has its name, so it is whole: ${checked.err}`).to.equal(0);
        await rm(file);
      }
    }
    expect(drafts, "some were killed in the middle").to.be.above(0);
    await start();
    expect((await operator.run("data", "backup")).code).to.equal(0);
    expect((await readdir(operator.shelf)).filter((name) => name.endsWith(".draft"))).to.deep.equal([]);
  });

  it("killed while it restores, there is no half store, and the same command finishes it", async () => {
    const { file } = first(await operator.whole());
    let broken = 0;
    for (const wait of [0, 60, 160]) {
      await rm(operator.at("killed"), { recursive: true, force: true });
      const restoring = freehold(["restore", file, ...operator.flags("killed")]);
      const end = Date.now() + 20_000;
      for (;;) {
        const names: readonly string[] = await readdir(operator.at("killed")).catch(() => []);
        if (names.includes("restoring") || restoring.child.exitCode !== null || Date.now() > end) break;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      await restoring.stop("SIGKILL");
      if ((await readdir(operator.at("killed"))).includes("restoring")) {
        broken += 1;
        const refused = await freehold(["start", ...operator.flags("killed")]).ended;
        expect([refused.code, refused.err], `${wait}`).to.satisfy(
          ([code, err]: [number, string]) => code === 4 && /broken off/.test(err),
        );
        const again = await operator.run("killed", "restore", file);
        expect([again.code, wait], again.err).to.deep.equal([0, wait]);
      }
      const opened = await serve(operator.config("killed"), () => {});
      const lost = differences(held, await heldBy(opened.context)).filter(
        (what) => !/ (is new)$|server setting/.test(what),
      );
      await opened.close();
      expect(lost, `${wait}`).to.deep.equal([]);
    }
    expect(broken, "some were killed in the middle").to.be.above(0);
  });

  it("a full disk: the backup says so and leaves nothing, and the server goes on", async function () {
    const small = operator.at("small");
    await mkdir(small);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small]).status !== 0) {
      skip(this, "a small file system cannot be mounted here");
    }
    try {
      await start();
      const { code, out, err } = await operator.run("data", "backup", "--to", small);
      expect([code, out]).to.deep.equal([4, ""]);
      expect(err)
        .to.match(/no room for the backup in .*as it was/s)
        .and.not.match(/ {4}at /);
      expect(await readdir(small)).to.deep.equal([]);
      expect((await fetch(`http://localhost:${operator.port}/readyz`)).status).to.equal(200);
      expect((await operator.run("data", "backup")).code).to.equal(0);
      // And a restore onto it.
      const { file } = first(await operator.whole());
      const restored = await freehold([
        "restore",
        file,
        ...operator.flags("data"),
        "--data",
        join(small, "data"),
      ]).ended;
      expect(restored.code).to.equal(4);
      expect(restored.err)
        .to.match(/room/)
        .and.not.match(/ {4}at /);
      expect(await readdir(join(small, "data")).catch(() => [])).to.deep.equal([]);
    } finally {
      await running?.stop();
      spawnSync("umount", [small]);
    }
  });

  it("no log and no argument list ever has the passphrase", async () => {
    const server = await start();
    const { out, err } = await operator.run("data", "backup", "--passphrase-env", "PASSPHRASE_OF_NOBODY");
    expect(err).to.match(/no environment variable PASSPHRASE_OF_NOBODY/);
    expect(out).to.equal("");
    const asked = freehold(["backup", ...operator.flags("data"), "--passphrase-env", "THE_ONE"], {
      THE_ONE: "said in a variable",
    });
    const args = await readFile(`/proc/${asked.child.pid}/cmdline`, "utf8").catch(() => "");
    expect(args).not.to.include("said in");
    expect((await asked.ended).code).to.equal(0);
    const { out: log } = await server.stop();
    expect(log).to.include("backup.made").and.not.include("said in").and.not.include(PASSPHRASE);
  });
});
