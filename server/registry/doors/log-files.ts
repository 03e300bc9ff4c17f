/**
 * A zone's logs as files that any web server or CDN may serve too: `/log/{zone}/{year}/checkpoint` and tiles.
 * @see https://c2sp.org/tlog-tiles
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import type { Door, Result } from "../../operation.ts";
import { createTiles } from "../log/tiles.ts";
import type { Zone } from "../port.ts";
import { cached, IMMUTABLE } from "./door.ts";

/** Nothing else is ever opened: no dots, no other letters, no way out of the folder. */
const FILE =
  /^\/log\/([a-z0-9]{2,8})\/([2-9]\d{3})\/(checkpoint(?:\.pq)?|tile\/(?:entries|[0-5]?\d|6[0-3])\/(?:x\d{3}\/){0,5}\d{3}(?:\.p\/(?:[1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))?)$/;

const TILES_BYTES_KEPT = 16 * 1024 * 1024; // Full tiles that were asked for lately: the upper levels, and the newest.
const PARTIAL = ".p/";

/** What the address of a log's file names; null for an address of no file. */
export function fileOf(
  pathname: string,
): { readonly zone: string; readonly year: string; readonly path: string } | null {
  const [, zone, year, path] = FILE.exec(pathname) ?? [];
  return zone !== undefined && year !== undefined && path !== undefined ? { zone, year, path } : null;
}

export interface LogDeps {
  readonly zones: readonly Pick<Zone, "name" | "shard" | "published">[];
  /** Where the files of a log are: of a zone and a year, by the same paths as here. */
  readonly folderOf: (zone: string, year: string) => string;
}

export function createLogDoor({ zones, folderOf }: LogDeps): Door {
  const kept = new Lru<string, Uint8Array>(TILES_BYTES_KEPT);

  async function readTile(name: string, folder: string, path: string): Promise<Uint8Array> {
    const known = kept.get(name);
    if (known) return known;
    const bytes = await createTiles(folder).fetch(path);
    if (!bytes) throw new Problem("not-found", "The log has no such tile, or not yet");
    // A partial tile is soon a full one; what is not sent for ever is not kept.
    if (!path.includes(PARTIAL)) kept.set(name, bytes, bytes.length);
    return bytes;
  }

  return async (request): Promise<Result> => {
    const file = fileOf(request.url.pathname);
    const zone = file && zones.find(({ name }) => name === file.zone);
    if (!zone) throw new Problem("not-found", "No file of a log has this address");
    const { year, path } = file;
    if (!path.startsWith("checkpoint")) {
      const bytes = await readTile(request.url.pathname, folderOf(file.zone, year), path);
      const headers = { "content-type": "application/octet-stream", "cache-control": IMMUTABLE };
      return { status: 200, headers, body: bytes };
    }
    const published = zone.published();
    // Of the present year from memory: what the file says may be a moment ahead of what is answered by.
    const isNow = published.shard === `${zone.name}/${year}` && path === "checkpoint";
    const text = isNow
      ? published.checkpoint
      : await readFile(join(folderOf(file.zone, year), path), "utf8").catch(() => {
          throw new Problem("not-found", "There is no log of this year");
        });
    const etag = `"${published.shard}.${published.size}.${lengthAndEnd(text)}"`;
    return cached(request, etag, "text/plain; charset=utf-8", text, { "cache-control": "public, max-age=1" });
  };
}

/** Cosignatures are renewed without a new size: their last characters tell. */
const lengthAndEnd = (text: string): string =>
  Buffer.from(text.slice(-24)).toString("base64url") + text.length.toString(36);
