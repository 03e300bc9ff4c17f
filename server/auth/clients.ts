/** Applications: those that registered here, those that describe themselves by a document, and accounts' own programs. */
import { hash, timingSafeEqual } from "node:crypto";
import type { Limits } from "../limits.ts";
import type { SafeFetch } from "../safe-fetch.ts";
import type { Accounts } from "./accounts.ts";

export type ClientMetadata = Readonly<Record<string, unknown>>;

/** Message may be shown to the application's developer. */
export class ClientError extends Error {
  override readonly name = "ClientError";
}

export const SCOPES: readonly string[] = Object.freeze(["openid", "profile", "offline_access", "webid"]);

const SECRET_PREFIX = "sha256:";
/** Of a client-id document, what an application may decide. @see https://www.rfc-editor.org/rfc/rfc7591#section-2 */
const TAKEN_OVER = [
  "client_id",
  "client_name",
  "client_uri",
  "redirect_uris",
  "post_logout_redirect_uris",
  "policy_uri",
  "tos_uri",
  "application_type",
  "default_max_age",
  "require_auth_time",
] as const;
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * https anywhere, http on the person's own machine or where the operator allows it, and apps' private-use schemes.
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-7
 */
function isAllowedRedirect(uri: unknown, egressAllow: readonly string[]): boolean {
  if (typeof uri !== "string" || !URL.canParse(uri)) return false;
  const { protocol, hostname, origin, username, password, hash: fragment } = new URL(uri);
  if (username !== "" || password !== "" || fragment !== "") return false;
  if (protocol === "https:") return true;
  if (protocol === "http:") return LOOPBACK_HOSTS.has(hostname) || egressAllow.includes(origin);
  return /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/.test(protocol); // A reversed domain name of the app's own.
}

/** @throws ClientError for an address that no login may be sent to. */
export function checkRedirects(metadata: ClientMetadata, egressAllow: readonly string[]): void {
  for (const member of ["redirect_uris", "post_logout_redirect_uris"]) {
    const uris = metadata[member] ?? [];
    if (!Array.isArray(uris) || !uris.every((uri) => isAllowedRedirect(uri, egressAllow))) {
      throw new ClientError(
        `${member} must be https, http on this machine (localhost), or an app's own scheme`,
      );
    }
  }
}

/** Anybody may register, and each registration is a record: it may be as long as a document, and no longer. */
export function checkSize(metadata: ClientMetadata, bytesMax: number): void {
  if (Buffer.byteLength(JSON.stringify(metadata)) > bytesMax)
    throw new ClientError(`What an application says of itself has at most ${bytesMax} bytes`);
}

/** What is kept of a secret. */
export function hashSecret(secret: string): string {
  return SECRET_PREFIX + hash("sha256", secret, "base64url");
}

/** In constant time. @param kept From {@link hashSecret}. */
export function isSecret(kept: unknown, given: unknown): boolean {
  if (typeof kept !== "string" || typeof given !== "string") return false;
  const [a, b] = [Buffer.from(kept), Buffer.from(hashSecret(given))];
  return a.length === b.length && timingSafeEqual(a, b);
}

export interface ClientLookup {
  /** @param ip Who asks: a document is fetched on their budget. @returns null for an id that is neither. @throws ClientError */
  find(id: string, ip: string | undefined): Promise<ClientMetadata | null>;
}

export interface ClientDependencies {
  readonly baseUrl: string;
  readonly accounts: Pick<Accounts, "credentialOf">;
  readonly safeFetch: SafeFetch;
  readonly egressAllow: readonly string[];
  readonly limits: Limits;
  readonly now: () => Date;
}

const DOCUMENTS_KEPT = 500;

/** Documents of applications are kept for `agentMsKept`, at most 500 of them. */
export function createClientLookup({
  baseUrl,
  accounts,
  safeFetch,
  egressAllow,
  limits,
  now,
}: ClientDependencies): ClientLookup {
  const kept = new Map<string, { readonly until: number; readonly metadata: ClientMetadata }>();

  /** @see https://solidproject.org/TR/oidc#clientids-document */
  async function fetchDocument(id: string, ip: string | undefined): Promise<ClientMetadata> {
    const { bytes } = await safeFetch(id, {
      accept: "application/ld+json, application/json;q=0.9",
      bytesMax: limits.egressClientBytesMax,
      kind: "client",
      ...(ip === undefined ? {} : { ip }),
    });
    let document: ClientMetadata;
    try {
      document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as ClientMetadata;
    } catch (cause) {
      throw new ClientError("The application's document is not JSON", { cause });
    }
    // Read as JSON, as the specification wants its JSON form to be; so the name must stand as it is, not expanded.
    if (typeof document !== "object" || document === null || document["client_id"] !== id) {
      throw new ClientError("The application's document does not name itself as client_id");
    }
    if (!Array.isArray(document["redirect_uris"]) || document["redirect_uris"].length === 0) {
      throw new ClientError("The application's document lists no redirect_uris");
    }
    const metadata: Record<string, unknown> = {};
    for (const member of TAKEN_OVER) if (document[member] !== undefined) metadata[member] = document[member];
    checkRedirects(metadata, egressAllow);
    const grants = Array.isArray(document["grant_types"])
      ? document["grant_types"]
      : ["authorization_code", "refresh_token"];
    const scope = typeof document["scope"] === "string" ? document["scope"].split(" ") : SCOPES;
    return {
      ...metadata,
      grant_types: ["authorization_code", ...(grants.includes("refresh_token") ? ["refresh_token"] : [])],
      response_types: ["code"],
      scope: scope.filter((one) => SCOPES.includes(one)).join(" "),
      token_endpoint_auth_method: "none",
    };
  }

  async function findDocument(id: string, ip: string | undefined): Promise<ClientMetadata> {
    const found = kept.get(id);
    if (found && found.until > now().getTime()) return found.metadata;
    const metadata = await fetchDocument(id, ip);
    kept.delete(id);
    kept.set(id, { until: now().getTime() + limits.agentMsKept, metadata });
    if (kept.size > DOCUMENTS_KEPT) kept.delete(kept.keys().next().value ?? "");
    return metadata;
  }

  return {
    async find(id, ip) {
      // Beside the pods there are only our own pages here, which nobody narrows.
      if (id.startsWith(`${baseUrl}.`)) throw new ClientError("This client_id is this server's own");
      if (/^https?:\/\//i.test(id)) {
        const url = URL.canParse(id) ? new URL(id) : null;
        if (!url || url.href !== id || url.hash !== "" || url.username !== "")
          throw new ClientError("The client_id is not a plain URL");
        return findDocument(id, ip);
      }
      const credential = await accounts.credentialOf(id);
      if (!credential) return null;
      return {
        client_id: id,
        client_secret: SECRET_PREFIX + Buffer.from(credential.secretHash).toString("base64url"),
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: "client_secret_basic",
      };
    },
  };
}
