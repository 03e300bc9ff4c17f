/** One idea, though long: every way to change a passport, told to one registry on each engine. */
import { expect } from "chai";
import {
  generateKeyPair,
  hashOfOperation,
  hashSetOf,
  idOfGenesis,
  type KeyPair,
  keySetOf,
  makeData,
  makeRotate,
  openPassport,
  type PassportId,
  readSigned,
  recoverPassport,
  rotatePassport,
  signAsDelegate,
  signOperation,
  sponsorOperation,
  verifyBundle,
} from "../../client-lib/passport/index.ts";
import type { Problem } from "../../server/errors.ts";
import { zonePod } from "../../server/registry/zone/keys.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { SERVER_POD, type Store, TABLES, type Table } from "../../server/store/store.ts";
import { ENGINES, openTestStore } from "../support/store.ts";
import { type Bench, bench, closeBenches, podOf, refusal, webIdOf } from "./desk.ts";
import { GOLDEN_CREATE } from "./golden.ts";
import { HOST, key } from "./people.ts";

const found = async (registry: Bench["registry"], id: PassportId) => {
  const bundle = await registry.bundle(id);
  if (!bundle) throw new Error("No such passport");
  return bundle;
};

after(closeBenches);

describe("opening a passport", () => {
  it("gives a bundle that anybody can verify, and that leads to pod, WebID and issuer", async () => {
    const { registry, open } = await bench();
    const ana = await open("ana");
    const passport = await verifyBundle(JSON.stringify(await found(registry, ana.id)), ana.id);
    expect(passport.data).to.deep.include({
      webid: [ana.webid],
      oidc: `${HOST}/`,
      storage: [{ id: "#pod", url: `${HOST}/ana/` }],
      dseq: 1,
    });
    expect(passport.data?.keys.map((entry) => entry.key)).to.deep.equal([ana.keys.authority[0]?.key]);
  });

  it("is answered alike when the browser asks twice, and makes one passport", async () => {
    const { registry, now } = await bench();
    const { id, createOp } = await openPassport(await registry.begin(), now());
    const input = { createOp, pod: podOf("ana"), webid: webIdOf("ana") };
    const answers = await Promise.all([registry.finish(input), registry.finish(input)]);
    expect(answers).to.deep.equal([{ id }, { id }]);
    expect((await found(registry, id)).head.data?.op.dseq).to.equal(1);
  });

  it("starts again for a set-up that broke off, and the passport that nobody knows leads nowhere", async () => {
    const { registry, open, pass } = await bench();
    const first = await open("ana");
    pass(60_000);
    const second = await open("ana");
    const left = (await registry.known(first.id))?.data?.op;
    expect([left?.storage, left?.webid, left?.oidc, left?.moved]).to.deep.equal([[], [], null, []]);
    expect(await registry.find(first.id), "what the host keeps of it").to.equal(null);
    expect((await found(registry, second.id)).head.data?.op.storage[0]?.url).to.equal(`${HOST}/ana/`);
  });

  it("never replaces a passport that has been in use", async () => {
    const { open, pass, registry } = await bench();
    const first = await open("ana");
    pass(2 * 3_600_000);
    expect(await refusal(open("ana"))).to.equal("conflict");
    expect((await found(registry, first.id)).id).to.equal(first.id);
  });

  const thing = async (
    registry: Bench["registry"],
    change: (desk: Awaited<ReturnType<Bench["registry"]["begin"]>>) => object,
  ) => {
    const desk = await registry.begin();
    const { createOp } = await openPassport({ ...desk, ...change(desk) }, new Date(0));
    return { createOp, pod: podOf("ana"), webid: webIdOf("ana") };
  };

  it("refuses a delegate that is not the key of this host", async () => {
    const { registry } = await bench();
    const other = await generateKeyPair();
    expect(
      await refusal(registry.finish(await thing(registry, () => ({ delegateKey: other.key })))),
    ).to.equal("operation-invalid delegate");
  });

  it("refuses a delegate key that another person's passport has", async () => {
    const { registry, open, state } = await bench();
    const bea = await state((await open("bea")).id);
    const input = await thing(registry, () => ({ delegateKey: bea.head.delegate.key }));
    expect(await refusal(registry.finish(input))).to.equal("operation-invalid delegate");
  });

  it("refuses a delegate key that was given out too long ago", async () => {
    const { registry, pass } = await bench();
    const desk = await registry.begin();
    pass(2 * 3_600_000);
    await registry.begin();
    const { createOp } = await openPassport(desk, new Date(0));
    expect(await refusal(registry.finish({ createOp, pod: podOf("ana"), webid: webIdOf("ana") }))).to.equal(
      "operation-invalid delegate",
    );
  });

  it("refuses a foreign zone, a foreign registrar, and what is no create", async () => {
    const { registry } = await bench();
    expect(await refusal(registry.finish(await thing(registry, () => ({ zone: "ch" }))))).to.equal(
      "operation-invalid own-zone",
    );
    expect(
      await refusal(registry.finish(await thing(registry, () => ({ registrar: "ch.alpenpod" })))),
    ).to.equal("operation-invalid sponsored");
    for (const [createOp, rule] of [
      [null, "envelope"],
      [7, "envelope"],
      ["{", "json"],
      [[], "json"],
      [{}, "envelope"],
      [JSON.parse(GOLDEN_CREATE.replace('"create"', '"data"')), "fields"],
    ] as const) {
      expect(
        await refusal(registry.finish({ createOp, pod: podOf("ana"), webid: webIdOf("ana") })),
        JSON.stringify(createOp),
      ).to.equal(`operation-invalid ${rule}`);
    }
  });

  it("says beforehand what it would refuse, and makes nothing by saying so", async () => {
    const { registry, open, state } = await bench();
    const good = await thing(registry, () => ({}));
    const bea = await state((await open("bea")).id);
    const others = await thing(registry, () => ({ delegateKey: bea.head.delegate.key }));
    expect(await refusal(registry.check(good.createOp))).to.equal("none");
    expect(await refusal(registry.check(others.createOp))).to.equal("operation-invalid delegate");
    expect(await refusal(registry.check({ op: {}, sigs: [] }))).to.equal("operation-invalid version");
    expect(await registry.known(await idOfGenesis(good.createOp.op))).to.equal(null);
    expect(await refusal(registry.finish(good))).to.equal("none");
  });

  it("replaces a sponsorship that the browser brings by its own", async () => {
    const { registry, now } = await bench();
    const { id, createOp } = await openPassport(await registry.begin(), now());
    const forged = await sponsorOperation(createOp, "local", await key("thief"));
    await registry.finish({ createOp: forged, pod: podOf("ana"), webid: webIdOf("ana") });
    expect((await found(registry, id)).head.auth[0]?.sponsor?.s).to.not.equal(forged.sponsor?.s);
  });

  it("writes nothing personal to the log", async () => {
    const { open, logged } = await bench();
    const ana = await open("ana");
    expect(logged.join()).to.contain("passport.created").and.not.contain(ana.id).and.not.contain("/ana");
  });

  it("keeps the registrar's key through a restart", async () => {
    const store: Store = createMemoryStore();
    const before = await bench({ store });
    const ana = await before.open("ana");
    const { folder } = before;
    await before.own.close();
    const after = await bench({ store, folder });
    const bundle = await found(after.registry, ana.id);
    expect(await refusal(after.registry.submit({ ...bundle.head.auth[0] }))).to.equal("none");
    expect(await refusal(after.open("bea"))).to.equal("none");
  });
});

