/** `freehold breach` and `freehold grant stop`: when a vendor, or its key, cannot be trusted any more. */
import { type BreachNotice, breachText, parseBreachQuestion } from "../../consent/breach.ts";
import type { Context } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import { parseWebId } from "../../iri.ts";
import { OPERATOR } from "../../journal/entry.ts";
import type { Pod } from "../../store/pods.ts";
import type { Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

const stays = ({ erased, movedTo }: Pod): boolean => erased === undefined && movedTo === undefined;

async function podsIn(context: Context, name: string | undefined): Promise<readonly Pod[]> {
  return name === undefined ? (await context.pods.list()).filter(stays) : [await podNamed(context, name)];
}

const textOf = (flag: string | boolean | undefined): string | null =>
  typeof flag === "string" ? flag : null;

export const breach: Task = {
  name: "breach",
  usage: "[pod]",
  about: "Compose what to tell each person of what others read; that you looked is recorded in each pod",
  flags: {
    from: { about: "Since when: a day, or a moment such as 2026-11-22T10:00:00Z", takesValue: true },
    to: { about: "Until when (now)", takesValue: true },
    known: {
      about: "When it was noticed (now): the authority is to be told within 72 hours",
      takesValue: true,
    },
    vendor: { about: "WebID: only what this one read", takesValue: true },
  },
  async run(context, { args: [name], flags }, report) {
    const [from, to, known, vendor] = ["from", "to", "known", "vendor"].map((flag) => textOf(flags[flag]));
    const question = parseBreachQuestion({ from, to, known, vendor }, context.now().getTime());
    const chosen = await podsIn(context, name);
    const told: BreachNotice[] = [];
    for (const [at, pod] of chosen.entries()) {
      report({ stage: "pods", done: at, total: chosen.length, unit: "items" });
      // Recorded before it is shown, as for everybody.
      await context.journal.operator(pod, "look", { path: `/${pod.name}/.consent/breach` });
      const notice = await context.consent.breachNotice(pod, question);
      // Nobody has to be told of this very look.
      const others = notice.readers.filter(({ agent }) => agent !== OPERATOR);
      if (others.length > 0) told.push(notice);
    }
    const lines = told.length > 0 ? told.map(breachText) : ["Nothing was read by others in this time."];
    return { lines, exit: 0, value: told };
  },
};

export const grantStop: Task = {
  name: "grant stop",
  usage: "<webid>",
  about: "Let every grant of one vendor rest, in all pods, until each owner lets it go on",
  async run(context, { args: [webid = ""] }, report) {
    const vendor = parseWebId(webid);
    const { grants, notices } = context.consent;
    const chosen = (await context.pods.list()).filter(stays);
    let count = 0;
    for (const [at, pod] of chosen.entries()) {
      report({ stage: "pods", done: at, total: chosen.length, unit: "items" });
      const theirs = await context.store.read(pod.id, (snapshot) => grants.list(snapshot, vendor));
      const active = theirs.filter(({ state }) => state === "Active");
      if (active.length === 0) continue;
      await notices.enlist(pod);
      await context.store.write(pod.id, async (transaction) => {
        for (const { id } of active)
          await grants.pause(transaction, pod, id, { agent: OPERATOR }, "operator");
      });
      count += active.length;
    }
    if (count === 0) throw new OperatorError(`No grant of ${vendor} is Active in any pod.`);
    return { lines: [`${count} ${count === 1 ? "grant rests" : "grants rest"} now.`], exit: 0 };
  },
};
