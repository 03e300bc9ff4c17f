/** `freehold start`: run until told to stop. */
import type { Config } from "../config.ts";
import { VERSION } from "../health.ts";
import { type Running, serve } from "./serve.ts";

/* oxlint-disable no-console -- this is the command line */
const PORTS_TRIED = 10; // The next free port is near, or something else is wrong.

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}

async function serveNearby(config: Config, writeLog: (line: string) => void): Promise<Running> {
  const isDefault = config.baseUrl === `http://localhost:${config.port}/`;
  for (let port = config.port; ; port += 1) {
    try {
      return await serve({ ...config, port, baseUrl: isDefault ? `http://localhost:${port}/` : config.baseUrl }, writeLog);
    } catch (error) {
      // Another port would give another address to everything that is stored: fine only while nothing is.
      const mayMove = isTaken(error) && isDefault && process.env.FREEHOLD_PORT === undefined && port < config.port + PORTS_TRIED;
      if (!mayMove) throw error;
    }
  }
}

export async function start(config: Config): Promise<number> {
  const running = await serveNearby(config, (line) => process.stdout.write(line));
  const { context } = running;
  const { baseUrl } = context.config;
  console.log(`Freehold ${VERSION}\n  address  ${baseUrl}\n  data     ${config.dataFolder}`);
  if (context.config.port !== config.port) console.log(`  Port ${config.port} was taken, so this is ${context.config.port}.`);
  for (const origin of config.egressAllow) console.log(`  Warning: ${origin} may be fetched although it may be private (FREEHOLD_EGRESS_ALLOW).`);
  const { accounts } = context.identity;
  if (await accounts.isEmpty()) console.log(`  set-up   ${await accounts.createSetupLink()}\n           (works once, for 30 minutes)`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await running.close();
  return 0;
}
