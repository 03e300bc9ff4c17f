/** Queries by their texts: read and compiled once, for the next time they are asked. */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import { compile } from "./engine/compile.ts";
import { Unsupported } from "./engine/contract.ts";
import type { Plan } from "./engine/plan.ts";
import type { PlanFacts } from "./messages.ts";
import { withSearch } from "./search/rewrite.ts";
import type { Query } from "./sparql/algebra.ts";
import { parseQuery } from "./sparql/query.ts";
import { reachOf } from "./sparql/reach.ts";
import { timesOf } from "./sparql/times.ts";
import { parseUpdate } from "./sparql/update.ts";

export interface PlannedQuery {
  readonly text: string;
  readonly baseIri: string;
  readonly query: Query;
  /** Whether the order of the answer hangs on nothing but what stands in it. */
  readonly isSettled: boolean;
  /** Null: our own engine declines it. */
  readonly plan: Plan | null;
  readonly facts: PlanFacts;
}

/** @throws Problem `query-refused` for what is not done here, wherever in the query it stands. */
function refuseService(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  if ((part as { kind?: unknown }).kind === "service")
    throw new Problem("query-refused", "SERVICE is not done here: nothing is fetched for a query");
  for (const inner of Object.values(part)) refuseService(inner);
}

export interface Plans {
  /** @throws Problem `query-invalid`, `query-refused`. */
  get(text: string, baseIri: string, isSettled: boolean): PlannedQuery;
  /** @throws Problem `query-invalid`, `query-refused`. */
  factsOf(text: string, baseIri: string): PlanFacts;
}

interface Known {
  readonly query: Query;
  readonly facts: PlanFacts;
  settled: PlannedQuery | null;
  plain: PlannedQuery | null;
}

const PLANS_CHARS_MAX = 4 * 1024 * 1024; // Of the texts; what is made of them is some times as large.

export function createPlans(limits: Limits): Plans {
  const known = new Lru<string, Known>(PLANS_CHARS_MAX);

  function compiled(query: Query, isSettled: boolean): Plan | null {
    try {
      return compile(query, isSettled);
    } catch (error) {
      if (error instanceof Unsupported) return null;
      throw error;
    }
  }
  /** What is an update is said to be one: its sender has the wrong address. */
  function parsed(text: string, baseIri: string): Query {
    try {
      return parseQuery(text, { baseIri, limits });
    } catch (error) {
      if (isUpdate(text, baseIri))
        throw new Problem(
          "query-refused",
          "Only SELECT, ASK, CONSTRUCT and DESCRIBE are answered here; nothing is changed by a query",
        );
      throw error;
    }
  }
  function isUpdate(text: string, baseIri: string): boolean {
    try {
      parseUpdate(text, { baseIri, limits });
      return true;
    } catch {
      return false;
    }
  }
  function read(text: string, baseIri: string): Known {
    const key = `${baseIri}\n${text}`;
    let found = known.get(key);
    if (!found) {
      const query = withSearch(parsed(text, baseIri));
      refuseService(query);
      const facts = { form: query.form, from: query.from, reach: reachOf(query), times: timesOf(query) };
      found = { query, facts, settled: null, plain: null };
      known.set(key, found, key.length + 1_000);
    }
    return found;
  }
  return {
    get(text, baseIri, isSettled) {
      const found = read(text, baseIri);
      const { query, facts } = found;
      return (found[isSettled ? "settled" : "plain"] ??= {
        text,
        baseIri,
        query,
        isSettled,
        plan: compiled(query, isSettled),
        facts,
      });
    },
    factsOf: (text, baseIri) => read(text, baseIri).facts,
  };
}
