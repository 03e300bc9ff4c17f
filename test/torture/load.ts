/** Many clients, each with a corner of its own, writing to a real server; and what must be there of it after a disaster. */
import { createPerson, type Person } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { type Fetch, logIn } from "../support/dpop.ts";
import { freehold, type Program, quietPort } from "../support/process.ts";
import { Corner, createDice, type Dice, FOLDER, type State, stateOf, stateOfNumbers } from "./model.ts";

const READY = /^ {2}data /m; // The last line that the server prints before it serves.

/** A document that all clients of a pod patch at the same time, each with numbers of its own. */
interface Shared {
  readonly url: string;
  readonly acknowledged: Set<number>;
  readonly pending: Set<number>;
}

export interface Tenant {
  readonly podName: string;
  /** Root of the pod, ends in `/`. */
  readonly root: string;
  readonly fetch: Fetch;
  /** Whom the access lists let in. */
  readonly friend: Fetch;
  readonly corners: readonly Corner[];
  readonly shared: Shared;
}

export interface LoadOptions {
  readonly folder: string;
  /** Its URL, if the pods are not in the folder. */
  readonly database?: string | null;
  readonly seed: number;
  /** What is wrong is added here. */
  readonly faults: string[];
  readonly clientsPerPod?: number;
  /** The server may say that it cannot (503, 507), or break a connection off. */
  readonly isBroken?: boolean;
  /** The server may say that it cannot, but breaks nothing off; and after a 503 nothing was stored, unless it says `outcome-unknown`. */
  readonly isTruthful?: boolean;
}

export interface Phase {
  /** From now on nothing is sent any more. */
  readonly isOver: () => boolean;
  /** Answers that come when it is over count for nothing: they may be younger than what is looked at. */
  readonly lateCounts: boolean;
}

export interface StartOptions {
  readonly args?: readonly string[];
  /** A program and its arguments that run the server: a tracer. */
  readonly within?: readonly string[];
}

