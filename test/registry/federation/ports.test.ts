/** Passports that leave one zone for another, at real servers: the owner's doing, with five days in which it can be ended; long, for there are many ways. */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import {
  type Bundle,
  deactivatePassport,
  encodeBase64url,
  erasePassport,
  hashOfOperation,
  makeData,
  type PassportError,
  portedKeyOf,
  portPassport,
  recoverPassport,
  rotatePassport,
  type Signed,
  signOperation,
  sponsorOperation,
  stateAfter,
  unlockPassport,
  verifyPorted,
  vetoPassport,
} from "@freehold/client/registry";
import { expect } from "chai";
import { key } from "../../passport/people.ts";
import {
  createFederation,
  DAY_MS,
  type FederationWorld,
  HOUR_MS,
  type Leaving,
  type Owner,
} from "./world.ts";

describe("a port between zones", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  before(async () => {
    world = await createFederation();
  });
  after(() => world.dispose());

  const left: Owner[] = [];
  const submit = (zone: "ch" | "za", signed: object) => world.zones[zone].zone.submit(signed);

  const portOf = ({ state, owner }: Leaving) => portPassport(state, owner.keys.authority, "za");
  const sponsored = async (port: Signed): Promise<Signed> =>
    sponsorOperation(port, "za", world.zones.za.keys.zone);
  const toRoot = (operations: readonly Signed[], bundle: unknown) =>
    world.post(`${world.root.baseUrl}v1/ports`, { operations, bundle });
  const standing = async (port: Signed): Promise<unknown> => {
    const { body } = await world.get(`${world.root.baseUrl}v1/ports/${await hashOfOperation(port.op)}`);
    return (body["standing"] as { readonly state?: unknown } | undefined)?.state ?? body["type"];
  };
  const kindIn = async (zone: "ch" | "za", { id }: Owner): Promise<string> =>
    (await world.zones[zone].zone.find(id)).findings.kind;
  const wherePerIndex = async ({ id }: Owner): Promise<string> => {
    const key = encodeBase64url(await portedKeyOf(id));
    const { body } = await world.get(`${world.root.baseUrl}v1/ported/${key}`);
    return verifyPorted(body, id, world.trust(), { now: world.now(), maxAgeSeconds: 3_600 });
  };

  it("is sponsored by the gaining zone, noted in the losing one, and ordered after five days", async () => {
    const some = await world.unlocked();
    const { owner, state } = some;
    const url = "https://pods.example.org/ana/";
    const data = makeData({
      id: owner.id,
      aseq: state.head.seq,
      dseq: 1,
      webid: [`${url}#me`],
      storage: [{ id: "#pod", url }],
    });
    await submit("ch", await signOperation(data, state.head.auth, owner.keys.authority));
    const { bundle } = await world.ask("ch", owner.id);
    const port = await portOf(some);
    const { status, body } = await world.post(`${world.zones.za.baseUrl}v1/ports`, {
      operations: [port],
      bundle,
    });
    expect([status, body["from"], body["to"]], JSON.stringify(body)).to.deep.equal([202, "ch", "za"]);
    expect(Number(body["effectiveAt"]) - world.now()).to.equal(5 * DAY_MS);
    await world.tick();
    const noted = await world.zones.ch.zone.find(owner.id);
    expect(noted.findings.kind === "present" && noted.findings.pending?.type).to.equal("port");
    expect(await wherePerIndex(owner)).to.equal("ch");

    world.turn(5 * DAY_MS - HOUR_MS);
    await world.tick();
    expect(await standing(port)).to.equal("waiting");
    world.turn(2 * HOUR_MS);
    await world.tick();
    expect(await standing(port)).to.equal("ordered");
    expect([await kindIn("ch", owner), await kindIn("za", owner)]).to.deep.equal(["ported", "present"]);
    expect(await wherePerIndex(owner)).to.equal("za");

    const { answer } = await world.ask("za", owner.id);
    if (answer.kind !== "present") return expect.fail("it has not arrived");
    expect(answer.passport.data?.storage[0]?.url).to.equal(url);
    const at = await fetch(`${world.zones.ch.baseUrl}v1/passports/${owner.id}`, { redirect: "manual" });
    expect([at.status, at.headers.get("location")]).to.deep.equal([
      307,
      `${world.zones.za.baseUrl}v1/passports/${owner.id}`,
    ]);
    left.push(owner);
    // It lives on there: the next operation is taken by the zone that it is in, and by no other.
    const rest = await deactivatePassport(answer.passport.state, owner.keys.authority);
    await submit("ch", rest).then(
      () => expect.fail("the old zone took it"),
      () => undefined,
    );
    await submit("za", rest);
    expect((await world.state("za", owner.id)).deactivated).to.equal(true);
    return undefined;
  });

  it("stands in the root's index in the next year, too, and a proof of last year's log does not do then", async () => {
    const [owner] = left;
    if (!owner) return expect.fail("nobody has left");
    const key = encodeBase64url(await portedKeyOf(owner.id));
    const { body: before } = await world.get(`${world.root.baseUrl}v1/ported/${key}`);
    const year = new Date(world.now()).getUTCFullYear();
    world.turn(Date.UTC(year + 1, 0, 3) - world.now());
    await world.tick();
    const { body: after } = await world.get(`${world.root.baseUrl}v1/ported/${key}`);
    expect((after["proof"] as { shard: string }).shard).to.equal(`root/${year + 1}`);
    expect(await wherePerIndex(owner)).to.equal("za");
    const old = await verifyPorted(before, owner.id, world.trust(), { now: world.now() }).catch(
      (error: PassportError) => error.rule,
    );
    expect(old).to.equal("freshness");
    const stranger = await world.open("ch");
    expect(await wherePerIndex(stranger)).to.equal("ch");
    const forged = await verifyPorted({ ...after, zone: "ch" }, owner.id, world.trust(), {
      now: world.now(),
    }).catch((error: PassportError) => error.rule);
    expect(forged).to.equal("map-root");
    const hidden = await verifyPorted({ ...after, zone: null }, owner.id, world.trust(), {
      now: world.now(),
    }).catch((error: PassportError) => error.rule);
    expect(hidden).to.be.oneOf(["map-path", "map-root"]);
    const text = await (await fetch(`${world.root.baseUrl}v1/ported?after=0`)).text();
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).to.deep.include({ number: 1, headKey: key, zone: "za" });
    expect(text).to.not.contain(owner.id);
    return undefined;
  });

  it("is told anew by the index when only its witnesses have signed anew: what is kept of it would grow old", async () => {
    const [owner] = left;
    if (!owner) return expect.fail("nobody has left");
    const url = `${world.root.baseUrl}v1/ported/${encodeBase64url(await portedKeyOf(owner.id))}`;
    const first = await fetch(url);
    const headers = { "if-none-match": first.headers.get("etag") ?? "" };
    expect((await fetch(url, { headers })).status).to.equal(304);
    world.turn(DAY_MS);
    await world.tick();
    const again = await fetch(url, { headers });
    expect(again.status).to.equal(200);
    const answer = { now: world.now(), maxAgeSeconds: 3_600 };
    expect(await verifyPorted(await again.json(), owner.id, world.trust(), answer)).to.equal("za");
    return undefined;
  });

  it("leaves nothing personal at the root once the gaining zone has fetched it", async () => {
    const { root } = world.root;
    await world.tick();
    const text = await root.ledger.read(async (snapshot) => {
      let all = "";
      for await (const entry of snapshot.list("registry", "port")) all += Buffer.from(entry.value).toString();
      return all;
    });
    expect(text).to.contain('"ordered"');
    expect(text).to.not.contain("pods.example.org");
  });

  it("without the gaining zone's sponsorship is refused", async () => {
    const some = await world.unlocked();
    const port = await portOf(some);
    const bare = await toRoot([port], some.bundle);
    expect([bare.status, bare.body["rule"]]).to.deep.equal([422, "sponsored"]);
    const byStranger = await sponsorOperation(port, "za", await key("a stranger"));
    const forged = await toRoot([byStranger], some.bundle);
    expect([forged.status, forged.body["rule"]]).to.deep.equal([422, "sponsored"]);
    const byLosing = await sponsorOperation(port, "ch", world.zones.ch.keys.zone);
    const wrong = await toRoot([byLosing], some.bundle);
    expect([wrong.status, wrong.body["rule"]]).to.deep.equal([422, "sponsored"]);
    expect(await standing(port)).to.contain("not-found");
  });

  it("with the lock on is refused, whatever is claimed of the inbox", async () => {
    const owner = await world.open("ch");
    const { bundle } = await world.ask("ch", owner.id);
    const state = await world.state("ch", owner.id);
    const port = await sponsored(await portPassport(state, owner.keys.authority, "za"));
    const { status, body } = await toRoot([port], bundle);
    expect([status, body["rule"]]).to.deep.equal([422, "locked"]);
    const unlock = await unlockPassport(state, owner.keys.authority, ["port"]);
    const after = await sponsored(
      await portPassport(await stateAfter(state, unlock.op), owner.keys.authority, "za"),
    );
    const both = await toRoot([unlock, after], bundle);
    expect([both.status, both.body["rule"]]).to.deep.equal([422, "locked"]);
  });

  it("by somebody who is not the owner, or to no zone, or with a bundle that proves nothing, is refused", async () => {
    const some = await world.unlocked();
    const { state, bundle, owner } = some;
    const thief = await key("a thief");
    const port = await sponsored(await portOf(some));
    const stolen = await sponsored(await signOperation(port.op, { keys: [thief.key] }, [thief]));
    const byThief = await toRoot([stolen], bundle);
    expect([byThief.status, byThief.body["rule"]]).to.deep.equal([422, "signature"]);
    const nowhere = await portPassport(state, owner.keys.authority, "xx");
    expect((await toRoot([await sponsorOperation(nowhere, "xx", thief)], bundle)).status).to.equal(422);
    const old = JSON.parse(JSON.stringify(bundle)) as Bundle;
    const unsigned = { ...old, checkpoint: old.checkpoint.split("\n").slice(0, -2).join("\n") + "\n" };
    expect((await toRoot([port], unsigned)).status).to.equal(422);
    const other = { ...old, proof: { ...old.proof, opening: encodeBase64url(new Uint8Array(32)) } };
    expect((await toRoot([port], other)).body["rule"]).to.equal("map-root");
    world.turn(8 * DAY_MS);
    expect((await toRoot([port], bundle)).body["rule"]).to.equal("freshness");
  });

  it("is ended by the owner's veto, at the root or in the zone, and by nobody else's", async () => {
    const some = await world.unlocked();
    const port = await sponsored(await portOf(some));
    expect((await toRoot([port], some.bundle)).status).to.equal(202);
    await world.tick();
    const hash = await hashOfOperation(port.op);
    const thief = await key("a thief");
    const veto = await vetoPassport(some.state, some.owner.keys.authority, hash);
    const forged = await signOperation(veto.op, { keys: [thief.key] }, [thief]);
    expect((await world.post(`${world.root.baseUrl}v1/ports/veto`, forged)).status).to.equal(422);
    const again = await world.post(`${world.zones.ch.baseUrl}v1/ops`, veto);
    expect(again.status, JSON.stringify(again.body)).to.be.oneOf([200, 201]);
    expect(await standing(port)).to.equal("vetoed");
    world.turn(6 * DAY_MS);
    await world.tick();
    expect([await kindIn("ch", some.owner), await kindIn("za", some.owner)]).to.deep.equal([
      "present",
      "absent",
    ]);

    const next = await world.unlocked();
    const direct = await sponsored(await portOf(next));
    await toRoot([direct], next.bundle);
    const second = await vetoPassport(
      next.state,
      next.owner.keys.authority,
      await hashOfOperation(direct.op),
    );
    const { status, body } = await world.post(`${world.root.baseUrl}v1/ports/veto`, second);
    expect([status, (body["standing"] as { state: string }).state]).to.deep.equal([200, "vetoed"]);
  });

  it("does not count when the passport has changed since", async () => {
    const some = await world.unlocked();
    const port = await sponsored(await portOf(some));
    await toRoot([port], some.bundle);
    const { rotateOp } = await rotatePassport(some.state, some.owner.keys, new Date(world.now()));
    await submit("ch", rotateOp);
    world.turn(5 * DAY_MS + HOUR_MS);
    await world.tick();
    expect(await standing(port)).to.equal("superseded");
    expect(await wherePerIndex(some.owner)).to.equal("ch");
  });

  it("ends when the owner is having the passport erased", async () => {
    const some = await world.unlocked();
    await submit("ch", await erasePassport(some.state, some.owner.keys.authority));
    const port = await sponsored(await portOf(some));
    await toRoot([port], some.bundle);
    await world.tick();
    expect(await standing(port)).to.equal("refused");
  });

  it("ends when guardians are getting the passport back, whichever of the two was sent first", async () => {
    for (const isPortFirst of [true, false]) {
      const some = await world.unlocked();
      const port = await sponsored(await portOf(some));
      const { recoverOp } = await recoverPassport(some.state, some.owner.keys, new Date(world.now()));
      const recover = () => world.post(`${world.zones.ch.baseUrl}v1/ops`, recoverOp);
      if (!isPortFirst) expect((await recover()).status).to.equal(202);
      expect((await toRoot([port], some.bundle)).status).to.equal(202);
      await world.tick();
      if (isPortFirst) expect((await recover()).status).to.equal(202);
      await world.tick();
      expect(await standing(port)).to.equal("refused");
      world.turn(7 * DAY_MS + HOUR_MS);
      await world.tick();
      expect((await world.state("ch", some.owner.id)).head.t).to.equal("recover");
      expect(await wherePerIndex(some.owner)).to.equal("ch");
    }
  });

  it("is not ended by guardians of somebody else, or too few of them", async () => {
    const other = await world.unlocked();
    const some = await world.unlocked();
    const port = await sponsored(await portOf(some));
    await toRoot([port], some.bundle);
    const made = new Date(world.now());
    const { recoverOp } = await recoverPassport(some.state, some.owner.keys, made);
    const theirs = await recoverPassport(other.state, other.owner.keys, made);
    const end = (signed: object) => world.post(`${world.root.baseUrl}v1/ports/veto`, signed);
    expect((await end({ ...recoverOp, sigs: recoverOp.sigs.slice(0, 1) })).body["rule"]).to.equal(
      "threshold",
    );
    expect(
      (await end({ ...theirs.recoverOp, op: { ...theirs.recoverOp.op, id: some.owner.id } })).status,
    ).to.equal(409);
    expect((await end(theirs.recoverOp)).status).to.equal(404);
    expect(await standing(port)).to.equal("waiting");
  });

  it("waits alone: the same one is the same, and one of a chain that went on takes its place", async () => {
    const some = await world.unlocked();
    const port = await sponsored(await portOf(some));
    expect((await toRoot([port], some.bundle)).status).to.equal(202);
    expect((await toRoot([port], some.bundle)).status).to.equal(202);
    const { standing: was } = (await toRoot([port], some.bundle)).body as { standing: { state: string } };
    expect(was.state).to.equal("waiting");
    const { rotateOp } = await rotatePassport(some.state, some.owner.keys, new Date(world.now()));
    await submit("ch", rotateOp);
    const { bundle } = await world.ask("ch", some.owner.id);
    const state = await world.state("ch", some.owner.id);
    const other = await sponsored(await portPassport(state, some.owner.keys.next, "za"));
    expect((await toRoot([other], some.bundle)).status, "of before the rotation").to.equal(409);
    expect((await toRoot([other], bundle)).status, "the first can never count any more").to.equal(202);
    expect([await standing(port), await standing(other)]).to.deep.equal(["superseded", "waiting"]);
  });

  it("needs nothing of the zone that is left: not even that it answers", async () => {
    const some = await world.unlocked();
    const port = await sponsored(await portOf(some));
    await toRoot([port], some.bundle);
    await world.stop("ch");
    try {
      world.turn(5 * DAY_MS + HOUR_MS);
      await world.tick();
      expect(await standing(port)).to.equal("ordered");
      expect(await kindIn("za", some.owner)).to.equal("present");
      expect(await wherePerIndex(some.owner)).to.equal("za");
    } finally {
      await world.start("ch");
    }
    await world.tick();
    expect(await kindIn("ch", some.owner)).to.equal("ported");
  });

  it("is not begun with keys that the passport has no more, by a proof of before", async () => {
    const some = await world.unlocked();
    const port = await sponsored(await portOf(some));
    const { rotateOp } = await rotatePassport(some.state, some.owner.keys, new Date(world.now()));
    await submit("ch", rotateOp);
    const { bundle } = await world.ask("ch", some.owner.id);
    const state = await world.state("ch", some.owner.id);
    expect((await toRoot([port], some.bundle)).status).to.equal(409);
    await world.stop("ch");
    try {
      expect((await toRoot([port], some.bundle)).status, "nobody knows better").to.equal(202);
      const own = await sponsored(await portPassport(state, some.owner.keys.next, "za"));
      expect((await toRoot([own], bundle)).status).to.equal(202);
      expect([await standing(port), await standing(own)]).to.deep.equal(["superseded", "waiting"]);
      expect((await toRoot([port], some.bundle)).body["standing"]).to.have.property("state", "superseded");
    } finally {
      await world.start("ch");
    }
  });

  it("is not kept back by a zone that shows an older state than the one that it had proved", async () => {
    const some = await world.unlocked();
    const copy = join(world.folder, "ch-of-before");
    await world.stop("ch");
    await cp(join(world.folder, "ch"), copy, { recursive: true });
    await world.start("ch");
    const { rotateOp } = await rotatePassport(some.state, some.owner.keys, new Date(world.now()));
    await submit("ch", rotateOp);
    const { bundle } = await world.ask("ch", some.owner.id);
    const state = await world.state("ch", some.owner.id);
    const port = await sponsored(await portPassport(state, some.owner.keys.next, "za"));
    expect((await toRoot([port], bundle)).status).to.equal(202);
    await world.stop("ch");
    await world.start("ch", copy);
    try {
      const { answer } = await world.ask("ch", some.owner.id);
      expect(answer.kind === "present" && answer.passport.state.head.seq).to.equal(some.state.head.seq);
      world.turn(5 * DAY_MS + HOUR_MS);
      await world.zones.ch.zone.tick(); // Its signatures are fresh.
      await world.tick();
      expect(await standing(port)).to.equal("ordered");
      const { answer: there } = await world.ask("za", some.owner.id);
      expect(there.kind === "present" && there.passport.state.head.prev).to.equal(state.headHash);
    } finally {
      await world.stop("ch");
      await world.start("ch");
    }
  });
});
