/** Passports that a server kept before it had a log, taken over at a start. */
import { expect } from "chai";
import {
  allowLoopback,
  hashOfOperation,
  makeData,
  refuseRollback,
  type Signed,
  seenOf,
  signOperation,
  verifyAnswer,
  verifyBundle,
  verifyRootRecord,
} from "../../client-lib/registry/index.ts";
import { adoptFormer } from "../../server/passport/former.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { encodeRecord } from "../../server/store/record.ts";
import { SERVER_POD, type Store } from "../../server/store/store.ts";
import { type Bench, bench, closeBenches, refusal } from "./desk.ts";
import { HOST, NOW, type Person, person } from "./people.ts";

interface Kept {
  readonly auth: readonly Signed[];
  readonly data: Signed | null;
  readonly dseq: number;
  readonly pod: string | null;
}

/** As version 1 wrote it. */
async function keepFormer(store: Store, { state }: Pick<Person, "state">, kept: Kept): Promise<void> {
  const { id } = state;
  const { auth, data, dseq, pod } = kept;
  const newest = auth.at(-1);
  const record = {
    id,
    length: auth.length,
    headHash: newest && (await hashOfOperation(newest.op)),
    dseq,
    data,
    dataHash: data && (await hashOfOperation(data.op)),
    pod,
    made: NOW - 1_000,
    taken: [],
    rotated: [],
  };
  await store.write(SERVER_POD, async (transaction) => {
    transaction.put("passport", "", id, encodeRecord(record));
    if (pod !== null) transaction.put("passport", "pod", pod, encodeRecord({ id }));
    for (const [seq, signed] of auth.entries()) {
      transaction.put("operation", id, `a${String(seq).padStart(9, "0")}`, encodeRecord(signed));
      transaction.put("operation", id, `h${await hashOfOperation(signed.op)}`, encodeRecord({}));
    }
  });
}

/** A host's key for a passport, as the same version kept it. */
async function keepDelegate(store: Store, { host, state }: Person): Promise<void> {
  const record = { seed: Buffer.from(host.seed).toString("base64url"), passport: state.id };
  await store.write(SERVER_POD, async (transaction) =>
    transaction.put("passport", "delegate", host.key, encodeRecord(record)),
  );
}

const left = (store: Store): Promise<string[]> =>
  store.read(SERVER_POD, async (snapshot) => {
    const found: string[] = [];
    for await (const { item } of snapshot.list("passport", "")) found.push(item);
    for await (const { item } of snapshot.all("operation")) found.push(item);
    return found;
  });

async function adopt({ store, own, logged }: Bench): Promise<void> {
  const write = (event: string, fields?: object) => void logged.push(`${event} ${JSON.stringify(fields)}`);
  await adoptFormer(store, { debug: write, info: write, warn: write, error: write }, (former) =>
    own.adopt(former),
  );
}

async function proved({ own, now }: Bench, id: Person["state"]["id"]) {
  const bundle = await own.bundle(id);
  if (!bundle) throw new Error("No such passport");
  const root = await verifyRootRecord(own.root(), null, { allowUrl: allowLoopback });
  const answer = await verifyAnswer(bundle, id, root, { now: now().getTime() });
  if (answer.kind !== "present") throw new Error("It is not there");
  return answer.passport;
}

