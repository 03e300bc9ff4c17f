import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import {
  asking,
  byOwner,
  createWorld,
  draft,
  give,
  look,
  SHOP,
  SHOP_APP,
  shop,
  stateOf,
  type World,
} from "./grant-fixture.ts";

const NOTES = "/ana/notes/a.ttl";

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return "given";
}

const say = ({ listed }: World, status: "active" | "suspended" | "delisted", name = SHOP): void =>
  void listed.set(name, {
    name: "Shop AG",
    status,
    says: status === "active" ? null : "Sold what it was lent",
    purposes: [],
  });

describe("what the registry says of vendors", () => {
  const use = ({ grants, pod }: World, id: string, agent = shop()) =>
    refusal(grants.use(pod, asking(NOTES, agent), [id], look(NOTES)));

  /** What owners are told, as it would stand in their inboxes. */
  function enforcing(world: World) {
    const summaries: string[] = [];
    const run = () =>
      world.grants.enforceVendors({
        enlist: async () => {},
        commit: (_pod, work) =>
          world.write((transaction) =>
            work(transaction, async ({ summary }) => void summaries.push(summary)),
          ),
      });
    return { summaries, run };
  }

  it("stops every use of a delisted vendor's grants at once, before anything else has run", async () => {
    const world = await createWorld();
    const grant = await give(world);
    expect(await use(world, grant.id)).to.equal("given");
    say(world, "delisted");
    expect(await use(world, grant.id)).to.equal("vendor-delisted");
    expect(await stateOf(world, grant.id)).to.equal("Active");
    say(world, "active");
    expect(await use(world, grant.id)).to.equal("given");
  });

  it("knows a vendor by its application, too", async () => {
    const world = await createWorld();
    const grant = await give(world);
    say(world, "delisted", SHOP_APP);
    expect(await use(world, grant.id)).to.equal("vendor-delisted");
    expect(await use(world, grant.id, shop({ client: null }))).not.to.equal("vendor-delisted");
  });

  it("makes a delisted vendor's grants rest, tells the owner once, and lets them go on when it is reinstated", async () => {
    const world = await createWorld();
    const [given, resting] = [await give(world), await give(world)];
    await world.write((transaction) => world.grants.pause(transaction, world.pod, resting.id, byOwner));
    const { run, summaries } = enforcing(world);
    expect(await run()).to.equal(0);
    say(world, "delisted");
    expect([await run(), await run()]).to.deep.equal([1, 0]);
    expect(await stateOf(world, given.id)).to.equal("Paused");
    say(world, "active");
    expect([await run(), await run()]).to.deep.equal([1, 0]);
    expect(await stateOf(world, given.id)).to.equal("Active");
    expect(await stateOf(world, resting.id)).to.equal("Paused"); // Its owner wanted that.
    expect(summaries).to.deep.equal([
      "The registry has delisted Shop AG (Sold what it was lent): what you gave it rests.",
      "The registry has reinstated Shop AG: what you gave it goes on.",
    ]);
  });

  it("lets nobody resume what rests for that, nor give anything new; and who lets it rest by hand is heeded", async () => {
    const world = await createWorld();
    const { id } = await give(world);
    say(world, "delisted");
    const { run } = enforcing(world);
    await run();
    const resume = () =>
      refusal(world.write((transaction) => world.grants.resume(transaction, world.pod, id, byOwner)));
    expect(await resume()).to.equal("vendor-delisted");
    expect(await refusal(give(world))).to.equal("vendor-delisted");
    await world.write((transaction) => world.grants.pause(transaction, world.pod, id, byOwner));
    say(world, "active");
    expect(await run()).to.equal(0);
    expect(await stateOf(world, id)).to.equal("Paused");
    expect(await resume()).to.equal("given");
  });

  it("gives a suspended vendor nothing new, and leaves it what it has", async () => {
    const world = await createWorld();
    const { id } = await give(world);
    say(world, "suspended");
    expect(await refusal(give(world, draft()))).to.equal("vendor-delisted");
    expect(await enforcing(world).run()).to.equal(0);
    expect(await use(world, id)).to.equal("given");
  });

  it("revokes what is revoked, whatever the registry says", async () => {
    const world = await createWorld();
    const { id } = await give(world);
    say(world, "delisted");
    await enforcing(world).run();
    await world.write((transaction) => world.grants.revoke(transaction, world.pod, id, byOwner));
    say(world, "active");
    expect(await enforcing(world).run()).to.equal(0);
    expect(await stateOf(world, id)).to.equal("Revoked");
  });
});
