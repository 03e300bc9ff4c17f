/** The answer to "who can see what?": every access list of a pod in words that a page can show. */
import { parseTarget, type Target, type WebId } from "../iri.ts";
import type { Agent, Mode } from "../operation.ts";
import { publicIndexPath } from "../profile.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { Entry, Snapshot, Store } from "../store/store.ts";
import { type AccessList, NO_ORIGIN } from "./acl.ts";
import type { Authorization, Condition, Decision } from "./decide.ts";
import type { Consented } from "./grant-decisions.ts";
import { granteeOf } from "./grants.ts";
import type { Groups } from "./groups.ts";

export interface Who {
  readonly kind: "public" | "signed-in" | "agent" | "group";
  /** The person, organisation or group. */
  readonly iri?: string;
  /** Of a group, as far as this pod's owner may see them; a group that lets nobody in has none. */
  readonly members?: readonly string[];
}

export interface AccessEntry {
  readonly who: Who;
  /** The document or folder; with `inherited`, everything in the folder that has no list of its own. */
  readonly path: string;
  readonly modes: readonly Mode[];
  readonly inherited: boolean;
  /** Path of the access list that says so. */
  readonly via: string;
  /** When not empty: only with these applications (their origins or client identifiers). */
  readonly apps: readonly string[];
  /** When not empty: only when one of these issuers vouches for them. */
  readonly issuers: readonly string[];
}

export interface AccessOverview {
  readonly entries: readonly AccessEntry[];
  /** What agents may beside that, by consents that the owner gave them. */
  readonly consents: readonly Consented[];
  readonly counts: {
    /** People and organisations other than the owner, named or in a group, who can see anything beyond the profile card. */
    readonly agents: number;
    /** Folders and documents, beyond the profile card, that anybody can see. */
    readonly publicPaths: number;
    /** The same for anybody who has logged in. */
    readonly signedInPaths: number;
  };
}

interface OverviewDeps {
  readonly baseUrl: string;
  readonly pods: Pods;
  readonly store: Store;
}
type ReadList = (entry: Entry, path: string, pod: Pod) => Promise<AccessList>;
type Authorize = (
  snapshot: Snapshot,
  pod: Pod,
  agent: Agent,
  target: Target,
  wanted: readonly Mode[],
) => Promise<Decision>;

/** Control counts as seeing: whoever has it can give themselves the rest. */
function letsSee({ modes }: AccessEntry): boolean {
  return modes.includes("read") || modes.includes("control");
}

/** Stands for a restriction that nobody can meet. */
export const NO_APP = "(none)";

/** The client or issuer identifiers that conditions leave; groups of them by the group's address. */
function narrowedTo(conditions: readonly Condition[], kind: "client" | "issuer"): string[] {
  return conditions.flatMap((condition) => {
    if (condition.kind !== kind || condition.permitted.anyone) return [];
    const named = [...condition.permitted.iris, ...condition.permitted.groups.map(({ iri }) => iri)];
    return named.length === 0 ? [NO_APP] : named;
  });
}

/** Where the owner's public profile card is, if it is in this pod. */
function cardOf(pod: Pod, baseUrl: string): string {
  const url = pod.owner.split("#", 1)[0] ?? "";
  const root = `${baseUrl}${pod.name}/`;
  return url.startsWith(root) ? url.slice(baseUrl.length - 1) : `/${pod.name}/profile/card`;
}

export function countsOf(
  entries: readonly AccessEntry[],
  pod: Pod,
  baseUrl: string,
): AccessOverview["counts"] {
  const card = cardOf(pod, baseUrl);
  const expected = [card, publicIndexPath(pod.name)];
  const beyond = entries.filter((entry) => !expected.includes(entry.path) && letsSee(entry));
  const agents = new Set(
    beyond.flatMap(({ who }) => [
      ...(who.kind === "agent" && who.iri ? [who.iri] : []),
      ...(who.members ?? []),
    ]),
  );
  agents.delete(pod.owner satisfies WebId);
  const pathsOf = (kind: Who["kind"]) =>
    new Set(beyond.filter(({ who }) => who.kind === kind).map(({ path }) => path)).size;
  return { agents: agents.size, publicPaths: pathsOf("public"), signedInPaths: pathsOf("signed-in") };
}

