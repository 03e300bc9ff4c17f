/** What grants give, decided: at one place, at many, and for the eyes of whoever may see the rules. */
import { isNarrower } from "@freehold/vocab";
import { nameOf, parentOf, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Mode } from "../operation.ts";
import type { PurposeQuestion } from "../purpose.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord } from "../store/record.ts";
import type { Entry, Snapshot } from "../store/store.ts";
import { createFacts, type Facts } from "./facts.ts";
import { GRANT_RULES, type GrantRule, isOwnPlace } from "./grants.ts";

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
  /** The modes of all that fits at a place, whichever of its purposes the agent may say. */
  modesAt(snapshot: Snapshot, pod: Pod, agent: Agent, target: Target): Promise<readonly Mode[]>;
  /** Null where the agent has no grant to read anything. */
  reading(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<GrantedReading | null>;
  /** Grants on exactly this place, for the eyes of whoever may see its rules; a version that is another when they are. */
  shown(
    snapshot: Snapshot,
    path: string,
  ): Promise<{ readonly version: string; readonly grants: readonly GrantShown[] }>;
  /** All that is in force, or will be, by path. */
  all(snapshot: Snapshot): Promise<readonly Consented[]>;
  /** Those of these grants that are in force for the agent and its client now. */
  standing(snapshot: Snapshot, agent: Agent, grants: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface GrantDecisionsDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly now: () => Date;
}

const NONE: readonly GrantRule[] = Object.freeze([]);
/** Of grants that give the same, those that are tried. */
const GRANTS_TRIED = 16;

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => (made ??= make());
}

const acceptable = (purpose: string, { purposes }: GrantRule): boolean =>
  purposes.some((granted) => isNarrower(purpose, granted));

function purposesOf(rules: readonly GrantRule[]): ReadonlySet<string> {
  const all = new Set<string>();
  for (const { purposes } of rules) for (const purpose of purposes) all.add(purpose);
  return all;
}

/** The first few grants of rules that a purpose fits, and until when each gives it. */
function grantsFor(purpose: string, rules: readonly GrantRule[]): ReadonlyMap<string, number> {
  const grants = new Map<string, number>();
  for (const rule of rules) {
    if (!grants.has(rule.grant) && acceptable(purpose, rule)) grants.set(rule.grant, rule.notAfter);
    if (grants.size === GRANTS_TRIED) break;
  }
  return grants;
}

/** In the terms of access lists, where Write is also what removes. */
const modesShown = ({ modes, removes }: GrantRule): readonly Mode[] =>
  removes && !modes.includes("write") ? [...modes, "write"] : modes;

/** The purpose of a request is one. Null: the agent must say which. */
function purposeFor(agent: Agent, rules: readonly GrantRule[]): string | null {
  if (agent.purpose !== undefined) return agent.purpose;
  const [purpose, another] = purposesOf(rules);
  return purpose !== undefined && another === undefined ? purpose : null;
}

const questionOf = (agent: Agent, rules: readonly GrantRule[]): PurposeQuestion => ({
  isStated: agent.purpose !== undefined,
  accepted: [...purposesOf(rules)].sort(),
});

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
  ): Promise<readonly GrantRule[]> {
    let found: readonly GrantRule[];
    if (mode === "read") found = rules.filter(({ modes }) => modes.includes("read"));
    else if (mode === "control" || auxiliary !== null) return [];
    // To add to a folder is to create; to add to a document is to change it.
    else if (mode === "append" && isContainer) found = rules.filter(({ modes }) => modes.includes("append"));
    else {
      // Of what is not there nothing can be changed: who may create may write it. What a folder says of itself is the owner's.
      const isThere = (await snapshot.get("resource", parentOf(subject) ?? "", nameOf(subject))) !== null;
      if (isThere && isContainer) return [];
      found = rules.filter(({ modes }) => modes.includes(isThere ? "write" : "append"));
    }
    return fitting(found, auxiliary !== null, facts);
  }

  /** Rules in force for the agent that give a mode at a place. */
  function candidates(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    own: Held,
    { target, removes }: Asked,
  ): (mode: Mode) => Promise<readonly GrantRule[]> {
    const at = now().getTime();
    const live = (path: string): GrantRule[] =>
      reaching(own, pod, path).filter((rule) => isLive(rule, agent, at));
    const here = live(target.subject);
    const facts = once(() => factsOf(snapshot, target.subject));
    return async (mode) => {
      if (mode !== "write" || removes === undefined) return giving(snapshot, here, target, mode, facts);
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
      const ends = found.flatMap((ids) => grants.flatMap((id) => ids.get(id) ?? []));
      const until = Math.min(...ends);
      return { kind: "covered", grants, purpose, until };
    },

    async modesAt(snapshot, pod, agent, target) {
      const own = await held(snapshot, pod, agent);
      if (!own || target.auxiliary === "acl") return [];
      const find = candidates(snapshot, pod, agent, own, { target, modes: [] });
      const modes: Mode[] = [];
      for (const mode of ["read", "append", "write"] as const) {
        const found = await find(mode);
        if (found.some((rule) => agent.purpose === undefined || acceptable(agent.purpose, rule)))
          modes.push(mode);
      }
      return modes;
    },

    async reading(snapshot, pod, agent) {
      const all = await rulesIn(snapshot);
      const own = await held(snapshot, pod, agent);
      if (!all || !own) return null;
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
      const here = all.rules.filter(
        (rule) => rule.targets.includes(path) && rule.notBefore <= at && at <= rule.notAfter,
      );
      const grants = [...Map.groupBy(here, ({ grant }) => grant)].map(([grant, rules]) => ({
        grant,
        modes: [...new Set(rules.flatMap(modesShown))],
      }));
      return { version: here.length === 0 ? "" : `${all.version}.${here.length}`, grants };
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

    async standing(snapshot, agent, grants) {
      const own = (await rulesIn(snapshot))?.byAssignee.get(agent.webid ?? "");
      const at = now().getTime();
      const isIn = (grant: string): boolean =>
        own?.rules.some((rule) => rule.grant === grant && isLive(rule, { ...agent, grant }, at)) ?? false;
      return new Set(grants.filter(isIn));
    },
  };
}
