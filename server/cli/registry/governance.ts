/** What whoever runs a zone says of registrars, vendors and passports: entries, sanctions, appeals, holds. Each is logged. */
import { readFile } from "node:fs/promises";
import {
  didOf,
  firstPolicy,
  type Governance,
  type GovernanceDraft,
  type HoldOperation,
  type HoldReason,
  type Listed,
  makeHold,
  type Party,
  parsePassportId,
  parseStrictJson,
  type SanctionStep,
  signAsZone,
} from "@freehold/client/registry";
import { OperatorError, Problem } from "../../errors.ts";
import type { ProgramCommand } from "../program.ts";
import type { TaskResult } from "../task.ts";
import type { Registry } from "./registry.ts";
import { asCommand, type RegistryTask } from "./task.ts";

const said = (...lines: readonly string[]): TaskResult => ({ lines, exit: 0 });
const valueOf = (flags: Readonly<Record<string, readonly string[]>>, name: string): string => {
  const value = flags[name]?.at(-1);
  if (value === undefined) throw new OperatorError(`Say --${name}`);
  return value;
};

const lineOf = ({ record, status, warnings, since }: Listed): string => {
  const warned = warnings === 0 ? "" : `, warned ${warnings} ${warnings === 1 ? "time" : "times"}`;
  const name = record.t === "vendor" ? record.organisation.name : record.name;
  return `${record.id}  ${status}${warned}  since ${since}  ${name}`;
};

/** @throws OperatorError for what is no JSON object. */
function draftIn<T extends GovernanceDraft["t"]>(text: string, t: T): GovernanceDraft {
  try {
    return { ...(parseStrictJson(text) as object), t } as GovernanceDraft; // The book says what is wrong with it.
  } catch (cause) {
    throw new OperatorError(`The file is not JSON: ${(cause as Error).message}`, { cause });
  }
}

async function enter({ book }: Registry, draft: GovernanceDraft, what: string): Promise<TaskResult> {
  const { record } = await book.add(draft);
  return said(`${what} (record ${record.n} of zone ${record.zone}, in the log)`);
}

/** An entry, by a file of JSON: the file is the caller's, so its text is what is sent to the process that has the zone. */
function fromFile(task: RegistryTask): ProgramCommand {
  const command = asCommand(task);
  return {
    ...command,
    run: async (input) => command.run({ ...input, args: [await readFile(input.args[0] ?? "", "utf8")] }),
  };
}

const listing = (name: string, about: string, of: (state: Governance) => Iterable<string>): RegistryTask => ({
  name,
  usage: "",
  about,
  async run({ book }) {
    const lines = [...of(await book.current())];
    return said(...(lines.length > 0 ? lines : ["There is none yet."]));
  },
});

const entering = (party: Party): RegistryTask => ({
  name: `${party} enter`,
  usage: "<file>",
  about: `Enter a ${party}, or change its entry, by a JSON file with ${
    party === "vendor"
      ? "id, organisation, webids, clients, purposes, erasure, authority and terms"
      : "id, name, keys, hosts, createPerDay, contact and accreditation"
  }`,
  async run(registry, { args: [text = ""] }) {
    const draft = draftIn(text, party);
    return enter(registry, draft, `The ${party} ${String((draft as { id?: unknown }).id)} is entered`);
  },
});

const policySet: RegistryTask = {
  name: "policy set",
  usage: "<file>",
  about:
    "Put the engagement policy in force, by a JSON file with version, title, rules, remedyDays, appealDays, answerDays and terms",
  run: (registry, { args: [text = ""] }) =>
    enter(registry, draftIn(text, "policy"), "The policy is in force"),
};

const policyBegin: RegistryTask = {
  name: "policy begin",
  usage: "<terms-url> <terms-hash>",
  about:
    "Put the coalition's own engagement policy in force; the terms that vendors accept are at the address, with that SHA-256 (base64url)",
  run: (registry, { args: [url = "", hash = ""] }) =>
    enter(registry, firstPolicy([{ id: "terms-1", url, hash }]), "The policy is in force"),
};

const STEPS: readonly SanctionStep[] = ["warn", "suspend", "delist", "reinstate"];

