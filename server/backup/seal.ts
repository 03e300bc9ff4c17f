/**
 * Sealing a backup: the age format, so that it can be opened without this program (`age -d`).
 * https://age-encryption.org/v1
 */
import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from "node:crypto";
import { promisify } from "node:util";
import type { Identity, Recipient } from "age-encryption";
import { OperatorError } from "../errors.ts";
import { NONCE_BYTES, openPayload, payloadKey, sealPayload } from "./stream.ts";

/** Who can open it: whoever has an identity of a recipient, or the passphrase. The format allows one or the other. */
export type Sealing = { readonly recipients: readonly string[] } | { readonly passphrase: string };

const LABEL = Buffer.from("age-encryption.org/v1/scrypt");
const WORK_LOG2 = 17; // 128 MiB for some 0.3 s: what OWASP asks for, on a small server.
const WORK_LOG2_MAX = 20;
const EMPTY_CHUNK_BYTES = 16;
const HEADER_BYTES_MAX = 1024 * 1024; // A thousand recipients are more than anybody has.
const NO_NONCE = Buffer.alloc(12); // The key is used once.

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Off the main thread: the library's own would stop all else for a second. */
const passwordKey = (passphrase: string, salt: Buffer, log2: number): Promise<Buffer> =>
  derive(passphrase, Buffer.concat([LABEL, salt]), 32, {
    N: 2 ** log2,
    r: 8,
    p: 1,
    maxmem: 2 ** (log2 + 10) + 2 ** 24,
  });

const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

/** @see https://age-encryption.org/v1 "The scrypt recipient type" */
function passphraseRecipient(
  passphrase: string,
  stanza: (args: string[], body: Uint8Array) => StanzaOf,
): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16);
      const key = await passwordKey(passphrase, salt, WORK_LOG2);
      const cipher = createCipheriv("chacha20-poly1305", key, NO_NONCE, { authTagLength: 16 });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [stanza(["scrypt", unpadded(salt), String(WORK_LOG2)], new Uint8Array(body))];
    },
  };
}

type StanzaOf = Awaited<ReturnType<Recipient["wrapFileKey"]>>[number];

function passphraseIdentity(passphrase: string): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const [stanza] = stanzas;
      if (stanzas.length !== 1 || stanza?.args[0] !== "scrypt") return null;
      const [, salt = "", log2 = ""] = stanza.args;
      if (!/^[1-9]\d?$/.test(log2) || Number(log2) > WORK_LOG2_MAX || stanza.body.length !== 32) return null;
      const key = await passwordKey(passphrase, Buffer.from(salt, "base64"), Number(log2));
      const decipher = createDecipheriv("chacha20-poly1305", key, NO_NONCE, { authTagLength: 16 });
      decipher.setAuthTag(stanza.body.subarray(16));
      const fileKey = decipher.update(stanza.body.subarray(0, 16));
      try {
        decipher.final();
      } catch {
        return null;
      }
      return new Uint8Array(fileKey);
    },
  };
}

/** What an operator gave: the lines of an age identity file, or else a passphrase. */
function identitiesIn(secret: string): readonly string[] {
  return secret
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^AGE-SECRET-KEY-/i.test(line));
}

export async function newIdentity(): Promise<string> {
  return (await import("age-encryption")).generateX25519Identity();
}

export async function recipientOf(identity: string): Promise<string> {
  return (await import("age-encryption")).identityToRecipient(identity);
}

/** A passphrase seals by itself; an identity seals to whoever has it. */
export async function sealingOf(secret: string): Promise<Sealing> {
  const identities = identitiesIn(secret);
  return identities.length > 0
    ? { recipients: await Promise.all(identities.map(recipientOf)) }
    : { passphrase: secret };
}

/**
 * Seals a stream.
 * @throws OperatorError for a recipient that is none.
 */
