/**
 * The doors of access grants as credentials: where a client finds them, and what each answers. The addresses are those that
 * the contract's client makes of the issuer's.
 * @see https://www.w3.org/TR/vc-data-model/ https://docs.kantarainitiative.org/uma/wg/rec-oauth-uma-grant-2.0.html
 */
import { json, readBody, readJson } from "../../body.ts";
import { Problem } from "../../errors.ts";
import type { WebId } from "../../iri.ts";
import type { Limits } from "../../limits.ts";
import type { Agent, Door, DoorRequest, Result } from "../../operation.ts";
import { createRate, networkOf, retryAfter } from "../../rates.ts";
import { type Json, type ProofReport, verifyProof } from "../shared.ts";
import { type CredentialKind, type Example, readClaims, readExample } from "./claims.ts";
import type { Asker, Credentials, Found } from "./credentials.ts";

export interface CredentialDoorsDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly credentials: Credentials;
  readonly verify: (
    request: Pick<DoorRequest, "headers" | "ip"> & { method: string; url: string },
  ) => Promise<Agent>;
  readonly keyOf: (verificationMethod: string) => Promise<JsonWebKey | null>;
  /** @returns a token that stands for one grant, and for how many seconds. */
  readonly issueToken: (
    agent: Agent & { readonly webid: WebId },
    grant: string,
    pod: string,
  ) => Promise<{ readonly token: string; readonly seconds: number }>;
}

export interface CredentialDoor {
  readonly verb: "get" | "post";
  readonly path: string;
  readonly door: Door;
}

const UMA_TICKET = "urn:ietf:params:oauth:grant-type:uma-ticket";
const PAGE = { usual: 20, most: 100 } as const;
const CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1";

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const refused = (error: string, description: string, status = 400): Result =>
  json(status, { error, error_description: description });

/** The credential in a presentation, as a client sends it for a token. */
function presented(form: URLSearchParams): Json | null {
  try {
    const text = Buffer.from(form.get("claim_token") ?? "", "base64").toString("utf8");
    const presentation: unknown = JSON.parse(text);
    const all = isObject(presentation) ? [presentation["verifiableCredential"]].flat() : [];
    return all.length === 1 && isObject(all[0]) ? all[0] : null;
  } catch {
    return null;
  }
}

const idIn = (credential: Json): string => (typeof credential["id"] === "string" ? credential["id"] : "");

const DAYS: Readonly<Record<string, number>> = { P1D: 1, P7D: 7, P1M: 31, P3M: 92 };
const KIND_OF: Readonly<Record<string, CredentialKind>> = {
  SolidAccessRequest: "request",
  SolidAccessGrant: "grant",
  SolidAccessDenial: "denial",
};

/** @throws Problem `input-invalid` for a filter that cannot be understood: leaving it out would show more than was asked for. */
function filterOf(search: URLSearchParams): {
  readonly example: Example;
  readonly keeps: (found: Found, now: number) => boolean;
  readonly page: number;
  readonly size: number;
} {
  const of = (name: string): string | null => search.get(name);
  const fault = (at: string, detail: string): Problem =>
    new Problem("input-invalid", undefined, { errors: [{ at, detail }] });
  const whole = (name: string, least: number, most: number, usual: number): number => {
    const value = of(name) === null ? usual : Number(of(name));
    if (!Number.isInteger(value) || value < least || value > most)
      throw fault(name, `a whole number from ${least} to ${most}`);
    return value;
  };
  const within = (name: string): number => {
    const value = of(name);
    if (value === null) return Number.POSITIVE_INFINITY;
    const days = DAYS[value];
    if (days === undefined) throw fault(name, Object.keys(DAYS).join(", "));
    return days * 24 * 3_600_000;
  };
  const type = of("type")?.replace("http://www.w3.org/ns/solid/vc#", "") ?? null;
  if (type !== null && !KIND_OF[type]) throw fault("type", Object.keys(KIND_OF).join(", "));
  const [issued, status] = [within("issuedWithin"), of("status")];
  const from = of("fromAgent");
  const revoked = of("revokedWithin") !== null;
  within("revokedWithin");
  return {
    page: whole("page", 0, 1_000_000, 0),
    size: whole("pageSize", 1, PAGE.most, PAGE.usual),
    example: {
      kinds: type === null ? ["request", "grant", "denial"] : [KIND_OF[type]!],
      resources: search.getAll("resource"),
      purposes: search.getAll("purpose"),
      to: null,
      owner: null,
      modes: [],
      withExpired: true,
    },
    keeps: (found, now) =>
      now - found.issued <= issued &&
      (status === null || found.status === status) &&
      (!revoked || found.status === "Revoked") &&
      (from === null || found.subject === from) &&
      (of("toAgent") === null || found.claims.counterpart === of("toAgent")),
  };
}

