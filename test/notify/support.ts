/** Subscribing and receiving as a client does, over real connections. */
import { expect } from "chai";
import { WebSocket } from "ws";
import type { Person, TestServer } from "../support/server.ts";

export const CONTEXT = "https://www.w3.org/ns/solid/notifications-context/v1";
export const LD = { "content-type": "application/ld+json" };

export interface Note {
  readonly id: string;
  readonly type: string;
  readonly object: string;
  readonly target?: string;
  readonly state?: string;
  readonly published: string;
  readonly cursor: number;
}

export interface Channel {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly receiveFrom: string;
  readonly endAt: string;
}

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until something is so. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  msMax = 5_000,
): Promise<void> {
  const end = Date.now() + msMax;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`It never came to this: ${what}`);
    await sleep(5);
  }
}

export function ask(
  fetcher: Fetch,
  pod: string,
  type: string,
  topic: string,
  members: Readonly<Record<string, unknown>> = {},
): Promise<Response> {
  return fetcher(`${pod}.notifications/${type}`, {
    method: "POST",
    headers: LD,
    body: JSON.stringify({ "@context": [CONTEXT], type, topic, ...members }),
  });
}

export async function subscribe(
  fetcher: Fetch,
  pod: string,
  type: string,
  topic: string,
  members: Readonly<Record<string, unknown>> = {},
): Promise<Channel> {
  const response = await ask(fetcher, pod, type, topic, members);
  expect(response.status, await response.clone().text()).to.equal(200);
  return (await response.json()) as Channel;
}

export interface Ear {
  readonly notes: Note[];
  readonly texts: string[];
  /** Code and reason of the end; null as long as it is open. */
  closed: { readonly code: number; readonly reason: string } | null;
  readonly socket: WebSocket;
  close(): Promise<void>;
}

/** Connects, and is open when resolved. */
export async function listen(
  url: string,
  headers: Record<string, string> = {},
  protocol?: string,
): Promise<Ear> {
  const socket = new WebSocket(url, protocol ? [protocol] : [], { headers });
  const ear: Ear = {
    notes: [],
    texts: [],
    closed: null,
    socket,
    async close() {
      socket.close();
      await until("the socket is closed", () => ear.closed !== null);
    },
  };
  socket.on("message", (content) => {
    const text = (content as Buffer).toString();
    ear.texts.push(text);
    if (text.startsWith("{")) ear.notes.push(JSON.parse(text) as Note);
  });
  socket.on("close", (code, reason) => void (ear.closed = { code, reason: reason.toString() }));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return ear;
}

/** @returns the status with which a handshake was refused. */
export function refusalOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
      socket.on("error", () => {});
      socket.terminate();
    });
    socket.on("open", () => {
      socket.terminate();
      reject(new Error("It was let in"));
    });
    socket.on("error", () => {});
  });
}

export interface Stream {
  readonly response: Response;
  text: string;
  isOver: boolean;
  leave(): Promise<void>;
}

/** Reads a stream until it is left. */
export async function stream(
  fetcher: Fetch,
  url: string,
  headers: Record<string, string> = {},
): Promise<Stream> {
  const controller = new AbortController();
  const response = await fetcher(url, { headers, signal: controller.signal });
  const one: Stream = {
    response,
    text: "",
    isOver: false,
    async leave() {
      controller.abort();
      await until("the stream is over", () => one.isOver);
    },
  };
  void (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const part of response.body ?? []) one.text += decoder.decode(part, { stream: true });
    } catch {
      // Left.
    }
    one.isOver = true;
  })();
  return one;
}

/** Messages of a StreamingHTTPChannel2023 so far. */
export const notesIn = ({ text }: Stream): readonly Note[] =>
  text
    .split("\n")
    .slice(0, -1)
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Note);

export async function put(person: Person, path: string, text: string, headers = {}): Promise<Response> {
  const response = await person.fetch(`${person.pod}${path}`, {
    method: "PUT",
    headers: { "content-type": "text/turtle", ...headers },
    body: text,
  });
  expect(response.status).to.be.lessThan(300);
  return response;
}

export async function remove(person: Person, path: string): Promise<void> {
  expect((await person.fetch(`${person.pod}${path}`, { method: "DELETE" })).status).to.be.lessThan(300);
}

/** Rules of a resource: who may do what. */
export function rules(owner: string, url: string, others: Readonly<Record<string, string>>): string {
  const rule = (name: string, who: string, modes: string): string =>
    `<#${name}> a acl:Authorization; ${who}; acl:accessTo <${url}>; ${url.endsWith("/") ? `acl:default <${url}>; ` : ""}acl:mode ${modes}.`;
  return [
    "@prefix acl: <http://www.w3.org/ns/auth/acl#>. @prefix foaf: <http://xmlns.com/foaf/0.1/>.",
    rule("owner", `acl:agent <${owner}>`, "acl:Read, acl:Write, acl:Control"),
    ...Object.entries(others).map(([who, modes], index) =>
      rule(`other${index}`, who === "everybody" ? "acl:agentClass foaf:Agent" : `acl:agent <${who}>`, modes),
    ),
  ].join("\n");
}

export async function share(
  person: Person,
  path: string,
  others: Readonly<Record<string, string>>,
): Promise<void> {
  const url = `${person.pod}${path}`;
  await put(person, `${path}.acl`, rules(person.webid, url, others));
}

/** Number of the last entry of a pod's journal. */
export async function headOf({ context }: TestServer, name: string): Promise<number> {
  const pod = await context.pods.find(name);
  return (await context.store.journal.head(pod!.id)).number;
}
