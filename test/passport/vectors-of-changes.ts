/** What thieves, guardians, hosts and zones may try with the operations that change a passport: long, for it is a table. */
import {
  type AuthorityOperation,
  applyOperation,
  deactivatePassport,
  erasePassport,
  hashOfOperation,
  hashSetOf,
  type KeyPair,
  keySetOf,
  lockPassport,
  makeChange,
  makeErase,
  makeHold,
  makePort,
  makeRecover,
  makeRotate,
  makeVeto,
  type PassportState,
  portPassport,
  type RecoverOperation,
  reactivatePassport,
  type Signed,
  signAsDelegate,
  signAsZone,
  signOperation,
  stateAfter,
  transferPassport,
  unlockPassport,
} from "../../client-lib/passport/index.ts";
import { candidate, forge, key, NOW, type Person, person, type Vector } from "./people.ts";

type Fields = Record<string, unknown>;
type Make = Vector["make"];

/** The person's operation with something changed in it, signed as if nothing were wrong. */
export const changed = async <T extends Signed["op"]>(
  op: T,
  change: Fields,
  keys: readonly KeyPair[],
  shown: readonly string[] = keys.map((pair) => pair.key),
): Promise<Signed> => signOperation({ ...op, ...change }, { keys: shown }, keys);

export const unlocked = async (ana: Person): Promise<PassportState> =>
  applyOperation(ana.state, await unlockPassport(ana.state, ana.keys.authority));

export const atRest = async (ana: Person): Promise<PassportState> =>
  applyOperation(ana.state, await deactivatePassport(ana.state, ana.keys.authority));

/** A recovery that every rule allows, by the first two guardians. */
export async function recovered(ana: Person): Promise<Signed<RecoverOperation>> {
  const signers = ana.keys.recovery.slice(0, 2);
  const [auth, next] = [await key("ana/fresh auth"), await key("ana/fresh next")];
  const by = signers.map((one) => one.key);
  const choice = { ...before(ana), auth: keySetOf([auth]), next: await hashSetOf([next]) };
  return signOperation(await makeRecover(choice, by), { keys: by }, signers);
}

/** A recovery with something changed, signed by the first two guardians. */
const recovering =
  (
    change: (ana: Person) => Fields | Promise<Fields>,
    by = (ana: Person) => ana.keys.recovery.slice(0, 2),
  ): Make =>
  async (ana) => {
    const signers = by(ana);
    const op = { ...(await recovered(ana)).op, by: signers.map((one) => one.key) };
    return candidate(await changed(op, await change(ana), signers), ana.state);
  };

/** A change of today's keys with something else in it. */
const changing =
  (
    type: "lock" | "unlock" | "transfer" | "deactivate" | "reactivate",
    change: (ana: Person) => Fields | Promise<Fields>,
    stateOf: (ana: Person) => Promise<PassportState> = async ({ state }) => state,
  ): Make =>
  async (ana) => {
    const state = await stateOf(ana);
    const op = await makeChange(type, { id: state.id, after: state.head });
    return candidate(await changed(op, await change(ana), ana.keys.authority), state);
  };

const porting =
  (change: Fields): Make =>
  async (ana) => {
    const state = await unlocked(ana);
    const op = await makePort({ id: state.id, after: state.head }, "za");
    return candidate(await changed(op, change, ana.keys.authority), state);
  };

const holding =
  (change: Fields, stateOf: (ana: Person) => PassportState = ({ state }) => state): Make =>
  async (ana) => {
    const op = { ...makeHold("hold", before(ana), HOLD, new Date(NOW)), ...change } as ReturnType<
      typeof makeHold
    >;
    return candidate(await signAsZone(op, await key("zone zz")), stateOf(ana), ana.facts);
  };

export const before = ({ state }: Person): { id: typeof state.id; after: AuthorityOperation } => ({
  id: state.id,
  after: state.head,
});
export const HOLD = { case: "zz/2026/17", reason: "court-order" } as const;
export const vetoed = async (ana: Person, of: Signed): Promise<Signed> =>
  signOperation(makeVeto(before(ana), await hashOfOperation(of.op)), ana.state.head.auth, ana.keys.authority);

