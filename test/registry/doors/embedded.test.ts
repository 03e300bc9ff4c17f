/** The same doors on a pod server, which is a registry of its own unless it is told of another. */
import { expect } from "chai";
import { startServer, type TestServer } from "../../support/server.ts";
import { type Answer, type Asked, askAt } from "./world.ts";

describe("the registry's doors on a pod server", function () {
  this.timeout(30_000);
  let server: TestServer;
  const ask = (path: string, asked: Asked = {}): Promise<Answer> =>
    askAt(Number(new URL(server.baseUrl).port), path, asked);
  const year = new Date().getUTCFullYear();

  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  it("say which zone it is, by which rules, and by which root", async () => {
    const help = await ask("/v1/help");
    expect(help.json.zones).to.deep.equal([{ name: "zz", shard: `zz/${year}` }]);
    const zones = await ask("/v1/zones");
    expect(zones.json.record.zones.zz.urls).to.deep.equal([server.baseUrl]);
  });

  it("give the log as files, and no other file of the data folder", async () => {
    const checkpoint = await ask(`/log/zz/${year}/checkpoint`);
    expect([checkpoint.status, checkpoint.text.split("\n")[0]?.endsWith(`/zz/${year}`)]).to.deep.equal([
      200,
      true,
    ]);
    expect((await ask(`/log/zz/${year}/tile/0/000.p/1`)).bytes).to.have.length(32);
    for (const path of [
      `/log/zz/${year}/../../../root.key`,
      `/log/zz/${year}/tile/../../../../root.key`,
      `/log/zz/${year}/tile/%2e%2e/%2e%2e/lock`,
      `/log/zz/${year}/tile/..%2f..%2flock`,
      "/log/zz/lock",
    ]) {
      const { status } = await ask(path);
      expect(status, path).to.be.oneOf([400, 401, 404]);
    }
  });

  it("resolve in the words of DIDs, with and without encoding, and nothing at all", async () => {
    const accept = { accept: "application/did-resolution" };
    for (const [did, status] of [
      ["", 400],
      ["not-a-did", 400],
      ["did:web:example.org", 501],
      ["did%3Aweb%3Aexample.org", 501],
      ["did:dcann:x/y", 400],
    ] as const) {
      const answer = await ask(`/v1/identifiers/${did}`, { headers: accept });
      expect([answer.status, answer.json.didDocument], did).to.deep.equal([status, null]);
    }
  });

  it("answer pages of other origins, and their preflights", async () => {
    const origin = "https://app.example";
    const asked = await ask("/v1/resolve", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(asked.status).to.equal(204);
    expect(asked.headers["access-control-allow-origin"]).to.be.oneOf(["*", origin]);
    const refused = await ask("/v1/passports/nobody", { headers: { origin } });
    expect(refused.status).to.equal(400);
    expect(refused.headers["access-control-allow-origin"]).to.be.oneOf(["*", origin]);
  });

  it("keep their names from pods that are made from now on", async () => {
    const answers = await Promise.all(["log", "rdap", "v1"].map((name) => ask(`/${name}/`)));
    for (const { status } of answers) expect(status).to.be.oneOf([401, 404]);
    for (const name of ["log", "rdap"])
      expect(
        await server.context.pods
          .create(name, server.context.config.baseUrl as never)
          .catch((error: unknown) => (error as { code: string }).code),
      ).to.equal("input-invalid");
  });
});
