/**
 * `node test/bench/series.ts`: a house with twenty meters that each say something every minute. How fast their
 * observations are taken, and how soon a month of one meter is there, chosen at random among all that is stored.
 *
 *   --observations N   how many in all; 10,000,000 unless said
 *   --queries N        of each kind; 100 unless said
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { freeholdContender } from "./freehold.ts";
import { fetchAs, type Login } from "./login.ts";
import type { Figure } from "./scale.ts";
import { percentile } from "./scale-store.ts";
import { cpuMs, residentMib } from "./servers.ts";

const METERS = 20;
const BATCH = 20_000;
const FIRST = Date.UTC(2025, 0, 1);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LIMITS = ["podBytesMax=10000000000", "podResourcesMax=10000000"];
const GOALS = { perSecond: 20_000, monthMs: 100 };

/** What all threads of a process have run so far, to the microsecond; on Linux only. */
function runMs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const ns = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]),
  );
  return ns.reduce((sum, one) => sum + one, 0) / 1e6;
}

/** The same for the same seed. https://en.wikipedia.org/wiki/Linear_congruential_generator */
function createChance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const streamOf = (origin: string, meter: number): string => `${origin}/ana/.series/house/meter${meter}/`;

function batchOf(meter: number, from: number, count: number, chance: (below: number) => number): string {
  const lines: string[] = [];
  for (let at = 0; at < count; at += 1)
    lines.push(
      `{"time":"${new Date(FIRST + (from + at) * MINUTE_MS).toISOString()}","value":${chance(100_000) / 100},"sensor":"urn:meter:${meter}","property":"urn:power"}`,
    );
  return lines.join("\n");
}

async function ingest(login: Login, origin: string, perMeter: number, pid: number): Promise<Figure[]> {
  const chance = createChance(7);
  let [busyMs, bytes] = [0, 0];
  const before = cpuMs(pid);
  for (let from = 0; from < perMeter; from += BATCH)
    for (let meter = 0; meter < METERS; meter += 1) {
      const body = batchOf(meter, from, Math.min(BATCH, perMeter - from), chance);
      bytes += body.length;
      const started = performance.now();
      const answer = await fetchAs(login, streamOf(origin, meter), {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body,
      });
      await answer.json();
      busyMs += performance.now() - started;
    }
  const count = perMeter * METERS;
  return [
    { what: "observations stored", value: count, unit: "" },
    { what: "observations taken, one batch after the other", value: (count / busyMs) * 1_000, unit: "/s", least: GOALS.perSecond },
    { what: "CPU of the server for each", value: ((cpuMs(pid) - before) / count) * 1_000, unit: "µs" },
    { what: "sent", value: bytes / 1e6, unit: "MB" },
  ]; // biome-ignore format: a table
}

const KINDS: Readonly<Record<string, { readonly query: string; readonly accept: string }>> = {
  "a month's mean of each day": { query: "&every=P1D", accept: "application/json" },
  "a month's mean of each hour": { query: "&every=PT1H", accept: "application/json" },
  "a month's observations, as CSV": { query: "", accept: "text/csv" },
};

async function ask(
  login: Login,
  origin: string,
  perMeter: number,
  times: number,
  pid: number,
): Promise<Figure[]> {
  const days = Math.floor((perMeter * MINUTE_MS) / DAY_MS);
  const months = Math.max(1, Math.min(12, Math.floor(days / 30)));
  const figures: Figure[] = [];
  for (const [seed, [what, { query, accept }]] of Object.entries(KINDS).entries()) {
    const chance = createChance(seed); // Other months each time, so that none finds what another has read.
    const ms: number[] = [];
    const cpu: number[] = [];
    for (let time = 0; time < times; time += 1) {
      const month = chance(months);
      const [from, to] = [Date.UTC(2025, month), Date.UTC(2025, month + 1)].map((at) =>
        new Date(at).toISOString(),
      );
      const url = `${streamOf(origin, chance(METERS))}?from=${from}&to=${to}${query}`;
      const [started, before] = [performance.now(), runMs(pid)];
      const answer = await fetchAs(login, url, { headers: { accept } });
      const text = await answer.text();
      ms.push(performance.now() - started);
      cpu.push(runMs(pid) - before);
      if (text.length < 1_000) throw new Error(`${url} answered ${text}`);
    }
    figures.push(
      { what: `${what}, CPU p50`, value: percentile(Float64Array.from(cpu), 0.5), unit: "ms" },
      { what: `${what}, CPU p95`, value: percentile(Float64Array.from(cpu), 0.95), unit: "ms" },
      { what: `${what}, p50`, value: percentile(Float64Array.from(ms), 0.5), unit: "ms" },
      {
        what: `${what}, p95`,
        value: percentile(Float64Array.from(ms), 0.95),
        unit: "ms",
        most: GOALS.monthMs,
      },
    );
  }
  return figures;
}

const { values } = parseArgs({ options: { observations: { type: "string" }, queries: { type: "string" } } });
const perMeter = Math.ceil(Number(values.observations ?? 10_000_000) / METERS);
const contender = await freeholdContender(LIMITS);
const server = await contender.start();
try {
  const login = await server.logIn?.();
  if (!login) throw new Error("Nobody can log in");
  const figures = [
    ...(await ingest(login, server.origin, perMeter, server.pid)),
    ...(await ask(login, server.origin, perMeter, Number(values.queries ?? 100), server.pid)),
    { what: "memory of the server", value: residentMib(server.pid), unit: "MiB" } satisfies Figure,
  ];
  const round = (value: number): string =>
    value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
  for (const { what, value, unit, most, least } of figures) {
    const goal = most !== undefined ? `≤ ${round(most)}` : least !== undefined ? `≥ ${round(least)}` : "";
    process.stdout.write(`| ${what} | ${round(value)} ${unit} | ${goal} |\n`);
  }
} finally {
  await server.stop();
  contender.remove();
}
