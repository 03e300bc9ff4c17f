/** A log that is told to a witness, and a witness in a process of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  formatCheckpoint,
  formatVerifierKey,
  parseSignatureLines,
  parseVerifierKey,
  type VerifierKey,
  verifySignatureOf,
} from "../../../client-lib/registry/index.ts";
import { type CheckpointSigner, createSigner, verifyMlDsa44 } from "../../../server/registry/log/signer.ts";
import { encodeAddCheckpoint } from "../../../server/registry/witness/wire.ts";
import { MAIN, type Program, startProgram } from "../../support/process.ts";
import { naiveProof, naiveRoot } from "../log/naive.ts";

export const ORIGIN = "log.ch.example/2026";

/** Entries of one history; two histories part where their names do. */
export const history = (name: string, size: number): readonly Uint8Array[] =>
  Array.from({ length: size }, (_, index) => Buffer.from(`${name} ${index}`));

export interface TestLog {
  readonly signer: CheckpointSigner;
  readonly vkey: string;
  /** The checkpoint over these entries, signed. */
  note(entries: readonly Uint8Array[]): string;
  /** The body of a request: from the first `old` of these entries to all of them. */
  request(old: number, entries: readonly Uint8Array[]): string;
}

export async function createTestLog(origin: string = ORIGIN, byte = 77): Promise<TestLog> {
  const seed = new Uint8Array(32).fill(byte);
  const signer = await createSigner({ name: origin, type: 1, seed, now: () => new Date(0) });
  const note = (entries: readonly Uint8Array[]): string => {
    const body = formatCheckpoint({ origin, size: entries.length, root: naiveRoot(entries) });
    return `${body}\n${signer.lineAt(body, 0)}`;
  };
  return {
    signer,
    vkey: formatVerifierKey(signer.key),
    note,
    request: (old, entries) =>
      encodeAddCheckpoint({ old, path: old === 0 ? [] : naiveProof(old, entries), note: note(entries) }),
  };
}

/** The times of the lines that a witness answered with; null where one does not hold. */
export async function timesOf(
  lines: string,
  note: string,
  keys: readonly VerifierKey[],
): Promise<readonly (number | null)[]> {
  const body = note.slice(0, note.indexOf("\n\n") + 1);
  const signatures = parseSignatureLines(lines);
  return Promise.all(
    keys.map(
      async (key) => (await verifySignatureOf({ body, signatures }, key, { verifyMlDsa44 }))?.time ?? null,
    ),
  );
}

export interface RunningWitness {
  readonly url: string;
  readonly folder: string;
  readonly keys: readonly VerifierKey[];
  readonly program: Program;
  post(body: string): Promise<Response>;
}

async function listening(program: Program, folder: string): Promise<RunningWitness> {
  const said = await program.until(/answers at (http:\S+)\n\S+\n\S+\n/);
  const [first = "", ...keys] = said.trim().split("\n");
  const url = /http:\S+/.exec(first)?.[0] ?? "";
  return {
    url,
    folder,
    keys: await Promise.all(keys.map(parseVerifierKey)),
    program,
    post: (body) => fetch(`${url}add-checkpoint`, { method: "POST", body }),
  };
}

/** The real program, as operators start it. */
export const startWitness = (folder: string, args: readonly string[]): Promise<RunningWitness> =>
  listening(startProgram([MAIN, "registry", "witness", "--folder", folder, "--port", "0", ...args]), folder);

/** Nothing but the witness: it is up sooner, so it can be killed more often. */
export const startChild = (folder: string, vkey: string): Promise<RunningWitness> =>
  listening(startProgram([join(import.meta.dirname, "child.ts"), folder, vkey]), folder);

export async function initFolder(name = "witness.example/w1"): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "freehold-witness-"));
  const { code, err } = await startProgram([MAIN, "registry", "witness", "init", name, "--folder", folder])
    .ended;
  if (code !== 0) throw new Error(err);
  return folder;
}

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });
