/** Lies that real servers tell to real ones: witnesses, mirrors, whoever asks a witness or the root's index. Long, for it is one list. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  encodeBase64url,
  formatVerifierKey,
  judgePolicy,
  makeData,
  PassportError,
  type PassportId,
  type PortedAnswer,
  parseNote,
  parsePolicy,
  portedKeyOf,
  signOperation,
  verifyPorted,
} from "@freehold/client/registry";
import { after, before } from "mocha";
import { serveMirror } from "../../server/cli/registry/mirror-serve.ts";
import { LIMITS } from "../../server/limits.ts";
import type { Log } from "../../server/log.ts";
import { createSigner } from "../../server/registry/log/signer.ts";
import { allowMirror } from "../../server/registry/mirror/secrets.ts";
import { createWitnessClient } from "../../server/registry/witness/client.ts";
import { initWitness } from "../../server/registry/witness/identity.ts";
import { serveWitness, type WitnessServer } from "../../server/registry/witness/serve.ts";
import { encodeAddCheckpoint } from "../../server/registry/witness/wire.ts";
import type { Kind } from "./client/attacks.ts";
import { createFederation, type FederationWorld, HOUR_MS } from "./federation/world.ts";
import { createTestLog, history, type TestLog } from "./witness/logs.ts";

export interface Row {
  readonly kind: Kind;
  readonly name: string;
  /** What refuses it, in the words of whoever does. */
  readonly rule: string;
  /** @returns what has refused it. */
  readonly run: () => Promise<string>;
}

async function listening(
  listener: RequestListener,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };

// ---- A witness that is told of trees.

const TREE = 12;
const one = history("one", TREE);
const more = history("one", TREE + 1);

const TOLD: readonly (readonly [
  kind: Kind,
  name: string,
  rule: string,
  body: (log: TestLog) => string | Promise<string>,
])[] = [
  [
    "split-view",
    "another tree of the same size",
    "422 Another checkpoint of this size was cosigned before",
    (log) => encodeAddCheckpoint({ old: TREE, path: [], note: log.note(history("fork", TREE)) }),
  ],
  [
    "split-view",
    "a larger tree of another history",
    "422 The proof does not lead from the tree cosigned last to this one",
    (log) => log.request(TREE, history("fork", TREE + 3)),
  ],
  [
    "tampered",
    "a proof with a hash changed",
    "422 The proof does not lead from the tree cosigned last to this one",
    (log) => encodeAddCheckpoint({ old: TREE, path: [new Uint8Array(32)], note: log.note(more) }),
  ],
  [
    "tampered",
    "a hash of a proof where nothing is to be proved",
    "422 Nothing is to be proved here, but a proof was sent",
    (log) => encodeAddCheckpoint({ old: TREE, path: [new Uint8Array(32)], note: log.note(one) }),
  ],
  [
    "tampered",
    "a size that the log has not signed",
    "403 A signature that names the log's key does not hold",
    (log) => log.request(TREE, more).replace("\n13\n", "\n14\n"),
  ],
  [
    "stale",
    "a tree from before, as if nothing had come since",
    "409 12",
    (log) => log.request(0, history("one", 3)),
  ],
  [
    "stale",
    "a smaller tree than the one that was signed",
    "400 The old size is larger than the checkpoint's",
    (log) => encodeAddCheckpoint({ old: TREE, path: [], note: log.note(history("one", 5)) }),
  ],
  ["replayed", "the proof of an earlier step", "409 12", (log) => log.request(5, one)],
  [
    "forged",
    "a tree by a key of the same name",
    "403 The log has not signed this checkpoint",
    async () => (await createTestLog(undefined, 80)).request(TREE, more),
  ],
  [
    "forged",
    "a log that nobody follows",
    "404 This log is not followed here",
    async () => (await createTestLog("log.xx.example/2026", 79)).request(0, more),
  ],
  [
    "mis-encoded",
    "an old size that begins with a zero",
    "400",
    (log) => log.request(TREE, more).replace("old 12", "old 012"),
  ],
  ["mis-encoded", "carriage returns", "400", (log) => log.request(TREE, more).replace("\n", "\r\n")],
  [
    "mis-encoded",
    "a hash of another length",
    "400",
    (log) => log.request(TREE, more).replace("old 12\n", "old 12\nAAAA\n"),
  ],
];

let witness: WitnessServer;
let log: TestLog;
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "freehold-attacks-"));
  log = await createTestLog();
  await initWitness(join(folder, "witness"), "witness.example/w1");
  const config = {
    folder: join(folder, "witness"),
    port: 0,
    host: "127.0.0.1",
    logs: [log.signer.key],
    root: null,
    fetch,
  };
  witness = await serveWitness(config, { now: () => new Date(), log: quiet });
  for (const [old, size] of [
    [0, 5],
    [5, TREE],
  ] as const) {
    const { status } = await tell(log.request(old, history("one", size)));
    if (status !== 200) throw new Error("The witness does not sign what is true");
  }
});
after(async () => {
  await witness.close();
  await rm(folder, { recursive: true });
});

