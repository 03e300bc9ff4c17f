/** New Year: a log of its own for each, in which nobody can find what they knew of the last one. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { erasePassport } from "@freehold/client/registry";
import { expect } from "chai";
import { Problem } from "../../../server/errors.ts";
import type { Zone } from "../../../server/registry/port.ts";
import { ownPolicy } from "../../../server/registry/zone/cosigning.ts";
import type { EpochStep } from "../../../server/registry/zone/deps.ts";
import { zoneKeys } from "../../../server/registry/zone/keys.ts";
import { keyGroup, mapGroup, REGISTRY } from "../../../server/registry/zone/state.ts";
import { prepareTakeover } from "../../../server/registry/zone/years.ts";
import { createMemoryStore } from "../../../server/store/memory.ts";
import { type Person, person } from "../../passport/people.ts";
import { temporaryFolder } from "../../support/store.ts";
import { replay } from "./naive.ts";
import { createWorld, DAY_MS, dataAfter, present, type World } from "./world.ts";

const PEOPLE = 7;
const YEAR_MS = 366 * DAY_MS;

describe("a zone at New Year", () => {
  let world: World;
  let zone: Zone;
  let people: readonly Person[];
  beforeEach(async () => {
    world = await createWorld({ limits: { epochOperationsMax: 2 } }); // So that all passports are four pages.
    zone = await world.open();
    people = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => person(`Y${index}`)));
    await Promise.all(people.map(({ create }) => zone.submit(create)));
    await Promise.all(people.map(({ data }) => zone.submit(data)));
  });
  afterEach(() => world.dispose());

  const headKeys = async (own: Zone): Promise<string[]> =>
    (await own.replicas(null, 100)).heads.map(({ headKey }) => headKey).sort();
  const openings = (own: Zone): Promise<string[]> =>
    Promise.all(people.map(async (one) => (await present(own, one)).opening));

  async function expectAll(own: Zone): Promise<void> {
    for (const { state } of people) expect(await world.ask(own, state.id)).to.include({ kind: "present" });
    expect(own.published().rootLeaf.count).to.equal(PEOPLE);
    expect(await replay(own)).to.include({ count: PEOPLE });
  }

  it("begins no passport again that was erased, for as long as its log is served", async () => {
    const [one] = people;
    if (!one) throw new Error("Nobody is here");
    const { state } = await present(zone, one);
    await zone.submit(await erasePassport(state, one.keys.authority));
    world.turn(4 * DAY_MS);
    await zone.tick();
    expect((await zone.find(state.id)).findings.kind).to.equal("erased");
    for (const years of [1, 2]) {
      world.turn(YEAR_MS);
      await zone.tick();
      expect((await zone.find(state.id)).findings.kind, `${years} years later`).to.equal("absent");
      const again = await zone.submit(one.create).catch((error: unknown) => error);
      expect(again).to.be.instanceOf(Problem).and.include({ code: "gone" });
    }
  });

  it("commits to everybody anew: other keys, other openings, and the same passports", async () => {
    const before = [await headKeys(zone), await openings(zone)].flat();
    const old = zone.published();
    world.turn(YEAR_MS);
    await zone.tick();
    expect(zone.published()).to.deep.include({ shard: "zz/2027", size: PEOPLE + 1 });
    expect(zone.published().rootLeaf).to.include({ epoch: 1, count: PEOPLE });
    await expectAll(zone);
    const after = [await headKeys(zone), await openings(zone)].flat();
    expect(after.filter((text) => before.includes(text))).to.deep.equal([]);
    const [one] = people;
    if (!one) throw new Error("Nobody is here");
    await zone.submit(one.rotate);
    await zone.submit(await dataAfter(zone, one));
    await expectAll(zone);
    const frozen = await readFile(join(world.folder, "registry", "zz", "2026", "checkpoint"), "utf8");
    expect(frozen.split("\n").slice(0, 3)).to.deep.equal(old.checkpoint.split("\n").slice(0, 3));
  });

  it("begins it with the first operation of the year, when no tick has", async () => {
    world.turn(YEAR_MS);
    const late = await person("Late");
    const taken = await zone.submit(late.create);
    expect([taken.published.shard, taken.standing]).to.deep.equal([
      "zz/2027",
      { state: "effective", epoch: 2, index: PEOPLE + 1 },
    ]);
    await world.ask(zone, late.state.id);
  });

  const deaths: readonly (readonly [step: EpochStep, times: number])[] = [
    ["begun", 1],
    ["begun", 3],
    ["begun", 5],
    ["staged", 1],
    ["locked", 1],
    ["tiled", 1],
    ["cosigned", 1],
  ];
  for (const [step, times] of deaths) {
    it(`answers from the old year until the new one is whole, though it dies at "${step}" number ${times}`, async () => {
      world.turn(Date.parse("2027-01-01T00:05:00Z") - world.now());
      await zone.close();
      const { promise: death, resolve } = Promise.withResolvers<void>();
      let count = 0;
      let isArmed = false;
      const mortal = await world.open({
        onStep(at) {
          if (!isArmed || at !== step || (count += 1) < times) return undefined;
          resolve();
          return new Promise(() => undefined);
        },
      });
      isArmed = true;
      void mortal.tick().catch(() => undefined);
      await death;
      expect(mortal.shard()).to.equal("zz/2026");
      for (const { state } of people)
        expect(await world.ask(mortal, state.id)).to.include({ kind: "present" });
      const again = await world.open();
      await again.tick();
      expect(again.shard()).to.equal("zz/2027");
      await expectAll(again);
    });
  }

  it("finishes it whatever the clock of the server that goes on, and takes nothing into the old year meanwhile", async () => {
    const slow = new Date(world.now());
    world.turn(Date.parse("2027-01-01T00:00:02Z") - world.now());
    await zone.close();
    const { promise: death, resolve } = Promise.withResolvers<void>();
    let count = 0;
    const mortal = await world.open({
      onStep(at) {
        if (at !== "begun" || (count += 1) < 3) return undefined;
        resolve();
        return new Promise(() => undefined);
      },
    });
    void mortal.tick().catch(() => undefined);
    await death;
    const late = await world.open({ now: () => slow });
    for (const one of people) {
      expect((await late.submit(one.rotate)).published.shard).to.equal("zz/2027");
      expect((await present(late, one)).state.head.t).to.equal("rotate");
    }
    const again = await world.open();
    await expectAll(again);
  });

  it("goes through three years, forgets the map of the last and serves its log for two years more", async () => {
    const years = async (): Promise<string[]> =>
      (await readdir(join(world.folder, "registry", "zz"))).filter((name) => /^\d{4}$/.test(name)).sort();
    const left = (group: string): Promise<number> =>
      world.store.read(
        world.pod,
        async (snapshot) => (await snapshot.page(REGISTRY, group, null, 10)).entries.length,
      );
    expect(await left(mapGroup("zz/2026"))).to.be.greaterThan(0);
    for (const year of [2027, 2028, 2029]) {
      world.turn(365 * DAY_MS + 6 * 3_600_000);
      await zone.close();
      zone = await world.open();
      await zone.tick();
      expect(zone.shard()).to.equal(`zz/${year}`);
      await expectAll(zone);
      expect([await left(mapGroup(`zz/${year - 1}`)), await left(keyGroup(`zz/${year - 1}`))]).to.deep.equal([
        0, 0,
      ]);
    }
    expect(await years()).to.deep.equal(["2027", "2028", "2029"]);
    expect(await left("leaves/zz/2026")).to.equal(0);
    expect(await left("leaves/zz/2027")).to.equal(1);
  });

  it("is taken over by an emergency operator in the same way: another log, other keys, the same passports", async () => {
    await zone.close();
    const temporary = await temporaryFolder();
    const { folder } = temporary;
    await prepareTakeover(world.store, world.pod, "zz/2026");
    const elsewhere = createMemoryStore();
    const keys = await zoneKeys(elsewhere, await elsewhere.createPod());
    const origin = "emergency.example/zz";
    const own = await world.open({ folder, keys, origin, policy: await ownPolicy(keys, origin) });
    expect(own.published()).to.deep.include({ shard: "zz/2026", size: PEOPLE + 1 });
    expect(own.published().checkpoint.split("\n")[0]).to.equal("emergency.example/zz/2026");
    expect(await replay(own)).to.deep.equal({ count: PEOPLE, epochs: 1 });
    const [one] = people;
    if (!one) throw new Error("Nobody is here");
    await own.submit(one.rotate);
    expect((await present(own, one)).state.head.t).to.equal("rotate");
    expect(await replay(own)).to.deep.equal({ count: PEOPLE, epochs: 2 });
    await temporary.remove();
  });
});
