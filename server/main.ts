#!/usr/bin/env -S node --max-semi-space-size=8
/** The command line: finds the command, gathers the settings, and says what is wrong with either. */
import { parseArgs } from "node:util";
import { COMMANDS, type Command, listedCommand } from "./cli/commands.ts";
import { ALIASES, helpOfAll, helpOfOne, helpOfProgram, listedTask } from "./cli/help.ts";
import { EXIT, refusalOf } from "./cli/messages.ts";
import { printRefusal, printResult } from "./cli/output.ts";
import { loadTasks, PROGRAMS } from "./cli/tables.ts";
import { secretFlagsOf, type Task, wrongArguments } from "./cli/task.ts";
import { ConfigError, flagOf, readConfig, SETTINGS, type SettingName } from "./config.ts";
import { VERSION } from "./health.ts";
import { didYouMean } from "./nearest.ts";

type Options = Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>;
type Values = Readonly<Record<string, string | boolean | undefined>>;

const NAMES = Object.keys(SETTINGS) as SettingName[];
const COMMON: Options = {
  ...Object.fromEntries(NAMES.map((name) => [flagOf(name), { type: "string" as const }])),
  port: { type: "string", short: "p" },
  ...Object.fromEntries(
    Object.entries(ALIASES).map(([name, { short }]) => [
      name,
      { type: "string" as const, ...(short && { short }) },
    ]),
  ),
  config: { type: "string" },
  "print-config": { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
};

/** The Community Solid Server's levels that have other names here. */
const LEVELS: Readonly<Record<string, string>> = { verbose: "debug", silly: "debug" };

/* oxlint-disable no-console -- this is the command line */
interface Found {
  readonly name: string;
  readonly command: Command | null;
  readonly task: Task | null;
}

/** A command's name is its first words; those of the longest name that fits. */
function startsWith(words: readonly string[], name: string): boolean {
  return name.split(" ").every((word, index) => words[index] === word);
}

const longest = (names: readonly string[], words: readonly string[]): string | undefined =>
  names.filter((name) => startsWith(words, name)).sort((a, b) => b.length - a.length)[0];

async function findCommand(words: readonly string[]): Promise<Found | null> {
  const asked = words.length === 0 ? ["start"] : words;
  const name = longest(Object.keys(COMMANDS), asked);
  if (name !== undefined) return { name, command: COMMANDS[name]!, task: null };
  const tasks = await loadTasks();
  const taskName = longest(
    tasks.map((task) => task.name),
    asked,
  );
  const task = tasks.find((one) => one.name === taskName);
  return task ? { name: task.name, command: null, task } : null;
}

async function everything(): Promise<string> {
  return helpOfAll(await loadTasks(), await Promise.all(Object.values(PROGRAMS).map((load) => load())));
}

async function namesOfAll(): Promise<readonly string[]> {
  return [...Object.keys(COMMANDS), ...(await loadTasks()).map(({ name }) => name), ...Object.keys(PROGRAMS)];
}

/** `There is no command strat. Did you mean start?` */
async function unknownCommand(words: readonly string[]): Promise<string> {
  const names = await namesOfAll();
  const phrase = words.slice(0, 2).join(" ");
  const near =
    didYouMean(phrase, names) ||
    didYouMean(words[0] ?? "", new Set(names.map((name) => name.split(" ")[0]!)));
  return `There is no command ${words.join(" ")}${near === "" ? "" : `.${near}`}`;
}

function optionsOf(found: Found | null): Options {
  const own: Options = {};
  const flags = found?.task?.flags ?? found?.command?.flags ?? {};
  for (const [flag, { takesValue }] of Object.entries(flags))
    own[flag] = { type: takesValue ? "string" : "boolean" };
  if (found?.task) for (const flag of Object.keys(secretFlagsOf(found.task))) own[flag] = { type: "string" };
  return { ...COMMON, ...own };
}

const helpOf = async (found: Found | null): Promise<string> =>
  found?.task
    ? helpOfOne(listedTask(found.task))
    : found?.command && found.name !== "start"
      ? helpOfOne(listedCommand(found.name, found.command))
      : everything();

/** What a flag's name should have been. */
function wrongFlag(error: unknown, options: Options): string {
  const [what = ""] = (error as Error).message.split(". To specify a positional argument");
  const flag = /^Unknown option '--?([^']+)'/.exec(what)?.[1];
  if (flag === undefined) return what;
  const near = didYouMean(flag, Object.keys(options));
  return near === "" ? what : `${what}.${near.replace("mean ", "mean --")}`;
}

