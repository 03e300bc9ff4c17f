/** Who may copy passports: mirrors under contract, each with a secret of its own, of which only the hash is kept here. */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isObject } from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";

const FILE = "mirrors.json";
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Hash of a secret, by the mirror's name. */
type Mirrors = Readonly<Record<string, string>>;

const hashOf = (secret: string): string => hash("sha256", `DCANN-mirror-v1\0${secret}`, "base64url");

/** Read anew each time: the operator may have ended one a moment ago. */
async function readMirrors(folder: string): Promise<Mirrors> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, FILE), "utf8"));
    return isObject(value) ? (value as Mirrors) : {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

async function writeMirrors(folder: string, mirrors: Mirrors): Promise<void> {
  await makeFolder(folder);
  await writeDurably(join(folder, FILE), Buffer.from(`${JSON.stringify(mirrors, null, 2)}\n`));
}

/** @returns the secret, which is shown once. @throws OperatorError */
export async function allowMirror(folder: string, name: string): Promise<string> {
  if (!NAME.test(name))
    throw new OperatorError(`A mirror's name is letters a-z, digits, dots and hyphens, not ${name}`);
  const mirrors = await readMirrors(folder);
  if (Object.hasOwn(mirrors, name))
    throw new OperatorError(
      `There is a mirror ${name} already; end it first: freehold registry mirror end ${name}`,
    );
  const secret = randomBytes(32).toString("base64url");
  await writeMirrors(folder, { ...mirrors, [name]: hashOf(secret) });
  return secret;
}

/** @throws OperatorError */
export async function endMirror(folder: string, name: string): Promise<void> {
  const { [name]: ended, ...rest } = await readMirrors(folder);
  if (ended === undefined) throw new OperatorError(`There is no mirror ${name}`);
  await writeMirrors(folder, rest);
}

/** @returns the mirror's name; null for a secret of nobody. */
export async function mirrorOf(folder: string, secret: string): Promise<string | null> {
  if (!SECRET.test(secret)) return null;
  const given = Buffer.from(hashOf(secret));
  for (const [name, known] of Object.entries(await readMirrors(folder))) {
    const kept = Buffer.from(known);
    if (kept.length === given.length && timingSafeEqual(kept, given)) return name;
  }
  return null;
}
