/** "Who can see what?" where the rules are policies: what each of them could give, and to whom, in words that a page can show. */
import { acp } from "@freehold/vocab";
import { parentOf } from "../iri.ts";
import type { Mode } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { Entry, Snapshot } from "../store/store.ts";
import type { AccessList } from "./acl.ts";
import { type AccessEntry, type AccessOverview, countsOf, NO_APP, type Who } from "./overview.ts";
import { type Attribute, applies, type Matcher, type Policy, type PolicyRule } from "./policies.ts";

type ReadPolicies = (entry: Entry, path: string, pod: Pod) => Promise<AccessList>;

/** One way to satisfy a policy: all of these at once. */
function waysOf({ allOf, anyOf }: Policy): readonly (readonly Matcher[])[] {
  return anyOf.length === 0 ? [allOf] : anyOf.map((matcher) => [...allOf, matcher]);
}

/**
 * What satisfies all of some sets of values.
 * @param all The value that everything fits.
 * @param known The value that fits whatever is known at all.
 * @returns null when nothing is asked; `all` and `known` stand for themselves.
 */
function common(
  matchers: readonly Matcher[],
  attribute: Attribute,
  all: string,
  known: string,
): readonly string[] | null {
  const sets = matchers.flatMap((matcher) => matcher[attribute] ?? []);
  if (sets.every((set) => set.has(all))) return null;
  const named = new Set(sets.flatMap((set) => [...set]).filter((value) => value !== all && value !== known));
  const fits = (value: string) => sets.every((set) => set.has(value) || set.has(known) || set.has(all));
  return fits(known) ? [known] : [...named].filter(fits);
}

const EVERYBODY: Who = { kind: "public" };

/** Creators are anybody who may have made something there: shown as all who have logged in, for it might be each of them. */
function peopleOf(matchers: readonly Matcher[], owner: string): readonly Who[] {
  const values = common(matchers, "agent", acp.PublicAgent, acp.AuthenticatedAgent);
  if (!values) return [EVERYBODY];
  return values.flatMap((value): Who[] => {
    if (value === acp.AuthenticatedAgent || value === acp.CreatorAgent) return [{ kind: "signed-in" }];
    if (value === acp.OwnerAgent) return [{ kind: "agent", iri: owner }];
    return value.startsWith('"') || value.startsWith("_:") ? [] : [{ kind: "agent", iri: value }];
  });
}

/** Empty when it does not matter which. */
function narrowedTo(matchers: readonly Matcher[], attribute: "client" | "issuer"): readonly string[] {
  const [all, known] =
    attribute === "client"
      ? [acp.PublicClient, acp.AuthenticatedClient]
      : [acp.PublicIssuer, acp.AuthenticatedIssuer];
  const values = common(matchers, attribute, all, known);
  if (!values || values.includes(known)) return [];
  return values.length === 0 ? [NO_APP] : values;
}

/** Modes that are denied to them whatever the app and the issuer. */
function deniedTo(who: Who, policies: readonly Policy[], owner: string): ReadonlySet<Mode> {
  const context = { agent: who.iri ?? null, client: null, issuer: null, owner, creator: null };
  // Somebody who has logged in and is not named anywhere.
  const asked = who.kind === "signed-in" ? { ...context, agent: "" } : context;
  return new Set(
    policies
      .filter(
        (policy) => policy.noneOf.every(isNotFor(who, owner)) && applies({ ...policy, noneOf: [] }, asked),
      )
      .flatMap(({ deny }) => deny),
  );
}

/** Whether a matcher that lets people off certainly does not mean these. */
const isNotFor =
  ({ kind, iri }: Who, owner: string) =>
  ({ agent }: Matcher): boolean =>
    agent !== undefined &&
    [...agent].every(
      (value) =>
        !value.startsWith(acp.PublicAgent.slice(0, -"PublicAgent".length)) &&
        value !== iri &&
        (kind === "agent" || value === owner),
    );

function entriesOf(
  { name: _name, ...policy }: Policy,
  all: readonly Policy[],
  place: Pick<AccessEntry, "path" | "inherited" | "via">,
  owner: string,
): AccessEntry[] {
  if (policy.allow.length === 0) return [];
  return waysOf({ name: "", ...policy }).flatMap((matchers) => {
    // An empty matcher is never satisfied, and nobody presents a credential.
    const isDead = matchers.some(
      (matcher) => matcher.vc || (!matcher.agent && !matcher.client && !matcher.issuer),
    );
    if (isDead || matchers.length === 0) return [];
    const apps = narrowedTo(matchers, "client");
    const issuers = narrowedTo(matchers, "issuer");
    return peopleOf(matchers, owner).flatMap((who) => {
      const denied = deniedTo(who, all, owner);
      const modes = policy.allow.filter((mode) => !denied.has(mode));
      return modes.length === 0 ? [] : [{ who, ...place, modes, apps, issuers }];
    });
  });
}

/**
 * @returns the function that lists who has access to what in a pod, for its owner's eyes: rather somebody too many than one
 * too few, for who exactly a policy leaves out shows only when they ask.
 */
export function createPolicyOverview({ baseUrl }: { readonly baseUrl: string }, readPolicies: ReadPolicies) {
  return async (snapshot: Snapshot, pod: Pod): Promise<AccessOverview> => {
    const lists = new Map<string, { own: readonly Policy[]; inherited: readonly Policy[] }>();
    const policies = (rules: AccessList["own"]) =>
      (rules as readonly PolicyRule[]).map(({ policy }) => policy);
    for await (const entry of snapshot.all("auxiliary")) {
      if (entry.item !== "acl") continue;
      const { own, inherited } = await readPolicies(entry, entry.group, pod);
      lists.set(entry.group, { own: policies(own), inherited: policies(inherited) });
    }
    const above = (path: string): readonly Policy[] => {
      const found: Policy[] = [];
      for (let folder = parentOf(path); folder !== null; folder = parentOf(folder))
        found.push(...(lists.get(folder)?.inherited ?? []));
      return found;
    };
    const entries: AccessEntry[] = [];
    for (const [path, { own, inherited }] of lists) {
      const via = `${path}.acr`;
      const from = above(path);
      for (const policy of own)
        entries.push(...entriesOf(policy, [...own, ...from], { path, via, inherited: false }, pod.owner));
      for (const policy of inherited)
        entries.push(
          ...entriesOf(policy, [...inherited, ...from], { path, via, inherited: true }, pod.owner),
        );
    }
    entries.sort((a, b) =>
      a.path < b.path ? -1 : a.path > b.path ? 1 : Number(a.inherited) - Number(b.inherited),
    );
    return { entries, consents: [], counts: countsOf(entries, pod, baseUrl) };
  };
}
