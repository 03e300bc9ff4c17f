/** The server's own doors, asked as each pod's owner, for what the operator does in their place: on a socket that only this user can open. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "../context.ts";
import { parseTarget } from "../iri.ts";
import { PUBLIC_AGENT } from "../operation.ts";

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** As text; empty where there is none. */
  readonly text: string;
}

export interface AsOwner {
  /** @param path Of a pod's resource or door, with its query; the owner of that pod asks. */
  ask(
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: Uint8Array | string,
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** All that a request by its owner goes through, it goes through: rules of shapes, quotas, history and the journal. */
export async function openAsOwner(context: Context): Promise<AsOwner> {
  const { config, identity, pods } = context;
  const { createApp } = await import("../app.ts"); // A running server has it; for other tasks it would be a weight.
  const app = createApp({
    ...context,
    identity: {
      ...identity,
      verify: async ({ url }) => {
        const pod = await pods.find(parseTarget(new URL(url).pathname).pod);
        return { ...PUBLIC_AGENT, webid: pod?.owner ?? null };
      },
    },
  });
  const server = createServer(app);
  const folder = mkdtempSync(join(tmpdir(), "freehold-")); // 0700: nobody else gets as far as the socket.
  const socketPath =
    process.platform === "win32" ? `\\\\.\\pipe\\${folder.replaceAll(/\W/g, "-")}` : join(folder, "s");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  const { host } = new URL(config.baseUrl);
  return {
    async ask(method, path, headers = {}, body) {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request({ socketPath, method, path, headers: { ...headers, host } }, resolve)
          .on("error", reject)
          .end(body);
      });
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const contentType = response.headers["content-type"] ?? "";
      return { status: response.statusCode ?? 0, contentType, bytes, text: bytes.toString("utf8") };
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a refusal says, in one line. */
export function reasonOf({ status, text }: Answer): string {
  try {
    const { title, detail, errors } = JSON.parse(text) as {
      readonly title?: string;
      readonly detail?: string;
      readonly errors?: readonly { readonly detail: string; readonly at?: string }[];
    };
    const more = (errors ?? []).map((one) => (one.at ? `${one.at}: ${one.detail}` : one.detail));
    return [title, detail, ...more].filter(Boolean).join("; ") || `status ${status}`;
  } catch {
    return `status ${status}`;
  }
}
