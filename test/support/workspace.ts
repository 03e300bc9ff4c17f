/**
 * Packages that are too heavy for the product's own tree: installed once, outside the checkout, in a folder named by
 * their lock file.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FILES = ["package.json", "package-lock.json", ".npmrc"] as const;
const installMsMax = 420_000;
const installSaysEveryMs = 15_000;

/** What npm says where no registry can be reached: no fault of ours. */
const UNREACHABLE =
  /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/;

/** A minute of silence looks like a hang. */
const say = (text: string): void => void process.stdout.write(`      ${text}\n`);

/** Ends a child and all that it started. */
export function end(child: ChildProcess): void {
  try {
    process.kill(-(child.pid ?? 0), "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // It is gone already, or never led a group.
  }
}

async function npmCi(
  cwd: string,
  name: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const args = ["ci", "--ignore-scripts", "--prefer-offline", "--fetch-retries=2", "--fetch-timeout=30000"];
  const child = spawn("npm", args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const began = Date.now();
  const progress = setInterval(() => {
    say(`installing the ${name}: ${Math.round((Date.now() - began) / 1000)} s`);
    if (Date.now() - began > installMsMax) end(child);
  }, installSaysEveryMs);
  try {
    return await new Promise((done, fail) => {
      child.on("error", fail);
      child.on("close", (code) => done({ code, output }));
    });
  } finally {
    clearInterval(progress);
  }
}

/**
 * Installs packages, if no earlier run did.
 * @param home Where their `package.json`, lock file and `.npmrc` stand.
 * @param name What they are, in the plural: part of the folder's name.
 * @returns their folder; null where no registry can be reached and they are not installed.
 * @throws when the installation fails for another reason, with npm's words.
 */
export async function installWorkspace(home: string, name: string): Promise<string | null> {
  const hash = createHash("sha256");
  for (const file of FILES) hash.update(readFileSync(join(home, file)));
  const folder = join(tmpdir(), `freehold-${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  // Under another name until it is whole: a run that was ended leaves nothing that looks installed.
  const draft = `${folder}.${randomUUID().slice(0, 8)}`;
  mkdirSync(draft);
  try {
    for (const file of FILES) cpSync(join(home, file), join(draft, file));
    say(`installing the ${name}, once: about a minute`);
    const { code, output } = await npmCi(draft, name);
    if (code !== 0) {
      const what = code === null ? `was not done after ${installMsMax} ms` : `ended with ${code}`;
      if (!UNREACHABLE.test(output)) throw new Error(`npm ci ${what}:\n${output.slice(-4_000)}`);
      return null;
    }
    if (!existsSync(folder)) renameSync(draft, folder);
    return folder;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
