/**
 * A whole registry as its operators run it, all by commands, each program in a process and a folder of its own: a root with
 * three holders, two zones, three witnesses, a mirror, and two pod servers.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietPort } from "../../support/process.ts";
import { createProcesses, type Member, type Processes } from "./processes.ts";

export type ZoneName = "ch" | "za";
export type PodsName = "alpen" | "karoo";

export interface Network {
  readonly processes: Processes;
  readonly folder: string;
  readonly urls: Readonly<Record<"root" | "mirror" | ZoneName | PodsName, string>>;
  /** Whatever runs, by its name: `root`, `ch`, `za`, `w1` to `w3`, `mirror`, `alpen`, `karoo`. */
  readonly members: Map<string, Member>;
  path(...parts: readonly string[]): string;
  start(name: string): Promise<void>;
  kill(name: string): Promise<void>;
  /** Runs `freehold …`. @returns what it printed. */
  run(args: readonly string[], code?: number): Promise<string>;
  stop(): Promise<void>;
}

const BEGINNING = Date.parse("2027-02-01T10:00:00Z"); // So that no year ends on the way, whenever this is run.
const WITNESSES = ["w1", "w2", "w3"];
const HOLDERS = ["ann", "ben", "cem"];
const PODS: readonly PodsName[] = ["alpen", "karoo"];

/** @throws Error when something of it does not come up; then nothing of it is left. */
export async function startNetwork(): Promise<Network> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-network-"));
  const processes = createProcesses(BEGINNING);
  const stop = async (): Promise<void> => {
    await processes.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return await build(folder, processes, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(folder: string, processes: Processes, stop: () => Promise<void>): Promise<Network> {
  const path = (...parts: readonly string[]): string => join(folder, ...parts);
  const run = (args: readonly string[], code = 0): Promise<string> => processes.run(args, code);
  const names = ["root", "ch", "za", "mirror", "alpen", "karoo", ...WITNESSES];
  const ports = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await quietPort()] as const)),
  ) as Readonly<Record<string, string>>;
  const urls = Object.fromEntries(
    names.map((name) => [name, `http://localhost:${ports[name]}/`]),
  ) as unknown as Network["urls"];
  const origins = Object.values(urls).map((url) => new URL(url).origin);
  const allow = origins.flatMap((origin) => ["--allow", origin]);
  const members = new Map<string, Member>();

  /** What each is started with, again and again. */
  const programs: Record<string, { readonly args: readonly string[]; readonly sign: RegExp }> = {};
  const start = async (name: string): Promise<void> => {
    const { args, sign } = programs[name] ?? { args: [], sign: /$^/ };
    const member = processes.start(name, args);
    members.set(name, member);
    await member.until(sign);
  };

  const lines: string[] = [];
  for (const name of WITNESSES) {
    await run(["registry", "witness", "init", `${name}.example`, "--folder", path(name)]);
    const about = ["--label", name, "--url", `http://localhost:${ports[name]}/`, "--folder", path(name)];
    const key = (await run(["registry", "witness", "key", ...about]))
      .split("\n")
      .find((line) => line.startsWith(`witness ${name}-ed `));
    lines.push(key ?? "");
    programs[name] = {
      args: ["registry", "witness", "--port", ports[name] ?? "", "--root", urls.root, "--folder", path(name)],
      sign: /answers at/,
    };
  }
  const policy = [...lines, `group two 2 ${WITNESSES.map((name) => `${name}-ed`).join(" ")}`, "quorum two"];
  await writeFile(path("policy"), policy.map((line) => `${line}\n`).join(""));

  const holders: string[] = [];
  for (const name of HOLDERS) {
    const made = await run(["registry", "root", "key", path(`${name}.key`), "--folder", path("root")]);
    holders.push(/z6Mk\w{44}/.exec(made)?.[0] ?? "");
  }
  const root = ["--folder", path("root")];
  const rooted = ["--threshold", "2", "--origin", "root.example", "--policy", path("policy"), ...allow];
  const heldBy = holders.flatMap((holder) => ["--holder", holder]);
  const rootAt = ["--url", urls.root, "--port", ports["root"] ?? "", ...root];
  await run(["registry", "root", "init", "A root for a test", ...rooted, ...heldBy, ...rootAt]);
  programs["root"] = { args: ["registry", "root", "serve", ...root], sign: /answers at/ };

  for (const zone of ["ch", "za"] as const) {
    const own = ["--folder", path(zone)];
    await run([
      "registry",
      "init",
      zone,
      `Association of ${zone}`,
      "--port",
      ports[zone] ?? "",
      "--url",
      urls[zone],
      "--root",
      urls.root,
      "--origin",
      `log.${zone}.example`,
      "--kind",
      "country",
      ...own,
    ]);
    const file = path(zone, "registry.json");
    const settings = JSON.parse(await readFile(file, "utf8")) as object;
    const mirrors = zone === "ch" ? [urls.mirror] : [];
    await writeFile(file, JSON.stringify({ ...settings, policy, allow: origins, mirrors, epochMs: 50 }));
    const shown = await run(["registry", "show", ...own]);
    await writeFile(path(`${zone}.json`), /^record\s+(.*)$/m.exec(shown)?.[1] ?? "");
    await run(["registry", "root", "zone", zone, path(`${zone}.json`), ...root]);
    programs[zone] = { args: ["registry", "serve", ...own], sign: /address\s+http/ };
  }
  for (const holder of HOLDERS.slice(0, 2))
    await run(["registry", "root", "sign", path(`${holder}.key`), ...root]);
  await run(["registry", "root", "publish", ...root]);

  await Promise.all([start("root"), ...WITNESSES.map(start)]);
  await Promise.all([start("ch"), start("za")]);

  const secret = await run(["registry", "mirror", "allow", "the-mirror", "--folder", path("ch")]);
  await writeFile(path("mirror.secret"), /[A-Za-z0-9_-]{43}/.exec(secret)?.[0] ?? "");
  programs["mirror"] = {
    args: [
      "registry",
      "mirror",
      "ch",
      "--root",
      urls.root,
      "--secret",
      path("mirror.secret"),
      "--url",
      urls.mirror,
      "--port",
      ports["mirror"] ?? "",
      "--folder",
      path("mirror"),
    ],
    sign: /answers at/,
  };
  await start("mirror");

  const egress = ["--egress-allow", origins.join(",")];
  const terms = ["https://registry.example/terms", "A".repeat(43)];
  await run(["registry", "policy", "begin", ...terms, "--folder", path("ch")]);
  for (const name of PODS) {
    programs[name] = {
      args: [
        "start",
        "--port",
        ports[name] ?? "",
        "--data",
        path(name),
        "--registry",
        urls.ch,
        "--zones",
        "ch",
        "--registrar",
        `ch.${name}`,
        "--base-url",
        urls[name],
        ...egress,
      ],
      sign: /address\s+http/,
    };
    await start(name);
    const entry = await run(["registrar", name, "mailto:pods@example.org", "--data", path(name)]);
    await writeFile(path(`${name}.json`), entry);
    await run(["registry", "registrar", "enter", path(`${name}.json`), "--folder", path("ch")]);
  }

  return {
    processes,
    folder,
    urls,
    members,
    path,
    start,
    async kill(name) {
      await members.get(name)?.kill();
    },
    run,
    stop,
  };
}
