/** What only a registry can refuse: too early, too late, while something waits, without whoever must vouch for it. */
import {
  applyOperation,
  type Candidate,
  deactivatePassport,
  erasePassport,
  hashOfOperation,
  hashSetOf,
  keySetOf,
  lockPassport,
  makeHold,
  makeRotate,
  type PassportFacts,
  type PassportState,
  portPassport,
  type Signed,
  signAsDelegate,
  signAsZone,
  signOperation,
  sponsorOperation,
  transferPassport,
  unlockPassport,
} from "../../client-lib/passport/index.ts";
import { candidate, key, NOW, type Person, type Vector } from "./people.ts";
import { before, changed, HOLD, recovered, unlocked, vetoed } from "./vectors-of-changes.ts";

const DAY_MS = 24 * 3_600_000;

const asked = (
  ana: Person,
  signed: Signed,
  state: PassportState | null,
  facts: Partial<PassportFacts> = {},
): Candidate => candidate(signed, state, { ...ana.facts, ...facts });

const waits = async (signed: Signed, at = NOW): Promise<Pick<PassportFacts, "pending">> => ({
  pending: { hash: await hashOfOperation(signed.op), op: signed.op, at },
});

const withGuardians = async (ana: Person): Promise<Signed> => {
  const op = await makeRotate({
    ...before(ana),
    auth: keySetOf(ana.keys.next),
    next: await hashSetOf(ana.later),
    recovery: { ...(await hashSetOf([await key("new guardian")])), delay: "P1D" },
  });
  return signOperation(op, op.auth, ana.keys.next);
};

const issuer = (ana: Person, oidc: string | null): Promise<Signed> =>
  signAsDelegate({ ...ana.data.op, dseq: 2, oidc }, ana.host);
const chosen = (ana: Person, oidc: string) => ({ data: { ...ana.data.op, oidc } });
const told = (ana: Person): PassportState => ({ ...ana.state, dseq: 1 });

