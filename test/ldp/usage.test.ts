/** The counter of a pod is the sum over what it stores, whatever happens to it, and never over its quota. */
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { measureKept } from "../../server/ldp/quota.ts";
import { ENGINES, openTestStore } from "../support/store.ts";
import { DAY, openWorld, type World } from "./kept.ts";

/** The same numbers in every run. */
function createChance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const EXPECTED: ReadonlySet<string> = new Set([
  "quota-exceeded",
  "write-conflict",
  "conflict",
  "not-found",
  "container-not-empty",
]);

async function step(world: World, chance: (below: number) => number): Promise<string> {
  const pod = await world.pod();
  const folder = `/ana/f${chance(3)}/`;
  const path = `${folder}d${chance(8)}`;
  const content = new Uint8Array(chance(12) === 0 ? 2_500 : chance(900)).fill(chance(256));
  const pick = async (): Promise<string> => {
    const { items } = await world.keeping.trash(pod, 100);
    return items[chance(Math.max(1, items.length))]?.id ?? "0-none";
  };
  switch (chance(14)) {
    case 0:
    case 1:
    case 2:
      await world.put(path, content);
      return "put";
    case 3:
      await world.put(path, content, { reclaims: true, asFile: true });
      return "file";
    case 4:
      await world.put(path, content, { reclaims: false });
      return "put by another";
    case 5:
      await world.aux(`${path}.meta`, "x".repeat(chance(300)));
      return "description";
    case 6:
      await world.aux(`${chance(2) ? path : folder}.acl`, "# ".repeat(chance(200)));
      return "access list";
    case 7:
      await world.remove(`${path}.acl`);
      return "no access list";
    case 8:
    case 9:
      await world.remove(chance(6) ? path : folder);
      return "remove";
    case 10:
      await world.keeping.restore(pod, await pick(), chance(2) === 0, "owner");
      return "restore";
    case 11:
      await world.keeping.purge(pod, await pick(), "owner");
      return "purge";
    case 12:
      for (let name = 0; name < 8; name++) {
        const versions = await world.keeping.versions(pod, `${folder}d${name}`).catch(() => []);
        const version = versions[chance(versions.length)];
        if (!version) continue;
        await world.keeping.restoreVersion(pod, `${folder}d${name}`, version.number, "owner");
        return "earlier";
      }
      return "nothing earlier";
    default:
      if (chance(8) > 0) {
        world.later(chance(3) * DAY);
        await world.sweep();
        return "sweep";
      }
      if (chance(2)) await world.keeping.removeForGood(pod, path, "owner");
      else await world.keeping.empty(pod, "owner");
      return "for good";
  }
}

for (const engine of ENGINES) {
  describe(`The usage of a pod (${engine})`, () => {
    const quota = { bytes: 9_000, resources: 22 };

    for (const seed of [1, 2, 3]) {
      it(`is the sum over what is stored after a thousand operations at once, refused ones included (${seed})`, async function () {
        this.timeout(120_000);
        const test = await openTestStore(engine);
        const world = await openWorld(test.store, quota, { versionsMax: 4 });
        const chance = createChance(seed);
        const done = new Map<string, number>();
        const refused = new Map<string, number>();
        for (let round = 0; round < 100; round++) {
          await Promise.all(
            Array.from({ length: 10 }, async () => {
              try {
                const what = await step(world, chance);
                done.set(what, (done.get(what) ?? 0) + 1);
              } catch (error) {
                if (!(error instanceof Problem) || !EXPECTED.has(error.code)) throw error;
                refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
              }
            }),
          );
          const counted = await world.counted();
          expect(counted.bytes).to.be.at.most(quota.bytes);
          expect(counted.resources).to.be.at.most(quota.resources);
          if (round % 10 === 9) expect(counted).to.deep.equal(await world.measured());
        }
        for (const what of ["put", "file", "restore", "purge", "earlier", "sweep", "for good"])
          expect(done.get(what) ?? 0, what).to.be.above(0);
        expect(refused.get("quota-exceeded") ?? 0).to.be.above(0);
        // The sums that the records keep agree with what is there, too.
        const pod = await world.pod();
        const kept = await test.store.read(pod.id, measureKept);
        const { bytes } = await world.measured();
        await world.keeping.empty(pod, "owner");
        expect((await world.counted()).bytes).to.equal(bytes - kept.trash);
        world.later(40 * DAY);
        await world.sweep();
        expect((await world.counted()).bytes).to.equal(bytes - kept.trash - kept.versions);
        expect(await world.counted()).to.deep.equal(await world.measured());
        await test.dispose();
      });
    }

    it("is counted once in a store from before there were quotas", async () => {
      const test = await openTestStore(engine);
      const world = await openWorld(test.store, quota);
      const pod = await world.pod();
      await world.put("/ana/a", "12345");
      const right = await world.counted();
      await test.store.write(pod.id, async (transaction) =>
        transaction.use({ bytes: -right.bytes, resources: -right.resources }, quota),
      );
      expect(await world.quota.countOnce(await world.pods.list())).to.equal(1);
      expect(await world.counted()).to.deep.equal(right);
      expect(await world.quota.countOnce(await world.pods.list())).to.equal(0);
      await test.dispose();
    });

    it("is mended by a recount", async () => {
      const test = await openTestStore(engine);
      const world = await openWorld(test.store, quota);
      const pod = await world.pod();
      await world.put("/ana/a", "12345");
      const right = await world.counted();
      await test.store.write(pod.id, async (transaction) =>
        transaction.use({ bytes: 100, resources: -1 }, { bytes: 1e9, resources: 1e9 }),
      );
      expect(await world.quota.recount(pod)).to.deep.equal({
        before: { bytes: right.bytes + 100, resources: right.resources - 1 },
        after: right,
      });
      expect(await world.counted()).to.deep.equal(right);
      await test.dispose();
    });
  });
}
