/** The public page of the registry in a real browser: zones, and passports that are checked where they are read. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import {
  authorityOf,
  generateKeyPair,
  generatePassportKeys,
  groupId,
  idOfGenesis,
  makeCreate,
  type PassportId,
} from "../../client-lib/registry/index.ts";
import type { TestServer } from "../support/server.ts";
import { onScreen } from "./browser.ts";

describe("the registry's page", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let wrong: string[];

  onScreen((screen) => void ({ server, page, wrong } = screen));

  const words = (): Promise<string> => page.evaluate(() => document.body.innerText);
  const open = async (fragment = ""): Promise<void> => {
    await page.goto(`${server.baseUrl}.registry${fragment && `#${fragment}`}`);
    await page.waitForSelector("text=Entries in its log");
  };
  const lookUp = async (typed: string, sign: string): Promise<string> => {
    await page.fill("input[name=id]", typed);
    await page.click("text=Look it up");
    await page.waitForSelector(`text=${sign}`);
    return words();
  };

  it("shows the zones with their logs and witnesses, verified by the reader", async () => {
    await server.person("Ana");
    await open();
    const text = await words();
    expect(text).to.match(/zz[\s\S]*private · at work/);
    expect(text).to.match(/Entries in its log\s+\d+/);
    expect(text).to.match(/Witnesses\s+self/);
    expect(text).to.include("By version 1 of the root's record");
  });

  it("verifies a passport as it was typed, in groups, and draws its proof", async () => {
    const ana = await server.person("Ana");
    await open();
    const text = await lookUp(groupId(ana.passport as PassportId).toUpperCase(), "This passport holds");
    expect(text).to.include(ana.pod);
    expect(text).to.match(/Checked in this browser in \d+ ms/);
    expect(await page.locator("svg.proof .box").allTextContents()).to.have.length.at.least(2);
    expect(await page.locator("svg.proof .seals circle").count()).to.equal(2); // The zone, and its own witness.
    expect(await page.locator(".checked li").count()).to.equal(5);
    expect(page.url()).to.match(new RegExp(`#${ana.passport}$`)); // To be passed on.
  });

  it("proves that a passport is not there", async () => {
    await server.person("Ana");
    const [keys, host] = [await generatePassportKeys(), await generateKeyPair()];
    const choice = { zone: "zz", registrar: "local", delegateKey: host.key, ...(await authorityOf(keys)) };
    await open();
    const text = await lookUp(await idOfGenesis(makeCreate(choice)), "There is no such passport");
    expect(text).to.match(/nothing of it, by \d+ steps? from the top/);
    wrong.splice(0); // The browser notes the 404.
  });

  it("says where a mistyped identifier is wrong, and asks nobody", async () => {
    const ana = await server.person("Ana");
    await open();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const typo = `${ana.passport.slice(0, 20)}${ana.passport[20] === "q" ? "p" : "q"}${ana.passport.slice(21)}`;
    const text = await lookUp(typo, "not a passport's identifier");
    expect(text).to.match(/checksum: character 21\?/);
    expect(asked).to.deep.equal([]);
  });

  it("believes no answer that was changed on its way", async () => {
    const ana = await server.person("Ana");
    await page.route("**/v1/passports/*", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll("/ana/", "/eve/") });
    });
    await open();
    const text = await lookUp(ana.passport, "This answer does not hold");
    expect(text).to.match(/rule [a-z-]+/);
    expect(text).to.not.include("This passport holds");
    expect(text).to.not.include("/eve/");
  });
});
