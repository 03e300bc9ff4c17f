/**
 * Writes the demonstration data of two people who do not exist: `node test/tools/fixtures.ts`. The same every time.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { contactsOf } from "./fixtures/contacts.ts";
import { energyOf } from "./fixtures/energy.ts";
import { ordersOf } from "./fixtures/orders.ts";
import { PEOPLE, type Person } from "./fixtures/people.ts";
import { statementOf } from "./fixtures/statements.ts";

export { ANA, BEN, PEOPLE, type Person } from "./fixtures/people.ts";

export const DEMO_FOLDER = new URL("../../server/import/demo/", import.meta.url);

/** File name → content, for one person. */
export function filesOf(person: Person): Readonly<Record<string, string>> {
  return {
    "contacts.vcf": contactsOf(person),
    "statement.xml": statementOf(person),
    "orders.csv": ordersOf(person),
    "energy.xml": energyOf(person),
  };
}

/** What a search of raw bytes (of a disk, a log, an answer) may look for; each string is in the person's files. */
export interface Canaries {
  /** Imported, so to be found only by those who may: never in clear on a disk, never in a log. */
  readonly personal: readonly string[];
  /** Left out by the importers: to be found nowhere but in the file itself. */
  readonly dropped: readonly string[];
}

export function canariesOf(person: Person): Canaries {
  return {
    personal: [
      person.own.family,
      person.own.phone.replaceAll(" ", ""),
      person.own.email,
      person.own.street,
      person.employer,
      ...person.contacts.flatMap(({ family, email, street }) => [family, email, street]),
      ...person.merchants,
    ],
    dropped: [
      person.card,
      ...person.accounts.map(({ iban, other }) => iban ?? other ?? ""),
      "CANARYPHOTO",
      "CANARY-GIFT-MESSAGE",
      "CANARY-GIFT-RECIPIENT",
      "CANARY-METER-ADDRESS",
      "ParcelCo(TRK",
      "Visa - ",
    ],
  };
}

async function writeAll(): Promise<void> {
  for (const person of PEOPLE) {
    const folder = new URL(`${person.name}/`, DEMO_FOLDER);
    await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(filesOf(person)))
      await writeFile(new URL(name, folder), content);
  }
}

if (import.meta.main) await writeAll();
