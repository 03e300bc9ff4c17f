/** The inbox: what a zone would not take is heard at the root, in front of everybody. */

import {
  type Bundle,
  deactivatePassport,
  encodeBase64url,
  hashOfOperation,
  makeData,
  portPassport,
  rotatePassport,
  type Signed,
  secondsOf,
  signAsDelegate,
  signLetter,
  signOperation,
  sponsorOperation,
  stateAfter,
  unlockPassport,
} from "@freehold/client/registry";
import { expect } from "chai";
import { key } from "../../passport/people.ts";
import { createFederation, DAY_MS, type FederationWorld, HOUR_MS, type Owner } from "./world.ts";

const POD = "https://pods.example.org/someone/";

describe("the inbox of the root", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  before(async () => {
    world = await createFederation();
  });
  after(() => world.dispose());

  const inbox = (operation: object, bundle: unknown) =>
    world.post(`${world.root.baseUrl}v1/inbox`, { operation, bundle });
  const view = async (signed: Signed) => {
    const { body } = await world.get(`${world.root.baseUrl}v1/inbox/${await hashOfOperation(signed.op)}`);
    return body as { readonly standing: Record<string, unknown>; readonly due: number };
  };
  const answer = async (
    zone: "ch" | "za",
    body: unknown,
    at = world.now(),
    signer = world.zones[zone].keys.zone,
  ) =>
    world.post(
      `${world.root.baseUrl}v1/desk/answer`,
      await signLetter({ v: 1, t: "inbox-answer", from: zone, to: "root", at: secondsOf(at), body }, signer),
    );

  async function dataOf({ id, keys }: Owner, dseq = 1): Promise<Signed> {
    const state = await world.state("ch", id);
    const op = makeData({ id, aseq: 0, dseq, webid: [`${POD}#me`], storage: [{ id: "#pod", url: POD }] });
    return signOperation(op, state.head.auth, keys.authority);
  }

  async function posted(): Promise<{ owner: Owner; data: Signed; bundle: Bundle }> {
    const owner = await world.open("ch");
    const { bundle } = await world.ask("ch", owner.id);
    const data = await dataOf(owner);
    expect((await inbox(data, bundle)).status).to.equal(202);
    return { owner, data, bundle };
  }

  /** Everything that the root keeps. */
  const kept = (): Promise<string> =>
    world.root.root.ledger.read(async (snapshot) => {
      let all = "";
      for (const group of ["inbox", "inbox-of", "inbox-open", "port"])
        for await (const entry of snapshot.list("registry", group))
          all += Buffer.from(entry.value).toString();
      return all;
    });

  it("passes on what the zone then takes, and forgets it", async () => {
    const { owner, data } = await posted();
    expect(await kept()).to.contain(POD);
    await world.tick();
    expect((await view(data)).standing["state"]).to.equal("included");
    // The zone did not hear that, and says it again; or something else.
    const of = await hashOfOperation(data.op);
    for (const outcome of [
      { outcome: "included", bundle: {} },
      { outcome: "refused", reason: "quota", detail: "" },
    ]) {
      const { status, body } = await answer("ch", { of, ...outcome });
      expect([status, (body["standing"] as { state: string }).state]).to.deep.equal([200, "included"]);
    }
    const { answer: shown } = await world.ask("ch", owner.id);
    expect(shown.kind === "present" && shown.passport.data?.storage[0]?.url).to.equal(POD);
    expect(await kept()).to.not.contain(POD);
  });

  it("shows everybody by which rule of its own a zone refused, and nothing of whom it is about", async () => {
    const owner = await world.open("ch");
    const { bundle } = await world.ask("ch", owner.id);
    const op = makeData({
      id: owner.id,
      aseq: 0,
      dseq: 1,
      webid: [`${POD}#me`],
      storage: [{ id: "#pod", url: POD }],
    });
    const data = await signAsDelegate(op, await key("host")); // Of a host that the registrar does not know.
    await inbox(data, bundle);
    await world.tick();
    const { standing } = await view(data);
    expect([standing["state"], standing["reason"]]).to.deep.equal(["refused", "delegate-storage"]);
    const list = JSON.stringify((await world.get(`${world.root.baseUrl}v1/inbox`)).body);
    expect(list)
      .to.contain("delegate-storage")
      .and.to.not.contain(owner.id)
      .and.to.not.contain("pods.example");
  });

  it("is not for what anybody can see is wrong, nor for passports that are not proved", async () => {
    const owner = await world.open("ch");
    const { bundle } = await world.ask("ch", owner.id);
    const thief = await key("a thief");
    const data = await dataOf(owner);
    const forged = await signOperation(data.op, { keys: [thief.key] }, [thief]);
    expect((await inbox(forged, bundle)).body["rule"]).to.equal("signature");
    expect((await inbox(data, null)).status).to.equal(400);
    const other = { ...bundle, proof: { ...bundle.proof, opening: encodeBase64url(new Uint8Array(32)) } };
    expect((await inbox(data, other)).body["rule"]).to.equal("map-root");
    const stranger = await world.open("za");
    expect((await inbox(data, (await world.ask("za", stranger.id)).bundle)).status).to.equal(422);
  });

  it("takes few of one passport at a time", async () => {
    const owner = await world.open("ch");
    const { bundle } = await world.ask("ch", owner.id);
    const statuses: number[] = [];
    for (const name of ["a", "b", "c", "d"]) {
      const state = await world.state("ch", owner.id);
      const url = `https://pods.example.org/${name}/`;
      const op = makeData({
        id: owner.id,
        aseq: 0,
        dseq: 1,
        webid: [`${url}#me`],
        storage: [{ id: "#pod", url }],
      });
      statuses.push(
        (await inbox(await signOperation(op, state.head.auth, owner.keys.authority), bundle)).status,
      );
    }
    expect(statuses).to.deep.equal([202, 202, 202, 429]);
    await world.tick();
  });

  it("believes no answer that does not prove itself", async () => {
    const { data, bundle } = await posted();
    const of = await hashOfOperation(data.op);
    const { za } = world.zones;
    expect((await answer("ch", { of, outcome: "included", bundle })).status).to.equal(422); // It shows the state before.
    const byOther = await answer(
      "ch",
      { of, outcome: "refused", reason: "quota", detail: "" },
      world.now(),
      za.keys.zone,
    );
    expect(byOther.status).to.equal(403);
    expect((await answer("za", { of, outcome: "refused", reason: "quota", detail: "" })).status).to.equal(
      404,
    );
    const late = await answer(
      "ch",
      { of, outcome: "refused", reason: "quota", detail: "" },
      world.now() - HOUR_MS,
    );
    expect(late.status).to.equal(403);
    // The root has judged for itself what everybody can judge: that is no reason any more.
    for (const reason of ["signature", "threshold", "because"]) {
      expect((await answer("ch", { of, outcome: "refused", reason, detail: "" })).status).to.equal(422);
    }
    expect((await view(data)).standing["state"]).to.equal("open");
    await world.tick();
  });

  it("does not hold it against a zone that an operation came too late", async () => {
    const { owner, data, bundle } = await posted();
    await world.zones.ch.zone.submit(await dataOf(owner)); // It was under way all the while, and then some.
    const { rotateOp } = await rotatePassport(
      await world.state("ch", owner.id),
      owner.keys,
      new Date(world.now()),
    );
    await world.zones.ch.zone.submit(rotateOp);
    const of = await hashOfOperation(data.op);
    expect((await answer("ch", { of, outcome: "outdated", answer: bundle })).status).to.equal(422); // It still followed then.
    const other = await world.open("ch");
    const { bundle: stranger } = await world.ask("ch", other.id);
    expect((await answer("ch", { of, outcome: "outdated", answer: stranger })).body["rule"]).to.equal(
      "identifier",
    );
    world.turn(25 * HOUR_MS);
    await world.root.tick(); // The zone says nothing, and the root finds out for itself.
    const { standing } = await view(data);
    expect([standing["state"], standing["reason"]]).to.deep.equal(["refused", "aseq"]);
    await world.tick();
  });

  it("does not take a proof of before for one that an operation came too late", async () => {
    const owner = await world.open("ch");
    const { bundle: older } = await world.ask("ch", owner.id);
    const made = new Date(world.now());
    const { rotateOp } = await rotatePassport(await world.state("ch", owner.id), owner.keys, made);
    await world.zones.ch.zone.submit(rotateOp);
    const { bundle } = await world.ask("ch", owner.id);
    const state = await world.state("ch", owner.id);
    const rest = await deactivatePassport(state, owner.keys.next);
    expect((await inbox(rest, bundle)).status).to.equal(202);
    const of = await hashOfOperation(rest.op);
    const { status } = await answer("ch", { of, outcome: "outdated", answer: older });
    expect([status, (await view(rest)).standing["state"]]).to.deep.equal([422, "open"]);
    await world.tick();
  });

  it("lets a zone say that an operation waits only if it does, once, and for as long as its kind does", async () => {
    const owner = await world.open("ch");
    world.turn(31 * DAY_MS);
    await world.tick();
    const { bundle } = await world.ask("ch", owner.id);
    const unlock = await unlockPassport(await world.state("ch", owner.id), owner.keys.authority, ["port"]);
    await inbox(unlock, bundle);
    const of = await hashOfOperation(unlock.op);
    const waits = (ms: number) =>
      answer("ch", { of, outcome: "pending", effectiveAt: secondsOf(world.now() + ms) });
    expect((await waits(1_000 * DAY_MS)).status).to.equal(422);
    expect((await waits(72 * HOUR_MS)).status).to.equal(200);
    expect((await waits(72 * HOUR_MS)).status).to.equal(422);
    const { data } = await posted();
    const never = {
      of: await hashOfOperation(data.op),
      outcome: "pending",
      effectiveAt: secondsOf(world.now()),
    };
    expect((await answer("ch", never)).status).to.equal(422); // A data record waits for nothing.
    await world.tick();
    for (const ms of [73 * HOUR_MS, 25 * HOUR_MS]) {
      world.turn(ms);
      await world.tick();
    }
    expect((await view(unlock)).standing["state"]).to.equal("included");
  });

  it("is paced: a network that sends too much is told to wait", async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 70; index += 1) statuses.push((await inbox({}, null)).status);
    expect(statuses[0]).to.not.equal(429);
    expect(statuses.at(-1)).to.equal(429);
    world.turn(61_000);
    expect((await inbox({}, null)).status).to.not.equal(429);
  });

  it("gives nobody else's letters away", async () => {
    const { data } = await posted();
    const za = world.zones.za.keys.zone;
    const letter = {
      v: 1,
      t: "desk",
      from: "ch",
      to: "root",
      at: secondsOf(world.now()),
      body: { after: 0 },
    } as const;
    const { status } = await world.post(`${world.root.baseUrl}v1/desk`, await signLetter(letter, za));
    expect(status).to.equal(403);
    const own = await world.post(
      `${world.root.baseUrl}v1/desk`,
      await signLetter({ ...letter, from: "za" }, za),
    );
    expect(own.status).to.equal(200);
    expect(JSON.stringify(own.body)).to.not.contain(await hashOfOperation(data.op));
    await world.tick();
  });

  it("lets a passport leave at once when its zone is silent for a day", async () => {
    const owner = await world.open("ch");
    world.turn(31 * DAY_MS);
    await world.tick();
    const { keys } = owner;
    await world.zones.ch.zone.submit(
      await unlockPassport(await world.state("ch", owner.id), keys.authority, ["port"]),
    );
    world.turn(73 * HOUR_MS);
    await world.tick();
    const { bundle } = await world.ask("ch", owner.id);
    const state = await world.state("ch", owner.id);
    const op = makeData({
      id: owner.id,
      aseq: state.head.seq,
      dseq: 1,
      webid: [`${POD}#me`],
      storage: [{ id: "#pod", url: POD }],
    });
    const data = await signOperation(op, state.head.auth, keys.authority);
    await inbox(data, bundle);
    await world.stop("ch");
    try {
      world.turn(23 * HOUR_MS);
      await world.tick();
      expect((await view(data)).standing["state"]).to.equal("open");
      world.turn(2 * HOUR_MS);
      await world.tick();
      expect((await view(data)).standing["state"]).to.equal("overdue");
      const port = await portPassport(state, keys.authority, "za");
      const sent = await world.post(`${world.zones.za.baseUrl}v1/ports`, { operations: [port], bundle });
      expect(sent.body["effectiveAt"], JSON.stringify(sent.body)).to.equal(world.now());
      await world.tick();
      expect((await world.zones.za.zone.find(owner.id)).findings.kind).to.equal("present");
    } finally {
      await world.start("ch");
    }
  });

  it("lets it leave by a lock that the zone would not open", async () => {
    const owner = await world.open("ch");
    const { keys } = owner;
    world.turn(31 * DAY_MS);
    await world.tick();
    const { bundle } = await world.ask("ch", owner.id);
    const state = await world.state("ch", owner.id);
    const unlock = await unlockPassport(state, keys.authority, ["port"]);
    const open = await stateAfter(state, unlock.op);
    const port = await sponsorOperation(
      await portPassport(open, keys.authority, "za"),
      "za",
      world.zones.za.keys.zone,
    );
    const leave = () => world.post(`${world.root.baseUrl}v1/ports`, { operations: [unlock, port], bundle });
    expect((await inbox(unlock, bundle)).status).to.equal(202);
    expect((await leave()).body["rule"]).to.equal("locked");
    await world.stop("ch");
    world.turn(25 * HOUR_MS);
    await world.tick();
    expect((await leave()).status).to.equal(202);
    await world.tick();
    const { answer } = await world.ask("za", owner.id);
    expect(answer.kind === "present" && answer.passport.state.head.t).to.equal("port");
    await world.start("ch");
    await world.tick();
    expect((await world.zones.ch.zone.find(owner.id)).findings.kind).to.equal("ported");
  });
});
