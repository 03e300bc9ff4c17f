/** A zone's registry as it is served, on a real port with a real store, a clock that a test may turn, and people in it. */
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  deactivatePassport,
  didOf,
  type PassportId,
  type PassportState,
  type Signed,
  signOperation,
  type VerifiedAnswer,
  verifyAnswer,
} from "../../../client-lib/registry/index.ts";
import { readRegistryConfig } from "../../../server/cli/registry/config.ts";
import { type ServedRegistry, type ServeOptions, serveRegistry } from "../../../server/cli/registry/serve.ts";
import { createLog } from "../../../server/log.ts";
import { accreditOwn } from "../../../server/registry/registrars/own.ts";
import { HOST, key, type Person, person } from "../../passport/people.ts";

export const BEGINNING = Date.parse("2026-06-01T10:00:00Z");

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly bytes: Buffer;
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test reads of it is what it expects
  readonly json: any;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Known extends Person {
  readonly id: PassportId;
  readonly did: string;
}

export interface World {
  readonly served: ServedRegistry;
  readonly folder: string;
  readonly logged: string[];
  /** Turns the clock. */
  pass(ms: number): void;
  now(): number;
  /** The address as it is, not as a URL would have it. */
  ask(path: string, asked?: Asked): Promise<Answer>;
  send(signed: unknown): Promise<Answer>;
  bundle(id: string, headers?: Readonly<Record<string, string>>, query?: string): Promise<Answer>;
  /** Many at once. */
  resolve(ids: readonly unknown[]): Promise<Answer>;
  /** Holds an answer against the root's record. @throws PassportError */
  verify(source: string | object, id: PassportId): Promise<VerifiedAnswer>;
  /** A passport with a data record. */
  open(name: string): Promise<Known>;
  /** The state that a passport is in after an operation. */
  deactivate(ana: Known, state?: PassportState): Promise<Answer>;
  close(): Promise<void>;
}

/** @param settings Fields of `registry.json`. */
export async function startRegistry(
  settings: Readonly<Record<string, unknown>> = {},
  options: Partial<ServeOptions> = {},
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-registry-"));
  const fields = { zone: "zz", operator: "Tests", port: 0, epochMs: 0, allow: [HOST], ...settings };
  const config = await readRegistryConfig(JSON.stringify(fields), folder);
  let at = BEGINNING;
  const now = (): Date => new Date(at);
  const logged: string[] = [];
  const log = createLog((line) => logged.push(line), now, "warn");
  const served = await serveRegistry(config, { now, log, tickMs: 3_600_000, ...options });
  const registrar = await key("registrar");
  await accreditOwn(
    served.book,
    { id: "local", name: "Local", key: registrar.key, createPerDay: 1_000 },
    "https://registry.example/",
  );
  const ask = (path: string, asked: Asked = {}): Promise<Answer> => askAt(served.port, path, asked);
  const post = (path: string, value: unknown): Promise<Answer> =>
    ask(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(value),
    });
  const send = (signed: unknown): Promise<Answer> => post("/v1/ops", signed);
  const must = async (signed: unknown): Promise<void> => {
    const answer = await send(signed);
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  };
  return {
    served,
    folder,
    logged,
    pass: (ms) => {
      at += ms;
    },
    now: () => at,
    ask,
    send,
    bundle: (id, headers = {}, query = "") => ask(`/v1/passports/${id}${query}`, { headers }),
    resolve: (ids) => post("/v1/resolve", { ids }),
    async verify(source, id) {
      const root = served.root.newest();
      if (!root) throw new Error("There is no root yet");
      return verifyAnswer(source, id, root.record, { now: at });
    },
    async open(name) {
      const who = await person(name);
      await must(who.create);
      await must(await ownData(who));
      return { ...who, id: who.state.id, did: didOf(who.state.id) };
    },
    async deactivate(ana, state = ana.state) {
      const signed = await deactivatePassport(state, ana.keys.authority);
      return send(signed);
    },
    async close() {
      await served.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The first data record of a person, signed by the person: no host of theirs is known to the registry. */
const ownData = (who: Person): Promise<Signed> =>
  signOperation(who.data.op, who.create.op.auth, who.keys.authority);

/** Plain `node:http`, for `fetch` would tidy the address. */
export function askAt(
  port: number,
  path: string,
  { method = "GET", headers = {}, body }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          text,
          bytes,
          get json() {
            return JSON.parse(text) as unknown;
          },
        });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
