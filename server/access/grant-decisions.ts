/** What grants give, decided: at one place, at many, and for the eyes of whoever may see the rules. */
import { nameOf, parentOf, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Mode } from "../operation.ts";
import type { PurposeQuestion } from "../purpose.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord } from "../store/record.ts";
import type { Entry, Snapshot } from "../store/store.ts";
import { createFacts, type Facts } from "./facts.ts";
import { acceptable, grantsFor, purposeFor, questionOf } from "./grant-purposes.ts";
import { GRANT_RULES, type GrantRule, isOwnPlace, type PoliciesOf } from "./grants.ts";

/** All rules of one assignee. */
interface Held {
  readonly rules: readonly GrantRule[];
  readonly byTarget: ReadonlyMap<string, readonly GrantRule[]>;
}
interface Parsed {
  readonly version: number;
  readonly rules: readonly GrantRule[];
  readonly byAssignee: ReadonlyMap<string, Held>;
}

const parsed = new WeakMap<Entry, Parsed>();

function parse(entry: Entry): Parsed {
  let found = parsed.get(entry);
  if (found) return found;
  const rules = decodeRecord<readonly GrantRule[]>(entry);
  const byAssignee = new Map<string, Held>();
  for (const [assignee, own] of Map.groupBy(rules, (rule) => rule.assignee)) {
    const byTarget = new Map<string, GrantRule[]>();
    for (const rule of own)
      for (const target of new Set(rule.targets)) {
        const there = byTarget.get(target);
        if (there) there.push(rule);
        else byTarget.set(target, [rule]);
      }
    byAssignee.set(assignee, { rules: own, byTarget });
  }
  found = { version: entry.version, rules, byAssignee };
  // What a transaction wrote itself has no version yet, and is written again when it runs anew.
  if (entry.version > 0) parsed.set(entry, found);
  return found;
}

async function rulesIn(snapshot: Snapshot): Promise<Parsed | null> {
  const entry = await snapshot.get(...GRANT_RULES);
  return entry && parse(entry);
}

/** What an operation wants at a place. */
export interface Asked {
  readonly target: Target;
  readonly modes: readonly Mode[];
  /** Path of what is to be removed, where that is what Write is wanted for. */
  readonly removes?: string | undefined;
}

export type Covered =
  | {
      readonly kind: "covered";
      readonly grants: readonly string[];
      readonly purpose: string;
      readonly policies: PoliciesOf;
      /** Milliseconds since 1970: after this it may not be so any more. */
      readonly until: number;
    }
  | { readonly kind: "purpose"; readonly question: PurposeQuestion }
  | null;

/** What one agent may read by its grants, in one snapshot and at one moment. */
export interface GrantedReading {
  /** The same for the same rules and the same purpose, for one state of the pod's documents. */
  readonly key: string;
  /** For which purpose the grants are used; null while it is not clear which. */
  readonly purpose: string | null;
  /** What the agent has to be asked, should it need one of these grants; null: nothing. */
  readonly question: PurposeQuestion | null;
  /** Grant by which a path may be read; null: none. Only those count that fit the purpose. At once where it can. */
  grantOf(path: string): Promise<string | null> | string | null;
  /** Whether there is a grant for a path, but for another purpose, or it is not clear for which. */
  isQuestion(path: string): Promise<boolean>;
  /** Paths that are targets. */
  readonly targets: readonly { readonly path: string; readonly grant: string }[];
}

/** A projection: which grants a list's own place is the target of. */
export interface GrantShown {
  readonly grant: string;
  readonly modes: readonly Mode[];
}

/** One thing that an agent may by a consent, for the owner's eyes. */
export interface Consented {
  readonly grant: string;
  /** WebID. */
  readonly agent: string;
  /** A place, with all that is below it; or a view. */
  readonly path: string;
  readonly modes: readonly Mode[];
  readonly purposes: readonly string[];
  /** When not empty: only with these applications. */
  readonly apps: readonly string[];
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface GrantDecisions {
  /** Whether grants give all of what is asked, and which do: any of them, or together where none does it alone. */
  cover(snapshot: Snapshot, pod: Pod, agent: Agent, asked: Asked): Promise<Covered>;
  /**
   * The modes of all that fits at a place, whichever of its purposes the agent may say.
   * @param mayKnow Whether it may know what is there: else it is told what it could do in any case.
   */
  modesAt(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    target: Target,
    mayKnow: boolean,
  ): Promise<readonly Mode[]>;
  /** Null where the agent has no grant to read anything. */
  reading(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<GrantedReading | null>;
  /** Grants on exactly this place, for the eyes of whoever may see its rules; a version that is another when they are. */
  shown(
    snapshot: Snapshot,
    path: string,
  ): Promise<{ readonly version: string; readonly grants: readonly GrantShown[] }>;
  /** All that is in force, or will be, by path. */
  all(snapshot: Snapshot): Promise<readonly Consented[]>;
}

export interface GrantDecisionsDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly now: () => Date;
}

const NONE: readonly GrantRule[] = Object.freeze([]);
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => (made ??= make());
}

