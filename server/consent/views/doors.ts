/** The owner's definitions of views: listed, written, deleted. Vendors are listed what they may read. */
import { json, readBody, readJson } from "../../body.ts";
import { Problem } from "../../errors.ts";
import type { Operation, Result } from "../../operation.ts";
import { mediaTypeOf } from "../../rdf/media.ts";
import type { Pod } from "../../store/pods.ts";
import type { Snapshot, Store, Transaction } from "../../store/store.ts";
import type { ConsentDeed } from "../change.ts";
import { type Call, type ConsentDoor, namedAgent } from "../doors.ts";
import type { Grant } from "../model.ts";
import { each, find } from "../records.ts";
import {
  checkName,
  definitionToSend,
  dropDefinition,
  findDefinition,
  listDefinitions,
  parseDefinition,
  putDefinition,
} from "./definitions.ts";
import type { ViewsDeps } from "./views.ts";

export interface ViewDoorsDeps extends Omit<ViewsDeps, "store" | "choose"> {
  readonly store: Pick<Store, "read" | "write">;
  readonly now: () => Date;
  readonly record: (transaction: Transaction, pod: Pod, deed: ConsentDeed) => void;
  /** @throws Problem `query-invalid`, `query-refused` for what is no CONSTRUCT over documents that somebody else names. */
  readonly check: (text: string, pod: Pod, agent: string) => Promise<void>;
}

const QUERY_TYPE = "application/sparql-query";
const JSON_TYPES: readonly string[] = ["", "application/json", "application/ld+json", "application/lws+json"];

/** @throws Problem `precondition-failed`. https://www.rfc-editor.org/rfc/rfc9110#section-13.1 */
function checkConditions({ headers }: Operation, version: number | null): void {
  const etag = version === null ? null : `"${version}"`;
  const tags = (field: string): readonly string[] =>
    headers[field]?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  const isAmong = (field: string): boolean =>
    etag !== null && (tags(field).includes("*") || tags(field).includes(etag));
  if (headers["if-match"] !== undefined && !isAmong("if-match")) throw new Problem("precondition-failed");
  if (headers["if-none-match"] !== undefined && isAmong("if-none-match"))
    throw new Problem("precondition-failed");
}

export function viewDoors(deps: ViewDoorsDeps): readonly ConsentDoor[] {
  const { baseUrl, store, access, limits, now, record, check, isOwner } = deps;
  const rootOf = (pod: Pod): string => `${baseUrl}${pod.name}/`;

  const instances = (pod: Pod, grant: Grant, isWanted: (id: string) => boolean) =>
    grant.views.flatMap((id, at) => {
      const policy = grant.policies[at];
      if (id === null || !policy || !isWanted(id)) return [];
      return [
        {
          id: `${rootOf(pod)}.views/${id}`,
          type: "View",
          grant: `${rootOf(pod)}.consent/grants/${grant.id}`,
          tier: policy.tier,
          purposes: policy.purposes,
          until: new Date(policy.notAfter).toISOString(),
        },
      ];
    });

  async function list(snapshot: Snapshot, { pod, operation }: Call): Promise<Result> {
    const { agent } = operation;
    const answer = (views: readonly unknown[], more: object = {}): Result =>
      json(200, { id: `${rootOf(pod)}.views/`, views, ...more });
    if (await isOwner(snapshot, pod, agent)) {
      const given: unknown[] = [];
      for await (const grant of each(snapshot, "grant"))
        for (const one of instances(pod, grant, () => true))
          given.push({ ...one, assignee: grant.assignee, state: grant.state });
      const definitions = await listDefinitions(snapshot);
      return answer(
        definitions.map((one) => definitionToSend(one, rootOf(pod))),
        { given },
      );
    }
    const { views } = await access.views(snapshot, pod, agent);
    const ids = new Set(views.map(({ id }) => id));
    const own = await Promise.all(
      [...new Set(views.map(({ grant }) => grant))].map((id) => find(snapshot, "grant", id)),
    );
    return answer(own.flatMap((grant) => (grant ? instances(pod, grant, (id) => ids.has(id)) : [])));
  }

  /** @throws Problem `not-found` to everybody else: who may not know it is told of no definition. */
  async function demandOwner(snapshot: Snapshot, { pod, operation }: Call): Promise<void> {
    if (!(await isOwner(snapshot, pod, operation.agent))) throw new Problem("not-found");
  }

  const noted = (transaction: Transaction, { pod, operation }: Call, act: "create" | "change" | "delete") => {
    const { webid, client, issuer, origin } = operation.agent;
    const { path } = operation.target;
    record(transaction, pod, { act, agent: webid, client, issuer, origin, path, request: operation.id });
  };

  async function contentOf({ body, headers }: Operation): Promise<Readonly<Record<string, unknown>>> {
    const type = mediaTypeOf(headers["content-type"]);
    if (JSON_TYPES.includes(type)) return readJson(body, limits.viewBodyBytesMax);
    if (type !== QUERY_TYPE)
      throw new Problem("unsupported-media-type", `A view is written as application/json or ${QUERY_TYPE}`);
    return { construct: Buffer.from(await readBody(body, limits.viewBodyBytesMax)).toString("utf8") };
  }

  async function put(call: Call): Promise<Result> {
    const { pod, operation, id: name } = call;
    const agent = namedAgent(call);
    await store.read(pod.id, (snapshot) => demandOwner(snapshot, call));
    checkName(name);
    const content = await contentOf(operation);
    const made = parseDefinition(content, { baseUrl, pod, name, now: now().getTime() }, limits);
    if (made.construct !== null) await check(made.construct, pod, agent);
    const { result: isNew, generation } = await store.write(pod.id, async (transaction) => {
      await demandOwner(transaction, call);
      const before = await findDefinition(transaction, name);
      checkConditions(operation, before?.version ?? null);
      const { created } = before?.definition ?? made;
      await putDefinition(transaction, { ...made, created }, limits);
      noted(transaction, call, before ? "change" : "create");
      return before === null;
    });
    const headers = { etag: `"${generation}"`, ...(isNew && { location: operation.url }) };
    return { status: isNew ? 201 : 204, headers, body: null };
  }

  async function remove(call: Call): Promise<Result> {
    const { pod, operation, id: name } = call;
    namedAgent(call);
    await store.write(pod.id, async (transaction) => {
      await demandOwner(transaction, call);
      const before = await findDefinition(transaction, name);
      if (!before) throw new Problem("not-found");
      checkConditions(operation, before.version);
      dropDefinition(transaction, name);
      noted(transaction, call, "delete");
    });
    return { status: 204, headers: {}, body: null };
  }

  return [
    {
      verb: "get",
      path: ".views/",
      act: (call) => {
        namedAgent(call);
        return store.read(call.pod.id, (snapshot) => list(snapshot, call));
      },
    },
    { verb: "put", path: ".views/:id", act: put },
    { verb: "delete", path: ".views/:id", act: remove },
  ];
}
