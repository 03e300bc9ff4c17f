/** The root key is replaced without the store ever being without one that fits, wherever it is killed. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { StoreRefused } from "../../server/store/refused.ts";
import {
  createKeyring,
  type KeyringPlace,
  keyringFile,
  openKeyring,
} from "../../server/store/sealed/keyring.ts";
import { type HeldPods, rootOf } from "../../server/store/sealed/keyring-format.ts";
import { type PodId, SERVER_POD, type Store } from "../../server/store/store.ts";
import { skip } from "../support/skip.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const ANA = "aa".repeat(16) as PodId;
const BEN = "bb".repeat(16) as PodId;

const put = (store: Store, pod: PodId): Promise<unknown> =>
  store.write(pod, async (transaction) => transaction.put("body", "/x", "", Buffer.from("kept")));
const read = (store: Store, pod: PodId): Promise<string> =>
  store.read(pod, async (snapshot) =>
    Buffer.from((await snapshot.get("body", "/x", ""))?.value ?? []).toString(),
  );

describe("a new root key", () => {
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let folder: string;
  let pod: PodId;
  const inFolder = (name: string): string => join(folder, name);
  beforeEach(async () => {
    temporary = await temporaryFolder();
    folder = join(temporary.folder, "data");
    const store = await openStoreIn(folder);
    pod = await store.createPod();
    await put(store, pod);
    await store.close();
  });
  afterEach(async () => {
    await temporary.remove();
  });

  it("takes the old one's place while the store is open; only the new one opens it again", async () => {
    const old = readFileSync(inFolder("root.key"));
    let store = await openStoreIn(folder);
    await store.rotateRootKey();
    expect(await read(store, pod)).to.equal("kept");
    const later = await store.createPod();
    await put(store, later);
    await store.rekey(pod);
    await store.close();
    expect(readFileSync(inFolder("root.key")).equals(old)).to.equal(false);
    expect(statSync(inFolder("root.key")).mode & 0o777).to.equal(0o600);
    expect(existsSync(inFolder("root.key.next"))).to.equal(false);
    store = await openStoreIn(folder);
    expect(await read(store, pod)).to.equal("kept");
    expect(await read(store, later)).to.equal("kept");
    await store.close();
    writeFileSync(inFolder("root.key"), old);
    expect(await openStoreIn(folder).catch((error: unknown) => error)).to.be.instanceOf(StoreRefused);
  });

  it("leaves a store that opens, wherever it was cut short", async () => {
    const states: string[] = [];
    const store = await openStoreIn(folder);
    const before = join(temporary.folder, "before");
    mkdirSync(before);
    for (const name of ["root.key", "keyring"]) cpSync(inFolder(name), join(before, name));
    await store.rotateRootKey();
    await store.close();
    // The steps: the key beside the old one; the keyring wrapped anew; the key in its place.
    const steps: readonly (readonly [string, string, string, string | null])[] = [
      ["nothing done", join(before, "root.key"), join(before, "keyring"), null],
      ["the new key beside the old", join(before, "root.key"), join(before, "keyring"), inFolder("root.key")],
      [
        "the keyring wrapped by the new key",
        join(before, "root.key"),
        inFolder("keyring"),
        inFolder("root.key"),
      ],
      ["the old key gone already", "", inFolder("keyring"), inFolder("root.key")],
      ["all done", inFolder("root.key"), inFolder("keyring"), null],
    ];
    for (const [name, root, keyring, next] of steps) {
      const cut = join(temporary.folder, name);
      cpSync(folder, cut, { recursive: true });
      rmSync(join(cut, "root.key"));
      if (root) cpSync(root, join(cut, "root.key"));
      cpSync(keyring, join(cut, "keyring"));
      if (next) cpSync(next, join(cut, "root.key.next"));
      const opened = await openStoreIn(cut);
      expect(await read(opened, pod), name).to.equal("kept");
      await opened.rotateRootKey();
      await opened.close();
      expect(existsSync(join(cut, "root.key.next")), name).to.equal(false);
      const again = await openStoreIn(cut);
      expect(await read(again, pod), `${name}, and once more`).to.equal("kept");
      await again.close();
      states.push(name);
    }
    expect(states).to.have.length(5);
  });

  it("through a link replaces what the link names", async () => {
    mkdirSync(join(temporary.folder, "keys"));
    cpSync(inFolder("root.key"), join(temporary.folder, "keys", "root"));
    rmSync(inFolder("root.key"));
    symlinkSync(join(temporary.folder, "keys", "root"), inFolder("root.key"));
    const old = readFileSync(inFolder("root.key"));
    const store = await openStoreIn(folder);
    await store.rotateRootKey();
    await store.close();
    expect(readFileSync(join(temporary.folder, "keys", "root")).equals(old)).to.equal(false);
    const again = await openStoreIn(folder);
    expect(await read(again, pod)).to.equal("kept");
    await again.close();
  });

  it("is refused where the file cannot be replaced, and changes nothing", async function () {
    if (process.getuid?.() === 0) skip(this, "root may write everywhere");
    const store = await openStoreIn(folder);
    const before = ["root.key", "keyring"].map((name) => readFileSync(inFolder(name)).toString("hex"));
    chmodSync(folder, 0o500);
    const refused = await store.rotateRootKey().catch((error: unknown) => error);
    chmodSync(folder, 0o700);
    expect(refused).to.be.instanceOf(StoreRefused);
    expect(["root.key", "keyring"].map((name) => readFileSync(inFolder(name)).toString("hex"))).to.deep.equal(
      before,
    );
    await store.close();
  });
});

describe("the keyring", () => {
  /** A place that fails when it is told to, and says what was saved. */
  function unreliable(): KeyringPlace & { saved: Uint8Array | null; isFull: boolean } {
    const place = {
      name: "The keyring",
      saved: null as Uint8Array | null,
      isFull: false,
      load: async () => place.saved,
      async save(bytes: Uint8Array) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (place.isFull) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        place.saved = Uint8Array.from(bytes);
      },
    };
    return place;
  }
  const root = rootOf(Buffer.alloc(32, 1));
  const storeId = Buffer.alloc(16, 2);
  const make = (place: KeyringPlace, pods: HeldPods = new Map()) =>
    createKeyring({ place, root, storeId, pods, rootKeyFile: null });
  const keyOf = (keyring: ReturnType<typeof make>, pod: PodId, version: number): string | undefined =>
    keyring.keys(pod)?.records(version, 0)?.export().toString("hex");

  it("seals with a new content key only after it is on disk, and opens with both until the old one is retired", async () => {
    const keyring = make(unreliable());
    await keyring.add(ANA);
    const keys = keyring.keys(ANA);
    const first = keyOf(keyring, ANA, 1);
    const renewing = keyring.renew(ANA);
    expect(keys?.version).to.equal(1);
    await renewing;
    expect(keys?.version, "also for those who hold the keys already").to.equal(2);
    expect(keyring.unfinished()).to.deep.equal([ANA]);
    expect(keyOf(keyring, ANA, 1)).to.equal(first);
    expect(keyOf(keyring, ANA, 2)).not.to.equal(first);
    await keyring.retire(ANA);
    expect(keyring.versions(ANA)).to.deep.equal([2]);
    expect(keyOf(keyring, ANA, 1)).to.equal(undefined);
    expect(
      keys?.records(1, 0)?.export().toString("hex"),
      "who looked at an earlier state still can",
    ).to.equal(first);
  });

  it("keeps the keys that things are found by, through every rekey", async () => {
    const keyring = make(unreliable());
    await keyring.add(ANA);
    const stable = (): string[] => {
      const keys = keyring.keys(ANA);
      return [keys?.lookups("a place"), keys?.contents.export().toString("hex"), keys?.journal("a link")].map(
        String,
      );
    };
    const before = stable();
    expect(new Set(before).size).to.equal(3);
    await keyring.renew(ANA);
    await keyring.retire(ANA);
    await keyring.rotateRoot();
    expect(stable()).to.deep.equal(before);
  });

  it("is as it was when it cannot be saved, and can be changed once there is room", async () => {
    const place = unreliable();
    const keyring = make(place);
    await keyring.add(ANA);
    const saved = place.saved;
    place.isFull = true;
    for (const change of [keyring.add(BEN), keyring.renew(ANA), keyring.rotateRoot()])
      expect(await change.then(() => "saved").catch(({ code }: { code: string }) => code)).to.equal("ENOSPC");
    expect(place.saved).to.equal(saved);
    expect(keyring.keys(BEN)).to.equal(null);
    expect(keyring.versions(ANA)).to.deep.equal([1]);
    place.isFull = false;
    await keyring.renew(ANA);
    place.isFull = true;
    expect(await keyring.retire(ANA).catch(() => "failed")).to.equal("failed");
    expect(keyring.versions(ANA)).to.deep.equal([1, 2]);
    place.isFull = false;
    await keyring.retire(ANA);
    expect(keyring.versions(ANA)).to.deep.equal([2]);
  });

  it("loses no pod that is added while it is wrapped anew", async () => {
    const place = unreliable();
    const keyring = make(place);
    await keyring.add(SERVER_POD);
    const pods = Array.from({ length: 40 }, (_, number) => number.toString(16).padStart(32, "0") as PodId);
    const adding = pods.slice(1).map(async (pod, number) => {
      await new Promise((resolve) => setTimeout(resolve, number % 10));
      await keyring.add(pod);
    });
    await Promise.all([keyring.rotateRoot(), keyring.erase(BEN), ...adding]);
    await keyring.rotateRoot();
    for (const pod of pods.slice(1)) expect(keyOf(keyring, pod, 1)).to.be.a("string");
    expect(keyring.isErased(BEN)).to.equal(true);
    expect(Buffer.from(await keyring.bytes()).equals(Buffer.from(place.saved ?? []))).to.equal(true);
  });

  it("begins with a given one only where there is none, and never in another store's place", async () => {
    const temporary = await temporaryFolder();
    const at = (name: string): string => join(temporary.folder, name);
    const open = (name: string, hasData: boolean, given?: Uint8Array) =>
      openKeyring({ place: keyringFile(at(name)), rootKeyFile: at("root.key"), hasData, given });
    const first = await open("first", false);
    await first.add(ANA);
    const bytes = await first.bytes();
    const restored = await open("restored", false, bytes);
    expect(restored.keys(ANA)?.lookups("a place")).to.equal(first.keys(ANA)?.lookups("a place"));
    expect(readFileSync(at("restored")).equals(Buffer.from(bytes))).to.equal(true);
    const messageOf = (opening: Promise<unknown>): Promise<string> =>
      opening.then(() => "opened").catch((error: Error) => error.message);
    expect(await messageOf(open("restored", false))).to.match(/knows pods, but their database is missing/);
    expect(await messageOf(open("restored", false, bytes)), "cut short, it begins again").to.equal("opened");
    await open("other", false);
    expect(await messageOf(open("other", true, bytes))).to.match(/another store/);
    await temporary.remove();
  });
});
