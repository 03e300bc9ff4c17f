/** The owner's page and the access lists: shows them as people and places, and changes them so that it can be undone. */
import { acl, acp, foaf, rdf } from "@freehold/vocab";
import { MODE_IRIS } from "../access/acl.ts";
import { emptyAcr, withAllowed, withoutAllowed } from "../access/acr-rewrite.ts";
import type { Access } from "../access/authorize.ts";
import { asOwnList, SUBJECT_PREDICATES, withoutNamed } from "../access/rewrite.ts";
import { Problem } from "../errors.ts";
import { nameOf, parentOf } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { parseRdf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { namedNode, type Quad, quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import { decodeDocument } from "../store/record.ts";
import type { Committed, Entry, Snapshot, Store, Transaction } from "../store/store.ts";
import type { AccessChange, AccessEntry, OwnerAccess, Who } from "./owner.ts";
import { createSeenAs } from "./seen-as.ts";

export interface OwnerAccessDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly access: Pick<Access, "overview" | "checkAcl" | "language" | "permissions" | "reader">;
  readonly limits: Limits;
  /** Runs a change of access lists in one transaction; what they said so far is kept as their history. */
  readonly change: <T>(
    pod: Pod,
    work: (transaction: Transaction, put: PutList) => Promise<T>,
  ) => Promise<Committed<T>>;
  /** Notes what is done, in the transaction that does it. */
  readonly record: (
    transaction: Transaction,
    pod: Pod,
    act: "grant" | "revoke" | "access",
    path: string,
  ) => void;
}

/** @param turtle The list of what stands at `path`; null takes it away. */
type PutList = (path: string, turtle: Uint8Array | null) => Promise<void>;

const PREFIXES = {
  acl: acl.Access.slice(0, -"Access".length),
  acp: acp.Policy.slice(0, -"Policy".length),
  foaf: foaf.Agent.slice(0, -"Agent".length),
};

/** How an access list names them. https://solidproject.org/TR/wac#access-subjects */
function subjectOf({ kind, iri }: Who): readonly [predicate: string, object: string] {
  if (kind === "public") return [acl.agentClass, foaf.Agent];
  if (kind === "signed-in") return [acl.agentClass, acl.AuthenticatedAgent];
  return [kind === "group" ? acl.agentGroup : acl.agent, iri ?? ""];
}

/** How a policy names them. @throws Problem `input-invalid` for a group, which no policy can name. */
function agentOf({ kind, iri }: Who): string {
  if (kind === "group")
    throw new Problem("input-invalid", "The rules of this server name no groups: give it to each person");
  return kind === "public" ? acp.PublicAgent : kind === "signed-in" ? acp.AuthenticatedAgent : (iri ?? "");
}

/** One stored list before and after a change; `before` null when there was none. */
interface Edit {
  readonly path: string;
  readonly before: Uint8Array | null;
}

/**
 * Each change is one transaction over the access lists, and can be undone until somebody else changes one of them.
 */
export function createOwnerAccess(deps: OwnerAccessDeps): OwnerAccess {
  const { baseUrl, store, access, limits, record } = deps;
  const { ending, name: language } = access.language;
  const origin = baseUrl.slice(0, -1);
  const urlOf = (path: string): string => `${origin}${path}`;
  const acrAt = (path: string) => ({ acrUrl: urlOf(path) + ending, subjectUrl: urlOf(path) });

  const withoutWho = (quads: readonly Quad[], who: Who, path: string): readonly Quad[] =>
    language === "wac"
      ? withoutNamed(quads, ...subjectOf(who))
      : withoutAllowed(quads, acrAt(path), agentOf(who));

  async function readList(entry: Entry): Promise<readonly Quad[]> {
    const { bytes, contentType } = decodeDocument(entry);
    return parseRdf(bytes, contentType, urlOf(entry.group) + ending, limits);
  }

  /** The very bytes where the list was written in Turtle. */
  async function turtleOf(entry: Entry): Promise<Uint8Array> {
    const { bytes, contentType } = decodeDocument(entry);
    return contentType === "text/turtle" ? bytes : serializeRdf(await readList(entry), "text/turtle", {});
  }

  /** The list that is in force at `path`: its own, or that of the nearest folder above. */
  async function effective(snapshot: Snapshot, pod: Pod, path: string): Promise<Entry> {
    for (let place: string | null = path; place !== null && place !== "/"; place = parentOf(place)) {
      const entry = await snapshot.get("auxiliary", place, "acl");
      if (entry) return entry;
    }
    throw new Problem("internal", `The pod ${pod.name} has no access list`);
  }

  async function encode(quads: readonly Quad[], pod: Pod, path: string): Promise<Uint8Array> {
    const url = urlOf(path);
    const isEmptied =
      language === "wac" && !quads.some(({ predicate }) => SUBJECT_PREDICATES.has(predicate.value));
    const rules = isEmptied ? ownersRule(pod, url) : quads;
    access.checkAcl(rules, url + ending, url, pod);
    return serializeRdf(rules, "text/turtle", { prefixes: PREFIXES });
  }

  /** What an emptied list says: without a list the place would inherit again, and could open to more people. */
  function ownersRule(pod: Pod, url: string): readonly Quad[] {
    return rule(`${url}.acl#owner`, [acl.agent, pod.owner], url, [
      MODE_IRIS.read,
      MODE_IRIS.write,
      MODE_IRIS.control,
    ]);
  }

  function rule(
    name: string,
    [predicate, object]: readonly [string, string],
    url: string,
    modes: readonly string[],
  ): Quad[] {
    const places = url.endsWith("/") ? [acl.accessTo, acl.default] : [acl.accessTo];
    const say = (property: string, value: string): Quad =>
      quad(namedNode(name), namedNode(property), namedNode(value));
    return [
      say(rdf.type, acl.Authorization),
      say(predicate, object),
      ...places.map((place) => say(place, url)),
      ...modes.map((mode) => say(acl.mode, mode)),
    ];
  }

  /** Runs an edit and remembers what was there, so that it can be put back as long as nobody else has written since. */
  async function change(
    pod: Pod,
    act: "grant" | "revoke",
    edit: (
      put: (path: string, before: Entry | null, quads: readonly Quad[]) => Promise<void>,
      transaction: Snapshot,
    ) => Promise<void>,
  ): Promise<AccessChange> {
    const { result: edits, generation } = await deps.change(pod, async (transaction, putList) => {
      const done: Edit[] = [];
      await edit(async (path, before, quads) => {
        await putList(path, await encode(quads, pod, path));
        record(transaction, pod, act, path + ending);
        done.push({ path, before: before && (await turtleOf(before)) });
      }, transaction);
      return done;
    });
    return {
      places: edits.length,
      async undo() {
        await deps.change(pod, async (transaction, putList) => {
          for (const { path, before } of edits) {
            const present = await transaction.get("auxiliary", path, "acl");
            if (present?.version !== generation)
              throw new Problem("conflict", "This has been changed since; it cannot be undone any more");
            await putList(path, before);
            record(transaction, pod, "access", path + ending);
          }
        });
      },
    };
  }

  return {
    ...createSeenAs(deps),
    async overview(pod) {
      const { entries, consents, counts, lists } = await store.read(pod.id, async (snapshot) => {
        const found: string[] = [];
        for await (const { group, item } of snapshot.all("auxiliary")) if (item === "acl") found.push(group);
        return { ...(await access.overview(snapshot, pod)), lists: found.sort() };
      });
      const merged = new Map<string, AccessEntry>();
      for (const { who, path, modes, inherited, apps } of entries) {
        if (who.iri === pod.owner) continue;
        const kind = who.kind === "agent" ? "person" : who.kind;
        const key = JSON.stringify([kind, who.iri, path, apps]);
        const former = merged.get(key);
        merged.set(key, {
          who: { kind, iri: who.iri ?? null },
          path,
          modes: [...new Set([...(former?.modes ?? []), ...modes])],
          inherited: inherited || (former?.inherited ?? false),
          apps,
          members: who.members?.length ?? null,
        });
      }
      return {
        people: counts.agents,
        entries: [...merged.values()],
        consents: consents.map(({ agent, ...consent }) => ({
          ...consent,
          who: { kind: "person" as const, iri: agent },
        })),
        lists,
        isAdding: language === "acp",
      };
    },
    revoke: (pod, who, path) =>
      change(pod, "revoke", async (put, transaction) => {
        const entries: Entry[] = [];
        if (path === null) {
          for await (const entry of transaction.all("auxiliary"))
            if (entry.item === "acl") entries.push(entry);
        } else {
          const entry = await transaction.get("auxiliary", path, "acl");
          if (entry) entries.push(entry);
        }
        for (const entry of entries) {
          const quads = await readList(entry);
          const left = withoutWho(quads, who, entry.group);
          if (left !== quads) await put(entry.group, entry, left);
        }
      }),
    grant: (pod, who, path, modes) =>
      change(pod, "grant", async (put, transaction) => {
        if (!(await transaction.get("resource", parentOf(path) ?? "/", nameOf(path))))
          throw new Problem("not-found", "There is no such place in your pod");
        if (language === "acp") {
          const own = await transaction.get("auxiliary", path, "acl");
          const others = withoutWho(own ? await readList(own) : emptyAcr(acrAt(path)), who, path);
          await put(path, own, withAllowed(others, acrAt(path), agentOf(who), modes));
          return;
        }
        const source = await effective(transaction, pod, path);
        const subjectUrl = urlOf(path);
        const aclUrl = `${urlOf(source.group)}.acl`;
        const own = asOwnList(await readList(source), { aclUrl, subjectUrl });
        const others = withoutWho(own, who, path); // What they had here is replaced, not added to.
        const used = new Set(others.map(({ subject }) => subject.value));
        let name = `${subjectUrl}.acl#shared`;
        for (let number = 2; used.has(name); number += 1) name = `${subjectUrl}.acl#shared-${number}`;
        const added = rule(
          name,
          subjectOf(who),
          subjectUrl,
          modes.map((mode) => MODE_IRIS[mode]),
        );
        await put(path, source.group === path ? source : null, [...others, ...added]);
      }),
  };
}
