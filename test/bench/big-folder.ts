/** A data folder as large as they come: one pod with a million documents in one container, and ten thousand pods. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import type { Context } from "../../server/context.ts";
import type { WebId } from "../../server/iri.ts";
import { encodeRecord } from "../../server/store/record.ts";
import type { PodId } from "../../server/store/store.ts";
import { freePort } from "./servers.ts";

/** Documents in one transaction: two records each. */
const AT_ONCE = 4_000;
const PODS_AT_ONCE = 64;

export interface BigFolder {
  readonly env: Readonly<Record<string, string>>;
  readonly origin: string;
  readonly path: string;
  readonly folder: string;
  readonly podsMs: number;
  readonly documentsMs: number;
  remove(): Promise<void>;
}

export const CONTAINER = "/ana/bench/";
export const nameOf = (n: number): string => `document-${n}.ttl`;
const body = (n: number): Uint8Array =>
  new TextEncoder().encode(
    `<#it> a <https://schema.org/Note>; <https://schema.org/name> "Note ${n}"; <https://schema.org/text> "Milk, bread, apples".\n`,
  );

const publicAcl = (owner: string): string => `@prefix acl: <http://www.w3.org/ns/auth/acl#>.
<#owner> a acl:Authorization; acl:agent <${owner}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control.
<#all> a acl:Authorization; acl:agentClass <http://xmlns.com/foaf/0.1/Agent>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read.
`;

/** Straight through the store's port, in large transactions: over HTTP it would take an hour. */
async function fill({ store }: Context, pod: PodId, documents: number): Promise<void> {
  const now = Date.now();
  for (let from = 0; from < documents; from += AT_ONCE) {
    await store.write(pod, async (transaction) => {
      for (let n = from; n < Math.min(documents, from + AT_ONCE); n++) {
        const bytes = body(n);
        const record = {
          kind: "rdf",
          contentType: "text/turtle",
          bytes: bytes.length,
          created: now,
          modified: now,
        };
        transaction.put("resource", CONTAINER, nameOf(n), encodeRecord(record));
        transaction.put("body", `${CONTAINER}${nameOf(n)}`, "", bytes);
      }
      transaction.put("stamp", CONTAINER, "", encodeRecord({ modified: now }));
    });
  }
}

async function addPods({ pods }: Context, count: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const name = `pod-${next++}`;
      await pods.create(name, `https://people.example/${name}#me` as WebId);
    }
  };
  await Promise.all(Array.from({ length: PODS_AT_ONCE }, worker));
}

export async function makeFolder(documents: number, pods: number): Promise<BigFolder> {
  const folder = mkdtempSync(join(tmpdir(), "bench-scale-"));
  const port = await freePort();
  const env = { FREEHOLD_PORT: `${port}`, FREEHOLD_DATA: folder, FREEHOLD_LOG_LEVEL: "error" };
  const running = await serve(readConfig(env), (line) => process.stderr.write(`${line}\n`));
  const { context } = running;
  const person = await createPerson(context, {
    name: "Ana",
    podName: "ana",
    password: "only for this bench",
  });
  const pod = await context.pods.find("ana");
  if (!pod) throw new Error("no pod was made");
  await context.writeDocuments(pod, [
    { path: CONTAINER, contentType: "text/turtle", bytes: new Uint8Array(), acl: publicAcl(person.webid) },
  ]);
  let started = performance.now();
  await addPods(context, pods);
  const podsMs = performance.now() - started;
  started = performance.now();
  await fill(context, pod.id, documents);
  const documentsMs = performance.now() - started;
  await running.close();
  return {
    env,
    folder,
    origin: `http://localhost:${port}`,
    path: CONTAINER,
    podsMs,
    documentsMs,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
