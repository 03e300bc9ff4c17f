/** The rules of the chain: whether an operation may follow what came before it. Whoever has a bundle can ask them. */
import { decodeBase64url, jcs } from "./bytes.ts";
import { hashOfKey, type PublicKey, verifySignature } from "./key.ts";
import {
  type AuthorityOperation,
  bytesOfOperation,
  type DataOperation,
  type EraseOperation,
  type OperationType,
  type RecoverOperation,
  type Signed,
} from "./operation.ts";
import { AFTER, ALL, about, type Candidate, flaw, LINKED, type Rule, rule } from "./rule.ts";

const LATER: readonly OperationType[] = LINKED.filter((type) => type !== "create");
/** What may change; everything else of the authority stays as it was. */
const CHANGES: Readonly<Partial<Record<OperationType, readonly (keyof AuthorityOperation)[]>>> = {
  rotate: ["auth", "next", "recovery", "delegate", "registrar"],
  recover: ["auth", "next", "recovery", "delegate", "registrar"],
  lock: ["locks"],
  unlock: ["locks"],
  transfer: ["delegate", "registrar"],
};
const AUTHORITY_FIELDS = ["auth", "next", "recovery", "delegate", "registrar", "locks"] as const;
/** What a passport at rest takes: what a thief could have put to rest, its owner can still take back. */
const AT_REST: readonly OperationType[] = [
  "reactivate",
  "rotate",
  "recover",
  "erase",
  "veto",
  "hold",
  "unhold",
];

/** The keys that an operation's numbered signatures count in. */
function signingKeys({ signed: { op }, state }: Candidate): readonly PublicKey[] {
  if (op.t === "recover") return op.by;
  return op.t === "create" || op.t === "rotate" ? op.auth.keys : (state?.head.auth.keys ?? []);
}

/** Who signs: numbered keys, or the letters of those who are not. */
const signersOf = (signed: Signed): "keys" | "d" | "z" | "zl" => {
  const letters = signed.sigs.map(({ k }) => (typeof k === "string" ? k : "")).join("");
  return letters === "" ? "keys" : (letters as "d" | "z" | "zl");
};

export const isByDelegate = (signed: Signed): boolean => signersOf(signed) === "d";

/** The zone's and the legal keys; a key that is both is the zone's, for one signer must not count as two. */
function officialKeys({ state, options }: Candidate): Record<"z" | "l", readonly PublicKey[]> {
  const { registry, zoneKeys = registry?.zoneKeys.bind(registry) } = options;
  const zone = (state && zoneKeys?.(state.zone)) ?? [];
  return { z: zone, l: (registry?.legalKeys() ?? []).filter((key) => !zone.includes(key)) };
}

/** Whether locks of `more` are all of `less` and at least one beside. */
const isMore = (more: readonly string[], less: readonly string[]): boolean =>
  more.length > less.length && less.every((lock) => more.includes(lock));

