/** A zone and three witnesses: what is published has their quorum, answers stay small, and renewal is asked of all. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { decodeKey } from "../../../client-lib/passport/index.ts";
import {
  judgePolicy,
  PassportError,
  type Policy,
  parseNote,
  parsePolicy,
  proveConsistency,
  verifierKeyOf,
  verifyConsistency,
} from "../../../client-lib/registry/index.ts";
import { LIMITS } from "../../../server/limits.ts";
import { verifyMlDsa44 } from "../../../server/registry/log/signer.ts";
import { createTiles } from "../../../server/registry/log/tiles.ts";
import type { Zone } from "../../../server/registry/port.ts";
import { createWitnessClient } from "../../../server/registry/witness/client.ts";
import { initWitness, openSigners, policyLines } from "../../../server/registry/witness/identity.ts";
import { serveWitness, type WitnessServer } from "../../../server/registry/witness/serve.ts";
import { person } from "../../passport/people.ts";
import { temporaryFolder } from "../../support/store.ts";
import { createWorld, DAY_MS, HOUR_MS, type World } from "../zone/world.ts";

const ORIGIN = "log.zz.example/2026";
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

describe("a zone with three witnesses", () => {
  let world: World;
  let zone: Zone;
  let policy: Policy;
  let own: Awaited<ReturnType<typeof temporaryFolder>>;
  const witnesses: WitnessServer[] = [];

  before(async () => {
    const now = () => new Date(world.now());
    let text = "";
    own = await temporaryFolder();
    world = await createWorld({
      policy: async (_, keys) => {
        const raw = decodeKey(keys.log.key);
        if (!raw) throw new Error("no key");
        const logKey = await verifierKeyOf(ORIGIN, 1, raw);
        for (const label of ["a", "b", "c"]) {
          const folder = join(own.folder, label);
          await initWitness(folder, `witness.example/${label}`);
          const config = { folder, port: 0, host: "127.0.0.1", logs: [logKey], root: null, fetch };
          const server = await serveWitness(config, { now, log: quiet });
          witnesses.push(server);
          text += policyLines(await openSigners(folder, now), label, server.url);
        }
        text += "group two 2 a b c\nquorum two\n";
        return text;
      },
    });
    policy = await parsePolicy(text);
    const ask = await createWitnessClient(text, { fetch, log: quiet, now, limits: LIMITS });
    zone = await world.open({ witnesses: ask });
  });
  after(async () => {
    await world.dispose();
    for (const witness of witnesses) await witness.close();
    await own.remove();
  });

  const judge = (text: string) =>
    judgePolicy(policy, parseNote(text), { now: world.now(), maxAgeSeconds: HOUR_MS / 1_000, verifyMlDsa44 });

  it("publishes only what its quorum has cosigned, and answers verify against it", async () => {
    const ana = await person("Ana");
    await zone.submit(ana.create);
    const { checkpoint } = zone.published();
    expect((await judge(checkpoint)).isMet).to.equal(true);
    expect((await world.ask(zone, ana.state.id)).kind).to.equal("present");
  });

  it("answers carry no post-quantum lines, for the file beside the tiles has them", async () => {
    const { checkpoint } = zone.published();
    expect(checkpoint.length).to.be.below(1_500);
    const whole = readFileSync(join(world.folder, "registry/zz/2026/checkpoint.pq"), "utf8");
    const judged = await judge(whole);
    expect(judged.isMet).to.equal(true);
    expect(judged.by.filter((name) => name.endsWith("-pq")).length).to.be.at.least(2);
    expect(parseNote(whole).body).to.equal(parseNote(checkpoint).body);
  });

  it("its tiles prove to anybody that it only grew", async () => {
    const before = zone.published();
    const bo = await person("Bo");
    await zone.submit(bo.create);
    const after = zone.published();
    const { fetch: read } = createTiles(join(world.folder, "registry/zz/2026"));
    const rootOf = (text: string) => new Uint8Array(Buffer.from(text, "base64url"));
    const proof = {
      size1: before.size,
      size2: after.size,
      root1: rootOf(before.logRoot),
      root2: rootOf(after.logRoot),
      path: await proveConsistency(read, before.size, after.size),
    };
    expect(await verifyConsistency(proof)).to.equal(true);
  });

  it("a quorum that grew old is renewed by all; while only the zone is there, readers refuse the old one", async () => {
    const ana = await person("Ana");
    world.turn(HOUR_MS);
    await zone.tick();
    expect((await judge(zone.published().checkpoint)).asOf).to.equal(Math.floor(world.now() / 1_000));
    for (const witness of witnesses.splice(0, 2)) await witness.close();
    world.turn(DAY_MS);
    await zone.tick();
    const error = await world.ask(zone, ana.state.id).catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(PassportError);
    expect((error as PassportError).rule).to.equal("freshness");
  });
});
