/** Signatures on a checkpoint: the zone's own, its own cosignature, and those of its witnesses until the quorum stands. */
import { setTimeout as pause } from "node:timers/promises";
import {
  formatVerifierKey,
  judgePolicy,
  type Policy,
  type PolicyJudgement,
  parseNote,
  parsePolicy,
  parseSignatureLines,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { lightNote } from "../log/light.ts";
import { type CheckpointSigner, createSigner, verifyMlDsa44 } from "../log/signer.ts";
import type { AskWitnesses, ZoneDeps } from "./deps.ts";
import type { ZoneKeys } from "./keys.ts";
import type { Tree } from "./lock.ts";

/** Seconds after which a quorum is made anew, though nothing has changed: a day's margin for who reads, four for payments. */
export const RENEW_SECONDS = 15 * 60;

const RETRY_MS_FIRST = 250; // A witness that restarts is asked soon …
const RETRY_MS_MAX = 15_000; // … and one that is gone not all the time.

/** Consistency from a smaller size, by the tiles. */
export type Prove = (tree: Tree, from: number) => Promise<readonly Uint8Array[]>;

export interface Cosigning {
  /** Signs, and asks until the quorum stands. @throws Problem `unavailable` when it is closed meanwhile. */
  gather(tree: Tree, body: string): Promise<string>;
  /** Signs with the time of now, and asks once. @returns null when the quorum did not come together. */
  once(tree: Tree, body: string): Promise<string | null>;
  /** Without what answers need not carry: see `log/light.ts`. */
  light(note: string): Promise<string>;
  /** Seconds since 1970 as of which the quorum stands; infinity where none is asked for, null where it does not stand. */
  asOf(note: string): Promise<number | null>;
  close(): void;
}

export async function createCosigning(
  deps: Pick<ZoneDeps, "now" | "log" | "origin" | "keys" | "name"> & {
    readonly policy: string;
    readonly witnesses?: AskWitnesses;
    readonly prove: Prove;
  },
): Promise<Cosigning> {
  const { now, log, keys, witnesses, prove } = deps;
  const policy: Policy = { ...(await parsePolicy(deps.policy)), logs: [] }; // The log is known from the root's record.
  const closed = new AbortController();
  const cosigner = await createSigner({
    name: ownWitnessName(deps.origin),
    type: 4,
    seed: keys.witness.seed,
    now,
  });
  const signers = new Map<string, Promise<CheckpointSigner>>();

  const signerOf = (origin: string): Promise<CheckpointSigner> => {
    const known = signers.get(origin) ?? createSigner({ name: origin, type: 1, seed: keys.log.seed, now });
    signers.set(origin, known);
    return known;
  };
  const judge = (note: string): Promise<PolicyJudgement> =>
    judgePolicy(policy, parseNote(note), { now: now().getTime(), maxAgeSeconds: Infinity, verifyMlDsa44 });

  /** @param lines What witnesses have signed so far, by their keys: theirs of now take the place of older ones. */
  async function attempt(
    tree: Tree,
    body: string,
    lines = new Map<string, string>(),
  ): Promise<{ readonly note: string; readonly isMet: boolean }> {
    const time = Math.floor(now().getTime() / 1_000);
    const signer = await signerOf(tree.origin);
    const own = `${body}\n${signer.lineAt(body, time)}${cosigner.lineAt(body, time)}`;
    const judged = async (note: string) => ({ note, isMet: (await judge(note)).isMet });
    const alone = await judged(own);
    if (alone.isMet || !witnesses) return alone;
    const answers = await witnesses({
      origin: tree.origin,
      size: tree.size,
      note: own,
      prove: (from) => prove(tree, from),
      signal: closed.signal,
    });
    for (const line of answers) {
      const [signature] = parseSignatureLines(line);
      if (signature) lines.set(`${signature.name}+${signature.id}`, line);
    }
    return judged(own + [...lines.values()].join(""));
  }

  return {
    async gather(tree, body) {
      const lines = new Map<string, string>();
      for (let waitMs = RETRY_MS_FIRST; ; waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)) {
        const { note, isMet } = await attempt(tree, body, lines);
        if (isMet) return note;
        log.warn("registry.quorum", { zone: deps.name, size: tree.size });
        await pause(waitMs, undefined, { signal: closed.signal, ref: false }).catch(() => undefined);
        if (closed.signal.aborted) throw new Problem("unavailable", "The registry is closing");
      }
    },
    async once(tree, body) {
      const { note, isMet } = await attempt(tree, body);
      return isMet ? note : null;
    },
    light: (note) => lightNote(note, policy),
    async asOf(note) {
      return policy.quorum === "none" ? Infinity : (await judge(note)).asOf;
    },
    close: () => closed.abort(),
  };
}

/** The name under which a zone cosigns its own log. */
const ownWitnessName = (origin: string): string => `${origin}/witness`;

/** The policy of a zone that has no other witnesses: who trusts it trusts the zone alone. */
export async function ownPolicy(keys: Pick<ZoneKeys, "witness">, origin: string): Promise<string> {
  return `${await ownWitnessLine(keys, origin)}quorum self\n`;
}

/** The line of a policy that makes a zone its own witness, by the name `self`. */
export async function ownWitnessLine(keys: Pick<ZoneKeys, "witness">, origin: string): Promise<string> {
  const { key } = await createSigner({
    name: ownWitnessName(origin),
    type: 4,
    seed: keys.witness.seed,
    now: () => new Date(),
  });
  return `witness self ${formatVerifierKey(key)}\n`;
}
