import { expect } from "chai";
import fc from "fast-check";
import { createAccess } from "../../server/access/authorize.ts";
import { nameOf, parentOf, parseTarget, parseWebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { createDocuments } from "../../server/query/documents.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { withChanges } from "../../server/store/changes.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { createPods } from "../../server/store/pods.ts";
import { encodeRecord } from "../../server/store/record.ts";
import type { Transaction } from "../../server/store/store.ts";
import { ANA, as, BASE, BEN, DORA, put, SHOP } from "../access/fixture.ts";

const DOCUMENTS = ["/ana/a.ttl", "/ana/notes/b.ttl", "/ana/notes/deep/c.ttl", "/ana/groups.ttl"];
const FOLDERS = ["/ana/", "/ana/notes/", "/ana/notes/deep/"];
const TEAM = `${BASE}ana/groups.ttl#team`;

const place = fc.constantFrom(...DOCUMENTS, ...FOLDERS);
const whom = fc.constantFrom(
  `acl:agent <${DORA}>`,
  `acl:agent <${SHOP}>`,
  "acl:agentClass foaf:Agent",
  "acl:agentClass acl:AuthenticatedAgent",
  `acl:agentGroup <${TEAM}>`,
);
const mode = fc.constantFrom("acl:Read", "acl:Append", "acl:Control", "acl:Read, acl:Control");
type Write = (transaction: Transaction) => void;
const named = (what: string, write: Write): { readonly what: string; readonly write: Write } => ({
  what,
  write,
});

const step = fc.oneof(
  fc
    .tuple(fc.constantFrom(...DOCUMENTS), fc.nat(3))
    .map(([path, n]) =>
      named(`put ${path} ${n}`, (transaction) => put(transaction, path, `<> foaf:name ${n} .`)),
    ),
  fc
    .constantFrom(DORA, SHOP, BEN)
    .map((who) =>
      named(`team is ${who}`, (transaction) =>
        put(transaction, "/ana/groups.ttl", `<#team> vcard:hasMember <${who}> .`),
      ),
    ),
  fc
    .constantFrom(...DOCUMENTS)
    .map((path) => named(`photo ${path}`, (transaction) => put(transaction, path, "x", "image/png"))),
  fc
    .constantFrom(...FOLDERS)
    .map((path) => named(`folder ${path}`, (transaction) => put(transaction, path, ""))),
  place.map((path) =>
    named(`delete ${path}`, (transaction) => {
      transaction.delete("resource", parentOf(path) ?? "", nameOf(path));
      transaction.delete("body", path, "");
    }),
  ),
  fc
    .tuple(place, whom, mode)
    .map(([path, agent, modes]) =>
      named(`${path}.acl ${agent} ${modes}`, (transaction) =>
        put(
          transaction,
          `${path}.acl`,
          `[] a acl:Authorization; ${agent}; acl:accessTo <${path}>; acl:default <${path}>; acl:mode ${modes} .`,
        ),
      ),
    ),
  fc
    .tuple(place, fc.constantFrom("acl", "meta"))
    .map(([path, item]) =>
      named(`no ${path}.${item}`, (transaction) => transaction.delete("auxiliary", path, item)),
    ),
  fc
    .tuple(place, fc.nat(3))
    .map(([path, n]) =>
      named(`${path}.meta`, (transaction) => put(transaction, `${path}.meta`, `<> <urn:x:n> ${n} .`)),
    ),
  fc
    .array(place, { maxLength: 2 })
    .map((paths) =>
      named(`frozen ${paths.join()}`, (transaction) =>
        transaction.put("restriction", "", "", encodeRecord(paths.map((path) => ({ path, since: 0 })))),
      ),
    ),
  fc.constant(named("a setting", (transaction) => transaction.put("setting", "x", "y", encodeRecord(1)))),
);

describe("the documents of a pod, brought forward by what was written", () => {
  it("are those that a look at everything finds, and each agent may read exactly what the rules say", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        async (commits) => {
          const { store, changes } = withChanges(createMemoryStore());
          const pods = createPods(store, () => new Date(0));
          const pod = await pods.create("ana", parseWebId(ANA));
          const access = createAccess({
            baseUrl: BASE,
            pods,
            store,
            limits: LIMITS,
            reachOf: async () => UNNARROWED,
          });
          const origin = BASE.slice(0, -1);
          const kept = createDocuments(origin, access, changes);
          const contents = new Map<number, string>();
          let known = 0;
          for (const commit of [
            [named("a root", (transaction) => put(transaction, "/ana/", ""))],
            ...commits,
          ]) {
            await store.write(pod.id, async (transaction) =>
              commit.forEach(({ write }) => write(transaction)),
            );
            const fresh = createDocuments(origin, access, () => null);
            await store.read(pod.id, async (snapshot) => {
              if (changes(pod.id, snapshot.generation - 1, snapshot.generation)) known++;
              const inventory = await kept.inventory(snapshot, pod);
              const all = await fresh.inventory(snapshot, pod);
              const list = (documents: readonly { path: string; kind: string }[]): string[] =>
                documents.map(({ path, kind }) => `${path} ${kind}`).sort();
              expect(list(inventory.all())).to.deep.equal(list(all.all()));
              for (const document of inventory.all()) {
                const { graph, parts } = await kept.read(snapshot, document);
                const said = JSON.stringify([graph, parts.map(({ bytes }) => Buffer.from(bytes).toString())]);
                expect(contents.get(document.number) ?? said, `number ${document.number}`).to.equal(said);
                contents.set(document.number, said);
              }
              for (const who of [null, ANA, DORA, SHOP, BEN]) {
                const mayRead = await access.reader(snapshot, pod, as(who));
                const expected: string[] = [];
                for (const { path } of all.all()) {
                  const target = parseTarget(path);
                  const { kind } = await access.authorize(snapshot, pod, as(who), target, ["read"]);
                  expect(await mayRead(path), `${path} by ${who}`).to.equal(kind === "granted");
                  if (kind === "granted") expected.push(path);
                }
                const readable = await kept.readable(snapshot, pod, as(who), inventory);
                expect(readable.documents.map(({ path }) => path).sort(), String(who)).to.deep.equal(
                  expected.sort(),
                );
                const rules = await access.authorize(snapshot, pod, as(who), parseTarget("/ana/.acl"), [
                  "control",
                ]);
                expect(readable.hasControl).to.equal(rules.kind === "granted");
              }
            });
          }
          expect(known).to.equal(commits.length + 1);
        },
      ),
      { numRuns: 150 },
    );
  }).timeout(60_000);
});
