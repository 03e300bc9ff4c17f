/** The components for apps, on a page of somebody else's at another origin, against a real server. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { Page } from "playwright-core";
import type { Person, TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const ROOT = new URL("../../", import.meta.url);
const LIT = {
  lit: "lit/index.js",
  "lit/": "lit/",
  "lit-html": "lit-html/lit-html.js",
  "lit-html/": "lit-html/",
  "lit-element/lit-element.js": "lit-element/lit-element.js",
  "@lit/reactive-element": "@lit/reactive-element/reactive-element.js",
  "@lit/reactive-element/": "@lit/reactive-element/",
};
const MAP = {
  imports: {
    "@freehold/client/elements": "/client-lib/elements/index.ts",
    "@freehold/vocab": "/vocab/index.ts",
    ...Object.fromEntries(Object.entries(LIT).map(([name, path]) => [name, `/node_modules/${path}`])),
  },
};

/** The page that an app's developer would write. */
const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Garden diary</title><meta name="viewport" content="width=device-width">
<style>shacl-form { --freehold-accent: rgb(90, 30, 120); } freehold-share::part(share) { text-transform: uppercase; }</style>
<script type="importmap">${JSON.stringify(MAP)}</script></head>
<body><main><h1>Garden diary</h1><freehold-login app-name="Garden diary"></freehold-login><div id="rest"></div></main>
<script type="module">
import "@freehold/client/elements";
window.told = [];
for (const type of ["session", "open", "added", "changed", "saved", "shared", "refused", "cancelled"])
  document.addEventListener(type, ({ detail }) => {
    window.told.push([type, type === "session" ? (detail?.webid ?? null) : type === "refused" ? detail.code : detail]);
    if (type === "session") window.session = detail;
  });
