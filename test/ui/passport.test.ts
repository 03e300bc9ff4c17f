/** The passport in its owner's browser: proved there, locked, given new keys, brought along to another pod; nothing secret is sent. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { sendOperation } from "../../client-lib/operations.ts";
import { erasePassport } from "../../client-lib/passport/open.ts";
import { importRecoveryFile } from "../../client-lib/passport/recovery.ts";
import type { TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const PASSWORD = "four words of my own";

describe("the passport room", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let sent: string[];

  onScreen((screen) => {
    ({ server, page } = screen);
    sent = [];
    page.on("request", (request) => sent.push(`${request.url()} ${request.postData() ?? ""}`));
  });

  const words = async (): Promise<string> => page.evaluate(() => document.body.innerText);
  const saved = async (click: string): Promise<string> => {
    const download = page.waitForEvent("download");
    await page.click(click);
    return readFile((await (await download).path()) ?? "", "utf8");
  };
  const choose = (text: string, room = "fh-passport") =>
    page.setInputFiles(`${room} input[type=file]`, {
      name: "file.json",
      mimeType: "application/json",
      buffer: Buffer.from(text),
    });
  const stateOf = async (id: string) => (await server.context.identity.registry.find(id as never))?.state;

  /** @returns the recovery file's text, or null where somebody brings a passport along. */
  async function setUp(name: string, withPassport = true): Promise<string | null> {
    await page.goto(await server.context.identity.accounts.createSetupLink());
    await page.fill("input[name=name]", name);
    await page.click("text=Go on");
    await page.waitForSelector("text=Your passport");
    const file = withPassport ? await saved("text=Download the recovery file") : null;
    await page.click(withPassport ? "text=Go on" : "text=I bring a passport along");
    await page.click("text=With a password");
    await page.fill("input[name=password]", PASSWORD);
    await page.click(".pair .first");
    await page.waitForSelector(withPassport ? "text=can see your data" : "fh-arrive h2");
    return file;
  }

  async function openRoom(): Promise<void> {
    await page.goto(`${server.baseUrl}#/passport`);
    await page.waitForSelector("text=Proved in this browser.");
  }

  it("shows the number, the code and what was proved; locks open and close; and the sheet has no secret", async () => {
    const file = (await setUp("Ana Lima")) ?? "";
    await openRoom();
    await page.waitForSelector("fh-qr path");
    await page.click("text=What was checked here");
    await look(page, "passport");
    await expectAccessible(page);
    expect(await words()).to.not.match(JARGON);
    await choose(file);
    await page.waitForSelector("text=The locks are closed");
    await look(page, "passport-open");
    await expectAccessible(page);
    await page.click("fh-keys li button");
    await page.waitForSelector("[role=alert] >> text=stay closed for 30 days");
    await expectAccessible(page);
    const { keys, file: known } = await importRecoveryFile(file);
    const present = await stateOf(known.passport);
    if (!present) throw new Error("There is no passport");
    await sendOperation(server.baseUrl, await erasePassport(present, keys.authority)); // As a thief might.
    await page.reload();
    await page.waitForSelector("[role=alert] >> text=Your passport is erased for good.");
    expect(await words()).to.not.match(JARGON);
    await choose(file);
    await page.waitForSelector("text=The locks are closed");
    await look(page, "passport-waits");
    await expectAccessible(page);
    expect(await words()).to.not.match(JARGON);
    await page.click("text=End what waits");
    await page.waitForSelector("[role=alert]", { state: "detached" });
    await page.evaluate(() => {
      window.print = () => undefined;
    });
    await page.click("text=Print the recovery sheet");
    await page.waitForSelector(".print-sheet fh-qr path");
    await page.emulateMedia({ media: "print" });
    await look(page, "passport-sheet");
    const secrets = (JSON.parse(file) as { keys: { secret: string }[] }).keys.map(({ secret }) => secret);
    const sheet = await page.innerHTML(".print-sheet");
    for (const secret of secrets) expect(sheet + sent.join()).to.not.include(secret);
    await page.emulateMedia({ media: null });
  });

  it("gives a passport new keys: the file of before is worth nothing, the newest opens it, and it leads here all the while", async () => {
    const file = (await setUp("Ana")) ?? "";
    const { passport } = (await importRecoveryFile(file)).file;
    await openRoom();
    await choose(file);
    const both = await saved("text=Make new keys");
    expect(await page.isDisabled("text=Put the new keys in force"), "not before the file is safe").to.equal(
      true,
    );
    await look(page, "passport-keys");
    await expectAccessible(page);
    await page.check("text=I have put the new file in a safe place");
    await page.click("text=Put the new keys in force");
    const newest = await saved("text=Download the newest file");
    const keys = (await stateOf(passport))?.head.auth.keys;
    expect(keys).to.deep.equal((await importRecoveryFile(newest)).keys.authority.map(({ key }) => key));
    expect(keys).to.deep.equal((await importRecoveryFile(both)).later?.authority.map(({ key }) => key));
    for (const text of [file, both, newest])
      for (const { secret } of (JSON.parse(text) as { keys: { secret: string }[] }).keys)
        expect(sent.join()).to.not.include(secret);
    await page.reload();
    await page.waitForSelector("text=Proved in this browser.");
    await choose(file);
    await page.waitForSelector("text=Get the passport back"); // The recovery keys are the same ones.
    await choose(newest);
    await page.waitForSelector("text=The locks are closed");
    const data = (await server.context.identity.registry.find(passport))?.data?.op;
    expect(data?.storage.map(({ url }) => url)).to.deep.equal([`${server.baseUrl}ana/`]);
  });

  it("brings a passport along from another pod, after a set-up without one", async () => {
    const file = (await setUp("Ana")) ?? "";
    const { passport } = (await importRecoveryFile(file)).file;
    const { accounts } = server.context.identity;
    await page.context().clearCookies();
    await setUp("Ana Two", false);
    await look(page, "passport-arrive");
    await expectAccessible(page);
    expect(await words()).to.not.match(JARGON);
    await choose("{}", "fh-arrive");
    await page.waitForSelector("text=not a whole recovery file");
    await choose(file, "fh-arrive");
    await page.waitForSelector("button:has-text('Download the new recovery file')");
    expect((await accounts.list()).find(({ pod }) => pod === "ana-two")?.passport).to.equal(null);
    await look(page, "passport-arriving");
    // It belongs to another pod of this very server: that is refused, and nothing has changed.
    await saved("button:has-text('Download the new recovery file')");
    await page.click("button:has-text('Make this server its host')");
    await page.waitForSelector("[role=alert]");
    expect(await words()).to.match(/belongs to another pod here/);
    expect((await stateOf(passport))?.head.seq).to.equal(0);
    await expectAccessible(page);
  });
});
