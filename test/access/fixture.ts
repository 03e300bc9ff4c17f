/** A server's pods in the reference engine, made from Turtle: what the tests of this folder stand on. */
import { type Access, type AccessDeps, createAccess } from "../../server/access/authorize.ts";
import type { LanguageName } from "../../server/access/language.ts";
import { nameOf, parentOf, parseTarget, parseWebId } from "../../server/iri.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { type Agent, PUBLIC_AGENT } from "../../server/operation.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { createPods, type Pod, type Pods } from "../../server/store/pods.ts";
import { encodeDocument, encodeRecord, type ResourceRecord } from "../../server/store/record.ts";
import type { Store, Transaction } from "../../server/store/store.ts";

export const BASE = "https://pods.example/";
export const ANA = `${BASE}ana/profile/card#me`;
export const BEN = `${BASE}ben/profile/card#me`;
export const SHOP = "https://shop.example/#us";
export const DORA = "https://dora.example/card#me";
export const APP = "https://app.example/id";
export const ISSUER = "https://login.example/";

export const PREFIXES = `
@prefix acl: <http://www.w3.org/ns/auth/acl#> .
@prefix acp: <http://www.w3.org/ns/solid/acp#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
`;

/** Canonical path → Turtle, of documents and of access lists (`….acl`). A list may use `<.>` for nothing: IRIs are absolute or relative to it. */
export type World = Readonly<Record<string, string>>;

export interface Server {
  readonly access: Access;
  readonly store: Store;
  readonly pods: Pods;
  readonly ana: Pod;
  readonly ben: Pod;
}

export function agent(fields: Partial<Agent> | null): Agent {
  return { ...PUBLIC_AGENT, ...fields };
}

export const as = (webid: string | null, rest: Partial<Agent> = {}): Agent =>
  agent({ ...rest, webid: webid === null ? null : parseWebId(webid) });

/** @param creator WebID of who made it. */
export function put(
  transaction: Transaction,
  path: string,
  text: string,
  contentType = "text/turtle",
  creator?: string,
): void {
  const bytes = new TextEncoder().encode(text);
  const target = parseTarget(path);
  if (target.auxiliary) {
    const turtle = target.auxiliary === "acl" ? PREFIXES + text : text;
    const document = { contentType, modified: 0, bytes: new TextEncoder().encode(turtle) };
    transaction.put("auxiliary", target.subject, target.auxiliary, encodeDocument(document));
    return;
  }
  const kind = target.isContainer ? "container" : contentType === "text/turtle" ? "rdf" : "binary";
  const record: ResourceRecord = {
    kind,
    contentType,
    bytes: bytes.length,
    created: 0,
    modified: 0,
    ...(creator !== undefined && { creator }),
  };
  transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
  if (!target.isContainer) transaction.put("body", path, "", new TextEncoder().encode(PREFIXES + text));
}

/**
 * @param worlds What stands in the pods "ana" and "ben".
 * @param reachOf What people let apps do that logged them in here, with {@link BASE} as the issuer.
 */
export async function serve(
  ana: World,
  ben: World = {},
  limits: Limits = LIMITS,
  reachOf: AccessDeps["reachOf"] = async () => null,
  language: LanguageName = "wac",
): Promise<Server> {
  const store = createMemoryStore();
  const pods = createPods(store, () => new Date(0));
  const server = {
    access: createAccess({ baseUrl: BASE, pods, store, limits, reachOf, language }),
    store,
    pods,
    ana: await pods.create("ana", parseWebId(ANA)),
    ben: await pods.create("ben", parseWebId(BEN)),
  };
  for (const [pod, world] of [
    [server.ana, ana],
    [server.ben, ben],
  ] as const) {
    await store.write(pod.id, async (transaction) => {
      for (const [path, text] of Object.entries(world)) put(transaction, path, text);
    });
  }
  return server;
}

/** The modes of an agent on a path of ana's pod. */
export async function modes(server: Server, who: Agent, path: string): Promise<string> {
  const granted = await server.store.read(server.ana.id, (snapshot) =>
    server.access.permissions(snapshot, server.ana, who, parseTarget(path)),
  );
  return granted.user.join(" ");
}

export async function allows(
  server: Server,
  who: Agent,
  path: string,
  ...wanted: ("read" | "append" | "write" | "control")[]
): Promise<boolean> {
  const decision = await server.store.read(server.ana.id, (snapshot) =>
    server.access.authorize(snapshot, server.ana, who, parseTarget(path), wanted),
  );
  return decision.kind === "granted";
}
