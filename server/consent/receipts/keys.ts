/**
 * By which keys this server signs for its pods: what a pod hands to a vendor can be shown to others, and checked without
 * asking anybody who was there. What is signed names its pod; a key speaks for the pods of its own server only.
 */
import { json } from "../../body.ts";
import type { Door } from "../../operation.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import { SERVER_POD, type Store } from "../../store/store.ts";
import { addProof, generateSigningKey, type Json, multikeyOf, type Signed } from "../shared.ts";

/** Where the public keys stand, for everybody. */
export const CONSENT_KEY_PATH = "/.well-known/freehold/consent-key";

export interface ConsentKeys {
  /** The document with the server's signature. The same again gives the same, for Ed25519 throws no dice. */
  sign(document: Json, created: Date, isPlain?: boolean): Promise<Signed>;
  /** Of all keys by which this server signs or has signed. */
  addresses(): Promise<readonly string[]>;
  /** A key of this server by its address; null for any other address. */
  keyOf(verificationMethod: string): Promise<JsonWebKey | null>;
  /** `GET /.well-known/freehold/consent-key`: a controlled identifier document. https://www.w3.org/TR/cid-1.0/ */
  readonly publishedKeys: Door;
}

/** As stored, the one in use first. Those that are not used any more stay, for what they signed. */
interface StoredKeys {
  readonly keys: readonly JsonWebKey[];
}

interface Key {
  readonly privateKey: JsonWebKey;
  readonly publicKey: JsonWebKey;
  readonly multikey: string;
  readonly address: string;
}

const GROUP = "consent";
const ITEM = "keys";

/** @param baseUrl Ends in `/`. */
export function createConsentKeys(store: Pick<Store, "read" | "write">, baseUrl: string): ConsentKeys {
  const home = `${baseUrl}${CONSENT_KEY_PATH.slice(1)}`;
  let loaded: Promise<readonly Key[]> | null = null;

  function keyFrom(stored: JsonWebKey): Key {
    const { kty = "", crv = "", x = "" } = stored;
    const publicKey = { kty, crv, x };
    const multikey = multikeyOf(publicKey) ?? "";
    return { privateKey: stored, publicKey, multikey, address: `${home}#${multikey}` };
  }

  async function load(): Promise<readonly Key[]> {
    const stored = await store.read(SERVER_POD, (snapshot) => snapshot.get("setting", GROUP, ITEM));
    if (stored) return decodeRecord<StoredKeys>(stored).keys.map(keyFrom);
    const { privateKey } = await generateSigningKey();
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const made = await transaction.get("setting", GROUP, ITEM); // Another server on the same store may have been first.
      if (made) return decodeRecord<StoredKeys>(made).keys;
      transaction.put("setting", GROUP, ITEM, encodeRecord({ keys: [privateKey] } satisfies StoredKeys));
      return [privateKey];
    });
    return result.map(keyFrom);
  }

  /** Made at the first need: a server that nobody asked for anything has nothing to sign. */
  function keys(): Promise<readonly Key[]> {
    loaded ??= load().catch((error: unknown) => {
      loaded = null;
      throw error;
    });
    return loaded;
  }

  return {
    async sign(document, created, isPlain = false) {
      const [key] = await keys();
      if (!key) throw new Error("There is no key to sign with");
      return addProof(document, { key: key.privateKey, verificationMethod: key.address, created, isPlain });
    },
    addresses: async () => (await keys()).map(({ address }) => address),
    async keyOf(verificationMethod) {
      if (!verificationMethod.startsWith(`${home}#`)) return null;
      return (await keys()).find(({ address }) => address === verificationMethod)?.publicKey ?? null;
    },
    async publishedKeys() {
      const all = await keys();
      const document = {
        "@context": ["https://www.w3.org/ns/cid/v1"],
        id: home,
        verificationMethod: all.map(({ address, multikey }) => ({
          id: address,
          type: "Multikey",
          controller: home,
          publicKeyMultibase: multikey,
        })),
        assertionMethod: all.map(({ address }) => address),
      };
      return json(200, document, {
        "content-type": "application/ld+json",
        "cache-control": "public, max-age=300",
      });
    },
  };
}
