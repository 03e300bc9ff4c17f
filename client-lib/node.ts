/** For programs on a server: logs in with client credentials, and keeps what a vendor has to keep, in files. */
import { createHash } from "node:crypto";
import { appendFile, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { EVENTS, Session } from "@inrupt/solid-client-authn-node";
import { publishSigningKey, type SigningIdentity } from "./consent/identity.ts";
import { generateSigningKey } from "./consent/proof.ts";
import type { Ledger, Use } from "./consent/under.ts";
import { type Change, receiveWebhook } from "./consent/watch.ts";
import { type Fetch, FreeholdError } from "./errors.ts";
import type { Place, Places } from "./moved.ts";
import type { Seen } from "./passport/verify.ts";
import { openPod } from "./pod.ts";
import { isOlder, isOlderPorted, type Memory, type PinnedRoot, type SeenPorted } from "./registry/memory.ts";

/** Client credentials, as the account page gives them. */
export interface LoginOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Somebody who has logged in. */
export interface Login {
  /** Sends requests as whoever has logged in, each with a proof of its own; logs in again when the login has run out. */
  readonly fetch: Fetch;
  readonly webid: string;
  logout(): Promise<void>;
}

interface Begun {
  readonly session: Session;
  readonly webid: string;
  readonly hasEnded: () => boolean;
}

async function begin({ issuer, clientId, clientSecret }: LoginOptions): Promise<Begun> {
  const session = new Session({ keepAlive: false });
  let ended = false;
  session.events.on(EVENTS.SESSION_EXPIRED, () => (ended = true));
  // A program that has done its work must end, and not wait until its login does.
  session.events.on(EVENTS.TIMEOUT_SET, (timer: unknown) => (timer as NodeJS.Timeout).unref());
  let cause: unknown;
  try {
    await session.login({ oidcIssuer: issuer, clientId, clientSecret, tokenType: "DPoP" });
  } catch (error) {
    cause = error;
  }
  const { isLoggedIn, webId: webid } = session.info;
  if (isLoggedIn && webid !== undefined) return { session, webid, hasEnded: () => ended };
  throw new FreeholdError("login-failed", "The login was refused", {
    url: issuer,
    detail: (cause as Error | undefined)?.message,
    next: "Check issuer, client identifier and secret; make new ones on the account page if they are lost.",
    cause,
  });
}

/**
 * Logs in without anybody at the keyboard.
 * @throws FreeholdError `login-failed` with the issuer's reason; later also from `fetch`, if a renewal is refused.
 */
export async function login(options: LoginOptions): Promise<Login> {
  const first = await begin(options);
  let current = Promise.resolve(first);
  let isOut = false;
  const renewed = async (): Promise<Begun> => {
    const known = current;
    const begun = await known;
    if (!begun.hasEnded() || isOut) return begun;
    if (known === current) {
      current = begin(options); // Whoever asks meanwhile waits for this one.
      current.catch(() => (current = known)); // The next request tries again.
    }
    return current;
  };
  return {
    webid: first.webid,
    fetch: async (input, init) => (await renewed()).session.fetch(input, init),
    async logout() {
      isOut = true;
      await (await current).session.logout();
    },
  };
}

/** Replaces a file at once: whoever reads it finds the old or the new content, and nobody else can. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value, null, 2)}\n`);
    await file.sync(); // The bytes, before the name points at them.
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

/** @returns null where there is no such file. @throws FreeholdError `input-invalid` for one that is no JSON. */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FreeholdError("input-invalid", "This file is no JSON", { detail: path, cause });
  }
}

