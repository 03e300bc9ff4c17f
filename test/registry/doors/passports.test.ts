/** Bundles, one and many. */
import { expect } from "chai";
import { type Bundle, rotatePassport } from "../../../client-lib/registry/index.ts";
import { GOLDEN_ID } from "../../passport/golden.ts";
import { HOST, person } from "../../passport/people.ts";
import { type Answer, type Known, startRegistry, type World } from "./world.ts";

const JSON_TYPE = { "content-type": "application/json" };
const HOUR_MS = 3_600_000;

describe("the doors of passports", () => {
  let world: World;
  let ana: Known;
  before(async () => {
    world = await startRegistry();
    ana = await world.open("ana");
  });
  after(() => world.close());

  describe("GET /v1/passports/:id", () => {
    it("gives the bundle, which verifies offline", async () => {
      const { status, headers, text } = await world.bundle(ana.id);
      expect([status, headers["content-type"]]).to.deep.equal([200, "application/json"]);
      const answer = await world.verify(text, ana.id);
      expect(answer.kind === "present" && answer.passport.data?.webid).to.deep.equal([
        `${HOST}/ana/profile/card#me`,
      ]);
      expect(headers["cache-control"]).to.equal(
        "public, max-age=60, stale-while-revalidate=3600, stale-if-error=604800",
      );
    });

    it("gives the same bytes from then on, by the short way and with a name in capitals", async () => {
      const first = await world.bundle(ana.id);
      for (const id of [ana.id, ana.id, ana.id.toUpperCase(), ana.did])
        expect((await world.bundle(id)).text).to.equal(first.text);
      const head = await world.ask(`/v1/passports/${ana.id}`, { method: "HEAD" });
      expect([head.status, head.text, head.headers["etag"], head.headers["content-length"]]).to.deep.equal([
        200,
        "",
        first.headers["etag"],
        first.headers["content-length"],
      ]);
    });

    it("answers 304 while the passport is the same, though the log has gone on", async () => {
      const first = await world.bundle(ana.id);
      const headers = { "if-none-match": first.headers["etag"] ?? "" };
      expect((await world.bundle(ana.id, headers)).status).to.equal(304);
      await world.open("bea");
      const later = await world.bundle(ana.id, headers);
      expect([later.status, later.text]).to.deep.equal([304, ""]);
      const fresh = await world.bundle(ana.id);
      expect(fresh.text).to.not.equal(first.text);
      expect((await world.bundle(ana.id, headers)).status, "by the short way, too").to.equal(304);
    });

    it("answers with a newer proof to who has an old one: 304 does not let a checkpoint grow old", async () => {
      const { headers } = await world.bundle(ana.id);
      world.pass(HOUR_MS);
      await world.served.tick();
      const later = await world.bundle(ana.id, { "if-none-match": headers["etag"] ?? "" });
      expect(later.status).to.equal(200);
      expect((await world.verify(later.text, ana.id)).kind).to.equal("present");
    });

    it("never shows what is not in force any more, not even for a moment", async () => {
      const cleo = await world.open("cleo");
      await world.bundle(cleo.id);
      const before = await world.bundle(cleo.id);
      const { rotateOp } = await rotatePassport(cleo.state, cleo.keys, new Date(world.now()));
      expect((await world.send(rotateOp)).status).to.equal(201);
      const after = await world.bundle(cleo.id, { "if-none-match": before.headers["etag"] ?? "" });
      expect(after.status).to.equal(200);
      expect((after.json as Bundle).head.auth.at(-1)?.op.t).to.equal("rotate");
    });

    it("gives as much of the proof as is wanted, each with a tag of its own", async () => {
      const full = await world.bundle(ana.id);
      const [head, none] = [
        await world.bundle(ana.id, {}, "?proof=head"),
        await world.bundle(ana.id, {}, "?proof=none"),
      ];
      expect(head.json).to.have.all.keys("id", "head", "proof");
      expect(head.json.proof).to.have.all.keys("shard", "rootLeaf", "opening", "map");
      expect(none.json).to.have.all.keys("id", "head");
      expect(new Set([full, head, none].map(({ headers }) => headers["etag"])).size).to.equal(3);
      const { checkpoint, proof } = full.json as Bundle;
      const whole = { ...head.json, proof: { ...head.json.proof, log: proof.log }, checkpoint };
      expect((await world.verify(whole, ana.id)).kind).to.equal("present");
      const wrong = await world.bundle(
        ana.id,
        { "if-none-match": full.headers["etag"] ?? "" },
        "?proof=none",
      );
      expect(wrong.status, "the tag of another part confirms nothing").to.equal(200);
      expect((await world.bundle(ana.id, {}, "?proof=some")).status).to.equal(400);
    });

    it("refuses what is no identifier, and proves that one is absent", async () => {
      for (const id of ["ana", `${ana.id}x`, "%00", "..%2f..%2fetc", ana.id.replace(/^dp/, "xx")])
        expect((await world.bundle(id)).status, id).to.equal(400);
      const { state } = await person("nobody");
      const answer = await world.bundle(state.id);
      expect([answer.status, answer.headers["cache-control"]]).to.deep.equal([404, "no-store"]);
      expect((await world.verify(answer.text, state.id)).kind).to.equal("absent");
    });

    it("answers other methods with those that there are", async () => {
      const answer = await world.ask(`/v1/passports/${ana.id}`, { method: "DELETE" });
      expect([answer.status, answer.headers["allow"]]).to.deep.equal([405, "OPTIONS, HEAD, GET"]);
      const asked = await world.ask("/v1/ops", {
        method: "OPTIONS",
        headers: { origin: "https://a.example" },
      });
      expect([asked.status, asked.headers["access-control-allow-origin"]]).to.deep.equal([204, "*"]);
      expect(asked.headers["access-control-allow-methods"]).to.equal("OPTIONS, POST");
    });
  });

  describe("POST /v1/resolve", () => {
    const linesOf = ({ text }: Answer) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));

    it("answers each identifier on its own line, in order, all proved by the epoch in the first", async () => {
      const bea = await world.open("bea-2");
      const { state } = await person("nobody");
      const ids = [bea.id, "nonsense", GOLDEN_ID, state.id, ana.did, bea.id];
      const answer = await world.resolve(ids);
      expect([answer.status, answer.headers["content-type"]]).to.deep.equal([200, "application/x-ndjson"]);
      const [first, ...lines] = linesOf(answer);
      expect(lines.map(({ status }) => status)).to.deep.equal([200, 400, 404, 404, 200, 200]);
      expect(lines.map(({ id }) => id)).to.deep.equal([
        bea.id,
        "nonsense",
        GOLDEN_ID,
        state.id,
        ana.id,
        bea.id,
      ]);
      const { checkpoint, ...epoch } = first.epochs.zz;
      for (const [index, id] of [
        [0, bea.id],
        [4, ana.id],
        [5, bea.id],
      ] as const) {
        const { head, opening, map } = lines[index];
        const proved = await world.verify({ id, head, proof: { ...epoch, opening, map }, checkpoint }, id);
        expect(proved.kind).to.equal("present");
      }
      const { map, end } = lines[3];
      const absent = await world.verify(
        { id: state.id, absence: { ...epoch, map, end }, checkpoint },
        state.id,
      );
      expect(absent.kind).to.equal("absent");
    });

    it("takes 1,000 identifiers and not one more", async () => {
      const many = (count: number) => world.resolve(Array<string>(count).fill(ana.did));
      expect(linesOf(await many(1_000))).to.have.length(1_001);
      expect((await many(1_001)).status).to.equal(400);
      expect((await many(5_000)).status).to.equal(413);
      expect(linesOf(await world.resolve([]))).to.deep.equal([{ epochs: {} }]);
    });

    const bad: readonly (readonly [string, string, Record<string, string>, number])[] = [
      ["no list", '{"ids":"x"}', JSON_TYPE, 400],
      ["numbers", '{"ids":[1]}', JSON_TYPE, 400],
      ["a repeated name", '{"ids":[],"ids":[]}', JSON_TYPE, 400],
      ["no JSON", "ids", JSON_TYPE, 400],
      ["lists in lists", `{"ids":${"[".repeat(5_000)}${"]".repeat(5_000)}}`, JSON_TYPE, 400],
      ["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0x22]).toString("latin1"), JSON_TYPE, 400],
      ["a form", "ids=x", { "content-type": "application/x-www-form-urlencoded" }, 415],
      ["packed content", "{}", { ...JSON_TYPE, "content-encoding": "gzip" }, 415],
    ];
    for (const [name, body, headers, status] of bad) {
      it(`refuses ${name}`, async () => {
        expect((await world.ask("/v1/resolve", { method: "POST", headers, body })).status).to.equal(status);
      });
    }
  });

  it("says of itself what it is, and lists every rule as a sentence", async () => {
    for (const path of ["/v1/help", "/rdap/help"]) {
      const { json } = await world.ask(path);
      expect(json.zones).to.deep.equal([{ name: "zz", shard: "zz/2026" }]);
      expect(json.rules.length).to.be.greaterThan(30);
      expect(json.doors).to.include("GET /v1/passports/:id");
    }
  });

  it("hands on the root's record, by its version, too", async () => {
    const { json, headers } = await world.ask("/v1/zones");
    expect(json.record.zones.zz.urls).to.deep.equal([world.served.baseUrl]);
    expect(
      (await world.ask("/v1/zones", { headers: { "if-none-match": headers["etag"] ?? "" } })).status,
    ).to.equal(304);
    expect((await world.ask("/v1/zones?version=1")).json.record.version).to.equal(1);
    expect((await world.ask("/v1/zones?version=2")).status).to.equal(404);
    expect((await world.ask("/v1/zones?version=-1")).status).to.equal(400);
  });

  it("answers 404 where there is no door, and 400 to addresses that are none", async () => {
    for (const path of [
      "/.account/login",
      "/v1",
      "/v1/passports",
      "/v1/passports/",
      "/.env",
      "/v2/passports/x",
    ])
      expect((await world.ask(path)).status, path).to.equal(404);
    expect((await world.ask("/v1/passports/%E0%A4%A")).status).to.equal(400);
  });
});
