/** The registry for browser and Node: passports, and whatever proves what a zone says of them. */

export { FreeholdError } from "../errors.ts";
export { type Bytes, jcs, sameBytes, sha256, tagged, utf8 } from "../passport/bytes.ts";
export { isExactly, isHash, isList, isTime, isWhole } from "../passport/form.ts";
export * from "../passport/index.ts";
export * from "./bundle.ts";
export * from "./checkpoint.ts";
export * from "./cosignature.ts";
export * from "./did.ts";
export * from "./engagement.ts";
export * from "./epoch.ts";
export * from "./filter.ts";
export * from "./governance.ts";
export * from "./governance-rules.ts";
export * from "./leaf.ts";
export * from "./letter.ts";
export * from "./map.ts";
export * from "./memory.ts";
export * from "./merkle.ts";
export type * from "./model.ts";
export type { Bundle } from "./model.ts"; // Rather than the parts of one that passport/ verifies.
export * from "./note.ts";
export * from "./policy.ts";
export * from "./ported.ts";
export * from "./proof.ts";
export * from "./root.ts";
export * from "./shard.ts";
export * from "./tiles.ts";
export * from "./trust.ts";
export * from "./whereabouts.ts";
