/** What a vendor, the owner's pages and a pod's server must agree on: the words of requests and grants, and how they are signed. */
export { isObject, type Json } from "../passport/form.ts";
export { isIri, writeConstraints } from "./constraint.ts";
export * from "./former.ts";
export * from "./model.ts";
export * from "./moments.ts";
export * from "./proof.ts";
export { isSameDocument } from "./receipt.ts";
export * from "./wire.ts";
