/** Files that browsers get from us as they are: packed once, and asked about by their hash. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Result } from "../operation.ts";

export interface Asset {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly zipped: Uint8Array;
}

const TYPES: Readonly<Record<string, string>> = {
  ts: "text/javascript", // Without its types.
  js: "text/javascript",
  mjs: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
  png: "image/png",
  gif: "image/gif",
  ico: "image/x-icon",
  woff2: "font/woff2",
};

const zip = promisify(gzip);

export const hash = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("base64");

/** @param name Whose ending says the type. */
export async function pack(name: string, body: Uint8Array): Promise<Asset> {
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  const headers = {
    "content-type": type.startsWith("text/") ? `${type}; charset=utf-8` : type,
    vary: "Accept-Encoding",
    etag: `W/"${hash(body).slice(0, 27)}"`, // Weak: the same for both encodings.
    "cache-control": "no-cache", // Kept, but asked about each time: an upgrade shows at once.
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  };
  return { headers, body, zipped: await zip(body) };
}

/** @param asked Header fields of the request. */
export function give(
  { headers, body, zipped }: Asset,
  asked: Readonly<Record<string, string | undefined>>,
): Result {
  if (asked["if-none-match"] === headers["etag"]) return { status: 304, headers, body: null };
  if (!/\bgzip\b/.test(asked["accept-encoding"] ?? "")) return { status: 200, headers, body };
  return { status: 200, headers: { ...headers, "content-encoding": "gzip" }, body: zipped };
}
