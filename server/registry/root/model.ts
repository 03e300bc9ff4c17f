/** What the root keeps: passports that are leaving a zone, and operations that a zone would not take. */
import type { Bundle, PassportId, PortOperation, Signed } from "@freehold/client/registry";

/** A passport on its way from one zone to another. */
export interface PortRecord {
  /** Of the port operation. */
  readonly hash: string;
  readonly id: PassportId;
  readonly from: string;
  readonly to: string;
  /** The port, and before it an unlock that the losing zone would not take. */
  readonly operations: readonly Signed[];
  /** As the losing zone proved it last; null once it is over: then nothing personal stays. */
  readonly bundle: Bundle | null;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly effectiveAt: number;
  readonly standing: PortStanding;
}

export type PortStanding =
  | { readonly state: "waiting" }
  | { readonly state: "ordered"; readonly at: number }
  | { readonly state: "vetoed" | "superseded" | "refused"; readonly at: number; readonly reason: string };

/** What anybody who knows the hash of a port may see of it. */
export interface PortView {
  readonly hash: string;
  readonly from: string;
  readonly to: string;
  readonly effectiveAt: number;
  readonly standing: PortStanding;
}

/** An operation that its zone did not take. */
export interface InboxRecord {
  readonly hash: string;
  readonly id: PassportId;
  readonly zone: string;
  /** Null once the zone has answered, or is known not to. */
  readonly operation: Signed | null;
  /** The passport as the zone proved it before; null for a create. */
  readonly bundle: Bundle | null;
  readonly at: number;
  /** Until when the zone must take it, or say why not. */
  readonly due: number;
  readonly standing: InboxStanding;
}

export type InboxStanding =
  | { readonly state: "open" }
  /** The zone shows that it waits; it must be there by `due`. */
  | { readonly state: "pending"; readonly effectiveAt: number }
  | { readonly state: "included"; readonly at: number }
  /** `reason` is a rule that only a registry can judge. */
  | { readonly state: "refused"; readonly at: number; readonly reason: string; readonly detail: string }
  /** The passport may leave at once. */
  | { readonly state: "overdue"; readonly at: number };

/** Everybody may see this much: nothing in it says whom it is about. */
export interface InboxView {
  readonly of: string;
  readonly zone: string;
  readonly at: number;
  readonly due: number;
  readonly standing: InboxStanding;
}

/** What waits at the root's desk for a zone: it is there until the zone has fetched it. */
export type DeskItem =
  | { readonly seq: number; readonly kind: "port"; readonly hash: string }
  | { readonly seq: number; readonly kind: "inbox"; readonly hash: string };

/** The same as the zone is told. */
export type DeskNews =
  | {
      readonly seq: number;
      readonly kind: "port";
      readonly port: PortView & {
        readonly id: PassportId;
        readonly operations: readonly Signed[];
        /** For the gaining zone, once it is ordered. */
        readonly bundle: Bundle | null;
      };
    }
  | {
      readonly seq: number;
      readonly kind: "inbox";
      readonly hash: string;
      readonly operation: Signed;
      readonly due: number;
    };

export const viewOfPort = ({ hash, from, to, effectiveAt, standing }: PortRecord): PortView => ({
  hash,
  from,
  to,
  effectiveAt,
  standing,
});

export const viewOfInbox = ({ hash, zone, at, due, standing }: InboxRecord): InboxView => ({
  of: hash,
  zone,
  at,
  due,
  standing,
});

export const portOf = ({ operations }: Pick<PortRecord, "operations">): Signed<PortOperation> => {
  const port = operations.at(-1);
  if (port?.op.t !== "port") throw new Error("A port without its operation");
  return port as Signed<PortOperation>;
};
