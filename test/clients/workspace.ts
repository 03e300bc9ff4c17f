/**
 * The clients that are too heavy for the product's own tree: installed once, outside the checkout, in a folder named by
 * their lock file; and run there, each in a process of its own, so that their dependencies never meet ours.
 */
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "mocha";
import type { Person, TestServer } from "../support/server.ts";
import { skip } from "../support/skip.ts";
import { end, installWorkspace } from "../support/workspace.ts";

const HOME = resolve(import.meta.dirname, "workspace");
const PROGRAMS = resolve(import.meta.dirname, "programs");
export const programMsMax = 90_000;

/**
 * Installs the clients, if no earlier run did.
 * @param test Skipped where no registry can be reached.
 * @returns their folder.
 * @throws when the installation fails for another reason, with npm's words.
 */
export async function installClients(test: Context): Promise<string> {
  const folder = await installWorkspace(HOME, "clients");
  return (
    folder ?? skip(test, "no package registry can be reached from here, and the clients are not installed")
  );
}

/** A program made into one file for browsers, by the bundler among the clients. */
export function bundle(folder: string, program: string): string {
  const home = join(folder, `bundle-${randomUUID().slice(0, 8)}`);
  mkdirSync(home);
  try {
    cpSync(join(PROGRAMS, `${program}.mjs`), join(home, "in.mjs"));
    const bundler = join(folder, "node_modules/esbuild/bin/esbuild");
    const args = ["in.mjs", "--bundle", "--format=esm", "--target=es2022", "--log-level=error"];
    return execFileSync(bundler, args, {
      cwd: home,
      encoding: "utf8",
      maxBuffer: 1e8,
      timeout: programMsMax,
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The sentences that a program shows, in its order: each is a test. */
export function stepsOf(program: string): readonly string[] {
  const text = readFileSync(join(PROGRAMS, `${program}.mjs`), "utf8");
  return [...text.matchAll(/^await step\(\s*"([^"]+)"/gm)].map(([, name = ""]) => name);
}

/** What a program says it needs to know of a person. */
const cardOf = ({ webid, pod, credentials }: Person) => ({ webid, pod, credentials });

/**
 * Runs one of `programs/` among the installed clients.
 * @returns of each step that was taken, why it failed, or null.
 */
export async function runProgram(
  folder: string,
  program: string,
  { baseUrl }: TestServer,
  people: { readonly ana: Person; readonly ben: Person },
): Promise<ReadonlyMap<string, string | null>> {
  const home = join(folder, `run-${randomUUID().slice(0, 8)}`); // Below the clients, so that they are found by name.
  mkdirSync(home);
  try {
    for (const file of readdirSync(PROGRAMS)) cpSync(join(PROGRAMS, file), join(home, file));
    const input = JSON.stringify({ baseUrl, ana: cardOf(people.ana), ben: cardOf(people.ben) });
    const child = spawn(process.execPath, [`${program}.mjs`], {
      cwd: home,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: home, CLIENT_INPUT: input },
    });
    let [said, outcomes] = ["", ""];
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stdio[3]?.on("data", (bytes: Buffer) => (outcomes += bytes.toString("utf8")));
    const closed = new Promise<number | null>((done) => child.once("close", done));
    const code = await Promise.race([closed, sleep(programMsMax, "late" as const, { ref: false })]);
    if (code === "late") end(child);
    const taken = outcomes
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { name: string; error: string | null });
    if (code !== 0)
      throw new Error(
        `${program}: ${code === "late" ? `not done after ${programMsMax} ms` : `ended with ${code}`}, after ${JSON.stringify(taken)}:\n${said.slice(-4_000)}`,
      );
    return new Map(taken.map(({ name, error }) => [name, error]));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
