/** Long, for it is one list: answers that are not true, each with the rule that refuses it. Published, and sent to real clients. */
import {
  type Absence,
  type Bundle,
  bytesOfOperation,
  encodeBase64url,
  formatNote,
  hashSetOf,
  headKeyOf,
  type KeyPair,
  keySetOf,
  makeHold,
  makeRotate,
  type NoteSignature,
  type NoteSigner,
  type PassportId,
  parseNote,
  type RootRecord,
  type Seen,
  type SignedRootRecord,
  seenOf,
  signAsZone,
  signOperation,
  stateAfter,
  transferPassport,
  verifyAnswer,
} from "@freehold/client/registry";
import { type Holder, holder, key, leading, rotatedAs } from "./people.ts";
import { createSmallZone, noteSigner, type SmallZone } from "./small-zone.ts";

export const NOON: number = Date.UTC(2026, 5, 1, 12);
const HOUR_MS = 3_600_000;

export type Kind = "tampered" | "forged" | "mis-encoded" | "stale" | "replayed" | "split-view";

/** Deep copies, to be spoiled. */
type Open<T> = T extends readonly (infer E)[]
  ? Open<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Open<T[K]> }
    : T;

const copy = <T>(value: T): Open<T> => structuredClone(value) as Open<T>;

/** What a reader is told, and what the reader knows. */
export interface Told {
  readonly id: PassportId;
  readonly answer: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly trust: RootRecord;
  /** Where it is not the zone's first. */
  readonly root?: SignedRootRecord;
  readonly seen?: Seen;
  readonly maxAgeSeconds?: number;
}

export interface Attack {
  readonly kind: Kind;
  readonly name: string;
  /** What refuses it. */
  readonly rule: string;
  readonly make: (world: AnswerWorld) => Told | Promise<Told>;
}

/** A zone with people, its clock, and what somebody saw of it before. */
export interface AnswerWorld {
  readonly zone: SmallZone;
  readonly clock: { now: number };
  /** Rotated once. */
  readonly ana: Holder;
  readonly before: Holder;
  readonly ben: Holder;
  readonly held: Holder;
  readonly gone: Holder;
  readonly stranger: KeyPair;
  /** Of Ana and of Ben, from before the last epoch. */
  readonly old: { readonly ana: Open<Bundle>; readonly ben: Open<Bundle> };
  bundle(one: Holder): Promise<Open<Bundle>>;
  absence(one: Holder): Promise<Open<Absence>>;
  told(one: Holder, answer: string | object, more?: Partial<Told>): Told;
  /** The same operator's other log: the same keys, and what it wants somebody to see. */
  fork(heads: readonly Holder[]): Promise<SmallZone>;
}

export async function createAnswerWorld(
  zone: SmallZone,
  clock: { now: number },
  createFork: () => Promise<SmallZone>,
): Promise<AnswerWorld> {
  const before = await holder("ana");
  const [ben, gone, bare] = [await holder("ben"), await holder("gone"), await holder("held")];
  const genesis = bare.head.auth[0]?.op;
  if (!genesis) throw new Error("A head has a genesis");
  const of = { case: "ZH-2026-77", reason: "court-order" } as const;
  const hold = makeHold("hold", { id: bare.id, after: genesis }, of, new Date(NOON));
  const held = { ...bare, head: { ...bare.head, hold: await signAsZone(hold, zone.zoneKey) } };
  const bundle = async (one: Holder): Promise<Open<Bundle>> => {
    const answer = await zone.answer(one.id);
    if (!("proof" in answer)) throw new Error("It is absent");
    return copy(answer);
  };
  const crowd = await Promise.all(Array.from({ length: 20 }, (_, index) => holder(`other${index}`)));
  for (const one of [before, ben, held, ...crowd]) await zone.put(one.id, one.head);
  await zone.publish();
  const old = { ana: await bundle(before), ben: await bundle(ben) };
  const ana = await rotatedAs("ana/after", before);
  await zone.put(ana.id, ana.head);
  await zone.publish();
  return {
    zone,
    clock,
    ana,
    before,
    ben,
    held,
    gone,
    stranger: await key("stranger"),
    old,
    bundle,
    async absence(one) {
      const answer = await zone.answer(one.id);
      if (!("absence" in answer)) throw new Error("It is there");
      return copy(answer);
    },
    told: ({ id }, answer, more = {}) => ({
      id,
      answer: typeof answer === "string" ? answer : JSON.stringify(answer),
      now: clock.now,
      trust: zone.trust,
      ...more,
    }),
    async fork(heads) {
      const other = await createFork();
      for (const one of heads) await other.put(one.id, one.head);
      for (const one of crowd) await other.put(one.id, one.head);
      await other.publish();
      return other;
    },
  };
}

