/** Reads a container of so many members in this process's small heap, and says what was seen: `node large-listing-child.ts FOLDER MEMBERS`. */

import { join } from "node:path";
import { languageOf } from "../../server/access/language.ts";
import { parseTarget } from "../../server/iri.ts";
import { createReader } from "../../server/ldp/read.ts";
import { LIMITS } from "../../server/limits.ts";
import type { Operation } from "../../server/operation.ts";
import type { Pod } from "../../server/store/pods.ts";
import { encodeRecord } from "../../server/store/record.ts";
import { openSqliteStore } from "../../server/store/sqlite.ts";
import { listeningLog } from "../support/store.ts";

const [folder = "", count = "0"] = process.argv.slice(2);
const MEMBERS = Number(count);
const AT_ONCE = 2_000;
const PATH = "/ana/big/";
const BASE = "https://pod.example/";

const limits = { ...LIMITS, recordCacheBytesMax: 4 * 1024 * 1024, diskReserveBytes: 64 * 1024 };
const store = await openSqliteStore({
  folder,
  rootKeyFile: join(folder, "root.key"),
  limits,
  log: listeningLog([]),
  now: () => new Date(),
});
const id = await store.createPod();
const pod: Pod = { id, name: "ana", owner: `${BASE}ana/profile/card#me` as Pod["owner"], created: 0 };
const times = { created: 1_700_000_000_000, modified: 1_700_000_000_000 };
const document = encodeRecord({ kind: "rdf", contentType: "text/turtle", bytes: 1_234, ...times });
for (let from = 0; from < MEMBERS; from += AT_ONCE) {
  await store.write(id, async (transaction) => {
    if (from === 0)
      transaction.put(
        "resource",
        "/ana/",
        "big/",
        encodeRecord({ kind: "container", contentType: "", bytes: 0, ...times }),
      );
    for (let n = from; n < from + AT_ONCE; n++)
      transaction.put("resource", PATH, `member-${n}.ttl`, document);
  });
}

const reader = createReader({
  grants: { shown: async () => ({ version: "", grants: [] }) },
  baseUrl: BASE,
  language: languageOf("wac"),
  store,
  limits,
  stillMay: async () => true,
});
const operation: Operation = {
  id: "1",
  method: "GET",
  target: parseTarget(PATH),
  url: `${BASE.slice(0, -1)}${PATH}`,
  query: "",
  agent: { webid: null, client: null, issuer: null, origin: null },
  headers: { accept: "text/turtle" },
  body: null,
};
const result = await store.read(id, (snapshot) => reader.read(snapshot, pod, operation, async () => true));
let [bytes, contains, most] = [0, 0, 0];
let rest = "";
const word = "ldp:contains";
if (!result) throw new Error("nothing was read");
for await (const part of result.body as AsyncIterable<Uint8Array>) {
  bytes += part.length;
  const text = rest + Buffer.from(part).toString("latin1");
  contains += text.split(word).length - 1;
  rest = text.slice(-(word.length - 1)); // A word may stand across two parts.
  const { external, heapUsed } = process.memoryUsage();
  most = Math.max(most, external + heapUsed);
}
await store.close();
process.stdout.write(`${JSON.stringify({ status: result.status, bytes, contains, most })}\n`);
