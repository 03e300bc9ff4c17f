/** The text of the WAC-Allow header. https://solidproject.org/TR/wac#wac-allow */
import type { Mode } from "../operation.ts";
import { MODES } from "./decide.ts";

/**
 * @param permissions Modes of the agent and of the public, in any order.
 * @returns e.g. `user="read write append",public="read"`.
 */
export function wacAllow(permissions: {
  readonly user: readonly Mode[];
  readonly public: readonly Mode[];
}): string {
  const list = (modes: readonly Mode[]) => MODES.filter((mode) => modes.includes(mode)).join(" ");
  return `user="${list(permissions.user)}",public="${list(permissions.public)}"`;
}
