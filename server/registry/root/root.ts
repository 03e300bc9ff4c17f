/** The root of the registry: says which zones there are, orders passports from one to another, and hears who is not heard. */
import {
  type AllowUrl,
  hashOfRootRecord,
  isExactly,
  isWhole,
  type KeyPair,
  openLetter,
  PassportError,
  ROOT_NAME,
  type RootRecord,
  type SignedLetter,
  type SignedRootRecord,
  secondsOf,
  signLetter,
} from "@freehold/client/registry";
import { OperatorError, Problem } from "../../errors.ts";
import type { EpochsDeps } from "../zone/epochs.ts";
import { newsFor } from "./desk.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { createLedger, type Ledger, recordOf } from "./ledger.ts";
import { type DeskItem, type DeskNews, type PortRecord, viewOfPort } from "./model.ts";
import { createPorts, type Ports } from "./ports.ts";
import { nextVersion, readNewest, readVersion, recordsOfVersion } from "./records.ts";
import type { Fetch } from "./wire.ts";

export interface RootDeps extends Omit<EpochsDeps, "name" | "origin" | "policy"> {
  /** The newest record by whoever runs the root; held against what was published before. */
  readonly record: SignedRootRecord;
  readonly fetch: Fetch;
  readonly allowUrl?: AllowUrl | undefined;
}

export interface Root {
  readonly ledger: Ledger;
  readonly ports: Ports;
  readonly inbox: Inbox;
  signed(): SignedRootRecord;
  version(version: number): Promise<SignedRootRecord | null>;
  /** A version that its holders have signed. @throws PassportError, OperatorError where it is not this root's. */
  publish(signed: SignedRootRecord): Promise<void>;
  /** A zone fetches what waits for it. @throws Problem `forbidden`. */
  poll(source: string | object): Promise<SignedLetter>;
  /** A zone answers something of the inbox, or objects to a port. */
  answer(source: string | object): Promise<object>;
  tick(): Promise<void>;
  close(): Promise<void>;
}

const NEWS_AT_ONCE = 64; // About a MiB at most: passports come with them.

/** @throws OperatorError when the record is about another root than the one with these keys. */
function requireOwn({ root }: RootRecord, keys: { readonly log: KeyPair; readonly zone: KeyPair }): void {
  if (root.log.key === keys.log.key && root.keys.includes(keys.zone.key)) return;
  throw new OperatorError(
    "The root's record names other keys than this folder has. Make the record from the keys of this folder (registry root show), or run the root from its own.",
  );
}

const refused = (cause: unknown): unknown =>
  cause instanceof PassportError ? new Problem("forbidden", cause.detail, { cause }) : cause;

export async function createRoot(deps: RootDeps): Promise<Root> {
  const { store, pod, keys, now, log, allowUrl, fetch } = deps;
  const known = await store.read(pod, readNewest);
  const upcoming = await nextVersion(known, deps.record, allowUrl);
  requireOwn((upcoming ?? deps.record).record, keys);
  const { root: place } = deps.record.record;
  const ledger = await createLedger({
    ...deps,
    name: ROOT_NAME,
    origin: place.log.origin,
    policy: place.policy,
  });
  let signed = known ?? deps.record;
  const record = (): RootRecord => signed.record;

  async function publish(source: SignedRootRecord): Promise<void> {
    const after = await ledger.change<SignedRootRecord | null>(async (snapshot) => {
      const next = await nextVersion(await readNewest(snapshot), source, allowUrl);
      if (!next) return { change: null, result: null };
      requireOwn(next.record, keys);
      const { version } = next.record;
      const statement = { v: 1, t: "root-record", version, hash: await hashOfRootRecord(next.record) };
      return { change: { records: recordsOfVersion(next), statements: [statement] }, result: next };
    });
    if (!after) return;
    signed = after;
    log.info("registry.root-record", { version: after.record.version });
  }
  await publish(deps.record);

  const shared = { ledger, record, fetch, now, allowUrl };
  const inbox = createInbox(shared);
  const ports = createPorts({ ...shared, released: (snapshot, id) => inbox.released(snapshot, id) });
  const reader = () => ({ record: record(), to: ROOT_NAME, now: now().getTime() });

  async function newsOf(item: DeskItem, zone: string): Promise<DeskNews | null> {
    return ledger.read(async (snapshot) => {
      if (item.kind === "inbox") {
        const found = await inbox.record(snapshot, item.hash);
        if (!found?.operation) return null; // It is settled already.
        return { seq: item.seq, kind: "inbox", hash: found.hash, operation: found.operation, due: found.due };
      }
      const port = await ports.record(snapshot, item.hash);
      if (!port) return null;
      const isTaking = port.to === zone && port.standing.state === "ordered";
      const { id, operations, bundle } = port;
      return {
        seq: item.seq,
        kind: "port",
        port: { ...viewOfPort(port), id, operations, bundle: isTaking ? bundle : null },
      };
    });
  }

  async function poll(source: string | object): Promise<SignedLetter> {
    const letter = await openLetter(source, "desk", reader()).catch((cause: unknown) => {
      throw refused(cause);
    });
    const { from, body } = letter;
    if (!isExactly(body, ["after"]) || !isWhole(body["after"], 0, Number.MAX_SAFE_INTEGER))
      throw new Problem("input-invalid", "A zone that asks says after what");
    const after = body["after"];
    const items = await ledger.change<readonly DeskItem[]>(async (snapshot) => {
      const news = await newsFor(snapshot, from, after, NEWS_AT_ONCE);
      if (news.forget.length === 0) return { change: null, result: news.items };
      // What the gaining zone has fetched, the root need not know any longer.
      const fetched = await Promise.all(
        news.fetched.map(async ({ kind, hash }) => (kind === "port" ? ports.record(snapshot, hash) : null)),
      );
      const emptied = fetched
        .filter((port): port is PortRecord => port?.to === from && port.standing.state === "ordered")
        .map((port) => recordOf("port", port.hash, { ...port, bundle: null }));
      return { change: { records: [...news.forget, ...emptied] }, result: news.items };
    });
    const told = await Promise.all(items.map((item) => newsOf(item, from)));
    const next = items.at(-1)?.seq ?? after;
    return signLetter(
      {
        v: 1,
        t: "news",
        from: ROOT_NAME,
        to: from,
        at: secondsOf(now().getTime()),
        body: { items: told.filter((item) => item !== null), next },
      },
      keys.zone,
    );
  }

  async function answer(source: string | object): Promise<object> {
    const open = async (t: "inbox-answer" | "port-objection") => openLetter(source, t, reader());
    const kind = (source as { readonly letter?: { readonly t?: unknown } }).letter?.t;
    try {
      return kind === "port-objection"
        ? await ports.object(await open("port-objection"))
        : await inbox.answer(await open("inbox-answer"));
    } catch (cause) {
      throw refused(cause);
    }
  }

  return {
    ledger,
    ports,
    inbox,
    signed: () => signed,
    version: (version) => ledger.read((snapshot) => readVersion(snapshot, version)),
    publish,
    poll,
    answer,
    async tick() {
      await inbox.tick();
      await ports.tick();
      await ledger.tick();
    },
    close: () => ledger.close(),
  };
}
