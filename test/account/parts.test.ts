/** Passwords, rates and addresses by themselves. */
import { expect } from "chai";
import { errorPage } from "../../server/account/error-page.ts";
import { createPasswords, passwordFault } from "../../server/account/password.ts";
import { cookieName, deviceOf } from "../../server/account/sessions.ts";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";

describe("passwords", () => {
  it("are kept as argon2id with a nonce of their own", async () => {
    const passwords = createPasswords(LIMITS);
    const [one, two] = await Promise.all([
      passwords.hash("four words of mine"),
      passwords.hash("four words of mine"),
    ]);
    expect(one).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(one).to.not.equal(two);
    expect(one).to.not.include("four words");
    expect(await passwords.verify("four words of mine", one)).to.equal(true);
    expect(await passwords.verify("four words of mine ", one)).to.equal(false);
    expect(await passwords.verify("four words of mine", null)).to.equal(false);
  });

  it("are the same however the keyboard composes a letter", async () => {
    const passwords = createPasswords(LIMITS);
    expect(
      await passwords.verify("cafe\u0301 au lait at noon", await passwords.hash("caf\u00e9 au lait at noon")),
    ).to.equal(true);
  });

  it("that were hashed at another cost still verify", async () => {
    const { argon2Sync } = await import("node:crypto");
    const nonce = Buffer.from("saltsaltsaltsalt");
    const tag = argon2Sync("argon2id", {
      message: Buffer.from("an old password"),
      nonce,
      memory: 8192,
      passes: 1,
      parallelism: 1,
      tagLength: 32,
    });
    const bare = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
    const stored = `$argon2id$v=19$m=8192,t=1,p=1$${bare(nonce)}$${bare(tag)}`;
    expect(await createPasswords(LIMITS).verify("an old password", stored)).to.equal(true);
  });

  it("are checked two at a time; beyond those that may wait, people are asked to come again", async () => {
    const passwords = createPasswords({ ...LIMITS, passwordChecksWaitingMax: 3 });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.verify("x", null)));
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused).to.have.length(3);
    for (const { reason } of refused)
      expect(reason).to.be.instanceOf(Problem).with.property("code", "unavailable");
    expect(await passwords.verify("x", null)).to.equal(false); // The turns are free again.
  });

  for (const [password, fault] of [
    ["correct horse battery staple", null],
    ["猫と犬と鳥と魚と虫と花と木と山と", null],
    ["short", /at least 15 characters.*this has 5/],
    ["aaaaaaaaaaaaaaaaaaaaaaaa", /different characters/],
    ["ana lima ana lima", /not your name/],
    ["\u{1f98a}".repeat(15), /different characters/],
    ["x1y2z3".repeat(200), /at most 1024 bytes/],
  ] as const) {
    it(`${JSON.stringify(password.slice(0, 30))} ${fault ? "is refused with a reason" : "is fine"}`, () => {
      const found = passwordFault(password, ["Ana", "Lima"], LIMITS);
      if (fault) expect(found).to.match(fault);
      else expect(found).to.equal(null);
    });
  }
});

describe("names", () => {
  it("of the cookie tell hosts and ports apart", () => {
    expect(cookieName("https://pods.example/")).to.equal("__Host-freehold");
    expect(cookieName("http://localhost:3000/")).to.equal("freehold-3000");
  });

  it("of devices are words", () => {
    expect(
      deviceOf(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
      ),
    ).to.equal("Edge on Windows");
    expect(deviceOf("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19 Safari/605.1")).to.equal(
      "Safari on Mac",
    );
    expect(deviceOf("curl/8")).to.equal("A program");
  });
});

describe("the page of an error", () => {
  const show = (status: number, detail?: string) =>
    errorPage({ status, title: "<b>Title</b>", detail, next: "Do & see", id: '"id"' });

  it("has no script, and shows nothing it was given as HTML", () => {
    for (const status of [400, 401, 403, 404, 500]) {
      const { body, headers } = show(status, "<img src=x onerror=alert(1)>");
      expect(body).to.not.match(/<script|<img|<b>Title|"id"\s*<\/small/);
      expect(headers["content-security-policy"])
        .to.match(/default-src 'none'/)
        .and.not.match(/script-src|unsafe/);
    }
  });

  it("says what to do, in words without jargon", () => {
    for (const [status, words] of [
      [401, /Sign in to see this/],
      [403, /not shared with you/],
      [404, /nothing here/],
    ] as const) {
      const { body } = show(status);
      expect(body)
        .to.match(words)
        .and.match(/href="\/"/);
      expect(body).to.not.match(/WebID|RDF|ACL|IRI|token/);
    }
    expect(show(401).body).to.match(/href="\/\.account\/login"/);
    expect(show(403).body).to.not.match(/href="\/\.account\/login"/);
  });
});
