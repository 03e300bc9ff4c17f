/** `freehold registry root …`: the root's record from its draft to its publication, and the root's server. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  JsonError,
  type KeySet,
  parseStrictJson,
  type RootRecord,
  type ZoneRecord,
} from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { createLog } from "../../log.ts";
import {
  beginRecord,
  changeDraft,
  makeHolderKey,
  publishDraft,
  readDraft,
  readHolderKey,
  readRecord,
  signDraft,
  withZone,
} from "../../registry/root/ceremony.ts";
import { ownPolicy, ownWitnessLine } from "../../registry/zone/cosigning.ts";
import { createLines } from "../lines.ts";
import { flagOf, type ProgramCommand, type ProgramInput } from "../program.ts";
import { allowOf, loadRootConfig, placeOf, writeRootConfig } from "./root-config.ts";

/** With a store, and a server for it: only for whoever needs them, and never for the help, or for who signs. */
const loadServer = () => import("./root-serve.ts");

const PORT = 4200;
const now = (): Date => new Date();
const quiet = createLog(() => {}, now);
const STATUSES: readonly string[] = [
  "active",
  "emergency",
  "failed",
  "delisted",
] satisfies ZoneRecord["status"][];

const rootFolder = ({ folder }: Pick<ProgramInput, "folder">): string => join(folder, "root");

/** @throws OperatorError */
export function portOf(text: string | undefined, fallback: number): number {
  const port = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new OperatorError(`${text} is no port`);
  return port;
}

function thresholdOf(text: string | undefined, count: number): number {
  const threshold = text === undefined ? Math.floor(count / 2) + 1 : Number(text);
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > count)
    throw new OperatorError(`--threshold wants a whole number from 1 to ${count}`);
  return threshold;
}

const holdersOf = ({ flags }: ProgramInput): KeySet => {
  const keys = flags["holder"] ?? [];
  if (keys.length === 0)
    throw new OperatorError(
      "Name who signs the record: --holder with a public key of freehold registry root key, once for each",
    );
  return { keys, threshold: thresholdOf(flags["threshold"]?.at(-1), keys.length) };
};

