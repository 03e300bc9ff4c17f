/**
 * Owners and vendors at the same time, in orders that chance makes: requests are answered twice, a grant is revoked between a
 * decision and its use, the clock goes to and fro. What was served is then held against the journal, read from its first
 * entry by a second idea of what grants are; it knows nothing of how the first is built. Long, for it is that whole idea.
 */
import assert from "node:assert/strict";
import { type Access, createAccess } from "../../server/access/authorize.ts";
import { GRANT_RULES, type GrantRule } from "../../server/access/grants.ts";
import type { ConsentDeed } from "../../server/consent/change.ts";
import { createGrants, type GrantDraft, type Grants } from "../../server/consent/grants.ts";
import type { Grant, GrantState, Policy } from "../../server/consent/model.ts";
import { findReceipt, put as putRecord } from "../../server/consent/records.ts";
import { nameOf, parentOf, parseTarget, parseWebId } from "../../server/iri.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { type Agent, PUBLIC_AGENT } from "../../server/operation.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { createPods, type Pod } from "../../server/store/pods.ts";
import { decodeRecord, encodeRecord } from "../../server/store/record.ts";
import type { Store } from "../../server/store/store.ts";
import { type Engine, openTestStore } from "../support/store.ts";
import { BANK, BASE, DAY, draft, policy, SHOP, START } from "./grant-fixture.ts";

const DPV = "https://w3id.org/dpv#";
const PURPOSES = [`${DPV}CommunicationForCustomerCare`, `${DPV}Marketing`] as const;
/** Purposes that are narrower than those above, as the vocabulary has them. */
const NARROWER: Readonly<Record<string, string>> = { [`${DPV}DirectMarketing`]: `${DPV}Marketing` };
const APPS = ["https://shop.example/app", "https://other.example/app"] as const;
const PATHS = ["/ana/notes/a.ttl", "/ana/notes/deep/b.ttl", "/ana/files/c.ttl", "/ana/diary.ttl"] as const;
const TRAP = "/ana/notes/deep/b.ttl";
const OWNER = parseWebId(`${BASE}ana/profile/card#me`);
const STEPS_MAX = 24;

/** A small generator, so that a seed says all: https://en.wikipedia.org/wiki/Linear_congruential_generator */
function createChance(seed: number) {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (many: number): number => Math.floor(next() * many);
  return {
    below,
    is: (share: number): boolean => next() < share,
    pick: <T>(of: readonly T[]): T => of[below(of.length)]!,
  };
}
type Chance = ReturnType<typeof createChance>;

/** What the journal has of a deed, and the moment of it. */
interface Noted extends ConsentDeed {
  readonly time: number;
}

interface Served {
  readonly receipts: readonly string[];
  /** What it told of. */
  readonly paths: readonly string[];
  readonly agent: Agent;
}

interface Run {
  readonly chance: Chance;
  readonly store: Store;
  readonly access: Access;
  readonly grants: Grants;
  readonly pod: Pod;
  readonly clock: { time: number };
  /** Everything that was given, by id: what the second idea of it begins with. */
  readonly given: Map<string, Grant>;
  readonly served: Served[];
  /** Uses that wait between decision and bytes. */
  readonly gates: (() => void)[];
  refused: number;
}

function randomPolicy(chance: Chance): Policy {
  const places = chance.pick([
    { kind: "container", values: ["/ana/notes/"] },
    { kind: "container", values: ["/ana/notes/deep/"] },
    { kind: "resource", values: ["/ana/files/c.ttl", "/ana/notes/a.ttl"] },
    { kind: "storage", values: ["/ana/"] },
  ] as const);
  return policy({
    target: places,
    clients: chance.is(0.3) ? [chance.pick(APPS)] : null,
    purposes: chance.is(0.15) ? PURPOSES : [chance.is(0.75) ? PURPOSES[0] : PURPOSES[1]],
    notBefore: chance.is(0.1) ? START + chance.below(3 * DAY) : null,
    notAfter: START + 5 * DAY + chance.below(40) * DAY,
    tier: chance.is(0.05) ? "tag" : "raw",
    frequency: chance.is(0.25) ? { count: 1 + chance.below(3), per: chance.pick([1_000, DAY]) } : null,
    queriesMax: chance.is(0.25) ? 1 + chance.below(3) : null,
  });
}

