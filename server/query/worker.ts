/**
 * A query thread: keeps the documents it was sent as numbers, plans and evaluates one query at a time. It has no keys,
 * no network and no environment; it can be ended at any moment, and another is started for the next query.
 */
import { createHash } from "node:crypto";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { Problem } from "../errors.ts";
import { answerQuery } from "./answer.ts";
import { createKnownSets } from "./known-sets.ts";
import { createLoadedPods } from "./loaded.ts";
import type { Answer, Request, Response, RunTask, Task, WorkerSettings } from "./messages.ts";
import { createPlans } from "./plans.ts";
import { createRoom } from "./room.ts";

const { limits, room: shared } = workerData as WorkerSettings;
const port = parentPort!;

/** On Linux a thread has a priority of its own: whoever reads or writes a document goes before whoever asks a query. */
const NICE = 5;
if (process.platform === "linux") setPriority(NICE);

const refuse = (): never => {
  throw new Problem("query-refused", "Nothing is fetched for a query");
};
globalThis.fetch = refuse;
Reflect.deleteProperty(globalThis, "WebSocket");
Reflect.deleteProperty(globalThis, "EventSource");

const plans = createPlans(limits);
const pods = createLoadedPods(limits);
const sets = createKnownSets<Uint32Array>();

function say(id: number, answer: Answer): void {
  const bytes = answer.kind === "piece" || answer.kind === "answered" ? answer.bytes : null;
  port.postMessage({ id, answer } satisfies Response, bytes ? [bytes.buffer as ArrayBuffer] : []);
}

const NUMBERS_SPELLED_MAX = 64;
/** Short, however many they are. */
const nameOf = (numbers: Uint32Array): string =>
  numbers.length > NUMBERS_SPELLED_MAX
    ? createHash("sha256").update(numbers).digest("base64url")
    : numbers.join();

/** Undefined when it is not known any more. */
function setOf({ id, numbers }: RunTask["set"]): Uint32Array | undefined {
  if (numbers === null) return sets.get(id);
  sets.set(id, numbers, numbers.length);
  return numbers;
}

async function run(id: number, task: RunTask): Promise<Answer> {
  const set = task.defaults === "set" || task.named === "set" ? setOf(task.set) : null;
  if (set === undefined) return { kind: "set-unknown" };
  const chosen = (which: "defaults" | "named"): Uint32Array => (task[which] === "set" ? set! : task[which]);
  const name = (which: "defaults" | "named"): string =>
    task[which] === "set" ? `set ${task.set.id}` : nameOf(task[which]);
  const view = pods.view(
    task.pod,
    `${name("defaults")};${name("named")}`,
    chosen("defaults"),
    chosen("named"),
  );
  const room = createRoom(shared, task.msMax, limits, (bytes) => say(id, { kind: "piece", bytes }));
  const { bytes, rows } = await answerQuery(
    plans.get(task.text, task.baseIri, task.isSettled),
    view,
    task,
    room,
  );
  return { kind: "answered", bytes, rows };
}

async function perform(id: number, task: Task): Promise<Answer> {
  switch (task.kind) {
    case "plan":
      return { kind: "planned", facts: plans.factsOf(task.text, task.baseIri) };
    case "load":
      return { kind: "loaded", forgotten: await pods.load(task) };
    case "open":
      return { kind: "opened", ...pods.open(task) };
    case "settle":
      return { kind: "settled", ...pods.settle(task) };
    case "run":
      return run(id, task);
    case "match": {
      const { matchSent } = await import("./update/match-sent.ts");
      return { kind: "matched", ...(await matchSent(task, limits)) };
    }
    default:
      throw new Error("unknown task");
  }
}

async function answer({ id, task }: Request): Promise<void> {
  let result: Answer;
  try {
    result = await perform(id, task);
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // Our own mistake: the thread ends, loudly, and the next is a new one.
    result = { kind: "problem", code: error.code, detail: error.detail };
  }
  say(id, result);
}

port.on("message", (request: Request) => void answer(request));
port.postMessage({ id: 0, answer: { kind: "ready" } } satisfies Response);
