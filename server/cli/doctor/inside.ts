/** What only the running server knows of itself: its store, its backups, its registry, its clock and what it is set to. */
import type { Context } from "../../context.ts";
import type { RegistryLink } from "../../passport/link.ts";
import type { RemoteLink } from "../../passport/remote.ts";
import { createSafeSend } from "../../safe-fetch.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

const DAY_MS = 86_400_000;
const CLOCK_MS_MAX = 30_000; // What apps sign is good for a minute or so; half of it may be theirs.
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const WITNESSES_MAX = 20;

async function storeOf({ store, config }: Context): Promise<Finding> {
  const isPostgres = config.store !== "sqlite";
  try {
    await store.check();
    return ok("store", "works", isPostgres ? "The database answers." : "The store writes and reads.");
  } catch {
    return wrong(
      "store",
      "does-not-work",
      isPostgres ? "The database does not answer, or takes no writes." : "The store does not write any more.",
      isPostgres
        ? "See that PostgreSQL runs, that FREEHOLD_STORE leads to it, and that it is no copy that only reads."
        : "Look for store. in the log, check the disk, and restart the server.",
    );
  }
}

const days = (ms: number): string => {
  const count = Math.floor(ms / DAY_MS);
  return count === 1 ? "1 day" : `${count} days`;
};

async function backupsOf({ backups, now }: Context): Promise<Finding> {
  const { folder, everyMs, proveEveryMs } = backups.settings;
  if (folder === "")
    return note(
      "backups",
      "none-set",
      "No backups are made by themselves.",
      "Name a folder on another disk in FREEHOLD_BACKUP_FOLDER, and for whom they are sealed in FREEHOLD_BACKUP_RECIPIENTS.",
    );
  const { failed } = await backups.state();
  if (failed !== null)
    return wrong(
      "backups",
      "failed",
      `The last backup failed, ${days(now().getTime() - failed)} ago.`,
      "freehold backup list says why. See that the folder is there and has room, then make one.",
    );
  const whole = (await backups.list(folder)).filter(({ what }) => what === "all");
  const newest = whole.at(-1);
  if (!newest)
    return note("backups", "none-yet", "There is no backup yet.", "Make one now: freehold backup.");
  const age = now().getTime() - newest.time;
  if (everyMs > 0 && age > 2 * everyMs)
    return wrong(
      "backups",
      "old",
      `The last backup is ${days(age)} old.`,
      "Make one now, and look for backup.failed in the log.",
    );
  const proved = whole.findLast(({ proof }) => proof !== null);
  if (!proved || (proveEveryMs > 0 && now().getTime() - proved.time > 2 * proveEveryMs))
    return note(
      "backups",
      "not-proved",
      "No recent backup was proved: nobody knows whether it opens.",
      "Prove the newest: freehold verify-backup FILE.",
    );
  return ok("backups", "good", `The last backup is ${days(age)} old, and one was proved.`);
}

function settingsOf({ config }: Context): readonly Finding[] {
  const { egressAllow, bearer } = config;
  return [
    egressAllow.length > 0
      ? note(
          "way-out",
          "opened",
          `The server fetches from ${egressAllow.length} ${egressAllow.length === 1 ? "address" : "addresses"} that may be private or without TLS (FREEHOLD_EGRESS_ALLOW).`,
          "Keep those that you need, and take the others out.",
        )
      : ok("way-out", "guarded", "The server fetches from public addresses with TLS only."),
    bearer
      ? note(
          "tokens",
          "bearer",
          "Tokens that are bound to no key are accepted (FREEHOLD_BEARER): whoever steals one may use it.",
          "Turn it off, unless an app needs it.",
        )
      : ok("tokens", "bound", "Tokens count only with the key that they were given to."),
  ];
}

interface Answered {
  readonly name: string;
  /** By its clock, milliseconds since 1970; null where it said nothing, or did not answer. */
  readonly date: number | null;
  readonly isThere: boolean;
}

const isElsewhere = (registry: RegistryLink, url: string): registry is RemoteLink =>
  url !== "" && "root" in registry;

