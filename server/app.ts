/**
 * Every door of the server, and who may pass it. One request to a pod is the story told in `serveRead` and `serveWrite`:
 * parse, prove who asks, then on one snapshot authorise and act, then respond.
 */
import type { RequestListener } from "node:http";
import express, { type Request, type Response } from "express";
import { wacAllow } from "./access/wac-allow.ts";
import { accountDoors } from "./account/doors.ts";
import { createPages, errorPage, pageDoors } from "./account/pages.ts";
import { challenge } from "./auth/challenge.ts";
import type { Context } from "./context.ts";
import { Problem } from "./errors.ts";
import { healthDoors } from "./health.ts";
import {
  checkMessage,
  METHODS,
  originForm,
  parseDoorRequest,
  parseOperation,
  requestIdOf,
  targetOf,
  withAgent,
} from "./http/parse.ts";
import { corsHeaders, createResponder, preflight } from "./http/respond.ts";
import { parseTarget, type Target } from "./iri.ts";
import { describeServer, describeStorage, serviceHeaders } from "./ldp/describe.ts";
import { ALLOWED, abilityHeaders, linkHeader, natureOf } from "./ldp/headers.ts";
import {
  type Need,
  type Needs,
  needsOfDelete,
  needsOfPatch,
  needsOfPost,
  needsOfPut,
  needsOfRead,
} from "./ldp/needs.ts";
import type { MayRead } from "./ldp/write.ts";
import type { Agent, Door, Operation, Result } from "./operation.ts";
import { passportDoors } from "./passport/doors.ts";
import type { Pod } from "./store/pods.ts";
import type { Snapshot } from "./store/store.ts";

type Verb = "get" | "put" | "post" | "patch" | "delete";

/** A door to a pod's resources: what it needs is authorised in the same snapshot in which it acts. */
export interface PodRoute {
  readonly verb: Verb;
  readonly path: string;
  readonly modes: Needs;
  /** First what needs no snapshot, then what does; null asks for a newer one. Absent for writes, which are LDP's. */
  readonly read?: (operation: Operation) => Promise<(snapshot: Snapshot, pod: Pod) => Promise<Result | null>>;
}

/** A door of the server's own. `modes` says out loud who may pass: everybody, or whom the door itself asks to log in. */
export interface DoorRoute {
  readonly verb: Verb;
  readonly path: string;
  readonly modes: "public" | "session";
  /** Whether pages of other origins may read the answer; the doors of people's accounts are for our own pages. */
  readonly origins: "all" | "own";
  readonly door: Door;
}

const EVERYBODY = { modes: "public", origins: "all" } as const;
const VISITORS = { modes: "public", origins: "own" } as const;
const OWN_PAGES = { modes: "session", origins: "own" } as const;

const READ_TRIES = 5; // Only a file that is replaced all the time, or damaged, needs as many.

/** A query's dataset is what the agent may read, so the door itself asks for nothing. */
const needsNothing: Needs = async () => [];

/** For whatever would tell an agent of another resource than the one it asked for. */
function mayReadOf({ access }: Context, snapshot: Snapshot, pod: Pod, agent: Agent): MayRead {
  return async (path) =>
    (await access.authorize(snapshot, pod, agent, parseTarget(path), ["read"])).kind === "granted";
}

/** In this order: the first that fits is the one. */
export function podRoutes(context: Context): readonly PodRoute[] {
  const { ldp, queries } = context;
  const ask: PodRoute["read"] = async (operation) => {
    const request = await queries.parse(operation);
    return async (snapshot, pod) => {
      const result = await queries.answer(snapshot, pod, operation, request);
      const headers = { ...serviceHeaders(context.config.baseUrl, pod, operation), ...result.headers };
      return { ...result, headers };
    };
  };
  return [
    {
      verb: "get",
      path: "/:pod/.well-known/solid",
      modes: needsNothing,
      read: async (operation) => (_snapshot, pod) => describeStorage(context.config.baseUrl, pod, operation),
    },
    { verb: "get", path: "/:pod/sparql", modes: needsNothing, read: ask },
    { verb: "post", path: "/:pod/sparql", modes: needsNothing, read: ask },
    {
      verb: "get",
      path: "/{*path}",
      modes: needsOfRead,
      read: async (operation) => (snapshot, pod) =>
        ldp.reader.read(snapshot, pod, operation, mayReadOf(context, snapshot, pod, operation.agent)),
    },
    { verb: "put", path: "/{*path}", modes: needsOfPut },
    { verb: "post", path: "/{*path}", modes: needsOfPost },
    { verb: "patch", path: "/{*path}", modes: needsOfPatch },
    { verb: "delete", path: "/{*path}", modes: needsOfDelete },
  ];
}

