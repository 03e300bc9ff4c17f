/**
 * Requests to the root, to zones and to mirrors: addresses that the root's record names, so that nobody outside chooses them.
 * Every answer has a size and a time.
 */
import { isObject, parseStrictJson } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

export interface WireOptions {
  /** The answer may be this long. */
  readonly bytesMax?: number;
  readonly msMax?: number;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const BYTES_MAX = 256 * 1024; // A bundle with a post-quantum checkpoint is a tenth of it.
const DEPTH_MAX = 24;
const MS_MAX = 10_000; // Whoever takes longer is as good as away; the next round asks again.

/** What another server said no with. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  /** Last part of the problem's type. */
  readonly code: string;
  readonly detail: string | undefined;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(status: number, members: Readonly<Record<string, unknown>>) {
    const { type, detail, title } = members;
    const code =
      (typeof type === "string" && /[#/]([A-Za-z][A-Za-z0-9_-]*)$/.exec(type)?.[1]) || `http-${status}`;
    const said = typeof detail === "string" ? detail : typeof title === "string" ? title : undefined;
    super(`${code}${said ? `: ${said}` : ""}`);
    this.status = status;
    this.code = code.toLowerCase().replaceAll("_", "-");
    this.detail = said;
    this.members = members;
  }
}

async function readBounded(response: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`The answer has more than ${bytesMax} bytes`); // Leaving the loop ends the request.
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @returns the answer, unread. @throws Refused for every no, Error when nobody answers. */
export async function request(
  fetch: Fetch,
  url: string,
  init: { readonly method?: string; readonly body?: string } = {},
  { msMax = MS_MAX, signal, headers = {} }: WireOptions = {},
): Promise<Response> {
  const timeout = AbortSignal.timeout(msMax);
  const response = await fetch(url, {
    redirect: "manual", // Where a zone has moved to, the root's record says.
    ...init,
    headers: { ...(init.body !== undefined && { "content-type": "application/json" }), ...headers },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  if (response.ok) return response;
  const text = await readBounded(response, BYTES_MAX).then(
    (bytes) => Buffer.from(bytes).toString("utf8"),
    () => "",
  );
  let members: unknown = null;
  try {
    members = JSON.parse(text);
  } catch {} // A reason that is no JSON is none.
  throw new Refused(response.status, isObject(members) ? members : {});
}

/** @returns null for 404. */
export async function getBytes(
  fetch: Fetch,
  url: string,
  options: WireOptions = {},
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const response = await request(fetch, url, {}, options);
    return new Uint8Array(await readBounded(response, options.bytesMax ?? BYTES_MAX));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

/** @throws Refused for 404, too: its problem document may prove that there is nothing. */
export async function getText(fetch: Fetch, url: string, options: WireOptions = {}): Promise<string> {
  const response = await request(fetch, url, {}, options);
  return Buffer.from(await readBounded(response, options.bytesMax ?? BYTES_MAX)).toString("utf8");
}

/** @returns the answer's JSON; null where it has no content. */
export async function postJson(
  fetch: Fetch,
  url: string,
  value: unknown,
  options: WireOptions = {},
): Promise<unknown> {
  const response = await request(fetch, url, { method: "POST", body: JSON.stringify(value) }, options);
  const bytes = await readBounded(response, options.bytesMax ?? BYTES_MAX);
  return bytes.length === 0 ? null : parseStrictJson(Buffer.from(bytes).toString("utf8"), DEPTH_MAX);
}

/**
 * Asks one address after the other until one answers.
 * @throws Problem `unavailable` when none does.
 */
export async function firstOf<T>(urls: readonly string[], ask: (url: string) => Promise<T>): Promise<T> {
  let cause: unknown;
  for (const url of urls) {
    try {
      return await ask(url);
    } catch (error) {
      cause = error;
    }
  }
  throw new Problem("unavailable", "None of the addresses answers", { cause });
}