/** A world in which everything follows from a seed. */
export async function createSeededWorld(url?: string): Promise<AnswerWorld> {
  const clock = { now: NOON };
  const create = () => createSmallZone({ now: () => clock.now, seed: "answers", ...(url && { url }) });
  return createAnswerWorld(await create(), clock, create);
}

const flip = (hash: string): string => `${hash.startsWith("B") ? "C" : "B"}${hash.slice(1)}`;
const flipAt = (list: string[], at: number): void => void list.splice(at, 1, flip(list[at] ?? ""));
const deepest = (list: readonly string[]): number => list.length - 1;

type Spoil<T> = (answer: T, world: AnswerWorld) => unknown;

/** Ana's bundle, but for what is changed. */
const bundle =
  (spoil: Spoil<Open<Bundle>>): Attack["make"] =>
  async (world) => {
    const answer = await world.bundle(world.ana);
    await spoil(answer, world);
    return world.told(world.ana, answer);
  };

const text =
  (spoil: (text: string) => string): Attack["make"] =>
  async (world) => {
    const [plain, changed] = [JSON.stringify(await world.bundle(world.ana)), spoil];
    if (changed(plain) === plain) throw new Error("Nothing was changed");
    return world.told(world.ana, changed(plain));
  };

const absence =
  (spoil: Spoil<Open<Absence>>): Attack["make"] =>
  async (world) => {
    const answer = await world.absence(world.gone);
    await spoil(answer, world);
    return world.told(world.gone, answer);
  };

/** That Ana is not there, by the path to where she is. */
const hidden =
  (
    end: (world: AnswerWorld, key: Uint8Array) => Promise<Uint8Array | null> | Uint8Array | null,
  ): Attack["make"] =>
  async (world) => {
    const { proof, checkpoint } = await world.bundle(world.ana);
    const { shard, rootLeaf, log, map } = proof;
    const at = await end(world, await headKeyOf(shard, world.ana.id));
    const commit = "B".repeat(42) + "A";
    const last = at && { key: encodeBase64url(at), commit };
    return world.told(world.ana, {
      id: world.ana.id,
      absence: { shard, rootLeaf, log, map, end: last },
      checkpoint,
    });
  };

/** Ana's bundle in a checkpoint that others have signed. */
const signed =
  (signers: (world: AnswerWorld) => readonly NoteSigner[] | Promise<readonly NoteSigner[]>): Attack["make"] =>
  async (world) => {
    await world.zone.publish({ signers: await signers(world) });
    const answer = await world.bundle(world.ana);
    await world.zone.publish();
    return world.told(world.ana, answer);
  };

const note = (
  change: (body: string, signatures: NoteSignature[]) => readonly [string, readonly NoteSignature[]],
) =>
  bundle((answer) => {
    const { body, signatures } = parseNote(answer.checkpoint);
    const [changed, left] = change(body, [...signatures]);
    answer.checkpoint = formatNote({ body: changed, signatures: left });
  });

const witnesses = ({ zone }: AnswerWorld): readonly [NoteSigner, NoteSigner, NoteSigner] =>
  zone.witnesses as never;

/** What is known to somebody who was told the truth. */
async function sawAll({ zone, clock, ana }: AnswerWorld): Promise<Seen> {
  const found = await verifyAnswer(await zone.answer(ana.id), ana.id, zone.trust, { now: clock.now });
  if (found.kind !== "present") throw new Error("It is there");
  return seenOf(found.passport);
}