export interface Load {
  readonly tenants: readonly Tenant[];
  readonly dice: Dice;
  readonly acknowledged: Readonly<Record<string, number>>;
  /** Writes that were under way at a disaster, and how many of them turned out to be done. */
  readonly pending: { readonly all: number; readonly done: number };
  /** Writes that were certainly done, and those that may have been. */
  writes(): { readonly least: number; readonly most: number };
  /** How often which refusal came. */
  readonly refused: Readonly<Record<number, number>>;
  /** Milliseconds from the start of the process to its address. */
  readonly startMs: readonly number[];
  /** Resolves when the server is ready. */
  start(options?: StartOptions): Promise<Program>;
  /** Does not wait. */
  begin(options?: StartOptions): Program;
  /** @returns false when it ended before. */
  ready(program: Program): Promise<boolean>;
  /** A server that is killed before it is ready, as many milliseconds after its start. */
  killWhileStarting(ms: number): Promise<void>;
  /** All clients write until the phase is over, or until they are told that nothing is stored any more. */
  work(phase: Phase): Promise<void>;
  /** One deletion in each corner that has something. @returns how many were acknowledged, and how many there were. */
  deleteSome(): Promise<{ readonly done: number; readonly all: number }>;
  /** @param all Everything, not only what was written since the last look. */
  check(all: boolean): Promise<void>;
  /**
   * The same while the server may be broken: only what is acknowledged, and not what is under way.
   * @param mayRefuse Such as `status 503`: no answer, but no wrong one.
   */
  checkAcknowledged(mayRefuse: ReadonlySet<string>): Promise<void>;
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

const numbersIn = (triples: string): readonly number[] =>
  [...triples.matchAll(/#n> "(\d+)"/g)].map((match) => Number(match[1]));

const kindOf = (method: string, path: string): string =>
  path.endsWith(".acl") ? `${method} acl` : path.endsWith(".bin") ? `${method} blob` : method;

/** Opens two pods in `folder`, and logs in: keys outlive their server, and so do the tokens it gave. */
async function settle({ folder, database, seed, clientsPerPod = 5 }: LoadOptions): Promise<{
  readonly port: string;
  readonly tenants: readonly Tenant[];
}> {
  const config = readConfig({
    FREEHOLD_PORT: await quietPort(),
    FREEHOLD_DATA: folder,
    FREEHOLD_LOG_LEVEL: "error",
    ...(database && { FREEHOLD_STORE: database }),
  });
  const running = await serve(config, () => undefined);
  const { baseUrl } = running.context.config;
  const people: { readonly podName: string; readonly person: Person; readonly fetch: Fetch }[] = [];
  for (const name of ["Ana", "Ben"]) {
    const podName = name.toLowerCase();
    const password = `a long password of ${name}`;
    const person = await createPerson(running.context, { name, podName, password });
    const fetch = await logIn(baseUrl, person.credentials.id, person.credentials.secret);
    people.push({ podName, person, fetch });
  }
  await running.close();
  const tenants = people.map(({ podName, person, fetch }, at) => {
    const friend = people[1 - at]!;
    const corners = Array.from(
      { length: clientsPerPod },
      (_, client) =>
        new Corner(`client${client}/`, seed + 100 * at + client, person.webid, friend.person.webid),
    );
    const shared = {
      url: `${person.pod}shared.ttl`,
      acknowledged: new Set<number>(),
      pending: new Set<number>(),
    };
    return { podName, root: person.pod, fetch, friend: friend.fetch, corners, shared };
  });
  return { port: new URL(baseUrl).port, tenants };
}

export async function createLoad(options: LoadOptions): Promise<Load> {
  const { folder, database, seed, faults, isBroken = false, isTruthful = false } = options;
  const settings: Readonly<Record<string, string>> = database ? { FREEHOLD_STORE: database } : {};
  const dice = createDice(seed);
  const acknowledged: Record<string, number> = {};
  const refused: Record<number, number> = {};
  const pending = { all: 0, done: 0 };
  const startMs: number[] = [];
  let number = 0;
  let unanswered = 0; // Patches of the document of all.
  const { port, tenants } = await settle(options);

  function begin({ args = [], within = [] }: StartOptions = {}): Program {
    const own = ["start", "--port", port, "--data", folder, "--log-level", "error", ...args];
    return freehold(own, settings, within);
  }

  async function start(options: StartOptions = {}): Promise<Program> {
    const began = performance.now();
    const program = begin(options);
    await program.until(READY);
    startMs.push(performance.now() - began);
    return program;
  }

  type Told = "done" | "refused" | "unknown";

  async function send(fetch: Fetch, url: string, init: RequestInit, { isOver }: Phase): Promise<Told> {
    try {
      const response = await fetch(url, init);
      const { ok, status } = response;
      if (ok) {
        void response.body?.cancel().catch(() => undefined);
        return "done";
      }
      const text = await response.text();
      refused[status] = (refused[status] ?? 0) + 1;
      if (!(isBroken || isTruthful) || (status !== 503 && status !== 507))
        faults.push(`${init.method} ${url} answered ${status}: ${text}`);
      const isKnown = isTruthful && status === 503 && !/"type":"[^"]*outcome-unknown"/.test(text);
      return status === 507 || isKnown ? "refused" : "unknown";
    } catch (error) {
      if (isTruthful || (!isOver() && !isBroken))
        faults.push(`${init.method} ${url}: ${String((error as Error).cause ?? error)}`);
      return "unknown";
    }
  }

  const count = (kind: string): void => void (acknowledged[kind] = (acknowledged[kind] ?? 0) + 1);

  /** One client: one write after the other in its own folder, now and then one in the document of all. */
  async function workIn({ root, fetch, shared }: Tenant, corner: Corner, phase: Phase): Promise<void> {
    while (!phase.isOver()) {
      const act = corner.next();
      corner.pending = act;
      const { method, path, headers, body } = act;
      const init: RequestInit = { method, headers, ...(body !== undefined && { body }) };
      const told = await send(fetch, root + path, init, phase);
      if (told === "unknown" || (phase.isOver() && !phase.lateCounts)) return;
      corner.pending = null;
      if (told === "refused") {
        for (const [changed] of act.leaves) corner.touched.add(changed); // It must be as it was.
        await new Promise((done) => setTimeout(done, 5));
        continue;
      }
      corner.apply(act);
      count(kindOf(method, path));

      if (dice(5) > 0 || phase.isOver()) continue;
      const own = (number += 1);
      shared.pending.add(own);
      const patch = `@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch; solid:inserts { <#it> <#n> ${own} } .`;
      const toldOfShared = await send(
        fetch,
        shared.url,
        { method: "PATCH", headers: N3, body: patch },
        phase,
      );
      if (toldOfShared === "unknown" || (phase.isOver() && !phase.lateCounts)) return;
      shared.pending.delete(own);
      if (toldOfShared === "refused") continue;
      shared.acknowledged.add(own);
      count("PATCH by all");
    }
  }

  async function see({ root, fetch }: Tenant, path: string): Promise<State> {
    const isPatched = path.includes("/patched/") && path.endsWith(".ttl");
    const accept = isPatched ? { accept: "application/n-triples" } : undefined;
    const response = await fetch(root + path, accept && { headers: accept });
    const content = new Uint8Array(await response.arrayBuffer());
    if (response.status === 404) return null;
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

  async function checkListing(tenant: Tenant, corner: Corner, path: string): Promise<void> {
    const url = tenant.root + path;
    const response = await tenant.fetch(url, { headers: { accept: "application/n-triples" } });
    const text = await response.text();
    const listed = [...text.matchAll(/ldp#contains> <([^>]+)>/g)].map(([, member = ""]) =>
      member.slice(tenant.root.length),
    );
    const [is, wanted] = [listed.sort().join(" "), corner.membersOf(path).join(" ")];
    if (is !== wanted) faults.push(`${url} lists ${is} and not ${wanted}`);
  }

  async function checkCorner(tenant: Tenant, corner: Corner, paths: Iterable<string>): Promise<void> {
    for (const path of paths) {
      const [is, wanted] = [await see(tenant, path), corner.known.get(path) ?? null];
      if (is !== wanted) faults.push(`${path} of ${tenant.root} is ${is} and not ${wanted}`);
      if (path.endsWith("/") && wanted !== null) await checkListing(tenant, corner, path);
      if (!path.endsWith(".acl")) continue;
      const subject = path.slice(0, -".acl".length);
      const { status } = await tenant.friend(tenant.root + subject, { method: "HEAD" });
      const allowed = corner.isThere(path) ? 200 : 403;
      if (status !== allowed) faults.push(`The friend gets ${status} and not ${allowed} for ${subject}`);
    }
  }

  async function checkShared({ fetch, shared }: Tenant): Promise<void> {
    const response = await fetch(shared.url, { headers: { accept: "application/n-triples" } });
    const text = await response.text();
    const seen = new Set(response.ok ? numbersIn(text) : []);
    for (const lost of shared.acknowledged.difference(seen))
      faults.push(`${lost} is lost from ${shared.url}`);
    const unknown = seen.difference(shared.acknowledged).difference(shared.pending);
    for (const one of unknown) faults.push(`${one} is in ${shared.url}, and nobody sent it`);
    for (const one of seen) shared.acknowledged.add(one); // What is seen once must stay.
    unanswered += shared.pending.size;
    shared.pending.clear();
  }

  const corners = tenants.flatMap((tenant) => tenant.corners.map((corner) => ({ tenant, corner })));

  return {
    tenants,
    dice,
    acknowledged,
    refused,
    pending,
    startMs,
    writes() {
      const done = Object.values(acknowledged).reduce((sum, one) => sum + one, 0) + pending.done;
      return { least: done, most: done + pending.all - pending.done + unanswered };
    },
    start,
    begin,
    ready: (program) =>
      program.until(READY).then(
        () => true,
        () => false,
      ),
    async killWhileStarting(ms) {
      const program = freehold(["start", "--port", port, "--data", folder], settings);
      await new Promise((done) => setTimeout(done, ms));
      await program.stop("SIGKILL");
    },
    work: async (phase) =>
      void (await Promise.all(corners.map(({ tenant, corner }) => workIn(tenant, corner, phase)))),
    async deleteSome() {
      const told = { done: 0, all: 0 };
      await each(corners, async ({ tenant, corner }) => {
        const act = corner.deletion();
        if (!act || corner.pending) return;
        told.all += 1;
        const { status } = await tenant.fetch(tenant.root + act.path, { method: "DELETE" });
        if (status >= 300) return;
        told.done += 1;
        corner.apply(act);
        count(kindOf(act.method, act.path));
      });
      return told;
    },
    async check(all) {
      await each(corners, ({ tenant, corner }) => settlePending(tenant, corner));
      await each(corners, async ({ tenant, corner }) => {
        await checkCorner(tenant, corner, all ? [...corner.known.keys()] : corner.touched);
        corner.touched.clear();
      });
      await each(tenants, checkShared);
    },
    async checkAcknowledged(mayRefuse) {
      await each(corners, async ({ tenant, corner }) => {
        const open = new Set(corner.pending?.leaves.map(([path]) => path));
        for (const [path, wanted] of corner.known) {
          if (open.has(path)) continue;
          const is = await see(tenant, path).catch(() => "gone"); // Broken off, or the process has ended.
          if (is !== wanted && is !== "gone" && !mayRefuse.has(is ?? ""))
            faults.push(`${path} of ${tenant.root} is ${is} and not ${wanted}`);
        }
      });
    },
  };
}
