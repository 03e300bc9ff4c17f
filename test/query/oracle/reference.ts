/** SPARQL's algebra, word for word: sets of solutions, each operator as section 18 defines it, and no thought of speed. Long because it is one definition after the other. https://www.w3.org/TR/sparql11-query/#sparqlAlgebra */
import { xsd } from "@freehold/vocab";
import type {
  Aggregate,
  Expression,
  Path,
  Pattern,
  Place,
  Query,
  TriplePattern,
  Variable,
} from "../../../server/query/sparql/algebra.ts";
import {
  blankNode,
  keyOf,
  keyOfTriple,
  literal,
  namedNode,
  type Quad,
  quad,
  type Value,
} from "../../../server/rdf/terms.ts";
import { apart, type GraphDocument, merged, type Outcome, type Solution } from "./engines.ts";
import { call, compare, Failed, Free, isSame, isTrue, number, numberTerm } from "./reference-values.ts";

type Graph = readonly Quad[];
interface Dataset {
  readonly defaults: Graph;
  readonly named: ReadonlyMap<string, Graph>;
}
type Bound = Map<string, Value>;

const ROWS_MAX = 20_000; // Beyond, a case is not worth its time.
const EMPTY: Bound = new Map();

function keyOfSolution(row: Solution): string {
  return [...row]
    .filter(([name]) => !name.startsWith("_:")) // A blank node of a pattern is no part of a solution.
    .map(([name, term]) => `${name}=${keyOf(term)}`)
    .sort()
    .join(" ");
}

function areCompatible(left: Solution, right: Solution): boolean {
  for (const [name, term] of left) {
    const other = right.get(name);
    if (other && keyOf(other) !== keyOf(term)) return false;
  }
  return true;
}

function limited<T>(rows: T[]): T[] {
  if (rows.length > ROWS_MAX) throw new Free("too many rows");
  return rows;
}

const join = (left: Bound[], right: Bound[]): Bound[] =>
  limited(left.flatMap((a) => right.filter((b) => areCompatible(a, b)).map((b) => new Map([...a, ...b]))));

const isVariable = (place: Place): place is Variable => place.termType === "Variable";

class Evaluation {
  readonly dataset: Dataset;
  readonly baseIri: string;
  constructor(dataset: Dataset, baseIri: string) {
    this.dataset = dataset;
    this.baseIri = baseIri;
  }

