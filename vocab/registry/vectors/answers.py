#!/usr/bin/env python3
"""A second reading of the registry's answers, in another language and with nothing but its own library.

It follows the page that describes the protocol (vocab/registry/README.md), step by step. Operations are judged
by verify.py beside it, notes and policies by log.py.

python3 answers.py [answers.json]   judges the vectors
python3 answers.py --judge          of each line of JSON with root, id, now, answer (and seen, maxAgeSeconds), says which
                                    rule it breaks, "present" or "absent"
"""
import calendar, hashlib, hmac, importlib.util, json, os, re, sys

sys.dont_write_bytecode = True  # Nothing is left in the folder of the vectors.
HERE = os.path.dirname(os.path.abspath(__file__))
SPEC = importlib.util.spec_from_file_location("log", os.path.join(HERE, "log.py"))
LOG = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(LOG)
VERIFY = LOG.VERIFY
SAFE = 2**53 - 1
DEEPEST = 16


class Broken(Exception):
    """Its text is the rule."""


def need(holds, rule):
    if not holds:
        raise Broken(rule)


# --- 1: strict JSON, and all its parts in canonical form --------------------------------------------------------------
def strict(text):
    def pairs(found):
        names = [name for name, _ in found]
        need(len(names) == len(set(names)) and "__proto__" not in names, "json")
        return dict(found)

    def whole(digits):
        need(digits != "-0" and abs(int(digits)) <= SAFE, "json")
        return int(digits)

    def no(_):
        raise Broken("json")

    def walk(value, depth):
        need(depth <= DEEPEST, "json")
        if isinstance(value, str):
            need(not any(0xD800 <= ord(one) < 0xE000 for one in value), "json")
        elif isinstance(value, dict):
            for name, one in value.items():
                walk(name, 0)
                walk(one, depth + 1)
        elif isinstance(value, list):
            for one in value:
                walk(one, depth + 1)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_int=whole, parse_float=no, parse_constant=no)
    except (ValueError, RecursionError):
        raise Broken("json")
    walk(value, 0)
    return value


def is_sibling(value):
    return value == "" or (VERIFY.is_hash(value) and value != "A" * 43)


def is_proof(value):
    if not isinstance(value, dict):
        return False
    leaf, log, path = value.get("rootLeaf"), value.get("log"), value.get("map")
    return (
        isinstance(value.get("shard"), str)
        and bool(re.fullmatch("[a-z0-9]{2}/[2-9][0-9]{3}", value["shard"]))
        and isinstance(leaf, dict)
        and VERIFY.whole(leaf.get("epoch"), 1, SAFE)
        and VERIFY.whole(leaf.get("count"), 0, SAFE)
        and VERIFY.is_hash(leaf.get("root"))
        and isinstance(log, dict)
        and VERIFY.whole(log.get("index"), 0, SAFE)
        and VERIFY.listed(log.get("path"), 0, 63)
        and all(map(VERIFY.is_hash, log["path"]))
        and VERIFY.listed(path, 0, 256)
        and all(map(is_sibling, path))
    )


def is_end(value):
    return value is None or (isinstance(value, dict) and VERIFY.is_hash(value.get("key")) and VERIFY.is_hash(value.get("commit")))


def read(text):
    answer = strict(text)
    need(isinstance(answer, dict) and isinstance(answer.get("id"), str), "answer")
    need(isinstance(answer.get("checkpoint"), str) and len(answer["checkpoint"]) <= 65_536, "answer")
    need(not ("absence" in answer and "proof" in answer), "answer")
    if "absence" in answer:
        absence = answer["absence"]
        need(is_proof(absence) and "end" in absence and is_end(absence["end"]), "answer")
        return answer
    need(is_proof(answer.get("proof")) and VERIFY.is_hash(answer["proof"].get("opening")), "answer")
    need(isinstance(answer.get("head"), dict), "answer")
    return answer


# --- 3 and 4: chain, data record, hold ----------------------------------------------------------------------------------
def judge(signed, state, keys):
    """As a reader: what only a registry can ask is not asked."""
    registry = {"zoneKeys": keys, "legalKeys": []}
    kind = signed["op"].get("t") if isinstance(signed.get("op"), dict) else None
    for name, on, asks, holds in VERIFY.RULES:
        if not asks and (on is VERIFY.ALL or kind in on):
            need(holds(signed.get("op"), signed, state, registry), name)


def kind_of(signed):
    op = signed.get("op")
    return op.get("t") if isinstance(op, dict) else None


def walk(head, asked, zones):
    chain, data, hold = head.get("auth"), head.get("data", False), head.get("hold", False)
    need(VERIFY.listed(chain, 1, 256) and all(isinstance(one, dict) for one in chain), "bundle")
    need(data is None or isinstance(data, dict), "bundle")
    need(hold is False or isinstance(hold, dict), "bundle")
    keys = {name: zone["keys"] for name, zone in zones.items()}
    state = None
    for signed in chain:
        need(kind_of(signed) == "create" if state is None else kind_of(signed) in VERIFY.AFTER, "bundle")
        judge(signed, state, keys)
        state = VERIFY.state_after(state, signed["op"])
        need(state["id"] == asked, "identifier")
    need(data is None or kind_of(data) == "data", "bundle")
    need(hold is False or kind_of(hold) == "hold", "bundle")
    if data is not None:
        judge(data, {**state, "deactivated": False}, keys)
    if hold is not False:
        judge(hold, state, keys)
    record = {"a": state["headHash"], "aseq": state["head"]["seq"], "d": None, "dseq": 0}
    if data is not None:
        record.update(d=VERIFY.hash_of(data["op"]), dseq=data["op"]["dseq"])
    if hold is not False:
        record["h"] = VERIFY.hash_of(hold["op"])
    return state, record


