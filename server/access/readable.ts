/**
 * Which of very many documents an agent may read: documents under the same rules are one class, and each class is decided
 * about once. Which rules are in force where depends on the pod's records alone, so that can be kept as long as they are as
 * they were; what the rules come to for an agent (groups of other pods, what an app was given) is asked every time.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { nameOf } from "../iri.ts";
import { Lru } from "../lru.ts";
import { type Agent, type Mode, PUBLIC_AGENT } from "../operation.ts";
import type { PurposeQuestion } from "../purpose.ts";
import { isWithin } from "../reach.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot } from "../store/store.ts";
import type { GrantedReading } from "./grant-decisions.ts";
import { isOwnPlace } from "./grants.ts";
import { isOwnerOf, type Narrowing } from "./narrowing.ts";
import { frozenIn, frozenPaths } from "./restriction.ts";

/** What reading a path needs, and on what: rules are read by whoever has Control of their subject. */
export function readNeed(path: string): { readonly subject: string; readonly mode: "read" | "control" } {
  const name = nameOf(path);
  const isRules = name.endsWith(".acl") || name.endsWith(".acr");
  const subject = isRules
    ? path.slice(0, -".acl".length)
    : name.endsWith(".meta")
      ? path.slice(0, -".meta".length)
      : path;
  return { subject, mode: isRules ? "control" : "read" };
}

/** Paths, and the rules in force at each. */
export interface Classified<Rules> {
  /** Null: nothing is at this place. */
  readonly paths: readonly (string | null)[];
  /** By place in `paths`: which of `classes`. */
  readonly classOf: Uint32Array;
  readonly classes: readonly { readonly rules: Rules; readonly mode: "read" | "control" }[];
}

/** What an agent may read of what was classified. */
export interface ReadableSet {
  /** For one classification, the same for the same answer. */
  readonly key: string;
  /** For which purpose grants are used here. */
  readonly purpose?: string;
  /** What may be read. Made when it is asked for. */
  made(): Promise<ReadablePlaces>;
}

export interface ReadablePlaces {
  /** By place in `paths`, 1 for what may be read. */
  readonly bits: Uint8Array;
  /** By place, the grant without which it would not be readable; none where the rules alone allow it. */
  readonly grants: ReadonlyMap<number, string>;
  /** What the agent has to be asked, for there are documents that it was granted for other purposes; null: nothing. */
  readonly question: PurposeQuestion | null;
}

export interface Readable<Rules> {
  /**
   * Finds the rules in force at each path.
   * @param paths Of documents of the pod: resources, descriptions, rules.
   * @param before What is known still: no rules of the pod have changed since, and of the documents only those at some
   * places, which may be new ones.
   */
  classify(
    snapshot: Snapshot,
    pod: Pod,
    paths: readonly (string | null)[],
    before?: { readonly classified: Classified<Rules>; readonly changed: Iterable<number> },
  ): Promise<Classified<Rules>>;
  /** @param classified Of the same generation as the snapshot. */
  readable(snapshot: Snapshot, pod: Pod, agent: Agent, classified: Classified<Rules>): Promise<ReadableSet>;
}

export interface ReadableDeps<Rules> {
  readonly rulesFinder: (snapshot: Snapshot, pod: Pod) => (subject: string) => Promise<Rules> | Rules;
  /** The agent as the rules are asked about it. */
  readonly trusted: (agent: Agent) => Agent;
  readonly narrowing: Narrowing;
  readonly mayUnder: (
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    rules: Rules,
    mode: Mode,
  ) => Promise<boolean>;
  /** Whether what the rules come to hangs on anything but themselves and the agent. */
  readonly hangsOnOthers: (rules: Rules) => boolean;
  /** What the agent may read by grants; null: nothing. */
  readonly granted: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<GrantedReading | null>;
}

/** By class, 1 for yes: what the agent may, and what everybody may. */
interface Decided {
  readonly theirs: Uint8Array;
  readonly open: Uint8Array;
}
const PATHS_PER_TURN = 10_000; // Some milliseconds of work, then others have their turn.
const DECIDED_BYTES_MAX = 4 * 1024 * 1024; // For each classification.

