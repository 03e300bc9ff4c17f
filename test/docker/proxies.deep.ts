/** The recipes for proxies, run by the proxies themselves in front of a real server. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect } from "chai";
import { listen, put, stream, subscribe, until } from "../notify/support.ts";
import { quietPort } from "../support/process.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { skip } from "../support/skip.ts";

const DOCKER = join(import.meta.dirname, "../../docker");
const READY_MS_MAX = 20_000;

interface Place {
  readonly folder: string;
  /** Where the proxy listens for https, and for http. */
  readonly port: string;
  readonly plainPort: string;
  /** Host and port of the server behind it. */
  readonly upstream: string;
}

interface Recipe {
  readonly name: string;
  readonly program: string;
  /** @returns what to start, and the file with the certificate that its own is to be believed by. */
  readonly prepare: (place: Place) => {
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly authority: string;
  };
}

/** As a person would edit it: names, ports and places. @throws when the recipe does not have what is replaced. */
function edited(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((now, [from, to]) => {
    if (!now.includes(from)) throw new Error(`The recipe has no ${from}`);
    return now.replaceAll(from, to);
  }, text);
}

const nginx: Recipe = {
  name: "nginx.conf",
  program: "nginx",
  prepare({ folder, port, plainPort, upstream }) {
    const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
    const ask = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    const names = ["-addext", "subjectAltName=DNS:localhost"];
    execFileSync("openssl", [...ask, ...names, "-keyout", key, "-out", certificate], { stdio: "ignore" });
    const site = edited(readFileSync(join(DOCKER, "nginx.conf"), "utf8"), [
      ["listen 80;", `listen 127.0.0.1:${plainPort};`],
      ["    listen [::]:80;\n", ""],
      ["listen 443 ssl http2;", `listen 127.0.0.1:${port} ssl http2;`],
      ["    listen [::]:443 ssl http2;\n", ""],
      ["pod.example;", "localhost;"],
      ["/etc/letsencrypt/live/pod.example/fullchain.pem", certificate],
      ["/etc/letsencrypt/live/pod.example/privkey.pem", key],
      ["127.0.0.1:3000", upstream],
    ]);
    writeFileSync(join(folder, "site.conf"), site);
    const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
      .join(" ");
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}\nhttp { access_log off; ${places} include ${folder}/site.conf; }\n`,
    );
    return { args: ["-c", join(folder, "nginx.conf"), "-p", folder], env: {}, authority: certificate };
  },
};

const caddy: Recipe = {
  name: "Caddyfile",
  program: "caddy",
  prepare({ folder, port, plainPort, upstream }) {
    // What belongs to the machine and not to the recipe: ports that need no rights, no trust beyond this folder.
    const own = `{\n\tadmin off\n\tskip_install_trust\n\thttp_port ${plainPort}\n\thttps_port ${port}\n}\n`;
    writeFileSync(join(folder, "Caddyfile"), `${own}import ${DOCKER}/Caddyfile\n`);
    const env = {
      SITE: "localhost",
      UPSTREAM: upstream,
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
      HOME: folder,
    };
    const args = ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
    return { args, env, authority: join(folder, "caddy/pki/authorities/local/root.crt") };
  },
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Proxied {
  readonly base: string;
  readonly plain: string;
  close(): Promise<void>;
}

async function start({ program, prepare }: Recipe, place: Place): Promise<Proxied> {
  const { args, env, authority } = prepare(place);
  const child: ChildProcess = spawn(program, args, {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "close");
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const before = getCACertificates("default");
  const base = `https://localhost:${place.port}/`;
  await until(
    `${program} answers`,
    async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
      try {
        setDefaultCACertificates([...before, readFileSync(authority, "utf8")]);
        await get(base, "/", {});
        return true;
      } catch {
        return false; // Not yet; Caddy makes its authority while it starts.
      }
    },
    READY_MS_MAX,
  ).catch((cause: unknown) => {
    child.kill("SIGKILL");
    throw new Error(`${program} does not answer: ${said}`, { cause });
  });
  return {
    base,
    plain: `http://localhost:${place.plainPort}/`,
    async close() {
      setDefaultCACertificates(before);
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The path as it is written, which fetch would tidy up. */
function get(base: string, path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, path, headers, ca: getCACertificates("default"), family: 4 },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

for (const recipe of [nginx, caddy]) {
  describe(`docker/${recipe.name}`, function suite() {
    this.timeout(120_000);
    let folder: string;
    let ports: { readonly port: string; readonly plainPort: string };

    before(async function prepare() {
      if (spawnSync(recipe.program, ["version"]).error)
        skip(this, `${recipe.program} is not installed: apt-get install ${recipe.program}`);
      if (spawnSync("openssl", ["version"]).error) skip(this, "openssl is not installed");
      folder = mkdtempSync(join(tmpdir(), "freehold-proxy-"));
      ports = { port: await quietPort(), plainPort: await quietPort() };
    });

    after(() => folder && rmSync(folder, { recursive: true, force: true }));

    describe("in front of whatever answers", () => {
      let behind: Server;
      let proxied: Proxied;

      before(async () => {
        behind = createServer((asked, response) => {
          const { method, url, headers } = asked;
          response.setHeader("content-type", "application/json");
          response.end(JSON.stringify({ method, url, headers }));
        });
        await new Promise<void>((done) => behind.listen(0, "127.0.0.1", done));
        const inner = join(folder, "echo");
        mkdirSync(inner);
        const upstream = `127.0.0.1:${(behind.address() as AddressInfo).port}`;
        proxied = await start(recipe, { folder: inner, ...ports, upstream });
      });

      after(async () => {
        await proxied?.close();
        behind?.closeAllConnections();
        behind?.close();
      });

      const arrived = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
        JSON.parse((await get(proxied.base, path, headers)).text) as {
          readonly url: string;
          readonly headers: IncomingHttpHeaders;
        };

      it("passes addresses on as they were written", async () => {
        for (const path of [
          "/a%2Fb",
          "/a//b",
          "/%7Ealice/%C3%A9",
          "/a%20b?c=d%26e&f=%2F",
          "/a;b,c='d'",
          "/a%252Fb",
        ])
          expect((await arrived(path)).url).to.equal(path);
      });

      it("says what was asked for, by whom and how, and believes nobody else's word", async () => {
        const { headers } = await arrived("/", {
          "x-forwarded-for": "203.0.113.9",
          "x-forwarded-proto": "http",
          "x-forwarded-host": "other.example",
        });
        expect(headers.host).to.equal(`localhost:${ports.port}`);
        expect([
          headers["x-forwarded-for"],
          headers["x-forwarded-proto"],
          headers["x-forwarded-host"],
        ]).to.deep.equal(["127.0.0.1", "https", `localhost:${ports.port}`]);
      });

      it("takes the long tokens and proofs that the server takes", async () => {
        const long = "t".repeat(8_000);
        const { headers } = await arrived("/", { authorization: `DPoP ${long}`, dpop: long.slice(0, 4_000) });
        expect(headers.authorization).to.equal(`DPoP ${long}`);
        expect(headers["dpop"]).to.have.length(4_000);
      });

      it("sends who asks without TLS to the same address with it, with the same method", async () => {
        const answer = await fetch(`${proxied.plain}a%2Fb?c`, {
          method: "POST",
          body: "x",
          redirect: "manual",
        });
        expect(answer.status).to.equal(308);
        expect(answer.headers.get("location")).to.match(/^https:\/\/localhost(?::\d+)?\/a%2Fb\?c$/);
      });
    });

    describe("in front of a server", () => {
      let server: TestServer;
      let proxied: Proxied;
      let ana: Person;

      before(async () => {
        const port = await quietPort();
        server = await startServer({
          FREEHOLD_PORT: port,
          FREEHOLD_BASE_URL: `https://localhost:${ports.port}/`,
          FREEHOLD_TRUST_PROXY: "127.0.0.1",
        });
        const inner = join(folder, "server");
        mkdirSync(inner);
        proxied = await start(recipe, { folder: inner, ...ports, upstream: `127.0.0.1:${port}` });
        ana = await server.person("Ana"); // Logs in through the proxy: every token and proof names its address.
      });

      after(async () => {
        await proxied?.close();
        await server?.close();
      });

      it("lets a person log in, write and read", async () => {
        await put(ana, "note.ttl", '<> <http://schema.org/name> "One".');
        const response = await ana.fetch(`${ana.pod}note.ttl`);
        expect([response.status, ana.pod]).to.deep.equal([200, `${proxied.base}ana/`]);
        expect(await response.text()).to.include("One");
        const same = await ana.fetch(`${ana.pod}note.ttl`, {
          headers: { "if-none-match": response.headers.get("etag") ?? "" },
        });
        expect(same.status).to.equal(304);
      });

      it("lets files of many megabytes through, both ways, byte for byte", async () => {
        const file = Buffer.alloc(24 * 1024 * 1024, "0123456789abcdef\n");
        const written = await ana.fetch(`${ana.pod}film.bin`, {
          method: "PUT",
          headers: { "content-type": "application/octet-stream" },
          body: file,
        });
        expect(written.status).to.equal(201);
        const read = Buffer.from(await (await ana.fetch(`${ana.pod}film.bin`)).arrayBuffer());
        expect(read.equals(file)).to.equal(true);
      });

      it("leaves it to the server to say that a body is too large", async () => {
        const response = await ana.fetch(`${ana.pod}much.ttl`, {
          method: "PUT",
          headers: { "content-type": "text/turtle" },
          body: Buffer.alloc(5 * 1024 * 1024, "# much\n"),
        });
        expect(response.status).to.equal(413);
        expect(response.headers.get("content-type")).to.include("application/problem+json");
      });

      it("passes WebSockets", async () => {
        await put(ana, "heard.ttl", "");
        const channel = await subscribe(ana.fetch, ana.pod, "WebSocketChannel2023", `${ana.pod}heard.ttl`);
        expect(channel.receiveFrom).to.match(new RegExp(`^wss://localhost:${ports.port}/`));
        const ear = await listen(channel.receiveFrom);
        await put(ana, "heard.ttl", '<> <http://schema.org/name> "Two".');
        await until("the change is heard", () => ear.notes.length > 0);
        expect(ear.notes[0]?.object).to.equal(`${ana.pod}heard.ttl`);
        await ear.close();
      });

      it("holds nothing of a stream back", async () => {
        const channel = await subscribe(
          ana.fetch,
          ana.pod,
          "StreamingHTTPChannel2023",
          `${ana.pod}heard.ttl`,
        );
        const heard = await stream(ana.fetch, channel.receiveFrom);
        expect(heard.response.status).to.equal(200);
        await put(ana, "heard.ttl", '<> <http://schema.org/name> "Three".');
        await until("the change is heard while the stream goes on", () => heard.text.includes("heard.ttl"));
        expect(heard.isOver).to.equal(false);
        await heard.leave();
      });
    });
  });
}
