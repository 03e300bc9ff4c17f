/**
 * The n-th system call of a kind fails, once or from then on: strace makes it fail in a real server under real requests.
 * No answer may be wrong meanwhile; nothing acknowledged is lost afterwards; and after a failed sync the server stops
 * writing, says so in its log, and answers 503 until it is started again. n is counted per thread, as strace counts.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Program } from "../support/process.ts";
import { auditDatabase, auditFiles, auditStore } from "./audit.ts";
import { createLoad } from "./load.ts";
import { goesOn, type Order, type Outcome, percentile, skipped, sumOf } from "./suite.ts";

interface Fault {
  readonly call: string;
  readonly error: "EIO" | "ENOSPC" | "EMFILE";
}

const SYNCS = "fsync,fdatasync";
const FAULTS: readonly Fault[] = [
  { call: "pwrite64,pwritev", error: "EIO" },
  { call: SYNCS, error: "EIO" },
  { call: "pwrite64,pwritev", error: "ENOSPC" },
  { call: "openat", error: "EMFILE" },
  { call: "ftruncate,fallocate", error: "EIO" },
  { call: "rename,renameat,renameat2", error: "EIO" },
  { call: SYNCS, error: "ENOSPC" },
  { call: "openat", error: "EIO" },
  { call: "unlink,unlinkat", error: "EIO" },
  { call: "mkdir,mkdirat", error: "ENOSPC" },
  { call: "pread64", error: "EIO" },
  { call: "rename,renameat,renameat2", error: "ENOSPC" },
];

const WRITES = 40; // About as many acknowledged ones, and the phase is over.
const WORK_MS_MAX = 1_500;
const ATTACH_MS_MAX = 5_000;
const LOG_MS = 250;
const START_MS_MAX = 10_000;
const MAY_REFUSE: ReadonlySet<string> = new Set(["status 503", "status 507"]);

/** One trial: which call fails, which one of them, and when. */
interface Trial extends Fault {
  readonly n: number;
  readonly forGood: boolean;
  /** While the server starts, after a kill: recovery itself. */
  readonly whileStarting: boolean;
}

/** All of n = 1, or each, further on: until a trial passes without any call that fails. */
function createTrials(steps: (n: number) => number): {
  next(): Trial;
  told(trial: Trial, isHit: boolean): void;
} {
  const rows = FAULTS.flatMap((fault) =>
    [false, true].flatMap((whileStarting) =>
      [false, true].map((forGood) => ({ ...fault, forGood, whileStarting, n: 1 })),
    ),
  );
  let at = 0;
  return {
    next: () => ({ ...rows[at % rows.length]! }),
    told({ n }, isHit) {
      const row = rows[at % rows.length]!;
      row.n = isHit ? steps(n) : 1; // From the beginning again: the next time everything comes in another order.
      at += 1;
    },
  };
}

const injection = ({ call, error, n, forGood }: Trial, log: string): readonly string[] => [
  "-f",
  "-y", // With the files' names.
  "-o",
  log,
  "-e",
  `trace=${call}`,
  "-e",
  "signal=none",
  "-e",
  `inject=${call}:error=${error}:when=${n}${forGood ? "+" : ""}`,
];

