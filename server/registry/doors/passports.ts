/** `GET /v1/passports/:id`: the bundle, which everybody can verify alone. The door that is asked most. */
import type { PassportId } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import type { Door } from "../../operation.ts";
import type { Present, Published, Zone } from "../port.ts";
import { bundleText, DEPTHS, type Depth } from "./answer.ts";
import { cached, idOf, inDidWords } from "./door.ts";
import { type Atlas, findPresent, refuseHeld, type Spot, urlOfZone } from "./find.ts";

const TAG_MS = 3_600_000;

/**
 * Weak, for the proof of the same state is another one at each epoch. It changes by the hour, too: whoever is told that
 * nothing has changed keeps a checkpoint that is no older than that.
 */
export const tagOf = ({ commit }: Pick<Present, "commit">, at: number): string =>
  `W/"${commit}.${Math.floor(at / TAG_MS).toString(36)}"`;

/** A bundle as it is sent, for as long as its epoch is the newest. */
export interface ReadyBundle {
  readonly commit: string;
  readonly bytes: Buffer;
  readonly zone: Zone;
  readonly published: Published;
}

export interface ReadyBundles {
  /** @returns undefined for what must be looked up. */
  find(id: string): ReadyBundle | undefined;
  /** Looks it up. @param id In lower case. @returns null for whatever has another answer than a bundle. */
  make(id: string): Promise<ReadyBundle | null>;
  keep(spot: Spot<Present>, bytes: Buffer): void;
}

/** What an identifier looks like; whether it is one, the registry need not ask, for then there is nothing by that name. */
const FORM = /^dp[a-z0-9]{2}1[02-9ac-hj-np-z]{48}$/;

/** Within an epoch nothing of an answer can change, so it is the same text for everybody. */
export function createReadyBundles({ zones }: Pick<Atlas, "zones">, bytesMax: number): ReadyBundles {
  const known = new Lru<string, ReadyBundle>(bytesMax);
  const byName = new Map(zones.map((zone) => [zone.name, zone] as const));

  function keep({ finding, published }: Spot<Present>, bytes: Buffer): ReadyBundle | null {
    const zone = byName.get(published.zone);
    // One that is held is never answered this way.
    if (!zone || finding.hold) return null;
    const bundle = { commit: finding.commit, bytes, zone, published };
    known.set(finding.id, bundle, bytes.length);
    return bundle;
  }

  return {
    find(id) {
      const found = known.get(id);
      return found?.published === found?.zone.published() ? found : undefined;
    },
    async make(id) {
      const zone = FORM.test(id) ? byName.get(id.slice(2, 4)) : undefined;
      if (!zone) return null;
      const { findings: finding, published } = await zone.find(id as PassportId);
      if (finding.kind !== "present") return null;
      return keep({ finding, published }, Buffer.from(bundleText(finding, published)));
    },
    keep,
  };
}

function depthOf(text: string | null): Depth {
  const depth = DEPTHS.find((one) => one === (text ?? "full"));
  if (depth) return depth;
  const detail = `proof is one of ${DEPTHS.join(", ")}`;
  throw new Problem("bad-request", detail, { members: inDidWords("INVALID_OPTIONS", 400, detail) });
}

export interface PassportDeps extends Atlas {
  readonly ready: ReadyBundles;
  readonly now: () => Date;
}

export function createPassportDoor({ ready, now, ...atlas }: PassportDeps): Door {
  return async (request) => {
    const depth = depthOf(request.url.searchParams.get("proof"));
    const id: PassportId = idOf(request.params["id"] ?? "");
    const at = now().getTime();
    const known = depth === "full" ? ready.find(id) : undefined;
    if (known) return cached(request, tagOf(known, at), "application/json", known.bytes);
    const spot = await findPresent(atlas, id, `v1/passports/${id}${request.url.search}`);
    if (!spot.finding) return spot.result;
    const text = bundleText(spot.finding, spot.published, depth);
    if (spot.finding.hold)
      refuseHeld(spot, bundleText(spot.finding, spot.published), urlOfZone(atlas, spot.published.zone));
    const bytes = Buffer.from(text);
    if (depth === "full") ready.keep(spot, bytes);
    // Each part has bytes of its own, and one must never be confirmed for another.
    const tag = tagOf(spot.finding, at);
    return cached(
      request,
      depth === "full" ? tag : tag.replace('"', `"${depth}.`),
      "application/json",
      bytes,
    );
  };
}
