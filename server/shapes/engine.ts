/** The SHACL engine, the only file that knows it: loaded at first use, counted, and with patterns that cannot run away. */
import { rdfs, sh } from "@freehold/vocab";
import type SHACLValidator from "rdf-validate-shacl";
import type { ValidationResult } from "rdf-validate-shacl/src/validation-report.js";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { keyOf, namedNode, type Quad, type Term } from "../rdf/terms.ts";
import { MeteredDataset } from "./dataset.ts";
import { guardShapes, type Patterns, patternKey } from "./guard.ts";
import { createMeter, type Meter } from "./meter.ts";
import type { Dataset, DatasetQuad, DatasetTerm } from "./rdfjs.ts";

export type { ValidationResult };

export interface EngineRun {
  readonly results: readonly ValidationResult[];
  /** The report with all that hangs on it; `sh:conforms` as the specification has it. */
  readonly report: readonly Quad[];
  /** How many nodes that the data speak of the asked-about shape is for. */
  readonly focusNodes: number;
}

export interface Engine {
  /**
   * Holds data against all targeted shapes of the graph.
   * @param shapeIri Of this one, the focus nodes that the data speak of are counted.
   * @throws Problem `shape-invalid` when it takes too long or nests too deep.
   */
  run(data: readonly Quad[], shapeIri: string): Promise<EngineRun>;
  /** What the shapes graph says of a node. */
  readonly shapes: Dataset;
  /** Whether the shape has a target: one without is never applied. */
  hasTarget(shapeIri: string): boolean;
}

const SH = sh.path.slice(0, -"path".length);
/** Pairs of values that `sh:lessThan` may compare for one node. */
const COMPARISONS_MAX = 1_000_000;
const SUBCLASS_LEVELS_MAX = 64;

type Factory = SHACLValidator["factory"];
type Component = NonNullable<ReturnType<SHACLValidator["shapesGraph"]["getComponentWithParameter"]>>;

/** The engine's own environment, but with datasets that count. */
function createFactory(environment: Factory, meter: Meter): Factory {
  let labels = 0;
  return Object.create(environment, {
    dataset: { value: (quads: Iterable<DatasetQuad> = []) => new MeteredDataset(quads, meter) },
    // The engine's own labels begin alike in every run, and a document may use them.
    blankNode: { value: (label?: string) => environment.blankNode(label ?? `validation-result-${++labels}`) },
  }) as Factory;
}

function componentOf(validator: SHACLValidator, name: string): Component {
  const component = validator.shapesGraph.getComponentWithParameter(namedNode(SH + name));
  if (!component) throw new Error(`The SHACL engine has no component for sh:${name}`);
  return component;
}

function usePatterns(validator: SHACLValidator, patterns: Patterns, meter: Meter): void {
  const component = componentOf(validator, "pattern");
  const matches: Component["nodeValidationFunction"] = (_focus, value, constraint) => {
    if (value.termType === "BlankNode") return false;
    const flags = constraint.getParameterValue(namedNode(sh.flags)) as DatasetTerm | undefined;
    const pattern = patterns.get(
      patternKey(constraint.getParameterValue(namedNode(sh.pattern)).value, flags?.value ?? ""),
    );
    if (!pattern) throw new Error("A pattern was not compiled");
    return pattern(value.value, meter.spend);
  };
  component.nodeValidationFunction = matches;
  component.propertyValidationFunction = matches;
}

/** `de` covers `de-AT`, but not `den`. https://www.w3.org/TR/sparql11-query/#func-langMatches */
function useLanguageRanges(validator: SHACLValidator): void {
  const component = componentOf(validator, "languageIn");
  const matches: Component["nodeValidationFunction"] = (_focus, value, constraint) => {
    if (value.termType !== "Literal" || value.language === "") return false;
    const language = `${value.language.toLowerCase()}-`;
    const list = validator.$shapes.node(constraint.getParameterValue(namedNode(sh.languageIn))).list();
    return [...(list ?? [])].some((range) => language.startsWith(`${range.value?.toLowerCase()}-`));
  };
  component.nodeValidationFunction = matches;
  component.propertyValidationFunction = matches;
}

