/** What the owner says beforehand: read as JSON or as ODRL, and replaced whole. A change counts at once, for what was given by it, too. */
import { json } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Result } from "../operation.ts";
import { negotiate, RDF_TYPES } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Store, Transaction } from "../store/store.ts";
import type { By } from "./change.ts";
import { isCredential, onlyAsking } from "./credentials/terms.ts";
import { narrowStanding } from "./deciding/decide.ts";
import { preferenceQuads } from "./deciding/describe.ts";
import { type Preferences, parsePreferences } from "./deciding/preferences.ts";
import { type Call, type ConsentDoor, namedAgent } from "./doors.ts";
import type { Grants } from "./grants.ts";
import { judge, preferencesIn } from "./judging.ts";
import type { Grant } from "./model.ts";
import type { Notices } from "./notices.ts";
import { put } from "./records.ts";
import { byOf } from "./request-doors.ts";
import type { Requests } from "./requests-port.ts";
import { isEnd } from "./states.ts";
import { readInput, termsOf } from "./wire.ts";

export interface PreferenceDoorsDeps {
  readonly store: Pick<Store, "read" | "write">;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly grants: Pick<Grants, "list" | "revoke" | "supersede">;
  readonly notices: Pick<Notices, "enlist">;
  readonly requests: Pick<Requests, "list" | "urlOf">;
  readonly isOwner: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<boolean>;
  /** Notes a deed in the pod's journal, in the transaction that does it. */
  readonly record: (
    transaction: Transaction,
    pod: Pod,
    deed: { readonly act: "decide"; readonly agent: string; readonly path: string } & Partial<
      Pick<By, "client" | "request">
    >,
  ) => void;
}

const PREFERENCES = ".consent/preferences";
const JSON_TYPE = "application/json";
const TRIED_MAX = 10; // As many as somebody reads; each is decided anew.

export function preferenceDoors(deps: PreferenceDoorsDeps): readonly ConsentDoor[] {
  const { store, limits, now, grants, isOwner } = deps;

  async function checkOwner(snapshot: Snapshot, { operation, pod }: Call): Promise<void> {
    if (!(await isOwner(snapshot, pod, operation.agent)))
      throw new Problem("forbidden", "This is for the owner of the pod");
  }

  const etagOf = ({ version }: Preferences): string => `"${version}"`;

  async function show(call: Call): Promise<Result> {
    namedAgent(call);
    const { operation, pod } = call;
    const preferences = await store.read(pod.id, async (snapshot) => {
      await checkOwner(snapshot, call);
      return preferencesIn(snapshot);
    });
    const type = negotiate(operation.headers.accept, [JSON_TYPE, ...RDF_TYPES]);
    if (type === null)
      throw new Problem("not-acceptable", `Available: ${JSON_TYPE}, ${RDF_TYPES.join(", ")}`);
    const headers = { etag: etagOf(preferences), vary: "Accept" };
    if (type === JSON_TYPE) return json(200, preferences, headers);
    const quads = preferenceQuads(preferences, operation.url);
    const body = await serializeRdf(quads, type, {
      prefixes: {
        dcterms: "http://purl.org/dc/terms/",
        odrl: "http://www.w3.org/ns/odrl/2/",
        dpv: "https://w3id.org/dpv#",
        fh: "https://w3id.org/freehold/ns#",
      },
    });
    return { status: 200, headers: { "content-type": type, "cache-control": "no-store", ...headers }, body };
  }

  /** What was given by preferences is never more than these still say. */
  async function narrowGrants(
    transaction: Transaction,
    pod: Pod,
    preferences: Preferences,
    by: By,
  ): Promise<void> {
    const all = await grants.list(transaction);
    const isStored = ({ policies }: Grant): boolean => policies.some(({ mode }) => mode === "store");
    for (const grant of all) {
      if (grant.decidedBy !== "policy" || isEnd(grant.state)) continue;
      const vendor = { categories: [], isKnown: true, hasStored: isStored(grant) };
      const policies = narrowStanding(grant, preferences, vendor, now().getTime());
      if (policies === grant.policies) continue;
      // One that rests would go on by being replaced: it ends, and may be asked for anew.
      if (policies === null || grant.state !== "Active")
        await grants.revoke(transaction, pod, grant.id, by, "preference");
      else {
        const { request, decision, decidedBy, heldUntil } = grant;
        const draft = { ...termsOf(grant), policies, request, decision, decidedBy, heldUntil };
        await grants.supersede(transaction, pod, grant.id, draft, by);
      }
    }
  }

  async function replace(call: Call): Promise<Result> {
    namedAgent(call);
    const { operation, pod } = call;
    await store.read(pod.id, (snapshot) => checkOwner(snapshot, call));
    const input = await readInput(operation, limits);
    await deps.notices.enlist(pod);
    const { result } = await store.write(pod.id, async (transaction) => {
      await checkOwner(transaction, call);
      const before = await preferencesIn(transaction);
      const expected = operation.headers["if-match"];
      if (expected !== undefined && expected !== "*" && expected !== etagOf(before))
        throw new Problem("precondition-failed");
      const preferences = parsePreferences(input, before.version, now().getTime());
      put(transaction, "preference", "current", preferences);
      deps.record(transaction, pod, { act: "decide", ...byOf(call), path: `/${pod.name}/${PREFERENCES}` });
      await narrowGrants(transaction, pod, preferences, byOf(call));
      return preferences;
    });
    return json(200, result, { etag: etagOf(result) });
  }

  /**
   * What would become of the last requests, if they came today and the owner had said this: nothing changes, and nobody is
   * told.
   */
  async function tryOut(call: Call): Promise<Result> {
    namedAgent(call);
    const { operation, pod } = call;
    await store.read(pod.id, (snapshot) => checkOwner(snapshot, call));
    const input = await readInput(operation, limits);
    const items = await store.read(pod.id, async (snapshot) => {
      await checkOwner(snapshot, call);
      const at = now().getTime();
      const trial = parsePreferences(input, (await preferencesIn(snapshot)).version, at);
      const all = await deps.requests.list(snapshot);
      const tried: unknown[] = [];
      for (const request of all.slice(0, TRIED_MAX)) {
        const others = all.filter(({ id }) => id !== request.id);
        const verdict = await judge(snapshot, request, others, false, at, trial);
        const { outcome, explanation } = isCredential(request) ? onlyAsking(verdict, request) : verdict;
        const { assignee } = request;
        tried.push({ request: deps.requests.urlOf(pod, request.id), assignee, outcome, explanation });
      }
      return tried;
    });
    return json(200, { items });
  }

  return [
    { verb: "get", path: PREFERENCES, act: show },
    { verb: "post", path: `${PREFERENCES}/trial`, act: tryOut },
    { verb: "put", path: PREFERENCES, act: replace },
  ];
}
