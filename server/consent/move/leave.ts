/**
 * What a pod takes along: its consents as they stand, and with them, signed now, all receipts that this host alone can vouch
 * for. Those of consents are signed by both sides already, or are ours to sign; those of uses are signed when they are asked
 * for, and whoever comes after us was not there.
 */
import type { Pod } from "../../store/pods.ts";
import type { Snapshot } from "../../store/store.ts";
import type { Grant } from "../model.ts";
import { consentReceipt, consentReceiptIds } from "../receipts/consent-receipt.ts";
import type { ConsentKeys } from "../receipts/keys.ts";
import { usageReceipt } from "../receipts/usage-receipt.ts";
import { each, find, findReceipt, receiptId, receiptItem, useGroup } from "../records.ts";
import { bytesOfStatement, type ConsentStatement, STATEMENT_FORMAT } from "../shared.ts";
import { FORMER_RECEIPTS, GROUPS, type Packed, recordsOf } from "./luggage.ts";

export interface LeavingDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly keys: ConsentKeys;
  readonly receiptsPerGrantMax: number;
  /** Signs, as the host that the pod's passport names, what is made of the passport; null for a pod without one. */
  readonly vouch: (
    pod: Pod,
    bytesFor: (passport: string) => Uint8Array<ArrayBuffer>,
  ) => Promise<{ readonly passport: string; readonly key: string; readonly s: string } | null>;
}

export interface Leaving {
  /** Line by line; nothing for a pod without consents. */
  lines(snapshot: Snapshot, pod: Pod): AsyncGenerator<string>;
  /** What this host says of those lines; null where it can vouch for nothing. */
  statement(
    pod: Pod,
    facts: Pick<ConsentStatement, "export" | "taken" | "records" | "sha256">,
  ): Promise<object | null>;
}

export function createLeaving({ baseUrl, keys, receiptsPerGrantMax, vouch }: LeavingDeps): Leaving {
  const storageOf = (pod: Pod): string => `${baseUrl}${pod.name}/`;

  /** Those of a consent that were not countersigned: what the vendor may still sign is what it was shown. */
  async function* consentReceipts(snapshot: Snapshot, pod: Pod, grant: Grant): AsyncGenerator<Packed> {
    const request = grant.request === null ? null : await find(snapshot, "request", grant.request);
    const place = { storage: storageOf(pod), requested: request?.issued ?? null };
    for (const [at, id] of consentReceiptIds(grant).entries()) {
      const isGiven = at === 0;
      const before = await snapshot.get("consent", FORMER_RECEIPTS, id);
      if (before) continue; // Signed by a host before us; it comes with the group.
      const moment = new Date(isGiven ? grant.issued : grant.changed);
      const document = await keys.sign(consentReceipt(grant, isGiven ? "given" : "ended", place), moment);
      yield { group: FORMER_RECEIPTS, item: id, value: { document } };
    }
  }

  async function* uses(snapshot: Snapshot, pod: Pod, grant: Grant): AsyncGenerator<Packed> {
    const count = (await find(snapshot, "usage", grant.id))?.count ?? 0;
    for (let number = Math.max(1, count - receiptsPerGrantMax + 1); number <= count; number++) {
      const receipt = await findReceipt(snapshot, receiptId(grant.id, number));
      if (!receipt) continue;
      const document =
        receipt.document ??
        (await keys.sign(usageReceipt(receipt, storageOf(pod)), new Date(receipt.published)));
      yield { group: useGroup(grant.id), item: receiptItem(number), value: { ...receipt, document } };
    }
  }

  async function* all(snapshot: Snapshot, pod: Pod): AsyncGenerator<Packed> {
    for (const group of GROUPS) yield* recordsOf(snapshot, group);
    for await (const grant of each(snapshot, "grant")) {
      yield* consentReceipts(snapshot, pod, grant);
      yield* uses(snapshot, pod, grant);
      yield { group: "grant", item: grant.id, value: grant };
    }
  }

  return {
    async *lines(snapshot, pod) {
      for await (const packed of all(snapshot, pod)) yield `${JSON.stringify(packed)}\n`;
    },
    async statement(pod, facts) {
      const receiptKeys = await keys.addresses();
      const statementFor = (passport: string): ConsentStatement => ({
        format: STATEMENT_FORMAT,
        ...facts,
        passport,
        storage: storageOf(pod),
        receiptKeys,
      });
      const vouched = await vouch(pod, (passport) => bytesOfStatement(statementFor(passport)));
      return vouched && { statement: statementFor(vouched.passport), key: vouched.key, s: vouched.s };
    },
  };
}
