/**
 * The Dockerfile's steps, carried out in folders by bubblewrap: for machines without a container engine. Its base is a Debian
 * of its own, or, where that cannot be had, this machine's own programs.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { contextOf, expand, type Instruction, parseDockerfile, type Stage } from "./dockerfile.ts";

const ROOT = join(import.meta.dirname, "../..");
const DEBIAN = "bookworm";
const STEP_MS_MAX = 8 * 60_000;
const DEBIAN_MS_MAX = 5 * 60_000; // A slow network must not cost the whole test.

/** What a container would have of the image's description. */
export interface Image {
  readonly root: string;
  /** Arguments for bubblewrap that make the root complete. */
  readonly binds: readonly string[];
  readonly base: "debian" | "this machine";
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly volumes: readonly string[];
}

interface Base {
  readonly kind: Image["base"];
  readonly folder: string;
  readonly binds: readonly string[];
}

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** @returns why none can be built here; null when it can. */
export function missing(): string | null {
  if (process.getuid?.() !== 0) return "only root can make files that belong to several users";
  for (const program of ["bwrap", "setpriv"])
    if (!has(program)) return `${program} is not installed: apt-get install bubblewrap util-linux`;
  const tried = spawnSync("bwrap", ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]);
  return tried.status === 0 ? null : `bubblewrap may not work here: ${tried.stderr.toString()}`;
}

function debian(folder: string): Base | null {
  if (!has("debootstrap")) return null;
  // In a namespace of its own: what it mounts there has gone when it has ended, however it ends.
  const make = ["--mount", "debootstrap", "--variant=minbase", DEBIAN, folder];
  const made = spawnSync("unshare", make, { timeout: DEBIAN_MS_MAX });
  return made.status === 0 ? { kind: "debian", folder, binds: [] } : null;
}

/** A root of its own, in which programs and libraries are this machine's, and only `/usr/local` is new. */
function thisMachine(folder: string): Base {
  const shared = ["bin", "sbin", "lib", "lib64", "share"].filter((name) => existsSync(join("/usr", name)));
  for (const name of ["usr/local/bin", "etc", "root", "tmp", ...shared.map((one) => `usr/${one}`)])
    mkdirSync(join(folder, name), { recursive: true });
  for (const name of shared.filter((one) => one !== "share")) symlinkSync(`usr/${name}`, join(folder, name));
  return {
    kind: "this machine",
    folder,
    binds: shared.flatMap((name) => ["--ro-bind", `/usr/${name}`, `/usr/${name}`]),
  };
}

