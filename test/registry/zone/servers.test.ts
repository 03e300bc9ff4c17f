/** Several servers on one database, a store that was brought back from a copy, and witnesses that are away. */
import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatVerifierKey, parseNote, readLeaves } from "@freehold/client/registry";
import { expect } from "chai";
import { OperatorError, type Problem } from "../../../server/errors.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createSigner } from "../../../server/registry/log/signer.ts";
import { createTiles } from "../../../server/registry/log/tiles.ts";
import type { Zone } from "../../../server/registry/port.ts";
import type { AskWitnesses } from "../../../server/registry/zone/deps.ts";
import { createMemoryStore } from "../../../server/store/memory.ts";
import type { Store } from "../../../server/store/store.ts";
import { person } from "../../passport/people.ts";
import { describeOnPostgres, testPostgres } from "../../support/postgres.ts";
import { openPostgresIn, temporaryFolder } from "../../support/store.ts";
import { createWorld, dataAfter, HOUR_MS, type World } from "./world.ts";

const refusal = (work: Promise<unknown>): Promise<Problem> =>
  work.then(
    () => {
      throw new Error("It was taken");
    },
    (error: unknown) => error as Problem,
  );

/** Two connections to one database; in memory they are one. */
interface Stores {
  readonly stores: readonly [Store, Store];
  dispose(): Promise<void>;
}

function twoServers(openStores: () => Promise<Stores>): void {
  let own: Stores;
  let world: World;
  let other: Awaited<ReturnType<typeof temporaryFolder>>;
  let zones: readonly [Zone, Zone];
  before(async () => {
    own = await openStores();
    const [one, two] = own.stores;
    world = await createWorld({ store: one });
    other = await temporaryFolder();
    zones = [await world.open(), await world.open({ folder: other.folder, store: two })];
  });
  after(async () => {
    await world.dispose();
    await own.dispose();
    await other.remove();
  });

  it("write one log between them, whoever is asked", async () => {
    const people = await Promise.all(Array.from({ length: 24 }, (_, index) => person(`S${index}`)));
    await Promise.all(people.map(({ create }, index) => zones[index % 2 === 0 ? 0 : 1].submit(create)));
    await Promise.all(people.map(({ data }, index) => zones[index % 2 === 0 ? 1 : 0].submit(data)));
    for (const zone of zones)
      for (const { state } of people) expect(await world.ask(zone, state.id)).to.include({ kind: "present" });
    await Promise.all(zones.map((zone) => zone.tick()));
    const [one, two] = zones.map((zone) => zone.published());
    expect(one?.rootLeaf).to.deep.equal(two?.rootLeaf);
    expect(one?.rootLeaf.count).to.equal(24);
  });

  it("have the same tile files, each in its own folder", async () => {
    const { size } = zones[0].published();
    const leaves = await Promise.all(
      [world.folder, other.folder].map(async (folder) => {
        const { fetch } = createTiles(join(folder, "registry", "zz", "2026"));
        return Array.fromAsync(readLeaves(fetch, 0, size, size));
      }),
    );
    expect(leaves[0]).to.have.lengthOf(size);
    expect(leaves[0]).to.deep.equal(leaves[1]);
  });

  it("never say that a tree is the newest which the other has gone on from", async () => {
    const [eva, seen] = [await person("Eva"), new Set<number>()];
    const stop = zones[0].onPublished(({ size }) => void seen.add(size));
    await zones[0].find(eva.state.id);
    const { size } = await zones[1].submit(eva.create).then(({ published }) => published);
    world.turn(2 * HOUR_MS);
    await world.ask(zones[0], eva.state.id);
    stop();
    expect([...seen]).to.deep.equal([size]);
  });

  it("finish for each other what one of them could not, also when nobody asks for anything", async () => {
    const third = await temporaryFolder();
    const { promise: death, resolve } = Promise.withResolvers<void>();
    const ben = await person("Ben");
    let isArmed = false;
    const mortal = await world.open({
      folder: third.folder,
      onStep: (step) =>
        isArmed && step === "staged" ? (resolve(), new Promise(() => undefined)) : undefined,
    });
    isArmed = true;
    void mortal.submit(ben.create).catch(() => undefined);
    await death;
    const { size } = zones[0].published();
    await zones[0].tick();
    expect(zones[0].published().size, "perhaps it is still at it").to.equal(size);
    await zones[0].tick();
    expect(zones[0].published().size).to.equal(size + 2);
    expect((await zones[1].submit(ben.create)).isNew).to.equal(false);
    expect(await world.ask(zones[0], ben.state.id)).to.include({ kind: "present" });
    await third.remove();
  });
}

describe("two servers on one store", () => {
  twoServers(async () => {
    const store = createMemoryStore();
    return { stores: [store, store], dispose: async () => undefined };
  });
});

describeOnPostgres("two servers on one PostgreSQL", function () {
  this.timeout(60_000);
  twoServers(async () => {
    const temporary = await temporaryFolder();
    const url = await testPostgres().createDatabase();
    const one = await openPostgresIn(url, temporary.folder);
    const two = await openPostgresIn(url, temporary.folder);
    const dispose = async (): Promise<void> => {
      await two.close();
      await temporary.remove();
    };
    return { stores: [one, two], dispose };
  });
});

