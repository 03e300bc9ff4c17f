/** What is kept of answers within an epoch is never shown in the next, and what waits is seen at once. */
import { expect } from "chai";
import { deactivatePassport, unlockPassport } from "../../../client-lib/passport/index.ts";
import { bench, closeBenches } from "../../passport/desk.ts";
import { HOST } from "../../passport/people.ts";

describe("finding passports in a zone", () => {
  after(closeBenches);

  const found = async ({ own }: Awaited<ReturnType<typeof bench>>, id: Parameters<typeof own.find>[0]) => {
    const [zone] = own.zones;
    if (!zone) throw new Error("A registry has a zone");
    const { findings, published } = await zone.find(id);
    if (findings.kind !== "present") throw new Error("It is not there");
    return { finding: findings, published };
  };

  it("gives the same answer for as long as nothing changes, and another for each operation", async () => {
    const here = await bench();
    const ana = await here.open("ana");
    const first = await found(here, ana.id);
    expect((await found(here, ana.id)).finding).to.equal(first.finding);
    await here.registry.publish("ana", { webid: [ana.webid], storage: `${HOST}/ana-2/` });
    const second = await found(here, ana.id);
    expect(second.finding.data?.op.dseq).to.equal(2);
    expect(second.finding.commit).to.not.equal(first.finding.commit);
    expect(second.published.rootLeaf.epoch).to.be.greaterThan(first.published.rootLeaf.epoch);
  });

  it("proves a passport anew when only others have changed", async () => {
    const here = await bench();
    const ana = await here.open("ana");
    const before = await found(here, ana.id);
    await here.open("bea");
    const after = await found(here, ana.id);
    expect(after.finding.commit).to.equal(before.finding.commit);
    expect(after.finding.map).to.not.deep.equal(before.finding.map);
    expect(after.published.rootLeaf.root).to.not.equal(before.published.rootLeaf.root);
  });

  it("shows what waits at once, though it is in no epoch yet", async () => {
    const here = await bench();
    const ana = await here.open("ana");
    here.pass(31 * 24 * 3_600_000); // Locks of a young passport stay.
    const { epoch } = (await found(here, ana.id)).published.rootLeaf;
    expect((await found(here, ana.id)).finding.pending).to.equal(null);
    const signed = await unlockPassport(await here.state(ana.id), ana.keys.authority, ["port"]);
    expect((await here.registry.submit(signed)).standing.state).to.equal("pending");
    const { finding, published } = await found(here, ana.id);
    expect([finding.pending?.type, published.rootLeaf.epoch]).to.deep.equal(["unlock", epoch]);
  });

  it("answers for many from one snapshot, in their order, the absent among them", async () => {
    const here = await bench();
    const [ana, bea] = [await here.open("ana"), await here.open("bea")];
    const [zone] = here.own.zones;
    const never = (await (await bench()).open("never")).id;
    const asked = [bea.id, never, ana.id, bea.id];
    const all = await zone?.findAll(asked);
    expect(all?.findings.map(({ id }) => id)).to.deep.equal(asked);
    expect(all?.findings.map(({ kind }) => kind)).to.deep.equal(["present", "absent", "present", "present"]);
    expect(all?.published).to.equal((await found(here, ana.id)).published);
  });

  it("says that a passport was deactivated", async () => {
    const here = await bench();
    const ana = await here.open("ana");
    await found(here, ana.id);
    await here.registry.submit(await deactivatePassport(await here.state(ana.id), ana.keys.authority));
    expect((await found(here, ana.id)).finding.deactivated).to.equal(true);
  });
});