async function stateOf(one: Holder) {
  let state = null;
  for (const { op } of one.head.auth) state = await stateAfter(state, op);
  if (!state) throw new Error("A head has a genesis");
  return state;
}

/** At another time, and back. */
async function later<T>(world: AnswerWorld, now: number, work: () => Promise<T>): Promise<T> {
  const was = world.clock.now;
  world.clock.now = now;
  try {
    return await work();
  } finally {
    world.clock.now = was;
    await world.zone.publish();
  }
}

const TAMPERED: readonly (readonly [name: string, rule: string, make: Attack["make"]])[] = [
  ["another pod", "signature", text((one) => one.replace(`"url":"https://pods.`, `"url":"https://evil.`))],
  [
    "another WebID",
    "signature",
    text((one) => one.replace(`"webid":["https://pods.`, `"webid":["https://evil.`)),
  ],
  [
    "a key that speaks for her taken away",
    "signature",
    bundle(({ head }) => head.data?.op.keys.splice(0, 9)),
  ],
  [
    "a time to live of a minute",
    "signature",
    bundle(({ head }) => Object.assign(head.data?.op ?? {}, { ttl: 60 })),
  ],
  ["the data record hidden", "map-root", bundle(({ head }) => (head.data = null))],
  ["the rotation hidden", "aseq", bundle(({ head }) => head.auth.pop())],
  ["rotation and data hidden", "map-root", bundle(({ head }) => (head.auth.pop(), (head.data = null)))],
  ["a chain without its beginning", "bundle", bundle(({ head }) => head.auth.shift())],
  [
    "a genesis with another nonce",
    "signature",
    bundle(({ head }) => Object.assign(head.auth[0]?.op ?? {}, { nonce: "A".repeat(22) })),
  ],
  [
    "a rotation without its signature",
    "signature-form",
    bundle(({ head }) => head.auth[1]?.sigs.splice(0, 1)),
  ],
  ["the opening changed", "map-root", bundle(({ proof }) => (proof.opening = flip(proof.opening)))],
  ["the first sibling changed", "map-root", bundle(({ proof }) => flipAt(proof.map, 0))],
  ["the deepest sibling changed", "map-root", bundle(({ proof }) => flipAt(proof.map, deepest(proof.map)))],
  ["a path cut short", "map-root", bundle(({ proof }) => proof.map.pop())],
  ["a path turned round", "map-root", bundle(({ proof }) => proof.map.reverse())],
  ["a path that goes on for nothing", "map-path", bundle(({ proof }) => proof.map.push(""))],
  [
    "another root of the map",
    "map-root",
    bundle(({ proof }) => (proof.rootLeaf.root = flip(proof.rootLeaf.root))),
  ],
  ["another count", "inclusion", bundle(({ proof }) => (proof.rootLeaf.count += 1))],
  ["another epoch", "inclusion", bundle(({ proof }) => (proof.rootLeaf.epoch += 1))],
  ["another index", "last-leaf", bundle(({ proof }) => (proof.log.index -= 1))],
  ["a hash of the log changed", "inclusion", bundle(({ proof }) => flipAt(proof.log.path, 0))],
  ["no path in the log", "inclusion", bundle(({ proof }) => (proof.log.path = []))],
  ["the shard of another zone", "zone", bundle(({ proof }) => (proof.shard = "za/2026"))],
  ["the shard of another year", "map-root", bundle(({ proof }) => (proof.shard = "ch/2025"))],
  [
    "a larger tree",
    "log-signature",
    bundle((one) => (one.checkpoint = one.checkpoint.replace(/\n\d+\n/, "\n999\n"))),
  ],
  [
    "another root of the tree",
    "log-signature",
    note((body, lines) => [
      body.replace(/\n(.)(.{42}=)\n$/, (_, a: string, b: string) => `\n${a === "A" ? "B" : "A"}${b}\n`),
      lines,
    ]),
  ],
  [
    "another origin",
    "origin",
    bundle((one) => (one.checkpoint = one.checkpoint.replace("log.ch", "log.za"))),
  ],
  [
    "a witness's time made newer",
    "quorum",
    note((body, lines) => [
      body,
      lines.map((one) =>
        one.name === "w0.example" ? { ...one, bytes: one.bytes.with(7, (one.bytes[7] ?? 0) ^ 1) } : one,
      ),
    ]),
  ],
  [
    "an absence with a sibling changed",
    "map-root",
    absence(({ absence: { map } }) => flipAt(map, deepest(map))),
  ],
  ["an absence whose path is cut short", "map-root", absence(({ absence: { map } }) => map.pop())],
  ["an absence of another count", "inclusion", absence(({ absence: { rootLeaf } }) => (rootLeaf.count -= 1))],
  ["an absence by another index", "last-leaf", absence(({ absence: { log } }) => (log.index += 1))],
  ["an absence of another zone", "zone", absence(({ absence: one }) => (one.shard = "za/2026"))],
  [
    "a hold hidden",
    "map-root",
    async (world) => {
      const answer = await world.bundle(world.held);
      delete answer.head.hold;
      return world.told(world.held, answer);
    },
  ],
];

