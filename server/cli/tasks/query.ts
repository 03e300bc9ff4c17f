/** `freehold query <pod> <sparql>`: a question to a pod, as its owner would ask it; that the operator did stands in the journal. */
import { readFile } from "node:fs/promises";
import { OperatorError } from "../../errors.ts";
import { UNION_DEFAULT_GRAPH } from "../../query/scope.ts";
import { openAsOwner, reasonOf } from "../as-owner.ts";
import type { Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

const CELL_CHARS_MAX = 60;
const RESULTS = "application/sparql-results+json";

interface Term {
  readonly type: string;
  readonly value: string;
}

interface Answered {
  readonly head: { readonly vars?: readonly string[] };
  readonly boolean?: boolean;
  readonly results?: { readonly bindings: readonly Readonly<Record<string, Term>>[] };
}

const cell = (term: Term | undefined): string => {
  const text = term === undefined ? "" : term.type === "bnode" ? `_:${term.value}` : term.value;
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > CELL_CHARS_MAX ? `${line.slice(0, CELL_CHARS_MAX - 1)}…` : line;
};

function tableOf({ head: { vars = [] }, boolean, results }: Answered): readonly string[] {
  if (boolean !== undefined) return [boolean ? "yes" : "no"];
  const rows = (results?.bindings ?? []).map((row) => vars.map((name) => cell(row[name])));
  const widths = vars.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, at) => text.padEnd(widths[at]!))
      .join("  ")
      .trimEnd();
  return [
    line(vars),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...rows.map(line),
    `${rows.length} ${rows.length === 1 ? "row" : "rows"}`,
  ];
}

export const queryTask: Task = {
  name: "query",
  usage: "<pod> <sparql>",
  about: "Ask a pod in SPARQL, as its owner; a query that begins with @ is the name of a file",
  async run(context, { args: [name = "", asked = ""] }) {
    const pod = await podNamed(context, name);
    const sparql = asked.startsWith("@") ? await readFile(asked.slice(1), "utf8") : asked;
    await context.journal.operator(pod, "query", { path: `/${pod.name}/sparql` });
    const owner = await openAsOwner(context);
    try {
      const answer = await owner.ask(
        "POST",
        // All of the pod as one graph, unless the query says which.
        /(?:^|[\s}>])FROM[\s<]/i.test(sparql)
          ? `/${pod.name}/sparql`
          : `/${pod.name}/sparql?default-graph-uri=${encodeURIComponent(UNION_DEFAULT_GRAPH)}`,
        { "content-type": "application/sparql-query", accept: `${RESULTS}, text/turtle;q=0.9` },
        sparql,
      );
      if (answer.status !== 200) throw new OperatorError(`The query was refused: ${reasonOf(answer)}`);
      if (!answer.contentType.startsWith(RESULTS))
        return { lines: answer.text.trimEnd().split("\n"), exit: 0, value: { turtle: answer.text } };
      const value = JSON.parse(answer.text) as Answered;
      return { lines: tableOf(value), exit: 0, value };
    } finally {
      await owner.close();
    }
  },
};
