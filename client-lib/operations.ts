/** Sending operations to a registry, and what became of them. Nothing is believed of the answers but that somebody gave them. */
import { type Fetch, FreeholdError, fetchOk } from "./errors.ts";
import { isObject } from "./passport/form.ts";
import type { PassportId } from "./passport/identifier.ts";
import { JsonError, parseStrictJson } from "./passport/json.ts";
import type { OperationType, Signed } from "./passport/operation.ts";
import { PassportError } from "./passport/verify.ts";
import type { Bundle } from "./registry/model.ts";
import { readBounded } from "./registry/read.ts";
import { baseOf } from "./registry/trust.ts";

/** What a registry says of an operation. What it says of a passport is to be verified; `resolve` does. */
export type Standing =
  | { readonly state: "effective" }
  /** `until`: when it begins to count, unless it is vetoed before. */
  | { readonly state: "pending"; readonly until: Date }
  | { readonly state: "vetoed" | "superseded" | "refused"; readonly reason: string };

/** An operation that waits, and that its owner may veto until it counts. */
export interface WaitingOperation {
  /** Names it in a veto. */
  readonly hash: string;
  readonly type: OperationType;
  readonly until: Date;
}

export interface RegistryOptions {
  readonly fetch?: Fetch;
  readonly signal?: AbortSignal;
}

const ANSWER_BYTES_MAX = 256 * 1024; // A checkpoint with many cosignatures; more is an attack.

async function readAnswer(response: Response): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value = parseStrictJson(await readBounded(response, ANSWER_BYTES_MAX, "answer"), 24);
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof JsonError || error instanceof PassportError)) throw error;
  }
  throw new FreeholdError("answer-invalid", "The registry's answer cannot be read", { url: response.url });
}

const dateOf = (value: unknown): Date | null => {
  const date = new Date(typeof value === "string" || typeof value === "number" ? value : Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
};

function standingIn(value: Readonly<Record<string, unknown>>, url: string): Standing {
  const { state, effectiveAt, reason } = value;
  if (state === "effective") return { state };
  const until = dateOf(effectiveAt);
  if (state === "pending" && until) return { state, until };
  if (state === "vetoed" || state === "superseded" || state === "refused")
    return { state, reason: typeof reason === "string" ? reason : "" };
  throw new FreeholdError("answer-invalid", "The registry's answer cannot be read", { url });
}

const posting = (value: unknown, { signal }: RegistryOptions): RequestInit => ({
  method: "POST",
  body: JSON.stringify(value),
  headers: { "content-type": "application/json", accept: "application/json" },
  ...(signal && { signal }),
});

const asking = ({ signal }: RegistryOptions): RequestInit => ({
  headers: { accept: "application/json" },
  ...(signal && { signal }),
});

/**
 * Sends an operation. It may be sent again: a registry takes the same one once.
 * @param registry Base address of the zone's registry.
 * @throws FreeholdError `operation-invalid` with the rule in `members`, `conflict` with the present sequence numbers,
 * `too-many-requests`, `unavailable`, `unreachable`: after the last two it may have been taken all the same.
 */
export async function sendOperation(
  registry: string,
  signed: Signed,
  options: RegistryOptions = {},
): Promise<Standing> {
  const url = `${baseOf(registry)}v1/ops`;
  const response = await fetchOk(options.fetch ?? globalThis.fetch, url, posting(signed, options));
  return standingIn(await readAnswer(response), url);
}

/** @returns null for an operation that was never taken there. */
export async function standingOf(
  registry: string,
  hash: string,
  options: RegistryOptions = {},
): Promise<Standing | null> {
  const url = `${baseOf(registry)}v1/ops/${hash}`;
  const response = await fetchOk(options.fetch ?? globalThis.fetch, url, asking(options), [404]);
  if (response.ok) return standingIn(await readAnswer(response), url);
  await response.body?.cancel();
  return null;
}

/** What waits for a passport, whoever has sent it. @returns null where nothing does. */
export async function waitingOperation(
  registry: string,
  id: PassportId,
  options: RegistryOptions = {},
): Promise<WaitingOperation | null> {
  const url = `${baseOf(registry)}rdap/entity/${id}`;
  const init = { ...asking(options), headers: { accept: "application/rdap+json" } };
  const { dcann_pending: pending } = await readAnswer(
    await fetchOk(options.fetch ?? globalThis.fetch, url, init),
  );
  if (!isObject(pending)) return null;
  const { hash, type } = pending;
  const until = dateOf(pending["effectiveAt"]);
  if (typeof hash === "string" && typeof type === "string" && until)
    return { hash, type: type as OperationType, until };
  throw new FreeholdError("answer-invalid", "The registry's answer cannot be read", { url });
}

const ENDED = ["vetoed", "superseded", "refused"] as const;

/** What the root says of a port, as standings of operations are said. */
function portStanding(value: Readonly<Record<string, unknown>>, url: string): Standing {
  const standing = isObject(value["standing"]) ? value["standing"] : {};
  const { state, reason } = standing;
  const until = dateOf(value["effectiveAt"]);
  if (state === "ordered") return { state: "effective" };
  if (state === "waiting" && until) return { state: "pending", until };
  const ended = ENDED.find((one) => one === state);
  if (ended) return { state: ended, reason: typeof reason === "string" ? reason : "" };
  throw new FreeholdError("answer-invalid", "The root's answer cannot be read", { url });
}

/**
 * Asks a zone to take a passport in. The zone sponsors the port and sends it to the root, which orders it after five days.
 * @param registry Of the zone that the port leads to.
 * @param bundle The passport as its present zone proves it.
 * @throws FreeholdError as {@link sendOperation}.
 */
export async function requestPort(
  registry: string,
  port: Signed,
  bundle: Bundle,
  options: RegistryOptions = {},
): Promise<Standing> {
  const url = `${baseOf(registry)}v1/ports`;
  const request = posting({ operations: [port], bundle }, options);
  return portStanding(await readAnswer(await fetchOk(options.fetch ?? globalThis.fetch, url, request)), url);
}

/** @param root Base address of the root. @returns null for a port that the root knows nothing of. */
export async function portStandingOf(
  root: string,
  hash: string,
  options: RegistryOptions = {},
): Promise<Standing | null> {
  const url = `${baseOf(root)}v1/ports/${hash}`;
  const response = await fetchOk(options.fetch ?? globalThis.fetch, url, asking(options), [404]);
  if (response.ok) return portStanding(await readAnswer(response), url);
  await response.body?.cancel();
  return null;
}

/** Vetoes a port at the root, where the zone that is left does not pass it on. @throws FreeholdError */
export async function vetoPort(root: string, veto: Signed, options: RegistryOptions = {}): Promise<void> {
  const url = `${baseOf(root)}v1/ports/veto`;
  const response = await fetchOk(options.fetch ?? globalThis.fetch, url, posting(veto, options));
  await response.body?.cancel();
}
