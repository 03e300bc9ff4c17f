/**
 * Every door of the server, and who may pass it. One request to a pod is the story told in `serveRead` and `serveWrite`:
 * parse, prove who asks, then on one snapshot authorise and act, then respond. Long, for nobody should have to look anywhere
 * else for a door.
 */
import type { RequestListener } from "node:http";
import express, { type Request, type Response } from "express";
import type { Permissions } from "./access/authorize.ts";
import { type Authority, BY_RULES, demandAll, together } from "./access/demand.ts";
import { checkLanguage } from "./access/language.ts";
import { isOwnerOf } from "./access/narrowing.ts";
import { wacAllow } from "./access/wac-allow.ts";
import { arrivalDoors } from "./account/arrival-doors.ts";
import { createDataBrowser, type DataBrowser } from "./account/data-browser.ts";
import { accountDoors } from "./account/doors.ts";
import { erasureDoors } from "./account/erasure-doors.ts";
import { podHealthDoors } from "./account/health-doors.ts";
import { createIsOperator, hostingDoors } from "./account/hosting-doors.ts";
import { importDoors } from "./account/import-doors.ts";
import { journalDoors } from "./account/journal-doors.ts";
import { keptDoors } from "./account/kept-doors.ts";
import { createPages, errorPage, pageDoors, plainPage } from "./account/pages.ts";
import { safekeepingDoors } from "./account/safekeeping-doors.ts";
import { sharingDoors } from "./account/sharing-doors.ts";
import { transferDoors } from "./account/transfer-doors.ts";
import { challenge } from "./auth/challenge.ts";
import { GRANT_TOKEN_SECONDS } from "./auth/grant-token.ts";
import { createResourceMetadata, RESOURCE_METADATA_PATH } from "./auth/resource-metadata.ts";
import { json } from "./body.ts";
import { createDesk } from "./cli/desk.ts";
import { askPageDoors } from "./consent/ask-page.ts";
import { credentialDoors } from "./consent/credentials/doors.ts";
import { consentServices, withRequestService } from "./consent/discovery.ts";
import { consentDoors, idOf } from "./consent/doors.ts";
import { isHoney } from "./consent/honey.ts";
import { preferencesIn } from "./consent/judging.ts";
import { CONSENT_KEY_PATH } from "./consent/receipts/keys.ts";
import { isOpen as isWaiting } from "./consent/requests-port.ts";
import { abandon, authorityIn, givenOnlyAfter, withFields } from "./consent/under-grants.ts";
import type { Context } from "./context.ts";
import { Problem, withHeaders } from "./errors.ts";
import { healthDoors, VERSION } from "./health.ts";
import { createClientAddress, trustProxy } from "./http/client-address.ts";
import { createFront, type Handler } from "./http/front.ts";
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
import { problemDoors } from "./http/problem-list.ts";
import { createReadyAnswers } from "./http/ready.ts";
import { referenceDoors } from "./http/reference/doors.ts";
import { createResponder, preflight, withCors } from "./http/respond.ts";
import { parseTarget, type Target } from "./iri.ts";
import { parseHeads } from "./journal/heads.ts";
import { asService, describeServer, describeStorage } from "./ldp/describe.ts";
import type { Edit } from "./ldp/edit.ts";
import { findResource } from "./ldp/find.ts";
import {
  ALLOWED,
  abilityHeaders,
  describedStorage,
  isOwnAddress,
  linkHeader,
  natureOf,
  TYPE_INDEX,
  TYPE_SEARCH,
} from "./ldp/headers.ts";
import {
  type Need,
  type Needs,
  needsOfDelete,
  needsOfPatch,
  needsOfPost,
  needsOfPut,
  needsOfRead,
} from "./ldp/needs.ts";
import { writeRedirect } from "./ldp/paging.ts";
import { preferredReturn } from "./ldp/prefer.ts";
import type { Prepared } from "./ldp/prepare.ts";
import type { MayRead, Written } from "./ldp/write.ts";
import { describeLws, LWS_TYPE } from "./lws/description.ts";
import { gatewayUrl } from "./notify/gateway.ts";
import { SENDER_PATH } from "./notify/webhook-sender.ts";
import type { Agent, Door, DoorRequest, Method, Operation, Result } from "./operation.ts";
import { isStrict } from "./query/asking.ts";
import { rangedOver } from "./query/failed.ts";
import { SEARCH_PATH } from "./query/search/endpoint.ts";
import { UPDATE_PATH } from "./query/update/updates.ts";
import { createRate, networkOf, retryAfter } from "./rates.ts";
import { negotiate, RDF_TYPES } from "./rdf/media.ts";
import { SERIES_PATH } from "./series/series.ts";
import { publishedShapesDoor } from "./shapes/published.ts";
import type { Pod } from "./store/pods.ts";
import type { Snapshot } from "./store/store.ts";
import { answerOfGone } from "./transfer/moved.ts";
import { watchedTransfer } from "./transfer/watched.ts";

type Verb = "get" | "put" | "post" | "patch" | "delete";

