/** Cut off in the middle: an import never shows more than the lists that come with it allow, and another run finishes it. */
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { fileSource } from "../../server/transfer/archive.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { importFrom, openFolder, podOf } from "./fixture.ts";
import { ALONE, archive, openFor, SECRET, SHARED } from "./killed.ts";

describe("an import that is cut off at any moment", function () {
  this.timeout(60_000);
  let server: TestServer;
  let files: Awaited<ReturnType<typeof openFolder>>;
  const ofPublic = async (pod: string, path: string): Promise<number> =>
    (await fetch(`${server.baseUrl}${pod}/${path}`)).status;

  before(async () => {
    [server, files] = [await startServer(), await openFolder()];
  });
  after(async () => {
    await server.close();
    await files.remove();
  });

  for (const [index, [about, hasFolders]] of (
    [
      ["with entries for folders", true],
      ["without any", false],
    ] as const
  ).entries())
    it(`${about}: shows nobody what its own lists keep shut, and is finished by another run`, async () => {
      const from = "https://elsewhere.example/eve/";
      const file = await archive(files.path(`${index}.zip`), from, hasFolders);
      let seen = 0;
      for (const [place, present] of (["keep", "replace"] as const).entries())
        for (const stopAt of [1, 203, 300, 440, 453, "access 1", "access 2"] as const) {
          const name = `to-${index}-${place}-${String(stopAt).replace(" ", "")}`;
          await createPerson(server.context, { name, podName: name, password: "a long password of hers" });
          await openFor(server.context, name);
          const pod = await podOf(server.context, name);
          const source = await fileSource(file);
          let steps = 0;
          const stop = server.context.ldp.transfer.importArchive(
            pod,
            source,
            { present, lists: true, from },
            ({ stage, done }) => {
              steps += stage === "documents" ? 1 : 0;
              if (stopAt === steps || stopAt === `${stage} ${done}`) throw new Error("the power went out");
            },
          );
          expect(await stop.then(() => "done", String), name).to.contain("power");
          await source.close();
          const paths = [...SECRET.filter((_, at) => at % 50 === 0), ALONE, SHARED, "open/secret/"];
          for (const path of paths) {
            const there = await server.context.store.read(pod.id, (snapshot) => {
              const whole = `/${name}/${path}`;
              const at = whole.lastIndexOf("/", whole.length - 2) + 1;
              return snapshot.get("resource", whole.slice(0, at), whole.slice(at));
            });
            if (there) seen += 1;
            if (path !== SHARED || stopAt !== "access 2")
              expect(await ofPublic(name, path), `${name} ${path}`).to.be.oneOf([401, 404]);
          }
          expect(await ofPublic(name, "open/free.ttl"), "what was there stays open").to.equal(200);
          const { issues } = await importFrom(server.context, name, file, { present, from });
          expect(issues).to.deep.equal([]);
          expect(await ofPublic(name, SECRET[7] ?? "")).to.equal(401);
          expect(await ofPublic(name, ALONE)).to.equal(401);
          expect(await ofPublic(name, SHARED), `${name}: and what may be seen is`).to.equal(200);
        }
      expect(seen, "some had come before it was cut off").to.be.above(20);
    });
});
