/** Who is who among vendors, by any of the names that a vendor is known by: WebIDs and applications. */
import type { Governance, Listed, PartyStatus, VendorRecord } from "@freehold/client/registry";

/** A vendor as the registry knows it. */
export interface KnownVendor {
  readonly zone: string;
  readonly id: string;
  /** Of the organisation. */
  readonly name: string;
  readonly status: PartyStatus;
  /** Why, in the words of the sanction that stands; null for one that is active. */
  readonly says: string | null;
  readonly purposes: readonly string[];
}

export interface VendorRegister {
  /** The vendor that has one of these names; of several, the one that stands worst. Null for one that is not entered. */
  find(names: readonly (string | null)[]): KnownVendor | null;
  /** Whether any vendor was ever sanctioned: else there is nothing to enforce. */
  hasSanctions(): boolean;
  /**
   * Takes what a zone says now in the place of what it said before.
   * @returns whether somebody is delisted who was not before, or the other way round: so that there is something to enforce.
   */
  put(governance: Governance): boolean;
}

const WORST: readonly PartyStatus[] = ["delisted", "suspended", "active"];

function whyOf({ sanctions }: Governance, id: string): string | null {
  const own = [...sanctions.values()].filter(
    ({ stands, record }) =>
      stands && record.step !== "warn" && record.of.party === "vendor" && record.of.id === id,
  );
  return own.at(-1)?.record.says ?? null;
}

function knownOf(governance: Governance, { record, status }: Listed<VendorRecord>): KnownVendor {
  const { id, organisation, purposes } = record;
  return {
    zone: governance.zone,
    id,
    name: organisation.name,
    status,
    says: whyOf(governance, id),
    purposes,
  };
}

export function createVendorRegister(): VendorRegister {
  const byZone = new Map<string, ReadonlyMap<string, KnownVendor>>();
  const sanctioning = new Set<string>();
  const delisted = new Map<string, string>();
  return {
    find(names) {
      const found = [...byZone.values()].flatMap((known) =>
        names.flatMap((name) => (name === null ? [] : (known.get(name) ?? []))),
      );
      return WORST.flatMap((status) => found.filter((one) => one.status === status))[0] ?? null;
    },
    hasSanctions: () => sanctioning.size > 0,
    put(governance) {
      const known = new Map<string, KnownVendor>();
      for (const listed of governance.vendors.values()) {
        const vendor = knownOf(governance, listed);
        for (const name of [...listed.record.webids, ...listed.record.clients]) known.set(name, vendor);
      }
      byZone.set(governance.zone, known);
      if ([...governance.sanctions.values()].some(({ record }) => record.of.party === "vendor"))
        sanctioning.add(governance.zone);
      const names = [...known].flatMap(([name, { status }]) => (status === "delisted" ? [name] : []));
      const before = delisted.get(governance.zone);
      const after = JSON.stringify(names.sort());
      delisted.set(governance.zone, after);
      return before !== after;
    },
  };
}
