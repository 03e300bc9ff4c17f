/** Another identity provider and another person's WebID document, on real sockets. */
import { createServer, type Server } from "node:http";
import { type KeyPair, listen, makeKey, signJwt } from "./support.ts";

export interface ForeignIssuer {
  readonly origin: string;
  /** The issuer's name; ends in `/`. */
  readonly issuer: string;
  readonly webid: string;
  readonly key: KeyPair;
  /** Paths that were asked for. */
  readonly hits: string[];
  /** What is served, by path; may be changed. */
  readonly documents: Map<
    string,
    { readonly status?: number; readonly type?: string; readonly body: string; readonly location?: string }
  >;
  /** A token of this issuer for its own person. */
  token(
    thumbprint: string,
    claims?: Record<string, unknown>,
    header?: Record<string, unknown>,
    key?: KeyPair,
  ): string;
  close(): Promise<void>;
}

export async function makeIssuer(): Promise<ForeignIssuer> {
  const hits: string[] = [];
  const documents: ForeignIssuer["documents"] = new Map();
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "";
    hits.push(path);
    const found = documents.get(path);
    response.writeHead(found?.status ?? (found ? 200 : 404), {
      "content-type": found?.type ?? "application/json",
      ...(found?.location ? { location: found.location } : {}),
    });
    response.end(found?.body);
  });
  const origin = `http://127.0.0.1:${await listen(server)}`;
  const issuer = `${origin}/`;
  const webid = `${origin}/kim#me`;
  const key = makeKey();
  documents.set("/.well-known/openid-configuration", {
    body: JSON.stringify({ issuer, jwks_uri: `${origin}/jwks` }),
  });
  documents.set("/jwks", {
    body: JSON.stringify({ keys: [{ ...key.jwk, kid: "k1", alg: "ES256", use: "sig" }] }),
  });
  documents.set("/kim", {
    type: "text/turtle",
    body: `<#me> <http://www.w3.org/ns/solid/terms#oidcIssuer> <${issuer}>.`,
  });
  return {
    origin,
    issuer,
    webid,
    key,
    hits,
    documents,
    token(thumbprint, claims = {}, header = {}, by = key) {
      const now = Math.floor(Date.now() / 1_000);
      return signJwt(
        { alg: by.alg, typ: "at+jwt", kid: "k1", ...header },
        {
          iss: issuer,
          webid,
          sub: "kim",
          aud: "solid",
          client_id: "https://app.example/id",
          iat: now,
          exp: now + 600,
          jti: "t",
          cnf: { jkt: thumbprint },
          ...claims,
        },
        by,
      );
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
