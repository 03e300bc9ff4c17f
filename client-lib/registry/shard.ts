/** One log and one map for each zone and calendar year, so that what was logged does not stay for ever. */
import { PassportError } from "../passport/verify.ts";
import type { Shard } from "./model.ts";

/** @param now Milliseconds since 1970: years are those of UTC. */
export const shardOf = (zone: string, now: number): Shard => `${zone}/${new Date(now).getUTCFullYear()}`;

/** A zone (or `root`) and a year of four digits. @throws PassportError `shard` */
export function parseShard(text: unknown): { readonly zone: string; readonly year: number } {
  const [, zone, year] = (typeof text === "string" && /^([a-z0-9]{2}|root)\/([1-9]\d{3})$/.exec(text)) || [];
  if (zone === undefined) throw new PassportError("shard", "It is not a zone and a year, such as ch/2026");
  return { zone, year: Number(year) };
}
