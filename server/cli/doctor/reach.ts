/**
 * The server's own public address, asked as a visitor would. Not by the guarded way out, which asks nothing private and
 * tells nothing of why: whoever set the address runs the server, and needs to know why nobody reaches it.
 */
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSealed } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Probes } from "../../probe.ts";
import type { Seen } from "./judge.ts";

const ASK_MS_MAX = 8_000;
const ANSWER_BYTES_MAX = 64 * 1024;

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** When the certificate ends, milliseconds since 1970; null without TLS. */
  readonly certificateEnds: number | null;
}

/** GETs an address of this very server, or of another whose clock is asked for. @throws Error with a `code`. */
export function knock(url: string): Promise<Answer> {
  const { protocol } = new URL(url);
  return new Promise((resolve, reject) => {
    const send = protocol === "https:" ? requestSealed : requestPlain;
    const sent = send(
      url,
      { agent: false, headers: { accept: "application/json" }, signal: AbortSignal.timeout(ASK_MS_MAX) },
      (response) => {
        let text = "";
        const { valid_to: ends } =
          protocol === "https:" ? (response.socket as TLSSocket).getPeerCertificate() : { valid_to: "" };
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > ANSWER_BYTES_MAX) response.destroy();
        });
        response.on("error", reject);
        response.on("close", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            certificateEnds: ends ? Date.parse(ends) : null,
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

/** Whether a WebSocket opens there. @returns null, or what went wrong. */
function openSocket(url: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace(/^http/, "ws"), "solid-0.1");
    const patience = setTimeout(() => settle("it was not answered in time"), ASK_MS_MAX);
    function settle(found: string | null): void {
      clearTimeout(patience);
      resolve(found);
      socket.close();
    }
    socket.addEventListener("open", () => settle(null));
    socket.addEventListener("error", () => settle("it was refused"));
    socket.addEventListener("close", () => settle("it was closed at once"));
  });
}

/** The code of what kept a request from being answered. */
function codeOf(error: unknown): string {
  const { code, name, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  return code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? name;
}

/** @param pod Name of any pod here, for a socket belongs to one; null where there is none yet. */
export async function lookFromHere(baseUrl: string, probes: Probes, pod: string | null): Promise<Seen> {
  const { token, path } = probes.begin();
  const asked = new URL(path, baseUrl).href;
  const [answer, socket] = await Promise.all([
    knock(asked).catch((error: unknown) => codeOf(error)),
    pod === null ? undefined : openSocket(new URL(`${pod}/.notifications/solid-0.1`, baseUrl).href),
  ]);
  if (typeof answer === "string")
    return {
      by: "server",
      asked,
      failed: answer,
      status: null,
      arrived: null,
      socket,
      certificateEnds: null,
    };
  return {
    by: "server",
    asked,
    failed: null,
    status: answer.status,
    arrived: probes.arrived(token),
    socket,
    certificateEnds: answer.certificateEnds,
  };
}
