/** The pages for whoever runs the server for others, in a real browser on a real server. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Page } from "playwright-core";
import type { Person, TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

describe("the pages of whoever runs the server", function () {
  this.timeout(90_000);
  let server: TestServer;
  let page: Page;
  let ben: Person;
  let folder: string;
  let started = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-hosting-"));
    await writeFile(join(folder, "passphrase"), "a passphrase for these backups\n");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  onScreen(
    async (screen) => {
      ({ server, page } = screen);
      await server.person("ana");
      ben = await server.person("ben");
      await server.context.identity.accounts.setOperator("ana", true);
      await page.goto(server.baseUrl);
      await page.fill("input[name=pod]", "ana");
      await page.fill("input[name=password]", "a long password of ana");
      await page.click("form button");
      await page.waitForSelector("text=can see your data");
    },
    () => ({
      FREEHOLD_BACKUP_FOLDER: join(folder, `backups-${(started += 1)}`),
      FREEHOLD_BACKUP_PASSPHRASE_FILE: join(folder, "passphrase"),
      FREEHOLD_BACKUP_EVERY: "off",
    }),
  );

  const goTo = async (place: string, sign: string): Promise<void> => {
    await page.goto(`${server.baseUrl}#/${place}`);
    await page.waitForSelector(`text=${sign}`);
    expect(await page.evaluate(() => document.body.innerText), place).to.not.match(JARGON);
  };

  it("show how the server is doing: every page whole, for everybody, at every width", async () => {
    await page.goto(`${server.baseUrl}#/more`);
    await page.click("text=Hosting");
    for (const [place, sign] of [
      ["hosting", "The server is ready"],
      ["hosting/accounts", "2 people live here"],
      ["hosting/accounts/ben", "Sign out everywhere"],
      ["hosting/invitations", "Nobody is invited"],
      ["hosting/backups", "No backup yet"],
      ["hosting/jobs", "Check all that is stored"],
      ["hosting/health", "Ready:"],
      ["hosting/log", "The last lines"],
      ["hosting/diagnostics", "For a report"],
    ] as const) {
      await goTo(place, sign);
      expect(await page.locator("h1").count(), place).to.equal(1);
      await look(page, place.replaceAll("/", "-"));
      await expectAccessible(page);
    }
    expect(await page.innerText("fh-host-diagnostics"), "by this browser").to.match(
      /Nothing is wrong[\s\S]*Live updates \(WebSockets\) get through[\s\S]*clock is right/,
    );
  });

  it("give somebody more room, freeze, and take both back at once; sign out everywhere; erase", async () => {
    const podOf = async () => (await server.context.pods.find("ben"))!;
    await goTo("hosting/accounts", "2 people live here");
    await page.click("a:has-text('ben')");
    await page.fill("input[name=gigabytes]", "2.5");
    await page.click("text=Set");
    await page.waitForSelector("text=has room for 2.5 GB now");
    expect((await podOf()).quota?.bytes).to.equal(2.5e9);
    await page.click("text=Undo");
    await page.waitForSelector("text=Undone.");
    expect((await podOf()).quota).to.equal(undefined);

    const card = `${ben.pod}profile/card`;
    expect((await fetch(card)).status).to.equal(200);
    await page.click("text=Freeze it");
    await page.waitForSelector("text=Nobody but ben gets at anything in this pod.");
    expect((await fetch(card)).status).to.be.oneOf([401, 403]);
    await page.click("text=Undo");
    await page.waitForSelector("text=Freeze it");
    expect((await fetch(card)).status).to.equal(200);

    const { accounts } = server.context.identity;
    const account = (await accounts.list()).find(({ pod }) => pod === "ben")!;
    await accounts.sessions.begin(account.id, {});
    await page.click("article:has-text('Sign out everywhere') button");
    await page.waitForSelector("text=ben is signed out everywhere");
    expect(await accounts.sessions.list(account.id)).to.deep.equal([]);

    await page.fill("input[name=confirm]", "bent");
    await page.click("text=Erase for good");
    await page.waitForSelector("text=Type the name of the pod");
    expect((await podOf()).erased).to.equal(undefined);
    await page.fill("input[name=confirm]", "ben");
    await page.click("text=Erase for good");
    await page.waitForSelector("li:has-text('Erasing') >> text=Done");
    expect((await podOf()).erased).to.be.a("number");
  });

  it("invite somebody by a link that works once, as text and as a picture, and take a link back", async () => {
    await goTo("hosting/invitations", "Nobody is invited");
    await page.selectOption("select[name=days]", "30");
    await page.focus("input[name=name]"); // From here on, by the keyboard alone.
    await page.keyboard.type("Eve Young");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector("svg.qr");
    const link = await page.innerText("fh-copy code");
    expect(link).to.match(/\.account\/setup#token=[\w-]{43}$/);
    await look(page, "hosting-invited");
    await expectAccessible(page);
    await page.click("text=Done");
    expect(await page.content(), "it is shown only once").to.not.include(link);
    const { accounts } = server.context.identity;
    const [invitation] = await accounts.invitations.invitations();
    expect(invitation?.name).to.equal("Eve Young");
    expect((invitation?.expires ?? 0) - Date.now()).to.be.within(29 * 86_400_000, 30 * 86_400_000);
    const token = new URL(link).hash.slice("#token=".length);
    await accounts.checkLink(token);
    await page.click("[aria-label='Take back the invitation of Eve Young']");
    await page.click("text=Take it back");
    await page.waitForSelector("text=opens nothing any more");
    expect(await accounts.checkLink(token).catch(({ code }: { code: string }) => code)).to.equal(
      "setup-link-invalid",
    );
  });

  it("make a backup, prove it, and see both run and end", async () => {
    await goTo("hosting/backups", "No backup yet");
    await page.click("text=Make one now");
    await page.waitForSelector("text=Everything");
    await page.click("text=Check it");
    await page.waitForSelector("li:has-text('Everything') >> text=Checked");
    await look(page, "hosting-backups-made");
    await expectAccessible(page);
    await goTo("hosting/jobs", "Check all that is stored");
    await page.click("text=Check all that is stored");
    await page.waitForSelector("li:has-text('Check of all that is stored') >> text=Done");
    expect(await page.locator("fh-host-jobs li").count()).to.equal(3);
    await look(page, "hosting-jobs-done");
    await expectAccessible(page);
    await goTo("hosting/log", "backup.made");
    await page.click("text=Mistakes");
    await page.waitForSelector("text=Nothing of that kind");
  });

  it("are not there for anybody else", async () => {
    await page.click("[aria-label='Sign out']");
    await page.fill("input[name=pod]", "ben");
    await page.fill("input[name=password]", "a long password of ben");
    await page.click("form button");
    await page.waitForSelector("text=can see your data");
    await goTo("more", "Everything here");
    expect(await page.innerText("main")).to.not.include("Hosting");
    await goTo("hosting", "This room is for whoever runs the server");
  });
});
