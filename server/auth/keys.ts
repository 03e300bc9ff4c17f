/** The provider's own keys: made at the first use, renewed now and then, kept in the store, used in process. */
import {
  createHash,
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { promisify } from "node:util";
import type { Limits } from "../limits.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { type Entry, SERVER_POD, type Store } from "../store/store.ts";
import type { Jwk } from "./jwk.ts";

export type SigningAlgorithm = "ES256" | "RS256";

export interface ProviderKeys {
  /** What the JWKS shows: no private member. Also keys that do not sign yet, or do not any more. */
  readonly publicJwks: () => Promise<readonly Jwk[]>;
  /** For the provider's own machinery; of each algorithm the key that signs comes first. */
  readonly privateJwks: () => Promise<readonly Jwk[]>;
  /** Sign the provider's cookies. */
  readonly cookieSecrets: () => Promise<readonly string[]>;
  /** A compact JWT. @param typ JOSE type, such as `at+jwt`. */
  readonly sign: (
    claims: Readonly<Record<string, unknown>>,
    typ: string,
    alg?: SigningAlgorithm,
  ) => Promise<string>;
  /**
   * Makes new keys when those that sign are old, and forgets those of which nothing is out any more; to be called about
   * hourly. New ones are published before they sign, so that no server elsewhere meets a key that it cannot find; old
   * ones stay published until the last token that they signed has ended.
   * @see https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys
   * @returns whether new ones were made.
   */
  readonly renew: () => Promise<boolean>;
  /**
   * ES256 over a text that is no JWT: r‖s.
   * @param spell Gets the key's id in the JWKS. What it makes must not be what a JWT could be, parts of base64url.
   */
  readonly signText: (spell: (kid: string) => string) => Promise<Buffer>;
}

/** Milliseconds since 1970; `until` is null for what may sign for ever, if nothing newer does. */
interface Term {
  readonly from: number;
  readonly until: number | null;
}

interface StoredKeys {
  readonly jwks: readonly Jwk[];
  /** By key id; one without signs from the beginning. */
  readonly terms?: Readonly<Record<string, Term>>;
  readonly cookieSecrets: readonly string[];
}

export interface ProviderKeysDependencies {
  readonly store: Store;
  readonly now: () => Date;
  readonly limits: Pick<
    Limits,
    "signingKeysMsMax" | "signingKeysMsAhead" | "accessTokenMsMax" | "credentialTokenMsMax"
  >;
}

const FROM_THE_BEGINNING: Term = { from: 0, until: null };

const PUBLIC_MEMBERS = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"] as const;
const generate = promisify(generateKeyPair);

function toJwk(key: KeyObject, alg: SigningAlgorithm): Jwk {
  const jwk = key.export({ format: "jwk" }) as Record<string, unknown>;
  const { crv, e, kty, n, x, y } = jwk;
  const members = kty === "EC" ? { crv, kty, x, y } : { e, kty, n }; // RFC 7638: in this order.
  const kid = createHash("sha256").update(JSON.stringify(members)).digest("base64url");
  return { ...jwk, alg, use: "sig", kid };
}

async function generateJwks(): Promise<readonly Jwk[]> {
  const [ec, rsa] = await Promise.all([
    generate("ec", { namedCurve: "P-256" }),
    generate("rsa", { modulusLength: 2048 }),
  ]);
  return [toJwk(ec.privateKey, "ES256"), toJwk(rsa.privateKey, "RS256")];
}

const kidOf = (jwk: Jwk): string => String(jwk["kid"]);

/** Nothing is read or made before the first use: making an RSA key takes a while. */
export function createProviderKeys({ store, now, limits }: ProviderKeysDependencies): ProviderKeys {
  let making: Promise<StoredKeys> | undefined;
  const decoded = new WeakMap<Entry, StoredKeys>();
  const signers = new Map<string, KeyObject>();

  const termOf = ({ terms }: StoredKeys, jwk: Jwk): Term => terms?.[kidOf(jwk)] ?? FROM_THE_BEGINNING;

  /** The one that signs: the newest whose time has come. */
  function active(stored: StoredKeys, alg: unknown): Jwk | undefined {
    const at = now().getTime();
    return stored.jwks
      .filter((jwk) => jwk["alg"] === alg && termOf(stored, jwk).from <= at)
      .reduce<Jwk | undefined>(
        (best, jwk) => (best && termOf(stored, best).from >= termOf(stored, jwk).from ? best : jwk),
        undefined,
      );
  }

  async function make(): Promise<StoredKeys> {
    const made: StoredKeys = {
      jwks: await generateJwks(),
      cookieSecrets: [randomBytes(32).toString("base64url")],
    };
    const from = now().getTime();
    const terms = Object.fromEntries(made.jwks.map((jwk) => [kidOf(jwk), { from, until: null }]));
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const other = await transaction.get("oidc", "keys", ""); // Two first uses at once agree on one set.
      if (other) return decodeRecord<StoredKeys>(other);
      const first: StoredKeys = { ...made, terms };
      transaction.put("oidc", "keys", "", encodeRecord(first));
      return first;
    });
    return result;
  }

  /** Asked of the store each time: another server on it may have renewed them. */
  async function keys(): Promise<StoredKeys> {
    const entry = await store.read(SERVER_POD, (snapshot) => snapshot.get("oidc", "keys", ""));
    if (entry) {
      let stored = decoded.get(entry);
      if (!stored) decoded.set(entry, (stored = decodeRecord<StoredKeys>(entry)));
      return stored;
    }
    making ??= make().finally(() => {
      making = undefined; // After this they are in the store; or the next use tries again.
    });
    return making;
  }

  async function signerOf(alg: SigningAlgorithm): Promise<{ kid: string; key: KeyObject }> {
    const jwk = active(await keys(), alg);
    if (!jwk) throw new Error(`There is no ${alg} key`);
    const kid = kidOf(jwk);
    let key = signers.get(kid);
    if (!key) signers.set(kid, (key = createPrivateKey({ key: jwk, format: "jwk" })));
    return { kid, key };
  }

  async function renew(): Promise<boolean> {
    const at = now().getTime();
    const ageOf = (stored: StoredKeys): number =>
      at - Math.max(...stored.jwks.map((jwk) => termOf(stored, jwk).from));
    const isOver = (stored: StoredKeys, jwk: Jwk): boolean => {
      const { until } = termOf(stored, jwk);
      return until !== null && until <= at;
    };
    const entry = await store.read(SERVER_POD, (snapshot) => snapshot.get("oidc", "keys", ""));
    if (!entry) return false; // Nobody has asked for any yet.
    const before = decodeRecord<StoredKeys>(entry);
    const isOld = ageOf(before) > limits.signingKeysMsMax;
    if (!isOld && !before.jwks.some((jwk) => isOver(before, jwk))) return false;
    const made = isOld ? await generateJwks() : [];
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const now = await transaction.get("oidc", "keys", "");
      const stored = now ? decodeRecord<StoredKeys>(now) : before;
      const fresh = ageOf(stored) > limits.signingKeysMsMax ? made : []; // Of two servers one renews.
      const from = at + limits.signingKeysMsAhead;
      const until = from + Math.max(limits.accessTokenMsMax, limits.credentialTokenMsMax);
      const kept = stored.jwks.filter((jwk) => !isOver(stored, jwk));
      const terms = Object.fromEntries([
        ...kept.map((jwk): [string, Term] => {
          const term = termOf(stored, jwk);
          return [kidOf(jwk), fresh.length > 0 && term.until === null ? { ...term, until } : term];
        }),
        ...fresh.map((jwk): [string, Term] => [kidOf(jwk), { from, until: null }]),
      ]);
      transaction.put("oidc", "keys", "", encodeRecord({ ...stored, jwks: [...fresh, ...kept], terms }));
      return fresh.length > 0;
    });
    return result;
  }

  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

  return {
    publicJwks: async () =>
      (await keys()).jwks.map((jwk) =>
        Object.fromEntries(
          PUBLIC_MEMBERS.filter((member) => member in jwk).map((member) => [member, jwk[member]]),
        ),
      ),
    async privateJwks() {
      const stored = await keys();
      const signing = ["ES256", "RS256"].map((alg) => active(stored, alg));
      return stored.jwks.toSorted((a, b) => Number(signing.includes(b)) - Number(signing.includes(a)));
    },
    renew,
    cookieSecrets: async () => (await keys()).cookieSecrets,
    async sign(claims, typ, alg = "ES256") {
      const { kid, key } = await signerOf(alg);
      const signed = `${encode({ alg, typ, kid })}.${encode(claims)}`;
      const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
      return `${signed}.${signature.toString("base64url")}`;
    },
    async signText(spell) {
      const { kid, key } = await signerOf("ES256");
      return sign("sha256", Buffer.from(spell(kid)), { key, dsaEncoding: "ieee-p1363" });
    },
  };
}
