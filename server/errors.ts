import type { Problems } from "./problems.ts";
import { PROBLEMS } from "./problems.ts";

export type ProblemCode = keyof Problems;

/** One thing that is wrong with the request, for a machine and for a person. */
export interface ProblemDetail {
  readonly detail: string;
  /** Where: a JSON pointer, a path of a shape, or `line:column`. */
  readonly at?: string;
}

/** The same findings in formats that some clients understand better than a problem document. */
export interface Alternatives {
  readonly contentTypes: readonly string[];
  /** @param contentType One of `contentTypes`. */
  readonly write: (contentType: string) => Promise<Uint8Array>;
}

export interface ProblemOptions extends ErrorOptions {
  /** Several findings, shown as `errors[]`. */
  readonly errors?: readonly ProblemDetail[];
  /** Response headers that belong to the answer, e.g. `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Extension members of the problem document (RFC 9457 section 3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Sent instead of the problem document to a client whose Accept prefers one of its formats. */
  readonly alternatives?: Alternatives;
}

/**
 * What a client should know: thrown anywhere, turned into RFC 9457 in one place (`http/respond.ts`).
 * @throws never; it is thrown.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string | undefined;
  readonly errors: readonly ProblemDetail[];
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;
  readonly alternatives: Alternatives | undefined;

  constructor(code: ProblemCode, detail?: string, options: ProblemOptions = {}) {
    super(
      detail ? `${code}: ${detail}` : code,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.detail = detail;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
    this.alternatives = options.alternatives;
  }
}

/** The same refusal with further headers in its answer; a Link is added to those it has. */
export function withHeaders(problem: Problem, headers: Readonly<Record<string, string>>): Problem {
  const link = [problem.headers["link"], headers["link"]].filter((value) => value !== undefined);
  return new Problem(problem.code, problem.detail, {
    cause: problem.cause,
    errors: problem.errors,
    members: problem.members,
    headers: { ...problem.headers, ...headers, ...(link.length > 0 && { link: link.join(", ") }) },
    ...(problem.alternatives && { alternatives: problem.alternatives }),
  });
}

/**
 * What whoever runs the server must mend before it can go on: the message is a paragraph that says what is wrong and
 * what to do. `main.ts` prints it, without a stack.
 */
export class OperatorError extends Error {
  override readonly name: string = "OperatorError";
}
