/** A torture in a process and a mount namespace of its own: whatever it mounts is gone when it ends, however it ends. */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Order, type Outcome, skipped } from "./suite.ts";

const ASK_MS = 100;

/** @param url `import.meta.url` of the module, which calls {@link answerApart} when it {@link isApart}. */
export async function runApart(url: string, { seed, trialsMax, isOver, progress }: Order): Promise<Outcome> {
  const own = process.getuid?.() === 0 ? ["-m"] : ["-r", "-m"];
  if (spawnSync("unshare", [...own, "true"]).status !== 0)
    return skipped("nothing may be mounted here (unshare -m)");
  const args = [...own, process.execPath, fileURLToPath(url), String(seed), String(trialsMax)];
  const child = spawn("unshare", args, { stdio: ["pipe", "pipe", "inherit"] });
  let outcome: Outcome | null = null;
  let rest = "";
  const timer = setInterval(() => {
    if (isOver?.() ?? false) child.stdin.end(); // It ends after the trial that is under way.
  }, ASK_MS);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = JSON.parse(line) as { trials?: number; outcome?: Outcome };
      if (message.trials !== undefined) progress?.(message.trials);
      outcome = message.outcome ?? outcome;
    }
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  clearInterval(timer);
  return (
    outcome ?? { skipped: null, trials: 0, faults: [`It ended with ${code}, and told nothing`], figures: {} }
  );
}

export const isApart = (url: string): boolean => process.argv[1] === fileURLToPath(url);

export async function answerApart(run: (order: Order) => Promise<Outcome>): Promise<void> {
  const [seed = "1", trialsMax = "1"] = process.argv.slice(2);
  const say = (message: unknown): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
  let isOver = false;
  process.stdin.on("end", () => (isOver = true)).resume();
  const outcome = await run({
    seed: Number(seed),
    trialsMax: Number(trialsMax),
    isOver: () => isOver,
    progress: (trials) => say({ trials }),
  });
  say({ outcome });
  process.stdin.destroy();
}
