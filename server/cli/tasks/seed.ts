/** `freehold seed <file>`: accounts, pods, documents, shapes, rules and grants from a file. */
import type { Context } from "../../context.ts";
import { readSeed } from "../seed/plan.ts";
import { sow } from "../seed/sow.ts";
import type { Report, Task, TaskResult } from "../task.ts";

/** @throws OperatorError that names the place in the file. */
export async function seedFrom(
  context: Context,
  file: string,
  replaces: boolean,
  report: Report,
): Promise<TaskResult> {
  const plan = await readSeed(file);
  const sown = await sow(context, plan, replaces, report);
  const { accounts, documents, shapes, rules, grants, kept } = sown;
  return {
    lines: [
      `Seeded: ${accounts} accounts, ${documents} documents, ${shapes} shapes, ${rules} rules, ${grants} grants; ${kept} were there already.`,
      ...plan.remarks,
    ],
    exit: 0,
    value: sown,
  };
}

export const seed: Task = {
  name: "seed",
  usage: "<file>",
  about:
    "Make accounts, pods, documents, shapes, rules and grants from a file; what is there stays. The Community Solid Server's seed files will do",
  flags: {
    replace: { about: "Write documents anew that are there and say something else", takesValue: false },
  },
  run: (context, { args: [file = ""], flags }, report) =>
    seedFrom(context, file, flags["replace"] === true, report),
};