window.show = (tag, properties) => {
  const element = Object.assign(document.createElement(tag), properties, window.session ? { fetch: window.session.fetch } : {});
  document.querySelector("#rest").replaceChildren(element);
};
window.ready = true;
</script></body></html>`;

/** The app's own server: its page, and the library as a bundler would have it. */
async function answer({ url = "/" }: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = url.split("?", 1)[0] ?? "/";
  if (path === "/") {
    response.setHeader("content-type", "text/html").end(PAGE);
    return;
  }
  const isOurs = /^\/(?:client-lib|vocab|node_modules\/(?:lit|@lit))[\w@./-]*\.(?:ts|js)$/.test(path);
  const text = isOurs ? await readFile(new URL(`.${path}`, ROOT), "utf8").catch(() => null) : null;
  if (text === null) {
    response.writeHead(404).end();
    return;
  }
  response
    .setHeader("content-type", "text/javascript")
    .end(path.endsWith(".ts") ? stripTypeScriptTypes(text) : text);
}

declare global {
  interface Window {
    told: [string, unknown][];
    ready: boolean;
    session: { readonly fetch: typeof fetch; end?(): Promise<void> } | null;
    show(tag: string, properties: Readonly<Record<string, unknown>>): void;
  }
}

describe("components for apps", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;
  let app: Server;
  let appUrl: string;
  let wrong: string[];

  // Before the hook of the screen, which looks for requests to anybody else.
  afterEach(() => {
    app.closeAllConnections();
    app.close();
    wrong.splice(0, Infinity, ...wrong.filter((what) => !what.startsWith(`elsewhere: ${appUrl}`)));
  });

  onScreen(async (screen) => {
    ({ server, page, wrong } = screen);
    ana = await server.person("Ana");
    app = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
    await once(app, "listening");
    appUrl = `http://localhost:${(app.address() as AddressInfo).port}/`;
  });

  /** Of the components: their trees are their own. */
  const words = async (): Promise<string> =>
    (await page.locator("freehold-login form, #rest > * > form, #rest .stack").allInnerTexts()).join("\n");
  const told = () => page.evaluate(() => window.told);
  const show = (tag: string, properties: Readonly<Record<string, unknown>>) =>
    page.evaluate(([name, given]) => window.show(name, given), [tag, properties] as const);
  const open = async (): Promise<void> => {
    await page.goto(appUrl);
    await page.waitForFunction(() => window.ready);
  };

  /** Through the pod's own pages, and back. */
  async function signIn(isKept = false): Promise<void> {
    await open();
    if (isKept)
      await page.evaluate(() => document.querySelector("freehold-login")?.toggleAttribute("keep", true));
    await page.fill("freehold-login input[name=issuer]", server.baseUrl);
    await page.click("freehold-login button.first");
    await page.waitForSelector("input[name=pod]");
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of Ana");
    await page.click("form button");
    await page.waitForSelector("text=Connect Garden diary to your pod?");
    await page.click("button:has-text('Allow')");
    await page.waitForSelector("freehold-login >> text=Signed in as");
  }

  it("signs somebody in with a key that stays in the browser, and the code does not stay in the address", async () => {
    await signIn();
    expect(await told()).to.deep.equal([["session", ana.webid]]);
    expect(page.url()).to.equal(appUrl);
    const status = (fetcher: string): Promise<number> =>
      page.evaluate(
        async ([from, url]) =>
          (await (from === "session" ? window.session?.fetch : fetch)?.(url))?.status ?? 0,
        [fetcher, ana.pod] as const,
      );
    expect([await status("session"), await status("page")]).to.deep.equal([200, 401]);
    const kept = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
    expect(kept).to.deep.equal([0, 0, ""]);
    await look(page, "element-login");
    await page.click("freehold-login button");
    await page.waitForSelector("freehold-login input");
    await page.fill("freehold-login input[name=issuer]", `${appUrl}nobody`);
    await page.click("freehold-login button.first");
    await page.waitForSelector("[role=alert]");
    await expectAccessible(page);
    expect(await words()).to.not.match(JARGON);
  });

  it("keeps somebody signed in, where the app asks for that, until they sign out", async () => {
    await signIn(true);
    await page.reload();
    await page.waitForSelector("freehold-login >> text=Signed in as");
    const status = await page.evaluate(async (url) => (await window.session?.fetch(url))?.status, ana.pod);
    expect(status).to.equal(200);
    await page.click("freehold-login button");
    await page.waitForSelector("freehold-login input");
    await page.reload();
    await page.waitForSelector("freehold-login input");
    expect(await told()).to.deep.equal([]);
  });

  it("stays signed out, also when a token was being fetched at that moment", async () => {
    await signIn(true);
    await page.reload();
    await page.waitForSelector("freehold-login >> text=Signed in as");
    const outcome = await page.evaluate(async (url) => {
      const { session } = window;
      if (!session) return "no session";
      const asked = session.fetch(url).then(
        ({ status }) => String(status),
        (error: unknown) => (error as { code?: string }).code ?? "",
      );
      await session.end?.();
      return asked;
    }, ana.pod);
    expect(outcome).to.equal("login-required");
    await page.reload();
    await page.waitForSelector("freehold-login input");
    expect(await told()).to.deep.equal([]);
  });

  it("refuses an answer that it did not ask for", async () => {
    await open();
    await page.goto(`${appUrl}?code=stolen&state=made-up&iss=${encodeURIComponent(server.baseUrl)}`);
    await page.waitForSelector("freehold-login input");
    expect(await told()).to.deep.equal([]);
    expect((await fetch(`${server.baseUrl}ns/shapes/nothing`)).status).to.equal(404);
    expect(
      (await fetch(`${server.baseUrl}ns/shapes/contacts`, { headers: { accept: "image/png" } })).status,
    ).to.equal(406);
  });

  it("lists a folder, puts a file in, makes a form of a shape, and shares by the pod's own rules", async () => {
    await signIn();
    const folder = `${ana.pod}diary/`;
    await ana.fetch(folder, { method: "PUT", headers: { "content-type": "text/turtle" }, body: "" });
    await ana.fetch(`${folder}.meta`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: "<./> <http://www.w3.org/ns/ldp#constrainedBy> <https://w3id.org/freehold/shapes/contacts#ContactShape> .",
    });
    await show("freehold-files", { folder: ana.pod });
    await page.waitForSelector("freehold-files >> text=diary");
    await page.setInputFiles("freehold-files input[type=file]", {
      name: "seeds.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("Peas."),
    });
    await page.waitForSelector("freehold-files >> text=seeds.txt");
    expect(await (await ana.fetch(`${ana.pod}seeds.txt`)).text()).to.equal("Peas.");
    await look(page, "element-files");
    await expectAccessible(page);
    await page.click("freehold-files >> text=seeds.txt");
    expect((await told()).at(-1)).to.have.nested.property("[1].path", `${ana.pod}seeds.txt`);

    await show("shacl-form", {
      shape: "https://w3id.org/freehold/shapes/contacts#ContactShape",
      folder,
    });
    await page.waitForSelector("shacl-form form");
    const colour = await page.$eval(
      "shacl-form button.first",
      (button) => getComputedStyle(button).backgroundColor,
    );
    expect(colour).to.equal("rgb(90, 30, 120)");
    await page.click("shacl-form button.first");
    await page.waitForSelector("text=Give one name.");
    await page.getByLabel("Full name").fill("Gardener");
    await page.getByLabel("Note", { exact: true }).fill("Card 4111 1111 1111 1111");
    await page.click("shacl-form button.first");
    await page.waitForSelector(".fault:has-text('card')"); // What only the server knows.
    await look(page, "element-form");
    await expectAccessible(page);
    await page.getByLabel("Note", { exact: true }).fill("Comes on Mondays");
    await page.click("shacl-form button.first");
    await page.waitForFunction(() => window.told.at(-1)?.[0] === "saved");
    const [, saved] = (await told()).at(-1) as [string, { document: string; created: boolean }];
    expect(saved.created).to.equal(true);
    expect(await (await ana.fetch(saved.document)).text()).to.include("Comes on Mondays");

    await show("freehold-share", { address: folder });
    await page.waitForSelector("freehold-share form");
    await page.click("freehold-share >> text=Everyone");
    expect(await words()).to.include("Everyone on the web will be able to see diary and all that is in it.");
    await look(page, "element-share");
    await expectAccessible(page);
    // The person let this app see and change, not share: the pod says no, and the page says so.
    await page.click("freehold-share button.first");
    await page.waitForSelector("freehold-share [role=alert]");
    expect((await fetch(saved.document)).status).to.equal(401);
    expect(await words()).to.not.match(JARGON);
  });

  it("shares for who may, and takes it back", async () => {
    await open();
    const poem = `${ana.pod}poem.txt`;
    await ana.fetch(poem, { method: "PUT", headers: { "content-type": "text/plain" }, body: "A poem." });
    await page.exposeFunction("askAsAna", async (url: string, init: RequestInit = {}) => {
      const answer = await ana.fetch(url, init);
      return { status: answer.status, headers: [...answer.headers], text: await answer.text() };
    });
    await page.evaluate(() => {
      interface Answer {
        readonly status: number;
        readonly headers: [string, string][];
        readonly text: string;
      }
      const { askAsAna } = window as unknown as {
        readonly askAsAna: (url: string, init?: RequestInit) => Promise<Answer>;
      };
      const own = async (url: string, init?: RequestInit): Promise<Response> => {
        const { status, headers, text } = await askAsAna(url, init);
        return new Response(text === "" || status === 204 || status === 205 ? null : text, {
          status,
          headers,
        });
      };
      window.session = { fetch: own as typeof fetch };
      document.addEventListener("shared", ({ detail }: CustomEventInit<{ undo: () => Promise<void> }>) => {
        Object.assign(window, { undo: detail?.undo });
      });
    });
    await show("freehold-share", { address: poem });
    await page.click("freehold-share >> text=Everyone");
    await page.click("freehold-share button.first");
    await page.waitForFunction(() => window.told.at(-1)?.[0] === "shared");
    expect((await fetch(poem)).status).to.equal(200);
    expect((await ana.fetch(poem)).status, "the owner keeps what was handed down").to.equal(200);
    await page.evaluate(() => (window as unknown as { undo(): Promise<void> }).undo());
    expect((await fetch(poem)).status).to.equal(401);
  });
});
