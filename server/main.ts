#!/usr/bin/env -S node --max-semi-space-size=8
/** The command line: finds the command, reads settings from flags over the environment, and says what is wrong with either. */
import { parseArgs } from "node:util";
import { EXIT, refusalInWords, refusalOf } from "./cli/messages.ts";
import { type Program, programHelp } from "./cli/program.ts";
import { SECRET_FLAGS, type Task, wrongArguments } from "./cli/task.ts";
import { ConfigError, flagOf, readConfig, SETTINGS, type SettingName } from "./config.ts";
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
  healthcheck: {
    about: "Exit 0 if the server at the configured port is ready",
    run: async (config) => (await import("./cli/healthcheck.ts")).healthcheck(config),
  },
};

type Options = Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>;

const NAMES = Object.keys(SETTINGS) as SettingName[];
const COMMON: Options = {
  ...Object.fromEntries(NAMES.map((name) => [flagOf(name), { type: "string" as const }])),
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
};

/** The tasks are loaded for whoever asks for one: a server that starts has no need of them. */
const loadTasks = async (): Promise<readonly Task[]> => (await import("./cli/tasks/index.ts")).TASKS;

/** These are no work on a data folder: they have folders of their own, and read no settings. */
const PROGRAMS: Readonly<Record<string, () => Promise<Program>>> = {
  vendor: async () => (await import("./cli/vendor/run.ts")).PROGRAM,
  passport: async () => (await import("./cli/passport/run.ts")).PROGRAM,
  registry: async () => (await import("./cli/registry/run.ts")).PROGRAM,
};

/* oxlint-disable no-console -- this is the command line */
interface Listed {
  readonly name: string;
  readonly about: string;
  /** As they are typed, and what for. */
  readonly flags: Readonly<Record<string, string>>;
}

function listed({ name, about, flags }: Listed): string {
  const first = `  ${name.padEnd(24)} `;
  return [
    `${name.length > 24 ? `${first.trimEnd()}\n${" ".repeat(27)}` : first}${about}`,
    ...Object.entries(flags).map(([flag, text]) => `    ${flag.padEnd(22)} ${text}`),
  ].join("\n");
}

function listedTask({ name, usage, about, flags = {}, secret }: Task): string {
  const own = Object.entries(flags).map(([flag, { about, takesValue }]) => [
    `--${flag}${takesValue ? " …" : ""}`,
    about,
  ]);
  const secrets = secret ? Object.entries(SECRET_FLAGS).map(([flag, text]) => [`--${flag} …`, text]) : [];
  return listed({
    name: `${name} ${usage}`.trim(),
    about,
    flags: Object.fromEntries([...own, ...secrets]) as Record<string, string>,
  });
}

const ENDS =
  "It ends with 0 when all is well, 1 when something is wrong, 2 for a command that it does not know, 3 for a setting\nthat it cannot take, 4 when it could not be done: then it says why, and what to do.";

/** @param task Null: all there is. */
async function help(task: Task | null = null): Promise<string> {
  if (task)
    return `${listedTask(task)}\n\nCommands and settings, such as --data …: freehold --help\n${ENDS}\n`;
  const commands = [
    ...Object.entries(COMMANDS).map(([name, { about, flags = {} }]) =>
      listed({
        name,
        about,
        flags: Object.fromEntries(Object.entries(flags).map(([flag, text]) => [`--${flag}`, text])),
      }),
    ),
    ...(await loadTasks()).map(listedTask),
    ...(await Promise.all(Object.values(PROGRAMS).map((load) => load()))).flatMap((program) =>
      programHelp(program).map(listed),
    ),
  ];
  const settings = Object.entries(SETTINGS).map(
    ([name, { about, fallback }]) =>
      `  --${flagOf(name as SettingName).padEnd(22)} ${about}${fallback && ` (${fallback})`}`,
  );
  return `freehold ${VERSION}

freehold [command] [flags]    without a command: start

Whatever comes after healthcheck in this list is done by the server that runs on the data folder (--data), or by the
command itself where none does. What begins with vendor is for those who ask people for access, with passport for whoever has
one, with registry for those who run a zone of the registry, its root, a witness or a mirror: these need no server of their
own, read no settings, and keep what is theirs in --folder.
${ENDS}

Commands
${commands.join("\n")}

Settings: --port 8080 as a flag, FREEHOLD_PORT=8080 in the environment; in brackets, what holds otherwise
${settings.join("\n")}
`;
}

