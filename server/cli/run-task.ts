/** Runs a task from the command line: in the server that holds the data, or here when none does. */
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { createContext } from "../context.ts";
import { askOperator } from "./ask-operator.ts";
import { printRefusal, printResult } from "./output.ts";
import { createProgress } from "./progress.ts";
import { findSecret } from "./secret.ts";
import { checkAddress } from "./start.ts";
import { argumentsOf, type Report, type Task, type TaskInput, type TaskResult } from "./task.ts";

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
  const textOf = (what: "file" | "env") =>
    values[`${task.secret?.word ?? "passphrase"}-${what}`] as string | undefined;
  return {
    args: args.map((arg, index) => (wanted[index]?.isPath ? resolve(arg) : arg)),
    flags,
    secret:
      task.secret === undefined
        ? null
        : await findSecret(
            {
              file: textOf("file"),
              variable: textOf("env"),
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
  isJson: boolean,
): Promise<number> {
  const input = await inputOf(task, config, args, values);
  const { report, end } = createProgress(process.stderr);
  try {
    const answer = (await askOperator(config.dataFolder, task, input, report)) ?? {
      result: await runHere(task, config, input, report),
    };
    end();
    if ("problem" in answer) return printRefusal(answer.problem, isJson);
    printResult(answer.result, isJson);
    return answer.result.exit;
  } finally {
    end();
  }
}
