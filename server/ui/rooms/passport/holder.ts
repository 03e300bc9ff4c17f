/** A passport's owner at work in a browser: the keys of a recovery file sign here, and only what is signed is sent. */
import { findAnswer, sendOperation, type WaitingOperation, waitingOperation } from "@freehold/client";
import {
  type DataOperation,
  exportRecoveryFile,
  FreeholdError,
  hashOfKey,
  type ImportedFile,
  importRecoveryFile,
  isDataInForce,
  type KeyPair,
  lockPassport,
  makeData,
  type PassportId,
  type PassportKeys,
  type PassportState,
  readId,
  recoverPassport,
  rotatePassport,
  type Signed,
  signOperation,
  unlockPassport,
  type VerifiedAnswer,
  vetoPassport,
} from "@freehold/client/registry";
import { Refusal } from "../../parts/ask.ts";
import type { Proved } from "./card.ts";

type Present = Extract<VerifiedAnswer, { readonly kind: "present" }>;

/** What has become of something that was sent: it counts, or waits until then and can be ended so long. */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "waits"; readonly until: number }
  | { readonly kind: "ended"; readonly why: string };

/** New keys that nobody knows of yet. */
export interface NewKeys {
  /** Recovery file with the keys of before and after: to be kept before anything is sent. */
  readonly both: string;
  /** Recovery file for when the new keys count. */
  readonly file: string;
  readonly signed: Signed;
}

/** What the keys of a file can do for a passport as it is today. */
export type Power = "all" | "recover" | "none";

export interface Host {
  readonly delegateKey: string;
  readonly registrar: string;
}

/** What was true a minute ago is no use to somebody who has just changed it: browsers keep answers for that long. */
const anew: typeof fetch = (input, init) => fetch(input, { ...init, cache: "no-cache" });

const RULES: Readonly<Record<string, readonly [title: string, next: string]>> = {
  young: [
    "The locks of a new passport stay closed for 30 days",
    "Nothing is lost: wait until then. Whoever steals a young passport cannot carry it off.",
  ],
  "recover-again": [
    "A recovery of this passport was ended a short while ago",
    "Wait until its owner has had the time to choose other guardians.",
  ],
};

/** What a registry says no to, in words for whoever asked. */
export function refusalOfStep(error: unknown): unknown {
  if (!(error instanceof FreeholdError) && !(error instanceof Refusal)) return error;
  if (error.code === "conflict" && error instanceof Refusal)
    return new Refusal(
      error.code,
      "This passport cannot come here",
      error.detail,
      "Where it belongs to another pod of this server, sign in to that pod instead.",
    );
  if (error.code !== "operation-invalid") return error;
  const { rule } = error instanceof FreeholdError ? error.members : {};
  const [title, next] = (typeof rule === "string" ? RULES[rule] : null) ?? [
    "The registry did not take this step",
    "Nothing has changed. Look whether something waits already, and choose the newest recovery file.",
  ];
  return new Refusal(error.code, title, "", next);
}

/** @throws Refusal for a text that is no number of a passport. */
export function idOf(text: string): PassportId {
  const reading = readId(text);
  if (reading.kind === "broken")
    throw new Refusal("number", "This is no passport number", "", "Compare it with your recovery sheet.");
  return reading.id;
}

/** @throws Refusal for what is no whole recovery file. */
export async function openFile(text: string): Promise<ImportedFile> {
  return importRecoveryFile(text).catch((error: unknown) => {
    throw new Refusal(
      "file",
      "This is not a whole recovery file",
      error instanceof Error ? error.message : "",
      "Choose the file that you downloaded when your pod was set up, or when you last changed the keys.",
    );
  });
}

/** The passport as it is now, asked for and verified here. @throws Refusal, FreeholdError. */
export async function look(registry: string, id: PassportId): Promise<Present> {
  const answer = await findAnswer(id, { resolvers: [registry], fetch: anew });
  if (answer.kind === "present") return answer;
  throw new Refusal(
    "gone",
    "There is no such passport any more",
    "The registry has proved it",
    "It was erased, or its number is not the one of this file.",
  );
}

export function provedOf({ zone, passport, epoch, isDeactivated, hold }: Present): Proved {
  const { state, data } = passport;
  return {
    zone,
    registrar: state.head.registrar,
    locks: state.head.locks,
    isResting: isDeactivated,
    isHeld: hold !== null,
    operations: state.head.seq + 1,
    size: epoch.size,
    at: epoch.at,
    witnesses: epoch.witnesses,
    leadsTo: data?.storage.map(({ url }) => url) ?? [],
  };
}

export const waitingFor = (registry: string, id: PassportId): Promise<WaitingOperation | null> =>
  waitingOperation(registry, id, { fetch: anew });

