/**
 * Documents that nobody with good reason reads: whoever does has more in mind than was agreed, or is somebody else than the
 * vendor. The owner is told, the grant rests, and the reader sees nothing unusual.
 */
import { isOwnPlace } from "../access/grants.ts";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { Operation } from "../operation.ts";
import { createRate } from "../rates.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import { attend } from "./attention.ts";
import type { By, GrantsDeps } from "./change.ts";
import { find, type Honey, put } from "./records.ts";

/** @param paths Canonical. */
export async function isHoney(snapshot: Snapshot, paths: readonly string[]): Promise<boolean> {
  if (paths.length === 0) return false;
  const honey = await find(snapshot, "honey", "");
  return honey !== null && paths.some((path) => honey.paths.includes(path));
}

export interface HoneyPlaces {
  list(snapshot: Snapshot): Promise<Honey>;
  /**
   * Puts these in the place of those that there were.
   * @param urls Of documents of the pod; they need not be there yet.
   * @throws Problem `input-invalid`.
   */
  replace(transaction: Transaction, pod: Pod, urls: readonly unknown[], by: By): Promise<Honey>;
  /** Looks at a read that access lists allowed; uses of grants look for themselves. Never throws, and nobody need wait. */
  noticed(pod: Pod, operation: Pick<Operation, "id" | "agent" | "target">): Promise<void>;
}

const MINUTE_MS = 60_000;

export function createHoney(
  deps: Pick<GrantsDeps, "baseUrl" | "store" | "limits" | "now" | "log" | "record">,
): HoneyPlaces {
  const { baseUrl, store, limits, now, log, record } = deps;
  const alarms = createRate(1, MINUTE_MS, limits.ratesRemembered, now); // What is open to all may be read a thousand times.

  function parsePath(url: unknown, pod: Pod, at: number): string {
    const root = `${baseUrl}${pod.name}/`;
    const invalid = (detail: string, cause?: unknown): Problem =>
      new Problem("input-invalid", detail, { errors: [{ detail, at: `/targets/${at}` }], cause });
    if (typeof url !== "string" || !url.startsWith(root)) throw invalid(`An address below ${root}`);
    try {
      const { path, isContainer, auxiliary } = parseTarget(url.slice(baseUrl.length - 1));
      if (!isContainer && !auxiliary && !isOwnPlace(path)) return path;
    } catch (cause) {
      throw invalid("This is no address of a document", cause);
    }
    throw invalid("A document, not a folder nor an access list");
  }

  return {
    list: async (snapshot) => (await find(snapshot, "honey", "")) ?? { paths: [], changed: 0 },
    async replace(transaction, pod, urls, { agent, client = null, request = null }) {
      if (urls.length > limits.honeyPathsMax)
        throw new Problem("input-invalid", `At most ${limits.honeyPathsMax} documents`);
      const paths = [...new Set(urls.map((url, at) => parsePath(url, pod, at)))].sort();
      const honey = { paths, changed: now().getTime() };
      if (paths.length > 0) put(transaction, "honey", "", honey);
      else transaction.delete("consent", "honey", "");
      record(transaction, pod, {
        act: "change",
        agent,
        client,
        request,
        path: `/${pod.name}/.consent/honey`,
      });
      return honey;
    },
    async noticed(pod, { id: request, agent: { webid, client }, target: { subject: path } }) {
      try {
        if (webid === pod.owner) return;
        const isTrap = await store.read(pod.id, (snapshot) => isHoney(snapshot, [path]));
        if (!isTrap || alarms(JSON.stringify([pod.id, webid, path])) > 0) return;
        await store.write(pod.id, async (transaction) => {
          const alert = { kind: "honey", grant: null, agent: webid, client, path } as const;
          await attend(transaction, alert, now().getTime(), limits);
          record(transaction, pod, { act: "alarm", agent: webid, client, path, request });
        });
        log.warn("consent.alarm", { kind: "honey" });
      } catch (error) {
        log.error("consent.alarm-not-written", { cause: String(error) });
      }
    },
  };
}
