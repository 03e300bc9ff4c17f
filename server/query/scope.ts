/** Which graphs a query ranges over, from its dataset description. */

/** @see https://jeswr.github.io/solid-sparql-query/#union-default-graph */
export const UNION_DEFAULT_GRAPH = "http://www.w3.org/ns/solid/sparql#union-default-graph";

/** `FROM` and `FROM NAMED`, or the protocol's parameters, which take precedence as a whole. */
export interface DatasetDescription {
  readonly defaults: readonly string[];
  readonly named: readonly string[];
}

/** "all" is all that the agent may read. */
export interface Scope {
  readonly defaults: "all" | readonly string[];
  readonly named: "all" | readonly string[];
}

/** The graphs that the patterns of a query can look into at all. */
export interface Reach {
  readonly defaults: boolean;
  /** "all" if a pattern has a variable for its graph. */
  readonly named: "all" | readonly string[];
}

/** What is left of a scope when nothing is read in vain: the answer is the same. */
export function narrow(scope: Scope, reach: Reach): Scope {
  const reached = (name: string): boolean => reach.named === "all" || reach.named.includes(name);
  return {
    defaults: reach.defaults ? scope.defaults : [],
    named: scope.named === "all" ? reach.named : scope.named.filter(reached),
  };
}

/**
 * The default graph stands empty; the union must be asked for by name. That name names no graph, so after FROM NAMED it
 * is as good as not there, and as the only default graph it leaves the named graphs as they stand.
 */
export function scopeOf(description: DatasetDescription | null): Scope {
  const wantsUnion = description?.defaults.includes(UNION_DEFAULT_GRAPH) ?? false;
  const defaults = description?.defaults.filter((name) => name !== UNION_DEFAULT_GRAPH) ?? [];
  const named = description?.named.filter((name) => name !== UNION_DEFAULT_GRAPH) ?? [];
  const isRestricted = named.length > 0 || (defaults.length > 0 && !wantsUnion);
  return { defaults: wantsUnion ? "all" : defaults, named: isRestricted ? named : "all" };
}