describe("sending operations", () => {
  it("rotates to the next keys, and this host goes on speaking without a gap", async () => {
    const { registry, open, state, now } = await bench();
    const ana = await open("ana");
    const { rotateOp, keys } = await rotatePassport(await state(ana.id), ana.keys, now());
    expect(await registry.submit(rotateOp)).to.include({ aseq: 1, dseq: 1, isNew: true });
    const passport = await verifyBundle(await found(registry, ana.id), ana.id);
    expect(passport.data?.storage[0]?.url).to.equal(`${HOST}/ana/`);
    expect(passport.data?.keys[0]?.key)
      .to.equal(keys.authority[0]?.key)
      .and.not.equal(ana.keys.authority[0]?.key);
  });

  it("rotates twice in a row with keys that each file brought", async () => {
    const { registry, open, state, now } = await bench();
    const ana = await open("ana");
    const first = await rotatePassport(await state(ana.id), ana.keys, now());
    await registry.submit(first.rotateOp);
    const second = await rotatePassport(await state(ana.id), first.keys, now());
    expect(await registry.submit(second.rotateOp)).to.include({ aseq: 2 });
  });

  it("evicts the host at once when the owner names another, and shows nothing until the new one speaks", async () => {
    const { registry, open, state, now } = await bench();
    const ana = await open("ana");
    const other = await key("new host");
    const { rotateOp, keys } = await rotatePassport(await state(ana.id), ana.keys, now(), {
      delegateKey: other.key,
    });
    await registry.submit(rotateOp);
    expect((await found(registry, ana.id)).head.data).to.equal(null);
    expect(await refusal(registry.publish("ana", { webid: [ana.webid], storage: `${HOST}/ana/` }))).to.equal(
      "forbidden",
    );

    const data = makeData({
      id: ana.id,
      aseq: 1,
      dseq: 2,
      webid: [ana.webid],
      storage: [{ id: "#pod", url: "https://new.example/ana/" }],
    });
    expect(await refusal(registry.submit(await signAsDelegate(data, other)))).to.equal(
      "operation-invalid delegate-storage",
    );
    const authority = (await state(ana.id)).head.auth;
    expect(await registry.submit(await signOperation(data, authority, keys.authority))).to.include({
      dseq: 2,
      isNew: true,
    });
  });

  it("takes an operation once, however often it is sent", async () => {
    const { registry, open, state, now } = await bench();
    const ana = await open("ana");
    const { rotateOp } = await rotatePassport(await state(ana.id), ana.keys, now());
    await registry.submit(rotateOp);
    const before = await found(registry, ana.id);
    expect(await registry.submit(rotateOp)).to.include({ isNew: false, aseq: 1 });
    expect(await registry.submit(JSON.stringify(rotateOp, null, 1))).to.include({ isNew: false });
    expect(await found(registry, ana.id)).to.deep.equal(before);
  });

  for (const engine of ENGINES) {
    it(`lets one of four rotations at once win, and tells the others where the passport stands (${engine})`, async () => {
      const opened = await openTestStore(engine);
      try {
        const { registry, open, state, now } = await bench({ store: opened.store });
        const ana = await open("ana");
        const at = await state(ana.id);
        const rivals = await Promise.all([1, 2, 3, 4].map(() => rotatePassport(at, ana.keys, now())));
        const answers = await Promise.allSettled(rivals.map(({ rotateOp }) => registry.submit(rotateOp)));
        const refused = answers.flatMap((answer) =>
          answer.status === "rejected" ? [answer.reason as Problem] : [],
        );
        expect(answers.length - refused.length).to.equal(1);
        for (const { code, members } of refused) {
          expect({ code, ...members }).to.include({ code: "conflict", rule: "seq", aseq: 1 });
        }
        expect((await found(registry, ana.id)).head.auth).to.have.length(2);
      } finally {
        await opened.dispose();
      }
    });
  }

  it("does not go back: neither to an older data record nor to older keys", async () => {
    const { registry, open, state, now } = await bench();
    const ana = await open("ana");
    const first = (await found(registry, ana.id)).head.data!;
    await registry.publish("ana", { webid: [ana.webid], storage: `${HOST}/ana-2/` });
    expect(await registry.submit(first)).to.include({ isNew: false, dseq: 2 });
    expect((await found(registry, ana.id)).head.data?.op.storage[0]?.url).to.equal(`${HOST}/ana-2/`);

    const again = makeData({ ...first.op, dseq: 2 });
    expect(
      await refusal(
        registry.submit(await signOperation(again, (await state(ana.id)).head.auth, ana.keys.authority)),
      ),
    ).to.equal("conflict dseq");

    await registry.submit((await rotatePassport(await state(ana.id), ana.keys, now())).rotateOp);
    const late = makeData({ ...first.op, aseq: 1, dseq: 4 });
    expect(
      await refusal(
        registry.submit(await signOperation(late, keySetOf(ana.keys.authority), ana.keys.authority)),
      ),
    ).to.equal("operation-invalid signature");
    expect(
      await refusal(
        registry.submit(
          await signOperation({ ...late, aseq: 0 }, keySetOf(ana.keys.authority), ana.keys.authority),
        ),
      ),
    ).to.equal("conflict aseq");
  });

  it("refuses a thief who has today's key", async () => {
    const { registry, open, state } = await bench();
    const ana = await open("ana");
    const head = (await state(ana.id)).head;
    const thief = await key("thief");
    const op = await makeRotate({
      id: ana.id,
      after: head,
      auth: keySetOf([thief]),
      next: await hashSetOf([await key("thief 2")]),
    });
    expect(await refusal(registry.submit(await signOperation(op, op.auth, [thief])))).to.equal(
      "operation-invalid pre-rotation",
    );
  });

  it("refuses a tampered sponsor and a create that did not come from the desk", async () => {
    const { registry, now } = await bench();
    const { createOp } = await openPassport(await registry.begin(), now());
    expect(await refusal(registry.submit(createOp))).to.equal("operation-invalid sponsored");
    expect(
      await refusal(registry.submit(await sponsorOperation(createOp, "local", await key("thief")))),
    ).to.equal("operation-invalid sponsored");
  });

  it("refuses passports of a foreign zone", async () => {
    const { registry } = await bench();
    expect(await refusal(registry.submit(GOLDEN_CREATE))).to.equal("operation-invalid own-zone");
  });

  it("survives what is no operation at all", async () => {
    const { registry, open } = await bench();
    const { id } = await open("ana");
    for (const text of [
      "",
      "null",
      "[]",
      "{}",
      '{"op":null,"sigs":[]}',
      `{"op":{"id":"${id}"},"sigs":[]}`,
      `{"op":{"id":"${id}","t":"create"},"sigs":[]}`,
      `{"op":{"id":"${id}","t":"data","v":1},"sigs":null}`,
      "9".repeat(5_000),
    ]) {
      expect(await refusal(registry.submit(text)), text).to.match(/^operation-invalid /);
    }
  });

  it("limits how often a passport changes, and says when to try again", async () => {
    const { registry, open, state, pass } = await bench();
    const ana = await open("ana");
    const send = async (): Promise<string> => {
      const { head, dseq } = await state(ana.id);
      const data = makeData({
        id: ana.id,
        aseq: 0,
        dseq: dseq + 1,
        webid: [ana.webid],
        storage: [{ id: "#pod", url: `${HOST}/ana/` }],
        ttl: 60 + dseq,
      });
      return refusal(registry.submit(await signOperation(data, head.auth, ana.keys.authority)));
    };
    pass(3_600_001); // What its host has said at first counts, too.
    for (let round = 0; round < 10; round += 1) expect(await send()).to.equal("none");
    expect(await send()).to.equal("too-many-requests");
    pass(3_600_001);
    expect(await send()).to.equal("none");
  });
});

