/**
 * The load generator: a process of its own, so that its work is not counted as the server's.
 * Takes one job by message, warms up, says `ready`, waits for `go`, and reports what it measured.
 */
import { createPrivateKey, type JsonWebKey } from "node:crypto";
import { type Connection, createConnection } from "./connection.ts";
import { type DpopKey, signProof } from "./login.ts";

export interface Job {
  readonly origin: string;
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly secondsMax: number;
  /** Warm-up included: also the number of proofs made beforehand. */
  readonly requestsMax: number;
  readonly request: LoadRequest;
}

/** `{n}`: number of the request; `{c}`: of the connection; `{i}`, `{next}`: of the request on its connection, and one more. */
export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Instead of `body`: this many bytes of noise. */
  readonly bodyBytes?: number;
  readonly login?: { readonly token: string; readonly jwk: JsonWebKey };
}

export interface Measured {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Bytes received. */
  readonly bytes: number;
  /** How often each status was answered; 0 stands for a broken connection. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Requests sent in all, warm-up included. */
  readonly sent: number;
}

function createRequests({ origin, request, requestsMax }: Job): (n: number, c: number, i: number) => Buffer {
  const { method, path, headers, body = "", bodyBytes = 0, login } = request;
  const noise = Buffer.alloc(bodyBytes, "0123456789abcdef");
  const fill = (text: string, n: number, c: number, i: number): string =>
    text.includes("{")
      ? text
          .replaceAll("{n}", `${n}`)
          .replaceAll("{c}", `${c}`)
          .replaceAll("{i}", `${i}`)
          .replaceAll("{next}", `${i + 1}`)
      : text;

  const key: DpopKey | null = login
    ? { jwk: login.jwk, key: createPrivateKey({ key: login.jwk, format: "jwk" }) }
    : null;
  const proofs = key
    ? Array.from({ length: requestsMax }, (_, n) =>
        signProof(key, method, origin + fill(path, n, 0, n), login?.token),
      )
    : [];

  const fields = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const { host } = new URL(origin);
  const make = (n: number, c: number, i: number): Buffer => {
    const content = bodyBytes > 0 ? noise : Buffer.from(fill(body, n, c, i));
    const length = content.length > 0 || method === "PUT" ? `content-length: ${content.length}\r\n` : "";
    const proof = login ? `authorization: DPoP ${login.token}\r\ndpop: ${proofs[n]}\r\n` : "";
    const head = `${method} ${fill(path, n, c, i)} HTTP/1.1\r\nhost: ${host}\r\n${fill(fields, n, c, i)}${length}${proof}\r\n`;
    return content.length > 0 ? Buffer.concat([Buffer.from(head), content]) : Buffer.from(head);
  };

  const varies = login || `${path}${body}${fields}`.includes("{n}") || body.includes("{i}");
  if (varies) return make;
  const made = new Map<number, Buffer>(); // The same bytes each time: made once a connection.
  return (n, c, i) => made.get(c) ?? made.set(c, make(n, c, i)).get(c)!;
}

async function run(job: Job, waitForGo: () => Promise<void>): Promise<Measured> {
  const requestOf = createRequests(job);
  const connections: Connection[] = Array.from({ length: job.connections }, () =>
    createConnection(Number(new URL(job.origin).port)),
  );
  const turns = connections.map(() => 0);
  let sent = 0;

  async function phase(seconds: number, note: (status: number, ms: number) => void): Promise<number> {
    const started = performance.now();
    await Promise.all(
      connections.map(async (connection, c) => {
        while (sent < job.requestsMax && performance.now() - started < seconds * 1000) {
          const request = requestOf(sent++, c, turns[c]!++);
          const asked = performance.now();
          note(await connection.send(request), performance.now() - asked);
        }
      }),
    );
    return (performance.now() - started) / 1000;
  }

  await phase(job.warmUpSeconds, () => {});
  await waitForGo();
  const times: number[] = [];
  const statuses: Record<number, number> = {};
  const before = connections.reduce((sum, { received }) => sum + received(), 0);
  const seconds = await phase(job.secondsMax, (status, ms) => {
    times.push(ms);
    statuses[status] = (statuses[status] ?? 0) + 1;
  });
  const bytes = connections.reduce((sum, { received }) => sum + received(), 0) - before;
  for (const connection of connections) connection.close();
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { requests: times.length, seconds, p50: at(0.5), p99: at(0.99), bytes, statuses, sent };
}

process.once("message", (job: Job) => {
  const go = (): Promise<void> =>
    new Promise((resolve) => {
      process.once("message", () => resolve());
      process.send?.("ready");
    });
  void run(job, go).then((measured) => process.send?.(measured, () => process.disconnect()));
});
