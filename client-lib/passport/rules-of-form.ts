/** Long because it is one table: the rules of form, which every operation obeys by itself. */
import { decodeBase64url, jcs, utf8 } from "./bytes.ts";
import { canonicalText } from "./fixed.ts";
import {
  allowNone,
  areDistinct,
  flawOfUrl,
  isExactly,
  isFolder,
  isFragment,
  isHash,
  isList,
  isObject,
  isTime,
  isWhole,
  oddNames,
} from "./form.ts";
import { isPassportId, isZone } from "./identifier.ts";
import { decodeKey, hashOfKey } from "./key.ts";
import {
  type AuthorityOperation,
  type DataOperation,
  type EraseOperation,
  HOLD_REASONS,
  type HoldOperation,
  type OperationType,
  type PassportOperation,
  type PortOperation,
  type RecoverOperation,
  type Signature,
  type VetoOperation,
} from "./operation.ts";
import { AFTER, ALL, AUTHORITY, about, flaw, LINKED, OPERATION_BYTES_MAX, type Rule, rule } from "./rule.ts";

const LINK = ["v", "t", "id", "seq", "prev"];
const KEYS = ["auth", "next", "recovery", "delegate", "registrar", "locks"];
const CHANGE = [...LINK, ...KEYS];
const HOLD = ["v", "t", "id", "aseq", "case", "reason", "at"];
const FIELDS: Readonly<Record<OperationType, readonly string[]>> = {
  create: ["v", "t", "zone", "seq", "prev", ...KEYS, "nonce"],
  rotate: CHANGE,
  recover: [...CHANGE, "by"],
  lock: CHANGE,
  unlock: CHANGE,
  transfer: CHANGE,
  port: [...CHANGE, "to"],
  deactivate: CHANGE,
  reactivate: CHANGE,
  erase: [...LINK, "case"],
  veto: ["v", "t", "id", "aseq", "of"],
  hold: HOLD,
  unhold: HOLD,
  data: ["v", "t", "id", "aseq", "dseq", "webid", "oidc", "storage", "moved", "keys", "ttl"],
};
const HELD: readonly OperationType[] = ["hold", "unhold"];
const SPONSORED: readonly OperationType[] = ["create", "rotate", "recover", "transfer", "port"];
const KEYS_MAX = 5;
const GUARDIANS_MAX = 7;
const CASE = /^[A-Za-z0-9][A-Za-z0-9./:-]{0,63}$/; // A reference that somebody can look up, no room for a story.
const REGISTRAR = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const SEQ_MAX = 1_000_000_000;
/** The largest `seq`: a chain of 256 is a thousand years of careful people, and what readers take. */
const ROOM = { others: 127, rotate: 223, recover: 255 };
/** Signers that are not numbered, in the only forms in which they come. */
const NAMED: readonly (readonly Signature["k"][])[] = [["d"], ["z"], ["z", "l"]];

function flawOfSet(
  value: unknown,
  names: readonly string[],
  most: number,
  isItem: (item: unknown) => boolean,
): string | null {
  const [list = ""] = names;
  if (!isExactly(value, names)) return `has not exactly ${names.join(", ")}`;
  const items = value[list];
  if (!isList(items, 1, most)) return `names not 1 to ${most} ${list}`;
  if (!items.every(isItem)) return `holds something that is none of the ${list}`;
  if (!areDistinct(items)) return `repeats one of the ${list}`;
  return flaw(!isWhole(value.threshold, 1, items.length), `has a threshold that is not 1 to ${items.length}`);
}

const isKey = (value: unknown): boolean => decodeKey(value) !== null;

/** Every address of a data record, with whether it may carry a fragment. */
function addressesOf(op: DataOperation): readonly (readonly [unknown, boolean])[] {
  return [
    ...op.webid.map((url) => [url, true] as const),
    ...(op.oidc === null ? [] : [[op.oidc, false] as const]),
    ...op.storage.map(({ url }) => [url, false] as const),
    ...op.moved.flatMap(({ from, to }) => [[from, false] as const, [to, false] as const]),
  ];
}