# --- 6: the map ---------------------------------------------------------------------------------------------------------
def check_path(key, commit, proof):
    end = proof["end"] if commit is None else None
    given = {"key": LOG.url(key), "commit": commit and LOG.url(commit), "path": proof["map"], "end": end}
    try:
        found = LOG.in_map(given)
    except LOG.Refused:
        raise Broken("absence" if commit is None else "map-path")
    need(found == proof["rootLeaf"]["root"], "map-root")


# --- 7 and 8: the checkpoint, and the root of the map at the end of the log -----------------------------------------------
def refused_as(rule, work, *given):
    try:
        return work(*given)
    except LOG.Refused:
        raise Broken(rule)


def key_of(name, kind, raw):
    return name, kind, raw, int.from_bytes(LOG.sha(name.encode(), b"\n", bytes([kind]), raw)[:4], "big")


def check_epoch(proof, text, place, now, oldest):
    year = proof["shard"][3:]
    body, signatures = refused_as("note", LOG.read_note, text)
    tree = refused_as("checkpoint", LOG.read_checkpoint, body)
    origin = "%s/%s" % (place["log"]["origin"], year)
    need(tree["origin"] == origin, "origin")
    own = LOG.times_of(body, signatures, key_of(origin, 1, VERIFY.raw_key(place["log"]["key"])))
    need(own and None not in own, "log-signature")
    witnesses, groups, goal = LOG.read_policy(place["policy"])
    lines = {name: LOG.times_of(body, signatures, key) for name, key in witnesses.items()}
    is_sound = all(None not in found for found in lines.values())
    newest = {name: max(found) for name, found in lines.items() if found and None not in found}

    def moment(name, latest):
        if name not in groups:
            return newest[name] if name in newest and newest[name] <= latest else None
        count, members = groups[name]
        known = sorted((at for at in (moment(one, latest) for one in members) if at is not None), reverse=True)
        return known[count - 1] if len(known) >= count else None

    stands = moment(goal, now // 1000 + 300)
    need(is_sound and moment(goal, SAFE) is not None, "quorum")
    need(stands is not None, "future")
    need(stands <= calendar.timegm((int(year) + 1, 1, 1, 0, 0, 0)) + 86_400, "shard-year")
    leaf, log = proof["rootLeaf"], proof["log"]
    need(log["index"] == tree["size"] - 1, "last-leaf")
    entry = b"\2" + leaf["epoch"].to_bytes(8, "big") + leaf["count"].to_bytes(8, "big") + LOG.raw(leaf["root"])
    given = {
        "index": log["index"], "size": tree["size"], "leafHash": LOG.url(LOG.sha(b"\0", entry)),
        "path": log["path"], "root": tree["root"],
    }  # fmt: skip
    need(LOG.inclusion(given), "inclusion")
    need(now - stands * 1000 <= oldest * 1000, "freshness")


# --- 9: nothing newer was seen --------------------------------------------------------------------------------------------
def check_seen(record, seen):
    if seen is None:
        return
    has = record["d"] is not None
    need(record["aseq"] >= seen["aseq"] and not (has and record["dseq"] < seen["dseq"]), "rollback")
    need(record["aseq"] != seen["aseq"] or record["a"] == seen["headHash"], "rollback")
    if has:
        need(record["dseq"] != seen["dseq"] or seen["dataHash"] in (None, record["d"]), "rollback")
    else:
        need(seen["dataHash"] is None or record["aseq"] != seen["aseq"], "rollback")


def check(case, root):
    asked, zones = case["id"], root["zones"]
    need(VERIFY.is_id(asked), "identifier")
    answer = read(case["answer"])
    need(answer["id"] == asked, "identifier")
    is_absent = "absence" in answer
    proof = answer["absence"] if is_absent else answer["proof"]
    state, record = (None, None) if is_absent else walk(answer["head"], asked, zones)
    zone = asked[2:4] if is_absent else state["zone"]
    need(proof["shard"][:2] == zone, "zone")
    need(zone in zones, "zone-unknown")
    need(zones[zone]["status"] in ("active", "emergency"), "zone-ended")
    key = LOG.sha(b"DCANN-head-v1\0", proof["shard"].encode(), b"\0", asked.encode())
    commit = None
    if not is_absent:
        message = b"DCANN-commit-v1\0" + key + VERIFY.jcs(record).encode()
        commit = hmac.new(LOG.raw(proof["opening"]), message, hashlib.sha256).digest()
    check_path(key, commit, proof)
    check_epoch(proof, answer["checkpoint"], zones[zone], case["now"], case.get("maxAgeSeconds", 86_400))
    if not is_absent:
        check_seen(record, case.get("seen"))
    return "absent" if is_absent else "present"


def verdict(case, root):
    try:
        return check(case, root)
    except Broken as why:
        return str(why)


def main():
    if sys.argv[1:] == ["--judge"]:
        for line in sys.stdin:
            case = json.loads(line)
            print(json.dumps(verdict(case, case["root"])))
        return 0
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "answers.json")
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    wrong = 0
    for case in vectors["cases"]:
        found = verdict(case, vectors["roots"][case["root"]])
        if found != case["expected"]:
            wrong += 1
            print("%s: %s here, %s there" % (case["name"], found, case["expected"]))
    print("%d vectors, %d disagreements" % (len(vectors["cases"]), wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
