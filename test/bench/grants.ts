/** Micro benchmark of a decision in a pod with 1,000 grants: `node test/bench/grants.ts`. Each in a snapshot of its own. */
import { GRANT_RULES, type GrantRule } from "../../server/access/grants.ts";
import { parseTarget } from "../../server/iri.ts";
import { encodeRecord } from "../../server/store/record.ts";
import { ANA, as, DORA, SHOP, serve, type World } from "../access/fixture.ts";

const GRANTS = 1_000;
const PATH = "/ana/notes/2026/today.ttl";
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const WORLD: World = {
  "/ana/": "",
  "/ana/.acl": `<#o> a acl:Authorization; acl:agent <${ANA}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .`,
  "/ana/notes/": "",
  "/ana/notes/2026/": "",
  [PATH]: "<#me> a vcard:Individual .",
};

const rule = (at: number, fields: Partial<GrantRule>): GrantRule => ({
  grant: `g${at}`,
  policy: 0,
  assignee: SHOP,
  clients: null,
  mediaTypes: null,
  types: null,
  modes: ["read"],
  targets: ["/ana/notes/"],
  purposes: ["https://w3id.org/dpv#ServiceProvision"],
  notBefore: 0,
  notAfter: Number.MAX_SAFE_INTEGER,
  ...fields,
});

const vendor = (at: number): string => (at === 0 ? SHOP : `https://vendor${at}.example/#us`);
const CASES: readonly (readonly [
  name: string,
  (at: number) => Partial<GrantRule>,
  who: string,
  path: string,
])[] = [
  ["of 1,000 vendors, one asks", (at) => ({ assignee: vendor(at) }), SHOP, PATH],
  ["of 1,000 vendors, none asks", (at) => ({ assignee: vendor(at) }), DORA, PATH],
  ["one vendor, 1,000 places", (at) => ({ targets: [at === 0 ? PATH : `/ana/place${at}/`] }), SHOP, PATH],
  ["one vendor, 1,000 grants of one folder", () => ({}), SHOP, PATH],
  ["the same for a class", () => ({ types: ["http://www.w3.org/2006/vcard/ns#Individual"] }), SHOP, PATH],
  ["the owner", () => ({}), ANA, PATH],
];

/** @returns µs: the median and the 99th of a hundred. */
async function measure(work: () => Promise<unknown>): Promise<readonly [median: number, p99: number]> {
  const taken: number[] = [];
  const until = performance.now() + 2_000;
  while (performance.now() < until || taken.length < 1_000) {
    const started = performance.now();
    await work();
    taken.push((performance.now() - started) * 1_000);
  }
  const settled = taken.slice(Math.floor(taken.length / 4)).sort((a, b) => a - b);
  return [settled[Math.floor(settled.length / 2)]!, settled[Math.floor(settled.length * 0.99)]!];
}

for (const [name, fields, webid, path] of CASES) {
  const { access, store, ana } = await serve(WORLD);
  const rules = Array.from({ length: GRANTS }, (_, at) => rule(at, fields(at)));
  await store.write(ana.id, async (transaction) => transaction.put(...GRANT_RULES, encodeRecord(rules)));
  const who = as(webid);
  const target = parseTarget(path);
  const [median, p99] = await measure(() =>
    store.read(ana.id, (snapshot) => access.authorize(snapshot, ana, who, target, ["read"])),
  );
  print(`${name.padEnd(40)} ${median.toFixed(1).padStart(7)} µs   p99 ${p99.toFixed(1).padStart(7)} µs`);
}