/** A command's name is its first words; those of the longest name that fits. */
function startsWith(words: readonly string[], name: string): boolean {
  return name.split(" ").every((word, index) => words[index] === word);
}

function optionsOf(command: Command | undefined, task: Task | undefined): Options {
  const own: Options = {};
  for (const flag of Object.keys(command?.flags ?? {})) own[flag] = { type: "boolean" };
  for (const [flag, { takesValue }] of Object.entries(task?.flags ?? {}))
    own[flag] = { type: takesValue ? "string" : "boolean" };
  if (task?.secret) for (const flag of Object.keys(SECRET_FLAGS)) own[flag] = { type: "string" };
  return { ...COMMON, ...own };
}

function unknownCommand(command: Command | undefined, words: readonly string[]): string | null {
  return command && words.length <= 1 ? null : `There is no command ${words.join(" ")}`;
}

async function main(args: readonly string[]): Promise<number> {
  const load = Object.hasOwn(PROGRAMS, args[0] ?? "") ? PROGRAMS[args[0] ?? ""] : undefined;
  if (load) {
    const program = await load();
    const isAsked = args.some((word) => word === "--help" || word === "-h");
    if (!isAsked) return (await import("./cli/run-program.ts")).runProgram(program, args.slice(1));
    console.log(`${programHelp(program).map(listed).join("\n")}\n\n${ENDS}\n`);
    return 0;
  }
  // First only to find the command: what its flags are is not known before.
  const { positionals: words } = parseArgs({
    args: [...args],
    options: COMMON,
    allowPositionals: true,
    strict: false,
  });
  const command = COMMANDS[words[0] ?? "start"];
  const task = command
    ? undefined
    : (await loadTasks())
        .filter(({ name }) => startsWith(words, name))
        .sort((a, b) => b.name.length - a.name.length)[0];
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options: optionsOf(command, task), allowPositionals: true });
  } catch (error) {
    const [what] = (error as Error).message.split(". To specify a positional argument");
    console.error(`${await help(task)}\n${what}`); // Last, where it is seen.
    return EXIT.usage;
  }
  const { values, positionals } = parsed;
  if (values.version) {
    console.log(VERSION);
    return 0;
  }
  if (values.help) {
    console.log(await help(task));
    return 0;
  }
  const rest = positionals.slice(task ? task.name.split(" ").length : 1);
  const wrong = task ? wrongArguments(task, rest) : unknownCommand(command, positionals);
  if (wrong !== null) {
    console.log(await help(task));
    console.error(wrong);
    return EXIT.usage;
  }
  const flags = Object.fromEntries(
    NAMES.flatMap((setting) =>
      typeof values[flagOf(setting)] === "string" ? [[setting, values[flagOf(setting)]]] : [],
    ),
  );
  try {
    if (/^\w+:\/\/[^/@]*:[^/@]+@/.test((flags["FREEHOLD_STORE"] as string | undefined) ?? ""))
      throw new ConfigError(
        "--store holds a password, and everybody on this machine can read the arguments of a command; set FREEHOLD_STORE in its place, or leave the password to PGPASSWORD",
      );
    // A person at a terminal reads the banner; whoever keeps a log asks for it, or has it as before.
    const quiet = process.stdout.isTTY ? { FREEHOLD_LOG_LEVEL: "warn" } : {};
    const config = readConfig({ ...quiet, ...process.env, ...(flags as Record<string, string>) });
    if (task) return await (await import("./cli/run-task.ts")).runTask(task, config, rest, values);
    return await (command as Command).run(config, values);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error; // Our own mistake, with its stack.
    console.error(refusalInWords(refusal));
    return error instanceof ConfigError ? EXIT.config : refusal.exit;
  }
}

process.exitCode = await main(process.argv.slice(2));
