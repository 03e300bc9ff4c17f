/** A registry in a process of its own, run by its commands as an operator runs them; and what pod servers need to use it. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REGISTRY_COMMANDS } from "../../server/cli/registry/commands.ts";
import { registrarTask } from "../../server/cli/tasks/registrar.ts";
import { freehold, type Program, quietPort } from "../support/process.ts";
import { startServer, type TestServer } from "../support/server.ts";

export interface RegistryProcess {
  /** Ends in a slash. */
  readonly url: string;
  readonly folder: string;
  /** Types `freehold registry …` for its folder. @returns what it printed. @throws where it was refused. */
  typed(...args: readonly string[]): Promise<string>;
  /** The same command without a process of its own: it, too, has the serving process do it. */
  command(...args: readonly string[]): Promise<string>;
  /** As {@link command}, with a file that holds this as its last argument. */
  enter(command: readonly string[], entry: object): Promise<string>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

/** @param origins That passports and entries may name although they are on this machine. */
export async function startRegistry(origins: readonly string[], zone = "zz"): Promise<RegistryProcess> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-registry-"));
  const port = await quietPort();
  const url = `http://localhost:${port}/`;
  let program: Program | null = null;
  const typed = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await freehold(["registry", ...args, "--folder", folder]).ended;
    if (code !== 0) throw new Error(`freehold registry ${args.join(" ")} ended with ${code}: ${out}${err}`);
    return out;
  };
  const command = async (...words: readonly string[]): Promise<string> => {
    const found = REGISTRY_COMMANDS.filter(({ name }) => `${words.join(" ")} `.startsWith(`${name} `)).sort(
      (one, other) => other.name.length - one.name.length,
    )[0];
    if (!found) throw new Error(`There is no command ${words.join(" ")}`);
    const rest = words.slice(found.name.split(" ").length);
    const flags: Record<string, string[]> = {};
    const args: string[] = [];
    for (let at = 0; at < rest.length; at++) {
      const word = rest[at] ?? "";
      if (word.startsWith("--")) flags[word.slice(2)] = [rest[++at] ?? ""];
      else args.push(word);
    }
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const signal = new AbortController().signal;
    const code = await found.run({
      args,
      flags,
      folder,
      signal,
      say,
      report: () => {},
      now: () => new Date(),
    });
    if (code !== 0) throw new Error(`freehold registry ${words.join(" ")} ended with ${code}`);
    return lines.join("\n");
  };
  const registry: RegistryProcess = {
    url,
    folder,
    typed,
    command,
    async enter(words, entry) {
      const file = join(folder, "entry.json");
      await writeFile(file, JSON.stringify(entry));
      return command(...words, file);
    },
    async start() {
      program = freehold(["registry", "serve", "--folder", folder]);
      await program.until(/address {2}http/);
    },
    async stop() {
      await program?.stop();
      program = null;
    },
    async remove() {
      await registry.stop();
      await rm(folder, { recursive: true });
    },
  };
  await command("init", zone, "Test association", "--port", port, "--url", url);
  const file = join(folder, "registry.json");
  const settings = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(
    file,
    JSON.stringify({ ...settings, allow: [...origins, new URL(url).origin], epochMs: 20 }),
  );
  await registry.start();
  await command("policy", "begin", "https://registry.example/terms", "A".repeat(43));
  return registry;
}

/** Settings of a pod server that keeps its people's passports there. */
export const usingRegistry = (
  { url }: Pick<RegistryProcess, "url">,
  registrar: string,
  port: string,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => ({
  FREEHOLD_PORT: port,
  FREEHOLD_REGISTRY: url,
  FREEHOLD_ZONES: "zz",
  FREEHOLD_REGISTRAR: registrar,
  FREEHOLD_EGRESS_ALLOW: new URL(url).origin,
  ...more,
});

/** A pod server that is a registrar of that registry. */
export async function startPods(
  registry: RegistryProcess,
  registrar: string,
  port: string,
  more: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const server = await startServer(usingRegistry(registry, registrar, port, more));
  await enterPods(registry, server, registrar);
  return server;
}

/** From then on the registry takes passports of this server. */
export async function enterPods(
  registry: RegistryProcess,
  { context }: TestServer,
  registrar: string,
): Promise<void> {
  const input = { args: [registrar, "mailto:pods@example.org"], flags: {}, secret: null };
  const { lines } = await registrarTask.run(context, input, () => {});
  await registry.enter(["registrar", "enter"], JSON.parse(lines.join("\n")) as object);
}
