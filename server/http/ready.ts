/**
 * Answers that everybody gets: kept as they go out, and given again as long as the pod stands where it stood when they were
 * made. An answer is made, and its access decided, in one snapshot; at the same generation both would come out the same, and
 * a pod's generation never goes back, not even when a backup takes its place.
 */
import { Lru } from "../lru.ts";
import type { Operation, Result } from "../operation.ts";

const BYTES_MAX = 16 * 1024 * 1024;
/** Of larger ones the socket is what costs. */
const ANSWER_BYTES_MAX = 256 * 1024;
const HEADER_BYTES = 2_048; // About what an answer takes beside its content.

/** Header fields that no answer to a GET hangs on, but by `accept`, which is in the key. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  [
    "accept accept-encoding accept-language cache-control connection dnt host keep-alive pragma priority referer",
    "sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-gpc te traceparent user-agent",
    "via x-correlation-id x-forwarded-for x-forwarded-host x-forwarded-proto x-request-id",
  ].flatMap((names) => names.split(" ")),
);

interface Ready {
  readonly pod: object;
  readonly generation: number;
  readonly result: Result;
}

export interface ReadyAnswers {
  /** Null for a request whose answer hangs on who asks, or on more than its address and what it accepts. */
  keyOf(operation: Operation): string | null;
  has(key: string): boolean;
  /** @param pod Its present record. @param generation Of the snapshot on which the request would be answered. */
  find(key: string, pod: object, generation: number): Result | null;
  /**
   * @param result What the public may see. Its headers are frozen from here on.
   * @returns the same answer, to be given out.
   */
  keep(key: string, pod: object, generation: number, result: Result): Result;
}

export function createReadyAnswers(): ReadyAnswers {
  const kept = new Lru<string, Ready>(BYTES_MAX);
  return {
    keyOf({ method, agent, query, headers, url }) {
      if (method !== "GET" || agent.webid !== null || agent.origin !== null || query !== "") return null;
      for (const name in headers) if (!WITHOUT_EFFECT.has(name)) return null;
      return `${url} ${headers.accept ?? ""}`;
    },
    has: (key) => kept.get(key) !== undefined,
    find(key, pod, generation) {
      const found = kept.get(key);
      if (found?.pod === pod && found.generation === generation) return found.result;
      kept.delete(key);
      return null;
    },
    keep(key, pod, generation, result) {
      const { status, headers, body } = result;
      if (status !== 200 || !(body instanceof Uint8Array) || body.length > ANSWER_BYTES_MAX) return result;
      const ready = { ...result, headers: Object.freeze({ ...headers }) };
      kept.set(key, { pod, generation, result: ready }, body.length + HEADER_BYTES + 2 * key.length);
      return ready;
    },
  };
}