export function credentialDoors(deps: CredentialDoorsDeps): readonly CredentialDoor[] {
  const { baseUrl, limits, now, credentials, verify, keyOf } = deps;
  const home = `${baseUrl}.vc/`;
  const bytesMax = limits.consentBytesMax;

  const who = ({ method, url, headers, ip }: DoorRequest): Promise<Agent> =>
    verify({ method, url: url.href, headers, ip });
  const asker = (agent: Agent, { ip, id }: DoorRequest): Asker => ({ agent, ip, request: id });
  async function named(
    request: DoorRequest,
  ): Promise<Agent & { readonly webid: NonNullable<Agent["webid"]> }> {
    const agent = await who(request);
    if (agent.webid === null) throw new Problem("login-required");
    return { ...agent, webid: agent.webid };
  }

  const searches = createRate(limits.credentialSearchesMax, 60_000, limits.ratesRemembered, now);
  /** @throws Problem `too-many-requests`. */
  function paceSearch({ ip }: DoorRequest): void {
    const wait = searches(networkOf(ip));
    if (wait > 0)
      throw new Problem("too-many-requests", "So many searches for credentials are not answered at once", {
        headers: retryAfter(wait),
      });
  }

  const checked = (credential: Json): Promise<ProofReport> => verifyProof(credential, keyOf);

  /** What is wrong with a credential, in words; and what it is, where it is one. */
  async function examine(
    credential: Json,
  ): Promise<{ readonly errors: readonly string[]; readonly found: Found | null }> {
    const report = await checked(credential);
    if (!report.isValid)
      return { errors: ["The signature is not of this server, or not of this content"], found: null };
    const found = await credentials.find(idIn(credential));
    if (!found) return { errors: ["There is no such credential any more"], found };
    const ended = found.claims.expires !== null && found.claims.expires < now().getTime();
    const isInForce = found.status === "Active" || found.status === "Pending" || found.status === "Denied";
    return {
      errors: [...(ended ? ["It has expired"] : []), ...(isInForce ? [] : [`It is ${found.status}`])],
      found,
    };
  }

  const configuration: Door = async () =>
    json(
      200,
      {
        "@context": [
          {
            "@vocab": "http://www.w3.org/ns/solid/vc#",
            ...Object.fromEntries(
              ["issuerService", "derivationService", "statusService", "verifierService", "queryService"].map(
                (name) => [name, { "@id": `http://www.w3.org/ns/solid/vc#${name}`, "@type": "@id" }],
              ),
            ),
          },
        ],
        issuerService: `${home}issue`,
        derivationService: `${home}derive`,
        statusService: `${home}status`,
        verifierService: `${home}verify`,
        queryService: `${home}query`,
      },
      { "content-type": "application/ld+json", "cache-control": "public, max-age=300" },
    );

  const token: Door = async (request) => {
    const agent = await named(request);
    const form = new URLSearchParams(new TextDecoder().decode(await readBody(request.body, bytesMax)));
    if (form.get("grant_type") !== UMA_TICKET)
      return refused("unsupported_grant_type", `Known: ${UMA_TICKET}`);
    const credential = presented(form);
    if (!credential)
      return refused("invalid_request", "claim_token is a presentation with one credential, in Base64");
    const { errors, found } = await examine(credential);
    if (!found || errors.length > 0 || found.kind !== "grant")
      return refused("invalid_grant", errors[0] ?? "The credential grants nothing", 403);
    // A credential is no bearer's: it counts for whom it was made out to.
    if (found.claims.counterpart !== agent.webid)
      return refused("request_denied", "The credential is for somebody else", 403);
    const { token: access_token, seconds } = await deps.issueToken(agent, found.ref, found.pod.name);
    return json(200, { access_token, token_type: "Bearer", expires_in: seconds });
  };

  const query: Door = async (request) => {
    const agent = await named(request);
    paceSearch(request);
    const { example, keeps, page, size } = filterOf(request.url.searchParams);
    const at = now().getTime();
    const all = (await credentials.search(agent, example)).filter((found) => keeps(found, at));
    const last = Math.max(0, Math.ceil(all.length / size) - 1);
    const link = (rel: string, number: number): string => {
      const url = new URL(request.url);
      url.searchParams.set("page", String(number));
      url.searchParams.set("pageSize", String(size));
      return `<${url.href}>; rel="${rel}"`;
    };
    const links = [
      link("first", 0),
      ...(page > 0 ? [link("prev", Math.min(page - 1, last))] : []),
      ...(page < last ? [link("next", page + 1)] : []),
      link("last", last),
    ];
    const items = await Promise.all(
      all.slice(page * size, (page + 1) * size).map((found) => credentials.signed(found)),
    );
    return json(200, { items }, { link: links.join(", ") });
  };

  const open = (verb: "get" | "post", path: string, door: Door): CredentialDoor => ({ verb, path, door });
  return [
    open("get", "/.well-known/uma2-configuration", async () =>
      json(
        200,
        {
          issuer: baseUrl,
          token_endpoint: `${home}token`,
          grant_types_supported: [UMA_TICKET],
          claim_token_profiles_supported: ["https://www.w3.org/TR/vc-data-model/#json-ld"],
          verifiable_credential_issuer: home,
        },
        { "cache-control": "public, max-age=300" },
      ),
    ),
    open("get", "/.well-known/vc-configuration", configuration),
    open("get", "/.vc/.well-known/vc-configuration", configuration),
    open("post", "/.vc/issue", async (request) => {
      const agent = await named(request);
      const signed = await credentials.issue(
        asker(agent, request),
        readClaims(await readJson(request.body, bytesMax)),
      );
      return json(201, signed, { location: idIn(signed) });
    }),
    open("post", "/.vc/status", async (request) => {
      const agent = await named(request);
      const { credentialId, credentialStatus } = await readJson(request.body, bytesMax);
      const wanted = [credentialStatus].flat();
      const isRevocation =
        wanted.length === 1 &&
        isObject(wanted[0]) &&
        wanted[0]["type"] === "RevocationList2020Status" &&
        String(wanted[0]["status"]) === "1";
      if (typeof credentialId !== "string" || !isRevocation)
        throw new Problem("input-invalid", "Name credentialId, and the status RevocationList2020Status 1");
      await credentials.revoke(asker(agent, request), credentialId);
      return { status: 204, headers: {}, body: null };
    }),
    open("post", "/.vc/derive", async (request) => {
      const agent = await named(request);
      paceSearch(request);
      const found = await credentials.search(agent, readExample(await readJson(request.body, bytesMax)));
      return json(200, {
        "@context": [CREDENTIALS_V1],
        type: ["VerifiablePresentation"],
        holder: home,
        verifiableCredential: await Promise.all(
          found.slice(0, limits.grantsActiveMax).map((found) => credentials.signed(found)),
        ),
      });
    }),
    open("post", "/.vc/verify", async (request) => {
      const { verifiableCredential } = await readJson(request.body, bytesMax);
      if (!isObject(verifiableCredential)) throw new Problem("input-invalid", "Send verifiableCredential");
      const { errors } = await examine(verifiableCredential);
      return json(200, { checks: ["proof", "expirationDate", "credentialStatus"], warnings: [], errors });
    }),
    open("post", "/.vc/token", token),
    open("get", "/.vc/query", query),
    open("get", "/.vc/:pod/:kind/:ref", async (request) => {
      const agent = await named(request);
      return json(
        200,
        await credentials.show(
          agent,
          `${home}${["pod", "kind", "ref"].map((name) => request.params[name]).join("/")}`,
        ),
      );
    }),
  ];
}
