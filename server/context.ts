/** The composition root: everything that has a lifetime, made once, passed on by name; long, for it is one list. Only this file names an engine. */

import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { didOf, isPassportId } from "@freehold/client/passport";
import { solid } from "@freehold/vocab";
import { type Access, createAccess } from "./access/authorize.ts";
import { demandAll } from "./access/demand.ts";
import { isOwnPlace } from "./access/grants.ts";
import { keepLanguage } from "./access/language.ts";
import { createRestrictions, type Restrictions } from "./access/restriction.ts";
import { type AccountService, createAccounts } from "./account/accounts.ts";
import { accountToExport, closeAccount } from "./account/close.ts";
import { createOwnerAccess } from "./account/owner-access.ts";
import { accountOfPod, putAccount } from "./account/records.ts";
import type { OwnerSafekeeping } from "./account/safekeeping-doors.ts";
import { type AgentVerifier, createAgentVerifier } from "./auth/agent.ts";
import { createGrantTokens, type GrantTokens } from "./auth/grant-token.ts";
import { createProvider, type Provider } from "./auth/provider.ts";
import { type Backups, createBackups } from "./backup/backups.ts";
import { refuseHalfRestored } from "./backup/restore.ts";
import { createPodReader } from "./cli/pod-reader.ts";
import type { Config } from "./config.ts";
import { type Consent, type ConsentDeps, createConsent } from "./consent/consent.ts";
import { writeOwnersNotice } from "./consent/notices.ts";
import { createUnderGrants, type UnderGrants } from "./consent/under-grants.ts";
import { Problem } from "./errors.ts";
import { VERSION } from "./health.ts";
import { createClientAddress } from "./http/client-address.ts";
import { createOwnersImports, type OwnersImports } from "./import/owners-imports.ts";
import { parseTarget, parseWebId } from "./iri.ts";
import { createJobs, type Jobs } from "./jobs.ts";
import { createJournalReader, type JournalReader } from "./journal/container.ts";
import { decodeEntry, OPERATOR, SERVER } from "./journal/entry.ts";
import { createJournal, type PodJournal } from "./journal/journal.ts";
import { changeCard, withName, withPassport } from "./ldp/card.ts";
import {
  changeLists,
  link,
  type NewDocument,
  putAuxiliary,
  putContainer,
  putDocument,
  putDocuments,
  removeResource,
} from "./ldp/documents.ts";
import { createEdits, type Edit, type Edits } from "./ldp/edit.ts";
import { findResource, findStored, otherForm } from "./ldp/find.ts";
import { isOwnAddress, natureOf } from "./ldp/headers.ts";
import { createKeeping, type Keeping } from "./ldp/keeping.ts";
import { needsOfChange, needsOfDelete } from "./ldp/needs.ts";
import { createPages } from "./ldp/pages.ts";
import { findPresent } from "./ldp/present.ts";
import { createQuota, createReclaim, type Quota } from "./ldp/quota.ts";
import { createReader, type Reader } from "./ldp/read.ts";
import { createSweep } from "./ldp/sweep.ts";
import { createWriter, type Writer, type WriterDeps } from "./ldp/write.ts";
import type { Limits } from "./limits.ts";
import { createLog, type Log } from "./log.ts";
import { createTypeSearch, type TypeSearch } from "./lws/search.ts";
import { withHints } from "./notify/hints.ts";
import { createNotifications, type Notifications } from "./notify/notify.ts";
import { createWebhooks, type Webhooks } from "./notify/webhook.ts";
import { createOpenAnswers } from "./open-answers.ts";
import { type By, type Door, PUBLIC_AGENT } from "./operation.ts";
import { createArrival } from "./passport/arrival.ts";
import { createLinks } from "./passport/both-ways.ts";
import { adoptFormer } from "./passport/former.ts";
import { createHosting, type Hosting } from "./passport/hosting.ts";
import { serverKey } from "./passport/keyring.ts";
import type { RegistryLink } from "./passport/link.ts";
import { createProofDoor } from "./passport/proof.ts";
import { createRemoteLink, type RemoteLink } from "./passport/remote.ts";
import { createVouching } from "./passport/vouch.ts";
import { createProbes, type Probes } from "./probe.ts";
import { cardPath, inboxPath } from "./profile.ts";
import { createQueries, type Queries } from "./query/endpoint.ts";
import { createKeptIndexes } from "./query/index/kept.ts";
import { createSearch, type Search } from "./query/search/endpoint.ts";
import { createUpdates, type Updates } from "./query/update/updates.ts";
import { mediaTypeOf } from "./rdf/media.ts";
import { parseRdf } from "./rdf/parse.ts";
import type { Quad } from "./rdf/terms.ts";
import { createRegistryDoors, type RegistryDoors } from "./registry/doors/doors.ts";
import { createOwnRegistry, type OwnRegistry } from "./registry/own.ts";
import { governanceDoors } from "./registry/registrars/doors.ts";
import { createScorecards } from "./registry/registrars/scorecards.ts";
import { createFollower, type GovernanceSource } from "./registry/vendors/follow.ts";
import { createVendorRegister } from "./registry/vendors/register.ts";
import { createRemoteSource } from "./registry/vendors/remote.ts";
import { createSafeFetch, createSafeSend, type SafeFetch } from "./safe-fetch.ts";
import type { PageEdit } from "./series/append.ts";
import { OBSERVATION_SHAPE } from "./series/observation.ts";
import type { Series } from "./series/port.ts";
import { createSeries } from "./series/series.ts";
import { createShapes } from "./shapes/validate.ts";
import { withChanges } from "./store/changes.ts";
import { createPods, type Pod, type Pods } from "./store/pods.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { SERVER_POD, type Store, type Transaction } from "./store/store.ts";
import { createErasure, type Erasure } from "./transfer/erasure.ts";
import { createTransfer, type Transfer } from "./transfer/transfer.ts";
import { createVitals, type Vitals } from "./vitals.ts";

