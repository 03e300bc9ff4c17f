/** The script that vendors copy, run as it stands against a real server: what it prints, and how it ends. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { grant, openPod, type Pod, revoke } from "@freehold/client";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { type Exit, startProgram } from "../support/process.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const SCRIPT = fileURLToPath(import.meta.resolve("@freehold/client/examples/vendor"));

const payment = (whom: string, amount: string, date: string): string => `
  @prefix fh: <https://w3id.org/freehold/ns#> . @prefix schema: <https://schema.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
  <#it> a schema:MoneyTransfer ; schema:amount <#amount> ; fh:direction fh:debit ; fh:counterpartyName "${whom}" ;
    fh:bookingDate "${date}"^^xsd:date ; fh:valueDate "${date}"^^xsd:date ; fh:accountRef "2957-4c0ffee0d15ea5e0" .
  <#amount> a schema:MonetaryAmount ; schema:value ${amount} ; schema:currency "CHF" .`;

describe("the vendor's script", function () {
  this.timeout(30_000);
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let pod: Pod;
  const resolvers: Server[] = [];

  interface Told {
    readonly secret?: string;
    readonly issuer?: string;
    readonly resolver?: string;
    readonly passport?: string;
  }
  const run = ({ secret, issuer, resolver, passport }: Told = {}): Promise<Exit> =>
    startProgram([
      SCRIPT,
      issuer ?? server.baseUrl,
      shop.credentials.id,
      secret ?? shop.credentials.secret,
      resolver ?? server.baseUrl,
      passport ?? ana.passport,
    ]).ended;

  /** Whatever is wrong is told in a few plain lines, and no row is shown. */
  function expectRefusal({ code, out, err }: Exit, exitCode: number): readonly string[] {
    expect(out).to.equal("");
    expect(err).to.not.match(/ {4}at |node:internal|Bakery|Fishmonger/);
    expect(code, err).to.equal(exitCode);
    return err.trimEnd().split("\n");
  }

  /** What the server itself says to the shop, member by member. */
  async function reasonOfServer(): Promise<readonly string[]> {
    const url = `${ana.pod}sparql?query=${encodeURIComponent("ASK { ?s ?p ?o }")}`;
    const refused = await shop.fetch(url, {
      headers: { accept: "application/sparql-results+json", prefer: "handling=strict" },
    });
    expect(refused.status).to.equal(403);
    const { title, detail, next } = (await refused.json()) as Record<string, string>;
    return [title ?? "", detail ?? "", next ?? ""];
  }

  before(async () => {
    server = await startServer();
    [ana, shop] = [await server.person("Ana"), await server.person("Shop")];
    pod = await openPod(ana.pod, { fetch: ana.fetch });
    await pod.writeFile("finance/march.ttl", payment("Corner Bakery", "12.40", "2026-03-02"), "text/turtle");
    await pod.writeFile("finance/april.ttl", payment("Fishmonger", "30.00", "2026-04-02"), "text/turtle");
    await pod.writeFile("health/visit.ttl", "<#it> <https://schema.org/name> 'Canary'.", "text/turtle");
  });
  after(async () => {
    for (const resolver of resolvers) resolver.close();
    await server.close();
  });

  it("before anything is granted prints the server's reason and what to do next, and ends with 4", async () => {
    const lines = expectRefusal(await run(), 4);
    expect(lines).to.deep.equal(await reasonOfServer());
    expect(lines).to.deep.equal([
      "You have no access to this",
      "Nothing but the profile is open to you: the owner has granted you nothing, or has taken it back",
      "Ask the owner for access.",
    ]);
  });

  it("says that there are no payments when something else is granted", async () => {
    await grant(pod, "health/", { to: shop.webid, modes: ["read"] });
    const { code, out, err } = await run();
    expect([code, out, err]).to.deep.equal([0, "There are no payments that you may read\n", ""]);
    await revoke(pod, "health/", { from: shop.webid });
  });

  it("prints all payments of a folder, the newest first", async () => {
    await grant(pod, "finance/", { to: shop.webid, modes: ["read"] });
    const { code, out, err } = await run();
    expect([code, err]).to.deep.equal([0, ""]);
    expect(out)
      .to.match(/Fishmonger[^]*Corner Bakery/)
      .and.not.include("Canary");
  });

  it("after the revocation prints the reason again, and ends with 4", async () => {
    await revoke(pod, "finance/", { from: shop.webid });
    expect(expectRefusal(await run(), 4)).to.deep.equal(await reasonOfServer());
  });

  it("prints the payments of the one document that is granted, and of no other", async () => {
    await grant(pod, "finance/march.ttl", { to: shop.webid, modes: ["read"] });
    const { code, out, err } = await run();
    expect([code, err]).to.deep.equal([0, ""]);
    expect(out)
      .to.match(/'2026-03-02' +│ +'Corner Bakery' +│ +'12.40?' +│ +'CHF'/)
      .and.not.include("Fishmonger");
    await revoke(pod, "finance/march.ttl", { from: shop.webid });
  });

  it("with a wrong secret, or at an issuer that does not answer, ends with 2", async () => {
    const [title = "", ...rest] = expectRefusal(await run({ secret: "no" }), 2);
    expect(title).to.equal("The login was refused");
    expect(rest.at(-1)).to.match(/^Check issuer, client identifier and secret/);
    expectRefusal(await run({ issuer: "http://localhost:1/" }), 2);
  });

  it("with a mistyped or an unknown passport ends with 1, and says which of the two it is", async () => {
    const mistyped = expectRefusal(await run({ passport: `${ana.passport.slice(0, -1)}b` }), 1);
    expect(mistyped.join("\n")).to.match(/passport/i);
    const unknown = expectRefusal(
      await run({ passport: "dpch1qqucj2802nagrsht74gtkfnsmzp75h8geuv2qutwgyxwc2vv" }),
      1,
    );
    expect(unknown).to.not.deep.equal(mistyped);
  });

  it("ends with 3, and sends nothing to the pod, when a resolver answers with a changed pod", async () => {
    const visits: string[] = [];
    const bundle = await (await fetch(`${server.baseUrl}v1/passports/${ana.passport}`)).text();
    const lying = createServer((request, response) => {
      visits.push(request.url ?? "");
      const evil = bundle.replaceAll(ana.pod, `${addressOf(lying)}evil/`);
      response.writeHead(200, { "content-type": "application/json" }).end(evil);
    });
    resolvers.push(lying);
    await new Promise<void>((done) => lying.listen(0, "localhost", done));
    const lines = expectRefusal(await run({ resolver: addressOf(lying) }), 3);
    expect(lines[0]).to.match(/no sound record of the registry's root/);
    expect(visits.filter((path) => path.startsWith("/evil"))).to.deep.equal([]);
  });

  it("ends with 1 and a reason when the pod is erased", async () => {
    const gone = await createPerson(server.context, {
      name: "Gone",
      podName: "gone",
      password: "a long password of Gone",
    });
    const found = await server.context.pods.find("gone");
    await server.context.store.erasePod(found!.id);
    const lines = expectRefusal(await run({ passport: gone.passport }), 1);
    expect(lines.join("\n")).to.not.equal("");
  });
});

const addressOf = (server: Server): string => `http://localhost:${(server.address() as AddressInfo).port}/`;
