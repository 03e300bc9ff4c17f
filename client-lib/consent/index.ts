/** What a vendor, the owner's pages and a pod's server must agree on: the words of requests and grants, and how they are signed. */
export { FreeholdError } from "../errors.ts";
export { isObject, type Json } from "../passport/form.ts";
export {
  accessGrants,
  accessRequests,
  type GrantedAccess,
  type PodPlace,
  type RequestedAccess,
  type WantedAccess,
} from "./access.ts";
export { isIri, writeConstraints } from "./constraint.ts";
export * from "./former.ts";
export * from "./model.ts";
export * from "./moments.ts";
export {
  decideRequest,
  giveAccess,
  type Preview,
  pauseGrant,
  preferences,
  previewAccess,
  previewRequest,
  resumeGrant,
  revokeGrant,
  setPreferences,
  undoDecision,
} from "./owner.ts";
export * from "./proof.ts";
export { isSameDocument } from "./receipt.ts";
export * from "./wire.ts";
