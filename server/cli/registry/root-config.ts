/** `root.json`, and what follows from it: all that whoever signs a record needs of the root, without its server. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AllowUrl, isExactly, ROOT_NAME, type RootRecord } from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import type { ZoneKeys } from "../../registry/zone/keys.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";

/** `root.json`: how the root's server is run; what it says of itself to others stands in its record. */
export interface RootConfig {
  /** Ends in a slash; null: `http://localhost:{port}/`. */
  readonly url: string | null;
  readonly host: string;
  readonly port: number;
  /** `sqlite`, or the URL of a database. */
  readonly store: string;
  /** Origins that records may name although they are private or without TLS. */
  readonly allow: readonly string[];
  readonly trustProxy: readonly string[];
}

const FILE = "root.json";
const FIELDS = ["url", "host", "port", "store", "allow", "trustProxy"] as const;

/** @throws OperatorError */
export async function loadRootConfig(folder: string): Promise<RootConfig> {
  const path = join(folder, FILE);
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    throw new OperatorError(`There is no root in ${folder}. Make one: freehold registry root init`, {
      cause,
    });
  });
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {} // It is said below that it is none.
  if (!isExactly(value, FIELDS)) throw new OperatorError(`${path} wants exactly ${FIELDS.join(", ")}`);
  const fits =
    (value["url"] === null || (typeof value["url"] === "string" && value["url"].endsWith("/"))) &&
    typeof value["host"] === "string" &&
    Number.isInteger(value["port"]) &&
    typeof value["store"] === "string" &&
    [value["allow"], value["trustProxy"]].every(
      (list) => Array.isArray(list) && list.every((one) => typeof one === "string"),
    );
  if (!fits) throw new OperatorError(`${path} has a field that is not what it must be`);
  return value as unknown as RootConfig;
}

export async function writeRootConfig(folder: string, config: RootConfig): Promise<void> {
  await makeFolder(folder);
  await writeDurably(join(folder, FILE), Buffer.from(`${JSON.stringify(config, null, 2)}\n`));
}

export const allowOf =
  ({ allow }: Pick<RootConfig, "allow">): AllowUrl =>
  ({ origin }) =>
    allow.includes(origin);

/** What the record says of the root itself. */
export const placeOf = (keys: ZoneKeys, url: string, origin: string, policy: string): RootRecord["root"] => ({
  urls: [url],
  log: { origin, key: keys.log.key, url: `${url}log/${ROOT_NAME}/` },
  policy,
  keys: [keys.zone.key],
});
