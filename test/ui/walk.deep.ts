/**
 * The whole way of a person, in a real browser on a telephone: set-up with a passkey, a file brought in, a request, less than
 * was asked for, who looked, an end, everything taken along, and all of it again on another server.
 * With FREEHOLD_TOUR, a folder, the pictures of the tour are drawn there.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPod, queryUnder, requestAccess, waitForDecision } from "@freehold/client";
import { createVendor, type Vendor } from "@freehold/client/node";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { startServer, type TestServer } from "../support/server.ts";
import { addAuthenticator, expectAccessible, JARGON, onScreen } from "./browser.ts";

const ORDERS = new URL("../../server/import/demo/ana/orders.csv", import.meta.url).pathname;
const DAY_MS = 86_400_000;
const QUERY = `PREFIX schema: <https://schema.org/>
SELECT ?date ?total { ?order a schema:Order ; schema:orderDate ?date . OPTIONAL { ?order schema:totalPaymentDue ?total } }`;
const WORDS_MAX = 60;
const SCREENS_MAX = 2;

describe("the whole way of a person", function () {
  this.timeout(180_000);
  let server: TestServer;
  let page: Page;
  let folder: string;
  let vendor: Vendor;

  onScreen(async (screen) => {
    ({ server, page } = screen);
    folder = await mkdtemp(join(tmpdir(), "freehold-walk-"));
    const { credentials } = await server.person("Shop");
    vendor = await createVendor(join(folder, "shop"), {
      issuer: server.baseUrl,
      clientId: credentials.id,
      clientSecret: credentials.secret,
    });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const drawn = new Set<string>();
  /** What every screen must hold, and its picture for the tour. */
  async function seen(page: Page, name: string): Promise<void> {
    expect(await page.evaluate(() => document.body.innerText), name).to.not.match(JARGON);
    await expectAccessible(page);
    const tour = process.env["FREEHOLD_TOUR"];
    if (!tour || drawn.has(name)) return;
    drawn.add(name);
    await page.setViewportSize({ width: 1100, height: 760 });
    await page.screenshot({
      path: join(tour, `${String(drawn.size).padStart(2, "0")}-${name}.jpg`),
      type: "jpeg",
      quality: 72,
    });
    await page.setViewportSize({ width: 390, height: 844 });
  }

  const goTo = async (hash: string, sign: string): Promise<void> => {
    await page.goto(`${server.baseUrl}#/${hash}`);
    await page.waitForSelector(sign);
  };

  async function setUp(page: Page, link: string, name: string): Promise<void> {
    await addAuthenticator(page);
    await page.goto(link);
    await page.fill("input[name=name]", name);
    await seen(page, "set-up");
    await page.click("text=Go on");
    const download = page.waitForEvent("download");
    await page.click("text=Download the recovery file");
    await download;
    await page.click("text=Go on");
    await page.click("text=With a passkey");
    await page.click(".pair .first");
    await page.waitForSelector("text=can see your data");
  }

  it("from the first screen to a restored pod elsewhere", async () => {
    await setUp(page, await server.context.identity.accounts.createSetupLink(), "Ana Lima");
    await seen(page, "home");

    // A file is brought in.
    await goTo("import", "fh-import h1");
    await page.setInputFiles("fh-import input[type=file]", ORDERS);
    await page.waitForSelector("fh-import button:has-text('Bring ')");
    await seen(page, "import");
    await page.click("fh-import button:has-text('Bring ')");
    await page.waitForSelector("text=/brought in/");

    // A company asks for it.
    const anas = `${server.baseUrl}ana-lima/`;
    const pod = await openPod(anas, { fetch: vendor.fetch });
    const { id } = await requestAccess(
      pod,
      {
        access: [
          {
            places: ["orders/"],
            purposes: ["https://w3id.org/dpv#ServiceProvision"],
            until: new Date(Date.now() + 90 * DAY_MS),
          },
        ],
        notice: "https://shop.example/privacy",
        benefit: { en: "We find the warranty of what you bought" },
      },
      vendor.identity,
    );
    await goTo("requests", "fh-requests h1");
    await seen(page, "requests");
    await page.click("fh-requests a[href^='#/requests/']");
    await page.waitForSelector("button:has-text('Yes, less'):not(:disabled)");
    const shown = await page.innerText("[data-words]");
    expect(shown.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length, shown).to.be.at.most(
      WORDS_MAX,
    );
    const heights = await page.evaluate(() => document.documentElement.scrollHeight / window.innerHeight);
    expect(heights, "screens of a telephone").to.be.at.most(SCREENS_MAX);
    const sizes = await page.$$eval(".answers button", (buttons) =>
      buttons.map((button) => `${button.clientWidth} × ${button.clientHeight}`),
    );
    expect([sizes.length, new Set(sizes).size], sizes.join()).to.deep.equal([4, 1]);
    await seen(page, "request");

    // Yes, but less: for a shorter time, and without one field.
    await page.click("button:has-text('Yes, less')");
    await page.selectOption("fh-less select[name=days]", { index: 1 });
    await page.uncheck("fh-less .fields label:has-text('Total') input");
    await page.waitForSelector("button:has-text('Give this'):not(:disabled)");
    await seen(page, "less");
    await page.click("button:has-text('Give this')");
    const { state, grants } = await waitForDecision(pod, id);
    expect(state).to.equal("Granted");
    const [grant = ""] = grants;

    // The company reads that, and no more.
    const rows = await Array.fromAsync(queryUnder(pod, { grant, ledger: vendor.ledger }, QUERY));
    expect(rows.length).to.be.above(0);
    expect(
      rows.filter(({ total }) => total !== undefined),
      "what was left out",
    ).to.deep.equal([]);

    // She sees that it did.
    await goTo("activity", "fh-activity h1");
    await page.waitForSelector("fh-activity li:has-text('Shop')");
    await seen(page, "activity");

    // She takes it back, and the company is refused.
    await goTo("relationships", "fh-relationships h1");
    await page.click("fh-relationships li a");
    await page.waitForSelector("button[aria-label^='Take back']");
    await seen(page, "relationship");
    await page.click("button[aria-label^='Take back']");
    await page.click("dialog[open] button.bad");
    await page.waitForSelector("button[aria-label^='Take back']", { state: "detached" });
    const refused = await Array.fromAsync(queryUnder(pod, { grant, ledger: vendor.ledger }, QUERY)).catch(
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(Error);

    // Everything is taken along, and put up elsewhere.
    await goTo("leave", "fh-leave h1");
    await seen(page, "leave");
    const download = page.waitForEvent("download");
    await page.click("text=Download everything");
    const archive = (await (await download).path()) ?? "";
    const elsewhere = await startServer();
    const context = await page
      .context()
      .browser()
      ?.newContext({ viewport: { width: 390, height: 844 }, acceptDownloads: true });
    try {
      const there = await context?.newPage();
      if (!there) throw new Error("The browser is gone");
      await setUp(there, await elsewhere.context.identity.accounts.createSetupLink(), "Ana Lima");
      await there.goto(`${elsewhere.baseUrl}#/leave`);
      await there.setInputFiles("fh-leave input[type=file]", {
        name: "pod.zip",
        mimeType: "application/zip",
        buffer: await readFile(archive),
      });
      await there.waitForSelector("text=/brought in/");
      await there.goto(`${elsewhere.baseUrl}#/data/orders/`);
      await there.waitForSelector("fh-data a[href^='#/data/orders/']");
      await seen(there, "elsewhere");
    } finally {
      await context?.close();
      await elsewhere.close();
    }
  });
});
