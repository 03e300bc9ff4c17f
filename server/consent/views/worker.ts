/** The thread in which views of much data are made. It has no keys but that of the vendor's names, and no network. */
import { parentPort, workerData } from "node:worker_threads";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { type Derived, derive, type Job } from "./derive.ts";

export interface Request {
  readonly id: number;
  readonly job: Job;
}
export type Response =
  | ({ readonly id: number; readonly kind: "derived" } & Derived)
  | {
      readonly id: number;
      readonly kind: "problem";
      readonly code: Problem["code"];
      readonly detail?: string;
    };

const limits = workerData as Limits;
const port = parentPort!;

async function answer({ id, job }: Request): Promise<void> {
  try {
    const { bytes, triples } = await derive(job, limits);
    port.postMessage({ id, kind: "derived", bytes, triples } satisfies Response, [
      bytes.buffer as ArrayBuffer,
    ]);
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // Our own mistake: the thread ends, loudly.
    const { code, detail } = error;
    port.postMessage({
      id,
      kind: "problem",
      code,
      ...(detail !== undefined && { detail }),
    } satisfies Response);
  }
}

port.on("message", (request: Request) => void answer(request));
