/**
 * The only way out: every HTTP request that this server makes on somebody's behalf.
 *
 * A URL from outside may name this machine or its neighbours in a hundred spellings, so addresses are judged where
 * they are facts: at connect, after resolution, on the socket itself.
 */
import type { LookupAddress } from "node:dns";
import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction, connect as openSocket } from "node:net";
import type { Agent, buildConnector, request as undiciRequest } from "undici";
import { Problem } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { Lru } from "./lru.ts";
import { createRate, networkOf, retryAfter } from "./rates.ts";

export interface FetchOptions {
  /** Value of `Accept`. */
  readonly accept: string;
  /** The body may be this long, in bytes; a longer one is a failure. */
  readonly bytesMax: number;
  /** What it is for (`webid`, `issuer`, `jwks`, `client`, …): goes into the log and the problem's detail. */
  readonly kind: string;
  /** The network address that caused this, while it has proved nothing: its budget is spent. */
  readonly ip?: string;
}

export interface Fetched {
  readonly status: number;
  /** Lower-cased; of a repeated field, the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

/**
 * GETs a resource of another server. Only 2xx is an answer.
 * @throws Problem `fetch-failed` (nothing of why, but the kind), `too-many-requests` when a budget is spent.
 */
export type SafeFetch = (url: string, options: FetchOptions) => Promise<Fetched>;

export interface SendOptions {
  /** POST by default. */
  readonly method?: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  /** Null for a GET. */
  readonly body: Uint8Array | null;
  /** How much of the answer's content is read, in bytes. */
  readonly bytesMax: number;
  /** As in {@link FetchOptions}. */
  readonly kind: string;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

export interface Sent {
  /** Whatever it is: redirects are not followed. */
  readonly status: number;
  /** Lower-cased; of a repeated field, the first. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null when it was longer than `bytesMax`, or broke off. */
  readonly bytes: Uint8Array | null;
}

/** Sends to another server, through the same gate. */
export interface SafeSend {
  /**
   * One attempt; nothing is remembered of a failed one.
   * @throws Problem `fetch-failed` when nobody answered, or nobody may be asked.
   */
  (url: string, options: SendOptions): Promise<Sent>;
  /** What can be judged of an address without asking anybody. @throws Problem `fetch-failed`. */
  check(url: string, kind: string): URL;
}

export interface SafeFetchDependencies {
  /** Exact origins that may be private or without TLS. */
  readonly egressAllow: readonly string[];
  readonly limits: Limits;
  readonly log: Log;
  readonly now?: () => Date;
  /** For tests of rebinding; the system's by default. */
  readonly lookup?: LookupFunction;
}

/**
 * Special-purpose addresses; everything in them is unreachable from here.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry/
 */
const FORBIDDEN_NETWORKS: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/96", // Unspecified, loopback, and the old IPv4-compatible form.
  "::ffff:0:0:0/96", // IPv4-translated (SIIT).
  "64:ff9b::/96",
  "64:ff9b:1::/48", // NAT64 reaches IPv4 neighbours.
  "100::/64",
  "100:0:0:1::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16", // 6to4 carries an IPv4 address, too.
  "2620:4f:8000::/48",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];

const KNOWN_ORIGINS_MAX = 1_000;
const FAILURES_KEPT_BYTES = 2 * 1024 * 1024; // Of addresses, which strangers choose and may make long.

/** IPv4-mapped IPv6 addresses are judged by the IPv4 rules: that is how BlockList compares. */
export function forbiddenAddresses(): BlockList {
  const list = new BlockList();
  for (const network of FORBIDDEN_NETWORKS) {
    const [address = "", bits = ""] = network.split("/");
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/** Refuses a name if any of its addresses is forbidden: a mixed answer is an attack, not a mistake. */
function guardedLookup(lookup: LookupFunction, forbidden: BlockList): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = error ? [] : (found as unknown as LookupAddress[]);
      const isForbidden = addresses.some(({ address, family }) =>
        forbidden.check(address, family === 6 ? "ipv6" : "ipv4"),
      );
      const first = addresses[0];
      if (error || isForbidden || !first) {
        const refused =
          error ??
          Object.assign(new Error("The name's address is not reachable from here"), { code: "ENOTFOUND" });
        callback(refused, "", 0);
      } else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/**
 * Opens the TCP socket itself, so that the list is applied with TLS as well: `tls.connect` does not apply it.
 * @param forbidden Null for origins that the operator has allowed.
 */
export function createConnector(
  secure: ReturnType<typeof buildConnector>,
  forbidden: BlockList | null,
  lookup: LookupFunction,
  connectMsMax: number,
): buildConnector.connector {
  return (options, callback) => {
    const socket = openSocket({
      host: options.hostname,
      port: Number(options.port) || (options.protocol === "https:" ? 443 : 80),
      lookup: forbidden ? guardedLookup(lookup, forbidden) : lookup,
      noDelay: true,
      ...(forbidden ? { blockList: forbidden } : {}),
    });
    const timer = setTimeout(() => socket.destroy(new Error("Connect timeout")), connectMsMax);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      callback(error, null);
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      if (options.protocol === "https:") secure({ ...options, httpSocket: socket }, callback);
      else callback(null, socket);
    });
  };
}

function refuse(kind: string, cause?: unknown): Problem {
  return new Problem(
    "fetch-failed",
    `The ${kind} document could not be fetched`,
    cause === undefined ? {} : { cause },
  );
}

type Loaded = { readonly request: typeof undiciRequest; readonly agentFor: (url: URL) => Agent };

/** @returns undici with our gate, loaded when first asked for. */
function createWayOut(
  { limits, lookup = systemLookup }: SafeFetchDependencies,
  allowed: ReadonlySet<string>,
): () => Promise<Loaded> {
  let loaded: Promise<Loaded> | undefined;
  const load = async (): Promise<Loaded> => {
    const { Agent, buildConnector, request } = await import("undici");
    const secure = buildConnector({ allowH2: false, timeout: limits.egressConnectMsMax });
    const create = (forbidden: BlockList | null): Agent =>
      new Agent({
        connect: createConnector(secure, forbidden, lookup, limits.egressConnectMsMax),
        connections: 4,
        pipelining: 1,
        maxOrigins: KNOWN_ORIGINS_MAX,
        maxHeaderSize: limits.headerBytesMax,
        headersTimeout: limits.egressMsMax,
        bodyTimeout: limits.egressMsMax,
      });
    const [strict, lenient] = [create(forbiddenAddresses()), create(null)];
    return { request, agentFor: ({ origin }) => (allowed.has(origin) ? lenient : strict) };
  };
  return () => (loaded ??= load());
}

/** @throws Problem `fetch-failed` for what may not even be tried. */
function checkAddress(text: string, kind: string, allowed: ReadonlySet<string>, limits: Limits): URL {
  if (text.length > limits.urlBytesMax || !URL.canParse(text)) throw refuse(kind);
  const url = new URL(text);
  url.hash = "";
  const isPlain = url.protocol === "https:" && url.port === "" && url.username === "" && url.password === "";
  if (!isPlain && !(allowed.has(url.origin) && url.username === "" && url.password === ""))
    throw refuse(kind);
  return url;
}

/** Of a repeated field, the first. */
function headersOf(answer: { readonly headers: NodeJS.Dict<string | string[]> }): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers))
    headers[name] = (Array.isArray(value) ? value[0] : value) ?? "";
  return headers;
}