/** @returns the function that lists who has access to what in a pod, for its owner's eyes. */
export function createOverview(deps: OverviewDeps, groups: Groups, readList: ReadList, authorize: Authorize) {
  const { baseUrl, pods, store } = deps;

  /** Members of a group in somebody else's pod are shown only if that document is open to this owner. */
  async function mayShow(iri: string, pod: Pod): Promise<boolean> {
    const place = groups.placeOf(iri);
    if (!place || place.pod === pod.name) return true;
    const other = await pods.find(place.pod);
    if (!other || other.erased !== undefined) return true;
    const owner: Agent = { webid: pod.owner, client: null, issuer: null, origin: null };
    const decision = await store.read(other.id, (theirs) =>
      authorize(theirs, other, owner, parseTarget(place.path), ["read"]),
    );
    return decision.kind === "granted";
  }

  async function peopleOf(rule: Authorization, pod: Pod): Promise<readonly Who[]> {
    const people: Who[] = [];
    if (rule.everyone) people.push({ kind: "public" });
    if (rule.signedIn) people.push({ kind: "signed-in" });
    for (const iri of rule.agents) people.push({ kind: "agent", iri });
    for (const { iri, members } of rule.groups) {
      people.push(
        (await mayShow(iri, pod))
          ? { kind: "group", iri, members: [...members].sort() }
          : { kind: "group", iri },
      );
    }
    return people;
  }

  async function entriesOf(
    rules: readonly Authorization[],
    pod: Pod,
    path: string,
    inherited: boolean,
  ): Promise<AccessEntry[]> {
    const entries: AccessEntry[] = [];
    for (const rule of rules) {
      if (rule.conditions.some(({ kind }) => kind === "unknown")) continue; // It lets nobody in.
      const origins = rule.everyone
        ? []
        : [...rule.origins].map((origin) => (origin === NO_ORIGIN ? NO_APP : origin));
      const apps = [...origins, ...narrowedTo(rule.conditions, "client")];
      const issuers = narrowedTo(rule.conditions, "issuer");
      for (const who of await peopleOf(rule, pod)) {
        entries.push({ who, path, modes: rule.modes, inherited, via: `${path}.acl`, apps, issuers });
      }
    }
    return entries;
  }

  return async (snapshot: Snapshot, pod: Pod): Promise<AccessOverview> => {
    const entries: AccessEntry[] = [];
    for await (const entry of snapshot.all("auxiliary")) {
      if (entry.item !== "acl") continue;
      const { own, inherited } = await readList(entry, entry.group, pod);
      entries.push(...(await entriesOf(await groups.resolve(snapshot, pod, own), pod, entry.group, false)));
      entries.push(
        ...(await entriesOf(await groups.resolve(snapshot, pod, inherited), pod, entry.group, true)),
      );
    }
    entries.sort((a, b) =>
      a.path < b.path ? -1 : a.path > b.path ? 1 : Number(a.inherited) - Number(b.inherited),
    );
    return { entries, consents: [], counts: countsOf(entries, pod, baseUrl) };
  };
}

/** The same with what consents give: whoever sees something by one is counted among those who do. */
export function withConsents(
  { entries }: AccessOverview,
  consents: readonly Consented[],
  pod: Pod,
  baseUrl: string,
): AccessOverview {
  const given = consents.map(({ agent, path, modes, apps, grant }): AccessEntry => {
    const via = granteeOf("/", pod.name, grant);
    return { who: { kind: "agent", iri: agent }, path, modes, inherited: false, via, apps, issuers: [] };
  });
  return { entries, consents, counts: countsOf([...entries, ...given], pod, baseUrl) };
}
