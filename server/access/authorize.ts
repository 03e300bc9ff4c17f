/** From a request's agent and target to a decision: finds the rules in the snapshot that also holds the data. */
import { nameOf, parentOf, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { type Agent, type Mode, PUBLIC_AGENT } from "../operation.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod, Pods } from "../store/pods.ts";
import { decodeDocument } from "../store/record.ts";
import type { Entry, Snapshot, Store } from "../store/store.ts";
import { type AccessList, checkAcl, groupsIn, readAccessList } from "./acl.ts";
import { type Authorization, type Decision, decide, MODES, modesOf } from "./decide.ts";
import { createGroups } from "./groups.ts";
import { type AccessOverview, createOverview } from "./overview.ts";
import { frozenIn } from "./restriction.ts";

export interface AccessDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly pods: Pods;
  readonly store: Store;
  readonly limits: Limits;
}

/** Modes for the WAC-Allow header. */
export interface Permissions {
  readonly user: readonly Mode[];
  readonly public: readonly Mode[];
}

export interface Access {
  /**
   * Whether the agent has every wanted mode on the target. Rules are read in `snapshot`, so that rule and act belong
   * together; a transaction that is given here runs anew when a rule changes under it. An access list needs Control
   * whatever is wanted; a `.meta` has the rules of its subject. The pod's owner has Control, whatever the rules say; where
   * the owner has frozen a place, nobody else has anything.
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

interface Effective {
  readonly rules: readonly Authorization[];
  readonly needsGroups: boolean;
}
interface Parsed {
  readonly own: Effective;
  readonly inherited: Effective;
}

const NOTHING: Effective = Object.freeze({ rules: [], needsGroups: false });

/** Decides over one server's pods. Parsed lists are kept as long as the store keeps their entries. */
export function createAccess(deps: AccessDeps): Access {
  const { baseUrl, limits } = deps;
  const origin = baseUrl.slice(0, -1);
  const ownOrigin = new URL(baseUrl).origin;
  const groups = createGroups(deps);
  const parsed = new WeakMap<Entry, Parsed>();

  /** The stored list, parsed once. One that cannot be read grants nothing; the owner keeps Control. */
  async function read(entry: Entry, path: string): Promise<AccessList> {
    const { bytes, contentType } = decodeDocument(entry);
    const url = `${origin}${path}`;
    try {
      return readAccessList(await parseRdf(bytes, contentType, `${url}.acl`, limits), url);
    } catch {
      return { own: [], inherited: [] };
    }
  }

  async function parse(entry: Entry, path: string): Promise<Parsed> {
    const effective = (rules: readonly Authorization[]): Effective => ({
      rules,
      needsGroups: rules.some((rule) => groupsIn(rule).length > 0),
    });
    const list = await read(entry, path);
    const result = { own: effective(list.own), inherited: effective(list.inherited) };
    parsed.set(entry, result);
    return result;
  }

  /** The nearest list from `path` up to the pod's root, no union. https://solidproject.org/TR/wac#effective-acl-resource */
  async function effectiveRules(snapshot: Snapshot, pod: Pod, subject: string): Promise<Effective> {
    const root = `/${pod.name}/`;
    let path = subject;
    for (let hops = 0; hops <= limits.pathSegmentsMax; hops++) {
      const entry = await snapshot.get("auxiliary", path, "acl");
      if (entry) {
        const list = parsed.get(entry) ?? (await parse(entry, path));
        return path === subject ? list.own : list.inherited;
      }
      if (path === root) break;
      path = parentOf(path) ?? root;
    }
    return NOTHING;
  }

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
    // Only those are told whom the rules let in: to all others a frozen place looks like any that is not theirs.
    if (decision.kind === "denied" || agent.webid === pod.owner || needed.length === 0) return decision;
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
    const user =
      agent.webid === pod.owner
        ? MODES.filter((mode) => mode === "control" || granted.includes(mode))
        : granted;
    const everyone = isFrozen ? [] : modesOf(rules, PUBLIC_AGENT);
    if (target.auxiliary !== "acl") return { user, public: everyone };
    return { user: user.includes("control") ? MODES : [], public: everyone.includes("control") ? MODES : [] };
  }

  async function reader(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
  ): Promise<(path: string) => Promise<boolean>> {
    const asker = trusted(agent);
    const isFrozen = agent.webid === pod.owner ? () => false : await frozenIn(snapshot);
    const root = `/${pod.name}/`;
    const below = new Map<string, Promise<Effective>>(); // Container → what its members inherit.
    const decisions = new Map<Effective, Promise<readonly Mode[]>>();
    let lookups = 0;
    let lists: Promise<ReadonlyMap<string, Entry>> | null = null;

    async function loadLists(): Promise<ReadonlyMap<string, Entry>> {
      const entries = new Map<string, Entry>();
      for await (const entry of snapshot.all("auxiliary"))
        if (entry.item === "acl") entries.set(entry.group, entry);
      return entries;
    }
    async function listOf(path: string): Promise<Parsed | null> {
      if (!lists && ++lookups > READER_LOOKUPS) lists = loadLists();
      const entry = lists ? (await lists).get(path) : await snapshot.get("auxiliary", path, "acl");
      return entry ? (parsed.get(entry) ?? parse(entry, path)) : null;
    }
    async function findBelow(container: string): Promise<Effective> {
      const list = await listOf(container);
      if (list) return list.inherited;
      return container === root ? NOTHING : inheritedFrom(parentOf(container) ?? root);
    }
    function inheritedFrom(container: string): Promise<Effective> {
      let found = below.get(container);
      if (!found) below.set(container, (found = findBelow(container)));
      return found;
    }
    async function evaluate(effective: Effective): Promise<readonly Mode[]> {
      const rules = effective.needsGroups
        ? await groups.resolve(snapshot, pod, effective.rules)
        : effective.rules;
      return modesOf(rules, asker);
    }
    function modesUnder(effective: Effective): Promise<readonly Mode[]> {
      let modes = decisions.get(effective);
      if (!modes) decisions.set(effective, (modes = evaluate(effective)));
      return modes;
    }

    return async (path) => {
      if (!path.startsWith(root)) return false;
      const name = nameOf(path);
      const isAcl = name.endsWith(".acl");
      if (isAcl && agent.webid === pod.owner) return true;
      const subject = isAcl
        ? path.slice(0, -".acl".length)
        : name.endsWith(".meta")
          ? path.slice(0, -".meta".length)
          : path;
      if (isFrozen(subject)) return false;
      const own = await listOf(subject);
      const effective = own
        ? own.own
        : subject === root
          ? NOTHING
          : await inheritedFrom(parentOf(subject) ?? root);
      return (await modesUnder(effective)).includes(isAcl ? "control" : "read");
    };
  }

  return {
    authorize,
    permissions,
    reader,
    overview: createOverview(deps, groups, read, authorize),
    checkAcl: (quads, _aclUrl, subjectUrl, pod) =>
      checkAcl(
        quads,
        { subjectUrl, owner: pod.owner, isPodRoot: subjectUrl === `${baseUrl}${pod.name}/` },
        limits,
      ),
  };
}
