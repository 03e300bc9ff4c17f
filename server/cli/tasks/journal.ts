/** `freehold journal …`: is the record of a pod whole, and what does it say? */
import { readFile } from "node:fs/promises";
import type { Context } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import { type JournalEntry, SEVERAL } from "../../journal/entry.ts";
import { parseHeads, type SignedHead } from "../../journal/heads.ts";
import type { NumberedEntry } from "../../journal/journal.ts";
import type { Pod } from "../../store/pods.ts";
import type { Task } from "../task.ts";

const LAST = 50;
const LAST_MAX = 100_000;

async function podNamed({ pods }: Context, name: string): Promise<Pod> {
  const pod = await pods.find(name);
  if (!pod) throw new OperatorError(`There is no pod called ${name}.`);
  return pod;
}

/** Heads of other pods in the same file are passed over: one file may be kept for the whole server. */
async function headsIn(file: unknown): Promise<readonly SignedHead[]> {
  if (typeof file !== "string") return [];
  return parseHeads(await readFile(file, "utf8"));
}

export const journalVerify: Task = {
  name: "journal verify",
  usage: "[pod]",
  about: "Check that nothing in a pod's journal, or in any, was changed, removed or moved",
  flags: {
    head: { about: "File with signed heads that were kept elsewhere", takesValue: true, isPath: true },
  },
  async run(context, { args: [name], flags }, report) {
    const { pods, journal } = context;
    const chosen = name === undefined ? await pods.list() : [await podNamed(context, name)];
    const outside = await headsIn(flags["head"]);
    const lines: string[] = [];
    let isSound = true;
    for (const pod of chosen.filter(({ erased }) => erased === undefined)) {
      const heads = outside.filter((head) => chosen.length === 1 || head.pod === pod.name);
      const found = await journal.verify(pod, heads, (done, total) =>
        report({ stage: pod.name, done, total, unit: "items" }),
      );
      await journal.operator(pod, "verify");
      const { entries, forgotten, faults, warnings } = found;
      const erased = forgotten > 0 ? `, ${forgotten} of them erased` : "";
      lines.push(
        `${pod.name}: ${entries} entries${erased}, ${found.heads} signed ${found.heads === 1 ? "head" : "heads"}: ${faults.length === 0 ? "whole" : "NOT as it was recorded"}`,
        ...faults.map((fault) => `  ${fault}`),
        ...warnings.map((warning) => `  Note: ${warning}`),
      );
      isSound &&= faults.length === 0;
    }
    return { lines: lines.length > 0 ? lines : ["There are no pods."], exit: isSound ? 0 : 1 };
  },
};

/** One line for a terminal: control characters in what strangers sent are shown, not obeyed. */
function lineOf({ number, entry }: NumberedEntry): string {
  if (entry === null) return `${String(number).padStart(7)}  (erased)`;
  // oxlint-disable-next-line no-control-regex -- control characters are what this replaces
  const plain = (text: string) => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
  return [
    String(number).padStart(7),
    new Date(entry.time).toISOString(),
    entry.decision === "denied" ? `${entry.act} (denied)` : entry.act,
    plain(entry.path === SEVERAL ? "several places" : (entry.path ?? "-")),
    plain(entry.agent === SEVERAL ? "several" : (entry.agent ?? "nobody named")),
    ...(entry.client === null ? [] : [`by ${plain(entry.client)}`]),
    ...sizesOf(entry),
  ].join("  ");
}

function sizesOf({ count, rows, bytes, purpose }: JournalEntry): string[] {
  return [
    ...(count === 1 ? [] : [`${count} times`]),
    ...(rows === null ? [] : [`${rows} rows`]),
    ...(bytes === null ? [] : [`${bytes} bytes`]),
    ...(purpose === null ? [] : [`for ${purpose}`]),
  ];
}

export const journalShow: Task = {
  name: "journal show",
  usage: "<pod>",
  about: "Show what was done to a pod and who looked; that you did is recorded too",
  flags: { last: { about: `How many entries (${LAST})`, takesValue: true } },
  async run(context, { args: [name = ""], flags }) {
    const { journal } = context;
    const pod = await podNamed(context, name);
    const wanted = Number(flags["last"] ?? LAST);
    if (!Number.isSafeInteger(wanted) || wanted < 1 || wanted > LAST_MAX)
      throw new OperatorError(`--last takes a number from 1 to ${LAST_MAX}.`);
    await journal.flush();
    const end = await journal.length(pod);
    // Recorded before it is shown, as for everybody.
    await journal.operator(pod, "look", { path: `/${pod.name}/.journal/` });
    const entries = await journal.read(pod, Math.max(0, end - wanted), Math.min(wanted, end));
    return { lines: entries.map(lineOf), exit: 0 };
  },
};

export const journalHead: Task = {
  name: "journal head",
  usage: "<pod>",
  about:
    "Print where a pod's journal stands, signed: keep it elsewhere, and check against it with journal verify --head",
  async run(context, { args: [name = ""] }) {
    const head = await context.journal.head(await podNamed(context, name));
    return { lines: [JSON.stringify(head)], exit: 0 };
  },
};
