/** When to try again: later each time, never all at once, and not before the receiver wants it. */
import { randomInt } from "node:crypto";
import type { Limits } from "../limits.ts";

const JITTER_STEPS = 1_000;

/** @returns ms from `at` on, 0 for a value that is neither seconds nor a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function retryAfterMs(value: string | undefined, at: number): number {
  if (value === undefined) return 0;
  const text = value.trim();
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - at;
  return Number.isFinite(wait) ? Math.max(0, wait) : 0;
}

/**
 * @param failures In a row, 1 or more.
 * @param restMs What the receiver asks for.
 * @returns ms
 */
export function waitMs(failures: number, restMs: number, limits: Limits): number {
  const most = Math.min(limits.webhookRetryMsMax, limits.webhookRetryMsMin * 2 ** Math.min(failures - 1, 32));
  const wait = most / 2 + (most / 2) * (randomInt(JITTER_STEPS) / JITTER_STEPS);
  return Math.max(wait, Math.min(restMs, limits.webhookRetryAfterMsMax));
}
