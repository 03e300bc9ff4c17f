/**
 * Whether a document fits the shape that its folder asks for.
 *
 * The shapes graph is the whole document that describes the shape: all its shapes with targets apply, as SHACL has it.
 * Beyond SHACL, the named shape must apply to something: a document in which it finds nothing to look at (an empty
 * one, or one about other things) is refused, for otherwise a folder with a shape would take anything. What stands
 * beside an instance is not looked at unless the shape is closed.
 * @see https://www.w3.org/TR/shacl/
 */
import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { runChecks, SHAPES } from "@freehold/shapes";
import { Problem, type ProblemDetail } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import { createEngine, type Engine } from "./engine.ts";
import { type CheckFinding, findingsOf, mergeReport } from "./report.ts";

export interface ShapeReport {
  /** Whether the document may be stored: nothing is wrong but for warnings. */
  readonly conforms: boolean;
  /** What stops it, in words for a person, without the document's values. */
  readonly errors: readonly ProblemDetail[];
  /** What does not stop it: results of `sh:Warning` and `sh:Info`. */
  readonly warnings: readonly ProblemDetail[];
  /** A `sh:ValidationReport`; its `sh:conforms` is false for warnings too, as the specification has it. */
  readonly report: Quad[];
}

export interface Shapes {
  /** Whether the shape is one of {@link SHAPES}. */
  has(shapeIri: string): boolean;
  /**
   * @param shapeQuads The document that describes the shape, for shapes that are not ours. Its engine is kept as long
   *   as this very array is.
   * @throws Problem `shape-invalid` for a shape that is not known, is not evaluated in full, or takes too long.
   */
  validate(quads: readonly Quad[], shapeIri: string, shapeQuads?: readonly Quad[]): Promise<ShapeReport>;
}

/** Where our shapes are: {@link SHAPES}, or a smaller set in tests. */
export interface Catalogue {
  readonly shapes: readonly { readonly iri: string; readonly file: URL }[];
  /** Run after our own shapes. */
  readonly checks: (quads: readonly Quad[]) => readonly CheckFinding[];
}

const OURS: Catalogue = { shapes: SHAPES, checks: runChecks };

/** A report is for reading; whoever sent a thousand mistakes can come back for the rest. */
const ERRORS_SHOWN = 100;

function shown(problems: readonly ProblemDetail[]): readonly ProblemDetail[] {
  if (problems.length <= ERRORS_SHOWN) return problems;
  return [...problems.slice(0, ERRORS_SHOWN), { detail: `And ${problems.length - ERRORS_SHOWN} more` }];
}

/** Nothing is read or loaded before the first validation. @param clock Milliseconds that only grow. */
export function createShapes(
  limits: Limits,
  catalogue: Catalogue = OURS,
  clock: () => number = () => performance.now(),
): Shapes {
  const files = new Map<string, URL>(catalogue.shapes.map(({ iri, file }) => [iri, file]));
  const ours = new Map<string, Promise<Engine>>(); // By file.
  const foreign = new WeakMap<readonly Quad[], Promise<Engine>>();

  async function load(file: URL, shapeIri: string): Promise<Engine> {
    const quads = await parseRdf(
      await readFile(file),
      "text/turtle",
      shapeIri.split("#", 1)[0] ?? shapeIri,
      limits,
    );
    return createEngine(quads, limits, clock);
  }

  function engineOf(shapeIri: string, shapeQuads: readonly Quad[] | undefined): Promise<Engine> {
    if (shapeQuads) {
      let engine = foreign.get(shapeQuads);
      if (!engine) foreign.set(shapeQuads, (engine = createEngine(shapeQuads, limits, clock)));
      return engine;
    }
    const file = files.get(shapeIri);
    if (!file) throw new Problem("shape-invalid", "This server does not know the shape");
    let engine = ours.get(file.href);
    if (!engine) {
      ours.set(file.href, (engine = load(file, shapeIri)));
      engine.catch(() => ours.delete(file.href)); // Try again next time.
    }
    return engine;
  }

  return {
    has: (shapeIri) => files.has(shapeIri),
    async validate(quads, shapeIri, shapeQuads) {
      const engine = await engineOf(shapeIri, shapeQuads);
      if (!engine.hasTarget(shapeIri))
        throw new Problem("shape-invalid", "The shape has no target, so nothing could be held against it");
      const { results, report, focusNodes } = await engine.run(quads, shapeIri);
      const checks: CheckFinding[] = shapeQuads ? [] : [...catalogue.checks(quads)];
      if (focusNodes === 0) {
        checks.push({
          check: "something",
          severity: "violation",
          focus: shapeIri,
          path: "",
          message: "The document holds nothing that the shape of the folder is for",
        });
      }
      const findings = [
        ...findingsOf(results, engine.shapes),
        ...checks.map(({ severity, message, focus, path }) => ({
          severity,
          problem: { detail: message, at: path === "" ? focus : `${focus} ${path}` },
        })),
      ];
      const of = (severity: "violation" | "warning") =>
        shown(findings.filter((finding) => finding.severity === severity).map(({ problem }) => problem));
      const errors = of("violation");
      return {
        conforms: errors.length === 0,
        errors,
        warnings: of("warning"),
        report: mergeReport(report, checks),
      };
    },
  };
}
