/**
 * One question to many pods, wherever they are: each server computes its own answer over what it may tell the asker,
 * all at the same time; here the answers become one. A pod that gives none is told of, and spoils nothing.
 */
import { FreeholdError } from "./errors.ts";
import { type Belt, createBelt, createLanes } from "./lanes.ts";
import { compareRows, createGroups, type Merging, type Order } from "./merge.ts";
import { pause } from "./pause.ts";
import { type OpenOptions, openPod, type Pod } from "./pod.ts";
import { type Endpoint, type QueryOptions, query, type Row } from "./query.ts";

/** How one pod fared. */
export interface Source {
  /** As it was named: an address, a WebID, a passport. */
  readonly where: string;
  /** `repeated`: leads to a pod that another name led to already; it is asked once. */
  readonly state: "waiting" | "asked" | "answered" | "failed" | "repeated";
  /** Null until it is found. */
  readonly pod: Pod | null;
  /** Rows that came of it; of a server that answers for several pods, those of all of them. */
  readonly rows: number;
  /** Why it failed: the server's own reason, where it gave one. */
  readonly error: FreeholdError | null;
}

/** @typeParam P `Pod`, or null where a row does not tell of which pod it is. */
export interface FederatedRow<V extends string = string, P extends Pod | null = Pod> {
  readonly pod: P;
  readonly row: Row<V>;
  /** Whose answer it is part of. */
  readonly sources: readonly Source[];
}

/** Rows as they arrive, of all pods; can be gone through once. */
export interface Federated<V extends string = string, P extends Pod | null = Pod>
  extends AsyncIterable<FederatedRow<V, P>> {
  /** In the order they were named; what is said of them is final when the rows have ended. */
  readonly sources: readonly Source[];
}

/** As whom pods are opened and asked, and how hard. */
export interface FederationOptions extends OpenOptions, Pick<QueryOptions, "signal"> {
  /** Queries at once on one server, which lets nobody have all its threads. */
  readonly perServerMax?: number;
  /** A server that gives nothing for so long has failed, and holds up the others no longer. */
  readonly silenceMsMax?: number;
}

const PER_SERVER_MAX = 2;
const SILENCE_MS_MAX = 60_000; // Longer than an owner's query may run, and a server's line besides.
const FINDING_MAX = 8; // Passports and addresses looked up at once.
const TRIES_MAX = 3; // Of a server that is busy, before it has given anything.
const PAUSE_MS = 2_000;
const PAUSE_MS_MAX = 10_000;
const ROWS_WAITING_MAX = 1_024; // Taken from the servers and not yet by the caller.

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const isBusy = ({ status }: FreeholdError): boolean => status === 429 || status === 503;

/** Who is asked, and for whom: a pod for itself, or a server for some of its pods. */
interface Party<P extends Pod | null> {
  readonly endpoint: Endpoint;
  readonly pod: P;
  readonly sources: readonly Writable<Source>[];
}

/**
 * Rows of one answer, of which none may come later than the server is waited for. What the caller takes is not counted.
 * @param tell Takes each row.
 */
async function askOne(
  endpoint: Endpoint,
  sparql: string,
  signal: AbortSignal,
  silenceMsMax: number,
  tell: (row: Row) => Promise<void>,
): Promise<void> {
  const silence = new AbortController();
  const rows = query(endpoint, sparql, { signal: AbortSignal.any([signal, silence.signal]) });
  try {
    for (;;) {
      const timer = setTimeout(
        () =>
          silence.abort(
            new FreeholdError("unreachable", "The server took too long", { url: endpoint.sparql }),
          ),
        silenceMsMax,
      );
      const { value, done } = await rows.next().finally(() => clearTimeout(timer));
      if (done) return;
      await tell(value);
    }
  } finally {
    await rows.return();
  }
}

/** One run: what it has under way, and what it has found out so far. */
interface Run<V extends string, P extends Pod | null> {
  /** Finds the pod of a source. Null: it could not be found, or it is one that another source is for already. */
  find(source: Writable<Source>): Promise<Pod | null>;
  /** Asks, and puts the rows on the belt. @throws FreeholdError */
  ask(party: Party<P>): Promise<void>;
  /** Whatever a server says against it, the rest goes on. */
  tried(sources: readonly Writable<Source>[], work: () => Promise<void>): Promise<void>;
  readonly belt: Belt<FederatedRow<V, P>>;
  readonly stop: () => void;
}

