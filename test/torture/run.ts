/**
 * `npm run torture -- [--store sqlite|postgres] [--minutes N] [--seed S] [--only name] [--trials N]`: all tortures of a store in
 * rotation, then one table. PostgreSQL is made in a temporary folder; disks and power are its own matter, so it has other tortures.
 * Ends with 1 if anything was lost. The same seed gives the same writes and the same disasters; the clock is the machine's.
 */
import { parseArgs } from "node:util";
import { postgresMissing } from "../support/postgres.ts";
import { breakCalls } from "./broken.ts";
import { flipBits } from "./corruption.ts";
import { stopDatabase } from "./database.ts";
import { fillDisk } from "./full.ts";
import { killAgainAndAgain } from "./kill.ts";
import type { Engine } from "./place.ts";
import { cutPower } from "./power.ts";
import { type Order, type Outcome, skipped } from "./suite.ts";

interface Suite {
  readonly name: string;
  readonly promise: string;
  readonly run: (order: Order) => Promise<Outcome>;
  /** Share of the time. */
  readonly share: number;
  /** Why it is not for this store. */
  readonly why?: string;
}

const OF_SQLITE: readonly Suite[] = [
  { name: "kill", promise: "kill -9 loses no acknowledged write", run: killAgainAndAgain, share: 3 },
  { name: "power", promise: "a power cut loses no acknowledged write", run: cutPower, share: 3 },
  {
    name: "broken",
    promise: "a failing call loses nothing, answers nothing wrong",
    run: breakCalls,
    share: 3,
  },
  { name: "full", promise: "a full disk reads, deletes, resumes", run: fillDisk, share: 1 },
  { name: "corruption", promise: "a flipped bit is noticed or harmless", run: flipBits, share: 2 },
];
const DATABASES_OWN = "not applicable (the database's own)";
const OF_POSTGRES: readonly Suite[] = [
  {
    name: "kill",
    promise: "kill -9 of a server loses no acknowledged write",
    run: (order) => killAgainAndAgain(order, "postgres"),
    share: 1,
  },
  {
    name: "database",
    promise: "a database that stops hard loses none, and no answer is wrong",
    run: stopDatabase,
    share: 1,
  },
  ...OF_SQLITE.filter(({ name }) => name !== "kill").map((suite) => ({
    ...suite,
    run: async () => skipped(DATABASES_OWN),
    share: 0,
    why: DATABASES_OWN,
  })),
];
const SUITES: Readonly<Record<Engine, readonly Suite[]>> = { sqlite: OF_SQLITE, postgres: OF_POSTGRES };
const ROUND_SECONDS_MAX = 120; // Each has its turn soon, also in a short run.
const SEED_STEP = 1_000_003;

interface Row {
  readonly suite: Suite;
  skipped: string | null;
  trials: number;
  readonly faults: string[];
  /** Of each round. */
  readonly figures: Record<string, (number | string)[]>;
}

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "sqlite" },
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    only: { type: "string" },
    trials: { type: "string" },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const minutes = Number(values.minutes);
const trialsMax = values.trials === undefined ? Number.MAX_SAFE_INTEGER : Number(values.trials);
const suites = values.store === "sqlite" || values.store === "postgres" ? SUITES[values.store] : [];
const chosen = suites.filter(({ name }) => values.only === undefined || name === values.only);
const storeFlag = values.store === "sqlite" ? "" : ` --store ${values.store}`;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

if (chosen.length === 0 || !Number.isFinite(seed) || !(minutes > 0)) {
  print(
    `Usage: npm run torture -- [--store sqlite|postgres] [--minutes N] [--seed S] [--trials N] [--only ${(suites.length > 0 ? suites : OF_SQLITE).map(({ name }) => name).join("|")}]`,
  );
  process.exit(2);
}
if (values.store === "postgres" && postgresMissing !== null) {
  print(`Skipped: ${postgresMissing}`);
  process.exit(0);
}

const began = performance.now();
const endsAt = began + minutes * 60_000;
const rows: readonly Row[] = chosen.map((suite) => ({
  suite,
  skipped: suite.why ?? null,
  trials: 0,
  faults: [],
  figures: {},
}));

function showProgress(row: Row, trials: number): void {
  const left = Math.max(0, Math.round((endsAt - performance.now()) / 1_000));
  const line = `${row.suite.name}: ${row.trials + trials} trials · ${rows.reduce((sum, { faults }) => sum + faults.length, 0)} losses · ${left} s left`;
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
  else if ((row.trials + trials) % 25 === 0) process.stderr.write(`${line}\n`);
}

async function takeTurn(row: Row, turn: number, seconds: number): Promise<void> {
  const turnEndsAt = Math.min(endsAt, performance.now() + seconds * 1_000);
  const { skipped, trials, faults, figures } = await row.suite.run({
    seed: seed + turn * SEED_STEP,
    trialsMax: trialsMax - row.trials,
    isOver: () => performance.now() > turnEndsAt,
    progress: (done) => showProgress(row, done),
  });
  row.skipped = skipped;
  row.trials += trials;
  for (const fault of faults)
    row.faults.push(
      `${fault}\n    again: npm run torture --${storeFlag} --only ${row.suite.name} --seed ${seed + turn * SEED_STEP} --trials ${trials}`,
    );
  for (const [name, value] of Object.entries(figures)) (row.figures[name] ??= []).push(value);
}

/** Counts are added, and of times the worst round is shown. */
function shown(name: string, found: readonly (number | string)[]): string {
  const numbers = found.filter((value) => typeof value === "number");
  if (numbers.length < found.length) return String(found.at(-1));
  const isTime = / ms|^p\d/.test(name);
  return String(isTime ? Math.max(...numbers) : numbers.reduce((sum, value) => sum + value, 0));
}

function table(): string {
  const lines = [["promise", "trials", "losses", "figures"]];
  for (const { suite, skipped, trials, faults, figures } of rows) {
    const told = Object.entries(figures).map(([name, found]) => `${name} ${shown(name, found)}`);
    const isSkipped = skipped !== null && trials === 0;
    lines.push([
      suite.promise,
      isSkipped ? "skipped" : String(trials),
      isSkipped ? "–" : String(faults.length),
      isSkipped ? skipped : told.join(", "),
    ]);
  }
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const [head = [], ...body] = lines.map(row).map((line) => [line]);
  return [...head, "-".repeat(Math.max(...head.map(({ length }) => length))), ...body.flat()].join("\n");
}

print(`Torture ${values.store === "sqlite" ? "" : `on ${values.store} `}for ${minutes} min, seed ${seed}`);
const shares = chosen.reduce((sum, { share }) => sum + share, 0);
const roundSeconds = Math.min(ROUND_SECONDS_MAX * chosen.length, minutes * 60);
for (let turn = 0; performance.now() < endsAt; turn += 1) {
  for (const row of rows) {
    if (
      row.suite.why !== undefined ||
      performance.now() > endsAt ||
      row.faults.length > 0 ||
      row.trials >= trialsMax
    )
      continue;
    await takeTurn(row, turn, (roundSeconds * row.suite.share) / shares);
  }
  if (
    rows.every(({ skipped, faults, trials }) => skipped !== null || faults.length > 0 || trials >= trialsMax)
  )
    break;
}
if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
print(`\n${table()}\n`);
for (const { faults } of rows) for (const fault of faults) print(`LOST  ${fault}`);
print(
  `Again: npm run torture --${storeFlag} --minutes ${minutes} --seed ${seed}${values.only === undefined ? "" : ` --only ${values.only}`}`,
);
process.exit(rows.some(({ faults }) => faults.length > 0) ? 1 : 0);
