/** A zone that shows two people two logs: found by the pins of others, and kept with both signatures. And audits from outside. */
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  encodeLeaf,
  governanceHash,
  type RootRecord,
  tilePath,
  verifyCheckpoint,
} from "@freehold/client/registry";
import { expect } from "chai";
import { audit, type ZoneAudit } from "../../../server/registry/audit/audit.ts";
import { replay } from "../../../server/registry/audit/replay.ts";
import { createTiles } from "../../../server/registry/log/tiles.ts";
import { appendLeaves, EMPTY_TREE, rootOf } from "../../../server/registry/log/tree.ts";
import { updateMap } from "../../../server/registry/map/map.ts";
import type { Evidence, PinRecord } from "../../../server/registry/pins/pins.ts";
import { temporaryFolder } from "../../support/store.ts";
import { createFederation, type FederationWorld, HOUR_MS, type Name } from "./world.ts";

async function auditAll(
  world: FederationWorld,
  some: { folder?: string | null; record?: RootRecord; only?: readonly string[] } = {},
): Promise<ZoneAudit[]> {
  const found: ZoneAudit[] = [];
  const deps = {
    fetch,
    record: some.record ?? world.trust(),
    now: () => new Date(world.now()),
    folder: some.folder ?? null,
  };
  for await (const one of audit(deps, some.only ?? [])) found.push(one);
  return found;
}

describe("pins across zones", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  before(async () => {
    world = await createFederation(["ch", "za", "nz"]);
  });
  after(() => world.dispose());

  const pinsOf = async (zone: Name): Promise<readonly PinRecord[]> =>
    (await world.get(`${world.zones[zone].baseUrl}v1/pins`)).body as unknown as PinRecord[];
  const evidenceOf = async (zone: Name): Promise<readonly Evidence[]> =>
    (await world.get(`${world.zones[zone].baseUrl}v1/evidence`)).body as unknown as Evidence[];

  it("are made hourly of every other log, and their hashes stand in one's own", async () => {
    await world.tick();
    const first = await pinsOf("za");
    expect(first.map(({ pin }) => pin.zone).sort()).to.deep.equal(["ch", "nz", "root"]);
    for (const { pin, index } of first) {
      const leaves = [];
      for await (const leaf of world.zones.za.zone.leaves(index, index + 1)) leaves.push(leaf);
      expect(leaves).to.deep.equal([{ kind: "governance", hash: await governanceHash(pin) }]);
    }
    world.turn(HOUR_MS / 2);
    await world.tick();
    expect((await pinsOf("za")).map(({ index }) => index)).to.deep.equal(first.map(({ index }) => index));
    world.turn(HOUR_MS);
    await world.tick();
    const later = await pinsOf("za");
    expect(later.every(({ pin }) => Date.parse(pin.at) === world.now())).to.equal(true);
    expect(await evidenceOf("za")).to.deep.equal([]);
  });

  it("agree with an audit, which replays every log and passes through all of them", async () => {
    for (const _ of [1, 2, 3]) await world.open("ch");
    const folder = join(world.folder, "auditor");
    const found = await auditAll(world, { folder });
    expect(found.map(({ zone, faults }) => [zone, faults])).to.deep.equal([
      ["ch", []],
      ["nz", []],
      ["za", []],
      ["root", []],
    ]);
    const [ch] = found;
    expect(ch?.heldAgainst).to.include("zone za");
    expect(ch?.replay?.count).to.equal(3);
    expect(ch?.replay?.epochs).to.be.greaterThan(3);
    const kept = await readFile(join(folder, "audit", `${ch?.shard?.replace("/", "-")}.json`), "utf8");
    expect(kept).to.contain('"size"');
    await world.open("ch");
    expect((await auditAll(world, { folder, only: ["ch"] }))[0]?.heldAgainst).to.include("the last audit");
  });

  it("show that a zone has two logs, to whoever saw both and to whoever hears of the other; both signatures are kept", async () => {
    const zone = world.trust().zones["ch"];
    if (!zone) return expect.fail("no zone");
    world.turn(2 * HOUR_MS);
    await world.tick();
    const fork = await world.fork("ch");
    const folder = fork.config.folder;
    for (const _ of [1, 2]) await fork.zone.govern(new Uint8Array(32));
    await fork.close();
    await world.open("ch");
    world.turn(2 * HOUR_MS);
    await world.zones.ch.tick();
    await world.zones.za.tick(); // It sees one of the two …
    await world.stop("ch");
    await world.start("ch", folder);
    world.turn(HOUR_MS / 2);
    await world.zones.ch.tick();
    expect(await evidenceOf("za")).to.deep.equal([]);
    world.turn(2 * HOUR_MS);
    await world.zones.ch.tick();
    await world.zones.nz.tick(); // … and nz sees the other, and then what za saw.
    await world.zones.za.tick();

    const [heard] = await evidenceOf("nz");
    expect([heard?.zone, heard?.by]).to.deep.equal(["ch", "za"]);
    const [saw] = await evidenceOf("za");
    expect([saw?.zone, saw?.by]).to.deep.equal(["ch", "za"]);
    for (const { checkpoints, shard } of [heard, saw].filter((one) => one !== undefined)) {
      expect(new Set(checkpoints).size).to.equal(2);
      for (const text of checkpoints) await verifyCheckpoint(text, shard, zone, { now: world.now() }); // Signed, both.
    }
    expect(world.events).to.contain("registry.split-view");
    // An auditor who is shown the second log sees that za was shown the first.
    const [found] = await auditAll(world, { only: ["ch"] });
    expect(found?.faults.map(({ by, what }) => [by, what])).to.deep.include([
      "zone za",
      "The log was another one",
    ]);
    return undefined;
  });
});

