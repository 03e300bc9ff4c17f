/**
 * Views of a pod's documents, each made for one grant: read at their own addresses, and as graphs of queries. A view is made
 * when it is asked for, and kept until what it is made of changes. Whoever reads it learns nothing of where it is from: not
 * by names, not by how long it took, not by what went wrong.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Access } from "../../access/authorize.ts";
import { Problem } from "../../errors.ts";
import type { WebId } from "../../iri.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { Lru } from "../../lru.ts";
import { type Agent, type Operation, PUBLIC_AGENT, type Result } from "../../operation.ts";
import type { PurposeQuestion } from "../../purpose.ts";
import { untilSlot } from "../../slots.ts";
import type { Pod } from "../../store/pods.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { PodId, Snapshot, Store } from "../../store/store.ts";
import type { Grant, Policy } from "../model.ts";
import type { Secret } from "../move/luggage.ts";
import { each, find } from "../records.ts";
import { findDefinition } from "./definitions.ts";
import { instancesFor, viewIn } from "./instances.ts";
import { type ChooseSources, createMaking, recipeOf, recipesOf } from "./make.ts";
import { createShowing } from "./show.ts";
import { createDeriving } from "./thread.ts";

/** A view as a graph of whoever may read it. */
export interface ViewGraph {
  /** The view's address. */
  readonly graph: string;
  /** The same for the same content, and for nothing else. */
  readonly version: string;
  readonly contentType: string;
  readonly bytes: () => Promise<Uint8Array>;
  /** By which it is read. */
  readonly grant: string;
}

/** What an agent may read of views. */
export interface ReadableViews {
  readonly graphs: readonly ViewGraph[];
  readonly purpose: string | null;
  /** What the agent has to be asked, for it was granted views for other purposes; null: nothing. */
  readonly question: PurposeQuestion | null;
  /** Milliseconds: answers with all of them leave at multiples of this. */
  readonly slotMs: number;
}

/** A view as it is now. */
export interface Made {
  readonly version: string;
  /** N-Triples. */
  readonly bytes: Uint8Array;
  /** Of the bytes, and so of what the view says and of nothing else. */
  readonly hash: string;
  readonly triples: number;
  /** Milliseconds: answers with it leave at multiples of this. */
  readonly slotMs: number;
}

export interface ViewState {
  readonly etag: string;
  /** Milliseconds since 1970: of its grant. */
  readonly created: number;
  readonly modified: number;
}

export interface ViewsDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly store: Pick<Store, "write">;
  readonly access: Pick<Access, "views">;
  readonly limits: Limits;
  readonly log: Log;
  readonly choose: ChooseSources;
  /** Whether the agent has Control of the whole pod. */
  readonly isOwner: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<boolean>;
}

export interface Views {
  /** @see instancesFor */
  readonly instancesFor: typeof instancesFor;
  /**
   * All that the agent may read now, made. For the owner none: the owner has the documents. Who answers with them waits
   * for the next slot.
   */
  graphs(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<ReadableViews>;
  /**
   * `GET {pod}/.views/{id}`, for whom access has let in: vendors see their views, the owner these and the definitions.
   * @throws Problem `not-found`, `not-acceptable`, `unavailable`; to the owner also why a view cannot be made.
   */
  show(snapshot: Snapshot, pod: Pod, operation: Operation): Promise<Result>;
  /**
   * The state of a vendor's view, for who follows it: another when it says something else. Null when there is none.
   * @throws Problem `unavailable` when it cannot be made.
   */
  present(snapshot: Snapshot, pod: Pod, path: string): Promise<ViewState | null>;
  /**
   * What somebody would get under a policy that gives less than documents, made as it would be for them.
   * @param agent Who looks at it: whose turn it is.
   * @throws Problem as a query does.
   */
  preview(snapshot: Snapshot, pod: Pod, policy: Policy, assignee: string, agent: Agent): Promise<Made>;
  /** Forgets what was made of a pod's documents; null: of all. */
  forget(pod: PodId | null): void;
  close(): Promise<void>;
}

/** Whole lines, at most so many bytes together: what has no nodes without names says the same in parts. */
function partsOf(bytes: Uint8Array, bytesMax: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let from = 0; from < bytes.length || parts.length === 0; ) {
    const last =
      from + bytesMax >= bytes.length ? bytes.length : bytes.lastIndexOf(10, from + bytesMax - 1) + 1;
    const to = last > from ? last : bytes.length;
    parts.push(bytes.subarray(from, to));
    from = to;
  }
  return parts;
}

