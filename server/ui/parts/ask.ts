/** Asking the server: JSON in, JSON out, and every refusal as something that can be shown to a person. */
import type { FreeholdError } from "@freehold/client";

export interface Fault {
  readonly detail: string;
  /** JSON pointer of the field. */
  readonly at?: string;
}

/** What the server said no to, in its own words: what happened, and what to do next. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** Code of the problem, such as `login-failed`; `offline` when there was no answer. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly next: string;
  readonly faults: readonly Fault[];

  constructor(code: string, title: string, detail: string, next: string, faults: readonly Fault[] = []) {
    super(title);
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.next = next;
    this.faults = faults;
  }

  /** What is wrong with one field; empty when nothing is. */
  of(field: string): string {
    return this.faults.find(({ at }) => at === `/${field}`)?.detail ?? "";
  }
}

interface ProblemDocument {
  readonly type?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly next?: string;
  readonly errors?: readonly Fault[];
}

/** The refusal that an answer stands for. */
export async function refusalOf(response: Response): Promise<Refusal> {
  const problem = ((await response.json().catch(() => ({}))) ?? {}) as ProblemDocument;
  const code = problem.type?.split("#")[1] ?? String(response.status);
  const title = problem.title ?? "The server refused this";
  return new Refusal(
    code,
    title,
    problem.detail ?? "",
    problem.next ?? "Try again in a moment.",
    problem.errors,
  );
}

export function offline(): Refusal {
  return new Refusal(
    "offline",
    "The server does not answer",
    "",
    "Check that it is running and that you are connected, then try again.",
  );
}

/** Whatever was thrown, as something to show. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof Error && "title" in error) {
    const { code, title, detail, next, errors } = error as FreeholdError;
    return new Refusal(code, title, detail ?? "", next ?? "Try again in a moment.", errors);
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new Refusal("page", "Something went wrong on this page", detail, "Reload the page and try again.");
}

/**
 * @param method In capital letters.
 * @throws Refusal
 */
export async function ask<T>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  fields?: Readonly<Record<string, unknown>>,
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: fields
        ? { accept: "application/json", "content-type": "application/json" }
        : { accept: "application/json" },
      ...(fields ? { body: JSON.stringify(fields) } : {}),
    });
  } catch {
    throw offline();
  }
  if (!response.ok) throw await refusalOf(response);
  return (await response.json()) as T;
}
