/** What was deleted can be brought back as it was, by the owner alone, and nobody gains access by it. */
import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { measureKept } from "../../server/ldp/quota.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { decodeDocument } from "../../server/store/record.ts";
import { BASE, DAY, openWorld, type World } from "./kept.ts";

const open = (bytes = 100_000): Promise<World> => openWorld(createMemoryStore(), { bytes, resources: 100 });

async function idOf(world: World, path: string): Promise<string> {
  const { items } = await world.keeping.trash(await world.pod(), 100);
  const found = items.find((item) => item.path === path);
  if (!found) throw new Error(`${path} is not in the trash`);
  return found.id;
}

async function restore(world: World, path: string, rename = false): Promise<string> {
  return (await world.keeping.restore(await world.pod(), await idOf(world, path), rename, "owner")).path;
}

async function listOf(world: World, path: string): Promise<string | null> {
  return world.store.read((await world.pod()).id, async (snapshot) => {
    const entry = await snapshot.get("auxiliary", path, "acl");
    return entry && Buffer.from(decodeDocument(entry).bytes).toString();
  });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "nothing was thrown";
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
}

/** Everything of a pod that names a text, in any table but the journal. */
async function traces(world: World, text: string): Promise<readonly string[]> {
  const pod = await world.pod();
  return world.store.read(pod.id, async (snapshot) => {
    const found: string[] = [];
    for (const table of ["resource", "body", "auxiliary", "stamp", "blob", "version", "trash"] as const)
      for await (const { group, item, value } of snapshot.all(table)) {
        const said = Buffer.from(value).toString("latin1");
        const small = Buffer.from(/"small":"([^"]*)"/.exec(said)?.[1] ?? "", "base64").toString();
        if (`${group} ${item} ${said} ${small}`.includes(text)) found.push(`${table} ${group} ${item}`);
      }
    return found;
  });
}