describe("a passport from before there was a log", () => {
  after(closeBenches);

  it("is proved by the log from then on, with its chain and the numbers that others have seen", async () => {
    const store = createMemoryStore();
    const ana = await person("ana");
    await keepDelegate(store, ana);
    const { op } = ana.data;
    const later = await signOperation({ ...op, aseq: 1, dseq: 7 }, ana.rotate.op.auth, ana.keys.next);
    const auth = [ana.create, ana.rotate];
    await keepFormer(store, ana, { auth, data: later, dseq: 7, pod: "ana" });
    const seen = seenOf(await verifyBundle({ id: ana.state.id, head: { auth, data: later } }, ana.state.id));
    const here = await bench({ store });
    await adopt(here);
    const passport = await proved(here, ana.state.id);
    expect([passport.state.head.seq, passport.data?.dseq]).to.deep.equal([1, 7]);
    refuseRollback(passport, seen); // Nobody who has seen it before is led back.
    expect(await left(store)).to.deep.equal([]);
    expect(here.logged.join()).to.contain("passport.adopted").and.not.contain(ana.state.id);
  });

  it("is spoken for by its host as before", async () => {
    const store = createMemoryStore();
    const ana = await person("ana");
    await keepDelegate(store, ana);
    await keepFormer(store, ana, { auth: [ana.create], data: ana.data, dseq: 1, pod: "ana" });
    const here = await bench({ store });
    await adopt(here);
    const place = { webid: [`${HOST}/ana/profile/card#me`], storage: `${HOST}/ana-2/` };
    expect(await here.registry.publish("ana", place)).to.deep.equal({ dseq: 2 });
    expect((await proved(here, ana.state.id)).data?.moved[0]?.from).to.equal(`${HOST}/ana/`);
    expect(await here.registry.ofPod("ana")).to.equal(ana.state.id);
  });

  it("counts on from its last number also where its host was evicted and it led nowhere", async () => {
    const store = createMemoryStore();
    const ana = await person("ana");
    await keepFormer(store, ana, { auth: [ana.create, ana.rotate], data: null, dseq: 4, pod: null });
    const here = await bench({ store });
    await adopt(here);
    expect((await proved(here, ana.state.id)).data).to.equal(null);
    const choice = { id: ana.state.id, aseq: 1, webid: [`${HOST}/ana/profile/card#me`] };
    const storage = [{ id: "#pod", url: "https://new.example/ana/" }];
    const say = async (dseq: number) =>
      refusal(
        here.registry.submit(
          await signOperation(makeData({ ...choice, dseq, storage }), ana.rotate.op.auth, ana.keys.next),
        ),
      );
    expect(await say(1)).to.equal("conflict dseq");
    expect(await say(5)).to.equal("none");
  });

  it("is taken over once, however often the server starts, and by whichever of two", async () => {
    const store = createMemoryStore();
    const ana = await person("ana");
    await keepDelegate(store, ana);
    const former = { auth: [ana.create], data: ana.data, dseq: 1, pod: "ana" };
    await keepFormer(store, ana, former);
    const here = await bench({ store });
    await Promise.all([adopt(here), adopt(here)]);
    const size = here.own.zones[0]?.published().size;
    await keepFormer(store, ana, former); // As if the server had been killed after the log, before its own records.
    await adopt(here);
    expect(here.own.zones[0]?.published().size).to.equal(size);
    expect(await left(store)).to.deep.equal([]);
    expect((await here.registry.find(ana.state.id))?.pod).to.equal("ana");
  });

  it("stays as it is when its chain is broken or its zone is not here, and keeps nothing else from being taken over", async () => {
    const store = createMemoryStore();
    const [ana, bea] = [await person("ana"), await person("bea")];
    const forged = { ...ana.rotate, sigs: [{ k: 0, s: bea.rotate.sigs[0]?.s ?? "" }] };
    await keepFormer(store, ana, { auth: [ana.create, forged], data: null, dseq: 1, pod: null });
    await keepFormer(store, bea, { auth: [bea.create], data: bea.data, dseq: 1, pod: null });
    const here = await bench({ store });
    await adopt(here);
    expect(await here.own.find(ana.state.id)).to.equal(null);
    expect((await here.own.find(bea.state.id))?.state.head.seq).to.equal(0);
    expect(await left(store))
      .to.include(ana.state.id)
      .and.not.include(bea.state.id);
    expect(here.logged.join("\n")).to.contain('passport.not-adopted {"passports":1}');
  });

  it("gives nobody a way round the rules: a create that is sent brings no history along", async () => {
    const { registry } = await bench();
    const ana = await person("ana");
    const sent = { ...ana.create, adopting: { head: { auth: [ana.create], data: ana.data }, dseq: 9 } };
    expect(await refusal(registry.submit(sent))).to.match(/^operation-invalid /);
    expect(await refusal(registry.submit(ana.create)), "a registrar that nobody knows").to.equal(
      "operation-invalid sponsored",
    );
  });
});