const FORGED: typeof TAMPERED = [
  [
    "where it leads, by a stranger",
    "signature",
    bundle(async (one, { ana, stranger }) =>
      Object.assign(one.head, await leading({ ...ana, host: stranger }, "https://evil.example.org/")),
    ),
  ],
  [
    "a key that the host adds",
    "delegate-keys",
    bundle(async (one, { ana, stranger }) => {
      const [genesis, rotate] = structuredClone(ana.head.auth) as Open<Bundle>["head"]["auth"];
      if (!genesis || !rotate) throw new Error("It was rotated");
      rotate.op.auth.keys = [stranger.key];
      const auth = [genesis, rotate] as unknown as Holder["head"]["auth"];
      const { data } = await leading(
        { ...ana, head: { ...ana.head, auth } },
        "https://pods.example.org/ana/",
      );
      Object.assign(one.head, { data });
    }),
  ],
  [
    "the word of a host that was left",
    "signature",
    bundle(async (one, { ana, stranger }) => {
      const [after] = [ana.head.auth.at(-1)?.op];
      if (!after) throw new Error("It was rotated");
      const op = await makeRotate({
        id: ana.id,
        after,
        auth: keySetOf(ana.keys.next),
        next: await hashSetOf([await key("ana/later")]),
        delegateKey: stranger.key,
      });
      const auth = [...ana.head.auth, await signOperation(op, op.auth, ana.keys.next)];
      Object.assign(
        one.head,
        await leading({ ...ana, head: { ...ana.head, auth } }, "https://pods.example.org/ana/"),
      );
    }),
  ],
  [
    "a rotation to keys that were not promised",
    "pre-rotation",
    bundle(async (one, { ana, stranger }) => {
      const after = ana.head.auth.at(-1)?.op;
      if (!after) throw new Error("It was rotated");
      const op = await makeRotate({
        id: ana.id,
        after,
        auth: keySetOf([stranger]),
        next: await hashSetOf([await key("thief/next")]),
      });
      Object.assign(one.head, {
        auth: [...ana.head.auth, await signOperation(op, op.auth, [stranger])],
        data: null,
      });
    }),
  ],
  [
    "a rotation that yesterday's key has signed",
    "signature",
    bundle(async ({ head }, { before }) => {
      const [, rotate] = head.auth;
      const [thief] = before.keys.authority;
      if (!rotate || !thief) throw new Error("It was rotated");
      rotate.sigs = [{ k: 0, s: encodeBase64url(await thief.sign(bytesOfOperation(rotate.op as never))) }];
    }),
  ],
  [
    "a transfer in spite of its lock",
    "locked",
    bundle(async (one, { ana }) => {
      const transfer = await transferPassport(await stateOf(ana), ana.keys.authority, "evil.registrar");
      Object.assign(one.head, { auth: [...ana.head.auth, transfer] });
    }),
  ],
  ["a second beginning", "bundle", bundle(({ head }) => head.auth.push(...head.auth.slice(0, 1)))],
  [
    "a hold by a stranger",
    "signature",
    async (world) => {
      const answer = await world.bundle(world.held);
      const op = world.held.head.hold?.op;
      if (!op) throw new Error("It is held");
      answer.head.hold = structuredClone(await signAsZone(op, world.stranger)) as never;
      return world.told(world.held, answer);
    },
  ],
  [
    "a checkpoint that another key has signed",
    "log-signature",
    signed(async (world) => [
      await noteSigner(world.stranger, world.zone.log.key.name, null),
      ...world.zone.witnesses,
    ]),
  ],
  ["a checkpoint that the zone has not signed", "log-signature", signed((world) => world.zone.witnesses)],
  ["a checkpoint with one witness", "quorum", signed((world) => [world.zone.log, witnesses(world)[0]])],
  [
    "a checkpoint with one witness, twice",
    "quorum",
    signed((world) => [world.zone.log, witnesses(world)[0], witnesses(world)[0]]),
  ],
  [
    "strangers for witnesses",
    "quorum",
    signed(async (world) => {
      const strangers = ["x", "y"].map(async (name) =>
        noteSigner(await key(name), `${name}.example`, () => world.clock.now),
      );
      return [world.zone.log, ...(await Promise.all(strangers))];
    }),
  ],
  [
    "the zone in a witness's place",
    "quorum",
    signed((world) => [
      world.zone.log,
      witnesses(world)[0],
      { ...world.zone.log, key: witnesses(world)[1].key },
    ]),
  ],
  ["an absence at nothing, where she is", "map-root", hidden(() => null)],
  ["an absence at herself", "absence", hidden((_, own) => own)],
  [
    "an absence at somebody far away",
    "absence",
    hidden((_, own) => new Uint8Array(32).fill((own[0] ?? 0) < 128 ? 255 : 0)),
  ],
  [
    "an absence at somebody near who is not there",
    "map-root",
    hidden((_, own) => own.with(31, (own[31] ?? 0) ^ 1)),
  ],
  [
    "a zone that the root does not name",
    "zone-unknown",
    async (world) => {
      const other = await createSmallZone({ now: () => world.clock.now, zone: "xx", seed: "elsewhere" });
      const xenia = await holder("xenia", "xx");
      await other.put(xenia.id, xenia.head);
      await other.publish();
      return world.told(xenia, await other.answer(xenia.id));
    },
  ],
  [
    "a zone that has ended",
    "zone-ended",
    async (world) => {
      const { zones } = world.zone.trust;
      const ch = { ...(zones["ch"] as RootRecord["zones"][string]), status: "failed" as const };
      const root = await world.zone.nextRoot({ zones: { ch } });
      return world.told(world.ana, await world.bundle(world.ana), { trust: root.record, root });
    },
  ],
];

