/** Whatever is asked of the doors, they answer in words of their own, and nothing of it is a mistake of theirs. */
import { expect } from "chai";
import fc from "fast-check";
import { type Known, startRegistry, type World } from "./world.ts";

const RUNS = 600;
const SEED = 20_261_122;

describe("the registry's doors, asked at random", function () {
  this.timeout(120_000);
  let world: World;
  let ana: Known;

  before(async () => {
    world = await startRegistry({ limits: { operationsRefusedMax: 1_000_000, listenerPingMs: 50 } });
    ana = await world.open("ana");
  });
  after(() => world.close());

  const piece = fc.constantFrom(
    "v1",
    "passports",
    "identifiers",
    "id",
    "pod",
    "resolve",
    "ops",
    "feed",
    "filter",
    "zones",
    "help",
    "rdap",
    "entity",
    "log",
    "zz",
    "2026",
    "tile",
    "0",
    "000",
    "entries",
    "000.p",
    "1",
    "checkpoint",
    "2026-06-01",
    "..",
    ".",
    "%2e%2e",
    "%2f",
    "%00",
    "%ff",
    "%",
    "*",
    "{*did}",
    ":id",
    "did:dcann:",
    "__proto__",
    "constructor",
    "registrars",
    "vendors",
    "policy",
    "pins",
    "replica",
    "sanctions",
    "appeals",
  );
  const address = fc
    .tuple(
      fc.array(fc.oneof(piece, fc.constant("ID"), fc.constant("DID"), fc.string({ maxLength: 6 })), {
        maxLength: 7,
      }),
      fc.option(
        fc.array(
          fc.tuple(
            fc.constantFrom(
              "from",
              "zone",
              "shard",
              "proof",
              "version",
              "service",
              "relativeRef",
              "versionId",
              "after",
            ),
            fc.oneof(
              fc.string({ maxLength: 8 }),
              fc.constantFrom("pod", "zz", "0", "-1", "none", "../x", "//x"),
            ),
          ),
          { maxLength: 3 },
        ),
      ),
    )
    .map(([pieces, query]) => {
      const path = pieces.map((one) => one.replace("DID", ana.did).replace("ID", ana.id)).join("/");
      const asked =
        query === null ? "" : `?${new URLSearchParams(query.map(([name, value]) => [name, value]))}`;
      // What no HTTP client could send says nothing.
      return `/${path}${asked}`.replace(/[^!-~]/g, (letter) => encodeURIComponent(letter.toWellFormed()));
    });
  const accept = fc.constantFrom(
    "*/*",
    "text/turtle",
    "application/did-resolution",
    "application/did-url-dereferencing",
    "text/uri-list",
    "application/rdap+json",
    "text/html",
    "application/cid",
    "image/png",
    "",
    ",,;q=",
    "*/*;q=0",
  );
  const content = fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.constantFrom(
      "",
      "{",
      '{"ids":[]}',
      '{"op":{"t":"create"},"sigs":[]}',
      "[[[[",
      '{"ids":["ID"]}',
      "null",
    ),
    fc.string({ maxLength: 40 }),
  );

  it("answers each with a status of its own and never with a mistake", async () => {
    await fc.assert(
      fc.asyncProperty(
        address,
        fc.constantFrom("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE"),
        accept,
        content,
        fc.constantFrom("application/json", "text/plain", ""),
        async (path, method, wish, body, type) => {
          if (/^\/v1\/feed(?:\?|$)/.test(path) && method === "GET") return; // It goes on and on.
          const answer = await world.ask(path, {
            method,
            headers: { accept: wish, "content-type": type },
            ...(method === "POST" && { body }),
          });
          expect(answer.status, `${method} ${path}`).to.not.equal(500);
          expect(answer.headers["access-control-allow-origin"] ?? "*").to.equal("*");
          if (answer.status < 400 || method === "HEAD") return;
          const isPage = answer.headers["content-type"]?.startsWith("text/html");
          if (!isPage) expect(answer.json, `${method} ${path}`).to.be.an("object");
          expect(answer.text).to.not.contain(world.folder);
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
    expect(world.logged.filter((line) => line.includes('"error"'))).to.deep.equal([]);
    expect((await world.ask(`/v1/passports/${ana.id}`)).status).to.equal(200);
  });
});
