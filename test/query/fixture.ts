/** A pod in the reference store with a query endpoint, without HTTP: requests are operations, answers are results. */
import { Readable } from "node:stream";
import { Problem } from "../../server/errors.ts";
import { parseTarget, type WebId } from "../../server/iri.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import type { Agent, Method, Operation, Result } from "../../server/operation.ts";
import { createQueries, type Queries } from "../../server/query/endpoint.ts";
import { createKeptIndexes } from "../../server/query/index/kept.ts";
import { withChanges } from "../../server/store/changes.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import type { Pod } from "../../server/store/pods.ts";
import { encodeDocument, encodeRecord } from "../../server/store/record.ts";
import type { Store } from "../../server/store/store.ts";

export const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export interface Document {
  readonly contentType?: string;
  readonly text: string;
}

export interface Ask {
  readonly webid?: string | null;
  readonly accept?: string;
  readonly method?: Method;
  /** Raw query string; the query itself goes into it when there is none. */
  readonly query?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly text: string;
  /** For a problem: its code and detail. */
  readonly code: string | null;
  readonly detail: string;
}

export interface TestPod {
  readonly pod: Pod;
  readonly root: string;
  readonly store: Store;
  readonly queries: Queries;
  /** Another server on the same store, which remembers nothing. */
  restart(): Promise<void>;
  ask(sparql: string | null, options?: Ask): Promise<Answered>;
  /** The answer as the endpoint gives it, unread. @throws what it throws. */
  open(sparql: string | null, options?: Ask): Promise<Result>;
  /** Values of one variable of a SELECT, sorted. */
  values(sparql: string, name: string, options?: Ask): Promise<string[]>;
  /** @param name Path in the pod; ending in `.acl` or `.meta` for an auxiliary; null removes. */
  put(name: string, document: Document | string | null): Promise<void>;
  close(): Promise<void>;
}

