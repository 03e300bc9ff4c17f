/** All rooms of the table, one after the other: at two widths, in light and dark, with the words they may say, and by Tab alone. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import { ROOMS } from "../../server/ui/rooms/rooms.ts";
import type { TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

describe("the rooms of the owner's pages", function () {
  this.timeout(300_000);
  let server: TestServer;
  let page: Page;

  onScreen((screen) => void ({ server, page } = screen));

  async function signIn(): Promise<void> {
    await server.person("Ana");
    await page.goto(server.baseUrl);
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of Ana");
    await page.click("form button");
    await page.waitForSelector("text=can see your data");
  }

  it("have no room that breaks, sticks out, or shuts anybody out", async () => {
    await signIn();
    for (const { name, element } of ROOMS) {
      await page.goto(`${server.baseUrl}#/${name}`);
      await page.waitForSelector(`${element} h1`);
      expect(await page.evaluate(() => document.body.innerText), name).to.not.match(JARGON);
      await look(page, name);
      await expectAccessible(page);
    }
    await page.goto(`${server.baseUrl}#/more`);
    await page.waitForSelector("text=Everything here");
    await look(page, "more");
    await expectAccessible(page);
  });

  it("work by keyboard alone: from the first Tab to any room, and through all that is in it", async () => {
    await signIn();
    await page.setViewportSize({ width: 1280, height: 900 });
    for (const { name, element } of ROOMS) {
      await page.goto("about:blank");
      await page.goto(`${server.baseUrl}#/${name}`);
      await page.waitForSelector(`${element} h1`);
      const controls = await page.evaluate(() => {
        const all = [
          ...document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary"),
        ];
        const usable = all.filter(
          (control) => control.checkVisibility() && !control.matches(":disabled") && control.tabIndex >= 0,
        );
        for (const [place, control] of usable.entries()) control.dataset["place"] = String(place);
        return usable.length;
      });
      const reached = new Set<string>();
      for (let tabs = 0; tabs < controls + 5; tabs += 1) {
        await page.keyboard.press("Tab");
        const place = await page.evaluate(
          () => (document.activeElement as HTMLElement | null)?.dataset["place"],
        );
        if (place !== undefined) reached.add(place);
      }
      // Of radio buttons, the arrow keys reach what Tab does not.
      const radios = await page.evaluate(
        () => document.querySelectorAll("input[type=radio]:not(:checked)").length,
      );
      expect(reached.size, name).to.be.at.least(controls - radios);
    }
  });
});
