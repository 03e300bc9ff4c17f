/** Chromium, driven from tests: found where Debian puts it, and told to talk to nobody but the page. */
import { existsSync } from "node:fs";
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

/** For a suite: each test gets a server and a telephone's browser of its own, in which nothing may have gone wrong. */
export function onScreen(ready: (screen: Screen) => void | Promise<void>): void {
  let browser: Browser;
  let context: BrowserContext | undefined;
  let screen: Screen | undefined;

  before(async function () {
    browser = await openChromium(this);
  });
  after(() => browser?.close());

  beforeEach(async () => {
    context = screen = undefined;
    const server = await startServer();
    context = await browser.newContext({
      viewport: { width: 390, height: 844 },
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
