/** From a request's agent and target to a decision: finds the rules in the snapshot that also holds the data. */
import { nameOf, parentOf, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { type Agent, type Mode, PUBLIC_AGENT } from "../operation.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod, Pods } from "../store/pods.ts";
import { decodeDocument, decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Snapshot, Store } from "../store/store.ts";
import { type AccessList, checkAcl, groupsIn, readAccessList } from "./acl.ts";
import { checkAcr, readPolicyList, UNREADABLE } from "./acr.ts";
import * as byLists from "./decide.ts";
import { type Authorization, type Decision, MODES } from "./decide.ts";
import { createGroups } from "./groups.ts";
import { type Language, type LanguageName, languageOf } from "./language.ts";
import { createNarrowing, type ReachOf } from "./narrowing.ts";
import { type AccessOverview, createOverview } from "./overview.ts";
import * as byPolicies from "./policies.ts";
import { createPolicyOverview } from "./policy-overview.ts";
import { createReadable, type Readable, readNeed } from "./readable.ts";
import { frozenIn } from "./restriction.ts";

export interface AccessDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly pods: Pods;
  readonly store: Store;
  readonly limits: Limits;
  /** In which the rules of all pods are written; Web Access Control unless another is named. */
  readonly language?: LanguageName;
  /** What people let their apps do: asked anew in every snapshot, so that what is taken back is gone. */
  readonly reachOf: ReachOf;
}

/** Modes for the WAC-Allow header. */
export interface Permissions {
  readonly user: readonly Mode[];
  readonly public: readonly Mode[];
}

