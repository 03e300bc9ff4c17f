/** What `freehold doctor` finds: each thing with what it means and what to do about it, and all of it as text that can be shown to anybody. */
import { release } from "node:os";
import { VERSION } from "../../health.ts";

export interface Finding {
  /** What was looked at, such as `address`. */
  readonly about: string;
  readonly state: "ok" | "note" | "wrong";
  /** Which of the things that can be said of it: stable, and nothing of anybody's, for reports. */
  readonly code: string;
  /** One sentence: what it means. */
  readonly what: string;
  /** What to do; null where there is nothing. */
  readonly next: string | null;
}

export const ok = (about: string, code: string, what: string): Finding => ({
  about,
  state: "ok",
  code,
  what,
  next: null,
});
export const note = (about: string, code: string, what: string, next: string): Finding => ({
  about,
  state: "note",
  code,
  what,
  next,
});
export const wrong = (about: string, code: string, what: string, next: string): Finding => ({
  about,
  state: "wrong",
  code,
  what,
  next,
});

export const isWell = (findings: readonly Finding[]): boolean =>
  findings.every(({ state }) => state !== "wrong");

/** An address that leads nowhere from elsewhere. */
export const isOnThisMachine = (url: string): boolean =>
  /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);

/** The host of an address may be somebody's name, so of an address only its kind is said. */
function kindOfAddress(baseUrl: string): string {
  const { protocol, port } = new URL(baseUrl);
  return `${protocol.slice(0, -1)}${isOnThisMachine(baseUrl) ? " on this machine" : ""}${port === "" ? "" : ", port given"}`;
}

/**
 * For a report: versions, kinds and codes, no address, no name, no path, no key.
 * @param store `sqlite`, or the URL of a database, of which only the kind is told.
 */
export function reportText(
  findings: readonly Finding[],
  { baseUrl, store }: { readonly baseUrl: string; readonly store: string },
): string {
  const { node, sqlite = "none" } = process.versions;
  return [
    `freehold ${VERSION}, node ${node}, sqlite ${sqlite}`,
    `${process.platform} ${process.arch}, kernel ${/^\d+\.\d+/.exec(release())?.[0] ?? "unknown"}`,
    `store ${store === "sqlite" ? "sqlite" : "postgres"}, address ${kindOfAddress(baseUrl)}`,
    ...findings.map(({ about, state, code }) => `${state.padEnd(5)} ${about}: ${code}`),
  ].join("\n");
}
