/** The doors of whoever runs the server: for nobody else they are there, and nothing of any pod's content comes out of them. */
import { expect } from "chai";
import { hiddenRoutes } from "../../server/app.ts";
import { TASKS } from "../../server/cli/tasks/index.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type Answer, type Browser, openBrowser, PASSWORD, tokenOf } from "./client.ts";

const H = "/.account/hosting";
/** In everything that a pod may hold or be asked: none of it may come out. */
const CANARY = "kanarienvogel";

async function signedIn(
  server: TestServer,
  pod: string,
  password = `a long password of ${pod}`,
): Promise<Browser> {
  const browser = openBrowser(server);
  expect((await browser.send("POST", "/.account/login", { pod, password })).status).to.equal(200);
  return browser;
}

async function until(look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await look()); tries += 1) {
    if (tries > 600) throw new Error("It never came to that");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("the doors of whoever runs the server", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let operator: Browser;
  let ben: Browser;

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "loginsPerAccountMax=1000,loginsPerIpMax=1000" });
    ana = await server.person("ana");
    await server.person("ben");
    await server.person("owen");
    await server.context.identity.accounts.setOperator("owen", true);
    operator = await signedIn(server, "owen");
    ben = await signedIn(server, "ben");
  });
  after(() => server.close());

  it("say to the pages who runs the server, and only of oneself", async () => {
    const stateOf = async (who: Browser) =>
      (await who.send("GET", "/.account/state")).body.account.isOperator;
    expect([await stateOf(operator), await stateOf(ben)]).to.deep.equal([true, false]);
  });

  /** All of an answer that could tell anything, but for what is new each time. */
  const seen = ({ status, headers, body }: Answer): string =>
    JSON.stringify([status, [...headers].filter(([name]) => !["date", "x-request-id"].includes(name)), body])
      .replaceAll("gnitsoh", "hosting")
      .replaceAll("eborp", "probe")
      .replace(/"(?:instance|id|requestId)":"[^"]*"/g, "ID");

  it("answer all others, whatever the method, as an address does at which nothing stands", async () => {
    const routes = hiddenRoutes(server.context);
    expect(routes.length).to.be.above(15);
    const stranger = openBrowser(server);
    for (const { path } of routes) {
      const address = path.replace(/:\w+/g, "nothing").replace("{*path}", "nothing");
      const elsewhere = address.replace("hosting", "gnitsoh").replace("probe", "eborp");
      for (const who of [stranger, ben])
        for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
          const body = ["POST", "PUT", "PATCH"].includes(method) ? {} : undefined;
          const here = await who.send(method, address, body);
          const there = await who.send(method, elsewhere, body);
          expect(seen(here), `${method} ${address}`).to.equal(seen(there));
          expect(here.status, `${method} ${address}`).to.not.be.oneOf([200, 405]);
        }
    }
  });

  it("do nothing for another site, even with the right cookie", async () => {
    const headers = { origin: "https://evil.example" };
    for (const [path, body] of [
      ["accounts/ben/freeze", { frozen: true }],
      ["accounts/ben/quota", { bytes: 5_000_000 }],
      ["accounts/ben/erase", { confirm: "ben" }],
      ["invitations", { name: "Eve", days: 1 }],
      ["jobs", { what: "scrub" }],
      ["diagnostics", {}],
    ] as const) {
      const answer = await operator.send("POST", `${H}/${path}`, body, headers);
      expect([answer.status, answer.body.type], path).to.satisfy(
        ([status, type]: [number, string]) => status === 403 && type.endsWith("#cross-origin"),
      );
      expect(answer.headers.has("access-control-allow-origin")).to.equal(false);
    }
    const pod = await server.context.pods.find("ben");
    expect([pod?.quota, pod?.erased]).to.deep.equal([undefined, undefined]);
    expect(await server.context.identity.accounts.invitations.invitations()).to.deep.equal([]);
  });

  it("tell a visitor's numbers apart from nonsense", async () => {
    for (const [path, body, status] of [
      ["accounts/ben/quota", { bytes: 12 }, 400],
      ["accounts/ben/quota", { bytes: "5GB" }, 400],
      ["accounts/ben/quota", { bytes: 5e9, resources: -1 }, 400],
      ["accounts/ben/freeze", {}, 400],
      ["accounts/eve/freeze", { frozen: true }, 404],
      ["accounts/..%2Fben/freeze", { frozen: true }, 404],
      ["accounts/owen/erase", { confirm: "owen" }, 409],
      ["accounts/ben/erase", { confirm: "ana" }, 400],
      ["invitations", { name: "", days: 1 }, 400],
      ["invitations", { name: "Eve", days: 10_000 }, 400],
      ["invitations/nothing/withdraw", {}, 404],
      ["jobs", { what: "rm" }, 400],
      ["jobs", { what: "backup" }, 409],
      ["backups/verify", { name: "../../etc/passwd" }, 404],
      ["diagnostics", { token: "x", asked: 5 }, 400],
    ] as const) {
      const answer = await operator.send("POST", `${H}/${path}`, body);
      expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).to.equal(status);
    }
    expect((await operator.send("GET", `${H}/log?least=all`)).status).to.equal(400);
    expect((await server.context.pods.find("ben"))?.erased).to.equal(undefined);
  });

  it("read nothing of a pod's content, and name no place in it: not even when something there goes wrong", async () => {
    const put = (path: string, type: string, body: string) =>
      ana.fetch(`${ana.pod}${path}`, { method: "PUT", headers: { "content-type": type }, body });
    await put(
      `${CANARY}-folder/${CANARY}.ttl`,
      "text/turtle",
      `<#${CANARY}> <urn:x:${CANARY}> "${CANARY}" .`,
    );
    await put(`${CANARY}-large.bin`, "application/octet-stream", CANARY.repeat(40_000));
    await put(`${CANARY}-broken.ttl`, "text/turtle", `<#${CANARY}> oops`);
    await ana.fetch(`${ana.pod}${CANARY}-folder/${CANARY}.ttl`, { method: "DELETE" });
    await ana.fetch(`${ana.pod}sparql?query=${encodeURIComponent(`SELECT ${CANARY}`)}`);
    await fetch(`${ana.pod}${CANARY}-folder/`);
    await server.context.ldp.restrictions.restrict(
      (await server.context.pods.find("ana"))!,
      `/ana/${CANARY}-folder/`,
      "owner",
    );
    // Lines of the log, and work that fails, with words of the content in them.
    server.context.log.error("something.failed", { cause: `Error: /ana/${CANARY}.ttl is damaged` });
    server.context.log.warn("something.odd", { task: `/ana/${CANARY}`, host: `${CANARY}.example` });
    for (const error of [new Error(`/ana/${CANARY}`), new Error(CANARY)])
      await server.context.jobs.watch("import", "owner", async () => Promise.reject(error)).catch(() => {});
    const started = await operator.send("POST", `${H}/jobs`, { what: "scrub" });
    expect(started.status).to.equal(200);
    expect((await operator.send("POST", `${H}/accounts/ana/freeze`, { frozen: true })).status).to.equal(200);
    expect((await operator.send("POST", `${H}/accounts/ana/freeze`, { frozen: false })).status).to.equal(200);
    await until(async () =>
      (await operator.send("GET", `${H}/jobs`)).body.jobs.every(({ ended }: { ended: unknown }) => ended),
    );
    let answers = "";
    for (const { verb, path } of hiddenRoutes(server.context)) {
      if (path.includes("erase") || path.includes("probe/")) continue;
      const address = path.replace(":pod", "ana").replace(":id", "nothing");
      const { status, body } = await operator.send(
        verb.toUpperCase(),
        address,
        verb === "post" ? {} : undefined,
      );
      answers += `${status} ${JSON.stringify(body)}\n`;
    }
    expect(answers).to.include("something.failed").and.include('"what":"scrub"').and.include('"pod":"ana"');
    expect(answers).to.not.include(CANARY);
    expect(answers, "no address of a person or a document").to.not.match(/profile\/card|#me|\/ana\//);
  });

  it("ask for a proof before what is dangerous, and for none before what is not", async () => {
    const stale = await startServer({ FREEHOLD_LIMITS: "freshLoginMsMax=1" });
    try {
      for (const name of ["owen", "ben"]) await stale.person(name);
      await stale.context.identity.accounts.setOperator("owen", true);
      const browser = await signedIn(stale, "owen");
      await new Promise((resolve) => setTimeout(resolve, 10));
      for (const [path, body] of [
        ["accounts/ben/freeze", { frozen: true }],
        ["accounts/ben/sign-out", {}],
        ["accounts/ben/erase", { confirm: "ben" }],
        ["invitations", { name: "Eve", days: 1 }],
      ] as const) {
        const { status, body: problem } = await browser.send("POST", `${H}/${path}`, body);
        expect([status, problem.type.split("#")[1]], path).to.deep.equal([403, "login-stale"]);
      }
      const quota = { bytes: 5_000_000 };
      expect((await browser.send("POST", `${H}/accounts/ben/quota`, quota)).status).to.equal(200);
    } finally {
      await stale.close();
    }
  });

  it("close at once for who runs the server no more, and open by the command line", async () => {
    const task = TASKS.find(({ name }) => name === "account operator")!;
    const input = { args: ["ben"], flags: {}, secret: null };
    expect((await task.run(server.context, input, () => {})).exit).to.equal(0);
    expect((await ben.send("GET", `${H}/health`)).status).to.equal(200);
    await task.run(server.context, { ...input, flags: { undo: true } }, () => {});
    expect((await ben.send("GET", `${H}/health`)).status).to.not.equal(200);
    const nobody = await task
      .run(server.context, { ...input, args: ["eve"] }, () => {})
      .catch(({ message }: Error) => message);
    expect(nobody).to.equal("There is no pod called eve.");
  });

  it("sign a person out, and their apps with them", async () => {
    const { accounts } = server.context.identity;
    const other = await signedIn(server, "ana");
    expect((await operator.send("POST", `${H}/accounts/ana/sign-out`, {})).status).to.equal(200);
    expect((await other.send("GET", "/.account/state")).body.account).to.equal(null);
    expect((await operator.send("POST", `${H}/accounts/owen/sign-out`, {})).status).to.equal(200);
    expect((await operator.send("GET", `${H}/health`)).status, "their own way in stays").to.equal(200);
    expect((await accounts.list()).length).to.equal(3);
  });
});