const spell = (name: string, change: (hash: string) => string): Attack["make"] =>
  text((one) =>
    one.replace(
      new RegExp(`("${name}":")([A-Za-z0-9_-]{43})"`),
      (_, head: string, hash: string) => `${head}${change(hash)}"`,
    ),
  );

const MIS_ENCODED: typeof TAMPERED = [
  ["a name twice", "json", text((one) => one.replace(`{"id":`, `{"id":"dpch1","id":`))],
  [
    "a name twice, once escaped",
    "json",
    text((one) => one.replace(`"opening":`, `"openin\\u0067":"","opening":`)),
  ],
  ["a fraction", "json", text((one) => one.replace(/"count":(\d+)/, `"count":$1.0`))],
  ["an exponent", "json", text((one) => one.replace(/"count":(\d+)/, `"count":$1e0`))],
  ["less than nothing of nothing", "json", text((one) => one.replace(/"count":\d+/, `"count":-0`))],
  ["a number too large", "json", text((one) => one.replace(/"count":\d+/, `"count":9007199254740992`))],
  ["half a character", "json", text((one) => one.replace(`"checkpoint":"`, `"checkpoint":"\\ud800`))],
  ["a name that programs trip over", "json", text((one) => one.replace(`{"id":`, `{"__proto__":{},"id":`))],
  ["something after its end", "json", text((one) => `${one}{}`)],
  [
    "seventeen levels",
    "json",
    text((one) => one.replace(`{"id":`, `{"deep":${"[".repeat(17)}${"]".repeat(17)},"id":`)),
  ],
  ["a page", "json", text(() => "<!doctype html><title>OK</title>")],
  ["a list", "answer", text((one) => `[${one}]`)],
  ["padding", "answer", spell("opening", (hash) => `${hash}=`)],
  ["loose bits", "answer", spell("opening", (hash) => hash.slice(0, -1) + (hash.endsWith("9") ? "-" : "9"))],
  ["the alphabet with a slash", "answer", spell("root", (hash) => `/${hash.slice(1)}`)],
  ["a hash of 31 bytes", "answer", spell("root", (hash) => hash.slice(0, 42))],
  ["nothing written as a hash", "answer", bundle(({ proof }) => proof.map.push("A".repeat(43)))],
  [
    "more siblings than bits",
    "answer",
    bundle(({ proof }) => proof.map.push(...Array<string>(257).fill(""))),
  ],
  [
    "more hashes than a log has levels",
    "answer",
    bundle(({ proof }) => proof.log.path.push(...Array<string>(64).fill(proof.opening))),
  ],
  [
    "a number in quotes",
    "answer",
    bundle(({ proof }) => Object.assign(proof.rootLeaf, { epoch: String(proof.rootLeaf.epoch) })),
  ],
  ["a shard without its year", "answer", bundle(({ proof }) => (proof.shard = "ch"))],
  ["no checkpoint", "answer", bundle((one) => Object.assign(one, { checkpoint: null }))],
  ["presence and absence in one", "answer", bundle((one) => Object.assign(one, { absence: one.proof }))],
  [
    "an absence without an end",
    "answer",
    absence(({ absence: one }) => delete (one as { end?: unknown }).end),
  ],
  [
    "her name in capitals",
    "identifier",
    bundle((one) => Object.assign(one, { id: String(one.id).toUpperCase() })),
  ],
  [
    "a note without its empty line",
    "note",
    bundle((one) => (one.checkpoint = one.checkpoint.replace("\n\n", "\n"))),
  ],
  [
    "a note with carriage returns",
    "note",
    bundle((one) => (one.checkpoint = one.checkpoint.replaceAll("\n", "\r\n"))),
  ],
  [
    "a note with a hyphen for its dash",
    "note",
    bundle((one) => (one.checkpoint = one.checkpoint.replace("—", "-"))),
  ],
  ["a note that is cut off", "note", bundle((one) => (one.checkpoint = one.checkpoint.slice(0, -1)))],
  ["a note that is no checkpoint", "checkpoint", note((_, lines) => ["log.ch.example/2026\nmany\n", lines])],
  [
    "a size that begins with a zero",
    "checkpoint",
    note((body, lines) => [body.replace(/\n(\d)/, "\n0$1"), lines]),
  ],
];

