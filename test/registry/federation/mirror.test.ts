/** Mirrors of a zone, at real servers: what they copy is proved, and what is not true is never kept; long, for there are many lies. */
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  type Bundle,
  erasePassport,
  makeData,
  type PassportError,
  type PassportId,
  rotatePassport,
  seenOf,
  signOperation,
  verifyAnswer,
  verifyCheckpoint,
} from "@freehold/client/registry";
import { expect } from "chai";
import { type ServedMirror, serveMirror } from "../../../server/cli/registry/mirror-serve.ts";
import { allowMirror, endMirror } from "../../../server/registry/mirror/secrets.ts";
import { zonePod } from "../../../server/registry/zone/keys.ts";
import { listeningLog } from "../../support/store.ts";
import { createFederation, DAY_MS, type FederationWorld, HOUR_MS, type Owner } from "./world.ts";

const NEVER_MS = 2 ** 30;

/** Changes what a source answers, on its way. */
type Change = (path: string, text: string) => string;

describe("a mirror", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  let secret = "";
  const closing: (() => Promise<unknown>)[] = [];
  before(async () => {
    world = await createFederation();
    secret = await allowMirror(join(world.folder, "ch"), "mirror-one");
  });
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });
  after(() => world.dispose());

  let count = 0;
  async function mirrorOf(
    some: { source?: string; secret?: string | null; folder?: string; events?: string[] } = {},
  ): Promise<ServedMirror> {
    count += 1;
    const served = await serveMirror(
      {
        folder: some.folder ?? join(world.folder, `mirror-${count}`),
        zone: "ch",
        root: world.root.baseUrl,
        source: some.source ?? world.zones.ch.baseUrl,
        secret: some.secret === undefined ? secret : some.secret,
        url: null,
        host: "127.0.0.1",
        port: 0,
      },
      { now: () => new Date(world.now()), log: listeningLog(some.events ?? []), tickMs: NEVER_MS },
    );
    closing.push(() => served.close());
    return served;
  }

  /** A source that passes everything on, but for what the test changes. */
  async function between(change: Change): Promise<string> {
    const body = async (request: IncomingMessage): Promise<Buffer> => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      return Buffer.concat(parts);
    };
    const server = createServer((request, response) => {
      void (async () => {
        const sent = await body(request);
        const { authorization = "", "content-type": type = "application/json" } = request.headers;
        const answer = await fetch(`${world.zones.ch.baseUrl}${request.url?.slice(1)}`, {
          method: request.method ?? "GET",
          headers: { authorization, "content-type": type },
          ...(sent.length > 0 && { body: new Uint8Array(sent) }),
        });
        const bytes = Buffer.from(await answer.arrayBuffer());
        response.writeHead(answer.status);
        response.end(Buffer.from(change(request.url ?? "", bytes.toString("latin1")), "latin1"));
      })();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    return `http://localhost:${(server.address() as AddressInfo).port}/`;
  }

  const askAt = async (url: string, id: PassportId): Promise<Bundle> => {
    const response = await fetch(`${url}v1/passports/${id}`);
    const value = (await response.json()) as Record<string, unknown>;
    if (response.status !== 404) return value as unknown as Bundle;
    return { id, absence: value["absence"], checkpoint: value["checkpoint"] } as unknown as Bundle;
  };
  const verified = async (url: string, id: PassportId, maxAgeSeconds = 3_600) =>
    verifyAnswer(await askAt(url, id), id, world.trust(), { now: world.now(), maxAgeSeconds });

  async function lead({ id, keys }: Owner, dseq: number, name: string): Promise<void> {
    const state = await world.state("ch", id);
    const url = `https://pods.example.org/${name}/`;
    const op = makeData({
      id,
      aseq: state.head.seq,
      dseq,
      webid: [`${url}#me`],
      storage: [{ id: "#pod", url }],
    });
    await world.zones.ch.zone.submit(await signOperation(op, state.head.auth, keys.authority));
  }

  it("answers as the zone does, follows it, and goes on when the zone is away", async () => {
    const [ann, ben] = [await world.open("ch"), await world.open("ch")];
    await lead(ann, 1, "ann");
    const served = await mirrorOf();
    await served.tick();
    const first = await verified(served.baseUrl, ann.id);
    expect(first.kind === "present" && first.passport.data?.storage[0]?.url).to.equal(
      "https://pods.example.org/ann/",
    );
    const { rotateOp } = await rotatePassport(
      await world.state("ch", ben.id),
      ben.keys,
      new Date(world.now()),
    );
    await world.zones.ch.zone.submit(rotateOp);
    await lead(ann, 2, "ann-again");
    const cy = await world.open("ch");
    await served.tick();
    const [moved, rotated, fresh] = [
      await verified(served.baseUrl, ann.id),
      await verified(served.baseUrl, ben.id),
      await verified(served.baseUrl, cy.id),
    ];
    expect(moved.kind === "present" && moved.passport.data?.dseq).to.equal(2);
    expect(rotated.kind === "present" && rotated.passport.state.head.seq).to.equal(1);
    expect(fresh.kind).to.equal("present");
    const nobody = (await world.open("za")).id.replace(/^dpza/, "dpza") as PassportId;
    expect(nobody).to.have.length(53);
    await world.stop("ch");
    await served.tick();
    expect((await verified(served.baseUrl, ann.id)).kind).to.equal("present");
    await world.start("ch");
  });

  it("takes no operations, and says where they go", async () => {
    const served = await mirrorOf();
    await served.tick();
    const owner = await world.open("ch");
    const { status, body } = await world.post(`${served.baseUrl}v1/ops`, owner.create);
    expect([status, body["send"]]).to.deep.equal([501, world.zones.ch.baseUrl]);
  });

  it("forgets whom the zone has erased, with everything", async () => {
    const owner = await world.open("ch");
    const folder = join(world.folder, "mirror-erasing");
    const served = await mirrorOf({ folder });
    await served.tick();
    expect((await verified(served.baseUrl, owner.id)).kind).to.equal("present");
    await world.zones.ch.zone.submit(
      await erasePassport(await world.state("ch", owner.id), owner.keys.authority),
    );
    world.turn(73 * HOUR_MS);
    await world.tick();
    await served.tick();
    expect((await verified(served.baseUrl, owner.id)).kind).to.equal("absent");
  });

  it("that is blind has the log and nobody in it", async () => {
    const owner = await world.open("ch");
    const served = await mirrorOf({ secret: null });
    await served.tick();
    const year = new Date(world.now()).getUTCFullYear();
    const [here, there] = await Promise.all(
      [served.baseUrl, world.zones.ch.baseUrl].map(async (url) =>
        (await fetch(`${url}log/ch/${year}/checkpoint`)).text(),
      ),
    );
    expect(here?.split("\n\n")[0]).to.equal(there?.split("\n\n")[0]);
    const tile = async (url: string): Promise<string> =>
      Buffer.from(await (await fetch(`${url}log/ch/${year}/tile/0/000.p/1`)).arrayBuffer()).toString("hex");
    expect(await tile(served.baseUrl)).to.equal(await tile(world.zones.ch.baseUrl));
    expect((await fetch(`${served.baseUrl}v1/passports/${owner.id}`)).status).to.equal(501);
  });

  it("gets no passport without the secret of its contract, nor after its end", async () => {
    const place = `${world.zones.ch.baseUrl}v1/replica`;
    expect((await fetch(place)).status).to.equal(401);
    expect((await fetch(place, { headers: { authorization: `Bearer ${"A".repeat(43)}` } })).status).to.equal(
      401,
    );
    const other = await allowMirror(join(world.folder, "ch"), "mirror-two");
    const asked = () => fetch(place, { headers: { authorization: `Bearer ${other}` } });
    expect((await asked()).status).to.equal(200);
    await endMirror(join(world.folder, "ch"), "mirror-two");
    expect((await asked()).status).to.equal(401);
    expect(await readFile(join(world.folder, "ch", "mirrors.json"), "utf8")).to.not.contain(other);
  });

  it("fed with a forged head keeps nothing of it, at the first copy and later", async () => {
    const owner = await world.open("ch");
    await lead(owner, 1, "true");
    const forge: Change = (path, text) =>
      path.startsWith("/v1/replica")
        ? text.replaceAll("pods.example.org/true/", "pods.example.org/evil/")
        : text;
    const events: string[] = [];
    const first = await mirrorOf({ source: await between(forge), events });
    await first.tick();
    expect(events).to.contain("registry.mirror-behind");
    expect((await fetch(`${first.baseUrl}v1/passports/${owner.id}`)).status).to.equal(503);

    let change: Change = (_path, text) => text;
    const source = await between((path, text) => change(path, text));
    const later = await mirrorOf({ source });
    await later.tick();
    const before = await verified(later.baseUrl, owner.id);
    change = (path, text) => (path.startsWith("/v1/replica") ? text.replaceAll("/truer/", "/evil/") : text);
    await lead(owner, 2, "truer");
    await later.tick();
    const after = await verified(later.baseUrl, owner.id);
    expect(after.epoch.size).to.equal(before.epoch.size);
    change = (_path, text) => text;
    await later.tick();
    const mended = await verified(later.baseUrl, owner.id);
    expect(mended.kind === "present" && mended.passport.data?.storage[0]?.url).to.equal(
      "https://pods.example.org/truer/",
    );
  });

  it("fed with a forged beginning of a chain, or with what nobody has asked for, keeps nothing of it", async () => {
    const owner = await world.open("ch");
    const { rotateOp } = await rotatePassport(
      await world.state("ch", owner.id),
      owner.keys,
      new Date(world.now()),
    );
    await world.zones.ch.zone.submit(rotateOp);
    await world.zones.ch.zone.submit(await erasePassport(await world.state("ch", owner.id), owner.keys.next));
    const { nonce } = owner.create.op as { readonly nonce: string };
    const forgeries: readonly ((line: string) => string)[] = [
      (line) => line.replace(nonce, "A".repeat(22)),
      (line) => line.replace(/("pending":\{"hash":")[\w-]{43}/, `$1${"A".repeat(43)}`),
    ];
    for (const [index, forge] of forgeries.entries()) {
      const change: Change = (path, text) =>
        path.startsWith("/v1/replica")
          ? text
              .split("\n")
              .map((line) => (line.includes(owner.id) ? forge(line) : line))
              .join("\n")
          : text;
      const served = await mirrorOf({ source: await between(change) });
      await served.tick();
      const { status } = await fetch(`${served.baseUrl}v1/passports/${owner.id}`);
      expect(status, `forgery ${index}`).to.equal(503);
    }
  });

  it("from which somebody is withheld does not answer as if it were whole", async () => {
    const owner = await world.open("ch");
    const without: Change = (path, text) =>
      path.startsWith("/v1/replica")
        ? text
            .split("\n")
            .filter((line) => !line.includes(owner.id))
            .join("\n")
        : text;
    const served = await mirrorOf({ source: await between(without) });
    await served.tick();
    expect((await fetch(`${served.baseUrl}v1/passports/${owner.id}`)).status).to.equal(503);
  });

  it("fed with entries that are not in the signed tree keeps none of them, and makes its tiles itself", async () => {
    const flip =
      (part: string): Change =>
      (path, text) =>
        path.includes(part)
          ? text.slice(0, 9) + String.fromCharCode(text.charCodeAt(9) ^ 1) + text.slice(10)
          : text;
    const year = new Date(world.now()).getUTCFullYear();
    const file = async (url: string, path: string): Promise<Response> =>
      fetch(`${url}log/ch/${year}/${path}`);
    const fooled = await mirrorOf({ source: await between(flip("tile/entries/")), secret: null });
    await fooled.tick();
    expect((await file(fooled.baseUrl, "checkpoint")).status).to.equal(503);
    const sound = await mirrorOf({ source: await between(flip("tile/0/")), secret: null });
    await sound.tick();
    const { size } = world.zones.ch.zone.published();
    const [here, there] = await Promise.all(
      [sound.baseUrl, world.zones.ch.baseUrl].map(async (url) =>
        Buffer.from(await (await file(url, `tile/0/000.p/${size}`)).arrayBuffer()).toString("hex"),
      ),
    );
    expect(here)
      .to.have.length(64 * size)
      .and.to.equal(there);
  });

  it("refuses a source that has gone back, and its own answers are refused by readers once they are old", async () => {
    const owner = await world.open("ch");
    await lead(owner, 1, "early");
    const year = new Date(world.now()).getUTCFullYear();
    const early = await (await fetch(`${world.zones.ch.baseUrl}log/ch/${year}/checkpoint`)).text();
    const frozen = await mirrorOf();
    await frozen.tick();
    await lead(owner, 2, "late");
    const newest = await verified(world.zones.ch.baseUrl, owner.id);
    if (newest.kind !== "present") return expect.fail("the zone lost it");

    let isBack = false;
    const source = await between((path, text) => (isBack && path.endsWith("/checkpoint") ? early : text));
    const events: string[] = [];
    const served = await mirrorOf({ source, events });
    await served.tick();
    isBack = true;
    await served.tick();
    expect(events).to.contain("registry.mirror-behind");
    const still = await verified(served.baseUrl, owner.id);
    expect(still.kind === "present" && still.passport.data?.dseq).to.equal(2);

    // Whoever has seen the newer state is not led back to the mirror's older one; and in a day nobody is.
    const old = await askAt(frozen.baseUrl, owner.id);
    const refused = async (options: object): Promise<string> =>
      verifyAnswer(old, owner.id, world.trust(), { now: world.now(), ...options }).then(
        () => "none",
        (error: PassportError) => error.rule,
      );
    expect(await refused({})).to.equal("none");
    expect(await refused({ seen: seenOf(newest.passport) })).to.equal("rollback");
    world.turn(DAY_MS + HOUR_MS);
    expect(await refused({})).to.equal("freshness");
    return undefined;
  });

  it("keeps as evidence what its source signed twice", async () => {
    const folder = join(world.folder, "mirror-evidence");
    const owner = await world.open("ch");
    const served = await mirrorOf({ folder });
    await served.tick();
    await served.close();
    closing.pop();
    const fork = await world.fork("ch");
    await world.open("ch");
    const between = await mirrorOf({ folder });
    await between.tick(); // It has seen what everybody sees, and now it is shown something else.
    await between.close();
    closing.pop();
    for (const _ of [1, 2, 3]) await fork.zone.govern(new Uint8Array(32));
    const events: string[] = [];
    const again = await mirrorOf({ folder, source: fork.baseUrl, events });
    await again.tick();
    expect(events).to.contain("registry.split-view");
    const [file = ""] = await readdir(join(folder, "evidence"));
    const { checkpoints, shard } = JSON.parse(await readFile(join(folder, "evidence", file), "utf8")) as {
      shard: string;
      checkpoints: string[];
    };
    const { ch } = world.trust().zones;
    if (!ch) return expect.fail("no zone");
    for (const text of checkpoints) await verifyCheckpoint(text, shard, ch, { now: world.now() }); // Both are signed.
    expect(checkpoints).to.have.length(2);
    expect((await verified(again.baseUrl, owner.id)).kind).to.equal("present");
    return undefined;
  });

  it("begins anew with the year, as the zone does, and keeps nothing of the old one's keys", async () => {
    const owner = await world.open("ch");
    const served = await mirrorOf();
    await served.tick();
    const before = await verified(served.baseUrl, owner.id);
    const year = new Date(world.now()).getUTCFullYear();
    world.turn(Date.UTC(year + 1, 0, 2) - world.now());
    await world.tick();
    await served.tick();
    const after = await verified(served.baseUrl, owner.id);
    expect([before.epoch.shard, after.epoch.shard]).to.deep.equal([`ch/${year}`, `ch/${year + 1}`]);
    expect(after.kind).to.equal("present");
    const { store } = served;
    const pod = await zonePod(store, "ch");
    const left = await store.read(pod, async (snapshot) => {
      const groups = new Set<string>();
      for (const group of [`names/ch/${year}`, `map/ch/${year}`, `names/ch/${year + 1}`])
        for await (const entry of snapshot.list("registry", group))
          if (entry.item !== undefined) groups.add(group);
      return [...groups];
    });
    expect(left).to.deep.equal([`names/ch/${year + 1}`]);
  });

  it("drops everybody when it has not heard from its source for a week", async () => {
    const owner = await world.open("ch");
    const events: string[] = [];
    const served = await mirrorOf({ events });
    await served.tick();
    await world.stop("ch");
    try {
      world.turn(6 * DAY_MS);
      await served.tick();
      expect(events).to.not.contain("registry.mirror-dropped");
      world.turn(2 * DAY_MS);
      await served.tick();
      expect(events).to.contain("registry.mirror-dropped");
      expect((await fetch(`${served.baseUrl}v1/passports/${owner.id}`)).status).to.equal(503);
    } finally {
      await world.start("ch");
    }
    await world.tick();
    await served.tick();
    expect((await verified(served.baseUrl, owner.id)).kind).to.equal("present");
  });
});