export interface Access extends Readable<Effective> {
  readonly language: Language;
  /**
   * Whether the agent has every wanted mode on the target. Rules are read in `snapshot`, so that rule and act belong
   * together; a transaction that is given here runs anew when a rule changes under it. An access list needs Control
   * whatever is wanted; a `.meta` has the rules of its subject. The pod's owner has Control, whatever the rules say; where
   * the owner has frozen a place, nobody else has anything. An app has of all this what its person let it do, and what
   * everybody may.
   * @param wanted All are needed; wanting nothing is granted.
   */
  authorize(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    target: Target,
    wanted: readonly Mode[],
  ): Promise<Decision>;
  /** All modes of the agent and of the public on the target. https://solidproject.org/TR/wac#wac-allow */
  permissions(snapshot: Snapshot, pod: Pod, agent: Agent, target: Target): Promise<Permissions>;
  /** Whether the agent may read a path: for asking about many paths of one snapshot. */
  reader(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<(path: string) => Promise<boolean>>;
  /** Who has access to what, from all the lists of the pod. For the owner's eyes. */
  overview(snapshot: Snapshot, pod: Pod): Promise<AccessOverview>;
  /** @throws Problem `acl-invalid` when this list may not be written for the subject. */
  checkAcl(quads: readonly Quad[], aclUrl: string, subjectUrl: string, pod: Pod): void;
}

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

const NOTHING: Effective = Object.freeze({ rules: [], needsGroups: false });

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

/** Decides over one server's pods. Parsed lists are kept as long as the store keeps their entries. */
export function createAccess(deps: AccessDeps): Access {
  const { baseUrl, limits } = deps;
  const language = languageOf(deps.language ?? "wac");
  const isAdding = language.name === "acp"; // Policies of a resource add to those from above; lists replace them.
  const { decide, modesOf } = isAdding ? byPolicies : byLists;
  const origin = baseUrl.slice(0, -1);
  const ownOrigin = new URL(baseUrl).origin;
  const groups = createGroups(deps);
  const narrowing = createNarrowing(baseUrl, deps.reachOf);
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

  /** This server's own pages are trusted as an origin: nothing that users upload runs there. */
  function trusted(agent: Agent): Agent {
    return agent.origin === ownOrigin ? { ...agent, origin: null } : agent;
  }

  /** Groups are looked up only when the answer hangs on them: knowing more members never takes a mode away. */
  async function decideOn(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    effective: Effective,
    wanted: readonly Mode[],
  ): Promise<Decision> {
    const decision = decide(effective.rules, agent, wanted);
    if (decision.kind === "granted" || !effective.needsGroups) return decision;
    return decide(await groups.resolve(snapshot, pod, effective.rules), agent, wanted);
  }

  /** The owner's Control is no rule: nobody can write it away. https://solidproject.org/TR/wac#loss-of-control-mitigation */
  function asOwner(pod: Pod, agent: Agent, decision: Decision): Decision {
    if (decision.kind === "granted" || agent.webid !== pod.owner) return decision;
    const missing = decision.missing.filter((mode) => mode !== "control");
    return missing.length === 0 ? { kind: "granted" } : { kind: "denied", missing };
  }

  async function authorize(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    target: Target,
    wanted: readonly Mode[],
  ): Promise<Decision> {
    const needed: readonly Mode[] = target.auxiliary === "acl" ? ["control"] : wanted;
    if (target.pod !== pod.name) return { kind: "denied", missing: needed }; // Not this pod's to give, nor its owner's.
    const effective = await effectiveRules(snapshot, pod, target.subject);
    const decision = asOwner(pod, agent, await decideOn(snapshot, pod, trusted(agent), effective, needed));
    if (decision.kind === "denied" || needed.length === 0) return decision;
    const kept = await narrowing.missing(snapshot, agent, target.subject, needed);
    if (kept.length > 0) {
      const open = await decideOn(snapshot, pod, PUBLIC_AGENT, effective, kept);
      if (open.kind === "denied") return { ...open, narrowed: true };
    }
    // Only those are told whom the rules let in: to all others a frozen place looks like any that is not theirs.
    if (agent.webid === pod.owner) return decision;
    const isFrozen = await frozenIn(snapshot);
    return isFrozen(target.subject) ? { kind: "denied", missing: needed, restricted: true } : decision;
  }

  async function permissions(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    target: Target,
  ): Promise<Permissions> {
    if (target.pod !== pod.name) return { user: [], public: [] };
    const isFrozen = (await frozenIn(snapshot))(target.subject);
    if (isFrozen && agent.webid !== pod.owner) return { user: [], public: [] };
    const effective = await effectiveRules(snapshot, pod, target.subject);
    const rules = effective.needsGroups
      ? await groups.resolve(snapshot, pod, effective.rules)
      : effective.rules;
    const granted = modesOf(rules, trusted(agent));
    const own =
      agent.webid === pod.owner
        ? MODES.filter((mode) => mode === "control" || granted.includes(mode))
        : granted;
    const kept = await narrowing.missing(snapshot, agent, target.subject, own);
    const open = modesOf(rules, PUBLIC_AGENT);
    const user = own.filter((mode) => !kept.includes(mode) || open.includes(mode));
    const everyone = isFrozen ? [] : open;
    if (target.auxiliary !== "acl") return { user, public: everyone };
    return { user: user.includes("control") ? MODES : [], public: everyone.includes("control") ? MODES : [] };
  }

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

  async function reader(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
  ): Promise<(path: string) => Promise<boolean>> {
    const asker = trusted(agent);
    const isFrozen = agent.webid === pod.owner ? () => false : await frozenIn(snapshot);
    const root = `/${pod.name}/`;
    const rulesOf = rulesFinder(snapshot, pod);
    const isGiven = await narrowing.reader(snapshot, agent);
    const decisions = new Map<
      Effective,
      Promise<{ readonly asker: readonly Mode[]; readonly open: readonly Mode[] }>
    >();

    async function evaluate(effective: Effective) {
      const rules = effective.needsGroups
        ? await groups.resolve(snapshot, pod, effective.rules)
        : effective.rules;
      return { asker: modesOf(rules, asker), open: modesOf(rules, PUBLIC_AGENT) };
    }
    function modesUnder(effective: Effective): ReturnType<typeof evaluate> {
      let modes = decisions.get(effective);
      if (!modes) decisions.set(effective, (modes = evaluate(effective)));
      return modes;
    }

    return async (path) => {
      if (!path.startsWith(root)) return false;
      const { subject, mode } = readNeed(path);
      const mayApp = isGiven(subject, mode);
      if (mode === "control" && agent.webid === pod.owner && mayApp) return true;
      if (isFrozen(subject)) return false;
      const { asker: theirs, open } = await modesUnder(await rulesOf(subject));
      return theirs.includes(mode) && (mayApp || open.includes(mode));
    };
  }

  /** Decides about classes of documents, for queries. */
  const readable = createReadable({
    rulesFinder,
    trusted,
    narrowing,
    mayUnder: async (snapshot, pod, agent, effective, mode) =>
      (await decideOn(snapshot, pod, agent, effective, [mode])).kind === "granted",
    hangsOnOthers: ({ needsGroups }) => needsGroups,
  });

  return {
    language,
    authorize,
    permissions,
    reader,
    ...readable,
    overview: isAdding
      ? createPolicyOverview(deps, readPolicies)
      : createOverview(deps, groups, readList, authorize),
    checkAcl: (quads, aclUrl, subjectUrl, pod) =>
      isAdding
        ? checkAcr(quads, { acrUrl: aclUrl, subjectUrl }, limits)
        : checkAcl(
            quads,
            { subjectUrl, owner: pod.owner, isPodRoot: subjectUrl === `${baseUrl}${pod.name}/` },
            limits,
          ),
  };
}
