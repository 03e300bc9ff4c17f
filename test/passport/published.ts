/** The vectors as other languages read them: `vocab/registry/vectors/operations.json`, made of the same tables as the tests. */
import {
  type Candidate,
  didOf,
  hashOfOperation,
  type PassportState,
  type PublicKey,
  type RegistryFacts,
  RULES,
  readId,
  type Signed,
} from "../../client-lib/passport/index.ts";
import { GOLDEN_BUNDLE, GOLDEN_ID } from "./golden.ts";
import { type Person, person } from "./people.ts";
import { samplesOf } from "./samples.ts";
import { VECTORS } from "./vectors.ts";

export const OPERATIONS_FILE = "vocab/registry/vectors/operations.json";

/** What a registry knows, with lists in the place of questions. */
interface FactsInWriting {
  readonly zones: readonly string[];
  readonly registrars: Readonly<Record<string, readonly PublicKey[]>>;
  readonly hosts: Readonly<Record<PublicKey, readonly string[]>>;
  readonly zoneKeys: Readonly<Record<string, readonly PublicKey[]>>;
  readonly legalKeys: readonly PublicKey[];
  readonly now: number;
  readonly createdAt: number | null;
  readonly authSince: number | null;
  readonly vetoedAt: number | null;
  readonly pending: unknown;
  readonly data: unknown;
  readonly isOrdered: boolean;
}

interface Row {
  readonly name: string;
  /** The first rule that it breaks; null when it breaks none. */
  readonly rule: string | null;
  readonly signed: unknown;
  readonly state: unknown;
  /** Null: judged by a reader, who knows no registry and no zone. */
  readonly registry: FactsInWriting | null;
}

export interface PublishedOperations {
  readonly about: string;
  readonly rules: readonly { readonly id: string; readonly by: string; readonly says: string }[];
  readonly bundle: unknown;
  readonly identifiers: readonly { readonly text: string; readonly hint: string | null }[];
  readonly valid: readonly (Row & { readonly hash: string })[];
  readonly invalid: readonly Row[];
}

export function inWriting(facts: RegistryFacts, ana: Person): FactsInWriting {
  const known = <T>(names: readonly string[], ask: (name: string) => readonly T[]) =>
    Object.fromEntries(names.map((name) => [name, ask(name)] as const).filter(([, all]) => all.length > 0));
  const { zones, createdAt, authSince, vetoedAt, pending, data, isOrdered } = facts;
  return {
    zones,
    registrars: known(["local", "gaining"], (name) => facts.registrarKeys(name)),
    hosts: known([ana.host.key], (key) => facts.storageOrigins(key)),
    zoneKeys: known(["zz", "za"], (zone) => facts.zoneKeys(zone)),
    legalKeys: facts.legalKeys(),
    now: facts.now(),
    createdAt,
    authSince,
    vetoedAt,
    pending,
    data,
    isOrdered,
  };
}

export function fromWriting(written: FactsInWriting): RegistryFacts {
  const { registrars, hosts, zoneKeys, legalKeys, now, pending, data, ...rest } = written;
  return {
    ...rest,
    pending: pending as RegistryFacts["pending"],
    data: data as RegistryFacts["data"],
    registrarKeys: (name) => registrars[name] ?? [],
    storageOrigins: (key) => hosts[key] ?? [],
    zoneKeys: (zone) => zoneKeys[zone] ?? [],
    legalKeys: () => legalKeys,
    now: () => now,
  };
}

export const candidateOf = ({ signed, state, registry }: Row): Candidate => ({
  signed: signed as Signed,
  state: state as PassportState | null,
  options: registry ? { registry: fromWriting(registry) } : {},
});

const IDENTIFIERS: readonly string[] = [
  GOLDEN_ID,
  GOLDEN_ID.toUpperCase(),
  didOf(GOLDEN_ID),
  `${GOLDEN_ID.slice(0, 30)}q${GOLDEN_ID.slice(31)}`,
  GOLDEN_ID.replace("dpch", "dpza"),
  GOLDEN_ID.replace("q", "Q"),
  GOLDEN_ID.slice(0, -1),
  GOLDEN_ID.replace("nagr", "angr"),
  `${GOLDEN_ID}\n`,
  GOLDEN_ID.toUpperCase().replace("K", "\u212a"),
];

export async function publishedOperations(): Promise<PublishedOperations> {
  const ana = await person("ana");
  const rowOf = (name: string, rule: string | null, { signed, state, options }: Candidate): Row => ({
    name,
    rule,
    signed,
    state,
    registry: options.registry ? inWriting(options.registry, ana) : null,
  });
  const invalid: Row[] = [];
  for (const { rule, name, make } of VECTORS) invalid.push(rowOf(name, rule, await make(ana)));
  const valid = await Promise.all(
    (await samplesOf(ana)).map(async ({ type, signed, state, facts }) => ({
      ...rowOf(type, null, { signed, state, options: { registry: facts } }),
      hash: await hashOfOperation(signed.op),
    })),
  );
  return {
    about:
      "Signed operations of DCANN and the first rule each breaks, in the order in which rules are asked. " +
      "Secret keys are SHA-256 of freehold-test:NAME, as in freehold-test:ana/authority/0. Times are milliseconds since 1970.",
    rules: RULES.map(({ id, by, says }) => ({ id, by, says })),
    bundle: JSON.parse(GOLDEN_BUNDLE),
    identifiers: IDENTIFIERS.map((text) => {
      const reading = readId(text);
      return { text, hint: reading.kind === "broken" ? reading.hint : null };
    }),
    valid,
    invalid,
  };
}

/** One row a line: so a change of one vector is one line in a comparison. */
export function written(published: PublishedOperations): string {
  const list = (rows: readonly unknown[]): string =>
    `[\n${rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]`;
  const { about, rules, bundle, identifiers, valid, invalid } = published;
  const members: readonly (readonly [string, string])[] = [
    ["about", JSON.stringify(about)],
    ["rules", list(rules)],
    ["bundle", JSON.stringify(bundle)],
    ["identifiers", list(identifiers)],
    ["valid", list(valid)],
    ["invalid", list(invalid)],
  ];
  return `{\n${members.map(([name, text]) => `  ${JSON.stringify(name)}: ${text}`).join(",\n")}\n}\n`;
}
