/** A root and two zones, each a real server on a real port with a folder of its own, under one clock that tests turn. */
import { cp } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import {
  authorityOf,
  type Bundle,
  firstPolicy,
  generatePassportKeys,
  idOfGenesis,
  type KeyPair,
  makeCreate,
  type PassportId,
  type PassportKeys,
  type PassportState,
  type RootRecord,
  type Signed,
  signOperation,
  sponsorOperation,
  unlockPassport,
  type VerifiedAnswer,
  verifyAnswer,
  type ZoneRecord,
} from "@freehold/client/registry";
import {
  loadRegistryConfig,
  type RegistryConfig,
  writeRegistryConfig,
} from "../../../server/cli/registry/config.ts";
import { openZoneStore, zoneRecordOf } from "../../../server/cli/registry/registry.ts";
import { placeOf, writeRootConfig } from "../../../server/cli/registry/root-config.ts";
import { openRootStore, type ServedRoot, serveRoot } from "../../../server/cli/registry/root-serve.ts";
import { type ServedRegistry, serveRegistry } from "../../../server/cli/registry/serve.ts";
import {
  beginRecord,
  changeDraft,
  publishDraft,
  type RecordChange,
  signDraft,
  withZone,
} from "../../../server/registry/root/ceremony.ts";
import { ownPolicy } from "../../../server/registry/zone/cosigning.ts";
import { key, NOW } from "../../passport/people.ts";
import { listeningLog, temporaryFolder } from "../../support/store.ts";
import { registrarDraft, TERMS } from "../governance-cases.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const HOLDERS = ["root-ann", "root-ben", "root-cem"];
/** A timer that never comes in a test: what is due, tests say. */
const NEVER_MS = 2 ** 30;

export type Name = "ch" | "za" | "nz";

export interface Owner {
  readonly id: PassportId;
  readonly keys: PassportKeys;
  readonly create: Signed;
}

/** Somebody who may go to another zone. */
export interface Leaving {
  readonly owner: Owner;
  readonly state: PassportState;
  readonly bundle: Bundle;
}