const sanctioning: RegistryTask = {
  name: "sanction",
  usage: "<registrar|vendor> <id> <warn|suspend|delist|reinstate>",
  about: "Take a step of the ladder; delisting a vendor reaches every pod within a minute",
  flags: {
    rule: "The rule of the policy that was broken; none to reinstate",
    says: "Why, in words that everybody may read",
  },
  async run(registry, { args: [party = "", id = "", step = ""], flags }) {
    if (party !== "registrar" && party !== "vendor")
      throw new OperatorError("Sanctions are about a registrar or a vendor");
    if (!STEPS.includes(step as SanctionStep)) throw new OperatorError(`The steps are ${STEPS.join(", ")}`);
    const draft: GovernanceDraft = {
      t: "sanction",
      of: { party, id },
      step: step as SanctionStep,
      rule: flags["rule"]?.at(-1) ?? null,
      says: valueOf(flags, "says"),
    };
    return enter(registry, draft, `${id}: ${step}`);
  },
};

/** @throws OperatorError */
function numberOf(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new OperatorError(`${text} is no number of a record`);
  return Number(text);
}

const appealing: RegistryTask = {
  name: "appeal",
  usage: "<sanction>",
  about: "Log an appeal against a sanction, by its number, in the words of whoever makes it",
  flags: { says: "The appeal" },
  run: (registry, { args: [of = ""], flags }) =>
    enter(registry, { t: "appeal", of: numberOf(of), says: valueOf(flags, "says") }, "The appeal is logged"),
};

const deciding: RegistryTask = {
  name: "appeal decide",
  usage: "<appeal> <upheld|overturned>",
  about: "Decide an appeal, by its number; what is overturned ends at once",
  flags: { says: "Why, in words that everybody may read" },
  async run(registry, { args: [of = "", outcome = ""], flags }) {
    if (outcome !== "upheld" && outcome !== "overturned")
      throw new OperatorError("An appeal is upheld or overturned: say which becomes of the sanction");
    const draft: GovernanceDraft = { t: "decision", of: numberOf(of), outcome, says: valueOf(flags, "says") };
    return enter(registry, draft, `The sanction is ${outcome}`);
  },
};

const holding = (t: HoldOperation["t"]): RegistryTask => ({
  name: t,
  usage: "<passport>",
  about:
    t === "hold"
      ? "Answer for a passport with 451 and the case; changes neither keys nor data"
      : "End a hold of a passport",
  flags: { case: "Name of the case", reason: "court-order, authority-order, fraud, impersonation or abuse" },
  async run({ zone, keys, now }, { args: [text = ""], flags }) {
    const id = parsePassportId(text);
    const { findings } = await zone.find(id);
    if (findings.kind !== "present") throw new Problem("not-found", "There is no such passport in this zone");
    const choice = { case: valueOf(flags, "case"), reason: valueOf(flags, "reason") as HoldReason };
    const { hash } = await zone.submit(
      await signAsZone(makeHold(t, { id, after: findings.state.head }, choice, now()), keys.zone),
    );
    return said(`${t} of ${didOf(id)} is in the log (operation ${hash})`);
  },
});

const FROM_FILES: readonly RegistryTask[] = [policySet, entering("registrar"), entering("vendor")];

const OTHERS: readonly RegistryTask[] = [
  policyBegin,
  listing("registrars", "List registrars with their statuses", ({ registrars }) =>
    [...registrars.values()].map(lineOf),
  ),
  listing("vendors", "List vendors with their statuses", ({ vendors }) => [...vendors.values()].map(lineOf)),
  listing("sanctions", "List sanctions, with what came of them", ({ sanctions }) =>
    [...sanctions.values()].map(({ record, stands, appeal, decision }) => {
      const appealed = appeal ? `, appeal ${appeal.n}: ${decision?.outcome ?? "open"}` : "";
      const { n, at, of, step, rule } = record;
      return `${n}  ${at}  ${of.party} ${of.id}  ${step}${rule === null ? "" : ` by ${rule}`}  ${stands ? "stands" : "ended"}${appealed}`;
    }),
  ),
  sanctioning,
  appealing,
  deciding,
  holding("hold"),
  holding("unhold"),
];

/** For a server that runs on the folder. */
export const GOVERNANCE_TASKS: readonly RegistryTask[] = [...FROM_FILES, ...OTHERS];

/** As they are typed. */
export const GOVERNANCE_COMMANDS: readonly ProgramCommand[] = [
  ...FROM_FILES.map(fromFile),
  ...OTHERS.map(asCommand),
];
