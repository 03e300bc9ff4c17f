/** Two real servers on one real PostgreSQL: what one has acknowledged, the other shows; whoever is killed, nothing of it is lost. */
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { createClients, openFolder } from "../linear/clients.ts";
import { checkClients } from "../linear/histories.ts";
import { describeOnPostgres, testPostgres } from "../support/postgres.ts";
import { freehold, type Program, quietPort } from "../support/process.ts";
import { type Person, startServer } from "../support/server.ts";
import { temporaryFolder } from "../support/store.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const WRITERS = 12;
const UP_MS_MAX = 30_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

describeOnPostgres("two servers on one PostgreSQL", function () {
  this.timeout(120_000);
  let folder: string;
  let remove: () => Promise<void>;
  let url: string;
  let ports: readonly [string, string];
  let programs: Program[] = [];
  let ana: Person;
  let open: string;

  const start = async (index: 0 | 1): Promise<void> => {
    const program = freehold(["start"], {
      FREEHOLD_STORE: url,
      FREEHOLD_PORT: ports[index],
      FREEHOLD_BASE_URL: `http://localhost:${ports[0]}/`,
      FREEHOLD_DATA: join(folder, String(index)),
      FREEHOLD_ROOT_KEY_FILE: join(folder, "root.key"),
      FREEHOLD_LOG_LEVEL: "error",
      FREEHOLD_LIMITS: "writesPerAgentMax=1000000",
    });
    programs[index] = program;
    await program.until(/address/);
  };

  before(async () => {
    const temporary = await temporaryFolder();
    folder = temporary.folder;
    remove = () => temporary.remove();
    url = await testPostgres().createDatabase();
    ports = [await quietPort(), await quietPort()];
    const first = await startServer({
      FREEHOLD_STORE: url,
      FREEHOLD_PORT: ports[0],
      FREEHOLD_BASE_URL: `http://localhost:${ports[0]}/`,
      FREEHOLD_ROOT_KEY_FILE: join(folder, "root.key"),
    });
    ana = await first.person("Ana");
    open = await openFolder(ana);
    await first.close();
    await Promise.all([start(0), start(1)]);
  });
  after(async () => {
    await Promise.all(programs.map((program) => program.stop("SIGKILL")));
    if (url) await testPostgres().dropDatabase(url);
    await remove?.();
  });

  /** @returns null when no answer came. */
  function send(port: string, method: string, target: string, body?: string): Promise<Answer | null> {
    const { hostname, host, pathname } = new URL(target);
    const headers = { host, ...(body === undefined ? {} : { "content-type": "text/turtle" }) };
    return new Promise((resolve) => {
      const sent = request({ hostname, port, method, path: pathname, headers, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("error", () => resolve(null));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.on("error", () => resolve(null));
      sent.end(body);
    });
  }

  /** Writers that use both servers until they are told to stop. @returns what was acknowledged, and all other answers. */
  async function writeWhile(name: string, trouble: () => Promise<void>) {
    const acknowledged: string[] = [];
    const others = new Map<number, number>();
    const over = new AbortController();
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let n = 0; !over.signal.aborted; n++) {
        const target = `${open}${name}-${writer}-${n}.ttl`;
        const answer = await send(
          ports[(writer % 2) as 0 | 1],
          "PUT",
          target,
          `<#it> <https://vocab.example/n> "${n}".`,
        );
        if (answer?.status === 201) acknowledged.push(target);
        else {
          others.set(answer?.status ?? 0, (others.get(answer?.status ?? 0) ?? 0) + 1);
          await sleep(20);
        }
      }
    });
    await trouble();
    over.abort();
    await Promise.all(writers);
    return { acknowledged, others: [...others.keys()] };
  }

  async function lost(port: string, targets: readonly string[]): Promise<string[]> {
    const missing: string[] = [];
    for (let from = 0; from < targets.length; from += 16) {
      await Promise.all(
        targets.slice(from, from + 16).map(async (target) => {
          const answer = await send(port, "GET", target);
          if (answer?.status !== 200 || !answer.text.includes("vocab.example/n"))
            missing.push(`${target} ${answer?.status}`);
        }),
      );
    }
    return missing;
  }

  it("requests to both, at the same time, are linearizable: 60 histories", async () => {
    const { fault, calls } = await checkClients(createClients(open, ports), 60, SEED);
    expect(fault).to.equal(null);
    expect(calls).to.be.greaterThan(500);
  });

  it("what the owner forbids at one, the other refuses at the next request; what is allowed again, it gives", async () => {
    const rule = (mode: string): string => `@prefix acl: <http://www.w3.org/ns/auth/acl#>.
        <#owner> a acl:Authorization; acl:agent <${ana.webid}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control.
        <#all> a acl:Authorization; acl:agentClass <http://xmlns.com/foaf/0.1/Agent>; acl:accessTo <./>; acl:default <./>; acl:mode ${mode}.`;
    const folderUrl = `${ana.pod}rules/`;
    const document = `${folderUrl}a.ttl`;
    const put = (target: string, body: string) =>
      ana.fetch(target, { method: "PUT", headers: { "content-type": "text/turtle" }, body });
    expect((await put(folderUrl, "")).status).to.equal(201);
    expect((await put(document, "<#a> <#b> <#c>.")).status).to.equal(201);
    for (let times = 0; times < 15; times++) {
      await put(`${folderUrl}.acl`, rule("acl:Read"));
      expect((await send(ports[1], "GET", document))?.status).to.equal(200);
      await put(`${folderUrl}.acl`, rule("acl:Append"));
      const refused = await send(ports[1], "GET", document);
      expect(refused?.status).to.equal(401);
      expect(refused?.text).not.to.include("#c");
    }
  });

  it("a server that is killed in the middle of writing loses nothing that it acknowledged", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const outcome = await writeWhile(`kill${round}`, async () => {
        await sleep(400 + round * 150);
        await programs[0]?.stop("SIGKILL");
        await sleep(200);
      });
      acknowledged.push(...outcome.acknowledged);
      expect(await lost(ports[1], outcome.acknowledged), "at the other").to.deep.equal([]);
      await start(0);
    }
    expect(acknowledged.length).to.be.greaterThan(50);
    expect(await lost(ports[0], acknowledged), "after its restart").to.deep.equal([]);
  });

  it("a database that ends at once and comes back loses nothing acknowledged, and both servers go on", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const outcome = await writeWhile(`restart${round}`, async () => {
        await sleep(500);
        await testPostgres().restart();
        await sleep(700);
      });
      acknowledged.push(...outcome.acknowledged);
      for (const status of outcome.others) expect(status).to.be.oneOf([0, 503]);
    }
    const until = Date.now() + UP_MS_MAX;
    for (const port of ports) {
      while ((await send(port, "GET", `http://localhost:${ports[0]}/readyz`))?.status !== 200) {
        expect(Date.now(), "not ready again").to.be.lessThan(until);
        await sleep(100);
      }
      expect(await lost(port, acknowledged)).to.deep.equal([]);
    }
    expect(acknowledged.length).to.be.greaterThan(50);
  });
});
