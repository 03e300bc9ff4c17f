/** What the pages send, made into values with types; everything wrong with it is named at once. */
import { readJson } from "../body.ts";
import { Problem, type ProblemDetail } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { DoorRequest } from "../operation.ts";

/** Collects what is wrong while a request is read, so that a person can correct all of it in one go. */
export interface Input {
  /** @returns the trimmed text; "" when it is missing, which is noted unless `least` is 0. */
  text(field: string, least: number, most: number): string;
  /** @returns a moment in ms since 1970 for an ISO date, or null when the field is missing or null. */
  moment(field: string): number | null;
  choice<T extends string>(field: string, choices: readonly T[]): T | null;
  list(field: string): readonly unknown[];
  flag(field: string): boolean;
  /** As sent: for what another part checks. */
  raw(field: string): unknown;
  fault(field: string, detail: string): void;
  /** @throws Problem `input-invalid` naming every fault noted so far. */
  done(): void;
}

// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const CONTROL = /[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

function createInput(fields: Readonly<Record<string, unknown>>): Input {
  const faults: ProblemDetail[] = [];
  const fault = (field: string, detail: string): void => void faults.push({ detail, at: `/${field}` });
  return {
    text(field, least, most) {
      const value = fields[field] ?? "";
      const text = typeof value === "string" ? value.trim().normalize("NFC") : "";
      if (typeof value !== "string") fault(field, "Send text");
      else if (text.length < least)
        fault(field, least === 1 ? "Please fill this in" : `Use at least ${least} characters`);
      else if (text.length > most) fault(field, `Use at most ${most} characters`);
      else if (CONTROL.test(text) || !text.isWellFormed())
        fault(field, "Use letters, digits, spaces and signs only");
      else return text;
      return "";
    },
    moment(field) {
      const value = fields[field] ?? null;
      if (value === null) return null;
      const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
      if (Number.isNaN(at)) fault(field, "Send a date such as 2027-01-31");
      return at;
    },
    choice(field, choices) {
      const found = choices.find((choice) => choice === fields[field]);
      if (found === undefined) fault(field, `Send one of ${choices.join(", ")}`);
      return found ?? null;
    },
    list(field) {
      const value = fields[field] ?? [];
      if (Array.isArray(value)) return value;
      fault(field, "Send a list");
      return [];
    },
    flag: (field) => fields[field] === true,
    raw: (field) => fields[field],
    fault,
    done() {
      if (faults.length > 0)
        throw new Problem("input-invalid", faults.map(({ detail }) => detail).join(". "), { errors: faults });
    },
  };
}

/** @throws Problem `unsupported-media-type`, `input-invalid`, `body-too-large` */
export async function readInput(request: DoorRequest, limits: Limits): Promise<Input> {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new Problem("unsupported-media-type", "Send application/json");
  return createInput(await readJson(request.body, limits.accountBodyBytesMax));
}