/** A door to a pod's resources: what it needs is authorised in the same snapshot in which it acts. */
export interface PodRoute {
  readonly verb: Verb;
  readonly path: string;
  /** What it needs of the access lists; "owner" is for the pod's owner alone, whatever the lists say. */
  readonly modes: Needs | "owner";
  /** How a read stands in the journal; null for what tells nothing of the pod's content. Writes are always recorded. */
  readonly recorded: "look" | "query" | null;
  /** First what needs no snapshot, then what does; null asks for a newer one. Absent for writes, which are LDP's. */
  readonly read?: (operation: Operation) => Promise<(snapshot: Snapshot, pod: Pod) => Promise<Result | null>>;
  /** What is neither: it asks for access itself, for what that hangs on is in the content or in the address. */
  readonly act?: (operation: Operation, pod: Pod, ip: string) => Promise<Result>;
  /** Whether an act changes documents: then others than the owner are paced, as in all they write. */
  readonly isWrite?: boolean;
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

const LWS_PATHS = { description: ".well-known/solid", index: TYPE_INDEX, search: TYPE_SEARCH };

const problemBase = (baseUrl: string): string => `${baseUrl}ns/problems#`;

/** Of routes: whatever no other route is for. */
const EVERYWHERE = "/{*path}";

/** Statuses of refusals of a change that hang on what it would change. */
const TELLING: ReadonlySet<number> = new Set([409, 412, 422]);

const READ_TRIES = 5; // Only a file that is replaced all the time, or damaged, needs as many.

/** A query's dataset is what the agent may read, so the door itself asks for nothing. */
const needsNothing: Needs = async () => [];

/** For whatever would tell an agent of another resource than the one it asked for. */
function mayReadOf({ access }: Context, snapshot: Snapshot, pod: Pod, agent: Agent): MayRead {
  return async (path) =>
    (await access.authorize(snapshot, pod, agent, parseTarget(path), ["read"])).kind === "granted";
}

/** Read by the owner, whatever access lists say. */
const ownersRead = (isOwner: boolean): Permissions => ({ user: isOwner ? ["read"] : [], public: [] });

/** What is not there can be made: how, clients ask of its address before they do. */
function missing(error: unknown, headers: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof Problem) || error.code !== "not-found") return error;
  return withHeaders(error, headers);
}

/** Of the content of a write; null where nobody said. */
function bytesOf(prepared: Prepared, { headers }: Operation): number | null {
  if (prepared && "bytes" in prepared)
    return typeof prepared.bytes === "number" ? prepared.bytes : prepared.bytes.length;
  const length = headers["content-length"];
  return length === undefined ? null : Number(length);
}

/** Subscribing to changes, and receiving them: each asks for Read on the topic, then and before every message. */
function notificationRoutes({ config, notifications }: Context): readonly PodRoute[] {
  const { services, receiving } = notifications;
  const route = (verb: Verb, path: string, act: NonNullable<PodRoute["act"]>): PodRoute => ({
    verb,
    path: `/:pod/.notifications/${path}`,
    modes: needsNothing,
    recorded: null, // Whoever subscribes is recorded when the channel is made.
    act: async (operation, pod, ip) =>
      asService(config.baseUrl, pod, operation, await act(operation, pod, ip)),
  });
  return [
    route("get", "", services.overview),
    route("get", "channels/:id/:secret", receiving.receive),
    route("get", "channels/:id", services.showChannel),
    route("delete", "channels/:id", services.unsubscribe),
    route("get", ":service", services.show),
    route("post", ":service", services.subscribe),
  ];
}

/** What vendors ask for and get, and what the owner says to it: each door asks for itself who may pass. */
function consentRoutes({ config, consent }: Context): readonly PodRoute[] {
  return consentDoors(consent).map(({ verb, path, act }) => ({
    verb,
    path: `/:pod/${path}`,
    modes: needsNothing,
    recorded: null, // What changes something is recorded in its own commit.
    act: async (operation, pod, ip) => {
      const id = idOf(path, operation.target.path);
      return asService(config.baseUrl, pod, operation, await act({ operation, pod, ip, id }));
    },
  }));
}

