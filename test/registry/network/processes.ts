/** Real programs in processes of their own, under one clock that a test turns for all of them at once. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { MAIN } from "../../support/process.ts";

const CLOCK = join(import.meta.dirname, "clock.ts");

export interface Member {
  readonly name: string;
  readonly child: ChildProcess;
  readonly out: () => string;
  /** Resolves when what was printed matches. @throws Error when the program ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** @returns whether it was running. */
  kill(signal?: NodeJS.Signals): Promise<boolean>;
}

export interface Processes {
  now(): number;
  /** Turns the clock of everything that runs, and of what will. */
  pass(ms: number): Promise<void>;
  /** Starts a program that goes on. @param script Another one than `freehold`. */
  start(name: string, args: readonly string[], script?: string): Member;
  /** Runs a command to its end. @returns what it printed. @throws Error for any other exit than `code`. */
  run(args: readonly string[], code?: number): Promise<string>;
  stop(): Promise<void>;
}

/** @param beginning The moment at which all clocks begin, in milliseconds since 1970. */
export function createProcesses(beginning: number): Processes {
  let aheadMs = beginning - Date.now();
  const running = new Set<Member>();

  function launch(name: string, args: readonly string[], script: string): Member {
    const own = Object.entries(process.env).filter(([key]) => !key.startsWith("FREEHOLD_"));
    const child = spawn(process.execPath, ["--import", CLOCK, script, ...args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...Object.fromEntries(own), CLOCK_AHEAD_MS: String(aheadMs) },
    });
    let text = "";
    const looks = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        for (const look of looks) look();
      });
    const member: Member = {
      name,
      child,
      out: () => text,
      until: (pattern) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            const found = pattern.exec(text);
            if (!found) return;
            looks.delete(look);
            resolve(found);
          };
          looks.add(look);
          look();
          child.once("close", (code) =>
            reject(new Error(`${name} ended with ${code} before ${pattern}: ${text}`)),
          );
        }),
      async kill(signal = "SIGKILL") {
        const wasMember = running.delete(member) && child.exitCode === null && child.signalCode === null;
        if (!wasMember) return false;
        const ended = once(child, "close");
        child.kill(signal);
        await ended;
        return true;
      },
    };
    running.add(member);
    child.once("close", () => running.delete(member));
    return member;
  }

  return {
    now: () => Date.now() + aheadMs,
    async pass(ms) {
      aheadMs += ms;
      await Promise.all(
        [...running].map(async ({ child }) => {
          const heard = new Promise<void>((done) => {
            child.on("message", function listen(message: { readonly aheadMs?: number }) {
              if (message.aheadMs !== aheadMs) return;
              child.off("message", listen);
              done();
            });
            child.once("close", () => done());
          });
          if (child.connected) child.send({ aheadMs });
          else return;
          await heard;
        }),
      );
    },
    start: (name, args, script = MAIN) => launch(name, args, script),
    async run(args, code = 0) {
      const program = launch(args.join(" "), args, MAIN);
      const [ended] = (await once(program.child, "close")) as [number | null];
      if (ended !== code) throw new Error(`freehold ${args.join(" ")} ended with ${ended}: ${program.out()}`);
      return program.out();
    },
    async stop() {
      await Promise.all([...running].map((member) => member.kill()));
    },
  };
}
