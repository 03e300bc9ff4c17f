/** WHERE is evaluated in a query thread, which can be ended. Only there is the engine loaded. */
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { parseRdf } from "../../rdf/parse.ts";
import type { Control } from "../engine/contract.ts";
import { parseUpdate } from "../sparql/update.ts";
import { match } from "./match.ts";
import { type MatchTask, type SentMatch, sendMatch } from "./task.ts";

function createControl(msMax: number, limits: Limits): Control {
  const until = performance.now() + msMax;
  let held = 0;
  return {
    check() {
      if (performance.now() > until) throw new Problem("query-timeout");
    },
    hold(count) {
      held += count;
      if (held > limits.queryHeldMax)
        throw new Problem("query-refused", `WHERE holds more than ${limits.queryHeldMax} rows at once`);
    },
  };
}

/** @throws Problem `query-refused`, `query-timeout`. */
export async function matchSent(task: MatchTask, limits: Limits): Promise<SentMatch> {
  const control = createControl(task.msMax, limits);
  const { operations } = parseUpdate(task.text, { baseIri: task.baseIri, limits });
  const operation = operations[task.at];
  if (operation?.kind !== "modify") throw new Error("no operation with a WHERE");
  const documents = [];
  let count = 0;
  for (const { contentType, bytes, ...document } of task.documents) {
    control.check();
    const quads = await parseRdf(bytes, contentType, document.graph, limits).catch((error: unknown) => {
      if (error instanceof Problem) return []; // A document that is no RDF says nothing; a GET would tell why.
      throw error;
    });
    count += quads.length;
    if (count > limits.queryQuadsMax)
      throw new Problem(
        "query-refused",
        `WHERE ranges over at most ${limits.queryQuadsMax} statements; name the documents with GRAPH or USING`,
      );
    documents.push({ ...document, quads });
  }
  const { at, baseIri } = task;
  const using = task.using ?? operation.using;
  const options = { control, now: new Date(), baseIri, at, quadsMax: limits.rdfQuadsMax };
  return sendMatch(match({ ...operation, using }, documents, options));
}
