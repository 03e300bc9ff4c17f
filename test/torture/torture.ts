/** Kills a real server in the middle of real requests, starts it again on the same folder, and looks at everything. */
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createPerson, type Person } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { type Fetch, logIn } from "../support/dpop.ts";
import { freehold, type Program, quietPort } from "../support/process.ts";
import { Corner, createDice, FOLDER, type State, stateOf, stateOfNumbers } from "./model.ts";

const CLIENTS_PER_POD = 5;
const KILL_MS_MIN = 20;
const KILL_MS_MAX = 500;
const STARTS_KILLED_ONE_IN = 5; // Recovery itself is cut short as well.
const START_KILL_MS_MAX = 400;
const SWEEP_MS_MAX = 10_000;

export interface Report {
  readonly kills: number;
  readonly acknowledged: Readonly<Record<string, number>>;
  /** Writes that were under way at a kill, and how many of them turned out to be done. */
  readonly pending: { readonly all: number; readonly done: number };
  /** Milliseconds from the start of the process to its address. */
  readonly startMs: readonly number[];
  /** What is wrong; empty if nothing is. */
  readonly faults: readonly string[];
}

/** A document that all clients of a pod patch at the same time, each with numbers of its own. */
interface Shared {
  readonly url: string;
  readonly acknowledged: Set<number>;
  readonly pending: Set<number>;
}

interface Tenant {
  readonly person: Person;
  readonly fetch: Fetch;
  /** Whom the access lists let in. */
  readonly friend: Fetch;
  readonly corners: readonly Corner[];
  readonly shared: Shared;
}

const N3 = { "content-type": "text/n3" };

