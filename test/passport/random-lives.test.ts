/** Random lives of passports: whatever a registry has taken, a reader of the chain alone comes to the same. */
import { expect } from "chai";
import fc from "fast-check";
import {
  type Bundle,
  deactivatePassport,
  erasePassport,
  hashOfKey,
  hashOfOperation,
  isAuthority,
  isDataInForce,
  lockPassport,
  makeHold,
  PassportError,
  type PassportKeys,
  type PassportState,
  portPassport,
  reactivatePassport,
  recoverPassport,
  rotatePassport,
  type Signed,
  signAsDelegate,
  signAsZone,
  signOperation,
  sponsorOperation,
  transferPassport,
  unlockPassport,
  verifyBundle,
  vetoPassport,
} from "../../client-lib/passport/index.ts";
import { DAY_MS, type NaiveRegistry, naiveRegistry } from "./naive-registry.ts";
import { key, NOW, type Person, person } from "./people.ts";

/** Somebody in the middle of a life. */
interface Moment {
  readonly ana: Person;
  readonly registry: NaiveRegistry;
  readonly state: PassportState;
  readonly keys: PassportKeys;
  readonly at: Date;
}

/** What is signed; and for what brings new keys, those. */
type Made = { readonly signed: Signed; readonly later?: PassportKeys };
type Make = (moment: Moment) => Promise<Made>;

const today =
  (make: (state: PassportState, signers: PassportKeys["authority"]) => Promise<Signed>): Make =>
  async ({ state, keys }) => ({ signed: await make(state, keys.authority) });

const holding =
  (type: "hold" | "unhold"): Make =>
  async ({ state, at }) => {
    const op = makeHold(type, { id: state.id, after: state.head }, { case: "zz/1", reason: "abuse" }, at);
    return { signed: await signAsZone(op, await key(`zone ${state.zone}`)) };
  };

const dataOf = ({ ana, state }: Moment) => ({
  ...ana.data.op,
  aseq: state.head.seq,
  dseq: state.dseq + 1,
  keys: [],
});

const STEPS: Readonly<Record<string, Make>> = {
  rotate: async ({ state, keys, at }) => {
    const { rotateOp, keys: later } = await rotatePassport(state, keys, at);
    return { signed: rotateOp, later };
  },
  guardians: async ({ state, keys, at }) => {
    const guardian = await key(`guardian at ${at.getTime()}`);
    const recovery = { hashes: [await hashOfKey(guardian.key)], threshold: 1, delay: "P2D" };
    const guardians = { recovery, keys: [guardian] };
    const { rotateOp, keys: later } = await rotatePassport(state, keys, at, { guardians });
    return { signed: rotateOp, later };
  },
  recover: async ({ state, keys, at }) => {
    const { recoverOp, keys: later } = await recoverPassport(state, keys, at);
    return { signed: recoverOp, later };
  },
  lock: today((state, signers) => lockPassport(state, signers, ["transfer"])),
  unlock: today((state, signers) => unlockPassport(state, signers)),
  transfer: async ({ ana, state, keys }) => {
    const to = state.head.registrar === "local" ? "gaining" : "local";
    const signed = await transferPassport(state, keys.authority, to);
    return { signed: await sponsorOperation(signed, to, ana.registrar) };
  },
  port: async ({ state, keys }) => {
    const to = state.zone === "zz" ? "za" : "zz";
    const signed = await portPassport(state, keys.authority, to);
    return { signed: await sponsorOperation(signed, to, await key(`zone ${to}`)) };
  },
  deactivate: today(deactivatePassport),
  reactivate: today(reactivatePassport),
  erase: today(erasePassport),
  veto: async ({ registry, state, keys }) => {
    const of = registry.pending?.hash ?? "A".repeat(43);
    return { signed: await vetoPassport(state, keys.authority, of) };
  },
  hold: holding("hold"),
  unhold: holding("unhold"),
  data: async (moment) => ({ signed: await signAsDelegate(dataOf(moment), moment.ana.host) }),
  "own data": async (moment) => ({
    signed: await signOperation(dataOf(moment), moment.state.head.auth, moment.keys.authority),
  }),
};
const DAYS = "days";

