/** Two servers, people on them, archives in a folder of their own, and what a pod says as canonical N-Quads. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import jsonld from "jsonld";
import type { Context } from "../../server/context.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import type { Quad } from "../../server/rdf/terms.ts";
import type { Pod } from "../../server/store/pods.ts";
import { decodeDocument, decodeRecord, type ResourceRecord } from "../../server/store/record.ts";
import { fileSource } from "../../server/transfer/archive.ts";
import type { ImportOptions, ImportReport } from "../../server/transfer/import.ts";

export async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), "freehold-transfer-"));
  return {
    path: (name: string) => join(folder, name),
    folder,
    remove: () => rm(folder, { recursive: true }),
  };
}

export async function podOf(context: Context, name: string): Promise<Pod> {
  const pod = await context.pods.find(name);
  if (!pod) throw new Error(`There is no pod ${name}`);
  return pod;
}

export async function exportTo(context: Context, name: string, file: string): Promise<void> {
  const { content } = context.ldp.transfer.exportPod(await podOf(context, name));
  await pipeline(content, createWriteStream(file));
}

export async function importFrom(
  context: Context,
  name: string,
  file: string,
  options: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  const source = await fileSource(file);
  try {
    return await context.ldp.transfer.importArchive(await podOf(context, name), source, {
      present: "refuse",
      lists: true,
      ...options,
    });
  } finally {
    await source.close();
  }
}

/** What is known of one resource, in a form that can be compared. */
export interface Seen {
  readonly type: string;
  readonly modified: number;
  /** Canonical N-Quads, or the hash of the bytes. */
  readonly content: string;
  /** Hash of the bytes as they are. */
  readonly bytes: string;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const canonize = jsonld.canonize as unknown as (input: string, options: object) => Promise<string>;

async function canonical(quads: readonly Quad[]): Promise<string> {
  const text = Buffer.from(await serializeRdf(quads, "application/n-quads")).toString();
  const options = {
    algorithm: "RDFC-1.0",
    inputFormat: "application/n-quads",
    format: "application/n-quads",
  };
  return canonize(text, options);
}

/** Everything in a pod by its path from the root, access lists and descriptions too. */
export async function look({ store, config }: Context, pod: Pod): Promise<ReadonlyMap<string, Seen>> {
  const root = `/${pod.name}/`;
  const origin = config.baseUrl.slice(0, -1);
  return store.read(pod.id, async (snapshot) => {
    const seen = new Map<string, Seen>();
    const rdf = async (path: string, type: string, modified: number, bytes: Uint8Array) =>
      seen.set(path.slice(root.length), {
        type,
        modified,
        content: await canonical(await parseRdf(bytes, type, origin + path)),
        bytes: sha256(bytes),
      });
    for await (const entry of snapshot.all("resource")) {
      const record = decodeRecord<ResourceRecord>(entry);
      const path = `${entry.group}${entry.item}`;
      const { contentType: type, modified } = record;
      if (record.kind === "container") {
        seen.set(path.slice(root.length), { type, modified, content: "", bytes: "" });
      } else if (record.blob !== undefined) {
        const hash = createHash("sha256");
        for await (const chunk of store.blobs.read(pod.id, record.blob)) hash.update(chunk as Uint8Array);
        const digest = hash.digest("hex");
        seen.set(path.slice(root.length), { type, modified, content: digest, bytes: digest });
      } else {
        const body = await snapshot.get("body", path, "");
        if (!body) throw new Error(`${path} has no body`);
        if (record.kind === "rdf") await rdf(path, type, modified, body.value);
        else {
          const digest = sha256(body.value);
          seen.set(path.slice(root.length), { type, modified, content: digest, bytes: digest });
        }
      }
    }
    for await (const entry of snapshot.all("auxiliary")) {
      const { contentType, modified, bytes } = decodeDocument(entry);
      await rdf(`${entry.group}.${entry.item}`, contentType, modified, bytes);
    }
    return seen;
  });
}
