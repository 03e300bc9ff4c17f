/** A passport's owner at work: with the keys of a recovery file, over HTTP, believing no registry. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FreeholdError, findAnswer, type Memory, type ResolveOptions } from "@freehold/client";
import { fileMemory, readJson, writeJson } from "@freehold/client/node";
import {
  allowLoopback,
  type ImportedFile,
  isDataInForce,
  isObject,
  type KeyPair,
  type PassportId,
  type PassportKeys,
  type PassportState,
  readRootRecord,
  type VerifiedAnswer,
} from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { makeFolder } from "../../store/durable.ts";
import { flagOf, type ProgramInput } from "../program.ts";
import { type Kept, openKept, pathOf } from "./kept.ts";

/** A passport that is there, and all that was proved of it. */
export type Present = Extract<VerifiedAnswer, { readonly kind: "present" }>;

export const REGISTRY_FLAG = {
  registry: "Where to ask for the passport: a pod server, a zone or a mirror; remembered from then on",
  trust: "File with the root's record, for who will not believe the first that a registry shows",
} as const;

const SETTINGS = "registries.json";

export const memoryOf = ({ folder }: Pick<ProgramInput, "folder">): Memory =>
  fileMemory(join(folder, "memory"));

/** Whom to ask, and what was believed before; both in the program's folder. */
export async function resolving(input: ProgramInput): Promise<ResolveOptions> {
  const { folder, signal } = input;
  const path = join(folder, SETTINGS);
  const kept = await readJson(path);
  const before =
    isObject(kept) && Array.isArray(kept["registries"])
      ? kept["registries"].filter((one) => typeof one === "string")
      : [];
  const named = input.flags["registry"] ?? [];
  for (const one of named)
    if (!URL.canParse(one) || !/^https?:$/.test(new URL(one).protocol))
      throw new OperatorError(`--registry ${one} is no address. It is one such as https://pods.example/`);
  const registries = [...new Set([...named, ...before])];
  if (registries.length === 0)
    throw new OperatorError("Say where the passport is registered: --registry https://…");
  if (named.length > 0) {
    await makeFolder(folder);
    await writeJson(path, { registries });
  }
  const trust = flagOf(input, "trust");
  return {
    resolvers: registries,
    memory: memoryOf(input),
    signal,
    now: () => input.now().getTime(),
    ...(trust !== undefined && {
      trust: readRootRecord(await readFile(trust, "utf8"), { allowUrl: allowLoopback }).record,
    }),
  };
}

/** @throws FreeholdError `not-found`, and as `resolve`. */
export async function lookUp(id: PassportId, options: ResolveOptions): Promise<Present> {
  const answer = await findAnswer(id, options);
  if (answer.kind === "present") return answer;
  throw new FreeholdError("not-found", "There is no such passport", {
    status: 404,
    detail: `The zone ${answer.zone} has proved it at epoch ${answer.epoch.epoch}`,
    next: "It was erased, or it was never sent: freehold passport resume sends what was left.",
  });
}

export interface Holder {
  readonly id: PassportId;
  readonly kept: Kept;
  readonly options: ResolveOptions;
  readonly now: () => Date;
  /** As it is now, asked for and verified anew. */
  look(): Promise<Present>;
}

/** @param named The recovery file; the folder's only one without. */
export async function openHolder(input: ProgramInput, named: string | undefined): Promise<Holder> {
  const kept = await openKept(await pathOf(named, input.folder));
  const options = await resolving(input);
  const id = kept.imported().file.passport;
  return { id, kept, options, now: input.now, look: () => lookUp(id, options) };
}

/** Where operations about this passport go: the zone itself, by the root's record. */
export const registryOf = ({ place }: Present, { resolvers = [] }: ResolveOptions): string => {
  const url = place.urls[0] ?? resolvers[0];
  if (url === undefined) throw new OperatorError("The zone has no address. Ask its operator.");
  return url;
};

const speaks = (keys: PassportKeys | null, { head }: PassportState): keys is PassportKeys =>
  keys !== null && keys.authority.some(({ key }) => head.auth.keys.includes(key));

/** Of the keys in a file, those that the passport names today; null where none is. */
export function keysOfToday({ keys, later }: ImportedFile, state: PassportState): PassportKeys | null {
  if (speaks(keys, state)) return keys;
  return speaks(later, state) ? later : null;
}

/** @throws OperatorError that says which way there is without them. */
export function signersOf(imported: ImportedFile, state: PassportState): readonly KeyPair[] {
  const { keys, threshold } = state.head.auth;
  const signers = (keysOfToday(imported, state)?.authority ?? []).filter(({ key }) => keys.includes(key));
  if (signers.length >= threshold) return signers;
  throw new OperatorError(
    signers.length > 0
      ? `${threshold} keys must sign, and this file has ${signers.length} of them. Use the file that has the others, too.`
      : "The keys of this file are not those of the passport today: they were changed since. Use the newest file; without one, freehold passport recover.",
  );
}

/** Whether somebody has to say anew where the passport leads. */
export const isSilent = ({ passport: { data, state } }: Present): boolean =>
  data === null || !isDataInForce(state, data);
