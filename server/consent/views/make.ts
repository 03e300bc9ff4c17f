/** What a view is made of, and how: from the owner's documents to triples that name nothing of where they are from. */
import { createHash } from "node:crypto";
import { frozenIn } from "../../access/restriction.ts";
import { nameOf, parentOf } from "../../iri.ts";
import type { Limits } from "../../limits.ts";
import { mediaTypeOf } from "../../rdf/media.ts";
import { namedNode } from "../../rdf/terms.ts";
import { spellTerm } from "../../rdf/turtle.ts";
import type { Pod } from "../../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import type { Policy, Tier } from "../model.ts";
import { find } from "../records.ts";
import { findDefinition, type ViewDefinition } from "./definitions.ts";
import type { Derived, Job, Part } from "./derive.ts";
import { pairKey } from "./pairwise.ts";
import type { Projection } from "./project.ts";
import { shapeFields } from "./shapes.ts";
import { coarsest } from "./tiers.ts";

/** Some documents of a pod, as they are in one snapshot. */
export interface SourceSet {
  /** In this process the same for the same documents in the same versions, and for nothing else. */
  readonly version: string;
  /** @param agent Whose turn it is. @returns N-Triples. */
  construct(text: string, agent: string, triplesMax: number): Promise<Uint8Array>;
}

/** How documents are chosen and evaluated. @param name Of the test, in this pod: the same for the same. */
export type ChooseSources = (
  snapshot: Snapshot,
  pod: Pod,
  name: string,
  isWanted: (path: string) => boolean | Promise<boolean>,
) => Promise<SourceSet>;

/** One source of a view. */
export interface Recipe {
  readonly places: readonly string[];
  /** Of the documents; null: any. */
  readonly mediaTypes: readonly string[] | null;
  readonly construct: string | null;
  /** Addresses of shapes; null: all. */
  readonly shapes: readonly string[] | null;
  /** One after the other: what the owner's definition gives, and of that what the grant gives. */
  readonly projections: readonly Omit<Projection, "shapes">[];
  /** In which tier the CONSTRUCT's answer is, as the owner says. */
  readonly given: Tier;
  readonly tier: Tier;
}

const LWS_ANY = "https://www.w3.org/ns/lws#DataResource";
const typesOf = (types: readonly string[] | null): readonly string[] | null =>
  types?.includes(LWS_ANY) ? null : types;

/** What the owner's definition gives, before anybody was granted less of it. */
export function recipeOf(definition: ViewDefinition): Recipe {
  const { places, construct, shapes, types, fields, dataFrom, dataTo, tier } = definition;
  return {
    places,
    mediaTypes: null,
    construct,
    shapes,
    projections: [{ types, fields, dataFrom, dataTo }],
    given: construct === null ? "raw" : tier,
    tier,
  };
}

/** What a policy gives. A definition that is not there any more gives nothing. */
export async function recipesOf(snapshot: Snapshot, pod: Pod, policy: Policy): Promise<readonly Recipe[]> {
  const { target, types, fields, dataFrom, dataTo, tier, mediaTypes } = policy;
  const less = { types: typesOf(types), fields, dataFrom, dataTo };
  const root = `/${pod.name}/`;
  if (target.kind === "view") {
    const found = await Promise.all(target.values.map((name) => findDefinition(snapshot, name)));
    return found.flatMap((one): Recipe[] => {
      if (!one) return [];
      const recipe = recipeOf(one.definition);
      return [
        {
          ...recipe,
          mediaTypes,
          projections: [...recipe.projections, less],
          tier: coarsest(recipe.tier, tier),
        },
      ];
    });
  }
  const isShape = target.kind === "shape";
  const places = isShape ? [root] : target.values.filter((path) => path.startsWith(root));
  const shapes = isShape ? target.values : null;
  return [{ places, mediaTypes, construct: null, shapes, projections: [less], given: "raw", tier }];
}

const isAmong = (places: readonly string[], path: string): boolean =>
  places.some((place) => (place.endsWith("/") ? path.startsWith(place) : path === place));

export const EVERYTHING = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }";

