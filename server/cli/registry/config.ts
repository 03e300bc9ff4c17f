/** `registry.json`: what a zone of the registry is run by. Every field is read strictly, and what is wrong is said in words. */
import { chmod, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  decodeKey,
  isObject,
  isZone,
  JsonError,
  PassportError,
  type PublicKey,
  parsePolicy,
  parseStrictJson,
  type ZoneRecord,
} from "@freehold/client/registry";
import { ConfigError } from "../../config.ts";
import { OperatorError } from "../../errors.ts";
import { LIMITS, type Limits } from "../../limits.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";

export interface RegistryConfig {
  /** The folder that the file is in: store, keys and log files are, too. */
  readonly folder: string;
  /** By which others reach this server, ending in a slash; null: `http://localhost:{port}/`. */
  readonly url: string | null;
  readonly host: string;
  readonly port: number;
  readonly zone: string;
  /** Who runs it, in words: stands in the root's record. */
  readonly operator: string;
  readonly kind: ZoneRecord["kind"];
  /** Of the log, without the year; null: from the address. */
  readonly origin: string | null;
  /** Lines of witnesses, groups and the quorum. Empty: the zone is its own witness, and nobody else's word is needed. */
  readonly policy: readonly string[];
  readonly legalKeys: readonly PublicKey[];
  readonly escrow: string | null;
  /** Addresses of mirrors that answer for the zone, too. */
  readonly mirrors: readonly string[];
  /** Where the root is; null: this registry is its own root. */
  readonly root: string | null;
  /** `sqlite`, or the URL of a database, which holds a password. */
  readonly store: string;
  /** Between the beginnings of two epochs. */
  readonly epochMs: number;
  /** Origins that passports may name, and this server may ask, although they are private or without TLS. */
  readonly allow: readonly string[];
  /** Whose `X-Forwarded-For` is believed: behind a proxy that is not among them, all people share one bound. */
  readonly trustProxy: readonly string[];
  readonly limits: Limits;
}

/** An address of a database that says a password. */
export const hasPassword = (store: string): boolean => /^\w+:\/\/[^/@]*:[^/@]+@/.test(store);

const CONFIG_FILE = "registry.json";
const OWNER_ONLY = 0o600;

/** What a field may not be: a sentence's end. */
class Wants extends Error {}
const wants = (what: string): never => {
  throw new Wants(what);
};

const text = (value: unknown): string =>
  typeof value === "string" && value.trim() !== "" ? value : wants("wants a text");

const whole =
  (least: number, most: number) =>
  (value: unknown): number =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? (value as number)
      : wants(`wants a whole number from ${least} to ${most}`);

function address(value: unknown): string {
  const url = URL.canParse(text(value)) ? new URL(text(value)) : wants("wants an http(s) address");
  if (
    !/^https?:$/.test(url.protocol) ||
    url.search ||
    url.hash ||
    url.username ||
    !url.pathname.endsWith("/")
  )
    wants("wants an http(s) address that ends in a slash, such as https://r1.example/");
  return url.href;
}

function originOf(value: unknown): string {
  const url = URL.canParse(text(value)) ? new URL(text(value)) : wants("wants an origin");
  return url.origin !== "null" && `${url.origin}/` === url.href
    ? url.origin
    : wants("wants origins such as http://127.0.0.1:4000");
}

const list =
  <T>(one: (value: unknown) => T) =>
  (value: unknown): readonly T[] =>
    Array.isArray(value) ? value.map(one) : wants("wants a list");

const orNull =
  <T>(one: (value: unknown) => T) =>
  (value: unknown): T | null =>
    value === null ? null : one(value);

const publicKey = (value: unknown): PublicKey =>
  typeof value === "string" && decodeKey(value) ? value : wants("wants public keys such as z6Mk…");

function choice<T extends string>(...choices: readonly T[]) {
  return (value: unknown): T =>
    choices.find((one) => one === value) ?? wants(`wants one of ${choices.join(", ")}`);
}

function limitsOf(value: unknown): Limits {
  if (!isObject(value)) return wants("wants an object of limits");
  for (const [name, limit] of Object.entries(value)) {
    if (!Object.hasOwn(LIMITS, name)) wants(`knows no limit called ${name}`);
    if (!Number.isInteger(limit) || (limit as number) < 1) wants(`wants ${name} to be a whole number`);
  }
  return Object.freeze({ ...LIMITS, ...value });
}

const storeOf = (value: unknown): string =>
  value === "sqlite" || /^postgres(?:ql)?:\/\/\S+$/.test(text(value))
    ? text(value)
    : wants("wants sqlite, or postgres://user:password@host/database");

