/** Where a passport is: in a zone of this process, or in which other one; and how the doors say that it is not. */
import { didOf, type PassportId, type SignedRootRecord, zoneOf } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Result } from "../../operation.ts";
import { absenceOf, type Finding, type Found, type Present, type Published, type Zone } from "../port.ts";
import type { Missing } from "./answer.ts";
import { inDidWords, KEPT } from "./door.ts";

/** One finding, and the epoch it is true of. */
export interface Spot<T extends Finding = Finding> {
  readonly finding: T;
  readonly published: Published;
}

/** The zones of this process, and what is known of all others. */
export interface Atlas {
  readonly zones: readonly Zone[];
  /** The newest that is known here; null before there is one. */
  readonly root: () => SignedRootRecord | null;
}

/** Only what the zone knows of that a passport of another one begins here, too. */
const isKnown = ({ finding }: Spot): boolean => finding.kind !== "absent" || finding.endedHere === true;

const spotOf = ({ findings, published }: Found<Finding>): Spot => ({ finding: findings, published });

/** @returns null for a passport of a zone that is not in this process, and that never came here. */
async function findSpot({ zones }: Atlas, id: PassportId): Promise<Spot | null> {
  const birth = zones.find(({ name }) => name === zoneOf(id));
  const spot = birth ? spotOf(await birth.find(id)) : null;
  if (spot && spot.finding.kind !== "ported") return spot;
  for (const zone of zones) {
    if (zone === birth) continue;
    const other = spotOf(await zone.find(id));
    if (spot ? other.finding.kind === "present" : isKnown(other)) return other;
  }
  return spot;
}

/** In the order of `ids`. Those of one zone are from one snapshot. */
export async function findSpots(
  { zones }: Atlas,
  ids: readonly PassportId[],
): Promise<readonly (Spot | null)[]> {
  const spots: (Spot | null)[] = ids.map(() => null);
  for (const zone of zones) {
    const places = ids.flatMap((_id, place) => {
      const spot = spots[place];
      return !spot || spot.finding.kind === "ported" ? [place] : [];
    });
    if (places.length === 0) continue;
    const { findings, published } = await zone.findAll(places.map((place) => ids[place] as PassportId));
    places.forEach((place, index) => {
      const finding = findings[index];
      if (!finding) return;
      const before = spots[place];
      const isHome = zoneOf(finding.id) === zone.name;
      const spot = { finding, published };
      if (finding.kind === "present" || (isHome && !before) || (!before && isKnown(spot)))
        spots[place] = spot;
    });
  }
  return spots;
}

/** Where a zone answers, by the root's record; null for a zone that it does not name. */
export function urlOfZone({ root }: Atlas, zone: string): string | null {
  const zones = root()?.record.zones;
  return zones && Object.hasOwn(zones, zone) ? (zones[zone]?.urls[0] ?? null) : null;
}

/** @param path Of the same thing at the other zone, without a slash before it. */
export function elsewhere(url: string, path: string, spot: Spot<Missing> | null): Result {
  return {
    status: 307,
    headers: {
      location: `${url}${path}`,
      "cache-control": spot ? KEPT : "public, max-age=300",
      ...(spot && { "content-type": "application/json" }),
    },
    body: spot ? JSON.stringify({ ...absenceOf(spot.published, spot.finding), ...toOf(spot.finding) }) : null,
  };
}

const toOf = (finding: Missing): object => (finding.kind === "ported" ? { to: finding.to } : {});

/** @throws Problem `not-found`, `gone`, with the proof. */
function refuseMissing({ finding, published }: Spot<Missing>): never {
  const proof = absenceOf(published, finding);
  if (finding.kind === "erased") {
    const detail = `Erased at its owner's wish or by law, ${new Date(finding.at).toISOString()}`;
    const more = { ...proof, erased: true };
    throw new Problem("gone", detail, { members: inDidWords(null, 410, detail, more) });
  }
  const detail = `Absent at epoch ${published.rootLeaf.epoch} of ${published.shard}`;
  throw new Problem("not-found", detail, { members: inDidWords("NOT_FOUND", 404, detail, proof) });
}

/** @throws Problem `not-found` for a zone that nobody here knows anything of. */
function refuseUnknown({ zones }: Atlas, id: PassportId): never {
  const here = zones.map(({ name }) => name).join(", ");
  const detail = `This is the registry of ${here}, and the root names no zone ${zoneOf(id)}`;
  throw new Problem("not-found", detail, { members: inDidWords("NOT_FOUND", 404, detail) });
}

/**
 * A passport, or an answer in its place that says where it is.
 * @param path What is asked of it, without a slash before: the same at whichever zone.
 * @throws Problem `not-found`, `gone`.
 */
export async function findPresent(
  atlas: Atlas,
  id: PassportId,
  path: string,
): Promise<Spot<Present> | { readonly finding: null; readonly result: Result }> {
  const spot = await findSpot(atlas, id);
  if (!spot) {
    const url = urlOfZone(atlas, zoneOf(id));
    return url === null ? refuseUnknown(atlas, id) : { finding: null, result: elsewhere(url, path, null) };
  }
  const { finding, published } = spot;
  if (finding.kind === "present") return { finding, published };
  const missing: Spot<Missing> = { finding, published };
  const url = finding.kind === "ported" ? urlOfZone(atlas, finding.to) : null;
  return url === null ? refuseMissing(missing) : { finding: null, result: elsewhere(url, path, missing) };
}

/**
 * @throws Problem `held`: says by whose authority, and has the whole bundle for those who check.
 * @see https://www.rfc-editor.org/rfc/rfc7725
 */
export function refuseHeld(
  { finding, published }: Spot<Present>,
  bundle: string,
  zoneUrl: string | null,
): void {
  const hold = finding.hold?.op;
  if (!hold) return;
  const zone = published.zone;
  const detail = `The zone ${zone} holds this passport since ${hold.at}: ${hold.reason}, case ${hold.case}`;
  throw new Problem("held", detail, {
    headers: zoneUrl === null ? {} : { link: `<${zoneUrl}>; rel="blocked-by"` },
    members: inDidWords(null, 451, detail, {
      authority: zone,
      case: hold.case,
      reason: hold.reason,
      ...(JSON.parse(bundle) as object),
      did: didOf(finding.id),
    }),
  });
}