/** What the image `node:24-slim` has beside Debian: Node and npm. */
function withNode(base: Base): Base {
  const local = join(base.folder, "usr/local");
  mkdirSync(join(local, "bin"), { recursive: true });
  cpSync(realpathSync(process.execPath), join(local, "bin/node"));
  const npm = dirname(
    dirname(realpathSync(execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim())),
  );
  cpSync(npm, join(local, "lib/node_modules/npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(local, "bin/npm"));
  for (const name of ["dev", "proc", "sys", "tmp"]) mkdirSync(join(base.folder, name), { recursive: true });
  return base;
}

/** Whatever npm needs on this machine to reach its registry, and what it has already. */
function network(): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const names = /^(?:npm_config_.*|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (names.test(name) && value) env[name] = value;
  const files = ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl", env["NODE_EXTRA_CA_CERTS"] ?? ""];
  const settings = join(process.env["HOME"] ?? "/root", ".npmrc");
  const cache = execFileSync("npm", ["config", "get", "cache"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
  const args = files
    .filter((path) => path !== "" && existsSync(path))
    .flatMap((path) => ["--ro-bind", realpathSync(path), path]);
  if (existsSync(settings)) args.push("--ro-bind", settings, "/etc/npmrc-of-the-builder");
  if (existsSync(cache)) args.push("--bind", cache, "/var/cache/npm");
  return {
    args,
    env: {
      ...env,
      npm_config_cache: "/var/cache/npm",
      npm_config_prefer_offline: "true",
      ...(existsSync(settings) && { npm_config_userconfig: "/etc/npmrc-of-the-builder" }),
    },
  };
}

interface Working {
  readonly root: string;
  folder: string;
  env: Record<string, string>;
}

function sourcesOf(
  files: readonly string[],
  source: string,
): readonly (readonly [from: string, inside: string])[] {
  const bare = posix.normalize(source).replace(/^\.?\/|\/$/g, "");
  if (files.includes(bare)) return [[bare, posix.basename(bare)]];
  const inside = files.filter((path) => path.startsWith(`${bare}/`));
  if (inside.length === 0) throw new Error(`COPY: ${source} does not reach the builder`);
  return inside.map((path) => [path, path.slice(bare.length + 1)] as const);
}

function copy(
  working: Working,
  rest: string,
  roots: ReadonlyMap<string, string>,
  files: readonly string[],
): void {
  const parts = rest.split(/\s+/);
  const from = parts[0]?.startsWith("--from=") ? parts.shift()?.slice("--from=".length) : undefined;
  if (parts.some((part) => part.startsWith("--")))
    throw new Error(`COPY with an option that is not known: ${rest}`);
  const to = parts.pop() ?? "";
  const target = join(working.root, posix.resolve(working.folder, to));
  if (from !== undefined) {
    const other = roots.get(from);
    if (other === undefined) throw new Error(`COPY: there is no stage ${from}`);
    for (const part of parts) cpSync(join(other, part), target, { recursive: true, verbatimSymlinks: true });
    return;
  }
  if (parts.length > 1 && !to.endsWith("/")) throw new Error(`COPY: several files need a folder: ${rest}`);
  for (const source of parts) {
    for (const [path, inside] of sourcesOf(files, source)) {
      const isFile = path === posix.normalize(source);
      const place = isFile && !to.endsWith("/") && to !== "." ? target : join(target, inside);
      mkdirSync(dirname(place), { recursive: true });
      cpSync(join(ROOT, path), place);
    }
  }
}

function run({ root, folder, env }: Working, binds: readonly string[], command: string): void {
  const { args, env: own } = network();
  mkdirSync(join(root, "var/cache/npm"), { recursive: true });
  const set = Object.entries({ PATH: PATHS, HOME: "/root", ...env, ...own }).flatMap(([name, value]) => [
    "--setenv",
    name,
    value,
  ]);
  const caps = ["CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE", "CAP_FSETID"].flatMap((cap) => [
    "--cap-add",
    cap,
  ]);
  const sandbox = [
    "--bind",
    root,
    "/",
    ...binds,
    ...args,
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "--unshare-pid",
  ];
  const done = spawnSync(
    "bwrap",
    [...sandbox, ...caps, "--clearenv", ...set, "--chdir", folder, "sh", "-ec", command],
    {
      encoding: "utf8",
      timeout: STEP_MS_MAX,
    },
  );
  if (done.status !== 0)
    throw new Error(`RUN ${command} ended with ${done.status}: ${done.stdout}${done.stderr}`);
}

const PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const listOf = (rest: string): readonly string[] => JSON.parse(rest) as readonly string[];

function pairsOf(rest: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const [, name = "", quoted, bare = ""] of rest.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g))
    pairs[name] = expand(quoted ?? bare, env);
  return pairs;
}

type Description = {
  -readonly [K in "entrypoint" | "command" | "healthcheck" | "volumes" | "user"]: Image[K];
};

function carryOut(
  { name, rest }: Instruction,
  working: Working,
  described: Description,
  around: {
    readonly base: Base;
    readonly roots: ReadonlyMap<string, string>;
    readonly files: readonly string[];
  },
): void {
  const { env } = working;
  if (name === "ENV") Object.assign(env, pairsOf(rest, env));
  else if (name === "WORKDIR") {
    working.folder = posix.resolve(working.folder, expand(rest, env));
    mkdirSync(join(working.root, working.folder), { recursive: true });
  } else if (name === "COPY") copy(working, expand(rest, env), around.roots, around.files);
  else if (name === "RUN") run(working, around.base.binds, rest);
  else if (name === "USER") {
    const [, uid, gid] = /^(\d+):(\d+)$/.exec(rest) ?? [];
    if (uid === undefined || gid === undefined)
      throw new Error(`USER ${rest}: numbers can be checked before a start, names cannot`);
    described.user = { uid: Number(uid), gid: Number(gid) };
  } else if (name === "VOLUME") described.volumes = rest.startsWith("[") ? listOf(rest) : rest.split(/\s+/);
  else if (name === "ENTRYPOINT") described.entrypoint = listOf(rest);
  else if (name === "CMD") described.command = listOf(rest);
  else if (name === "HEALTHCHECK") described.healthcheck = listOf(/\bCMD\s+(\[.*\])$/.exec(rest)?.[1] ?? "");
  else if (name === "ARG") throw new Error("ARG within a stage is not known here");
}

/** @param folder An empty one of this test's; belongs to root afterwards. @throws Error that names the step that failed. */
export function build(folder: string): Image {
  const stages = parseDockerfile(readFileSync(join(ROOT, "docker/Dockerfile"), "utf8"));
  const files = contextOf(ROOT, readFileSync(join(ROOT, "docker/Dockerfile.dockerignore"), "utf8"));
  chmodSync(folder, 0o755);
  const base = withNode(debian(join(folder, "debian")) ?? thisMachine(join(folder, "machine")));
  const roots = new Map<string, string>();
  const described: Description = {
    entrypoint: [],
    command: [],
    healthcheck: [],
    volumes: [],
    user: { uid: 0, gid: 0 },
  };
  const begin = ({ image, name }: Stage, index: number): Working => {
    if (!/^node:24(?:\.\d+)*-slim$/.test(image))
      throw new Error(`FROM ${image}: what is in it is not known here`);
    const root = join(folder, `stage-${index}`);
    execFileSync("cp", ["-a", "--reflink=auto", base.folder, root]);
    if (name !== null) roots.set(name, root);
    return { root, folder: "/", env: {} };
  };
  let working: Working | null = null;
  for (const [index, stage] of stages.entries()) {
    working = begin(stage, index);
    for (const instruction of stage.instructions) {
      try {
        carryOut(instruction, working, described, { base, roots, files });
      } catch (cause) {
        throw new Error(`Dockerfile, line ${instruction.line}: ${(cause as Error).message}`, { cause });
      }
    }
  }
  if (!working) throw new Error("The Dockerfile has no stage");
  const { root, env, folder: at } = working;
  return { root, binds: base.binds, base: base.kind, env: { PATH: PATHS, ...env }, folder: at, ...described };
}
