/** The set-up beyond the shortest way: where it is reachable, the sheet on paper, and a pod of another host that comes along. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import { reachableFrom } from "../../server/ui/parts/reachable.ts";
import type { TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const PASSWORD = "four words of my own";

describe("the set-up", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;

  onScreen((screen) => void ({ server, page } = screen));

  const words = async (): Promise<string> => page.evaluate(() => document.body.innerText);

  async function toSignIn(name: string, archive: Buffer): Promise<void> {
    await page.goto(await server.context.identity.accounts.createSetupLink());
    await page.fill("input[name=name]", name);
    await page.click("text=I have had a pod before");
    await page.setInputFiles("input[type=file]", {
      name: "pod.zip",
      mimeType: "application/zip",
      buffer: archive,
    });
    await page.waitForSelector("[role=status]:has-text('pod.zip')");
    expect(await words()).to.not.match(JARGON);
    await look(page, "setup-names");
    await expectAccessible(page);
    await page.click("text=Go on");
    await page.waitForSelector("text=Your passport");
    const download = page.waitForEvent("download");
    await page.click("text=Download the recovery file");
    await download;
    await page.click("text=Print a recovery sheet");
    await page.waitForSelector(".print-sheet fh-qr path");
    expect(await words())
      .to.include(`${server.baseUrl}${name.toLowerCase()}/`)
      .and.not.match(JARGON);
    await look(page, "setup-sheet");
    await expectAccessible(page);
    await page.click(".pair >> text=Go on");
    await page.click("text=With a password");
    await page.fill("input[name=password]", PASSWORD);
    await page.click(".pair .first");
  }

  it("says where the pod is reachable, and brings in what came from another host", async () => {
    const ben = await server.person("Ben");
    await ben.fetch(`${ben.pod}notes/today.txt`, {
      method: "PUT",
      headers: { "content-type": "text/plain" },
      body: "It rained.",
    });
    const { context } = server;
    const pod = await context.pods.find("ben");
    if (!pod) throw new Error("There is no pod");
    const archive = Buffer.concat(await Array.fromAsync(context.ldp.transfer.exportPod(pod).content));
    await toSignIn("Ana", archive);
    await page.waitForSelector("text=can see your data");
    const ana = await context.pods.find("ana");
    const stored =
      ana && (await context.store.read(ana.id, (now) => now.get("resource", "/ana/notes/", "today.txt")));
    expect(stored, "the note came along").to.not.equal(null);
  });

  it("opens the pod all the same when the file cannot be read, and says so", async () => {
    await toSignIn("Ana", Buffer.from("no archive at all"));
    await page.waitForSelector("text=Your pod is ready");
    expect(await words()).to.not.match(JARGON);
    await look(page, "setup-not-brought");
    await expectAccessible(page);
    await page.click("text=Go on without");
    await page.waitForSelector("text=can see your data");
  });
});

describe("from where a server is reachable", () => {
  const ADDRESSES = [
    ["http://localhost:3000/", "here"],
    ["http://127.0.0.1:3000/", "here"],
    ["http://[::1]:3000/", "here"],
    ["http://pods.localhost/", "here"],
    ["http://192.168.1.20:3000/", "nearby"],
    ["http://172.20.0.3/", "nearby"],
    ["http://172.33.0.3/", "web"],
    ["http://nas.local/", "nearby"],
    ["http://nas/", "nearby"],
    ["https://pods.example/", "web"],
    ["https://localhost.example/", "web"],
  ] as const;
  for (const [address, from] of ADDRESSES)
    it(`${address}: ${from}`, () => expect(reachableFrom(address)).to.equal(from));
});
