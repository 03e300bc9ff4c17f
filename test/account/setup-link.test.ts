/** `freehold setup-link`, for whoever runs the server and wants to let somebody in. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { freehold, quietPort } from "../support/process.ts";
import { openBrowser, PASSWORD, tokenOf } from "./client.ts";

describe("freehold setup-link", function () {
  this.timeout(30_000);
  let folder: string;
  let port: string;
  const settings = () => [
    "--data",
    join(folder, "data"),
    "--port",
    port,
    "--base-url",
    `http://localhost:${port}/`,
  ];
  const open = () =>
    serve(readConfig({ FREEHOLD_DATA: join(folder, "data"), FREEHOLD_PORT: port }), () => {});

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-link-"));
    port = await quietPort();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("prints a link that opens one more account, where there are accounts already", async () => {
    const first = await open();
    await createPerson(first.context, { name: "Ana", podName: "ana", password: PASSWORD });
    await first.close();
    const { code, out, err } = await freehold(["setup-link", ...settings()]).ended;
    expect([code, err]).to.deep.equal([0, ""]);
    expect(out).to.match(new RegExp(`^http://localhost:${port}/\\.account/setup#token=[\\w-]{43}\n$`));

    const second = await open();
    const ben = { token: tokenOf(out.trim()), name: "Ben", pod: "ben", password: PASSWORD };
    const browser = openBrowser(second.context.config);
    expect((await browser.send("POST", "/.account/setup", ben)).status).to.equal(200);
    expect((await browser.send("POST", "/.account/setup", { ...ben, pod: "eve" })).status).to.equal(403);
    await second.close();
  });

  it("prints one while the server runs, for the address at which it runs", async () => {
    const running = await open();
    const { code, out, err } = await freehold(["setup-link", ...settings()]).ended;
    expect([code, err]).to.deep.equal([0, ""]);
    const cy = { token: tokenOf(out.trim()), name: "Cy", pod: "cy", password: PASSWORD };
    const browser = openBrowser(running.context.config);
    expect((await browser.send("POST", "/.account/setup", cy)).status).to.equal(200);
    await running.close();
  });

  it("gives no link to an address at which nobody would find the data", async () => {
    const elsewhere = [...settings().slice(0, -1), "http://localhost:1/"];
    const { code, out, err } = await freehold(["setup-link", ...elsewhere]).ended;
    expect([code, out]).to.deep.equal([4, ""]);
    expect(err).to.match(/belong to http:\/\/localhost:\d+\//);
  });
});