function begin<V extends string, P extends Pod | null>(
  sparql: string,
  options: FederationOptions,
): Run<V, P> {
  const { perServerMax = PER_SERVER_MAX, silenceMsMax = SILENCE_MS_MAX } = options;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal;
  const belt = createBelt<FederatedRow<V, P>>(ROWS_WAITING_MAX);
  const [find, take] = [createLanes(FINDING_MAX), createLanes(perServerMax)];
  const known = new Set<string>();

  async function tried(sources: readonly Writable<Source>[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const source of sources) source.state = "failed";
      if (!(error instanceof FreeholdError)) throw error;
      for (const source of sources) source.error = error;
    }
  }

  async function ask({ endpoint, pod, sources }: Party<P>): Promise<void> {
    await take(new URL(endpoint.sparql).origin, async () => {
      signal.throwIfAborted();
      for (const source of sources) source.state = "asked";
      let rows = 0;
      for (let tries = 1; ; tries += 1) {
        try {
          return await askOne(endpoint, sparql, signal, silenceMsMax, async (row) => {
            rows += 1;
            for (const source of sources) if (source.state === "asked") source.rows = rows;
            await belt.put({ pod, row: row as Row<V>, sources });
          });
        } catch (error) {
          const again = error instanceof FreeholdError && isBusy(error) && tries < TRIES_MAX;
          if (!again || rows > 0) throw error;
          await pause(Math.min(error.retryAfterMs ?? PAUSE_MS, PAUSE_MS_MAX), signal);
        }
      }
    });
    for (const source of sources) if (source.state === "asked") source.state = "answered";
  }

  return {
    belt,
    ask,
    tried,
    stop: () => stop.abort(),
    async find(source) {
      let pod: Pod | null = null;
      await tried([source], async () => {
        pod = source.pod ?? (await find("", () => openPod(source.where, { ...options, signal })));
        source.pod = pod;
      });
      const found = pod as Pod | null;
      if (found === null) return null;
      if (!known.has(found.sparql)) {
        known.add(found.sparql);
        return found;
      }
      source.state = "repeated";
      return null;
    },
  };
}

/** Rows from the belt, until `work` is done; who leaves early calls it off. */
async function* rowsOf<V extends string, P extends Pod | null>(
  { belt, stop }: Run<V, P>,
  work: () => Promise<unknown>,
): AsyncGenerator<FederatedRow<V, P>, void, undefined> {
  work().then(
    () => belt.end(),
    (error: unknown) => belt.end(error),
  );
  try {
    yield* belt.take();
  } finally {
    belt.end();
    stop();
  }
}

const sourcesOf = (where: readonly (Pod | string)[]): readonly Writable<Source>[] =>
  where.map((one) => ({
    where: typeof one === "string" ? one : one.url,
    state: "waiting",
    pod: typeof one === "string" ? null : one,
    rows: 0,
    error: null,
  }));

/**
 * Asks all pods the same query, each for itself: joins, counts and limits are those of one pod ({@link combine} makes
 * one of them, `joinPods` joins across pods). Nothing is sent before the first row is asked for; leaving the loop calls
 * off what is under way.
 * ```ts
 * const answers = queryAll(passports, "SELECT ?name { ?who <https://schema.org/name> ?name }", { fetch, resolvers });
 * for await (const { pod, row } of answers) console.log(pod.owner, nativeOf(row.name));
 * for (const { where, error } of answers.sources) if (error) console.log(where, error.message);
 * ```
 * @param where Opened pods, or what {@link openPod} takes.
 * @throws what is no refusal of a server, while iterating: `AbortError` when called off.
 */
export function queryAll<V extends string = string>(
  where: readonly (Pod | string)[],
  sparql: string,
  options: FederationOptions = {},
): Federated<V> {
  const sources = sourcesOf(where);
  async function* rows(): AsyncGenerator<FederatedRow<V>, void, undefined> {
    const run = begin<V, Pod>(sparql, options);
    const answer = async (source: Writable<Source>): Promise<void> => {
      const pod = await run.find(source);
      if (pod) await run.tried([source], () => run.ask({ endpoint: pod, pod, sources: [source] }));
    };
    yield* rowsOf(run, () => Promise.all(sources.map(answer)));
  }
  const all = rows();
  return { sources, [Symbol.asyncIterator]: () => all };
}

/** Where a server answers for all its pods together. */
const TOGETHER_PATH = "/.query/sparql";

/** One endpoint for these pods of one server; those it could not read are told of by `leftOut`. */
function together(
  origin: string,
  pods: readonly Pod[],
  leftOut: (roots: readonly string[]) => void,
): Endpoint {
  const [first] = pods;
  return {
    sparql: origin + TOGETHER_PATH,
    async fetch(url, init = {}) {
      const body = new URLSearchParams(typeof init.body === "string" ? init.body : "");
      for (const pod of pods) body.append("pod", pod.url);
      const headers = new Headers(init.headers);
      headers.delete("prefer"); // A pod that cannot be read is left out, not a reason to say nothing.
      const response = await (first?.fetch ?? globalThis.fetch)(url, {
        ...init,
        headers,
        body: body.toString(),
      });
      leftOut(response.headers.get("freehold-left-out")?.split(" ") ?? []);
      return response;
    },
  };
}

