/** Chromium, driven from tests: found where Debian puts it, and told to talk to nobody but the page. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import type { Context } from "mocha";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { startServer, type TestServer } from "../support/server.ts";
import { skip } from "../support/skip.ts";

const PATHS = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Null when there is none on this machine. */
const CHROMIUM = PATHS.find((path) => path !== undefined && existsSync(path)) ?? null;

/** @param test Skipped where there is no Chromium. */
export async function openChromium(test: Context, flags: readonly string[] = []): Promise<Browser> {
  if (!CHROMIUM) skip(test, "no Chromium here; set CHROMIUM to its path (Debian: apt-get install chromium)");
  return launchChromium(flags);
}

/** Outside a test. @throws when there is none. */
export function launchChromium(flags: readonly string[] = []): Promise<Browser> {
  if (!CHROMIUM) throw new Error("No Chromium here; set CHROMIUM to its path");
  return chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...flags] });
}

/** What no screen may say. */
export const JARGON =
  /\b(WebID|RDF|ACL|IRI|URI|Turtle|JSON|triple|WAC|OIDC|DPoP|DID|undefined|null|NaN)\b|\[object/;

export interface Screen {
  readonly server: TestServer;
  readonly page: Page;
  /** Everything that went wrong in it so far; what a test expects it takes out. */
  readonly wrong: string[];
}

/**
 * For a suite: each test gets a server and a telephone's browser of its own, in which nothing may have gone wrong.
 * @param env The server's settings that differ from the defaults.
 */
export function onScreen(
  ready: (screen: Screen) => void | Promise<void>,
  env: () => Readonly<Record<string, string>> = () => ({}),
): void {
  let browser: Browser;
  let context: BrowserContext | undefined;
  let screen: Screen | undefined;

  before(async function () {
    browser = await openChromium(this);
  });
  after(() => browser?.close());

  beforeEach(async () => {
    context = screen = undefined;
    const server = await startServer(env());
    context = await browser.newContext({
      viewport: WIDTHS.phone,
      acceptDownloads: true,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    screen = { server, page, wrong: watch(page, server.baseUrl) };
    await ready(screen);
  });
  afterEach(async () => {
    await context?.close();
    await screen?.server.close();
    expect(screen?.wrong).to.deep.equal([]);
  });
}

/** A device with a fingerprint reader that always recognises its owner. https://www.w3.org/TR/webauthn-3/#sctn-automation */
export async function addAuthenticator(page: Page): Promise<{ remove(): Promise<void> }> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    remove: async () => void (await session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId })),
  };
}

const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
let axe: string | undefined;

/** Holds what is on the screen against WCAG 2.2 AA, as far as a machine can, in light and in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  axe ??= readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe); // By the debugger: the page itself may run nothing but ours.
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" }); // What is still changing has no colour yet.
    const found = await page.evaluate(
      `axe.run(document, { runOnly: ${JSON.stringify(AXE_TAGS)} }).then(({ violations }) => violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html, failureSummary }) => html + " " + failureSummary) })))`,
    );
    expect(found, `${colorScheme}: ${page.url()}`).to.deep.equal([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } } as const;

/** Nothing may stick out to the side, at the width of a telephone and of a desk. With FREEHOLD_SHOTS, a folder, it is drawn there. */
export async function look(page: Page, name: string): Promise<void> {
  for (const [width, size] of Object.entries(WIDTHS)) {
    await page.setViewportSize(size);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(over, `${name} sticks out on a ${width}`).to.be.at.most(0);
    const folder = process.env["FREEHOLD_SHOTS"];
    if (folder) await page.screenshot({ path: join(folder, `${name}-${width}.png`), fullPage: true });
  }
  await page.setViewportSize(WIDTHS.phone);
}

/** Everything that went wrong in a page: errors, refused by the policy, or asked of another host. */
function watch(page: Page, baseUrl: string): string[] {
  const seen: string[] = [];
  page.on("pageerror", (error) => seen.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
      seen.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(baseUrl) && !/^(data|blob):/.test(url)) seen.push(`elsewhere: ${url}`);
  });
  return seen;
}
