/** What other servers say that we must know of a token: the issuer's keys, and whom a WebID trusts to speak for it. */
import { solid } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { SafeFetch } from "../safe-fetch.ts";
import { importJwk, type Jwk, type VerificationKey } from "./jwk.ts";

export interface Issuers {
  /**
   * Keys of the issuer that may have signed with `alg` and `kid`: few, usually one.
   * @throws Problem `fetch-failed`, `too-many-requests`.
   */
  keysFor(issuer: string, alg: string, kid: string | null, ip: string): Promise<readonly VerificationKey[]>;
  /** Does the WebID's document name this issuer? @throws as above. */
  isTrusted(webid: WebId, issuer: string, ip: string): Promise<boolean>;
}

export interface IssuersDependencies {
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly safeFetch: SafeFetch;
  /** Our own public keys: never fetched. */
  readonly ownKeys: () => Promise<readonly Jwk[]>;
  /** Issuers in the document of one of our own WebIDs; null when the WebID is not ours. */
  readonly localIssuers: (webid: string) => Promise<readonly string[] | null>;
}

const ANSWERS_KEPT_BYTES = 8 * 1024 * 1024; // Of each kind, for strangers choose what is asked and what is answered.
const ISSUERS_PER_WEBID_MAX = 8; // A person has one or two.
const ISSUER_LENGTH_MAX = 1_024;
const KEYS_TRIED_MAX = 4; // A token without key id fits several keys; more than this is no key set but a burden.
const KEYS_PER_ISSUER_MAX = 64;

interface Kept<T> {
  readonly until: number;
  readonly value: Promise<T>;
}

interface KeySet {
  readonly fetched: number;
  readonly keys: readonly Jwk[];
}

/**
 * Answers are kept for a while, failures for a shorter one; what is asked twice meanwhile is fetched once.
 * @param weigh About how many bytes an answer takes.
 */
function createMemory<T>(weigh: (value: T) => number, goodMs: number, badMs: number, now: () => Date) {
  const kept = new Lru<string, Kept<T>>(ANSWERS_KEPT_BYTES);
  const keep = (key: string, ms: number, value: Promise<T>, bytes: number): void =>
    kept.set(key, { until: now().getTime() + ms, value }, bytes + key.length + 256);
  return {
    get(key: string, find: () => Promise<T>): Promise<T> {
      const found = kept.get(key);
      if (found && found.until > now().getTime()) return found.value;
      const value = find();
      keep(key, goodMs, value, 0);
      value.then(
        (answer) => keep(key, goodMs, value, weigh(answer)),
        (error: unknown) => {
          const isOurs = error instanceof Problem && error.code === "too-many-requests"; // Says nothing about them.
          if (isOurs) kept.delete(key);
          else keep(key, badMs, value, 0);
        },
      );
      return value;
    },
    put: (key: string, value: T): void => keep(key, goodMs, Promise.resolve(value), weigh(value)),
  };
}

function sameIri(a: string, b: string): boolean {
  return a === b || (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href);
}

function failed(kind: string, cause?: unknown): Problem {
  return new Problem(
    "fetch-failed",
    `The ${kind} document is not as it should be`,
    cause === undefined ? {} : { cause },
  );
}

function fittingKeys(keys: readonly Jwk[], alg: string, kid: string | null): VerificationKey[] {
  const fitting: VerificationKey[] = [];
  for (const jwk of keys) {
    const isMeant =
      (kid === null || jwk["kid"] === kid) &&
      (jwk["use"] ?? "sig") === "sig" &&
      (jwk["alg"] === undefined || jwk["alg"] === alg || (jwk["alg"] === "Ed25519" && alg === "EdDSA"));
    if (!isMeant || fitting.length === KEYS_TRIED_MAX) continue;
    try {
      fitting.push(importJwk(jwk, alg));
    } catch {
      // A key of another type, or one that nobody should use: not a key for this token.
    }
  }
  return fitting;
}

