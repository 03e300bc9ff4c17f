/** A passport goes from one zone to another by its owner's commands, and whoever looks for it finds it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createMemory, type Fetch, resolve } from "@freehold/client";
import { exportRecoveryFile, makeRecoveryFile } from "@freehold/client/registry";
import { expect } from "chai";
import { type Run, runIn } from "../../cli/passport.ts";
import { codeOf } from "../../client/codes.ts";
import { createFederation, DAY_MS, type FederationWorld, HOUR_MS, type Owner } from "../federation/world.ts";

describe("a passport that goes to another zone", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  let owner: Owner;
  let path: string;
  let run: Run;

  const command = async (name: string, ...args: readonly string[]): Promise<string> => {
    const { code, out, error, message } = await run(name, [...args, path], {
      registry: world.zones.ch.baseUrl,
    });
    expect(code, `${error} ${message}`).to.equal(0);
    return out;
  };
  const later = async (ms: number): Promise<void> => {
    world.turn(ms);
    await world.tick();
  };

  before(async () => {
    world = await createFederation();
    owner = await world.open("ch");
    path = join(world.folder, "owner.json");
    const made = new Date(world.now());
    await writeFile(path, exportRecoveryFile(await makeRecoveryFile(owner.id, 0, owner.keys, made)));
    run = runIn(join(world.folder, "passport"), () => new Date(world.now()));
    await later(31 * DAY_MS);
    await command("move", "https://pods.example.org/ana/");
    expect((await run("port", ["za", path])).message).to.match(/freehold passport unlock/);
    await command("unlock");
    await later(73 * HOUR_MS);
    await command("resume");
  });
  after(() => world.dispose());

  it("waits for five days, in which its owner can end it", async () => {
    const text = await command("port", "za");
    expect(text).to.match(
      /^waits {4}port, until .* \(in 5 days\)\nmeans {4}The passport will move to another zone/,
    );
    await later(DAY_MS);
    expect(await command("resume")).to.match(/^waits {4}port, until .* \(in 4 days\)/);
    expect(await command("veto")).to.match(/veto/);
    await later(5 * DAY_MS);
    expect(await command("resume")).to.not.match(/^done/m);
    expect(await command("show")).to.match(/zone {5}ch\n/);
  });

  it("is in its new zone then, and found by whoever asks the old one, though that does not say where it went", async () => {
    expect((await run("port", ["za", path])).message, "the same again").to.match(
      /Change the keys, and then ask again/,
    );
    await command("rotate");
    await command("port", "za");
    await later(5 * DAY_MS + HOUR_MS);
    await later(HOUR_MS);
    expect(await command("resume")).to.match(/^done {5}port: The passport is in its new zone/);
    expect(await command("show")).to.match(/zone {5}za\n/);

    const options = { resolvers: [world.zones.ch.baseUrl], now: () => world.now() };
    const found = await resolve(owner.id, { ...options, memory: createMemory() });
    expect([found.zone, found.pod]).to.deep.equal(["za", "https://pods.example.org/ana/"]);

    /** The same absence, from a zone that does not redirect. */
    const silent: Fetch = async (input, init) => {
      const response = await fetch(input, { ...init, redirect: "manual" });
      return response.status === 307 ? new Response(await response.text(), { status: 404 }) : response;
    };
    const asked = await resolve(owner.id, { ...options, memory: createMemory(), fetch: silent });
    expect(asked.zone, "the root's index says it").to.equal("za");
    const deaf: Fetch = async (input, init) =>
      input.includes("/v1/ported/") ? new Response("{}", { status: 503 }) : silent(input, init);
    expect(await codeOf(resolve(owner.id, { ...options, memory: createMemory(), fetch: deaf }))).to.equal(
      "not-found",
    );
  });

  it("takes its owner's operations in its new zone", async () => {
    expect(await command("rotate")).to.match(/^done {5}rotate/);
    expect(await command("show")).to.match(/zone {5}za\n[^]*leads to https:\/\/pods\.example\.org\/ana\/\n/);
  });
});