/** @param mayRead Who may read what, by path in the pod. */
export async function createTestPod(
  documents: Readonly<Record<string, Document | string>>,
  mayRead: (webid: string | null, name: string) => boolean,
  options: {
    readonly limits?: Partial<Record<keyof Limits, number>>;
    readonly baseUrl?: string;
    readonly name?: string;
    /** Gets the lines of the log. */
    readonly log?: string[];
    /** Whether nobody remembers what was written, as where others commit to the same store. */
    readonly isForgetful?: boolean;
  } = {},
): Promise<TestPod> {
  const { baseUrl = "https://pod.example/", name = "ana" } = options;
  const limits = { ...LIMITS, ...options.limits } as Limits;
  const { store, changes } = withChanges(createMemoryStore({ limits }));
  const id = await store.createPod();
  const root = `${baseUrl}${name}/`;
  const pod: Pod = { id, name, owner: `${root}profile/card#me` as WebId, created: 0 };
  let modified = 1_700_000_000_000;

  async function put(path: string, document: Document | string | null): Promise<void> {
    const { text, contentType = "text/turtle" } =
      typeof document === "string" ? { text: document } : (document ?? { text: "" });
    modified += 1_000;
    await store.write(id, async (transaction) => {
      const auxiliary = /^(.*)\.(acl|meta)$/.exec(path);
      if (auxiliary) {
        const [, subject = "", kind = ""] = auxiliary;
        if (document === null) transaction.delete("auxiliary", `/${name}/${subject}`, kind);
        else
          transaction.put(
            "auxiliary",
            `/${name}/${subject}`,
            kind,
            encodeDocument({ contentType, modified, bytes: bytesOf(text) }),
          );
        return;
      }
      const segments = path.split("/");
      for (let depth = 0; depth < segments.length; depth++) {
        const isLast = depth === segments.length - 1;
        const item = `${segments[depth]}${isLast ? "" : "/"}`;
        if (item === "") continue;
        const group = `/${name}/${segments
          .slice(0, depth)
          .map((segment) => `${segment}/`)
          .join("")}`;
        if (isLast && document === null) {
          transaction.delete("resource", group, item);
          transaction.delete("body", `${group}${item}`, "");
          continue;
        }
        const kind = isLast ? (contentType.startsWith("image/") ? "binary" : "rdf") : "container";
        if (kind === "container" && (await transaction.get("resource", group, item))) continue;
        transaction.put(
          "resource",
          group,
          item,
          encodeRecord({ kind, contentType, bytes: text.length, created: modified, modified }),
        );
        if (kind !== "container") transaction.put("body", `${group}${item}`, "", bytesOf(text));
        transaction.put("stamp", group, "", encodeRecord({ modified }));
      }
    });
  }

  await store.write(id, async (transaction) => {
    transaction.put(
      "resource",
      "/",
      `${name}/`,
      encodeRecord({ kind: "container", contentType: "text/turtle", bytes: 0, created: 0, modified }),
    );
  });
  for (const [path, document] of Object.entries(documents)) await put(path, document);

  const log = createLog(
    (line) => options.log?.push(line),
    () => new Date(),
    "debug",
  );
  const start = (): Queries =>
    createQueries({
      baseUrl,
      limits,
      log,
      indexes: { read: (pod, work) => store.read(pod, work), kept: createKeptIndexes(store, log) },
      changes: options.isForgetful ? () => null : changes,
      access: {
        language: { ending: ".acl" },
        classify: async (_snapshot, _pod, paths) => ({
          paths,
          classOf: Uint32Array.from(paths.keys()),
          classes: [],
        }),
        readable: async (_snapshot, _pod, agent, { paths }) => {
          const bits = Uint8Array.from(paths, (path) =>
            path !== null && mayRead(agent.webid, path.slice(name.length + 2)) ? 1 : 0,
          );
          return { key: bits.join(""), made: async () => ({ bits, grants: new Map(), question: null }) };
        },
      },
    });
  let queries = start();

  async function open(sparql: string | null, asked: Ask = {}): Promise<Result> {
    const { webid = pod.owner, accept, method = "GET", body, headers = {} } = asked;
    const agent: Agent = { webid: webid as WebId | null, client: null, issuer: null, origin: null };
    const operation: Operation = {
      id: "test",
      method,
      target: parseTarget(`/${name}/sparql`),
      url: `${root}sparql`,
      query: asked.query ?? (sparql === null ? "" : `query=${encodeURIComponent(sparql)}`),
      agent,
      headers: { ...headers, accept },
      body: body === undefined ? null : Readable.from([Buffer.from(body)]),
    };
    const request = await queries.parse(operation);
    return store.read(id, (snapshot) => queries.answer(snapshot, pod, operation, request));
  }

  async function ask(sparql: string | null, asked: Ask = {}): Promise<Answered> {
    try {
      const result = await open(sparql, asked);
      const text =
        result.body === null
          ? ""
          : typeof result.body === "string"
            ? result.body
            : result.body instanceof Uint8Array
              ? new TextDecoder().decode(result.body)
              : Buffer.concat(await Array.fromAsync(result.body)).toString();
      return { status: result.status, headers: result.headers, text, code: null, detail: "" };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return {
        status: error.status,
        headers: error.headers,
        text: "",
        code: error.code,
        detail: error.detail ?? "",
      };
    }
  }

  return {
    pod,
    root,
    store,
    get queries() {
      return queries;
    },
    async restart() {
      await queries.close();
      queries = start();
    },
    ask,
    open,
    put,
    async values(sparql, variable, asked) {
      const { status, text, code, detail } = await ask(sparql, asked);
      if (status !== 200) throw new Error(`${code}: ${detail}`);
      const { results } = JSON.parse(text) as { results: { bindings: Record<string, { value: string }>[] } };
      return results.bindings
        .map((binding) => binding[variable]?.value ?? "")
        .sort((a, b) => (a < b ? -1 : 1));
    },
    close: () => queries.close(),
  };
}
