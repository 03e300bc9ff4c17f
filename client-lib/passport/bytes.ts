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

/**
 * JSON in the one form that is hashed and signed.
 * @throws Error for what JSON cannot say: cycles, lone surrogates, NaN.
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function jcs(value: unknown): string {
  const text = canonicalize(value);
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
