/** Bytes on a socket, and what comes back: for messages that no HTTP client would send. */
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { createDpopKey, type DpopKey } from "../support/dpop.ts";
import type { Person, TestServer } from "../support/server.ts";

export interface Answer {
  readonly status: number;
  /** Lower-cased; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ANSWER_MS_MAX = 5_000;
const SETTLED_MS_MAX = 2_000;

function parseChunks(text: string): { body: string; rest: string } | null {
  let body = "";
  for (let at = 0; ; ) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return null;
    const size = Number.parseInt(text.slice(at, end), 16);
    at = end + 2;
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
    if (size === 0) return { body, rest: text.slice(at) };
  }
}

/** @returns the first whole answer in the text, or null while there is none. */
function parseAnswer(text: string, method: string): { answer: Answer; rest: string } | null {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const status = Number(first.split(" ")[1]);
  const after = text.slice(end + 4);
  if (status < 200 || status === 204 || status === 304 || method === "HEAD")
    return { answer: { status, headers, body: "" }, rest: after };
  if (headers["transfer-encoding"] === "chunked") {
    const chunks = parseChunks(after);
    return chunks && { answer: { status, headers, body: chunks.body }, rest: chunks.rest };
  }
  const length = Number(headers["content-length"] ?? Number.NaN);
  if (!(after.length >= length)) return null;
  return { answer: { status, headers, body: after.slice(0, length) }, rest: after.slice(length) };
}

export interface Wire {
  readonly socket: Socket;
  send(text: string | Uint8Array): void;
  /** @param method Of the request that is answered: HEAD has no body. Rejects when the connection ends without an answer. */
  answer(method?: string): Promise<Answer>;
  /** Resolves when the other side has hung up. */
  closed: Promise<void>;
  end(): void;
}

export function openWire(baseUrl: string): Promise<Wire> {
  const { hostname, port } = new URL(baseUrl);
  const socket = connect(Number(port), hostname);
  let text = "";
  let wake = (): void => {};
  let isClosed = false;
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    wake();
  });
  socket.on("error", () => {}); // A server that hangs up is what some of this is about.
  const closed = new Promise<void>((resolve) =>
    socket.on("close", () => {
      isClosed = true;
      wake();
      resolve();
    }),
  );
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () =>
      resolve({
        socket,
        closed,
        send: (bytes) => void (socket.destroyed || socket.write(bytes)),
        end: () => socket.destroy(),
        async answer(method = "GET") {
          const until = performance.now() + ANSWER_MS_MAX;
          for (;;) {
            const found = parseAnswer(text, method);
            if (found) {
              text = found.rest;
              return found.answer;
            }
            if (isClosed) throw new Error(`Hung up without an answer: ${text.slice(0, 200)}`);
            const left = until - performance.now();
            if (left < 0) throw new Error(`No answer in time: ${text.slice(0, 200)}`);
            await new Promise<void>((done) => {
              const timer = setTimeout(done, left);
              wake = () => {
                clearTimeout(timer);
                done();
              };
            });
          }
        },
      }),
    );
  });
}

/** One message on a connection of its own. @param message Head and content as they are; `\n` is written as CRLF in the head. */
export async function tell(
  baseUrl: string,
  head: string,
  content: string | Uint8Array = "",
): Promise<Answer> {
  const wire = await openWire(baseUrl);
  try {
    wire.send(`${head.trim().replace(/\r?\n\s*/g, "\r\n")}\r\n\r\n`);
    if (content.length > 0) wire.send(content);
    return await wire.answer(head.trim().split(" ", 1)[0]);
  } finally {
    wire.end();
  }
}

/** What a person's client has after login, laid open. */
export interface Login {
  readonly token: string;
  readonly key: DpopKey;
  /** The two header lines of a request that is allowed. */
  headers(method: string, url: string): Promise<string>;
}

export async function login({ baseUrl }: TestServer, { credentials }: Person): Promise<Login> {
  const key = await createDpopKey();
  const endpoint = `${baseUrl}.oidc/token`;
  const { id, secret } = credentials;
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
      dpop: await key.proof("POST", endpoint),
    },
    body: "grant_type=client_credentials&scope=webid",
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return {
    token,
    key,
    headers: async (method, url) =>
      `Authorization: DPoP ${token}\nDPoP: ${await key.proof(method, url.split("?", 1)[0] ?? url)}`,
  };
}

/** RFC 9457 with what to do next, and nothing of the inside of the server. */
export function expectProblem(answer: Answer, status: number, code?: string): Record<string, unknown> {
  expect(answer.status, answer.body).to.equal(status);
  expect(answer.headers["content-type"]).to.equal("application/problem+json");
  const problem = JSON.parse(answer.body) as Record<string, unknown>;
  expect(problem).to.include.keys("type", "title", "status", "next");
  expect(problem["status"]).to.equal(status);
  if (code !== undefined) expect(problem["type"]).to.match(new RegExp(`#${code}$`));
  expectNothingInside(answer);
  return problem;
}

export function expectNothingInside({ headers, body }: Answer): void {
  const all = `${JSON.stringify(headers)}\n${body}`;
  expect(all).not.to.match(
    / {4}at |\.ts:\d|node_modules|node:internal|freehold-test-|SQLITE|ENOENT|\/server\//,
  );
  expect(headers).not.to.have.any.keys("x-powered-by", "server");
}

/** How often the pod was written, and which files of large binaries there are. */
export async function stateOf(
  { context, folder }: TestServer,
  podName: string,
): Promise<{ readonly generation: number; readonly files: readonly string[] }> {
  const pod = await context.pods.find(podName);
  if (!pod) throw new Error(`No pod ${podName}`);
  const generation = await context.store.read(pod.id, async (snapshot) => snapshot.generation);
  return { generation, files: blobFiles(folder).filter((file) => !file.endsWith(".draft")) };
}

/** Files of large binaries, and drafts of those that are being uploaded. */
function blobFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.parentPath.includes("blobs"))
    .map((file) => join(file.parentPath, file.name));
}

/** Half an upload is cleared away soon after its answer. */
export async function expectNoDrafts({ folder }: TestServer): Promise<void> {
  const until = performance.now() + SETTLED_MS_MAX;
  const drafts = () => blobFiles(folder).filter((file) => file.endsWith(".draft"));
  while (drafts().length > 0 && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(drafts(), "drafts").to.deep.equal([]);
}

/** Nothing was stored since; what is half done when the answer is out is cleared away soon. */
export async function expectState(
  server: TestServer,
  podName: string,
  state: Awaited<ReturnType<typeof stateOf>>,
): Promise<void> {
  const until = performance.now() + SETTLED_MS_MAX;
  let now = await stateOf(server, podName);
  while (JSON.stringify(now) !== JSON.stringify(state) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    now = await stateOf(server, podName);
  }
  expect(now, "nothing is stored").to.deep.equal(state);
}
