/** What an operator has a zone's registry do: in the server that runs on the folder, or here when none does. */
import { createLog } from "../../log.ts";
import { askOperator } from "../ask-operator.ts";
import { refusalInWords, shown } from "../messages.ts";
import type { Work } from "../operator.ts";
import type { ProgramCommand } from "../program.ts";
import type { Report, TaskResult } from "../task.ts";
import { loadRegistryConfig } from "./config.ts";
import type { Registry } from "./registry.ts";

export interface RegistryTask extends Omit<ProgramCommand, "run"> {
  /** Runs inside the process that has the store. @throws Problem, OperatorError: shown in words. */
  run(
    registry: Registry,
    input: {
      readonly args: readonly string[];
      /** Each flag as often as it was given. */
      readonly flags: Readonly<Record<string, readonly string[]>>;
    },
    report: Report,
  ): Promise<TaskResult>;
}

/** As a running server does it. */
export const asWork = (task: RegistryTask): Work<Registry> => ({
  name: task.name,
  run: (registry, { args, flags }, report) =>
    task.run(
      registry,
      {
        args,
        flags: Object.fromEntries(
          Object.entries(flags).map(([flag, values]) => [flag, JSON.parse(String(values)) as string[]]),
        ),
      },
      report,
    ),
});

/* oxlint-disable no-console -- this is the command line */
/** As it is typed. */
export const asCommand = (task: RegistryTask): ProgramCommand => ({
  ...task,
  async run({ args, flags, folder, say, report }) {
    const config = await loadRegistryConfig(folder);
    const sent = Object.entries(flags).map(([flag, values]) => [flag, JSON.stringify(values)]);
    const input = { args, flags: Object.fromEntries(sent) as Record<string, string>, secret: null };
    const answer = await askOperator(folder, task, input, report);
    if (answer && "problem" in answer) {
      console.error(refusalInWords(answer.problem));
      return answer.problem.exit;
    }
    const result = answer?.result ?? (await alone());
    for (const line of result.lines) say(shown(line));
    return result.exit;

    async function alone(): Promise<TaskResult> {
      const now = (): Date => new Date();
      const url = config.url ?? `http://localhost:${config.port}/`;
      const { openRegistry } = await import("./registry.ts");
      const registry = await openRegistry(config, url, { now, log: createLog(() => {}, now) });
      try {
        return await task.run(registry, { args, flags }, report);
      } finally {
        await registry.close();
      }
    }
  },
});
