/** `freehold start`: run until told to stop. */
import type { Config } from "../config.ts";
import type { Context } from "../context.ts";
import { OperatorError } from "../errors.ts";
import { VERSION } from "../health.ts";
import { createLines } from "./lines.ts";
import { type Running, serveNearby, untilToldToStop } from "./serve.ts";

/* oxlint-disable no-console -- this is the command line */
/**
 * All that is stored names itself by its address: under another one, nobody would find it or be recognised.
 * @throws OperatorError that says how to start the server where its data belong.
 */
export async function checkAddress(
  { config, identity }: Pick<Context, "config" | "identity">,
  wanted: Config,
): Promise<void> {
  const { baseUrl, dataFolder, port } = config;
  const stranger = await identity.accounts.any(); // All began under one address, for this has been checked at each start.
  if (!stranger || stranger.webid.startsWith(baseUrl)) return;
  const { href } = new URL("/", stranger.webid);
  const remedy =
    port !== wanted.port && wanted.mayMovePort
      ? `port ${wanted.port} is taken. Stop what listens there`
      : `this server would be ${baseUrl}. Start it with --base-url ${href}`;
  throw new OperatorError(
    `The data in ${dataFolder} belong to ${href}, and ${remedy}, or give it a data folder of its own with --data.`,
  );
}

export interface StartOptions {
  /** Null: none. */
  readonly seedFile: string | null;
  readonly isJson: boolean;
}

async function greet(
  { context }: Running,
  { port, dataFolder, egressAllow }: Config,
  isJson: boolean,
): Promise<void> {
  const { config, identity } = context;
  const lines = [`Freehold ${VERSION}`, `  address  ${config.baseUrl}`, `  data     ${dataFolder}`];
  let link: string | null = null;
  if (await identity.accounts.isEmpty()) {
    link = await identity.accounts.createSetupLink({ isFirst: true });
    lines.push(`  set-up   ${link}`, "           (works once, for 30 minutes)");
  }
  if (port !== 0 && port !== config.port) lines.push(`  Port ${port} was taken, so this is ${config.port}.`);
  for (const origin of egressAllow)
    lines.push(`  Warning: ${origin} may be fetched although it may be private (FREEHOLD_EGRESS_ALLOW).`);
  if (isJson) {
    const what = { address: config.baseUrl, version: VERSION, data: dataFolder, port: config.port };
    console.log(JSON.stringify({ event: "ready", ...what, setupLink: link }));
    return;
  }
  console.log(lines.join("\n")); // In one go: whoever waits for the address has all of it.
}

/** @returns the exit code, once the server was told to stop and has stopped. @throws OperatorError */
export async function start(config: Config, { seedFile, isJson }: StartOptions): Promise<number> {
  const lines = createLines((text) => process.stdout.write(text));
  process.once("exit", lines.flush);
  const running = await serveNearby(config, lines.write);
  const stopped = untilToldToStop();
  try {
    await checkAddress(running.context, config);
    if (seedFile !== null) {
      const { seedFrom } = await import("./tasks/seed.ts");
      const { lines: said } = await seedFrom(running.context, seedFile, false, () => {});
      for (const line of said) console.error(line); // Stdout is for the banner and the log.
    }
    await greet(running, config, isJson);
    await stopped;
  } finally {
    await running.close();
  }
  return 0;
}
