/** `freehold start`: run until told to stop. */
import type { Config } from "../config.ts";
import { OperatorError } from "../errors.ts";
import { VERSION } from "../health.ts";
import { type Running, serve } from "./serve.ts";

/* oxlint-disable no-console -- this is the command line */
const PORTS_TRIED = 10; // The next free port is near, or something else is wrong.

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}

async function serveNearby(config: Config, writeLog: (line: string) => void): Promise<Running> {
  const mayMove = !config.isPortChosen && config.baseUrl === `http://localhost:${config.port}/`;
  for (let port = config.port; ; port += 1) {
    try {
      const baseUrl = mayMove ? `http://localhost:${port}/` : config.baseUrl;
      return await serve({ ...config, port, baseUrl }, writeLog);
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (mayMove && port < config.port + PORTS_TRIED) continue;
      throw new OperatorError(
        `Port ${config.port} of ${config.host} is taken. Stop what listens there, or choose another port with --port.`,
        { cause: error },
      );
    }
  }
}

/** All that is stored names itself by its address: under another one, nobody would find it or be recognised. */
async function checkAddress({ context }: Running): Promise<void> {
  const { baseUrl, dataFolder } = context.config;
  const stranger = (await context.identity.accounts.list()).find(({ webid }) => !webid.startsWith(baseUrl));
  if (!stranger) return;
  const { port, href } = new URL("/", stranger.webid);
  throw new OperatorError(
    `The data in ${dataFolder} belong to ${href}, and this server would be ${baseUrl}. ` +
      `Start it with --base-url ${href}${port && ` and --port ${port}`}, or give it a data folder of its own with --data.`,
  );
}

export async function start(config: Config): Promise<number> {
  const running = await serveNearby(config, (line) => process.stdout.write(line));
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  try {
    await checkAddress(running);
    await greet(running, config);
    await stopped;
  } finally {
    await running.close();
  }
  return 0;
}

async function greet({ context }: Running, { port, dataFolder, egressAllow }: Config): Promise<void> {
  const { config, identity } = context;
  console.log(`Freehold ${VERSION}\n  address  ${config.baseUrl}\n  data     ${dataFolder}`);
  if (port !== 0 && port !== config.port) console.log(`  Port ${port} was taken, so this is ${config.port}.`);
  for (const origin of egressAllow)
    console.log(`  Warning: ${origin} may be fetched although it may be private (FREEHOLD_EGRESS_ALLOW).`);
  if (await identity.accounts.isEmpty())
    console.log(
      `  set-up   ${await identity.accounts.createSetupLink()}\n           (works once, for 30 minutes)`,
    );
}
