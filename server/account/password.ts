/** Passwords: argon2id from node:crypto, two at a time, and the same work whether the account exists or not. */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";

/** @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const NONCE_BYTES = 16;
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

type Cost = {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly tagLength: number;
};

export interface Passwords {
  /** @returns a PHC string that {@link Passwords.verify} understands. @throws Problem `unavailable` when too many wait. */
  hash(password: string): Promise<string>;
  /**
   * @param stored null for an account that does not exist or has no password: takes the same time and says no.
   * @throws Problem `unavailable` when too many wait.
   */
  verify(password: string, stored: string | null): Promise<boolean>;
}

/** The same password typed on another keyboard is the same password. NIST SP 800-63B-4 section 3.1.1.2. */
const toBytes = (password: string): Buffer => Buffer.from(password.normalize("NFKC"), "utf8");

function derive(message: Buffer, nonce: Buffer, cost: Cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2("argon2id", { message, nonce, ...cost }, (error, tag) => (error ? reject(error) : resolve(tag)));
  });
}

const spell = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

function encode(nonce: Buffer, tag: Buffer): string {
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${spell(nonce)}$${spell(tag)}`;
}

/** Nobody knows the password of this: it only costs what a real one costs. */
const NOBODY = encode(randomBytes(NONCE_BYTES), randomBytes(COST.tagLength));

/**
 * At most `passwordChecksRunning` at once, `passwordChecksWaitingMax` wait; each costs memory and time on purpose.
 */
export function createPasswords(limits: Limits): Passwords {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= limits.passwordChecksRunning) {
      if (waiting.length >= limits.passwordChecksWaitingMax) {
        throw new Problem("unavailable", "Too many people are signing in at this moment", {
          headers: { "retry-after": "5" },
        });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next)
        next(); // The place passes on; `running` stays.
      else running -= 1;
    }
  }

  return {
    hash: (password) =>
      inTurn(async () => {
        const nonce = randomBytes(NONCE_BYTES);
        return encode(nonce, await derive(toBytes(password), nonce, COST));
      }),
    verify: (password, stored) =>
      inTurn(async () => {
        const [, memory, passes, parallelism, nonce = "", tag = ""] = PHC.exec(stored ?? NOBODY) ?? [];
        const expected = Buffer.from(tag, "base64");
        const cost = {
          memory: Number(memory),
          passes: Number(passes),
          parallelism: Number(parallelism),
          tagLength: expected.length,
        };
        const found = await derive(toBytes(password), Buffer.from(nonce, "base64"), cost);
        return timingSafeEqual(found, expected) && stored !== null;
      }),
  };
}

/**
 * What is wrong with a new password, in words for its owner; null when nothing is.
 * Length is what counts; composition rules only make people write passwords down.
 */
export function passwordFault(password: string, names: readonly string[], limits: Limits): string | null {
  const characters = Array.from(password).length;
  if (characters < limits.passwordCharactersMin) {
    return `Use at least ${limits.passwordCharactersMin} characters, such as four words of your own; this has ${characters}`;
  }
  if (Buffer.byteLength(password) > limits.passwordBytesMax)
    return `Use at most ${limits.passwordBytesMax} bytes`;
  if (new Set(password.toLowerCase()).size < 6) return "Use at least six different characters";
  const rest = names.reduce(
    (text, name) => (name.length > 2 ? text.replaceAll(name.toLowerCase(), "") : text),
    password.toLowerCase(),
  );
  if (Array.from(rest).length < limits.passwordCharactersMin / 2) return "Use words that are not your name";
  return null;
}
