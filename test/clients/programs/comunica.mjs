/** @comunica/query-sparql-solid over the documents of a pod. */
import assert from "node:assert/strict";
import { QueryEngine } from "@comunica/query-sparql-solid";
import { ana, ben, finish, openSession, step } from "./steps.mjs";

const session = await openSession(ana);
const bens = await openSession(ben);
const engine = new QueryEngine();
const as = (who, ...sources) => ({
  sources,
  "@comunica/actor-http-inrupt-solid-client-authn:session": who,
  lenient: false,
});
const NAME = "<https://schema.org/name>";
const document = `${ana.pod}comunica/list.ttl`;

async function namesIn(who, ...sources) {
  await engine.invalidateHttpCache();
  const query = `SELECT ?name WHERE { ?it ${NAME} ?name } ORDER BY ?name`;
  const rows = await (await engine.queryBindings(query, as(who, ...sources))).toArray();
  return rows.map((row) => row.get("name").value);
}
async function change(who, update, destination) {
  await engine.invalidateHttpCache();
  await engine.queryVoid(update, { ...as(who, destination), destination });
}

await step("INSERT DATA makes a document that is not there", async () => {
  await change(session, `INSERT DATA { <${document}#a> ${NAME} "a" }`, document);
  assert.deepEqual(await namesIn(session, document), ["a"]);
});

await step("INSERT and DELETE change a document, and leave the rest", async () => {
  await change(
    session,
    `INSERT DATA { <${document}#b> ${NAME} "b" . <${document}#c> ${NAME} "c" }`,
    document,
  );
  await change(session, `DELETE DATA { <${document}#a> ${NAME} "a" }`, document);
  assert.deepEqual(await namesIn(session, document), ["b", "c"]);
});

await step("DELETE and INSERT with WHERE change what they find", async () => {
  await change(
    session,
    `DELETE { ?it ${NAME} "c" } INSERT { ?it ${NAME} "d" } WHERE { ?it ${NAME} "c" }`,
    document,
  );
  assert.deepEqual(await namesIn(session, document), ["b", "d"]);
});

await step("SELECT joins several private documents", async () => {
  const other = `${ana.pod}comunica/other.ttl`;
  await change(session, `INSERT DATA { <${other}#e> ${NAME} "e" }`, other);
  assert.deepEqual(await namesIn(session, document, other), ["b", "d", "e"]);
});

await step("the pod's own SPARQL endpoint answers the whole pod at once", async () => {
  const query = `SELECT ?name WHERE { GRAPH ?document { ?it ${NAME} ?name } FILTER(STRSTARTS(STR(?document), "${ana.pod}comunica/")) } ORDER BY ?name`;
  const source = { type: "sparql", value: `${ana.pod}sparql` };
  const rows = await (await engine.queryBindings(query, as(session, source))).toArray();
  assert.deepEqual(
    rows.map((row) => row.get("name").value),
    ["b", "d", "e"],
  );
});

await step("somebody else reads and changes nothing", async () => {
  await assert.rejects(namesIn(bens, document), /403/);
  await assert.rejects(change(bens, `INSERT DATA { <${document}#x> ${NAME} "x" }`, document));
  assert.deepEqual(await namesIn(session, document), ["b", "d"]);
});

finish();
