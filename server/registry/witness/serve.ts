/** A witness as a server of its own: two doors of the protocol, and one for what logs were caught at. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { formatVerifierKey } from "@freehold/client/registry";
import { LIMITS, type Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { createRate, networkOf, retryAfter } from "../../rates.ts";
import { lockFolder } from "../../store/lock.ts";
import { createLogKeys, type FollowOptions } from "./follow.ts";
import { openSigners } from "./identity.ts";
import { createWitnessMemory } from "./memory.ts";
import { createWitness, type Witness, type WitnessAnswer } from "./witness.ts";

export interface WitnessConfig extends Omit<FollowOptions, "now" | "log" | "folder"> {
  /** Keys and memory; used by one process. */
  readonly folder: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly host: string;
}

export interface WitnessServer {
  /** Submission prefix and monitoring prefix; ends in a slash. */
  readonly url: string;
  /** Verifier keys, as policies name them. */
  readonly keys: readonly string[];
  close(): Promise<void>;
}

const TEXT = "text/plain; charset=utf-8";
const REMEMBERED_NETWORKS = 10_000;
const CLOSE_MS_MAX = 2_000; // An answer under way is given; who keeps a connection open for nothing is not waited for.

const say = (status: number, reason: string): WitnessAnswer => ({ status, type: TEXT, body: `${reason}\n` });

/** @returns null for a body that is too long: it is read to its end all the same, so that the answer can be heard. */
async function readText(request: IncomingMessage, bytesMax: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
  }
  if (bytes > bytesMax) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    return ""; // No note is anything but UTF-8.
  }
}

interface Front {
  readonly witness: Witness;
  readonly keys: readonly string[];
  readonly wait: (ip: string) => number;
  readonly ipOf: (request: IncomingMessage) => string;
  readonly bodyBytesMax: number;
}

async function answer(
  request: IncomingMessage,
  { witness, keys, wait, ipOf, bodyBytesMax }: Front,
): Promise<WitnessAnswer & { headers?: object }> {
  const { method = "", url = "/" } = request;
  const waitMs = wait(networkOf(ipOf(request)));
  if (waitMs > 0) return { ...say(429, "Too many requests"), headers: retryAfter(waitMs) };
  const path = url.split("?", 1)[0] ?? "";
  if (path === "/add-checkpoint") {
    if (method !== "POST") return { ...say(405, "Checkpoints are sent by POST"), headers: { allow: "POST" } };
    const text = await readText(request, bodyBytesMax);
    return text === null ? say(413, "The request is too long") : witness.addCheckpoint(text);
  }
  if (method !== "GET" && method !== "HEAD")
    return { ...say(405, "This is only read"), headers: { allow: "GET, HEAD" } };
  const hash = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path)?.[1];
  if (hash !== undefined) {
    const note = await witness.checkpoint(hash);
    return note === null
      ? say(404, "No checkpoint of this log was cosigned here")
      : { status: 200, type: TEXT, body: note };
  }
  if (path === "/evidence")
    return { status: 200, type: "application/json", body: JSON.stringify(await witness.evidence()) };
  return path === "/" ? say(200, keys.join("\n")) : say(404, "There is nothing here");
}

function respond(
  response: ServerResponse,
  isHead: boolean,
  { status, type, body, headers }: WitnessAnswer & { headers?: object },
): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "access-control-allow-origin": "*", // Pages that show witnesses may be anybody's; nothing here is secret.
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(isHead ? undefined : body);
}

/** The witness itself, with the one memory that it has. */
async function openWitness(
  config: WitnessConfig,
  { now, log, limits = LIMITS }: WitnessDeps,
): Promise<{ readonly witness: Witness; readonly keys: readonly string[]; readonly unlock: () => void }> {
  const { folder } = config;
  const signers = await openSigners(folder, now);
  const unlock = lockFolder(folder); // Two processes with one key would be two memories of one witness.
  try {
    const memory = await createWitnessMemory(folder, limits);
    const logKeys = await createLogKeys({ ...config, now, log });
    const witness = createWitness({ signers, memory, now, log, logKeys });
    return { witness, keys: signers.map(({ key }) => formatVerifierKey(key)), unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

export interface WitnessDeps {
  readonly now: () => Date;
  readonly log: Log;
  readonly limits?: Limits;
  /** Whose request it is; without, whoever the connection is from. Behind a proxy that would be one for all. */
  readonly ipOf?: (request: IncomingMessage) => string;
}

/** @throws StoreRefused while another process is this witness; OperatorError where there is none in the folder. */
export async function serveWitness(config: WitnessConfig, deps: WitnessDeps): Promise<WitnessServer> {
  const { now, log, limits = LIMITS, ipOf = ({ socket }) => socket.remoteAddress ?? "" } = deps;
  const { witness, keys, unlock } = await openWitness(config, deps);
  const wait = createRate(limits.witnessRequestsPerMinute, 60_000, REMEMBERED_NETWORKS, now);
  const front: Front = { witness, keys, wait, ipOf, bodyBytesMax: limits.witnessBodyBytesMax };
  const running = new Set<Promise<void>>();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const result = await answer(request, front).catch((error: unknown) => {
      const cause = error instanceof Error ? error.message : String(error);
      if (request.complete) log.error("registry.witness-error", { cause }); // Else whoever asked went away.
      return say(500, "The witness could not do this; nothing was signed");
    });
    respond(response, request.method === "HEAD", result);
  };
  const server = createServer(
    {
      requestTimeout: limits.headersMsMax,
      headersTimeout: limits.headersMsMax,
      maxHeaderSize: limits.headerBytesMax,
    },
    (request, response) => {
      const work = handle(request, response);
      running.add(work);
      void work.finally(() => running.delete(work));
    },
  );
  server.maxConnections = limits.connectionsMax;
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(config.port, config.host, done);
  }).catch((error: unknown) => {
    unlock();
    throw error;
  });
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  return {
    url: `http://${host}:${port}/`,
    keys,
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX).unref();
      server.closeIdleConnections();
      await closed;
      await Promise.all(running);
      unlock();
    },
  };
}