/** Asks by the guarded way out: these addresses are what others have written. */
function createAsk({ config, log }: Context) {
  const send = createSafeSend({ egressAllow: config.egressAllow, limits: config.limits, log });
  return async (name: string, url: string): Promise<Answered> => {
    try {
      const { status, headers } = await send(url, {
        method: "GET",
        headers: { accept: "application/json" },
        body: null,
        bytesMax: ANSWER_BYTES_MAX,
        kind: "doctor",
        signal: AbortSignal.timeout(config.limits.egressMsMax),
      });
      const date = Date.parse(headers["date"] ?? "");
      return { name, date: Number.isNaN(date) ? null : date, isThere: status < 500 };
    } catch {
      return { name, date: null, isThere: false };
    }
  };
}

async function registryOf(context: Context, ask: ReturnType<typeof createAsk>) {
  const { config, identity } = context;
  const { registry } = identity;
  if (!isElsewhere(registry, config.registry))
    return {
      findings: [ok("registry", "own", "This server is a registry of its own, and its own witness.")],
      answered: [],
    };
  const answered = [await ask("registry", config.registry)];
  let witnesses: readonly string[] = [];
  try {
    const { zones } = await registry.root();
    const policies = config.zones.map((zone) => zones[zone]?.policy ?? "").join("\n");
    witnesses = [...new Set(policies.match(/https?:\/\/[^\s)]+/g) ?? [])].slice(0, WITNESSES_MAX);
  } catch {
    return {
      findings: [
        wrong(
          "registry",
          "root-not-reached",
          "The root of the registry cannot be asked, or what it says does not hold: no passport can be opened or moved.",
          "See that FREEHOLD_REGISTRY is right, and that this machine may reach it.",
        ),
      ],
      answered,
    };
  }
  const found = await Promise.all(witnesses.map((url) => ask("witness", url)));
  const silent = found.filter(({ isThere }) => !isThere).length;
  return {
    findings: [
      ok("registry", "root-reached", "The root of the registry answers, and what it says holds."),
      silent > 0
        ? note(
            "witnesses",
            "some-silent",
            `${silent} of ${found.length} witnesses of the registry do not answer.`,
            "The registry needs only some of them. If it stays so, tell whoever runs it.",
          )
        : ok(
            "witnesses",
            found.length === 0 ? "none-named" : "reached",
            found.length === 0
              ? "The registry names no witnesses with an address."
              : `All ${found.length} witnesses of the registry answer.`,
          ),
    ],
    answered: [...answered, ...found],
  };
}

/** @param at When they were asked, by this server's clock, milliseconds since 1970. */
export function clockOf(
  others: readonly { readonly name: string; readonly date: number | null }[],
  at: number,
): Finding {
  const dates = others.flatMap(({ date }) => date ?? []).sort((a, b) => a - b);
  const middle = dates[Math.floor(dates.length / 2)];
  if (middle === undefined)
    return note(
      "clock",
      "not-checked",
      "This server's clock could not be held against any other.",
      "Name a host whose clock you trust: freehold doctor --clock https://example.org/. The page of diagnostics holds it against your device's.",
    );
  const seconds = Math.round(Math.abs(at - middle) / 1_000);
  return Math.abs(at - middle) > CLOCK_MS_MAX
    ? wrong(
        "clock",
        "off",
        `This server's clock and that of others are ${seconds} seconds apart: what apps sign is refused as too old or too new.`,
        "Let the system set its clock by itself (timedatectl set-ntp true).",
      )
    : ok("clock", "right", `This server's clock is right to ${Math.max(1, seconds)} s.`);
}

/** @param clock Further clocks, by name. */
export async function lookInside(
  context: Context,
  clock: readonly { readonly name: string; readonly date: number | null }[],
  clockUrl: string | null,
): Promise<readonly Finding[]> {
  const ask = createAsk(context);
  const registry = await registryOf(context, ask);
  const further = clockUrl === null ? [] : [await ask("clock", clockUrl)];
  const at = context.now().getTime();
  return [
    await storeOf(context),
    ok("lock", "held", "This server alone has the data folder open."),
    clockOf([...clock, ...further, ...registry.answered], at),
    await backupsOf(context),
    ...registry.findings,
    ...settingsOf(context),
  ];
}