/** In this order: the first that fits is the one. */
export function podRoutes(context: Context): readonly PodRoute[] {
  const { ldp, queries, search, journal } = context;
  const ask: PodRoute["read"] = async (operation) => {
    const request = await queries.parse(operation);
    return async (snapshot, pod) => {
      const result = await queries.answer(snapshot, pod, operation, request);
      return asService(context.config.baseUrl, pod, operation, result);
    };
  };
  /** What it lists is what the agent may read, so the door itself asks for nothing. */
  const find =
    (service: "index" | "search"): NonNullable<PodRoute["read"]> =>
    async (operation) => {
      const search = await ldp.typeSearch.parse(operation);
      return async (snapshot, pod) => {
        const result = await ldp.typeSearch[service](snapshot, pod, operation, search);
        return asService(context.config.baseUrl, pod, operation, result);
      };
    };
  return [
    {
      verb: "get",
      path: "/:pod/.well-known/solid",
      modes: needsNothing,
      recorded: null,
      read: async (operation) => async (_snapshot, pod) => {
        const { baseUrl } = context.config;
        const storage = `${baseUrl}${pod.name}/`;
        const services = consentServices(storage);
        const chosen = negotiate(operation.headers.accept, [...RDF_TYPES, LWS_TYPE]);
        if (chosen !== LWS_TYPE) {
          const subscriptions = context.notifications.services.describe(pod);
          return describeStorage(baseUrl, pod, operation, subscriptions, services);
        }
        const modified = { "last-modified": new Date(pod.created).toUTCString() };
        const result = describeLws(storage, LWS_PATHS, services);
        return asService(baseUrl, pod, operation, { ...result, headers: { ...modified, ...result.headers } });
      },
    },
    { verb: "get", path: "/:pod/sparql", modes: needsNothing, recorded: "query", read: ask },
    { verb: "post", path: "/:pod/sparql", modes: needsNothing, recorded: "query", read: ask },
    {
      verb: "get",
      path: `/:pod/${SEARCH_PATH}`,
      modes: needsNothing,
      recorded: "query",
      read: async (operation) => {
        const request = search.parse(operation);
        return async (snapshot, pod) => {
          const result = await search.answer(snapshot, pod, operation, request);
          return asService(context.config.baseUrl, pod, operation, result);
        };
      },
    },
    {
      verb: "get",
      path: `/:pod/${UPDATE_PATH}`,
      modes: needsNothing,
      recorded: null,
      act: () => {
        throw new Problem("method-not-allowed", undefined, { headers: { ...abilityHeaders("update") } });
      },
    },
    {
      verb: "post",
      path: `/:pod/${UPDATE_PATH}`,
      modes: needsNothing,
      recorded: null, // Each document is recorded in the commit that changes it.
      isWrite: true,
      act: async (operation, pod) =>
        asService(context.config.baseUrl, pod, operation, await context.updates.update(operation, pod)),
    },
    { verb: "get", path: `/:pod/${TYPE_INDEX}`, modes: needsNothing, recorded: "query", read: find("index") },
    {
      verb: "get",
      path: `/:pod/${TYPE_SEARCH}`,
      modes: needsNothing,
      recorded: "query",
      read: find("search"),
    },
    {
      verb: "post",
      path: `/:pod/${TYPE_SEARCH}`,
      modes: needsNothing,
      recorded: "query",
      read: find("search"),
    },
    {
      verb: "get",
      path: "/:pod/.journal{/{*page}}",
      modes: "owner",
      recorded: null,
      read: async (operation) => async (_snapshot, pod) =>
        asService(context.config.baseUrl, pod, operation, await journal.reader.read(pod, operation)),
    },
    ...notificationRoutes(context),
    {
      verb: "get",
      path: "/:pod/.views/:id",
      modes: needsOfRead,
      recorded: "look",
      read: async (operation) => async (snapshot, pod) =>
        asService(
          context.config.baseUrl,
          pod,
          operation,
          await context.consent.views.show(snapshot, pod, operation),
        ),
    },
    ...consentRoutes(context),
    {
      verb: "get",
      path: `/:pod/${SERIES_PATH}{*folder}`,
      modes: needsNothing,
      recorded: "query",
      read: async (operation) => {
        const request = context.series.parse(operation);
        return async (snapshot, pod) =>
          asService(
            context.config.baseUrl,
            pod,
            operation,
            await context.series.show(snapshot, pod, operation, request),
          );
      },
    },
    {
      verb: "post",
      path: `/:pod/${SERIES_PATH}{*folder}`,
      modes: needsNothing,
      recorded: null, // The batch is recorded in its own commit.
      isWrite: true,
      act: async (operation, pod) =>
        asService(context.config.baseUrl, pod, operation, await context.series.append(operation, pod)),
    },
    {
      verb: "get",
      path: EVERYWHERE,
      modes: needsOfRead,
      recorded: "look",
      read: async (operation) => async (snapshot, pod) => {
        const mayRead = mayReadOf(context, snapshot, pod, operation.agent);
        try {
          return await ldp.reader.read(snapshot, pod, operation, mayRead);
        } catch (error) {
          const isNothing = error instanceof Problem && error.code === "not-found";
          if (!isNothing || !(await context.series.keepsNoMore(snapshot, pod, operation))) throw error;
          throw new Problem("gone", "The stream keeps nothing of this time any more", { cause: error });
        }
      },
    },
    { verb: "put", path: EVERYWHERE, modes: needsOfPut, recorded: null },
    { verb: "post", path: EVERYWHERE, modes: needsOfPost, recorded: null },
    { verb: "patch", path: EVERYWHERE, modes: needsOfPatch, recorded: null },
    { verb: "delete", path: EVERYWHERE, modes: needsOfDelete, recorded: null },
  ];
}

/**
 * A query that fails is counted where it ranged over what grants let it read.
 * @param asked Of a pod.
 * @returns the refusal; where a grant has no room, that one.
 */
async function ofFailed(
  { underGrants }: Context,
  error: unknown,
  asked: (pod: Pod) => Omit<Operation, "query">,
  since: ReturnType<Context["underGrants"]["moment"]>,
): Promise<unknown> {
  for (const { pod, extent } of rangedOver(error)) {
    const answer = { status: (error as Problem).status, headers: {}, body: null, extent };
    const by = authorityIn(answer);
    if (by.grants.length === 0) continue;
    try {
      await underGrants.count(pod, asked(pod), "query", by, answer, since);
    } catch (refusal) {
      return refusal;
    }
  }
  return error;
}

/** Whether a grant has ended between the decision and the use: perhaps another has taken its place. */
const hasJustEnded = (error: unknown): boolean =>
  error instanceof Problem && error.code === "forbidden" && error.members["grant"] !== undefined;

/** Why a grant that a query found is of no use to it after all. */
const GRANT_UNUSABLE: ReadonlySet<string> = new Set(["grant-spent", "grant-paused", "forbidden"]);

