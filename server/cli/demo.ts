/** `freehold demo`: two people in two countries, two vendors, real files, one question; each step checked as it happens. */
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  accessGrants,
  generateSigningKey,
  giveAccess,
  grant,
  openPod,
  type PolicyTarget,
  publishSigningKey,
  query,
  requestAccess,
  revoke,
} from "@freehold/client";
import { login } from "@freehold/client/node";
import { SHAPES_NAMESPACE } from "@freehold/vocab";
import type { Config } from "../config.ts";
import type { Context } from "../context.ts";
import { importInto } from "../import/import-file.ts";
import { createPerson, type Person } from "./people.ts";
import { createPodReader } from "./pod-reader.ts";
import { type Running, serveNearby, untilToldToStop } from "./serve.ts";

/* oxlint-disable no-console -- this is the command line */
const FILES = new URL("../import/demo/", import.meta.url);
const VENDOR_SCRIPT = import.meta.resolve("@freehold/client/examples/vendor");
const FORBIDDEN_EXIT = 4; // What the vendor's script says when it is refused.
const RECORDS_LEAST = 2_000;
const ASK_MS_MAX = 60_000; // A vendor whose script hangs is a step that failed, not a demonstration that never ends.

const PEOPLE = [
  { name: "Ana Dlamini", podName: "ana", zone: "za", country: "South Africa" },
  { name: "Ben Keller", podName: "ben", zone: "ch", country: "Switzerland" },
] as const;
const VENDORS = [
  { name: "Karoo Budget Coach", podName: "karoo", zone: "za" },
  { name: "Limmat Energy Advice", podName: "limmat", zone: "ch" },
] as const;

class StepFailed extends Error {
  override readonly name = "StepFailed";
}

function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new StepFailed(otherwise);
}

async function step<T>(
  title: string,
  work: () => Promise<T>,
  tell: (result: T) => string = () => "",
): Promise<T> {
  const isLive = process.stdout.isTTY;
  if (isLive) process.stdout.write(`  …  ${title}`);
  const result = await work();
  const detail = tell(result);
  process.stdout.write(`${isLive ? "\r" : ""}  ✔  ${title}${detail && `: ${detail}`}\n`);
  return result;
}

const openAs = async (person: Person, issuer: string) => {
  const { fetch } = await login({
    issuer,
    clientId: person.credentials.id,
    clientSecret: person.credentials.secret,
  });
  return openPod(person.pod, { fetch });
};

async function importFiles(context: Context, podName: string): Promise<number> {
  const pod = await context.pods.find(podName);
  check(pod !== null, `There is no pod ${podName}`);
  const folder = new URL(`${podName}/`, FILES);
  let records = 0;
  for (const name of await readdir(folder)) {
    const run = await importInto(
      {
        name,
        content: createReadStream(new URL(name, folder)),
        pod: { name: podName, url: `${context.config.baseUrl}${podName}/`, secret: pod.id },
        now: context.now,
        limits: context.config.limits,
        read: createPodReader(context.store, pod),
      },
      (documents) => context.writeDocuments(pod, documents),
    );
    if (process.stdout.isTTY)
      process.stdout.write(`\r  …  ${podName}: ${name}, ${run.written} records        `);
    records += run.written;
  }
  return records;
}

/** The vendor's own script, as it stands in the README, in a process of its own. */
function askAs(
  vendor: Person,
  issuer: string,
  passport: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const args = [
    fileURLToPath(VENDOR_SCRIPT),
    issuer,
    vendor.credentials.id,
    vendor.credentials.secret,
    issuer,
    passport,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], timeout: ASK_MS_MAX });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

