/** soukai-solid: models kept in a pod. */
import assert from "node:assert/strict";
import { bootModels, FieldType, setEngine } from "soukai";
import { bootSolidModels, defineSolidModelSchema, SolidContainer, SolidEngine } from "soukai-solid";
import { ana, ben, finish, openSession, step } from "./steps.mjs";

const session = await openSession(ana);
const bens = await openSession(ben);

class Note extends defineSolidModelSchema({
  rdfContexts: { schema: "https://schema.org/" },
  rdfsClasses: ["schema:Note"],
  timestamps: true,
  fields: {
    name: { type: FieldType.String, rdfProperty: "schema:name", required: true },
    keywords: { type: FieldType.Array, rdfProperty: "schema:keywords", items: FieldType.String },
    at: { type: FieldType.Date, rdfProperty: "schema:dateCreated" },
  },
}) {}
bootSolidModels();
bootModels({ Note });
setEngine(new SolidEngine(session.fetch));

const folder = `${ana.pod}soukai/`;
/** Read by an engine that has nothing in memory. */
async function again(url) {
  setEngine(new SolidEngine(session.fetch));
  return Note.find(url);
}

await step("a container is made with its name", async () => {
  const container = new SolidContainer({ url: folder, name: "Notes" }, false);
  await container.save(ana.pod);
  setEngine(new SolidEngine(session.fetch));
  const found = await SolidContainer.find(folder);
  assert.equal(found.url, folder);
  assert.equal(found.name, "Notes");
});

const moment = new Date("2026-03-01T12:30:15.250Z");
let url;
await step("a model is created with every kind of value, and found", async () => {
  const note = await Note.at(folder).create({ name: "Zürich 🎉", keywords: ["a", "b"], at: moment });
  url = note.url;
  const found = await again(url);
  assert.equal(found.name, "Zürich 🎉");
  assert.deepEqual(new Set(found.keywords), new Set(["a", "b"]));
  assert.equal(found.at.getTime(), moment.getTime());
  assert.ok(found.createdAt instanceof Date);
});

await step("an update changes what changed", async () => {
  const note = await again(url);
  await note.update({ name: "second", keywords: ["b", "c"] });
  const found = await again(url);
  assert.equal(found.name, "second");
  assert.deepEqual(new Set(found.keywords), new Set(["b", "c"]));
});

await step("all that a container has are found, also those of one field", async () => {
  await Note.at(folder).create({ name: "third" });
  setEngine(new SolidEngine(session.fetch));
  const names = (await Note.from(folder).all()).map(({ name }) => name).sort();
  assert.deepEqual(names, ["second", "third"]);
});

await step("the public is let in and out again", async () => {
  const note = await again(url);
  assert.equal((await fetch(url)).status, 401);
  await note.updatePublicPermissions(["read"]);
  assert.equal((await fetch(url)).status, 200);
  await note.updatePublicPermissions([]);
  assert.equal((await fetch(url)).status, 401);
});

await step("somebody else finds nothing", async () => {
  setEngine(new SolidEngine(bens.fetch));
  assert.equal(await Note.find(url).catch(() => null), null);
});

await step("a deleted model is gone", async () => {
  await (await again(url)).delete();
  assert.equal((await session.fetch(url)).status, 404);
});

finish();
