import { expect } from "chai";
import type { TaskResult } from "../../server/cli/task.ts";
import { TASKS } from "../../server/cli/tasks/index.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { DAY, draft, policy } from "./grant-fixture.ts";

describe("freehold breach and freehold grant stop", () => {
  let server: TestServer;
  let shop: string;

  const run = (
    name: string,
    args: readonly string[],
    flags: Record<string, string | boolean> = {},
  ): Promise<TaskResult> =>
    TASKS.find((task) => task.name === name)!.run(server.context, { args, flags, secret: null }, () => {});

  before(async () => {
    server = await startServer();
    const vendor = await server.person("Shop");
    shop = vendor.webid;
    const { consent, store, pods, now } = server.context;
    for (const name of ["Ana", "Ben", "Cleo"]) {
      const person = await server.person(name);
      const pod = (await pods.find(name.toLowerCase()))!;
      await person.fetch(`${person.pod}notes/a.ttl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: "<#a> <#b> 1 .",
      });
      if (name === "Cleo") continue;
      const target = { kind: "container", values: [`/${pod.name}/notes/`] } as const;
      const made = draft([policy({ target, notAfter: now().getTime() + DAY })], { assignee: shop });
      await store.write(pod.id, (transaction) =>
        consent.grants.create(transaction, pod, made, { agent: person.webid }),
      );
      expect((await vendor.fetch(`${person.pod}notes/a.ttl`)).status).to.equal(200);
    }
  });
  after(() => server.close());

  it("says of each pod what was read, and of the others nothing", async () => {
    const { value, exit } = await run("breach", [], { from: "2020-01-01", vendor: shop });
    expect(exit).to.equal(0);
    const notices = value as readonly { readonly storage: string; readonly reads: number }[];
    expect(notices.map(({ storage, reads }) => [new URL(storage).pathname, reads])).to.deep.equal([
      ["/ana/", 1],
      ["/ben/", 1],
    ]);
  });

  it("is recorded in each pod that was looked into, and nobody is told of that look as a breach", async () => {
    const { lines } = await run("breach", ["cleo"], { from: "2020-01-01" });
    expect(lines).to.deep.equal(["Nothing was read by others in this time."]);
    const pod = (await server.context.pods.find("cleo"))!;
    const entries = await server.context.journal.read(pod, 0, 1_000);
    expect(entries.filter(({ entry }) => entry?.agent === "operator" && entry.act === "look")).to.have.length(
      2,
    );
  });

  it("lets every grant of a vendor rest, in all pods at once", async () => {
    expect((await run("grant stop", [shop])).lines).to.deep.equal(["2 grants rest now."]);
    for (const name of ["ana", "ben"]) {
      const pod = (await server.context.pods.find(name))!;
      const grants = await server.context.store.read(pod.id, (snapshot) =>
        server.context.consent.grants.list(snapshot),
      );
      expect(grants.map(({ state, reason }) => [state, reason])).to.deep.equal([["Paused", "operator"]]);
    }
    const again = await run("grant stop", [shop]).catch((error: unknown) => String(error));
    expect(again).to.include("No grant of");
  });
});
