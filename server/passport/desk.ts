/** The registrar's desk: opens passports for the pods of this server, and keeps saying where they lead. */
import {
  type CreateOperation,
  type DataOperation,
  type Desk as DeskFacts,
  generateKeyPair,
  idOfGenesis,
  type Move,
  makeData,
  type PassportId,
  type PassportState,
  type Signed,
  sponsorOperation,
} from "@freehold/client/passport";
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Pod } from "../store/pods.ts";
import { SERVER_POD, type Store, type Transaction } from "../store/store.ts";
import { adoptDelegate, beginDelegate, dropDelegate, findDelegate, isDelegate } from "./keyring.ts";
import { invalid, keysShown, type Ledger, REGISTRAR } from "./ledger.ts";
import {
  dropPassport,
  findPassport,
  findPassportOfPod,
  type PassportRecord,
  putPassport,
  stateOfRecord,
} from "./records.ts";

const MOVES_MAX = 16;
const REDIRECT_MONTHS = 24; // As long as a host that is left owes its people a redirect.

export interface DeskDeps {
  readonly store: Store;
  readonly now: () => Date;
  readonly zones: readonly string[];
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly log: Log;
}

/** Where a passport shall lead. */
export interface Place {
  readonly webid: readonly string[];
  readonly storage: string;
}

export interface Desk {
  /** What a browser must know to make a passport's first operation. The key is kept for as long as a set-up may take. */
  begin(zone?: string): Promise<DeskFacts>;
  /** @throws Problem as `finish` would, for a first operation that it would not take; makes nothing. */
  check(createOp: unknown): Promise<void>;
  /**
   * Sponsors and stores a passport's first operation, and signs where it leads.
   * @throws Problem `operation-invalid` naming the rule, `conflict` when the pod has another passport.
   */
  finish(input: {
    readonly createOp: unknown;
    readonly pod: Pod;
    readonly webid: WebId;
  }): Promise<{ readonly id: PassportId }>;
  /**
   * Signs a new data record as the pod's host; a storage that changed is listed as moved. Nothing happens if nothing changed.
   * @throws Problem `not-found` for a pod without passport, `forbidden` when it has another host now.
   */
  publish(pod: string, place: Place): Promise<{ readonly dseq: number }>;
  /**
   * The pod was erased: nothing is said any more of where its passport leads, and this host never speaks for it again.
   * The chain of its owner's own keys stays, for it is the owner's, and other hosts may come.
   * @returns whether there was anything to withdraw.
   */
  withdraw(pod: string): Promise<boolean>;
}

const foreignDelegate = (): Problem =>
  invalid("delegate", "The delegate is not the key that was given for this passport");

const isoTime = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, "Z");

