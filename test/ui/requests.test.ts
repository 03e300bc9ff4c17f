/** A company asks, and the owner answers on a telephone: sees the real values, gives less, sees who looked, takes it back. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import { policyOf, requestOf, type Vendor, vendorNamed } from "../consent/people.ts";
import type { Person, TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const CONTACT = `@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
<#it> a vcard:Individual ; vcard:fn "Ana Lima" ; vcard:bday "1988-04-12" ; vcard:hasEmail <#mail> ; vcard:hasTelephone <#phone> .
<#mail> vcard:value <mailto:ana@home.example> . <#phone> vcard:value <tel:+27-21-555-0142> .`;
const WORDS_MAX = 60;
const SCREENS_MAX = 2;

describe("the rooms of consent", function () {
  this.timeout(90_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;
  let shop: Vendor;

  onScreen(async (screen) => {
    ({ server, page } = screen);
    ana = await server.person("Ana");
    shop = await vendorNamed(server, "Shop");
    for (const name of ["me", "other"]) await put(`contacts/${name}.ttl`, CONTACT.replace("Lima", name));
    await put("notes/one.ttl", '<#it> <http://purl.org/dc/terms/title> "Buy milk" .');
  });

  async function put(path: string, body: string): Promise<void> {
    const headers = { "content-type": "text/turtle" };
    expect((await ana.fetch(`${ana.pod}${path}`, { method: "PUT", headers, body })).status).to.equal(201);
  }

  const words = (): Promise<string> => page.evaluate(() => document.body.innerText);

  async function signIn(): Promise<void> {
    await page.goto(server.baseUrl);
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of Ana");
    await page.click("form button");
    await page.waitForSelector("fh-overview h1");
  }

  async function goTo(place: string, sign: string): Promise<void> {
    await page.goto(`${server.baseUrl}#/${place}`);
    await page.waitForSelector(`text=${sign}`);
    expect(await words()).to.not.match(JARGON);
  }

  /** @returns the request's address. */
  async function ask(path: string, more: Record<string, unknown> = {}): Promise<string> {
    const access = [policyOf(shop.webid, `${ana.pod}${path}`)];
    const response = await shop.ask(ana, requestOf(shop, ana, { access, ...more }));
    expect(response.status, await response.clone().text()).to.equal(201);
    return response.headers.get("location") ?? "";
  }

  const asVendor = async (url: string): Promise<Record<string, unknown>> =>
    (await shop.fetch(url)).json() as Promise<Record<string, unknown>>;

  async function grantOf(request: string): Promise<{ readonly id: string; readonly target: string }> {
    const [id = ""] = ((await asVendor(request))["grant"] ?? []) as readonly string[];
    const [policy] = (await asVendor(id))["access"] as readonly { target: { value: string[] } }[];
    return { id, target: policy?.target.value[0] ?? "" };
  }

  it("show the real values in two screens and sixty words, give less, tell who looked, and end it", async () => {
    const request = await ask("contacts/");
    await signIn();
    await goTo("requests", "Waiting for you");
    expect(await page.innerText("h1")).to.match(/1 waits/);
    await look(page, "requests");
    await expectAccessible(page);

    await page.click("fh-requests .row-link");
    await page.waitForSelector("text=ana@home.example");
    expect(await words())
      .to.include("12 April 1988")
      .and.not.match(JARGON);
    const text = await page.innerText("[data-words]");
    expect(text.split(/\s+/).filter(Boolean).length, text).to.be.at.most(WORDS_MAX);
    const [tall, screen] = await page.evaluate(() => [
      document.documentElement.scrollHeight,
      window.innerHeight,
    ]);
    expect((tall ?? 0) / (screen ?? 1), "screens").to.be.at.most(SCREENS_MAX);
    const faces = await page.$$eval(".answers button", (buttons) =>
      buttons.map((button) => {
        const { width, height } = button.getBoundingClientRect();
        const { backgroundColor, color, fontWeight } = getComputedStyle(button);
        return [
          button.textContent?.trim(),
          Math.round(width),
          Math.round(height),
          backgroundColor,
          color,
          fontWeight,
        ];
      }),
    );
    expect(faces.map(([name]) => name)).to.deep.equal(["Not now", "No", "Yes, less", "Yes"]);
    expect(new Set(faces.map(([, ...face]) => face.join(" "))).size, JSON.stringify(faces)).to.equal(1);
    await look(page, "request");
    await expectAccessible(page);

    await page.click("text=Yes, less");
    await page.waitForSelector("text=What is left");
    await page.uncheck("label:has-text('Birthday') input");
    await page.uncheck("label:has-text('Phone') input");
    await page.waitForFunction(() => !/1988|555-0142/.test(document.body.innerText));
    await page.waitForSelector("text=ana@home.example");
    await page.selectOption("select[name=days]", "7");
    await page.waitForSelector(".seen[aria-busy=false] .thing");
    await look(page, "request-less");
    await expectAccessible(page);
    expect(await words()).to.not.match(JARGON);
    await page.click("text=Give this");
    await page.waitForSelector("text=You gave less than they asked for.");
    await page.waitForSelector("text=Yes, less");

    const { id, target } = await grantOf(request);
    const given = await (await shop.fetch(target)).text();
    expect(given)
      .to.include("ana@home.example")
      .and.not.match(/1988|555-0142/);
    expect((await shop.fetch(`${ana.pod}contacts/me.ttl`)).status, "the document itself").to.equal(403);
    const [policy] = (await asVendor(id))["access"] as readonly {
      constraint: readonly { leftOperand: string; rightOperand: string }[];
    }[];
    const end = policy?.constraint.find(({ leftOperand }) => leftOperand === "dateTime")?.rightOperand ?? "";
    expect(Date.parse(end)).to.be.below(Date.now() + 7 * 86_400_000 + 60_000);
    await look(page, "requests-answered");

    await goTo("relationships", "Companies");
    await page.click("fh-relationships .row-link");
    await page.waitForSelector("text=What they have");
    await page.waitForSelector("text=1 time");
    await page.click("fh-receipts button:has-text('Check')");
    await page.waitForSelector("text=1 look, and no number is missing.");
    expect(await words())
      .to.include("looked at what you gave them")
      .and.not.match(JARGON);
    await look(page, "company");
    await expectAccessible(page);

    await page.click("text=Let it rest");
    await page.waitForSelector("text=It rests. Nothing flows.");
    expect((await shop.fetch(target)).status).to.equal(403);
    await page.click(".toast >> text=Undo");
    await page.waitForSelector("text=Undone.");
    expect((await shop.fetch(target)).status).to.equal(200);

    await page.click("button:has-text('Take back')");
    await page.waitForSelector("dialog[open] >> text=/They looked 1 time in all/");
    await look(page, "company-end");
    await expectAccessible(page);
    await page.click("dialog[open] button:has-text('Take it back')");
    await page.waitForSelector("text=Taken back. They get nothing more.");
    expect((await shop.fetch(target)).status).to.equal(403);
    await page.click(".toast >> text=Undo");
    await page.waitForSelector("text=Works");
    expect(await words()).to.include("1 thing that ended");
  });

  it("take a no and a not now, and each back again", async () => {
    const request = await ask("notes/");
    await signIn();
    const open = async (): Promise<void> => {
      await goTo("requests", "Requests");
      await page.click("fh-requests .row-link");
      await page.waitForSelector("text=Buy milk");
    };
    const state = async (): Promise<unknown> => (await asVendor(request))["status"];
    await open();
    await page.click(".answers >> text=/^No$/");
    await page.waitForSelector("text=You said no.");
    expect(await state()).to.equal("Denied");
    await page.click(".toast >> text=Undo");
    await page.waitForSelector("text=Waiting for you");
    expect(await state()).to.equal("Pending");
    await open();
    await page.click("text=Not now");
    await page.waitForSelector("text=Can wait");
    expect(await state()).to.equal("Deferred");
    await open();
    await page.click(".answers >> text=/^Yes$/");
    await page.waitForSelector("text=You said yes.");
    expect((await shop.fetch(`${ana.pod}notes/one.ttl`)).status).to.equal(200);
    await page.click(".answered >> text=Undo");
    await page.waitForSelector("text=It waits for your answer again.");
    expect((await shop.fetch(`${ana.pod}notes/one.ttl`)).status).to.equal(403);
  });

  it("give unasked, with the values before one's eyes; and block", async () => {
    await signIn();
    await goTo("relationships/give", "Give something");
    await page.fill("input[name=to]", shop.webid);
    await page.selectOption("select[name=place]", "/ana/contacts/");
    await page.waitForSelector(".thing >> text=ana@home.example");
    await look(page, "give");
    await expectAccessible(page);
    expect(await words()).to.not.match(JARGON);
    await page.click("text=Give it");
    await page.waitForSelector("text=What they have");
    await page.waitForSelector(".grant");
    expect((await shop.fetch(`${ana.pod}contacts/me.ttl`)).status).to.equal(200);

    const targets = [`${ana.pod}contacts/other.ttl`];
    const json = { "content-type": "application/json" };
    const watched = await ana.fetch(`${ana.pod}.consent/honey`, {
      method: "PUT",
      headers: json,
      body: JSON.stringify({ targets }),
    });
    expect(watched.status).to.equal(200);
    await shop.fetch(targets[0] ?? "");
    await goTo("requests", "Look at this");
    expect(await words()).to.include("localhost/shop looked at contacts › other.ttl.");
    await look(page, "requests-attention");
    await expectAccessible(page);
    await page.click("text=I have seen it");
    await page.waitForSelector("text=Look at this", { state: "detached" });

    await page.goto(`${server.baseUrl}#/relationships/${encodeURIComponent(shop.webid)}`);
    await page.waitForSelector("text=They looked where nobody should.");
    expect((await shop.fetch(`${ana.pod}contacts/me.ttl`)).status, "it rests").to.equal(403);
    await page.click("text=Block them");
    await page.click("dialog[open] button:has-text('Block them')");
    await page.waitForSelector("text=They are told no, whatever they ask.");
    expect((await shop.fetch(`${ana.pod}contacts/me.ttl`)).status).to.equal(403);
    const request = await ask("notes/");
    expect((await asVendor(request))["status"]).to.equal("Denied");
    await goTo("requests", "By your rules");
    expect(await words()).to.include("You have blocked");
  });
});