/** Says the same of each path as the pod's reader would, one by one. */
export function createReadable<Rules extends object>(deps: ReadableDeps<Rules>): Readable<Rules> {
  const { rulesFinder, trusted, narrowing, mayUnder, hangsOnOthers, granted } = deps;
  /** What the rules alone decide about an agent, for as long as they are what they are. */
  const known = new WeakMap<Classified<Rules>, Lru<string, Decided>>();

  async function decide(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    classified: Classified<Rules>,
  ): Promise<Decided> {
    const { classes } = classified;
    let agents = known.get(classified);
    if (!agents) known.set(classified, (agents = new Lru(DECIDED_BYTES_MAX)));
    const { webid, client, issuer, origin } = agent;
    const who = JSON.stringify([webid, client, issuer, origin]);
    const before = agents.get(who);
    const theirs = before ? before.theirs.slice() : new Uint8Array(classes.length);
    const open = before ? before.open.slice() : new Uint8Array(classes.length);
    for (const [at, { rules, mode }] of classes.entries()) {
      if (before && !hangsOnOthers(rules)) continue;
      theirs[at] = (await mayUnder(snapshot, pod, agent, rules, mode)) ? 1 : 0;
      // What everybody may counts only for those whose app was not given it.
      open[at] = theirs[at] === 1 && (await mayUnder(snapshot, pod, PUBLIC_AGENT, rules, mode)) ? 1 : 0;
    }
    const decided = { theirs, open };
    if (!before) agents.set(who, decided, who.length + classes.length * 2 + 200);
    return decided;
  }

  return {
    async classify(snapshot, pod, paths, before) {
      const find = rulesFinder(snapshot, pod);
      const classes = [...(before?.classified.classes ?? [])];
      const numbers = { read: new Map<Rules, number>(), control: new Map<Rules, number>() };
      for (const [number, { rules, mode }] of classes.entries()) numbers[mode].set(rules, number);
      const classOf = new Uint32Array(paths.length);
      if (before) classOf.set(before.classified.classOf);
      for (const at of before?.changed ?? paths.keys()) {
        const path = paths[at] ?? null;
        if (path === null) continue;
        const { subject, mode } = readNeed(path);
        const found = find(subject);
        const rules = found instanceof Promise ? await found : found;
        let number = numbers[mode].get(rules);
        if (number === undefined) {
          numbers[mode].set(rules, (number = classes.length));
          classes.push({ rules, mode });
        }
        classOf[at] = number;
      }
      return { paths, classOf, classes };
    },

    async readable(snapshot, pod, agent, classified) {
      const { paths, classOf, classes } = classified;
      const isOwner = isOwnerOf(pod, agent);
      const frozen = isOwner ? [] : [...(await frozenPaths(snapshot))];
      const isFrozen = frozen.length === 0 ? () => false : await frozenIn(snapshot);
      const reach = await narrowing.reachIn(snapshot, agent);
      const isNarrowed = reach.folders !== null || !reach.modes.includes("read");
      const { theirs, open } = await decide(snapshot, pod, trusted(agent), classified);
      const reading = await granted(snapshot, pod, agent);
      const root = `/${pod.name}/`;

      /** What the rules leave out, and grants give: of each document by the first of them. */
      async function byGrants(reading: GrantedReading, bits: Uint8Array): Promise<ReadablePlaces> {
        const grants = new Map<number, string>();
        let isQuestion = false;
        for (const [at, path] of paths.entries()) {
          if (bits[at] === 1 || path === null || !path.startsWith(root) || isOwnPlace(path)) continue;
          const { subject, mode } = readNeed(path);
          if (mode !== "read" || !isWithin(reach, subject, mode) || isFrozen(subject)) continue;
          if (at % PATHS_PER_TURN === PATHS_PER_TURN - 1) await nextTurn();
          const found = reading.grantOf(path);
          const grant = found instanceof Promise ? await found : found;
          if (grant !== null) {
            bits[at] = 1;
            grants.set(at, grant);
          } else if (reading.question && !isQuestion) isQuestion = await reading.isQuestion(path);
        }
        return { bits, grants, question: isQuestion ? reading.question : null };
      }

      const key = [theirs.join(""), open.join(""), isOwner, reach.folders, reach.modes, frozen, reading?.key];
      return {
        key: JSON.stringify(key),
        ...(reading?.purpose && { purpose: reading.purpose }),
        async made() {
          const bits = new Uint8Array(paths.length);
          for (let at = 0; at < paths.length; at++) {
            const path = paths[at] ?? null;
            if (path === null || isOwnPlace(path)) continue;
            const number = classOf[at]!;
            const { mode } = classes[number]!;
            const isRules = mode === "control";
            if ((!theirs[number] && !(isRules && isOwner)) || !path.startsWith(root)) continue;
            const { subject } =
              isNarrowed || isRules || frozen.length > 0 ? readNeed(path) : { subject: path };
            const mayApp = isWithin(reach, subject, mode);
            if (isRules && isOwner && mayApp) bits[at] = 1;
            else if (!isFrozen(subject) && theirs[number] && (mayApp || open[number])) bits[at] = 1;
          }
          return reading ? byGrants(reading, bits) : { bits, grants: new Map(), question: null };
        },
      };
    },
  };
}
