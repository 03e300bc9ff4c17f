/** A registry on the reference store, with a clock that a test may turn. */
import { Readable } from "node:stream";
import {
  openPassport,
  type PassportId,
  type PassportKeys,
  type PassportState,
  verifyBundle,
} from "../../client-lib/passport/index.ts";
import { Problem } from "../../server/errors.ts";
import { parseWebId, type WebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { type Log } from "../../server/log.ts";
import type { DoorRequest, Result } from "../../server/operation.ts";
import { passportDoors } from "../../server/passport/doors.ts";
import { createRegistry, type Registry } from "../../server/passport/registry.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import type { Pod } from "../../server/store/pods.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { HOST } from "./people.ts";

export interface Bench {
  readonly store: Store;
  readonly registry: Registry;
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

export function bench(store: Store = createMemoryStore()): Bench {
  let time = Date.parse("2026-03-01T12:00:00Z");
  const logged: string[] = [];
  const write = (event: string, fields?: object) => void logged.push(`${event} ${JSON.stringify(fields)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const now = () => new Date(time);
  const registry = createRegistry({ store, now, zones: ["zz"], baseUrl: `${HOST}/`, limits: LIMITS, log });
  const doors = passportDoors(registry);

  return {
    store,
    registry,
    logged,
    now,
    pass: (ms) => void (time += ms),
    open: async (name) => {
      const { id, createOp, keys } = await openPassport(await registry.begin(), now());
      await registry.finish({ createOp, pod: podOf(name), webid: webIdOf(name) });
      return { id, keys, pod: podOf(name), webid: webIdOf(name) };
    },
    state: async (id) => {
      const found = await registry.find(id);
      if (!found) throw new Error("No such passport");
      return (await verifyBundle(found.bundle, id)).state;
    },
    /** As the server would ask the door, with the problem as the responder would show it. */
    ask: async (method, path, { headers = {}, body } = {}) => {
      const url = new URL(path, HOST);
      const [, route, name] = /^(\/v1\/[a-z]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
      const entry = doors.find((door) => door.verb === method && door.path.replace(/\/:.*$/, "") === route);
      if (!entry) throw new Error(`No door at ${path}`);
      const params = { did: decodeURIComponent(name ?? ""), id: decodeURIComponent(name ?? "") };
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
