/** Who must have cosigned a checkpoint before it is believed. @see https://c2sp.org/tlog-policy */
import { PassportError } from "../passport/verify.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { judgeSignature, type SignatureOptions } from "./cosignature.ts";
import { isSameKey, type Note, parseVerifierKey, type VerifierKey } from "./note.ts";

export interface PolicyLog {
  readonly key: VerifierKey;
  readonly url: string | null;
}

export interface PolicyWitness {
  readonly name: string;
  readonly key: VerifierKey;
  /** Submission prefix: `add-checkpoint` stands below it. */
  readonly url: string | null;
}

export interface PolicyGroup {
  readonly name: string;
  /** At least this many members. */
  readonly least: number;
  readonly members: readonly string[];
}

export interface Policy {
  /** Any of them may have signed; none are named where the log is known otherwise. */
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** In their order: each is made of witnesses and of groups before it. */
  readonly groups: readonly PolicyGroup[];
  /** A witness, a group, or `none`. */
  readonly quorum: string;
}

const POLICY_CHARACTERS_MAX = 256 * 1024; // The witnesses below, each with a key of the longest kind.
const LINES_OF_A_KIND_MAX = 128; // A policy should take 32 of each.
const AHEAD_SECONDS_MAX = 300; // Clocks differ.

const broken = (line: number, detail: string): PassportError =>
  new PassportError("policy", `Line ${line + 1}: ${detail}`);

interface Draft {
  readonly logs: PolicyLog[];
  readonly witnesses: PolicyWitness[];
  readonly groups: PolicyGroup[];
  /** Names that are defined, and whether they are in a group already. */
  readonly names: Map<string, "free" | "taken">;
  quorum: string | null;
}

/** @returns what is wrong with the line, or null. */
type ReadLine = (words: readonly string[], draft: Draft) => string | null | Promise<string | null>;

const READERS: Readonly<Record<string, ReadLine>> = { log, witness, group, quorum };

async function log([vkey, url, ...rest]: readonly string[], draft: Draft): Promise<string | null> {
  if (vkey === undefined || rest.length > 0) return "log <vkey> [<url>]";
  const key = await parseVerifierKey(vkey);
  if (draft.logs.some((one) => isSameKey(one.key, key))) return "the log is named twice";
  draft.logs.push({ key, url: url ?? null });
  return null;
}

async function witness(words: readonly string[], draft: Draft): Promise<string | null> {
  const [name, vkey, url, ...rest] = words;
  if (name === undefined || vkey === undefined || rest.length > 0) return "witness <name> <vkey> [<url>]";
  const key = await parseVerifierKey(vkey);
  if (key.type === 1) return "a witness signs with a time: its key is of type 4 or 6";
  if (draft.witnesses.some((one) => isSameKey(one.key, key))) return "the witness is named twice";
  if (!define(name, draft)) return `the name ${name} is taken`;
  draft.witnesses.push({ name, key, url: url ?? null });
  return null;
}

function group([name, k, ...members]: readonly string[], draft: Draft): string | null {
  if (name === undefined || k === undefined || members.length === 0)
    return "group <name> all|any|<k> <name>…";
  const least = { all: members.length, any: 1 }[k] ?? (/^[1-9][0-9]{0,3}$/.test(k) ? Number(k) : 0);
  if (least < 1 || least > members.length) return `${k} of ${members.length} cannot be`;
  for (const member of members) {
    if (draft.names.get(member) !== "free") return `${member} is not defined above, or is in a group already`;
    draft.names.set(member, "taken");
  }
  if (!define(name, draft)) return `the name ${name} is taken`;
  draft.groups.push({ name, least, members });
  return null;
}

function quorum([name, ...rest]: readonly string[], draft: Draft): string | null {
  if (name === undefined || rest.length > 0) return "quorum <name>";
  if (draft.quorum !== null) return "there is one quorum only";
  if (name !== "none" && !draft.names.has(name)) return `${name} is not defined above`;
  draft.quorum = name;
  return null;
}

function define(name: string, draft: Draft): boolean {
  if (name === "none" || draft.names.has(name)) return false;
  draft.names.set(name, "free");
  return true;
}

