/** One pod with grants in the reference engine, a clock that the test turns, and a journal that is a list. */
import { type Access, createAccess } from "../../server/access/authorize.ts";
import type { ConsentDeed } from "../../server/consent/change.ts";
import type { UseOperation } from "../../server/consent/counting.ts";
import { createGrants, type GrantDraft, type Grants } from "../../server/consent/grants.ts";
import type { Grant, GrantState, Policy } from "../../server/consent/model.ts";
import type { Extent } from "../../server/consent/usage.ts";
import type { KnownVendor } from "../../server/consent/vendors.ts";
import { parseTarget, parseWebId } from "../../server/iri.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { type Agent, PUBLIC_AGENT } from "../../server/operation.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { createPods, type Pod } from "../../server/store/pods.ts";
import type { Store, Transaction } from "../../server/store/store.ts";

export const BASE = "https://pods.example/";
export const ANA = `${BASE}ana/profile/card#me`;
export const SHOP = "https://shop.example/#us";
export const BANK = "https://bank.example/#us";
export const SHOP_APP = "https://shop.example/app";
export const CARE = "https://w3id.org/dpv#CommunicationForCustomerCare";
export const DAY = 24 * 3_600_000;
export const START = Date.UTC(2026, 10, 22, 12);

export interface World {
  readonly store: Store;
  readonly access: Access;
  readonly grants: Grants;
  readonly pod: Pod;
  /** What the journal was told, in the order of the attempts to commit. */
  readonly deeds: ConsentDeed[];
  /** Each change of a state that somebody is told of. */
  readonly told: { readonly grant: string; readonly before: GrantState | null; readonly after: GrantState }[];
  readonly logged: string[];
  readonly clock: { time: number };
  /** What the registry says, by WebID or application. */
  readonly listed: Map<string, KnownVendor>;
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

export const policy = (rest: Partial<Policy> = {}): Policy => ({
  actions: ["read"],
  target: { kind: "container", values: ["/ana/notes/"] },
  necessity: "required",
  clients: null,
  mediaTypes: null,
  types: null,
  purposes: [CARE],
  notBefore: null,
  notAfter: START + 30 * DAY,
  tier: "raw",
  mode: "store",
  categories: ["https://w3id.org/dpv/pd#Contact"],
  fields: null,
  dataFrom: null,
  dataTo: null,
  dataLife: "P90D",
  frequency: null,
  queriesMax: null,
  ...rest,
});

export const draft = (
  policies: readonly Policy[] = [policy()],
  rest: Partial<GrantDraft> = {},
): GrantDraft => ({
  assignee: SHOP,
  controller: SHOP,
  legalBasis: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a",
  recipients: [],
  locations: [],
  automation: null,
  decidesAboutPerson: false,
  notice: "https://shop.example/privacy",
  benefit: { en: "Quicker help" },
  price: null,
  terms: null,
  inbox: null,
  policies,
  request: null,
  decision: null,
  decidedBy: "person",
  heldUntil: null,
  ...rest,
});

export const shop = (rest: Partial<Agent> = {}): Agent => ({
  ...PUBLIC_AGENT,
  webid: parseWebId(SHOP),
  client: SHOP_APP,
  ...rest,
});

export const asking = (path: string, agent: Agent = shop()): UseOperation => ({
  id: "r1",
  agent,
  target: parseTarget(path),
  url: `${BASE.slice(0, -1)}${path}`,
});

export const look = (path: string, rest: Partial<Extent> = {}): Extent => ({
  act: "look",
  paths: [path],
  documents: 1,
  rows: null,
  bytes: 100,
  status: 200,
  queryHash: null,
  ...rest,
});

export const byOwner = { agent: ANA } as const;

export async function createWorld(limits: Partial<Limits> = {}): Promise<World> {
  const all = { ...LIMITS, ...limits };
  const clock = { time: START };
  const now = (): Date => new Date(clock.time);
  const store = createMemoryStore({ limits: all, now });
  const pods = createPods(store, now);
  const pod = await pods.create("ana", parseWebId(ANA));
  const deeds: ConsentDeed[] = [];
  const told: World["told"] = [];
  const logged: string[] = [];
  const listed = new Map<string, KnownVendor>();
  const grants = createGrants({
    baseUrl: BASE,
    store,
    pods,
    vendors: {
      find: (names) => names.flatMap((name) => listed.get(name ?? "") ?? [])[0] ?? null,
      hasSanctions: () => listed.size > 0,
    },
    limits: all,
    now,
    log: createLog((line) => logged.push(line), now),
    record(transaction, _pod, deed) {
      transaction.record(new TextEncoder().encode(JSON.stringify(deed)));
      deeds.push(deed);
    },
    changed(_transaction, _pod, grant, before) {
      told.push({ grant: grant.id, before, after: grant.state });
    },
  });
  const access = createAccess({
    baseUrl: BASE,
    pods,
    store,
    limits: all,
    now,
    reachOf: async () => UNNARROWED,
  });
  return {
    store,
    access,
    grants,
    pod,
    deeds,
    told,
    logged,
    clock,
    listed,
    write: async (work) => (await store.write(pod.id, work)).result,
  };
}

export const stateOf = async ({ store, grants, pod }: World, id: string): Promise<GrantState | null> =>
  store.read(pod.id, async (snapshot) => (await grants.get(snapshot, id))?.state ?? null);

/** A new grant, given by the owner. */
export const give = (world: World, given: GrantDraft = draft(), supersedes?: string): Promise<Grant> =>
  world.write((transaction) => world.grants.create(transaction, world.pod, given, byOwner, supersedes));
