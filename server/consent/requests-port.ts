/** What requests need of others, and what they offer. */
import type { Limits } from "../limits.ts";
import type { Agent } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Store, Transaction } from "../store/store.ts";
import type { By } from "./change.ts";
import type { Verdict } from "./deciding/decide.ts";
import type { Grants } from "./grants.ts";
import type { AccessRequest, Decision, Grant, Policy, RequestState, Terms } from "./model.ts";
import type { Notices, OwnersNotice } from "./notices.ts";
import type { VendorList } from "./vendors.ts";

/** What the owner's standing preferences make of a request, or the owner. */
export type Judgement = Verdict;

export interface RequestsDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Pick<Store, "read">;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly grants: Pick<Grants, "create" | "get" | "undo" | "revoke" | "urlOf">;
  readonly notices: Notices;
  /** What the registry says of vendors. */
  readonly vendors: VendorList;
  /** @param isAsking Whether the person is there and waits for it. */
  readonly judge: (
    snapshot: Snapshot,
    pod: Pod,
    request: AccessRequest,
    before: readonly AccessRequest[],
    isAsking: boolean,
  ) => Promise<Judgement>;
  /** Runs a transaction in which documents may be written, too: notices to the owner's inbox. */
  readonly commit: <T>(
    pod: Pod,
    work: (transaction: Transaction, leave: (notice: OwnersNotice) => Promise<void>) => Promise<T>,
  ) => Promise<T>;
  /** Notes a deed in the pod's journal, in the transaction that does it. */
  readonly record: (
    transaction: Transaction,
    pod: Pod,
    deed: { readonly act: "ask" | "decide"; readonly agent: string; readonly path: string } & Partial<
      Pick<By, "client" | "request">
    >,
  ) => void;
}

/** A request as it is told to somebody. */
export interface Told {
  readonly request: AccessRequest;
  /** By the clock, and as whoever asks may know it. */
  readonly state: RequestState;
  readonly grants: readonly string[];
}

/** What the owner says to a request. */
export interface Answer {
  readonly outcome: "grant" | "deny" | "defer";
  /** What is given; null: all that was asked for. */
  readonly policies: readonly Policy[] | null;
  readonly who: "person" | "delegate";
  readonly by: By;
}

export interface Requests {
  /**
   * @throws Problem `vendor-delisted`, `too-many-requests`: to be asked before anything of a request is looked at.
   * @param webid Of whoever asks, proved.
   */
  pace(pod: Pod, webid: string, ip: string): void;
  /**
   * Takes a request in and decides about it. The same wish that is still open, or granted for long, is not a new one.
   * @param document As it came; kept, for the vendor is held to it.
   * @param nonce Of {@link Requests.expect}: then the person is there and waits for it.
   * @throws Problem `too-many-requests` when too many are open.
   */
  submit(
    pod: Pod,
    agent: Agent,
    wish: {
      readonly terms: Terms;
      readonly policies: readonly Policy[];
      readonly issued: number;
      readonly document: string;
    },
    nonce: string | null,
    requestId: string,
  ): Promise<{ readonly request: AccessRequest; readonly isNew: boolean }>;
  /** The owner sends somebody here, and waits. @returns what that one must bring, good once. */
  expect(transaction: Transaction): { readonly nonce: string; readonly until: number };
  /** @throws Problem `not-found`; `conflict` for one that has ended. */
  decide(
    pod: Pod,
    id: string,
    answer: Answer,
  ): Promise<{ readonly decision: Decision; readonly grants: readonly Grant[] }>;
  /** The vendor does not want it any more. @throws Problem `not-found`, `conflict`. */
  cancel(pod: Pod, id: string, by: By): Promise<void>;
  /** The owner takes back what the preferences decided, or an answer of a moment ago. @throws Problem `not-found`; `conflict` when it is too late. */
  undo(pod: Pod, decision: string, by: By): Promise<void>;
  /** @param forVendor Whether what the owner may still take back without a trace is kept from whoever asks. */
  tell(snapshot: Snapshot, request: AccessRequest, forVendor: boolean): Promise<Told>;
  /** The newest first. @param assignee Only that vendor's. */
  list(snapshot: Snapshot, assignee?: string): Promise<readonly AccessRequest[]>;
  get(snapshot: Snapshot, id: string): Promise<AccessRequest | null>;
  urlOf(pod: Pod, id: string): string;
  /** With its state by the clock. */
  shown(request: AccessRequest): AccessRequest;
}

/** Whether somebody may still answer it. */
export const isOpen = (state: RequestState): boolean => state === "Pending" || state === "Deferred";
