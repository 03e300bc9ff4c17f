/** The rules that only whoever takes operations can ask: about time, about what waits, and about who is accredited. */
import { decodeBase64url } from "./bytes.ts";
import { zoneOf } from "./identifier.ts";
import {
  type AuthorityOperation,
  bytesOfSponsorship,
  type DataOperation,
  type HoldOperation,
  type VetoOperation,
} from "./operation.ts";
import { ALL, AUTHORITY, about, flaw, LINKED, type Rule, rule } from "./rule.ts";
import { isByDelegate, isByOneOf } from "./rules-of-chain.ts";
import { isDataInForce } from "./state.ts";
import { HOLD_DRIFT_MS, mayFollow, mayRecoverAgain, mayVeto, YOUNG_MS } from "./waiting.ts";

const isAt = (origins: readonly string[], url: string): boolean => origins.includes(new URL(url).origin);

export const REGISTRY_RULES: readonly Rule[] = [
  rule(
    "dseq",
    "dseq is one more than that of the data record before.",
    ["data"],
    about<DataOperation>((op, { state }) =>
      flaw(op.dseq !== (state?.dseq ?? 0) + 1, `dseq is not ${(state?.dseq ?? 0) + 1}`),
    ),
    ["registry", "conflict"],
  ),
  rule(
    "own-zone",
    "An operation is sent to the zone in which the passport is; a port whose time has come, to the zone it names as well.",
    ALL,
    ({ signed: { op }, state, options: { registry } }) => {
      const zone = op.t === "create" ? op.zone : (state?.zone ?? zoneOf(op.id));
      const isArriving = op.t === "port" && registry?.isOrdered === true && registry.zones.includes(op.to);
      return flaw(
        !isArriving && !registry?.zones.includes(zone),
        `This registry is that of ${registry?.zones.join(", ")}`,
      );
    },
    ["registry"],
  ),
  rule(
    "sponsored",
    "A create, and whatever changes the registrar, is sponsored by the registrar it names, which is accredited; a port by the zone it names.",
    AUTHORITY,
    about<AuthorityOperation>(async (op, { signed, state, options: { registry } }) => {
      const { sponsor } = signed;
      const isPort = op.t === "port";
      if (registry?.isOrdered && !isPort && op.t !== "create") return null; // Asked when it was taken in; a registrar lost since must not end it.
      if (!sponsor)
        return flaw(
          isPort || op.t === "create" || op.registrar !== state?.head.registrar,
          "There is no sponsor",
        );
      if (sponsor.by !== (isPort ? op.to : op.registrar))
        return "The sponsor is not the one named in the operation";
      const keys = isPort ? registry?.zoneKeys(sponsor.by) : registry?.registrarKeys(sponsor.by);
      const signature = decodeBase64url(sponsor.s, 64);
      return flaw(
        !signature || !(await isByOneOf(keys ?? [], signature, bytesOfSponsorship(op))),
        "The sponsorship is not valid, or the sponsor is not accredited",
      );
    }),
    ["registry"],
  ),
  rule(
    "delegate-storage",
    "A delegate names only storage at origins of its own host.",
    ["data"],
    about<DataOperation>((op, { signed, state, options: { registry } }) => {
      if (!isByDelegate(signed)) return null;
      const origins = registry?.storageOrigins(state?.head.delegate.key ?? "") ?? [];
      return flaw(
        !op.storage.every(({ url }) => isAt(origins, url)),
        "The storage is not at the delegate's host",
      );
    }),
    ["registry"],
  ),
  rule(
    "delegate-issuer",
    "A delegate names only a log-in service at its own host, and none instead of one elsewhere that the record before names: whoever logs people in speaks for them.",
    ["data"],
    about<DataOperation>((op, { signed, state, options: { registry } }) => {
      const before = registry?.data ?? null;
      if (!isByDelegate(signed) || (before && op.oidc === before.oidc)) return null;
      const origins = registry?.storageOrigins(state?.head.delegate.key ?? "") ?? [];
      const isFixed =
        before !== null &&
        before.oidc !== null &&
        state !== null &&
        isDataInForce(state, before) &&
        !isAt(origins, before.oidc);
      return flaw(
        isFixed || (op.oidc !== null && !isAt(origins, op.oidc)),
        "The log-in service is not the delegate's to choose",
      );
    }),
    ["registry"],
  ),
  rule(
    "young",
    "No lock is opened in the first 30 days of a passport.",
    ["unlock"],
    ({ options: { registry } }) => {
      if (!registry || registry.isOrdered) return null;
      const from = registry.createdAt === null ? Infinity : registry.createdAt + YOUNG_MS;
      return flaw(registry.now() < from, "This passport is younger than 30 days");
    },
    ["registry"],
  ),
  rule(
    "recover-again",
    "Guardians whose recovery was vetoed wait for twice its delay, in which their owner can replace them; unless something that today's keys sign waits, such as an erase.",
    ["recover"],
    ({ state, options: { registry } }) =>
      flaw(
        state !== null &&
          registry !== undefined &&
          !registry.isOrdered &&
          !mayRecoverAgain(state, registry, registry.now()),
        "A recovery was vetoed a short while ago",
      ),
    ["registry"],
  ),
  rule(
    "waiting",
    "While a recovery waits, nothing is taken but data, holds and its veto; what would wait itself takes the place of something weaker only: recover of anything else, rotate of what today's keys sign.",
    LINKED,
    ({ signed: { op }, state, options: { registry } }) => (registry ? mayFollow(op, state, registry) : null),
    ["registry", "conflict"],
  ),
  rule(
    "veto-of",
    "A veto names the operation that waits.",
    ["veto"],
    about<VetoOperation>((op, { options: { registry } }) =>
      flaw(registry?.pending?.hash !== op.of, "No such operation waits"),
    ),
    ["registry", "conflict"],
  ),
  rule(
    "veto-age",
    "A recovery is vetoed only by keys that were in force for longer than its delay when it began: a thief who has just rotated cannot keep the guardians out.",
    ["veto"],
    ({ state, options: { registry } }) =>
      flaw(
        !registry?.pending || !state || !mayVeto(registry.pending, state, registry.authSince),
        "These keys are too young to veto a recovery",
      ),
    ["registry"],
  ),
  rule(
    "hold-time",
    "at is within ten minutes of the registry's clock: an old hold, ended since, is not sent again.",
    ["hold", "unhold"],
    about<HoldOperation>((op, { options: { registry } }) =>
      flaw(Math.abs(Date.parse(op.at) - (registry?.now() ?? 0)) > HOLD_DRIFT_MS, "at is not now"),
    ),
    ["registry"],
  ),
];
