/** @inrupt/solid-client-notifications: a gateway is asked where to listen. */
import assert from "node:assert/strict";
import { getWellKnownSolid } from "@inrupt/solid-client";
import { WebsocketNotification } from "@inrupt/solid-client-notifications";
import { ana, ben, finish, openSession, step, until } from "./steps.mjs";

const session = await openSession(ana);
const bens = await openSession(ben);
const document = `${ana.pod}notes/live.ttl`;
const put = (text, url = document) =>
  session.fetch(url, {
    method: "PUT",
    headers: { "content-type": "text/turtle" },
    body: `<#it> <https://schema.org/name> "${text}".`,
  });
await put("first");

/** Listens to `topic` as somebody. */
async function listen(topic, who) {
  const socket = new WebsocketNotification(topic, { fetch: who.fetch });
  const heard = [];
  let isConnected = false;
  socket.on("connected", () => {
    isConnected = true;
  });
  socket.on("message", (message) => heard.push(typeof message === "string" ? JSON.parse(message) : message));
  socket.on("error", (error) => heard.push({ type: `error ${error.message ?? error}` }));
  await socket.connect();
  await until(() => isConnected);
  return { socket, heard };
}
const typesOf = (heard) => heard.flatMap(({ type }) => type);

await step("the origin names its gateway", async () => {
  const found = JSON.stringify(await getWellKnownSolid(document, { fetch: session.fetch }));
  assert.match(found, /notificationGateway/);
});

await step("an update and a deletion are told of as they happen", async () => {
  const { socket, heard } = await listen(document, session);
  await put("second");
  await until(() => typesOf(heard).includes("Update"));
  assert.equal(heard.find(({ type }) => [type].flat().includes("Update")).object, document);
  assert.ok(!JSON.stringify(heard).includes("second"), "what a document says is in no message");
  await session.fetch(document, { method: "DELETE" });
  await until(() => typesOf(heard).includes("Delete"));
  socket.disconnect();
});

await step("a folder tells what is added to it", async () => {
  const { socket, heard } = await listen(`${ana.pod}notes/`, session);
  await put("new", `${ana.pod}notes/added.ttl`);
  await until(() => JSON.stringify(heard).includes("added.ttl"));
  assert.ok(typesOf(heard).includes("Add"), JSON.stringify(heard));
  socket.disconnect();
});

await step("nothing is told after disconnecting", async () => {
  await put("first");
  const { socket, heard } = await listen(document, session);
  socket.disconnect();
  await put("second");
  await new Promise((done) => setTimeout(done, 500));
  assert.deepEqual(heard, []);
});

await step("who may not read does not get to listen", async () => {
  await assert.rejects(listen(document, bens));
});

finish();