const tell = (body: string): Promise<Response> =>
  fetch(`${witness.url}add-checkpoint`, { method: "POST", body });

export const WITNESS_ROWS: readonly Row[] = TOLD.map(([kind, name, rule, make]) => ({
  kind,
  name: `to a witness, ${name}`,
  rule,
  async run() {
    const response = await tell(await make(log));
    const text = (await response.text()).trim();
    if (text.includes("—")) throw new Error("It has signed");
    return rule === String(response.status) ? rule : `${response.status} ${text}`;
  },
}));

// ---- A log that asks a witness who lies.

const SECONDS = Math.floor(Date.now() / 1_000);
const signerOf = (name: string) =>
  createSigner({
    name,
    type: 4,
    seed: new Uint8Array(32).fill(name.charCodeAt(name.length - 1)),
    now: () => new Date(),
  });
const lineOf = async (name: string, body: string, time = SECONDS): Promise<string> =>
  (await signerOf(name)).lineAt(body, time);

const LINES: readonly (readonly [kind: Kind, name: string, line: (body: string) => Promise<string>])[] = [
  ["replayed", "its line of another tree", (body) => lineOf("w.example/1", body.replace("\n13\n", "\n12\n"))],
  ["stale", "its line of an hour ago", (body) => lineOf("w.example/1", body, SECONDS - 3_600)],
  ["forged", "a line of tomorrow", (body) => lineOf("w.example/1", body, SECONDS + 86_400)],
  [
    "forged",
    "a line of a key of its name",
    async (body) => (await lineOf("w.example/2", body)).replace("example/2", "example/1"),
  ],
  ["forged", "a line of somebody else", (body) => lineOf("w.example/2", body)],
  ["mis-encoded", "a line that is too short", async () => "— w.example/1 AAAAAAAA\n"],
];

export const LINE_ROWS: readonly Row[] = LINES.map(([kind, name, line]) => ({
  kind,
  name: `for a witness's answer, ${name}`,
  rule: "no quorum",
  async run() {
    const liar = await listening((request, response) => {
      void bodyOf(request).then(async (sent) => {
        const text = sent.toString();
        response.end(await line(`${text.slice(text.indexOf("\n\n") + 2).split("\n\n")[0]}\n`));
      });
    });
    try {
      const policy = `witness w ${formatVerifierKey((await signerOf("w.example/1")).key)} ${liar.url}\nquorum w\n`;
      const ask = await createWitnessClient(policy, {
        fetch,
        log: quiet,
        now: () => new Date(),
        limits: LIMITS,
      });
      const note = log.note(more);
      const request = { origin: log.signer.key.name, size: more.length, note, prove: async () => [] };
      const lines = await ask({ ...request, signal: new AbortController().signal });
      const judged = await judgePolicy(await parsePolicy(policy), parseNote(note + lines.join("")), {
        now: Date.now(),
        maxAgeSeconds: 300,
      });
      return judged.isMet ? "none" : "no quorum";
    } finally {
      await liar.close();
    }
  },
}));

// ---- Mirrors, and the root's index.

let world: FederationWorld;
let secret = "";
let mirrors = 0;
let ann: PassportId;

before(async function () {
  this.timeout(60_000);
  world = await createFederation();
  secret = await allowMirror(join(world.folder, "ch"), "mirror-one");
  const owner = await world.open("ch");
  ann = owner.id;
  const state = await world.state("ch", ann);
  const url = "https://pods.example.org/ann/";
  const op = makeData({ id: ann, aseq: 0, dseq: 1, webid: [`${url}#me`], storage: [{ id: "#pod", url }] });
  await world.zones.ch.zone.submit(await signOperation(op, state.head.auth, owner.keys.authority));
});
after(() => world.dispose());

type Change = (path: string, text: string) => string;

/** Everything passes, but for what is changed. */
const between = (change: Change) =>
  listening((request, response) => {
    void bodyOf(request).then(async (sent) => {
      const { authorization = "", "content-type": type = "application/json" } = request.headers;
      const answer = await fetch(`${world.zones.ch.baseUrl}${request.url?.slice(1)}`, {
        method: request.method ?? "GET",
        headers: { authorization, "content-type": type },
        ...(sent.length > 0 && { body: new Uint8Array(sent) }),
      });
      const text = Buffer.from(await answer.arrayBuffer()).toString("latin1");
      response.writeHead(answer.status);
      response.end(Buffer.from(change(request.url ?? "", text), "latin1"));
    });
  });

const flipped = (text: string, at: number): string =>
  text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);

