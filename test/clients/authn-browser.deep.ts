/** @inrupt/solid-client-authn-browser in Chromium: from the app's page to the log-in page, the question, and back with a session. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { openChromium } from "../ui/browser.ts";
import { bundle, installClients } from "./workspace.ts";

interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What `programs/browser-app.mjs` offers in its page. */
declare const app: {
  logIn(): Promise<void>;
  logOut(): Promise<void>;
  info(): { readonly isLoggedIn: boolean; readonly webId: string | null };
  pods(): Promise<string[]>;
  things(url: string): Promise<{ from: string; things: number }>;
  ask(url: string, init?: RequestInit): Promise<Asked>;
};

describe("@inrupt/solid-client-authn-browser", function () {
  this.timeout(60_000);
  let script: string;
  let chromium: Browser;
  let home: Server;
  let appUrl: string;
  let server: TestServer;
  let [ana, ben]: Person[] = [];
  let context: BrowserContext;
  let page: Page;
  let clientId: string | null = null;

  before(async function () {
    this.timeout(480_000);
    chromium = await openChromium(this);
    const folder = await installClients(this);
    script = bundle(folder, "browser-app");
    home = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", appUrl);
      if (pathname === "/app.js") {
        response.writeHead(200, { "content-type": "text/javascript" }).end(script);
      } else if (pathname === "/id") {
        // https://solidproject.org/TR/oidc#clientids-document
        response.writeHead(200, { "content-type": "application/ld+json" }).end(
          JSON.stringify({
            "@context": ["https://www.w3.org/ns/solid/oidc-context.jsonld"],
            client_id: `${appUrl}id`,
            client_name: "Photo Frame",
            redirect_uris: [appUrl],
            scope: "openid webid offline_access",
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
          }),
        );
      } else {
        const content = JSON.stringify({ issuer: server.baseUrl, clientId }).replaceAll('"', "&quot;");
        response
          .writeHead(200, { "content-type": "text/html" })
          .end(
            `<!doctype html><meta name="app" content="${content}"><body><script type="module" src="/app.js"></script>`,
          );
      }
    }).listen(0, "127.0.0.1");
    await once(home, "listening");
    appUrl = `http://127.0.0.1:${(home.address() as AddressInfo).port}/`;
    server = await startServer({ FREEHOLD_EGRESS_ALLOW: appUrl.slice(0, -1) });
    [ana, ben] = [await server.person("Ana"), await server.person("Ben")];
  });
  after(async () => {
    await chromium?.close();
    home?.closeAllConnections();
    home?.close();
    await server?.close();
  });

  beforeEach(async () => {
    clientId = null;
    context = await chromium.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
  });
  afterEach(() => context?.close());

  /** From the app's page to its question. */
  async function logIn(): Promise<void> {
    await page.goto(appUrl);
    await page.waitForSelector("text=Signed out");
    await page.evaluate(() => app.logIn()).catch(() => {}); // The page goes away under it.
    await page.waitForSelector("text=Sign in to go on");
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of Ana");
    await page.click("form button");
    await page.waitForSelector("text=Connect Photo Frame to your pod?");
  }
  async function logInAndAllow(): Promise<void> {
    await logIn();
    await page.click("button:has-text('Allow')");
    await page.waitForSelector(`text=Signed in as ${ana!.webid}`);
  }
  interface How {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  }
  const ask = (url: string, how: How = {}): Promise<Asked> =>
    page.evaluate((asked) => app.ask(asked.url, asked.how), { url, how });

  it("registers itself, logs in by redirect, and has a session", async () => {
    await logInAndAllow();
    expect(await page.evaluate(() => app.info())).to.deep.equal({ isLoggedIn: true, webId: ana!.webid });
    expect(await page.evaluate(() => app.pods())).to.deep.equal([ana!.pod]);
    const { origin, search } = new URL(page.url());
    expect([`${origin}/`, search], "nothing of the login stays in the address").to.deep.equal([appUrl, ""]);
  });

  it("reads and writes what is the person's from another origin, and sees the header fields", async () => {
    await logInAndAllow();
    const note = `${ana!.pod}browser/note.ttl`;
    const body = '<#it> <https://schema.org/name> "written".';
    const put = await ask(note, { method: "PUT", headers: { "content-type": "text/turtle" }, body });
    expect(put.status).to.equal(201);
    expect(put.headers).to.include.keys("etag", "location", "link");
    const read = await ask(note, { headers: { accept: "text/turtle" } });
    expect([read.status, read.text]).to.deep.equal([200, body]);
    expect(read.headers).to.include.keys("etag", "wac-allow", "accept-patch", "allow", "last-modified");
    expect(await page.evaluate((url) => app.things(url), note)).to.deep.equal({ from: note, things: 1 });
    expect((await fetch(note)).status, "everybody else").to.equal(401);
  });

  it("does not get into what is somebody else's", async () => {
    await logInAndAllow();
    expect((await ask(`${ben!.pod}settings/prefs.ttl`)).status).to.equal(403);
  });

  it("with a client id document needs no registration", async () => {
    clientId = `${appUrl}id`;
    await logInAndAllow();
    expect((await ask(`${ana!.pod}settings/prefs.ttl`)).status).to.equal(200);
  });

  it("is nobody's after logging out", async () => {
    await logInAndAllow();
    await page.evaluate(() => app.logOut());
    expect(await page.evaluate(() => app.info().isLoggedIn)).to.equal(false);
    expect((await ask(`${ana!.pod}settings/prefs.ttl`)).status).to.equal(401);
  });

  it("gets no session from a no", async () => {
    await logIn();
    await page.click("text=Not now");
    await page.waitForURL((url) => url.href.startsWith(appUrl));
    await page.waitForFunction(() => /Signed|Failed/.test(document.body.textContent ?? ""));
    expect(await page.evaluate(() => app.info().isLoggedIn)).to.equal(false);
  });

  it("is not asked for the password again while the person is signed in", async () => {
    await logInAndAllow();
    const again = await context.newPage();
    await again.goto(appUrl);
    await again.waitForSelector("text=Signed out");
    await again.evaluate(() => app.logIn()).catch(() => {});
    await again.waitForSelector(`text=/Connect Photo Frame|Signed in as/`);
    expect(await again.locator("input[name=password]").count()).to.equal(0);
  });
});
