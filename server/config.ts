/** All settings in one table: read from the environment and from flags, checked, and frozen. The README is made from it. */
import { resolve } from "node:path";
import { OperatorError } from "./errors.ts";
import { LIMITS, type Limits } from "./limits.ts";
import type { Level } from "./log.ts";

interface Setting<T> {
  /** One line for the README and `--help`. */
  readonly about: string;
  readonly fallback: string;
  readonly parse: (text: string) => T;
}

const define = <T extends Readonly<Record<string, Setting<unknown>>>>(table: T): T => table;

function toInteger(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new Error(`wants a whole number from ${least} to ${most}`);
    return value;
  };
}

function toChoice<T extends string>(...choices: readonly T[]) {
  return (text: string): T => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new Error(`wants one of ${choices.join(", ")}`);
    return found;
  };
}

const toSwitch = (text: string): boolean => toChoice("on", "off")(text) === "on";
const toPath = (text: string): string => resolve(text);

function toOrigins(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const url = new URL(part);
      if (url.origin === "null" || `${url.origin}/` !== url.href)
        throw new Error(`wants origins such as http://127.0.0.1:4000, not ${part}`);
      return url.origin;
    });
}

function toBaseUrl(text: string): string {
  if (text === "") return "";
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search || url.hash)
    throw new Error("wants an http(s) URL without path");
  return url.href;
}

function toLimits(text: string): Limits {
  const limits: Record<string, number> = { ...LIMITS };
  for (const part of text.split(",").filter(Boolean)) {
    const [name = "", value = ""] = part.split("=").map((piece) => piece.trim());
    if (!(name in LIMITS)) throw new Error(`knows no limit called ${name}`);
    limits[name] = toInteger(1, Number.MAX_SAFE_INTEGER)(value);
  }
  return Object.freeze(limits) as Limits;
}

function toZones(text: string): readonly string[] {
  if (!/^[a-z0-9]{2}(,[a-z0-9]{2})*$/.test(text))
    throw new Error("wants zones of two characters, such as zz or ch,za");
  return text.split(",");
}

export const SETTINGS = define({
  FREEHOLD_PORT: {
    about: "TCP port to listen on; 0 takes a free one",
    fallback: "3000",
    parse: toInteger(0, 65_535),
  },
  FREEHOLD_HOST: {
    about: "Address to listen on; 127.0.0.1 keeps the pod on this machine",
    fallback: "127.0.0.1",
    parse: String,
  },
  FREEHOLD_BASE_URL: {
    about: "The URL by which others reach this server; empty means http://localhost:PORT/",
    fallback: "",
    parse: toBaseUrl,
  },
  FREEHOLD_DATA: { about: "Folder that holds everything", fallback: "freehold-data", parse: toPath },
  FREEHOLD_ROOT_KEY_FILE: {
    about:
      "File with the root key; empty means root.key in the data folder. On another disk, a stolen data disk tells nothing",
    fallback: "",
    parse: (text: string) => (text === "" ? "" : toPath(text)),
  },
  FREEHOLD_ZONES: {
    about:
      "Zones in which passports are registered here, comma-separated; the first is used unless another is asked for",
    fallback: "zz",
    parse: toZones,
  },
  FREEHOLD_LOG_LEVEL: {
    about: "Least level that is logged: debug, info, warn or error",
    fallback: "info",
    parse: toChoice<Level>("debug", "info", "warn", "error"),
  },
  FREEHOLD_EGRESS_ALLOW: {
    about:
      "Origins (scheme, host, port; comma-separated) that may be fetched although private or without TLS",
    fallback: "",
    parse: toOrigins,
  },
  FREEHOLD_TRUST_PROXY: {
    about: "Addresses of proxies whose X-Forwarded-For is believed, comma-separated",
    fallback: "",
    parse: (text: string) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean),
  },
  FREEHOLD_BEARER: {
    about: "Accept access tokens that are not bound to a key: on or off",
    fallback: "off",
    parse: toSwitch,
  },
  FREEHOLD_ATH: {
    about:
      "DPoP proofs must name the token's hash (ath): required or when-present; current Solid clients send none",
    fallback: "when-present",
    parse: toChoice<"required" | "when-present">("required", "when-present"),
  },
  FREEHOLD_SIGN_UP: {
    about: "Who may open an account: link (whoever has a set-up link) or open (everybody)",
    fallback: "link",
    parse: toChoice<"link" | "open">("link", "open"),
  },
  FREEHOLD_LIMITS: {
    about: "Limits that differ from the defaults, as name=number, comma-separated",
    fallback: "",
    parse: toLimits,
  },
});

export type SettingName = keyof typeof SETTINGS;

export interface Config {
  readonly port: number;
  /** Nobody chose the port: if it is taken, the next will do. */
  readonly mayMovePort: boolean;
  readonly host: string;
  /** Canonical, ends in `/`. With port 0 it is fixed only after listening. */
  readonly baseUrl: string;
  readonly dataFolder: string;
  readonly rootKeyFile: string;
  readonly zones: readonly string[];
  readonly logLevel: Level;
  readonly egressAllow: readonly string[];
  readonly trustProxy: readonly string[];
  readonly bearer: boolean;
  readonly ath: "required" | "when-present";
  readonly signUp: "link" | "open";
  readonly limits: Limits;
}

/** What a setting that cannot be used says; `main.ts` prints it and exits with 3. */
export class ConfigError extends OperatorError {
  override readonly name = "ConfigError";
}

/** `--base-url` for `FREEHOLD_BASE_URL`. */
export function flagOf(name: SettingName): string {
  return name.slice("FREEHOLD_".length).toLowerCase().replaceAll("_", "-");
}

/** Pure: the same environment gives the same frozen settings. @throws ConfigError that names the bad setting. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const unknown = Object.keys(env).find((name) => name.startsWith("FREEHOLD_") && !(name in SETTINGS));
  if (unknown)
    throw new ConfigError(
      `${unknown} is not a setting; the settings are ${Object.keys(SETTINGS).join(", ")}`,
    );
  const read = <N extends SettingName>(name: N): ReturnType<(typeof SETTINGS)[N]["parse"]> => {
    try {
      return SETTINGS[name].parse(env[name] ?? SETTINGS[name].fallback) as ReturnType<
        (typeof SETTINGS)[N]["parse"]
      >;
    } catch (cause) {
      throw new ConfigError(`${name} (or --${flagOf(name)}) ${(cause as Error).message}`, { cause });
    }
  };
  const port = read("FREEHOLD_PORT");
  const dataFolder = read("FREEHOLD_DATA");
  return Object.freeze({
    port,
    mayMovePort: env["FREEHOLD_PORT"] === undefined && read("FREEHOLD_BASE_URL") === "",
    host: read("FREEHOLD_HOST"),
    baseUrl: read("FREEHOLD_BASE_URL") || `http://localhost:${port}/`,
    dataFolder,
    rootKeyFile: read("FREEHOLD_ROOT_KEY_FILE") || resolve(dataFolder, "root.key"),
    zones: read("FREEHOLD_ZONES"),
    logLevel: read("FREEHOLD_LOG_LEVEL"),
    egressAllow: read("FREEHOLD_EGRESS_ALLOW"),
    trustProxy: read("FREEHOLD_TRUST_PROXY"),
    bearer: read("FREEHOLD_BEARER"),
    ath: read("FREEHOLD_ATH"),
    signUp: read("FREEHOLD_SIGN_UP"),
    limits: read("FREEHOLD_LIMITS"),
  });
}