const randomDraft = (chance: Chance, time: number): GrantDraft =>
  draft(
    Array.from({ length: 1 + chance.below(2) }, () => randomPolicy(chance)),
    {
      assignee: chance.is(0.75) ? SHOP : BANK,
      heldUntil: chance.is(0.08) ? time + DAY : null,
      request: chance.is(0.3) ? `request-${chance.below(2)}` : null,
      decision: chance.is(0.8) ? `decision-${chance.below(3)}` : null,
    },
  );

function randomAgent(chance: Chance): Agent {
  const webid = chance.is(0.1)
    ? chance.pick(["https://stranger.example/#me", null])
    : chance.pick([SHOP, SHOP, SHOP, BANK]);
  const purpose = chance.is(0.6) ? undefined : chance.pick([...PURPOSES, ...Object.keys(NARROWER)]);
  return {
    ...PUBLIC_AGENT,
    webid: webid === null ? null : parseWebId(webid),
    client: chance.is(0.85) ? APPS[0] : chance.pick([APPS[1], null]),
    ...(purpose !== undefined && { purpose }),
  };
}

const failsAsPlanned = (error: unknown): void => {
  if ((error as { name?: unknown }).name !== "Problem" || (error as { status: number }).status >= 500)
    throw error;
};

/** A look in two halves: decided in one snapshot, used in a commit of its own, and anything may come between. */
async function look(run: Run): Promise<void> {
  const { chance, store, access, grants, pod, gates, served } = run;
  const agent = randomAgent(chance);
  const path = chance.pick([...PATHS, PATHS[0], PATHS[0]]);
  const target = parseTarget(path);
  const decision = await store.read(pod.id, (snapshot) =>
    access.authorize(snapshot, pod, agent, target, ["read"]),
  );
  if (decision.kind === "denied") {
    run.refused++;
    return;
  }
  assert(decision.grants && decision.grants.length > 0, "nothing but grants gives anything here");
  await new Promise<void>((open) => gates.push(open));
  const extent = { act: "look", paths: [path], documents: chance.is(0.1) ? 500 : 1, rows: null } as const;
  const rest = { bytes: 1, status: 200, queryHash: null, purpose: decision.purpose };
  const operation = { id: "r", agent, target, url: `${BASE.slice(0, -1)}${path}` };
  try {
    const { headers } = await grants.use(pod, operation, decision.grants, { ...extent, ...rest });
    served.push({ receipts: receiptsIn(headers["link"]), paths: [path], agent });
  } catch (error) {
    failsAsPlanned(error);
    run.refused++;
  }
}

/** The same of a query, which is under all grants by which it could read anything. */
async function query(run: Run): Promise<void> {
  const { chance, store, access, grants, pod, gates, served } = run;
  const agent = randomAgent(chance);
  const found = await store
    .read(pod.id, async (snapshot) => {
      const decided = { time: run.clock.time, tick: performance.now() };
      const mayRead = await access.reader(snapshot, pod, agent);
      const paths: string[] = [];
      for (const path of PATHS) if (await mayRead(path)) paths.push(path);
      return { ids: mayRead.grants(), paths, purpose: mayRead.purpose, decided };
    })
    .catch((error: unknown) => {
      failsAsPlanned(error);
      return null;
    });
  if (!found || found.ids.length === 0) {
    run.refused++;
    return;
  }
  await new Promise<void>((open) => gates.push(open));
  const target = parseTarget("/ana/sparql");
  const { purpose, decided } = found;
  const documents = found.paths.length;
  const extent = {
    act: "query",
    paths: [],
    rows: 1,
    bytes: 1,
    status: 200,
    queryHash: "00",
    documents,
    purpose,
    decided,
  } as const;
  try {
    const { headers } = await grants.use(
      pod,
      { id: "r", agent, target, url: `${BASE}ana/sparql` },
      found.ids,
      extent,
    );
    served.push({ receipts: receiptsIn(headers["link"]), paths: found.paths, agent });
  } catch (error) {
    failsAsPlanned(error);
    run.refused++;
  }
}

const receiptsIn = (link: string | undefined): readonly string[] =>
  [...(link ?? "").matchAll(/receipts\/([\w.-]+)>/g)].map((match) => match[1]!);

async function give(run: Run): Promise<void> {
  const { chance, store, grants, pod, given, clock } = run;
  const made = randomDraft(chance, clock.time);
  const old = chance.is(0.2) && given.size > 0 ? chance.pick([...given.keys()]) : null;
  try {
    const { result } = await store.write(pod.id, (transaction) =>
      grants.create(transaction, pod, made, { agent: OWNER }, old),
    );
    given.set(result.id, result);
  } catch (error) {
    failsAsPlanned(error);
  }
}