/** A ledger in a file, a line for each use. A line that a power cut broke is as if it had not been written. */
export function fileLedger(path: string): Ledger {
  return {
    // With an end of line before it, too: a line that was broken off spoils nothing but itself.
    note: (use) => appendFile(path, `\n${JSON.stringify(use)}\n`, { mode: 0o600, flush: true }),
    async uses(grant) {
      const text = await readFile(path, "utf8").catch(() => "");
      return text.split("\n").flatMap((line): readonly Use[] => {
        try {
          const use = JSON.parse(line) as Use;
          return use.grant === grant ? [use] : [];
        } catch {
          return [];
        }
      });
    },
  };
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

/** A file for each key: nobody who writes one can spoil another, and none is read that is not asked for. */
function fileTable<T>(folder: string): {
  get(key: string): Promise<T | null>;
  set(key: string, value: T | null): Promise<void>;
} {
  const at = (key: string): string => join(folder, `${hashOf(key)}.json`);
  return {
    get: async (key) => (await readJson(at(key))) as T | null,
    async set(key, value) {
      if (value === null) return rm(at(key), { force: true });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return writeJson(at(key), value);
    },
  };
}

/**
 * A memory that outlives the program: roots that were believed, and the newest state seen of each passport, in files.
 * Whoever can write there can make this program believe again; whoever can read there knows whose passports it asked for.
 */
export function fileMemory(folder: string): Memory {
  const seen = fileTable<Seen>(join(folder, "seen"));
  const roots = fileTable<PinnedRoot>(join(folder, "roots"));
  const ported = fileTable<SeenPorted>(join(folder, "ported"));
  return {
    get: (id) => seen.get(id),
    async set(id, now) {
      const before = await seen.get(id);
      if (before && (isOlder(now, before) || JSON.stringify(before) === JSON.stringify(now))) return;
      await seen.set(id, now);
    },
    root: (of) => roots.get(of),
    setRoot: (of, pinned) => roots.set(of, pinned),
    ported: (of) => ported.get(of),
    async setPorted(of, now) {
      const before = await ported.get(of);
      if (!before || !isOlderPorted(now, before)) await ported.set(of, now);
    },
  };
}

/** Places that outlive the program: old links are followed for as long as the folder is kept. */
export function filePlaces(folder: string): Places {
  const places = fileTable<Place>(folder);
  return { get: (root) => places.get(root), set: (root, place) => places.set(root, place) };
}

/** Somebody who asks people for access: logged in, with a key to sign with, and a ledger. */
export interface Vendor extends Login {
  readonly identity: SigningIdentity;
  readonly ledger: Ledger;
}

interface KeptVendor extends LoginOptions {
  readonly webid: string;
  readonly verificationMethod: string;
  readonly key: JsonWebKey;
}

const KEPT = "vendor.json";
const USES = "uses.jsonl";

/**
 * Makes a vendor in a folder: logs in, makes a key, and puts its public half into the WebID's document.
 * @param own The vendor's own pod, where its WebID document is; found by the WebID unless said.
 * @throws FreeholdError `conflict` where there is one already, `login-failed`, `forbidden` for a document of others.
 */
export async function createVendor(folder: string, options: LoginOptions, own?: string): Promise<Vendor> {
  const path = join(folder, KEPT);
  if ((await readJson(path)) !== null)
    throw new FreeholdError("conflict", "There is a vendor in this folder already", { detail: folder });
  const known = await login(options);
  const pod = await openPod(own ?? known.webid, { fetch: known.fetch });
  const { verificationMethod, key } = await publishSigningKey(
    { ...pod, owner: known.webid },
    await generateSigningKey(),
  );
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { issuer, clientId, clientSecret } = options;
  await writeJson(path, { issuer, clientId, clientSecret, webid: known.webid, verificationMethod, key });
  return vendorOf(folder, known, { webid: known.webid, verificationMethod, key });
}

const vendorOf = (folder: string, known: Login, identity: SigningIdentity): Vendor => ({
  ...known,
  identity,
  ledger: fileLedger(join(folder, USES)),
});

/** The vendor of a folder. @throws FreeholdError `vendor-unknown` where there is none, `login-failed`. */
export async function openVendor(folder: string): Promise<Vendor> {
  const kept = (await readJson(join(folder, KEPT))) as KeptVendor | null;
  if (kept === null)
    throw new FreeholdError("vendor-unknown", "There is no vendor in this folder", {
      detail: folder,
      next: "Make one: freehold vendor init",
    });
  const { webid, verificationMethod, key } = kept;
  return vendorOf(folder, await login(kept), { webid, verificationMethod, key });
}

const MESSAGE_BYTES_MAX = 65_536;

/**
 * Listens for the messages of webhooks.
 * @param port 0: any that is free.
 * @param onChange Told of each message; the sender waits for nothing.
 */
export async function listenToWebhooks(
  port: number,
  onChange: (change: Change) => void,
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((request, response) => {
    let said = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      said += part;
      if (said.length > MESSAGE_BYTES_MAX) request.destroy();
    });
    request.on("end", () => {
      const { status, body, change } = receiveWebhook(said);
      response.writeHead(status, { "content-type": "text/plain" }).end(body);
      if (change) onChange(change);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
