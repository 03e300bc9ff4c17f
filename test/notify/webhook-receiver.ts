/** Receivers of webhooks on real sockets, and a verifier of what they get that shares no code with the sender. */
import { hash, webcrypto } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  calculateJwkThumbprint,
  createRemoteJWKSet,
  decodeProtectedHeader,
  EmbeddedJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
} from "jose";

/** One POST, as it arrived. */
export interface Delivery {
  readonly path: string;
  /** With the receiver's origin. */
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Notification {
  readonly id: string;
  readonly type: string;
  readonly object: string;
  readonly topic?: string;
  readonly challenge?: string;
  readonly sender?: string;
  readonly cursor: number;
}

export type Answer = (delivery: Delivery, response: ServerResponse) => void;

export interface Receiver {
  readonly origin: string;
  /** What was POSTed, questions included. */
  readonly deliveries: Delivery[];
  /** Of a path: all but questions. */
  messages(path: string): readonly Notification[];
  /** Of a path: questions only. */
  questions(path: string): readonly Notification[];
  /** How messages at a path are answered from now on; 204 unless said. */
  onMessage(path: string, answer: Answer): void;
  /** How the question at a path is answered from now on; as it should be unless said. */
  onQuestion(path: string, answer: Answer): void;
  /** Stops listening: whoever comes is refused. */
  close(): Promise<void>;
  /** Listens again, where it was. */
  reopen(): Promise<void>;
}

export const statusOf =
  (status: number, headers: Record<string, string> = {}, body = ""): Answer =>
  (_delivery, response) => {
    response.writeHead(status, headers).end(body);
  };

const contentOf = ({ text }: Delivery): Notification => JSON.parse(text) as Notification;
const isQuestion = (delivery: Delivery): boolean => contentOf(delivery).type === "TargetVerification";

/** Says yes to whoever asks. */
export const agree: Answer = (delivery, response) => {
  response.writeHead(200, { "content-type": "text/plain" }).end(contentOf(delivery).challenge);
};

export async function openReceiver(): Promise<Receiver> {
  const deliveries: Delivery[] = [];
  const onMessage = new Map<string, Answer>();
  const onQuestion = new Map<string, Answer>();
  let origin = "";
  const create = (): Server =>
    createServer((request, response) => {
      let text = "";
      request.setEncoding("utf8");
      request.on("data", (part: string) => (text += part));
      request.on("end", () => {
        const { url: path = "", method = "", headers } = request;
        const delivery: Delivery = { path, url: origin + path, method, headers, text, at: Date.now() };
        deliveries.push(delivery);
        if (isQuestion(delivery)) (onQuestion.get(path) ?? agree)(delivery, response);
        else (onMessage.get(path) ?? statusOf(204))(delivery, response);
      });
    });
  let server = create();
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  const some = (path: string, questions: boolean): readonly Notification[] =>
    deliveries.filter((one) => one.path === path && isQuestion(one) === questions).map(contentOf);
  return {
    origin,
    deliveries,
    messages: (path) => some(path, false),
    questions: (path) => some(path, true),
    onMessage: (path, answer) => void onMessage.set(path, answer),
    onQuestion: (path, answer) => void onQuestion.set(path, answer),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    async reopen() {
      server = create();
      await listen(port);
    },
  };
}

export interface Verified {
  readonly webid: string;
  readonly token: JWTPayload;
  readonly proof: JWTPayload;
}

async function issuerOf(webid: string): Promise<string> {
  const response = await fetch(webid, { headers: { accept: "text/turtle" } });
  const text = await response.text();
  const [, issuer] = /oidcIssuer>? +<([^>]*)>/.exec(text) ?? [];
  if (!response.ok || issuer === undefined) throw new Error(`The WebID names no issuer: ${text}`);
  return new URL(issuer, response.url).href;
}

/** The sender's keys, found as any receiver finds them: from its WebID, by its issuer's configuration. */
async function keysOf(issuer: string): Promise<{ readonly uri: URL; readonly keys: readonly JWK[] }> {
  const configuration = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as {
    issuer: string;
    jwks_uri: string;
  };
  if (configuration.issuer !== issuer) throw new Error("Another issuer");
  const uri = new URL(configuration.jwks_uri);
  return { uri, keys: ((await (await fetch(uri)).json()) as { keys: JWK[] }).keys };
}

/** The access token and its proof, as Solid-OIDC has them. @throws Error for whatever is not right. */
export async function verifyTokenOf({ headers, method, url }: Delivery, sender: string): Promise<Verified> {
  const [, token = ""] = /^DPoP (\S+)$/.exec(headers.authorization ?? "") ?? [];
  const issuer = await issuerOf(sender);
  const { uri } = await keysOf(issuer);
  const access = await jwtVerify(token, createRemoteJWKSet(uri), { issuer, audience: "solid" });
  const proof = await jwtVerify(String(headers["dpop"]), EmbeddedJWK, { typ: "dpop+jwt", maxTokenAge: 60 });
  const { jwk } = decodeProtectedHeader(String(headers["dpop"]));
  const thumbprint = await calculateJwkThumbprint(jwk as JWK);
  const { webid, cnf } = access.payload as { webid?: string; cnf?: { jkt?: string } };
  const { htm, htu, ath } = proof.payload;
  if (webid !== sender) throw new Error("Another sender");
  if (cnf?.jkt !== thumbprint) throw new Error("The token is bound to another key");
  if (htm !== method || htu !== url.split("?")[0]) throw new Error("The proof is for another request");
  if (ath !== hash("sha256", token, "base64url")) throw new Error("The proof is for another token");
  return { webid, token: access.payload, proof: proof.payload };
}

/** RFC 9421 and RFC 9530, by WebCrypto. @returns whether both are right. */
export async function isSigned({ headers, method, url, text }: Delivery, sender: string): Promise<boolean> {
  const digest = `sha-256=:${hash("sha256", text, "base64")}:`;
  if (headers["content-digest"] !== digest) return false;
  const [, parameters = "", list = ""] =
    /^sig=(\(([^)]*)\).*)$/.exec(String(headers["signature-input"])) ?? [];
  const [, keyId = ""] = /;keyid="([^"]*)"/.exec(parameters) ?? [];
  const [, expires = "0"] = /;expires=(\d+)/.exec(parameters) ?? [];
  const needed = ['"@method"', '"@target-uri"', '"content-type"', '"content-digest"'];
  if (list !== needed.join(" ") || Number(expires) * 1_000 < Date.now()) return false;
  const base = [
    `"@method": ${method}`,
    `"@target-uri": ${url}`,
    `"content-type": ${headers["content-type"]}`,
    `"content-digest": ${headers["content-digest"]}`,
    `"@signature-params": ${parameters}`,
  ].join("\n");
  const { keys } = await keysOf(await issuerOf(sender));
  const jwk = keys.find(({ kid }) => kid === keyId);
  if (!jwk) return false;
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await webcrypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
  const [, signature = ""] = /^sig=:(.*):$/.exec(String(headers["signature"])) ?? [];
  const bytes = Buffer.from(signature, "base64");
  return webcrypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, bytes, Buffer.from(base));
}

/** @throws Error when it does not come true in time. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  ms = 10_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`Not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
