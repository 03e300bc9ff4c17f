/** Finds the command of a program, and says in words what was refused. */
import { resolve } from "node:path";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { FreeholdError } from "@freehold/client";
import { PassportError, PassportIdError } from "@freehold/client/passport";
import { ConfigError } from "../config.ts";
import { didYouMean } from "../nearest.ts";
import { EXIT, type Refusal, refusalOf, shown } from "./messages.ts";
import { printRefusal } from "./output.ts";
import type { Program, ProgramCommand } from "./program.ts";
import { createProgress } from "./progress.ts";
import { argumentsOf } from "./task.ts";

/* oxlint-disable no-console -- this is the command line */
const usageOf = (program: Program, { name, usage }: ProgramCommand): string =>
  `It is freehold ${`${program.name} ${name} ${usage}`.trim()} [--folder ${program.folder}]; all there is: freehold ${program.name} --help`;

/** What is refused, in words; null for our own mistakes. */
function refusal(error: unknown): Refusal | null {
  if (error instanceof FreeholdError) {
    const { title, detail, next, errors } = error;
    const why = [detail, ...errors.map((one) => (one.at ? `${one.at}: ${one.detail}` : one.detail))];
    const known = why.filter((part, at) => part !== undefined && why.indexOf(part) === at).join("; ");
    return {
      what: title,
      ...(known && { why: known }),
      ...(next !== undefined && { next }),
      exit: EXIT.refused,
    };
  }
  if (error instanceof PassportError || error instanceof PassportIdError)
    return { what: error.message, exit: EXIT.refused };
  return refusalOf(error);
}

/** Stops what goes on and on when the program is told to stop; told again, it ends there and then. */
function stopping(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

/** Those of the longest name that fits the first words. */
function commandOf({ commands }: Program, words: readonly string[]): ProgramCommand | undefined {
  return commands
    .filter(({ name }) => name.split(" ").every((word, index) => words[index] === word))
    .sort((one, other) => other.name.length - one.name.length)[0];
}

function optionsOf({ flags = {}, switches = {} }: ProgramCommand): ParseArgsOptionsConfig {
  const valued = ["folder", ...Object.keys(flags)].map((flag) => [flag, { type: "string", multiple: true }]);
  const bare = Object.keys(switches).map((flag) => [flag, { type: "boolean", multiple: true }]);
  return {
    ...(Object.fromEntries([...valued, ...bare]) as ParseArgsOptionsConfig),
    json: { type: "boolean" },
  };
}

/**
 * @param args What follows the program's name.
 * @returns the exit code.
 */
export async function runProgram(program: Program, args: readonly string[]): Promise<number> {
  const command = commandOf(program, args);
  if (!command) {
    const names = program.commands.map((one) => one.name);
    const near = didYouMean(args[0] ?? "", names);
    console.error(
      `There is no command ${program.name} ${args[0] ?? ""}; there are ${names.join(", ")}${near && `.${near}`}`,
    );
    return EXIT.usage;
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    const rest = args.slice(command.name.split(" ").length);
    parsed = parseArgs({ args: rest, options: optionsOf(command), allowPositionals: true });
  } catch (error) {
    console.error(`${usageOf(program, command)}\n${(error as Error).message}`);
    return EXIT.usage;
  }
  const {
    positionals,
    values: { json, ...values },
  } = parsed;
  const isJson = json === true;
  const wanted = argumentsOf(command);
  if (
    positionals.length < wanted.filter(({ isNeeded }) => isNeeded).length ||
    positionals.length > wanted.length
  ) {
    console.error(usageOf(program, command));
    return EXIT.usage;
  }
  const flags = Object.fromEntries(
    Object.entries(values).map(([name, given]) => [name, [given ?? []].flat().map(String)]),
  );
  const signal = stopping();
  const { report, end } = createProgress(process.stderr);
  try {
    const exit = await command.run({
      args: positionals,
      flags,
      folder: resolve(flags["folder"]?.at(-1) ?? program.folder),
      signal,
      say: (line) => {
        end(); // Or the line would be written into the bar.
        console.log(isJson ? JSON.stringify({ line }) : shown(line));
      },
      report,
      now: () => new Date(),
    });
    if (isJson) console.log(JSON.stringify({ exit }));
    return exit;
  } catch (error) {
    if (signal.aborted) return 0;
    const refused = refusal(error);
    if (!refused) throw error;
    end();
    return printRefusal(refused, isJson, error instanceof ConfigError ? EXIT.config : refused.exit);
  } finally {
    end();
  }
}
