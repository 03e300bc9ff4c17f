/**
 * SPARQL Update over one pod: `POST {pod}/sparql-update`, an address of its own, so that the query endpoint changes
 * nothing. All of a request is one commit: every document's rules are asked in the snapshot that it is made on.
 */
import type { Access, PathReader } from "../../access/authorize.ts";
import {
  type Authority,
  authorityOf,
  BY_RULES,
  type CountWrite,
  type Demanded,
  demandAll,
  extentWith,
  forPurpose,
  together,
} from "../../access/demand.ts";
import { Problem } from "../../errors.ts";
import { parseTarget, type Target } from "../../iri.ts";
import type { Limits } from "../../limits.ts";
import type { Agent, Mode, Operation, Result } from "../../operation.ts";
import { purposeProblem } from "../../purpose.ts";
import type { Quad } from "../../rdf/terms.ts";
import type { Pod } from "../../store/pods.ts";
import type { Snapshot, Transaction } from "../../store/store.ts";
import type { QueryThreads } from "../threads.ts";
import { type Changed, createDocumentGraphs, type DocumentsDeps } from "./documents.ts";
import { perform } from "./perform.ts";
import { parseUpdateRequest, type UpdateRequest } from "./request.ts";
import { receiveMatch } from "./task.ts";

/** The thread looks at the time by itself; only what does not come to looking is ended from outside. */
const GRACE_MS = 250;

/** Path of the endpoint in each pod. */
export const UPDATE_PATH = "sparql-update";

type Fields = Readonly<Record<string, string>>;
type MayRead = (path: string) => Promise<boolean>;

type Need = Demanded;
/** One commit, in which documents are changed as if by a request for each. */
export interface UpdateEdit {
  readonly transaction: Transaction;
  /** Folders made so far. */
  readonly made: readonly string[];
  /** @throws Problem `shape-violation`, `protected-triple`, `conflict`, `body-too-large`. */
  change(operation: Operation, triples: readonly Quad[], mayRead: MayRead): Promise<Result>;
  /** @throws Problem `protected-triple`. */
  remove(operation: Operation, mayRead: MayRead): Promise<Result>;
}

export interface UpdatesDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly access: Pick<Access, "authorize" | "reader">;
  readonly threads: Pick<QueryThreads, "run">;
  readonly read: <T>(pod: Pod, work: (snapshot: Snapshot) => Promise<T>) => Promise<T>;
  /** @param reclaims Whether the oldest of the trash gives way in a full pod. */
  readonly edit: <T>(
    pod: Pod,
    agent: Agent,
    reclaims: boolean,
    work: (edit: UpdateEdit) => Promise<T>,
  ) => Promise<T>;
  readonly stored: (snapshot: Snapshot, target: Target) => ReturnType<DocumentsDeps["stored"]>;
  readonly checkPlace: DocumentsDeps["checkPlace"];
  /** What changing a document needs, or making it; and what deleting it does. */
  readonly needsOfChange: (
    snapshot: Snapshot,
    target: Target,
    modes: readonly Mode[],
  ) => Promise<readonly Need[]>;
  readonly needsOfRemoval: (snapshot: Snapshot, target: Target) => Promise<readonly Need[]>;
  /** Records in the commit what was done to one document. */
  readonly record: (
    transaction: Transaction,
    pod: Pod,
    operation: Operation,
    result: Result,
    made: { readonly bytes: number | null; readonly folders: number; readonly onlyAdds: boolean } & Pick<
      Authority,
      "grants" | "purpose"
    >,
  ) => void;
  /** Counts what was read and changed under grants, in its commit. @throws Problem `grant-paused`, … */
  readonly underGrants: {
    readonly write: CountWrite;
    readIn(
      transaction: Transaction,
      pod: Pod,
      operation: Operation,
      by: Authority,
      documents: number,
      status: number,
    ): Promise<void>;
    /** The same in a commit of its own, of an update that was refused. */
    read(pod: Pod, operation: Operation, by: Authority, documents: number, status: number): Promise<void>;
  };
}

/** What one attempt has read by grants. */
interface Seen {
  by: Authority;
  readonly paths: Set<string>;
}

export interface Updates {
  /**
   * @throws Problem `query-invalid`, `query-refused`, `query-timeout`, `login-required`, `forbidden`, `restricted`,
   *   `conflict`, `shape-violation`, `quota-exceeded`, …: then nothing was changed.
   * @see https://www.w3.org/TR/sparql11-update/
   */
  update(operation: Operation, pod: Pod): Promise<Result>;
}