  /** Joins a term with what a place wants. */
  #bind(row: Bound, place: Place, term: Value): Bound | null {
    if (!isVariable(place)) return keyOf(place) === keyOf(term) ? row : null;
    const known = row.get(place.value);
    if (known) return keyOf(known) === keyOf(term) ? row : null;
    return new Map([...row, [place.value, term]]);
  }

  #triples(triples: readonly TriplePattern[], graph: Graph): Bound[] {
    let rows: Bound[] = [EMPTY];
    for (const { subject, predicate, object } of triples) {
      const next: Bound[] = [];
      for (const row of rows)
        for (const each of graph) {
          const one = this.#bind(row, subject, each.subject);
          const two = one && this.#bind(one, predicate, each.predicate);
          const three = two && this.#bind(two, object, each.object);
          if (three) next.push(three);
        }
      rows = limited(next);
    }
    return rows;
  }

  /** Pairs that a path connects, as a multiset. https://www.w3.org/TR/sparql11-query/#PropertyPathPatterns */
  #pairs(path: Path, graph: Graph, ends: readonly Value[]): [Value, Value][] {
    const distinct = (pairs: [Value, Value][]): [Value, Value][] => [
      ...new Map(pairs.map((pair) => [`${keyOf(pair[0])} ${keyOf(pair[1])}`, pair])).values(),
    ];
    switch (path.kind) {
      case "link":
        return graph
          .filter(({ predicate }) => predicate.value === path.predicate.value)
          .map(({ subject, object }) => [subject, object]);
      case "inverse":
        return this.#pairs(path.path, graph, ends).map(([a, b]) => [b, a]);
      case "sequence":
        return path.paths
          .map((each) => this.#pairs(each, graph, ends))
          .reduce((left, right) =>
            limited(
              left.flatMap(([a, b]) =>
                right.filter(([c]) => keyOf(b) === keyOf(c)).map(([, d]): [Value, Value] => [a, d]),
              ),
            ),
          );
      case "alternative":
        return path.paths.flatMap((each) => this.#pairs(each, graph, ends));
      case "not": {
        const not = (list: readonly { readonly value: string }[], each: Quad) =>
          !list.some(({ value }) => value === each.predicate.value);
        const pairs: [Value, Value][] = [];
        // `!(a)` looks forward, `!(^a)` backward, `!(a|^b)` both ways.
        if (path.forward.length > 0 || path.backward.length === 0)
          for (const each of graph) if (not(path.forward, each)) pairs.push([each.subject, each.object]);
        if (path.backward.length > 0)
          for (const each of graph) if (not(path.backward, each)) pairs.push([each.object, each.subject]);
        return pairs;
      }
      default: {
        const nodes = [
          ...new Map(
            [...graph.flatMap(({ subject, object }) => [subject, object]), ...ends].map((term) => [
              keyOf(term),
              term,
            ]),
          ).values(),
        ];
        const zero = nodes.map((term): [Value, Value] => [term, term]);
        const one = distinct(this.#pairs(path.path, graph, ends));
        if (path.kind === "zeroOrOne") return distinct([...zero, ...one]);
        let reached = one;
        for (;;) {
          const more = distinct([
            ...reached,
            ...reached.flatMap(([a, b]) =>
              one.filter(([c]) => keyOf(b) === keyOf(c)).map(([, d]): [Value, Value] => [a, d]),
            ),
          ]);
          if (more.length === reached.length) break;
          reached = more;
        }
        return path.kind === "oneOrMore" ? reached : distinct([...zero, ...reached]);
      }
    }
  }

  /** `graph` is the active graph. */
  rows(pattern: Pattern, graph: Graph): Bound[] {
    switch (pattern.kind) {
      case "bgp":
        return this.#triples(pattern.triples, graph);
      case "path": {
        const { subject, path, object } = pattern;
        const ends = [subject, object].filter((place): place is Value => !isVariable(place));
        return this.#pairs(path, graph, ends).flatMap(([from, to]) => {
          const one = this.#bind(EMPTY, subject, from);
          const two = one && this.#bind(one, object, to);
          return two ? [two] : [];
        });
      }
      case "join":
        return join(this.rows(pattern.left, graph), this.rows(pattern.right, graph));
      case "leftJoin": {
        const right = this.rows(pattern.right, graph);
        return limited(
          this.rows(pattern.left, graph).flatMap((row) => {
            const matches = join([row], right).filter(
              (both) => pattern.condition === null || this.#test(pattern.condition, both, graph),
            );
            return matches.length > 0 ? matches : [row];
          }),
        );
      }
      case "union":
        return [...this.rows(pattern.left, graph), ...this.rows(pattern.right, graph)];
      case "minus": {
        const right = this.rows(pattern.right, graph);
        return this.rows(pattern.left, graph).filter(
          (row) =>
            !right.some(
              (other) => [...row.keys()].some((name) => other.has(name)) && areCompatible(row, other),
            ),
        );
      }
      case "filter":
        return this.rows(pattern.input, graph).filter((row) => this.#test(pattern.condition, row, graph));
      case "extend":
        return this.rows(pattern.input, graph).map((row) => {
          const value = this.#try(pattern.expression, row, graph);
          return value === null ? row : new Map([...row, [pattern.variable, value]]);
        });
      case "values":
        return pattern.rows.map(
          (row) =>
            new Map(pattern.variables.flatMap((name, at) => (row[at] ? [[name, row[at]] as const] : []))),
        );
      case "graph": {
        const { name } = pattern;
        if (!isVariable(name)) {
          const own = this.dataset.named.get(name.value);
          return own ? this.rows(pattern.input, own) : [];
        }
        // By the letter the name is joined afterwards, so no expression inside can see it; most engines let it be seen.
        if (isSeen(pattern.input, name.value)) throw new Free("the name of a graph in an expression");
        return [...this.dataset.named].flatMap(([iri, own]) =>
          join(this.rows(pattern.input, own), [new Map([[name.value, namedNode(iri)]])]),
        );
      }
      case "group":
        return this.#group(pattern, graph);
      case "order":
        return this.rows(pattern.input, graph); // Which order is right, is compared elsewhere.
      case "project":
        return this.rows(pattern.input, graph).map(
          (row) => new Map([...row].filter(([name]) => pattern.variables.includes(name))),
        );
      case "distinct":
        return [...new Map(this.rows(pattern.input, graph).map((row) => [keyOfSolution(row), row])).values()];
      case "reduced":
        return this.rows(pattern.input, graph);
      default:
        throw new Free(pattern.kind);
    }
  }

  #group({ input, keys, aggregates }: Pattern & { kind: "group" }, graph: Graph): Bound[] {
    const groups = new Map<string, { readonly key: Bound; readonly rows: Bound[] }>();
    if (keys.length === 0) groups.set("", { key: new Map(), rows: [] });
    for (const row of this.rows(input, graph)) {
      const key: Bound = new Map();
      for (const { variable, expression } of keys) {
        const value = this.#try(expression, row, graph);
        if (value) key.set(variable, value);
      }
      const text = keyOfSolution(key);
      const group = groups.get(text) ?? { key, rows: [] };
      groups.set(text, group);
      group.rows.push(row);
    }
    return [...groups.values()].map(({ key, rows }) => {
      const result = new Map(key);
      for (const { variable, aggregate } of aggregates) {
        const value = this.#aggregate(aggregate, rows, graph);
        if (value) result.set(variable, value);
      }
      return result;
    });
  }

  #aggregate({ name, distinct, operand, separator }: Aggregate, rows: Bound[], graph: Graph): Value | null {
    if (operand === null) {
      // What stands for blank nodes, and between the steps of a path, is no part of a solution.
      const visible = (row: Bound): Bound =>
        new Map([...row].filter(([variable]) => !/^(_:|\.)/.test(variable)));
      const count = distinct ? new Set(rows.map((row) => keyOfSolution(visible(row)))).size : rows.length;
      return numberTerm(number(count));
    }
    const all = rows.map((row) => this.#try(operand, row, graph));
    let values = all.filter((value) => value !== null);
    if (distinct) values = [...new Map(values.map((value) => [keyOf(value), value])).values()];
    if (name === "COUNT") return numberTerm(number(values.length));
    if (values.length < all.length && !distinct && all.includes(null))
      throw new Free("an aggregate over errors");
    if (all.includes(null)) throw new Free("an aggregate over errors");
    try {
      switch (name) {
        case "SUM":
          return values.reduce<Value>((sum, value) => call("+", [sum, value]), numberTerm(number(0)));
        case "AVG": {
          if (values.length === 0) return numberTerm(number(0));
          const sum = values.reduce<Value>((sum, value) => call("+", [sum, value]), numberTerm(number(0)));
          return call("/", [sum, numberTerm(number(values.length))]);
        }
        case "MIN":
        case "MAX": {
          const [first, ...others] = new Map(values.map((value) => [keyOf(value), value])).values();
          if (!first) return null;
          let best = first;
          for (const value of others) {
            if (!this.#comparable(best, value) || compare(best, value) === 0) throw new Free("no order");
            if (compare(value, best) < 0 === (name === "MIN")) best = value;
          }
          return best;
        }
        case "GROUP_CONCAT":
          return literal(values.map((value) => call("STR", [value]).value).join(separator));
        default:
          throw new Free(name);
      }
    } catch (error) {
      if (error instanceof Failed) return null;
      throw error;
    }
  }

  #comparable(a: Value, b: Value): boolean {
    try {
      compare(a, b);
      return true;
    } catch {
      return false;
    }
  }

  #test(expression: Expression, row: Bound, graph: Graph): boolean {
    try {
      return isTrue(this.#value(expression, row, graph));
    } catch (error) {
      if (error instanceof Failed) return false;
      throw error;
    }
  }

  #try(expression: Expression, row: Bound, graph: Graph): Value | null {
    try {
      return this.#value(expression, row, graph);
    } catch (error) {
      if (error instanceof Failed) return null;
      throw error;
    }
  }

  /** @throws Failed for an error of evaluation. */
  #value(expression: Expression, row: Bound, graph: Graph): Value {
    const truth = (value: boolean): Value => literal(String(value), namedNode(xsd.boolean));
    const of = (inner: Expression): Value => this.#value(inner, row, graph);
    const caught = (inner: Expression): boolean | null => {
      try {
        return isTrue(of(inner));
      } catch (error) {
        if (error instanceof Failed) return null;
        throw error;
      }
    };
    switch (expression.kind) {
      case "term":
        return expression.term;
      case "variable": {
        const value = row.get(expression.name);
        if (!value) throw new Failed("unbound");
        return value;
      }
      case "exists":
        return truth(this.rows(substitute(expression.pattern, row), graph).length > 0 !== expression.negated);
      case "in": {
        const operand = of(expression.operand);
        let failed = false;
        for (const item of expression.list) {
          try {
            if (isSame(operand, of(item))) return truth(!expression.negated);
          } catch (error) {
            if (!(error instanceof Failed)) throw error;
            failed = true;
          }
        }
        if (failed) throw new Failed("in");
        return truth(expression.negated);
      }
      case "operator": {
        const [one, two] = expression.operands;
        if (expression.operator === "&&" || expression.operator === "||") {
          const decisive = expression.operator === "||";
          const [left, right] = [caught(one!), caught(two!)];
          if (left === decisive || right === decisive) return truth(decisive);
          if (left === null || right === null) throw new Failed("neither");
          return truth(!decisive);
        }
        return call(expression.operator, expression.operands.map(of));
      }
      case "function":
        return call(expression.iri, expression.operands.map(of));
      default: {
        const { name, operands } = expression;
        if (name === "BOUND")
          return truth(operands.some((each) => each.kind === "variable" && row.has(each.name)));
        if (name === "IF") return isTrue(of(operands[0]!)) ? of(operands[1]!) : of(operands[2]!);
        if (name === "COALESCE") {
          for (const operand of operands) {
            const value = this.#try(operand, row, graph);
            if (value) return value;
          }
          throw new Failed("coalesce");
        }
        return call(name, operands.map(of), this.baseIri);
      }
    }
  }
}