/** The shortest slot, or by halves more, until there is room for making it again. */
function slotFor(madeMs: number, shortestMs: number): number {
  if (shortestMs <= 0) return 0;
  let slot = shortestMs;
  while (slot < madeMs * ROOM && slot < SLOT_MS_MAX) slot *= SLOT_STEP;
  return slot;
}
const ROOM = 1.25;
const SLOT_STEP = 1.5; // One that took long once is not waited for ever after.
/** What takes longer is a year of readings, say: that it was made anew can be noticed, and everybody need not wait for that. */
const SLOT_MS_MAX = 1_000;

const SECRET = ["consent", "secret", "pairwise"] as const;

export function createViews(deps: ViewsDeps): Views {
  const { baseUrl, store, access, limits, log, choose, isOwner } = deps;
  const deriving = createDeriving(limits, log);
  const making = createMaking({ baseUrl, choose, run: deriving.run, limits });
  let kept = new Lru<string, Made>(limits.viewsKeptBytesMax);

  /** Of the pod, made when it is first needed. */
  async function secretOf(
    snapshot: Snapshot,
    pod: Pod,
  ): Promise<{ readonly secret: Uint8Array; readonly home: string | null }> {
    const entry = await snapshot.get(...SECRET);
    if (entry) {
      const { key, home = null } = decodeRecord<Secret>(entry);
      return { secret: Buffer.from(key, "base64url"), home };
    }
    const { result } = await store.write(pod.id, async (transaction) => {
      const before = await transaction.get(...SECRET);
      const key = before ? decodeRecord<Secret>(before).key : randomBytes(32).toString("base64url");
      if (!before) transaction.put(...SECRET, encodeRecord({ key }));
      return key;
    });
    return { secret: Buffer.from(result, "base64url"), home: null };
  }

  /** @param name Of the view, in its pod. */
  async function made(
    snapshot: Snapshot,
    pod: Pod,
    name: string,
    recipes: Parameters<typeof making.choose>[2],
    who: { readonly assignee: string; readonly fields: readonly string[] | null; readonly agent: Agent },
  ): Promise<Made> {
    const { assignee, fields } = who;
    const { secret, home } = await secretOf(snapshot, pod);
    const agent = who.agent.webid ?? "";
    const chosen = await making.choose(snapshot, pod, recipes, { assignee, secret, home, fields, agent });
    const key = `${pod.id} ${name}`;
    const before = kept.get(key);
    if (before?.version === chosen.version) return before;
    const began = performance.now();
    const { bytes, triples } = await chosen.make();
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
    const slotMs = Math.max(
      (before?.slotMs ?? 0) / SLOT_STEP,
      slotFor(performance.now() - began, limits.viewAnswerMs),
    );
    const now = { version: chosen.version, bytes, hash, triples, slotMs };
    kept.set(key, now, bytes.length + 500);
    return now;
  }

  const instance = async (snapshot: Snapshot, pod: Pod, grant: Grant, id: string, agent: Agent) => {
    const policy = grant.policies[grant.views.indexOf(id)];
    if (!policy) throw new Problem("not-found");
    const recipes = await recipesOf(snapshot, pod, policy);
    const who = { assignee: grant.assignee, fields: policy.fields, agent };
    return { made: await made(snapshot, pod, id, recipes, who), policy };
  };

  /** Why a view cannot be made is its owner's to know; it would tell of the documents. */
  async function undisclosed<T>(began: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      log.warn("consent.view-not-made", { cause: error.code });
      await untilSlot(began, limits.viewAnswerMs);
      throw new Problem("unavailable", "This view cannot be made just now", {
        headers: { "retry-after": "60" },
      });
    }
  }

  /** Of whichever grant it is, and whatever state that is in. */
  async function grantOf(snapshot: Snapshot, id: string): Promise<Grant | null> {
    for await (const grant of each(snapshot, "grant")) if (grant.views.includes(id)) return grant;
    return null;
  }

  const showing = createShowing({ baseUrl, limits, run: deriving.run });

  async function showToOwner(
    snapshot: Snapshot,
    pod: Pod,
    operation: Operation,
    id: string,
  ): Promise<Result> {
    const { agent } = operation;
    const found = await findDefinition(snapshot, id);
    if (found) {
      const { definition, version } = found;
      if (showing.wantsDefinition(operation)) return showing.definition(pod, operation, definition, version);
      const recipe = recipeOf(definition);
      const preview = { assignee: "", fields: definition.fields, agent };
      return showing.view(
        operation,
        await made(snapshot, pod, `preview ${id} ${version}`, [recipe], preview),
        null,
      );
    }
    const grant = await grantOf(snapshot, id);
    if (!grant) throw new Problem("not-found");
    const { made: view, policy } = await instance(snapshot, pod, grant, id, agent);
    return showing.view(operation, view, policy.mediaTypes);
  }

  return {
    instancesFor,
    async graphs(snapshot, pod, agent) {
      const { views, purpose, question } = await access.views(snapshot, pod, agent);
      if (views.length === 0) return { graphs: [], purpose, question, slotMs: 0 };
      if (views.length > limits.viewsReadMax)
        throw new Problem(
          "query-refused",
          `A query ranges over at most ${limits.viewsReadMax} views; name a grant in Access-Grant`,
        );
      let slotMs = 0;
      const graphs = await undisclosed(performance.now(), async () => {
        const all: ViewGraph[] = [];
        for (const { id, grant: name } of views) {
          const grant = await find(snapshot, "grant", name);
          if (!grant) continue;
          const { made: view } = await instance(snapshot, pod, grant, id, agent);
          slotMs += view.slotMs;
          for (const [at, part] of partsOf(view.bytes, limits.rdfBytesMax).entries())
            all.push({
              graph: `${baseUrl}${pod.name}/.views/${id}`,
              version: `view ${pod.id} ${id} ${view.hash} ${at}`,
              contentType: "application/n-triples",
              bytes: async () => part,
              grant: name,
            });
        }
        return all;
      });
      return { graphs, purpose, question, slotMs };
    },
    async show(snapshot, pod, operation) {
      const { agent, target } = operation;
      const id = viewIn(pod.name, target.path);
      if (id === null) throw new Problem("not-found");
      if (agent.webid === pod.owner && (await isOwner(snapshot, pod, agent)))
        return showToOwner(snapshot, pod, operation, id);
      const { views } = await access.views(snapshot, pod, agent);
      const readable = views.find((view) => view.id === id);
      const grant = readable && (await find(snapshot, "grant", readable.grant));
      if (!grant) throw new Problem("not-found");
      const began = performance.now();
      const { made: view, policy } = await undisclosed(began, () =>
        instance(snapshot, pod, grant, id, agent),
      );
      const result = await showing.view(operation, view, policy.mediaTypes);
      await untilSlot(began, view.slotMs);
      return result;
    },
    async present(snapshot, pod, path) {
      const id = viewIn(pod.name, path);
      const grant = id === null ? null : await grantOf(snapshot, id);
      if (!grant || id === null) return null;
      const agent = { ...PUBLIC_AGENT, webid: grant.assignee as WebId };
      const { made: view } = await undisclosed(performance.now(), () =>
        instance(snapshot, pod, grant, id, agent),
      );
      return { etag: `"${view.hash}"`, created: grant.issued, modified: grant.issued };
    },
    async preview(snapshot, pod, policy, assignee, agent) {
      const recipes = await recipesOf(snapshot, pod, policy);
      const name = JSON.stringify([assignee, recipes, policy.fields]);
      return made(snapshot, pod, `preview ${name}`, recipes, { assignee, fields: policy.fields, agent });
    },
    forget() {
      kept = new Lru(limits.viewsKeptBytesMax);
      showing.forget();
      void deriving.close();
    },
    close: () => deriving.close(),
  };
}
