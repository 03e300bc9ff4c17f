/** Names of things, as plain strings: `acl.Read === "http://www.w3.org/ns/auth/acl#Read"`. Imports nothing from outside. */
export {
  ancestors,
  type DpvTerm,
  isConsent,
  isNarrower,
  isPersonalDataCategory,
  isPurpose,
  isSpecialCategory,
  labelOf,
  legalBases,
  mayBeSpecial,
  personalDataCategories,
  purposes,
  sureLabelOf,
} from "./dpv.ts";
export { MEDIA_TYPE } from "./foreign.ts";
export * from "./terms.ts";

/** Every own term begins with this; a future server at another address may serve them, but the name stays. */
export const NAMESPACE = "https://w3id.org/freehold/ns#";

/** Every published shape begins with this: `${SHAPES_NAMESPACE}<domain>#<Name>Shape`. */
export const SHAPES_NAMESPACE = "https://w3id.org/freehold/shapes/";