export interface Identity {
  readonly verify: AgentVerifier;
  readonly provider: Provider;
  /** For credentials that are exchanged for tokens. */
  readonly grantTokens: GrantTokens;
  readonly accounts: AccountService;
  /** The passports of this server's pods. */
  readonly hosting: Hosting;
  /** Where they are registered. */
  readonly registry: RegistryLink;
}

/** What may be done with a pod's documents. */
export interface Documents {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly edits: Edits;
  readonly quota: Quota;
  readonly keeping: Keeping;
  readonly restrictions: Restrictions;
  readonly transfer: Transfer;
  readonly erasure: Erasure;
  readonly imports: OwnersImports;
  readonly typeSearch: TypeSearch;
}

export interface Context {
  readonly config: Config;
  readonly now: () => Date;
  readonly log: Log;
  /** What whoever runs the server looks at: how it is doing, its long work, how requests arrive. */
  readonly vitals: Vitals;
  readonly jobs: Jobs;
  readonly probes: Probes;
  readonly store: Store;
  readonly pods: Pods;
  readonly access: Access;
  readonly ldp: Documents;
  readonly queries: Queries;
  readonly search: Search;
  readonly updates: Updates;
  readonly series: Series;
  readonly identity: Identity;
  /**
   * Takes in a passport whose owner has signed that this server is its host, and writes its name into the public card.
   * @param signed The operation that says so; or the name of a passport that says so already.
   */
  readonly takeIn: (pod: Pod, signed: unknown) => Promise<{ readonly id: string }>;
  /** The registry in this process; null where passports are registered elsewhere. */
  readonly registry: (OwnRegistry & { readonly doors: RegistryDoors }) | null;
  /** Shows whoever asks that a passport leads here. */
  readonly proofDoor: Door;
  readonly journal: PodJournal & { readonly reader: JournalReader };
  readonly backups: Backups;
  /** The owner's name, new keys and the last backup, for the owner's page. */
  readonly safekeeping: OwnerSafekeeping;
  /** What vendors ask for, what the owner decides, what is granted, seen and received. */
  readonly consent: Consent;
  readonly underGrants: UnderGrants;
  readonly notifications: Notifications & { readonly webhooks: Pick<Webhooks, "begin" | "senderDocument"> };
  /** Writes documents that are no request: their bytes must be valid already. */
  readonly writeDocuments: (pod: Pod, documents: readonly NewDocument[]) => Promise<void>;
  close(): Promise<void>;
}

const REGISTRY_TICK_MS = 10_000; // What waits for days may wait for seconds more.
const SWEEP_MS = 3_600_000; // Logins that have ended are forgotten about hourly.
const OPEN_ANSWERS_RECHECK_MS = 1_000; // Where no commit tells of it: grants end by the clock, and on other servers.
const DOCUMENTS_PER_COMMIT = 200; // An import is many small commits, so that it never holds up other writers for long.

/**
 * What the document of a WebID of this server says; null for WebIDs of others. Only the WebIDs of pods' owners are people
 * here: what else looks like a WebID in a pod, any app that may write there could have made.
 */
function createLocalDocuments(store: Store, pods: Pods, baseUrl: string) {
  return async (webid: string): Promise<readonly Quad[] | null> => {
    if (!webid.startsWith(baseUrl)) return null;
    const url = webid.split("#", 1)[0] ?? "";
    const target = parseTarget(url.slice(baseUrl.length - 1));
    const pod = await pods.find(target.pod);
    if (pod?.owner !== webid || pod.erased !== undefined) return [];
    return store.read(pod.id, async (snapshot) => {
      const stored = await findStored(snapshot, target);
      return stored?.isRdf && stored.bytes ? parseRdf(stored.bytes, stored.contentType, url) : [];
    });
  };
}