describe("who runs the server", function () {
  this.timeout(30_000);
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer({ FREEHOLD_SIGN_UP: "open" });
  });
  afterEach(() => server.close());

  const open = async (pod: string, token: string): Promise<boolean> => {
    const browser = openBrowser(server);
    const asked = { token, name: pod, pod, password: PASSWORD };
    expect((await browser.send("POST", "/.account/setup", asked)).status).to.equal(200);
    return (await browser.send("GET", "/.account/state")).body.account.isOperator;
  };

  it("is who opens the first account by the link of the first start, and nobody by a second such link", async () => {
    const { accounts } = server.context.identity;
    const links = [
      await accounts.createSetupLink({ isFirst: true }),
      await accounts.createSetupLink({ isFirst: true }),
    ];
    expect(await open("ana", tokenOf(links[0] ?? ""))).to.equal(true);
    expect(await open("ben", tokenOf(links[1] ?? ""))).to.equal(false);
  });

  it("is not who comes first where everybody may open an account, nor who was given another link", async () => {
    const { accounts } = server.context.identity;
    const first = await accounts.createSetupLink({ isFirst: true });
    expect(await open("eve", "")).to.equal(false);
    expect(await open("ben", tokenOf(await accounts.createSetupLink()))).to.equal(false);
    expect(await open("cy", tokenOf((await accounts.invite("Cy", 86_400_000)).link))).to.equal(false);
    expect(await open("dan", tokenOf(first)), "there is somebody already").to.equal(false);
  });
});
