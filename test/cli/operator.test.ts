/** The operator's socket: tasks in a running server, for whoever may open its data folder and for nobody else. */
import { existsSync, lstatSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { askOperator } from "../../server/cli/ask-operator.ts";
import { COMMANDS } from "../../server/cli/commands.ts";
import { ALIASES } from "../../server/cli/help.ts";
import { type Operator, openOperator } from "../../server/cli/operator.ts";
import { serve } from "../../server/cli/serve.ts";
import {
  argumentsOf,
  type Progress,
  secretFlagsOf,
  type Task,
  wrongArguments,
} from "../../server/cli/task.ts";
import { TASKS } from "../../server/cli/tasks/index.ts";
import { flagOf, readConfig, SETTINGS, type SettingName } from "../../server/config.ts";
import { OperatorError, Problem } from "../../server/errors.ts";
import { freehold, quietPort } from "../support/process.ts";
import { startServer, type TestServer } from "../support/server.ts";

const task = (name: string, run: Task["run"]): Task => ({ name, usage: "[file]", about: "", run });

const ECHO = task("echo back", async ({ config }, { args, flags, secret }, report) => {
  for (let done = 0; done <= 1_000; done += 1) report({ stage: "echo", done, total: 1_000, unit: "items" });
  return { lines: [config.baseUrl, JSON.stringify({ args, flags, secret })], exit: 7 };
});
const REFUSED = task("refused", async () => {
  throw new Problem("quota-exceeded", "Ana's pod");
});
const STOPPED = task("stopped", async () => {
  throw new OperatorError("The disk is not there. Mount it.");
});
const BROKEN = task("broken", async () => {
  throw new TypeError("a mistake of ours");
});
const OWN = [ECHO, REFUSED, STOPPED, BROKEN];
const EMPTY = { args: [], flags: {}, secret: null };

describe("the operator's socket", function () {
  this.timeout(30_000);
  let server: TestServer;
  let operator: Operator;
  let folder: string;
  const ask = (task: Task, input = EMPTY as Parameters<Task["run"]>[1], seen: Progress[] = []) =>
    askOperator(folder, task, input, (progress) => seen.push(progress));

  before(async () => {
    server = await startServer();
    folder = await mkdtemp(join(tmpdir(), "freehold-operator-"));
    // The same server with tasks of ours, on a socket of ours.
    const context = { ...server.context, config: { ...server.context.config, dataFolder: folder } };
    operator = await openOperator(context, { log: context.log, folder }, async () => OWN);
  });
  after(async () => {
    await operator.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("is a socket that this user alone may open", () => {
    const found = lstatSync(join(server.folder, "operator.sock"));
    expect(found.isSocket()).to.equal(true);
    expect(found.mode & 0o777).to.equal(0o600);
  });

  it("runs the task in the server, and shows how far it is", async () => {
    const seen: Progress[] = [];
    const input = { args: ["/a"], flags: { deep: true, pod: "ana" }, secret: "a secret" };
    const answer = await ask(ECHO, input, seen);
    expect(answer).to.deep.equal({
      result: { lines: [server.baseUrl, JSON.stringify(input)], exit: 7 },
    });
    expect(seen[0]).to.deep.equal({ stage: "echo", done: 0, total: 1_000, unit: "items" });
    expect(seen.at(-1)?.done).to.equal(1_000);
    expect(seen.length, "not every step").to.be.below(20);
    expect(server.log.join(""), "the log has no secret").not.to.include("a secret");
  });

  it("tells what is wrong in words: what, why, what next, and an exit code", async () => {
    expect(await ask(REFUSED)).to.deep.equal({
      problem: {
        what: "The pod is full",
        why: "Ana's pod",
        next: "Delete something and empty the trash, or ask the operator for more room.",
        exit: 4,
      },
    });
    expect(await ask(STOPPED)).to.deep.equal({
      problem: { what: "The disk is not there. Mount it.", exit: 4 },
    });
    const broken = await ask(BROKEN);
    expect(JSON.stringify(broken)).to.include('"exit":1').and.not.include("operator.test.ts");
    expect(server.log.join("")).to.match(/task\.failed.*a mistake of ours/);
  });

  it("says that the server is another version when it does not know the task", async () => {
    const error = await ask(task("from the future", async () => ({ lines: [], exit: 0 }))).catch(
      (error: unknown) => error,
    );
    expect(error).to.be.instanceOf(OperatorError);
    expect(String(error)).to.match(/does not know "from the future".*another version/);
  });

  it("is no door of the server: what is asked over TCP finds nothing", async () => {
    for (const path of ["tasks/setup-link", ".operator", "operator.sock"]) {
      const response = await fetch(`${server.baseUrl}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(EMPTY),
      });
      expect([401, 404, 405], path).to.include(response.status);
      expect(await response.text()).not.to.include("result");
    }
  });

  it("is no use to a page that a browser would send there: a GET does nothing", async () => {
    const status = await new Promise((resolve) => {
      request({ socketPath: join(folder, "operator.sock"), path: "/tasks/echo%20back" }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).to.equal(404);
  });

  it("goes on with a task whose caller hung up", async () => {
    let begin = (): void => {};
    let ended = false;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const slow = task("slow", async () => {
      begin();
      await new Promise((resolve) => setTimeout(resolve, 200));
      ended = true;
      return { lines: [], exit: 0 };
    });
    const context = {
      ...server.context,
      config: { ...server.context.config, dataFolder: join(folder, "slow") },
    };
    await mkdir(join(folder, "slow"));
    const other = await openOperator(
      context,
      { log: context.log, folder: join(folder, "slow") },
      async () => [slow],
    );
    const sent = request({
      socketPath: join(folder, "slow", "operator.sock"),
      method: "POST",
      path: "/tasks/slow",
    });
    sent.on("error", () => {});
    sent.end(JSON.stringify(EMPTY));
    await begun;
    sent.destroy();
    await other.close();
    expect(ended, "the close waited for it").to.equal(true);
    expect(existsSync(join(folder, "slow", "operator.sock"))).to.equal(false);
  });

  describe("whatever lies in its place", () => {
    const serveIn = (data: string) =>
      serve(readConfig({ FREEHOLD_DATA: data, FREEHOLD_PORT: "0" }), () => {});
    const link = TASKS.find(({ name }) => name === "setup-link") as Task;

    it("a dead server's socket, a file or a link gives way, and nothing is left after the end", async () => {
      const victim = join(folder, "victim");
      writeFileSync(victim, "untouched");
      const leave: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
        socket: async (path) => {
          const dead = createServer();
          await new Promise<void>((resolve) => dead.listen(`${path}.old`, resolve));
          await import("node:fs/promises").then(({ rename }) => rename(`${path}.old`, path));
          await new Promise((resolve) => dead.close(resolve));
        },
        file: async (path) => writeFileSync(path, ""),
        link: (path) => symlink(victim, path),
      };
      for (const [name, put] of Object.entries(leave)) {
        const data = join(folder, name);
        await mkdir(data, { mode: 0o700 });
        await put(join(data, "operator.sock"));
        const running = await serveIn(data);
        expect(await askOperator(data, link, EMPTY, () => {}), name).to.have.property("result");
        await running.close();
        expect(await readdir(data), name).not.to.include("operator.sock");
        expect(await askOperator(data, link, EMPTY, () => {}), name).to.equal(null);
      }
      expect(lstatSync(victim).mode & 0o200, "what a link led to is as it was").not.to.equal(0);
    });

    it("a data folder with a very long path works like any other", async () => {
      const data = join(folder, "a-long-name-".repeat(10), "another-".repeat(20));
      const before = (await readdir(tmpdir())).filter((name) => name.startsWith("freehold-"));
      const running = await serveIn(data);
      expect(lstatSync(join(data, "operator.sock")).isSocket()).to.equal(true);
      expect(await askOperator(data, link, EMPTY, () => {})).to.have.property("result");
      await running.close();
      expect(existsSync(join(data, "operator.sock"))).to.equal(false);
      expect(await askOperator(data, link, EMPTY, () => {})).to.equal(null);
      const after = (await readdir(tmpdir())).filter((name) => /^freehold-\w{6}$/.test(name));
      expect(after.filter((name) => !before.includes(name))).to.deep.equal([]);
    });
  });
});

describe("tasks on the command line", function () {
  this.timeout(30_000);

  it("no flag of a task is a setting, and no name hides another's argument", () => {
    const settings = Object.keys(SETTINGS).map((name) => flagOf(name as SettingName));
    const common = [
      ...settings,
      "help",
      "version",
      "json",
      "config",
      "print-config",
      ...Object.keys(ALIASES),
    ];
    const flagsOf = [
      ...TASKS.map((task) => [task.name, { ...task.flags, ...secretFlagsOf(task) }] as const),
      ...Object.entries(COMMANDS).map(([name, { flags = {} }]) => [name, flags] as const),
    ];
    const clashes = flagsOf.flatMap(([name, flags]) =>
      Object.keys(flags)
        .filter((flag) => common.includes(flag))
        .map((flag) => `${name} --${flag}`),
    );
    expect(clashes).to.deep.equal([]);
    expect(new Set(TASKS.map(({ name }) => name)).size).to.equal(TASKS.length);
    const hidden = TASKS.filter(
      ({ name, usage }) => usage !== "" && TASKS.some((other) => other.name.startsWith(`${name} `)),
    );
    expect(hidden.map(({ name }) => name)).to.deep.equal([]);
  });

  it("arguments are what the usage names; those that are files or folders are paths", () => {
    expect(argumentsOf({ usage: "<pod> <backup file> [folder]" })).to.deep.equal([
      { isNeeded: true, isPath: false },
      { isNeeded: true, isPath: true },
      { isNeeded: false, isPath: true },
    ]);
    const two = { ...ECHO, usage: "<pod> [file]" };
    expect(wrongArguments(two, ["ana"])).to.equal(null);
    expect(wrongArguments(two, ["ana", "x"])).to.equal(null);
    expect(wrongArguments(two, [])).to.match(/freehold echo back <pod> \[file\]/);
    expect(wrongArguments(two, ["ana", "x", "y"])).not.to.equal(null);
  });

  it("refuses what it does not know with 2, and shows what there is", async () => {
    for (const args of [["nonsense"], ["setup-link", "extra"], ["setup-link", "--nonsense"], ["setup"]]) {
      const { code, err, out } = await freehold(args).ended;
      expect([args, code]).to.deep.equal([args, 2]);
      expect(`${out}${err}`)
        .to.include("Commands")
        .and.not.match(/ {4}at /);
    }
  });

  it("a killed server's socket is in nobody's way", async () => {
    const data = await mkdtemp(join(tmpdir(), "freehold-killed-"));
    const settings = ["--data", data, "--port", await quietPort()];
    const program = freehold(["start", ...settings]);
    await program.until(/set-up/);
    expect((await freehold(["setup-link", ...settings]).ended).code, "while it runs").to.equal(0);
    await program.stop("SIGKILL");
    expect(existsSync(join(data, "operator.sock"))).to.equal(true);
    const { code, out, err } = await freehold(["setup-link", ...settings]).ended;
    expect([code, err], "after it was killed").to.deep.equal([0, ""]);
    expect(out).to.match(/^http:.*#token=/);
    await rm(data, { recursive: true });
  });
});
