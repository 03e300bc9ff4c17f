/** The public page of a registry of its own: what a browser asks for, and nothing else of the folders that it comes from. */
import { expect } from "chai";
import { startRegistry, type World } from "../doors/world.ts";

describe("the page of a registry of its own", () => {
  let world: World;
  before(async () => {
    world = await startRegistry();
  });
  after(() => world.close());

  it("is at its address, and where a pod server has it", async () => {
    for (const path of ["/", "/.registry"]) {
      const { status, headers, text } = await world.ask(path, { headers: { accept: "text/html" } });
      expect([status, headers["content-type"]], path).to.deep.equal([200, "text/html; charset=utf-8"]);
      expect(text, path).to.include("<fh-registry>");
      expect(headers["content-security-policy"], path).to.include("default-src 'none'");
    }
  });

  it("has every module, style and picture that it names, and those that they name", async () => {
    const { text } = await world.ask("/");
    const { imports } = JSON.parse(/<script type="importmap">(.*?)<\/script>/.exec(text)?.[1] ?? "{}") as {
      imports: Record<string, string>;
    };
    const asked = new Set([...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = ""]) => path));
    for (const path of asked) {
      const answer = await world.ask(path);
      expect(answer.status, path).to.equal(200);
      if (!/\.[jt]s$/.test(path)) continue;
      expect(answer.headers["content-type"], path).to.match(/javascript/);
      for (const [, name = ""] of answer.text.matchAll(/\b(?:from|import) ?"([^"]+)"/g)) {
        const [prefix = ""] = Object.keys(imports).filter((one) => one.endsWith("/") && name.startsWith(one));
        const to = imports[name] ?? (prefix && `${imports[prefix]}${name.slice(prefix.length)}`);
        if (to || name.startsWith(".")) asked.add(new URL(to || name, `http://x${path}`).pathname);
      }
    }
    expect([...asked])
      .to.include("/.ui/client-lib/registry/index.ts")
      .and.have.length.above(30);
  });

  it("leads to no file beside them", async () => {
    for (const path of ["registry.json", "server/main.ts", "server/ui/../main.ts", "%2e%2e/package.json"])
      expect((await world.ask(`/.ui/${path}`)).status, path).to.be.oneOf([400, 404]);
    for (const path of ["/.account/login", "/.account/setup", "/.account/consent"])
      expect((await world.ask(path)).status, path).to.equal(404);
  });
});
