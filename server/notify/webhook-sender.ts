/** Who sends: this server's own identity, and how a receiver can tell that a message is from it and was not changed. */
import { generateKeyPairSync, hash, randomUUID, sign } from "node:crypto";
import { rdf, solid } from "@freehold/vocab";
import type { Provider } from "../auth/provider.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Door } from "../operation.ts";
import { negotiate, RDF_TYPES } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { namedNode, quad } from "../rdf/terms.ts";

/** Path of the sender's WebID document. */
export const SENDER_PATH = "/.notifications/sender";
const MESSAGE_TYPE = "application/ld+json";

const SERVICE = "https://www.w3.org/ns/activitystreams#Service";
const EARLY_MS = 30_000; // Receivers' clocks may run ahead, and a message takes a while to arrive.

export interface WebhookSender {
  /** The WebID that subscription responses name as `sender`. */
  readonly webid: string;
  /** `GET /.notifications/sender`: its document, for everybody. Turtle or JSON-LD. @throws Problem `not-acceptable`. */
  readonly document: Door;
  /**
   * The fields that prove a POST of `body` to `url`, made anew for each attempt: proofs are good once.
   *
   * `Authorization: DPoP` and `DPoP`, as for any Solid-OIDC request by {@link webid}, and an HTTP message signature over
   * method, address, type and digest of the content, by the key of the provider's JWKS that `keyid` names.
   * @see https://solid.github.io/notifications/webhook-channel-2023#auth
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-4
   * @see https://www.rfc-editor.org/rfc/rfc9421#section-3.1
   * @see https://www.rfc-editor.org/rfc/rfc9530#section-2
   */
  sign(url: string, body: Uint8Array): Promise<Readonly<Record<string, string>>>;
}

export interface WebhookSenderDependencies {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly signing: Provider["signing"];
  readonly limits: Pick<Limits, "senderTokenMsMax">;
  readonly now: () => Date;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A key for proofs that lives as long as this process: tokens are bound to it. */
function createProofKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { crv, kty, x, y } = publicKey.export({ format: "jwk" });
  const jwk = { crv, kty, x, y }; // RFC 7638: in this order.
  const header = encode({ alg: "ES256", typ: "dpop+jwt", jwk });
  return {
    thumbprint: hash("sha256", JSON.stringify(jwk), "base64url"),
    prove(claims: Readonly<Record<string, unknown>>): string {
      const signed = `${header}.${encode(claims)}`;
      const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${signed}.${signature.toString("base64url")}`;
    },
  };
}

export function createWebhookSender({
  baseUrl,
  signing,
  limits,
  now,
}: WebhookSenderDependencies): WebhookSender {
  const documentUrl = `${baseUrl}${SENDER_PATH.slice(1)}`;
  const webid = `${documentUrl}#it`;
  let proofKey: ReturnType<typeof createProofKey> | undefined; // Made at the first message.
  let known: { readonly token: string; readonly until: number } | undefined;

  /** Worth nothing at this server, where no such WebID has a pod; elsewhere what its receivers make of it. */
  async function accessToken(thumbprint: string, at: number): Promise<string> {
    if (known && known.until - EARLY_MS > at) return known.token;
    const until = at + limits.senderTokenMsMax;
    const issued = Math.floor((at - EARLY_MS) / 1_000);
    const who = { iss: baseUrl, sub: webid, webid, client_id: webid, azp: webid };
    const what = { aud: "solid", scope: "webid", iat: issued, exp: Math.floor(until / 1_000) };
    const claims = { ...who, ...what, jti: randomUUID(), cnf: { jkt: thumbprint } };
    const token = await signing.sign(claims, "at+jwt");
    known = { token, until };
    return token;
  }

  return {
    webid,
    async document({ headers: { accept } }) {
      const type = negotiate(accept, RDF_TYPES);
      if (type === null) throw new Problem("not-acceptable", `Available: ${RDF_TYPES.join(", ")}`);
      const it = namedNode(webid);
      const quads = [
        quad(it, namedNode(rdf.type), namedNode(SERVICE)),
        quad(it, namedNode(solid.oidcIssuer), namedNode(baseUrl)),
      ];
      return {
        status: 200,
        headers: { "content-type": type, "cache-control": "public, max-age=300", vary: "Accept" },
        body: await serializeRdf(quads, type, {
          baseIri: documentUrl,
          prefixes: { solid: "http://www.w3.org/ns/solid/terms#" },
        }),
      };
    },
    async sign(text, body) {
      const url = new URL(text);
      url.hash = "";
      const at = now().getTime();
      proofKey ??= createProofKey();
      const token = await accessToken(proofKey.thumbprint, at);
      const issued = Math.floor(at / 1_000);
      const proof = proofKey.prove({
        htm: "POST",
        htu: `${url.origin}${url.pathname}`,
        iat: issued,
        jti: randomUUID(),
        ath: hash("sha256", token, "base64url"),
      });
      const digest = `sha-256=:${hash("sha256", body, "base64")}:`;
      const expires = issued + Math.floor(limits.senderTokenMsMax / 1_000);
      let parameters = "";
      const signature = await signing.signText((kid) => {
        parameters =
          `("@method" "@target-uri" "content-type" "content-digest")` +
          `;created=${issued};expires=${expires};keyid="${kid}";alg="ecdsa-p256-sha256"`;
        return [
          `"@method": POST`,
          `"@target-uri": ${url.href}`,
          `"content-type": ${MESSAGE_TYPE}`,
          `"content-digest": ${digest}`,
          `"@signature-params": ${parameters}`,
        ].join("\n");
      });
      return {
        authorization: `DPoP ${token}`,
        dpop: proof,
        "content-type": MESSAGE_TYPE,
        "content-digest": digest,
        "signature-input": `sig=${parameters}`,
        signature: `sig=:${signature.toString("base64")}:`,
      };
    },
  };
}