/**
 * Asks each server once for all its pods: a thousand pods are one request, and counts, joins and limits are those of all
 * pods of a server together. A row does not say of which pod it is, unless the query asks for it, and a pod that granted
 * nothing is as if it had nothing. Servers that know nothing of this are asked pod by pod.
 * @param where As in {@link queryAll}; all are found before anybody is asked.
 */
export function queryTogether<V extends string = string>(
  where: readonly (Pod | string)[],
  sparql: string,
  options: FederationOptions = {},
): Federated<V, Pod | null> {
  const sources = sourcesOf(where);
  async function* rows(): AsyncGenerator<FederatedRow<V, Pod | null>, void, undefined> {
    const run = begin<V, Pod | null>(sparql, options);
    async function askServer(
      origin: string,
      some: readonly (readonly [Writable<Source>, Pod])[],
    ): Promise<void> {
      const own = some.map(([source]) => source);
      const endpoint = together(
        origin,
        some.map(([, pod]) => pod),
        (roots) => {
          for (const [source, pod] of some) if (roots.includes(pod.url)) fail(source, pod);
        },
      );
      await run.tried(own, async () => {
        try {
          await run.ask({ endpoint, pod: null, sources: own });
        } catch (error) {
          if (!(error instanceof FreeholdError) || ![404, 405].includes(error.status)) throw error;
          const each = some.map(([source, pod]) =>
            run.tried([source], () => run.ask({ endpoint: pod, pod, sources: [source] })),
          );
          await Promise.all(each);
        }
      });
    }
    yield* rowsOf(run, async () => {
      const found = await Promise.all(
        sources.map(async (source) => [source, await run.find(source)] as const),
      );
      const here = found.flatMap(([source, pod]) => (pod ? [[source, pod] as const] : []));
      // Those of one server that are asked as the same person.
      const servers = Map.groupBy(here, ([, pod]) => new URL(pod.sparql).origin);
      const groups = [...servers].flatMap(([origin, some]) =>
        [...Map.groupBy(some, ([, pod]) => pod.fetch).values()].map((group) => askServer(origin, group)),
      );
      await Promise.all(groups);
    });
  }
  const all = rows();
  return { sources, [Symbol.asyncIterator]: () => all };
}

function fail(source: Writable<Source>, pod: Pod): void {
  source.state = "failed";
  source.error = new FreeholdError("unavailable", "The server could not read this pod", { url: pod.url });
}

/** How many answers become one. */
export interface Combining {
  /**
   * Columns that are aggregates, and how those of several pods become one: a COUNT or SUM is a `sum`, MIN and MAX are
   * themselves. Rows that agree in all other columns become one. For an average, ask for SUM and COUNT.
   */
  readonly merge?: Readonly<Record<string, Merging>>;
  /** As the query's own ORDER BY, if it has a LIMIT: each pod then gives its first rows, and here the first of all are found. */
  readonly orderBy?: readonly Order[];
  readonly limit?: number;
}

/**
 * One answer of many, in memory as a whole. Only pods that answered to the end are in it: half an answer is none.
 * ```ts
 * const totals = await combine(queryAll(pods, sparql), { merge: { orders: "sum" }, orderBy: [{ by: "orders", descending: true }] });
 * ```
 * A LIMIT in a query whose groups are merged would cut off groups before they are: give it here only.
 * @throws FreeholdError `answer-invalid` for a sum of what is no number.
 */
export async function combine<V extends string = string>(
  answers: Federated<V, Pod | null>,
  { merge, orderBy = [], limit = Number.POSITIVE_INFINITY }: Combining,
): Promise<Row<V>[]> {
  const all: FederatedRow<V, Pod | null>[] = [];
  for await (const row of answers) all.push(row);
  const isWhole = ({ sources }: (typeof all)[number]): boolean =>
    sources.some(({ state }) => state === "answered");
  const whole: Row[] = all.filter(isWhole).map(({ row }) => row);
  const groups = merge && createGroups(merge);
  for (const row of groups ? whole : []) groups?.add(row);
  const rows = groups?.rows() ?? whole;
  if (orderBy.length > 0) rows.sort(compareRows(orderBy)); // Stable: equal rows stay in the order in which they came.
  return rows.slice(0, limit) as Row<V>[];
}
