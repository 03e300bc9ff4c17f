/**
 * Signed heads: where a pod's journal stood at a moment, signed by the server. Who has kept one, in a log, a backup or
 * a letter, can tell whether what the journal says now still begins with what it said then.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { Problem } from "../errors.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { type JournalHead, SERVER_POD, type Snapshot, type Store, type Transaction } from "../store/store.ts";

export interface SignedHead {
  /** The pod's name. */
  readonly pod: string;
  readonly number: number;
  /** Base64url. */
  readonly hash: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  /** Id of the key: the thumbprint of RFC 7638. */
  readonly key: string;
  /** Ed25519 over {@link signedText}, base64url. */
  readonly signature: string;
}

/** What is signed: lines, so that anybody can make them again. */
function signedText({ pod, number, hash: of, time }: Omit<SignedHead, "key" | "signature">): string {
  return `freehold-journal-head\n${pod}\n${number}\n${of}\n${time}\n`;
}

export interface HeadKeys {
  sign(pod: string, head: JournalHead, time: Date): Promise<SignedHead>;
  /** Whether this server signed it. */
  isValid(head: SignedHead): Promise<boolean>;
  /** JSON Web Key Set. https://www.rfc-editor.org/rfc/rfc8037#section-2 */
  published(): Promise<{ readonly keys: readonly Readonly<Record<string, unknown>>[] }>;
}

const GROUP = "journal";
const ITEM = "keys";

/** As stored, the one in use first. Those that are not used any more stay, for what they signed. */
interface StoredKeys {
  readonly keys: readonly JsonWebKey[];
}

interface Key {
  readonly id: string;
  readonly private: KeyObject;
  readonly public: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** @see https://www.rfc-editor.org/rfc/rfc8037#appendix-A.3 */
function keyOf(stored: JsonWebKey): Key {
  const secret = createPrivateKey({ key: stored, format: "jwk" });
  const { crv, kty, x } = stored;
  const id = hash("sha256", JSON.stringify({ crv, kty, x }), "base64url");
  return {
    id,
    private: secret,
    public: createPublicKey(secret),
    jwk: { kty, crv, x, kid: id, use: "sig", alg: "EdDSA" },
  };
}

/** Keys are made at the first need: a server without a pod has nothing to sign. */
export function createHeadKeys(store: Store): HeadKeys {
  let loaded: Promise<readonly Key[]> | null = null;

  async function load(): Promise<readonly Key[]> {
    const stored = await store.read(SERVER_POD, (snapshot) => snapshot.get("setting", GROUP, ITEM));
    if (stored) return decodeRecord<StoredKeys>(stored).keys.map(keyOf);
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const made = await transaction.get("setting", GROUP, ITEM); // Another server on the same store may have been first.
      if (made) return decodeRecord<StoredKeys>(made).keys;
      const keys = [generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })];
      transaction.put("setting", GROUP, ITEM, encodeRecord({ keys } satisfies StoredKeys));
      return keys;
    });
    return result.map(keyOf);
  }

  function keys(): Promise<readonly Key[]> {
    loaded ??= load().catch((error: unknown) => {
      loaded = null;
      throw error;
    });
    return loaded;
  }

  return {
    async sign(pod, head, time) {
      const [key] = await keys();
      if (!key) throw new Problem("internal", "There is no key to sign with");
      const said = {
        pod,
        number: head.number,
        hash: Buffer.from(head.hash).toString("base64url"),
        time: time.toISOString(),
      };
      const signature = sign(null, Buffer.from(signedText(said)), key.private).toString("base64url");
      return { ...said, key: key.id, signature };
    },
    async isValid(head) {
      const key = (await keys()).find(({ id }) => id === head.key);
      if (!key) return false;
      return verify(
        null,
        Buffer.from(signedText(head)),
        key.public,
        Buffer.from(head.signature, "base64url"),
      );
    },
    published: async () => ({ keys: (await keys()).map(({ jwk }) => jwk) }),
  };
}

/** Ten digits, so that the order of names is that of numbers. */
const itemOf = (number: number): string => String(number).padStart(10, "0");

export function putHead(transaction: Transaction, head: SignedHead): void {
  transaction.put("head", "", itemOf(head.number), encodeRecord(head));
}

/** The signed heads that are kept with the pod, oldest first. */
export async function listHeads(snapshot: Snapshot): Promise<readonly SignedHead[]> {
  const heads: SignedHead[] = [];
  for await (const entry of snapshot.list("head", "")) heads.push(decodeRecord<SignedHead>(entry));
  return heads.sort((a, b) => a.number - b.number);
}

export const asHead = ({ number, hash: of }: SignedHead): JournalHead => ({
  number,
  hash: Buffer.from(of, "base64url"),
});

/**
 * Heads as somebody kept them: one, or a list, as JSON.
 * @throws Problem `input-invalid`.
 */
export function parseHeads(text: string): readonly SignedHead[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Problem("input-invalid", "The signed heads are not valid JSON", { cause });
  }
  return (Array.isArray(value) ? value : [value]).map((one: unknown) => {
    const { pod, number, hash: of, time, key, signature } = (one ?? {}) as Record<string, unknown>;
    const texts = [pod, of, time, key, signature].every((part) => typeof part === "string");
    if (!texts || !Number.isSafeInteger(number) || Buffer.from(of as string, "base64url").length !== 32)
      throw new Problem("input-invalid", "A signed head has pod, number, hash, time, key and signature");
    return { pod, number, hash: of, time, key, signature } as SignedHead;
  });
}
