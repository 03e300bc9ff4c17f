/** A zone that has failed for good, and an emergency operator who goes on with it from a mirror. */
import { join } from "node:path";
import {
  deactivatePassport,
  firstPolicy,
  type PassportError,
  rotatePassport,
  unlockPassport,
  verifyAnswer,
} from "@freehold/client/registry";
import { expect } from "chai";
import { loadRegistryConfig } from "../../../server/cli/registry/config.ts";
import { serveMirror } from "../../../server/cli/registry/mirror-serve.ts";
import { serveRegistry } from "../../../server/cli/registry/serve.ts";
import { takeOver } from "../../../server/cli/registry/takeover.ts";
import { OperatorError } from "../../../server/errors.ts";
import { audit } from "../../../server/registry/audit/audit.ts";
import { allowMirror } from "../../../server/registry/mirror/secrets.ts";
import { withZone } from "../../../server/registry/root/ceremony.ts";
import { key } from "../../passport/people.ts";
import { listeningLog } from "../../support/store.ts";
import { registrarDraft, TERMS } from "../governance-cases.ts";
import { createFederation, DAY_MS, type FederationWorld, HOUR_MS } from "./world.ts";

const NEVER_MS = 2 ** 30;

describe("an emergency operator", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  before(async () => {
    world = await createFederation();
  });
  after(() => world.dispose());

  const deps = () => ({ now: () => new Date(world.now()), log: listeningLog([]) });
  const mirrorIn = async (folder: string, secret: string | null): Promise<void> => {
    const { baseUrl } = world.zones.ch;
    const mirror = await serveMirror(
      {
        folder,
        zone: "ch",
        root: world.root.baseUrl,
        source: baseUrl,
        secret,
        url: null,
        host: "127.0.0.1",
        port: 0,
      },
      { ...deps(), tickMs: NEVER_MS },
    );
    await mirror.tick();
    await mirror.close();
  };
  /** What somebody who audits the zone again and again finds wrong with it. */
  const audited = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    const about = {
      record: world.trust(),
      fetch,
      now: () => new Date(world.now()),
      folder: join(world.folder, "auditor"),
    };
    for await (const { faults } of audit(about, ["ch"]))
      found.push(faults.map(({ what }) => what).join("; ") || "none");
    return found;
  };
  const choice = () => ({
    zone: "ch",
    operator: "Emergency operator",
    url: world.zones.ch.baseUrl,
    origin: "log.ch.emergency.example",
    root: world.root.baseUrl,
    port: world.zones.ch.port,
    allow: world.zones.ch.config.allow,
  });

  it("goes on with everybody and what they were about to do, under a new name, once the root says so", async () => {
    const [ann, ben] = [await world.open("ch"), await world.open("ch")];
    world.turn(31 * DAY_MS);
    await world.tick();
    await world.zones.ch.zone.submit(
      await unlockPassport(await world.state("ch", ann.id), ann.keys.authority, ["port"]),
    );
    const folder = join(world.folder, "mirror");
    await mirrorIn(folder, await allowMirror(join(world.folder, "ch"), "escrow"));
    const chosen = choice();
    const { bundle: before } = await world.ask("ch", ben.id);
    const former = world.trust();
    expect(await audited()).to.deep.equal(["none"]);
    await world.stop("ch");

    const record = await takeOver(folder, chosen, deps());
    expect([record.status, record.log.origin]).to.deep.equal(["emergency", "log.ch.emergency.example"]);
    expect(record.log.key).to.not.equal(former.zones["ch"]?.log.key);
    const again = await takeOver(folder, chosen, deps()); // Interrupted, it is simply begun again.
    expect(again).to.deep.equal(record);

    await world.start("ch", folder);
    await world.change(withZone("ch", record));
    await world.tick();
    for (const { id } of [ann, ben]) expect((await world.state("ch", id)).head.seq).to.equal(0);
    expect(await audited()).to.deep.equal(["none"]); // The log that was audited before is not this one's past.

    // Who trusts the new record does not believe the old log any more, and who has the old one not the new log.
    const { bundle: after } = await world.ask("ch", ben.id);
    const ruleOf = (source: object, trust: ReturnType<typeof world.trust>): Promise<string> =>
      verifyAnswer(source, ben.id, trust, { now: world.now(), maxAgeSeconds: 86_400 }).then(
        () => "none",
        (error: PassportError) => error.rule,
      );
    expect([await ruleOf(before, world.trust()), await ruleOf(after, former)]).to.deep.equal([
      "origin",
      "origin",
    ]);
    expect(after.proof.opening).to.not.equal(before.proof.opening);

    // What waited still waits for as long as it would have, and people go on as before.
    const waiting = await world.zones.ch.zone.find(ann.id);
    expect(waiting.findings.kind === "present" && waiting.findings.pending?.type).to.equal("unlock");
    world.turn(73 * HOUR_MS);
    await world.tick();
    expect((await world.state("ch", ann.id)).head.locks).to.deep.equal(["transfer"]);
    const { rotateOp } = await rotatePassport(
      await world.state("ch", ben.id),
      ben.keys,
      new Date(world.now()),
    );
    await world.zones.ch.zone.submit(rotateOp);
    expect((await world.state("ch", ben.id)).head.seq).to.equal(1);

    // Registrars are not personal data, nor in any copy: they are accredited again.
    const registrar = await key("registrar");
    await world.zones.ch.book.add(firstPolicy([...TERMS]));
    await world.zones.ch.book.add(registrarDraft(registrar.key, { id: "ch.local" }));
    const cy = await world.open("ch");
    const rest = await deactivatePassport(await world.state("ch", cy.id), cy.keys.authority);
    await world.zones.ch.zone.submit(rest);
    expect((await world.state("ch", cy.id)).deactivated).to.equal(true);
  });

  it("needs a whole copy with the passports: neither a blind mirror nor an empty folder will do", async () => {
    const blind = join(world.folder, "blind");
    await mirrorIn(blind, null);
    for (const folder of [blind, join(world.folder, "nothing")]) {
      const refused = await takeOver(folder, { ...choice(), origin: "log.ch.third.example" }, deps()).then(
        () => null,
        (error: unknown) => error,
      );
      expect(refused).to.be.instanceOf(OperatorError);
      expect((refused as Error).message).to.match(/no whole copy/);
    }
  });

  it("cannot serve a copy that nobody has taken over", async () => {
    const folder = join(world.folder, "mirror-left");
    await mirrorIn(folder, await allowMirror(join(world.folder, "mirror"), "left"));
    const refused = await loadRegistryConfig(folder).then(
      (config) => serveRegistry(config, { ...deps(), tickMs: NEVER_MS }),
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(OperatorError);
  });
});
