/** From a passport to the pod it leads to. What a resolver says counts only after it has been verified here. */
import { type Fetch, FreeholdError, fetchOk } from "./errors.ts";
import { type AllowUrl, allowLoopback, allowNone } from "./passport/form.ts";
import { didOf, type PassportDid, type PassportId, readId } from "./passport/identifier.ts";
import type { Move, Storage } from "./passport/operation.ts";
import {
  type Passport,
  PassportError,
  refuseRollback,
  remember,
  type Seen,
  verifyBundle,
} from "./passport/verify.ts";

/** Remembers the newest state seen of each passport, so that nobody can lead back to an older one. */
export interface Memory {
  get(id: PassportId): Promise<Seen | null>;
  set(id: PassportId, seen: Seen): Promise<void>;
}

const REMEMBERED_MAX = 10_000; // The oldest is forgotten first.

/** A memory that lasts as long as it is held. */
export function createMemory(): Memory {
  const seen = new Map<PassportId, Seen>();
  return {
    get: async (id) => seen.get(id) ?? null,
    async set(id, now) {
      const before = seen.get(id);
      // Of two answers at once the older may come last.
      if (before && (before.aseq > now.aseq || (before.aseq === now.aseq && before.dseq > now.dseq))) return;
      seen.delete(id);
      seen.set(id, now);
      for (const oldest of seen.keys()) {
        if (seen.size <= REMEMBERED_MAX) break;
        seen.delete(oldest);
      }
    },
  };
}

/** As long as this program runs; give one that writes to disk to keep it longer. */
const ownMemory = createMemory();

/** Whom to ask where a passport leads. */
export interface ResolveOptions {
  /** Base addresses of resolvers, asked in this order until one gives an answer that holds. */
  readonly resolvers: readonly string[];
  readonly fetch?: Fetch;
  readonly memory?: Memory;
  /** Addresses a passport may name although they are not public; by default those of this machine, if the resolver is here too. */
  readonly allowUrl?: AllowUrl;
  readonly signal?: AbortSignal;
}

/** Where a passport leads, as far as could be verified. */
export interface Resolution {
  readonly id: PassportId;
  readonly did: PassportDid;
  /** Root of the pod. */
  readonly pod: string;
  readonly webid: string | null;
  readonly webids: readonly string[];
  readonly storage: readonly Storage[];
  readonly oidc: string | null;
  readonly moved: readonly Move[];
  readonly passport: Passport;
}

const BUNDLE_BYTES_MAX = 1024 * 1024; // Chain and data of a long life; more is an attack.

/** Stops as soon as it is too much: a lying resolver must not fill the memory. */
async function readBounded(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    bytes += next.value.length;
    if (bytes > BUNDLE_BYTES_MAX) {
      await reader?.cancel();
      throw new PassportError("bundle", "It is too large");
    }
    text += decoder.decode(next.value, { stream: true });
  }
  return text + decoder.decode();
}

async function resolveAt(base: string, id: PassportId, options: ResolveOptions): Promise<Passport> {
  const { fetch = globalThis.fetch, memory = ownMemory, signal } = options;
  const url = new URL(`v1/passports/${id}`, base);
  const allowUrl = options.allowUrl ?? (allowLoopback(url) ? allowLoopback : allowNone);
  const response = await fetchOk(fetch, url.href, {
    headers: { accept: "application/json" },
    ...(signal && { signal }),
  });
  const passport = await verifyBundle(await readBounded(response), id, { allowUrl });
  const seen = await memory.get(id);
  refuseRollback(passport, seen);
  await memory.set(id, remember(passport, seen));
  return passport;
}

function toError(error: unknown, id: PassportId, base: string): FreeholdError {
  if (error instanceof FreeholdError) return error;
  if (!(error instanceof PassportError)) throw error;
  const { rule, detail } = error;
  return new FreeholdError("passport-invalid", "The resolver's answer does not hold", {
    detail: `${detail} (rule ${rule})`,
    next: "Ask another resolver; do not use what this one said.",
    url: base,
    members: { rule, id },
    cause: error,
  });
}

/** What counts if no resolver's answer held: a lie more than a silence, a silence more than "not here". */
const gravity = ({ code, status }: FreeholdError): number =>
  code === "passport-invalid" ? 3 : status === 404 ? 1 : 2;

/**
 * Finds out where a passport leads, and believes nobody in it.
 * @param passport Identifier or DID, in lower or upper case.
 * @throws FreeholdError `input-invalid` for what is no identifier, `passport-invalid` when an answer does not hold or is
 * older than one seen before, `pod-unknown` while a passport leads nowhere, `not-found`, `unreachable`.
 */
export async function resolve(passport: string, options: ResolveOptions): Promise<Resolution> {
  const reading = readId(passport);
  if (reading.kind === "broken")
    throw new FreeholdError("input-invalid", "This is not a passport identifier", { detail: reading.hint });
  const { id } = reading;
  let worst: FreeholdError | null = null;
  for (const base of options.resolvers) {
    try {
      return resolutionOf(await resolveAt(base.endsWith("/") ? base : `${base}/`, id, options));
    } catch (error) {
      const known = toError(error, id, base);
      if (!worst || gravity(known) > gravity(worst)) worst = known;
    }
  }
  throw worst ?? new FreeholdError("input-invalid", "No resolver was named");
}

function resolutionOf(passport: Passport): Resolution {
  const { id, data } = passport;
  const pod = data?.storage[0]?.url;
  if (!data || pod === undefined) {
    throw new FreeholdError("pod-unknown", "The passport leads to no pod at present", {
      next: "Its owner changes hosts: try again later.",
    });
  }
  const { webid: webids, storage, oidc, moved } = data;
  return { id, did: didOf(id), pod, webid: webids[0] ?? null, webids, storage, oidc, moved, passport };
}