/** Every step is one transaction on the server's own records. */
export function createDesk(ledger: Ledger, { store, now, zones, baseUrl, limits, log }: DeskDeps): Desk {
  const begunMsMax = 2 * limits.setupLinkMsMax; // Longer than the link that leads to the set-up.

  async function begin(zone: string = zones[0] ?? ""): Promise<DeskFacts> {
    if (!zones.includes(zone))
      throw new Problem("input-invalid", `Passports are registered here in ${zones.join(", ")}`);
    const pair = await generateKeyPair();
    await store.write(SERVER_POD, (transaction) =>
      beginDelegate(transaction, pair, now().getTime(), begunMsMax),
    );
    return { zone, registrar: REGISTRAR, delegateKey: pair.key };
  }

  /** This registrar puts its name under nothing that breaks a rule, so the rules come before the sponsorship. */
  async function sponsored(createOp: unknown): Promise<Signed<CreateOperation>> {
    if (typeof createOp !== "string" && (typeof createOp !== "object" || createOp === null)) {
      throw invalid("envelope", "There is no signed operation");
    }
    const given = ledger.read(createOp);
    await ledger.checkUnsponsored(given, null);
    const { op, sigs } = given as Signed<CreateOperation>; // Without a passport before it, only a create gets here.
    if (op.registrar !== REGISTRAR) throw invalid("sponsored", `The registrar here is ${REGISTRAR}`);
    return sponsorOperation({ op, sigs }, REGISTRAR, await ledger.registrarKey());
  }

  /** An account that was not finished leaves a passport nobody knows; one that is known is never replaced. */
  async function dropUnused(transaction: Transaction, former: PassportRecord): Promise<void> {
    const isFresh = former.length === 1 && former.dseq === 1 && former.made > now().getTime() - begunMsMax;
    if (!isFresh) throw new Problem("conflict", "This pod has a passport already");
    dropDelegate(transaction, (await stateOfRecord(transaction, former)).head.delegate.key);
    await dropPassport(transaction, former);
  }

  async function finish({
    createOp,
    pod,
    webid,
  }: Parameters<Desk["finish"]>[0]): Promise<{ readonly id: PassportId }> {
    const signed = await sponsored(createOp);
    const { op } = signed;
    const id = await idOfGenesis(op);
    const { result: isNew } = await store.write(SERVER_POD, async (transaction) => {
      const former = await findPassportOfPod(transaction, pod.name);
      if (former?.id === id) return false; // The answer to an earlier try was lost.
      if (await findPassport(transaction, id))
        throw new Problem("conflict", "This passport belongs to another pod");
      if (former) await dropUnused(transaction, former);
      await ledger.check(signed, null, null);
      const delegate = await adoptDelegate(transaction, op.delegate.key, id);
      if (!delegate) throw foreignDelegate();
      const empty: PassportRecord = {
        id,
        length: 0,
        headHash: "",
        dseq: 0,
        data: null,
        dataHash: null,
        pod: pod.name,
        made: now().getTime(),
        taken: [],
        rotated: [],
      };
      const record = await ledger.addAuthority(transaction, empty, signed);
      const data = makeData({
        id,
        aseq: 0,
        dseq: 1,
        webid: [webid],
        oidc: baseUrl,
        storage: [{ id: "#pod", url: `${baseUrl}${pod.name}/` }],
        keys: keysShown(op),
      });
      putPassport(transaction, await ledger.speak(transaction, record, data, delegate));
      return true;
    });
    if (isNew) log.info("passport.created");
    return { id };
  }

  function dataAfter(record: PassportRecord, state: PassportState, place: Place): DataOperation {
    const before = record.data?.op ?? null;
    const from = before?.storage[0]?.url ?? place.storage;
    const until = now();
    until.setUTCMonth(until.getUTCMonth() + REDIRECT_MONTHS);
    const move: Move = { from, to: place.storage, at: isoTime(now()), redirectUntil: isoTime(until) };
    return makeData({
      id: record.id,
      aseq: state.head.seq,
      dseq: record.dseq + 1,
      webid: place.webid,
      oidc: baseUrl,
      storage: [{ id: "#pod", url: place.storage }, ...(before?.storage.slice(1) ?? [])],
      moved: [...(before?.moved ?? []), ...(from === place.storage ? [] : [move])].slice(-MOVES_MAX),
      keys: before?.keys ?? keysShown(state.head),
      ttl: before?.ttl ?? 3_600,
    });
  }

  async function publish(pod: string, place: Place): Promise<{ readonly dseq: number }> {
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const record = await findPassportOfPod(transaction, pod);
      if (!record) throw new Problem("not-found", "This pod has no passport");
      const state = await stateOfRecord(transaction, record);
      const delegate = await findDelegate(transaction, state.head.delegate.key, record.id);
      if (!delegate) throw new Problem("forbidden", "The passport has another host now");
      const { data } = record;
      const isSame =
        data?.op.storage[0]?.url === place.storage &&
        data.op.oidc === baseUrl &&
        data.op.webid.join(" ") === place.webid.join(" ");
      if (isSame) return { dseq: record.dseq, isNew: false };
      const after = await ledger.speak(transaction, record, dataAfter(record, state, place), delegate);
      putPassport(transaction, after);
      return { dseq: after.dseq, isNew: true };
    });
    if (result.isNew) log.info("passport.operation", { type: "data" });
    return { dseq: result.dseq };
  }

  async function withdraw(pod: string): Promise<boolean> {
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const record = await findPassportOfPod(transaction, pod);
      if (!record) return false;
      dropDelegate(transaction, (await stateOfRecord(transaction, record)).head.delegate.key);
      transaction.delete("passport", "pod", pod);
      putPassport(transaction, { ...record, data: null, dataHash: null, pod: null });
      return true;
    });
    return result;
  }

  return {
    begin,
    async check(createOp) {
      const signed = await sponsored(createOp);
      await ledger.check(signed, null, null);
      const id = await idOfGenesis(signed.op);
      const isOurs = await store.read(SERVER_POD, (snapshot) =>
        isDelegate(snapshot, signed.op.delegate.key, id),
      );
      if (!isOurs) throw foreignDelegate();
    },
    finish,
    publish,
    withdraw,
  };
}
