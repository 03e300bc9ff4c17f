/** A server that is killed in the middle of sending: nothing is lost, and nothing comes out of order. */
import { randomInt } from "node:crypto";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { type Running, serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { setAccess } from "../doors/people.ts";
import { type Fetch, logIn } from "../support/dpop.ts";
import { describeOnPostgres } from "../support/postgres.ts";
import { freehold, type Program, quietPort } from "../support/process.ts";
import type { Person } from "../support/server.ts";
import { makePlace, type Place } from "../torture/place.ts";
import { openReceiver, type Receiver, statusOf, until } from "./webhook-receiver.ts";
import { QUICK, subscribe } from "./webhook-subscribe.ts";

const ROUNDS = 4;
const KILL_MS = [150, 600] as const;
const FAILS_ONE_IN = 4;

for (const engine of ["sqlite", "postgres"] as const) {
  const describeHere = engine === "postgres" ? describeOnPostgres : describe;
  describeHere(`A webhook of a server that is killed, on ${engine}`, function () {
    this.timeout(90_000);
    let place: Place;
    let receiver: Receiver;
    let port: string;
    let settings: Readonly<Record<string, string>>;
    let program: Program | null = null;
    let people: readonly { readonly webid: string; readonly pod: string; readonly fetch: Fetch }[];
    let topic: string;

    const open = (): Promise<Running> =>
      serve(readConfig({ ...settings, FREEHOLD_PORT: port, FREEHOLD_DATA: place.folder }), () => undefined);
    const start = async (): Promise<Program> => {
      program = freehold(["start", "--port", port, "--data", place.folder], settings);
      await program.until(/address/);
      return program;
    };

    before(async () => {
      [place, receiver, port] = await Promise.all([makePlace(engine), openReceiver(), quietPort()]);
      settings = {
        FREEHOLD_LOG_LEVEL: "error",
        FREEHOLD_EGRESS_ALLOW: receiver.origin,
        FREEHOLD_LIMITS: [...QUICK, "webhookLeaseMs=400"].join(","),
        ...(place.database && { FREEHOLD_STORE: place.database }),
      };
      const running = await open();
      const { baseUrl } = running.context.config;
      people = await Promise.all(
        ["Ana", "Ben"].map(async (name) => {
          const password = `a long password of ${name}`;
          const person = await createPerson(running.context, { name, podName: name.toLowerCase(), password });
          return { ...person, fetch: await logIn(baseUrl, person.credentials.id, person.credentials.secret) };
        }),
      );
      const [ana, ben] = people;
      topic = `${ana?.pod}notes.ttl`;
      await put(0);
      await setAccess(ana as Person, topic, [{ to: String(ben?.webid), modes: ["Read"], on: "own" }]);
      await subscribe(ben!.fetch, ana!.pod, topic, `${receiver.origin}/hook`);
      await running.close();
    });
    after(async () => {
      await program?.stop("SIGKILL");
      await place?.remove();
      await receiver?.close();
    });

    /** @returns whether it was acknowledged. */
    async function put(count: number): Promise<boolean> {
      try {
        const response = await people[0]!.fetch(topic, {
          method: "PUT",
          headers: { "content-type": "text/turtle" },
          body: `<> <urn:x:is> ${count} .`,
        });
        await response.arrayBuffer();
        return response.ok;
      } catch {
        return false; // Killed before it answered.
      }
    }

    it("tells of each change that was made, in order, and stops cleanly in the end", async () => {
      receiver.onMessage("/hook", (delivery, response) => {
        const isTaken = randomInt(FAILS_ONE_IN) !== 0;
        setTimeout(() => statusOf(isTaken ? 204 : 500)(delivery, response), randomInt(10));
      });
      let acknowledged = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const running = await start();
        const killed = { is: false };
        const work = (async () => {
          for (let count = 1; !killed.is; count += 1) if (await put(count)) acknowledged += 1;
        })();
        await new Promise((resolve) => setTimeout(resolve, randomInt(...KILL_MS)));
        killed.is = true;
        const { err } = await running.stop("SIGKILL");
        expect(err).to.equal("");
        await work;
      }
      const last = await open();
      const { context } = last;
      const pod = await context.pods.find("ana");
      const entries = await context.journal.read(pod!, 0, 100_000);
      const changes = entries.filter(
        ({ entry }) => entry?.path === "/ana/notes.ttl" && entry.act === "change",
      );
      expect(changes.length).to.be.at.least(acknowledged).and.to.be.above(ROUNDS);
      const expected = changes.map(({ number }) => number);
      const told = (): number[] => [...new Set(receiver.messages("/hook").map(({ cursor }) => cursor))];
      await until(() => told().length >= expected.length, "all changes", 30_000);
      expect(told()).to.deep.equal(expected); // Each came first in its place.
      const names = new Map(receiver.messages("/hook").map(({ cursor, id }) => [cursor, id]));
      for (const { cursor, id } of receiver.messages("/hook")) expect(names.get(cursor)).to.equal(id);
      const cursorOf = async (): Promise<number> =>
        (await context.notifications.channels.list(pod!))[0]?.cursor ?? 0;
      await until(async () => (await cursorOf()) >= expected.at(-1)!, "all to be taken");
      await last.close();

      const tried = receiver.messages("/hook").length;
      const again = await start();
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(receiver.messages("/hook"), "what was taken is not sent again").to.have.length(tried);
      receiver.onMessage("/hook", () => {}); // Stuck in an attempt.
      await put(-1);
      await until(() => receiver.messages("/hook").length > tried, "an attempt");
      const { code, err } = await again.stop("SIGTERM");
      expect([code, err]).to.deep.equal([0, ""]);
    });
  });
}
