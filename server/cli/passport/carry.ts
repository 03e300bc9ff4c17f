/** An operation on its way: written down, sent, and settled; at whatever point it breaks off, it can be taken up again. */
import {
  FreeholdError,
  portStandingOf,
  requestPort,
  type Standing,
  sendOperation,
  standingOf,
  trustOf,
  vetoPort,
} from "@freehold/client";
import {
  type Bundle,
  type DataOperation,
  type KeyPair,
  makeData,
  type PassportKey,
  type RecoveryFile,
  type Signed,
  signOperation,
} from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import type { ProgramInput } from "../program.ts";
import { type Holder, isSilent, keysOfToday, type Present, registryOf, signersOf } from "./holder.ts";
import { bringsKeys, type Step, stepOf } from "./kept.ts";
import { standingInWords } from "./words.ts";

const STAGES = 3; // Written down, sent, settled.

/** Nobody can tell whether it was taken: only asking again will. */
const isOpen = ({ status }: FreeholdError): boolean => status === 0 || status === 429 || status >= 500;

const rootOf = async (holder: Holder, present: Present): Promise<string> => {
  const { record } = await trustOf(registryOf(present, holder.options), holder.options);
  const [url] = record.root.urls;
  if (url === undefined) throw new OperatorError("The root has no address. Ask the zone's operator.");
  return url;
};

/** Sends a step; sent twice, it is taken once. */
const send = ({ to, signed, bundle }: Step, signal: AbortSignal): Promise<Standing> =>
  signed.op.t === "port" && bundle
    ? requestPort(to, signed, bundle as Bundle, { signal })
    : sendOperation(to, signed, { signal });

async function settle({ kept, now }: Holder, step: Step, standing: Standing): Promise<void> {
  if (standing.state === "effective") await kept.settle(step, now());
  else if (standing.state !== "pending") await kept.giveUp(step, now());
}

/**
 * Writes the keys and the signed operation down, and only then sends it.
 * @param both The recovery file with the keys of before and after, for operations that bring keys.
 * @throws FreeholdError with what to do; what was not refused stays written down.
 */
