/** The command line's side of the operator's socket. */
import { type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import { OperatorError } from "../errors.ts";
import { VERSION } from "../health.ts";
import type { Message } from "./messages.ts";
import { operatorAddress } from "./operator-address.ts";
import type { Report, Task, TaskInput } from "./task.ts";

/** What a socket says where no server listens. */
const NOBODY: ReadonlySet<string | undefined> = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR"]);

function send(
  dataFolder: string,
  task: Pick<Task, "name">,
  input: TaskInput,
): Promise<IncomingMessage | null> {
  const { path, release } = operatorAddress(dataFolder);
  return new Promise<IncomingMessage | null>((resolve, reject) => {
    const sent = request({
      socketPath: path,
      method: "POST",
      path: `/tasks/${encodeURIComponent(task.name)}`,
      headers: { "content-type": "application/json", connection: "close" },
    });
    sent.on("response", resolve);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (NOBODY.has(error.code)) resolve(null);
      else if (error.code === "EACCES")
        reject(
          new OperatorError(
            `The server on ${dataFolder} runs as another user. Run this as that user (sudo -u …), for only who may open its data may give it tasks.`,
            { cause: error },
          ),
        );
      else reject(error);
    });
    sent.end(JSON.stringify(input));
  }).finally(release);
}

/**
 * Has the server that runs on `dataFolder` do the task.
 * @returns how it ended; null when no server runs there.
 * @throws OperatorError when the server is another version, is another user's, or ends in the middle.
 */
export async function askOperator(
  dataFolder: string,
  task: Pick<Task, "name">,
  input: TaskInput,
  report: Report,
): Promise<Exclude<Message, { progress: unknown }> | null> {
  const response = await send(dataFolder, task, input);
  if (!response) return null;
  if (response.statusCode === 404) {
    response.resume();
    throw new OperatorError(
      `The server that runs on ${dataFolder} does not know "${task.name}": it is another version than this command (${VERSION}). Restart it, or use its own command.`,
    );
  }
  try {
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      const message = JSON.parse(line) as Message;
      if (!("progress" in message)) return message;
      report(message.progress);
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ECONNRESET") throw cause;
  }
  throw new OperatorError("The server ended before the task did. Start it, and run this again.");
}
