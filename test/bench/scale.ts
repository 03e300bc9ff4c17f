/**
 * `node test/bench/scale.ts`, or `npm run bench -- --scale [--quick]`: what size costs. The store beside a bare loop over
 * `node:sqlite`, how long the event loop waits for storage, and a server with a million documents in one container and
 * ten thousand pods beside an empty one. All in one run on one machine: the ratios are ours, the figures the machine's.
 *
 *   --small       100,000 documents and 1,000 pods
 *   --only TEXT   only the parts whose name contains TEXT: store, loop, server
 */
import { parseArgs } from "node:util";
import { measureLoop } from "./scale-loop.ts";
import { measureServers } from "./scale-server.ts";
import { measureStore } from "./scale-store.ts";

/** What was reached, and the goal. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Met when `value` is at most this … */
  readonly most?: number;
  /** … or at least this. */
  readonly least?: number;
}

const round = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);

function lineOf({ what, value, unit, most, least }: Figure): string {
  const goal = most !== undefined ? `≤ ${round(most)}` : least !== undefined ? `≥ ${round(least)}` : "";
  const isMet = (most === undefined || value <= most) && (least === undefined || value >= least);
  return `| ${what} | ${round(value)} ${unit} | ${goal} | ${goal === "" ? "" : isMet ? "met" : "**missed**"} |`;
}

const PARTS: Readonly<Record<string, (isSmall: boolean) => Promise<readonly Figure[]>>> = {
  store: measureStore,
  loop: measureLoop,
  server: measureServers,
};

/** @returns whether all goals were met. */
export async function measureScale(isSmall: boolean, only = ""): Promise<boolean> {
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (!name.includes(only)) continue;
    process.stderr.write(`${name} …\n`);
    figures.push(...(await measure(isSmall)));
  }
  const lines = figures.map(lineOf);
  process.stdout.write(`| what | reached | goal | |\n| --- | ---: | ---: | --- |\n${lines.join("\n")}\n`);
  return !lines.some((line) => line.includes("**missed**"));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { small: { type: "boolean" }, only: { type: "string" } } });
  process.exitCode = (await measureScale(values.small ?? false, values.only)) ? 0 : 1;
}
