/** `freehold export`, `import` and `moved`: what a person may do at the account page, done by whoever runs the server. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { OperatorError, Problem } from "../../errors.ts";
import { fileSource } from "../../transfer/archive.ts";
import type { ImportReport } from "../../transfer/import.ts";
import type { Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

export const exportTask: Task = {
  name: "export",
  usage: "<pod> <file>",
  about: "Write everything of a pod into one ZIP file, for its owner; it is not encrypted",
  async run(context, { args: [name = "", file = ""] }, report) {
    const pod = await podNamed(context, name);
    const draft = `${file}.part`;
    await context.journal.operator(pod, "export", { path: `/${pod.name}/` });
    let items = 0;
    const { content } = context.ldp.transfer.exportPod(pod, ({ done, total }) => {
      items = done;
      report({ stage: "Exporting", done, total: Math.max(done, total), unit: "items" });
    });
    try {
      // Nobody else on this machine may read it, and nobody takes half of it for the whole.
      await pipeline(content, createWriteStream(draft, { flags: "wx", mode: 0o600, flush: true }));
      await rename(draft, file);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST")
        throw new OperatorError(`${draft} is there already; remove it first.`, { cause });
      await rm(draft, { force: true });
      throw cause;
    }
    return {
      lines: [
        `${items} documents, files and folders of ${pod.name} are in ${file}. Whoever has it can read all of it.`,
      ],
      exit: 0,
    };
  },
};

const PRESENT = ["refuse", "keep", "replace"] as const;
const CONSENTS = ["go-on", "rest", "leave"] as const;

function consentsInWords(came: ImportReport["consents"]): readonly string[] {
  if (!came) return [];
  if (came.refused !== null) return [`What vendors were given stayed behind: ${came.refused}.`];
  const resting = came.resting > 0 ? `, ${came.resting} of which rest until the owner has looked` : "";
  return [
    `${came.grants} grants of vendors came along${resting}.`,
    ...(came.leftOut > 0
      ? [`${came.leftOut} records of consent were left out, for they are not as they must be.`]
      : []),
  ];
}

export const importTask: Task = {
  name: "import",
  usage: "<file>",
  about: "Put an exported pod, or a ZIP file of documents, into a pod of this server",
  flags: {
    pod: { about: "Which pod", takesValue: true },
    present: { about: "What becomes of what is there: refuse, keep or replace (refuse)", takesValue: true },
    from: { about: "Address of the pod it is from, where the file does not say", takesValue: true },
    "without-access": {
      about: "Leave access lists out: what comes is as open as the folder it comes into",
      takesValue: false,
    },
    consents: {
      about:
        "What becomes of what vendors were given: go-on, rest (until the owner has looked) or leave (go-on)",
      takesValue: true,
    },
  },
  async run(context, { args: [file = ""], flags }, report) {
    const name = flags["pod"];
    if (typeof name !== "string") throw new OperatorError("Say which pod with --pod.");
    const pod = await podNamed(context, name);
    const present = PRESENT.find((choice) => choice === (flags["present"] ?? "refuse"));
    if (!present) throw new OperatorError("--present is one of refuse, keep and replace.");
    const consents = CONSENTS.find((choice) => choice === (flags["consents"] ?? "go-on"));
    if (!consents) throw new OperatorError("--consents is one of go-on, rest and leave.");
    const from = flags["from"];
    const source = await fileSource(file).catch((cause: unknown) => {
      throw new OperatorError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
    });
    try {
      await context.journal.operator(pod, "import", { path: `/${pod.name}/`, bytes: source.bytes });
      const stages = { check: "Checking", documents: "Documents", access: "Access lists" } as const;
      const done = await context.ldp.transfer.importArchive(
        pod,
        source,
        {
          present,
          consents,
          lists: flags["without-access"] !== true,
          ...(typeof from === "string" && { from }),
        },
        (progress) =>
          report({
            stage: stages[progress.stage],
            done: progress.done,
            total: progress.total,
            unit: "items",
          }),
      );
      return {
        lines: [
          `${done.documents} documents, ${done.files} files and ${done.folders} folders are in ${pod.name}, with ${done.lists} access lists.`,
          ...(done.rewritten > 0 ? [`${done.rewritten} of them name the new address now.`] : []),
          ...(done.kept > 0 ? [`${done.kept} were left as they were.`] : []),
          ...consentsInWords(done.consents),
          ...(done.formerHome === null ? [] : [`The former place's journal is in ${done.formerHome}.`]),
          ...done.issues.map(({ path, detail }) => `  ${path}: ${detail}`),
          ...(done.issueCount > done.issues.length
            ? [`  … and ${done.issueCount - done.issues.length} more`]
            : []),
        ],
        exit: done.issueCount > 0 ? 1 : 0,
      };
    } finally {
      await source.close();
    }
  },
};

const PASSPORT = {
  updated: "The passport says so, too.",
  "owner-must-sign":
    "The passport is the owner's to change: only its own keys can say that it leads to another server.",
  none: "The pod has no passport.",
} as const;

export const movedTask: Task = {
  name: "moved",
  usage: "<pod> [url]",
  about: "Send all requests for a pod on to its new address; with --undo, no more",
  flags: { undo: { about: "The pod is here again", takesValue: false } },
  async run(context, { args: [name = "", url], flags }) {
    const pod = await podNamed(context, name);
    const isUndone = flags["undo"] === true;
    if (isUndone === (url !== undefined)) throw new OperatorError("Give either the new address, or --undo.");
    const { moves } = context.ldp.transfer;
    try {
      const moved = url === undefined ? await moves.undo(pod) : await moves.move(pod, url);
      await context.journal.operator(pod, "move", { path: `/${pod.name}/` });
      const where = moved.pod.movedTo;
      return {
        lines: [
          where === undefined
            ? `${pod.name} is here again.`
            : `Requests for ${pod.name} are sent to ${where} now.`,
          PASSPORT[moved.passport],
        ],
        exit: 0,
      };
    } catch (error) {
      if (error instanceof Problem && error.code === "input-invalid")
        throw new OperatorError(error.detail ?? error.message, { cause: error });
      throw error;
    }
  },
};
