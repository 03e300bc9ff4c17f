/** Who belongs to a `vcard:Group`: looked up in this server's own documents, never fetched from elsewhere. */
import { vcard } from "@freehold/vocab";
import { nameOf, parentOf, parseTarget, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod, Pods } from "../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Snapshot, Store } from "../store/store.ts";
import { groupsIn } from "./acl.ts";
import type { Authorization, Condition, Group } from "./decide.ts";
import { isOwnPlace } from "./grants.ts";

const NOBODY: ReadonlySet<string> = new Set();

export interface GroupsDeps {
  readonly baseUrl: string;
  readonly pods: Pods;
  readonly store: Store;
  readonly limits: Limits;
}

/** Where a group is described: on this server, as a document of a pod. */
export interface GroupPlace {
  readonly pod: string;
  readonly path: string;
}

export interface Groups {
  /**
   * The same rules with the members of their groups. A group gives nobody when it is not a readable RDF document of
   * this server, has too many members, or is one too many in the list. Documents of the same pod are read in the
   * given snapshot, so a transaction notices a change of the group; those of other pods in a snapshot of their own.
   */
  resolve(snapshot: Snapshot, pod: Pod, rules: readonly Authorization[]): Promise<readonly Authorization[]>;
  /** Null when no document of this server describes the group. */
  placeOf(iri: string): GroupPlace | null;
}

/** Members by group, of one document. Literals and blank nodes are no members. https://solidproject.org/TR/wac#acl-agentgroup */
function readGroups(quads: readonly Quad[], membersMax: number): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = new Map<string, Set<string>>();
  for (const { subject, predicate, object, graph } of quads) {
    if (predicate.value !== vcard.hasMember || graph.termType !== "DefaultGraph") continue;
    if (subject.termType !== "NamedNode" || object.termType !== "NamedNode") continue;
    const members = groups.get(subject.value) ?? new Set();
    groups.set(subject.value, members.add(object.value));
  }
  for (const [iri, members] of groups) if (members.size > membersMax) groups.delete(iri);
  return groups;
}

/** Looks groups up in this server's pods; parsed ones are kept as long as the store keeps their entries. */
export function createGroups({ baseUrl, pods, store, limits }: GroupsDeps): Groups {
  const origin = baseUrl.slice(0, -1);
  const documents = new WeakMap<Entry, ReadonlyMap<string, ReadonlySet<string>>>();

  function placeOf(iri: string): GroupPlace | null {
    const url = iri.split("#", 1)[0] ?? "";
    if (!url.startsWith(baseUrl) || url.includes("?")) return null;
    let target: Target;
    try {
      target = parseTarget(url.slice(origin.length));
    } catch {
      return null; // An address that no document of this server can have.
    }
    if (target.isContainer || target.auxiliary || target.path !== url.slice(origin.length)) return null;
    // Whom a grant is for is decided by the grant: written into a list, its group lets nobody in, whatever stands there.
    if (isOwnPlace(target.path)) return null;
    return { pod: target.pod, path: target.path };
  }

  async function readDocument(
    snapshot: Snapshot,
    path: string,
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const body = await snapshot.get("body", path, "");
    if (!body) return new Map();
    let groups = documents.get(body);
    if (!groups) {
      const entry = await snapshot.get("resource", parentOf(path) ?? "", nameOf(path));
      const record = entry && decodeRecord<ResourceRecord>(entry);
      try {
        const isRdf = record?.kind === "rdf";
        groups = isRdf
          ? readGroups(
              await parseRdf(body.value, record.contentType, `${origin}${path}`, limits),
              limits.groupMembersMax,
            )
          : new Map();
      } catch {
        groups = new Map(); // Not readable as RDF under the present limits: nobody is in.
      }
      documents.set(body, groups);
    }
    return groups;
  }

  async function membersOf(snapshot: Snapshot, pod: Pod, iri: string): Promise<ReadonlySet<string>> {
    const place = placeOf(iri);
    if (!place) return NOBODY;
    if (place.pod === pod.name) return (await readDocument(snapshot, place.path)).get(iri) ?? NOBODY;
    const other = await pods.find(place.pod);
    // Of a pod that is gone or has moved nobody here knows the members of today.
    if (!other || other.erased !== undefined || other.movedTo !== undefined) return NOBODY;
    return store.read(
      other.id,
      async (theirs) => (await readDocument(theirs, place.path)).get(iri) ?? NOBODY,
    );
  }

  async function resolve(
    snapshot: Snapshot,
    pod: Pod,
    rules: readonly Authorization[],
  ): Promise<readonly Authorization[]> {
    const members = new Map<string, ReadonlySet<string>>();
    for (const rule of rules) {
      for (const { iri } of groupsIn(rule)) {
        if (members.has(iri) || members.size >= limits.aclGroupsMax) continue;
        members.set(iri, await membersOf(snapshot, pod, iri));
      }
    }
    if (members.size === 0) return rules;
    const filled = (groups: readonly Group[]): Group[] =>
      groups.map(({ iri }) => ({ iri, members: members.get(iri) ?? NOBODY }));
    const condition = (condition: Condition): Condition =>
      condition.kind === "unknown"
        ? condition
        : { ...condition, permitted: { ...condition.permitted, groups: filled(condition.permitted.groups) } };
    return rules.map((rule) => ({
      ...rule,
      groups: filled(rule.groups),
      conditions: rule.conditions.map(condition),
    }));
  }

  return { resolve, placeOf };
}
