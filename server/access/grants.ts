/**
 * Access that a consent gives, beside the access lists: to one agent, for named purposes, until a time, and never Control.
 * A grant counts by the clock at each decision, so that nothing has to run for it to end. It gives what it says and no more:
 * `modify` changes what is there, `create` adds, `delete` removes, and descriptions and rules are nobody's but the owner's.
 */
import type { Mode } from "../operation.ts";

/** One policy of a grant that is Active, as decisions need it. All such rules of a pod stand in one record. */
export interface GrantRule {
  /** Of the grant; several rules may be of one. */
  readonly grant: string;
  /** Which of the grant's policies it is, by its place among them. */
  readonly policy: number;
  /** WebID. */
  readonly assignee: string;
  readonly clients: readonly string[] | null;
  readonly mediaTypes: readonly string[] | null;
  readonly types: readonly string[] | null;
  /**
   * `read`; `write` for "modify"; `append` for "create", which changes nothing that is there. Never `control`, and "delete"
   * is {@link removes} alone.
   */
  readonly modes: readonly Mode[];
  /** Whether what is there may be removed ("delete"): whoever may change something may not thereby remove it. */
  readonly removes?: boolean;
  /** Canonical paths, a folder with all below it; `/{pod}/.views/{id}` for a view. */
  readonly targets: readonly string[];
  /** Addresses of DPV purposes. */
  readonly purposes: readonly string[];
  /** Milliseconds since 1970, both inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Of grants, by their ids, the policies that give something: by their places. */
export type PoliciesOf = ReadonlyMap<string, readonly number[]>;

/** Where the rules of all Active grants of a pod stand: `encodeRecord(readonly GrantRule[])`; absent when there are none. */
export const GRANT_RULES = ["consent", "", "rules"] as const;

/** The server's own addresses in a pod: what a grant of a folder, or of the whole pod, says does not reach into them. */
const OWN_PLACE = /^\/[^/]+\/\.(?:views|consent)(?:\/|$)/;

/** Whether access lists say nothing of a path: views and consents are shown to whom they are for. */
export const isOwnPlace = (path: string): boolean => path.includes("/.") && OWN_PLACE.test(path);

export const viewPath = (pod: string, id: string): string => `/${pod}/.views/${id}`;

/** The group that stands for whoever a grant is for. In stored access lists it never has a member. */
export const granteeOf = (baseUrl: string, pod: string, grant: string): string =>
  `${baseUrl}${pod}/.consent/grants/${grant}#grantee`;
