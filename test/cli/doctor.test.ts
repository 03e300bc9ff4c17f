/** `freehold doctor`, on real servers: behind a small proxy that does as proxies do, good and bad. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Finding, reportText } from "../../server/cli/doctor/finding.ts";
import { clockOf } from "../../server/cli/doctor/inside.ts";
import { judge, type Seen } from "../../server/cli/doctor/judge.ts";
import { doctor } from "../../server/cli/tasks/doctor.ts";
import { freehold } from "../support/process.ts";
import { startServer, type TestServer } from "../support/server.ts";

interface Manners {
  /** Says whom a request comes from. */
  readonly forwardedFor: boolean;
  readonly host: boolean;
  readonly upgrade: boolean;
  readonly proto?: string;
  /** Changes the address. */
  readonly rewrite?: (path: string) => string;
  /** Answers by itself. */
  readonly status?: number;
}

const GOOD: Manners = { forwardedFor: true, host: true, upgrade: true };

/** A proxy on a free port; where it leads is said once the server is there. */
async function openProxy(manners: Manners) {
  let target = 0;
  const proxy: Server = createServer((asked, answer) => {
    if (manners.status !== undefined) {
      answer.writeHead(manners.status, { location: "https://elsewhere.example/" }).end();
      return;
    }
    const { upgrade: _upgrade, connection: _connection, ...headers } = asked.headers;
    const sent = request(
      {
        port: target,
        host: "127.0.0.1",
        method: asked.method,
        path: (manners.rewrite ?? String)(asked.url ?? "/"),
        headers: {
          ...headers,
          ...(!manners.host && { host: `127.0.0.1:${target}` }),
          ...(manners.forwardedFor && { "x-forwarded-for": asked.socket.remoteAddress }),
          ...(manners.proto !== undefined && { "x-forwarded-proto": manners.proto }),
        },
      },
      (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      },
    );
    sent.on("error", () => answer.destroy());
    asked.pipe(sent);
  });
  if (manners.upgrade)
    proxy.on("upgrade", ({ url, rawHeaders }, socket) => {
      const inner = connect(target, "127.0.0.1", () => {
        const lines = rawHeaders.flatMap((name, at) =>
          at % 2 === 0 ? `${name}: ${rawHeaders[at + 1]}` : [],
        );
        inner.write(`GET ${url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
        inner.pipe(socket).pipe(inner);
      });
      inner.on("error", () => socket.destroy());
      socket.on("error", () => inner.destroy());
    });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/`,
    leadsTo: (to: number) => (target = to),
    close() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

const of = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ about, state, code }) => [about, `${state} ${code}`]));
const run = async (server: TestServer, flags = {}) => {
  const result = await doctor.run(server.context, { args: [], flags, secret: null }, () => {});
  return { ...result, ...(result.value as { findings: readonly Finding[]; report: string }) };
};

describe("freehold doctor", function () {
  this.timeout(60_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-doctor-"));
    await writeFile(join(folder, "passphrase"), "a passphrase for these backups\n");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function behind(manners: Manners, env: Readonly<Record<string, string>> = {}) {
    const proxy = await openProxy(manners);
    const server = await startServer({ FREEHOLD_BASE_URL: proxy.url, ...env });
    proxy.leadsTo(server.context.config.port);
    const pods = server.context.pods;
    await pods.create("ana", `${proxy.url}ana/profile/card#me` as never);
    try {
      return await run(server);
    } finally {
      await server.close();
      proxy.close();
    }
  }

  it("finds nothing wrong where all is well, says what it could not look at, and ends with 0", async () => {
    const server = await startServer({
      FREEHOLD_BACKUP_FOLDER: join(folder, "backups"),
      FREEHOLD_BACKUP_PASSPHRASE_FILE: join(folder, "passphrase"),
    });
    try {
      await server.person("ana");
      await server.context.backups.tick();
      const { findings, exit, lines } = await run(server);
      const notes = findings.filter(({ state }) => state !== "ok").map(({ code }) => code);
      expect(notes, lines.join("\n")).to.deep.equal(["not-checked"]);
      expect(of(findings)).to.include({
        address: "ok reached",
        visitors: "ok no-proxy",
        spelling: "ok same",
        live: "ok open",
        clock: "note not-checked",
        sqlite: "ok good",
        keys: "ok readable",
        backups: "ok good",
        registry: "ok own",
      });
      expect(exit).to.equal(0);
      expect(lines.join("\n")).to.include("Nothing is wrong; 1 to look at.");
      // The real command, done by the server that runs.
      const asked = await freehold(["doctor", "--data", server.folder, "--json"]).ended;
      expect(asked.code, asked.err).to.equal(0);
      expect(JSON.parse(asked.out).result.findings.length).to.equal(findings.length);
    } finally {
      await server.close();
    }
  });

  it("finds nothing wrong behind a proxy that does as it should", async () => {
    const { findings, exit } = await behind(
      { ...GOOD, proto: "http" },
      { FREEHOLD_TRUST_PROXY: "127.0.0.1" },
    );
    expect(of(findings)).to.include({
      address: "ok reached",
      host: "ok passed-on",
      protocol: "ok passed-on",
      visitors: "ok told-apart",
      spelling: "ok same",
      live: "ok open",
    });
    expect(exit).to.equal(0);
  });

  for (const [what, manners, env, wanted] of [
    [
      "a proxy that forgets whom a request comes from, and its name",
      { ...GOOD, forwardedFor: false, host: false },
      {},
      { visitors: "wrong forwarded-for-missing", host: "note host-changed" },
    ],
    [
      "a proxy that is not believed",
      GOOD,
      {},
      { visitors: "wrong forwarded-for-not-believed", live: "ok open" },
    ],
    [
      "a proxy that forgets to upgrade",
      { ...GOOD, upgrade: false },
      { FREEHOLD_TRUST_PROXY: "127.0.0.1" },
      { live: "wrong upgrade-lost", address: "ok reached" },
    ],
    [
      "a proxy that decodes addresses",
      { ...GOOD, rewrite: (path: string) => path.replace("%2C", ",") },
      { FREEHOLD_TRUST_PROXY: "127.0.0.1" },
      { spelling: "wrong htu-changed" },
    ],
    [
      "a proxy that says https where the address says http",
      { ...GOOD, proto: "https" },
      { FREEHOLD_TRUST_PROXY: "127.0.0.1" },
      { protocol: "note proto-differs" },
    ],
    [
      "a proxy that leads elsewhere",
      { ...GOOD, status: 302 },
      {},
      { address: "wrong answered-by-another-302" },
    ],
  ] as const)
    it(`finds ${what}`, async () => {
      const { findings, exit } = await behind(manners, env);
      expect(of(findings)).to.include(wanted);
      const bad = Object.values(wanted).some((found) => found.startsWith("wrong"));
      expect(exit).to.equal(bad ? 1 : 0);
      for (const { state, what: words, next } of findings) {
        expect(words).to.match(/\.$/);
        if (state !== "ok") expect(next, words).to.be.a("string").and.match(/\.$/);
      }
    });

  it("finds that nobody is at the address, a root key that others may read, and a clock that is off", async () => {
    const clock = createServer((_request, response) => {
      response.setHeader("date", new Date(Date.now() - 600_000).toUTCString());
      response.sendDate = false;
      response.end();
    });
    await new Promise<void>((resolve) => clock.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(clock.address() as AddressInfo).port}`;
    const gone = await openProxy(GOOD);
    gone.close();
    const server = await startServer({ FREEHOLD_BASE_URL: gone.url, FREEHOLD_EGRESS_ALLOW: url });
    try {
      await chmod(server.context.config.rootKeyFile, 0o644);
      await chmod(server.folder, 0o755);
      const { findings, exit, report } = await run(server, { clock: `${url}/` });
      expect(of(findings)).to.include({
        address: "wrong not-reached-ECONNREFUSED",
        keys: "wrong open-to-others",
        folder: "note open-to-others",
        clock: "wrong off",
        "way-out": "note opened",
      });
      expect(exit).to.equal(1);
      expect(report).to.include("wrong address: not-reached-ECONNREFUSED");
    } finally {
      await server.close();
      clock.close();
    }
  });

  it("writes a report without anything personal or secret in it", async () => {
    const server = await startServer({ FREEHOLD_REGISTRAR: "secret-registrar" });
    try {
      await server.person("ana");
      const { findings } = await run(server);
      const report = reportText(findings, {
        baseUrl: "https://anas-own-pod.example:8443/",
        store: "postgres://ana:secret@db.example/pods",
      });
      expect(report).to.include("store postgres, address https, port given");
      for (const secret of [
        server.folder,
        new URL(server.baseUrl).port,
        "ana",
        "8443",
        "secret",
        "example",
        "127.0.0.1",
        tmpdir(),
      ])
        expect(report, secret).to.not.include(secret);
    } finally {
      await server.close();
    }
  });

  it("looks at what it can where no server runs, and says so", async () => {
    const { code, out } = await freehold(["doctor", "--data", join(folder, "nothing")]).ended;
    expect(code).to.equal(1);
    expect(out)
      .to.match(/WRONG {2}lock +There are no data of a server in this folder/)
      .and.match(/wrong lock: nothing-there/);
    const server = await startServer();
    const data = server.folder;
    // While it stops, the folder is still there: what is left of it is looked at by the lock alone.
    const { code: during } = await freehold(["doctor", "--data", data]).ended;
    expect(during).to.equal(0);
    await server.close();
  });
});

describe("what the doctor makes of what it saw", () => {
  const place = { baseUrl: "https://pods.example/", port: 3000, trustProxy: ["10.0.0.1"] };
  const now = Date.parse("2026-11-22T12:00:00Z");
  const arrived = {
    host: "pods.example",
    proto: "https",
    hasForwardedFor: true,
    isBelieved: true,
    hasVia: false,
    url: "https://pods.example/a",
    at: now,
  };
  const seen: Seen = {
    by: "server",
    asked: "https://pods.example/a",
    failed: null,
    status: 200,
    arrived,
    socket: null,
    certificateEnds: now + 60 * 86_400_000,
  };
  const found = (change: Partial<Seen>, at = place) => of(judge(at, { ...seen, ...change }, now));

  for (const [what, change, about, wanted] of [
    ["a good certificate", {}, "certificate", "ok good"],
    ["one that ends soon", { certificateEnds: now + 5 * 86_400_000 }, "certificate", "wrong ends-soon"],
    [
      "one that has ended",
      { failed: "CERT_HAS_EXPIRED", arrived: null },
      "certificate",
      "wrong CERT_HAS_EXPIRED",
    ],
    [
      "one for another name",
      { failed: "ERR_TLS_CERT_ALTNAME_INVALID", arrived: null },
      "address",
      "wrong not-reached-ERR_TLS_CERT_ALTNAME_INVALID",
    ],
    ["a browser that accepts it", { by: "browser", certificateEnds: null }, "certificate", "ok accepted"],
    [
      "a way that cannot be looked at",
      { failed: "ENOTFOUND", arrived: null, certificateEnds: null },
      "certificate",
      "note not-checked",
    ],
    ["no pod yet", { socket: undefined }, "live", "note not-checked"],
  ] as const)
    it(`${what}: ${wanted}`, () => expect(found(change)).to.include({ [about]: wanted }));

  it("an address without TLS that others can reach is wrong", () =>
    expect(found({}, { ...place, baseUrl: "http://pods.example/" })).to.include({
      certificate: "wrong no-tls",
    }));

  it("the clock is held against the middle of all others, so that one that is off does not count", () => {
    const others = [now, now + 500, now - 3_600_000].map((date) => ({ name: "other", date }));
    expect(clockOf(others, now).state).to.equal("ok");
    expect(clockOf([{ name: "other", date: now + 31_000 }], now).code).to.equal("off");
    expect(clockOf([{ name: "other", date: null }], now).code).to.equal("not-checked");
  });
});
