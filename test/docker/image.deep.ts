/** The image as its Dockerfile makes it, and a container of it as compose.yaml wants it: nothing to write but its volumes, no rights. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { expect } from "chai";
import { openBrowser, PASSWORD, tokenOf } from "../account/client.ts";
import { until } from "../notify/support.ts";
import { quietPort } from "../support/process.ts";
import { skip } from "../support/skip.ts";
import { build, type Image, missing } from "./image.ts";

const BUILD_MS_MAX = 15 * 60_000;

describe("the image", function suite() {
  this.timeout(60_000);
  let folder = "";
  let image: Image;
  let port: string;
  let running: { readonly child: ChildProcess; out: string; readonly first: () => number } | null = null;

  before(async function make() {
    this.timeout(BUILD_MS_MAX);
    const why = missing();
    if (why) skip(this, why);
    folder = mkdtempSync(join(tmpdir(), "freehold-image-"));
    image = build(folder);
    const megabytes = execFileSync("du", ["-sm", join(image.root, "app")], { encoding: "utf8" }).split(
      "\t",
    )[0];
    process.stdout.write(`      built on ${image.base}; ${megabytes} MB beside Debian and Node\n`);
    for (const volume of ["data", "keys"]) {
      const place = join(folder, volume); // As a new volume is made: with what the image has there, owner and mode.
      execFileSync("cp", ["-a", join(image.root, volume), place]);
    }
    port = await quietPort();
  });

  afterEach(() => void running?.child.kill("SIGKILL"));
  after(function clean() {
    this.timeout(BUILD_MS_MAX); // Several roots of many files each.
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** Bubblewrap and its arguments for a command in a container: the root is read-only, and the user has no capability. */
  function within(command: readonly string[]): readonly [program: string, args: readonly string[]] {
    const { uid, gid } = image.user;
    const env = { ...image.env, HOME: "/", FREEHOLD_PORT: port, FREEHOLD_ROOT_KEY_FILE: "/keys/root.key" };
    const set = Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]);
    const mounts = [
      "--bind",
      join(folder, "data"),
      "/data",
      "--bind",
      join(folder, "keys"),
      "/keys",
      "--tmpfs",
      "/tmp",
    ];
    const own = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--new-session", "--die-with-parent"];
    const rights = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"].flatMap((cap) => ["--cap-add", cap]);
    const drop = ["setpriv", "--reuid", String(uid), "--regid", String(gid), "--clear-groups"];
    const none = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--"];
    return [
      "bwrap",
      ["--ro-bind", image.root, "/", ...image.binds, "--dev", "/dev", "--proc", "/proc"].concat(
        [mounts, own, rights, ["--clearenv"], set, ["--chdir", image.folder], drop, none, command].flat(),
      ),
    ];
  }

  function runOnce(command: readonly string[]): { readonly code: number | null; readonly out: string } {
    const [program, args] = within(command);
    const done = spawnSync(program, args, { encoding: "utf8", timeout: 60_000 });
    return { code: done.status, out: done.stdout + done.stderr };
  }

  async function start(): Promise<string> {
    const [program, args] = within([...image.entrypoint, ...image.command]);
    const child = spawn(program, ["--as-pid-1", "--info-fd", "3", ...args], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    let info = "";
    (child.stdio[3] as Readable).setEncoding("utf8").on("data", (text: string) => (info += text));
    const first = (): number => (JSON.parse(info) as { "child-pid": number })["child-pid"];
    const one = { child, out: "", first };
    running = one;
    for (const stream of [child.stdout, child.stderr] as Readable[])
      stream.setEncoding("utf8").on("data", (text: string) => (one.out += text));
    await until(
      "the server is ready",
      () => {
        if (child.exitCode !== null) throw new Error(`The server ended: ${one.out}`);
        return /^ {2}data .*$/m.test(one.out);
      },
      45_000,
    );
    return one.out;
  }

  /** As Docker does it: to the first process of the container. */
  async function stop(): Promise<void> {
    if (!running) return;
    const { child, first } = running;
    const ended = once(child, "close");
    process.kill(first(), "SIGTERM");
    const [code] = (await ended) as [number | null];
    expect(code, running.out).to.equal(0);
    running = null;
  }

  it("has what the server needs to run, and nothing that only tests and builds need", () => {
    const app = join(image.root, "app");
    expect(readdirSync(app).toSorted()).to.deep.equal(
      [
        "LICENSE",
        ".npmrc",
        "client-lib",
        "node_modules",
        "package-lock.json",
        "package.json",
        "server",
        "shapes",
        "vocab",
      ].toSorted(),
    );
    for (const name of ["node", "chai", "mocha", "playwright-core", "typescript"])
      expect(existsSync(join(app, "node_modules", name)), name).to.equal(false);
    expect(existsSync(join(app, "node_modules/oidc-provider"))).to.equal(true);
    for (const name of ["root/.npmrc", "etc/npmrc-of-the-builder"]) {
      const left = join(image.root, name);
      expect(existsSync(left) ? statSync(left).size : 0, name).to.equal(0);
    }
  });

  it("keeps strangers out of its volumes, from the first", () => {
    expect(image.volumes).to.deep.equal(["/data"]);
    for (const name of ["data", "keys"]) {
      const { uid, gid, mode } = statSync(join(image.root, name));
      expect([uid, gid, mode & 0o777]).to.deep.equal([1_000, 1_000, 0o700]);
    }
  });

  it("runs as a user without rights, in a root that nobody can write to", () => {
    const { out } = runOnce([
      "sh",
      "-c",
      "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; touch /app/x /usr/x",
    ]);
    expect(out).to.match(/^1000\n/);
    expect(out).to.match(/CapEff:\s+0000000000000000\n/);
    expect(out).to.match(/CapBnd:\s+0000000000000000\n/);
    expect(out).to.match(/NoNewPrivs:\s+1\n/);
    expect(out).to.match(/'\/app\/x': (?:Read-only file system|Permission denied)/);
    expect(out).to.match(/'\/usr\/x': (?:Read-only file system|Permission denied)/);
  });

  it("says by the health check that nothing runs, and that it is ready", async () => {
    expect(image.healthcheck).to.deep.equal(["freehold", "healthcheck"]);
    expect(runOnce(image.healthcheck).code).to.equal(1);
    await start();
    const { code, out } = runOnce(image.healthcheck);
    expect(code, out).to.equal(0);
    await stop();
  });

  it("prints a link for the first account, keeps what was written over a restart, and takes the programs' commands", async () => {
    const link = / {2}set-up +(\S+)/.exec(await start())?.[1] ?? "";
    expect(link).to.match(/^http:\/\/localhost:\d+\/\.account\/setup#token=/);
    const baseUrl = `http://localhost:${port}/`;
    const { status, body } = await openBrowser({ baseUrl }).send("POST", "/.account/setup", {
      token: tokenOf(link),
      name: "Ana Lima",
      pod: "ana",
      password: PASSWORD,
      recoverySaved: true,
    });
    expect(status, JSON.stringify(body)).to.equal(200);
    await stop();

    for (const [volume, name] of [
      ["keys", "root.key"],
      ["data", ""],
    ] as const) {
      const { uid, mode } = statSync(join(folder, volume, name));
      expect([uid, mode & 0o077], volume).to.deep.equal([1_000, 0]);
    }
    expect(await start()).to.not.include("set-up");
    expect((await fetch(`${baseUrl}ana/profile/card`)).status).to.equal(200);
    const { code, out } = runOnce(["freehold", "--version"]);
    expect([code, out.trim()]).to.deep.equal([
      0,
      (JSON.parse(readFileSync(join(image.root, "app/package.json"), "utf8")) as { version: string }).version,
    ]);
    await stop();
  });
});
