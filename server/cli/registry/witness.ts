/** `freehold registry witness …`: anybody can be a witness, with a small folder and a process that needs no database. */
import { once } from "node:events";
import { join } from "node:path";
import { allowLoopback, decodeKey, parseVerifierKey } from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { createLog } from "../../log.ts";
import type { ZoneLog } from "../../registry/witness/follow.ts";
import { initWitness, openSigners, policyLines } from "../../registry/witness/identity.ts";
import { createLines } from "../lines.ts";
import { flagOf, type ProgramCommand, type ProgramInput } from "../program.ts";

const PORT = 8090;
const HOST = "127.0.0.1"; // Others reach it through whatever ends TLS for it.

/** Beside what a registry keeps in the same folder, so that one machine can be both. */
const folderOf = ({ folder }: ProgramInput): string => join(folder, "witness");

const init: ProgramCommand = {
  name: "witness init",
  usage: "<name>",
  about: "Make the keys of a witness; its name is an address without https://, such as witness.example/w1",
  async run(input) {
    await initWitness(folderOf(input), input.args[0] ?? "");
    return key.run({ ...input, args: [] });
  },
};

const key: ProgramCommand = {
  name: "witness key",
  usage: "",
  about: "Print the witness's public keys as lines for a zone's policy",
  flags: {
    label: "What the policy calls it (default: witness)",
    url: "Where it answers (default: https:// and its name)",
  },
  async run(input) {
    const signers = await openSigners(folderOf(input), () => new Date());
    const url = flagOf(input, "url") ?? `https://${signers[0]?.key.name}/`;
    input.say(policyLines(signers, flagOf(input, "label") ?? "witness", url).trimEnd());
    return 0;
  },
};

function portOf(text: string | undefined): number {
  const port = text === undefined ? PORT : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new OperatorError(`${text} is no port`);
  return port;
}

function zoneLogOf(text: string): ZoneLog {
  const [origin = "", key = ""] = text.split("=");
  if (origin === "" || !decodeKey(key))
    throw new OperatorError(`${text} is not an origin, = and a key (z6Mk…)`);
  return { origin, key };
}

const serve: ProgramCommand = {
  name: "witness",
  usage: "",
  about: "Run the witness: cosign the logs it follows, one tree of each size",
  flags: {
    port: `TCP port (default: ${PORT})`,
    host: `Address to listen on (default: ${HOST})`,
    log: "Verifier key of a log to follow; its name is the log's origin",
    zone: "Log of a zone that no root names yet, in all years: <origin>=<key>, as its record has them",
    root: "Registry's root: the logs of all zones in its record are followed",
    "trust-proxy":
      "Address or network of a proxy whose X-Forwarded-For is believed (default: this machine's own)",
  },
  async run(input) {
    const { flags, signal, say } = input;
    const given = flagOf(input, "root");
    const root = given === undefined ? null : given.replace(/\/?$/, "/");
    const logs = await Promise.all((flags["log"] ?? []).map(parseVerifierKey));
    const zones = (flags["zone"] ?? []).map(zoneLogOf);
    if (root === null && logs.length + zones.length === 0)
      throw new OperatorError(
        "Name what to follow: --root with an address, --zone, or --log with a verifier key",
      );
    const lines = createLines((text) => void process.stdout.write(text));
    const now = (): Date => new Date();
    const isLocal = root !== null && URL.canParse(root) && allowLoopback(new URL(root));
    const { createClientAddress } = await import("../../http/client-address.ts");
    const { serveWitness } = await import("../../registry/witness/serve.ts"); // Who prints a key needs no server.
    const server = await serveWitness(
      {
        folder: folderOf(input),
        port: portOf(flagOf(input, "port")),
        host: flagOf(input, "host") ?? HOST,
        logs,
        zones,
        root,
        fetch: (url, init) => fetch(url, init),
        ...(isLocal && { allowUrl: allowLoopback }), // Whoever follows a root on this machine tries things out.
      },
      {
        now,
        log: createLog(lines.write, now),
        ipOf: createClientAddress(flags["trust-proxy"] ?? ["loopback"]),
      },
    );
    say(`The witness answers at ${server.url}`);
    for (const verifierKey of server.keys) say(verifierKey);
    if (!signal.aborted) await once(signal, "abort");
    await server.close();
    lines.flush();
    return 0;
  },
};

export const WITNESS_COMMANDS: readonly ProgramCommand[] = [init, key, serve];
