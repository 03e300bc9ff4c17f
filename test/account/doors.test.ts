/** Opening an account, signing in and out, and everything a signed-in person can change about the account: long, for it is one account told door by door. */
import { expect } from "chai";
import { accountOfPasskey } from "../../server/account/records.ts";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";
import { SERVER_POD } from "../../server/store/store.ts";
import { type Harness, PASSPORT_ID, startHarness } from "../ui/harness.ts";
import { type Browser, FIREFOX, openBrowser, PASSWORD, setUp, tokenOf } from "./client.ts";

const DAY_MS = 86_400_000;

describe("accounts, through their doors", () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await startHarness();
  });
  afterEach(() => harness.close());

  describe("a set-up link", () => {
    const ana = { name: "Ana Lima", pod: "ana", password: PASSWORD, createOp: { op: "first" } };

    it("opens an account with a pod and a passport, and signs its owner in", async () => {
      const browser = openBrowser(harness);
      const token = tokenOf(await harness.accounts.createSetupLink());
      expect((await browser.send("POST", "/.account/setup/begin", { token })).body).to.deep.include({
        zone: "zz",
        registrar: "local",
      });
      expect((await browser.send("POST", "/.account/setup", { ...ana, token })).status).to.equal(200);
      const { body } = await browser.send("GET", "/.account/state");
      expect(body.setUpNeeded).to.equal(false);
      expect(body.account).to.deep.include({
        name: "Ana Lima",
        pod: "ana",
        passport: PASSPORT_ID,
        hasPassword: true,
        fresh: true,
      });
      expect(body.account.address).to.equal(`${harness.baseUrl}ana/profile/card#me`);
      expect(await harness.pods.find("ana")).to.deep.include({ name: "ana", owner: body.account.address });
    });

    it("works once", async () => {
      const token = tokenOf(await harness.accounts.createSetupLink());
      expect((await openBrowser(harness).send("POST", "/.account/setup", { ...ana, token })).status).to.equal(
        200,
      );
      const second = await openBrowser(harness).send("POST", "/.account/setup", {
        ...ana,
        pod: "ben",
        token,
      });
      expect(second.status).to.equal(403);
      expect(second.body.type).to.match(/#setup-link-invalid$/);
      expect(second.body.next).to.match(/new link/);
      expect(await harness.pods.find("ben")).to.equal(null);
    });

    it("works once even when it is used twice at the same moment", async () => {
      const token = tokenOf(await harness.accounts.createSetupLink());
      const answers = await Promise.all(
        ["ana", "ben", "ana"].map((pod) =>
          openBrowser(harness).send("POST", "/.account/setup", { ...ana, pod, token }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      expect(await harness.accounts.list()).to.have.length(1);
    });

    it("works for 30 minutes and no longer", async () => {
      const token = tokenOf(await harness.accounts.createSetupLink());
      harness.pass(30 * 60_000 - 1_000);
      expect((await openBrowser(harness).send("POST", "/.account/setup/begin", { token })).status).to.equal(
        200,
      );
      harness.pass(1_000);
      expect((await openBrowser(harness).send("POST", "/.account/setup/begin", { token })).status).to.equal(
        403,
      );
      expect((await openBrowser(harness).send("POST", "/.account/setup", { ...ana, token })).status).to.equal(
        403,
      );
      expect(await harness.accounts.isEmpty()).to.equal(true);
    });

    it("keeps its token out of the request line and out of the store", async () => {
      const link = new URL(await harness.accounts.createSetupLink());
      expect(link.search).to.equal("");
      expect(link.pathname).to.equal("/.account/setup");
      const stored: string[] = [];
      await harness.store.read(SERVER_POD, async (snapshot) => {
        for await (const { group, item, value } of snapshot.all("account"))
          stored.push(group, item, Buffer.from(value).toString());
      });
      expect(stored).to.have.length.above(0);
      expect(stored.join("\n")).to.not.include(tokenOf(link.href));
    });

    it("goes on where a set-up broke off, and lets nobody else have the half-made pod", async () => {
      let broken = true;
      await harness.close();
      harness = await startHarness({
        finish: async () => {
          if (broken) throw new Error("the registry did not answer");
          return { id: PASSPORT_ID };
        },
      });
      const token = tokenOf(await harness.accounts.createSetupLink());
      const other = tokenOf(await harness.accounts.createSetupLink());
      expect((await openBrowser(harness).send("POST", "/.account/setup", { ...ana, token })).status).to.equal(
        500,
      );
      expect(await harness.accounts.isEmpty()).to.equal(true);
      broken = false;
      expect(
        (await openBrowser(harness).send("POST", "/.account/setup", { ...ana, token: other })).status,
      ).to.equal(409);
      expect((await openBrowser(harness).send("POST", "/.account/setup", { ...ana, token })).status).to.equal(
        200,
      );
    });

    it("hands a half-made pod on to the link that follows when it dies", async () => {
      let broken = true;
      await harness.close();
      harness = await startHarness({
        finish: async () => {
          if (broken) throw new Error("the registry did not answer");
          return { id: PASSPORT_ID };
        },
      });
      const token = tokenOf(await harness.accounts.createSetupLink());
      await openBrowser(harness).send("POST", "/.account/setup", { ...ana, token });
      broken = false;
      harness.pass(31 * 60_000);
      const next = tokenOf(await harness.accounts.createSetupLink());
      expect(
        (await openBrowser(harness).send("POST", "/.account/setup", { ...ana, token: next })).status,
      ).to.equal(200);
    });

    it("has no claim to a name by which it made nothing, nor to what was erased since", async () => {
      let fails: Error = new Problem("operation-invalid", "the registry refuses it");
      await harness.close();
      harness = await startHarness({
        check: async (createOp) => {
          if (createOp === "damaged") throw new Problem("operation-invalid", "it is damaged");
        },
        finish: async () => {
          throw fails;
        },
      });
      const [one, other, owner] = await Promise.all(
        [1, 2, 3].map(async () => tokenOf(await harness.accounts.createSetupLink())),
      );
      const open = async (token?: string, createOp: unknown = { op: "first" }): Promise<number> =>
        (await openBrowser(harness).send("POST", "/.account/setup", { ...ana, token, createOp })).status;
      expect(await open(one, "damaged")).to.equal(422);
      expect(await open(other)).to.equal(422);
      expect(await harness.pods.find("ana")).to.equal(null);
      fails = new Error("the registry did not answer");
      expect(await open(owner), "half made, by who has it now").to.equal(500);
      expect(await open(one)).to.equal(409);
      expect(await open(other)).to.equal(409);
      expect(await open(owner)).to.equal(500);
      await harness.pods.change("ana", { erased: 1 });
      expect(await open(owner)).to.equal(409);
    });

    it("that meets a broken passport makes no pod: the name stays free for the next try", async () => {
      await harness.close();
      const broken = new Problem("operation-invalid", "it is damaged");
      harness = await startHarness({
        signUp: "open",
        check: async (createOp) => {
          if (createOp === "damaged") throw broken;
        },
      });
      const first = await openBrowser(harness).send("POST", "/.account/setup", {
        ...ana,
        createOp: "damaged",
      });
      expect(first.status).to.equal(422);
      expect(await harness.pods.find("ana")).to.equal(null);
      expect((await openBrowser(harness).send("POST", "/.account/setup", ana)).status).to.equal(200);
    });

    it("is not needed where everybody may sign up, and is where not", async () => {
      expect((await openBrowser(harness).send("POST", "/.account/setup", ana)).status).to.equal(403);
      const open = await startHarness({ signUp: "open" });
      expect((await openBrowser(open).send("POST", "/.account/setup", ana)).status).to.equal(200);
      await open.close();
    });
  });

  describe("what is filled in", () => {
    const cases: readonly (readonly [sentence: string, fields: Record<string, unknown>, at: string])[] = [
      ["no name", { name: "  " }, "/name"],
      ["a name with a line break", { name: "Ana\nLima" }, "/name"],
      ["a name that turns its direction around", { name: "Ana\u202eamiL" }, "/name"],
      ["a pod name with a slash", { pod: "ana/../x" }, "/pod"],
      ["a pod name of the server's own", { pod: "api" }, "/pod"],
      ["neither passkey nor password", { password: null }, "/password"],
      ["a short password", { password: "short" }, "/password"],
      ["a password of one letter", { password: "a".repeat(40) }, "/password"],
      ["a password that is the own name", { password: "Ana Lima Ana Lima" }, "/password"],
      ["a password that is no text", { password: 15 }, "/password"],
    ];
    for (const [sentence, fields, at] of cases) {
      it(`${sentence} is refused, with the field named`, async () => {
        const token = tokenOf(await harness.accounts.createSetupLink());
        const { status, body } = await openBrowser(harness).send("POST", "/.account/setup", {
          token,
          name: "Ana Lima",
          pod: "ana",
          password: PASSWORD,
          createOp: null,
          ...fields,
        });
        expect(status).to.equal(400);
        expect(body.errors.map((error: { at: string }) => error.at)).to.include(at);
        expect(await harness.accounts.isEmpty()).to.equal(true);
      });
    }

    it("a name that is taken is a conflict, and its owner's account stays as it was", async () => {
      await setUp(harness, "Ana Lima", "ana");
      const token = tokenOf(await harness.accounts.createSetupLink());
      const { status, body } = await openBrowser(harness).send("POST", "/.account/setup", {
        token,
        name: "Eve",
        pod: "ana",
        password: PASSWORD,
      });
      expect(status).to.equal(409);
      expect(body.errors).to.deep.equal([{ at: "/pod", detail: "This one is taken" }]);
      expect((await harness.accounts.list()).map(({ name }) => name)).to.deep.equal(["Ana Lima"]);
    });
  });

  describe("the session cookie", () => {
    it("is HttpOnly, SameSite=Strict, for the whole host, and named after the port on localhost", async () => {
      await setUp(harness, "Ana", "ana");
      const { headers } = await openBrowser(harness).send("POST", "/.account/login", {
        pod: "ana",
        password: PASSWORD,
      });
      const port = new URL(harness.baseUrl).port;
      expect(headers.get("set-cookie")).to.match(
        new RegExp(
          `^freehold-${port}=[\\w-]{22}\\.[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Max-Age=7776000$`,
        ),
      );
      expect(headers.get("access-control-allow-origin")).to.equal(null);
      expect(headers.get("cache-control")).to.equal("no-store");
    });

    it("is Secure and bound to the host where the server is reached by https", async () => {
      const secure = await startHarness({ baseUrl: "https://pods.example/" });
      await secure.accounts.open({
        name: "Ana",
        pod: "ana",
        password: PASSWORD,
        passkey: null,
        createOp: null,
        recoverySaved: false,
      });
      const ana = (await secure.accounts.list())[0]!;
      expect(await secure.accounts.sessions.begin(ana.id, {})).to.match(
        /^__Host-freehold=.*; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=/,
      );
      await secure.close();
    });

    it("is stored as a hash only", async () => {
      const { cookie } = await setUp(harness, "Ana", "ana");
      const secret = cookie.split(".")[1]!;
      await harness.store.read(SERVER_POD, async (snapshot) => {
        for await (const { group, item, value } of snapshot.all("session"))
          expect(`${group}${item}${Buffer.from(value).toString()}`).to.not.include(secret);
      });
    });

    it("changes at each sign-in, and the one before is worth nothing", async () => {
      const browser = await setUp(harness, "Ana", "ana");
      const before = browser.cookie;
      await browser.send("POST", "/.account/login", { pod: "ana", password: PASSWORD });
      expect(browser.cookie).to.not.equal(before);
      expect((await browser.send("GET", "/.account/state")).body.account.pod).to.equal("ana");
      browser.cookie = before;
      expect((await browser.send("GET", "/.account/state")).body.account).to.equal(null);
    });

    for (const [sentence, days, uses, alive] of [
      ["lives while it is used", 13, 5, true],
      ["ends after 14 days without use", 14, 1, false],
      ["ends after 90 days whatever happens", 10, 9, false],
    ] as const) {
      it(sentence, async () => {
        const browser = await setUp(harness, "Ana", "ana");
        for (let use = 0; use < uses; use += 1) {
          harness.pass(days * DAY_MS);
          await browser.send("GET", "/.account/overview");
        }
        expect((await browser.send("GET", "/.account/overview")).status).to.equal(alive ? 200 : 401);
      });
    }

    it("of one account with the secret of another is nobody's", async () => {
      const ana = await setUp(harness, "Ana", "ana");
      const ben = await setUp(harness, "Ben", "ben");
      const [anaId] = ana.cookie.split("=")[1]!.split(".");
      const benSecret = ben.cookie.split(".")[1];
      const mixed = openBrowser(harness);
      mixed.cookie = `${ana.cookie.split("=")[0]}=${anaId}.${benSecret}`;
      expect((await mixed.send("GET", "/.account/credentials")).status).to.equal(401);
    });
  });

  describe("signing in with a password", () => {
    const nobody = { pod: "nobody", password: "a password of nobody at all" };

    it("says the same whether the account, or only its password, is wrong", async () => {
      await setUp(harness, "Ana", "ana");
      const plain = ({ body }: { body: Record<string, unknown> }) => ({ ...body, requestId: "" });
      const known = await openBrowser(harness).send("POST", "/.account/login", {
        pod: "ana",
        password: "not her password at all",
      });
      const unknown = await openBrowser(harness).send("POST", "/.account/login", nobody);
      expect(known.status).to.equal(401);
      expect(plain(known)).to.deep.equal(plain(unknown));
      expect(known.headers.get("set-cookie")).to.equal(null);
    });

    it("takes the same time for both", async function () {
      this.timeout(30_000);
      this.retries(2); // A busy machine can disturb one run; a difference in the code shows in each.
      const calm = await startHarness({ limits: { loginsPerAccountMax: 1_000, loginsPerIpMax: 1_000 } });
      await setUp(calm, "Ana", "ana");
      const measure = async (fields: { pod: string; password: string }): Promise<number> => {
        const started = performance.now();
        await openBrowser(calm).send("POST", "/.account/login", fields);
        return performance.now() - started;
      };
      const [known, unknown]: [number[], number[]] = [[], []];
      for (let round = 0; round < 12; round += 1) {
        known.push(await measure({ pod: "ana", password: "not her password at all" }));
        unknown.push(await measure(nobody));
      }
      const least = (times: number[]): number => Math.min(...times); // The least is what the work itself costs.
      expect(least(unknown)).to.be.within(least(known) * 0.6, least(known) * 1.67);
      expect(least(unknown)).to.be.above(5); // It did derive a key.
      await calm.close();
    });

    it("counts tries per account, known or not, and says when to try again", async () => {
      await setUp(harness, "Ana", "ana");
      for (const pod of ["ana", "nobody"]) {
        const statuses: number[] = [];
        for (let round = 0; round < 11; round += 1) {
          statuses.push(
            (
              await openBrowser(harness).send("POST", "/.account/login", {
                pod,
                password: "not her password at all",
              })
            ).status,
          );
        }
        expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 401), 429]);
      }
      const refused = await openBrowser(harness).send("POST", "/.account/login", {
        pod: "ana",
        password: PASSWORD,
      });
      expect(refused.status).to.equal(429);
      expect(Number(refused.headers.get("retry-after"))).to.be.within(1, 90);
      harness.pass(LIMITS.loginsPerAccountMsMax / 10 + 1_000);
      expect(
        (await openBrowser(harness).send("POST", "/.account/login", { pod: "ana", password: PASSWORD }))
          .status,
      ).to.equal(200);
    });

    it("counts tries per network", async () => {
      const statuses: number[] = [];
      for (let round = 0; round < 31; round += 1) {
        statuses.push(
          (await openBrowser(harness).send("POST", "/.account/login", { ...nobody, pod: `nobody-${round}` }))
            .status,
        );
      }
      expect(statuses.filter((status) => status === 429)).to.have.length(1);
      expect(statuses.at(-1)).to.equal(429);
    });

    it("signs out: the cookie goes, and so does the session", async () => {
      const browser = await setUp(harness, "Ana", "ana");
      const { cookie } = browser;
      const { headers } = await browser.send("POST", "/.account/logout", {});
      expect(headers.get("set-cookie")).to.match(/Max-Age=0/);
      browser.cookie = cookie;
      expect((await browser.send("GET", "/.account/overview")).status).to.equal(401);
    });
  });

  describe("what another site can make a signed-in browser do", () => {
    const doors: readonly (readonly [verb: string, path: string, body?: unknown])[] = [
      ["POST", "/.account/setup/begin", {}],
      ["POST", "/.account/setup/name", { pod: "ana" }],
      ["POST", "/.account/setup", {}],
      ["POST", "/.account/login", { pod: "ana", password: PASSWORD }],
      ["POST", "/.account/logout", {}],
      ["POST", "/.account/passkey/login-options", {}],
      ["POST", "/.account/passkey/login", {}],
      ["POST", "/.account/passkey/register-options", {}],
      ["POST", "/.account/passkey/register", {}],
      ["DELETE", "/.account/passkeys/x"],
      ["POST", "/.account/password", { password: "another password of mine" }],
      ["POST", "/.account/recovery", {}],
      ["POST", "/.account/credentials", { name: "thief" }],
      ["DELETE", "/.account/credentials/x"],
      ["DELETE", "/.account/sessions/x"],
      ["DELETE", "/.account/sessions"],
      ["DELETE", "/.account/apps/x"],
      ["POST", "/.account/apps/x", { folders: null, modes: ["read"] }],
      ["POST", "/.account/access/revoke", {}],
      ["POST", "/.account/access/grant", {}],
      ["POST", "/.account/access/undo", {}],
    ];
    const strangers: readonly (readonly [string, Record<string, string>])[] = [
      ["another origin", { origin: "https://evil.example" }],
      ["another port of this machine", { origin: "http://localhost:1" }],
      ["content in a sandbox", { origin: "null" }],
      ["the own origin, in a cross-site request", { "sec-fetch-site": "cross-site" }],
    ];
    let ana: Browser;
    beforeEach(async () => {
      ana = await setUp(harness, "Ana", "ana");
    });

    for (const [who, headers] of strangers) {
      it(`${who}: nothing`, async () => {
        for (const [verb, path, body] of doors) {
          const answer = await ana.send(verb, path, body, headers);
          expect(answer.status, `${verb} ${path}`).to.equal(403);
          expect(answer.body.type, `${verb} ${path}`).to.match(/#cross-origin$/);
        }
        expect((await ana.send("GET", "/.account/credentials")).body.credentials).to.deep.equal([]);
      });
    }

    it("every door that changes something is in the table above", async () => {
      const { accountDoors } = await import("../../server/account/doors.ts");
      const changing = accountDoors(harness.accounts, harness.consented).filter(({ verb }) => verb !== "get");
      const named = new Set(
        doors.map(([verb, path]) => `${verb.toLowerCase()} ${path.replace(/\/x$/, "/:id")}`),
      );
      expect(
        changing.map(({ verb, path }) => `${verb} ${path}`).filter((door) => !named.has(door)),
      ).to.deep.equal([]);
    });

    it("a form is not JSON", async () => {
      const { status } = await ana.send("POST", "/.account/credentials", "name=thief", {
        "content-type": "application/x-www-form-urlencoded",
      });
      expect(status).to.equal(415);
      const plain = await ana.send("POST", "/.account/credentials", '{"name":"thief"}', {
        "content-type": "text/plain",
      });
      expect(plain.status).to.equal(415);
    });

    it("a request without Origin passes only when the browser says it is our own", async () => {
      const url = new URL("/.account/logout", harness.baseUrl);
      const send = (headers: Record<string, string>) =>
        fetch(url, {
          method: "POST",
          body: "{}",
          headers: { "content-type": "application/json", ...headers },
        });
      expect((await send({})).status).to.equal(403);
      expect((await send({ "sec-fetch-site": "same-site" })).status).to.equal(403);
    });
  });

  describe("connected programs", () => {
    it("have a secret that is shown once, and that the server keeps as a hash only", async () => {
      const ana = await setUp(harness, "Ana", "ana");
      const { body } = await ana.send("POST", "/.account/credentials", { name: "Backup script" });
      expect(body).to.have.keys("id", "name", "created", "expires", "secret");
      expect(body.secret).to.match(/^[\w-]{43}$/);
      const listed = await ana.send("GET", "/.account/credentials");
      expect(listed.body.credentials).to.have.length(1);
      expect(JSON.stringify(listed.body)).to.not.include(body.secret);
      const found = await harness.accounts.credentialOf(body.id);
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body.secret));
      expect(Buffer.from(found!.secretHash).equals(Buffer.from(digest))).to.equal(true);
      expect(found!.webid).to.equal(`${harness.baseUrl}ana/profile/card#me`);
    });

    it("end when they are deleted, and when their time is over", async () => {
      const ana = await setUp(harness, "Ana", "ana");
      const first = (await ana.send("POST", "/.account/credentials", { name: "One" })).body;
      const expires = new Date(Date.now() + DAY_MS).toISOString();
      const second = (await ana.send("POST", "/.account/credentials", { name: "Two", expires })).body;
      expect((await ana.send("DELETE", `/.account/credentials/${first.id}`)).status).to.equal(200);
      expect(await harness.accounts.credentialOf(first.id)).to.equal(null);
      expect(await harness.accounts.credentialOf(second.id)).to.not.equal(null);
      harness.pass(DAY_MS);
      expect(await harness.accounts.credentialOf(second.id)).to.equal(null);
      expect(await harness.accounts.credentialOf("program-unknown")).to.equal(null);
    });

    it("of one account cannot be seen or deleted by another", async () => {
      const ana = await setUp(harness, "Ana", "ana");
      const ben = await setUp(harness, "Ben", "ben");
      const { id } = (await ana.send("POST", "/.account/credentials", { name: "Mine" })).body;
      expect((await ben.send("GET", "/.account/credentials")).body.credentials).to.deep.equal([]);
      expect((await ben.send("DELETE", `/.account/credentials/${id}`)).status).to.equal(404);
      expect(await harness.accounts.credentialOf(id)).to.not.equal(null);
    });

    it("are at most 50, and want a name and a day to come", async () => {
      const ana = await setUp(harness, "Ana", "ana");
      expect((await ana.send("POST", "/.account/credentials", { name: "" })).status).to.equal(400);
      expect(
        (await ana.send("POST", "/.account/credentials", { name: "Old", expires: "2020-01-01" })).status,
      ).to.equal(400);
      expect(
        (await ana.send("POST", "/.account/credentials", { name: "Odd", expires: "soon" })).status,
      ).to.equal(400);
      for (let count = 0; count < 50; count += 1)
        await ana.send("POST", "/.account/credentials", { name: `Program ${count}` });
      expect((await ana.send("POST", "/.account/credentials", { name: "One more" })).status).to.equal(409);
    });
  });

  describe("sessions and ways to sign in", () => {
    it("lists where one is signed in, and ends any of it", async () => {
      const here = await setUp(harness, "Ana", "ana");
      const there = openBrowser(harness);
      await there.send(
        "POST",
        "/.account/login",
        { pod: "ana", password: PASSWORD },
        {
          "user-agent":
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1",
        },
      );
      const { sessions } = (await here.send("GET", "/.account/sessions")).body;
      expect(
        sessions.map((session: { device: string; current: boolean }) => [session.device, session.current]),
      ).to.have.deep.members([
        ["Firefox on Linux", true],
        ["Safari on iPhone", false],
      ]);
      expect(JSON.stringify(sessions)).to.not.include("127.0.0.1");
      const other = sessions.find((session: { current: boolean }) => !session.current);
      await here.send("DELETE", `/.account/sessions/${other.id}`);
      expect((await there.send("GET", "/.account/overview")).status).to.equal(401);
      expect((await here.send("GET", "/.account/overview")).status).to.equal(200);
    });

    it("a new password ends all other sessions, and the old password is worth nothing", async () => {
      const here = await setUp(harness, "Ana", "ana");
      const there = openBrowser(harness);
      await there.send("POST", "/.account/login", { pod: "ana", password: PASSWORD });
      expect(
        (await here.send("POST", "/.account/password", { password: "a wholly new passphrase" })).status,
      ).to.equal(200);
      expect((await there.send("GET", "/.account/overview")).status).to.equal(401);
      expect(
        (await there.send("POST", "/.account/login", { pod: "ana", password: PASSWORD })).status,
      ).to.equal(401);
      expect(
        (await there.send("POST", "/.account/login", { pod: "ana", password: "a wholly new passphrase" }))
          .status,
      ).to.equal(200);
    });

    for (const [what, act] of [
      [
        "one other session",
        async (here: Browser, other: string) => here.send("DELETE", `/.account/sessions/${other}`),
      ],
      ["all other sessions", async (here: Browser) => here.send("DELETE", "/.account/sessions")],
      [
        "them by a new password",
        async (here: Browser) =>
          here.send("POST", "/.account/password", { password: "a wholly new passphrase" }),
      ],
    ] as const) {
      it(`ending ${what} ends sign-ins by way of apps too: they are open in the same browsers`, async () => {
        const here = await setUp(harness, "Ana", "ana");
        await openBrowser(harness).send("POST", "/.account/login", { pod: "ana", password: PASSWORD });
        const { sessions } = (await here.send("GET", "/.account/sessions")).body;
        const other = sessions.find((session: { current: boolean }) => !session.current);
        expect(harness.signedOut).to.deep.equal([]);
        expect((await act(here, other.id)).status).to.equal(200);
        const [ana] = await harness.accounts.list();
        expect(harness.signedOut).to.deep.equal([ana?.id]);
      });
    }

    it("a browser that signs in as somebody else leaves nothing of the first person open", async () => {
      const shared = await setUp(harness, "Ana", "ana");
      await setUp(harness, "Ben", "ben");
      await shared.send("POST", "/.account/login", { pod: "ben", password: PASSWORD });
      const ana = (await harness.accounts.list()).find(({ pod }) => pod === "ana");
      expect(harness.signedOut).to.deep.equal([ana?.id]);
    });

    it("a passkey with the identifier of somebody else's is refused, and hers still finds her", async () => {
      await setUp(harness, "Ana", "ana");
      await setUp(harness, "Ben", "ben");
      const [ana, ben] = await harness.accounts.list();
      const passkey = { id: "aWQ", name: "Phone", publicKey: "AA", counter: 0, transports: [], created: 1 };
      await harness.accounts.addPasskey(ana!, passkey);
      let refused: unknown;
      await harness.accounts
        .addPasskey(ben!, { ...passkey, publicKey: "BB" })
        .catch((error: unknown) => (refused = error));
      expect(refused).to.have.property("code", "conflict");
      const owner = await harness.store.read(SERVER_POD, (snapshot) => accountOfPasskey(snapshot, "aWQ"));
      expect(owner?.pod).to.equal("ana");
    });

    it("change only within 15 minutes of signing in", async () => {
      const ana = await setUp(harness, "Ana", "ana");
      harness.pass(15 * 60_000);
      for (const [verb, path, body] of [
        ["POST", "/.account/password", { password: "a wholly new passphrase" }],
        ["POST", "/.account/credentials", { name: "Thief" }],
        ["POST", "/.account/passkey/register-options", {}],
        ["POST", "/.account/passkey/register", {}],
        ["DELETE", "/.account/passkeys/x", undefined],
      ] as const) {
        const answer = await ana.send(verb, path, body);
        expect([answer.status, answer.body.type.split("#")[1]], path).to.deep.equal([403, "login-stale"]);
      }
      expect((await ana.send("GET", "/.account/state")).body.account.fresh).to.equal(false);
    });

    it("the last way to sign in cannot be removed", async () => {
      const ana = await setUp(harness, "Ana", "ana");
      expect((await ana.send("POST", "/.account/password", { password: null })).status).to.equal(409);
    });

    it("an account has at most 50 sessions: the least used goes first", async () => {
      const first = await setUp(harness, "Ana", "ana");
      const { id } = (await harness.accounts.list())[0]!;
      for (let count = 0; count < 55; count += 1) {
        harness.pass(1_000);
        await harness.accounts.sessions.begin(id, { "user-agent": FIREFOX });
      }
      expect(await harness.accounts.sessions.list(id)).to.have.length(50);
      expect((await first.send("GET", "/.account/overview")).status).to.equal(401);
    });
  });

  describe("apps that were let in", () => {
    it("are listed to their owner only, and can be shown out", async () => {
      const ana = await setUp(harness, "Ana", "ana");
      const ben = await setUp(harness, "Ben", "ben");
      const { id } = (await harness.accounts.list()).find(({ pod }) => pod === "ana")!;
      const facts = { name: "Photo Frame", address: "https://photos.example", since: 1 };
      const usual = { folders: null, modes: ["read", "append", "write"] } as const;
      harness.apps.set(id, [
        { grantId: "g1", clientId: "https://photos.example/id", ...facts, reach: usual },
      ]);
      expect((await ana.send("GET", "/.account/apps")).body.apps).to.deep.equal([
        { id: "g1", client: "https://photos.example/id", ...facts, ...usual },
      ]);
      expect((await ben.send("GET", "/.account/apps")).body.apps).to.deep.equal([]);
      const less = { folders: ["/ana/photos/"], modes: ["read"] };
      expect((await ben.send("POST", "/.account/apps/g1", less)).status).to.equal(404);
      expect((await ana.send("POST", "/.account/apps/g1", less)).body).to.deep.equal(less);
      expect((await ana.send("GET", "/.account/apps")).body.apps[0]).to.deep.include(less);
      const share = { folders: ["/ana/b/", "/ana/a/", "/ana/b/"], modes: ["control"] };
      expect((await ana.send("POST", "/.account/apps/g1", share)).body, "sorted, and whole").to.deep.equal({
        folders: ["/ana/a/", "/ana/b/"],
        modes: ["read", "append", "write", "control"],
      });
      for (const [wrong, at] of [
        [{ folders: ["/ana/photos"], modes: ["read"] }, "/folders"],
        [{ folders: ["/ana/../ben/"], modes: ["read"] }, "/folders"],
        [{ folders: ["/ana//x/"], modes: ["read"] }, "/folders"],
        [{ folders: ["/"], modes: ["read"] }, "/folders"],
        [{ folders: ["/ana/%6eotes/"], modes: ["read"] }, "/folders"],
        [{ folders: "/ana/", modes: ["read"] }, "/folders"],
        [{ folders: Array.from({ length: 51 }, (_, n) => `/ana/${n}/`), modes: ["read"] }, "/folders"],
        [{ modes: ["read"] }, "/folders"],
        [{ folders: null, modes: ["delete"] }, "/modes"],
        [{ folders: null, modes: "read" }, "/modes"],
        [{ folders: null }, "/modes"],
      ] as const) {
        const { status, body } = await ana.send("POST", "/.account/apps/g1", wrong);
        expect([status, body.errors[0].at], JSON.stringify(wrong)).to.deep.equal([400, at]);
      }
      expect((await ben.send("DELETE", "/.account/apps/g1")).status).to.equal(404);
      expect((await ana.send("DELETE", "/.account/apps/g1")).status).to.equal(200);
      expect((await ana.send("GET", "/.account/apps")).body.apps).to.deep.equal([]);
    });
  });

  describe("strangers", () => {
    it("see nothing of any account", async () => {
      await setUp(harness, "Ana Lima", "ana");
      const { body } = await openBrowser(harness).send("GET", "/.account/state");
      expect(body.account).to.equal(null);
      expect(JSON.stringify(body)).to.not.match(/ana|lima/i);
      for (const path of [
        "/.account/overview",
        "/.account/folder?path=/ana/",
        "/.account/credentials",
        "/.account/sessions",
      ]) {
        const answer = await openBrowser(harness).send("GET", path);
        expect([answer.status, answer.body.type.split("#")[1]], path).to.deep.equal([401, "login-required"]);
      }
    });

    it("who are signed in see their own pod only", async () => {
      await setUp(harness, "Ana", "ana");
      const ben = await setUp(harness, "Ben", "ben");
      for (const path of ["/ana/", "/ben/../ana/", "/", "/ben/nothing/", "/ben/profile/card", "/ben/.acl"]) {
        const answer = await ben.send("GET", `/.account/folder?path=${encodeURIComponent(path)}`);
        expect(answer.status, path).to.be.oneOf([400, 404]);
        expect(JSON.stringify(answer.body), path).to.not.include("settings");
      }
      expect(
        (
          await ben.send("POST", "/.account/access/grant", {
            path: "/ana/",
            who: { kind: "public" },
            modes: ["read"],
          })
        ).status,
      ).to.equal(404);
    });
  });
});
