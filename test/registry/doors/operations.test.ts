/** What is sent to change passports, what comes of it, and who sends too much. */
import { Readable } from "node:stream";
import { expect } from "chai";
import {
  erasePassport,
  hashOfOperation,
  makeHold,
  rotatePassport,
  signAsZone,
  vetoPassport,
} from "../../../client-lib/registry/index.ts";
import type { Problem } from "../../../server/errors.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createResolveDoor } from "../../../server/registry/doors/resolve.ts";
import { HOST, type Person, person } from "../../passport/people.ts";
import { type Known, startRegistry, type World } from "./world.ts";

const JSON_TYPE = { "content-type": "application/json" };
const HOUR_MS = 3_600_000;

describe("the door of operations", () => {
  let world: World;
  let ana: Known;
  before(async () => {
    world = await startRegistry();
    ana = await world.open("ana");
  });
  after(() => world.close());

  describe("POST /v1/ops", () => {
    it("answers 201 with what proves it, and 200 when it is sent again", async () => {
      const dora = await world.open("dora");
      const { rotateOp } = await rotatePassport(dora.state, dora.keys, new Date(world.now()));
      const first = await world.send(rotateOp);
      expect([first.status, first.headers["location"]]).to.deep.equal([201, `/v1/passports/${dora.id}`]);
      expect(first.json).to.include({ id: dora.id, aseq: 1, dseq: 1, state: "effective" });
      expect(first.json.hash).to.equal(await hashOfOperation(rotateOp.op));
      expect(first.json.index).to.be.lessThan(first.json.size);
      expect(first.json.checkpoint).to.contain("/zz/2026\n");
      expect((await world.send(rotateOp)).status).to.equal(200);
      const told = await world.ask(`/v1/ops/${first.json.hash}`);
      expect(told.json).to.include({ state: "effective", zone: "zz", epoch: first.json.epoch });
    });

    it("answers 202 to what waits, shows until when, and that it was vetoed", async () => {
      const emil = await world.open("emil");
      const signed = await erasePassport(emil.state, emil.keys.authority);
      const answer = await world.send(signed);
      const hash = await hashOfOperation(signed.op);
      expect([answer.status, answer.headers["location"]]).to.deep.equal([202, `/v1/ops/${hash}`]);
      const until = new Date(world.now() + 72 * HOUR_MS).toISOString();
      expect(answer.json).to.include({ state: "pending", effectiveAt: until });
      expect((await world.ask(`/v1/ops/${hash}`)).json).to.include({ state: "pending", effectiveAt: until });
      expect((await world.bundle(emil.id)).status, "nothing counts yet").to.equal(200);
      const veto = await world.send(await vetoPassport(emil.state, emil.keys.authority, hash));
      expect(veto.status).to.equal(201);
      expect((await world.ask(`/v1/ops/${hash}`)).json.state).to.equal("vetoed");
    });

    it("erases when the time has come: 410 for a month, with the proof, and then 404", async () => {
      const finn = await world.open("finn");
      expect((await world.send(await erasePassport(finn.state, finn.keys.authority))).status).to.equal(202);
      world.pass(72 * HOUR_MS + 1_000);
      await world.served.tick();
      const gone = await world.bundle(finn.id);
      expect([gone.status, gone.json.erased]).to.deep.equal([410, true]);
      expect((await world.verify(gone.text, finn.id)).kind).to.equal("absent");
      expect(gone.text).to.not.contain(HOST);
      const whole = await world.ask(`/v1/identifiers/${finn.did}`, {
        headers: { accept: "application/did-resolution" },
      });
      expect([whole.status, whole.json.didDocument]).to.deep.equal([410, null]);
      expect(whole.json.didDocumentMetadata).to.deep.equal({ deactivated: true });
      const { absence, checkpoint } = whole.json.didResolutionMetadata;
      expect((await world.verify({ id: finn.id, absence, checkpoint }, finn.id)).kind).to.equal("absent");
      const line = (await world.resolve([finn.id])).text.trim().split("\n")[1] ?? "";
      expect(JSON.parse(line)).to.include({ id: finn.id, status: 410 });
      world.pass(31 * 24 * HOUR_MS);
      await world.served.tick();
      expect((await world.bundle(finn.id)).status).to.equal(404);
    });

    it("names the rule that is broken, and the present numbers on a conflict", async () => {
      const gina = await world.open("gina");
      const [one, two] = [
        await rotatePassport(gina.state, gina.keys, new Date(world.now())),
        await rotatePassport(gina.state, gina.keys, new Date(world.now())),
      ];
      expect((await world.send(one.rotateOp)).status).to.equal(201);
      const late = await world.send(two.rotateOp);
      expect(late.status).to.equal(409);
      expect(late.json).to.include({ rule: "seq", aseq: 1, dseq: 1 });
      const odd = await world.send({ ...two.rotateOp, op: { ...two.rotateOp.op, note: "" } });
      expect([odd.status, odd.json.rule]).to.deep.equal([422, "fields"]);
    });

    it("refuses repeated names, content beyond the limit before it is parsed, and what is no hash", async () => {
      const post = (body: string) => world.ask("/v1/ops", { method: "POST", headers: JSON_TYPE, body });
      expect((await post('{"op":{},"op":{},"sigs":[]}')).status).to.equal(400);
      expect((await post(" ".repeat(5_000))).status).to.equal(413);
      expect((await post("null")).status).to.be.oneOf([400, 422]);
      expect((await post("[]")).status).to.be.oneOf([400, 422]);
      expect((await world.ask("/v1/ops/nothing")).status).to.equal(400);
      expect((await world.ask(`/v1/ops/${"A".repeat(43)}`)).status).to.equal(404);
      expect((await world.ask(`/v1/ops/${"A".repeat(42)}B`)).status, "another spelling of a hash").to.equal(
        400,
      );
    });
  });

  describe("a passport that the zone holds", () => {
    it("is answered with 451 everywhere, by whose authority, and with a bundle that verifies", async () => {
      const ida = await world.open("ida");
      const choice = { case: "ZH-2026-17", reason: "court-order" } as const;
      const op = makeHold("hold", { id: ida.id, after: ida.state.head }, choice, new Date(world.now()));
      const hold = await signAsZone(op, world.served.keys.zone);
      expect((await world.send(hold)).status).to.equal(201);
      const answer = await world.bundle(ida.id);
      expect(answer.status).to.equal(451);
      expect(answer.json).to.include({
        authority: "zz",
        case: "ZH-2026-17",
        reason: "court-order",
        errorCode: 451,
      });
      expect(answer.headers["link"]).to.equal(`<${world.served.baseUrl}>; rel="blocked-by"`);
      const verified = await world.verify(answer.text, ida.id);
      expect(verified.kind === "present" && verified.hold?.case).to.equal("ZH-2026-17");
      for (const path of [`/v1/identifiers/${ida.did}`, `/v1/id/${ida.id}`, `/v1/id/${ida.id}/pod/a`]) {
        const refused = await world.ask(path);
        expect([refused.status, refused.headers["location"]], path).to.deep.equal([451, undefined]);
      }
      const line = JSON.parse((await world.resolve([ida.id])).text.trim().split("\n")[1] ?? "");
      expect(line.status).to.equal(451);
      const whole = await world.ask(`/v1/identifiers/${ida.did}`, {
        headers: { accept: "application/did-resolution" },
      });
      expect([whole.status, whole.json.didDocument]).to.deep.equal([451, null]);
      const { type } = whole.json.didResolutionMetadata.error;
      expect(type).to.equal(`${world.served.baseUrl}ns/problems#held`);
      const page = await world.ask("/ns/problems", { headers: { accept: "application/json" } });
      expect(page.json.problems.map((problem: { type: string }) => problem.type)).to.include(type);
    });
  });

  describe("who would wear the server out", () => {
    it("is kept waiting after many wrong operations, and everybody else is not", async () => {
      const small = await startRegistry({ limits: { operationsRefusedMax: 3 }, trustProxy: ["loopback"] });
      try {
        const post = (from: string, body = "{}") =>
          small.ask("/v1/ops", {
            method: "POST",
            headers: { ...JSON_TYPE, "x-forwarded-for": from },
            body,
          });
        const told: number[] = [];
        for (let tries = 0; tries < 6; tries++) told.push((await post("192.0.2.1")).status);
        expect(told.slice(0, 4).every((status) => status === 400 || status === 422)).to.equal(true);
        expect(told.slice(4)).to.deep.equal([429, 429]);
        expect((await post("192.0.2.1")).headers["retry-after"]).to.match(/^\d+$/);
        expect((await post("192.0.2.2")).status).to.not.equal(429);
        small.pass(60_000);
        expect((await post("192.0.2.1")).status).to.not.equal(429);
      } finally {
        await small.close();
      }
    });

    it("has a share of what waits for an epoch, and leaves the rest to others", async () => {
      const limits = { operationsWaitingPerNetworkMax: 2 };
      const small = await startRegistry({ limits, epochMs: 500, trustProxy: ["loopback"] });
      try {
        const sends = await Promise.all(["Q1", "Q2", "Q3", "Q4", "Q5"].map((name) => person(name)));
        const post = ({ create }: Person, from: string) =>
          small.ask("/v1/ops", {
            method: "POST",
            headers: { ...JSON_TYPE, "x-forwarded-for": from },
            body: JSON.stringify(create),
          });
        const told = await Promise.all(sends.map((one, at) => post(one, at < 4 ? "192.0.2.1" : "192.0.2.2")));
        const statuses = told.map(({ status }) => status);
        expect(statuses.slice(0, 4).toSorted((one, other) => one - other)).to.deep.equal([
          201, 201, 429, 429,
        ]);
        expect(statuses[4]).to.equal(201);
        const refused = sends[statuses.indexOf(429)];
        if (!refused) throw new Error("Nobody was refused");
        expect((await post(refused, "192.0.2.1")).status, "its seats are free again").to.equal(201);
      } finally {
        await small.close();
      }
    });

    it("has some batches at once and no more, and gives its seats back however it ends", async () => {
      const limits = { ...LIMITS, batchesPerNetworkMax: 2, batchesRunningMax: 3, batchMsMax: 20 };
      const door = createResolveDoor({ zones: [world.served.zone], root: () => null, limits });
      const begin = (ip: string, body = `{"ids":["${ana.id}"]}`) =>
        door({
          id: "x",
          method: "POST",
          url: new URL("http://localhost/v1/resolve"),
          params: {},
          headers: JSON_TYPE,
          ip,
          body: Readable.from([Buffer.from(body)]),
        });
      const statusOf = (error: unknown): unknown => (error as Problem).status;
      const [one] = [await begin("192.0.2.1"), await begin("192.0.2.1")];
      expect(await begin("192.0.2.1").catch(statusOf), "a third of one network").to.equal(429);
      await begin("192.0.2.2");
      expect(await begin("192.0.2.3").catch(statusOf), "a fourth of all").to.equal(429);
      const cut = Promise.withResolvers<void>();
      const leave = one.whileSent?.(() => cut.resolve());
      await cut.promise; // Nobody has read it in time.
      leave?.();
      leave?.();
      expect(await begin("192.0.2.3").catch(statusOf)).to.include({ status: 200 });
    });

    it("is told no before anything is looked up", async () => {
      const slow = await world.ask("/v1/resolve", {
        method: "POST",
        headers: { ...JSON_TYPE, "content-length": "1000000" },
      });
      expect(slow.status).to.equal(413);
    });
  });
});
