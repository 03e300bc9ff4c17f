#!/usr/bin/env python3
"""A second reading of logs, maps, notes and policies, in another language and with nothing but its own library.

It shares no line with the first one, and Ed25519 with verify.py beside it: where the two disagree about a vector, one of
them, or the page that describes the protocol (vocab/registry/README.md), is wrong.

python3 log.py [log.json]   answers the questions of the vectors
"""
import base64, hashlib, hmac, importlib.util, json, os, re, sys

sys.dont_write_bytecode = True  # Nothing is left in the folder of the vectors.
HERE = os.path.dirname(os.path.abspath(__file__))
SPEC = importlib.util.spec_from_file_location("verify", os.path.join(HERE, "verify.py"))
VERIFY = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(VERIFY)
SAFE = 2**53 - 1


class Refused(Exception):
    pass


def require(holds):
    if not holds:
        raise Refused()


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def url(raw_bytes):
    return base64.urlsafe_b64encode(raw_bytes).decode().rstrip("=")


def standard(text):
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused()
    require(base64.b64encode(found).decode() == text)
    return found


def number(text):
    require(re.fullmatch("0|[1-9][0-9]{0,15}", text, re.ASCII) and int(text) <= SAFE)
    return int(text)


# --- leaves and commitments -------------------------------------------------------------------------------------------
def leaf(given):
    data = raw(given["bytes"])
    kind, rest = data[0], data[1:]
    if kind == 1 and len(rest) == 64:
        return {"kind": "set", "headKey": url(rest[:32]), "commit": url(rest[32:])}
    if kind == 2 and len(rest) == 48:
        epoch, count = int.from_bytes(rest[:8], "big"), int.from_bytes(rest[8:16], "big")
        require(epoch <= SAFE and count <= SAFE)
        return {"kind": "root", "epoch": epoch, "count": count, "root": url(rest[16:])}
    if kind == 3 and len(rest) == 32:
        return {"kind": "delete", "headKey": url(rest)}
    require(kind == 4 and len(rest) == 32)
    return {"kind": "governance", "hash": url(rest)}


def leaf_hash(given):
    return url(sha(b"\0", raw(given["entry"])))


def head_key(given):
    return url(sha(b"DCANN-head-v1\0", given["shard"].encode(), b"\0", given["id"].encode()))


def commit(given):
    message = b"DCANN-commit-v1\0" + raw(given["headKey"]) + VERIFY.jcs(given["head"]).encode()
    return url(hmac.new(raw(given["opening"]), message, "sha256").digest())


def governance(given):
    return url(sha(b"DCANN-gov-v1\0", VERIFY.jcs(given["record"]).encode()))


# --- trees: what a proof must fold to, by recursion over RFC 6962's definitions ------------------------------------------
def split(size):
    return 1 << (size - 1).bit_length() - 1


def fold(index, size, found, path):
    if size == 1:
        require(not path)
        return found
    require(path)
    k = split(size)
    if index < k:
        return sha(b"\1", fold(index, k, found, path[:-1]), path[-1])
    return sha(b"\1", path[-1], fold(index - k, size - k, found, path[:-1]))


def whole(hashes):
    return all(len(one) == 32 for one in hashes)


def inclusion(given):
    path, found, root = [raw(one) for one in given["path"]], raw(given["leafHash"]), raw(given["root"])
    try:
        require(whole(path + [found, root]) and 0 <= given["index"] < given["size"])
        return fold(given["index"], given["size"], found, path) == root
    except Refused:
        return False


def both(size1, size2, path, older, is_begin):
    """The roots of both trees that a proof speaks of: the older one's part, and the newer one's."""
    if size1 == size2:
        if is_begin:
            require(not path)
            return older, older
        require(len(path) == 1)
        return path[0], path[0]
    require(path)
    k = split(size2)
    if size1 <= k:
        left_old, left_new = both(size1, k, path[:-1], older, is_begin)
        return left_old, sha(b"\1", left_new, path[-1])
    right_old, right_new = both(size1 - k, size2 - k, path[:-1], older, False)
    return sha(b"\1", path[-1], right_old), sha(b"\1", path[-1], right_new)


