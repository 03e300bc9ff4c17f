/** Signed notes: a text and the lines of those who sign it. @see https://c2sp.org/signed-note */
import { base64 } from "@scure/base";
import { type Bytes, sameBytes, sha256, utf8 } from "../passport/bytes.ts";
import { decodeKey, encodeKey } from "../passport/key.ts";
import { PassportError } from "../passport/verify.ts";
import { concat } from "./merkle.ts";

/** 1: Ed25519 over the text; 4: Ed25519 with a time, over a checkpoint; 6: ML-DSA-44 with a time, over a checkpoint. */
export type SignatureType = 1 | 4 | 6;

export interface NoteSignature {
  readonly name: string;
  /** First four bytes of a hash of the key: a hint which key it was, not a proof. */
  readonly id: number;
  /** What follows the id: the signature itself, in types 4 and 6 after eight bytes of time. */
  readonly bytes: Bytes;
}

export interface Note {
  /** With its last newline. */
  readonly body: string;
  /** In their order; whoever is not known is to be ignored. */
  readonly signatures: readonly NoteSignature[];
}

/** A public key with the name it signs under. */
export interface VerifierKey {
  readonly name: string;
  readonly type: SignatureType;
  readonly key: Bytes;
  readonly id: number;
}

/** Whoever can sign notes. `sign` gives what follows the key's id in the line. */
export interface NoteSigner {
  readonly key: VerifierKey;
  sign(body: string): Bytes | Promise<Bytes>;
}

const NOTE_CHARACTERS_MAX = 256 * 1024; // The signatures below, most of them of the longest kind.
const NOTE_SIGNATURES_MAX = 64; // Verifiers must take at least 16.
const SIGN = "— "; // An em dash, U+2014.
const KEY_BYTES: Readonly<Record<SignatureType, number>> = { 1: 32, 4: 32, 6: 1312 };

const broken = (detail: string): PassportError => new PassportError("note", detail);

/** @returns null unless `text` is the one canonical spelling, padding and all. */
export function decodeBase64(text: string): Bytes | null {
  try {
    const bytes = new Uint8Array(base64.decode(text));
    return base64.encode(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

export const encodeBase64 = (bytes: Uint8Array): string => base64.encode(bytes);

// oxlint-disable-next-line no-control-regex -- control characters are what notes must not hold
const hasControl = (text: string): boolean => /[\u0000-\u0009\u000b-\u001f]/.test(text);

// oxlint-disable-next-line no-control-regex -- nor may names
const isName = (text: string): boolean => /^[^\p{White_Space}+\u0000-\u001f]+$/u.test(text);

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);

function bytesOf(id: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

function parseLine(line: string): NoteSignature {
  const [name = "", text = "", ...rest] = line.slice(SIGN.length).split(" ");
  const bytes = decodeBase64(text);
  if (!line.startsWith(SIGN) || rest.length > 0 || !isName(name) || !bytes || bytes.length < 5)
    throw broken("A signature's line is not well formed");
  return { name, id: numberOf(bytes), bytes: bytes.slice(4) };
}

/** Lines of signatures alone, as witnesses answer with them. @throws PassportError `note` */
export function parseSignatureLines(text: string): readonly NoteSignature[] {
  if (text === "" || !text.endsWith("\n")) throw broken("It does not end with a whole line of a signature");
  if (text.length > NOTE_CHARACTERS_MAX) throw broken(`It has more than ${NOTE_CHARACTERS_MAX} characters`);
  const lines = text.slice(0, -1).split("\n");
  if (lines.length > NOTE_SIGNATURES_MAX) throw broken(`It has more than ${NOTE_SIGNATURES_MAX} signatures`);
  return lines.map(parseLine);
}

/** Says nothing yet about whether a signature holds. @throws PassportError `note` */
export function parseNote(text: string): Note {
  if (text.length > NOTE_CHARACTERS_MAX) throw broken(`It has more than ${NOTE_CHARACTERS_MAX} characters`);
  if (!text.isWellFormed() || hasControl(text)) throw broken("It holds a character that no note has");
  const end = text.lastIndexOf("\n\n");
  if (end === -1) throw broken("No empty line parts the text from its signatures");
  return { body: text.slice(0, end + 1), signatures: parseSignatureLines(text.slice(end + 2)) };
}

/** The line of one signature, with its newline. */
export const signatureLine = ({ name, id, bytes }: NoteSignature): string =>
  `${SIGN}${name} ${encodeBase64(concat(bytesOf(id), bytes))}\n`;

export const formatNote = ({ body, signatures }: Note): string =>
  `${body}\n${signatures.map(signatureLine).join("")}`;

/** @param body Ends in a newline. */
export async function signNote(body: string, signers: readonly NoteSigner[]): Promise<string> {
  if (!body.endsWith("\n") || hasControl(body) || !body.isWellFormed())
    throw new Error("This text cannot be a note's");
  const signatures = signers.map(async (signer) => {
    const { name, id } = signer.key;
    return { name, id, bytes: await signer.sign(body) };
  });
  return formatNote({ body, signatures: await Promise.all(signatures) });
}

/** @throws PassportError `note` for a name that cannot be, or a key that is none. */
export async function verifierKeyOf(name: string, type: SignatureType, key: Bytes): Promise<VerifierKey> {
  if (!isName(name) || !name.isWellFormed()) throw broken("A key's name is empty or holds a space or a plus");
  if (key.length !== KEY_BYTES[type]) throw broken(`A key of type ${type} has ${KEY_BYTES[type]} bytes`);
  if (type !== 6 && decodeKey(encodeKey(key)) === null) throw broken("It is no sound Ed25519 key");
  const id = numberOf(await sha256(concat(utf8(name), Uint8Array.of(0x0a, type), key)));
  return { name, type, key, id };
}

/** Reads `name+id+key`. @throws PassportError `note`; also for types that are not known here. */
export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const [, name, id, rest] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su.exec(text) ?? [];
  const bytes = rest === undefined ? null : decodeBase64(rest);
  if (name === undefined || !bytes) throw broken("A verifier key is name+id+key");
  const type = bytes[0];
  if (type !== 1 && type !== 4 && type !== 6) throw broken(`Keys of type ${type} are not known here`);
  const key = await verifierKeyOf(name, type, bytes.slice(1));
  if (key.id !== Number.parseInt(id ?? "", 16))
    throw broken("The key's id is not the hash of its name and key");
  return key;
}

export const formatVerifierKey = ({ name, type, key, id }: VerifierKey): string =>
  `${name}+${id.toString(16).padStart(8, "0")}+${encodeBase64(concat(Uint8Array.of(type), key))}`;

/** Whether a line claims to be of this key. */
export const isBy = (signature: NoteSignature, key: VerifierKey): boolean =>
  signature.name === key.name && signature.id === key.id;

/** The same secret, whatever name or type it signs under. */
export const isSameKey = (a: VerifierKey, b: VerifierKey): boolean => sameBytes(a.key, b.key);
