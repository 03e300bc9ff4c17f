/** The Data room in a real browser: what documents say, as a table, in a form, in time, as a map and as it is stored. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { record } from "../../client-lib/series.ts";
import type { Person, TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const CONTACT = "https://w3id.org/freehold/shapes/contacts#ContactShape";
const example = (name: string): string =>
  readFileSync(new URL(`../../shapes/examples/${name}.ttl`, import.meta.url), "utf8");

describe("the Data room", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;

  onScreen(async (screen) => {
    ({ server, page } = screen);
    ana = await server.person("Ana");
    await page.goto(server.baseUrl);
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of Ana");
    await page.click("form button");
    await page.waitForSelector("text=can see your data");
  });

  const put = async (path: string, body: string, contentType = "text/turtle"): Promise<void> => {
    const response = await ana.fetch(`${ana.pod}${path}`, {
      method: "PUT",
      headers: { "content-type": contentType },
      body,
    });
    expect(response.status, `${path}: ${await response.text()}`).to.be.within(200, 299);
  };
  const goTo = async (place: string, sign: string): Promise<void> => {
    await page.goto(`${server.baseUrl}#/data/${place}`);
    await page.waitForSelector(sign);
  };
  const words = (): Promise<string> => page.evaluate(() => document.body.innerText);
  const stored = async (path: string): Promise<string> => (await ana.fetch(`${ana.pod}${path}`)).text();

  async function fillContacts(): Promise<void> {
    await put("contacts/", "");
    await put("contacts/.meta", `<./> <http://www.w3.org/ns/ldp#constrainedBy> <${CONTACT}> .`);
    await put("contacts/zoe.ttl", example("Contact/valid-full"));
    for (const name of ["Plumber", "Bakery", "Uncle Joe"])
      await put(
        `contacts/${name.toLowerCase().replace(" ", "-")}.ttl`,
        `<#it> a <http://www.w3.org/2006/vcard/ns#Individual> ; <http://www.w3.org/2006/vcard/ns#fn> "${name}" ; <http://www.w3.org/2006/vcard/ns#hasURL> <./zoe.ttl#it> .`,
      );
  }

  it("shows a folder as a table, sorted and filtered, and one record whole", async () => {
    await fillContacts();
    await goTo("contacts/?view=table", "table.things");
    expect(await words())
      .to.include("Full name")
      .and.include("4 records")
      .and.not.match(JARGON);
    await look(page, "data-table");
    await expectAccessible(page);
    const names = () => page.locator("table.things tbody tr td:first-child").allInnerTexts();
    await page.click("th >> text=Full name");
    await page.waitForSelector("th[aria-sort=ascending]");
    await page.waitForFunction(() => document.querySelector("tbody td")?.textContent?.includes("Bakery"));
    expect(await names()).to.deep.equal(["Bakery", "Plumber", "Uncle Joe", "Zoë Müller"]);
    await page.fill("input[name=has]", "joe");
    await page.press("input[name=has]", "Enter");
    await page.waitForSelector("text=1 record");
    expect(await names()).to.deep.equal(["Uncle Joe"]);
    await goTo("contacts/zoe.ttl?view=table", "article.thing");
    expect(await words())
      .to.include("Bäckerei Müller")
      .and.include("Birthday")
      .and.not.match(JARGON);
    await look(page, "data-one");
    await expectAccessible(page);
  });

  it("edits a record by a form: a wrong value is refused beside its field, the right one is saved, and undone", async () => {
    await fillContacts();
    await goTo("contacts/zoe.ttl?view=table", "article.thing");
    await page.click("article >> text=Edit");
    await page.waitForSelector("shacl-form form");
    await look(page, "data-form");
    await expectAccessible(page);
    expect(await words()).to.not.match(JARGON);
    await page.getByLabel("Web page", { exact: true }).fill("ftp://zoe.example/");
    await page.click("shacl-form button.first");
    await page.waitForSelector("text=Give web pages by their full address");
    expect(await stored("contacts/zoe.ttl")).to.include("https://zoe.example/");
    await page.getByLabel("Web page", { exact: true }).fill("https://zoe.example/new");
    // What only the server knows: no number of a payment card belongs into a note.
    await page.getByLabel("Note", { exact: true }).fill("Card 4111 1111 1111 1111");
    await page.click("shacl-form button.first");
    await page.waitForSelector(".fault:has-text('card')");
    await look(page, "data-form-refused");
    await expectAccessible(page);
    expect(await stored("contacts/zoe.ttl")).to.include("Likes 🥐");
    await page.getByLabel("Note", { exact: true }).fill("Likes tea");
    await page.click("shacl-form button.first");
    await page.waitForSelector("article.thing >> text=Likes tea");
    const saved = await stored("contacts/zoe.ttl");
    expect(saved).to.include("https://zoe.example/new").and.include("--04-12").and.not.include("🥐");
    await page.click("text=Undo");
    await page.waitForSelector("article.thing >> text=Likes 🥐");
    expect(await stored("contacts/zoe.ttl")).to.equal(example("Contact/valid-full"));
  });

  it("adds a record to a folder, needs what its shape needs, and takes it away again", async () => {
    await fillContacts();
    await goTo("contacts/?view=table", "table.things");
    await page.click("text=Add one");
    await page.waitForSelector("shacl-form form");
    await page.click("shacl-form button.first");
    await page.waitForSelector("text=Give one name.");
    await page.getByLabel("Full name").fill("New Friend");
    await page.click("shacl-form >> text=Add another >> nth=0"); // A second nickname.
    await page.getByLabel("Nickname 1", { exact: true }).fill("Newt");
    await page.getByLabel("Nickname 2", { exact: true }).fill("Friendly");
    await page.click("shacl-form button.first");
    await page.waitForSelector("article.thing >> text=New Friend");
    expect(await words()).to.include("Newt, Friendly");
    await page.click("text=Undo");
    await page.waitForSelector("text=4 records");
    expect(await words()).to.not.include("New Friend");
  });

  it("draws what points where, as a map and as a list", async () => {
    await fillContacts();
    await goTo("contacts/?view=links", "svg.links");
    expect(await page.locator("svg.links a.node").count()).to.be.greaterThan(3);
    await look(page, "data-links");
    await page.click("text=The same as a list");
    expect(await words())
      .to.include("Plumber")
      .and.not.match(JARGON);
    await expectAccessible(page);
    await page.focus("svg.links a.node >> nth=0");
    await page.keyboard.press("Enter");
    await page.waitForSelector("article.thing");
  });

  it("shows what has a date in time, and a meter as a curve with a table", async () => {
    await put("bank/pay.ttl", example("BankTransaction/valid-debit"));
    const pod = {
      url: ana.pod,
      fetch: ana.fetch,
      at: (path: string) => new URL(path, ana.pod).href,
    };
    const observations = Array.from({ length: 240 }, (_, hour) => ({
      time: new Date(Date.UTC(2026, 2, 1, hour)),
      value: 20 + 6 * Math.sin(hour / 4) + (hour % 7),
      sensor: "https://meters.example/house",
      property: "https://meters.example/words#power",
    }));
    await record(pod, "house/power", observations);
    await goTo("bank/?view=timeline", "ol.moments");
    expect(await words())
      .to.include("2026")
      .and.not.match(JARGON);
    await look(page, "data-timeline");
    await expectAccessible(page);
    await goTo("house/power/?view=timeline", ".chart canvas");
    await look(page, "data-series");
    await page.click("text=The same as a table");
    expect(await words())
      .to.include("1 March 2026")
      .and.not.match(JARGON);
    await expectAccessible(page);
  });

  it("shows a document as it is stored, lets it be changed, and says where a mistake is", async () => {
    await fillContacts();
    await goTo("contacts/plumber.ttl?view=raw", "pre.stored");
    expect(await page.innerText("pre.stored")).to.include("vcard/ns#fn");
    await look(page, "data-raw");
    await expectAccessible(page);
    await page.click("text=Edit");
    const text = await page.inputValue("textarea");
    await page.fill("textarea", text.replace(" .", ""));
    await page.click("button >> text=Save");
    await page.waitForSelector("[role=alert]");
    expect(await page.inputValue("textarea")).to.equal(text.replace(" .", "")); // What was typed stays.
    await page.fill("textarea", text.replace("Plumber", "Plumber Paul"));
    await page.click("button >> text=Save");
    await page.waitForSelector("pre.stored >> text=Plumber Paul");
  });

  it("finds words in all of the pod, and opens what it finds", async () => {
    await fillContacts();
    await goTo("", "form.look");
    await page.fill("form.look input", "uncle");
    await page.press("form.look input", "Enter");
    await page.waitForSelector("text=1 thing found");
    expect(await words())
      .to.include("Contact in uncle-joe.ttl")
      .and.not.match(JARGON);
    await look(page, "data-found");
    await expectAccessible(page);
    await page.click("a:has-text('Uncle Joe')");
    await page.waitForSelector("article.thing >> text=Uncle Joe");
    await goTo("?view=search&text=nobodyhasthis", "text=Nothing was found");
    await expectAccessible(page);
  });
});