const STALE: typeof TAMPERED = [
  [
    "a day and an hour old",
    "freshness",
    async (world) => world.told(world.ana, await world.bundle(world.ana), { now: NOON + 25 * HOUR_MS }),
  ],
  [
    "six minutes old, for a payment",
    "freshness",
    async (world) =>
      world.told(world.ana, await world.bundle(world.ana), { now: NOON + 360_000, maxAgeSeconds: 300 }),
  ],
  [
    "an absence of yesterday",
    "freshness",
    async (world) => world.told(world.gone, await world.absence(world.gone), { now: NOON + 25 * HOUR_MS }),
  ],
  [
    "an old quorum and one new witness",
    "freshness",
    async (world) => {
      const answer = await world.bundle(world.ana);
      const { body, signatures } = parseNote(answer.checkpoint);
      return later(world, NOON + 30 * HOUR_MS, async () => {
        const signer = witnesses(world)[0];
        const { key: own } = signer;
        const fresh = { name: own.name, id: own.id, bytes: await signer.sign(body) };
        const checkpoint = formatNote({
          body,
          signatures: [...signatures.filter(({ name }) => name !== own.name), fresh],
        });
        return world.told(world.ana, { ...answer, checkpoint });
      });
    },
  ],
  [
    "signed an hour from now",
    "future",
    async (world) => world.told(world.ana, await world.bundle(world.ana), { now: NOON - HOUR_MS }),
  ],
  [
    "the log of last year, signed again",
    "shard-year",
    async (world) =>
      later(world, Date.UTC(2027, 0, 3), async () => {
        await world.zone.publish();
        return world.told(world.ana, await world.bundle(world.ana));
      }),
  ],
  [
    "the state before the rotation, to who knows the rotation",
    "rollback",
    async (world) => world.told(world.ana, world.old.ana, { seen: await sawAll(world) }),
  ],
  [
    "yesterday's bundle of somebody erased since",
    "freshness",
    async (world) => {
      const dora = await holder("dora");
      await world.zone.put(dora.id, dora.head);
      await world.zone.publish();
      const answer = await world.bundle(dora);
      await world.zone.remove(dora.id);
      return later(world, NOON + 25 * HOUR_MS, async () => {
        await world.zone.publish();
        return world.told(dora, answer);
      });
    },
  ],
];