/** What a zone elsewhere says of registrars and vendors. */
const governanceOf = (link: RemoteLink, zone: string): GovernanceSource =>
  createRemoteSource({
    zone,
    urls: async () => (await link.root()).zones[zone]?.urls ?? [],
    keys: async () => (await link.root()).zones[zone]?.keys ?? [],
    fetchText: (url) => link.textAt(url),
  });

type LocalDocuments = ReturnType<typeof createLocalDocuments>;

/** In-process answer to "which issuers does this WebID trust?", for WebIDs of this server. */
function createLocalIssuers(documentOf: LocalDocuments) {
  return async (webid: string): Promise<readonly string[] | null> => {
    const quads = await documentOf(webid);
    return (
      quads?.flatMap(({ subject, predicate, object }) =>
        subject.value === webid && predicate.value === solid.oidcIssuer ? [object.value] : [],
      ) ?? null
    );
  };
}

/** The document of any WebID; null when it cannot be had. */
function createWebIdDocuments(local: LocalDocuments, safeFetch: SafeFetch, { egressWebIdBytesMax }: Limits) {
  return async (webid: string, ip: string): Promise<readonly Quad[] | null> => {
    const own = await local(webid);
    if (own) return own;
    try {
      const { bytes, headers, url } = await safeFetch(webid.split("#", 1)[0] ?? "", {
        accept: "text/turtle, application/ld+json;q=0.9, application/n-triples;q=0.8",
        bytesMax: egressWebIdBytesMax,
        kind: "webid",
        ip,
      });
      return await parseRdf(bytes, mediaTypeOf(headers["content-type"] ?? ""), url);
    } catch (error) {
      if (error instanceof Problem && error.code !== "too-many-requests") return null;
      throw error;
    }
  };
}

/**
 * A commit of consent: what is left for the owner stands in the inbox from the same moment on. Where the pod is full, it is
 * done all the same, for the request itself says what the notice would.
 */
function createConsentCommit(
  edits: Edits,
  baseUrl: string,
  record: (transaction: Transaction, pod: Pod, path: string, bytes: number) => void,
): ConsentDeps["commit"] {
  return async (pod, work) => {
    const run = async (hasRoom: boolean) => {
      const { result } = await edits.write(pod, (edit) =>
        work(edit.transaction, async (notice) => {
          if (!hasRoom) return;
          const path = `${inboxPath(pod.name)}${randomUUID()}`;
          const bytes = writeOwnersNotice(notice, `${baseUrl}${pod.name}/`);
          await putDocument(edit, path, { kind: "rdf", contentType: "application/ld+json", bytes });
          record(edit.transaction, pod, path, bytes.length);
        }),
      );
      return result;
    };
    try {
      return await run(true);
    } catch (error) {
      if (error instanceof Problem && error.code === "quota-exceeded") return run(false);
      throw error;
    }
  };
}

/** @throws Problem `conflict` where the server's own addresses are: nothing can stand there. */
function checkPlace(pod: Pod, path: string): void {
  if (isOwnAddress(natureOf(parseTarget(path), pod.name)))
    throw new Problem("conflict", "This address is the server's own");
}

/**
 * The store that the settings name.
 * @param keyring That of a backup, to begin with in an empty folder.
 * @throws StoreRefused, OperatorError with what to do.
 */
export async function openStore(
  config: Pick<Config, "dataFolder" | "rootKeyFile" | "limits" | "store">,
  log: Log,
  now: () => Date,
  keyring?: Uint8Array,
): Promise<Store> {
  const { dataFolder: folder, rootKeyFile, limits } = config;
  if (config.store !== "sqlite") {
    await mkdir(folder, { recursive: true, mode: 0o700 }); // For what is this server's own: its socket, its backups.
    const { openPostgresStore } = await import("./store/postgres.ts"); // With its driver: only where it is used.
    return openPostgresStore({
      url: config.store,
      rootKeyFile,
      limits,
      log,
      now,
      ...(keyring && { keyring }),
    });
  }
  if (!keyring) await refuseHalfRestored(folder);
  return openSqliteStore({ folder, rootKeyFile, limits, log, now, ...(keyring && { keyring }) });
}

