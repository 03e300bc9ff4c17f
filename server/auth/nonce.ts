/** DPoP nonces: numbers of the server's own in each proof, so that none can be made ahead of its time. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** @see https://www.rfc-editor.org/rfc/rfc9449#section-8 */
export interface Nonces {
  readonly current: () => Promise<string>;
  /** Good for two to three minutes from when it was given, at every server on the same store. */
  readonly isGood: (nonce: unknown) => Promise<boolean>;
}

const STEP_MS = 60_000;
const STEPS = [0, -1, -2, 1] as const; // The last for a server whose clock is a little ahead.

/** The one key from which all servers on a store make their nonces. @param secret From the provider's own keys. */
export function nonceKey(secret: string): Buffer {
  return createHmac("sha256", secret).update("DPoP nonce").digest();
}

/** Nothing is remembered: a nonce is the time, sealed. @param key 32 bytes; made at the first use. */
export function createNonces(key: () => Promise<Buffer>, now: () => Date): Nonces {
  const make = async (step: number): Promise<string> =>
    createHmac("sha256", await key())
      .update(String(step))
      .digest("base64url")
      .slice(0, 22); // 128 bits.
  const stepNow = (): number => Math.floor(now().getTime() / STEP_MS);
  return {
    current: () => make(stepNow()),
    async isGood(nonce) {
      if (typeof nonce !== "string" || nonce.length !== 22) return false;
      const given = Buffer.from(nonce.padEnd(66)); // Bytes, however many each sign takes.
      const known = await Promise.all(STEPS.map((offset) => make(stepNow() + offset)));
      return known.some((one) => {
        const good = Buffer.from(one.padEnd(66));
        return good.length === given.length && timingSafeEqual(good, given);
      });
    },
  };
}
