/** One passport that nobody can read, or that has had more operations than one commit can forget, keeps nobody else waiting. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { erasePassport, type PassportId, unlockPassport } from "@freehold/client/registry";
import { expect } from "chai";
import { OperatorError } from "../../../server/errors.ts";
import type { Zone } from "../../../server/registry/port.ts";
import { applyRecords } from "../../../server/registry/zone/stage.ts";
import { putStanding } from "../../../server/registry/zone/standing.ts";
import { REGISTRY } from "../../../server/registry/zone/state.ts";
import { type Person, person } from "../../passport/people.ts";
import { createWorld, DAY_MS, HOUR_MS, present, type World } from "./world.ts";

describe("a zone with a passport that it cannot", () => {
  let world: World;
  let zone: Zone;
  afterEach(() => world.dispose());

  async function settled(...names: readonly string[]): Promise<readonly Person[]> {
    const people = await Promise.all(names.map((name) => person(name)));
    for (const one of people) await zone.submit(one.create);
    world.turn(60 * DAY_MS);
    return people;
  }

  const damage = (id: PassportId): Promise<unknown> =>
    world.store.write(world.pod, async (transaction) =>
      transaction.put(REGISTRY, "head", id, new TextEncoder().encode("no record")),
    );

  const standings = (id: PassportId): Promise<number> =>
    world.store.read(
      world.pod,
      async (snapshot) => (await snapshot.page(REGISTRY, `operations/${id}`, null, 1_000)).entries.length,
    );

  it("read takes the operations of all others that were sent at the same time", async () => {
    world = await createWorld();
    zone = await world.open();
    const [ana, bo] = await settled("Ana", "Bo");
    if (!ana || !bo) throw new Error("Nobody is here");
    await damage(ana.state.id);
    const [refused, taken] = await Promise.allSettled([zone.submit(ana.data), zone.submit(bo.data)]);
    expect([refused.status, taken.status]).to.deep.equal(["rejected", "fulfilled"]);
    expect((await present(zone, bo)).data).to.not.equal(null);
  });

  it("read brings into force what waited for all others, and says that one is left", async () => {
    world = await createWorld();
    zone = await world.open();
    const [ana, bo] = await settled("Ana", "Bo");
    if (!ana || !bo) throw new Error("Nobody is here");
    for (const one of [ana, bo])
      await zone.submit(await unlockPassport((await present(zone, one)).state, one.keys.authority));
    await damage(ana.state.id);
    world.turn(72 * HOUR_MS);
    await zone.tick();
    expect((await present(zone, bo)).state.head.t).to.equal("unlock");
    expect(world.events.join()).to.contain("registry.due-failed");
  });

  it("date any more, for its clock was ahead, renews its cosignatures as soon as that is right again", async () => {
    world = await createWorld();
    zone = await world.open();
    const [ana] = await settled("Ana");
    if (!ana) throw new Error("Nobody is here");
    world.turn(30 * DAY_MS);
    await zone.tick();
    const ahead = zone.published().checkpoint;
    world.turn(-30 * DAY_MS);
    await zone.tick();
    expect(zone.published().checkpoint).to.not.equal(ahead);
    expect(await world.ask(zone, ana.state.id)).to.include({ kind: "present" });
  });

  it("forget at once is erased all the same, and forgotten bit by bit", async () => {
    world = await createWorld({ limits: { transactionWritesMax: 60 } });
    zone = await world.open();
    const [ana] = await settled("Ana");
    if (!ana) throw new Error("Nobody is here");
    const { id } = ana.state;
    for (let from = 0; from < 100; from += 20)
      await world.store.write(world.pod, async (transaction) => {
        for (let at = from; at < from + 20; at += 1)
          applyRecords(
            transaction,
            putStanding(id, `hash${at}`, { state: "effective", epoch: 1, index: at }),
          );
      });
    await zone.submit(await erasePassport((await present(zone, ana)).state, ana.keys.authority));
    world.turn(72 * HOUR_MS);
    await zone.tick();
    expect((await zone.find(id)).findings.kind).to.equal("erased");
    expect(await standings(id)).to.be.within(1, 101);
    for (let hours = 0; hours < 24; hours += 1) {
      world.turn(HOUR_MS);
      await zone.tick();
    }
    expect([await standings(id), await zone.operation("hash99")]).to.deep.equal([0, null]);
    expect((await zone.find(id)).findings.kind, "for thirty days").to.equal("erased");
    world.turn(30 * DAY_MS);
    await zone.tick();
    expect((await zone.find(id)).findings.kind).to.equal("absent");
    const gone = await world.store.read(world.pod, (snapshot) => snapshot.get(REGISTRY, "gone", id));
    expect(gone).to.equal(null);
  });
});

describe("a zone whose lock file is damaged", () => {
  it("does not begin, and says which file, and what to do", async () => {
    const world = await createWorld();
    try {
      const zone = await world.open();
      await zone.close();
      const file = join(world.folder, "registry", "zz", "lock");
      for (const text of ["", "{}", '{"origin":"log.zz.example/2026","size":"1","root":"x"}']) {
        await writeFile(file, text);
        const error = await world.open().catch((cause: unknown) => cause);
        expect(error, text).to.be.instanceOf(OperatorError);
        expect((error as OperatorError).message, text)
          .to.contain(file)
          .and.to.contain("Bring it back");
      }
    } finally {
      await world.dispose();
    }
  });
});
