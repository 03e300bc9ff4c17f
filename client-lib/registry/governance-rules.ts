/** All rules that a zone's records of governance obey: the zone, whoever follows it, and the documentation read this. */
import { jcs, utf8 } from "../passport/bytes.ts";
import {
  type AllowUrl,
  allowNone,
  areDistinct,
  flawOfUrl,
  isExactly,
  isHash,
  isList,
  isTime,
  isWhole,
  oddNames,
} from "../passport/form.ts";
import { isZone } from "../passport/identifier.ts";
import { decodeKey } from "../passport/key.ts";
import type {
  Governance,
  GovernanceRecord,
  PolicyRecord,
  RegistrarRecord,
  SanctionRecord,
  VendorRecord,
} from "./governance.ts";

export interface GovernanceOptions {
  /** Exempts origins from the rule that addresses are public and https. */
  readonly allowUrl?: AllowUrl;
}

type Type = GovernanceRecord["t"];

export interface GovernanceRule {
  readonly id: string;
  /** The rule as a sentence. */
  readonly says: string;
  readonly on: readonly Type[] | "all";
  /** @returns what is wrong, or null. A rule may take for granted that all rules above it hold. */
  readonly check: (record: GovernanceRecord, state: Governance, options: GovernanceOptions) => string | null;
}

const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const DAY_MS = 86_400_000;
const TEXT_CHARS_MAX = 2_000;
const NAME_CHARS_MAX = 200;
const RECORD_BYTES_MAX = 49_152; // Whoever follows the chain takes no more at once.

const NUMBERED = ["v", "t", "zone", "n", "prev", "at"];
const FIELDS: Readonly<Record<Type, readonly string[]>> = {
  policy: ["version", "title", "rules", "remedyDays", "appealDays", "answerDays", "terms"],
  registrar: ["id", "name", "keys", "hosts", "createPerDay", "contact", "accreditation"],
  vendor: ["id", "organisation", "webids", "clients", "purposes", "erasure", "authority", "terms"],
  sanction: ["of", "step", "rule", "says"],
  appeal: ["of", "says"],
  decision: ["of", "outcome", "says"],
};

const isKey = (value: unknown): boolean => decodeKey(value) !== null;
const isName = (value: unknown): value is string => typeof value === "string" && NAME.test(value);
// oxlint-disable-next-line no-control-regex -- control characters are what a text must not hold
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const isText = (value: unknown, most: number): value is string =>
  typeof value === "string" && value.trim() !== "" && value.length <= most && !CONTROL.test(value);

