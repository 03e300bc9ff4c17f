/** From a request's agent and target to a decision: finds the rules in the snapshot that also holds the data. */
import type { Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { type Agent, type Mode, PUBLIC_AGENT } from "../operation.ts";
import { type PurposeQuestion, purposeProblem } from "../purpose.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { checkAcl } from "./acl.ts";
import { checkAcr } from "./acr.ts";
import * as byLists from "./decide.ts";
import { type Decision, MODES } from "./decide.ts";
import { createEffective, type Effective, NOTHING } from "./effective.ts";
import { createGrantDecisions, type GrantDecisions } from "./grant-decisions.ts";
import { isOwnPlace, viewPath } from "./grants.ts";
import { createGroups } from "./groups.ts";
import { type Language, type LanguageName, languageOf } from "./language.ts";
import { createNarrowing, isOwnerOf, type ReachOf } from "./narrowing.ts";
import { type AccessOverview, createOverview, withConsents } from "./overview.ts";
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
  /** By which grants begin and end. */
  readonly now?: () => Date;
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
   * everybody may. Where the rules do not suffice, the agent's grants are looked at; whoever shows or changes something
   * by a decision that names grants counts that use of them.
   * @param wanted All are needed; wanting nothing is granted.
   * @param removes Path of what is to be removed, where that is what Write is wanted for.
   */
  authorize(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    target: Target,
    wanted: readonly Mode[],
    removes?: string,
  ): Promise<Decision>;
  /** All modes of the agent and of the public on the target. https://solidproject.org/TR/wac#wac-allow */
  permissions(snapshot: Snapshot, pod: Pod, agent: Agent, target: Target): Promise<Permissions>;
  /** Whether the agent may read a path: for asking about many paths of one snapshot. */
  reader(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<PathReader>;
  /** What grants alone decide: for lists as they are shown. */
  readonly grants: Pick<GrantDecisions, "shown">;
  /** Views that the agent may read, by grants; none of those that rest because the whole pod is frozen. */
  views(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<GrantedViews>;
  /** Who has access to what, from all the lists of the pod. For the owner's eyes. */
  overview(snapshot: Snapshot, pod: Pod): Promise<AccessOverview>;
  /** @throws Problem `acl-invalid` when this list may not be written for the subject. */
  checkAcl(quads: readonly Quad[], aclUrl: string, subjectUrl: string, pod: Pod): void;
}

/** Whether a path may be read. It remembers by which grants, for whoever has to count their use. */
export interface PathReader {
  /** @throws Problem `purpose-required` when it hangs on a grant, and nobody said for which of several purposes. */
  (path: string): Promise<boolean>;
  /** Ids of the grants without which something would not have been readable, so far. */
  grants(): readonly string[];
  /** For which purpose they are used. */
  readonly purpose: string | undefined;
}

export interface GrantedViews {
  readonly views: readonly { readonly id: string; readonly grant: string }[];
  readonly purpose: string | null;
  /** What the agent has to be asked, should it need one of them; null: nothing. */
  readonly question: PurposeQuestion | null;
}

/** Decides over one server's pods. Parsed lists are kept as long as the store keeps their entries. */
export function createAccess(deps: AccessDeps): Access {
  const { baseUrl, limits } = deps;
  const language = languageOf(deps.language ?? "wac");
  const isAdding = language.name === "acp"; // Policies of a resource add to those from above; lists replace them.
  const { decide, modesOf } = isAdding ? byPolicies : byLists;
  const { effectiveRules, rulesFinder, read } = createEffective(baseUrl, limits, isAdding);
  const ownOrigin = new URL(baseUrl).origin;
  const groups = createGroups(deps);
  const grants = createGrantDecisions({ baseUrl, limits, now: deps.now ?? (() => new Date()) });
  const narrowing = createNarrowing(baseUrl, deps.reachOf);

  /**
   * The agent as rules are asked about it. This server's own pages are trusted as an origin: nothing that users upload runs
   * there. Who comes with a token for one grant has nothing by rules but what everybody has.
   */
  function trusted(agent: Agent): Agent {
    if (agent.isOnlyGrant) return { ...PUBLIC_AGENT, origin: agent.origin };
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
    if (decision.kind === "granted" || !isOwnerOf(pod, agent)) return decision;
    const missing = decision.missing.filter((mode) => mode !== "control");
    return missing.length === 0 ? { kind: "granted" } : { kind: "denied", missing };
  }

  /** What the rules decide. Of what is the server's own, they say nothing: it is for the owner, and whom a grant lets in. */
  async function byRules(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    path: string,
    needed: readonly Mode[],
  ): Promise<{ readonly effective: Effective; readonly decision: Decision }> {
    if (isOwnPlace(path)) {
      const isOwner = isOwnerOf(pod, agent) || needed.length === 0;
      return {
        effective: NOTHING,
        decision: isOwner ? { kind: "granted" } : { kind: "denied", missing: needed },
      };
    }
    const effective = await effectiveRules(snapshot, pod, path);
    return {
      effective,
      decision: asOwner(pod, agent, await decideOn(snapshot, pod, trusted(agent), effective, needed)),
    };
  }

  async function authorize(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    target: Target,
    wanted: readonly Mode[],
    removes?: string,
  ): Promise<Decision> {
    const isRules = target.auxiliary === "acl";
    const needed: readonly Mode[] = isRules ? ["control"] : wanted;
    if (target.pod !== pod.name) return { kind: "denied", missing: needed }; // Not this pod's to give, nor its owner's.
    const { effective, decision: ruled } = await byRules(snapshot, pod, agent, target.subject, needed);
    if (ruled.kind === "granted" && needed.length === 0) return ruled;
    let decision = ruled;
    let question: PurposeQuestion | null = null;
    if (ruled.kind === "denied") {
      const asked = { target, modes: ruled.missing, removes };
      const covered = isRules ? null : await grants.cover(snapshot, pod, agent, asked);
      if (!covered) return ruled;
      if (covered.kind === "purpose") question = covered.question;
      else
        decision = {
          kind: "granted",
          grants: covered.grants,
          purpose: covered.purpose,
          policies: covered.policies,
          until: covered.until,
          beyondRules: ruled.missing,
        };
    }
    const kept = await narrowing.missing(snapshot, agent, target.subject, needed);
    if (kept.length > 0) {
      const open = await decideOn(snapshot, pod, PUBLIC_AGENT, effective, kept);
      if (open.kind === "denied") return { ...open, narrowed: true };
    }
    // Only those are told whom the rules let in: to all others a frozen place looks like any that is not theirs.
    if (isOwnerOf(pod, agent)) return decision;
    const isFrozen = await frozenIn(snapshot);
    if (isFrozen(target.subject)) return { kind: "denied", missing: needed, restricted: true };
    return question && ruled.kind === "denied" ? { ...ruled, purposes: question } : decision;
  }

  async function permissions(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    target: Target,
  ): Promise<Permissions> {
    if (target.pod !== pod.name) return { user: [], public: [] };
    const isFrozen = (await frozenIn(snapshot))(target.subject);
    if (isFrozen && !isOwnerOf(pod, agent)) return { user: [], public: [] };
    const isOwn = isOwnPlace(target.subject);
    const effective = isOwn ? NOTHING : await effectiveRules(snapshot, pod, target.subject);
    const rules = effective.needsGroups
      ? await groups.resolve(snapshot, pod, effective.rules)
      : effective.rules;
    const byList = modesOf(rules, trusted(agent));
    const byGrant =
      byList.length < MODES.length
        ? await grants.modesAt(snapshot, pod, agent, target, byList.includes("read"))
        : [];
    const own = MODES.filter(
      (mode) =>
        (mode === (isOwn ? "read" : "control") && isOwnerOf(pod, agent)) ||
        byList.includes(mode) ||
        byGrant.includes(mode),
    );
    const kept = await narrowing.missing(snapshot, agent, target.subject, own);
    const open = modesOf(rules, PUBLIC_AGENT);
    const user = own.filter((mode) => !kept.includes(mode) || open.includes(mode));
    const everyone = isFrozen ? [] : open;
    if (target.auxiliary !== "acl") return { user, public: everyone };
    return { user: user.includes("control") ? MODES : [], public: everyone.includes("control") ? MODES : [] };
  }

  async function reader(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<PathReader> {
    const asker = trusted(agent);
    const isFrozen = isOwnerOf(pod, agent) ? () => false : await frozenIn(snapshot);
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

    const reading = await grants.reading(snapshot, pod, agent);
    const used = new Set<string>();

    async function mayByGrant(path: string): Promise<boolean> {
      const grant = (await reading?.grantOf(path)) ?? null;
      if (grant !== null) used.add(grant);
      else if (reading?.question && !reading.question.isStated && (await reading.isQuestion(path)))
        throw purposeProblem(reading.question);
      return grant !== null;
    }

    async function mayRead(path: string): Promise<boolean> {
      if (!path.startsWith(root) || isOwnPlace(path)) return false;
      const { subject, mode } = readNeed(path);
      const mayApp = isGiven(subject, mode);
      if (mode === "control" && isOwnerOf(pod, agent) && mayApp) return true;
      if (isFrozen(subject)) return false;
      const { asker: theirs, open } = await modesUnder(await rulesOf(subject));
      if (theirs.includes(mode)) return mayApp || open.includes(mode);
      return mode === "read" && mayApp && mayByGrant(path);
    }
    return Object.assign(mayRead, {
      grants: () => [...used],
      purpose: reading?.purpose ?? undefined,
    });
  }

  async function views(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<GrantedViews> {
    const none: GrantedViews = { views: [], purpose: null, question: null };
    const reading = await grants.reading(snapshot, pod, agent);
    if (!reading) return none;
    const folder = viewPath(pod.name, "");
    const isGiven = await narrowing.reader(snapshot, agent);
    if (!isGiven(folder, "read") || (await frozenIn(snapshot))(folder)) return none;
    const { purpose, question, targets } = reading;
    const found = targets
      .filter(({ path }) => path.startsWith(folder))
      .map(({ path, grant }) => ({ id: path.slice(folder.length), grant }));
    return { views: found, purpose, question };
  }

  /** Decides about classes of documents, for queries. */
  const readable = createReadable({
    rulesFinder,
    trusted,
    narrowing,
    mayUnder: async (snapshot, pod, agent, effective, mode) =>
      (await decideOn(snapshot, pod, agent, effective, [mode])).kind === "granted",
    hangsOnOthers: ({ needsGroups }) => needsGroups,
    granted: (snapshot, pod, agent) => grants.reading(snapshot, pod, agent),
  });

  const overview = isAdding
    ? createPolicyOverview(deps, read)
    : createOverview(deps, groups, read, authorize);

  return {
    language,
    authorize,
    permissions,
    reader,
    grants,
    views,
    ...readable,
    overview: async (snapshot, pod) =>
      withConsents(await overview(snapshot, pod), await grants.all(snapshot), pod, baseUrl),
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