const REPLAYED: typeof TAMPERED = [
  [
    "an old map in a new checkpoint",
    "last-leaf",
    async (world) =>
      world.told(world.ben, { ...world.old.ben, checkpoint: (await world.bundle(world.ben)).checkpoint }),
  ],
  [
    "an old map as the last leaf",
    "inclusion",
    async (world) => {
      const { proof, checkpoint } = await world.bundle(world.ben);
      return world.told(world.ben, {
        ...world.old.ben,
        checkpoint,
        proof: { ...world.old.ben.proof, log: proof.log },
      });
    },
  ],
  [
    "an old head in a new map",
    "map-root",
    async (world) => {
      const { proof, checkpoint } = await world.bundle(world.ana);
      return world.told(world.ana, {
        ...world.old.ana,
        checkpoint,
        proof: { ...proof, opening: world.old.ana.proof.opening },
      });
    },
  ],
  [
    "an old checkpoint under a new map",
    "last-leaf",
    async (world) =>
      world.told(world.ana, { ...(await world.bundle(world.ana)), checkpoint: world.old.ana.checkpoint }),
  ],
  [
    "the data record of before the rotation",
    "aseq",
    bundle(({ head }, { old }) => (head.data = old.ana.head.data)),
  ],
  [
    "an old witness's line under a new tree",
    "quorum",
    bundle((one, { old }) => {
      const [now, then] = [parseNote(one.checkpoint), parseNote(old.ana.checkpoint)];
      one.checkpoint = formatNote({
        body: now.body,
        signatures: [...now.signatures.slice(0, 1), ...then.signatures.slice(1)],
      });
    }),
  ],
  [
    "the zone's old signature under a new tree",
    "log-signature",
    bundle((one, { old }) => {
      const [now, then] = [parseNote(one.checkpoint), parseNote(old.ana.checkpoint)];
      one.checkpoint = formatNote({
        body: now.body,
        signatures: [...then.signatures.slice(0, 1), ...now.signatures.slice(1)],
      });
    }),
  ],
  [
    "somebody else's answer",
    "identifier",
    async (world) => world.told(world.ana, await world.bundle(world.ben)),
  ],
  [
    "somebody else's answer under her name",
    "identifier",
    async (world) => world.told(world.ana, { ...(await world.bundle(world.ben)), id: world.ana.id }),
  ],
  [
    "somebody else's data record",
    "same-passport",
    bundle(async (one, world) => (one.head.data = (await world.bundle(world.ben)).head.data)),
  ],
  [
    "somebody else's rotation",
    "same-passport",
    async (world) => {
      const answer = await world.bundle(world.ben);
      answer.head.auth.push(...(await world.bundle(world.ana)).head.auth.slice(1));
      return world.told(world.ben, answer);
    },
  ],
  [
    "somebody else's hold",
    "same-passport",
    bundle(async (one, world) =>
      Object.assign(one.head, { hold: (await world.bundle(world.held)).head.hold }),
    ),
  ],
  [
    "somebody else's proof",
    "map-root",
    bundle(async (one, world) => (one.proof = (await world.bundle(world.ben)).proof)),
  ],
  [
    "somebody else's absence",
    "identifier",
    async (world) => world.told(world.ana, await world.absence(world.gone)),
  ],
];

