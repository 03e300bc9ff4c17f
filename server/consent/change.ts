/** What a change of a grant needs, and what belongs to it. */
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { Store, Transaction } from "../store/store.ts";
import type { Grant, GrantState, Usage } from "./model.ts";
import type { GrantReason } from "./states.ts";
import type { VendorList } from "./vendors.ts";

/** An entry of the journal, as far as consent makes any. */
export interface ConsentDeed {
  readonly act:
    | "grant"
    | "revoke"
    | "pause"
    | "resume"
    | "lapse"
    | "alarm"
    | "look"
    | "query"
    | "create"
    | "change"
    | "delete";
  readonly agent: string | null;
  readonly client?: string | null;
  readonly issuer?: string | null;
  readonly origin?: string | null;
  readonly path?: string | null;
  readonly purpose?: string | null;
  /** Address of the grant. */
  readonly grant?: string | null;
  readonly status?: number | null;
  readonly rows?: number | null;
  readonly documents?: number | null;
  readonly bytes?: number | null;
  readonly request?: string | null;
}

/** On whose behalf a grant is changed. */
export interface By {
  /** WebID, or {@link SERVER}. */
  readonly agent: string;
  readonly client?: string | null;
  /** Id of the request, as in the log. */
  readonly request?: string | null;
}
/** What the server does of itself, by the clock or by its rules. */
export const SERVER = "server";

export interface GrantsDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly pods: Pick<Pods, "list">;
  /** What the registry says of vendors. */
  readonly vendors: VendorList;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
  /** Notes a deed in the pod's journal, in the transaction that does it. */
  readonly record: (transaction: Transaction, pod: Pod, deed: ConsentDeed) => void;
  /** Told of each change of a state, in its transaction; `before` is null for a new grant. */
  readonly changed?: (
    transaction: Transaction,
    pod: Pod,
    grant: Grant,
    before: GrantState | null,
  ) => Promise<void> | void;
}

/** A change of a grant's state, as the modules of this folder make it. */
export type Settle = (
  transaction: Transaction,
  pod: Pod,
  grant: Grant,
  to: { readonly state: GrantState; readonly reason: GrantReason; readonly usage?: Usage },
  by: By,
) => Promise<Grant>;