/** Keys and WebIDs of others are fetched and kept for a while; our own are never fetched. */
export function createIssuers({
  baseUrl,
  limits,
  now,
  safeFetch,
  ownKeys,
  localIssuers,
}: IssuersDependencies): Issuers {
  const locations = createMemory<string>(
    (location) => location.length,
    limits.issuerKeysMsKept,
    limits.egressFailureMsKept,
    now,
  );
  const keySets = createMemory<KeySet>(
    ({ keys }) => JSON.stringify(keys).length,
    limits.issuerKeysMsKept,
    limits.egressFailureMsKept,
    now,
  );
  const profiles = createMemory<readonly string[]>(
    (issuers) => issuers.join().length,
    limits.agentMsKept,
    limits.egressFailureMsKept,
    now,
  );
  const refetching = new Map<string, Promise<KeySet>>();

  async function fetchJson(
    url: string,
    kind: string,
    bytesMax: number,
    ip: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { bytes } = await safeFetch(url, { accept: "application/json", bytesMax, kind, ip });
    try {
      const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
      if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    } catch (cause) {
      throw failed(kind, cause);
    }
    throw failed(kind);
  }

  /** @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation */
  const locationOf = (issuer: string, ip: string): Promise<string> =>
    locations.get(issuer, async () => {
      const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
      const found = await fetchJson(url, "issuer", limits.egressDiscoveryBytesMax, ip);
      const location = found["jwks_uri"];
      if (found["issuer"] !== issuer || typeof location !== "string") throw failed("issuer");
      return location;
    });

  async function fetchKeys(issuer: string, ip: string): Promise<KeySet> {
    const location = await locationOf(issuer, ip);
    const { keys } = await fetchJson(location, "jwks", limits.egressJwksBytesMax, ip);
    if (!Array.isArray(keys) || keys.length > KEYS_PER_ISSUER_MAX) throw failed("jwks");
    const objects = keys.filter((key: unknown) => typeof key === "object" && key !== null) as Jwk[];
    return { fetched: now().getTime(), keys: objects };
  }

  /** A key id we do not know may be a new key, or an invention: so we look again, but rarely. */
  async function refreshKeys(issuer: string, old: KeySet, ip: string): Promise<KeySet> {
    if (now().getTime() - old.fetched < limits.issuerRefetchMsMin) return old;
    let running = refetching.get(issuer);
    if (!running) {
      running = fetchKeys(issuer, ip)
        .catch(() => ({ ...old, fetched: now().getTime() })) // The old keys are still good, and the cool-down begins anew.
        .then((found) => {
          keySets.put(issuer, found);
          return found;
        })
        .finally(() => refetching.delete(issuer));
      refetching.set(issuer, running);
    }
    return running;
  }

  const issuersOf = (webid: WebId, ip: string): Promise<readonly string[]> =>
    profiles.get(webid, async () => {
      const url = webid.replace(/#.*$/s, "");
      const answer = await safeFetch(url, {
        accept: "text/turtle, application/ld+json;q=0.9, application/n-triples;q=0.8",
        bytesMax: limits.egressWebIdBytesMax,
        kind: "webid",
        ip,
      });
      try {
        const quads = await parseRdf(answer.bytes, answer.headers["content-type"] ?? "", answer.url);
        return quads
          .filter(
            ({ subject, predicate, object }) =>
              subject.value === webid &&
              predicate.value === solid.oidcIssuer &&
              object.termType === "NamedNode" &&
              object.value.length <= ISSUER_LENGTH_MAX,
          )
          .slice(0, ISSUERS_PER_WEBID_MAX)
          .map(({ object }) => Buffer.from(object.value).toString()); // A copy: a part of a text keeps the whole in memory.
      } catch (cause) {
        throw failed("webid", cause);
      }
    });

  return {
    async keysFor(issuer, alg, kid, ip) {
      if (issuer === baseUrl) return fittingKeys(await ownKeys(), alg, kid);
      const set = await keySets.get(issuer, () => fetchKeys(issuer, ip));
      const found = fittingKeys(set.keys, alg, kid);
      if (found.length > 0) return found;
      return fittingKeys((await refreshKeys(issuer, set, ip)).keys, alg, kid);
    },
    async isTrusted(webid, issuer, ip) {
      const local = await localIssuers(webid);
      if (local) return local.some((trusted) => sameIri(trusted, issuer));
      if (webid.startsWith(baseUrl)) return false; // It would be ours, and it is not there.
      return (await issuersOf(webid, ip)).some((trusted) => sameIri(trusted, issuer));
    },
  };
}
