/** Every spelling of this machine, and every rule of the gate: long because the tables are. */
import type { LookupAddress } from "node:dns";
import { lookup as systemLookup } from "node:dns";
import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { createServer as createTcp, type LookupFunction, type Server as TcpServer } from "node:net";
import { expect } from "chai";
import { Agent, buildConnector, request } from "undici";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import {
  createConnector,
  createSafeFetch,
  forbiddenAddresses,
  type SafeFetch,
} from "../../server/safe-fetch.ts";
import { listen, problemOf } from "./support.ts";

const OPTIONS = { accept: "text/turtle", bytesMax: 1_000, kind: "webid" };

/** This machine and its neighbours, in every spelling that a URL allows. */
const FORBIDDEN_HOSTS = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "127.0.0.1.",
  "127.255.255.254",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "0177.1",
  "017700000001",
  "0x7F.0x0.0x0.0x1",
  "%31%32%37.0.0.1",
  "①②⑦.⓪.⓪.①",
  "１２７.０.０.１",
  "127。0。0。1",
  "127．0．0．1",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "0.0.0.0",
  "0",
  "0x0",
  "00",
  "[::1]",
  "[::]",
  "[0:0:0:0:0:0:0:1]",
  "[0000:0000:0000:0000:0000:0000:0000:0001]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::FFFF:7F00:0001]",
  "[0:0:0:0:0:ffff:127.0.0.1]",
  "[::127.0.0.1]",
  "[::7f00:1]",
  "[::ffff:0:127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2002:7f00:1::1]",
  "[2002:a00:1::]",
  "[fe80::1]",
  "[febf::1]",
  "[fec0::1]",
  "[fc00::1]",
  "[fd00:ec2::254]",
  "[ff02::1]",
  "[ff0e::1]",
  "[::ffff:0.0.0.0]",
  "[::ffff:10.0.0.1]",
  "[::ffff:169.254.169.254]",
  "10.0.0.1",
  "10.1",
  "10.255.255.255",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.0.1",
  "192.168.257",
  "169.254.169.254",
  "0xa9fea9fe",
  "2852039166",
  "0251.0376.0251.0376",
  "100.64.0.1",
  "100.127.255.255",
  "192.0.0.1",
  "192.0.0.170",
  "192.0.2.1",
  "192.88.99.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "[2001:db8::1]",
  "[2001::1]",
  "[100::1]",
  "[3fff::1]",
  "[5f00::1]",
];
const PUBLIC_ADDRESSES = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.1",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00:1450::1",
  "2003::1",
  "64:ff9c::1",
  "fbff::1",
];

interface Canary {
  readonly port: number;
  hits: number;
  close(): void;
}

