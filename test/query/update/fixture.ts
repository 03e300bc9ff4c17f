/** A server with Ana's pod, and what tests of updates do and ask all the time. */
import { expect } from "chai";
import { write } from "../../doors/people.ts";
import { type Person, startServer, type TestServer } from "../../support/server.ts";

export const TYPE = "application/sparql-update";

export interface UpdateTests {
  readonly server: TestServer;
  readonly ana: Person;
  readonly ben: Person;
  /** A folder of its own for each test. */
  readonly folder: string;
  readonly update: (
    text: string,
    who?: Person,
    parameters?: string,
    headers?: Record<string, string>,
  ) => Promise<Response>;
  /** What a document says, as N-Triples in order; null when it is not there. */
  readonly read: (name: string) => Promise<string | null>;
  readonly put: (name: string, turtle: string) => Promise<void>;
}

/** To be called within `describe`. */
export function onPod(): UpdateTests {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let count = 0;
  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
  });
  after(() => server.close());
  beforeEach(() => void count++);
  const tests: UpdateTests = {
    get server() {
      return server;
    },
    get ana() {
      return ana;
    },
    get ben() {
      return ben;
    },
    get folder() {
      return `${ana.pod}t${count}/`;
    },
    update: (text, who = ana, parameters = "", headers = {}) =>
      who.fetch(`${ana.pod}sparql-update${parameters}`, {
        method: "POST",
        headers: { "content-type": TYPE, ...headers },
        body: `PREFIX : <urn:x:> ${text}`,
      }),
    read: async (name) => {
      const response = await ana.fetch(tests.folder + name, { headers: { accept: "application/n-triples" } });
      if (response.status === 404) return null;
      expect(response.status).to.equal(200);
      return (await response.text()).trim().split("\n").sort().join(" ");
    },
    put: (name, turtle) => write(ana, tests.folder + name, `@prefix : <urn:x:> . ${turtle}`),
  };
  return tests;
}

/** @returns the detail of the refusal. */
export async function refused(response: Response, status: number, code: string): Promise<string> {
  expect(response.status).to.equal(status);
  const problem = (await response.json()) as { type: string; detail: string };
  expect(problem.type).to.match(new RegExp(`#${code}$`));
  return problem.detail;
}

export async function done(response: Response): Promise<void> {
  expect(response.status, await response.clone().text()).to.equal(204);
}