/** A place where somebody can be written to. */
function flawOfContact(value: unknown, allow: AllowUrl): string | null {
  if (typeof value === "string" && /^mailto:[^\s@<>"?]{1,64}@[a-z0-9.-]{1,190}$/i.test(value)) return null;
  return flawOfUrl(value, allow);
}

/** At most 100 characters of whatever somebody wrote. */
const shown = (value: unknown): string => (typeof value === "string" ? value.slice(0, 100) : "an origin");

function flawOfOrigin(value: unknown, allow: AllowUrl): string | null {
  const isOrigin = typeof value === "string" && URL.canParse(value) && new URL(value).origin === value;
  return isOrigin ? flawOfUrl(`${value}/`, allow) : "is no origin, such as https://pods.example.org";
}

function flawOfHosts(hosts: unknown, allow: AllowUrl): string | null {
  if (!isList(hosts, 0, 256)) return "they are not a list of at most 256";
  const keys: unknown[] = [];
  for (const host of hosts) {
    if (!isExactly(host, ["key", "origins"]) || !isKey(host["key"]) || !isList(host["origins"], 1, 16))
      return "one is not a key with 1 to 16 origins";
    for (const origin of host["origins"]) {
      const wrong = flawOfOrigin(origin, allow);
      if (wrong !== null) return `${shown(origin)} ${wrong}`;
    }
    keys.push(host["key"]);
  }
  return areDistinct(keys) ? null : "two have the same key";
}

/** @param name Of the list, for whoever reads what is wrong with it. */
function flawOfUrls(name: string, list: unknown, most: number, allow: AllowUrl): string | null {
  if (!isList(list, 1, most) || !areDistinct(list)) return `${name} is not 1 to ${most} different addresses`;
  for (const url of list) {
    const wrong = flawOfUrl(url, allow, true);
    if (wrong !== null) return `${name}: ${shown(url)} ${wrong}`;
  }
  return null;
}

const flaw = (isWrong: boolean, detail: string): string | null => (isWrong ? detail : null);

function rule<T extends GovernanceRecord>(
  id: string,
  says: string,
  on: GovernanceRule["on"],
  check: (record: T, state: Governance, options: GovernanceOptions) => string | null,
): GovernanceRule {
  return { id, says, on, check: check as GovernanceRule["check"] };
}

const policyRule = (one: unknown): boolean =>
  isExactly(one, ["id", "says", "on", "begins"]) &&
  isName(one["id"]) &&
  isText(one["says"], TEXT_CHARS_MAX) &&
  isList(one["on"], 1, 2) &&
  areDistinct(one["on"]) &&
  one["on"].every((party) => party === "registrar" || party === "vendor") &&
  ["warn", "suspend", "delist"].includes(String(one["begins"]));

const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / DAY_MS;

const partyOf = (state: Governance, { party, id }: SanctionRecord["of"]) =>
  party === "registrar" ? state.registrars.get(id) : state.vendors.get(id);

/** Whether a registrar's or a vendor's entry names something that another one has already. */
function isTaken(
  state: Governance,
  party: "registrars" | "vendors",
  own: string,
  names: (record: never) => readonly string[],
  wanted: readonly string[],
): string | null {
  for (const [id, { record }] of state[party])
    if (id !== own) {
      const shared = names(record as never).find((name) => wanted.includes(name));
      if (shared !== undefined) return `${shared} is of ${id} already`;
    }
  return null;
}

export const governanceRules: readonly GovernanceRule[] = [
  rule("fields", "A record has exactly the fields of its type.", "all", (record) => {
    const own = Object.hasOwn(FIELDS, record.t) ? FIELDS[record.t] : undefined;
    if (!own || record.v !== 1) return "Its type or version is not known";
    const odd = oddNames(record, [...NUMBERED, ...own]);
    return flaw(odd.length > 0, `${odd.join(", ").slice(0, 100)} is missing or not known`);
  }),
  rule("size", `A record has at most ${RECORD_BYTES_MAX} bytes as canonical JSON.`, "all", (record) =>
    flaw(utf8(jcs(record)).length > RECORD_BYTES_MAX, `It has more than ${RECORD_BYTES_MAX} bytes`),
  ),
  rule("zone", "zone is that of the chain.", "all", ({ zone }, state) =>
    flaw(!isZone(zone) || zone !== state.zone, `This chain is that of ${state.zone}`),
  ),
  rule(
    "number",
    "n is one more than that of the record before: none is left out, and none comes twice.",
    "all",
    ({ n }, state) =>
      flaw(!isWhole(n, 1, Number.MAX_SAFE_INTEGER) || n !== state.n + 1, `n is not ${state.n + 1}`),
  ),
  rule("prev", "prev is the hash of the record before: the chain never forks.", "all", ({ prev }, state) =>
    flaw(prev !== state.hash, "prev is not the hash of the record before"),
  ),
  rule("at", "at is UTC to the second, and not before that of the record before.", "all", ({ at }, state) =>
    flaw(!isTime(at) || (state.at !== null && at < state.at), "at is no time, or an earlier one"),
  ),
  rule(
    "policy-form",
    "A policy has a title, 1 to 64 rules with names of their own, days for remedy, appeal and answer, and terms.",
    ["policy"],
    ({ title, rules, remedyDays, appealDays, answerDays, terms }: PolicyRecord, _state, { allowUrl }) => {
      if (!isText(title, NAME_CHARS_MAX)) return "It has no title";
      if (!isList(rules, 1, 64) || !rules.every(policyRule)) return "A rule is not as it must be";
      if (!areDistinct(rules.map(({ id }) => id))) return "Two rules have one name";
      if (![remedyDays, appealDays, answerDays].every((days) => isWhole(days, 1, 365)))
        return "Days are whole numbers from 1 to 365";
      const areTerms =
        isList(terms, 1, 16) &&
        terms.every(
          (one) =>
            isExactly(one, ["id", "url", "hash"]) &&
            isName(one["id"]) &&
            flawOfUrl(one["url"], allowUrl ?? allowNone) === null &&
            isHash(one["hash"]),
        ) &&
        areDistinct(terms.map(({ id }) => id));
      return flaw(!areTerms, "terms is not a list of terms with id, url and hash");
    },
  ),
  rule(
    "policy-version",
    "version is one more than that of the policy before.",
    ["policy"],
    ({ version }: PolicyRecord, { policy }) =>
      flaw(version !== (policy?.version ?? 0) + 1, `version is not ${(policy?.version ?? 0) + 1}`),
  ),
  rule(
    "policy-first",
    "Before anybody is entered, there is a policy.",
    ["registrar", "vendor", "sanction", "appeal", "decision"],
    (_record, { policy }) => flaw(policy === null, "There is no policy yet"),
  ),
  rule(
    "registrar-form",
    "A registrar has a name, 1 to 8 keys, hosts with a key and origins each, a daily quota and a contact.",
    ["registrar"],
    (record: RegistrarRecord, _state, { allowUrl = allowNone }) => {
      const { id, name, keys, hosts, createPerDay, contact, accreditation } = record;
      if (!isName(id)) return "id is not a registrar's name";
      if (!isText(name, NAME_CHARS_MAX)) return "name is missing or too long";
      if (!isList(keys, 1, 8) || !keys.every(isKey) || !areDistinct(keys))
        return "keys is not 1 to 8 different keys";
      const hostsFlaw = flawOfHosts(hosts, allowUrl);
      if (hostsFlaw !== null) return `hosts of ${id}: ${hostsFlaw}`;
      if (!isWhole(createPerDay, 0, 100_000_000)) return "createPerDay is not a whole number";
      if (flawOfContact(contact, allowUrl)) return "contact is no address";
      return flaw(
        accreditation !== null && flawOfUrl(accreditation, allowUrl) !== null,
        "accreditation is no address",
      );
    },
  ),
  rule(
    "registrar-own",
    "A key of a registrar, or of its hosts, is of no other registrar.",
    ["registrar"],
    (record: RegistrarRecord, state) => {
      const names = ({ keys, hosts }: RegistrarRecord): readonly string[] => [
        ...keys,
        ...hosts.map(({ key }) => key),
      ];
      return isTaken(state, "registrars", record.id, names, names(record));
    },
  ),
  rule(
    "vendor-form",
    "A vendor is an organisation in a register, with WebIDs, purposes, places for erasure and supervision, and accepted terms.",
    ["vendor"],
    (record: VendorRecord, { policy }, { allowUrl = allowNone }) => {
      const { id, organisation, webids, clients, purposes, erasure, authority, terms } = record;
      if (!isName(id)) return "id is not a vendor's name";
      const isOrganisation =
        isExactly(organisation, ["name", "country", "register", "number"]) &&
        [organisation.name, organisation.register, organisation.number].every((text) =>
          isText(text, NAME_CHARS_MAX),
        ) &&
        /^[a-z]{2}$/.test(organisation.country);
      if (!isOrganisation) return "organisation is not name, country, register and number";
      const webidsFlaw = flawOfUrls(`webids of ${id}`, webids, 16, allowUrl);
      if (webidsFlaw !== null) return webidsFlaw;
      if (!isList(clients, 0, 32) || !areDistinct(clients) || !clients.every((one) => isText(one, 512)))
        return "clients is not a list of at most 32 applications";
      const purposesFlaw = flawOfUrls(`purposes of ${id}`, purposes, 32, allowUrl);
      if (purposesFlaw !== null) return purposesFlaw;
      if (flawOfContact(erasure, allowUrl)) return "erasure is no address";
      if (flawOfUrl(authority, allowUrl)) return "authority is no address";
      return flaw(!policy?.terms.some((one) => one.id === terms), "terms is none of the policy's");
    },
  ),
  rule(
    "vendor-own",
    "A WebID or an application of a vendor is of no other vendor.",
    ["vendor"],
    (record: VendorRecord, state) => {
      const names = ({ webids, clients }: VendorRecord): readonly string[] => [...webids, ...clients];
      return isTaken(state, "vendors", record.id, names, names(record));
    },
  ),
  rule(
    "entry-sanctioned",
    "The entry of a party that is suspended or delisted gives up none of the names that it is known by.",
    ["registrar", "vendor"],
    (record: RegistrarRecord | VendorRecord, state) => {
      const before = partyOf(state, { party: record.t, id: record.id });
      if (!before || before.status === "active") return null;
      const names = (one: RegistrarRecord | VendorRecord): readonly string[] =>
        one.t === "vendor" ? [...one.webids, ...one.clients] : one.keys;
      const kept = names(record);
      return flaw(!names(before.record).every((name) => kept.includes(name)), "A name is missing");
    },
  ),
  rule(
    "sanction-form",
    "A sanction is a step of the ladder, about somebody who is entered, by a rule of the policy that is about such parties, and says why.",
    ["sanction"],
    ({ of, step, rule: name, says }: SanctionRecord, state) => {
      if (!["warn", "suspend", "delist", "reinstate"].includes(step)) return "step is not of the ladder";
      if (!isText(says, TEXT_CHARS_MAX)) return "It does not say why";
      if (!isExactly(of, ["party", "id"]) || (of.party !== "registrar" && of.party !== "vendor"))
        return "of is no party";
      if (!partyOf(state, of)) return "Nobody of this name is entered";
      if (step === "reinstate") return flaw(name !== null, "A reinstatement names no rule");
      const found = state.policy?.rules.find((one) => one.id === name);
      return flaw(!found?.on.includes(of.party), "rule is none of the policy's for such a party");
    },
  ),
  rule(
    "ladder",
    "First a warning, when its days for remedy are over a suspension, then the delisting; unless the rule begins higher. Only who is sanctioned is reinstated.",
    ["sanction"],
    ({ of, step, rule: name, at }: SanctionRecord, state) => {
      const party = partyOf(state, of);
      if (!party || !state.policy) return "Nobody of this name is entered";
      const begins = state.policy.rules.find((one) => one.id === name)?.begins;
      if (step === "reinstate")
        return flaw(party.status === "active" && party.warnings === 0, "It is not sanctioned");
      if (party.status === "delisted") return "It is delisted already";
      if (step === "warn") return null;
      if (step === "suspend") {
        if (party.status === "suspended") return "It is suspended already";
        if (begins !== "warn") return null;
        const { remedyDays } = state.policy;
        const isWarned = [...state.sanctions.values()].some(
          ({ record, stands }) =>
            stands &&
            record.step === "warn" &&
            record.of.party === of.party &&
            record.of.id === of.id &&
            record.rule === name &&
            daysBetween(record.at, at) >= remedyDays,
        );
        return flaw(
          !isWarned,
          `By this rule there is first a warning, with ${remedyDays} days to put it right`,
        );
      }
      return flaw(
        party.status !== "suspended" && begins !== "delist",
        "By this rule there is first a suspension",
      );
    },
  ),
  rule(
    "appeal",
    "An appeal is about a sanction that stands, comes in time, is the only one, and says why.",
    ["appeal"],
    ({ of, says, at }: Extract<GovernanceRecord, { t: "appeal" }>, state) => {
      const about = state.sanctions.get(of);
      if (!about?.stands) return "There is no such sanction, or it does not stand";
      if (!isText(says, TEXT_CHARS_MAX)) return "It does not say why";
      if (about.appeal) return "There was an appeal already";
      const { appealDays = 0 } = state.policy ?? {};
      return flaw(
        daysBetween(about.record.at, at) > appealDays,
        `The ${appealDays} days for an appeal are over`,
      );
    },
  ),
  rule(
    "decision",
    "A decision is about an appeal that is open, upholds or overturns, and says why.",
    ["decision"],
    ({ of, outcome, says }: Extract<GovernanceRecord, { t: "decision" }>, state) => {
      const appeal = state.appeals.get(of);
      if (!appeal) return "There is no such appeal";
      if (state.sanctions.get(appeal.of)?.decision) return "It is decided already";
      if (!isText(says, TEXT_CHARS_MAX)) return "It does not say why";
      return flaw(outcome !== "upheld" && outcome !== "overturned", "outcome is upheld or overturned");
    },
  ),
];