def consistency(given):
    path, root1, root2 = [raw(one) for one in given["path"]], raw(given["root1"]), raw(given["root2"])
    try:
        require(whole(path + [root1, root2]) and 1 <= given["size1"] <= given["size2"])
        return both(given["size1"], given["size2"], path, root1, True) == (root1, root2)
    except Refused:
        return False


# --- the map ------------------------------------------------------------------------------------------------------------
def bits(key):
    return format(int.from_bytes(key, "big"), "0256b")


def sibling(text):
    require(text != "A" * 43)
    return bytes(32) if text == "" else raw(text)


def in_map(given):
    key, path, end = raw(given["key"]), [sibling(one) for one in given["path"]], given["end"]
    require(len(key) == 32 and whole(path) and len(path) <= 256)
    require(not path or path[-1] != bytes(32))
    if given["commit"] is not None:
        require(end is None)
        at, value = key, raw(given["commit"])
    elif end is not None:
        at, value = raw(end["key"]), raw(end["commit"])
        require(len(at) == 32 and at != key and bits(at)[: len(path)] == bits(key)[: len(path)])
    else:
        at, value = None, b""
    require(at is None or len(value) == 32)
    found = bytes(32) if at is None else sha(b"\2", at, value)
    for bit, beside in reversed(list(zip(bits(key), path))):
        found = sha(b"\3", found, beside) if bit == "0" else sha(b"\3", beside, found)
    return url(found)


# --- notes --------------------------------------------------------------------------------------------------------------
def is_name(name):
    return name != "" and not any(one.isspace() or one == "+" or ord(one) < 32 for one in name)


