/** Secrets that are shown once and kept only as a hash: session tokens, set-up links, credentials. */
import { createHash, randomBytes } from "node:crypto";

/** 256 bits: no rate limit is needed against guessing. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** 128 bits: a name that says nothing. */
export function newId(): string {
  return randomBytes(16).toString("base64url");
}

/** A fast hash is right here, for what is hashed is random. */
export function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}
