/** Saying once what goes without asking: in six steps, saved at once and taken back by one tap; and what happened by itself. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import type { Preferences } from "../../server/ui/rooms/preferences/model.ts";
import { policyOf, requestOf, type Vendor, vendorNamed } from "../consent/people.ts";
import type { Person, TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

describe("the room of one's own rules", function () {
  this.timeout(90_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;
  let shop: Vendor;

  onScreen(async (screen) => {
    ({ server, page } = screen);
    ana = await server.person("Ana");
    shop = await vendorNamed(server, "Shop");
  });

  const words = (): Promise<string> => page.evaluate(() => document.body.innerText);

  async function open(): Promise<void> {
    await page.goto(server.baseUrl);
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of Ana");
    await page.click("form button");
    await page.waitForSelector("fh-overview h1");
    await page.goto(`${server.baseUrl}#/preferences`);
    await page.waitForSelector(".level");
  }

  async function ask(more: Record<string, unknown> = {}): Promise<string> {
    const access = [policyOf(shop.webid, `${ana.pod}notes/`)];
    const response = await shop.ask(ana, requestOf(shop, ana, { access, ...more }));
    const { status } = (await response.json()) as { readonly status: string };
    return status;
  }

  const rules = async (): Promise<Preferences> =>
    (await ana.fetch(`${ana.pod}.consent/preferences`)).json() as Promise<Preferences>;

  it("change a step and take it back, tell what it would have meant, and hold for the next who asks", async () => {
    expect(await ask()).to.equal("Pending");
    await open();
    await page.waitForSelector("text=Your last requests: 1 asked you");
    await page.waitForSelector("text=Your last requests: 1 no"); // Beside the closed step.
    expect(await words()).to.not.match(JARGON);
    await look(page, "preferences");
    await expectAccessible(page);

    await page.check("input[name=level][value='3']");
    await page.waitForSelector(".toast >> text=Saved.");
    expect((await rules()).everybody.level).to.equal(3);
    await page.click(".toast >> text=Undo");
    await page.waitForSelector("text=Undone.");
    expect((await rules()).everybody).to.include({ level: 1, confirmed: 0 });
    expect(await words()).to.include("You have not chosen yet.");
    expect(await page.isChecked("input[name=level][value='1']"), "nobody chose that").to.equal(false);
    expect(await page.isDisabled("label:has-text('For the good of all') input")).to.equal(true);

    await page.check("input[name=level][value='1']");
    await page.waitForSelector(".toast >> text=Saved.");
    await page.click("[aria-label='Close this message']");
    await page.check("label:has-text('For the good of all') input");
    await page.waitForSelector(".toast >> text=Saved.");
    await page.click("[aria-label='Close this message']");
    await page.check("label:has-text('Where I am') input");
    await page.waitForSelector(".toast >> text=Saved.");
    const { everybody, never } = await rules();
    expect([everybody.switches, never.categories]).to.deep.equal([
      ["good"],
      ["https://w3id.org/dpv/pd#Location"],
    ]);

    await page.click("[aria-label='Close this message']");
    await page.selectOption("[aria-label='Rule for localhost/shop']", "0");
    await page.waitForSelector(".toast >> text=Saved.");
    expect((await rules()).vendors[shop.webid]?.level).to.equal(0);
    expect(await ask({ benefit: [{ "@value": "Another one", "@language": "en" }], locations: [] })).to.equal(
      "Denied",
    );
    await page.goto(`${server.baseUrl}#/requests`);
    await page.waitForSelector("text=By your rules");
    expect(await words()).to.match(/was refused, because you are closed to them/);
    expect(await words()).to.not.match(JARGON);
    await look(page, "requests-by-rules");
  });

  it("say how to be spoken to, and when not", async () => {
    await open();
    await page.check("label:has-text('Email') input");
    await page.waitForSelector(".toast >> text=Saved.");
    await page.click("[aria-label='Close this message']");
    await page.fill("label:has-text('Quiet from') input", "21:30");
    await page.locator("label:has-text('Quiet from') input").blur();
    await page.waitForSelector(".toast >> text=Saved.");
    const { campaigns } = await rules();
    expect(campaigns).to.deep.include({ channels: ["email"], quiet: [{ from: "21:30", until: "08:00" }] });
    expect(campaigns.timeZone).to.be.a("string");
  });
});
