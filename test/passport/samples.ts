/** One operation of each kind that every rule allows, with the passport it is added to and what its registry knows. */
import {
  applyOperation,
  deactivatePassport,
  erasePassport,
  hashOfOperation,
  lockPassport,
  makeHold,
  type OperationType,
  type PassportState,
  portPassport,
  type RegistryFacts,
  reactivatePassport,
  type Signed,
  signAsZone,
  sponsorOperation,
  stateAfter,
  transferPassport,
  unlockPassport,
  vetoPassport,
} from "../../client-lib/passport/index.ts";
import { key, NOW, type Person } from "./people.ts";
import { recovered } from "./vectors-of-changes.ts";

export interface Sample {
  readonly type: OperationType;
  readonly signed: Signed;
  readonly state: PassportState | null;
  readonly facts: RegistryFacts;
}

export async function samplesOf(ana: Person): Promise<readonly Sample[]> {
  const { state, facts } = ana;
  const today = ana.keys.authority;
  const zone = await key("zone zz");
  const before = { id: state.id, after: state.head };
  const because = { case: "zz/2026/17", reason: "court-order" } as const;
  const unlock = await unlockPassport(state, today);
  const open = await applyOperation(state, unlock);
  const deactivate = await deactivatePassport(state, today);
  const hold = await signAsZone(makeHold("hold", before, because, new Date(NOW)), zone);
  const unhold = await signAsZone(makeHold("unhold", before, because, new Date(NOW)), zone);
  const erase = await erasePassport(state, today);
  const pending = { hash: await hashOfOperation(erase.op), op: erase.op, at: NOW };
  const transfer = await transferPassport(open, today, "gaining", (await key("gaining host")).key);
  const port = await portPassport(open, today, "za");
  return [
    { type: "create", signed: ana.create, state: null, facts },
    { type: "rotate", signed: ana.rotate, state, facts },
    { type: "recover", signed: await recovered(ana), state, facts },
    { type: "lock", signed: await lockPassport(open, today), state: open, facts },
    { type: "unlock", signed: unlock, state, facts },
    {
      type: "transfer",
      signed: await sponsorOperation(transfer, "gaining", ana.registrar),
      state: open,
      facts,
    },
    {
      type: "port",
      signed: await sponsorOperation(port, "za", await key("zone za")),
      state: open,
      facts,
    },
    { type: "deactivate", signed: deactivate, state, facts },
    {
      type: "reactivate",
      signed: await reactivatePassport(await stateAfter(state, deactivate.op), today),
      state: await stateAfter(state, deactivate.op),
      facts,
    },
    { type: "erase", signed: erase, state, facts },
    {
      type: "veto",
      signed: await vetoPassport(state, today, pending.hash),
      state,
      facts: { ...facts, pending },
    },
    { type: "hold", signed: hold, state, facts },
    { type: "unhold", signed: unhold, state: await stateAfter(state, hold.op), facts },
    { type: "data", signed: ana.data, state, facts },
  ];
}

export async function sampleOf(ana: Person, type: OperationType): Promise<Sample> {
  const sample = (await samplesOf(ana)).find((one) => one.type === type);
  if (!sample) throw new Error(`No sample of ${type}`);
  return sample;
}
