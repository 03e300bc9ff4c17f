/**
 * The first five minutes, counted: a fresh clone, `npm ci`, `npm start`, set-up in a browser with a passkey, and an import.
 * `npm run first-minutes`; needs the network for `npm ci`, and Chromium. Ends with 1 when it took longer.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { quietPort } from "./support/process.ts";
import { addAuthenticator, launchChromium } from "./ui/browser.ts";

/* oxlint-disable no-console -- this is a command */
const ROOT = resolve(import.meta.dirname, "..");
const MINUTES_MAX = 5;
const STEP_MS_MAX = MINUTES_MAX * 60_000;

/** Settings of whoever runs this are not those of a newcomer. */
const environment = (env: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:FREEHOLD_|npm_)/.test(name))),
  ...env,
});

/** @returns what it printed, as soon as it matches or has ended. */
async function run(
  folder: string,
  command: string,
  args: readonly string[],
  { until, env = {} }: { readonly until?: RegExp; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly child: ChildProcess; readonly out: string }> {
  const child = spawn(command, args, {
    cwd: folder,
    env: environment(env),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let out = "";
  const matched = new Promise<void>((found) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        out += text;
        if (until?.test(out)) found();
      });
  });
  const ended = once(child, "close").then(([code]) => {
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${out}`);
  });
  await (until ? Promise.race([matched, ended]) : ended);
  return { child, out };
}

const began = performance.now();
const folder = await mkdtemp(join(tmpdir(), "freehold-first-minutes-"));
const clone = join(folder, "freehold");

async function step<T>(words: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1).padStart(6);
  console.log(`${seconds(performance.now() - start)} s  (${seconds(performance.now() - began)} s)  ${words}`);
  return result;
}

const browser = await launchChromium();
let server: ChildProcess | null = null;
try {
  const page = await (await browser.newContext({ acceptDownloads: true })).newPage();
  page.setDefaultTimeout(STEP_MS_MAX);
  await addAuthenticator(page);
  await step("git clone", () => run(folder, "git", ["clone", "--quiet", `file://${ROOT}`, clone]));
  await step("npm ci", () => run(clone, "npm", ["ci"]));
  const started = await step("npm start", async () =>
    run(clone, "npm", ["start"], { until: /set-up\s+\S+/, env: { FREEHOLD_PORT: await quietPort() } }),
  );
  server = started.child;
  const [, link = ""] = /set-up\s+(\S+)/.exec(started.out) ?? [];
  await step("a pod with a passkey", async () => {
    await page.goto(link);
    await page.fill("input[name=name]", "Ana Lima");
    await page.click("text=Go on");
    const download = page.waitForEvent("download");
    await page.click("text=Download the recovery file");
    await download;
    await page.click("text=Go on");
    await page.click("text=With a passkey");
    await page.click(".pair .first");
    await page.waitForSelector("text=can see your data");
  });
  await step("orders imported, and seen", async () => {
    await page.goto(`${new URL(link).origin}/#/import`);
    await page.setInputFiles("fh-import input[type=file]", join(clone, "server/import/demo/ana/orders.csv"));
    await page.click("fh-import button:has-text('Bring ')"); // After the preview.
    await page.waitForSelector("text=/\\d+ .* brought in/");
    await page.goto(`${new URL(link).origin}/#/data/`);
    await page.waitForSelector("a[href^='#/data/orders']");
  });
} finally {
  if (server?.pid) process.kill(-server.pid, "SIGTERM");
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}
const minutes = (performance.now() - began) / 60_000;
console.log(
  `${minutes.toFixed(2)} minutes from a clone to a signed-in owner with imported data (goal ${MINUTES_MAX})`,
);
process.exitCode = minutes < MINUTES_MAX ? 0 : 1;
