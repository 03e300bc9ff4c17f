/** A second evaluator of grants, written from their description alone, must agree with the server's at every door. */
import { expect } from "chai";
import fc from "fast-check";
import { createAccess } from "../../server/access/authorize.ts";
import { GRANT_RULES, type GrantRule } from "../../server/access/grants.ts";
import { parseTarget } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import type { Mode } from "../../server/operation.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { encodeRecord } from "../../server/store/record.ts";
import { ANA, APP, as, BASE, BEN, DORA, SHOP, serve, type World } from "./fixture.ts";

const NOW = 1_000;
const DPV = "https://w3id.org/dpv#";
const CARD = "http://www.w3.org/2006/vcard/ns#Individual";
const OTHER_APP = "https://other.example/id";
/** Each with what is above it, as far as these tests name it. */
const ABOVE: Readonly<Record<string, readonly string[]>> = {
  [`${DPV}ServiceProvision`]: [],
  [`${DPV}RequestedServiceProvision`]: [`${DPV}ServiceProvision`],
  [`${DPV}Marketing`]: [],
};
const PURPOSES = Object.keys(ABOVE);

const WORLD: World = {
  "/ana/": "",
  "/ana/.acl": `<#o> a acl:Authorization; acl:agent <${ANA}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .`,
  "/ana/a/": "",
  "/ana/a/card.ttl": `<#me> a <${CARD}> .`,
  "/ana/a/note.ttl": "<#me> <urn:x:is> 1 .",
  "/ana/a/b/": "",
  "/ana/a/b/card.ttl": `<#me> a <${CARD}> .`,
  "/ana/ab.ttl": "<#me> <urn:x:is> 1 .",
};
const PATHS = [
  ...Object.keys(WORLD),
  "/ana/a/new.ttl",
  "/ana/a/card.ttl.meta",
  "/ana/a/.meta",
  "/ana/a/.acl",
  "/ana/.views/v",
];
const TARGETS = [
  "/ana/",
  "/ana/a/",
  "/ana/a/card.ttl",
  "/ana/a/b/",
  "/ana/ab.ttl",
  "/ana/a",
  "/ana/.views/v",
  "/ben/",
];

const some = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const list = <T>(...values: readonly T[]) =>
  fc.uniqueArray(some(...values), { minLength: values.length > 2 ? 1 : 0, maxLength: 3 });
const rules: fc.Arbitrary<readonly GrantRule[]> = fc.array(
  fc.record({
    grant: some("g1", "g2", "g3"),
    policy: some(0, 1),
    assignee: some(SHOP, DORA),
    clients: fc.oneof(
      { weight: 6, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: list(APP, OTHER_APP) },
    ),
    mediaTypes: fc.oneof(
      { weight: 5, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: list("text/turtle", "image/png") },
    ),
    types: fc.oneof(
      { weight: 5, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: list(CARD, "urn:x:None") },
    ),
    modes: list<Mode>("read", "append", "write", "control"),
    removes: fc.boolean(),
    targets: list(...TARGETS),
    purposes: list(...PURPOSES),
    notBefore: some(0, 0, 0, NOW, NOW + 1),
    notAfter: some(NOW - 1, NOW, NOW + 10, NOW + 10),
  }),
  { maxLength: 6 },
);
const agents = fc
  .record({
    webid: some(SHOP, SHOP, DORA, DORA, BEN, null),
    client: some(null, APP),
    purpose: some(undefined, undefined, ...PURPOSES, ...PURPOSES, "nonsense"),
    grant: some(undefined, undefined, undefined, undefined, undefined, "g1", "g9"),
  })
  .map(({ webid, client, purpose, grant }) =>
    as(webid, { client, ...(purpose !== undefined && { purpose }), ...(grant !== undefined && { grant }) }),
  );

type Who = ReturnType<typeof as>;

const isFolder = (path: string): boolean => path.endsWith("/");
const isThere = (path: string): boolean => path in WORLD && !path.endsWith(".acl");
const isNarrower = (said: string, granted: string): boolean =>
  said === granted || (ABOVE[said] ?? []).includes(granted);

/** Word for word: which rules give this agent that mode there, whatever the purpose. */
function giving(
  all: readonly GrantRule[],
  who: Who,
  path: string,
  mode: Mode,
  removes?: string,
): readonly GrantRule[] {
  if (path.endsWith(".acl")) return [];
  const isDescription = path.endsWith(".meta");
  const about = removes ?? (isDescription ? path.slice(0, -5) : path);
  return all.filter((rule) => {
    if (rule.assignee !== who.webid || who.webid === null) return false;
    if (NOW < rule.notBefore || NOW > rule.notAfter || rule.purposes.length === 0) return false;
    if (rule.clients !== null && (who.client === null || !rule.clients.includes(who.client))) return false;
    if (who.grant !== undefined && rule.grant !== who.grant) return false;
    const isIn = rule.targets.some(
      (target) =>
        target === about ||
        (isFolder(target) && about.startsWith(target) && !about.startsWith("/ana/.views/")),
    );
    if (!isIn || !about.startsWith("/ana/")) return false;
    if (rule.mediaTypes !== null || rule.types !== null) {
      if (isDescription || !isThere(about)) return false;
      if (rule.mediaTypes !== null && (isFolder(about) || !rule.mediaTypes.includes("text/turtle")))
        return false;
      if (rule.types !== null && !(rule.types.includes(CARD) && about.endsWith("card.ttl"))) return false;
    }
    if (mode === "read") return rule.modes.includes("read");
    if (isDescription || mode === "control") return false;
    if (removes !== undefined) return mode === "write" && rule.removes === true;
    if (mode === "append" && isFolder(path)) return rule.modes.includes("append");
    if (!isThere(path)) return rule.modes.includes("append");
    return !isFolder(path) && rule.modes.includes("write");
  });
}

