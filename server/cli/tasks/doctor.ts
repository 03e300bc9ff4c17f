/** `freehold doctor`: what is wrong with this server and its surroundings, and what to do about it. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../../errors.ts";
import { lockFolder } from "../../store/lock.ts";
import { StoreRefused } from "../../store/refused.ts";
import { diagnose } from "../doctor/doctor.ts";
import { type Finding, isWell, note, reportText, wrong } from "../doctor/finding.ts";
import { lookAtMachine } from "../doctor/machine.ts";
import type { Task, TaskResult } from "../task.ts";

const SIGNS = { ok: "ok   ", note: "note ", wrong: "WRONG" } as const;

function told(findings: readonly Finding[], report: string): TaskResult {
  const lines = findings.flatMap(({ state, about, what, next }) => [
    `${SIGNS[state]}  ${about.padEnd(11)} ${what}`,
    ...(next === null ? [] : [`${" ".repeat(19)}${next}`]),
  ]);
  const bad = findings.filter(({ state }) => state === "wrong").length;
  const notes = findings.filter(({ state }) => state === "note").length;
  return {
    lines: [
      ...lines,
      "",
      bad === 0
        ? `Nothing is wrong${notes > 0 ? `; ${notes} to look at` : ""}.`
        : `${bad} wrong, ${notes} to look at.`,
      "",
      "For a report, without anything of yours in it:",
      ...report.split("\n").map((line) => `  ${line}`),
    ],
    exit: isWell(findings) ? 0 : 1,
    value: { findings, report },
  };
}

/** Whether any process has the data folder open, without making anything there. */
async function lockOf(dataFolder: string): Promise<Finding> {
  const remedy =
    "Start the server (freehold start), and run this again: only then its address can be looked at.";
  if ((await stat(join(dataFolder, "lock.db")).catch(() => null)) === null)
    return wrong(
      "lock",
      "nothing-there",
      "There are no data of a server in this folder.",
      `See that FREEHOLD_DATA names it. ${remedy}`,
    );
  try {
    lockFolder(dataFolder)();
    return wrong("lock", "not-running", "No server runs on these data.", remedy);
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
    return wrong(
      "lock",
      "held-by-another",
      "A process has the data open, and takes no tasks.",
      "It may be starting or stopping. If it stays so, end it and start the server anew.",
    );
  }
}

export const doctor: Task = {
  name: "doctor",
  usage: "",
  about:
    "Look for what is wrong: address, proxy, certificate, clock, disk, keys, backups; exit 1 if anything is",
  flags: {
    clock: { about: "Address of a host whose clock is right, to hold this one against", takesValue: true },
  },
  async run(context, { flags }) {
    const clockUrl = typeof flags["clock"] === "string" ? flags["clock"] : null;
    if (clockUrl !== null && !URL.canParse(clockUrl))
      throw new OperatorError("--clock wants an address, such as https://example.org/.");
    const { findings, report } = await diagnose(context, { seen: null, deviceTime: null, clockUrl });
    return told(findings, report);
  },
  async alone(config) {
    const findings: Finding[] = [await lockOf(config.dataFolder), ...(await lookAtMachine(config))];
    if (config.store !== "sqlite")
      findings.push(
        note(
          "store",
          "not-checked",
          "The database is looked at by the running server only.",
          "Start the server, and run this again.",
        ),
      );
    return told(findings, reportText(findings, config));
  },
};
