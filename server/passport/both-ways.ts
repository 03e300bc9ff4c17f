/** The link between a passport and a profile: it counts only if each names the other. */
import { didOf, hashOfOperation, type PassportId } from "@freehold/client/passport";
import { fh } from "@freehold/vocab";
import type { Quad } from "../rdf/terms.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { findHosted, type LinkCheck, putHosted } from "./hosted.ts";
import type { Known } from "./link.ts";

/** What the document of a WebID says; null when it cannot be had. @param ip Of whoever caused that it is asked for. */
export type ProfileOf = (webid: string, ip: string) => Promise<readonly Quad[] | null>;

const CHECKED_AGAIN_MS = 24 * 3_600_000; // Profiles change without the passport's knowing.
const BROKEN_AGAIN_MS = 60_000; // Whoever mends one wants to see it.

const names = (quads: readonly Quad[], webid: string, id: PassportId): boolean =>
  quads.some(
    ({ subject, predicate, object }) =>
      subject.value === webid && predicate.value === fh.passport && object.value === didOf(id),
  );

/** Looks at each profile that the passport names. */
export async function checkLink(
  { id, data }: Known,
  profileOf: ProfileOf,
  ip: string,
  now: () => Date,
): Promise<LinkCheck | null> {
  if (!data || data.op.webid.length === 0) return null;
  const webids: string[] = [];
  for (const webid of data.op.webid)
    if (names((await profileOf(webid, ip)) ?? [], webid, id)) webids.push(webid);
  return {
    at: now().getTime(),
    dataHash: await hashOfOperation(data.op),
    webids,
    isMutual: webids.length === data.op.webid.length,
  };
}

export interface LinksDeps {
  readonly store: Store;
  readonly now: () => Date;
  readonly profileOf: ProfileOf;
}

/**
 * Whether a passport that is hosted here and its profiles name each other: as it was recorded, or looked at again when the
 * data record is another, once a day, and soon when the link was broken.
 */
export function createLinks({ store, now, profileOf }: LinksDeps) {
  return async (known: Known, ip: string): Promise<LinkCheck | null> => {
    const { id, data } = known;
    const hosted = await store.read(SERVER_POD, (snapshot) => findHosted(snapshot, id));
    if (!data || !hosted || hosted.pod === null) return null;
    const { link } = hosted;
    const isSame = link?.dataHash === (await hashOfOperation(data.op));
    if (isSame && link.at > now().getTime() - (link.isMutual ? CHECKED_AGAIN_MS : BROKEN_AGAIN_MS))
      return link;
    const checked = await checkLink(known, profileOf, ip, now);
    await store.write(SERVER_POD, async (transaction) => {
      const newest = await findHosted(transaction, id);
      if (newest && newest.pod !== null) putHosted(transaction, { ...newest, link: checked });
    });
    return checked;
  };
}
