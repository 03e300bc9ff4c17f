import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { GovernanceDraft } from "../../client-lib/registry/index.ts";
import type { Book } from "../../server/registry/registrars/book.ts";
import type { Vendor } from "../consent/people.ts";
import { policyOf, requestOf, vendorNamed } from "../consent/people.ts";
import { quietPort } from "../support/process.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { sanction, vendorDraft } from "./governance-cases.ts";
import { type RegistryProcess, startPods, startRegistry, usingRegistry } from "./registry-process.ts";

const ENTRY = { terms: "engagement-1", clients: [] };

/** As the doors show it. */
interface Shown {
  readonly vendors?: readonly { readonly id: string; readonly status: string }[];
  readonly sanctions?: readonly { readonly step: string; readonly stands: boolean }[];
  readonly registrars?: readonly {
    readonly id: string;
    readonly scorecard: { readonly createdToday: number };
  }[];
  readonly policy?: { readonly rules: readonly unknown[] };
}

interface Scene {
  readonly ana: Person;
  readonly shop: Vendor;
  /** Address of the grant. */
  readonly grant: string;
  readonly note: string;
}

/** A person who has given a shop her notes. */
async function openScene(server: TestServer): Promise<Scene> {
  const [ana, shop] = [await server.person("Ana"), await vendorNamed(server, "Shop")];
  const note = `${ana.pod}notes/a.ttl`;
  await ana.fetch(note, {
    method: "PUT",
    headers: { "content-type": "text/turtle" },
    body: "<> a <#Note> .",
  });
  const asked = await shop.ask(ana, requestOf(shop, ana));
  const request = asked.headers.get("location") ?? "";
  const decided = await ana.fetch(`${request}/decision`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ outcome: "grant" }),
  });
  const grant = decided.headers.get("location") ?? "";
  expect((await shop.fetch(note)).status).to.equal(200);
  return { ana, shop, grant, note };
}

