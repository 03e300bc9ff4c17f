#!/usr/bin/env node
/** The command line: finds the command, reads settings from flags over the environment, and says what is wrong with either. */
import { parseArgs } from "node:util";
import { ConfigError, flagOf, readConfig, SETTINGS, type SettingName } from "./config.ts";
import { OperatorError } from "./errors.ts";
import { VERSION } from "./health.ts";

interface Command {
  readonly about: string;
  readonly flags?: Readonly<Record<string, string>>;
  /** @returns the exit code, once the command is done. */
  readonly run: (
    config: ReturnType<typeof readConfig>,
    flags: Readonly<Record<string, unknown>>,
  ) => Promise<number>;
}

const EXIT = { usage: 2, config: 3, refused: 4 } as const;

const COMMANDS: Readonly<Record<string, Command>> = {
  start: { about: "Run the server", run: async (config) => (await import("./cli/start.ts")).start(config) },
  demo: {
    about: "Run a server with two people, two vendors and their data, and show a vendor asking",
    flags: {
      once: "Do every step once, check it, and exit",
      keep: "Leave the demo's data folder where it is",
    },
    run: async (config, { once, keep }) =>
      (await import("./cli/demo.ts")).demo(config, { once: once === true, keep: keep === true }),
  },
  "setup-link": {
    about: "Print a new one-time link that opens an account (while the server is stopped)",
    run: async (config) => (await import("./cli/setup-link.ts")).setupLink(config),
  },
  healthcheck: {
    about: "Exit 0 if the server at the configured port is ready",
    run: async (config) => (await import("./cli/healthcheck.ts")).healthcheck(config),
  },
};

/* oxlint-disable no-console -- this is the command line */
function help(): string {
  const commands = Object.entries(COMMANDS).map(([name, { about, flags = {} }]) =>
    [
      `  ${name.padEnd(24)} ${about}`,
      ...Object.entries(flags).map(([flag, text]) => `    --${flag.padEnd(20)} ${text}`),
    ].join("\n"),
  );
  const settings = Object.entries(SETTINGS).map(
    ([name, { about, fallback }]) =>
      `  --${flagOf(name as SettingName).padEnd(22)} ${about}${fallback && ` (${fallback})`}`,
  );
  return `freehold ${VERSION}\n\nfreehold [command] [flags]\n\nCommands\n${commands.join("\n")}\n\nSettings, as flags or as FREEHOLD_… variables\n${settings.join("\n")}\n`;
}

async function main(args: readonly string[]): Promise<number> {
  const names = Object.keys(SETTINGS) as SettingName[];
  const own = Object.values(COMMANDS).flatMap(({ flags = {} }) => Object.keys(flags));
  const options = Object.fromEntries([
    ...names.map((name) => [flagOf(name), { type: "string" as const }] as const),
    ...own.map((flag) => [flag, { type: "boolean" as const }] as const),
    ["help", { type: "boolean" as const, short: "h" }] as const,
    ["version", { type: "boolean" as const, short: "v" }] as const,
  ]);
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help()}`);
    return EXIT.usage;
  }
  const { values, positionals } = parsed;
  if (values.version) {
    console.log(VERSION);
    return 0;
  }
  const [name = "start", ...rest] = positionals;
  const command = COMMANDS[name];
  if (values.help || !command || rest.length > 0) {
    if (!values.help) console.error(`There is no command ${[name, ...rest].join(" ")}\n`);
    console.log(help());
    return values.help ? 0 : EXIT.usage;
  }
  const flags = Object.fromEntries(
    names.flatMap((setting) =>
      typeof values[flagOf(setting)] === "string" ? [[setting, values[flagOf(setting)]]] : [],
    ),
  );
  try {
    // A person at a terminal reads the banner; whoever keeps a log asks for it, or has it as before.
    const quiet = process.stdout.isTTY ? { FREEHOLD_LOG_LEVEL: "warn" } : {};
    return await command.run(
      readConfig({ ...quiet, ...process.env, ...(flags as Record<string, string>) }),
      values,
    );
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === null) throw error; // Our own mistake, with its stack.
    console.error(reason);
    return error instanceof ConfigError ? EXIT.config : EXIT.refused;
  }
}

/** What whoever runs the server can do something about, in words. */
function reasonOf(error: unknown): string | null {
  if (error instanceof OperatorError) return error.message;
  const { syscall, message } = error as NodeJS.ErrnoException;
  return syscall === undefined ? null : `The operating system refused: ${message}`;
}

process.exitCode = await main(process.argv.slice(2));
