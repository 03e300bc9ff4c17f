/**
 * Receipts for what was erased: signed, so that they can be shown to others; and without its name, so that they are no
 * trace of it themselves. Only who knows the name and the salt can tell what a receipt is about.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
  verify,
} from "node:crypto";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";

export interface ReceiptBody {
  readonly format: "freehold-erasure/1";
  readonly id: string;
  /** Base URL of the server that erased. */
  readonly server: string;
  readonly what: "document" | "folder" | "pod";
  /** SHA-256 of salt and address, hexadecimal. */
  readonly placeHash: string;
  /** RFC 3339. */
  readonly begun: string;
  readonly finished: string;
  /** Documents, files, folders and deletions that are gone. */
  readonly resources: number;
  /** Entries of the journal whose content is gone. */
  readonly journalEntries: number;
  /**
   * Until then a backup of the keyring may still exist that opens older copies of the data. Copies alone, with the keys of
   * today, open nothing of what was erased.
   */
  readonly oldKeysUntil: string;
  /** Thumbprint of the key (RFC 7638). */
  readonly key: string;
}

/** Signed by Ed25519 over {@link canonical} of all but the signature; base64url. */
export interface Receipt extends ReceiptBody {
  readonly signature: string;
}

/** For the owner: what the receipt is about, and by what that can be shown. */
export interface OpenedReceipt {
  readonly receipt: Receipt;
  readonly address: string;
  /** 16 bytes, hexadecimal. */
  readonly salt: string;
}

/** The one spelling of a JSON object of texts and whole numbers. https://www.rfc-editor.org/rfc/rfc8785 */
export function canonical(value: object): string {
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(members));
}

export const placeHashOf = (salt: string, address: string): string =>
  createHash("sha256").update(Buffer.from(salt, "hex")).update(address).digest("hex");

export interface Receipts {
  /** Signs and keeps a receipt. */
  make(
    facts: Omit<ReceiptBody, "format" | "id" | "placeHash" | "key"> & { readonly address: string },
  ): Promise<OpenedReceipt>;
  isValid(receipt: Receipt): Promise<boolean>;
  /** JSON Web Key Set. https://www.rfc-editor.org/rfc/rfc8037#section-2 */
  publishedKeys(): Promise<{ readonly keys: readonly JsonWebKey[] }>;
}

const GROUP = "erasure";

export function createReceipts(store: Store): Receipts {
  async function key(): Promise<{ readonly own: KeyObject; readonly jwk: JsonWebKey; readonly id: string }> {
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const entry = await transaction.get("setting", GROUP, "key");
      if (entry) return decodeRecord<JsonWebKey>(entry);
      const made = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
      transaction.put("setting", GROUP, "key", encodeRecord(made));
      return made;
    });
    const { crv, kty, x } = result;
    const id = createHash("sha256").update(canonical({ crv, kty, x })).digest("base64url");
    const own = createPrivateKey({ key: result, format: "jwk" });
    return { own, id, jwk: { kty, crv, x, kid: id, use: "sig", alg: "EdDSA" } as JsonWebKey };
  }

  return {
    async make({ address, ...facts }) {
      const { own, id: keyId } = await key();
      const salt = randomBytes(16).toString("hex");
      const body: ReceiptBody = {
        ...facts,
        format: "freehold-erasure/1",
        id: randomUUID(),
        placeHash: placeHashOf(salt, address),
        key: keyId,
      };
      const signature = sign(null, Buffer.from(canonical(body)), own).toString("base64url");
      const receipt: Receipt = { ...body, signature };
      await store.write(SERVER_POD, async (transaction) =>
        transaction.put("setting", `${GROUP} receipts`, receipt.id, encodeRecord(receipt)),
      );
      return { receipt, address, salt };
    },
    async isValid({ signature, ...body }) {
      const { own } = await key();
      return verify(
        null,
        Buffer.from(canonical(body)),
        createPublicKey(own),
        Buffer.from(signature, "base64url"),
      );
    },
    publishedKeys: async () => ({ keys: [(await key()).jwk] }),
  };
}
