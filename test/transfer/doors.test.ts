import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { expect } from "chai";
import { type Browser, openBrowser } from "../account/client.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { openFolder, podOf } from "./fixture.ts";

describe("leaving, by the owner's page", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let page: Browser;
  let files: Awaited<ReturnType<typeof openFolder>>;
  let archive: Uint8Array<ArrayBuffer>;

  before(async () => {
    server = await startServer();
    files = await openFolder();
    ana = await server.person("Ana");
    await server.person("Bea");
    await ana.fetch(`${ana.pod}notes/today.ttl`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: `<#it> <http://example.org/says> "hello" .`,
    });
    page = await signIn("ana", "Ana");
  });
  after(async () => {
    await server.close();
    await files.remove();
  });

  async function signIn(pod: string, name: string): Promise<Browser> {
    const browser = openBrowser(server);
    const { status } = await browser.send("POST", "/.account/login", {
      pod,
      password: `a long password of ${name}`,
    });
    expect(status).to.equal(200);
    return browser;
  }
  const own = (browser: Browser, headers: Record<string, string> = {}) => ({
    cookie: browser.cookie,
    origin: new URL(server.baseUrl).origin,
    "sec-fetch-site": "same-origin",
    ...headers,
  });
  const journalOf = async (name: string): Promise<string[]> => {
    const { journal } = server.context;
    const entries = await journal.read(await podOf(server.context, name), 0, 1_000);
    return entries.map(({ entry }) => `${entry?.act} ${entry?.agent}`);
  };

  it("the whole pod comes as one file with a good name, and the journal says so", async () => {
    const response = await fetch(`${server.baseUrl}.account/export`, { headers: own(page) });
    expect(response.status).to.equal(200);
    expect(response.headers.get("content-type")).to.equal("application/zip");
    expect(response.headers.get("content-disposition")).to.match(
      /^attachment; filename="ana-\d{4}-\d\d-\d\d\.zip"$/,
    );
    expect(response.headers.get("cache-control")).to.equal("no-store");
    archive = new Uint8Array(await response.arrayBuffer());
    writeFileSync(files.path("ana.zip"), archive);
    const unzip = (name: string): string =>
      execFileSync("unzip", ["-p", files.path("ana.zip"), name]).toString();
    execFileSync("unzip", ["-tq", files.path("ana.zip")]);
    expect(unzip("README.txt")).to.contain("This is everything");
    expect(unzip("data/notes/today.ttl")).to.contain('"hello"');
    const manifest = JSON.parse(unzip("manifest.json")) as {
      owner: string;
      resources: { path: string; modified: string }[];
    };
    expect(manifest.owner).to.equal(ana.webid);
    expect(manifest.resources.map(({ path }) => path)).to.include.members([
      "",
      "notes/",
      "notes/today.ttl",
      "profile/card",
    ]);
    expect(JSON.parse(unzip("account.json"))).to.include({
      name: "Ana",
      webid: ana.webid,
      hasPassword: true,
    });
    expect(unzip("account.json")).not.to.match(/argon2|secret|publicKey/i);
    expect(unzip("passport/operations.json")).to.contain(ana.passport);
    const journal = unzip("journal.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { says?: { act: string; path: string } });
    expect(
      journal.some(({ says }) => says?.act === "create" && says.path === "/ana/notes/today.ttl"),
    ).to.equal(true);
    expect(await journalOf("ana")).to.include(`export ${ana.webid}`);
  });

  it("is not for strangers, other sites, others' sessions, or a cookie that is not fresh", async () => {
    const get = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${server.baseUrl}.account/export`, { headers })).status;
    expect(await get({ origin: new URL(server.baseUrl).origin })).to.equal(401);
    expect(await get({ cookie: page.cookie })).to.equal(403);
    expect(await get(own(page, { "sec-fetch-site": "cross-site", origin: "https://evil.example" }))).to.equal(
      403,
    );
    const old = await startServer({ FREEHOLD_LIMITS: "freshLoginMsMax=1" });
    try {
      await old.person("Ana");
      const browser = openBrowser(old);
      await browser.send("POST", "/.account/login", { pod: "ana", password: "a long password of Ana" });
      for (const [method, path] of [
        ["GET", "export"],
        ["POST", "import"],
        ["POST", "moved"],
      ] as const) {
        const answer = await fetch(`${old.baseUrl}.account/${path}`, {
          method,
          headers: {
            cookie: browser.cookie,
            origin: new URL(old.baseUrl).origin,
            "content-type": path === "import" ? "application/zip" : "application/json",
          },
          ...(method === "POST" && { body: "{}" }),
        });
        expect(((await answer.json()) as { type: string }).type, path).to.match(/login-stale$/);
      }
    } finally {
      await old.close();
    }
  });

  it("a HEAD, and a download that is broken off, leave nothing behind", async () => {
    expect(
      (await fetch(`${server.baseUrl}.account/export`, { method: "HEAD", headers: own(page) })).status,
    ).to.equal(200);
    for (let turn = 0; turn < 3; turn += 1) {
      const stop = new AbortController();
      const response = await fetch(`${server.baseUrl}.account/export`, {
        headers: own(page),
        signal: stop.signal,
      });
      await response.body?.getReader().read();
      stop.abort();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const again = await fetch(`${server.baseUrl}.account/export`, { headers: own(page) });
    expect(again.status).to.equal(200);
    await again.arrayBuffer();
  });

  it("one archive at a time waits beside the pod's quota, whatever becomes of those who sent it", async () => {
    const { transfer } = server.context.ldp;
    const pod = await podOf(server.context, "ana");
    const options = { present: "keep", lists: true } as const;
    async function* slow(until: Promise<void>): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(300_000, "a");
      await until;
    }
    const gate = Promise.withResolvers<void>();
    const first = transfer.importUpload(pod, slow(gate.promise), options);
    const refusal = await transfer
      .importUpload(pod, slow(Promise.resolve()), options)
      .catch((error) => error);
    expect((refusal as { code?: string }).code).to.equal("conflict");
    gate.promise.catch(() => {}); // The upload hears of it, too.
    gate.reject(new Error("hung up"));
    expect(((await first.catch((error: Error) => error)) as Error).message).to.equal("hung up");
    // Sent, and never begun: the next takes its place.
    const left = await transfer.importUpload(pod, slow(Promise.resolve()), options);
    const run = await transfer.importUpload(pod, Readable.from([archive]), options);
    expect(((await left(() => {}).catch((error) => error)) as { code?: string }).code).to.equal("conflict");
    expect(await run(() => {}))
      .to.have.property("kept")
      .greaterThan(0);
  });

  it("the file goes into another pod, told line by line; nothing of it stays on the disk outside of the pod", async () => {
    const bea = await signIn("bea", "Bea");
    const response = await fetch(`${server.baseUrl}.account/import`, {
      method: "POST",
      headers: own(bea, { "content-type": "application/zip" }),
      body: archive,
    });
    expect(response.status).to.equal(200);
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { result?: { documents: number; issues: object[] } });
    expect(lines.at(-1)?.result?.issues).to.deep.equal([]);
    expect(await journalOf("bea")).to.include(`import ${server.baseUrl}bea/profile/card#me`);
    const note = await server.context.store.read((await podOf(server.context, "bea")).id, (snapshot) =>
      snapshot.get("body", "/bea/notes/today.ttl", ""),
    );
    expect(Buffer.from(note?.value ?? []).toString()).to.contain("hello");
    const former = await server.context.store.read(
      (await podOf(server.context, "bea")).id,
      async (snapshot) => {
        const found: string[] = [];
        for await (const { group, item } of snapshot.all("resource"))
          if (group.includes("former-homes/")) found.push(item);
        return found;
      },
    );
    expect(former.filter((name) => !name.endsWith("/")).sort()).to.deep.equal([
      "about.json",
      "journal.jsonl",
      "passport.json",
    ]);
    const again = await fetch(`${server.baseUrl}.account/import`, {
      method: "POST",
      headers: own(bea, { "content-type": "application/zip" }),
      body: "no zip",
    });
    const last = JSON.parse((await again.text()).trim().split("\n").at(-1) ?? "") as {
      problem: { code: string; title: string };
    };
    expect(last.problem.code).to.equal("archive-invalid");
    expect(last.problem.title).to.contain("cannot be imported");
  });

  describe("moving", () => {
    const there = "https://new.example/people/ana/";

    it("sends every request on, by every method, whether there was anything or not, and whoever asks", async () => {
      const answer = await page.send("POST", "/.account/moved", { to: there });
      expect(answer.body).to.deep.equal({ root: ana.pod, movedTo: there, passport: "owner-must-sign" });
      const answers: string[] = [];
      for (const path of [
        "notes/today.ttl",
        "nothing/here.ttl",
        "",
        "profile/card",
        "notes/today.ttl.acl",
        "sparql?query=ASK%7B%7D",
        ".journal/",
      ]) {
        for (const method of ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]) {
          for (const headers of [{}, { authorization: "DPoP nonsense" }]) {
            const { status, headers: told, text } = await ana.raw(method, `/ana/${path}`, headers);
            expect(status, `${method} ${path}`).to.equal(308);
            expect(told.location).to.equal(there + path);
            expect(told.link).to.equal(`<${there}${path}>; rel="successor-version"`);
            expect(text).to.equal("");
            answers.push(
              Object.keys(told)
                .filter((name) => name !== "x-request-id")
                .sort()
                .join(),
            );
          }
        }
      }
      expect(new Set(answers.filter((_, index) => index % 2 === 0)).size).to.be.at.most(2); // HEAD and OPTIONS may lack a length.
    });

    it("says nothing in its headers that the address was made to say", async () => {
      const { headers } = await ana.raw("GET", '/ana/x.ttl?a>;rel="stylesheet",<https://evil.example/');
      expect(headers.link).to.equal(`<${headers.location}>; rel="successor-version"`);
      expect(headers.location).to.match(/^https:\/\/new\.example\/people\/ana\/x\.ttl\?[^<>"]*$/);
    });

    it("lets a page of another origin follow", async () => {
      const origin = "https://app.example";
      const asked = await ana.raw("OPTIONS", "/ana/notes/today.ttl", {
        origin,
        "access-control-request-method": "GET",
      });
      expect(asked.status).to.equal(204);
      const { headers } = await ana.raw("GET", "/ana/notes/today.ttl", { origin });
      expect(headers["access-control-allow-origin"]).to.equal(origin);
    });

    it("leaves other pods and the owner's own page as they are", async () => {
      expect((await ana.raw("GET", "/bea/profile/card")).status).to.equal(200);
      expect((await page.send("GET", "/.account/overview")).status).to.equal(200);
      expect((await page.send("GET", "/.account/moved")).body).to.deep.equal({
        root: ana.pod,
        movedTo: there,
      });
      expect((await fetch(`${server.baseUrl}.account/export`, { headers: own(page) })).status).to.equal(200);
    });

    it("is undone by the owner, and goes to no address that leads back or is none", async () => {
      expect((await page.send("POST", "/.account/moved", { to: null })).body.movedTo).to.equal(null);
      expect((await ana.fetch(`${ana.pod}notes/today.ttl`)).status).to.equal(200);
      for (const to of [
        ana.pod,
        `${ana.pod}deeper/`,
        "ana",
        "http://new.example/ana/",
        "https://u:p@new.example/",
        "https://new.example/ana",
        "javascript:alert(1)//",
        "https://new.example/?a/",
        `${server.baseUrl}%61na/`,
        `${server.baseUrl}bea/../ana/`,
      ])
        expect((await page.send("POST", "/.account/moved", { to })).status, to).to.equal(400);
      await page.send("POST", "/.account/moved", { to: `${server.baseUrl}bea/` });
      const bea = await signIn("bea", "Bea");
      expect((await bea.send("POST", "/.account/moved", { to: ana.pod })).status).to.equal(400);
      await page.send("POST", "/.account/moved", { to: null });
      expect(await journalOf("ana")).to.include(`move ${ana.webid}`);
    });
  });
});
