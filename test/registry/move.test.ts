/** A move from host to host, with all that must survive it; long, for each step stands on the one before. */
import { createHash } from "node:crypto";
import { expect } from "chai";
import {
  addProof,
  bytesOfStatement,
  type Json,
  keyOfMultikey,
  type Signed,
  type SignedStatement,
  verifyProof,
} from "../../client-lib/consent/index.ts";
import { createLedger, openPod, reconcile } from "../../client-lib/index.ts";
import { allowLoopback } from "../../client-lib/passport/form.ts";
import {
  importRecoveryFile,
  makeData,
  rotatePassport,
  signOperation,
} from "../../client-lib/passport/index.ts";
import { generateKeyPair } from "../../client-lib/passport/key.ts";
import type { PassportId } from "../../client-lib/registry/index.ts";
import { createPerson } from "../../server/cli/people.ts";
import { arrive, passportHost } from "../../server/cli/tasks/arrive.ts";
import { packedIn } from "../../server/consent/move/forms.ts";
import type { Problem } from "../../server/errors.ts";
import { policy } from "../consent/grant-fixture.ts";
import { policyOf, requestOf, type Vendor, vendorNamed } from "../consent/people.ts";
import { logIn } from "../support/dpop.ts";
import { quietPort } from "../support/process.ts";
import type { Person, TestServer } from "../support/server.ts";
import { exportTo, importFrom, openFolder, podOf } from "../transfer/fixture.ts";
import { type RegistryProcess, startPods, startRegistry } from "./registry-process.ts";

interface Mover extends Person {
  readonly recoveryFile: string;
}

/** Somebody whose recovery file is at hand. */
async function moverNamed(server: TestServer, name: string): Promise<Mover> {
  const made = await createPerson(server.context, {
    name,
    podName: name.toLowerCase(),
    password: `a long password of ${name}`,
  });
  const fetch = await logIn(server.baseUrl, made.credentials.id, made.credentials.secret);
  return { ...made, fetch, raw: () => Promise.reject(new Error("not used")) };
}

/** An account without a passport, for one that comes. */
async function emptyAccount(server: TestServer, podName: string): Promise<Person> {
  const { accounts } = server.context.identity;
  const account = await accounts.open({
    name: "Ana",
    pod: podName,
    password: "another long password",
    passkey: null,
    createOp: null,
    recoverySaved: true,
  });
  const { id, secret } = await accounts.credentials.create(account, "Command line", null);
  const fetch = await logIn(server.baseUrl, id, secret);
  return {
    webid: account.webid,
    pod: `${server.baseUrl}${podName}/`,
    passport: "",
    credentials: { id, secret },
    fetch,
    raw: () => Promise.reject(new Error("not used")),
  };
}

const json = async (response: Response): Promise<Json> => (await response.json()) as Json;

