/** One kind of error, to `switch` on by `code`; it always carries what the server gave as its reason. */

/** One thing that is wrong with a request, as the server told it. */
export interface ErrorDetail {
  readonly detail: string;
  readonly at?: string;
}

/** What a {@link FreeholdError} is made of. */
export interface ErrorFacts {
  readonly status?: number;
  readonly title?: string;
  readonly detail?: string | undefined;
  readonly next?: string;
  readonly url?: string;
  readonly errors?: readonly ErrorDetail[];
  /** All members of the problem document, also those that no other field has. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** For how long the server asked to be left alone. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * What went wrong. `code` is the server's own (`forbidden`, `shape-violation`, …: the page of problems lists them), or
 * one of: `unreachable`, `http-<status>`, `answer-invalid`, `passport-invalid`, `passport-deactivated`, `passport-held`,
 * `root-changed`, `log-forked`, `pod-unknown`, `owner-locked-out`, `login-failed`, `input-invalid`, `receipt-invalid`, `receipt-refused`, `vendor-unknown`.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export class FreeholdError extends Error {
  override readonly name = "FreeholdError";
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** What happened, the same for every occurrence. */
  readonly title: string;
  /** What happened this time. */
  readonly detail: string | undefined;
  /** What to do next. */
  readonly next: string | undefined;
  readonly url: string | undefined;
  readonly errors: readonly ErrorDetail[];
  readonly members: Readonly<Record<string, unknown>>;
  /** For how long the server asked to be left alone; undefined when it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, title: string, facts: ErrorFacts = {}) {
    const { status = 0, detail, next, url, errors = [], members = {}, retryAfterMs, cause } = facts;
    super(detail ? `${title}: ${detail}` : title, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.next = next;
    this.url = url;
    this.errors = errors;
    this.members = members;
    this.retryAfterMs = retryAfterMs;
  }
}

const REASON_CHARACTERS_MAX = 65_536; // A reason is a sentence; a server that sends more is not read to its end.

const textOr = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

function details(value: unknown): readonly ErrorDetail[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is ErrorDetail => typeof (one as ErrorDetail | null)?.detail === "string");
}

function readProblem(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

/** `…#shape-violation` → `shape-violation`; `…/did#NOT_FOUND` → `not-found`. */
function codeOf(type: unknown, status: number): string {
  const name = typeof type === "string" ? /[#/]([A-Za-z][A-Za-z0-9_-]*)$/.exec(type)?.[1] : undefined;
  return name?.toLowerCase().replaceAll("_", "-") ?? `http-${status}`;
}

/** Reads at most the first part of an answer. */
async function startOf(response: Response): Promise<string> {
  if (!response.body) return "";
  const reader = response.body.getReader(); // Not every browser iterates over a body.
  const decoder = new TextDecoder();
  let text = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    text += decoder.decode(next.value, { stream: true });
    if (text.length > REASON_CHARACTERS_MAX) {
      await reader.cancel();
      break;
    }
  }
  return text;
}

/** The error that an answer other than 2xx stands for. Reads its content. */
export async function errorOf(response: Response): Promise<FreeholdError> {
  const { status, url } = response;
  const text = await startOf(response).catch(() => "");
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const members = isJson ? readProblem(text) : {};
  const next = textOr(members.next);
  const plain =
    isJson || /html/.test(response.headers.get("content-type") ?? "")
      ? undefined
      : textOr(text.slice(0, 500));
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN); // A date is not believed: clocks differ.
  const title = textOr(members.title) ?? (response.statusText || `The server answered ${status}`);
  return new FreeholdError(codeOf(members.type, status), title, {
    status,
    url,
    detail: textOr(members.detail) ?? textOr(members.error_description) ?? plain,
    ...(next !== undefined && { next }),
    errors: details(members.errors),
    members,
    ...(seconds >= 0 && { retryAfterMs: seconds * 1_000 }),
  });
}

/** As the platform's own; `login` and Solid sessions give one that says who asks. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** Fetches, and throws a {@link FreeholdError} unless the answer is 2xx or one of `fine`. */
export async function fetchOk(
  fetch: Fetch,
  url: string,
  init: RequestInit = {},
  fine: readonly number[] = [],
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (cause instanceof FreeholdError || (cause as Error | null)?.name === "AbortError") throw cause;
    throw new FreeholdError("unreachable", "The server could not be reached", {
      url,
      detail: (cause as Error | null)?.message,
      cause,
    });
  }
  if (response.ok || fine.includes(response.status)) return response;
  throw await errorOf(response);
}