export async function carry(
  input: ProgramInput,
  holder: Holder,
  step: Step,
  both?: RecoveryFile,
): Promise<Standing> {
  const { report, signal, say } = input;
  const { kept } = holder;
  const { op } = step.signed;
  if (bringsKeys(op) && kept.steps().some(({ signed }) => bringsKeys(signed.op)))
    throw new OperatorError(
      `Other new keys wait in ${kept.path} already. See what becomes of them (freehold passport resume), or end them (freehold passport veto).`,
    );
  const stage = (done: number): void =>
    report({ stage: `freehold passport: ${op.t}`, done, total: STAGES, unit: "items" });
  stage(0);
  if (both) await kept.write(both);
  await kept.add(step);
  stage(1);
  let standing: Standing;
  try {
    standing = await send(step, signal);
  } catch (error) {
    if (!(error instanceof FreeholdError)) throw error;
    if (!isOpen(error)) {
      await kept.giveUp(step, holder.now());
      throw error;
    }
    const { code, status, title, detail, url, members, retryAfterMs } = error;
    throw new FreeholdError(code, title, {
      status,
      detail,
      members,
      ...(url !== undefined && { url }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      next: `Nothing is lost: keys and operation are written down in ${kept.path}. Run freehold passport resume to go on.`,
      cause: error,
    });
  }
  stage(2);
  await settle(holder, step, standing);
  stage(STAGES);
  for (const line of standingInWords(op.t, step.hash, standing, holder.now().getTime())) say(line);
  // Nothing in an operation tells a second one from the first, and each counts at most once.
  if (standing.state !== "effective" && standing.state !== "pending")
    throw new OperatorError(
      `The registry has had this very ${op.t} before, and it never counted. Change the keys, and then ask again: freehold passport rotate`,
    );
  return standing;
}

/** As {@link carry}, to the passport's own zone. */
export const carryToZone = async (
  input: ProgramInput,
  holder: Holder,
  present: Present,
  signed: Signed,
  both?: RecoveryFile,
): Promise<Standing> => carry(input, holder, await stepOf(registryOf(present, holder.options), signed), both);

async function standingOfStep(holder: Holder, step: Step, signal: AbortSignal): Promise<Standing | null> {
  if (step.signed.op.t !== "port") return standingOf(step.to, step.hash, { signal });
  const { record } = await trustOf(step.to, holder.options);
  for (const root of record.root.urls) {
    const standing = await portStandingOf(root, step.hash, { signal });
    if (standing) return standing;
  }
  return null;
}

/**
 * Takes up whatever was not settled: asks what became of it, sends it if it never arrived, and puts the keys in order.
 * @returns how many operations are still waiting.
 */
export async function resume(input: ProgramInput, holder: Holder): Promise<number> {
  const { say, signal } = input;
  const { kept } = holder;
  let waiting = 0;
  for (const step of kept.steps()) {
    const { op } = step.signed;
    let standing = await standingOfStep(holder, step, signal);
    if (!standing) {
      say(`sent     ${op.t}: the registry had not heard of it`);
      standing = await send(step, signal).catch(async (error: unknown) => {
        if (error instanceof FreeholdError && !isOpen(error)) await kept.giveUp(step, holder.now());
        throw error;
      });
    }
    await settle(holder, step, standing);
    if (standing.state === "pending") waiting += 1;
    for (const line of standingInWords(op.t, step.hash, standing, holder.now().getTime())) say(line);
  }
  return waiting;
}

/** Keys of a lost note: they are in force, and the file still has them as those of later. */
export async function putInOrder(holder: Holder, present: Present): Promise<void> {
  const { kept, id } = holder;
  const imported = kept.imported();
  const { state } = present.passport;
  if (!imported.later || keysOfToday(imported, state) !== imported.later) return;
  const { makeRecoveryFile } = await import("@freehold/client/registry");
  await kept.write(await makeRecoveryFile(id, state.head.seq, imported.later, holder.now()));
}

/** The authority's keys as others see them. */
export const keysShown = (present: Present): readonly PassportKey[] =>
  present.passport.state.head.auth.keys.map((key, index) => ({
    id: index === 0 ? "#sign" : `#sign-${index + 1}`,
    key,
    for: ["authentication", "assertionMethod"],
  }));

type Says = Partial<Pick<DataOperation, "webid" | "oidc" | "storage" | "moved" | "keys" | "ttl">>;

/**
 * Says where the passport leads, signed by its owner. The number of the record before may not be known here: the registry
 * says it.
 */
export async function speak(
  input: ProgramInput,
  holder: Holder,
  present: Present,
  before: DataOperation | null,
  says: Says,
): Promise<void> {
  const { state } = present.passport;
  const signers: readonly KeyPair[] = signersOf(holder.kept.imported(), state);
  const signed = async (dseq: number): Promise<Signed<DataOperation>> => {
    const op = makeData({
      id: state.id,
      aseq: state.head.seq,
      dseq,
      webid: says.webid ?? before?.webid ?? [],
      oidc: says.oidc ?? before?.oidc ?? null,
      storage: says.storage ?? before?.storage ?? [],
      moved: says.moved ?? before?.moved ?? [],
      keys: says.keys ?? keysShown(present),
      ttl: says.ttl ?? before?.ttl ?? 3_600,
    });
    return signOperation(op, state.head.auth, signers);
  };
  const first = Math.max(state.dseq, before?.dseq ?? 0) + 1;
  try {
    await carryToZone(input, holder, present, await signed(first));
  } catch (error) {
    const dseq = error instanceof FreeholdError ? error.members["dseq"] : undefined;
    if (!(error instanceof FreeholdError) || error.code !== "conflict" || typeof dseq !== "number")
      throw error;
    await carryToZone(input, holder, present, await signed(dseq + 1));
  }
}

/** After a change of keys the host says again where the passport leads, if it may; else its owner does. */
export async function speakAgain(
  input: ProgramInput,
  holder: Holder,
  before: DataOperation | null,
): Promise<void> {
  const present = await holder.look();
  if (before === null || before.storage.length === 0 || !isSilent(present)) return;
  try {
    await speak(input, holder, present, before, {});
  } catch (error) {
    // The host was quicker.
    if (error instanceof FreeholdError && error.code === "conflict" && !isSilent(await holder.look())) return;
    throw error;
  }
}

/** Ends what waits, wherever it waits. */
export async function veto(
  input: ProgramInput,
  holder: Holder,
  present: Present,
  signed: Signed,
): Promise<void> {
  try {
    await carryToZone(input, holder, present, signed);
  } catch (error) {
    const isUnknown = error instanceof FreeholdError && [404, 409, 422].includes(error.status);
    const port = holder.kept.steps().find((step) => step.signed.op.t === "port");
    if (!isUnknown || !port) throw error;
    await vetoPort(await rootOf(holder, present), signed, { signal: input.signal });
    input.say("done     veto: the root has ended the port, and it never counted.");
  }
}