/** @param writeLog Takes each line of the log. */
export async function createContext(config: Config, writeLog: (line: string) => void): Promise<Context> {
  const { baseUrl, limits, egressAllow } = config;
  const now = () => new Date();
  const vitals = createVitals(createLog(writeLog, now, config.logLevel), now);
  const { log } = vitals;
  const jobs = createJobs(now);
  const { store: engine, changes } = withChanges(await openStore(config, log, now));
  const hinting = withHints(engine);
  const { store } = hinting;
  const pods = createPods(store, now);
  await keepLanguage(store, pods, config.access).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const access = createAccess({
    baseUrl,
    pods,
    store,
    limits,
    now,
    language: config.access,
    reachOf: (webid, client) => provider.reachOf(webid, client),
  });
  const shapes = createShapes(limits);
  const safeFetch = createSafeFetch({ egressAllow, limits, log });
  const localDocuments = createLocalDocuments(store, pods, baseUrl);

  const quota = createQuota(store, limits);
  await quota.countOnce(await pods.list());
  const edits = createEdits({
    store,
    limits,
    now,
    reclaim: createReclaim(store, limits, now),
    onLeftFile: (cause) => log.error("blob.not-released", { cause: String(cause) }),
  });
  const validate: WriterDeps["validate"] = async (quads, shapeIri) => {
    if (!shapes.has(shapeIri)) return null; // A shape of somebody else's is a remark, not a rule of this server.
    const { conforms, errors, report } = await shapes.validate(quads, shapeIri);
    return conforms ? null : { errors, report };
  };
  const writer = createWriter({
    baseUrl,
    language: access.language,
    blobs: store.blobs,
    limits,
    now,
    checkRoom: (...args) => quota.checkRoom(...args),
    checkAcl: (...args) => access.checkAcl(...args),
    validate,
  });
  const reader = createReader({
    baseUrl,
    language: access.language,
    store,
    limits,
    stillMay: async (snapshot, pod, { agent, target }) =>
      (await access.authorize(snapshot, pod, agent, target, ["read"])).kind === "granted",
    grants: access.grants,
  });
  const typeSearch = createTypeSearch({ baseUrl, limits, access });
  const podJournal = createJournal({ baseUrl, store, pods, limits, log, now });
  const journal = { ...podJournal, reader: createJournalReader({ baseUrl, journal: podJournal, limits }) };
  const recordAs = (
    transaction: Transaction,
    pod: Pod,
    act: "restore" | "erase" | "restrict" | "release",
    path: string,
    by: By,
  ): void => {
    const who = by === "operator" ? { agent: OPERATOR } : { agent: pod.owner, client: `${baseUrl}.account/` };
    journal.record(transaction, pod, { act, path, ...who });
  };
  const keeping = createKeeping({
    baseUrl,
    language: access.language,
    store,
    edits,
    writer,
    limits,
    now,
    record: recordAs,
  });
  const restrictions = createRestrictions({ store, limits, now, record: recordAs });
  const writeAs =
    (act: "create" | "import", agentOf: (pod: Pod) => string) =>
    async (pod: Pod, documents: readonly NewDocument[]): Promise<void> => {
      for (let from = 0; from < documents.length; from += DOCUMENTS_PER_COMMIT) {
        const some = documents.slice(from, from + DOCUMENTS_PER_COMMIT);
        await edits.write(pod, async (edit) => {
          await putDocuments(edit, some);
          for (const path of edit.made)
            journal.record(edit.transaction, pod, { act, agent: agentOf(pod), path });
          for (const { path, bytes } of some)
            journal.record(edit.transaction, pod, {
              act,
              agent: agentOf(pod),
              path,
              bytes: path.endsWith("/") ? null : bytes.length,
            });
        });
      }
    };

  const imports = createOwnersImports({
    baseUrl,
    store,
    limits,
    now,
    readerOf: (pod) => createPodReader(store, pod),
    write: writeAs("import", (pod) => pod.owner),
    versions: (pod, path) => keeping.versions(pod, path),
    restoreVersion: (pod, path, number) => keeping.restoreVersion(pod, path, number, "owner"),
    async remove(pod, paths, until) {
      const { result } = await edits.write(pod, async (edit) => {
        const gone: string[] = [];
        for (const path of paths) {
          const found = await findResource(edit.transaction, path);
          if (!found || found.record.modified > until) continue;
          const members = edit.transaction.list("resource", path)[Symbol.asyncIterator]();
          if (path.endsWith("/") && !(await members.next()).done) continue;
          await removeResource(edit, path, found.record);
          journal.record(edit.transaction, pod, {
            act: "delete",
            agent: pod.owner,
            client: `${baseUrl}.account/`,
            path,
          });
          gone.push(path);
        }
        return gone;
      });
      return result;
    },
  });

  const streamPages = createPages({ baseUrl, validate, limits }, OBSERVATION_SHAPE);
  const pageEdit = (edit: Edit): PageEdit => ({
    transaction: edit.transaction,
    made: edit.made,
    put: (...page) => streamPages.put(edit, ...page),
    remove: (path) => streamPages.remove(edit, path),
  });
  const series = createSeries({
    baseUrl,
    limits,
    now,
    access,
    checkPlace,
    read: (pod, work) => store.read(pod.id, work),
    async edit(pod, agent, reclaims, work) {
      const creator = access.language.name === "acp" ? agent.webid : null;
      const committed = await edits.write(pod, (edit) => work(pageEdit(edit)), { reclaims, creator });
      return committed.result;
    },
    async clear(pod, folder, work) {
      const committed = await edits.write(pod, async (edit) => {
        journal.record(edit.transaction, pod, { act: "erase", agent: SERVER, path: folder });
        return work(pageEdit(edit));
      });
      return committed.result;
    },
    record: (...batch) => journal.write(...batch),
    underGrants: (...batch) => underGrants.write(...batch),
  });

  const ownRegistry =
    config.registry === ""
      ? await createOwnRegistry({
          store,
          now,
          log,
          limits,
          folder: config.dataFolder,
          baseUrl,
          zones: config.zones,
          registrar: { name: config.registrar, key: (await serverKey(store, "registrar")).key },
          isHost: (key, id) => hosting.isHost(key, id),
          onTaken: (id) => hosting.follow(id),
        }).catch(async (error: unknown) => {
          await store.close();
          throw error;
        })
      : null;
  const remoteRegistry = ownRegistry
    ? null
    : createRemoteLink({
        ...config,
        store,
        now,
        send: createSafeSend({ egressAllow, limits, log }),
        allowUrl: ({ origin }) => egressAllow.includes(origin) || baseUrl.startsWith(`${origin}/`),
      });
  const registry: RegistryLink = ownRegistry
    ? { ...ownRegistry, url: baseUrl, registrar: config.registrar, zones: config.zones, hasOneHostKey: false }
    : remoteRegistry!;
  const hosting = createHosting({ store, now, link: registry, baseUrl, limits, log });
  if (ownRegistry) await adoptFormer(store, log, (former) => ownRegistry.adopt(former));
  const accounts = createAccounts({
    store,
    pods,
    now,
    limits,
    config,
    log,
    seed: writeAs("create", () => SERVER),
    passport: hosting,
    access: createOwnerAccess({
      baseUrl,
      store,
      access,
      limits,
      change: changeLists(edits),
      record: (transaction, pod, act, path) =>
        journal.record(transaction, pod, { act, agent: pod.owner, client: `${baseUrl}.account/`, path }),
    }),
  });
  const transfer = createTransfer({
    baseUrl,
    language: access.language,
    store,
    pods,
    limits,
    now,
    server: `Freehold ${VERSION}`,
    place: async (pod, work) => {
      await edits.write(pod, async (edit) => {
        const { transaction } = edit;
        let isRecorded = false;
        // One entry for each; who brought the archive is in the entry of the whole import.
        const record = (path: string): void => {
          journal.record(transaction, pod, { act: "import", agent: SERVER, path });
          isRecorded = true;
        };
        await work({
          transaction,
          async putFolder(path) {
            checkPlace(pod, path);
            if (!(await findResource(transaction, path))) {
              if (await findResource(transaction, otherForm(path)))
                throw new Problem("conflict", "A document has this name");
              putContainer(edit, path);
            }
            await link(edit, path);
            record(path);
          },
          async putDocument(path, content) {
            checkPlace(pod, path);
            await putDocument(edit, path, content);
            record(path);
          },
          async putAuxiliary(subject, item, document) {
            await putAuxiliary(edit, subject, item, document);
            record(`${subject}.${item}`);
          },
        });
        for (const path of edit.made) record(path);
        if (!isRecorded) record(`/${pod.name}/`);
      });
    },
    checkAcl: (...args) => access.checkAcl(...args),
    consents: {
      lines: (...asked) => consent.move.leaving.lines(...asked),
      statement: (...asked) => consent.move.leaving.statement(...asked),
    },
    arrive: (...came) => consent.move.arrive(...came),
    entryOf: decodeEntry,
    accountOf: async ({ name }) => accountToExport(accounts, provider, name),
    async passportOf({ name }) {
      const id = await hosting.ofPod(name);
      const operations = id && (await registry.bundle(id));
      return operations && { id: operations.id, operations };
    },
    async publish({ name, owner }, storage) {
      try {
        await hosting.publish(name, { webid: [owner], storage });
        return "updated";
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.code === "not-found") return "none";
        // A host can say nothing about storage at others; but its new host may have said it already.
        const id = await hosting.ofPod(name);
        const known = id && (await registry.find(id).catch(() => null));
        return known?.data?.op.storage.some(({ url }) => url === storage) ? "updated" : "owner-must-sign";
      }
    },
  });
  const provider = createProvider({
    baseUrl,
    bearer: config.bearer,
    ath: config.ath,
    dpopNonce: config.dpopNonce,
    egressAllow,
    limits,
    now,
    log,
    store,
    accounts,
    safeFetch,
  });
  const grantTokens = createGrantTokens(store, now);
  const verify = createAgentVerifier({
    baseUrl,
    grantTokens,
    bearer: config.bearer,
    ath: config.ath,
    nonces: provider.nonces,
    limits,
    now,
    log,
    safeFetch,
    ownKeys: () => provider.publicKeys(),
    reachOf: (webid, client) => provider.reachOf(webid, client),
    localIssuers: createLocalIssuers(localDocuments),
  });
  const listening = await createNotifications({
    baseUrl,
    store,
    pods,
    access,
    limits,
    log,
    now,
    verify,
    entryOf: decodeEntry,
    async presentOf(snapshot, path) {
      if (!isOwnPlace(path)) return findPresent(snapshot, path);
      const pod = await pods.find(parseTarget(path).pod);
      return pod && consent.views.present(snapshot, pod, path);
    },
    isResource(target) {
      const nature = natureOf(target, target.pod);
      return nature === "view" || !isOwnAddress(nature);
    },
    async record(pod, operation, topic) {
      const target = parseTarget(topic);
      const asked = { ...operation, target };
      const [authority, { public: open }] = await store.read(pod.id, async (snapshot) => [
        await demandAll(access, snapshot, pod, operation.agent, [{ target, modes: ["read"] }]),
        await access.permissions(snapshot, pod, operation.agent, target),
      ]);
      const told = { status: 200, headers: {}, body: null };
      if (authority.grants.length > 0) return underGrants.count(pod, asked, "look", authority, told);
      await journal.look(pod, asked, "look", told, open.includes("read"));
      return {};
    },
    isShared: hinting.isShared,
    ipOf: createClientAddress(config.trustProxy),
  });
  const openAnswers = createOpenAnswers(OPEN_ANSWERS_RECHECK_MS, log);
  hinting.onCommit((pod, areGrantsNew) => {
    listening.hint(pod, areGrantsNew);
    consent.notices.committed(pod);
    if (areGrantsNew) openAnswers.changed(pod);
  });
  const webhooks = createWebhooks({
    baseUrl,
    store,
    pods,
    channels: listening.channels,
    follow: listening.follow,
    signing: provider.signing,
    send: createSafeSend({ egressAllow, limits, log }),
    record: (pod, act, { topic }, by, status) =>
      journal.note(pod, {
        act,
        ...(by
          ? { agent: by.webid, client: by.client, issuer: by.issuer, origin: by.origin }
          : { agent: SERVER }),
        path: topic,
        status,
      }),
    isShared: hinting.isShared,
    limits,
    now,
    log,
  });
  listening.add(webhooks.kind);
  const notifications: Context["notifications"] = {
    ...listening,
    webhooks,
    async close() {
      await Promise.all([webhooks.close(), listening.close()]); // What is being sent would keep it waiting.
    },
  };
  const sweepKept = createSweep({
    store,
    pods,
    limits,
    now,
    edits: {
      write: (pod, work, options) =>
        edits.write(
          pod,
          async (edit) => {
            journal.record(edit.transaction, pod, { act: "erase", agent: SERVER }); // What was kept long enough.
            return work(edit);
          },
          options,
        ),
    },
  });
  const sweepSeries = async (): Promise<number> =>
    series.sweep((await pods.list()).filter(({ erased, movedTo }) => !erased && !movedTo));
  const sweep = setInterval(() => {
    sweepKept().catch((error: unknown) => log.error("history.sweep-failed", { cause: String(error) }));
    sweepSeries().catch((error: unknown) => log.error("series.sweep-failed", { cause: String(error) }));
    consent.sweep().catch((error: unknown) => log.error("consent.sweep-failed", { cause: String(error) }));
    provider.sweep().catch((error: unknown) => log.error("provider.sweep-failed", { cause: String(error) }));
    hosting.tick().catch((error: unknown) => log.error("passport.tick-failed", { cause: String(error) }));
  }, SWEEP_MS).unref();
  const backups = createBackups({
    store,
    pods,
    now,
    log,
    jobs,
    rootKeyFile: config.rootKeyFile,
    dataFolder: config.dataFolder,
    version: VERSION,
    settings: config.backup,
    signedHead: (pod) => journal.head(pod),
    scratch: {
      openStore: async (...args) =>
        (await import("./cli/scratch.ts")).createScratch(config).openStore(...args),
      serve: async (place) => (await import("./cli/scratch.ts")).createScratch(config).serve(place),
    },
  });
  const queries = createQueries({
    baseUrl,
    limits,
    log,
    access,
    changes,
    pods,
    store,
    indexes: { read: (pod, work) => store.read(pod, work), kept: createKeptIndexes(store, log) },
    ownersGraphs: (pod, name) => journal.reader.graphs(pod, name),
    granted: (...asked) => consent.views.graphs(...asked),
  });
  const updates = createUpdates({
    baseUrl,
    limits,
    access,
    threads: queries.threads,
    checkPlace,
    read: (pod, work) => store.read(pod.id, work),
    async edit(pod, agent, reclaims, work) {
      const creator = access.language.name === "acp" ? agent.webid : null;
      const { result } = await edits.write(
        pod,
        (edit) =>
          work({
            transaction: edit.transaction,
            made: edit.made,
            change: async (operation, triples, mayRead) =>
              (await writer.change(edit, pod, operation, () => triples, mayRead)).answer(0),
            remove: async (operation, mayRead) =>
              (await writer.act(edit, pod, operation, null, mayRead)).answer(0),
          }),
        { reclaims, creator },
      );
      return result;
    },
    stored: findStored,
    needsOfChange,
    needsOfRemoval: (snapshot, target) => needsOfDelete(snapshot, target, null),
    record: (...change) => journal.write(...change),
    underGrants: {
      write: (...change) => underGrants.write(...change),
      readIn: (...change) => underGrants.readIn(...change),
      read: async (pod, ...change) =>
        void (await store.write(pod.id, (transaction) => underGrants.readIn(transaction, pod, ...change))),
    },
  });
  /** Vendors as the zones' governance has them: what is known from before counts from the first request on. */
  const vendorRegister = createVendorRegister();
  const ending = new AbortController();
  let enforcing: Promise<unknown> = Promise.resolve();
  const governanceSources: readonly GovernanceSource[] = ownRegistry
    ? ownRegistry.books.map((book) => ({
        ...book,
        keys: async () => ownRegistry.root().record.zones[book.zone]?.keys ?? [],
      }))
    : config.zones.map((zone) => governanceOf(remoteRegistry!, zone));
  const vendorStatuses = createFollower({
    store,
    sources: governanceSources,
    limits,
    log,
    changed(governance) {
      if (!vendorRegister.put(governance)) return;
      // What is asked for is refused from now on; that all grants rest is written down one after the other.
      enforcing = enforcing
        .then(() => consent.enforceVendors(ending.signal))
        .catch((error: unknown) => log.error("consent.vendors-not-enforced", { cause: String(error) }));
    },
  });
  const erasure = createErasure({
    baseUrl,
    store,
    pods,
    now,
    removeForGood: (...args) => keeping.removeForGood(...args),
    forget: (pod, isOf) => journal.forget(pod, isOf),
    async release(pod, isOf, by) {
      for (const { path } of await restrictions.list(pod))
        if (isOf(path)) await restrictions.release(pod, path, by);
    },
    async purge(pod) {
      typeSearch.forget();
      series.forget();
      consent.views.forget(pod?.id ?? null);
      await queries.purge(pod?.id ?? null);
    },
    closeAccount: async ({ name }) => void (await closeAccount(store, provider, name)),
    isKnown: async ({ name }) =>
      (await store.read(SERVER_POD, (snapshot) => accountOfPod(snapshot, name))) !== null ||
      (await hosting.ofPod(name)) !== null,
    withNewKeys: (work) => backups.withNewKeys(work),
    keysGoneBy: (destroyed) => backups.keysGoneBy(destroyed),
    withdrawPassport: async ({ name }) => void (await hosting.withdraw(name)),
  });
  const consent = createConsent({
    baseUrl,
    store,
    pods,
    access,
    vendors: vendorRegister,
    limits,
    now,
    log,
    record: (...deed) => journal.record(...deed),
    journal,
    validate,
    isOwnAddress: (path) => {
      const target = parseTarget(path);
      return isOwnAddress(natureOf(target, target.pod));
    },
    passports: createVouching({ store, link: registry, ofPod: (pod) => hosting.ofPod(pod) }),
    commit: createConsentCommit(edits, baseUrl, (transaction, pod, path, bytes) =>
      journal.record(transaction, pod, { act: "append", agent: SERVER, path, bytes }),
    ),
    delivery: {
      send: createSafeSend({ egressAllow, limits, log }),
      sign: (...message) => webhooks.sign(...message),
      leave: (url, body) => leaveNotice(url, body),
    },
    sources: queries.sources,
    documentOf: createWebIdDocuments(localDocuments, safeFetch, limits),
    async changeCard(pod, operation, change) {
      await edits.write(pod, async (edit) => {
        const bytes = await changeCard(edit, baseUrl, change);
        if (bytes === null) return;
        const { agent, id: request } = operation;
        const { webid, client, issuer, origin } = agent;
        const path = cardPath(pod.name);
        const who = { agent: webid, client, issuer, origin };
        journal.record(edit.transaction, pod, { act: "change", ...who, path, bytes, request });
      });
    },
  });
  /** In the inbox of a pod of this server, as anybody may who has Append there. */
  async function leaveNotice(url: string, body: Uint8Array): Promise<boolean> {
    const target = parseTarget(url.slice(baseUrl.length - 1));
    const pod = await pods.find(target.pod);
    if (!pod || pod.erased !== undefined || pod.movedTo !== undefined || !target.isContainer) return false;
    const sender = { ...PUBLIC_AGENT, webid: parseWebId(`${baseUrl}.notifications/sender#it`) };
    const { result } = await edits.write(pod, async (edit) => {
      const { transaction } = edit;
      const decision = await access.authorize(transaction, pod, sender, target, ["append"]);
      if (decision.kind !== "granted" || !(await findResource(transaction, target.path))) return false;
      const path = `${target.path}${randomUUID()}`;
      await putDocument(edit, path, { kind: "rdf", contentType: "application/ld+json", bytes: body });
      journal.record(transaction, pod, { act: "append", agent: sender.webid, path, bytes: body.length });
      return true;
    });
    return result;
  }
  const underGrants = createUnderGrants({ baseUrl, uses: consent.grants, openAnswers, store, now });
  const arrivals = createArrival({ store, now, link: registry, hosting, baseUrl, limits, log });
  const takeInPassport: Context["takeIn"] = async (pod, signed) => {
    const isNamed = typeof signed === "string" && isPassportId(signed);
    const { id } = await (isNamed
      ? arrivals.attach(pod, signed)
      : arrivals.takeIn({ op: signed, pod, webid: pod.owner }));
    await store.write(SERVER_POD, async (transaction) => {
      const account = await accountOfPod(transaction, pod.name);
      if (account) await putAccount(transaction, { ...account, passport: id });
    });
    await edits.write(pod, async (edit) => {
      const bytes = await changeCard(edit, baseUrl, (card) => withPassport(card, pod.owner, didOf(id)));
      if (bytes === null) return;
      const path = cardPath(pod.name);
      journal.record(edit.transaction, pod, {
        act: "change",
        agent: pod.owner,
        client: `${baseUrl}.account/`,
        path,
        bytes,
      });
    });
    return { id };
  };
  const safekeeping: OwnerSafekeeping = {
    async lastBackup() {
      const { folder, everyMs } = config.backup;
      if (folder === "") return null;
      const whole = (await backups.list(folder)).filter(({ what }) => what === "all");
      const proved = whole.filter(({ proof }) => proof !== null).at(-1)?.proof?.time;
      return {
        everyMs,
        made: whole.at(-1)?.time ?? null,
        proved: proved === undefined ? null : Date.parse(proved),
      };
    },
    async rekey(pod, report) {
      await queries.purge(pod.id); // An index may still have words of what was deleted: it is made anew, not sealed anew.
      await backups.withNewKeys(() => store.rekey(pod.id, (done, total) => report({ done, total })));
      await journal.note(pod, { act: "keys", agent: pod.owner, client: `${baseUrl}.account/` });
    },
    async rename(pod, name) {
      await edits.write(pod, async (edit) => {
        const bytes = await changeCard(edit, baseUrl, (card) => withName(card, pod.owner, name)).catch(
          (error: unknown) => {
            if (error instanceof Problem && error.code === "not-found") return null; // It is elsewhere.
            throw error;
          },
        );
        if (bytes === null) return;
        const path = cardPath(pod.name);
        const who = { agent: pod.owner, client: `${baseUrl}.account/` };
        journal.record(edit.transaction, pod, { act: "change", ...who, path, bytes });
      });
    },
  };
  const linkOf = createLinks({
    store,
    now,
    profileOf: createWebIdDocuments(localDocuments, safeFetch, limits),
  });
  const proofDoor = createProofDoor({ baseUrl, hosting, link: registry, linkOf });
  const registryHere = ownRegistry && {
    ...ownRegistry,
    doors: createRegistryDoors({
      ...ownRegistry,
      baseUrl,
      limits,
      now,
      log,
      others: governanceDoors({
        books: ownRegistry.books,
        scorecards: createScorecards({ store, podOf: ownRegistry.podOf, now }),
      }),
    }),
  };
  const ticking = setInterval(() => {
    ownRegistry
      ?.tick()
      .catch((error: unknown) => log.error("registry.tick-failed", { cause: String(error) }));
  }, REGISTRY_TICK_MS).unref();
  const settled = await erasure.settle();
  if (settled > 0) log.info("erasure.settled", { pods: settled });
  await vendorStatuses.load();
  vendorStatuses.begin();

  return {
    config,
    now,
    log,
    vitals,
    jobs,
    probes: createProbes(now),
    store,
    pods,
    access,
    ldp: { reader, writer, edits, quota, keeping, restrictions, transfer, erasure, imports, typeSearch },
    queries,
    search: createSearch(queries, limits),
    updates,
    series,
    identity: { verify, provider, grantTokens, accounts, hosting, registry },
    takeIn: takeInPassport,
    registry: registryHere,
    proofDoor,
    journal,
    backups,
    safekeeping,
    consent,
    underGrants,
    notifications,
    writeDocuments: writeAs("import", () => OPERATOR),
    async close() {
      clearInterval(sweep);
      clearInterval(ticking);
      vitals.close();
      await registryHere?.doors.close();
      ending.abort();
      await vendorStatuses.close();
      await enforcing;
      openAnswers.close();
      await consent.close();
      await notifications.close();
      await queries.close();
      await backups.close();
      await jobs.settled();
      await journal.close();
      await ownRegistry?.close();
      await store.close();
    },
  };
}
