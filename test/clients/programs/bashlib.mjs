/** solid-bashlib: the commands of `sld`, as functions. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import bashlib from "solid-bashlib";
import { ana, baseUrl, ben, finish, step } from "./steps.mjs";

const {
  authenticateToken,
  copy,
  find,
  list,
  listPermissions,
  makeDirectory,
  move,
  query,
  remove,
  setPermission,
  setPermissionsAcl,
  touch,
} = bashlib;
const folder = `${ana.pod}bashlib/`;
const local = await mkdtemp(join(tmpdir(), "freehold-bashlib-"));
const own = await authenticateToken(ana.credentials, baseUrl);
const bens = await authenticateToken(ben.credentials, baseUrl);
const as = { fetch: own.fetch };
const all = async (generator) => {
  const found = [];
  for await (const one of generator) found.push(one);
  return found;
};

await step("a token of client credentials knows whose it is", async () => {
  assert.equal(own.webId, ana.webid);
});

await step("mkdir and touch make what is not there", async () => {
  await makeDirectory(folder, as);
  await touch(`${folder}empty.ttl`, { ...as, contentType: "text/turtle" });
  assert.deepEqual(
    (await list(folder, as)).map(({ url }) => url),
    [`${folder}empty.ttl`],
  );
});

await step("cp -r brings a tree from the disk, and back unchanged", async () => {
  await mkdir(join(local, "tree/deep"), { recursive: true });
  await writeFile(join(local, "tree/a.ttl"), '<#it> <https://schema.org/name> "a".');
  await writeFile(join(local, "tree/deep/b.txt"), "bytes of b");
  await copy(`${join(local, "tree")}/`, folder, { ...as, override: true });
  await copy(`${folder}tree/`, `${join(local, "back")}/`, { ...as, override: true });
  assert.equal(await readFile(join(local, "back/tree/deep/b.txt"), "utf8"), "bytes of b");
  assert.equal(
    await readFile(join(local, "back/tree/a.ttl"), "utf8"),
    await readFile(join(local, "tree/a.ttl"), "utf8"),
  );
});

await step("cp within the pod copies a document", async () => {
  await copy(`${folder}tree/a.ttl`, `${folder}copy.ttl`, { ...as, override: true });
  assert.match(await (await own.fetch(`${folder}copy.ttl`)).text(), /schema/);
});

await step("find looks through the tree", async () => {
  const found = await all(find(folder, "b\\.txt", as));
  assert.deepEqual(
    found.map(({ absolutePath }) => absolutePath),
    [`${folder}tree/deep/b.txt`],
  );
});

await step("query asks each document of a tree", async () => {
  const answers = await all(
    query(`${folder}tree/`, "SELECT ?name WHERE { ?it <https://schema.org/name> ?name }", as),
  );
  assert.match(JSON.stringify(answers), /"a"/);
});

await step("chmod gives and shows access, and the other then reads", async () => {
  assert.equal((await bens.fetch(`${folder}copy.ttl`)).status, 403);
  await setPermissionsAcl(`${folder}copy.ttl`, [{ type: "agent", id: ben.webid, read: true }], as);
  assert.equal((await bens.fetch(`${folder}copy.ttl`)).status, 200);
  await setPermission(`${folder}copy.ttl`, [{ type: "public", read: true }], as);
  assert.equal((await fetch(`${folder}copy.ttl`)).status, 200);
  const { access } = await listPermissions(`${folder}copy.ttl`, as);
  assert.equal(access.agent[ben.webid].read, true);
  assert.equal(access.agent[ben.webid].write, false);
});

await step("mv moves a document", async () => {
  await move(`${folder}copy.ttl`, `${folder}moved.ttl`, { ...as, override: true });
  assert.equal((await own.fetch(`${folder}copy.ttl`)).status, 404);
  assert.equal((await own.fetch(`${folder}moved.ttl`)).status, 200);
});

await step("rm -r removes the tree", async () => {
  await remove(folder, { ...as, recursive: true });
  assert.equal((await own.fetch(folder)).status, 404);
});

await rm(local, { recursive: true });
finish();
