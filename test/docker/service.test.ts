/** The unit for systemd: what systemd itself says of it, and a server that lives with what the unit denies. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { MAIN, quietPort, startProgram } from "../support/process.ts";
import { skip } from "../support/skip.ts";

const UNIT = join(import.meta.dirname, "../../docker/freehold.service");
const EXPOSURE_MAX = 1.5;
const text = readFileSync(UNIT, "utf8");

const ask = (...args: string[]) => spawnSync("systemd-analyze", args, { encoding: "utf8", timeout: 30_000 });
const versionOf = (): number => Number(/^systemd (\d+)/.exec(ask("--version").stdout ?? "")?.[1] ?? 0);
const valuesOf = (name: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);

describe("the unit for systemd", function suite() {
  this.timeout(60_000);
  let folder: string;
  before(() => void (folder = mkdtempSync(join(tmpdir(), "freehold-unit-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it(`exposes the machine by at most ${EXPOSURE_MAX}, of 10`, function test() {
    if (versionOf() < 250) skip(this, "systemd-analyze 250 or newer is not installed");
    const { stdout, stderr } = ask("security", "--offline=yes", "--no-pager", UNIT);
    const exposure = Number(
      /Overall exposure level for freehold\.service: ([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN,
    );
    expect(exposure, stderr).to.be.lessThanOrEqual(EXPOSURE_MAX);
  });

  it("says nothing that systemd does not understand", function test() {
    if (versionOf() < 250) skip(this, "systemd-analyze 250 or newer is not installed");
    // The program itself is not installed where it would be.
    const here = text.replaceAll("/opt/freehold/node_modules/.bin/node", process.execPath);
    const copy = join(folder, "freehold.service");
    writeFileSync(copy, here);
    const { status, stderr } = ask("verify", "--man=no", "--recursive-errors=no", copy);
    expect(stderr.split("\n").filter((line) => line.includes("freehold.service"))).to.deep.equal([]);
    expect(status).to.equal(0);
  });

  it("starts and ends the server under every refusal of the kernel that it asks for", async function test() {
    if (versionOf() < 250) skip(this, "systemd-analyze 250 or newer is not installed");
    if (spawnSync("strace", ["-V"]).error) skip(this, "strace is not installed");
    const allowed = callsOf("@system-service");
    const denied = valuesOf("SystemCallFilter")
      .filter((value) => value.startsWith("~"))
      .flatMap((value) => value.slice(1).split(/\s+/))
      .flatMap((group) => [...callsOf(group)]);
    expect(denied).to.include("sched_setaffinity");
    // What is outside of what is allowed is not looked at here: a tracer cannot name what it does not know.
    const calls = denied.filter((call) => allowed.has(call)).map((call) => `?${call}`);
    const port = await quietPort();
    const program = startProgram(
      ["--max-semi-space-size=8", MAIN, "start"],
      {
        FREEHOLD_DATA: join(folder, "data"),
        FREEHOLD_PORT: port,
        FREEHOLD_ROOT_KEY_FILE: keyFile(),
      },
      ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", `--inject=${calls.join(",")}:error=EPERM`],
    );
    try {
      await program.until(/ {2}set-up /);
      expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).to.equal(200);
    } finally {
      // The tracer passes no signal on to what it traces.
      const { pid = 0 } = program.child;
      const traced = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0];
      process.kill(Number(traced), "SIGTERM");
    }
    expect((await program.ended).code).to.equal(0);
  });

  /** As the unit's first lines say to make it. */
  function keyFile(): string {
    const path = join(folder, "root.key");
    const made = spawnSync("sh", ["-c", `umask 077; openssl rand -out ${path} 32`]);
    if (made.status !== 0) writeFileSync(path, Buffer.alloc(32, 7), { mode: 0o600 });
    return path;
  }

  /** All calls of a group, and of the groups in it. */
  function callsOf(group: string): Set<string> {
    if (!group.startsWith("@")) return new Set([group]);
    const lines = ask("syscall-filter", "--no-pager", group)
      .stdout.split("\n")
      .slice(1)
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
    return new Set(lines.flatMap((line) => [...callsOf(line)]));
  }
});