export const REGISTRY_VECTORS: readonly Vector[] = [
  {
    rule: "own-zone",
    name: "a lock in the zone that was left",
    make: async (ana) => {
      const state = await unlocked(ana);
      const left = await applyOperation(state, await portPassport(state, ana.keys.authority, "za"));
      return asked(ana, await lockPassport(left, ana.keys.authority), left);
    },
  },
  {
    rule: "own-zone",
    name: "a port that arrives before the root has ordered it",
    make: async (ana) => {
      const state = await unlocked(ana);
      const port = await portPassport(state, ana.keys.authority, "za");
      return candidate(await sponsorOperation(port, "za", await key("zone za")), state, {
        ...ana.facts,
        zones: ["za"],
      });
    },
  },
  {
    rule: "own-zone",
    name: "an ordered port that leads to a third zone",
    make: async (ana) => {
      const state = await unlocked(ana);
      const port = await portPassport(state, ana.keys.authority, "za");
      return candidate(await sponsorOperation(port, "za", await key("zone za")), state, {
        ...ana.facts,
        zones: ["uy"],
        isOrdered: true,
      });
    },
  },
  {
    rule: "sponsored",
    name: "a transfer that the gaining registrar has not agreed to",
    make: async (ana) => {
      const state = await unlocked(ana);
      return asked(ana, await transferPassport(state, ana.keys.authority, "gaining"), state);
    },
  },
  {
    rule: "sponsored",
    name: "a transfer that the losing registrar sponsors",
    make: async (ana) => {
      const state = await unlocked(ana);
      const signed = await transferPassport(state, ana.keys.authority, "gaining");
      return asked(ana, await sponsorOperation(signed, "local", ana.registrar), state);
    },
  },
  {
    rule: "sponsored",
    name: "guardians who bring a registrar that is not accredited",
    make: async (ana) => {
      const { op } = await recovered(ana);
      const signed = await changed(op, { registrar: "rogue" }, ana.keys.recovery.slice(0, 2));
      return asked(ana, await sponsorOperation(signed, "rogue", await key("rogue")), ana.state);
    },
  },
  {
    rule: "sponsored",
    name: "a port that the gaining zone knows nothing of",
    make: async (ana) => {
      const state = await unlocked(ana);
      return asked(ana, await portPassport(state, ana.keys.authority, "za"), state);
    },
  },
  {
    rule: "sponsored",
    name: "a port that the losing zone sponsors",
    make: async (ana) => {
      const state = await unlocked(ana);
      const port = await portPassport(state, ana.keys.authority, "za");
      return asked(ana, await sponsorOperation(port, "za", await key("zone zz")), state);
    },
  },
  {
    rule: "sponsored",
    name: "a port to a zone that the root does not list",
    make: async (ana) => {
      const state = await unlocked(ana);
      const port = await portPassport(state, ana.keys.authority, "xx");
      return asked(ana, await sponsorOperation(port, "xx", await key("zone xx")), state);
    },
  },
  {
    rule: "sponsored",
    name: "an ordered port without its sponsor",
    make: async (ana) => {
      const state = await unlocked(ana);
      return candidate(await portPassport(state, ana.keys.authority, "za"), state, {
        ...ana.facts,
        zones: ["za"],
        isOrdered: true,
      });
    },
  },
  {
    rule: "sponsored",
    name: "a create without its sponsor, as if it had waited",
    make: (ana) => asked(ana, { op: ana.create.op, sigs: ana.create.sigs }, null, { isOrdered: true }),
  },
  {
    rule: "delegate-issuer",
    name: "a host that sends people to a stranger to log in",
    make: async (ana) =>
      asked(ana, await issuer(ana, "https://stranger.example/"), told(ana), { data: ana.data.op }),
  },
  {
    rule: "delegate-issuer",
    name: "a host that takes the place of the log-in service its owner chose",
    make: async (ana) =>
      asked(ana, await issuer(ana, ana.data.op.oidc), told(ana), chosen(ana, "https://login.example/")),
  },
  {
    rule: "delegate-issuer",
    name: "a host that first removes the log-in service its owner chose",
    make: async (ana) =>
      asked(ana, await issuer(ana, null), told(ana), chosen(ana, "https://login.example/")),
  },
  {
    rule: "young",
    name: "a thief who unlocks in the first weeks",
    make: async (ana) =>
      asked(ana, await unlockPassport(ana.state, ana.keys.authority), ana.state, {
        createdAt: NOW - 29 * DAY_MS,
      }),
  },
  {
    rule: "young",
    name: "an unlock of a passport whose age nobody knows",
    make: async (ana) =>
      asked(ana, await unlockPassport(ana.state, ana.keys.authority), ana.state, { createdAt: null }),
  },
  {
    rule: "recover-again",
    name: "guardians who come back right after a veto",
    make: async (ana) => asked(ana, await recovered(ana), ana.state, { vetoedAt: NOW - 13 * DAY_MS }),
  },
  {
    rule: "recover-again",
    name: "guardians who push aside those who replace them",
    make: async (ana) => {
      const pending = await waits(await withGuardians(ana));
      return asked(ana, await recovered(ana), ana.state, { ...pending, vetoedAt: NOW - DAY_MS });
    },
  },
  {
    rule: "waiting",
    name: "a thief of all keys who rotates while guardians wait",
    make: async (ana) => asked(ana, ana.rotate, ana.state, await waits(await recovered(ana))),
  },
  {
    rule: "waiting",
    name: "a thief of today's key who erases while guardians wait",
    make: async (ana) =>
      asked(
        ana,
        await erasePassport(ana.state, ana.keys.authority),
        ana.state,
        await waits(await recovered(ana)),
      ),
  },
  {
    rule: "waiting",
    name: "a thief of today's key who puts a passport to rest while guardians wait",
    make: async (ana) =>
      asked(
        ana,
        await deactivatePassport(ana.state, ana.keys.authority),
        ana.state,
        await waits(await recovered(ana)),
      ),
  },
  {
    rule: "waiting",
    name: "a second recovery while one waits",
    make: async (ana) => asked(ana, await recovered(ana), ana.state, await waits(await recovered(ana))),
  },
  {
    rule: "waiting",
    name: "an erasure in place of new guardians",
    make: async (ana) =>
      asked(
        ana,
        await erasePassport(ana.state, ana.keys.authority),
        ana.state,
        await waits(await withGuardians(ana)),
      ),
  },
  {
    rule: "waiting",
    name: "an unlock that begins to wait anew",
    make: async (ana) =>
      asked(
        ana,
        await unlockPassport(ana.state, ana.keys.authority),
        ana.state,
        await waits(await unlockPassport(ana.state, ana.keys.authority, ["port"])),
      ),
  },
  {
    rule: "veto-of",
    name: "a veto of nothing",
    make: async (ana) => asked(ana, await vetoed(ana, ana.rotate), ana.state),
  },
  {
    rule: "veto-of",
    name: "a veto of something else than what waits",
    make: async (ana) =>
      asked(ana, await vetoed(ana, ana.rotate), ana.state, await waits(await recovered(ana))),
  },
  {
    rule: "veto-age",
    name: "a thief who has just rotated and keeps the guardians out",
    make: async (ana) => {
      const recovery = await recovered(ana);
      return asked(ana, await vetoed(ana, recovery), ana.state, {
        ...(await waits(recovery)),
        authSince: NOW - DAY_MS,
      });
    },
  },
  {
    rule: "veto-age",
    name: "a thief who lets the guardians wait until his keys are old enough",
    make: async (ana) => {
      const recovery = await recovered(ana);
      const at = NOW - 6 * DAY_MS;
      return asked(ana, await vetoed(ana, recovery), ana.state, {
        ...(await waits(recovery, at)),
        authSince: at - 2 * DAY_MS,
      });
    },
  },
  {
    rule: "veto-age",
    name: "a veto by keys whose age nobody knows",
    make: async (ana) => {
      const recovery = await recovered(ana);
      return asked(ana, await vetoed(ana, recovery), ana.state, {
        ...(await waits(recovery)),
        authSince: null,
      });
    },
  },
  {
    rule: "hold-time",
    name: "a hold of last month that is sent again",
    make: async (ana) => {
      const op = makeHold("hold", before(ana), HOLD, new Date(NOW - 31 * DAY_MS));
      return asked(ana, await signAsZone(op, await key("zone zz")), ana.state);
    },
  },
  {
    rule: "hold-time",
    name: "a hold for a later day",
    make: async (ana) => {
      const op = makeHold("hold", before(ana), HOLD, new Date(NOW + DAY_MS));
      return asked(ana, await signAsZone(op, await key("zone zz")), ana.state);
    },
  },
];
