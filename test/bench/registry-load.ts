/**
 * The load on a registry, in a process of its own: each request of a list is sent once, or the list over and over. Takes one
 * job by message, says `ready` after the warm-up, waits for `go`, and reports what it measured.
 */
import { type Connection, createConnection } from "./connection.ts";
import type { Measured } from "./load.ts";

export interface ListedRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

export interface RegistryJob {
  readonly port: number;
  readonly connections: number;
  /** 0: none, for what can be sent only once. */
  readonly warmUpSeconds: number;
  /** Null: until every request was sent once. */
  readonly secondsMax: number | null;
  readonly requests: readonly ListedRequest[];
}

function bytesOf({ method, path, body }: ListedRequest): Buffer {
  const about =
    body === undefined
      ? ""
      : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n${about}\r\n${body ?? ""}`,
  );
}

async function run(
  { port, connections, warmUpSeconds, secondsMax, requests }: RegistryJob,
  go: () => Promise<void>,
) {
  const bytes = requests.map(bytesOf);
  const open: Connection[] = Array.from({ length: connections }, () => createConnection(port));
  let turn = 0;
  async function phase(seconds: number | null, note: (status: number, ms: number) => void): Promise<number> {
    const started = performance.now();
    const end = seconds === null ? Infinity : started + seconds * 1_000;
    const most = seconds === null ? bytes.length : Infinity;
    await Promise.all(
      open.map(async (connection) => {
        while (performance.now() < end && turn < most) {
          const request = bytes[turn++ % bytes.length];
          if (!request) return;
          const asked = performance.now();
          note(await connection.send(request), performance.now() - asked);
        }
      }),
    );
    return (performance.now() - started) / 1_000;
  }
  if (warmUpSeconds > 0) await phase(warmUpSeconds, () => {});
  const warmed = turn;
  await go();
  const times: number[] = [];
  const statuses: Record<number, number> = {};
  const received = (): number => open.reduce((sum, connection) => sum + connection.received(), 0);
  const before = received();
  const seconds = await phase(secondsMax, (status, ms) => {
    times.push(ms);
    statuses[status] = (statuses[status] ?? 0) + 1;
  });
  const measured = {
    requests: times.length,
    seconds,
    bytes: received() - before,
    statuses,
    sent: turn - warmed,
  };
  for (const connection of open) connection.close();
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { ...measured, p50: at(0.5), p99: at(0.99) } satisfies Measured;
}

process.once("message", (job: RegistryJob) => {
  const go = (): Promise<void> =>
    new Promise((resolve) => {
      process.once("message", () => resolve());
      process.send?.("ready");
    });
  void run(job, go).then((measured) => process.send?.(measured, () => process.disconnect()));
});
