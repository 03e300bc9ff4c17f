/** solid-file-client: files, folders, and their linked resources. */
import assert from "node:assert/strict";
import SolidFileClient from "solid-file-client";
import { ana, ben, finish, openSession, step } from "./steps.mjs";

const session = await openSession(ana);
const bens = await openSession(ben);
const client = new SolidFileClient(session);
const folder = `${ana.pod}files/`;
const has = async (url, who = session) => (await who.fetch(url)).status;

await step("creates folders and files, and reads them", async () => {
  await client.createFolder(`${folder}from/deep/`);
  await client.createFile(`${folder}from/a.ttl`, '<#it> <https://schema.org/name> "a".', "text/turtle");
  await client.putFile(`${folder}from/deep/b.txt`, "bytes of b", "text/plain");
  assert.equal(await client.readFile(`${folder}from/deep/b.txt`), "bytes of b");
  assert.equal(await client.itemExists(`${folder}from/nothing`), false);
});

await step("postFile finds a free name", async () => {
  const [first, second] = [
    await client.postFile(`${folder}from/c.txt`, "one", "text/plain"),
    await client.postFile(`${folder}from/c.txt`, "two", "text/plain"),
  ];
  assert.notEqual(first.headers.get("location"), second.headers.get("location"));
});

await step("readFolder lists files, folders and linked resources", async () => {
  const { files, folders } = await client.readFolder(`${folder}from/`, { links: "include" });
  assert.ok(files.some(({ url }) => url === `${folder}from/a.ttl`));
  assert.deepEqual(
    folders.map(({ url }) => url),
    [`${folder}from/deep/`],
  );
});

await step("copyFolder copies the tree with descriptions and access lists", async () => {
  const description = `<${folder}from/deep/> <https://schema.org/description> "Summer".`;
  const turtle = { "content-type": "text/turtle" };
  const put = (url, body) => session.fetch(url, { method: "PUT", headers: turtle, body });
  assert.equal((await put(`${folder}from/deep/.meta`, description)).status, 201);
  const acl = `@prefix acl: <http://www.w3.org/ns/auth/acl#>.
    <#owner> a acl:Authorization; acl:agent <${ana.webid}>; acl:accessTo <./a.ttl>; acl:mode acl:Read, acl:Write, acl:Control.
    <#ben> a acl:Authorization; acl:agent <${ben.webid}>; acl:accessTo <./a.ttl>; acl:mode acl:Read.`;
  assert.equal((await put(`${folder}from/a.ttl.acl`, acl)).status, 201);
  await client.copyFolder(`${folder}from/`, `${folder}to/`, { withAcl: true, withMeta: true });
  assert.equal(await client.readFile(`${folder}to/deep/b.txt`), "bytes of b");
  assert.match(await (await session.fetch(`${folder}to/deep/.meta`)).text(), /Summer/);
  assert.equal(await has(`${folder}to/a.ttl`, bens), 200);
  assert.equal(await has(`${folder}to/deep/b.txt`, bens), 403);
});

await step("move takes a file with what belongs to it", async () => {
  await client.move(`${folder}to/a.ttl`, `${folder}to/moved.ttl`);
  assert.equal(await has(`${folder}to/a.ttl`), 404);
  assert.equal(await has(`${folder}to/moved.ttl`, bens), 200);
});

await step("deleteFolder deletes all that is in it", async () => {
  await client.deleteFolder(folder);
  assert.equal(await has(folder), 404);
});

finish();