async function play({ context }: Running): Promise<readonly Person[]> {
  const { baseUrl } = context.config;
  const people: Person[] = [];
  for (const { country, ...person } of PEOPLE) {
    const opened = await step(
      `${person.name} in ${country} opens a pod`,
      () => createPerson(context, { ...person, password: `${person.podName} keeps this pod` }),
      ({ passport }) => passport,
    );
    people.push(opened);
  }
  const [ana, ben] = people;
  check(ana !== undefined && ben !== undefined, "Two people were opened");
  const vendors: Person[] = [];
  for (const vendor of VENDORS) {
    vendors.push(
      await step(`${vendor.name} registers as a vendor`, () =>
        createPerson(context, { ...vendor, password: `${vendor.podName} keeps this pod` }),
      ),
    );
  }
  const [karoo, limmat] = vendors;
  check(karoo !== undefined && limmat !== undefined, "Two vendors were opened");

  let records = 0;
  for (const { name, podName } of PEOPLE) {
    records += await step(
      `${name} imports contacts, bank statement, orders and energy readings`,
      () => importFiles(context, podName),
      (count) => `${count} records`,
    );
  }
  check(records >= RECORDS_LEAST, `Only ${records} records were imported`);

  const anasPod = await openAs(ana, baseUrl);
  const own = await step(
    "Ana asks her own pod how many payments it holds",
    async () => {
      for await (const row of query<"n">(
        anasPod,
        "SELECT (COUNT(*) AS ?n) { ?payment a <https://schema.org/MoneyTransfer> }",
      ))
        return Number(row.n?.value);
      return 0;
    },
    String,
  );
  check(own > 0, "Ana sees no payments of her own");

  await step("Before any grant, Karoo is refused", async () => {
    const { code, output } = await askAs(karoo, baseUrl, ana.passport);
    check(code === FORBIDDEN_EXIT, `The vendor's script ended with ${code}: ${output}`);
  });
  await step("Ana lets Karoo read her bank folder, and nothing else", () =>
    grant(anasPod, "bank/", { to: karoo.webid, modes: ["read"] }),
  );
  const table = await step("Karoo resolves Ana's passport and asks for her payments", async () => {
    const { code, output } = await askAs(karoo, baseUrl, ana.passport);
    check(code === 0 && output.includes("date"), `The vendor's script ended with ${code}: ${output}`);
    return output;
  });
  console.log(table);

  await step("Karoo sees no orders, no contacts, no energy readings", async () => {
    const pod = await openPod(ana.passport, {
      ...(await login({
        issuer: baseUrl,
        clientId: karoo.credentials.id,
        clientSecret: karoo.credentials.secret,
      })),
      resolvers: [baseUrl],
    });
    const types =
      "https://schema.org/Order http://www.w3.org/2006/vcard/ns#Individual http://www.w3.org/ns/sosa/Observation"
        .split(" ")
        .map((type) => `<${type}>`);
    for await (const row of query(
      pod,
      `SELECT ?thing { VALUES ?type { ${types.join(" ")} } ?thing a ?type } LIMIT 1`,
    ))
      check(false, `It sees ${row.thing?.value}`);
  });
  await step("Limmat, to whom Ana granted nothing, is refused", async () => {
    const { code, output } = await askAs(limmat, baseUrl, ana.passport);
    check(code === FORBIDDEN_EXIT, `The vendor's script ended with ${code}: ${output}`);
  });
  await step("Ben lets Limmat read his energy readings", async () =>
    grant(await openAs(ben, baseUrl), "energy/", { to: limmat.webid, modes: ["read"] }),
  );
  await step("Ana revokes", () => revoke(anasPod, "bank/", { from: karoo.webid }));
  const refusal = await step("Karoo asks again and is refused, with the reason", async () => {
    const { code, output } = await askAs(karoo, baseUrl, ana.passport);
    check(
      code === FORBIDDEN_EXIT && !output.includes("┌"),
      `The vendor's script ended with ${code}: ${output}`,
    );
    return output.trim();
  });
  console.log(`\n${refusal.replace(/^/gm, "       ")}\n`);
  await askForConsent({ ana, ben, karoo, limmat }, baseUrl);
  return people;
}

const DAY = 86_400_000;
const DPV = "https://w3id.org/dpv#";
const shapeOf = (name: string): PolicyTarget => ({ kind: "shape", values: [`${SHAPES_NAMESPACE}${name}`] });

