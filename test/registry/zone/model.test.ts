/**
 * Random lives of a few passports, with restarts and deaths between, against a second idea of what must come of them.
 * Afterwards the public log alone gives every map root, and nothing of anybody is in it.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  deactivatePassport,
  erasePassport,
  lockPassport,
  makeHold,
  type PassportKeys,
  type PassportState,
  reactivatePassport,
  recoverPassport,
  rotatePassport,
  type Signed,
  signAsZone,
  unlockPassport,
  vetoPassport,
} from "@freehold/client/registry";
import { expect } from "chai";
import fc from "fast-check";
import { Problem } from "../../../server/errors.ts";
import type { Zone } from "../../../server/registry/port.ts";
import type { EpochStep } from "../../../server/registry/zone/deps.ts";
import { type Person, person } from "../../passport/people.ts";
import { replay } from "./naive.ts";
import { createWorld, DAY_MS, dataAfter, HOUR_MS, present, type World } from "./world.ts";

const SEED = 20_261_122;
const RUNS = 8;
const NAMES = ["Ana", "Ben", "Eva"];

/** What the model knows of one passport. */
interface Life {
  kind: "absent" | "present" | "erased";
  seq: number;
  dseq: number;
  hasData: boolean;
  isAtRest: boolean;
  isHeld: boolean;
  isLocked: boolean;
  keys: PassportKeys;
  createdAt: number;
  authSince: number;
  vetoedAt: number;
  pending: { type: string; at: number; dueAt: number; hash: string; keys: PassportKeys } | null;
}

const ACTIONS = [
  "create",
  "data",
  "data",
  "rotate",
  "deactivate",
  "reactivate",
  "lock",
  "unlock",
  "recover",
  "erase",
  "veto",
  "hold",
  "unhold",
] as const;
type Action = (typeof ACTIONS)[number];
const STEPS: readonly EpochStep[] = ["begun", "staged", "locked", "tiled", "cosigned", "published"];

