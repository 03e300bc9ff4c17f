/**
 * `npm run bench -- --fan-out`: how long after a write begins a thousand WebSockets have heard of it. Every one is a
 * subscription of its own, decided anew for each message; writer and listeners share one process, so their own work counts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { freeholdContender } from "./freehold.ts";
import { fetchAs } from "./login.ts";

const LISTENERS = 1_000;
const AT_ONCE = 20;
const WRITES = 50;
const PAUSE_MS = 100;
const GOAL_MS = 100; // 99 % of all messages.
const FOLDER = "/ana/heard/";
const CONTEXT = "https://www.w3.org/ns/solid/notifications-context/v1";
const LIMITS = [
  "channelsPerAgentMax",
  "channelsPerPodMax",
  "listenersMax",
  "listenersPerPodMax",
  "listenersPerAgentMax",
];

function open(url: string, heard: (text: string) => void): Promise<WebSocket> {
  const socket = new WebSocket(url);
  socket.on("message", (content) => heard((content as Buffer).toString()));
  return new Promise((done, fail) => {
    socket.once("open", () => done(socket));
    socket.once("error", fail);
  });
}

/** @returns whether the goal was met. */
export async function measureFanOut(): Promise<boolean> {
  const contender = await freeholdContender(LIMITS.map((name) => `${name}=${2 * LISTENERS}`));
  const server = await contender.start();
  const login = await server.logIn?.();
  if (!login) throw new Error("Nobody can log in");
  const sockets: WebSocket[] = [];
  const begun = new Map<string, number>();
  const took: number[] = [];
  const topic = `${server.origin}${FOLDER}`;
  const put = (name: string) =>
    fetchAs(login, `${topic}${name}`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: "<#a> <#b> 1 .",
    });
  function heard(text: string): void {
    const { object } = JSON.parse(text) as { object: string };
    const since = begun.get(object);
    if (since !== undefined) took.push(performance.now() - since);
  }
  async function subscribe(): Promise<void> {
    const type = "WebSocketChannel2023";
    const answer = await fetchAs(login!, `${server.origin}/ana/.notifications/${type}`, {
      method: "POST",
      headers: { "content-type": "application/ld+json" },
      body: JSON.stringify({ "@context": [CONTEXT], type, topic }),
    });
    if (!answer.ok) throw new Error(`A subscription was answered with ${answer.status}`);
    const { receiveFrom } = (await answer.json()) as { receiveFrom: string };
    sockets.push(await open(receiveFrom, heard));
  }
  try {
    await put("first.ttl");
    for (let count = 0; count < LISTENERS; count += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, subscribe));
    for (let count = 0; count < WRITES; count += 1) {
      begun.set(`${topic}${count}.ttl`, performance.now());
      await put(`${count}.ttl`);
      await sleep(PAUSE_MS);
    }
    for (let waited = 0; took.length < LISTENERS * WRITES && waited < 100; waited += 1) await sleep(PAUSE_MS);
    const sorted = took.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const isMet = took.length === LISTENERS * WRITES && at(0.99) < GOAL_MS;
    process.stdout.write(
      `${LISTENERS} WebSockets, ${WRITES} writes: ${took.length} messages, from the write's beginning p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms (goal ${GOAL_MS}): ${isMet ? "met" : "missed"}\n`,
    );
    return isMet;
  } finally {
    for (const socket of sockets) socket.terminate();
    await server.stop();
    contender.remove();
  }
}