/** A query over all pods: each of them that it ranges over is told, and what is read by grants is counted there. */
function askEverywhere(context: Context): Door {
  const { config, identity, queries, journal, underGrants } = context;
  const url = `${config.baseUrl}.query/sparql`;
  return async ({ id, method, url: { search }, headers, ip, body }) => {
    const agent = await identity.verify({ method, url, headers, ip });
    const asked = { id, method: method as Method, url, headers, agent, query: search.slice(1), body };
    const request = await queries.parse(asked);
    const except = new Set<string>();
    for (;;) {
      const since = underGrants.moment();
      const of = (pod: Pod) => ({ ...asked, target: parseTarget(`/${pod.name}/sparql`) });
      const { result, pods } = await queries
        .everywhere!.answer({ ...asked, except }, request)
        .catch(async (error: unknown) => {
          throw await ofFailed(context, error, of, since);
        });
      const told = pods.map(({ pod, extent }) => ({
        pod,
        theirs: of(pod),
        answer: { ...result, extent },
      }));
      const byGrants = told.filter(({ answer }) => authorityIn(answer).grants.length > 0);
      const counted = new Map<string, Readonly<Record<string, string>>>();
      const use = async (isDry: boolean): Promise<Problem | undefined> => {
        const each = byGrants.map(async ({ pod, theirs, answer }) => {
          const asUse = [pod, theirs, "query", authorityIn(answer), answer, since] as const;
          try {
            if (isDry) await underGrants.check(...asUse);
            else counted.set(pod.name, await underGrants.count(...asUse));
            return undefined;
          } catch (error) {
            // One owner's grant that is used up does not take the others' from whoever asks: their pod is left out, and named.
            if (!(error instanceof Problem) || !GRANT_UNUSABLE.has(error.code)) throw error;
            except.add(pod.name);
            return error;
          }
        });
        return (await givenOnlyAfter(Promise.all(each), result)).find((one) => one !== undefined);
      };
      // First whether all can be used, for what is counted is told: without one of them it is asked once more.
      const refusal = (byGrants.length > 1 ? await use(true) : undefined) ?? (await use(false));
      if (refusal) await abandon(result);
      if (refusal && (isStrict(asked) || pods.length === 1)) throw refusal;
      if (refusal) continue;
      const looks = told
        .filter((one) => !byGrants.includes(one))
        .map(({ pod, theirs, answer }) => journal.look(pod, theirs, "query", answer, false));
      await givenOnlyAfter(Promise.all(looks), result);
      return byGrants.reduce((answer: Result, { pod, theirs, answer: own }) => {
        const fields = counted.get(pod.name) ?? {};
        return underGrants.guard(pod, theirs, "query", authorityIn(own), withFields(answer, fields), since);
      }, result);
    }
  };
}

/** @param dataBrowser Null where it is switched off. */
export function doorRoutes(context: Context, dataBrowser: DataBrowser | null = null): readonly DoorRoute[] {
  const { identity, config, journal } = context;
  const { accounts, provider } = identity;
  const server: readonly DoorRoute[] = [
    {
      verb: "get",
      path: "/.well-known/solid",
      ...EVERYBODY,
      door: (request) => describeServer(config.baseUrl, request.headers.accept, gatewayUrl(config.baseUrl)),
    },
    {
      verb: "get",
      path: "/.well-known/freehold/journal-key",
      ...EVERYBODY,
      door: async () =>
        json(200, await journal.publishedKeys(), { "content-type": "application/jwk-set+json" }),
    },
    {
      verb: "get",
      path: "/.well-known/freehold/erasure-key",
      ...EVERYBODY,
      door: async () =>
        json(200, await context.ldp.erasure.receipts.publishedKeys(), {
          "content-type": "application/jwk-set+json",
        }),
    },
    { verb: "get", path: "/.well-known/dcann/:id", ...EVERYBODY, door: context.proofDoor },
    { verb: "get", path: CONSENT_KEY_PATH, ...EVERYBODY, door: context.consent.keys.publishedKeys },
    ...problemDoors(problemBase(config.baseUrl)).map((route) => ({ ...route, ...EVERYBODY })),
    ...referenceDoors(() => ({
      baseUrl: config.baseUrl,
      version: VERSION,
      has: new Set(
        [...podRoutes(context), ...doorRoutes(context, dataBrowser)].map(
          ({ verb, path }) => `${verb} ${path}`,
        ),
      ),
    })).map((route) => ({ ...route, ...EVERYBODY })),
    { verb: "get", path: "/ns/shapes/:domain", ...EVERYBODY, door: publishedShapesDoor() },
    ...[RESOURCE_METADATA_PATH, `${RESOURCE_METADATA_PATH}/{*path}`].map((path) => ({
      verb: "get" as const,
      path,
      ...EVERYBODY,
      door: createResourceMetadata(config),
    })),
    { verb: "get", path: "/.query/sparql", ...EVERYBODY, door: askEverywhere(context) },
    { verb: "post", path: "/.query/sparql", ...EVERYBODY, door: askEverywhere(context) },
    { verb: "get", path: SENDER_PATH, ...EVERYBODY, door: context.notifications.webhooks.senderDocument },
    { verb: "get", path: "/.oidc/interaction/:uid", ...OWN_PAGES, door: provider.doors.question },
    { verb: "post", path: "/.oidc/interaction/:uid", ...OWN_PAGES, door: provider.doors.answer },
    { verb: "post", path: "/.oidc/session-token", ...OWN_PAGES, door: provider.doors.sessionToken },
  ];
  return [
    ...server,
    ...healthDoors(() => context.store.check()).map((route) => ({ ...route, ...VISITORS })),
    ...(context.registry?.doors.doors ?? []).map((route) => ({ ...route, ...EVERYBODY })),
    ...credentialDoors({
      ...config,
      now: context.now,
      credentials: context.consent.credentials,
      keyOf: (...method) => context.consent.keys.keyOf(...method),
      verify: identity.verify,
      issueToken: async (agent, grant, pod) => ({
        token: await identity.grantTokens.issue(agent, grant, pod),
        seconds: GRANT_TOKEN_SECONDS,
      }),
    }).map((route) => ({ ...route, ...EVERYBODY })),
    ...context.notifications.doors.map((route) => ({ ...route, ...EVERYBODY })),
    ...accountDoors(accounts, provider).map((route) => ({ ...route, ...OWN_PAGES })),
    ...arrivalDoors(accounts, {
      begin: () => identity.hosting.begin(),
      takeIn: context.takeIn,
    }).map((route) => ({ ...route, ...OWN_PAGES })),
    ...journalDoors(accounts, { ...journal, parseHeads }).map((route) => ({ ...route, ...OWN_PAGES })),
    ...sharingDoors(accounts, (pod) =>
      context.store.read(pod.id, async (snapshot) => (await preferencesIn(snapshot)).holds),
    ).map((route) => ({ ...route, ...OWN_PAGES })),
    ...podHealthDoors(accounts, {
      ...context,
      dataFolder: config.dataFolder,
      journalLength: (pod) => journal.length(pod),
      waiting: async ({ id }) => {
        const { requests } = context.consent;
        const all = await context.store.read(id, (snapshot) => requests.list(snapshot));
        return all.filter((request) => isWaiting(requests.shown(request).state)).length;
      },
    }).map((route) => ({ ...route, ...OWN_PAGES })),
    ...keptDoors(accounts, context.ldp).map((route) => ({ ...route, ...OWN_PAGES })),
    ...safekeepingDoors(accounts, context.safekeeping).map((route) => ({ ...route, ...OWN_PAGES })),
    ...importDoors(accounts, context.ldp.imports).map((route) => ({ ...route, ...OWN_PAGES })),
    ...transferDoors(accounts, watchedTransfer(context.ldp.transfer, context.jobs), (pod, deed) =>
      journal.note(pod, {
        ...deed,
        agent: pod.owner,
        client: `${config.baseUrl}.account/`,
        path: `/${pod.name}/`,
      }),
    ).map((route) => ({ ...route, ...OWN_PAGES })),
    ...erasureDoors(accounts, context.ldp.erasure, (pod) =>
      journal.note(pod, { act: "erase", agent: pod.owner, client: `${config.baseUrl}.account/` }),
    ).map((route) => ({ ...route, ...OWN_PAGES })),
    ...askPageDoors({
      ...context,
      baseUrl: config.baseUrl,
      requests: context.consent.requests,
      sessionOf: (headers) => accounts.sessionOf(headers),
      isOwnAddress: (path) => {
        const target = parseTarget(path);
        return isOwnAddress(natureOf(target, target.pod));
      },
      page: plainPage,
    }).map((route) => ({ ...route, ...OWN_PAGES })),
    ...(dataBrowser?.doors ?? []).map((route) => ({ ...route, ...VISITORS })),
    ...pageDoors(createPages(config)).map((route) => ({ ...route, ...VISITORS })),
  ];
}

