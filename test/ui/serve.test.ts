/** How the pages are served: one strict policy, an allow-list of files, and nothing of anybody else's. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { expect } from "chai";
import { type Harness, startHarness } from "./harness.ts";

const PAGES = ["", ".account/setup", ".account/login", ".account/consent?uid=x", ".registry", ".vendor"];
/** Only a company asks pods of other servers. */
const ASKS_ELSEWHERE: ReadonlySet<string> = new Set([".vendor"]);

describe("the pages, as files", () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, harness.baseUrl), { headers });

  /** Sends the path as it is written; fetch would tidy it up. */
  const status = (path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(harness.baseUrl);
      request({ hostname, port, path }, (response) => resolve(response.resume().statusCode ?? 0))
        .on("error", reject)
        .end();
    });

  for (const path of PAGES) {
    it(`/${path} runs only scripts of ours, and can be framed by nobody`, async () => {
      const response = await get(path);
      const policy = response.headers.get("content-security-policy") ?? "";
      const body = await response.text();
      expect(policy)
        .to.include("default-src 'none'")
        .and.include("frame-ancestors 'none'")
        .and.include("base-uri 'none'")
        .and.include("form-action 'self'");
      const [asks = ""] = /connect-src [^;]*/.exec(policy) ?? [];
      expect(asks).to.equal(
        ASKS_ELSEWHERE.has(path)
          ? "connect-src 'self' https: http://localhost:* http://127.0.0.1:*"
          : "connect-src 'self'",
      );
      expect(policy.replace(asks, "")).to.not.match(/unsafe|\*|https?:(?!\/\/localhost:\d+\/\.ui\/)/);
      const map = /<script type="importmap">(.*?)<\/script>/s.exec(body)?.[1] ?? "";
      expect(policy).to.include(`'sha256-${createHash("sha256").update(map).digest("base64")}'`);
      expect(body.match(/<script/g), "one import map, one module").to.have.length(2);
      expect(body).to.not.match(/\son\w+=|style=|https?:\/\//);
      expect(response.headers.get("x-content-type-options")).to.equal("nosniff");
      expect(response.headers.get("cross-origin-opener-policy")).to.equal("same-origin");
      expect(response.headers.get("referrer-policy")).to.equal("no-referrer");
      expect(response.headers.get("cache-control")).to.equal("no-store");
    });
  }

  it("does not take scripts from where people upload things", async () => {
    const policy = (await get("")).headers.get("content-security-policy") ?? "";
    const scripts = /script-src ([^;]*)/.exec(policy)?.[1] ?? "";
    expect(scripts).to.include(`${harness.baseUrl}.ui/`).and.not.include("'self'");
  });

  it("serves every file of the pages, as JavaScript without types", async () => {
    const files = readdirSync(new URL("../../server/ui/", import.meta.url)).filter((name) =>
      /\.(ts|css|svg)$/.test(name),
    );
    expect(files).to.include.members(["home.ts", "setup.ts", "style.css", "icon.svg"]);
    for (const file of files) {
      const response = await get(`.ui/server/ui/${file}`);
      expect(response.status, file).to.equal(200);
      expect(response.headers.get("content-type"), file).to.match(
        file.endsWith(".ts") ? /^text\/javascript/ : /^(text\/css|image\/svg\+xml)/,
      );
      expect(await response.text(), file).to.not.match(/\bdeclare \w+:|\binterface \w+ \{|\bimport type\b/);
    }
  });

  it("tells the browser in one go of all modules that a page will want", async () => {
    await get(""); // The first visit finds them out.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const body = await (await get("")).text();
    const urls = [...body.matchAll(/modulepreload" href="([^"]+)"/g)].map(([, url]) => url ?? "");
    expect(urls).to.include.members([
      "/.ui/server/ui/home.ts",
      "/.ui/npm/lit/index.js",
      "/.ui/npm/@lit/reactive-element/reactive-element.js",
      "/.ui/npm/@simplewebauthn/browser/esm/index.js",
    ]);
    for (const url of urls) expect(await status(url), url).to.equal(200);
  });

  it("is light: what the first page loads, compressed", async () => {
    await get("");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const body = await (await get("")).text();
    const urls = [...body.matchAll(/modulepreload" href="([^"]+)"/g)].map(([, url]) => url ?? "");
    const bytes = { script: 0, style: 0 };
    for (const url of [...urls, "/.ui/server/ui/style.css"]) {
      const response = await get(url, { "accept-encoding": "gzip" });
      expect(response.headers.get("content-encoding"), url).to.equal("gzip");
      bytes[url.endsWith(".css") ? "style" : "script"] += await new Promise<number>((resolve, reject) => {
        const { hostname, port } = new URL(harness.baseUrl);
        request({ hostname, port, path: url, headers: { "accept-encoding": "gzip" } }, (answer) => {
          answer.resume();
          resolve(Number(answer.headers["content-length"]));
        })
          .on("error", reject)
          .end();
      });
    }
    expect(bytes.script).to.be.above(10_000).and.below(60_000);
    expect(bytes.style).to.be.below(12_000);
  });

  it("answers 304 to who has it already", async () => {
    const first = await get(".ui/server/ui/style.css");
    const etag = first.headers.get("etag") ?? "";
    expect(etag).to.match(/^W\/"/);
    expect((await get(".ui/server/ui/style.css", { "if-none-match": etag })).status).to.equal(304);
  });

  for (const path of [
    ".ui/server/config.ts",
    ".ui/server/account/doors.ts",
    ".ui/server/ui/../account/doors.ts",
    ".ui/server/ui/%2e%2e/account/doors.ts",
    ".ui/server/ui/..%2faccount%2fdoors.ts",
    ".ui/server/ui/home.html",
    ".ui/client-lib/node.ts",
    ".ui/client-lib/join.ts",
    ".ui/client-lib/package.json",
    ".ui/client-lib/examples/vendor.ts",
    ".ui/vocab/../client-lib/node.ts",
    ".ui/client-lib/passport/../package.json",
    ".ui/npm/undici/index.js",
    ".ui/npm/lit/package.json",
    ".ui/npm/lit/../undici/index.js",
    ".ui/npm/lit/..%2f..%2fundici/index.js",
    ".ui/npm/__proto__/index.js",
    ".ui/package.json",
    ".ui/",
    ".ui//etc/passwd",
  ]) {
    it(`does not serve /${path}`, async () => {
      expect(await status(`/${path}`)).to.equal(404);
    });
  }

  it("leads password managers to where a password is changed", async () => {
    const response = await fetch(new URL(".well-known/change-password", harness.baseUrl), {
      redirect: "manual",
    });
    expect([response.status, response.headers.get("location")]).to.deep.equal([302, "/#/security"]);
  });
});
