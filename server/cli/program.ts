/**
 * Programs within the program (`freehold vendor …`, `freehold registry …`): each has a table of commands, flags and a folder of
 * its own, and reads no settings.
 */
import type { Report } from "./task.ts";

export interface ProgramInput {
  readonly args: readonly string[];
  /** Each flag as often as it was given; one that takes no value is there or is not. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  /** Where the program keeps what is its own. */
  readonly folder: string;
  /** Ends what goes on and on. */
  readonly signal: AbortSignal;
  /** Prints a line. */
  readonly say: (line: string) => void;
  /** Shows how far a long command is: on the terminal, beside what is printed. */
  readonly report: Report;
  readonly now: () => Date;
}

export interface ProgramCommand {
  /** One or more words, such as `root init`. */
  readonly name: string;
  /** Its arguments, such as `<pod> [file]`; empty where it has none. */
  readonly usage: string;
  readonly about: string;
  /** By name: what for. Each takes a value, and may be given again. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Flags without a value. */
  readonly switches?: Readonly<Record<string, string>>;
  /** @returns the exit code. @throws FreeholdError, PassportError, Problem, OperatorError: shown in words. */
  run(input: ProgramInput): Promise<number>;
}

export interface Program {
  /** The word after `freehold`. */
  readonly name: string;
  /** Of {@link ProgramInput.folder}, where `--folder` says nothing. */
  readonly folder: string;
  readonly commands: readonly ProgramCommand[];
}

/** The one value of a flag; the last where it was given several times. */
export const flagOf = ({ flags }: Pick<ProgramInput, "flags">, name: string): string | undefined =>
  flags[name]?.at(-1);

/** For the help: each command as it is typed, and what for. */
export const programHelp = ({
  name: program,
  commands,
}: Program): readonly {
  readonly name: string;
  readonly about: string;
  readonly flags: Readonly<Record<string, string>>;
}[] =>
  commands.map(({ name, usage, about, flags = {}, switches = {} }) => ({
    name: `${program} ${name} ${usage}`.trim(),
    about,
    flags: Object.fromEntries([
      ...Object.entries(flags).map(([flag, text]) => [`--${flag} …`, text]),
      ...Object.entries(switches).map(([flag, text]) => [`--${flag}`, text]),
    ]) as Record<string, string>,
  }));
