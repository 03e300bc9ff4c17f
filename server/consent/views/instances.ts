/** Which policies of a grant are seen through a view, and where that view is: an address that no two vendors share. */
import { randomBytes } from "node:crypto";
import { viewPath } from "../../access/grants.ts";
import type { Policy } from "../model.ts";

export { viewPath };

/** What a projection hangs on. */
export type Viewed = Pick<Policy, "target" | "tier" | "fields" | "dataFrom" | "dataTo">;

/**
 * Whether a policy gives less than the documents that it is about: then the vendor gets a view, and never the documents.
 * A view can only be read, whatever else the policy's actions are.
 */
export function isViewed({ target, tier, fields, dataFrom, dataTo }: Viewed): boolean {
  return (
    target.kind === "view" ||
    target.kind === "shape" ||
    tier !== "raw" ||
    fields !== null ||
    dataFrom !== null ||
    dataTo !== null
  );
}

/**
 * Names for the views of a new grant: to be kept with it, in `Grant.views`.
 * @returns by place in `policies`; null where the vendor gets the documents themselves.
 */
export function instancesFor({
  policies,
}: {
  readonly policies: readonly Viewed[];
}): readonly (string | null)[] {
  return policies.map((policy) => (isViewed(policy) ? randomBytes(16).toString("base64url") : null));
}

/** @returns the name of a view, or of a definition, that stands at a path; null for every other. */
export function viewIn(podName: string, path: string): string | null {
  const root = viewPath(podName, "");
  if (!path.startsWith(root)) return null;
  const id = path.slice(root.length);
  return /^[\w-]{1,64}$/.test(id) ? id : null;
}
