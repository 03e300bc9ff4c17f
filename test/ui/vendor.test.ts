/** The page for companies, in a real browser: a key, a request, what was granted, asked and receipted, and an end. */
import { accessRequests, decideRequest, openPod, type Pod, revokeGrant } from "@freehold/client";
import { expect } from "chai";
import type { Page } from "playwright-core";
import type { Person, TestServer } from "../support/server.ts";
import { expectAccessible, look, onScreen } from "./browser.ts";

const ORDERS = `@prefix schema: <https://schema.org/> .
${[
  ["Tea", 4.5],
  ["Lamp", 39],
  ["Chair", 120],
]
  .map(([name, price]) => `<#${name}> a schema:Order ; schema:name "${name}" ; schema:price ${price} .`)
  .join("\n")}`;

describe("the page for companies", function () {
  this.timeout(90_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;
  let pod: Pod;
  let wrong: string[];

  onScreen(async (screen) => {
    ({ server, page, wrong } = screen);
    await server.person("Shop");
    ana = await server.person("Ana");
    for (const [path, text] of [
      ["orders/2026.ttl", ORDERS],
      ["diary.ttl", `<#today> <https://schema.org/text> "secret thoughts" .`],
    ]) {
      const written = await ana.fetch(`${ana.pod}${path}`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: text ?? "",
      });
      expect(written.status).to.equal(201);
    }
    pod = await openPod(ana.pod, { fetch: ana.fetch });
  });

  async function signIn(): Promise<void> {
    await page.goto(`${server.baseUrl}.vendor`);
    await page.fill("input[name=pod]", "shop");
    await page.fill("input[name=password]", "a long password of Shop");
    await page.click("form button");
    await page.waitForSelector("fh-vendor-requests h1");
  }

  async function makeKey(): Promise<void> {
    await page.click("nav >> text=Key");
    await page.click("text=Make a key");
    await page.waitForSelector("text=cannot be taken out");
  }

  async function askFor(places: string): Promise<void> {
    await page.click("nav >> text=Requests");
    await page.click("text=Ask for access");
    await page.fill("input[name=where]", ana.passport);
    await page.fill("textarea[name=places]", places);
    await page.selectOption("select[name=purpose]", "https://w3id.org/dpv#ServiceProvision");
    await page.fill("input[name=benefit]", "Parcels find you");
    await page.fill("input[name=notice]", "https://shop.example/privacy");
    await page.click("text=Send the request");
  }

  it("asks, is granted, asks under the grant, keeps receipts that agree, and is told when it is over", async () => {
    await signIn();
    await expectAccessible(page);
    await makeKey();
    await look(page, "vendor-key");
    await expectAccessible(page);
    await askFor("orders/");
    await page.waitForSelector("text=The person decides when they like");
    await look(page, "vendor-requests");
    await expectAccessible(page);

    const [request] = await accessRequests(pod);
    if (!request) throw new Error("No request arrived");
    const { grants } = await decideRequest(pod, request.id, { outcome: "grant" });
    await page.click("nav >> text=Grants");
    await page.click("a.row-link:has-text('orders/')");
    await page.waitForSelector("text=What it allows");
    await page.fill(
      "textarea[name=sparql]",
      "SELECT ?name ?price WHERE { ?order <https://schema.org/name> ?name ; <https://schema.org/price> ?price } ORDER BY ?price",
    );
    await page.press("textarea[name=sparql]", "Control+Enter");
    await page.waitForSelector("td:has-text('Chair')");
    expect(await page.locator("tbody td").allInnerTexts()).to.deep.equal([
      "Tea",
      "4.5",
      "Lamp",
      "39",
      "Chair",
      "120",
    ]);
    expect(await page.locator("svg .value").allTextContents()).to.deep.equal(["4.5", "39", "120"]);
    await page.click("text=Sign the consent");
    await page.waitForSelector("text=Your notes and the receipts agree");
    expect(await page.innerText("[role=status]:has-text('agree')"))
      .to.match(/Both know of: 1 answer\b/)
      .and.match(/Consent signed by both: yes/);
    await look(page, "vendor-grant");
    await expectAccessible(page);

    await revokeGrant(pod, grants[0] ?? "");
    await page.click("form >> text=Ask");
    await page.waitForSelector("[role=alert]");
    expect(await page.locator("td").count(), "what was shown is not shown again").to.equal(0);
    expect(wrong).to.deep.equal([]);
  });

  it("sees nothing beside what was granted, whatever it asks", async () => {
    await signIn();
    await makeKey();
    await askFor("orders/");
    await page.waitForSelector("text=The person decides when they like");
    const [request] = await accessRequests(pod);
    await decideRequest(pod, request?.id ?? "", { outcome: "grant" });
    await page.click("nav >> text=Grants");
    await page.click("a.row-link:has-text('orders/')");
    await page.fill("textarea[name=sparql]", "SELECT ?text WHERE { ?any ?property ?text }");
    await page.click("form >> text=Ask");
    await page.waitForSelector("td:has-text('Tea')");
    expect(await page.locator("table").innerText()).to.not.include("secret thoughts");
  });

  it("says where there is no key yet, and keeps what was typed", async () => {
    await signIn();
    await askFor("orders/");
    await page.waitForSelector("text=This browser has no signing key yet");
    expect(await page.inputValue("textarea[name=places]")).to.equal("orders/");
    expect(await accessRequests(pod)).to.deep.equal([]);
  });

  it("opens by an address that somebody broke", async () => {
    await page.goto("about:blank");
    await page.goto(`${server.baseUrl}.vendor#/grants/%`);
    await page.waitForSelector("h1:has-text('For companies')");
    expect(wrong).to.deep.equal([]);
  });

  it("has a key that no script can take out", async () => {
    await signIn();
    await makeKey();
    const taken = await page.evaluate(async () => {
      const open = indexedDB.open("freehold-vendor");
      await new Promise((done) => open.addEventListener("success", done));
      const all = open.result.transaction("keys").objectStore("keys").getAll();
      await new Promise((done) => all.addEventListener("success", done));
      const [{ key }] = all.result as [{ key: CryptoKey }];
      return crypto.subtle.exportKey("pkcs8", key).then(
        () => "taken",
        (error: Error) => error.name,
      );
    });
    expect(taken).to.equal("InvalidAccessError");
  });
});