interface HiddenRoute extends DoorRoute {
  readonly isFor: (request: DoorRequest) => Promise<boolean>;
}

/**
 * Doors that are there for some only: for all others their addresses are like any that nothing stands at, whatever the
 * method. The doors ask once more by themselves.
 */
export function hiddenRoutes(context: Context): readonly HiddenRoute[] {
  const { identity, probes } = context;
  const isOperator = createIsOperator(identity.accounts);
  return [
    ...hostingDoors(identity.accounts, identity.provider, createDesk(context)).map((route) => ({
      ...route,
      ...OWN_PAGES,
      isFor: isOperator,
    })),
    {
      verb: "get",
      path: probes.path,
      ...VISITORS,
      door: probes.door,
      isFor: async (asked) => probes.isOpen(asked),
    },
  ];
}

/** The request listener of the whole server. */
export function createApp(context: Context): RequestListener {
  const { config, log, store, pods, access, identity, ldp, journal, notifications, underGrants } = context;
  const responder = createResponder({
    log,
    errorPage,
    challenge: challenge(config),
    problemBase: problemBase(config.baseUrl),
  });

  const ready = createReadyAnswers();
  /** Of these, those about what is laid out for thieves. */
  const traps = new WeakSet<Result>();
  const ipOf = createClientAddress(config.trustProxy);
  const { writesPerAgentMax, ratesRemembered } = config.limits;
  const writesOfOthers = createRate(writesPerAgentMax, 60_000, ratesRemembered, context.now);

  /** The one choke point: every need of every operation on a pod is decided here. */
  function authorize(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    needs: readonly Need[],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Authority> {
    return demandAll(access, snapshot, pod, agent, needs, headers);
  }

  /** Also by way of an app, when the owner lets it do all that the owner does. */
  async function isOwner(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<boolean> {
    if (!isOwnerOf(pod, agent)) return false;
    const root = parseTarget(`/${pod.name}/`);
    return (await access.authorize(snapshot, pod, agent, root, ["control"])).kind === "granted";
  }

  /** Everybody else is told the same, whether there is anything or not. */
  function refuseOwners(agent: Agent, headers: Readonly<Record<string, string>>): never {
    if (agent.webid === null) throw new Problem("login-required", undefined, { headers });
    throw new Problem("forbidden", "This is for the owner of the pod", { headers });
  }

  /** Runs what an operation asks for; that it was refused is counted in the pod's journal. */
  async function counted<T>(pod: Pod, operation: Operation, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      journal.refused(pod, operation, error);
      throw error;
    }
  }

  /** @throws Problem `not-found`: only after it is known who asks. */
  function thePod(pod: Pod | null, { target }: Operation): Pod {
    checkLanguage(access.language, target);
    if (!pod) throw new Problem("not-found");
    return pod;
  }

  /**
   * The answer for a pod that is not here any more, whatever is asked of it and by whom; null for all others. Only what a
   * browser asks on its own before a page's request is answered as ever, for it follows no redirects there.
   */
  async function goneElsewhere(request: Request): Promise<Result | null> {
    if (request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined)
      return null;
    if (request.url === "*") return null;
    const target = targetOf(request);
    return goneOf(await pods.find(target.pod), target, request);
  }

  const goneOf = (pod: Pod | null, target: Target, { url }: Request): Result | null =>
    pod && answerOfGone(pod, target, url.split("?", 2)[1] ?? "", context.now());

  async function proved(request: Request, id: string): Promise<Operation> {
    const operation = parseOperation(request, config.baseUrl, id, ipOf(request));
    return withAgent(operation, await identity.verify(operation));
  }

  async function serveRead(
    route: PodRoute,
    found: Pod | null,
    request: Request,
    id: string,
  ): Promise<Result> {
    const operation = await proved(request, id);
    return read(route, thePod(found, operation), operation);
  }

  async function read(route: PodRoute, pod: Pod, operation: Operation): Promise<Result> {
    const { agent, target } = operation;
    const { modes, recorded } = route;
    const run = await route.read?.(operation);
    if (!run) throw new Problem("method-not-allowed");
    let isOpen = false;
    const key = recorded === "look" ? ready.keyOf(operation) : null;
    let generation: number | null = null; // Of an answer that is new, and everybody's.
    let authority = BY_RULES;
    let isTrap = false;
    const attempt = async (snapshot: Snapshot): Promise<Result | null> => {
      generation = null;
      const known = key !== null && ready.has(key) ? ready.find(key, pod, snapshot.generation) : null;
      if (known) {
        isOpen = true;
        isTrap = traps.has(known);
        return known;
      }
      isTrap =
        recorded === "look" && agent.webid !== pod.owner && (await isHoney(snapshot, [target.subject]));
      const permissions =
        modes === "owner"
          ? ownersRead(await isOwner(snapshot, pod, agent))
          : await access.permissions(snapshot, pod, agent, target);
      // Refusals say it, too: who may only add learns it from nothing else.
      const allow = { "wac-allow": wacAllow(permissions) };
      authority = BY_RULES;
      if (modes !== "owner")
        authority = await authorize(snapshot, pod, agent, await modes(snapshot, target, null), allow);
      else if (permissions.user.length === 0) refuseOwners(agent, allow);
      isOpen = recorded === "look" && permissions.public.includes("read");
      const result = await run(snapshot, pod).catch((error: unknown) => {
        throw missing(error, { ...abilityHeaders(natureOf(target, pod.name)), ...allow });
      });
      // https://github.com/solid/solid-spec/blob/main/api-websockets.md
      const live = recorded === "look" &&
        result?.status === 200 && { "updates-via": notifications.updatesVia(pod, agent) };
      const answer = result && { ...result, headers: { ...result.headers, ...allow, ...live } };
      if (key !== null && isOpen) generation = snapshot.generation;
      return answer;
    };
    return counted(pod, operation, async () => {
      for (let tries = 0; tries < READ_TRIES; tries++) {
        const since = underGrants.moment();
        const found = await store.read(pod.id, attempt).catch(async (error: unknown) => {
          throw await ofFailed(context, error, () => operation, since);
        });
        if (!found) continue;
        // Only now: until the store has taken it, the snapshot may turn out to have been two.
        const result = key !== null && generation !== null ? ready.keep(key, pod, generation, found) : found;
        const used = together(authority, authorityIn(result));
        if (used.grants.length > 0)
          try {
            return await underGrants.read(pod, operation, recorded ?? "look", used, result, since);
          } catch (error) {
            if (!hasJustEnded(error) || tries === READ_TRIES - 1) throw error;
            continue;
          }
        // What the endpoint says of itself has no extent, and tells nothing.
        if (recorded === "look" || (recorded === "query" && result.extent))
          await givenOnlyAfter(journal.look(pod, operation, recorded, result, isOpen), result);
        if (isTrap) traps.add(result);
        if (isTrap) void context.consent.honey.noticed(pod, operation); // Nobody waits: it would show.
        return result;
      }
      throw new Problem("unavailable", undefined, { headers: { "retry-after": "1" } });
    });
  }

  async function serveAct(
    { act, isWrite = false }: PodRoute & { readonly act: NonNullable<PodRoute["act"]> },
    found: Pod | null,
    request: Request,
    id: string,
  ): Promise<Result> {
    const operation = await proved(request, id);
    const pod = thePod(found, operation);
    const ip = ipOf(request);
    if (isWrite) {
      pace(pod, operation.agent, ip);
      return counted(pod, operation, () =>
        act(operation, pod, ip).catch(async (error: unknown) => {
          throw await told(error, pod, operation.agent);
        }),
      );
    }
    // That it was refused is counted where there is no secret: some of these addresses are keys.
    const folder = operation.target.path.split("/", 3)[2] ?? "";
    const place = { ...operation, target: parseTarget(`/${pod.name}/${folder}/`) };
    return counted(pod, place, () => act(operation, pod, ip));
  }

  async function serveWrite(
    route: PodRoute,
    found: Pod | null,
    request: Request,
    id: string,
  ): Promise<Result> {
    const operation = await proved(request, id);
    const pod = thePod(found, operation);
    const answer = await counted(pod, operation, () => write(route, pod, operation, ipOf(request)));
    return preferred(pod, operation, answer);
  }

  /**
   * What was written as it is now, for those who would rather have it and may read it: a read like any other.
   * https://www.rfc-editor.org/rfc/rfc7240#section-4.2
   */
  async function preferred(pod: Pod, operation: Operation, answer: Result): Promise<Result> {
    const wanted = preferredReturn(operation.headers["prefer"])?.value.toLowerCase();
    if (answer.status >= 300) return answer;
    if (wanted === "minimal")
      return { ...answer, headers: { ...answer.headers, "preference-applied": "return=minimal" } };
    if (wanted !== "representation" || operation.method === "DELETE") return answer;
    const url = [answer.headers["location"] ?? operation.url].flat().join("");
    const { accept } = operation.headers;
    const shown = await read(reading, pod, {
      ...operation,
      method: "GET",
      url,
      target: parseTarget(url.slice(config.baseUrl.length - 1)),
      query: "",
      headers: { accept },
      body: null,
    }).catch(() => null); // It is written all the same.
    if (shown?.status !== 200) return answer;
    const headers = {
      ...answer.headers,
      ...shown.headers,
      "content-location": url,
      "preference-applied": "return=representation",
    };
    return { ...shown, status: answer.status === 204 ? 200 : answer.status, headers };
  }

  /** A POST to nothing: 404 for those who may know that there is nothing. https://solidproject.org/ED/protocol#server-post-target-not-found */
  async function isKnownAbsence(pod: Pod, { method, agent, target }: Operation): Promise<boolean> {
    if (method !== "POST" || natureOf(target, pod.name) !== "document") return false;
    return store.read(pod.id, async (snapshot) => {
      if (await findResource(snapshot, target.path)) return false;
      return mayReadOf(context, snapshot, pod, agent)(target.path);
    });
  }

  /** @throws Problem `too-many-requests` when somebody else than the owner has made very many entries in the pod's journal. */
  function pace(pod: Pod, agent: Agent, ip: string): void {
    if (agent.webid === pod.owner) return;
    const wait = writesOfOthers(JSON.stringify([pod.id, agent.webid ?? networkOf(ip)]));
    if (wait > 0)
      throw new Problem("too-many-requests", "This pod takes no more changes from you just now", {
        headers: retryAfter(wait),
      });
  }

  /** Whether trash and histories give way in a full pod: to its owner, but not by way of an app that may write in a part of it. */
  async function reclaims(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<boolean> {
    if (agent.webid !== pod.owner) return false;
    const root = parseTarget(`/${pod.name}/`);
    return (await access.authorize(snapshot, pod, agent, root, ["write"])).kind === "granted";
  }

  async function write({ modes }: PodRoute, pod: Pod, operation: Operation, ip: string): Promise<Result> {
    const { target, agent } = operation;
    const nature = natureOf(target, pod.name);
    if (await isKnownAbsence(pod, operation)) throw new Problem("not-found", "There is no folder here");
    if (modes === "owner" || !ALLOWED[nature].includes(operation.method))
      throw new Problem("method-not-allowed", undefined, { headers: { ...abilityHeaders(nature) } });
    // Asked once before a byte of the content is read, so that strangers cannot make us parse.
    const mayReclaim = await store.read(pod.id, async (snapshot) => {
      await authorize(snapshot, pod, agent, await modes(snapshot, target, null));
      return reclaims(snapshot, pod, agent);
    });
    const moved = writeRedirect(operation);
    if (moved) return moved;
    pace(pod, agent, ip); // After that: who may not write is told so, and uses up nothing.
    const prepared = await ldp.writer.prepare(pod, operation, mayReclaim).catch(async (error: unknown) => {
      throw await told(error, pod, agent);
    });
    let tried = BY_RULES;
    const work = async (edit: Edit): Promise<Written> => {
      const { transaction } = edit;
      tried = BY_RULES;
      const needs = await modes(transaction, target, prepared);
      const authority = await authorize(transaction, pod, agent, needs);
      tried = authority;
      const mayRead = mayReadOf(context, transaction, pod, agent);
      const written = await ldp.writer.act(edit, pod, operation, prepared, mayRead);
      const bytes = bytesOf(prepared, operation);
      const { grants, purpose } = authority;
      journal.write(transaction, pod, operation, written.answer(0), {
        bytes,
        folders: edit.made.length,
        onlyAdds: needs.every((need) => !need.modes.includes("write")),
        grants,
        purpose,
      });
      const headers = await underGrants.write(
        transaction,
        pod,
        operation,
        authority,
        written.answer(0),
        bytes,
      );
      return { answer: (version) => withFields(written.answer(version), headers) };
    };
    const { result, generation } = await ldp.edits
      .write(pod, work, {
        reclaims: mayReclaim,
        // Only policies ask who made what: elsewhere nobody need know.
        creator: access.language.name === "acp" ? agent.webid : null,
      })
      .catch(async (error: unknown) => {
        await ldp.writer.discard(pod, prepared).catch(leftBehind); // What is told is why nothing was done, or that nobody knows.
        throw await told(await looked(error, pod, operation, tried), pod, agent);
      });
    const answer = result.answer(generation);
    const usage = await usageHeaders(pod, agent).catch(() => ({})); // It is done, even if nothing can be read any more.
    return { ...answer, headers: { ...answer.headers, ...usage } };
  }

  /**
   * A change that is refused for what is there tells of it as much as a look, to whoever may read it by a grant.
   * @returns the refusal; what may not be told is refused as such.
   */
  async function looked(error: unknown, pod: Pod, operation: Operation, by: Authority): Promise<unknown> {
    if (!by.reads || !(error instanceof Problem) || !TELLING.has(error.status)) return error;
    const { status } = error;
    return underGrants.count(pod, operation, "look", by, { status, headers: {}, body: null }).then(
      (fields) => withHeaders(error, fields),
      (refusal: unknown) => refusal,
    );
  }

  const leftBehind = (cause: unknown): void => log.error("blob.not-released", { cause: String(cause) });

  async function usageHeaders(pod: Pod, agent: Agent): Promise<NonNullable<Result["headers"]>> {
    return (await mayKnowUsage(pod, agent)) ? ldp.quota.headers(pod) : {};
  }

  /** How full a pod is tells about all of it: for whoever has Control of all of it. */
  async function mayKnowUsage(pod: Pod, agent: Agent): Promise<boolean> {
    if (agent.webid === null) return false;
    const root = parseTarget(`/${pod.name}/`);
    const decision = await store.read(pod.id, (snapshot) =>
      access.authorize(snapshot, pod, agent, root, ["control"]),
    );
    return decision.kind === "granted";
  }

  /** That a pod is full is told to everybody who may write to it; how full, only to who may know. */
  async function told(error: unknown, pod: Pod, agent: Agent): Promise<unknown> {
    const isFull = error instanceof Problem && error.code === "quota-exceeded";
    return isFull && (await mayKnowUsage(pod, agent)) ? ldp.quota.explain(pod) : error;
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
    const { language } = access;
    checkLanguage(language, target);
    const own = linkHeader(config.baseUrl, target, nature, "", language);
    const link = target.auxiliary === "acl" ? [own, ...language.optionLinks].join(", ") : own;
    return { ...answer, headers: { ...abilities, link, ...answer.headers } };
  }

  /** @param isForAll Whether pages of all origins may read the answer. */
  function handle(serve: (request: Request, id: string) => Promise<Result>, isForAll: boolean) {
    return async (request: Request, response: Response): Promise<void> => {
      const id = requestIdOf(request);
      const started = performance.now();
      try {
        const result = await serve(request, id);
        await responder.send(request, response, isForAll ? withCors(request, result) : result, id);
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
  app.set("trust proxy", trustProxy(config.trustProxy));

  app.use((request, _response, next) => {
    checkMessage(request, config.limits);
    next();
  });

  const dataBrowser = createDataBrowser(config, challenge(config));
  const doors = doorRoutes(context, dataBrowser);
  const own = express.Router({ caseSensitive: true, strict: true });
  for (const { verb, path, door, origins } of doors)
    own[verb](
      path,
      handle((request, id) => serveDoor(door, request, id), origins === "all"),
    );
  /** A door for some; all others go on, to where nothing stands. */
  function hidden({ verb, door, isFor }: HiddenRoute) {
    const open = handle((request, id) => serveDoor(door, request, id), false);
    const methods = verb === "get" ? ["GET", "HEAD"] : [verb.toUpperCase()];
    return async (request: Request, response: Response, next: () => void): Promise<void> => {
      if (!methods.includes(request.method)) return next();
      const params = request.params as Record<string, string>;
      const asked = parseDoorRequest(request, config.baseUrl, params, "", request.ip ?? "");
      return (await isFor(asked)) ? open(request, response) : next();
    };
  }
  // By all methods: of a route with one, Express would answer OPTIONS by itself, and so tell that it is there.
  for (const route of hiddenRoutes(context)) own.all(route.path, hidden(route));
  for (const [path, here] of Map.groupBy(doors, (route) => route.path)) {
    const isForAll = here.some(({ origins }) => origins === "all");
    own.all(
      path,
      handle((request) => serveRestOfDoor(request, here, isForAll), isForAll),
    );
  }
  // Their first segments tell them from pods, whose requests need not be held against each of them.
  const firstOf = (path: string): string => path.split("/", 2)[1] ?? "";
  const firsts = new Set(doors.map(({ path }) => firstOf(path)));
  app.use((request, response, next) =>
    firsts.has(firstOf(request.path)) ? own(request, response, next) : next(),
  );
  // After our own doors, for some of them stand among its addresses.
  app.use((request, response, next) => {
    const { provider } = identity;
    if (!provider.owns(request.path)) return next();
    // The one handler that writes for itself: the library's own, behind its own cookies and caches.
    provider
      .handle(request, response, request.ip)
      .catch((error: unknown) => responder.sendError(request, response, error, requestIdOf(request), true));
  });

  /** Refusals say where access can be asked for, and where the storage is described: both hang on the address alone. */
  function described<T>(error: T, request: Request): T | Problem {
    if (!(error instanceof Problem)) return error;
    try {
      const target = targetOf(request);
      if (target.pod === "") return error;
      const refusal = withRequestService(error, `${config.baseUrl}${target.pod}/`);
      if (!["GET", "HEAD"].includes(request.method)) return refusal;
      return withHeaders(refusal, { link: describedStorage(config.baseUrl, target) });
    } catch {
      return error; // An address that is none.
    }
  }

  const shown = ({ recorded }: PodRoute, request: Request, answer: Promise<Result>): Promise<Result> =>
    dataBrowser && recorded === "look" && dataBrowser.isAskedFor(request.headers)
      ? dataBrowser.inPlaceOf(answer, (refusal) => described(refusal, request))
      : answer;
  const routes = podRoutes(context);
  const everywhere = new Map<string, Handler>();
  const reading = routes.find(({ verb, path }) => verb === "get" && path === EVERYWHERE)!;
  for (const route of routes) {
    const serve = async (request: Request, id: string): Promise<Result> => {
      try {
        const target = targetOf(request);
        const pod = await pods.find(target.pod);
        const gone = goneOf(pod, target, request);
        if (gone) return gone;
        return await (route.act
          ? serveAct({ ...route, act: route.act }, pod, request, id)
          : route.read
            ? shown(route, request, serveRead(route, pod, request, id))
            : serveWrite(route, pod, request, id));
      } catch (error) {
        throw described(error, request);
      }
    };
    const handler = handle(serve, true);
    app[route.verb](route.path, handler);
    if (route.path === EVERYWHERE) everywhere.set(route.verb.toUpperCase(), handler as Handler);
  }
  everywhere.set("HEAD", everywhere.get("GET")!);
  app.use(handle(async (request) => (await goneElsewhere(request)) ?? serveRestOfPod(request), true));
  app.use((error: unknown, request: Request, response: Response, _next: unknown) => {
    const problem =
      error instanceof URIError ? new Problem("path-invalid", undefined, { cause: error }) : error;
    void responder.sendError(request, response, problem, requestIdOf(request), true);
  });
  const front = createFront({
    handlers: everywhere,
    doors: firsts,
    own: new Set(
      routes.filter(({ path }) => path !== EVERYWHERE).map(({ path }) => path.split(/[/{]/)[2] ?? ""),
    ),
    check: (request) => checkMessage(request, config.limits),
    refuse: (request, response, error) =>
      void responder.sendError(request, response, error, requestIdOf(request), true),
    router: app,
  });
  return (request, response) => {
    request.url = originForm(request.url ?? "/");
    front(request, response);
  };
}
