/**
 * The property function `?text fh:matches "words"`: it holds, in a graph, of every text that is an object there and
 * matches. What it means is said with what SPARQL has, so that joins, OPTIONAL and GRAPH mean with it what they always do.
 */
import type { Expression, Pattern, Place, Query, TriplePattern } from "../sparql/algebra.ts";
import { MATCHES } from "./vocabulary.ts";

const isMatch = ({ predicate }: TriplePattern): boolean =>
  predicate.termType === "NamedNode" && predicate.value === MATCHES;

/** Null for what is no text and no variable: nothing matches it. */
function expressionOf(place: Place): Expression | null {
  if (place.termType === "Variable") return { kind: "variable", name: place.value };
  return place.termType === "BlankNode" ? null : { kind: "term", term: place };
}

class Rewriter {
  #fresh = 0;

  #condition({ subject, object }: TriplePattern): Expression {
    const operands = [subject, object].map(expressionOf).filter((operand) => operand !== null);
    return { kind: "function", iri: MATCHES, operands };
  }

  /** All texts of the graph that match, each once. */
  #alone(triple: TriplePattern, variable: string): Pattern {
    const number = this.#fresh++;
    const fresh = (name: string) => ({ termType: "Variable" as const, value: `.${name}${number}` });
    const scan: Pattern = {
      kind: "bgp",
      triples: [{ subject: fresh("subject"), predicate: fresh("predicate"), object: triple.subject }],
    };
    const input: Pattern = { kind: "filter", input: scan, condition: this.#condition(triple) };
    return { kind: "distinct", input: { kind: "project", input, variables: [variable] } };
  }

  #bgp(triples: readonly TriplePattern[]): Pattern {
    const others = triples.filter((triple) => !isMatch(triple));
    const objects = new Set(others.map(({ object }) => (object.termType === "Variable" ? object.value : "")));
    let pattern: Pattern = { kind: "bgp", triples: others };
    for (const triple of triples.filter(isMatch)) {
      const { subject } = triple;
      const isAlone = subject.termType === "Variable" && !objects.has(subject.value);
      pattern =
        isAlone && subject.termType === "Variable"
          ? { kind: "join", left: pattern, right: this.#alone(triple, subject.value) }
          : { kind: "filter", input: pattern, condition: this.#condition(triple) };
    }
    return pattern;
  }

  expression(expression: Expression): Expression {
    switch (expression.kind) {
      case "exists":
        return { ...expression, pattern: this.pattern(expression.pattern) };
      case "operator":
      case "call":
      case "function":
        return { ...expression, operands: expression.operands.map((operand) => this.expression(operand)) };
      case "in":
        return {
          ...expression,
          operand: this.expression(expression.operand),
          list: expression.list.map((item) => this.expression(item)),
        };
      default:
        return expression;
    }
  }

  pattern(pattern: Pattern): Pattern {
    switch (pattern.kind) {
      case "bgp":
        return pattern.triples.some(isMatch) ? this.#bgp(pattern.triples) : pattern;
      case "path":
      case "values":
        return pattern;
      case "join":
      case "union":
      case "minus":
        return { ...pattern, left: this.pattern(pattern.left), right: this.pattern(pattern.right) };
      case "leftJoin": {
        const [left, right] = [this.pattern(pattern.left), this.pattern(pattern.right)];
        return {
          ...pattern,
          left,
          right,
          condition: pattern.condition && this.expression(pattern.condition),
        };
      }
      case "filter":
        return {
          ...pattern,
          input: this.pattern(pattern.input),
          condition: this.expression(pattern.condition),
        };
      case "extend":
        return {
          ...pattern,
          input: this.pattern(pattern.input),
          expression: this.expression(pattern.expression),
        };
      default:
        return { ...pattern, input: this.pattern(pattern.input) };
    }
  }
}

export const withSearch = (query: Query): Query => ({
  ...query,
  pattern: new Rewriter().pattern(query.pattern),
});
