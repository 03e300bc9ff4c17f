/** Requests that are kept no longer, with all that was decided about them. */
import type { Transaction } from "../store/store.ts";
import type { AccessRequest, Decision } from "./model.ts";
import { each } from "./records.ts";
import { isOpen } from "./requests-port.ts";

/** Forgets requests as if they had never been; grants that came of them stay. */
export async function dropRequests(transaction: Transaction, ids: ReadonlySet<string>): Promise<void> {
  if (ids.size === 0) return;
  for (const id of ids) {
    transaction.delete("consent", "request", id);
    transaction.delete("consent", "answered", id);
  }
  for await (const { id, request } of each(transaction, "decision"))
    if (ids.has(request)) transaction.delete("consent", "decision", id);
}

/**
 * Who asks and takes it back, again and again, fills nobody's pod: of more than are kept, the oldest go that came to nothing.
 * What a person refused stays, for it must not be asked again soon.
 * @param all The newest first.
 */
export async function dropBeyond(
  transaction: Transaction,
  all: readonly AccessRequest[],
  keptMax: number,
): Promise<void> {
  if (all.length <= keptMax) return;
  const byPerson = new Set<string>();
  for await (const decision of each(transaction, "decision"))
    if (isPersons(decision)) byPerson.add(decision.request);
  const idle = all.filter(
    ({ id, state, grants }) => !isOpen(state) && grants.length === 0 && !byPerson.has(id),
  );
  const most = all.length - keptMax;
  await dropRequests(transaction, new Set(idle.slice(-most).map(({ id }) => id)));
}

const isPersons = ({ by, outcome }: Decision): boolean => by !== "policy" && outcome === "deny";