describe("a pod that moves to another host", function () {
  this.timeout(180_000); // Programs are started on machines that do much else.
  let registry: RegistryProcess;
  let first: TestServer;
  let second: TestServer;
  let files: Awaited<ReturnType<typeof openFolder>>;
  let ana: Mover;
  let there: Person;
  let shop: Vendor;
  let grant: string;
  let viewGrant: string;
  let newGrant: string;
  let receiptBefore: Json;
  let useBefore: Json;
  let viewBefore: string;
  let isGone = false;

  const give = async (access: readonly Json[]): Promise<string> => {
    const asked = await shop.ask(ana, requestOf(shop, ana, { access }));
    if (asked.status >= 300) throw new Error(await asked.text());
    const decided = await ana.fetch(`${asked.headers.get("location")}/decision`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ outcome: "grant" }),
    });
    return decided.headers.get("location") ?? "";
  };
  const viewOf = async (person: Person, address: string): Promise<string> => {
    const { access } = (await json(await shop.fetch(address))) as unknown as {
      access: { target: { value: string[] } }[];
    };
    const url = access[0]!.target.value[0]!;
    expect(url.startsWith(person.pod)).to.equal(true);
    return (await shop.fetch(url, { headers: { accept: "application/n-triples" } })).text();
  };

  before(async () => {
    files = await openFolder();
    const ports = [await quietPort(), await quietPort()] as const;
    registry = await startRegistry(ports.map((port) => `http://localhost:${port}`));
    const allow = {
      FREEHOLD_EGRESS_ALLOW: [
        new URL(registry.url).origin,
        ...ports.map((port) => `http://localhost:${port}`),
      ].join(","),
    };
    first = await startPods(registry, "zz.first", ports[0], allow);
    second = await startPods(registry, "zz.second", ports[1], allow);
    ana = await moverNamed(first, "Ana");
    shop = await vendorNamed(second, "Shop"); // The vendor lives somewhere else than whom it serves.
    for (const [name, text] of [
      ["a", "<#it> a <#Note>; <#says> 'one' ."],
      ["b", "<#it> <#says> 'two' ; <#about> [ <#deep> 1 ] ."],
    ] as const)
      await ana.fetch(`${ana.pod}notes/${name}.ttl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: text,
      });
    grant = await give([policyOf(shop.webid, `${ana.pod}notes/`)]);
    const viewed = policyOf(shop.webid, `${ana.pod}notes/`);
    viewGrant = await give([
      {
        ...viewed,
        constraint: [
          ...(viewed["constraint"] as Json[]).filter(({ leftOperand }) => leftOperand !== "consentMode"),
          { leftOperand: "consentMode", operator: "eq", rightOperand: "query" },
          { leftOperand: "tier", operator: "eq", rightOperand: "reduced" },
        ],
      },
    ]);
    const id = grant.slice(grant.lastIndexOf("/") + 1);
    const receipt = `${ana.pod}.consent/receipts/${id}`;
    const signed = await addProof(await json(await shop.fetch(receipt)), {
      key: shop.key.privateKey,
      verificationMethod: shop.keyId,
      created: new Date(),
    });
    const both = await shop.fetch(`${receipt}/countersignature`, {
      method: "PUT",
      headers: { "content-type": "application/ld+json" },
      body: JSON.stringify(signed),
    });
    expect(both.status).to.equal(200);
    receiptBefore = await json(both);
    expect((await shop.fetch(`${ana.pod}notes/a.ttl`)).status).to.equal(200);
    useBefore = await json(await shop.fetch(`${receipt}.1`));
    viewBefore = await viewOf(ana, viewGrant);
    expect(viewBefore).to.contain("genid");
    there = await emptyAccount(second, "ana-at-home");
    await exportTo(first.context, "ana", files.path("plain.zip"));
  });
  after(async () => {
    if (!isGone) await first?.close();
    await second?.close();
    await registry?.remove();
    await files?.remove();
  });

  it("takes no consents along before the passport says that it has moved", async () => {
    const report = await importFrom(second.context, "ana-at-home", files.path("plain.zip"));
    expect(report.consents).to.deep.include({
      grants: 0,
      refused: "The archive is of another passport than this pod",
    });
    expect(report.documents).to.be.greaterThan(1);
  });

  it("has its passport re-pointed by its owner's signature and the new host's, with the old place among its moves", async () => {
    const { hosting, registry: link } = second.context.identity;
    const desk = await hosting.begin();
    const id = ana.passport as PassportId;
    const known = await link.find(id);
    const { keys } = await importRecoveryFile(ana.recoveryFile);
    const { rotateOp } = await rotatePassport(known!.state, keys, new Date(), {
      delegateKey: desk.delegateKey,
      registrar: desk.registrar,
    });
    const pod = await podOf(second.context, "ana-at-home");
    const foreign = await rotatePassport(known!.state, keys, new Date(), {
      delegateKey: (await generateKeyPair()).key,
      registrar: desk.registrar,
    });
    const refused = await second.context.takeIn(pod, foreign.rotateOp).then(
      () => "taken",
      (error: Error) => error.message,
    );
    expect(refused).to.contain("rule delegate");
    expect(await second.context.takeIn(pod, rotateOp)).to.deep.equal({ id });
    const data = (await link.find(id))!.data!.op;
    expect(data.storage).to.deep.equal([{ id: "#pod", url: there.pod }]);
    expect(data.moved.map(({ from, to }) => [from, to])).to.deep.equal([[ana.pod, there.pod]]);
    expect(Date.parse(data.moved[0]!.redirectUntil) - Date.parse(data.moved[0]!.at)).to.be.greaterThan(
      729 * 86_400_000,
    );
    const card = await (await fetch(`${there.pod}profile/card`)).text();
    expect(card).to.contain(`did:dcann:${id}`);
  });

  it("keeps its grants: the same names, the same rules, the same counts, told to the vendor under the new address", async () => {
    const report = await importFrom(second.context, "ana-at-home", files.path("plain.zip"), {
      present: "keep",
    });
    expect(report.consents).to.deep.equal({ grants: 2, resting: 0, leftOut: 0, refused: null });
    newGrant = grant.replace(ana.pod, there.pod);
    const shown = (await json(await shop.fetch(newGrant))) as { status?: string };
    expect(shown.status).to.equal("Active");
    expect((await shop.fetch(`${there.pod}notes/a.ttl`)).status).to.equal(200);
    expect((await shop.fetch(`${there.pod}settings/prefs.ttl`)).status).to.equal(403);
    const uses = await json(await shop.fetch(`${newGrant}/receipts`));
    expect(uses["fh:uses"]).to.equal(2); // One there, one here: no number is missing.
  });

  it("keeps receipts as both sides signed them, and those of uses as the former host did", async () => {
    const id = grant.slice(grant.lastIndexOf("/") + 1);
    const receipt = `${there.pod}.consent/receipts/${id}`;
    expect(await json(await shop.fetch(receipt))).to.deep.equal(receiptBefore);
    expect(await json(await shop.fetch(`${receipt}.1`))).to.deep.equal(useBefore);
    const own = (await json(await shop.fetch(`${receipt}.2`))) as Signed;
    expect(JSON.stringify(own["proof"])).to.contain(second.baseUrl);
    const { "fh:formerHosts": hosts } = (await json(
      await shop.fetch(`${there.pod}.consent/former-hosts`),
    )) as unknown as {
      "fh:formerHosts": SignedStatement[];
    };
    const { statement } = hosts[0]!;
    const { isValid } = await verifyProof(useBefore, async (method) =>
      statement.receiptKeys.includes(method) ? keyOfMultikey(method.split("#")[1]) : null,
    );
    expect(isValid).to.equal(true);
    expect(statement.storage).to.equal(ana.pod);
    const cy = await second.person("Cy"); // To whom nothing was given, nobody says where the pod was before.
    expect((await cy.fetch(`${there.pod}.consent/former-hosts`)).status).to.equal(404);
  });

  it("keeps the vendor's books in order, by what the passport bears out", async () => {
    const pod = await openPod(ana.passport, {
      fetch: shop.fetch,
      resolvers: [registry.url],
      allowUrl: allowLoopback,
    });
    expect(pod.url).to.equal(there.pod);
    const { verificationMethod } = { verificationMethod: shop.keyId };
    const use = { queryHash: null, status: 200, at: new Date().toISOString() };
    const id = grant.slice(grant.lastIndexOf("/") + 1);
    const ledger = createLedger();
    await ledger.note({
      ...use,
      receipt: `${ana.pod}.consent/receipts/${id}.1`,
      grant,
      url: `${ana.pod}notes/a.ttl`,
    });
    await ledger.note({
      ...use,
      receipt: `${there.pod}.consent/receipts/${id}.2`,
      grant: newGrant,
      url: `${there.pod}notes/a.ttl`,
    });
    const books = await reconcile(pod, newGrant, ledger, { verificationMethod });
    expect(books).to.deep.include({
      matched: 2,
      onlyPod: [],
      onlyVendor: [],
      unsigned: [],
      isCountersigned: true,
      agrees: true,
    });
    const stranger = await openPod(there.pod, { fetch: shop.fetch });
    const unborne = await reconcile(stranger, newGrant, ledger, { verificationMethod });
    expect(unborne.unsigned.length).to.equal(2); // Who does not know the passport cannot believe a former host.
  });

  it("keeps the names by which the vendor knows things in a view", async () => {
    expect(await viewOf(there, viewGrant.replace(ana.pod, there.pod))).to.equal(viewBefore);
  });

  it("does nothing twice, and takes no count back", async () => {
    const report = await importFrom(second.context, "ana-at-home", files.path("plain.zip"), {
      present: "keep",
    });
    expect(report.consents).to.deep.equal({ grants: 0, resting: 0, leftOut: 0, refused: null });
    expect((await json(await shop.fetch(`${newGrant}/receipts`)))["fh:uses"]).to.equal(2);
  });

  it("lets rest what an old archive brings, for it may have been revoked since; and what the owner wants to look at first", async () => {
    const { leaving } = first.context.consent.move;
    const pod = await podOf(first.context, "ana");
    /** What was given at the old host since, as an archive of that day would have it. */
    const bring = async (daysAgo: number, rests: boolean) => {
      const address = await give([policyOf(shop.webid, `${ana.pod}notes/${daysAgo}/`)]);
      const lines = await first.context.store.read(pod.id, async (snapshot) => {
        const found: string[] = [];
        for await (const one of leaving.lines(snapshot, pod)) found.push(one);
        return found;
      });
      const content = Buffer.from(lines.join(""));
      const statement = await leaving.statement(pod, {
        export: `days-${daysAgo}`,
        taken: new Date(Date.now() - daysAgo * 86_400_000).toISOString(),
        records: lines.length,
        sha256: createHash("sha256").update(content).digest("hex"),
      });
      const owner = there.webid;
      const arrived = await second.context.consent.move.arrive(await podOf(second.context, "ana-at-home"), {
        statement,
        content: async function* () {
          yield content;
        },
        move: { fromPath: "/ana/", toPath: "/ana-at-home/", from: ana.pod, to: there.pod, owner },
        rests,
      });
      const shown = (await json(await there.fetch(address.replace(ana.pod, there.pod)))) as {
        status?: string;
        reason?: string;
      };
      return [arrived.grants, arrived.resting, shown.status, shown.reason];
    };
    expect(await bring(6, false)).to.deep.equal([1, 0, "Active", undefined]);
    expect(await bring(8, false)).to.deep.equal([1, 1, "Paused", "moved"]);
    expect(await bring(1, true)).to.deep.equal([1, 1, "Paused", "moved"]);
  });

  it("is found from its old addresses, grants too, for as long as the old host stands", async () => {
    const moved = await first.context.ldp.transfer.moves.move(await podOf(first.context, "ana"), there.pod);
    expect(moved.passport).to.equal("updated");
    const sent = await fetch(`${ana.pod}notes/a.ttl`, { redirect: "manual" });
    expect([sent.status, sent.headers.get("location")]).to.deep.equal([308, `${there.pod}notes/a.ttl`]);
    expect(sent.headers.get("link")).to.contain('rel="successor-version"');
    const old = await fetch(grant, { redirect: "manual" });
    expect(old.headers.get("location")).to.equal(newGrant);
  });

  it("goes on when the old host is gone", async () => {
    await first.close();
    isGone = true;
    expect((await shop.fetch(`${there.pod}notes/b.ttl`)).status).to.equal(200);
    const ended = await there.fetch(newGrant, { method: "DELETE" });
    expect(ended.status).to.equal(204);
    expect((await shop.fetch(`${there.pod}notes/b.ttl`)).status).to.equal(403);
    const again = await importFrom(second.context, "ana-at-home", files.path("plain.zip"), {
      present: "keep",
    });
    // The passport alone says whom to believe; and what was revoked here does not come back.
    expect(again.consents).to.deep.include({ grants: 0, refused: null });
    expect((await shop.fetch(`${there.pod}notes/b.ttl`)).status).to.equal(403);
  });

  it("may also be told by its owner's own keys: then the new host takes it in, and no other passport", async () => {
    const { hosting, registry: link } = second.context.identity;
    const bea = await moverNamed(second, "Bea");
    const place = await emptyAccount(second, "bea-at-home");
    const pod = await podOf(second.context, "bea-at-home");
    const attach = (passport: string) =>
      second.context.takeIn(pod, passport).then(
        () => "taken",
        (error: Problem) => error.code,
      );
    expect(await attach(bea.passport)).to.equal("conflict"); // It is of another pod here.
    expect(await attach(ana.passport)).to.equal("conflict");
    const id = bea.passport as PassportId;
    const { keys } = await importRecoveryFile(bea.recoveryFile);
    await hosting.withdraw("bea"); // As if that pod had been elsewhere.
    expect(await attach(id)).to.equal("forbidden");
    const known = await link.find(id);
    const told = await passportHost.run(second.context, { args: [], flags: {}, secret: null }, () => {});
    const delegateKey = /z6Mk\w+/.exec(told.lines.join())![0];
    const rotated = await rotatePassport(known!.state, keys, new Date(), { delegateKey });
    await link.submit(rotated.rotateOp);
    expect(await attach(id)).to.equal("forbidden"); // Its owner has not said where it leads.
    const { state } = (await link.find(id))!;
    const { dseq } = known!.state;
    const data = makeData({
      id,
      aseq: state.head.seq,
      dseq: dseq + 1,
      webid: [place.webid],
      storage: [{ id: "#pod", url: place.pod }],
    });
    await link.submit(await signOperation(data, state.head.auth, rotated.keys.authority));
    const input = { args: ["bea-at-home", id], flags: {}, secret: null };
    const { lines } = await arrive.run(second.context, input, () => {});
    expect(lines).to.deep.equal([`bea-at-home is the pod of passport ${id} now.`]);
    expect(await attach(id)).to.equal("taken"); // Once more changes nothing.
    expect(await (await fetch(`${place.pod}profile/card`)).text()).to.contain(`did:dcann:${id}`);
  });

  describe("believes", () => {
    const doubt = async (
      change: (said: SignedStatement) => Promise<SignedStatement> | SignedStatement,
    ): Promise<string> => {
      const { context } = second;
      const pod = await podOf(context, "ana-at-home");
      const content = Buffer.from("");
      const { s, key, statement } = await change({
        statement: {
          format: "freehold-consents/1",
          export: "one",
          passport: ana.passport,
          storage: ana.pod,
          taken: new Date().toISOString(),
          records: 0,
          sha256: createHash("sha256").update(content).digest("hex"),
          receiptKeys: [],
        },
        key: (await generateKeyPair()).key,
        s: "A".repeat(86),
      });
      const arrived = await context.consent.move.arrive(pod, {
        statement: { statement, key, s },
        content: async function* () {
          yield content;
        },
        move: { fromPath: "/ana/", toPath: "/ana-at-home/", from: ana.pod, to: there.pod, owner: pod.owner },
        rests: false,
      });
      return arrived.refused ?? "taken";
    };
    /** A host that the owner never named. */
    const stranger = async ({ statement }: SignedStatement): Promise<SignedStatement> => {
      const pair = await generateKeyPair();
      const s = Buffer.from(await pair.sign(bytesOfStatement(statement))).toString("base64url");
      return { statement, key: pair.key, s };
    };

    it("no host that the passport never named", async () => {
      expect(await doubt(stranger)).to.equal("The passport's owner never named this host as delegate");
    });
    it("no archive of another passport", async () => {
      const other = ({ statement, ...rest }: SignedStatement) => ({
        ...rest,
        statement: { ...statement, passport: shop.passport },
      });
      expect(await doubt(other)).to.equal("The archive is of another passport than this pod");
    });
    it("no statement about another pod than the archive is of", async () => {
      const other = ({ statement, ...rest }: SignedStatement) => ({
        ...rest,
        statement: { ...statement, storage: shop.pod },
      });
      expect(await doubt(other)).to.equal("The consents are of another pod than the archive");
    });
    it("no signature that does not hold", async () => {
      const { registry: link } = second.context.identity;
      const bundle = await link.bundle(ana.passport as PassportId);
      const { key } = bundle!.head.auth[0]!.op.delegate;
      expect(await doubt((said) => ({ ...said, key }))).to.equal("The former host's signature does not hold");
    });
    const usageOf = (grant: string): object => ({
      grant,
      count: 1,
      firstUse: null,
      lastUse: null,
      policies: [],
      days: [],
      forgiven: null,
      clients: [],
    });
    it("no grant of a time that has not come, which would end as much later", () => {
      const now = Date.UTC(2026, 10, 22);
      const at = (issued: number): object => ({
        id: "a".repeat(22),
        state: "Active",
        issued,
        changed: now,
        assigner: ana.webid,
        assignee: shop.webid,
        controller: shop.webid,
        legalBasis: "https://w3id.org/dpv#Consent",
        recipients: [],
        locations: [],
        automation: null,
        decidesAboutPerson: false,
        notice: "https://shop.example/notice",
        benefit: {},
        price: null,
        terms: null,
        inbox: null,
        policies: [policy({ notAfter: issued })],
        request: null,
        decision: null,
        supersedes: null,
        decidedBy: "person",
        views: [null],
        reason: null,
        heldUntil: null,
      });
      const packed = (value: object): string =>
        JSON.stringify({ group: "grant", item: "a".repeat(22), value });
      expect(packedIn(packed(at(now)), now)).to.not.equal(null);
      expect(packedIn(packed(at(Date.UTC(2099, 0))), now)).to.equal(null);
    });
    it("no record that is not as it must be", () => {
      const policy = { actions: ["control"] };
      for (const packed of [
        { group: "grant", item: "a".repeat(22), value: { id: "a".repeat(22), policies: [policy] } },
        { group: "rules", item: "", value: [] },
        { group: "", item: "rules", value: [] },
        { group: "use:x", item: "0000000001", value: {} },
        { group: "secret", item: "pairwise", value: { key: "short" } },
        { group: "toString", item: "", value: {} },
        { group: "usage", item: "b".repeat(22), value: usageOf("a".repeat(22)) },
      ])
        expect(packedIn(JSON.stringify(packed), Date.now()), packed.group).to.equal(null);
      expect(packedIn("{", Date.now())).to.equal(null);
    });
  });
});