/** @throws Error beyond `bytesMax`. */
async function readBounded(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error("The document is too large"); // Leaving the loop closes the socket.
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @returns the function that sends; undici is loaded at the first. */
export function createSafeSend(dependencies: SafeFetchDependencies): SafeSend {
  const { egressAllow, limits, log } = dependencies;
  const allowed: ReadonlySet<string> = new Set(egressAllow);
  const wayOut = createWayOut(dependencies, allowed); // Connections of its own: nobody's slow target holds up a log-in.

  const check: SafeSend["check"] = (text, kind) => checkAddress(text, kind, allowed, limits);
  const send = async (
    text: string,
    { method = "POST", headers, body, bytesMax, kind, signal }: SendOptions,
  ): Promise<Sent> => {
    const url = check(text, kind);
    const started = performance.now();
    try {
      const { request, agentFor } = await wayOut();
      const answer = await request(url, {
        method,
        dispatcher: agentFor(url),
        headers: { "accept-encoding": "identity", "user-agent": "freehold", ...headers },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(limits.egressMsMax)]), // Of all, the answer's content included.
      });
      const { statusCode: status, body: content } = answer;
      const bytes = await readBounded(content as AsyncIterable<Uint8Array>, bytesMax).catch(() => null);
      return { status, headers: headersOf(answer), bytes };
    } catch (cause) {
      log.warn("egress.failed", {
        kind,
        ms: Math.round(performance.now() - started),
        code: (cause as { code?: string }).code ?? (cause as Error).name,
      });
      throw refuse(kind, cause);
    }
  };
  return Object.assign(send, { check });
}

