/** Where settings come from: what holds otherwise, then the settings file, then the environment, then flags; the last wins. */
import { existsSync, type Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConfigError, flagOf, SETTINGS, type Setting, type SettingName } from "../config.ts";
import { didYouMean } from "../nearest.ts";
import { toPath, toPathOrNone } from "../setting-forms.ts";
import { parseJsonc } from "./jsonc.ts";
import { readSmallFile } from "./read-small.ts";

type Env = Readonly<Record<string, string | undefined>>;

const FILE_NAMES = ["freehold.config.json", "freehold.config.jsonc"] as const;
const FILE_BYTES_MAX = 1024 * 1024;
const SECRET_BYTES_MAX = 65_536;
const EVERYBODY_READS = 0o004;
const NAMES = Object.keys(SETTINGS) as SettingName[];

export interface Gathered {
  /** For `readConfig`: text by name, of what is set anywhere. */
  readonly values: Readonly<Record<string, string>>;
  /** In words, for every setting. */
  readonly sources: Readonly<Record<SettingName, string>>;
  /** Absolute; null: there is none. */
  readonly file: string | null;
}

/** `baseUrl` for `FREEHOLD_BASE_URL`: its name in a settings file. */
export const keyOf = (name: SettingName): string =>
  flagOf(name).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

const BY_KEY: ReadonlyMap<string, SettingName> = new Map(NAMES.map((name) => [keyOf(name), name]));

const settingOf = (name: SettingName): Setting<unknown> => SETTINGS[name];
const isSecret = (name: SettingName): boolean => settingOf(name).isSecret === true;

/** A value of the settings file as the text that a flag would have. @returns null for one of the wrong type. */
function textOf(name: SettingName, value: unknown): string | null {
  const type = settingOf(name).parse.schema?.["type"] ?? "string";
  if (typeof value === "string") return value;
  if (type === "integer" && typeof value === "number") return String(value);
  if (type === "boolean" && typeof value === "boolean") return value ? "on" : "off";
  if (
    type === "array" &&
    Array.isArray(value) &&
    value.every((one) => typeof one === "string" && !one.includes(","))
  )
    return value.join(",");
  if (type === "object" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value);
    if (entries.every(([, one]) => typeof one === "number"))
      return entries.map(([key, one]) => `${key}=${one as number}`).join(",");
  }
  return null;
}

const WANTED: Readonly<Record<string, string>> = {
  integer: "a whole number",
  boolean: "true or false",
  array: "a list of texts without commas",
  object: 'names with whole numbers, such as {"queryMsMax": 5000}',
};

/** @throws ConfigError for a file that somebody else may have put there, or whose password others can read. */
function checkOwner(path: string, { uid, mode }: Stats, wasFound: boolean, holdsPassword: boolean): void {
  if (process.platform === "win32") return;
  const own = process.getuid?.();
  if (wasFound && uid !== own && uid !== 0)
    throw new ConfigError(
      `${path} belongs to another user, so it is not believed. Name it with --config if it is meant.`,
    );
  if (holdsPassword && mode & EVERYBODY_READS)
    throw new ConfigError(
      `${path} holds a password, and everybody on this machine can read it. Say chmod 600 ${path}, or put the password into a file of its own.`,
    );
}

const holdsPassword = (name: SettingName, text: string): boolean =>
  isSecret(name) && masked(name, text) !== text;

function readSettingsFile(path: string, wasFound: boolean): ReadonlyMap<SettingName, string> {
  const { text, stats } = readSmallFile(path, FILE_BYTES_MAX, "The settings file");
  const whole = parseJsonc(text, path);
  if (typeof whole !== "object" || whole === null || Array.isArray(whole))
    throw new ConfigError(`${path} should be one object: {"port": 3000}.`);
  const found = new Map<SettingName, string>();
  for (const [key, value] of Object.entries(whole)) {
    if (key === "$schema") continue;
    const name = BY_KEY.get(key);
    if (name === undefined)
      throw new ConfigError(
        `${path}: "${key}" is not a setting.${didYouMean(key, BY_KEY.keys())} All settings: freehold --help, or freehold config schema.`,
      );
    const given = textOf(name, value);
    if (given === null)
      throw new ConfigError(
        `${path}: "${key}" wants ${WANTED[String(settingOf(name).parse.schema?.["type"])] ?? "text"}.`,
      );
    const { parse } = SETTINGS[name];
    // What stands in a file is meant from there, wherever the command was typed.
    const isPath = (parse as unknown) === toPath || (parse as unknown) === toPathOrNone;
    found.set(name, isPath && given !== "" ? resolve(dirname(path), given) : given);
    try {
      parse(found.get(name)!);
    } catch (cause) {
      throw new ConfigError(`${path}: "${key}" ${(cause as Error).message}.`, { cause });
    }
  }
  const withPassword = [...found].some(([name, given]) => holdsPassword(name, given));
  checkOwner(path, stats, wasFound, withPassword);
  return found;
}