export const CHAIN_RULES: readonly Rule[] = [
  rule("beginning", "A passport begins with create and has only one.", ALL, ({ signed, state }) => {
    if (signed.op.t === "create") return flaw(state !== null, "This passport has begun already");
    return flaw(state === null, "There is no such passport yet");
  }),
  rule(
    "same-passport",
    "id is that of the passport the operation is added to.",
    ALL.filter((type) => type !== "create"),
    about<DataOperation>((op, { state }) => flaw(op.id !== state?.id, "id names another passport")),
  ),
  rule(
    "seq",
    "seq is one more than that of the authority operation before.",
    LATER,
    about<AuthorityOperation>((op, { state }) =>
      flaw(op.seq !== (state?.head.seq ?? 0) + 1, `seq is not ${(state?.head.seq ?? 0) + 1}`),
    ),
    ["conflict"],
  ),
  rule(
    "prev",
    "prev is the hash of the authority operation before: the chain never forks.",
    LATER,
    about<AuthorityOperation>((op, { state }) =>
      flaw(op.prev !== state?.headHash, "prev is not the hash of the operation before"),
    ),
    ["conflict"],
  ),
  rule(
    "aseq",
    "aseq is the seq of the newest authority operation, in data and holds perhaps of an older one; in data not of one before today's keys and host: what older keys signed has ended.",
    ["data", "veto", "hold", "unhold"],
    about<DataOperation>(({ t, aseq }, { state }) => {
      const newest = state?.head.seq ?? 0;
      const oldest = (t as OperationType) === "veto" ? newest : t === "data" ? (state?.keysSince ?? 0) : 0;
      return flaw(aseq < oldest || aseq > newest, `aseq is not ${newest}`);
    }),
    ["conflict"],
  ),
  rule(
    "at-rest",
    `A passport at rest takes only ${AT_REST.join(", ")}; and only one at rest is reactivated.`,
    ALL,
    ({ signed: { op }, state }) => {
      if (op.t === "reactivate") return flaw(!state?.deactivated, "This passport is not at rest");
      return flaw(state?.deactivated === true && !AT_REST.includes(op.t), "This passport is at rest");
    },
  ),
  rule(
    "pre-rotation",
    "Every key of a rotate was promised: its hash stands in next of the operation before.",
    ["rotate"],
    about<AuthorityOperation>(async (op, { state }) => {
      const hashes = await Promise.all(op.auth.keys.map(hashOfKey));
      return flaw(
        !hashes.every((hash) => state?.head.next.hashes.includes(hash)),
        "A key was not promised in next",
      );
    }),
  ),
  rule(
    "guardians",
    "Every key of by is a guardian's: its hash stands in recovery of the operation before.",
    ["recover"],
    about<RecoverOperation>(async ({ by }, { state }) => {
      const hashes = await Promise.all(by.map(hashOfKey));
      return flaw(
        !hashes.every((hash) => state?.head.recovery.hashes.includes(hash)),
        "A key of by is no guardian's",
      );
    }),
  ),
  rule(
    "recover-fresh",
    "A recover brings new keys: neither auth nor next holds one that was in force or promised before.",
    ["recover"],
    about<AuthorityOperation>(async (op, { state }) => {
      const before = state?.head;
      const old = [
        ...(before?.next.hashes ?? []),
        ...(await Promise.all((before?.auth.keys ?? []).map(hashOfKey))),
      ];
      const fresh = [...op.next.hashes, ...(await Promise.all(op.auth.keys.map(hashOfKey)))];
      return flaw(
        fresh.some((hash) => old.includes(hash)),
        "A key from before is named again",
      );
    }),
  ),
  rule(
    "kept",
    "An operation changes only what is its own: rotate and recover all but the locks, lock and unlock the locks, transfer the registrar and the delegate, all others nothing.",
    AFTER,
    about<AuthorityOperation>((op, { state }) => {
      const own = CHANGES[op.t] ?? [];
      const changed = AUTHORITY_FIELDS.find(
        (field) => !own.includes(field) && jcs(op[field]) !== jcs(state?.head[field] ?? null),
      );
      return changed === undefined ? null : `${changed} has changed`;
    }),
  ),
  rule(
    "locks-changed",
    "lock adds a lock and opens none; unlock opens a lock and adds none.",
    ["lock", "unlock"],
    about<AuthorityOperation>((op, { state }) => {
      const before = state?.head.locks ?? [];
      const isRight = op.t === "lock" ? isMore(op.locks, before) : isMore(before, op.locks);
      return flaw(!isRight, op.t === "lock" ? "It does not lock" : "It does not unlock");
    }),
  ),
  rule(
    "locked",
    "A transfer needs the lock transfer to be open, a port the lock port.",
    ["transfer", "port"],
    about<AuthorityOperation & { t: "transfer" | "port" }>((op, { state }) =>
      flaw(state?.head.locks.includes(op.t) !== false, `The lock ${op.t} is closed`),
    ),
  ),
  rule(
    "leaves",
    "A transfer names another registrar, a port another zone.",
    ["transfer", "port"],
    about<AuthorityOperation>((op, { state }) =>
      flaw(
        op.t === "port" ? op.to === state?.zone : op.registrar === state?.head.registrar,
        "It leads to where the passport is",
      ),
    ),
  ),
  rule(
    "hold-order",
    "hold is for a passport that is not held, unhold for one that is.",
    ["hold", "unhold"],
    ({ signed: { op }, state }) =>
      flaw(
        (op.t === "hold") !== (state?.hold === null),
        op.t === "hold" ? "It is held already" : "It is not held",
      ),
    ["conflict"],
  ),
  rule(
    "signer",
    "The delegate signs data only, the zone alone holds only, the zone with a legal key erase only; a hold is signed by the zone, everything else by keys of the authority or, in a recover, of by.",
    ALL,
    (candidate) => {
      const { op } = candidate.signed;
      const signers = signersOf(candidate.signed);
      const isHold = op.t === "hold" || op.t === "unhold";
      if (signers === "d") return flaw(op.t !== "data", "A delegate cannot sign this");
      if (signers === "z") return flaw(!isHold, "A zone cannot sign this alone");
      if (signers === "zl") return flaw(op.t !== "erase", "A zone and a legal key cannot sign this");
      if (isHold) return "Only the zone signs this";
      const count = signingKeys(candidate).length;
      return flaw(
        candidate.signed.sigs.some(({ k }) => Number(k) >= count),
        `There are only ${count} keys`,
      );
    },
  ),
  rule(
    "case-signer",
    "An erase names a case when the zone signs it, and none when its owner does.",
    ["erase"],
    about<EraseOperation>((op, { signed }) =>
      flaw((op.case === null) !== (signersOf(signed) === "keys"), "case does not fit who signs"),
    ),
  ),
  rule(
    "threshold",
    "As many keys sign as the authority's threshold asks for; for a rotate, also as many as next had promised; for a recover, all keys of by, and as many as recovery asks for.",
    ALL,
    (candidate) => {
      const { signed, state } = candidate;
      const { op } = signed;
      if (signersOf(signed) !== "keys") return null;
      const today = state?.head.auth.threshold ?? Infinity;
      const needed =
        op.t === "create"
          ? op.auth.threshold
          : op.t === "rotate"
            ? Math.max(op.auth.threshold, state?.head.next.threshold ?? Infinity)
            : op.t === "recover"
              ? Math.max(op.by.length, state?.head.recovery.threshold ?? Infinity)
              : today;
      return flaw(signed.sigs.length < needed, `${signed.sigs.length} of ${needed} signatures`);
    },
  ),
  rule("signature", "Every signature is valid over the operation.", ALL, async (candidate) => {
    const { signed, state } = candidate;
    const keys = signingKeys(candidate);
    const bytes = bytesOfOperation(signed.op);
    for (const { k, s } of signed.sigs) {
      const signature = decodeBase64url(s, 64);
      const known =
        typeof k === "number"
          ? keys.slice(k, k + 1)
          : k === "d"
            ? [state?.head.delegate.key ?? ""]
            : officialKeys(candidate)[k];
      if (!signature || !(await isByOneOf(known, signature, bytes))) return `Signature ${k} is not valid`;
    }
    return null;
  }),
  rule(
    "delegate-keys",
    "Data signed by the delegate names only keys of the authority: a host cannot add a key that speaks for a person.",
    ["data"],
    about<DataOperation>((op, { signed, state }) =>
      flaw(
        isByDelegate(signed) && !op.keys.every(({ key }) => state?.head.auth.keys.includes(key)),
        "A key is not one of the authority",
      ),
    ),
  ),
];

export async function isByOneOf(
  keys: readonly PublicKey[],
  signature: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const key of keys) if (await verifySignature(key, signature, bytes)) return true;
  return false;
}
