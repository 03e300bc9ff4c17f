/** Solid-OIDC, WebID Profile and DPoP, clause by clause: which test shows it. */
import { rowsOf, type Section, suiteOf, withNote } from "./entry.ts";

const ED = "https://solidproject.org/ED/oidc";
const DPOP = "https://www.rfc-editor.org/rfc/rfc9449";
const PROFILE = "https://solid.github.io/webid-profile/";

/** Where in the specifications the requirement of an id of the list stands. */
const CLAUSES: Readonly<Record<string, string>> = {
  "op-discovery-webid-scope": `${ED}#discovery`,
  "op-clientid-document": `${ED}#clientids-document`,
  "op-registration": `${ED}#clientids-oidc`,
  "op-pkce": `${ED}#concepts`,
  "op-iss": `${ED}#iss-check`,
  "op-dpop-bound-idtoken": `${ED}#tokens`,
  "op-idtoken-webid": `${ED}#tokens-id`,
  "op-idtoken-aud": `${ED}#tokens-id`,
  "op-idtoken-azp-iat-exp-iss": `${ED}#tokens-id`,
  "op-idtoken-cnf": `${ED}#tokens-id`,
  "op-metadata": `${DPOP}#section-5.1`,
  "op-jwks": "https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata",
  "op-cors": "https://solidproject.org/ED/protocol#cors-server",
  "op-dpop-token": `${DPOP}#section-5`,
  "op-code-single-use": "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2",
  "webid server-update-protected-triples": `${PROFILE}#server-update-protected-triples`,
  "webid server-unprocessable-content": `${PROFILE}#server-unprocessable-content`,
  "webid oidcIssuer link header": `${ED}#oidc-issuer-discovery-link-headers`,
  "rs-401": `${ED}#authorization-server-discovery`,
  "rs-as-uri": `${ED}#authorization-server-discovery`,
  "rs-dpop-challenge": `${DPOP}#section-7.1`,
  "rs-dpop-valid": `${ED}#dpop-validation`,
  "rs-dpop-checks": `${DPOP}#section-4.3`,
  "rs-dpop-replay": `${DPOP}#section-11.1`,
  "rs-issuer": `${ED}#id-token-validation`,
  "rs-aud": `${ED}#tokens-id`,
  "rs-exp": "https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation",
  "rs-cnf": `${DPOP}#section-6`,
  "as-uma": `${ED}#authorization-server-discovery`,
  "rs-bearer-downgrade": `${DPOP}#section-7.2`,
};
const { met, notMet } = rowsOf((id) => CLAUSES[id] ?? ED);

const metadata = suiteOf("test/auth/provider.test.ts", "provider: metadata");
const code = suiteOf("test/auth/provider.test.ts", "provider: authorization code");
const credentials = suiteOf("test/auth/provider.test.ts", "provider: client credentials");
const registration = suiteOf("test/auth/provider.test.ts", "provider: registration");
const documents = suiteOf("test/auth/clients.test.ts", "clients that describe themselves by a document");
const library = suiteOf("test/auth/clients.test.ts", "the public client library");
const agent = suiteOf("test/auth/agent.test.ts", "agent: who asks");
const refuses = suiteOf("test/auth/agent.test.ts", "agent: who asks refuses, and fetches nothing");
const others = suiteOf("test/auth/agent.test.ts", "agent: other issuers");
const settings = suiteOf("test/auth/agent.test.ts", "agent: strict and lenient settings");
const replay = suiteOf("test/auth/agent.test.ts", "replay memory");
const hostile = suiteOf("test/doors/hostile-identity.test.ts", "Hostile identities");
const clauses = suiteOf("test/ldp/protocol.test.ts", "The Solid Protocol, clause by clause");
const webid = suiteOf("test/ldp/webid.test.ts", "The WebID profile of a pod");
const unprocessable = suiteOf(
  "test/ldp/webid.test.ts",
  "The WebID profile of a pod stays a profile (server-unprocessable-content)",
);
const profile = suiteOf("test/ldp/resources.test.ts", "Resources of a pod the profile");

const DISCOVERY = ".well-known/openid-configuration says what Solid clients look for";
const TOKENS = "shows who asks, then gives tokens that work, bound to the application's key";
const REFRESH = "a refresh token rotates; used twice, it and its successor end";
const UNAUTHENTICATED =
  "refusals 401 says how to log in, and that nobody did (rs-401, rs-as-uri, rs-dpop-challenge)";