export interface FederationWorld {
  readonly root: ServedRoot;
  readonly zones: Readonly<Record<Name, ServedRegistry>>;
  readonly folder: string;
  readonly events: string[];
  now(): number;
  turn(ms: number): void;
  /** Lets the clock of one zone go before the others', or after them: no two servers have quite the same. */
  apart(zone: Name, ms: number): void;
  trust(): RootRecord;
  /** A change of the root's record, signed by two of three, and taken up. */
  change(change: (record: RootRecord) => RecordChange): Promise<void>;
  /** All that timers would do, at the root and then in the zones; twice, so that answers arrive. */
  tick(): Promise<void>;
  /** Somebody with a passport in a zone. */
  open(zone: Name): Promise<Owner>;
  /** Somebody in `ch` who is old enough to leave, with the lock open. */
  unlocked(): Promise<Leaving>;
  ask(zone: Name, id: PassportId): Promise<{ readonly answer: VerifiedAnswer; readonly bundle: Bundle }>;
  state(zone: Name, id: PassportId): Promise<PassportState>;
  post(
    url: string,
    value: unknown,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  get(url: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  /** Stops one zone's server; its store and address stay. */
  stop(zone: Name): Promise<void>;
  /** @param from Another folder: a fork's. */
  start(zone: Name, from?: string): Promise<void>;
  /**
   * A second server with a copy of everything that a zone has, its keys and its lock too: what an operator could do who
   * wants to show different people different things. Whatever is done in one is not done in the other.
   */
  fork(zone: Name): Promise<ServedRegistry>;
  dispose(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { readonly port: number };
  await new Promise<unknown>((done) => server.close(done));
  return port;
}

export async function createFederation(names: readonly Name[] = ["ch", "za"]): Promise<FederationWorld> {
  const temporary = await temporaryFolder();
  const { folder } = temporary;
  const events: string[] = [];
  const log = listeningLog(events);

  let time = NOW;
  const now = (): Date => new Date(time);
  const apart = new Map<Name, number>();
  const ports = { root: await freePort(), ch: await freePort(), za: await freePort(), nz: await freePort() };
  const urls = {
    root: `http://localhost:${ports.root}/`,
    ch: `http://localhost:${ports.ch}/`,
    za: `http://localhost:${ports.za}/`,
    nz: `http://localhost:${ports.nz}/`,
  };
  const allow = Object.values(urls).map((url) => new URL(url).origin);
  const allowUrl = ({ origin }: URL): boolean => allow.includes(origin);
  const rootFolder = join(folder, "root");

  await writeRootConfig(rootFolder, {
    url: urls.root,
    host: "127.0.0.1",
    port: ports.root,
    store: "sqlite",
    allow,
    trustProxy: [],
  });
  const opened = await openRootStore(rootFolder, { store: "sqlite" }, { now, log });
  const policy = await ownPolicy(opened.keys, "root.example");
  const place = placeOf(opened.keys, urls.root, "root.example", policy);
  await opened.store.close();
  const holders: KeyPair[] = await Promise.all(HOLDERS.map(key));

  const configs: Record<string, RegistryConfig> = {};
  const records: Record<string, ZoneRecord> = {};
  for (const zone of names) {
    configs[zone] = await writeRegistryConfig(join(folder, zone), {
      zone,
      operator: `Operator of ${zone}`,
      port: ports[zone],
      root: urls.root,
      origin: `log.${zone}.example`,
      epochMs: 0,
      allow,
    });
    const { store, keys } = await openZoneStore(configs[zone], { now, log });
    records[zone] = await zoneRecordOf(configs[zone], urls[zone], { store, keys });
    await store.close();
  }
  const keys = { keys: holders.map((holder) => holder.key), threshold: 2 };
  await beginRecord(rootFolder, { description: "Zones of the tests", keys, root: place }, now(), allowUrl);
  for (const [zone, record] of Object.entries(records))
    await changeDraft(rootFolder, withZone(zone, record), now(), allowUrl);

  const sign = async (): Promise<void> => {
    for (const holder of holders.slice(0, 2)) await signDraft(rootFolder, holder, allowUrl);
    await publishDraft(rootFolder, allowUrl);
  };
  await sign();

  const root = await serveRoot(rootFolder, { now, log, tickMs: NEVER_MS });
  const zones: Record<string, ServedRegistry> = {};
  const start = async (zone: Name, from?: string): Promise<void> => {
    const config = from === undefined ? (configs[zone] as RegistryConfig) : await loadRegistryConfig(from);
    const zoneNow = (): Date => new Date(time + (apart.get(zone) ?? 0));
    zones[zone] = await serveRegistry(config, { now: zoneNow, log, tickMs: NEVER_MS });
  };
  for (const name of names) await start(name);
  const registrar = await key("registrar");
  for (const [name, zone] of Object.entries(zones)) {
    await zone.book.add(firstPolicy([...TERMS]));
    await zone.book.add(registrarDraft(registrar.key, { id: `${name}.local`, createPerDay: 10_000 }));
  }

  const forked: ServedRegistry[] = [];
  let forks = 0;
  const trust = (): RootRecord => root.root.signed().record;
  const send = async (url: string, init?: RequestInit) => {
    const response = await fetch(url, init);
    const text = await response.text();
    return {
      status: response.status,
      body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  };
  const get = (url: string) => send(url);

  async function ask(zone: Name, id: PassportId) {
    const { status, body } = await get(`${urls[zone]}v1/passports/${id}`);
    const source = status === 404 ? { id, absence: body["absence"], checkpoint: body["checkpoint"] } : body;
    const answer = await verifyAnswer(source, id, trust(), {
      now: time,
      maxAgeSeconds: HOUR_MS / 1_000,
      zone,
    });
    return { answer, bundle: source as unknown as Bundle };
  }

  async function tick(): Promise<void> {
    for (const _ of [1, 2]) {
      await root.tick();
      for (const zone of Object.values(zones)) await zone.tick();
    }
  }

  async function open(zone: Name): Promise<Owner> {
    const own = await generatePassportKeys();
    const host = await key("host");
    const op = makeCreate({
      zone,
      registrar: `${zone}.local`,
      delegateKey: host.key,
      ...(await authorityOf(own)),
    });
    const create = await sponsorOperation(
      await signOperation(op, op.auth, own.authority),
      `${zone}.local`,
      registrar,
    );
    const id = await idOfGenesis(op);
    await zones[zone]?.zone.submit(create);
    return { id, keys: own, create };
  }

  async function stateOf(zone: Name, id: PassportId): Promise<PassportState> {
    const { answer } = await ask(zone, id);
    if (answer.kind !== "present") throw new Error("The passport is not there");
    return answer.passport.state;
  }

  return {
    root,
    zones: zones as Record<Name, ServedRegistry>,
    folder,
    events,
    now: () => time,
    turn: (ms) => void (time += ms),
    apart: (zone, ms) => void apart.set(zone, ms),
    trust,
    async change(change) {
      await changeDraft(rootFolder, change, now(), allowUrl);
      await sign();
      await root.tick();
      time += 2 * 60_000; // Zones look for a newer record once a minute.
      for (const zone of Object.values(zones)) await zone.tick();
    },
    tick,
    open,
    async unlocked() {
      const owner = await open("ch");
      time += 31 * DAY_MS;
      await tick();
      const locked = await stateOf("ch", owner.id);
      await zones["ch"]?.zone.submit(await unlockPassport(locked, owner.keys.authority, ["port"]));
      time += 73 * HOUR_MS;
      await tick();
      const { answer, bundle } = await ask("ch", owner.id);
      if (answer.kind !== "present") throw new Error("The passport is not there");
      return { owner, state: answer.passport.state, bundle };
    },
    ask,
    state: stateOf,
    get,
    post: (url, value) =>
      send(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(value),
      }),
    async stop(zone) {
      await zones[zone]?.close();
      delete zones[zone];
    },
    start,
    async fork(zone) {
      await zones[zone]?.close();
      const copy = join(folder, `${zone}-fork-${++forks}`);
      await cp(join(folder, zone), copy, { recursive: true });
      await start(zone);
      const config = { ...(configs[zone] as RegistryConfig), folder: copy, port: 0, url: null };
      const served = await serveRegistry(config, { now, log, tickMs: NEVER_MS });
      forked.push(served);
      return served;
    },
    async dispose() {
      for (const one of forked) await one.close();
      for (const zone of Object.values(zones)) await zone.close();
      await root.close();
      await temporary.remove();
    },
  };
}
