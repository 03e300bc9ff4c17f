/** `freehold registry`, as whoever runs a zone types it. */
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { type Exit, freehold, type Program, quietPort } from "../../support/process.ts";
import { askAt } from "../doors/world.ts";

/** Somebody who has heard something of the feed already. */
async function follow(port: number): Promise<{ readonly whole: Promise<string> }> {
  const request = get({ host: "127.0.0.1", port, path: "/v1/feed?from=0" });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const first = String((await once(response, "data"))[0]);
  return { whole: text(response).then((rest) => first + rest) };
}

describe("freehold registry", function () {
  this.timeout(60_000);
  let folder: string;
  let port: number;
  const programs: Program[] = [];
  const run = (...args: string[]): Program => {
    const program = freehold(["registry", ...args, "--folder", join(folder, "zone")]);
    programs.push(program);
    return program;
  };
  const registry = (...args: string[]): Promise<Exit> => run(...args).ended;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-registry-"));
    port = Number(await quietPort());
  });
  after(async () => {
    for (const { child } of programs) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  it("is nothing before it is made, and says how", async () => {
    const { code, err } = await registry("serve");
    expect([code, err]).to.deep.equal([
      4,
      `There is no registry in ${join(folder, "zone")}. Make one: freehold registry init <zone> <operator> --folder ${join(folder, "zone")}\n`,
    ]);
  });

  it("refuses commands and arguments that it does not know", async () => {
    expect((await registry("fly")).code).to.equal(2);
    expect((await registry("init", "zz")).code).to.equal(2);
    expect((await registry("init", "zz", "x", "--colour", "red")).code).to.equal(2);
    expect((await registry("init", "zurich", "x")).code).to.equal(3);
    expect((await registry("init", "zz", "x", "--port", "many")).code).to.equal(3);
    const told = await registry("init", "zz", "x", "--store", "postgres://freehold:hunter2@127.0.0.1/zz");
    expect([told.code, told.err]).to.satisfy(
      ([code, err]: [number, string]) => code === 3 && /registry\.json/.test(err) && !/hunter2/.test(err),
    );
    expect(await readdir(folder), "nothing is made of what is refused").to.deep.equal([]);
  });

  it("is made once, and everything secret in it is for its owner alone", async () => {
    const made = await registry("init", "zz", "A test", "--port", String(port));
    expect([made.code, made.err]).to.deep.equal([0, ""]);
    expect(made.out).to.match(
      /^zone +zz\naddress +http:\/\/localhost:\d+\/\nlog +\S+\/zz\npolicy +witness self \S+\nrecord +\{/,
    );
    for (const name of ["registry.json", "root.key", "keyring", "freehold.db"])
      expect((await stat(join(folder, "zone", name))).mode & 0o077, name).to.equal(0);
    expect((await registry("init", "zz", "A test")).code).to.equal(4);
    expect((await registry("show")).out).to.equal(made.out);
  });

  it("answers, keeps its log through a restart, and ends when it is told to", async () => {
    const year = new Date().getUTCFullYear();
    const checkpoint = async () =>
      (await askAt(port, `/log/zz/${year}/checkpoint`)).text.split("\n").slice(0, 3);
    const begin = async (): Promise<Program> => {
      const program = run("serve");
      await program.until(/address +http/);
      return program;
    };
    const first = await begin();
    expect((await askAt(port, "/v1/help")).json).to.deep.include({
      zones: [{ name: "zz", shard: `zz/${year}` }],
    });
    const before = await checkpoint();
    const listening = await follow(port);
    first.child.kill("SIGTERM");
    expect((await first.ended).code).to.equal(0);
    expect(await listening.whole, "who listens is told").to.contain('"reason":"closing"');
    const second = await begin();
    expect(await checkpoint()).to.deep.equal(before);
    second.child.kill("SIGKILL");
    await second.ended;
    const third = await begin();
    expect(await checkpoint()).to.deep.equal(before);
    const other = await registry("serve");
    expect(other.code, "one process has a folder").to.equal(4);
    third.child.kill("SIGTERM");
    expect((await third.ended).code).to.equal(0);
  });
});