/** Whether an expression of a pattern names a variable. */
function isSeen(part: unknown, name: string, isExpression = false): boolean {
  if (typeof part !== "object" || part === null) return false;
  const { kind, termType, value } = part as { kind?: string; termType?: string; value?: unknown };
  if (isExpression && termType === "Variable") return value === name;
  if (kind === "variable") return (part as { name: string }).name === name;
  return Object.values(part).some((inner) => isSeen(inner, name, isExpression || kind === "exists"));
}

/** https://www.w3.org/TR/sparql11-query/#defn_substitute */
function substitute(pattern: Pattern, row: Solution): Pattern {
  const place = <T extends Place>(each: T): T =>
    isVariable(each) && row.has(each.value) ? (row.get(each.value) as unknown as T) : each;
  const expression = (each: Expression): Expression => {
    switch (each.kind) {
      case "variable": {
        const value = row.get(each.name);
        if (value?.termType === "BlankNode") throw new Free("a blank node in an expression");
        return value ? { kind: "term", term: value } : each;
      }
      case "exists":
        return { ...each, pattern: inside(each.pattern) };
      case "term":
        return each;
      case "in":
        return { ...each, operand: expression(each.operand), list: each.list.map(expression) };
      default:
        if (each.kind === "call" && each.name === "BOUND") {
          const [operand] = each.operands;
          const isBound = operand?.kind === "variable" && row.has(operand.name);
          return isBound ? { kind: "term", term: literal("true", namedNode(xsd.boolean)) } : each;
        }
        return { ...each, operands: each.operands.map(expression) };
    }
  };
  const inside = (each: Pattern): Pattern => {
    switch (each.kind) {
      case "bgp":
        return {
          ...each,
          triples: each.triples.map(({ subject, predicate, object }) => ({
            subject: place(subject),
            predicate: place(predicate),
            object: place(object),
          })),
        };
      case "path":
        return { ...each, subject: place(each.subject), object: place(each.object) };
      case "join":
      case "union":
        return { ...each, left: inside(each.left), right: inside(each.right) };
      case "leftJoin":
        return {
          ...each,
          left: inside(each.left),
          right: inside(each.right),
          condition: each.condition && expression(each.condition),
        };
      case "filter":
        return { ...each, input: inside(each.input), condition: expression(each.condition) };
      case "graph":
        return { ...each, name: place(each.name), input: inside(each.input) };
      default:
        throw new Free(`${each.kind} inside EXISTS`); // What substitution means there is not said.
    }
  };
  return inside(pattern);
}

