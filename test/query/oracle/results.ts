/** Answers in the formats of SPARQL, read back. */
import { parseText } from "../../../server/rdf/parse.ts";
import { blankNode, literal, namedNode, type Value } from "../../../server/rdf/terms.ts";
import type { Outcome, Solution } from "./engines.ts";

interface JsonTerm {
  readonly type: string;
  readonly value: string;
  readonly datatype?: string;
  readonly "xml:lang"?: string;
}

export function fromJson(text: string): Outcome {
  const { boolean, results } = JSON.parse(text) as {
    readonly boolean?: boolean;
    readonly results?: { readonly bindings: readonly Readonly<Record<string, JsonTerm>>[] };
  };
  if (boolean !== undefined) return { kind: "boolean", value: boolean };
  const termOf = ({ type, value, datatype, "xml:lang": language }: JsonTerm): Value => {
    if (type === "uri") return namedNode(value);
    return type === "bnode"
      ? blankNode(value)
      : literal(value, language ?? (datatype ? namedNode(datatype) : undefined));
  };
  const rows = results!.bindings.map(
    (binding): Solution => new Map(Object.entries(binding).map(([name, term]) => [name, termOf(term)])),
  );
  return { kind: "rows", rows };
}

/** @see https://www.w3.org/TR/sparql11-results-csv-tsv/#tsv */
export function fromTsv(text: string): Outcome {
  const [head = "", ...lines] = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const names = head.split("\t").map((name) => name.replace("?", ""));
  const rows = lines.map((line): Solution => {
    const terms = line.split("\t").map((cell, at) => {
      if (cell === "") return null;
      const [triple] = parseText(
        `<http://tests.example/s> <http://tests.example/p> ${cell} .`,
        "text/turtle",
        "http://tests.example/",
      );
      return [names[at]!, triple!.object] as const;
    });
    return new Map(terms.filter((each) => each !== null));
  });
  return { kind: "rows", rows };
}