describe("The trash", () => {
  it("brings a document back with its access list, its description and its history", async () => {
    const world = await open();
    const pod = await world.pod();
    const long = "two ".repeat(1_000);
    for (const text of ["one", long]) await world.put("/ana/notes/milk", text);
    await world.aux("/ana/notes/milk.acl", "# rules");
    await world.aux("/ana/notes/milk.meta", "# about");
    const before = await world.counted();
    await world.remove("/ana/notes/milk");
    expect(await world.text("/ana/notes/milk")).to.equal(null);
    expect(await listOf(world, "/ana/notes/milk")).to.equal(null);
    expect(await world.counted(), "it still counts").to.deep.equal(before);
    expect(await restore(world, "/ana/notes/milk")).to.equal("/ana/notes/milk");
    expect(await world.text("/ana/notes/milk")).to.equal(long);
    expect(await listOf(world, "/ana/notes/milk")).to.equal("# rules");
    expect(await world.keeping.versions(pod, "/ana/notes/milk")).to.have.length(1);
    expect((await world.keeping.trash(pod, 10)).items).to.deep.equal([]);
    expect(await world.counted()).to.deep.equal(before);
    expect(await world.measured()).to.deep.equal(before);
  });

  it("brings back a large file, which is kept as long as it is there", async () => {
    const world = await open();
    await world.put("/ana/film", "moving pictures", { reclaims: true, asFile: true });
    await world.remove("/ana/film");
    await restore(world, "/ana/film");
    expect(await world.text("/ana/film")).to.equal("moving pictures");
    await world.remove("/ana/film");
    await world.keeping.empty(await world.pod(), "owner");
    expect(await traces(world, "film")).to.deep.equal([]);
  });

  it("makes folders again that are gone, with what belonged to them when they come back by themselves", async () => {
    const world = await open();
    await world.put("/ana/a/b/note", "text");
    await world.aux("/ana/a/b/.acl", "# rules of b");
    for (const path of ["/ana/a/b/note", "/ana/a/b/", "/ana/a/"]) await world.remove(path);
    await restore(world, "/ana/a/b/");
    expect(await listOf(world, "/ana/a/b/")).to.equal("# rules of b");
    await restore(world, "/ana/a/b/note");
    expect(await world.text("/ana/a/b/note")).to.equal("text");
    expect(await listOf(world, "/ana/a/b/note"), "its folder's rules hold again").to.equal(null);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("opens nothing: where the rules that held are gone, it comes back for the owner alone", async () => {
    const world = await open();
    await world.aux("/ana/.acl", "# open to everybody below");
    await world.put("/ana/private/diary", "secret");
    await world.aux("/ana/private/.acl", "# closed");
    await world.remove("/ana/private/diary");
    await world.remove("/ana/private/");
    await restore(world, "/ana/private/diary");
    expect(await listOf(world, "/ana/private/"), "the folder is a new one").to.equal(null);
    const list = (await listOf(world, "/ana/private/diary")) ?? "";
    expect(list).to.include(`${BASE}ana/profile/card#me`).and.to.include("Control");
    expect(list).not.to.match(/agentClass|Agent>/);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("opens nothing: rules of a folder that was made anew under the same name are others", async () => {
    const world = await open();
    await world.put("/ana/safe/diary", "secret");
    await world.aux("/ana/safe/.acl", "# closed");
    for (const path of ["/ana/safe/diary", "/ana/safe/"]) await world.remove(path);
    world.later(1_000);
    await world.put("/ana/safe/other", "text");
    await world.aux("/ana/safe/.acl", "# open to everybody below");
    await restore(world, "/ana/safe/diary");
    expect(await listOf(world, "/ana/safe/diary")).to.include(`${BASE}ana/profile/card#me`);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("opens nothing: where any access list was changed since, it comes back for the owner alone, and says so", async () => {
    const world = await open();
    const pod = await world.pod();
    await world.put("/ana/note", "text");
    await world.aux("/ana/note.acl", "# open to the shop");
    await world.put("/ana/other", "text");
    await world.aux("/ana/other.acl", "# open to the shop");
    const back = async (): Promise<{ readonly path: string; readonly isPrivate: boolean }> =>
      world.keeping.restore(pod, await idOf(world, "/ana/note"), false, "owner");
    await world.remove("/ana/note");
    await world.put("/ana/third", "text"); // No change of who may do what.
    expect(await back()).to.deep.equal({ path: "/ana/note", isPrivate: false });
    expect(await listOf(world, "/ana/note")).to.equal("# open to the shop");
    for (const shutOut of [
      () => world.aux("/ana/other.acl", "# closed to the shop"),
      () => world.remove("/ana/other.acl"),
    ]) {
      await world.aux("/ana/note.acl", "# open to the shop");
      await world.remove("/ana/note");
      await shutOut();
      expect(await back()).to.deep.equal({ path: "/ana/note", isPrivate: true });
      expect(await listOf(world, "/ana/note")).to.include(`${BASE}ana/profile/card#me`);
      expect(await listOf(world, "/ana/note")).not.to.include("shop");
      expect(await world.counted()).to.deep.equal(await world.measured());
    }
  });

  it("does not let a new document inherit the deleted one's access list, nor its history", async () => {
    const world = await open();
    const pod = await world.pod();
    for (const text of ["one", "two"]) await world.put("/ana/note", text);
    await world.aux("/ana/note.acl", "# open to the world");
    await world.aux("/ana/note.meta", "# about");
    await world.remove("/ana/note");
    await world.put("/ana/note", "another");
    expect(await listOf(world, "/ana/note")).to.equal(null);
    expect(await world.keeping.versions(pod, "/ana/note")).to.deep.equal([]);
    await world.put("/ana/note", "another still");
    expect(await world.keeping.versions(pod, "/ana/note")).to.have.length(1);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("does not write over what has taken the name, unless another name will do", async () => {
    const world = await open();
    await world.put("/ana/note.txt", "old");
    await world.aux("/ana/note.txt.acl", `<#r> <http://www.w3.org/ns/auth/acl#accessTo> <./note.txt> .`);
    await world.remove("/ana/note.txt");
    await world.put("/ana/note.txt", "new");
    expect(await codeOf(restore(world, "/ana/note.txt"))).to.equal("conflict");
    expect(await world.text("/ana/note.txt")).to.equal("new");
    expect(await restore(world, "/ana/note.txt", true)).to.equal("/ana/note-2.txt");
    expect(await world.text("/ana/note-2.txt")).to.equal("old");
    expect(await world.text("/ana/note.txt")).to.equal("new");
    const list = (await listOf(world, "/ana/note-2.txt")) ?? "";
    expect(list)
      .to.include("note-2.txt")
      .and.not.to.match(/note\.txt/);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("is where access lists and descriptions go that are deleted by themselves", async () => {
    const world = await open();
    await world.put("/ana/note", "text");
    await world.aux("/ana/note.acl", "# rules");
    await world.remove("/ana/note.acl");
    expect(await listOf(world, "/ana/note")).to.equal(null);
    await world.aux("/ana/note.acl", "# other rules");
    expect(await codeOf(restore(world, "/ana/note.acl"))).to.equal("conflict");
    await world.remove("/ana/note.acl");
    const { items } = await world.keeping.trash(await world.pod(), 10);
    const back = async (list: string): Promise<unknown> => {
      const id = items.find(({ bytes }) => bytes === list.length)?.id ?? "";
      return world.keeping.restore(await world.pod(), id, false, "owner");
    };
    expect(await codeOf(back("# rules")), "lists were changed since").to.equal("conflict");
    expect(await listOf(world, "/ana/note")).to.equal(null);
    await back("# other rules");
    expect(await listOf(world, "/ana/note")).to.equal("# other rules");
    expect(await world.counted()).to.deep.equal(await world.measured());
  });

  it("can be emptied, and one thing of it destroyed", async () => {
    const world = await open();
    const pod = await world.pod();
    for (const name of ["a", "b", "c"]) {
      await world.put(`/ana/${name}`, "one");
      await world.put(`/ana/${name}`, `canary-${name}`);
      await world.remove(`/ana/${name}`);
    }
    await world.keeping.purge(pod, await idOf(world, "/ana/a"), "owner");
    expect(await traces(world, "canary-a")).to.deep.equal([]);
    expect(await traces(world, "canary-b")).to.have.length(1);
    expect(await codeOf(world.keeping.purge(pod, "0-none", "owner"))).to.equal("not-found");
    expect(await world.keeping.empty(pod, "owner")).to.equal(2);
    expect(await traces(world, "canary")).to.deep.equal([]);
    expect(await world.measured()).to.deep.equal({ bytes: 0, resources: 1 });
    expect(await world.counted()).to.deep.equal({ bytes: 0, resources: 1 });
  });

  it("lets go of what is older than 30 days, and of nothing younger", async () => {
    const world = await open();
    const pod = await world.pod();
    await world.put("/ana/a", "text");
    await world.remove("/ana/a");
    world.later(20 * DAY);
    await world.put("/ana/b", "text");
    await world.remove("/ana/b");
    world.later(10 * DAY + 1);
    expect((await world.keeping.trash(pod, 10)).items.map(({ path }) => path)).to.deep.equal(["/ana/b"]);
    expect(await world.sweep()).to.equal(1);
    expect((await world.store.read(pod.id, measureKept)).trash).to.equal(4);
    await restore(world, "/ana/b");
    expect(await world.text("/ana/b")).to.equal("text");
  });

  it("keeps the history of what comes back in the hands of the sweep", async () => {
    const world = await open();
    await world.put("/ana/note", "one");
    await world.put("/ana/note", "two");
    await world.remove("/ana/note");
    world.later(29 * DAY);
    await world.sweep();
    await restore(world, "/ana/note");
    world.later(40 * DAY);
    await world.sweep();
    expect((await world.counted()).bytes).to.equal(3);
  });

  it("holds nothing of what is removed for good: not its content, its versions, its auxiliaries, nor its name", async () => {
    const world = await open();
    const pod = await world.pod();
    for (const text of ["canary-one", "canary-two"]) await world.put("/ana/strand/canary", text);
    await world.aux("/ana/strand/canary.acl", "# canary-rules");
    await world.remove("/ana/strand/canary");
    for (const text of ["canary-three", "canary-four"]) await world.put("/ana/strand/canary", text);
    await world.aux("/ana/strand/canary.meta", "# canary-about");
    await world.aux("/ana/strand/canary.meta", "# canary-about it");
    await world.remove("/ana/strand/canary.meta");
    expect(await world.keeping.removeForGood(pod, "/ana/strand/canary", "owner")).to.equal(3);
    expect(await traces(world, "canary")).to.deep.equal([]);
    await world.put("/ana/strand/deep/canary", "text");
    await world.remove("/ana/strand/deep/canary");
    expect(await codeOf(world.keeping.removeForGood(pod, "/ana/strand/", "owner"))).to.equal(
      "container-not-empty",
    );
    expect(await world.keeping.removeForGood(pod, "/ana/strand/deep/", "owner")).to.equal(2);
    expect(await world.keeping.removeForGood(pod, "/ana/strand/", "owner")).to.equal(1);
    expect(await traces(world, "canary")).to.deep.equal([]);
    expect(await traces(world, "strand")).to.deep.equal([]);
    expect(await world.counted()).to.deep.equal(await world.measured());
  });
});