/** Every value is compared with every other: the one constraint whose cost is no sum of look-ups. */
function boundComparisons(validator: SHACLValidator, name: "lessThan" | "lessThanOrEquals"): void {
  const component = componentOf(validator, name);
  const compare = component.propertyValidationFunction;
  component.propertyValidationFunction = (focus, value, constraint) => {
    const values = constraint.shape.getValueNodes(focus, validator.$data).length;
    const others = validator.$data.node(focus).out(constraint.getParameterValue(namedNode(SH + name)))
      .terms.length;
    if (values * others > COMPARISONS_MAX)
      throw new Problem(
        "shape-invalid",
        `sh:${name} would compare more than ${COMPARISONS_MAX} pairs of values`,
      );
    return compare(focus, value, constraint);
  };
}

/** The engine follows `rdfs:subClassOf` of the document without looking whether it ends. */
function checkSubclasses(data: MeteredDataset): void {
  const above = new Map<string, string[]>();
  for (const { subject, object } of data.match(null, namedNode(rdfs.subClassOf))) {
    const key = keyOf(subject as Term);
    above.set(key, [...(above.get(key) ?? []), keyOf(object as Term)]);
  }
  const levels = new Map<string, number>(); // 0 while under way.
  function levelOf(key: string, depth: number): number {
    const known = levels.get(key);
    if (known !== undefined && known > 0) return known;
    if (known === 0 || depth > SUBCLASS_LEVELS_MAX)
      throw new Problem(
        "shape-invalid",
        "The document's rdfs:subClassOf statements form a circle, or nest too deep",
      );
    levels.set(key, 0);
    const level = 1 + Math.max(0, ...(above.get(key) ?? []).map((parent) => levelOf(parent, depth + 1)));
    levels.set(key, level);
    return level;
  }
  for (const key of above.keys()) levelOf(key, 1);
}

/**
 * An engine for one shapes graph; it can be used any number of times, also by several at once.
 * @param clock Milliseconds that only grow.
 * @throws Problem `shape-invalid` for shapes that are not evaluated in full.
 */
export async function createEngine(
  shapes: readonly Quad[],
  limits: Limits,
  clock: () => number,
): Promise<Engine> {
  const patterns = guardShapes(shapes, limits);
  const { default: Validator } = await import("rdf-validate-shacl");
  const { default: environment } = await import("rdf-validate-shacl/src/defaultEnv.js");
  const meter = createMeter(limits.shapeMsMax, clock);
  meter.reset();
  const factory = createFactory(environment, meter);
  const graph = new MeteredDataset(shapes, meter);
  // It would stop looking at a node it has seen often, and call it sound; there is no recursion to protect from.
  const options = { factory, maxNodeChecks: 0 };
  const validator = new Validator(graph, options);
  usePatterns(validator, patterns, meter);
  useLanguageRanges(validator);
  boundComparisons(validator, "lessThan");
  boundComparisons(validator, "lessThanOrEquals");
  const conformsToShape = validator.nodeConformsToShape.bind(validator);
  validator.nodeConformsToShape = (...terms) => {
    meter.spend();
    return conformsToShape(...terms);
  };

  /** Focus nodes that the data speak of: `sh:targetNode` names some that no document has. */
  function countFocusNodes(dataset: MeteredDataset, shapeIri: string): number {
    const nodes = validator.shapesGraph
      .getShape(namedNode(shapeIri))
      .getTargetNodes(factory.clownface({ dataset }));
    return nodes.filter((node) => dataset.match(node).size > 0 || dataset.match(null, null, node).size > 0)
      .length;
  }

  return {
    shapes: graph,
    hasTarget: (shapeIri) =>
      validator.shapesGraph.shapesWithTarget.some(({ shapeNode }) => shapeNode.value === shapeIri),
    async run(data, shapeIri) {
      meter.reset();
      try {
        const dataset = new MeteredDataset(data, meter);
        checkSubclasses(dataset);
        const focusNodes = countFocusNodes(dataset, shapeIri);
        (validator.validationEngine as unknown as { nestedResults: object }).nestedResults = {}; // Left over from the last run.
        const { results, dataset: report } = await validator.validate(dataset);
        return { results, report: [...report] as unknown as Quad[], focusNodes };
      } catch (cause) {
        if (cause instanceof Problem) throw cause;
        const tooDeep = cause instanceof RangeError;
        throw new Problem(
          "shape-invalid",
          tooDeep
            ? "The document nests too deep to be held against the shape"
            : "The shape could not be applied to the document",
          { cause },
        );
      }
    },
  };
}
