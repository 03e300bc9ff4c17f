/** What every program here shares: who it is for, its steps, and a person's session as an application has it. */
import { writeSync } from "node:fs";
import { EVENTS, Session } from "@inrupt/solid-client-authn-node";

/** Clients print as they like; what a step came to goes out where nobody else writes. */
const OUTCOMES = 3;

/** The server's base URL, and two people who live there: `{ webid, pod, credentials: { id, secret } }`. */
export const { baseUrl, ana, ben } = JSON.parse(process.env.CLIENT_INPUT);

/** One sentence that the client shows to be true. */
export async function step(name, work) {
  let error = null;
  try {
    await work();
  } catch (cause) {
    error = cause?.stack ?? JSON.stringify(cause);
  }
  writeSync(OUTCOMES, `${JSON.stringify({ name, error })}\n`);
}

/** Logs in with client credentials and DPoP. */
export async function openSession({ credentials }) {
  const session = new Session({ keepAlive: false });
  session.events.on(EVENTS.TIMEOUT_SET, (timer) => timer.unref());
  await session.login({
    oidcIssuer: baseUrl,
    clientId: credentials.id,
    clientSecret: credentials.secret,
    tokenType: "DPoP",
  });
  return session;
}

/** Waits until `look` finds something. */
export async function until(look, msMax = 8_000) {
  for (const end = Date.now() + msMax; Date.now() < end; await new Promise((done) => setTimeout(done, 20))) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`Waited ${msMax} ms for ${look}`);
}

/** Sockets and timers that a client leaves open end with it. */
export function finish() {
  process.exit(0);
}
