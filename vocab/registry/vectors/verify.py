#!/usr/bin/env python3
"""A second reading of the rules of signed operations, in another language and with nothing but its own library.

It shares no line with the first one: where the two disagree about a vector, one of them, or the page that describes the
protocol (vocab/registry/README.md), is wrong.

python3 verify.py [operations.json]   judges the vectors
python3 verify.py --judge             of each line of JSON with signed, state and registry, says which rule it breaks, or null
"""
import base64, hashlib, json, os, re, sys

# --- Ed25519 (RFC 8032), strict: canonical encodings, nothing of small order, no cofactor ---------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    u, v = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    w, s = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = v - u, s - w, s + w, v + u
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(k, point):
    out = (0, 1, 1, 0)
    while k > 0:
        if k & 1:
            out = add(out, point)
        point = add(point, point)
        k >>= 1
    return out


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    point = (x, y, 1, x * y % P)
    return None if same(times(8, point), (0, 1, 1, 0)) else point


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def verifies(key, signature, message):
    raw = raw_key(key)
    if raw is None or signature is None or len(signature) != 64:
        return False
    a, r = point_of(raw), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + raw + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(k, a)))


# --- bytes and their spellings ----------------------------------------------------------------------------------------
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def raw_key(text):
    if not isinstance(text, str) or not re.fullmatch("z6Mk[%s]{44}" % BASE58, text):
        return None
    number = 0
    for letter in text[1:]:
        number = number * 58 + BASE58.index(letter)
    if number >> 272 or number >> 256 != 0xED01:
        return None
    return (number & (2**256 - 1)).to_bytes(32, "big")


def decoded(text, length):
    if not isinstance(text, str) or not re.fullmatch("[A-Za-z0-9_-]*", text):
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if len(raw) == length and encoded(raw) == text else None