export async function seal(
  content: AsyncIterable<Uint8Array>,
  sealing: Sealing,
): Promise<AsyncIterable<Uint8Array>> {
  const { Encrypter, Stanza } = await import("age-encryption");
  const encrypter = new Encrypter();
  if ("passphrase" in sealing)
    encrypter.addRecipient(passphraseRecipient(sealing.passphrase, (args, body) => new Stanza(args, body)));
  else {
    if (sealing.recipients.length === 0)
      throw new OperatorError("A backup needs a recipient or a passphrase.");
    for (const recipient of sealing.recipients) {
      try {
        encrypter.addRecipient(recipient);
      } catch (cause) {
        throw new OperatorError(
          `${recipient} is no age recipient. They begin with age1; age-keygen makes one with its identity.`,
          { cause },
        );
      }
    }
  }
  let fileKey = new Uint8Array();
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = new Uint8Array(key);
      return []; // Sealed for nobody: it is only looked at.
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array()); // Header, nonce, and an empty chunk that is all tag.
  const start = empty.subarray(0, empty.length - EMPTY_CHUNK_BYTES);
  const key = payloadKey(fileKey, start.subarray(-NONCE_BYTES));
  return (async function* (): AsyncGenerator<Uint8Array> {
    yield start;
    yield* sealPayload(key, content);
  })();
}

/** @returns how long the header is, or 0 when its end has not come yet. */
function headerBytes(bytes: Buffer): number {
  const mark = bytes.indexOf("\n--- ");
  const end = mark === -1 ? -1 : bytes.indexOf("\n", mark + 1);
  return end + 1;
}

/** Opens one sealed file, as often as it is read. */
export interface Opener {
  /**
   * @returns what was sealed; a byte that was changed, moved or cut off ends it with an error.
   * @throws OperatorError when nothing that was given fits, or it is no backup; also when it is not the file that was opened
   * first: what was proved is what is restored, whoever may have put another file in its place meanwhile.
   */
  unseal(content: AsyncIterator<Uint8Array>, name: string): Promise<AsyncIterable<Uint8Array>>;
}

/** @param secrets Passphrases and identity files, all tried; once opened, the file opens again without trying. */
export function createOpener(secrets: readonly string[]): Opener {
  /** Header and nonce, of which no two files have the same, and the key: all that comes after is sealed with it. */
  let first: { readonly start: Buffer; readonly fileKey: Uint8Array } | null = null;

  async function fileKeyOf(header: Buffer, name: string): Promise<Uint8Array> {
    const { Decrypter } = await import("age-encryption");
    const decrypter = new Decrypter();
    for (const secret of secrets) {
      const identities = identitiesIn(secret);
      for (const identity of identities) {
        try {
          decrypter.addIdentity(identity);
        } catch (cause) {
          throw new OperatorError(
            "The age identity that was given is damaged: AGE-SECRET-KEY-1… is one line.",
            { cause },
          );
        }
      }
      if (identities.length === 0) decrypter.addIdentity(passphraseIdentity(secret));
    }
    try {
      return await decrypter.decryptHeader(new Uint8Array(header));
    } catch (cause) {
      throw new OperatorError(
        /no identity matched/i.test(String(cause))
          ? `${name} does not open with the passphrase or identity that was given. Give the one it was sealed for.`
          : noBackup(name),
        { cause },
      );
    }
  }

  return {
    async unseal(content, name) {
      let start = Buffer.alloc(0);
      let length = 0;
      while (length === 0 || start.length < length + NONCE_BYTES) {
        const next = await content.next();
        if (next.done || start.length > HEADER_BYTES_MAX) throw new OperatorError(noBackup(name));
        start = Buffer.concat([start, next.value]);
        length = headerBytes(start);
      }
      const opening = Buffer.from(start.subarray(0, length + NONCE_BYTES));
      first ??= { start: opening, fileKey: await fileKeyOf(start.subarray(0, length), name) };
      if (!first.start.equals(opening))
        throw new OperatorError(`${name} is another file than a moment ago. Run this again.`);
      return openPayload(
        payloadKey(first.fileKey, start.subarray(length, length + NONCE_BYTES)),
        (async function* () {
          yield start.subarray(length + NONCE_BYTES);
          yield* { [Symbol.asyncIterator]: () => content };
        })(),
      );
    },
  };
}

const noBackup = (name: string): string => `${name} is damaged or no backup of Freehold. Take another.`;
