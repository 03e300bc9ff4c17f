/** Settings, keys and the last backup: each choice holds at once and is taken back with one tap; and who may not choose. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import { wordsOfBackup } from "../../server/ui/rooms/security/safekeeping.ts";
import { openBrowser } from "../account/client.ts";
import type { Person, TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

describe("the settings", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;

  onScreen(async (screen) => {
    ({ server, page } = screen);
    ana = await server.person("ana");
    await page.goto(server.baseUrl);
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of ana");
    await page.click("form button");
    await page.waitForSelector("text=can see your data");
  });

  const words = async (): Promise<string> => page.evaluate(() => document.body.innerText);
  const card = async (): Promise<string> => (await fetch(ana.webid)).text();

  it("change the name on the card, the light and the days, and each back with one tap", async () => {
    await page.goto(`${server.baseUrl}#/settings`);
    await page.waitForSelector("text=30 days");
    await look(page, "settings");
    await expectAccessible(page);
    await page.fill("fh-settings input[name=name]", "Ana Lima");
    await page.click("fh-settings form button");
    await page.waitForSelector("text=From now on you are Ana Lima.");
    expect(await card())
      .to.include('"Ana Lima"')
      .and.not.include('"ana"');
    await page.click("text=Undo");
    await page.waitForSelector("text=Undone.");
    expect(await card())
      .to.include('"ana"')
      .and.not.include("Ana Lima");

    const scheme = () => page.evaluate(() => document.documentElement.style.colorScheme);
    await page.check("fh-settings input[name=light] >> nth=2");
    expect(await scheme()).to.equal("dark");
    await look(page, "settings-dark");
    await page.reload();
    await page.waitForSelector("fh-settings h1");
    expect(await scheme(), "kept on this device").to.equal("dark");
    await page.check("fh-settings input[name=light] >> nth=0");
    await page.click("text=Undo");
    await page.waitForSelector("text=Undone.");
    expect(await scheme()).to.equal("dark");
    await page.check("fh-settings input[name=light] >> nth=0");
    expect(await scheme()).to.equal("");

    await page.selectOption("fh-settings select", "en-US");
    await page.waitForSelector("text=Days are written like February 28, 2026 now.");
    expect(await words()).to.not.match(JARGON);
  });

  it("seal the pod with a new key, and read everything as before", async () => {
    await ana.fetch(`${ana.pod}note.txt`, {
      method: "PUT",
      headers: { "content-type": "text/plain" },
      body: "milk",
    });
    await page.goto(`${server.baseUrl}#/security`);
    await page.waitForSelector("text=This server makes no backups by itself");
    await page.click("text=Change it");
    await look(page, "security-keys");
    await expectAccessible(page);
    await page.click("text=Seal it with a new key");
    await page.waitForSelector("text=the former one is destroyed");
    expect(await words()).to.not.match(JARGON);
    expect(await (await ana.fetch(`${ana.pod}note.txt`)).text()).to.equal("milk");
    const pod = await server.context.pods.find("ana");
    const entries = pod ? await server.context.journal.read(pod, 0, 1_000) : [];
    expect(entries.some(({ entry }) => entry?.act === "keys" && entry.agent === ana.webid)).to.equal(true);
    await page.click("text=Change it");
    await page.click("text=Seal it with a new key");
    await page.waitForSelector("[role=alert]");
    expect(await page.innerText("[role=alert]")).to.match(/within the last hour/);
  });

  it("are nobody else's, and no other page's", async () => {
    const anas = openBrowser(server);
    await anas.send("POST", "/.account/login", { pod: "ana", password: "a long password of ana" });
    for (const [door, body] of [
      ["/.account/name", { name: "Mallory" }],
      ["/.account/keys", {}],
    ] as const) {
      const send = async (headers: Record<string, string>): Promise<number> => {
        const response = await fetch(new URL(door, server.baseUrl), {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(body),
        });
        await response.body?.cancel();
        return response.status;
      };
      const here = { origin: new URL(server.baseUrl).origin, "sec-fetch-site": "same-origin" };
      expect(await send(here), `${door} without a session`).to.equal(401);
      const elsewhere = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
      expect(await send({ ...elsewhere, cookie: anas.cookie }), `${door} from elsewhere`).to.equal(403);
    }
    expect((await fetch(new URL("/.account/safekeeping", server.baseUrl))).status).to.equal(401);
    const long = await anas.send("POST", "/.account/name", { name: "x".repeat(101) });
    const odd = await anas.send("POST", "/.account/name", { name: "A\u202eB" });
    expect([long.status, odd.status]).to.deep.equal([400, 400]);
    expect(await card()).to.include('"ana"');
  });
});

describe("the words about backups", () => {
  const now = Date.UTC(2026, 10, 22);
  const day = 86_400_000;
  const CASES = [
    ["none", null, "warn", /no backups by itself/],
    ["not yet", { everyMs: day, made: null, proved: null }, "clock", /not been made yet/],
    ["unproved", { everyMs: day, made: now - day, proved: null }, "check", /yesterday/],
    ["late", { everyMs: day, made: now - 4 * day, proved: now - 5 * day }, "warn", /4 days ago/],
    ["by hand, long ago", { everyMs: 0, made: now - 9 * day, proved: null }, "check", /9 days ago/],
  ] as const;
  for (const [name, backup, picture, title] of CASES)
    it(name, () => {
      const [icon, said] = wordsOfBackup(backup, now);
      expect(icon).to.equal(picture);
      expect(said).to.match(title);
    });
});
