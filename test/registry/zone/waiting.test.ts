/** Nothing dangerous counts at once: what waits, who may end it, and what comes of it when its time has come. */

import {
  type AuthorityOperation,
  encodeBase64url,
  erasePassport,
  lockPassport,
  makeErase,
  type PassportId,
  portPassport,
  recoverPassport,
  rotatePassport,
  type Signed,
  signAsZone,
  sponsorOperation,
  transferPassport,
  unlockPassport,
  vetoPassport,
} from "@freehold/client/registry";
import { expect } from "chai";
import type { Problem } from "../../../server/errors.ts";
import type { Accepted, Zone } from "../../../server/registry/port.ts";
import type { PortOrder } from "../../../server/registry/zone/deps.ts";
import { REGISTRY } from "../../../server/registry/zone/state.ts";
import { key, type Person, person } from "../../passport/people.ts";
import { createWorld, DAY_MS, dataAfter, HOUR_MS, present, type World } from "./world.ts";

const ruleOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "taken",
    (error: Problem) => error.members["rule"] ?? error.code,
  );

describe("what waits", () => {
  let world: World;
  let zone: Zone;
  let orders: Map<PassportId, PortOrder>;
  beforeEach(async () => {
    orders = new Map();
    world = await createWorld();
    zone = await world.open({ portOrder: async (id) => orders.get(id) ?? null });
  });
  afterEach(() => world.dispose());

  /** Somebody whose passport is two months old. */
  async function settled(name: string): Promise<Person> {
    const one = await person(name);
    await zone.submit(one.create);
    await zone.submit(one.data);
    world.turn(60 * DAY_MS);
    return one;
  }

  const newest = async (who: Person): Promise<AuthorityOperation["t"]> =>
    (await present(zone, who)).state.head.t;

  it("an unlock counts after 72 hours, and not one tick before", async () => {
    const ana = await settled("Ana");
    const before = await present(zone, ana);
    const taken = await zone.submit(await unlockPassport(before.state, ana.keys.authority));
    expect(taken.standing).to.deep.equal({ state: "pending", effectiveAt: world.now() + 72 * HOUR_MS });
    expect((await present(zone, ana)).pending).to.include({ type: "unlock", hash: taken.hash });
    expect((await present(zone, ana)).commit, "what waits is in no commitment").to.equal(before.commit);
    world.turn(72 * HOUR_MS - 1);
    await zone.tick();
    expect(await newest(ana)).to.equal("create");
    world.turn(1);
    await zone.tick();
    const after = await present(zone, ana);
    expect([after.state.head.t, after.state.head.locks, after.pending]).to.deep.equal(["unlock", [], null]);
    expect(await zone.operation(taken.hash)).to.include({ state: "effective" });
    expect(after.data, "the host's word stands").not.to.equal(null);
    await world.ask(zone, ana.state.id);
  });

  it("comes into force without a tick, before anything else is taken", async () => {
    const ana = await settled("Ana");
    const { state } = await present(zone, ana);
    await zone.submit(await unlockPassport(state, ana.keys.authority));
    world.turn(72 * HOUR_MS);
    expect(
      await ruleOf(
        zone.submit(await lockPassport({ ...state, head: { ...state.head, locks: [] } }, ana.keys.authority)),
      ),
    ).to.equal("seq");
    expect((await zone.submit(await dataAfter(zone, ana))).aseq).to.equal(1);
  });

  it("survives a restart, and then comes into force", async () => {
    const ana = await settled("Ana");
    const { hash } = await zone.submit(
      await unlockPassport((await present(zone, ana)).state, ana.keys.authority),
    );
    await zone.close();
    const again = await world.open();
    expect(await again.operation(hash)).to.include({ state: "pending" });
    world.turn(80 * HOUR_MS);
    await again.tick();
    expect(await again.operation(hash)).to.include({ state: "effective" });
    expect((await present(again, ana)).state.head.t).to.equal("unlock");
  });

  it("is ended by a veto of today's keys, which the log tells of", async () => {
    const ana = await settled("Ana");
    const { state } = await present(zone, ana);
    const { hash } = await zone.submit(await unlockPassport(state, ana.keys.authority));
    const { size } = zone.published();
    const veto = await zone.submit(await vetoPassport(state, ana.keys.authority, hash));
    expect(veto.standing).to.include({ state: "effective", index: size });
    expect(await zone.operation(hash)).to.include({ state: "vetoed" });
    world.turn(100 * HOUR_MS);
    await zone.tick();
    expect(await newest(ana)).to.equal("create");
    expect(await ruleOf(zone.submit(await vetoPassport(state, ana.keys.authority, "A".repeat(43))))).to.equal(
      "veto-of",
    );
  });

  it("is superseded by whatever today's keys sign at once", async () => {
    const ana = await settled("Ana");
    const { state } = await present(zone, ana);
    const { hash } = await zone.submit(await unlockPassport(state, ana.keys.authority));
    const { rotateOp } = await rotatePassport(state, ana.keys, new Date(world.now()));
    await zone.submit(rotateOp);
    expect(await zone.operation(hash)).to.include({ state: "superseded" });
    world.turn(100 * HOUR_MS);
    await zone.tick();
    expect(await newest(ana)).to.equal("rotate");
  });

  it("a recovery by guardians takes the passport after its delay, though a thief holds all other keys", async () => {
    const ana = await settled("Ana");
    const { state } = await present(zone, ana);
    const { recoverOp, keys } = await recoverPassport(state, ana.keys, new Date(world.now()));
    const taken = await zone.submit(recoverOp);
    expect(taken.standing).to.deep.equal({ state: "pending", effectiveAt: world.now() + 7 * DAY_MS });
    const { rotateOp } = await rotatePassport(state, ana.keys, new Date(world.now()));
    expect(await ruleOf(zone.submit(rotateOp))).to.equal("waiting");
    await zone.submit(await dataAfter(zone, ana));
    world.turn(7 * DAY_MS);
    await zone.tick();
    const after = await present(zone, ana);
    expect(after.state.head.auth.keys).to.deep.equal(keys.authority.map((one) => one.key));
    await world.ask(zone, ana.state.id);
  });

  it("a recovery is vetoed by keys older than its delay, and not by those that a thief has just put in force", async () => {
    const [ana, ben] = [await settled("Ana"), await settled("Ben")];
    const vetoed = await present(zone, ana);
    const first = await recoverPassport(vetoed.state, ana.keys, new Date(world.now()));
    const { hash } = await zone.submit(first.recoverOp);
    await zone.submit(await vetoPassport(vetoed.state, ana.keys.authority, hash));
    expect(await zone.operation(hash)).to.include({ state: "vetoed" });
    expect(
      await ruleOf(zone.submit((await recoverPassport(vetoed.state, ana.keys, new Date(0))).recoverOp)),
    ).to.equal("recover-again");

    await zone.submit(ben.rotate);
    const stolen = await present(zone, ben);
    const second = await recoverPassport(stolen.state, ben.keys, new Date(world.now()));
    const waits = await zone.submit(second.recoverOp);
    expect(await ruleOf(zone.submit(await vetoPassport(stolen.state, ben.keys.next, waits.hash)))).to.equal(
      "veto-age",
    );
  });

  it("a transfer needs the lock open and another registrar; then it counts at once", async () => {
    const ana = await settled("Ana");
    const closed = await present(zone, ana);
    const early = await transferPassport(closed.state, ana.keys.authority, "gaining");
    expect(
      await ruleOf(zone.submit(await sponsorOperation(early, "gaining", await key("registrar")))),
    ).to.equal("locked");
    await zone.submit(await unlockPassport(closed.state, ana.keys.authority));
    world.turn(72 * HOUR_MS);
    await zone.tick();
    const open = await present(zone, ana);
    const made = await transferPassport(open.state, ana.keys.authority, "gaining");
    expect(await ruleOf(zone.submit(made))).to.equal("sponsored");
    await zone.submit(await sponsorOperation(made, "gaining", await key("registrar")));
    expect((await present(zone, ana)).registrar).to.equal("gaining");
  });

  async function unlocked(name: string): Promise<Person> {
    const one = await settled(name);
    await zone.submit(await unlockPassport((await present(zone, one)).state, one.keys.authority));
    world.turn(72 * HOUR_MS);
    await zone.tick();
    return one;
  }

  async function port(who: Person): Promise<{ signed: Signed; taken: Accepted }> {
    const made = await portPassport((await present(zone, who)).state, who.keys.authority, "za");
    const signed = await sponsorOperation(made, "za", await key("zone za"));
    return { signed, taken: await zone.submit(signed) };
  }

  describe("a port", () => {
    let gaining: World;
    beforeEach(async () => {
      await zone.close();
      const keys = await key("zone za");
      const zoneKeys = (name: string): string[] => (name === "za" ? [keys.key] : [world.keys.zone.key]);
      const before = world;
      world = await createWorld({ facts: { zoneKeys } });
      await before.dispose();
      zone = await world.open({ portOrder: async (id) => orders.get(id) ?? null });
      gaining = await createWorld({ name: "za", facts: { zoneKeys } });
    });
    afterEach(() => gaining.dispose());

    it("waits for five days and for the root's order; the zone that is left has no say, and then says where it went", async () => {
      const ana = await unlocked("Ana");
      const { taken } = await port(ana);
      expect(taken.standing).to.deep.equal({ state: "pending", effectiveAt: world.now() + 5 * DAY_MS });
      world.turn(5 * DAY_MS);
      await zone.tick();
      expect(await newest(ana), "without an order").to.equal("unlock");
      orders.set(ana.state.id, { to: "za", hash: "A".repeat(43) });
      world.turn(2 * HOUR_MS);
      await zone.tick();
      expect(await newest(ana), "by an order about something else").to.equal("unlock");
      orders.set(ana.state.id, { to: "za", hash: taken.hash });
      world.turn(2 * HOUR_MS);
      await zone.tick();
      const { findings } = await zone.find(ana.state.id);
      expect(findings).to.include({ kind: "ported", to: "za" });
      expect(await world.ask(zone, ana.state.id)).to.include({ kind: "absent" });
      expect(await ruleOf(zone.submit(ana.data))).to.equal("not-found");
    });

    it("is taken in by the gaining zone with the root's order, whole, and with nothing less", async () => {
      const ana = await unlocked("Ana");
      const { published, findings } = await zone.find(ana.state.id);
      if (findings.kind !== "present") throw new Error("It is not there");
      const { shard, rootLeaf, log, checkpoint } = published;
      const arriving = {
        id: ana.state.id,
        head: JSON.parse(findings.head),
        proof: { shard, rootLeaf, log, opening: findings.opening, map: findings.map },
        checkpoint,
      };
      const { signed, taken } = await port(ana);
      const other = await gaining.open({ portOrder: async (id) => orders.get(id) ?? null });
      expect(await ruleOf(other.submit(signed))).to.equal("not-found");
      expect(await ruleOf(other.submit(signed, { arriving }))).to.equal("own-zone");
      orders.set(ana.state.id, { to: "za", hash: taken.hash });
      const { sponsor: _, ...unsponsored } = signed;
      const later = await dataAfter(zone, ana);
      const [refused, beside] = await Promise.allSettled([
        other.submit(unsponsored, { arriving }),
        other.submit(later),
      ]);
      expect([refused.status, beside.status], "nothing comes in beside a port that is refused").to.deep.equal(
        ["rejected", "rejected"],
      );
      const came = await other.submit(signed, { arriving });
      expect(came.standing).to.include({ state: "effective" });
      const there = await present(other, ana);
      expect([there.state.zone, there.state.head.t, there.data?.op.dseq]).to.deep.equal(["za", "port", 1]);
      expect(await gaining.ask(other, ana.state.id)).to.include({ kind: "present", zone: "za" });
      await other.submit(await dataAfter(other, ana));
      expect((await present(other, ana)).data?.op.dseq).to.equal(2);
    });
  });

  it("an erasure leaves nothing: 30 days it is said, then nobody was ever here", async () => {
    const ana = await settled("Ana");
    const { state } = await present(zone, ana);
    const kept = [(await zone.submit(ana.create)).hash, (await zone.submit(ana.data)).hash];
    const taken = await zone.submit(await erasePassport(state, ana.keys.authority));
    expect(taken.standing).to.include({ state: "pending" });
    world.turn(72 * HOUR_MS);
    await zone.tick();
    const { findings, published } = await zone.find(ana.state.id);
    expect(findings).to.include({ kind: "erased", at: world.now() });
    expect(published.rootLeaf.count).to.equal(0);
    expect(await world.ask(zone, ana.state.id)).to.include({ kind: "absent" });
    for (const hash of kept) expect(await zone.operation(hash)).to.equal(null);
    expect(await ruleOf(zone.submit(ana.create)), "whoever kept its first operation").to.equal("gone");
    world.turn(31 * DAY_MS);
    await zone.tick();
    expect((await zone.find(ana.state.id)).findings).to.include({ kind: "absent" });
    expect(await zone.operation(taken.hash)).to.equal(null);
    const left: string[] = [];
    await world.store.read(world.pod, async (snapshot) => {
      for await (const { group, item, value } of snapshot.all(REGISTRY)) {
        const text = `${group} ${item} ${Buffer.from(value).toString()}`;
        if (text.includes(ana.state.id) || text.includes("/Ana/")) left.push(`${group} ${item}`);
      }
    });
    expect(left, "records that name her").to.deep.equal([]);
  });

  it("an erasure by the zone needs a legal key beside its own, and waits as well", async () => {
    const ana = await settled("Ana");
    const { id, state } = await present(zone, ana);
    const made = await makeErase({ id, after: state.head }, "court/17");
    const alone = await signAsZone(made, world.keys.zone);
    expect(await ruleOf(zone.submit(alone))).to.equal("signer");
    const both = await signAsZone(made, world.keys.zone, await key("legal"));
    const taken = await zone.submit(both);
    expect(taken.standing).to.include({ state: "pending" });
    await zone.submit(await vetoPassport(state, ana.keys.authority, taken.hash));
    world.turn(100 * HOUR_MS);
    await zone.tick();
    expect((await zone.find(id)).findings.kind).to.equal("present");
  });

  it("a rotation that changes the guardians waits as long as they would", async () => {
    const ana = await settled("Ana");
    const { state } = await present(zone, ana);
    const recovery = {
      ...state.head.recovery,
      hashes: [encodeBase64url(new Uint8Array(32).fill(3))],
      threshold: 1,
    };
    const { rotateOp } = await rotatePassport(state, ana.keys, new Date(world.now()), {
      guardians: { recovery, keys: [] },
    });
    expect((await zone.submit(rotateOp)).standing).to.include({ state: "pending" });
    const { recoverOp } = await recoverPassport(state, ana.keys, new Date(world.now()));
    await zone.submit(recoverOp);
    world.turn(7 * DAY_MS);
    await zone.tick();
    expect(await newest(ana), "the guardians were stronger").to.equal("recover");
  });
});
