/** How fine values are: each tier is made of the next finer one alone, so it never tells more. */
import type { Quad } from "../../rdf/terms.ts";
import { TIERS, type Tier } from "../model.ts";
import { reduce } from "./reduce.ts";
import { aggregate, tag } from "./summarise.ts";

type Step = (quads: readonly Quad[]) => readonly Quad[];

/** From the tier before. */
export const STEPS: Readonly<Record<Exclude<Tier, "raw">, Step>> = { reduced: reduce, aggregate, tag };

const rankOf = (tier: Tier): number => TIERS.indexOf(tier);

export const isCoarser = (one: Tier, than: Tier): boolean => rankOf(one) > rankOf(than);
export const coarsest = (one: Tier, other: Tier): Tier => (isCoarser(one, other) ? one : other);

/** @param quads Raw. */
export function toTier(quads: readonly Quad[], tier: Tier): readonly Quad[] {
  let made = quads;
  for (const name of TIERS.slice(1, rankOf(tier) + 1)) made = STEPS[name as Exclude<Tier, "raw">](made);
  return made;
}
