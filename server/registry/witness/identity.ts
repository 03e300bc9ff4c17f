/** A witness's name and secret keys, in its folder. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  decodeBase64url,
  EMPTY_ROOT,
  encodeBase64url,
  formatCheckpoint,
  formatVerifierKey,
  isObject,
} from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";
import { type CheckpointSigner, createSigner, SEED_BYTES } from "../log/signer.ts";

interface KeyFile {
  /** Such as `witness.example/w1`: an address without its scheme, that need not answer. */
  readonly name: string;
  /** Secret, 32 bytes each, base64url. */
  readonly ed25519: string;
  readonly mlDsa44: string;
}

const TRIAL = formatCheckpoint({ origin: "trial", size: 0, root: EMPTY_ROOT });

const fileOf = (folder: string): string => join(folder, "witness.json");

const signersOf = (name: string, ed25519: Uint8Array, mlDsa44: Uint8Array, now: () => Date) =>
  Promise.all([
    createSigner({ name, type: 4, seed: ed25519, now }),
    createSigner({ name, type: 6, seed: mlDsa44, now }),
  ]);

/** Makes a witness. @throws OperatorError where there is one: its key is not replaced, for others trust it. */
export async function initWitness(folder: string, name: string): Promise<void> {
  if (await readOrNull(fileOf(folder))) throw new OperatorError(`There is a witness in ${folder} already`);
  const [ed25519, mlDsa44] = [randomBytes(SEED_BYTES), randomBytes(SEED_BYTES)];
  const signers = await signersOf(name, ed25519, mlDsa44, () => new Date(0));
  for (const signer of signers) signer.lineAt(TRIAL, 1); // A name that cannot be signed is refused before it is written.
  const file: KeyFile = { name, ed25519: encodeBase64url(ed25519), mlDsa44: encodeBase64url(mlDsa44) };
  await makeFolder(folder);
  await writeDurably(fileOf(folder), Buffer.from(`${JSON.stringify(file, null, 2)}\n`));
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** One signer for each kind of cosignature. @throws OperatorError where there is no witness. */
export async function openSigners(folder: string, now: () => Date): Promise<readonly CheckpointSigner[]> {
  const text = await readOrNull(fileOf(folder));
  if (text === null)
    throw new OperatorError(
      `There is no witness in ${folder}: make one with freehold registry witness init <name>`,
    );
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {} // It is said below that it is damaged.
  const file = isObject(value) ? value : {};
  const [ed25519, mlDsa44] = [
    decodeBase64url(file.ed25519, SEED_BYTES),
    decodeBase64url(file.mlDsa44, SEED_BYTES),
  ];
  if (typeof file.name !== "string" || !ed25519 || !mlDsa44)
    throw new OperatorError(`${fileOf(folder)} is damaged: bring it back from where it was copied to`);
  return signersOf(file.name, ed25519, mlDsa44, now);
}

/** Lines for a policy that asks for this witness once, by whichever of its keys can be verified. */
export function policyLines(signers: readonly CheckpointSigner[], label: string, url: string): string {
  const names = signers.map(({ key }) => ({ name: `${label}-${key.type === 6 ? "pq" : "ed"}`, key }));
  return [
    ...names.map(({ name, key }) => `witness ${name} ${formatVerifierKey(key)} ${url}`),
    `group ${label} any ${names.map(({ name }) => name).join(" ")}`,
    "",
  ].join("\n");
}