type Command =
  | { readonly kind: "act"; readonly who: number; readonly action: Action; readonly death: EpochStep | null }
  | { readonly kind: "rest"; readonly days: number }
  | { readonly kind: "restart" };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("act" as const),
      who: fc.nat(NAMES.length - 1),
      action: fc.constantFrom(...ACTIONS),
      death: fc.option(fc.constantFrom(...STEPS), { freq: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("rest" as const), days: fc.constantFrom(3, 8, 40) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
);

/** Whether the rules allow it: written down again, from the design. */
function isAllowed(life: Life, action: Action, now: number): boolean {
  const { pending, isAtRest } = life;
  if (action === "create") return life.kind !== "erased";
  if (life.kind !== "present") return false;
  const recovers = pending?.type === "recover";
  if (action === "data") return !isAtRest;
  if (action === "hold" || action === "unhold") return life.isHeld === (action === "unhold");
  if (action === "veto") return pending !== null && (!recovers || pending.at - life.authSince > 7 * DAY_MS);
  if (action === "recover") return !recovers && now >= life.vetoedAt + 14 * DAY_MS;
  if (recovers) return false;
  if (action === "rotate") return true;
  if (action === "erase") return pending === null;
  if (action === "reactivate") return isAtRest;
  if (isAtRest) return false;
  if (action === "deactivate") return true;
  if (action === "lock") return !life.isLocked;
  return life.isLocked && pending === null && now >= life.createdAt + 30 * DAY_MS;
}

function count(life: Life, action: string, keys: PassportKeys, now: number): void {
  life.pending = null;
  if (action === "erase") {
    life.kind = "erased";
    return;
  }
  life.seq += 1;
  if (action === "rotate" || action === "recover")
    Object.assign(life, { keys, hasData: false, authSince: now });
  if (action === "lock" || action === "unlock") life.isLocked = action === "lock";
  if (action === "deactivate" || action === "reactivate") life.isAtRest = action === "deactivate";
}

interface Play {
  readonly world: World;
  zone: Zone;
  readonly people: readonly Person[];
  readonly lives: readonly Life[];
}

/** Signed as whoever may do it would; also when the zone must refuse it. */
async function made(
  play: Play,
  index: number,
  action: Action,
): Promise<{ signed: Signed; keys: PassportKeys }> {
  const { world, zone } = play;
  const [who, life] = [play.people[index], play.lives[index]];
  if (!who || !life) throw new Error("There is nobody of that number");
  const { keys } = life;
  if (action === "create") return { signed: who.create, keys };
  if (life.kind !== "present") return { signed: who.data, keys };
  const { state } = await present(zone, who);
  const [at, signers] = [new Date(world.now()), keys.authority];
  const before = { id: state.id, after: state.head };
  const unlocked: PassportState = { ...state, head: { ...state.head, locks: [] } };
  const own = async (): Promise<Signed> => {
    if (action === "data") return dataAfter(zone, who);
    if (action === "deactivate") return deactivatePassport(state, signers);
    if (action === "reactivate") return reactivatePassport(state, signers);
    if (action === "lock") return lockPassport(life.isLocked ? unlocked : state, signers);
    if (action === "unlock") return unlockPassport(state, signers);
    if (action === "erase") return erasePassport(state, signers);
    if (action === "veto") return vetoPassport(state, signers, life.pending?.hash ?? state.headHash);
    const hold = makeHold(
      action === "hold" ? "hold" : "unhold",
      before,
      { case: "Z/1", reason: "abuse" },
      at,
    );
    return signAsZone(hold, world.keys.zone);
  };
  if (action === "rotate") {
    const { rotateOp, keys: later } = await rotatePassport(state, keys, at);
    return { signed: rotateOp, keys: later };
  }
  if (action !== "recover") return { signed: await own(), keys };
  const { recoverOp, keys: later } = await recoverPassport(state, keys, at);
  return { signed: recoverOp, keys: later };
}

/** Sends it to a zone that dies at a step, perhaps, and then once more to one that was started again. */
async function send(play: Play, signed: Signed, death: EpochStep | null): Promise<string> {
  if (death !== null) {
    await play.zone.close();
    const { promise, resolve } = Promise.withResolvers<string>();
    let isArmed = false;
    const mortal = await play.world.open({
      onStep(step) {
        if (!isArmed || step !== death) return undefined;
        resolve("died");
        return new Promise(() => undefined);
      },
    });
    isArmed = true;
    const answer = mortal.submit(signed).then(
      () => "taken",
      (error: unknown) => (error instanceof Problem ? "refused" : Promise.reject(error as Error)),
    );
    await Promise.race([promise, answer]);
    play.zone = await play.world.open();
  }
  const taken = await play.zone.submit(signed);
  return taken.hash;
}

async function act(play: Play, index: number, action: Action, death: EpochStep | null): Promise<void> {
  const life = play.lives[index];
  if (!life) throw new Error("There is nobody of that number");
  const now = play.world.now();
  const allowed = isAllowed(life, action, now);
  const { signed, keys } = await made(play, index, action);
  let hash: string;
  try {
    hash = await send(play, signed, death);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(allowed, `${action} of ${NAMES[index]}: ${error.message}`).to.equal(false);
    return;
  }
  expect(allowed, `${action} of ${NAMES[index]} was taken`).to.equal(true);
  const waits = { recover: 7 * DAY_MS, unlock: 3 * DAY_MS, erase: 3 * DAY_MS }[action as string];
  if (waits !== undefined) life.pending = { type: action, at: now, dueAt: now + waits, hash, keys };
  else if (action === "create") {
    if (life.kind === "absent") Object.assign(life, { kind: "present", createdAt: now, authSince: now });
  } else if (action === "data") Object.assign(life, { dseq: life.dseq + 1, hasData: true });
  else if (action === "hold" || action === "unhold") life.isHeld = action === "hold";
  else if (action === "veto") {
    if (life.pending?.type === "recover") life.vetoedAt = now;
    life.pending = null;
  } else count(life, action, keys, now);
}

async function turn(play: Play, ms: number): Promise<void> {
  play.world.turn(ms);
  const now = play.world.now();
  await play.zone.tick();
  for (const life of play.lives)
    if (life.pending && life.pending.dueAt <= now) count(life, life.pending.type, life.pending.keys, now);
}

async function compare(play: Play): Promise<void> {
  for (const [index, life] of play.lives.entries()) {
    const id = play.people[index]?.state.id;
    if (!id) throw new Error("There is nobody of that number");
    const { findings } = await play.zone.find(id);
    const said = findings.kind === "erased" ? "erased" : findings.kind;
    const expected = life.kind === "erased" && said === "absent" ? "absent" : life.kind; // After 30 days.
    expect(said, NAMES[index]).to.equal(expected);
    const answer = await play.world.ask(play.zone, id);
    expect(answer.kind).to.equal(life.kind === "present" ? "present" : "absent");
    if (findings.kind !== "present" || answer.kind !== "present") continue;
    const { state, data, pending } = findings;
    expect([state.head.seq, state.dseq, data !== null, state.deactivated, state.hold !== null]).to.deep.equal(
      [life.seq, life.dseq, life.hasData, life.isAtRest, life.isHeld],
    );
    expect(pending?.type ?? null).to.equal(life.pending?.type ?? null);
    expect(answer.passport.state.headHash).to.equal(state.headHash);
  }
}

/** Every spelling of everything that must be in no file that others are served. */
async function secretsOf({ zone, people }: Play): Promise<Buffer[]> {
  const secrets: Buffer[] = ["pods.example.org", "z6Mk"].map((text) => Buffer.from(text));
  for (const { state, create, host } of people) {
    secrets.push(Buffer.from(state.id), Buffer.from(host.key));
    for (const text of [state.headHash, create.op.nonce])
      secrets.push(Buffer.from(text), Buffer.from(text, "base64url"));
    const { findings } = await zone.find(state.id);
    if (findings.kind !== "present") continue;
    secrets.push(Buffer.from(findings.opening), Buffer.from(findings.opening, "base64url"));
    secrets.push(Buffer.from(findings.state.headHash, "base64url"));
  }
  return secrets;
}

async function expectNothingOfAnybody(play: Play): Promise<void> {
  const folder = join(play.world.folder, "registry");
  const secrets = await secretsOf(play);
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile());
  expect(files.length).to.be.greaterThan(3);
  for (const file of files) {
    const bytes = await readFile(join(file.parentPath, file.name));
    for (const secret of secrets)
      expect(bytes.includes(secret), `${file.name} has ${secret.toString()}`).to.equal(false);
  }
}

