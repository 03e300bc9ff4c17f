/** Long because it is one list: all the ways in which an answer of the registry can be wrong, and what is said of each. */
import {
  type Absence,
  ANSWER_RULES,
  type Bundle,
  encodeBase64url,
  formatNote,
  generateKeyPair,
  headKeyOf,
  makeHold,
  type PassportError,
  parseNote,
  type RootRecord,
  seenOf,
  signAsZone,
  verifyAnswer,
} from "@freehold/client/registry";
import { expect } from "chai";
import { type Holder, holder, leading, rotated } from "./people.ts";
import { createSmallZone, noteSigner, type SmallZone } from "./small-zone.ts";

const NOON = Date.UTC(2026, 5, 1, 12);
const HOUR_MS = 3_600_000;

/** Deep copies, to be spoiled. */
type Open<T> = T extends readonly (infer E)[]
  ? Open<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Open<T[K]> }
    : T;
const copy = <T>(value: T): Open<T> => structuredClone(value) as Open<T>;

const flip = (hash: string): string => `${hash.startsWith("A") ? "B" : "A"}${hash.slice(1)}`;

describe("verifyAnswer", () => {
  let now = NOON;
  let zone: SmallZone;
  let ana: Holder;
  let ben: Holder;
  let gone: Holder;
  const tested = new Set<string>();

  before(async () => {
    zone = await createSmallZone({ now: () => now });
    [ana, ben, gone] = [await rotated(await holder("ana")), await holder("ben"), await holder("gone")];
    for (const one of [ana, ben]) await zone.put(one.id, one.head);
    for (let index = 0; index < 20; index += 1) {
      const other = await holder(`other${index}`);
      await zone.put(other.id, other.head);
    }
    await zone.publish();
  });

  const bundleOf = async (one: Holder): Promise<Open<Bundle>> => {
    const answer = await zone.answer(one.id);
    if (!("proof" in answer)) throw new Error("It is absent");
    return copy(answer);
  };
  const absenceOf = async (one: Holder): Promise<Open<Absence>> => {
    const answer = await zone.answer(one.id);
    if (!("absence" in answer)) throw new Error("It is there");
    return copy(answer);
  };

  type Options = NonNullable<Parameters<typeof verifyAnswer>[3]> & { readonly trust?: RootRecord };

  /** The rule that an answer breaks; "none" where it holds. */
  async function broken(
    source: string | object,
    id = ana.id,
    { trust, ...options }: Options = {},
  ): Promise<string> {
    try {
      await verifyAnswer(source, id, trust ?? zone.trust, { now, ...options });
      return "none";
    } catch (error) {
      const { name, rule } = error as PassportError;
      if (name !== "PassportError") throw error;
      tested.add(rule);
      return rule;
    }
  }

  it("believes a bundle, as text and as a value, and says what stands behind it", async () => {
    const bundle = await bundleOf(ana);
    const answer = await verifyAnswer(JSON.stringify(bundle), ana.id, zone.trust, { now });
    expect(await broken(bundle)).to.equal("none");
    if (answer.kind !== "present") throw new Error("It is there");
    expect(answer.passport.data?.storage[0]?.url).to.equal("https://pods.example.org/ana/");
    expect(answer).to.include({ zone: "ch", isDeactivated: false, hold: null });
    expect(answer.epoch).to.include({ epoch: 1, count: 22, at: NOON, size: zone.size() });
    expect(answer.epoch.witnesses).to.deep.equal(["w0", "w1", "w2"]);
  });

  it("believes the absence of a passport that is not there", async () => {
    const answer = await verifyAnswer(JSON.stringify(await absenceOf(gone)), gone.id, zone.trust, { now });
    expect(answer).to.include({ kind: "absent", zone: "ch" });
  });

  it("believes a head without data, and with a hold that the zone has signed", async () => {
    const held = await holder("held");
    const op = makeHold(
      "hold",
      { id: held.id, after: held.head.auth[0]?.op as never },
      { case: "ZH-2026-77", reason: "court-order" },
      new Date(now),
    );
    await zone.put(held.id, { auth: held.head.auth, data: null, hold: await signAsZone(op, zone.zoneKey) });
    await zone.publish();
    const answer = await verifyAnswer(await bundleOf(held), held.id, zone.trust, { now });
    if (answer.kind !== "present") throw new Error("It is there");
    expect([answer.hold?.case, answer.passport.data]).to.deep.equal(["ZH-2026-77", null]);

    const hidden = await bundleOf(held);
    delete hidden.head.hold;
    expect(await broken(hidden, held.id), "a hold that is hidden").to.equal("map-root");
    const forged = await bundleOf(held);
    forged.head.hold = copy(await signAsZone(op, await generateKeyPair()));
    expect(await broken(forged, held.id), "a hold by a stranger").to.equal("signature");
    await zone.remove(held.id);
    await zone.publish();
  });

  /** What is wrong, the rule that must find it, and how it is made wrong. */
  const SPOILED: readonly (readonly [string, string, (bundle: Open<Bundle>) => unknown])[] = [
    [
      "another pod",
      "signature",
      ({ head }) =>
        (head.data as never as { op: { storage: { url: string }[] } }).op.storage.forEach(
          (one) => (one.url = "https://evil.example/"),
        ),
    ],
    [
      "another WebID",
      "signature",
      ({ head }) => head.data?.op.webid.splice(0, 1, "https://evil.example/#me"),
    ],
    ["another key that speaks for her", "signature", ({ head }) => head.data?.op.keys.splice(0, 9)],
    ["data that is hidden", "map-root", ({ head }) => (head.data = null)],
    ["the rotation that is hidden", "aseq", ({ head }) => head.auth.pop()],
    ["rotation and data that are hidden", "map-root", ({ head }) => (head.auth.pop(), (head.data = null))],
    [
      "a rotation by keys that were not promised",
      "pre-rotation",
      ({ head }) => {
        const rotate = head.auth[1]?.op;
        if (rotate) rotate.auth = copy(ben.head.auth[0]?.op.auth as NonNullable<typeof rotate>["auth"]);
      },
    ],
    [
      "a genesis with another nonce",
      "signature",
      ({ head }) => {
        const genesis = head.auth[0]?.op;
        if (genesis?.t === "create") genesis.nonce = "AAAAAAAAAAAAAAAAAAAAAA";
      },
    ],
    ["a chain that begins with its rotation", "bundle", ({ head }) => head.auth.shift()],
    ["another identifier", "identifier", (bundle) => (bundle.id = ben.id as never)],
    ["a wrong opening", "map-root", ({ proof }) => (proof.opening = flip(proof.opening))],
    ["an opening with padding", "answer", ({ proof }) => (proof.opening = `${proof.opening}=`)],
    [
      "an opening with loose bits",
      "answer",
      ({ proof }) => (proof.opening = `${proof.opening.slice(0, -1)}B`),
    ],
    [
      "another sibling in the map",
      "map-root",
      ({ proof }) => proof.map.splice(0, 1, flip(proof.map[0] ?? "")),
    ],
    ["a path that is cut short", "map-root", ({ proof }) => proof.map.pop()],
    ["a path with nothing at its end", "map-path", ({ proof }) => proof.map.push("")],
    ["nothing that is written as a hash", "answer", ({ proof }) => proof.map.push("A".repeat(43))],
    [
      "a path that is far too long",
      "answer",
      ({ proof }) => proof.map.push(...Array.from({ length: 300 }, () => "")),
    ],
    ["another root of the map", "map-root", ({ proof }) => (proof.rootLeaf.root = flip(proof.rootLeaf.root))],
    ["another count", "inclusion", ({ proof }) => (proof.rootLeaf.count += 1)],
    ["another epoch", "inclusion", ({ proof }) => (proof.rootLeaf.epoch += 1)],
    ["an epoch that is no number", "answer", ({ proof }) => (proof.rootLeaf.epoch = "1" as never)],
    ["another index", "last-leaf", ({ proof }) => (proof.log.index -= 1)],
    [
      "another path in the log",
      "inclusion",
      ({ proof }) => proof.log.path.splice(0, 1, flip(proof.log.path[0] ?? "")),
    ],
    ["no path in the log", "inclusion", ({ proof }) => (proof.log.path = [])],
    ["the shard of another zone", "zone", ({ proof }) => (proof.shard = "za/2026")],
    ["the shard of another year", "map-root", ({ proof }) => (proof.shard = "ch/2025")],
    ["a shard that is none", "answer", ({ proof }) => (proof.shard = "ch")],
    [
      "a checkpoint with another size",
      "log-signature",
      (bundle) => (bundle.checkpoint = bundle.checkpoint.replace(/\n\d+\n/, "\n999\n")),
    ],
    [
      "a checkpoint of another log",
      "origin",
      (bundle) => (bundle.checkpoint = bundle.checkpoint.replace("log.ch", "log.za")),
    ],
    [
      "a checkpoint that is no note",
      "note",
      (bundle) => (bundle.checkpoint = bundle.checkpoint.replace("\n\n", "\n")),
    ],
    [
      "a note that is no checkpoint",
      "checkpoint",
      (bundle) => {
        const { signatures } = parseNote(bundle.checkpoint);
        bundle.checkpoint = formatNote({ body: "log.ch.example/2026\nmany\n", signatures });
      },
    ],
    ["no checkpoint", "answer", (bundle) => (bundle.checkpoint = undefined as never)],
    ["no head", "answer", (bundle) => (bundle.head = undefined as never)],
    ["both a proof and an absence", "answer", (bundle) => Object.assign(bundle, { absence: bundle.proof })],
  ];

  for (const [what, rule, spoil] of SPOILED)
    it(`refuses ${what} (${rule})`, async () => {
      const bundle = await bundleOf(ana);
      expect(await broken(bundle)).to.equal("none");
      spoil(bundle);
      expect(await broken(bundle)).to.equal(rule);
    });

  it("refuses JSON with traps: a name twice, a fraction, a lone surrogate, no JSON at all", async () => {
    const text = JSON.stringify(await bundleOf(ana));
    for (const trap of [
      text.replace(`{"id":`, `{"id":"dpch1","id":`),
      text.replace(/"count":(\d+)/, `"count":$1.0`),
      text.replace(`"checkpoint":"`, `"checkpoint":"\\ud800`),
      `${text}{}`,
      "<html>",
    ])
      expect(await broken(trap)).to.equal("json");
  });

  it("refuses everything of another passport, whatever was asked for", async () => {
    expect(await broken(await bundleOf(ben))).to.equal("identifier");
    const swapped = await bundleOf(ana);
    const other = await bundleOf(ben);
    swapped.head = other.head;
    expect(await broken(swapped)).to.equal("identifier");
    expect(await broken({ ...other, id: ana.id })).to.equal("identifier");
    expect(await broken(await bundleOf(ana), "dpch1" as never)).to.equal("identifier");
  });

  it("refuses a zone that the root does not name, or that has ended, or of another root", async () => {
    const bundle = await bundleOf(ana);
    const zones = (change: object): RootRecord => ({
      ...zone.trust,
      zones: { ch: { ...(zone.trust.zones["ch"] as RootRecord["zones"][string]), ...change } },
    });
    expect(await broken(bundle, ana.id, { trust: { ...zone.trust, zones: {} } })).to.equal("zone-unknown");
    for (const status of ["failed", "delisted"])
      expect(await broken(bundle, ana.id, { trust: zones({ status }) })).to.equal("zone-ended");
    expect(await broken(bundle, ana.id, { trust: zones({ status: "emergency" }) })).to.equal("none");
    const another = await createSmallZone({ now: () => now });
    expect(await broken(bundle, ana.id, { trust: another.trust })).to.equal("log-signature");
    expect(await broken(bundle, ana.id, { zone: "za" })).to.equal("zone");
  });

  describe("signatures", () => {
    const signedBy = async (signers: SmallZone["witnesses"]): Promise<Open<Bundle>> => {
      await zone.publish({ signers });
      return bundleOf(ana);
    };
    after(() => zone.publish());

    it("two witnesses of three are enough, one is not, and strangers count for nothing", async () => {
      const [one, two] = zone.witnesses as [SmallZone["log"], SmallZone["log"]];
      const stranger = await noteSigner(await generateKeyPair(), "w9.example", () => now);
      expect(await broken(await signedBy([zone.log, one, two, stranger]))).to.equal("none");
      expect(await broken(await signedBy([zone.log, one, stranger]))).to.equal("quorum");
      expect(await broken(await signedBy([zone.log, one, one]))).to.equal("quorum");
      expect(await broken(await signedBy([one, two]))).to.equal("log-signature");
    });

    it("a key of the log is no witness, and a witness is not the log", async () => {
      const [one, two] = zone.witnesses as [SmallZone["log"], SmallZone["log"]];
      const asLog = { ...one, key: { ...one.key, name: zone.log.key.name, id: zone.log.key.id } };
      expect(await broken(await signedBy([asLog, one, two]))).to.equal("log-signature");
      const asWitness = { ...zone.log, key: two.key };
      expect(await broken(await signedBy([zone.log, one, asWitness]))).to.equal("quorum");
    });

    it("signatures of another tree do not count", async () => {
      const before = parseNote((await signedBy([zone.log, ...zone.witnesses])).checkpoint);
      const bundle = await signedBy([zone.log, ...zone.witnesses]);
      const { body, signatures } = parseNote(bundle.checkpoint);
      const [log] = signatures;
      const mixed = formatNote({
        body,
        signatures: [log as NonNullable<typeof log>, ...before.signatures.slice(1)],
      });
      expect(await broken({ ...bundle, checkpoint: mixed })).to.equal("quorum");
      expect(
        await broken({ ...bundle, checkpoint: formatNote({ body, signatures: before.signatures }) }),
      ).to.equal("log-signature");
    });
  });

  describe("time", () => {
    it("a day is the oldest, five minutes for who asks for that, and nothing is of tomorrow", async () => {
      const bundle = await bundleOf(ana);
      expect(await broken(bundle, ana.id, { now: now + 24 * HOUR_MS })).to.equal("none");
      expect(await broken(bundle, ana.id, { now: now + 25 * HOUR_MS })).to.equal("freshness");
      expect(await broken(bundle, ana.id, { now: now + 6 * 60_000, maxAgeSeconds: 300 })).to.equal(
        "freshness",
      );
      expect(await broken(bundle, ana.id, { now: now - 4 * 60_000 })).to.equal("none");
      expect(await broken(bundle, ana.id, { now: now - HOUR_MS })).to.equal("future");
    });

    it("one fresh signature does not make an old quorum fresh", async () => {
      const old = [zone.witnesses[1], zone.witnesses[2]] as SmallZone["witnesses"];
      const { body } = parseNote(zone.checkpoint());
      const bundle = await bundleOf(ana);
      now += 30 * HOUR_MS;
      const fresh = zone.witnesses[0] as SmallZone["log"];
      const line = { name: fresh.key.name, id: fresh.key.id, bytes: await fresh.sign(body) };
      const kept = parseNote(bundle.checkpoint).signatures.filter(({ name }) =>
        [zone.log, ...old].some(({ key }) => key.name === name),
      );
      const checkpoint = formatNote({ body, signatures: [...kept, line] });
      expect(await broken({ ...bundle, checkpoint })).to.equal("freshness");
      now = NOON;
    });

    it("the log of a year counts until a day after its end, whoever signs it later", async () => {
      now = Date.UTC(2026, 11, 31, 23);
      await zone.publish();
      const bundle = await bundleOf(ana);
      expect(await broken(bundle)).to.equal("none");
      now = Date.UTC(2027, 0, 3);
      await zone.publish();
      expect(await broken(await bundleOf(ana))).to.equal("shard-year");
      now = NOON;
      await zone.publish();
    });
  });

  describe("old states", () => {
    it("refuses an old root of the map in a new checkpoint, though the log has it", async () => {
      const old = await bundleOf(ben);
      ben = { ...ben, head: await leading(ben, "https://new.example.org/ben/") };
      await zone.put(ben.id, ben.head);
      await zone.publish();
      const { checkpoint, proof } = await bundleOf(ben);
      expect(await broken({ ...old, checkpoint }, ben.id)).to.equal("last-leaf");
      const asLast = { ...old, checkpoint, proof: { ...old.proof, log: proof.log } };
      expect(await broken(asLast, ben.id)).to.equal("inclusion");
      const inNewMap = { ...old, checkpoint, proof: { ...proof, opening: old.proof.opening } };
      expect(await broken(inNewMap, ben.id)).to.equal("map-root");
    });

    it("refuses a whole old answer to who has seen a newer one, and another state with the same numbers", async () => {
      const old = await bundleOf(ben);
      const before = ben;
      ben = await rotated(ben);
      await zone.put(ben.id, ben.head);
      await zone.publish();
      const newer = await verifyAnswer(await bundleOf(ben), ben.id, zone.trust, { now });
      if (newer.kind !== "present") throw new Error("It is there");
      const seen = seenOf(newer.passport);
      expect(await broken(old, ben.id)).to.equal("none");
      expect(await broken(old, ben.id, { seen })).to.equal("rollback");
      const fork = { ...before, head: await leading(before, "https://fork.example.org/ben/") };
      await zone.put(fork.id, fork.head);
      await zone.publish();
      expect(await broken(await bundleOf(fork), ben.id, { seen: { ...seen, aseq: 0 } })).to.equal("rollback");
    });
  });

  describe("absence", () => {
    it("nobody can hide a passport that is there", async () => {
      const { proof, checkpoint } = await bundleOf(ana);
      const { shard, rootLeaf, log, map } = proof;
      const key = encodeBase64url(await headKeyOf(shard, ana.id));
      const hidden = (change: object) => ({
        id: ana.id,
        absence: { shard, rootLeaf, log, map, end: null, ...change },
        checkpoint,
      });
      expect(await broken(hidden({})), "nothing is there").to.equal("map-root");
      expect(await broken(hidden({ end: { key, commit: key } })), "it is itself").to.equal("absence");
      const far = encodeBase64url(await headKeyOf(shard, ben.id));
      const elsewhere =
        flip(far) === far
          ? far
          : encodeBase64url(new Uint8Array(32).fill((await headKeyOf(shard, ana.id))[0] ? 0 : 255));
      expect(await broken(hidden({ end: { key: elsewhere, commit: key } })), "not on the way").to.equal(
        "absence",
      );
      const other = await absenceOf(gone);
      expect(await broken({ ...other, id: ana.id }), "another's absence").to.be.oneOf([
        "absence",
        "map-root",
      ]);
    });

    it("an absence has to be whole, of this map and of this log", async () => {
      const spoiled = async (spoil: (absence: Open<Absence>) => unknown): Promise<string> => {
        const absence = await absenceOf(gone);
        spoil(absence);
        return broken(absence, gone.id);
      };
      expect(await spoiled(() => {})).to.equal("none");
      expect(await spoiled(({ absence }) => absence.map.splice(0, 1, flip(absence.map[0] ?? "")))).to.equal(
        "map-root",
      );
      expect(await spoiled(({ absence }) => delete (absence as { end?: unknown }).end)).to.equal("answer");
      expect(await spoiled(({ absence }) => (absence.rootLeaf.count += 1))).to.equal("inclusion");
      expect(await spoiled(({ absence }) => (absence.log.index -= 1))).to.equal("last-leaf");
      expect(await spoiled(({ absence }) => (absence.shard = "za/2026"))).to.equal("zone");
      expect(await broken(await absenceOf(gone), gone.id, { now: now + 25 * HOUR_MS })).to.equal("freshness");
    });

    it("a passport that was erased is absent at the next epoch, and its old bundle is no answer for long", async () => {
      const dora = await holder("dora");
      await zone.put(dora.id, dora.head);
      await zone.publish();
      const old = await bundleOf(dora);
      await zone.remove(dora.id);
      await zone.publish();
      expect((await verifyAnswer(await absenceOf(dora), dora.id, zone.trust, { now })).kind).to.equal(
        "absent",
      );
      expect(await broken(old, dora.id, { now: now + 25 * HOUR_MS })).to.equal("freshness");
    });
  });

  after(() => {
    expect(
      Object.keys(ANSWER_RULES).filter((rule) => !tested.has(rule)),
      "rules that nothing here breaks",
    ).to.deep.equal([]);
  });
});
