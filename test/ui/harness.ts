/** A server of accounts and pages alone: real store, access lists and HTTP, a clock that can be moved, and no identity provider. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { idOfGenesis } from "../../client-lib/passport/identifier.ts";
import { createAccess } from "../../server/access/authorize.ts";
import { type AccountService, createAccounts } from "../../server/account/accounts.ts";
import { accountDoors } from "../../server/account/doors.ts";
import type { NewDocument } from "../../server/account/new-pod.ts";
import type { ConsentedApp, ConsentedApps } from "../../server/account/owner.ts";
import { createOwnerAccess } from "../../server/account/owner-access.ts";
import { createPages, errorPage, pageDoors } from "../../server/account/pages.ts";
import { json } from "../../server/body.ts";
import { Problem } from "../../server/errors.ts";
import { parseDoorRequest, requestIdOf } from "../../server/http/parse.ts";
import { createResponder } from "../../server/http/respond.ts";
import { changeLists, putDocuments } from "../../server/ldp/documents.ts";
import { createEdits } from "../../server/ldp/edit.ts";
import { createReclaim } from "../../server/ldp/quota.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import type { Door, Result } from "../../server/operation.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { createPods, type Pod } from "../../server/store/pods.ts";
import type { Store } from "../../server/store/store.ts";

export interface HarnessOptions {
  readonly limits?: Partial<Record<keyof Limits, number>>;
  readonly signUp?: "link" | "open";
  /** What the passport desk does; by default it takes whatever comes and answers with `passportId`. */
  readonly finish?: (createOp: unknown) => Promise<{ id: string }>;
  /** What it says of a first operation before anything is made. */
  readonly check?: (createOp: unknown) => Promise<void>;
  /** Public URL when it is not the one that is listened on (to see what https changes). */
  readonly baseUrl?: string;
  readonly log?: (line: string) => void;
}

export interface Harness {
  readonly baseUrl: string;
  readonly accounts: AccountService;
  readonly store: Store;
  readonly pods: ReturnType<typeof createPods>;
  /** Apps that were let in, by account, in place of the identity provider; tests write into it. */
  readonly apps: Map<string, ConsentedApp[]>;
  readonly consented: ConsentedApps;
  /** Accounts whose sign-ins by way of apps were ended, in order. */
  readonly signedOut: string[];
  /** Moves the clock, in ms. */
  pass(ms: number): void;
  write(pod: Pod, documents: readonly NewDocument[]): Promise<void>;
  close(): Promise<void>;
}

export const PASSPORT_ID = "dpzz1qqucj2802nagrsht74gtkfnsmzp75h8geuv2qutwgy9v9vu6";
const DELEGATE_KEY = "z6MkkEYGKViogKRJDCuJvT8qVH9SGbGt4Jr7rYGutjN1dmhX";

/** A desk that takes any first operation: its rules are tested where they are. */
async function takePassport(createOp: unknown): Promise<{ id: string }> {
  const { op } = (createOp ?? {}) as { op?: Parameters<typeof idOfGenesis>[0] };
  return { id: typeof op === "object" ? await idOfGenesis(op) : PASSPORT_ID };
}

interface Row {
  readonly verb: string;
  readonly path: string;
  readonly door: Door;
}

