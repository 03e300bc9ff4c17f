/** The composition root: everything that has a lifetime, made once, passed on by name. Only this file names an engine. */

import { solid } from "@freehold/vocab";
import { type Access, createAccess } from "./access/authorize.ts";
import { type AccountService, createAccounts } from "./account/accounts.ts";
import { createOwnerAccess } from "./account/owner-access.ts";
import { type AgentVerifier, createAgentVerifier } from "./auth/agent.ts";
import { createProvider, type Provider } from "./auth/provider.ts";
import type { Config } from "./config.ts";
import { parseTarget } from "./iri.ts";
import { type NewDocument, putDocuments } from "./ldp/documents.ts";
import { findStored } from "./ldp/find.ts";
import { createReader, type Reader } from "./ldp/read.ts";
import { createWriter, type Writer } from "./ldp/write.ts";
import { createLog, type Log } from "./log.ts";
import { createRegistry, type Registry } from "./passport/registry.ts";
import { createQueries, type Queries } from "./query/endpoint.ts";
import { parseRdf } from "./rdf/parse.ts";
import { createSafeFetch } from "./safe-fetch.ts";
import { createShapes } from "./shapes/validate.ts";
import { createPods, type Pod, type Pods } from "./store/pods.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { Store } from "./store/store.ts";

export interface Identity {
  readonly verify: AgentVerifier;
  readonly provider: Provider;
  readonly accounts: AccountService;
  readonly registry: Registry;
}

export interface Context {
  readonly config: Config;
  readonly now: () => Date;
  readonly log: Log;
  readonly store: Store;
  readonly pods: Pods;
  readonly access: Access;
  readonly ldp: { readonly reader: Reader; readonly writer: Writer };
  readonly queries: Queries;
  readonly identity: Identity;
  /** Writes documents that are no request: their bytes must be valid already. */
  readonly writeDocuments: (pod: Pod, documents: readonly NewDocument[]) => Promise<void>;
  close(): Promise<void>;
}

const SWEEP_MS = 3_600_000; // Logins that have ended are forgotten about hourly.
const DOCUMENTS_PER_COMMIT = 200; // An import is many small commits, so that it never holds up other writers for long.

/**
 * In-process answer to "which issuers does this WebID trust?", for WebIDs of this server. Only the WebIDs of pods' owners
 * are people here: what else looks like a WebID in a pod, any app that may write there could have made.
 */
function createLocalIssuers(store: Store, pods: Pods, baseUrl: string) {
  return async (webid: string): Promise<readonly string[] | null> => {
    if (!webid.startsWith(baseUrl)) return null;
    const url = webid.split("#", 1)[0] ?? "";
    const target = parseTarget(url.slice(baseUrl.length - 1));
    const pod = await pods.find(target.pod);
    if (pod?.owner !== webid) return [];
    return store.read(pod.id, async (snapshot) => {
      const stored = await findStored(snapshot, target);
      if (!stored?.isRdf || !stored.bytes) return [];
      const quads = await parseRdf(stored.bytes, stored.contentType, url);
      return quads.flatMap(({ subject, predicate, object }) =>
        subject.value === webid && predicate.value === solid.oidcIssuer ? [object.value] : [],
      );
    });
  };
}

/** @param writeLog Takes each line of the log. */
export async function createContext(config: Config, writeLog: (line: string) => void): Promise<Context> {
  const { baseUrl, limits, egressAllow } = config;
  const now = () => new Date();
  const log = createLog(writeLog, now, config.logLevel);
  const store = await openSqliteStore({
    folder: config.dataFolder,
    rootKeyFile: config.rootKeyFile,
    limits,
    log,
    now,
  });
  const pods = createPods(store, now);
  const access = createAccess({ baseUrl, pods, store, limits });
  const shapes = createShapes(limits);
  const safeFetch = createSafeFetch({ egressAllow, limits, log });

  const writer = createWriter({
    baseUrl,
    blobs: store.blobs,
    limits,
    now,
    checkAcl: (...args) => access.checkAcl(...args),
    async validate(quads, shapeIri) {
      if (!shapes.has(shapeIri)) return null; // A shape of somebody else's is a remark, not a rule of this server.
      const { conforms, errors, report } = await shapes.validate(quads, shapeIri);
      return conforms ? null : { errors, report };
    },
  });
  async function writeDocuments(pod: Pod, documents: readonly NewDocument[]): Promise<void> {
    for (let from = 0; from < documents.length; from += DOCUMENTS_PER_COMMIT) {
      const some = documents.slice(from, from + DOCUMENTS_PER_COMMIT);
      await store.write(pod.id, (transaction) => putDocuments(transaction, some, now().getTime()));
    }
  }

  const registry = createRegistry({ store, now, zones: config.zones, baseUrl, limits, log });
  const accounts = createAccounts({
    store,
    pods,
    now,
    limits,
    config,
    log,
    seed: writeDocuments,
    passport: registry,
    access: createOwnerAccess({ baseUrl, store, access, limits, now }),
  });
  const provider = createProvider({
    baseUrl,
    bearer: config.bearer,
    ath: config.ath,
    egressAllow,
    limits,
    now,
    log,
    store,
    accounts,
    safeFetch,
  });
  const verify = createAgentVerifier({
    baseUrl,
    bearer: config.bearer,
    ath: config.ath,
    limits,
    now,
    log,
    safeFetch,
    ownKeys: () => provider.publicKeys(),
    localIssuers: createLocalIssuers(store, pods, baseUrl),
  });
  const sweep = setInterval(() => {
    provider.sweep().catch((error: unknown) => log.error("provider.sweep-failed", { cause: String(error) }));
  }, SWEEP_MS).unref();
  const queries = createQueries({ baseUrl, limits, log, access });

  return {
    config,
    now,
    log,
    store,
    pods,
    access,
    ldp: { reader: createReader(baseUrl, store.blobs), writer },
    queries,
    identity: { verify, provider, accounts, registry },
    writeDocuments,
    async close() {
      clearInterval(sweep);
      await queries.close();
      await store.close();
    },
  };
}
