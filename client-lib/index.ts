/** What an application needs of a pod: open it, ask it, change it, and decide who else may. For browser and Node. */

import type { Grant, Revocation } from "./access.ts";
import type { Access, AccessMode } from "./acl.ts";
import type { Pod } from "./pod.ts";

export type { Grant, Revocation } from "./access.ts";
export type { Access, AccessMode } from "./acl.ts";
export { type ErrorDetail, type Fetch, FreeholdError } from "./errors.ts";
export { confirmsPassport, type Dataset, type OpenOptions, openPod, type Pod } from "./pod.ts";
export {
  ask,
  construct,
  type Endpoint,
  type QueryOptions,
  query,
  type Row,
  UNION_DEFAULT_GRAPH,
} from "./query.ts";
export { createMemory, type Memory, type Resolution, type ResolveOptions, resolve } from "./resolve.ts";
export { type Cell, nativeOf } from "./rows.ts";

// Loaded when access is looked at or changed: whoever only reads and asks need not carry an RDF parser.
const access = () => import("./access.ts");

export const grant = async (pod: Pod, path: string, to: Grant): Promise<readonly Access[]> =>
  (await access()).grant(pod, path, to);
export const revoke = async (pod: Pod, path: string, from: Revocation): Promise<readonly Access[]> =>
  (await access()).revoke(pod, path, from);
export const inspect = async (pod: Pod, path?: string): Promise<readonly Access[]> =>
  (await access()).inspect(pod, path);
export async function* inspectAll(pod: Pod, path?: string): AsyncGenerator<Access, void, undefined> {
  yield* (await access()).inspectAll(pod, path);
}

/** Every mode that can be given, from the least to the most. */
export const ACCESS_MODES: readonly AccessMode[] = ["append", "read", "write", "control"];