describe("a thief with today's key", () => {
  it("cannot keep the owner from taking it out of force, by sending all that an hour allows", async () => {
    const { registry, open, state, now, pass } = await bench();
    const ana = await open("ana");
    pass(3_600_001);
    for (let round = 0; round < 11; round += 1) {
      const { head, dseq } = await state(ana.id);
      const storage = [{ id: "#pod", url: `https://thief${round}.example/` }];
      const data = makeData({ id: ana.id, aseq: 0, dseq: dseq + 1, webid: [ana.webid], storage });
      const sent = registry.submit(await signOperation(data, head.auth, ana.keys.authority));
      expect(await refusal(sent)).to.equal(round < 10 ? "none" : "too-many-requests");
    }
    const { rotateOp } = await rotatePassport(await state(ana.id), ana.keys, now());
    expect(await refusal(registry.submit(rotateOp))).to.equal("none");
    expect(await refusal(registry.publish("ana", { webid: [ana.webid], storage: `${HOST}/ana/` }))).to.equal(
      "none",
    );
    expect((await found(registry, ana.id)).head.data?.op.storage[0]?.url).to.equal(`${HOST}/ana/`);
  });
});

describe("what the registry keeps", () => {
  it("is the chain and the newest data record; of older ones only the hash", async () => {
    const { registry, open, store } = await bench();
    const ana = await open("ana");
    const first = (await found(registry, ana.id)).head.data!;
    await registry.publish("ana", { webid: [ana.webid], storage: `${HOST}/elsewhere/` });
    const kept: string[] = [];
    const pods = await zonePod(store, "zz");
    for (const pod of [SERVER_POD, pods])
      await store.read(pod, async (snapshot) => {
        for (const table of Object.keys(TABLES) as Table[])
          for await (const { item, value } of snapshot.all(table))
            kept.push(`${table} ${item} ${Buffer.from(value).toString()}`);
      });
    expect(kept.join("\n"))
      .to.contain(await hashOfOperation(first.op))
      .and.not.contain(first.sigs[0]!.s);
    expect(
      kept.join("\n").replace(/"moved":\[[^\]]*\]/g, ""),
      "but as the place it moved from",
    ).to.not.contain(`${HOST}/ana/"`);
  });

  it("lists a storage that changed as moved, and publishes nothing when nothing changed", async () => {
    const { registry, open } = await bench();
    const ana = await open("ana");
    const place = { webid: [ana.webid], storage: `${HOST}/ana/` };
    expect(await registry.publish("ana", place)).to.deep.equal({ dseq: 1 });
    expect(await registry.publish("ana", { ...place, storage: `${HOST}/ana-2/` })).to.deep.equal({ dseq: 2 });
    expect((await found(registry, ana.id)).head.data?.op.moved).to.deep.equal([
      {
        from: `${HOST}/ana/`,
        to: `${HOST}/ana-2/`,
        at: "2026-03-01T12:00:00Z",
        redirectUntil: "2028-03-01T12:00:00Z",
      },
    ]);
    expect(await refusal(registry.publish("nobody", place))).to.equal("not-found");
  });

  it("cannot be made to point at another host by the host itself", async () => {
    const { registry, open } = await bench();
    const ana = await open("ana");
    expect(
      await refusal(registry.publish("ana", { webid: [ana.webid], storage: "https://stranger.example/" })),
    ).to.equal("operation-invalid delegate-storage");
  });

  it("counts a key that signed as known only by its own signature", async () => {
    const { registry, open } = await bench();
    const ana = await open("ana");
    const { head } = await found(registry, ana.id);
    const other: KeyPair = await generateKeyPair();
    const forged = {
      ...head.data!,
      sigs: [{ k: "d" as const, s: (await signAsDelegate({ ...head.data!.op, dseq: 2 }, other)).sigs[0]!.s }],
    };
    expect(await refusal(registry.submit({ ...forged, op: { ...forged.op, dseq: 2 } }))).to.equal(
      "operation-invalid signature",
    );
    expect(readSigned(head.data!).op).to.deep.equal(head.data!.op);
  });
});

