/**
 * A witness: says of a log that it only grew, and says it of one tree of each size. Whoever sees its line knows that nobody
 * was shown another tree. @see https://c2sp.org/tlog-witness
 */
import {
  type Checkpoint,
  formatNote,
  isBy,
  judgeSignature,
  type Note,
  PassportError,
  parseCheckpoint,
  parseNote,
  parseSignatureLines,
  type VerifierKey,
} from "@freehold/client/registry";
import type { Log } from "../../log.ts";
import { type CheckpointSigner, verifyMlDsa44 } from "../log/signer.ts";
import { isContradiction, judgeTree } from "./judge.ts";
import { type Evidence, hashOfOrigin, type LogMemory, type WitnessMemory } from "./memory.ts";
import { type AddCheckpoint, parseAddCheckpoint, SIZE_TYPE } from "./wire.ts";

/** What a witness answers. */
export interface WitnessAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Keys of a log by its origin; none for a log that is not followed. */
export type LogKeys = (origin: string) => Promise<readonly VerifierKey[]>;

export interface WitnessOptions {
  /** One for each kind of cosignature, all of one name. */
  readonly signers: readonly CheckpointSigner[];
  readonly logKeys: LogKeys;
  readonly memory: WitnessMemory;
  readonly now: () => Date;
  readonly log: Log;
}

export interface Witness {
  /** @param text The request's body. */
  addCheckpoint(text: string): Promise<WitnessAnswer>;
  /** The newest checkpoint that was cosigned here. @param hash SHA-256 of the origin, in hexadecimal. */
  checkpoint(hash: string): Promise<string | null>;
  evidence(): Promise<readonly Evidence[]>;
}

const TEXT = "text/plain; charset=utf-8";
const CLOCK_BACK_SECONDS_MAX = 300; // A clock is set now and then; one that lost a day would say what was not so.

const say = (status: number, reason: string): WitnessAnswer => ({ status, type: TEXT, body: `${reason}\n` });

interface Received extends AddCheckpoint {
  readonly parsed: Note;
  readonly tree: Checkpoint;
}

function readRequest(
  text: string,
): (Received & { readonly path: Parameters<typeof judgeTree>[1]["path"] }) | string {
  const request = parseAddCheckpoint(text);
  if (!request) return "The request is not an old size, a proof, an empty line and a checkpoint";
  try {
    const parsed = parseNote(request.note);
    return { ...request, parsed, tree: parseCheckpoint(parsed.body) };
  } catch (error) {
    if (!(error instanceof PassportError)) throw error;
    return error.detail;
  }
}

export function createWitness({ signers, logKeys, memory, now, log }: WitnessOptions): Witness {
  /** One request for each log at a time: what was seen must not change between the check and the record. */
  const turns = new Map<string, Promise<unknown>>();

  function inTurn<T>(hash: string, work: () => Promise<T>): Promise<T> {
    const next = (turns.get(hash) ?? Promise.resolve()).then(work, work);
    const done = next.then(
      () => undefined,
      () => undefined,
    );
    turns.set(hash, done);
    void done.then(() => {
      if (turns.get(hash) === done) turns.delete(hash);
    });
    return next;
  }

  /** The lines of the log itself, all of which hold. @returns a reason when it has not signed. */
  async function linesOfLog(note: Note, keys: readonly VerifierKey[]): Promise<Note | string> {
    const kinds = await Promise.all(
      keys.map(async (key) => (await judgeSignature(note, key, { verifyMlDsa44 })).kind),
    );
    if (kinds.includes("forged")) return "A signature that names the log's key does not hold";
    const signed = keys.filter((_, index) => kinds[index] === "valid");
    if (signed.length === 0) return "The log has not signed this checkpoint";
    const signatures = note.signatures.filter((one) => signed.some((key) => isBy(one, key)));
    return { body: note.body, signatures };
  }

  /** @returns null while the clock is behind what was signed already. */
  function timeAfter(seen: LogMemory | null): number | null {
    const time = Math.floor(now().getTime() / 1_000);
    if (!seen || seen.time <= time) return time;
    return seen.time - time <= CLOCK_BACK_SECONDS_MAX ? seen.time : null;
  }

  async function keepEvidence(seen: LogMemory, note: Note, { origin, size }: Checkpoint): Promise<void> {
    log.error("registry.witness-contradiction", { size });
    const second = formatNote(note);
    await memory.addEvidence({ origin, size, at: now().getTime(), first: seen.note, second });
  }

  async function sign(
    seen: LogMemory | null,
    note: Note,
    { origin, size, root }: Checkpoint,
  ): Promise<WitnessAnswer> {
    const time = timeAfter(seen);
    if (time === null) {
      log.error("registry.witness-clock", { seconds: seen?.time });
      return say(503, "The clock of this witness is behind what it has signed");
    }
    const lines = signers.map((signer) => signer.lineAt(note.body, time)).join("");
    const signatures = [...note.signatures, ...parseSignatureLines(lines)];
    // Also when the tree is the same: what an earlier failure left behind may not be on disk yet.
    await memory.write({ origin, size, root, time, note: formatNote({ body: note.body, signatures }) });
    return { status: 200, type: TEXT, body: lines }; // Only now does a line leave.
  }

  return {
    async addCheckpoint(text) {
      const request = readRequest(text);
      if (typeof request === "string") return say(400, request);
      const { tree, parsed } = request;
      const keys = await logKeys(tree.origin);
      if (keys.length === 0) return say(404, "This log is not followed here");
      const note = await linesOfLog(parsed, keys);
      if (typeof note === "string") return say(403, note);
      const hash = hashOfOrigin(tree.origin);
      return inTurn(hash, async () => {
        const seen = await memory.read(hash);
        if (seen && isContradiction(seen, tree)) await keepEvidence(seen, note, tree);
        const verdict = await judgeTree(seen, request, tree);
        if (verdict.kind === "conflict") return { status: 409, type: SIZE_TYPE, body: `${verdict.size}\n` };
        if (verdict.kind === "refused") return say(verdict.status, verdict.reason);
        return sign(seen, note, tree);
      });
    },
    checkpoint: async (hash) => (await memory.read(hash))?.note ?? null,
    evidence: () => memory.evidence(),
  };
}
