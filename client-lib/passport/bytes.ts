/** Bytes and their spellings: every encoding here has exactly one accepted form. */
import { base64urlnopad } from "@scure/base";
import canonicalize from "canonicalize";
import { hashBytes } from "./sha256.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

export const utf8 = (text: string): Bytes => encoder.encode(text);

export const encodeBase64url = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);

/** @returns null unless `text` is the one canonical spelling (no padding, no loose bits) of exactly `length` bytes. */
export function decodeBase64url(text: unknown, length: number): Bytes | null {
  if (typeof text !== "string" || text.length !== Math.ceil((length * 4) / 3)) return null;
  try {
    const bytes = new Uint8Array(base64urlnopad.decode(text));
    return bytes.length === length && encodeBase64url(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

const PLAIN_TEXT = /^[ !#-[\]-~]*$/; // What JSON writes as it is.
const DEPTH_MAX = 32;

const plainString = (text: string): string | null => {
  if (PLAIN_TEXT.test(text)) return `"${text}"`;
  return text.isWellFormed() ? JSON.stringify(text) : null;
};

function plainArray(value: readonly unknown[], depth: number): string | null {
  let text = "";
  for (const one of value) {
    const part = plainText(one, depth);
    if (part === null) return null;
    text += text === "" ? part : `,${part}`;
  }
  return `[${text}]`;
}

function plainObject(value: Readonly<Record<string, unknown>>, depth: number): string | null {
  let text = "";
  for (const name of Object.keys(value).sort()) {
    const [key, part] = [plainString(name), plainText(value[name], depth)];
    if (key === null || part === null) return null;
    text += text === "" ? `${key}:${part}` : `,${key}:${part}`;
  }
  return `{${text}}`;
}

/** What JSON.parse can have made, in the same form as `canonicalize` and in a third of its time; null for all else. */
function plainText(value: unknown, depth: number): string | null {
  if (typeof value === "string") return plainString(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : null;
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value !== "object" || depth === 0) return null;
  if (Array.isArray(value)) return plainArray(value, depth - 1);
  if (Object.getPrototypeOf(value) !== Object.prototype || "toJSON" in value) return null;
  return plainObject(value as Readonly<Record<string, unknown>>, depth - 1);
}

/**
 * JSON in the one form that is hashed and signed.
 * @throws Error for what JSON cannot say: cycles, lone surrogates, NaN.
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function jcs(value: unknown): string {
  const text = plainText(value, DEPTH_MAX) ?? canonicalize(value);
  if (text === undefined) throw new Error("There is no JSON for this value");
  return text;
}

/** `tag` is a domain separator that ends in a zero byte: what is hashed for one purpose is never valid for another. */
export const tagged = (tag: string, text: string): Bytes => utf8(`${tag}\0${text}`);

const HASHED_HERE_BYTES_MAX = 4_096; // An operation; what is longer is worth the platform's detour.

export async function sha256(bytes: Bytes): Promise<Bytes> {
  if (bytes.length <= HASHED_HERE_BYTES_MAX) return hashBytes(bytes);
  return new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", bytes));
}

export function randomBytes(length: number): Bytes {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
