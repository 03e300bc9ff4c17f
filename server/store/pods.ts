/** Which pods there are: from the name in the URL to the pod's id, its owner, and its passport. */
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import { type PodId, SERVER_POD, type Store } from "./store.ts";

export interface Pod {
  readonly id: PodId;
  /** First path segment of all its URLs. */
  readonly name: string;
  readonly owner: WebId;
  /** Milliseconds since 1970. */
  readonly created: number;
}

export const POD_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** First path segments that can be no pod: the server's own doors. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "healthz",
  "readyz",
  "version",
  "v1",
  "shapes",
  "ns",
  "www",
  "api",
  "admin",
]);

export interface Pods {
  find(name: string): Promise<Pod | null>;
  list(): Promise<readonly Pod[]>;
  /**
   * Reserves the name and makes an empty pod.
   * @throws Problem `input-invalid` for a name that is not allowed, `conflict` for one that is taken.
   */
  create(name: string, owner: WebId): Promise<Pod>;
}

export function createPods(store: Store, now: () => Date): Pods {
  const known = new Map<string, Pod>(); // Names are never reused for another pod, so what was found stays true.

  return {
    async find(name) {
      const cached = known.get(name);
      if (cached) return cached;
      if (!POD_NAME.test(name)) return null;
      const entry = await store.read(SERVER_POD, (snapshot) => snapshot.get("directory", "", name));
      if (!entry) return null;
      const pod = decodeRecord<Pod>(entry);
      known.set(name, pod);
      return pod;
    },
    list: () =>
      store.read(SERVER_POD, async (snapshot) => {
        const pods: Pod[] = [];
        for await (const entry of snapshot.list("directory", "")) pods.push(decodeRecord<Pod>(entry));
        return pods.sort((a, b) => a.created - b.created);
      }),
    async create(name, owner) {
      if (!POD_NAME.test(name) || RESERVED_NAMES.has(name)) {
        throw new Problem("input-invalid", "A pod's name has 1 to 63 letters a-z, digits and inner hyphens");
      }
      const id = await store.createPod();
      const pod: Pod = { id, name, owner, created: now().getTime() };
      try {
        await store.write(SERVER_POD, async (transaction) => {
          if (await transaction.get("directory", "", name))
            throw new Problem("conflict", `The name ${name} is taken`);
          transaction.put("directory", "", name, encodeRecord(pod));
        });
      } catch (error) {
        await store.erasePod(id);
        throw error;
      }
      known.set(name, pod);
      return pod;
    },
  };
}
