/** Several zones in one process, and passports that are in another: who asks is led there, and loses no proof on the way. */
import { expect } from "chai";
import {
  type Bundle,
  erasePassport,
  hashOfOperation,
  type PassportId,
  portPassport,
  type RootRecord,
  sponsorOperation,
  stateAfter,
  unlockPassport,
  verifyAnswer,
} from "../../../client-lib/registry/index.ts";
import { type Listening, listen } from "../../../server/cli/registry/listen.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createRegistryDoors } from "../../../server/registry/doors/doors.ts";
import type { Zone } from "../../../server/registry/port.ts";
import { GOLDEN_ID } from "../../passport/golden.ts";
import { person } from "../../passport/people.ts";
import { listeningLog } from "../../support/store.ts";
import { createWorld, DAY_MS, type World } from "../zone/world.ts";
import { type Answer, askAt } from "./world.ts";

/** Doors of some zones on a port of their own. */
async function open(
  zones: readonly Zone[],
  root: RootRecord,
  now: () => number,
): Promise<Listening & { close(): Promise<void> }> {
  const [log, clock] = [listeningLog([]), () => new Date(now())];
  const listening = await listen({
    host: "127.0.0.1",
    port: 0,
    baseUrl: null,
    trustProxy: [],
    limits: LIMITS,
    log,
    now: clock,
  });
  const doors = createRegistryDoors({
    baseUrl: listening.baseUrl,
    zones,
    root: () => ({ record: root, sigs: [] }),
    folderOf: () => "/nowhere",
    limits: LIMITS,
    now: clock,
    log,
  });
  listening.open(doors.doors, doors.ready);
  return { ...listening, close: () => listening.close(() => doors.close()) };
}

