/** The data browser's page: where it stands, and that it says of a resource what every answer says. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const HTML = { accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8" };

describe("the data browser's page", () => {
  let folder: string;
  let server: TestServer;
  let ana: Person;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-test-"));
    for (const name of ["mashlib.min.js", "mash.css"]) await writeFile(join(folder, name), "");
    server = await startServer({ FREEHOLD_DATA_BROWSER: folder });
    ana = await server.person("Ana");
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  for (const [path, status] of [
    ["profile/card", 200],
    ["settings/prefs.ttl", 401],
    ["nothing.ttl", 401],
  ] as const)
    it(`${status} for /${path}: with the storage, the modes and, where it helps, the way to log in`, async () => {
      const [page, plain] = [await fetch(ana.pod + path, { headers: HTML }), await fetch(ana.pod + path)];
      expect([page.status, plain.status]).to.deep.equal([status, status]);
      expect(page.headers.get("content-security-policy")).to.match(
        /^default-src 'none'; script-src http[^']*;/,
      );
      expect(await page.text()).to.match(/mashlib\.min\.js/);
      for (const name of ["link", "wac-allow", "www-authenticate"])
        expect(page.headers.get(name), name).to.equal(plain.headers.get(name));
      expect(page.headers.get("link")).to.include(`<${ana.pod}.well-known/solid>; rel="`);
    });

  it("stands in the place of nothing that a program or a person with a login asks for", async () => {
    for (const headers of [
      { accept: "text/turtle" },
      { ...HTML, "sec-fetch-dest": "empty" },
    ] as HeadersInit[])
      expect(await (await fetch(`${ana.pod}profile/card`, { headers })).text()).to.not.include("mashlib");
    expect(await (await ana.fetch(`${ana.pod}profile/card`, { headers: HTML })).text()).to.not.include(
      "mashlib",
    );
  });
});
