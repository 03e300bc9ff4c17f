/** A registry of one's own, in the process of a pod server: its zones, and a root that names them. */
import {
  type AllowUrl,
  type Bundle,
  type DataOperation,
  type PassportId,
  type PassportState,
  type PublicKey,
  readSigned,
  type Signed,
  type SignedRootRecord,
  type ZoneRecord,
  zoneOf,
} from "@freehold/client/registry";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { PodId, Store } from "../store/store.ts";
import { bundleText } from "./doors/answer.ts";
import { createGovernedZone } from "./governed-zone.ts";
import { openOwnRoot, ownName } from "./own-root.ts";
import type { Accepted, Finding, Found, Present, Submission, Zone } from "./port.ts";
import type { Book } from "./registrars/book.ts";
import { registrarFacts } from "./registrars/facts.ts";
import { accreditOwn } from "./registrars/own.ts";
import { ownPolicy } from "./zone/cosigning.ts";
import type { ZoneFacts } from "./zone/deps.ts";
import { type ZoneKeys, zoneKeys, zonePod } from "./zone/keys.ts";

export interface OwnRegistryDeps {
  readonly store: Store;
  readonly now: () => Date;
  readonly log: Log;
  readonly limits: Limits;
  /** The data folder. */
  readonly folder: string;
  /** Ends in a slash. */
  readonly baseUrl: string;
  /** Two characters each; the first is used when nobody says which. */
  readonly zones: readonly string[];
  /** The only one there is at first: this server. */
  readonly registrar: { readonly name: string; readonly key: PublicKey };
  /** Whether a key is that of a host of this server, for this passport. */
  readonly isHost: (key: PublicKey, id: PassportId) => Promise<boolean>;
  /** Told of operations of owners that have been taken, before whoever sent them is. */
  readonly onTaken: (id: PassportId) => Promise<void>;
}

/** What the pods' side asks; see `server/passport/link.ts`. */
export interface OwnRegistry {
  readonly zones: readonly Zone[];
  /** What each zone says of registrars and vendors. */
  readonly books: readonly Book[];
  readonly podOf: (zone: string) => PodId | undefined;
  readonly folderOf: (zone: string, year: string) => string;
  readonly root: () => SignedRootRecord;
  readonly rootVersion: (version: number) => SignedRootRecord | null;
  find(id: PassportId): Promise<{
    readonly id: PassportId;
    readonly state: PassportState;
    readonly data: Signed<DataOperation> | null;
  } | null>;
  bundle(id: PassportId): Promise<Bundle | null>;
  submit(signed: Signed): Promise<Accepted>;
  /** Takes in a passport from before there was a log. @returns false for one of a zone that is not here. */
  adopt(former: { readonly id: PassportId } & NonNullable<Submission["adopting"]>): Promise<boolean>;
  tick(): Promise<void>;
  close(): Promise<void>;
}

const CREATE_PER_DAY = 100_000_000; // Whoever opens accounts on one's own server needs no quota.
const HOSTS_KNOWN_MAX = 1_024; // Of data records that are being judged at this moment.

async function zoneRecord(
  baseUrl: string,
  server: string,
  zone: string,
  keys: ZoneKeys,
): Promise<ZoneRecord> {
  const origin = `${server}/${zone}`;
  return {
    operator: baseUrl,
    kind: "private",
    urls: [baseUrl],
    log: { origin, key: keys.log.key, url: `${baseUrl}log/${zone}/` },
    keys: [keys.zone.key],
    legalKeys: [],
    policy: await ownPolicy(keys, origin),
    status: "active",
    escrow: null,
  };
}

const isHere = (found: Found<Finding>): found is Found<Present> => found.findings.kind === "present";

