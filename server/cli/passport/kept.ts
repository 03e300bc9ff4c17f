/**
 * What is kept of a passport on its owner's machine: the recovery file, and beside it the operations that were sent and are
 * not settled. Whatever happens to program, network or power, the keys of before and after are in the file.
 */
import { readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  exportRecoveryFile,
  hashOfOperation,
  type ImportedFile,
  importRecoveryFile,
  makeRecoveryFile,
  type PassportKeys,
  type PassportOperation,
  parseStrictJson,
  type RecoveryFile,
  type Signed,
} from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { makeFolder, syncFolder, writeDurably } from "../../store/durable.ts";

/** An operation on its way. */
export interface Step {
  /** Where it is sent: to a zone's operations, or for a port to the zone that takes the passport in. */
  readonly to: string;
  readonly signed: Signed;
  readonly hash: string;
  /** The passport as it was before, for whoever must know it; only of a port. */
  readonly bundle?: object;
}

interface StepsFile {
  readonly format: "dcann-steps";
  readonly version: 1;
  readonly steps: readonly Step[];
}

export const stepOf = async (to: string, signed: Signed, bundle?: object): Promise<Step> => ({
  to,
  signed,
  hash: await hashOfOperation(signed.op),
  ...(bundle && { bundle }),
});

/** Keys come with it, and take the place of today's when it counts. */
export const bringsKeys = ({ t }: PassportOperation): boolean => t === "rotate" || t === "recover";

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
}

/** A recovery file and its steps, as they are on disk. */
export interface Kept {
  readonly path: string;
  readonly imported: () => ImportedFile;
  readonly steps: () => readonly Step[];
  /** Replaces the recovery file. */
  write(file: RecoveryFile): Promise<void>;
  /** Notes a step: before it is sent. */
  add(step: Step): Promise<void>;
  /** A step that counts: the keys that came with it are today's from now on. */
  settle(step: Step, made: Date): Promise<void>;
  /** A step that will never count: what came with it is forgotten. */
  giveUp(step: Step, made: Date): Promise<void>;
}

const stepsPathOf = (path: string): string => `${path}.steps`;

/** @throws OperatorError where there is none; PassportError `recovery-file` for a damaged one. */
export async function openKept(path: string): Promise<Kept> {
  const text = await readText(path);
  if (text === null)
    throw new OperatorError(
      `There is no recovery file ${path}. Name the one that you kept when the passport was made.`,
    );
  return keptOf(path, await importRecoveryFile(text), await readSteps(path));
}

/** A new recovery file. @throws OperatorError where there is one already: no key is ever written over. */
export async function createKept(path: string, file: RecoveryFile): Promise<Kept> {
  if ((await readText(path)) !== null)
    throw new OperatorError(`There is a file ${path} already, and no keys are written over. Name another.`);
  await makeFolder(dirname(path));
  await writeDurably(path, Buffer.from(exportRecoveryFile(file)));
  return keptOf(path, await importRecoveryFile(exportRecoveryFile(file)), []);
}

export const hasKept = async (path: string): Promise<boolean> => (await readText(path)) !== null;

async function readSteps(path: string): Promise<readonly Step[]> {
  const text = await readText(stepsPathOf(path));
  if (text === null) return [];
  try {
    const value = parseStrictJson(text, 32) as StepsFile;
    if (value.format === "dcann-steps" && value.version === 1) return value.steps;
  } catch {
    // Said below.
  }
  throw new OperatorError(
    `${stepsPathOf(path)} is damaged. Move it away and look what the registry says: freehold passport show`,
  );
}

function keptOf(path: string, first: ImportedFile, known: readonly Step[]): Kept {
  let imported = first;
  let steps = known;

  async function write(file: RecoveryFile): Promise<void> {
    const text = exportRecoveryFile(file);
    const read = await importRecoveryFile(text); // What could not be read again is not written.
    await writeDurably(path, Buffer.from(text));
    imported = read;
  }

  async function writeSteps(next: readonly Step[]): Promise<void> {
    const target = stepsPathOf(path);
    if (next.length === 0) {
      await rm(target, { force: true });
      await syncFolder(dirname(target));
    } else {
      const content: StepsFile = { format: "dcann-steps", version: 1, steps: next };
      await writeDurably(target, Buffer.from(`${JSON.stringify(content, null, 2)}\n`));
    }
    steps = next;
  }

  const withKeys = (keys: PassportKeys, aseq: number, made: Date): Promise<void> =>
    makeRecoveryFile(imported.file.passport, aseq, keys, made).then(write);

  const drop = (step: Step): Promise<void> => writeSteps(steps.filter(({ hash }) => hash !== step.hash));

  return {
    path,
    imported: () => imported,
    steps: () => steps,
    write,
    add: (step) => writeSteps([...steps.filter(({ hash }) => hash !== step.hash), step]),
    async settle(step, made) {
      const { op } = step.signed;
      const { later } = imported;
      if (bringsKeys(op) && later) await withKeys(later, "seq" in op ? op.seq : imported.file.aseq, made);
      await drop(step);
    },
    async giveUp(step, made) {
      const { later, keys, file } = imported;
      if (bringsKeys(step.signed.op) && later) await withKeys(keys, file.aseq, made);
      await drop(step);
    },
  };
}

/** A file that was named, or the only recovery file of the folder. @throws OperatorError where that is not clear. */
export async function pathOf(named: string | undefined, folder: string): Promise<string> {
  if (named !== undefined) return resolve(named);
  const { readdir } = await import("node:fs/promises");
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    /^freehold-passport-.+\.json$/.test(name),
  );
  const [only] = names;
  if (only !== undefined && names.length === 1) return join(folder, only);
  throw new OperatorError(
    names.length === 0
      ? `There is no recovery file in ${folder}. Name the file.`
      : `There are ${names.length} recovery files in ${folder}. Name the one that you mean.`,
  );
}
