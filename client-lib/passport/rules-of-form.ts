/** Long because it is one table: the rules of form, which every operation obeys by itself. */
import { decodeBase64url, jcs, utf8 } from "./bytes.ts";
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
import type { AuthorityOperation, DataOperation, OperationType, PassportOperation } from "./operation.ts";
import { ALL, AUTHORITY, about, flaw, OPERATION_BYTES_MAX, type Rule, rule } from "./rule.ts";

const FIELDS: Readonly<Record<OperationType, readonly string[]>> = {
  create: [
    "v",
    "t",
    "zone",
    "seq",
    "prev",
    "auth",
    "next",
    "recovery",
    "delegate",
    "registrar",
    "locks",
    "nonce",
  ],
  rotate: ["v", "t", "id", "seq", "prev", "auth", "next", "recovery", "delegate", "registrar", "locks"],
  data: ["v", "t", "id", "aseq", "dseq", "webid", "oidc", "storage", "moved", "keys", "ttl"],
};
const KEYS_MAX = 5;
const REGISTRAR = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const SEQ_MAX = 1_000_000_000;

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
    "The operation and its signatures take at most operationBytesMax bytes (2,048) in canonical form.",
    ALL,
    ({ signed, options }) => {
      const most = options.operationBytesMax ?? OPERATION_BYTES_MAX;
      const bytes = utf8(jcs({ op: signed.op, sigs: signed.sigs })).length;
      return flaw(bytes > most, `It takes ${bytes} bytes of ${most}`);
    },
  ),
  rule("version", "v is 1.", ALL, ({ signed }) => flaw(signed.op.v !== 1, "v is not 1")),
  rule("type", "t is create, rotate or data.", ALL, ({ signed }) =>
    flaw(!ALL.includes(signed.op.t), "t is not one of create, rotate, data"),
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
    ["rotate", "data"],
    about<DataOperation>((op) => flaw(!isPassportId(op.id), "id is not an identifier")),
  ),
  rule(
    "sequence-form",
    "seq, aseq and dseq are whole numbers: seq is 0 in create and more in rotate, aseq begins at 0, dseq at 1.",
    ALL,
    ({ signed: { op } }) => {
      if (op.t === "data")
        return flaw(
          !isWhole(op.aseq, 0, SEQ_MAX) || !isWhole(op.dseq, 1, SEQ_MAX),
          "aseq or dseq is out of range",
        );
      return flaw(
        op.t === "create" ? op.seq !== 0 || Object.is(op.seq, -0) : !isWhole(op.seq, 1, SEQ_MAX),
        "seq is out of range",
      );
    },
  ),
  rule(
    "prev-form",
    "prev is null in create and the hash of an operation in rotate.",
    AUTHORITY,
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
      const found = flawOfSet(op.recovery, ["hashes", "threshold", "delay"], 7, isHash);
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
    "delegate-apart",
    "The delegate's key is no authority key, next key or recovery key: a host never holds authority.",
    AUTHORITY,
    about<AuthorityOperation>(async (op) => {
      const hash = await hashOfKey(op.delegate.key);
      return flaw(
        op.auth.keys.includes(op.delegate.key) ||
          op.next.hashes.includes(hash) ||
          op.recovery.hashes.includes(hash),
        "The delegate's key has a second role",
      );
    }),
  ),
  rule(
    "next-fresh",
    "next names no key that is or was shown in auth: a thief of today's keys must not own tomorrow's.",
    AUTHORITY,
    about<AuthorityOperation>(async (op, { state }) => {
      const shown = await Promise.all(
        [...op.auth.keys, ...(op.t === "rotate" ? (state?.head.auth.keys ?? []) : [])].map(hashOfKey),
      );
      return flaw(
        shown.some((hash) => op.next.hashes.includes(hash)),
        "next names a key that is already shown",
      );
    }),
  ),
  rule(
    "recovery-apart",
    "A recovery key is no next key and no authority key.",
    AUTHORITY,
    about<AuthorityOperation>(async (op) => {
      const others = [...op.next.hashes, ...(await Promise.all(op.auth.keys.map(hashOfKey)))];
      return flaw(
        op.recovery.hashes.some((hash) => others.includes(hash)),
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
    "webid",
    "webid lists 1 to 4 different addresses.",
    ["data"],
    about<DataOperation>(({ webid }) =>
      flaw(!isList(webid, 1, 4) || !areDistinct(webid), "webid is not 1 to 4 different addresses"),
    ),
  ),
  rule(
    "storage",
    "storage lists 1 to 8 places, each with its own id such as #pod and its own url that ends in a slash.",
    ["data"],
    about<DataOperation>(({ storage }) => {
      if (
        !isList(storage, 1, 8) ||
        !storage.every((place) => isExactly(place, ["id", "url"]) && isFragment(place.id))
      )
        return "storage is not 1 to 8 places with id and url";
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
    "sigs has 1 to 5 signatures with k and s in canonical base64url, k growing; or one by the delegate, with k d.",
    ALL,
    ({ signed: { sigs } }) => {
      if (
        !isList(sigs, 1, KEYS_MAX) ||
        !sigs.every((sig) => isExactly(sig, ["k", "s"]) && decodeBase64url(sig.s, 64))
      )
        return "sigs is not a list of signatures";
      if (sigs.length === 1 && sigs[0]?.k === "d") return null;
      return flaw(
        !sigs.every(
          ({ k }, index) => isWhole(k, 0, KEYS_MAX - 1) && (index === 0 || k > Number(sigs[index - 1]?.k)),
        ),
        "The indexes of the signers are not numbers that grow",
      );
    },
  ),
  rule(
    "sponsor-form",
    "sponsor has by and s in canonical base64url, and never stands beside data.",
    ALL,
    ({ signed: { op, sponsor } }) =>
      flaw(
        sponsor !== undefined &&
          (op.t === "data" ||
            !isExactly(sponsor, ["by", "s"]) ||
            typeof sponsor.by !== "string" ||
            !REGISTRAR.test(sponsor.by) ||
            !decodeBase64url(sponsor.s, 64)),
        "sponsor is not what it must be",
      ),
  ),
];
