/** A server on a folder that nobody else sees, for proving a backup: the real one, on a socket that only this user can open. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, request } from "node:http";
import { createApp } from "../app.ts";
import type { Place, Scratch, ScratchServer } from "../backup/verify.ts";
import { type Config, NO_BACKUPS } from "../config.ts";
import { createContext, openStore } from "../context.ts";
import { parseTarget } from "../iri.ts";
import type { SignedHead } from "../journal/heads.ts";
import { createLog } from "../log.ts";
import { PUBLIC_AGENT } from "../operation.ts";
import { operatorAddress } from "./operator-address.ts";

const now = (): Date => new Date();

async function serveScratch(config: Config): Promise<ScratchServer> {
  const context = await createContext(config, () => {});
  const { pods, identity, journal } = context;
  const app = createApp({
    ...context,
    identity: {
      ...identity,
      // Whoever reaches this socket is the operator, who asks what the owner would see.
      verify: async ({ url }) => {
        const pod = await pods.find(parseTarget(new URL(url).pathname).pod);
        return { ...PUBLIC_AGENT, webid: pod?.owner ?? null };
      },
    },
  });
  const server = createServer(app);
  const { path, release } = operatorAddress(config.dataFolder);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return {
    async get(path_, contentType) {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const { host } = new URL(config.baseUrl);
        request(
          { socketPath: path, path: path_, headers: { host, accept: `${contentType}, */*;q=0.1` } },
          resolve,
        )
          .on("error", reject)
          .end();
      });
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      return { status: response.statusCode ?? 0, bytes, sha256: hash.digest("hex") };
    },
    async verifyJournal(name, heads) {
      const pod = await pods.find(name);
      if (!pod) return ["there is no such pod"];
      return (await journal.verify(pod, heads as readonly SignedHead[])).faults;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      release();
      await context.close();
    },
  };
}

export function createScratch(config: Config): Scratch {
  const at = ({ folder, rootKeyFile }: Place): Config => ({
    ...config,
    dataFolder: folder,
    rootKeyFile,
    logLevel: "error",
    backup: NO_BACKUPS,
  });
  return {
    openStore: (place, keyring) =>
      openStore(
        at(place),
        createLog(() => {}, now, "error"),
        now,
        keyring,
      ),
    serve: (place) => serveScratch(at(place)),
  };
}
