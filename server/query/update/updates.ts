/**
 * SPARQL Update over one pod: `POST {pod}/sparql-update`, an address of its own, so that the query endpoint changes
 * nothing. All of a request is one commit: every document's rules are asked in the snapshot that it is made on.
 */
import { Problem } from "../../errors.ts";
import { parseTarget, type Target } from "../../iri.ts";
import type { Limits } from "../../limits.ts";
import type { Agent, Mode, Operation, Result } from "../../operation.ts";
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

type MayRead = (path: string) => Promise<boolean>;

interface Need {
  readonly target: Target;
  readonly modes: readonly Mode[];
}
interface Decided {
  readonly kind: "granted" | "denied";
  readonly missing?: readonly Mode[];
  readonly restricted?: boolean;
}

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
  readonly access: {
    authorize(
      snapshot: Snapshot,
      pod: Pod,
      agent: Agent,
      target: Target,
      wanted: readonly Mode[],
    ): Promise<Decided>;
    reader(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<MayRead>;
  };
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
    made: { readonly bytes: number | null; readonly folders: number; readonly onlyAdds: boolean },
  ) => void;
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

  async function authorize(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    needs: readonly Need[],
  ): Promise<void> {
    for (const { target, modes } of needs) {
      const decision = await access.authorize(snapshot, pod, agent, target, modes);
      if (decision.kind === "granted") continue;
      if (decision.restricted) throw new Problem("restricted");
      throw new Problem(
        "forbidden",
        `Missing: ${(decision.missing ?? modes).join(", ")} (${origin}${target.path})`,
      );
    }
  }

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
  ): Promise<void> {
    const { transaction } = edit;
    for (const { target, modes, outcome } of changed) {
      const isRemoval = outcome === "remove";
      const needs = isRemoval
        ? await deps.needsOfRemoval(transaction, target)
        : await deps.needsOfChange(transaction, target, modes);
      await authorize(transaction, pod, operation.agent, needs);
    }
    const { "access-purpose": purpose } = operation.headers;
    for (const { target, url, modes, outcome, triples } of changed) {
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
      });
    }
  }

  async function work(
    edit: UpdateEdit,
    pod: Pod,
    operation: Operation,
    { text, update }: UpdateRequest,
    until: number,
  ): Promise<void> {
    const { transaction } = edit;
    const { agent } = operation;
    const may = async (path: string, mode: Mode): Promise<boolean> =>
      (await access.authorize(transaction, pod, agent, parseTarget(path), [mode])).kind === "granted";
    const mayRead = (path: string): Promise<boolean> => may(path, "read");
    const graphs = createDocumentGraphs({
      origin,
      pod,
      documentsMax: agent.webid === pod.owner ? limits.updateDocumentsMax : limits.updateOthersDocumentsMax,
      bytesMax: limits.transactionBytesMax,
      snapshot: transaction,
      may,
      reader: () => access.reader(transaction, pod, agent),
      demand: (target, mode) => authorize(transaction, pod, agent, [{ target, modes: [mode] }]),
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
    await perform(update, graphs);
    await settle(edit, pod, operation, graphs.changed(), mayRead);
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
      await deps.edit(pod, agent, mayReclaim, (edit) => work(edit, pod, operation, request, until));
      return { status: 204, headers: { "cache-control": "no-store" }, body: null };
    },
  };
}
