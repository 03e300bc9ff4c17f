/** The rules of the chain: whether an operation may follow what came before, and whether a registry may take it. */
import { decodeBase64url, jcs } from "./bytes.ts";
import { zoneOf } from "./identifier.ts";
import { hashOfKey, type PublicKey, verifySignature } from "./key.ts";
import {
  type AuthorityOperation,
  bytesOfOperation,
  bytesOfSponsorship,
  type DataOperation,
  type Signed,
} from "./operation.ts";
import { ALL, AUTHORITY, about, type Candidate, flaw, type Rule, rule } from "./rule.ts";

/** The keys that an operation's numbered signatures count in. */
function signingKeys({ signed, state }: Candidate): readonly PublicKey[] {
  if (signed.op.t !== "data") return signed.op.auth.keys;
  return state?.head.auth.keys ?? [];
}

const isByDelegate = (signed: Signed): boolean => signed.sigs[0]?.k === "d";
export const CHAIN_RULES: readonly Rule[] = [
  rule("beginning", "A passport begins with create and has only one.", ALL, ({ signed, state }) => {
    if (signed.op.t === "create") return flaw(state !== null, "This passport has begun already");
    return flaw(state === null, "There is no such passport yet");
  }),
  rule(
    "same-passport",
    "id is that of the passport the operation is added to.",
    ["rotate", "data"],
    about<DataOperation>((op, { state }) => flaw(op.id !== state?.id, "id names another passport")),
  ),
  rule(
    "seq",
    "seq is one more than that of the authority operation before.",
    ["rotate"],
    about<AuthorityOperation>((op, { state }) =>
      flaw(op.seq !== (state?.head.seq ?? 0) + 1, `seq is not ${(state?.head.seq ?? 0) + 1}`),
    ),
    ["conflict"],
  ),
  rule(
    "prev",
    "prev is the hash of the authority operation before: the chain never forks.",
    ["rotate"],
    about<AuthorityOperation>((op, { state }) =>
      flaw(op.prev !== state?.headHash, "prev is not the hash of the operation before"),
    ),
    ["conflict"],
  ),
  rule(
    "aseq",
    "aseq is the seq of the newest authority operation: what older keys signed has ended.",
    ["data"],
    about<DataOperation>((op, { state }) =>
      flaw(op.aseq !== state?.head.seq, `aseq is not ${state?.head.seq}`),
    ),
    ["conflict"],
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
    "recovery-kept",
    "A rotate keeps the recovery set: a thief of the other keys must not take it along.",
    ["rotate"],
    about<AuthorityOperation>((op, { state }) =>
      flaw(jcs(op.recovery) !== jcs(state?.head.recovery ?? null), "recovery has changed"),
    ),
  ),
  rule(
    "locks-kept",
    "A rotate keeps the locks.",
    ["rotate"],
    about<AuthorityOperation>((op, { state }) =>
      flaw(op.locks.join() !== state?.head.locks.join(), "locks have changed"),
    ),
  ),
  rule(
    "signer",
    "The delegate signs data only; every numbered signature is by a key of the authority.",
    ALL,
    (candidate) => {
      if (isByDelegate(candidate.signed))
        return flaw(candidate.signed.op.t !== "data", "A delegate cannot sign this");
      const count = signingKeys(candidate).length;
      return flaw(
        candidate.signed.sigs.some(({ k }) => Number(k) >= count),
        `There are only ${count} keys`,
      );
    },
  ),
  rule(
    "threshold",
    "As many keys sign as the authority's threshold asks for; for a rotate, also as many as next had promised.",
    ALL,
    (candidate) => {
      const { signed, state } = candidate;
      if (isByDelegate(signed)) return null;
      const own =
        signed.op.t === "data" ? (state?.head.auth.threshold ?? Infinity) : signed.op.auth.threshold;
      const needed = signed.op.t === "rotate" ? Math.max(own, state?.head.next.threshold ?? Infinity) : own;
      return flaw(signed.sigs.length < needed, `${signed.sigs.length} of ${needed} signatures`);
    },
  ),
  rule("signature", "Every signature is valid over the operation.", ALL, async (candidate) => {
    const { signed, state } = candidate;
    const keys = signingKeys(candidate);
    const bytes = bytesOfOperation(signed.op);
    for (const { k, s } of signed.sigs) {
      const key = k === "d" ? state?.head.delegate.key : keys[k];
      const signature = decodeBase64url(s, 64);
      if (!key || !signature || !(await verifySignature(key, signature, bytes)))
        return `Signature ${k} is not valid`;
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
/** Only whoever accepts operations can ask these. */
export const REGISTRY_RULES: readonly Rule[] = [
  rule(
    "dseq",
    "dseq is one more than that of the data record before.",
    ["data"],
    about<DataOperation>((op, { state }) =>
      flaw(op.dseq !== (state?.dseq ?? 0) + 1, `dseq is not ${(state?.dseq ?? 0) + 1}`),
    ),
    ["registry", "conflict"],
  ),
  rule(
    "own-zone",
    "A passport begins in a zone of the registry it is sent to.",
    ["create", "rotate", "data"],
    ({ signed: { op }, options: { registry } }) =>
      flaw(
        !registry?.zones.includes(op.t === "create" ? op.zone : zoneOf(op.id)),
        `This registry is that of ${registry?.zones.join(", ")}`,
      ),
    ["registry"],
  ),
  rule(
    "sponsored",
    "A create, and a rotate that changes the registrar, is sponsored by the registrar it names, which is accredited.",
    AUTHORITY,
    about<AuthorityOperation>(async (op, { signed, state, options: { registry } }) => {
      const { sponsor } = signed;
      if (!sponsor)
        return flaw(op.t === "create" || op.registrar !== state?.head.registrar, "There is no sponsor");
      if (sponsor.by !== op.registrar) return "The sponsor is not the registrar named in the operation";
      const signature = decodeBase64url(sponsor.s, 64);
      for (const key of registry?.registrarKeys(sponsor.by) ?? []) {
        if (signature && (await verifySignature(key, signature, bytesOfSponsorship(op)))) return null;
      }
      return "The sponsorship is not valid, or the registrar is not accredited";
    }),
    ["registry"],
  ),
  rule(
    "delegate-storage",
    "A delegate names only storage at origins of its own host.",
    ["data"],
    about<DataOperation>((op, { signed, state, options: { registry } }) => {
      if (!isByDelegate(signed)) return null;
      const origins = registry?.storageOrigins(state?.head.delegate.key ?? "") ?? [];
      return flaw(
        !op.storage.every(({ url }) => origins.includes(new URL(url).origin)),
        "The storage is not at the delegate's host",
      );
    }),
    ["registry"],
  ),
];
