/** @ldo/connected-solid: linked data objects. */
import assert from "node:assert/strict";
import { changeData, commitData } from "@ldo/connected";
import { createSolidLdoDataset, getStorageFromWebId } from "@ldo/connected-solid";
import { ana, ben, finish, openSession, step, until } from "./steps.mjs";

/** What its command line would make of a shape: a person who has a name. */
const NOTE = {
  schema: {
    type: "Schema",
    shapes: [
      {
        id: "https://example.org/Note",
        type: "ShapeDecl",
        shapeExpr: {
          type: "Shape",
          expression: {
            type: "TripleConstraint",
            predicate: "https://schema.org/name",
            valueExpr: { type: "NodeConstraint", datatype: "http://www.w3.org/2001/XMLSchema#string" },
          },
        },
      },
    ],
  },
  shape: "https://example.org/Note",
  context: { name: { "@id": "https://schema.org/name", "@type": "http://www.w3.org/2001/XMLSchema#string" } },
};

async function datasetOf(person) {
  const dataset = createSolidLdoDataset();
  dataset.setContext("solid", { fetch: (await openSession(person)).fetch });
  return dataset;
}
const done = (result) => {
  assert.equal(result.isError, false, `${result.type}: ${result.message}`);
  return result;
};

const own = await datasetOf(ana);
const folder = own.getResource(`${ana.pod}ldo/`);
const note = own.getResource(`${ana.pod}ldo/note.ttl`);
const subject = `${note.uri}#it`;
async function nameIn(dataset) {
  const resource = dataset.getResource(note.uri);
  done(await resource.read());
  return dataset.usingType(NOTE).fromSubject(subject).name;
}

await step("a WebID leads to the storage, a document to the root container", async () => {
  const { storageContainers } = done(await getStorageFromWebId(ana.webid, own));
  assert.deepEqual(
    storageContainers.map(({ uri }) => uri),
    [ana.pod],
  );
  const root = await own.getResource(`${ana.pod}settings/prefs.ttl`).getRootContainer();
  assert.equal(root.uri, ana.pod);
});

await step("creates a container and a document, and knows what is in it", async () => {
  done(await folder.createIfAbsent());
  done(await note.createAndOverwrite());
  done(await folder.read());
  assert.deepEqual(
    folder.children().map(({ uri }) => uri),
    [note.uri],
  );
});

await step("an object is changed and saved as an update, seen by another dataset", async () => {
  const object = changeData(own.usingType(NOTE).fromSubject(subject), note);
  object.name = "first";
  done(await commitData(object));
  assert.equal(await nameIn(await datasetOf(ana)), "first");
});

await step("uploads a file", async () => {
  done(
    await folder.uploadChildAndOverwrite("a.txt", new Blob(["hello"], { type: "text/plain" }), "text/plain"),
  );
  done(await own.getResource(`${ana.pod}ldo/a.txt`).read());
});

await step("reads and sets access rules", async () => {
  const { wacRule } = done(await note.getWac());
  assert.equal(wacRule.agent[ana.webid].write, true);
  done(
    await note.setWac({
      ...wacRule,
      agent: { ...wacRule.agent, [ben.webid]: { read: true, append: false, write: false, control: false } },
    }),
  );
  assert.equal(await nameIn(await datasetOf(ben)), "first");
});

await step("what somebody may not do is an error that says so", async () => {
  const bens = await datasetOf(ben);
  done(await bens.getResource(note.uri).read());
  const object = changeData(bens.usingType(NOTE).fromSubject(subject), bens.getResource(note.uri));
  object.name = "theirs";
  const result = await commitData(object);
  assert.equal(result.isError, true);
  assert.match(
    `${result.type} ${result.message} ${result.errors?.map(({ type }) => type)}`,
    /unauthorizedError/,
  );
});

await step(
  "an object that is subscribed to changes when somebody else changes it, and not after",
  async () => {
    const watching = await datasetOf(ben);
    const watched = watching.getResource(note.uri);
    done(await watched.read());
    const object = watching.usingType(NOTE).fromSubject(subject);
    const wrong = [];
    const subscription = await watched.subscribeToNotifications({
      onNotification: () => {},
      onNotificationError: (error) => wrong.push(`${error.type} ${error.message}`),
    });
    const name = async (text) => {
      const changed = changeData(own.usingType(NOTE).fromSubject(subject), note);
      changed.name = text;
      done(await commitData(changed));
    };
    let number = 0;
    await until(async () => {
      await name(`heard ${++number}`);
      await new Promise((finished) => setTimeout(finished, 200));
      return object.name?.startsWith("heard");
    });
    await name("live");
    await until(() => object.name === "live");
    assert.deepEqual(wrong, []);
    await watched.unsubscribeFromNotifications(subscription);
    await name("unheard");
    await new Promise((finished) => setTimeout(finished, 500));
    assert.equal(object.name, "live");
  },
);

await step("deletes a container with all that is in it", async () => {
  done(await folder.delete());
  done(await folder.read());
  assert.equal(folder.isAbsent(), true);
});

finish();
