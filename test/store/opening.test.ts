/** When a store is opened, and when it is refused with a sentence that helps. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { checkSqlite, StoreRefused } from "../../server/store/refused.ts";
import { SCHEMA_NEWEST } from "../../server/store/sqlite/schema.ts";
import { openSqliteStore } from "../../server/store/sqlite.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { listeningLog, openStoreIn, temporaryFolder } from "../support/store.ts";

async function refusalOf(opening: Promise<Store>): Promise<string> {
  try {
    const store = await opening;
    await store.close();
    return "opened";
  } catch (error) {
    if (error instanceof StoreRefused) return error.message;
    throw error;
  }
}

describe("opening a store", () => {
  let folder: string;
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let ana: PodId;
  const inFolder = (name: string): string => join(folder, name);
  const open = (rootKeyFile = inFolder("root.key")): Promise<Store> =>
    openSqliteStore({ folder, rootKeyFile, limits: LIMITS, log: listeningLog([]), now: () => new Date() });
  const read = (store: Store): Promise<string> =>
    store.read(ana, async (snapshot) =>
      Buffer.from((await snapshot.get("body", "g", ""))?.value ?? []).toString(),
    );

  beforeEach(async () => {
    temporary = await temporaryFolder();
    folder = join(temporary.folder, "deep", "data");
    const store = await open();
    ana = await store.createPod();
    await store.write(ana, async (transaction) => transaction.put("body", "g", "", Buffer.from("hello")));
    await store.close();
  });
  afterEach(async () => {
    await temporary.remove();
  });

  it("finds what was stored", async () => {
    const store = await open();
    expect(await read(store)).to.equal("hello");
    expect(await store.read(ana, async ({ generation }) => generation)).to.equal(1);
    await store.close();
  });

  it("makes folder, root key and keyring so that no other user can read them", () => {
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    for (const name of ["root.key", "keyring", "freehold.db", "lock.db"])
      expect(statSync(inFolder(name)).mode & 0o777, name).to.equal(0o600);
    expect(statSync(inFolder("root.key")).size).to.equal(32);
  });

  it("takes a root key from elsewhere, and keeps none in the folder then", async () => {
    const elsewhere = join(temporary.folder, "keys", "root.key");
    mkdirSync(join(temporary.folder, "keys"));
    copyFileSync(inFolder("root.key"), elsewhere);
    chmodSync(elsewhere, 0o600);
    rmSync(inFolder("root.key"));
    const store = await open(elsewhere);
    expect(await read(store)).to.equal("hello");
    await store.close();
    expect(existsSync(inFolder("root.key"))).to.equal(false);
  });

  it("a second store on the same folder is refused, in the same process", async () => {
    const store = await open();
    expect(await refusalOf(open())).to.match(/already running/);
    expect(await read(store)).to.equal("hello");
    await store.close();
    expect(await refusalOf(open())).to.equal("opened");
  });

  it("and in another process; once that is killed, the folder is free", async () => {
    const script = `
      import { openStoreIn } from ${JSON.stringify(new URL("../support/store.ts", import.meta.url).href)};
      try { await openStoreIn(${JSON.stringify(folder)}); console.log("opened"); } catch (error) { console.log(error.message); }
      process.kill(process.pid, "SIGKILL");`;
    const tryInChild = (): string =>
      spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).stdout;
    const store = await open();
    expect(tryInChild()).to.match(/already running/);
    expect(await read(store)).to.equal("hello");
    await store.close();
    expect(tryInChild()).to.equal("opened\n");
    expect(await refusalOf(open())).to.equal("opened");
  });

  const refused: readonly (readonly [string, () => void, RegExp])[] = [
    ["the root key is missing", () => rmSync(inFolder("root.key")), /root key .* is missing.*Restore/],
    [
      "the root key is another",
      () => writeFileSync(inFolder("root.key"), Buffer.alloc(32, 7)),
      /does not fit.*Put the root key back/,
    ],
    [
      "the root key is cut short",
      () => writeFileSync(inFolder("root.key"), Buffer.alloc(31)),
      /31 bytes instead of 32/,
    ],
    ["the root key can be read by the group", () => chmodSync(inFolder("root.key"), 0o640), /chmod 600/],
    ["the root key can be read by others", () => chmodSync(inFolder("root.key"), 0o604), /chmod 600/],
    ["the keyring is missing", () => rmSync(inFolder("keyring")), /keyring .* is missing.*Restore/],
    [
      "the keyring is cut short",
      () => writeFileSync(inFolder("keyring"), readFileSync(inFolder("keyring")).subarray(0, -1)),
      /keyring .* is damaged/,
    ],
    ["the keyring has one bit flipped", () => flip(inFolder("keyring"), 70), /keyring .* is damaged/],
    ["the keyring has lost its last pod", () => dropLastPod(inFolder("keyring")), /keyring .* is damaged/],
    ["the keyring is of a newer format", () => flip(inFolder("keyring"), 4, 8), /keyring .* newer Freehold/],
    ["the keyring is another store's", () => otherKeyring(), /belongs to another database|does not fit/],
    ["the database is missing", () => rmSync(inFolder("freehold.db")), /database is missing/],
    [
      "the schema is newer",
      () => sql(`INSERT INTO migration VALUES (${SCHEMA_NEWEST + 1}, 0, 'later')`),
      new RegExp(`newer Freehold \\(schema ${SCHEMA_NEWEST + 1}; this one knows up to ${SCHEMA_NEWEST}\\)`),
    ],
    ["the database is another program's", () => sql("PRAGMA application_id = 77"), /another program/],
  ];
  function flip(file: string, place: number, mask = 1): void {
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(place) ^ mask, place);
    writeFileSync(file, bytes);
  }
  function dropLastPod(file: string): void {
    const bytes = readFileSync(file);
    bytes.writeUInt32BE(bytes.readUInt32BE(40) - 1, 40);
    writeFileSync(file, Buffer.concat([bytes.subarray(0, -208 - 32), bytes.subarray(-32)]));
  }
  function otherKeyring(): void {
    flip(inFolder("keyring"), 10); // The store's id; the MAC notices first.
    const script = `import { openStoreIn } from ${JSON.stringify(new URL("../support/store.ts", import.meta.url).href)};
      const store = await openStoreIn(${JSON.stringify(inFolder("other"))}); await store.close();`;
    spawnSync(process.execPath, ["--input-type=module", "-e", script]);
    copyFileSync(join(inFolder("other"), "keyring"), inFolder("keyring"));
    copyFileSync(join(inFolder("other"), "root.key"), inFolder("root.key"));
  }
  function sql(text: string): void {
    const db = new DatabaseSync(inFolder("freehold.db"));
    db.exec(text);
    db.close();
  }
  for (const [name, spoil, message] of refused) {
    it(`is refused when ${name}, and leaves everything as it is`, async () => {
      spoil();
      const before = ["keyring", "root.key"].map((file) =>
        existsSync(inFolder(file)) ? readFileSync(inFolder(file)).toString("hex") : null,
      );
      expect(await refusalOf(open())).to.match(message);
      const after = ["keyring", "root.key"].map((file) =>
        existsSync(inFolder(file)) ? readFileSync(inFolder(file)).toString("hex") : null,
      );
      expect(after).to.deep.equal(before);
      expect(await refusalOf(open()), "the lock was let go").to.match(message);
    });
  }

  it("a first start that was cut short after any step is finished by the next one", async () => {
    for (const left of [[], ["root.key"], ["root.key", "keyring"]]) {
      const begun = join(temporary.folder, `begun ${left.length}`);
      const whole = await openStoreIn(begun);
      await whole.close();
      for (const name of ["root.key", "keyring", "freehold.db", "lock.db"])
        if (!left.includes(name)) rmSync(join(begun, name));
      const store = await openStoreIn(begun);
      expect(await store.createPod()).to.match(/^[0-9a-f]{32}$/);
      await store.close();
    }
  });

  it("an SQLite that loses commits is refused", () => {
    for (const version of ["3.51.2", "3.50.9", "2.99.99", "3.51"])
      expect(() => checkSqlite(version), version).to.throw(StoreRefused, /needs 3.51.3 or newer/);
    for (const version of ["3.51.3", "3.51.10", "3.52.0", "3.53.4", "4.0.0"])
      expect(() => checkSqlite(version), version).not.to.throw();
  });

  it("after closing nothing is answered any more", async () => {
    const store = await open();
    await store.close();
    const codes = await Promise.all(
      [read(store), store.check(), store.write(ana, async () => null)].map((answer) =>
        answer.then(() => "answered").catch((error: { code: string }) => error.code),
      ),
    );
    expect(codes).to.deep.equal(["unavailable", "unavailable", "unavailable"]);
  });
});
