/** What the owner should look at: one record for a thing and a day, counted when it comes again. */
import { createHash } from "node:crypto";
import type { Limits } from "../limits.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import { dayOf } from "./anomaly.ts";
import { type Attention, each, find, put } from "./records.ts";

const idOf = (...parts: readonly (string | number | null)[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);

export type Alert = Pick<Attention, "kind" | "grant" | "agent" | "client" | "path"> &
  Partial<Pick<Attention, "reads" | "usual">>;

/** In the place of an agent: more of them than are kept apart. */
const SEVERAL = "*";

/** @param at Milliseconds since 1970. */
export async function attend(
  transaction: Transaction,
  alert: Alert,
  at: number,
  { attentionMax }: Pick<Limits, "attentionMax">,
): Promise<void> {
  const { kind, grant, agent, client, path, reads = null, usual = null } = alert;
  const id = idOf(kind, grant, agent, path, dayOf(at));
  const before = await find(transaction, "attention", id);
  // WebIDs cost nothing, so whoever has many of them could go on for ever.
  if (!before && agent !== SEVERAL && (await listAttention(transaction)).length >= attentionMax)
    return attend(transaction, { kind, grant: null, agent: SEVERAL, client: null, path: null }, at, {
      attentionMax,
    });
  const [since, count] = [before?.since ?? at, (before?.count ?? 0) + 1];
  put(transaction, "attention", id, { id, kind, since, at, count, grant, agent, client, path, reads, usual });
}

/** The newest first. */
export async function listAttention(snapshot: Snapshot): Promise<readonly Attention[]> {
  const alerts: Attention[] = [];
  for await (const alert of each(snapshot, "attention")) alerts.push(alert);
  return alerts.sort((a, b) => b.at - a.at);
}

/** The owner has seen it. @returns whether it was there. */
export async function dismiss(transaction: Transaction, id: string): Promise<boolean> {
  const isThere = (await find(transaction, "attention", id)) !== null;
  if (isThere) transaction.delete("consent", "attention", id);
  return isThere;
}