/** Counts connections, not requests: a TLS handshake is a hit, too. */
async function makeCanary(): Promise<Canary> {
  const servers: TcpServer[] = [];
  const canary: Canary = { port: 0, hits: 0, close: () => servers.forEach((server) => server.close()) };
  let port = 0;
  for (const host of ["127.0.0.1", "::1"]) {
    const server = createTcp((socket) => {
      canary.hits += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    port = (server.address() as { port: number }).port;
    servers.push(server);
  }
  return Object.assign(canary, { port });
}

describe("safe fetch: addresses", () => {
  let canary: Canary;
  before(async () => {
    canary = await makeCanary();
  });
  after(() => canary.close());

  function agentWith(isGuarded: boolean, lookup: LookupFunction = systemLookup): Agent {
    const secure = buildConnector({ allowH2: false, timeout: 500 });
    return new Agent({
      connect: createConnector(secure, isGuarded ? forbiddenAddresses() : null, lookup, 500),
      headersTimeout: 1_000,
    });
  }

  it("the canary sings: without the list both schemes reach it", async () => {
    for (const scheme of ["http", "https"]) {
      await request(`${scheme}://127.0.0.1:${canary.port}/`, { dispatcher: agentWith(false) }).catch(
        () => {},
      );
    }
    expect(canary.hits).to.equal(2);
    canary.hits = 0;
  });

  it(`${FORBIDDEN_HOSTS.length} spellings, with and without TLS, reach nothing, and at once`, async function () {
    this.timeout(10_000);
    expect(FORBIDDEN_HOSTS.length).to.be.greaterThan(80);
    const agent = agentWith(true);
    for (const host of FORBIDDEN_HOSTS) {
      for (const scheme of ["http", "https"]) {
        const started = performance.now();
        const outcome = await request(`${scheme}://${host}:${canary.port}/`, { dispatcher: agent }).then(
          () => "reached",
          (error: { code?: string; errors?: { code?: string }[] }) =>
            error.code ?? error.errors?.map(({ code }) => code).join() ?? "unknown",
        );
        expect(outcome, `${scheme}://${host}`).to.be.oneOf(["ERR_IP_BLOCKED", "ENOTFOUND", "EAI_AGAIN"]);
        expect(performance.now() - started, host).to.be.lessThan(450);
      }
    }
    expect(canary.hits).to.equal(0);
    await agent.destroy();
  });

  for (const address of PUBLIC_ADDRESSES) {
    it(`${address} is not forbidden`, () => {
      expect(forbiddenAddresses().check(address, address.includes(":") ? "ipv6" : "ipv4")).to.equal(false);
    });
  }

  const answering = (...turns: readonly (readonly LookupAddress[])[]): LookupFunction => {
    let turn = 0;
    return (_hostname, options, callback) => {
      const addresses = turns[Math.min(turn, turns.length - 1)] ?? [];
      turn += 1;
      if (options.all) callback(null, [...addresses] as never);
      else callback(null, addresses[0]?.address ?? "", addresses[0]?.family ?? 4);
    };
  };
  const local = { address: "127.0.0.1", family: 4 };
  const local6 = { address: "::1", family: 6 };
  const mapped = { address: "::ffff:127.0.0.1", family: 6 };
  const elsewhere = { address: "192.0.2.1", family: 4 };
  const names: [string, LookupFunction][] = [
    ["a name of this machine", answering([local])],
    ["a name of this machine, IPv6", answering([local6])],
    ["a name with a mapped address", answering([mapped])],
    ["a name that is both there and here", answering([{ address: "8.8.8.8", family: 4 }, local])],
    ["a name that is there first and then here (rebinding)", answering([elsewhere], [local], [local])],
    ["a name without addresses", answering([])],
  ];
  for (const [what, lookup] of names) {
    it(`${what} reaches nothing`, async () => {
      const agent = agentWith(true, lookup);
      for (const scheme of ["http", "https"]) {
        for (let n = 0; n < 3; n += 1) {
          const outcome = await request(`${scheme}://name.example:${canary.port}/`, {
            dispatcher: agent,
          }).then(
            () => "reached",
            (error: Error) => error.message,
          );
          expect(outcome).not.to.equal("reached");
        }
      }
      expect(canary.hits).to.equal(0);
      await agent.destroy();
    });
  }
});

describe("safe fetch: rules", () => {
  let server: Server;
  let origin: string;
  let respond: RequestListener;
  let asked: IncomingMessage[];
  let time: number;
  let log: string[];
  let fetchIt: SafeFetch;
  let canary: Canary;

  const make = (limits: Partial<Record<keyof Limits, number>> = {}, egressAllow = [origin]): SafeFetch =>
    createSafeFetch({
      egressAllow,
      limits: { ...LIMITS, ...limits },
      log: createLog(
        (line) => log.push(line),
        () => new Date(time),
      ),
      now: () => new Date(time),
    });

  before(async () => {
    canary = await makeCanary();
    server = createHttp((incoming, response) => {
      asked.push(incoming);
      respond(incoming, response);
    });
    origin = `http://127.0.0.1:${await listen(server)}`;
  });
  beforeEach(() => {
    asked = [];
    log = [];
    time = Date.now();
    respond = (_, response) => response.writeHead(200, { "content-type": "text/turtle" }).end("<> a <#x>.");
    fetchIt = make();
  });
  after(() => {
    canary.close();
    server.closeAllConnections();
    server.close();
  });

  it("an allowed origin is fetched plainly: no cookies, no credentials, no compression", async () => {
    const answer = await fetchIt(`${origin}/card#me`, OPTIONS);
    expect(Buffer.from(answer.bytes).toString()).to.equal("<> a <#x>.");
    expect(answer).to.include({ status: 200, url: `${origin}/card` });
    expect(answer.headers["content-type"]).to.equal("text/turtle");
    const { headers, method, url } = asked[0] ?? ({} as IncomingMessage);
    expect({ method, url }).to.deep.equal({ method: "GET", url: "/card" });
    expect(headers).to.include({ accept: "text/turtle", "accept-encoding": "identity" });
    expect(headers).not.to.have.any.keys("cookie", "authorization", "referer", "origin", "dpop");
  });

  const untried = [
    "http://example.org/",
    "ftp://example.org/",
    "file:///etc/passwd",
    "data:text/turtle,",
    "javascript:1",
    "https://example.org:444/",
    "https://example.org:80/",
    "http://example.org:443/",
    "https://ana:secret@example.org/",
    "https://ana@example.org/",
    "//example.org/",
    "example.org",
    "",
    "https://",
    "https://[::1",
    "https://exa mple.org/",
    `https://example.org/${"x".repeat(9_000)}`,
    "gopher://127.0.0.1:70/",
    "unix:/var/run/x.sock",
  ];
  for (const url of untried) {
    it(`does not even try ${url.slice(0, 40) || "nothing"}`, async () => {
      expect((await problemOf(fetchIt(url, OPTIONS))).code).to.equal("fetch-failed");
    });
  }
  it("credentials are refused for allowed origins, too, and another port is another origin", async () => {
    await problemOf(fetchIt(origin.replace("//", "//a:b@"), OPTIONS));
    await problemOf(fetchIt(`http://127.0.0.1:${canary.port}/`, OPTIONS));
    await problemOf(fetchIt(origin.replace("127.0.0.1", "localhost"), OPTIONS));
    expect(asked).to.have.lengthOf(0);
    expect(canary.hits).to.equal(0);
  });

  it("every spelling of this machine is refused with one text that tells nothing", async () => {
    const strict = make({ egressOriginsPerSecondMax: 1_000 }, []);
    for (const host of FORBIDDEN_HOSTS) {
      const problem = await problemOf(strict(`https://${host}/`, OPTIONS));
      expect(problem.code, host).to.equal("fetch-failed");
      expect(problem.detail, host).to.equal("The webid document could not be fetched");
    }
    expect(log.join("")).not.to.match(/127\.|localhost|169\.254/);
  });

  const redirects: [string, () => string, boolean][] = [
    ["to another path", () => "/b", true],
    ["to an absolute address that is allowed", () => `${origin}/b`, true],
    ["to a neighbour", () => `http://127.0.0.1:${canary.port}/`, false],
    ["to a neighbour by TLS", () => `https://127.0.0.1:${canary.port}/`, false],
    ["to this machine's own name", () => `http://localhost:${canary.port}/`, false],
    ["to https of this machine", () => "https://localhost/", false],
    ["to the machine's metadata", () => "https://169.254.169.254/", false],
    ["to a file", () => "file:///etc/passwd", false],
    ["with credentials", () => origin.replace("//", "//a:b@"), false],
    ["to nowhere", () => "http://", false],
  ];
  for (const [what, location, isGood] of redirects) {
    it(`${isGood ? "follows" : "does not follow"} a redirect ${what}`, async () => {
      respond = (incoming, response) =>
        incoming.url === "/b" ? response.end("ok") : response.writeHead(302, { location: location() }).end();
      const outcome = fetchIt(`${origin}/a`, OPTIONS);
      if (isGood) expect((await outcome).url).to.equal(`${origin}/b`);
      else expect((await problemOf(outcome)).code).to.equal("fetch-failed");
      expect(canary.hits).to.equal(0);
    });
  }
  it("three redirects are followed, four are not", async () => {
    respond = (incoming, response) => {
      const left = Number(incoming.url?.slice(1));
      if (left === 0) response.end("ok");
      else response.writeHead(301, { location: `/${left - 1}` }).end();
    };
    expect((await fetchIt(`${origin}/3`, OPTIONS)).status).to.equal(200);
    await problemOf(fetchIt(`${origin}/4`, OPTIONS));
  });

  const failures: [string, RequestListener][] = [
    ["a status that is no success", (_, response) => response.writeHead(404).end("no")],
    ["a server's mistake", (_, response) => response.writeHead(500).end("stack trace")],
    [
      "a length that is too long",
      (_, response) => response.writeHead(200, { "content-length": "2000" }).end("x".repeat(2_000)),
    ],
    [
      "a stream that never ends",
      (_, response) => {
        const more = setInterval(() => response.write("x".repeat(400)), 5);
        response.on("close", () => clearInterval(more));
      },
    ],
    ["compressed content", (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("x")],
    ["a broken connection", (_, response) => response.socket?.destroy()],
    [
      "header fields that are too large",
      (_, response) => response.writeHead(200, { x: "x".repeat(20_000) }).end("x"),
    ],
  ];
  for (const [what, listener] of failures) {
    it(`fails for ${what}`, async () => {
      respond = listener;
      const problem = await problemOf(fetchIt(`${origin}/`, OPTIONS));
      expect(problem.detail).to.equal("The webid document could not be fetched");
      expect(problem.status).to.equal(502);
    });
  }
  it("a slow answer ends in time, drip by drip too", async () => {
    const quick = make({ egressMsMax: 200 });
    respond = () => {};
    const started = performance.now();
    await problemOf(quick(`${origin}/silent`, OPTIONS));
    respond = (_, response) => {
      const drip = setInterval(() => response.write("."), 20);
      response.on("close", () => clearInterval(drip));
    };
    await problemOf(quick(`${origin}/drip`, OPTIONS));
    expect(performance.now() - started).to.be.lessThan(1_500);
  });

  it("a failure is remembered for a minute", async () => {
    respond = (_, response) => response.writeHead(500).end();
    for (let n = 0; n < 5; n += 1) await problemOf(fetchIt(`${origin}/`, OPTIONS));
    expect(asked).to.have.lengthOf(1);
    time += LIMITS.egressFailureMsKept + 1;
    respond = (_, response) => response.end("ok");
    expect((await fetchIt(`${origin}/`, OPTIONS)).status).to.equal(200);
  });
  it("but a failed try to read a document as something smaller locks nobody out", async () => {
    respond = (_, response) => response.end("x".repeat(500));
    await problemOf(fetchIt(`${origin}/`, { ...OPTIONS, bytesMax: 100, kind: "client" }));
    expect((await fetchIt(`${origin}/`, OPTIONS)).bytes).to.have.lengthOf(500);
  });
  it("what is asked at once by many is fetched once", async () => {
    await Promise.all(Array.from({ length: 20 }, () => fetchIt(`${origin}/`, OPTIONS)));
    expect(asked).to.have.lengthOf(1);
  });

  it("strangers' fetches have a budget for each network, and new origins for all", async () => {
    const bounded = make({ egressFetchesPerIpMax: 3 });
    const ask = (path: string, ip: string) => bounded(`${origin}/${path}`, { ...OPTIONS, ip });
    for (const path of ["a", "b", "c"]) await ask(path, "2001:db8:1:2::1");
    const problem = await problemOf(ask("d", "2001:db8:1:2:ffff::9"));
    expect(problem.code).to.equal("too-many-requests");
    expect(problem.headers["retry-after"]).to.equal("20"); // A third of the minute in which three may pass.
    expect((await ask("d", "2001:db8:1:3::1")).status).to.equal(200);
    time += 60_000;
    expect((await ask("e", "2001:db8:1:2::1")).status).to.equal(200);

    const origins = make({ egressOriginsPerSecondMax: 2 }, []);
    const codes: string[] = [];
    time = Math.ceil(time / 1_000) * 1_000;
    for (let n = 0; n < 4; n += 1)
      codes.push((await problemOf(origins(`https://127.0.0.${n}/`, OPTIONS))).code);
    expect(codes).to.deep.equal(["fetch-failed", "fetch-failed", "too-many-requests", "too-many-requests"]);
    const perNetwork = make({ egressOriginsPerIpMax: 1, egressOriginsPerSecondMax: 100 }, []);
    await problemOf(perNetwork("https://127.0.0.1/", { ...OPTIONS, ip: "198.51.100.1" }));
    expect(
      (await problemOf(perNetwork("https://127.0.0.2/", { ...OPTIONS, ip: "198.51.100.1" }))).code,
    ).to.equal("too-many-requests");
    expect(
      (await problemOf(perNetwork("https://127.0.0.2/", { ...OPTIONS, ip: "198.51.100.2" }))).code,
    ).to.equal("fetch-failed");
  });
});