async function change(run: Run): Promise<void> {
  const { chance, store, grants, pod, given } = run;
  if (given.size === 0) return;
  const id = chance.pick([...given.keys()]);
  const how = chance.pick(["pause", "resume", "resume", "revoke", "undo"] as const);
  // Somebody may do it twice at once: on two pages, or because a click was slow.
  const times = chance.is(0.2) ? 2 : 1;
  await Promise.all(
    Array.from({ length: times }, () =>
      store
        .write(pod.id, (transaction) => grants[how](transaction, pod, id, { agent: OWNER }))
        .then(() => {}, failsAsPlanned),
    ),
  );
}

function turnClock({ chance, clock }: Run): void {
  const step = chance.pick([1, 500, 1_000, 1_000, 3_600_000, 3_600_000, DAY, DAY, 8 * DAY, 91 * DAY]);
  clock.time += chance.is(0.7) ? step : -step;
}

/** One random order of random deeds, till all of them are done. */
async function play(run: Run): Promise<void> {
  const { chance, gates, grants } = run;
  const going: Promise<void>[] = [];
  await Promise.all([give(run), give(run)]);
  const steps = 6 + chance.below(STEPS_MAX - 6);
  for (let step = 0; step < steps; step++) {
    const kind = chance.below(100);
    if (kind < 10) going.push(give(run));
    else if (kind < 50) going.push(look(run));
    else if (kind < 62) going.push(query(run));
    else if (kind < 74) going.push(change(run));
    else if (kind < 80) turnClock(run);
    else if (kind < 82) going.push(grants.sweep().then(() => {}));
    else gates.splice(chance.below(gates.length || 1), 1)[0]?.();
    // Sometimes hardly anything happens between two of them, so that they are in each other's middle.
    for (let waits = chance.below(3) * chance.below(20); waits > 0; waits--) await Promise.resolve();
    if (chance.is(0.02)) await new Promise((done) => setImmediate(done));
  }
  const end = { isThere: false };
  const all = Promise.all(going).finally(() => (end.isThere = true));
  while (!end.isThere) {
    for (const open of gates.splice(0)) open();
    await Promise.race([all, new Promise((done) => setImmediate(done))]);
  }
  await all;
}

/** The second idea: a grant is what its journal says. */
interface Known {
  readonly grant: Grant;
  state: GrantState;
  readonly uses: { readonly at: number; readonly policies: readonly number[] }[];
}

const NEXT_STATE: Readonly<Partial<Record<ConsentDeed["act"], GrantState>>> = {
  pause: "Paused",
  resume: "Active",
  revoke: "Revoked",
  lapse: "Expired", // Or exhausted, or superseded: an end.
};

const isEndState = (state: GrantState): boolean => state !== "Active" && state !== "Paused";

const covers = ({ target: { kind, values } }: Policy, path: string): boolean =>
  values.some((value) => (kind === "resource" ? path === value : path.startsWith(value)));
const accepts = ({ purposes }: Policy, purpose: string): boolean =>
  purposes.includes(purpose) || (NARROWER[purpose] !== undefined && purposes.includes(NARROWER[purpose]));

/** Policies of a grant by which a use at a moment may have been; a text says why there is none. */
function lawfulPolicies(known: Known, noted: Noted): readonly number[] | string {
  const { grant, state, uses } = known;
  if (state !== "Active") return `it was ${state}`;
  if (grant.assignee !== noted.agent) return "it was another's";
  if (grant.heldUntil !== null && noted.time < grant.heldUntil) return "the owner could still undo it";
  const isQuery = noted.act === "query";
  const inForce = grant.policies.flatMap((one, at) => {
    const isTime = noted.time >= Math.max(grant.issued, one.notBefore ?? 0) && noted.time <= one.notAfter;
    const isPlace = isQuery || covers(one, noted.path ?? "");
    const isClient = one.clients === null || one.clients.includes(noted.client ?? "");
    const isPurpose = accepts(one, noted.purpose ?? "");
    return isTime && isPlace && isClient && isPurpose && one.tier === "raw" ? [at] : [];
  });
  const withRoom = inForce.filter((at) => {
    const { queriesMax, frequency } = grant.policies[at]!;
    const before = uses.filter(({ policies }) => policies.includes(at));
    const lately = before.filter(
      (one) => frequency && one.at > noted.time - frequency.per && one.at <= noted.time,
    );
    return (
      (queriesMax === null || before.length < queriesMax) && (!frequency || lately.length < frequency.count)
    );
  });
  if (inForce.length === 0) return "no policy of it was in force for this";
  return withRoom.length === 0 ? "it had no room" : withRoom;
}

