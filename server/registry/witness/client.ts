/** Asks the witnesses of a policy for their cosignatures, all at once. @see https://c2sp.org/tlog-witness */
import {
  isBy,
  type Note,
  type NoteSignature,
  type PolicyWitness,
  parseNote,
  parsePolicy,
  parseSignatureLines,
  parseSize,
  quorumTime,
  signatureLine,
  verifySignatureOf,
} from "@freehold/client/registry";
import type { Log } from "../../log.ts";
import { verifyMlDsa44 } from "../log/signer.ts";
import type { AskWitnesses, CosignRequest } from "../zone/deps.ts";
import { encodeAddCheckpoint, SIZE_TYPE } from "./wire.ts";

export interface WitnessClientOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly log: Log;
  readonly now: () => Date;
  readonly limits: { readonly witnessMsMax: number; readonly witnessAnswerBytesMax: number };
}

/** One address; a witness with keys of two types is two witnesses of the policy and one to ask. */
interface Place {
  readonly url: string;
  readonly witnesses: readonly PolicyWitness[];
  /** Sizes that it saw last, by origin, as far as is known here; it says itself when that is wrong. */
  readonly sizes: Map<string, number>;
  /** The request under way. */
  busy: Promise<unknown>;
  /** Counts requests: of those that wait only the newest is sent. */
  turn: number;
}

interface Found {
  readonly line: string;
  readonly witness: string;
  readonly time: number;
}

const TRIES_MAX = 3; // Somebody else may have told the witness more meanwhile.
const STRAGGLERS_MS = 25; // After the quorum: a line more is worth that much, not the time of a witness that is away.
const AHEAD_SECONDS_MAX = 300;

/** The answer's text. @throws Error for one that is too long. */
async function readText(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error("A witness answers with too much");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const placesOf = (witnesses: readonly PolicyWitness[]): readonly Place[] => {
  const byUrl = Map.groupBy(witnesses, ({ url }) => url);
  return [...byUrl].flatMap(([url, some]) =>
    url === null ? [] : [{ url, witnesses: some, sizes: new Map(), busy: Promise.resolve(), turn: 0 }],
  );
};

/**
 * @param policyText Witnesses with an address are asked; those without (the zone itself) sign in the request already.
 * @throws PassportError for a policy that is none.
 */
export async function createWitnessClient(
  policyText: string,
  options: WitnessClientOptions,
): Promise<AskWitnesses> {
  const { fetch, log, now, limits } = options;
  const policy = await parsePolicy(policyText);
  const places = placesOf(policy.witnesses);

  const post = (place: Place, body: string): Promise<Response> =>
    fetch(`${place.url.replace(/\/$/, "")}/add-checkpoint`, {
      method: "POST",
      redirect: "error",
      headers: { "content-type": "text/plain; charset=utf-8" },
      body,
      signal: AbortSignal.timeout(limits.witnessMsMax), // Not the caller's: who gives up must still learn what was signed.
    });

  /** Lines that hold, and are of the keys that the policy has for this address: others are nobody's. */
  async function linesOf(place: Place, note: Note): Promise<readonly Found[]> {
    const latest = Math.floor(now().getTime() / 1_000) + AHEAD_SECONDS_MAX;
    const found: Found[] = [];
    for (const { name, key } of place.witnesses) {
      const judged = await verifySignatureOf(note, key, { verifyMlDsa44 });
      const own = note.signatures.filter((one: NoteSignature) => isBy(one, key));
      if (judged?.time && judged.time <= latest)
        found.push(
          ...own.map((one) => ({ line: signatureLine(one), witness: name, time: judged.time ?? 0 })),
        );
    }
    return found;
  }

  async function ask(place: Place, { origin, size, note, prove }: CosignRequest): Promise<readonly Found[]> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const old = place.sizes.get(origin) ?? 0;
      if (old > size) throw new Error("It has seen a larger tree than this one");
      const path = old === 0 || old === size ? [] : await prove(old);
      const response = await post(place, encodeAddCheckpoint({ old, path, note }));
      const text = await readText(response, limits.witnessAnswerBytesMax);
      if (response.status === 200) {
        place.sizes.set(origin, size);
        return linesOf(place, { body: parseNote(note).body, signatures: parseSignatureLines(text) });
      }
      const seen = text.endsWith("\n") ? parseSize(text.slice(0, -1)) : null;
      const isSize = response.headers.get("content-type")?.startsWith(SIZE_TYPE) ?? false;
      if (response.status !== 409 || !isSize || seen === null)
        throw new Error(`It answers ${response.status}`);
      place.sizes.set(origin, seen);
    }
    throw new Error("It has seen another tree each time");
  }

  /** One request at a time for each witness, and of those that wait only the newest: a slow one is not piled up with work. */
  async function askInTurn(place: Place, request: CosignRequest): Promise<readonly Found[]> {
    const turn = (place.turn += 1);
    await place.busy;
    if (turn !== place.turn) return [];
    const asked = ask(place, request).catch((cause: unknown) => {
      if (!(cause instanceof Error)) throw cause;
      place.sizes.delete(request.origin); // It says itself where it stands.
      log.warn("registry.witness-failed", { witness: place.witnesses[0]?.name, reason: cause.message });
      return [];
    });
    place.busy = asked;
    return asked;
  }

  /** What has signed already: the zone itself, in the request. */
  async function timesOf(request: CosignRequest): Promise<Map<string, number>> {
    const note = parseNote(request.note);
    const times = new Map<string, number>();
    for (const { name, key } of policy.witnesses) {
      const judged = await verifySignatureOf(note, key, { verifyMlDsa44 });
      if (judged?.time) times.set(name, judged.time);
    }
    return times;
  }

  return async (request) => {
    const times = await timesOf(request);
    const lines: string[] = [];
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const { signal } = request;
    if (signal.aborted) return [];
    const giveUp = (): void => resolve();
    signal.addEventListener("abort", giveUp, { once: true });
    const all = places.map(async (place) => {
      for (const { line, witness, time } of await askInTurn(place, request)) {
        lines.push(line);
        times.set(witness, time);
      }
      if (quorumTime(policy, times) !== null) setTimeout(resolve, STRAGGLERS_MS);
    });
    void Promise.all(all).then(() => resolve(), resolve);
    await enough;
    signal.removeEventListener("abort", giveUp); // It is the log's own, for as long as that lives.
    return [...lines];
  };
}
