/** A registry in 70 lines, of nothing but the rules: no log, no map, no store. Shows what the rules are worth together. */
import {
  applyOperation,
  fateOf,
  hashOfOperation,
  judge,
  type OperationType,
  PassportError,
  type PassportFacts,
  type PassportState,
  type RegistryFacts,
  type Signed,
  stateAfter,
  type Waiting,
  waitMsOf,
} from "../../client-lib/passport/index.ts";
import { NOW, type Person } from "./people.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export interface NaiveRegistry {
  state: PassportState | null;
  readonly pending: Waiting | null;
  readonly signedPending: Signed | null;
  /** @returns what became of it. @throws PassportError with the rule that is broken. */
  send(signed: Signed): Promise<"counts" | "waits">;
  /** Lets time go by, and brings into force what has waited long enough. */
  pass(ms: number): Promise<void>;
  /** Of operations that counted. */
  readonly history: readonly OperationType[];
}

/** With one passport, whose create was taken `ageMs` ago. */
export function naiveRegistry(ana: Person, ageMs = 365 * DAY_MS): NaiveRegistry {
  let now = NOW;
  let pending: (Waiting & { readonly signed: Signed; readonly dueAt: number }) | null = null;
  let vetoedAt: number | null = null;
  let authSince = NOW - ageMs;
  const history: OperationType[] = [];
  const facts = (over: Partial<PassportFacts> = {}): RegistryFacts => ({
    ...ana.facts,
    zones: registry.state ? [registry.state.zone] : ana.facts.zones, // It goes along when the passport leaves.
    now: () => now,
    createdAt: NOW - ageMs,
    authSince,
    vetoedAt,
    pending,
    ...over,
  });
  const count = async (signed: Signed): Promise<void> => {
    history.push(signed.op.t);
    if (signed.op.t === "rotate" || signed.op.t === "recover") authSince = now;
    registry.state = signed.op.t === "erase" ? null : await stateAfter(registry.state, signed.op);
  };
  const registry: NaiveRegistry = {
    state: ana.state,
    history,
    get pending() {
      return pending;
    },
    get signedPending() {
      return pending?.signed ?? null;
    },
    async send(signed) {
      const { state } = registry;
      const verdict = await judge({ signed, state, options: { registry: facts() } });
      if (verdict.kind === "broken") throw new PassportError(verdict.rule, verdict.detail);
      const waitMs = waitMsOf(signed.op, state);
      if (waitMs > 0) {
        pending = {
          hash: await hashOfOperation(signed.op),
          op: signed.op,
          at: now,
          signed,
          dueAt: now + waitMs,
        };
        return "waits";
      }
      if (pending && fateOf(signed.op, pending) !== "waits") {
        if (signed.op.t === "veto" && pending.op.t === "recover") vetoedAt = now;
        pending = null;
      }
      await count(signed);
      return "counts";
    },
    async pass(ms) {
      const until = now + ms;
      if (pending && pending.dueAt <= until) {
        const { signed } = pending;
        now = pending.dueAt;
        pending = null;
        if (signed.op.t !== "erase")
          await applyOperation(registry.state, signed, { registry: facts({ isOrdered: true }) });
        await count(signed);
      }
      now = until;
    },
  };
  return registry;
}
