/** How a notice gets to an inbox: by a signed POST through the one way out, or in process where the inbox is of this server. */
import { Problem } from "../errors.ts";
import type { SafeSend } from "../safe-fetch.ts";
import type { Delivery } from "./notices.ts";

export interface DeliveryDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly send: SafeSend;
  /** The fields that prove a POST of `body` to `url`, made anew for each attempt. */
  readonly sign: (url: string, body: Uint8Array) => Promise<Readonly<Record<string, string>>>;
  /** Leaves it in a folder of this server, as anybody may who has Append there. @returns false where it is not wanted. */
  readonly leave: (url: string, body: Uint8Array) => Promise<boolean>;
}

const ANSWER_BYTES_MAX = 1_024;
/** Answers that say "not now" rather than "no". */
const LATER: ReadonlySet<number> = new Set([408, 409, 423, 425, 429]);

export function createDelivery({ baseUrl, send, sign, leave }: DeliveryDeps) {
  return async (inbox: string, body: Uint8Array, signal: AbortSignal): Promise<Delivery> => {
    try {
      if (inbox.startsWith(baseUrl)) return (await leave(inbox, body)) ? "taken" : "refused";
      const headers = await sign(inbox, body);
      const { status } = await send(inbox, {
        headers,
        body,
        bytesMax: ANSWER_BYTES_MAX,
        kind: "inbox",
        signal,
      });
      if (status >= 200 && status < 300) return "taken";
      return status >= 400 && status < 500 && !LATER.has(status) ? "refused" : "failed";
    } catch (error) {
      // Nobody answered, or the pod here is full: another time, perhaps. What is no address will never take anything.
      if (error instanceof Problem) return error.status < 500 ? "refused" : "failed";
      throw error;
    }
  };
}