/** In the order they are asked: a rule takes for granted that those above it hold. */
export const FORM_RULES: readonly Rule[] = [
  rule(
    "envelope",
    "A signed operation has op and sigs, and may have sponsor; nothing else.",
    ALL,
    ({ signed }) =>
      flaw(
        !isObject(signed) || oddNames(signed, ["op", "sigs"], ["sponsor"]).length > 0 || !isObject(signed.op),
        "It is not an object with op, sigs and perhaps sponsor",
      ),
  ),
  rule(
    "size",
    "The operation and its signatures take at most operationBytesMax bytes (2,048) in canonical form, a recover half as many again.",
    ALL,
    ({ signed, options }) => {
      const bytesMax = options.operationBytesMax ?? OPERATION_BYTES_MAX;
      const most = signed.op.t === "recover" ? 1.5 * bytesMax : bytesMax; // Guardians show their keys and sign.
      const around = utf8(jcs({ op: 0, sigs: signed.sigs })).length - 1;
      const bytes = around + utf8(canonicalText(signed.op)).length;
      return flaw(bytes > most, `It takes ${bytes} bytes of ${most}`);
    },
  ),
  rule("version", "v is 1.", ALL, ({ signed }) => flaw(signed.op.v !== 1, "v is not 1")),
  rule("type", `t is one of ${ALL.join(", ")}.`, ALL, ({ signed }) =>
    flaw(!ALL.includes(signed.op.t), `t is not one of ${ALL.join(", ")}`),
  ),
  rule(
    "fields",
    "An operation has exactly the fields of its type: none is missing and none is unknown.",
    ALL,
    ({ signed }) => {
      const odd = oddNames(signed.op, FIELDS[signed.op.t]);
      return flaw(odd.length > 0, `Missing or unknown: ${odd.join(", ").slice(0, 100)}`);
    },
  ),
  rule(
    "zone",
    "zone is two characters a-z or 0-9.",
    ["create"],
    about<PassportOperation & { zone: string }>((op) =>
      flaw(!isZone(op.zone), "zone is not two characters a-z, 0-9"),
    ),
  ),
  rule(
    "id",
    "id is a passport identifier in lower case.",
    ALL.filter((type) => type !== "create"),
    about<DataOperation>((op) => flaw(!isPassportId(op.id), "id is not an identifier")),
  ),
  rule(
    "sequence-form",
    "seq, aseq and dseq are whole numbers: seq is 0 in create and more after it, aseq begins at 0, dseq at 1.",
    ALL,
    ({ signed: { op } }) => {
      if (op.t === "data" && !isWhole(op.dseq, 1, SEQ_MAX)) return "dseq is out of range";
      if ("aseq" in op) return flaw(!isWhole(op.aseq, 0, SEQ_MAX), "aseq is out of range");
      return flaw(
        op.t === "create" ? op.seq !== 0 || Object.is(op.seq, -0) : !isWhole(op.seq, 1, SEQ_MAX),
        "seq is out of range",
      );
    },
  ),
  rule(
    "room",
    `A chain has room: rotate has a seq of at most ${ROOM.rotate}, recover of at most ${ROOM.recover}, all others but erase of at most ${ROOM.others}, so that a thief of weaker keys leaves room for stronger ones.`,
    AFTER,
    about<AuthorityOperation>((op) => {
      const most = op.t === "rotate" || op.t === "recover" ? ROOM[op.t] : ROOM.others;
      return flaw(op.seq > most, `seq is more than ${most}`);
    }),
  ),
  rule(
    "prev-form",
    "prev is null in create and the hash of an operation after it.",
    LINKED,
    about<AuthorityOperation>((op) =>
      flaw(op.t === "create" ? op.prev !== null : !isHash(op.prev), "prev is not what it must be"),
    ),
  ),
  rule(
    "auth",
    "auth has 1 to 5 different Ed25519 keys of full order as z6Mk multikeys, and a threshold from 1 to their number.",
    AUTHORITY,
    about<AuthorityOperation>((op) => {
      const found = flawOfSet(op.auth, ["keys", "threshold"], KEYS_MAX, isKey);
      return found && `auth ${found}`;
    }),
  ),
  rule(
    "next",
    "next has 1 to 5 different hashes of keys in canonical base64url, and a threshold from 1 to their number.",
    AUTHORITY,
    about<AuthorityOperation>((op) => {
      const found = flawOfSet(op.next, ["hashes", "threshold"], KEYS_MAX, isHash);
      return found && `next ${found}`;
    }),
  ),
  rule(
    "recovery",
    "recovery has 1 to 7 different hashes of keys, a threshold from 1 to their number, and a delay from P1D to P90D.",
    AUTHORITY,
    about<AuthorityOperation>((op) => {
      const found = flawOfSet(op.recovery, ["hashes", "threshold", "delay"], GUARDIANS_MAX, isHash);
      if (found) return `recovery ${found}`;
      const days = /^P([1-9]\d?)D$/.exec(op.recovery.delay)?.[1];
      return flaw(
        typeof op.recovery.delay !== "string" || !isWhole(Number(days), 1, 90),
        "delay is not P1D to P90D",
      );
    }),
  ),
  rule(
    "delegate",
    "delegate is one key that may do data and nothing else.",
    AUTHORITY,
    about<AuthorityOperation>(({ delegate }) =>
      flaw(
        !isExactly(delegate, ["key", "may"]) ||
          !isKey(delegate.key) ||
          !isList(delegate.may, 1, 1) ||
          delegate.may[0] !== "data",
        "delegate is not a key with may [data]",
      ),
    ),
  ),
  rule(
    "by",
    "by lists 1 to 7 different keys.",
    ["recover"],
    about<RecoverOperation>(({ by }) =>
      flaw(!isList(by, 1, GUARDIANS_MAX) || !by.every(isKey) || !areDistinct(by), "by is not a list of keys"),
    ),
  ),
  rule(
    "delegate-apart",
    "The delegate's key is no authority key, next key or recovery key, nor in by: a host never holds authority.",
    AUTHORITY,
    about<AuthorityOperation>(async (op) => {
      const hash = await hashOfKey(op.delegate.key);
      return flaw(
        op.auth.keys.includes(op.delegate.key) ||
          op.next.hashes.includes(hash) ||
          op.recovery.hashes.includes(hash) ||
          (op.t === "recover" && op.by.includes(op.delegate.key)),
        "The delegate's key has a second role",
      );
    }),
  ),
  rule(
    "next-fresh",
    "next names no key that is or was shown in auth: a thief of today's keys must not own tomorrow's.",
    AUTHORITY,
    about<AuthorityOperation>(async (op, { state }) => {
      const shown = await Promise.all([...op.auth.keys, ...(state?.head.auth.keys ?? [])].map(hashOfKey));
      return flaw(
        shown.some((hash) => op.next.hashes.includes(hash)),
        "next names a key that is already shown",
      );
    }),
  ),
  rule(
    "recovery-apart",
    "A recovery key, shown in by or not, is no next key and no authority key.",
    AUTHORITY,
    about<AuthorityOperation>(async (op) => {
      const others = [...op.next.hashes, ...(await Promise.all(op.auth.keys.map(hashOfKey)))];
      const shown = op.t === "recover" ? await Promise.all(op.by.map(hashOfKey)) : [];
      return flaw(
        [...op.recovery.hashes, ...shown].some((hash) => others.includes(hash)),
        "A recovery key has a second role",
      );
    }),
  ),
  rule(
    "registrar",
    "registrar is a name of 1 to 63 characters a-z, 0-9, dots and hyphens.",
    AUTHORITY,
    about<AuthorityOperation>((op) =>
      flaw(
        typeof op.registrar !== "string" || !REGISTRAR.test(op.registrar),
        "registrar is not a registrar's name",
      ),
    ),
  ),
  rule(
    "locks",
    "locks is transfer and port, in this order, each at most once; a create has both.",
    AUTHORITY,
    about<AuthorityOperation>((op) => {
      const allowed = op.t === "create" ? ["transfer,port"] : ["", "transfer", "port", "transfer,port"];
      return flaw(
        !Array.isArray(op.locks) ||
          !op.locks.every((lock) => typeof lock === "string") ||
          !allowed.includes(op.locks.join()),
        "locks is not what it must be",
      );
    }),
  ),
  rule(
    "nonce",
    "nonce is 16 bytes in canonical base64url.",
    ["create"],
    about<PassportOperation & { nonce: unknown }>((op) =>
      flaw(!decodeBase64url(op.nonce, 16), "nonce is not 16 bytes"),
    ),
  ),
  rule(
    "to",
    "to is a zone: two characters a-z or 0-9.",
    ["port"],
    about<PortOperation>((op) => flaw(!isZone(op.to), "to is not two characters a-z, 0-9")),
  ),
  rule(
    "of",
    "of is the hash of an operation.",
    ["veto"],
    about<VetoOperation>((op) => flaw(!isHash(op.of), "of is not a hash")),
  ),
  rule(
    "case",
    "case is a reference of 1 to 64 characters a-z, A-Z, 0-9, dots, slashes, colons and hyphens; in erase it may be null.",
    ["erase", ...HELD],
    about<EraseOperation | HoldOperation>((op) =>
      flaw(
        !(op.t === "erase" && op.case === null) && !(typeof op.case === "string" && CASE.test(op.case)),
        "case is not a reference",
      ),
    ),
  ),
  rule(
    "reason",
    `reason is one of ${HOLD_REASONS.join(", ")}.`,
    HELD,
    about<HoldOperation>((op) => flaw(!HOLD_REASONS.includes(op.reason), "reason is not on the list")),
  ),
  rule(
    "at",
    "at is a time in UTC to the second.",
    HELD,
    about<HoldOperation>((op) => flaw(!isTime(op.at), "at is not a time")),
  ),
  rule(
    "webid",
    "webid lists at most 4 different addresses.",
    ["data"],
    about<DataOperation>(({ webid }) =>
      flaw(!isList(webid, 0, 4) || !areDistinct(webid), "webid is not at most 4 different addresses"),
    ),
  ),
  rule(
    "storage",
    "storage lists at most 8 places, each with its own id such as #pod and its own url that ends in a slash; none says that the passport leads nowhere.",
    ["data"],
    about<DataOperation>(({ storage }) => {
      if (
        !isList(storage, 0, 8) || // A host whose pod was erased must be able to unsay where it was.
        !storage.every((place) => isExactly(place, ["id", "url"]) && isFragment(place.id))
      )
        return "storage is not at most 8 places with id and url";
      if (!storage.every(({ url }) => isFolder(url))) return "A storage url does not end in a slash";
      return flaw(
        !areDistinct(storage.map(({ id }) => id)) || !areDistinct(storage.map(({ url }) => url)),
        "A storage is repeated",
      );
    }),
  ),
  rule(
    "moved",
    "moved lists at most 16 moves, each with from, to, at and redirectUntil; addresses end in a slash, times are UTC to the second.",
    ["data"],
    about<DataOperation>(({ moved }) => {
      if (
        !isList(moved, 0, 16) ||
        !moved.every((move) => isExactly(move, ["from", "to", "at", "redirectUntil"]))
      )
        return "moved is not a list of moves";
      if (!moved.every(({ from, to }) => isFolder(from) && isFolder(to) && from !== to))
        return "A move does not lead from one folder to another";
      return flaw(
        !moved.every(({ at, redirectUntil }) => isTime(at) && isTime(redirectUntil) && at <= redirectUntil),
        "A move has times that are not UTC or not in order",
      );
    }),
  ),
  rule(
    "url",
    "Every address is https with a host's name, in normal form, of at most 512 bytes, without user name or query; only a WebID has a fragment.",
    ["data"],
    about<DataOperation>((op, { options }) => {
      for (const [url, fragment] of addressesOf(op)) {
        const found = flawOfUrl(url, options.allowUrl ?? allowNone, fragment);
        if (found) return `${JSON.stringify(url).slice(0, 100)} ${found}`;
      }
      return null;
    }),
  ),
  rule(
    "keys",
    "keys lists at most 8 different keys, each with an id such as #sign, and for naming authentication, assertionMethod or both.",
    ["data"],
    about<DataOperation>(({ keys, storage }) => {
      const uses = ["authentication", "assertionMethod", "authentication,assertionMethod"];
      if (
        !isList(keys, 0, 8) ||
        !keys.every((key) => isExactly(key, ["id", "key", "for"]) && isFragment(key.id) && isKey(key.key))
      )
        return "keys is not a list of keys with id, key and for";
      if (
        !keys.every(
          (key) =>
            Array.isArray(key.for) &&
            key.for.every((use) => typeof use === "string") &&
            uses.includes(key.for.join()),
        )
      )
        return "for names something else";
      return flaw(
        !areDistinct([...keys.map(({ id }) => id), ...storage.map(({ id }) => id), "#oidc"]),
        "An id is repeated",
      );
    }),
  ),
  rule(
    "ttl",
    "ttl is a whole number of seconds from 60 to 86,400.",
    ["data"],
    about<DataOperation>(({ ttl }) => flaw(!isWhole(ttl, 60, 86_400), "ttl is not 60 to 86400")),
  ),
  rule(
    "signature-form",
    "sigs has 1 to 5 signatures (in a recover 7) with k and s in canonical base64url, k growing; or one with k d, one with k z, or one with k z and one with k l.",
    ALL,
    ({ signed: { op, sigs } }) => {
      const most = op.t === "recover" ? GUARDIANS_MAX : KEYS_MAX;
      if (
        !isList(sigs, 1, most) ||
        !sigs.every((sig) => isExactly(sig, ["k", "s"]) && decodeBase64url(sig.s, 64))
      )
        return "sigs is not a list of signatures";
      if (NAMED.some((names) => sigs.length === names.length && sigs.every(({ k }, i) => k === names[i])))
        return null;
      return flaw(
        !sigs.every(
          ({ k }, index) => isWhole(k, 0, most - 1) && (index === 0 || k > Number(sigs[index - 1]?.k)),
        ),
        "The indexes of the signers are not numbers that grow",
      );
    },
  ),
  rule(
    "sponsor-form",
    `sponsor has by, a registrar's name or in a port that of a zone, and s in canonical base64url; it stands only beside ${SPONSORED.join(", ")}.`,
    ALL,
    ({ signed: { op, sponsor } }) =>
      flaw(
        sponsor !== undefined &&
          (!SPONSORED.includes(op.t) ||
            !isExactly(sponsor, ["by", "s"]) ||
            typeof sponsor.by !== "string" ||
            !(op.t === "port" ? isZone(sponsor.by) : REGISTRAR.test(sponsor.by)) ||
            !decodeBase64url(sponsor.s, 64)),
        "sponsor is not what it must be",
      ),
  ),
];
