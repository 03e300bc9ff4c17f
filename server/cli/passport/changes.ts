/** Commands that change a passport. Each writes down what it needs, sends, and says what has become of it. */
import { readFile } from "node:fs/promises";
import {
  FreeholdError,
  portStandingOf,
  trustOf,
  type WaitingOperation,
  waitingOperation,
} from "@freehold/client";
import {
  type Bundle,
  type DataOperation,
  deactivatePassport,
  erasePassport,
  hashOfKey,
  importRecoveryFile,
  isZone,
  type KeyPair,
  type Lock,
  lockPassport,
  type Move,
  type PassportKeys,
  type PassportState,
  portPassport,
  reactivatePassport,
  recoverPassport,
  rotatePassport,
  type Signed,
  unlockPassport,
  vetoPassport,
} from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { flagOf, type ProgramCommand, type ProgramInput } from "../program.ts";
import { begin, DELEGATE_FLAG, delegateOf } from "./begin.ts";
import { carry, carryToZone, putInOrder, resume, speak, speakAgain, veto } from "./carry.ts";
import {
  type Holder,
  keysOfToday,
  openHolder,
  type Present,
  REGISTRY_FLAG,
  registryOf,
  signersOf,
} from "./holder.ts";
import { stepOf } from "./kept.ts";
import { sending, sponsor, transfer } from "./sponsoring.ts";

/** An operation by the keys of today that brings none. */
function simple(
  name: string,
  about: string,
  make: (state: PassportState, signers: readonly KeyPair[], input: ProgramInput) => Promise<Signed>,
  more: Pick<ProgramCommand, "flags"> & {
    /** In words: that it is so already. */
    readonly isSo?: (state: PassportState, input: ProgramInput) => string | null;
  } = {},
): ProgramCommand {
  return {
    name,
    usage: "[file]",
    about,
    flags: { ...more.flags, ...REGISTRY_FLAG },
    async run(input) {
      const { holder, present } = await begin(input, input.args[0]);
      const { state } = present.passport;
      const so = more.isSo?.(state, input) ?? null;
      if (so !== null) {
        input.say(so);
        return 0;
      }
      const signers = signersOf(holder.kept.imported(), state);
      await carryToZone(input, holder, present, await make(state, signers, input));
      return 0;
    },
  };
}

const LOCKS: readonly Lock[] = ["transfer", "port"];

function locksOf(input: ProgramInput): readonly Lock[] {
  const named = input.flags["only"] ?? LOCKS;
  return named.map((name) => {
    const lock = LOCKS.find((one) => one === name);
    if (!lock) throw new OperatorError(`--only ${name} is no lock; there are ${LOCKS.join(" and ")}`);
    return lock;
  });
}

const ONLY_FLAG = { only: "This lock alone: transfer or port" } as const;

const rotate: ProgramCommand = {
  name: "rotate",
  usage: "[file]",
  about: "Put the promised keys in force and promise new ones: whoever had the former keys is out",
  flags: { ...DELEGATE_FLAG, ...REGISTRY_FLAG },
  async run(input) {
    const { holder, present } = await begin(input, input.args[0]);
    const { state } = present.passport;
    const { kept } = holder;
    const keys = keysOfToday(kept.imported(), state) ?? kept.imported().keys;
    const promised = await Promise.all(keys.next.map(({ key }) => hashOfKey(key)));
    if (!promised.some((hash) => state.head.next.hashes.includes(hash)))
      throw new OperatorError(
        "This file has none of the keys that the passport has promised. Use the newest file; without one, freehold passport recover.",
      );
    const { rotateOp, both } = await rotatePassport(state, keys, input.now(), delegateOf(input));
    const standing = await carryToZone(input, holder, present, rotateOp, both);
    const isSameHost = flagOf(input, "delegate") === undefined;
    if (standing.state === "effective" && isSameHost) await speakAgain(input, holder, present.passport.data);
    else if (standing.state === "effective")
      input.say(
        "next     The new host says where the passport leads; or say it yourself: freehold passport move",
      );
    return 0;
  },
};

/** Guardians may keep their keys in files of their own. */
async function guardiansOf(input: ProgramInput, keys: PassportKeys): Promise<PassportKeys> {
  const more = await Promise.all(
    (input.flags["guardian"] ?? []).map(
      async (path) => (await importRecoveryFile(await readFile(path, "utf8"))).keys,
    ),
  );
  const all = [keys, ...more].flatMap(({ recovery }) => recovery);
  const apart = new Map(all.map((pair) => [pair.key, pair]));
  return { ...keys, recovery: [...apart.values()] };
}