const until = async (isSo: () => Promise<boolean>, what: string): Promise<void> => {
  for (let tries = 0; tries < 2_400; tries++) {
    if (await isSo()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`It never came that ${what}`);
};

async function stateOf({ ana, grant }: Scene): Promise<{ status: string; reason?: string }> {
  return (await (await ana.fetch(grant, { headers: { accept: "application/json" } })).json()) as {
    status: string;
    reason?: string;
  };
}

const inboxOf = async ({ ana }: Scene): Promise<string> => {
  const inbox = `${ana.pod}inbox/`;
  const listing = await (await ana.fetch(inbox, { headers: { accept: "application/ld+json" } })).text();
  const names = new Set([...listing.matchAll(/inbox\/([0-9a-f-]{36})/g)].map(([, name]) => name));
  return (await Promise.all([...names].map(async (name) => (await ana.fetch(inbox + name)).text()))).join(
    "\n",
  );
};

const entryOf = (shop: Vendor): GovernanceDraft => vendorDraft({ ...ENTRY, webids: [shop.webid] });

describe("a vendor that the registry delists", function () {
  this.timeout(180_000); // Programs are started on machines that do much else.

  describe("where the registry is the pod server's own", () => {
    let server: TestServer;
    let scene: Scene;
    let book: Book;

    before(async () => {
      server = await startServer();
      scene = await openScene(server);
      book = server.context.registry!.books[0]!;
      await book.add(entryOf(scene.shop));
    });
    after(() => server.close());

    it("asks for what it has registered, and for nothing else", async () => {
      const policy = policyOf(scene.shop.webid, `${scene.ana.pod}notes/`);
      const constraint = (policy["constraint"] as { leftOperand: string }[]).map((one) =>
        one.leftOperand === "purpose"
          ? { ...one, rightOperand: "https://w3id.org/dpv#DirectMarketing" }
          : one,
      );
      const access = [{ ...policy, constraint }];
      const ask = () => scene.shop.ask(scene.ana, requestOf(scene.shop, scene.ana, { access }));
      await until(async () => (await ask()).status === 422, "the entry is known");
      expect(await (await ask()).text()).to.contain("has not registered the purpose");
    });

    it("gets nothing any more, its grants rest, the owner is told, and it may not ask", async () => {
      await book.add(sanction("delist", "no-abuse"));
      await until(async () => (await stateOf(scene)).status === "Paused", "the grant rests");
      const read = await scene.shop.fetch(scene.note);
      expect(read.status).to.equal(403);
      const asked = await scene.shop.ask(scene.ana, requestOf(scene.shop, scene.ana));
      expect(asked.status).to.equal(403);
      expect(((await asked.json()) as { type: string }).type).to.match(/#vendor-delisted$/);
      expect((await stateOf(scene)).reason).to.equal("delisted");
      expect(await inboxOf(scene)).to.contain("The registry has delisted Shop AG");
    });

    it("is not let go on by its owner, and goes on when it is reinstated", async () => {
      const resume = await scene.ana.fetch(`${scene.grant}/state`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ state: "Active" }),
      });
      expect(resume.status).to.equal(403);
      expect(((await resume.json()) as { type: string }).type).to.match(/#vendor-delisted$/);
      await book.add(sanction("reinstate", null));
      await until(async () => (await stateOf(scene)).status === "Active", "the grant goes on");
      expect((await scene.shop.fetch(scene.note)).status).to.equal(200);
    });

    it("is shown to everybody, with the sanction, its reason and the registrars' counts", async () => {
      const at = async (path: string) => (await (await fetch(`${server.baseUrl}v1/${path}`)).json()) as Shown;
      expect((await at(`vendors?webid=${encodeURIComponent(scene.shop.webid)}`)).vendors?.[0]).to.include({
        id: "shop",
        status: "active",
      });
      const { sanctions } = await at("sanctions?party=vendor&id=shop");
      expect(sanctions?.map(({ step, stands }) => [step, stands])).to.deep.equal([
        ["delist", false],
        ["reinstate", false],
      ]);
      const { registrars } = await at("registrars");
      expect(registrars?.[0]).to.include({ id: "local", status: "active" });
      expect(registrars?.[0]?.scorecard.createdToday).to.equal(2);
      expect((await at("policy")).policy?.rules.length).to.be.greaterThan(5);
      expect((await fetch(`${server.baseUrl}v1/vendors/nobody`)).status).to.equal(404);
      expect((await fetch(`${server.baseUrl}v1/governance?after=x`)).status).to.equal(400);
      expect((await fetch(`${server.baseUrl}v1/governance?zone=ch`)).status).to.equal(404);
    });
  });

  describe("where the registry is elsewhere, in a process of its own", () => {
    const folders: string[] = [];
    let registry: RegistryProcess;
    let server: TestServer;
    let scene: Scene;
    let port: string;
    let data: string;

    before(async () => {
      port = await quietPort();
      data = await mkdtemp(join(tmpdir(), "freehold-pods-"));
      folders.push(data);
      registry = await startRegistry([`http://localhost:${port}`]);
      server = await startPods(registry, "zz.pods", port, { FREEHOLD_DATA: data });
      scene = await openScene(server);
      const { t: _, ...entry } = entryOf(scene.shop);
      await registry.enter(["vendor", "enter"], { ...entry, terms: "terms-1" });
    });
    after(async () => {
      await server?.close();
      await registry?.remove();
      for (const folder of folders) await rm(folder, { recursive: true });
    });

    const sanctioning = (name: string, ...more: readonly string[]): readonly string[] => [
      "sanction",
      "vendor",
      "shop",
      name,
      "--says",
      "It was seen",
      ...more,
    ];
    const step = (name: string, ...more: readonly string[]): Promise<string> =>
      registry.command(...sanctioning(name, ...more));
    /** The first looked as often as any does; these look more often, so that nobody has to wait. */
    const again = (): Promise<TestServer> =>
      startServer(
        usingRegistry(registry, "zz.pods", port, {
          FREEHOLD_DATA: data,
          FREEHOLD_LIMITS: "governancePollMs=500",
        }),
      );
    const isStatus = (status: string) => async () => (await stateOf(scene)).status === status;

    it("gets nothing any more within the time of one look, by one command", async () => {
      await registry.typed(...sanctioning("delist", "--rule", "no-abuse"));
      const began = Date.now();
      await until(isStatus("Paused"), "the grant rests");
      expect(Date.now() - began).to.be.below(30_000);
      expect((await scene.shop.fetch(scene.note)).status).to.equal(403);
      expect(await inboxOf(scene)).to.contain("The registry has delisted Shop AG");
    });

    it("stays delisted while the registry is down; and a registry that is down delists nobody else", async () => {
      await registry.stop();
      const bea = await vendorNamed(server, "Bea").catch(() => null); // Its passport cannot be registered now.
      expect(bea).to.equal(null);
      await server.close();
      server = await again();
      expect((await scene.shop.fetch(scene.note)).status).to.equal(403);
      expect((await stateOf(scene)).status).to.equal("Paused");
      await registry.start();
    });

    it("goes on when it is reinstated", async () => {
      await step("reinstate");
      await until(isStatus("Active"), "the grant goes on");
      expect((await scene.shop.fetch(scene.note)).status).to.equal(200);
    });

    it("is stopped at a pod server that was off when it happened, as soon as that is back", async () => {
      await server.close();
      await step("delist", "--rule", "no-abuse");
      server = await again();
      await until(isStatus("Paused"), "the grant rests");
      expect((await scene.shop.fetch(scene.note)).status).to.equal(403);
    });

    it("may appeal, and is let go on where the appeal is heard", async () => {
      const listed = await registry.command("sanctions");
      const number = /^(\d+) .*delist by no-abuse {2}stands$/m.exec(listed)?.[1] ?? "";
      const appealed = await registry.command("appeal", number, "--says", "It was somebody else");
      const appeal = /record (\d+)/.exec(appealed)?.[1] ?? "";
      await registry.command("appeal", "decide", appeal, "overturned", "--says", "So it was");
      await until(isStatus("Active"), "the grant goes on");
    });

    it("does not hinder the zone in holding a passport, with a case and a reason, and in letting it go", async () => {
      const at = async () => (await fetch(`${registry.url}v1/passports/${scene.ana.passport}`)).status;
      await registry.command("hold", scene.ana.passport, "--case", "A-17", "--reason", "court-order");
      expect(await at()).to.equal(451);
      await registry.command("unhold", scene.ana.passport, "--case", "A-17", "--reason", "court-order");
      expect(await at()).to.equal(200);
      const refused = await registry
        .typed("hold", scene.ana.passport, "--case", "A-17", "--reason", "dislike")
        .catch((error: Error) => error.message);
      expect(refused).to.contain("rule");
      expect(await at()).to.equal(200);
    });

    it("is delisted by nothing that breaks the zone's own rules", async () => {
      const refused = await registry.typed(...sanctioning("delist", "--rule", "purpose-limitation")).then(
        () => "",
        (error: Error) => error.message,
      );
      expect(refused).to.contain("rule ladder");
      expect((await stateOf(scene)).status).to.equal("Active");
    });
  });
});