describe("a host that was not there", () => {
  it("says again where the pod is when a recovery came into force meanwhile, under the new keys", async () => {
    const { registry, own, open, state, now, pass } = await bench();
    const ana = await open("ana");
    pass(40 * 24 * 3_600_000);
    const { recoverOp } = await recoverPassport(await state(ana.id), ana.keys, now());
    expect((await registry.submit(recoverOp)).standing.state).to.equal("pending");
    pass(8 * 24 * 3_600_000);
    await own.tick();
    expect([(await state(ana.id)).head.seq, (await registry.known(ana.id))?.data]).to.deep.equal([1, null]);
    await registry.tick();
    const data = (await registry.known(ana.id))?.data?.op;
    expect([data?.aseq, data?.storage[0]?.url]).to.deep.equal([1, `${HOST}/ana/`]);
    const { keys } = recoverOp.op.auth;
    expect([data?.keys[0]?.key, keys.includes(ana.keys.authority[0]?.key ?? "")]).to.deep.equal([
      keys[0],
      false,
    ]);
  });

  it("takes back where an erased pod was as soon as the registry answers again", async () => {
    const before = await bench();
    const { store, folder } = before;
    const ana = await before.open("ana");
    await before.own.close();
    expect(await before.registry.withdraw("ana")).to.equal(true);
    expect(before.logged.join()).to.contain("passport.not-withdrawn").and.not.contain(ana.id);
    expect(await before.registry.ofPod("ana")).to.equal(null);
    const after = await bench({ store, folder });
    expect((await after.registry.known(ana.id))?.data?.op.storage[0]?.url).to.equal(`${HOST}/ana/`);
    await after.registry.tick();
    expect((await after.registry.known(ana.id))?.data?.op.storage).to.deep.equal([]);
    expect(await after.registry.find(ana.id), "what is left here").to.equal(null);
    await after.registry.tick();
  });

  it("never speaks again for a pod that was erased", async () => {
    const { registry, open, state, now } = await bench();
    const ana = await open("ana");
    await registry.withdraw("ana");
    await registry.submit((await rotatePassport(await state(ana.id), ana.keys, now())).rotateOp);
    await registry.follow(ana.id);
    await registry.tick();
    expect((await registry.known(ana.id))?.data).to.equal(null);
    expect(await registry.withdraw("ana"), "a second time").to.equal(false);
  });
});
