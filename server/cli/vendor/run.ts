/** Finds the command of `freehold vendor`, and says in words what was refused. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { FreeholdError } from "@freehold/client";
import { EXIT, refusalInWords, shown } from "../messages.ts";
import { argumentsOf } from "../task.ts";
import type { VendorCommand } from "./command.ts";
import { VENDOR_COMMANDS } from "./commands.ts";

const FOLDER = "freehold-vendor";

/** For the help: each command as it is typed, and what for. */
export const vendorHelp = (): readonly {
  readonly name: string;
  readonly about: string;
  readonly flags: Readonly<Record<string, string>>;
}[] =>
  VENDOR_COMMANDS.map(({ name, usage, about, flags = {} }) => ({
    name: `vendor ${name} ${usage}`,
    about,
    flags: Object.fromEntries(Object.entries(flags).map(([flag, text]) => [`--${flag} …`, text])),
  }));

/* oxlint-disable no-console -- this is the command line */
function usageOf({ name, usage }: VendorCommand): string {
  return `It is freehold vendor ${name} ${usage} [--folder ${FOLDER}]; all there is: freehold --help`;
}

function refused({ title, detail, next, errors }: FreeholdError): string {
  const why = [detail, ...errors.map((one) => (one.at ? `${one.at}: ${one.detail}` : one.detail))];
  const known = why.filter((part, at) => part !== undefined && why.indexOf(part) === at).join("; ");
  return refusalInWords({
    what: title,
    ...(known && { why: known }),
    ...(next !== undefined && { next }),
    exit: EXIT.refused,
  });
}

/** Stops what goes on and on when the program is told to stop. */
function stopping(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

/**
 * @param args What follows `freehold vendor`.
 * @returns the exit code.
 */
export async function runVendor(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  const command = VENDOR_COMMANDS.find((one) => one.name === name);
  if (!command) {
    console.error(
      `There is no command vendor ${name}; there are ${VENDOR_COMMANDS.map((one) => one.name).join(", ")}`,
    );
    return EXIT.usage;
  }
  const options = Object.fromEntries(
    ["folder", ...Object.keys(command.flags ?? {})].map((flag) => [
      flag,
      { type: "string" as const, multiple: true as const },
    ]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...rest], options, allowPositionals: true });
  } catch (error) {
    console.error(`${usageOf(command)}\n${(error as Error).message}`);
    return EXIT.usage;
  }
  const { positionals, values } = parsed;
  const needed = argumentsOf(command).length;
  if (positionals.length !== needed) {
    console.error(usageOf(command));
    return EXIT.usage;
  }
  const flags = values as Readonly<Record<string, readonly string[]>>;
  const signal = stopping();
  try {
    return await command.run({
      args: positionals,
      flags,
      folder: resolve(flags["folder"]?.at(-1) ?? FOLDER),
      signal,
      say: (line) => console.log(shown(line)),
    });
  } catch (error) {
    if (signal.aborted) return 0;
    if (!(error instanceof FreeholdError)) throw error;
    console.error(refused(error));
    return EXIT.refused;
  }
}
