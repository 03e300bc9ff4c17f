/** What a pod server needs of a registry, be it in this process or elsewhere. */
import type { DataOperation, PassportId, PassportState, Signed } from "@freehold/client/passport";
import type { Bundle } from "@freehold/client/registry";

/** A passport as the registry has it now. */
export interface Known {
  readonly id: PassportId;
  readonly state: PassportState;
  /** Null from a change of keys until somebody says where the passport leads. */
  readonly data: Signed<DataOperation> | null;
}

/** What became of an operation that was sent. */
export interface Taken {
  readonly id: PassportId;
  readonly aseq: number;
  readonly dseq: number;
  /** False when this very operation had been taken before. */
  readonly isNew: boolean;
}

export interface RegistryLink {
  /** Where everybody may ask it; ends in a slash. */
  readonly url: string;
  /** This server's name as a registrar there. */
  readonly registrar: string;
  /** Zones in which passports begin here; the first is used when nobody says which. */
  readonly zones: readonly string[];
  /**
   * Whether the registry knows this server's hosts by one key that it was told of. Else each passport has a host's key of its
   * own, which says nothing of who else is here.
   */
  readonly hasOneHostKey: boolean;
  /** @returns null for a passport that is not there. @throws Problem `unavailable`. */
  find(id: PassportId): Promise<Known | null>;
  /** The whole answer, with its proof. @returns null for a passport that is not there. */
  bundle(id: PassportId): Promise<Bundle | null>;
  /**
   * Sends an operation. Sent twice, it is taken once.
   * @throws Problem `operation-invalid` naming the rule, `conflict` with the present sequence numbers, `not-found`,
   * `too-many-requests`, `unavailable`.
   */
  submit(signed: Signed): Promise<Taken>;
}