const recover: ProgramCommand = {
  name: "recover",
  usage: "[file]",
  about:
    "Get a passport back with its recovery keys alone; it waits, so that its owner could end what a thief began",
  flags: { guardian: "Another file with recovery keys", ...DELEGATE_FLAG, ...REGISTRY_FLAG },
  async run(input) {
    const { holder, present } = await begin(input, input.args[0]);
    const { state } = present.passport;
    const keys = await guardiansOf(input, holder.kept.imported().keys);
    const hashes = await Promise.all(keys.recovery.map(({ key }) => hashOfKey(key)));
    const count = hashes.filter((hash) => state.head.recovery.hashes.includes(hash)).length;
    if (count < state.head.recovery.threshold)
      throw new OperatorError(
        `${state.head.recovery.threshold} recovery keys must sign, and ${count} are here. Name the files of other guardians: --guardian …`,
      );
    const { recoverOp, both } = await recoverPassport(state, keys, input.now(), delegateOf(input));
    await carryToZone(input, holder, present, recoverOp, both);
    return 0;
  },
};

const port: ProgramCommand = {
  name: "port",
  usage: "<zone> [file]",
  about:
    "Move to another zone: it agrees, the root orders it after five days, and the zone that is left has no say",
  flags: { ...REGISTRY_FLAG },
  async run(input) {
    const [zone = "", named] = input.args;
    if (!isZone(zone))
      throw new OperatorError(`${JSON.stringify(zone)} is no zone. It is two characters, such as ch.`);
    const { holder, present } = await begin(input, named);
    const { state } = present.passport;
    const { record } = await trustOf(registryOf(present, holder.options), holder.options);
    const to = Object.hasOwn(record.zones, zone) ? record.zones[zone]?.urls[0] : undefined;
    if (to === undefined) throw new OperatorError(`The root's record names no zone ${zone}.`);
    if (state.head.locks.includes("port"))
      throw new OperatorError(
        "The passport is locked. Open the lock first, which takes three days: freehold passport unlock",
      );
    const signed = await portPassport(state, signersOf(holder.kept.imported(), state), zone);
    const url = `${registryOf(present, holder.options)}v1/passports/${holder.id}`;
    const bundle = (await (await fetch(url, { signal: input.signal })).json()) as Bundle;
    await carry(input, holder, await stepOf(to, signed, bundle));
    return 0;
  },
};

const REDIRECT_MONTHS = 24; // As long as a host that is left owes its people a redirect.
const MOVES_MAX = 16;
const toSecond = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, "Z");

/** The record that leads elsewhere: former places stay in it, so that old links are followed. */
function moved(
  before: DataOperation | null,
  url: string,
  at: Date,
): Pick<DataOperation, "storage" | "moved"> {
  const from = before?.storage[0]?.url;
  const until = new Date(at);
  until.setUTCMonth(until.getUTCMonth() + REDIRECT_MONTHS);
  const move: Move | null =
    from === undefined || from === url
      ? null
      : { from, to: url, at: toSecond(at), redirectUntil: toSecond(until) };
  return {
    storage: [{ id: "#pod", url }, ...(before?.storage.slice(1) ?? [])],
    moved: [...(before?.moved ?? []), ...(move ? [move] : [])].slice(-MOVES_MAX),
  };
}

const move: ProgramCommand = {
  name: "move",
  usage: "<pod> [file]",
  about:
    "Say where the pod is now; old links are followed, and with --delegate the new host may keep it true",
  flags: {
    webid: "The WebID from now on; may be given again",
    issuer: "The log-in service from now on",
    ...DELEGATE_FLAG,
    ...REGISTRY_FLAG,
  },
  async run(input) {
    const [pod = "", named] = input.args;
    if (!URL.canParse(pod) || !pod.endsWith("/"))
      throw new OperatorError(
        `${pod} is no pod's address. It ends in a slash, such as https://pods.example/ana/`,
      );
    const { holder, present } = await begin(input, named);
    const before = present.passport.data;
    if (flagOf(input, "delegate") !== undefined) {
      const { kept } = holder;
      const keys = keysOfToday(kept.imported(), present.passport.state) ?? kept.imported().keys;
      const { rotateOp, both } = await rotatePassport(
        present.passport.state,
        keys,
        input.now(),
        delegateOf(input),
      );
      await carryToZone(input, holder, present, rotateOp, both);
    }
    const webid = input.flags["webid"];
    const issuer = flagOf(input, "issuer");
    await speak(input, holder, await holder.look(), before, {
      ...moved(before, pod, input.now()),
      ...(webid && { webid }),
      ...(issuer !== undefined && { oidc: issuer }),
    });
    return 0;
  },
};

