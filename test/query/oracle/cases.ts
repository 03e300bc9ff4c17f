/** Small datasets and queries by chance: few terms, so that things meet; every operator, nested in every other. */
import { parseText } from "../../../server/rdf/parse.ts";
import type { Chance } from "./chance.ts";
import type { GraphDocument } from "./engines.ts";

const PREFIXES =
  "PREFIX : <http://e/>\nPREFIX d: <http://d/>\nPREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n";
const NODES = [":a", ":b", ":c"] as const;
const PREDICATES = [":p", ":q", ":r"] as const;
const NUMBERS = ["1", "2", "3", "-2", "1.5", "2.0", "0.1", "1e0", "2.5e0", '"01"^^xsd:integer'] as const;
const STRINGS = ['"a"', '"b"', '"A b"', '""', '"b"@en', '"a"@en', '"a"@de'] as const;
const OTHERS = [
  "true",
  "false",
  '"2020-01-01T00:00:00Z"^^xsd:dateTime',
  '"2020-06-01T12:00:00Z"^^xsd:dateTime',
  '"2020-06-01T14:00:00+02:00"^^xsd:dateTime',
  '"x"^^:type',
] as const;
const BLANKS = ["_:x", "_:y"] as const;
export const NAMES = ["d:0", "d:1", "d:2", "d:3"] as const;
const VARIABLES = ["a", "b", "c", "d", "e"] as const;

const literal = (chance: Chance): string =>
  chance.pick<string>(
    chance.weighted<readonly string[]>([
      [5, NUMBERS],
      [3, STRINGS],
      [2, OTHERS],
    ]),
  );

/**
 * A few documents that repeat each other here and there.
 * @param times As much, over as many times the nodes.
 */
export function makeGraphs(chance: Chance, times = 1): GraphDocument[] {
  const node = (): string => chance.pick(NODES) + (times > 1 ? String(chance.below(times) || "") : "");
  return NAMES.slice(0, 1 + chance.below(NAMES.length)).map((name) => {
    const lines = Array.from({ length: (3 + chance.below(10)) * times }, () => {
      const subject = chance.is(85) ? node() : chance.pick(BLANKS);
      const object = chance.is(45)
        ? node()
        : chance.is(15)
          ? chance.pick(BLANKS)
          : chance.is(5)
            ? chance.pick(NAMES)
            : literal(chance);
      return `${subject} ${chance.pick(PREDICATES)} ${object} .`;
    });
    const text = `${PREFIXES.replaceAll(/PREFIX (.*)>/g, "@prefix $1> .")}${lines.join("\n")}`;
    return {
      name: name.replace("d:", "http://d/"),
      quads: parseText(text, "text/turtle", "http://d/"),
      isDefault: chance.is(75),
      isNamed: chance.is(75),
    };
  });
}

export interface QueryCase {
  readonly text: string;
  readonly form: "select" | "ask" | "construct";
  /** Rows may be fewer: REDUCED. */
  readonly isReduced: boolean;
  /** The variables after ORDER BY, in turn. */
  readonly order: readonly { readonly variable: string; readonly descending: boolean }[];
  /** The same query without LIMIT and OFFSET: which rows are left out is free. */
  readonly whole: string | null;
  readonly offset: number;
  readonly limit: number | null;
}

interface Group {
  readonly text: string;
  readonly variables: ReadonlySet<string>;
}

