/** What may be added to a passport, and what it is afterwards; shared by the desk and by whoever sends operations. */
import {
  type AllowUrl,
  type AuthorityOperation,
  allowNone,
  type DataOperation,
  hashOfOperation,
  judge,
  type KeyPair,
  PassportError,
  type PassportKey,
  type PassportState,
  type PublicKey,
  readSigned,
  type Signed,
  signAsDelegate,
  type Verdict,
} from "@freehold/client/passport";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Store, Transaction } from "../store/store.ts";
import { adoptDelegate, registrarKey } from "./keyring.ts";
import { type PassportRecord, putOperation, stateOfRecord } from "./records.ts";

export const REGISTRAR = "local";

export interface LedgerDeps {
  readonly store: Store;
  /** Zones in which this registry takes passports; the first is used when nobody says which. */
  readonly zones: readonly string[];
  /** Of this server, ending in a slash: its issuer, and the origin its delegates may name. */
  readonly baseUrl: string;
  /** Origins that passports may name although they are private or without TLS. This server's own always may. */
  readonly allowUrl?: AllowUrl;
  readonly limits: Limits;
}

export interface Ledger {
  /** The registrar's key, made the first time it is asked for. */
  registrarKey(): Promise<KeyPair>;
  /** @throws Problem `operation-invalid` for what is not strict JSON. */
  read(source: string | object): Signed;
  /**
   * @param delegate The key of a host whose storage is known to be here; null without.
   * @throws Problem `operation-invalid` or `conflict` for the first rule that is broken.
   */
  check(signed: Signed, state: PassportState | null, delegate: PublicKey | null): Promise<void>;
  /** As `check`, for an operation that has no sponsor yet. */
  checkUnsponsored(signed: Signed, state: PassportState | null): Promise<void>;
  /** Adds a checked authority operation. A host that stays goes on at once; one that is new must speak first. */
  addAuthority(
    transaction: Transaction,
    record: PassportRecord,
    signed: Signed<AuthorityOperation>,
  ): Promise<PassportRecord>;
  /** Adds a checked data record. */
  addData(
    transaction: Transaction,
    record: PassportRecord,
    signed: Signed<DataOperation>,
  ): Promise<PassportRecord>;
  /** Signs a data record as the host, checks it, and adds it. */
  speak(
    transaction: Transaction,
    record: PassportRecord,
    op: DataOperation,
    delegate: KeyPair,
  ): Promise<PassportRecord>;
}

export const invalid = (rule: string, detail: string, says?: string): Problem =>
  new Problem("operation-invalid", `${detail} (rule ${rule})`, {
    members: { rule, ...(says !== undefined && { says }) },
  });

function refuse(verdict: Verdict, state: PassportState | null): void {
  if (verdict.kind === "valid") return;
  const { id: rule, says, conflict } = verdict.rule;
  if (!conflict) throw invalid(rule, verdict.detail, says);
  throw new Problem("conflict", verdict.detail, {
    members: { rule, says, aseq: state?.head.seq, dseq: state?.dseq },
  });
}

/** The authority's keys as the DID document shows them. */
export const keysShown = (op: AuthorityOperation): readonly PassportKey[] =>
  op.auth.keys.map((key, index) => ({
    id: index === 0 ? "#sign" : `#sign-${index + 1}`,
    key,
    for: ["authentication", "assertionMethod"],
  }));

/** The registrar's key is made at the first use. */
export function createLedger({ store, zones, baseUrl, allowUrl = allowNone, limits }: LedgerDeps): Ledger {
  const { origin } = new URL(baseUrl);
  const { operationBytesMax } = limits;
  const allow: AllowUrl = (url) => url.origin === origin || allowUrl(url);
  let ownKey: Promise<KeyPair> | null = null;

  const ledger: Ledger = {
    registrarKey() {
      ownKey ??= registrarKey(store).catch((error: unknown) => {
        ownKey = null; // A failed attempt to read it is not remembered.
        throw error;
      });
      return ownKey;
    },
    read(source) {
      try {
        return readSigned(source, operationBytesMax);
      } catch (cause) {
        if (cause instanceof PassportError) throw invalid(cause.rule, cause.detail);
        throw cause;
      }
    },
    async check(signed, state, delegate) {
      const { key } = await ledger.registrarKey();
      const registry = {
        zones,
        registrarKeys: (name: string) => (name === REGISTRAR ? [key] : []),
        storageOrigins: (host: PublicKey) => (host === delegate ? [origin] : []),
      };
      refuse(
        await judge({ signed, state, options: { allowUrl: allow, operationBytesMax, registry } }),
        state,
      );
    },
    async checkUnsponsored(signed, state) {
      refuse(await judge({ signed, state, options: { allowUrl: allow, operationBytesMax } }), state);
    },
    async addAuthority(transaction, record, signed) {
      const { op } = signed;
      const hash = await hashOfOperation(op);
      putOperation(transaction, record.id, signed, hash);
      const next: PassportRecord = {
        ...record,
        length: op.seq + 1,
        headHash: hash,
        data: null,
        dataHash: null,
      };
      const before = record.data?.op;
      const delegate = await adoptDelegate(transaction, op.delegate.key, record.id);
      // A rotation must never fail because of where the passport leads: then its owner says so anew.
      const isHere = before?.storage.every(({ url }) => new URL(url).origin === origin) ?? false;
      const keys = keysShown(op);
      const isClear = !before?.storage.some(({ id }) => keys.some((key) => key.id === id));
      if (!delegate || !before || !isHere || !isClear) return next;
      return ledger.speak(
        transaction,
        next,
        { ...before, aseq: op.seq, dseq: record.dseq + 1, keys },
        delegate,
      );
    },
    async addData(transaction, record, signed) {
      const hash = await hashOfOperation(signed.op);
      putOperation(transaction, record.id, signed, hash);
      return { ...record, dseq: signed.op.dseq, data: signed, dataHash: hash };
    },
    async speak(transaction, record, op, delegate) {
      const signed = await signAsDelegate(op, delegate);
      await ledger.check(signed, await stateOfRecord(transaction, record), delegate.key);
      return ledger.addData(transaction, record, signed);
    },
  };
  return ledger;
}
