/** The provider's own keys: made once, kept in the store, and used in process without fetching anything. */
import {
  createHash,
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { promisify } from "node:util";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import type { Jwk } from "./jwk.ts";

export type SigningAlgorithm = "ES256" | "RS256";

export interface ProviderKeys {
  /** What the JWKS shows: no private member. */
  readonly publicJwks: () => Promise<readonly Jwk[]>;
  /** For the provider's own machinery; the active algorithm's key comes first. */
  readonly privateJwks: () => Promise<readonly Jwk[]>;
  /** Sign the provider's cookies. */
  readonly cookieSecrets: () => Promise<readonly string[]>;
  /** A compact JWT. @param typ JOSE type, such as `at+jwt`. */
  readonly sign: (
    claims: Readonly<Record<string, unknown>>,
    typ: string,
    alg?: SigningAlgorithm,
  ) => Promise<string>;
}

interface StoredKeys {
  readonly jwks: readonly Jwk[];
  readonly cookieSecrets: readonly string[];
}

const PUBLIC_MEMBERS = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"] as const;
const generate = promisify(generateKeyPair);

function toJwk(key: KeyObject, alg: SigningAlgorithm): Jwk {
  const jwk = key.export({ format: "jwk" }) as Record<string, unknown>;
  const { crv, e, kty, n, x, y } = jwk;
  const members = kty === "EC" ? { crv, kty, x, y } : { e, kty, n }; // RFC 7638: in this order.
  const kid = createHash("sha256").update(JSON.stringify(members)).digest("base64url");
  return { ...jwk, alg, use: "sig", kid };
}

async function generateKeys(): Promise<StoredKeys> {
  const [ec, rsa] = await Promise.all([
    generate("ec", { namedCurve: "P-256" }),
    generate("rsa", { modulusLength: 2048 }),
  ]);
  return {
    jwks: [toJwk(ec.privateKey, "ES256"), toJwk(rsa.privateKey, "RS256")],
    cookieSecrets: [randomBytes(32).toString("base64url")],
  };
}

/** Nothing is read or made before the first use: making an RSA key takes a while. */
export function createProviderKeys(store: Store): ProviderKeys {
  let loading: Promise<StoredKeys> | undefined;
  const signers = new Map<SigningAlgorithm, { kid: string; key: KeyObject }>();

  async function load(): Promise<StoredKeys> {
    const stored = await store.read(SERVER_POD, (snapshot) => snapshot.get("oidc", "keys", ""));
    if (stored) return decodeRecord<StoredKeys>(stored);
    const made = await generateKeys();
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const other = await transaction.get("oidc", "keys", ""); // Two first uses at once agree on one set.
      if (other) return decodeRecord<StoredKeys>(other);
      transaction.put("oidc", "keys", "", encodeRecord(made));
      return made;
    });
    return result;
  }

  function keys(): Promise<StoredKeys> {
    loading ??= load().catch((error: unknown) => {
      loading = undefined; // The next use tries again.
      throw error;
    });
    return loading;
  }

  async function signerOf(alg: SigningAlgorithm): Promise<{ kid: string; key: KeyObject }> {
    const found = signers.get(alg);
    if (found) return found;
    const jwk = (await keys()).jwks.find((one) => one["alg"] === alg);
    if (!jwk) throw new Error(`There is no ${alg} key`);
    const signer = { kid: String(jwk["kid"]), key: createPrivateKey({ key: jwk, format: "jwk" }) };
    signers.set(alg, signer);
    return signer;
  }

  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

  return {
    publicJwks: async () =>
      (await keys()).jwks.map((jwk) =>
        Object.fromEntries(
          PUBLIC_MEMBERS.filter((member) => member in jwk).map((member) => [member, jwk[member]]),
        ),
      ),
    privateJwks: async () => (await keys()).jwks,
    cookieSecrets: async () => (await keys()).cookieSecrets,
    async sign(claims, typ, alg = "ES256") {
      const { kid, key } = await signerOf(alg);
      const signed = `${encode({ alg, typ, kid })}.${encode(claims)}`;
      const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
      return `${signed}.${signature.toString("base64url")}`;
    },
  };
}