def read_note(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused()
    require(not any(ord(one) < 32 and one != "\n" for one in text))
    body, parted, lines = text.rpartition("\n\n")
    require(parted and lines.endswith("\n"))
    signatures = []
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        require(len(parts) == 3 and parts[0] == "\u2014" and is_name(parts[1]))
        data = standard(parts[2])
        require(len(data) >= 5)
        signatures.append((parts[1], int.from_bytes(data[:4], "big"), data[4:]))
    require(len(signatures) <= 64)
    return body + "\n", signatures


def note(given):
    return [[name, key] for name, key, _ in read_note(given["text"])[1]]


def read_key(text):
    parts = text.split("+", 2)
    require(len(parts) == 3 and is_name(parts[0]) and re.fullmatch("[0-9a-f]{8}", parts[1]))
    data = standard(parts[2])
    require(data and data[0] in (1, 4, 6) and len(data) == {1: 33, 4: 33, 6: 1313}[data[0]])
    require(sha(parts[0].encode(), b"\n", data)[:4].hex() == parts[1])
    require(data[0] == 6 or VERIFY.point_of(data[1:]) is not None)
    return parts[0], data[0], data[1:], int(parts[1], 16)


def read_checkpoint(body):
    lines = body.split("\n")
    require(len(lines) >= 4 and lines[-1] == "" and "" not in lines[:-1])
    root = standard(lines[2])
    require(len(root) == 32)
    return {"origin": lines[0], "size": number(lines[1]), "root": url(root), "extensions": lines[3:-1]}


def message_of(kind, name, body, time):
    if kind == 1:
        return body.encode()
    if kind == 4:
        return ("cosignature/v1\ntime %d\n" % time + body).encode()
    tree = read_checkpoint(body)
    named = [bytes([len(one)]) + one for one in (name.encode(), tree["origin"].encode())]
    eight = lambda value: value.to_bytes(8, "big")
    return b"subtree/v1\n\0" + named[0] + eight(time) + named[1] + eight(0) + eight(tree["size"]) + raw(tree["root"])


def multikey(raw_key):
    digits, rest = "", int.from_bytes(b"\xed\x01" + raw_key, "big")
    while rest:
        rest, digit = divmod(rest, 58)
        digits = VERIFY.BASE58[digit] + digits
    return "z" + digits


def times_of(body, signatures, key):
    """Times of the lines of this key; None for one that does not hold. Type 1 has the time 0. Type 6 is not known here."""
    name, kind, public, key_id = key
    found = []
    for by, by_id, data in signatures:
        if (by, by_id) != (name, key_id):
            continue
        time, signature = (0, data) if kind == 1 else (int.from_bytes(data[:8], "big"), data[8:])
        holds = time <= SAFE and VERIFY.verifies(multikey(public), signature, message_of(kind, name, body, time))
        found.append(time if holds else None)
    return found


def signature(given):
    body, signatures = read_note(given["note"])
    key = read_key(given["vkey"])
    found = times_of(body, signatures, key)
    require(found and None not in found)
    return {"time": None if key[1] == 1 else max(found)}


# --- policies -------------------------------------------------------------------------------------------------------------
def read_policy(text):
    require(not re.search("[\x00-\x08\x0b-\x1f\x7f]", text))
    keys, witnesses, groups, free, goal = set(), {}, {}, {}, None
    for line in text.split("\n"):
        words = re.split("[ \t]+", line.strip(" \t"))
        if words[0] == "" or words[0].startswith("#"):
            continue
        require(words[0] in ("witness", "group", "quorum", "log"))
        if words[0] == "quorum":
            require(goal is None and len(words) == 2 and (words[1] in free or words[1] == "none"))
            goal = words[1]
            continue
        require(len(words) >= 3 and words[0] != "log" and words[1] not in free and words[1] != "none")
        if words[0] == "witness":
            key = read_key(words[2])
            require(len(words) <= 4 and key[1] != 1 and key[2] not in keys)
            keys.add(key[2])
            witnesses[words[1]] = key
        else:
            members = words[3:]
            require(members)
            for one in members:
                require(free.get(one))
                free[one] = False
            count = {"any": 1, "all": len(members)}.get(words[2])
            count = number(words[2]) if count is None else count
            require(1 <= count <= len(members))
            groups[words[1]] = (count, members)
        free[words[1]] = True
    require(goal is not None)
    return witnesses, groups, goal


def quorum(given):
    witnesses, groups, goal = read_policy(given["policy"])
    body, signatures = read_note(given["note"])
    now, at, is_sound = given["now"] // 1000, {}, True
    for name, key in witnesses.items():
        found = times_of(body, signatures, key)
        is_sound = is_sound and None not in found
        if found and None not in found and max(found) <= now + 300:
            at[name] = max(found)
    by = [name for name in witnesses if name in at]

    def moment(name):
        if name not in groups:
            return at.get(name)
        count, members = groups[name]
        known = sorted((one for one in map(moment, members) if one is not None), reverse=True)
        return known[count - 1] if len(known) >= count else None

    when = moment(goal)
    is_met = is_sound and when is not None and when >= now - given["maxAgeSeconds"]
    return {"isMet": is_met, "asOf": when, "by": by}


def receipt(given):
    head, parted, _ = given["text"].partition("\n\n")
    lines = head.split("\n")
    require(parted and lines[0] == "c2sp.org/tlog-proof@v1")
    if lines[1].startswith("extra "):
        standard(lines.pop(1)[6:])
    require(lines[1].startswith("index ") and whole([standard(one) for one in lines[2:]]))
    return number(lines[1][6:])


ASK = {
    "leaf": leaf,
    "leafHash": leaf_hash,
    "headKey": head_key,
    "commit": commit,
    "governance": governance,
    "inclusion": inclusion,
    "consistency": consistency,
    "map": in_map,
    "note": note,
    "key": lambda given: read_key(given["vkey"])[1],
    "checkpoint": lambda given: read_checkpoint(given["body"]),
    "message": lambda given: url(message_of(given["type"], given["name"], given["body"], given["time"])),
    "signature": signature,
    "quorum": quorum,
    "policy": lambda given: read_policy(given["policy"])[2],
    "receipt": receipt,
}


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "log.json")
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)["rows"]
    wrong = 0
    for row in rows:
        try:
            found = ASK[row["check"]](row["given"])
        except Refused:
            found = None
        if found != row["expected"]:
            wrong += 1
            print("%s, %s: %s here, %s there" % (row["check"], row["name"], found, row["expected"]))
    print("%d vectors, %d disagreements" % (len(rows), wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
