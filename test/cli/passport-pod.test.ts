/** `freehold passport` as a person types it, beside a pod server that is its own registry: in processes of their own, and killed. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { importRecoveryFile } from "@freehold/client/registry";
import { expect } from "chai";
import { freehold, type Program } from "../support/process.ts";
import { startServer, type TestServer } from "../support/server.ts";

describe("freehold passport at a pod server", function () {
  this.timeout(90_000);
  let server: TestServer;
  const programs: Program[] = [];

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Program => {
    const program = freehold(["passport", ...args, "--folder", join(server.folder, "passport")], env);
    programs.push(program);
    return program;
  };

  before(async () => {
    server = await startServer();
  });
  after(async () => {
    for (const { child } of programs) child.kill("SIGKILL");
    await server?.close();
  });

  it("opens an account with pod and passport by a link, once", async () => {
    const link = await server.context.identity.accounts.createSetupLink();
    const opening = ["create", link, "--name", "Ana", "--pod", "ana", "--password-env", "SECRET"];
    const env = { SECRET: "a long password of Ana" };
    const made = await run(opening, env).ended;
    expect([made.code, made.err.replace(/^freehold passport.*\n/gm, "")], made.err).to.deep.equal([0, ""]);
    expect(made.out).to.match(
      /^keys {5}\S+freehold-passport-\S+\.json: keep it[^]*passport dpzz1\S+\nleads to http:\/\/localhost:\d+\/ana\/\n$/,
    );
    expect(
      (
        await run(["create", `${link}x`, "--name", "Ben", "--pod", "ben", "--password-env", "SECRET"], env)
          .ended
      ).code,
    ).to.equal(4);
  });

  it("rotates, and the pod's host goes on saying where it leads", async () => {
    const rotated = await run(["rotate"]).ended;
    expect([rotated.code, rotated.out], rotated.err).to.satisfy(([code]: unknown[]) => code === 0);
    const shown = await run(["show"]).ended;
    expect(shown.code, shown.err).to.equal(0);
    expect(shown.out).to.match(/leads to http:\/\/localhost:\d+\/ana\/\n[^]*state 1\.2\n/);
  });

  it("needs no registry to be named twice, and says what it does not know", async () => {
    const unknown = await run(["fly"]).ended;
    expect([unknown.code, unknown.err]).to.satisfy(
      ([code, err]: [number, string]) => code === 2 && /create, show, rotate/.test(err),
    );
    expect((await run(["lock", "a", "b"]).ended).code).to.equal(2);
    const help = await freehold(["passport", "--help"]).ended;
    expect(help.out).to.match(/passport recover \[file\][^]*--guardian …/);
  });

  it("is killed in the middle of a rotation, and no key is lost", async () => {
    const folder = join(server.folder, "passport");
    const [name = ""] = (await readdir(folder)).filter((one) => one.startsWith("freehold-passport-"));
    const path = join(folder, name);
    const keysIn = async () => (await importRecoveryFile(await readFile(path, "utf8"))).keys;
    /** @returns false when the program was done before anybody could kill it. */
    const kill = async (): Promise<boolean> => {
      const program = run(["rotate"]);
      while (program.child.exitCode === null) {
        if ((await readFile(path, "utf8")).includes('"later-authority"')) {
          program.child.kill("SIGKILL");
          await program.ended;
          return true;
        }
        await new Promise((next) => setImmediate(next));
      }
      return false;
    };
    let before = await keysIn();
    while (!(await kill())) before = await keysIn();
    const between = await importRecoveryFile(await readFile(path, "utf8"));
    const all = [between.keys, between.later].flatMap((keys) => keys?.authority ?? []).map(({ key }) => key);
    expect(all).to.include(before.next[0]?.key);
    const resumed = await run(["resume"]).ended;
    expect(resumed.code, resumed.err).to.equal(0);
    const rotated = await run(["rotate"]).ended;
    expect(rotated.code, rotated.err).to.equal(0);
    expect((await run(["show"]).ended).out).to.match(/has the keys of today and the promised ones\n$/);
  });
});