async function readJson(path: string): Promise<unknown> {
  try {
    return parseStrictJson(await readFile(path, "utf8"));
  } catch (cause) {
    if (cause instanceof JsonError || (cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new OperatorError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
    throw cause;
  }
}

function tell({ version, zones, keys }: RootRecord, say: ProgramInput["say"]): void {
  say(`version  ${version}`);
  say(`holders  ${keys.threshold} of ${keys.keys.length} sign the next one`);
  for (const [name, { operator, status, urls }] of Object.entries(zones))
    say(`zone     ${name}  ${status}  ${operator}  ${urls[0]}`);
}

const holderKey: ProgramCommand = {
  name: "root key",
  usage: "<file>",
  about:
    "Make a key for one who signs the root's record, and print its public half; the file is theirs to keep",
  async run({ args: [file = ""], say }) {
    say((await makeHolderKey(file)).key);
    return 0;
  },
};

const init: ProgramCommand = {
  name: "root init",
  usage: "<description>",
  about: "Make a root: its own keys, its settings root.json, and the draft of its first record",
  flags: {
    holder: "Public key of one who signs the record; once for each",
    threshold: "How many of them must sign (more than half)",
    url: "Address by which others reach it",
    port: `TCP port (${PORT})`,
    origin: "Name of its log, without the year; it stays for ever (default: the address's host)",
    policy: "File with the lines of its witnesses (default: it is its own)",
    allow: "Origin that records may name although it is private or without TLS; may be given again",
  },
  async run(input) {
    const { args, flags, say } = input;
    const keys = holdersOf(input);
    const port = portOf(flagOf(input, "port"), PORT);
    const url = flagOf(input, "url") ?? null;
    if (url !== null && !url.endsWith("/"))
      throw new OperatorError("--url wants an address that ends in a slash");
    const baseUrl = url ?? `http://localhost:${port}/`;
    const folder = rootFolder(input);
    const allow = [...(flags["allow"] ?? []), ...(url === null ? [new URL(baseUrl).origin] : [])];
    const config = { url, host: "127.0.0.1", port, store: "sqlite", allow, trustProxy: ["loopback"] };
    if (await loadRootConfig(folder).catch(() => null))
      throw new OperatorError(`There is a root in ${folder} already`);
    await writeRootConfig(folder, config);
    const { openRootStore } = await loadServer();
    const { store, keys: own } = await openRootStore(folder, config, { now, log: quiet });
    try {
      const origin = flagOf(input, "origin") ?? `${new URL(baseUrl).host}/log/root`;
      const file = flagOf(input, "policy");
      const policy = file === undefined ? await ownPolicy(own, origin) : await readFile(file, "utf8");
      const root = placeOf(own, baseUrl, origin, policy);
      const { record } = await beginRecord(
        folder,
        { description: args[0] ?? "", keys, root },
        now(),
        allowOf(config),
      );
      tell(record, say);
      say(`policy   ${(await ownWitnessLine(own, origin)).trim()}`);
      return 0;
    } finally {
      await store.close();
    }
  },
};

const zone: ProgramCommand = {
  name: "root zone",
  usage: "<zone> [file]",
  about:
    "Put a zone into the draft of the next record, by the record that its operator sends (registry show)",
  flags: { status: `Change its status alone: ${STATUSES.join(", ")}` },
  switches: { remove: "Take it off the list" },
  async run(input) {
    const { args, flags, say } = input;
    const [name = "", file] = args;
    const folder = rootFolder(input);
    const status = flagOf(input, "status");
    if (status !== undefined && !STATUSES.includes(status))
      throw new OperatorError(`--status is one of ${STATUSES.join(", ")}`);
    const given = file === undefined ? null : ((await readJson(file)) as ZoneRecord);
    const { record } = await changeDraft(
      folder,
      (before) => {
        if (flags["remove"]) return withZone(name, null)(before);
        const known = given ?? before.zones[name];
        if (!known) throw new OperatorError(`There is no zone ${name} yet: give the file of its record`);
        return withZone(
          name,
          status === undefined ? known : { ...known, status: status as ZoneRecord["status"] },
        )(before);
      },
      now(),
      allowOf(await loadRootConfig(folder)),
    );
    tell(record, say);
    return 0;
  },
};

const holders: ProgramCommand = {
  name: "root holders",
  usage: "",
  about:
    "Hand the root over in the next record: those of now sign it, and as many of the new ones as it asks for",
  flags: {
    holder: "Public key of one who signs from then on; once for each",
    threshold: "How many of them must sign (more than half)",
  },
  async run(input) {
    const folder = rootFolder(input);
    const keys = holdersOf(input);
    const { record } = await changeDraft(
      folder,
      () => ({ keys }),
      now(),
      allowOf(await loadRootConfig(folder)),
    );
    tell(record, input.say);
    return 0;
  },
};

const sign: ProgramCommand = {
  name: "root sign",
  usage: "<key file>",
  about:
    "Sign the draft with a holder's key; in the folder of the root, or in one to which record.json and draft.json were copied",
  async run(input) {
    const folder = rootFolder(input);
    const holder = await readHolderKey(input.args[0] ?? "");
    const config = await loadRootConfig(folder).catch(() => ({ allow: [] }));
    const { count, threshold, signed } = await signDraft(folder, holder, allowOf(config));
    input.say(`version ${signed.record.version}: ${count} of ${threshold} signatures`);
    return 0;
  },
};

const publish: ProgramCommand = {
  name: "root publish",
  usage: "",
  about: "Make the draft the record, once enough have signed it; a running server takes it up by itself",
  async run(input) {
    const folder = rootFolder(input);
    tell(await publishDraft(folder, allowOf(await loadRootConfig(folder))), input.say);
    return 0;
  },
};

const show: ProgramCommand = {
  name: "root show",
  usage: "",
  about: "Print the record, and the draft of the next one where there is one",
  async run(input) {
    const folder = rootFolder(input);
    const allowUrl = allowOf(await loadRootConfig(folder));
    const [current, draft] = [await readRecord(folder, allowUrl), await readDraft(folder, allowUrl)];
    if (current) tell(current.record, input.say);
    if (draft) {
      input.say(`draft    with ${draft.sigs.length} signatures`);
      tell(draft.record, input.say);
    }
    return 0;
  },
};

const serve: ProgramCommand = {
  name: "root serve",
  usage: "",
  about: "Run the root: hand out its record, order ports, and hear whom a zone does not hear",
  switches: { quiet: "Log nothing but warnings" },
  async run({ folder, flags, signal, say }) {
    const lines = createLines((text) => void process.stdout.write(text));
    const level = process.stdout.isTTY || flags["quiet"] ? "warn" : "info";
    const { serveRoot } = await loadServer();
    const root = await serveRoot(join(folder, "root"), { now, log: createLog(lines.write, now, level) });
    say(`The root answers at ${root.baseUrl}`);
    if (!signal.aborted) await once(signal, "abort");
    await root.close();
    lines.flush();
    return 0;
  },
};

export const ROOT_COMMANDS: readonly ProgramCommand[] = [
  holderKey,
  init,
  zone,
  holders,
  sign,
  publish,
  show,
  serve,
];