export const PROVIDER: Section = {
  name: "Solid-OIDC, Editor's Draft 2026-06: OpenID Provider, and WebID Profile",
  entries: [
    met("op-discovery-webid-scope", "MUST", metadata(DISCOVERY)),
    met(
      "op-clientid-document",
      "MUST",
      documents(
        "log in, get tokens, and refresh them",
        "a document with another redirect is refused",
        "a document of another client is refused",
        "a document without redirect_uris is refused",
        "a document that is not there is refused",
      ),
    ),
    met(
      "op-registration",
      "MUST",
      code(TOKENS),
      registration("gives a confidential client a secret, and keeps only its hash"),
      library("registers itself, logs in by authorization code, and reads as Ana"),
    ),
    met(
      "op-pkce",
      "(assumed)",
      code(
        "refuses no PKCE at the authorization endpoint",
        "refuses plain PKCE at the authorization endpoint",
        "refuses a code with another verifier",
      ),
    ),
    met("op-iss", "MUST", code(TOKENS, "no means no")),
    met("op-dpop-bound-idtoken", "MUST", code(TOKENS, REFRESH)),
    met("op-idtoken-webid", "MUST", code(TOKENS)),
    met("op-idtoken-aud", "MUST", code(TOKENS)),
    met("op-idtoken-azp-iat-exp-iss", "MUST", code(TOKENS)),
    met("op-idtoken-cnf", "MUST", code(TOKENS, REFRESH)),
    met("op-metadata", "MUST (OIDC discovery, RFC 9449)", metadata(DISCOVERY)),
    met("op-jwks", "MUST", metadata("the key set has an ES256 and an RS256 key, and nothing private")),
    met(
      "op-cors",
      "MUST in practice",
      metadata("preflight requests are answered for the open endpoints only", DISCOVERY),
    ),
    met(
      "op-dpop-token",
      "MUST (RFC 9449 5)",
      credentials("need only grant_type, Basic and a proof (ES256); webid and an ID token come unasked"),
      code(TOKENS, REFRESH),
    ),
    met(
      "op-code-single-use",
      "MUST (RFC 6749)",
      code(
        "a code works once; a second use ends what the first gave",
        "of twenty uses of one code at once, one succeeds",
      ),
    ),
    met(
      "webid server-update-protected-triples",
      "MUST (WebID Profile)",
      webid(
        ...["another log-in service", "no log-in service", "another storage"].map(
          (what) =>
            `keeps what only the account page may change (server-update-protected-triples) ${what}: 409, with the clause`,
        ),
      ),
      profile("keeps its log-in service whoever writes it"),
    ),
    met(
      "webid server-unprocessable-content",
      "MUST (WebID Profile)",
      unprocessable(
        "two preferences: 422, and nothing changes",
        "no type: 422, and nothing changes",
        "an inbox that is no address: 422, and nothing changes",
        "preferences without a private type index: 422, and nothing changes",
        "also when it is put whole, and when it is no RDF",
      ),
    ),
    met(
      "webid oidcIssuer link header",
      "MAY",
      webid(
        "says in a header, too, who may log its person in: what the document says (oidc-issuer-discovery-link-headers)",
      ),
    ),
  ],
};

export const RESOURCE_SERVER: Section = {
  name: "Solid-OIDC and RFC 9449: resource server",
  entries: [
    met("rs-401", "MUST", clauses(UNAUTHENTICATED)),
    met("rs-as-uri", "MUST", clauses(UNAUTHENTICATED)),
    met("rs-dpop-challenge", "MUST (RFC 9449 7.1)", clauses(UNAUTHENTICATED), refuses("no proof")),
    met(
      "rs-dpop-valid",
      "MUST",
      agent(
        "our own token is verified without fetching anything",
        "htu with a query and a fragment names the same resource",
      ),
      credentials("log the public client library in, and its requests are Ana's"),
    ),
    withNote(
      "The proof's ath is checked whenever it is there; FREEHOLD_ATH=required asks for it always, which current Solid clients do not send.",
      met(
        "rs-dpop-checks",
        "MUST",
        refuses(
          "two proofs",
          "no typ",
          "typ JWT",
          "alg none",
          "a symmetric alg",
          "an unknown alg",
          "no key",
          "a private key",
          "a changed payload",
          "another method",
          "another resource",
          "another server",
          "a proof a minute too old",
          "a proof from the future",
          "no jti",
          "a wrong ath",
          "a thief's own key",
        ),
        settings("ath is required when the operator says so"),
      ),
    ),
    met(
      "rs-dpop-replay",
      "SHOULD",
      agent("a proof counts once, with whatever token", "of fifty uses of one proof at once, one counts"),
      replay("remembers for the whole retention, whenever in a generation the proof came"),
      hostile("a proof works once, also for fifty who use it at the same moment"),
    ),
    met(
      "rs-issuer",
      "MUST",
      others(
        "an issuer that the WebID does not name speaks for nobody",
        "nor one that is named for another person in the same document",
      ),
      agent("another issuer's token counts when the WebID names that issuer; its documents are fetched once"),
    ),
    met(
      "rs-aud",
      "MUST",
      refuses("a token for somebody else", "a token without audience", "an audience that only begins so"),
    ),
    met(
      "rs-exp",
      "MUST",
      refuses("an expired token", "a token without end", "a token from the future", "a token without iat"),
    ),
    met("rs-cnf", "MUST", refuses("an unbound token", "a token bound to another key")),
    notMet(
      "as-uma",
      "SHOULD",
      "No UMA exchange: the server takes the access token of any issuer that the WebID names, as all current Solid clients send it, and as_uri names its own issuer.",
    ),
    met(
      "rs-bearer-downgrade",
      "MUST (RFC 9449 7.2)",
      refuses("a bound token sent as Bearer", "a bound token sent as Bearer with a proof"),
      settings("with Bearer on, unbound tokens count, and bound ones still need their proof"),
    ),
  ],
};