def encoded(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def jcs(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def tagged(tag, value):
    return tag.encode() + b"\0" + jcs(value).encode()


def hash_of(op):
    return encoded(hashlib.sha256(tagged("DCANN-op-v1", op)).digest())


def hash_of_key(key):
    return encoded(hashlib.sha256(b"DCANN-key-v1\0" + key.encode()).digest())


def polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> bit & 1 else 0
    return check


def expanded(prefix):
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def is_id(text):
    if not isinstance(text, str) or not re.fullmatch("dp[a-z0-9]{2}1[%s]{48}" % BECH32, text):
        return False
    words = [BECH32.index(c) for c in text[5:]]
    number = 0
    for word in words[:42]:
        number = number << 5 | word
    return polymod(expanded(text[:4]) + words) == 0x2BC830A3 and number & 3 == 0 and number >> 202 == 0


def read_id(text):
    bare = text[10:] if text.startswith("did:dcann:") else text
    return is_id(bare) or (bare.isascii() and bare == bare.upper() and is_id(bare.lower()))


def id_of(genesis):
    digest = hashlib.sha256(tagged("DCANN-id-v1", genesis)).digest()[:25]
    number = int.from_bytes(b"\0" + digest, "big") << 2
    words = [number >> 5 * (41 - at) & 31 for at in range(42)]
    prefix = "dp" + genesis["zone"]
    check = polymod(expanded(prefix) + words + [0] * 6) ^ 0x2BC830A3
    return prefix + "1" + "".join(BECH32[w] for w in words + [check >> 5 * (5 - at) & 31 for at in range(6)])


# --- forms --------------------------------------------------------------------------------------------------------------
def whole(value, least, most):
    return type(value) is int and least <= value <= most


def listed(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most


def exactly(value, names):
    return isinstance(value, dict) and set(value) == set(names)


def distinct(values):
    return len({jcs(v) for v in values}) == len(values)


def is_hash(value):
    return decoded(value, 32) is not None


def small_order():
    """The y of the eight points of small order, found as multiples of one of order eight."""
    for y in range(2, 200):
        point = point_of(y.to_bytes(32, "little"))
        eighth = point and times(L, point)
        if eighth and not same(times(4, eighth), (0, 1, 1, 0)):
            return {y * pow(z, P - 2, P) % P for _, y, z, _ in (times(k, eighth) for k in range(8))}
    raise AssertionError("no point of order eight was found")


SMALL = small_order()


def is_key(value):
    """Whether it is on the curve at all is not asked here: a signature will tell."""
    raw = raw_key(value)
    y = int.from_bytes(raw, "little") & (2**255 - 1) if raw else P
    return y < P and y not in SMALL


def is_set(value, names, most, test):
    return (
        exactly(value, names)
        and listed(value[names[0]], 1, most)
        and all(test(one) for one in value[names[0]])
        and distinct(value[names[0]])
        and whole(value["threshold"], 1, len(value[names[0]]))
    )


def is_time(value):
    found = isinstance(value, str) and re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", value, re.ASCII)
    if not found:
        return False
    year, month, day, hour, minute, second = map(int, found.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return 1 <= month <= 12 and 1 <= day <= days[month - 1] and hour < 24 and minute < 60 and second < 60


def ms_of(time):
    import calendar

    return calendar.timegm([int(part) for part in re.split(r"\D", time)[:6]]) * 1000


FRAGMENT = re.compile(r"#[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
HOST = re.compile(r"(?!.*\.localhost$)(?!.*\.([0-9]+|0x[0-9a-f]*)$)[a-z0-9_-]+(\.[a-z0-9_-]+)+")


def is_url(value, fragment):
    if not isinstance(value, str) or len(value.encode()) > 512:
        return False
    found = re.fullmatch(r"https://([^/?#@:]+)(?::(?!443/)[1-9][0-9]{0,4})?(/[!$%&'()*+,\-./0-9:;=@A-Z_a-z~]*)(#\S*)?", value)
    if not found or not HOST.fullmatch(found[1]) or (found[3] is not None and not fragment):
        return False
    dots = [part.lower().replace("%2e", ".") for part in found[2].split("/")]
    return not any(part in (".", "..") for part in dots) and not re.search(r'[<>"{}|\\^`]', value)


def origin(url):
    return "/".join(url.split("/")[:3])


# --- the rules, in their order ---------------------------------------------------------------------------------------
LINK = ["v", "t", "id", "seq", "prev"]
KEYS = ["auth", "next", "recovery", "delegate", "registrar", "locks"]
HOLD = ["v", "t", "id", "aseq", "case", "reason", "at"]
FIELDS = {
    "create": ["v", "t", "zone", "seq", "prev", *KEYS, "nonce"],
    "rotate": LINK + KEYS, "recover": LINK + KEYS + ["by"], "lock": LINK + KEYS, "unlock": LINK + KEYS,
    "transfer": LINK + KEYS, "port": LINK + KEYS + ["to"], "deactivate": LINK + KEYS, "reactivate": LINK + KEYS,
    "erase": LINK + ["case"], "veto": ["v", "t", "id", "aseq", "of"], "hold": HOLD, "unhold": HOLD,
    "data": ["v", "t", "id", "aseq", "dseq", "webid", "oidc", "storage", "moved", "keys", "ttl"],
}  # fmt: skip
CHAIN = ["create", "rotate", "recover", "lock", "unlock", "transfer", "port", "deactivate", "reactivate"]
AFTER, LINKED = CHAIN[1:], CHAIN + ["erase"]
ALL = LINKED + ["veto", "hold", "unhold", "data"]
ROOM = {"rotate": 223, "recover": 255}
REASONS = ["court-order", "authority-order", "fraud", "impersonation", "abuse"]
REGISTRAR = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")
CHANGES = {
    "rotate": KEYS[:5], "recover": KEYS[:5], "lock": ["locks"], "unlock": ["locks"], "transfer": ["delegate", "registrar"],
}  # fmt: skip
AT_REST = ["reactivate", "rotate", "recover", "erase", "veto", "hold", "unhold"]
DAY = 86_400_000
RULES = []


def rule(name, on, registry=False):
    """Of an operation (o), signed (s), in a state (t), before a registry (r): true when the rule holds."""
    return lambda check: RULES.append((name, on, registry, check))


def who(s):
    return "".join(sig["k"] for sig in s["sigs"] if isinstance(sig["k"], str)) or "keys"


def numbered(o, t):
    if o["t"] == "recover":
        return o["by"]
    return o["auth"]["keys"] if o["t"] in ("create", "rotate") else t["head"]["auth"]["keys"]


def hashes(keys):
    return [hash_of_key(key) for key in keys]


def delay_ms(recovery):
    return int(recovery["delay"][1:-1]) * DAY


def wait_ms(o, t):
    if o["t"] == "recover" or (o["t"] == "rotate" and jcs(o["recovery"]) != jcs(t["head"]["recovery"])):
        return delay_ms(t["head"]["recovery"])
    return {"unlock": 3 * DAY, "erase": 3 * DAY, "port": 5 * DAY}.get(o["t"], 0)


def in_force(o, t):
    return t["keysSince"] <= o["aseq"] <= t["head"]["seq"]


def form(name, on, check):
    RULES.append((name, on, False, lambda o, s, t, r: check(o)))


def chain(name, on, check, registry=False):
    RULES.append((name, on, registry, check))


RULES.append(("envelope", ALL, False, lambda o, s, t, r: isinstance(s, dict) and {"op", "sigs"} <= set(s) <= {"op", "sigs", "sponsor"} and isinstance(o, dict)))
RULES.append(("size", ALL, False, lambda o, s, t, r: len(jcs({"op": o, "sigs": s["sigs"]}).encode()) <= (3072 if o.get("t") == "recover" else 2048)))
form("version", ALL, lambda o: type(o.get("v")) is int and o["v"] == 1)
form("type", ALL, lambda o: o.get("t") in ALL)
form("fields", ALL, lambda o: set(o) == set(FIELDS[o["t"]]))
form("zone", ["create"], lambda o: isinstance(o["zone"], str) and bool(re.fullmatch("[a-z0-9]{2}", o["zone"])))
form("id", ALL[1:], lambda o: is_id(o["id"]))
form("sequence-form", ALL, lambda o: (o["t"] != "data" or whole(o["dseq"], 1, 10**9)) and (whole(o["aseq"], 0, 10**9) if "aseq" in o else whole(o["seq"], *((0, 0) if o["t"] == "create" else (1, 10**9)))))
form("room", AFTER, lambda o: o["seq"] <= ROOM.get(o["t"], 127))
form("prev-form", LINKED, lambda o: o["prev"] is None if o["t"] == "create" else is_hash(o["prev"]))
form("auth", CHAIN, lambda o: is_set(o["auth"], ["keys", "threshold"], 5, is_key))
form("next", CHAIN, lambda o: is_set(o["next"], ["hashes", "threshold"], 5, is_hash))
form("recovery", CHAIN, lambda o: is_set(o["recovery"], ["hashes", "threshold", "delay"], 7, is_hash) and isinstance(o["recovery"]["delay"], str) and bool(re.fullmatch("P([1-9]|[1-8][0-9]|90)D", o["recovery"]["delay"])))
form("delegate", CHAIN, lambda o: exactly(o["delegate"], ["key", "may"]) and is_key(o["delegate"]["key"]) and o["delegate"]["may"] == ["data"])
form("by", ["recover"], lambda o: listed(o["by"], 1, 7) and all(map(is_key, o["by"])) and distinct(o["by"]))
form("delegate-apart", CHAIN, lambda o: o["delegate"]["key"] not in o["auth"]["keys"] + o.get("by", []) and hash_of_key(o["delegate"]["key"]) not in o["next"]["hashes"] + o["recovery"]["hashes"])
chain("next-fresh", CHAIN, lambda o, s, t, r: not set(hashes(o["auth"]["keys"] + (t["head"]["auth"]["keys"] if t else []))) & set(o["next"]["hashes"]))
form("recovery-apart", CHAIN, lambda o: not set(o["recovery"]["hashes"] + hashes(o.get("by", []))) & set(o["next"]["hashes"] + hashes(o["auth"]["keys"])))
form("registrar", CHAIN, lambda o: isinstance(o["registrar"], str) and bool(REGISTRAR.fullmatch(o["registrar"])))
form("locks", CHAIN, lambda o: o["locks"] in ([["transfer", "port"]] if o["t"] == "create" else [[], ["transfer"], ["port"], ["transfer", "port"]]))
form("nonce", ["create"], lambda o: decoded(o["nonce"], 16) is not None)
form("to", ["port"], lambda o: isinstance(o["to"], str) and bool(re.fullmatch("[a-z0-9]{2}", o["to"])))
form("of", ["veto"], lambda o: is_hash(o["of"]))
form("case", ["erase", "hold", "unhold"], lambda o: (o["t"] == "erase" and o["case"] is None) or (isinstance(o["case"], str) and bool(re.fullmatch("[A-Za-z0-9][A-Za-z0-9./:-]{0,63}", o["case"]))))
form("reason", ["hold", "unhold"], lambda o: o["reason"] in REASONS)
form("at", ["hold", "unhold"], lambda o: is_time(o["at"]))
form("webid", ["data"], lambda o: listed(o["webid"], 0, 4) and distinct(o["webid"]))


def is_folder(url):
    return isinstance(url, str) and url.endswith("/")


form("storage", ["data"], lambda o: listed(o["storage"], 0, 8) and all(exactly(p, ["id", "url"]) and isinstance(p["id"], str) and FRAGMENT.fullmatch(p["id"]) and is_folder(p["url"]) for p in o["storage"]) and distinct([p["id"] for p in o["storage"]]) and distinct([p["url"] for p in o["storage"]]))
form("moved", ["data"], lambda o: listed(o["moved"], 0, 16) and all(exactly(m, ["from", "to", "at", "redirectUntil"]) and is_folder(m["from"]) and is_folder(m["to"]) and m["from"] != m["to"] and is_time(m["at"]) and is_time(m["redirectUntil"]) and m["at"] <= m["redirectUntil"] for m in o["moved"]))
form("url", ["data"], lambda o: all(is_url(u, True) for u in o["webid"]) and all(is_url(u, False) for u in ([] if o["oidc"] is None else [o["oidc"]]) + [p["url"] for p in o["storage"]] + [m[n] for m in o["moved"] for n in ("from", "to")]))
form("keys", ["data"], lambda o: listed(o["keys"], 0, 8) and all(exactly(k, ["id", "key", "for"]) and isinstance(k["id"], str) and FRAGMENT.fullmatch(k["id"]) and is_key(k["key"]) and k["for"] in (["authentication"], ["assertionMethod"], ["authentication", "assertionMethod"]) for k in o["keys"]) and distinct([k["id"] for k in o["keys"]] + [p["id"] for p in o["storage"]] + ["#oidc"]))
form("ttl", ["data"], lambda o: whole(o["ttl"], 60, 86_400))


@rule("signature-form", ALL)
def _(o, s, t, r):
    most = 7 if o["t"] == "recover" else 5
    if not listed(s["sigs"], 1, most) or not all(exactly(g, ["k", "s"]) and decoded(g["s"], 64) for g in s["sigs"]):
        return False
    ks = [g["k"] for g in s["sigs"]]
    return ks in (["d"], ["z"], ["z", "l"]) or (all(whole(k, 0, most - 1) for k in ks) and all(a < b for a, b in zip(ks, ks[1:])))


@rule("sponsor-form", ALL)
def _(o, s, t, r):
    if "sponsor" not in s:
        return True
    name = re.compile("[a-z0-9]{2}") if o["t"] == "port" else REGISTRAR
    p = s["sponsor"]
    return o["t"] in ("create", "rotate", "recover", "transfer", "port") and exactly(p, ["by", "s"]) and isinstance(p["by"], str) and bool(name.fullmatch(p["by"])) and decoded(p["s"], 64) is not None


chain("beginning", ALL, lambda o, s, t, r: (o["t"] == "create") == (t is None))
chain("same-passport", ALL[1:], lambda o, s, t, r: o["id"] == t["id"])
chain("seq", LINKED[1:], lambda o, s, t, r: o["seq"] == t["head"]["seq"] + 1)
chain("prev", LINKED[1:], lambda o, s, t, r: o["prev"] == t["headHash"])
chain("aseq", ["data", "veto", "hold", "unhold"], lambda o, s, t, r: {"veto": t["head"]["seq"], "data": t["keysSince"]}.get(o["t"], 0) <= o["aseq"] <= t["head"]["seq"])
chain("at-rest", ALL, lambda o, s, t, r: t["deactivated"] if o["t"] == "reactivate" else not (t and t["deactivated"]) or o["t"] in AT_REST)
chain("pre-rotation", ["rotate"], lambda o, s, t, r: set(hashes(o["auth"]["keys"])) <= set(t["head"]["next"]["hashes"]))
chain("guardians", ["recover"], lambda o, s, t, r: set(hashes(o["by"])) <= set(t["head"]["recovery"]["hashes"]))
chain("recover-fresh", ["recover"], lambda o, s, t, r: not set(hashes(o["auth"]["keys"]) + o["next"]["hashes"]) & set(hashes(t["head"]["auth"]["keys"]) + t["head"]["next"]["hashes"]))
chain("kept", AFTER, lambda o, s, t, r: all(jcs(o[f]) == jcs(t["head"][f]) for f in KEYS if f not in CHANGES.get(o["t"], [])))
chain("locks-changed", ["lock", "unlock"], lambda o, s, t, r: set(o["locks"]) > set(t["head"]["locks"]) if o["t"] == "lock" else set(o["locks"]) < set(t["head"]["locks"]))
chain("locked", ["transfer", "port"], lambda o, s, t, r: o["t"] not in t["head"]["locks"])
chain("leaves", ["transfer", "port"], lambda o, s, t, r: o["to"] != t["zone"] if o["t"] == "port" else o["registrar"] != t["head"]["registrar"])
chain("hold-order", ["hold", "unhold"], lambda o, s, t, r: (o["t"] == "hold") == (t["hold"] is None))


@rule("signer", ALL)
def _(o, s, t, r):
    allowed = {"d": ["data"], "z": ["hold", "unhold"], "zl": ["erase"]}.get(who(s))
    if allowed is not None:
        return o["t"] in allowed
    return o["t"] not in ("hold", "unhold") and all(g["k"] < len(numbered(o, t)) for g in s["sigs"])


chain("case-signer", ["erase"], lambda o, s, t, r: (o["case"] is None) == (who(s) == "keys"))


@rule("threshold", ALL)
def _(o, s, t, r):
    if who(s) != "keys":
        return True
    needed = {
        "create": lambda: o["auth"]["threshold"],
        "rotate": lambda: max(o["auth"]["threshold"], t["head"]["next"]["threshold"]),
        "recover": lambda: max(len(o["by"]), t["head"]["recovery"]["threshold"]),
    }.get(o["t"], lambda: t["head"]["auth"]["threshold"])()
    return len(s["sigs"]) >= needed


@rule("signature", ALL)
def _(o, s, t, r):
    zone = r["zoneKeys"].get(t["zone"], []) if r and t else []
    known = {"d": lambda: [t["head"]["delegate"]["key"]], "z": lambda: zone, "l": lambda: [k for k in (r["legalKeys"] if r else []) if k not in zone]}
    message = tagged("DCANN-op-v1", o)
    return all(any(verifies(key, decoded(g["s"], 64), message) for key in (known[g["k"]]() if isinstance(g["k"], str) else [numbered(o, t)[g["k"]]])) for g in s["sigs"])


chain("delegate-keys", ["data"], lambda o, s, t, r: who(s) != "d" or all(k["key"] in t["head"]["auth"]["keys"] for k in o["keys"]))

chain("dseq", ["data"], lambda o, s, t, r: o["dseq"] == t["dseq"] + 1, True)
chain("own-zone", ALL, lambda o, s, t, r: (o["t"] == "port" and r["isOrdered"] and o["to"] in r["zones"]) or (t["zone"] if t else o["zone"]) in r["zones"], True)


@rule("sponsored", CHAIN, True)
def _(o, s, t, r):
    port = o["t"] == "port"
    if r["isOrdered"] and not port and o["t"] != "create":
        return True
    sponsor = s.get("sponsor")
    if sponsor is None:
        return not port and o["t"] != "create" and o["registrar"] == t["head"]["registrar"]
    keys = (r["zoneKeys"] if port else r["registrars"]).get(sponsor["by"], [])
    message = tagged("DCANN-sponsor-v1", o)
    return sponsor["by"] == o["to" if port else "registrar"] and any(verifies(key, decoded(sponsor["s"], 64), message) for key in keys)


def own(t, r):
    return r["hosts"].get(t["head"]["delegate"]["key"], [])


chain("delegate-storage", ["data"], lambda o, s, t, r: who(s) != "d" or all(origin(p["url"]) in own(t, r) for p in o["storage"]), True)


@rule("delegate-issuer", ["data"], True)
def _(o, s, t, r):
    before = r["data"]
    if who(s) != "d" or (before and before["oidc"] == o["oidc"]):
        return True
    fixed = before and before["oidc"] is not None and in_force(before, t) and origin(before["oidc"]) not in own(t, r)
    return not fixed and (o["oidc"] is None or origin(o["oidc"]) in own(t, r))


chain("young", ["unlock"], lambda o, s, t, r: r["isOrdered"] or (r["createdAt"] is not None and r["now"] >= r["createdAt"] + 30 * DAY), True)
chain("recover-again", ["recover"], lambda o, s, t, r: r["isOrdered"] or r["vetoedAt"] is None or r["now"] >= r["vetoedAt"] + 2 * delay_ms(t["head"]["recovery"]) or (r["pending"] is not None and r["pending"]["op"]["t"] not in ("recover", "rotate")), True)


@rule("waiting", LINKED, True)
def _(o, s, t, r):
    if r["pending"] is None or r["isOrdered"]:
        return True
    strength = {"recover": 3, "rotate": 2}
    waits = r["pending"]["op"]["t"]
    return waits != "recover" and (wait_ms(o, t) == 0 or strength.get(o["t"], 1) > strength.get(waits, 1))


chain("veto-of", ["veto"], lambda o, s, t, r: r["pending"] is not None and r["pending"]["hash"] == o["of"], True)
chain("veto-age", ["veto"], lambda o, s, t, r: r["pending"]["op"]["t"] != "recover" or (r["authSince"] is not None and r["pending"]["at"] - r["authSince"] > delay_ms(t["head"]["recovery"])), True)
chain("hold-time", ["hold", "unhold"], lambda o, s, t, r: abs(ms_of(o["at"]) - r["now"]) <= 600_000, True)


def judge(signed, state, registry):
    """The first rule that is broken, or None."""
    op = signed.get("op") if isinstance(signed, dict) else None
    kind = op.get("t") if isinstance(op, dict) else None
    for name, on, asks, check in RULES:
        if (asks and registry is None) or (on is not ALL and kind not in on):
            continue
        if not check(op, signed, state, registry):
            return name
    return None


def state_after(state, op):
    kind, head = op["t"], hash_of(op)
    if kind == "create":
        return {"id": id_of(op), "head": op, "headHash": head, "dseq": 0, "keysSince": 0, "zone": op["zone"], "deactivated": False, "hold": None}
    rekeyed = kind in ("rotate", "recover") or op["delegate"]["key"] != state["head"]["delegate"]["key"]
    return {
        **state, "head": op, "headHash": head, "keysSince": op["seq"] if rekeyed else state["keysSince"],
        "zone": op["to"] if kind == "port" else state["zone"], "hold": None if kind == "port" else state["hold"],
        "deactivated": kind == "deactivate" or (state["deactivated"] and kind != "reactivate"),
    }  # fmt: skip


def main():
    if sys.argv[1:] == ["--judge"]:
        for line in sys.stdin:
            row = json.loads(line)
            print(json.dumps(judge(row["signed"], row["state"], row["registry"])))
        return 0
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "operations.json")
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    wrong = []
    if [name for name, *_ in RULES] != [one["id"] for one in vectors["rules"]]:
        wrong.append("the rules are others, or in another order")
    rows = vectors["valid"] + vectors["invalid"]
    for row in rows:
        found = judge(row["signed"], row["state"], row["registry"])
        if found != row["rule"]:
            wrong.append("%s: %s here, %s there" % (row["name"], found, row["rule"]))
    for row in vectors["valid"]:
        if hash_of(row["signed"]["op"]) != row["hash"]:
            wrong.append("%s: another hash" % row["name"])
    for row in vectors["identifiers"]:
        if read_id(row["text"]) != (row["hint"] is None):
            wrong.append("%r is read otherwise" % row["text"])
    state = None
    for signed in vectors["bundle"]["head"]["auth"] + [vectors["bundle"]["head"]["data"]]:
        found = judge(signed, state, None)
        if found is not None:
            wrong.append("the bundle: %s" % found)
        if signed["op"]["t"] != "data":
            state = state_after(state, signed["op"])
    if state["id"] != vectors["bundle"]["id"]:
        wrong.append("the bundle: another identifier")
    for line in wrong:
        print(line)
    print("%d vectors, %d disagreements" % (len(rows), len(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
