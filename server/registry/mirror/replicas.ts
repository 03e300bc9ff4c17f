/** Passports as a zone hands them to its mirrors: NDJSON, whose last line says where to go on. */
import type { Replica } from "../port.ts";
import { type Fetch, request } from "../root/wire.ts";
import { REPLICA_CHARACTERS_MAX } from "./heads.ts";
import { SourceRefused } from "./tree.ts";

export interface ReplicaPage {
  /** Each is parsed when its turn comes: a whole page of them would outlive the young generation. */
  readonly replicas: Iterable<Replica>;
  /** Null with the last. */
  readonly next: string | null;
}

export interface ReplicaSource {
  /** A page of all. */
  page(after: string | null): Promise<ReplicaPage>;
  /** Those with these keys, as they are now; who has gone is left out. */
  some(headKeys: readonly string[]): Promise<Iterable<Replica>>;
}

const PAGE_MS_MAX = 60_000;
const KEYS_AT_ONCE = 1_000;

function readLine<T>(line: string): T {
  let value: unknown = null;
  try {
    value = JSON.parse(line);
  } catch {} // As anything else that is none.
  if (typeof value === "object" && value !== null) return value as T;
  throw new SourceRefused("forged", "The source gives something else for passports");
}

function* parsed(all: readonly string[]): Generator<Replica> {
  for (const line of all) yield readLine<Replica>(line);
}

async function readLines(response: Response): Promise<ReplicaPage> {
  const text = new TextDecoder();
  const all: string[] = [];
  let rest = "";
  for await (const chunk of response.body ?? []) {
    const lines = (rest + text.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > REPLICA_CHARACTERS_MAX) throw new Error("A passport of the source is too long");
    for (const line of lines) all.push(line);
  }
  const last = all.pop();
  if (last === undefined || rest !== "") throw new Error("The source broke off");
  const { next } = readLine<{ readonly next?: string | null }>(last);
  if (next === undefined) throw new Error("The source broke off");
  return { replicas: parsed(all), next };
}

/** @param url Of the zone or of another mirror of it; ends in a slash. */
export function replicaSource(fetch: Fetch, url: string, secret: string): ReplicaSource {
  const options = { headers: { authorization: `Bearer ${secret}` }, msMax: PAGE_MS_MAX };
  const place = `${url}v1/replica`;
  return {
    async page(after) {
      return readLines(
        await request(
          fetch,
          after === null ? place : `${place}?after=${encodeURIComponent(after)}`,
          {},
          options,
        ),
      );
    },
    async some(headKeys) {
      const found: Replica[] = [];
      for (let at = 0; at < headKeys.length; at += KEYS_AT_ONCE) {
        const body = JSON.stringify({ headKeys: headKeys.slice(at, at + KEYS_AT_ONCE) });
        const { replicas } = await readLines(await request(fetch, place, { method: "POST", body }, options));
        for (const replica of replicas) found.push(replica);
      }
      return found;
    },
  };
}
