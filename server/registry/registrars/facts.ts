/** What a zone's engine must know of registrars: by the book, at one moment. */
import type { Governance, PublicKey } from "@freehold/client/registry";

export interface RegistrarFacts {
  /** Keys of a registrar that may sponsor now; empty for one that is not accredited, suspended or delisted. */
  registrarKeys(name: string): readonly PublicKey[];
  /** How many passports it may open in a day (UTC). */
  createPerDayMax(name: string): number | null;
  /** Origins that a host's key may name as storage; empty for a host that is not known. */
  storageOrigins(delegate: PublicKey): readonly string[];
}

/** @param ownOrigins Of hosts that are known otherwise: those of a registry's own server. */
export function registrarFacts(
  { registrars }: Pick<Governance, "registrars">,
  ownOrigins: RegistrarFacts["storageOrigins"] = () => [],
): RegistrarFacts {
  return {
    registrarKeys(name) {
      const found = registrars.get(name);
      return found?.status === "active" ? found.record.keys : [];
    },
    createPerDayMax: (name) => registrars.get(name)?.record.createPerDay ?? 0,
    storageOrigins(delegate) {
      // Who is suspended opens nothing new, but the people it hosts are not made to pay for it.
      for (const { record, status } of registrars.values())
        if (status !== "delisted")
          for (const host of record.hosts) if (host.key === delegate) return host.origins;
      return ownOrigins(delegate);
    },
  };
}
