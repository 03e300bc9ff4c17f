/** `freehold registry mirror`, `takeover` and `audit`: copies of a zone, what becomes of one in need, and looks from outside. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { allowLoopback, type RootRecord } from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { createLog } from "../../log.ts";
import type { ZoneAudit } from "../../registry/audit/audit.ts";
import { allowMirror, endMirror } from "../../registry/mirror/secrets.ts";
import { createRootRelay } from "../../registry/root/relay.ts";
import { createLines } from "../lines.ts";
import { EXIT } from "../messages.ts";
import { flagOf, type ProgramCommand, type ProgramInput } from "../program.ts";
import { portOf } from "./root.ts";

const PORT = 4300;
const now = (): Date => new Date();
const quiet = createLog(() => {}, now);

function addressOf(text: string | undefined, what: string): string {
  if (text === undefined || !URL.canParse(text))
    throw new OperatorError(`Name ${what}, such as https://root.example/`);
  return text.endsWith("/") ? text : `${text}/`;
}

const mirror: ProgramCommand = {
  name: "mirror",
  usage: "<zone>",
  about: "Run a mirror of a zone: of its log, and with the secret of a contract of its passports",
  flags: {
    root: "Address of the root, or of whoever hands its record on",
    source: "Where to copy from (the zone itself)",
    secret:
      "File with the secret that the zone's operator gave (registry mirror allow); without, the mirror is blind",
    url: "Address by which others reach it",
    host: "Address to listen on (127.0.0.1)",
    port: `TCP port (${PORT})`,
  },
  switches: { quiet: "Log nothing but warnings" },
  async run(input) {
    const { args, flags, folder, signal, say, report } = input;
    const file = flagOf(input, "secret");
    const source = flagOf(input, "source");
    const lines = createLines((text) => void process.stdout.write(text));
    const { serveMirror } = await import("./mirror-serve.ts"); // With a store: not for the help, or for who audits.
    const served = await serveMirror(
      {
        folder,
        zone: args[0] ?? "",
        root: addressOf(flagOf(input, "root"), "--root, the root's address"),
        source: source === undefined ? null : addressOf(source, "--source, an address"),
        secret: file === undefined ? null : (await readFile(file, "utf8")).trim(),
        url: flagOf(input, "url") ?? null,
        host: flagOf(input, "host") ?? "127.0.0.1",
        port: portOf(flagOf(input, "port"), PORT),
      },
      {
        now,
        log: createLog(lines.write, now, process.stdout.isTTY || flags["quiet"] ? "warn" : "info"),
        progress: (stage, done, total) => report({ stage: `copying ${stage}`, done, total, unit: "items" }),
      },
    );
    say(`The mirror answers at ${served.baseUrl}`);
    if (!signal.aborted) await once(signal, "abort");
    await served.close();
    lines.flush();
    return 0;
  },
};

const allow: ProgramCommand = {
  name: "mirror allow",
  usage: "<name>",
  about: "Let a mirror under contract copy this zone's passports; prints its secret, which is shown once",
  async run({ args: [name = ""], folder, say }) {
    say(await allowMirror(folder, name));
    return 0;
  },
};

const end: ProgramCommand = {
  name: "mirror end",
  usage: "<name>",
  about: "End a mirror's contract: it is given nothing more, and drops what it has within a week",
  async run({ args: [name = ""], folder, say }) {
    await endMirror(folder, name);
    say(`${name} is given nothing more`);
    return 0;
  },
};

const takeover: ProgramCommand = {
  name: "takeover",
  usage: "<zone> <operator>",
  about:
    "Go on with a zone that has failed, from this folder's mirror; prints what the root's record must say of it then",
  flags: {
    url: "Address by which others will reach it",
    origin: "Name of its new log, without the year: none that any log ever had",
    root: "Address of the root",
    port: "TCP port (4100)",
    policy: "File with the lines of its witnesses (default: it is its own)",
    allow: "Origin that passports may name although it is private or without TLS; may be given again",
  },
  async run(input) {
    const { args, flags, folder, say } = input;
    const origin = flagOf(input, "origin");
    if (origin === undefined)
      throw new OperatorError("Name the new log: --origin, such as log.ch.emergency.example");
    const port = flagOf(input, "port");
    const file = flagOf(input, "policy");
    const policy =
      file === undefined ? [] : (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
    const { takeOver } = await import("./takeover.ts");
    const record = await takeOver(
      folder,
      {
        zone: args[0] ?? "",
        operator: args[1] ?? "",
        url: addressOf(flagOf(input, "url"), "--url, its address"),
        origin,
        root: addressOf(flagOf(input, "root"), "--root, the root's address"),
        ...(port !== undefined && { port: portOf(port, 0) }),
        policy,
        allow: flags["allow"] ?? [],
      },
      { now, log: quiet },
    );
    say(JSON.stringify(record));
    return 0;
  },
};

/** The root's record, as it is followed in the auditor's own folder. */
async function recordAt(url: string, folder: string): Promise<RootRecord> {
  const isLocal = allowLoopback(new URL(url));
  const relay = await createRootRelay({
    url,
    folder,
    fetch,
    now,
    log: quiet,
    ...(isLocal && { allowUrl: allowLoopback }),
  });
  await relay.renew();
  const newest = relay.newest();
  if (!newest)
    throw new OperatorError(`${url} shows no record of a root that follows from the one that is known here`);
  return newest.record;
}

function tell(
  { zone, shard, replay, heldAgainst, witnesses, asOf, faults }: ZoneAudit,
  say: ProgramInput["say"],
): void {
  say(`${shard ?? zone}  ${faults.length === 0 ? "holds" : "does not hold"}`);
  if (replay) {
    const { set, delete: removed, governance } = replay.leaves;
    say(
      `  ${replay.size} leaves: ${set} set, ${removed} removed, ${governance} of governance; ${replay.epochs} maps, the last with ${replay.count} keys`,
    );
    say(
      `  signed by ${witnesses.join(", ") || "nobody else"}, as of ${asOf === null ? "nobody knows when" : new Date(asOf).toISOString()}`,
    );
    say(`  held against ${[...new Set(heldAgainst)].join(", ") || "nothing else"}`);
  }
  for (const { at, what, by } of faults) say(`  at ${at}: ${what}${by === undefined ? "" : ` (${by})`}`);
}

const auditing: ProgramCommand = {
  name: "audit",
  usage: "<root>",
  about:
    "Replay the public logs of all zones, and hold them against everybody who saw them; ends with 1 when one does not hold",
  flags: { zone: "Only this one, or root; may be given again" },
  async run(input) {
    const { args, flags, folder, signal, say, report } = input;
    const record = await recordAt(addressOf(args[0], "the root's address"), join(folder, "audit"));
    const deps = {
      fetch,
      record,
      now,
      folder,
      signal,
      progress: (zone: string, done: number, total: number) =>
        report({ stage: `replaying ${zone}`, done, total, unit: "items" }),
    };
    const { audit } = await import("../../registry/audit/audit.ts");
    let isFine = true;
    for await (const one of audit(deps, flags["zone"] ?? [])) {
      tell(one, say);
      isFine &&= one.faults.length === 0;
    }
    return isFine ? 0 : EXIT.failed;
  },
};

export const MIRROR_COMMANDS: readonly ProgramCommand[] = [mirror, allow, end, takeover, auditing];
