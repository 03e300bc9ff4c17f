/** The house-keeping commands behind `npm run check`, `fix`, `test`, `test:deep`, `coverage` and `build`. None needs the network. */
import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { MochaOptions } from "mocha";

const ROOT = resolve(import.meta.dirname, "..");
const TSC = "node_modules/typescript/bin/tsc";
const OXLINT = "node_modules/oxlint/bin/oxlint";
const BIOME = "node_modules/@biomejs/biome/bin/biome";
const C8 = "node_modules/c8/bin/c8.js";

const lingerMsMax = 3_000; // A test that leaves a server or a timer behind may not hold up the whole run.
const deepTestMsMax = 10 * 60_000;
const LANES = Math.min(2, availableParallelism()); // More would make what is measured by the clock in a test unsure.

interface Tool {
  readonly name: string;
  readonly args: readonly string[];
}

/** Runs one tool under this very Node, whatever `node` means on the PATH. */
function runTool(
  tool: Tool,
): Promise<{ readonly code: number; readonly output: string; readonly seconds: number }> {
  const started = performance.now();
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, tool.args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", fail);
    child.on("close", (code) =>
      done({ code: code ?? 1, output, seconds: (performance.now() - started) / 1000 }),
    );
  });
}

/** All at once, for they only read; says of each whether it is content, and shows what it found if not. */
async function check(): Promise<number> {
  const tools: readonly Tool[] = [
    { name: "types", args: [TSC, "-p", "."] },
    { name: "lint", args: [OXLINT, "--type-aware", "--deny-warnings"] },
    { name: "format", args: [BIOME, "check", "--max-diagnostics=50"] },
  ];
  let failed = 0;
  await Promise.all(
    tools.map(async (tool) => {
      const { code, output, seconds } = await runTool(tool);
      if (code !== 0) failed += 1;
      print(
        `${code === 0 ? "ok  " : "FAIL"} ${tool.name} (${seconds.toFixed(1)} s)${code === 0 ? "" : `\n${output.trimEnd()}`}`,
      );
    }),
  );
  return failed === 0 ? 0 : 1;
}

/** One after the other, for both write. What they cannot mend is left to `check`. */
async function fix(): Promise<number> {
  const { refreshDocuments } = await import("./tools/readme.ts");
  refreshDocuments(ROOT);
  for (const args of [
    [OXLINT, "--type-aware", "--fix"],
    [BIOME, "check", "--write"],
  ]) {
    await runTool({ name: "fix", args });
  }
  return check();
}

interface TestOptions {
  readonly files: readonly string[];
  readonly grep: string | undefined;
  readonly msMax: number;
}

/** Of one file, or of all. */
interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Runs these files with mocha in this process. */
async function testHere({ files, grep, msMax }: TestOptions): Promise<Tally> {
  const settings = JSON.parse(readFileSync(resolve(ROOT, ".mocharc.json"), "utf8")) as MochaOptions;
  const { default: Mocha } = await import("mocha");
  const mocha = new Mocha({ ...settings, timeout: msMax || settings.timeout, ...(grep ? { grep } : {}) });
  for (const file of files) mocha.addFile(resolve(ROOT, file));
  await mocha.loadFilesAsync();
  return new Promise((done) => {
    const { stats } = mocha.run((failed) => {
      mocha.dispose(); // Else it goes on listening for what the next file's tests throw.
      done({ passed: stats?.passes ?? 0, failed, skipped: stats?.pending ?? 0 });
    });
  });
}

const NO_MORE = "";

/** What a lane says when a file is done. */
interface LaneWord {
  readonly file: string;
  readonly tally: Tally;
}

/** One process that takes a file whenever it has none; what it prints of a file is shown when that is done. */
function openLane(queue: string[], lingers: boolean): Promise<readonly Tally[]> {
  const child = spawn(process.execPath, [import.meta.filename, lingers ? "lane-deep" : "lane"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const tallies: Tally[] = [];
  let output = "";
  let current: string | null = null;
  const show = (): void => {
    process.stdout.write(output);
    output = "";
  };
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const next = (): void => {
    current = queue.shift() ?? null;
    child.send(current ?? NO_MORE);
  };
  child.on("message", ({ tally }: LaneWord) => {
    tallies.push(tally);
    setImmediate(show); // What it printed last may be on its way.
    next();
  });
  next();
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => {
      show();
      if (current !== null) {
        print(`${current} ended its process with ${code}`);
        tallies.push({ passed: 0, failed: 1, skipped: 0 });
      }
      done(tallies);
    });
  });
}

/** Runs the files of a parent, one after the other, until it has no more. */
function serveLane(msMax: number): Promise<number> {
  process.once("disconnect", () => process.exit()); // Whoever started it is gone, or needs it no more.
  return new Promise((done) => {
    process.on("message", (file: string) => {
      if (file === NO_MORE) {
        done(0);
        process.disconnect();
        return;
      }
      void testHere({ files: [file], grep: undefined, msMax }).then((tally) =>
        process.send?.({ file, tally } satisfies LaneWord),
      );
    });
  });
}

/**
 * Two processes share the files, for a test waits more than it computes; a few files, or some tests by name, run here. Ends
 * with one plain line; a run in which nothing ran is a failure.
 */
async function test({ files, grep, msMax }: TestOptions): Promise<number> {
  const isFew = files.length < LANES * 2 || grep !== undefined;
  const queue = [...files];
  const tallies = isFew
    ? [await testHere({ files, grep, msMax })]
    : (await Promise.all(Array.from({ length: LANES }, () => openLane(queue, msMax > 0)))).flat();
  const sum = (of: keyof Tally): number => tallies.reduce((total, tally) => total + tally[of], 0);
  print(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  return sum("failed") === 0 && sum("passed") > 0 ? 0 : 1;
}

/** The tests once more, under c8: shows as it goes, for it takes as long as they do. */
async function coverage(): Promise<number> {
  const folders = ["server", "client-lib", "shapes", "vocab"].flatMap((folder) => ["--include", folder]);
  const args = [C8, ...folders, process.execPath, "test/run.ts", "test", ...chosen];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  return new Promise((done) => child.on("close", (code) => done(code ?? 1)));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: "string", short: "g" } },
});
const [command = "", ...chosen] = positionals;
const filesOf = (pattern: string): readonly string[] =>
  chosen.length > 0 ? chosen : globSync(pattern, { cwd: ROOT }).sort();

const COMMANDS: Readonly<Record<string, () => Promise<number>>> = {
  check,
  fix,
  test: () => test({ files: filesOf("test/**/*.test.ts"), grep: values.grep, msMax: 0 }),
  deep: () => test({ files: filesOf("test/**/*.deep.ts"), grep: values.grep, msMax: deepTestMsMax }),
  // What `test` and `deep` start, to share their files.
  lane: () => serveLane(0),
  "lane-deep": () => serveLane(deepTestMsMax),
  coverage,
  build: async () => {
    const { buildPackages } = await import("./tools/build.ts");
    for (const folder of await buildPackages(ROOT)) print(folder);
    return 0;
  },
};

const run = COMMANDS[command];
if (!run) {
  print(`Usage: node test/run.ts ${Object.keys(COMMANDS).join("|")} [files] [--grep text]`);
  process.exit(2);
}
process.exitCode = await run();
setTimeout(() => {
  print(`Still open after ${lingerMsMax} ms, so stopped: ${process.getActiveResourcesInfo().join(", ")}`);
  process.exit();
}, lingerMsMax).unref();