describe("a store that was brought back from a copy", () => {
  it("is not signed for again: this server is bound to a newer tree, and says what to do", async () => {
    const temporary = await temporaryFolder();
    const { folder } = temporary;
    const copy = await temporaryFolder();
    const [ana, ben] = [await person("Ana"), await person("Ben")];
    const first = await createWorld({ engine: "sqlite", folder });
    await (await first.open()).submit(ana.create);
    await first.dispose();
    await cp(folder, copy.folder, { recursive: true });
    const second = await createWorld({ engine: "sqlite", folder });
    await (await second.open()).submit(ben.create);
    await second.dispose();

    const kept = await readFile(join(folder, "registry", "zz", "lock"));
    await rm(join(copy.folder, "registry"), { recursive: true });
    await cp(join(folder, "registry"), join(copy.folder, "registry"), { recursive: true });
    const restored = await createWorld({ engine: "sqlite", folder: copy.folder });
    const zone = await restored.open();
    expect(restored.events).to.include("registry.behind-lock");
    const refused = await refusal(zone.submit(ana.data));
    expect([refused.code, refused.detail]).to.deep.include("unavailable");
    expect(refused.detail).to.match(/bound itself to 5 of .*emergency operator/);
    await zone.tick();
    expect(await readFile(join(copy.folder, "registry", "zz", "lock"))).to.deep.equal(kept);
    // What is known can still be asked for; it is as old as it is, and nobody makes it look fresh.
    expect(await restored.ask(zone, ana.state.id)).to.include({ kind: "present" });
    restored.turn(2 * HOUR_MS);
    await restored.ask(zone, ana.state.id).then(
      () => expect.fail("it was shown as fresh"),
      (error: { rule: string }) => expect(error.rule).to.equal("freshness"),
    );
    await restored.dispose();
    for (const one of [temporary, copy]) await one.remove();
  });

  it("is not begun anew where a log was: an empty store beside a lock is refused", async () => {
    const temporary = await temporaryFolder();
    const { folder } = temporary;
    const first = await createWorld({ folder });
    await first.open();
    await first.dispose();
    const second = await createWorld({ folder });
    expect(await refusal(second.open())).to.be.instanceOf(OperatorError);
    await second.dispose();
    await temporary.remove();
  });
});

describe("a zone whose witnesses are away", () => {
  let world: World;
  let isAway = true;
  let asked = 0;
  before(async () => {
    const seed = new Uint8Array(32).fill(7);
    const witness = await createSigner({
      name: "w1.example",
      type: 4,
      seed,
      now: () => new Date(world.now()),
    });
    world = await createWorld({
      policy: async (own) =>
        `${own.replace(/quorum.*\n/, "")}witness w1 ${formatVerifierKey(witness.key)} https://w1.example/\ngroup both all self w1\nquorum both\n`,
    });
    const witnesses: AskWitnesses = async ({ note, prove, size }) => {
      asked += 1;
      if (isAway) return [];
      if (size > 1) expect(await prove(1)).to.be.an("array");
      return [witness.lineAt(parseNote(note).body, Math.floor(world.now() / 1_000))];
    };
    isAway = false;
    zone = await world.open({ witnesses, limits: { ...LIMITS, integrationMsMax: 100 } });
    patient = await world.open({ witnesses, folder: join(world.folder, "patient") });
  });
  let zone: Zone;
  let patient: Zone;
  after(() => world.dispose());

  it("publishes nothing without its quorum, and says that the operation is taken", async () => {
    const ana = await person("Ana");
    const before = zone.published();
    isAway = true;
    const refused = await refusal(zone.submit(ana.create));
    expect([refused.code, refused.members["isTaken"]]).to.deep.equal(["unavailable", true]);
    expect(zone.published()).to.equal(before);
    expect((await zone.find(ana.state.id)).findings.kind).to.equal("absent");
    const late = await refusal(zone.submit((await person("Late")).create));
    expect([late.code, late.members["isTaken"]]).to.deep.equal(["unavailable", false]);
    isAway = false;
    await new Promise<void>((resolve) => {
      const stop = zone.onPublished(({ size }) => {
        if (size === before.size + 2) resolve();
        stop();
      });
    });
    expect(await world.ask(zone, ana.state.id)).to.include({ kind: "present" });
    expect((await patient.submit(ana.create)).isNew).to.equal(false);
    await patient.submit(await dataAfter(patient, ana));
    expect(asked).to.be.greaterThan(3);
  });

  it("answers with what was published, also after a start without witnesses", async () => {
    const ben = await person("Ben");
    isAway = true;
    await refusal(zone.submit(ben.create));
    await zone.close();
    await patient.close();
    const again = await world.open({ witnesses: async () => [] });
    expect((await again.find(ben.state.id)).findings.kind).to.equal("absent");
    expect(again.published().rootLeaf.count).to.equal(1);
  });
});
