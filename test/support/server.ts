/** A real server on a free port with its data in a folder of its own, and people who live on it. */
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forgetRoot } from "@freehold/client";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import type { Context } from "../../server/context.ts";
import { type Fetch, logIn } from "./dpop.ts";

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Person {
  readonly webid: string;
  /** Root of the pod, ends in `/`. */
  readonly pod: string;
  readonly passport: string;
  readonly credentials: { readonly id: string; readonly secret: string };
  readonly fetch: Fetch;
  /** Sends the path as it is written, which fetch would tidy up; without login. */
  raw(method: string, path: string, headers?: Record<string, string>): Promise<RawResponse>;
}

export interface TestServer {
  readonly baseUrl: string;
  readonly folder: string;
  readonly context: Context;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  person(name: string): Promise<Person>;
  close(): Promise<void>;
}

export function sendRaw(
  baseUrl: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<RawResponse> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Tests write faster than anybody's app; what the limit does has tests of its own, which set it. */
const FAST = "writesPerAgentMax=1000000";

/** @param env Settings that differ from the defaults. */
export async function startServer(env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-test-"));
  const log: string[] = [];
  const limits = [FAST, env["FREEHOLD_LIMITS"]].filter(Boolean).join(","); // The later of two holds.
  const settings = { FREEHOLD_PORT: "0", FREEHOLD_DATA: folder, ...env, FREEHOLD_LIMITS: limits };
  const running = await serve(readConfig(settings), (line) => log.push(line));
  const { context } = running;
  const { baseUrl } = context.config;
  return {
    baseUrl,
    folder,
    context,
    log,
    async person(name) {
      const { webid, pod, passport, credentials } = await createPerson(context, {
        name,
        podName: name.toLowerCase(),
        password: `a long password of ${name}`,
      });
      const ownFetch = await logIn(baseUrl, credentials.id, credentials.secret);
      return {
        webid,
        pod,
        passport,
        credentials,
        fetch: ownFetch,
        raw: (method, path, headers) => sendRaw(baseUrl, method, path, headers),
      };
    },
    async close() {
      await running.close();
      await forgetRoot(baseUrl); // Another server may have its port, and a root of its own.
      await rm(folder, { recursive: true });
    },
  };
}
