/** The algebra in brackets, as the specification writes it: short enough to compare by eye. */
import type { Expression, Path, Pattern, Place } from "../../../server/query/sparql/algebra.ts";

const XSD = "http://www.w3.org/2001/XMLSchema#";

export function printPlace(place: Place): string {
  switch (place.termType) {
    case "Variable":
      return `?${place.value}`;
    case "NamedNode":
      return `<${place.value.replace("http://a.example/", "")}>`;
    case "BlankNode":
      return `_:${place.value}`;
    default: {
      const { datatype, language } = place;
      const kind = language ? `@${language}` : `^^${datatype.value.slice(XSD.length)}`;
      return kind === "^^integer" ? place.value : `"${place.value}"${kind === "^^string" ? "" : kind}`;
    }
  }
}

export function printPath(path: Path): string {
  switch (path.kind) {
    case "link":
      return printPlace(path.predicate);
    case "sequence":
    case "alternative":
      return `(${path.paths.map(printPath).join(path.kind === "sequence" ? "/" : "|")})`;
    case "not": {
      const backward = path.backward.map((node) => `^${printPlace(node)}`);
      return `!(${[...path.forward.map(printPlace), ...backward].join("|")})`;
    }
    default:
      return `(${path.kind} ${printPath(path.path)})`;
  }
}

export function printExpression(expression: Expression): string {
  const all = (list: readonly Expression[]) => list.map((one) => ` ${printExpression(one)}`).join("");
  switch (expression.kind) {
    case "term":
      return printPlace(expression.term);
    case "variable":
      return `?${expression.name}`;
    case "operator":
      return `(${expression.operator}${all(expression.operands)})`;
    case "call":
      return `(${expression.name}${all(expression.operands)})`;
    case "function":
      return `(<${expression.iri}>${all(expression.operands)})`;
    case "in":
      return `(${expression.negated ? "not in" : "in"} ${printExpression(expression.operand)} [${all(expression.list).trim()}])`;
    default:
      return `(${expression.negated ? "not exists" : "exists"} ${print(expression.pattern)})`;
  }
}

export function print(pattern: Pattern): string {
  switch (pattern.kind) {
    case "bgp": {
      const triples = pattern.triples.map((one) =>
        [one.subject, one.predicate, one.object].map(printPlace).join(" "),
      );
      return `{${triples.join(" . ")}}`;
    }
    case "path":
      return `(path ${printPlace(pattern.subject)} ${printPath(pattern.path)} ${printPlace(pattern.object)})`;
    case "join":
    case "union":
    case "minus":
      return `(${pattern.kind} ${print(pattern.left)} ${print(pattern.right)})`;
    case "leftJoin": {
      const condition = pattern.condition === null ? "true" : printExpression(pattern.condition);
      return `(leftJoin ${print(pattern.left)} ${print(pattern.right)} ${condition})`;
    }
    case "filter":
      return `(filter ${printExpression(pattern.condition)} ${print(pattern.input)})`;
    case "extend":
      return `(extend ?${pattern.variable} ${printExpression(pattern.expression)} ${print(pattern.input)})`;
    case "values": {
      const rows = pattern.rows.map(
        (row) => `(${row.map((value) => (value === null ? "UNDEF" : printPlace(value))).join(" ")})`,
      );
      return `(values ${pattern.variables.map((name) => `?${name}`).join(" ")} ${rows.join(" ")})`;
    }
    case "graph":
      return `(graph ${printPlace(pattern.name)} ${print(pattern.input)})`;
    case "service":
      return `(service ${printPlace(pattern.name)} ${print(pattern.input)})`;
    case "group": {
      const keys = pattern.keys.map(
        ({ variable, expression }) => `(?${variable} ${printExpression(expression)})`,
      );
      const aggregates = pattern.aggregates.map(({ variable, aggregate }) => {
        const { name, distinct, operand } = aggregate;
        return `(?${variable} ${name}${distinct ? " distinct" : ""} ${operand === null ? "*" : printExpression(operand)})`;
      });
      return `(group [${keys.join(" ")}] [${aggregates.join(" ")}] ${print(pattern.input)})`;
    }
    case "order": {
      const by = pattern.by.map(
        ({ expression, descending }) => `${descending ? "desc " : ""}${printExpression(expression)}`,
      );
      return `(order [${by.join(", ")}] ${print(pattern.input)})`;
    }
    case "project":
      return `(project [${pattern.variables.map((name) => `?${name}`).join(" ")}] ${print(pattern.input)})`;
    case "slice":
      return `(slice ${pattern.offset} ${pattern.limit ?? "all"} ${print(pattern.input)})`;
    default:
      return `(${pattern.kind} ${print(pattern.input)})`;
  }
}
