/** Nothing is ever undone: what would be dangerous in a thief's hands waits before it counts, so that its owner can end it. */
import { jcs } from "./bytes.ts";
import type { OperationType, PassportOperation } from "./operation.ts";
import type { PassportFacts, PassportState, Waiting } from "./rule.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const UNLOCK_WAIT_MS = 72 * HOUR_MS; // A thief of today's keys must not carry a passport off over a weekend.
export const PORT_WAIT_MS = 5 * DAY_MS; // Time for a notice to be read and answered, and no more for a zone that stalls.
export const ERASE_WAIT_MS = 72 * HOUR_MS; // Nothing else can never be made good again.
export const YOUNG_MS = 30 * DAY_MS; // A passport's locks stay closed while its owner learns what it is.
export const HOLD_DRIFT_MS = 10 * 60_000; // Clocks of one zone's own people; an older hold may be one that was ended.

/** Days of `recovery.delay`, in milliseconds. */
export const delayMsOf = (delay: string): number => Number(/^P(\d+)D$/.exec(delay)?.[1] ?? 90) * DAY_MS;

/** How long an operation waits before it counts; 0 for what counts at once. */
export function waitMsOf(op: PassportOperation, state: PassportState | null): number {
  switch (op.t) {
    case "recover":
      return delayMsOf(state?.head.recovery.delay ?? "P90D");
    case "rotate":
      return state && jcs(op.recovery) === jcs(state.head.recovery)
        ? 0
        : delayMsOf(state?.head.recovery.delay ?? "P90D");
    case "unlock":
      return UNLOCK_WAIT_MS;
    case "port":
      return PORT_WAIT_MS;
    case "erase":
      return ERASE_WAIT_MS;
    default:
      return 0;
  }
}

/** Guardians go before promised keys, promised keys before today's: nobody fills the one place with something weaker. */
const strengthOf = (type: OperationType): number => (type === "recover" ? 3 : type === "rotate" ? 2 : 1);

/** Whether an operation that waits takes the place of one that waits already. */
export const mayReplace = (op: PassportOperation, waiting: PassportOperation): boolean =>
  strengthOf(op.t) > strengthOf(waiting.t);

/** Data and holds are no part of the chain: they go on whatever waits, and end nothing. */
const isApart = (op: PassportOperation): boolean =>
  op.t === "data" || op.t === "hold" || op.t === "unhold" || op.t === "veto";

/** What becomes of what waits when `op` is taken: it goes on waiting, is vetoed, or is superseded. */
export function fateOf(op: PassportOperation, pending: Waiting): "waits" | "vetoed" | "superseded" {
  if (op.t === "veto") return op.of === pending.hash ? "vetoed" : "waits";
  return isApart(op) ? "waits" : "superseded";
}

/** Whether `op` may be taken while something waits. @returns what is wrong, or null. */
export function mayFollow(
  op: PassportOperation,
  state: PassportState | null,
  { pending, isOrdered }: Pick<PassportFacts, "pending" | "isOrdered">,
): string | null {
  if (!pending || isOrdered || isApart(op)) return null;
  if (pending.op.t === "recover")
    return "A recovery waits: until it counts or is vetoed, nothing else is taken";
  if (waitMsOf(op, state) > 0 && !mayReplace(op, pending.op))
    return `${pending.op.t} waits already; it must be vetoed first`;
  return null;
}

/**
 * Whether today's keys may end what waits. A recovery is ended only by keys that were in force for longer than its delay
 * when it was taken in: a thief who has just rotated cannot keep the guardians out.
 */
export function mayVeto(pending: Waiting, state: PassportState, authSince: number | null): boolean {
  if (pending.op.t !== "recover") return true;
  return authSince !== null && pending.at - authSince > delayMsOf(state.head.recovery.delay);
}

/**
 * Guardians whose recovery was vetoed must wait, long enough for their owner to replace them: or a majority that means ill
 * would push aside the replacement each time. What today's keys have begun they may always push aside: a thief who has
 * vetoed them must not be able to erase the passport meanwhile.
 */
export const mayRecoverAgain = (
  state: PassportState,
  { pending, vetoedAt }: Pick<PassportFacts, "pending" | "vetoedAt">,
  now: number,
): boolean =>
  vetoedAt === null ||
  now >= vetoedAt + 2 * delayMsOf(state.head.recovery.delay) ||
  (pending !== null && strengthOf(pending.op.t) === 1);
