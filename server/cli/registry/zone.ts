/** `freehold registry init`, `serve` and `show`: a zone of one's own, from its keys to its doors. */
import { once } from "node:events";
import { allowLoopback } from "@freehold/client/registry";
import { ConfigError } from "../../config.ts";
import { VERSION } from "../../health.ts";
import { createLog } from "../../log.ts";
import { createLines } from "../lines.ts";
import { flagOf, type ProgramCommand, type ProgramInput } from "../program.ts";
import { hasPassword, loadRegistryConfig, type RegistryConfig, writeRegistryConfig } from "./config.ts";
import type { RegistryTask } from "./task.ts";

/** With all that a pod server has, too: only for whoever needs it, and never for the help. */
const loadRegistry = () => import("./registry.ts");

const now = (): Date => new Date();
const quiet = createLog(() => {}, now);

const urlOf = ({ url, port }: RegistryConfig): string => url ?? `http://localhost:${port}/`;

/** What others must know of the zone: the root's operator, and who writes a policy. */
async function tell(config: RegistryConfig, say: ProgramInput["say"]): Promise<void> {
  const { openZoneStore, selfLineOf, zoneRecordOf } = await loadRegistry();
  const { store, keys } = await openZoneStore(config, { now, log: quiet });
  try {
    const record = await zoneRecordOf(config, urlOf(config), { store, keys });
    say(`zone     ${config.zone}`);
    say(`address  ${record.urls[0]}`);
    say(`log      ${record.log.origin}`);
    say(`policy   ${(await selfLineOf(record, keys)).trim()}`);
    say(`record   ${JSON.stringify(record)}`);
  } finally {
    await store.close();
  }
}

const PORT = 4100; // Where registry.json says nothing else.

/** Of addresses, the origins that are on this machine: who tries things out need not allow them by hand. */
const localOf = (urls: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(
    urls.flatMap((url) =>
      url !== undefined && URL.canParse(url) && allowLoopback(new URL(url)) ? [new URL(url).origin] : [],
    ),
  ),
];

const init: ProgramCommand = {
  name: "init",
  usage: "<zone> <operator>",
  about: "Make a zone: its keys and its settings, registry.json, which may be edited before it is served",
  flags: {
    url: "Address by which others reach it, such as https://r1.example/",
    host: "Address to listen on (127.0.0.1)",
    port: "TCP port (4100)",
    origin: "Name of its log, without the year; it stays for ever (default: from the address)",
    kind: "country, neutral or private",
    root: "Address of the root that lists it; without, it is its own root",
    store: "sqlite, or postgres://…",
  },
  async run(input) {
    const [zone = "", operator = ""] = input.args;
    if (hasPassword(flagOf(input, "store") ?? ""))
      throw new ConfigError(
        "--store holds a password, and everybody on this machine can read the arguments of a command; leave it to PGPASSWORD, or write the store into registry.json afterwards: the zone has other keys there (freehold registry show)",
      );
    const given = (name: string): object => {
      const value = flagOf(input, name);
      return value === undefined ? {} : { [name]: name === "port" ? Number(value) : value };
    };
    const config = await writeRegistryConfig(input.folder, {
      zone,
      operator,
      allow: localOf([
        flagOf(input, "url") ?? `http://localhost:${flagOf(input, "port") ?? PORT}/`,
        flagOf(input, "root"),
      ]),
      ...["url", "host", "port", "origin", "kind", "root", "store"].reduce(
        (fields, name) => ({ ...fields, ...given(name) }),
        {},
      ),
      policy: [],
      legalKeys: [],
    });
    await tell(config, input.say);
    return 0;
  },
};

const show: ProgramCommand = {
  name: "show",
  usage: "",
  about:
    "Print what the root's record should say of this zone, and its own line of a policy; not while it is served",
  async run({ folder, say }) {
    await tell(await loadRegistryConfig(folder), say);
    return 0;
  },
};

/** @param tasks What a running server does for its operator. */
export function zoneCommands(tasks: readonly RegistryTask[]): readonly ProgramCommand[] {
  const serve: ProgramCommand = {
    name: "serve",
    usage: "",
    about: "Run the zone: take operations, publish its log, answer for its passports",
    switches: { quiet: "Log nothing but warnings" },
    async run({ folder, flags, signal, say, report }) {
      const config = await loadRegistryConfig(folder);
      const isTerminal = process.stdout.isTTY;
      const lines = createLines((text) => void process.stdout.write(text));
      process.once("exit", lines.flush);
      // A person at a terminal sees how far it is; whoever keeps a log has each request.
      const level = isTerminal || flags["quiet"] ? "warn" : "info";
      const log = createLog(lines.write, now, level);
      const { serveRegistry } = await import("./serve.ts");
      const served = await serveRegistry(config, { now, log, tasks });
      const { zone, baseUrl } = served;
      const root = config.root ?? "its own";
      say(
        [
          `Freehold ${VERSION}, zone ${zone.name}`,
          `  address  ${baseUrl}`,
          `  data     ${folder}`,
          `  root     ${root}`,
        ].join("\n"),
      );
      const unlisten = zone.onPublished(({ shard, rootLeaf }) => {
        if (isTerminal)
          report({ stage: `passports of ${shard}`, done: rootLeaf.count, total: null, unit: "items" });
      });
      try {
        if (!signal.aborted) await once(signal, "abort");
      } finally {
        unlisten();
        await served.close();
      }
      return 0;
    },
  };
  return [init, serve, show];
}
