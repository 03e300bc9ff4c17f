/** Vectors of answers as other languages read them: `vocab/registry/vectors/answers.json`. */
import { PassportError, type RootRecord, verifyAnswer } from "@freehold/client/registry";
import { type AnswerWorld, ATTACKS, createSeededWorld, type Told } from "./attacks.ts";

export const ANSWERS_FILE = "vocab/registry/vectors/answers.json";

export interface AnswerRow extends Omit<Told, "trust" | "root"> {
  readonly name: string;
  /** Which of the roots is believed. */
  readonly root: string;
  /** `present`, `absent`, or the rule that refuses it. */
  readonly expected: string;
}

export interface PublishedAnswers {
  readonly about: string;
  readonly roots: Readonly<Record<string, RootRecord>>;
  readonly cases: readonly AnswerRow[];
}

const ABOUT =
  "Each answer is the text that a reader of a root's record was given for the passport id at the time now (milliseconds since 1970), who may have seen a newer state. Expected: present, absent, or the rule that refuses it.";

/** What the product says of an answer. */
export async function verdictOf(told: Omit<Told, "root">): Promise<string> {
  const { id, answer, trust, now, seen = null, maxAgeSeconds } = told;
  try {
    return (await verifyAnswer(answer, id, trust, { now, seen, maxAgeSeconds })).kind;
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  }
}

const HONEST: readonly (readonly [
  name: string,
  expected: string,
  make: (world: AnswerWorld) => Promise<Told>,
])[] = [
  ["rotated once", "present", async (world) => world.told(world.ana, await world.bundle(world.ana))],
  ["never rotated", "present", async (world) => world.told(world.ben, await world.bundle(world.ben))],
  ["held", "present", async (world) => world.told(world.held, await world.bundle(world.held))],
  ["nobody", "absent", async (world) => world.told(world.gone, await world.absence(world.gone))],
  [
    "a day old",
    "present",
    async (world) =>
      world.told(world.ana, await world.bundle(world.ana), { now: world.clock.now + 86_400_000 }),
  ],
  ["of before, to who has seen nothing", "present", async (world) => world.told(world.ana, world.old.ana)],
  [
    "somebody who was erased",
    "absent",
    async (world) => {
      await world.zone.remove(world.ben.id);
      await world.zone.publish();
      const told = world.told(world.ben, await world.absence(world.ben));
      await world.zone.put(world.ben.id, world.ben.head);
      await world.zone.publish();
      return told;
    },
  ],
];

export async function publishedAnswers(): Promise<PublishedAnswers> {
  const world = await createSeededWorld();
  const names = new Map<string, string>();
  const roots: Record<string, RootRecord> = {};
  const cases: AnswerRow[] = [];
  const add = (name: string, expected: string, told: Told): void => {
    const { trust, id, answer, now, seen, maxAgeSeconds } = told;
    const record = JSON.stringify(trust);
    const root = names.get(record) ?? `root ${names.size + 1}`;
    names.set(record, root);
    roots[root] = trust;
    const known = { ...(seen && { seen }), ...(maxAgeSeconds && { maxAgeSeconds }) };
    cases.push({ name, root, id, answer, now, ...known, expected });
  };
  for (const [name, expected, make] of HONEST) add(name, expected, await make(world));
  for (const { kind, name, rule, make } of ATTACKS) add(`${kind}: ${name}`, rule, await make(world));
  return { about: ABOUT, roots, cases };
}

export const writtenAnswers = ({ about, roots, cases }: PublishedAnswers): string =>
  `{\n  "about": ${JSON.stringify(about)},\n  "roots": ${JSON.stringify(roots)},\n  "cases": [\n${cases
    .map((one) => `    ${JSON.stringify(one)}`)
    .join(",\n")}\n  ]\n}\n`;