/** @throws PassportError `policy` that names the line, or `note` for a key. */
export async function parsePolicy(text: string): Promise<Policy> {
  // oxlint-disable-next-line no-control-regex -- control characters are what policies must not hold
  if (text.length > POLICY_CHARACTERS_MAX || /[\u0000-\u0008\u000b-\u001f\u007f]/.test(text))
    throw new PassportError("policy", "It is too long, or holds a character that no policy has");
  const draft: Draft = { logs: [], witnesses: [], groups: [], names: new Map(), quorum: null };
  for (const [index, line] of text.split("\n").entries()) {
    const [kind, ...words] = line.split(/[ \t]+/).filter((word) => word !== "");
    if (kind === undefined || kind.startsWith("#")) continue;
    const read = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
    const flaw = read ? await read(words, draft) : `${kind} means nothing here`;
    if (flaw !== null) throw broken(index, flaw);
    if ([draft.logs, draft.witnesses, draft.groups].some((kinds) => kinds.length > LINES_OF_A_KIND_MAX))
      throw broken(index, `there are more than ${LINES_OF_A_KIND_MAX} of them`);
  }
  const { logs, witnesses, groups, quorum: name } = draft;
  if (name === null) throw new PassportError("policy", "It has no quorum");
  return { logs, witnesses, groups, quorum: name };
}

/**
 * The latest moment of which the quorum stands: enough witnesses have cosigned at that moment or after.
 * @param times When each witness, by its name in the policy, has cosigned; any unit.
 * @returns null where it is not met; positive infinity where none is asked for.
 */
export function quorumTime(policy: Policy, times: ReadonlyMap<string, number>): number | null {
  if (policy.quorum === "none") return Number.POSITIVE_INFINITY;
  const known = new Map<string, number>(times);
  for (const { name, least, members } of policy.groups) {
    const found = members.flatMap((member) => known.get(member) ?? []).toSorted((a, b) => b - a);
    const time = found[least - 1]; // So many are as late as this, or later.
    if (time !== undefined) known.set(name, time);
  }
  return known.get(policy.quorum) ?? null;
}

export interface PolicyOptions extends SignatureOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Infinity asks for a quorum of any age; `asOf` tells it then. */
  readonly maxAgeSeconds: number;
}

export interface PolicyJudgement {
  /**
   * The quorum stands, and all of it is young enough. One fresh line does not do: a zone that cosigns its own log could
   * keep an old tree fresh for ever, while the others refuse to sign it again once they have seen a newer one.
   */
  readonly isMet: boolean;
  /** Seconds since 1970 of the newest cosignature that holds. */
  readonly newest: number | null;
  /** Seconds since 1970: what {@link quorumTime} says of the cosignatures that hold. */
  readonly asOf: number | null;
  /** Witnesses, by their names in the policy, whose cosignatures hold. */
  readonly by: readonly string[];
}

async function isOfLog(policy: Policy, note: Note, options: SignatureOptions): Promise<boolean> {
  if (policy.logs.length === 0) return true;
  const { origin } = parseCheckpoint(note.body);
  for (const { key } of policy.logs) {
    if (key.name === origin && (await judgeSignature(note, key, options)).kind === "valid") return true;
  }
  return false;
}

/** A line that says it is of a known key and is not spoils the whole note, as the specification of notes asks. */
export async function judgePolicy(
  policy: Policy,
  note: Note,
  options: PolicyOptions,
): Promise<PolicyJudgement> {
  const seconds = Math.floor(options.now / 1_000);
  const times = new Map<string, number>();
  const judgements = await Promise.all(
    policy.witnesses.map(async ({ name, key }) => [name, await judgeSignature(note, key, options)] as const),
  );
  for (const [name, judgement] of judgements) {
    if (
      judgement.kind === "valid" &&
      judgement.time !== null &&
      judgement.time <= seconds + AHEAD_SECONDS_MAX
    )
      times.set(name, judgement.time);
  }
  const asOf = quorumTime(policy, times);
  const isSound =
    judgements.every(([, { kind }]) => kind !== "forged") && (await isOfLog(policy, note, options));
  return {
    isMet: isSound && asOf !== null && asOf >= seconds - options.maxAgeSeconds,
    newest: times.size === 0 ? null : Math.max(...times.values()),
    asOf: asOf !== null && Number.isFinite(asOf) ? asOf : null,
    by: [...times.keys()],
  };
}
