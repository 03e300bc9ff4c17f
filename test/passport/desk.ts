/** A host and its own registry on the reference store, with a clock that a test may turn. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  openPassport,
  type PassportId,
  type PassportKeys,
  type PassportState,
} from "../../client-lib/passport/index.ts";
import { Problem } from "../../server/errors.ts";
import { parseWebId, type WebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { type Log } from "../../server/log.ts";
import type { DoorRequest, Result } from "../../server/operation.ts";
import { createHosting, type Hosting } from "../../server/passport/hosting.ts";
import { serverKey } from "../../server/passport/keyring.ts";
import type { Known } from "../../server/passport/link.ts";
import { createRegistryDoors, type RegistryDoors } from "../../server/registry/doors/doors.ts";
import { createOwnRegistry, type OwnRegistry } from "../../server/registry/own.ts";
import type { Accepted } from "../../server/registry/port.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import type { Pod } from "../../server/store/pods.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { HOST } from "./people.ts";

export interface Bench {
  readonly store: Store;
  /** Holds what is in no backup; a second bench on the same store needs the same. */
  readonly folder: string;
  /** The host's side, and what anybody may ask the registry. */
  readonly registry: Hosting & {
    submit(source: string | object): Promise<Accepted>;
    known(id: PassportId): Promise<Known | null>;
    bundle: OwnRegistry["bundle"];
  };
  readonly own: OwnRegistry;
  readonly logged: string[];
  readonly now: () => Date;
  readonly pass: (ms: number) => void;
  /** Opens a passport for a pod of this name, as the set-up page does. */
  readonly open: (name: string) => Promise<Opened>;
  readonly state: (id: PassportId) => Promise<PassportState>;
  readonly ask: (method: "get" | "post", path: string, options?: Asking) => Promise<Answer>;
}

export interface Opened {
  readonly id: PassportId;
  readonly keys: PassportKeys;
  readonly pod: Pod;
  readonly webid: WebId;
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export const podOf = (name: string): Pod => ({ id: name as PodId, name, owner: webIdOf(name), created: 0 });
export const webIdOf = (name: string): WebId => parseWebId(`${HOST}/${name}/profile/card#me`);

async function textOf(result: Result): Promise<string> {
  if (result.body === null) return "";
  if (typeof result.body === "string") return result.body;
  if (result.body instanceof Uint8Array) return new TextDecoder().decode(result.body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of result.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const opened: { readonly own: OwnRegistry; readonly served: RegistryDoors; readonly folder: string }[] = [];

/** To be called after the tests of a file. */
export async function closeBenches(): Promise<void> {
  for (const { own, served, folder } of opened.splice(0)) {
    await served.close();
    await own.close();
    await rm(folder, { recursive: true, force: true });
  }
}

export interface BenchOptions {
  readonly store?: Store;
  readonly folder?: string;
}

export async function bench(options: BenchOptions = {}): Promise<Bench> {
  const { store = createMemoryStore() } = options;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "freehold-test-")));
  let time = Date.parse("2026-03-01T12:00:00Z");
  const logged: string[] = [];
  const write = (event: string, fields?: object) => void logged.push(`${event} ${JSON.stringify(fields)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const now = () => new Date(time);
  const zones = ["zz"];
  const base = { store, now, log, limits: LIMITS, baseUrl: `${HOST}/` };
  const own = await createOwnRegistry({
    ...base,
    folder,
    zones,
    registrar: { name: "local", key: (await serverKey(store, "registrar")).key },
    isHost: (key, id) => hosting.isHost(key, id),
    onTaken: (id) => hosting.follow(id),
  });
  const hosting = createHosting({
    ...base,
    link: { ...own, url: `${HOST}/`, registrar: "local", zones, hasOneHostKey: false },
  });
  const [zone] = own.zones;
  if (!zone) throw new Error("A registry has a zone");
  const registry: Bench["registry"] = {
    ...hosting,
    submit: (source) => zone.submit(source),
    known: (id) => own.find(id),
    bundle: (id) => own.bundle(id),
  };
  const served = createRegistryDoors({ ...own, ...base });
  const { doors } = served;
  opened.push({ own, served, folder });

  return {
    store,
    folder,
    registry,
    own,
    logged,
    now,
    pass: (ms) => void (time += ms),
    open: async (name) => {
      const { id, createOp, keys } = await openPassport(await registry.begin(), now());
      await registry.finish({ createOp, pod: podOf(name), webid: webIdOf(name) });
      return { id, keys, pod: podOf(name), webid: webIdOf(name) };
    },
    state: async (id) => {
      const found = await own.find(id);
      if (!found) throw new Error("No such passport");
      return found.state;
    },
    /** As the server would ask the door, with the problem as the responder would show it. */
    ask: async (method, path, { headers = {}, body } = {}) => {
      const url = new URL(path, HOST);
      const entry = doors.find((door) => door.verb === method && patternOf(door.path).test(url.pathname));
      if (!entry) throw new Error(`No door at ${path}`);
      const params = patternOf(entry.path).exec(url.pathname)?.groups ?? {};
      for (const [name, value] of Object.entries(params)) params[name] = decodeURIComponent(value);
      const request: DoorRequest = {
        id: "1",
        method: method.toUpperCase(),
        url,
        params,
        headers,
        ip: "",
        body: body === undefined ? null : Readable.from([Buffer.from(body)]),
      };
      try {
        const result = await entry.door(request);
        return { status: result.status, headers: result.headers, text: await textOf(result) };
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return {
          status: error.status,
          headers: error.headers,
          text: JSON.stringify({ code: error.code, detail: error.detail, ...error.members }),
        };
      }
    },
  };
}

/** `:one` part of a path, or all of the rest. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replace(/:([a-z]+)/g, "(?<$1>[^/]+)").replace(/\{\*([a-z]+)\}/g, "(?<$1>.*)")}$`);

/** @returns the problem's code and rule. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return [error.code, error.members["rule"]].filter(Boolean).join(" ");
    throw error;
  }
  return "none";
}