/** Runs `work` on each, a few at a time. */
async function each<T>(items: Iterable<T>, work: (item: T) => Promise<void>, atOnce = 8): Promise<void> {
  const left = [...items];
  const one = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

export async function torture({
  kills,
  seed,
}: {
  readonly kills: number;
  readonly seed: number;
}): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-torture-"));
  const dice = createDice(seed);
  const faults: string[] = [];
  const acknowledged: Record<string, number> = {};
  const pending = { all: 0, done: 0 };
  const startMs: number[] = [];
  let number = 0;

  /** Opens the pods and logs in, once: keys outlive their server, and so do the tokens it gave. */
  async function settle(): Promise<{ readonly port: string; readonly tenants: readonly Tenant[] }> {
    const config = readConfig({
      FREEHOLD_PORT: await quietPort(),
      FREEHOLD_DATA: folder,
      FREEHOLD_LOG_LEVEL: "error",
    });
    const running = await serve(config, () => undefined);
    const { baseUrl } = running.context.config;
    const people: Person[] = [];
    for (const name of ["Ana", "Ben"])
      people.push(
        await createPerson(running.context, {
          name,
          podName: name.toLowerCase(),
          password: `a long password of ${name}`,
        }),
      );
    const fetches = await Promise.all(
      people.map(({ credentials }) => logIn(baseUrl, credentials.id, credentials.secret)),
    );
    await running.close();
    const tenants = people.map((person, at) => {
      const friend = 1 - at;
      return {
        person,
        fetch: fetches[at]!,
        friend: fetches[friend]!,
        corners: Array.from(
          { length: CLIENTS_PER_POD },
          (_, client) =>
            new Corner(`client${client}/`, seed + 100 * at + client, person.webid, people[friend]!.webid),
        ),
        shared: {
          url: `${person.pod}shared.ttl`,
          acknowledged: new Set<number>(),
          pending: new Set<number>(),
        },
      };
    });
    return { port: new URL(baseUrl).port, tenants };
  }

  async function start(port: string, ...args: readonly string[]): Promise<Program> {
    const began = performance.now();
    const program = freehold(["start", "--port", port, "--data", folder, "--log-level", "error", ...args]);
    await program.until(/^ {2}data /m);
    startMs.push(performance.now() - began);
    return program;
  }

  /** @returns the answer, or null if there is none any more. */
  async function send(
    fetch: Fetch,
    url: string,
    init: RequestInit,
    isKilled: () => boolean,
  ): Promise<Response | null> {
    try {
      const response = await fetch(url, init);
      if (!response.ok)
        faults.push(`${init.method} ${url} answered ${response.status}: ${await response.text()}`);
      else void response.body?.cancel().catch(() => undefined);
      return response;
    } catch (error) {
      if (!isKilled()) faults.push(`${init.method} ${url}: ${String((error as Error).cause ?? error)}`);
      return null;
    }
  }

  const count = (method: string): void => void (acknowledged[method] = (acknowledged[method] ?? 0) + 1);

  /** One client: one write after the other in its own folder, now and then one in the document of all. */
  async function work(
    { person, fetch, shared }: Tenant,
    corner: Corner,
    isKilled: () => boolean,
  ): Promise<void> {
    while (!isKilled()) {
      const act = corner.next();
      corner.pending = act;
      const { method, headers, body } = act;
      const init: RequestInit = { method, headers, ...(body !== undefined && { body }) };
      if (!(await send(fetch, person.pod + act.path, init, isKilled))) return;
      corner.pending = null;
      corner.apply(act);
      count(
        act.path.endsWith(".acl") ? `${method} acl` : act.path.endsWith(".bin") ? `${method} blob` : method,
      );

      if (dice(5) > 0 || isKilled()) continue;
      const own = (number += 1);
      shared.pending.add(own);
      const patch = `@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch; solid:inserts { <#it> <#n> ${own} } .`;
      if (!(await send(fetch, shared.url, { method: "PATCH", headers: N3, body: patch }, isKilled))) return;
      shared.pending.delete(own);
      shared.acknowledged.add(own);
      count("PATCH by all");
    }
  }

  const numbersIn = (triples: string): readonly number[] =>
    [...triples.matchAll(/#n> "(\d+)"/g)].map((match) => Number(match[1]));

  async function see({ person, fetch }: Tenant, path: string): Promise<State> {
    const isPatched = path.includes("/patched/") && path.endsWith(".ttl");
    const accept = isPatched ? { accept: "application/n-triples" } : undefined;
    const response = await fetch(person.pod + path, accept && { headers: accept });
    if (response.status === 404) return null;
    const content = new Uint8Array(await response.arrayBuffer());
    if (response.status !== 200) return `status ${response.status}`;
    if (path.endsWith("/")) return FOLDER;
    return isPatched ? stateOfNumbers(numbersIn(Buffer.from(content).toString())) : stateOf(content);
  }

  /** A write that nobody acknowledged is done or not, but never in part. */
  async function settlePending(tenant: Tenant, corner: Corner): Promise<void> {
    const act = corner.pending;
    if (!act) return;
    pending.all += 1;
    const seen = await Promise.all(
      act.leaves.map(async ([path, after]) => ({ path, after, is: await see(tenant, path) })),
    );
    const isDone = seen.every(({ after, is }) => after === is);
    const isNotDone = seen.every(({ path, is }) => (corner.known.get(path) ?? null) === is);
    if (!isDone && !isNotDone)
      faults.push(`${act.method} ${act.path} was done in part: ${JSON.stringify(seen)}`);
    if (isDone && !isNotDone) pending.done += 1;
    if (isDone) corner.apply(act);
    corner.pending = null;
  }

  async function checkListing(tenant: Tenant, corner: Corner, folder: string): Promise<void> {
    const url = tenant.person.pod + folder;
    const response = await tenant.fetch(url, { headers: { accept: "application/n-triples" } });
    const text = await response.text();
    const listed = [...text.matchAll(/ldp#contains> <([^>]+)>/g)].map(([, member = ""]) =>
      member.slice(tenant.person.pod.length),
    );
    const [is, wanted] = [listed.sort().join(" "), corner.membersOf(folder).join(" ")];
    if (is !== wanted) faults.push(`${url} lists ${is} and not ${wanted}`);
  }

  async function checkCorner(tenant: Tenant, corner: Corner, paths: Iterable<string>): Promise<void> {
    for (const path of paths) {
      const [is, wanted] = [await see(tenant, path), corner.known.get(path) ?? null];
      if (is !== wanted) faults.push(`${path} of ${tenant.person.pod} is ${is} and not ${wanted}`);
      if (path.endsWith("/") && wanted !== null) await checkListing(tenant, corner, path);
      if (!path.endsWith(".acl")) continue;
      const subject = path.slice(0, -".acl".length);
      const { status } = await tenant.friend(tenant.person.pod + subject, { method: "HEAD" });
      const allowed = corner.isThere(path) ? 200 : 403;
      if (status !== allowed) faults.push(`The friend gets ${status} and not ${allowed} for ${subject}`);
    }
  }

  async function checkShared({ fetch, shared }: Tenant): Promise<void> {
    const response = await fetch(shared.url, { headers: { accept: "application/n-triples" } });
    const seen = new Set(response.ok ? numbersIn(await response.text()) : []);
    for (const lost of shared.acknowledged.difference(seen))
      faults.push(`${lost} is lost from ${shared.url}`);
    const unknown = seen.difference(shared.acknowledged).difference(shared.pending);
    for (const one of unknown) faults.push(`${one} is in ${shared.url}, and nobody sent it`);
    for (const one of seen) shared.acknowledged.add(one); // What is seen once must stay.
    shared.pending.clear();
  }

  function checkFiles(): void {
    const drafts = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".draft"),
    );
    for (const draft of drafts) faults.push(`${draft} was left behind`);
  }

  /** @param all Everything, not only what was written since the last look. */
  async function check(tenants: readonly Tenant[], all: boolean): Promise<void> {
    checkFiles();
    const corners = tenants.flatMap((tenant) => tenant.corners.map((corner) => ({ tenant, corner })));
    await each(corners, ({ tenant, corner }) => settlePending(tenant, corner));
    await each(corners, async ({ tenant, corner }) => {
      await checkCorner(tenant, corner, all ? [...corner.known.keys()] : corner.touched);
      corner.touched.clear();
    });
    await each(tenants, checkShared);
  }

  async function killWhileStarting(port: string): Promise<void> {
    const program = freehold(["start", "--port", port, "--data", folder]);
    await new Promise((done) => setTimeout(done, dice(START_KILL_MS_MAX)));
    await program.stop("SIGKILL");
  }

  /** Files of uploads that no document names are swept; those that are named stay. */
  async function checkSweep(port: string, tenants: readonly Tenant[]): Promise<void> {
    const program = await start(port, "--limits", "orphanMsKept=1");
    const named = tenants
      .flatMap(({ corners }) => corners)
      .reduce(
        (sum, corner) =>
          sum + [...corner.known].filter(([path, state]) => path.endsWith(".bin") && state).length,
        0,
      );
    const stored = (): number =>
      readdirSync(join(folder, "blobs"), { recursive: true, encoding: "utf8" }).filter((path) =>
        /[0-9a-f]{64}$/.test(path),
      ).length;
    const until = performance.now() + SWEEP_MS_MAX;
    while (stored() !== named && performance.now() < until) await new Promise((done) => setTimeout(done, 50));
    if (stored() !== named) faults.push(`${stored()} large files are stored, and ${named} are named`);
    await check(tenants, true);
    const { code, err } = await program.stop("SIGTERM");
    if (code !== 0 || err !== "") faults.push(`The last one ended with ${code}: ${err}`);
    const database = new DatabaseSync(join(folder, "freehold.db"), { readOnly: true });
    const verdict = JSON.stringify(database.prepare("PRAGMA integrity_check").all());
    database.close();
    if (!verdict.includes('"ok"')) faults.push(`The database is damaged: ${verdict}`);
  }

  const { port, tenants } = await settle();
  for (let round = 0; round <= kills && faults.length === 0; round += 1) {
    if (round > 0 && dice(STARTS_KILLED_ONE_IN) === 0) await killWhileStarting(port);
    const program = await start(port);
    await check(tenants, round % 25 === 24);
    if (round === kills) {
      await program.stop("SIGKILL");
      break;
    }
    let killed = false;
    const clients = tenants.flatMap((tenant) =>
      tenant.corners.map((corner) => work(tenant, corner, () => killed)),
    );
    await new Promise((done) => setTimeout(done, KILL_MS_MIN + dice(KILL_MS_MAX - KILL_MS_MIN)));
    killed = true;
    const { err } = await program.stop("SIGKILL");
    if (err !== "") faults.push(`Round ${round}: ${err}`);
    await Promise.all(clients);
  }
  if (faults.length === 0) await checkSweep(port, tenants);
  await rm(folder, { recursive: true, force: true });
  return { kills, acknowledged, pending, startMs, faults };
}