/** What a few things say, and all that leads to and from what they lead to: enough to tell what belongs to them. */
function ofClasses(classes: readonly string[]): string {
  const values = classes.map((iri) => spellTerm(namedNode(iri))).join(" ");
  return `CONSTRUCT { ?s ?p ?o . ?o ?q ?v . ?v ?r ?w . ?x ?y ?o . ?above ?link ?s . ?above ?has ?what } WHERE {
    { ?s a ?class ; ?p ?o } UNION
    { ?s a ?class ; ?p ?o . ?o ?q ?v } UNION
    { ?s a ?class ; ?p ?o . ?o ?q ?v . ?v ?r ?w } UNION
    { ?s a ?class ; ?p ?o . ?x ?y ?o FILTER(isIRI(?o) || isBlank(?o)) FILTER(?p != ${TYPE}) } UNION
    { ?s a ?class . ?above ?link ?s ; ?has ?what }
    VALUES ?class { ${values} }
  }`;
}
const TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>";

export interface MakeDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly choose: ChooseSources;
  readonly run: (job: Job) => Promise<Derived>;
  readonly limits: Limits;
}

/** For whom a view is made. */
export interface For {
  /** WebID; empty for the owner, to look at it. */
  readonly assignee: string;
  /** Of the pod. */
  readonly secret: Uint8Array;
  /** Root of the pod where the first names were given; null: where it is. */
  readonly home: string | null;
  /** Properties that the vendor has named itself. */
  readonly fields: readonly string[] | null;
  /** Whose turn it is in the line for evaluations. */
  readonly agent: string;
}

/** The parts of a view, chosen but not evaluated. */
export interface Chosen {
  /** The same for the same view of the same documents. */
  readonly version: string;
  make(): Promise<Derived>;
}

export function createMaking({ baseUrl, choose, run, limits }: MakeDeps) {
  async function sourcesOf(snapshot: Snapshot, pod: Pod, { places, mediaTypes }: Recipe): Promise<SourceSet> {
    const isFrozen = await frozenIn(snapshot); // What rests for everybody, rests in views of it, too.
    const frozen = (await snapshot.get("restriction", "", ""))?.version ?? 0;
    const honey = (await find(snapshot, "honey", ""))?.paths ?? []; // It is there to be found, not to be given.
    const name = JSON.stringify([places, mediaTypes, frozen, honey]);
    return choose(snapshot, pod, name, (path) => {
      if (!isAmong(places, path) || isFrozen(path) || honey.includes(path)) return false;
      if (mediaTypes === null) return true;
      return snapshot
        .get("resource", parentOf(path) ?? "", nameOf(path))
        .then(
          (entry) =>
            entry !== null &&
            mediaTypes.includes(mediaTypeOf(decodeRecord<ResourceRecord>(entry).contentType)),
        );
    });
  }

  /** @returns null where nothing is of any of the shapes. */
  async function partOf(source: SourceSet, recipe: Recipe, agent: string): Promise<Part | null> {
    const { construct, projections, given, tier } = recipe;
    const shapes = recipe.shapes && (await Promise.all(recipe.shapes.map((iri) => shapeFields(iri))));
    const known = shapes?.filter((shape) => shape !== null) ?? null;
    if (known?.length === 0) return null;
    const text = construct ?? (known ? ofClasses(known.flatMap(({ classes }) => classes)) : EVERYTHING);
    const bytes = await source.construct(text, agent, limits.viewTriplesMax);
    return { bytes, shapes: known, projections, given, tier };
  }

  return {
    /** @throws Problem as a query does, from `make`. */
    async choose(
      snapshot: Snapshot,
      pod: Pod,
      recipes: readonly Recipe[],
      { assignee, secret, home, fields, agent }: For,
    ): Promise<Chosen> {
      const sources = await Promise.all(recipes.map((recipe) => sourcesOf(snapshot, pod, recipe)));
      const key = pairKey(secret, assignee);
      const parts = JSON.stringify([recipes, sources.map(({ version }) => version), fields, pod.owner]);
      return {
        version: createHash("sha256").update(key).update(parts).digest("base64url"),
        async make() {
          const parts: Part[] = [];
          for (const [at, recipe] of recipes.entries()) {
            const part = await partOf(sources[at]!, recipe, agent);
            if (part) parts.push(part);
          }
          return run({
            kind: "derive",
            parts,
            renaming: {
              key,
              baseUrl,
              own: [pod.owner.split("#", 1)[0]!],
              fields,
              ...(home !== null && { home: { root: `${baseUrl}${pod.name}/`, first: home } }),
            },
          });
        },
      };
    },
  };
}
