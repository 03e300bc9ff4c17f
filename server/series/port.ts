/** What time series need of others, and what they offer. */
import type { Access } from "../access/authorize.ts";
import type { Authority, CountWrite } from "../access/demand.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Operation, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import type { PageEdit } from "./append.ts";
import type { Range } from "./range.ts";

export interface SeriesDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly access: Pick<Access, "authorize" | "reader">;
  readonly read: <T>(pod: Pod, work: (snapshot: Snapshot) => Promise<T>) => Promise<T>;
  /** One commit. @param reclaims Whether the oldest of the trash gives way in a full pod. */
  readonly edit: <T>(
    pod: Pod,
    agent: Agent,
    reclaims: boolean,
    work: (edit: PageEdit) => Promise<T>,
  ) => Promise<T>;
  /** One commit of the server's own, recorded as such. */
  readonly clear: (pod: Pod, folder: string, work: (edit: PageEdit) => Promise<number>) => Promise<number>;
  /** Records the batch in its commit, as a write of the stream's folder. */
  readonly record: (
    transaction: Transaction,
    pod: Pod,
    operation: Operation,
    result: Result,
    made: { readonly bytes: number; readonly folders: number; readonly onlyAdds: boolean } & Pick<
      Authority,
      "grants" | "purpose"
    >,
  ) => void;
  readonly underGrants: CountWrite;
  /** @throws Problem `conflict` where nothing can be stored. */
  readonly checkPlace: (pod: Pod, path: string) => void;
}

export interface Series {
  /**
   * Adds a batch. Everything of it is stored, or nothing; what is there already is told, and stays as it is.
   * @throws Problem `shape-violation`, `conflict`, `login-required`, `forbidden`, `restricted`, `quota-exceeded`, …
   */
  append(operation: Operation, pod: Pod): Promise<Result>;
  /** Reads the request, which needs no snapshot. @throws Problem `bad-request`. */
  parse(operation: Operation): { readonly range: Range | null; readonly month: string | null };
  /** @throws Problem `login-required` and `forbidden` for who may read none of it, whether there is any or not. */
  show(
    snapshot: Snapshot,
    pod: Pod,
    operation: Operation,
    request: ReturnType<Series["parse"]>,
  ): Promise<Result>;
  /** Whether an address at which nothing is was one of a page whose time the stream keeps no longer. */
  keepsNoMore(snapshot: Snapshot, pod: Pod, operation: Pick<Operation, "agent" | "target">): Promise<boolean>;
  /** Clears away what is kept no longer, some of it at each call: to be called hourly. @returns pages that are gone. */
  sweep(pods: readonly Pod[]): Promise<number>;
  /** Forgets what was read: of what was erased, nothing may be remembered. */
  forget(): void;
}
