/** A small zone on a real port: resolver, root's record and the files of its log. Every answer can be spoiled on its way. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isPassportId, type SignedRootRecord } from "@freehold/client/registry";
import { createSmallZone, type SmallZone } from "./small-zone.ts";

export interface Answer {
  readonly status: number;
  readonly body: string | Uint8Array;
}

export interface Serving {
  readonly zone: SmallZone;
  readonly baseUrl: string;
  /** Paths that were asked for so far. */
  readonly asked: string[];
  /** Changes what is sent; null leaves it as it is. */
  spoil: ((path: string, answer: Answer) => Answer) | null;
  /** The root's record, and its former versions. */
  roots: SignedRootRecord[];
  close(): Promise<void>;
}

const open: Server[] = [];

/** @returns the base address. */
export async function listening(server: Server): Promise<string> {
  open.push(server);
  await new Promise<void>((done) => server.listen(0, "localhost", done));
  return `http://localhost:${(server.address() as AddressInfo).port}/`;
}

export function closeServers(): void {
  for (const server of open.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
}

/** @param seed All keys follow from it. */
export async function serveZone(now: () => number, zoneName = "ch", seed?: string): Promise<Serving> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    asked.push(path);
    void answerTo(path)
      .catch(() => ({ status: 503, body: "{}" }))
      .then((made) => {
        const { status, body } = serving.spoil?.(path, made) ?? made;
        response.writeHead(status, { "content-type": "application/json" }).end(body);
      });
  });
  const baseUrl = await listening(server);
  const zone = await createSmallZone({ zone: zoneName, now, url: baseUrl, ...(seed && { seed }) });
  const serving: Serving = {
    zone,
    baseUrl,
    asked,
    spoil: null,
    roots: [zone.signed],
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };

  async function answerTo(path: string): Promise<Answer> {
    const { pathname, searchParams } = new URL(path, baseUrl);
    if (pathname === "/v1/zones") {
      const version = searchParams.get("version");
      const found = version === null ? serving.roots.at(-1) : serving.roots[Number(version) - 1];
      return { status: found ? 200 : 404, body: JSON.stringify(found ?? {}) };
    }
    const id = /^\/v1\/passports\/(.+)$/.exec(pathname)?.[1];
    if (isPassportId(id)) {
      const answer = await zone.answer(id);
      return { status: "proof" in answer ? 200 : 404, body: JSON.stringify(answer) };
    }
    const file = /^\/log\/[a-z0-9]{2}\/\d{4}\/(.+)$/.exec(pathname)?.[1];
    if (file === "checkpoint") return { status: 200, body: zone.checkpoint() };
    const tile = file === undefined ? null : zone.file(file);
    return tile ? { status: 200, body: tile } : { status: 404, body: "{}" };
  }

  return serving;
}
