/** Which rules are in force where: found in a snapshot, from lists or from policies, and parsed once. */
import { nameOf, parentOf } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Pod } from "../store/pods.ts";
import { decodeDocument, decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Snapshot } from "../store/store.ts";
import { type AccessList, groupsIn, readAccessList } from "./acl.ts";
import { readPolicyList, UNREADABLE } from "./acr.ts";
import type { Authorization } from "./decide.ts";
import * as byPolicies from "./policies.ts";

/** After this many look-ups one by one, a reader loads all lists of the pod at once. */
const READER_LOOKUPS = 64;

/** The rules that are in force at a place. */
export interface Effective {
  readonly rules: readonly Authorization[];
  readonly needsGroups: boolean;
}
interface Parsed {
  readonly own: Effective;
  readonly inherited: Effective;
}

export const NOTHING: Effective = Object.freeze({ rules: [], needsGroups: false });

/** Of policies, which know no groups. */
function union(one: Effective, other: Effective): Effective {
  if (one.rules.length === 0) return other;
  return other.rules.length === 0 ? one : { rules: [...one.rules, ...other.rules], needsGroups: false };
}

/** Policies that ask who made the resource are told. */
async function withCreator(snapshot: Snapshot, subject: string, effective: Effective): Promise<Effective> {
  const rules = effective.rules as readonly byPolicies.PolicyRule[];
  if (!rules.some(({ asksForCreator }) => asksForCreator)) return effective;
  const entry = await snapshot.get("resource", parentOf(subject) ?? "", nameOf(subject));
  const creator = (entry && decodeRecord<ResourceRecord>(entry).creator) ?? null;
  return { rules: rules.map((rule) => ({ ...rule, creator })), needsGroups: false };
}

/**
 * Parsed lists are kept as long as the store keeps their entries.
 * @param isAdding Policies of a resource add to those from above; lists replace them.
 */
export function createEffective(baseUrl: string, limits: Limits, isAdding: boolean) {
  const origin = baseUrl.slice(0, -1);
  const parsed = new WeakMap<Entry, Parsed>();

  /** The stored list, parsed once. One that cannot be read grants nothing; the owner keeps Control. */
  async function readList(entry: Entry, path: string): Promise<AccessList> {
    const { bytes, contentType } = decodeDocument(entry);
    const url = `${origin}${path}`;
    try {
      return readAccessList(await parseRdf(bytes, contentType, `${url}.acl`, limits), url);
    } catch {
      return { own: [], inherited: [] };
    }
  }

  /** As {@link readList}, but one that cannot be read denies everything, for so might what it says. */
  async function readPolicies(entry: Entry, path: string, { owner }: Pod): Promise<AccessList> {
    const { bytes, contentType } = decodeDocument(entry);
    const subjectUrl = `${origin}${path}`;
    const place = { acrUrl: `${subjectUrl}.acr`, subjectUrl };
    const list = await parseRdf(bytes, contentType, place.acrUrl, limits).then(
      (quads) => readPolicyList(quads, place),
      () => UNREADABLE,
    );
    const rules = (policies: readonly byPolicies.Policy[]) =>
      policies.map((policy) => byPolicies.ruleOf(policy, owner));
    return { own: rules(list.own), inherited: rules(list.inherited) };
  }
  const read = isAdding ? readPolicies : readList;

  async function parse(entry: Entry, path: string, pod: Pod): Promise<Parsed> {
    const effective = (rules: readonly Authorization[]): Effective => ({
      rules,
      needsGroups: rules.some((rule) => groupsIn(rule).length > 0),
    });
    const list = await read(entry, path, pod);
    const result = { own: effective(list.own), inherited: effective(list.inherited) };
    parsed.set(entry, result);
    return result;
  }

  /** The nearest list from `path` up to the pod's root, no union. https://solidproject.org/TR/wac#effective-acl-resource */
  async function nearestRules(snapshot: Snapshot, pod: Pod, subject: string): Promise<Effective> {
    const root = `/${pod.name}/`;
    let path = subject;
    for (let hops = 0; hops <= limits.pathSegmentsMax; hops++) {
      const entry = await snapshot.get("auxiliary", path, "acl");
      if (entry) {
        const list = parsed.get(entry) ?? (await parse(entry, path, pod));
        return path === subject ? list.own : list.inherited;
      }
      if (path === root) break;
      path = parentOf(path) ?? root;
    }
    return NOTHING;
  }

  /** A resource's own policies and what all folders above say of their members. https://solid.github.io/authorization-panel/acp-specification/#effective-policies */
  async function allPolicies(snapshot: Snapshot, pod: Pod, subject: string): Promise<Effective> {
    const root = `/${pod.name}/`;
    let effective = NOTHING;
    let path = subject;
    for (let hops = 0; hops <= limits.pathSegmentsMax; hops++) {
      const entry = await snapshot.get("auxiliary", path, "acl");
      if (entry) {
        const list = parsed.get(entry) ?? (await parse(entry, path, pod));
        effective = union(effective, path === subject ? list.own : list.inherited);
      }
      if (path === root) break;
      path = parentOf(path) ?? root;
    }
    return withCreator(snapshot, subject, effective);
  }
  const effectiveRules = isAdding ? allPolicies : nearestRules;

  /** The rules in force at many subjects of one snapshot: the same object where they are the same rules. At once where it can. */
  function rulesFinder(snapshot: Snapshot, pod: Pod): (subject: string) => Promise<Effective> | Effective {
    const root = `/${pod.name}/`;
    const below = new Map<string, Promise<Effective>>(); // Container → what its members inherit.
    const settledBelow = new Map<string, Effective>(); // The same, of those that are found.
    let lookups = 0;
    let lists: Promise<ReadonlyMap<string, Entry>> | null = null;
    let settledLists: ReadonlyMap<string, Entry> | null = null;

    async function loadLists(): Promise<ReadonlyMap<string, Entry>> {
      const entries = new Map<string, Entry>();
      for await (const entry of snapshot.all("auxiliary"))
        if (entry.item === "acl") entries.set(entry.group, entry);
      settledLists = entries;
      return entries;
    }
    async function listOf(path: string): Promise<Parsed | null> {
      if (!lists && ++lookups > READER_LOOKUPS) lists = loadLists();
      const entry = lists ? (await lists).get(path) : await snapshot.get("auxiliary", path, "acl");
      return entry ? (parsed.get(entry) ?? parse(entry, path, pod)) : null;
    }
    async function findBelow(container: string): Promise<Effective> {
      const list = await listOf(container);
      const isAlone = container === root || (list !== null && !isAdding);
      const above = isAlone ? NOTHING : await inheritedFrom(parentOf(container) ?? root);
      const found = list ? union(list.inherited, above) : above;
      settledBelow.set(container, found);
      return found;
    }
    function inheritedFrom(container: string): Promise<Effective> {
      let found = below.get(container);
      if (!found) below.set(container, (found = findBelow(container)));
      return found;
    }

    async function find(subject: string): Promise<Effective> {
      const own = await listOf(subject);
      const isAlone = subject === root || (own !== null && !isAdding);
      const above = isAlone ? NOTHING : await inheritedFrom(parentOf(subject) ?? root);
      return isAdding
        ? withCreator(snapshot, subject, own ? union(own.own, above) : above)
        : (own?.own ?? above);
    }
    return (subject) => {
      // Nearly all of very many have no list of their own, and others of their folder were asked about before.
      const isPlain = !isAdding && subject !== root && settledLists?.has(subject) === false;
      return (isPlain && settledBelow.get(parentOf(subject) ?? root)) || find(subject);
    };
  }

  return { read, effectiveRules, rulesFinder };
}
