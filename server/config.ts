/** All settings in one table: read from the environment and from flags, checked, and frozen. The README is made from it. */
import { resolve } from "node:path";
import { OperatorError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { Level } from "./log.ts";
import { didYouMean } from "./nearest.ts";
import {
  type Form,
  toBaseUrl,
  toChoice,
  toDuration,
  toInteger,
  toKeep,
  toLimits,
  toList,
  toOrigins,
  toPath,
  toPathOrNone,
  toRegistrar,
  toStore,
  toSwitch,
  toZones,
} from "./setting-forms.ts";

export interface Setting<T> {
  /** One line for the README and `--help`. */
  readonly about: string;
  readonly fallback: string;
  readonly parse: Form<T>;
  /** It may hold a password: never shown whole, and `FREEHOLD_…_FILE` may name a file that holds it. */
  readonly isSecret?: boolean;
}

const define = <T extends Readonly<Record<string, Setting<unknown>>>>(table: T): T => table;

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
  FREEHOLD_STORE: {
    about:
      "Where the pods are: sqlite (in the data folder), or postgres://user:password@host/database, which several servers may share",
    fallback: "sqlite",
    parse: toStore,
    isSecret: true,
  },
  FREEHOLD_ROOT_KEY_FILE: {
    about:
      "File with the root key; empty means root.key in the data folder. On another disk, a stolen data disk tells nothing",
    fallback: "",
    parse: toPathOrNone,
  },
  FREEHOLD_ZONES: {
    about:
      "Zones in which passports are registered here, comma-separated; the first is used unless another is asked for. With a registry elsewhere, its zones",
    fallback: "zz",
    parse: toZones,
  },
  FREEHOLD_REGISTRY: {
    about:
      "Address of the registry in which passports are registered; empty: this server is a registry of its own",
    fallback: "",
    parse: toBaseUrl,
  },
  FREEHOLD_REGISTRAR: {
    about: "This server's name as a registrar in its registry",
    fallback: "local",
    parse: toRegistrar,
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
    parse: toList,
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
  FREEHOLD_DPOP_NONCE: {
    about:
      "DPoP proofs must hold a nonce of this server's: on or off; current Solid clients know none, and are then refused",
    fallback: "off",
    parse: toSwitch,
  },
  FREEHOLD_ACCESS: {
    about:
      "Language of the rules in all pods: wac (Web Access Control) or acp (Access Control Policy). It stays what it was when the first pod was made",
    fallback: "wac",
    parse: toChoice<"wac" | "acp">("wac", "acp"),
  },
  FREEHOLD_DATA_BROWSER: {
    about:
      "The dist folder of the npm package mashlib: who opens a pod's address in a web browser then gets that data browser; empty: none",
    fallback: "",
    parse: toPathOrNone,
  },
  FREEHOLD_SIGN_UP: {
    about: "Who may open an account: link (whoever has a set-up link) or open (everybody)",
    fallback: "link",
    parse: toChoice<"link" | "open">("link", "open"),
  },
  FREEHOLD_BACKUP_FOLDER: {
    about: "Folder for backups, on another disk; empty makes none by itself",
    fallback: "",
    parse: toPathOrNone,
  },
  FREEHOLD_BACKUP_RECIPIENTS: {
    about:
      "Who can open backups: age recipients (age1…), comma-separated; age-keygen makes one with its identity",
    fallback: "",
    parse: toList,
  },
  FREEHOLD_BACKUP_PASSPHRASE_FILE: {
    about:
      "File with a passphrase, or an age identity, that seals backups where there are no recipients, and opens them",
    fallback: "",
    parse: toPathOrNone,
  },
  FREEHOLD_BACKUP_EVERY: {
    about: "How often a backup is made: 12h, 1d …; off only by hand",
    fallback: "24h",
    parse: toDuration,
  },
  FREEHOLD_BACKUP_PROVE_EVERY: {
    about: "How often the newest backup is restored, checked and so proved; off never lets old ones go",
    fallback: "7d",
    parse: toDuration,
  },
  FREEHOLD_BACKUP_KEEP: {
    about: "Backups that are kept: the last of so many days, weeks and months. Keys are kept for 30 days",
    fallback: "7d/4w/6m",
    parse: toKeep,
  },
  FREEHOLD_RESTORE_FROM: {
    about: "Backup that is restored at the start if the data folder is empty, and left alone otherwise",
    fallback: "",
    parse: toPathOrNone,
  },
  FREEHOLD_RESTORE_KEYS: {
    about: "Backup of the keys for it; empty takes the newest beside it",
    fallback: "",
    parse: toPathOrNone,
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
  /** `sqlite`, or the URL of a database, which holds a password and is never logged. */
  readonly store: string;
  readonly rootKeyFile: string;
  readonly zones: readonly string[];
  /** Ends in `/`; empty: its own. */
  readonly registry: string;
  readonly registrar: string;
  readonly logLevel: Level;
  readonly egressAllow: readonly string[];
  readonly trustProxy: readonly string[];
  readonly bearer: boolean;
  readonly ath: "required" | "when-present";
  readonly dpopNonce: boolean;
  /** Language of the rules. */
  readonly access: "wac" | "acp";
  /** Folder of the data browser; empty: none. */
  readonly dataBrowser: string;
  readonly signUp: "link" | "open";
  readonly limits: Limits;
  readonly backup: {
    /** Empty: none are made by the clock. */
    readonly folder: string;
    readonly recipients: readonly string[];
    /** Empty: none. */
    readonly passphraseFile: string;
    /** Milliseconds; 0: never. */
    readonly everyMs: number;
    readonly proveEveryMs: number;
    readonly keep: { readonly days: number; readonly weeks: number; readonly months: number };
    /** Empty: nothing is restored at the start. */
    readonly restoreFrom: string;
    readonly restoreKeys: string;
  };
}

/** For a server that is itself made from a backup. */
export const NO_BACKUPS: Config["backup"] = Object.freeze({
  folder: "",
  recipients: [],
  passphraseFile: "",
  everyMs: 0,
  proveEveryMs: 0,
  keep: { days: 1, weeks: 0, months: 0 },
  restoreFrom: "",
  restoreKeys: "",
});

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
      `${unknown} is not a setting.${didYouMean(unknown, Object.keys(SETTINGS))} The settings are ${Object.keys(SETTINGS).join(", ")}`,
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
  if (read("FREEHOLD_REGISTRY") !== "" && env["FREEHOLD_ZONES"] === undefined)
    throw new ConfigError(
      "FREEHOLD_ZONES (or --zones) must say which zone the registry at FREEHOLD_REGISTRY runs, such as ch: passports begin there",
    );
  const port = read("FREEHOLD_PORT");
  const dataFolder = read("FREEHOLD_DATA");
  return Object.freeze({
    port,
    mayMovePort: env["FREEHOLD_PORT"] === undefined && read("FREEHOLD_BASE_URL") === "",
    host: read("FREEHOLD_HOST"),
    baseUrl: read("FREEHOLD_BASE_URL") || `http://localhost:${port}/`,
    dataFolder,
    store: read("FREEHOLD_STORE"),
    rootKeyFile: read("FREEHOLD_ROOT_KEY_FILE") || resolve(dataFolder, "root.key"),
    zones: read("FREEHOLD_ZONES"),
    registry: read("FREEHOLD_REGISTRY"),
    registrar: read("FREEHOLD_REGISTRAR"),
    logLevel: read("FREEHOLD_LOG_LEVEL"),
    egressAllow: read("FREEHOLD_EGRESS_ALLOW"),
    trustProxy: read("FREEHOLD_TRUST_PROXY"),
    bearer: read("FREEHOLD_BEARER"),
    ath: read("FREEHOLD_ATH"),
    dpopNonce: read("FREEHOLD_DPOP_NONCE"),
    access: read("FREEHOLD_ACCESS"),
    dataBrowser: read("FREEHOLD_DATA_BROWSER"),
    signUp: read("FREEHOLD_SIGN_UP"),
    limits: read("FREEHOLD_LIMITS"),
    backup: Object.freeze({
      folder: read("FREEHOLD_BACKUP_FOLDER"),
      recipients: read("FREEHOLD_BACKUP_RECIPIENTS"),
      passphraseFile: read("FREEHOLD_BACKUP_PASSPHRASE_FILE"),
      everyMs: read("FREEHOLD_BACKUP_EVERY"),
      proveEveryMs: read("FREEHOLD_BACKUP_PROVE_EVERY"),
      keep: read("FREEHOLD_BACKUP_KEEP"),
      restoreFrom: read("FREEHOLD_RESTORE_FROM"),
      restoreKeys: read("FREEHOLD_RESTORE_KEYS"),
    }),
  });
}
