/** What happens to a passport, in words for the person it belongs to. */
import type { Standing, WaitingOperation } from "@freehold/client";
import { groupId, type OperationType } from "@freehold/client/registry";
import type { Present } from "./holder.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** What an operation brings while it waits, and what it has brought when it counts. */
const MEANING: Readonly<Partial<Record<OperationType, readonly [waiting: string, done: string]>>> = {
  create: ["", "The passport is registered."],
  rotate: [
    "The promised keys and other guardians will take over; until then the keys of today stay in force.",
    "The promised keys have taken over; those of before are worth nothing any more.",
  ],
  recover: [
    "The guardians give this passport new keys. Until then the keys of today stay in force, and whoever has them can end this.",
    "The passport has the new keys; those of before are worth nothing any more.",
  ],
  lock: ["", "The locks are closed: nobody can take the passport to another registrar or zone."],
  unlock: [
    "The locks will open. Until then the passport cannot go to another registrar or zone.",
    "The locks are open: the passport can go to another registrar or zone.",
  ],
  transfer: ["", "The passport has another registrar."],
  port: [
    "The passport will move to another zone, which has agreed. The zone that it leaves has no say; its owner can end this.",
    "The passport is in its new zone.",
  ],
  deactivate: ["", "The passport is at rest: it leads nowhere until it is reactivated."],
  reactivate: ["", "The passport is awake again."],
  erase: [
    "The passport will be erased: keys, data and proofs, for ever. Nobody can bring it back after that.",
    "The passport is erased. Its recovery file opens nothing any more.",
  ],
  veto: ["", "What waited has ended, and never counted."],
  data: ["", "The passport says so from now on."],
};

const isoMinute = (date: Date): string => `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;

function inWords(ms: number): string {
  if (ms <= 0) return "at any moment";
  if (ms < HOUR_MS) return `in ${Math.ceil(ms / 60_000)} minutes`;
  return ms < 2 * DAY_MS ? `in ${Math.round(ms / HOUR_MS)} hours` : `in ${Math.round(ms / DAY_MS)} days`;
}

/** What waits, what it means, and until when it can be ended. */
export const waitingInWords = ({ type, hash, until }: WaitingOperation, now: number): readonly string[] => [
  `waits    ${type}, until ${isoMinute(until)} (${inWords(until.getTime() - now)})`,
  `means    ${MEANING[type]?.[0] ?? "It counts from then on."}`,
  `veto     until then, whoever has the keys of today can end it: freehold passport veto [file] (${hash})`,
];

/** What has become of an operation. */
export function standingInWords(
  type: OperationType,
  hash: string,
  standing: Standing,
  now: number,
): readonly string[] {
  if (standing.state === "pending") return waitingInWords({ type, hash, until: standing.until }, now);
  if (standing.state === "effective") return [`done     ${type}: ${MEANING[type]?.[1] ?? "It counts."}`];
  const why = {
    vetoed: "Its owner has ended it",
    superseded: "Another operation has taken its place",
    refused: "The registry has not taken it",
  }[standing.state];
  return [`ended    ${type}: ${why}${standing.reason ? ` (${standing.reason})` : ""}. It never counted.`];
}

/** A passport as it was proved to be. */
export function presentInWords({
  id,
  zone,
  passport,
  epoch,
  isDeactivated,
  hold,
}: Present): readonly string[] {
  const { head, dseq } = passport.state;
  const { data } = passport;
  const { witnesses, at } = epoch;
  return [
    `passport ${groupId(id)}`,
    `         did:dcann:${id}`,
    `zone     ${zone}`,
    `leads to ${data?.storage[0]?.url ?? "no pod at present"}`,
    ...(data?.webid ?? []).map((webid) => `WebID    ${webid}`),
    ...(data?.moved ?? []).map(({ from, at: when }) => `moved    from ${from} on ${when.slice(0, 10)}`),
    `keys     ${head.auth.threshold} of ${head.auth.keys.length} must sign; state ${head.seq}.${dseq}`,
    `guarded  ${head.recovery.threshold} of ${head.recovery.hashes.length} recovery keys can bring it back, after ${head.recovery.delay.slice(1, -1)} days`,
    `locks    ${head.locks.length === 0 ? "open" : head.locks.join(" and ")}`,
    `by       registrar ${head.registrar}`,
    ...(isDeactivated ? ["state    at rest: it leads nowhere until it is reactivated"] : []),
    ...(hold ? [`held     by the zone since ${hold.at}: ${hold.reason}, case ${hold.case}`] : []),
    `proved   epoch ${epoch.epoch} of ${epoch.shard}, signed by ${witnesses.length} witnesses (${witnesses.join(", ")}) at ${isoMinute(new Date(at))}`,
  ];
}
