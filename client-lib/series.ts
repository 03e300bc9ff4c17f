/** Time series of a pod: what meters observe goes in by the batch, and comes out by time. */
import { jsonOf, piecesOf } from "./content.ts";
import { FreeholdError, fetchOk } from "./errors.ts";
import type { Pod } from "./pod.ts";

/** What one sensor measured at one time, to be recorded. */
export interface Observation {
  /** With a time zone; a Date has one. */
  readonly time: string | Date;
  readonly value: number;
  /** Addresses; left out where the stream's description says them. */
  readonly sensor?: string;
  readonly property?: string;
}

/** The same as it was recorded. */
export interface Observed {
  /** ISO 8601, with its time zone. */
  readonly time: string;
  readonly value: number;
  readonly sensor: string;
  readonly property: string;
}

/** All that was observed in one stretch of time, which begins at `time`. */
export interface Summary extends Omit<Observed, "value"> {
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** Which observations: all, where nothing is said. */
export interface TimeRange {
  readonly from?: string | Date;
  /** Not included. */
  readonly to?: string | Date;
  readonly sensor?: string;
  readonly property?: string;
  readonly signal?: AbortSignal;
}

/** What streams need of a pod. */
export type Streamed = Pick<Pod, "url" | "at" | "fetch">;

const BATCH = 20_000;

const spelled = (time: string | Date): string => (typeof time === "string" ? time : time.toISOString());

/** @param stream Its folder in the pod. */
function addressOf(pod: Streamed, stream: string): string {
  const folder = pod.at(stream.endsWith("/") ? stream : `${stream}/`);
  return `${pod.url}.series/${folder.slice(pod.url.length)}`;
}

/**
 * Adds observations to a stream, in the order of their time. What is there already is left as it is, so a program that
 * does not know what of its last run arrived sends it again.
 * ```ts
 * await record(pod, "house/power", [{ time: new Date(), value: 21.5, sensor: "urn:meter:1", property: "urn:power" }]);
 * ```
 * @param stream Its folder in the pod.
 * @throws FreeholdError `shape-violation` with each line that does not fit, `conflict` for what is earlier than what the
 * stream has; of that batch nothing is stored then, all before it is.
 */
export async function record(
  pod: Streamed,
  stream: string,
  observations: Iterable<Observation> | AsyncIterable<Observation>,
  { signal }: Pick<TimeRange, "signal"> = {},
): Promise<{ readonly stored: number; readonly repeated: number }> {
  const url = addressOf(pod, stream);
  let [stored, repeated] = [0, 0];
  let lines: string[] = [];
  async function send(): Promise<void> {
    if (lines.length === 0) return;
    const response = await fetchOk(pod.fetch, url, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: lines.join("\n"),
      ...(signal && { signal }),
    });
    const answer = (await jsonOf(response, url)) as { stored?: number; repeated?: number } | null;
    stored += answer?.stored ?? 0;
    repeated += answer?.repeated ?? 0;
    lines = [];
  }
  for await (const { time, ...rest } of observations) {
    lines.push(JSON.stringify({ time: spelled(time), ...rest }));
    if (lines.length === BATCH) await send();
  }
  await send();
  return { stored, repeated };
}

function parsed(line: string, url: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FreeholdError("answer-invalid", "This is not what a stream answers", { url, cause });
  }
}

async function* rows(
  pod: Streamed,
  stream: string,
  { signal, ...range }: TimeRange & { readonly every?: string },
) {
  const url = new URL(addressOf(pod, stream));
  url.searchParams.set("from", "0001-01-01T00:00:00Z");
  for (const [name, value] of Object.entries(range))
    if (value !== undefined) url.searchParams.set(name, spelled(value));
  const response = await fetchOk(pod.fetch, url.href, {
    headers: { accept: "application/x-ndjson" },
    ...(signal && { signal }),
  });
  if (!response.body) return;
  let rest = "";
  for await (const piece of piecesOf(response.body, url.href)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield parsed(line, url.href);
  }
  if (rest !== "") throw new FreeholdError("answer-invalid", "The answer broke off", { url: url.href });
}

/**
 * What was observed, one after the other as it arrives.
 * ```ts
 * for await (const { time, value } of observations(pod, "house/power", { from: "2026-03-01T00:00:00Z" }))
 *   console.log(time, value);
 * ```
 * @param stream Its folder in the pod.
 * @throws FreeholdError while iterating: `forbidden`, `not-found`, …
 */
export async function* observations(
  pod: Streamed,
  stream: string,
  range: TimeRange = {},
): AsyncGenerator<Observed, void, undefined> {
  for await (const row of rows(pod, stream, range)) yield row as Observed;
}

/**
 * What was observed, by the hour, day or month: computed by the server.
 * @param stream Its folder in the pod.
 * @param every How long each stretch is: `PT1H`, `P1D`, `P1M`.
 * @throws FreeholdError `bad-request` for another length, `forbidden`, …
 */
export async function summarise(
  pod: Streamed,
  stream: string,
  every: string,
  range: TimeRange = {},
): Promise<readonly Summary[]> {
  return (await Array.fromAsync(rows(pod, stream, { ...range, every }))) as Summary[];
}
