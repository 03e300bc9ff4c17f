/** The journal in words: for the owner's page, and at the operator's terminal. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Task, TaskInput, TaskResult } from "../../server/cli/task.ts";
import { journalHead, journalShow, journalVerify } from "../../server/cli/tasks/journal.ts";
import { OperatorError } from "../../server/errors.ts";
import type { Pod } from "../../server/store/pods.ts";
import { type Browser, openBrowser } from "../account/client.ts";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

describe("the journal in words", () => {
  let server: TestServer;
  let ana: Person;
  let bob: Person;
  let pod: Pod;
  let page: Browser;

  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    bob = await server.person("Bob");
    pod = (await server.context.pods.find("ana"))!;
    page = openBrowser(server);
    const login = await page.send("POST", "/.account/login", {
      pod: "ana",
      password: "a long password of Ana",
    });
    expect(login.status).to.equal(200);
    await write(ana, `${ana.pod}shared/r%C3%A9sum%C3%A9.ttl`);
    await setAccess(ana, `${ana.pod}shared/`, [{ to: bob.webid, modes: ["Read"] }]);
    await bob.fetch(`${ana.pod}shared/r%C3%A9sum%C3%A9.ttl`);
    await bob.fetch(`${ana.pod}settings/`);
    await bob.fetch(`${ana.pod}settings/`);
  });
  after(() => server.close());

  describe("for the owner's page", () => {
    const show = async (query = "") => (await page.send("GET", `/.account/journal${query}`)).body;

    it("says who did what where, the youngest first", async () => {
      const { entries, total } = await show();
      expect(entries[0]).to.deep.include({
        number: total,
        who: { kind: "person", iri: bob.webid, label: "Bob" },
        did: "tried to look at",
        place: "settings/",
        refused: true,
        count: 2,
      });
      expect(entries[1]).to.deep.include({
        who: { kind: "person", iri: bob.webid, label: "Bob" },
        did: "looked at",
        place: "shared/résumé.ttl",
        refused: false,
        count: 1,
      });
      expect(entries[1].bytes).to.be.a("number");
      expect(entries[2]).to.deep.include({ did: "changed who may see", place: "shared/" });
      expect(entries[2].who).to.deep.equal({ kind: "you", iri: ana.webid, label: "You" });
    });

    it("names what was done on the account page as such", async () => {
      const who = { kind: "person", iri: bob.webid };
      const granted = await page.send("POST", "/.account/access/grant", {
        path: "/ana/inbox/",
        who,
        modes: ["read"],
      });
      expect(granted.status).to.equal(200);
      await page.send("POST", "/.account/access/undo", { undo: granted.body.undo });
      await page.send("POST", "/.account/access/grant", { path: "/ana/inbox/", who, modes: ["read"] });
      await page.send("POST", "/.account/access/revoke", { path: "/ana/inbox/", who });
      const { entries } = await show("?limit=4");
      expect(
        entries.map(({ did, place, app, who: by }: Record<string, unknown>) => [
          did,
          place,
          app,
          (by as { label: string }).label,
        ]),
      ).to.deep.equal([
        ["took back access to", "inbox/", null, "You"],
        ["gave access to", "inbox/", null, "You"],
        ["changed who may see", "inbox/", null, "You"],
        ["gave access to", "inbox/", null, "You"],
      ]);
    });

    it("goes back page by page to the beginning, with nothing left out or shown twice", async () => {
      const numbers: number[] = [];
      const { total } = await show();
      for (let before: number | null = total + 1; before !== null; ) {
        const part = await show(`?before=${before}&limit=7`);
        numbers.push(...part.entries.map(({ number }: { number: number }) => number));
        before = part.next;
      }
      expect(numbers).to.deep.equal(Array.from({ length: total }, (_, index) => total - index));
    });

    it("is bounded, and refuses what is no number", async () => {
      expect((await show("?limit=100000")).entries.length).to.be.at.most(200);
      expect((await show("?before=0")).entries).to.deep.equal([]);
      for (const query of ["?before=x", "?limit=-1", "?before=1e9"])
        expect((await page.send("GET", `/.account/journal${query}`)).status, query).to.equal(400);
    });

    it("is no look, and for nobody who is not signed in", async () => {
      const before = await server.context.journal.length(pod);
      await show();
      expect(await server.context.journal.length(pod)).to.equal(before);
      expect((await openBrowser(server).send("GET", "/.account/journal")).status).to.equal(401);
    });

    it("shows Bob his own journal, and no other", async () => {
      const his = openBrowser(server);
      await his.send("POST", "/.account/login", { pod: "bob", password: "a long password of Bob" });
      const { body } = await his.send("GET", "/.account/journal?limit=200");
      expect(JSON.stringify(body)).not.to.include("/ana/");
    });
  });

  describe("at the terminal", () => {
    const run = (task: Task, args: string[], flags: TaskInput["flags"] = {}): Promise<TaskResult> =>
      task.run(server.context, { args, flags, secret: null }, () => {});

    it("says that a journal is whole, with 0 for scripts", async () => {
      const { lines, exit } = await run(journalVerify, ["ana"]);
      expect(lines[0]).to.match(/^ana: \d+ entries, \d+ signed heads?: whole$/);
      expect(exit).to.equal(0);
      const all = await run(journalVerify, []);
      expect(all.lines.map((line) => line.split(":")[0])).to.deep.equal(["ana", "bob"]);
    });

    it("takes heads that were kept elsewhere, and says what they find, with 1", async () => {
      const head = (await run(journalHead, ["ana"])).lines[0] ?? "";
      const file = join(server.folder, "kept-heads.json");
      await writeFile(file, head);
      expect(await run(journalVerify, ["ana"], { head: file })).to.include({ exit: 0 });
      await writeFile(file, JSON.stringify([{ ...JSON.parse(head), number: 999_999 }]));
      const { lines, exit } = await run(journalVerify, ["ana"], { head: file });
      expect(exit).to.equal(1);
      expect(lines.join("\n")).to.match(
        /NOT as it was recorded\n {2}The given head of entry 999999 was not signed/,
      );
      await writeFile(file, "[{}]");
      await run(journalVerify, ["ana"], { head: file }).then(
        () => expect.fail("was taken"),
        (error: unknown) => expect(error).to.have.property("code", "input-invalid"),
      );
    });

    it("shows the last entries, and records that they were shown", async () => {
      const { lines } = await run(journalShow, ["ana"], { last: "500" });
      expect(lines.join("\n")).to.include(`look  /ana/shared/r%C3%A9sum%C3%A9.ttl  ${bob.webid}`);
      expect(lines.join("\n")).to.match(/look \(denied\) {2}\/ana\/settings\/ .* 2 times/);
      const [last] = (await run(journalShow, ["ana"], { last: "1" })).lines;
      expect(last).to.include("look  /ana/.journal/  operator");
    });

    it("knows no other pods and no other numbers", async () => {
      for (const [task, args, flags] of [
        [journalShow, ["none"], {}],
        [journalHead, ["none"], {}],
        [journalVerify, ["none"], {}],
        [journalShow, ["ana"], { last: "all" }],
        [journalShow, ["ana"], { last: "0" }],
      ] as const)
        await run(task, [...args], flags).then(
          () => expect.fail("was taken"),
          (error: unknown) => expect(error).to.be.instanceOf(OperatorError),
        );
    });

    it("shows control characters, which strangers may send, as question marks", async () => {
      await server.context.journal.note(pod, {
        act: "look",
        agent: "https://x.example/\u001b[2J",
        client: "a\nb",
      });
      const { lines } = await run(journalShow, ["ana"], { last: "3" });
      // oxlint-disable-next-line no-control-regex -- what must not appear
      expect(lines.join("|")).not.to.match(/[\u0000-\u001f]/);
      expect(lines.join("|")).to.include("https://x.example/?[2J");
    });
  });
});