const SPLIT_VIEW: typeof TAMPERED = [
  [
    "another data record with the same numbers",
    "rollback",
    async (world) => {
      const other = { ...world.ana, head: await leading(world.before, "https://evil.example.org/ana/") };
      const fork = await world.fork([
        {
          ...other,
          head: {
            ...world.ana.head,
            data: (
              await leading(
                { ...world.ana, head: { auth: world.ana.head.auth, data: world.before.head.data } },
                "https://evil.example.org/ana/",
              )
            ).data,
          },
        },
      ]);
      return world.told(world.ana, await fork.answer(world.ana.id), { seen: await sawAll(world) });
    },
  ],
  [
    "a log in which she has said nothing",
    "rollback",
    async (world) => {
      const fork = await world.fork([{ ...world.ana, head: { ...world.ana.head, data: null } }]);
      return world.told(world.ana, await fork.answer(world.ana.id), { seen: await sawAll(world) });
    },
  ],
  [
    "a log in which she has not rotated",
    "rollback",
    async (world) => {
      const fork = await world.fork([world.before]);
      return world.told(world.ana, await fork.answer(world.ana.id), { seen: await sawAll(world) });
    },
  ],
  [
    "a second log that one witness has signed",
    "quorum",
    async (world) => {
      const fork = await world.fork([world.before]);
      await fork.publish({ signers: [fork.log, witnesses(world)[0]] });
      return world.told(world.ana, await fork.answer(world.ana.id));
    },
  ],
  [
    "a second log with the witnesses' lines of the first",
    "quorum",
    async (world) => {
      const fork = await world.fork([world.before]);
      const [own, true_] = [parseNote(fork.checkpoint()), parseNote(world.zone.checkpoint())];
      const checkpoint = formatNote({
        body: own.body,
        signatures: [...own.signatures.slice(0, 1), ...true_.signatures.slice(1)],
      });
      return world.told(world.ana, { ...(await fork.answer(world.ana.id)), checkpoint });
    },
  ],
  [
    "a second log's passport in the first one's tree",
    "map-root",
    async (world) => {
      const fork = await world.fork([world.before]);
      const { proof, checkpoint } = await world.bundle(world.ana);
      const answer = await fork.answer(world.ana.id);
      if (!("proof" in answer)) throw new Error("It is there");
      return world.told(world.ana, {
        ...answer,
        proof: { ...answer.proof, rootLeaf: proof.rootLeaf, log: proof.log },
        checkpoint,
      });
    },
  ],
  [
    "a log of the same name and other keys",
    "log-signature",
    async (world) => {
      const other = await createSmallZone({ now: () => world.clock.now, seed: "somebody else" });
      await other.put(world.ana.id, world.ana.head);
      await other.publish();
      return world.told(world.ana, await other.answer(world.ana.id));
    },
  ],
];

const rowsOf = (kind: Kind, rows: typeof TAMPERED): readonly Attack[] =>
  rows.map(([name, rule, make]) => ({ kind, name, rule, make }));

/** In this order: an attack may publish an epoch of its own. */
export const ATTACKS: readonly Attack[] = [
  ...rowsOf("tampered", TAMPERED),
  ...rowsOf("forged", FORGED),
  ...rowsOf("mis-encoded", MIS_ENCODED),
  ...rowsOf("stale", STALE),
  ...rowsOf("replayed", REPLAYED),
  ...rowsOf("split-view", SPLIT_VIEW),
];
