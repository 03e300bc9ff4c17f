/** Named people, keys and servers for the tests of identity. */
import { generateKeyPairSync, hash, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Accounts } from "../../server/auth/accounts.ts";
import { type AgentVerifier, createAgentVerifier } from "../../server/auth/agent.ts";
import { createProvider, type Provider } from "../../server/auth/provider.ts";
import { Problem } from "../../server/errors.ts";
import type { WebId } from "../../server/iri.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import type { DoorRequest } from "../../server/operation.ts";
import { createSafeFetch, type SafeFetch } from "../../server/safe-fetch.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import type { Store } from "../../server/store/store.ts";

export const SILENT = createLog(
  () => {},
  () => new Date(),
);

export interface KeyPair {
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, string>>;
  readonly thumbprint: string;
}

/** @param alg ES256, ES384, RS256, PS256 or EdDSA. */
export function makeKey(alg = "ES256"): KeyPair {
  const curve = { ES256: "P-256", ES384: "P-384", ES512: "P-521" }[alg];
  const { privateKey, publicKey } = curve
    ? generateKeyPairSync("ec", { namedCurve: curve })
    : alg === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { crv, e, kty, n, x, y } = publicKey.export({ format: "jwk" }) as Record<string, string>;
  const jwk = (
    kty === "RSA" ? { e, kty, n } : y === undefined ? { crv, kty, x } : { crv, kty, x, y }
  ) as Record<string, string>;
  return { alg, privateKey, jwk, thumbprint: hash("sha256", JSON.stringify(jwk), "base64url") };
}

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

export function signJwt(header: unknown, claims: unknown, { alg, privateKey }: KeyPair): string {
  const data = `${encode(header)}.${encode(claims)}`;
  const digest = alg === "EdDSA" ? null : `sha${alg.slice(2) === "512" ? "512" : alg.slice(2)}`;
  const pss = alg.startsWith("PS") ? { padding: 6, saltLength: -1 } : {};
  return `${data}.${sign(digest, Buffer.from(data), { key: privateKey, dsaEncoding: "ieee-p1363", ...pss }).toString("base64url")}`;
}

export interface ProofParts {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
}

export function makeProof(
  key: KeyPair,
  method: string,
  url: string,
  { header = {}, claims = {} }: ProofParts = {},
): string {
  return signJwt(
    { typ: "dpop+jwt", alg: key.alg, jwk: key.jwk, ...header },
    { jti: randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1_000), ...claims },
    key,
  );
}

/** Accounts in memory: a session is the cookie `account=<id>`. */
export interface TestAccounts extends Accounts {
  readonly people: Map<string, WebId>;
  readonly credentials: Map<string, { secretHash: Uint8Array; webid: WebId }>;
}

export function makeAccounts(): TestAccounts {
  const people = new Map<string, WebId>();
  const credentials = new Map<string, { secretHash: Uint8Array; webid: WebId }>();
  return {
    people,
    credentials,
    sessionOf: async ({ cookie = "" }) => {
      const accountId = /(?:^|; )account=(\w+)/.exec(cookie)?.[1] ?? "";
      const webid = people.get(accountId);
      return webid ? { accountId, webid } : null;
    },
    webIdOf: async (accountId) => people.get(accountId) ?? null,
    credentialOf: async (id) => credentials.get(id) ?? null,
  };
}

export async function listen(server: Server, host = "127.0.0.1"): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

export interface World {
  readonly baseUrl: string;
  /** Where it really listens; the same without a proxy. */
  readonly localUrl: string;
  readonly ana: WebId;
  readonly accounts: TestAccounts;
  readonly provider: Provider;
  readonly verify: AgentVerifier;
  readonly store: Store;
  /** URLs that this server fetched. */
  readonly fetched: string[];
  readonly safeFetch: SafeFetch;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly egressAllow?: readonly string[];
  readonly now?: () => Date;
  readonly limits?: Partial<Record<keyof Limits, number>>;
  readonly bearer?: boolean;
  readonly ath?: "required" | "when-present";
  readonly dpopNonce?: boolean;
  readonly store?: Store;
  /** The public address, when a proxy stands before the server. */
  readonly baseUrl?: string;
}

function problemTo(response: ServerResponse, error: unknown): void {
  const problem = error instanceof Problem ? error : new Problem("internal", String((error as Error).stack));
  response.writeHead(problem.status, { "content-type": "application/problem+json", ...problem.headers });
  response.end(JSON.stringify({ code: problem.code, detail: problem.detail }));
}

/** A server with the provider, its doors, and one private resource at `/ana/private` that answers who asked. */
export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  let answer: (request: IncomingMessage, response: ServerResponse) => Promise<void> = async () => {};
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => problemTo(response, error));
  });
  const port = await listen(server);
  const localUrl = `http://localhost:${port}/`;
  const baseUrl = options.baseUrl ?? localUrl;
  const ana = `${baseUrl}ana/profile/card#me` as WebId;
  const accounts = makeAccounts();
  accounts.people.set("a1", ana);
  const store = options.store ?? createMemoryStore();
  const now = options.now ?? (() => new Date());
  const limits = { ...LIMITS, ...options.limits } as Limits;
  const egressAllow = options.egressAllow ?? [];
  const fetched: string[] = [];
  const gate = createSafeFetch({ egressAllow, limits, log: SILENT, now });
  const safeFetch: SafeFetch = (url, fetchOptions) => {
    fetched.push(url);
    return gate(url, fetchOptions);
  };
  const shared = {
    baseUrl,
    bearer: options.bearer ?? false,
    ath: options.ath ?? ("when-present" as const),
    limits,
    now,
    log: SILENT,
    safeFetch,
  };
  const dpopNonce = options.dpopNonce ?? false;
  const provider = createProvider({ ...shared, dpopNonce, egressAllow, store, accounts });
  const verify = createAgentVerifier({
    ...shared,
    ownKeys: provider.publicKeys,
    nonces: provider.nonces,
    reachOf: provider.reachOf,
    localIssuers: async (webid) => (webid === ana ? [baseUrl] : null),
  });

  const toDoor = (request: IncomingMessage, params: Record<string, string>): DoorRequest => ({
    id: "test",
    method: request.method ?? "",
    url: new URL(request.url ?? "", baseUrl),
    params,
    headers: request.headers as Record<string, string>,
    ip: "192.0.2.7",
    body: request,
  });
  answer = async (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const uid = /^\/\.oidc\/interaction\/([\w-]+)$/.exec(path)?.[1];
    const { question, answer: decide, sessionToken } = provider.doors;
    const door =
      uid !== undefined
        ? request.method === "POST"
          ? decide
          : question
        : path === "/.oidc/session-token"
          ? sessionToken
          : null;
    if (door) {
      const result = await door(toDoor(request, { uid: uid ?? "" }));
      response.writeHead(result.status, result.headers as never).end(result.body);
    } else if (provider.owns(path)) await provider.handle(request, response);
    else if (path === "/ana/profile/card") {
      response.writeHead(200, { "content-type": "text/turtle" });
      response.end(`<${ana}> <http://www.w3.org/ns/solid/terms#oidcIssuer> <${baseUrl}>.`);
    } else {
      const headers = request.headers as Record<string, string>;
      const agent = await verify({
        method: request.method ?? "",
        url: baseUrl.slice(0, -1) + path,
        headers,
        ip: "192.0.2.7",
      });
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(agent));
    }
  };
  return {
    baseUrl,
    localUrl,
    ana,
    accounts,
    provider,
    verify,
    store,
    fetched,
    safeFetch,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The problem that a promise fails with. */
export async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("It was accepted");
}
