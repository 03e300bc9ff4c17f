/** The owner's pages in a real browser, on a real server: from the set-up link to taking access back. Long, for each step is a screen. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { importRecoveryFile } from "../../client-lib/passport/recovery.ts";
import type { TestServer } from "../support/server.ts";
import { addAuthenticator, expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const PASSWORD = "four words of my own";

describe("the owner's pages", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let wrong: string[];

  onScreen((screen) => void ({ server, page, wrong } = screen));

  const accounts = () => server.context.identity.accounts;
  const words = async (): Promise<string> => page.evaluate(() => document.body.innerText);
  const goTo = async (place: string, sign: string): Promise<void> => {
    await page.goto(`${server.baseUrl}${place}`);
    await page.waitForSelector(`text=${sign}`);
    expect(await words()).to.not.match(JARGON);
  };

  /** @returns the recovery file's text. */
  async function setUp(name: string, way: "passkey" | "password"): Promise<string> {
    await page.goto(await accounts().createSetupLink());
    await page.fill("input[name=name]", name);
    expect(await words()).to.not.match(JARGON);
    await page.click("text=Go on");
    await page.waitForSelector("text=Your passport");
    expect(await page.isDisabled("text=Go on")).to.equal(true); // Not before the file is saved.
    const download = page.waitForEvent("download");
    await page.click("text=Download the recovery file");
    const file = await readFile((await (await download).path()) ?? "", "utf8");
    expect(await words()).to.not.match(JARGON);
    await page.click("text=Go on");
    await page.click(way === "passkey" ? "text=With a passkey" : "text=With a password");
    if (way === "password") await page.fill("input[name=password]", PASSWORD);
    await page.click(".pair .first");
    await page.waitForSelector("text=can see your data");
    return file;
  }

  async function signInByPassword(pod: string): Promise<void> {
    await page.fill("input[name=pod]", pod);
    await page.fill("input[name=password]", PASSWORD);
    await page.click("form button");
  }

  it("make a pod from a set-up link with a passkey, and let its owner in again with that passkey", async () => {
    await addAuthenticator(page);
    const file = await setUp("Ana Lima", "passkey");
    expect(await words()).to.match(/0\s+people can\s+see your data/);
    const [ana] = await accounts().list();
    expect(ana).to.deep.include({ name: "Ana Lima", pod: "ana-lima", password: null });
    expect(ana?.passkeys).to.have.length(1);
    expect((await importRecoveryFile(file)).file.passport).to.equal(ana?.passport);
    const state = await page.evaluate(async () => (await fetch("/.account/state")).text());
    for (const { secret } of JSON.parse(file).keys) expect(state).to.not.include(secret);
    await page.click("[aria-label='Sign out']");
    const sent = page.waitForRequest(/passkey\/login$/);
    await page.click("text=Sign in with a passkey");
    await page.waitForSelector("text=can see your data");
    // The same answer again, by somebody who saw it: worth nothing.
    const again = {
      method: "POST",
      body: (await sent).postData() ?? "",
      headers: { "content-type": "application/json", origin: new URL(server.baseUrl).origin },
    };
    const replayed = await fetch(`${server.baseUrl}.account/passkey/login`, again);
    expect([replayed.status, replayed.headers.get("set-cookie")]).to.deep.equal([401, null]);
  });

  it("add a passkey beside a password, and take the password away", async () => {
    await setUp("Ana", "password");
    await addAuthenticator(page);
    await goTo("#/security", "Ways to sign in");
    await page.click("text=Add a passkey");
    await page.waitForSelector("text=The passkey is ready");
    await page.click("li:has-text('Password') >> text=Remove");
    await page.waitForSelector("text=The password is gone");
    const [ana] = await accounts().list();
    expect([ana?.password, ana?.passkeys.length]).to.deep.equal([null, 1]);
    await page.waitForSelector("li:has-text('Passkey') button:disabled:has-text('Remove')"); // The only way in that is left.
  });

  it("refuse the same link a second time, and say what to do", async () => {
    const link = await accounts().createSetupLink();
    await accounts().open({
      name: "Ben",
      pod: "ben",
      password: PASSWORD,
      passkey: null,
      createOp: null,
      recoverySaved: false,
    });
    await page.goto(link.replace(/.$/, (last) => (last === "A" ? "B" : "A")));
    await page.waitForSelector("text=This link cannot be used");
    expect(await words()).to.match(/new link/);
  });

  it("take the token out of the address bar before anything else can see it", async () => {
    await page.goto(await accounts().createSetupLink());
    await page.waitForSelector("input[name=name]");
    expect(page.url()).to.equal(`${server.baseUrl}.account/setup`);
    expect(await page.evaluate(() => localStorage.length + sessionStorage.length)).to.equal(0);
  });

  it("say in one sentence that the name or the password is wrong, and let the right one in", async () => {
    await setUp("Ana", "password");
    await page.click("[aria-label='Sign out']");
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "not the password at all");
    await page.click("form button");
    await page.waitForSelector("[role=alert]");
    expect(await page.innerText("[role=alert]")).to.match(/name or the password is wrong/);
    await signInByPassword("ana");
    await page.waitForSelector("text=can see your data");
  });

  it("put a file in, show it, and take it away again", async () => {
    await setUp("Ana", "password");
    await goTo("#/data", "Your data");
    await page.click("text=New folder");
    await page.fill("fh-data input[name=name]", "Summer photos");
    await page.click("text=Make it");
    await page.click("text=Summer photos");
    await page.waitForSelector("text=Nothing in here yet");
    await page.setInputFiles("fh-data input[type=file]", {
      name: "cat & dog.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("They slept."),
    });
    await page.click("a:has-text('cat & dog.txt')");
    await page.waitForSelector("pre.preview");
    expect(await page.innerText("pre.preview")).to.equal("They slept.");
    expect(await words())
      .to.match(/Only you/)
      .and.not.match(JARGON);
    const download = page.waitForEvent("download");
    await page.click("dialog[open] >> text=Download");
    expect(await readFile((await (await download).path()) ?? "", "utf8")).to.equal("They slept.");
    const stranger = await fetch(`${server.baseUrl}ana/Summer%20photos/cat%20&%20dog.txt`);
    expect(stranger.status).to.equal(401);
    await page.click("dialog[open] >> text=Delete");
    await page.click("text=Delete it");
    await page.waitForSelector("text=Nothing in here yet");
  });

  it("never write over a file that is there", async () => {
    await setUp("Ana", "password");
    await goTo("#/data", "Your data");
    for (const text of ["first", "second"]) {
      await page.setInputFiles("fh-data input[type=file]", {
        name: "note.txt",
        mimeType: "text/plain",
        buffer: Buffer.from(text),
      });
      await page.waitForSelector(text === "first" ? "a:has-text('note.txt')" : "[role=alert]");
    }
    expect(await page.innerText("[role=alert]")).to.match(/of this name here already/);
    await page.click("a:has-text('note.txt')");
    await page.waitForSelector("pre.preview");
    expect(await page.innerText("pre.preview")).to.equal("first");
  });

  it("share with everyone, show it, take it back, and undo that, each with one tap", async () => {
    await setUp("Ana", "password");
    await goTo("#/data", "Your data");
    await page.setInputFiles("fh-data input[type=file]", {
      name: "poem.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("A poem."),
    });
    await page.click("a:has-text('poem.txt')");
    await page.click("dialog[open] >> text=Share");
    await page.click("fh-share >> text=Everyone");
    expect(await page.innerText("fh-share .summary")).to.equal(
      "Everyone on the web will be able to see poem.txt.",
    );
    const status = async (): Promise<number> => (await fetch(`${server.baseUrl}ana/poem.txt`)).status;
    expect(await status()).to.equal(401);
    await page.click("fh-share button.first");
    await page.waitForSelector("text=Shared: poem.txt");
    expect(await status()).to.equal(200);
    await page.goto(`${server.baseUrl}#/sharing`);
    await page.waitForSelector("text=Open to all");
    await page.click("text=Take back");
    await page.waitForSelector("text=Everyone can no longer see poem.txt");
    expect(await status()).to.equal(401);
    await page.click("text=Undo");
    await page.waitForSelector("text=Undone");
    expect(await status()).to.equal(200);
  });

  it("share a folder with one person, and count that person", async () => {
    const ben = await server.person("Ben");
    await setUp("Ana", "password");
    await page.click("text=Share something");
    await page.selectOption("fh-share select[name=path]", "/ana/inbox/");
    await page.fill("fh-share input[name=address]", ben.webid);
    await page.click("fh-share button.first");
    await page.waitForSelector("text=Shared: inbox");
    await page.waitForSelector("h1:has-text('1 person can see your data')");
    expect((await ben.fetch(`${server.baseUrl}ana/inbox/`)).status).to.equal(200);
    await goTo("#/sharing", "Who can see what");
    expect(await words()).to.include("Ben");
    await page.click(".person >> text=Take back");
    await page.waitForSelector("text=Your gate is closed");
    expect(await words()).to.include("Anyone signed in can leave you a notice");
    expect((await ben.fetch(`${server.baseUrl}ana/inbox/`)).status).to.equal(403);
  });

  it("connect a program whose secret is shown once, and which can sign in until it is disconnected", async () => {
    await setUp("Ana", "password");
    await goTo("#/security", "Connected programs");
    await page.click("text=Connect a program");
    await page.fill("fh-programs input[name=name]", "Backup");
    await page.click("fh-programs button.first");
    await page.waitForSelector("text=Client secret");
    const [, id = "", secret = ""] = await page.locator("fh-programs code").allInnerTexts();
    const { logIn } = await import("../support/dpop.ts");
    const program = await logIn(server.baseUrl, id, secret);
    expect((await program(`${server.baseUrl}ana/`)).status).to.equal(200);
    await page.reload();
    await page.waitForSelector("text=Backup");
    expect(await page.content()).to.not.include(secret);
    await page.click("text=Disconnect");
    await page.waitForSelector("text=Backup is disconnected");
    expect(await accounts().credentialOf(id)).to.equal(null);
  });

  it("check a recovery file in the browser, and tell a wrong one", async () => {
    const file = await setUp("Ana", "password");
    await goTo("#/passport", "Your recovery file");
    const choose = (text: string) =>
      page.setInputFiles("fh-passport input[type=file]", {
        name: "file.json",
        mimeType: "application/json",
        buffer: Buffer.from(text),
      });
    await choose(
      file.replace(/"secret": "./, (start) => `${start.slice(0, -1)}${start.endsWith("A") ? "B" : "A"}`),
    );
    await page.waitForSelector("text=not a whole recovery file");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.postData() ?? ""));
    await choose(file);
    await page.waitForSelector("text=The file is whole");
    expect(asked.join("")).to.not.include(JSON.parse(file).keys[0].secret);
  });

  it("show a person with a browser, not a program, why a place is closed or empty", async () => {
    await setUp("Ana", "password");
    for (const [path, sign] of [
      ["ana/", "Sign in to see this"],
      ["ana/nothing", "Sign in to see this"],
      ["nobody/", "nothing here"],
    ] as const) {
      await page.goto(`${server.baseUrl}${path}`);
      await page.waitForSelector(`text=${sign}`);
      expect(await words()).to.not.match(JARGON);
    }
    const program = await fetch(`${server.baseUrl}nobody/`);
    expect(program.headers.get("content-type")).to.match(/^application\/problem\+json/);
  });

  describe("for an app that asks", () => {
    let app: Server;
    let appUrl: string;

    beforeEach(async () => {
      app = createServer((_request, response) => response.end("back at the app")).listen(0, "127.0.0.1");
      await once(app, "listening");
      appUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}/`;
    });
    afterEach(() => {
      app.closeAllConnections();
      app.close();
      wrong.splice(0, Infinity, ...wrong.filter((what) => !what.startsWith(`elsewhere: ${appUrl}`)));
    });

    /** Registers an app and opens its question, as the app's own page would. */
    async function askAsApp(): Promise<void> {
      const redirect_uris = [`${appUrl}back`];
      const registered = await fetch(`${server.baseUrl}.oidc/reg`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          client_name: "Photo Frame",
          client_uri: "https://trusted.example/",
          redirect_uris,
          token_endpoint_auth_method: "none",
        }),
      });
      const { client_id } = (await registered.json()) as { client_id: string };
      const question = new URLSearchParams({
        client_id,
        redirect_uri: redirect_uris[0] ?? "",
        response_type: "code",
        scope: "openid webid",
        state: "s",
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method: "S256",
      });
      await page.goto(`${server.baseUrl}.oidc/auth?${question.toString()}`);
    }

    it("say who asks by where the answer goes, and send a yes there", async () => {
      await setUp("Ana", "password");
      await askAsApp();
      await page.waitForSelector("text=Connect Photo Frame to your pod?");
      expect(await words())
        .to.include(`from ${new URL(appUrl).host}`)
        .and.not.match(/trusted\.example/)
        .and.not.match(JARGON);
      const sizes = await page.$$eval(".pair button", (buttons) =>
        buttons.map((button) => `${button.clientWidth} ${button.clientHeight} ${button.className}`),
      );
      expect(new Set(sizes).size, "yes and no look the same").to.equal(1);
      expect(await words()).to.include(`Your answer goes to ${new URL(appUrl).host}, and to nobody else`);
      expect(await page.innerText(".abilities .cannot")).to.include("decide who else may see it");
      await look(page, "consent");
      await expectAccessible(page);
      expect(await words()).to.include("It registered itself; nobody vouches for it.");
      await page.click("button:has-text('Allow')");
      await page.waitForURL((url) => url.href.startsWith(`${appUrl}back?`));
      expect(new URL(page.url()).searchParams.get("code")).to.match(/.{20}/);
      await goTo("#/apps", "You let them in");
      expect(await words())
        .to.include("Photo Frame")
        .and.to.include("can see, add to and change everything you can")
        .and.to.include(`from ${new URL(appUrl).host}, since`);
      expect(await words()).to.include("It has touched nothing in the last 90 days");
      await look(page, "apps-one");
      await expectAccessible(page);
      await page.click("[aria-label='Let it rest: Photo Frame']");
      await page.waitForSelector("text=can know who you are, and nothing else.");
      await page.click("text=Undo");
      await page.waitForSelector("text=Undone");
      expect(await words()).to.include("can see, add to and change everything you can");
      await page.click("[aria-label='Disconnect Photo Frame']");
      await page.click("text=Disconnect it");
      await page.waitForSelector("text=is disconnected");
      expect(
        await server.context.identity.provider.consentedApps((await accounts().list())[0]?.id ?? ""),
      ).to.deep.equal([]);
    });

    it("let the person choose what the app can do, and change it later", async () => {
      await setUp("Ana", "password");
      const { accounts: people, provider } = server.context.identity;
      const pod = await server.context.pods.find("ana");
      if (!pod) throw new Error("There is no pod");
      await server.context.writeDocuments(
        pod,
        ["photos", "letters"].map((name) => ({
          path: `/ana/${name}/`,
          contentType: "text/turtle",
          bytes: new Uint8Array(),
        })),
      );
      await askAsApp();
      await page.waitForSelector("text=Connect Photo Frame to your pod?");
      await page.check("input[value=folders]");
      expect(await page.isDisabled("button:has-text('Allow')"), "no folder is chosen yet").to.equal(true);
      await page.check("label:has-text('photos') input");
      await page.uncheck("input[value=write]");
      expect(await page.innerText(".abilities"))
        .to.match(/It can\s+see photos\s+add to photos/)
        .and.match(/It cannot\s+touch inbox, letters, profile and settings\s+change or delete anything/);
      expect(await words()).to.not.match(JARGON);
      await page.click("button:has-text('Allow')");
      await page.waitForURL((url) => url.href.startsWith(`${appUrl}back?`));
      const accountId = (await people.list())[0]?.id ?? "";
      const reach = async () => (await provider.consentedApps(accountId))[0]?.reach;
      expect(await reach()).to.deep.equal({ folders: ["/ana/photos/"], modes: ["read", "append"] });

      await goTo("#/apps", "You let them in");
      expect(await words()).to.include("can see and add to photos");
      await page.click("[aria-label='Change what Photo Frame can do']");
      expect(await page.isChecked("label:has-text('photos') input")).to.equal(true);
      await page.check("label:has-text('letters') input");
      await page.uncheck("input[value=append]");
      await page.click("button:has-text('Save')");
      await page.waitForSelector("text=From now on Photo Frame can see letters and photos.");
      expect(await reach()).to.deep.equal({ folders: ["/ana/letters/", "/ana/photos/"], modes: ["read"] });
      await page.click("[aria-label='Change what Photo Frame can do']");
      await page.check("input[value=nowhere]");
      await page.click("button:has-text('Save')");
      await page.waitForSelector("text=can know who you are, and nothing else.");
      expect(await reach()).to.deep.equal({ folders: [], modes: [] });
      expect(await words()).to.not.match(JARGON);
    });

    it("let somebody sign in first, and send a no there too", async () => {
      await setUp("Ana", "password");
      await page.click("[aria-label='Sign out']");
      await page.waitForSelector("input[name=pod]");
      await askAsApp();
      await page.waitForSelector("text=Sign in to go on");
      await signInByPassword("ana");
      await page.click("text=Not now");
      await page.waitForURL((url) => url.href.startsWith(`${appUrl}back?`));
      expect(new URL(page.url()).searchParams.get("error")).to.equal("access_denied");
    });

    it("say that a question has ended, and that nothing was shared", async () => {
      await goTo(".account/consent?uid=nothing", "This request has ended");
      expect(await words()).to.match(/Nothing was shared/);
    });
  });
});