/** Beside the command, else in the data folder. @throws ConfigError when there are two in one folder. */
function findFile(folders: readonly string[]): string | null {
  for (const folder of folders) {
    const there = FILE_NAMES.map((name) => join(folder, name)).filter((path) => existsSync(path));
    if (there.length > 1)
      throw new ConfigError(`There are ${there.join(" and ")}; keep one of them, or name one with --config.`);
    if (there[0] !== undefined) return there[0];
  }
  return null;
}

function readSecretFile(name: SettingName, path: string): string {
  try {
    return readSmallFile(path, SECRET_BYTES_MAX, `${name}_FILE:`).text.replace(/\r?\n$/, "");
  } catch (cause) {
    throw new ConfigError((cause as Error).message, { cause });
  }
}

/**
 * @param flags By name of the setting.
 * @param named What `--config` says.
 * @param isQuiet A person at a terminal reads the banner; whoever keeps a log asks for it, or has it as before.
 * @throws ConfigError, OperatorError that name the file and the place in it.
 */
export function gatherSettings(
  flags: Readonly<Partial<Record<SettingName, string>>>,
  env: Env,
  {
    named,
    isQuiet,
    folder,
  }: { readonly named: string | undefined; readonly isQuiet: boolean; readonly folder: string },
): Gathered {
  const { FREEHOLD_CONFIG: fromEnv, ...rest } = env;
  const values: Record<string, string> = {};
  const sources = Object.fromEntries(NAMES.map((name) => [name, "default"])) as Record<SettingName, string>;
  const set = (name: string, text: string, source: string): void => {
    values[name] = text;
    if (Object.hasOwn(SETTINGS, name)) sources[name as SettingName] = source;
  };
  if (isQuiet) set("FREEHOLD_LOG_LEVEL", "warn", "default at a terminal");

  const path = named ?? (fromEnv === "" ? undefined : fromEnv);
  const dataFolder = resolve(
    folder,
    flags.FREEHOLD_DATA ?? env["FREEHOLD_DATA"] ?? SETTINGS.FREEHOLD_DATA.fallback,
  );
  const file = path === undefined ? findFile([resolve(folder), dataFolder]) : resolve(folder, path);
  if (file !== null)
    for (const [name, text] of readSettingsFile(file, path === undefined)) set(name, text, `file ${file}`);

  const secretFiles = new Map(NAMES.filter(isSecret).map((name) => [`${name}_FILE`, name]));
  for (const [name, text] of Object.entries(rest)) {
    if (!name.startsWith("FREEHOLD_") || text === undefined) continue;
    const secret = secretFiles.get(name);
    if (secret === undefined) set(name, text, `environment ${name}`);
    else if (rest[secret] !== undefined) throw new ConfigError(`Set either ${secret} or ${name}, not both.`);
    else set(secret, readSecretFile(secret, resolve(folder, text)), `environment ${name}`);
  }
  for (const [name, text] of Object.entries(flags)) set(name, text, `flag --${flagOf(name as SettingName)}`);
  return { values, sources, file };
}

/** What may be shown of a setting's text: passwords are stars. */
export function masked(name: SettingName, text: string): string {
  if (!isSecret(name) || text === SETTINGS[name].fallback) return text;
  if (!URL.canParse(text)) return "***";
  const url = new URL(text);
  if (url.password !== "") url.password = "***";
  for (const key of url.searchParams.keys())
    if (/pass|secret|key|token/i.test(key)) url.searchParams.set(key, "***");
  return url.href;
}

/** For `--print-config`. */
export function describeSettings({ values, sources }: Gathered): readonly {
  readonly name: SettingName;
  readonly key: string;
  readonly value: string;
  readonly source: string;
}[] {
  return NAMES.map((name) => ({
    name,
    key: keyOf(name),
    value: masked(name, values[name] ?? SETTINGS[name].fallback),
    source: sources[name],
  }));
}

/** JSON Schema (2020-12) of the settings file. */
export function settingsSchema(): object {
  const properties = NAMES.map((name) => {
    const { about, fallback, parse } = settingOf(name);
    const own = parse.schema ?? { type: "string" };
    const type = own["type"] === "string" ? own : { anyOf: [own, { type: "string" }] };
    return [
      keyOf(name),
      { ...type, description: `${about}. Otherwise: ${fallback === "" ? "empty" : fallback}` },
    ];
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Freehold's settings: freehold.config.json or freehold.config.jsonc",
    type: "object",
    additionalProperties: false,
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
  };
}
