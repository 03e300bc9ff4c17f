/** What is published for other languages is what the product does, and what a program in another language makes of it. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { skip } from "../../support/skip.ts";
import { ASK, LOG_FILE, type LogRow, publishedLog, writtenLog } from "./published.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

describe("published vectors of logs", () => {
  let rows: readonly LogRow[];
  before(async () => {
    rows = await publishedLog();
  });

  it("say what the product does", async () => {
    const wrong: string[] = [];
    for (const { name, check, given, expected } of rows) {
      const found = await ASK[check](given);
      if (JSON.stringify(found) !== JSON.stringify(expected))
        wrong.push(`${check}, ${name}: ${JSON.stringify(found)}`);
    }
    expect(wrong).to.deep.equal([]);
    expect(new Set(rows.map(({ check }) => check)).size).to.equal(Object.keys(ASK).length);
  });

  it("stand in their file (node test/tools/registry-vectors.ts renews it)", () => {
    expect(readFileSync(resolve(ROOT, LOG_FILE), "utf8")).to.equal(writtenLog(rows));
  });

  it("are read the same by a program in another language, written from the protocol's page", function () {
    this.timeout(60_000);
    const program = resolve(ROOT, "vocab/registry/vectors/log.py");
    const { status, stdout, stderr, error } = spawnSync("python3", ["-I", program], {
      encoding: "utf8",
      timeout: 50_000,
    });
    if (error && "code" in error && error.code === "ENOENT")
      skip(this, "there is no python3 on this machine");
    expect(`${stdout}${stderr}`.trim()).to.equal(`${rows.length} vectors, 0 disagreements`);
    expect(status).to.equal(0);
  });
});