/** What waits at the zone; a port waits at the root, and is in the notes of whoever sent it. */
async function waitingFor(
  holder: Holder,
  present: Present,
  signal: AbortSignal,
): Promise<WaitingOperation | null> {
  const registry = registryOf(present, holder.options);
  const waiting = await waitingOperation(registry, holder.id, { signal });
  if (waiting) return waiting;
  const sent = holder.kept.steps().find(({ signed }) => signed.op.t === "port");
  const { record } = await trustOf(registry, holder.options);
  for (const root of sent ? record.root.urls : []) {
    const standing = await portStandingOf(root, sent?.hash ?? "", { signal });
    if (standing?.state === "pending") return { hash: sent?.hash ?? "", type: "port", until: standing.until };
  }
  return null;
}

const vetoing: ProgramCommand = {
  name: "veto",
  usage: "[file]",
  about: "End what waits: a recovery, an unlocking, a port, an erasure, or new guardians, whoever began it",
  flags: { operation: "Hash of the operation, where it is known", ...REGISTRY_FLAG },
  async run(input) {
    const holder = await openHolder(input, input.args[0]);
    const present = await holder.look();
    await putInOrder(holder, present);
    const { state } = present.passport;
    const of = flagOf(input, "operation") ?? (await waitingFor(holder, present, input.signal))?.hash;
    if (of === undefined) {
      input.say("Nothing waits: there is nothing to end.");
      return 0;
    }
    await veto(
      input,
      holder,
      present,
      await vetoPassport(state, signersOf(holder.kept.imported(), state), of),
    );
    for (const step of holder.kept.steps()) if (step.hash === of) await holder.kept.giveUp(step, input.now());
    return 0;
  },
};

const resuming: ProgramCommand = {
  name: "resume",
  usage: "[file]",
  about:
    "Take up what broke off or waited: send it if it never arrived, and put the keys in order when it counts",
  flags: { ...REGISTRY_FLAG },
  async run(input) {
    const holder = await openHolder(input, input.args[0]);
    const had = holder.kept.steps();
    const waiting = await resume(input, holder);
    if (had.length === 0) input.say("Nothing was left to do.");
    const erased = had.some(({ signed }) => signed.op.t === "erase") && waiting === 0;
    if (erased) return 0;
    const present = await holder.look().catch((error: unknown) => {
      if (error instanceof FreeholdError && error.code === "not-found") return null;
      throw error;
    });
    if (present) await putInOrder(holder, present);
    return 0;
  },
};

export const CHANGES: readonly ProgramCommand[] = [
  rotate,
  recover,
  simple(
    "lock",
    "Close the locks at once: nobody can take the passport to another registrar or zone",
    (state, signers, input) => lockPassport(state, signers, locksOf(input)),
    {
      flags: ONLY_FLAG,
      isSo: ({ head }, input) =>
        locksOf(input).every((lock) => head.locks.includes(lock)) ? "The locks are closed already." : null,
    },
  ),
  simple(
    "unlock",
    "Open the locks; it waits for three days",
    (state, signers, input) => unlockPassport(state, signers, locksOf(input)),
    {
      flags: ONLY_FLAG,
      isSo: ({ head }, input) =>
        locksOf(input).some((lock) => head.locks.includes(lock)) ? null : "The locks are open already.",
    },
  ),
  transfer,
  sponsor,
  sending,
  port,
  move,
  simple(
    "deactivate",
    "Put the passport to rest: it leads nowhere until it is reactivated",
    deactivatePassport,
    { isSo: ({ deactivated }) => (deactivated ? "It is at rest already." : null) },
  ),
  simple("reactivate", "Wake it again", reactivatePassport, {
    isSo: ({ deactivated }) => (deactivated ? null : "It is awake already."),
  }),
  vetoing,
  simple(
    "erase",
    "End the passport for ever, with all that the registry has of it; it waits for three days",
    erasePassport,
  ),
  resuming,
];
