/**
 * The HTTP server of a registry's processes: a zone's, a mirror's, the root's. Doors and nothing else, on plain `node:http`,
 * with a shorter way to the door that is asked most.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { OperatorError, Problem } from "../../errors.ts";
import { escapeHtml } from "../../html.ts";
import { createClientAddress } from "../../http/client-address.ts";
import { checkMessage, originForm, parseDoorRequest, requestIdOf } from "../../http/parse.ts";
import { problemDoors } from "../../http/problem-list.ts";
import { createResponder, type ResponderDeps } from "../../http/respond.ts";
import { createHttpServer, endServer } from "../../http/server.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import type { Result } from "../../operation.ts";
import { isUnchanged, KEPT, OPEN, type RegistryDoor } from "../../registry/doors/door.ts";
import { type ReadyBundle, type ReadyBundles, tagOf } from "../../registry/doors/passports.ts";
import { createRoutes } from "./routes.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** By which others reach this server; null: `http://localhost:{port}/`. Ends in a slash. */
  readonly baseUrl: string | null;
  readonly trustProxy: readonly string[];
  readonly limits: Limits;
  readonly log: Log;
  readonly now: () => Date;
}

export interface Listening {
  readonly baseUrl: string;
  readonly port: number;
  /** What can be answered before the rest: witnesses ask for the root's record, and nothing opens before they have signed. */
  begin(doors: readonly RegistryDoor[]): void;
  /** From now on requests are answered by these; until then each is told to come again. */
  open(doors: readonly RegistryDoor[], ready?: ReadyBundles): void;
  /**
   * Stops taking requests, and lets those under way end.
   * @param letGo Ends what would go on and on.
   */
  close(letGo?: () => unknown): Promise<void>;
}

const PASSPORTS = "/v1/passports/";
const PASSPORT_LENGTH = PASSPORTS.length + 53;
const REQUEST_MS_MAX = 30_000; // Nothing that is sent to a registry is long.
const PREFLIGHT_SECONDS = "7200";
const OPEN_FIELDS = Object.entries(OPEN).flat();

interface Fields {
  readonly etag: string;
  /** As `writeHead` has them. */
  readonly fields: string[];
}

const errorPage: ResponderDeps["errorPage"] = ({ status, title, detail, next, id }) => ({
  status,
  headers: {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  },
  body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title><h1>${escapeHtml(title)}</h1><p>${escapeHtml(detail ?? "")}</p><p>${escapeHtml(next)}</p><p><code>${status} ${escapeHtml(id)}</code></p></html>`,
});

/** What a page of another origin asks first: all of these doors answer all of them, and none knows a login. */
const preflight = (allow: string): Result => ({
  status: 204,
  headers: {
    ...OPEN,
    allow,
    "access-control-allow-methods": allow,
    "access-control-allow-headers": "Accept, Content-Type, If-None-Match, Last-Event-ID",
    "access-control-max-age": PREFLIGHT_SECONDS,
  },
  body: null,
});

/** @throws OperatorError when the port is taken. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { host, limits, log, now } = options;
  const responder = createResponder({
    log,
    errorPage,
    challenge: {},
    problemBase: `${options.baseUrl ?? "/"}ns/problems#`,
  });
  const ipOf = createClientAddress(options.trustProxy);
  let routes: ReturnType<typeof createRoutes> | null = null;
  let ready: ReadyBundles | null = null;
  let isOpen = false;
  const listed = new WeakMap<ReadyBundle, Fields>();
  let isStopping = false;
  let baseUrl = "";

  /** The bundle that a request is for; null for all other requests. */
  function bundleAskedFor({ url = "", method, headers }: IncomingMessage): string | null {
    if (url.length !== PASSPORT_LENGTH || !url.startsWith(PASSPORTS)) return null;
    if (method !== "GET" && method !== "HEAD") return null;
    const hasContent = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
    return hasContent ? null : url.slice(PASSPORTS.length);
  }

  /** The same for everybody who is sent it within the hour. */
  function fieldsOf(bundle: ReadyBundle): Fields {
    const etag = tagOf(bundle, now().getTime());
    const known = listed.get(bundle);
    if (known?.etag === etag) return known;
    const length = String(bundle.bytes.length);
    const about = ["content-type", "application/json", "content-length", length];
    const made = { etag, fields: [...OPEN_FIELDS, "etag", etag, "cache-control", KEPT, ...about] };
    listed.set(bundle, made);
    return made;
  }

  function sendBundle(request: IncomingMessage, response: ServerResponse, bundle: ReadyBundle): void {
    const { etag, fields } = fieldsOf(bundle);
    if (isUnchanged(request.headers["if-none-match"], etag)) {
      response.writeHead(304, [...OPEN_FIELDS, "etag", etag, "cache-control", KEPT]).end();
      return;
    }
    response.writeHead(200, fields);
    response.end(request.method === "HEAD" ? undefined : bundle.bytes);
  }

  async function answer(request: IncomingMessage, id: string): Promise<Result> {
    const { method = "GET", url = "/" } = request;
    const found = routes?.find(url.split("?", 1)[0] ?? "/");
    if (!found && !isOpen)
      throw new Problem("unavailable", "The server is starting", {
        headers: { ...OPEN, "retry-after": "1" },
      });
    if (!found) throw new Problem("not-found", undefined, { headers: { ...OPEN, vary: "Accept" } });
    const verb = method === "HEAD" ? "GET" : method;
    const route = found.doors.find((door) => door.verb.toUpperCase() === verb);
    const allow = found.allow;
    if (!route && method === "OPTIONS") return preflight(allow);
    if (!route) throw new Problem("method-not-allowed", undefined, { headers: { ...OPEN, allow } });
    return route.door(parseDoorRequest(request, baseUrl, found.params(), id, ipOf(request)));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let id = "";
    const started = performance.now();
    try {
      request.url = originForm(request.url ?? "/");
      checkMessage(request, limits);
      const asked = ready && bundleAskedFor(request);
      const bundle = asked && (ready?.find(asked) ?? (await ready?.make(asked)));
      if (bundle) return sendBundle(request, response, bundle);
      id = requestIdOf(request);
      await responder.send(request, response, await answer(request, id), id);
    } catch (error) {
      id ||= requestIdOf(request);
      await responder.sendError(request, response, error, id, false);
    }
    const ms = Math.round((performance.now() - started) * 10) / 10;
    log.info("request", { id, method: request.method, status: response.statusCode, ms });
  }

  const server = createHttpServer(
    (request, response) => {
      if (isStopping) response.setHeader("connection", "close"); // Or who is quick to ask again would be served for ever.
      void serve(request, response);
    },
    { ...limits, requestMsMax: Math.min(limits.requestMsMax, REQUEST_MS_MAX) },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, host, resolve);
  }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    const what = `Port ${options.port} of ${host} is taken. Stop what listens there, or choose another one in registry.json.`;
    throw new OperatorError(what, { cause });
  });
  const { port } = server.address() as AddressInfo;
  baseUrl = options.baseUrl ?? `http://localhost:${port}/`;
  return {
    baseUrl,
    port,
    begin(doors) {
      routes = createRoutes(doors);
    },
    open(doors, bundles) {
      isOpen = true;
      routes = createRoutes([...doors, ...problemDoors(`${baseUrl}ns/problems#`)]);
      ready = bundles ?? null;
    },
    close(letGo) {
      isStopping = true;
      return endServer(server, letGo);
    },
  };
}
