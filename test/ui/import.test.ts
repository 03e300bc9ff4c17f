/** Files from elsewhere, brought in by the owner's page: looked at, written, and taken back whole; and who may not. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { cellOf, takenBackWords } from "../../server/ui/rooms/import/words.ts";
import { type Browser, openBrowser } from "../account/client.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const DEMO = new URL("../../server/import/demo/ana/", import.meta.url);
const demo = (name: string): Promise<Buffer> => readFile(new URL(name, DEMO));
const card = (name: string, more = ""): string =>
  `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${name}\r\nFN:${name}\r\n${more}END:VCARD\r\n`;

interface Told {
  readonly result?: {
    readonly path: string;
    readonly removed: number;
    readonly putBack: number;
    readonly kept: number;
    readonly keptPaths: readonly string[];
    readonly written: number;
  };
  readonly problem?: { readonly code: string };
}

describe("the import room", function () {
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
    await page.goto(`${server.baseUrl}#/import`);
    await page.waitForSelector("fh-import h1");
  });

  const words = async (): Promise<string> => page.evaluate(() => document.body.innerText);
  const choose = (name: string, buffer: Buffer) =>
    page.setInputFiles("fh-import input[type=file]", {
      name,
      mimeType: "application/octet-stream",
      buffer,
    });
  const status = async (path: string): Promise<number> => (await ana.fetch(`${ana.pod}${path}`)).status;

  it("shows what is in a bank statement, brings it in, and takes all of it back with one tap", async () => {
    await look(page, "import");
    await expectAccessible(page);
    await choose("statement.xml", await demo("statement.xml"));
    await page.waitForSelector("text=Nothing is kept yet");
    expect(await page.locator("fh-import tbody tr").count()).to.equal(8);
    expect(await words())
      .to.match(/Bring [\d,]+ payments in/)
      .and.not.match(JARGON);
    expect(await status("bank/"), "a look writes nothing").to.equal(404);
    await look(page, "import-preview");
    await expectAccessible(page);
    await page.click("fh-import .preview-panel .first");
    await page.waitForSelector("text=payments brought in.");
    expect(await status("bank/")).to.equal(200);
    await look(page, "import-done");
    await expectAccessible(page);
    await choose("statement.xml", await demo("statement.xml"));
    await page.waitForSelector("text=All of it is in your pod already.");
    await page.click("text=Leave it");
    await page.click("[aria-label='Undo the import of statement.xml']");
    await page.waitForSelector("text=went to the trash.");
    await page.waitForSelector("text=Earlier imports", { state: "detached" });
    expect(await status("bank/")).to.equal(404);
    expect(await status("imports/")).to.equal(404);
    await page.goto(`${server.baseUrl}#/trash`);
    await page.waitForSelector("text=Bring back");
    expect(await words()).to.not.match(JARGON);
  });

  it("says what it left out and why, takes a dropped file, and leaves what was changed since", async () => {
    const cards = `${card("Ben Keller", "TEL:+41 44 555 01 23\r\n")}${card("Cai Wu", "BDAY:no day\r\n")}BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n`;
    await page.evaluate((text) => {
      const data = new DataTransfer();
      data.items.add(new File([text], "people.vcf"));
      document
        .querySelector("fh-import .drop")
        ?.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }, cards);
    await page.waitForSelector("text=Bring 2 contacts in");
    await page.click("text=What is left out or changed, and why");
    expect(await words())
      .to.include("1 contact")
      .and.match(/Line \d+/);
    await look(page, "import-remarks");
    await page.click("fh-import .preview-panel .first");
    await page.waitForSelector("text=2 contacts brought in.");
    const listing = await (await ana.fetch(`${ana.pod}contacts/`)).text();
    const [first = ""] = /[^\s<>"/]+\.ttl/.exec(listing) ?? [];
    const before = await (await ana.fetch(`${ana.pod}contacts/${first}`)).text();
    const changed = await ana.fetch(`${ana.pod}contacts/${first}`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: `${before}\n<#it> <http://www.w3.org/2006/vcard/ns#note> "my own words" .`,
    });
    expect(changed.status).to.equal(204);
    await page.click("text=Undo all of it");
    await page.waitForSelector("text=1 document stayed,");
    await look(page, "import-stayed");
    await expectAccessible(page);
    expect(await words()).to.not.match(JARGON);
    expect(await status(`contacts/${first}`)).to.equal(200);
  });

  it("refuses a file of no known kind, and a packed one, and says what to do", async () => {
    await choose("song.txt", Buffer.from("la la la"));
    await page.waitForSelector("[role=alert]");
    expect(await page.innerText("[role=alert]")).to.match(/not known/);
    await expectAccessible(page);
    await choose("pod.zip", Buffer.from("PK\u0003\u0004"));
    await page.waitForSelector("text=Bring a whole pod in");
    expect(await words()).to.not.match(JARGON);
  });
});

describe("the doors of imports", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let anaPage: Browser;

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "importBytesMax=400000" });
    ana = await server.person("Ana");
    await server.person("Bea");
    anaPage = await signIn("ana", "Ana");
  });
  after(() => server.close());

  async function signIn(pod: string, name: string): Promise<Browser> {
    const browser = openBrowser(server);
    const { status } = await browser.send("POST", "/.account/login", {
      pod,
      password: `a long password of ${name}`,
    });
    expect(status).to.equal(200);
    return browser;
  }

  const headersOf = (browser: Browser): Record<string, string> => ({
    cookie: browser.cookie,
    origin: new URL(server.baseUrl).origin,
    "sec-fetch-site": "same-origin",
    "content-type": "application/octet-stream",
  });
  const send = (door: string, body: string | Buffer, headers = headersOf(anaPage)) =>
    fetch(`${server.baseUrl}.account/imports${door}`, {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : new Uint8Array(body),
    });
  const bring = async (body: string | Buffer): Promise<Told> =>
    JSON.parse((await (await send("", body)).text()).trim().split("\n").at(-1) ?? "") as Told;
  const undo = async (path: string, browser = anaPage): Promise<Told> => {
    const response = await send("/undo", JSON.stringify({ path }), {
      ...headersOf(browser),
      "content-type": "application/json",
    });
    return JSON.parse((await response.text()).trim().split("\n").at(-1) ?? "") as Told;
  };
  const status = async (path: string): Promise<number> => (await ana.fetch(`${ana.pod}${path}`)).status;

  for (const door of ["", "/preview"]) {
    it(`imports${door} is for who is signed in, on our own pages, with a file of a size that is allowed`, async () => {
      const { cookie: _none, ...stranger } = headersOf(anaPage);
      expect((await send(door, card("Ben"), stranger)).status).to.equal(401);
      const elsewhere = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
      expect((await send(door, card("Ben"), { ...headersOf(anaPage), ...elsewhere })).status).to.equal(403);
      const typed = { ...headersOf(anaPage), "content-type": "text/plain" };
      expect((await send(door, card("Ben"), typed)).status, "what a form could send").to.equal(415);
      expect(await status("contacts/")).to.equal(404);
    });
  }

  it("a file that is too large is refused, and nothing of it stays", async () => {
    const large = Array.from({ length: 9_000 }, (_, place) => card(`Person ${place}`)).join("");
    expect((await send("/preview", large)).status).to.equal(413);
    expect((await bring(large)).problem?.code).to.equal("body-too-large");
    expect(await status("contacts/")).to.equal(404);
    expect(await status("imports/")).to.equal(404);
  });

  it("nobody takes back an import of somebody else, or what is none", async () => {
    const { result } = await bring(card("Dora"));
    const bea = await signIn("bea", "Bea");
    for (const path of [result?.path ?? "", "/bea/profile/card", "/bea/imports/x.ttl"]) {
      const answer = await undo(path, bea);
      expect(JSON.stringify(answer), path).to.match(/not-found|nothing here/);
    }
    expect((await undo("/ana/profile/card")).problem?.code).to.equal("not-found");
    const listed = await fetch(`${server.baseUrl}.account/imports`, { headers: headersOf(bea) });
    expect(await listed.json()).to.deep.equal({ imports: [], cut: false });
    expect(await status("profile/card")).to.equal(200);
    expect((await undo(result?.path ?? "")).result).to.include({ removed: 1, kept: 0 });
  });

  it("what one import added to another's documents is taken out again, and the rest stays", async () => {
    const xml = (await demo("energy.xml")).toString();
    const blocks = [
      ...xml.matchAll(/<entry>(?:(?!<entry>)[\s\S])*?<espi:IntervalBlock[\s\S]*?<\/entry>/g),
    ].map(([block]) => block);
    expect(blocks.length).to.be.greaterThan(1);
    // The last readings of the last block come by the second file, into a day that is there already.
    const last = blocks.at(-1) ?? "";
    const readings = [...last.matchAll(/<espi:IntervalReading>[\s\S]*?<\/espi:IntervalReading>/g)].map(
      ([one]) => one,
    );
    const some = readings.slice(-2).reduce((text, one) => text.replace(one, ""), last);
    const first = await bring(xml.replace(last, some));
    const second = await bring(xml);
    expect(second.result?.written).to.equal(2);
    const taken = await undo(second.result?.path ?? "");
    expect(taken.result).to.include({ removed: 0, putBack: 1, kept: 0 });
    const third = await bring(xml);
    expect(third.result?.written, "the two are gone, and nothing else").to.equal(2);
    const whole = await undo(first.result?.path ?? "");
    expect(whole.result?.kept, "the day that the third import added to").to.equal(1);
  });

  it("the journal says that the owner brought it in", async () => {
    const pod = await server.context.pods.find("ana");
    if (!pod) throw new Error("There is no pod");
    const entries = await server.context.journal.read(pod, 0, 1_000);
    const imported = entries.filter(({ entry }) => entry?.act === "import").map(({ entry }) => entry?.agent);
    expect(new Set(imported)).to.deep.equal(new Set([ana.webid]));
  });
});

describe("the words of the import room", () => {
  const ROWS = [
    [{ date: "2026-03-02" }, "date", "2 Mar 2026"],
    [{ date: "someday" }, "date", "someday"],
    [{ amount: "12.5", currency: "ZAR", direction: "debit" }, "amount", "-ZAR 12.50"],
    [{ amount: "12.5", currency: "ZAR", direction: "credit" }, "amount", "ZAR 12.50"],
    [{ amount: "3", currency: "???" }, "amount", "3 ???"],
    [{ amount: "3" }, "amount", "3"],
    [{}, "who", "–"],
  ] as const;
  for (const [row, field, said] of ROWS)
    it(`${JSON.stringify(row)} is ${said}`, () =>
      expect(cellOf(row, field).replaceAll("\u00a0", " ")).to.equal(said));

  it("an import that was taken back is told in whole sentences", () => {
    expect(takenBackWords({ removed: 1, putBack: 0, kept: 2 })).to.equal(
      "1 document went to the trash. 2 documents were changed since and stay.",
    );
    expect(takenBackWords({ removed: 0, putBack: 0, kept: 0 })).to.equal("There was nothing left of it.");
  });
});
