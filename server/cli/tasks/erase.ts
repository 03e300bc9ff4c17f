/** `freehold erase`: for good, with copies and all; what a person may do at the account page, done by the operator. */
import { OperatorError } from "../../errors.ts";
import type { Task } from "../task.ts";
import { placeIn, podNamed } from "./pod-named.ts";
import { renewal } from "./renewal.ts";

const STAGES = { documents: "Erasing", journal: "Journal", keys: "Sealing anew what stays" } as const;

export const eraseTask: Task = {
  name: "erase",
  usage: "<pod> [path]",
  about:
    "Erase a document, a folder or a whole pod for good, also from older copies: no key of today opens it there",
  flags: { yes: { about: "It cannot be undone, and you know", takesValue: false } },
  async run(context, { args: [name = "", path], flags }, report) {
    const found = await context.pods.find(name);
    // A pod whose erasure was cut short is erased once more.
    const pod = path === undefined && found ? found : await podNamed(context, name);
    const what = path === undefined ? `the pod ${name} with its account` : `${path} of ${name}`;
    if (flags["yes"] !== true)
      throw new OperatorError(
        `This erases ${what} for good, and nobody can bring it back. Say --yes if that is what you want.`,
      );
    const { erasure } = context.ldp;
    const tell = (progress: {
      readonly stage: keyof typeof STAGES;
      readonly done: number;
      readonly total: number;
    }): void =>
      report({ stage: STAGES[progress.stage], done: progress.done, total: progress.total, unit: "items" });
    if (path !== undefined) await context.journal.operator(pod, "erase");
    const opened =
      path === undefined
        ? await erasure.erasePod(pod, tell)
        : await erasure.erase(pod, placeIn(pod, path), "operator", tell);
    const { receipt } = opened;
    const { lines, exit } = await renewal(context, report);
    return {
      lines: [
        `Erased: ${receipt.resources} documents, files, folders and deletions, and what ${receipt.journalEntries} entries of the journal said.`,
        ...(receipt.resources + receipt.journalEntries === 0
          ? ["There was nothing of that name: is it spelled right?"]
          : []),
        ...lines,
        "The receipt, for whoever asked for this:",
        JSON.stringify(opened),
      ],
      exit,
    };
  },
};