/**
 * @returns the function that fetches; it remembers failures and joins equal requests under way.
 * undici is loaded at the first fetch.
 */
export function createSafeFetch(dependencies: SafeFetchDependencies): SafeFetch {
  const { egressAllow, limits, log, now = () => new Date() } = dependencies;
  const allowed: ReadonlySet<string> = new Set(egressAllow);
  const failures = new Lru<string, number>(FAILURES_KEPT_BYTES); // Request → until when, ms since 1970
  const known = new Lru<string, true>(KNOWN_ORIGINS_MAX);
  const underWay = new Map<string, Promise<Fetched>>();
  const newOrigins = createRate(limits.egressOriginsPerSecondMax, 1_000, 1, now);
  const newOriginsOfNetwork = createRate(limits.egressOriginsPerIpMax, 60_000, limits.ratesRemembered, now);
  const fetchesOfNetwork = createRate(limits.egressFetchesPerIpMax, 60_000, limits.ratesRemembered, now);
  const wayOut = createWayOut(dependencies, allowed);
  const check = (text: string, kind: string): URL => checkAddress(text, kind, allowed, limits);

  /** @throws Problem `too-many-requests`. */
  function spend(url: URL, ip: string | undefined): void {
    const network = ip === undefined ? null : networkOf(ip);
    const isNew = known.get(url.origin) === undefined && !allowed.has(url.origin);
    const wait =
      (network !== null && fetchesOfNetwork(network)) ||
      (isNew && ((network !== null && newOriginsOfNetwork(network)) || newOrigins(""))) ||
      0;
    if (wait > 0) {
      throw new Problem("too-many-requests", "Too many documents of other servers are needed at once", {
        headers: retryAfter(wait),
      });
    }
  }

  async function get(first: URL, { accept, bytesMax, kind, ip }: FetchOptions): Promise<Fetched> {
    const { request, agentFor } = await wayOut();
    const signal = AbortSignal.timeout(limits.egressMsMax); // One budget of time for the whole chain.
    let url = first;
    for (let hops = 0; hops <= limits.egressRedirectsMax; hops += 1) {
      spend(url, ip);
      const answer = await request(url, {
        dispatcher: agentFor(url),
        headers: { accept, "accept-encoding": "identity", "user-agent": "freehold" },
        signal,
      });
      const headers = headersOf(answer);
      const location = headers["location"];
      const isRedirect = answer.statusCode >= 300 && answer.statusCode < 400 && location !== undefined;
      if (!isRedirect) {
        const isFit =
          answer.statusCode >= 200 &&
          answer.statusCode < 300 &&
          /^(?:identity)?$/i.test(headers["content-encoding"] ?? "") &&
          !(Number(headers["content-length"]) > bytesMax);
        if (!isFit) {
          answer.body.on("error", () => {}).destroy();
          throw new Error(`Not a document: status ${answer.statusCode}`);
        }
        const bytes = await readBounded(answer.body as AsyncIterable<Uint8Array>, bytesMax);
        for (const { origin } of [first, url]) known.set(origin, true, 1);
        return { status: answer.statusCode, headers, bytes, url: url.href };
      }
      answer.body.on("error", () => {}).destroy();
      url = check(new URL(location, url).href, kind);
    }
    throw new Error("Too many redirects");
  }

  async function attempt(key: string, url: URL, options: FetchOptions): Promise<Fetched> {
    const started = performance.now();
    try {
      return await get(url, options);
    } catch (cause) {
      if (cause instanceof Problem && cause.code === "too-many-requests") throw cause; // Our budget is not their failure.
      failures.set(key, now().getTime() + limits.egressFailureMsKept, key.length + 64);
      log.warn("egress.failed", {
        kind: options.kind,
        ms: Math.round(performance.now() - started),
        code: (cause as { code?: string }).code ?? (cause as Error).name,
      });
      throw refuse(options.kind, cause);
    }
  }

  return async (text, options) => {
    const url = check(text, options.kind);
    // With type and size: a failed try to read a page as something else must not lock out those who read it rightly.
    const key = `${options.accept} ${options.bytesMax} ${url.href}`;
    if ((failures.get(key) ?? 0) > now().getTime()) throw refuse(options.kind);
    let running = underWay.get(key);
    if (!running) {
      running = attempt(key, url, options).finally(() => underWay.delete(key));
      underWay.set(key, running);
    }
    return running;
  };
}
