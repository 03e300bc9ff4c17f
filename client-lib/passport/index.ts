/** Passports for browser and Node: make one, sign for it, and check anybody's without asking anybody. */
export { decodeBase64url, encodeBase64url } from "./bytes.ts";
export { type AllowUrl, allowLoopback, allowNone, isObject } from "./form.ts";
export * from "./identifier.ts";
export * from "./json.ts";
export * from "./key.ts";
export * from "./make.ts";
export * from "./open.ts";
export * from "./operation.ts";
export * from "./recovery.ts";
export {
  type Candidate,
  NO_FACTS,
  OPERATION_BYTES_MAX,
  type PassportFacts,
  type PassportState,
  type RegistryFacts,
  type Rule,
  type RuleOptions,
  type Waiting,
} from "./rule.ts";
export * from "./rules.ts";
export * from "./state.ts";
export * from "./verify.ts";
export * from "./waiting.ts";
