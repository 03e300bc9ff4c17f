/** mashlib, served from a folder as the optional data browser, in Chromium: every request but those to this server would be seen. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { openChromium } from "../ui/browser.ts";
import { installClients } from "./workspace.ts";

const NOTE = '<#it> a <https://schema.org/Note>; <https://schema.org/name> "Milk and honey".';
const HTML = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

describe("mashlib as the data browser", function () {
  this.timeout(60_000);
  let server: TestServer;
  let [ana, ben]: Person[] = [];
  let chromium: Browser;
  let elsewhere: Server;
  /** What went, or tried to go, anywhere but to this server: no name resolves, and all that is left goes to a proxy that writes it down. */
  let left: string[] = [];
  let context: BrowserContext;
  let page: Page;
  const at = (path: string): string => `${ana!.pod}${path}`;
  const put = (path: string, type: string, body: string) =>
    ana!.fetch(at(path), { method: "PUT", headers: { "content-type": type }, body });

  before(async function () {
    this.timeout(480_000);
    const folder = await installClients(this);
    elsewhere = createServer((request, response) => {
      left.push(request.url ?? "");
      response.writeHead(502).end();
    })
      .on("connect", (request, socket) => {
        left.push(request.url ?? "");
        socket.end("HTTP/1.1 502 Nobody\r\n\r\n");
      })
      .listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    const { port } = elsewhere.address() as AddressInfo;
    // Without the second flag even what a proxy is not asked about, localhost, would be.
    chromium = await openChromium(this, [
      `--proxy-server=127.0.0.1:${port}`,
      "--proxy-bypass-list=localhost",
    ]);
    server = await startServer({ FREEHOLD_DATA_BROWSER: join(folder, "node_modules/mashlib/dist") });
    [ana, ben] = [await server.person("Ana"), await server.person("Ben")];
    await put("open/note.ttl", "text/turtle", NOTE);
    await put(
      "open/.acl",
      "text/turtle",
      `@prefix acl: <http://www.w3.org/ns/auth/acl#>. @prefix foaf: <http://xmlns.com/foaf/0.1/>.
      <#owner> a acl:Authorization; acl:agent <${ana.webid}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control.
      <#public> a acl:Authorization; acl:agentClass foaf:Agent; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read.`,
    );
    await put("open/evil.js", "text/javascript", "globalThis.ran = 1");
    await put(
      "open/evil.ttl",
      "text/turtle",
      `<#it> <https://schema.org/name> "seen", "<img src=x: onerror='globalThis.ran = 3'>"; <https://schema.org/url> <javascript:globalThis.ran=4>.`,
    );
    await put("open/page.html", "text/html", "<script>document.title = 'ran'</script>");
    await put("secret.ttl", "text/turtle", '<#it> <https://schema.org/name> "Nobody knows".');
  });
  after(async () => {
    await chromium?.close();
    elsewhere?.closeAllConnections();
    elsewhere?.close();
    await server?.close();
  });

  beforeEach(async () => {
    left = [];
    context = await chromium.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
  });
  afterEach(async () => {
    await context?.close();
    const itself = /^[\w.-]+\.(google|googleapis)\.com:443$/; // What Chromium itself would like to ask its makers.
    expect(
      left.filter((place) => !itself.test(place)),
      "requests that left for another server",
    ).to.deep.equal([]);
  });

  /** @param sign What shows that it is drawn. */
  async function open(path: string, sign: string): Promise<void> {
    await page.goto(at(path));
    await page.waitForSelector(sign);
  }

  it("shows a document that everybody may read, and the folder it is in", async () => {
    await open("open/note.ttl", "text=Milk and honey");
    await open("open/", "text=note.ttl");
  });

  it("asks for nothing elsewhere that leaves: pictures from its makers are refused by the page's policy", async () => {
    const asked: string[] = [];
    const refused: string[] = [];
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.baseUrl))
        asked.push(request.url());
    });
    page.on("requestfailed", (request) => {
      if (request.failure()?.errorText === "csp") refused.push(request.url());
    });
    await open("open/note.ttl", "text=Milk and honey");
    await open("profile/card", "text=Ana");
    await page.waitForTimeout(250); // That a request was refused is heard after it was asked.
    expect(asked).to.deep.equal(refused);
    const icons = await page.evaluate(() =>
      [...document.images].map(({ src }) => src).filter((src) => src.includes("/icons/")),
    );
    expect(icons).not.to.deep.equal([]);
    for (const src of icons) {
      expect(src).to.match(new RegExp(`^${server.baseUrl}.ui/data-browser/icons/`));
      expect((await fetch(src)).headers.get("content-type")).to.equal("image/svg+xml");
    }
  });

  it("would be seen if it did: a request of a page without that policy is written down", async () => {
    await page.goto("http://elsewhere.example/").catch(() => {});
    expect(left).to.include("http://elsewhere.example/");
    left = [];
  });

  it("shows what somebody else puts into a folder as it comes", async () => {
    await open("open/", "text=note.ttl");
    // It does not say when it listens: so until it shows something new, there is something new to show.
    const isShown = () => page.waitForSelector("text=newcomer0.ttl", { timeout: 1_000 }).catch(() => null);
    for (let number = 0; number === 0 || !(await isShown()); number++) {
      expect(number, "newcomers").to.be.lessThan(20);
      await put(`open/newcomer${number}.ttl`, "text/turtle", NOTE);
    }
  });

  it("runs no script that people uploaded, wrote into a document, or got into the page", async () => {
    await open("open/evil.ttl", "text=seen");
    await page.evaluate(
      ([src]) =>
        new Promise((done) => {
          const script = document.createElement("script");
          script.onerror = script.onload = done;
          script.src = src;
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", '<img src="x:" onerror="globalThis.ran = 2">');
        }),
      [at("open/evil.js")] as const,
    );
    expect(await page.evaluate(() => (globalThis as { ran?: number }).ran)).to.equal(undefined);
  });

  it("logs its person in, and shows what is theirs", async () => {
    await open("secret.ttl", "text=/not publicly readable/");
    expect(await page.evaluate(() => document.body.innerText)).not.to.include("Nobody knows");
    await page.click("solid-ui-login-button button");
    await page.fill("input[id^=issuer-url-input]", server.baseUrl);
    await page.locator("button:has-text('Log In')").last().click();
    await page.waitForSelector("text=Sign in to go on");
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of Ana");
    await page.click("form button");
    await page.click("button:has-text('Allow')");
    await page.waitForSelector("text=Nobody knows");
    expect(page.url()).to.match(/secret\.ttl/);
  });

  describe("gives", () => {
    const ask = (path: string, headers: Record<string, string>) => fetch(at(path), { headers });
    const isPage = (answer: Response) => (answer.headers.get("content-type") ?? "").startsWith("text/html");

    it("its page to people with a browser, and programs what they always get", async () => {
      const shown = await ask("open/note.ttl", HTML);
      expect([shown.status, isPage(shown)]).to.deep.equal([200, true]);
      expect((await ask("open/note.ttl", { accept: "text/html" })).status).to.equal(200);
      for (const accept of ["text/turtle", "application/ld+json, text/html;q=0.5", "*/*"]) {
        const answer = await ask("open/note.ttl", { accept });
        expect([answer.status, isPage(answer)], accept).to.deep.equal([200, false]);
      }
      const program = await ben!.fetch(at("open/note.ttl"), { headers: HTML });
      expect(isPage(program), "whoever brings a token").to.equal(false);
    });

    it("nothing away: what may not be read is refused with the same page, and nothing is there where nothing is", async () => {
      const refused = await ask("secret.ttl", HTML);
      expect([refused.status, isPage(refused)]).to.deep.equal([401, true]);
      expect(await refused.text()).not.to.include("Nobody knows");
      expect(refused.headers.get("www-authenticate")).to.match(/DPoP/);
      const none = await ask("never.ttl", HTML);
      expect(none.status).to.equal(401);
      expect((await ask("open/never.ttl", HTML)).status).to.equal(404);
    });

    it("files that are no RDF as they are, inert", async () => {
      const answer = await ask("open/page.html", HTML);
      expect(await answer.text()).to.include("document.title");
      expect(answer.headers.get("content-security-policy")).to.match(/sandbox/);
      expect(answer.headers.get("content-security-policy")).not.to.match(/script-src/);
    });

    it("scripts of its own folder alone the right to run, and none that people uploaded", async () => {
      const policy = (await ask("open/note.ttl", HTML)).headers.get("content-security-policy") ?? "";
      const [, sources = ""] = /script-src ([^;]+)/.exec(policy) ?? [];
      for (const source of sources.split(" ")) {
        expect(source.startsWith(server.baseUrl), source).to.equal(true);
        expect(source, "a pod's path").not.to.match(/\/(ana|ben)\//);
      }
      expect(policy)
        .to.include("default-src 'none'")
        .and.include("connect-src 'self'")
        .and.include("frame-ancestors 'none'");
      expect(policy).not.to.match(
        /unsafe-eval|script-src[^;]*(unsafe-inline|'self'|\*|http:\/\/localhost:\d+\/[ ;])/,
      );
    });

    it("no file of its folder but scripts, styles and pictures", async () => {
      const status = async (path: string) => (await fetch(`${server.baseUrl}${path}`)).status;
      expect([await status("mashlib.min.js"), await status("mash.css")]).to.deep.equal([200, 200]);
      for (const path of [
        "databrowser.html",
        "mashlib.min.js.map",
        "..%2fpackage.json",
        "mashlib.min.js/../../package.json",
      ])
        expect(await status(path), path).to.be.oneOf([400, 401, 404]);
    });
  });

  it("is not there unless it is switched on, and says so of a folder without it", async () => {
    const plain = await startServer();
    const answer = await fetch(`${plain.baseUrl}mashlib.min.js`);
    await plain.close();
    expect(answer.status).to.be.oneOf([401, 404]);
    const wrong = await startServer({ FREEHOLD_DATA_BROWSER: tmpdir() }).catch((error: unknown) => error);
    expect(String(wrong)).to.match(/mashlib\.min\.js/);
  });
});
