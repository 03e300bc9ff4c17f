/**
 * What a stream's policy keeps no longer: 410 at its address, for a client of the stream gives up after 404, and takes 410
 * for a page with nothing on it. https://w3id.org/ldes/specification
 */
import { Problem } from "../errors.ts";
import type { Snapshot } from "../store/store.ts";
import { boundsOf, descriptionOf, horizonOf } from "./stream.ts";

const PLACE = /^(.*\/)\d{4}-\d\d\/(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z(?:_\d+)?\.ttl$/;

/** Of an address as pages have them: the stream's folder, and the time of the first observation; null for any other. */
function placeOfPage(path: string): { readonly folder: string; readonly first: number } | null {
  const [, folder = "", date, hours, minutes, seconds, millis] = PLACE.exec(path) ?? [];
  const first = Date.parse(`${date}T${hours}:${minutes}:${seconds}.${millis}Z`);
  return Number.isNaN(first) ? null : { folder, first };
}

/** @param horizon As far as whoever asks may know it. */
export const nothingOf = (month: string, horizon: number): Problem =>
  boundsOf(month)[1] <= horizon
    ? new Problem("gone", "The stream keeps nothing of this month any more")
    : new Problem("not-found", "There is nothing of this month");

/**
 * Whether an address at which nothing is was one of a page whose time is kept no longer.
 * @param mayRead For how long all is kept is for those who may read the stream's folder.
 * @param now Milliseconds since 1970.
 */
export async function isGone(
  snapshot: Snapshot,
  path: string,
  mayRead: (path: string) => Promise<boolean>,
  origin: string,
  now: number,
): Promise<boolean> {
  const page = placeOfPage(path);
  if (!page || !(await snapshot.get("auxiliary", page.folder, "meta"))) return false;
  if (!(await mayRead(page.folder))) return false;
  const description = await descriptionOf(snapshot, page.folder, `${origin}${page.folder}`);
  return page.first < horizonOf(description, now);
}
