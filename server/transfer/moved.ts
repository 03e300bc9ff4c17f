/**
 * A pod that lives elsewhere now: whatever is asked of its old addresses is sent to the new ones, by every method and
 * without a look at what was there. Nobody is asked who they are, for the answer tells nothing.
 */
import { Problem } from "../errors.ts";
import { parseIri, parseTarget, type Target } from "../iri.ts";
import type { Result } from "../operation.ts";
import type { Pod, Pods } from "../store/pods.ts";

const HOPS_MAX = 8; // From pod to pod of this server.
const ERASED_MS_SHOWN = 30 * 24 * 3_600_000;

/**
 * A pod that was erased says so for a month, so that others drop what they hold of it; then it is as if it had never been.
 * @param query Raw, without `?`.
 * @returns null for a pod that is still here.
 * @throws Problem `gone`, `not-found` for one that was erased.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.4.9 https://www.rfc-editor.org/rfc/rfc5829#section-3.3
 */
export function answerOfGone(pod: Pod, target: Target, query: string, now: Date): Result | null {
  if (pod.erased !== undefined)
    throw new Problem(now.getTime() < pod.erased + ERASED_MS_SHOWN ? "gone" : "not-found");
  if (pod.movedTo === undefined) return null;
  // It stands between brackets in Link, and a query may hold some.
  const asked = query.replace(/[<>"]/g, encodeURIComponent);
  const location = `${pod.movedTo}${target.path.slice(pod.name.length + 2)}${asked && `?${asked}`}`;
  return {
    status: 308,
    headers: {
      location,
      link: `<${location}>; rel="successor-version"`,
      "cache-control": "public, max-age=3600", // An hour, so that a change of mind is not for ever.
    },
    body: null,
  };
}

/** What the passport's owner has to know after a move. */
export type PassportOutcome = "updated" | "owner-must-sign" | "none";

export interface MoveDeps {
  readonly baseUrl: string;
  readonly pods: Pods;
  /** Signs where the passport leads, as the pod's host. @throws Problem when a host may not say that. */
  readonly publish: (pod: Pod, root: string) => Promise<PassportOutcome>;
}

export interface Moves {
  /**
   * @param root Root of the pod's new place; ends in `/`.
   * @throws Problem `input-invalid` for what is no such address, or leads back here.
   */
  move(pod: Pod, root: string): Promise<{ readonly pod: Pod; readonly passport: PassportOutcome }>;
  undo(pod: Pod): Promise<{ readonly pod: Pod; readonly passport: PassportOutcome }>;
}

export function createMoves({ baseUrl, pods, publish }: MoveDeps): Moves {
  function parseRoot(text: string, pod: Pod): string {
    const invalid = (detail: string): Problem =>
      new Problem("input-invalid", detail, { errors: [{ at: "/to", detail }] });
    let root: string;
    try {
      root = parseIri(new URL(text).href);
    } catch (cause) {
      throw new Problem(
        "input-invalid",
        "Give the new pod's full address, such as https://example.org/ana/",
        { cause },
      );
    }
    const { protocol, pathname, search, hash, username, password, hostname } = new URL(root);
    if (root.startsWith(baseUrl)) {
      try {
        // Spelled in another way it would be a ring that nobody sees.
        root = `${baseUrl.slice(0, -1)}${parseTarget(pathname).path}`;
      } catch (cause) {
        throw new Problem("input-invalid", "No pod here has this address", { cause });
      }
    }
    const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
    if (protocol !== "https:" && !(protocol === "http:" && isLocal))
      throw invalid("The new address begins with https://");
    if (!pathname.endsWith("/") || search || hash || username || password)
      throw invalid("The address of a pod ends in / and has nothing after it");
    if (root.startsWith(`${baseUrl}${pod.name}/`)) throw invalid("This is where the pod is now");
    return root;
  }

  /** No ring of pods that send people round and round. @throws Problem `input-invalid`. */
  async function checkNoRing(root: string, pod: Pod): Promise<void> {
    let next: string | undefined = root;
    for (let hops = 0; hops <= HOPS_MAX; hops += 1) {
      if (next === undefined || !next.startsWith(baseUrl)) return;
      const name: string = next.slice(baseUrl.length).split("/", 1)[0] ?? "";
      if (name === pod.name) break;
      next = (await pods.find(name))?.movedTo;
    }
    throw new Problem("input-invalid", "This address leads back here");
  }

  return {
    async move(pod, to) {
      const root = parseRoot(to, pod);
      await checkNoRing(root, pod);
      const moved = await pods.change(pod.name, { movedTo: root });
      return { pod: moved, passport: await publish(moved, root) };
    },
    async undo(pod) {
      const back = await pods.change(pod.name, { movedTo: undefined });
      return { pod: back, passport: await publish(back, `${baseUrl}${pod.name}/`) };
    },
  };
}