export async function createOwnRegistry(deps: OwnRegistryDeps): Promise<OwnRegistry> {
  const { store, now, log, limits, folder, baseUrl, registrar, isHost, onTaken } = deps;
  const { origin: ownOrigin } = new URL(baseUrl);
  /** Hosts' keys that were found in the store for the operation that is being judged. */
  const hosts = new Set<PublicKey>();
  const records: Record<string, ZoneRecord> = {};
  const zones: Zone[] = [];
  const books: Book[] = [];
  const places = new Map<string, PodId>();

  const factsBy = (book: Book) => async (): Promise<ZoneFacts> => ({
    ...registrarFacts(await book.current(), (delegate) => (hosts.has(delegate) ? [ownOrigin] : [])),
    zoneKeys: (zone) => records[zone]?.keys ?? [],
    legalKeys: () => [],
  });

  const server = await ownName(store, baseUrl);
  for (const name of deps.zones) {
    const pod = await zonePod(store, name);
    const keys = await zoneKeys(store, pod);
    const record = await zoneRecord(baseUrl, server, name, keys);
    records[name] = record;
    places.set(name, pod);
    const allowUrl: AllowUrl = ({ origin }) => origin === ownOrigin;
    const { origin } = record.log;
    const { policy } = record;
    const own = { name, store, pod, keys, folder, now, log, limits, origin, policy, allowUrl, epochMsMin: 0 };
    const { zone, book } = await createGovernedZone(own, factsBy);
    books.push(book);
    zones.push({ ...zone, submit: (source, submission) => submitTo(zone, source, submission) });
  }
  const root = await openOwnRoot({ store, now, baseUrl, name: server, zones: records });

  /** Only the store knows which keys are of hosts here, and a rule cannot wait for it: so it is asked before. */
  async function learnHost(zone: Zone, { op }: Signed): Promise<void> {
    if (op?.t !== "data" || typeof op.id !== "string") return;
    const found = await zone.find(op.id);
    if (!isHere(found)) return;
    const { key } = found.findings.state.head.delegate;
    if (!(await isHost(key, op.id))) return void hosts.delete(key);
    if (hosts.size >= HOSTS_KNOWN_MAX) hosts.clear();
    hosts.add(key);
  }

  async function submitTo(zone: Zone, source: string | object, submission?: Submission): Promise<Accepted> {
    let signed: Signed | null = null;
    try {
      signed = readSigned(source, limits.operationBytesMax);
    } catch {
      // The zone says what is wrong with it.
    }
    if (signed) await learnHost(zone, signed);
    const accepted = await zone.submit(source, submission);
    if (signed && accepted.isNew && signed.op.t !== "create" && accepted.standing.state === "effective")
      await onTaken(accepted.id).catch((error: unknown) =>
        log.warn("passport.not-followed", { cause: error instanceof Problem ? error.code : String(error) }),
      );
    return accepted;
  }

  /** Where it began, or where its owner took it to. */
  async function foundIn(id: PassportId): Promise<{ zone: Zone; found: Found<Present> } | null> {
    for (const zone of [...zones].sort((a) => (a.name === zoneOf(id) ? -1 : 1))) {
      const found = await zone.find(id);
      if (isHere(found)) return { zone, found };
    }
    return null;
  }

  for (const book of books) {
    await book.settle();
    await accreditOwn(book, { ...registrar, id: registrar.name, createPerDay: CREATE_PER_DAY }, baseUrl);
  }

  return {
    zones,
    books,
    podOf: (zone) => places.get(zone),
    folderOf: (zone, year) => `${folder}/registry/${zone}/${year}`,
    root: () => root.newest,
    rootVersion: (version) => root.versions[version - 1] ?? null,
    async find(id) {
      const place = await foundIn(id);
      if (!place) return null;
      const { state, data } = place.found.findings;
      return { id, state, data };
    },
    async bundle(id) {
      const place = await foundIn(id);
      return place && (JSON.parse(bundleText(place.found.findings, place.found.published)) as Bundle);
    },
    async submit(signed) {
      const { op } = signed;
      const name = op.t === "create" ? op.zone : ((await foundIn(op.id))?.zone.name ?? zoneOf(op.id));
      const zone = zones.find((one) => one.name === name);
      if (!zone) throw new Problem("not-found", `This is the registry of ${deps.zones.join(", ")}`);
      return zone.submit(signed);
    },
    async adopt({ id, ...adopting }) {
      const zone = zones.find(({ name }) => name === zoneOf(id));
      const [create] = adopting.head.auth;
      if (!zone || !create) return false;
      await zone.submit(create, { adopting });
      return true;
    },
    async tick() {
      for (const zone of zones) await zone.tick();
    },
    async close() {
      await Promise.all(zones.map((zone) => zone.close()));
    },
  };
}