describe("random lives of passports", function () {
  this.timeout(180_000);

  it("come to what a second idea of the rules says, and leave a log that proves it and tells nothing", async () => {
    const acted = new Map<string, number>();
    const people = await Promise.all(NAMES.map((name) => person(name)));
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 45 }), async (commands) => {
        const world = await createWorld();
        const lives = people.map(
          ({ keys }): Life => ({
            kind: "absent",
            seq: 0,
            dseq: 0,
            hasData: false,
            isAtRest: false,
            isHeld: false,
            isLocked: true,
            keys,
            createdAt: 0,
            authSince: 0,
            vetoedAt: 0,
            pending: null,
          }),
        );
        const play: Play = { world, zone: await world.open(), people, lives };
        for (const one of commands) {
          await turn(play, one.kind === "rest" ? one.days * DAY_MS : HOUR_MS);
          if (one.kind === "act") await act(play, one.who, one.action, one.death);
          if (one.kind === "restart") {
            await play.zone.close();
            play.zone = await world.open();
          }
          if (one.kind === "act") acted.set(one.action, (acted.get(one.action) ?? 0) + 1);
          await compare(play);
        }
        const { count: keys } = await replay(play.zone);
        expect(keys).to.equal(lives.filter(({ kind }) => kind === "present").length);
        await expectNothingOfAnybody(play);
        await world.dispose();
      }),
      { seed: SEED, numRuns: RUNS },
    );
    expect([...acted.keys()].sort()).to.deep.equal([...new Set<string>(ACTIONS)].sort());
  });
});
