/** What a zone or one of its mirrors proves of a passport now. Nothing is believed that does not verify. */
import {
  type AllowUrl,
  type Bundle,
  isOlder,
  type Passport,
  type PassportId,
  parseStrictJson,
  type RootRecord,
  seenOf,
  type VerifiedAnswer,
  verifyAnswer,
  verifyBundle,
} from "@freehold/client/registry";
import { type Fetch, getText, Refused } from "./wire.ts";

export type Asked =
  | {
      readonly kind: "present";
      readonly bundle: Bundle;
      readonly answer: Extract<VerifiedAnswer, { readonly kind: "present" }>;
    }
  | { readonly kind: "absent" }
  /** Nobody answers, or nobody with the truth. */
  | { readonly kind: "unknown" };

export interface AskOptions {
  readonly fetch: Fetch;
  readonly record: RootRecord;
  readonly now: number;
  /** How old the newest cosignature of an answer may be. */
  readonly maxAgeSeconds: number;
  readonly allowUrl?: AllowUrl | undefined;
}

/** A bundle somebody sent, held against the record. @throws PassportError */
export async function readPresent(
  source: string | object,
  id: PassportId,
  { record, now, maxAgeSeconds, allowUrl }: Omit<AskOptions, "fetch">,
): Promise<Asked> {
  const answer = await verifyAnswer(source, id, record, {
    now,
    maxAgeSeconds,
    ...(allowUrl && { allowUrl }),
  });
  if (answer.kind === "absent") return { kind: "absent" };
  const bundle = (typeof source === "string" ? parseStrictJson(source, 24) : source) as Bundle;
  return { kind: "present", bundle, answer };
}

/** A bundle that was held against the record once: who a passport is by it, now that its proof has aged. */
export const passportOf = (
  { id, head }: Bundle,
  { record, allowUrl }: Pick<AskOptions, "record" | "allowUrl">,
): Promise<Passport> =>
  verifyBundle({ id, head }, id, {
    zoneKeys: (zone) => (Object.hasOwn(record.zones, zone) ? (record.zones[zone]?.keys ?? []) : []),
    ...(allowUrl && { allowUrl }),
  });

/**
 * Whether an answer is older than what was proved before it. A zone can lead a passport back in its map, and have that
 * signed; who follows its log and has no openings sees nothing of it.
 */
export async function isBehind(
  asked: Asked,
  known: Bundle | null,
  options: Pick<AskOptions, "record" | "allowUrl">,
): Promise<boolean> {
  if (asked.kind !== "present" || !known) return false;
  return isOlder(seenOf(asked.answer.passport), seenOf(await passportOf(known, options)));
}

/** Asks the addresses of a zone in their order: its own, then its mirrors. */
export async function askZone(zone: string, id: PassportId, options: AskOptions): Promise<Asked> {
  for (const url of options.record.zones[zone]?.urls ?? []) {
    try {
      const text = await getText(options.fetch, `${url}v1/passports/${id}`);
      return await readPresent(text, id, options);
    } catch (error) {
      const absence = error instanceof Refused && error.status === 404 ? error.members : null;
      if (!absence) continue;
      const { absence: proof, checkpoint } = absence;
      const answer = { id, absence: proof, checkpoint };
      const asked = await readPresent(answer, id, options).catch(() => null);
      if (asked) return asked;
    }
  }
  return { kind: "unknown" };
}
