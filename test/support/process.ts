/** The real program in a process of its own, as people start it. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const QUIET_PORTS = [20_000, 30_000] as const; // Below those that systems give to outgoing connections.

/** A port that is free now and likely to be free again after a restart. */
export async function quietPort(): Promise<string> {
  for (;;) {
    const port = randomInt(...QUIET_PORTS);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((done) => server.close(done));
    return String(port);
  }
}

export const MAIN: string = fileURLToPath(new URL("../../server/main.ts", import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Program {
  readonly child: ChildProcess;
  /** Resolves with what was printed so far as soon as it matches. @throws when the program ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves when the program has ended by itself or by a signal, and all that it printed was read. */
  readonly ended: Promise<Exit>;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

/** Settings of whoever runs the tests are not settings of what is tested. */
function cleanEnvironment(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("FREEHOLD_"));
  return { ...Object.fromEntries(own), ...env };
}

/**
 * @param args A script and its arguments.
 * @param within A program and its arguments that run it: a tracer, a shell.
 */
export function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  within: readonly string[] = [],
): Program {
  const [command = "", ...rest] = [...within, process.execPath, ...args];
  const child = spawn(command, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: cleanEnvironment(env),
  });
  let [out, err] = ["", ""];
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const ended: Promise<Exit> = once(child, "close").then(([code, signal]) => ({ code, signal, out, err }));
  return {
    child,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(out)) resolve(out);
        };
        listeners.add(look);
        look();
        void ended.then(({ code }) =>
          reject(new Error(`Ended with ${code} before ${pattern}: ${out}${err}`)),
        );
      }),
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

/** `freehold …` */
export const freehold = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  within: readonly string[] = [],
): Program => startProgram([MAIN, ...args], env, within);