/** @returns what is wrong; null for nothing. */
async function judge(run: Run): Promise<string | null> {
  const { store, access, grants, pod, given, served, clock } = run;
  const rows = await store.journal.read(pod.id, 0, 10_000);
  const decoder = new TextDecoder();
  const journal = rows.map(({ entry }) => JSON.parse(decoder.decode(entry!)) as ConsentDeed);
  const all = new Map<string, Known>(
    [...given].map(([id, grant]) => [id, { grant, state: "Active", uses: [] }]),
  );
  const lawful = new Map<string, Noted>();
  for (const entry of journal) {
    const id = entry.grant?.split("/").at(-1) ?? "";
    const known = all.get(id);
    if (!known) return `the journal knows a grant that nobody was given: ${id}`;
    const { supersedes } = known.grant;
    if (entry.act === "grant" && supersedes !== null && !isEndState(all.get(supersedes)!.state))
      return `${id} took the place of ${supersedes}, which goes on`;
    const next = NEXT_STATE[entry.act];
    if (next) {
      if (isEndState(known.state)) return `${entry.act} after ${known.state}`;
      known.state = next;
    }
    if (entry.act !== "look" && entry.act !== "query") continue;
    // The moment for which it was decided: the clock may have been turned while it was being written.
    const receipt = await store.read(pod.id, (snapshot) =>
      findReceipt(snapshot, `${id}.${known.uses.length + 1}`),
    );
    if (!receipt) return `use ${known.uses.length + 1} of ${id} has no receipt`;
    const noted: Noted = { ...entry, time: receipt.published };
    const policies = lawfulPolicies(known, noted);
    if (typeof policies === "string")
      return `served at ${noted.time} by ${id}, but ${policies}: ${JSON.stringify({ noted, grant: known.grant })}`;
    // A use counts in each policy that it may have been under.
    known.uses.push({ at: noted.time, policies });
    lawful.set(`${id}.${known.uses.length}`, noted);
  }
  for (const { receipts, paths } of served) {
    if (receipts.length === 0) return `bytes of ${paths.join(", ")} without a receipt`;
    const uses: Noted[] = [];
    for (const receipt of receipts) {
      const noted = lawful.get(receipt);
      if (!noted) return `bytes of ${paths.join(", ")} by ${receipt}, which is in no journal`;
      lawful.delete(receipt);
      uses.push(noted);
    }
    const isTold = (path: string): boolean =>
      uses.some((noted) => {
        const { grant } = all.get(noted.grant?.split("/").at(-1) ?? "")!;
        return (
          typeof lawfulPolicies({ grant, state: "Active", uses: [] }, { ...noted, act: "look", path }) !==
          "string"
        );
      });
    const others = paths.filter((path) => !isTold(path));
    if (others.length > 0)
      return `bytes of ${others.join(", ")}, which ${receipts.join(", ")} did not give any more`;
  }
  return inTheEnd(all, { store, access, grants, pod, clock });
}

/** Whether decisions, records and the second idea say the same when all is done. */
async function inTheEnd(
  all: ReadonlyMap<string, Known>,
  { store, access, grants, pod, clock }: Pick<Run, "store" | "access" | "grants" | "pod" | "clock">,
): Promise<string | null> {
  return store.read(pod.id, async (snapshot) => {
    const entry = await snapshot.get(...GRANT_RULES);
    const rules = entry ? decodeRecord<readonly GrantRule[]>(entry) : [];
    for (const { grant } of rules)
      if (all.get(grant)?.state !== "Active") return `rules of ${grant}, which is not Active`;
    for (const [id, { state, grant }] of all) {
      const kept = await grants.get(snapshot, id);
      const isOver = clock.time > Math.max(...grant.policies.map(({ notAfter }) => notAfter));
      const isEnd = isEndState(state);
      const fits = isEnd
        ? kept?.state !== "Active" && kept?.state !== "Paused"
        : kept?.state === (isOver ? "Expired" : state);
      if (!fits) return `${id} is ${kept?.state}, by the journal ${state}${isOver ? ", and over" : ""}`;
    }
    const answers = [...all.values()].filter(
      ({ state, grant }) => grant.request !== null && !isEndState(state),
    );
    for (const [request, several] of Map.groupBy(answers, ({ grant }) => grant.request))
      if (several.length > 1 && new Set(several.map(({ grant }) => grant.decision ?? grant.id)).size > 1)
        return `${request} was answered twice`;
    for (const webid of [SHOP, BANK, "https://stranger.example/#me", null])
      for (const path of PATHS)
        for (const purpose of PURPOSES) {
          const client = APPS[0];
          const agent: Agent = {
            ...PUBLIC_AGENT,
            webid: webid === null ? null : parseWebId(webid),
            client,
            purpose,
          };
          const decision = await access.authorize(snapshot, pod, agent, parseTarget(path), ["read"]);
          const noted = { act: "look", agent: webid, client, path, purpose, time: clock.time } as const;
          const may = [...all.values()].some((known) => {
            const policies = lawfulPolicies({ ...known, uses: [] }, noted);
            return typeof policies !== "string" && hasBudget(known, policies);
          });
          if ((decision.kind === "granted") !== may)
            return `${webid} ${may ? "may" : "may not"} read ${path}, but it was ${decision.kind}`;
        }
    const owner: Agent = { ...PUBLIC_AGENT, webid: pod.owner };
    const control = await access.authorize(snapshot, pod, owner, parseTarget("/ana/"), ["control"]);
    return control.kind === "granted" ? null : "the owner has no Control";
  });
}