export function createUpdates(deps: UpdatesDeps): Updates {
  const { baseUrl, limits, access } = deps;
  const origin = baseUrl.slice(0, -1);

  const authorize = (
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    needs: readonly Need[],
  ): Promise<Authority> =>
    demandAll(access, snapshot, pod, agent, needs, {}, ({ path }) => ` (${origin}${path})`);

  async function reclaims(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<boolean> {
    if (agent.webid !== pod.owner) return false;
    const root = parseTarget(`/${pod.name}/`);
    return (await access.authorize(snapshot, pod, agent, root, ["write"])).kind === "granted";
  }

  /** Does to each document what is left to do, under its own rules and with its own entry in the journal. */
  async function settle(
    edit: UpdateEdit,
    pod: Pod,
    operation: Operation,
    changed: readonly Changed[],
    mayRead: MayRead,
    seen: Authority,
  ): Promise<Fields> {
    const { transaction } = edit;
    const authorities = new Map<Changed, Authority>();
    let asker = forPurpose(operation.agent, seen);
    for (const one of changed) {
      const { target, modes, outcome } = one;
      const isRemoval = outcome === "remove";
      const needs = isRemoval
        ? await deps.needsOfRemoval(transaction, target)
        : await deps.needsOfChange(transaction, target, modes);
      const authority = await authorize(transaction, pod, asker, needs);
      asker = forPurpose(asker, authority);
      authorities.set(one, authority);
    }
    let fields: Fields = {};
    const { "access-purpose": purpose } = operation.headers;
    for (const [{ target, url, modes, outcome, triples }, authority] of authorities) {
      if (outcome === "none") continue;
      const one: Operation = {
        ...operation,
        method: outcome === "remove" ? "DELETE" : "PATCH",
        target,
        url,
        query: "",
        headers: { "access-purpose": purpose },
        body: null,
      };
      const folders = edit.made.length;
      const result =
        outcome === "remove" ? await edit.remove(one, mayRead) : await edit.change(one, triples, mayRead);
      deps.record(transaction, pod, one, result, {
        bytes: null,
        folders: edit.made.length - folders,
        onlyAdds: !modes.includes("write"),
        grants: authority.grants,
        purpose: authority.purpose,
      });
      fields = {
        ...fields,
        ...(await deps.underGrants.write(transaction, pod, one, authority, result, null)),
      };
    }
    return fields;
  }

  async function work(
    edit: UpdateEdit,
    pod: Pod,
    operation: Operation,
    { text, update }: UpdateRequest,
    until: number,
    seen: Seen,
  ): Promise<Fields> {
    const { transaction } = edit;
    const { agent } = operation;
    const readers: PathReader[] = [];
    function note(path: string, { grants, ...by }: Authority): void {
      if (!by.reads) return;
      seen.paths.add(path);
      seen.by = together(seen.by, { ...by, grants: grants.slice(0, 1) }); // Any of them will do.
    }
    const may = async (path: string, mode: Mode): Promise<boolean> => {
      const asker = forPurpose(agent, seen.by);
      const decision = await access.authorize(transaction, pod, asker, parseTarget(path), [mode]);
      if (decision.kind === "granted") note(path, authorityOf(decision, [mode]));
      else if (decision.purposes && agent.purpose === undefined) {
        // What was granted for different purposes is not put together.
        const { accepted } = decision.purposes;
        const { purpose } = seen.by;
        const all = new Set([...accepted, ...(purpose === undefined ? [] : [purpose])]);
        throw purposeProblem({ isStated: false, accepted: [...all].sort() });
      }
      return decision.kind === "granted";
    };
    const mayRead = (path: string): Promise<boolean> => may(path, "read");
    const graphs = createDocumentGraphs({
      origin,
      pod,
      documentsMax: agent.webid === pod.owner ? limits.updateDocumentsMax : limits.updateOthersDocumentsMax,
      bytesMax: limits.transactionBytesMax,
      snapshot: transaction,
      may,
      async reader() {
        const reader = await access.reader(transaction, pod, forPurpose(agent, seen.by));
        readers.push(reader);
        return reader;
      },
      async demand(target, mode) {
        const asker = forPurpose(agent, seen.by);
        note(target.path, await authorize(transaction, pod, asker, [{ target, modes: [mode] }]));
      },
      stored: (target) => deps.stored(transaction, target),
      checkPlace: deps.checkPlace,
      evaluate: async ({ using }, at, gather) => {
        const matched = await deps.threads.run(agent.webid ?? "", pod.id, async (thread) => {
          const beInTime = (): number => {
            const left = Math.round(until - performance.now());
            if (left <= 0) throw new Problem("query-timeout");
            return left;
          };
          const documents = await gather(beInTime);
          const msMax = beInTime();
          return thread.ask(
            { kind: "match", text, baseIri: operation.url, at, using, documents, msMax },
            msMax + GRACE_MS,
          );
        });
        if (matched.kind !== "matched") throw new Problem("internal");
        return receiveMatch(matched);
      },
    });
    try {
      await perform(update, graphs);
    } finally {
      for (const reader of readers) {
        const { grants = [], purpose } = extentWith(reader, { rows: null, documents: 0 });
        seen.by = together(seen.by, { grants, purpose, reads: true });
      }
    }
    const fields = await settle(edit, pod, operation, graphs.changed(), mayRead, seen.by);
    if (seen.by.reads)
      await deps.underGrants.readIn(transaction, pod, operation, seen.by, Math.max(1, seen.paths.size), 204);
    return fields;
  }

  return {
    async update(operation, pod) {
      const { agent } = operation;
      // Whoever is nobody could make us parse, and add to an inbox by POST all the same.
      if (agent.webid === null) throw new Problem("login-required", "Log in to change documents by SPARQL");
      const request = await parseUpdateRequest(operation, limits);
      const mayReclaim = await deps.read(pod, (snapshot) => reclaims(snapshot, pod, agent));
      const msMax = agent.webid === pod.owner ? limits.queryOwnerMsMax : limits.queryMsMax;
      const until = performance.now() + msMax; // Of all attempts: writers who come between may make it begin anew.
      let seen: Seen = { by: BY_RULES, paths: new Set() };
      const fields = await deps
        .edit(pod, agent, mayReclaim, (edit) => {
          seen = { by: BY_RULES, paths: new Set() };
          return work(edit, pod, operation, request, until, seen);
        })
        .catch(async (error: unknown) => {
          // That it was refused may hang on what was read.
          const { by, paths } = seen;
          if (by.reads && error instanceof Problem)
            await deps.underGrants.read(pod, operation, by, Math.max(1, paths.size), error.status);
          throw error;
        });
      return { status: 204, headers: { ...fields, "cache-control": "no-store" }, body: null };
    },
  };
}
