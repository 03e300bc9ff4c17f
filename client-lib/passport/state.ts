/** What a passport has become after an operation. */
import { idOfGenesis } from "./identifier.ts";
import { type DataOperation, hashOfOperation, type PassportOperation } from "./operation.ts";
import type { PassportState } from "./rule.ts";

/**
 * What a passport is after an operation that all rules allow and that counts: whoever makes operations wait calls this
 * when the wait is over. @throws Error after an erasure, for nothing is left.
 */
export async function stateAfter(state: PassportState | null, op: PassportOperation): Promise<PassportState> {
  const headHash = await hashOfOperation(op);
  if (op.t === "create") {
    const id = await idOfGenesis(op);
    const begun = { dseq: 0, keysSince: 0, zone: op.zone, deactivated: false, hold: null };
    return { id, head: op, headHash, ...begun };
  }
  if (!state) throw new Error("An operation before its passport");
  if (op.t === "erase") throw new Error("Nothing is left of a passport that was erased");
  if (op.t === "data") return { ...state, dseq: op.dseq };
  if (op.t === "hold" || op.t === "unhold") return { ...state, hold: op.t === "hold" ? headHash : null };
  if (op.t === "veto") return state;
  const { head } = state;
  const isRekeyed = op.t === "rotate" || op.t === "recover" || op.delegate.key !== head.delegate.key;
  return {
    ...state,
    head: op,
    headHash,
    keysSince: isRekeyed ? op.seq : state.keysSince,
    zone: op.t === "port" ? op.to : state.zone,
    hold: op.t === "port" ? null : state.hold, // Of the zone that was left; the other one decides for itself.
    deactivated: op.t === "deactivate" || (state.deactivated && op.t !== "reactivate"),
  };
}

/** Whether a data record is still in force after an authority operation: its signers are. */
export const isDataInForce = (state: PassportState, data: DataOperation): boolean =>
  data.aseq >= state.keysSince && data.aseq <= state.head.seq;
