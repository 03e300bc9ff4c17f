/** The root's record that answers are held against: given, or pinned at the first use of a resolver and followed from there. */
import { type Fetch, FreeholdError, fetchOk } from "../errors.ts";
import { type AllowUrl, allowLoopback, allowNone } from "../passport/form.ts";
import { PassportError } from "../passport/verify.ts";
import { type Memory, ownMemory, type PinnedRoot } from "./memory.ts";
import type { RootRecord } from "./model.ts";
import { readBounded } from "./read.ts";
import { followRootRecord, hashOfRootRecord, ROOT_RECORD_BYTES_MAX } from "./root.ts";

/** Whom answers are held against, and what is remembered of that. */
export interface TrustOptions {
  /** A root's record that is known to be right. Without, the one that a resolver shows first is believed, and held to. */
  readonly trust?: RootRecord;
  readonly memory?: Memory;
  readonly fetch?: Fetch;
  /** Addresses that may be named although they are not public; by default those of this machine, if the resolver is here too. */
  readonly allowUrl?: AllowUrl;
  readonly now?: () => number;
  readonly signal?: AbortSignal;
}

/** For whoever is on the same machine as the resolver, its addresses lead somewhere. */
export const allowedBy = (base: string, { allowUrl }: Pick<TrustOptions, "allowUrl">): AllowUrl =>
  allowUrl ?? (allowLoopback(new URL(base)) ? allowLoopback : allowNone);

const ASKED_AGAIN_MS = 86_400_000; // Zones change a few times a year; what they changed is asked for when an answer does not hold.

const keyOf = async (base: string, trust: RootRecord | undefined): Promise<string> =>
  trust ? `root ${await hashOfRootRecord(trust)}` : base;

/** A record that does not follow from the one that was trusted is the gravest thing a resolver can show. */
function changed(cause: PassportError, base: string, pinned: PinnedRoot | null): FreeholdError {
  const facts = {
    detail: `${cause.detail} (rule ${cause.rule})`,
    url: base,
    members: { rule: cause.rule },
    cause,
  };
  if (!pinned)
    return new FreeholdError(
      "passport-invalid",
      "The resolver shows no sound record of the registry's root",
      {
        ...facts,
        next: "Ask another resolver, or give the root's record yourself.",
      },
    );
  return new FreeholdError("root-changed", "The resolver's root is not the one it was", {
    ...facts,
    next: "Use no answer of it. If its operator told you that the registry was set up anew, forget the former root (forgetRoot, or freehold passport forget); otherwise somebody may stand between you and it.",
  });
}

async function fetchRoot(
  base: string,
  pinned: PinnedRoot | null,
  options: TrustOptions,
): Promise<RootRecord> {
  const { fetch = globalThis.fetch, signal } = options;
  const get = async (query: string): Promise<string> => {
    const url = new URL(`v1/zones${query}`, base).href;
    const init = { headers: { accept: "application/json" }, ...(signal && { signal }) };
    return readBounded(await fetchOk(fetch, url, init), ROOT_RECORD_BYTES_MAX, "root-form");
  };
  try {
    return await followRootRecord(
      pinned?.record ?? null,
      await get(""),
      (version) => get(`?version=${version}`),
      { allowUrl: allowedBy(base, options) },
    );
  } catch (cause) {
    throw cause instanceof PassportError ? changed(cause, base, pinned) : cause;
  }
}

const asking = new WeakMap<Memory, Map<string, Promise<PinnedRoot>>>();

/** Whoever needs the same record at the same time waits for one answer. */
function askOnce(memory: Memory, key: string, ask: () => Promise<PinnedRoot>): Promise<PinnedRoot> {
  const under = asking.get(memory) ?? new Map<string, Promise<PinnedRoot>>();
  asking.set(memory, under);
  const known = under.get(key);
  if (known) return known;
  const asked = ask().finally(() => under.delete(key));
  under.set(key, asked);
  return asked;
}

/**
 * The record to hold a resolver's answers against.
 * @param base Base address of the resolver.
 * @param since Only a record that was asked for after this will do; milliseconds since 1970.
 * @throws FreeholdError `root-changed` when the resolver shows one that does not follow from the one before,
 * `passport-invalid` when the first that it shows does not hold, `unreachable`.
 */
export async function trustOf(base: string, options: TrustOptions = {}, since?: number): Promise<PinnedRoot> {
  const { trust, memory = ownMemory, now = Date.now } = options;
  const key = await keyOf(base, trust);
  const pinned = (await memory.root(key)) ?? (trust ? { record: trust, at: now() } : null);
  if (pinned && pinned.at >= (since ?? now() - ASKED_AGAIN_MS)) return pinned;
  try {
    return await askOnce(memory, key, async () => {
      const at = now();
      const fresh = { record: await fetchRoot(base, pinned, options), at };
      await memory.setRoot(key, fresh);
      return fresh;
    });
  } catch (error) {
    // A resolver that shows no record now is held to the one that is known; one that shows another is not.
    const isSilent = error instanceof FreeholdError && error.code !== "root-changed";
    if (pinned && isSilent) return pinned;
    throw error;
  }
}

/** Forgets the root that a resolver showed: the next one that it shows is believed. For registries that were set up anew. */
export const forgetRoot = (resolver: string, memory: Memory = ownMemory): Promise<void> =>
  memory.setRoot(baseOf(resolver), null);

/** Base addresses end in a slash, so that everything below them is found. */
export const baseOf = (resolver: string): string => (resolver.endsWith("/") ? resolver : `${resolver}/`);