/** All fields: how each is read, and what holds where it is not there. */
const FIELDS: {
  readonly [name in keyof Omit<RegistryConfig, "folder">]: {
    readonly read: (value: unknown) => RegistryConfig[name];
    readonly fallback?: unknown;
  };
} = {
  url: { read: orNull(address), fallback: null },
  host: { read: text, fallback: "127.0.0.1" },
  port: { read: whole(0, 65_535), fallback: 4100 },
  zone: { read: (value) => (isZone(value) ? value : wants("wants two characters a-z, 0-9")) },
  operator: { read: text },
  kind: { read: choice("country", "neutral", "private"), fallback: "private" },
  origin: {
    read: orNull((value) =>
      /^[a-z0-9.:/_-]{1,200}$/i.test(text(value))
        ? text(value)
        : wants("wants a name such as log.ch.example"),
    ),
    fallback: null,
  },
  policy: { read: list(text), fallback: [] },
  legalKeys: { read: list(publicKey), fallback: [] },
  escrow: { read: orNull(text), fallback: null },
  mirrors: { read: list(address), fallback: [] },
  root: { read: orNull(address), fallback: null },
  store: { read: storeOf, fallback: "sqlite" },
  epochMs: { read: whole(0, 60_000), fallback: 200 },
  allow: { read: list(originOf), fallback: [] },
  trustProxy: { read: list(text), fallback: ["loopback"] },
  limits: { read: limitsOf, fallback: {} },
};

/**
 * Pure but for the policy, which is held against its grammar.
 * @throws ConfigError that names the field.
 */
export async function readRegistryConfig(source: string, folder: string): Promise<RegistryConfig> {
  const file = join(folder, CONFIG_FILE);
  let value: unknown;
  try {
    value = parseStrictJson(source);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new ConfigError(`${file} is not JSON as it must be: ${cause.message}`, { cause });
  }
  if (!isObject(value)) throw new ConfigError(`${file} wants a JSON object`);
  const given: Readonly<Record<string, unknown>> = value;
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(FIELDS, name));
  if (unknown !== undefined)
    throw new ConfigError(
      `${file}: ${unknown} is no field; the fields are ${Object.keys(FIELDS).join(", ")}`,
    );
  const fields = Object.entries(FIELDS).map(([name, { read, fallback }]) => {
    try {
      return [name, read(Object.hasOwn(given, name) ? given[name] : fallback)] as const;
    } catch (cause) {
      if (!(cause instanceof Wants)) throw cause;
      throw new ConfigError(`${file}: ${name} ${cause.message}`, { cause });
    }
  });
  const config = Object.freeze({ folder, ...Object.fromEntries(fields) }) as unknown as RegistryConfig;
  if (config.policy.length > 0)
    await parsePolicy(policyText(config.policy)).catch((cause: unknown) => {
      if (!(cause instanceof PassportError)) throw cause;
      throw new ConfigError(`${file}: policy is not one: ${cause.message}`, { cause });
    });
  return config;
}

export const policyText = (lines: readonly string[]): string => lines.map((one) => `${one}\n`).join("");

/** @throws ConfigError, OperatorError for a folder that has no such file, or one with a password that others can read. */
export async function loadRegistryConfig(folder: string): Promise<RegistryConfig> {
  const file = join(folder, CONFIG_FILE);
  const source = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    throw new OperatorError(
      `There is no registry in ${folder}. Make one: freehold registry init <zone> <operator> --folder ${folder}`,
      { cause },
    );
  });
  const config = await readRegistryConfig(source, folder);
  if (hasPassword(config.store) && ((await stat(file)).mode & 0o077) !== 0)
    throw new OperatorError(
      `${file} has a password, and others on this machine may read it. Keep it to yourself: chmod 600 ${file}`,
    );
  return config;
}

/** @throws OperatorError where there is one already. */
export async function writeRegistryConfig(
  folder: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<RegistryConfig> {
  const file = join(folder, CONFIG_FILE);
  const source = `${JSON.stringify(fields, null, 2)}\n`;
  const config = await readRegistryConfig(source, folder);
  await makeFolder(folder);
  const isThere = await readFile(file).then(
    () => true,
    () => false,
  );
  if (isThere)
    throw new OperatorError(
      `There is a registry in ${folder} already. Begin another one in a folder of its own (--folder).`,
    );
  await writeDurably(file, Buffer.from(source));
  await chmod(file, OWNER_ONLY); // It may hold the password of a database.
  return config;
}
