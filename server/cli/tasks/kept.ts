/** `freehold trash …` and `freehold history …`: bringing back for people what they deleted or changed. */
import { OperatorError } from "../../errors.ts";
import { parseTarget } from "../../iri.ts";
import { sizeInWords } from "../../ldp/quota.ts";
import type { Task } from "../task.ts";
import { placeIn, podNamed } from "./pod-named.ts";

const ROWS_MAX = 10_000;
const timeOf = (time: number): string => new Date(time).toISOString().slice(0, 19).replace("T", " ");

export const trashList: Task = {
  name: "trash list",
  usage: "<pod>",
  about: "List what was deleted from a pod and can be brought back",
  async run(context, { args: [name = ""] }) {
    const pod = await podNamed(context, name);
    await context.journal.operator(pod, "look", { path: `/${pod.name}/` });
    const { items, cut } = await context.ldp.keeping.trash(pod, ROWS_MAX);
    const lines = items.map(
      ({ id, path, kind, bytes, deleted }) =>
        `${id}  ${timeOf(deleted)}  ${kind}  ${path}  ${sizeInWords(bytes)}`,
    );
    if (cut) lines.push("… and more");
    return { lines: lines.length > 0 ? lines : ["The trash is empty"], exit: 0 };
  },
};

export const trashRestore: Task = {
  name: "trash restore",
  usage: "<pod> <id>",
  about: "Bring back what was deleted, with its access list",
  flags: { rename: { about: "Under another name if its own is taken", takesValue: false } },
  async run(context, { args: [name = "", id = ""], flags }) {
    const pod = await podNamed(context, name);
    const { keeping } = context.ldp;
    const { path, isPrivate } = await keeping.restore(pod, id, flags["rename"] === true, "operator");
    const lines = [`It is at ${path}`];
    if (isPrivate)
      lines.push("Only the owner sees it: who may do what was changed since it was deleted. Share it anew.");
    return { lines, exit: 0 };
  },
};

export const trashEmpty: Task = {
  name: "trash empty",
  usage: "<pod>",
  about: "Destroy all that was deleted from a pod",
  async run(context, { args: [name = ""] }) {
    const purged = await context.ldp.keeping.empty(await podNamed(context, name), "operator");
    return { lines: [`${purged} deletions are gone for good`], exit: 0 };
  },
};

export const historyList: Task = {
  name: "history list",
  usage: "<pod> <place>",
  about: "List the earlier versions of a document",
  async run(context, { args: [name = "", place = ""] }) {
    const pod = await podNamed(context, name);
    const path = placeIn(pod, place);
    await context.journal.operator(pod, "look", { path });
    const versions = await context.ldp.keeping.versions(pod, path);
    const lines = versions.map(
      ({ number, bytes, until }) => `${number}  until ${timeOf(until)}  ${sizeInWords(bytes)}`,
    );
    return { lines: lines.length > 0 ? lines : ["There are no earlier versions"], exit: 0 };
  },
};

export const historyRestore: Task = {
  name: "history restore",
  usage: "<pod> <place> <number>",
  about: "Make an earlier version of a document the present one",
  async run(context, { args: [name = "", place = "", number = ""] }) {
    const pod = await podNamed(context, name);
    if (!/^[1-9]\d{0,14}$/.test(number)) throw new OperatorError(`${number} is no number of a version.`);
    const path = placeIn(pod, place);
    await context.ldp.keeping.restoreVersion(pod, path, Number(number), "operator");
    const lines = [`${path} is as it was in version ${number}`];
    if (parseTarget(path).auxiliary === "acl")
      lines.push("Whoever was let in by it then is let in again, also those who were shut out since.");
    return { lines, exit: 0 };
  },
};
