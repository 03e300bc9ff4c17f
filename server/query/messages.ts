/** What the server and a query thread say to each other. The thread gets documents and a query, nothing else. */
import type { ProblemCode } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { SharedIndex } from "./index/pod-index.ts";
import type { QueryForm, ResultLimits } from "./output.ts";
import type { DatasetDescription, Reach } from "./scope.ts";
import type { PageRequest } from "./search/page.ts";
import type { Times } from "./sparql/times.ts";
import type { MatchTask, SentMatch } from "./update/task.ts";

export interface WorkerSettings {
  readonly limits: Limits;
  /**
   * Two numbers that both sides see. The first: bytes of an answer that may be on their way; taken by the thread, given
   * back by whoever has read them. The second: 1 when nobody wants the rest.
   */
  readonly room: Int32Array<SharedArrayBuffer>;
}
export const ROOM = 0;
export const UNWANTED = 1;

/** One readable document, as stored. A container has two parts: its listing, and what is said about it. */
export interface SentDocument {
  /** Stands for (pod, path, version), and never for anything else. */
  readonly number: number;
  /** The name of its graph, which is its address. */
  readonly graph: string;
  readonly parts: readonly { readonly contentType: string; readonly bytes: Uint8Array }[];
}

/** Documents by their numbers: "set" are all that the agent may read, which the thread knows by the set's name. */
export type Chosen = "set" | Uint32Array;

export type Task =
  /** Reads a query; the thread keeps the plan for the `run` that follows. */
  | { readonly kind: "plan"; readonly text: string; readonly baseIri: string }
  /** @param pod Anything that names the pod and its numbering. @param dropped Documents of the pod that are out of date. */
  | {
      readonly kind: "load";
      readonly pod: string;
      readonly documents: readonly SentDocument[];
      readonly dropped: readonly number[];
    }
  | OpenTask
  /** Puts the pod's index in order. @param dropped As in `load`. @param isPacked Whether it is wanted for the disk, too. */
  | {
      readonly kind: "settle";
      readonly pod: string;
      readonly dropped: readonly number[];
      readonly isPacked: boolean;
    }
  | RunTask
  /** Evaluates the WHERE of an update. */
  | MatchTask;

/** Begins a pod with what another thread has shared, or with what was on disk. @param numbers By slot; 0: out of date. */
export interface OpenTask {
  readonly kind: "open";
  readonly pod: string;
  readonly base:
    | { readonly kind: "shared"; readonly shared: SharedIndex }
    | { readonly kind: "packed"; readonly packed: Uint8Array; readonly numbers: Uint32Array };
}

export interface RunTask {
  readonly kind: "run";
  readonly text: string;
  readonly baseIri: string;
  readonly pod: string;
  /** @param numbers Null when the thread should know them. */
  readonly set: { readonly id: number; readonly numbers: Uint32Array | null };
  readonly defaults: Chosen;
  readonly named: Chosen;
  readonly contentType: string;
  /** A page of a search, in whatever format that has, instead of the rows. */
  readonly page?: PageRequest;
  readonly limits: ResultLimits;
  /** Whether the order of the answer must not tell what else is in the pod: for everybody but its owner. */
  readonly isSettled: boolean;
  /** Milliseconds of evaluation, without the time in which nobody read the answer. */
  readonly msMax: number;
}

/** What is known of a query without looking at any data. */
export interface PlanFacts {
  readonly form: QueryForm;
  readonly from: DatasetDescription | null;
  readonly reach: Reach;
  /** When a page of a stream must have something to be of any use. */
  readonly times: Times;
}

export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "planned"; readonly facts: PlanFacts }
  /** @param forgotten Pods whose documents had to go to make room. */
  | { readonly kind: "loaded"; readonly forgotten: readonly string[] }
  /** @param numbers Documents that it holds now; null when it could not be opened. */
  | { readonly kind: "opened"; readonly numbers: Uint32Array | null; readonly forgotten: readonly string[] }
  /** @param shared Null when the thread does not hold the pod any more. */
  | { readonly kind: "settled"; readonly shared: SharedIndex | null; readonly packed: Uint8Array | null }
  /** The thread does not know the set any more: ask again, and send it. */
  | { readonly kind: "set-unknown" }
  /** A piece of a long answer; others follow, and at last `answered` or `problem`. */
  | { readonly kind: "piece"; readonly bytes: Uint8Array }
  /** @param rows Of a table, or triples of a graph; one for a yes or no. */
  | { readonly kind: "answered"; readonly bytes: Uint8Array; readonly rows: number }
  | ({ readonly kind: "matched" } & SentMatch)
  | { readonly kind: "problem"; readonly code: ProblemCode; readonly detail: string | undefined };

export interface Request {
  readonly id: number;
  readonly task: Task;
}
export interface Response {
  readonly id: number;
  readonly answer: Answer;
}
