/** A task of whoever runs the server: one function, run in the process that holds the store, whether that is a server or not. */
import type { Config } from "../config.ts";
import type { Context } from "../context.ts";

export interface Progress {
  readonly stage: string;
  readonly done: number;
  /** Null: nobody knows. */
  readonly total: number | null;
  readonly unit: "bytes" | "items";
}

export interface TaskInput {
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean>>;
  /** A passphrase, or the lines of an age identity file. Never from the command line, where other users could read it. */
  readonly secret: string | null;
}

export interface TaskResult {
  /** For the terminal. */
  readonly lines: readonly string[];
  readonly exit: number;
  /** For programs: what `--json` prints as `result`. */
  readonly value?: unknown;
  /** The lines are a document that is printed as it is, with `--json` or without. */
  readonly isDocument?: boolean;
}

export type Report = (progress: Progress) => void;

export interface TaskFlag {
  readonly about: string;
  readonly takesValue: boolean;
  /** Its value is a file or folder: made absolute where it was typed. */
  readonly isPath?: boolean;
}

/** For tasks that may be given a secret: the command line then takes `--passphrase-file` and `--passphrase-env`. */
export interface TaskSecret {
  readonly about: string;
  /** `password` makes the flags `--password-file` and `--password-env`. */
  readonly word?: "password";
  /** It is chosen now: typed twice. */
  readonly isNew?: boolean;
  /** Whether to ask a person at the terminal for it when neither flag is there. */
  ask(config: Config, flags: TaskInput["flags"]): boolean;
}

/** @typeParam C What it is run in: by default, a pod server. */
export interface Task<C = Context> {
  /** One or more words, such as `journal verify`. */
  readonly name: string;
  /** Its arguments, such as `<pod> [file]`. Those that end in `file` or `folder` are paths, made absolute where typed. */
  readonly usage: string;
  /** One line for `--help`. */
  readonly about: string;
  readonly flags?: Readonly<Record<string, TaskFlag>>;
  readonly secret?: TaskSecret;
  /**
   * Runs inside the process that holds the store.
   * @throws Problem, OperatorError: shown in words. Anything else is our own mistake.
   */
  run(context: C, input: TaskInput, report: Report): Promise<TaskResult>;
  /** Runs instead when no server does, for what must not open (and so make) the store. Null: `run` it is, after all. */
  readonly alone?: (config: Config, input: TaskInput, report: Report) => Promise<TaskResult | null>;
}

/** @returns the arguments that `usage` names, in order. */
export function argumentsOf({ usage }: Pick<Task, "usage">): readonly {
  readonly isNeeded: boolean;
  readonly isPath: boolean;
}[] {
  return [...usage.matchAll(/(<|\[)([^>\]]+)[>\]]/g)].map(([, open, name = ""]) => ({
    isNeeded: open === "<",
    isPath: /(?:file|folder)$/.test(name),
  }));
}

/** What is wrong with the arguments, or null. */
export function wrongArguments(task: Pick<Task, "name" | "usage">, args: readonly string[]): string | null {
  const wanted = argumentsOf(task);
  const needed = wanted.filter(({ isNeeded }) => isNeeded).length;
  if (args.length >= needed && args.length <= wanted.length) return null;
  return `It is freehold ${`${task.name} ${task.usage}`.trim()}, and ${args.length} arguments were given`;
}

/** Of a task that may be given a secret: by which flags, and what for. */
export function secretFlagsOf({ secret }: Pick<Task, "secret">): Readonly<Record<string, string>> {
  if (!secret) return {};
  const { word } = secret;
  return {
    [`${word ?? "passphrase"}-file`]: word
      ? `File with the ${word}`
      : "File with the passphrase, or with an age identity",
    [`${word ?? "passphrase"}-env`]: "Environment variable that holds it",
  };
}
