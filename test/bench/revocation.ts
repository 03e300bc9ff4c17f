/**
 * `npm run bench -- --revocation`: how long it takes to take a grant back. The owner revokes over HTTP while the vendor reads
 * under the grant on several connections; measured is from the owner's request to its answer, and until the last byte that
 * the vendor still got. No read that begins after the answer may succeed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { fetchAs, type Login, logIn, signProof } from "./login.ts";
import { freePort, START_ARGS, startProcess, stopProcess } from "./servers.ts";

const WARM_UP = 20;
const ROUNDS = 200;
const READERS = 4;
const GOAL_MS = 100; // 99 % of all revocations.
const DAY_MS = 24 * 3_600_000;
const LIMITS = "writesPerAgentMax=1000000000,grantUsesPerMinuteMax=1000000000";

async function statusOf({ token, key }: Login, url: string): Promise<number> {
  const headers = { authorization: `DPoP ${token}`, dpop: signProof(key, "GET", url, token) };
  const answer = await fetch(url, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

const grantFor = (vendor: string, storage: string) => ({
  "@context": ["https://www.w3.org/ns/lws/v1", "https://w3id.org/freehold/ns"],
  type: ["AccessGrant"],
  storage,
  controller: vendor,
  legalBasis: "https://w3id.org/dpv#Consent",
  notice: "https://shop.example/privacy",
  benefit: [{ "@value": "Quicker help", "@language": "en" }],
  access: [
    {
      type: ["AccessPolicy"],
      action: ["read"],
      assignee: vendor,
      necessity: "required",
      target: { type: "Container", value: [`${storage}notes/`] },
      personalData: ["https://w3id.org/dpv/pd#Contact"],
      constraint: [
        { leftOperand: "purpose", operator: "eq", rightOperand: "https://w3id.org/dpv#ServiceProvision" },
        {
          leftOperand: "dateTime",
          operator: "lteq",
          rightOperand: `${new Date(Date.now() + 30 * DAY_MS).toISOString().slice(0, 19)}Z`,
        },
        { leftOperand: "consentMode", operator: "eq", rightOperand: "view" },
        { leftOperand: "dataLife", operator: "lteq", rightOperand: "P30D" },
      ],
    },
  ],
});

interface Round {
  readonly answeredMs: number;
  /** Until the vendor's last read that succeeded was there. */
  readonly lastByteMs: number;
  readonly reads: number;
  /** Reads that began after the answer and succeeded all the same. */
  readonly late: number;
}

async function revokeOnce(owner: Login, vendor: Login, pod: string, webid: string): Promise<Round> {
  const made = await fetchAs(owner, `${pod}.consent/grants`, {
    method: "POST",
    headers: { "content-type": "application/lws+json" },
    body: JSON.stringify(grantFor(webid, pod)),
  });
  const grant = made.headers.get("location") ?? "";
  const note = `${pod}notes/a.ttl`;
  const end = { isThere: false };
  let answered = Number.POSITIVE_INFINITY;
  let lastByte = 0;
  let late = 0;
  let reads = 0;
  const readers = Array.from({ length: READERS }, async () => {
    while (!end.isThere) {
      const began = performance.now();
      if ((await statusOf(vendor, note)) !== 200) continue;
      reads++;
      lastByte = performance.now();
      if (began > answered) late++;
    }
  });
  await new Promise((done) => setTimeout(done, 20));
  const begun = performance.now();
  await fetchAs(owner, grant, { method: "DELETE" });
  answered = performance.now();
  await new Promise((done) => setTimeout(done, 20));
  end.isThere = true;
  await Promise.all(readers);
  return { answeredMs: answered - begun, lastByteMs: Math.max(0, lastByte - begun), reads, late };
}

/** @returns whether the goal was met. */
export async function measureRevocation(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "bench-revocation-"));
  const port = await freePort();
  const origin = `http://localhost:${port}/`;
  const env = {
    FREEHOLD_PORT: `${port}`,
    FREEHOLD_DATA: folder,
    FREEHOLD_LOG_LEVEL: "error",
    FREEHOLD_LIMITS: LIMITS,
  };
  const running = await serve(readConfig(env), () => {});
  const person = (name: string) =>
    createPerson(running.context, { name, podName: name.toLowerCase(), password: "only for this bench" });
  const [ana, shop] = [await person("Ana"), await person("Shop")];
  await running.close();
  const started = await startProcess(START_ARGS, `${origin}readyz`, { env });
  try {
    const [owner, vendor] = [await logIn(origin, ana.credentials), await logIn(origin, shop.credentials)];
    await fetchAs(owner, `${ana.pod}notes/a.ttl`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: "<#a> <#b> 1 .",
    });
    const rounds: Round[] = [];
    for (let round = 0; round < WARM_UP + ROUNDS; round++)
      rounds.push(await revokeOnce(owner, vendor, ana.pod, shop.webid));
    rounds.splice(0, WARM_UP);
    const at = (of: (round: Round) => number, share: number): number =>
      rounds.map(of).toSorted((a, b) => a - b)[Math.floor(rounds.length * share)] ?? 0;
    const p99 = at(({ answeredMs }) => answeredMs, 0.99);
    const lastP99 = at(({ lastByteMs }) => lastByteMs, 0.99);
    const reads = rounds.reduce((sum, round) => sum + round.reads, 0);
    const late = rounds.reduce((sum, round) => sum + round.late, 0);
    const isMet = p99 < GOAL_MS && lastP99 < GOAL_MS && late === 0 && reads >= ROUNDS;
    process.stdout.write(
      `${ROUNDS} revocations among ${reads} reads under the grants: answered p50 ${at(({ answeredMs }) => answeredMs, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms; last byte p99 ${lastP99.toFixed(1)} ms (goal ${GOAL_MS}); ${late} reads after it: ${isMet ? "met" : "missed"}\n`,
    );
    return isMet;
  } finally {
    await stopProcess(started);
    rmSync(folder, { recursive: true, force: true });
  }
}
