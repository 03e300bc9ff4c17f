/** rdflib's Fetcher and UpdateManager. */
import assert from "node:assert/strict";
import * as rdflib from "rdflib";
import { ana, ben, finish, openSession, step, until } from "./steps.mjs";

const { graph, sym, lit, st, Namespace, Fetcher, UpdateManager } = rdflib;
const SCHEMA = Namespace("https://schema.org/");
const LDP = Namespace("http://www.w3.org/ns/ldp#");

async function storeOf(person) {
  const { fetch } = await openSession(person);
  const store = graph();
  const fetcher = new Fetcher(store, { fetch });
  return { store, fetcher, updater: new UpdateManager(store) };
}
/** What the server has, read by a store that knows nothing yet. */
async function fresh(document, person = ana) {
  const { store, fetcher } = await storeOf(person);
  await fetcher.load(document);
  return store;
}

const own = await storeOf(ana);
const document = sym(`${ana.pod}rdflib/list.ttl`);
const it = sym(`${document.value}#it`);

await step("put writes a document and makes its folders", async () => {
  await own.updater.put(document, [st(it, SCHEMA("name"), lit("first"), document)], "text/turtle", () => {});
  assert.equal((await fresh(document)).anyValue(it, SCHEMA("name")), "first");
});

await step("a loaded document is known to be editable by SPARQL patches, to its owner alone", async () => {
  await own.fetcher.load(document, { force: true });
  assert.equal(own.updater.editable(document), "SPARQL");
  const profile = sym(ana.webid).doc();
  const others = await storeOf(ben);
  await others.fetcher.load(profile);
  assert.equal(others.updater.editable(profile), false);
});

await step("update changes one value and leaves the rest", async () => {
  const before = st(it, SCHEMA("name"), lit("first"), document);
  await own.updater.update(
    [before],
    [st(it, SCHEMA("name"), lit("second"), document), st(it, SCHEMA("position"), lit(2), document)],
  );
  const after = await fresh(document);
  assert.deepEqual(
    after.each(it, SCHEMA("name"), null, document).map(({ value }) => value),
    ["second"],
  );
  assert.equal(after.anyValue(it, SCHEMA("position")), "2");
});

await step("update keeps blank nodes apart, and removes one by what is said of it", async () => {
  const node = rdflib.blankNode();
  await own.updater.update(
    [],
    [
      st(it, SCHEMA("address"), node, document),
      st(node, SCHEMA("streetAddress"), lit("Main Street 1"), document),
    ],
  );
  const again = await storeOf(ana);
  await again.fetcher.load(document);
  const found = again.store.any(it, SCHEMA("address"), null, document);
  await again.updater.update(again.store.statementsMatching(found, null, null, document), []);
  assert.equal((await fresh(document)).any(null, SCHEMA("streetAddress")), null);
});

await step("updateMany changes two documents", async () => {
  const other = sym(`${ana.pod}rdflib/other.ttl`);
  const one = st(it, SCHEMA("keywords"), lit("a"), document);
  const two = st(sym(`${other.value}#it`), SCHEMA("keywords"), lit("b"), other);
  await own.updater.updateMany([], [one, two]);
  assert.equal((await fresh(document)).anyValue(it, SCHEMA("keywords")), "a");
  assert.equal((await fresh(other)).anyValue(two.subject, SCHEMA("keywords")), "b");
});

await step("a patch that removes what is not there is refused, and nothing of it is done", async () => {
  await assert.rejects(
    own.updater.update(
      [st(it, SCHEMA("name"), lit("never"), document)],
      [st(it, SCHEMA("name"), lit("third"), document)],
    ),
  );
  assert.equal((await fresh(document)).anyValue(it, SCHEMA("name")), "second");
});

await step("a folder lists its members and what they are", async () => {
  const folder = sym(`${ana.pod}rdflib/`);
  const store = await fresh(folder);
  assert.deepEqual(
    store
      .each(folder, LDP("contains"))
      .map(({ value }) => value)
      .sort(),
    [document.value, `${ana.pod}rdflib/other.ttl`],
  );
  assert.ok(
    store.holds(folder, rdflib.sym("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"), LDP("Container")),
  );
});

await step("createContainer, webOperation and delete work", async () => {
  await own.fetcher.createContainer(`${ana.pod}rdflib/`, "made");
  const put = await own.fetcher.webOperation("PUT", `${ana.pod}rdflib/made/a.txt`, {
    data: "hello",
    contentType: "text/plain",
  });
  assert.equal(put.status, 201);
  const read = await own.fetcher.webOperation("GET", `${ana.pod}rdflib/made/a.txt`);
  assert.equal(read.responseText ?? (await read.text()), "hello");
  await own.fetcher.delete(`${ana.pod}rdflib/made/a.txt`);
  await assert.rejects(own.fetcher.load(`${ana.pod}rdflib/made/a.txt`, { force: true }), /Not Found/);
});

await step("somebody else's store is refused, and told so", async () => {
  await assert.rejects(fresh(document, ben), /Forbidden/);
});

await step("a document that is watched is the newest, without anybody asking for it again", async () => {
  const watching = await storeOf(ana);
  await watching.fetcher.load(document);
  let heard = 0;
  watching.updater.addDownstreamChangeListener(document, () => {
    heard += 1;
  });
  let number = 0;
  const change = () => own.updater.update([], [st(it, SCHEMA("version"), lit(++number), document)]);
  // It does not say when it listens: so until it does, changes are made for it to hear.
  await until(async () => {
    await change();
    await new Promise((done) => setTimeout(done, 200));
    return heard > 0;
  });
  await change();
  await until(() => watching.store.holds(it, SCHEMA("version"), lit(number), document));
});

await step("a folder that is watched tells of a new member", async () => {
  const watching = await storeOf(ana);
  const folder = sym(`${ana.pod}rdflib/made/`);
  await watching.fetcher.load(folder);
  watching.updater.addDownstreamChangeListener(folder, () => {});
  let number = 0;
  await until(async () => {
    await own.fetcher.webOperation("PUT", `${folder.value}${++number}.txt`, {
      data: "x",
      contentType: "text/plain",
    });
    await new Promise((done) => setTimeout(done, 200));
    return watching.store.holds(folder, LDP("contains"), sym(`${folder.value}1.txt`), folder);
  });
});

finish();
