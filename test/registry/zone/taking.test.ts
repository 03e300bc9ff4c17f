/** A zone takes operations and proves what it took: every answer here is verified as clients verify it. */

import {
  deactivatePassport,
  type Leaf,
  makeHold,
  reactivatePassport,
  rotatePassport,
  signAsZone,
} from "@freehold/client/registry";
import { expect } from "chai";
import { Problem } from "../../../server/errors.ts";
import type { Zone } from "../../../server/registry/port.ts";
import { type Person, person } from "../../passport/people.ts";
import { createWorld, dataAfter, HOUR_MS, present, type World } from "./world.ts";

const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
  try {
    await work;
  } catch (error) {
    expect(error).to.be.instanceOf(Problem);
    return error as Problem;
  }
  throw new Error("It was taken");
};

const leavesOf = async (zone: Zone): Promise<Leaf["kind"][]> => {
  const kinds: Leaf["kind"][] = [];
  for await (const leaf of zone.leaves(0, zone.published().size)) kinds.push(leaf.kind);
  return kinds;
};

describe("a zone", () => {
  let world: World;
  let zone: Zone;
  let ana: Person;
  before(async () => {
    world = await createWorld();
    zone = await world.open();
    ana = await person("Ana");
  });
  after(() => world.dispose());

  it("begins with the empty map, published", () => {
    expect(zone.published()).to.deep.include({ zone: "zz", shard: "zz/2026", size: 1 });
    expect(zone.published().rootLeaf).to.deep.include({ epoch: 1, count: 0 });
  });

  it("proves that it knows nobody", async () => {
    expect(await world.ask(zone, ana.state.id)).to.include({ kind: "absent" });
  });

  it("takes a create, and answers when it is in a published checkpoint", async () => {
    const taken = await zone.submit(ana.create);
    expect(taken).to.deep.include({ id: ana.state.id, isNew: true, aseq: 0, dseq: 0 });
    expect(taken.standing).to.deep.equal({ state: "effective", epoch: 2, index: 1 });
    expect(await leavesOf(zone)).to.deep.equal(["root", "set", "root"]);
    expect(await world.ask(zone, ana.state.id)).to.include({ kind: "present" });
  });

  it("takes the same operation once, and says so the second time", async () => {
    const { size } = zone.published();
    const again = await zone.submit(JSON.stringify(ana.create));
    expect(again).to.deep.include({ isNew: false, aseq: 0 });
    expect(again.standing).to.deep.equal({ state: "effective", epoch: 2, index: 1 });
    expect(zone.published().size).to.equal(size);
  });

  it("takes two copies sent at once as one", async () => {
    const both = await Promise.all([zone.submit(ana.data), zone.submit(ana.data)]);
    expect(both.filter(({ isNew }) => isNew)).to.have.lengthOf(1);
    expect(both.map(({ standing }) => standing)).to.deep.equal([both[0].standing, both[0].standing]);
  });

  it("takes a data record and then a rotation in one epoch, in their order", async () => {
    const before = zone.published().rootLeaf.epoch;
    const again = await dataAfter(zone, ana, "https://pods.example.org/Ana/new/");
    const taken = await Promise.all([zone.submit(again), zone.submit(ana.rotate)]);
    expect(taken.map(({ aseq, dseq }) => [aseq, dseq])).to.deep.equal([
      [0, 2],
      [1, 2],
    ]);
    expect(zone.published().rootLeaf.epoch).to.equal(before + 1);
    const answer = await world.ask(zone, ana.state.id);
    expect(answer).to.include({ kind: "present" });
    expect(answer.kind === "present" && answer.passport.state.head.t).to.equal("rotate");
  });

  it("refuses a create that somebody else has signed, and takes the true one beside it", async () => {
    const [uma, eve] = [await person("Uma"), await person("Eve")];
    const forged = { ...uma.create, sigs: eve.create.sigs };
    const [refused, taken] = await Promise.allSettled([zone.submit(forged), zone.submit(uma.create)]);
    expect((refused as PromiseRejectedResult).reason).to.have.nested.property("members.rule", "signature");
    expect(taken.status).to.equal("fulfilled");
  });

  it("tells of every operation by its hash, and of none that was never sent", async () => {
    const { hash, standing } = await zone.submit(ana.rotate);
    expect(await zone.operation(hash)).to.deep.equal(standing);
    expect(await zone.operation("A".repeat(43))).to.equal(null);
  });

  it("refuses what breaks a rule, and takes the rest of the epoch", async () => {
    const [ben, eva] = [await person("Ben"), await person("Eva")];
    const { sponsor: _, ...alone } = ben.create;
    const [refused, taken] = await Promise.allSettled([zone.submit(alone), zone.submit(eva.create)]);
    expect(taken.status).to.equal("fulfilled");
    const { code, members } = (refused as PromiseRejectedResult).reason as Problem;
    expect([code, members["rule"]]).to.deep.equal(["operation-invalid", "sponsored"]);
    expect(await world.ask(zone, ben.state.id)).to.include({ kind: "absent" });
    expect(await world.ask(zone, eva.state.id)).to.include({ kind: "present" });
  });

  it("refuses an operation that comes too late with what there is now", async () => {
    const late = await problemOf(
      zone.submit(ana.data).then(() => zone.submit({ ...ana.data, op: { ...ana.data.op, ttl: 61 } })),
    );
    expect(late.code).to.equal("conflict");
    expect(late.members).to.include({ aseq: 1, dseq: 2 });
  });

  it("refuses what is no operation, and operations of nobody", async () => {
    const carl = await person("Carl");
    expect((await problemOf(zone.submit("{}"))).code).to.equal("operation-invalid");
    expect((await problemOf(zone.submit('{"op":1,"op":2}'))).members["rule"]).to.equal("json");
    expect((await problemOf(zone.submit({ op: { t: "create" }, sigs: [] }))).code).to.equal(
      "operation-invalid",
    );
    expect((await problemOf(zone.submit(carl.data))).code).to.equal("not-found");
  });

  it("puts a passport to rest and wakes it, and shows both", async () => {
    const dora = await person("Dora");
    await zone.submit(dora.create);
    await zone.submit(await deactivatePassport((await present(zone, dora)).state, dora.keys.authority));
    expect(await world.ask(zone, dora.state.id)).to.include({ isDeactivated: true });
    expect((await problemOf(zone.submit(dora.data))).members["rule"]).to.equal("at-rest");
    await zone.submit(await reactivatePassport((await present(zone, dora)).state, dora.keys.authority));
    expect(await world.ask(zone, dora.state.id)).to.include({ isDeactivated: false });
    await zone.submit(await dataAfter(zone, dora));
  });

  it("holds a passport by the zone's key alone: keys and data stay as they were", async () => {
    const { id, state, data } = await present(zone, ana);
    const made = makeHold(
      "hold",
      { id, after: state.head },
      { case: "Z-1", reason: "court-order" },
      new Date(world.now()),
    );
    expect((await problemOf(zone.submit(await signAsZone(made, ana.host)))).members["rule"]).to.equal(
      "signature",
    );
    await zone.submit(await signAsZone(made, world.keys.zone));
    const held = await present(zone, ana);
    expect([held.hold?.op.case, held.state.headHash, held.data]).to.deep.equal(["Z-1", state.headHash, data]);
    const answer = await world.ask(zone, id);
    expect(answer.kind === "present" && answer.hold?.reason).to.equal("court-order");
    const ended = makeHold(
      "unhold",
      { id, after: state.head },
      { case: "Z-1", reason: "court-order" },
      new Date(world.now()),
    );
    await zone.submit(await signAsZone(ended, world.keys.zone));
    expect((await present(zone, ana)).hold).to.equal(null);
    await world.ask(zone, id);
  });

  it("takes no more of one passport than a person needs, but of the zone and of other passports", async () => {
    const fay = await person("Fay");
    await zone.submit(fay.create);
    for (let index = 0; index < 10; index += 1)
      await zone.submit(await dataAfter(zone, fay, `https://pods.example.org/Fay/${index}/`));
    const eleventh = await dataAfter(zone, fay);
    const refused = await problemOf(zone.submit(eleventh));
    expect([refused.code, refused.headers["retry-after"]]).to.deep.equal(["too-many-requests", "3600"]);
    await zone.submit(fay.rotate); // Whoever has the host's key must not keep the owner from ending that.
    const { id, state } = await present(zone, fay);
    const made = makeHold(
      "hold",
      { id, after: state.head },
      { case: "Z-2", reason: "abuse" },
      new Date(world.now()),
    );
    await zone.submit(await signAsZone(made, world.keys.zone));
    world.turn(HOUR_MS);
    await zone.submit(await dataAfter(zone, fay));
  });

  it("takes a rotation although a thief of today's key has sent as much as a passport may", async () => {
    const eve = await person("Eve");
    await zone.submit(eve.create);
    for (let index = 0; index < 5; index += 1) {
      await zone.submit(await deactivatePassport((await present(zone, eve)).state, eve.keys.authority));
      await zone.submit(await reactivatePassport((await present(zone, eve)).state, eve.keys.authority));
    }
    const { state } = await present(zone, eve);
    const more = await problemOf(zone.submit(await deactivatePassport(state, eve.keys.authority)));
    expect(more.code).to.equal("too-many-requests");
    const { rotateOp } = await rotatePassport(state, eve.keys, new Date(world.now()));
    expect((await zone.submit(rotateOp)).standing.state).to.equal("effective");
  });

  it("logs what is governed, in the order in which it came", async () => {
    const governed = await Promise.all([1, 2].map((byte) => zone.govern(new Uint8Array(32).fill(byte))));
    const [first, second] = governed.map(({ index }) => index);
    expect(second).to.equal((first ?? 0) + 1);
    const found: Leaf[] = [];
    for await (const leaf of zone.leaves(first ?? 0, (second ?? 0) + 1)) found.push(leaf);
    expect(found.map((leaf) => leaf.kind === "governance" && leaf.hash[0])).to.deep.equal([1, 2]);
  });

  it("hands all heads to mirrors, page by page, and those that changed by their keys", async () => {
    const ids: string[] = [];
    const keys: string[] = [];
    for (let after: string | null = null; ; ) {
      const page: Awaited<ReturnType<Zone["replicas"]>> = await zone.replicas(after, 2);
      ids.push(...page.heads.map(({ id }) => id));
      keys.push(...page.heads.map(({ headKey }) => headKey));
      after = page.next;
      if (after === null) break;
    }
    expect(ids).to.have.lengthOf(zone.published().rootLeaf.count);
    const some = await zone.replicasOf([keys[0] ?? "", "A".repeat(43)]);
    expect(some.map(({ id }) => id)).to.deep.equal([ids[0]]);
  });

  it("renews its cosignatures, so that an answer is never older than an hour", async () => {
    const before = zone.published();
    world.turn(2 * HOUR_MS);
    await world.ask(zone, ana.state.id);
    const after = zone.published();
    expect(after.checkpoint).not.to.equal(before.checkpoint);
    expect({ ...after, checkpoint: "" }).to.deep.equal({ ...before, checkpoint: "" });
  });

  it("opens no more passports for a registrar than it may in a day", async () => {
    const small = await createWorld({ facts: { createPerDayMax: () => 1 } });
    const own = await small.open();
    const [one, two] = [await person("One"), await person("Two")];
    const both = await Promise.allSettled([own.submit(one.create), own.submit(two.create)]);
    expect(both.map(({ status }) => status).sort()).to.deep.equal(["fulfilled", "rejected"]);
    const late = both[0].status === "rejected" ? one : two;
    expect((await problemOf(own.submit(late.create))).code).to.equal("too-many-requests");
    small.turn(12 * HOUR_MS);
    await own.submit(late.create);
    await small.dispose();
  });

  it("takes in several epochs what does not fit into one commit of the store, and refuses nothing for it", async () => {
    const small = await createWorld({ limits: { transactionWritesMax: 30 } });
    const own = await small.open();
    const people = await Promise.all(Array.from({ length: 20 }, (_, index) => person(`L${index}`)));
    await Promise.all(people.map(({ create }) => own.submit(create)));
    expect(own.published().rootLeaf.count).to.equal(20);
    expect(own.published().rootLeaf.epoch).to.be.greaterThan(3);
    for (const { state } of people) expect(await small.ask(own, state.id)).to.include({ kind: "present" });
    await small.dispose();
  });
});