function keysOfToday({ keys, later }: ImportedFile, { head }: PassportState): PassportKeys | null {
  const speaks = (some: PassportKeys | null): boolean =>
    some !== null &&
    some.authority.filter(({ key }) => head.auth.keys.includes(key)).length >= head.auth.threshold;
  return speaks(keys) ? keys : speaks(later) ? later : null;
}

export async function powerOf(imported: ImportedFile, { passport: { state } }: Present): Promise<Power> {
  if (keysOfToday(imported, state)) return "all";
  const hashes = await Promise.all(imported.keys.recovery.map(({ key }) => hashOfKey(key)));
  const known = hashes.filter((hash) => state.head.recovery.hashes.includes(hash));
  return known.length >= state.head.recovery.threshold ? "recover" : "none";
}

/** @throws Refusal where the file is older than the keys. */
function signersOf(imported: ImportedFile, state: PassportState): readonly KeyPair[] {
  const signers = keysOfToday(imported, state)?.authority.filter(({ key }) =>
    state.head.auth.keys.includes(key),
  );
  if (signers) return signers;
  throw new Refusal(
    "keys",
    "The keys in this file were changed since",
    "",
    "Choose the newest recovery file. Without one, get the passport back with the recovery keys.",
  );
}

/** Sends what is signed; sent twice, it is taken once. @throws FreeholdError */
export async function send(registry: string, signed: Signed): Promise<Outcome> {
  const standing = await sendOperation(registry, signed);
  if (standing.state === "effective") return { kind: "done" };
  if (standing.state === "pending") return { kind: "waits", until: standing.until.getTime() };
  return { kind: "ended", why: standing.reason };
}

export async function setLocks(
  registry: string,
  imported: ImportedFile,
  isClosed: boolean,
): Promise<Outcome> {
  const { state } = (await look(registry, imported.file.passport)).passport;
  const signers = signersOf(imported, state);
  return send(registry, await (isClosed ? lockPassport : unlockPassport)(state, signers));
}

/** Ends what waits, whoever began it. */
export async function endWaiting(registry: string, imported: ImportedFile, hash: string): Promise<Outcome> {
  const { state } = (await look(registry, imported.file.passport)).passport;
  return send(registry, await vetoPassport(state, signersOf(imported, state), hash));
}

/**
 * Makes new keys and sends nothing.
 * @param power `recover`: by the recovery keys alone, which waits.
 * @param host That hosts the passport from then on; the one of today stays without.
 */
export async function makeNewKeys(
  registry: string,
  imported: ImportedFile,
  power: "all" | "recover",
  host?: Host,
): Promise<NewKeys> {
  const { state } = (await look(registry, imported.file.passport)).passport;
  const now = new Date();
  if (power === "recover") {
    const { recoverOp, both, file } = await recoverPassport(state, imported.keys, now, host);
    return { signed: recoverOp, both: exportRecoveryFile(both), file: exportRecoveryFile(file) };
  }
  const keys = keysOfToday(imported, state);
  const promised = await Promise.all((keys?.next ?? []).map(({ key }) => hashOfKey(key)));
  if (!keys || !promised.some((hash) => state.head.next.hashes.includes(hash)))
    throw new Refusal(
      "keys",
      "This file has none of the keys that were promised as the next ones",
      "",
      "Choose the newest recovery file.",
    );
  const { rotateOp, both, file } = await rotatePassport(state, keys, now, host);
  return { signed: rotateOp, both: exportRecoveryFile(both), file: exportRecoveryFile(file) };
}

/**
 * After a change of keys the host says again where the passport leads, if it may; else its owner does, here.
 * @param before What it said until then.
 */
export async function speakAgain(
  registry: string,
  fileText: string,
  before: DataOperation | null,
): Promise<void> {
  if (!before || before.storage.length === 0) return;
  const imported = await openFile(fileText);
  const { state, data } = (await look(registry, imported.file.passport)).passport;
  if (data !== null && isDataInForce(state, data)) return; // The host was quicker.
  const { webid, oidc, storage, moved, ttl } = before;
  const keys = state.head.auth.keys.map((key, place) => ({
    id: place === 0 ? "#sign" : `#sign-${place + 1}`,
    key,
    for: ["authentication" as const, "assertionMethod" as const],
  }));
  const op = makeData({
    id: state.id,
    aseq: state.head.seq,
    dseq: Math.max(state.dseq, before.dseq) + 1,
    webid,
    oidc,
    storage,
    moved,
    keys,
    ttl,
  });
  await send(registry, await signOperation(op, state.head.auth, signersOf(imported, state))).catch(
    (error: unknown) => {
      // The host spoke meanwhile.
      if (!(error instanceof FreeholdError) || error.code !== "conflict") throw error;
    },
  );
}

/** What a passport says of itself today, to be said again under other keys. */
export const saysNow = async (registry: string, imported: ImportedFile): Promise<DataOperation | null> =>
  (await look(registry, imported.file.passport)).passport.data;
