/** Accounts whose passports begin in a registry elsewhere that cannot be believed, or does not take them: nothing is left behind. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { openPassport } from "../../client-lib/passport/index.ts";
import { type Answer, openBrowser, PASSWORD, tokenOf } from "../account/client.ts";
import { quietPort } from "../support/process.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { enterPods, startRegistry, usingRegistry } from "./registry-process.ts";

describe("setting up an account with a registry elsewhere", function () {
  this.timeout(120_000);
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  /** As the page does, with a link for one account. */
  async function setUp({ context }: TestServer, pod: string, link?: string) {
    const browser = openBrowser(context.config);
    const token = tokenOf(link ?? (await context.identity.accounts.createSetupLink()));
    const begun = await browser.send("POST", "/.account/setup/begin", { token });
    expect(begun.status).to.equal(200);
    const { createOp } = await openPassport(begun.body, context.now());
    const names = { token, name: "Ana", pod, password: PASSWORD };
    const answer = await browser.send("POST", "/.account/setup", {
      ...names,
      createOp,
      recoverySaved: true,
    });
    const isFree = async (): Promise<unknown> => {
      const other = tokenOf(await context.identity.accounts.createSetupLink());
      return (await browser.send("POST", "/.account/setup/name", { token: other, pod })).body.free;
    };
    return { answer, isFree };
  }
  const problem = ({ status, headers, body }: Answer) => ({
    status,
    contentType: headers.get("content-type"),
    code: String(body.type).replace(/^.*#/, ""),
  });

  /** A registry that shows the same to whoever asks. */
  async function showing(body: string): Promise<string> {
    const server: Server = createServer((_request, response) =>
      response.setHeader("content-type", "application/json").end(body),
    );
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    closing.push(() => server.close());
    return `http://localhost:${(server.address() as AddressInfo).port}/`;
  }

  it("says that the root's record does not hold, and leaves the name free", async () => {
    for (const shown of ['{"record":{},"sigs":[]}', "<html>Welcome</html>"]) {
      const url = await showing(shown);
      const server = await startServer(usingRegistry({ url }, "zz.pods", "0"));
      closing.push(() => server.close());
      const { answer, isFree } = await setUp(server, "ana");
      expect(problem(answer), JSON.stringify(answer.body)).to.deep.equal({
        status: 503,
        contentType: "application/problem+json",
        code: "unavailable",
      });
      expect(answer.body.detail).to.match(/registry/);
      expect(await isFree()).to.equal(true);
      expect(await server.context.pods.list()).to.deep.equal([]);
    }
  });

  it("leaves the name free for whoever comes next when the registry refuses, and then it is taken", async () => {
    const port = await quietPort();
    const registry = await startRegistry([`http://localhost:${port}`]);
    closing.push(() => registry.remove());
    const server = await startServer(usingRegistry(registry, "zz.pods", port));
    closing.push(() => server.close());
    const link = await server.context.identity.accounts.createSetupLink();
    const { answer, isFree } = await setUp(server, "ana", link); // Nobody has entered this registrar yet.
    expect(problem(answer)).to.deep.include({ status: 422, code: "operation-invalid" });
    expect(await isFree()).to.equal(true);

    await enterPods(registry, server, "zz.pods");
    const next = await setUp(server, "ana");
    expect(next.answer.status, JSON.stringify(next.answer.body)).to.equal(200);
    expect(await next.isFree()).to.equal(false);
    const again = await setUp(server, "ana", link); // Whose set-up had begun with it has no right to it.
    expect(problem(again.answer)).to.deep.include({ status: 409, code: "conflict" });
    expect((await fetch(`${server.baseUrl}ana/profile/card`)).status).to.equal(200);
  });
});
