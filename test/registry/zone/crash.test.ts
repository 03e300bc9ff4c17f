/**
 * A zone that dies between any two steps of an epoch: the next start goes on with the same stage, signs the same
 * checkpoint and no other, and nothing that was acknowledged is lost.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseCheckpoint, parseNote, rootOfTiles } from "@freehold/client/registry";
import { expect } from "chai";
import { createTiles } from "../../../server/registry/log/tiles.ts";
import type { Zone } from "../../../server/registry/port.ts";
import type { EpochStep } from "../../../server/registry/zone/deps.ts";
import { decodeStage } from "../../../server/registry/zone/stage.ts";
import { REGISTRY } from "../../../server/registry/zone/state.ts";
import { type Person, person } from "../../passport/people.ts";
import { createWorld, dataAfter, present, type World } from "./world.ts";

const never = new Promise<void>(() => undefined);

/** Opens a zone that stops for ever at a step of its next epoch, as if the process had died there. */
async function openMortal(world: World, at: EpochStep): Promise<{ zone: Zone; death: Promise<void> }> {
  const { promise: death, resolve } = Promise.withResolvers<void>();
  let isArmed = false;
  const zone = await world.open({
    onStep(step) {
      if (!isArmed || step !== at) return undefined;
      resolve();
      return never;
    },
  });
  isArmed = true;
  return { zone, death };
}

const stagedBody = (world: World): Promise<string | null> =>
  world.store.read(world.pod, async (snapshot) => {
    const entry = await snapshot.get(REGISTRY, "epoch", "staged");
    return entry && decodeStage(entry).body;
  });

/** The tile files give the root that the checkpoint names. */
async function expectTiles(world: World, zone: Zone): Promise<void> {
  const { body } = parseNote(zone.published().checkpoint);
  const folder = join(world.folder, "registry", "zz", "2026");
  const tiles = createTiles(folder);
  const { size, root } = parseCheckpoint(body);
  const served = await readFile(join(folder, "checkpoint"), "utf8");
  expect(parseNote(served).body, "the file that web servers serve").to.equal(body);
  expect(await rootOfTiles(tiles.fetch, size)).to.deep.equal(root);
}

describe("a zone that dies", () => {
  let world: World;
  let ana: Person;
  let ben: Person;
  beforeEach(async () => {
    world = await createWorld();
    [ana, ben] = [await person("Ana"), await person("Ben")];
    const zone = await world.open();
    await zone.submit(ana.create);
    await zone.submit(ana.data);
    await zone.close();
  });
  afterEach(() => world.dispose());

  const cases: readonly (readonly [step: EpochStep, isTaken: boolean])[] = [
    ["begun", false],
    ["staged", true],
    ["locked", true],
    ["tiled", true],
    ["cosigned", true],
    ["published", true],
  ];
  for (const [step, isTaken] of cases) {
    it(`at the step "${step}" of an epoch ${isTaken ? "finishes it at the next start" : "has taken nothing of it"}`, async () => {
      const { zone: mortal, death } = await openMortal(world, step);
      const before = mortal.published();
      void mortal.submit(ben.create).catch(() => undefined);
      void mortal.submit(ana.rotate).catch(() => undefined);
      await death;
      const staged = await stagedBody(world);
      const zone = await world.open();
      const { checkpoint, size } = zone.published();
      expect(size).to.equal(before.size + (isTaken ? 3 : 0));
      if (staged !== null) expect(parseNote(checkpoint).body).to.equal(staged);
      expect(await stagedBody(world)).to.equal(null);
      expect(await world.ask(zone, ben.state.id)).to.include({ kind: isTaken ? "present" : "absent" });
      expect((await present(zone, ana)).state.head.t).to.equal(isTaken ? "rotate" : "create");
      await expectTiles(world, zone);
      expect((await zone.submit(ben.create)).isNew).to.equal(!isTaken);
      expect((await zone.submit(ana.rotate)).isNew).to.equal(!isTaken);
      await world.ask(zone, ana.state.id);
      await expectTiles(world, zone);
    });
  }

  it("again while it finishes what was left, still finishes the same", async () => {
    const first = await openMortal(world, "staged");
    void first.zone.submit(ben.create).catch(() => undefined);
    await first.death;
    const staged = await stagedBody(world);
    for (const step of ["locked", "tiled", "cosigned"] as const) {
      const { promise: death, resolve } = Promise.withResolvers<void>();
      void world.open({ onStep: (at) => (at === step ? (resolve(), never) : undefined) });
      await death;
    }
    const zone = await world.open();
    expect(parseNote(zone.published().checkpoint).body).to.equal(staged);
    expect(await world.ask(zone, ben.state.id)).to.include({ kind: "present" });
  });

  it("in its first epoch, begins all the same", async () => {
    for (const step of ["begun", "staged", "locked", "tiled", "cosigned"] as const) {
      const fresh = await createWorld();
      const { promise: death, resolve } = Promise.withResolvers<void>();
      void fresh.open({ onStep: (at) => (at === step ? (resolve(), never) : undefined) });
      await death;
      const zone = await fresh.open();
      expect(zone.published().size).to.equal(1);
      await zone.submit(ben.create);
      expect(await fresh.ask(zone, ben.state.id)).to.include({ kind: "present" });
      await fresh.dispose();
    }
  });

  it("and loses its tile files, makes them again from the store", async () => {
    await rm(join(world.folder, "registry", "zz", "2026"), { recursive: true });
    const zone = await world.open();
    await expectTiles(world, zone);
    await zone.submit(ben.create);
    await expectTiles(world, zone);
  });

  it("and loses its whole folder, goes on from the store", async () => {
    await rm(join(world.folder, "registry"), { recursive: true });
    const zone = await world.open();
    await zone.submit(ben.create);
    await expectTiles(world, zone);
    expect(await world.ask(zone, ben.state.id)).to.include({ kind: "present" });
  });

  it("keeps what waited for its turn out of what it has taken: nobody was told that it was", async () => {
    const { zone: mortal, death } = await openMortal(world, "tiled");
    const answers: string[] = [];
    void mortal.submit(ana.rotate).then(() => answers.push("rotate"));
    await death;
    void mortal.submit(ben.create).then(() => answers.push("create"));
    const zone = await world.open();
    expect(answers).to.deep.equal([]);
    expect(await world.ask(zone, ben.state.id)).to.include({ kind: "absent" });
    await zone.submit(await dataAfter(zone, ana));
  });
});
