/** A pod with its documents and what it keeps of them, on a clock that the test turns: without HTTP in the way. */
import { languageOf } from "../../server/access/language.ts";
import { parseTarget, parseWebId } from "../../server/iri.ts";
import {
  type Content,
  putAuxiliary,
  putContainer,
  putDocument,
  removeAuxiliary,
  removeResource,
} from "../../server/ldp/documents.ts";
import { createEdits, type EditOptions, type Edits } from "../../server/ldp/edit.ts";
import { findResource } from "../../server/ldp/find.ts";
import { createKeeping, type Keeping } from "../../server/ldp/keeping.ts";
import { createQuota, createReclaim, measureUsage, type Quota } from "../../server/ldp/quota.ts";
import { createSweep } from "../../server/ldp/sweep.ts";
import { createWriter } from "../../server/ldp/write.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createPods, type Pod, type Pods } from "../../server/store/pods.ts";
import type { Store, Usage } from "../../server/store/store.ts";

export const BASE = "https://pods.example/";
export const DAY = 24 * 3_600_000;

export interface World {
  readonly store: Store;
  readonly pods: Pods;
  readonly edits: Edits;
  readonly quota: Quota;
  readonly keeping: Keeping;
  readonly sweep: () => Promise<number>;
  pod(): Promise<Pod>;
  /** Turns the clock on. */
  later(ms: number): void;
  put(
    path: string,
    content: string | Uint8Array,
    options?: EditOptions & { readonly asFile?: boolean },
  ): Promise<void>;
  aux(path: string, content: string): Promise<void>;
  remove(path: string): Promise<void>;
  text(path: string): Promise<string | null>;
  measured(): Promise<Usage>;
  counted(): Promise<Usage>;
}

const text = new TextEncoder();

/** @param quota Of the pod "ana". */
export async function openWorld(
  store: Store,
  quota: Usage,
  overrides: Partial<Record<keyof Limits, number>> = {},
): Promise<World> {
  let time = Date.UTC(2026, 0, 1);
  const now = (): Date => new Date(time);
  const limits: Limits = { ...LIMITS, ...overrides };
  const pods = createPods(store, now);
  await pods.create("ana", parseWebId(`${BASE}ana/profile/card#me`));
  await pods.change("ana", { quota });
  const edits = createEdits({
    store,
    limits,
    now,
    reclaim: createReclaim(store, limits, now),
    onLeftFile: (cause) => {
      throw cause;
    },
  });
  const asking = createQuota(store, limits);
  const writer = createWriter({
    now,
    baseUrl: BASE,
    language: languageOf("wac"),
    blobs: store.blobs,
    limits,
    checkAcl: () => {},
    validate: async () => null,
    checkRoom: (...args) => asking.checkRoom(...args),
  });
  const keeping = createKeeping({
    baseUrl: BASE,
    language: languageOf("wac"),
    store,
    edits,
    writer,
    limits,
    now,
    record: () => {},
  });
  const pod = async (): Promise<Pod> => {
    const found = await pods.find("ana");
    if (!found) throw new Error("no pod");
    return found;
  };
  await edits.write(await pod(), async (edit) => putContainer(edit, "/ana/"));
  return {
    store,
    pods,
    edits,
    quota: asking,
    keeping,
    sweep: createSweep({ store, pods, edits, limits, now }),
    pod,
    later: (ms) => void (time += ms),
    async put(path, content, { asFile = false, reclaims } = { reclaims: true }) {
      const here = await pod();
      const bytes = typeof content === "string" ? text.encode(content) : content;
      const file = asFile
        ? await store.blobs.write(
            here.id,
            (async function* () {
              yield bytes;
            })(),
            limits.blobBytesMax,
          )
        : null;
      const stored: Content = { kind: "binary", contentType: "text/plain", bytes: file ?? bytes };
      await edits
        .write(here, (edit) => putDocument(edit, path, stored), { reclaims })
        .catch(async (error: unknown) => {
          if (file) await store.blobs.release(here.id, file.hash);
          throw error;
        });
    },
    async aux(path, content) {
      const { subject, auxiliary } = parseTarget(path);
      await edits.write(await pod(), async (edit) => {
        if (!auxiliary || !(await findResource(edit.transaction, subject))) return;
        await putAuxiliary(edit, subject, auxiliary, {
          contentType: "text/turtle",
          bytes: text.encode(content),
        });
      });
    },
    async remove(path) {
      const { subject, auxiliary } = parseTarget(path);
      await edits.write(await pod(), async (edit) => {
        const found = auxiliary ? null : await findResource(edit.transaction, path);
        if (auxiliary) await removeAuxiliary(edit, subject, auxiliary);
        else if (found) await removeResource(edit, path, found.record);
      });
    },
    async text(path) {
      const here = await pod();
      return store.read(here.id, async (snapshot) => {
        const found = await findResource(snapshot, path);
        if (!found) return null;
        if (found.record.blob !== undefined)
          return Buffer.concat(
            await Array.fromAsync(store.blobs.read(here.id, found.record.blob)),
          ).toString();
        return Buffer.from((await snapshot.get("body", path, ""))?.value ?? []).toString();
      });
    },
    measured: async () => store.read((await pod()).id, measureUsage),
    counted: async () => store.usage((await pod()).id),
  };
}