export function doorRoutes(context: Context): readonly DoorRoute[] {
  const { identity, config } = context;
  const { accounts, provider, registry } = identity;
  const server: readonly DoorRoute[] = [
    {
      verb: "get",
      path: "/.well-known/solid",
      ...EVERYBODY,
      door: (request) => describeServer(config.baseUrl, request.headers.accept),
    },
    { verb: "get", path: "/.oidc/interaction/:uid", ...OWN_PAGES, door: provider.doors.question },
    { verb: "post", path: "/.oidc/interaction/:uid", ...OWN_PAGES, door: provider.doors.answer },
    { verb: "post", path: "/.oidc/session-token", ...OWN_PAGES, door: provider.doors.sessionToken },
  ];
  return [
    ...server,
    ...healthDoors(() => context.store.check()).map((route) => ({ ...route, ...VISITORS })),
    ...passportDoors(registry).map((route) => ({ ...route, ...EVERYBODY })),
    ...accountDoors(accounts, provider).map((route) => ({ ...route, ...OWN_PAGES })),
    ...pageDoors(createPages(config)).map((route) => ({ ...route, ...VISITORS })),
  ];
}

/** The request listener of the whole server. */
export function createApp(context: Context): RequestListener {
  const { config, log, store, pods, access, identity, ldp } = context;
  const responder = createResponder({
    log,
    errorPage,
    challenge: challenge(config),
    problemBase: `${config.baseUrl}ns/problems#`,
  });

  /** The one choke point: every need of every operation on a pod is decided here. */
  async function authorize(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    needs: readonly Need[],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    for (const { target, modes } of needs) {
      const decision = await access.authorize(snapshot, pod, agent, target, modes);
      if (decision.kind === "granted") continue;
      if (agent.webid === null) throw new Problem("login-required", undefined, { headers });
      throw new Problem("forbidden", `Missing: ${decision.missing.join(", ")}`, { headers });
    }
  }

  async function podOf(target: Target): Promise<Pod> {
    const pod = await pods.find(target.pod);
    if (!pod) throw new Problem("not-found");
    return pod;
  }

  async function proved(request: Request, id: string): Promise<Operation> {
    const operation = parseOperation(request, config.baseUrl, id, request.ip ?? "");
    return withAgent(operation, await identity.verify(operation));
  }

  async function serveRead(route: PodRoute, request: Request, id: string): Promise<Result> {
    const operation = await proved(request, id);
    const pod = await podOf(operation.target);
    const run = await route.read?.(operation);
    if (!run) throw new Problem("method-not-allowed");
    const attempt = async (snapshot: Snapshot): Promise<Result | null> => {
      const { agent, target } = operation;
      // Refusals say it, too: who may only add learns it from nothing else.
      const allow = { "wac-allow": wacAllow(await access.permissions(snapshot, pod, agent, target)) };
      await authorize(snapshot, pod, agent, await route.modes(snapshot, target, null), allow);
      const result = await run(snapshot, pod);
      return result && { ...result, headers: { ...result.headers, ...allow } };
    };
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const result = await store.read(pod.id, attempt);
      if (result) return result;
    }
    throw new Problem("unavailable", undefined, { headers: { "retry-after": "1" } });
  }

  async function serveWrite(route: PodRoute, request: Request, id: string): Promise<Result> {
    const operation = await proved(request, id);
    const pod = await podOf(operation.target);
    const { target, agent } = operation;
    const nature = natureOf(target, pod.name);
    if (!ALLOWED[nature].includes(operation.method))
      throw new Problem("method-not-allowed", undefined, { headers: { ...abilityHeaders(nature) } });
    // Asked once before a byte of the content is read, so that strangers cannot make us parse.
    await store.read(pod.id, async (snapshot) =>
      authorize(snapshot, pod, agent, await route.modes(snapshot, target, null)),
    );
    const prepared = await ldp.writer.prepare(pod, operation);
    const { result, generation } = await store
      .write(pod.id, async (transaction) => {
        await authorize(transaction, pod, agent, await route.modes(transaction, target, prepared));
        const mayRead = mayReadOf(context, transaction, pod, agent);
        return ldp.writer.act(transaction, pod, operation, prepared, mayRead);
      })
      .catch(async (error: unknown) => {
        await ldp.writer.discard(pod, prepared);
        throw error;
      });
    for (const hash of result.unused) {
      // What is committed is done, whatever becomes of old files: the store's sweeper finds what stays behind.
      await store.blobs
        .release(pod.id, hash)
        .catch((error: unknown) => log.error("blob.not-released", { id, cause: String(error) }));
    }
    return result.answer(generation);
  }

  function serveDoor(door: Door, request: Request, id: string): Promise<Result> {
    const params = request.params as Record<string, string>;
    return door(parseDoorRequest(request, config.baseUrl, params, id, request.ip ?? ""));
  }

  /** OPTIONS, and methods that a door does not have. */
  async function serveRestOfDoor(
    request: Request,
    doors: readonly DoorRoute[],
    isForAll: boolean,
  ): Promise<Result> {
    const verbs = doors.map(({ verb }) => verb.toUpperCase());
    const allow = ["OPTIONS", ...(verbs.includes("GET") ? ["HEAD"] : []), ...verbs].join(", ");
    if (request.method !== "OPTIONS")
      throw new Problem("method-not-allowed", undefined, { headers: { allow } });
    return isForAll ? preflight(request, allow) : { status: 204, headers: { allow }, body: null };
  }

  /** OPTIONS, and methods that no resource has. The answer hangs on the address alone, so nobody need log in for it. */
  async function serveRestOfPod(request: Request): Promise<Result> {
    if (request.method === "OPTIONS" && request.url === "*")
      return { status: 204, headers: { allow: METHODS.join(", ") }, body: null };
    const target = targetOf(request);
    const nature = natureOf(target, target.pod);
    const abilities = abilityHeaders(nature);
    if (request.method !== "OPTIONS")
      throw new Problem("method-not-allowed", undefined, { headers: { ...abilities } });
    const answer = preflight(request, ALLOWED[nature].join(", "));
    const link = linkHeader(config.baseUrl, target, nature, "");
    return { ...answer, headers: { ...abilities, link, ...answer.headers } };
  }

  /** @param isForAll Whether pages of all origins may read the answer. */
  function handle(serve: (request: Request, id: string) => Promise<Result>, isForAll: boolean) {
    return async (request: Request, response: Response): Promise<void> => {
      const id = requestIdOf(request);
      const started = performance.now();
      try {
        const result = await serve(request, id);
        const cors = isForAll ? corsHeaders(request, result.headers.vary) : {};
        await responder.send(request, response, { ...result, headers: { ...result.headers, ...cors } }, id);
      } catch (error) {
        await responder.sendError(request, response, error, id, isForAll);
      }
      log.info("request", {
        id,
        method: request.method,
        status: response.statusCode,
        ms: Math.round((performance.now() - started) * 10) / 10,
      });
    };
  }

  const app = express();
  app.disable("x-powered-by");
  app.disable("etag"); // Ours come from the store.
  app.enable("case sensitive routing"); // An address is what it is: what only looks like a door is a resource.
  app.enable("strict routing");
  app.set("trust proxy", config.trustProxy.length > 0 ? [...config.trustProxy] : false);

  app.use((request, _response, next) => {
    checkMessage(request, config.limits);
    next();
  });

  const doors = doorRoutes(context);
  for (const { verb, path, door, origins } of doors)
    app[verb](
      path,
      handle((request, id) => serveDoor(door, request, id), origins === "all"),
    );
  for (const [path, here] of Map.groupBy(doors, (route) => route.path)) {
    const isForAll = here.some(({ origins }) => origins === "all");
    app.all(
      path,
      handle((request) => serveRestOfDoor(request, here, isForAll), isForAll),
    );
  }
  // After our own doors, for some of them stand among its addresses.
  app.use((request, response, next) => {
    const { provider } = identity;
    if (!provider.owns(request.path)) return next();
    // The one handler that writes for itself: the library's own, behind its own cookies and caches.
    provider
      .handle(request, response, request.ip)
      .catch((error: unknown) => responder.sendError(request, response, error, requestIdOf(request), true));
  });

  for (const route of podRoutes(context)) {
    const serve = (request: Request, id: string): Promise<Result> =>
      route.read ? serveRead(route, request, id) : serveWrite(route, request, id);
    app[route.verb](route.path, handle(serve, true));
  }
  app.use(handle(serveRestOfPod, true));
  app.use((error: unknown, request: Request, response: Response, _next: unknown) => {
    const problem =
      error instanceof URIError ? new Problem("path-invalid", undefined, { cause: error }) : error;
    void responder.sendError(request, response, problem, requestIdOf(request), true);
  });
  return (request, response) => {
    request.url = originForm(request.url ?? "/");
    app(request, response);
  };
}