/** @throws Free where more than one answer is right. */
export function referenceAnswer(query: Query, graphs: readonly GraphDocument[]): Outcome {
  const own = graphs.map((graph, at) => ({ ...graph, quads: apart(graph.quads, `d${at}.`) }));
  const named = own
    .filter(({ isNamed }) => isNamed)
    .map(
      ({ name, quads }) =>
        [name, [...new Map(quads.map((each) => [keyOfTriple(each), each])).values()]] as const,
    );
  const dataset = { defaults: merged(own), named: new Map(named) };
  const evaluation = new Evaluation(dataset, query.baseIri);
  const rows = evaluation.rows(query.pattern, dataset.defaults);
  switch (query.form) {
    case "select":
      return { kind: "rows", rows };
    case "ask":
      return { kind: "boolean", value: rows.length > 0 };
    case "construct": {
      const triples = new Map<string, Quad>();
      let solution = 0;
      for (const row of rows) {
        solution++;
        for (const { subject, predicate, object } of query.template) {
          const [s, p, o] = [subject, predicate, object].map((each) => {
            if (isVariable(each)) return row.get(each.value);
            return each.termType === "BlankNode" ? blankNode(`new${solution}.${each.value}`) : each;
          });
          if (!s || !p || !o || s.termType === "Literal") continue;
          if (p.termType !== "NamedNode") continue;
          const each = quad(s, p, o);
          triples.set(keyOfTriple(each), each);
        }
      }
      return { kind: "graph", quads: [...triples.values()] };
    }
    default:
      throw new Free("DESCRIBE");
  }
}