/** The settings among the flags. @throws ConfigError for a password that others could read, and for what is said twice. */
function settingsOf(values: Values): Partial<Record<SettingName, string>> {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of NAMES) {
    const value = values[flagOf(name)];
    if (typeof value === "string") flags[name] = value;
  }
  for (const [alias, { setting }] of Object.entries(ALIASES)) {
    const value = values[alias];
    if (setting === null || typeof value !== "string") continue;
    if (flags[setting] !== undefined)
      throw new ConfigError(`Say either --${flagOf(setting)} or --${alias}, for they are the same.`);
    flags[setting] = setting === "FREEHOLD_LOG_LEVEL" ? (LEVELS[value] ?? value) : value;
  }
  if (/^\w+:\/\/[^/@]*:[^/@]+@/.test(flags.FREEHOLD_STORE ?? ""))
    throw new ConfigError(
      "--store holds a password, and everybody on this machine can read the arguments of a command; set FREEHOLD_STORE in its place, or leave the password to PGPASSWORD",
    );
  return flags;
}

/** What is wrong with the arguments and flags; null when nothing is. */
function wrongUse({ name, command, task }: Found, rest: readonly string[], values: Values): string | null {
  if (values["socket"] !== undefined)
    return "--socket: this server listens on TCP only. Say --host 127.0.0.1 and --port, and let the proxy speak to that";
  if (values["seedConfig"] !== undefined && name !== "start")
    return "--seedConfig is for start; otherwise it is freehold seed <file>";
  const { usage = "" } = task ?? command!;
  return wrongArguments({ name, usage }, rest);
}

async function runFound(found: Found, rest: readonly string[], values: Values): Promise<number> {
  const isJson = values["json"] === true;
  const { command, task } = found;
  if (values["workers"] !== undefined)
    console.error(
      "--workers has no effect here: one process serves all; several may share a PostgreSQL database",
    );
  const settings = settingsOf(values);
  const input = {
    args: rest,
    flags: { ...values, "seed-file": values["seed-file"] ?? values["seedConfig"] },
    settings,
    isJson,
  };
  if (command && "bare" in command && values["print-config"] !== true) {
    const result = await command.bare(input);
    printResult(result, isJson);
    return result.exit;
  }
  const { describeSettings, gatherSettings } = await import("./cli/settings.ts");
  const gathered = gatherSettings(settings, process.env, {
    named: typeof values["config"] === "string" ? values["config"] : undefined,
    // A person at a terminal reads the banner; whoever keeps a log asks for it, or has it as before.
    isQuiet: process.stdout.isTTY,
    folder: process.cwd(),
  });
  if (values["print-config"] === true) {
    const settings = describeSettings(gathered);
    const lines = settings.map(
      ({ key, value, source }) => `${key.padEnd(24)} ${(value || "(empty)").padEnd(32)} ${source}`,
    );
    const result = { lines, exit: 0, value: { file: gathered.file, settings } };
    if (!isJson) printResult(result, false); // What is wrong with them is said after they were shown; JSON is one document.
    readConfig(gathered.values);
    if (isJson) printResult(result, true);
    return 0;
  }
  const config = readConfig(gathered.values);
  if (task) return (await import("./cli/run-task.ts")).runTask(task, config, rest, values, isJson);
  return (command as Extract<Command, { run: unknown }>).run(config, input);
}

async function main(args: readonly string[]): Promise<number> {
  const load = Object.hasOwn(PROGRAMS, args[0] ?? "") ? PROGRAMS[args[0] ?? ""] : undefined;
  if (load) {
    const program = await load();
    const isAsked = args.some((word) => word === "--help" || word === "-h");
    if (!isAsked) return (await import("./cli/run-program.ts")).runProgram(program, args.slice(1));
    console.log(helpOfProgram(program));
    return 0;
  }
  // First only to find the command: what its flags are is not known before.
  const { positionals: words } = parseArgs({
    args: [...args],
    options: COMMON,
    allowPositionals: true,
    strict: false,
  });
  const found = await findCommand(words);
  const options = optionsOf(found);
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    console.error(`${await helpOf(found)}\n${wrongFlag(error, options)}`); // Last, where it is seen.
    return EXIT.usage;
  }
  const { positionals } = parsed;
  const values = parsed.values as Values;
  if (values["version"] === true) {
    console.log(values["json"] === true ? JSON.stringify({ name: "freehold", version: VERSION }) : VERSION);
    return 0;
  }
  if (values["help"] === true) {
    console.log(await helpOf(positionals.length === 0 ? null : found));
    return 0;
  }
  const isJson = values["json"] === true;
  const rest = found ? positionals.slice(found.name.split(" ").length) : [];
  const wrong = found ? wrongUse(found, rest, values) : await unknownCommand(positionals);
  if (wrong !== null) {
    if (isJson) return printRefusal({ what: wrong, exit: EXIT.usage }, true);
    console.log(await helpOf(found));
    console.error(wrong);
    return EXIT.usage;
  }
  try {
    return await runFound(found!, rest, values);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error; // Our own mistake, with its stack.
    return printRefusal(refusal, isJson, error instanceof ConfigError ? EXIT.config : refusal.exit);
  }
}

process.exitCode = await main(process.argv.slice(2));