/** Makes a running server's calls fail. */
async function attach(program: Program, trial: Trial, log: string): Promise<ChildProcess> {
  const tracer = spawn("strace", [...injection(trial, log), "-p", String(program.child.pid)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await new Promise<void>((done, fail) => {
    const timer = setTimeout(() => fail(new Error("strace does not attach")), ATTACH_MS_MAX);
    let told = "";
    tracer.stderr.setEncoding("utf8").on("data", (text: string) => {
      told += text;
      if (!/attached/.test(told)) return;
      clearTimeout(timer);
      done();
    });
    tracer.once("close", () => fail(new Error(told)));
  });
  return tracer;
}

/** @param file Part of a file's name, or all files. */
async function hitsIn(log: string, file = ""): Promise<number> {
  const text = await readFile(log, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line.includes("(INJECTED)") && line.includes(file)).length;
}

/** @returns why no process can be traced here, or null. */
function whyNot(): string | null {
  const { status, stderr, error } = spawnSync("strace", ["-qq", "-e", "trace=none", "true"], {
    encoding: "utf8",
  });
  if (error) return "strace is not installed";
  return status === 0 ? null : `strace may not trace here: ${stderr.trim()}`;
}

export interface BreakOptions extends Order {
  /** What comes after n, while there is something to hit: all of them, or further and further apart. */
  readonly steps?: (n: number) => number;
}

export async function breakCalls(order: BreakOptions): Promise<Outcome> {
  const why = whyNot();
  if (why !== null) return skipped(why);
  const home = await mkdtemp(join(tmpdir(), "freehold-broken-"));
  const [folder, log] = [join(home, "data"), join(home, "strace")];
  const faults: string[] = [];
  const load = await createLoad({ folder, seed: order.seed, faults, isBroken: true });
  const sequence = createTrials(order.steps ?? ((n) => Math.ceil(n * 1.6)));
  const figures = { hit: 0, "stopped writing": 0, ended: 0, "did not start": 0 };
  let trials = 0;

  async function workABit(): Promise<void> {
    const until = performance.now() + WORK_MS_MAX;
    const enough = sumOf(load.acknowledged) + WRITES;
    await load.work({
      isOver: () => performance.now() > until || sumOf(load.acknowledged) > enough,
      lateCounts: true,
    });
  }

  /** What the server says while its disk is broken. */
  async function lookWhileBroken(program: Program, isStopped: () => boolean): Promise<void> {
    await load.checkAcknowledged(MAY_REFUSE);
    if (!isStopped() || program.child.exitCode !== null) return;
    figures["stopped writing"] += 1;
    const { root, fetch } = load.tenants[0]!;
    const probe = { method: "PUT", headers: { "content-type": "text/plain" }, body: "probe" };
    const status = await fetch(`${root}probe.txt`, probe).then(
      (answer) => answer.status,
      () => 503,
    );
    if (status !== 503) faults.push(`A server that stopped writing answered ${status} to a write`);
  }

  async function tryOne(trial: Trial): Promise<void> {
    let program: Program;
    let tracer: ChildProcess | null = null;
    let out = "";
    if (trial.whileStarting) {
      program = load.begin({ within: ["strace", "-D", "-qq", ...injection(trial, log)] }); // -D: what is started is the server, and the tracer its child.
      program.child.stdout?.on("data", (text: string) => (out += text));
      const isReady = await Promise.race([
        load.ready(program),
        new Promise<false>((done) => setTimeout(() => done(false), START_MS_MAX).unref()),
      ]);
      if (!isReady) {
        figures["did not start"] += 1;
        await program.stop("SIGKILL");
        return;
      }
    } else {
      program = await load.start();
      program.child.stdout?.on("data", (text: string) => (out += text));
      tracer = await attach(program, trial, log);
    }
    await workABit();
    await new Promise((done) => setTimeout(done, LOG_MS)); // The log is written in turns.
    await lookWhileBroken(program, () => out.includes("store.writer.stopped"));
    if (program.child.exitCode !== null) figures.ended += 1;
    await program.stop("SIGKILL");
    tracer?.kill();
    const mustSay = trial.call === SYNCS && trial.error === "EIO" && trial.forGood && !trial.whileStarting;
    const isStopped = out.includes("store.writer.stopped") || program.child.exitCode !== null;
    if (mustSay && !isStopped && (await hitsIn(log, "freehold.db-wal>")) > 0)
      faults.push("Syncs failed, and the log does not say that nothing is written any more");
  }

  try {
    for (; goesOn(order, trials) && faults.length === 0; trials += 1) {
      const trial = sequence.next();
      await rm(log, { force: true });
      await tryOne(trial);
      const isHit = (await hitsIn(log)) > 0;
      if (isHit) figures.hit += 1;
      sequence.told(trial, isHit);
      const program = await load.start();
      faults.push(...auditFiles(folder));
      await load.check(true);
      if (faults.length > 0) faults.unshift(`After ${JSON.stringify(trial)}:`);
      await program.stop("SIGKILL");
      order.progress?.(trials + 1);
    }
    faults.push(...auditDatabase(folder), ...(await auditStore(folder, { swept: false })));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
  return {
    skipped: null,
    trials,
    faults,
    figures: {
      "acked writes": sumOf(load.acknowledged),
      ...figures,
      "recovery ms p50": Math.round(percentile(load.startMs, 0.5)),
      p99: Math.round(percentile(load.startMs, 0.99)),
    },
  };
}
