/** The reference client of Linked Data Event Streams, which knows nothing of this server. Needs a package registry once. */
import { execFile } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { grant, openPod } from "@freehold/client";
import { expect } from "chai";
import { startServer, type TestServer } from "../support/server.ts";
import { skip } from "../support/skip.ts";
import { installWorkspace } from "../support/workspace.ts";

const COUNT = 2_500;
const FIRST = Date.UTC(2026, 0, 31, 12);
const MINUTE = 60_000;
const run = promisify(execFile);

describe("the reference client of event streams", function () {
  this.timeout(120_000);
  let server: TestServer;
  let folder: string;
  let root: string;

  /** Values in the order in which it gives them. */
  async function replay(options: object, order: "none" | "ascending"): Promise<readonly number[]> {
    const args = [join(folder, "ldes-client.mjs"), root, JSON.stringify(options), order];
    const { stdout } = await run(process.execPath, args, { cwd: folder, timeout: 100_000 });
    return JSON.parse(/^VALUES (.*)$/m.exec(stdout)?.[1] ?? "null") as readonly number[];
  }

  before(async function () {
    this.timeout(480_000);
    const installed = await installWorkspace(resolve(import.meta.dirname, "workspace"), "stream-clients");
    if (installed === null) skip(this, "no package registry can be reached");
    folder = installed;
    copyFileSync(resolve(import.meta.dirname, "ldes-client.mjs"), join(folder, "ldes-client.mjs"));
    server = await startServer({ FREEHOLD_LIMITS: "seriesPageObservationsMax=100" });
    const ana = await server.person("Ana");
    const pod = await openPod(ana.pod, { fetch: ana.fetch });
    root = `${ana.pod}.series/meter/`;
    const lines = Array.from({ length: COUNT }, (_, at) =>
      JSON.stringify({
        time: new Date(FIRST + at * MINUTE).toISOString(),
        value: at,
        sensor: "urn:meter:1",
        property: "urn:power",
      }),
    );
    const headers = { "content-type": "application/x-ndjson" };
    const response = await ana.fetch(root, { method: "POST", headers, body: lines.join("\n") });
    expect(response.status).to.equal(201);
    await grant(pod, "meter/", { to: "public", modes: ["read"] });
  });
  after(() => server?.close());

  it("finds every member once", async () => {
    const values = await replay({}, "none");
    expect(values.toSorted((a, b) => a - b)).to.deep.equal(Array.from({ length: COUNT }, (_, at) => at));
  });

  it("finds them in the order of time", async () => {
    expect(await replay({}, "ascending")).to.deep.equal(Array.from({ length: COUNT }, (_, at) => at));
  });

  it("finds those between two times", async () => {
    const between = { after: "2026-02-01T00:00:00Z", before: "2026-02-01T02:00:00Z" };
    expect(await replay(between, "ascending")).to.deep.equal(
      Array.from({ length: 119 }, (_, at) => 721 + at),
    );
  });
});
