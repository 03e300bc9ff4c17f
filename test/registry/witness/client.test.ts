/** A log that asks its witnesses: who is away, behind, ahead, slow or lying, and when the quorum stands all the same. */
import { getEventListeners } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import {
  formatVerifierKey,
  judgePolicy,
  parseNote,
  parsePolicy,
} from "../../../client-lib/registry/index.ts";
import { createClientAddress } from "../../../server/http/client-address.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createSigner, verifyMlDsa44 } from "../../../server/registry/log/signer.ts";
import { createWitnessClient } from "../../../server/registry/witness/client.ts";
import { initWitness, openSigners, policyLines } from "../../../server/registry/witness/identity.ts";
import { serveWitness, type WitnessServer } from "../../../server/registry/witness/serve.ts";
import type { AskWitnesses } from "../../../server/registry/zone/deps.ts";
import { naiveProof } from "../log/naive.ts";
import { createTestLog, history, initFolder, removeFolder, type TestLog } from "./logs.ts";

const now = (): Date => new Date();
const SECONDS = Math.floor(Date.now() / 1_000);

describe("a log that asks its witnesses", () => {
  let parent: string;
  let log: TestLog;
  let said: string[];
  const servers: WitnessServer[] = [];
  const liars: Server[] = [];
  const quiet = {
    debug() {},
    info() {},
    warn: (event: string, fields: object = {}) => void said.push(`${event} ${JSON.stringify(fields)}`),
    error() {},
  };

  before(async () => {
    parent = await initFolder();
    log = await createTestLog();
  });
  beforeEach(() => (said = []));
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
    for (const server of liars.splice(0)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });
  after(() => removeFolder(parent));

  let count = 0;

  async function serve(folder: string, port = 0): Promise<WitnessServer> {
    const config = { folder, port, host: "127.0.0.1", logs: [log.signer.key], root: null, fetch };
    const server = await serveWitness(config, { now, log: quiet });
    servers.push(server);
    return server;
  }

  /** A witness and its lines for a policy, in which it counts once. */
  async function honest(
    label: string,
  ): Promise<{ readonly lines: string; readonly folder: string; readonly url: string }> {
    count += 1;
    const folder = join(parent, `w${count}`);
    await initWitness(folder, `witness.example/${label}`);
    const { url } = await serve(folder);
    return { lines: policyLines(await openSigners(folder, now), label, url), folder, url };
  }

  const liarKey = (label: string) =>
    createSigner({
      name: `witness.example/${label}`,
      type: 4,
      seed: new Uint8Array(32).fill(90).with(0, label.charCodeAt(1)),
      now,
    });

  async function listenTo(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    liars.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function liar(label: string, listener: RequestListener): Promise<string> {
    const { key } = await liarKey(label);
    return `witness ${label} ${formatVerifierKey(key)} ${await listenTo(listener)}\n`;
  }

  const clientOf = (policy: string): Promise<AskWitnesses> =>
    createWitnessClient(policy, { fetch, log: quiet, now, limits: LIMITS });

  const asked = async (
    ask: AskWitnesses,
    entries: readonly Uint8Array[],
    signal = new AbortController().signal,
  ) =>
    ask({
      origin: log.signer.key.name,
      size: entries.length,
      note: log.note(entries),
      prove: async (from) => naiveProof(from, entries),
      signal,
    });

  const isMet = async (policy: string, entries: readonly Uint8Array[], lines: readonly string[]) =>
    (
      await judgePolicy(await parsePolicy(policy), parseNote(log.note(entries) + lines.join("")), {
        now: Date.now(),
        maxAgeSeconds: 60,
        verifyMlDsa44,
      })
    ).isMet;

  it("a witness that is asked too often says when to come again", async () => {
    count += 1;
    const folder = join(parent, `w${count}`);
    await initWitness(folder, "witness.example/w");
    const config = { folder, port: 0, host: "127.0.0.1", logs: [log.signer.key], root: null, fetch };
    const limits = { ...LIMITS, witnessRequestsPerMinute: 2 };
    const server = await serveWitness(config, { now: () => new Date(0), log: quiet, limits });
    servers.push(server);
    const answers = await Promise.all([1, 2, 3].map(() => fetch(server.url)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).to.deep.equal([200, 200, 429]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers.get("retry-after")).to.equal("30");
  });

  it("behind a proxy on its own machine, strangers use up nothing but their own share", async () => {
    count += 1;
    const folder = join(parent, `w${count}`);
    await initWitness(folder, "witness.example/w");
    const config = { folder, port: 0, host: "127.0.0.1", logs: [log.signer.key], root: null, fetch };
    const limits = { ...LIMITS, witnessRequestsPerMinute: 2 };
    const ipOf = createClientAddress(["loopback"]);
    const server = await serveWitness(config, { now: () => new Date(0), log: quiet, limits, ipOf });
    servers.push(server);
    const from = async (ip: string): Promise<number> =>
      (await fetch(server.url, { headers: { "x-forwarded-for": ip } })).status;
    for (const status of [200, 200, 429]) expect(await from("192.0.2.66")).to.equal(status);
    expect(await from("192.0.2.1")).to.equal(200);
  });

  it("gets the lines of all, and of both kinds, as the log grows", async () => {
    const witnesses = await Promise.all(["a", "b", "c"].map(honest));
    const policy = `${witnesses.map(({ lines }) => lines).join("")}group all all a b c\nquorum all\n`;
    const ask = await clientOf(policy);
    for (const size of [1, 4, 4, 9]) {
      const entries = history("one", size);
      const lines = await asked(ask, entries);
      expect(await isMet(policy, entries, lines)).to.equal(true);
      expect(lines.length).to.equal(6);
    }
    expect(said).to.deep.equal([]);
  });

  it("goes on with a quorum while one witness is away, and proves more to it when it is back", async () => {
    const [a, b] = [await honest("a"), await honest("b")];
    const either = `${a.lines}${b.lines}group g any a b\nquorum g\n`;
    const ask = await clientOf(either);
    await asked(ask, history("one", 2));
    const [, second] = servers;
    await second?.close();
    servers.pop();
    const alone = await asked(ask, history("one", 5));
    expect(await isMet(either, history("one", 5), alone)).to.equal(true);
    expect(alone.every((line) => line.includes("witness.example/a"))).to.equal(true);
    await serve(b.folder, Number(new URL(b.url).port));
    const both = await clientOf(either.replace("any", "all"));
    const lines = await asked(both, history("one", 9));
    expect(await isMet(either.replace("any", "all"), history("one", 9), lines)).to.equal(true);
  });

  it("a witness that has seen a larger tree signs no smaller one, and that is told", async () => {
    const a = await honest("a");
    const policy = `${a.lines}quorum a\n`;
    await asked(await clientOf(policy), history("one", 9));
    expect(await asked(await clientOf(policy), history("one", 5))).to.deep.equal([]);
    expect(said.join()).to.contain("larger tree");
  });

  it("a witness that has seen another history signs nothing of this one", async () => {
    const a = await honest("a");
    const policy = `${a.lines}quorum a\n`;
    await asked(await clientOf(policy), history("one", 5));
    for (const entries of [history("two", 5), history("two", 8)])
      expect(await asked(await clientOf(policy), entries)).to.deep.equal([]);
    expect(said.join()).to.contain("422");
  });

  const drain = (work: (body: string, response: Parameters<RequestListener>[1]) => void): RequestListener => {
    return (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => work(body, response));
    };
  };

  const bodyOf = (text: string): string => `${text.slice(text.indexOf("\n\n") + 2).split("\n\n")[0]}\n`;
  const lineOfAnother: readonly (readonly [what: string, answer: (body: string) => Promise<string>])[] = [
    [
      "of another tree",
      async (body) => (await liarKey("x1")).lineAt(body.replace("\n4\n", "\n5\n"), SECONDS),
    ],
    ["of tomorrow", async (body) => (await liarKey("x1")).lineAt(body, SECONDS + 86_400)],
    ["of another key", async (body) => (await liarKey("x2")).lineAt(body, SECONDS)],
    ["of a key of its name", async (body) => (await liarKey("x2")).lineAt(body, SECONDS).replace("x2", "x1")],
    ["that is none", async () => "— witness.example/x1 AAAAAAAA\n"],
    ["that is no text of a note", async () => "yes\n"],
    ["of nothing", async () => ""],
  ];
  for (const [what, answer] of lineOfAnother) {
    it(`a line ${what} is dropped`, async () => {
      const a = await honest("a");
      const listener = drain(
        (body, response) => void answer(bodyOf(body)).then((text) => response.end(text)),
      );
      const policy = `${a.lines}${await liar("x1", listener)}group g all a x1\nquorum g\n`;
      const entries = history("one", 4);
      const lines = await asked(await clientOf(policy), entries);
      expect(lines.length).to.equal(2);
      expect(lines.every((line) => line.startsWith("— witness.example/a "))).to.equal(true);
      expect(await isMet(policy, entries, lines)).to.equal(false);
    });
  }

  it("answers without end are not read, redirects are not followed, and who sees another size each time is left", async () => {
    let [visits, asks] = [0, 0];
    const target = await listenTo((_, response) => {
      visits += 1;
      response.end();
    });
    const endless = await liar(
      "x1",
      drain((_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write("x".repeat(10_000)));
        };
        response.on("drain", more);
        more();
      }),
    );
    const away = await liar(
      "x2",
      drain((_, response) => response.writeHead(307, { location: `${target}/add-checkpoint` }).end()),
    );
    const fickle = await liar(
      "x3",
      drain((_, response) => {
        asks += 1;
        response.writeHead(409, { "content-type": "text/x.tlog.size" }).end(`${asks % 3}\n`);
      }),
    );
    const ask = await clientOf(`${endless}${away}${fickle}group g all x1 x2 x3\nquorum g\n`);
    expect(await asked(ask, history("one", 4))).to.deep.equal([]);
    expect([visits, asks]).to.deep.equal([0, 3]);
    expect(said.join()).to.contain("too much").and.to.contain("another tree each time");
  });

  it("of what was asked nothing is left behind with who may end it, however often that is", async () => {
    const a = await honest("a");
    const ask = await clientOf(`${a.lines}quorum a\n`);
    const { signal } = new AbortController();
    for (const size of [1, 2, 3]) expect((await asked(ask, history("one", size), signal)).length).to.equal(2);
    expect(getEventListeners(signal, "abort")).to.deep.equal([]);
  });

  it("a witness that never answers holds nobody up once the quorum stands, nor who gives up", async () => {
    const a = await honest("a");
    const silent = await liar("s", () => {});
    const any = await clientOf(`${a.lines}${silent}group g any a s\nquorum g\n`);
    expect((await asked(any, history("one", 2))).length).to.equal(2);
    expect((await asked(any, history("one", 3))).length).to.equal(2);
    const stop = new AbortController();
    const both = asked(
      await clientOf(`${a.lines}${silent}group g all a s\nquorum g\n`),
      history("one", 4),
      stop.signal,
    );
    stop.abort();
    expect(await both).to.deep.equal([]);
  });
});
