/** What the server and a query thread say to each other. The thread gets documents and a query, nothing else. */
import type { ProblemCode } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { QueryForm } from "./evaluate.ts";
import type { ResultLimits } from "./results.ts";
import type { DatasetDescription, Reach } from "./scope.ts";

export interface WorkerSettings {
  readonly limits: Limits;
}

/** One readable document, as stored. A container has two parts: its listing, and what is said about it. */
export interface SentDocument {
  /** Stands for (pod, path, version), and never for anything else. */
  readonly number: number;
  /** The name of its graph, which is its address. */
  readonly graph: string;
  readonly parts: readonly { readonly contentType: string; readonly bytes: Uint8Array }[];
}

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
  | {
      readonly kind: "run";
      readonly pod: string;
      readonly defaults: Uint32Array;
      readonly named: Uint32Array;
      readonly contentType: string;
      readonly limits: ResultLimits;
    };

export type Answer =
  | { readonly kind: "ready" }
  | {
      readonly kind: "planned";
      readonly form: QueryForm;
      readonly from: DatasetDescription | null;
      readonly reach: Reach;
    }
  /** @param forgotten Pods whose documents had to go to make room. */
  | { readonly kind: "loaded"; readonly forgotten: readonly string[] }
  /** @param rows Of a table, or triples of a graph; one for a yes or no. */
  | { readonly kind: "answered"; readonly bytes: Uint8Array; readonly rows: number }
  | { readonly kind: "problem"; readonly code: ProblemCode; readonly detail: string | undefined };

export interface Request {
  readonly id: number;
  readonly task: Task;
}
export interface Response {
  readonly id: number;
  readonly answer: Answer;
}
