/** Who looked at what, on the screen: drawn, filtered, told entry by entry, saved as a file, and checked to be whole. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { barsOf, filterIn, queryOf } from "../../server/ui/rooms/activity/days.ts";
import { lookedAt } from "../../server/ui/rooms/home/recent.ts";
import { setAccess, write } from "../doors/people.ts";
import type { Person, TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const MARKETING = "https://w3id.org/dpv#Marketing";

describe("sums of the journal", () => {
  const noon = new Date(2026, 2, 29, 12).getTime(); // Clocks change in parts of the world on this day.

  it("fall into the days of this device, with those on which nothing was", () => {
    const from = new Date(2026, 2, 27, 9).getTime();
    const bars = barsOf([[new Date(2026, 2, 28, 23, 45).getTime(), 3, 1]], from, noon, "day");
    expect(bars.map(({ looks, refused }) => [looks, refused])).to.deep.equal([
      [0, 0],
      [3, 1],
      [0, 0],
    ]);
    expect(bars.map(({ to }, place) => bars[place + 1]?.from ?? to)).to.deep.equal(bars.map(({ to }) => to));
  });

  it("fall into weeks that begin on a Monday", () => {
    const bars = barsOf([[noon, 2, 0]], noon - 7 * 86_400_000, noon, "week");
    expect(bars.map(({ from }) => new Date(from).getDay())).to.deep.equal([1, 1]);
    expect(bars.map(({ looks }) => looks)).to.deep.equal([0, 2]);
  });

  it("stand on the first page as seven days, today last", () => {
    const times = [
      [noon, 1, 1],
      [noon - 86_400_000, 4, 0],
      [noon - 30 * 86_400_000, 9, 9],
    ] as const;
    expect(lookedAt({ times }, noon)).to.deep.equal([0, 0, 0, 0, 0, 4, 1]);
  });

  it("are asked for by an address that says the same again", () => {
    expect(filterIn("")).to.deep.equal({ by: "others" });
    const filter = { who: "https://ben.example/#me", refused: "only" };
    expect(filterIn(`?${queryOf(filter)}`)).to.deep.equal(filter);
    expect(filterIn("?nonsense=1")).to.deep.equal({ by: "others" });
  });
});

describe("who looked at what", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;
  let ben: Person;

  onScreen(async (screen) => {
    ({ server, page } = screen);
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    await write(ana, `${ana.pod}shared/holiday.ttl`);
    await setAccess(ana, `${ana.pod}shared/`, [{ to: ben.webid, modes: ["Read"] }]);
    await ben.fetch(`${ana.pod}shared/holiday.ttl`, { headers: { "access-purpose": MARKETING } });
    await ben.fetch(`${ana.pod}shared/`);
    await ben.fetch(`${ana.pod}settings/`);
    await fetch(`${ana.pod}shared/`);
    await signIn("ana", "Ana");
  });

  async function signIn(pod: string, name: string): Promise<void> {
    await page.goto(server.baseUrl);
    await page.fill("input[name=pod]", pod);
    await page.fill("input[name=password]", `a long password of ${name}`);
    await page.click("form button");
    await page.waitForSelector("text=can see your data");
  }
  const words = async (): Promise<string> => page.evaluate(() => document.body.innerText);
  const goTo = async (place: string, sign: string): Promise<void> => {
    await page.goto(`${server.baseUrl}#/${place}`);
    await page.waitForSelector(`text=${sign}`);
    expect(await words()).to.not.match(JARGON);
  };
  const rows = () => page.locator(".deed").count();

  it("show on the first page who looked lately and how the pod is, and stay true while others act", async () => {
    await page.waitForSelector("text=Who looked lately");
    expect(await words())
      .to.match(/1\s+person can\s+see your data/)
      .and.include("0 apps")
      .and.include("2 looks")
      .and.include("by others in seven days, 2 refused")
      .and.include("looked at shared/holiday.ttl")
      .and.include("No backup yet")
      .and.include("You have not checked it yet")
      .and.not.match(JARGON);
    await look(page, "overview-used");
    await expectAccessible(page);
    await setAccess(ana, `${ana.pod}shared/`, []);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange"))); // As when somebody comes back to the page.
    await page.waitForSelector("h1:has-text('0 people can see your data')");
  });

  it("are drawn, with the same in numbers, and told by day and by person", async () => {
    await goTo("activity", "Looks by others");
    await page.waitForSelector(".deed");
    expect(await page.getAttribute(".chart > svg", "aria-label")).to.equal(
      "2 looks, and 2 refused. Most at once: 4.",
    );
    await page.click("text=The same in numbers");
    expect(await page.innerText("tbody tr:first-child")).to.match(/\b2\s+2\b/);
    expect(await rows()).to.equal(4);
    expect(await page.innerText(".doer:has-text('Ben')"))
      .to.include("looked at shared/holiday.ttl")
      .and.include("for Marketing")
      .and.include("tried to look at settings/")
      .and.include("Refused");
    await page.click(".deed:has-text('holiday')");
    expect(await page.innerText(".deed[open]"))
      .to.include(ben.webid)
      .and.include("/ana/shared/holiday.ttl")
      .and.include("in your record");
    expect(await words()).to.not.match(JARGON);
    await look(page, "activity");
    await expectAccessible(page);
    await page.click("text=By week");
    await page.waitForSelector(".chart title:has-text('Week from')", { state: "attached" });
  });

  it("can be narrowed to a person, a purpose, a place, a time, or what was refused, and saved as a file", async () => {
    await goTo("activity", "Looks by others");
    await page.waitForSelector("option:has-text('Marketing')", { state: "attached" });
    await page.selectOption("select[name=purpose]", MARKETING);
    await page.waitForSelector("text=1 entry shown");
    expect(await words()).to.include("looked at shared/holiday.ttl");
    expect(page.url()).to.include("purpose=");
    await page.reload();
    await page.waitForSelector("text=1 entry shown");
    await page.selectOption("select[name=purpose]", "");
    await page.selectOption("select[name=what]", "refused");
    await page.waitForSelector("text=2 entries shown");
    expect(await words()).to.not.include("looked at shared/holiday.ttl");
    await page.selectOption("select[name=who]", ben.webid);
    await page.waitForSelector("text=1 entry shown");
    const download = page.waitForEvent("download");
    await page.click("text=Save this list as a file");
    const file = await readFile((await (await download).path()) ?? "", "utf8");
    expect(file.trim().split("\r\n")).to.have.length(2);
    expect(file).to.include(`"Ben","${ben.webid}"`).and.include('"settings/","yes"');
    await page.selectOption("select[name=place]", "/ana/shared/");
    await page.waitForSelector("text=Nothing fits.");
    await look(page, "activity-empty");
  });

  it("can be checked to be whole, and against a mark that was kept; what is wrong is said, with what to do", async () => {
    await goTo("activity", "Is this record whole?");
    await page.click("text=Check it now");
    await page.waitForSelector("text=unbroken since");
    expect(await page.innerText(".verdict")).to.match(/^\d+ entries, unbroken since \d/);
    const download = page.waitForEvent("download");
    await page.click("text=Save a mark");
    const mark = await readFile((await (await download).path()) ?? "", "utf8");
    const choose = (text: string) =>
      page.setInputFiles("fh-journal-check input[type=file]", {
        name: "mark.json",
        mimeType: "application/json",
        buffer: Buffer.from(text),
      });
    await choose(mark);
    await page.waitForSelector("text=of them yours");
    await look(page, "activity-checked");
    await expectAccessible(page);
    const other = { ...(JSON.parse(mark) as object), number: 2 };
    await choose(JSON.stringify(other));
    await page.waitForSelector("text=The record is not what it was.");
    expect(await page.innerText(".verdict")).to.include("Take a copy of your pod now");
    expect(await words()).to.not.match(JARGON);
    await look(page, "activity-broken");
    await expectAccessible(page);
    await choose("no mark at all");
    await page.waitForSelector("text=This file is not a mark");
    await page.goto(`${server.baseUrl}#/home`);
    await page.waitForSelector("text=Your record is not what it was");
  });

  it("say nothing to anybody else: other accounts, no cookie, other sites, other places", async () => {
    const origin = new URL(server.baseUrl).origin;
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const ask = (path: string, headers: Record<string, string> = {}, body?: object) =>
      fetch(`${server.baseUrl}.account/${path}`, {
        method: body ? "POST" : "GET",
        headers: { ...(body ? { "content-type": "application/json" } : {}), ...headers },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    for (const path of ["journal/summary", "journal/head", "health"])
      expect((await ask(path)).status, path).to.equal(401);
    expect((await ask("journal/file", { origin })).status).to.equal(401);
    expect((await ask("journal/verify", { origin }, {})).status).to.equal(401);
    const elsewhere = { origin: "https://evil.example", cookie };
    expect((await ask("journal/file", elsewhere)).status).to.equal(403);
    expect((await ask("journal/verify", elsewhere, {})).status).to.equal(403);
    expect((await ask("journal?place=/ben/inbox/", { cookie })).status).to.equal(404);
    for (const query of ["by=me", "from=x", "refused=no", "what=all", `who=${"x".repeat(3_000)}`])
      expect((await ask(`journal?${query}`, { cookie })).status, query).to.equal(400);
    expect((await ask("journal/summary?days=-1", { cookie })).status).to.equal(400);
    expect((await ask("journal/verify", { origin, cookie }, { heads: [{}] })).status).to.equal(400);
    // What her own programs did stands apart from what others did.
    await ana.fetch(`${ana.pod}shared/holiday.ttl`);
    const summary = (await (await ask("journal/summary", { cookie })).json()) as {
      readonly apps: readonly {
        readonly client: string;
        readonly looks: number;
        readonly places: readonly object[];
      }[];
      readonly people: readonly { readonly who: { readonly label: string }; readonly looks: number }[];
    };
    const program = summary.apps.find(({ client }) => client === ana.credentials.id);
    expect(program).to.deep.include({ looks: 1 });
    expect(program?.places[0]).to.deep.include({ path: "/ana/shared/", place: "shared/", looks: 1 });
    expect(summary.people.map(({ who, looks }) => [who.label, looks])).to.deep.equal([
      ["Ben", 2],
      ["Somebody who did not say who", 0],
    ]);
    await page.click("[aria-label='Sign out']");
    await page.waitForSelector("input[name=pod]");
    await signIn("ben", "Ben");
    const his = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    for (const path of ["journal/summary", "journal/file", "journal"])
      expect(await (await ask(path, { cookie: his, origin })).text(), path).to.not.include("/ana/");
  });
});
