/** The owner's doors for when something is wrong: what to look at, places that are watched, and what to tell of a breach. */
import { json, readJson } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent } from "../operation.ts";
import { negotiate } from "../rdf/media.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { dismiss, listAttention } from "./attention.ts";
import { type BreachNotices, breachText, parseBreachQuestion } from "./breach.ts";
import { type Call, type ConsentDoor, namedAgent } from "./doors.ts";
import type { Grants } from "./grants.ts";
import type { HoneyPlaces } from "./honey.ts";
import type { Attention, Honey } from "./records.ts";

export interface PostureDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly store: Pick<Store, "read" | "write">;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly isOwner: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<boolean>;
  readonly grants: Pick<Grants, "urlOf">;
  readonly honey: HoneyPlaces;
  readonly breachNotice: BreachNotices;
}

const TEXT_TYPES = ["application/json", "text/plain"] as const;

export function postureDoors(deps: PostureDeps): readonly ConsentDoor[] {
  const { baseUrl, store, limits, now, isOwner, grants, honey } = deps;
  const origin = baseUrl.slice(0, -1);

  /** @throws Problem `forbidden`: everybody is told the same, whatever is there. */
  async function checkOwner(snapshot: Snapshot, { pod, operation }: Call): Promise<void> {
    if (!(await isOwner(snapshot, pod, operation.agent)))
      throw new Problem("forbidden", "This is for the owner of the pod");
  }
  async function forOwner<T>(call: Call, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    namedAgent(call);
    return store.read(call.pod.id, async (snapshot) => {
      await checkOwner(snapshot, call);
      return work(snapshot);
    });
  }

  const honeyShown = ({ paths, changed }: Honey) => ({
    targets: paths.map((path) => `${origin}${path}`),
    changed: changed === 0 ? null : new Date(changed).toISOString(),
  });
  const attentionShown = (pod: Pod, { since, at, grant, path, ...rest }: Attention) => ({
    ...rest,
    since: new Date(since).toISOString(),
    at: new Date(at).toISOString(),
    grant: grant === null ? null : grants.urlOf(pod, grant),
    target: path === null ? null : `${origin}${path}`,
  });

  const showHoney: ConsentDoor["act"] = async (call) =>
    json(200, honeyShown(await forOwner(call, (snapshot) => honey.list(snapshot))));

  const putHoney: ConsentDoor["act"] = async (call) => {
    await forOwner(call, async () => {}); // Before a byte of the content is read.
    const { targets } = await readJson(call.operation.body, limits.accountBodyBytesMax);
    if (!Array.isArray(targets))
      throw new Problem("input-invalid", "Send {targets: [addresses of documents]}");
    const { id: request, agent } = call.operation;
    const by = { agent: namedAgent(call), client: agent.client, request };
    const { result } = await store.write(call.pod.id, async (transaction) => {
      await checkOwner(transaction, call);
      return honey.replace(transaction, call.pod, targets, by);
    });
    return json(200, honeyShown(result));
  };

  const showAttention: ConsentDoor["act"] = async (call) => {
    const alerts = await forOwner(call, listAttention);
    return json(200, { items: alerts.map((alert) => attentionShown(call.pod, alert)) });
  };

  const dismissAttention: ConsentDoor["act"] = async (call) => {
    namedAgent(call);
    const { result: wasThere } = await store.write(call.pod.id, async (transaction) => {
      await checkOwner(transaction, call);
      return dismiss(transaction, call.id);
    });
    if (!wasThere) throw new Problem("not-found");
    return { status: 204, headers: {}, body: null };
  };

  const showBreach: ConsentDoor["act"] = async (call) => {
    const { pod, operation } = call;
    await forOwner(call, async () => {});
    const type = negotiate(operation.headers.accept, TEXT_TYPES);
    if (type === null) throw new Problem("not-acceptable", `Available: ${TEXT_TYPES.join(", ")}`);
    const asked = Object.fromEntries(new URLSearchParams(operation.query));
    const notice = await deps.breachNotice(pod, parseBreachQuestion(asked, now().getTime()));
    if (type === "application/json") return json(200, notice);
    const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
    return { status: 200, headers, body: breachText(notice) };
  };

  return [
    { verb: "get", path: ".consent/honey", act: showHoney },
    { verb: "put", path: ".consent/honey", act: putHoney },
    { verb: "get", path: ".consent/attention", act: showAttention },
    { verb: "delete", path: ".consent/attention/:id", act: dismissAttention },
    { verb: "get", path: ".consent/breach", act: showBreach },
  ];
}
