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
import { parseDoorRequest, parseOperation, requestIdOf, withAgent } from "./http/parse.ts";
import { corsHeaders, createResponder, preflight } from "./http/respond.ts";
import { parseTarget, type Target } from "./iri.ts";
import { describeServer, describeStorage } from "./ldp/describe.ts";
import { ALLOWED, abilityHeaders, linkHeader, type Nature, natureOf } from "./ldp/headers.ts";
import {
  type Need,
  type Needs,
  needsOfDelete,
  needsOfPatch,
  needsOfPost,
  needsOfPut,
  needsOfRead,
} from "./ldp/needs.ts";
import type { Agent, Door, Operation, Result } from "./operation.ts";
import { passportDoors } from "./passport/doors.ts";
import type { Pod } from "./store/pods.ts";
import type { Snapshot } from "./store/store.ts";

type Verb = "get" | "put" | "post" | "patch" | "delete";

/** A door to a pod's resources: what it needs is authorised in the same snapshot in which it acts. */
interface PodRoute {
  readonly verb: Verb;
  readonly path: string;
  readonly modes: Needs;
  /** First what needs no snapshot, then what does. Absent for writes, which are LDP's. */
  readonly read?: (operation: Operation) => Promise<(snapshot: Snapshot, pod: Pod) => Promise<Result>>;
}

/** A door of the server's own. `modes` says out loud who may pass: everybody, or whom the door itself asks to log in. */
interface DoorRoute {
  readonly verb: Verb;
  readonly path: string;
  readonly modes: "public" | "session";
  readonly door: Door;
}

/** A query's dataset is what the agent may read, so the door itself asks for nothing. */
const needsNothing: Needs = async () => [];

function podRoutes(context: Context): readonly PodRoute[] {
  const { ldp, queries, access } = context;
  const mayRead = (snapshot: Snapshot, pod: Pod, agent: Agent) => async (path: string) =>
    (await access.authorize(snapshot, pod, agent, parseTarget(path), ["read"])).kind === "granted";
  const ask: PodRoute["read"] = async (operation) => {
    const request = await queries.parse(operation);
    return (snapshot, pod) => queries.answer(snapshot, pod, operation, request);
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
        ldp.reader.read(snapshot, pod, operation, mayRead(snapshot, pod, operation.agent)),
    },
    { verb: "put", path: "/{*path}", modes: needsOfPut },
    { verb: "post", path: "/{*path}", modes: needsOfPost },
    { verb: "patch", path: "/{*path}", modes: needsOfPatch },
    { verb: "delete", path: "/{*path}", modes: needsOfDelete },
  ];
}

function doorRoutes(context: Context): readonly DoorRoute[] {
  const { identity, config } = context;
  const { accounts, provider, registry } = identity;
  const server: readonly DoorRoute[] = [
    {
      verb: "get",
      path: "/.well-known/solid",
      modes: "public",
      door: (request) => describeServer(config.baseUrl, request.headers.accept),
    },
    { verb: "get", path: "/.oidc/interaction/:uid", modes: "session", door: provider.doors.question },
    { verb: "post", path: "/.oidc/interaction/:uid", modes: "session", door: provider.doors.answer },
    { verb: "post", path: "/.oidc/session-token", modes: "session", door: provider.doors.sessionToken },
  ];
  return [
    ...server,
    ...healthDoors(() => context.store.check()).map((route) => ({ ...route, modes: "public" as const })),
    ...passportDoors(registry).map((route) => ({ ...route, modes: "public" as const })),
    ...accountDoors(accounts, provider).map((route) => ({ ...route, modes: "session" as const })),
    ...pageDoors(createPages(config)).map((route) => ({ ...route, modes: "public" as const })),
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
  ): Promise<void> {
    for (const { target, modes } of needs) {
      const decision = await access.authorize(snapshot, pod, agent, target, modes);
      if (decision.kind === "granted") continue;
      if (agent.webid === null) throw new Problem("login-required");
      throw new Problem("forbidden", `Missing: ${decision.missing.join(", ")}`);
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
    return store.read(pod.id, async (snapshot) => {
      await authorize(snapshot, pod, operation.agent, await route.modes(snapshot, operation.target, null));
      const result = await run(snapshot, pod);
      const permissions = await access.permissions(snapshot, pod, operation.agent, operation.target);
      return { ...result, headers: { ...result.headers, "wac-allow": wacAllow(permissions) } };
    });
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
    try {
      const { result, generation } = await store.write(pod.id, async (transaction) => {
        await authorize(transaction, pod, agent, await route.modes(transaction, target, prepared));
        return ldp.writer.act(transaction, pod, operation, prepared);
      });
      for (const hash of result.unused) await store.blobs.release(pod.id, hash);
      return result.answer(generation);
    } catch (error) {
      await ldp.writer.discard(pod, prepared);
      throw error;
    }
  }

  function optionsOf(request: Request): Result {
    const { target } = parseOperation(request, config.baseUrl, "", "");
    const isEndpoint = /^\/[^/]+\/sparql$/.test(target.path);
    const nature: Nature = isEndpoint ? "endpoint" : natureOf(target, target.pod);
    const answer = preflight(request, ALLOWED[nature].join(", "));
    const link = linkHeader(config.baseUrl, target, nature, "");
    return { ...answer, headers: { ...abilityHeaders(nature), link, ...answer.headers } };
  }

  function handle(serve: (request: Request, id: string) => Promise<Result>, isPod: boolean) {
    return async (request: Request, response: Response): Promise<void> => {
      const id = requestIdOf(request);
      const started = performance.now();
      try {
        const result = await serve(request, id);
        const cors = isPod ? corsHeaders(request) : {};
        const vary = [result.headers.vary, cors.vary].filter(Boolean).join(", ");
        await responder.send(
          request,
          response,
          { ...result, headers: { ...result.headers, ...cors, ...(vary && { vary }) } },
          id,
        );
      } catch (error) {
        await responder.sendError(request, response, error, id, isPod);
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
  app.set("trust proxy", config.trustProxy.length > 0 ? [...config.trustProxy] : false);

  app.use((request, response, next) => {
    const { provider } = identity;
    if (!provider.owns(request.path)) return next();
    // The one handler that writes for itself: the library's own, behind its own cookies and caches.
    provider
      .handle(request, response, request.ip)
      .catch((error: unknown) => responder.sendError(request, response, error, requestIdOf(request), true));
  });
  for (const { verb, path, door } of doorRoutes(context)) {
    app[verb](
      path,
      handle(
        (request, id) =>
          door(
            parseDoorRequest(
              request,
              config.baseUrl,
              request.params as Record<string, string>,
              id,
              request.ip ?? "",
            ),
          ),
        false,
      ),
    );
  }
  app.options(
    "/{*path}",
    handle(async (request) => optionsOf(request), true),
  );
  for (const route of podRoutes(context)) {
    app[route.verb](
      route.path,
      handle(
        (request, id) => (route.read ? serveRead(route, request, id) : serveWrite(route, request, id)),
        true,
      ),
    );
  }
  app.use((error: unknown, request: Request, response: Response, _next: unknown) => {
    const problem =
      error instanceof URIError ? new Problem("path-invalid", undefined, { cause: error }) : error;
    void responder.sendError(request, response, problem, requestIdOf(request), true);
  });
  return app;
}
