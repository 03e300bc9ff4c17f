/**
 * The Data Privacy Vocabulary as consent needs it: what stands under what, and what it is called. A thing that the
 * vocabulary does not know is narrower than nothing but itself, so an unknown word never widens a consent.
 * @see https://w3id.org/dpv
 */
import { CATEGORY_TABLE, LABELS, LEGAL_BASIS_TABLE, PURPOSE_TABLE, SPECIAL } from "./dpv-table.ts";

const DPV = "https://w3id.org/dpv#";
const PD = "https://w3id.org/dpv/pd#";
const GDPR = "https://w3id.org/dpv/legal/eu/gdpr#";

export interface DpvTerm {
  readonly iri: string;
  /** English, as the vocabulary has it: "Service Provision". */
  readonly label: string;
  /** Terms directly above it. */
  readonly broader: readonly string[];
}

type Scheme = "purpose" | "category" | "legalBasis";

interface Hierarchy {
  readonly terms: ReadonlyMap<string, DpvTerm>;
  /** Of each term everything above it. */
  readonly above: ReadonlyMap<string, ReadonlySet<string>>;
}

const IRI_OF: Readonly<Record<Scheme, (name: string) => string>> = {
  purpose: (name) => DPV + name,
  category: (name) => (/^(?:Sensitive)?PersonalData$/.test(name) ? DPV : PD) + name,
  legalBasis: (name) => (/^A\d/.test(name) ? GDPR : DPV) + name,
};

/** "ServiceProvision" as "Service Provision". */
const wordsOf = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ");

function readTable(table: string, iriOf: (name: string) => string): Hierarchy {
  const broader = new Map<string, string[]>();
  const names = new Map<string, string>();
  for (const line of table.trim().replace(/\n +/g, " ").split("\n")) {
    const [parent = "", children = ""] = line.split(": ");
    for (const child of children.split(" ")) {
      const iri = iriOf(child);
      names.set(iri, child);
      broader.set(iri, [...(broader.get(iri) ?? []), iriOf(parent)]);
    }
  }
  const above = new Map<string, ReadonlySet<string>>();
  for (const iri of broader.keys()) {
    const found = new Set<string>();
    const left = [...(broader.get(iri) ?? [])];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (found.has(next)) continue; // Many ways lead up, and nobody promises that none leads round.
      found.add(next);
      left.push(...(broader.get(next) ?? []));
    }
    above.set(iri, found);
  }
  const terms = new Map(
    [...broader].map(([iri, parents]) => {
      const name = names.get(iri) ?? "";
      return [iri, { iri, label: LABELS[name] ?? wordsOf(name), broader: parents }] as const;
    }),
  );
  return { terms, above };
}

/** Made when first asked for: most programs that import the vocabulary ask nothing of this. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const purposeScheme = /* @__PURE__ */ lazily(() => readTable(PURPOSE_TABLE, IRI_OF.purpose));
const categoryScheme = /* @__PURE__ */ lazily(() => readTable(CATEGORY_TABLE, IRI_OF.category));
const legalBasisScheme = /* @__PURE__ */ lazily(() => readTable(LEGAL_BASIS_TABLE, IRI_OF.legalBasis));
const specialRoots = /* @__PURE__ */ lazily(() => new Set(SPECIAL.split(" ").map(IRI_OF.category)));

/** Those whose parents include a special one, and the parents of special ones: who asks for these may get special data. */
const touchingSpecial = /* @__PURE__ */ lazily(() => {
  const { above } = categoryScheme();
  const touching = new Set<string>();
  for (const [iri, parents] of above) {
    if (!isSpecialCategory(iri)) continue;
    for (const each of [iri, ...parents]) touching.add(each);
  }
  return touching;
});

const schemes = (): readonly Hierarchy[] => [purposeScheme(), categoryScheme(), legalBasisScheme()];
const NONE: ReadonlySet<string> = new Set();

/** @returns every purpose but `dpv:Purpose` itself, in no particular order. */
export const purposes = (): readonly DpvTerm[] => [...purposeScheme().terms.values()];

/** @returns every category of personal data. */
export const personalDataCategories = (): readonly DpvTerm[] => [...categoryScheme().terms.values()];

/** @returns every legal basis, those of the GDPR's articles 6 and 9 among them. */
export const legalBases = (): readonly DpvTerm[] => [...legalBasisScheme().terms.values()];

export const isPurpose = (iri: string): boolean => purposeScheme().terms.has(iri);
export const isPersonalDataCategory = (iri: string): boolean => categoryScheme().terms.has(iri);

/** @returns everything above a purpose, category or legal basis, itself not included; empty for what is unknown. */
export function ancestors(iri: string): ReadonlySet<string> {
  return (
    schemes()
      .find(({ above }) => above.has(iri))
      ?.above.get(iri) ?? NONE
  );
}

/**
 * Whether one purpose (category, legal basis) is the other or stands somewhere under it (`skos:broader*`).
 * @see https://w3id.org/dpv/guides/dpv-odrl
 */
export function isNarrower(purpose: string, granted: string): boolean {
  if (purpose === granted) return true;
  return (
    purposeScheme().above.get(purpose) ??
    categoryScheme().above.get(purpose) ??
    legalBasisScheme().above.get(purpose) ??
    NONE
  ).has(granted);
}

/** Whether data of this category is always of a special category: its own article 9 of the GDPR. */
export function isSpecialCategory(category: string): boolean {
  const roots = specialRoots();
  return (
    roots.has(category) || [...(categoryScheme().above.get(category) ?? NONE)].some((iri) => roots.has(iri))
  );
}

/** Whether data of this category may be special: it is, or something under it is, or nobody knows what it is. */
export function mayBeSpecial(category: string): boolean {
  return (
    touchingSpecial().has(category) || category === `${DPV}PersonalData` || !isPersonalDataCategory(category)
  );
}

/** Whether a legal basis is consent, in whichever of its names. */
export const isConsent = (legalBasis: string): boolean => isNarrower(legalBasis, `${DPV}Consent`);

/** @returns the vocabulary's English label, or the words of the address' last part. */
export function labelOf(iri: string): string {
  for (const { terms } of schemes()) {
    const term = terms.get(iri);
    if (term) return term.label;
  }
  return wordsOf(/[^#/:]*$/.exec(iri.replace(/[#/]+$/, ""))?.[0] ?? iri).replace(/[-_]+/g, " ");
}

/** @returns the vocabulary's English label; of anybody else's word its address, for what its last part says could be anything. */
export const sureLabelOf = (iri: string): string =>
  schemes().some(({ terms }) => terms.has(iri)) ? labelOf(iri) : iri;
