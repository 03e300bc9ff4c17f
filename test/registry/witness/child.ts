/** A witness in a process that is there to be killed: its folder and the keys of logs are the arguments. */
import { parseVerifierKey } from "@freehold/client/registry";
import { serveWitness } from "../../../server/registry/witness/serve.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const [folder = "", ...vkeys] = process.argv.slice(2);
const logs = await Promise.all(vkeys.map(parseVerifierKey));
const { url, keys } = await serveWitness(
  { folder, port: 0, host: "127.0.0.1", logs, root: null, fetch },
  { now: () => new Date(), log: quiet },
);
process.stdout.write(`The witness answers at ${url}\n${keys.join("\n")}\n`);
