/** Stories of theft: what whoever has some of the keys can do, and what the owner can still do about it. */
import { expect } from "chai";
import {
  erasePassport,
  hashOfKey,
  hashOfOperation,
  hashSetOf,
  type KeyPair,
  keySetOf,
  lockPassport,
  makeHold,
  makeRotate,
  PassportError,
  type PassportState,
  portPassport,
  recoverPassport,
  rotatePassport,
  type Signed,
  signAsZone,
  signOperation,
  sponsorOperation,
  unlockPassport,
  vetoPassport,
} from "../../client-lib/passport/index.ts";
import { DAY_MS, HOUR_MS, type NaiveRegistry, naiveRegistry } from "./naive-registry.ts";
import { key, NOW, person } from "./people.ts";

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    return `taken: ${String(await work)}`;
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  }
}

const here = (registry: NaiveRegistry): PassportState => {
  if (!registry.state) throw new Error("The passport is gone");
  return registry.state;
};
const waiting = (registry: NaiveRegistry): string => registry.pending?.hash ?? "nothing waits";
const owns = (registry: NaiveRegistry, pair: KeyPair | undefined): boolean =>
  here(registry).head.auth.keys.includes(pair?.key ?? "");

const withGuardians = async (
  registry: NaiveRegistry,
  signers: readonly KeyPair[],
  guardian: KeyPair,
  next: KeyPair,
): Promise<Signed> => {
  const { id, head } = here(registry);
  const op = await makeRotate({
    id,
    after: head,
    auth: keySetOf(signers),
    next: await hashSetOf([next]),
    recovery: { ...(await hashSetOf([guardian])), delay: "P1D" },
  });
  return signOperation(op, op.auth, signers);
};

describe("a thief of today's key", () => {
  it("cannot keep the owner from rotating, whatever the thief has begun", async () => {
    const ana = await person("ana");
    for (const begin of [unlockPassport, erasePassport]) {
      const registry = naiveRegistry(ana);
      expect(await registry.send(await begin(ana.state, ana.keys.authority))).to.equal("waits");
      expect(await registry.send(ana.rotate)).to.equal("counts");
      expect(registry.pending).to.equal(null);
      await registry.pass(30 * DAY_MS);
      expect(registry.history).to.deep.equal(["rotate"]);
      expect(owns(registry, ana.keys.authority[0])).to.equal(false);
    }
  });

  it("gets what was begun when nobody looks for three days, and not an hour earlier", async () => {
    const ana = await person("ana");
    const registry = naiveRegistry(ana);
    await registry.send(await unlockPassport(ana.state, ana.keys.authority));
    await registry.pass(71 * HOUR_MS);
    expect(here(registry).head.locks).to.deep.equal(["transfer", "port"]);
    await registry.pass(HOUR_MS);
    expect(here(registry).head.locks).to.deep.equal([]);
  });

  it("is answered by a veto with the same key, and by a lock", async () => {
    const ana = await person("ana");
    const registry = naiveRegistry(ana);
    await registry.send(await erasePassport(ana.state, ana.keys.authority));
    await registry.send(await vetoPassport(ana.state, ana.keys.authority, waiting(registry)));
    await registry.pass(30 * DAY_MS);
    expect(registry.state).not.to.equal(null);
    await registry.send(await unlockPassport(ana.state, ana.keys.authority, ["port"]));
    await registry.pass(72 * HOUR_MS);
    expect(await registry.send(await lockPassport(here(registry), ana.keys.authority))).to.equal("counts");
    expect(
      await refusal(portPassport(here(registry), ana.keys.authority, "za").then((op) => registry.send(op))),
    ).to.equal("locked");
  });

  it("cannot erase over the heads of the guardians, although the thief's veto of them counts", async () => {
    const ana = await person("ana");
    const registry = naiveRegistry(ana);
    const recover = async () => (await recoverPassport(here(registry), ana.keys, new Date(NOW))).recoverOp;
    const erase = await erasePassport(ana.state, ana.keys.authority);
    await registry.send(await recover());
    await registry.send(await vetoPassport(ana.state, ana.keys.authority, waiting(registry)));
    expect(await refusal(registry.send(await recover()))).to.equal("recover-again");
    expect(await registry.send(erase)).to.equal("waits");
    await registry.pass(2 * DAY_MS);
    expect(await registry.send(await recover())).to.equal("waits");
    await registry.pass(30 * DAY_MS);
    expect(registry.history).to.deep.equal(["veto", "recover"]);
  });

  it("cannot end a rotation that brings other guardians by beginning something else", async () => {
    const ana = await person("ana");
    const registry = naiveRegistry(ana);
    await registry.send(await withGuardians(registry, ana.keys.next, await key("friend"), ana.later[0]!));
    expect(await refusal(registry.send(await erasePassport(ana.state, ana.keys.authority)))).to.equal(
      "waiting",
    );
    expect(await refusal(registry.send(await unlockPassport(ana.state, ana.keys.authority)))).to.equal(
      "waiting",
    );
  });
});

