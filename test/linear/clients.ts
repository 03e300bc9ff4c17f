/** Clients that use the same few documents at the same time, over HTTP, and write down what they asked and were told. */
import { Agent, request } from "node:http";
import type { Person } from "../support/server.ts";
import type { Dice } from "../torture/model.ts";
import type { Answered, Asked, Call } from "./checker.ts";

export interface Clients {
  /** @returns the calls of a new history, by document. */
  record(dice: Dice): Promise<ReadonlyMap<string, readonly Call[]>>;
  close(): void;
}

const CLIENTS = 5;
const CALLS_MAX = 12;
const DOCUMENTS_MAX = 3;
const HUNG_UP_ONE_IN = 40;
const HEARD_BACK_MS_MAX = 10_000;

const wordOf = (number: number): string => `<#it> <https://vocab.example/n> "v${number}" .`;
const bodyOf = (numbers: readonly number[]): string => numbers.map(wordOf).join("\n");

function patchOf(inserts: number | null, deletes: number | null): string {
  const part = (name: string, number: number | null): string =>
    number === null ? "" : `; solid:${name} { ${wordOf(number)} }`;
  return `@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch${part("inserts", inserts)}${part("deletes", deletes)} .`;
}

const TURTLE = { "content-type": "text/turtle" };

function messageOf(asked: Asked): { method: string; headers: Record<string, string>; body: string | null } {
  switch (asked.kind) {
    case "get":
      return { method: "GET", headers: {}, body: null };
    case "put":
      return { method: "PUT", headers: TURTLE, body: bodyOf(asked.numbers) };
    case "put-if-match":
      return { method: "PUT", headers: { ...TURTLE, "if-match": asked.etag }, body: bodyOf(asked.numbers) };
    case "put-if-none-match":
      return { method: "PUT", headers: { ...TURTLE, "if-none-match": "*" }, body: bodyOf(asked.numbers) };
    case "delete":
      return { method: "DELETE", headers: {}, body: null };
    case "delete-if-match":
      return { method: "DELETE", headers: { "if-match": asked.etag }, body: null };
    case "patch":
  }
  const body = patchOf(asked.inserts, asked.deletes);
  return { method: "PATCH", headers: { "content-type": "text/n3" }, body };
}

/** The folder that anybody may write to, so that nobody need log in. */
export async function openFolder(person: Person): Promise<string> {
  const folder = `${person.pod}linear/`;
  const acl = `@prefix acl: <http://www.w3.org/ns/auth/acl#>.
    <#owner> a acl:Authorization; acl:agent <${person.webid}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control.
    <#all> a acl:Authorization; acl:agentClass <http://xmlns.com/foaf/0.1/Agent>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write.`;
  for (const [url, body] of [
    [folder, ""],
    [`${folder}.acl`, acl],
  ] as const) {
    const { status } = await person.fetch(url, { method: "PUT", headers: TURTLE, body });
    if (status !== 201) throw new Error(`${url} answered ${status}`);
  }
  return folder;
}

/** @param ports Of the servers that the clients use in turn; that of the folder's own address when there are none. */
export function createClients(folder: string, ports: readonly string[] = []): Clients {
  const agents = Array.from({ length: CLIENTS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const { hostname, host, port, pathname } = new URL(folder);
  let histories = 0;
  let clock = 0;
  let number = 0;

  /** @param hangsUp Closes the connection at some moment after sending. @returns null if no answer was heard. */
  function send(client: number, name: string, asked: Asked, hangsUp: boolean): Promise<Answered | null> {
    const { method, headers, body } = messageOf(asked);
    return new Promise((resolve, reject) => {
      const options = {
        hostname,
        port: ports[client % ports.length] ?? port,
        method,
        path: `${pathname}${name}`,
        headers: { ...headers, host },
        agent: agents[client],
      };
      const sent = request({ ...options, timeout: HEARD_BACK_MS_MAX }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("error", () => resolve(null));
        response.on("end", () => {
          const { statusCode: status = 0, headers: told } = response;
          if (status >= 500 || status === 401 || status === 403 || status === 400)
            reject(new Error(`${method} ${name} answered ${status}: ${text}`));
          const numbers =
            asked.kind === "get" && status === 200
              ? [...text.matchAll(/"v(\d+)"/g)].map((m) => Number(m[1]))
              : null;
          resolve({ status, etag: told.etag ?? null, numbers });
        });
      });
      sent.on("error", (error) => (hangsUp ? resolve(null) : reject(error)));
      sent.end(body);
      if (hangsUp) sent.on("finish", () => setTimeout(() => sent.destroy(), (clock * 7) % 4));
    });
  }

  /** What the client may ask next, from what it has been told. */
  function choose(dice: Dice, etag: string | null, known: readonly number[]): Asked {
    const numbers = [++number];
    const kind = dice(16);
    if (kind < 5) return { kind: "get" };
    if (kind < 6) return { kind: "put", numbers };
    if (kind < 9) return etag ? { kind: "put-if-match", etag, numbers } : { kind: "put", numbers };
    if (kind < 11) return { kind: "put-if-none-match", numbers };
    if (kind < 14) {
      const deletes = dice(2) === 0 ? (known[dice(known.length || 1)] ?? null) : null;
      return { kind: "patch", inserts: deletes === null || dice(2) === 0 ? number : null, deletes };
    }
    if (kind < 15 && etag) return { kind: "delete-if-match", etag };
    return { kind: "delete" };
  }

  return {
    async record(dice) {
      const history = ++histories;
      const names = Array.from({ length: 1 + dice(DOCUMENTS_MAX) }, (_, n) => `h${history}-${n}.ttl`);
      const calls = new Map<string, Call[]>(names.map((name) => [name, []]));
      await Promise.all(
        agents.map(async (_, client) => {
          const etags = new Map<string, string>();
          const known = new Map<string, readonly number[]>();
          for (let left = 1 + dice(CALLS_MAX); left > 0; left--) {
            const name = names[dice(names.length)] ?? "";
            const asked = choose(dice, etags.get(name) ?? null, known.get(name) ?? []);
            const began = ++clock;
            const answer = await send(client, name, asked, dice(HUNG_UP_ONE_IN) === 0);
            const ended = answer ? ++clock : Number.POSITIVE_INFINITY;
            // A read that was not heard says nothing.
            if (answer || asked.kind !== "get")
              calls.get(name)?.push({ ...asked, client, began, ended, answer });
            if (answer?.etag) etags.set(name, answer.etag);
            if (answer?.numbers) known.set(name, answer.numbers);
            else if ("numbers" in asked) known.set(name, asked.numbers);
          }
        }),
      );
      return calls;
    },
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}
