/** Where vendors are told of things: this server knocks at nobody's door because somebody else says so. */
import { ldp } from "@freehold/vocab";
import type { ProblemDetail } from "../errors.ts";
import type { Quad } from "../rdf/terms.ts";

export interface InboxesDeps {
  /** What the document of a WebID says; null when it cannot be had. */
  readonly documentOf: (webid: string, ip: string) => Promise<readonly Quad[] | null>;
}

/** @returns whether an inbox is that of a WebID. @param ip Of whoever says so: their budget is spent. */
export type IsInboxOf = (inbox: string, webid: string, ip: string) => Promise<boolean>;

export const NOT_THEIR_INBOX: readonly ProblemDetail[] = Object.freeze([
  { at: "/inbox", detail: "It is beside the WebID's document, or the WebID names it as its inbox" },
]);

/** Whether it is beside or below the document of a WebID: at many hosts, what is elsewhere at it is somebody else's. */
function isBeside(address: string, webid: string): boolean {
  const { href, pathname } = new URL(address);
  const folder = new URL("./", webid.split("#", 1)[0] ?? "").href;
  return href === address && href.startsWith(folder) && !/%2e|%2f|%5c/i.test(pathname);
}

const isHttp = (address: string): boolean => /^https?:/.test(address) && URL.canParse(address);

export function createInboxes({ documentOf }: InboxesDeps): IsInboxOf {
  return async (inbox, webid, ip) => {
    if (!isHttp(inbox) || !isHttp(webid)) return false;
    if (isBeside(inbox, webid)) return true;
    return ((await documentOf(webid, ip)) ?? []).some(
      ({ subject, predicate, object }) =>
        subject.value === webid && predicate.value === ldp.inbox && object.value === inbox,
    );
  };
}