/** What everybody can see of a passport. */
interface Seen {
  readonly auth: readonly Signed[];
  readonly data: Signed | null;
  readonly hold: Signed | null;
}

function seenAfter({ auth, data, hold }: Seen, signed: Signed): Seen {
  const { op } = signed;
  return {
    auth: isAuthority(op) ? [...auth, signed] : auth,
    data: op.t === "data" ? signed : data,
    hold: op.t === "hold" ? signed : op.t === "unhold" || op.t === "port" ? null : hold,
  };
}

async function readAgain(
  { auth, data, hold }: Seen,
  state: PassportState,
  ana: Person,
): Promise<PassportState> {
  const isInForce = data?.op.t === "data" && isDataInForce(state, data.op);
  const head = { auth, data: isInForce ? data : null, ...(hold && { hold }) };
  const bundle = { id: state.id, head } as unknown as Bundle;
  return (await verifyBundle(bundle, state.id, { zoneKeys: ana.facts.zoneKeys.bind(ana.facts) })).state;
}

describe("random lives of passports", function () {
  this.timeout(120_000);

  it("are the same to the registry and to a reader, who finds no keys but those of their owner", async () => {
    const counted = new Map<string, number>();
    const step = fc.tuple(
      fc.constantFrom(...Object.keys(STEPS), DAYS, DAYS, DAYS),
      fc.integer({ min: 1, max: 10 }),
    );
    const live = async (steps: readonly (readonly [string, number])[]): Promise<void> => {
      const ana = await person("ana");
      const registry = naiveRegistry(ana);
      const brought = new Map<string, PassportKeys>();
      let [now, keys] = [NOW, ana.keys];
      let seen: Seen = { auth: [ana.create], data: null, hold: null };
      const follow = async (signed: Signed): Promise<void> => {
        counted.set(signed.op.t, (counted.get(signed.op.t) ?? 0) + 1);
        seen = seenAfter(seen, signed);
        keys = brought.get(await hashOfOperation(signed.op)) ?? keys;
      };
      const opened: typeof steps =
        steps.length % 2
          ? [
              ["unlock", 1],
              [DAYS, 4],
            ]
          : []; // Else few would ever leave.
      for (const [name, days] of [...opened, ...steps]) {
        if (!registry.state) break;
        if (name === DAYS) {
          const waiting = registry.signedPending;
          now += days * DAY_MS;
          await registry.pass(days * DAY_MS);
          if (waiting && !registry.pending) await follow(waiting);
        } else {
          const moment = { ana, registry, state: registry.state, keys, at: new Date(now) };
          const made = await STEPS[name]?.(moment);
          if (!made) throw new Error(`There is no step ${name}`);
          if (made.later) brought.set(await hashOfOperation(made.signed.op), made.later);
          try {
            if ((await registry.send(made.signed)) === "counts") await follow(made.signed);
          } catch (error) {
            if (!(error instanceof PassportError)) throw error;
          }
        }
        const { state } = registry;
        if (!state) break;
        expect({ ...(await readAgain(seen, state, ana)), dseq: 0 }).to.deep.equal({ ...state, dseq: 0 });
        expect(state.head.auth.keys).to.deep.equal(keys.authority.map((pair) => pair.key));
      }
    };
    const life = fc.array(step, { minLength: 15, maxLength: 35 });
    await fc.assert(fc.asyncProperty(life, live), { numRuns: 80, seed: 20_261_122 });
    // A property of operations that were never taken would say nothing.
    const least = Object.fromEntries(Object.keys(STEPS).map((name) => [name, counted.get(name) ?? 0]));
    for (const name of ["guardians", "own data"]) delete least[name];
    expect(Math.min(...Object.values(least)), JSON.stringify(least)).to.be.greaterThan(0);
  });
});