describe("a thief of today's and tomorrow's key", () => {
  it("loses the passport to the guardians, and can neither veto nor erase nor rotate meanwhile", async () => {
    const [ana, thief, partner] = [await person("ana"), await key("thief"), await key("partner")];
    const registry = naiveRegistry(ana);
    const stolen = await rotatePassport(ana.state, ana.keys, new Date(NOW));
    expect(await registry.send(stolen.rotateOp)).to.equal("counts");
    const mine = stolen.keys.authority;
    expect(await registry.send(await withGuardians(registry, stolen.keys.next, thief, partner))).to.equal(
      "waits",
    );
    const { recoverOp, keys } = await recoverPassport(here(registry), ana.keys, new Date(NOW));
    expect(await registry.send(recoverOp)).to.equal("waits");
    expect(registry.pending?.op.t).to.equal("recover");
    const state = here(registry);
    const tries: readonly (readonly [Signed, string])[] = [
      [await vetoPassport(state, mine, waiting(registry)), "veto-age"],
      [await erasePassport(state, mine), "waiting"],
      [(await rotatePassport(state, stolen.keys, new Date(NOW))).rotateOp, "waiting"],
      [await withGuardians(registry, stolen.keys.next, thief, partner), "waiting"],
    ];
    for (const day of [1, 2, 3, 4, 5, 6]) {
      for (const [signed, rule] of tries)
        expect(await refusal(registry.send(signed)), `day ${day}`).to.equal(rule);
      await registry.pass(DAY_MS);
    }
    await registry.pass(DAY_MS);
    expect(owns(registry, keys.authority[0])).to.equal(true);
    expect(registry.history).to.deep.equal(["rotate", "recover"]);
    expect(
      await refusal(registry.send((await rotatePassport(state, stolen.keys, new Date(NOW))).rotateOp)),
    ).to.equal("seq");
  });

  it("keeps the passport when nobody acts for as long as a recovery waits: then the keys are old enough", async () => {
    const ana = await person("ana");
    const registry = naiveRegistry(ana);
    const stolen = await rotatePassport(ana.state, ana.keys, new Date(NOW));
    await registry.send(stolen.rotateOp);
    await registry.pass(8 * DAY_MS);
    await registry.send((await recoverPassport(here(registry), ana.keys, new Date(NOW))).recoverOp);
    expect(
      await registry.send(await vetoPassport(here(registry), stolen.keys.authority, waiting(registry))),
    ).to.equal("counts");
  });
});

describe("guardians who conspire", () => {
  it("are vetoed, must wait, and are replaced while they do", async () => {
    const ana = await person("ana");
    const registry = naiveRegistry(ana);
    const conspire = async () =>
      (await recoverPassport(here(registry), { ...ana.keys, authority: [], next: [] }, new Date(NOW)))
        .recoverOp;
    expect(await registry.send(await conspire())).to.equal("waits");
    await registry.send(await vetoPassport(ana.state, ana.keys.authority, waiting(registry)));
    expect(await refusal(registry.send(await conspire()))).to.equal("recover-again");
    const friend = await key("friend");
    await registry.send(await withGuardians(registry, ana.keys.next, friend, ana.later[0]!));
    await registry.pass(6 * DAY_MS);
    expect(await refusal(registry.send(await conspire()))).to.equal("recover-again");
    await registry.pass(DAY_MS);
    expect(here(registry).head.recovery.hashes).to.deep.equal([await hashOfKey(friend.key)]);
    await registry.pass(30 * DAY_MS);
    const old = await recoverPassport(ana.state, ana.keys, new Date(NOW));
    expect(await refusal(registry.send(old.recoverOp))).to.equal("seq");
  });

  it("cannot keep a vetoed recovery for later: it is taken once", async () => {
    const ana = await person("ana");
    const registry = naiveRegistry(ana);
    const { recoverOp } = await recoverPassport(ana.state, ana.keys, new Date(NOW));
    await registry.send(recoverOp);
    await registry.send(await vetoPassport(ana.state, ana.keys.authority, waiting(registry)));
    await registry.pass(7 * DAY_MS);
    expect(registry.history).to.deep.equal(["veto"]);
    expect(owns(registry, ana.keys.authority[0])).to.equal(true);
  });
});

describe("a zone that means ill", () => {
  it("cannot keep a passport from leaving, and loses its say when it has left", async () => {
    const [ana, zone, gaining] = [await person("ana"), await key("zone zz"), await key("zone za")];
    const registry = naiveRegistry(ana);
    await registry.send(await unlockPassport(ana.state, ana.keys.authority));
    await registry.pass(72 * HOUR_MS);
    const because = { case: "zz/1", reason: "authority-order" } as const;
    const hold = makeHold(
      "hold",
      { id: ana.state.id, after: here(registry).head },
      because,
      new Date(NOW + 72 * HOUR_MS),
    );
    await registry.send(await signAsZone(hold, zone));
    const port = await portPassport(here(registry), ana.keys.authority, "za");
    expect(await registry.send(await sponsorOperation(port, "za", gaining))).to.equal("waits");
    await registry.pass(5 * DAY_MS);
    expect([here(registry).zone, here(registry).hold]).to.deep.equal(["za", null]);
    const again = makeHold(
      "hold",
      { id: ana.state.id, after: here(registry).head },
      because,
      new Date(NOW + 8 * DAY_MS),
    );
    expect(await refusal(registry.send(await signAsZone(again, zone)))).to.equal("signature");
  });

  it("cannot send an old hold again after it had to end it", async () => {
    const [ana, zone] = [await person("ana"), await key("zone zz")];
    const registry = naiveRegistry(ana);
    const at = { id: ana.state.id, after: ana.state.head };
    const because = { case: "zz/1", reason: "fraud" } as const;
    const hold = await signAsZone(makeHold("hold", at, because, new Date(NOW)), zone);
    await registry.send(hold);
    expect(here(registry).hold).to.equal(await hashOfOperation(hold.op));
    await registry.pass(HOUR_MS);
    await registry.send(await signAsZone(makeHold("unhold", at, because, new Date(NOW + HOUR_MS)), zone));
    expect(await refusal(registry.send(hold))).to.equal("hold-time");
  });
});
