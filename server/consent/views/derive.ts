/** From what an evaluation found to what a vendor gets: pure, and for much data in a thread of its own. */
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { parseRdf } from "../../rdf/parse.ts";
import { serializeRdf } from "../../rdf/serialize.ts";
import { blankNode, type Quad, quad, type Value } from "../../rdf/terms.ts";
import type { Tier } from "../model.ts";
import { type Renaming, rename } from "./pairwise.ts";
import { type Projection, project, type ShapeFields } from "./project.ts";
import { isCoarser, toTier } from "./tiers.ts";

/** What was found in one source, and how much of it is given. */
export interface Part {
  /** N-Triples. */
  readonly bytes: Uint8Array;
  readonly shapes: readonly ShapeFields[] | null;
  /** One after the other. */
  readonly projections: readonly Omit<Projection, "shapes">[];
  /** The tier that it is in. */
  readonly given: Tier;
  readonly tier: Tier;
}

export type Job =
  | {
      readonly kind: "derive";
      readonly parts: readonly Part[];
      readonly renaming: Omit<Renaming, "all">;
    }
  /** The same in another format. */
  | {
      readonly kind: "spell";
      readonly bytes: Uint8Array;
      readonly contentType: string;
      readonly prefixes: Readonly<Record<string, string>>;
    };

export interface Derived {
  readonly bytes: Uint8Array;
  readonly triples: number;
}

const LINES = "application/n-triples";

/** Nodes without a name of two sources are never the same, whatever their labels. */
function apart(quads: readonly Quad[], part: number): readonly Quad[] {
  const own = <T extends Value>(term: T): T =>
    term.termType === "BlankNode" ? (blankNode(`p${part}.${term.value}`) as T) : term;
  return quads.map(({ subject, predicate, object }) => quad(own(subject), predicate, own(object)));
}

/** @param limits Of documents that somebody sends; what is made here may be larger. */
export async function derive(job: Job, limits: Limits): Promise<Derived> {
  const own: Limits = {
    ...limits,
    rdfQuadsMax: limits.viewTriplesMax,
    rdfBytesMax: limits.queryOwnerResultBytesMax,
  };
  const read = (bytes: Uint8Array): Promise<Quad[]> => parseRdf(bytes, LINES, "urn:freehold:view", own);
  if (job.kind === "spell") {
    const quads = await read(job.bytes);
    const { contentType, prefixes } = job;
    return { bytes: await serializeRdf(quads, contentType, { prefixes }), triples: quads.length };
  }
  const all: Quad[] = [];
  const given: Quad[] = [];
  for (const [at, { bytes, shapes, projections, given: before, tier }] of job.parts.entries()) {
    const found = await read(bytes);
    let left: readonly Quad[] = found;
    for (const [step, projection] of projections.entries())
      left = project(left, { ...projection, shapes: step === 0 ? shapes : null });
    if (isCoarser(tier, before)) left = toTier(left, tier);
    for (const one of found) all.push(one);
    for (const one of apart(left, at)) given.push(one);
  }
  if (all.length > limits.viewTriplesMax)
    throw new Problem("query-refused", `A view is made of at most ${limits.viewTriplesMax} triples`);
  const quads = rename(given, { ...job.renaming, all });
  return { bytes: await serializeRdf(quads, LINES), triples: quads.length };
}
