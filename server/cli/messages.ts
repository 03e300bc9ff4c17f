/** What goes over the operator's socket: one request, then one JSON line for each of these. */
import { OperatorError, Problem } from "../errors.ts";
import { PROBLEMS } from "../problems.ts";
import type { Progress, TaskResult } from "./task.ts";

/** What went wrong, for a person: what, why, and what to do next. */
export interface Refusal {
  readonly what: string;
  readonly why?: string;
  readonly next?: string;
  readonly exit: number;
}

export type Message =
  | { readonly progress: Progress }
  | { readonly result: TaskResult }
  | { readonly problem: Refusal };

export const EXIT = { failed: 1, usage: 2, config: 3, refused: 4 } as const;

/** @returns null for what is our own mistake: whoever called shows or logs it whole. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof OperatorError) return { what: error.message, exit: EXIT.refused };
  if (error instanceof Problem) {
    const { title, next } = PROBLEMS[error.code];
    const why = [error.detail, ...error.errors.map(({ detail, at }) => (at ? `${at}: ${detail}` : detail))]
      .filter((part) => part !== undefined)
      .join("; ");
    return { what: title, ...(why && { why }), next, exit: EXIT.refused };
  }
  const { syscall, message } = error as NodeJS.ErrnoException;
  return syscall === undefined
    ? null
    : { what: `The operating system refused: ${message}`, exit: EXIT.refused };
}

/** Names of files and in archives may be anybody's: what would steer a terminal, or turn its letters around, is shown as "?". */
export const shown = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what this replaces
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "?");

/** A refusal's lines for a person. */
export function refusalInWords({ what, why, next }: Refusal): string {
  const lines = [why ? `${what}: ${why}` : what, ...(next ? [`What to do: ${next}`] : [])];
  return shown(lines.join("\n"));
}