describe("passports of other zones", () => {
  let worlds: { readonly zz: World; readonly za: World };
  let zz: Zone;
  let za: Zone;
  let root: RootRecord;
  let both: Listening;
  let onlyZz: Listening;
  let onlyZa: Listening;
  let ported: PassportId;
  const ask = (where: Listening, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    askAt(where.port, path, { headers });
  const resolve = async (where: Listening, ids: readonly string[]) => {
    const { text } = await askAt(where.port, "/v1/resolve", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ids }),
    });
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  };

  before(async () => {
    const keys = new Map<string, string>();
    const facts = { zoneKeys: (zone: string) => (keys.has(zone) ? [keys.get(zone) ?? ""] : []) };
    worlds = { zz: await createWorld({ facts }), za: await createWorld({ name: "za", facts }) };
    for (const name of ["zz", "za"] as const) keys.set(name, worlds[name].keys.zone.key);
    const orders = new Map<PassportId, { readonly to: string; readonly hash: string }>();
    const portOrder = async (id: PassportId) => orders.get(id) ?? null;
    zz = await worlds.zz.open({ portOrder });
    za = await worlds.za.open({ portOrder });
    const [one, other] = [worlds.zz.trust(), worlds.za.trust()];
    const zones = { ...one.zones, za: { ...other.zones["za"]!, urls: ["https://za.example/"] } };
    root = { ...one, zones: { ...zones, ch: { ...zones.za, urls: ["https://ch.example/"] } } };

    const ana = await person("ana");
    ported = ana.state.id;
    await zz.submit(ana.create);
    await zz.submit(ana.data);
    const pass = async (ms: number): Promise<void> => {
      for (const world of Object.values(worlds)) world.turn(ms);
      await zz.tick();
      await za.tick();
    };
    await pass(40 * DAY_MS);
    const unlock = await unlockPassport(ana.state, ana.keys.authority);
    await zz.submit(unlock);
    await pass(4 * DAY_MS);
    const state = await stateAfter(ana.state, unlock.op);
    const port = await sponsorOperation(
      await portPassport(state, ana.keys.authority, "za"),
      "za",
      worlds.za.keys.zone,
    );
    const before = await open([zz], root, () => worlds.zz.now());
    const arriving = (await ask(before, `/v1/passports/${ported}`)).json as Bundle;
    await before.close();
    orders.set(ported, { to: "za", hash: await hashOfOperation(port.op) });
    await zz.submit(port);
    await zz.tick();
    await za.submit(port, { arriving });
    await zz.submit((await person("bea")).create);
    both = await open([zz, za], root, () => worlds.zz.now());
    onlyZz = await open([zz], root, () => worlds.zz.now());
    onlyZa = await open([za], root, () => worlds.za.now());
  });
  after(async () => {
    await both?.close();
    await onlyZz?.close();
    await onlyZa?.close();
    await worlds?.zz.dispose();
    await worlds?.za.dispose();
  });

  it("are answered with 307 to the zone that took them, with the proof that they are gone from here", async () => {
    for (const path of [
      `v1/passports/${ported}`,
      `v1/passports/${ported}?proof=head`,
      `v1/identifiers/did:dcann:${ported}`,
      `v1/id/${ported}`,
      `v1/id/${ported}/pod/a/b?x=1`,
      `rdap/entity/${ported}`,
    ]) {
      const { status, headers, text } = await ask(onlyZz, `/${path}`);
      expect([status, headers["location"]], path).to.deep.equal([307, `https://za.example/${path}`]);
      const verified = await verifyAnswer(text, ported, root, { now: worlds.zz.now() });
      expect([verified.kind, JSON.parse(text).to]).to.deep.equal(["absent", "za"]);
    }
  });

  it("are answered as they are where both zones are in one process", async () => {
    const { status, json } = await ask(both, `/v1/passports/${ported}`);
    expect([status, json.proof?.shard]).to.deep.equal([200, "za/2026"]);
    expect((json as Bundle).head.auth.at(-1)?.op.t).to.equal("port");
    const again = await ask(both, `/v1/passports/${ported}`);
    expect(again.json.proof.shard, "by the short way, too").to.equal("za/2026");
  });

  it("are found by the zone that took them in, alone and in a batch", async () => {
    const { status, json } = await ask(onlyZa, `/v1/passports/${ported}`);
    expect([status, json.proof?.shard]).to.deep.equal([200, "za/2026"]);
    const bea = (await person("bea")).state.id;
    const [, here, there] = await resolve(onlyZa, [ported, bea]);
    expect([here.status, here.zone]).to.deep.equal([200, "za"]);
    expect(there).to.include({ status: 307, location: `https://zz.example/v1/passports/${bea}` });
  });

  it("that began in a zone which the root knows are looked for there", async () => {
    const { status, headers } = await ask(onlyZz, `/v1/passports/${GOLDEN_ID}`);
    expect([status, headers["location"]]).to.deep.equal([
      307,
      `https://ch.example/v1/passports/${GOLDEN_ID}`,
    ]);
    const whole = await ask(onlyZz, `/v1/identifiers/did:dcann:${GOLDEN_ID}`, {
      accept: "application/did-resolution",
    });
    expect([whole.status, whole.headers["vary"]]).to.deep.equal([307, "Accept"]);
  });

  it("lead to no address but those of the root's record", async () => {
    const { headers } = await askAt(onlyZz.port, `/v1/passports/${ported}`, {
      headers: { host: "evil.example", "x-forwarded-host": "evil.example" },
    });
    expect(headers["location"]).to.equal(`https://za.example/v1/passports/${ported}`);
  });

  it("have lines of their own in a batch, each proved by its zone's epoch", async () => {
    const bea = (await person("bea")).state.id;
    const [first, ...lines] = await resolve(both, [ported, bea, GOLDEN_ID]);
    expect(Object.keys(first.epochs).sort()).to.deep.equal(["za", "zz"]);
    expect(lines.map(({ status, zone }) => [status, zone])).to.deep.equal([
      [200, "za"],
      [200, "zz"],
      [307, undefined],
    ]);
    const [, gone] = await resolve(onlyZz, [ported]);
    expect(gone).to.include({ status: 307, to: "za", location: `https://za.example/v1/passports/${ported}` });
  });

  it("are taken operations for by the zone that they are in", async () => {
    const lock = await askAt(both.port, "/v1/ops", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ op: { v: 1, t: "veto", id: ported, aseq: 2, of: "A".repeat(43) }, sigs: [] }),
    });
    expect(lock.status, "a rule of the zone refuses it, and not that nobody knows the passport").to.be.oneOf([
      409, 422,
    ]);
  });

  describe("when one was erased where it went", () => {
    /** From one zone to the next, as whoever asks is led. @returns each answer's status. */
    async function led(path: string): Promise<readonly number[]> {
      const found: number[] = [];
      let where = onlyZz;
      for (let hops = 0; hops < 5; hops += 1) {
        const { status, headers } = await ask(where, path);
        found.push(status);
        if (status !== 307) break;
        where = String(headers["location"]).startsWith("https://za.example/") ? onlyZa : onlyZz;
      }
      return found;
    }
    const PATHS = [
      () => `/v1/passports/${ported}`,
      () => `/v1/identifiers/did:dcann:${ported}`,
      () => `/v1/id/${ported}`,
    ];
    const pass = async (ms: number): Promise<void> => {
      for (const world of Object.values(worlds)) world.turn(ms);
      await zz.tick();
      await za.tick();
    };

    before(async () => {
      const { findings } = await za.find(ported);
      if (findings.kind !== "present") throw new Error("It is not there");
      await za.submit(await erasePassport(findings.state, (await person("ana")).keys.authority));
      await pass(4 * DAY_MS);
    });

    it("says for thirty days that it was", async () => {
      for (const path of PATHS) expect(await led(path()), path()).to.deep.equal([307, 410]);
    });

    it("proves after them that nobody is there, and leads nobody to and fro", async () => {
      await pass(31 * DAY_MS);
      for (const path of PATHS) expect(await led(path()), path()).to.deep.equal([307, 404]);
      const { text } = await ask(onlyZa, `/v1/passports/${ported}`);
      const { absence, checkpoint } = JSON.parse(text) as Record<string, unknown>;
      const answer = { id: ported, absence, checkpoint };
      const verified = await verifyAnswer(answer, ported, root, { now: worlds.za.now(), zone: "za" });
      expect([verified.kind, verified.zone]).to.deep.equal(["absent", "za"]);
      const [, line] = await resolve(onlyZa, [ported]);
      expect(line).to.include({ status: 404 });
      expect(line).to.not.have.property("location");
    });

    it("does so in the next year's log, too", async () => {
      await pass(Date.UTC(2027, 0, 3) - worlds.za.now());
      expect((await za.find(ported)).published.shard).to.equal("za/2027");
      for (const path of PATHS) expect(await led(path()), path()).to.deep.equal([307, 404]);
    });

    it("leads those that never came here to the zone of their birth", async () => {
      const bea = (await person("bea")).state.id;
      const { status, headers } = await ask(onlyZa, `/v1/passports/${bea}`);
      expect([status, headers["location"]]).to.deep.equal([307, `https://zz.example/v1/passports/${bea}`]);
    });
  });
});
