/** Two servers of one database: who listens to one is told of what the other wrote. */
import { join } from "node:path";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { type Running, serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { logIn } from "../support/dpop.ts";
import { describeOnPostgres } from "../support/postgres.ts";
import { quietPort } from "../support/process.ts";
import { makePlace, type Place } from "../torture/place.ts";
import { listen, subscribe, until } from "./support.ts";

describeOnPostgres("notifications of two servers on one database", function () {
  this.timeout(60_000);
  let place: Place;
  let ports: readonly string[];
  const servers: Running[] = [];
  before(async () => {
    place = await makePlace("postgres");
    ports = [await quietPort(), await quietPort()];
    for (const [index, port] of ports.entries())
      servers.push(
        await serve(
          readConfig({
            FREEHOLD_PORT: port,
            FREEHOLD_BASE_URL: `http://localhost:${ports[0]}/`,
            FREEHOLD_DATA: join(place.folder, String(index)),
            FREEHOLD_ROOT_KEY_FILE: join(place.folder, "root.key"),
            FREEHOLD_STORE: String(place.database),
            FREEHOLD_LIMITS: "listenerRecheckMs=300,feedPollMs=1000",
          }),
          () => {},
        ),
      );
  });
  after(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await place?.remove();
  });

  it("is told in order, goes on at either, and ends when the channel is removed at the other", async () => {
    const { context } = servers[0]!;
    const { credentials, pod } = await createPerson(context, {
      name: "Ana",
      podName: "ana",
      password: "a long password of Ana",
    });
    const ownFetch = await logIn(context.config.baseUrl, credentials.id, credentials.secret);
    const write = async (value: number): Promise<void> => {
      const headers = { "content-type": "text/turtle" };
      const response = await ownFetch(`${pod}x.ttl`, { method: "PUT", headers, body: `<#a> <#b> ${value}.` });
      expect(response.status).to.be.lessThan(300);
    };
    const { receiveFrom, id } = await subscribe(ownFetch, pod, "WebSocketChannel2023", `${pod}x.ttl`);
    const other = receiveFrom.replace(`:${ports[0]}/`, `:${ports[1]}/`);
    const [here, there] = [await listen(receiveFrom), await listen(other)];
    for (let value = 0; value < 5; value++) await write(value);
    await until("both are told", () => here.notes.length === 5 && there.notes.length === 5);
    expect(there.notes.map(({ cursor }) => cursor)).to.deep.equal(here.notes.map(({ cursor }) => cursor));
    const back = await listen(`${other}?after=${here.notes[2]?.cursor}`);
    await until("what came after", () => back.notes.length === 2);
    expect((await ownFetch(id, { method: "DELETE" })).status).to.equal(204);
    await until("all are over", () => [here, there, back].every(({ closed }) => closed?.code === 1000));
  });
});
