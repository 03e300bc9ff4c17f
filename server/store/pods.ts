/** Which pods there are: from the name in the URL to the pod's id, its owner, and its passport. */
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import { type PodId, SERVER_POD, type Store, type Usage } from "./store.ts";

export interface Pod {
  readonly id: PodId;
  /** First path segment of all its URLs. */
  readonly name: string;
  readonly owner: WebId;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** What it may hold, where that is not the server's default (`podBytesMax`, `podResourcesMax`). */
  readonly quota?: Usage;
  /** Root of the pod that took its place, on another server: requests are sent there. */
  readonly movedTo?: string;
  /** Milliseconds since 1970: its content is gone for good, its name stays taken. */
  readonly erased?: number;
}

/** What changes about a pod; undefined takes a setting back. */
export type PodChange = { readonly [name in "quota" | "movedTo" | "erased"]?: Pod[name] | undefined };

/** What a pod may hold. An account has one pod, so this is the account's allowance, too. */
export function quotaOf(
  pod: Pod,
  limits: { readonly podBytesMax: number; readonly podResourcesMax: number },
): Usage {
  return pod.quota ?? { bytes: limits.podBytesMax, resources: limits.podResourcesMax };
}

export const POD_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** First path segments that can be no pod: the server's own doors. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "healthz",
  "readyz",
  "version",
  "v1",
  "log",
  "rdap",
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
  /** @throws Problem `not-found`. */
  change(name: string, change: PodChange): Promise<Pod>;
  /** Takes back a pod in which nothing has ever been, and which nobody was told of: its name is free again. */
  giveBack(pod: Pod): Promise<void>;
}

export function createPods(store: Store, now: () => Date): Pods {
  return {
    async find(name) {
      if (!POD_NAME.test(name)) return null;
      const entry = await store.read(SERVER_POD, (snapshot) => snapshot.get("directory", "", name));
      return entry && decodeRecord<Pod>(entry);
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
      return pod;
    },
    change: (name, change) =>
      store
        .write(SERVER_POD, async (transaction) => {
          const entry = await transaction.get("directory", "", name);
          if (!entry) throw new Problem("not-found");
          const pod: Pod = JSON.parse(JSON.stringify({ ...decodeRecord<Pod>(entry), ...change })); // Without what is undefined.
          transaction.put("directory", "", name, encodeRecord(pod));
          return pod;
        })
        .then(({ result }) => result),
    async giveBack({ id, name }) {
      const { result: isOwn } = await store.write(SERVER_POD, async (transaction) => {
        const entry = await transaction.get("directory", "", name);
        if (!entry || decodeRecord<Pod>(entry).id !== id) return false;
        transaction.delete("directory", "", name);
        return true;
      });
      if (isOwn) await store.erasePod(id);
    },
  };
}