/** A policy that is used up gives no access; one that must wait does, and the use is refused. */
const hasBudget = ({ grant, uses }: Known, policies: readonly number[]): boolean =>
  policies.some((at) => {
    const { queriesMax } = grant.policies[at]!;
    return queriesMax === null || uses.filter((one) => one.policies.includes(at)).length < queriesMax;
  });

export interface Checked {
  readonly fault: string | null;
  readonly served: number;
  readonly refused: number;
}

const ORDERS_PER_STORE = 100; // Keys of pods that are gone are remembered, so a store gets slower.

/** @param many Random orders, each in a pod of its own. */
export async function checkInterleavings(
  many: number,
  seed: number,
  engine: Engine = "memory",
): Promise<Checked> {
  const sum = { served: 0, refused: 0 };
  for (let from = 0; from < many; from += ORDERS_PER_STORE) {
    const { fault, served, refused } = await checkSome(
      Math.min(ORDERS_PER_STORE, many - from),
      seed + from,
      engine,
    );
    sum.served += served;
    sum.refused += refused;
    if (fault !== null) return { fault, ...sum };
  }
  return { fault: null, ...sum };
}

async function checkSome(many: number, seed: number, engine: Engine): Promise<Checked> {
  const clock = { time: START };
  const now = (): Date => new Date(clock.time);
  const limits = { ...LIMITS, grantUsesPerMinuteMax: Number.MAX_SAFE_INTEGER };
  const opened = await openTestStore(engine, { limits, now });
  try {
    return await checkIn(opened.store, many, seed, clock, limits);
  } finally {
    await opened.dispose();
  }
}

async function checkIn(
  store: Store,
  many: number,
  seed: number,
  clock: { time: number },
  limits: Limits,
): Promise<Checked> {
  const now = (): Date => new Date(clock.time);
  const pods = createPods(store, now);
  const listed: Pod[] = [];
  const access = createAccess({ baseUrl: BASE, pods, store, limits, now, reachOf: async () => UNNARROWED });
  const grants = createGrants({
    baseUrl: BASE,
    store,
    vendors: { find: () => null, hasSanctions: () => false },
    limits,
    now,
    pods: { list: async () => [...listed] },
    log: createLog((line) => assert(!line.includes('"level":"error"'), line), now),
    record: (transaction, _pod, deed) => transaction.record(new TextEncoder().encode(JSON.stringify(deed))),
  });
  let served = 0;
  let refused = 0;
  for (let at = 0; at < many; at++) {
    clock.time = START;
    const pod: Pod = { id: await store.createPod(), name: "ana", owner: OWNER, created: START };
    listed.splice(0, 1, pod);
    const chance = createChance(seed + at);
    await store.write(pod.id, async (transaction) => {
      for (const path of PATHS) {
        const record = { kind: "rdf", contentType: "text/turtle", bytes: 0, created: START, modified: START };
        transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
      }
      if (chance.is(0.3)) putRecord(transaction, "honey", "", { paths: [TRAP], changed: START });
    });
    const run: Run = {
      chance,
      store,
      access,
      grants,
      pod,
      clock,
      given: new Map(),
      served: [],
      gates: [],
      refused: 0,
    };
    await play(run);
    const fault = await judge(run);
    if (fault !== null) return { fault: `seed ${seed + at}: ${fault}`, served, refused };
    served += run.served.length;
    refused += run.refused;
    await store.erasePod(pod.id);
  }
  return { fault: null, served, refused };
}
