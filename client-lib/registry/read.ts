/** Reading what a stranger sends: never more than was expected. */
import { PassportError } from "../passport/verify.ts";

/**
 * Stops as soon as it is too much: a lying resolver must not fill the memory.
 * @param rule What is broken then.
 * @throws PassportError
 */
export async function readBoundedBytes(
  response: Response,
  bytesMax: number,
  rule: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    bytes += next.value.length;
    if (bytes > bytesMax) {
      await reader?.cancel();
      throw new PassportError(rule, `It has more than ${bytesMax} bytes`);
    }
    parts.push(next.value);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** As {@link readBoundedBytes}, for a text. */
export async function readBounded(response: Response, bytesMax: number, rule: string): Promise<string> {
  const bytes = await readBoundedBytes(response, bytesMax, rule);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PassportError(rule, `It is not UTF-8: ${(cause as Error).message}`);
  }
}