function match(row: Row, method: string, path: string): Record<string, string> | null {
  const names: string[] = [];
  const pattern = row.path
    .replaceAll(".", "\\.")
    .replace(/\{\*(\w+)\}/g, (_all, name: string) => (names.push(name), "(.*)"))
    .replace(/:(\w+)/g, (_all, name: string) => (names.push(name), "([^/]+)"));
  const found = new RegExp(`^${pattern}$`).exec(path);
  if (row.verb !== method.toLowerCase() || !found) return null;
  return Object.fromEntries(names.map((name, place) => [name, decodeURIComponent(found[place + 1] ?? "")]));
}

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  let ahead = 0;
  const now = (): Date => new Date(Date.now() + ahead);
  const limits: Limits = Object.freeze({ ...LIMITS, ...options.limits });
  const log = createLog(options.log ?? (() => {}), now);
  const store = createMemoryStore();
  const pods = createPods(store, now);
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = options.baseUrl ?? `http://localhost:${(server.address() as AddressInfo).port}/`;
  const reclaim = createReclaim(store, limits, now);
  const edits = createEdits({ store, limits, now, reclaim, onLeftFile: () => {} });
  const write = async (pod: Pod, documents: readonly NewDocument[]): Promise<void> => {
    await edits.write(pod, (edit) => putDocuments(edit, documents));
  };
  const accounts = createAccounts({
    store,
    pods,
    now,
    limits,
    log,
    config: { baseUrl, signUp: options.signUp ?? "link", access: "wac" },
    seed: write,
    access: createOwnerAccess({
      baseUrl,
      store,
      access: createAccess({ baseUrl, pods, store, limits, reachOf: async () => null }),
      limits,
      change: changeLists(edits),
      record: () => {},
    }),
    passport: {
      begin: async () => ({
        zone: "zz",
        registrar: "local",
        registry: baseUrl,
        delegateKey: DELEGATE_KEY,
      }),
      check: async (createOp) => options.check?.(createOp),
      finish: ({ createOp }) => options.finish?.(createOp) ?? takePassport(createOp),
      ofPod: async () => null,
    },
  });
  const pages = createPages({ baseUrl });
  const responder = createResponder({
    log,
    errorPage,
    challenge: {},
    problemBase: "https://freehold.example/problems#",
  });

  const readPod: Door = async ({ url }) => {
    const pod = await pods.find(url.pathname.split("/")[1] ?? "");
    if (!pod) throw new Problem("not-found");
    return store.read(pod.id, async (snapshot): Promise<Result> => {
      const entry = await snapshot.get("body", url.pathname, "");
      if (!entry) throw new Problem("not-found");
      return { status: 200, headers: { "content-type": "application/octet-stream" }, body: entry.value };
    });
  };
  const interaction = {
    client: {
      id: "https://photos.example/id",
      name: "Photo Frame",
      uri: "https://photos.example/",
      describedBy: "https://photos.example",
      policy: "https://photos.example/privacy",
      terms: null,
    },
    redirectTo: "https://photos.example/back",
    prompt: "consent",
    scopes: ["openid", "webid", "offline_access"],
    reach: null,
  };
  const apps: Harness["apps"] = new Map();
  const signedOut: string[] = [];
  const consented: ConsentedApps = {
    consentedApps: async (accountId) => apps.get(accountId) ?? [],
    async narrow(accountId, grantId, reach) {
      const list = apps.get(accountId) ?? [];
      apps.set(
        accountId,
        list.map((app) => (app.grantId === grantId ? { ...app, reach } : app)),
      );
      return list.some((app) => app.grantId === grantId);
    },
    async revoke(accountId, grantId) {
      const list = apps.get(accountId) ?? [];
      apps.set(
        accountId,
        list.filter((app) => app.grantId !== grantId),
      );
      return list.some((app) => app.grantId === grantId);
    },
    signOut: async (accountId) => void signedOut.push(accountId),
  };
  const rows: readonly Row[] = [
    ...accountDoors(accounts, consented),
    ...pageDoors(pages),
    {
      verb: "post",
      path: "/.oidc/session-token",
      door: async () => json(200, { access_token: "token", expires_in: 300 }),
    },
    {
      verb: "get",
      path: "/.oidc/interaction/:uid",
      door: async ({ headers }) =>
        json(200, { ...interaction, webid: (await accounts.sessionOf(headers))?.webid ?? null }),
    },
    {
      verb: "post",
      path: "/.oidc/interaction/:uid",
      door: async () => json(200, { location: `${baseUrl}.account/login` }),
    },
    { verb: "get", path: "/{*path}", door: readPod },
  ];

  async function answer(request: IncomingMessage, id: string): Promise<Result> {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const method = request.method ?? "GET";
    for (const row of rows) {
      const params = match(row, method, path);
      if (params)
        return row.door(parseDoorRequest(request, baseUrl, params, id, request.socket.remoteAddress ?? ""));
    }
    throw new Problem("not-found");
  }

  server.on("request", (request: IncomingMessage, response) => {
    const id = requestIdOf(request);
    void answer(request, id)
      .then((result) => responder.send(request, response, result, id))
      .catch((error: unknown) => responder.sendError(request, response, error, id, false));
  });

  return {
    baseUrl,
    accounts,
    store,
    pods,
    apps,
    consented,
    signedOut,
    write,
    pass: (ms) => {
      ahead += ms;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await store.close();
    },
  };
}
