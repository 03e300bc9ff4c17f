/** The bench's figures as Markdown: a table of all, and one of the ratios that travel between machines. */
import type { Measured } from "./load.ts";

export interface Row extends Measured {
  readonly work: string;
  readonly server: string;
  readonly megabytes: number | null;
  /** CPU time of the server in the window. */
  readonly cpuMs: number;
  readonly errors: string;
}

export interface Idle {
  readonly server: string;
  readonly firstAnswerMs: number;
  readonly residentMib: number;
}

export interface Report {
  readonly rows: readonly Row[];
  readonly idle: readonly Idle[];
  /** In the order of the columns; the first is the one the others are compared with. */
  readonly servers: readonly string[];
  readonly lost: readonly string[];
}

const succeeded = ({ requests, statuses }: Row): number =>
  requests -
  Object.entries(statuses).reduce((sum, [status, times]) => sum + (status.startsWith("20") ? 0 : times), 0);
const rateOf = (row: Row): number => succeeded(row) / row.seconds;
const cpuOf = (row: Row): number => row.cpuMs / Math.max(1, row.requests);

function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value >= 10 ? value.toFixed(1) : value.toPrecision(2);
}

function table(columns: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [columns, columns.map((_, at) => (at === 0 ? "---" : "---:")), ...lines];
  return `${all.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

export function formatReport({ rows, idle, servers, lost }: Report): string {
  const works = [...new Set(rows.map(({ work }) => work))];
  const find = (work: string, server: string) =>
    rows.find((row) => row.work === work && row.server === server);
  const [first = "", ...others] = servers;

  const figures = table(
    ["what", "server", "requests/s", "MB/s", "p50 ms", "p99 ms", "CPU ms/request", "failed"],
    works.flatMap((work) =>
      servers.flatMap((server) => {
        const row = find(work, server);
        if (!row) return [];
        const throughput = row.megabytes === null ? "" : short(rateOf(row) * row.megabytes);
        return [
          [
            work,
            server,
            short(rateOf(row)),
            throughput,
            short(row.p50),
            short(row.p99),
            short(cpuOf(row)),
            row.errors || "0",
          ],
        ];
      }),
    ),
  );

  const ratios = table(
    ["what", ...others.flatMap((other) => [`requests/s, × ${other}`, `CPU per request, ${other} = 1`])],
    works.map((work) => {
      const mine = find(work, first);
      const cells = others.flatMap((other) => {
        const row = find(work, other);
        return mine && row
          ? [short(rateOf(mine) / rateOf(row)), short(cpuOf(mine) / cpuOf(row))]
          : ["–", "–"];
      });
      return [work, ...cells];
    }),
  );

  const start = table(
    ["server", "start to first answer, ms", "memory at rest, MiB"],
    idle.map(({ server, firstAnswerMs, residentMib }) => [server, short(firstAnswerMs), short(residentMib)]),
  );
  const remarks = lost.map((line) => `\n**Lost updates.** ${line}\n`).join("");
  return `\n## Figures\n\n${figures}\n## ${first} against the others\n\n${ratios}\n## Start and rest\n\n${start}${remarks}`;
}