/** In the terms of access lists, where Write is also what removes. */
const modesShown = ({ modes, removes }: GrantRule): readonly Mode[] =>
  removes && !modes.includes("write") ? [...modes, "write"] : modes;

/** Decides by the rules of grants. What they ask of documents is kept as long as the store keeps their entries. */
export function createGrantDecisions({ baseUrl, limits, now }: GrantDecisionsDeps): GrantDecisions {
  const { factsOf, fitting } = createFacts(baseUrl.slice(0, -1), limits);

  /** In force for who asks, and wanted where one is named. */
  function isLive(rule: GrantRule, { client, grant }: Agent, at: number): boolean {
    return (
      rule.purposes.length > 0 &&
      rule.notBefore <= at &&
      at <= rule.notAfter &&
      (rule.clients === null || (client !== null && rule.clients.includes(client))) &&
      (grant === undefined || grant === rule.grant)
    );
  }

  async function held(snapshot: Snapshot, pod: Pod, { webid }: Agent): Promise<Held | null> {
    if (webid === null || webid === pod.owner) return null;
    return (await rulesIn(snapshot))?.byAssignee.get(webid) ?? null;
  }

  /** Rules whose targets a path is, or is below; the nearest first. One that names several of them comes as often. */
  function reaching({ byTarget }: Held, pod: Pod, path: string): readonly GrantRule[] {
    const root = `/${pod.name}/`;
    if (!path.startsWith(root)) return NONE;
    let found = byTarget.get(path) ?? NONE;
    if (isOwnPlace(path)) return found;
    for (let above = parentOf(path); above !== null && above.startsWith(root); above = parentOf(above)) {
      const more = byTarget.get(above);
      if (more) found = found.length === 0 ? more : [...found, ...more];
    }
    return found;
  }

  /** Of rules that reach a place, those that give the mode there. */
  async function giving(
    snapshot: Snapshot,
    rules: readonly GrantRule[],
    { auxiliary, subject, isContainer }: Target,
    mode: Mode,
    facts: () => Promise<Facts | null>,
    assumed?: boolean,
  ): Promise<readonly GrantRule[]> {
    let found: readonly GrantRule[];
    if (mode === "read") found = rules.filter(({ modes }) => modes.includes("read"));
    else if (mode === "control" || auxiliary !== null) return [];
    // To add to a folder is to create; to add to a document is to change it.
    else if (mode === "append" && isContainer) found = rules.filter(({ modes }) => modes.includes("append"));
    else {
      // Of what is not there nothing can be changed: who may create may write it. What a folder says of itself is the owner's.
      const isThere =
        assumed ?? (await snapshot.get("resource", parentOf(subject) ?? "", nameOf(subject))) !== null;
      if (isThere && isContainer) return [];
      found = rules.filter(({ modes }) => modes.includes(isThere ? "write" : "append"));
    }
    return fitting(found, auxiliary !== null, facts);
  }

  /**
   * Rules in force for the agent that give a mode at a place.
   * @param assumed Whether something is there, of which nothing else is known; absent: as it is.
   */
  function candidates(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    own: Held,
    { target, removes }: Asked,
    assumed?: boolean,
  ): (mode: Mode) => Promise<readonly GrantRule[]> {
    const at = now().getTime();
    const live = (path: string): GrantRule[] =>
      reaching(own, pod, path).filter((rule) => isLive(rule, agent, at));
    const here = live(target.subject);
    const facts = once(async () => (assumed === undefined ? factsOf(snapshot, target.subject) : null));
    return async (mode) => {
      if (mode !== "write" || removes === undefined)
        return giving(snapshot, here, target, mode, facts, assumed);
      if (target.auxiliary !== null) return [];
      const removing = live(removes).filter((rule) => rule.removes === true);
      return fitting(
        removing,
        false,
        once(() => factsOf(snapshot, removes)),
      );
    };
  }

  return {
    async cover(snapshot, pod, agent, asked) {
      const own = await held(snapshot, pod, agent);
      if (!own || asked.modes.length === 0) return null;
      const find = candidates(snapshot, pod, agent, own, asked);
      const byMode: (readonly GrantRule[])[] = [];
      for (const mode of asked.modes) {
        const found = await find(mode);
        if (found.length === 0) return null;
        byMode.push(found);
      }
      const all = byMode.length === 1 ? byMode[0]! : byMode.flat();
      const purpose = purposeFor(agent, all);
      if (purpose === null) return { kind: "purpose", question: questionOf(agent, all) };
      const found = byMode.map((rules) => grantsFor(purpose, rules));
      if (found.some(({ size }) => size === 0)) return { kind: "purpose", question: questionOf(agent, all) };
      const each = [...found[0]!.keys()].filter((id) => found.every((ids) => ids.has(id)));
      const firsts = found.map((ids) => [...ids.keys()][0]!);
      const grants = each.length > 0 ? each : [...new Set(firsts)];
      const given = (id: string) => found.flatMap((ids) => ids.get(id) ?? []);
      const until = Math.min(...grants.flatMap((id) => given(id).map((one) => one.until)));
      const policies = new Map(grants.map((id) => [id, given(id).flatMap((one) => one.policies)]));
      return { kind: "covered", grants, purpose, policies, until };
    },

    async modesAt(snapshot, pod, agent, target, mayKnow) {
      const own = await held(snapshot, pod, agent);
      if (!own || target.auxiliary === "acl") return [];
      const given = async (assumed?: boolean): Promise<readonly Mode[]> => {
        const find = candidates(snapshot, pod, agent, own, { target, modes: [] }, assumed);
        const modes: Mode[] = [];
        for (const mode of ["read", "append", "write"] as const) {
          const found = await find(mode);
          if (found.some((rule) => agent.purpose === undefined || acceptable(agent.purpose, rule)))
            modes.push(mode);
        }
        return modes;
      };
      const modes = await given();
      if (mayKnow || modes.includes("read")) return modes;
      const [before, after] = [await given(false), await given(true)];
      return before.filter((mode) => after.includes(mode));
    },

    async reading(snapshot, pod, agent) {
      const own = await held(snapshot, pod, agent);
      const all = own && (await rulesIn(snapshot));
      if (!all) return null;
      const at = now().getTime();
      const positions: number[] = [];
      const rules = own.rules.filter((rule, position) => {
        const isIn = rule.modes.includes("read") && isLive(rule, agent, at);
        if (isIn) positions.push(position);
        return isIn;
      });
      if (rules.length === 0) return null;
      const live = new Set(rules);
      const purpose = purposeFor(agent, rules);
      const usable = new Set(purpose === null ? [] : rules.filter((rule) => acceptable(purpose, rule)));
      const question = usable.size === 0 ? questionOf(agent, rules) : null;

      /** The first of some rules that gives a path. What reaches into a folder is found once for all that is in it. */
      const firstOf = (among: ReadonlySet<GrantRule>) => {
        const known = new Map<string, readonly GrantRule[]>();
        function inside(folder: string): readonly GrantRule[] {
          let found = known.get(folder);
          if (!found)
            known.set(folder, (found = reaching(own!, pod, folder).filter((rule) => among.has(rule))));
          return found;
        }
        return (path: string): Promise<string | null> | string | null => {
          if (path.endsWith(".acl") || path.endsWith(".acr") || isOwnPlace(path)) return null;
          const isAuxiliary = path.endsWith(".meta");
          const subject = isAuxiliary ? path.slice(0, -".meta".length) : path;
          const itself = own.byTarget.get(subject)?.filter((rule) => among.has(rule)) ?? NONE;
          const above = inside(parentOf(subject) ?? "/");
          const here = itself.length === 0 ? above : [...itself, ...above];
          const [nearest] = here;
          if (!nearest) return null;
          if (nearest.mediaTypes === null && nearest.types === null) return nearest.grant;
          const facts = once(() => factsOf(snapshot, subject));
          return fitting(here, isAuxiliary, facts).then(([rule]) => rule?.grant ?? null);
        };
      };
      const firstLive = firstOf(live);
      return {
        key: JSON.stringify([all.version, agent.webid, positions, purpose, usable.size]), // Positions are of its own rules.
        purpose: question ? null : purpose,
        question,
        grantOf: firstOf(usable),
        isQuestion: async (path) => question !== null && (await firstLive(path)) !== null,
        targets: [...usable].flatMap(({ targets, grant }) => targets.map((path) => ({ path, grant }))),
      };
    },

    async shown(snapshot, path) {
      const all = await rulesIn(snapshot);
      if (!all) return { version: "", grants: [] };
      const at = now().getTime();
      const places: number[] = [];
      const here = all.rules.filter((rule, place) => {
        const isHere = rule.targets.includes(path) && rule.notBefore <= at && at <= rule.notAfter;
        if (isHere) places.push(place);
        return isHere;
      });
      const grants = [...Map.groupBy(here, ({ grant }) => grant)].map(([grant, rules]) => ({
        grant,
        modes: [...new Set(rules.flatMap(modesShown))],
      }));
      return { version: here.length === 0 ? "" : `${all.version}.${places.join("-")}`, grants };
    },

    async all(snapshot) {
      const at = now().getTime();
      const rules = (await rulesIn(snapshot))?.rules.filter(({ notAfter }) => at <= notAfter) ?? [];
      return rules
        .flatMap((rule) =>
          rule.targets.map((path) => ({
            grant: rule.grant,
            agent: rule.assignee,
            path,
            modes: modesShown(rule),
            purposes: rule.purposes,
            apps: rule.clients ?? [],
            until: rule.notAfter,
          })),
        )
        .sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
    },
  };
}