export const CHANGE_VECTORS: readonly Vector[] = [
  {
    rule: "fields",
    name: "a recover that shows nobody",
    make: async (ana) => {
      const { by: _, ...op } = (await recovered(ana)).op;
      return candidate(await changed(op as never, {}, ana.keys.recovery.slice(0, 2)), ana.state);
    },
  },
  { rule: "fields", name: "a port with a registrar for the journey", make: porting({ host: "za.pods" }) },
  {
    rule: "id",
    name: "an erase of a DID",
    make: async (ana) => {
      const op = await makeErase(before(ana));
      return candidate(await changed(op, { id: `did:dcann:${op.id}` }, ana.keys.authority), ana.state);
    },
  },
  { rule: "sequence-form", name: "a recover that is the genesis", make: recovering(() => ({ seq: 0 })) },
  {
    rule: "sequence-form",
    name: "a veto with half a number",
    make: async (ana) => {
      const op = makeVeto(before(ana), await hashOfOperation(ana.rotate.op));
      return candidate(await changed(op, { aseq: 0.5 }, ana.keys.authority), ana.state);
    },
  },
  {
    rule: "room",
    name: "a thief who fills the chain with locks",
    make: changing("lock", () => ({ seq: 128 })),
  },
  {
    rule: "room",
    name: "a thief of the next keys who fills the chain with rotations",
    make: async (ana) => candidate(await changed(ana.rotate.op, { seq: 224 }, ana.keys.next), ana.state),
  },
  { rule: "room", name: "a recovery after the last", make: recovering(() => ({ seq: 256 })) },
  {
    rule: "prev-form",
    name: "an erase without a past",
    make: async (ana) =>
      candidate(await changed(await makeErase(before(ana)), { prev: null }, ana.keys.authority), ana.state),
  },
  {
    rule: "recovery",
    name: "a rotate that leaves no guardians",
    make: async (ana) =>
      candidate(
        await changed(ana.rotate.op, { recovery: { hashes: [], threshold: 0, delay: "P7D" } }, ana.keys.next),
        ana.state,
      ),
  },
  {
    rule: "by",
    name: "one guardian who counts twice",
    make: recovering((ana) => ({ by: Array(2).fill(ana.keys.recovery[0]?.key) })),
  },
  {
    rule: "by",
    name: "guardians named by their hashes",
    make: recovering((ana) => ({ by: ana.state.head.recovery.hashes })),
  },
  {
    rule: "delegate-apart",
    name: "a guardian who becomes the host",
    make: recovering(async (ana) => ({
      delegate: { key: ana.keys.recovery[0]?.key, may: ["data"] },
      recovery: { ...(await hashSetOf([await key("new guardian")])), delay: "P7D" },
    })),
  },
  {
    rule: "next-fresh",
    name: "a recover that promises today's key",
    make: recovering(async (ana) => ({ next: await hashSetOf(ana.keys.authority) })),
  },
  {
    rule: "recovery-apart",
    name: "a guardian who takes the authority",
    make: recovering((ana) => ({ auth: keySetOf(ana.keys.recovery.slice(0, 1)) })),
  },
  {
    rule: "recovery-apart",
    name: "a guardian who is promised the authority",
    make: recovering(async (ana) => ({
      recovery: { ...(await hashSetOf([await key("new guardian")])), delay: "P7D" },
      next: await hashSetOf(ana.keys.recovery.slice(0, 1)),
    })),
  },
  { rule: "to", name: "a port to a country's name", make: porting({ to: "south africa" }) },
  { rule: "to", name: "a port to nowhere", make: porting({ to: null }) },
  {
    rule: "of",
    name: "a veto of everything",
    make: async (ana) =>
      candidate(await changed(makeVeto(before(ana), ""), { of: "*" }, ana.keys.authority), ana.state),
  },
  {
    rule: "case",
    name: "a case that is a story about somebody",
    make: holding({ case: "Ana was seen at the harbour" }),
  },
  { rule: "case", name: "a hold without a case", make: holding({ case: null }) },
  { rule: "reason", name: "a reason that is not on the list", make: holding({ reason: "opposition" }) },
  { rule: "at", name: "a hold without an hour", make: holding({ at: "2026-03-01" }) },
  {
    rule: "signature-form",
    name: "a zone beside today's keys",
    make: async (ana) => {
      const erase = await erasePassport(ana.state, ana.keys.authority);
      const zone = await signAsZone(erase.op, await key("zone zz"));
      return candidate({ ...erase, sigs: [...erase.sigs, ...zone.sigs] }, ana.state);
    },
  },
  {
    rule: "signature-form",
    name: "a legal signer alone",
    make: async (ana) => {
      const erase = await signAsZone(
        await makeErase(before(ana), "zz/2026/17"),
        await key("zone zz"),
        await key("legal"),
      );
      return candidate({ ...erase, sigs: erase.sigs.slice(1) }, ana.state);
    },
  },
  {
    rule: "signature-form",
    name: "a legal signer before the zone",
    make: async (ana) => {
      const erase = await signAsZone(
        await makeErase(before(ana), "zz/2026/17"),
        await key("zone zz"),
        await key("legal"),
      );
      return candidate({ ...erase, sigs: erase.sigs.toReversed() }, ana.state);
    },
  },
  {
    rule: "signature-form",
    name: "eight guardians",
    make: async (ana) => {
      const signed = await recovered(ana);
      const sigs = Array.from({ length: 8 }, (_, k) => ({ k, s: signed.sigs[0]?.s ?? "" }));
      return candidate({ ...signed, sigs }, ana.state);
    },
  },
  {
    rule: "sponsor-form",
    name: "a lock with a sponsor",
    make: async (ana) =>
      candidate(
        forge({
          ...(await lockPassport(await unlocked(ana), ana.keys.authority)),
          sponsor: ana.create.sponsor,
        }),
        await unlocked(ana),
      ),
  },
  {
    rule: "sponsor-form",
    name: "a port that a registrar sponsors",
    make: async (ana) => {
      const state = await unlocked(ana);
      return candidate(
        forge({ ...(await portPassport(state, ana.keys.authority, "za")), sponsor: ana.create.sponsor }),
        state,
      );
    },
  },
  {
    rule: "beginning",
    name: "a recovery of nobody",
    make: async (ana) => candidate(await recovered(ana), null),
  },
  {
    rule: "same-passport",
    name: "an erasure of another person",
    make: async (ana) => {
      const { state } = await person("bea");
      return candidate(await erasePassport(ana.state, ana.keys.authority), state);
    },
  },
  {
    rule: "seq",
    name: "an erasure that was signed before a rotation",
    make: async (ana) =>
      candidate(
        await erasePassport(ana.state, ana.keys.authority),
        await applyOperation(ana.state, ana.rotate),
      ),
  },
  { rule: "prev", name: "a port of another past", make: porting({ prev: "A".repeat(43) }) },
  {
    rule: "prev",
    name: "a recovery that was made before a lock was opened",
    make: async (ana) =>
      candidate(
        await changed((await recovered(ana)).op, { seq: 2 }, ana.keys.recovery.slice(0, 2)),
        await unlocked(ana),
      ),
  },
  {
    rule: "aseq",
    name: "a veto by keys that were rotated out",
    make: async (ana) =>
      candidate(await vetoed(ana, ana.rotate), await applyOperation(ana.state, ana.rotate)),
  },
  {
    rule: "aseq",
    name: "data of a host that a transfer has evicted",
    make: async (ana) => {
      const state = await unlocked(ana);
      const signed = await transferPassport(
        state,
        ana.keys.authority,
        "gaining",
        (await key("new host")).key,
      );
      return candidate(ana.data, await applyOperation(state, signed));
    },
  },
  { rule: "aseq", name: "a hold of the future", make: holding({ aseq: 1 }) },
  {
    rule: "at-rest",
    name: "data of a passport at rest",
    make: async (ana) => candidate({ ...ana.data }, await atRest(ana)),
  },
  { rule: "at-rest", name: "a passport put to rest twice", make: changing("deactivate", () => ({}), atRest) },
  {
    rule: "at-rest",
    name: "a thief who unlocks a passport at rest",
    make: changing("unlock", () => ({ locks: [] }), atRest),
  },
  {
    rule: "at-rest",
    name: "a passport woken that was not at rest",
    make: async (ana) => candidate(await reactivatePassport(ana.state, ana.keys.authority), ana.state),
  },
  {
    rule: "at-rest",
    name: "a rotation that wakes a passport by itself",
    make: async (ana) => {
      const state = await atRest(ana);
      const op = await makeRotate({
        id: state.id,
        after: state.head,
        auth: keySetOf(ana.keys.next),
        next: await hashSetOf(ana.later),
      });
      const rotated = await applyOperation(state, await signOperation(op, op.auth, ana.keys.next));
      return candidate(await unlockPassport(rotated, ana.keys.next), rotated);
    },
  },
  {
    rule: "pre-rotation",
    name: "guardians who rotate with their own keys",
    make: async (ana) =>
      candidate(
        await changed(
          ana.rotate.op,
          {
            auth: keySetOf(ana.keys.recovery),
            recovery: { ...(await hashSetOf([await key("x")])), delay: "P7D" },
          },
          ana.keys.recovery,
        ),
        ana.state,
      ),
  },
  {
    rule: "guardians",
    name: "a thief of today's key who plays the guardian",
    make: recovering(
      () => ({}),
      (ana) => [...ana.keys.authority, ana.keys.recovery[0]!],
    ),
  },
  {
    rule: "guardians",
    name: "one guardian and a stranger",
    make: recovering(
      () => ({}),
      (ana) => [ana.keys.recovery[0]!, ana.registrar],
    ),
  },
  {
    rule: "recover-fresh",
    name: "guardians who leave a thief the next key",
    make: recovering((ana) => ({ next: ana.state.head.next })),
  },
  {
    rule: "recover-fresh",
    name: "guardians who leave a thief today's key",
    make: recovering((ana) => ({ auth: ana.state.head.auth })),
  },
  {
    rule: "kept",
    name: "a rotate that unlocks",
    make: async (ana) => candidate(await changed(ana.rotate.op, { locks: [] }, ana.keys.next), ana.state),
  },
  { rule: "kept", name: "guardians who unlock", make: recovering(() => ({ locks: [] })) },
  {
    rule: "kept",
    name: "a thief of today's key who locks and brings guardians",
    make: changing("lock", async () => ({
      recovery: { ...(await hashSetOf([await key("thief")])), delay: "P1D" },
    })),
  },
  {
    rule: "kept",
    name: "a thief of today's key who rests and promises a key of his",
    make: changing("deactivate", async () => ({ next: await hashSetOf([await key("thief")]) })),
  },
  {
    rule: "kept",
    name: "a thief of today's key who unlocks and adds a key of his",
    make: changing("unlock", async (ana) => ({
      locks: [],
      auth: keySetOf([...ana.keys.authority, await key("thief")], 1),
    })),
  },
  {
    rule: "kept",
    name: "a lock that changes the host",
    make: changing("lock", async () => ({ delegate: { key: (await key("other host")).key, may: ["data"] } })),
  },
  {
    rule: "kept",
    name: "a transfer that shortens the delay of guardians",
    make: changing(
      "transfer",
      (ana) => ({ recovery: { ...ana.state.head.recovery, delay: "P1D" }, registrar: "gaining" }),
      unlocked,
    ),
  },
  { rule: "kept", name: "a port that changes the registrar", make: porting({ registrar: "gaining" }) },
  { rule: "locks-changed", name: "a lock of what is locked", make: changing("lock", () => ({})) },
  {
    rule: "locks-changed",
    name: "a lock that unlocks at once",
    make: changing("lock", () => ({ locks: [] })),
  },
  {
    rule: "locks-changed",
    name: "a lock that opens one and closes the other",
    make: async (ana) => {
      const state = await applyOperation(
        ana.state,
        await unlockPassport(ana.state, ana.keys.authority, ["port"]),
      );
      const op = await makeChange("lock", { id: state.id, after: state.head }, { locks: ["port"] });
      return candidate(await signOperation(op, op.auth, ana.keys.authority), state);
    },
  },
  { rule: "locks-changed", name: "an unlock that opens nothing", make: changing("unlock", () => ({})) },
  {
    rule: "locked",
    name: "a transfer of a locked passport",
    make: changing("transfer", () => ({ registrar: "gaining" })),
  },
  {
    rule: "locked",
    name: "a port of a locked passport",
    make: async (ana) => candidate(await portPassport(ana.state, ana.keys.authority, "za"), ana.state),
  },
  {
    rule: "locked",
    name: "a port of which only the lock transfer is open",
    make: async (ana) => {
      const state = await applyOperation(
        ana.state,
        await unlockPassport(ana.state, ana.keys.authority, ["transfer"]),
      );
      return candidate(await portPassport(state, ana.keys.authority, "za"), state);
    },
  },
  {
    rule: "leaves",
    name: "a transfer to the same registrar",
    make: changing("transfer", () => ({}), unlocked),
  },
  { rule: "leaves", name: "a port to the same zone", make: porting({ to: "zz" }) },
  {
    rule: "leaves",
    name: "a second port to where the first has led",
    make: async (ana) => {
      const state = await unlocked(ana);
      const there = await applyOperation(state, await portPassport(state, ana.keys.authority, "za"));
      return candidate(await portPassport(there, ana.keys.authority, "za"), there);
    },
  },
  {
    rule: "hold-order",
    name: "a second hold",
    make: holding({}, ({ state }) => ({ ...state, hold: "A".repeat(43) })),
  },
  { rule: "hold-order", name: "the end of a hold that is not", make: holding({ t: "unhold" }) },
  {
    rule: "signer",
    name: "a host who puts a passport to rest",
    make: async (ana) => {
      const op = await makeChange("deactivate", before(ana));
      return candidate(await signAsDelegate(op as never, ana.host), ana.state);
    },
  },
  {
    rule: "signer",
    name: "a host who erases",
    make: async (ana) =>
      candidate(await signAsDelegate((await makeErase(before(ana))) as never, ana.host), ana.state),
  },
  {
    rule: "signer",
    name: "a host who vetoes",
    make: async (ana) =>
      candidate(await signAsDelegate(makeVeto(before(ana), "A".repeat(43)) as never, ana.host), ana.state),
  },
  {
    rule: "signer",
    name: "a host who recovers",
    make: async (ana) =>
      candidate(await signAsDelegate((await recovered(ana)).op as never, ana.host), ana.state),
  },
  {
    rule: "signer",
    name: "a zone that rotates",
    make: async (ana) =>
      candidate(await signAsZone(ana.rotate.op as never, await key("zone zz")), ana.state, ana.facts),
  },
  {
    rule: "signer",
    name: "a zone that writes data",
    make: async (ana) =>
      candidate(await signAsZone(ana.data.op as never, await key("zone zz")), ana.state, ana.facts),
  },
  {
    rule: "signer",
    name: "a zone that puts a passport to rest",
    make: async (ana) =>
      candidate(
        await signAsZone((await makeChange("deactivate", before(ana))) as never, await key("zone zz")),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "signer",
    name: "a zone that erases alone",
    make: async (ana) =>
      candidate(
        await signAsZone(await makeErase(before(ana), "zz/2026/17"), await key("zone zz")),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "signer",
    name: "a zone and a legal signer who recover",
    make: async (ana) =>
      candidate(
        await signAsZone((await recovered(ana)).op as never, await key("zone zz"), await key("legal")),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "signer",
    name: "a zone that vetoes",
    make: async (ana) =>
      candidate(
        await signAsZone(makeVeto(before(ana), "A".repeat(43)) as never, await key("zone zz")),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "signer",
    name: "an owner who holds",
    make: async (ana) =>
      candidate(
        await signOperation(
          makeHold("hold", before(ana), HOLD, new Date(NOW)),
          ana.state.head.auth,
          ana.keys.authority,
        ),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "signer",
    name: "a signature of a guardian who is not shown",
    make: async (ana) => {
      const signed = await recovered(ana);
      return candidate({ ...signed, sigs: [signed.sigs[0]!, { ...signed.sigs[1]!, k: 2 }] }, ana.state);
    },
  },
  {
    rule: "case-signer",
    name: "a zone that erases without a case",
    make: async (ana) =>
      candidate(
        await signAsZone(await makeErase(before(ana)), await key("zone zz"), await key("legal")),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "case-signer",
    name: "an owner who erases as if a court had said so",
    make: async (ana) =>
      candidate(
        await signOperation(
          await makeErase(before(ana), "zz/2026/17"),
          ana.state.head.auth,
          ana.keys.authority,
        ),
        ana.state,
      ),
  },
  {
    rule: "threshold",
    name: "one guardian of two who are needed",
    make: recovering(
      () => ({}),
      (ana) => ana.keys.recovery.slice(0, 1),
    ),
  },
  {
    rule: "threshold",
    name: "a guardian who is shown and has not signed",
    make: async (ana) => {
      const { op } = await recovered(ana);
      const by = ana.keys.recovery.map((pair) => pair.key);
      return candidate(await changed(op, { by }, ana.keys.recovery.slice(0, 2), by), ana.state);
    },
  },
  {
    rule: "threshold",
    name: "a lock by one of two keys that are needed",
    make: async () => {
      const bea = await person("bea", { authority: 3, next: 3, recovery: 3 });
      return candidate(await erasePassport(bea.state, bea.keys.authority.slice(0, 1)), bea.state);
    },
  },
  {
    rule: "signature",
    name: "a guardian's signature under another recovery",
    make: async (ana) => {
      const signed = await recovered(ana);
      return candidate({ ...signed, op: { ...signed.op, registrar: "thief" } }, ana.state);
    },
  },
  {
    rule: "signature",
    name: "a registrar who puts a passport to rest",
    make: async (ana) => {
      const op = await makeChange("deactivate", before(ana));
      return candidate(await signOperation(op, { keys: [ana.registrar.key] }, [ana.registrar]), ana.state);
    },
  },
  {
    rule: "signature",
    name: "a hold by another zone",
    make: async (ana) =>
      candidate(
        await signAsZone(makeHold("hold", before(ana), HOLD, new Date(NOW)), await key("zone za")),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "signature",
    name: "a hold by the zone that a passport has left",
    make: async (ana) =>
      candidate(
        await signAsZone(makeHold("hold", before(ana), HOLD, new Date(NOW)), await key("zone zz")),
        { ...ana.state, zone: "za" },
        ana.facts,
      ),
  },
  {
    rule: "signature",
    name: "a hold, for a reader who knows no zone",
    make: async (ana) =>
      candidate(
        await signAsZone(makeHold("hold", before(ana), HOLD, new Date(NOW)), await key("zone zz")),
        ana.state,
      ),
  },
  {
    rule: "signature",
    name: "a zone that is its own legal signer",
    make: async (ana) =>
      candidate(
        await signAsZone(
          await makeErase(before(ana), "zz/2026/17"),
          await key("zone zz"),
          await key("zone zz"),
        ),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "signature",
    name: "a zone with a legal signer nobody named",
    make: async (ana) =>
      candidate(
        await signAsZone(
          await makeErase(before(ana), "zz/2026/17"),
          await key("zone zz"),
          await key("thief"),
        ),
        ana.state,
        ana.facts,
      ),
  },
  {
    rule: "signature",
    name: "a hold passed off as its end",
    make: async (ana) => {
      const hold = await signAsZone(makeHold("hold", before(ana), HOLD, new Date(NOW)), await key("zone zz"));
      return candidate(
        { ...hold, op: { ...hold.op, t: "unhold" } },
        await stateAfter(ana.state, hold.op),
        ana.facts,
      );
    },
  },
];
