/** `freehold migrate --to postgres://…`: people and their data move from a data folder into a database, and nothing is lost or changed. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect } from "chai";
import pg from "pg";
import { describeOnPostgres, testPostgres } from "../support/postgres.ts";
import { freehold, quietPort } from "../support/process.ts";
import { startServer } from "../support/server.ts";
import { temporaryFolder } from "../support/store.ts";

describeOnPostgres("moving into PostgreSQL", function () {
  this.timeout(90_000);

  it("keeps every document, file and login, says what to set, and can be run again", async () => {
    const home = await temporaryFolder();
    const url = await testPostgres().createDatabase();
    const settings = { FREEHOLD_DATA: home.folder, FREEHOLD_PORT: await quietPort() };
    const before = await startServer(settings);
    const ana = await before.person("Ana");
    const note = `${ana.pod}notes/today.ttl`;
    const photo = `${ana.pod}photo.bin`;
    const picture = randomBytes(700_000);
    const turtle = { "content-type": "text/turtle" };
    await ana.fetch(note, {
      method: "PUT",
      headers: turtle,
      body: "<#it> <https://vocab.example/n> 'kept'.",
    });
    await ana.fetch(photo, {
      method: "PUT",
      headers: { "content-type": "application/octet-stream" },
      body: picture,
    });
    const etag = (await ana.fetch(note)).headers.get("etag");

    const running = await freehold(["migrate", "--to", url], settings).ended;
    expect(running.code, running.out + running.err).not.to.equal(0);
    expect(running.out + running.err).to.include("Stop the server first");
    await before.close();

    const nowhere = await freehold(["migrate"], settings).ended;
    expect(nowhere.code).not.to.equal(0);
    expect(nowhere.out + nowhere.err).to.include("--to postgres://");

    const told = await freehold(["migrate", "--to", url.replace("freehold@", "freehold:hunter2@")], settings)
      .ended;
    expect(told.code).not.to.equal(0);
    expect(told.err).to.include("everybody on this machine can read").and.not.to.include("hunter2");

    const first = await freehold(["migrate", "--to", url], settings).ended;
    expect(first.code, first.out + first.err).to.equal(0);
    expect(first.out).to.match(/^1 pod, \d+ rows and 1 files/);
    expect(first.out).to.include("FREEHOLD_STORE=postgres://").and.include("FREEHOLD_ROOT_KEY_FILE=");
    expect(first.err).to.match(/Moving pods/);

    // As if it had been cut short: one row is missing, and the server's own pod is not there yet.
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("DELETE FROM record WHERE sealed = (SELECT sealed FROM record LIMIT 1)");
    await client.end();
    // As with a password: by standard input, with one in the address, which this database does not ask for.
    const again = await freehold(
      ["migrate", "--to", "-"],
      { ...settings, DATABASE_URL: url.replace("freehold@", "freehold:hunter2@") },
      ["sh", "-c", 'echo "$DATABASE_URL" | "$0" "$@"'],
    ).ended;
    expect(again.code, again.out + again.err).to.equal(0);
    expect(again.out.split("\n")[0]).to.equal(first.out.split("\n")[0]);
    expect(again.out + again.err)
      .to.include("freehold:…@")
      .and.not.to.include("hunter2");

    const after = await startServer({
      FREEHOLD_PORT: settings.FREEHOLD_PORT,
      FREEHOLD_STORE: url,
      FREEHOLD_ROOT_KEY_FILE: join(home.folder, "root.key"),
    });
    const found = await ana.fetch(note);
    expect([found.status, found.headers.get("etag")]).to.deep.equal([200, etag]);
    expect(await found.text()).to.include("kept");
    expect(Buffer.from(await (await ana.fetch(photo)).arrayBuffer()).equals(picture)).to.equal(true);
    expect(
      (await ana.fetch(note, { method: "PUT", headers: turtle, body: "<#it> <#b> 1." })).status,
    ).to.equal(204);
    await after.close();
    await testPostgres().dropDatabase(url);
    await home.remove();
  });
});