describe("an audit", function () {
  this.timeout(30_000);
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let folder = "";
  before(async () => {
    temporary = await temporaryFolder();
    ({ folder } = temporary);
  });
  after(() => temporary.remove());

  const key = (n: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(n);

  async function rootLeafOf(keys: readonly number[], epoch: number): Promise<Uint8Array> {
    const { root, count } = await updateMap(
      async () => null,
      () => {},
      keys.map((n) => ({ key: key(n), commit: key(n + 100) })),
    );
    return encodeLeaf({ kind: "root", epoch, count, root: new Uint8Array(Buffer.from(root, "base64url")) });
  }
  const set = (n: number): Uint8Array => encodeLeaf({ kind: "set", headKey: key(n), commit: key(n + 100) });
  const remove_ = (n: number): Uint8Array => encodeLeaf({ kind: "delete", headKey: key(n) });

  let logs = 0;
  async function replayed(leaves: readonly Uint8Array[], some: Partial<Parameters<typeof replay>[0]> = {}) {
    const tiles = createTiles(join(folder, `log-${++logs}`));
    await tiles.append(0, leaves);
    return replay({ fetchTile: tiles.fetch, size: leaves.length, ...some });
  }
  const whats = async (leaves: readonly Uint8Array[], some: Partial<Parameters<typeof replay>[0]> = {}) =>
    (await replayed(leaves, some)).faults.map(({ at, what }) => `${at}: ${what}`);

  const sound = async (): Promise<Uint8Array[]> => [
    await rootLeafOf([], 1),
    set(1),
    set(2),
    await rootLeafOf([1, 2], 2),
    encodeLeaf({ kind: "governance", hash: key(9) }),
    await rootLeafOf([1, 2], 3),
    remove_(1),
    set(3),
    await rootLeafOf([2, 3], 4),
  ];

  it("finds nothing wrong with a log whose every map follows from what it says", async () => {
    const { faults, count, epochs, leaves } = await replayed(await sound());
    expect(faults).to.deep.equal([]);
    expect([count, epochs, leaves]).to.deep.equal([2, 4, { set: 3, delete: 1, root: 4, governance: 1 }]);
  });

  it("finds a root of the map that was tampered with, wherever it is", async () => {
    const honest = await sound();
    for (const [at, leaf] of [
      [3, await rootLeafOf([1], 2)],
      [5, await rootLeafOf([1, 2, 3], 3)],
      [8, await rootLeafOf([2], 4)],
    ] as const) {
      const found = await whats(honest.with(at, leaf));
      expect(
        found.some((one) => one.startsWith(`${at}: The root of the map`)),
        found.join(),
      ).to.equal(true);
    }
  });

  it("finds a count that is wrong, an epoch that is left out, and one that comes twice", async () => {
    const honest = await sound();
    const miscounted = encodeLeaf({ kind: "root", epoch: 1, count: 7, root: new Uint8Array(32) });
    expect(await whats(honest.with(0, miscounted))).to.deep.equal(["0: Epoch 1 counts 7 keys of 0"]);
    expect(await whats(honest.with(5, await rootLeafOf([1, 2], 9)))).to.include("5: Epoch 9 follows 2");
    expect(await whats(honest.with(5, await rootLeafOf([1, 2], 2)))).to.include("5: Epoch 2 follows 2");
  });

  it("finds a change that no root of a map stands for, and an entry that is none", async () => {
    const honest = await sound();
    expect(await whats([...honest, set(7)])).to.deep.equal([
      "9: The log does not end with the root of the map",
    ]);
    const found = await whats(honest.with(4, new Uint8Array([4, 1, 2])));
    expect(found).to.deep.equal(["4: The entry is no leaf of a registry's log"]);
  });

  it("finds that somebody was shown another tree, or a longer one", async () => {
    const honest = await sound();
    const other = rootOf(appendLeaves(EMPTY_TREE, [honest[0] as Uint8Array, set(5)]));
    const root = new Uint8Array(other);
    const shown = await replayed(honest, { waypoints: [{ size: 2, root, by: "zone za" }] });
    expect(shown.faults).to.deep.equal([{ at: 2, what: "The log was another one", by: "zone za" }]);
    const longer = await replayed(honest, { waypoints: [{ size: 20, root, by: "zone za" }] });
    expect(longer.faults.map(({ what }) => what)).to.deep.equal(["The log was longer than it is now"]);
  });

  it("of a log with a missing or damaged entry says that it cannot be read", async () => {
    const honest = await sound();
    const tiles = createTiles(join(folder, `log-${++logs}`));
    await tiles.append(0, honest);
    const path = join(tiles.folder, tilePath("entries", 0, honest.length));
    await appendFile(path, "x");
    const damaged = await replay({ fetchTile: tiles.fetch, size: honest.length }).catch(
      (error: Error) => error.message,
    );
    expect(damaged).to.match(/ends in the middle/);
    await writeFile(path, "");
    const empty = await replay({ fetchTile: tiles.fetch, size: honest.length }).catch(
      (error: Error) => error.message,
    );
    expect(empty).to.match(/tile/);
  });

  it("of a served log refuses a checkpoint that its key or its witnesses have not signed", async () => {
    const world = await createFederation();
    try {
      await world.open("ch");
      const { ch } = world.trust().zones;
      if (!ch) return expect.fail("no zone");
      const record = {
        ...world.trust(),
        zones: { ch: { ...ch, log: { ...ch.log, key: world.trust().zones["za"]?.log.key ?? "" } } },
      };
      const [found] = await auditAll(world, { record, only: ["ch"] });
      expect(found?.replay).to.equal(null);
      expect(found?.faults[0]?.what).to.match(/log-signature/);
    } finally {
      await world.dispose();
    }
    return undefined;
  });
});
