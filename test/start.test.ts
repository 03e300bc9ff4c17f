/** `freehold start`, as a person meets it: what it prints, what it refuses and with which exit code, and how it ends. */

import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import manifest from "../package.json" with { type: "json" };
import { createPerson } from "../server/cli/people.ts";
import { serve } from "../server/cli/serve.ts";
import { readConfig } from "../server/config.ts";
import { openBrowser, PASSWORD, tokenOf } from "./account/client.ts";
import { logIn } from "./support/dpop.ts";
import { type Exit, freehold, type Program, quietPort } from "./support/process.ts";

const READY = /^ {2}data .*$/m;
const addressOf = (out: string): string => / {2}address +(\S+)/.exec(out)?.[1] ?? "";
const linkOf = (out: string): string => / {2}set-up +(\S+)/.exec(out)?.[1] ?? "";

async function listenOn(port: number): Promise<Server | null> {
  const server = createSocketServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(null)); // Somebody else has it: it is taken all the same.
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

describe("freehold start", function () {
  this.timeout(30_000);
  let folder: string;
  const programs: Program[] = [];
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Program => {
    const program = freehold(args, env);
    programs.push(program);
    return program;
  };
  const data = (name: string): string => join(folder, name);
  const start = (name: string, ...args: string[]): Program =>
    run(["start", "--port", "0", "--data", data(name), ...args]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-start-"));
  });
  afterEach(async () => {
    for (const program of programs.splice(0)) await program.stop("SIGKILL");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Refusals are for people: a paragraph on stderr that fits a screen, and no stack. */
  function expectRefusal({ code, out, err }: Exit, exitCode: number, reason: RegExp): void {
    expect(err).to.match(reason);
    expect(err.trim().split("\n"), err).to.have.length(1);
    expect(err).to.not.match(/ {4}at |node:internal|Error:/);
    expect(out).to.equal("");
    expect(code).to.equal(exitCode);
  }

  it("says its version, address and data folder, and gives a set-up link", async () => {
    const out = await start("new").until(READY);
    expect(out).to.include(`Freehold ${manifest.version}\n`);
    expect(addressOf(out)).to.match(/^http:\/\/localhost:\d+\/$/);
    expect(out).to.include(`data     ${data("new")}\n`);
    expect(linkOf(out).startsWith(`${addressOf(out)}.account/setup#token=`)).to.equal(true);
    expect((await fetch(`${addressOf(out)}readyz`)).status).to.equal(200);
    const version = (await (await fetch(`${addressOf(out)}version`)).json()) as { version: string };
    expect(version.version).to.equal(manifest.version);
  });

  it("gives a link that opens one account, and gives no link once there is one", async () => {
    const first = run(["start", "--port", await quietPort(), "--data", data("link")]);
    const out = await first.until(READY);
    const baseUrl = addressOf(out);
    const open = (pod: string) =>
      openBrowser({ baseUrl }).send("POST", "/.account/setup", {
        token: tokenOf(linkOf(out)),
        name: "Ana Lima",
        pod,
        password: PASSWORD,
        recoverySaved: true,
      });
    expect((await open("ana")).status).to.equal(200);
    const again = await open("ben");
    expect([again.status, again.body.type]).to.deep.equal([403, `${baseUrl}ns/problems#setup-link-invalid`]);
    expect((await first.stop()).code).to.equal(0);

    const second = run(["start", "--port", new URL(baseUrl).port, "--data", data("link")]);
    expect(linkOf(await second.until(READY))).to.equal("");
    expect((await fetch(`${baseUrl}ana/profile/card`)).status).to.equal(200);
    expect((await fetch(`${baseUrl}ben/profile/card`)).status).to.equal(404);
  });

  it("refuses a folder that another one serves, which goes on as before", async () => {
    const out = await start("shared").until(READY);
    expectRefusal(await start("shared").ended, 4, /already running on .*shared.*Stop the other/);
    expect((await fetch(`${addressOf(out)}readyz`)).status).to.equal(200);
  });

  const settings: readonly (readonly [readonly string[], Record<string, string>, RegExp])[] = [
    [["--port", "http"], {}, /^FREEHOLD_PORT \(or --port\) wants a whole number/],
    [[], { FREEHOLD_LOG_LEVEL: "loud" }, /^FREEHOLD_LOG_LEVEL .*wants one of debug, info/],
    [["--base-url", "localhost"], {}, /^FREEHOLD_BASE_URL /],
    [["--base-url", "https://pod.example/path/"], {}, /^FREEHOLD_BASE_URL .*without path/],
    [["--limits", "rowsMax=1"], {}, /^FREEHOLD_LIMITS .*no limit called rowsMax/],
    [["--zones", "Zürich"], {}, /^FREEHOLD_ZONES .*zones of two characters/],
    [["--egress-allow", "http://10.0.0.1/x"], {}, /^FREEHOLD_EGRESS_ALLOW .*wants origins/],
    [["--store", "postgres://ana:canary@localhost/pods"], {}, /^--store holds a password(?!.*canary)/],
    [
      [],
      { FREEHOLD_PROT: "3000" },
      /^FREEHOLD_PROT is not a setting\. Did you mean FREEHOLD_PORT\? The settings are FREEHOLD_PORT/,
    ],
  ];
  for (const [args, env, reason] of settings) {
    it(`refuses the settings ${[...args, ...Object.entries(env).map((pair) => pair.join("="))].join(" ")}`, async () => {
      expectRefusal(await run(["start", ...args], env).ended, 3, reason);
    });
  }

  it("shows its commands and settings when it is told something it does not know", async () => {
    const command = await run(["strat"]).ended;
    expect([command.code, command.err]).to.deep.equal([
      2,
      "There is no command strat. Did you mean start?\n",
    ]);
    const flag = await run(["start", "--prot", "1"]).ended;
    expect(flag.code).to.equal(2);
    expect(flag.err)
      .to.match(/Unknown option '--prot'/)
      .and.include("--port");
  });

  it("takes the next free port when nobody chose one, and says so", async () => {
    const holder = await listenOn(3000);
    const program = run(["start", "--data", data("moved")]);
    const out = await program.until(/Port 3000 was taken/);
    const { port } = new URL(addressOf(out));
    expect(Number(port)).to.be.within(3001, 3010);
    expect(out).to.include(`Port 3000 was taken, so this is ${port}.`);
    await program.until(READY);
    expect((await fetch(`${addressOf(out)}readyz`)).status).to.equal(200);
    holder?.close();
  });

  it("takes no other port than the one that was chosen", async () => {
    const holder = await listenOn(0);
    const { port } = holder!.address() as AddressInfo;
    const program = run(["start", "--port", String(port), "--data", data("chosen")]);
    expectRefusal(await program.ended, 4, new RegExp(`^Port ${port} of 127.0.0.1 is taken.*--port`));
    holder?.close();
  });

  it("refuses to serve under another address what was stored under this one", async () => {
    const config = readConfig({ FREEHOLD_PORT: "0", FREEHOLD_DATA: data("home") });
    const running = await serve(config, () => undefined);
    await createPerson(running.context, { name: "Ana", podName: "ana", password: PASSWORD });
    const { baseUrl } = running.context.config;
    await running.close();
    const refusal = await start("home").ended;
    expect(refusal.err).to.include(`belong to ${baseUrl}`).and.include("--base-url");
    expectRefusal(refusal, 4, /The data in .*home belong to http/);
    const behindProxy = start("home", "--base-url", baseUrl);
    expect(addressOf(await behindProxy.until(READY))).to.equal(baseUrl);
  });

  const spoiled: readonly (readonly [string, (folder: string) => void, RegExp])[] = [
    [
      "the root key is another",
      (at) => writeFileSync(join(at, "root.key"), Buffer.alloc(32, 7)),
      /does not fit.*Put the root key back/,
    ],
    [
      "a newer version wrote the data",
      (at) => {
        const db = new DatabaseSync(join(at, "freehold.db"));
        db.exec("INSERT INTO migration VALUES (99, 0, 'later')");
        db.close();
      },
      /newer Freehold \(schema 99/,
    ],
    [
      "the database is overwritten",
      (at) => writeFileSync(join(at, "freehold.db"), Buffer.alloc(20_000, 7)),
      /database .* cannot be opened: .*backup/,
    ],
  ];
  for (const [index, [what, spoil, reason]] of spoiled.entries()) {
    it(`says in one paragraph what to do when ${what}`, async () => {
      const name = `spoiled ${index}`;
      const whole = start(name);
      await whole.until(READY);
      expect((await whole.stop()).code).to.equal(0);
      spoil(data(name));
      expectRefusal(await start(name).ended, 4, reason);
    });
  }

  it("says what the operating system refused", async () => {
    writeFileSync(data("file"), "");
    expectRefusal(await start("file/in a file").ended, 4, /operating system refused: .*not a directory/);
  });

  describe("told to stop", () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      it(`by ${signal} takes no more requests, answers the one under way, and ends with 0`, async () => {
        const name = `stopped ${signal}`;
        const config = readConfig({ FREEHOLD_PORT: await quietPort(), FREEHOLD_DATA: data(name) });
        const prepared = await serve(config, () => undefined);
        const { webid, pod, credentials } = await createPerson(prepared.context, {
          name: "Ana",
          podName: "ana",
          password: PASSWORD,
        });
        await prepared.close();

        const program = run(["start", "--port", new URL(pod).port, "--data", data(name)]);
        const baseUrl = addressOf(await program.until(READY));
        const ownFetch = await logIn(baseUrl, credentials.id, credentials.secret);
        expect((await ownFetch(webid)).status).to.equal(200);

        let send: (text: string) => void = () => undefined;
        let end: () => void = () => undefined;
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            send = (text) => controller.enqueue(new TextEncoder().encode(text));
            end = () => controller.close();
          },
        });
        const slow = ownFetch(`${pod}slow.txt`, {
          method: "PUT",
          headers: { "content-type": "text/plain" },
          body,
        });
        send("first half, ");
        await new Promise((done) => setTimeout(done, 200));
        program.child.kill(signal);
        program.child.kill(signal); // As npm and a terminal do it: both.
        await new Promise((done) => setTimeout(done, 300));
        const refused = await new Promise<string>((resolve) => {
          const late = request(new URL("readyz", baseUrl), { agent: false }, () => resolve("answered"));
          late.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
          late.end();
        });
        expect(refused, "a request that comes later").to.equal("ECONNREFUSED");
        send("second half");
        end();
        expect((await slow).status).to.equal(201);
        const stoppedAt = performance.now();
        const exit = await program.ended;
        expect([exit.code, exit.signal]).to.deep.equal([0, null]);
        expect(exit.err).to.equal("");
        expect(performance.now() - stoppedAt, "ms from the last answer to the end").to.be.lessThan(1_000);

        const again = run(["start", "--port", new URL(pod).port, "--data", data(name)]);
        await again.until(READY);
        expect(await (await ownFetch(`${pod}slow.txt`)).text()).to.equal("first half, second half");
      });
    }
  });
});