type Verdict = "no" | "which" | "other" | readonly string[];

function judge(found: readonly GrantRule[], who: Who): Verdict {
  if (found.length === 0) return "no";
  const purposes = new Set(found.flatMap((rule) => rule.purposes));
  const said = who.purpose ?? (purposes.size === 1 ? [...purposes][0]! : null);
  if (said === null) return "which";
  const fitting = found.filter((rule) => rule.purposes.some((granted) => isNarrower(said, granted)));
  return fitting.length === 0 ? "other" : [...new Set(fitting.map(({ grant }) => grant))].sort();
}

describe("law: grants give what they say, and no more, at every door alike", () => {
  it("for whatever rules, agents, places and modes", async function () {
    this.timeout(120_000);
    const server = await serve(WORLD, {}, LIMITS, async () => UNNARROWED);
    const { store, pods, ana } = server;
    const reachOf = async () => UNNARROWED;
    const access = createAccess({
      baseUrl: BASE,
      pods,
      store,
      limits: LIMITS,
      reachOf,
      now: () => new Date(NOW),
    });
    let cells = 0;
    let given = 0;
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(rules, fc.array(agents, { minLength: 1, maxLength: 4 }), async (all, askers) => {
        await store.write(ana.id, async (transaction) =>
          all.length > 0
            ? transaction.put(...GRANT_RULES, encodeRecord(all))
            : transaction.delete(...GRANT_RULES),
        );
        await store.read(ana.id, async (snapshot) => {
          const classified = await access.classify(snapshot, ana, PATHS);
          for (const who of askers) {
            const verdicts = new Map<string, Verdict>();
            for (const path of PATHS)
              for (const [mode, removes] of [
                ["read"],
                ["append"],
                ["write"],
                ["control"],
                ["write", "/ana/a/card.ttl"],
              ] as const) {
                if (removes !== undefined && !["/ana/a/", removes].includes(path)) continue;
                const verdict = judge(giving(all, who, path, mode, removes), who);
                if (mode === "read") verdicts.set(path, verdict);
                const decision = await access.authorize(
                  snapshot,
                  ana,
                  who,
                  parseTarget(path),
                  [mode],
                  removes,
                );
                const name = `${mode} ${path} ${removes ?? ""} by ${JSON.stringify(who)}`;
                cells++;
                if (decision.kind === "granted") {
                  given++;
                  expect([...(decision.grants ?? [])].sort(), name).to.deep.equal(verdict);
                } else if (decision.purposes) {
                  asked++;
                  expect(decision.purposes.isStated ? "other" : "which", name).to.equal(verdict);
                } else expect("no", name).to.equal(verdict);
              }
            // Of the whole pod the purpose is one.
            const mine = all.filter((rule) => {
              const asEverywhere = { ...rule, types: null, mediaTypes: null, targets: ["/ana/"] };
              return giving([asEverywhere], who, "/ana/", "read").length > 0;
            });
            const purposes = new Set(mine.flatMap((rule) => rule.purposes));
            const said = who.purpose ?? (purposes.size === 1 ? [...purposes][0]! : null);
            const set = await (await access.readable(snapshot, ana, who, classified)).made();
            const reader = await access.reader(snapshot, ana, who);
            for (const [at, path] of PATHS.entries()) {
              const isView = path.includes("/.views/");
              const isGiven =
                !isView &&
                said !== null &&
                giving(all, who, path, "read").some((rule) =>
                  rule.purposes.some((one) => isNarrower(said, one)),
                );
              expect(set.bits[at] === 1, `query ${path} by ${JSON.stringify(who)}`).to.equal(isGiven);
              const told = await reader(path).catch(() => false);
              expect(told, `reader ${path} by ${JSON.stringify(who)}`).to.equal(isGiven);
              // What a query ranges over, the agent may read by itself, too, when it says the same purpose.
              if (isGiven) expect(verdicts.get(path), path).to.not.equal("no");
            }
          }
        });
      }),
      { numRuns: 1_000 },
    );
    expect(cells).to.be.greaterThan(40_000);
    expect(given, "cells that were given").to.be.greaterThan(1_000);
    expect(asked, "cells that asked for a purpose").to.be.greaterThan(300);
  });
});
