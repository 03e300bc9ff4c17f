/** Runs a task from the command line: in the server that holds the data, or here when none does. */
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { createContext } from "../context.ts";
import { askOperator } from "./ask-operator.ts";
import { refusalInWords, shown } from "./messages.ts";
import { createProgress } from "./progress.ts";
import { findSecret } from "./secret.ts";
import { checkAddress } from "./start.ts";
import {
  argumentsOf,
  type Report,
  type SECRET_FLAGS,
  type Task,
  type TaskInput,
  type TaskResult,
} from "./task.ts";

async function inputOf(
  task: Task,
  config: Config,
  args: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Promise<TaskInput> {
  const wanted = argumentsOf(task);
  const flags: Record<string, string | boolean> = {};
  for (const [name, { isPath }] of Object.entries(task.flags ?? {})) {
    const value = values[name];
    if (typeof value === "string") flags[name] = isPath ? resolve(value) : value;
    else if (value === true) flags[name] = true;
  }
  const textOf = (name: keyof typeof SECRET_FLAGS) => values[name] as string | undefined;
  return {
    args: args.map((arg, index) => (wanted[index]?.isPath ? resolve(arg) : arg)),
    flags,
    secret:
      task.secret === undefined
        ? null
        : await findSecret(
            {
              file: textOf("passphrase-file"),
              variable: textOf("passphrase-env"),
              mayAsk: task.secret.ask(config, flags),
              about: task.secret.about,
              isNew: task.secret.isNew === true,
            },
            process.env,
            { input: process.stdin, output: process.stderr },
          ),
  };
}

async function runHere(task: Task, config: Config, input: TaskInput, report: Report): Promise<TaskResult> {
  const alone = await task.alone?.(config, input, report);
  if (alone) return alone;
  const context = await createContext(config, () => {});
  try {
    await checkAddress(context, config);
    return await task.run(context, input, report);
  } finally {
    await context.close();
  }
}

/* oxlint-disable no-console -- this is the command line */
/**
 * Shows progress on stderr and the result on stdout.
 * @returns the exit code.
 * @throws Problem, OperatorError when the task is done here.
 */
export async function runTask(
  task: Task,
  config: Config,
  args: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Promise<number> {
  const input = await inputOf(task, config, args, values);
  const { report, end } = createProgress(process.stderr);
  try {
    const answer = (await askOperator(config.dataFolder, task, input, report)) ?? {
      result: await runHere(task, config, input, report),
    };
    end();
    if ("problem" in answer) {
      console.error(refusalInWords(answer.problem));
      return answer.problem.exit;
    }
    for (const line of answer.result.lines) console.log(shown(line));
    return answer.result.exit;
  } finally {
    end();
  }
}
