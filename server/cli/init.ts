/** `freehold init`: a settings file, by questions at a terminal or by flags, and what to do next. */
import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { readConfig, SETTINGS, type SettingName } from "../config.ts";
import { OperatorError } from "../errors.ts";
import type { CommandInput } from "./commands.ts";
import { keyOf } from "./settings.ts";
import type { TaskResult } from "./task.ts";

const FILE = "freehold.config.json";

interface Question {
  readonly setting: SettingName;
  readonly asks: string;
}

const QUESTIONS: readonly Question[] = [
  {
    setting: "FREEHOLD_BASE_URL",
    asks: "By which address will others reach it, such as https://pod.example.org/? Empty: this machine only",
  },
  { setting: "FREEHOLD_PORT", asks: "On which port does it listen?" },
  { setting: "FREEHOLD_DATA", asks: "In which folder are all data?" },
  {
    setting: "FREEHOLD_BACKUP_FOLDER",
    asks: "In which folder, on another disk, are backups? Empty: none by itself",
  },
];

/** What is wrong with an answer; null when nothing is. */
function fault(setting: SettingName, text: string): string | null {
  try {
    SETTINGS[setting].parse(text);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Answers of a person at the terminal, to what no flag said. */
async function ask(settings: Readonly<Partial<Record<SettingName, string>>>): Promise<typeof settings> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const given: Partial<Record<SettingName, string>> = { ...settings };
  try {
    for (const { setting, asks } of QUESTIONS) {
      const { fallback } = SETTINGS[setting];
      while (given[setting] === undefined) {
        const typed =
          (await terminal.question(`${asks}${fallback && ` [${fallback}]`}: `)).trim() || fallback;
        const wrong = fault(setting, typed);
        if (wrong === null) given[setting] = typed;
        else process.stderr.write(`It ${wrong}.\n`);
      }
    }
  } finally {
    terminal.close();
  }
  return given;
}

/** A whole number as such, so that the file reads as people write it. */
const valueOf = (setting: SettingName, text: string): string | number =>
  setting === "FREEHOLD_PORT" ? Number(text) : text;

function nextSteps(values: Readonly<Partial<Record<SettingName, string>>>): readonly string[] {
  const {
    FREEHOLD_BASE_URL: address = "",
    FREEHOLD_BACKUP_FOLDER: backups = "",
    FREEHOLD_DATA: folder,
  } = values;
  return [
    "Next:",
    "  freehold                 starts the server, and prints a link by which the first account is opened",
    ...(address.startsWith("https:")
      ? ["  freehold doctor          looks whether the address leads here, and what else is missing"]
      : []),
    ...(backups === ""
      ? []
      : [
          "  Backups are sealed for whom backupRecipients names, or by a passphrase: set backupPassphraseFile",
        ]),
    `  Keep a copy of root.key in ${folder ?? SETTINGS.FREEHOLD_DATA.fallback} in another place: without it nobody can read the data`,
  ];
}

/** @throws OperatorError when a file is there already; ConfigError for a setting that cannot be taken. */
export async function init({ flags, settings }: CommandInput): Promise<TaskResult> {
  const path = resolve(FILE);
  const others = [FILE, "freehold.config.jsonc"].filter((name) => existsSync(name));
  if (others.length > 0 && flags["force"] !== true)
    throw new OperatorError(`${others.join(" and ")} is here already. Say --force to replace it.`);
  if (others.includes("freehold.config.jsonc"))
    throw new OperatorError(
      "freehold.config.jsonc is here already, and there can be one only. Remove it first.",
    );
  const isAsking = process.stdin.isTTY && process.stderr.isTTY && flags["yes"] !== true;
  const given = isAsking ? await ask(settings) : settings;
  const values = Object.fromEntries(
    (Object.entries(given) as [SettingName, string][]).filter(
      ([name, text]) => text !== SETTINGS[name].fallback,
    ),
  ) as Partial<Record<SettingName, string>>;
  readConfig(values); // Nothing is written that could not be used.
  const written = Object.fromEntries(
    (Object.entries(values) as [SettingName, string][]).map(([name, text]) => [
      keyOf(name),
      valueOf(name, text),
    ]),
  );
  const draft = `${path}.part`;
  await writeFile(draft, `${JSON.stringify(written, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(draft, path);
  const shownPath = isAbsolute(relative(process.cwd(), path))
    ? path
    : join(".", relative(process.cwd(), path));
  return {
    lines: [`The settings are in ${shownPath}; all there are: freehold --help`, ...nextSteps(values)],
    exit: 0,
    value: { file: path, settings: written },
  };
}
