/** One query over one view, as bytes: by our own engine, or by the other where ours declines it. */
import assert from "node:assert/strict";
import type { Value } from "../rdf/terms.ts";
import { ask, graph, select } from "./engine/evaluate.ts";
import type { Plan } from "./engine/plan.ts";
import { createQueryTerms } from "./engine/terms.ts";
import { createGraphWriter } from "./graphs.ts";
import { UNBOUND, type View } from "./index/view.ts";
import type { RunTask } from "./messages.ts";
import { createOutput, type Output, PLAN_TYPE, type WrittenAnswers } from "./output.ts";
import type { PlannedQuery } from "./plans.ts";
import type { Room } from "./room.ts";
import { askText, createTableWriter } from "./tables.ts";

function writeAsk(value: boolean, contentType: string, output: Output): void {
  output.count("rows");
  output.write(askText(value, contentType));
}

/**
 * What is too long to be held back goes through the room piece by piece.
 * @throws Problem `query-invalid` for what only evaluation finds, `query-refused`, `query-timeout`.
 */
export async function answerQuery(
  planned: PlannedQuery,
  view: View,
  { contentType, limits, page }: Pick<RunTask, "contentType" | "limits" | "page">,
  room: Room,
): Promise<WrittenAnswers> {
  if (page) {
    const { searchPage } = await import("./search/page.ts");
    assert(planned.plan, "our own engine does not decline our own query");
    return searchPage(planned.plan, view, page, room);
  }
  const output = createOutput(limits, room.emit);
  if (contentType === PLAN_TYPE) {
    output.write(JSON.stringify(await planOf(planned, view, room)));
    return output.end();
  }
  if (planned.plan) runOwn(planned.plan, view, contentType, room, output);
  else await runOther(planned, view, contentType, room, output);
  return output.end();
}

/** What would be done, with what is expected of each step: estimates count what the asker may not read, too. */
async function planOf({ plan }: PlannedQuery, view: View, room: Room) {
  if (!plan) return { engine: "comunica", steps: [] };
  const { explain } = await import("./engine/explain.ts");
  return { engine: "freehold", steps: explain(plan, view, { control: room, now: new Date() }) };
}

function runOwn(plan: Plan, view: View, contentType: string, room: Room, output: Output): void {
  const what = plan.form === "select" ? "rows" : "triples";
  const atMost = (count: number): void => output.atMost(count, what);
  const options = { control: room, now: new Date(), atMost };
  if (plan.form === "ask") return writeAsk(ask(plan, view, options), contentType, output);
  if (plan.form === "select") {
    const writer = createTableWriter(contentType, plan.variables, view.terms, output);
    select(plan, view, options, (row, terms) => {
      writer.row(row, terms);
      return false;
    });
    return writer.end();
  }
  const writer = createGraphWriter(contentType, view.terms, output);
  graph(plan, view, options, (subject, predicate, object, terms) => {
    writer.triple(subject, predicate, object, terms);
    return false;
  });
  writer.end();
}

async function runOther(
  { query, text, baseIri, isSettled }: PlannedQuery,
  view: View,
  contentType: string,
  room: Room,
  output: Output,
): Promise<void> {
  const { evaluateInComunica, sourceOf } = await import("./comunica.ts");
  const terms = createQueryTerms(view.terms, room);
  const idOf = (term: Value | undefined): number => (term ? terms.intern(term) : UNBOUND);
  const answers = await evaluateInComunica(text, baseIri, sourceOf(view, isSettled));
  if (answers.kind === "boolean") return writeAsk(answers.value, contentType, output);
  if (answers.kind === "rows") {
    const variables = query.form === "select" ? query.variables : [];
    const writer = createTableWriter(contentType, variables, view.terms, output);
    for await (const row of answers.rows) {
      room.check();
      writer.row(
        variables.map((name) => idOf(row.get(name))),
        terms,
      );
    }
    return writer.end();
  }
  const writer = createGraphWriter(contentType, view.terms, output);
  const seen = new Set<string>();
  for await (const { subject, predicate, object } of answers.quads) {
    room.check();
    const ids = [idOf(subject), idOf(predicate), idOf(object)] as const;
    const key = ids.join();
    if (seen.has(key)) continue;
    seen.add(key);
    room.hold(1);
    writer.triple(...ids, terms);
  }
  writer.end();
}