/** Writes one query. */
class Writer {
  readonly #chance: Chance;
  #fresh = 0;
  /** Inside EXISTS: only what substitution is defined for. */
  #isPlain = false;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  #variable(): string {
    return this.#chance.pick(VARIABLES);
  }

  #subject(into: Set<string>): string {
    if (this.#chance.is(15)) return this.#chance.pick(NODES);
    if (this.#chance.is(4)) return "[]";
    return this.#use(this.#variable(), into);
  }

  #use(name: string, into: Set<string>): string {
    into.add(name);
    return `?${name}`;
  }

  #object(into: Set<string>): string {
    if (this.#chance.is(75)) return this.#use(this.#variable(), into);
    return this.#chance.is(50) ? this.#chance.pick(NODES) : literal(this.#chance);
  }

  #triple(into: Set<string>): string {
    const predicate = this.#chance.is(85) ? this.#chance.pick(PREDICATES) : this.#use(this.#variable(), into);
    return `${this.#subject(into)} ${predicate} ${this.#object(into)} .`;
  }

  #path(depth: number): string {
    const inner = (): string => this.#path(depth - 1);
    if (depth === 0) return this.#chance.pick(PREDICATES);
    return this.#chance.weighted<() => string>([
      [2, () => this.#chance.pick(PREDICATES)],
      [2, () => `(${inner()}/${inner()})`],
      [2, () => `(${inner()}|${inner()})`],
      [1, () => `^${inner()}`.replace("^^", "")],
      [2, () => `(${inner()})*`],
      [2, () => `(${inner()})+`],
      [1, () => `(${inner()})?`],
      [1, () => `!(${this.#chance.pick(PREDICATES)}|^${this.#chance.pick(PREDICATES)})`],
      [1, () => `!${this.#chance.pick(PREDICATES)}`],
    ])();
  }

  #operand(names: readonly string[]): string {
    const chance = this.#chance;
    if (names.length > 0 && chance.is(70)) return `?${chance.pick(names)}`;
    if (chance.is(5)) return `?${this.#variable()}`; // Perhaps unbound.
    return chance.is(80) ? literal(chance) : chance.pick(NODES);
  }

  /** Not what was computed from numbers: engines spell those as they like. */
  #text(names: readonly string[]): string {
    return `STR(${this.#operand(names.filter((name) => !name.startsWith("z")))})`;
  }

  #string(names: readonly string[]): string {
    const text = (): string => this.#text(names);
    return this.#chance.weighted<() => string>([
      [2, text],
      [1, () => `UCASE(${text()})`],
      [1, () => `CONCAT(${text()}, "-", ${text()})`],
      [1, () => `SUBSTR(${text()}, ${1 + this.#chance.below(3)})`],
      [1, () => `STRLANG(${text()}, "en")`],
      [1, () => `IRI(${text()})`],
    ])();
  }

  #value(names: readonly string[], depth: number): string {
    const of = (): string => this.#value(names, depth - 1);
    if (depth <= 0) return this.#operand(names);
    return this.#chance.weighted<() => string>([
      [7, () => this.#operand(names)],
      [3, () => this.#string(names)],
      [2, () => `(${of()} ${this.#chance.pick(["+", "-", "*"])} ${of()})`],
      [1, () => `(${of()} / ${this.#chance.pick(["2", "0.5", "4e0", "0"])})`],
      [1, () => `LANG(${of()})`],
      [1, () => `DATATYPE(${of()})`],
      [1, () => `COALESCE(${of()}, ${of()})`],
      [1, () => `IF(${this.#test(names, depth - 1)}, ${of()}, ${of()})`],
      [1, () => `STRLEN(${this.#text(names)})`],
      [1, () => `ABS(${of()})`],
      [1, () => `-(${of()})`],
      [
        1,
        () =>
          `xsd:${this.#chance.pick(["integer", "decimal", "double", "boolean"])}(${this.#operand(names)})`,
      ],
      [1, () => `ROUND(${of()})`],
      [1, () => `YEAR(${of()})`],
    ])();
  }

  #test(names: readonly string[], depth: number): string {
    const of = (): string => this.#value(names, depth - 1);
    const test = (): string => this.#test(names, depth - 1);
    const comparison = (): string =>
      `(${of()} ${this.#chance.pick(["=", "!=", "<", ">", "<=", ">="])} ${of()})`;
    if (depth <= 0) return comparison();
    return this.#chance.weighted<() => string>([
      [6, comparison],
      [2, () => `(${test()} && ${test()})`],
      [2, () => `(${test()} || ${test()})`],
      [2, () => `!(${test()})`],
      [2, () => `BOUND(?${names.length > 0 ? this.#chance.pick(names) : this.#variable()})`],
      [1, () => `${this.#chance.pick(["isIRI", "isLiteral", "isNumeric", "isBlank"])}(${of()})`],
      [1, () => `(${of()} ${this.#chance.is(50) ? "IN" : "NOT IN"} (${of()}, ${of()}))`],
      [
        1,
        () =>
          `REGEX(${this.#text(names)}, "${this.#chance.pick(["^a", "b", "[0-9]", "A", "e/.$"])}"${this.#chance.is(30) ? ', "i"' : ""})`,
      ],
      [1, () => `${this.#chance.pick(["CONTAINS", "STRSTARTS", "STRENDS"])}(${this.#text(names)}, "a")`],
      [1, () => `SAMETERM(${of()}, ${of()})`],
      [1, () => of()],
      [1, () => `LANGMATCHES(LANG(${of()}), "*")`],
      [3, () => `${this.#chance.is(50) ? "NOT " : ""}EXISTS ${this.#plainGroup(depth - 1)}`],
    ])();
  }

  #values(into: Set<string>): string {
    const names = [...new Set(Array.from({ length: 1 + this.#chance.below(2) }, () => this.#variable()))];
    const cell = (): string =>
      this.#chance.is(20) ? "UNDEF" : this.#chance.is(50) ? this.#chance.pick(NODES) : literal(this.#chance);
    const rows = Array.from({ length: this.#chance.below(4) }, () => `(${names.map(cell).join(" ")})`);
    for (const name of names) into.add(name);
    return `VALUES (${names.map((name) => `?${name}`).join(" ")}) { ${rows.join(" ")} }`;
  }

  #bind(variables: Set<string>): string {
    const names = [...variables];
    const free = VARIABLES.filter((name) => !variables.has(name));
    const isText = free.length > 0 && this.#chance.is(50);
    const value = isText ? this.#string(names) : this.#value(names, 2);
    return `BIND (${value} AS ${this.#use(isText ? this.#chance.pick(free) : `z${this.#fresh++}`, variables)})`;
  }

  #plainGroup(depth: number): string {
    const before = this.#isPlain;
    this.#isPlain = true;
    const { text } = this.#group(depth);
    this.#isPlain = before;
    return text;
  }

  /** A group in braces. */
  #group(depth: number): Group {
    const variables = new Set<string>();
    const parts: string[] = [];
    const add = ({ text, variables: more }: Group): string => {
      for (const name of more) variables.add(name);
      return text;
    };
    const inner = (): Group => this.#group(depth - 1);
    const count = this.#chance.weighted([
      [4, 1],
      [4, 2],
      [1, 3],
    ]);
    for (let at = 0; at < count; at++) {
      const triples = (): string =>
        Array.from({ length: this.#chance.is(70) ? 1 : 2 }, () => this.#triple(variables)).join(" ");
      if (depth <= 0 || (at === 0 && this.#chance.is(60))) {
        parts.push(triples());
        continue;
      }
      parts.push(
        this.#chance.weighted<() => string>([
          [3, triples],
          [4, () => `OPTIONAL ${add(inner())}`],
          [3, () => `${add(inner())} UNION ${add(inner())}`],
          [this.#isPlain ? 0 : 2, () => `MINUS ${inner().text}`],
          [4, () => `FILTER (${this.#test([...variables], 2)})`],
          [this.#isPlain ? 0 : 2, () => this.#values(variables)],
          [1, () => add(inner())],
          [
            2,
            () => {
              const name = this.#chance.is(30)
                ? this.#chance.pick(NAMES)
                : this.#use(this.#variable(), variables);
              return `GRAPH ${name} ${add(inner())}`;
            },
          ],
          [
            2,
            () => {
              const path = this.#path(2);
              return `${this.#subject(variables)} ${path} ${this.#object(variables)} .`;
            },
          ],
          [this.#isPlain ? 0 : 2, () => this.#bind(variables)],
          [this.#isPlain ? 0 : 2, () => `{ ${add(this.select(depth - 1))} }`],
        ])(),
      );
    }
    return { text: `{ ${parts.join(" ")} }`, variables };
  }

  /** A SELECT without slices and order. */
  select(depth: number): Group {
    const { text, variables } = this.#group(depth);
    const distinct = this.#chance.is(25) ? "DISTINCT " : "";
    const names = [...variables];
    if (names.length === 0 || this.#chance.is(25)) return this.#grouped(text, names, distinct);
    if (this.#chance.is(30)) return { text: `SELECT ${distinct}* ${text}`, variables };
    const chosen = names.filter(() => this.#chance.is(60));
    if (chosen.length === 0) chosen.push(names[0]!);
    const computed = this.#chance.is(20) ? [`z${this.#fresh++}`] : [];
    const columns = [
      ...chosen.map((name) => `?${name}`),
      ...computed.map((name) => `(${this.#value(names, 2)} AS ?${name})`),
    ];
    return {
      text: `SELECT ${distinct}${columns.join(" ")} ${text}`,
      variables: new Set([...chosen, ...computed]),
    };
  }

  #grouped(where: string, names: readonly string[], distinct: string): Group {
    const keys = names.filter(() => this.#chance.is(35));
    const operand = (): string => (names.length > 0 ? `?${this.#chance.pick(names)}` : "1");
    const aggregate = (): string =>
      this.#chance.weighted<() => string>([
        [3, () => "COUNT(*)"],
        [1, () => "COUNT(DISTINCT *)"],
        [3, () => `COUNT(${operand()})`],
        [2, () => `COUNT(DISTINCT ${operand()})`],
        [2, () => `SUM(${operand()})`],
        [1, () => `SUM(DISTINCT ${operand()})`],
        [2, () => `AVG(${operand()})`],
        [2, () => `MIN(${operand()})`],
        [2, () => `MAX(${operand()})`],
        [1, () => `STRLEN(GROUP_CONCAT(STR(${operand()}); separator="-"))`],
        [1, () => `(COUNT(${operand()}) + COUNT(*))`],
      ])();
    const columns = Array.from(
      { length: 1 + this.#chance.below(2) },
      () => [aggregate(), `z${this.#fresh++}`] as const,
    );
    const group = keys.length > 0 ? ` GROUP BY ${keys.map((name) => `?${name}`).join(" ")}` : "";
    const having = this.#chance.is(20) ? ` HAVING (COUNT(*) ${this.#chance.pick([">", "<", "="])} 1)` : "";
    const head = [
      ...keys.map((name) => `?${name}`),
      ...columns.map(([text, name]) => `(${text} AS ?${name})`),
    ];
    return {
      text: `SELECT ${distinct}${head.join(" ")} ${where}${group}${having}`,
      variables: new Set([...keys, ...columns.map(([, name]) => name)]),
    };
  }

  query(): QueryCase {
    const chance = this.#chance;
    const depth = chance.weighted([
      [1, 0],
      [8, 1],
      [3, 2],
    ]);
    const plain = { isReduced: false, order: [], whole: null, offset: 0, limit: null } as const;
    const form = chance.weighted([
      [16, "select"],
      [2, "ask"],
      [2, "construct"],
    ] as const);
    if (form === "ask") return { ...plain, form, text: `${PREFIXES}ASK ${this.#group(depth).text}` };
    if (form === "construct") {
      const { text, variables } = this.#group(depth);
      const names = [...variables].map((name) => `?${name}`);
      const node = (): string =>
        names.length > 0 && chance.is(80) ? chance.pick(names) : chance.pick([":a", "_:n", "[]"]);
      const template = Array.from(
        { length: 1 + chance.below(2) },
        () => `${node()} ${chance.pick(PREDICATES)} ${node()} .`,
      );
      return { ...plain, form, text: `${PREFIXES}CONSTRUCT { ${template.join(" ")} } WHERE ${text}` };
    }
    const { text, variables } = this.select(depth);
    const names = [...variables];
    const order = chance.is(25)
      ? [...new Set(Array.from({ length: 1 + chance.below(2) }, () => chance.pick(names)))].map(
          (variable) => ({
            variable,
            descending: chance.is(40),
          }),
        )
      : [];
    const by = order.map(({ variable, descending }) => (descending ? `DESC(?${variable})` : `?${variable}`));
    const isReduced = chance.is(4) && text.startsWith("SELECT ?");
    const whole = `${PREFIXES}${isReduced ? text.replace("SELECT ", "SELECT REDUCED ") : text}${order.length > 0 ? ` ORDER BY ${by.join(" ")}` : ""}`;
    const offset = chance.is(10) ? chance.below(4) : 0;
    const limit = !isReduced && chance.is(15) ? chance.below(6) : null;
    if (isReduced || (offset === 0 && limit === null))
      return { ...plain, form, text: whole, isReduced, order };
    const slice = `${offset > 0 ? ` OFFSET ${offset}` : ""}${limit === null ? "" : ` LIMIT ${limit}`}`;
    return { form, text: `${whole}${slice}`, isReduced, order, whole, offset, limit };
  }
}

export function makeQuery(chance: Chance): QueryCase {
  return new Writer(chance).query();
}
