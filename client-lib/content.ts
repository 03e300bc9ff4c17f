/** The content of answers, as text: one that breaks off is an error of ours, and one that was called off stays so. */
import { FreeholdError } from "./errors.ts";

/** What a browser gives cannot be iterated in all of them. */
type Body = ReadableStream<Uint8Array>;

/** @throws FreeholdError `answer-invalid` while iterating, for what breaks off or is no UTF-8. */
export async function* piecesOf(body: Body, url: string): AsyncGenerator<string, void, undefined> {
  const reader = body
    .pipeThrough(new TextDecoderStream("utf-8", { fatal: true }) as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  try {
    for (;;) {
      const { value, done } = await read(reader, url);
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // Whoever stops reading wants no more of it.
  }
}

async function read(
  reader: ReadableStreamDefaultReader<string>,
  url: string,
): Promise<ReadableStreamReadResult<string>> {
  try {
    return await reader.read();
  } catch (cause) {
    if (cause instanceof FreeholdError || (cause as Error | null)?.name === "AbortError") throw cause;
    throw new FreeholdError("answer-invalid", "The answer broke off", {
      url,
      detail: (cause as Error | null)?.message,
      cause,
    });
  }
}

/** @throws FreeholdError `answer-invalid` */
export async function textOf({ body }: Response, url: string): Promise<string> {
  let text = "";
  if (body) for await (const piece of piecesOf(body, url)) text += piece;
  return text;
}

/** @returns null for what is no JSON. @throws FreeholdError `answer-invalid` for what breaks off. */
export async function jsonOf(response: Response, url: string): Promise<unknown> {
  const text = await textOf(response, url);
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