/** What the source is before it lies, and how it lies then. */
const SOURCES: readonly (readonly [kind: Kind, name: string, rule: string, lie: () => Promise<Change>])[] = [
  [
    "tampered",
    "where somebody's passport leads",
    "The source has not given 1 passports as its log names them",
    async () => (path, text) => (path.startsWith("/v1/replica") ? text.replaceAll("/ann/", "/eve/") : text),
  ],
  [
    "tampered",
    "somebody left out",
    "The source has not given 1 passports as its log names them",
    async () => (path, text) =>
      path.startsWith("/v1/replica")
        ? text
            .split("\n")
            .filter((line) => !line.includes(ann))
            .join("\n")
        : text,
  ],
  [
    "tampered",
    "an entry of the log",
    "The source serves entries that are not in the signed tree",
    async () => (path, text) => (path.includes("tile/entries/") ? flipped(text, 9) : text),
  ],
  [
    "tampered",
    "the size in a checkpoint",
    "log-signature: The zone's log has not signed this checkpoint",
    async () => (path, text) => (path.endsWith("/checkpoint") ? text.replace(/\n(\d+)\n/, "\n9$1\n") : text),
  ],
  [
    "mis-encoded",
    "a page for passports",
    "The source gives something else for passports",
    async () => (path, text) => (path.startsWith("/v1/replica") ? "<html>\n" : text),
  ],
];

export const MIRROR_ROWS: readonly Row[] = SOURCES.map(([kind, name, rule, lie]) => ({
  kind,
  name: `to a mirror, ${name}`,
  rule,
  async run() {
    const change = await lie();
    const source = await between(change);
    const why: string[] = [];
    const noted: Log = {
      ...quiet,
      warn: (event, fields) =>
        void (
          event === "registry.mirror-behind" && why.push(String(fields?.["cause"]).replace(/^\w+: /, ""))
        ),
    };
    mirrors += 1;
    const served = await serveMirror(
      {
        folder: join(world.folder, `mirror-${mirrors}`),
        zone: "ch",
        root: world.root.baseUrl,
        source: source.url,
        secret,
        url: null,
        host: "127.0.0.1",
        port: 0,
      },
      { now: () => new Date(world.now()), log: noted, tickMs: 2 ** 30 },
    );
    try {
      await served.tick();
      const { status } = await fetch(`${served.baseUrl}v1/passports/${ann}`);
      if (status !== 503) return `it answers ${status}`;
      return why.join("; ");
    } finally {
      await served.close();
      await source.close();
    }
  },
}));

const LEFT: readonly (readonly [
  kind: Kind,
  name: string,
  rule: string,
  lie: (answer: PortedAnswer) => unknown,
])[] = [
  [
    "forged",
    "that she has left, when she has not",
    "map-root",
    (answer) => ({ ...answer, zone: "za", proof: { ...answer.proof, end: null } }),
  ],
  [
    "forged",
    "that she has left, by the proof that she has not",
    "map-path",
    (answer) => ({
      ...answer,
      zone: "za",
      proof: { ...answer.proof, end: { key: answer.headKey, commit: answer.headKey } },
    }),
  ],
  [
    "replayed",
    "the answer of somebody else",
    "identifier",
    (answer) => ({ ...answer, headKey: answer.proof.rootLeaf.root }),
  ],
  [
    "tampered",
    "another count of those who left",
    "inclusion",
    (answer) => ({ ...answer, proof: { ...answer.proof, rootLeaf: { ...answer.proof.rootLeaf, count: 9 } } }),
  ],
  [
    "mis-encoded",
    "nothing written as a hash",
    "answer",
    (answer) => ({ ...answer, proof: { ...answer.proof, map: [...answer.proof.map, "A".repeat(43)] } }),
  ],
  [
    "mis-encoded",
    "an epoch in words",
    "answer",
    (answer) => ({
      ...answer,
      proof: { ...answer.proof, rootLeaf: { ...answer.proof.rootLeaf, epoch: "the last" } },
    }),
  ],
  [
    "mis-encoded",
    "an index in words",
    "answer",
    (answer) => ({ ...answer, proof: { ...answer.proof, log: { ...answer.proof.log, index: "last" } } }),
  ],
  [
    "mis-encoded",
    "a path that goes on for nothing",
    "map-path",
    (answer) => ({ ...answer, proof: { ...answer.proof, map: [...answer.proof.map, ""] } }),
  ],
  [
    "tampered",
    "a zone's log for the root's",
    "zone",
    (answer) => ({ ...answer, proof: { ...answer.proof, shard: "ch/2026" } }),
  ],
];

export const PORTED_ROWS: readonly Row[] = [
  ...LEFT.map(([kind, name, rule, lie]) => ({
    kind,
    name: `of the root's index, ${name}`,
    rule,
    run: () => leaving(lie),
  })),
  {
    kind: "stale",
    name: "of the root's index, what it was the day before yesterday",
    rule: "freshness",
    run: () => leaving((answer) => answer, 48 * HOUR_MS),
  },
];

async function leaving(lie: (answer: PortedAnswer) => unknown, laterMs = 0): Promise<string> {
  const key = encodeBase64url(await portedKeyOf(ann));
  const liar = await listening((request, response) => {
    void fetch(`${world.root.baseUrl}${request.url?.slice(1)}`)
      .then((answer) => answer.json())
      .then((answer) => response.end(JSON.stringify(lie(answer as PortedAnswer))));
  });
  try {
    const answer = await (await fetch(`${liar.url}v1/ported/${key}`)).json();
    await verifyPorted(answer, ann, world.trust(), { now: world.now() + laterMs });
    return "none";
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  } finally {
    await liar.close();
  }
}