/** What Ana and Ben find under Requests and Companies: a question that waits, and something given that is in use. */
async function askForConsent(
  { ana, ben, karoo, limmat }: Readonly<Record<"ana" | "ben" | "karoo" | "limmat", Person>>,
  issuer: string,
): Promise<void> {
  const as = (person: Person) =>
    login({ issuer, clientId: person.credentials.id, clientSecret: person.credentials.secret });
  const [asKaroo, asLimmat] = [await as(karoo), await as(limmat)];
  await step("Karoo asks Ana for her payments, and she will find it under Requests", async () => {
    const identity = await publishSigningKey(await openAs(karoo, issuer), await generateSigningKey());
    const { state } = await requestAccess(
      await openPod(ana.pod, asKaroo),
      {
        access: [
          {
            target: shapeOf("commerce#BankTransactionShape"),
            purposes: [`${DPV}RequestedServiceProvision`],
            until: new Date(Date.now() + 90 * DAY),
            mode: "view",
            dataLife: "P90D",
          },
        ],
        notice: "https://karoo.example/privacy",
        benefit: { en: "A plan for your money, each month" },
      },
      identity,
    );
    check(state === "Pending", `The request is ${state}`);
  });
  await step("Ben gives Limmat the totals of what he bought, and Limmat looks twice", async () => {
    const { policies } = await giveAccess(await openAs(ben, issuer), limmat.webid, {
      access: [
        {
          target: shapeOf("commerce#OrderShape"),
          purposes: [`${DPV}ServicePersonalisation`],
          until: new Date(Date.now() + 180 * DAY),
          tier: "aggregate",
        },
      ],
      notice: "https://limmat.example/privacy",
      benefit: { en: "Advice on things that use less power" },
    });
    check(policies.length === 1, "Limmat was given one thing");
    const asked = await openPod(ben.pod, asLimmat);
    const [given] = await accessGrants(asked);
    const [view] = given?.policies[0]?.target.values ?? [];
    check(view !== undefined, "Limmat sees nothing that it was given");
    for (let looks = 0; looks < 2; looks++) {
      const { status } = await asLimmat.fetch(view);
      check(status === 200, `Limmat's look was answered ${status}`);
    }
  });
}

export interface DemoOptions {
  /** Do every step once and exit; otherwise the server stays for looking around. */
  readonly once: boolean;
  /** Leave the data folder where it is. */
  readonly keep: boolean;
}

/** The steps, on a running server; then it stays until somebody has seen enough. */
async function show(running: Running, { once, keep }: DemoOptions): Promise<void> {
  const { baseUrl, dataFolder } = running.context.config;
  console.log(`\nFreehold demo at ${baseUrl}\n`);
  const people = await play(running);
  console.log("  Every step held.\n");
  if (once) return;
  for (const [index, { name, podName }] of PEOPLE.entries())
    console.log(
      `  Sign in as ${name}: name ${podName}, password "${podName} keeps this pod", passport ${people[index]?.passport}`,
    );
  const fate = keep ? "stay there" : "are then deleted";
  console.log(`\n  ${baseUrl} stays open until you press Ctrl+C; the data in ${dataFolder} ${fate}.\n`);
  await untilToldToStop();
}

/** @throws OperatorError when no port is free. */
export async function demo(config: Config, options: DemoOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-demo-"));
  const port = options.once ? 0 : config.port;
  const own: Config = {
    ...config,
    port,
    mayMovePort: config.mayMovePort && !options.once,
    baseUrl: `http://localhost:${port}/`,
    dataFolder: folder,
    rootKeyFile: join(folder, "root.key"),
    zones: ["za", "ch"],
    logLevel: "error",
  };
  try {
    const running = await serveNearby(own, (line) => process.stderr.write(line));
    try {
      await show(running, options);
    } finally {
      await running.close();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    console.error(`\n  ✘  ${error.message}`);
    return 1;
  } finally {
    if (options.keep) console.log(`  The data are in ${folder}\n`);
    else await rm(folder, { recursive: true, force: true });
  }
}
