import { openPod, under, watch } from "@freehold/client";
import { expect } from "chai";
import type { Person } from "../../support/server.ts";
import { CONTACT, type Granting, startGranting } from "./view-fixture.ts";

const STREET = "http://www.w3.org/2006/vcard/ns#street-address";
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function until(isSo: () => boolean, ms = 5_000): Promise<void> {
  for (const began = performance.now(); !isSo(); await pause(10))
    if (performance.now() - began > ms) throw new Error("It did not happen");
}

describe("a view that somebody watches", function () {
  this.timeout(30_000);
  let world: Granting;
  let shop: Person;

  before(async () => {
    world = await startGranting();
    shop = await world.vendor("Shop");
    await world.put("contacts/me.ttl", CONTACT);
  });
  after(() => world.close());

  it("tells of what it says, and of nothing else that happens; and no more once it is revoked", async () => {
    const { ana, server } = world;
    const target = { kind: "container", values: ["/ana/contacts/"] } as const;
    const grant = await world.grant(shop, [{ target, fields: [STREET] }]);
    const pod = await openPod(ana.pod, { fetch: shop.fetch });
    const url = `${ana.pod}.consent/grants/${grant.id}`;
    const heard: { readonly type: string; readonly object: string }[] = [];
    const listening = (async () => {
      for await (const change of watch(under(pod, { grant: url }), `.views/${grant.views[0]}`))
        heard.push(change);
    })().then(
      () => "ended",
      (error: { readonly code?: string }) => error.code,
    );
    await until(() => heard.length === 1);
    await world.put("contacts/me.ttl", CONTACT.replace("canary-note", "canary-other-note"));
    await world.put("contacts/more.ttl", `<#more> <https://schema.org/name> "canary-more" .`);
    await world.put("private/secret.ttl", `<#more> <${STREET}> "canary-elsewhere" .`);
    await pause(1_500);
    expect(heard.map(({ type }) => type)).to.deep.equal(["Begin"]);
    const began = performance.now();
    await world.put("contacts/me.ttl", CONTACT.replace("Bahnhofstrasse 1", "Seestrasse 2"));
    await until(() => heard.length === 2);
    expect(performance.now() - began).to.be.lessThan(2_000);
    expect(heard[1]).to.deep.include({ type: "Update", object: world.viewOf(grant) });
    expect(JSON.stringify(heard)).not.to.match(/canary|contacts/);
    await server.context.store.write(world.pod.id, (transaction) =>
      server.context.consent.grants.revoke(transaction, world.pod, grant.id, { agent: world.pod.owner }),
    );
    expect(await listening).to.be.oneOf(["forbidden", "not-found"]);
    expect(heard).to.have.length(2);
  });

  it("is not another vendor's to watch", async () => {
    const target = { kind: "container", values: ["/ana/contacts/"] } as const;
    const grant = await world.grant(shop, [{ target, fields: [STREET] }]);
    const bank = await world.vendor("Bank");
    const pod = await openPod(world.ana.pod, { fetch: bank.fetch });
    const code = await Array.fromAsync(watch(pod, `.views/${grant.views[0]}`)).then(
      () => "heard",
      (error: { readonly code?: string }) => error.code,
    );
    expect(code).to.equal("forbidden");
  });
});
