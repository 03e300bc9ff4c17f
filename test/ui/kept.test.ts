/** What the owner's pages do against loss: trash, earlier versions, the record, the room left, and taking everything along. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { Page } from "playwright-core";
import type { Person, TestServer } from "../support/server.ts";
import { JARGON, onScreen } from "./browser.ts";

describe("the owner's pages keep what was there", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;

  onScreen(async (screen) => {
    ({ server, page } = screen);
    ana = await server.person("ana");
    await put("notes/shopping.txt", "milk");
    await page.goto(server.baseUrl);
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of ana");
    await page.click("form button");
    await page.waitForSelector("text=can see your data");
  });

  const put = async (path: string, body: string): Promise<void> => {
    const { status } = await ana.fetch(`${ana.pod}${path}`, {
      method: "PUT",
      headers: { "content-type": "text/plain" },
      body,
    });
    expect(status).to.be.oneOf([201, 204]);
  };
  const textAt = async (path: string): Promise<string | number> => {
    const response = await ana.fetch(`${ana.pod}${path}`);
    return response.ok ? response.text() : response.status;
  };
  const goTo = async (place: string, sign: string): Promise<void> => {
    await page.goto(`${server.baseUrl}#/${place}`);
    await page.waitForSelector(`text=${sign}`);
    expect(await page.evaluate(() => document.body.innerText)).to.not.match(JARGON);
  };

  it("undo a deletion at once", async () => {
    await goTo("data/notes/shopping.txt", "Download");
    await page.click("dialog[open] >> text=Delete");
    await page.click("text=Delete it");
    await page.waitForSelector("text=is in the trash");
    expect(await textAt("notes/shopping.txt")).to.equal(404);
    await page.click("text=Undo");
    await page.waitForSelector("text=Undone.");
    expect(await textAt("notes/shopping.txt")).to.equal("milk");
  });

  it("bring back from the trash, beside what has taken its place, and erase for good", async () => {
    await ana.fetch(`${ana.pod}notes/shopping.txt`, { method: "DELETE" });
    await put("notes/shopping.txt", "bread");
    await goTo("trash", "shopping.txt");
    await page.click("text=Bring back");
    await page.waitForSelector("text=for there is another one now");
    expect(await textAt("notes/shopping.txt")).to.equal("bread");
    expect(await textAt("notes/shopping-2.txt")).to.equal("milk");
    await ana.fetch(`${ana.pod}notes/shopping-2.txt`, { method: "DELETE" });
    await goTo("home", "Room");
    await goTo("trash", "shopping-2.txt");
    await page.click("[aria-label='Erase shopping-2.txt for good']");
    await page.click("text=Erase it");
    await page.waitForSelector("text=is gone for good");
    await page.waitForSelector("text=Nothing in here.");
  });

  it("take an earlier version back, and keep what it was until then", async () => {
    await put("notes/shopping.txt", "all wrong");
    await goTo("data/notes/shopping.txt", "Earlier versions (1)");
    await page.click("summary");
    const download = page.waitForEvent("download");
    await page.click("[aria-label='Download this version']");
    expect(await readFile((await (await download).path()) ?? "", "utf8")).to.equal("milk");
    await page.click("text=Take it back");
    await page.waitForSelector("text=is again as it was");
    expect(await textAt("notes/shopping.txt")).to.equal("milk");
    await page.waitForSelector("text=Earlier versions (2)");
  });

  it("show who looked and who was refused", async () => {
    const ben = await server.person("ben");
    expect((await ben.fetch(`${ana.pod}notes/shopping.txt`)).status).to.equal(403);
    await goTo("activity", "tried to look at notes/shopping.txt");
    expect(await page.innerText(".doer")).to.match(/\bben\b[\s\S]*tried to look at notes\/shopping\.txt/);
    await page.selectOption("select[name=who]", "");
    await page.waitForSelector(".doer:has-text('You') >> text=added notes/shopping.txt");
  });

  it("draw how full the pod is", async () => {
    await goTo("home", "in use");
    const used = (await server.context.store.usage((await server.context.pods.find("ana"))?.id as never))
      .bytes;
    const shown = await page.getAttribute(".gauge", "aria-label");
    expect(shown).to.match(/ of 1\.1 GB in use$/);
    expect(shown?.startsWith((used / 1_000).toLocaleString("en", { maximumFractionDigits: 1 }))).to.equal(
      true,
    );
  });

  it("freeze the pod for everybody else, and open it again", async () => {
    const card = `${ana.pod}profile/card`;
    expect((await fetch(card)).status).to.equal(200);
    await goTo("leave", "Freeze your pod");
    await page.click("text=Freeze it");
    await page.waitForSelector("text=Your pod is frozen");
    expect((await fetch(card)).status).to.be.oneOf([401, 403]);
    expect(await textAt("notes/shopping.txt")).to.equal("milk");
    await page.click("text=Open it again");
    await page.waitForSelector("text=Freeze your pod");
    expect((await fetch(card)).status).to.equal(200);
  });

  it("hand over everything as one file, and take it in again", async () => {
    await goTo("leave", "Take everything with you");
    const download = page.waitForEvent("download");
    await page.click("text=Download everything");
    const saved = await (await download).path();
    expect((await readFile(saved)).subarray(0, 2).toString()).to.equal("PK");
    await page.waitForSelector("text=Everything is in");
    await ana.fetch(`${ana.pod}notes/shopping.txt`, { method: "DELETE" });
    await page.setInputFiles("fh-leave input[type=file]", saved);
    await page.waitForSelector("text=brought in");
    expect(await textAt("notes/shopping.txt")).to.equal("milk");
  });

  it("send everybody to the new place, and take that back", async () => {
    await goTo("leave", "Move to another host");
    await page.click("text=I have moved");
    await page.fill("input[name=to]", "https://pods.example/ana/");
    await page.click("text=Send everybody there");
    await page.waitForSelector("text=Your pod has moved");
    const answer = await fetch(`${ana.pod}notes/shopping.txt`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).to.deep.equal([
      308,
      "https://pods.example/ana/notes/shopping.txt",
    ]);
    await page.click("text=It is here again");
    await page.waitForSelector("text=Move to another host");
    expect((await fetch(`${ana.pod}notes/shopping.txt`, { redirect: "manual" })).status).to.equal(401);
  });

  it("erase the pod for good, with a receipt, and not by a slip", async () => {
    await goTo("leave", "Erase your pod");
    await page.click("text=Erase everything");
    await page.fill("input[name=name]", "anna");
    await page.click("text=Erase it for good");
    expect((await server.context.pods.find("ana"))?.erased).to.equal(undefined);
    await page.fill("input[name=name]", "ana");
    const download = page.waitForEvent("download");
    await page.click("text=Erase it for good");
    const receipt = await readFile((await (await download).path()) ?? "", "utf8");
    expect(JSON.parse(receipt)).to.have.property("receipt");
    await page.waitForSelector("text=Almost there"); // Nobody lives here any more.
    expect((await fetch(`${ana.pod}notes/shopping.txt`)).status).to.equal(410);
    expect(await server.context.identity.accounts.list()).to.deep.equal([]);
  });
});
